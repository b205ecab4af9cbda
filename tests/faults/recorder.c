/* recorder: a disk in a file system of its own (FUSE) that notes down what reaches it: each write with its bytes,
 * and each flush. From these notes tests/faults/blocks makes what a disk may hold after a power cut: all that was
 * flushed, and any part of what was written since.
 *
 *   recorder IMAGE NOTES MOUNTPOINT [BAD]    the disk is MOUNTPOINT/disk; ends when it is unmounted
 *
 * BAD: the first write that holds these bytes fails, and the disk does not have it.
 *
 * A note is struct note, and behind a write its bytes. One thread: notes are in the order in which the disk was told. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct note {
    uint64_t offset;
    uint32_t len; /* FLUSH: none */
    uint32_t kind;
};

enum { WRITE = 1, FLUSH = 2 };

static const char *const disk_path = "/disk";

struct recorder {
    int image, notes;
    const char *bad; /* NULL: no write fails */
};

static struct recorder *self(void)
{
    return fuse_get_context()->private_data;
}

static int put(int fd, const void *bytes, size_t n, off_t at)
{
    const char *p = bytes;

    while (n) {
        ssize_t done = at < 0 ? write(fd, p, n) : pwrite(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        p += done;
        n -= (size_t)done;
        at += at < 0 ? 0 : done;
    }
    return 0;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
    (void)info;
    memset(st, 0, sizeof *st);
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0700;
        st->st_nlink = 2;
        return 0;
    }
    return strcmp(path, disk_path) == 0 ? fstat(self()->image, st) < 0 ? -errno : 0 : -ENOENT;
}

static int on_open(const char *path, struct fuse_file_info *info)
{
    if (strcmp(path, disk_path) != 0)
        return -ENOENT;
    info->direct_io = 1; /* nothing waits in a cache: the order is that of the block layer */
    return 0;
}

static int on_read(const char *path, char *bytes, size_t n, off_t at, struct fuse_file_info *info)
{
    ssize_t got = pread(self()->image, bytes, n, at);

    (void)path, (void)info;
    return got < 0 ? -errno : (int)got;
}

static int on_write(const char *path, const char *bytes, size_t n, off_t at, struct fuse_file_info *info)
{
    const struct note note = {.offset = (uint64_t)at, .len = (uint32_t)n, .kind = WRITE};
    struct recorder *r = self();
    int rc;

    (void)path, (void)info;
    if (r->bad && memmem(bytes, n, r->bad, strlen(r->bad))) {
        r->bad = NULL;
        return -EIO;
    }
    rc = put(r->notes, &note, sizeof note, -1);
    if (rc == 0)
        rc = put(r->notes, bytes, n, -1);
    if (rc == 0)
        rc = put(r->image, bytes, n, at);
    return rc < 0 ? rc : (int)n;
}

static int on_fsync(const char *path, int data, struct fuse_file_info *info)
{
    const struct note note = {.kind = FLUSH};

    (void)path, (void)data, (void)info;
    return put(self()->notes, &note, sizeof note, -1);
}

static const struct fuse_operations operations = {
    .getattr = on_getattr, .open = on_open, .read = on_read, .write = on_write, .fsync = on_fsync};

int main(int argc, char **argv)
{
    struct recorder r;
    char *args[] = {argv[0], "-f", "-s", argc > 3 ? argv[3] : NULL, NULL};

    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: recorder IMAGE NOTES MOUNTPOINT [BAD]\n");
        return 2;
    }
    r.bad = argv[4];
    r.image = open(argv[1], O_RDWR | O_CLOEXEC);
    r.notes = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (r.image < 0 || r.notes < 0) {
        perror("recorder");
        return 1;
    }
    return fuse_main(4, args, &operations, &r);
}
