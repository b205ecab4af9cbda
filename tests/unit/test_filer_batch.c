/* Acts that share a batch: who gets a name, who waits for whom, and who is left alone when one
 * fails. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */

#include "filer_world.h"

#include <pthread.h>

#include "decide/name.h"
#include "failing_calls.h"
#include "file/parents.h"
#include "held_batch.h"

static bool lets_go_at_join; /* the next thread that is joined is held, and let go */

int pthread_join(pthread_t t, void **value)
{
    int (*real)(pthread_t, void **);

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_join");
    if (lets_go_at_join)
        sem_post(&held.go);
    lets_go_at_join = false;
    return real(t, value);
}

static int ready(void **state)
{
    struct world *w = held_world();

    *state = w;
    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    write_file(w, INBOX "/1.pdf", "1");
    write_file(w, INBOX "/2.pdf", "2");
    write_file(w, INBOX "/3.pdf", "3");
    sys.not_of = "state.db";
    return 0;
}

static int done(void **state)
{
    sys.at = 0;
    sys.only = NULL;
    held_world_free(*state);
    return 0;
}

static struct act *exact_act(const struct world *w, const char *from, const char *folder,
                             const char *name)
{
    struct act *a = filing_act(w, from, folder, name);

    a->exact = true;
    return a;
}

/* ---- folders that are kept open ---------------------------------------------------------------- */

static void move_letters(struct world *w, const struct act *a)
{
    (void)a;
    assert_int_equal(renameat(w->root, LETTERS, w->root, CASE "/Old"), 0);
}

/* It takes along what comes to it meanwhile, but not for long. */
static void a_folder_that_is_moved_is_found_missing_after_a_few(void **state)
{
    struct world *w = *state;
    struct outcome r[PARENTS_ACTS + 1];
    char from[64], name[64];

    for (int i = 0; i <= PARENTS_ACTS; i++) {
        snprintf(from, sizeof from, INBOX "/%d.pdf", i);
        write_file(w, from, from);
    }
    hold(w);
    for (int i = 0; i <= PARENTS_ACTS; i++) {
        snprintf(from, sizeof from, INBOX "/%d.pdf", i);
        snprintf(name, sizeof name, "Letter %d.pdf", i);
        submit(w, filing_act(w, from, LETTERS, name), &r[i]);
    }
    at(FILER_RENAMED, move_letters);
    let_go(w);
    for (int i = 0; i < PARENTS_ACTS; i++)
        assert_int_equal(r[i].status, ACT_DONE);
    assert_int_equal(r[PARENTS_ACTS].status, ACT_BUSY);
    assert_string_equal(r[PARENTS_ACTS].error, "the folder it goes to is not there any more");
    assert_text(w, CASE "/Old/Letter 0.pdf", INBOX "/0.pdf");
    snprintf(name, sizeof name, CASE "/Old/Letter %d.pdf", PARENTS_ACTS - 1);
    assert_true(exists(w, name));
    snprintf(from, sizeof from, INBOX "/%d.pdf", PARENTS_ACTS);
    assert_text(w, from, from);
}

/* ---- names
 * ---------------------------------------------------------------------------------------- */

