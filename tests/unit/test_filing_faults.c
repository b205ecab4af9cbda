/*
 * One document is filed while the nth call fails, for every n: it is under its old or its new name,
 * never under both or none; after a restart it is filed, and its history tells of that once. The
 * same while recovery fails, or the private state; and what the log of intents must not lead to.
 */
#undef _FORTIFY_SOURCE /* its read() and pread() would stand beside those of failing_calls.h */

#include "filer_world.h"

#include <signal.h>
#include <sys/wait.h>

#include "failing_calls.h"
#include "failing_sql.h"
#include "decide/name.h"
#include "file/intents.h"
#include "record/known.h"

/* A sidecar that goes where its document goes. */
#define BESIDE     INBOX "/order 3-2-26.pdf.xmp"
#define BESIDE_NEW LETTERS "/" NAME ".xmp"

static void die(void *ctx, enum filer_point point, const struct act *a)
{
    (void)ctx, (void)a;
    if (point == FILER_SETTLED)
        raise(SIGKILL);
}

/* As who renames by a plan has it, where there are no leases, and who hears of each event. */
static bool by_plan;

static struct act *the_act(const struct world *w)
{
    struct act *a = filing_act(w, FROM, LETTERS, NAME);

    a->exact = by_plan;
    a->leases = a->unheard = !by_plan;

    a->companions = xcalloc(2, sizeof *a->companions);
    a->companions[0] = xstrdup("order 3-2-26.pdf.xmp");
    return a;
}

static void assert_once(const struct world *w, unsigned n, const char *when)
{
    bool is_old = exists(w, FROM), is_new = exists(w, TO);

    if (is_old == is_new)
        fail_msg("%s failed (call %u): %s it lies under %s", sys.hit, n, when,
                 is_old ? "both names" : "neither name");
    assert_text(w, is_old ? FROM : TO, CONTENT);
}

/* What the next start finds, without any fault. */
static void assert_made_good(struct world *w, unsigned n)
{
    struct error err = ERROR_INIT;
    struct recovery r;

    if (filer_recover(&w->o, &r, &err) < 0)
        fail_msg("%s failed (call %u): %s", sys.hit, n, error_text(&err));
    assert_once(w, n, "after the restart");
    world_start(w);
    if (exists(w, FROM))
        assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    assert_text(w, TO, CONTENT);
    assert_row(w, MEMBER);
    world_stop(w);
    assert_true(exists(w, BESIDE) != exists(w, BESIDE_NEW));
    assert_int_equal(lines(w, "filed", MEMBER), 1);
    assert_journal(w);
}

static struct world *world_with_letter(void)
{
    struct world *w = world_ready();

    write_file(w, FROM, CONTENT);
    write_file(w, BESIDE, "beside");
    sys.not_of = "state.db";
    sys.few = true;
    return w;
}

/* ORGANIZER_CALLS: where tests are slow only each so many-th call fails; 1 without it. */
static unsigned calls_apart(void)
{
    const char *s = getenv("ORGANIZER_CALLS");
    unsigned n = s ? (unsigned)strtoul(s, NULL, 10) : 1;

    if (n > 1)
        print_message("skipped: only one of %u calls fails\n", n);
    return n ? n : 1;
}

/*
 * errno values that mean different things: the disk is in doubt, or only this document. When calls
 * are passed over, `before` of them are before the first that fails: each run has others.
 */
static void filing_fails_with(int with, unsigned before)
{
    unsigned apart = calls_apart(), n = before % apart + 1;

    for (bool hit = true; hit; n += apart) {
        struct world *w = world_with_letter();
        struct act *a = the_act(w);
        struct outcome r;

        sys.with = with;
        fail_at(FAIL, n);
        submit(w, a, &r);
        run(w);
        hit = was_hit();
        assert_true(r.done);
        if (!hit)
            assert_int_equal(r.status, ACT_DONE);
        if (r.status != ACT_DONE)
            assert_true(*r.error != '\0');
        assert_once(w, n, "then");
        world_stop(w);
        assert_made_good(w, n);
        world_free(w);
    }
    assert_true(n > 20);
}

static void the_disk_fails(void **state)
{
    (void)state;
    filing_fails_with(EIO, 0);
}

static void it_may_not(void **state)
{
    (void)state;
    filing_fails_with(EACCES, 1);
}

/* Half of it was read or written, or a signal came: that is no failure. */
static void what_is_interrupted_goes_on(void **state)
{
    (void)state;
    for (enum deed deed = SHORT; deed <= AGAIN; deed++) {
        unsigned n = 0;
        bool hit = true;

        while (hit) {
            struct world *w = world_with_letter();
            struct outcome r;

            fail_at(deed, ++n);
            submit(w, the_act(w), &r);
            run(w);
            world_stop(w);
            hit = was_hit();
            if (r.status != ACT_DONE)
                fail_msg("%s (call %u): %s", sys.hit, n, r.error);
            assert_made_good(w, n);
            world_free(w);
        }
        assert_true(n > 3);
    }
}

static void a_plan_fails(void **state)
{
    (void)state;
    by_plan = true;
    filing_fails_with(EIO, 2);
    by_plan = false;
}

