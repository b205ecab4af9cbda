/* What the tables may have, in memory: known.h. */
#include "base/error.h"
#include "record/state_internal.h"

/* Each walks an index alone: no row is read. The numbers are of columns: the case or the inode, and
 * the bytes behind it. */
static const struct source {
    const char *sql;
    enum known_sort sort;
} sources[] = {
    {"SELECT c, path FROM docs", KNOWN_PATH},
    {"SELECT c, path FROM former", KNOWN_FORMER},
    {"SELECT c, digest FROM docs WHERE state<>4 AND digest IS NOT NULL", KNOWN_DIGEST},
    {"SELECT ino FROM docs", KNOWN_FILE},
    {"SELECT c, fold FROM docs WHERE state<>4", KNOWN_FOLD},
};

/* The folder of a path of n bytes; most often the one of the path before. */
static void add_folder(struct state *s, int64_t case_key, const char *path, size_t n)
{
    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n > 0)
        n--;
    if (!known_may_have(s->known, KNOWN_FOLDER, case_key, path, n))
        known_add(s->known, KNOWN_FOLDER, case_key, path, n);
}

void state_now_has_path(struct state *s, int64_t case_key, const char *path, size_t n)
{
    if (!s->adds)
        return;
    known_add(s->known, KNOWN_PATH, case_key, path, n);
    add_folder(s, case_key, path, n);
}

static void add_row(struct state *s, const struct source *from, sqlite3_stmt *st)
{
    int64_t of = sqlite3_column_int64(st, 0), fold;

    switch (from->sort) {
    case KNOWN_FILE:
        known_add(s->known, from->sort, of, NULL, 0);
        return;
    case KNOWN_PATH:
        state_now_has_path(s, of, sqlite3_column_blob(st, 1),
                           (size_t)sqlite3_column_bytes(st, 1));
        return;
    case KNOWN_FOLD:
        fold = sqlite3_column_int64(st, 1);
        known_add(s->known, from->sort, of, &fold, sizeof fold);
        return;
    default:
        known_add(s->known, from->sort, of, sqlite3_column_blob(st, 1),
                  (size_t)sqlite3_column_bytes(st, 1));
    }
}

static int add_all(struct state *s, const struct source *from, struct error *err)
{
    struct bind b = {state_own(s, from->sql, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    while ((rc = state_step(s, &b, err)) > 0)
        add_row(s, from, b.stmt);
    sqlite3_finalize(b.stmt);
    return rc;
}

int state_keep_known(struct state *s, struct known *k, struct error *err)
{
    s->known = k;
    s->adds = true;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (add_all(s, &sources[i], err) < 0)
            return -1;
    return 0;
}

void state_use_known(struct state *s, struct known *k)
{
    s->known = k;
}

bool state_may_have(const struct state *s, enum known_sort sort, int64_t of, const void *p,
                    size_t n)
{
    return !s->known || known_may_have(s->known, sort, of, p, n);
}

void state_now_has(struct state *s, enum known_sort sort, int64_t of, const void *p, size_t n)
{
    if (s->adds)
        known_add(s->known, sort, of, p, n);
}
