#include "examine/examiner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "examine/lane.h"
#include "examine/sandbox.h"

#define LANES_MAX     16
#define CLASSIFY_MAX  300   /* documents until a classifier is replaced */
#define BUSY          2     /* documents on every lane before another one is started */
#define START_MS      10000 /* to come up: loading the magic on a loaded machine */
#define RETRY_MS      20    /* when the kernel has no room just now */
#define STARTS_FAILED 3     /* in a row, until documents are given back */
#define QUEUE_MAX     64    /* small documents waiting */
#define SEND_SOON     24    /* so many wait for each sort of reader: they are sent at once */
#define LARGE_MAX     256   /* large ones: they must not keep letters from being submitted */

struct job {
    struct part digest, kind;
    struct job *next;
    unsigned open; /* parts not settled */
    struct examination x;
    examiner_answer *answer;
    void *ctx;
};

struct queue {
    struct part *first, *last;
    unsigned len;
};

/* Readers of one sort, and what waits for them. */
struct pool {
    struct lane *lanes[LANES_MAX];
    unsigned max;
    unsigned failed_starts;
    struct queue queue;
    struct queue large; /* for lane 0 */
};

struct examiner {
    uv_loop_t *loop;
    char *exe;
    struct wire_setup setup;
    unsigned idle_ms, stall_ms;
    struct pool digesters, classifiers;
    struct lane *nursery;
    struct lane *dying;
    struct job *unused;         /* a stock, against malloc for every document */
    struct job *due, *due_last; /* answers to give */
    unsigned pending;
    uint32_t tickets, children;
    unsigned lacks, deaths;
    uv_timer_t timer;
    uint64_t timer_at; /* loop time, 0: not running */
    uv_idle_t later;   /* answers from outside the loop's events */
    bool freed;
    unsigned handles;
    void (*around)(void *ctx, bool begin);
    void *around_ctx;
};

/* --- parts and jobs --- */

static void queue_add(struct queue *q, struct part *p)
{
    p->next = NULL;
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->len++;
}

static void queue_add_front(struct queue *q, struct part *p)
{
    p->next = q->first;
    q->first = p;
    if (!q->last)
        q->last = p;
    q->len++;
}

static struct part *queue_take(struct queue *q)
{
    struct part *p = q->first;

    if (p) {
        q->first = p->next;
        if (!q->first)
            q->last = NULL;
        q->len--;
    }
    return p;
}

static struct queue *queue_of(struct examiner *e, const struct part *p)
{
    if (p->is_kind)
        return &e->classifiers.queue;
    return p->is_large ? &e->digesters.large : &e->digesters.queue;
}

static struct job *job_new(struct examiner *e)
{
    struct job *j = e->unused;

    if (j)
        e->unused = j->next;
    else
        j = xmalloc(sizeof *j);
    memset(j, 0, sizeof *j);
    return j;
}

/* One part is done with; with the last one the answer is due. */
static void part_settle(struct examiner *e, struct part *p)
{
    struct job *j = p->job;

    if (--j->open > 0)
        return;
    if (j->x.status == EXAMINE_FAILED) {
        j->x.digest = (struct digest){{0}};
        j->x.bytes = 0;
        j->x.kind = KIND_UNKNOWN;
    }
    j->next = NULL;
    if (e->due_last)
        e->due_last->next = j;
    else
        e->due = j;
    e->due_last = j;
}

