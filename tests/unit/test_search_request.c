/* request: the arguments of `organizer find`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "decide/rules.h"
#include "search/request.h"

static struct find_request taken(const char *const *args)
{
    struct find_request r;
    struct error err = ERROR_INIT;

    assert_int_equal(find_request_parse(&r, args, &err), 0);
    return r;
}

#define request(...) taken((const char *const[]){__VA_ARGS__, NULL})

static void refused(const char *const *args, const char *says)
{
    struct find_request r;
    struct error err = ERROR_INIT;

    assert_int_equal(find_request_parse(&r, args, &err), -1);
    if (!strstr(err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    find_request_clear(&r);
}

#define assert_refused(says, ...) refused((const char *const[]){__VA_ARGS__, NULL}, says)

static void words_and_options_may_stand_anywhere(void **state)
{
    struct find_request r =
        request("lease", "--client", "Smith", "-draft", "--json", "--limit=5", "-C", "/x");

    (void)state;
    assert_int_equal(r.words_len, 2);
    assert_string_equal(r.words[0], "lease");
    assert_string_equal(r.words[1], "-draft");
    assert_null(r.words[2]);
    assert_string_equal(r.client, "Smith");
    assert_string_equal(r.cabinet, "/x");
    assert_int_equal(r.limit, 5);
    assert_true(r.json);
    assert_true(find_request_filters(&r));
    find_request_clear(&r);
}

static void behind_two_dashes_all_are_words(void **state)
{
    struct find_request r = request("--", "--json", "--");

    (void)state;
    assert_int_equal(r.words_len, 2);
    assert_string_equal(r.words[0], "--json");
    assert_false(r.json);
    assert_false(find_request_filters(&r));
    find_request_clear(&r);
}

static void a_year_and_a_month_are_all_of_their_days(void **state)
{
    static const struct {
        const char *typed, *since, *until;
    } days[] = {{"2024", "2024-01-01", "2024-12-31"},
                {"2024-02", "2024-02-01", "2024-02-29"},
                {"2023-02", "2023-02-01", "2023-02-28"},
                {"2026-03-02", "2026-03-02", "2026-03-02"}};

    (void)state;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct find_request r = request("--since", days[i].typed, "--until", days[i].typed);

        assert_string_equal(r.since, days[i].since);
        assert_string_equal(r.until, days[i].until);
        find_request_clear(&r);
    }
}

static void what_cannot_be_meant_is_told(void **state)
{
    (void)state;
    assert_refused("is no date", "--since", "2026-02-30");
    assert_refused("is no date", "--until", "March");
    assert_refused("is no date", "--until", "2026-13");
    assert_refused("is no date", "--since", "26-3-2");
    assert_refused("--limit takes", "--limit", "0");
    assert_refused("--limit takes", "--limit", "x");
    assert_refused("--limit takes", "--limit", "100000");
    assert_refused("key, supporting or background", "--relevance", "high");
    assert_refused("needs a value", "--client");
    assert_refused("needs a value", "--client=");
    assert_refused("takes no value", "--json=1");
    assert_refused("there is no option --clients", "--clients", "x");
}

static void relevances_have_names(void **state)
{
    struct find_request r = request("--relevance=supporting", "--help", "--open", "--rebuild");

    (void)state;
    assert_int_equal(r.relevance, RELEVANCE_SUPPORTING);
    assert_true(r.help && r.open && r.rebuild);
    find_request_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options_may_stand_anywhere),
        cmocka_unit_test(behind_two_dashes_all_are_words),
        cmocka_unit_test(a_year_and_a_month_are_all_of_their_days),
        cmocka_unit_test(what_cannot_be_meant_is_told),
        cmocka_unit_test(relevances_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
