/*
 * unpack_stream: the bytes of an archive for libarchive, in the unpacker: read by pread(2) alone,
 * decompressed for the formats that are one stream, counted, and looked at to their end.
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
    uint64_t limit; /* how many bytes may come out; 0: any number */
    uint64_t out;   /* so far */
    /* The rest is this module's. */
    uint64_t at; /* the next byte to read */
    size_t step; /* how much is read at a time: less where it jumps */
    char *buf;
    struct archive *raw; /* decompresses; NULL: nothing to decompress */
    uint64_t zeros;      /* at the end of what has come so far */
    uint64_t whole;      /* bytes of the tar */
    char error[200];
};

/* What the file is by its first and last bytes. */
enum unpack_format stream_format(int fd, uint64_t size);
/* Opens a on the file's own bytes. Returns an ARCHIVE_ code. */
int stream_open_plain(struct stream *s, struct archive *a);
/* Opens a on the bytes decompressed as the format says. Returns an ARCHIVE_ code. */
int stream_open(struct stream *s, struct archive *a, enum unpack_format format);
/* n more bytes come out. Returns -1 when these are too many for an archive of this size. */
int stream_count(struct stream *s, size_t n);
/* Reads on to the end behind the last entry of a tar. Returns what is wrong there, or NULL. */
const char *stream_finish(struct stream *s);
/* Why nothing more comes; "" when nothing is wrong with the stream. */
const char *stream_error(const struct stream *s);
/* Behind archive_read_free() of what was opened on it. */
void stream_close(struct stream *s);

#endif