static void part_fail(struct examiner *e, struct part *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void part_fail(struct examiner *e, struct part *p, const char *fmt, ...)
{
    struct examination *x = &p->job->x;
    va_list ap;

    if (x->status != EXAMINE_FAILED) {
        x->status = EXAMINE_FAILED;
        va_start(ap, fmt);
        vsnprintf(x->why, sizeof x->why, fmt, ap);
        va_end(ap);
    }
    part_settle(e, p);
}

static void queue_fail(struct examiner *e, struct queue *q, const char *why, int number)
{
    struct part *p;

    while ((p = queue_take(q)))
        part_fail(e, p, "%s%s%s", why, number ? ": " : "", number ? strerror(number) : "");
}

/* --- time --- */

static void on_timer(uv_timer_t *t);

/* The timer rings at `at` at the latest. */
static void wake_by(struct examiner *e, uint64_t at)
{
    uint64_t now = uv_now(e->loop);

    if (e->timer_at && e->timer_at <= at)
        return;
    e->timer_at = at > now ? at : now;
    uv_timer_start(&e->timer, on_timer, e->timer_at - now, 0);
    if (e->timer_at == 0)
        e->timer_at = 1;
}

static void give_answers(struct examiner *e)
{
    struct job *j;
    bool some = e->due != NULL;

    if (some && e->around)
        e->around(e->around_ctx, true);
    while ((j = e->due)) {
        struct examination x = j->x;
        examiner_answer *answer = j->answer;
        void *ctx = j->ctx;

        e->due = j->next;
        if (!e->due)
            e->due_last = NULL;
        j->next = e->unused;
        e->unused = j;
        e->pending--;
        answer(ctx, &x);
    }
    if (some && e->around)
        e->around(e->around_ctx, false);
    if (some && e->pending == 0 && !e->freed)
        wake_by(e, uv_now(e->loop) + e->idle_ms);
}

/* --- lanes --- */

static void dispatch(struct examiner *e);
static void lane_lost(void *ctx, struct lane *l, const char *why);

/* The pool that waits for this lane. */
static struct pool *pool_of(struct examiner *e, const struct lane *l)
{
    return l->role != LANE_DIGESTER ? &e->classifiers : &e->digesters;
}

/* Takes it out of its place, so that another can be started there. */
static void lane_forget(struct examiner *e, struct lane *l)
{
    struct pool *p = pool_of(e, l);

    if (e->nursery == l)
        e->nursery = NULL;
    for (unsigned i = 0; i < p->max; i++)
        if (p->lanes[i] == l)
            p->lanes[i] = NULL;
    /* The nursery's own idle time starts when its last classifier has gone. */
    if (l->role == LANE_CLASSIFIER && e->nursery)
        e->nursery->since = uv_now(e->loop);
    l->next = e->dying;
    e->dying = l;
}

static void lane_retire(struct examiner *e, struct lane *l)
{
    lane_forget(e, l);
    lane_end(l, e->nursery);
}

static void lane_answered(void *ctx, struct part *p, const struct wire_answer *a)
{
    struct examiner *e = ctx;
    struct examination *x = &p->job->x;

    switch (a->what) {
    case WIRE_LARGE:
        p->is_large = true;
        queue_add(&e->digesters.large, p);
        return;
    case WIRE_ERROR:
        part_fail(e, p, "it cannot be read: %s", strerror((int)a->number));
        return;
    case WIRE_DIGEST:
        x->digest = a->digest;
        x->bytes = a->bytes;
        break;
    default:
        x->kind = (enum kind)a->number;
        break;
    }
    part_settle(e, p);
}

static void lane_greeted(void *ctx, struct lane *l, unsigned lacks)
{
    struct examiner *e = ctx;

    e->lacks |= lacks;
    if (l->role != LANE_NURSERY)
        pool_of(e, l)->failed_starts = 0;
}

static void lane_gone(void *ctx, struct lane *l)
{
    struct examiner *e = ctx;

    for (struct lane **at = &e->dying; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            break;
        }
    e->handles--;
    if (e->freed && e->handles == 0)
        free(e);
}

static void lane_settled(void *ctx)
{
    struct examiner *e = ctx;

    dispatch(e);
    give_answers(e);
}

static const struct lane_events events = {lane_answered, lane_greeted, lane_lost, lane_settled,
                                          lane_gone};

static bool is_child_of_nursery(const struct examiner *e, const struct lane *l)
{
    return l->role == LANE_CLASSIFIER && e->nursery && l->parent == e->nursery->id;
}

/* A lost nursery takes its children along: that counts once. */
static bool is_failed_start(const struct examiner *e, const struct lane *l)
{
    if (l->role == LANE_NURSERY)
        return true;
    return !l->greeted && (l->role == LANE_DIGESTER || is_child_of_nursery(e, l));
}

static bool is_any_of_several(const struct lane *l)
{
    return l->role == LANE_DIGESTER && l->len > 1 && l->parts[l->first]->crowded;
}

/*
 * The document in hand is spoiled, those behind it go back to the front of the queue. A reader
 * that never came up is not the document's fault: all go back, until that has happened often. A
 * digester gives its answers together: which of several it had in hand is seen when they go one by one.
 */
static void lane_lost(void *ctx, struct lane *l, const char *why)
{
    struct examiner *e = ctx;
    struct pool *pool = pool_of(e, l);
    struct part *p, *back[LANE_DEPTH];
    unsigned n = 0;

    e->deaths++;
    if (l->greeted && !is_any_of_several(l) && (p = lane_take(l)))
        part_fail(e, p, "the reader %s on it", why);
    while ((p = lane_take(l))) {
        p->alone |= p->crowded;
        back[n++] = p;
    }
    while (n > 0) {
        n--;
        queue_add_front(queue_of(e, back[n]), back[n]);
    }
    pool->failed_starts += is_failed_start(e, l);
    /* Those of a nursery that is lost are still on its children, which follow. */
    if ((!l->greeted || l->role == LANE_NURSERY) && pool->failed_starts >= STARTS_FAILED &&
        (pool->queue.first || pool->large.first)) {
        pool->failed_starts = STARTS_FAILED - 1;
        queue_fail(e, &pool->queue, "readers do not start", 0);
        queue_fail(e, &pool->large, "readers do not start", 0);
    }
    /* A child that does not come up may mean that its nursery hangs: the next gets a new one. */
    if (!l->greeted && is_child_of_nursery(e, l))
        lane_retire(e, e->nursery);
    lane_retire(e, l);
}

static struct lane *start_process(struct examiner *e, enum lane_role role)
{
    struct lane *l = lane_start(e->loop, role, e->exe, &e->setup, &events, e);

    e->handles += l != NULL;
    return l;
}

static struct lane *start_child(struct examiner *e)
{
    if (!e->nursery) {
        e->nursery = start_process(e, LANE_NURSERY);
        if (e->nursery)
            e->nursery->id = ++e->children;
    }

    struct lane *l =
        e->nursery ? lane_start_child(e->loop, e->nursery, ++e->children, &events, e) : NULL;

    e->handles += l != NULL;
    return l;
}

static struct lane *start_classifier(struct examiner *e)
{
    struct lane *l = start_child(e);

    /* The nursery may have died and the loop not have heard of it: once more with a new one. */
    if (!l && e->nursery && (errno == EPIPE || errno == ECONNRESET)) {
        lane_retire(e, e->nursery);
        l = start_child(e);
    }
    return l;
}

/* Starts a reader in place i. NULL with errno. */
static struct lane *start_lane(struct examiner *e, struct pool *p, unsigned i)
{
    struct lane *l = p == &e->classifiers ? start_classifier(e) : start_process(e, LANE_DIGESTER);

    p->lanes[i] = l;
    if (l)
        wake_by(e, l->since + (e->stall_ms > START_MS ? e->stall_ms : START_MS));
    return l;
}

static bool takes_more(const struct lane *l)
{
    if (l->len == LANE_DEPTH || l->has_large)
        return false;
    return l->role != LANE_CLASSIFIER || l->served < CLASSIFY_MAX;
}

/* The lane with the least to do that takes a small document, NULL when all are full. */
static struct lane *least_busy(const struct pool *p)
{
    struct lane *best = NULL;

    for (unsigned i = 0; i < p->max; i++) {
        struct lane *l = p->lanes[i];

        if (l && takes_more(l) && (!best || l->len < best->len))
            best = l;
    }
    return best;
}

static unsigned lanes_running(const struct pool *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->max; i++)
        n += p->lanes[i] != NULL;
    return n;
}

