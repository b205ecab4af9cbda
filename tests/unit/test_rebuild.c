/* rebuild: the rows of a case from its journal; and taking a broken journal up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "failing_sql.h"
#include "journal_place.h"
#include "record/rebuild.h"
#include "record/state_archive.h"

#define ID "0123456789abcdef0123456789abcdef"

struct place {
    struct journal_place j;
    char dir[32]; /* of the private state */
    struct state *s;
    struct case_row row;
    struct rebuilt r;
};

#define say(p, ...) journal_place_say(&(p)->j, __VA_ARGS__)

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    strcpy(p->dir, "/tmp/state-XXXXXX");
    if (!mkdtemp(p->dir) || journal_place_make(&p->j) < 0)
        return -1;
    p->s = state_open(p->dir, false, &p->j.err);
    memcpy(p->row.id, ID, sizeof p->row.id);
    p->row.path = xstrdup("Smith_Divorce");
    p->row.next_doc = 1;
    *state = p;
    return p->s ? 0 : -1;
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc;

    state_close(p->s);
    case_row_clear(&p->row);
    rc = remove_tree(p->dir);
    rc |= journal_place_clear(&p->j);
    free(p);
    return rc;
}

static void rebuild(struct place *p)
{
    assert_int_equal(state_begin(p->s, &p->j.err), 0);
    assert_int_equal(rebuild_case(p->s, p->j.fd, &p->row, &p->r, &p->j.err), 0);
    assert_int_equal(state_case_put(p->s, &p->row, &p->j.err), 0);
    assert_int_equal(state_commit(p->s, &p->j.err), 0);
}

static struct doc doc_of(struct place *p, int64_t number)
{
    struct doc d;

    assert_int_equal(state_doc_by_number(p->s, ID, number, &d, &p->j.err), 1);
    return d;
}

static void expect(struct place *p, int64_t number, const char *path, enum doc_state state,
                   bool by_hand, bool undone)
{
    struct doc d = doc_of(p, number);

    assert_string_equal(d.path, path);
    assert_int_equal(d.state, state);
    assert_int_equal(d.by_hand, by_hand);
    assert_int_equal(d.undone, undone);
    doc_clear(&d);
}

static void without_a_journal_nothing_is_made(void **state)
{
    struct place *p = *state;

    rebuild(p);
    assert_false(p->r.any);
    assert_int_equal(p->r.documents, 0);
    assert_int_equal(p->row.next_doc, 1);
}

static void filed_documents_are_filed(void **state)
{
    struct place *p = *state;
    struct doc d;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "indexed", 2, NULL, "Stuff/b.pdf");
    rebuild(p);
    assert_true(p->r.any);
    assert_int_equal(p->r.documents, 2);
    expect(p, 1, "Motions/A.pdf", DOC_FILED, false, false);
    expect(p, 2, "Stuff/b.pdf", DOC_INDEXED, false, false);
    d = doc_of(p, 1);
    assert_string_equal(d.original, "a.pdf");
    doc_clear(&d);
}

static void numbers_go_on(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 41, "Inbox/a.pdf", "Motions/A.pdf");
    rebuild(p);
    assert_int_equal(p->row.next_doc, 42);
}

static void the_head_is_that_of_the_journal(void **state)
{
    struct place *p = *state;
    struct journal_head h;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    rebuild(p);
    assert_int_equal(state_head_get(p->s, ID, &h, &p->j.err), 1);
    assert_int_equal(h.seq, p->j.head.seq);
    assert_int_equal(h.size, p->j.head.size);
    assert_true(digest_equal(&h.hash, &p->j.head.hash));
    assert_false(p->row.tampered);
}

static void names_by_hand_stay_so(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "renamed", 1, "Motions/A.pdf", "Motions/mine.pdf");
    say(p, "indexed", 2, NULL, "Stuff/b.pdf");
    say(p, "renamed", 2, "Stuff/b.pdf", "Stuff/c.pdf");
    rebuild(p);
    expect(p, 1, "Motions/mine.pdf", DOC_FILED, true, false);
    expect(p, 2, "Stuff/c.pdf", DOC_INDEXED, false, false);
}

