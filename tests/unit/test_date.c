#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/env.h"
#include "base/error.h"
#include "decide/date.h"
#include "decide/lang.h"

static const char months[] =
    "month.long: [January, February, March, April, May, June, July, August, September, October,"
    " November, December]\n"
    "month.short: [Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec]\n"
    "month.of: [day of, of]\n";

static struct lang *lang;

#define TODAY ((struct date){2026, 11, 23})

#define ABSENT       DATE_ABSENT, "", ""
#define FOUND(d)     DATE_FOUND, d, ""
#define EITHER(a, b) DATE_AMBIGUOUS, a, b
#define BOTH(a, b)   DATE_SEVERAL, a, b

struct row {
    const char *text;
    enum date_verdict verdict;
    const char *date, *other;
};

static void check(const struct row *rows, size_t n, enum date_order order)
{
    for (size_t i = 0; i < n; i++) {
        struct date_match m = date_find(rows[i].text, order, TODAY, lang);
        char a[DATE_TEXT], b[DATE_TEXT];

        date_text(m.date, a);
        date_text(m.other, b);
        if (m.verdict != rows[i].verdict || strcmp(a, rows[i].date) || strcmp(b, rows[i].other))
            print_error("\"%s\": verdict %u %s %s\n", rows[i].text, m.verdict, a, b);
        assert_int_equal(m.verdict, rows[i].verdict);
        assert_string_equal(a, rows[i].date);
        assert_string_equal(b, rows[i].other);
    }
}

#define CHECK(rows, order) check(rows, sizeof(rows) / sizeof *(rows), order)

static void iso_forms_are_read_under_any_order(void **state)
{
    static const struct row t[] = {
        {"2026-3-2", FOUND("2026-03-02")},
        {"2026-03-02", FOUND("2026-03-02")},
        {"20260302", FOUND("2026-03-02")},
        {"2026.03.02", FOUND("2026-03-02")},
        {"2026_03_02", FOUND("2026-03-02")},
        {"2026 03 02", FOUND("2026-03-02")},
        {"Motion 2026-03-02 final", FOUND("2026-03-02")},
        {"Smith_Divorce_Motion_2026-03-02", FOUND("2026-03-02")},
        {"Smith_Divorce_Motion_2026-03-02_02", FOUND("2026-03-02")},
        {"(2026-03-02)", FOUND("2026-03-02")},
        {"20190801", FOUND("2019-08-01")},
        {"1950-01-01", FOUND("1950-01-01")},
        {"2026-11-23", FOUND("2026-11-23")},
    };

    (void)state;
    CHECK(t, DATE_ORDER_ASK);
    CHECK(t, DATE_ORDER_MDY);
    CHECK(t, DATE_ORDER_DMY);
    CHECK(t, DATE_ORDER_YMD);
}

static void named_months_are_read_under_any_order(void **state)
{
    static const struct row t[] = {
        {"2 Mar 2026", FOUND("2026-03-02")},
        {"2nd March 2026", FOUND("2026-03-02")},
        {"2nd of March 2026", FOUND("2026-03-02")},
        {"this 2nd day of March, 2026", FOUND("2026-03-02")},
        {"page 2 of Mar 12", ABSENT},
        {"statement 2 of March 2026", ABSENT},
        {"Letter 2 of March 15 2026", FOUND("2026-03-15")},
        {"March 2nd 2026", FOUND("2026-03-02")},
        {"March 2, 2026", FOUND("2026-03-02")},
        {"Mar-2-2026", FOUND("2026-03-02")},
        {"Mar. 2, 2026", FOUND("2026-03-02")},
        {"2-Mar-26", FOUND("2026-03-02")},
        {"02MAR2026", FOUND("2026-03-02")},
        {"2026 Mar 2", FOUND("2026-03-02")},
        {"Exhibit 12 June 14, 2023", FOUND("2023-06-14")},
        {"12 June 14", FOUND("2014-06-12")},
        {"2026-Mar-02", FOUND("2026-03-02")},
        {"Sept 5 2025", FOUND("2025-09-05")},
        {"Letter of 21st may 2025 signed", FOUND("2025-05-21")},
        {"December_31_2024", FOUND("2024-12-31")},
        {"Dec 31 '24", FOUND("2024-12-31")},
        {"1 Jan 1999", FOUND("1999-01-01")},
        {"3 March 4 2026", FOUND("2026-03-04")},
    };

    (void)state;
    CHECK(t, DATE_ORDER_ASK);
    CHECK(t, DATE_ORDER_MDY);
    CHECK(t, DATE_ORDER_DMY);
}

