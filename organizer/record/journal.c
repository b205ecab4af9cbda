#include "record/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "record/journal_internal.h"

/* A `foreign` line is shorter than this. */
#define NOTE_MAX 1024
/* Beyond this a line's number is made up. */
#define SEQ_SANE (UINT64_C(1) << 48)

const char *journal_standing_text(enum journal_standing s)
{
    switch (s) {
    case JOURNAL_INTACT:
        return "is as the organizer left it";
    case JOURNAL_TAIL_OWN:
        return "ends in lines that were being written";
    case JOURNAL_FOREIGN:
        return "has bytes at its end that the organizer did not write";
    case JOURNAL_SHORTER:
        return "is shorter than the organizer left it: it was cut, or restored from a backup";
    case JOURNAL_CHANGED:
        return "was changed: the organizer's last line is not there as it was written";
    case JOURNAL_MISSING:
        return "is missing";
    }
    return "";
}

void journal_body(struct str *body, int64_t now_ns, const char *kind)
{
    char at[TIME_TEXT];

    json_text(body, "at", time_text(now_ns, at));
    json_text(body, "kind", kind);
}

void journal_line(struct str *line, const struct journal_head *head, const char *body)
{
    char hex[DIGEST_HEX];

    str_add(line, "{\"v\":1,\"seq\":");
    str_addi(line, (int64_t)(head->seq + 1));
    str_add(line, ",\"prev\":\"");
    str_add(line, digest_hex(&head->hash, hex));
    str_add(line, "\",");
    str_add(line, body);
    str_addc(line, '}');
}

void journal_lines_make(struct journal_lines *l, const struct journal_head *head,
                        const char *const *bodies, size_t n)
{
    struct journal_head at = *head;
    struct digester *g = digester_new();

    *l = (struct journal_lines){.text = STR_INIT, .ends = xcalloc(n + 1, sizeof *l->ends)};
    for (size_t i = 0; i < n; i++) {
        size_t start = l->text.len;

        journal_line(&l->text, &at, bodies[i]);
        digester_add(g, l->text.s + start, l->text.len - start);
        at.hash = digester_next(g);
        str_addc(&l->text, '\n');
        at.seq++;
        at.size += (int64_t)(l->text.len - start);
        l->ends[l->len++] = at;
        l->tried = l->len;
    }
    digester_free(g);
}

void journal_lines_clear(struct journal_lines *l)
{
    str_clear(&l->text);
    free(l->ends);
    *l = (struct journal_lines){.text = STR_INIT};
}

/* ---- opening for writing ------------------------------------------------------------------ */

/* Opens the journal; makes it and its folder when they are not there. *made tells. */
static int open_or_make(int case_fd, bool *made, struct error *err)
{
    int fd = journal_open(case_fd, O_RDWR | O_APPEND, err);

    *made = false;
    if (fd >= 0 || err->number != ENOENT)
        return fd;
    if (mkdirat(case_fd, JOURNAL_FOLDER, 0777) < 0 && errno != EEXIST)
        return error_set(err, errno, "cannot make the folder " JOURNAL_FOLDER " of the case");
    fd = journal_open(case_fd, O_RDWR | O_APPEND | O_CREAT | O_EXCL, err);
    *made = fd >= 0;
    return fd;
}

/* The names of the journal and of its folder, on disk. */
static int sync_folders(int case_fd, struct error *err)
{
    AUTO_CLOSE int dir = journal_open_folder(case_fd, err);
    AUTO_CLOSE int top = io_open_again(case_fd);

    if (dir < 0)
        return -1;
    if (top < 0 || fsync(dir) < 0 || fsync(top) < 0)
        return error_set(err, errno, "cannot sync the folder of the journal");
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Adds n bytes at the end and moves the head to `end`, wherever that came to lie. */
static int write_end(int fd, const char *p, size_t n, int64_t expected, struct journal_head *end,
                     enum journal_standing *standing, struct error *err)
{
    int64_t at;

    if (io_write_all(fd, p, n) < 0)
        return error_set(err, errno, "cannot write the journal of the case");
    at = lseek(fd, 0, SEEK_CUR);
    if (at < 0)
        return error_set(err, errno, "cannot write the journal of the case");
    if (at != expected) { /* somebody else wrote between the look and the write */
        *standing = JOURNAL_FOREIGN;
        end->size += at - expected;
    }
    return 0;
}

/*
 * Our own bytes that a crash or a failed write left behind are written once more over themselves:
 * there may be zeros among them, and after a failed fsync(2) the kernel takes them for clean though
 * they may not be on disk.
 */
static int rewrite_own(int fd, const char *p, size_t n, int64_t at, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_APPEND) < 0)
        return error_set(err, errno, "cannot write the journal of the case");
    while (n > 0) {
        ssize_t w = pwrite(fd, p, n, at);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return error_set(err, errno, "cannot write the journal of the case");
        p += w;
        at += w;
        n -= (size_t)w;
    }
    if (fcntl(fd, F_SETFL, flags) < 0)
        return error_set(err, errno, "cannot write the journal of the case");
    return 0;
}

