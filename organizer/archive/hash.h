/*
 * hash: any digest that libcrypto has, found by the name that a bag's manifest carries
 * (RFC 8493 section 2.4: lower case, without what is neither letter nor digit).
 */
#ifndef ORGANIZER_ARCHIVE_HASH_H
#define ORGANIZER_ARCHIVE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_MAX  64 /* bytes of the longest digest */
#define HASH_SET  8  /* algorithms at a time */
#define HASH_NAME 24

/* The algorithms in use, each with its place in the bytes that a hasher yields. */
struct hash_set {
    struct hash_one {
        char name[HASH_NAME]; /* normalised: "sha256" */
        const void *md;       /* libcrypto's */
        uint32_t at, size;    /* of its digest */
    } of[HASH_SET];
    size_t len;
    uint32_t bytes; /* of all digests together */
};

/* Writes the normalised form of the n bytes at name into out. */
void hash_normalise(const char *name, size_t n, char out[static HASH_NAME]);
/* The index of the algorithm of that normalised name, which is added when it is not yet in the set;
 * -1 when libcrypto has none of that name, or the set is full. */
int hash_set_add(struct hash_set *s, const char *name);
/* Lets libcrypto fetch nothing more for these: frees what hash_set_add() fetched. */
void hash_set_clear(struct hash_set *s);
/* Whether collisions are known, so that it proves nothing against intent (MD5, SHA-1). */
bool hash_is_weak(const char *name);
/* Reads 2 * size hexadecimal digits (either case). Returns 0, or -1 when they are not that. */
int hash_parse(const char *hex, size_t n, uint8_t *out, uint32_t size);
/* Lower-case digits into buf (2 * size + 1 bytes), which is returned. */
char *hash_hex(const uint8_t *digest, uint32_t size, char *buf);

/* All of a set's digests of one stream of bytes after another. */
struct hasher;
/* The set is borrowed, and not changed while the hasher lives. */
struct hasher *hasher_new(const struct hash_set *s);
void hasher_start(struct hasher *h);
void hasher_add(struct hasher *h, const void *p, size_t n);
/* Writes set->bytes bytes. */
void hasher_done(struct hasher *h, uint8_t *out);
void hasher_free(struct hasher *h);

#endif
