/* night: the office's night by the wall clock, also on the days on which clocks change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "flow/night.h"
#include "publish/tz.h"

static int64_t utc(const char *text)
{
    int64_t t = 0;

    assert_int_equal(time_parse(text, &t), 0);
    return t;
}

static void check(const char *zone, const char *now, int minute, const char *want)
{
    struct tz *z = tz_load(zone);

    assert_int_equal(night_next(z, utc(now), minute), utc(want) / NS_PER_S);
    tz_free(z);
}

static void the_next_night_is_today_or_tomorrow(void **state)
{
    (void)state;
    check("UTC", "2026-11-23T01:00:00Z", 210, "2026-11-23T03:30:00Z");
    check("UTC", "2026-11-23T03:30:00Z", 210, "2026-11-24T03:30:00Z");
    check("UTC", "2026-12-31T22:00:00Z", 0, "2027-01-01T00:00:00Z");
    check("America/New_York", "2026-11-23T05:00:00Z", 210, "2026-11-23T08:30:00Z");
    check("Asia/Tokyo", "2026-11-23T20:00:00Z", 210, "2026-11-24T18:30:00Z");
}

static void clocks_set_forward_do_not_shift_the_night(void **state)
{
    (void)state;
    /* 8 March 2026: New York goes from EST to EDT at 02:00. */
    check("America/New_York", "2026-03-08T04:00:00Z", 210, "2026-03-08T07:30:00Z");
    check("America/New_York", "2026-03-08T12:00:00Z", 210, "2026-03-09T07:30:00Z");
}

static void clocks_set_back_do_not_shift_the_night(void **state)
{
    (void)state;
    /* 1 November 2026: back to EST at 02:00. */
    check("America/New_York", "2026-11-01T03:00:00Z", 210, "2026-11-01T08:30:00Z");
    check("America/New_York", "2026-10-31T12:00:00Z", 210, "2026-11-01T08:30:00Z");
}

static void check_last(const char *zone, const char *now, int minute, const char *want)
{
    struct tz *z = tz_load(zone);

    assert_int_equal(night_last(z, utc(now), minute), utc(want) / NS_PER_S);
    tz_free(z);
}

static void the_last_night_is_today_or_yesterday(void **state)
{
    (void)state;
    check_last("UTC", "2026-11-23T01:00:00Z", 210, "2026-11-22T03:30:00Z");
    check_last("UTC", "2026-11-23T03:30:00Z", 210, "2026-11-23T03:30:00Z");
    check_last("UTC", "2027-01-01T00:00:01Z", 0, "2027-01-01T00:00:00Z");
    check_last("America/New_York", "2026-03-08T12:00:00Z", 210, "2026-03-08T07:30:00Z");
    check_last("America/New_York", "2026-03-09T07:00:00Z", 210, "2026-03-08T07:30:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_night_is_today_or_tomorrow),
        cmocka_unit_test(clocks_set_forward_do_not_shift_the_night),
        cmocka_unit_test(clocks_set_back_do_not_shift_the_night),
        cmocka_unit_test(the_last_night_is_today_or_yesterday),
    };

    return cmocka_run_group_tests_name("night", tests, NULL, NULL);
}