static void what_was_taken_back_stays_so(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "undone", 1, "Motions/A.pdf", "Inbox/a.pdf");
    say(p, "filed", 2, "Inbox/b.pdf", "Motions/B.pdf");
    say(p, "undone", 2, "Motions/B.pdf", "Inbox/b.pdf");
    say(p, "renamed", 2, "Inbox/b.pdf", "Inbox/c.pdf");
    say(p, "filed", 3, "Inbox/itself.pdf", "Motions/C.pdf");
    say(p, "undone", 3, "Motions/C.pdf", "Inbox/itself.pdf");
    rebuild(p);
    /* Taken back by the organizer itself: as if it had never been filed. */
    expect(p, 3, "Inbox/itself.pdf", DOC_INDEXED, false, false);
    expect(p, 1, "Inbox/a.pdf", DOC_INDEXED, false, true);
    expect(p, 2, "Inbox/c.pdf", DOC_INDEXED, false, false);
}

static void what_left_is_gone(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "removed", 1, "Motions/A.pdf", NULL);
    say(p, "filed", 2, "OFFICE/b.pdf", "Motions/B.pdf");
    say(p, "undone", 2, "Motions/B.pdf", "OFFICE/b.pdf");
    rebuild(p);
    expect(p, 1, "Motions/A.pdf", DOC_GONE, false, false);
    expect(p, 2, "Motions/B.pdf", DOC_GONE, false, false);
    assert_int_equal(p->r.documents, 0);
}

static void former_names_are_known_again(void **state)
{
    struct place *p = *state;
    struct doc d;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "renamed", 1, "Motions/A.pdf", "Motions/B.pdf");
    rebuild(p);
    assert_int_equal(state_doc_by_former(p->s, ID, "Inbox/a.pdf", &d, &p->j.err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_former(p->s, ID, "Motions/A.pdf", &d, &p->j.err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_former(p->s, ID, "Motions/B.pdf", &d, &p->j.err), 0);
}

static void who_lay_where_another_came_is_gone(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "indexed", 1, NULL, "a.pdf");
    say(p, "indexed", 2, NULL, "a.pdf");
    rebuild(p);
    expect(p, 1, "a.pdf", DOC_GONE, false, false);
    expect(p, 2, "a.pdf", DOC_INDEXED, false, false);
}

static void a_renamed_folder_takes_its_documents_along(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "indexed", 1, NULL, "Stuff/deep/a.pdf");
    say(p, "indexed", 2, NULL, "Stuffing/b.pdf");
    say(p, "moved", 0, "Stuff", "Things");
    rebuild(p);
    expect(p, 1, "Things/deep/a.pdf", DOC_INDEXED, false, false);
    expect(p, 2, "Stuffing/b.pdf", DOC_INDEXED, false, false);
}

static void the_case_is_as_its_lines_say(void **state)
{
    struct place *p = *state;

    say(p, "adopted", 0, NULL, NULL);
    say(p, "closed", 0, NULL, NULL);
    rebuild(p);
    assert_true(p->row.closed);
    assert_true(p->row.adopted_ns == NOW + HOUR);
}

static void reopened_is_open(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "closed", 0, NULL, NULL);
    say(p, "reopened", 0, NULL, NULL);
    rebuild(p);
    assert_false(p->row.closed);
    assert_true(p->row.adopted_ns == 0);
}

/* Changes one byte of the journal, at the first `what`. */
static void edit(struct place *p, const char *what)
{
    int fd = openat(p->j.fd, ".organizer/journal.jsonl", O_RDWR | O_CLOEXEC);
    char text[8192];
    ssize_t n = read(fd, text, sizeof text - 1);
    const char *at;

    assert_true(n > 0);
    text[n] = '\0';
    at = strstr(text, what);
    assert_non_null(at);
    assert_int_equal(pwrite(fd, "X", 1, at - text), 1);
    close(fd);
}

static void a_broken_chain_is_told(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "filed", 2, "Inbox/b.pdf", "Motions/B.pdf");
    edit(p, "a.pdf");
    rebuild(p);
    assert_true(p->row.tampered);
}

/* ---- journal_accept() ------------------------------------------------------------------------ */

static void count(void *ctx, uint64_t line, const char *what)
{
    (void)line, (void)what;
    ++*(int *)ctx;
}

static int faults(struct place *p)
{
    enum journal_standing standing;
    int n = 0;

    assert_true(journal_check(p->j.fd, &p->j.head, count, &n, &standing, &p->j.err) >= 0);
    return n;
}

