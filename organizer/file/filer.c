#include "file/filer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/table.h"
#include "file/filing.h"
#include "file/lease.h"
#include "file/outbox.h"

/* So many callbacks are made in one step of the loop, which must not take long. */
#define CALLBACKS 64

struct queue {
    struct act *first, **last;
};

struct filer {
    uv_async_t async;
    pthread_t thread;
    struct filing *g; /* the thread's, but for its options */
    struct recovery recovered;
    /* The loop's thread. */
    unsigned pending;
    bool expecting; /* as many, below */
    bool ended; /* no thread takes acts any more */
    char told[500];
    struct queue out; /* results that were fetched and not handed out yet */
    /* Shared, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue todo, results;
    unsigned todo_len;
    bool many; /* more follow */
    bool stop, at_once, resume, stopped;
    bool writing;  /* a batch is being done, its journals are not written yet */
    bool open;     /* it is done but for its journals or their heads */
    bool over;     /* its journals are written */
    bool written;  /* one was, and who asked was not told */
    bool tampered;
    struct error why;
    unsigned lines_waiting;
    char lines_why[500];
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_add(struct queue *q, struct act *a)
{
    a->next = NULL;
    *q->last = a;
    q->last = &a->next;
}

/* Puts all of from behind to. */
static void queue_move(struct queue *to, struct queue *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    queue_init(from);
}

static struct act *queue_take(struct queue *q)
{
    struct act *a = q->first;

    q->first = a->next;
    if (!q->first)
        q->last = &q->first;
    a->next = NULL;
    return a;
}

/* ---- the thread -------------------------------------------------------------------------------
 */

struct target {
    char *path;
    UT_hash_handle hh;
};

static void target_add(struct target **set, const struct act *a)
{
    struct target *t, *same;

    if (!a->exact || !a->to_name)
        return;
    t = xcalloc(1, sizeof *t);
    t->path = xjoin(a->to_folder, a->to_name);
    HASH_FIND_STR(*set, t->path, same);
    if (same) {
        free(t->path);
        free(t);
        return;
    }
    HASH_ADD_KEYPTR(hh, *set, t->path, strlen(t->path), t);
}

static bool target_has(struct target *set, const char *path)
{
    struct target *t = NULL;

    if (path)
        HASH_FIND_STR(set, path, t);
    return t != NULL;
}

static void targets_clear(struct target **set)
{
    struct target *t, *tmp;

    HASH_ITER(hh, *set, t, tmp)
    {
        HASH_DEL(*set, t);
        free(t->path);
        free(t);
    }
}

/*
 * The next batch off the queue. A call stands alone, so that only it fails when it fails; and
 * an act whose document comes to its place by an earlier act (the second half of a swap) waits for
 * that to be done.
 */
static struct act *take_batch(struct queue *todo, unsigned *len)
{
    struct queue batch;
    struct target *targets = NULL;
    unsigned n = 0;