static void numbers_are_read_in_the_offices_order(void **state)
{
    static const struct row mdy[] = {
        {"03-02-2026", FOUND("2026-03-02")}, {"3-2-26", FOUND("2026-03-02")},
        {"03.02.2026", FOUND("2026-03-02")}, {"3/2/26", FOUND("2026-03-02")},
        {"3_2_2026", FOUND("2026-03-02")},   {"letter 3-2-26", FOUND("2026-03-02")},
        {"10.04.20", FOUND("2020-10-04")},   {"3-2-70", FOUND("1970-03-02")},
        {"3-2-99", FOUND("1999-03-02")},     {"25-12-2025", FOUND("2025-12-25")},
    };
    static const struct row dmy[] = {
        {"03-02-2026", FOUND("2026-02-03")},
        {"3-2-26", FOUND("2026-02-03")},
        {"10.04.20", FOUND("2020-04-10")},
        {"12-25-2025", FOUND("2025-12-25")},
    };
    static const struct row ymd[] = {
        {"26-03-02", FOUND("2026-03-02")},
        {"20.10.04", FOUND("2020-10-04")},
        {"12-25-2025", FOUND("2025-12-25")},
        {"03-02-2026", EITHER("2026-03-02", "2026-02-03")},
    };

    (void)state;
    CHECK(mdy, DATE_ORDER_MDY);
    CHECK(dmy, DATE_ORDER_DMY);
    CHECK(ymd, DATE_ORDER_YMD);
}

static void ask_takes_only_what_can_be_read_one_way(void **state)
{
    static const struct row t[] = {
        {"03-02-2026", EITHER("2026-03-02", "2026-02-03")},
        {"3-2-26", EITHER("2026-03-02", "2026-02-03")},
        {"Singh Judgment 10.04.20", EITHER("2020-10-04", "2020-04-10")},
        {"03-03-2026", FOUND("2026-03-03")},
        {"3-3-26", FOUND("2026-03-03")},
        {"11-23-2025", FOUND("2025-11-23")},
        {"23-11-2025", FOUND("2025-11-23")},
        {"01.25.19", FOUND("2019-01-25")},
        {"26-03-02", EITHER("2002-03-26", "2026-03-02")},
        {"31-12-98", FOUND("1998-12-31")},
    };

    (void)state;
    CHECK(t, DATE_ORDER_ASK);
}

static void impossible_future_and_ancient_dates_are_told(void **state)
{
    static const struct row t[] = {
        {"2026-02-30", DATE_IMPOSSIBLE, "2026-02-30", ""},
        {"2026-13-02", DATE_IMPOSSIBLE, "2026-13-02", ""},
        {"20260230", DATE_IMPOSSIBLE, "2026-02-30", ""},
        {"20261302", DATE_IMPOSSIBLE, "2026-13-02", ""},
        {"02-30-2026", DATE_IMPOSSIBLE, "", ""},
        {"13-13-2026", DATE_IMPOSSIBLE, "", ""},
        {"February 30, 2026", DATE_IMPOSSIBLE, "2026-02-30", ""},
        {"2026-00-10", DATE_IMPOSSIBLE, "2026-00-10", ""},
        {"2025-02-29", DATE_IMPOSSIBLE, "2025-02-29", ""},
        {"2024-02-29", FOUND("2024-02-29")},
        {"2026-11-24", DATE_FUTURE, "2026-11-24", ""},
        {"2031-01-01", DATE_FUTURE, "2031-01-01", ""},
        {"December 1, 2026", DATE_FUTURE, "2026-12-01", ""},
        {"1949-12-31", DATE_ANCIENT, "1949-12-31", ""},
        {"1887-05-04", DATE_ANCIENT, "1887-05-04", ""},
        {"19490101", DATE_ANCIENT, "1949-01-01", ""},
    };

    (void)state;
    CHECK(t, DATE_ORDER_MDY);
}

