/* item: each path under way once, in order, waiting by time, hinted again while busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/item.h"

static int fresh(void **state)
{
    struct items *q = calloc(1, sizeof *q);

    items_init(q);
    *state = q;
    return 0;
}

static int gone(void **state)
{
    items_clear(*state);
    free(*state);
    return 0;
}

static void a_path_is_under_way_once(void **state)
{
    struct items *q = *state;

    assert_ptr_equal(items_hint(q, "a"), items_hint(q, "a"));
    assert_int_equal(q->ready_len, 1);
}

static void paths_are_taken_in_the_order_they_came(void **state)
{
    struct items *q = *state;

    items_hint(q, "a");
    items_hint(q, "b");
    items_hint(q, "a");
    assert_string_equal(items_take(q)->path, "a");
    assert_string_equal(items_take(q)->path, "b");
    assert_null(items_take(q));
    assert_int_equal(q->busy_len, 2);
}

static void a_hint_while_busy_brings_it_back_afterwards(void **state)
{
    struct items *q = *state;
    struct item *it;

    items_hint(q, "a");
    it = items_take(q);
    items_hint(q, "a");
    assert_null(items_take(q));
    items_done(q, it);
    assert_ptr_equal(items_take(q), it);
    items_done(q, it);
    assert_null(items_find(q, "a"));
}

static void what_waits_becomes_ready_when_it_is_due(void **state)
{
    struct items *q = *state;
    char name[16];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%d", i);
        items_hint(q, name);
        items_wait(q, items_take(q), (i * 37) % 100);
    }
    assert_int_equal(items_next_due(q), 0);
    for (int t = 0; t < 100; t++) {
        assert_int_equal(items_due(q, t), 1);
        struct item *it = items_take(q);
        assert_int_equal(it->due, t);
        items_done(q, it);
    }
    assert_int_equal(items_next_due(q), INT64_MAX);
}

static void a_hint_ends_the_waiting(void **state)
{
    struct items *q = *state;
    struct item *it;

    items_hint(q, "a");
    items_hint(q, "b");
    items_wait(q, items_take(q), 50);
    items_wait(q, items_take(q), 40);
    it = items_hint(q, "a");
    assert_int_equal(it->stage, ITEM_READY);
    assert_int_equal(items_next_due(q), 40);
    assert_string_equal(items_take(q)->path, "a");
}

static void a_hint_before_the_waiting_is_not_lost(void **state)
{
    struct items *q = *state;
    struct item *it;

    items_hint(q, "a");
    it = items_take(q);
    items_hint(q, "a");
    items_wait(q, it, 1000);
    assert_int_equal(it->stage, ITEM_READY);
    assert_int_equal(q->heap_len, 0);
}

/* Any order of hints, takes, waits and ends: counts agree, nothing is twice, the heap is a heap. */
static void any_order_keeps_the_counts(void **state)
{
    struct items *q = *state;
    struct item *busy[64];
    size_t n = 0;
    unsigned seed = 7;
    char name[16];

    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned r = seed >> 16;
        if (r % 4 == 0 || n == 0) {
            snprintf(name, sizeof name, "%u", r % 50);
            items_hint(q, name);
        }
        if (r % 4 == 1 && n < 64) {
            struct item *it = items_take(q);
            if (it)
                busy[n++] = it;
        }
        if (r % 4 >= 2 && n > 0) {
            size_t k = r % n;
            if (r & 8)
                items_wait(q, busy[k], (int64_t)(r % 1000));
            else
                items_done(q, busy[k]);
            busy[k] = busy[--n];
        }
        if (r % 97 == 0)
            items_due(q, (int64_t)(r % 1000));
        assert_int_equal(q->busy_len, n);
        assert_int_equal(HASH_COUNT(q->by_path), q->busy_len + q->ready_len + q->heap_len);
        for (size_t h = 1; h < q->heap_len; h++)
            assert_true(q->heap[(h - 1) / 2]->due <= q->heap[h]->due);
    }
}

/* What was added often enough and not removed as often is there, whatever lies between. */
static void a_tally_counts_each_key(void **state)
{
    enum { KEYS = 300 };
    struct tally *set = NULL;
    unsigned count[KEYS] = {0};
    uint32_t r = 7;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        struct doc_stamp file = {.dev = 8};
        struct tally_key key;
        size_t k;

        r = r * 1664525U + 1013904223U;
        k = (r >> 8) % KEYS;
        file.ino = 1000 + k;
        key = tally_file(&file);
        assert_int_equal(tally_has(set, &key), count[k] > 0);
        /* In turn more come and more go, until none is left. */
        if (r % 8 < (i / 5000 % 2 ? 1U : 6U)) {
            tally_add(&set, &key);
            count[k]++;
        } else {
            tally_remove(&set, &key);
            count[k] -= count[k] > 0;
        }
    }
    for (size_t k = 0; k < KEYS; k++) {
        struct doc_stamp file = {.dev = 8, .ino = 1000 + k};
        struct tally_key key = tally_file(&file);

        assert_true(tally_has_file(set, &file) == (count[k] > 0));
        while (count[k]-- > 0)
            tally_remove(&set, &key);
    }
    assert_null(set);
    tally_add(&set, &(struct tally_key){{1}});
    tally_clear(&set);
    assert_null(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_path_is_under_way_once, fresh, gone),
        cmocka_unit_test_setup_teardown(paths_are_taken_in_the_order_they_came, fresh, gone),
        cmocka_unit_test_setup_teardown(a_hint_while_busy_brings_it_back_afterwards, fresh, gone),
        cmocka_unit_test_setup_teardown(what_waits_becomes_ready_when_it_is_due, fresh, gone),
        cmocka_unit_test_setup_teardown(a_hint_ends_the_waiting, fresh, gone),
        cmocka_unit_test_setup_teardown(a_hint_before_the_waiting_is_not_lost, fresh, gone),
        cmocka_unit_test_setup_teardown(any_order_keeps_the_counts, fresh, gone),
        cmocka_unit_test(a_tally_counts_each_key),
    };

    return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
