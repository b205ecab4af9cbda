/* when: points in time as people type them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/error.h"
#include "verbs/when.h"

static struct env env;
static struct error err;

static int64_t when(const char *text, const char *zone)
{
    int64_t t = -1;

    assert_int_equal(when_parse(text, &env, zone, &t, &err), 0);
    return t;
}

static void assert_at(const char *text, const char *zone, const char *iso)
{
    int64_t want;

    assert_int_equal(time_parse(iso, &want), 0);
    assert_true(when(text, zone) == want);
}

static void assert_ago(const char *text, int64_t seconds)
{
    int64_t before = env_now(&env) - seconds * NS_PER_S, t = when(text, "UTC");

    assert_true(t >= before && t <= env_now(&env) - seconds * NS_PER_S);
}

static void so_long_ago(void **state)
{
    (void)state;
    assert_ago("5s", 5);
    assert_ago("90m", 5400);
    assert_ago("2h", 7200);
    assert_ago("3d", 259200);
    assert_ago("1w", 604800);
}

static void a_date_is_its_midnight_in_the_office(void **state)
{
    (void)state;
    assert_at("2026-11-23", "UTC", "2026-11-23T00:00:00Z");
    assert_at("2026-11-23", "America/New_York", "2026-11-23T05:00:00Z");
    assert_at("2026-07-01", "America/New_York", "2026-07-01T04:00:00Z");
}

static void a_time_is_the_office_s(void **state)
{
    (void)state;
    assert_at("2026-11-23 15:00", "Europe/Berlin", "2026-11-23T14:00:00Z");
    assert_at("2026-11-23T15:00", "Europe/Berlin", "2026-11-23T14:00:00Z");
    assert_at("2026-11-23 15:00:30", "UTC", "2026-11-23T15:00:30Z");
}

static void what_journals_say_is_utc(void **state)
{
    (void)state;
    assert_at("2026-11-23T15:00:00Z", "America/New_York", "2026-11-23T15:00:00Z");
}

static void today_and_yesterday_are_a_day_apart(void **state)
{
    (void)state;
    assert_true(when("today", "UTC") % (86400 * NS_PER_S) == 0);
    assert_true(when("today", "UTC") - when("yesterday", "UTC") == 86400 * NS_PER_S);
    assert_true(when("today", "UTC") <= env_now(&env));
}

static void what_is_no_time_is_refused_with_what_would_do(void **state)
{
    static const char *const bad[] = {
        "",        "x",        "2",          "h",          "0h",
        "-2h",     "2hh",      "2026-02-30", "2026-13-01", "+3d",
        "2026-11", "tomorrow", "99999999d",  " 2h",        "2026-11-23 25:00"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t t;

        err = (struct error)ERROR_INIT;
        assert_int_equal(when_parse(bad[i], &env, "UTC", &t, &err), -1);
        assert_non_null(strstr(error_text(&err), "2h"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_long_ago),
        cmocka_unit_test(a_date_is_its_midnight_in_the_office),
        cmocka_unit_test(a_time_is_the_office_s),
        cmocka_unit_test(what_journals_say_is_utc),
        cmocka_unit_test(today_and_yesterday_are_a_day_apart),
        cmocka_unit_test(what_is_no_time_is_refused_with_what_would_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
