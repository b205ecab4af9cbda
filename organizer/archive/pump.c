#include "archive/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/attributes.h"
#include "archive/gain.h"
#include "archive/ring.h"
#include "archive/sums.h"
#include "archive/tags.h"
#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"

/* Between reading and packing: so many documents at the most, in so many bytes. */
#define WAITING 64
#define PIECE (512 << 10)
#define ROOM (8 * PIECE)
/* A short document that changes while it is read is read again so often. */
#define TRIES 3
#define SPOOL 65536

enum { FIRST = 1, LAST = 2, DEFLATE = 4 };

struct pump {
    struct pump_options o;
    struct ring *ring;
    pthread_t thread;
    struct summer *summer;
    struct str lines;    /* of metadata, not written yet */
    struct str manifest; /* of manifest-sha512.txt, not written yet */
    uint64_t done;    /* bytes read */
    bool spoiled;     /* something differs: nothing more is handed over */
    bool given_up;    /* nobody takes any more, and all that came was right */
    int failed;       /* errno of the metadata */
    const struct ring_slot *taken;
    struct ring_slot spare; /* what is read into once nothing is handed over any more */
};

/* What became of one file. */
enum outcome { GOOD, CHANGED, DIFFERS, UNREADABLE };

static bool is_stopped(const struct pump *p)
{
    return p->given_up || (p->o.stopped && p->o.stopped(p->o.ctx));
}

static struct ring_slot *claim(struct pump *p, size_t i, unsigned flags, size_t n)
{
    struct ring_slot *slot = p->spoiled ? &p->spare : ring_claim(p->ring, n);

    if (!slot) {
        p->given_up = true;
        return NULL;
    }
    slot->tag = i;
    slot->flags = flags;
    return slot;
}

static void spool(struct pump *p, int fd, struct str *lines)
{
    if (lines->len && io_write_all(fd, lines->s, lines->len) < 0)
        p->failed = errno;
    str_reset(lines);
}

static void keep_sums(struct pump *p, struct payload_entry *e, const struct sums *sums)
{
    char hex[SHA512_HEX];

    e->sha256 = sums->sha256;
    tags_add_line(&p->manifest, sha512_hex(sums->sha512, hex), e);
}

