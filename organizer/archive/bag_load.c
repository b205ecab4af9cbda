#include "archive/bag_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "archive/bag_index.h"
#include "archive/bag_text.h"
#include "archive/wanted.h"
#include "base/alloc.h"
#include "base/error.h"

#define TAG_MOST  ((size_t)256 << 20) /* bytes of one tag file that are read */
#define KEEP_MOST ((size_t)4 << 20)   /* that are kept on the way */

/* One reading of entries. */
struct reading {
    struct bag *b;
    struct bag_file **files; /* those asked for, in order; NULL: all that come are put down */
    size_t len, next;
    struct bag_file *now;
    struct bag_tag *tag; /* now is to be kept as text */
    bag_text_sink *sink; /* gets the bytes of what is asked for; NULL: nobody does */
    void *ctx;
    struct hasher *hasher;
    uint8_t digests[HASH_SET * HASH_MAX]; /* of now, when they are to be forgotten */
    bool keep;                            /* tag files as text */
    bool judge;                           /* compare at once, and forget the digests */
    bool dotted;   /* told already */
    bool hashing;  /* between ENTRY and END */
};

/* ---- names
 * ----------------------------------------------------------------------------------- */

const char *bag_path_in(const struct bag *b, const struct bag_file *f)
{
    return bag_has(b, f) ? f->path + b->base_len : f->path;
}

bool bag_has(const struct bag *b, const struct bag_file *f)
{
    return strncmp(f->path, b->base, b->base_len) == 0;
}

bool bag_is_payload(const struct bag *b, const struct bag_file *f)
{
    return bag_has(b, f) && strncmp(f->path + b->base_len, "data/", 5) == 0;
}

struct bag_file *bag_find(const struct bag *b, const char *path)
{
    AUTO_FREE char *full = xasprintf("%s%s", b->base, path);

    return bag_table_find(&b->files, full);
}

void bag_tell_file(const struct bag *b, enum bag_rule rule, const struct bag_file *f,
                   const char *detail)
{
    bag_tell(b->options, b->counts, rule, bag_path_in(b, f), detail);
}

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Whether name, directly in a bag, is a manifest: its algorithm's part, *n bytes; NULL when it is
 * none. */
static const char *manifest_part(const char *name, size_t *n, bool *tag)
{
    size_t len = strlen(name);

    *tag = starts(name, "tagmanifest-");
    if ((!*tag && !starts(name, "manifest-")) || len < 4 || strcmp(name + len - 4, ".txt") != 0)
        return NULL;
    name = strchr(name, '-') + 1;
    *n = strlen(name) < 4 ? 0 : strlen(name) - 4;
    return *n ? name : NULL;
}

static bool is_tag_name(const char *name)
{
    size_t n;
    bool tag;

    return strcmp(name, "bagit.txt") == 0 || strcmp(name, "bag-info.txt") == 0 ||
           strcmp(name, "package-info.txt") == 0 || strcmp(name, "fetch.txt") == 0 ||
           manifest_part(name, &n, &tag);
}

static bool is_kept(const struct bag *b, const char *name)
{
    return is_tag_name(name) || (b->metadata && strcmp(name, BAG_METADATA) == 0);
}

/* ---- entries
 * --------------------------------------------------------------------------------- */

static void tell_name(const struct reading *r, enum bag_rule rule, const struct unpack_event *e)
{
    bag_tell(r->b->options, r->b->counts, rule, e->p, NULL);
}

/* The file that the entry is: NULL when its name is none. */
static struct bag_file *put_down(struct reading *r, const struct unpack_event *e)
{
    AUTO_FREE char *path = xmemdup0(e->p, e->n);
    size_t n = strlen(path);
    struct bag_file *f;
    enum bag_path how;

