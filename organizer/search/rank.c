#include "search/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "search/catalogue_internal.h"
#include "search/lengths.h"

#define K1      1.2
#define B       0.75
#define COUNTED 200 /* documents of a word, in so many cases: then how many there are is estimated */
#define CASES   3
#define COUNTED_MOST 2000
#define PHRASES 128 /* of a query: query.h allows less */
#define BODY    3   /* the column whose passages are shown */

/* What a hit counts: in the name, the title, with people, in the text. */
static const double weights[] = {8.0, 6.0, 3.0, 1.0};

struct rank {
    struct lengths *lengths;
    /* One search. */
    const struct rank_wish *wish;
    struct ranked *best; /* a heap, the worst on top */
    size_t len, cap;
    bool more;
    bool begun;
    double rarity[PHRASES]; /* of the query's phrases */
    int phrases;
    size_t at; /* in lengths */
};

struct rank *rank_new(void)
{
    struct rank *r = xcalloc(1, sizeof *r);

    r->lengths = lengths_new();
    return r;
}

void rank_free(struct rank *r)
{
    if (!r)
        return;
    lengths_free(r->lengths);
    free(r->best);
    free(r);
}

/* ---- how much a word says ------------------------------------------------------------------------
 */

/* A word's documents, as far as they are counted: they come by case (catalogue_internal.h), and a word
 * that fills one case may be in no other. */
struct counting {
    const struct lengths *lengths;
    size_t n;      /* documents that have it */
    size_t cases;  /* they are in so many */
    int64_t in;    /* the case of the latest */
    size_t since;  /* documents before that case */
    size_t before; /* of n in earlier cases */
    int64_t last;
    size_t at;     /* in lengths */
    bool cut;      /* there may be more */
};

static int count_one(const Fts5ExtensionApi *api, Fts5Context *fts, void *ctx)
{
    struct counting *c = ctx;
    int64_t key = api->xRowid(fts), in = key >> NUMBER_BITS;

    if (c->n == 0 || in != c->in) {
        c->since = lengths_before(c->lengths, in << NUMBER_BITS, &c->at);
        c->before = c->n;
        c->in = in;
        c->cases++;
    }
    c->n++;
    c->last = key;
    c->cut = c->n >= COUNTED_MOST || (c->n >= COUNTED && c->cases >= CASES);
    return c->cut ? SQLITE_DONE : SQLITE_OK;
}

/* Those that were not counted: the rest of the latest case is like its beginning, later cases are like
 * those before it. */
static double estimate(struct counting *c)
{
    size_t all = lengths_len(c->lengths);
    size_t so_far = lengths_before(c->lengths, c->last, &c->at) + 1;
    size_t end = lengths_before(c->lengths, (c->in + 1) << NUMBER_BITS, &c->at);
    double here = (double)(c->n - c->before), n = (double)c->n;

    if (so_far > c->since && end > so_far)
        n += here / (double)(so_far - c->since) * (double)(end - so_far);
    if (c->since > 0 && all > end)
        n += (double)c->before / (double)c->since * (double)(all - end);
    return n;
}

/* What is in more than half of all documents says next to nothing, but never less than that. */
static double rarity_of(const struct rank *r, const Fts5ExtensionApi *api, Fts5Context *fts,
                        int phrase)
{
    struct counting c = {.lengths = r->lengths};
    double all = (double)lengths_len(r->lengths), n, rarity;

    api->xQueryPhrase(fts, phrase, &c, count_one);
    n = c.cut ? estimate(&c) : (double)c.n;
    rarity = log((all - n + 0.5) / (n + 0.5));
    return rarity > 1e-6 ? rarity : 1e-6;
}

static void begin(struct rank *r, const Fts5ExtensionApi *api, Fts5Context *fts)
{
    r->begun = true;
    r->phrases = api->xPhraseCount(fts);
    if (r->phrases > PHRASES)
        r->phrases = PHRASES;
    /* One alone says the same of all. */
    for (int i = 0; i < r->phrases; i++)
        r->rarity[i] = r->phrases == 1 ? 1.0 : rarity_of(r, api, fts, i);
}

static double score_of(struct rank *r, const Fts5ExtensionApi *api, Fts5Context *fts, int64_t key)
{
    double length = lengths_of(r->lengths, key, &r->at) / lengths_average(r->lengths), score = 0;

    for (int i = 0; i < r->phrases; i++) {
        Fts5PhraseIter it;
        double hits = 0;
        int column, at;

        if (api->xPhraseFirst(fts, i, &it, &column, &at) != SQLITE_OK)
            continue;
        for (; column >= 0; api->xPhraseNext(fts, &it, &column, &at))
            hits += weights[column];
        score += r->rarity[i] * hits * (K1 + 1) / (hits + K1 * (1 - B + B * length));
    }
    return score;
}

/* ---- the best -----------------------------------------------------------------------------------
 */

/* Of equal ones the older stands first. */
static bool is_worse(const struct ranked *a, const struct ranked *b)
{
    return a->score != b->score ? a->score < b->score : a->key > b->key;
}

static void swap(struct ranked *a, struct ranked *b)
{
    struct ranked was = *a;

    *a = *b;
    *b = was;
}

static void rise(struct ranked *heap, size_t i)
{
    for (; i > 0 && is_worse(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&heap[i], &heap[(i - 1) / 2]);
}

static void sink(struct ranked *heap, size_t n)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && is_worse(&heap[child + 1], &heap[child]))
            child++;
        if (!is_worse(&heap[child], &heap[i]))
            return;
        swap(&heap[i], &heap[child]);
    }
}

static void keep(struct rank *r, const struct ranked *one)
{
    if (r->len < r->wish->keep) {
        if (r->len == r->cap) {
            r->cap = r->cap ? 2 * r->cap : 32;
            r->best = xreallocarray(r->best, r->cap, sizeof *r->best);
        }
        r->best[r->len] = *one;
        rise(r->best, r->len++);
        return;
    }
    r->more = true;
    r->best[0] = *one;
    sink(r->best, r->len);
}

static void rank_row(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx, int n,
                     sqlite3_value **v)
{
    struct rank *r = api->xUserData(fts);
    struct ranked one = {.key = api->xRowid(fts)};

    (void)n;
    (void)v;
    (void)ctx;
    if (!r->begun)
        begin(r, api, fts);
    one.score = score_of(r, api, fts, one.key);
    if (r->len == r->wish->keep && !is_worse(&r->best[0], &one)) {
        r->more = true;
        return;
    }
    if (r->wish->admits && !r->wish->admits(r->wish->ctx, one.key))
        return;
    passage_find(&one.passage, api, fts, BODY);
    keep(r, &one);
}

/* ---- one search ---------------------------------------------------------------------------------
 */

int rank_register(struct rank *r, fts5_api *api)
{
    return api->xCreateFunction(api, "ranked", r, rank_row, NULL) == SQLITE_OK ? 0 : -1;
}

int rank_begin(struct rank *r, sqlite3 *db, const struct rank_wish *wish)
{
    r->wish = wish;
    r->len = r->at = 0;
    r->begun = r->more = false;
    return lengths_refresh(r->lengths, db);
}

static int by_worth(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return is_worse(x, y) ? 1 : is_worse(y, x) ? -1 : 0;
}

const struct ranked *rank_end(struct rank *r, size_t *n, bool *more)
{
    r->wish = NULL;
    if (r->len > 1)
        qsort(r->best, r->len, sizeof *r->best, by_worth);
    *n = r->len;
    *more = r->more;
    return r->best;
}
