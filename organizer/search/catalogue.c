#include "search/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "search/catalogue_internal.h"
#include "search/fts.h"
#include "search/rank.h"

/* Rises with every change of the schema, of what a word is, and of what is kept. */
#define VERSION        1
#define APPLICATION_ID 1330791763 /* "ORFS" */
#define LEVEL          1          /* of compression: the texts are small, and many */
#define PROGRESS_OPS   1000 /* instructions of SQLite between two looks at the clock */

static const char schema[] =
    "CREATE TABLE cases(k INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);"
    "CREATE TABLE docs(key INTEGER PRIMARY KEY, digest BLOB, name TEXT, title TEXT, subject TEXT,"
    " sender TEXT, people TEXT, body BLOB);"
    "CREATE INDEX docs_digest ON docs(digest) WHERE digest IS NOT NULL;"
    "CREATE VIEW texts AS SELECT key, name, ifnull(title, '')||' '||ifnull(subject, '') AS title,"
    " people, unpack(body) AS body FROM docs;"
    "CREATE VIRTUAL TABLE words USING fts5(name, title, people, body, content='texts',"
    " content_rowid='key', tokenize='office');"
    /* Fewer, larger parts while many documents come at once. */
    "INSERT INTO words(words, rank) VALUES('automerge', 8);"
    "INSERT INTO words(words, rank) VALUES('usermerge', 2);"
    "INSERT INTO words(words, rank) VALUES('hashsize', 8388608);"
    "INSERT INTO words(words, rank) VALUES('pgsz', 4050);";

static const char *const sql[CATALOGUE_STATEMENTS] = {
    [GET] = "SELECT digest, name, title, subject, sender, people FROM docs WHERE key=?1",
    [PUT] = "INSERT OR REPLACE INTO docs(key, digest, name, title, subject, sender, people, body)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [RENAME] = "UPDATE docs SET name=?2 WHERE key=?1",
    [REMOVE] = "DELETE FROM docs WHERE key=?1",
    [SAME] = "SELECT key FROM docs WHERE digest=?1 AND key<>?2 LIMIT 1",
    [TAKE_OVER] = "INSERT OR REPLACE INTO docs(key, digest, name, title, subject, sender, people,"
                  " body) SELECT ?1, digest, ?3, title, subject, sender, people, body FROM docs"
                  " WHERE key=?2",
    [CASE_KEY] = "SELECT k FROM cases WHERE id=CAST(?1 AS TEXT)",
    [CASE_PUT] = "INSERT INTO cases(id) VALUES(CAST(?1 AS TEXT))",
    [INDEX] = "INSERT INTO words(rowid, name, title, people, body)"
              " SELECT key, name, title, people, body FROM texts WHERE key=?1",
    [UNINDEX] = "INSERT INTO words(words, rowid, name, title, people, body)"
                " SELECT 'delete', key, name, title, people, body FROM texts WHERE key=?1",
    [MATCH] = "SELECT ranked(words) FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3"
              " ORDER BY rowid",
    [HIT] = "SELECT d.digest, c.id FROM docs d CROSS JOIN cases c ON c.k=d.key>>32 WHERE d.key=?1",
    [SHOWN] = "SELECT d.digest, c.id, d.title, d.subject, d.sender, d.body FROM docs d"
              " CROSS JOIN cases c ON c.k=d.key>>32 WHERE d.key=?1",
    /* Of small trees: the table of documents has their texts in it. */
    [COUNT] = "SELECT n, n-(SELECT count(*) FROM docs WHERE digest IS NOT NULL)"
              " FROM (SELECT count(*) AS n FROM words_docsize)",
};

