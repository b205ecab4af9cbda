/* state_internal: what the files of the private state share. Nobody else includes it. */
#ifndef ORGANIZER_RECORD_STATE_INTERNAL_H
#define ORGANIZER_RECORD_STATE_INTERNAL_H

#include <sqlite3.h>

#include "base/error.h"
#include "record/known.h"
#include "record/state.h"

/* Statements kept prepared for one connection; there are fewer than this in the source. */
#define STATE_STATEMENTS 64

struct state {
    sqlite3 *db;
    struct state_statement {
        const char *sql; /* the literal itself: compared as a pointer */
        sqlite3_stmt *stmt;
    } kept[STATE_STATEMENTS];
    size_t kept_len;
    bool newer;    /* written by a newer program */
    bool readonly; /* asked for, or because it is newer */
    bool begun;    /* between state_begin() and its end */
    bool failed;   /* a change failed since state_begin(): nothing may be committed */
    uint64_t failures;    /* of calls, since it was opened */
    struct error failure; /* the last */
    struct known *known; /* what there may be; NULL: everything */
    bool adds;           /* what is put is added to it */
    char case_id[CASE_ID_SIZE]; /* a committed case that was asked for last: its key stays */
    int64_t case_key;           /* 0: none */
    int64_t minting;  /* inside a transaction: the case whose documents get numbers; 0: none */
    int64_t next_doc; /* then: the next one. Written when another case does, or before the end */
};

/* Values bound one after another from ?1 on; rc keeps the first failure. */
struct bind {
    sqlite3_stmt *stmt;
    int at, rc;
};
void bind_int(struct bind *b, int64_t v);
/* Bytes, NULL as empty. They must live until the statement is stepped. */
void bind_bytes(struct bind *b, const char *s);
/* As bind_bytes(), but NULL and "" become SQL's NULL, which takes no room. */
void bind_short(struct bind *b, const char *s);
/* NULL when zero. */
void bind_digest(struct bind *b, const struct digest *d);

/* A copy of column i; NULL for SQL's NULL and for nothing. */
char *column_copy(sqlite3_stmt *st, int i);
void column_digest(sqlite3_stmt *st, int i, struct digest *d);

/* Fills err from the connection's last error and returns -1. */
int state_error(struct state *s, int rc, const char *what, struct error *err);
/* The kept statement for a literal, prepared when first asked for. NULL with err. */
sqlite3_stmt *state_kept(struct state *s, const char *sql, struct error *err);
/* A statement of the caller's own, who finalizes it: for loops that call out. NULL with err. */
sqlite3_stmt *state_own(struct state *s, const char *sql, struct error *err);
/* Steps a query. 1 a row, 0 the end, -1 with err. The caller resets it. */
int state_step(struct state *s, const struct bind *b, struct error *err);
/* Runs a change to its end and resets it. 0, or -1 with err; inside a transaction that has then
 * failed as a whole. */
int state_change(struct state *s, const struct bind *b, struct error *err);

/* The rows of a case may have such a key: false only when none has. */
bool state_may_have(const struct state *s, enum known_sort sort, int64_t of, const void *p,
                    size_t n);
/* From now on they may. */
void state_now_has(struct state *s, enum known_sort sort, int64_t of, const void *p, size_t n);
/* The same for a path of n bytes, and for the folder that it leads to. */
void state_now_has_path(struct state *s, int64_t case_key, const char *path, size_t n);

/* The case's key in the tables. 1 found, 0 none, -1. */
int state_case_key(struct state *s, const char *id, int64_t *key, struct error *err);
/* As above; makes the row when there is none. 0 or -1. */
int state_case_need(struct state *s, const char *id, int64_t *key, struct error *err);
/* As above, with the number that the case's next document gets. */
int state_case_make(struct state *s, const char *id, int64_t *key, int64_t *next_doc,
                    struct error *err);
/* Writes what `minting` keeps. 0 or -1. */
int state_keep_numbers(struct state *s, struct error *err);
/* The case's id for its key; "" when there is none. */
int state_case_id(struct state *s, int64_t key, char id[static CASE_ID_SIZE], struct error *err);
/* Tables that came later, made when they are missing. */
extern const char state_content_schema[];
/* What names that people take for the same have in common: FNV-1a of utf8_fold(). */
int64_t state_fold_key(const char *path);

#endif
