/* What the private state and the journal say of each entry, and the digest of it all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive/payload.h"
#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "record/journal.h"

#define CHUNK 262144
/* Journal lines that are committed are written within moments; they are waited for so often. */
#define TRIES   50
#define WAIT_NS (100 * NS_PER_MS)

struct expecting {
    struct payload *p;
    const struct payload_options *o;
    struct journal_head head;
    unsigned on_the_way; /* journal lines of this case */
};

/* ---- rows ----------------------------------------------------------------------------------- */

static int by_path(const void *key, const void *entry)
{
    return strcmp(key, ((const struct payload_entry *)entry)->path);
}

static void missing(struct expecting *x, const struct doc *d, bool known)
{
    if (known || x->o->strict)
        findings_add(x->o->findings, known ? SNAPSHOT_DIFFERS : SNAPSHOT_BUSY, "archive.missing",
                     d->path, NULL);
}

/* Whether the row's digest is that of the bytes that lie there. A draft has one while it waits to be
 * named, which holds as long as nobody has touched it since. */
static bool is_known(const struct doc *d, const struct payload_entry *e)
{
    if (digest_is_zero(&d->digest))
        return false;
    if (d->state != DOC_WAITING)
        return true;
    return d->reason == REASON_DRAFT && e && d->stamp.size == e->size && d->stamp.ino == e->ino &&
           d->stamp.mtime_ns == e->mtime_ns && d->stamp.ctime_ns == e->ctime_ns && !doc_is_racy(d);
}

static int take_row(void *ctx, const struct doc *d)
{
    struct expecting *x = ctx;
    struct payload_entry *e =
        bsearch(d->path, x->p->entries, x->p->len, sizeof *x->p->entries, by_path);
    bool known = is_known(d, e);

    if (!e || !payload_is_file(e)) {
        if (!e)
            missing(x, d, known);
        return 0;
    }
    if (d->state == DOC_WAITING)
        e->flags |= d->reason == REASON_DRAFT ? PAYLOAD_DRAFT : PAYLOAD_WAITING;
    if (!known)
        return 0;
    e->flags |= PAYLOAD_EXPECTED | PAYLOAD_RECORDED;
    e->sha256 = d->digest;
    if (d->stamp.size != e->size)
        findings_add(x->o->findings, SNAPSHOT_DIFFERS, "archive.changed", e->path, NULL);
    return 0;
}

static int count_line(void *ctx, int64_t rowid, const char *case_id, const char *body)
{
    struct expecting *x = ctx;

    (void)rowid, (void)body;
    x->on_the_way += strcmp(case_id, x->o->case_id) == 0;
    return 0;
}

/* Rows, head and what is on its way to the journal, as they were at one moment. */
static int take_picture(struct expecting *x, struct error *err)
{
    struct state *s = x->o->state;
    int rc;

    x->on_the_way = 0;
    if (state_begin_read(s, err) < 0)
        return -1;
    rc = state_each_outbox(s, count_line, x, err) < 0 ||
                 state_head_get(s, x->o->case_id, &x->head, err) < 0 ||
                 (!x->on_the_way &&
                  state_each_doc(s, x->o->case_id, false, take_row, x, err) < 0)
             ? -1
             : 0;
    state_rollback(s);
    return rc;
}

static int wait_for_picture(struct expecting *x, struct error *err)
{
    struct timespec wait = {.tv_nsec = WAIT_NS};
    int rc = take_picture(x, err);

    for (int i = 0; rc == 0 && x->on_the_way && i < TRIES; i++) {
        nanosleep(&wait, NULL);
        rc = take_picture(x, err);
    }
    if (rc == 0 && x->on_the_way)
        findings_add(x->o->findings, SNAPSHOT_BUSY, "archive.journal-waits", JOURNAL_NAME, NULL);
    return rc;
}

/* ---- what has no row -------------------------------------------------------------------------- */

