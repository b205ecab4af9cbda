#include "file/echoes.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/table.h"

/* An event is read within moments; one that comes later is looked at. */
#define ECHO_NS (2 * NS_PER_S)

struct echo {
    int64_t ticks;
    UT_hash_handle hh;
    char path[];
};

struct echoes {
    pthread_mutex_t lock;
    struct echo *left, *came; /* in order of time */
    uint32_t cookie;          /* of the last leaving that was taken */
};

struct echoes *echoes_new(void)
{
    struct echoes *e = xcalloc(1, sizeof *e);

    pthread_mutex_init(&e->lock, NULL);
    return e;
}

static void drop(struct echo **list, struct echo *x)
{
    HASH_DEL(*list, x);
    free(x);
}

static void drop_older(struct echoes *e, int64_t ticks)
{
    while (e->left && e->left->ticks < ticks)
        drop(&e->left, e->left);
    while (e->came && e->came->ticks < ticks)
        drop(&e->came, e->came);
}

void echoes_free(struct echoes *e)
{
    if (!e)
        return;
    drop_older(e, INT64_MAX);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static struct echo *echo_new(const char *path, int64_t ticks)
{
    size_t n = strlen(path) + 1;
    struct echo *x = xmalloc(sizeof *x + n);

    x->ticks = ticks;
    memcpy(x->path, path, n);
    return x;
}

/* Under the lock. */
static void add(struct echo **list, struct echo *x)
{
    struct echo *same;
    size_t n = strlen(x->path);
    unsigned hash;

    HASH_VALUE(x->path, n, hash);
    HASH_FIND_BYHASHVALUE(hh, *list, x->path, n, hash, same);
    if (same)
        drop(list, same);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *list, x->path, n, hash, x);
}

void echoes_expect(struct echoes *e, const char *from, const char *to)
{
    int64_t now = env_ticks();
    struct echo *left = echo_new(from, now), *came = echo_new(to, now);

    pthread_mutex_lock(&e->lock);
    drop_older(e, now - ECHO_NS);
    add(&e->left, left);
    add(&e->came, came);
    pthread_mutex_unlock(&e->lock);
}

/* Whether it was in the list and is not older than `oldest`. Under the lock. */
static bool take_out(struct echo **list, const char *path, int64_t oldest)
{
    struct echo *x;
    bool taken;

    HASH_FIND_STR(*list, path, x);
    taken = x && x->ticks >= oldest;
    if (x)
        drop(list, x);
    return taken;
}

bool echoes_take(struct echoes *e, const char *path, bool came, uint32_t cookie)
{
    int64_t oldest = env_ticks() - ECHO_NS;
    bool taken;

    pthread_mutex_lock(&e->lock);
    taken = take_out(came ? &e->came : &e->left, path, oldest);
    if (!came && taken)
        e->cookie = cookie;
    else if (came)
        taken = taken && cookie == e->cookie;
    pthread_mutex_unlock(&e->lock);
    return taken;
}

void echoes_recall(struct echoes *e, const char *from, const char *to)
{
    pthread_mutex_lock(&e->lock);
    (void)take_out(&e->left, from, 0);
    (void)take_out(&e->came, to, 0);
    pthread_mutex_unlock(&e->lock);
}

void echoes_forget(struct echoes *e)
{
    pthread_mutex_lock(&e->lock);
    drop_older(e, INT64_MAX);
    pthread_mutex_unlock(&e->lock);
}
