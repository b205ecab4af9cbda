/* sums: SHA-256 and SHA-512 (FIPS 180-4) of the same bytes, as both manifests of a bag want them. */
#ifndef ORGANIZER_ARCHIVE_SUMS_H
#define ORGANIZER_ARCHIVE_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define SHA512_SIZE 64
#define SHA512_HEX  129 /* 128 digits and a NUL */

struct sums {
    struct digest sha256;
    uint8_t sha512[SHA512_SIZE];
};

/* Reused for one file after another: begin, any number of adds, end. */
struct summer;
struct summer *summer_new(void);
/* NULL is fine. */
void summer_free(struct summer *s);
void summer_begin(struct summer *s);
void summer_add(struct summer *s, const void *p, size_t n);
struct sums summer_end(struct summer *s);
/* Lower-case hex into buf, which is returned. */
char *sha512_hex(const uint8_t sha512[static SHA512_SIZE], char buf[static SHA512_HEX]);

#endif