/* Writes what is missing of lines behind head; `own` bytes of them are there, or zeros. */
static int write_lines(int fd, struct journal_head *head, const struct journal_lines *lines,
                       size_t own, enum journal_standing *standing, struct error *err)
{
    struct journal_head end = lines->len ? lines->ends[lines->len - 1] : *head;

    if (own > 0 && rewrite_own(fd, lines->text.s, own, head->size, err) < 0)
        return -1;
    if (own < lines->text.len && write_end(fd, lines->text.s + own, lines->text.len - own, end.size,
                                           &end, standing, err) < 0)
        return -1;
    *head = end;
    return 0;
}

/* ---- when the journal is not as it was left ------------------------------------------------ */

/* Digest and number of the last line found, whatever it is. */
static int last_line(int fd, int64_t size, struct journal_head *last, bool *ended)
{
    AUTO_FREE char *text = NULL;
    struct journal_raw raw = {0};
    int64_t start, end = size;
    json_t *line;
    char c;

    *last = (struct journal_head){0};
    *ended = true;
    if (size == 0)
        return 0;
    if (journal_read_at(fd, &c, 1, size - 1) < 0)
        return -1;
    *ended = c == '\n';
    end -= *ended;
    if (journal_line_start(fd, end, &start) < 0 || journal_hash(fd, start, end, &last->hash) < 0)
        return -1;
    if (end - start > JOURNAL_LINE_MAX)
        return 0;
    raw.len = (size_t)(end - start);
    text = xmalloc(raw.len + 1);
    raw.text = text;
    if (journal_read_at(fd, text, raw.len, start) < 0)
        return -1;
    line = journal_parse(&raw);
    last->seq = line ? (uint64_t)json_get_num(line, "seq", 0) : 0;
    json_decref(line);
    return 0;
}

/* The line that says what was found, starting a new segment of the chain. */
static void note_body(struct str *body, const struct journal_head *head,
                      const struct journal_found *found, const struct digest *all, int64_t now_ns)
{
    char hex[DIGEST_HEX];

    journal_body(body, now_ns, "foreign");
    json_text(body, "why", journal_standing_text(found->standing));
    json_text(body, "was", digest_hex(&head->hash, hex));
    json_num(body, "was_seq", (int64_t)head->seq);
    json_num(body, "was_size", head->size);
    json_num(body, "bytes", found->size);
    json_text(body, "found", digest_hex(all, hex));
    json_num(body, "kept", (int64_t)found->whole);
}

/* A head that the note of an append that did not come to its end left in the file. */
struct resumed {
    struct journal_head head; /* behind the note */
    size_t kept;              /* lines that were there before it */
};

/* Looks at one whole line of the window for such a note. 1, 0, -1 with errno. */
static int is_our_note(int fd, const struct journal_head *head, const char *text, size_t len,
                        int64_t at, struct resumed *r)
{
    struct journal_raw raw = {.text = text, .len = len};
    struct journal_note note;
    json_t *line = journal_parse(&raw);
    int ours = line ? journal_note_holds(fd, line, at, &note) : 0;

    if (ours > 0)
        ours = digest_equal(&note.was, &head->hash) && note.was_seq == head->seq;
    if (ours > 0) {
        r->head.seq = (uint64_t)json_get_num(line, "seq", 0);
        r->head.size = at + (int64_t)len + 1;
        r->head.hash = digest_of(text, len);
        r->kept = note.kept;
    }
    json_decref(line);
    return ours;
}

/* Finds the note of an earlier try: it can only stand before what that try wrote. 1, 0, -1. */
static int find_note(int fd, const struct journal_head *head, size_t text, int64_t size,
                     struct resumed *r, struct error *err)
{
    int64_t back = (int64_t)text + 2 * NOTE_MAX;
    int64_t from = size > back ? size - back : 0;
    size_t n = (size_t)(size - from);
    AUTO_FREE char *buf = xmalloc(n + 1);
    const char *p = buf, *nl;

    if (journal_read_at(fd, buf, n, from) < 0)
        return error_set(err, errno, "cannot read the journal of the case");
    while ((nl = memchr(p, '\n', n - (size_t)(p - buf)))) {
        int ours = p > buf || from == 0
                       ? is_our_note(fd, head, p, (size_t)(nl - p), from + (p - buf), r)
                       : 0;

        if (ours != 0)
            return ours > 0 ? 1
                            : error_set(err, errno, "cannot read the journal of the case");
        p = nl + 1;
    }
    return 0;
}

