#include "cabinet/card_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/cabinet.h"
#include "cabinet/rights.h"
#include "file/lease.h"

#define CARD_MAX (256 * 1024) /* as much as is read of a card */
#define TRIES    8            /* so often somebody may save between looking and writing */
#define XATTRS   65536        /* bytes of attribute names, and of one value */

/* One attempt. */
struct attempt {
    int dir, fd; /* the folder; the card as it was read */
    struct stat st;
    struct str text;
    char temp[sizeof IO_TEMP_PREFIX + 16];
    bool leased;
};

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum card_written open_card(struct attempt *a, struct error *err)
{
    a->fd = openat(a->dir, CARD_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (a->fd < 0 && errno == EAGAIN)
        goto open;
    if (a->fd < 0 || fstat(a->fd, &a->st) < 0)
        goto failed;
    if (!S_ISREG(a->st.st_mode)) {
        errno = EINVAL;
        goto failed;
    }
    if (io_read_all(a->fd, &a->text, CARD_MAX) < 0)
        goto failed;
    if (lease_ask_read(a->fd) != LEASE_BUSY)
        return CARD_WRITTEN;
open:
    error_set(err, 0, CARD_NAME " is open in a program: close it there first");
    return CARD_OPEN;
failed:
    error_set(err, errno, CARD_NAME " cannot be read");
    return CARD_FAILED;
}

/* ACL and all else that hangs at the old card; what may not be given is left. */
static void copy_attributes(int from, int to)
{
    AUTO_FREE char *names = xmalloc(XATTRS);
    AUTO_FREE char *value = xmalloc(XATTRS);
    ssize_t n = flistxattr(from, names, XATTRS);

    for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
        ssize_t len = fgetxattr(from, names + i, value, XATTRS);

        if (len >= 0)
            (void)!fsetxattr(to, names + i, value, (size_t)len, 0);
    }
}

/* The folder's rights first, as for anything new in it; then those of the old card. */
static int take_rights(const struct attempt *a, int fd)
{
    struct stat st;

    if (rights_of_file(a->dir, fd) < 0 || fstat(fd, &st) < 0)
        return -1;
    if ((st.st_uid != a->st.st_uid || st.st_gid != a->st.st_gid) &&
        fchown(fd, a->st.st_uid, a->st.st_gid) < 0 && errno != EPERM)
        return -1;
    if (fstat(fd, &st) < 0)
        return -1;
    /* Where the group could not be given, another one gets no more than all others had. */
    if (st.st_gid == a->st.st_gid && fchmod(fd, a->st.st_mode & 07777) < 0)
        return -1;
    copy_attributes(a->fd, fd);
    return 0;
}

static int write_beside(struct attempt *a, const struct str *text)
{
    AUTO_CLOSE int fd = -1;
    uint64_t r;

    if (getrandom(&r, sizeof r, 0) != sizeof r)
        return -1;
    snprintf(a->temp, sizeof a->temp, IO_TEMP_PREFIX "%016llx", (unsigned long long)r);
    fd = openat(a->dir, a->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        a->temp[0] = '\0';
        return -1;
    }
    io_mark_temp(fd, true);
    if (io_write_all(fd, str_c(text), text->len) < 0 || take_rights(a, fd) < 0)
        return -1;
    return fsync(fd);
}

static int exchange(const struct attempt *a)
{
    return renameat2(a->dir, a->temp, a->dir, CARD_NAME, RENAME_EXCHANGE);
}

/* Nobody saved over the old card before it was exchanged, and nobody waits to open it. */
static bool is_still(const struct attempt *a)
{
    struct stat now;

    if (fstatat(a->dir, a->temp, &now, AT_SYMLINK_NOFOLLOW) < 0 || !is_same_file(&now, &a->st))
        return false;
    return !a->leased || fcntl(a->fd, F_GETLEASE) == F_WRLCK;
}

