#include "watch/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

struct folder {
    char *name; /* NULL: the slot is free and next leads to the next free one */
    folder_id parent, child, next, prev;
    uint32_t hash; /* of parent and name */
    int wd;
    uint8_t swept; /* enum swept */
    uint8_t epoch;
    bool moving;
};

/* Open addressing with linear probing; sizes are powers of two. */
struct wd_slot {
    int wd; /* 0: empty; the kernel counts from 1 */
    folder_id folder;
};

struct tree {
    struct folder *folders; /* [0] is not used */
    uint32_t len, cap, free;
    struct wd_slot *wds;
    uint32_t wds_len, wds_cap;
    folder_id *names; /* by (parent, name); TREE_NONE: empty */
    uint32_t names_len, names_cap;
    int *going; /* queue of descriptors from going_at on */
    size_t going_at, going_len, going_cap;
    uint64_t watched, swept[SWEPT_REASONS];
    struct str last; /* the folder that was looked up last: a scan comes to its siblings next */
    folder_id last_parent; /* of it; TREE_NONE when the tree changed */
    void (*dropped)(void *ctx, folder_id f);
    void *ctx;
};

static uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7feb352dU;
    h ^= h >> 15;
    h *= 0x846ca68bU;
    return h ^ (h >> 16);
}

static uint32_t name_hash(folder_id parent, const char *name, size_t n)
{
    uint32_t h = 2166136261U ^ parent;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)name[i]) * 16777619U;
    return mix(h);
}

/* -- watch descriptor to folder ------------------------------------------------------------- */

/* Where wd belongs. The kernel counts watches up: eight that follow each other share a cache line. */
static uint32_t wd_home(const struct tree *t, int wd)
{
    uint32_t n = (uint32_t)wd;

    return (mix(n / 8) * 8 + n % 8) & (t->wds_cap - 1);
}

/* The slot of wd, or the empty one where it belongs. */
static uint32_t wd_slot(const struct tree *t, int wd)
{
    uint32_t i = wd_home(t, wd);

    while (t->wds[i].wd && t->wds[i].wd != wd)
        i = (i + 1) & (t->wds_cap - 1);
    return i;
}

static void wds_grow(struct tree *t)
{
    struct wd_slot *old = t->wds;
    uint32_t cap = t->wds_cap;

    t->wds_cap *= 2;
    t->wds = xcalloc(t->wds_cap, sizeof *t->wds);
    for (uint32_t i = 0; i < cap; i++)
        if (old[i].wd)
            t->wds[wd_slot(t, old[i].wd)] = old[i];
    free(old);
}

static void wd_set(struct tree *t, int wd, folder_id f)
{
    uint32_t i;

    if (t->wds_len + 1 > t->wds_cap / 4 * 3)
        wds_grow(t);
    i = wd_slot(t, wd);
    if (!t->wds[i].wd)
        t->wds_len++;
    t->wds[i] = (struct wd_slot){wd, f};
}

/* Empties slot i and moves up what had to step over it. */
static void wd_clear(struct tree *t, uint32_t i)
{
    uint32_t mask = t->wds_cap - 1;

    t->wds_len--;
    for (uint32_t j = (i + 1) & mask; t->wds[j].wd; j = (j + 1) & mask) {
        uint32_t home = wd_home(t, t->wds[j].wd);

        if (((j - home) & mask) >= ((j - i) & mask)) {
            t->wds[i] = t->wds[j];
            i = j;
        }
    }
    t->wds[i] = (struct wd_slot){0, TREE_NONE};
}

folder_id tree_by_wd(const struct tree *t, int wd)
{
    return wd > 0 ? t->wds[wd_slot(t, wd)].folder : TREE_NONE;
}

void tree_set_going(struct tree *t, int wd, folder_id state)
{
    uint32_t i = wd_slot(t, wd);

    if (state != TREE_NONE)
        wd_set(t, wd, state);
    else if (t->wds[i].wd)
        wd_clear(t, i);
    if (state == TREE_GOING) {
        GROW(t->going, t->going_len, t->going_cap);
        t->going[t->going_len++] = wd;
    }
}