/* An existing lane, or a new one when all have enough to do. NULL: wait, or (after a failed start
 * with nobody to wait for) the queue was given back. */
static struct lane *pick_lane(struct examiner *e, struct pool *p)
{
    struct lane *l = least_busy(p);
    unsigned i = 0;

    while (i < p->max && p->lanes[i])
        i++;
    if ((l && l->len < BUSY) || i == p->max)
        return l;

    struct lane *fresh = start_lane(e, p, i);

    if (fresh)
        return fresh;
    if (!l && lanes_running(p) == 0)
        queue_fail(e, &p->queue, "no reader can be started", errno);
    return l;
}

/* The lane for large documents, one at a time. */
static struct lane *pick_large(struct examiner *e, struct pool *p)
{
    struct lane *l = p->lanes[0];

    if (!l) {
        l = start_lane(e, p, 0);
        if (!l)
            queue_fail(e, &p->large, "no reader can be started", errno);
        return l;
    }
    return l->has_large || l->len == LANE_DEPTH ? NULL : l;
}

/* How many of the queue go to a lane of the pool together: all lanes get some. */
static size_t share_of(const struct pool *pool, const struct lane *l, const struct queue *q)
{
    size_t n = (q->len + pool->max - 1) / pool->max, room = LANE_DEPTH - l->len;

    if (q == &pool->large || n < 1)
        return 1;
    if (l->role == LANE_CLASSIFIER && room > CLASSIFY_MAX - l->served)
        room = CLASSIFY_MAX - l->served;
    n = n < room ? n : room;
    return n < WIRE_MANY ? n : WIRE_MANY;
}

