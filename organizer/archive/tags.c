#include "archive/tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/attributes.h"
#include "archive/bag_index.h"
#include "archive/shelf.h"
#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/lang.h"

#ifndef ORGANIZER_VERSION
#define ORGANIZER_VERSION "0.1"
#endif

#define CHUNK BAG_INDEX_PIECE

/* A tag file being written. */
struct writing {
    struct tags *t;
    struct summer *summer;
    struct str buf;
    uint64_t size;
    bool indexed; /* what is written at once begins and ends with a line, and goes into the index */
};

/* Where one document is looked for; of a tar nothing is found without reading all before. */
static bool is_indexed(const struct tags *t, const char *name)
{
    return t->order->format == SNAPSHOT_ZIP &&
           (strcmp(name, "manifest-sha256.txt") == 0 || strcmp(name, ATTRIBUTES_NAME) == 0);
}

void tags_add_path(struct str *out, const char *path)
{
    for (; *path; path++) {
        if (*path == '\r' || *path == '\n' || *path == '%')
            str_addf(out, "%%%02X", (unsigned char)*path);
        else
            str_addc(out, *path);
    }
}

/* ---- one file --------------------------------------------------------------------------------- */

static int begin(struct writing *w, struct tags *t, const char *name, uint64_t size,
                 struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", t->top, name);
    struct pack_entry e = {.name = path,
                           .size = size,
                           .mtime_ns = t->payload->changed_ns,
                           .mode = S_IFREG | 0644,
                           .deflate = size > 0 && !is_indexed(t, name)};

    *w = (struct writing){.t = t, .size = size, .indexed = is_indexed(t, name)};
    if (pack_begin(t->pack, &e, err) < 0)
        return -1;
    t->list[t->len].name = name;
    w->summer = summer_new();
    summer_begin(w->summer);
    return 0;
}

/* The first n bytes that wait. */
static int put(struct writing *w, size_t n, struct error *err)
{
    struct tag *tag = &w->t->list[w->t->len];

    if (w->indexed)
        bag_index_line(&w->t->index, tag->name, tag->size, w->buf.s, n);
    summer_add(w->summer, w->buf.s, n);
    tag->size += n;
    if (pack_add(w->t->pack, w->buf.s, n, err) < 0)
        return -1;
    memmove(w->buf.s, w->buf.s + n, w->buf.len - n);
    str_cut(&w->buf, w->buf.len - n);
    return 0;
}

static int flush(struct writing *w, size_t above, struct error *err)
{
    return w->buf.len > above ? put(w, w->buf.len, err) : 0;
}

/* Of a text that comes in pieces as far as its lines are whole. */
static int flush_lines(struct writing *w, struct error *err)
{
    const char *end = w->buf.len ? memrchr(w->buf.s, '\n', w->buf.len) : NULL;

    return end ? put(w, (size_t)(end - w->buf.s) + 1, err) : 0;
}

static int end(struct writing *w, int rc, struct error *err)
{
    struct tag *tag = &w->t->list[w->t->len];

    if (rc == 0)
        rc = flush(w, 0, err);
    if (rc == 0)
        rc = pack_end(w->t->pack, err);
    if (rc == 0 && tag->size != w->size)
        rc = error_set(err, EIO, "%s did not get the size it was to have", tag->name);
    if (w->summer)
        tag->sums = summer_end(w->summer);
    w->t->len += rc == 0;
    summer_free(w->summer);
    str_clear(&w->buf);
    return rc;
}

static int put_text(struct tags *t, const char *name, const struct str *text, struct error *err)
{
    struct writing w;
    int rc = begin(&w, t, name, text->len, err);

    str_addn(&w.buf, text->s, text->len);
    return end(&w, rc, err);
}

/* ---- before the payload ----------------------------------------------------------------------- */

/* A line of bag-info.txt; no value, no line. Control characters would break it. */
static void info(struct str *out, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    str_addf(out, "%s: ", label);
    utf8_show(out, value, strlen(value));
    str_addc(out, '\n');
}

static void info_num(struct str *out, const char *label, uint64_t n)
{
    str_addf(out, "%s: %llu\n", label, (unsigned long long)n);
}

static void info_journal(struct str *out, const struct payload *p)
{
    char hex[DIGEST_HEX], at[TIME_TEXT];

    if (!p->cut.size)
        return;
    info_num(out, "Organizer-Journal-Lines", p->cut.seq);
    info(out, "Organizer-Journal-Head", digest_hex(&p->cut.hash, hex));
    if (p->changed_ns)
        info(out, "Organizer-Last-Change", time_text(p->changed_ns, at));
}

static void write_info(struct str *out, const struct tags *t)
{
    const struct snapshot_order *o = t->order;
    const struct payload *p = t->payload;
    char hex[DIGEST_HEX];

    info(out, "Source-Organization", o->office);
    info(out, "External-Identifier", o->prefix);
    info(out, "External-Description", lang_get(t->lang, "archive.description"));
    info(out, "Bagging-Date", o->date);
    str_addf(out, "Payload-Oxum: %llu.%llu\n", (unsigned long long)p->bytes,
             (unsigned long long)p->files);
    info(out, "Bag-Software-Agent", "organizer " ORGANIZER_VERSION);
    info(out, "Organizer-Case", o->case_id);
    info(out, "Organizer-Purpose",
         o->purpose == SNAPSHOT_CLOSED ? "closed" : "intermediate");
    info(out, "Organizer-Content", digest_hex(&p->content, hex));
    info_num(out, "Organizer-Documents", p->documents);
    info_journal(out, p);
}

/* Lines end as Notepad of any age wants them. */
static void add_crlf(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            str_addc(out, '\r');
        str_addc(out, *text);
    }
}

