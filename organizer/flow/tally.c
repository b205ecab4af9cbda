#include "flow/tally.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "record/doc.h"

/* Keys in places from their hash on, each before the first free one: a fourth of them is free at least. */
struct tally {
    struct entry {
        struct tally_key key;
        unsigned count; /* 0: the place is free */
        unsigned hash;
    } *v;
    size_t len, cap; /* cap: a power of two */
};

enum { CAP_LEAST = 16 };

static unsigned hash_of(const struct tally_key *key)
{
    uint64_t words[sizeof *key / sizeof(uint64_t)], h = 0;

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

/* The place of key, or the free one where it belongs. */
static struct entry *find(const struct tally *t, const struct tally_key *key, unsigned hash)
{
    size_t at = hash & (t->cap - 1);

    while (t->v[at].count &&
           (t->v[at].hash != hash || memcmp(&t->v[at].key, key, sizeof *key) != 0))
        at = (at + 1) & (t->cap - 1);
    return &t->v[at];
}

static void grow(struct tally *t)
{
    struct tally old = *t;

    t->cap = old.cap ? old.cap * 2 : CAP_LEAST;
    t->v = xcalloc(t->cap, sizeof *t->v);
    for (size_t i = 0; i < old.cap; i++)
        if (old.v[i].count)
            *find(t, &old.v[i].key, old.v[i].hash) = old.v[i];
    free(old.v);
}

void tally_add(struct tally **set, const struct tally_key *key)
{
    unsigned hash = hash_of(key);
    struct tally *t = *set;
    struct entry *e;

    if (!t)
        t = *set = xcalloc(1, sizeof *t);
    if (t->len >= t->cap / 4 * 3)
        grow(t);
    e = find(t, key, hash);
    if (!e->count) {
        e->key = *key;
        e->hash = hash;
        t->len++;
    }
    e->count++;
}

/* Frees place `at`: what follows and belongs before it moves up. */
static void vacate(struct tally *t, size_t at)
{
    size_t mask = t->cap - 1;

    for (size_t next = (at + 1) & mask; t->v[next].count; next = (next + 1) & mask) {
        if (((next - t->v[next].hash) & mask) < ((next - at) & mask))
            continue;
        t->v[at] = t->v[next];
        at = next;
    }
    t->v[at].count = 0;
}

void tally_remove(struct tally **set, const struct tally_key *key)
{
    struct tally *t = *set;
    struct entry *e = t ? find(t, key, hash_of(key)) : NULL;

    if (!e || !e->count || --e->count > 0)
        return;
    vacate(t, (size_t)(e - t->v));
    if (--t->len == 0)
        tally_clear(set);
}

bool tally_has(const struct tally *set, const struct tally_key *key)
{
    return set && find(set, key, hash_of(key))->count > 0;
}

bool tally_has_file(const struct tally *set, const struct doc_stamp *s)
{
    const struct tally_key key = tally_file(s);

    return tally_has(set, &key);
}

void tally_clear(struct tally **set)
{
    if (*set)
        free((*set)->v);
    free(*set);
    *set = NULL;
}
