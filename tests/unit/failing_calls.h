/*
 * failing_calls: the calls that touch files, standing before libc's. They are counted, and the nth
 * fails, is interrupted, or does half of what was asked. For one test that includes it.
 */
#ifndef TESTS_FAILING_CALLS_H
#define TESTS_FAILING_CALLS_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum deed { FAIL, SHORT, AGAIN };

static struct {
    atomic_uint n;  /* calls so far */
    atomic_uint at; /* the one that fails, 0 for none */
    enum deed deed;
    bool ever;          /* and all behind it */
    int with;           /* errno of FAIL */
    long file_system;   /* what fstatfs(2) says it is; 0: the truth */
    const char *not_of; /* calls on files whose path holds this do not count; or NULL */
    const char *only;   /* calls of that name count and no others; or NULL */
    bool few;           /* of a file that is read to its end only two calls in a row count */
    atomic_uint syncs;  /* of anything, so far, but for fdatasync(2), which is SQLite's, too */
    char hit[32];       /* the name of the call that failed */
} sys = {.with = EIO, .file_system = XFS_SUPER_MAGIC};

static long (*real_syscall)(long, ...);

static long raw(long number, long a, long b, long c, long d, long e)
{
    if (!real_syscall)
        *(void **)&real_syscall = dlsym(RTLD_NEXT, "syscall");
    return real_syscall(number, a, b, c, d, e);
}

/* Nothing fails yet. */
static void fail_at(enum deed deed, unsigned n)
{
    sys.n = 0;
    sys.at = n;
    sys.deed = deed;
}

/* Whether the nth call came at all. Nothing fails from here on. */
static bool was_hit(void)
{
    bool hit = sys.at && sys.n >= sys.at;

    sys.at = 0;
    return hit;
}

static bool is_counted(int fd)
{
    char link[40], path[256];
    ssize_t n;

    if (!sys.at || fd < 0)
        return sys.at && fd != -2;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = raw(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, sizeof path - 1, 0);
    path[n > 0 ? n : 0] = '\0';
    /* Events of the loop and the like have no path. */
    return *path == '/' && !(sys.not_of && strstr(path, sys.not_of));
}

static bool is_more_of_it(const char *name, int fd)
{
    static _Thread_local const char *last;
    static _Thread_local int last_fd;
    static _Thread_local unsigned times;

    times = name == last && fd == last_fd ? times + 1 : 0;
    last = name;
    last_fd = fd;
    return sys.few && times > 1;
}

/* SHORT and AGAIN are asked only of calls that read and write. */
static bool hits(const char *name, int fd, bool reads)
{
    if ((!reads && sys.deed != FAIL) || (sys.only && strcmp(sys.only, name) != 0) ||
        !is_counted(fd) || is_more_of_it(name, fd) || ++sys.n < sys.at || (!sys.ever && sys.n != sys.at))
        return false;
    snprintf(sys.hit, sizeof sys.hit, "%s", name);
    return true;
}

static int failed(void)
{
    errno = sys.deed == AGAIN ? EINTR : sys.with;
    return -1;
}

