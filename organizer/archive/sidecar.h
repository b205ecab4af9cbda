/*
 * sidecar: NAME.sha256 beside an archive NAME, as sha256sum(1) writes and checks it. It notices a
 * flipped bit anywhere in the archive, also where no document lies.
 */
#ifndef ORGANIZER_ARCHIVE_SIDECAR_H
#define ORGANIZER_ARCHIVE_SIDECAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct error;

#define SIDECAR_SUFFIX ".sha256"

/* Reads the digest of name that path + ".sha256" (relative to dirfd) says. Returns 1; 0 when there
 * is no such file; -1 with err when it is there and says nothing about it. */
int sidecar_read(int dirfd, const char *path, struct digest *d, struct error *err);

/* SHA-256 over all of fd by pread(2), in a thread of its own beside whatever else reads it. */
struct sidecar_hash;
/* Returns NULL when no thread could be had. fd stays open until sidecar_finish(). */
struct sidecar_hash *sidecar_start(int fd);
/* Waits for it and frees it. Returns 0, or an errno when fd could not be read to its end. */
int sidecar_finish(struct sidecar_hash *h, struct digest *d);

#endif
