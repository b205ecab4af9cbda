/*
 * held_batch: acts that are handed over one by one and are one batch of the filer all the same, and
 * what happens between its steps. For tests of the filer, which include failing_calls.h.
 */
#ifndef TESTS_HELD_BATCH_H
#define TESTS_HELD_BATCH_H

#include <semaphore.h>

#include "filer_world.h"

static struct {
    sem_t waiting, go;
    bool holds; /* the next batch waits at its end */
    enum filer_point point;
    void (*meanwhile)(struct world *w, const struct act *a); /* at that point, once; or NULL */
    struct outcome first;
} held;

static void held_between(void *ctx, enum filer_point point, const struct act *a)
{
    void (*fn)(struct world *, const struct act *) = held.meanwhile;

    if (point == FILER_COMMITTED && held.holds) {
        held.holds = false;
        sem_post(&held.waiting);
        while (sem_wait(&held.go) < 0)
            continue;
    } else if (fn && point == held.point) {
        held.meanwhile = NULL;
        fn(ctx, a);
    }
}

static inline void at(enum filer_point point, void (*fn)(struct world *, const struct act *))
{
    held.point = point;
    held.meanwhile = fn;
}

/* A world whose case is open, and whose batches can be held. */
static inline struct world *held_world(void)
{
    struct world *w = world_new();

    memset(&held, 0, sizeof held);
    sem_init(&held.waiting, 0, 0);
    sem_init(&held.go, 0, 0);
    w->o.between = held_between;
    w->o.between_ctx = w;
    world_start(w);
    open_case(w);
    finish(w);
    return w;
}

static inline void held_world_free(struct world *w)
{
    held.meanwhile = NULL;
    world_free(w);
    sem_destroy(&held.waiting);
    sem_destroy(&held.go);
}

/* From now on what is handed over becomes one batch. No call is under way meanwhile. */
static inline void hold(struct world *w)
{
    struct act *a = act_new(ACT_RECORD);

    finish(w);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    a->doc.path = xstrdup("held");
    a->case_path = xstrdup(CASE);
    held.holds = true;
    submit(w, a, &held.first);
    while (sem_wait(&held.waiting) < 0)
        continue;
}

/* The batch is done. */
static inline void let_go(struct world *w)
{
    sem_post(&held.go);
    run(w);
}

#endif
