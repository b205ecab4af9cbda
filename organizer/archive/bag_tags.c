/* The tag files of a bag as text: bagit.txt, manifests, bag-info.txt, fetch.txt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "archive/bag_load.h"
#include "archive/bag_names.h"
#include "archive/bag_text.h"
#include "archive/wanted.h"
#include "base/alloc.h"
#include "base/utf8.h"

static struct bag_lines lines_of(struct bag_tag *t)
{
    return (struct bag_lines){t->text.s, t->text.s ? t->text.s + t->text.len : NULL, 0};
}

/* With the number of the line, and what is in it. */
static void tell_line(const struct bag *b, enum bag_rule rule, const struct bag_file *f,
                      size_t line, const char *what)
{
    AUTO_FREE char *detail =
        *what ? xasprintf("line %zu, %.500s", line, what) : xasprintf("line %zu", line);

    bag_tell_file(b, rule, f, detail);
}

/* ---- bagit.txt
 * ------------------------------------------------------------------------------- */

/* The value of a line "label: value", NULL when it is another. */
static char *value_of(char *line, const char *label)
{
    size_t n = strlen(label);

    if (!line || strncmp(line, label, n) != 0 || line[n] != ':')
        return NULL;
    line += n + 1;
    line += strspn(line, " \t");
    n = strlen(line);
    while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
        line[--n] = '\0';
    return line;
}

static void read_version(struct bag *b, const struct bag_file *f, const char *value)
{
    int major = 0, minor = 0, end = 0;

    /* NOLINTNEXTLINE(cert-err34-c): two digits at the most */
    if (sscanf(value, "%2d.%2d%n", &major, &minor, &end) != 2 || value[end]) {
        bag_tell_file(b, BAG_VERSION_BAD, f, value);
        return;
    }
    b->version = major * 100 + minor;
    if (b->version != 100 && (b->version < 93 || b->version > 97))
        bag_tell_file(b, BAG_VERSION_UNKNOWN, f, value);
    else if (b->version < 100)
        bag_tell_file(b, BAG_VERSION_OLD, f, value);
}

static void read_encoding(struct bag *b, const struct bag_file *f, const char *value)
{
    if (!bag_encoding_known(value)) {
        bag_tell_file(b, BAG_ENCODING_UNKNOWN, f, value);
        return;
    }
    if (strcasecmp(value, "UTF-8") != 0)
        bag_tell_file(b, BAG_ENCODING_OTHER, f, value);
    free(b->encoding);
    b->encoding = xstrdup(value);
}

void bag_read_declaration(struct bag *b, struct bag_tag *t)
{
    struct bag_lines l;
    char *line[2] = {NULL, NULL}, *more, *value;
    size_t n;

    if (bag_take_bom(&t->text))
        bag_tell_file(b, BAG_DECLARATION_BOM, t->file, NULL);
    l = lines_of(t);
    line[0] = bag_next_line(&l, &n);
    line[1] = line[0] ? bag_next_line(&l, &n) : NULL;
    if (!line[1])
        bag_tell_file(b, BAG_DECLARATION_LINES, t->file, NULL);
    if ((more = bag_next_line(&l, &n)))
        tell_line(b, BAG_DECLARATION_EXTRA, t->file, l.number, more);
    value = value_of(line[0], "BagIt-Version");
    if (value)
        read_version(b, t->file, value);
    else
        bag_tell_file(b, BAG_DECLARATION_LABEL, t->file, line[0]);
    value = value_of(line[1], "Tag-File-Character-Encoding");
    if (value)
        read_encoding(b, t->file, value);
    else if (line[1])
        bag_tell_file(b, BAG_DECLARATION_LABEL, t->file, line[1]);
}

#define BOM "\xef\xbb\xbf"

/* ---- manifests
 * ------------------------------------------------------------------------------- */

/* One manifest being read. */
struct manifest_reading {
    struct bag *b;
    const struct bag_manifest *m;
    const struct bag_file *file;
    uint32_t bit; /* of this manifest in listed or tagged */
    size_t line;
    bool star, blank, dotted, percent; /* told already */
    struct bag_names normal;           /* names in NFC, made when first needed */
    struct bag_feed feed;
};

static void tell_once(struct manifest_reading *r, bool *told, enum bag_rule rule, const char *what)
{
    if (!*told)
        tell_line(r->b, rule, r->file, r->line, what);
    *told = true;
}

/* The file that is there under that name in another normalisation, NULL when there is none, or
 * several. */
static struct bag_file *find_normal(struct manifest_reading *r, const char *path)
{
    AUTO_FREE char *full = xasprintf("%s%s", r->b->base, path);
    AUTO_FREE char *nfc = utf8_nfc(full);
    const struct bag_file *f;

