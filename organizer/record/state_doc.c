#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/table.h"
#include "base/utf8.h"
#include "record/state_internal.h"

#define NUMBER_BITS 32
#define NUMBER_MASK ((INT64_C(1) << NUMBER_BITS) - 1)

/* unread is above them. */
enum { FLAG_BY_HAND = 1, FLAG_UNDONE = 2, FLAG_BEFORE = 4, UNREAD_SHIFT = 3, UNREAD_MASK = 3 };

#define COLUMNS                                                                                    \
    "key, path, dev, ino, birth, size, mtime, ctime, read, digest, state, kind, reason, sentence," \
    " help, type, words, date, original, why, suggested, filed, changed, flags"

static const char sql_number[] = "SELECT " COLUMNS " FROM docs WHERE key=?1";
/* Asked for every document several times: max() takes the index as it is, where ORDER BY would make
 * and drop a table for sorting each time. */
static const char sql_path[] = "SELECT " COLUMNS " FROM docs WHERE key=(SELECT max(key) FROM docs"
                               " WHERE c=?1 AND path=?2 AND state<>4)";
static const char sql_gone[] =
    "SELECT " COLUMNS " FROM docs WHERE key=(SELECT max(key) FROM docs WHERE c=?1 AND path=?2"
    " AND state=4 AND changed=(SELECT max(changed) FROM docs WHERE c=?1 AND path=?2 AND state=4))";
static const char sql_inode[] = "SELECT " COLUMNS " FROM docs WHERE ino=?1 AND dev=?2 AND birth=?3"
                                " AND state<>4 ORDER BY key LIMIT 1";
static const char sql_gone_inode[] =
    "SELECT " COLUMNS " FROM docs WHERE ino=?2 AND dev=?3 AND birth=?4 AND key>>32=?1 AND state=4"
    " ORDER BY changed DESC, key DESC LIMIT 1";
static const char sql_copies[] = "SELECT " COLUMNS " FROM docs WHERE c=?1 AND digest=?2"
                                 " AND state<>4 ORDER BY key";
static const char sql_former[] =
    "SELECT " COLUMNS " FROM docs WHERE key=(SELECT max(d.key) FROM former f CROSS JOIN docs d"
    " WHERE f.c=?1 AND f.path=?2 AND d.key=(f.c<<32)+f.n AND d.state<>4)";
static const char sql_fold[] = "SELECT " COLUMNS " FROM docs WHERE c=?1 AND fold=?2 AND state<>4"
                               " ORDER BY key";
static const char sql_each[] = "SELECT " COLUMNS " FROM docs WHERE c=?1 AND (?2 OR state<>4)"
                               " ORDER BY path, key";
static const char sql_each_all[] = "SELECT " COLUMNS " FROM docs WHERE ?1 OR state<>4"
                                   " ORDER BY c, path, key";
static const char sql_below[] = "SELECT " COLUMNS " FROM docs WHERE c=?1 AND path>=?2 AND path<?3"
                                " AND state<>4 ORDER BY path, state, key";
static const char sql_paths[] = "SELECT path FROM docs WHERE c=?1 AND state<>4 ORDER BY path";
static const char sql_put[] =
    "INSERT INTO docs(key, c, path, fold, dev, ino, birth, size, mtime, ctime, read, digest,"
    " state, kind, reason, sentence, help, type, words, date, original, why, suggested, filed,"
    " changed, flags) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
    " CAST(?14 AS TEXT), CAST(?15 AS TEXT), ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)"
    " ON CONFLICT(key) DO UPDATE SET path=?3, fold=?4, dev=?5, ino=?6, birth=?7, size=?8,"
    " mtime=?9, ctime=?10, read=?11, digest=?12, state=?13, kind=CAST(?14 AS TEXT),"
    " reason=CAST(?15 AS TEXT), sentence=?16, help=?17, type=?18, words=?19, date=?20,"
    " original=?21, why=?22, suggested=?23, filed=?24, changed=?25, flags=?26";
