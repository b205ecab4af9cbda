#include "examine/digesting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/sha.h"

/* So large at most are documents that need not be begun in their order: the first is answered soon. */
#define ANY_ORDER (UINT64_C(1) << 20)

/* Where one of two documents is being digested. */
struct place {
    bool taken;
    size_t at; /* of its order in the list */
    struct sha sha;
    uint8_t *buf;
    size_t from, len; /* what of buf is still to be digested */
};

struct digesting {
    struct digester *alone;
    bool abreast;
    struct place places[2];
    /* Of the documents in hand. */
    const struct wire_order *orders;
    const int *fds;
    size_t n, next, told;
    size_t turns[WIRE_MANY]; /* they are begun in this order */
    const struct digesting_events *to;
    struct wire_answer answers[WIRE_MANY];
    bool done[WIRE_MANY];
};

struct digesting *digesting_new(void)
{
    struct digesting *d = xcalloc(1, sizeof *d);

    digest_of("", 0);
    d->alone = digester_new();
    d->abreast = sha_can();
    for (size_t i = 0; i < sizeof d->places / sizeof *d->places; i++)
        d->places[i].buf = xmalloc(DIGESTING_PIECE);
    return d;
}

void digesting_free(struct digesting *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < sizeof d->places / sizeof *d->places; i++)
        free(d->places[i].buf);
    digester_free(d->alone);
    free(d);
}

/* Up to n bytes from `at` on; returns how many, 0 at the end, -1 with errno. */
static ssize_t read_piece(int fd, uint8_t *buf, size_t n, uint64_t at)
{
    ssize_t r;

    do
        r = pread(fd, buf, n, (off_t)at);
    while (r < 0 && errno == EINTR);
    return r;
}

static uint64_t size_of(int fd)
{
    struct stat st;

    return syscall(SYS_fstat, fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* The document at i of the list is done with. Tells all answers that are next by now; closed before, so
 * that no reader holds a document that is answered. */
static int settle(struct digesting *d, size_t i)
{
    close(d->fds[i]);
    d->done[i] = true;
    for (; d->told < d->n && d->done[d->told]; d->told++)
        if (d->to->answered(d->to->ctx, &d->answers[d->told], d->told + 1 == d->n) < 0)
            return -1;
    return 0;
}

/* A piece of r bytes was read of the document at i, as read_piece() said: 1 when it goes on, 0 when this
 * was its end or its answer is known, -1 when an event said so. */
static int note_piece(struct digesting *d, size_t i, ssize_t r)
{
    struct wire_answer *a = &d->answers[i];
    uint64_t limit = d->orders[i].limit;

    if (r < 0) {
        a->what = WIRE_ERROR;
        a->number = (uint32_t)errno;
        return 0;
    }
    a->bytes += (uint64_t)r;
    if (limit > 0 && a->bytes > limit)
        a->what = WIRE_LARGE;
    if (r == 0 || a->what == WIRE_LARGE)
        return 0;
    return i == d->told && d->to->going(d->to->ctx, a->ticket, a->bytes) < 0 ? -1 : 1;
}

/* By libcrypto. */
static int digest_alone(struct digesting *d, size_t i)
{
    uint8_t *buf = d->places[0].buf;
    struct wire_answer *a = &d->answers[i];
    int goes_on = a->what == WIRE_DIGEST;

    while (goes_on > 0) {
        ssize_t r = read_piece(d->fds[i], buf, DIGESTING_PIECE, a->bytes);

        if (r > 0)
            digester_add(d->alone, buf, (size_t)r);
        goes_on = note_piece(d, i, r);
    }
    a->digest = digester_next(d->alone);
    return goes_on < 0 ? -1 : settle(d, i);
}

/* Less than a block is left: reads on behind it. As note_piece(). */
static int fill(struct digesting *d, struct place *p)
{
    ssize_t r;

    memmove(p->buf, p->buf + p->from, p->len);
    p->from = 0;
    r = read_piece(d->fds[p->at], p->buf + p->len, DIGESTING_PIECE - p->len,
                   d->answers[p->at].bytes);
    if (r > 0)
        p->len += (size_t)r;
    return note_piece(d, p->at, r);
}

static void take_next(struct digesting *d, struct place *p)
{
    p->taken = true;
    p->at = d->turns[d->next++];
    p->from = p->len = 0;
    sha_begin(&p->sha);
}

/* Sees to it that the place has a whole block to digest. 1, 0 when there is none any more, -1 when an
 * event said so. */
static int make_ready(struct digesting *d, struct place *p)
{
    while (p->taken || d->next < d->n) {
        int goes_on;

        if (!p->taken)
            take_next(d, p);
        if (p->len >= SHA_BLOCK)
            return 1;
        goes_on = d->answers[p->at].what == WIRE_DIGEST ? fill(d, p) : 0;
        if (goes_on < 0)
            return -1;
        if (goes_on > 0)
            continue;
        p->taken = false;
        if (d->answers[p->at].what == WIRE_DIGEST)
            d->answers[p->at].digest = sha_end(&p->sha, p->buf, p->len);
        if (settle(d, p->at) < 0)
            return -1;
    }
    return 0;
}

static const uint8_t *took(struct place *p, size_t blocks)
{
    const uint8_t *at = p->buf + p->from;

    p->from += blocks * SHA_BLOCK;
    p->len -= blocks * SHA_BLOCK;
    return at;
}

static int digest_abreast(struct digesting *d)
{
    struct place *p = &d->places[0], *q = &d->places[1];

    for (;;) {
        int one = make_ready(d, p), other = one < 0 ? one : make_ready(d, q);
        size_t n = p->len / SHA_BLOCK, m = q->len / SHA_BLOCK;

        if (other < 0 || (!one && !other))
            return other;
        if (one && other) {
            n = n < m ? n : m;
            sha_add_two(&p->sha, took(p, n), &q->sha, took(q, n), n);
        } else if (one) {
            sha_add(&p->sha, took(p, n), n);
        } else {
            sha_add(&q->sha, took(q, m), m);
        }
    }
}

/* The longest first, so that at the end none is left over for which there is no second one; unless one is
 * so long that those before it would be waited for. */
static void take_turns(struct digesting *d, const uint64_t *sizes)
{
    bool any_order = true;

    for (size_t i = 0; i < d->n; i++)
        any_order = any_order && sizes[i] <= ANY_ORDER;
    for (size_t i = 0; i < d->n; i++) {
        size_t at = i;

        for (; any_order && at > 0 && sizes[d->turns[at - 1]] < sizes[i]; at--)
            d->turns[at] = d->turns[at - 1];
        d->turns[at] = i;
    }
}

int digesting_do(struct digesting *d, const struct wire_order *orders, const int *fds, size_t n,
                 const struct digesting_events *to)
{
    uint64_t sizes[WIRE_MANY];

    d->orders = orders;
    d->fds = fds;
    d->n = n;
    d->next = d->told = 0;
    d->to = to;
    for (size_t i = 0; i < n; i++) {
        uint64_t limit = orders[i].limit;

        sizes[i] = size_of(fds[i]);
        d->answers[i] =
            (struct wire_answer){.what = limit > 0 && sizes[i] > limit ? WIRE_LARGE : WIRE_DIGEST,
                                 .ticket = orders[i].ticket};
        d->done[i] = false;
    }
    take_turns(d, sizes);
    if (n > 1 && d->abreast)
        return digest_abreast(d);
    for (size_t i = 0; i < n; i++)
        if (digest_alone(d, i) < 0)
            return -1;
    return 0;
}
