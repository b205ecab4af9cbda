/* findings: what speaks against a snapshot, one sentence each, for a person. */
#ifndef ORGANIZER_ARCHIVE_FINDINGS_H
#define ORGANIZER_ARCHIVE_FINDINGS_H

#include <stddef.h>

#include "archive/snapshot.h"

struct lang;

/* So many sentences are kept; the rest is counted. */
#define FINDINGS_MAX 100

struct findings {
    const struct lang *lang; /* borrowed */
    enum snapshot_outcome worst; /* SNAPSHOT_MADE: nothing was found */
    char **text; /* owned */
    size_t len, cap;
    size_t more; /* that are not kept */
};

/* The sentence under key with {name} (shown so that it cannot deceive) and {why}, which may be NULL.
 * The outcome becomes the worst of all: FAILED before DIFFERS before BUSY. */
void findings_add(struct findings *f, enum snapshot_outcome outcome, const char *key,
                  const char *name, const char *why);
/* Hands the sentences to the caller, NULL-terminated, "and {n} more" as the last. NULL when there
 * are none. */
char **findings_take(struct findings *f);
void findings_clear(struct findings *f);

#endif
