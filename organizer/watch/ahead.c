#include "watch/ahead.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "watch/contents.h"

#define MOST_BYTES 1048576 /* of names that wait */
/* To wake the other thread costs as much as to read a folder: it is done for several at once. */
#define AT_ONCE 8

struct place {
    struct str path;
    struct contents contents;
};

/* Folders are numbered as they are asked for; number n is in place n % AHEAD_PLACES. */
struct ahead {
    struct place places[AHEAD_PLACES];
    void (*opened)(void *ctx, int dirfd, bool here);
    void *ctx;
    pthread_t thread;
    struct lister lister; /* the thread's */
    bool moves;           /* the thread's: it has a working directory of its own */

    /* Of the scan's thread. */
    uint64_t first;    /* not passed over */
    uint64_t asked;    /* up to this, without it */
    uint64_t known;    /* to be read up to this, without it */
    size_t passed_len; /* bytes of names passed over since the thread was told */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;  /* for the thread */
    pthread_cond_t come;  /* for the scan's */
    uint64_t told;        /* asked for up to this: the thread knows */
    uint64_t read;        /* read up to this */
    uint64_t wanted;      /* the scan's thread waits until that many are read; 0: it does not */
    size_t waiting_len;   /* bytes of names that were read and not passed over */
    bool idle;            /* the thread waits for work */
    bool stop;
};

static struct place *place(struct ahead *a, uint64_t number)
{
    return &a->places[number % AHEAD_PLACES];
}

/* ---- the thread ----------------------------------------------------------------------------------- */

static void read_one(struct ahead *a, struct place *p)
{
    if (contents_open(&a->lister, str_c(&p->path), &p->contents) < 0)
        return;
    a->opened(a->ctx, p->contents.fd, a->moves && fchdir(p->contents.fd) == 0);
    contents_read(&a->lister, &p->contents);
}

static bool may_read(const struct ahead *a)
{
    return a->read < a->told && a->waiting_len <= MOST_BYTES;
}

/* What the scan's thread waits for is there, or is all that comes before it has passed something. */
static bool enough(const struct ahead *a)
{
    return a->read >= a->wanted || a->waiting_len > MOST_BYTES;
}

static void *run(void *arg)
{
    struct ahead *a = arg;
    sigset_t all;

    /* Signals are the loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    a->moves = unshare(CLONE_FS) == 0;
    pthread_mutex_lock(&a->lock);
    while (!a->stop) {
        struct place *p = place(a, a->read);

        if (!may_read(a)) {
            a->idle = true;
            pthread_cond_wait(&a->work, &a->lock);
            a->idle = false;
            continue;
        }
        pthread_mutex_unlock(&a->lock);
        read_one(a, p);
        pthread_mutex_lock(&a->lock);
        a->read++;
        a->waiting_len += p->contents.names.len;
        if (a->wanted && enough(a))
            pthread_cond_signal(&a->come);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* ---- the scan's thread ---------------------------------------------------------------------------- */

struct ahead *ahead_new(int root, void (*opened)(void *ctx, int dirfd, bool here), void *ctx)
{
    struct ahead *a = xcalloc(1, sizeof *a);

    for (int i = 0; i < AHEAD_PLACES; i++)
        a->places[i].contents = (struct contents)CONTENTS_INIT;
    a->opened = opened;
    a->ctx = ctx;
    lister_init(&a->lister, root);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->come, NULL);
    if (pthread_create(&a->thread, NULL, run, a) == 0)
        return a;
    lister_clear(&a->lister);
    free(a);
    return NULL;
}

bool ahead_full(const struct ahead *a)
{
    return a->asked - a->first >= AHEAD_PLACES;
}

bool ahead_empty(const struct ahead *a)
{
    return a->asked == a->first;
}

/* Under the lock. */
static void tell(struct ahead *a)
{
    a->told = a->asked;
    a->waiting_len -= a->passed_len;
    a->passed_len = 0;
    if (a->idle && may_read(a))
        pthread_cond_signal(&a->work);
}

void ahead_ask(struct ahead *a, const char *path)
{
    struct place *p = place(a, a->asked++);

    str_reset(&p->path);
    str_add(&p->path, path);
    if (a->asked % AT_ONCE)
        return;
    pthread_mutex_lock(&a->lock);
    tell(a);
    pthread_mutex_unlock(&a->lock);
}

static void wait_for_some(struct ahead *a, uint64_t until)
{
    struct timespec end = {.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};
    int rc = 0;

    pthread_mutex_lock(&a->lock);
    tell(a);
    if (a->read == a->first) {
        a->wanted = a->asked - a->first < AT_ONCE ? a->asked : a->first + AT_ONCE;
        while (!enough(a) && rc == 0)
            rc = pthread_cond_clockwait(&a->come, &a->lock, CLOCK_MONOTONIC, &end);
        a->wanted = 0;
    }
    a->known = a->read;
    pthread_mutex_unlock(&a->lock);
}

struct contents *ahead_first(struct ahead *a, uint64_t until, const char **path)
{
    struct place *p = place(a, a->first);

    if (a->known == a->first)
        wait_for_some(a, until);
    if (a->known == a->first)
        return NULL;
    *path = str_c(&p->path);
    return &p->contents;
}

void ahead_pass(struct ahead *a)
{
    struct contents *l = &place(a, a->first++)->contents;

    a->passed_len += l->names.len;
    contents_close(l);
}

void ahead_free(struct ahead *a, void (*passed)(void *ctx, int dirfd))
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    for (uint64_t n = a->first; passed && n < a->read; n++)
        if (place(a, n)->contents.fd >= 0)
            passed(a->ctx, place(a, n)->contents.fd);
    for (int i = 0; i < AHEAD_PLACES; i++) {
        contents_clear(&a->places[i].contents);
        str_clear(&a->places[i].path);
    }
    pthread_cond_destroy(&a->come);
    pthread_cond_destroy(&a->work);
    pthread_mutex_destroy(&a->lock);
    lister_clear(&a->lister);
    free(a);
}
