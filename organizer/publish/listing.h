/*
 * listing: what one page shows: the documents of a case in the order of its index, and what needs
 * attention, in the order of enum reason. Made from the private state once; the three pages of a
 * case are written from it.
 */
#ifndef ORGANIZER_PUBLISH_LISTING_H
#define ORGANIZER_PUBLISH_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/reason.h"
#include "decide/rules.h"
#include "publish/publish.h"
#include "record/content_row.h"
#include "record/doc.h"

struct listing_said;
struct pool;
struct state;

#define RECENT_DAYS 14 /* how long filings and remarks are shown */
#define RECENT_MAX  50 /* filings shown */
#define RECENT_OPEN 8  /* of these, not folded away */

/* What people see of a document's state. */
enum standing { STANDING_ATTENTION, STANDING_FILED, STANDING_INDEXED, STANDING_WAITING };

#define RELEVANCE_NONE (-1)

/* What pages show of a document (record/doc.h), so small that 100,000 of them are some 30 MiB. Strings
 * are never NULL, and lie in the listing's pool. */
struct shown {
    const char *type, *words, *date, *original, *suggested, *sentence, *help;
    struct digest digest;
    int64_t number, filed_ns, changed_ns;
    uint64_t size;
    uint8_t state, kind, reason; /* enum doc_state, kind, reason */
    bool by_hand, before;
};

struct entry {
    struct shown doc;
    const char *name;            /* the last part of its path */
    const char *folder;          /* the part before, "" for the case folder */
    const struct content_facts *said; /* what it says, by listing_say(); all zero when it was not read */
    int8_t relevance;            /* enum relevance or RELEVANCE_NONE */
    uint8_t standing;            /* enum standing */
};

/* What any document of a page says of itself: columns and controls for nothing are not shown. */
struct facts_shown {
    bool about;     /* a title, subject, sender, author, recipient */
    bool privilege; /* marked privileged, or work product */
};

/* One thing that needs attention: a document or a notice. Borrowed from those. */
struct item {
    enum reason reason;
    const char *path;  /* from the folder of the page down; "" for that folder itself; NULL when it
                          lies elsewhere */
    const char *shown; /* what it is called: path or the notice's path */
    const char *name;  /* the last part of shown: what the sentence calls it */
    const char *sentence, *help;
};

struct listing {
    struct entry *entries; /* newest date first, then by type and name; undated last */
    size_t len, cap;
    struct item *items; /* by reason, then by name */
    size_t items_len, items_cap;
    size_t filed, waiting; /* counts of entries */
    struct facts_shown facts;
    /* The rest is this module's. */
    struct pool *pool;
    struct listing_said *said;
};

/* Reads the documents of case_id ("" the office) and joins the notices. c may be NULL (the
 * office). Returns 0 or -1 with err; clear it in both cases. The notices and s must outlive it. */
int listing_read(struct listing *l, struct state *s, const char *case_id, const struct page_case *c,
                 const struct rules *rules, const struct notice *notices, size_t notices_len,
                 struct error *err);
void listing_clear(struct listing *l);
/* The entry i, and what it says: valid until the next call. */
const struct entry *listing_say(const struct listing *l, size_t i);
/* t is in the last RECENT_DAYS days before now. */
bool listing_recent(int64_t t, int64_t now_ns);
/* Its path from the folder of the page down, which the caller frees. */
char *entry_path(const struct entry *e);
/* The order of their paths, as strcmp(3). */
int entry_compare(const struct entry *x, const struct entry *y);
/* The remark to show with the entry: a recent one, "named by hand", a suggestion; else NULL. */
const char *entry_remark(const struct entry *e, int64_t now_ns);
/* What is said of the entry beneath its name: the sentence without the name it may begin with. */
const char *entry_says(const struct entry *e, const char *sentence);
/* path as it stands below folder: "" for the folder itself, NULL when it is elsewhere. */
const char *path_below(const char *path, const char *folder);

#endif
