/* Names are data on pages; local times of named zones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/env.h"
#include "base/utf8.h"
#include "publish/html.h"
#include "publish/tz.h"

typedef void writer(struct str *out, const char *s);

static void assert_writes(writer *w, const char *in, const char *want)
{
    struct str out = STR_INIT;

    w(&out, in);
    assert_string_equal(str_c(&out), want);
    str_clear(&out);
}

static void escapes_markup(void **ctx)
{
    (void)ctx;
    assert_writes(html_text, "<b>&\"'</b>", "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;");
}

static void keeps_backslashes_and_letters(void **ctx)
{
    (void)ctx;
    assert_writes(html_text, "a\\b \xC3\xBC \xE5\xAD\x97", "a\\b \xC3\xBC \xE5\xAD\x97");
}

static void shows_controls_as_escapes(void **ctx)
{
    (void)ctx;
    assert_writes(html_text, "a\nb\x1b", "a\\x0Ab\\x1B");
}

static void shows_invalid_bytes_as_escapes(void **ctx)
{
    (void)ctx;
    assert_writes(html_text, "a\xFF<", "a\\xFF&lt;");
}

static void shows_bidi_overrides_as_escapes(void **ctx)
{
    (void)ctx;
    assert_writes(html_text, "x\xE2\x80\xAEgpj", "x\\u{202E}gpj");
}

static void isolates_names(void **ctx)
{
    (void)ctx;
    assert_writes(html_bdi, "a<", "<bdi>a&lt;</bdi>");
}

static void links_are_relative(void **ctx)
{
    (void)ctx;
    assert_writes(html_href, "Motions/a.pdf", "./Motions/a.pdf");
}

static void links_are_never_a_scheme(void **ctx)
{
    (void)ctx;
    assert_writes(html_href, "javascript:alert(1)", "./javascript%3Aalert%281%29");
}

static void links_encode_every_special_byte(void **ctx)
{
    (void)ctx;
    assert_writes(html_href, "a b#c?d%e\"f\\g\xFF\xC3\xBC&",
                  "./a%20b%23c%3Fd%25e%22f%5Cg%FF%C3%BC%26");
}

/* Whatever bytes come in, what goes out is valid UTF-8 without markup. */
static void any_bytes_become_harmless_text(void **ctx)
{
    (void)ctx;
    srandom(7);
    for (int round = 0; round < 20000; round++) {
        char in[12] = "";
        struct str out = STR_INIT;

        for (size_t i = 0; i + 1 < sizeof in; i++)
            in[i] = (char)random();
        html_text(&out, in);
        assert_true(utf8_valid(str_c(&out), out.len));
        assert_null(strpbrk(str_c(&out), "<>\"'\n\t"));
        str_clear(&out);
    }
}

static void attributes_are_quoted(void **ctx)
{
    struct str out = STR_INIT;

    (void)ctx;
    html_attr(&out, "data-k", "\"><script>");
    assert_string_equal(str_c(&out), " data-k=\"&quot;&gt;&lt;script&gt;\"");
    str_clear(&out);
}

static void assert_minute(const char *zone, const char *utc, const char *want)
{
    struct tz *z = tz_load(zone);
    char buf[TZ_MINUTE];
    int64_t t;

    assert_int_equal(time_parse(utc, &t), 0);
    assert_string_equal(tz_minute(z, t, buf), want);
    tz_free(z);
}

static void knows_winter_and_summer(void **ctx)
{
    (void)ctx;
    assert_minute("America/New_York", "2026-11-23T22:14:47Z", "2026-11-23 17:14");
    assert_minute("America/New_York", "2026-07-01T02:30:00Z", "2026-06-30 22:30");
    assert_minute("Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59");
    assert_minute("Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00");
    assert_minute("Australia/Sydney", "2026-01-01T00:00:00Z", "2026-01-01 11:00");
    assert_minute("Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01 05:30");
}

static void an_unknown_zone_is_utc(void **ctx)
{
    const char *const zones[] = {NULL,    "", "No/Where", "../../etc/passwd", "/etc/localtime",
                                 "Europe"};

    (void)ctx;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        assert_minute(zones[i], "2026-07-01T02:30:00Z", "2026-07-01 02:30");
}

static void agrees_with_the_c_library(void **ctx)
{
    const char *const zones[] = {"America/New_York", "Europe/London",  "Australia/Lord_Howe",
                                 "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca",
                                 "Europe/Dublin",    "Pacific/Apia",   "America/Sao_Paulo"};

    (void)ctx;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct tz *z = tz_load(zones[i]);

        setenv("TZ", zones[i], 1);
        tzset();
        /* Every 11 days and some hours, from 1950 to 2090: beyond the transitions of the file. */
        for (int64_t t = -631152000; t < INT64_C(3786912000); t += 987654) {
            time_t now = (time_t)t;
            struct tm tm;

            localtime_r(&now, &tm);
            if (tz_offset(z, t) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", zones[i], (long long)t, tz_offset(z, t),
                         tm.tm_gmtoff);
        }
        tz_free(z);
    }
    unsetenv("TZ");
    tzset();
}

static void a_broken_zone_file_is_utc(void **ctx)
{
    char bytes[200] = "TZif2";
    struct tz *z;

    (void)ctx;
    for (size_t n = 0; n < sizeof bytes; n++) {
        z = tz_parse(bytes, n);
        assert_int_equal(tz_offset(z, 0), 0);
        tz_free(z);
    }
    srandom(3);
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 5; i < sizeof bytes; i++)
            bytes[i] = (char)(random() % 8 ? random() % 3 : random());
        memcpy(bytes + 44, "TZif2", 5);
        z = tz_parse(bytes, sizeof bytes);
        (void)tz_offset(z, random());
        tz_free(z);
    }
}

static void days_before_1970(void **ctx)
{
    struct tz *z = tz_load(NULL);
    char buf[TZ_DAY];

    (void)ctx;
    assert_string_equal(tz_day(z, -1, buf), "1969-12-31");
    assert_string_equal(tz_day(z, 0, buf), "1970-01-01");
    tz_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_markup),
        cmocka_unit_test(keeps_backslashes_and_letters),
        cmocka_unit_test(shows_controls_as_escapes),
        cmocka_unit_test(shows_invalid_bytes_as_escapes),
        cmocka_unit_test(shows_bidi_overrides_as_escapes),
        cmocka_unit_test(isolates_names),
        cmocka_unit_test(links_are_relative),
        cmocka_unit_test(links_are_never_a_scheme),
        cmocka_unit_test(links_encode_every_special_byte),
        cmocka_unit_test(any_bytes_become_harmless_text),
        cmocka_unit_test(attributes_are_quoted),
        cmocka_unit_test(knows_winter_and_summer),
        cmocka_unit_test(an_unknown_zone_is_utc),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(a_broken_zone_file_is_utc),
        cmocka_unit_test(days_before_1970),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
