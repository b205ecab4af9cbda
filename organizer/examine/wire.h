/*
 * wire: what the organizer and its readers say to each other: records of fixed size over a
 * SOCK_SEQPACKET socket that is descriptor WIRE_FD in the reader. A message is one record; when many
 * documents are under way, up to WIRE_MANY documents, each with its descriptor, or answers.
 *
 *   organizer -> reader   setup first; then documents, each with its descriptor
 *   reader -> organizer   hello first; then for each document, in order, progress and one answer
 *
 * A reader of kind "classifiers" is a nursery: it gets forks (each with the socket of a new
 * classifier) and kills instead of documents. One of kind "parsers" gets documents, each with a
 * second descriptor, a file in memory, into which the parser that it forks for the document writes
 * (text/text.h); it answers when that parser is gone.
 */
#ifndef ORGANIZER_EXAMINE_WIRE_H
#define ORGANIZER_EXAMINE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define WIRE_FD      3
#define WIRE_VERSION 2
#define WIRE_PATH    4096
#define WIRE_MANY    8 /* half of what a reader may have open (sandbox.h) */

enum wire_what {
    /* To the reader. */
    WIRE_SETUP = 1,
    WIRE_DOCUMENT, /* with a descriptor */
    WIRE_FORK,     /* with a socket: ticket names the child */
    WIRE_KILL,     /* that child */
    WIRE_PARSE,    /* with two descriptors: the document, and where its text goes; number: kind */
    /* From the reader. */
    WIRE_HELLO,    /* number: enum sandbox_lack, what could not be had */
    WIRE_PROGRESS, /* still at it; bytes so far */
    WIRE_DIGEST,   /* digest and bytes */
    WIRE_LARGE,    /* not digested: more bytes than the document's limit */
    WIRE_KIND,     /* number: enum kind */
    WIRE_ERROR,    /* number: errno; the document could not be read */
    WIRE_PARSED,   /* number: enum wire_end; what was said lies in the file */
};

/* How a parser ended. */
enum wire_end {
    WIRE_ENDED,    /* in order */
    WIRE_DIED,     /* by a signal, or short of memory */
    WIRE_OVERTIME, /* it used up its time */
    WIRE_END_COUNT
};

struct wire_setup {
    uint32_t what; /* WIRE_SETUP */
    uint32_t version;
    uint32_t beat_ms;      /* report progress this often */
    char magic[WIRE_PATH]; /* rules/documents.magic, or "" */
};

struct wire_order {
    uint32_t what;
    uint32_t ticket;
    uint64_t limit;  /* digest at most this many bytes; 0: any number */
    uint32_t number; /* WIRE_PARSE: enum kind */
    uint32_t unused;
};

struct wire_answer {
    uint32_t what;
    uint32_t ticket;
    uint32_t number;
    uint32_t cpu_ms; /* WIRE_PARSED: of processor time */
    uint64_t bytes;  /* WIRE_PARSED: of memory, at most */
    struct digest digest;
};

/* Sends n bytes as one message, with descriptor fd unless it is -1. Returns 0 or -1 with errno.
 * Never blocks with `flags` MSG_DONTWAIT; never raises SIGPIPE. */
int wire_send(int sock, const void *record, size_t n, int fd, int flags);
/* Sends n records of `size` bytes, each with its descriptor, as one message; n at most WIRE_MANY. */
int wire_send_many(int sock, const void *records, size_t size, const int *fds, size_t n, int flags);
/* As wire_send() with two descriptors. */
int wire_send_two(int sock, const void *record, size_t n, const int fd[2], int flags);
/* Waits for one message of at most n bytes; *fd gets the descriptor that came with it or -1 (more
 * than one are closed). Returns its length, 0 at the end, -1 with errno. */
int wire_receive(int sock, void *record, size_t n, int *fd);
/* Waits for a message of up to WIRE_MANY records of `size` bytes, each with a descriptor, or of one
 * without (then *fds is -1). Returns how many, 0 at the end, -1 with errno, or with 0 in errno for a
 * message that is none of these. */
int wire_receive_many(int sock, void *records, size_t size, int fds[WIRE_MANY]);
/* As wire_receive() for messages with two descriptors: both -1 unless there came exactly two. */
int wire_receive_two(int sock, void *record, size_t n, int fd[2]);

#endif
