/*
 * disk: a file read from the disk itself, ahead, by a thread that also hashes all of it; and at any
 * place in between, for formats whose table of contents stands at the end.
 */
#ifndef ORGANIZER_ARCHIVE_DISK_H
#define ORGANIZER_ARCHIVE_DISK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"

struct disk;

/* Opens name in dirfd, without following a link, and begins to read. Where the file system has no
 * O_DIRECT the kernel is told to forget what it has of the file. NULL with errno. */
struct disk *disk_open(int dirfd, const char *name);
uint64_t disk_size(const struct disk *d);
/* Bytes at pos, borrowed until the next call: how many, 0 at the end, -1 with errno. */
ssize_t disk_read(struct disk *d, uint64_t pos, const void **bytes);
/* Reads what is left, and frees it. 0 with the digest of the whole file, -1 with errno. */
int disk_end(struct disk *d, struct digest *digest);

#endif