static const char sql_read_now[] = "UPDATE docs SET flags=flags&~24 WHERE key=?1";
static const char sql_next[] = "UPDATE cases SET next_doc=max(next_doc, ?2) WHERE k=?1";
static const char sql_former_put[] = "INSERT OR IGNORE INTO former(c, path, n) VALUES(?1, ?2, ?3)";
static const char sql_move[] =
    "UPDATE docs SET path=CAST(?4||substr(path, ?5) AS BLOB),"
    " fold=fold_key(CAST(?4||substr(path, ?5) AS BLOB)) WHERE c=?1 AND path>=?2 AND path<?3";
static const char sql_moved[] = "SELECT path, fold FROM docs WHERE c=?1 AND path>=?2 AND path<?3";
static const char sql_count[] = "SELECT state, count(*) FROM docs WHERE c=?1 GROUP BY state";
static const char sql_count_all[] = "SELECT state, count(*) FROM docs GROUP BY state";
static const char sql_cases[] = "SELECT count(*) FROM cases WHERE path IS NOT NULL"
                                " AND (?1 OR id=CAST(?2 AS TEXT))";

static void fill(struct doc *d, const char *case_id, sqlite3_stmt *st)
{
    int64_t flags = sqlite3_column_int64(st, 23);
    const char *kind = (const char *)sqlite3_column_text(st, 11);
    const char *reason = (const char *)sqlite3_column_text(st, 12);

    memset(d, 0, sizeof *d);
    strncpy(d->case_id, case_id, CASE_ID_SIZE - 1);
    d->number = sqlite3_column_int64(st, 0) & NUMBER_MASK;
    d->path = column_copy(st, 1);
    if (!d->path)
        d->path = xstrdup("");
    d->stamp = (struct doc_stamp){
        .dev = (uint64_t)sqlite3_column_int64(st, 2),
        .ino = (uint64_t)sqlite3_column_int64(st, 3),
        .birth_ns = sqlite3_column_int64(st, 4),
        .size = (uint64_t)sqlite3_column_int64(st, 5),
        .mtime_ns = sqlite3_column_int64(st, 6),
        .ctime_ns = sqlite3_column_int64(st, 7),
    };
    d->read_ns = sqlite3_column_int64(st, 8);
    column_digest(st, 9, &d->digest);
    d->state = (enum doc_state)sqlite3_column_int(st, 10);
    d->kind = kind ? kind_parse(kind) : KIND_UNKNOWN;
    d->reason = reason ? reason_parse(reason) : REASON_NONE;
    d->sentence = column_copy(st, 13);
    d->help = column_copy(st, 14);
    d->type = column_copy(st, 15);
    d->words = column_copy(st, 16);
    d->date = column_copy(st, 17);
    d->original = column_copy(st, 18);
    d->why = column_copy(st, 19);
    d->suggested = column_copy(st, 20);
    d->filed_ns = sqlite3_column_int64(st, 21);
    d->changed_ns = sqlite3_column_int64(st, 22);
    d->by_hand = flags & FLAG_BY_HAND;
    d->undone = flags & FLAG_UNDONE;
    d->before = flags & FLAG_BEFORE;
    d->unread = (enum doc_unread)(flags >> UNREAD_SHIFT & UNREAD_MASK);
}

/* Steps once; the row's case is case_id, or is looked up when that is NULL. */
static int one(struct state *s, struct bind *b, const char *case_id, struct doc *d,
               struct error *err)
{
    int rc = state_step(s, b, err);
    char id[CASE_ID_SIZE];

    if (rc > 0 && !case_id) {
        if (state_case_id(s, sqlite3_column_int64(b->stmt, 0) >> NUMBER_BITS, id, err) < 0)
            rc = -1;
        case_id = id;
    }
    if (rc > 0)
        fill(d, case_id, b->stmt);
    sqlite3_reset(b->stmt);
    return rc;
}

