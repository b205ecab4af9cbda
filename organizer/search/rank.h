/*
 * rank: which of the documents that match a query are the best: BM25 (Robertson and Zaragoza, The
 * Probabilistic Relevance Framework, 2009; k1 1.2, b 0.75), as FTS5's own, with names and titles weighing
 * more. FTS5's looks up the length of each document that matches, goes through each word's documents
 * once more to count them, and keeps all for sorting. Here lengths are in memory (lengths.h), of frequent
 * words only the first hundreds, or thousands, are counted and the rest is estimated, and only the best are kept, with
 * the place in their text that is to be shown.
 *
 *   rank_begin(r, &wish)
 *   every row of SELECT ranked(words) FROM words WHERE words MATCH …, in the order of its keys
 *   rank_end(r)
 *
 * For one thread, and one connection.
 */
#ifndef ORGANIZER_SEARCH_RANK_H
#define ORGANIZER_SEARCH_RANK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/passage.h"

struct rank;

struct ranked {
    int64_t key; /* of the document: FTS5's rowid */
    double score;
    struct passage passage; /* in its body */
};

struct rank_wish {
    size_t keep; /* so many of the best; at least 1 */
    /* Whether a document that is good enough is wanted at all; NULL: all are. */
    bool (*admits)(void *ctx, int64_t key);
    void *ctx;
};

/* For one connection; free with rank_free() when that is closed. */
struct rank *rank_new(void);
/* NULL is fine. */
void rank_free(struct rank *r);
/* Tells the connection of the function ranked(words). 0, or -1. */
int rank_register(struct rank *r, fts5_api *api);
/* 0, or -1 with the connection's error. The wish is borrowed until rank_end(). */
int rank_begin(struct rank *r, sqlite3 *db, const struct rank_wish *wish);
/* Sorts what is kept, best first, and returns it; borrowed until the next rank_begin(). *more: others
 * matched, too, and were not asked about. */
const struct ranked *rank_end(struct rank *r, size_t *n, bool *more);

#endif
