/* The filer where it seldom comes: no thread to be had, nothing to be synced, cases that go or are
 * not known. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */

#include "filer_world.h"

#include <pthread.h>
#include <sqlite3.h>

#include "failing_calls.h"
#include "file/datasync.h"
#include "file/suspects.h"

static unsigned threads, no_thread; /* started so far; the one that cannot be started, 0 for none */

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (++threads == no_thread)
        return EAGAIN;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(t, attr, fn, arg);
}

static bool no_handle; /* the loop has none left */

int uv_async_init(uv_loop_t *loop, uv_async_t *h, uv_async_cb fn)
{
    int (*real)(uv_loop_t *, uv_async_t *, uv_async_cb);

    if (no_handle)
        return UV_EMFILE;
    *(void **)&real = dlsym(RTLD_NEXT, "uv_async_init");
    return real(loop, h, fn);
}

static int ready(void **state)
{
    *state = world_ready();
    finish(*state);
    write_file(*state, FROM, CONTENT);
    return 0;
}

static int done(void **state)
{
    world_free(*state);
    return 0;
}

/* ---- starting
 * ------------------------------------------------------------------------------------ */

static void without_a_thread_there_is_no_filer(void **state)
{
    struct world *w = *state;
    unsigned n = 0;

    world_stop(w);
    do {
        struct error err = ERROR_INIT;

        threads = 0;
        no_thread = ++n;
        w->f = filer_new(&w->loop, &w->o, &err);
        no_thread = 0;
        assert_true(w->f || err.number == EAGAIN);
        uv_run(&w->loop, UV_RUN_DEFAULT);
    } while (!w->f);
    assert_true(n > 2); /* each of its threads was wanting once */
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
}

static void without_a_handle_of_the_loop_there_is_no_filer(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;

    world_stop(w);
    no_handle = true;
    assert_null(filer_new(&w->loop, &w->o, &err));
    no_handle = false;
    assert_int_equal(err.number, EMFILE);
    world_start(w);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
}

static void a_newer_private_state_is_left_alone(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    AUTO_FREE char *path = xasprintf("%s/state.db", w->state_dir);
    sqlite3 *db;

    world_stop(w);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_null(filer_new(&w->loop, &w->o, &err));
    assert_int_equal(err.number, EROFS);
    assert_non_null(strstr(err.text, "newer organizer"));
}

static void a_cabinet_that_is_closed_is_told(void **state)
{
    struct world *w = *state;
    struct filer_options o = w->o;
    struct error err = ERROR_INIT;
    struct recovery r;

    world_stop(w);
    o.root = 1000; /* nothing is open there */
    assert_int_equal(filer_recover(&o, &r, &err), -1);
    assert_non_null(strstr(err.text, "cabinet"));
    act_free(NULL);
    filer_free(NULL, false);
}

/* ---- what is told
 * -------------------------------------------------------------------------------- */

static void count(void *ctx, const struct act *a)
{
    assert_int_equal(a->status, ACT_DONE);
    ++*(unsigned *)ctx;
}

static void who_asked_is_told_of_each_act_and_of_its_journal(void **state)
{
    struct world *w = *state;
    unsigned recorded = 0, written = 0;

    world_stop(w);
    w->o.recorded = count;
    w->o.recorded_ctx = &recorded;
    w->o.written = count_written;
    w->o.written_ctx = &written;
    world_start(w);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    finish(w);
    assert_int_equal(recorded, 1);
    assert_true(written >= 1);
}

static void what_is_not_published_yet_is_remembered(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct state *s;

    world_stop(w);
    s = state_open(w->state_dir, false, &err);
    assert_true(filer_unpublished(s));
    assert_int_equal(filer_published(s, &err), 0);
    assert_false(filer_unpublished(s));
    assert_int_equal(filer_published(s, &err), 0);
    state_close(s);
    world_start(w);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    world_stop(w);
    s = open_state(w);
    assert_true(filer_unpublished(s));
    state_close(s);
}

static struct world *ending;
static struct outcome late;

