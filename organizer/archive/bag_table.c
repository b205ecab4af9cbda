#include "archive/bag_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"

#define SLOTS_LEAST 64
#define PIECE       ((size_t)64 << 10)

struct bag_piece {
    struct bag_piece *next;
    size_t used, size;
    uint64_t bytes[];
};

static uint64_t hash_of(uint64_t seed, const char *s)
{
    uint64_t h = seed;

    for (; *s; s++) {
        h = (h ^ (uint8_t)*s) * UINT64_C(0x9fb21c651e98df25);
        h ^= h >> 29;
    }
    return h;
}

/* The slot where path is, or would be. */
static size_t slot_of(const struct bag_table *t, const char *path)
{
    size_t i = (size_t)hash_of(t->seed, path) & (t->slots_len - 1);

    while (t->slots[i] && strcmp(t->files[t->slots[i] - 1]->path, path) != 0)
        i = (i + 1) & (t->slots_len - 1);
    return i;
}

struct bag_file *bag_table_find(const struct bag_table *t, const char *path)
{
    uint32_t n = t->len ? t->slots[slot_of(t, path)] : 0;

    return n ? t->files[n - 1] : NULL;
}

static void grow(struct bag_table *t)
{
    free(t->slots);
    t->slots_len = t->slots_len ? t->slots_len * 2 : SLOTS_LEAST;
    t->slots = xcalloc(t->slots_len, sizeof *t->slots);
    if (!t->seed && getrandom(&t->seed, sizeof t->seed, 0) != sizeof t->seed)
        t->seed = (uint64_t)(uintptr_t)t->slots;
    for (size_t i = 0; i < t->len; i++)
        t->slots[slot_of(t, t->files[i]->path)] = (uint32_t)i + 1;
}

void *bag_table_room(struct bag_table *t, size_t n)
{
    struct bag_piece *p = t->pieces;

    n = (n + 7) & ~(size_t)7;
    if (!p || p->size - p->used < n) {
        size_t size = n > PIECE ? n : PIECE;

        p = xcalloc(1, sizeof *p + size);
        p->next = t->pieces;
        p->size = size;
        t->pieces = p;
    }
    p->used += n;
    return (char *)p->bytes + p->used - n;
}

struct bag_file *bag_table_add(struct bag_table *t, const char *path)
{
    size_t at, n = strlen(path) + 1;
    struct bag_file *f;

    if (t->len * 4 >= t->slots_len * 3)
        grow(t);
    at = slot_of(t, path);
    if (t->slots[at])
        return t->files[t->slots[at] - 1];
    GROW(t->files, t->len, t->cap);
    f = bag_table_room(t, offsetof(struct bag_file, path) + n < sizeof *f
                              ? sizeof *f
                              : offsetof(struct bag_file, path) + n);
    memcpy(f->path, path, n);
    t->files[t->len] = f;
    t->slots[at] = (uint32_t)++t->len;
    return f;
}

void bag_table_clear(struct bag_table *t)
{
    while (t->pieces) {
        struct bag_piece *p = t->pieces;

        t->pieces = p->next;
        free(p);
    }
    free(t->files);
    free(t->slots);
    *t = (struct bag_table){.files = NULL};
}
