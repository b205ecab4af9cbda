/* rank, look, lengths: the best of what matches, in their order, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "search/fts.h"
#include "search/lengths.h"
#include "search/passage.h"
#include "search/rank.h"
#include "search/words.h"
#include "search_place.h"

#define MANY 400
#define ROOM 1200

struct asked {
    int64_t numbers[ROOM];
    size_t len, asked;
    int64_t modulo; /* only these numbers are admitted; 0: all */
    char *passage;
};

static bool admits(void *ctx, const struct catalogue_entry *e)
{
    struct asked *a = ctx;

    a->asked++;
    return a->modulo == 0 || e->number % a->modulo == 0;
}

static void take(void *ctx, const struct catalogue_entry *e, const struct catalogue_shown *shown)
{
    struct asked *a = ctx;

    assert_true(a->len < ROOM);
    a->numbers[a->len++] = e->number;
    free(a->passage);
    a->passage = xstrdup(shown->passage);
}

/* Whether there are more; a.numbers tells which there are. */
static bool look(struct search_place *p, struct asked *a, const char *expression, size_t limit,
                 bool picky)
{
    struct catalogue_search s = {.expression = expression,
                                 .limit = limit,
                                 .limit_ms = 10000,
                                 .picky = picky,
                                 .admits = admits,
                                 .taken = take,
                                 .ctx = a};

    assert_int_equal(catalogue_look(p->catalogue, &s, &p->err), 0);
    free(a->passage);
    a->passage = NULL;
    return s.more;
}

/* Texts of different lengths, with words that many, some and few of them have. */
static void fill(struct search_place *p)
{
    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    for (int i = 1; i <= MANY; i++) {
        AUTO_STR struct str text = STR_INIT;
        char name[16];
        struct catalogue_entry e = {.number = i, .name = name};

        snprintf(name, sizeof name, "%s", i % 50 == 0 ? "lease.pdf" : "x");
        memcpy(e.case_id, i % 3 ? case_a : case_b, CASE_ID_SIZE);
        for (int k = 0; k < i % 7 + 1; k++)
            str_add(&text, "lease of rooms ");
        for (int k = 0; k < i % 41; k++)
            str_addf(&text, "w%d ", i * k);
        if (i % 5 == 0)
            str_add(&text, "rent is due ");
        if (i % 97 == 0)
            str_add(&text, "subpoena");
        assert_int_equal(catalogue_put(p->catalogue, &e, str_c(&text), text.len, &p->err), 0);
    }
    assert_int_equal(catalogue_commit(p->catalogue, &p->err), 0);
}

/* The numbers as FTS5's own bm25() has them in order. */
static size_t by_bm25(struct search_place *p, const char *expression, int64_t *numbers)
{
    AUTO_FREE char *path = xasprintf("%s/" CATALOGUE_NAME, p->dir);
    struct rank *rank = rank_new();
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    size_t n = 0;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(fts_register(db, rank, &p->err), 0);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT rowid & 4294967295 FROM words WHERE words MATCH ?1"
                                        " ORDER BY bm25(words, 8.0, 6.0, 3.0, 1.0), rowid",
                                        -1, &st, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(st, 1, expression, -1, SQLITE_STATIC);
    while (sqlite3_step(st) == SQLITE_ROW)
        numbers[n++] = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    rank_free(rank);
    return n;
}

static void the_order_is_that_of_bm25(void **state)
{
    static const char *const expressions[] = {
        "\"lease\"", "\"rent\"",        "\"subpoena\" OR \"rent\"", "\"lease of rooms\"", "\"w1\" *",
        "\"unicorn\"", "{name} : \"lease\"", "\"rent\" AND \"subpoena\"", "\"rooms rent\"",
    };
    struct search_place *p = *state;

    fill(p);
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        struct asked a = {.len = 0};
        int64_t wanted[MANY];
        size_t n = by_bm25(p, expressions[i], wanted);

        assert_false(look(p, &a, expressions[i], MANY, false));
        assert_int_equal(a.len, n);
        for (size_t k = 0; k < n; k++)
            if (a.numbers[k] != wanted[k])
                fail_msg("%s: %zu is %d, not %d", expressions[i], k, (int)a.numbers[k],
                         (int)wanted[k]);
    }
}

