/*
 * The private state while its database fails: whatever call of SQLite fails first, who asked is told,
 * and what was under way is there together or not at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "failing_sql.h"
#include "file/filer.h"
#include "flow/since.h"
#include "record/content_row.h"
#include "record/known.h"
#include "record/state.h"
#include "record/state_archive.h"

/* What is on the disk is another test's question: this one would wait for it a thousand times. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct place {
    char top[40], dir[64];
    struct state *s;
    struct known *known;
    struct error err;
    unsigned asked; /* calls of read_all() but for the end of its picture */
};

static void remove_in(const char *dir, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

    unlink(path);
}

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    *state = p;
    strcpy(p->top, "/tmp/state-faults-XXXXXX");
    if (!mkdtemp(p->top))
        return -1;
    snprintf(p->dir, sizeof p->dir, "%s/state", p->top);
    return 0;
}

static void start_over(struct place *p)
{
    sql.at = 0;
    state_close(p->s);
    p->s = NULL;
    known_free(p->known);
    p->known = known_new();
    remove_in(p->dir, "state.db");
    remove_in(p->dir, "state.db-wal");
    remove_in(p->dir, "state.db-shm");
    p->err = (struct error)ERROR_INIT;
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc;

    start_over(p);
    known_free(p->known);
    rmdir(p->dir);
    rc = rmdir(p->top);
    free(p);
    return rc;
}

/* ---- what is done, in steps that each say whether they failed ---------------------------------- */

static struct digest digest_for(const char *s)
{
    return digest_of(s, strlen(s));
}

static int put(struct place *p, const char *id, const char *path, enum doc_state state)
{
    AUTO_FREE char *copy = xstrdup(path);
    struct doc d = {.path = copy, .state = state, .digest = digest_for(path)};

    strcpy(d.case_id, id);
    d.stamp = (struct doc_stamp){5, strlen(path) + 1000, 77, 10, 20, 30};
    return state_doc_put(p->s, &d, &p->err);
}

static int put_content(struct place *p, const char *path, const char *message)
{
    AUTO_FREE char *copy = xstrdup(message);
    struct content c = {.status = CONTENT_READ, .message_id = copy};
    struct digest d = digest_for(path);

    return state_content_put(p->s, &d, &c, &p->err);
}

static int put_archive(struct place *p)
{
    AUTO_FREE char *path = xstrdup("Archive/a.zip");
    struct archive_row row = {.case_id = A, .path = path};

    return state_archive_put(p->s, &row, &p->err);
}

static int put_case(struct place *p, const char *id, const char *folder)
{
    AUTO_FREE char *path = xstrdup(folder);
    struct case_row row = {.path = path, .next_doc = 1};

    strcpy(row.id, id);
    return state_case_put(p->s, &row, &p->err);
}

static int put_journal(struct place *p)
{
    struct journal_head h = {.seq = 1, .size = 10, .hash = digest_for("line")};

    return state_head_put(p->s, A, &h, &p->err) < 0 ||
                   state_outbox_add(p->s, A, "\"kind\":\"x\"", &p->err) < 0 ||
                   state_outbox_add(p->s, A, "\"kind\":\"y\"", &p->err) < 0 ||
                   state_outbox_done(p->s, A, 0, 1, &p->err) < 0
               ? -1
               : 0;
}

static int put_small(struct place *p)
{
    struct own_file o = {.written = digest_for("page")};

    return state_own_put(p->s, "Smith/Index.html", &o, &p->err) < 0 ||
                   state_own_move(p->s, "Smith", "Jones", &p->err) < 0 ||
                   state_set(p->s, "key", "value", &p->err) < 0 ||
                   state_set(p->s, "other", NULL, &p->err) < 0
               ? -1
               : 0;
}

static int open_it(struct place *p)
{
    p->s = state_open(p->dir, false, &p->err);
    return p->s ? state_keep_known(p->s, p->known, &p->err) : -1;
}

