/* known: what was added is always had, and hardly anything else. */
#include <setjmp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record/known.h"

static size_t name(char out[32], unsigned i)
{
    return (size_t)snprintf(out, 32, "Motions/%06u.pdf", i);
}

static void add(struct known *k, unsigned from, unsigned to)
{
    char s[32];

    for (unsigned i = from; i < to; i++)
        known_add(k, KNOWN_PATH, 7, s, name(s, i));
}

static unsigned had(const struct known *k, int64_t of, unsigned from, unsigned to)
{
    unsigned n = 0;
    char s[32];

    for (unsigned i = from; i < to; i++)
        n += known_may_have(k, KNOWN_PATH, of, s, name(s, i));
    return n;
}

static void nothing_is_had_of_an_empty_one(void **state)
{
    struct known *k = known_new();

    (void)state;
    assert_int_equal(had(k, 7, 0, 1000), 0);
    known_free(k);
}

static void all_that_was_added_is_had_at_every_size(void **state)
{
    struct known *k = known_new();

    (void)state;
    for (unsigned n = 0; n < 400000; n += 20000) {
        add(k, n, n + 20000);
        assert_int_equal(had(k, 7, 0, n + 20000), n + 20000);
    }
    known_free(k);
}

static void of_what_was_not_added_few_are_had(void **state)
{
    struct known *k = known_new();

    (void)state;
    add(k, 0, 400000);
    assert_in_range(had(k, 7, 400000, 420000), 1, 2000);
    known_free(k);
}

/* A false answer costs a reading of all rows of the case. */
static void of_digests_that_were_not_added_hardly_any_is_had(void **state)
{
    struct known *k = known_new();
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < 400000; i++)
        known_add(k, KNOWN_DIGEST, 7, &i, sizeof i);
    for (unsigned i = 0; i < 400000; i += 1000)
        assert_true(known_may_have(k, KNOWN_DIGEST, 7, &i, sizeof i));
    for (unsigned i = 400000; i < 440000; i++)
        n += known_may_have(k, KNOWN_DIGEST, 7, &i, sizeof i);
    assert_in_range(n, 0, 400);
    known_free(k);
}

static void what_is_added_again_takes_no_room(void **state)
{
    struct known *k = known_new();

    (void)state;
    add(k, 0, 1000);
    for (int i = 0; i < 1000; i++)
        add(k, 0, 1000);
    assert_in_range(had(k, 7, 1000, 21000), 0, 100);
    known_free(k);
}

static void the_same_bytes_of_another_case_or_sort_are_another_key(void **state)
{
    struct known *k = known_new();

    (void)state;
    add(k, 0, 1000);
    assert_in_range(had(k, 8, 0, 1000), 0, 20);
    assert_false(known_may_have(k, KNOWN_FORMER, 7, "Motions/000001.pdf", 18));
    known_free(k);
}

static void inode_numbers_are_keys_without_bytes(void **state)
{
    struct known *k = known_new();
    unsigned wrong = 0;

    (void)state;
    for (int64_t i = 0; i < 10000; i++)
        known_add(k, KNOWN_FILE, i, NULL, 0);
    for (int64_t i = 0; i < 10000; i++)
        assert_true(known_may_have(k, KNOWN_FILE, i, NULL, 0));
    for (int64_t i = 10000; i < 20000; i++)
        wrong += known_may_have(k, KNOWN_FILE, i, NULL, 0);
    assert_in_range(wrong, 0, 400);
    known_free(k);
}

struct asker {
    struct known *k;
    unsigned missed;
};

/* The first thousand were added before: growing must not hide them. */
static void *ask(void *ctx)
{
    struct asker *a = ctx;

    for (int i = 0; i < 200; i++)
        a->missed += 1000 - had(a->k, 7, 0, 1000);
    return NULL;
}

static void another_thread_may_ask_while_it_grows(void **state)
{
    struct asker a = {.k = known_new()};
    pthread_t thread;

    (void)state;
    add(a.k, 0, 1000);
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    add(a.k, 1000, 300000);
    pthread_join(thread, NULL);
    assert_int_equal(a.missed, 0);
    known_free(a.k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_had_of_an_empty_one),
        cmocka_unit_test(all_that_was_added_is_had_at_every_size),
        cmocka_unit_test(of_what_was_not_added_few_are_had),
        cmocka_unit_test(of_digests_that_were_not_added_hardly_any_is_had),
        cmocka_unit_test(what_is_added_again_takes_no_room),
        cmocka_unit_test(the_same_bytes_of_another_case_or_sort_are_another_key),
        cmocka_unit_test(inode_numbers_are_keys_without_bytes),
        cmocka_unit_test(another_thread_may_ask_while_it_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