static void the_best_are_the_first_of_all(void **state)
{
    struct search_place *p = *state;
    struct asked all = {.len = 0};

    fill(p);
    look(p, &all, "\"lease\"", MANY, false);
    assert_int_equal(all.len, MANY);
    for (size_t limit = 1; limit < 60; limit += 7) {
        struct asked few = {.len = 0}, picky = {.len = 0};

        assert_true(look(p, &few, "\"lease\"", limit, false));
        assert_int_equal(few.len, limit);
        assert_memory_equal(few.numbers, all.numbers, limit * sizeof *few.numbers);
        assert_true(few.asked < limit + 20);
        assert_true(look(p, &picky, "\"lease\"", limit, true));
        assert_memory_equal(picky.numbers, all.numbers, limit * sizeof *few.numbers);
    }
}

static void put_text(struct search_place *p, const char *case_id, int number, const char *text)
{
    char name[] = "x";
    struct catalogue_entry e = {.number = number, .name = name};

    memcpy(e.case_id, case_id, CASE_ID_SIZE);
    assert_int_equal(catalogue_put(p->catalogue, &e, text, strlen(text), &p->err), 0);
}

/* The client's name is in each document of the case that was opened first, and hardly elsewhere: it is rare
 * all the same. */
static void a_word_that_fills_one_case_is_no_frequent_word(void **state)
{
    static const char expression[] = "\"smith\" OR \"deposition\"";
    struct search_place *p = *state;
    struct asked a = {.len = 0};
    int64_t wanted[ROOM];
    size_t n;

    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    for (int i = 1; i < 250; i++)
        put_text(p, case_a, i, i % 25 ? "a letter to smith" : "smith at his deposition");
    for (int i = 250; i < ROOM; i++)
        put_text(p, case_b, i, i % 2 ? "a note of a deposition" : "a note of a meeting");
    assert_int_equal(catalogue_commit(p->catalogue, &p->err), 0);
    n = by_bm25(p, expression, wanted);
    assert_false(look(p, &a, expression, ROOM, false));
    assert_int_equal(a.len, n);
    for (size_t k = 0; k < n; k++)
        assert_int_equal(a.numbers[k], wanted[k]);
    assert_true(a.numbers[0] % 25 == 0 && a.numbers[20] < 250);
}

static void where_the_best_are_not_admitted_others_are_told(void **state)
{
    struct search_place *p = *state;

    fill(p);
    for (int64_t modulo = 2; modulo < 200; modulo = modulo * 2 + 1) {
        struct asked all = {.len = 0, .modulo = modulo}, few = {.len = 0, .modulo = modulo},
                     picky = {.len = 0, .modulo = modulo};
        size_t there = (size_t)(MANY / modulo);
        bool more;

        assert_false(look(p, &all, "\"lease\"", MANY, true));
        assert_int_equal(all.len, there);
        more = look(p, &few, "\"lease\"", 20, false);
        assert_int_equal(more, there > 20);
        assert_int_equal(few.len, there > 20 ? 20 : there);
        assert_memory_equal(few.numbers, all.numbers, few.len * sizeof *few.numbers);
        assert_int_equal(look(p, &picky, "\"lease\"", 20, true), there > 20);
        assert_memory_equal(picky.numbers, all.numbers, few.len * sizeof *few.numbers);
    }
}

