#include "archive/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "archive/sink.h"
#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"

/* Measured on legal files, most of which are compressed already: higher levels gain less than half a
 * percent. Those of zstd also take memory for each thread: 12 MB at level 1, 45 at level 3. */
#define ZIP_LEVEL "4"
#define ZSTD_LEVEL "1"
#define ZSTD_THREADS "2"

struct pack {
    struct archive *a;
    struct archive_entry *entry;
    struct sink *sink;
    bool zip;
};

static int fail(struct pack *p, struct error *err)
{
    int number = archive_errno(p->a);

    if (number == ENOSPC || number == EDQUOT)
        return error_set(err, number, "there is no room for the archive");
    return error_set(err, number > 0 ? number : EIO, "the archive cannot be written (%s)",
                     archive_error_string(p->a) ? archive_error_string(p->a) : "unknown");
}

static la_ssize_t on_write(struct archive *a, void *ctx, const void *bytes, size_t n)
{
    const struct pack *p = ctx;

    if (sink_add(p->sink, bytes, n) == 0)
        return (la_ssize_t)n;
    archive_set_error(a, errno, "write");
    return -1;
}

static int set_up(struct pack *p)
{
    /* One block of the caller's size: nothing is padded. */
    if (archive_write_set_bytes_per_block(p->a, 0) != ARCHIVE_OK)
        return -1;
    if (p->zip)
        return archive_write_set_format_zip(p->a) == ARCHIVE_OK &&
                       archive_write_set_format_option(p->a, "zip", "hdrcharset", "UTF-8") ==
                           ARCHIVE_OK &&
                       archive_write_set_format_option(p->a, "zip", "compression-level",
                                                       ZIP_LEVEL) == ARCHIVE_OK
                   ? 0
                   : -1;
    return archive_write_set_format_pax_restricted(p->a) == ARCHIVE_OK &&
                   archive_write_set_format_option(p->a, "pax", "hdrcharset", "UTF-8") ==
                       ARCHIVE_OK &&
                   archive_write_add_filter_zstd(p->a) == ARCHIVE_OK &&
                   archive_write_set_filter_option(p->a, "zstd", "compression-level",
                                                   ZSTD_LEVEL) == ARCHIVE_OK &&
                   archive_write_set_filter_option(p->a, "zstd", "threads", ZSTD_THREADS) ==
                       ARCHIVE_OK
               ? 0
               : -1;
}

struct pack *pack_new(int fd, enum snapshot_format format, struct error *err)
{
    struct pack *p = xcalloc(1, sizeof *p);

    p->zip = format == SNAPSHOT_ZIP;
    p->a = archive_write_new();
    p->entry = archive_entry_new();
    p->sink = sink_start(fd);
    if (!p->a || !p->entry || !p->sink) {
        error_set(err, errno, "no archive can be begun");
    } else if (set_up(p) < 0 || archive_write_open(p->a, p, NULL, on_write, NULL) != ARCHIVE_OK) {
        fail(p, err);
    } else {
        return p;
    }
    pack_free(p);
    return NULL;
}

int pack_begin(struct pack *p, const struct pack_entry *e, struct error *err)
{
    struct archive_entry *entry = archive_entry_clear(p->entry);
    int64_t seconds = e->mtime_ns / NS_PER_S - (e->mtime_ns % NS_PER_S < 0);

    if (p->zip && (e->deflate ? archive_write_zip_set_compression_deflate(p->a)
                              : archive_write_zip_set_compression_store(p->a)) != ARCHIVE_OK)
        return fail(p, err);
    archive_entry_copy_pathname(entry, e->name);
    archive_entry_set_mode(entry, e->mode);
    archive_entry_set_size(entry, (la_int64_t)e->size);
    archive_entry_set_mtime(entry, seconds, (long)(e->mtime_ns - seconds * NS_PER_S));
    archive_entry_set_uid(entry, e->uid);
    archive_entry_set_gid(entry, e->gid);
    return archive_write_header(p->a, entry) == ARCHIVE_OK ? 0 : fail(p, err);
}

int pack_add(struct pack *p, const void *bytes, size_t n, struct error *err)
{
    const char *at = bytes;

    while (n) {
        la_ssize_t done = archive_write_data(p->a, at, n);

        if (done < 0)
            return fail(p, err);
        if (done == 0)
            return error_set(err, EIO, "the archive takes no more bytes");
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

int pack_end(struct pack *p, struct error *err)
{
    return archive_write_finish_entry(p->a) == ARCHIVE_OK ? 0 : fail(p, err);
}

int pack_finish(struct pack *p, uint64_t *size, struct digest *digest, struct error *err)
{
    int rc = archive_write_close(p->a) == ARCHIVE_OK ? 0 : fail(p, err);
    struct sink *sink = p->sink;

    p->sink = NULL;
    if (sink_end(sink, size, digest) < 0 && rc == 0)
        rc = error_set(err, errno, "the archive cannot be written");
    pack_free(p);
    return rc;
}

void pack_free(struct pack *p)
{
    struct digest digest;
    uint64_t size;

    if (!p)
        return;
    if (p->a && p->sink)
        archive_write_fail(p->a); /* closing would write its end */
    if (p->a)
        archive_write_free(p->a);
    if (p->entry)
        archive_entry_free(p->entry);
    if (p->sink)
        (void)sink_end(p->sink, &size, &digest);
    free(p);
}
