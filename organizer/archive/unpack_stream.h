/*
 * unpack_stream: the bytes of an archive for libarchive, in the unpacker: read by pread(2) alone,
 * decompressed for the formats that are one stream, counted, and looked at to their end.
 *
 * How much comes out is bounded by the other end (archive/unpack.h), which is told of it on the way.
 */
#ifndef ORGANIZER_ARCHIVE_UNPACK_STREAM_H
#define ORGANIZER_ARCHIVE_UNPACK_STREAM_H

#include <archive.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/unpacker.h"

struct stream {
    int fd;
    uint64_t size;  /* of the file */
    /* Set before it is opened: these bytes stand for all of the file from size on, which is then
     * where they begin (borrowed). */
    const char *tail;
    size_t tail_len;
    /* Called now and then with the bytes that were decompressed so far, whoever asked for them; returns
     * -1 to end it. */
    int (*passed)(void *ctx, uint64_t bytes);
    void *ctx;
    /* The rest is this module's. */
    uint64_t at; /* the next byte to read */
    size_t step; /* how much is read at a time: less where it jumps */
    char *buf;
    struct archive *raw; /* decompresses; NULL: nothing to decompress */
    uint64_t zeros;      /* at the end of what has come so far */
    uint64_t whole;      /* bytes of the tar */
    uint64_t told;       /* of these, when it was last said */
    char error[200];
};

/* What the file is by its first and last bytes. */
enum unpack_format stream_format(int fd, uint64_t size);
/* Opens a on the file's own bytes. Returns an ARCHIVE_ code. */
int stream_open_plain(struct stream *s, struct archive *a);
/* Opens a on the bytes decompressed as the format says. Returns an ARCHIVE_ code. */
int stream_open(struct stream *s, struct archive *a, enum unpack_format format);
/* Reads on to the end behind the last entry of a tar. Returns what is wrong there, or NULL. */
const char *stream_finish(struct stream *s);
/* Why nothing more comes; "" when nothing is wrong with the stream. */
const char *stream_error(const struct stream *s);
/* Behind archive_read_free() of what was opened on it. */
void stream_close(struct stream *s);

#endif