static void write_readme(struct str *out, const struct tags *t)
{
    const struct snapshot_order *o = t->order;
    AUTO_FREE char *n = xasprintf("%llu", (unsigned long long)t->payload->documents);
    AUTO_FREE char *text =
        lang_format(t->lang, o->format == SNAPSHOT_ZIP ? "archive.readme.zip" : "archive.readme.tar",
                    "case", o->prefix, "date", o->date, "office", o->office ? o->office : lang_get(t->lang, "archive.office"),
                    "documents", n, "top", t->top, NULL);

    add_crlf(out, text);
}

int tags_begin(struct tags *t, struct error *err)
{
    AUTO_STR struct str readme = STR_INIT, bagit = STR_INIT, about = STR_INIT;

    write_readme(&readme, t);
    str_add(&bagit, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
    write_info(&about, t);
    if (put_text(t, "README.txt", &readme, err) < 0 || put_text(t, "bagit.txt", &bagit, err) < 0 ||
        put_text(t, "bag-info.txt", &about, err) < 0)
        return -1;
    t->before = t->len;
    return 0;
}

/* ---- behind the payload ----------------------------------------------------------------------- */

void tags_add_line(struct str *out, const char *hex, const struct payload_entry *e)
{
    str_addf(out, "%s  data/", hex);
    tags_add_path(out, e->stored);
    str_addc(out, '\n');
}

static void line_sha256(struct str *out, const struct payload_entry *e)
{
    char hex[DIGEST_HEX];

    tags_add_line(out, digest_hex(&e->sha256, hex), e);
}

/* As sha256sum(1) reads it. */
static void line_sum(struct str *out, const struct payload_entry *e)
{
    AUTO_FREE char *name = xasprintf("data/%s", e->stored);

    shelf_sum_line(out, name, &e->sha256);
}

typedef void line_fn(struct str *out, const struct payload_entry *e);

static uint64_t manifest_size(const struct payload *p, line_fn *line)
{
    AUTO_STR struct str text = STR_INIT;
    uint64_t size = 0;

    for (size_t i = 0; i < p->len; i++) {
        if (!payload_is_file(&p->entries[i]))
            continue;
        str_reset(&text);
        line(&text, &p->entries[i]);
        size += text.len;
    }
    return size;
}

static int put_manifest(struct tags *t, const char *name, line_fn *line, struct error *err)
{
    const struct payload *p = t->payload;
    struct writing w;
    int rc = begin(&w, t, name, manifest_size(p, line), err);

    for (size_t i = 0; rc == 0 && i < p->len; i++) {
        if (payload_is_file(&p->entries[i]))
            line(&w.buf, &p->entries[i]);
        rc = flush(&w, CHUNK, err);
    }
    return end(&w, rc, err);
}

/* sha256sum(1) does not know the escapes of manifests: names with such characters get a list that it
 * does know, beside the manifests. */
static bool needs_sums(const struct payload *p)
{
    for (size_t i = 0; i < p->len; i++)
        if (payload_is_file(&p->entries[i]) && strpbrk(p->entries[i].stored, "%\r\n\\"))
            return true;
    return false;
}

static int copy_spool(struct writing *w, int fd, struct error *err)
{
    AUTO_FREE char *buf = xmalloc(CHUNK);
    off_t at = 0;
    ssize_t n;

    while ((n = pread(fd, buf, CHUNK, at)) > 0) {
        str_addn(&w->buf, buf, (size_t)n);
        at += n;
        if (flush_lines(w, err) < 0)
            return -1;
    }
    return n < 0 ? error_set(err, errno, "the metadata cannot be read back") : 0;
}

/* What the pump has written aside. */
static int put_spool(struct tags *t, const char *name, int fd, struct error *err)
{
    struct writing w;
    struct stat st;
    int rc;

    if (fstat(fd, &st) < 0)
        return error_set(err, errno, "the metadata cannot be read back");
    rc = begin(&w, t, name, (uint64_t)st.st_size, err);
    if (rc == 0)
        rc = copy_spool(&w, fd, err);
    return end(&w, rc, err);
}

/* Over all tag files but the tag manifests (RFC 8493, section 2.2.1). */
static int put_tagmanifest(struct tags *t, const char *name, bool sha512, size_t n,
                           struct error *err)
{
    AUTO_STR struct str text = STR_INIT;
    char hex[SHA512_HEX];

    for (size_t i = 0; i < n; i++)
        str_addf(&text, "%s  %s\n",
                 sha512 ? sha512_hex(t->list[i].sums.sha512, hex)
                        : digest_hex(&t->list[i].sums.sha256, hex),
                 t->list[i].name);
    return put_text(t, name, &text, err);
}

static int finish(struct tags *t, struct error *err)
{
    size_t n;

    if (put_manifest(t, "manifest-sha256.txt", line_sha256, err) < 0 ||
        put_spool(t, "manifest-sha512.txt", t->sha512, err) < 0 ||
        put_spool(t, ATTRIBUTES_NAME, t->metadata, err) < 0 ||
        (needs_sums(t->payload) && put_manifest(t, "sha256sum.txt", line_sum, err) < 0) ||
        (t->index.len && put_text(t, BAG_INDEX, &t->index, err) < 0))
        return -1;
    n = t->len;
    return put_tagmanifest(t, "tagmanifest-sha256.txt", false, n, err) < 0 ||
                   put_tagmanifest(t, "tagmanifest-sha512.txt", true, n, err) < 0
               ? -1
               : 0;
}

int tags_finish(struct tags *t, struct error *err)
{
    int rc = finish(t, err);

    str_clear(&t->index);
    return rc;
}
