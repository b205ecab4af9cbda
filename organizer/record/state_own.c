/* The daemon's own files, and small values under a key. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "record/state_internal.h"

static const char sql_own_get[] = "SELECT written, next FROM own WHERE path=?1";
static const char sql_own_put[] =
    "INSERT INTO own(path, written, next) VALUES(?1, ?2, ?3)"
    " ON CONFLICT(path) DO UPDATE SET written=excluded.written, next=excluded.next";
static const char sql_own_move[] =
    "UPDATE OR REPLACE own SET path=CAST(?1||substr(path, ?2) AS BLOB) WHERE path>=?3 AND path<?4";
static const char sql_get[] = "SELECT value FROM small WHERE name=CAST(?1 AS TEXT)";
static const char sql_set[] = "INSERT INTO small(name, value) VALUES(CAST(?1 AS TEXT),"
                              " CAST(?2 AS TEXT)) ON CONFLICT(name) DO UPDATE SET"
                              " value=excluded.value";
static const char sql_unset[] = "DELETE FROM small WHERE name=CAST(?1 AS TEXT)";

int state_own_get(struct state *s, const char *path, struct own_file *o, struct error *err)
{
    struct bind b = {state_kept(s, sql_own_get, err), 0, SQLITE_OK};
    int rc;

    memset(o, 0, sizeof *o);
    if (!b.stmt)
        return -1;
    bind_bytes(&b, path);
    rc = state_step(s, &b, err);
    if (rc > 0) {
        column_digest(b.stmt, 0, &o->written);
        column_digest(b.stmt, 1, &o->next);
    }
    sqlite3_reset(b.stmt);
    return rc;
}

int state_own_put(struct state *s, const char *path, const struct own_file *o, struct error *err)
{
    struct bind b = {state_kept(s, sql_own_put, err), 0, SQLITE_OK};

    if (!b.stmt)
        return -1;
    bind_bytes(&b, path);
    bind_digest(&b, &o->written);
    bind_digest(&b, &o->next);
    return state_change(s, &b, err);
}

int state_own_move(struct state *s, const char *from, const char *to, struct error *err)
{
    AUTO_FREE char *first = xasprintf("%s/", from);
    AUTO_FREE char *end = xasprintf("%s0", from); /* '0' is what comes after '/' */
    AUTO_FREE char *under = xasprintf("%s/", to);
    struct bind b = {state_kept(s, sql_own_move, err), 0, SQLITE_OK};

    if (!b.stmt)
        return -1;
    bind_bytes(&b, under);
    bind_int(&b, (int64_t)strlen(first) + 1);
    bind_bytes(&b, first);
    bind_bytes(&b, end);
    return state_change(s, &b, err);
}

int state_find(struct state *s, const char *key, char **value, struct error *err)
{
    struct bind b = {state_kept(s, sql_get, err), 0, SQLITE_OK};
    int rc;

    *value = NULL;
    if (!b.stmt)
        return -1;
    bind_bytes(&b, key);
    rc = state_step(s, &b, err);
    if (rc > 0) {
        const char *p = sqlite3_column_blob(b.stmt, 0);

        *value = xmemdup0(p ? p : "", (size_t)sqlite3_column_bytes(b.stmt, 0));
    }
    sqlite3_reset(b.stmt);
    return rc;
}

char *state_get(struct state *s, const char *key)
{
    struct error err = ERROR_INIT;
    char *value;

    (void)state_find(s, key, &value, &err);
    return value;
}

int state_set(struct state *s, const char *key, const char *value, struct error *err)
{
    struct bind b = {state_kept(s, value ? sql_set : sql_unset, err), 0, SQLITE_OK};

    if (!b.stmt)
        return -1;
    bind_bytes(&b, key);
    if (value)
        bind_bytes(&b, value);
    return state_change(s, &b, err);
}
