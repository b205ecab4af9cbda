/* filer: what filing does to a document, its name, its row and its journal. */
#include "filer_world.h"

#include <sys/xattr.h>

static int ready(void **state)
{
    *state = world_ready();
    return 0;
}

static int done(void **state)
{
    world_free(*state);
    return 0;
}

static void names_and_moves_a_document(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/letter.pdf", "Dear");
    r = file_one(w, INBOX "/letter.pdf", LETTERS, "Smith_Divorce_Letter_2026-03-02.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, LETTERS "/Smith_Divorce_Letter_2026-03-02.pdf");
    assert_text(w, r.to, "Dear");
    assert_false(exists(w, INBOX "/letter.pdf"));
    assert_int_equal(r.number, 1);
    assert_row(w, "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf");
    world_stop(w);
    assert_int_equal(lines(w, "filed", "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"), 1);
    assert_journal(w);
}

static void remembers_the_former_name(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct state *s;
    struct doc d;

    write_file(w, INBOX "/a.pdf", "x");
    file_one(w, INBOX "/a.pdf", LETTERS, "A.pdf");
    s = open_state(w);
    assert_int_equal(state_doc_by_former(s, CASE_ID, "Inbox/a.pdf", &d, &err), 1);
    assert_string_equal(d.path, "Correspondence/A.pdf");
    doc_clear(&d);
    state_close(s);
}

static void takes_the_first_free_serial(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    file_one(w, INBOX "/a.pdf", LETTERS, "L_2026-01-01.pdf");
    r = file_one(w, INBOX "/b.pdf", LETTERS, "L_2026-01-01.pdf");
    assert_string_equal(r.to, LETTERS "/L_2026-01-01_02.pdf");
    assert_text(w, LETTERS "/L_2026-01-01.pdf", "1");
}

static void one_batch_wanting_one_name_gets_serials_in_order(void **state)
{
    struct world *w = *state;
    struct outcome r[40];
    char path[64], want[64];

    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        submit(w, filing_act(w, path, LETTERS, "L.pdf"), &r[i]);
    }
    run(w);
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        snprintf(want, sizeof want, i ? LETTERS "/L_%02d.pdf" : LETTERS "/L.pdf", i + 1);
        assert_int_equal(r[i].status, ACT_DONE);
        assert_string_equal(r[i].to, want);
        assert_text(w, want, path);
    }
}

