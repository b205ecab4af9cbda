/*
 * state: the private state off the share, one SQLite database (WAL, synchronous=FULL) in
 * STATE_HOME/CABINET-ID/state.db, mode 0700: document table, cases, journal heads, journal lines
 * still to be appended (outbox), digests of the daemon's own files, former names, key/values.
 *
 * One thread writes (the filer, file/filer.h; verbs without a daemon are that thread); other
 * threads open their own connection and read. A connection belongs to one thread. All changes of
 * a batch are one transaction: state_begin … state_commit. An error inside leaves the transaction
 * to be rolled back by the caller; until then changes and the commit fail too. A database written
 * by a newer program is opened read-only (state_is_newer) and says so.
 */
#ifndef ORGANIZER_RECORD_STATE_H
#define ORGANIZER_RECORD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "record/doc.h"

struct error;
struct known;
struct state;

/* Where the journal of a case stood when it was last written. */
struct journal_head {
    uint64_t seq;       /* of the last line; 0: no line yet */
    int64_t size;       /* bytes of the journal up to and with that line's newline */
    struct digest hash; /* of that line's bytes without the newline; zero when seq is 0 */
};

/* One case in the private state. Strings owned by the caller's copy. */
struct case_row {
    char id[CASE_ID_SIZE];
    char *path;   /* last known folder, from the cabinet down */
    char *former; /* former prefixes, separated by '/' */
    uint64_t dev, ino;
    int64_t birth_ns;
    int64_t next_doc;   /* number the next document gets */
    bool renamed_told;  /* the renaming was listed and answered */
    bool tampered;      /* the journal did not match its head: a person was told; `adopt` ends it */
    bool closed;         /* as the journal last said */
    bool restricted;     /* not every reader of the cabinet may read it */
    int64_t adopted_ns;  /* what lay there before: never named but by plan and apply; 0: nothing */
    int64_t gone_ns;     /* since when its folder is not there, 0: it is */
};

/* For a program's start, before anything is opened: SQLite does not count its memory, for which all threads
 * would wait for each other. */
void state_prepare(void);

/* Opens or makes dir/state.db; dir and what is missing above it are made with mode 0700. readonly
 * makes nothing: NULL with ENOENT when there is no state yet. NULL with err. */
struct state *state_open(const char *dir, bool readonly, struct error *err);
void state_close(struct state *s);
/* Whether its file is not the one that bears its name any more. */
bool state_is_moved(const struct state *s);
bool state_is_newer(const struct state *s);
/* How many calls on this connection failed so far: who decides on the ground of what was found
 * compares it with what it was before, since a row that could not be read is not one that is not
 * there. */
uint64_t state_failures(const struct state *s);
/* The last of them; borrowed. */
const struct error *state_failure(const struct state *s);

/* One transaction: begun, then committed (0, or -1 with err and it is undone) or undone. */
int state_begin(struct state *s, struct error *err);
int state_commit(struct state *s, struct error *err);
void state_rollback(struct state *s);
/* For a reader that is kept open: ends its transaction and whatever is under way in it. */
void state_rest(struct state *s);
/* Many changes will come in large transactions: pages that they share are kept in memory, up to 8 MB,
 * where less would have them written once for each change. */
void state_expect(struct state *s);
/* They are over: that memory goes back. */
void state_release(struct state *s);
/* What is read until state_rollback() is one picture, whatever is written meanwhile. Keep it
 * short: the write-ahead log grows as long. */
int state_begin_read(struct state *s, struct error *err);

/* known.h: answers "none" from *k, which is borrowed, without asking the tables. The connection that
 * writes keeps it: all that is there is added now, and what it puts before it is committed. 0, or -1
 * with err. Others use what it keeps. */
int state_keep_known(struct state *s, struct known *k, struct error *err);
void state_use_known(struct state *s, struct known *k);

/* Documents. Getters return 1 found (fill *d, caller doc_clear()s), 0 none, -1 error. Only rows
 * that have a file (not DOC_GONE) are found, except by number. */
int state_doc_by_number(struct state *s, const char *case_id, int64_t n, struct doc *d,
                        struct error *err);
int state_doc_by_path(struct state *s, const char *case_id, const char *path, struct doc *d,
                      struct error *err);
/* Any case; several hard links may exist: the first. */
int state_doc_by_inode(struct state *s, const struct doc_stamp *stamp, struct doc *d,
                       struct error *err);
/* The document of this case that once had the path (names it had before it was renamed). */
int state_doc_by_former(struct state *s, const char *case_id, const char *path, struct doc *d,
                        struct error *err);
/* A document of the case whose path is the same for people (utf8_fold) as path. */
int state_doc_by_fold(struct state *s, const char *case_id, const char *path, struct doc *d,
                      struct error *err);
/* The latest document of the case that is gone (DOC_GONE) and lay at path. */
int state_doc_gone_by_path(struct state *s, const char *case_id, const char *path, struct doc *d,
                           struct error *err);
