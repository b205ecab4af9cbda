/* look: the entries of the catalogue that match a query, best first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "search/catalogue_internal.h"
#include "search/rank.h"

/* Ranked beyond those that are shown, in place of such as are gone meanwhile. */
#define SPARE 12
/* Bytes of a text that are unpacked at first, then ever twice as many. Less is not worth it: they are
 * packed in blocks of so many. */
#define CHUNK ((size_t)128 * 1024)

struct looking {
    struct catalogue *c;
    struct catalogue_search *search;
    size_t taken;
    struct error *err;
    bool failed;
};

/* ---- one entry ----------------------------------------------------------------------------------
 */

/* The entry as a statement has it, which stays at that row. 1, 0 when there is none, -1. */
static int read_entry(struct looking *l, sqlite3_stmt *st, int64_t key, struct catalogue_entry *e)
{
    const char *id;
    int rc;

    memset(e, 0, sizeof *e);
    sqlite3_bind_int64(st, 1, key);
    rc = sqlite3_step(st);
    if (rc == SQLITE_DONE)
        return 0;
    if (rc != SQLITE_ROW)
        return catalogue_fail(l->c, "read", l->err);
    id = (const char *)sqlite3_column_text(st, 1);
    snprintf(e->case_id, sizeof e->case_id, "%s", id ? id : "");
    e->number = key & NUMBER_MASK;
    catalogue_digest(st, 0, &e->digest);
    return 1;
}

/* While the rest is being ranked. */
static bool admits(void *ctx, int64_t key)
{
    struct looking *l = ctx;
    sqlite3_stmt *st = catalogue_statement(l->c, HIT, l->err);
    struct catalogue_entry e;
    int rc = st ? read_entry(l, st, key, &e) : -1;

    if (st)
        sqlite3_reset(st);
    l->failed |= rc < 0;
    return rc > 0 && l->search->admits(l->search->ctx, &e);
}

/* Unpacks text up to n bytes, more than before. False when it is damaged. */
static bool unpack(struct catalogue *c, ZSTD_inBuffer *in, ZSTD_outBuffer *out, size_t n)
{
    if (n > c->text_cap) {
        c->text = xreallocarray(c->text, n, 1);
        c->text_cap = n;
    }
    out->dst = c->text;
    out->size = n;
    while (out->pos < out->size) {
        size_t was = out->pos, rc = ZSTD_decompressStream(c->unpacker, out, in);

        if (ZSTD_isError(rc) || (out->pos == was && in->pos == in->size))
            return false;
    }
    return true;
}

/* Most passages stand near the beginning of a long text: the rest is not unpacked. A damaged text has
 * none. */
static bool write_passage(struct catalogue *c, const struct passage *p, const void *blob, size_t len,
                          struct str *out)
{
    ZSTD_inBuffer in = {blob, len, 0};
    ZSTD_outBuffer text = {0};
    unsigned long long all = ZSTD_getFrameContentSize(blob, len);
    size_t n = CHUNK + 8 * (size_t)p->first;

    if (all == ZSTD_CONTENTSIZE_ERROR || all == ZSTD_CONTENTSIZE_UNKNOWN || all > CATALOGUE_TEXT_MAX)
        return false;
    if (!c->unpacker)
        c->unpacker = ZSTD_createDCtx();
    ZSTD_DCtx_reset(c->unpacker, ZSTD_reset_session_only);
    for (;; n *= 2) {
        bool whole = n >= all;

        if (!unpack(c, &in, &text, whole ? (size_t)all : n))
            return false;
        if (passage_write(p, c->text, text.pos, whole, out))
            return true;
    }
}

static void tell(struct looking *l, sqlite3_stmt *st, const struct catalogue_entry *e,
                 const struct passage *p)
{
    AUTO_STR struct str passage = STR_INIT;
    const void *blob = p->first >= 0 ? sqlite3_column_blob(st, 5) : NULL;
    bool any = blob && write_passage(l->c, p, blob, (size_t)sqlite3_column_bytes(st, 5), &passage);
    const struct catalogue_shown shown = {
        .title = (const char *)sqlite3_column_text(st, 2),
        .subject = (const char *)sqlite3_column_text(st, 3),
        .sender = (const char *)sqlite3_column_text(st, 4),
        .passage = any ? str_c(&passage) : NULL,
    };

    if (l->search->taken)
        l->search->taken(l->search->ctx, e, &shown);
}

/* ---- ranking, and showing the best ---------------------------------------------------------------
 */

/* Ranks what matches; early: only what is admitted. */
static int rank_all(struct looking *l, int64_t first, int64_t last, bool early)
{
    struct catalogue *c = l->c;
    const struct rank_wish wish = {.keep = l->search->limit + 1 + (early ? 0 : SPARE),
                                   .admits = early ? admits : NULL,
                                   .ctx = l};
    sqlite3_stmt *st = catalogue_statement(c, MATCH, l->err);
    int rc;

    if (!st)
        return -1;
    if (rank_begin(c->rank, c->db, &wish) < 0)
        return catalogue_fail(c, "read", l->err);
    sqlite3_bind_text(st, 1, l->search->expression, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, first);
    sqlite3_bind_int64(st, 3, last);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && !l->failed)
        ;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        catalogue_fail(c, "read", l->err);
    sqlite3_reset(st);
    return rc == SQLITE_DONE && !l->failed ? 0 : -1;
}

/* Tells the best that are admitted, but not those that were told before. 1 when there may be more of
 * them among what was not kept, 0, -1. */
static int show_best(struct looking *l)
{
    size_t n, skip = l->taken;
    bool more;
    const struct ranked *best = rank_end(l->c->rank, &n, &more);

    for (size_t i = 0; i < n && !l->search->more; i++) {
        sqlite3_stmt *st = catalogue_statement(l->c, SHOWN, l->err);
        struct catalogue_entry e;
        int rc = st ? read_entry(l, st, best[i].key, &e) : -1;

        if (rc < 0)
            return -1;
        if (rc == 0 || !l->search->admits(l->search->ctx, &e))
            continue;
        if (skip > 0) {
            skip--;
        } else if (l->taken == l->search->limit) {
            l->search->more = true;
        } else {
            l->taken++;
            tell(l, st, &e, &best[i].passage);
        }
    }
    return more && !l->search->more;
}

int catalogue_look(struct catalogue *c, struct catalogue_search *search, struct error *err)
{
    struct looking l = {.c = c, .search = search, .err = err};
    int64_t first = 0, last = INT64_MAX;
    int rc = 1;

    search->more = false;
    if (search->case_id)
        rc = catalogue_key(c, search->case_id, 0, false, &first, err);
    if (rc <= 0)
        return rc;
    if (search->case_id)
        last = first | NUMBER_MASK;
    c->until = env_ticks() + search->limit_ms * NS_PER_MS;
    rc = rank_all(&l, first, last, search->picky);
    if (rc == 0)
        rc = show_best(&l);
    /* So many of the best are gone: those that are there are asked for while ranking. */
    if (rc > 0 && !search->picky) {
        rc = rank_all(&l, first, last, true);
        if (rc == 0)
            rc = show_best(&l);
    }
    c->until = 0;
    catalogue_statement(c, SHOWN, err);
    return rc < 0 ? -1 : 0;
}