/* One batch: all of it is there afterwards, or nothing. */
static int write_all(struct place *p)
{
    if (state_begin(p->s, &p->err) < 0)
        return -1;
    if (put_case(p, A, "Smith") == 0 && put_case(p, B, "Jones") == 0 &&
        put(p, A, "Inbox/a.pdf", DOC_FILED) == 0 && put(p, A, "Inbox/b.pdf", DOC_LISTED) == 0 &&
        put(p, A, "Inbox/c.pdf", DOC_WAITING) == 0 && put(p, A, "gone.pdf", DOC_GONE) == 0 &&
        put(p, B, "b.eml", DOC_INDEXED) == 0 &&
        state_former_put(p->s, A, 1, "old.pdf", &p->err) == 0 && put_content(p, "b.eml", "m@x") == 0 &&
        put_content(p, "nobody has it", "n@x") == 0 && put_archive(p) == 0 &&
        state_archive_verified(p->s, "Archive/a.zip", 5, &p->err) == 0 && put_journal(p) == 0 &&
        put_small(p) == 0 && state_move_folder(p->s, A, "Inbox", "In", &p->err) == 0 &&
        state_content_prune(p->s, &p->err) == 0 &&
        state_archive_forget(p->s, "Archive/none.zip", &p->err) == 0 &&
        state_commit(p->s, &p->err) == 0)
        return 0;
    state_rollback(p->s);
    return -1;
}

static int no_doc(void *ctx, const struct doc *d)
{
    (void)d;
    ++*(unsigned *)ctx;
    return 0;
}

static int no_case(void *ctx, const struct case_row *row)
{
    (void)row;
    ++*(unsigned *)ctx;
    return 0;
}

static int no_archive(void *ctx, const struct archive_row *row)
{
    (void)row;
    ++*(unsigned *)ctx;
    return 0;
}

static int no_line(void *ctx, int64_t rowid, const char *case_id, const char *body)
{
    (void)rowid, (void)case_id, (void)body;
    ++*(unsigned *)ctx;
    return 0;
}

static int no_folder(void *ctx, const char *folder)
{
    (void)folder;
    ++*(unsigned *)ctx;
    return 0;
}

static int no_message(void *ctx, const char *case_id, const char *path)
{
    (void)case_id, (void)path;
    ++*(unsigned *)ctx;
    return 0;
}

static void no_unread(void *ctx, const char *case_id, int64_t number, enum kind kind, bool scan)
{
    (void)case_id, (void)number, (void)kind, (void)scan;
    ++*(unsigned *)ctx;
}

static int take_copy(void *ctx, const struct doc *d)
{
    doc_copy(ctx, d);
    return 1;
}

/* Each question finds what was put; -1 at the first that fails. */
static int ask_for_documents(struct place *p)
{
    struct doc_stamp there = {5, 1000 + strlen("Inbox/a.pdf"), 77, 10, 20, 30};
    struct doc_stamp gone = {5, 1000 + strlen("gone.pdf"), 77, 10, 20, 30};
    struct digest digest = digest_for("Inbox/a.pdf");
    struct doc d[8] = {{.number = 0}};
    int rc[8] = {
        state_doc_by_number(p->s, A, 1, &d[0], &p->err),
        state_doc_by_path(p->s, A, "In/a.pdf", &d[1], &p->err),
        state_doc_by_inode(p->s, &there, &d[2], &p->err),
        state_each_copy(p->s, A, &digest, take_copy, &d[3], &p->err),
        state_doc_by_former(p->s, A, "old.pdf", &d[4], &p->err),
        state_doc_by_fold(p->s, A, "in/A.pdf", &d[5], &p->err),
        state_doc_gone_by_path(p->s, A, "gone.pdf", &d[6], &p->err),
        state_doc_gone_by_inode(p->s, A, &gone, &d[7], &p->err),
    };
    int all = 0;

    for (unsigned i = 0; i < 8; i++) {
        doc_clear(&d[i]);
        assert_int_not_equal(rc[i], 0); /* found, or told that it could not be asked */
        all = rc[i] < 0 ? -1 : all;
    }
    return all;
}

static int ask_for_the_rest(struct place *p)
{
    struct digest mail = digest_for("b.eml");
    struct case_row row;
    struct archive_row archive;
    struct journal_head h;
    struct own_file o;
    struct content c;
    struct content_facts facts;
    int rc[] = {
        state_case_get(p->s, A, &row, &p->err),
        state_archive_last(p->s, A, &archive, &p->err),
        state_head_get(p->s, A, &h, &p->err),
        state_own_get(p->s, "Jones/Index.html", &o, &p->err),
        state_content_get(p->s, &mail, &c, &p->err),
        state_content_facts(p->s, &mail, &facts, &p->err),
    };
    int all = 0;

    case_row_clear(&row);
    archive_row_clear(&archive);
    content_clear(&c);
    content_facts_clear(&facts);
    for (unsigned i = 0; i < sizeof rc / sizeof *rc; i++) {
        assert_int_not_equal(rc[i], 0);
        all = rc[i] < 0 ? -1 : all;
    }
    return all;
}

