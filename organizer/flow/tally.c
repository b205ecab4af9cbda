#include "flow/tally.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static unsigned hash_of(const void *key);

/* Jenkins' function, byte by byte, costs more than all else that is done with these short keys. */
#define HASH_FUNCTION(key, len, value) ((value) = hash_of(key))
#include <uthash.h>

#include "base/alloc.h"
#include "record/doc.h"

struct tally {
    struct tally_key key;
    unsigned count;
    UT_hash_handle hh;
};

static unsigned hash_of(const void *key)
{
    uint64_t words[sizeof(struct tally_key) / sizeof(uint64_t)], h = 0;

    memcpy(words, key, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        h = ((h << 29 | h >> 35) ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15);
    return (unsigned)(h ^ h >> 32);
}

struct tally_key tally_file(const struct doc_stamp *s)
{
    const uint64_t parts[3] = {s->dev, s->ino, (uint64_t)s->birth_ns};
    struct tally_key key = {{0}};

    memcpy(key.b, parts, sizeof parts);
    return key;
}

struct tally_key tally_doc(const struct doc *d)
{
    struct tally_key key = {{0}};

    memcpy(key.b, &d->number, sizeof d->number);
    memcpy(key.b + sizeof d->number, d->case_id, strlen(d->case_id));
    return key;
}

static struct tally_key text_key(char sort, const char *path, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    struct tally_key key = {{0}};

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)path[i]) * UINT64_C(1099511628211);
    memcpy(key.b, &h, sizeof h);
    memcpy(key.b + sizeof h, &n, sizeof n);
    /* Behind all that the other keys have. */
    key.b[sizeof key.b - 1] = (unsigned char)sort;
    return key;
}

struct tally_key tally_path(const char *path, size_t n)
{
    return text_key('p', path, n);
}

struct tally_key tally_folder(const char *path, size_t n)
{
    return text_key('f', path, n);
}

static struct tally *find(const struct tally *set, const struct tally_key *key)
{
    struct tally *k;

    HASH_FIND(hh, set, key, sizeof *key, k);
    return k;
}

void tally_add(struct tally **set, const struct tally_key *key)
{
    struct tally *k = find(*set, key);

    if (!k) {
        k = xcalloc(1, sizeof *k);
        k->key = *key;
        HASH_ADD(hh, *set, key, sizeof k->key, k);
    }
    k->count++;
}

void tally_remove(struct tally **set, const struct tally_key *key)
{
    struct tally *k = find(*set, key);

    if (!k || --k->count > 0)
        return;
    HASH_DEL(*set, k);
    free(k);
}

bool tally_has(const struct tally *set, const struct tally_key *key)
{
    return find(set, key) != NULL;
}

bool tally_has_file(const struct tally *set, const struct doc_stamp *s)
{
    const struct tally_key key = tally_file(s);

    return tally_has(set, &key);
}

void tally_clear(struct tally **set)
{
    struct tally *k, *tmp;

    HASH_ITER(hh, *set, k, tmp)
    {
        HASH_DEL(*set, k);
        free(k);
    }
}