static void one_more(void *ctx, struct act *a)
{
    struct act *other = act_new(ACT_RECORD);

    take_outcome(ctx, a);
    /* Its threads have ended. */
    filer_prepare(ending->f, ending->root);
    filer_resume(ending->f);
    submit(ending, other, &late);
}

static void what_comes_while_it_ends_is_not_begun(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r = {0};

    ending = w;
    a->done = one_more;
    a->ctx = &r;
    filer_submit(w->f, a);
    world_stop(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_true(late.done);
    assert_int_equal(late.status, ACT_STOPPED);
    assert_non_null(strstr(late.error, "ending"));
}

static void nobody_has_it_open(void *ctx, struct act *a)
{
    const struct world *w = ending;
    AUTO_CLOSE int fd = beneath_open(w->root, a->to, O_RDONLY, 0);

    assert_int_equal(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
    assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    take_outcome(ctx, a);
}

/* Who is told may hand it over again at once. */
static void who_is_told_finds_it_closed(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r = {0};

    ending = w;
    a->done = nobody_has_it_open;
    a->ctx = &r;
    filer_submit(w->f, a);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
}

/* ---- syncs
 * --------------------------------------------------------------------------------------- */

static void a_document_announced_is_on_the_disk_before(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r;

    filer_prepare(w->f, -1); /* not open any more: nothing to be done */
    filer_prepare(w->f, a->fd);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_row(w, MEMBER);
}

static void one_announced_that_cannot_be_synced_is_not_filed(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r;

    sys.with = EIO;
    fail_at(FAIL, 2); /* the first takes its stamp */
    filer_prepare(w->f, a->fd);
    for (int i = 0; i < 100000 && sys.n < 2; i++)
        usleep(100);
    assert_true(was_hit());
    assert_string_equal(sys.hit, "sync_file_range");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_STOPPED);
    assert_text(w, FROM, CONTENT);
    filer_resume(w->f);
    filer_resume(w->f);
    finish(w);
    assert_null(filer_stopped(w->f));
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
}

static void more_announced_than_there_is_room_for_are_synced_later(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r;

    for (int i = 0; i < 1000; i++)
        filer_prepare(w->f, a->fd);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    world_stop(w);
    assert_row(w, MEMBER);
}

static void sync_now(struct datasync *d, int fd)
{
    struct error err = ERROR_INIT;

    datasync_start(d, &fd, 1, datasync_ask(d, false));
    assert_int_equal(datasync_wait(d, &err), 0);
}

static void one_that_changed_since_it_was_announced_is_synced_again(void **state)
{
    static const struct timespec then[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    const struct world *w = *state;
    struct suspects *suspects = suspects_new();
    struct datasync *d = datasync_new(w->root, suspects);
    AUTO_CLOSE int fd = beneath_open(w->root, FROM, O_RDWR, 0);
    unsigned before = sys.syncs;

    assert_non_null(d);
    datasync_early(d, fd);
    sync_now(d, fd);
    assert_int_equal(sys.syncs - before, 1); /* that which it was announced for */
    sync_now(d, fd);
    assert_int_equal(sys.syncs - before, 1);
    assert_int_equal(futimens(fd, then), 0); /* as when other bytes were written over these */
    sync_now(d, fd);
    assert_int_equal(sys.syncs - before, 2);
    datasync_free(d);
    suspects_free(suspects);
}

static void where_nothing_need_last_nothing_is_synced(void **state)
{
    struct world *w = *state;
    struct outcome r[40];

    world_stop(w);
    remove_tree(w->state_dir);
    w->o.durable = false;
    world_start(w);
    sys.syncs = 0;
    filer_expect(w->f, true);
    for (unsigned i = 0; i < 40; i++) {
        AUTO_FREE char *from = xasprintf(INBOX "/%u.pdf", i);
        AUTO_FREE char *folder = xasprintf(CASE "/%u", i);
        struct act *a;

        write_file(w, from, CONTENT);
        a = filing_act(w, from, folder, NAME);
        filer_prepare(w->f, a->fd);
        submit(w, a, &r[i]);
    }
    filer_expect(w->f, false);
    run(w);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(r[i].status, ACT_DONE);
    world_stop(w);
    assert_int_equal(sys.syncs, 0);
    w->o.durable = true;
    world_start(w);
    write_file(w, FROM, CONTENT);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    assert_true(sys.syncs > 0);
}

/* ---- what cannot be
 * -------------------------------------------------------------------------------- */

static struct act *moving_act(const struct world *w, const char *from, const char *folder,
                              const char *name)
{
    struct act *a = act_new(ACT_FOLDER);
    const char *last;
    AUTO_CLOSE int dir = beneath_parent(w->root, from, &last);

    assert_int_equal(doc_stamp_take(-1, dir, last, &a->stamp), 0);
    a->from = xstrdup(from);
    a->to_folder = xstrdup(folder);
    a->to_name = xstrdup(name);
    a->exact = true;
    a->case_path = xstrdup(from);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    journal_body(&a->journal, env_now(&w->env), "retired");
    return a;
}

static void a_case_that_no_row_knows_is_not_moved(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    assert_int_equal(beneath_mkdirs(w->root, "Jones_Will"), 0);
    a = moving_act(w, "Jones_Will", "Closed/2026", "Jones_Will");
    snprintf(a->doc.case_id, sizeof a->doc.case_id, "ffffffffffffffffffffffffffffffff");
    submit(w, a, &r);
    run(w);
    assert_int_not_equal(r.status, ACT_DONE);
    assert_non_null(strstr(r.error, "not known"));
    assert_true(exists(w, "Jones_Will"));
    assert_false(exists(w, "Closed/2026/Jones_Will"));
}

static void a_case_moves_to_the_top_of_the_cabinet(void **state)
{
    struct world *w = *state;
    struct outcome r;

    submit(w, moving_act(w, CASE, "Closed", CASE), &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    submit(w, moving_act(w, "Closed/" CASE, "", CASE), &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, CASE);
    assert_text(w, FROM, CONTENT);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    world_stop(w);
    assert_int_equal(lines(w, "retired", NULL), 2);
    assert_journal(w);
}

static void of_two_that_want_one_exact_name_one_gets_it(void **state)
{
    struct world *w = *state;
    struct act *a, *b;
    struct outcome r, s;

    write_file(w, INBOX "/b.pdf", "another");
    a = filing_act(w, FROM, LETTERS, NAME);
    b = filing_act(w, INBOX "/b.pdf", LETTERS, NAME);
    a->exact = b->exact = true;
    submit(w, a, &r);
    submit(w, b, &s);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(s.status, ACT_REFUSED);
    assert_text(w, TO, CONTENT);
    assert_text(w, INBOX "/b.pdf", "another");
}

static void one_that_is_not_open_and_gone_is_gone(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r;

    close(a->fd);
    a->fd = -1;
    assert_int_equal(unlinkat(w->root, FROM, 0), 0);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_GONE);
}

static void one_whose_folder_became_a_file_is_gone(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r;

    close(a->fd);
    a->fd = -1;
    assert_int_equal(renameat(w->root, INBOX, w->root, CASE "/Old"), 0);
    write_file(w, INBOX, "not a folder");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_GONE);
    assert_text(w, CASE "/Old/order 3-2-26.pdf", CONTENT);
}

/* A link that a person made under the very name: both stay, and the document gets the next. */
static void a_link_to_itself_keeps_its_name(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    assert_int_equal(linkat(w->root, FROM, w->root, TO, 0), 0);
    a = filing_act(w, FROM, LETTERS, NAME);
    a->exact = true;
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_REFUSED);
    assert_text(w, FROM, CONTENT);
    r = file_one(w, FROM, LETTERS, NAME);
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, LETTERS "/Smith_Divorce_Order_2026-03-02_02.pdf");
    assert_text(w, TO, CONTENT);
    assert_false(exists(w, FROM));
}

