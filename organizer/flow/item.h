/*
 * item: the paths that are under way, each at most once, from the first hint to the record.
 *
 * An item is READY (to be looked at, in order of arrival), WAITING (asked again when due; a heap
 * by time, one timer for all), or BUSY (with a reader, a hook or the filer). A hint for a busy
 * item only marks it, so that it is looked at again afterwards. No timer runs while nothing waits.
 */
#ifndef ORGANIZER_FLOW_ITEM_H
#define ORGANIZER_FLOW_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "examine/examiner.h"
#include "record/doc.h"
#include "settle/settle.h"

enum item_stage { ITEM_READY, ITEM_WAITING, ITEM_BUSY };

struct item {
    char *path;               /* from the cabinet down */
    enum item_stage stage;
    bool again;               /* hinted while busy */
    bool force;               /* decide again although nothing changed */
    bool arrival;             /* came while we watched */
    bool leases;
    bool missing;             /* not there: waits whether it comes back */
    int fd;                   /* open on the document, or -1 */
    struct doc_stamp stamp;   /* as settled */
    struct examination x;     /* as examined */
    bool examined;
    int64_t read_ns;          /* wall clock before its bytes were read */
    int64_t since;            /* ticks (ns) when it first had to wait, 0: it never had */
    int64_t due;              /* ticks (ns): WAITING until then */
    int64_t wait_ms;          /* a draft: look again after this long */
    unsigned tries;           /* how often it was asked in vain */
    unsigned failures;        /* how often reading it failed */
    enum settled why;         /* what it waits for */
    bool told;                /* listed as waiting long */
    uint64_t number;          /* rises: `sync` knows what came before it */
    size_t heap_at;           /* place in the heap while WAITING */
    struct item *next, *prev; /* READY list */
    void *flow;               /* the flow this item belongs to */
    UT_hash_handle hh;
};

struct items {
    struct item *by_path;
    struct item *ready;   /* doubly linked, first in first out (utlist) */
    struct item **heap;   /* WAITING, earliest due first */
    size_t heap_len, heap_cap;
    size_t ready_len, busy_len;
    uint64_t next_number;
};

void items_init(struct items *q);
/* Frees all items, closing their descriptors. */
void items_clear(struct items *q);
/* The item for path, or NULL. */
struct item *items_find(const struct items *q, const char *path);
/* A hint: makes the item READY, or marks a BUSY one. */
struct item *items_hint(struct items *q, const char *path);
/* The next READY item becomes BUSY and is returned; NULL when there is none. */
struct item *items_take(struct items *q);
/* A BUSY item waits until due (ticks). */
void items_wait(struct items *q, struct item *it, int64_t due);
/* A BUSY item is done with: freed, or READY again when it was hinted meanwhile. */
void items_done(struct items *q, struct item *it);
/* Makes every WAITING item that is due at `ticks` READY; returns how many. */
size_t items_due(struct items *q, int64_t ticks);
/* Makes a WAITING item READY now. */
void items_wake(struct items *q, struct item *it);
/* When the earliest WAITING item is due; INT64_MAX when none waits. */
int64_t items_next_due(const struct items *q);
/* Closes its descriptor. */
void item_close(struct item *it);

#endif