/* A batch was renamed, and the program ended before it was recorded. */
static void renamed_and_not_recorded(struct world *w)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct outcome r;

        w->o.between = die;
        world_start(w);
        submit(w, the_act(w), &r);
        run(w);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_true(exists(w, TO) && !exists(w, FROM));
}

/* A person removed the folder that it came from, before the next start. */
static void recovery_without_the_old_folder(void **state)
{
    struct world *w = world_with_letter();
    struct error err = ERROR_INIT;
    struct recovery r;

    (void)state;
    world_stop(w);
    renamed_and_not_recorded(w);
    assert_int_equal(unlinkat(w->root, INBOX, AT_REMOVEDIR), 0);
    assert_int_equal(filer_recover(&w->o, &r, &err), 0);
    assert_int_equal(r.finished, 1);
    assert_row(w, MEMBER);
    assert_int_equal(lines(w, "filed", MEMBER), 1);
    assert_journal(w);
    world_free(w);
}

/* What was renamed and not recorded is recovered while each look fails that comes behind the one at the cabinet. */
static int recover_unable_to_look(struct world *w, int with, struct recovery *r, struct error *err)
{
    int rc;

    world_stop(w);
    renamed_and_not_recorded(w);
    sys.with = with;
    sys.only = "statx";
    sys.ever = true;
    fail_at(FAIL, 2);
    rc = filer_recover(&w->o, r, err);
    assert_true(was_hit());
    sys.ever = false;
    sys.only = NULL;
    return rc;
}

/* Neither name may be looked at, or both lie under another disk: what was renamed counts as renamed, or it
 * would be filed once more when it was taken back. */
static void recovery_that_may_look_at_neither_name(void **state)
{
    static const int with[] = {EACCES, EXDEV};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct world *w = world_with_letter();
        struct error err = ERROR_INIT;
        struct recovery r;

        assert_int_equal(recover_unable_to_look(w, with[i], &r, &err), 0);
        assert_int_equal(r.finished, 1);
        assert_row(w, MEMBER);
        /* The new name of what lies beside it may not have been looked at, either. */
        assert_true(exists(w, TO) && exists(w, BESIDE) != exists(w, BESIDE_NEW));
        assert_int_equal(lines(w, "filed", MEMBER), 1);
        world_free(w);
    }
}

/* The disk says nothing for now: neither is taken for granted. */
static void recovery_that_cannot_look(void **state)
{
    static const int with[] = {EIO, ENOMEM, EMFILE};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct world *w = world_with_letter();
        struct error err = ERROR_INIT;
        struct recovery r;

        assert_int_equal(recover_unable_to_look(w, with[i], &r, &err), -1);
        assert_non_null(strstr(err.text, "cannot be seen whether"));
        assert_made_good(w, i);
        world_free(w);
    }
}

static void recovery_fails(void **state)
{
    unsigned n = 0;
    bool hit = true;

    (void)state;
    while (hit) {
        struct world *w = world_with_letter();
        struct error err = ERROR_INIT;
        struct recovery r;

        world_stop(w);
        renamed_and_not_recorded(w);
        sys.with = EIO;
        fail_at(FAIL, ++n);
        if (filer_recover(&w->o, &r, &err) < 0)
            assert_true(*err.text != '\0');
        hit = was_hit();
        assert_made_good(w, n);
        world_free(w);
    }
    assert_true(n > 5);
}

/* ---- the private state fails --------------------------------------------------------------------
 */

static void the_private_state_fails(void **state)
{
    static const int codes[] = {SQLITE_IOERR, SQLITE_FULL, SQLITE_BUSY};
    unsigned n = 0;
    bool hit = true;

    (void)state;
    while (hit) {
        struct world *w = world_with_letter();
        struct act *a = the_act(w);
        struct outcome r;

        /* The first batch of a start notes that pages are out of date. */
        world_stop(w);
        world_start(w);
        snprintf(sys.hit, sizeof sys.hit, "SQLite");
        sql_fail_at(n + 1, codes[n % 3]);
        n++;
        submit(w, a, &r);
        run(w);
        assert_once(w, n, "then");
        /* Journals are written behind the act. */
        world_stop(w);
        hit = sql_was_hit();
        if (r.status != ACT_DONE)
            assert_true(*r.error != '\0');
        assert_made_good(w, n);
        world_free(w);
    }
    assert_true(n > 10);
}

static void recovery_without_the_private_state(void **state)
{
    unsigned n = 0;
    bool hit = true;

    (void)state;
    while (hit) {
        struct world *w = world_with_letter();
        struct error err = ERROR_INIT;
        struct known *known = known_new();
        struct recovery r;
        int rc;

        world_stop(w);
        renamed_and_not_recorded(w);
        w->o.known = known;
        snprintf(sys.hit, sizeof sys.hit, "SQLite");
        sql_fail_at(++n, SQLITE_IOERR);
        rc = filer_recover(&w->o, &r, &err);
        hit = sql_was_hit();
        if (rc < 0)
            assert_true(*err.text != '\0');
        assert_made_good(w, n);
        world_free(w);
        known_free(known);
    }
    assert_true(n > 10);
}