/* So long an act waited that was the only one, in ms. */
static double wait_of_one(struct world *w, int number, bool many)
{
    char path[64];
    struct outcome r;
    int64_t start;

    snprintf(path, sizeof path, INBOX "/%d.pdf", number);
    write_file(w, path, path);
    filer_expect(w->f, many);
    start = env_ticks();
    submit(w, filing_act(w, path, LETTERS, path + strlen(INBOX "/")), &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    return (double)(env_ticks() - start) / NS_PER_MS;
}

static void a_batch_waits_for_more_only_where_many_follow(void **state)
{
    struct world *w = *state;
    double alone = 1e9;

    assert_true(wait_of_one(w, 0, true) >= FILER_CROWD_MS);
    for (int i = 1; i < 20; i++) {
        double ms = wait_of_one(w, i, false);

        alone = ms < alone ? ms : alone;
    }
    assert_true(alone < FILER_CROWD_MS);
}

static void who_waits_for_more_is_let_go_when_none_follow(void **state)
{
    struct world *w = *state;
    struct outcome r[3 * FILER_CROWD];
    char path[64];

    filer_expect(w->f, true);
    for (int i = 0; i < 3 * FILER_CROWD; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
        submit(w, filing_act(w, path, LETTERS, path + strlen(INBOX "/")), &r[i]);
    }
    filer_expect(w->f, false);
    run(w);
    for (int i = 0; i < 3 * FILER_CROWD; i++)
        assert_int_equal(r[i].status, ACT_DONE);
}

static void a_name_that_differs_in_case_only_is_taken(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    file_one(w, INBOX "/a.pdf", LETTERS, "LETTER.pdf");
    r = file_one(w, INBOX "/b.pdf", LETTERS, "letter.pdf");
    assert_string_equal(r.to, LETTERS "/letter_02.pdf");
}

static void two_of_a_batch_that_differ_in_case_only_get_serials(void **state)
{
    struct world *w = *state;
    struct outcome a, b;

    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    submit(w, filing_act(w, INBOX "/a.pdf", LETTERS, "M\xC3\xBCller.pdf"), &a);
    submit(w, filing_act(w, INBOX "/b.pdf", LETTERS, "mu\xCC\x88ller.pdf"), &b);
    run(w);
    assert_string_equal(a.to, LETTERS "/M\xC3\xBCller.pdf");
    assert_string_equal(b.to, LETTERS "/mu\xCC\x88ller_02.pdf");
}

static void a_name_on_disk_that_no_row_knows_is_taken(void **state)
{
    struct world *w = *state;
    struct outcome r;

    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    write_file(w, LETTERS "/L.pdf", "a person's");
    write_file(w, INBOX "/a.pdf", "1");
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_string_equal(r.to, LETTERS "/L_02.pdf");
    assert_text(w, LETTERS "/L.pdf", "a person's");
}

static void a_thousand_taken_serials_are_passed_quickly(void **state)
{
    struct world *w = *state;
    struct outcome r;
    char path[64];

    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    for (int i = 1; i <= 1000; i++) {
        snprintf(path, sizeof path, i == 1 ? LETTERS "/L.pdf" : LETTERS "/L_%02d.pdf", i);
        write_file(w, path, "");
    }
    write_file(w, INBOX "/a.pdf", "1");
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_string_equal(r.to, LETTERS "/L_1001.pdf");
}

static void case_only_rename(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/Letter.PDF", "1");
    r = file_one(w, INBOX "/Letter.PDF", INBOX, "Letter.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, INBOX "/Letter.pdf");
    /* Also when the table knows it under the old name. */
    r = file_one(w, INBOX "/Letter.pdf", INBOX, "LETTER.pdf");
    assert_string_equal(r.to, INBOX "/LETTER.pdf");
}

static void decomposed_name_is_composed(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/u\xCC\x88.pdf", "1");
    r = file_one(w, INBOX "/u\xCC\x88.pdf", INBOX, "\xC3\xBC.pdf");
    assert_string_equal(r.to, INBOX "/\xC3\xBC.pdf");
}

static void a_document_under_its_right_name_stays_and_is_recorded(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    r = file_one(w, INBOX "/a.pdf", INBOX, "a.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, INBOX "/a.pdf");
    assert_row(w, "Inbox/a.pdf");
}

static void names_of_any_bytes(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/\xFF\xFE\n.pdf", "1");
    r = file_one(w, INBOX "/\xFF\xFE\n.pdf", LETTERS, "\xFF.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_text(w, LETTERS "/\xFF.pdf", "1");
    assert_row(w, "Correspondence/\xFF.pdf");
}

static void exact_means_that_name_or_nothing(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    a = filing_act(w, INBOX "/a.pdf", INBOX, "b.pdf");
    a->exact = true;
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_REFUSED);
    assert_string_equal(r.error, "there is another document of that name already");
    assert_text(w, INBOX "/a.pdf", "1");
    assert_text(w, INBOX "/b.pdf", "2");
}

static void submit_exact(struct world *w, const char *from, const char *name, struct outcome *r)
{
    struct act *a = filing_act(w, from, INBOX, name);

    a->exact = true;
    submit(w, a, r);
}

static void a_chain_in_one_batch(void **state)
{
    struct world *w = *state;
    struct outcome r1, r2;

    write_file(w, INBOX "/a.pdf", "a");
    write_file(w, INBOX "/b.pdf", "b");
    submit_exact(w, INBOX "/b.pdf", "c.pdf", &r1);
    submit_exact(w, INBOX "/a.pdf", "b.pdf", &r2);
    run(w);
    assert_int_equal(r1.status, ACT_DONE);
    assert_int_equal(r2.status, ACT_DONE);
    assert_text(w, INBOX "/c.pdf", "b");
    assert_text(w, INBOX "/b.pdf", "a");
    assert_row(w, "Inbox/b.pdf");
    assert_row(w, "Inbox/c.pdf");
}

static void a_swap_by_a_third_name(void **state)
{
    struct world *w = *state;
    struct outcome r1, r2, r3;
    struct act *a;

    write_file(w, INBOX "/a.pdf", "a");
    write_file(w, INBOX "/b.pdf", "b");
    a = filing_act(w, INBOX "/a.pdf", INBOX, "b.pdf");
    free(a->from);
    a->from = xstrdup(INBOX "/t.pdf");
    close(a->fd);
    a->fd = -1;
    a->exact = true;
    /* The last follows the first, also when that batch is over already. */
    submit_exact(w, INBOX "/a.pdf", "t.pdf", &r1);
    run(w);
    submit_exact(w, INBOX "/b.pdf", "a.pdf", &r2);
    submit(w, a, &r3);
    run(w);
    assert_int_equal(r1.status, ACT_DONE);
    assert_int_equal(r2.status, ACT_DONE);
    if (r3.status != ACT_DONE)
        fail_msg("%s", r3.error);
    assert_text(w, INBOX "/a.pdf", "b");
    assert_text(w, INBOX "/b.pdf", "a");
    assert_false(exists(w, INBOX "/t.pdf"));
}

static void a_companion_goes_along(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/._a.pdf", "fork");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    a->companions = xcalloc(2, sizeof *a->companions);
    a->companions[0] = xstrdup("._a.pdf");
    submit(w, a, &r);
    run(w);
    assert_text(w, LETTERS "/._L.pdf", "fork");
    assert_false(exists(w, INBOX "/._a.pdf"));
}

static void a_companion_never_replaces(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    write_file(w, LETTERS "/._L.pdf", "other");
    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/._a.pdf", "fork");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    a->companions = xcalloc(2, sizeof *a->companions);
    a->companions[0] = xstrdup("._a.pdf");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_text(w, LETTERS "/._L.pdf", "other");
    assert_text(w, INBOX "/._a.pdf", "fork");
}

static void mode_owner_attributes_and_time_stay(void **state)
{
    struct world *w = *state;
    struct timespec old[2] = {{1000000000, 0}, {1000000001, 5}};
    struct stat before, after;
    char value[8] = "";
    int fd;

    write_file(w, INBOX "/a.pdf", "1");
    fd = beneath_open(w->root, INBOX "/a.pdf", O_RDWR, 0);
    assert_int_equal(fchmod(fd, 0640), 0);
    if (geteuid() == 0)
        assert_int_equal(fchown(fd, 12, 34), 0);
    assert_int_equal(fsetxattr(fd, "user.DOSATTRIB", "0x20", 4, 0), 0);
    assert_int_equal(futimens(fd, old), 0);
    assert_int_equal(fstat(fd, &before), 0);
    close(fd);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    fd = beneath_open(w->root, LETTERS "/L.pdf", O_RDONLY, 0);
    assert_int_equal(fstat(fd, &after), 0);
    assert_int_equal(fgetxattr(fd, "user.DOSATTRIB", value, sizeof value), 4);
    close(fd);
    assert_string_equal(value, "0x20");
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mode, before.st_mode);
    assert_int_equal(after.st_uid, before.st_uid);
    assert_int_equal(after.st_gid, before.st_gid);
    assert_int_equal(after.st_mtim.tv_sec, 1000000001);
    assert_int_equal(after.st_mtim.tv_nsec, 5);
}

static void the_row_has_the_stamp_after_the_rename(void **state)
{
    struct world *w = *state;
    struct outcome r;
    struct doc_stamp st;
    int fd;

    write_file(w, INBOX "/a.pdf", "1");
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    fd = beneath_open(w->root, r.to, O_RDONLY, 0);
    assert_int_equal(doc_stamp_take(fd, -1, NULL, &st), 0);
    assert_true(doc_stamp_equal(&st, &r.stamp));
    close(fd);
}

static void what_was_quiet_when_read_is_not_read_again(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct state *s;
    struct act *a;
    struct outcome r;
    struct doc d;

    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "A.pdf");
    a->doc.read_ns = a->stamp.ctime_ns + NS_PER_S;
    submit(w, a, &r);
    a = filing_act(w, INBOX "/b.pdf", LETTERS, "B.pdf");
    a->doc.read_ns = a->stamp.ctime_ns;
    submit(w, a, &r);
    run(w);
    s = open_state(w);
    assert_int_equal(state_doc_by_path(s, CASE_ID, "Correspondence/A.pdf", &d, &err), 1);
    assert_false(doc_is_racy(&d));
    doc_clear(&d);
    assert_int_equal(state_doc_by_path(s, CASE_ID, "Correspondence/B.pdf", &d, &err), 1);
    assert_true(doc_is_racy(&d));
    doc_clear(&d);
    state_close(s);
}

static void a_folder_is_moved_whole(void **state)
{
    struct world *w = *state;
    struct act *a = act_new(ACT_FOLDER);
    struct outcome r;
    const char *name;
    int dir;

    assert_int_equal(beneath_mkdirs(w->root, INBOX "/Photos/2"), 0);
    write_file(w, INBOX "/Photos/2/a.jpg", "1");
    dir = beneath_parent(w->root, INBOX "/Photos", &name);
    assert_int_equal(doc_stamp_take(-1, dir, name, &a->stamp), 0);
    close(dir);
    a->from = xstrdup(INBOX "/Photos");
    a->to_folder = xstrdup(CASE "/As Received");
    a->to_name = xstrdup("2026-11-23 Photos");
    a->case_path = xstrdup(CASE);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    journal_body(&a->journal, env_now(&w->env), "received");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_text(w, CASE "/As Received/2026-11-23 Photos/2/a.jpg", "1");
    world_stop(w);
    assert_int_equal(lines(w, "received", "As Received/2026-11-23 Photos"), 1);
    assert_journal(w);
}

/* ---- what is in the way ------------------------------------------------------------------------
 */

static void open_for_writing_is_busy(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;
    int fd;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    fd = beneath_open(w->root, INBOX "/a.pdf", O_WRONLY, 0);
    submit(w, a, &r);
    run(w);
    close(fd);
    assert_int_equal(r.status, ACT_BUSY);
    assert_string_equal(r.error, "someone has it open");
    assert_true(exists(w, INBOX "/a.pdf"));
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

static void open_for_reading_is_busy(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;
    int fd;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    fd = beneath_open(w->root, INBOX "/a.pdf", O_RDONLY, 0);
    submit(w, a, &r);
    run(w);
    close(fd);
    assert_int_equal(r.status, ACT_BUSY);
}

static void without_leases_an_open_document_is_named(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;
    int fd;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    a->leases = false;
    fd = beneath_open(w->root, INBOX "/a.pdf", O_RDONLY, 0);
    submit(w, a, &r);
    run(w);
    close(fd);
    assert_int_equal(r.status, ACT_DONE);
}

static void the_lease_is_given_back(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;
    int reader, fd;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    reader = dup(a->fd); /* as a reader process has it */
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(fcntl(reader, F_GETLEASE), F_UNLCK);
    fd = beneath_open(w->root, LETTERS "/L.pdf", O_WRONLY, 0);
    assert_true(fd >= 0);
    close(fd);
    close(reader);
}

static void changed_since_it_was_examined_is_busy(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    write_file(w, INBOX "/a.pdf", "changed");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_BUSY);
    assert_text(w, INBOX "/a.pdf", "changed");
}

static void replaced_since_it_was_examined_is_busy(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    write_file(w, INBOX "/new", "2");
    assert_int_equal(renameat(w->root, INBOX "/new", w->root, INBOX "/a.pdf"), 0);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_BUSY);
    assert_text(w, INBOX "/a.pdf", "2");
}

