#include "archive/unpack.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "examine/launch.h"
#include "examine/wire.h"

/* An archive may unfold to so many times its size, and this much more: scans and pictures gain
 * nothing, text a twentieth; what DEFLATE can do at the most is 1032. */
#define RATIO_MAX  200
#define UNFOLD_ANY (UINT64_C(512) << 20)

struct unpack {
    struct launched child; /* sock -1: ended */
    enum unpack_format format;
    int64_t stall_ms;
    struct unpack_head head; /* of the record at hand */
    char *body;              /* in m; a NUL stands behind it */
    size_t at, len;          /* of m: where the next record begins, and all that came */
    char covered;            /* what the NUL stands in place of */
    char m[sizeof(struct unpack_head) + UNPACK_DATA_MAX + 1];
};

pid_t unpack_pid(const struct unpack *u)
{
    return u->child.pid;
}

enum unpack_format unpack_format(const struct unpack *u)
{
    return u->format;
}

const char *unpack_format_name(enum unpack_format format)
{
    static const char *const names[] = {"unknown", "zip",     "tar",   "tar.gz",
                                        "tar.zst", "tar.bz2", "tar.xz"};

    return names[format];
}

bool unpack_lists_fast(const struct unpack *u)
{
    return u->format == UNPACK_ZIP || u->format == UNPACK_TAR;
}

