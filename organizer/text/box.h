/*
 * box: documents that are ZIP archives inside: their parts by name, bounded, by libarchive.
 */
#ifndef ORGANIZER_TEXT_BOX_H
#define ORGANIZER_TEXT_BOX_H

#include <stdbool.h>
#include <stddef.h>

#include "text/parse.h"

/* Bytes of one part when it is unpacked, and of all parts of a document together: a bomb ends
 * there. */
#define BOX_PART  ((size_t)64 << 20)
#define BOX_ALL   ((size_t)160 << 20)
#define BOX_PARTS 10000

struct box {
    const struct bytes *bytes;
    size_t taken;   /* bytes unpacked so far */
    bool locked;    /* parts are encrypted */
    bool damaged;   /* it ends early, or a part cannot be unpacked */
    bool over;      /* a bound was reached */
};

/* Called for each part; true goes on. */
typedef bool box_fn(void *ctx, const char *name);
/* Names all parts in order. False when it is no archive at all. */
bool box_each(struct box *x, box_fn *fn, void *ctx);
/* Unpacks the part piece by piece. feed returns false when it has had enough. False when there is
 * no such part. */
typedef bool box_feed(void *ctx, const char *p, size_t n);
bool box_part(struct box *x, const char *name, box_feed *feed, void *ctx);

#endif
