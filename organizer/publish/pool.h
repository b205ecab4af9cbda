/*
 * pool: strings that live as long as a page is made, in few large pieces of memory. Of 100,000
 * documents most have the same folder, type and words: those are kept once.
 */
#ifndef ORGANIZER_PUBLISH_POOL_H
#define ORGANIZER_PUBLISH_POOL_H

#include <stddef.h>

#define POOL_RECENT 1024

struct pool_piece;

/* All zero: an empty one. */
struct pool {
    struct pool_piece *pieces;
    const char *recent[POOL_RECENT]; /* by hash: the last one that was shared */
};

/* A copy of s; "" for NULL. */
const char *pool_keep(struct pool *p, const char *s);
/* As above, of what others are likely to have, too. */
const char *pool_share(struct pool *p, const char *s);
void pool_clear(struct pool *p);

#endif
