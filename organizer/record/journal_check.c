/* Reading the journal: its lines, whose it is, and whether it is what was written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "record/journal_internal.h"

/* -1 with err; -2 when there is no journal. */
static int open_to_read(int case_fd, struct error *err)
{
    int fd = journal_open(case_fd, O_RDONLY, err);

    return fd < 0 && err->number == ENOENT ? -2 : fd;
}

struct each {
    journal_fn *fn;
    void *ctx;
};

static int each_line(void *ctx, const struct journal_raw *raw)
{
    struct each *e = ctx;
    json_t *line = journal_parse(raw);
    int rc = e->fn(e->ctx, line, raw->text, raw->len, raw->number);

    json_decref(line);
    return rc;
}

int journal_each(int case_fd, journal_fn *fn, void *ctx, struct error *err)
{
    struct each e = {fn, ctx};
    AUTO_CLOSE int fd = open_to_read(case_fd, err);

    if (fd < 0)
        return fd == -2 ? 0 : -1;
    return journal_each_raw(fd, each_line, &e, err);
}

static int first_case(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number)
{
    const char *id = line ? json_get_text(line, "case") : NULL;

    (void)raw, (void)len, (void)number;
    if (id && strlen(id) < CASE_ID_SIZE)
        memcpy(ctx, id, strlen(id) + 1);
    return 1;
}

int journal_case_id(int case_fd, char id[static CASE_ID_SIZE], struct error *err)
{
    id[0] = '\0';
    return journal_each(case_fd, first_case, id, err) < 0 ? -1 : 0;
}

struct ending {
    int fd;
    struct journal_head head;
    struct error *err;
};

static int take_end(void *ctx, const struct journal_raw *raw)
{
    struct ending *e = ctx;
    json_t *line;
    int64_t seq;

    if (!raw->ended)
        return 0;
    if (journal_raw_digest(e->fd, raw, &e->head.hash, e->err) < 0)
        return -1;
    line = journal_parse(raw);
    seq = line ? json_get_num(line, "seq", 0) : 0;
    json_decref(line);
    if (seq > (int64_t)e->head.seq)
        e->head.seq = (uint64_t)seq;
    e->head.size = raw->end;
    return 0;
}

int journal_last(int case_fd, struct journal_head *head, struct error *err)
{
    AUTO_CLOSE int fd = open_to_read(case_fd, err);
    struct ending e = {.fd = fd, .err = err};

    *head = e.head;
    if (fd < 0)
        return fd == -2 ? 0 : -1;
    if (journal_each_raw(fd, take_end, &e, err) < 0)
        return -1;
    if (e.head.size && !e.head.seq) /* no line of ours: still not the head of an empty journal */
        e.head.seq = 1;
    *head = e.head;
    return 0;
}

/* ---- checking ------------------------------------------------------------------------------ */

struct check {
    int fd;
    int64_t upto;        /* what ends behind that is not looked at */
    struct digest prev;  /* of the line before */
    uint64_t seq;        /* its number */
    bool noted;          /* a note was met that holds, and the chain behind it is whole */
    size_t noted_faults; /* faults before and with it */
    struct check_fault {
        uint64_t line;
        char *what;
    } * faults;
    size_t len, cap;
    struct error *err;
};

static void add_fault(struct check *c, uint64_t line, char *what)
{
    GROW(c->faults, c->len, c->cap);
    c->faults[c->len++] = (struct check_fault){line, what};
}

/* Forgets the first n faults. */
static void drop_faults(struct check *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(c->faults[i].what);
    if (n)
        memmove(c->faults, c->faults + n, (c->len - n) * sizeof *c->faults);
    c->len -= n;
}

static bool chained(const struct check *c, const json_t *line)
{
    const char *prev = json_get_text(line, "prev");
    struct digest d;

    return prev && digest_parse(prev, &d) == 0 && digest_equal(&d, &c->prev);
}

/* A `foreign` line: what stands before it is broken, known, and as it was when it was noted. 0, or
 * -1 with err. */
