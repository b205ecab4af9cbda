/*
 * source: a document as the sniffers see it: bytes at offsets, read with pread(2) into own memory
 * (never mapped: a file that shrinks under a mapping kills the reader) and within a budget, so
 * that no document can make a reader work without end.
 */
#ifndef ORGANIZER_EXAMINE_SOURCE_H
#define ORGANIZER_EXAMINE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_GLANCE ((size_t)2 << 10)   /* read at once: what most begin with */
#define SOURCE_FIRST  ((size_t)16 << 10)  /* then: enough for nearly all others */
#define SOURCE_HEAD   ((size_t)256 << 10) /* the most that is looked at from the start */
#define SOURCE_TAIL   ((size_t)64 << 10)  /* and from the end */
#define SOURCE_BUDGET ((size_t)8 << 20)   /* all reads of one document together, bytes */

struct source {
    int fd;        /* the caller's */
    uint64_t size; /* bytes, as fstat(2) says */
    uint8_t *head; /* SOURCE_HEAD bytes of memory, reused from document to document */
    size_t len;    /* of it holding the document's first bytes */
    size_t budget; /* bytes that may still be read */
    int error;     /* errno of the first read that failed, or 0 */
};

/* Makes room for the head. */
void source_init(struct source *s);
void source_clear(struct source *s);
/* Turns to the document behind fd and reads its first bytes. Returns 0, or -1 with s->error. */
int source_open(struct source *s, int fd);
/* At least want bytes of the head (at most SOURCE_HEAD) when there are so many; returns how many
 * there are. */
size_t source_head(struct source *s, size_t want);
/* Reads up to n bytes at offset at; returns how many, 0 past the end, on error or budget. */
size_t source_read(struct source *s, uint64_t at, void *buf, size_t n);
/* The n bytes at offset at of the head are exactly those at p. */
bool source_is(const struct source *s, size_t at, const void *p, size_t n);

/* Little- and big-endian numbers in a buffer. */
uint16_t le16(const uint8_t *p);
uint32_t le32(const uint8_t *p);
uint64_t le64(const uint8_t *p);
uint32_t be32(const uint8_t *p);

#endif
