#include "archive/bag_index.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "archive/bag_text.h"
#include "archive/wanted.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"

/* For more files the tag files are as well read whole. */
#define FILES_MOST 64
#define KEYS_MOST  1024
#define PIECE_MOST (2 * BAG_INDEX_PIECE)
/* An index past these was not made by the organizer: 1 GiB of tag files has as many pieces. */
#define PIECES_MOST 16384
#define INDEX_MOST  ((size_t)16 << 20) /* bytes of it */

/* A piece of a tag file. */
struct piece {
    uint64_t at;
    size_t size;
    struct digest sha256;
    bool manifest; /* else the metadata */
    char *first;
};

struct bag_index {
    struct bag *bag;
    struct piece *pieces;
    size_t len, cap;
    size_t taken; /* bytes of lines that came */
    bool large;   /* past what is read: nothing more of it is */
    char **keys;  /* paths in the bag: the wanted files, then the folders, each once; owned */
    size_t files, keys_len, keys_cap;
};

/* ---- lines
 * ----------------------------------------------------------------------------------- */

/* Where the path in a line begins: behind "digest  " or {"path":" */
static const char *path_of(const char *line, size_t n, size_t *len)
{
    static const char start[] = "{\"path\":\"";
    const char *end = memchr(line, '\n', n), *p;

    n = end ? (size_t)(end - line) : n;
    if (n >= sizeof start && memcmp(line, start, sizeof start - 1) == 0) {
        p = line + sizeof start - 1;
        end = memchr(p, '"', n - (sizeof start - 1));
    } else {
        p = memmem(line, n, "  data/", 7);
        p = p ? p + 2 : NULL;
        end = line + n;
    }
    *len = p && end ? (size_t)(end - p) : 0;
    return *len ? p : NULL;
}

void bag_index_line(struct str *out, const char *file, uint64_t at, const char *p, size_t n)
{
    struct digest d = digest_of(p, n);
    char hex[DIGEST_HEX];
    size_t len;
    const char *path = path_of(p, n, &len);
    AUTO_FREE char *first = xmemdup0(path ? path : "", path ? len : 0);

    str_addc(out, '{');
    json_text(out, "file", file);
    json_num(out, "at", (int64_t)at);
    json_num(out, "size", (int64_t)n);
    json_text(out, "sha256", digest_hex(&d, hex));
    json_text(out, "first", first);
    str_add(out, "}\n");
}

/* ---- opening
 * --------------------------------------------------------------------------------- */

static void take_piece(struct bag_index *x, const char *line, size_t n)
{
    json_t *json = json_loadb(line, n, 0, NULL);
    const char *file = json_get_text(json, "file"), *hex = json_get_text(json, "sha256");
    const char *first = json_get_text(json, "first");
    int64_t at = json_get_num(json, "at", -1), size = json_get_num(json, "size", -1);
    struct piece p = {.at = (uint64_t)at, .size = (size_t)size};

    if (file && hex && first && at >= 0 && size > 0 && (size_t)size <= PIECE_MOST &&
        digest_parse(hex, &p.sha256) == 0) {
        p.manifest = strcmp(file, BAG_METADATA) != 0;
        p.first = xstrdup(first);
        GROW(x->pieces, x->len, x->cap);
        x->pieces[x->len++] = p;
    }
    json_decref(json);
}

static void take_line(void *ctx, char *line, size_t n, size_t number)
{
    struct bag_index *x = ctx;

    (void)number;
    x->taken += n + 1;
    x->large |= x->len == PIECES_MOST || x->taken > INDEX_MOST;
    if (!x->large)
        take_piece(x, line, n);
}

/* Those of the metadata, then those of the manifest; each by their first paths. */
static int compare(const struct piece *p, bool manifest, const char *path)
{
    return p->manifest == manifest ? strcmp(p->first, path) : p->manifest - manifest;
}