static void removed_is_gone(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(unlinkat(w->root, INBOX "/a.pdf", 0), 0);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_GONE);
}

static void a_removed_case_folder_is_not_made_again(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    assert_int_equal(mkdirat(w->root, "Inbox", 0755), 0);
    write_file(w, "Inbox/a.pdf", "1");
    a = filing_act(w, "Inbox/a.pdf", "Gone_Will/Correspondence", "L.pdf");
    free(a->case_path);
    a->case_path = xstrdup("Gone_Will");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_GONE);
    assert_false(exists(w, "Gone_Will"));
    assert_text(w, "Inbox/a.pdf", "1");
}

static void a_file_where_the_folder_should_be_is_refused(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, LETTERS, "not a folder");
    write_file(w, INBOX "/a.pdf", "1");
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_REFUSED);
    assert_string_equal(r.error, "its folder cannot be opened");
}

static void a_link_where_the_folder_should_be_is_refused(void **state)
{
    struct world *w = *state;
    struct outcome r;

    assert_int_equal(symlinkat("/tmp", w->root, LETTERS), 0);
    write_file(w, INBOX "/a.pdf", "1");
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_REFUSED);
    assert_true(exists(w, INBOX "/a.pdf"));
}

static void a_name_too_long_for_a_serial_is_refused(void **state)
{
    struct world *w = *state;
    char name[256];
    struct outcome r;

    memset(name, 'x', 255);
    memcpy(name + 251, ".pdf", 5);
    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, name).status, ACT_DONE);
    r = file_one(w, INBOX "/b.pdf", LETTERS, name);
    assert_int_equal(r.status, ACT_REFUSED);
    assert_string_equal(r.error, "the name is too long to get a number behind it");
}