/* What lies under the temporary name is a person's: kept beside the card. */
static void keep_aside(struct attempt *a)
{
    for (int n = 1; n < 100; n++) {
        char name[64];

        if (n == 1)
            snprintf(name, sizeof name, "Case (yours).txt");
        else
            snprintf(name, sizeof name, "Case (yours %d).txt", n);
        if (renameat2(a->dir, a->temp, a->dir, name, RENAME_NOREPLACE) == 0 || errno != EEXIST)
            break;
    }
    a->temp[0] = '\0'; /* whatever became of it, it is not ours to remove */
}

/* The person's card goes back; ours comes under the temporary name again, unless somebody saved
 * over it in between. */
static void take_back(struct attempt *a, const struct stat *ours)
{
    struct stat now;

    if (exchange(a) < 0 || fstatat(a->dir, a->temp, &now, AT_SYMLINK_NOFOLLOW) < 0)
        a->temp[0] = '\0';
    else if (now.st_ino != ours->st_ino || !is_same_file(&now, ours))
        keep_aside(a);
}

/* Ours is the card now. */
static void unmark(const struct attempt *a)
{
    AUTO_CLOSE int fd = openat(a->dir, CARD_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0)
        io_mark_temp(fd, false);
}

static enum card_written put_in_place(struct attempt *a, struct error *err)
{
    struct digest old = digest_of(str_c(&a->text), a->text.len);
    struct stat ours;

    /* A crash behind the exchange leaves the old card under the temporary name. */
    io_mark_replaced(a->fd, &old);
    if (fstatat(a->dir, a->temp, &ours, AT_SYMLINK_NOFOLLOW) < 0 || exchange(a) < 0) {
        error_set(err, errno, CARD_NAME " cannot be replaced");
        io_mark_temp(a->fd, false);
        return CARD_FAILED;
    }
    if (!is_still(a)) {
        take_back(a, &ours);
        io_mark_temp(a->fd, false);
        error_set(err, 0, CARD_NAME " is being saved by somebody: ask again in a moment");
        return CARD_OPEN;
    }
    if (unlinkat(a->dir, a->temp, 0) == 0)
        a->temp[0] = '\0';
    unmark(a);
    if (fsync(a->dir) == 0)
        return CARD_WRITTEN;
    error_set(err, errno, "the folder of " CARD_NAME " cannot be synced");
    return CARD_FAILED;
}

static enum card_written replace(struct attempt *a, const struct str *text, struct error *err)
{
    enum card_written w;

    if (write_beside(a, text) < 0) {
        error_set(err, errno, CARD_NAME " cannot be written");
        return CARD_FAILED;
    }
    switch (lease_take(a->fd)) {
    case LEASE_BUSY:
        error_set(err, 0, CARD_NAME " is open in a program: close it there first");
        return CARD_OPEN;
    case LEASE_GRANTED:
        a->leased = true;
        break;
    case LEASE_NONE:
        break;
    }
    w = put_in_place(a, err);
    if (a->leased)
        lease_drop(a->fd);
    return w;
}

static enum card_written try_once(struct attempt *a, const struct card_change *changes, size_t len,
                                  card_check *check, void *ctx, struct error *err)
{
    AUTO_STR struct str text = STR_INIT;
    enum card_written w = open_card(a, err);

    if (w != CARD_WRITTEN)
        return w;
    if (!card_edit(str_c(&a->text), a->text.len, changes, len, &text))
        return CARD_SAME;
    if (check && check(ctx, str_c(&text), text.len, err) < 0)
        return CARD_REFUSED;
    return replace(a, &text, err);
}

static void attempt_clear(struct attempt *a)
{
    if (a->temp[0])
        unlinkat(a->dir, a->temp, 0);
    cleanup_close(&a->fd);
    str_clear(&a->text);
}

enum card_written card_write(int dir, const struct card_change *changes, size_t len,
                             card_check *check, void *ctx, struct error *err)
{
    enum card_written w = CARD_OPEN;

    for (int i = 0; i < TRIES && w == CARD_OPEN; i++) {
        struct attempt a = {.dir = dir, .fd = -1};

        w = try_once(&a, changes, len, check, ctx, err);
        attempt_clear(&a);
    }
    return w;
}