int tree_next_going(struct tree *t)
{
    while (t->going_at < t->going_len) {
        int wd = t->going[t->going_at++];

        /* A folder that came back has its watch again. */
        if (tree_by_wd(t, wd) == TREE_GOING)
            return wd;
    }
    t->going_at = t->going_len = 0;
    return -1;
}

bool tree_has_going(const struct tree *t)
{
    return t->going_at < t->going_len;
}

void tree_forget_gone(struct tree *t)
{
    struct wd_slot *old = t->wds;

    t->wds = xcalloc(t->wds_cap, sizeof *t->wds);
    t->wds_len = 0;
    for (uint32_t i = 0; i < t->wds_cap; i++)
        if (old[i].wd && old[i].folder != TREE_GONE)
            wd_set(t, old[i].wd, old[i].folder);
    free(old);
}

static void give_up_wd(struct tree *t, folder_id f)
{
    int wd = t->folders[f].wd;

    if (wd < 0)
        return;
    t->folders[f].wd = -1;
    t->watched--;
    tree_set_going(t, wd, TREE_GOING);
}

void tree_wd_lost(struct tree *t, folder_id f)
{
    int wd = t->folders[f].wd;

    if (wd < 0)
        return;
    t->folders[f].wd = -1;
    t->watched--;
    wd_clear(t, wd_slot(t, wd));
}

static void take_wd(struct tree *t, folder_id f, int wd)
{
    if (t->folders[f].wd == wd)
        return;
    give_up_wd(t, f);
    if (wd < 0)
        return;
    wd_set(t, wd, f);
    t->folders[f].wd = wd;
    t->watched++;
}

/* -- folder and name to subfolder ----------------------------------------------------------- */

static uint32_t name_home(const struct tree *t, folder_id f)
{
    return t->folders[f].hash & (t->names_cap - 1);
}

static void names_grow(struct tree *t)
{
    folder_id *old = t->names;
    uint32_t cap = t->names_cap;

    t->names_cap *= 2;
    t->names = xcalloc(t->names_cap, sizeof *t->names);
    for (uint32_t k = 0; k < cap; k++) {
        uint32_t i;

        if (!old[k])
            continue;
        i = name_home(t, old[k]);
        while (t->names[i])
            i = (i + 1) & (t->names_cap - 1);
        t->names[i] = old[k];
    }
    free(old);
}

/* Into the map of names and the parent's list. */
static void link_name(struct tree *t, folder_id f)
{
    struct folder *x = &t->folders[f];
    uint32_t i;

    if (t->names_len + 1 > t->names_cap / 4 * 3)
        names_grow(t);
    i = name_home(t, f);
    while (t->names[i])
        i = (i + 1) & (t->names_cap - 1);
    t->names[i] = f;
    t->names_len++;
    x->prev = TREE_NONE;
    x->next = t->folders[x->parent].child;
    if (x->next)
        t->folders[x->next].prev = f;
    t->folders[x->parent].child = f;
}

static void unlink_name(struct tree *t, folder_id f)
{
    struct folder *x = &t->folders[f];
    uint32_t mask = t->names_cap - 1, i = name_home(t, f);

    while (t->names[i] != f)
        i = (i + 1) & mask;
    for (uint32_t j = (i + 1) & mask; t->names[j]; j = (j + 1) & mask) {
        uint32_t home = name_home(t, t->names[j]);

        if (((j - home) & mask) >= ((j - i) & mask)) {
            t->names[i] = t->names[j];
            i = j;
        }
    }
    t->names[i] = TREE_NONE;
    t->names_len--;
    if (x->prev)
        t->folders[x->prev].next = x->next;
    else
        t->folders[x->parent].child = x->next;
    if (x->next)
        t->folders[x->next].prev = x->prev;
}

