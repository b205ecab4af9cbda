/* query: what people type becomes an expression that is never an error of SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"
#include "search/fts.h"
#include "search/query.h"
#include "search/rank.h"

static void becomes(const char *wanted, const char *const *args)
{
    AUTO_STR struct str out = STR_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(query_parse(args, &out, &err), 1);
    assert_string_equal(str_c(&out), wanted);
}

#define assert_query(wanted, ...) becomes(wanted, (const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const char *arg)
{
    const char *const args[] = {arg, NULL};
    AUTO_STR struct str out = STR_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(query_parse(args, &out, &err), -1);
    assert_true(*err.text != '\0');
}

static void all_words_are_wanted(void **state)
{
    (void)state;
    assert_query("(\"smith\" AND \"motion\")", "smith", "motion");
    assert_query("(\"smith\" AND \"motion\")", "smith", "AND", "motion");
    assert_query("(\"smith\" AND ((\"x\" AND \"y\")))", "smith", "(x", "y)", ")");
}

static void an_argument_with_spaces_is_a_phrase(void **state)
{
    (void)state;
    assert_query("(\"motion to dismiss\")", "motion to dismiss");
    assert_query("(\"motion to dismiss\" AND \"smith\")", "\"motion to dismiss\" smith");
    assert_query("(\"motion to dismiss\")", "\xE2\x80\x9Cmotion to dismiss\xE2\x80\x9D");
    assert_query("(\"and or not\")", "and or not");
    assert_query("(\"to be\")", "\"to be"); /* a quote that does not end */
    assert_query("(\"lease\")", " lease ");
}

static void beginnings(void **state)
{
    (void)state;
    assert_query("(\"deposi*\" *)", "deposi*");
    assert_query("(\"motion to dis\" *)", "\"motion to dis\"*");
    assert_refused("*");
}

static void operators_are_capitals(void **state)
{
    (void)state;
    assert_query("(\"fee\") OR (\"fees\")", "fee", "OR", "fees");
    assert_query("(\"fee\") OR (\"fees\" AND \"cost\")", "fee OR fees cost");
    assert_query("(\"fee\" AND \"or\" AND \"fees\")", "fee", "or", "fees");
    assert_query("((\"fee\") NOT (\"smith\"))", "fee", "NOT", "smith");
    assert_query("((\"fee\") NOT (\"smith\" OR \"old draft\"))", "fee", "-smith", "-\"old draft\"");
    assert_query("((\"rent\") NOT (((\"a\") OR (\"b\"))))", "rent -(a OR b)");
    assert_query("(((\"a\") OR (\"b\")) AND \"c\")", "(a OR b) c");
}

static void near_has_two_forms(void **state)
{
    (void)state;
    assert_query("(NEAR(\"lease\" \"rent,\" , 5))", "NEAR(lease rent, 5)");
    assert_query("(NEAR(\"lease\" \"rent\" , 10))", "NEAR(lease rent)");
    assert_query("(NEAR(\"lease\" \"rent\", 10))", "lease", "NEAR", "rent");
    assert_query("(NEAR(\"lease\" \"rent\" \"due\", 3))", "lease NEAR/3 rent NEAR/3 due");
    assert_query("(NEAR(\"lease\" , 10))", "NEAR(lease"); /* does not end */
    assert_query("(\"lease\")", "lease", "NEAR");
    assert_refused("NEAR()");
}

static void columns(void **state)
{
    (void)state;
    assert_query("({title} : \"order\" AND {people} : \"jones\")", "title:order", "from:jones");
    assert_query("({body} : \"not a word\")", "text:\"not a word\"");
    assert_query("(\"https://x.org\")", "https://x.org");
    assert_query("(\"title:\" AND \"order\")", "title:", "order");
}

static void nothing_typed_is_an_operator_by_accident(void **state)
{
    (void)state;
    assert_query("(\"{body}\")", "{body}");
    assert_query("(\"a\" AND \"b\")", "a\"\"b");
    assert_query("(\"^x\")", "^x");
    assert_query("(\"a+b\")", "a+b");
    assert_query("(\"x'\" AND \"DROP\" AND \"TABLE\" AND \"docs;--\")", "x'); DROP TABLE docs;--");
}

static void words_are_needed(void **state)
{
    static const char *const none[] = {"", " ", NULL};
    AUTO_STR struct str out = STR_INIT;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(query_parse(none, &out, &err), 0);
    assert_int_equal(query_parse(NULL, &out, &err), 0);
    assert_refused("-smith");
    assert_refused("NOT smith");
    assert_refused("\"\"");
    assert_refused("( ) OR AND");
    assert_refused("\xFF\xFE");
}

static void too_many_words_are_refused(void **state)
{
    AUTO_STR struct str text = STR_INIT;

    (void)state;
    for (int i = 0; i < QUERY_WORDS; i++)
        str_addf(&text, "-x w%d ", i);
    assert_refused(str_c(&text));
}

/* Whatever is typed: SQLite takes what becomes of it. */
static void sqlite_takes_whatever_comes_of_it(void **state)
{
    static const char *const parts[] = {"a",   "\"",  "(",      ")",    "*",        "-",
                                        "OR",  "AND", "NOT",    "NEAR", "NEAR(",    "NEAR/3",
                                        ", 5", ":",   "title:", "^",    "+",        "{",
                                        "}",   "'",   ";",      "--",   "\xFF",     "\xE2\x80\x9C",
                                        "b*",  " ",   " ",      " ",    "\xC3\xA9", "\t",
                                        "\\",  "%",   "_",      "\x01"};
    struct rank *rank = rank_new();
    sqlite3 *db;
    sqlite3_stmt *st;
    struct error err = ERROR_INIT;
    unsigned seed = 20261125, taken = 0;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(fts_register(db, rank, &err), 0);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE VIRTUAL TABLE w USING fts5(name, title, people, body,"
                                  " tokenize='office');"
                                  "INSERT INTO w VALUES('a b', 'b', 'c', 'a b a');",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT rowid FROM w WHERE w MATCH ?1", -1, &st, NULL),
                     SQLITE_OK);
    for (int i = 0; i < 20000; i++) {
        AUTO_STR struct str text = STR_INIT;
        AUTO_STR struct str out = STR_INIT;
        const char *args[2] = {NULL, NULL};
        int rc;

        for (int k = 0; k < 12; k++) {
            seed = seed * 1103515245 + 12345;
            str_add(&text, parts[(seed >> 16) % (sizeof parts / sizeof *parts)]);
        }
        args[0] = str_c(&text);
        if (query_parse(args, &out, &err) <= 0)
            continue;
        sqlite3_bind_text(st, 1, str_c(&out), -1, SQLITE_STATIC);
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            fail_msg("%s became %s: %s", args[0], str_c(&out), sqlite3_errmsg(db));
        sqlite3_reset(st);
        taken++;
    }
    assert_true(taken > 10000);
    sqlite3_finalize(st);
    sqlite3_close(db);
    rank_free(rank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_words_are_wanted),
        cmocka_unit_test(an_argument_with_spaces_is_a_phrase),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(operators_are_capitals),
        cmocka_unit_test(near_has_two_forms),
        cmocka_unit_test(columns),
        cmocka_unit_test(nothing_typed_is_an_operator_by_accident),
        cmocka_unit_test(words_are_needed),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(sqlite_takes_whatever_comes_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
