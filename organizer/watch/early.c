#include "watch/early.h"

#include <stdlib.h>

#include "base/alloc.h"

void early_init(struct early *e)
{
    *e = (struct early){0};
    pthread_mutex_init(&e->adding, NULL);
    pthread_mutex_init(&e->lock, NULL);
}

void early_clear(struct early *e)
{
    pthread_mutex_destroy(&e->adding);
    pthread_mutex_destroy(&e->lock);
    free(e->watches);
}

void early_begin(struct early *e)
{
    pthread_mutex_lock(&e->adding);
}

void early_end(struct early *e, int dirfd, int wd, int error)
{
    pthread_mutex_lock(&e->lock);
    GROW(e->watches, e->len, e->cap);
    e->watches[e->len++] = (struct early_watch){.dirfd = dirfd, .wd = wd, .error = error};
    pthread_mutex_unlock(&e->lock);
    pthread_mutex_unlock(&e->adding);
}

void early_settle(struct early *e)
{
    pthread_mutex_lock(&e->adding);
    pthread_mutex_unlock(&e->adding);
}

bool early_event(struct early *e, int wd, bool in_tree, bool lost)
{
    bool found = false;

    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->len; i++) {
        struct early_watch *x = &e->watches[i];

        if (x->wd != wd)
            continue;
        found = true;
        x->lost |= lost;
        x->heard |= in_tree;
        x->unheard |= !in_tree;
    }
    pthread_mutex_unlock(&e->lock);
    return found;
}

void early_overflow(struct early *e)
{
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->len; i++)
        e->watches[i].unheard = true;
    pthread_mutex_unlock(&e->lock);
}

bool early_take(struct early *e, int dirfd, struct early_watch *out)
{
    bool found = false;

    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->len && !found; i++) {
        if (e->watches[i].dirfd != dirfd)
            continue;
        found = true;
        *out = e->watches[i];
        /* In order: it is the first one, as a rule. */
        for (e->len--; i < e->len; i++)
            e->watches[i] = e->watches[i + 1];
    }
    pthread_mutex_unlock(&e->lock);
    return found;
}