/* A program saves over the new name, and then the batch is not recorded. */
static void save_and_fail(void *ctx, enum filer_point point, const struct act *a)
{
    struct world *w = ctx;
    static bool once;

    (void)a;
    if (point != FILER_SETTLED || once || !exists(w, TO))
        return;
    once = true;
    write_file(w, LETTERS "/save.tmp", "another's");
    assert_int_equal(renameat(w->root, LETTERS "/save.tmp", w->root, TO), 0);
    sql_fail_at(1, SQLITE_IOERR);
}

static void what_another_saved_there_is_not_taken_back(void **state)
{
    struct world *w = world_new();
    struct outcome r;

    (void)state;
    w->o.between = save_and_fail;
    w->o.between_ctx = w;
    world_start(w);
    open_case(w);
    write_file(w, FROM, CONTENT);
    r = file_one(w, FROM, LETTERS, NAME);
    assert_true(sql_was_hit());
    assert_int_equal(r.status, ACT_STOPPED);
    assert_text(w, TO, "another's");
    assert_false(exists(w, FROM));
    world_free(w);
}

/* ---- a log of intents that says something else
 * --------------------------------------------------- */

#define DOC_JSON "\"doc\":{\"case\":\"" CASE_ID "\",\"number\":1,\"state\":\"filed\"}"
#define STAMP    "\"stamp\":[1,2,3,4,5,6]"

static const char *const no_intents[] = {
    "no JSON",
    "{}",
    "{\"v\":2," STAMP "," DOC_JSON ",\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1," DOC_JSON ",\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1,\"stamp\":[1,2,3,4,5]," DOC_JSON ",\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1,\"stamp\":[1,2,3,4,5,\"6\"]," DOC_JSON ",\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1," STAMP ",\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1," STAMP ",\"doc\":{\"case\":\"" CASE_ID CASE_ID
    "\",\"state\":\"filed\"},\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1," STAMP ",\"doc\":{\"case\":\"" CASE_ID
    "\",\"state\":\"lost\"},\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1," STAMP ",\"doc\":{\"case\":\"" CASE_ID
    "\",\"state\":\"filed\",\"sha256\":\"x\"},\"from\":\"a\",\"to\":\"b\"}",
    "{\"v\":1," STAMP "," DOC_JSON ",\"from\":\"a\"}",
    "{\"v\":1," STAMP "," DOC_JSON ",\"to\":\"b\"}",
};

/* Nothing is renamed or recorded by it, and the start says which log it is. */
static void a_log_that_holds_something_else_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_intents / sizeof *no_intents; i++) {
        struct world *w = world_with_letter();
        struct error err = ERROR_INIT;
        struct recovery r;
        struct intents *l;

        world_stop(w);
        l = intents_open(w->state_dir, 0, true, &err);
        assert_non_null(l);
        intents_add(l, no_intents[i]);
        assert_int_equal(intents_sync(l, &err), 0);
        intents_close(l);
        assert_int_equal(filer_recover(&w->o, &r, &err), -1);
        assert_non_null(strstr(err.text, "log of intents"));
        assert_text(w, FROM, CONTENT);
        world_free(w);
    }
}

/* ---- a name that is taken whenever it was chosen
 * -------------------------------------------------- */

static void take_the_name(void *ctx, enum filer_point point, const struct act *a)
{
    struct world *w = ctx;
    static unsigned n;

    (void)a;
    if (point != FILER_INTENDED)
        return;
    AUTO_FREE char *name = name_serial(NAME, ++n);
    AUTO_FREE char *path = xasprintf(LETTERS "/%s", name);
    write_file(w, path, "another's");
}

static void a_name_that_is_taken_again_and_again_is_left(void **state)
{
    struct world *w = world_new();
    struct outcome r;

    (void)state;
    w->o.between = take_the_name;
    w->o.between_ctx = w;
    world_start(w);
    open_case(w);
    write_file(w, FROM, CONTENT);
    r = file_one(w, FROM, LETTERS, NAME);
    if (r.status != ACT_BUSY)
        fail_msg("status %d: %s", r.status, r.error);
    assert_non_null(strstr(r.error, "again and again"));
    assert_text(w, FROM, CONTENT);
    assert_text(w, TO, "another's");
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_disk_fails),
        cmocka_unit_test(it_may_not),
        cmocka_unit_test(what_is_interrupted_goes_on),
        cmocka_unit_test(a_plan_fails),
        cmocka_unit_test(recovery_without_the_old_folder),
        cmocka_unit_test(recovery_that_may_look_at_neither_name),
        cmocka_unit_test(recovery_that_cannot_look),
        cmocka_unit_test(recovery_fails),
        cmocka_unit_test(the_private_state_fails),
        cmocka_unit_test(recovery_without_the_private_state),
        cmocka_unit_test(what_another_saved_there_is_not_taken_back),
        cmocka_unit_test(a_log_that_holds_something_else_is_told),
        cmocka_unit_test(a_name_that_is_taken_again_and_again_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