static int hash_file(const struct expecting *x, struct payload_entry *e)
{
    AUTO_CLOSE int fd = beneath_open(x->o->case_fd, e->path, O_RDONLY | O_NOFOLLOW, 0);
    AUTO_FREE char *buf = xmalloc(CHUNK);
    struct digester *g = digester_new();
    uint64_t left = e->size;
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0 && left) {
        n = read(fd, buf, left < CHUNK ? (size_t)left : CHUNK);
        if (n > 0) {
            digester_add(g, buf, (size_t)n);
            left -= (uint64_t)n;
        }
    }
    e->sha256 = digester_done(g);
    if (n < 0)
        return -1;
    if (left)
        findings_add(x->o->findings, SNAPSHOT_BUSY, "archive.while-read", e->path, NULL);
    e->flags |= PAYLOAD_EXPECTED;
    return 0;
}

/* Being written by somebody on this server, as far as the kernel tells. */
static bool is_written(const struct expecting *x, const struct payload_entry *e)
{
    AUTO_CLOSE int fd = beneath_open(x->o->case_fd, e->path, O_RDONLY | O_NOFOLLOW, 0);
    bool written;

    if (fd < 0)
        return false;
    written = fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return written;
}

/* A document that has no digest in the private state. */
static void unrecorded(struct expecting *x, struct payload_entry *e)
{
    struct findings *f = x->o->findings;

    if ((x->o->strict && e->flags & PAYLOAD_WAITING) || is_written(x, e))
        findings_add(f, SNAPSHOT_BUSY, "archive.waiting", e->path, NULL);
    else if (x->o->strict && !(e->flags & PAYLOAD_DRAFT))
        findings_add(f, SNAPSHOT_DIFFERS, "archive.unrecorded", e->path, NULL);
}

static void complete(struct expecting *x, struct payload_entry *e)
{
    if (e->flags & PAYLOAD_EXPECTED || !payload_is_file(e) || e->kind == PAYLOAD_PAGE ||
        e->kind == PAYLOAD_IGNORED)
        return;
    if (e->kind == PAYLOAD_DOCUMENT)
        unrecorded(x, e);
    if (hash_file(x, e) < 0)
        findings_add(x->o->findings, SNAPSHOT_FAILED, "archive.unreadable", e->path,
                     error_why(errno));
}

/* ---- the journal and the whole ---------------------------------------------------------------- */

static int cut_journal(struct expecting *x, struct error *err)
{
    struct payload_entry *e = bsearch(JOURNAL_FOLDER "/" JOURNAL_NAME, x->p->entries, x->p->len,
                                      sizeof *x->p->entries, by_path);
    int trusted = journal_trusted(x->o->case_fd, &x->head, err);

    if (trusted < 0)
        return -1;
    if (!trusted)
        findings_add(x->o->findings, SNAPSHOT_DIFFERS, "archive.journal", JOURNAL_NAME, NULL);
    if (!trusted || !e)
        return 0;
    if (journal_last_change(x->o->case_fd, &x->head, &x->p->cut, &x->p->changed_ns, err) < 0)
        return -1;
    e->size = (uint64_t)x->p->cut.size;
    return 0;
}

static void add_content(struct digester *g, const struct payload_entry *e)
{
    const char *mark = e->kind == PAYLOAD_FOLDER ? "folder" : "file";

    if (e->kind == PAYLOAD_FOLDER ? !(e->flags & PAYLOAD_EMPTY) : !(e->flags & PAYLOAD_EXPECTED))
        return;
    digester_add(g, mark, strlen(mark) + 1);
    digester_add(g, e->path, strlen(e->path) + 1);
    if (payload_is_file(e))
        digester_add(g, e->sha256.b, DIGEST_SIZE);
}

static void count(struct payload *p)
{
    struct digester *g = digester_new();

    for (size_t i = 0; i < p->len; i++) {
        const struct payload_entry *e = &p->entries[i];

        add_content(g, e);
        if (!payload_is_file(e))
            continue;
        p->files++;
        p->bytes += e->size;
        p->documents += e->kind == PAYLOAD_DOCUMENT;
    }
    p->content = digester_done(g);
}

int payload_expect(struct payload *p, const struct payload_options *o, struct error *err)
{
    struct expecting x = {.p = p, .o = o};

    if (wait_for_picture(&x, err) < 0 || cut_journal(&x, err) < 0)
        return -1;
    for (size_t i = 0; i < p->len; i++)
        complete(&x, &p->entries[i]);
    count(p);
    return 0;
}
