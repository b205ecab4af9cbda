/* catalogue: entries come, change, go, and are found by what they say. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "search/passage.h"
#include "search_place.h"

struct found {
    int64_t numbers[16];
    size_t len;
    char *passage; /* of the last one */
};

static bool all(void *ctx, const struct catalogue_entry *e)
{
    (void)ctx;
    (void)e;
    return true;
}

static void take(void *ctx, const struct catalogue_entry *e, const struct catalogue_shown *shown)
{
    struct found *f = ctx;

    f->numbers[f->len++] = e->number;
    free(f->passage);
    f->passage = xstrdup(shown->passage);
}

static struct found look(struct search_place *p, const char *expression, const char *case_id)
{
    struct found f = {.len = 0};
    struct catalogue_search s = {.expression = expression,
                                 .case_id = case_id,
                                 .limit = 16,
                                 .limit_ms = 10000,
                                 .admits = all,
                                 .taken = take,
                                 .ctx = &f};

    assert_int_equal(catalogue_look(p->catalogue, &s, &p->err), 0);
    free(f.passage);
    f.passage = NULL;
    return f;
}

/* The place in the text of the one entry that is found; NULL when there is none. Caller frees. */
static char *passage_of(struct search_place *p, const char *expression)
{
    struct found f = {.len = 0};
    struct catalogue_search s = {
        .expression = expression, .limit = 16, .limit_ms = 10000, .admits = all, .taken = take, .ctx = &f};

    assert_int_equal(catalogue_look(p->catalogue, &s, &p->err), 0);
    return f.passage;
}

static size_t hits(struct search_place *p, const char *expression)
{
    return look(p, expression, NULL).len;
}

static void a_text_is_found_by_any_form_of_its_words(void **state)
{
    struct search_place *p = *state;

    assert_int_equal(place_text(p, case_a, 1, "x.pdf", "The Court GRANTED the motions."), 0);
    assert_int_equal(hits(p, "\"motion\""), 1);
    assert_int_equal(hits(p, "\"granting\""), 1);
    assert_int_equal(hits(p, "\"court granted\""), 1);
    assert_int_equal(hits(p, "\"granted court\""), 0);
    assert_int_equal(hits(p, "\"smith\""), 0);
}

static void a_beginning_is_compared_with_words_as_written(void **state)
{
    struct search_place *p = *state;

    assert_int_equal(place_text(p, case_a, 1, "x", "Notice of depositions"), 0);
    assert_int_equal(hits(p, "\"depositio\" *"), 1);
    assert_int_equal(hits(p, "\"depositions\" *"), 1);
    assert_int_equal(hits(p, "\"depositor\" *"), 0);
}

static void unspaced_scripts_are_found_by_any_part(void **state)
{
    struct search_place *p = *state;

    assert_int_equal(
        place_text(p, case_a, 1, "x", "\xE8\xB3\x83\xE8\xB2\xB8\xE5\xA5\x91\xE7\xB4\x84"), 0);
    assert_int_equal(hits(p, "\"\xE5\xA5\x91\xE7\xB4\x84\""), 1);
    assert_int_equal(hits(p, "\"\xE7\xB4\x84\xE5\xA5\x91\""), 0);
}

static void a_new_text_takes_the_place_of_the_old(void **state)
{
    struct search_place *p = *state;

    place_text(p, case_a, 1, "x", "lease");
    place_text(p, case_a, 1, "x", "mortgage");
    assert_int_equal(hits(p, "\"lease\""), 0);
    assert_int_equal(hits(p, "\"mortgage\""), 1);
}

static void a_renamed_entry_keeps_its_text(void **state)
{
    struct search_place *p = *state;
    struct catalogue_entry e;

    place_text(p, case_a, 1, "scan0001.pdf", "lease");
    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_rename(p->catalogue, case_a, 1, "letter.pdf", &p->err), 0);
    assert_int_equal(catalogue_commit(p->catalogue, &p->err), 0);
    assert_int_equal(hits(p, "\"scan0001\""), 0);
    assert_int_equal(hits(p, "\"letter\" AND \"lease\""), 1);
    assert_int_equal(catalogue_get(p->catalogue, case_a, 1, &e, &p->err), 1);
    assert_string_equal(e.name, "letter.pdf");
    catalogue_entry_clear(&e);
}

