/* date_find(): reads the dates in a name. Candidates are tried at each run of digits and each
 * month name, left to right; what they say together is the verdict. */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/date.h"
#include "decide/lang.h"

enum { YEAR_FIRST_LIKELY = 1500, YEAR_LAST_LIKELY = 2199, YEAR_ANCIENT = 1950 };

struct finder {
    const char *text, *end;
    enum date_order order;
    struct date today;
    const struct lang *lang;
};

/* A run of ASCII digits. */
struct number {
    const char *at, *end;
    int value; /* of at most 8 digits */
    int digits;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct number read_number(const char *p, const char *end)
{
    struct number n = {p, p, 0, 0};

    while (n.end < end && is_digit(*n.end)) {
        if (n.digits < 8)
            n.value = n.value * 10 + (*n.end - '0');
        n.digits++;
        n.end++;
    }
    return n;
}

/* The character before p, or -1 at the start. */
static int32_t char_before(const struct finder *f, const char *p)
{
    const char *q = p;

    if (p == f->text)
        return -1;
    do
        q--;
    while (q > f->text && ((unsigned char)*q & 0xC0) == 0x80);
    return utf8_next(&q, p);
}

static bool word_before(const struct finder *f, const char *p)
{
    return utf8_is_word(char_before(f, p));
}

static bool word_at(const struct finder *f, const char *p)
{
    return p < f->end && utf8_is_word(utf8_next(&(const char *){p}, f->end));
}

static struct date make(int y, int m, int d)
{
    return (struct date){(int16_t)y, (uint8_t)m, (uint8_t)d};
}

static int full_year(struct number y)
{
    if (y.digits == 4)
        return y.value;
    return y.value < 70 ? 2000 + y.value : 1900 + y.value;
}

static bool likely_year(struct number y)
{
    return y.digits == 4 && y.value >= YEAR_FIRST_LIKELY && y.value <= YEAR_LAST_LIKELY;
}

static enum date_verdict judge(const struct finder *f, struct date d)
{
    if (!date_exists(d))
        return DATE_IMPOSSIBLE;
    if (date_compare(d, f->today) > 0)
        return DATE_FUTURE;
    return d.year < YEAR_ANCIENT ? DATE_ANCIENT : DATE_FOUND;
}

static void one_reading(const struct finder *f, struct date d, struct date_match *m)
{
    m->verdict = judge(f, d);
    m->date = d;
    m->other = DATE_NONE;
}

/* Six digits: hours, minutes, seconds. */
static bool is_clock(const char *t)
{
    return (t[0] - '0') * 10 + t[1] - '0' < 24 && t[2] < '6' && t[4] < '6';
}

/* "14.05.22", "14:05", "140522", "140522123" behind a date: scanners, cameras and chat programs. Returns p when
 * there is none ("2026-03-02 1999" and "2026-03-02 03-04-99" hold no time). */
static const char *skip_clock(const struct finder *f, const char *p)
{
    struct number h = read_number(p, f->end), m, s;

    if (h.digits == 6 || h.digits == 9)
        return is_clock(h.at) ? h.end : p;
    if (h.digits < 1 || h.digits > 2 || h.value > 23 || h.end == f->end || !strchr(".:-_", *h.end))
        return p;
    m = read_number(h.end + 1, f->end);
    if (m.digits != 2 || m.value > 59)
        return p;
    s = (struct number){m.end, m.end, 0, 0};
    if (m.end < f->end && *m.end == *h.end)
        s = read_number(m.end + 1, f->end);
    if (s.digits == 0)
        return *h.end == ':' || *h.end == '.' ? m.end : p;
    return s.digits == 2 && s.value < 60 ? s.end : p;
}

/* " AM", "pm" behind a time. */
static const char *skip_half_day(const struct finder *f, const char *p)
{
    const char *q = p < f->end && *p == ' ' ? p + 1 : p;

    if (f->end - q >= 2 && strchr("aApP", *q) && (q[1] | 32) == 'm' && !word_at(f, q + 2))
        return q + 2;
    return p;
}

/* The end of the time of day behind a date, or p when there is none. */
static const char *skip_time(const struct finder *f, const char *p)
{
    const char *q = p, *end;

    if (q < f->end && strchr(" _-T", *q))
        q++;
    if (f->end - q > 3 && strncasecmp(q, "at ", 3) == 0)
        q += 3;
    if (q == p)
        return p;
    end = skip_clock(f, q);
    if (end == q)
        return p;
    end = skip_half_day(f, end);
    return word_at(f, end) ? p : end;
}

/* 8, 12 or 14 digits: 20260302, 202603021430, 20260302143000. */
static const char *read_packed(const struct finder *f, struct number n, struct date_match *m)
{
    int y = n.value / 10000, mo = n.value / 100 % 100, d = n.value % 100;

    if (n.digits != 8 && n.digits != 12 && n.digits != 14)
        return NULL;
    if (y < 1900 || y > YEAR_LAST_LIKELY || mo < 1 || d < 1 || mo > 31 || d > 31 ||
        (mo > 12 && d > 12))
        return NULL;
    if (n.digits > 8) {
        const char *t = n.at + 8;

        if (mo > 12 || (t[0] - '0') * 10 + t[1] - '0' > 23 || t[2] > '5')
            return NULL;
    }
    one_reading(f, make(y, mo, d), m);
    return n.digits == 8 ? skip_time(f, n.end) : n.end;
}

/* 2026-3-2, 2026.03.02, 2026_03_02, 2026 03 02. */
static const char *read_year_first(const struct finder *f, struct number y, struct number mo,
                                   struct number d, struct date_match *m)
{
    if (!likely_year(y) || mo.digits > 2 || d.digits > 2)
        return NULL;
    if (*y.end == ' ' && (mo.digits != 2 || d.digits != 2 || mo.value > 12 || d.value > 31))
        return NULL;
    if (mo.value > 31 || d.value > 31) /* an account or part number */
        return NULL;
    one_reading(f, make(y.value, mo.value, d.value), m);
    return skip_time(f, d.end);
}

/* One way to read three numbers. */
struct reading {
    bool shaped; /* a month up to 12 and a day up to 31, though perhaps not of that month */
    struct date date;
};

static struct reading read_as(int y, int mo, int d)
{
    struct reading r = {mo >= 1 && mo <= 12 && d >= 1 && d <= 31, DATE_NONE};

