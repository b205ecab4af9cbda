/* history: what log shows, and what undo takes back in which order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "journal_place.h"
#include "record/history.h"

static int setup(void **state)
{
    *state = xcalloc(1, sizeof(struct journal_place));
    return journal_place_make(*state);
}

static int teardown(void **state)
{
    int rc = journal_place_clear(*state);

    free(*state);
    return rc;
}

#define say journal_place_say

/* ---- log ------------------------------------------------------------------------------------ */

static int join(void *ctx, const struct history_line *line)
{
    AUTO_FREE char *s = xasprintf("%s%lld ", line->kind, (long long)line->doc);

    strcat(ctx, s);
    return 0;
}

static void some_lines(struct journal_place *p)
{
    say(p, "opened", 0, NULL, NULL);
    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "OFFICE/b", "Motions/B");
    say(p, "renamed", 1, "Motions/A", "Motions/C");
}

static void log_shows_all_newest_last(void **state)
{
    struct history_filter all = {0};
    char s[200] = "";

    some_lines(*state);
    assert_int_equal(history_each(((struct journal_place *)*state)->fd, &all, join, s,
                                  &((struct journal_place *)*state)->err),
                     0);
    assert_string_equal(s, "opened0 filed1 filed2 renamed1 ");
}

static void log_shows_one_document(void **state)
{
    struct journal_place *p = *state;
    struct history_filter f = {.doc = 1};
    char s[200] = "";

    some_lines(p);
    history_each(p->fd, &f, join, s, &p->err);
    assert_string_equal(s, "filed1 renamed1 ");
    f.last = 1;
    s[0] = '\0';
    history_each(p->fd, &f, join, s, &p->err);
    assert_string_equal(s, "renamed1 ");
}

static void log_shows_what_came_since(void **state)
{
    struct journal_place *p = *state;
    struct history_filter f = {.since_ns = NOW + 3 * HOUR};
    char s[200] = "";

    some_lines(p);
    history_each(p->fd, &f, join, s, &p->err);
    assert_string_equal(s, "filed2 renamed1 ");
    f.last = 9;
    s[0] = '\0';
    history_each(p->fd, &f, join, s, &p->err);
    assert_string_equal(s, "filed2 renamed1 ");
}

static int see_office(void *ctx, const struct history_line *line)
{
    int *seen = ctx;

    if (line->from_office) {
        assert_null(line->from);
        assert_string_equal(line->from_office, "OFFICE/b");
        assert_string_equal(line->to, "Motions/B");
        assert_int_equal(line->at_ns, NOW + 3 * HOUR);
        assert_int_equal(line->line, 3);
        ++*seen;
    }
    return 0;
}

static void a_line_comes_with_its_members(void **state)
{
    struct journal_place *p = *state;
    struct history_filter all = {0};
    int seen = 0;

    some_lines(p);
    history_each(p->fd, &all, see_office, &seen, &p->err);
    assert_int_equal(seen, 1);
}

static int stop(void *ctx, const struct history_line *line)
{
    (void)ctx, (void)line;
    return 4;
}

static void log_stops_when_told(void **state)
{
    struct journal_place *p = *state;
    struct history_filter all = {0};

    some_lines(p);
    assert_int_equal(history_each(p->fd, &all, stop, NULL, &p->err), 4);
}

static void no_journal_has_no_history(void **state)
{
    struct journal_place *p = *state;
    struct history_filter all = {.last = 3};
    int64_t doc;

    assert_int_equal(history_each(p->fd, &all, stop, NULL, &p->err), 0);
    assert_int_equal(history_doc_at(p->fd, NULL, "x", &doc, &p->err), 0);
}

static void a_path_names_the_document_that_lies_there(void **state)
{
    struct journal_place *p = *state;
    int64_t doc;

    some_lines(p);
    say(p, "filed", 3, "Inbox/c", "Motions/A");
    assert_int_equal(history_doc_at(p->fd, NULL, "Motions/A", &doc, &p->err), 1);
    assert_int_equal(doc, 3);
    assert_int_equal(history_doc_at(p->fd, NULL, "Motions/C", &doc, &p->err), 1);
    assert_int_equal(doc, 1);
    assert_int_equal(history_doc_at(p->fd, NULL, "Inbox/a", &doc, &p->err), 1);
    assert_int_equal(doc, 1);
    assert_int_equal(history_doc_at(p->fd, NULL, "OFFICE/b", &doc, &p->err), 1);
    assert_int_equal(doc, 2);
    assert_int_equal(history_doc_at(p->fd, NULL, "nowhere", &doc, &p->err), 0);
    say(p, "removed", 3, "Motions/A", NULL);
    assert_int_equal(history_doc_at(p->fd, NULL, "Motions/A", &doc, &p->err), 1);
    assert_int_equal(doc, 3);
}

