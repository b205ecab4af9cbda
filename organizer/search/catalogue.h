/*
 * catalogue: what documents are called and say, in STATE_HOME/CABINET-ID/search.db (SQLite, WAL,
 * mode 0600). Made from the document table and the documents: it may be deleted at any time.
 *
 * An entry belongs to a document (case id, number). Its text is compressed; the full text index
 * over it keeps no copy (an external content table). One thread writes; others read with
 * connections of their own. Between catalogue_begin() and catalogue_commit() all is one
 * transaction; changes outside of one are refused.
 */
#ifndef ORGANIZER_SEARCH_CATALOGUE_H
#define ORGANIZER_SEARCH_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "record/doc.h"

struct catalogue;
struct error;

#define CATALOGUE_NAME     "search.db"
#define CATALOGUE_TEXT_MAX ((unsigned long long)1 << 30) /* a larger text was not written by us */

/* Strings are owned; NULL counts as "". */
struct catalogue_entry {
    char case_id[CASE_ID_SIZE];
    int64_t number;
    struct digest digest; /* of the bytes whose text is here; zero: it is found by name only */
    char *name;           /* what it is found by: its file's name, type, earlier name */
    char *title, *subject, *sender;
    char *people; /* sender, recipients, author, in one */
};

/* Opens dir/search.db. Without readonly one that is missing, broken or of another version is made
 * anew. readonly: NULL with ENOENT when there is none, or one of another version. NULL with err. */
struct catalogue *catalogue_open(const char *dir, bool readonly, struct error *err);
/* Whether its file is not the one that bears its name any more. */
bool catalogue_is_moved(const struct catalogue *c);
/* One view for all that a search reads, until catalogue_rest() ends it and whatever is under way. */
int catalogue_begin_read(struct catalogue *c, struct error *err);
void catalogue_rest(struct catalogue *c);
void catalogue_close(struct catalogue *c);
/* Deletes dir/search.db; nobody may have it open. */
void catalogue_delete(const char *dir);

/* One transaction. 0, or -1 with err; after a failed commit nothing of it counts. */
int catalogue_begin(struct catalogue *c, struct error *err);
int catalogue_commit(struct catalogue *c, struct error *err);
void catalogue_rollback(struct catalogue *c);

/* 1 found (clear *e with catalogue_entry_clear()), 0 none, -1 with err. */
int catalogue_get(struct catalogue *c, const char *case_id, int64_t number,
                  struct catalogue_entry *e, struct error *err);
/* Writes the entry with its text of n bytes (UTF-8; NULL when n is 0), in place of an older one. */
int catalogue_put(struct catalogue *c, const struct catalogue_entry *e, const char *text, size_t n,
                  struct error *err);
/* The entry is called so now; all else stays. */
int catalogue_rename(struct catalogue *c, const char *case_id, int64_t number, const char *name,
                     struct error *err);
/* Gives the entry (case_id, number, name) what any entry of the same digest says. 1 done, 0 when
 * there is none, -1. */
int catalogue_take_over(struct catalogue *c, const char *case_id, int64_t number, const char *name,
                        const struct digest *digest, struct error *err);
/* 0, also when there is none. */
int catalogue_remove(struct catalogue *c, const char *case_id, int64_t number, struct error *err);
/* Every entry, without its strings, until fn returns non-zero: that is returned; -1 with err. fn
 * may change entries that it was shown. */
typedef int catalogue_fn(void *ctx, const struct catalogue_entry *e);
int catalogue_each(struct catalogue *c, catalogue_fn *fn, void *ctx, struct error *err);
/* Entries, and those of them that have no text yet. */
int catalogue_count(struct catalogue *c, int64_t *all, int64_t *by_name, struct error *err);
/* Merges some of the parts of the full text index, a few dozen milliseconds long: each is looked through
 * by each search. For when nothing else is to be done. 1 when there is more to merge, 0, -1. */
int catalogue_merge(struct catalogue *c, struct error *err);
/* Merges all parts of the full text index, and what was removed is out of it. For a quiet hour. */
int catalogue_tidy(struct catalogue *c, struct error *err);

/* What is told of an entry besides; each may be NULL. */
struct catalogue_shown {
    const char *title, *subject, *sender;
    const char *passage; /* the place in its text where the hits are (passage.h) */
};

struct catalogue_search {
    const char *expression; /* query.h */
    const char *case_id;    /* only in this case; NULL: all */
    size_t limit;           /* so many are told at most */
    int64_t limit_ms;       /* what takes longer is given up: -1, number ETIMEDOUT */
    /* Many are not admitted: they are asked about while the rest is being ranked. */
    bool picky;
    /* Of the entry case, number and digest are told; borrowed. May be asked about more than once. */
    bool (*admits)(void *ctx, const struct catalogue_entry *e);
    /* The entry that was just admitted; borrowed. May be NULL. */
    void (*taken)(void *ctx, const struct catalogue_entry *e, const struct catalogue_shown *shown);
    void *ctx;
    bool more; /* answer: others match, too */
};

/* Tells the entries that match, best first. 0, or -1 with err. */
int catalogue_look(struct catalogue *c, struct catalogue_search *search, struct error *err);

/* Frees its strings; all zero then. */
void catalogue_entry_clear(struct catalogue_entry *e);

#endif