folder_id tree_child(const struct tree *t, folder_id parent, const char *name, size_t n)
{
    uint32_t hash = name_hash(parent, name, n), i = hash & (t->names_cap - 1);

    for (; t->names[i]; i = (i + 1) & (t->names_cap - 1)) {
        const struct folder *x = &t->folders[t->names[i]];

        if (x->hash == hash && x->parent == parent && strncmp(x->name, name, n) == 0 &&
            x->name[n] == '\0')
            return t->names[i];
    }
    return TREE_NONE;
}

/* -- folders -------------------------------------------------------------------------------- */

static folder_id new_folder(struct tree *t)
{
    folder_id f = t->free;

    if (f) {
        t->free = t->folders[f].next;
    } else {
        GROW(t->folders, t->len, t->cap);
        f = t->len++;
    }
    t->folders[f] = (struct folder){.wd = -1};
    return f;
}

struct tree *tree_new(void (*dropped)(void *ctx, folder_id f), void *ctx)
{
    struct tree *t = xcalloc(1, sizeof *t);

    t->dropped = dropped;
    t->ctx = ctx;
    t->wds_cap = t->names_cap = 64;
    t->wds = xcalloc(t->wds_cap, sizeof *t->wds);
    t->names = xcalloc(t->names_cap, sizeof *t->names);
    new_folder(t);
    t->folders[new_folder(t)].name = xstrdup("");
    return t;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    for (uint32_t i = TREE_ROOT; i < t->len; i++)
        free(t->folders[i].name);
    free(t->folders);
    free(t->wds);
    free(t->names);
    free(t->going);
    str_clear(&t->last);
    free(t);
}

folder_id tree_put(struct tree *t, folder_id f, folder_id parent, const char *name, int wd)
{
    if (f == TREE_NONE)
        f = new_folder(t);
    if (f != TREE_ROOT && (t->folders[f].parent != parent || !t->folders[f].name ||
                           strcmp(t->folders[f].name, name) != 0)) {
        char *copy = xstrdup(name); /* name may be the folder's own */

        if (t->folders[f].name) {
            unlink_name(t, f);
            t->last_parent = TREE_NONE; /* paths changed */
        }
        free(t->folders[f].name);
        t->folders[f].name = copy;
        t->folders[f].parent = parent;
        t->folders[f].hash = name_hash(parent, copy, strlen(copy));
        link_name(t, f);
    }
    take_wd(t, f, wd);
    return f;
}

static void drop_one(struct tree *t, folder_id f)
{
    t->dropped(t->ctx, f);
    give_up_wd(t, f);
    tree_set_swept(t, f, SWEPT_NO);
    if (f == TREE_ROOT)
        return;
    unlink_name(t, f);
    t->last_parent = TREE_NONE;
    free(t->folders[f].name);
    t->folders[f] = (struct folder){.wd = -1, .next = t->free};
    t->free = f;
}

/* Leads to something below it, or is of use by itself. */
static bool needed(const struct tree *t, folder_id f)
{
    const struct folder *x = &t->folders[f];

    return f == TREE_ROOT || x->child || x->wd >= 0 || x->swept;
}

void tree_drop(struct tree *t, folder_id f)
{
    folder_id above = t->folders[f].parent;

    for (folder_id x = f;;) {
        folder_id parent = t->folders[x].parent;

        if (t->folders[x].child) {
            x = t->folders[x].child;
            continue;
        }
        drop_one(t, x);
        if (x == f)
            break;
        x = parent;
    }
    while (above && !needed(t, above)) {
        folder_id parent = t->folders[above].parent;

        drop_one(t, above);
        above = parent;
    }
}

/* The folder that holds path, when it is known from the last time. *name is its last part. */
static folder_id known_parent(const struct tree *t, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    *name = slash ? slash + 1 : path;
    if (!n)
        return TREE_ROOT;
    return t->last.len == n && memcmp(t->last.s, path, n) == 0 ? t->last_parent : TREE_NONE;
}

/* From the root down. */
static folder_id walk(struct tree *t, const char *path, size_t len, bool make)
{
    folder_id f = TREE_ROOT;

    for (const char *end = path + len; f && path < end;) {
        size_t n = strcspn(path, "/");
        folder_id child = tree_child(t, f, path, n);

        if (!child && make) {
            AUTO_FREE char *name = xmemdup0(path, n);

            child = tree_put(t, TREE_NONE, f, name, -1);
        }
        f = child;
        path += n + 1;
    }
    return f;
}

