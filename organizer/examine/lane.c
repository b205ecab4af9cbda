#include "examine/lane.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "examine/launch.h"
#include "examine/sandbox.h"

#define BATCH 8 /* messages read at once */

static void on_readable(uv_poll_t *h, int status, int events);

static void on_closed(uv_handle_t *h)
{
    struct lane *l = h->data;

    l->events->gone(l->ctx, l);
    free(l);
}

/* After the other end was closed nothing can hold up the end of the process. */
static void reap(struct lane *l)
{
    if (l->pid > 0) {
        kill(l->pid, SIGKILL);
        while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        l->pid = 0;
    }
}

static void close_lane(struct lane *l)
{
    uv_poll_stop(&l->poll);
    uv_close((uv_handle_t *)&l->poll, on_closed);
    close(l->sock);
    l->sock = -1;
}

static struct lane *lane_new(uv_loop_t *loop, enum lane_role role, int sock, pid_t pid,
                             const struct lane_events *events, void *ctx)
{
    struct lane *l = xcalloc(1, sizeof *l);
    int r = uv_poll_init(loop, &l->poll, sock);

    if (r < 0) {
        free(l);
        errno = -r;
        return NULL;
    }
    l->poll.data = l;
    l->events = events;
    l->ctx = ctx;
    l->role = role;
    l->pid = pid;
    l->sock = sock;
    l->since = uv_now(loop);
    uv_poll_start(&l->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    return l;
}

struct lane *lane_start(uv_loop_t *loop, enum lane_role role, const char *exe,
                        const struct wire_setup *setup, const struct lane_events *events, void *ctx)
{
    struct launched p;

    static const char *const readers[] = {[LANE_DIGESTER] = "digester",
                                          [LANE_NURSERY] = "classifiers",
                                          [LANE_PARSERS] = "parsers"};

    if (launch_reader(exe, readers[role], setup, &p) < 0)
        return NULL;

    struct lane *l = lane_new(loop, role, p.sock, p.pid, events, ctx);

    if (!l) {
        int saved = errno;

        kill(p.pid, SIGKILL);
        waitpid(p.pid, NULL, 0);
        close(p.sock);
        errno = saved;
    }
    return l;
}

struct lane *lane_start_child(uv_loop_t *loop, struct lane *nursery, uint32_t id,
                              const struct lane_events *events, void *ctx)
{
    struct wire_order o = {.what = WIRE_FORK, .ticket = id};
    struct lane *l = NULL;
    int sock[2];

    if (launch_pair(sock) < 0)
        return NULL;
    if (wire_send(nursery->sock, &o, sizeof o, sock[1], MSG_DONTWAIT) == 0)
        l = lane_new(loop, LANE_CLASSIFIER, sock[0], 0, events, ctx);

    int saved = errno;

    close(sock[1]);
    if (l) {
        l->id = id;
        l->parent = nursery->id;
    } else {
        close(sock[0]);
    }
    errno = saved;
    return l;
}

static struct wire_order order_of(const struct lane *l, const struct part *p)
{
    struct wire_order o = {.what = WIRE_DOCUMENT,
                           .ticket = p->ticket,
                           .limit = p->is_large ? 0 : (uint64_t)EXAMINE_LARGE};

    if (l->role == LANE_PARSERS) {
        o.what = WIRE_PARSE;
        o.number = p->kind;
    }
    return o;
}

/* It is the reader's now. */
static void take_on(struct lane *l, struct part *p)
{
    if (l->len == 0) {
        l->since = uv_now(l->poll.loop);
        l->bytes = 0;
    }
    l->parts[(l->first + l->len++) % LANE_DEPTH] = p;
    l->has_large |= p->is_large;
    l->served++;
}

int lane_send(struct lane *l, struct part *p)
{
    struct wire_order o = order_of(l, p);
    const int both[2] = {p->fd, p->out};
    int rc;

    if (p->fd < 0)
        return EBADF;
    rc = l->role == LANE_PARSERS ? wire_send_two(l->sock, &o, sizeof o, both, MSG_DONTWAIT)
                                 : wire_send(l->sock, &o, sizeof o, p->fd, MSG_DONTWAIT);
    if (rc < 0)
        return errno;
    p->crowded = false;
    take_on(l, p);
    return 0;
}

int lane_send_many(struct lane *l, struct part *const *parts, size_t n)
{
    struct wire_order o[WIRE_MANY] = {{0}};
    int fds[WIRE_MANY] = {0};

    for (size_t i = 0; i < n; i++) {
        if (parts[i]->fd < 0)
            return EBADF;
        o[i] = order_of(l, parts[i]);
        fds[i] = parts[i]->fd;
    }
    if (wire_send_many(l->sock, o, sizeof *o, fds, n, MSG_DONTWAIT) < 0)
        return errno;
    for (size_t i = 0; i < n; i++) {
        parts[i]->crowded = n > 1;
        take_on(l, parts[i]);
    }
    return 0;
}

struct part *lane_take(struct lane *l)
{
    if (l->len == 0)
        return NULL;

    struct part *p = l->parts[l->first];

    l->first = (l->first + 1) % LANE_DEPTH;
    l->len--;
    l->bytes = 0;
    if (p->is_large)
        l->has_large = false;
    return p;
}

/* What a reader of this role may say of the part in hand. */
static bool is_answer(const struct lane *l, const struct part *p, const struct wire_answer *a)
{
    if (a->ticket != p->ticket)
        return false;
    switch (a->what) {
    case WIRE_DIGEST:
        return l->role == LANE_DIGESTER;
    case WIRE_LARGE:
        return l->role == LANE_DIGESTER && !p->is_large;
    case WIRE_KIND:
        return l->role == LANE_CLASSIFIER && a->number < KIND_COUNT;
    case WIRE_PARSED:
        return l->role == LANE_PARSERS && a->number < WIRE_END_COUNT;
    case WIRE_ERROR:
        return a->number > 0 && a->number < 4096;
    default:
        return false;
    }
}

/* False for nonsense. */
static bool take_record(struct lane *l, const struct wire_answer *a)
{
    const struct part *p = l->len > 0 ? l->parts[l->first] : NULL;

    l->since = uv_now(l->poll.loop);
    if (a->what == WIRE_HELLO) {
        if (l->greeted || a->number > LACKS_ALL)
            return false;
        l->greeted = true;
        l->events->greeted(l->ctx, l, a->number);
        return true;
    }
    if (!l->greeted || !p)
        return false;
    if (a->what == WIRE_PROGRESS) {
        bool further = l->role == LANE_DIGESTER && a->ticket == p->ticket && a->bytes > l->bytes;

        l->bytes = a->bytes;
        return further;
    }
    if (!is_answer(l, p, a))
        return false;
    l->events->answered(l->ctx, lane_take(l), a);
    return true;
}

static void over(struct lane *l, const char *why)
{
    l->events->ended(l->ctx, l, why);
}

/* A message of n bytes; false for nonsense. */
static bool take_message(struct lane *l, const struct wire_answer *a, size_t n)
{
    if (n % sizeof *a)
        return false;
    for (size_t i = 0; i < n / sizeof *a && !l->ended; i++)
        if (!take_record(l, &a[i]))
            return false;
    return true;
}

/* That it died with orders unread the kernel says once, before what it had answered (unix(7)). */
static int receive(const struct lane *l, struct mmsghdr *m)
{
    int n = recvmmsg(l->sock, m, BATCH, MSG_DONTWAIT, NULL);

    return n < 0 && errno == ECONNRESET ? recvmmsg(l->sock, m, BATCH, MSG_DONTWAIT, NULL) : n;
}

void lane_drain(struct lane *l)
{
    struct wire_answer a[BATCH][WIRE_MANY];
    struct iovec iov[BATCH];
    struct mmsghdr m[BATCH];
    int n = BATCH;

    for (size_t i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){&a[i], sizeof a[i]};
        memset(&m[i], 0, sizeof m[i]);
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    /* Descriptors that a reader might send are not received: there is no room for them. */
    for (unsigned round = 0; round < 4 && n == BATCH && !l->ended; round++) {
        n = receive(l, m);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            over(l, "died");
        for (int i = 0; i < n && !l->ended; i++) {
            if (m[i].msg_len == 0)
                over(l, "died");
            else if ((m[i].msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
                     !take_message(l, a[i], m[i].msg_len))
                over(l, "answered nonsense");
        }
    }
}

/* An ended reader's socket says when its process is gone: nothing else is read from it. */
static void await_end(struct lane *l)
{
    struct wire_answer a;
    ssize_t n;

    while ((n = recv(l->sock, &a, sizeof a, MSG_DONTWAIT)) > 0)
        continue;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    reap(l);
    close_lane(l);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
    struct lane *l = h->data;
    const struct lane_events *to = l->events;
    void *ctx = l->ctx;

    (void)events;
    /* An error, which a reader leaves that dies with orders unread, is the last that libuv tells
     * otherwise: the end would be missed. */
    if (status < 0 && !l->ended)
        uv_poll_start(h, UV_READABLE | UV_DISCONNECT, on_readable);
    if (l->ended) {
        await_end(l);
        return;
    }
    lane_drain(l);
    to->settled(ctx);
}

void lane_end(struct lane *l, struct lane *nursery)
{
    struct wire_order o = {.what = WIRE_KILL, .ticket = l->id};

    l->ended = true;
    if (l->pid > 0)
        kill(l->pid, SIGKILL);
    else if (nursery)
        wire_send(nursery->sock, &o, sizeof o, -1, MSG_DONTWAIT);
    /* A child that its nursery cannot be told to kill reads the end of its orders. */
    shutdown(l->sock, SHUT_WR);
}

void lane_finish(struct lane *l, int ms)
{
    struct pollfd p = {.fd = l->sock, .events = POLLRDHUP};

    if (l->sock < 0)
        return;
    if (l->pid > 0 && poll(&p, 1, ms) == 1)
        reap(l);
    close_lane(l);
}