/* Lists are whole, or -1. */
static int list_all(struct place *p)
{
    struct digest none = {{0}};
    unsigned n[8] = {0};
    int64_t after = 0;
    const int rc[8] = {
        state_each_doc(p->s, A, true, no_doc, &n[0], &p->err),
        state_each_doc(p->s, NULL, false, no_doc, &n[1], &p->err),
        state_each_in_folder(p->s, A, "In", no_doc, &n[2], &p->err),
        state_each_folder(p->s, A, no_folder, &n[3], &p->err),
        state_each_case(p->s, no_case, &n[4], &p->err),
        state_each_archive(p->s, A, no_archive, &n[5], &p->err),
        state_each_outbox(p->s, no_line, &n[6], &p->err),
        state_each_message(p->s, "m@x", &none, no_message, &n[7], &p->err),
    };
    static const unsigned wanted[8] = {4, 4, 3, 1, 2, 1, 1, 1};
    unsigned unread = 0;
    int all = state_each_unread(p->s, &after, 100, no_unread, &unread, &p->err) < 0 ? -1 : 0;

    if (all == 0)
        assert_int_equal(unread, 3); /* but the mail, whose content is kept, and what is gone */
    for (unsigned i = 0; i < 8; i++) {
        if (rc[i] == 0 && n[i] != wanted[i])
            fail_msg("list %u has %u entries, not %u, and nobody was told", i, n[i], wanted[i]);
        all = rc[i] < 0 ? -1 : all;
    }
    return all;
}

static int count_all(struct place *p)
{
    struct state_counts c;

    if (state_count(p->s, A, &c, &p->err) < 0 || state_count(p->s, NULL, &c, &p->err) < 0)
        return -1;
    assert_int_equal(c.documents, 4);
    assert_int_equal(c.cases, 2);
    return 0;
}

static int read_all(struct place *p)
{
    int rc[4];

    if (state_begin_read(p->s, &p->err) < 0)
        return -1;
    rc[0] = ask_for_documents(p);
    rc[1] = ask_for_the_rest(p);
    rc[2] = list_all(p);
    rc[3] = count_all(p);
    p->asked = sql.n;
    state_rollback(p->s);
    return rc[0] < 0 || rc[1] < 0 || rc[2] < 0 || rc[3] < 0 ? -1 : 0;
}

/* ---- the nth call fails, for every n ---------------------------------------------------------- */

static const int codes[] = {SQLITE_IOERR, SQLITE_FULL,     SQLITE_BUSY,    SQLITE_READONLY,
                            SQLITE_NOMEM, SQLITE_CANTOPEN, SQLITE_CORRUPT, SQLITE_INTERNAL};

static void fail_at(unsigned n)
{
    sql_fail_at(n, codes[n % (sizeof codes / sizeof *codes)]);
}

/* False when there were not so many calls. */
static bool was_hit(void)
{
    return sql.n >= sql.at;
}

static void assert_told(const struct place *p, unsigned n, int rc)
{
    if (rc >= 0 || !*p->err.text)
        fail_msg("the %uth call failed with %d, and nobody was told", n, sql.code);
}

static void opening(void **state)
{
    struct place *p = *state;
    unsigned n = 0;
    int rc;

    for (;;) {
        start_over(p);
        fail_at(++n);
        rc = open_it(p);
        if (!was_hit())
            break;
        assert_told(p, n, rc);
        sql.at = 0;
        state_close(p->s);
        p->s = NULL;
        /* The next start makes what is missing. */
        assert_int_equal(open_it(p), 0);
    }
    assert_int_equal(rc, 0);
    assert_true(n > 12);
}

static void writing(void **state)
{
    struct place *p = *state;
    struct state_counts c;
    unsigned n = 0;
    int rc;

    for (;;) {
        start_over(p);
        assert_int_equal(open_it(p), 0);
        fail_at(++n);
        rc = write_all(p);
        if (!was_hit())
            break;
        assert_told(p, n, rc);
        sql.at = 0;
        assert_int_equal(state_count(p->s, NULL, &c, &p->err), 0);
        assert_int_equal(c.documents + c.cases, 0);
        /* The same batch again, on the same connection. */
        assert_int_equal(write_all(p), 0);
        assert_int_equal(read_all(p), 0);
    }
    assert_int_equal(rc, 0);
    assert_true(n > 60);
}

