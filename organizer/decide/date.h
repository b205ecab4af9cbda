/*
 * date: calendar dates, and finding them in names (design.md section 3).
 *
 * Forms read: 2026-3-2, 2026-03-02, 20260302, 2026.03.02, 2026_03_02, 03-02-2026, 3-2-26,
 * 03.02.2026, 3/2/26 (in text), 2 Mar 2026, 2nd of March 2026, March 2nd 2026, March 2, 2026,
 * Mar-2-2026, and month names from the language file. ISO forms and named months are never ambiguous. Digits that touch
 * other digits or letters are no date (docket "2:26-cv-00123", "v2", "20260302143000" is
 * the date with a time behind it, as scanners and cameras write it). A time of day behind a date
 * ("2025-12-18 at 10.05.22") belongs to it.
 */
#ifndef ORGANIZER_DECIDE_DATE_H
#define ORGANIZER_DECIDE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lang;

struct date {
    int16_t year;  /* 0: no date */
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
};

#define DATE_NONE ((struct date){0, 0, 0})
#define DATE_TEXT 11

enum date_order { DATE_ORDER_ASK, DATE_ORDER_MDY, DATE_ORDER_DMY, DATE_ORDER_YMD };

enum date_verdict {
    DATE_ABSENT,     /* nothing that looks like a date */
    DATE_FOUND,      /* one date, or the same date several times */
    DATE_AMBIGUOUS,  /* 03-02-2026 under DATE_ORDER_ASK: `date` and `other` are the readings */
    DATE_IMPOSSIBLE, /* 2026-02-30; `date` may be DATE_NONE */
    DATE_FUTURE,     /* after today */
    DATE_ANCIENT,    /* before 1950 */
    DATE_SEVERAL,    /* two different dates: `date` and `other` */
};

struct date_match {
    enum date_verdict verdict;
    struct date date;
    struct date other;
    size_t start, end; /* the bytes of the (first) date in the text; equal when DATE_ABSENT */
};

/* It is not DATE_NONE. */
bool date_is_set(struct date d);
/* A day of the Gregorian calendar. */
bool date_exists(struct date d);
int date_compare(struct date a, struct date b);
/* "2026-03-02" into buf, "" for no date. */
const char *date_text(struct date d, char buf[static DATE_TEXT]);
/* Exactly "2026-03-02"; anything else yields DATE_NONE. */
struct date date_parse_iso(const char *s);
/* The calendar day of UTC nanoseconds t in the time zone (an IANA name; NULL is UTC). Uses
 * /usr/share/zoneinfo; an unknown zone counts as UTC. Not thread-safe with other zones: call it
 * from the main thread only. */
struct date date_of_time(int64_t t, const char *zone);
bool date_zone_exists(const char *zone);
/* Whole days from a to b. */
int date_days_between(struct date a, struct date b);

/* Looks for a date in text (a name without extension). Month names are from lang ("month.long",
 * "month.short"). today bounds the future. Two-digit years: 00-69 are 2000s, 70-99 1900s.
 * An order that cannot be meant gives way to the one that can (25-12-2025 is a date under
 * DATE_ORDER_MDY too); under DATE_ORDER_ASK two ways to read it are a question. A date that stands
 * there in full settles an ambiguous one that may mean the same day. */
struct date_match date_find(const char *text, enum date_order order, struct date today,
                            const struct lang *lang);

#endif
