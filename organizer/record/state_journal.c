/* Heads of the journals and the outbox: lines that are decided but perhaps not on the share. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "record/state_internal.h"

static const char sql_head_get[] =
    "SELECT h.seq, h.size, h.hash FROM heads h, cases c WHERE c.id=CAST(?1 AS TEXT) AND h.c=c.k";
static const char sql_head_put[] =
    "INSERT INTO heads(c, seq, size, hash) VALUES(?1, ?2, ?3, ?4)"
    " ON CONFLICT(c) DO UPDATE SET seq=excluded.seq, size=excluded.size, hash=excluded.hash";
static const char sql_add[] = "INSERT INTO outbox(c, body) VALUES(?1, ?2)";
static const char sql_each[] = "SELECT o.id, c.id, o.body FROM outbox o, cases c WHERE c.k=o.c"
                               " ORDER BY o.id";
static const char sql_last[] = "SELECT max(id) FROM outbox";
/* Without a condition whole pages go, where rows that go one by one have others moved together. */
static const char sql_clear[] = "DELETE FROM outbox";
static const char sql_done[] = "DELETE FROM outbox WHERE c=?1 AND id BETWEEN ?2 AND ?3";

int state_head_get(struct state *s, const char *case_id, struct journal_head *h, struct error *err)
{
    struct bind b = {state_kept(s, sql_head_get, err), 0, SQLITE_OK};
    int rc;

    memset(h, 0, sizeof *h);
    if (!b.stmt)
        return -1;
    bind_bytes(&b, case_id);
    rc = state_step(s, &b, err);
    if (rc > 0) {
        h->seq = (uint64_t)sqlite3_column_int64(b.stmt, 0);
        h->size = sqlite3_column_int64(b.stmt, 1);
        column_digest(b.stmt, 2, &h->hash);
    }
    sqlite3_reset(b.stmt);
    return rc;
}

int state_head_put(struct state *s, const char *case_id, const struct journal_head *h,
                   struct error *err)
{
    struct bind b = {state_kept(s, sql_head_put, err), 0, SQLITE_OK};
    int64_t key;

    if (!b.stmt || state_case_need(s, case_id, &key, err) < 0)
        return -1;
    bind_int(&b, key);
    bind_int(&b, (int64_t)h->seq);
    bind_int(&b, h->size);
    bind_digest(&b, &h->hash);
    return state_change(s, &b, err);
}

int state_outbox_add(struct state *s, const char *case_id, const char *body, struct error *err)
{
    struct bind b = {state_kept(s, sql_add, err), 0, SQLITE_OK};
    int64_t key;

    if (!b.stmt || state_case_need(s, case_id, &key, err) < 0)
        return -1;
    bind_int(&b, key);
    bind_bytes(&b, body);
    return state_change(s, &b, err);
}

int state_each_outbox(struct state *s, state_outbox_fn *fn, void *ctx, struct error *err)
{
    struct bind b = {state_own(s, sql_each, err), 0, SQLITE_OK};
    int rc, answer = 0;

    if (!b.stmt)
        return -1;
    while (answer == 0 && (rc = state_step(s, &b, err)) != 0) {
        AUTO_FREE char *id = NULL;
        AUTO_FREE char *body = NULL;

        if (rc < 0) {
            answer = -1;
            break;
        }
        id = column_copy(b.stmt, 1);
        body = column_copy(b.stmt, 2);
        answer = fn(ctx, sqlite3_column_int64(b.stmt, 0), id ? id : "", body ? body : "");
    }
    sqlite3_finalize(b.stmt);
    return answer;
}

int state_outbox_clear(struct state *s, int64_t last, struct error *err)
{
    struct bind b = {state_kept(s, sql_last, err), 0, SQLITE_OK};
    int rc = b.stmt ? state_step(s, &b, err) : -1;
    bool more = rc > 0 && sqlite3_column_int64(b.stmt, 0) > last;

    if (b.stmt)
        sqlite3_reset(b.stmt);
    if (rc < 0 || more)
        return rc < 0 ? -1 : 0;
    b.stmt = state_kept(s, sql_clear, err);
    return b.stmt && state_change(s, &b, err) == 0 ? 1 : -1;
}

int state_outbox_done(struct state *s, const char *case_id, int64_t first, int64_t last,
                      struct error *err)
{
    struct bind b = {state_kept(s, sql_done, err), 0, SQLITE_OK};
    int64_t key;
    int rc;

    if (!b.stmt)
        return -1;
    rc = state_case_key(s, case_id, &key, err);
    if (rc <= 0)
        return rc;
    bind_int(&b, key);
    bind_int(&b, first);
    bind_int(&b, last);
    return state_change(s, &b, err);
}