/* The first of the queue, up to n that have not failed and may go together. */
static size_t first_of(const struct queue *q, size_t n, struct part **parts)
{
    size_t len = 0;

    for (struct part *p = q->first; p && len < n && p->job->x.status != EXAMINE_FAILED; p = p->next) {
        if (p->alone && len > 0)
            break;
        parts[len++] = p;
        if (p->alone)
            break;
    }
    return len;
}

/* Sends the first of the queue to the lane. False: not now. */
static bool send_first(struct examiner *e, struct pool *pool, struct lane *l, struct queue *q)
{
    struct part *parts[WIRE_MANY], *p = q->first;
    size_t n = first_of(q, share_of(pool, l, q), parts);
    int r = n > 1 ? lane_send_many(l, parts, n) : lane_send(l, p);

    /* One of them cannot be passed: which? */
    if (n > 1 && r == EBADF) {
        n = 1;
        r = lane_send(l, p);
    }
    switch (r) {
    case 0:
        while (n-- > 0)
            queue_take(q);
        wake_by(e, uv_now(e->loop) + e->stall_ms);
        return true;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS:
        wake_by(e, uv_now(e->loop) + RETRY_MS);
        return false;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        lane_drain(l); /* what it answered before it died counts */
        if (!l->ended)
            lane_lost(e, l, "died");
        return true;
    default:
        queue_take(q);
        part_fail(e, p, "it cannot be passed to a reader: %s", strerror(r));
        return true;
    }
}

/* A document that has failed in one respect already is not looked at in the other. */
static bool drop_failed(struct examiner *e, struct queue *q)
{
    if (q->first->job->x.status != EXAMINE_FAILED)
        return false;
    part_settle(e, queue_take(q));
    return true;
}

static void dispatch_queue(struct examiner *e, struct pool *p, struct queue *q,
                           struct lane *(*pick)(struct examiner *, struct pool *))
{
    while (q->first) {
        if (drop_failed(e, q))
            continue;

        struct lane *l = pick(e, p);

        if (!l || !q->first || !send_first(e, p, l, q))
            return;
    }
}