/* Reads at most n bytes, through interruptions and short reads. */
static ssize_t read_full(int fd, char *buf, size_t n)
{
    size_t len = 0;

    while (len < n) {
        ssize_t got = read(fd, buf + len, n - len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static bool is_same(const struct payload_entry *e, const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_ino == e->ino &&
           (e->kind == PAYLOAD_JOURNAL || (uint64_t)st->st_size == e->size);
}

static enum outcome compare(const struct payload_entry *e, const struct sums *sums)
{
    if (!(e->flags & PAYLOAD_EXPECTED) || digest_equal(&e->sha256, &sums->sha256))
        return GOOD;
    return e->flags & PAYLOAD_RECORDED ? DIFFERS : CHANGED;
}

/* Whether the open file is as it was when its reading began. */
static bool is_quiet(int fd, const struct stat *before)
{
    struct stat now;

    return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
           now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* One that fits a piece: read whole, compared, then handed over. */
static enum outcome read_short(struct pump *p, size_t i, int fd, const struct stat *before)
{
    struct payload_entry *e = &p->o.payload->entries[i];
    struct ring_slot *slot = claim(p, i, FIRST | LAST, e->size);
    enum outcome outcome;
    struct sums sums;
    ssize_t n;

    if (!slot)
        return GOOD;
    n = read_full(fd, slot->bytes, e->size);
    if (n < 0)
        return UNREADABLE;
    if ((uint64_t)n != e->size)
        return CHANGED;
    summer_begin(p->summer);
    summer_add(p->summer, slot->bytes, (size_t)n);
    sums = summer_end(p->summer);
    outcome = compare(e, &sums);
    if (outcome == GOOD && !(e->flags & PAYLOAD_EXPECTED) && !is_quiet(fd, before))
        return CHANGED;
    if (outcome != GOOD)
        return outcome;
    keep_sums(p, e, &sums);
    p->done += (uint64_t)n;
    if (p->spoiled)
        return GOOD;
    slot->len = (size_t)n;
    slot->flags |= gain_expected(slot->bytes, (size_t)n) ? DEFLATE : 0;
    ring_commit(p->ring);
    return GOOD;
}

/* The pieces of a long one but its last, which `slot` holds afterwards. */
static enum outcome read_pieces(struct pump *p, size_t i, int fd, struct ring_slot **slot)
{
    struct payload_entry *e = &p->o.payload->entries[i];
    uint64_t left = e->size;

    for (unsigned flags = FIRST; left; flags = 0) {
        size_t want = left < PIECE ? (size_t)left : PIECE;

        *slot = claim(p, i, flags, want);
        if (!*slot || is_stopped(p))
            return GOOD;
        if (read_full(fd, (*slot)->bytes, want) != (ssize_t)want)
            return CHANGED;
        summer_add(p->summer, (*slot)->bytes, want);
        (*slot)->len = want;
        if (flags & FIRST && gain_expected((*slot)->bytes, want))
            (*slot)->flags |= DEFLATE;
        left -= want;
        p->done += want;
        if (p->o.progress)
            p->o.progress(p->o.ctx, p->done);
        if (left && !p->spoiled)
            ring_commit(p->ring);
    }
    return GOOD;
}

static enum outcome read_long(struct pump *p, size_t i, int fd)
{
    struct payload_entry *e = &p->o.payload->entries[i];
    struct ring_slot *slot = NULL;
    enum outcome outcome;
    struct sums sums;

    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    summer_begin(p->summer);
    outcome = read_pieces(p, i, fd, &slot);
    sums = summer_end(p->summer);
    if (!slot || is_stopped(p) || outcome != GOOD)
        return outcome;
    outcome = compare(e, &sums);
    if (outcome != GOOD)
        return outcome;
    keep_sums(p, e, &sums);
    slot->flags |= LAST;
    if (!p->spoiled)
        ring_commit(p->ring);
    return GOOD;
}

static enum outcome read_open(struct pump *p, size_t i, int fd)
{
    const struct payload_entry *e = &p->o.payload->entries[i];
    enum outcome outcome;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return UNREADABLE;
    if (!is_same(e, &st))
        return CHANGED;
    outcome = e->size <= PIECE ? read_short(p, i, fd, &st) : read_long(p, i, fd);
    if (outcome == GOOD && attributes_add(&p->lines, e, fd, p->o.case_fd) < 0)
        return UNREADABLE;
    return outcome;
}

static enum outcome try_file(struct pump *p, size_t i)
{
    const struct payload_entry *e = &p->o.payload->entries[i];
    AUTO_CLOSE int fd = e->kind == PAYLOAD_PAGE
                            ? payload_page_open(p->o.payload, e)
                            : beneath_open(p->o.case_fd, e->path, O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? CHANGED : UNREADABLE;
    return read_open(p, i, fd);
}

static void tell(struct pump *p, const struct payload_entry *e, enum outcome outcome, int number)
{
    if (outcome == UNREADABLE)
        findings_add(p->o.findings, SNAPSHOT_FAILED, "archive.unreadable", e->path,
                     error_why(number));
    else if (outcome == DIFFERS)
        findings_add(p->o.findings, SNAPSHOT_DIFFERS, "archive.differs", e->path, NULL);
    else
        findings_add(p->o.findings, SNAPSHOT_BUSY, "archive.while-read", e->path, NULL);
}

static void spoil(struct pump *p)
{
    if (p->spoiled)
        return;
    p->spoiled = true;
    p->spare.bytes = xmalloc(PIECE);
    ring_stop(p->ring); /* who takes need not wait until all is read */
}

static void read_file(struct pump *p, size_t i)
{
    const struct payload_entry *e = &p->o.payload->entries[i];
    enum outcome outcome = CHANGED;
    int number = 0;

    for (int t = 0; t < (e->size <= PIECE ? TRIES : 1) && outcome != GOOD; t++) {
        outcome = try_file(p, i);
        number = errno;
    }
    if (outcome == GOOD || is_stopped(p))
        return;
    tell(p, e, outcome, number);
    spoil(p);
}

static void read_folder(struct pump *p, size_t i)
{
    const struct payload_entry *e = &p->o.payload->entries[i];
    AUTO_CLOSE int fd = e->kind == PAYLOAD_FOLDER
                            ? beneath_open(p->o.case_fd, e->path, O_RDONLY | O_DIRECTORY, 0)
                            : -1;

    if ((fd < 0 && e->kind == PAYLOAD_FOLDER) ||
        attributes_add(&p->lines, e, fd, p->o.case_fd) < 0) {
        tell(p, e, CHANGED, 0);
        spoil(p);
        return;
    }
    if (e->flags & PAYLOAD_EMPTY && *e->path && !p->spoiled && claim(p, i, FIRST | LAST, 0))
        ring_commit(p->ring);
}

static void *run(void *ctx)
{
    struct pump *p = ctx;
    const struct payload *all = p->o.payload;

    for (size_t i = 0; i < all->len && !is_stopped(p) && !p->failed; i++) {
        if (payload_is_file(&all->entries[i]))
            read_file(p, i);
        else
            read_folder(p, i);
        if (p->lines.len > SPOOL)
            spool(p, p->o.metadata, &p->lines);
        if (p->manifest.len > SPOOL)
            spool(p, p->o.sha512, &p->manifest);
        if (p->o.progress)
            p->o.progress(p->o.ctx, p->done);
    }
    spool(p, p->o.metadata, &p->lines);
    spool(p, p->o.sha512, &p->manifest);
    ring_end(p->ring);
    return NULL;
}

struct pump *pump_start(const struct pump_options *o)
{
    struct pump *p = xcalloc(1, sizeof *p);

    p->o = *o;
    p->ring = ring_new(WAITING, ROOM);
    p->summer = summer_new();
    if (p->ring) {
        errno = pthread_create(&p->thread, NULL, run, p);
        if (!errno)
            return p;
    }
    ring_free(p->ring);
    summer_free(p->summer);
    free(p);
    return NULL;
}

bool pump_next(struct pump *p, struct pump_piece *piece)
{
    p->taken = ring_take(p->ring);
    if (!p->taken)
        return false;
    *piece = (struct pump_piece){.entry = &p->o.payload->entries[p->taken->tag],
                                 .bytes = p->taken->bytes,
                                 .len = p->taken->len,
                                 .first = p->taken->flags & FIRST,
                                 .last = p->taken->flags & LAST,
                                 .deflate = p->taken->flags & DEFLATE};
    return true;
}

void pump_release(struct pump *p)
{
    ring_release(p->ring);
}

void pump_stop(struct pump *p)
{
    ring_stop(p->ring);
}

int pump_end(struct pump *p)
{
    int rc, number;

    pthread_join(p->thread, NULL);
    number = p->failed;
    rc = number ? -1 : p->spoiled || is_stopped(p) ? 1 : 0;
    ring_free(p->ring);
    summer_free(p->summer);
    free(p->spare.bytes);
    str_clear(&p->lines);
    str_clear(&p->manifest);
    free(p);
    errno = number;
    return rc;
}