/* What is asked for in a case. */
struct wanted {
    const char *case_id;
    enum known_sort sort;
    const void *p; /* its key, as known.h has it; NULL: the file with this inode number */
    size_t n;
    uint64_t ino;
};

static bool may_be(const struct state *s, const struct wanted *w, int64_t case_key)
{
    int64_t of = w->sort == KNOWN_FILE ? (int64_t)w->ino : case_key;

    return state_may_have(s, w->sort, of, w->p, w->n);
}

/* The kept statement with the case's key bound first. 1 when there may be such a row, 0, -1. */
static int in_case(struct state *s, const char *sql, const struct wanted *w, struct bind *b,
                   struct doc *d, struct error *err)
{
    int64_t key;
    int rc = state_case_key(s, w->case_id, &key, err);

    memset(d, 0, sizeof *d);
    if (rc <= 0 || !may_be(s, w, key))
        return rc < 0 ? -1 : 0;
    *b = (struct bind){state_kept(s, sql, err), 0, SQLITE_OK};
    if (!b->stmt)
        return -1;
    bind_int(b, key);
    return 1;
}

int state_doc_by_number(struct state *s, const char *case_id, int64_t n, struct doc *d,
                        struct error *err)
{
    struct bind b = {state_kept(s, sql_number, err), 0, SQLITE_OK};
    int64_t key;
    int rc = b.stmt ? state_case_key(s, case_id, &key, err) : -1;

    memset(d, 0, sizeof *d);
    if (rc <= 0 || n <= 0 || n > NUMBER_MASK)
        return rc < 0 ? -1 : 0;
    bind_int(&b, key << NUMBER_BITS | n);
    return one(s, &b, case_id, d, err);
}

/* sort: of what the path is asked for. */
static int by_path(struct state *s, const char *sql, enum known_sort sort, const char *case_id,
                   const char *path, struct doc *d, struct error *err)
{
    const struct wanted w = {.case_id = case_id, .sort = sort, .p = path, .n = strlen(path)};
    struct bind b;
    int rc = in_case(s, sql, &w, &b, d, err);

    if (rc <= 0)
        return rc;
    bind_bytes(&b, path);
    return one(s, &b, case_id, d, err);
}

int state_doc_by_path(struct state *s, const char *case_id, const char *path, struct doc *d,
                      struct error *err)
{
    return by_path(s, sql_path, KNOWN_PATH, case_id, path, d, err);
}

int state_doc_gone_by_path(struct state *s, const char *case_id, const char *path, struct doc *d,
                           struct error *err)
{
    return by_path(s, sql_gone, KNOWN_PATH, case_id, path, d, err);
}

int state_doc_by_former(struct state *s, const char *case_id, const char *path, struct doc *d,
                        struct error *err)
{
    return by_path(s, sql_former, KNOWN_FORMER, case_id, path, d, err);
}

int state_doc_by_inode(struct state *s, const struct doc_stamp *stamp, struct doc *d,
                       struct error *err)
{
    struct bind b = {state_kept(s, sql_inode, err), 0, SQLITE_OK};

    memset(d, 0, sizeof *d);
    if (!b.stmt)
        return -1;
    if (!state_may_have(s, KNOWN_FILE, (int64_t)stamp->ino, NULL, 0))
        return 0;
    bind_int(&b, (int64_t)stamp->ino);
    bind_int(&b, (int64_t)stamp->dev);
    bind_int(&b, stamp->birth_ns);
    return one(s, &b, NULL, d, err);
}

int state_doc_gone_by_inode(struct state *s, const char *case_id, const struct doc_stamp *stamp,
                            struct doc *d, struct error *err)
{
    const struct wanted w = {.case_id = case_id, .sort = KNOWN_FILE, .ino = stamp->ino};
    struct bind b;
    int rc = in_case(s, sql_gone_inode, &w, &b, d, err);

