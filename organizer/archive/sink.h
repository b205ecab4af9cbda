/*
 * sink: bytes of an archive on their way to the disk, in a thread of its own that hashes and writes
 * them while the next are being made. Writing to the disk begins at once, so that the fsync at the
 * end finds little left to do.
 */
#ifndef ORGANIZER_ARCHIVE_SINK_H
#define ORGANIZER_ARCHIVE_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct sink;

/* fd is empty and borrowed. NULL with errno. */
struct sink *sink_start(int fd);
/* Takes n bytes. 0, or -1 with errno of what went wrong with earlier ones. */
int sink_add(struct sink *s, const void *bytes, size_t n);
/* Waits until all is written and frees it (fsync is the caller's). 0 with size and digest of the
 * bytes, -1 with errno. */
int sink_end(struct sink *s, uint64_t *size, struct digest *digest);

#endif
