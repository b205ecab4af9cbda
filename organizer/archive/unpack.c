#include "archive/unpack.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "examine/launch.h"
#include "examine/wire.h"

/* An archive may unfold to so many times its size, and this much more: scans and pictures gain
 * nothing, text becomes a twentieth. */
#define MS_PER_S   1000
#define RATIO_MAX  200
/* When it says so itself: zeros in blocks of 128 KiB, for 4 bytes each (RFC 8878, section 3.1.1.2), and
 * less of DEFLATE. bzip2 and xz could do more, which no honest archive has needed. */
#define RATIO_SAID 32768
/* A second of processor time for each: libarchive has been seen not to end, and is 20 times as fast. */
#define SECOND_OF_SIZE (UINT64_C(1) << 20) /* of the archive */
#define SECOND_OF_OUT  (UINT64_C(16) << 20)
#define LOOK_EACH      16 /* messages; each is 120 KiB at most */

struct unpack {
    struct launched child; /* sock -1: ended */
    enum unpack_format format;
    int64_t stall_ms, cpu_ms;
    uint64_t size, any, limit;
    uint64_t data, passed;  /* bytes of this round: that came, that were decompressed */
    uint64_t all;           /* of the rounds before, the more of both */
    unsigned messages;
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

/* Whether it has used up its processor time. */
static bool is_spent(const struct unpack *u)
{
    uint64_t out = u->all + (u->data > u->passed ? u->data : u->passed);
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(u->child.pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        return false; /* it is gone, which is noticed elsewhere */
    return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS >
           u->cpu_ms + (int64_t)(out * MS_PER_S / SECOND_OF_OUT);
}

static int spent(struct unpack *u, struct error *err)
{
    gone(u, err);
    return error_set(err, 0, "reading it does not come to an end: it was given up");
}

static int too_much(struct unpack *u, struct error *err)
{
    gone(u, err);
    return error_set(err, 0,
                     "it unfolds to more than %llu MiB, far more than an archive of its size "
                     "should: it looks like one made to fill a disk",
                     (unsigned long long)(u->limit >> 20));
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
    if (++u->messages % LOOK_EACH == 0 && is_spent(u))
        return spent(u, err);
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

/* ---- bounds
 * ---------------------------------------------------------------------------------- */

static uint64_t times(uint64_t n, uint64_t by)
{
    return n > UINT64_MAX / 2 / by ? UINT64_MAX / 2 : n * by;
}

static void set_bounds(struct unpack *u, int fd, const struct unpack_options *o)
{
    struct stat st;

    if (fstat(fd, &st) == 0)
        u->size = (uint64_t)st.st_size;
    u->any = o->any ? o->any : UNPACK_ANY;
    u->limit = u->any + times(u->size, RATIO_MAX);
    u->stall_ms = o->stall_ms ? o->stall_ms : UNPACK_STALL_MS;
    u->cpu_ms = o->cpu_ms ? o->cpu_ms
                          : UNPACK_CPU_MS + (int64_t)(u->size / SECOND_OF_SIZE) * MS_PER_S;
}

void unpack_declare(struct unpack *u, uint64_t bytes)
{
    uint64_t most = times(u->size, RATIO_SAID);
    uint64_t limit = u->any + (bytes < most ? bytes : most);

    if (limit > u->limit)
        u->limit = limit;
}

/* ---- the way
 * --------------------------------------------------------------------------------- */

/* Hands the archive over and hears what it is. */
static int greet(struct unpack *u, int fd, struct error *err)
{
    struct wire_order order = {.what = WIRE_DOCUMENT};

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
    set_bounds(u, fd, o);
    if (launch_reader(o->exe, "unpacker", &setup, &u->child) < 0) {
        error_set(err, errno, "the process that reads archives cannot be started");
        free(u);
        return NULL;
    }
    if (greet(u, fd, err) == 0)
        return u;
    unpack_close(u);
    return NULL;
}

static void begin_round(struct unpack *u)
{
    u->all += u->data > u->passed ? u->data : u->passed;
    u->data = u->passed = 0;
}

int unpack_want(struct unpack *u, const char *const *list, struct error *err)
{
    struct unpack_head h = {.what = UNPACK_WANT};
    AUTO_STR struct str m = STR_INIT;

    str_addn(&m, &h, sizeof h);
    for (; *list; list++)
        str_addn(&m, *list, strlen(*list) + 1);
    if (u->format != UNPACK_ZIP || m.len == sizeof h || m.len - sizeof h > UNPACK_WANT_MAX)
        return 0;
    return tell(u, m.s, m.len, -1, err);
}

int unpack_slice(struct unpack *u, uint64_t number, uint64_t from, uint64_t n, struct error *err)
{
    struct unpack_head h = {
        .what = UNPACK_SLICE, .number = number, .size = n, .time_s = (int64_t)from};

    if (u->child.sock < 0)
        return error_set(err, 0, "the process that reads it has ended");
    begin_round(u);
    return tell(u, &h, sizeof h, -1, err);
}

int unpack_start(struct unpack *u, bool data, const uint32_t *picks, size_t len, struct error *err)
{
    struct unpack_head h = {.what = data ? UNPACK_READ : UNPACK_LIST, .number = picks ? len : 0};

    if (u->child.sock < 0)
        return error_set(err, 0, "the process that reads it has ended");
    begin_round(u);
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

/* The next record that is for the caller. */
static int hear_event(struct unpack *u, struct error *err)
{
    const struct unpack_head *h = &u->head;

    do {
        if (hear(u, err) < 0)
            return -1;
        if (h->what == UNPACK_HOLDS)
            unpack_declare(u, h->number);
        else if (h->what == UNPACK_PASSED)
            u->passed = h->number;
        else if (h->what == UNPACK_DATA)
            u->data += h->len;
        if (u->data > u->limit || u->passed > u->limit)
            return too_much(u, err);
    } while (h->what == UNPACK_HOLDS || h->what == UNPACK_PASSED);
    return 0;
}

int unpack_next(struct unpack *u, struct unpack_event *e, struct error *err)
{
    const struct unpack_head *h = &u->head;

    if (u->child.sock < 0)
        return error_set(err, 0, "the process that reads it has ended");
    if (hear_event(u, err) < 0)
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