static int check_note(struct check *c, const struct journal_raw *raw, const json_t *line)
{
    struct journal_note note;
    const char *at = json_get_text(line, "at"), *why = json_get_text(line, "why");

    int holds = chained(c, line) ? journal_note_holds(c->fd, line, raw->at, &note) : 0;

    if (holds < 0)
        return error_set(c->err, errno, "cannot read the journal of the case");
    c->noted = holds > 0;
    if (!c->noted)
        add_fault(c, raw->number,
                  xstrdup("what stands before this line was changed after the organizer noted "
                          "that it is not its own"));
    else
        add_fault(c, raw->number,
                  xasprintf("on %s the organizer found that the journal %s", at ? at : "a day",
                            why ? why : "was not as it had left it"));
    c->noted_faults = c->len;
    return 0;
}

/* A person's answer: to what was noted, and to all before it when it says what that was.
 * 0, or -1 with err. */
static int take_up(struct check *c, const struct journal_raw *raw, const json_t *line)
{
    const char *found = json_get_text(line, "found");
    struct digest said, now;
    bool all = found && digest_parse(found, &said) == 0 &&
               json_get_num(line, "bytes", -1) == raw->at;

    if (all && journal_hash(c->fd, 0, raw->at, &now) < 0)
        return error_set(c->err, errno, "cannot read the journal of the case");
    all = all && digest_equal(&said, &now);
    if (all || c->noted)
        drop_faults(c, all ? c->len : c->noted_faults);
    c->noted = false;
    return 0;
}

/* 0, or -1 with err. */
static int check_object(struct check *c, const struct journal_raw *raw, const json_t *line)
{
    const char *kind = json_get_text(line, "kind");
    uint64_t seq = (uint64_t)json_get_num(line, "seq", 0);
    int rc = 0;

    if (kind && strcmp(kind, "foreign") == 0) {
        rc = check_note(c, raw, line);
    } else if (!kind || json_get_num(line, "v", 0) < 1) {
        add_fault(c, raw->number, xstrdup("this line is none that the organizer writes"));
        c->noted = false;
    } else if (!chained(c, line) || seq != c->seq + 1) {
        add_fault(c, raw->number,
                  xstrdup("this line does not follow from the one before it: a line was changed, "
                          "removed, added or moved"));
        c->noted = false;
    } else if (strcmp(kind, "taken-up") == 0) {
        rc = take_up(c, raw, line);
    }
    c->seq = seq;
    return rc;
}

static int check_line(void *ctx, const struct journal_raw *raw)
{
    struct check *c = ctx;
    json_t *line = journal_parse(raw);
    int rc = 0;

    if (!raw->ended)
        add_fault(c, raw->number, xstrdup("the last line is torn"));
    else if (line)
        rc = check_object(c, raw, line);
    else
        add_fault(c, raw->number, xstrdup("this line is none that the organizer writes"));
    if (!line || !raw->ended)
        c->noted = false;
    json_decref(line);
    return rc < 0 ? -1 : journal_raw_digest(c->fd, raw, &c->prev, c->err);
}

int64_t journal_size(int case_fd, struct error *err)
{
    AUTO_CLOSE int fd = open_to_read(case_fd, err);
    struct stat st;

    if (fd < 0)
        return fd == -2 ? 0 : -1;
    if (fstat(fd, &st) < 0)
        return error_set(err, errno, "cannot look at the journal of the case");
    return st.st_size;
}

/* The head may have gone beyond what the file held when its size was taken. */
static int64_t picture_end(const struct journal_picture *p)
{
    return p->size > p->head.size ? p->size : p->head.size;
}

int journal_stands(int case_fd, const struct journal_picture *p, enum journal_standing *standing,
                   struct error *err)
{
    AUTO_CLOSE int fd = open_to_read(case_fd, err);
    struct journal_lines lines;
    struct journal_found found;
    int rc;

    *standing = JOURNAL_MISSING;
    if (fd == -1)
        return -1;
    journal_lines_make(&lines, &p->head, p->bodies, p->n);
    rc = journal_measure(fd < 0 ? -1 : fd, picture_end(p), &p->head, &lines, &found, err);
    if (rc == 0)
        *standing = found.standing;
    journal_lines_clear(&lines);
    return rc;
}

