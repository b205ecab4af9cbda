#include "decide/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/str.h"

#define ZONE_DIR "/usr/share/zoneinfo/"

bool date_is_set(struct date d)
{
    return d.year != 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

bool date_exists(struct date d)
{
    return d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
           d.day <= days_in_month(d.year, d.month);
}

int date_compare(struct date a, struct date b)
{
    if (a.year != b.year)
        return a.year < b.year ? -1 : 1;
    if (a.month != b.month)
        return a.month < b.month ? -1 : 1;
    return a.day < b.day ? -1 : a.day > b.day;
}

const char *date_text(struct date d, char buf[static DATE_TEXT])
{
    char *p = buf;
    unsigned year = d.year < 0 ? 0 : (unsigned)d.year % 10000;

    buf[0] = '\0';
    if (!date_is_set(d))
        return buf;
    *p++ = (char)('0' + year / 1000);
    *p++ = (char)('0' + year / 100 % 10);
    *p++ = (char)('0' + year / 10 % 10);
    *p++ = (char)('0' + year % 10);
    *p++ = '-';
    *p++ = (char)('0' + d.month / 10 % 10);
    *p++ = (char)('0' + d.month % 10);
    *p++ = '-';
    *p++ = (char)('0' + d.day / 10 % 10);
    *p++ = (char)('0' + d.day % 10);
    *p = '\0';
    return buf;
}

struct date date_parse_iso(const char *s)
{
    int v[3] = {0, 0, 0};
    int field = 0;
    struct date d;

    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7) {
            if (s[i] != '-')
                return DATE_NONE;
            field++;
        } else if (s[i] < '0' || s[i] > '9') {
            return DATE_NONE;
        } else {
            v[field] = v[field] * 10 + (s[i] - '0');
        }
    }
    d = (struct date){(int16_t)v[0], (uint8_t)v[1], (uint8_t)v[2]};
    return s[10] == '\0' && date_exists(d) ? d : DATE_NONE;
}

bool date_zone_exists(const char *zone)
{
    AUTO_FREE char *path = NULL;
    char magic[4] = "";
    FILE *f;
    bool good;

    if (!zone || !*zone || *zone == '/' || *zone == '.' || strstr(zone, ".."))
        return false;
    path = xasprintf(ZONE_DIR "%s", zone);
    f = fopen(path, "re");
    if (!f)
        return false;
    good = fread(magic, 1, sizeof magic, f) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    fclose(f);
    return good;
}

struct date date_of_time(int64_t t, const char *zone)
{
    int64_t rest = t % NS_PER_S;
    time_t s = (time_t)((t - (rest < 0 ? rest + NS_PER_S : rest)) / NS_PER_S);
    const char *set = getenv("TZ"), *name = zone && *zone ? zone : "UTC";
    struct tm tm;

    /* The C library reads zone files only for TZ; what TZ was is of no interest to anyone, since
     * all else in the program is UTC. */
    if (!set || *set != ':' || strcmp(set + 1, name) != 0) {
        AUTO_FREE char *want = xasprintf(":%s", name);

        setenv("TZ", want, 1);
        tzset();
    }
    if (!localtime_r(&s, &tm) || tm.tm_year + 1900 < 1 || tm.tm_year + 1900 > 9999)
        return DATE_NONE;
    return (struct date){(int16_t)(tm.tm_year + 1900), (uint8_t)(tm.tm_mon + 1),
                         (uint8_t)tm.tm_mday};
}

/* Days since 0000-03-01 of the Gregorian calendar: years start in March, so that the leap day is
 * the last of its year. */
static int day_number(struct date d)
{
    int month = (d.month + 9) % 12;
    int year = d.year - month / 10;

    return 365 * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + (d.day - 1);
}

int date_days_between(struct date a, struct date b)
{
    return day_number(b) - day_number(a);
}
