/* sync: the barrier. Everything dropped before it is filed, listed, or only waited for. */
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/archiving.h"
#include "flow/closing.h"
#include "flow/finding.h"
#include "flow/internal.h"
#include "flow/nightly.h"

/* The lines of what is recorded are in the journals soon after; under load, the filer is never
 * without work: then this long is long enough. */
#define SYNC_JOURNAL_NS NS_PER_S
/* What documents say is read when nothing else is under way: so long that is waited for. Where many
 * came at once it goes on behind the sync, and the answer says so. */
#define SYNC_TEXT_NS (10 * NS_PER_S)
/* Reading pictures may take minutes each: that is waited for only when it is done in a moment. */
#define SYNC_SCAN_NS (3 * NS_PER_S)

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
    struct sync_waiter *w;

    f->sync_round++;
    if (f->watcher) {
        watcher_pump(f->watcher);
        watcher_sweep(f->watcher);
    }
    flow_go_on(f);
    wake(f, is_guess);
    items_owe(&f->items);
    /* Only now: what was pumped may have served those that wait. */
    w = xcalloc(1, sizeof *w);
    *w = (struct sync_waiter){.done = done,
                              .ctx = ctx,
                              .job = UINT64_MAX,
                              .until = env_ticks() + SYNC_JOURNAL_NS,
                              .until_text = env_ticks() + SYNC_TEXT_NS,
                              .until_scan = env_ticks() + SYNC_SCAN_NS,
                              .next = f->waiters};
    f->waiters = w;
    backlog_bound(f->backlog, SYNC_SCAN_NS / NS_PER_MS);
    flow_wake(f);
}

void flow_sweep(struct flow *f, flow_done *done, void *ctx)
{
    flow_today(f);
    flow_scan(f, "");
    if (done)
        flow_sync(f, done, ctx);
}

/* What was filed last stands on the pages before the daemon is gone. Once: what is put off or fails is for
 * the next start. Not before the first sweep is done: it would make pages of half of what there is. */
static bool writes_last_pages(struct flow *f)
{
    if (!f->wrote_last && f->last_sweep_ns && !pages_clean(f->pages)) {
        f->wrote_last = true;
        pages_flush(f);
    }
    return pages_running(f->pages);
}

static void stop_check(struct flow *f)
{
    flow_done *done = f->stop_done;

    if (!done || f->items.busy_len > 0 || filer_busy(f->filer) || f->retries > 0 ||
        hooks_pending(f->hooks) > 0 || !archiving_idle(f) || nightly_running(f->nightly) ||
        writes_last_pages(f))
        return;
    f->stop_done = NULL;
    done(f->stop_ctx);
}

/* What was there when the sync was asked for is not decided yet. New arrivals do not count: an
 * office that goes on dropping must not keep it waiting. */
static bool under_way(struct flow *f)
{
    if (sweep_running(f->sweep)) {
        f->owe_scanned = true;
        return true;
    }
    /* What the scan found was there before, too. */
    if (f->owe_scanned)
        items_owe(&f->items);
    f->owe_scanned = false;
    if (f->items.owed > 0 || integrity_running(f->integrity) || closing_under_way(f) ||
        (f->rest_round == f->sync_round && f->renaming > 0))
        return true;
    /* What only waits whether it comes back is decided now, when all else is known. */
    if (wake(f, is_missing)) {
        items_owe(&f->items);
        flow_wake(f);
        return true;
    }
    /* Once for a sync: what somebody else has open stays. */
    if (f->rest_round == f->sync_round)
        return false;
    f->rest_round = f->sync_round;
    flow_rename_rest(f);
    return f->renaming > 0;
}

/* What documents say is still being read, and the waiter still waits for that. */
static bool is_reading(const struct flow *f, const struct sync_waiter *w)
{
    return (backlog_len(f->backlog) > 0 && env_ticks() < w->until_text) ||
           (scans_len(f->scans) > 0 && env_ticks() < w->until_scan);
}

/* Pages that were written after everything was decided end the waiting. */
static void serve_waiters(struct flow *f)
{
    struct sync_waiter **link = &f->waiters, *served = NULL, *w;

    while ((w = *link)) {
        if (w->job == UINT64_MAX && filer_busy(f->filer) && env_ticks() < w->until)
            return;
        if (w->job == UINT64_MAX && is_reading(f, w))
            return;
        if (w->job == UINT64_MAX) {
            w->job = pages_job(f->pages);
            w->find = flow_find_given(f);
        }
        if (pages_done(f->pages) < w->job || !flow_find_has(f, w->find)) {
            if (pages_done(f->pages) < w->job)
                pages_flush(f);
            link = &w->next;
            continue;
        }
        *link = w->next;
        w->next = served;
        served = w;
    }
    while ((w = served)) {
        served = w->next;
        w->done(w->ctx);
        free(w);
    }
}

/* Called whenever something ended: are the waiters served? */
void flow_sync_check(struct flow *f)
{
    if (f->stopping) {
        stop_check(f);
        return;
    }
    if (f->waiters && !under_way(f))
        serve_waiters(f);
    if (!f->waiters)
        backlog_unbound(f->backlog);
}

void flow_end_waiters(struct flow *f)
{
    struct sync_waiter *w;

    while ((w = f->waiters)) {
        f->waiters = w->next;
        w->done(w->ctx);
        free(w);
    }
}
