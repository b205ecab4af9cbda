#include "archive/ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/alloc.h"

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ring_slot *slots;
    size_t count, size;
    size_t filled; /* slots committed and not released */
    size_t in, out; /* next to be claimed, next to be taken */
    bool ended, stopped;
    char *memory;
};

struct ring *ring_new(size_t slots, size_t size)
{
    struct ring *r;
    /* Mapped, not allocated: what is not used any more goes back to the system. */
    char *memory = mmap(NULL, slots * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    r = xcalloc(1, sizeof *r);
    r->memory = memory;
    r->slots = xcalloc(slots, sizeof *r->slots);
    r->count = slots;
    r->size = size;
    for (size_t i = 0; i < slots; i++)
        r->slots[i].bytes = memory + i * size;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    return r;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    munmap(r->memory, r->count * r->size);
    free(r->slots);
    free(r);
}

struct ring_slot *ring_claim(struct ring *r)
{
    struct ring_slot *slot = NULL;

    pthread_mutex_lock(&r->lock);
    while (r->filled == r->count && !r->stopped)
        pthread_cond_wait(&r->changed, &r->lock);
    if (!r->stopped)
        slot = &r->slots[r->in];
    pthread_mutex_unlock(&r->lock);
    if (slot) {
        slot->len = 0;
        slot->flags = 0;
    }
    return slot;
}

void ring_commit(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->in = (r->in + 1) % r->count;
    r->filled++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

struct ring_slot *ring_take(struct ring *r)
{
    struct ring_slot *slot = NULL;

    pthread_mutex_lock(&r->lock);
    while (r->filled == 0 && !r->ended && !r->stopped)
        pthread_cond_wait(&r->changed, &r->lock);
    if (r->filled && !r->stopped)
        slot = &r->slots[r->out];
    pthread_mutex_unlock(&r->lock);
    return slot;
}

void ring_release(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->out = (r->out + 1) % r->count;
    r->filled--;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void ring_stop(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopped = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}