    if (n != e->n) {
        tell_name(r, BAG_ENTRY_NAME, e);
        return NULL;
    }
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    how = bag_path_plain(path);
    if (how == BAG_PATH_EMPTY && e->kind == UNPACK_FOLDER)
        return NULL;
    if (how == BAG_PATH_EMPTY || how == BAG_PATH_OUTSIDE) {
        tell_name(r, how == BAG_PATH_EMPTY ? BAG_ENTRY_NAME : BAG_ENTRY_OUTSIDE, e);
        return NULL;
    }
    if (how == BAG_PATH_DOTTED && !r->dotted) {
        r->dotted = true;
        tell_name(r, BAG_ENTRY_DOTTED, e);
    }
    if (wanted_entry_aside(r->b->wanted, path))
        return NULL;
    f = bag_table_add(&r->b->files, path);
    if (f->present) {
        f->twice |= e->kind != UNPACK_FOLDER || f->kind != UNPACK_FOLDER;
        return NULL;
    }
    f->present = true;
    f->kind = (uint8_t)e->kind;
    f->number = (uint32_t)e->number;
    f->size = e->size;
    f->time_s = e->time_s;
    f->time_ns = e->time_ns;
    f->encrypted = e->encrypted;
    return f;
}

/* The entry of that number among those asked for. */
static struct bag_file *asked_for(struct reading *r, uint64_t number)
{
    while (r->next < r->len && r->files[r->next]->number < number)
        r->next++;
    return r->next < r->len && r->files[r->next]->number == number ? r->files[r->next] : NULL;
}

/* What is large is not kept, but read again. */
static void keep_piece(struct reading *r, const char *p, size_t n)
{
    if (r->tag->text.len + n <= KEEP_MOST) {
        str_addn(&r->tag->text, p, n);
        return;
    }
    str_clear(&r->tag->text);
    r->tag->dropped = true;
    r->tag = NULL;
}

static struct bag_tag *keep_text(struct bag *b, struct bag_file *f)
{
    GROW(b->tags, b->tags_len, b->tags_cap);
    b->tags[b->tags_len] = (struct bag_tag){.file = f};
    return &b->tags[b->tags_len++];
}

static void begin(struct reading *r, const struct unpack_event *e)
{
    const char *slash;

    r->now = r->files ? asked_for(r, e->number) : put_down(r, e);
    r->tag = NULL;
    r->hashing = r->hasher && r->now && r->now->kind == UNPACK_FILE;
    if (!r->hashing)
        return;
    hasher_start(r->hasher);
    slash = strchr(r->now->path, '/');
    if (r->keep && (!slash || !strchr(slash + 1, '/')) &&
        is_kept(r->b, slash ? slash + 1 : r->now->path))
        r->tag = keep_text(r->b, r->now);
}

static void take(struct reading *r, const struct unpack_event *e)
{
    if (!r->hashing)
        return;
    hasher_add(r->hasher, e->p, e->n);
    r->b->read += e->n;
    if (r->tag)
        keep_piece(r, e->p, e->n);
    if (r->sink)
        r->sink(r->ctx, e->p, e->n);
    if (r->b->options->progress)
        r->b->options->progress(r->b->options->ctx, r->b->read, r->b->to_read);
}

static void tell_wrong(const struct bag *b, const struct bag_file *f, size_t i)
{
    const struct hash_one *h = &b->hashes.of[i];
    char want[2 * HASH_MAX + 1], got[2 * HASH_MAX + 1];
    AUTO_FREE char *detail =
        xasprintf("%s is %s, and should be %s", h->name, hash_hex(f->got + h->at, h->size, got),
                  hash_hex(f->want + h->at, h->size, want));

    bag_tell_file(b, BAG_DIGEST_WRONG, f, detail);
}

bool bag_digest_right(const struct bag *b, const struct bag_file *f, size_t i)
{
    const struct hash_one *h = &b->hashes.of[i];

    return memcmp(f->want + h->at, f->got + h->at, h->size) == 0;
}

bool bag_is_vouched_for(const struct bag *b, const struct bag_file *f)
{
    uint32_t both = f->wanted & f->found;

    for (size_t i = 0; i < b->hashes.len; i++)
        if ((both >> i & 1) && !bag_digest_right(b, f, i))
            return false;
    return both != 0;
}

void bag_judge(const struct bag *b, const struct bag_file *f)
{
    uint32_t both = f->wanted & f->found;

    for (size_t i = 0; i < b->hashes.len; i++)
        if ((both >> i & 1) && !bag_digest_right(b, f, i)) {
            tell_wrong(b, f, i);
            return;
        }
}

