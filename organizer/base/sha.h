/*
 * sha: SHA-256 (FIPS 180-4) of two streams side by side, by the processor's own instructions for it.
 *
 * Each of these waits for the one before, so that one stream, as libcrypto does it, leaves the processor
 * idle half of the time; a second one takes its turns meanwhile, and both are done in hardly more time
 * than one. For whoever digests many documents; everything else uses digest.h, which gives the same.
 */
#ifndef ORGANIZER_BASE_SHA_H
#define ORGANIZER_BASE_SHA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define SHA_BLOCK 64 /* bytes */

/* A stream, after any number of whole blocks. */
struct sha {
    uint32_t h[8];   /* the standard's H0 to H7 */
    uint64_t blocks; /* so far */
};

/* Whether this processor has the instructions. Where not, of the functions below only sha_begin() may be
 * called. */
bool sha_can(void);
void sha_begin(struct sha *s);
/* Adds n blocks at p. */
void sha_add(struct sha *s, const uint8_t *p, size_t n);
/* Adds n blocks at p to the one and n at q to the other. */
void sha_add_two(struct sha *s, const uint8_t *p, struct sha *t, const uint8_t *q, size_t n);
/* The digest, after the last n bytes at p, fewer than a block. */
struct digest sha_end(struct sha *s, const uint8_t *p, size_t n);

#endif