/* Goes on with an append that was interrupted behind its note. 1 done, 0 there is none, -1. */
static int resume(int fd, struct journal_head *head, const char *const *bodies, size_t n,
                  const struct journal_lines *lines, int64_t size, enum journal_standing *standing,
                  struct error *err)
{
    struct journal_lines rest;
    struct journal_found found;
    struct resumed r = {0};
    int rc = find_note(fd, head, lines->text.len, size, &r, err);

    if (rc <= 0 || r.kept > n)
        return rc < 0 ? -1 : 0;
    journal_lines_make(&rest, &r.head, bodies + r.kept, n - r.kept);
    rest.tried = lines->tried > r.kept ? lines->tried - r.kept : 0;
    rc = journal_measure(fd, INT64_MAX, &r.head, &rest, &found, err);
    if (rc == 0 && (found.standing == JOURNAL_INTACT || found.standing == JOURNAL_TAIL_OWN)) {
        rc = write_lines(fd, &r.head, &rest, found.own, standing, err) < 0 ? -1 : 1;
        if (rc > 0)
            *head = r.head;
    }
    journal_lines_clear(&rest);
    return rc;
}

/* Closes what is there, notes it, and puts the lines that are not there yet behind it. */
static int write_after_note(int fd, struct journal_head *head, const char *const *bodies, size_t n,
                            const struct journal_found *found, int64_t now_ns,
                            enum journal_standing *standing, struct error *err)
{
    AUTO_STR struct str body = STR_INIT;
    AUTO_STR struct str all = STR_INIT;
    struct journal_lines note, rest;
    struct journal_head last, end;
    struct digest whole;
    const char *text;
    bool ended;
    int rc;

    if (found->size > JOURNAL_MAX)
        return error_set(err, EFBIG, "the journal of the case was made impossibly large");
    if (last_line(fd, found->size, &last, &ended) < 0 ||
        journal_hash(fd, 0, found->size, &whole) < 0)
        return error_set(err, errno, "cannot read the journal of the case");
    note_body(&body, head, found, &whole, now_ns);
    /* A number once given is not given again, though its line may be gone. What the last line
     * claims counts only where nothing is known of the journal. */
    if (head->seq || last.seq > SEQ_SANE)
        last.seq = head->seq + found->whole;
    last.size = found->size + !ended;
    text = str_c(&body);
    journal_lines_make(&note, &last, &text, 1);
    journal_lines_make(&rest, &note.ends[0], bodies + found->whole, n - found->whole);
    end = rest.len ? rest.ends[rest.len - 1] : note.ends[0];
    if (!ended)
        str_addc(&all, '\n');
    str_add(&all, str_c(&note.text));
    str_add(&all, str_c(&rest.text));
    rc = write_end(fd, all.s, all.len, end.size, &end, standing, err);
    if (rc == 0)
        *head = end;
    journal_lines_clear(&note);
    journal_lines_clear(&rest);
    return rc;
}

/* ---- append -------------------------------------------------------------------------------- */

static int append_open(int fd, struct journal_head *head, const char *const *bodies, size_t n,
                       size_t tried, int64_t now_ns, bool made, enum journal_standing *standing,
                       struct error *err)
{
    struct journal_lines lines;
    struct journal_found found;
    int rc;

    journal_lines_make(&lines, head, bodies, n);
    lines.tried = tried < n ? tried : n;
    rc = journal_measure(fd, INT64_MAX, head, &lines, &found, err);
    if (rc == 0 && made && head->seq)
        found.standing = JOURNAL_MISSING;
    if (rc == 0) {
        *standing = found.standing;
        if (found.standing == JOURNAL_INTACT || found.standing == JOURNAL_TAIL_OWN) {
            rc = write_lines(fd, head, &lines, found.own, standing, err);
        } else {
            rc = resume(fd, head, bodies, n, &lines, found.size, standing, err);
            if (rc == 0)
                rc = write_after_note(fd, head, bodies, n, &found, now_ns, standing, err);
        }
    }
    journal_lines_clear(&lines);
    return rc < 0 ? -1 : 0;
}

int journal_append(int case_fd, struct journal_head *head, const char *const *bodies, size_t n,
                   size_t tried, int64_t now_ns, bool durable, enum journal_standing *standing,
                   struct error *err)
{
    struct journal_head moved = *head;
    bool first = head->seq == 0, made;
    AUTO_CLOSE int fd = open_or_make(case_fd, &made, err);

    *standing = JOURNAL_INTACT;
    if (fd < 0 || append_open(fd, &moved, bodies, n, tried, now_ns, made, standing, err) < 0)
        return -1;
    if (durable && fdatasync(fd) < 0)
        return error_set(err, errno, "cannot sync the journal of the case");
    if (durable && (first || made) && sync_folders(case_fd, err) < 0)
        return -1;
    *head = moved;
    return 0;
}