/* ---- what is only recorded ------------------------------------------------------------------- */

static void a_record_renames_nothing(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", "", "");
    a->kind = ACT_RECORD;
    a->doc.path = xstrdup("Inbox/a.pdf");
    a->doc.stamp = a->stamp;
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_row(w, "Inbox/a.pdf");
    world_stop(w);
    assert_int_equal(lines(w, "filed", "Inbox/a.pdf"), 1);
}

static int set_key(void *ctx, struct state *s, struct error *err)
{
    (void)ctx;
    return state_set(s, "test", "yes", err);
}

static int set_key_and_fail(void *ctx, struct state *s, struct error *err)
{
    (void)ctx;
    state_set(s, "test", "half", err);
    return error_set(err, 0, "the plan is not what it was");
}

static void a_call_is_one_transaction(void **state)
{
    struct world *w = *state;
    struct act *a = act_new(ACT_CALL), *bad = act_new(ACT_CALL);
    struct state *s;
    char *value;

    a->call = set_key;
    bad->call = set_key_and_fail;
    filer_submit(w->f, a);
    filer_submit(w->f, bad);
    run(w);
    s = open_state(w);
    value = state_get(s, "test");
    assert_string_equal(value, "yes");
    free(value);
    state_close(s);
    assert_null(filer_stopped(w->f));
}

