/*
 * bag: a BagIt bag (RFC 8493; 0.93 to 1.0 are read) by whomever, in a folder, ZIP, tar, tar.gz or
 * tar.zst: is it complete and valid, and what is wrong with it?
 *
 * Archives that others made are parsed in a sandboxed process, bounded in time and memory; nothing
 * is ever unpacked to be looked at.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_H
#define ORGANIZER_ARCHIVE_BAG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct error;

enum bag_severity { BAG_WARNING, BAG_ERROR };

/* Borrowed during the call. */
struct bag_finding {
    enum bag_severity severity;
    const char *file; /* inside the bag, or "" */
    const char *rule; /* "RFC 8493 section 2.1.3" */
    const char *text; /* for a person */
};

struct bag_counts {
    uint64_t files, bytes; /* payload */
    uint64_t errors, warnings;
    bool complete;        /* RFC 8493 section 3: everything listed is there, nothing else is */
    bool valid;           /* complete, and every digest is right */
    bool fetch;           /* parts of it are elsewhere (fetch.txt) */
    bool hashed;          /* digest is known: of an archive, not a folder, and not with fast */
    struct digest digest; /* SHA-256 of the archive's own bytes */
};

struct bag_options {
    const char *exe;  /* the program itself, which runs the sandboxed process; NULL: fork (tests) */
    int64_t stall_ms; /* that process is ended when nothing came for so long; 0: 30 seconds */
    bool fast;        /* Payload-Oxum and sizes only */
    const struct digest
        *recorded; /* of the archive's own bytes, from a record of one's own; NULL: none */
    void (*found)(void *ctx, const struct bag_finding *f);
    void (*progress)(void *ctx, uint64_t bytes, uint64_t of);
    void *ctx;
};

/* Checks the bag at path (relative to dirfd): a folder or an archive, and NAME.sha256 beside it
 * when there is one. Returns 0 when it was looked at to the end, whatever was found; -1 with err
 * when it cannot be read at all. */
int bag_check(int dirfd, const char *path, const struct bag_options *o, struct bag_counts *c,
              struct error *err);

#endif