static void of_two_that_want_one_exact_name_the_first_gets_it(void **state)
{
    struct world *w = *state;
    struct outcome r, s;

    hold(w);
    submit(w, exact_act(w, INBOX "/1.pdf", LETTERS, NAME), &r);
    submit(w, exact_act(w, INBOX "/2.pdf", LETTERS, NAME), &s);
    let_go(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(s.status, ACT_REFUSED);
    assert_string_equal(s.error, "there is another document of that name already");
    assert_text(w, TO, "1");
    assert_text(w, INBOX "/2.pdf", "2");
}

/* On Windows and macOS both would be one name: it is free once the other has left. */
static void a_name_that_another_leaves_is_free_in_other_letters(void **state)
{
    struct world *w = *state;
    struct outcome r, s;

    assert_int_equal(file_one(w, INBOX "/1.pdf", LETTERS, "order.pdf").status, ACT_DONE);
    hold(w);
    submit(w, exact_act(w, LETTERS "/order.pdf", CASE "/Motions", "motion.pdf"), &r);
    submit(w, filing_act(w, INBOX "/2.pdf", LETTERS, "ORDER.pdf"), &s);
    let_go(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(s.status, ACT_DONE);
    assert_string_equal(s.to, LETTERS "/ORDER.pdf");
    assert_text(w, CASE "/Motions/motion.pdf", "1");
    assert_text(w, LETTERS "/ORDER.pdf", "2");
}

/* The second act finds the document where the first brings it, not before. */
static void a_second_step_of_a_document_waits_for_the_first(void **state)
{
    struct world *w = *state;
    struct act *second;
    struct outcome r, s;

    hold(w);
    second = exact_act(w, INBOX "/1.pdf", CASE "/Motions", "motion.pdf");
    free(second->from);
    second->from = xstrdup(TO);
    close(second->fd);
    second->fd = -1;
    submit(w, exact_act(w, INBOX "/1.pdf", LETTERS, NAME), &r);
    submit(w, second, &s);
    let_go(w);
    assert_int_equal(r.status, ACT_DONE);
    if (s.status != ACT_DONE)
        fail_msg("%s", s.error);
    assert_text(w, CASE "/Motions/motion.pdf", "1");
    assert_false(exists(w, TO));
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 2);
    assert_journal(w);
}

static void take_every_name(struct world *w, const struct act *a)
{
    static unsigned n;
    AUTO_FREE char *name = name_serial(NAME, ++n);
    AUTO_FREE char *path = xasprintf(LETTERS "/%s", name);

    (void)a;
    write_file(w, path, "another's");
    at(FILER_INTENDED, take_every_name);
}

static void one_whose_name_is_always_taken_holds_up_no_other(void **state)
{
    struct world *w = *state;
    struct act *record = filing_act(w, INBOX "/3.pdf", "", "");
    struct outcome r, s, t;

    record->kind = ACT_RECORD;
    record->doc.path = xstrdup("Inbox/3.pdf");
    record->doc.stamp = record->stamp;
    hold(w);
    submit(w, filing_act(w, INBOX "/1.pdf", LETTERS, NAME), &r);
    submit(w, filing_act(w, INBOX "/2.pdf", LETTERS, "L.pdf"), &s);
    submit(w, record, &t);
    at(FILER_INTENDED, take_every_name);
    let_go(w);
    assert_int_equal(r.status, ACT_BUSY);
    assert_non_null(strstr(r.error, "again and again"));
    assert_text(w, INBOX "/1.pdf", "1");
    assert_text(w, TO, "another's");
    assert_int_equal(s.status, ACT_DONE);
    assert_text(w, LETTERS "/L.pdf", "2");
    assert_int_equal(t.status, ACT_DONE);
    assert_row(w, "Correspondence/L.pdf");
    assert_row(w, "Inbox/3.pdf");
}

/* ---- the disk fails
 * -------------------------------------------------------------------------------- */

static const struct {
    const char *call;
    unsigned n; /* so many-th */
    int with;
} disk_fails[] = {
    {"openat2", 1, EIO},         /* the first document is opened */
    {"mkdirat", 1, ENOSPC},      /* the second's folder is made */
    {"sync_file_range", 1, EIO}, /* they are written out: all are begun, then each is waited for */
    {"sync_file_range", 2, EIO},
    {"sync_file_range", 3, ENOSPC},
    {"sync_file_range", 4, ENOSPC},
    {"sync_file_range", 5, EIO},
    {"sync_file_range", 6, EIO},
    {"fdatasync", 1, EIO}, /* the log of intents */
    {"renameat2", 1, ENOSPC},
    {"renameat2", 2, EROFS},
    {"renameat2", 3, EIO},
};

/* All stay where they were, or go back there, and are filed once the disk is well. */
static void of_a_batch_that_stops_none_is_filed(void **state)
{
    static const char *const folders[3] = {LETTERS, CASE "/Motions", LETTERS};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof disk_fails / sizeof *disk_fails; i++) {
        struct outcome r[3];
        AUTO_FREE char *fresh = xasprintf(CASE "/Motions/%zu", i);

        hold(w);
        for (unsigned k = 0; k < 3; k++) {
            AUTO_FREE char *from = xasprintf(INBOX "/%u.pdf", k + 1);
            struct act *a;

            write_file(w, from, from);
            a = filing_act(w, from, k == 1 ? fresh : folders[k], NAME);
            if (k == 0)
                cleanup_close(&a->fd);
            a->fd = k == 0 ? -1 : a->fd;
            submit(w, a, &r[k]);
        }
        sys.only = disk_fails[i].call;
        sys.with = disk_fails[i].with;
        fail_at(FAIL, disk_fails[i].n);
        let_go(w);
        if (!was_hit())
            fail_msg("no %s number %u", disk_fails[i].call, disk_fails[i].n);
        assert_non_null(filer_stopped(w->f));
        filer_resume(w->f);
        finish(w);
        assert_null(filer_stopped(w->f));
        for (unsigned k = 0; k < 3; k++) {
            AUTO_FREE char *from = xasprintf(INBOX "/%u.pdf", k + 1);

            if (r[k].status != ACT_STOPPED)
                fail_msg("%s number %u: act %u has status %d", sys.hit, disk_fails[i].n, k,
                         r[k].status);
            assert_true(*r[k].error != '\0');
            assert_text(w, from, from);
            r[k] = file_one(w, from, folders[k], NAME);
            assert_int_equal(r[k].status, ACT_DONE);
            assert_text(w, r[k].to, from);
        }
    }
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 3 * sizeof disk_fails / sizeof *disk_fails);
    assert_journal(w);
}