/* Under its own name in other letters: a rename would leave both, and no one could tell which is
 * which. */
static void a_link_to_itself_in_other_letters_is_refused(void **state)
{
    struct world *w = *state;
    struct outcome r;

    assert_int_equal(linkat(w->root, FROM, w->root, INBOX "/ORDER 3-2-26.pdf", 0), 0);
    r = file_one(w, FROM, INBOX, "ORDER 3-2-26.pdf");
    assert_int_equal(r.status, ACT_REFUSED);
    assert_non_null(strstr(r.error, "for the same"));
    assert_text(w, FROM, CONTENT);
    assert_text(w, INBOX "/ORDER 3-2-26.pdf", CONTENT);
}

/* Forty are there already. Whichever of them cannot be seen, no number is guessed. */
static void where_names_cannot_be_seen_none_is_chosen(void **state)
{
    struct world *w = *state;
    unsigned refused = 0;
    bool hit = true;

    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    write_file(w, TO, "another's");
    for (unsigned i = 2; i <= 40; i++) {
        AUTO_FREE char *path = xasprintf(LETTERS "/Smith_Divorce_Order_2026-03-02_%02u.pdf", i);

        write_file(w, path, "another's");
    }
    sys.only = "statx";
    sys.with = EACCES;
    for (unsigned n = 1; hit; n++) {
        struct act *a = filing_act(w, FROM, LETTERS, NAME);
        struct outcome r;

        fail_at(FAIL, n);
        submit(w, a, &r);
        run(w);
        hit = was_hit();
        finish(w);
        if (r.status == ACT_REFUSED) {
            assert_true(hit);
            refused++;
        } else { /* that call did not matter; or it was renamed and could not be seen there */
            assert_true(r.status == ACT_DONE || (hit && r.status == ACT_STOPPED));
            filer_resume(w->f);
            finish(w);
            assert_int_equal(
                renameat(w->root, LETTERS "/Smith_Divorce_Order_2026-03-02_41.pdf", w->root, FROM),
                0);
        }
        assert_text(w, FROM, CONTENT);
    }
    sys.only = NULL;
    assert_true(refused > 35);
}

