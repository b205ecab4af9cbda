#include "verbs/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/env.h"
#include "base/error.h"
#include "publish/tz.h"

#define DAY_S 86400

/* "2h": 1 with *t, 0 when it is none. */
static int parse_ago(const char *text, int64_t now_ns, int64_t *t)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * (int64_t)DAY_S}};
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *text < '0' || *text > '9' || n < 1 || n > 100000 || !*end || end[1])
        return 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (*end == units[i].unit) {
            *t = now_ns - n * units[i].seconds * NS_PER_S;
            return 1;
        }
    }
    return 0;
}

/* The UTC second at which the clocks of the zone show `local` (seconds as if it were UTC). */
static int64_t to_utc(const struct tz *z, int64_t local)
{
    return local - tz_offset(z, local - tz_offset(z, local));
}

/* Midnight at the beginning of the zone's day, `back` days ago. */
static int64_t midnight(const struct tz *z, int64_t now_ns, int back)
{
    int64_t now = now_ns / NS_PER_S, local = now + tz_offset(z, now);

    return to_utc(z, local - local % DAY_S - back * (int64_t)DAY_S) * NS_PER_S;
}

/* A date, or a date and a time, of the zone. */
static int parse_local(const char *text, const struct tz *z, int64_t *t)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = {0}, is;
        const char *end = strptime(text, forms[i], &tm);
        time_t s;

        if (!end || *end)
            continue;
        is = tm;
        s = timegm(&is);
        if (is.tm_mday != tm.tm_mday || is.tm_mon != tm.tm_mon)
            return 0; /* 2026-02-30 */
        *t = to_utc(z, s) * NS_PER_S;
        return 1;
    }
    return 0;
}

int when_parse(const char *text, const struct env *env, const char *zone, int64_t *t,
               struct error *err)
{
    int64_t now = env_now(env);
    struct tz *z;
    int found = 1;

    if (parse_ago(text, now, t) || time_parse(text, t) == 0)
        return 0;
    z = tz_load(zone);
    if (strcmp(text, "today") == 0)
        *t = midnight(z, now, 0);
    else if (strcmp(text, "yesterday") == 0)
        *t = midnight(z, now, 1);
    else
        found = parse_local(text, z, t);
    tz_free(z);
    if (found)
        return 0;
    return error_set(
        err, 0, "\"%s\" is no time: write 2h, 3d, yesterday, 2026-11-23 or \"2026-11-23 15:00\"",
        text);
}