static void take_up(struct place *p, bool accept)
{
    AUTO_STR struct str body = STR_INIT;
    enum journal_standing standing;
    const char *b;

    journal_body(&body, NOW, "taken-up");
    if (accept)
        assert_int_equal(journal_accept(p->j.fd, &body, &p->j.err), 0);
    b = str_c(&body);
    assert_int_equal(journal_append(p->j.fd, &p->j.head, &b, 1, 1, NOW, false, &standing, &p->j.err),
                     0);
}

static void taking_up_answers_for_a_line_in_the_middle(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "filed", 2, "Inbox/b.pdf", "Motions/B.pdf");
    assert_int_equal(faults(p), 0);
    edit(p, "a.pdf");
    assert_true(faults(p) > 0);
    take_up(p, true);
    assert_int_equal(faults(p), 0);
}

static void taking_up_without_saying_what_answers_for_nothing(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "filed", 2, "Inbox/b.pdf", "Motions/B.pdf");
    edit(p, "a.pdf");
    take_up(p, false);
    assert_true(faults(p) > 0);
}

static void a_change_behind_the_answer_is_found(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "filed", 2, "Inbox/b.pdf", "Motions/B.pdf");
    edit(p, "a.pdf");
    take_up(p, true);
    edit(p, "A.pdf");
    assert_true(faults(p) > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* A line with these members behind its kind. */
static void say_more(struct place *p, const char *kind, const char *members)
{
    AUTO_STR struct str b = STR_INIT;
    enum journal_standing standing;
    const char *body;

    p->j.now += HOUR;
    journal_body(&b, p->j.now, kind);
    str_addf(&b, ",%s", members);
    body = str_c(&b);
    assert_int_equal(
        journal_append(p->j.fd, &p->j.head, &body, 1, 1, p->j.now, false, &standing, &p->j.err), 0);
}

static void say_archived(struct place *p, const char *name)
{
    struct archive_row row = {.size = 17, .documents = 3};
    AUTO_FREE char *path = xasprintf("Archive/%s", name);
    AUTO_STR struct str b = STR_INIT;

    row.path = path;
    memcpy(row.case_id, ID, sizeof row.case_id);
    row.digest = digest_of(name, strlen(name));
    row.content = digest_of("content", 7);
    archive_row_write(&b, &row);
    say_more(p, "archived", str_c(&b));
}

static void former_names_of_the_case_are_known(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say_more(p, "case-renamed", "\"was\":\"Clients/Smith_Divorce\"");
    say_more(p, "case-renamed", "\"was\":\"Smyth_Divorce\"");
    say_more(p, "case-renamed", "\"wasnt\":\"x\"");
    rebuild(p);
    assert_string_equal(p->row.former, "Smith_Divorce/Smyth_Divorce");
}

static void what_was_there_before_stays_so(void **state)
{
    struct place *p = *state;
    struct doc d;

    say(p, "opened", 0, NULL, NULL);
    say_more(p, "indexed",
             "\"doc\":1,\"to\":\"Stuff/a.pdf\",\"before\":true,\"sha256\":\"no digest\"");
    say_more(p, "noted", "\"doc\":1");
    say_more(p, "indexed", "\"doc\":99999999999,\"to\":\"b.pdf\"");
    say_more(p, "indexed", "\"doc\":-1,\"to\":\"c.pdf\"");
    rebuild(p);
    d = doc_of(p, 1);
    assert_true(d.before);
    assert_true(digest_is_zero(&d.digest));
    doc_clear(&d);
    assert_int_equal(p->r.documents, 1);
    /* Put into the Inbox it was to get a name. */
    say(p, "renamed", 1, "Stuff/a.pdf", "Inbox/a.pdf");
    rebuild(p);
    d = doc_of(p, 1);
    assert_false(d.before);
    doc_clear(&d);
}

static void what_left_a_renamed_folder_before_is_gone(void **state)
{
    struct place *p = *state;

    say(p, "opened", 0, NULL, NULL);
    say(p, "indexed", 1, NULL, "Stuff/a.pdf");
    say(p, "removed", 1, "Stuff/a.pdf", NULL);
    say(p, "moved", 0, "Stuff", "Things");
    say(p, "moved", 0, "Stuff", NULL);
    rebuild(p);
    expect(p, 1, "Things/a.pdf", DOC_GONE, false, false);
}

/* A plan and a version are acts of the organizer's, too; an edit under the same name is nobody's
 * naming. */
static void every_act_of_the_organizer_counts_as_filed(void **state)
{
    struct place *p = *state;
    struct doc d;

    say(p, "applied", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "version", 2, "Inbox/b.pdf", "Motions/B-v2.pdf");
    say(p, "filed", 3, NULL, "Motions/C.pdf");
    say(p, "edited", 1, NULL, "Motions/A.pdf");
    say(p, "renamed", 2, "Motions/B-v2.pdf", "Motions/mine.pdf");
    rebuild(p);
    expect(p, 1, "Motions/A.pdf", DOC_FILED, false, false);
    expect(p, 2, "Motions/mine.pdf", DOC_FILED, true, false);
    expect(p, 3, "Motions/C.pdf", DOC_FILED, false, false);
    d = doc_of(p, 2);
    assert_string_equal(d.original, "b.pdf");
    doc_clear(&d);
}

/* Its documents move with it, and those of a folder that begins as it does stay. */
static void only_what_lies_in_a_renamed_folder_moves(void **state)
{
    struct place *p = *state;

    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say(p, "filed", 2, "Inbox/b.pdf", "Motions 2024/B.pdf");
    say(p, "filed", 3, "Inbox/c.pdf", "Evidence/C.pdf");
    say(p, "moved", 0, "Motions", "Old Motions");
    rebuild(p);
    expect(p, 1, "Old Motions/A.pdf", DOC_FILED, false, false);
    expect(p, 2, "Motions 2024/B.pdf", DOC_FILED, false, false);
    expect(p, 3, "Evidence/C.pdf", DOC_FILED, false, false);
}

static void an_archive_that_was_removed_stays_so(void **state)
{
    struct place *p = *state;
    struct archive_row row;

    say(p, "opened", 0, NULL, NULL);
    say_archived(p, "old.zip");
    say_archived(p, "new.zip");
    say_more(p, "archived", "\"archive\":\"Archive/unclear.zip\"");
    say_more(p, "verified", "\"archive\":\"Archive/new.zip\"");
    say_more(p, "verified", "\"documents\":7");
    say_more(p, "pruned", "\"archive\":\"Archive/old.zip\"");
    say_more(p, "pruned", "\"archive\":\"Archive/other.zip\"");
    rebuild(p);
    assert_int_equal(state_archive_at(p->s, "Archive/old.zip", &row, &p->j.err), 0);
    assert_int_equal(state_archive_at(p->s, "Archive/unclear.zip", &row, &p->j.err), 0);
    assert_int_equal(state_archive_at(p->s, "Archive/new.zip", &row, &p->j.err), 1);
    assert_true(row.verified_ns > row.made_ns);
    archive_row_clear(&row);
}

static void lines_that_lead_out_of_the_case_are_passed_over(void **state)
{
    static const char *const paths[] = {"../Jones_Probate/a.pdf", "/etc/passwd", "Work/../../a.pdf", "..", "", ".",
                                        "Work//a.pdf", "Work/./a.pdf", "Work/", ".organizer/journal.jsonl"};
    struct place *p = *state;
    struct doc d;

    say(p, "opened", 0, NULL, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        say(p, "indexed", 1 + (int64_t)i, NULL, paths[i]);
        say(p, "filed", 101 + (int64_t)i, paths[i], "Motions/A.pdf");
    }
    say(p, "filed", 201, "Inbox/..a.pdf", "Motions/..A.pdf");
    say(p, "moved", 0, "Motions", "../Jones_Probate");
    rebuild(p);
    assert_int_equal(p->r.documents, 1);
    for (int64_t i = 1; i < 200; i++)
        assert_int_equal(state_doc_by_number(p->s, ID, i, &d, &p->j.err), 0);
    expect(p, 201, "Motions/..A.pdf", DOC_FILED, false, false);
}

static void an_archive_that_is_none_or_is_known_as_another_case_s_is_not_taken(void **state)
{
    struct place *p = *state;
    char theirs[] = "Archive/theirs.zip";
    struct archive_row others = {.case_id = "fedcba9876543210fedcba9876543210", .path = theirs}, row;

    assert_int_equal(state_begin(p->s, &p->j.err), 0);
    assert_int_equal(state_archive_put(p->s, &others, &p->j.err), 0);
    assert_int_equal(state_commit(p->s, &p->j.err), 0);
    say(p, "opened", 0, NULL, NULL);
    say_archived(p, "theirs.zip");
    say_archived(p, "../Jones_Probate/will.pdf");
    say_archived(p, "ours.zip");
    rebuild(p);
    assert_int_equal(state_archive_at(p->s, theirs, &row, &p->j.err), 1);
    assert_string_equal(row.case_id, others.case_id);
    archive_row_clear(&row);
    assert_int_equal(state_archive_at(p->s, "Archive/../Jones_Probate/will.pdf", &row, &p->j.err), 0);
    assert_int_equal(state_archive_last(p->s, ID, &row, &p->j.err), 1);
    assert_string_equal(row.path, "Archive/ours.zip");
    archive_row_clear(&row);
}

static void a_private_state_that_fails_is_told(void **state)
{
    struct place *p = *state;
    unsigned n = 0;
    int rc;

    say(p, "opened", 0, NULL, NULL);
    say(p, "indexed", 1, NULL, "Inbox/a.pdf");
    say(p, "filed", 1, "Inbox/a.pdf", "Motions/A.pdf");
    say_archived(p, "new.zip");
    do {
        struct error err = ERROR_INIT;

        assert_int_equal(state_begin(p->s, &err), 0);
        sql_fail_at(++n, SQLITE_IOERR);
        rc = rebuild_case(p->s, p->j.fd, &p->row, &p->r, &err);
        sql.at = 0;
        state_rollback(p->s);
        assert_true(rc == 0 || *err.text != '\0');
    } while (rc < 0);
    assert_true(n > 5);
    rebuild(p);
    expect(p, 1, "Motions/A.pdf", DOC_FILED, false, false);
}

static void what_archives_there_are_comes_back(void **state)
{
    struct place *p = *state;
    struct archive_row row = {.path = (char[]){"Archive/Smith_Divorce_Archive_2026-11-23.zip"},
                              .size = 17,
                              .documents = 3,
                              .intermediate = true},
                       back;
    AUTO_STR struct str b = STR_INIT;
    enum journal_standing standing;
    const char *body;

    memcpy(row.case_id, ID, sizeof row.case_id);
    row.digest = digest_of("archive", 7);
    row.content = digest_of("content", 7);
    say(p, "opened", 0, NULL, NULL);
    journal_body(&b, p->j.now, "archived");
    archive_row_write(&b, &row);
    body = str_c(&b);
    assert_int_equal(
        journal_append(p->j.fd, &p->j.head, &body, 1, 1, p->j.now, false, &standing, &p->j.err), 0);
    rebuild(p);
    assert_int_equal(state_archive_last(p->s, ID, &back, &p->j.err), 1);
    assert_string_equal(back.path, row.path);
    assert_true(digest_equal(&back.digest, &row.digest));
    assert_true(digest_equal(&back.content, &row.content));
    assert_int_equal(back.size, 17);
    assert_int_equal(back.documents, 3);
    assert_false(back.intermediate); /* or the next night might remove what others wrote there */
    archive_row_clear(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_journal_nothing_is_made),
        TEST(filed_documents_are_filed),
        TEST(numbers_go_on),
        TEST(the_head_is_that_of_the_journal),
        TEST(names_by_hand_stay_so),
        TEST(what_was_taken_back_stays_so),
        TEST(what_left_is_gone),
        TEST(former_names_are_known_again),
        TEST(who_lay_where_another_came_is_gone),
        TEST(a_renamed_folder_takes_its_documents_along),
        TEST(the_case_is_as_its_lines_say),
        TEST(reopened_is_open),
        TEST(former_names_of_the_case_are_known),
        TEST(what_was_there_before_stays_so),
        TEST(what_left_a_renamed_folder_before_is_gone),
        TEST(what_archives_there_are_comes_back),
        TEST(every_act_of_the_organizer_counts_as_filed),
        TEST(only_what_lies_in_a_renamed_folder_moves),
        TEST(an_archive_that_was_removed_stays_so),
        TEST(lines_that_lead_out_of_the_case_are_passed_over),
        TEST(an_archive_that_is_none_or_is_known_as_another_case_s_is_not_taken),
        TEST(a_private_state_that_fails_is_told),
        TEST(a_broken_chain_is_told),
        TEST(taking_up_answers_for_a_line_in_the_middle),
        TEST(taking_up_without_saying_what_answers_for_nothing),
        TEST(a_change_behind_the_answer_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