/* A person took the folder away that the table knows, and made one in other letters. */
static void a_row_in_a_folder_that_is_gone_keeps_no_name(void **state)
{
    struct world *w = *state;
    struct outcome r = file_one(w, FROM, CASE "/Exhibits", NAME);

    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(unlinkat(w->root, r.to, 0), 0);
    assert_int_equal(unlinkat(w->root, CASE "/Exhibits", AT_REMOVEDIR), 0);
    write_file(w, FROM, "another");
    r = file_one(w, FROM, CASE "/EXHIBITS", NAME);
    assert_string_equal(r.to, CASE "/EXHIBITS/" NAME);
    assert_text(w, CASE "/EXHIBITS/" NAME, "another");
}

/* What goes along is renamed only as far as it is named after the document. */
static void a_companion_of_another_name_keeps_it(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, LETTERS, NAME);
    struct outcome r;

    write_file(w, INBOX "/order 3-2-26_files", "pictures");
    a->companions = xcalloc(2, sizeof *a->companions);
    a->companions[0] = xstrdup("order 3-2-26_files");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_text(w, LETTERS "/order 3-2-26_files", "pictures");
    assert_false(exists(w, INBOX "/order 3-2-26_files"));
}

/* Puts what lies under TO into the Inbox again, and files it, known by that number. */
static void file_again(struct world *w, int64_t number)
{
    struct act *a;
    struct outcome r;

    assert_int_equal(renameat(w->root, TO, w->root, FROM), 0);
    a = filing_act(w, FROM, LETTERS, NAME);
    a->doc.number = number;
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, TO);
}

/* The row still says that a document lies there: itself, under its number or not; or one that is
 * gone. */
