#include "archive/sums.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct summer {
    EVP_MD *sha256, *sha512; /* fetched once: it takes longer than a small document */
    EVP_MD_CTX *a, *b;
};

/* libcrypto fails here only without memory: as base/alloc.h. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

struct summer *summer_new(void)
{
    struct summer *s = xcalloc(1, sizeof *s);

    s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    s->a = EVP_MD_CTX_new();
    s->b = EVP_MD_CTX_new();
    must(s->sha256 && s->sha512 && s->a && s->b);
    return s;
}

void summer_free(struct summer *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->a);
    EVP_MD_CTX_free(s->b);
    EVP_MD_free(s->sha256);
    EVP_MD_free(s->sha512);
    free(s);
}

void summer_begin(struct summer *s)
{
    must(EVP_DigestInit_ex2(s->a, s->sha256, NULL));
    must(EVP_DigestInit_ex2(s->b, s->sha512, NULL));
}

void summer_add(struct summer *s, const void *p, size_t n)
{
    must(EVP_DigestUpdate(s->a, p, n));
    must(EVP_DigestUpdate(s->b, p, n));
}

struct sums summer_end(struct summer *s)
{
    struct sums sums;

    must(EVP_DigestFinal_ex(s->a, sums.sha256.b, NULL));
    must(EVP_DigestFinal_ex(s->b, sums.sha512, NULL));
    return sums;
}

char *sha512_hex(const uint8_t sha512[static SHA512_SIZE], char buf[static SHA512_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA512_SIZE; i++) {
        buf[2 * i] = digits[sha512[i] >> 4];
        buf[2 * i + 1] = digits[sha512[i] & 15];
    }
    buf[SHA512_HEX - 1] = '\0';
    return buf;
}