    if (r.shaped)
        r.date = make(y, mo, d);
    return r;
}

/* Puts what the readings allow into m; false when they are no date at all. */
static bool settle_readings(const struct finder *f, const struct reading *r, size_t n,
                            struct date_match *m)
{
    struct date good[3];
    size_t goods = 0;
    bool shaped = false;

    for (size_t i = 0; i < n; i++) {
        shaped = shaped || r[i].shaped;
        if (!date_exists(r[i].date) || (goods && date_compare(good[0], r[i].date) == 0))
            continue;
        good[goods++] = r[i].date;
    }
    if (goods == 0) {
        one_reading(f, DATE_NONE, m);
        return shaped;
    }
    one_reading(f, good[0], m);
    if (goods > 1) {
        m->verdict = DATE_AMBIGUOUS;
        m->other = good[1];
    }
    return true;
}

/* 03-02-2026, 3-2-26, 03.02.2026, 3/2/26. */
static const char *read_year_last(const struct finder *f, struct number a, struct number b,
                                  struct number c, struct date_match *m)
{
    struct reading mdy, dmy, ymd, r[3];
    enum date_order order = f->order;
    size_t n = 0;

    if (a.digits > 2 || b.digits > 2 || (c.digits != 2 && !likely_year(c)) || *a.end == ' ')
        return NULL;
    mdy = read_as(full_year(c), a.value, b.value);
    dmy = read_as(full_year(c), b.value, a.value);
    ymd = read_as(full_year(a), b.value, c.value);
    if (c.digits == 4 || a.digits != 2)
        ymd = (struct reading){false, DATE_NONE};
    if (order == DATE_ORDER_YMD && ymd.shaped)
        r[n++] = ymd;
    else if (order == DATE_ORDER_MDY && mdy.shaped)
        r[n++] = mdy;
    else if (order == DATE_ORDER_DMY && dmy.shaped)
        r[n++] = dmy;
    else {
        r[n++] = mdy;
        r[n++] = dmy;
        if (a.value > 12)
            r[n++] = ymd;
    }
    if (!settle_readings(f, r, n, m) && (c.digits == 2 || a.value > 31 || b.value > 31))
        return NULL; /* sections, versions, parts: 15-44-33 */
    return skip_time(f, c.end);
}

/* A list of numbers like 10.0.0.12 or 1-2-26-5 that only holds three that would do. */
static bool is_longer_list(const struct finder *f, struct number a, struct number c)
{
    char sep = *a.end;
    bool more_before = a.at - f->text >= 2 && a.at[-1] == sep && is_digit(a.at[-2]);
    bool more_behind = f->end - c.end >= 2 && *c.end == sep && is_digit(c.end[1]);

    if (a.digits == 4 || (c.digits == 4 && sep != '.'))
        return false;
    return more_before || more_behind;
}

static const char *read_three(const struct finder *f, struct number a, struct date_match *m)
{
    struct number b, c;
    const char *end;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): every number has an end */
    if (a.end == f->end || !strchr("-._/ ", *a.end))
        return NULL;
    b = read_number(a.end + 1, f->end);
    if (b.digits == 0 || b.end == f->end || *b.end != *a.end)
        return NULL;
    c = read_number(b.end + 1, f->end);
    if (c.digits == 0)
        return NULL;
    if (is_longer_list(f, a, c))
        return NULL;
    end = read_year_first(f, a, b, c, m);
    if (!end)
        end = read_year_last(f, a, b, c, m);
    return end && !word_at(f, end) ? end : NULL;
}

