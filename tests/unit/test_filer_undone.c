/*
 * What could not be recorded goes back to its old name, whatever others did meanwhile; and a filer
 * that stopped goes on where it was, also when that fails at first.
 */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */

#include "filer_world.h"

#include "failing_calls.h"
#include "failing_sql.h"
#include "held_batch.h"

static int ready(void **state)
{
    struct world *w = held_world();

    *state = w;
    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    write_file(w, FROM, CONTENT);
    sys.not_of = "state.db";
    sys.few = true;
    return 0;
}

static int done(void **state)
{
    sys.at = sql.at = 0;
    sys.only = NULL;
    held_world_free(*state);
    return 0;
}

static void go_on(struct world *w)
{
    filer_resume(w->f);
    finish(w);
    if (filer_stopped(w->f))
        fail_msg("%s", filer_stopped(w->f));
}

/* ---- what others did before it could go back
 * ---------------------------------------------------------- */

static void (*others)(struct world *w);
static int reader = -1;

/* All is renamed and synced; the transaction fails next. */
static void others_and_the_state(struct world *w, const struct act *a)
{
    (void)a;
    others(w);
    sql_fail_at(1, SQLITE_IOERR);
}

static struct outcome file_unrecorded(struct world *w, void (*fn)(struct world *))
{
    struct outcome r;

    others = fn;
    at(FILER_SETTLED, others_and_the_state);
    r = file_one(w, FROM, LETTERS, NAME);
    assert_true(sql_was_hit());
    assert_int_not_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, "");
    assert_string_equal(r.unseen, TO);
    assert_non_null(filer_stopped(w->f));
    return r;
}

/* It lies under its new name, and its row and `times` lines of its journal say so. */
static void assert_recorded(struct world *w, unsigned times)
{
    assert_text(w, TO, CONTENT);
    assert_row(w, MEMBER);
    world_stop(w);
    assert_int_equal(lines(w, "filed", MEMBER), times);
    assert_journal(w);
}

/* It stays under its new name, and what was interrupted is made good: recorded, once. */
static void assert_recorded_later(struct world *w)
{
    assert_text(w, TO, CONTENT);
    go_on(w);
    assert_recorded(w, 1);
}

static void do_nothing(struct world *w)
{
    (void)w;
}

static void what_could_not_be_recorded_goes_back(void **state)
{
    struct world *w = *state;

    assert_int_equal(file_unrecorded(w, do_nothing).status, ACT_STOPPED);
    assert_text(w, FROM, CONTENT);
    assert_false(exists(w, TO));
    go_on(w);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    assert_recorded(w, 1);
}

static void open_new_name(struct world *w)
{
    reader = beneath_open(w->root, TO, O_RDONLY, 0);
    assert_true(reader >= 0);
}

static void what_someone_reads_by_then_does_not_go_back(void **state)
{
    struct world *w = *state;

    file_unrecorded(w, open_new_name);
    assert_false(exists(w, FROM));
    assert_recorded_later(w);
    close(reader);
}

static void take_old_name(struct world *w)
{
    write_file(w, FROM, "the next scan");
}

static void what_has_a_successor_by_then_does_not_go_back(void **state)
{
    struct world *w = *state;

    file_unrecorded(w, take_old_name);
    assert_text(w, FROM, "the next scan");
    assert_recorded_later(w);
    assert_text(w, FROM, "the next scan");
}

static void remove_old_folder(struct world *w)
{
    assert_int_equal(unlinkat(w->root, INBOX, AT_REMOVEDIR), 0);
}

static void what_has_no_folder_by_then_does_not_go_back(void **state)
{
    struct world *w = *state;

    file_unrecorded(w, remove_old_folder);
    assert_false(exists(w, INBOX));
    assert_recorded_later(w);
    assert_false(exists(w, INBOX));
}

static void remove_document(struct world *w)
{
    assert_int_equal(unlinkat(w->root, TO, 0), 0);
}

static void what_a_person_removed_by_then_does_not_come_back(void **state)
{
    struct world *w = *state;

    file_unrecorded(w, remove_document);
    go_on(w);
    assert_false(exists(w, FROM));
    assert_false(exists(w, TO));
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 0);
    assert_journal(w);
}