    if (!r->normal.list)
        bag_names_make(&r->normal, &r->b->files, utf8_nfc);
    f = bag_names_find(&r->normal, nfc);
    return f ? bag_table_find(&r->b->files, f->path) : NULL;
}

static bool is_ascii(const char *s)
{
    while (*s && (unsigned char)*s < 128)
        s++;
    return !*s;
}

/* What the path in a manifest names: what is there, or what should be. literal is the path before
 * anything was decoded. NULL: nobody asks for it. */
static struct bag_file *resolve(struct manifest_reading *r, const char *path, char *literal)
{
    struct bag_file *f = bag_find(r->b, path);
    AUTO_FREE char *full = NULL;

    if (f && f->present)
        return f;
    if (strcmp(path, literal) != 0 && bag_path_plain(literal) <= BAG_PATH_DOTTED &&
        (f = bag_find(r->b, literal)) && f->present) {
        tell_once(r, &r->percent, BAG_MANIFEST_PERCENT, literal);
        return f;
    }
    if (strchr(path, '\\')) {
        for (char *p = literal; (p = strchr(p, '\\'));)
            *p = '/';
        if ((f = bag_find(r->b, literal)) && f->present) {
            tell_line(r->b, BAG_MANIFEST_BACKSLASH, r->file, r->line, path);
            return f;
        }
    }
    if (!is_ascii(path) && (f = find_normal(r, path))) {
        bag_tell_file(r->b, BAG_MANIFEST_NORMAL, f, r->m->name);
        return f;
    }
    if (r->b->wanted && !r->m->tag && !wanted_any(r->b->wanted, path + strlen("data/"), NULL))
        return NULL;
    full = xasprintf("%s%s", r->b->base, path);
    return bag_table_add(&r->b->files, full);
}

/* Whether the path may stand in this kind of manifest; tells why not. */
static bool fits(struct manifest_reading *r, const char *path)
{
    bool payload = strncmp(path, "data/", 5) == 0;

    if (!r->m->tag && !payload) {
        tell_line(r->b, BAG_MANIFEST_NOT_PAYLOAD, r->file, r->line, path);
        return false;
    }
    if (r->m->tag && payload) {
        tell_line(r->b, BAG_TAGMANIFEST_PAYLOAD, r->file, r->line, path);
        return false;
    }
    if (r->m->tag && strncmp(path, "tagmanifest-", 12) == 0) {
        tell_line(r->b, BAG_TAGMANIFEST_TAGMANIFEST, r->file, r->line, path);
        return false;
    }
    return true;
}

/* Of what was read on the way digests are there already: where they are the same there is nothing to
 * be put down. */
static bool is_got(const struct bag *b, const struct bag_file *f, const struct hash_one *h,
                   const uint8_t *digest)
{
    return f->got && (!f->want || f->want == f->got) &&
           f->found == (UINT32_C(1) << b->hashes.len) - 1 &&
           memcmp(f->got + h->at, digest, h->size) == 0;
}

/* Bytes of its own for what is wanted. */
static void own_want(struct bag *b, struct bag_file *f)
{
    uint8_t *want = bag_table_room(&b->files, b->hashes.bytes);

    if (f->want)
        memcpy(want, f->want, b->hashes.bytes);
    f->want = want;
}

/* Puts the digest down. Returns false when another one for the same file stands there already. */
static bool want(struct bag *b, struct bag_file *f, int algorithm, const uint8_t *digest)
{
    const struct hash_one *h = &b->hashes.of[algorithm];
    uint32_t bit = UINT32_C(1) << algorithm;

    if (f->wanted & bit)
        return memcmp(f->want + h->at, digest, h->size) == 0;
    f->wanted |= bit;
    if (is_got(b, f, h, digest)) {
        f->want = f->got;
        return true;
    }
    if (!f->want || f->want == f->got)
        own_want(b, f);
    memcpy(f->want + h->at, digest, h->size);
    return true;
}

static void put_down(struct manifest_reading *r, struct bag_file *f, const uint8_t *digest)
{
    uint32_t *listed;
    bool again;

    if (!f)
        return;
    listed = r->m->tag ? &f->tagged : &f->listed;
    again = *listed & r->bit;
    if (f->present && f->kind == UNPACK_FOLDER) {
        tell_line(r->b, BAG_MANIFEST_FOLDER, r->file, r->line, bag_path_in(r->b, f));
        return;
    }
    *listed |= r->bit;
    if (r->m->algorithm >= 0 && !want(r->b, f, r->m->algorithm, digest))
        tell_line(r->b, BAG_MANIFEST_CONFLICT, r->file, r->line, bag_path_in(r->b, f));
    else if (again)
        tell_line(r->b, r->b->version < 100 ? BAG_MANIFEST_TWICE_OLD : BAG_MANIFEST_TWICE, r->file,
                  r->line, bag_path_in(r->b, f));
}

