#include "flow/night.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "publish/tz.h"

#define DAY 86400

struct night {
    uv_poll_t poll;
    int fd; /* CLOCK_REALTIME: tells when the clock is set */
    int minute;
    int64_t shift_ns;
    struct tz *zone;
    void (*tick)(void *ctx, bool set);
    void *ctx;
};

int64_t night_next(const struct tz *zone, int64_t now_ns, int minute)
{
    int64_t now = now_ns / NS_PER_S;
    int64_t local = now + tz_offset(zone, now);
    int64_t wanted = local - local % DAY + (int64_t)minute * 60;

    for (;; wanted += DAY) {
        /* The offset at the moment itself, which the first guess may miss by a change of clocks. */
        int64_t at = wanted - tz_offset(zone, wanted - tz_offset(zone, now));

        at = wanted - tz_offset(zone, at);
        if (at > now)
            return at;
    }
}

int64_t night_last(const struct tz *zone, int64_t now_ns, int minute)
{
    int64_t at = night_next(zone, now_ns - 3 * DAY * NS_PER_S, minute), last = at;

    while (at <= now_ns / NS_PER_S) {
        last = at;
        at = night_next(zone, at * NS_PER_S, minute);
    }
    return last;
}

static int64_t clock_now(const struct night *n)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec + n->shift_ns;
}

static int arm(struct night *n)
{
    int64_t at = night_next(n->zone, clock_now(n), n->minute) - n->shift_ns / NS_PER_S;
    struct itimerspec t = {.it_value = {.tv_sec = at}};

    return timerfd_settime(n->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL);
}

static void on_timer(uv_poll_t *p, int status, int events)
{
    struct night *n = p->data;
    uint64_t ticks;
    ssize_t got = read(n->fd, &ticks, sizeof ticks);
    /* ECANCELED: the clock was set, and only the new time counts. */
    bool is_night = got == (ssize_t)sizeof ticks;

    (void)status;
    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (arm(n) < 0)
        uv_poll_stop(p);
    n->tick(n->ctx, !is_night);
}

struct night *night_new(uv_loop_t *loop, const char *zone, int minute, int64_t shift_ns,
                        void (*tick)(void *ctx, bool set), void *ctx, struct error *err)
{
    struct night *n = xcalloc(1, sizeof *n);

    n->zone = tz_load(zone);
    n->minute = minute;
    n->shift_ns = shift_ns;
    n->tick = tick;
    n->ctx = ctx;
    n->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (n->fd < 0 || uv_poll_init(loop, &n->poll, n->fd) < 0) {
        error_set(err, errno, "no timer for the night");
        if (n->fd >= 0)
            close(n->fd);
        tz_free(n->zone);
        free(n);
        return NULL;
    }
    n->poll.data = n;
    if (minute >= 0 && arm(n) == 0)
        uv_poll_start(&n->poll, UV_READABLE, on_timer);
    return n;
}

int64_t night_when(const struct night *n)
{
    return n->minute < 0 ? 0 : night_next(n->zone, clock_now(n), n->minute);
}

int64_t night_before(const struct night *n)
{
    return n->minute < 0 ? 0 : night_last(n->zone, clock_now(n), n->minute);
}

static void on_closed(uv_handle_t *h)
{
    struct night *n = h->data;

    close(n->fd);
    tz_free(n->zone);
    free(n);
}

void night_free(struct night *n)
{
    if (!n)
        return;
    uv_poll_stop(&n->poll);
    uv_close((uv_handle_t *)&n->poll, on_closed);
}
