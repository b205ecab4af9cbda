#include "publish/tz.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/io.h"
#include "base/str.h"

#define HOME     "/usr/share/zoneinfo"
#define FILE_MAX (256 * 1024)
#define DAY_S    INT64_C(86400)
#define HEADER   44

/* When a season begins: the footer's Mm.w.d, Jn and n. */
struct rule {
    char form; /* 'M', 'J' or '0' */
    int month, week, day;
    int32_t at; /* seconds after local midnight */
};

struct tz {
    size_t len;
    int64_t *from;   /* transitions, ascending */
    int32_t *offset; /* after each */
    int32_t first;   /* before the first transition */
    /* what holds after the last transition: the file's footer */
    bool footer, seasons;
    int32_t standard, summer;
    struct rule begins, ends;
};

static int64_t days_from_civil(int64_t y, int m, int d)
{
    int64_t era, yoe, doy;

    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, int *m, int *d)
{
    int64_t era, doe, yoe, doy, mp;

    z += 719468;
    era = (z >= 0 ? z : z - 146096) / 146097;
    doe = z - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* The day, since 1970, on which the rule falls in year y. */
static int64_t rule_day(const struct rule *r, int64_t y)
{
    int64_t first;
    int weekday, day;

    if (r->form == '0')
        return days_from_civil(y, 1, 1) + r->day;
    if (r->form == 'J')
        return days_from_civil(y, 1, 1) + r->day - 1 + (is_leap(y) && r->day >= 60);
    first = days_from_civil(y, r->month, 1);
    weekday = (int)(((first + 4) % 7 + 7) % 7);
    day = (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
    while (r->week == 5) {
        int64_t next =
            r->month == 12 ? days_from_civil(y + 1, 1, 1) : days_from_civil(y, r->month + 1, 1);

        if (first + day < next)
            break;
        day -= 7;
    }
    return first + day;
}

static int32_t footer_offset(const struct tz *z, int64_t t)
{
    int64_t y, begins, ends;
    int m, d;

    if (!z->seasons)
        return z->standard;
    civil_from_days(floor_div(t + z->standard, DAY_S), &y, &m, &d);
    begins = rule_day(&z->begins, y) * DAY_S + z->begins.at - z->standard;
    ends = rule_day(&z->ends, y) * DAY_S + z->ends.at - z->summer;
    if (begins < ends)
        return t >= begins && t < ends ? z->summer : z->standard;
    return t >= ends && t < begins ? z->standard : z->summer;
}

int32_t tz_offset(const struct tz *z, int64_t t)
{
    size_t lo = 0, hi = z->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (z->from[mid] <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == z->len && z->footer)
        return footer_offset(z, t);
    return lo == 0 ? z->first : z->offset[lo - 1];
}

static bool parse_name(const char **s)
{
    const char *p = *s;

    if (*p == '<') {
        p += strcspn(p, ">");
        if (*p != '>')
            return false;
        p++;
    } else {
        while (isalpha((unsigned char)*p))
            p++;
    }
    if (p == *s)
        return false;
    *s = p;
    return true;
}

static bool parse_number(const char **s, int max, int *out)
{
    int n = 0;

    if (!isdigit((unsigned char)**s))
        return false;
    while (isdigit((unsigned char)**s) && n <= max)
        n = n * 10 + *(*s)++ - '0';
    *out = n;
    return n <= max;
}

/* [+-]h[h][:mm[:ss]] in seconds. */
static bool parse_time(const char **s, int32_t *out)
{
    int sign = **s == '-' ? -1 : 1, h = 0, m = 0, sec = 0;

    if (**s == '-' || **s == '+')
        ++*s;
    if (!parse_number(s, 167, &h))
        return false;
    if (**s == ':' && (++*s, !parse_number(s, 59, &m)))
        return false;
    if (**s == ':' && (++*s, !parse_number(s, 59, &sec)))
        return false;
    *out = sign * (h * 3600 + m * 60 + sec);
    return true;
}

static bool parse_rule(const char **s, struct rule *r)
{
    if (**s != ',')
        return false;
    ++*s;
    *r = (struct rule){.form = '0', .at = 7200};
    if (**s == 'M') {
        r->form = *(*s)++;
        if (!parse_number(s, 12, &r->month) || r->month < 1 || *(*s)++ != '.' ||
            !parse_number(s, 5, &r->week) || r->week < 1 || *(*s)++ != '.' ||
            !parse_number(s, 6, &r->day))
            return false;
    } else {
        if (**s == 'J')
            r->form = *(*s)++;
        if (!parse_number(s, 365, &r->day))
            return false;
    }
    return **s != '/' || (++*s, parse_time(s, &r->at));
}

/* "EST5EDT,M3.2.0,M11.1.0": what holds after the last transition. */
static void parse_footer(struct tz *z, const char *s)
{
    int32_t west;

    if (!parse_name(&s) || !parse_time(&s, &west))
        return;
    z->standard = -west;
    if (*s == '\0') {
        z->footer = true;
        return;
    }
    if (!parse_name(&s))
        return;
    z->summer = z->standard + 3600;
    if (*s != ',' && *s != '\0') {
        if (!parse_time(&s, &west))
            return;
        z->summer = -west;
    }
    z->seasons = z->footer = parse_rule(&s, &z->begins) && parse_rule(&s, &z->ends) && *s == '\0';
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(const uint8_t *p, size_t n, struct counts *c)
{
    if (n < HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *c = (struct counts){be32(p + 20), be32(p + 24), be32(p + 28),
                         be32(p + 32), be32(p + 36), be32(p + 40)};
    return c->time <= 20000 && c->type >= 1 && c->type <= 256 && c->chars <= 4096 &&
           c->leap <= 1000 && c->isut <= 256 && c->isstd <= 256;
}

/* The block of 64-bit times at p. False when it is broken; z may then be half filled. */
static bool read_block(struct tz *z, const uint8_t *p, size_t n, const struct counts *c)
{
    const uint8_t *index = p + c->time * 8, *types = index + c->time;

    if (c->time * 9 + c->type * 6 > n)
        return false;
    z->from = xcalloc(c->time + 1, sizeof *z->from);
    z->offset = xcalloc(c->time + 1, sizeof *z->offset);
    z->first = (int32_t)be32(types);
    for (size_t i = 0; i < c->time; i++) {
        if (index[i] >= c->type)
            return false;
        z->from[i] = be64(p + i * 8);
        z->offset[i] = (int32_t)be32(types + index[i] * 6);
        if (i > 0 && z->from[i] <= z->from[i - 1])
            return false;
    }
    z->len = c->time;
    return true;
}

static bool read_file(struct tz *z, const uint8_t *p, size_t n)
{
    struct counts c;
    size_t skip;
    const uint8_t *nl;

    if (!read_header(p, n, &c))
        return false;
    skip = HEADER + c.time * 5 + c.type * 6 + c.chars + c.leap * 8 + c.isstd + c.isut;
    if (skip > n || !read_header(p + skip, n - skip, &c))
        return false;
    p += skip + HEADER;
    n -= skip + HEADER;
    if (!read_block(z, p, n, &c))
        return false;
    skip = c.time * 9 + c.type * 6 + c.chars + c.leap * 12 + c.isstd + c.isut;
    if (skip + 1 < n && p[skip] == '\n' && (nl = memchr(p + skip + 1, '\n', n - skip - 1))) {
        AUTO_FREE char *footer = xmemdup0(p + skip + 1, (size_t)(nl - (p + skip + 1)));

        parse_footer(z, footer);
    }
    return true;
}

struct tz *tz_parse(const void *bytes, size_t n)
{
    struct tz *z = xcalloc(1, sizeof *z);

    if (!read_file(z, bytes, n)) {
        tz_free(z);
        z = xcalloc(1, sizeof *z); /* UTC */
    }
    return z;
}

struct tz *tz_load(const char *name)
{
    AUTO_STR struct str bytes = STR_INIT;
    AUTO_CLOSE int home = open(HOME, O_PATH | O_DIRECTORY | O_CLOEXEC);

    /* Distributions make zones links to one another: only the name is checked. */
    if (name && *name && *name != '/' && !strstr(name, "..") && home >= 0) {
        AUTO_CLOSE int fd = openat(home, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd >= 0 && io_read_all(fd, &bytes, FILE_MAX) < 0)
            str_reset(&bytes);
    }
    return tz_parse(str_c(&bytes), bytes.len);
}

void tz_free(struct tz *z)
{
    if (!z)
        return;
    free(z->from);
    free(z->offset);
    free(z);
}

const char *tz_day(const struct tz *z, int64_t ns, char buf[static TZ_DAY])
{
    int64_t t = floor_div(ns, NS_PER_S), y;
    int m, d;

    civil_from_days(floor_div(t + tz_offset(z, t), DAY_S), &y, &m, &d);
    snprintf(buf, TZ_DAY, "%04d-%02u-%02u", (int)y, (unsigned)m % 100, (unsigned)d % 100);
    return buf;
}

const char *tz_minute(const struct tz *z, int64_t ns, char buf[static TZ_MINUTE])
{
    int64_t t = floor_div(ns, NS_PER_S), local = t + tz_offset(z, t);
    int minute = (int)((local - floor_div(local, DAY_S) * DAY_S) / 60);
    char day[TZ_DAY];

    snprintf(buf, TZ_MINUTE, "%.15s %02d:%02d", tz_day(z, ns, day), minute / 60, minute % 60);
    return buf;
}