/* ---- undo ----------------------------------------------------------------------------------- */

/* Lines of the outbox for plan_is(). */
static char *on_their_way[2];
static size_t lines_on_their_way;

/* The plan in words: "doc:from>to" for each step, "-doc" for each that is left. */
static void plan_is(struct journal_place *p, struct undo_choice c, const char *expected)
{
    AUTO_STR struct str s = STR_INIT;
    const struct history_decided decided = {.head = p->head, .bodies = on_their_way, .len = lines_on_their_way};
    struct undo_plan plan;

    assert_int_equal(history_undo_plan(p->fd, &decided, &c, &plan, &p->err), 0);
    for (size_t i = 0; i < plan.len; i++) {
        const struct undo_step *u = &plan.steps[i];

        str_addf(&s, "%lld:%s>%s%s%s%s ", (long long)u->doc, u->from, u->to,
                 u->to_office ? "(office)" : "", u->shared ? "(shared)" : "",
                 u->needs_room ? "(room)" : "");
    }
    for (size_t i = 0; i < plan.left_len; i++)
        str_addf(&s, "-%lld%s ", (long long)plan.left[i].doc,
                 plan.left[i].gone ? "(gone)" : "(hand)");
    assert_string_equal(str_c(&s), expected);
    undo_plan_clear(&plan);
}

#define ALL      ((struct undo_choice){.what = UNDO_ALL})
#define LAST(n)  ((struct undo_choice){.what = UNDO_LAST, .last = (n)})
#define SINCE(t) ((struct undo_choice){.what = UNDO_SINCE, .since_ns = (t)})
#define DOC(n)   ((struct undo_choice){.what = UNDO_DOC, .doc = (n)})

static void nothing_filed_is_nothing_to_undo(void **state)
{
    struct journal_place *p = *state;

    plan_is(p, ALL, "");
    say(p, "indexed", 1, NULL, "Notes/x");
    say(p, "renamed", 1, "Notes/x", "Notes/y");
    plan_is(p, ALL, "");
    plan_is(p, DOC(1), "");
    plan_is(p, LAST(5), "");
}

static void nothing_goes_out_of_the_case_by_what_a_journal_says(void **state)
{
    static const char *const paths[] = {"../Jones_Probate/a", "/etc/a", "Work/../../a", "..", "Work//a",
                                        ".organizer/a"};
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        say(p, "renamed", 1, "Motions/A", paths[i]);
        say(p, "filed", 2 + (int64_t)i, paths[i], "Motions/B");
    }
    say(p, "moved", 0, "Motions", "../Jones_Probate");
    say(p, "filed", 99, "OFFICE/../a", "Motions/C");
    plan_is(p, ALL, "1:Motions/A>Inbox/a ");
}

static void the_newest_goes_first(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "OFFICE/b", "Motions/B");
    say(p, "filed", 3, "Inbox/c", "Motions/C");
    plan_is(p, ALL, "3:Motions/C>Inbox/c 2:Motions/B>OFFICE/b(office) 1:Motions/A>Inbox/a ");
}

static void only_the_last_acts(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "Inbox/b", "Motions/B");
    say(p, "edited", 1, NULL, NULL);
    plan_is(p, LAST(1), "2:Motions/B>Inbox/b ");
    plan_is(p, LAST(2), "2:Motions/B>Inbox/b 1:Motions/A>Inbox/a ");
    plan_is(p, LAST(99), "2:Motions/B>Inbox/b 1:Motions/A>Inbox/a ");
    plan_is(p, LAST(0), "");
}

static void only_since_a_time(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "Inbox/b", "Motions/B");
    plan_is(p, SINCE(NOW + 2 * HOUR), "2:Motions/B>Inbox/b ");
    plan_is(p, SINCE(NOW + 3 * HOUR), "");
}

static void several_acts_are_one_step(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "applied", 1, "Motions/A", "Letters/A2");
    plan_is(p, ALL, "1:Letters/A2>Inbox/a ");
    plan_is(p, DOC(1), "1:Letters/A2>Inbox/a ");
    plan_is(p, LAST(1), "1:Letters/A2>Motions/A ");
}