static void what_is_no_date_is_absent(void **state)
{
    static const char *const t[] = {"",
                                    "Motion to Dismiss",
                                    "v2",
                                    "scan0001",
                                    "IMG_2034",
                                    "Exhibit 12",
                                    "2:26-cv-00123",
                                    "1-26-cv-00123",
                                    "DOC250914090402",
                                    "12345678",
                                    "20990099",
                                    "x20260302",
                                    "20260302x",
                                    "2026-03-02x",
                                    "x2026-03-02",
                                    "10.0.0.12",
                                    "1.2.3",
                                    "212-555-1234",
                                    "555-12-3456",
                                    "1-2-26-5",
                                    "March 2026",
                                    "2026",
                                    "2026-03",
                                    "1040",
                                    "May",
                                    "Mary 2 2026",
                                    "May be 2",
                                    "15-44-33",
                                    "é2026-03-02",
                                    "1234-56-78",
                                    "250914",
                                    "99990102",
                                    "2026-03.02",
                                    "March 2026-2027",
                                    "Form 1120 page 3",
                                    "SMITH000001",
                                    "Jan",
                                    "2026--03-02"};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct row row = {t[i], ABSENT};

        check(&row, 1, DATE_ORDER_ASK);
        check(&row, 1, DATE_ORDER_MDY);
    }
}

static void a_time_of_day_belongs_to_its_date(void **state)
{
    static const char *const t[] = {"WhatsApp Image 2025-12-18 at 10.05.22",
                                    "Screenshot 2025-12-18 at 10.05.22 AM",
                                    "20251218143000",
                                    "202512181430",
                                    "20251218_143000",
                                    "20251218_143000123",
                                    "2025-12-18 14-30-05",
                                    "2025-12-18_14-30-05",
                                    "2025-12-18T14:30:05",
                                    "2025-12-18 14.30",
                                    "18 Dec 2025 at 2.30pm"};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct row row = {t[i], FOUND("2025-12-18")};
        struct date_match m;

        check(&row, 1, DATE_ORDER_ASK);
        m = date_find(t[i], DATE_ORDER_ASK, TODAY, lang);
        assert_int_equal(m.end, strlen(t[i]));
    }
}

static void the_place_of_the_date_is_told(void **state)
{
    struct date_match m = date_find("Letter 3-2-26 signed", DATE_ORDER_MDY, TODAY, lang);

    (void)state;
    assert_int_equal(m.start, 7);
    assert_int_equal(m.end, 13);
    m = date_find("Letter March 2nd, 2026.", DATE_ORDER_MDY, TODAY, lang);
    assert_int_equal(m.start, 7);
    assert_int_equal(m.end, 22);
    m = date_find("nothing", DATE_ORDER_MDY, TODAY, lang);
    assert_int_equal(m.start, m.end);
}

static void several_dates_are_told_and_repeated_ones_are_one(void **state)
{
    static const struct row t[] = {
        {"2026-03-02 to 2026-04-05", BOTH("2026-03-02", "2026-04-05")},
        {"Letter 2026-03-02 re 5 Apr 2026", BOTH("2026-03-02", "2026-04-05")},
        {"2026-03-02 Letter March 2, 2026", FOUND("2026-03-02")},
        {"2026-03-02 Letter 03-02-2026", FOUND("2026-03-02")},
        {"03-02-2026 Letter 2026-03-02", FOUND("2026-03-02")},
        {"02-03-2026 03-02-2026", BOTH("2026-02-03", "2026-03-02")},
        {"2026-03-02 2026-02-30", DATE_IMPOSSIBLE, "2026-02-30", ""},
        {"2026-03-02 03-04-99", BOTH("2026-03-02", "1999-03-04")},
    };

    (void)state;
    for (size_t i = 0; i < 5; i++)
        check(&t[i], 1, DATE_ORDER_ASK);
    CHECK(t, DATE_ORDER_MDY);
}

static void month_names_need_whole_words(void **state)
{
    static const struct row t[] = {
        {"Marvin 2 2026", ABSENT},           {"Augustus 2 2026", ABSENT},
        {"aMarch 2 2026", ABSENT},           {"Octo 2 2025", FOUND("2025-10-02")},
        {"mAr 2 2026", FOUND("2026-03-02")},
    };

    (void)state;
    CHECK(t, DATE_ORDER_MDY);
}