    queue_init(&batch);
    while (todo->first && n < FILER_BATCH) {
        bool call = todo->first->kind == ACT_CALL;

        if (n && (call || target_has(targets, todo->first->from)))
            break;
        target_add(&targets, todo->first);
        queue_add(&batch, queue_take(todo));
        n++;
        if (call)
            break;
    }
    targets_clear(&targets);
    *len -= n;
    return batch.first;
}

/* Takes the list over. Under the lock. */
static void add_results(struct filer *f, struct act *list)
{
    while (list) {
        struct act *next = list->next;

        queue_add(&f->results, list);
        list = next;
    }
}

static void tell_stopped(struct filer *f)
{
    f->stopped = f->g->stopped;
    if (f->stopped)
        f->why = f->g->why;
}

static void give(void *ctx, struct act *list)
{
    struct filer *f = ctx;

    pthread_mutex_lock(&f->lock);
    add_results(f, list);
    tell_stopped(f);
    pthread_mutex_unlock(&f->lock);
    uv_async_send(&f->async);
}

static bool more(void *ctx)
{
    struct filer *f = ctx;
    bool any;

    pthread_mutex_lock(&f->lock);
    any = f->todo.first != NULL;
    f->over = false; /* the journals of the batch before are ended, the next not begun */
    pthread_mutex_unlock(&f->lock);
    return any;
}

/* In the thread that writes journals. */
static void over(void *ctx)
{
    struct filer *f = ctx;

    pthread_mutex_lock(&f->lock);
    f->over = true;
    pthread_mutex_unlock(&f->lock);
    pthread_cond_signal(&f->changed);
}

/* Under the lock: everything queued comes back. */
static void refuse_all(struct filer *f, const struct error *why)
{
    for (struct act *a = f->todo.first; a; a = a->next) {
        a->status = ACT_STOPPED;
        a->error = *why;
        suspects_learn(f->g->suspects, a);
    }
    queue_move(&f->results, &f->todo);
    f->todo_len = 0;
    /* Nothing of them is written any more: who waits for that waits no longer. */
    f->written = true;
    uv_async_send(&f->async);
}

/* Under the lock. */
static void take_notes(struct filer *f)
{
    const char *why = "";

    tell_stopped(f);
    if (!f->g->outbox)
        return;
    /* What journals that are just being written do not touch. */
    f->tampered |= outbox_took_tampered(f->g->outbox);
    f->lines_waiting = outbox_waiting(f->g->outbox, &why);
    snprintf(f->lines_why, sizeof f->lines_why, "%s", why);
}

/* Who asks whether it is stopped waits until that has been tried (filer_busy). */
static void resume(struct filer *f)
{
    if (f->g->stopped) {
        pthread_mutex_unlock(&f->lock);
        filing_resume(f->g);
        pthread_mutex_lock(&f->lock);
        take_notes(f);
    }
    f->resume = false;
    f->written = true;
    uv_async_send(&f->async);
}

/* All of the batches so far is written. Under the lock. */
static void all_written(struct filer *f)
{
    take_notes(f);
    f->open = f->writing = false;
    f->written = true;
    uv_async_send(&f->async);
}

/* Journals and heads of the last batch. Under the lock. */
static void rest(struct filer *f)
{
    if (!f->open)
        return;
    pthread_mutex_unlock(&f->lock);
    batch_rest(f->g);
    pthread_mutex_lock(&f->lock);
    all_written(f);
}

/* One step with what is there. Under the lock. */
static void work(struct filer *f)
{
    const struct batch_calls calls = {give, more, over, f};
    static const struct error leaving = {0, "the program is ending"};
    struct act *list;

    if (f->resume)
        resume(f);
    if (f->g->stopped || (f->stop && f->at_once)) {
        rest(f);
        refuse_all(f, f->g->stopped ? &f->g->why : &leaving);
        return;
    }
    list = take_batch(&f->todo, &f->todo_len);
    if (!list)
        return;
    f->writing = true;
    f->over = false;
    pthread_mutex_unlock(&f->lock);
    batch_do(f->g, list, &calls);
    pthread_mutex_lock(&f->lock);
    f->over |= !f->g->journals;
    f->open = batch_is_open(f->g);
    if (f->open)
        take_notes(f);
    else
        all_written(f);
}

/* More acts are worth waiting for. Under the lock. */
static bool is_gathering(const struct filer *f)
{
    return f->many && !f->stop && !f->resume && f->todo_len < FILER_CROWD;
}

/* Waits for a crowd, but not for long. Under the lock. */
static void gather(struct filer *f)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += FILER_CROWD_MS * NS_PER_MS;
    if (end.tv_nsec >= NS_PER_S) {
        end.tv_nsec -= NS_PER_S;
        end.tv_sec++;
    }
    while (is_gathering(f) && pthread_cond_timedwait(&f->changed, &f->lock, &end) == 0)
        continue;
}

/* Waits for the journals, or for an act, whose transaction takes their heads along. Under the lock. */
static void linger(struct filer *f)
{
    while (!f->todo.first && !f->resume && !f->stop && !f->over)
        pthread_cond_wait(&f->changed, &f->lock);
    if (!f->todo.first && !f->resume)
        rest(f);
}

