/*
 * recorded: what the private state of the cabinet knows of its archives: their digests when they
 * were made. Somebody who changes an archive can write a .sha256 that suits it; not this.
 */
#ifndef ORGANIZER_VERBS_RECORDED_H
#define ORGANIZER_VERBS_RECORDED_H

#include "base/digest.h"
#include "flow/survey.h"

struct verb_call;

struct recorded {
    struct survey survey; /* not open where there is no cabinet, or its state may not be read */
};

/* Opens the cabinet in which path lies. There may be none: then nothing is known. */
void recorded_open(struct recorded *r, const struct verb_call *call, const char *path);
/* The digest of the archive at path (as the user gave it). Returns whether it is known. */
bool recorded_digest(struct recorded *r, const char *path, struct digest *d);
/* Calls missing with each archive below folder (as the user gave it) that was made, and is not
 * there; path from the cabinet down. */
void recorded_missing(struct recorded *r, const char *folder,
                      void (*missing)(void *ctx, const char *path), void *ctx);
void recorded_close(struct recorded *r);

#endif