static void a_passage_deep_in_a_long_text_is_found(void **state)
{
    struct search_place *p = *state;
    AUTO_STR struct str text = STR_INIT;
    struct asked a = {.len = 0};
    struct catalogue_search s = {.expression = "\"subpoena\"",
                                 .limit = 1,
                                 .limit_ms = 10000,
                                 .admits = admits,
                                 .taken = take,
                                 .ctx = &a};
    struct catalogue_entry e = {.number = 1};

    for (int i = 0; i < 60000; i++)
        str_add(&text, i % 3 ? "na\xC3\xAFve's words " : "pneumonoultramicroscopicsilicovolcanoconiosis ");
    str_add(&text, "the subpoena is quashed. ");
    for (int i = 0; i < 60000; i++)
        str_add(&text, "and so on ");
    memcpy(e.case_id, case_a, CASE_ID_SIZE);
    assert_int_equal(catalogue_begin(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_put(p->catalogue, &e, str_c(&text), text.len, &p->err), 0);
    assert_int_equal(catalogue_commit(p->catalogue, &p->err), 0);
    assert_int_equal(catalogue_look(p->catalogue, &s, &p->err), 0);
    assert_non_null(strstr(a.passage, "the \x02subpoena\x03 is quashed. and so on"));
    assert_memory_equal(a.passage, "\xE2\x80\xA6 ", 4);
    assert_string_equal(a.passage + strlen(a.passage) - 4, " \xE2\x80\xA6");
    free(a.passage);
}

static void what_is_found_is_found_again_when_parts_are_merged(void **state)
{
    struct search_place *p = *state;
    struct asked before = {.len = 0}, after = {.len = 0};
    int rc, rounds = 0;

    for (int i = 0; i < 3; i++)
        fill(p);
    look(p, &before, "\"rent\"", MANY, false);
    while ((rc = catalogue_merge(p->catalogue, &p->err)) == 1)
        assert_true(++rounds < 100);
    assert_int_equal(rc, 0);
    look(p, &after, "\"rent\"", MANY, false);
    assert_int_equal(after.len, MANY / 5);
    assert_memory_equal(before.numbers, after.numbers, after.len * sizeof *after.numbers);
}

static void lengths_are_found_by_walking_and_by_leaping(void **state)
{
    struct search_place *p = *state;
    AUTO_FREE char *path = xasprintf("%s/lengths.db", p->dir);
    struct lengths *l = lengths_new();
    sqlite3 *db = NULL;
    size_t at;

    (void)state;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE words_docsize(id INTEGER PRIMARY KEY, sz BLOB)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(lengths_refresh(l, db), 0);
    assert_int_equal(lengths_len(l), 0);
    at = 0;
    assert_true(lengths_of(l, 5, &at) >= 1);
    lengths_free(l);
    l = lengths_new();
    /* 3 + 0 + 130 + 1 words in four columns, and 2 + 0 + 0 + 0. */
    assert_int_equal(sqlite3_exec(db,
                                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500)"
                                  " INSERT INTO words_docsize SELECT 10*i, CASE i%2 WHEN 1 THEN"
                                  " x'0300810201' ELSE x'02000000' END FROM n",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(lengths_refresh(l, db), 0);
    assert_int_equal(lengths_len(l), 500);
    assert_int_equal(lengths_average(l), 68);
    for (int64_t step = 1; step < 5000; step = step * 3 + 1) {
        at = 0;
        for (int64_t key = 1; key < 5100; key += step) {
            int64_t i = key / 10;
            size_t before = (size_t)(key > 5000 ? 500 : (key + 9) / 10 - 1);

            assert_int_equal(lengths_before(l, key, &at), before);
            assert_int_equal(lengths_of(l, key, &at),
                             key % 10 || key > 5000 ? 68 : i % 2 ? 134 : 2);
        }
    }
    lengths_free(l);
    sqlite3_close(db);
}

static void words_that_are_skipped_are_counted_as_those_that_are_not(void **state)
{
    static const char *const texts[] = {
        "", " ", "one", "one two, three.", "O'Brien's 'quoted' plaintiffs' don't ''' x",
        "na\xC3\xAFve caf\xC3\xA9 e\xCC\x81t\xC3\xA9 \xE2\x80\x9Cquoted\xE2\x80\x9D",
        ("\xE5\xA5\x91\xE7\xB4\x84" "ab\xE6\x9B\xB8 12\xC2\xAD" "34"), ("a\xFF" "b \x80 c"), "x\xCC\x81 \xCC\x81 y",
        "tail'", "tail\xC3", "1,000.50 v2 _a_b_",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t n = strlen(texts[i]), count = 0;
        struct words all;

        words_begin(&all, texts[i], n);
        for (; words_next(&all); count++) {
            struct words w;

            words_begin(&w, texts[i], n);
            assert_true(words_skip(&w, count));
            assert_true(words_next(&w));
            if (strcmp(w.word, all.word) != 0 || w.start != all.start || w.stop != all.stop)
                fail_msg("%s: behind %zu words comes %s, not %s", texts[i], count, w.word, all.word);
        }
        words_begin(&all, texts[i], n);
        assert_true(words_skip(&all, count));
        words_begin(&all, texts[i], n);
        assert_false(words_skip(&all, count + 1));
    }
}

#define each_test(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each_test(the_order_is_that_of_bm25),
        each_test(a_word_that_fills_one_case_is_no_frequent_word),
        each_test(the_best_are_the_first_of_all),
        each_test(where_the_best_are_not_admitted_others_are_told),
        each_test(a_passage_deep_in_a_long_text_is_found),
        each_test(what_is_found_is_found_again_when_parts_are_merged),
        each_test(lengths_are_found_by_walking_and_by_leaping),
        cmocka_unit_test(words_that_are_skipped_are_counted_as_those_that_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