/* Whoever passes over an error: what came before it in the transaction is not there without it. */
static void what_failed_is_not_committed(void **state)
{
    struct place *p = *state;
    struct state_counts c;

    start_over(p);
    assert_int_equal(open_it(p), 0);
    assert_int_equal(state_begin(p->s, &p->err), 0);
    assert_int_equal(put(p, A, "a.pdf", DOC_FILED), 0);
    fail_at(1);
    assert_int_equal(put(p, A, "b.pdf", DOC_FILED), -1);
    assert_true(was_hit());
    sql.at = 0;
    assert_int_equal(put(p, A, "c.pdf", DOC_FILED), -1);
    assert_int_equal(state_commit(p->s, &p->err), -1);
    state_rollback(p->s);
    assert_int_equal(state_count(p->s, NULL, &c, &p->err), 0);
    assert_int_equal(c.documents, 0);
}

/* Also where nothing but the failed change is left to be refused: no number was given. */
static void what_failed_without_a_number_is_not_committed(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *value = NULL;

    start_over(p);
    assert_int_equal(open_it(p), 0);
    assert_int_equal(state_begin(p->s, &p->err), 0);
    assert_int_equal(state_set(p->s, "first", "1", &p->err), 0);
    fail_at(1);
    assert_int_equal(state_set(p->s, "second", "2", &p->err), -1);
    assert_true(was_hit());
    sql.at = 0;
    assert_int_equal(state_commit(p->s, &p->err), -1);
    state_rollback(p->s);
    value = state_get(p->s, "first");
    assert_null(value);
}

static void reading(void **state)
{
    struct place *p = *state;
    unsigned n = 0;
    int rc;

    for (;;) {
        start_over(p);
        assert_int_equal(open_it(p), 0);
        assert_int_equal(write_all(p), 0);
        fail_at(++n);
        rc = read_all(p);
        if (!was_hit())
            break;
        if (n <= p->asked)
            assert_told(p, n, rc);
        sql.at = 0;
        /* A picture that could not be ended does not stay the picture. */
        assert_int_equal(put(p, B, "later.pdf", DOC_INDEXED), 0);
        assert_int_equal(state_begin_read(p->s, &p->err), 0);
        state_rollback(p->s);
    }
    assert_int_equal(rc, 0);
    assert_true(n > 60);
}

static void what_is_known_cannot_be_kept(void **state)
{
    struct place *p = *state;

    start_over(p);
    assert_int_equal(open_it(p), 0);
    assert_int_equal(write_all(p), 0);
    for (unsigned n = 1;; n++) {
        int rc;

        known_free(p->known);
        p->known = known_new();
        fail_at(n);
        rc = state_keep_known(p->s, p->known, &p->err);
        if (!was_hit()) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_told(p, n, rc);
    }
    sql.at = 0;
    assert_int_equal(read_all(p), 0);
}

/* A small value that cannot be read is as if it were not there: it says how far something was done,
 * and it is done again. */
static void a_small_value_is_not_there(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *value = NULL;

    start_over(p);
    assert_int_equal(open_it(p), 0);
    assert_int_equal(write_all(p), 0);
    for (unsigned n = 1; n <= 2; n++) {
        fail_at(n);
        assert_null(state_get(p->s, "key"));
        sql.at = 0;
    }
    value = state_get(p->s, "key");
    assert_string_equal(value, "value");
}

/* Who asks whether pages are out of date, or since when folders are new, takes no failure for a no. */
static void what_cannot_be_read_is_no_answer(void **state)
{
    struct place *p = *state;
    const struct env env = {0};
    struct cabinet c = {.elsewhere = true, .place = "12 34"};
    AUTO_FREE char *to_keep = NULL;
    uint64_t failed;

    start_over(p);
    assert_int_equal(open_it(p), 0);
    assert_false(filer_unpublished(p->s));
    assert_int_equal(state_set(p->s, SINCE_KEY, "12 34 56", &p->err), 0);
    failed = state_failures(p->s);
    fail_at(1);
    assert_true(filer_unpublished(p->s));
    assert_int_equal(state_failures(p->s), failed + 1);
    assert_true(*state_failure(p->s)->text != '\0');
    fail_at(1);
    assert_null(since_of_folders(&c, p->s, &env));
    assert_true(c.folders_ns > 56);
    sql.at = 0;
    assert_null(since_of_folders(&c, p->s, &env));
    assert_int_equal(c.folders_ns, 56);
    strcpy(c.place, "12 35");
    to_keep = since_of_folders(&c, p->s, &env);
    assert_non_null(to_keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening, setup, teardown),
        cmocka_unit_test_setup_teardown(writing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_failed_is_not_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_failed_without_a_number_is_not_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(reading, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_known_cannot_be_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_small_value_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_no_answer, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