/* bag-info.txt on the way, before the payload: what it says is in the bag may come. */
static void declare(const struct bag *b, const struct bag_tag *t)
{
    static const char label[] = "Payload-Oxum:";
    const char *slash = strchr(t->file->path, '/');
    uint64_t bytes, files;

    if (strcmp(slash ? slash + 1 : t->file->path, "bag-info.txt") != 0)
        return;
    for (const char *line = str_c(&t->text); *line; line += strspn(line, "\r\n")) {
        size_t n = strcspn(line, "\r\n");

        if (strncasecmp(line, label, sizeof label - 1) == 0) {
            const char *at = line + sizeof label - 1 + strspn(line + sizeof label - 1, " \t");
            AUTO_FREE char *value = xmemdup0(at, strcspn(at, " \t\r\n"));

            if (bag_parse_oxum(value, &bytes, &files) == 0)
                bag_source_declare(&b->source, bytes);
        }
        line += n;
    }
}

static void end(struct reading *r, const struct unpack_event *e)
{
    struct bag *b = r->b;
    struct bag_file *f = r->now;

    if (!f || !r->hashing)
        return;
    r->hashing = false;
    if (r->tag)
        declare(b, r->tag);
    /* The ones before may stand for what is wanted (bag_tags.c). */
    f->got = r->judge ? r->digests : bag_table_room(&b->files, b->hashes.bytes);
    hasher_done(r->hasher, f->got);
    f->found = (UINT32_C(1) << b->hashes.len) - 1;
    if (e->damaged) {
        f->damaged = true;
        f->found = 0;
        bag_tell_file(b, f->encrypted ? BAG_ENTRY_ENCRYPTED : BAG_DAMAGED, f, e->p);
    }
    if (r->judge) {
        bag_judge(b, f);
        f->got = NULL;
    }
}

static int on_event(void *ctx, const struct unpack_event *e)
{
    struct reading *r = ctx;

    switch (e->what) {
    case UNPACK_ENTRY:
        begin(r, e);
        return 0;
    case UNPACK_DATA:
        take(r, e);
        return 0;
    case UNPACK_END:
        end(r, e);
        return 0;
    default:
        if (e->number == UINT64_MAX || !r->now)
            bag_tell(r->b->options, r->b->counts, BAG_ARCHIVE_DOUBT, "", e->p);
        else
            bag_tell_file(r->b, BAG_ENTRY_DOUBT, r->now, e->p);
        return 0;
    }
}

/* ---- the way
 * --------------------------------------------------------------------------------- */

int bag_open(struct bag *b, int dirfd, const char *path, const struct bag_options *o,
             struct bag_counts *c, struct error *err)
{
    struct unpack_options u = {.exe = o->exe, .stall_ms = o->stall_ms};

    *c = (struct bag_counts){.complete = true, .valid = true};
    *b = (struct bag){.fd = -1, .options = o, .counts = c, .base = xstrdup("")};
    return bag_source_open(&b->source, dirfd, path, &u, &b->fd, err);
}

/* The list, and for a compressed tar everything on the way. */
static int read_list(struct bag *b, struct error *err)
{
    struct reading r = {.b = b};
    int rc;

    if (b->wanted && bag_source_want(&b->source, b->wanted, err) < 0)
        return -1;
    if (b->source.lists_fast)
        return bag_source_all(&b->source, false, on_event, &r, err);
    hash_set_add(&b->hashes, "sha256");
    hash_set_add(&b->hashes, "sha512");
    r.hasher = hasher_new(&b->hashes);
    r.keep = true;
    rc = bag_source_all(&b->source, true, on_event, &r, err);
    hasher_free(r.hasher);
    b->hashed = true;
    return rc;
}

/* The folder in which bagit.txt lies: the top, or one below it. */
static void find_base(struct bag *b)
{
    const struct bag_file *found = NULL;

    if (bag_table_find(&b->files, "bagit.txt"))
        return;
    for (size_t i = 0; i < b->files.len; i++) {
        const struct bag_file *f = b->files.files[i];
        const char *slash = strchr(f->path, '/');

        if (!slash || strcmp(slash + 1, "bagit.txt") != 0 || !f->present)
            continue;
        if (found) {
            bag_tell_file(b, BAG_SEVERAL, f, NULL);
            continue;
        }
        found = f;
        free(b->base);
        b->base = xmemdup0(f->path, (size_t)(slash - f->path) + 1);
    }
    b->base_len = strlen(b->base);
}

