/*
 * proof: an archive that was just written, read back from the disk and compared, byte by byte and
 * entry by entry, with what was meant to be in it.
 *
 * The bytes come from the disk, not from the cache of the kernel: with O_DIRECT where the file system
 * has it, else after the cache was told to forget them. The archive is opened as anyone would open
 * it, through libarchive and, for a ZIP, by its central directory.
 */
#ifndef ORGANIZER_ARCHIVE_PROOF_H
#define ORGANIZER_ARCHIVE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/payload.h"
#include "archive/tags.h"
#include "base/digest.h"

struct error;

/* What the archive must be. */
struct proof_wanted {
    uint64_t size;
    struct digest digest; /* of its own bytes */
    const struct payload *payload;
    const struct tags *tags;
    enum snapshot_format format;
    bool (*stopped)(void *ctx); /* or NULL */
    void *ctx;
};

/* The archive is name in the folder dirfd, its data synced. 0 when all is as wanted, -1 with err. */
int proof_read(int dirfd, const char *name, const struct proof_wanted *w, struct error *err);

#endif
