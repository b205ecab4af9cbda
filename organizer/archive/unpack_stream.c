#include "archive/unpack_stream.h"

#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/zipdir.h"
#include "base/alloc.h"

#define STEP_LEAST ((size_t)4 << 10)
#define STEP_MOST  ((size_t)256 << 10)
#define PASSED     ((uint64_t)8 << 20) /* so many bytes, and it is said */
#define TAR_BLOCK  512
/* The end of a tar is two blocks of zeros (POSIX.1-2017, pax, "ustar Interchange Format"). */
#define TAR_END (2 * TAR_BLOCK)

static ssize_t read_some(const struct stream *s, char *p, size_t n, uint64_t at)
{
    ssize_t r;

    do
        r = pread(s->fd, p, n, (off_t)at);
    while (r < 0 && errno == EINTR);
    return r;
}

enum unpack_format stream_format(int fd, uint64_t size)
{
    static const struct {
        const char *magic;
        size_t len;
        enum unpack_format format;
    } known[] = {
        {"\x1f\x8b", 2, UNPACK_TAR_GZ},
        {"\x28\xb5\x2f\xfd", 4, UNPACK_TAR_ZST},
        {"BZh", 3, UNPACK_TAR_BZ2},
        {"\xfd"
         "7zXZ",
         6, UNPACK_TAR_XZ},
        {"PK\x03\x04", 4, UNPACK_ZIP},
        {"PK\x05\x06", 4, UNPACK_ZIP},
    };
    struct stream s = {.fd = fd};
    char head[TAR_BLOCK] = "";
    ssize_t n = read_some(&s, head, sizeof head, 0);

    for (size_t i = 0; n > 0 && i < sizeof known / sizeof known[0]; i++)
        if (memcmp(head, known[i].magic, known[i].len) == 0)
            return known[i].format;
    if (n == TAR_BLOCK && memcmp(head + 257, "ustar", 5) == 0)
        return UNPACK_TAR;
    if (zip_dir_ends(fd, size))
        return UNPACK_ZIP;
    /* The tar of old has no mark; libarchive looks at its check sum. */
    return n == TAR_BLOCK ? UNPACK_TAR : UNPACK_NONE;
}

/* ---- the file's own bytes
 * -------------------------------------------------------------------- */

/* Up to n bytes of what is read, from at on. */
static ssize_t read_part(const struct stream *s, size_t n, const void **p)
{
    uint64_t left = s->size > s->at ? s->size - s->at : 0;

    *p = s->buf;
    if (!s->tail)
        return read_some(s, s->buf, n, s->at);
    if (left)
        return read_some(s, s->buf, left < n ? (size_t)left : n, s->at);
    *p = s->tail + (s->at - s->size);
    return (ssize_t)(s->tail_len - (size_t)(s->at - s->size));
}

static uint64_t whole_size(const struct stream *s)
{
    return s->size + s->tail_len;
}

static la_ssize_t plain_read(struct archive *a, void *ctx, const void **p)
{
    struct stream *s = ctx;
    ssize_t n = read_part(s, s->step, p);

    (void)a;
    if (n < 0) {
        snprintf(s->error, sizeof s->error, "it cannot be read: %s", strerror(errno));
        return ARCHIVE_FATAL;
    }
    s->at += (uint64_t)n;
    /* Whoever reads on gets more at a time; whoever jumps from header to header does not wait. */
    if (s->step < STEP_MOST)
        s->step *= 2;
    return n;
}

static la_int64_t plain_skip(struct archive *a, void *ctx, la_int64_t n)
{
    struct stream *s = ctx;
    uint64_t left = whole_size(s) > s->at ? whole_size(s) - s->at : 0;

    (void)a;
    if (n > 0 && (uint64_t)n > left)
        n = (la_int64_t)left;
    s->at += (uint64_t)n;
    s->step = STEP_LEAST;
    return n;
}

static la_int64_t plain_seek(struct archive *a, void *ctx, la_int64_t off, int whence)
{
    struct stream *s = ctx;
    la_int64_t base = whence == SEEK_CUR   ? (la_int64_t)s->at
                      : whence == SEEK_END ? (la_int64_t)whole_size(s)
                                           : 0;

    (void)a;
    if (base + off < 0 || (uint64_t)(base + off) > whole_size(s))
        return ARCHIVE_FATAL;
    s->at = (uint64_t)(base + off);
    s->step = STEP_LEAST;
    return (la_int64_t)s->at;
}