/* Whether f is a regular file directly in the bag. */
static const char *top_name(const struct bag *b, const struct bag_file *f)
{
    if (!f->present || f->kind != UNPACK_FILE || !bag_has(b, f) || strchr(bag_path_in(b, f), '/'))
        return NULL;
    return bag_path_in(b, f);
}

static void add_manifest(struct bag *b, struct bag_file *f, const char *name)
{
    struct bag_manifest m = {.file = f, .name = name};
    char normal[HASH_NAME];
    size_t n;
    const char *part = manifest_part(name, &n, &m.tag);
    size_t *count = m.tag ? &b->tag_manifests : &b->payload_manifests;

    if (!part || *count == BAG_MANIFESTS)
        return;
    hash_normalise(part, n, normal);
    m.algorithm = hash_set_add(&b->hashes, normal);
    b->manifests[b->manifests_len++] = m;
    ++*count;
}

static void find_manifests(struct bag *b)
{
    for (size_t i = 0; i < b->files.len; i++) {
        struct bag_file *f = b->files.files[i];
        const char *name = top_name(b, f);

        if (name)
            add_manifest(b, f, name);
    }
}

static int read_files(struct bag *b, struct bag_file **files, size_t len, struct reading *r,
                      struct error *err)
{
    int rc;

    r->b = b;
    r->files = files;
    r->len = len;
    r->hasher = hasher_new(&b->hashes);
    rc = bag_source_read(&b->source, files, len, on_event, r, err);
    hasher_free(r->hasher);
    return rc;
}

int bag_hash_files(struct bag *b, struct bag_file **files, size_t len, bool judge,
                   struct error *err)
{
    struct reading r = {.judge = judge};

    return read_files(b, files, len, &r, err);
}

int bag_read_text(struct bag *b, struct bag_file *f, bag_text_sink *sink, void *ctx,
                  struct error *err)
{
    struct reading r = {.sink = sink, .ctx = ctx};

    for (size_t i = 0; i < b->tags_len; i++)
        if (b->tags[i].file == f && !b->tags[i].dropped) {
            sink(ctx, str_c(&b->tags[i].text), b->tags[i].text.len);
            str_clear(&b->tags[i].text);
            return 0;
        }
    return read_files(b, &f, 1, &r, err);
}

/* A text as a whole. */
struct whole {
    struct str text;
    bool large;
};

static void take_whole(void *ctx, const char *p, size_t n)
{
    struct whole *w = ctx;

    w->large |= w->text.len + n > TAG_MOST;
    if (!w->large)
        str_addn(&w->text, p, n);
}

static void decode(const struct bag *b, const struct bag_file *f, struct str *text)
{
    if (bag_decode(text, b->encoding) < 0)
        bag_tell_file(b, BAG_TAG_ENCODING, f, NULL);
}

/* Reads one tag file, and has it understood. */
static int with_text(struct bag *b, struct bag_file *f, bool decoded, struct error *err,
                     void (*read)(struct bag *b, struct bag_tag *t))
{
    struct bag_tag t = {.file = f};
    struct whole w = {.large = false};
    int rc = bag_read_text(b, f, take_whole, &w, err);

    if (rc == 0 && w.large)
        bag_tell_file(b, BAG_TAG_LARGE, f, NULL);
    if (rc == 0 && !w.large && !f->damaged) { /* that is told already */
        t.text = w.text;
        if (decoded)
            decode(b, f, &t.text);
        if (decoded && bag_take_bom(&t.text))
            bag_tell_file(b, BAG_TAG_BOM, f, NULL);
        read(b, &t);
        w.text = t.text;
    }
    str_clear(&w.text);
    return rc;
}

/* As above for a manifest, which may be long: line by line, unless it must be decoded first. */
static int with_manifest(struct bag *b, size_t which, struct error *err)
{
    struct bag_file *f = b->manifests[which].file;
    struct manifest_reading *m = bag_manifest_begin(b, which);
    bool plain = bag_encoding_plain(b->encoding);
    struct whole w = {.large = false};
    int rc = bag_read_text(b, f, plain ? bag_manifest_add : take_whole, plain ? (void *)m : &w, err);

    if (rc == 0 && !plain && !w.large) {
        decode(b, f, &w.text);
        bag_manifest_add(m, str_c(&w.text), w.text.len);
    }
    if (w.large)
        bag_tell_file(b, BAG_TAG_LARGE, f, NULL);
    bag_manifest_end(m, rc == 0 && !f->damaged && !w.large);
    str_clear(&w.text);
    return rc;
}

