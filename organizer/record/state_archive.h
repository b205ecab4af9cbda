/*
 * state_archive: which archives of which cases were made, by the journals' `archived` lines. The
 * table is made when it is missing, and can be rebuilt from the journals (record/rebuild.h).
 */
#ifndef ORGANIZER_RECORD_STATE_ARCHIVE_H
#define ORGANIZER_RECORD_STATE_ARCHIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/state.h"

struct error;
struct str;

/* One archive. Strings owned by the caller's copy. */
struct archive_row {
    char case_id[CASE_ID_SIZE];
    char *path;             /* from the cabinet down: "Archive/Smith_Divorce_Archive_2026-11-23.zip" */
    struct digest digest;   /* SHA-256 of the archive's own bytes */
    struct digest content;  /* of what is in it: the same content has the same */
    bool intermediate;      /* of an open case: `keep:` may prune it */
    int64_t made_ns;        /* UTC */
    int64_t verified_ns;    /* when it was last read from the disk and found right */
    uint64_t size;          /* bytes of the archive */
    uint64_t documents;     /* in it */
};

/* Makes the table when it is missing. Part of state_open(). 0 or -1. */
int state_archive_make(struct state *s, struct error *err);
/* Inserts or replaces by path. 0 or -1. */
int state_archive_put(struct state *s, const struct archive_row *row, struct error *err);
/* The archive of the case that was made last, whatever the clock said. 1 found, 0 none, -1. */
int state_archive_last(struct state *s, const char *case_id, struct archive_row *row,
                       struct error *err);
/* The archive at path. 1 found, 0 none, -1. */
int state_archive_at(struct state *s, const char *path, struct archive_row *row,
                     struct error *err);
/* All of a case (NULL: of all cases), in the order in which they were made; stops when fn returns non-zero and returns that;
 * -1 for an error. The row is borrowed during the call. */
typedef int state_archive_fn(void *ctx, const struct archive_row *row);
int state_each_archive(struct state *s, const char *case_id, state_archive_fn *fn, void *ctx,
                       struct error *err);
/* It was verified again at ns. No such archive is fine. 0 or -1. */
int state_archive_verified(struct state *s, const char *path, int64_t ns, struct error *err);
/* It is not there any more. 0 or -1. */
int state_archive_forget(struct state *s, const char *path, struct error *err);
void archive_row_clear(struct archive_row *row);

/* The members of an `archived` line behind journal_body(). */
void archive_row_write(struct str *body, const struct archive_row *row);
/* Reads what archive_row_write() wrote; at_ns is the line's time. False when the line does not tell
 * of an archive; the case's id is left to the caller. */
bool archive_row_read(struct archive_row *row, const json_t *line, int64_t at_ns);

#endif