struct counted {
    struct check *check;
    uint64_t last;
};

static int count_and_check(void *ctx, const struct journal_raw *raw)
{
    struct counted *n = ctx;

    if (raw->end > n->check->upto)
        return 1;
    n->last = raw->number;
    return check_line(n->check, raw);
}

static int check_open(struct check *c, const struct journal_head *head,
                      const struct journal_lines *lines, enum journal_standing *standing,
                      struct error *err)
{
    struct counted n = {c, 0};
    struct journal_found found;

    if (journal_measure(c->fd, c->upto, head, lines, &found, err) < 0)
        return -1;
    *standing = found.standing;
    /* Of lines that are being written only those count that are there. */
    if (found.standing == JOURNAL_TAIL_OWN)
        c->upto = found.whole ? lines->ends[found.whole - 1].size : head->size;
    if (c->fd >= 0 && journal_each_raw(c->fd, count_and_check, &n, err) < 0)
        return -1;
    if (found.standing != JOURNAL_INTACT && found.standing != JOURNAL_TAIL_OWN)
        add_fault(c, n.last, xasprintf("the journal %s", journal_standing_text(found.standing)));
    return 0;
}

int journal_check_pending(int case_fd, const struct journal_picture *p, journal_fault *fault,
                          void *ctx, enum journal_standing *standing, struct error *err)
{
    AUTO_CLOSE int fd = open_to_read(case_fd, err);
    struct check c = {.fd = fd < 0 ? -1 : fd, .upto = picture_end(p), .err = err};
    struct journal_lines lines;
    int rc = -1;

    *standing = JOURNAL_MISSING;
    if (fd == -1)
        return -1;
    journal_lines_make(&lines, &p->head, p->bodies, p->n);
    if (check_open(&c, &p->head, &lines, standing, err) == 0) {
        rc = (int)c.len;
        for (size_t i = 0; i < c.len; i++)
            fault(ctx, c.faults[i].line, c.faults[i].what);
    }
    drop_faults(&c, c.len);
    free(c.faults);
    journal_lines_clear(&lines);
    return rc;
}

int journal_accept(int case_fd, struct str *body, struct error *err)
{
    AUTO_CLOSE int fd = open_to_read(case_fd, err);
    char hex[DIGEST_HEX];
    struct digest all;
    struct stat st;

    if (fd < 0)
        return fd == -2 ? 0 : -1;
    if (fstat(fd, &st) < 0 || journal_hash(fd, 0, st.st_size, &all) < 0)
        return error_set(err, errno, "cannot read the journal of the case");
    json_num(body, "bytes", st.st_size);
    json_text(body, "found", digest_hex(&all, hex));
    return 0;
}

/* ---- up to the head only ------------------------------------------------------------------- */

struct upto {
    struct check check;
    int64_t size;
};

static int check_upto(void *ctx, const struct journal_raw *raw)
{
    struct upto *u = ctx;

    return raw->end > u->size ? 1 : check_line(&u->check, raw);
}

int journal_trusted(int case_fd, const struct journal_head *head, struct error *err)
{
    AUTO_CLOSE int fd = open_to_read(case_fd, err);
    struct upto u = {.check = {.fd = fd, .err = err}, .size = head->size};
    struct journal_lines none = {.text = STR_INIT};
    struct journal_found found;
    int rc = -1;

    if (fd < 0)
        return fd == -2 ? head->seq == 0 : -1;
    if (journal_measure(fd, INT64_MAX, head, &none, &found, err) < 0)
        return -1;
    if (found.standing != JOURNAL_INTACT && found.standing != JOURNAL_FOREIGN)
        return 0;
    if (journal_each_raw(fd, check_upto, &u, err) >= 0)
        rc = u.check.len == 0;
    drop_faults(&u.check, u.check.len);
    free(u.check.faults);
    return rc;
}

int journal_check(int case_fd, const struct journal_head *head, journal_fault *fault, void *ctx,
                  enum journal_standing *standing, struct error *err)
{
    struct journal_picture all = {.size = INT64_MAX, .head = *head};

    return journal_check_pending(case_fd, &all, fault, ctx, standing, err);
}
