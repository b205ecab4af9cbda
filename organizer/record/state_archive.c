#include "record/state_archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "record/state_internal.h"

/* n tells the order in which they were made: a clock can be set back. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS archived(n INTEGER PRIMARY KEY AUTOINCREMENT,"
    " path BLOB NOT NULL UNIQUE, id TEXT NOT NULL, digest BLOB, content BLOB,"
    " intermediate INTEGER, made INTEGER, verified INTEGER, size INTEGER, documents INTEGER);"
    "CREATE INDEX IF NOT EXISTS archived_case ON archived(id, n);";

#define COLUMNS "id, path, digest, content, intermediate, made, verified, size, documents"
static const char sql_there[] = "SELECT 1 FROM sqlite_master WHERE name='archived'";
static const char sql_put[] =
    "INSERT OR REPLACE INTO archived(" COLUMNS ") VALUES(CAST(?1 AS TEXT), ?2, ?3, ?4, ?5, ?6, ?7,"
    " ?8, ?9)";
static const char sql_last[] = "SELECT " COLUMNS " FROM archived WHERE id=CAST(?1 AS TEXT)"
                               " ORDER BY n DESC LIMIT 1";
static const char sql_at[] = "SELECT " COLUMNS " FROM archived WHERE path=?1";
static const char sql_each[] = "SELECT " COLUMNS " FROM archived ORDER BY n";
static const char sql_each_of[] =
    "SELECT " COLUMNS " FROM archived WHERE id=CAST(?1 AS TEXT) ORDER BY n";
static const char sql_verified[] = "UPDATE archived SET verified=?2 WHERE path=?1";
static const char sql_forget[] = "DELETE FROM archived WHERE path=?1";

int state_archive_make(struct state *s, struct error *err)
{
    int rc = sqlite3_exec(s->db, schema, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : state_error(s, rc, "open", err);
}

/* Who only reads may meet a state that was written before there were archives. 1, 0, -1. */
static int is_there(struct state *s, struct error *err)
{
    struct bind b = {state_own(s, sql_there, err), 0, SQLITE_OK};
    int rc = b.stmt ? state_step(s, &b, err) : -1;

    sqlite3_finalize(b.stmt);
    return rc;
}

static void fill(struct archive_row *row, sqlite3_stmt *st)
{
    const void *id = sqlite3_column_blob(st, 0);

    memset(row, 0, sizeof *row);
    if (id && sqlite3_column_bytes(st, 0) < CASE_ID_SIZE)
        memcpy(row->case_id, id, (size_t)sqlite3_column_bytes(st, 0));
    row->path = column_copy(st, 1);
    column_digest(st, 2, &row->digest);
    column_digest(st, 3, &row->content);
    row->intermediate = sqlite3_column_int(st, 4) != 0;
    row->made_ns = sqlite3_column_int64(st, 5);
    row->verified_ns = sqlite3_column_int64(st, 6);
    row->size = (uint64_t)sqlite3_column_int64(st, 7);
    row->documents = (uint64_t)sqlite3_column_int64(st, 8);
}

int state_archive_put(struct state *s, const struct archive_row *row, struct error *err)
{
    struct bind b = {state_own(s, sql_put, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    bind_bytes(&b, row->case_id);
    bind_bytes(&b, row->path);
    bind_digest(&b, &row->digest);
    bind_digest(&b, &row->content);
    bind_int(&b, row->intermediate);
    bind_int(&b, row->made_ns);
    bind_int(&b, row->verified_ns);
    bind_int(&b, (int64_t)row->size);
    bind_int(&b, (int64_t)row->documents);
    rc = state_change(s, &b, err);
    sqlite3_finalize(b.stmt);
    return rc;
}

static int get_one(struct state *s, const char *sql, const char *key, struct archive_row *row,
                   struct error *err)
{
    int rc = is_there(s, err);
    struct bind b = {NULL, 0, SQLITE_OK};

    memset(row, 0, sizeof *row);
    if (rc <= 0)
        return rc;
    b.stmt = state_own(s, sql, err);
    if (!b.stmt)
        return -1;
    bind_bytes(&b, key);
    rc = state_step(s, &b, err);
    if (rc > 0)
        fill(row, b.stmt);
    sqlite3_finalize(b.stmt);
    return rc;
}

int state_archive_last(struct state *s, const char *case_id, struct archive_row *row,
                       struct error *err)
{
    return get_one(s, sql_last, case_id, row, err);
}

int state_archive_at(struct state *s, const char *path, struct archive_row *row, struct error *err)
{
    return get_one(s, sql_at, path, row, err);
}

int state_each_archive(struct state *s, const char *case_id, state_archive_fn *fn, void *ctx,
                       struct error *err)
{
    struct bind b = {NULL, 0, SQLITE_OK};
    struct archive_row row;
    int rc = is_there(s, err), answer = 0;

    if (rc <= 0)
        return rc;
    b.stmt = state_own(s, case_id ? sql_each_of : sql_each, err);
    if (!b.stmt)
        return -1;
    if (case_id)
        bind_bytes(&b, case_id);
    while (answer == 0 && (rc = state_step(s, &b, err)) > 0) {
        fill(&row, b.stmt);
        answer = fn(ctx, &row);
        archive_row_clear(&row);
    }
    sqlite3_finalize(b.stmt);
    return rc < 0 ? -1 : answer;
}

int state_archive_verified(struct state *s, const char *path, int64_t ns, struct error *err)
{
    struct bind b = {state_own(s, sql_verified, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    bind_bytes(&b, path);
    bind_int(&b, ns);
    rc = state_change(s, &b, err);
    sqlite3_finalize(b.stmt);
    return rc;
}

int state_archive_forget(struct state *s, const char *path, struct error *err)
{
    struct bind b = {state_own(s, sql_forget, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    bind_bytes(&b, path);
    rc = state_change(s, &b, err);
    sqlite3_finalize(b.stmt);
    return rc;
}

void archive_row_clear(struct archive_row *row)
{
    free(row->path);
    memset(row, 0, sizeof *row);
}

void archive_row_write(struct str *body, const struct archive_row *row)
{
    char hex[DIGEST_HEX];

    json_text(body, "case", row->case_id);
    json_name(body, "archive", row->path);
    json_text(body, "archive_sha256", digest_hex(&row->digest, hex));
    json_text(body, "content", digest_hex(&row->content, hex));
    json_text(body, "purpose", row->intermediate ? "intermediate" : "closed");
    json_num(body, "archive_size", (int64_t)row->size);
    json_num(body, "documents", (int64_t)row->documents);
}

bool archive_row_read(struct archive_row *row, const json_t *line, int64_t at_ns)
{
    const char *digest = json_get_text(line, "archive_sha256");
    const char *content = json_get_text(line, "content");
    const char *purpose = json_get_text(line, "purpose");

    memset(row, 0, sizeof *row);
    if (!digest || digest_parse(digest, &row->digest) < 0 || !content ||
        digest_parse(content, &row->content) < 0)
        return false;
    row->path = json_get_name(line, "archive");
    row->intermediate = purpose && strcmp(purpose, "intermediate") == 0;
    row->made_ns = row->verified_ns = at_ns;
    row->size = (uint64_t)json_get_num(line, "archive_size", 0);
    row->documents = (uint64_t)json_get_num(line, "documents", 0);
    return row->path != NULL;
}