/* Its name is right already: there is nothing to take back. */
static void what_was_not_moved_stays(void **state)
{
    struct world *w = *state;
    struct act *a = filing_act(w, FROM, INBOX, "order 3-2-26.pdf");
    struct outcome r;

    a->exact = true;
    others = do_nothing;
    at(FILER_SETTLED, others_and_the_state);
    submit(w, a, &r);
    run(w);
    assert_true(sql_was_hit());
    assert_int_equal(r.status, ACT_STOPPED);
    assert_text(w, FROM, CONTENT);
    go_on(w);
    assert_text(w, FROM, CONTENT);
    assert_int_equal(file_one(w, FROM, LETTERS, NAME).status, ACT_DONE);
    assert_recorded(w, 1);
}

/* ---- going on
 * ------------------------------------------------------------------------------------------ */

/* The last act was renamed, could not be recorded and not taken back: its intent is pending. */
static void leave_pending(struct world *w)
{
    if (!exists(w, FROM))
        assert_int_equal(renameat(w->root, TO, w->root, FROM), 0);
    file_unrecorded(w, open_new_name);
    close(reader);
}

/* It says why it has stopped, and goes on when it is asked again. *hit: there was such a call. */
static bool goes_on_later(struct world *w, bool *hit)
{
    AUTO_FREE char *why = NULL;

    filer_resume(w->f);
    finish(w);
    why = filer_stopped(w->f) ? xstrdup(filer_stopped(w->f)) : NULL;
    *hit = sql_was_hit();
    *hit = was_hit() || *hit;
    if (!why && filer_lines_waiting(w->f, NULL) == 0)
        return false;
    if (!why) { /* what it could do without, as where the case lies, the next start reads again */
        world_stop(w);
        world_start(w);
        return false;
    }
    assert_true(*why != '\0');
    assert_false(exists(w, FROM));
    go_on(w);
    return true;
}

/* Whichever call fails while it tries to go on. */
static void going_on_may_fail_at_first(void **state)
{
    struct world *w = *state;
    unsigned n, stopped = 0, logs = 0, back = 0;
    bool hit = true, goes_on;

    for (n = 0; hit; n++) {
        leave_pending(w);
        sys.with = n % 2 ? EIO : ENOSPC;
        fail_at(FAIL, n + 1);
        goes_on = !goes_on_later(w, &hit);
        stopped += !goes_on;
        back += exists(w, FROM); /* it could not be read from the disk, and is not recorded */
        if (hit && strcmp(sys.hit, "unlink") == 0) {
            assert_false(goes_on); /* with a log of which it is not known what the disk has */
            logs++;
        }
    }
    assert_true(stopped > 20);
    assert_int_equal(logs, 1);
    assert_in_range(back, 1, 3);
    assert_recorded(w, n - back);
}

static void going_on_needs_the_private_state(void **state)
{
    struct world *w = *state;
    unsigned n, stopped = 0;
    bool hit = true;

    for (n = 0; hit; n++) {
        leave_pending(w);
        sql_fail_at(n + 1, SQLITE_IOERR);
        stopped += goes_on_later(w, &hit);
    }
    assert_true(stopped > 15);
    assert_recorded(w, n);
}

