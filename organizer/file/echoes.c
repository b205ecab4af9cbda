#include "file/echoes.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/env.h"

/* An event is read within moments; one that comes later is looked at. */
#define ECHO_NS (2 * NS_PER_S)

struct echo {
    int64_t ticks;
    UT_hash_handle hh;
    char key[]; /* '<' or '>' and the path */
};

struct echoes {
    pthread_mutex_t lock;
    struct echo *list; /* in order of time */
};

struct echoes *echoes_new(void)
{
    struct echoes *e = xcalloc(1, sizeof *e);

    pthread_mutex_init(&e->lock, NULL);
    return e;
}

static void drop(struct echoes *e, struct echo *x)
{
    HASH_DEL(e->list, x);
    free(x);
}

static void drop_older(struct echoes *e, int64_t ticks)
{
    while (e->list && e->list->ticks < ticks)
        drop(e, e->list);
}

void echoes_free(struct echoes *e)
{
    if (!e)
        return;
    drop_older(e, INT64_MAX);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static struct echo *echo_new(const char *path, bool came, int64_t ticks)
{
    size_t n = strlen(path);
    struct echo *x = xmalloc(sizeof *x + n + 2);

    x->ticks = ticks;
    x->key[0] = came ? '>' : '<';
    memcpy(x->key + 1, path, n + 1);
    return x;
}

/* Under the lock. */
static void add(struct echoes *e, struct echo *x)
{
    struct echo *same;
    size_t n = strlen(x->key);

    HASH_FIND(hh, e->list, x->key, n, same);
    if (same)
        drop(e, same);
    HASH_ADD_KEYPTR(hh, e->list, x->key, n, x);
}

void echoes_expect(struct echoes *e, const char *from, const char *to)
{
    int64_t now = env_ticks();
    struct echo *left = echo_new(from, false, now), *came = echo_new(to, true, now);

    pthread_mutex_lock(&e->lock);
    drop_older(e, now - ECHO_NS);
    add(e, left);
    add(e, came);
    pthread_mutex_unlock(&e->lock);
}

bool echoes_take(struct echoes *e, const char *path, bool came)
{
    int64_t oldest = env_ticks() - ECHO_NS;
    struct echo *want, *x;
    bool taken;

    pthread_mutex_lock(&e->lock);
    if (!e->list) {
        pthread_mutex_unlock(&e->lock);
        return false;
    }
    want = echo_new(path, came, 0);
    HASH_FIND_STR(e->list, want->key, x);
    taken = x && x->ticks >= oldest;
    if (x)
        drop(e, x);
    pthread_mutex_unlock(&e->lock);
    free(want);
    return taken;
}

void echoes_recall(struct echoes *e, const char *from, const char *to)
{
    (void)echoes_take(e, from, false);
    (void)echoes_take(e, to, true);
}

void echoes_forget(struct echoes *e)
{
    pthread_mutex_lock(&e->lock);
    drop_older(e, INT64_MAX);
    pthread_mutex_unlock(&e->lock);
}