static int by_first(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    int order = compare(x, y->manifest, y->first);

    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static void add_key(struct bag_index *x, const char *path, size_t n)
{
    GROW(x->keys, x->keys_len, x->keys_cap);
    x->keys[x->keys_len++] = xmemdup0(path, n);
}

/* The same in a manifest, and as JSON. */
static bool is_plain(const char *path)
{
    for (; *path; path++)
        if ((unsigned char)*path < ' ' || (unsigned char)*path >= 127 || strchr("%\\\"", *path))
            return false;
    return true;
}

/* The payload of that kind that may be wanted. Returns false when there is too much of it, or a
 * name is written in several ways. */
static bool add_wanted(struct bag_index *x, uint8_t kind)
{
    const struct bag *b = x->bag;
    size_t before = x->keys_len;

    for (size_t i = 0; i < b->files.len; i++) {
        const struct bag_file *f = b->files.files[i];
        const char *path = bag_path_in(b, f);

        if (!bag_is_payload(b, f) || f->kind != kind || wanted_is_aside(b->wanted, path))
            continue;
        if (x->keys_len - before == FILES_MOST || !f->present || !is_plain(f->path))
            return false;
        add_key(x, path, strlen(path));
    }
    return true;
}

static bool has_folder(const struct bag_index *x, const char *path, size_t n)
{
    for (size_t i = x->files; i < x->keys_len; i++)
        if (strncmp(x->keys[i], path, n) == 0 && !x->keys[i][n])
            return true;
    return false;
}

/* The folders above key i, from the deepest up to one that is there: those above that one are, too,
 * or will be. Returns false when there are too many. */
static bool add_above(struct bag_index *x, size_t i)
{
    const char *path = x->keys[i];
    size_t n = strlen(path);

    while (n && path[--n] != '/')
        ;
    while (n && !has_folder(x, path, n)) {
        if (x->keys_len == KEYS_MOST)
            return false;
        add_key(x, path, n);
        while (n && path[--n] != '/')
            ;
    }
    return true;
}

/* Returns false when the tag files are as well read whole. */
static bool add_keys(struct bag_index *x)
{
    size_t n;

    if (!add_wanted(x, UNPACK_FILE) || !(x->files = x->keys_len) || !add_wanted(x, UNPACK_FOLDER))
        return false;
    n = x->keys_len;
    for (size_t i = 0; i < n; i++)
        if (!add_above(x, i))
            return false;
    return true;
}

int bag_index_open(struct bag *b, struct bag_file *f, struct bag_index **out, struct error *err)
{
    struct bag_index *x = xcalloc(1, sizeof *x);
    struct bag_feed feed = {.line = take_line, .ctx = x};
    int rc = 1;

    x->bag = b;
    if (add_keys(x))
        rc = bag_read_text(b, f, bag_feed_add, &feed, err);
    if ((!bag_feed_end(&feed) || x->large) && rc == 0)
        rc = 1;
    if (rc == 0 && (f->damaged || !bag_is_vouched_for(b, f)))
        rc = 1;
    if (rc == 0) {
        if (x->len)
            qsort(x->pieces, x->len, sizeof *x->pieces, by_first);
        *out = x;
        return 0;
    }
    bag_index_close(x);
    return rc;
}

/* ---- looking up
 * ------------------------------------------------------------------------------ */

/* The piece in which the line about path would be: the last one that begins with it or before. -1:
 * there is none. */
static ssize_t piece_of(const struct bag_index *x, bool manifest, const char *path)
{
    size_t low = 0, high = x->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&x->pieces[middle], manifest, path) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low && x->pieces[low - 1].manifest == manifest ? (ssize_t)low - 1 : -1;
}

static int take_slice(void *ctx, const struct unpack_event *e)
{
    struct str *s = ctx;

    str_addn(s, e->p, e->n);
    return s->len > PIECE_MOST;
}

/* Whether a line is about path. */
static bool has_line(const struct str *text, const char *path)
{
    const char *line = text->s, *end = text->s + text->len;
    size_t n = strlen(path), len;

    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        const char *there = path_of(line, (size_t)((next ? next : end) - line), &len);

        if (there && len == n && memcmp(there, path, n) == 0)
            return true;
        line = next ? next + 1 : end;
    }
    return false;
}

/* Reads a piece and compares it. Returns 0, or 1 when it is not as the index says. */
static int read_piece(const struct bag_index *x, const struct bag_file *f, const struct piece *p,
                      struct str *text)
{
    struct error none = ERROR_INIT;
    struct digest d;

    str_reset(text);
    if (bag_source_slice(&x->bag->source, f, p->at, p->size, take_slice, text, &none) != 0 ||
        text->len != p->size)
        return 1;
    d = digest_of(text->s, text->len);
    return digest_equal(&d, &p->sha256) ? 0 : 1;
}

/* For each of the first n keys the piece that has it, each piece once. */
static int look_up(const struct bag_index *x, const struct bag_file *f, bool manifest, size_t n,
                   bag_text_sink *sink, void *ctx)
{
    AUTO_FREE bool *given = xcalloc(x->len + 1, sizeof *given);
    AUTO_STR struct str text = STR_INIT;
    ssize_t in = -1;

    for (size_t i = 0; i < n; i++) {
        ssize_t p = piece_of(x, manifest, x->keys[i]);

        if (p < 0 || (p != in && read_piece(x, f, &x->pieces[p], &text) != 0))
            return 1;
        in = p;
        if (!has_line(&text, x->keys[i]))
            return 1;
        if (!given[p])
            sink(ctx, text.s, text.len);
        given[p] = true;
    }
    return 0;
}

int bag_index_manifest(const struct bag_index *x, const struct bag_file *f, bag_text_sink *sink,
                       void *ctx)
{
    return strcmp(bag_path_in(x->bag, f), "manifest-sha256.txt") == 0
               ? look_up(x, f, true, x->files, sink, ctx)
               : 1;
}

int bag_index_metadata(const struct bag_index *x, const struct bag_file *f, bag_text_sink *sink,
                       void *ctx)
{
    return look_up(x, f, false, x->keys_len, sink, ctx);
}

void bag_index_close(struct bag_index *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->len; i++)
        free(x->pieces[i].first);
    for (size_t i = 0; i < x->keys_len; i++)
        free(x->keys[i]);
    free(x->pieces);
    free(x->keys);
    free(x);
}
