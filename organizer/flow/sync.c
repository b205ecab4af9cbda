/* sync: the barrier. Everything dropped before it is filed, listed, or only waited for. */
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/internal.h"

/* What only waits whether it comes back is decided now: nobody wants to wait for that. */
static void wake_missing(struct flow *f)
{
    for (size_t i = f->items.heap_len; i-- > 0;) {
        struct item *it = f->items.heap[i];

        if (it->missing) {
            items_wake(&f->items, it);
            i = f->items.heap_len;
        }
    }
}

void flow_sync(struct flow *f, flow_done *done, void *ctx)
{
    struct sync_waiter *w = xcalloc(1, sizeof *w);

    w->done = done;
    w->ctx = ctx;
    w->next = f->waiters;
    f->waiters = w;
    if (f->watcher)
        watcher_pump(f->watcher);
    wake_missing(f);
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

    if (!done || f->items.busy_len > 0 || filer_pending(f->filer) > 0 ||
        hooks_pending(f->hooks) > 0)
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
    if (!f->waiters || !flow_is_idle(f) || filer_pending(f->filer) > 0)
        return;
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
