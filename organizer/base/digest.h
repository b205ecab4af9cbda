/* digest: SHA-256 (FIPS 180-4) by libcrypto. */
#ifndef ORGANIZER_BASE_DIGEST_H
#define ORGANIZER_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX  65 /* 64 digits and a NUL */

struct digest {
    uint8_t b[DIGEST_SIZE];
};

/* The digest of n bytes at p. */
struct digest digest_of(const void *p, size_t n);
bool digest_equal(const struct digest *a, const struct digest *b);
/* All bytes zero: "no digest". */
bool digest_is_zero(const struct digest *d);
/* Lower-case hex into buf, which is returned. */
char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX]);
/* Reads 64 hex digits (either case). Returns 0, or -1 when s is not exactly that. */
int digest_parse(const char *s, struct digest *d);

/* Reads 2 * n hex digits (either case) into out. Returns 0, or -1 when one is none. */
int hex_parse(const char *s, uint8_t *out, size_t n);

/* Streaming: new, any number of adds, done (which frees it and yields the digest). */
struct digester;
struct digester *digester_new(void);
void digester_add(struct digester *g, const void *p, size_t n);
struct digest digester_done(struct digester *g);
/* Yields the digest and begins anew, for the next: libcrypto looks up its algorithm once for all. */
struct digest digester_next(struct digester *g);
/* Gives up without a result. NULL is fine. */
void digester_free(struct digester *g);

/* Of all bytes of an open file, from its beginning; its offset is not used. 0, or -1 with errno. */
int digest_of_fd(int fd, struct digest *d);

#endif