static int count_call(void *ctx, struct state *s, struct error *err)
{
    (void)s, (void)err;
    ++*(unsigned *)ctx;
    return 0;
}

/* What changes the private state by itself is not begun behind journals that did not get onto the
 * disk. */
static void behind_journals_that_failed_no_call_is_made(void **state)
{
    struct world *w = *state;
    struct act *call = act_new(ACT_CALL);
    struct outcome r, s;
    unsigned made = 0;

    hold(w);
    submit(w, filing_act(w, INBOX "/1.pdf", LETTERS, NAME), &r);
    call->call = count_call;
    call->ctx = &made;
    filer_submit(w->f, call);
    submit(w, filing_act(w, INBOX "/2.pdf", LETTERS, NAME), &s);
    sys.only = "fdatasync";
    sys.with = EIO;
    fail_at(FAIL, 2); /* the first is that of the intents */
    let_go(w);
    assert_true(was_hit());
    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(made, 0);
    assert_int_equal(s.status, ACT_STOPPED);
    assert_text(w, INBOX "/2.pdf", "2");
    filer_resume(w->f);
    finish(w);
    assert_null(filer_stopped(w->f));
    assert_int_equal(file_one(w, INBOX "/2.pdf", LETTERS, NAME).status, ACT_DONE);
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 2);
    assert_journal(w);
}

/* ---- the end
 * ---------------------------------------------------------------------------------------- */

static void who_leaves_at_once_does_not_begin_what_is_queued(void **state)
{
    struct world *w = *state;
    struct outcome r[3];

    hold(w);
    for (unsigned k = 0; k < 3; k++) {
        AUTO_FREE char *from = xasprintf(INBOX "/%u.pdf", k + 1);

        submit(w, filing_act(w, from, LETTERS, NAME), &r[k]);
    }
    lets_go_at_join = true;
    filer_free(w->f, true);
    w->f = NULL;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    for (unsigned k = 0; k < 3; k++) {
        AUTO_FREE char *from = xasprintf(INBOX "/%u.pdf", k + 1);

        assert_int_equal(r[k].status, ACT_STOPPED);
        assert_non_null(strstr(r[k].error, "ending"));
        assert_true(exists(w, from));
    }
    assert_false(exists(w, TO));
    world_start(w);
    assert_int_equal(file_one(w, INBOX "/1.pdf", LETTERS, NAME).status, ACT_DONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_that_is_moved_is_found_missing_after_a_few),
        TEST(of_two_that_want_one_exact_name_the_first_gets_it),
        TEST(a_name_that_another_leaves_is_free_in_other_letters),
        TEST(a_second_step_of_a_document_waits_for_the_first),
        TEST(one_whose_name_is_always_taken_holds_up_no_other),
        TEST(of_a_batch_that_stops_none_is_filed),
        TEST(behind_journals_that_failed_no_call_is_made),
        TEST(who_leaves_at_once_does_not_begin_what_is_queued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
