/* echoes: the filer's own renames are told once each, everything else is told to whoever looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "file/echoes.h"

static int make(void **state)
{
    *state = echoes_new();
    return 0;
}

static int unmake(void **state)
{
    echoes_free(*state);
    echoes_free(NULL);
    return 0;
}

enum { LEFT, CAME };

static void both_events_of_a_rename_are_its_echo_once(void **state)
{
    struct echoes *e = *state;

    assert_false(echoes_take(e, "Inbox/a.pdf", LEFT, 1));
    echoes_expect(e, "Inbox/a.pdf", "Motions/b.pdf");
    assert_true(echoes_take(e, "Inbox/a.pdf", LEFT, 2));
    assert_true(echoes_take(e, "Motions/b.pdf", CAME, 2));
    assert_false(echoes_take(e, "Inbox/a.pdf", LEFT, 2));
    assert_false(echoes_take(e, "Motions/b.pdf", CAME, 2));
}

static void the_other_way_round_it_is_somebody_else(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "Inbox/a.pdf", "Motions/b.pdf");
    assert_false(echoes_take(e, "Inbox/a.pdf", CAME, 1));
    assert_false(echoes_take(e, "Motions/b.pdf", LEFT, 1));
    assert_true(echoes_take(e, "Inbox/a.pdf", LEFT, 2));
    assert_false(echoes_take(e, "Motions/b", CAME, 2));
    assert_true(echoes_take(e, "Motions/b.pdf", CAME, 2));
}

/* No watch was there yet, or the event is still to come. */
static void what_comes_by_another_rename_is_somebody_else(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "Inbox/a.pdf", "Motions/b.pdf");
    assert_false(echoes_take(e, "Motions/b.pdf", CAME, 7));
    echoes_expect(e, "Inbox/c.pdf", "Motions/d.pdf");
    assert_true(echoes_take(e, "Inbox/c.pdf", LEFT, 8));
    assert_false(echoes_take(e, "Motions/d.pdf", LEFT, 9));
    assert_false(echoes_take(e, "Motions/d.pdf", CAME, 10));
    assert_false(echoes_take(e, "Motions/d.pdf", CAME, 8));
}

static void a_leaving_of_somebody_else_changes_nothing(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "a", "b");
    echoes_expect(e, "c", "d");
    assert_true(echoes_take(e, "a", LEFT, 1));
    assert_false(echoes_take(e, "x", LEFT, 2));
    assert_true(echoes_take(e, "b", CAME, 1));
    assert_true(echoes_take(e, "c", LEFT, 3));
    assert_true(echoes_take(e, "d", CAME, 3));
}

static void what_was_not_renamed_is_not_expected(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "a", "b");
    echoes_expect(e, "c", "d");
    echoes_recall(e, "a", "b");
    assert_false(echoes_take(e, "a", LEFT, 1));
    assert_true(echoes_take(e, "c", LEFT, 2));
    assert_false(echoes_take(e, "b", CAME, 2));
    echoes_forget(e);
    assert_false(echoes_take(e, "d", CAME, 2));
}

static void one_name_given_twice_has_one_echo(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "a", "b");
    echoes_expect(e, "a", "b");
    assert_true(echoes_take(e, "a", LEFT, 1));
    assert_true(echoes_take(e, "b", CAME, 1));
    assert_false(echoes_take(e, "b", CAME, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_events_of_a_rename_are_its_echo_once, make, unmake),
        cmocka_unit_test_setup_teardown(the_other_way_round_it_is_somebody_else, make, unmake),
        cmocka_unit_test_setup_teardown(what_comes_by_another_rename_is_somebody_else, make, unmake),
        cmocka_unit_test_setup_teardown(a_leaving_of_somebody_else_changes_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(what_was_not_renamed_is_not_expected, make, unmake),
        cmocka_unit_test_setup_teardown(one_name_given_twice_has_one_echo, make, unmake),
    };

    return cmocka_run_group_tests_name("echoes", tests, NULL, NULL);
}
