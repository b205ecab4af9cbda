#include "archive/reading.h"

#include <errno.h>

static la_ssize_t on_read(struct archive *a, void *ctx, const void **bytes)
{
    struct reading *r = ctx;
    ssize_t n = disk_read(r->disk, r->pos, bytes);

    if (n < 0)
        archive_set_error(a, errno, "read");
    else
        r->pos += (uint64_t)n;
    return n;
}

static la_int64_t on_seek(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
    struct reading *r = ctx;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)r->pos
                                        : (int64_t)disk_size(r->disk);

    (void)a;
    r->pos = (uint64_t)(base + offset);
    return (la_int64_t)r->pos;
}

static la_int64_t on_skip(struct archive *a, void *ctx, la_int64_t n)
{
    struct reading *r = ctx;

    (void)a;
    r->pos += (uint64_t)n;
    return n;
}

int reading_open(struct reading *r, struct disk *disk, enum snapshot_format format)
{
    *r = (struct reading){.a = archive_read_new(), .disk = disk};
    if (!r->a)
        return ARCHIVE_FATAL;
    if (format == SNAPSHOT_ZIP) {
        archive_read_support_format_zip_seekable(r->a);
        archive_read_set_seek_callback(r->a, on_seek);
    } else {
        archive_read_support_format_tar(r->a);
        archive_read_support_filter_zstd(r->a);
    }
    archive_read_set_read_callback(r->a, on_read);
    archive_read_set_skip_callback(r->a, on_skip);
    archive_read_set_callback_data(r->a, r);
    return archive_read_open1(r->a);
}

void reading_close(struct reading *r)
{
    if (r->a)
        archive_read_free(r->a);
    r->a = NULL;
}