/* Who asks it to go on when it has not stopped disturbs nothing. */
static void one_that_has_not_stopped_goes_on_as_before(void **state)
{
    struct world *w = *state;
    struct outcome r;

    hold(w);
    submit(w, filing_act(w, FROM, LETTERS, NAME), &r);
    filer_resume(w->f);
    let_go(w);
    finish(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_recorded(w, 1);
}

/* ---- cases
 * ---------------------------------------------------------------------------------------------- */

static struct act *case_move(const struct world *w, const char *from, const char *folder,
                             const char *name)
{
    struct act *a = act_new(ACT_FOLDER);
    const char *last;
    AUTO_CLOSE int dir = beneath_parent(w->root, from, &last);

    assert_int_equal(doc_stamp_take(-1, dir, last, &a->stamp), 0);
    a->from = xstrdup(from);
    a->to_folder = xstrdup(folder);
    a->to_name = xstrdup(name);
    a->exact = a->leases = true; /* there are none of folders */
    a->case_path = xstrdup(from);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    journal_body(&a->journal, env_now(&w->env), "renamed");
    return a;
}

static void assert_case_at(const struct world *w, const char *path)
{
    struct state *s = open_state(w);
    struct error err = ERROR_INIT;
    struct case_row row;

    assert_true(exists(w, path));
    assert_int_equal(state_case_get(s, CASE_ID, &row, &err), 1);
    assert_string_equal(row.path, path);
    case_row_clear(&row);
    state_close(s);
}

/* Folder and row never tell of two places. */
static void a_case_whose_move_cannot_be_recorded_stays(void **state)
{
    struct world *w = *state;
    struct outcome r;
    unsigned n = 0;

    for (;;) {
        sql_fail_at(++n, SQLITE_IOERR);
        submit(w, case_move(w, CASE, "Closed", CASE), &r);
        run(w);
        if (r.status == ACT_DONE)
            break;
        assert_true(sql_was_hit());
        assert_true(*r.error != '\0');
        go_on(w);
        assert_case_at(w, CASE);
        assert_false(exists(w, "Closed/" CASE));
    }
    sql.at = 0;
    finish(w);
    if (filer_stopped(w->f)) /* its heads could not be put */
        go_on(w);
    assert_true(n > 6);
    assert_case_at(w, "Closed/" CASE);
    assert_false(exists(w, CASE));
}

static void a_case_that_cannot_be_recorded_is_not_there(void **state)
{
    static const char id[] = "ffeeddccbbaa99887766554433221100";
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct outcome r;
    unsigned n = 0;

    assert_int_equal(beneath_mkdirs(w->root, "Jones_Will"), 0);
    do {
        struct act *a = act_new(ACT_CASE);
        struct case_row row;
        struct state *s;

        snprintf(a->row.id, sizeof a->row.id, "%s", id);
        snprintf(a->doc.case_id, sizeof a->doc.case_id, "%s", id);
        a->row.path = xstrdup("Jones_Will");
        a->row.next_doc = 1;
        a->case_path = xstrdup("Jones_Will");
        journal_body(&a->journal, env_now(&w->env), "opened");
        json_text(&a->journal, "case", id);
        sql_fail_at(++n, SQLITE_IOERR);
        submit(w, a, &r);
        run(w);
        sql.at = 0;
        finish(w);
        if (filer_stopped(w->f))
            go_on(w);
        s = open_state(w);
        assert_int_equal(state_case_get(s, id, &row, &err), r.status == ACT_DONE);
        case_row_clear(&row);
        state_close(s);
        assert_int_equal(exists(w, "Jones_Will/.organizer"), r.status == ACT_DONE);
    } while (r.status != ACT_DONE);
    assert_true(n > 4);
}

/* To a name that begins as the old one does: it is told whole. */
static void a_case_moves_to_a_longer_name(void **state)
{
    struct world *w = *state;
    struct outcome r;

    submit(w, case_move(w, CASE, "", CASE "-2024"), &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    finish(w);
    assert_case_at(w, CASE "-2024");
    assert_int_equal(renameat(w->root, CASE "-2024", w->root, CASE), 0);
    assert_int_equal(lines(w, "renamed", CASE "-2024"), 1);
}

/* It cannot be recorded for a reason of its own, and its folders cannot be synced either: that
 * stops all. */
static void a_case_that_no_row_knows_goes_back_while_the_disk_fails(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    assert_int_equal(beneath_mkdirs(w->root, "Jones_Will"), 0);
    assert_int_equal(beneath_mkdirs(w->root, "Closed"), 0);
    a = case_move(w, "Jones_Will", "Closed", "Jones_Will");
    snprintf(a->doc.case_id, sizeof a->doc.case_id, "ffffffffffffffffffffffffffffffff");
    sys.only = "fsync";
    sys.with = EIO;
    fail_at(FAIL, 1);
    submit(w, a, &r);
    run(w);
    assert_true(was_hit());
    assert_int_equal(r.status, ACT_STOPPED);
    assert_non_null(filer_stopped(w->f));
    assert_true(exists(w, "Jones_Will"));
    assert_false(exists(w, "Closed/Jones_Will"));
    go_on(w);
    assert_true(exists(w, "Jones_Will"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_could_not_be_recorded_goes_back),
        TEST(what_someone_reads_by_then_does_not_go_back),
        TEST(what_has_a_successor_by_then_does_not_go_back),
        TEST(what_has_no_folder_by_then_does_not_go_back),
        TEST(what_a_person_removed_by_then_does_not_come_back),
        TEST(what_was_not_moved_stays),
        TEST(going_on_may_fail_at_first),
        TEST(going_on_needs_the_private_state),
        TEST(one_that_has_not_stopped_goes_on_as_before),
        TEST(a_case_whose_move_cannot_be_recorded_stays),
        TEST(a_case_that_cannot_be_recorded_is_not_there),
        TEST(a_case_moves_to_a_longer_name),
        TEST(a_case_that_no_row_knows_goes_back_while_the_disk_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