static void read_line(void *ctx, char *line, size_t n, size_t number)
{
    struct manifest_reading *r = ctx;
    uint32_t size = r->m->algorithm < 0 ? 0 : r->b->hashes.of[r->m->algorithm].size;
    struct bag_manifest_line m;
    uint8_t digest[HASH_MAX];
    AUTO_FREE char *literal = NULL;
    bool bare;

    r->line = number;
    if (number == 1 && n >= 3 && memcmp(line, BOM, 3) == 0) {
        bag_tell_file(r->b, BAG_TAG_BOM, r->file, NULL);
        line += 3;
        n -= 3;
    }
    if (strspn(line, " \t") == n) {
        tell_once(r, &r->blank, BAG_MANIFEST_BLANK, "");
        return;
    }
    if (bag_parse_manifest(line, n, &m) < 0) {
        tell_line(r->b, BAG_MANIFEST_LINE, r->file, r->line, line);
        return;
    }
    if (size && hash_parse(m.hex, m.hex_len, digest, size) < 0) {
        tell_line(r->b, BAG_MANIFEST_DIGEST, r->file, r->line, m.hex);
        return;
    }
    if (m.star)
        tell_once(r, &r->star, BAG_MANIFEST_STAR, "");
    if (!r->m->tag && wanted_is_aside(r->b->wanted, m.path))
        return;
    literal = xstrdup(m.path);
    bare = bag_decode_path(m.path, r->b->version == 0 || r->b->version >= 100);
    if (bare && r->b->version >= 100)
        tell_once(r, &r->percent, BAG_MANIFEST_PERCENT, literal);
    switch (bag_path_plain(m.path)) {
    case BAG_PATH_OUTSIDE:
    case BAG_PATH_EMPTY:
        tell_line(r->b, BAG_MANIFEST_OUTSIDE, r->file, r->line, literal);
        return;
    case BAG_PATH_DOTTED:
        tell_once(r, &r->dotted, BAG_MANIFEST_DOTTED, literal);
        break;
    default:
        break;
    }
    if (fits(r, m.path))
        put_down(r, resolve(r, m.path, literal), digest);
}

/* What is to be said of its name and algorithm. */
static void look_at_name(struct manifest_reading *r)
{
    const struct bag *b = r->b;
    const char *part = strchr(r->m->name, '-') + 1;
    size_t n = strlen(part) - 4;
    char normal[HASH_NAME];

    hash_normalise(part, n, normal);
    if (r->m->algorithm < 0)
        bag_tell_file(b, BAG_ALGORITHM_UNKNOWN, r->file, normal);
    if (strlen(normal) != n || strncmp(part, normal, n) != 0)
        bag_tell_file(b,
                      b->version && b->version < 100 ? BAG_ALGORITHM_NAME_OLD : BAG_ALGORITHM_NAME,
                      r->file, NULL);
}

struct manifest_reading *bag_manifest_begin(struct bag *b, size_t manifest)
{
    struct manifest_reading *r = xcalloc(1, sizeof *r);
    unsigned before = 0;

    r->b = b;
    r->m = &b->manifests[manifest];
    r->file = r->m->file;
    r->feed = (struct bag_feed){.line = read_line, .ctx = r};
    for (size_t i = 0; i < manifest; i++)
        before += b->manifests[i].tag == r->m->tag;
    r->bit = UINT32_C(1) << before;
    look_at_name(r);
    return r;
}

void bag_manifest_add(void *ctx, const char *p, size_t n)
{
    struct manifest_reading *r = ctx;

    bag_feed_add(&r->feed, p, n);
}

/* No other manifest is about the same files in the same algorithm. */
static void take_back(const struct manifest_reading *r)
{
    uint32_t bit = r->m->algorithm < 0 ? 0 : UINT32_C(1) << r->m->algorithm;

    for (size_t i = 0; i < r->b->files.len; i++) {
        struct bag_file *f = r->b->files.files[i];
        uint32_t *listed = r->m->tag ? &f->tagged : &f->listed;

        if (*listed & r->bit)
            f->wanted &= ~bit;
        *listed &= ~r->bit;
    }
}

void bag_manifest_end(struct manifest_reading *r, bool whole)
{
    if (!whole) {
        r->feed.large = true; /* nothing of an unfinished line, either */
        bag_feed_end(&r->feed);
    } else if (!bag_feed_end(&r->feed)) {
        bag_tell_file(r->b, BAG_TAG_LARGE, r->file, NULL);
        whole = false;
    }
    if (!whole)
        take_back(r);
    bag_names_clear(&r->normal);
    free(r);
}

