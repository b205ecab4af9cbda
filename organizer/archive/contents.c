#include "archive/contents.h"

#include <stdlib.h>
#include <string.h>

#include "archive/bag_load.h"
#include "archive/restore_rights.h"
#include "base/alloc.h"
#include "base/error.h"

/* An archive, or the folder that it is compared with. */
struct side {
    struct bag bag;
    struct bag_options options;
    struct bag_counts counts;
    struct restore_rights rights; /* for exact names */
};

static int open_side(struct side *s, int dirfd, const char *path, const struct contents_options *o,
                     struct error *err)
{
    s->options = (struct bag_options){
        .exe = o->exe, .stall_ms = o->stall_ms, .progress = o->progress, .ctx = o->ctx};
    return bag_open(&s->bag, dirfd, path, &s->options, &s->counts, err);
}

static int load(struct side *s, int dirfd, const char *path, const struct contents_options *o,
                struct error *err)
{
    int rc = open_side(s, dirfd, path, o, err);

    /* How long reading a compressed tar takes nobody knows beforehand. */
    s->bag.metadata = true;
    if (rc == 0)
        rc = bag_load(&s->bag, err);
    if (rc == 0 && !s->bag.payload_manifests)
        rc = error_set(err, 0, "it has no manifest: it is no bag (RFC 8493), or a part of one");
    return rc == 0 && restore_names_load(&s->rights, &s->bag, err) < 0 ? -1 : rc;
}