    if (rc <= 0 || stamp->birth_ns == 0)
        return rc < 0 ? -1 : 0;
    bind_int(&b, (int64_t)stamp->ino);
    bind_int(&b, (int64_t)stamp->dev);
    bind_int(&b, stamp->birth_ns);
    return one(s, &b, case_id, d, err);
}

int state_doc_by_fold(struct state *s, const char *case_id, const char *path, struct doc *d,
                      struct error *err)
{
    AUTO_FREE char *want = NULL;
    const int64_t key = state_fold_key(path);
    const struct wanted w = {.case_id = case_id, .sort = KNOWN_FOLD, .p = &key, .n = sizeof key};
    struct bind b;
    int rc = in_case(s, sql_fold, &w, &b, d, err);

    if (rc <= 0)
        return rc;
    want = utf8_fold(path);
    bind_int(&b, key);
    while ((rc = state_step(s, &b, err)) > 0) {
        AUTO_FREE char *has = column_copy(b.stmt, 1);
        AUTO_FREE char *fold = utf8_fold(has ? has : "");

        if (strcmp(fold, want) == 0) {
            fill(d, case_id, b.stmt);
            break;
        }
    }
    sqlite3_reset(b.stmt);
    return rc;
}

static int write_next(struct state *s, int64_t case_key, int64_t next, struct error *err)
{
    struct bind b = {state_kept(s, sql_next, err), 0, SQLITE_OK};

    if (!b.stmt)
        return -1;
    bind_int(&b, case_key);
    bind_int(&b, next);
    return state_change(s, &b, err);
}

int state_keep_numbers(struct state *s, struct error *err)
{
    int64_t key = s->minting;

    s->minting = 0;
    return key ? write_next(s, key, s->next_doc, err) : 0;
}

/* The number that the case's next document gets. */
static int next_number(struct state *s, const char *case_id, int64_t *case_key, int64_t *next,
                       struct error *err)
{
    if (s->minting && s->minting == s->case_key && strcmp(s->case_id, case_id) == 0) {
        *case_key = s->minting;
        *next = s->next_doc;
        return 0;
    }
    if (state_keep_numbers(s, err) < 0)
        return -1;
    return state_case_make(s, case_id, case_key, next, err);
}

/* Mints the number, or sees that it will not be minted again. */
static int number_doc(struct state *s, struct doc *d, int64_t *case_key, struct error *err)
{
    int64_t next, n = d->number;

    if (next_number(s, d->case_id, case_key, &next, err) < 0)
        return -1;
    if (!n)
        n = next;
    if (n < 0 || n >= NUMBER_MASK)
        return error_set(err, EOVERFLOW, "a case has no document numbers left");
    if (n >= next && s->begun) {
        s->minting = *case_key;
        s->next_doc = n + 1;
    } else if (n >= next && write_next(s, *case_key, n + 1, err) < 0) {
        return -1;
    }
    d->number = n;
    return 0;
}

static void now_has_doc(struct state *s, int64_t case_key, const struct doc *d, int64_t fold)
{
    const char *path = d->path ? d->path : "";

    state_now_has_path(s, case_key, path, strlen(path));
    state_now_has(s, KNOWN_FOLD, case_key, &fold, sizeof fold);
    state_now_has(s, KNOWN_DIGEST, case_key, d->digest.b, DIGEST_SIZE);
    state_now_has(s, KNOWN_FILE, (int64_t)d->stamp.ino, NULL, 0);
}

