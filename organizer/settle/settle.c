#include "settle/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/env.h"
#include "base/io.h"
#include "base/str.h"
#include "decide/rules.h"
#include "file/lease.h"

/* How programs call the lock file beside a document. */
static const struct {
    const char *before, *after;
    unsigned without; /* so many letters at the name's beginning give way */
    bool stem;        /* the name without its extension */
} locks[] = {
    {".~lock.", "#", 0, false}, /* LibreOffice */
    {"~$", "", 0, false},       /* Excel, PowerPoint; Word for short names */
    {"~$", "", 2, false},       /* Word */
    {"~$", "", 1, false},       /* Word for names of seven letters */
    {".#", "", 0, false},       /* Emacs; a link that leads nowhere */
    {".", ".swp", 0, false},    /* vi */
    {"", ".dwl", 0, true},      /* AutoCAD */
    {"", ".laccdb", 0, true},   /* Access */
    {"", ".ldb", 0, true},
};
#define LOCKS (sizeof locks / sizeof *locks)

/* The lock file that `name`'s program would have beside it in form i. */
static char *lock_name(const char *name, size_t i)
{
    const char *dot = locks[i].stem ? strrchr(name, '.') : NULL;

    for (unsigned n = 0; n < locks[i].without && *name; n++)
        for (name++; (*name & 0xc0) == 0x80; name++)
            ;
    return xasprintf("%s%.*s%s", locks[i].before, dot ? (int)(dot - name) : (int)strlen(name), name,
                     locks[i].after);
}

bool settle_is_lock(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < LOCKS; i++) {
        size_t before = strlen(locks[i].before), after = strlen(locks[i].after);

        if (n > before + after && strncasecmp(name, locks[i].before, before) == 0 &&
            strcasecmp(name + n - after, locks[i].after) == 0)
            return true;
    }
    return false;
}

/* Opens the lock file beside the document, or -1. */
static int open_lock(int dir, const char *name)
{
    int fd = -1;

    for (size_t i = 0; dir >= 0 && fd < 0 && i < LOCKS; i++) {
        AUTO_FREE char *lock = lock_name(name, i);

        fd = openat(dir, lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    return fd;
}

char *settle_holder(int root, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, path, &name);
    AUTO_CLOSE int fd = open_lock(dir, name);
    char buf[512];
    ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
    char *field[4] = {0};

    if (n <= 0)
        return NULL;
    buf[n] = '\0';
    /* Word and Excel: one byte of length, then the user's name. */
    if ((unsigned char)buf[0] < 54 && (ssize_t)(unsigned char)buf[0] < n && !strchr(buf, ','))
        return xmemdup0(buf + 1, (unsigned char)buf[0]);
    /* LibreOffice: ,user,host,time,profile; */
    char *rest = buf;
    for (int i = 0; i < 4 && rest; i++)
        field[i] = strsep(&rest, ",;");
    if (!field[1] || !field[2])
        return NULL;
    return *field[1] ? xasprintf("%s on %s", field[1], field[2]) : xstrdup(field[2]);
}

/* Milliseconds that are left of the quiet time; a change in the future counts as now. */
static int64_t quiet_left(const struct doc_stamp *s, int64_t now, int64_t settle_ms)
{
    int64_t last = s->ctime_ns > s->mtime_ns || s->mtime_ns > now ? s->ctime_ns : s->mtime_ns;
    int64_t age = (now - last) / NS_PER_MS;

    if (age < 0)
        age = 0;
    return age >= settle_ms ? 0 : settle_ms - age;
}

/* The name of the lock file beside the document, or NULL. Caller frees. */
static char *lock_beside(int dir, const char *name)
{
    for (size_t i = 0; i < LOCKS; i++) {
        char *lock = lock_name(name, i);

        if (strcmp(lock, name) != 0 && faccessat(dir, lock, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return lock;
        free(lock);
    }
    return NULL;
}

char *settle_lock(int root, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, path, &name);

    return dir < 0 ? NULL : lock_beside(dir, name);
}

static bool has_lock_file(int dir, const char *name)
{
    AUTO_FREE char *lock = lock_beside(dir, name);

    return lock != NULL;
}

/* Reading it is no use by a person. Only the owner may say so; else the time of last use changes. */
static int open_unnoticed(int dir, const char *name)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = openat(dir, name, flags | O_NOATIME);

    return fd < 0 && (errno == EPERM || errno == EINVAL) ? openat(dir, name, flags) : fd;
}

static enum settled open_document(const struct settle_query *q, struct settle_answer *a,
                                  struct error *err)
{
    struct doc_seen seen;

    a->fd = open_unnoticed(q->dir, q->name);
    if (a->fd < 0) {
        if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == ENXIO)
            return SETTLE_GONE;
        if (errno == EAGAIN || errno == ETXTBSY)
            return SETTLE_OPEN;
        error_set(err, errno, "cannot be opened");
        return SETTLE_DENIED;
    }
    if (doc_look(a->fd, -1, NULL, &seen) < 0) {
        error_set(err, errno, "cannot be read");
        return SETTLE_DENIED;
    }
    a->stamp = seen.stamp;
    a->nlink = seen.nlink;
    return S_ISREG(seen.mode) ? SETTLED : SETTLE_GONE;
}

static enum settled ask_lease(struct settle_answer *a)
{
    switch (lease_ask_read(a->fd)) {
    case LEASE_GRANTED:
        a->leases = true;
        return SETTLED;
    case LEASE_BUSY:
        a->leases = true;
        return SETTLE_OPEN;
    default:
        a->leases = false;
        return SETTLED;
    }
}

static enum settled ask(const struct settle_query *q, struct settle_answer *a, struct error *err)
{
    int64_t settle_ms = q->settle_ms;
    enum settled s = open_document(q, a, err);

    if (s != SETTLED)
        return s;
    if (a->stamp.size == 0)
        return SETTLE_EMPTY;
    if (rules_is_new_document(q->rules, q->name))
        return SETTLE_NEW;
    s = ask_lease(a);
    if (!a->leases && settle_ms < SETTLE_WITHOUT_LEASES_MS)
        settle_ms = SETTLE_WITHOUT_LEASES_MS;
    a->again_ms = quiet_left(&a->stamp, q->now_ns, settle_ms);
    if (s == SETTLED && a->again_ms > 0)
        return SETTLE_QUIET;
    if (s == SETTLED && !q->no_locks && has_lock_file(q->dir, q->name))
        return SETTLE_LOCKED;
    return s;
}

enum settled settle_ask(const struct settle_query *q, struct settle_answer *a, struct error *err)
{
    *a = (struct settle_answer){.fd = -1};
    a->settled = ask(q, a, err);
    if (a->settled != SETTLED && a->fd >= 0) {
        close(a->fd);
        a->fd = -1;
    }
    return a->settled;
}

int64_t settle_backoff_ms(unsigned tries)
{
    int64_t ms = 20;

    while (tries-- > 0 && ms < 60000)
        ms *= 2;
    return ms < 60000 ? ms : 60000;
}