/* Classifiers that have seen enough documents go when the last one is answered. */
static void replace_worn(struct examiner *e)
{
    struct pool *p = &e->classifiers;

    for (unsigned i = 0; i < p->max; i++)
        if (p->lanes[i] && p->lanes[i]->served >= CLASSIFY_MAX && p->lanes[i]->len == 0)
            lane_retire(e, p->lanes[i]);
}

static void dispatch(struct examiner *e)
{
    replace_worn(e);
    dispatch_queue(e, &e->digesters, &e->digesters.large, pick_large);
    dispatch_queue(e, &e->digesters, &e->digesters.queue, pick_lane);
    dispatch_queue(e, &e->classifiers, &e->classifiers.queue, pick_lane);
}

/* --- limits --- */

/* How long this lane may stay as it is, and whether it is then to blame. */
static uint64_t patience(const struct examiner *e, const struct lane *l, bool *blame)
{
    *blame = l->len > 0 || !l->greeted;
    if (!l->greeted)
        return e->stall_ms > START_MS ? e->stall_ms : START_MS;
    return l->len > 0 ? e->stall_ms : e->idle_ms;
}

/* Ends the lane when its time is up, else sees to it that the timer rings then. */
static void check_lane(struct examiner *e, struct lane *l)
{
    bool blame;
    char why[64];
    uint64_t now = uv_now(e->loop);

    if (now < l->since + patience(e, l, &blame)) {
        wake_by(e, l->since + patience(e, l, &blame));
        return;
    }
    if (!blame) {
        lane_retire(e, l);
        return;
    }
    /* It may have answered while we were busy ourselves. */
    lane_drain(l);
    if (l->ended)
        return;
    if (now < l->since + patience(e, l, &blame)) {
        wake_by(e, l->since + patience(e, l, &blame));
        return;
    }
    snprintf(why, sizeof why, "made no progress for %.3g s", e->stall_ms / 1000.0);
    lane_lost(e, l, why);
}

static void check_pool(struct examiner *e, struct pool *p)
{
    for (unsigned i = 0; i < p->max; i++)
        if (p->lanes[i])
            check_lane(e, p->lanes[i]);
}

static void on_timer(uv_timer_t *t)
{
    struct examiner *e = t->data;

    e->timer_at = 0;
    check_pool(e, &e->digesters);
    check_pool(e, &e->classifiers);
    if (e->nursery && (!e->nursery->greeted || lanes_running(&e->classifiers) == 0))
        check_lane(e, e->nursery);
    dispatch(e);
    give_answers(e);
}

static void on_later(uv_idle_t *h)
{
    struct examiner *e = h->data;

    uv_idle_stop(h);
    dispatch(e);
    give_answers(e);
}

/* --- the interface --- */

static unsigned between(unsigned n, unsigned low, unsigned high)
{
    return n < low ? low : n > high ? high : n;
}

struct examiner *examiner_new(uv_loop_t *loop, const struct examiner_options *o, struct error *err)
{
    if (o->exe && access(o->exe, X_OK) < 0) {
        error_set(err, errno, "readers cannot be run from %s", o->exe);
        return NULL;
    }
    if (o->magic_file && strlen(o->magic_file) >= WIRE_PATH) {
        error_set(err, ENAMETOOLONG, "the path of the magic file is too long");
        return NULL;
    }

    struct examiner *e = xcalloc(1, sizeof *e);

