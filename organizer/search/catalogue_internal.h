/* catalogue_internal: what catalogue.c (entries) and look.c (looking) share. */
#ifndef ORGANIZER_SEARCH_CATALOGUE_INTERNAL_H
#define ORGANIZER_SEARCH_CATALOGUE_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <zstd.h>

#include "search/catalogue.h"

struct error;
struct rank;

/* An entry's key is its case's key and its number. */
#define NUMBER_BITS    32
#define NUMBER_MASK    ((INT64_C(1) << NUMBER_BITS) - 1)

enum catalogue_statement {
    GET,
    PUT,
    RENAME,
    REMOVE,
    SAME,
    TAKE_OVER,
    CASE_KEY,
    CASE_PUT,
    INDEX,
    UNINDEX,
    MATCH,
    HIT,
    SHOWN,
    COUNT,
    CATALOGUE_STATEMENTS
};

struct catalogue {
    sqlite3 *db;
    sqlite3_stmt *stmts[CATALOGUE_STATEMENTS];
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    char *text; /* of the entry that is shown; text_cap bytes */
    size_t text_cap;
    struct rank *rank;
    bool begun;
    int64_t until; /* ticks: a query that runs longer is stopped; 0: no end */
    bool counted;  /* all and by_name are those of counted_version */
    unsigned counted_version;
    int64_t all, by_name;
};

/* Sets err to what the connection says, and returns -1. */
int catalogue_fail(struct catalogue *c, const char *what, struct error *err);
/* The statement, reset, without values. NULL with err. */
sqlite3_stmt *catalogue_statement(struct catalogue *c, enum catalogue_statement i,
                                  struct error *err);
/* The column as a digest; zero when it is none. */
void catalogue_digest(sqlite3_stmt *st, int i, struct digest *d);
/* The document's key. 1 found, 0 there is no entry of its case (and none is made), -1 with err. */
int catalogue_key(struct catalogue *c, const char *case_id, int64_t number, bool make,
                  int64_t *key, struct error *err);

#endif
