#include "record/known.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Words of the first layer; each further one has twice as many. */
#define FIRST_WORDS ((size_t)1 << 13)
#define LAYERS      24
#define KEYS_A_WORD 6 /* on average, in a full layer: about three false answers of a hundred */
#define BITS_A_KEY  4

/* All bits of a key lie in one word: one look at memory answers for a layer. */
struct layer {
    _Atomic uint64_t *words;
    size_t len;  /* a power of two */
    size_t keys; /* added; only the thread that adds looks at it */
};

struct known {
    struct layer layers[LAYERS];
    _Atomic unsigned len; /* layers that are there; keys go into the last one */
};

static void add_layer(struct known *k)
{
    unsigned n = atomic_load(&k->len);
    struct layer *l = &k->layers[n];

    l->len = FIRST_WORDS << n;
    l->words = xcalloc(l->len, sizeof *l->words);
    atomic_store(&k->len, n + 1);
}

struct known *known_new(void)
{
    struct known *k = xcalloc(1, sizeof *k);

    add_layer(k);
    return k;
}

void known_free(struct known *k)
{
    if (!k)
        return;
    for (unsigned i = 0; i < atomic_load(&k->len); i++)
        free(k->layers[i].words);
    free(k);
}

/* Every bit of the number counts in every bit of the result (the finalizer of MurmurHash3). */
static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    h = (h ^ h >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 33;
}

/* FNV-1a over the bytes, begun by sort and number. */
static uint64_t hash_of(enum known_sort sort, int64_t of, const void *p, size_t n)
{
    uint64_t h = mix((uint64_t)of + ((uint64_t)sort << 56));

    for (const unsigned char *b = p; n > 0; n--)
        h = (h ^ *b++) * UINT64_C(1099511628211);
    return mix(h);
}

/* The key's bits in its word, from the lower half of its hash; the word comes from the upper. */
static uint64_t mask_of(uint64_t h)
{
    uint64_t mask = 0;

    for (int i = 0; i < BITS_A_KEY; i++, h >>= 6)
        mask |= UINT64_C(1) << (h & 63);
    return mask;
}

static _Atomic uint64_t *word_of(const struct layer *l, uint64_t h)
{
    return &l->words[(h >> 28) & (l->len - 1)];
}

static bool has(const struct known *k, uint64_t h)
{
    uint64_t mask = mask_of(h);

    for (unsigned i = 0; i < atomic_load(&k->len); i++)
        if ((atomic_load(word_of(&k->layers[i], h)) & mask) == mask)
            return true;
    return false;
}

/* No index answers for a digest: a false answer means that all rows of the case are read. So it is
 * kept under two keys, and taken for had by mistake once in thousands of times. */
static uint64_t second_of(enum known_sort sort, uint64_t h)
{
    return sort == KNOWN_DIGEST ? mix(h ^ UINT64_C(0x9E3779B97F4A7C15)) : h;
}

bool known_may_have(const struct known *k, enum known_sort sort, int64_t of, const void *p,
                    size_t n)
{
    uint64_t h = hash_of(sort, of, p, n);

    return has(k, h) && has(k, second_of(sort, h));
}

static void add(struct known *k, uint64_t h)
{
    struct layer *l = &k->layers[atomic_load(&k->len) - 1];

    if (has(k, h))
        return;
    if (l->keys >= l->len * KEYS_A_WORD && atomic_load(&k->len) < LAYERS) {
        add_layer(k);
        l++;
    }
    atomic_fetch_or(word_of(l, h), mask_of(h));
    l->keys++;
}

void known_add(struct known *k, enum known_sort sort, int64_t of, const void *p, size_t n)
{
    uint64_t h = hash_of(sort, of, p, n), second = second_of(sort, h);

    add(k, h);
    if (second != h)
        add(k, second);
}
