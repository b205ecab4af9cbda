/* The journal's file: opening it safely, reading its lines, measuring it against a head. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "record/journal_internal.h"

#define CHUNK 65536

int journal_open_folder(int case_fd, struct error *err)
{
    int fd = beneath_open(case_fd, JOURNAL_FOLDER, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return error_set(err, errno, "cannot open the folder " JOURNAL_FOLDER " of the case");
    return fd;
}

int journal_open(int case_fd, int flags, struct error *err)
{
    AUTO_CLOSE int dir = journal_open_folder(case_fd, err);
    bool write = (flags & O_ACCMODE) != O_RDONLY;
    struct stat st;
    int fd;

    if (dir < 0)
        return -1;
    fd = openat(dir, JOURNAL_NAME, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(err, errno, "cannot open the journal of the case");
    if (fstat(fd, &st) < 0)
        error_set(err, errno, "cannot look at the journal of the case");
    else if (!S_ISREG(st.st_mode))
        error_set(err, EINVAL, "the journal of the case is not a regular file");
    else if (write && st.st_nlink != 1) /* the other name may be somebody's document */
        error_set(err, EMLINK, "the journal of the case has a second name (a hard link)");
    else
        return fd;
    close(fd);
    return -1;
}

int journal_read_at(int fd, void *p, size_t n, int64_t at)
{
    char *s = p;

    while (n > 0) {
        ssize_t r = pread(fd, s, n, at);

        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            errno = EIO;
        if (r <= 0)
            return -1;
        s += r;
        at += r;
        n -= (size_t)r;
    }
    return 0;
}

int journal_hash(int fd, int64_t from, int64_t to, struct digest *d)
{
    AUTO_FREE char *buf = xmalloc(CHUNK);
    struct digester *g = digester_new();

    while (from < to) {
        size_t n = to - from < CHUNK ? (size_t)(to - from) : CHUNK;

        if (journal_read_at(fd, buf, n, from) < 0) {
            digester_free(g);
            return -1;
        }
        digester_add(g, buf, n);
        from += (int64_t)n;
    }
    *d = digester_done(g);
    return 0;
}

int journal_line_start(int fd, int64_t end, int64_t *start)
{
    AUTO_FREE char *buf = xmalloc(CHUNK);

    while (end > 0) {
        size_t n = end < CHUNK ? (size_t)end : CHUNK;
        const char *nl;

        if (journal_read_at(fd, buf, n, end - (int64_t)n) < 0)
            return -1;
        nl = memrchr(buf, '\n', n);
        if (nl) {
            *start = end - (int64_t)n + (nl - buf) + 1;
            return 0;
        }
        end -= (int64_t)n;
    }
    *start = 0;
    return 0;
}

/* 1 when the line that ends at the head is the head's, 0 when not, -1 with errno. */
static int holds_head(int fd, const struct journal_head *head)
{
    struct digest d;
    int64_t start;
    char last;

    if (!head->seq)
        return 1;
    if (head->size < 2 || journal_read_at(fd, &last, 1, head->size - 1) < 0)
        return head->size < 2 ? 0 : -1;
    if (last != '\n')
        return 0;
    if (journal_line_start(fd, head->size - 1, &start) < 0 ||
        journal_hash(fd, start, head->size - 1, &d) < 0)
        return -1;
    return digest_equal(&d, &head->hash);
}

/* Compares what is behind the head with what may be there. What was being written when the power
 * went may be partly zeros, which no line of ours holds: ext4 can have the new size of a file on the
 * disk before the bytes. Zeros in the place of what nobody was writing are foreign. */
static int measure_tail(int fd, const struct journal_head *head, const struct journal_lines *lines,
                        struct journal_found *found)
{
    int64_t tail = found->size - head->size;
    size_t n = tail < (int64_t)lines->text.len ? (size_t)tail : lines->text.len;
    size_t unbroken = n, tried = 0;
    AUTO_FREE char *buf = xmalloc(n + 1);

    if (journal_read_at(fd, buf, n, head->size) < 0)
        return -1;
    if (lines->tried)
        tried = (size_t)(lines->ends[lines->tried - 1].size - head->size);
    for (; found->own < n; found->own++) {
        if (buf[found->own] == lines->text.s[found->own])
            continue;
        if (found->own < unbroken)
            unbroken = found->own;
        if (buf[found->own] != '\0' || found->own >= tried)
            break;
    }
    while (found->whole < lines->len &&
           lines->ends[found->whole].size - head->size <= (int64_t)unbroken)
        found->whole++;
    if (tail > 0)
        found->standing = (int64_t)found->own == tail ? JOURNAL_TAIL_OWN : JOURNAL_FOREIGN;
    return 0;
}