static void bind_doc(struct bind *b, int64_t case_key, const struct doc *d, int64_t fold)
{
    bind_int(b, case_key << NUMBER_BITS | d->number);
    bind_int(b, case_key);
    bind_bytes(b, d->path);
    bind_int(b, fold);
    bind_int(b, (int64_t)d->stamp.dev);
    bind_int(b, (int64_t)d->stamp.ino);
    bind_int(b, d->stamp.birth_ns);
    bind_int(b, (int64_t)d->stamp.size);
    bind_int(b, d->stamp.mtime_ns);
    bind_int(b, d->stamp.ctime_ns);
    bind_int(b, d->read_ns);
    bind_digest(b, &d->digest);
    bind_int(b, d->state);
    bind_short(b, d->kind == KIND_UNKNOWN ? NULL : kind_info(d->kind)->name);
    bind_short(b, d->reason == REASON_NONE ? NULL : reason_code(d->reason));
    bind_short(b, d->sentence);
    bind_short(b, d->help);
    bind_short(b, d->type);
    bind_short(b, d->words);
    bind_short(b, d->date);
    bind_short(b, d->original);
    bind_short(b, d->why);
    bind_short(b, d->suggested);
    bind_int(b, d->filed_ns);
    bind_int(b, d->changed_ns);
    bind_int(b, (d->by_hand ? FLAG_BY_HAND : 0) | (d->undone ? FLAG_UNDONE : 0) |
                    (d->before ? FLAG_BEFORE : 0) | (int64_t)d->unread << UNREAD_SHIFT);
}

int state_doc_put(struct state *s, struct doc *d, struct error *err)
{
    struct bind b = {state_kept(s, sql_put, err), 0, SQLITE_OK};
    int64_t was = d->number, case_key, fold;

    if (!b.stmt || number_doc(s, d, &case_key, err) < 0)
        return -1;
    fold = state_fold_key(d->path ? d->path : "");
    now_has_doc(s, case_key, d, fold);
    bind_doc(&b, case_key, d, fold);
    if (state_change(s, &b, err) == 0)
        return 0;
    d->number = was;
    return -1;
}

int state_doc_was_read(struct state *s, const char *case_id, int64_t n, struct error *err)
{
    struct bind b = {state_kept(s, sql_read_now, err), 0, SQLITE_OK};
    int64_t key;

    if (!b.stmt || state_case_need(s, case_id, &key, err) < 0)
        return -1;
    bind_int(&b, key << NUMBER_BITS | n);
    return state_change(s, &b, err);
}

int state_former_put(struct state *s, const char *case_id, int64_t n, const char *path,
                     struct error *err)
{
    struct bind b = {state_kept(s, sql_former_put, err), 0, SQLITE_OK};
    int64_t key;

    if (!b.stmt || state_case_need(s, case_id, &key, err) < 0)
        return -1;
    state_now_has(s, KNOWN_FORMER, key, path, strlen(path));
    bind_int(&b, key);
    bind_bytes(&b, path);
    bind_int(&b, n);
    return state_change(s, &b, err);
}

int state_each_doc(struct state *s, const char *case_id, bool gone, state_doc_fn *fn, void *ctx,
                   struct error *err)
{
    struct bind b = {NULL, 0, SQLITE_OK};
    int64_t key = 0, last = -1;
    int rc = case_id ? state_case_key(s, case_id, &key, err) : 1, answer = 0;
    char id[CASE_ID_SIZE] = "";

    if (rc <= 0)
        return rc;
    b.stmt = state_own(s, case_id ? sql_each : sql_each_all, err);
    if (!b.stmt)
        return -1;
    if (case_id)
        bind_int(&b, key);
    bind_int(&b, gone);
    while (answer == 0 && (rc = state_step(s, &b, err)) > 0) {
        struct doc d;

        key = sqlite3_column_int64(b.stmt, 0) >> NUMBER_BITS;
        if (key != last && state_case_id(s, key, id, err) < 0) {
            rc = -1;
            break;
        }
        last = key;
        fill(&d, id, b.stmt);
        answer = fn(ctx, &d);
        doc_clear(&d);
    }
    sqlite3_finalize(b.stmt);
    return rc < 0 ? -1 : answer;
}