static void dates_are_compared_counted_and_written(void **state)
{
    char buf[DATE_TEXT];
    struct date a = {2024, 2, 28}, b = {2024, 3, 1};

    (void)state;
    assert_int_equal(date_days_between(a, b), 2);
    assert_int_equal(date_days_between(b, a), -2);
    assert_int_equal(date_days_between((struct date){1970, 1, 1}, (struct date){2000, 1, 1}),
                     10957);
    assert_true(date_compare(a, b) < 0);
    assert_true(date_compare(b, a) > 0);
    assert_int_equal(date_compare(a, a), 0);
    assert_string_equal(date_text(a, buf), "2024-02-28");
    assert_string_equal(date_text(DATE_NONE, buf), "");
    assert_false(date_is_set(DATE_NONE));
    assert_false(date_exists((struct date){1900, 2, 29}));
    assert_true(date_exists((struct date){2000, 2, 29}));
    assert_false(date_exists(DATE_NONE));
}

static void only_exact_iso_is_parsed(void **state)
{
    static const char *const bad[] = {"",           "2026-3-2",   "2026-03-02 ", "2026-02-30",
                                      "2026/03/02", "2026-03-0x", "20260302",    "0000-01-01",
                                      "2026-03",    "2026-03-02T"};

    (void)state;
    assert_int_equal(date_compare(date_parse_iso("2026-03-02"), (struct date){2026, 3, 2}), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(date_is_set(date_parse_iso(bad[i])));
}

static void a_moment_has_its_day_in_the_zone(void **state)
{
    int64_t t = 1772425800 * NS_PER_S; /* 2026-03-02 04:30 UTC */
    char buf[DATE_TEXT];

    (void)state;
    assert_string_equal(date_text(date_of_time(t, NULL), buf), "2026-03-02");
    assert_string_equal(date_text(date_of_time(t, "Nowhere/Land"), buf), "2026-03-02");
    assert_string_equal(date_text(date_of_time(-1, NULL), buf), "1969-12-31");
    if (!date_zone_exists("America/New_York"))
        return;
    assert_string_equal(date_text(date_of_time(t, "America/New_York"), buf), "2026-03-01");
    assert_string_equal(date_text(date_of_time(t, "UTC"), buf), "2026-03-02");
    assert_string_equal(date_text(date_of_time(t, "America/New_York"), buf), "2026-03-01");
}

static void only_zones_of_the_system_exist(void **state)
{
    (void)state;
    assert_false(date_zone_exists(NULL));
    assert_false(date_zone_exists(""));
    assert_false(date_zone_exists("Nowhere/Land"));
    assert_false(date_zone_exists("/etc/passwd"));
    assert_false(date_zone_exists("../../../etc/passwd"));
    assert_false(date_zone_exists("America"));
    assert_false(date_zone_exists("tzdata.zi"));
}

static int load_months(void **state)
{
    char path[] = "/tmp/test_date.XXXXXX";
    int fd = mkstemp(path);
    struct error err = ERROR_INIT;

    (void)state;
    if (fd < 0 || write(fd, months, sizeof months - 1) < 0)
        return -1;
    close(fd);
    lang = lang_load(path, &err);
    unlink(path);
    return lang ? 0 : -1;
}

static int free_months(void **state)
{
    (void)state;
    lang_free(lang);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_forms_are_read_under_any_order),
        cmocka_unit_test(named_months_are_read_under_any_order),
        cmocka_unit_test(numbers_are_read_in_the_offices_order),
        cmocka_unit_test(ask_takes_only_what_can_be_read_one_way),
        cmocka_unit_test(impossible_future_and_ancient_dates_are_told),
        cmocka_unit_test(what_is_no_date_is_absent),
        cmocka_unit_test(a_time_of_day_belongs_to_its_date),
        cmocka_unit_test(the_place_of_the_date_is_told),
        cmocka_unit_test(several_dates_are_told_and_repeated_ones_are_one),
        cmocka_unit_test(month_names_need_whole_words),
        cmocka_unit_test(dates_are_compared_counted_and_written),
        cmocka_unit_test(only_exact_iso_is_parsed),
        cmocka_unit_test(a_moment_has_its_day_in_the_zone),
        cmocka_unit_test(only_zones_of_the_system_exist),
    };

    return cmocka_run_group_tests(tests, load_months, free_months);
}
