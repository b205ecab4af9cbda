#include "archive/bag_names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"

static uint64_t hash_of(const struct bag_names *n, const char *form)
{
    uint64_t h = n->seed;

    for (; *form; form++) {
        h = (h ^ (uint8_t)*form) * UINT64_C(0x9fb21c651e98df25);
        h ^= h >> 29;
    }
    return h;
}

static int by_hash(const void *a, const void *b)
{
    const struct bag_name *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return strcmp(x->file->path, y->file->path);
}

void bag_names_make(struct bag_names *n, const struct bag_table *t, bag_form *form)
{
    *n = (struct bag_names){.form = form, .list = xcalloc(t->len + 1, sizeof *n->list)};
    if (getrandom(&n->seed, sizeof n->seed, 0) != sizeof n->seed)
        n->seed = (uint64_t)(uintptr_t)n->list;
    for (size_t i = 0; i < t->len; i++) {
        AUTO_FREE char *key = t->files[i]->present ? form(t->files[i]->path) : NULL;

        if (key)
            n->list[n->len++] = (struct bag_name){hash_of(n, key), t->files[i]};
    }
    qsort(n->list, n->len, sizeof *n->list, by_hash);
}

/* Different forms may have the same hash. */
static bool has_form(const struct bag_names *n, size_t i, const char *form)
{
    AUTO_FREE char *key = n->form(n->list[i].file->path);

    return strcmp(key, form) == 0;
}

const struct bag_file *bag_names_find(const struct bag_names *n, const char *form)
{
    uint64_t hash = hash_of(n, form);
    const struct bag_file *found = NULL;
    size_t low = 0, high = n->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (n->list[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n->len && n->list[low].hash == hash; low++) {
        if (!has_form(n, low, form))
            continue;
        if (found)
            return NULL;
        found = n->list[low].file;
    }
    return found;
}

struct pair {
    const struct bag_file *a, *b;
};

static int by_path(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return strcmp(x->b->path, y->b->path);
}

/* The next in the list with the form of entry i, n->len when there is none. */
static size_t next_alike(const struct bag_names *n, size_t i)
{
    AUTO_FREE char *form = n->form(n->list[i].file->path);
    size_t k = i + 1;

    while (k < n->len && n->list[k].hash == n->list[i].hash && !has_form(n, k, form))
        k++;
    return k < n->len && n->list[k].hash == n->list[i].hash ? k : n->len;
}

void bag_names_pairs(const struct bag_names *n,
                     void (*each)(void *ctx, const struct bag_file *a, const struct bag_file *b),
                     void *ctx)
{
    struct pair *pairs = NULL;
    size_t len = 0, cap = 0;

    for (size_t i = 0; i + 1 < n->len; i++) {
        size_t k = n->list[i].hash == n->list[i + 1].hash ? next_alike(n, i) : n->len;

        if (k == n->len)
            continue;
        GROW(pairs, len, cap);
        pairs[len++] = (struct pair){n->list[i].file, n->list[k].file};
    }
    if (len)
        qsort(pairs, len, sizeof *pairs, by_path);
    for (size_t i = 0; i < len; i++)
        each(ctx, pairs[i].a, pairs[i].b);
    free(pairs);
}

void bag_names_clear(struct bag_names *n)
{
    free(n->list);
    *n = (struct bag_names){.list = NULL};
}