/* Ends it and says why it ended. */
static int gone(struct unpack *u, struct error *err)
{
    int status = 0;

    close(u->child.sock);
    u->child.sock = -1;
    kill(u->child.pid, SIGKILL);
    while (waitpid(u->child.pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return error_set(err, 0, "reading it does not come to an end: it was given up");
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        return error_set(err, 0, "the process that reads it was ended by signal %d: it is damaged",
                         WTERMSIG(status));
    return error_set(err, 0,
                     "the process that reads it ended: it is damaged, or needs more memory "
                     "than it may have");
}

static int stalled(struct unpack *u, struct error *err)
{
    gone(u, err);
    return error_set(err, 0, "nothing came out of it for %lld seconds: it was given up",
                     (long long)(u->stall_ms / 1000));
}

/* Waits until the socket is ready. Returns 0, or -1 with err. */
static int wait_for(struct unpack *u, short events, struct error *err)
{
    int64_t end = env_ticks() / NS_PER_MS + u->stall_ms;
    struct pollfd p = {.fd = u->child.sock, .events = events};

    for (;;) {
        int64_t left = end - env_ticks() / NS_PER_MS;
        int r = poll(&p, 1, left > 0 ? (int)left : 0);

        if (r > 0)
            return 0;
        if (r == 0)
            return stalled(u, err);
        if (errno != EINTR)
            return error_set(err, errno, "the process that reads it cannot be asked");
    }
}

static int tell(struct unpack *u, const void *record, size_t n, int fd, struct error *err)
{
    while (wire_send(u->child.sock, record, n, fd, MSG_DONTWAIT) < 0) {
        if (errno != EAGAIN)
            return gone(u, err);
        if (wait_for(u, POLLOUT, err) < 0)
            return -1;
    }
    return 0;
}

/* The next message, in u->m. */
static int hear_message(struct unpack *u, struct error *err)
{
    int r, fd;

    while ((r = wire_receive(u->child.sock, u->m, sizeof u->m - 1, &fd)) < 0 && errno == EAGAIN)
        if (wait_for(u, POLLIN, err) < 0)
            return -1;
    if (r <= 0)
        return gone(u, err);
    if (fd >= 0)
        close(fd);
    u->at = 0;
    u->len = (size_t)r;
    return 0;
}

/* The next record, in u->head and u->body. */
static int hear(struct unpack *u, struct error *err)
{
    if (u->at < u->len)
        u->m[u->at] = u->covered;
    else if (hear_message(u, err) < 0)
        return -1;
    if (u->len - u->at < sizeof u->head)
        return gone(u, err);
    memcpy(&u->head, u->m + u->at, sizeof u->head);
    u->at += sizeof u->head;
    if (u->head.len > u->len - u->at)
        return gone(u, err);
    u->body = u->m + u->at;
    u->at += (size_t)u->head.len;
    u->covered = u->m[u->at];
    u->m[u->at] = '\0';
    return 0;
}

static uint64_t limit_of(int fd, const struct unpack_options *o)
{
    struct stat st;

    if (o->limit || fstat(fd, &st) < 0)
        return o->limit;
    return UNFOLD_ANY + (uint64_t)st.st_size * RATIO_MAX;
}

/* Hands the archive over and hears what it is. */
static int greet(struct unpack *u, int fd, const struct unpack_options *o, struct error *err)
{
    struct wire_order order = {.what = WIRE_DOCUMENT, .limit = limit_of(fd, o)};

    if (tell(u, &order, sizeof order, fd, err) < 0 || hear(u, err) < 0)
        return -1;
    if (u->head.what == UNPACK_HELLO && hear(u, err) < 0)
        return -1;
    if (u->head.what != UNPACK_FORMAT || u->head.number > UNPACK_TAR_XZ)
        return gone(u, err);
    u->format = (enum unpack_format)u->head.number;
    if (u->format == UNPACK_NONE)
        return error_set(err, 0,
                         "it is no archive of a kind that is read here (zip, tar, tar.gz, "
                         "tar.zst, tar.bz2, tar.xz), or its beginning is damaged");
    return 0;
}

struct unpack *unpack_open(int fd, const struct unpack_options *o, struct error *err)
{
    struct unpack *u = xcalloc(1, sizeof *u);
    struct wire_setup setup = {.what = WIRE_SETUP, .version = WIRE_VERSION};

    u->child.sock = -1;
    u->stall_ms = o->stall_ms ? o->stall_ms : UNPACK_STALL_MS;
    if (launch_reader(o->exe, "unpacker", &setup, &u->child) < 0) {
        error_set(err, errno, "the process that reads archives cannot be started");
        free(u);
        return NULL;
    }
    if (greet(u, fd, o, err) == 0)
        return u;
    unpack_close(u);
    return NULL;
}

int unpack_start(struct unpack *u, bool data, const uint32_t *picks, size_t len, struct error *err)
{
    struct unpack_head h = {.what = data ? UNPACK_READ : UNPACK_LIST, .number = picks ? len : 0};

    if (u->child.sock < 0)
        return error_set(err, 0, "the process that reads it has ended");
    if (tell(u, &h, sizeof h, -1, err) < 0)
        return -1;
    for (size_t at = 0; picks && at < len;) {
        size_t part = len - at < UNPACK_PICKS ? len - at : UNPACK_PICKS;

        struct unpack_head pick = {.what = UNPACK_PICK, .len = part * sizeof *picks};

        memcpy(u->m, &pick, sizeof pick);
        memcpy(u->m + sizeof pick, picks + at, part * sizeof *picks);
        u->at = u->len = 0;
        if (tell(u, u->m, sizeof pick + part * sizeof *picks, -1, err) < 0)
            return -1;
        at += part;
    }
    return 0;
}

static void fill_entry(struct unpack_event *e, const struct unpack_head *h)
{
    e->kind = h->kind <= UNPACK_SPECIAL ? (enum unpack_kind)h->kind : UNPACK_SPECIAL;
    e->size = h->size;
    e->time_s = h->time_s;
    e->time_ns = h->time_ns;
    e->encrypted = h->flags & UNPACK_ENCRYPTED;
    e->size_known = !(h->flags & UNPACK_SIZE_UNKNOWN);
}

int unpack_next(struct unpack *u, struct unpack_event *e, struct error *err)
{
    const struct unpack_head *h = &u->head;

    if (u->child.sock < 0)
        return error_set(err, 0, "the process that reads it has ended");
    if (hear(u, err) < 0)
        return -1;
    *e = (struct unpack_event){.what = (enum unpack_what)h->what,
                               .number = h->number,
                               .p = u->body,
                               .n = (size_t)h->len};
    switch (h->what) {
    case UNPACK_ENTRY:
        fill_entry(e, h);
        return 1;
    case UNPACK_END:
        e->damaged = h->flags & UNPACK_DAMAGED;
        return 1;
    case UNPACK_DATA:
    case UNPACK_TOLD:
        return 1;
    case UNPACK_DONE:
        return 0;
    case UNPACK_FAILED:
        return error_set(err, 0, "%s", u->body);
    default:
        return gone(u, err);
    }
}

void unpack_close(struct unpack *u)
{
    struct error none = ERROR_INIT;

    if (!u)
        return;
    if (u->child.sock >= 0)
        gone(u, &none);
    free(u);
}
