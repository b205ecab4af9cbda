/*
 * verify: is a case what its journal and the private state say?
 *
 * Three comparisons, none of which changes anything:
 *   the journal   against itself (the chain) and against its head off the share
 *   the table     against the journal's last word on each document: a forged table or journal shows
 *   the documents against the table: every byte is read and hashed
 * It may run beside the daemon: what changes meanwhile is looked at again before it is told.
 */
#ifndef ORGANIZER_RECORD_VERIFY_H
#define ORGANIZER_RECORD_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "record/journal.h"
#include "record/state.h"

struct error;

enum verify_what {
    VERIFY_CHANGED,    /* other bytes than recorded */
    VERIFY_MISSING,    /* not where it was, nor elsewhere in the case */
    VERIFY_RENAMED,    /* not where it was, but under another name in the case */
    VERIFY_EXTRA,      /* a file in the case that is not recorded */
    VERIFY_UNREADABLE, /* could not be opened or read: nothing is known of it */
    VERIFY_JOURNAL,    /* a fault of the journal */
    VERIFY_TABLE,      /* private state and journal do not say the same */
};
#define VERIFY_KINDS 7
/* "changed", …; stable. */
const char *verify_what_name(enum verify_what what);

/* Borrowed during the call. */
struct verify_finding {
    enum verify_what what;
    const char *path;     /* from the case folder down; "" for the journal as a whole */
    const char *now;      /* VERIFY_RENAMED: where it is; else NULL */
    int64_t doc;          /* its number; 0 for extra files and the journal */
    uint64_t line;        /* VERIFY_JOURNAL: the line, from 1 */
    bool silent;          /* VERIFY_CHANGED: size and time are as they were: no editor does that */
    const char *sentence; /* for a person */
};

struct verify_counts {
    uint64_t documents, bytes;    /* that were read */
    uint64_t found[VERIFY_KINDS]; /* findings, by enum verify_what */
    enum journal_standing standing;
};

struct verify_options {
    int root;            /* the cabinet; borrowed */
    struct state *state; /* of this thread, no transaction under way */
    const char *case_id;
    const char *case_path; /* from the cabinet down */
    /* Called for each finding. */
    void (*found)(void *ctx, const struct verify_finding *f);
    /* Whether the organizer takes no notice of this name (its own pages, temporary names): path
     * from the case folder down. NULL: of all but .organizer it does. */
    bool (*ignored)(void *ctx, const char *path, bool folder);
    /* Reads an open document to its end. Returns 0 or -1 with errno. NULL: SHA-256 by libcrypto. */
    int (*digest)(void *ctx, int fd, struct digest *d);
    /* Asked between documents: true to stop. NULL: never. */
    bool (*stopped)(void *ctx);
    void *ctx;
};

/* Returns 0 when everything was looked at (or it was stopped), whatever was found; -1 with err when
 * the case or the private state cannot be read. */
int verify_case(const struct verify_options *o, struct verify_counts *counts, struct error *err);
/* The journal alone, without the documents. deep: every line; else its end against its head, which
 * costs one read. Returns as verify_case(). */
int verify_journal(const struct verify_options *o, bool deep, struct verify_counts *counts,
                   struct error *err);
/* fn gets each row of the case of which the journal says something else, or nothing, within the
 * caller's transaction, and, as DOC_GONE with number and path alone, what only the journal has: what has
 * to be told to a journal that is taken up as it is. Returns as state_each_doc(). */
int verify_unheard(int case_fd, struct state *s, const char *case_id, state_doc_fn *fn, void *ctx,
                   struct error *err);
/* Whether nothing was found. */
bool verify_clean(const struct verify_counts *counts);

#endif