static void what_was_undone_is_not_undone_again(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "undone", 1, "Motions/A", "Inbox/a");
    plan_is(p, ALL, "");
    say(p, "filed", 1, "Inbox/a", "Motions/A");
    plan_is(p, ALL, "1:Motions/A>Inbox/a ");
}

static void half_undone_leaves_the_other_half(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "applied", 1, "Motions/A", "Letters/A2");
    say(p, "undone", 1, "Letters/A2", "Motions/A");
    plan_is(p, ALL, "1:Motions/A>Inbox/a ");
}

static void back_in_the_office_it_is_gone(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "OFFICE/a", "Motions/A");
    say(p, "undone", 1, "Motions/A", "OFFICE/a");
    plan_is(p, ALL, "");
}

static void what_a_person_named_is_left(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "renamed", 1, "Motions/A", "Motions/Mine");
    plan_is(p, ALL, "-1(hand) ");
    plan_is(p, DOC(1), "1:Motions/Mine>Inbox/a ");
    say(p, "filed", 1, "Inbox/Mine", "Motions/A");
    plan_is(p, ALL, "1:Motions/A>Inbox/Mine ");
}

static void what_was_removed_is_left(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "removed", 1, "Motions/A", "Motions/A");
    plan_is(p, ALL, "-1(gone) ");
    plan_is(p, DOC(1), "-1(gone) ");
    say(p, "returned", 1, NULL, "Motions/A");
    plan_is(p, ALL, "1:Motions/A>Inbox/a ");
}

static void a_person_took_it_back_himself(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "renamed", 1, "Motions/A", "Inbox/a");
    plan_is(p, DOC(1), "");
}

static void a_renamed_folder_is_followed(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "Inbox/b", "Motions2/B");
    say(p, "moved", 0, "Motions", "Old Motions");
    plan_is(p, ALL, "2:Motions2/B>Inbox/b 1:Old Motions/A>Inbox/a ");
}

static void a_folder_renamed_after_others_is_followed(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "Inbox/b", "Evidence/B");
    say(p, "removed", 3, NULL, NULL);
    say(p, "noted", 0, "Motions", NULL);
    say(p, "noted", 0, "Motions", "Elsewhere");
    say(p, "moved", 0, "Motions", NULL);
    say(p, "moved", 0, "Motions", "Old Motions");
    plan_is(p, ALL, "2:Evidence/B>Inbox/b 1:Old Motions/A>Inbox/a ");
}

/* A version is filed as any document is; what was filed as it was called moves nowhere. */
static void versions_are_undone_and_names_that_were_right_are_not(void **state)
{
    struct journal_place *p = *state;

    say(p, "version", 1, "Inbox/a", "Motions/A-v2");
    say(p, "filed", 2, "Motions/B", "Motions/B");
    say(p, "filed", 3, NULL, "Motions/C");
    plan_is(p, ALL, "1:Motions/A-v2>Inbox/a ");
}

static void taken_back_elsewhere_nothing_is_left_to_undo(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "applied", 1, "Motions/A", "Evidence/A");
    say(p, "undone", 1, "Evidence/A", "Notes/A");
    plan_is(p, DOC(1), "");
}

static void who_stands_in_the_way_goes_first(void **state)
{
    struct journal_place *p = *state;

    /* 1 left A for B; later 2 was filed as A. Undone newest first, 2 makes room for 1. But had 2
     * come to A by an act that is older than 1's last, the order must still be so. */
    say(p, "applied", 1, "A", "T");
    say(p, "applied", 2, "C", "A");
    say(p, "applied", 1, "T", "B");
    plan_is(p, ALL, "2:A>C 1:B>A ");
}

static void a_ring_needs_room(void **state)
{
    struct journal_place *p = *state;

    say(p, "applied", 1, "A", "T");
    say(p, "applied", 2, "B", "A");
    say(p, "applied", 1, "T", "B");
    plan_is(p, ALL, "2:A>B(room) 1:B>A ");
}

static void only_the_case_of_a_name_is_no_ring(void **state)
{
    struct journal_place *p = *state;

    say(p, "applied", 1, "letter", "Letter");
    plan_is(p, ALL, "1:Letter>letter ");
}

static void two_that_came_under_one_name(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/scan.pdf", "Motions/A");
    say(p, "filed", 2, "Inbox/scan.pdf", "Motions/B");
    plan_is(p, ALL, "2:Motions/B>Inbox/scan.pdf 1:Motions/A>Inbox/scan.pdf(shared) ");
}