int catalogue_fail(struct catalogue *c, const char *what, struct error *err)
{
    int rc = sqlite3_errcode(c->db) & 0xFF;
    int number = rc == SQLITE_FULL                             ? ENOSPC
                 : rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? EBADMSG
                 : rc == SQLITE_IOERR                          ? EIO
                                                               : 0;

    if (rc == SQLITE_INTERRUPT)
        return error_set(err, ETIMEDOUT, "the search took too long: look for rarer words");
    return error_set(err, number, "the catalogue of the search cannot be %s (%s)", what,
                     sqlite3_errmsg(c->db));
}

sqlite3_stmt *catalogue_statement(struct catalogue *c, enum catalogue_statement i, struct error *err)
{
    if (!c->stmts[i] && sqlite3_prepare_v3(c->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                           &c->stmts[i], NULL) != SQLITE_OK) {
        catalogue_fail(c, "read", err);
        return NULL;
    }
    sqlite3_reset(c->stmts[i]);
    sqlite3_clear_bindings(c->stmts[i]);
    return c->stmts[i];
}

static void bind_text(sqlite3_stmt *st, int i, const char *s)
{
    if (s && *s)
        sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

static void bind_digest(sqlite3_stmt *st, int i, const struct digest *d)
{
    if (!digest_is_zero(d))
        sqlite3_bind_blob(st, i, d->b, DIGEST_SIZE, SQLITE_STATIC);
}

void catalogue_digest(sqlite3_stmt *st, int i, struct digest *d)
{
    const void *p = sqlite3_column_blob(st, i);

    memset(d, 0, sizeof *d);
    if (p && sqlite3_column_bytes(st, i) == DIGEST_SIZE)
        memcpy(d->b, p, DIGEST_SIZE);
}

/* Runs a change to its end. */
static int change(struct catalogue *c, sqlite3_stmt *st, struct error *err)
{
    int rc = sqlite3_step(st);

    if (rc != SQLITE_DONE)
        catalogue_fail(c, "written", err);
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static int run(struct catalogue *c, const char *text, struct error *err)
{
    return sqlite3_exec(c->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : catalogue_fail(c, "opened", err);
}

static int version_of(struct catalogue *c)
{
    sqlite3_stmt *st = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(c->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return version;
}

static int make_schema(struct catalogue *c, struct error *err)
{
    char mark[128];

    snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, VERSION);
    if (run(c, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", err) == 0 && run(c, schema, err) == 0 &&
        run(c, mark, err) == 0)
        return 0;
    return -1;
}

static int on_progress(void *ctx)
{
    const struct catalogue *c = ctx;

    return c->until && env_ticks() > c->until;
}

/* 1 when it is of another version. */
static int prepare(struct catalogue *c, bool readonly, bool fresh, struct error *err)
{
    int version;

    sqlite3_busy_timeout(c->db, 10000);
    sqlite3_progress_handler(c->db, PROGRESS_OPS, on_progress, c);
    if (fts_register(c->db, c->rank, err) < 0 ||
        /* Readers are kept open between searches. */
        run(c, readonly ? "PRAGMA cache_size=-16384"
                        : "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4096;"
                          " PRAGMA secure_delete=FAST",
            err) < 0)
        return -1;
    version = version_of(c);
    if (fresh && version == 0)
        return make_schema(c, err);
    if (version != VERSION)
        return 1;
    return run(c, readonly ? "PRAGMA query_only=1" : "PRAGMA journal_size_limit=16777216", err);
}

static struct catalogue *open_file(const char *path, bool readonly, bool *other, struct error *err)
{
    struct catalogue *c;
    AUTO_CLOSE int fd = readonly ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc;

    *other = false;
    if (!readonly && fd < 0) {
        error_set(err, errno, "cannot make %s", path);
        return NULL;
    }
    c = xcalloc(1, sizeof *c);
    c->rank = rank_new();
    rc = sqlite3_open_v2(path, &c->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    rc = rc == SQLITE_OK ? prepare(c, readonly, fd >= 0 && lseek(fd, 0, SEEK_END) == 0, err)
                         : catalogue_fail(c, "opened", err);
    if (rc == 0)
        return c;
    *other = rc > 0 || err->number == EBADMSG;
    if (rc > 0)
        error_set(err, ENOENT, "the catalogue of the search is of another version");
    catalogue_close(c);
    return NULL;
}

void catalogue_delete(const char *dir)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        AUTO_FREE char *path = xasprintf("%s/" CATALOGUE_NAME "%s", dir, ends[i]);

        /* What is not there is gone; what stays is found again when it is opened. */
        (void)unlink(path);
    }
}

struct catalogue *catalogue_open(const char *dir, bool readonly, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/" CATALOGUE_NAME, dir);
    struct catalogue *c;
    bool other;

    if (readonly && access(path, F_OK) < 0) {
        error_set(err, errno, "there is no catalogue of the search yet");
        return NULL;
    }
    c = open_file(path, readonly, &other, err);
    if (c || readonly || !other)
        return c;
    catalogue_delete(dir);
    return open_file(path, readonly, &other, err);
}

bool catalogue_is_moved(const struct catalogue *c)
{
    int moved = 0;

    return sqlite3_file_control(c->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || moved;
}

int catalogue_begin_read(struct catalogue *c, struct error *err)
{
    return run(c, "BEGIN", err);
}

void catalogue_rest(struct catalogue *c)
{
    for (size_t i = 0; i < CATALOGUE_STATEMENTS; i++)
        if (c->stmts[i])
            sqlite3_reset(c->stmts[i]);
    catalogue_rollback(c);
}

void catalogue_close(struct catalogue *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CATALOGUE_STATEMENTS; i++)
        sqlite3_finalize(c->stmts[i]);
    ZSTD_freeCCtx(c->packer);
    ZSTD_freeDCtx(c->unpacker);
    free(c->text);
    sqlite3_close(c->db);
    rank_free(c->rank);
    free(c);
}

/* ---- transactions -----------------------------------------------------------------------------
 */

int catalogue_begin(struct catalogue *c, struct error *err)
{
    if (run(c, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    c->begun = true;
    return 0;
}

int catalogue_commit(struct catalogue *c, struct error *err)
{
    if (sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        catalogue_fail(c, "written", err);
        catalogue_rollback(c);
        return -1;
    }
    c->begun = false;
    return 0;
}

void catalogue_rollback(struct catalogue *c)
{
    if (!sqlite3_get_autocommit(c->db))
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    c->begun = false;
}

/* ---- entries ----------------------------------------------------------------------------------
 */

/* The case's key. 1 found, 0 none (and not made), -1. */
static int case_key(struct catalogue *c, const char *id, bool make, int64_t *key, struct error *err)
{
    sqlite3_stmt *st = catalogue_statement(c, CASE_KEY, err);
    int rc;

    *key = 0;
    if (!st)
        return -1;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    rc = sqlite3_step(st);
    *key = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        return catalogue_fail(c, "read", err);
    if (!make)
        return 0;
    st = catalogue_statement(c, CASE_PUT, err);
    if (!st)
        return -1;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    if (change(c, st, err) < 0)
        return -1;
    *key = sqlite3_last_insert_rowid(c->db);
    return 1;
}

int catalogue_key(struct catalogue *c, const char *case_id, int64_t number, bool make,
                   int64_t *key, struct error *err)
{
    int rc = case_key(c, case_id, make, key, err);

    *key = (int64_t)((uint64_t)*key << NUMBER_BITS) | (number & NUMBER_MASK);
    return rc;
}

static int on_key(struct catalogue *c, enum catalogue_statement i, int64_t key, struct error *err)
{
    sqlite3_stmt *st = catalogue_statement(c, i, err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, key);
    return change(c, st, err);
}

static char *copy(sqlite3_stmt *st, int i)
{
    return xstrdup((const char *)sqlite3_column_text(st, i));
}

int catalogue_get(struct catalogue *c, const char *case_id, int64_t number,
                  struct catalogue_entry *e, struct error *err)
{
    sqlite3_stmt *st;
    int64_t key;
    int rc = catalogue_key(c, case_id, number, false, &key, err);

    memset(e, 0, sizeof *e);
    if (rc <= 0)
        return rc;
    st = catalogue_statement(c, GET, err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, key);
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        snprintf(e->case_id, sizeof e->case_id, "%s", case_id);
        e->number = number;
        catalogue_digest(st, 0, &e->digest);
        e->name = copy(st, 1);
        e->title = copy(st, 2);
        e->subject = copy(st, 3);
        e->sender = copy(st, 4);
        e->people = copy(st, 5);
    }
    sqlite3_reset(st);
    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : catalogue_fail(c, "read", err);
}

/* The compressed text; NULL with *size 0 for none. */
static void *pack(struct catalogue *c, const char *text, size_t n, size_t *size)
{
    size_t most = ZSTD_compressBound(n);
    void *blob;

    *size = 0;
    if (n == 0)
        return NULL;
    if (!c->packer)
        c->packer = ZSTD_createCCtx();
    blob = xmalloc(most);
    *size = ZSTD_compressCCtx(c->packer, blob, most, text, n, LEVEL);
    if (!ZSTD_isError(*size))
        return blob;
    free(blob);
    *size = 0;
    return NULL;
}

static int put_row(struct catalogue *c, int64_t key, const struct catalogue_entry *e,
                   const char *text, size_t n, struct error *err)
{
    sqlite3_stmt *st = catalogue_statement(c, PUT, err);
    size_t size;
    AUTO_FREE void *blob = pack(c, text, n, &size);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, key);
    bind_digest(st, 2, &e->digest);
    bind_text(st, 3, e->name);
    bind_text(st, 4, e->title);
    bind_text(st, 5, e->subject);
    bind_text(st, 6, e->sender);
    bind_text(st, 7, e->people);
    if (blob)
        sqlite3_bind_blob64(st, 8, blob, size, SQLITE_STATIC);
    return change(c, st, err);
}

int catalogue_put(struct catalogue *c, const struct catalogue_entry *e, const char *text, size_t n,
                  struct error *err)
{
    int64_t key;

    if (catalogue_key(c, e->case_id, e->number, true, &key, err) < 0 ||
        on_key(c, UNINDEX, key, err) < 0 || put_row(c, key, e, text, n, err) < 0)
        return -1;
    return on_key(c, INDEX, key, err);
}

int catalogue_rename(struct catalogue *c, const char *case_id, int64_t number, const char *name,
                     struct error *err)
{
    sqlite3_stmt *st;
    int64_t key;

    if (catalogue_key(c, case_id, number, true, &key, err) < 0 || on_key(c, UNINDEX, key, err) < 0)
        return -1;
    st = catalogue_statement(c, RENAME, err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, key);
    bind_text(st, 2, name);
    return change(c, st, err) < 0 ? -1 : on_key(c, INDEX, key, err);
}

/* Another entry of the digest. 1, 0, -1. */
static int same_digest(struct catalogue *c, const struct digest *digest, int64_t key,
                       int64_t *other, struct error *err)
{
    sqlite3_stmt *st = catalogue_statement(c, SAME, err);
    int rc;

    if (!st)
        return -1;
    bind_digest(st, 1, digest);
    sqlite3_bind_int64(st, 2, key);
    rc = sqlite3_step(st);
    *other = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : catalogue_fail(c, "read", err);
}

int catalogue_take_over(struct catalogue *c, const char *case_id, int64_t number, const char *name,
                        const struct digest *digest, struct error *err)
{
    sqlite3_stmt *st;
    int64_t key, other;
    int rc;

    if (digest_is_zero(digest))
        return 0;
    if (catalogue_key(c, case_id, number, true, &key, err) < 0)
        return -1;
    rc = same_digest(c, digest, key, &other, err);
    if (rc <= 0)
        return rc;
    if (on_key(c, UNINDEX, key, err) < 0)
        return -1;
    st = catalogue_statement(c, TAKE_OVER, err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, key);
    sqlite3_bind_int64(st, 2, other);
    bind_text(st, 3, name);
    return change(c, st, err) < 0 || on_key(c, INDEX, key, err) < 0 ? -1 : 1;
}

int catalogue_remove(struct catalogue *c, const char *case_id, int64_t number, struct error *err)
{
    int64_t key;
    int rc = catalogue_key(c, case_id, number, false, &key, err);

    if (rc <= 0)
        return rc;
    if (on_key(c, UNINDEX, key, err) < 0)
        return -1;
    return on_key(c, REMOVE, key, err);
}

void catalogue_entry_clear(struct catalogue_entry *e)
{
    free(e->name);
    free(e->title);
    free(e->subject);
    free(e->sender);
    free(e->people);
    memset(e, 0, sizeof *e);
}

int catalogue_each(struct catalogue *c, catalogue_fn *fn, void *ctx, struct error *err)
{
    static const char each[] =
        "SELECT d.key, c.id, d.digest FROM docs d JOIN cases c ON c.k=d.key>>32 WHERE d.key>?1"
        " ORDER BY d.key LIMIT 256";
    sqlite3_stmt *st = NULL;
    int64_t last = -1, before;
    int answer = 0, rc = SQLITE_DONE;

    if (sqlite3_prepare_v2(c->db, each, -1, &st, NULL) != SQLITE_OK)
        return catalogue_fail(c, "read", err);
    do {
        struct catalogue_entry list[256];
        int n = 0;

        before = last;
        sqlite3_bind_int64(st, 1, last);
        while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            struct catalogue_entry *e = &list[n++];

            memset(e, 0, sizeof *e);
            last = sqlite3_column_int64(st, 0);
            e->number = last & NUMBER_MASK;
            snprintf(e->case_id, sizeof e->case_id, "%s", (const char *)sqlite3_column_text(st, 1));
            catalogue_digest(st, 2, &e->digest);
        }
        sqlite3_reset(st);
        for (int i = 0; i < n && answer == 0; i++)
            answer = fn(ctx, &list[i]);
    } while (answer == 0 && rc == SQLITE_DONE && last > before);
    sqlite3_finalize(st);
    return rc != SQLITE_DONE ? catalogue_fail(c, "read", err) : answer;
}

int catalogue_count(struct catalogue *c, int64_t *all, int64_t *by_name, struct error *err)
{
    unsigned version = 0;
    bool known = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_DATA_VERSION, &version) ==
                     SQLITE_OK &&
                 sqlite3_total_changes64(c->db) == 0;
    sqlite3_stmt *st;

    if (!c->counted || !known || version != c->counted_version) {
        st = catalogue_statement(c, COUNT, err);
        if (!st)
            return -1;
        if (sqlite3_step(st) != SQLITE_ROW)
            return catalogue_fail(c, "read", err);
        c->all = sqlite3_column_int64(st, 0);
        c->by_name = sqlite3_column_int64(st, 1);
        sqlite3_reset(st);
        c->counted = true;
        c->counted_version = version;
    }
    *all = c->all;
    *by_name = c->by_name;
    return 0;
}

int catalogue_merge(struct catalogue *c, struct error *err)
{
    int64_t before = sqlite3_total_changes64(c->db);

    if (sqlite3_exec(c->db, "INSERT INTO words(words, rank) VALUES('merge', 400)", NULL, NULL,
                     NULL) != SQLITE_OK)
        return catalogue_fail(c, "written", err);
    /* The statement itself counts as one. */
    return sqlite3_total_changes64(c->db) - before >= 2;
}

int catalogue_tidy(struct catalogue *c, struct error *err)
{
    return sqlite3_exec(c->db, "INSERT INTO words(words) VALUES('optimize')", NULL, NULL, NULL) ==
                   SQLITE_OK
               ? 0
               : catalogue_fail(c, "written", err);
}
