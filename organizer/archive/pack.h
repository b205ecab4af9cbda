/*
 * pack: an archive being written through libarchive: a ZIP (Zip64 where needed, UTF-8 names) or a
 * tar compressed with zstd. One entry after another, streaming; the same entries in the same order
 * give the same bytes.
 */
#ifndef ORGANIZER_ARCHIVE_PACK_H
#define ORGANIZER_ARCHIVE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/snapshot.h"

struct error;
struct pack;

/* Names and sizes are known beforehand. */
struct pack_entry {
    const char *name; /* UTF-8, from the top of the archive; a folder's ends with '/' */
    uint64_t size;
    int64_t mtime_ns;
    mode_t mode; /* with type; folders and regular files */
    uid_t uid;
    gid_t gid;
    bool deflate; /* ZIP: worth compressing */
};

/* Writes to fd, which is empty and borrowed. NULL with err. */
struct pack *pack_new(int fd, enum snapshot_format format, struct error *err);
/* Begins an entry, gives it bytes, ends it. 0 or -1 with err. */
int pack_begin(struct pack *p, const struct pack_entry *e, struct error *err);
int pack_add(struct pack *p, const void *bytes, size_t n, struct error *err);
int pack_end(struct pack *p, struct error *err);
/* Finishes the archive and frees it. 0 with its size and digest, -1 with err. */
int pack_finish(struct pack *p, uint64_t *size, struct digest *digest, struct error *err);
/* Gives up. NULL is fine. */
void pack_free(struct pack *p);

#endif
