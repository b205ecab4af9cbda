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
    size_t filled;  /* slots committed and not released */
    size_t in, out; /* next to be claimed, next to be taken */
    size_t end;     /* of the last one committed: offset in memory */
    bool ended, stopped;
    char *memory;
};

#define PAGE ((size_t)4096)
#define NOWHERE SIZE_MAX

/* What n bytes take: whole pages, one at the least, so that no two buffers begin at one place. */
static size_t pages(size_t n)
{
    return n ? (n + PAGE - 1) / PAGE * PAGE : PAGE;
}

struct ring *ring_new(size_t slots, size_t bytes)
{
    struct ring *r;
    /* Mapped, not allocated: what is not used any more goes back to the system. */
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    r = xcalloc(1, sizeof *r);
    r->memory = memory;
    r->slots = xcalloc(slots, sizeof *r->slots);
    r->count = slots;
    r->size = bytes;
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
    munmap(r->memory, r->size);
    free(r->slots);
    free(r);
}

/* Where n bytes in one piece are free: behind the last buffer, or again from the beginning. */
static size_t find_room(const struct ring *r, size_t n)
{
    size_t begin; /* of the oldest buffer in use */

    if (!r->filled)
        return 0;
    if (r->filled == r->count)
        return NOWHERE;
    begin = (size_t)(r->slots[r->out].bytes - r->memory);
    if (r->end <= begin)
        return begin - r->end >= n ? r->end : NOWHERE;
    if (r->size - r->end >= n)
        return r->end;
    return begin >= n ? 0 : NOWHERE;
}

struct ring_slot *ring_claim(struct ring *r, size_t n)
{
    struct ring_slot *slot = NULL;
    size_t at;

    pthread_mutex_lock(&r->lock);
    while ((at = find_room(r, pages(n))) == NOWHERE && !r->stopped)
        pthread_cond_wait(&r->changed, &r->lock);
    if (!r->stopped)
        slot = &r->slots[r->in];
    pthread_mutex_unlock(&r->lock);
    if (slot)
        *slot = (struct ring_slot){.bytes = r->memory + at};
    return slot;
}

void ring_commit(struct ring *r)
{
    const struct ring_slot *slot = &r->slots[r->in];

    pthread_mutex_lock(&r->lock);
    r->end = (size_t)(slot->bytes - r->memory) + pages(slot->len);
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