static void names_of_any_bytes_are_undone(void **state)
{
    struct journal_place *p = *state;

    say(p, "filed", 1, "Inbox/\xFF\n", "Motions/A");
    plan_is(p, ALL, "1:Motions/A>Inbox/\xFF\n ");
}

static void nothing_is_undone_by_an_edited_journal(void **state)
{
    struct journal_place *p = *state;
    struct undo_choice all = ALL;
    struct undo_plan plan;
    int fd;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    say(p, "filed", 2, "Inbox/b", "Motions/B");
    fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY);
    assert_int_equal(pwrite(fd, "7", 1, 12), 1);
    close(fd);
    assert_int_equal(history_undo_plan(p->fd, &(struct history_decided){.head = p->head}, &all, &plan, &p->err), -1);
    assert_int_equal(p->err.number, EBADMSG);
    assert_int_equal(plan.len, 0);
}

static void what_stands_behind_the_head_does_not_count(void **state)
{
    struct journal_place *p = *state;
    struct journal_head before;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    before = p->head;
    say(p, "filed", 1, "Case.txt", "Motions/A");
    p->head = before;
    plan_is(p, ALL, "1:Motions/A>Inbox/a ");
}

/* Lines that others wrote count in the journal, and not in its numbers. */
static void what_is_on_its_way_comes_behind_all_lines(void **state)
{
    static char filed[] = "\"kind\":\"filed\",\"doc\":3,\"from\":\"Inbox/c\",\"to\":\"Motions/C\"";
    struct journal_place *p = *state;
    struct undo_choice last = {.what = UNDO_LAST, .last = 1};
    int fd;

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "{}\n{}\n{}\n", 9), 9);
    close(fd);
    say(p, "taken-up", 0, NULL, NULL);
    say(p, "filed", 2, "Inbox/b", "Motions/B");
    on_their_way[0] = filed;
    lines_on_their_way = 1;
    plan_is(p, last, "3:Motions/C>Inbox/c ");
    plan_is(p, ALL, "3:Motions/C>Inbox/c 2:Motions/B>Inbox/b 1:Motions/A>Inbox/a ");
    lines_on_their_way = 0;
}

static void what_is_on_its_way_to_the_journal_counts(void **state)
{
    static char filed[] = "\"kind\":\"filed\",\"doc\":2,\"from\":\"Inbox/b\",\"to\":\"Motions/B\"";
    static char undone[] = "\"kind\":\"undone\",\"doc\":1,\"from\":\"Motions/A\",\"to\":\"Inbox/a\"";
    struct journal_place *p = *state;
    struct undo_choice last = {.what = UNDO_LAST, .last = 1};

    say(p, "filed", 1, "Inbox/a", "Motions/A");
    on_their_way[0] = filed;
    on_their_way[1] = undone;
    lines_on_their_way = 1;
    plan_is(p, ALL, "2:Motions/B>Inbox/b 1:Motions/A>Inbox/a ");
    plan_is(p, last, "2:Motions/B>Inbox/b ");
    lines_on_their_way = 2;
    plan_is(p, ALL, "2:Motions/B>Inbox/b ");
    lines_on_their_way = 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(log_shows_all_newest_last),
        T(log_shows_one_document),
        T(log_shows_what_came_since),
        T(a_line_comes_with_its_members),
        T(log_stops_when_told),
        T(no_journal_has_no_history),
        T(a_path_names_the_document_that_lies_there),
        T(nothing_filed_is_nothing_to_undo),
        T(what_is_on_its_way_to_the_journal_counts),
        T(what_is_on_its_way_comes_behind_all_lines),
        T(nothing_goes_out_of_the_case_by_what_a_journal_says),
        T(the_newest_goes_first),
        T(only_the_last_acts),
        T(only_since_a_time),
        T(several_acts_are_one_step),
        T(what_was_undone_is_not_undone_again),
        T(half_undone_leaves_the_other_half),
        T(back_in_the_office_it_is_gone),
        T(what_a_person_named_is_left),
        T(what_was_removed_is_left),
        T(a_person_took_it_back_himself),
        T(a_renamed_folder_is_followed),
        T(a_folder_renamed_after_others_is_followed),
        T(versions_are_undone_and_names_that_were_right_are_not),
        T(taken_back_elsewhere_nothing_is_left_to_undo),
        T(who_stands_in_the_way_goes_first),
        T(a_ring_needs_room),
        T(only_the_case_of_a_name_is_no_ring),
        T(two_that_came_under_one_name),
        T(names_of_any_bytes_are_undone),
        T(nothing_is_undone_by_an_edited_journal),
        T(what_stands_behind_the_head_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