int journal_measure(int fd, int64_t upto, const struct journal_head *head,
                    const struct journal_lines *lines, struct journal_found *found,
                    struct error *err)
{
    struct stat st;
    int held;

    *found = (struct journal_found){.standing = head->seq ? JOURNAL_MISSING : JOURNAL_INTACT};
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) < 0)
        return error_set(err, errno, "cannot look at the journal of the case");
    found->size = st.st_size < upto ? st.st_size : upto;
    found->standing = JOURNAL_SHORTER;
    if (found->size < head->size)
        return 0;
    held = holds_head(fd, head);
    found->standing = held ? JOURNAL_INTACT : JOURNAL_CHANGED;
    if (held < 0 || (held && measure_tail(fd, head, lines, found) < 0))
        return error_set(err, errno, "cannot read the journal of the case");
    return 0;
}

/* The reader's own: the line that is being put together. */
struct lines_reader {
    struct str line;
    struct journal_raw raw;
    journal_raw_fn *fn;
    void *ctx;
};

static void take(struct lines_reader *r, const char *s, size_t n)
{
    size_t room = JOURNAL_LINE_MAX - r->line.len;

    if (n > room) {
        r->raw.cut = true;
        n = room;
    }
    str_addn(&r->line, s, n);
}

static int give(struct lines_reader *r, int64_t end, bool ended)
{
    int rc;

    r->raw.text = str_c(&r->line);
    r->raw.len = r->line.len;
    r->raw.end = end;
    r->raw.ended = ended;
    r->raw.number++;
    rc = r->fn(r->ctx, &r->raw);
    str_reset(&r->line);
    r->raw.at = end;
    r->raw.cut = false;
    return rc;
}

static int give_lines(struct lines_reader *r, const char *buf, size_t n, int64_t at)
{
    size_t i = 0;

    while (i < n) {
        const char *nl = memchr(buf + i, '\n', n - i);
        size_t len = nl ? (size_t)(nl - buf) - i : n - i;
        int rc;

        take(r, buf + i, len);
        i += len;
        if (!nl)
            break;
        i++;
        rc = give(r, at + (int64_t)i, true);
        if (rc)
            return rc;
    }
    return 0;
}

int journal_each_raw(int fd, journal_raw_fn *fn, void *ctx, struct error *err)
{
    AUTO_FREE char *buf = xmalloc(CHUNK);
    struct lines_reader r = {.line = STR_INIT, .fn = fn, .ctx = ctx};
    int64_t at = 0;
    int rc = 0;

    while (rc == 0) {
        ssize_t n = pread(fd, buf, CHUNK, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = error_set(err, errno, "cannot read the journal of the case");
        if (n <= 0)
            break;
        rc = give_lines(&r, buf, (size_t)n, at);
        at += n;
    }
    if (rc == 0 && at > r.raw.at)
        rc = give(&r, at, false);
    str_clear(&r.line);
    return rc;
}

json_t *journal_parse(const struct journal_raw *raw)
{
    json_t *line;

    if (raw->cut)
        return NULL;
    line = json_loadb(raw->text, raw->len, JSON_REJECT_DUPLICATES, NULL);
    if (line && !json_is_object(line)) {
        json_decref(line);
        line = NULL;
    }
    return line;
}

int journal_raw_digest(int fd, const struct journal_raw *raw, struct digest *d, struct error *err)
{
    if (raw->cut && journal_hash(fd, raw->at, raw->end - raw->ended, d) < 0)
        return error_set(err, errno, "cannot read the journal of the case");
    if (!raw->cut)
        *d = digest_of(raw->text, raw->len);
    return 0;
}

int journal_note_holds(int fd, const json_t *line, int64_t at, struct journal_note *note)
{
    const char *kind = json_get_text(line, "kind");
    const char *was = json_get_text(line, "was");
    const char *found = json_get_text(line, "found");
    struct digest d;

    if (!kind || strcmp(kind, "foreign") != 0 || !was || !found ||
        digest_parse(was, &note->was) < 0 || digest_parse(found, &note->found) < 0)
        return 0;
    note->was_seq = (uint64_t)json_get_num(line, "was_seq", 0);
    note->bytes = json_get_num(line, "bytes", -1);
    note->kept = (uint64_t)json_get_num(line, "kept", 0);
    /* Between the two lies at most the newline that closed what was there. */
    if (note->bytes < 0 || note->bytes > at || at - note->bytes > 1)
        return 0;
    return journal_hash(fd, 0, note->bytes, &d) < 0 ? -1 : digest_equal(&d, &note->found);
}