static struct bag_file *tag_file(const struct bag *b, const char *name)
{
    struct bag_file *f = bag_find(b, name);

    return f && f->present && f->kind == UNPACK_FILE ? f : NULL;
}

static bool is_strong(const struct bag *b, size_t i)
{
    const struct bag_manifest *m = &b->manifests[i];

    return !m->tag && m->algorithm >= 0 && !hash_is_weak(b->hashes.of[m->algorithm].name);
}

/* The manifest that is enough where little is wanted: SHA-256, or the first that is strong.
 * manifests_len: all are to be read. */
static size_t enough(const struct bag *b)
{
    size_t found = b->manifests_len;

    /* Before 1.0 each may list other files. */
    if (!b->wanted || b->version < 100)
        return found;
    for (size_t i = b->manifests_len; i-- > 0;)
        if (is_strong(b, i) &&
            (found == b->manifests_len ||
             strcmp(b->hashes.of[b->manifests[found].algorithm].name, "sha256") != 0))
            found = i;
    return found;
}

/* The lines about what is wanted, by the index. Returns as bag_index_open(). */
static int with_index(struct bag *b, size_t one, struct error *err)
{
    struct bag_file *f = tag_file(b, BAG_INDEX);
    struct manifest_reading *m;
    int rc;

    if (one == b->manifests_len || !f || !b->source.lists_fast || !bag_encoding_plain(b->encoding))
        return 1;
    rc = bag_index_open(b, f, &b->index, err);
    if (rc)
        return rc;
    m = bag_manifest_begin(b, one);
    rc = bag_index_manifest(b->index, b->manifests[one].file, bag_manifest_add, m);
    bag_manifest_end(m, rc == 0);
    if (rc == 0)
        return 0;
    bag_index_close(b->index);
    b->index = NULL;
    return rc;
}

/* Those of tags first: they vouch for the index. */
static int read_manifests(struct bag *b, struct error *err)
{
    size_t one = enough(b);
    int rc = 0, by_index;

    for (size_t i = 0; rc == 0 && i < b->manifests_len; i++)
        if (b->manifests[i].tag)
            rc = with_manifest(b, i, err);
    by_index = rc == 0 && b->wanted ? with_index(b, one, err) : 1;
    if (by_index < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < b->manifests_len; i++)
        if (!b->manifests[i].tag && (one == b->manifests_len || (i == one && by_index > 0)))
            rc = with_manifest(b, i, err);
    return rc;
}

static int read_tags(struct bag *b, struct error *err)
{
    struct bag_file *f = tag_file(b, "bagit.txt");
    int rc = 0;

    b->encoding = xstrdup("UTF-8");
    if (!f)
        bag_tell(b->options, b->counts, BAG_NO_DECLARATION, "bagit.txt", NULL);
    else
        rc = with_text(b, f, false, err, bag_read_declaration);
    if (rc == 0)
        rc = read_manifests(b, err);
    /* What BagIt 0.93 to 0.95 call bag-info.txt. */
    f = tag_file(b, "bag-info.txt");
    if (!f && b->version && b->version < 96)
        f = tag_file(b, "package-info.txt");
    if (rc == 0 && f)
        rc = with_text(b, f, true, err, bag_read_info);
    f = tag_file(b, "fetch.txt");
    if (rc == 0 && f)
        rc = with_text(b, f, true, err, bag_read_fetch);
    return rc;
}

int bag_list(struct bag *b, struct error *err)
{
    return read_list(b, err);
}

int bag_load(struct bag *b, struct error *err)
{
    if (read_list(b, err) < 0)
        return -1;
    find_base(b);
    find_manifests(b);
    return read_tags(b, err) < 0 ? -1 : 0;
}

void bag_close(struct bag *b)
{
    bag_index_close(b->index);
    bag_source_close(&b->source);
    if (b->fd >= 0)
        close(b->fd);
    for (size_t i = 0; i < b->tags_len; i++)
        str_clear(&b->tags[i].text);
    free(b->tags);
    bag_table_clear(&b->files);
    hash_set_clear(&b->hashes);
    free(b->base);
    free(b->encoding);
    free(b->oxum);
    free(b->prefix);
    free(b->case_id);
}
