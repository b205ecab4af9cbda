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

struct state;

#define RECENT_DAYS 14 /* how long filings and remarks are shown */
#define RECENT_MAX  50 /* filings shown */
#define RECENT_OPEN 8  /* of these, not folded away */

/* What people see of a document's state. */
enum standing { STANDING_ATTENTION, STANDING_FILED, STANDING_INDEXED, STANDING_WAITING };

#define RELEVANCE_NONE (-1)

struct entry {
    struct doc doc;              /* owned */
    const char *name;            /* the last part of its path, borrowed */
    char *folder;                /* the part before, "" for the case folder; owned */
    const struct doc_type *type; /* or NULL */
    int relevance;               /* enum relevance or RELEVANCE_NONE */
    enum standing standing;
    struct content_facts said;   /* what it says; all zero when it was not read; owned */
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
};

/* Reads the documents of case_id ("" the office) and joins the notices. c may be NULL (the
 * office). Returns 0 or -1 with err; clear it in both cases. The notices must outlive it. */
int listing_read(struct listing *l, struct state *s, const char *case_id, const struct page_case *c,
                 const struct rules *rules, const struct notice *notices, size_t notices_len,
                 struct error *err);
void listing_clear(struct listing *l);
/* t is in the last RECENT_DAYS days before now. */
bool listing_recent(int64_t t, int64_t now_ns);
/* The remark to show with the entry: a recent one, "named by hand", a suggestion; else NULL. */
const char *entry_remark(const struct entry *e, int64_t now_ns);
/* What is said of the entry beneath its name: the sentence without the name it may begin with. */
const char *entry_says(const struct entry *e, const char *sentence);
/* path as it stands below folder: "" for the folder itself, NULL when it is elsewhere. */
const char *path_below(const char *path, const char *folder);

#endif
