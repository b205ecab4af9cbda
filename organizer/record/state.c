/*
 * The connection: opening, the schema, transactions, statements. The nouns have files of their
 * own: state_doc.c, state_case.c, state_journal.c (heads and outbox), state_own.c, state_archive.c;
 * state_known.c is a picture of what there may be.
 */
#include "record/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include "record/state_archive.h"
#include "record/state_internal.h"

#define SCHEMA_VERSION 1
#define APPLICATION_ID 1330792787 /* "ORGS", shown by file(1) */

/*
 * Paths are bytes, hence blobs. A document's key is its case's key and its number in one integer,
 * so that the rows of a case lie together and the indexes stay small. State 4 is DOC_GONE.
 */
static const char schema[] =
    "CREATE TABLE cases(k INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, next_doc INTEGER NOT NULL,"
    " path BLOB, former BLOB, dev INTEGER, ino INTEGER, birth INTEGER, flags INTEGER,"
    " adopted INTEGER, gone INTEGER);"
    "CREATE TABLE docs(key INTEGER PRIMARY KEY, c INTEGER NOT NULL, path BLOB NOT NULL,"
    " fold INTEGER NOT NULL, dev INTEGER, ino INTEGER, birth INTEGER, size INTEGER,"
    " mtime INTEGER, ctime INTEGER, read INTEGER, digest BLOB, state INTEGER NOT NULL, kind TEXT,"
    " reason TEXT, sentence BLOB, help BLOB, type BLOB, words BLOB, date BLOB, original BLOB,"
    " why BLOB, suggested BLOB, filed INTEGER, changed INTEGER, flags INTEGER);"
    "CREATE INDEX docs_path ON docs(c, path, state);"
    "CREATE INDEX docs_fold ON docs(c, fold) WHERE state<>4;"
    "CREATE INDEX docs_ino ON docs(ino);"
    "CREATE INDEX docs_state ON docs(c, state);"
    "CREATE TABLE former(c INTEGER, path BLOB, n INTEGER, PRIMARY KEY(c, path, n)) WITHOUT ROWID;"
    "CREATE TABLE heads(c INTEGER PRIMARY KEY, seq INTEGER, size INTEGER, hash BLOB);"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, c INTEGER NOT NULL, body BLOB);"
    "CREATE TABLE own(path BLOB PRIMARY KEY, written BLOB, next BLOB) WITHOUT ROWID;"
    "CREATE TABLE small(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/* Lines are forgotten where they lie: to keep this index took as much as the lines themselves. */
static const char no_longer[] = "DROP INDEX IF EXISTS outbox_case";

/* Every column that the statements of this program name: a private state without one of them is of
 * an older one. */
static const char columns[] =
    "SELECT cases.k, cases.id, next_doc, cases.path, cases.former, cases.dev, cases.ino, cases.birth,"
    " cases.flags, adopted, gone, key, docs.c, docs.path, fold, docs.dev, docs.ino, docs.birth,"
    " docs.size, mtime, ctime, read, digest, state, kind, reason, sentence, help, type, words, date,"
    " original, why, suggested, filed, changed, docs.flags, former.c, former.path, n, heads.c, seq,"
    " heads.size, hash, outbox.id, outbox.c, body, own.path, written, next, name, value"
    " FROM cases, docs, former, heads, outbox, own, small";

static const char sql_read[] = "BEGIN";
static const char sql_rollback[] = "ROLLBACK";

_Static_assert(DOC_GONE == 4, "the schema's indexes and statements say 4");

static int errno_of(sqlite3 *db, int rc)
{
    int sys = db ? sqlite3_system_errno(db) : 0;

    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_CANTOPEN:
        return sys ? sys : EACCES;
    case SQLITE_IOERR:
        return sys && sys != ENOENT ? sys : EIO; /* it is open: that was another file, before */
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return EIO;
    default:
        return 0;
    }
}

