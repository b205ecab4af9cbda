#include "archive/hash.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/exit.h"

struct hasher {
    const struct hash_set *set;
    EVP_MD_CTX *ctx[HASH_SET];
};

/* libcrypto fails here only without memory or with a broken installation. */
static void must(bool ok)
{
    static const char msg[] = "organizer: libcrypto refuses a digest; leaving\n";

    if (ok)
        return;
    if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
        _exit(EXIT_CANNOT);
    _exit(EXIT_CANNOT);
}

void hash_normalise(const char *name, size_t n, char out[static HASH_NAME])
{
    size_t len = 0;

    for (size_t i = 0; i < n && len + 1 < HASH_NAME; i++) {
        char c = name[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[len++] = c;
    }
    out[len] = '\0';
}

/* ---- finding one by its name
 * ----------------------------------------------------------------- */

struct search {
    const char *name; /* normalised */
    bool match;
    EVP_MD *found;
};

static void look_at_name(const char *name, void *ctx)
{
    struct search *s = ctx;
    char plain[HASH_NAME];

    hash_normalise(name, strlen(name), plain);
    s->match |= strcmp(plain, s->name) == 0;
}

static void look_at(EVP_MD *md, void *ctx)
{
    struct search *s = ctx;
    struct search one = {.name = s->name};

    if (s->found || (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) || EVP_MD_get_size(md) > HASH_MAX)
        return;
    EVP_MD_names_do_all(md, look_at_name, &one);
    if (one.match && EVP_MD_up_ref(md) == 1)
        s->found = md;
}

/* What other programs call the full-length ones. */
static const char *common_name(const char *name)
{
    if (strcmp(name, "blake2b") == 0)
        return "blake2b512";
    return strcmp(name, "blake2s") == 0 ? "blake2s256" : name;
}

static EVP_MD *find(const char *name)
{
    struct search s = {.name = common_name(name)};

    if (!*name)
        return NULL;
    EVP_MD_do_all_provided(NULL, look_at, &s);
    /* MD4 and Whirlpool are kept apart; what was loaded stays until the program ends. */
    if (!s.found && OSSL_PROVIDER_try_load(NULL, "legacy", 1))
        EVP_MD_do_all_provided(NULL, look_at, &s);
    return s.found;
}

int hash_set_add(struct hash_set *s, const char *name)
{
    EVP_MD *md;

    for (size_t i = 0; i < s->len; i++)
        if (strcmp(s->of[i].name, name) == 0)
            return (int)i;
    if (s->len == HASH_SET || !(md = find(name)))
        return -1;

    struct hash_one *one = &s->of[s->len];

    *one = (struct hash_one){.md = md, .at = s->bytes, .size = (uint32_t)EVP_MD_get_size(md)};
    strncpy(one->name, name, sizeof one->name - 1);
    s->bytes += one->size;
    return (int)s->len++;
}

void hash_set_clear(struct hash_set *s)
{
    for (size_t i = 0; i < s->len; i++)
        EVP_MD_free((EVP_MD *)(uintptr_t)s->of[i].md);
    *s = (struct hash_set){.len = 0};
}

bool hash_is_weak(const char *name)
{
    return strcmp(name, "md5") == 0 || strcmp(name, "sha1") == 0 || strcmp(name, "md4") == 0 ||
           strcmp(name, "md5sha1") == 0;
}

/* ---- hexadecimal
 * ----------------------------------------------------------------------------- */

int hash_parse(const char *hex, size_t n, uint8_t *out, uint32_t size)
{
    return n == (size_t)size * 2 ? hex_parse(hex, out, size) : -1;
}

char *hash_hex(const uint8_t *digest, uint32_t size, char *buf)
{
    static const char digits[] = "0123456789abcdef";

    for (uint32_t i = 0; i < size; i++) {
        buf[2 * i] = digits[digest[i] >> 4];
        buf[2 * i + 1] = digits[digest[i] & 15];
    }
    buf[2 * size] = '\0';
    return buf;
}

/* ---- streams
 * --------------------------------------------------------------------------------- */

struct hasher *hasher_new(const struct hash_set *s)
{
    struct hasher *h = xcalloc(1, sizeof *h);

    h->set = s;
    for (size_t i = 0; i < s->len; i++)
        must((h->ctx[i] = EVP_MD_CTX_new()) != NULL);
    return h;
}

void hasher_start(struct hasher *h)
{
    for (size_t i = 0; i < h->set->len; i++)
        must(EVP_DigestInit_ex2(h->ctx[i], h->set->of[i].md, NULL) == 1);
}

void hasher_add(struct hasher *h, const void *p, size_t n)
{
    for (size_t i = 0; i < h->set->len; i++)
        must(EVP_DigestUpdate(h->ctx[i], p, n) == 1);
}

void hasher_done(struct hasher *h, uint8_t *out)
{
    for (size_t i = 0; i < h->set->len; i++)
        must(EVP_DigestFinal_ex(h->ctx[i], out + h->set->of[i].at, NULL) == 1);
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < HASH_SET; i++)
        EVP_MD_CTX_free(h->ctx[i]);
    free(h);
}
