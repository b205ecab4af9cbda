/*
 * The private state cannot be read for a moment, or for longer, while the flow looks at a document:
 * whichever read it is, the journal tells afterwards what happened, and that once. The same of folders: what could not
 * be read to its end is not taken for one that ends there.
 */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "cabinet/cabinet.h"
#include "examine/reader.h"
#include "failing_calls.h"
#include "failing_sql.h"
#include "flow/flow.h"
#include "flow/folders.h"
#include "flow/internal.h"
#include "flow/night_step.h"
#include "flow/survey.h"
#include "flow_cabinet.h"
#include "record/journal.h"

#define CASE  "Smith_Divorce"
#define CALLS 400 /* no look asks more often */

struct world {
    uv_loop_t loop;
    struct flow *f;
};

static void write_file(const char *in_case, const char *text)
{
    AUTO_FREE char *full = xasprintf("%s/" CASE "/%s", path, in_case);
    FILE *f = fopen(full, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void ended(void *ctx)
{
    *(bool *)ctx = true;
}

/* All is looked at, and what was there is decided. */
static void sweep(struct world *w)
{
    bool over = false;

    flow_sweep(w->f, ended, &over);
    while (!over)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static void wait_for_all(struct world *w)
{
    bool over = false;

    flow_sync(w->f, ended, &over);
    while (!over)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static struct flow *opened(uv_loop_t *loop)
{
    struct flow_options o = {.path = path, .env = &env, .log = {.most = LOG_ERROR}};
    struct error err = ERROR_INIT;
    struct flow *f = flow_open(loop, &o, &err);

    if (f)
        f->cab.config.settle_ms = 0;
    return f;
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct error err = ERROR_INIT;
    AUTO_FREE char *folder = NULL;

    memset(&sql, 0, sizeof sql);
    sql_only_here();
    sys.file_system = 0;
    if (make_cabinet(NULL) < 0)
        return -1;
    folder = xjoin(path, CASE);
    if (mkdir(folder, 0755) < 0)
        return -1;
    write_file("Case.txt", "Client: Smith\n");
    uv_loop_init(&w->loop);
    w->f = opened(&w->loop);
    assert_non_null(w->f);
    assert_int_equal(flow_start(w->f, &err), 0);
    sweep(w);
    assert_int_equal(matters_len(w->f->matters), 1);
    *state = w;
    return 0;
}

static void closed(struct world *w)
{
    flow_close(w->f);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static int teardown(void **state)
{
    sql.at = 0;
    closed(*state);
    free(*state);
    return remove_cabinet(NULL);
}

struct counting {
    const char *kind;
    unsigned n;
};

static int count_line(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number)
{
    struct counting *c = ctx;
    const char *kind = json_get_text(line, "kind");

    (void)raw, (void)len, (void)number;
    c->n += kind && strcmp(kind, c->kind) == 0;
    return 0;
}

/* Lines of that kind in the journal of the case in that folder. */
static unsigned lines_in(const struct world *w, const char *folder, const char *kind)
{
    AUTO_CLOSE int fd = beneath_open(w->f->cab.root, folder, O_RDONLY | O_DIRECTORY, 0);
    struct counting c = {kind, 0};
    struct error err = ERROR_INIT;

    assert_true(fd >= 0);
    assert_int_equal(journal_each(fd, count_line, &c, &err), 0);
    return c.n;
}

static int count_doc(void *ctx, const struct doc *d)
{
    (void)d;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned lines(const struct world *w, const char *kind)
{
    return lines_in(w, CASE, kind);
}

/* Rows of the case that have a document. */
static unsigned rows(const struct world *w)
{
    struct error err = ERROR_INIT;
    unsigned n = 0;

    assert_int_equal(state_each_doc(w->f->state, matters_at(w->f->matters, 0)->facts.id, false,
                                    count_doc, &n, &err),
                     0);
    return n;
}

/* The nth read fails, or all from it on, while everything is looked at; whether it came. Then
 * nothing is filed until somebody asks whether all is done: what the failures hid is looked at once
 * more. */
static bool sweep_with_failure(struct world *w, unsigned n, bool ever)
{
    bool hit;

    sql.ever = ever;
    sql_fail_at(n, SQLITE_IOERR_READ);
    sweep(w);
    hit = sql_was_hit();
    assert_true(!hit || flow_stopped(w->f));
    wait_for_all(w);
    assert_null(flow_stopped(w->f));
    return hit;
}

static void a_document_does_not_become_its_own_twin(void **state)
{
    struct world *w = *state;

    write_file("a.dat", "\001\002\003");
    sweep(w);
    assert_int_equal(rows(w), 1);
    assert_int_equal(lines(w, "indexed"), 1);
    for (int ever = 0; ever < 2; ever++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            assert_true(n < CALLS);
            flow_hint(w->f, CASE "/a.dat", true);
            hit = sweep_with_failure(w, n, ever);
            if (rows(w) != 1 || lines(w, "indexed") != 1 || lines(w, "removed") != 0)
                fail_msg("read %u failed: %u rows, %u lines", n, rows(w), lines(w, "indexed"));
        }
    }
}

static void rename_in_case(const char *from, const char *to)
{
    AUTO_FREE char *was = xasprintf("%s/" CASE "/%s", path, from);
    AUTO_FREE char *is = xasprintf("%s/" CASE "/%s", path, to);

    assert_int_equal(rename(was, is), 0);
}

static void a_renamed_document_is_neither_gone_nor_new(void **state)
{
    struct world *w = *state;

    unsigned renamed = 0;

    write_file("a0.dat", "\001\002\003");
    sweep(w);
    for (int ever = 0; ever < 2; ever++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            AUTO_FREE char *from = xasprintf("a%u.dat", renamed);
            AUTO_FREE char *to = xasprintf("a%u.dat", ++renamed);

            assert_true(n < CALLS);
            rename_in_case(from, to);
            hit = sweep_with_failure(w, n, ever);
            if (lines(w, "renamed") != renamed || lines(w, "indexed") != 1 ||
                lines(w, "removed") != 0)
                fail_msg("read %u failed: %u renamed instead of %u, %u indexed, %u removed", n,
                         lines(w, "renamed"), renamed, lines(w, "indexed"), lines(w, "removed"));
        }
    }
}

static void a_removed_document_is_told_once(void **state)
{
    struct world *w = *state;
    unsigned removed = 0;

    for (int ever = 0; ever < 2; ever++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            AUTO_FREE char *full = xasprintf("%s/" CASE "/a.dat", path);

            assert_true(n < CALLS);
            write_file("a.dat", "\001\002\003");
            sweep(w);
            assert_int_equal(rows(w), 1);
            assert_int_equal(unlink(full), 0);
            hit = sweep_with_failure(w, n, ever);
            removed++;
            if (rows(w) != 0 || lines(w, "removed") != removed)
                fail_msg("read %u failed: %u rows, %u lines instead of %u", n, rows(w),
                         lines(w, "removed"), removed);
        }
    }
}

/* Another one in its place; the nth call fails while it opens, or all from it on. Whether it is there. */
static bool reopens(struct world *w, unsigned n, bool ever)
{
    closed(w);
    uv_loop_init(&w->loop);
    sql.ever = ever;
    sql_fail_at(n, SQLITE_IOERR_READ);
    w->f = opened(&w->loop);
    return w->f != NULL;
}

/* Then it was not; now nothing fails. */
static void reopens_now(struct world *w)
{
    uv_loop_close(&w->loop);
    uv_loop_init(&w->loop);
    w->f = opened(&w->loop);
    assert_non_null(w->f);
}

/* It does not start, or finds all as it was. */
static void a_start_takes_nothing_for_new(void **state)
{
    struct world *w = *state;

    write_file("a.dat", "\001\002\003");
    sweep(w);
    for (int ever = 0; ever < 2; ever++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            struct error err = ERROR_INIT;

            assert_true(n < CALLS);
            if (reopens(w, n, ever)) {
                assert_int_equal(flow_start(w->f, &err), 0);
                sweep(w);
            }
            hit = sql_was_hit();
            if (!w->f) {
                assert_true(hit);
                reopens_now(w);
                assert_int_equal(flow_start(w->f, &err), 0);
            }
            sweep(w);
            if (rows(w) != 1 || lines(w, "indexed") != 1 || lines(w, "removed") != 0)
                fail_msg("call %u failed: %u rows, %u lines", n, rows(w), lines(w, "indexed"));
        }
    }
}

/* As if the cabinet had been copied here. */
static void move_place(void)
{
    AUTO_FREE char *id = xasprintf("%s/.organizer/cabinet-id", path);
    FILE *f = fopen(id, "r+");

    assert_non_null(f);
    assert_int_equal(fseek(f, 32, SEEK_SET), 0);
    fputs("\n1 1\n", f);
    assert_int_equal(ftruncate(fileno(f), ftell(f)), 0);
    fclose(f);
}

/* From when on folders are new is known, or it does not start. */
static void a_start_knows_since_when_it_is_here(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    int64_t since = 0;
    bool hit = true;

    move_place();
    for (unsigned n = 0; hit || n < 2; n++) {
        assert_true(n < CALLS);
        (void)reopens(w, n, false);
        hit = sql_was_hit();
        if (!w->f) {
            assert_true(hit);
            reopens_now(w);
        }
        assert_true(w->f->cab.elsewhere);
        if (n == 0) {
            since = w->f->cab.folders_ns;
            assert_int_equal(flow_start(w->f, &err), 0);
            sweep(w);
        } else if (w->f->cab.folders_ns != since) {
            fail_msg("call %u failed: what came since is not new", n);
        }
    }
}

static unsigned missing_cases(const struct world *w)
{
    unsigned n = 0;

    for (const struct flow_notice *one = w->f->notices; one; one = one->hh.next)
        n += one->n.reason == REASON_MISSING;
    return n;
}

static void a_missing_case_stays_listed(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *folder = xjoin(path, CASE);
    bool hit = true;

    assert_int_equal(remove_tree(folder), 0);
    sweep(w);
    assert_int_equal(missing_cases(w), 1);
    for (unsigned n = 1; hit; n++) {
        assert_true(n < CALLS);
        sql.ever = false;
        sql_fail_at(n, SQLITE_IOERR_READ);
        flow_check_gone(w->f);
        hit = sql_was_hit();
        if (missing_cases(w) != 1)
            fail_msg("read %u failed: the case is not listed any more", n);
        wait_for_all(w);
        assert_int_equal(missing_cases(w), 1);
    }
}

static void a_renamed_case_is_told_once(void **state)
{
    static const char *const names[] = {CASE, "Smith-K_Divorce"};
    struct world *w = *state;
    unsigned renamed = 0;
    bool hit = true;

    for (unsigned n = 1; hit; n++) {
        const char *name = names[++renamed % 2];
        AUTO_FREE char *from = xjoin(path, names[(renamed - 1) % 2]);
        AUTO_FREE char *to = xjoin(path, name);

        assert_true(n < CALLS);
        assert_int_equal(rename(from, to), 0);
        hit = sweep_with_failure(w, n, false);
        sweep(w);
        if (lines_in(w, name, "case-renamed") != renamed)
            fail_msg("read %u failed: %u lines instead of %u", n,
                     lines_in(w, name, "case-renamed"), renamed);
    }
}

/* Nothing else happens: it is made up for all the same. */
static void who_only_asks_does_not_stop_filing_for_good(void **state)
{
    struct world *w = *state;
    AUTO_STR struct str json = STR_INIT;

    assert_false(uv_is_active((uv_handle_t *)&w->f->due));
    sql.ever = false;
    sql_fail_at(1, SQLITE_IOERR_READ);
    flow_status(w->f, &json);
    assert_true(sql_was_hit());
    assert_non_null(flow_stopped(w->f));
    assert_true(uv_is_active((uv_handle_t *)&w->f->due));
}

static void note_row(void *ctx, const struct survey_doc *d)
{
    *(bool *)ctx = d->row != NULL;
}

static void no_notice(void *ctx, const struct survey_notice *n)
{
    (void)ctx;
    (void)n;
}

/* What a plan is made of. */
static void a_survey_takes_nothing_for_new(void **state)
{
    bool hit = true, known = false;

    write_file("a.dat", "\001\002\003");
    sweep(*state);
    for (unsigned n = 1; hit; n++) {
        struct survey_events e = {.document = note_row, .notice = no_notice, .ctx = &known};
        struct error err = ERROR_INIT;
        struct survey s;
        int rc;

        assert_true(n < CALLS);
        known = false;
        sql_fail_at(n, SQLITE_IOERR_READ);
        rc = survey_open(&s, path, &env, &err);
        if (rc == 0)
            rc = survey_run(&s, "", &e, &err);
        hit = sql_was_hit();
        survey_close(&s);
        if (rc == 0 && !known)
            fail_msg("call %u failed: the document seems new", n);
        assert_true(rc == 0 || (hit && *err.text));
    }
    assert_true(known);
}

/* Who has nothing to do with documents does not record either. */
static void nothing_is_recorded_that_may_rest_on_it(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    char *value = NULL;

    sql_fail_at(1, SQLITE_IOERR_READ);
    assert_int_equal(state_find(w->f->state, "key", &value, &err), -1);
    sql.at = 0;
    flow_remember(w->f, "key", "value");
    while (filer_busy(w->f->filer))
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(state_find(w->f->state, "key", &value, &err), 0);
    flow_go_on(w->f);
    flow_remember(w->f, "key", "value");
    while (filer_busy(w->f->filer))
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(state_find(w->f->state, "key", &value, &err), 1);
    free(value);
}

/* ---- folders that cannot be read ------------------------------------------------------------- */

/* What a look at a folder needs. */
static const char *const lists[] = {"fdopendir", "readdir", "openat"};
#define LISTS (sizeof lists / sizeof *lists)

/* The nth of these calls fails. */
static void list_fails(const char *call, unsigned n)
{
    assert_true(n < CALLS);
    sys.only = call;
    fail_at(FAIL, n);
}

static bool there(const char *in_cabinet)
{
    AUTO_FREE char *full = xjoin(path, in_cabinet);

    return access(full, F_OK) == 0;
}

static void a_folder_in_which_somebody_writes_stays(void **state)
{
    struct world *w = *state;
    AUTO_CLOSE int open = -1;

    assert_int_equal(beneath_mkdirs(w->f->cab.root, CASE "/Inbox/papers/old"), 0);
    write_file("Inbox/papers/a.dat", "\001");
    open = openat(w->f->cab.root, CASE "/Inbox/papers/old/b.dat", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(open >= 0);
    assert_int_equal(io_write_all(open, "\002", 1), 0);
    for (size_t i = 0; i < LISTS; i++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            list_fails(lists[i], n);
            sweep(w);
            hit = was_hit();
            if (!there(CASE "/Inbox/papers"))
                fail_msg("%s %u failed: the folder is moved", lists[i], n);
        }
    }
    close(open);
    open = -1;
    sweep(w);
    assert_false(there(CASE "/Inbox/papers"));
}

static void no_folder_is_made_beside_one_in_other_capitals(void **state)
{
    struct world *w = *state;
    int root = w->f->cab.root;

    assert_int_equal(beneath_mkdirs(root, CASE "/PLEADINGS"), 0);
    for (size_t i = 0; i < LISTS; i++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            AUTO_FREE char *folder = NULL;

            list_fails(lists[i], n);
            folder = folder_in_case(root, CASE, "Pleadings");
            hit = was_hit();
            if (folder && strcmp(folder, CASE "/PLEADINGS") != 0)
                fail_msg("%s %u failed: another folder would be made", lists[i], n);
            assert_true(folder || hit);
        }
    }
}

static void a_document_is_filed_into_the_folder_in_other_capitals(void **state)
{
    struct world *w = *state;
    unsigned filed = 0;
    bool hit = true;

    w->f->cab.config.mode = MODE_ENFORCE;
    assert_int_equal(beneath_mkdirs(w->f->cab.root, CASE "/COURT PAPERS"), 0);
    assert_int_equal(beneath_mkdirs(w->f->cab.root, CASE "/Inbox"), 0);
    for (unsigned n = 1; hit; n++) {
        AUTO_FREE char *text = xasprintf("%%PDF-1.4\n%u\n%%%%EOF\n", n);

        write_file("Inbox/order 2026-03-02.pdf", text);
        list_fails("readdir", n);
        sweep(w);
        hit = was_hit();
        sweep(w);
        filed++;
        if (there(CASE "/Court Papers") || lines(w, "filed") != filed)
            fail_msg("readdir %u failed: %u filed instead of %u%s", n, lines(w, "filed"), filed,
                     there(CASE "/Court Papers") ? ", into another folder" : "");
    }
    assert_true(filed > 1);
}

/* As programs do that write a new file in the place of the old one. */
static void a_document_that_is_being_saved_is_not_removed(void **state)
{
    struct world *w = *state;

    write_file("a.dat", "\001\002\003");
    sweep(w);
    assert_int_equal(rows(w), 1);
    for (size_t i = 0; i < 2; i++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            rename_in_case("a.dat", "a.tmp");
            list_fails(lists[i], n);
            sweep(w);
            wait_for_all(w);
            hit = was_hit();
            if (lines(w, "removed") != 0)
                fail_msg("%s %u failed: the document is removed", lists[i], n);
            rename_in_case("a.tmp", "a.dat");
            sweep(w);
            assert_int_equal(rows(w), 1);
        }
    }
}

