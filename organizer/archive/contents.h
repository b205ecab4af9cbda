/*
 * contents: what is in an archive or bag, and how a folder differs from it, by digest.
 */
#ifndef ORGANIZER_ARCHIVE_CONTENTS_H
#define ORGANIZER_ARCHIVE_CONTENTS_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* A document of a bag. Borrowed during the call. */
struct contents_document {
    const char *path; /* from the case folder down */
    uint64_t size;
    int64_t time_s;        /* of last change, UTC */
    const char *algorithm; /* the manifest's, "sha256"; NULL: no manifest lists it */
    const char *hex;
    bool there; /* false: only listed */
};

struct contents_options {
    const char *exe; /* as in struct bag_options */
    int64_t stall_ms;
    /* Whether the path (from the case folder down) is none of the documents. NULL: none is. */
    bool (*left_out)(void *ctx, const char *path);
    void (*document)(void *ctx, const struct contents_document *c);
    /* contents_compare(): how path differs; now: where it is, of a renamed one, else NULL. */
    void (*differs)(void *ctx, const char *what, const char *path, const char *now);
    void (*progress)(void *ctx, uint64_t bytes, uint64_t of);
    void *ctx;
};

struct contents_counts {
    uint64_t same, changed, added, removed, renamed;
};

/* Calls document for each of the archive at path, in the order of their names. Returns 0, or -1
 * with err. */
int contents_list(int dirfd, const char *path, const struct contents_options *o, struct error *err);
/* Reads the folder, and calls differs ("changed", "added", "removed", "renamed", "unreadable") for
 * each document that is not as in the archive. Returns as above. */
int contents_compare(int dirfd, const char *path, const char *folder,
                     const struct contents_options *o, struct contents_counts *c,
                     struct error *err);

#endif
