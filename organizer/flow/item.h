/*
 * item: the paths that are under way, each at most once, from the first hint to the record.
 *
 * An item is READY (to be looked at, in order of arrival), WAITING (asked again when due; a heap
 * by time, one timer for all), or BUSY (with a reader, a hook or the filer). A hint for a busy
 * item only marks it, so that it is looked at again afterwards. No timer runs while nothing waits.
 *
 * Items whose document is missing come last among the READY ones: what lies under another name now
 * tells more of it than its absence does.
 */
#ifndef ORGANIZER_FLOW_ITEM_H
#define ORGANIZER_FLOW_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "decide/content.h"
#include "examine/examiner.h"
#include "flow/tally.h"
#include "record/doc.h"
#include "settle/settle.h"

enum item_stage { ITEM_READY, ITEM_WAITING, ITEM_BUSY };

struct item {
    char *path; /* from the cabinet down */
    enum item_stage stage;
    bool again; /* hinted while busy */
    bool force; /* decide again although nothing changed */
    bool leases;
    int64_t missing; /* ticks (ns) since when it is not there: may come back; 0: it is */
    bool soon;       /* WAITING for something that ends by itself in a moment */
    bool held;       /* held_file is in items.held */
    struct tally_key held_file;
    uint64_t round;         /* the `sync` that asked for it last */
    int fd;                 /* open on the document, or -1 */
    struct doc_stamp stamp; /* as settled */
    bool no_row;            /* known, when it is examined: there is none at its path */
    bool no_fork;           /* known, when it is judged: no "._name" lies beside it */
    uint32_t nlink;         /* then: how many names its file has */
    struct examination x;   /* as examined */
    bool examined;
    struct content content;   /* what it says, when said */
    struct digest said_of;    /* of these bytes */
    bool said;
    int text;                 /* the file with all its text (text/text.h), or -1 */
    struct doc_stamp read;    /* as it was when x was found out; size 0: never */
    int64_t read_ns;          /* wall clock before its bytes were read */
    int64_t since;            /* ticks (ns) when it first had to wait, 0: it never had */
    int64_t due;              /* ticks (ns): WAITING until then */
    int64_t wait_ms;          /* a draft: look again after this long */
    unsigned tries;           /* how often it was asked in vain */
    unsigned doubts;          /* how often it waited for the item that holds its path's old file */
    unsigned links;           /* how often its file had a second name */
    unsigned refused;         /* how often the filer found it open or changed */
    unsigned failures;        /* how often reading it failed */
    enum settled why;         /* what it waits for */
    bool told;                /* listed because it cannot be filed */
    enum reason listed_as;    /* what it waits for, when that was listed */
    uint64_t number;          /* rises with each new item */
    bool owed;                /* someone in flow_sync() waits for it: it came before */
    size_t heap_at;           /* place in the heap while WAITING */
    struct item *next, *prev; /* READY list */
    void *flow;               /* the flow this item belongs to */
    UT_hash_handle hh;
};

struct items {
    struct item *by_path;
    struct item *ready; /* doubly linked, first in first out (utlist) */
    struct item *late;  /* READY too: those that are missing */
    struct item **heap; /* WAITING, earliest due first */
    size_t heap_len, heap_cap;
    size_t ready_len, busy_len; /* late ones count as ready */
    size_t soon_len;            /* WAITING, but soon */
    struct tally *held;         /* files that items hold */
    uint64_t next_number;
    size_t owed; /* items that a flow_sync() waits for */
};

/* An empty queue. */
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
/* The item's document is this file, found under the item's path, until the item is done or holds
 * another: who misses the file under another name asks items.held. NULL: it holds none. */
void items_hold(struct items *q, struct item *it, const struct doc_stamp *s);
/* Makes every WAITING item that is due at `ticks` READY; returns how many. */
size_t items_due(struct items *q, int64_t ticks);
/* Makes a WAITING item READY now. */
void items_wake(struct items *q, struct item *it);
/* When the earliest WAITING item is due; INT64_MAX when none waits. */
int64_t items_next_due(const struct items *q);
/* Marks all that is READY, BUSY or waits only for a moment as owed to a flow_sync(). An owed item
 * is settled when it is done, or waits. */
void items_owe(struct items *q);
/* Marks that one, which may be NULL. */
void items_owe_one(struct items *q, struct item *it);
/* Closes its descriptor. */
void item_close(struct item *it);
/* Forgets what it says. */
void item_unsay(struct item *it);

#endif
