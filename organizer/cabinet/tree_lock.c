#include "cabinet/tree_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/cabinet.h"

/* The process that holds a flock on the file, as /proc/locks tells; 0 when it does not. */
static int holder_of(int fd)
{
    AUTO_CLOSE int locks = open("/proc/locks", O_RDONLY | O_CLOEXEC);
    AUTO_STR struct str text = STR_INIT;
    struct stat st;

    if (locks < 0 || fstat(fd, &st) < 0 || io_read_all(locks, &text, 1 << 20) < 0)
        return 0;
    for (const char *line = str_c(&text), *end; *line; line = *end ? end + 1 : end) {
        unsigned long long ino;
        int pid;

        end = strchrnul(line, '\n');
        /* "12: FLOCK  ADVISORY  WRITE 4711 08:01:131075 0 EOF"; devices are told in more ways. */
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers there */
        if (sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%llu", &pid, &ino) == 2 &&
            ino == (unsigned long long)st.st_ino)
            return pid > 0 ? pid : 0;
    }
    return 0;
}

static int refuse(int fd, const char *path, struct error *err)
{
    int pid = holder_of(fd);
    AUTO_FREE char *proc = xasprintf("/proc/%d", pid);
    const struct passwd *user;
    struct stat st;

    if (pid == 0 || stat(proc, &st) < 0)
        return error_set(err, 0,
                         "another organizer, with a private state of its own, has %s open: give "
                         "this as its user (such as sudo -u organizer organizer ...), or stop it "
                         "first",
                         path);
    if (st.st_uid == geteuid())
        return error_set(err, 0,
                         "another organizer (process %d), with a private state of its own, has %s "
                         "open: give this with the same STATE_DIRECTORY, or stop it first",
                         pid, path);
    user = getpwuid(st.st_uid);
    return error_set(
        err, 0,
        "another organizer (process %d), with a private state of its own, has %s open: "
        "give this as its user (sudo -u %s organizer ...), or stop it first",
        pid, path, user ? user->pw_name : "USER");
}

/* A process that was killed leaves its lock to a child that is just being started: worth waiting
 * for, up to a second. Returns 0, or -1 with errno. */
static int lock_patiently(int fd, int how)
{
    const struct timespec pause = {.tv_nsec = 20 * NS_PER_MS};
    int tries = 50;

    while (flock(fd, how | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || tries-- == 0)
            return -1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int lock_as(int root, const char *path, int how, struct error *err)
{
    int fd = beneath_open(root, CABINET_ID, O_RDONLY, 0);

    if (fd < 0)
        return error_set(err, errno, "cannot open %s/" CABINET_ID, path);
    if (lock_patiently(fd, how) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        refuse(fd, path, err);
    else
        how = 0;
    close(fd);
    return how ? -1 : -2;
}

int tree_lock(int root, const char *path, struct error *err)
{
    return lock_as(root, path, LOCK_EX, err);
}

int tree_lock_ask(int root, const char *path, struct error *err)
{
    int fd = lock_as(root, path, LOCK_SH, err);

    if (fd >= 0)
        close(fd);
    return fd == -1 ? -1 : 0;
}