/* False when the word, of at least two letters, begins otherwise, as most do. */
static bool may_be(const char *word, const char *name)
{
    for (size_t i = 0; i < 2 && name[i]; i++) {
        if ((unsigned char)word[i] >= 0x80 || (unsigned char)name[i] >= 0x80)
            return true;
        if (ascii_lower(word[i]) != ascii_lower(name[i]))
            return false;
    }
    return true;
}

/* True when the folded word is the month's name, its short form, or a longer short form: "sept". */
static bool is_month(const char *word, const char *longer, const char *shorter)
{
    AUTO_FREE char *l = utf8_fold(longer);
    AUTO_FREE char *s = utf8_fold(shorter);

    if (strcmp(word, l) == 0 || strcmp(word, s) == 0)
        return true;
    return utf8_count(word, strlen(word)) > 3 && strncmp(word, s, strlen(s)) == 0 &&
           strncmp(word, l, strlen(word)) == 0 && strlen(word) < strlen(l);
}

/* What may stand between the parts of "2nd Mar., 2026": at most three of these. */
static const char *skip_gap(const struct finder *f, const char *p)
{
    for (int i = 0; i < 3 && p < f->end && strchr(" .,-_'", *p); i++)
        p++;
    return p;
}

/* The month whose name the letters at p spell, 0 for none; *end is set behind them. A month counts
 * only with a number behind it, which spares the comparison for nearly every word. */
static int read_month(const struct finder *f, const char *p, const char **end)
{
    const char *const *longs, *const *shorts;
    const char *q = p, *next;
    AUTO_FREE char *word = NULL;
    AUTO_FREE char *folded = NULL;

    while (q < f->end && !is_digit(*q) && word_at(f, q))
        utf8_next(&q, f->end);
    *end = q;
    next = skip_gap(f, q);
    if (q - p < 3 || q - p > 24 || next == f->end || !is_digit(*next))
        return 0;
    longs = lang_list(f->lang, "month.long");
    shorts = lang_list(f->lang, "month.short");
    for (int i = 0; i < 12 && longs[i] && shorts[i]; i++) {
        if (!may_be(p, longs[i]) && !may_be(p, shorts[i]))
            continue;
        if (!folded) {
            word = xmemdup0(p, (size_t)(q - p));
            folded = utf8_fold(word);
        }
        if (is_month(folded, longs[i], shorts[i]))
            return i + 1;
    }
    return 0;
}