int state_each_copy(struct state *s, const char *case_id, const struct digest *digest,
                    state_doc_fn *fn, void *ctx, struct error *err)
{
    const struct wanted w = {.case_id = case_id, .sort = KNOWN_DIGEST, .p = digest->b,
                             .n = DIGEST_SIZE};
    struct bind b;
    struct doc d;
    int rc = in_case(s, sql_copies, &w, &b, &d, err), answer = 0;

    if (rc <= 0 || digest_is_zero(digest))
        return rc < 0 ? -1 : 0;
    bind_digest(&b, digest);
    while (answer == 0 && (rc = state_step(s, &b, err)) > 0) {
        fill(&d, case_id, b.stmt);
        answer = fn(ctx, &d);
        doc_clear(&d);
    }
    sqlite3_reset(b.stmt);
    return rc < 0 ? -1 : answer;
}

/* Behind every path: no name is that long. */
static char *behind_all(void)
{
    char *s = xmalloc(257);

    memset(s, 0xFF, 256);
    s[256] = '\0';
    return s;
}

/* folder with '/' behind it, or with '0', the byte behind '/': all paths below it lie between. */
static char *bound(const char *folder, char last)
{
    return xasprintf("%s%c", folder, last);
}

static void bind_range(struct bind *b, int64_t key, const char *from, const char *to)
{
    sqlite3_reset(b->stmt);
    b->at = 0;
    bind_int(b, key);
    bind_bytes(b, from);
    bind_bytes(b, to);
}

int state_each_in_folder(struct state *s, const char *case_id, const char *folder, state_doc_fn *fn,
                         void *ctx, struct error *err)
{
    AUTO_FREE char *from = NULL, *to = NULL;
    size_t skip;
    struct bind b = {NULL, 0, SQLITE_OK};
    int64_t key;
    int rc = state_case_key(s, case_id, &key, err), answer = 0;
    bool kept;

    if (rc <= 0 || !state_may_have(s, KNOWN_FOLDER, key, folder, strlen(folder)))
        return rc < 0 ? -1 : 0;
    from = *folder ? bound(folder, '/') : xstrdup("");
    to = *folder ? bound(folder, '0') : behind_all();
    skip = strlen(from);
    /* A sweep asks for every folder, fn may ask for another one meanwhile. */
    b.stmt = state_kept(s, sql_below, err);
    kept = b.stmt && !sqlite3_stmt_busy(b.stmt);
    if (b.stmt && !kept)
        b.stmt = state_own(s, sql_below, err);
    if (!b.stmt)
        return -1;
    bind_range(&b, key, from, to);
    while (answer == 0 && (rc = state_step(s, &b, err)) > 0) {
        struct doc d;
        char *slash;

        fill(&d, case_id, b.stmt);
        slash = strchr(d.path + skip, '/');
        if (slash) { /* deeper: go on behind that folder */
            *slash = '0';
            slash[1] = '\0';
            free(from);
            from = xstrdup(d.path);
            bind_range(&b, key, from, to);
        } else {
            answer = fn(ctx, &d);
        }
        doc_clear(&d);
    }
    if (kept)
        sqlite3_reset(b.stmt);
    else
        sqlite3_finalize(b.stmt);
    return rc < 0 ? -1 : answer;
}

struct folder {
    char *path;
    UT_hash_handle hh;
};

/* The folder of path, added when it is not there. */
static void add_folder(struct folder **set, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    struct folder *f;

    HASH_FIND(hh, *set, path, n, f);
    if (f)
        return;
    f = xcalloc(1, sizeof *f);
    f->path = xmemdup0(path, n);
    HASH_ADD_KEYPTR(hh, *set, f->path, n, f);
}

