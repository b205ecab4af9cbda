/* journal_internal: what the files of the journal share. Nobody else includes it. */
#ifndef ORGANIZER_RECORD_JOURNAL_INTERNAL_H
#define ORGANIZER_RECORD_JOURNAL_INTERNAL_H

#include "base/str.h"
#include "record/journal.h"

/* A journal beyond this is not read through to note what is foreign in it. */
#define JOURNAL_MAX (INT64_C(1) << 30)

/* Lines as they are to stand behind a head. */
struct journal_lines {
    struct str text;           /* all lines, newlines too */
    struct journal_head *ends; /* the head after each line */
    size_t len;
    size_t tried; /* the first so many may have been written, as far as the disk has them */
};
/* tried is all of them. */
void journal_lines_make(struct journal_lines *l, const struct journal_head *head,
                        const char *const *bodies, size_t n);
void journal_lines_clear(struct journal_lines *l);

/* What stands in the file, measured against a head and the lines that may follow it. */
struct journal_found {
    enum journal_standing standing;
    int64_t size; /* of the file */
    size_t own;   /* bytes behind the head that are as lines' text begins, or zeros in their place */
    size_t whole; /* complete lines that they begin with */
};
/* fd -1: there is no file. What stands behind the first `upto` bytes is taken for not there.
 * Returns 0 or -1. */
int journal_measure(int fd, int64_t upto, const struct journal_head *head,
                    const struct journal_lines *lines, struct journal_found *found,
                    struct error *err);

/* The journal, or its folder, opened without following links. -1 with err; number ENOENT when
 * there is none. What is no regular file is refused. */
int journal_open(int case_fd, int flags, struct error *err);
int journal_open_folder(int case_fd, struct error *err);

/* pread() of exactly n bytes. 0 or -1 with errno; fewer bytes are EIO. */
int journal_read_at(int fd, void *p, size_t n, int64_t at);
/* SHA-256 of the bytes [from, to). 0 or -1 with errno; fewer bytes are EIO. */
int journal_hash(int fd, int64_t from, int64_t to, struct digest *d);
/* Where the line begins that ends at end (its newline, if any, not in [start, end)). */
int journal_line_start(int fd, int64_t end, int64_t *start);

/* One line of the file. */
struct journal_raw {
    const char *text; /* at most JOURNAL_LINE_MAX bytes of it, without newline; NUL behind */
    size_t len;       /* of text */
    int64_t at, end;  /* offsets in the file; end is behind the newline */
    uint64_t number;  /* from 1 */
    bool ended;       /* has its newline */
    bool cut;         /* longer than JOURNAL_LINE_MAX */
};
typedef int journal_raw_fn(void *ctx, const struct journal_raw *raw);
/* Every line of fd; stops when fn returns non-zero and returns that; -1 with err. */
int journal_each_raw(int fd, journal_raw_fn *fn, void *ctx, struct error *err);
/* The line as an object, NULL when it is none. */
json_t *journal_parse(const struct journal_raw *raw);
/* The digest of the line without its newline. 0 or -1 with err. */
int journal_raw_digest(int fd, const struct journal_raw *raw, struct digest *d, struct error *err);

/* A `foreign` line says so much of what it found (see journal.h). */
struct journal_note {
    struct digest was, found;
    uint64_t was_seq;
    int64_t bytes;
    uint64_t kept;
};
/* Whether line is a `foreign` line that is right about the file up to itself, at offset `at`: 1, 0,
 * -1 with errno when the file cannot be read. */
int journal_note_holds(int fd, const json_t *line, int64_t at, struct journal_note *note);

#endif
