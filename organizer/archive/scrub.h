/*
 * scrub: are the archives below a folder still, bit for bit, what the .sha256 beside each says?
 *
 * Several files are read at a time, each past the page cache: what counts is what is on the disk.
 * Nothing is parsed, so it goes as fast as digests can be computed, or the disk read.
 */
#ifndef ORGANIZER_ARCHIVE_SCRUB_H
#define ORGANIZER_ARCHIVE_SCRUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct error;

enum scrub_answer {
    SCRUB_RIGHT,
    SCRUB_WRONG,      /* its bytes are other */
    SCRUB_MISSING,    /* the .sha256 is there, and the archive is not */
    SCRUB_UNREADABLE, /* the archive or its .sha256 cannot be read */
    SCRUB_BARE,       /* no .sha256 lies beside it: nothing is known of it */
};

/* Borrowed during the call. */
struct scrub_file {
    const char *path; /* of the archive, below the folder */
    enum scrub_answer answer;
    uint64_t bytes;
    struct digest digest; /* of what is there; RIGHT and WRONG */
    const char *why;      /* UNREADABLE */
};

struct scrub_options {
    unsigned threads; /* 0: two for each processor */
    /* Called for each archive, and while files are read (bytes so far, of so many): one call at a
     * time, but from several threads. */
    void (*done)(void *ctx, const struct scrub_file *f);
    void (*progress)(void *ctx, uint64_t bytes, uint64_t of);
    void *ctx;
};

/* Returns 0 when all was looked at, whatever was found; -1 with err when the folder cannot be read.
 */
int scrub_run(int folder, const struct scrub_options *o, struct error *err);
/* Whether a file of that name is an archive, by its ending. */
bool scrub_is_archive(const char *name);

#endif
