/* io_replace: files that are replaced or not at all, and the mark of those on their way there. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"

void io_mark_temp(int fd, bool temporary)
{
    if (temporary)
        (void)!fsetxattr(fd, IO_TEMP_MARK, "", 0, 0);
    else
        (void)!fremovexattr(fd, IO_TEMP_MARK);
}

void io_mark_replaced(int fd, const struct digest *d)
{
    char hex[DIGEST_HEX];

    (void)!fsetxattr(fd, IO_TEMP_MARK, digest_hex(d, hex), DIGEST_HEX - 1, 0);
}

bool io_is_temp(int fd)
{
    char hex[DIGEST_HEX] = "";
    ssize_t n = fgetxattr(fd, IO_TEMP_MARK, hex, sizeof hex - 1);
    struct digest marked, there;

    return n == 0 || (n > 0 && digest_parse(hex, &marked) == 0 && digest_of_fd(fd, &there) == 0 &&
                      digest_equal(&marked, &there));
}

static int make_temp(int dirfd, mode_t mode, char *name, size_t size)
{
    for (int tries = 0; tries < 8; tries++) {
        uint64_t r;
        int fd;

        if (getrandom(&r, sizeof r, 0) != sizeof r)
            return -1;
        snprintf(name, size, IO_TEMP_PREFIX "%016llx", (unsigned long long)r);
        fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    mode ? mode : 0666);
        if (fd >= 0)
            io_mark_temp(fd, true);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int io_replace(int dirfd, const char *name, const void *p, size_t n, mode_t mode, bool durable,
               struct error *err)
{
    char temp[64];
    int fd = make_temp(dirfd, mode, temp, sizeof temp);

    if (fd < 0)
        return error_set(err, errno, "cannot make a temporary file beside %s", name);
    if (io_write_all(fd, p, n) < 0 || (mode && fchmod(fd, mode) < 0) ||
        (durable && fsync(fd) < 0)) {
        error_set(err, errno, "cannot write %s", name);
        close(fd);
        goto undo;
    }
    if (renameat(dirfd, temp, dirfd, name) < 0) {
        error_set(err, errno, "cannot put %s in place", name);
        close(fd);
        goto undo;
    }
    io_mark_temp(fd, false);
    if (close(fd) < 0)
        return error_set(err, errno, "cannot close %s", name);
    if (durable && fsync(dirfd) < 0)
        return error_set(err, errno, "cannot sync the folder of %s", name);
    return 0;
undo:
    unlinkat(dirfd, temp, 0);
    return -1;
}