/* ---- bag-info.txt
 * ---------------------------------------------------------------------------- */

/* Labels that should stand there once. */
static const char *const once[] = {"Bagging-Date", "Bag-Size", "Bag-Group-Identifier", "Bag-Count"};

static void read_label(struct bag *b, const struct bag_tag *t, size_t line, const char *label,
                       char *value, unsigned *seen)
{
    uint64_t bytes, files;

    if (strcasecmp(label, "Payload-Oxum") == 0) {
        if (b->oxum)
            tell_line(b, BAG_OXUM_TWICE, t->file, line, value);
        else
            b->oxum = xstrdup(value);
        if (bag_parse_oxum(value, &bytes, &files) == 0)
            bag_source_declare(&b->source, bytes);
        return;
    }
    if (strcasecmp(label, "External-Identifier") == 0 && !b->prefix)
        b->prefix = xstrdup(value);
    if (strcasecmp(label, "Organizer-Case") == 0 && !b->case_id)
        b->case_id = xstrdup(value);
    for (unsigned i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (strcasecmp(label, once[i]) != 0)
            continue;
        if (*seen >> i & 1)
            tell_line(b, BAG_INFO_REPEATED, t->file, line, label);
        *seen |= 1U << i;
        if (i == 0 && (strlen(value) != 10 || value[4] != '-' || value[7] != '-'))
            tell_line(b, BAG_DATE_BAD, t->file, line, value);
    }
}

void bag_read_info(struct bag *b, struct bag_tag *t)
{
    struct bag_lines l = lines_of(t);
    unsigned seen = 0;
    bool first = true;
    char *line;
    size_t n;

    for (; (line = bag_next_line(&l, &n)); first = false) {
        char *colon = strchr(line, ':');

        /* Indented: the value goes on. */
        if (!n || (!first && (*line == ' ' || *line == '\t')))
            continue;
        if (!colon || colon == line) {
            tell_line(b, BAG_INFO_LINE, t->file, l.number, line);
            continue;
        }
        *colon++ = '\0';
        n = strlen(line);
        if (strchr(" \t", *line) || strchr(" \t", line[n - 1])) {
            tell_line(b, BAG_INFO_LABEL, t->file, l.number, line);
            while (n && strchr(" \t", line[n - 1]))
                line[--n] = '\0';
        }
        colon += strspn(colon, " \t");
        for (n = strlen(colon); n && strchr(" \t", colon[n - 1]);)
            colon[--n] = '\0';
        read_label(b, t, l.number, line, colon, &seen);
    }
}

/* ---- fetch.txt
 * ------------------------------------------------------------------------------- */

/* Nothing that would read files of this machine, or stand for something else. */
static bool is_web_address(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0 ||
           strncasecmp(url, "ftp://", 6) == 0 || strncasecmp(url, "ftps://", 7) == 0 ||
           strncasecmp(url, "sftp://", 7) == 0 || strncasecmp(url, "s3://", 5) == 0;
}

static void read_fetch_line(struct bag *b, const struct bag_tag *t, size_t line, char *text,
                            size_t n)
{
    struct bag_fetch_line f;
    struct bag_file *file;
    AUTO_FREE char *full = NULL;

    if (bag_parse_fetch(text, n, &f) < 0) {
        tell_line(b, BAG_FETCH_LINE, t->file, line, text);
        return;
    }
    bag_decode_path(f.path, b->version == 0 || b->version >= 100);
    if (bag_path_plain(f.path) > BAG_PATH_DOTTED) {
        tell_line(b, BAG_FETCH_OUTSIDE, t->file, line, f.path);
        return;
    }
    if (strncmp(f.path, "data/", 5) != 0) {
        tell_line(b, BAG_FETCH_NOT_PAYLOAD, t->file, line, f.path);
        return;
    }
    if (!is_web_address(f.url))
        tell_line(b, BAG_FETCH_URL, t->file, line, f.url);
    full = xasprintf("%s%s", b->base, f.path);
    file = bag_table_add(&b->files, full);
    if (file->fetch)
        tell_line(b, BAG_FETCH_TWICE, t->file, line, f.path);
    file->fetch = true;
    b->counts->fetch = true;
    if (f.size_known && file->present && file->size != f.size)
        bag_tell_file(b, BAG_FETCH_SIZE, file, NULL);
}

void bag_read_fetch(struct bag *b, struct bag_tag *t)
{
    struct bag_lines l = lines_of(t);
    char *line;
    size_t n;

    while ((line = bag_next_line(&l, &n)))
        if (strspn(line, " \t") != n)
            read_fetch_line(b, t, l.number, line, n);
}