static int read_folders(struct state *s, int64_t key, struct folder **set, struct error *err)
{
    struct bind b = {state_kept(s, sql_paths, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    bind_int(&b, key);
    while ((rc = state_step(s, &b, err)) > 0) {
        AUTO_FREE char *path = column_copy(b.stmt, 0);

        add_folder(set, path ? path : "");
    }
    sqlite3_reset(b.stmt);
    return rc;
}

int state_each_folder(struct state *s, const char *case_id, state_folder_fn *fn, void *ctx,
                      struct error *err)
{
    struct folder *set = NULL, *f, *tmp;
    int64_t key;
    int answer = state_case_key(s, case_id, &key, err);

    if (answer <= 0)
        return answer;
    answer = read_folders(s, key, &set, err);
    HASH_ITER(hh, set, f, tmp)
    {
        HASH_DEL(set, f);
        if (answer == 0)
            answer = fn(ctx, f->path);
        free(f->path);
        free(f);
    }
    return answer;
}

/* The paths between from and to are new ones. */
static int now_has_moved(struct state *s, int64_t key, const char *from, const char *to,
                         struct error *err)
{
    struct bind b = {state_kept(s, sql_moved, err), 0, SQLITE_OK};
    int rc;

    if (!b.stmt)
        return -1;
    bind_range(&b, key, from, to);
    while ((rc = state_step(s, &b, err)) > 0) {
        int64_t fold = sqlite3_column_int64(b.stmt, 1);

        state_now_has_path(s, key, sqlite3_column_blob(b.stmt, 0),
                           (size_t)sqlite3_column_bytes(b.stmt, 0));
        state_now_has(s, KNOWN_FOLD, key, &fold, sizeof fold);
    }
    sqlite3_reset(b.stmt);
    return rc;
}

int state_move_folder(struct state *s, const char *case_id, const char *from, const char *to,
                      struct error *err)
{
    AUTO_FREE char *first = bound(from, '/');
    AUTO_FREE char *end = bound(from, '0');
    AUTO_FREE char *under = *to ? bound(to, '/') : xstrdup("");
    AUTO_FREE char *behind = *to ? bound(to, '0') : behind_all();
    struct bind b = {state_kept(s, sql_move, err), 0, SQLITE_OK};
    int64_t key;
    int rc;

    if (!*from)
        return error_set(err, EINVAL, "the case folder itself is no folder of its case");
    if (!b.stmt)
        return -1;
    rc = state_case_key(s, case_id, &key, err);
    if (rc <= 0)
        return rc;
    bind_int(&b, key);
    bind_bytes(&b, first);
    bind_bytes(&b, end);
    bind_bytes(&b, under);
    bind_int(&b, (int64_t)strlen(first) + 1);
    if (state_change(s, &b, err) < 0)
        return -1;
    return now_has_moved(s, key, under, behind, err);
}

static int count_states(struct state *s, struct bind *b, struct state_counts *c, struct error *err)
{
    int rc;

    while ((rc = state_step(s, b, err)) > 0) {
        uint64_t n = (uint64_t)sqlite3_column_int64(b->stmt, 1);
        enum doc_state state = (enum doc_state)sqlite3_column_int(b->stmt, 0);

        if (state == DOC_GONE)
            continue;
        c->documents += n;
        if (state == DOC_FILED)
            c->filed = n;
        else if (state == DOC_LISTED)
            c->listed = n;
        else if (state == DOC_WAITING)
            c->waiting = n;
    }
    sqlite3_reset(b->stmt);
    return rc;
}

int state_count(struct state *s, const char *case_id, struct state_counts *c, struct error *err)
{
    struct bind b = {NULL, 0, SQLITE_OK};
    struct bind cases = {state_kept(s, sql_cases, err), 0, SQLITE_OK};
    int64_t key;
    int rc;

    memset(c, 0, sizeof *c);
    if (!cases.stmt)
        return -1;
    if (case_id) {
        rc = state_case_key(s, case_id, &key, err);
        if (rc <= 0)
            return rc;
    }
    b.stmt = state_kept(s, case_id ? sql_count : sql_count_all, err);
    if (!b.stmt)
        return -1;
    if (case_id)
        bind_int(&b, key);
    bind_int(&cases, case_id == NULL);
    bind_bytes(&cases, case_id);
    rc = state_step(s, &cases, err);
    if (rc > 0)
        c->cases = (uint64_t)sqlite3_column_int64(cases.stmt, 0);
    sqlite3_reset(cases.stmt);
    return rc < 0 ? -1 : count_states(s, &b, c, err);
}
