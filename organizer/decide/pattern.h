/*
 * pattern: PCRE2, compiled once, bounded when it runs; and the simpler wildcards of file names.
 *
 * A pattern that backtracks without end comes back as PATTERN_RAN_AWAY after a few milliseconds
 * at most, never as a hang. Text may be any bytes: what is not UTF-8 matches nothing.
 */
#ifndef ORGANIZER_DECIDE_PATTERN_H
#define ORGANIZER_DECIDE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct pattern;
struct str;

enum { PATTERN_CASELESS = 1 };
enum { PATTERN_RAN_AWAY = -1, PATTERN_NO = 0, PATTERN_YES = 1 };

/* Compiles text. NULL with what was expected in err; *column (from 0) is the byte where. */
struct pattern *pattern_new(const char *text, unsigned flags, size_t *column, struct error *err);
void pattern_free(struct pattern *p);
/* The text it was compiled from, borrowed. */
const char *pattern_text(const struct pattern *p);

/* What was found: the offsets of the match and of named groups, valid until the next match. */
struct pattern_match {
    const struct pattern *pattern;
    const char *subject;
    size_t start, end;
};

/* PATTERN_YES, PATTERN_NO or PATTERN_RAN_AWAY. m may be NULL. */
int pattern_match(const struct pattern *p, const char *text, struct pattern_match *m);
/* The same, from byte at on. */
int pattern_match_from(const struct pattern *p, const char *text, size_t at,
                       struct pattern_match *m);
/* What the named group matched, owned by the caller; NULL when it is not there or took no part. */
char *pattern_group(const struct pattern_match *m, const char *group);
/* The pattern has a group of that name. */
bool pattern_has_group(const struct pattern *p, const char *group);
/* Tries texts on which careless patterns run away; true when this one does. */
bool pattern_runs_away(const struct pattern *p);

/* Whole-name wildcards: '*' any run, '?' one character, '[abc]' one of these; ASCII letters
 * compare without regard to case. */
bool glob_match(const char *glob, const char *name);

#endif
