/* sync: the barrier. Everything dropped before it is filed, listed, or only waited for. */
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/internal.h"

/* Wakes what waits and is meant; each at most once for a sync. Whether there was any. */
static bool wake(struct flow *f, bool meant(const struct item *it))
{
    size_t n = 0;
    struct item **list = xcalloc(f->items.heap_len, sizeof *list);

    for (size_t i = 0; i < f->items.heap_len; i++)
        if (f->items.heap[i]->round != f->sync_round && meant(f->items.heap[i]))
            list[n++] = f->items.heap[i];
    for (size_t i = 0; i < n; i++) {
        list[i]->round = f->sync_round;
        items_wake(&f->items, list[i]);
    }
    free(list);
    return n > 0;
}

static bool is_missing(const struct item *it)
{
    return it->missing != 0;
}

/* Nobody knows when what it waits for will end: it may have ended. */
static bool is_guess(const struct item *it)
{
    return !it->missing && it->why != SETTLE_QUIET;
}

void flow_sync(struct flow *f, flow_done *done, void *ctx)
{
    struct sync_waiter *w = xcalloc(1, sizeof *w);

    w->done = done;
    w->ctx = ctx;
    w->next = f->waiters;
    f->waiters = w;
    f->sync_round++;
    if (f->watcher)
        watcher_pump(f->watcher);
    wake(f, is_guess);
    flow_wake(f);
}

void flow_sweep(struct flow *f, flow_done *done, void *ctx)
{
    flow_today(f);
    flow_scan(f, "");
    if (done)
        flow_sync(f, done, ctx);
}

static void stop_check(struct flow *f)
{
    flow_done *done = f->stop_done;

    if (!done || f->items.busy_len > 0 || filer_busy(f->filer) || hooks_pending(f->hooks) > 0)
        return;
    f->stop_done = NULL;
    done(f->stop_ctx);
}

/* Called whenever something ended: are the waiters served? */
void flow_sync_check(struct flow *f)
{
    struct sync_waiter *w;

    if (f->stopping) {
        stop_check(f);
        return;
    }
    if (!f->waiters || !flow_is_idle(f) || filer_busy(f->filer))
        return;
    /* What only waits whether it comes back is decided now, when all else is known. */
    if (wake(f, is_missing)) {
        flow_wake(f);
        return;
    }
    if (!pages_clean(f->pages)) {
        pages_flush(f);
        return;
    }
    w = f->waiters;
    f->waiters = NULL;
    while (w) {
        struct sync_waiter *next = w->next;

        w->done(w->ctx);
        free(w);
        w = next;
    }
}
