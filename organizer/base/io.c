#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

/* What is mounted where fd is; before Linux 5.8 the device of it, which is not one for all of an
 * overlay. And whether fd is of a link. */
static int mount_of(int fd, uint64_t *mount, bool *is_link)
{
    struct statx x;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &x) < 0)
        return -1;
    *is_link = S_ISLNK(x.stx_mode);
    *mount = x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : makedev(x.stx_dev_major, x.stx_dev_minor);
    return 0;
}

static int open_part(int dir, const char *name, int flags, mode_t mode)
{
    int fd;

    do
        fd = openat(dir, name, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* As openat2(2) below, one part of the path after another: for kernels before 5.6, and for services
 * whose unit has RestrictSUIDSGID=, which forbids the call. */
static int walk_beneath(int root, const char *path, int flags, mode_t mode)
{
    AUTO_CLOSE int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
    AUTO_FREE char *copy = xstrdup(path);
    char *part = copy, *slash;
    uint64_t top, now;
    struct stat st;
    bool is_link;

    if (dir < 0 || mount_of(root, &top, &is_link) < 0)
        return -1;
    if (*path == '/' || strlen(path) >= PATH_MAX) {
        errno = *path == '/' ? EXDEV : ENAMETOOLONG;
        return -1;
    }
    do {
        int fd;

        slash = strchr(part, '/');
        if (slash)
            *slash = '\0';
        fd = open_part(dir, *part ? part : ".",
                       slash ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC : flags | O_NOFOLLOW,
                       mode);
        if (fd < 0) {
            /* openat2() says so of a link that it was told not to follow, else ELOOP. */
            bool told = !slash && flags & O_NOFOLLOW;

            if (errno == ENOTDIR && !told && fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISLNK(st.st_mode))
                errno = ELOOP;
            return -1;
        }
        close(dir);
        dir = fd;
        if (mount_of(dir, &now, &is_link) < 0)
            return -1;
        if (now != top) {
            errno = EXDEV;
            return -1;
        }
        part = slash ? slash + 1 : part;
    } while (slash);
    /* One with O_PATH is got of a link itself. */
    if (is_link && !(flags & O_NOFOLLOW)) {
        errno = ELOOP;
        return -1;
    }
    int result = dir;
    dir = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): AUTO_CLOSE reads it */
    return result;
}

/* A part of it is "..": what others say of a folder must not name what lies beside that. */
static bool goes_up(const char *path)
{
    for (const char *p = path, *slash; p; p = slash ? slash + 1 : NULL) {
        slash = strchr(p, '/');
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
            return true;
    }
    return false;
}

int beneath_open(int root, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOCTTY),
        .mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    long fd;

    if (goes_up(path)) {
        errno = EXDEV;
        return -1;
    }
    if (!(flags & (O_DIRECTORY | O_PATH)))
        how.flags |= O_NONBLOCK;
    if (flags & O_PATH)
        how.flags &= (uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    do
        fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 && errno == ENOSYS)
        return walk_beneath(root, *path ? path : ".", (int)how.flags, mode);
    return (int)fd;
}

int beneath_parent(int root, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *dir;
    int fd, saved;

    *name = slash ? slash + 1 : path;
    dir = slash ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");
    fd = beneath_open(root, dir, O_RDONLY | O_DIRECTORY, 0);
    saved = errno;
    free(dir);
    errno = saved;
    return fd;
}

int beneath_mkdirs(int root, const char *path)
{
    char *p = xstrdup(path);
    int rc = 0;

    for (char *q = p; rc == 0 && *q;) {
        char *slash = strchrnul(q, '/');
        char was = *slash;
        const char *name;
        AUTO_CLOSE int fd = -1;

        *slash = '\0';
        fd = beneath_parent(root, p, &name);
        if (fd < 0 || (mkdirat(fd, name, 0777) < 0 && errno != EEXIST))
            rc = -1;
        *slash = was;
        q = was ? slash + 1 : slash;
    }
    if (rc == 0) {
        AUTO_CLOSE int fd = beneath_open(root, path, O_PATH | O_DIRECTORY, 0);

        rc = fd < 0 ? -1 : 0;
    }
    free(p);
    return rc;
}

int io_open_again(int fd)
{
    return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

DIR *io_list(int fd)
{
    return io_list_own(io_open_again(fd));
}

DIR *io_list_own(int fd)
{
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    int saved = errno;

    if (!d && fd >= 0)
        close(fd);
    errno = saved;
    return d;
}

int io_next(DIR *d, struct dirent **e)
{
    do {
        errno = 0;
        *e = readdir(d);
        if (!*e)
            return errno ? -1 : 0;
    } while (strcmp((*e)->d_name, ".") == 0 || strcmp((*e)->d_name, "..") == 0);
    return 1;
}

bool io_is_lasting(int number)
{
    static const int all[] = {ENOENT, ENOTDIR, ELOOP, ENXIO, EXDEV, EACCES, EPERM, EINVAL, EFBIG};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (number == all[i])
            return true;
    return false;
}

int io_write_all(int fd, const void *p, size_t n)
{
    const char *s = p;

    while (n > 0) {
        ssize_t w = write(fd, s, n);

        if (w < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        s += w;
        n -= (size_t)w;
    }
    return 0;
}

int io_read_all(int fd, struct str *out, size_t max)
{
    char buf[16384];

    for (;;) {
        ssize_t r = read(fd, buf, sizeof buf);

        if (r < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (r == 0)
            return 0;
        if (out->len + (size_t)r > max) {
            errno = EFBIG;
            return -1;
        }
        str_addn(out, buf, (size_t)r);
    }
}

int io_read_file(int dirfd, const char *name, struct str *out, size_t max)
{
    AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return io_read_all(fd, out, max);
}