    e->loop = loop;
    e->exe = xstrdup(o->exe);
    e->idle_ms = o->idle_ms;
    e->around = o->around;
    e->around_ctx = o->around_ctx;
    e->stall_ms = between(o->stall_ms, 1, UINT32_MAX / 2);
    e->digesters.max = between(o->digesters, 2, LANES_MAX);
    e->classifiers.max = between(o->classifiers, 1, LANES_MAX);
    e->setup.what = WIRE_SETUP;
    e->setup.version = WIRE_VERSION;
    e->setup.beat_ms = e->stall_ms / 4;
    if (o->magic_file)
        snprintf(e->setup.magic, sizeof e->setup.magic, "%s", o->magic_file);
    uv_timer_init(loop, &e->timer);
    uv_idle_init(loop, &e->later);
    e->timer.data = e;
    e->later.data = e;
    e->handles = 2;
    return e;
}

static void add_part(struct examiner *e, struct job *j, struct part *p, int fd)
{
    p->job = j;
    p->fd = fd;
    p->ticket = e->tickets;
    j->open++;
    queue_add(queue_of(e, p), p);
}

void examiner_submit(struct examiner *e, int fd, uint64_t size, bool want_kind,
                     examiner_answer *answer, void *ctx)
{
    struct job *j = job_new(e);

    e->tickets++;
    e->pending++;
    j->answer = answer;
    j->ctx = ctx;
    j->digest.is_large = size > (uint64_t)EXAMINE_LARGE;
    j->kind.is_kind = true;
    add_part(e, j, &j->digest, fd);
    if (want_kind)
        add_part(e, j, &j->kind, fd);
    if (e->freed) {
        queue_fail(e, queue_of(e, &j->digest), "the organizer is leaving", 0);
        queue_fail(e, &e->classifiers.queue, "the organizer is leaving", 0);
        return;
    }
    /* What comes in the same turn of the loop is sent together. */
    if (e->digesters.queue.len >= SEND_SOON)
        dispatch(e);
    uv_idle_start(&e->later, on_later);
}

void examiner_send(struct examiner *e)
{
    if (!e->freed)
        dispatch(e);
}

unsigned examiner_pending(const struct examiner *e)
{
    return e->pending;
}

bool examiner_wants_more(const struct examiner *e)
{
    return e->digesters.queue.len < QUEUE_MAX && e->classifiers.queue.len < QUEUE_MAX &&
           e->digesters.large.len < LARGE_MAX;
}

void examiner_status(const struct examiner *e, struct str *out)
{
    json_num(out, "digesters", lanes_running(&e->digesters));
    json_num(out, "classifiers", lanes_running(&e->classifiers));
    json_num(out, "pending", e->pending);
    json_num(out, "reader_deaths", e->deaths);
    json_key(out, "sandbox_lacks");
    str_addc(out, '[');
    for (unsigned bit = 1; bit <= LACKS_ALL; bit <<= 1)
        if (e->lacks & bit) {
            json_comma(out);
            json_quote(out, sandbox_lack_name(bit));
        }
    str_addc(out, ']');
}

static void end_pool(struct examiner *e, struct pool *p)
{
    struct part *part;

    for (unsigned i = 0; i < p->max; i++) {
        struct lane *l = p->lanes[i];

        while (l && (part = lane_take(l)))
            queue_add(queue_of(e, part), part);
        if (l)
            lane_retire(e, l);
    }
    queue_fail(e, &p->large, "the organizer is leaving", 0);
    queue_fail(e, &p->queue, "the organizer is leaving", 0);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct examiner *e = h->data;

    if (--e->handles == 0)
        free(e);
}

void examiner_free(struct examiner *e)
{
    if (!e)
        return;
    e->freed = true;
    end_pool(e, &e->classifiers);
    end_pool(e, &e->digesters);
    if (e->nursery)
        lane_retire(e, e->nursery);
    for (struct lane *l = e->dying; l; l = l->next)
        lane_finish(l, 200);
    give_answers(e);
    for (struct job *j = e->unused, *next; j; j = next) {
        next = j->next;
        free(j);
    }
    free(e->exe);
    uv_close((uv_handle_t *)&e->timer, on_handle_closed);
    uv_close((uv_handle_t *)&e->later, on_handle_closed);
}
