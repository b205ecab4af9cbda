/* The two maps of the watcher: never in disagreement, and small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "watch/tree.h"

static void count_dropped(void *ctx, folder_id f)
{
    (void)f;
    ++*(int *)ctx;
}

static folder_id put(struct tree *t, const char *path, int wd)
{
    folder_id f = tree_make(t, path);

    return tree_put(t, f, tree_parent(t, f), tree_name(t, f), wd);
}

static void expect_path(const struct tree *t, folder_id f, const char *path)
{
    AUTO_STR struct str s = STR_INIT;

    tree_path(t, f, &s);
    assert_string_equal(str_c(&s), path);
}

static void a_folder_is_found_by_path_and_by_watch(void **state)
{
    int n = 0;
    struct tree *t = tree_new(count_dropped, &n);
    folder_id f = put(t, "a/b/c", 7);

    (void)state;
    assert_int_equal(tree_find(t, "a/b/c"), f);
    assert_int_equal(tree_by_wd(t, 7), f);
    assert_int_equal(tree_find(t, "a/b/x"), TREE_NONE);
    assert_int_equal(tree_find(t, "x/b/c"), TREE_NONE);
    assert_int_equal(tree_find(t, ""), TREE_ROOT);
    assert_int_equal(tree_by_wd(t, 8), TREE_NONE);
    assert_int_equal(tree_by_wd(t, -1), TREE_NONE);
    expect_path(t, f, "a/b/c");
    expect_path(t, TREE_ROOT, "");
    assert_int_equal(tree_count_watched(t), 1);
    tree_free(t);
}

static void a_moved_folder_takes_what_is_below_with_it(void **state)
{
    int n = 0;
    struct tree *t = tree_new(count_dropped, &n);
    folder_id b = put(t, "a/b", 2), c = put(t, "a/b/c", 3);

    (void)state;
    tree_put(t, b, put(t, "d", 4), "e", 2);
    assert_int_equal(tree_find(t, "a/b"), TREE_NONE);
    assert_int_equal(tree_find(t, "a/b/c"), TREE_NONE);
    assert_int_equal(tree_find(t, "d/e/c"), c);
    expect_path(t, c, "d/e/c");
    assert_int_equal(tree_by_wd(t, 3), c);
    assert_int_equal(n, 0);
    tree_free(t);
}

static void a_dropped_folder_takes_what_is_below_with_it(void **state)
{
    int n = 0;
    struct tree *t = tree_new(count_dropped, &n);

    (void)state;
    put(t, "a/b", 2);
    put(t, "a/b/c", 3);
    put(t, "a/d", 4);
    tree_drop(t, tree_find(t, "a/b"));
    assert_int_equal(tree_find(t, "a/b"), TREE_NONE);
    assert_int_equal(tree_by_wd(t, 2), TREE_GOING);
    assert_int_equal(tree_by_wd(t, 3), TREE_GOING);
    assert_int_equal(tree_count_watched(t), 1);
    assert_int_equal(n, 2);
    tree_drop(t, tree_find(t, "a/d"));
    assert_int_equal(tree_find(t, "a"), TREE_NONE); /* led to nothing any more */
    tree_free(t);
}

static void a_given_up_watch_that_comes_back_is_not_removed(void **state)
{
    int n = 0;
    struct tree *t = tree_new(count_dropped, &n);

    (void)state;
    put(t, "a", 2);
    put(t, "b", 3);
    tree_drop(t, tree_find(t, "a"));
    tree_drop(t, tree_find(t, "b"));
    put(t, "c", 2);
    assert_true(tree_has_going(t));
    assert_int_equal(tree_next_going(t), 3);
    assert_int_equal(tree_next_going(t), -1);
    assert_int_equal(tree_by_wd(t, 2), tree_find(t, "c"));
    tree_free(t);
}

static void only_removed_watches_are_forgotten_after_an_overflow(void **state)
{
    int n = 0;
    struct tree *t = tree_new(count_dropped, &n);

    (void)state;
    put(t, "a", 2);
    put(t, "b", 3);
    put(t, "c", 4);
    tree_drop(t, tree_find(t, "a"));
    tree_drop(t, tree_find(t, "b"));
    tree_set_going(t, tree_next_going(t), TREE_GONE);
    tree_forget_gone(t);
    assert_int_equal(tree_by_wd(t, 2), TREE_NONE);
    assert_int_equal(tree_by_wd(t, 3), TREE_GOING);
    assert_int_equal(tree_by_wd(t, 4), tree_find(t, "c"));
    tree_free(t);
}

static bool note(void *ctx, folder_id f)
{
    folder_id *to = ctx;

    while (*to)
        to++;
    *to = f;
    return true;
}

static void only_the_topmost_of_swept_folders_is_told(void **state)
{
    int n = 0;
    struct tree *t = tree_new(count_dropped, &n);
    folder_id seen[8] = {0}, a = tree_make(t, "a"), below = tree_make(t, "a/x/y");

    (void)state;
    tree_set_swept(t, a, SWEPT_LIMIT);
    tree_set_swept(t, below, SWEPT_LIMIT);
    tree_set_swept(t, tree_make(t, "b/c"), SWEPT_TWICE);
    assert_int_equal(tree_count_swept(t, SWEPT_LIMIT), 2);
    tree_each_swept(t, note, seen);
    assert_int_equal(seen[0], a);
    assert_int_equal(seen[1], tree_find(t, "b/c"));
    assert_int_equal(seen[2], 0);
    tree_drop(t, a);
    assert_int_equal(tree_count_swept(t, SWEPT_LIMIT), 0);
    tree_free(t);
}

static void hundred_thousand_folders_take_less_than_12_mb(void **state)
{
    int n = 0;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, after;
    struct tree *t = tree_new(count_dropped, &n);
    char path[64];

    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(path, sizeof path, "Case-%d/Court Papers-%d", i / 20, i);
        put(t, path, i + 1);
    }
    after = mallinfo2().uordblks + mallinfo2().hblkhd;
    if (after == before)
        print_message("skipped: this malloc does not count\n");
    assert_true(after - before < 12u << 20);
    for (int i = 0; i < 100000; i += 3) {
        snprintf(path, sizeof path, "Case-%d/Court Papers-%d", i / 20, i);
        tree_drop(t, tree_find(t, path));
    }
    for (int i = 0; i < 100000; i++) {
        snprintf(path, sizeof path, "Case-%d/Court Papers-%d", i / 20, i);
        assert_int_equal(tree_find(t, path) == TREE_NONE, i % 3 == 0);
        assert_int_equal(tree_by_wd(t, i + 1) == TREE_GOING, i % 3 == 0);
    }
    tree_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_found_by_path_and_by_watch),
        cmocka_unit_test(a_moved_folder_takes_what_is_below_with_it),
        cmocka_unit_test(a_dropped_folder_takes_what_is_below_with_it),
        cmocka_unit_test(a_given_up_watch_that_comes_back_is_not_removed),
        cmocka_unit_test(only_removed_watches_are_forgotten_after_an_overflow),
        cmocka_unit_test(only_the_topmost_of_swept_folders_is_told),
        cmocka_unit_test(hundred_thousand_folders_take_less_than_12_mb),
    };

    return cmocka_run_group_tests_name("watcher tree", tests, NULL, NULL);
}
