/*
 * ring: buffers in one piece of memory between two threads: one fills them in order, the other
 * empties them. What is in memory at any time is what it was made with, however much goes through;
 * small buffers lie close together, so that many of them wait where few large ones would.
 *
 *   filling thread    ring_claim, fill, ring_commit … ring_end
 *   emptying thread   ring_take, use, ring_release … until ring_take yields NULL
 *
 * Either side may give up with ring_stop(): the other's next call yields NULL.
 */
#ifndef ORGANIZER_ARCHIVE_RING_H
#define ORGANIZER_ARCHIVE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One buffer. `bytes` is aligned for O_DIRECT. */
struct ring_slot {
    char *bytes;
    size_t len;     /* in use; the filler's */
    uint64_t tag;   /* what it is of; the filler's */
    unsigned flags; /* the filler's */
};

struct ring;

/* At most so many buffers at a time, in so many bytes in all (a multiple of 4096). NULL with errno. */
struct ring *ring_new(size_t slots, size_t bytes);
/* Both threads are done with it. NULL is fine. */
void ring_free(struct ring *r);
/* A buffer for n bytes (at most all), waited for; NULL when the other side stopped. Claimed again
 * before it is handed over, it is given up for the new one. */
struct ring_slot *ring_claim(struct ring *r, size_t n);
/* Hands the claimed buffer over; what is behind its len is free again. */
void ring_commit(struct ring *r);
/* Nothing more will come. */
void ring_end(struct ring *r);
/* The next filled buffer, waited for; NULL at the end or when the other side stopped. */
struct ring_slot *ring_take(struct ring *r);
/* Gives the taken buffer back. */
void ring_release(struct ring *r);
/* Gives up, from either side. */
void ring_stop(struct ring *r);

#endif
