#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"

#define READ_SIZE  (256 * 1024)
#define READ_ALIGN 4096 /* what a descriptor that is O_DIRECT may want */

struct digester {
    EVP_MD_CTX *ctx;
};

/* libcrypto fails here only without memory or with a broken installation. */
static void must(int ok)
{
    if (ok == 1)
        return;
    static const char msg[] = "organizer: libcrypto refuses SHA-256; leaving\n";
    if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
        _exit(EXIT_CANNOT);
    _exit(EXIT_CANNOT);
}

struct digest digest_of(const void *p, size_t n)
{
    struct digest d;
    unsigned int len = 0;

    must(EVP_Digest(p, n, d.b, &len, EVP_sha256(), NULL));
    return d;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->b, b->b, DIGEST_SIZE) == 0;
}

bool digest_is_zero(const struct digest *d)
{
    static const struct digest zero;

    return digest_equal(d, &zero);
}

char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        buf[2 * i] = digits[d->b[i] >> 4];
        buf[2 * i + 1] = digits[d->b[i] & 15];
    }
    buf[DIGEST_HEX - 1] = '\0';
    return buf;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_parse(const char *s, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int hi = nibble(s[2 * i]), lo = hi < 0 ? -1 : nibble(s[2 * i + 1]);

        if (lo < 0)
            return -1;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return 0;
}

int digest_parse(const char *s, struct digest *d)
{
    return strnlen(s, DIGEST_HEX) == DIGEST_HEX - 1 ? hex_parse(s, d->b, DIGEST_SIZE) : -1;
}

struct digester *digester_new(void)
{
    struct digester *g = xmalloc(sizeof *g);

    g->ctx = EVP_MD_CTX_new();
    must(g->ctx != NULL);
    must(EVP_DigestInit_ex(g->ctx, EVP_sha256(), NULL));
    return g;
}

void digester_add(struct digester *g, const void *p, size_t n)
{
    must(EVP_DigestUpdate(g->ctx, p, n));
}

struct digest digester_done(struct digester *g)
{
    struct digest d;

    must(EVP_DigestFinal_ex(g->ctx, d.b, NULL));
    digester_free(g);
    return d;
}

struct digest digester_next(struct digester *g)
{
    struct digest d;

    must(EVP_DigestFinal_ex(g->ctx, d.b, NULL));
    must(EVP_DigestInit_ex(g->ctx, NULL, NULL));
    return d;
}

void digester_free(struct digester *g)
{
    if (!g)
        return;
    EVP_MD_CTX_free(g->ctx);
    free(g);
}

int digest_of_fd(int fd, struct digest *d)
{
    AUTO_FREE char *room = xmalloc(READ_SIZE + READ_ALIGN);
    char *buf = room + (READ_ALIGN - (uintptr_t)room % READ_ALIGN);
    struct digester *g = digester_new();
    off_t at = 0;

    for (;;) {
        ssize_t n = pread(fd, buf, READ_SIZE, at);

        if (n < 0 && errno == EINTR)
            continue;
        /* Behind the last whole block O_DIRECT may not be asked: there is nothing. */
        if (n == 0 || (n < 0 && errno == EINVAL && at % READ_ALIGN))
            break;
        if (n < 0) {
            digester_free(g);
            return -1;
        }
        digester_add(g, buf, (size_t)n);
        at += n;
    }
    *d = digester_done(g);
    return 0;
}