static void a_removed_entry_is_gone(void **state)
{
    struct search_place *p = *state;
    struct catalogue_entry e;
    int64_t all, by_name;

    place_text(p, case_a, 1, "x", "lease");
    place_text(p, case_a, 2, "y", "lease");
    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_remove(p->catalogue, case_a, 1, &p->err), 0);
    assert_int_equal(catalogue_remove(p->catalogue, case_b, 1, &p->err), 0);
    assert_int_equal(catalogue_commit(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_tidy(p->catalogue, &p->err), 0);
    assert_int_equal(hits(p, "\"lease\""), 1);
    assert_int_equal(catalogue_get(p->catalogue, case_a, 1, &e, &p->err), 0);
    assert_int_equal(catalogue_count(p->catalogue, &all, &by_name, &p->err), 0);
    assert_int_equal(all, 1);
    assert_int_equal(by_name, 0);
}

static void what_is_undone_was_never_there(void **state)
{
    struct search_place *p = *state;
    struct catalogue_entry e = {.number = 1, .digest = {{1}}};

    memcpy(e.case_id, case_a, CASE_ID_SIZE);
    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_put(p->catalogue, &e, "lease", 5, &p->err), 0);
    catalogue_rollback(p->catalogue);
    assert_int_equal(hits(p, "\"lease\""), 0);
}

static void the_same_bytes_say_the_same_elsewhere(void **state)
{
    struct search_place *p = *state;
    struct digest d = digest_of_text("lease");
    struct digest none = digest_of_text("other");

    place_text(p, case_a, 1, "x", "lease");
    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_take_over(p->catalogue, case_b, 9, "new", &d, &p->err), 1);
    assert_int_equal(catalogue_take_over(p->catalogue, case_b, 10, "new", &none, &p->err), 0);
    assert_int_equal(catalogue_commit(p->catalogue, &p->err), 0);
    assert_int_equal(hits(p, "\"lease\""), 2);
    assert_int_equal(look(p, "\"lease\"", case_b).numbers[0], 9);
    assert_int_equal(look(p, "\"new\"", case_a).len, 0);
}

static void a_name_weighs_more_than_a_text(void **state)
{
    struct search_place *p = *state;
    struct found f;

    place_text(p, case_a, 1, "notes.txt", "some subpoena or other subpoena is mentioned here");
    place_text(p, case_a, 2, "Subpoena.pdf", "you are commanded to appear");
    f = look(p, "\"subpoena\"", NULL);
    assert_int_equal(f.len, 2);
    assert_int_equal(f.numbers[0], 2);
}

static void a_passage_shows_the_hits(void **state)
{
    struct search_place *p = *state;
    char *s;

    place_text(
        p, case_a, 1, "dismiss.pdf",
        "one two three four five six seven eight\nnine  ten the motion\n\nto dismiss is denied");
    s = passage_of(p, "\"motions to dismissing\"");
    assert_string_equal(
        s, "\xE2\x80\xA6 six seven eight nine ten the \x02motion to dismiss\x03 is denied");
    free(s);
    assert_null(passage_of(p, "{name} : \"dismiss\""));
    assert_null(passage_of(p, "\"unicorn\""));
}

static void a_passage_is_where_most_words_stand_together(void **state)
{
    struct search_place *p = *state;
    AUTO_STR struct str text = STR_INIT;
    char *s;

    str_add(&text, "rent ");
    for (int i = 0; i < 5000; i++)
        str_addf(&text, "w%d ", i);
    str_add(&text, "rent of the leased premises ");
    for (int i = 0; i < 5000; i++)
        str_addf(&text, "v%d ", i);
    place_text(p, case_a, 1, "x", str_c(&text));
    s = passage_of(p, "\"rent\" AND \"lease\"");
    assert_non_null(strstr(s, "\x02rent\x03 of the \x02leased\x03 premises"));
    assert_true(strlen(s) < 300);
    free(s);
}

static void a_passage_has_no_control_characters(void **state)
{
    struct search_place *p = *state;
    char *s;

    place_text(p, case_a, 1, "x",
               "a\x02"
               "b\x1B[31m lease\x03 \x7F c");
    s = passage_of(p, "\"lease\"");
    assert_string_equal(s, "a b [31m \x02lease\x03 c");
    free(s);
}

static void nothing_is_read_from_no_catalogue(void **state)
{
    struct search_place *p = *state;

    catalogue_close(p->catalogue);
    catalogue_delete(p->dir);
    p->catalogue = catalogue_open(p->dir, true, &p->err);
    assert_null(p->catalogue);
    assert_int_equal(p->err.number, ENOENT);
}