static folder_id lookup(struct tree *t, const char *path, bool make)
{
    const char *name;
    folder_id parent = known_parent(t, path, &name), f;

    if (!*path)
        return TREE_ROOT;
    if (!parent) {
        parent = walk(t, path, (size_t)(name - path) - 1, make);
        str_reset(&t->last);
        str_addn(&t->last, path, (size_t)(name - path) - 1);
        t->last_parent = parent;
    }
    f = parent ? tree_child(t, parent, name, strlen(name)) : TREE_NONE;
    return f || !make ? f : tree_put(t, TREE_NONE, parent, name, -1);
}

folder_id tree_find(struct tree *t, const char *path)
{
    return lookup(t, path, false);
}

folder_id tree_make(struct tree *t, const char *path)
{
    return lookup(t, path, true);
}

folder_id tree_first(const struct tree *t, folder_id f)
{
    return t->folders[f].child;
}

folder_id tree_next(const struct tree *t, folder_id f)
{
    return t->folders[f].next;
}

folder_id tree_parent(const struct tree *t, folder_id f)
{
    return t->folders[f].parent;
}

const char *tree_name(const struct tree *t, folder_id f)
{
    return t->folders[f].name;
}

int tree_wd(const struct tree *t, folder_id f)
{
    return t->folders[f].wd;
}

bool tree_below(const struct tree *t, folder_id f, folder_id above)
{
    while (f && f != above)
        f = t->folders[f].parent;
    return f == above;
}

void tree_path(const struct tree *t, folder_id f, struct str *out)
{
    size_t len = 0;
    char *end;

    for (folder_id x = f; x != TREE_ROOT; x = t->folders[x].parent)
        len += strlen(t->folders[x].name) + 1;
    str_reset(out);
    if (!len)
        return;
    while (out->len < len - 1)
        str_addn(out, "////////////////", len - 1 - out->len < 16 ? len - 1 - out->len : 16);
    end = out->s + len - 1;
    for (folder_id x = f; x != TREE_ROOT; x = t->folders[x].parent) {
        size_t n = strlen(t->folders[x].name);

        memcpy(end - n, t->folders[x].name, n);
        end -= n + 1;
    }
}

/* -- sweeping and marks --------------------------------------------------------------------- */

void tree_set_swept(struct tree *t, folder_id f, enum swept why)
{
    struct folder *x = &t->folders[f];

    t->swept[x->swept]--;
    t->swept[why]++;
    x->swept = (uint8_t)why;
}

enum swept tree_swept(const struct tree *t, folder_id f)
{
    return (enum swept)t->folders[f].swept;
}

uint64_t tree_count_swept(const struct tree *t, enum swept why)
{
    return t->swept[why];
}

uint64_t tree_count_watched(const struct tree *t)
{
    return t->watched;
}

static bool swept_above(const struct tree *t, folder_id f)
{
    for (f = t->folders[f].parent; f; f = t->folders[f].parent)
        if (t->folders[f].swept)
            return true;
    return false;
}

void tree_each_swept(const struct tree *t, bool (*fn)(void *ctx, folder_id f), void *ctx)
{
    for (folder_id f = TREE_ROOT; f < t->len; f++)
        if (t->folders[f].name && t->folders[f].swept && !swept_above(t, f) && !fn(ctx, f))
            return;
}

bool tree_moving(const struct tree *t, folder_id f)
{
    return t->folders[f].moving;
}

void tree_set_moving(struct tree *t, folder_id f, bool moving)
{
    t->folders[f].moving = moving;
}

uint8_t tree_epoch(const struct tree *t, folder_id f)
{
    return t->folders[f].epoch;
}

void tree_set_epoch(struct tree *t, folder_id f, uint8_t epoch)
{
    t->folders[f].epoch = epoch;
}