int state_error(struct state *s, int rc, const char *what, struct error *err)
{
    const char *path = sqlite3_db_filename(s->db, "main");

    if (s->begun)
        s->failed = true;
    error_set(err, errno_of(s->db, rc), "cannot %s the private state %s (%s)", what,
              path ? path : "", sqlite3_errmsg(s->db));
    s->failures++;
    s->failure = *err;
    return -1;
}

uint64_t state_failures(const struct state *s)
{
    return s->failures;
}

const struct error *state_failure(const struct state *s)
{
    return &s->failure;
}

void bind_int(struct bind *b, int64_t v)
{
    b->rc |= sqlite3_bind_int64(b->stmt, ++b->at, v);
}

void bind_bytes(struct bind *b, const char *s)
{
    if (!s)
        s = "";
    b->rc |= sqlite3_bind_blob64(b->stmt, ++b->at, s, strlen(s), SQLITE_STATIC);
}

void bind_short(struct bind *b, const char *s)
{
    if (s && *s)
        bind_bytes(b, s);
    else
        b->rc |= sqlite3_bind_null(b->stmt, ++b->at);
}

void bind_digest(struct bind *b, const struct digest *d)
{
    b->at++;
    if (digest_is_zero(d))
        b->rc |= sqlite3_bind_null(b->stmt, b->at);
    else
        b->rc |= sqlite3_bind_blob(b->stmt, b->at, d->b, DIGEST_SIZE, SQLITE_STATIC);
}

char *column_copy(sqlite3_stmt *st, int i)
{
    const void *p = sqlite3_column_blob(st, i);
    int n = sqlite3_column_bytes(st, i);

    return p && n > 0 ? xmemdup0(p, (size_t)n) : NULL;
}

void column_digest(sqlite3_stmt *st, int i, struct digest *d)
{
    const void *p = sqlite3_column_blob(st, i);

    memset(d, 0, sizeof *d);
    if (p && sqlite3_column_bytes(st, i) == DIGEST_SIZE)
        memcpy(d->b, p, DIGEST_SIZE);
}

sqlite3_stmt *state_own(struct state *s, const char *sql, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(s->db, sql, -1, 0, &st, NULL);

    if (rc != SQLITE_OK) {
        state_error(s, rc, "read", err);
        return NULL;
    }
    return st;
}

sqlite3_stmt *state_kept(struct state *s, const char *sql, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    for (size_t i = 0; i < s->kept_len; i++)
        if (s->kept[i].sql == sql)
            return s->kept[i].stmt;
    if (s->kept_len == STATE_STATEMENTS)
        abort(); /* a statement was added and STATE_STATEMENTS was not */
    rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    if (rc != SQLITE_OK) {
        state_error(s, rc, "read", err);
        return NULL;
    }
    s->kept[s->kept_len++] = (struct state_statement){sql, st};
    return st;
}

int state_step(struct state *s, const struct bind *b, struct error *err)
{
    int rc = b->rc ? b->rc : sqlite3_step(b->stmt);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return state_error(s, rc, "read", err);
}