static int refuse_call(void *ctx, struct state *s, struct error *err)
{
    (void)ctx, (void)s;
    return error_set(err, 0, "not so");
}

static void keep_status(void *ctx, struct act *a)
{
    *(enum act_status *)ctx = a->status;
}

static void a_call_that_fails_fails_alone(void **state)
{
    struct world *w = *state;
    struct act *a = act_new(ACT_CALL);
    enum act_status status = ACT_PENDING;
    struct outcome r;

    /* A call gets its ctx, which is also done's. */
    a->call = refuse_call;
    a->done = keep_status;
    a->ctx = &status;
    write_file(w, INBOX "/a.pdf", "1");
    filer_submit(w->f, a);
    submit(w, filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf"), &r);
    run(w);
    assert_int_equal(status, ACT_REFUSED);
    assert_int_equal(r.status, ACT_DONE);
}

static void results_come_in_order(void **state)
{
    struct world *w = *state;
    struct outcome r[300];
    char path[64];

    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
        submit(w, filing_act(w, path, LETTERS, path + sizeof INBOX), &r[i]);
    }
    run(w);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(r[i].status, ACT_DONE);
        assert_int_equal(r[i].number, i + 1);
    }
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 300);
    assert_journal(w);
}

static void ending_finishes_what_is_queued(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    submit(w, filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf"), &r);
    world_stop(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_true(exists(w, LETTERS "/L.pdf"));
}

static void a_case_folder_of_another_case_gets_no_lines(void **state)
{
    struct world *w = *state;
    const char *why;
    struct act *a = act_new(ACT_RECORD);
    struct outcome r;

    snprintf(a->doc.case_id, sizeof a->doc.case_id, "ffffffffffffffffffffffffffffffff");
    a->doc.path = xstrdup("x");
    a->case_path = xstrdup(CASE);
    journal_body(&a->journal, env_now(&w->env), "indexed");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    open_case(w);
    while (filer_busy(w->f))
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(filer_lines_waiting(w->f, &why), 1);
    assert_string_not_equal(why, "");
    world_stop(w);
    assert_int_equal(lines(w, "indexed", NULL), 0);
    assert_journal(w);
}

static void an_edited_journal_marks_the_case(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct case_row row;
    struct state *s;

    world_stop(w);
    write_file(w, CASE "/.organizer/journal.jsonl", "{\"case\":\"" CASE_ID "\"}\n");
    world_start(w);
    write_file(w, INBOX "/a.pdf", "1");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    world_stop(w);
    s = open_state(w);
    assert_int_equal(state_case_get(s, CASE_ID, &row, &err), 1);
    assert_true(row.tampered);
    case_row_clear(&row);
    state_close(s);
    assert_int_equal(lines(w, "foreign", NULL), 1);
    assert_int_equal(lines(w, "filed", NULL), 1);
}

static void note_tampering(void *ctx, bool tampered)
{
    bool *told = ctx;

    *told |= tampered;
}

/* Whenever the next batch comes, and though that has nothing to record: its new name is refused. */
static void tampering_is_told_also_behind_a_batch_of_nothing(void **state)
{
    struct world *w = *state;
    char path[64], wanted[320] = "";
    bool told;

    memset(wanted, 'G', sizeof wanted - 1);
    world_stop(w);
    w->o.written = note_tampering;
    w->o.written_ctx = &told;
    world_start(w);
    for (int i = 0; i < 30; i++) {
        struct outcome r, refused;
        struct act *next;

        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, CASE "/.organizer/journal.jsonl", "{\"case\":\"" CASE_ID "\"}\n");
        write_file(w, path, path);
        write_file(w, INBOX "/next.pdf", "2");
        told = false;
        next = filing_act(w, INBOX "/next.pdf", LETTERS, wanted);
        submit(w, filing_act(w, path, LETTERS, path + strlen(INBOX "/")), &r);
        while (!r.done)
            uv_run(&w->loop, UV_RUN_ONCE);
        usleep((useconds_t)i * 100);
        submit(w, next, &refused);
        while (filer_busy(w->f))
            uv_run(&w->loop, UV_RUN_ONCE);
        assert_int_equal(r.status, ACT_DONE);
        assert_int_not_equal(refused.status, ACT_DONE);
        assert_true(told);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_and_moves_a_document),
        TEST(remembers_the_former_name),
        TEST(takes_the_first_free_serial),
        TEST(one_batch_wanting_one_name_gets_serials_in_order),
        TEST(a_batch_waits_for_more_only_where_many_follow),
        TEST(who_waits_for_more_is_let_go_when_none_follow),
        TEST(a_name_that_differs_in_case_only_is_taken),
        TEST(two_of_a_batch_that_differ_in_case_only_get_serials),
        TEST(a_name_on_disk_that_no_row_knows_is_taken),
        TEST(a_thousand_taken_serials_are_passed_quickly),
        TEST(case_only_rename),
        TEST(decomposed_name_is_composed),
        TEST(a_document_under_its_right_name_stays_and_is_recorded),
        TEST(names_of_any_bytes),
        TEST(exact_means_that_name_or_nothing),
        TEST(a_chain_in_one_batch),
        TEST(a_swap_by_a_third_name),
        TEST(a_companion_goes_along),
        TEST(a_companion_never_replaces),
        TEST(mode_owner_attributes_and_time_stay),
        TEST(the_row_has_the_stamp_after_the_rename),
        TEST(what_was_quiet_when_read_is_not_read_again),
        TEST(a_folder_is_moved_whole),
        TEST(open_for_writing_is_busy),
        TEST(open_for_reading_is_busy),
        TEST(without_leases_an_open_document_is_named),
        TEST(the_lease_is_given_back),
        TEST(changed_since_it_was_examined_is_busy),
        TEST(replaced_since_it_was_examined_is_busy),
        TEST(removed_is_gone),
        TEST(a_removed_case_folder_is_not_made_again),
        TEST(a_file_where_the_folder_should_be_is_refused),
        TEST(a_link_where_the_folder_should_be_is_refused),
        TEST(a_name_too_long_for_a_serial_is_refused),
        TEST(a_record_renames_nothing),
        TEST(a_call_is_one_transaction),
        TEST(a_call_that_fails_fails_alone),
        TEST(results_come_in_order),
        TEST(ending_finishes_what_is_queued),
        TEST(a_case_folder_of_another_case_gets_no_lines),
        TEST(an_edited_journal_marks_the_case),
        TEST(tampering_is_told_also_behind_a_batch_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