static void a_damaged_catalogue_is_made_anew(void **state)
{
    struct search_place *p = *state;
    AUTO_FREE char *path = xasprintf("%s/" CATALOGUE_NAME, p->dir);
    int fd;

    place_text(p, case_a, 1, "x", "lease");
    catalogue_close(p->catalogue);
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, "this is no database of any kind", 31), 31);
    close(fd);
    p->catalogue = catalogue_open(p->dir, true, &p->err);
    assert_null(p->catalogue);
    p->catalogue = catalogue_open(p->dir, false, &p->err);
    assert_non_null(p->catalogue);
    assert_int_equal(hits(p, "\"lease\""), 0);
    assert_int_equal(place_text(p, case_a, 1, "x", "lease"), 0);
    assert_int_equal(hits(p, "\"lease\""), 1);
}

static void it_is_for_nobody_else(void **state)
{
    struct search_place *p = *state;
    AUTO_FREE char *path = xasprintf("%s/" CATALOGUE_NAME, p->dir);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
}

static void a_reader_sees_what_is_committed(void **state)
{
    struct search_place *p = *state;
    struct catalogue *reader = catalogue_open(p->dir, true, &p->err);
    struct found f = {.len = 0};
    struct catalogue_search s = {
        .expression = "\"lease\"", .limit = 16, .limit_ms = 10000, .admits = all, .taken = take, .ctx = &f};

    assert_non_null(reader);
    place_text(p, case_a, 1, "x", "lease");
    assert_int_equal(catalogue_look(reader, &s, &p->err), 0);
    assert_int_equal(f.len, 1);
    free(f.passage);
    assert_int_equal(catalogue_begin(reader, &p->err), -1); /* it only reads */
    catalogue_close(reader);
}

static void a_search_that_takes_too_long_is_given_up(void **state)
{
    struct search_place *p = *state;
    struct found f = {.len = 0};
    struct catalogue_search s = {
        .expression = "\"lease\"", .limit = 16, .limit_ms = -1, .admits = all, .taken = take, .ctx = &f};

    catalogue_begin(p->catalogue, &p->err);
    for (int i = 1; i <= 2000; i++) {
        struct catalogue_entry e = {.number = i};

        memcpy(e.case_id, case_a, CASE_ID_SIZE);
        assert_int_equal(catalogue_put(p->catalogue, &e, "lease", 5, &p->err), 0);
    }
    catalogue_commit(p->catalogue, &p->err);
    assert_int_equal(catalogue_look(p->catalogue, &s, &p->err), -1);
    assert_int_equal(p->err.number, ETIMEDOUT);
    assert_int_equal(hits(p, "\"lease\""), 16);
}

static int count(void *ctx, const struct catalogue_entry *e)
{
    (void)e;
    return ++*(int *)ctx == 700 ? 7 : 0;
}

static void each_entry_is_shown_once(void **state)
{
    struct search_place *p = *state;
    int n = 0;

    catalogue_begin(p->catalogue, &p->err);
    for (int i = 1; i <= 600; i++) {
        struct catalogue_entry e = {.number = i};

        memcpy(e.case_id, i % 2 ? case_a : case_b, CASE_ID_SIZE);
        assert_int_equal(catalogue_put(p->catalogue, &e, NULL, 0, &p->err), 0);
    }
    catalogue_commit(p->catalogue, &p->err);
    assert_int_equal(catalogue_each(p->catalogue, count, &n, &p->err), 0);
    assert_int_equal(n, 600);
    n = 650;
    assert_int_equal(catalogue_each(p->catalogue, count, &n, &p->err), 7);
}

#define each_test(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each_test(a_text_is_found_by_any_form_of_its_words),
        each_test(a_beginning_is_compared_with_words_as_written),
        each_test(unspaced_scripts_are_found_by_any_part),
        each_test(a_new_text_takes_the_place_of_the_old),
        each_test(a_renamed_entry_keeps_its_text),
        each_test(a_removed_entry_is_gone),
        each_test(what_is_undone_was_never_there),
        each_test(the_same_bytes_say_the_same_elsewhere),
        each_test(a_name_weighs_more_than_a_text),
        each_test(a_passage_shows_the_hits),
        each_test(a_passage_is_where_most_words_stand_together),
        each_test(a_passage_has_no_control_characters),
        each_test(nothing_is_read_from_no_catalogue),
        each_test(a_damaged_catalogue_is_made_anew),
        each_test(it_is_for_nobody_else),
        each_test(a_reader_sees_what_is_committed),
        each_test(a_search_that_takes_too_long_is_given_up),
        each_test(each_entry_is_shown_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