int state_change(struct state *s, const struct bind *b, struct error *err)
{
    int rc = b->rc;

    /* SQLite itself rolls back when the disk is full: what follows would be committed alone. */
    if (s->begun && (s->failed || sqlite3_get_autocommit(s->db)))
        return error_set(err, EIO, "the transaction on the private state has failed already");
    if (rc == SQLITE_OK)
        rc = sqlite3_step(b->stmt);
    if (rc != SQLITE_DONE)
        state_error(s, rc, "write", err);
    sqlite3_reset(b->stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

int64_t state_fold_key(const char *path)
{
    AUTO_FREE char *fold = utf8_fold(path);
    uint64_t h = UINT64_C(14695981039346656037);

    for (const char *p = fold; *p; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    return (int64_t)h;
}

/* fold_key(path): so that renaming a folder is one statement. */
static void sql_fold_key(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    const void *p = sqlite3_value_blob(v[0]);
    AUTO_FREE char *path = xmemdup0(p ? p : "", (size_t)sqlite3_value_bytes(v[0]));

    (void)n;
    sqlite3_result_int64(ctx, state_fold_key(path));
}

static int run(struct state *s, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : state_error(s, rc, "open", err);
}

static int pragma_int(struct state *s, const char *sql, int *value, struct error *err)
{
    sqlite3_stmt *st = state_own(s, sql, err);
    struct bind b = {st, 0, SQLITE_OK};
    int rc;

    if (!st)
        return -1;
    rc = state_step(s, &b, err);
    *value = rc > 0 ? sqlite3_column_int(st, 0) : 0;
    sqlite3_finalize(st);
    return rc < 0 ? -1 : 0;
}

/* Makes the folder and those above it, 0700, and sees that nobody else reads in it. */
static int make_dir(const char *dir, struct error *err)
{
    AUTO_FREE char *path = xstrdup(dir);
    AUTO_CLOSE int fd = -1;
    struct stat st;

    for (char *p = path + 1; *path && *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return error_set(err, errno, "cannot make the folder %s", path);
        *p = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set(err, errno, "cannot make the folder %s", path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_set(err, errno, "cannot open the folder %s", path);
    if (st.st_uid != geteuid() && geteuid() != 0)
        return error_set(err, EPERM, "the private folder %s belongs to another user", path);
    if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
        return error_set(err, errno, "cannot make the folder %s private", path);
    return 0;
}

static int make_schema(struct state *s, struct error *err)
{
    char sql[96];
    int version;

    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d;", APPLICATION_ID,
             SCHEMA_VERSION);
    if (run(s, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    /* Another process may have been faster. */
    if (pragma_int(s, "PRAGMA user_version", &version, err) == 0 &&
        (version || (run(s, schema, err) == 0 && run(s, sql, err) == 0)) &&
        run(s, "COMMIT", err) == 0)
        return 0;
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* There is none to bring up to date yet: the journals hold all that a new one needs. */
static int check_columns(struct state *s, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, columns, -1, &st, NULL);

    sqlite3_finalize(st);
    if (rc != SQLITE_ERROR)
        return rc == SQLITE_OK ? 0 : state_error(s, rc, "read", err);
    return error_set(err, EINVAL,
                     "the private state %s was made by an older organizer (%s): move its folder away "
                     "and start again; it is made anew from the cases' journals",
                     sqlite3_db_filename(s->db, "main"), sqlite3_errmsg(s->db));
}

static int settle_version(struct state *s, bool readonly, struct error *err)
{
    int version, tables;

    if (pragma_int(s, "PRAGMA user_version", &version, err) < 0 ||
        pragma_int(s, "SELECT count(*) FROM sqlite_master", &tables, err) < 0)
        return -1;
    if (!version && tables)
        return error_set(err, 0, "%s is no private state of organizer",
                         sqlite3_db_filename(s->db, "main"));
    s->newer = version > SCHEMA_VERSION;
    if (version && !s->newer && check_columns(s, err) < 0)
        return -1;
    s->readonly = readonly || s->newer;
    if (s->readonly) {
        if (!version)
            return error_set(err, ENOENT, "there is no private state in %s yet",
                             sqlite3_db_filename(s->db, "main"));
        return run(s, "PRAGMA query_only=1", err);
    }
    /* Under load the same pages are changed again and again: the fewer checkpoints, the less is written
     * to the database itself, and waited for. */
    if (run(s, "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=20971520;"
               " PRAGMA wal_autocheckpoint=4000", err) < 0)
        return -1;
    if (!version && make_schema(s, err) < 0)
        return -1;
    if (run(s, no_longer, err) < 0 || run(s, state_content_schema, err) < 0)
        return -1;
    return state_archive_make(s, err);
}

static int prepare(struct state *s, bool readonly, struct error *err)
{
    int rc;

    sqlite3_busy_timeout(s->db, 10000);
    rc = sqlite3_create_function(s->db, "fold_key", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                 sql_fold_key, NULL, NULL);
    if (rc != SQLITE_OK)
        return state_error(s, rc, "open", err);
    if (run(s,
            "PRAGMA synchronous=FULL; PRAGMA foreign_keys=0; PRAGMA cache_size=-2048;"
            "PRAGMA mmap_size=0; PRAGMA trusted_schema=0",
            err) < 0)
        return -1;
    return settle_version(s, readonly, err);
}

void state_prepare(void)
{
    /* Where it is not taken it counts, and nothing else. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct state *state_open(const char *dir, bool readonly, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/state.db", dir);
    struct state *s;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc;

    if (!readonly && make_dir(dir, err) < 0)
        return NULL;
    if (readonly && access(path, F_OK) < 0) {
        error_set(err, errno, "there is no private state in %s", path);
        return NULL;
    }
    s = xcalloc(1, sizeof *s);
    rc = sqlite3_open_v2(path, &s->db, readonly ? flags : flags | SQLITE_OPEN_CREATE, NULL);
    if (rc != SQLITE_OK) {
        error_set(err, errno_of(s->db, rc), "cannot open the private state %s", path);
        goto fail;
    }
    if (prepare(s, readonly, err) < 0)
        goto fail;
    return s;
fail:
    state_close(s);
    return NULL;
}

void state_close(struct state *s)
{
    if (!s)
        return;
    state_rollback(s);
    for (size_t i = 0; i < s->kept_len; i++)
        sqlite3_finalize(s->kept[i].stmt);
    sqlite3_close(s->db);
    free(s);
}

bool state_is_moved(const struct state *s)
{
    int moved = 0;

    return sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || moved;
}

bool state_is_newer(const struct state *s)
{
    return s->newer;
}

/* Runs a statement without parameters or answer. */
static int run_kept(struct state *s, const char *sql, struct error *err)
{
    struct bind b = {state_kept(s, sql, err), 0, SQLITE_OK};
    int rc = b.stmt ? state_step(s, &b, err) : -1;

    if (b.stmt)
        sqlite3_reset(b.stmt);
    return rc;
}

/* Also what a rollback that failed has left. */
static int leave_transaction(struct state *s, struct error *err)
{
    return sqlite3_get_autocommit(s->db) ? 0 : run_kept(s, sql_rollback, err);
}

int state_begin(struct state *s, struct error *err)
{
    int rc;

    if (s->begun)
        return error_set(err, EINVAL, "a transaction on the private state is under way already");
    if (leave_transaction(s, err) < 0)
        return -1;
    rc = sqlite3_exec(
        s->db, sqlite3_db_readonly(s->db, "main") == 1 || s->newer ? "BEGIN" : "BEGIN IMMEDIATE",
        NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return state_error(s, rc, "write", err);
    s->begun = true;
    s->failed = false;
    return 0;
}

int state_commit(struct state *s, struct error *err)
{
    int rc;

    if (!s->begun || s->failed || sqlite3_get_autocommit(s->db))
        return error_set(err, EIO, "the transaction on the private state has failed");
    if (state_keep_numbers(s, err) < 0)
        return -1;
    rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return state_error(s, rc, "write", err);
    s->begun = false;
    return 0;
}

int state_begin_read(struct state *s, struct error *err)
{
    if (s->begun)
        return state_error(s, SQLITE_MISUSE, "read", err);
    if (leave_transaction(s, err) < 0 || run_kept(s, sql_read, err) < 0)
        return -1;
    s->begun = true;
    s->failed = false;
    return 0;
}

void state_rollback(struct state *s)
{
    struct error err = ERROR_INIT;

    /* One that fails is made good when the next transaction begins. */
    if (s->db)
        (void)leave_transaction(s, &err);
    s->begun = s->failed = false;
    s->minting = 0;
}

void state_expect(struct state *s)
{
    /* Only slower without. */
    (void)sqlite3_exec(s->db, "PRAGMA cache_size=-8192", NULL, NULL, NULL);
}

void state_release(struct state *s)
{
    (void)sqlite3_exec(s->db, "PRAGMA cache_size=-2048", NULL, NULL, NULL);
    (void)sqlite3_db_release_memory(s->db);
}

void state_rest(struct state *s)
{
    for (size_t i = 0; i < s->kept_len; i++)
        sqlite3_reset(s->kept[i].stmt);
    state_rollback(s);
}
