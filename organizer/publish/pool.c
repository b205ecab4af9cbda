#include "publish/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define PIECE_LEAST ((size_t)16 << 10)
#define PIECE_MOST  ((size_t)1 << 20) /* so much goes back to the system when it is freed */

struct pool_piece {
    struct pool_piece *next;
    size_t used, size;
    char bytes[];
};

const char *pool_keep(struct pool *p, const char *s)
{
    struct pool_piece *piece = p->pieces;
    size_t n = s && *s ? strlen(s) + 1 : 0;

    if (!n)
        return "";
    if (!piece || piece->size - piece->used < n) {
        size_t size = piece ? 2 * piece->size : PIECE_LEAST;

        size = size < PIECE_MOST ? size : PIECE_MOST;
        size = size < n ? n : size;
        piece = xmalloc(sizeof *piece + size);
        *piece = (struct pool_piece){.next = p->pieces, .size = size};
        p->pieces = piece;
    }
    piece->used += n;
    return memcpy(piece->bytes + piece->used - n, s, n);
}

const char *pool_share(struct pool *p, const char *s)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    const char **recent;

    if (!s || !*s)
        return "";
    for (const char *c = s; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619U;
    recent = &p->recent[h % POOL_RECENT];
    if (!*recent || strcmp(*recent, s) != 0)
        *recent = pool_keep(p, s);
    return *recent;
}

void pool_clear(struct pool *p)
{
    while (p->pieces) {
        struct pool_piece *piece = p->pieces;

        p->pieces = piece->next;
        free(piece);
    }
    *p = (struct pool){.pieces = NULL};
}