int stream_open_plain(struct stream *s, struct archive *a)
{
    s->buf = s->buf ? s->buf : xmalloc(STEP_MOST);
    s->step = STEP_LEAST;
    archive_read_set_callback_data(a, s);
    archive_read_set_read_callback(a, plain_read);
    archive_read_set_skip_callback(a, plain_skip);
    archive_read_set_seek_callback(a, plain_seek);
    return archive_read_open1(a);
}

/* ---- decompressed
 * ---------------------------------------------------------------------------- */

static void count_zeros(struct stream *s, const char *p, size_t n)
{
    size_t tail = 0;

    while (tail < n && p[n - 1 - tail] == 0)
        tail++;
    s->zeros = tail == n ? s->zeros + n : tail;
    s->whole += n;
}

static la_ssize_t raw_read(struct archive *a, void *ctx, const void **p)
{
    struct stream *s = ctx;
    la_int64_t at;
    size_t n = 0;
    int r;

    do
        r = archive_read_data_block(s->raw, p, &n, &at);
    while (r == ARCHIVE_RETRY || (r == ARCHIVE_OK && n == 0));
    if (r == ARCHIVE_EOF)
        return 0;
    if (r < ARCHIVE_WARN) {
        const char *why = archive_error_string(s->raw);

        snprintf(s->error, sizeof s->error, "it cannot be decompressed: %s",
                 why ? why : "it is damaged");
        archive_set_error(a, EINVAL, "%s", s->error);
        return ARCHIVE_FATAL;
    }
    count_zeros(s, *p, n);
    if (s->whole - s->told < PASSED)
        return (la_ssize_t)n;
    s->told = s->whole;
    return s->passed(s->ctx, s->whole) < 0 ? ARCHIVE_FATAL : (la_ssize_t)n;
}

static void support(struct archive *raw, enum unpack_format format)
{
    archive_read_support_format_raw(raw);
    switch (format) {
    case UNPACK_TAR_GZ:
        archive_read_support_filter_gzip(raw);
        break;
    case UNPACK_TAR_ZST:
        archive_read_support_filter_zstd(raw);
        break;
    case UNPACK_TAR_BZ2:
        archive_read_support_filter_bzip2(raw);
        break;
    default:
        archive_read_support_filter_xz(raw);
        break;
    }
}

int stream_open(struct stream *s, struct archive *a, enum unpack_format format)
{
    struct archive_entry *e;

    if (format == UNPACK_TAR || format == UNPACK_NONE)
        return stream_open_plain(s, a);
    s->raw = archive_read_new();
    support(s->raw, format);
    if (stream_open_plain(s, s->raw) != ARCHIVE_OK ||
        archive_read_next_header(s->raw, &e) < ARCHIVE_WARN) {
        const char *why = archive_error_string(s->raw);

        snprintf(s->error, sizeof s->error, "%s", why ? why : "it cannot be decompressed");
        return ARCHIVE_FATAL;
    }
    s->whole = s->told = 0;
    archive_read_set_callback_data(a, s);
    archive_read_set_read_callback(a, raw_read);
    return archive_read_open1(a);
}

/* ---- the end
 * --------------------------------------------------------------------------------- */

static bool all_zeros(const char *p, size_t n)
{
    while (n && p[n - 1] == 0)
        n--;
    return n == 0;
}

/* The bytes that the archive's own reader took no notice of. */
static const char *drain(struct stream *s)
{
    const void *p;
    la_ssize_t n;

    if (s->raw) {
        bool rest = false;

        while ((n = raw_read(s->raw, s, &p)) > 0)
            rest |= !all_zeros(p, (size_t)n);
        if (n < 0)
            return s->error;
        return rest ? "something lies behind the end of the tar" : NULL;
    }
    s->zeros = 0;
    if (s->size >= TAR_END && read_some(s, s->buf, TAR_END, s->size - TAR_END) == TAR_END &&
        all_zeros(s->buf, TAR_END))
        s->zeros = TAR_END;
    s->whole = s->size;
    return NULL;
}

const char *stream_finish(struct stream *s)
{
    const char *doubt = drain(s);

    if (doubt)
        return doubt;
    if (s->zeros < TAR_END)
        return "the mark at the end of the tar is missing: it is cut off, or something lies behind "
               "it";
    if (s->whole % TAR_BLOCK)
        return "the tar does not end with a whole block: it is cut off";
    return NULL;
}

const char *stream_error(const struct stream *s)
{
    return s->error;
}

void stream_close(struct stream *s)
{
    if (s->raw)
        archive_read_free(s->raw);
    free(s->buf);
    s->raw = NULL;
    s->buf = NULL;
}
