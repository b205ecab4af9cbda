#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "record/state_internal.h"

enum { FLAG_TOLD = 1, FLAG_TAMPERED = 2, FLAG_CLOSED = 4, FLAG_RESTRICTED = 8 };

static const char sql_key[] = "SELECT k, next_doc FROM cases WHERE id=CAST(?1 AS TEXT)";
static const char sql_id[] = "SELECT id FROM cases WHERE k=?1";
static const char sql_make[] = "INSERT INTO cases(id, next_doc) VALUES(CAST(?1 AS TEXT), 1)";
#define COLUMNS "id, path, former, dev, ino, birth, next_doc, flags, adopted, gone"
static const char sql_get[] =
    "SELECT " COLUMNS " FROM cases WHERE id=CAST(?1 AS TEXT) AND path IS NOT NULL";
static const char sql_each[] =
    "SELECT " COLUMNS " FROM cases WHERE path IS NOT NULL ORDER BY path";
static const char sql_put[] =
    "UPDATE cases SET path=?2, former=?3, dev=?4, ino=?5, birth=?6, next_doc=max(next_doc, ?7),"
    " flags=?8, adopted=?9, gone=?10 WHERE k=?1";

static int find_key(struct state *s, const char *id, int64_t *key, int64_t *next_doc,
                    struct error *err)
{
    struct bind b = {state_kept(s, sql_key, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    bind_bytes(&b, id);
    rc = state_step(s, &b, err);
    if (rc > 0) {
        *key = sqlite3_column_int64(b.stmt, 0);
        *next_doc = sqlite3_column_int64(b.stmt, 1);
    }
    sqlite3_reset(b.stmt);
    return rc;
}

/* A case never loses its key, but one that is made now may be rolled back. */
static void remember_key(struct state *s, const char *id, int64_t key)
{
    size_t n = strlen(id) + 1;

    if (n > CASE_ID_SIZE || sqlite3_txn_state(s->db, NULL) == SQLITE_TXN_WRITE)
        return;
    memcpy(s->case_id, id, n);
    s->case_key = key;
}

int state_case_key(struct state *s, const char *id, int64_t *key, struct error *err)
{
    int64_t next;
    int rc;

    if (s->case_key && strcmp(s->case_id, id) == 0) {
        *key = s->case_key;
        return 1;
    }
    rc = find_key(s, id, key, &next, err);
    if (rc > 0)
        remember_key(s, id, *key);
    return rc;
}

int state_case_make(struct state *s, const char *id, int64_t *key, int64_t *next_doc,
                    struct error *err)
{
    int rc = find_key(s, id, key, next_doc, err);
    struct bind b = {NULL, 0, SQLITE_OK};

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (strlen(id) >= CASE_ID_SIZE)
        return error_set(err, EINVAL, "a case id is too long");
    b.stmt = state_kept(s, sql_make, err);
    if (!b.stmt)
        return -1;
    bind_bytes(&b, id);
    if (state_change(s, &b, err) < 0)
        return -1;
    *key = sqlite3_last_insert_rowid(s->db);
    *next_doc = 1;
    return 0;
}

int state_case_need(struct state *s, const char *id, int64_t *key, struct error *err)
{
    int64_t next;
    int rc = state_case_key(s, id, key, err);

    if (rc == 0)
        return state_case_make(s, id, key, &next, err);
    return rc < 0 ? -1 : 0;
}

static void id_column(sqlite3_stmt *st, int i, char id[static CASE_ID_SIZE])
{
    const void *p = sqlite3_column_blob(st, i);
    int n = sqlite3_column_bytes(st, i);

    memset(id, 0, CASE_ID_SIZE);
    if (p && n < CASE_ID_SIZE)
        memcpy(id, p, (size_t)n);
}

int state_case_id(struct state *s, int64_t key, char id[static CASE_ID_SIZE], struct error *err)
{
    struct bind b = {state_kept(s, sql_id, err), 0, SQLITE_OK};
    int rc;

    id[0] = '\0';
    if (!b.stmt)
        return -1;
    bind_int(&b, key);
    rc = state_step(s, &b, err);
    if (rc > 0)
        id_column(b.stmt, 0, id);
    sqlite3_reset(b.stmt);
    return rc < 0 ? -1 : 0;
}

static void fill(struct case_row *row, sqlite3_stmt *st)
{
    int64_t flags = sqlite3_column_int64(st, 7);

    memset(row, 0, sizeof *row);
    id_column(st, 0, row->id);
    row->path = column_copy(st, 1);
    if (!row->path)
        row->path = xstrdup("");
    row->former = column_copy(st, 2);
    row->dev = (uint64_t)sqlite3_column_int64(st, 3);
    row->ino = (uint64_t)sqlite3_column_int64(st, 4);
    row->birth_ns = sqlite3_column_int64(st, 5);
    row->next_doc = sqlite3_column_int64(st, 6);
    row->renamed_told = flags & FLAG_TOLD;
    row->tampered = flags & FLAG_TAMPERED;
    row->closed = flags & FLAG_CLOSED;
    row->restricted = flags & FLAG_RESTRICTED;
    row->adopted_ns = sqlite3_column_int64(st, 8);
    row->gone_ns = sqlite3_column_int64(st, 9);
}

int state_case_get(struct state *s, const char *id, struct case_row *row, struct error *err)
{
    struct bind b = {state_kept(s, sql_get, err), 0, SQLITE_OK};
    int rc;

    memset(row, 0, sizeof *row);
    if (!b.stmt)
        return -1;
    bind_bytes(&b, id);
    rc = state_step(s, &b, err);
    if (rc > 0)
        fill(row, b.stmt);
    sqlite3_reset(b.stmt);
    return rc;
}

int state_case_put(struct state *s, const struct case_row *row, struct error *err)
{
    struct bind b = {state_kept(s, sql_put, err), 0, SQLITE_OK};
    int64_t key = 0, next = 0;

    if (!b.stmt || state_case_make(s, row->id, &key, &next, err) < 0)
        return -1;
    bind_int(&b, key);
    bind_bytes(&b, row->path);
    bind_short(&b, row->former);
    bind_int(&b, (int64_t)row->dev);
    bind_int(&b, (int64_t)row->ino);
    bind_int(&b, row->birth_ns);
    bind_int(&b, row->next_doc);
    bind_int(&b, (row->renamed_told ? FLAG_TOLD : 0) | (row->tampered ? FLAG_TAMPERED : 0) |
                     (row->closed ? FLAG_CLOSED : 0) |
                     (row->restricted ? FLAG_RESTRICTED : 0));
    bind_int(&b, row->adopted_ns);
    bind_int(&b, row->gone_ns);
    return state_change(s, &b, err);
}

int state_each_case(struct state *s, state_case_fn *fn, void *ctx, struct error *err)
{
    struct bind b = {state_own(s, sql_each, err), 0, SQLITE_OK};
    struct case_row row;
    int rc, answer = 0;

    if (!b.stmt)
        return -1;
    while (answer == 0 && (rc = state_step(s, &b, err)) != 0) {
        if (rc < 0) {
            answer = -1;
            break;
        }
        fill(&row, b.stmt);
        answer = fn(ctx, &row);
        case_row_clear(&row);
    }
    sqlite3_finalize(b.stmt);
    return answer;
}

void case_row_clear(struct case_row *row)
{
    free(row->path);
    free(row->former);
    memset(row, 0, sizeof *row);
}
