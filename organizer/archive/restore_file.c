#include "archive/restore_file.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"

#define BLOCK     ((size_t)4096)
#define HOLE      ((size_t)64 << 10) /* fewer zeros are written: a hole for each would be slow to read */
#define REST_MOST ((uint64_t)64 << 20)
#define REST_PART 16

uint64_t restore_file_room(int fd)
{
    struct statvfs st;
    uint64_t free;

    if (fstatvfs(fd, &st) < 0 || !st.f_blocks)
        return UINT64_MAX;
    free = (uint64_t)st.f_bavail * st.f_frsize;
    return free - (free / REST_PART < REST_MOST ? free / REST_PART : REST_MOST);
}

static int write_bytes(struct restore_file *f, const void *p, size_t n)
{
    if (n > *f->room) {
        errno = ENOSPC;
        return -1;
    }
    if (*f->room != UINT64_MAX) {
        *f->room -= n;
        f->taken += n;
    }
    return io_write_all(f->fd, p, n);
}

/* What was put off, for more is to follow. */
static int settle_zeros(struct restore_file *f)
{
    static const char zeros[HOLE];
    uint64_t n = f->zeros;

    f->zeros = 0;
    if (n < HOLE)
        return n ? write_bytes(f, zeros, (size_t)n) : 0;
    return lseek(f->fd, (off_t)n, SEEK_CUR) < 0 ? -1 : 0;
}

static int is_zero(const char *p, size_t n)
{
    return !*p && memcmp(p, p + 1, n - 1) == 0;
}

/* Length of the bytes at p up to the next block of zeros. */
static size_t data_length(const char *p, size_t n)
{
    size_t at = 0;

    while (at < n && !is_zero(p + at, n - at < BLOCK ? n - at : BLOCK))
        at += n - at < BLOCK ? n - at : BLOCK;
    return at;
}

int restore_file_add(struct restore_file *f, const void *p, size_t n)
{
    const char *at = p;

    while (n) {
        size_t data = data_length(at, n);

        if (data && (settle_zeros(f) < 0 || write_bytes(f, at, data) < 0))
            return -1;
        if (!data) {
            data = n < BLOCK ? n : BLOCK;
            f->zeros += data;
        }
        at += data;
        n -= data;
    }
    return 0;
}

int restore_file_end(struct restore_file *f)
{
    off_t at;

    if (f->zeros < HOLE)
        return settle_zeros(f);
    at = lseek(f->fd, 0, SEEK_CUR);
    return at < 0 || ftruncate(f->fd, at + (off_t)f->zeros) < 0 ? -1 : 0;
}

void restore_file_removed(struct restore_file *f)
{
    *f->room += f->taken;
    f->taken = 0;
}