#define MOVES(name, number, params, fd, buf, n, at)                                                \
    ssize_t name params                                                                            \
    {                                                                                              \
        bool hit = hits(#name, fd, true);                                                          \
                                                                                                   \
        if (hit && sys.deed != SHORT)                                                              \
            return failed();                                                                       \
        return raw(number, fd, (long)buf, (long)(hit && n > 1 ? n / 2 : n), at, 0);                \
    }

MOVES(pread, SYS_pread64, (int fd, void *buf, size_t n, off_t at), fd, buf, n, at)
MOVES(pwrite, SYS_pwrite64, (int fd, const void *buf, size_t n, off_t at), fd, buf, n, at)
MOVES(read, SYS_read, (int fd, void *buf, size_t n), fd, buf, n, 0)
MOVES(write, SYS_write, (int fd, const void *buf, size_t n), fd, buf, n, 0)

/* Instead of a descriptor: -2 when it does not count. */
static int of_path(const char *path)
{
    return sys.not_of && strstr(path, sys.not_of) ? -2 : -1;
}

#define DOES(name, number, params, fd, a, b, c, d, e)                                              \
    int name params                                                                                \
    {                                                                                              \
        return hits(#name, fd, false) ? failed() : (int)raw(number, a, b, c, d, e);                \
    }

DOES(fstat, SYS_fstat, (int fd, struct stat *st), fd, fd, (long)st, 0, 0, 0)
DOES(fstatat, SYS_newfstatat, (int dir, const char *path, struct stat *st, int flags), dir, dir,
     (long)path, (long)st, flags, 0)
DOES(statx, SYS_statx, (int dir, const char *path, int flags, unsigned mask, struct statx *st), dir,
     dir, (long)path, flags, mask, (long)st)
DOES(faccessat, SYS_faccessat2, (int dir, const char *path, int mode, int flags), dir, dir,
     (long)path, mode, flags, 0)
DOES(mkdirat, SYS_mkdirat, (int dir, const char *path, mode_t mode), dir, dir, (long)path, mode, 0,
     0)
DOES(unlink, SYS_unlink, (const char *path), of_path(path), (long)path, 0, 0, 0, 0)
DOES(renameat2, SYS_renameat2, (int from, const char *old, int to, const char *new, unsigned flags),
     from, from, (long)old, to, (long)new, flags)

/* What is on the disk is another test's question. */
int fsync(int fd)
{
    sys.syncs++;
    return hits("fsync", fd, false) ? failed() : 0;
}

int fdatasync(int fd)
{
    return hits("fdatasync", fd, false) ? failed() : 0;
}

int sync_file_range(int fd, off_t at, off_t n, unsigned flags)
{
    (void)at, (void)flags;
    if (n > 0)
        return 0; /* a first part, ahead of the sync, which tells what fails */
    sys.syncs++;
    return hits("sync_file_range", fd, false) ? failed() : 0;
}

/* On what the folder of a test lies is its own affair: where a test says it, the call does not
 * count. */
int fstatfs(int fd, struct statfs *fs)
{
    int rc = !sys.file_system && hits("fstatfs", -1, false)
                 ? failed()
                 : (int)raw(SYS_fstatfs, fd, (long)fs, 0, 0, 0);

    if (rc == 0 && sys.file_system)
        fs->f_type = sys.file_system;
    return rc;
}

int syncfs(int fd)
{
    sys.syncs++;
    return hits("syncfs", fd, false) ? failed() : 0;
}

off_t lseek(int fd, off_t at, int whence)
{
    return hits("lseek", fd, false) ? failed() : raw(SYS_lseek, fd, at, whence, 0, 0);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    if (flags & O_CREAT) {
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    return hits("openat", dir, false) ? failed()
                                      : (int)raw(SYS_openat, dir, (long)path, flags, mode, 0);
}

struct dirent *readdir(DIR *d)
{
    static struct dirent *(*real)(DIR *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "readdir");
    return hits("readdir", dirfd(d), false) ? (failed(), NULL) : real(d);
}

DIR *fdopendir(int fd)
{
    static DIR *(*real)(int);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdopendir");
    return hits("fdopendir", fd, false) ? (failed(), NULL) : real(fd);
}

/* Of leases and flags: locks are SQLite's. */
int fcntl(int fd, int cmd, ...)
{
    bool ours = cmd == F_SETLEASE || cmd == F_GETFL || cmd == F_SETFL;
    va_list ap;
    long arg;

    va_start(ap, cmd);
    arg = va_arg(ap, long);
    va_end(ap);
    return ours && hits("fcntl", fd, false) ? failed() : (int)raw(SYS_fcntl, fd, cmd, arg, 0, 0);
}

/* openat2(2), which libc has no name for. */
long syscall(long number, ...)
{
    long a[6];
    va_list ap;

    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (number == SYS_openat2 && hits("openat2", (int)a[0], false))
        return failed();
    if (!real_syscall)
        *(void **)&real_syscall = dlsym(RTLD_NEXT, "syscall");
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