static int by_path(const void *a, const void *b)
{
    const struct bag_file *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

/* Its name in the case: the exact one, of a name that the archive could not have. */
static const char *below_data(const struct side *s, const struct bag_file *f)
{
    const char *path = bag_path_in(&s->bag, f);
    const struct restore_right *right = restore_rights_find(&s->rights, path);

    return right && right->exact ? right->exact : path + strlen("data/");
}

static void close_side(struct side *s)
{
    bag_close(&s->bag);
    restore_rights_clear(&s->rights);
}

/* The documents of an archive, sorted; the caller frees the list. */
static struct bag_file **documents(const struct side *s, const struct contents_options *o,
                                   size_t *n)
{
    const struct bag *b = &s->bag;
    struct bag_file **list = xcalloc(b->files.len + 1, sizeof(*list));

    *n = 0;
    for (size_t i = 0; i < b->files.len; i++) {
        struct bag_file *f = b->files.files[i];

        if (!bag_is_payload(b, f) || (f->present && f->kind == UNPACK_FOLDER) ||
            (!f->present && !f->listed) || (o->left_out && o->left_out(o->ctx, below_data(s, f))))
            continue;
        list[(*n)++] = f;
    }
    qsort(list, *n, sizeof(*list), by_path);
    return list;
}

/* ---- list
 * ------------------------------------------------------------------------------------ */

/* The digest to show: SHA-256 when there is one, else the first. -1: none. */
static int digest_to_show(const struct bag *b, const struct bag_file *f)
{
    int first = -1;

    for (size_t i = b->hashes.len; i-- > 0;) {
        if (!(f->wanted >> i & 1))
            continue;
        if (strcmp(b->hashes.of[i].name, "sha256") == 0)
            return (int)i;
        first = (int)i;
    }
    return first;
}

static void list_one(const struct side *s, const struct bag_file *f,
                     const struct contents_options *o)
{
    const struct bag *b = &s->bag;
    char hex[2 * HASH_MAX + 1];
    int i = digest_to_show(b, f);
    struct contents_document c = {
        .path = below_data(s, f), .size = f->size, .time_s = f->time_s, .there = f->present};

    if (i >= 0) {
        c.algorithm = b->hashes.of[i].name;
        c.hex = hash_hex(f->want + b->hashes.of[i].at, b->hashes.of[i].size, hex);
    }
    o->document(o->ctx, &c);
}

int contents_list(int dirfd, const char *path, const struct contents_options *o, struct error *err)
{
    struct side s = {.rights = {.list = NULL}};
    int rc = load(&s, dirfd, path, o, err);

    if (rc == 0) {
        size_t n;
        AUTO_FREE struct bag_file **list = documents(&s, o, &n);

        for (size_t i = 0; i < n; i++)
            list_one(&s, list[i], o);
    }
    close_side(&s);
    return rc;
}

/* ---- compare
 * --------------------------------------------------------------------------------- */

struct comparing {
    const struct contents_options *o;
    struct contents_counts *c;
    struct side archive, folder;
    int algorithm;     /* by which it is compared: in both sets */
    struct hash_one h; /* in the archive's */
};

/* SHA-256 when every listed document has one, else another that all have. */
static int choose(struct comparing *x, struct bag_file **list, size_t n, struct error *err)
{
    const struct hash_set *set = &x->archive.bag.hashes;
    uint32_t all = UINT32_MAX;

    for (size_t i = 0; i < n; i++)
        if (list[i]->wanted)
            all &= list[i]->wanted;
    x->algorithm = -1;
    for (size_t i = set->len; i-- > 0;)
        if ((all >> i & 1) && (x->algorithm < 0 || !hash_is_weak(set->of[i].name)))
            x->algorithm = (int)i;
    if (x->algorithm < 0)
        return error_set(err, 0, "its manifests have no digest that can be computed here");
    x->h = set->of[x->algorithm];
    return hash_set_add(&x->folder.bag.hashes, x->h.name) < 0 ? -1 : 0;
}

static const uint8_t *wanted(const struct comparing *x, const struct bag_file *f)
{
    return f->want ? f->want + x->h.at : NULL;
}

/* Reads the folder's documents. */
static int read_folder(struct comparing *x, struct error *err)
{
    struct bag *b = &x->folder.bag;
    AUTO_FREE struct bag_file **files = NULL;
    size_t n = 0;

    if (bag_list(b, err) < 0)
        return -1;
    files = xcalloc(b->files.len + 1, sizeof(*files));
    for (size_t i = 0; i < b->files.len; i++) {
        struct bag_file *f = b->files.files[i];

        if (f->kind != UNPACK_FILE || (x->o->left_out && x->o->left_out(x->o->ctx, f->path)))
            continue;
        files[n++] = f;
        b->to_read += f->size;
    }
    return bag_hash_files(b, files, n, false, err);
}

static void tell(const struct comparing *x, const char *what, const char *path, const char *now)
{
    x->o->differs(x->o->ctx, what, path, now);
}

/* The same path: its digest decides. Marks the folder's file as found (listed). */
static bool meet(struct comparing *x, const struct bag_file *f)
{
    const char *path = below_data(&x->archive, f);
    struct bag_file *g = bag_table_find(&x->folder.bag.files, path);

    if (!g || g->kind != UNPACK_FILE || (!g->found && !g->damaged))
        return false;
    g->listed = 1;
    if (g->damaged) {
        tell(x, "unreadable", path, NULL);
        x->c->changed++;
    } else if (wanted(x, f) && memcmp(wanted(x, f), g->got, x->h.size) == 0) {
        x->c->same++;
    } else {
        tell(x, "changed", path, NULL);
        x->c->changed++;
    }
    return true;
}

struct known {
    const uint8_t *digest;
    struct bag_file *file;
    uint32_t size;
};

static int by_digest(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    return memcmp(x->digest, y->digest, x->size);
}

/* The folder's documents that the archive has under no such name, by digest. */
static struct known *strangers(const struct comparing *x, size_t *n)
{
    const struct bag_table *t = &x->folder.bag.files;
    struct known *list = xcalloc(t->len + 1, sizeof *list);

    *n = 0;
    for (size_t i = 0; i < t->len; i++)
        if (t->files[i]->found && !t->files[i]->listed)
            list[(*n)++] = (struct known){t->files[i]->got, t->files[i], x->h.size};
    qsort(list, *n, sizeof *list, by_digest);
    return list;
}

/* Where the archive's document is now under another name: the first that nobody else took. */
static struct bag_file *moved(const struct comparing *x, const struct bag_file *f,
                              const struct known *list, size_t n)
{
    struct known key = {wanted(x, f), NULL, x->h.size};
    const struct known *k = key.digest && n ? bsearch(&key, list, n, sizeof key, by_digest) : NULL;

    if (!k)
        return NULL;
    while (k > list && by_digest(k - 1, &key) == 0)
        k--;
    for (; k < list + n && by_digest(k, &key) == 0; k++)
        if (!k->file->listed)
            return k->file;
    return NULL;
}

static void compare(struct comparing *x, struct bag_file **list, size_t n)
{
    AUTO_FREE struct bag_file **gone = xcalloc(n + 1, sizeof(*gone));
    AUTO_FREE struct known *rest = NULL;
    size_t gone_len = 0, rest_len;

    for (size_t i = 0; i < n; i++)
        if (!meet(x, list[i]))
            gone[gone_len++] = list[i];
    rest = strangers(x, &rest_len);
    for (size_t i = 0; i < gone_len; i++) {
        const char *path = below_data(&x->archive, gone[i]);
        struct bag_file *g = moved(x, gone[i], rest, rest_len);

        tell(x, g ? "renamed" : "removed", path, g ? g->path : NULL);
        x->c->renamed += g != NULL;
        x->c->removed += g == NULL;
        if (g)
            g->listed = 1;
    }
    for (size_t i = 0; i < x->folder.bag.files.len; i++) {
        const struct bag_file *g = x->folder.bag.files.files[i];

        if (g->listed || (!g->found && !g->damaged))
            continue;
        tell(x, "added", g->path, NULL);
        x->c->added++;
    }
}

int contents_compare(int dirfd, const char *path, const char *folder,
                     const struct contents_options *o, struct contents_counts *c, struct error *err)
{
    struct comparing x = {.o = o, .c = c};
    AUTO_FREE struct bag_file **list = NULL;
    size_t n = 0;
    int rc = load(&x.archive, dirfd, path, o, err);

    *c = (struct contents_counts){.same = 0};
    if (rc < 0) {
        close_side(&x.archive);
        return rc;
    }
    rc = open_side(&x.folder, dirfd, folder, o, err);
    if (rc == 0 && x.folder.bag.source.folder < 0)
        rc = error_set(err, 0, "%s is no folder", folder);
    if (rc == 0) {
        list = documents(&x.archive, o, &n);
        rc = choose(&x, list, n, err);
    }
    if (rc == 0)
        rc = read_folder(&x, err);
    if (rc == 0)
        compare(&x, list, n);
    close_side(&x.archive);
    close_side(&x.folder);
    return rc;
}
