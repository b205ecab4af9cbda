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

static void both_events_of_a_rename_are_its_echo_once(void **state)
{
    struct echoes *e = *state;

    assert_false(echoes_take(e, "Inbox/a.pdf", false));
    echoes_expect(e, "Inbox/a.pdf", "Motions/b.pdf");
    assert_true(echoes_take(e, "Inbox/a.pdf", false));
    assert_true(echoes_take(e, "Motions/b.pdf", true));
    assert_false(echoes_take(e, "Inbox/a.pdf", false));
    assert_false(echoes_take(e, "Motions/b.pdf", true));
}

static void the_other_way_round_it_is_somebody_else(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "Inbox/a.pdf", "Motions/b.pdf");
    assert_false(echoes_take(e, "Inbox/a.pdf", true));
    assert_false(echoes_take(e, "Motions/b.pdf", false));
    assert_false(echoes_take(e, "Motions/b", true));
    assert_true(echoes_take(e, "Motions/b.pdf", true));
}

static void what_was_not_renamed_is_not_expected(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "a", "b");
    echoes_expect(e, "c", "d");
    echoes_recall(e, "a", "b");
    assert_false(echoes_take(e, "a", false));
    assert_false(echoes_take(e, "b", true));
    assert_true(echoes_take(e, "c", false));
    echoes_forget(e);
    assert_false(echoes_take(e, "d", true));
}

static void one_name_given_twice_has_one_echo(void **state)
{
    struct echoes *e = *state;

    echoes_expect(e, "a", "b");
    echoes_expect(e, "a", "b");
    assert_true(echoes_take(e, "b", true));
    assert_false(echoes_take(e, "b", true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_events_of_a_rename_are_its_echo_once, make, unmake),
        cmocka_unit_test_setup_teardown(the_other_way_round_it_is_somebody_else, make, unmake),
        cmocka_unit_test_setup_teardown(what_was_not_renamed_is_not_expected, make, unmake),
        cmocka_unit_test_setup_teardown(one_name_given_twice_has_one_echo, make, unmake),
    };

    return cmocka_run_group_tests_name("echoes", tests, NULL, NULL);
}
