/*
 * unpack: the organizer's end of an unpacker (archive/unpacker.h): an archive as a stream of
 * entries, parsed by a sandboxed process, bounded in time, memory and in what may come out of it.
 *
 * What may come out: 512 MiB and 200 times the archive's size, which text and scans never reach; and
 * what it says itself that is in it (a ZIP's directory, a bag's Payload-Oxum: unpack_declare()), as
 * far as its format can hold so much in its size. So a recording of silence is read to its end, a
 * bomb that says nothing is not, and one that says what it is costs time in proportion to its size.
 * Processor time: a minute, and what the bytes that come out are worth.
 *
 * unpack_open(), then any number of rounds of unpack_start() and unpack_next() until that returns
 * 0 or -1, then unpack_close(). Nothing that comes out is to be believed but what digests prove.
 */
#ifndef ORGANIZER_ARCHIVE_UNPACK_H
#define ORGANIZER_ARCHIVE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/unpacker.h"

struct error;
struct unpack;

struct unpack_options {
    const char *exe;  /* the program itself; NULL: fork (tests) */
    int64_t stall_ms; /* nothing came for so long: it is ended. 0: UNPACK_STALL_MS */
    uint64_t any;     /* bytes that may come out of any archive; 0: UNPACK_ANY */
    int64_t cpu_ms;   /* processor time beyond what bytes pay for; 0: UNPACK_CPU_MS and by its size */
};
/* libarchive is known to hang on damaged files; honest ones yield something every few milliseconds.
 */
#define UNPACK_STALL_MS 30000
#define UNPACK_CPU_MS   60000
#define UNPACK_ANY      (UINT64_C(512) << 20)

/* Borrowed until the next call. */
struct unpack_event {
    enum unpack_what what; /* ENTRY, DATA, END or TOLD */
    uint64_t number;       /* of the entry; UINT64_MAX: the whole archive */
    const char *p; /* ENTRY: its name; DATA: bytes; END, TOLD: what is wrong, "" for nothing */
    size_t n;      /* of p, behind which a NUL stands */
    enum unpack_kind kind; /* ENTRY, as are the following */
    uint64_t size;
    int64_t time_s;
    uint32_t time_ns;
    bool encrypted, size_known;
    bool damaged; /* END */
};

/* Starts the process on the archive that fd is (borrowed for the call). Returns NULL with err when
 * the process cannot be started or the file is no archive that is understood. */
struct unpack *unpack_open(int fd, const struct unpack_options *o, struct error *err);
enum unpack_format unpack_format(const struct unpack *u);
/* "zip", "tar.gz" */
const char *unpack_format_name(enum unpack_format format);
/* Whether a list costs little beside reading all of it. */
bool unpack_lists_fast(const struct unpack *u);
/* The archive says that so many bytes are in it: more may come, also of the round that runs. */
void unpack_declare(struct unpack *u, uint64_t bytes);
/* Asks for the entries (with their data), of all, or of the len numbers at picks, ascending; NULL:
 * all. Returns 0, or -1 with err. */
int unpack_start(struct unpack *u, bool data, const uint32_t *picks, size_t len, struct error *err);
/* Of a ZIP unpack_start() without data need not tell what is surely none of these (wanted.h). What it
 * is too long for is told all the same. Returns 0, or -1 with err. */
int unpack_want(struct unpack *u, const char *const *list, struct error *err);
/* Asks for n bytes of an entry of a ZIP that is stored as it is: they come as DATA alone. Returns 0,
 * or -1 with err. */
int unpack_slice(struct unpack *u, uint64_t number, uint64_t from, uint64_t n, struct error *err);
/* The next event. Returns 1; 0 at the end of the round; -1 with err when the archive cannot be read
 * on. */
int unpack_next(struct unpack *u, struct unpack_event *e, struct error *err);
/* Its number, for tests and for who wants to end it. */
pid_t unpack_pid(const struct unpack *u);
/* Ends the process. NULL is fine. */
void unpack_close(struct unpack *u);

#endif
