/* early: watches that are set before their folder is entered, and what came of them until then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/early.h"

static int ready(void **state)
{
    static struct early e;

    early_init(&e);
    *state = &e;
    return 0;
}

static int done(void **state)
{
    early_clear(*state);
    return 0;
}

/* Three folders, open as 10, 11 and 12; their watches are 1, 2 and 3. */
static void set_three(struct early *e)
{
    for (int i = 0; i < 3; i++) {
        early_begin(e);
        early_end(e, 10 + i, 1 + i, 0);
    }
}

static struct early_watch take(struct early *e, int dirfd)
{
    struct early_watch x = {.wd = -2};

    assert_true(early_take(e, dirfd, &x));
    assert_int_equal(x.dirfd, dirfd);
    return x;
}

static void each_is_taken_once_in_whatever_order(void **state)
{
    static const int order[] = {11, 12, 10};
    struct early *e = *state;
    struct early_watch x;

    assert_false(early_take(e, 10, &x));
    set_three(e);
    assert_false(early_take(e, 13, &x));
    for (int i = 0; i < 3; i++) {
        x = take(e, order[i]);
        assert_int_equal(x.wd, order[i] - 9);
        assert_false(x.heard || x.unheard || x.lost);
        assert_false(early_take(e, order[i], &x));
    }
}

static void what_a_watch_told_is_told_of_its_folder_alone(void **state)
{
    struct early *e = *state;
    struct early_watch x;

    set_three(e);
    assert_false(early_event(e, 4, true, false));
    assert_true(early_event(e, 2, true, false));
    assert_true(early_event(e, 3, false, true));
    x = take(e, 10);
    assert_false(x.heard || x.unheard || x.lost);
    x = take(e, 11);
    assert_true(x.heard && !x.unheard && !x.lost);
    x = take(e, 12);
    assert_true(!x.heard && x.unheard && x.lost);
    assert_false(early_event(e, 2, true, false)); /* it is nobody's any more */
}

/* Events were lost: any of them may have been about any of these folders, but not about later ones.
 */
static void after_an_overflow_none_counts_as_quiet(void **state)
{
    struct early *e = *state;

    early_overflow(e); /* there are none yet */
    set_three(e);
    early_overflow(e);
    early_begin(e);
    early_end(e, 20, 9, 0);
    for (int i = 0; i < 3; i++)
        assert_true(take(e, 10 + i).unheard);
    assert_false(take(e, 20).unheard);
}

static void why_there_is_no_watch_is_kept(void **state)
{
    struct early *e = *state;
    struct early_watch x;

    early_begin(e);
    early_end(e, 10, -1, ENOSPC);
    early_settle(e);
    x = take(e, 10);
    assert_int_equal(x.wd, -1);
    assert_int_equal(x.error, ENOSPC);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_taken_once_in_whatever_order),
        TEST(what_a_watch_told_is_told_of_its_folder_alone),
        TEST(after_an_overflow_none_counts_as_quiet),
        TEST(why_there_is_no_watch_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