/* The latest document of the case that is gone and was this very file, by inode and birth time; none
 * where the file system tells no birth times. */
int state_doc_gone_by_inode(struct state *s, const char *case_id, const struct doc_stamp *stamp,
                            struct doc *d, struct error *err);
/* Inserts or replaces by (case_id, number). When number is 0 the next number of the case is minted
 * and set in d. */
int state_doc_put(struct state *s, struct doc *d, struct error *err);
/* What the document says was read and agrees with its name: doc.unread is DOC_READ. */
int state_doc_was_read(struct state *s, const char *case_id, int64_t n, struct error *err);
/* Remembers that the document had this path once. */
int state_former_put(struct state *s, const char *case_id, int64_t n, const char *path,
                     struct error *err);

/* Every row of a case in path order, also those gone when `gone`; stops when fn returns non-zero
 * and returns that, -1 for an error. The doc is borrowed during the call; fn may read the state,
 * but must not change the rows it is being shown. case_id NULL: all cases. */
typedef int state_doc_fn(void *ctx, const struct doc *d);
int state_each_doc(struct state *s, const char *case_id, bool gone, state_doc_fn *fn, void *ctx,
                   struct error *err);
/* Every document of the case with this content, in the order in which they came; else the same, but
 * that fn must not read the state. */
int state_each_copy(struct state *s, const char *case_id, const struct digest *digest,
                    state_doc_fn *fn, void *ctx, struct error *err);
/* Rows directly in folder ("" is the case folder) of a case. */
int state_each_in_folder(struct state *s, const char *case_id, const char *folder, state_doc_fn *fn,
                         void *ctx, struct error *err);
/* Every folder of the case ("" too) that has rows directly in it, once. */
typedef int state_folder_fn(void *ctx, const char *folder);
int state_each_folder(struct state *s, const char *case_id, state_folder_fn *fn, void *ctx,
                      struct error *err);
/* Changes the folder part of all rows below `from` to `to` (a folder was renamed by a person),
 * also of those that are gone: what is restored comes back into the folder as it is called now. */
int state_move_folder(struct state *s, const char *case_id, const char *from, const char *to,
                      struct error *err);
struct state_counts {
    uint64_t documents, filed, listed, waiting, cases;
};
int state_count(struct state *s, const char *case_id /* NULL: all */, struct state_counts *c,
                struct error *err);

/* Cases. Get: 1 found, 0 none, -1. Put never lowers next_doc: the row may have been read before
 * the last document was put. Each goes in path order. */
int state_case_get(struct state *s, const char *id, struct case_row *row, struct error *err);
int state_case_put(struct state *s, const struct case_row *row, struct error *err);
typedef int state_case_fn(void *ctx, const struct case_row *row);
int state_each_case(struct state *s, state_case_fn *fn, void *ctx, struct error *err);
void case_row_clear(struct case_row *row);

/* Journal heads and the outbox of lines that are decided but perhaps not on the share yet. `body`
 * is the line's members without v, seq, prev (record/journal.h). Get: 1 found, 0 none (*h is then
 * the head of an empty journal), -1. */
int state_head_get(struct state *s, const char *case_id, struct journal_head *h, struct error *err);
int state_head_put(struct state *s, const char *case_id, const struct journal_head *h,
                   struct error *err);
int state_outbox_add(struct state *s, const char *case_id, const char *body, struct error *err);
typedef int state_outbox_fn(void *ctx, int64_t rowid, const char *case_id, const char *body);
/* In the order they were added. */
int state_each_outbox(struct state *s, state_outbox_fn *fn, void *ctx, struct error *err);
/* Forgets every line, unless there is one behind rowid last. 1 forgotten, 0 there is one, -1. */
int state_outbox_clear(struct state *s, int64_t last, struct error *err);
/* Forgets the case's lines from rowid first to rowid last. */
int state_outbox_done(struct state *s, const char *case_id, int64_t first, int64_t last,
                      struct error *err);

/* The daemon's own files, by path from the cabinet down: what it wrote last and what it is about
 * to write. A file with either digest is the daemon's. */
struct own_file { /* get: 1 found, 0 none (both zero), -1 */
    struct digest written, next;
};
int state_own_get(struct state *s, const char *path, struct own_file *o, struct error *err);
int state_own_put(struct state *s, const char *path, const struct own_file *o, struct error *err);

/* A folder was renamed: what was known of own files in and below `from` is known of those in `to`. */
int state_own_move(struct state *s, const char *from, const char *to, struct error *err);

/* Small values under a key: last sweep, fs uuid, the intent log's finished number. NULL when
 * there is none; the caller frees it. Setting NULL forgets it. */
char *state_get(struct state *s, const char *key);
/* For what must not be taken for none when it cannot be read: 1, 0, or -1 with err. *value is the caller's. */
int state_find(struct state *s, const char *key, char **value, struct error *err);
int state_set(struct state *s, const char *key, const char *value, struct error *err);

#endif