static void a_row_alone_keeps_no_name(void **state)
{
    struct world *w = *state;
    struct outcome r = file_one(w, FROM, LETTERS, NAME);

    assert_string_equal(r.to, TO);
    file_again(w, r.number);
    file_again(w, 0);
    assert_int_equal(unlinkat(w->root, TO, 0), 0);
    write_file(w, FROM, "another");
    later = 3; /* nobody saves it any more */
    r = file_one(w, FROM, LETTERS, NAME);
    later = 0;
    assert_string_equal(r.to, TO);
    assert_text(w, TO, "another");
    /* In other letters it is kept while the document is there. */
    write_file(w, FROM, "a third");
    r = file_one(w, FROM, LETTERS, "SMITH_divorce_order_2026-03-02.pdf");
    assert_string_equal(r.to, LETTERS "/SMITH_divorce_order_2026-03-02_02.pdf");
}

/* ---- a case that is being deleted
 * -------------------------------------------------------------------- */

static void record(struct world *w, const char *path)
{
    struct act *a = act_new(ACT_RECORD);
    struct outcome r;

    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    a->doc.path = xstrdup(path);
    a->case_path = xstrdup(CASE);
    journal_body(&a->journal, env_now(&w->env), "indexed");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    finish(w);
}

static void remove_journal(const struct world *w)
{
    assert_int_equal(unlinkat(w->root, CASE "/.organizer/journal.jsonl", 0), 0);
    assert_int_equal(unlinkat(w->root, CASE "/.organizer", AT_REMOVEDIR), 0);
}

/* Its folder stays as empty as whoever deletes it made it: the line waits. */
static void a_journal_does_not_come_back_into_a_case_that_goes(void **state)
{
    struct world *w = *state;
    const char *why;

    write_file(w, CASE "/Case.txt", "Client: Smith\n");
    remove_journal(w);
    record(w, "a.pdf"); /* in work: it changed just now */
    assert_int_equal(filer_lines_waiting(w->f, &why), 1);
    assert_non_null(strstr(why, "being removed"));
    assert_false(exists(w, CASE "/.organizer"));
    assert_int_equal(unlinkat(w->root, CASE "/Case.txt", 0), 0);
    record(w, "b.pdf"); /* without its card: it goes */
    assert_int_equal(filer_lines_waiting(w->f, &why), 2);
    assert_false(exists(w, CASE "/.organizer"));
    /* Put back, as it was but for its journal: that is no deletion. */
    write_file(w, CASE "/Case.txt", "Client: Smith\n");
    assert_int_equal(beneath_mkdirs(w->root, CASE "/.organizer"), 0);
    record(w, "c.pdf");
    assert_int_equal(filer_lines_waiting(w->f, NULL), 0);
    world_stop(w);
    assert_int_equal(lines(w, "indexed", NULL), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_thread_there_is_no_filer),
        TEST(without_a_handle_of_the_loop_there_is_no_filer),
        TEST(a_newer_private_state_is_left_alone),
        TEST(a_cabinet_that_is_closed_is_told),
        TEST(who_asked_is_told_of_each_act_and_of_its_journal),
        TEST(what_is_not_published_yet_is_remembered),
        TEST(what_comes_while_it_ends_is_not_begun),
        TEST(who_is_told_finds_it_closed),
        TEST(a_document_announced_is_on_the_disk_before),
        TEST(one_announced_that_cannot_be_synced_is_not_filed),
        TEST(one_that_changed_since_it_was_announced_is_synced_again),
        TEST(more_announced_than_there_is_room_for_are_synced_later),
        TEST(where_nothing_need_last_nothing_is_synced),
        TEST(a_case_that_no_row_knows_is_not_moved),
        TEST(a_case_moves_to_the_top_of_the_cabinet),
        TEST(of_two_that_want_one_exact_name_one_gets_it),
        TEST(one_that_is_not_open_and_gone_is_gone),
        TEST(one_whose_folder_became_a_file_is_gone),
        TEST(a_link_to_itself_keeps_its_name),
        TEST(a_link_to_itself_in_other_letters_is_refused),
        TEST(where_names_cannot_be_seen_none_is_chosen),
        TEST(a_row_in_a_folder_that_is_gone_keeps_no_name),
        TEST(a_companion_of_another_name_keeps_it),
        TEST(a_row_alone_keeps_no_name),
        TEST(a_journal_does_not_come_back_into_a_case_that_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