static void *run(void *arg)
{
    struct filer *f = arg;

    pthread_mutex_lock(&f->lock);
    for (;;) {
        if (f->todo.first)
            gather(f);
        if (f->todo.first || f->resume)
            work(f);
        else if (f->open)
            linger(f);
        else if (f->stop)
            break;
        else
            pthread_cond_wait(&f->changed, &f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- the loop's thread ------------------------------------------------------------------------
 */

static void fetch(struct filer *f)
{
    pthread_mutex_lock(&f->lock);
    queue_move(&f->out, &f->results);
    pthread_mutex_unlock(&f->lock);
}

static void hand_out(struct filer *f)
{
    struct act *a = queue_take(&f->out);

    f->pending--;
    if (a->status == ACT_DONE && f->g->o.recorded)
        f->g->o.recorded(f->g->o.recorded_ctx, a);
    if (a->done)
        a->done(a->ctx, a);
    act_free(a);
}

static void tell_written(struct filer *f)
{
    bool written, tampered;

    pthread_mutex_lock(&f->lock);
    written = f->written;
    tampered = f->tampered;
    f->written = f->tampered = false;
    pthread_mutex_unlock(&f->lock);
    if ((written || tampered) && f->g->o.written)
        f->g->o.written(f->g->o.written_ctx, tampered);
}

static void on_async(uv_async_t *h)
{
    struct filer *f = h->data;

    fetch(f);
    for (int i = 0; f->out.first && i < CALLBACKS; i++)
        hand_out(f);
    if (f->out.first)
        uv_async_send(&f->async);
    else
        tell_written(f);
    if (!filer_busy(f))
        uv_unref((uv_handle_t *)&f->async);
}

/* By the clock that nobody sets. */
static void init_changed(struct filer *f)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* NULL with err; f is then gone. */
static struct filer *start(uv_loop_t *loop, struct filer *f, struct error *err)
{
    int rc = uv_async_init(loop, &f->async, on_async);

    if (rc < 0) {
        error_set(err, -rc, "cannot start filing");
        filing_close(f->g);
        free(f);
        return NULL;
    }
    uv_unref((uv_handle_t *)&f->async);
    f->async.data = f;
    pthread_mutex_init(&f->lock, NULL);
    init_changed(f);
    rc = pthread_create(&f->thread, NULL, run, f);
    if (rc == 0)
        return f;
    error_set(err, rc, "cannot start a thread");
    f->ended = true;
    filer_free(f, true);
    return NULL;
}

struct filer *filer_new(uv_loop_t *loop, const struct filer_options *o, struct error *err)
{
    struct filer *f = xcalloc(1, sizeof *f);

    lease_block_signal();
    queue_init(&f->todo);
    queue_init(&f->results);
    queue_init(&f->out);
    f->g = filing_open(o, &f->recovered, err);
    if (f->g) {
        take_notes(f);
        return start(loop, f, err);
    }
    free(f);
    return NULL;
}

/* It comes back without the thread. */
static void refuse_one(struct filer *f, struct act *a)
{
    a->status = ACT_STOPPED;
    suspects_learn(f->g->suspects, a);
    pthread_mutex_lock(&f->lock);
    queue_add(&f->results, a);
    f->written = true;
    pthread_mutex_unlock(&f->lock);
    uv_async_send(&f->async);
}

void filer_submit(struct filer *f, struct act *a)
{
    bool wakes;

    a->status = ACT_PENDING;
    f->pending++;
    uv_ref((uv_handle_t *)&f->async);
    if (f->ended) {
        a->status = ACT_STOPPED;
        error_set(&a->error, 0, "the program is ending");
        queue_add(&f->out, a);
        return;
    }
    if (f->g->o.doubts && f->g->o.doubts(f->g->o.doubts_ctx, &a->error)) {
        refuse_one(f, a);
        return;
    }
    if (a->kind == ACT_RENAME)
        a->asked = datasync_ask(f->g->datasync, f->expecting && f->g->o.durable);
    pthread_mutex_lock(&f->lock);
    queue_add(&f->todo, a);
    f->todo_len++;
    wakes = f->todo_len == 1 || !is_gathering(f);
    pthread_mutex_unlock(&f->lock);
    /* Without the lock, for which it would wait at once. */
    if (wakes)
        pthread_cond_signal(&f->changed);
}

void filer_prepare(struct filer *f, int fd)
{
    if (!f->ended && f->g->o.durable)
        datasync_early(f->g->datasync, fd);
}

void filer_expect(struct filer *f, bool many)
{
    if (f->expecting == many)
        return;
    f->expecting = many;
    pthread_mutex_lock(&f->lock);
    f->many = many;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

bool filer_echo(struct filer *f, const char *path, bool came, uint32_t cookie)
{
    return echoes_take(f->g->echoes, path, came, cookie);
}

void filer_echoes_lost(struct filer *f)
{
    echoes_forget(f->g->echoes);
}

unsigned filer_pending(const struct filer *f)
{
    return f->pending;
}

bool filer_busy(struct filer *f)
{
    bool busy;

    pthread_mutex_lock(&f->lock);
    busy = f->pending > 0 || f->resume || f->writing || f->written;
    pthread_mutex_unlock(&f->lock);
    return busy;
}

const char *filer_stopped(struct filer *f)
{
    bool stopped;

    pthread_mutex_lock(&f->lock);
    stopped = f->stopped;
    snprintf(f->told, sizeof f->told, "%s", error_text(&f->why));
    pthread_mutex_unlock(&f->lock);
    return stopped ? f->told : NULL;
}

void filer_resume(struct filer *f)
{
    if (f->ended)
        return;
    uv_ref((uv_handle_t *)&f->async);
    pthread_mutex_lock(&f->lock);
    /* Those that were handed over before: what synced them ahead may be what failed. */
    if (f->stopped && !f->resume)
        refuse_all(f, &f->why);
    f->resume = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

const struct recovery *filer_recovered(const struct filer *f)
{
    return &f->recovered;
}

unsigned filer_lines_waiting(struct filer *f, const char **why)
{
    unsigned n;

    pthread_mutex_lock(&f->lock);
    n = f->lines_waiting;
    memcpy(f->told, f->lines_why, sizeof f->told);
    pthread_mutex_unlock(&f->lock);
    if (why)
        *why = f->told;
    return n;
}

static void closed(uv_handle_t *h)
{
    struct filer *f = h->data;

    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
}

void filer_free(struct filer *f, bool at_once)
{
    if (!f)
        return;
    if (!f->ended) {
        pthread_mutex_lock(&f->lock);
        f->stop = true;
        f->at_once = at_once;
        pthread_cond_signal(&f->changed);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
        f->ended = true;
    }
    fetch(f);
    while (f->out.first)
        hand_out(f);
    filing_close(f->g);
    uv_ref((uv_handle_t *)&f->async);
    uv_close((uv_handle_t *)&f->async, closed);
}