static const char *skip_ordinal(const struct finder *f, const char *p)
{
    static const char *const endings[] = {"st", "nd", "rd", "th"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (f->end - p >= 2 && strncasecmp(p, endings[i], 2) == 0 && !word_at(f, p + 2))
            return p + 2;
    return p;
}

static const char *finish_named(const struct finder *f, int y, int mo, int d, const char *end,
                                struct date_match *m)
{
    if (word_at(f, end))
        return NULL;
    one_reading(f, make(y, mo, d > 31 ? 32 : d), m);
    return skip_time(f, end);
}

static bool is_year(struct number y)
{
    return y.digits == 2 || likely_year(y);
}

/* March 2nd 2026, March 2, 2026, Mar-2-2026. */
static const char *read_month_number(const struct finder *f, const char *p, struct date_match *m)
{
    int month = read_month(f, p, &p);
    struct number d, y;

    if (!month)
        return NULL;
    d = read_number(skip_gap(f, p), f->end);
    if (d.digits < 1 || d.digits > 2)
        return NULL;
    p = skip_ordinal(f, d.end);
    y = read_number(skip_gap(f, p), f->end);
    if (y.at == p || !is_year(y))
        return NULL;
    return finish_named(f, full_year(y), month, d.value, y.end, m);
}

/* Behind the "of" of "2nd of March 2026", which any gap may follow; p when there is none. */
static const char *skip_of(const struct finder *f, const char *p)
{
    const char *at = skip_gap(f, p);

    /* What stands between day and month. */
    for (const char *const *of = lang_list(f->lang, "month.of"); *of; of++) {
        size_t n = strlen(*of);

        if ((size_t)(f->end - at) > n && strncasecmp(at, *of, n) == 0 && !word_at(f, at + n))
            return at + n;
    }
    return p;
}

/* 2 Mar 2026, 2nd March 2026, 2nd of March 2026, 2-Mar-26; also 2026 Mar 2. */
static const char *read_number_month(const struct finder *f, struct number a, struct date_match *m)
{
    const char *p = a.digits <= 2 ? skip_ordinal(f, a.end) : a.end;
    /* Not "1 of May 2026": that may be the first of some. */
    const char *month_at = skip_gap(f, p > a.end ? skip_of(f, p) : p);
    int month = read_month(f, month_at, &p);
    struct date_match other;
    struct number c;

    if (!month)
        return NULL;
    c = read_number(skip_gap(f, p), f->end);
    if (likely_year(a) && c.digits >= 1 && c.digits <= 2)
        return finish_named(f, a.value, month, c.value, skip_ordinal(f, c.end), m);
    if (a.digits > 2 || !is_year(c))
        return NULL;
    /* "Exhibit 12 June 14, 2023": the month's date has its full year behind it. */
    if (c.digits <= 2 && read_month_number(f, month_at, &other))
        return NULL;
    return finish_named(f, full_year(c), month, a.value, c.end, m);
}

/* The date that starts at p: fills m and returns its end; NULL when none does. */
static const char *read_date(const struct finder *f, const char *p, struct date_match *m)
{
    struct number a;
    const char *end;

    if (word_before(f, p))
        return NULL;
    if (!is_digit(*p))
        return read_month_number(f, p, m);
    a = read_number(p, f->end);
    end = read_packed(f, a, m);
    if (end && !word_at(f, end))
        return end;
    end = read_three(f, a, m);
    return end ? end : read_number_month(f, a, m);
}

static bool has_reading(const struct date_match *m, struct date d)
{
    return date_compare(m->date, d) == 0 || date_compare(m->other, d) == 0;
}

/* What the dates found so far and the next one say together. */
static void combine(struct date_match *all, const struct date_match *next)
{
    bool was_open = all->verdict == DATE_AMBIGUOUS, is_open = next->verdict == DATE_AMBIGUOUS;

    if (all->verdict == DATE_IMPOSSIBLE || all->verdict == DATE_SEVERAL)
        return;
    if (next->verdict == DATE_IMPOSSIBLE) {
        all->verdict = DATE_IMPOSSIBLE;
        all->date = next->date;
    } else if (was_open && !is_open && has_reading(all, next->date)) {
        all->verdict = next->verdict; /* "03-02-2026 … 2026-03-02": the second says which */
        all->date = next->date;
        all->other = DATE_NONE;
    } else if (!was_open && is_open && has_reading(next, all->date)) {
        return;
    } else if (date_compare(all->date, next->date) != 0 ||
               date_compare(all->other, next->other) != 0) {
        all->verdict = DATE_SEVERAL;
        all->other = next->date;
    }
}

/* A date may start at p: a digit or letter that stands at the start of a word. */
static bool may_start(const char *p, const char *text)
{
    unsigned char c = (unsigned char)*p, b = p > text ? (unsigned char)p[-1] : ' ';

    if (!is_digit(*p) && c < 0x80 && ((c | 32) < 'a' || (c | 32) > 'z'))
        return false;
    return !((b >= '0' && b <= '9') || ((b | 32) >= 'a' && (b | 32) <= 'z'));
}

struct date_match date_find(const char *text, enum date_order order, struct date today,
                            const struct lang *lang)
{
    struct finder f = {text, text + strlen(text), order, today, lang};
    struct date_match all = {DATE_ABSENT, DATE_NONE, DATE_NONE, 0, 0}, one = all;

    if (!strpbrk(text, "0123456789"))
        return all;
    for (const char *p = text; p < f.end;) {
        const char *end = may_start(p, text) ? read_date(&f, p, &one) : NULL;

        if (!end) {
            p++;
            continue;
        }
        one.start = (size_t)(p - text);
        one.end = (size_t)(end - text);
        if (all.verdict == DATE_ABSENT)
            all = one;
        else
            combine(&all, &one);
        p = end;
    }
    return all;
}