static void note_which_case(void *ctx, const struct survey_notice *n)
{
    *(bool *)ctx |= n->reason == REASON_WHICH_CASE;
}

static void a_survey_takes_no_folder_for_empty(void **state)
{
    struct world *w = *state;

    assert_int_equal(beneath_mkdirs(w->f->cab.root, "Inbox/papers/old"), 0);
    for (size_t i = 0; i < LISTS; i++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            bool told = false;
            struct survey_events e = {.notice = note_which_case, .ctx = &told};
            struct error err = ERROR_INIT;
            struct survey s;
            int rc;

            list_fails(lists[i], n);
            rc = survey_open(&s, path, &env, &err);
            if (rc == 0)
                rc = survey_run(&s, "", &e, &err);
            hit = was_hit();
            survey_close(&s);
            if (rc == 0 && !told)
                fail_msg("%s %u failed: nothing is said of the folder", lists[i], n);
            assert_true(rc == 0 || hit);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_does_not_become_its_own_twin, setup, teardown),
        cmocka_unit_test_setup_teardown(a_renamed_document_is_neither_gone_nor_new, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_removed_document_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_takes_nothing_for_new, setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_knows_since_when_it_is_here, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_case_stays_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_renamed_case_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(who_only_asks_does_not_stop_filing_for_good, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_survey_takes_nothing_for_new, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_recorded_that_may_rest_on_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_in_which_somebody_writes_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(no_folder_is_made_beside_one_in_other_capitals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_document_is_filed_into_the_folder_in_other_capitals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_document_that_is_being_saved_is_not_removed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_survey_takes_no_folder_for_empty, setup, teardown),
    };

    if (argc > 2 && strcmp(argv[1], "--reader") == 0)
        return reader_main(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
