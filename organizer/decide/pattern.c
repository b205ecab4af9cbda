#include "decide/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* A name is at most 255 bytes: what needs more steps than this is a mistake in the pattern. */
enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 20000, HEAP_LIMIT_KIB = 4096 };

struct pattern {
    char *text;
    pcre2_code *code;
    char needed[2]; /* each match holds one of these two; NUL where that is not known */
    pcre2_match_data *data; /* matching is done by one thread, see rules.h */
    pcre2_match_context *context;
};

static pcre2_match_context *make_context(void)
{
    pcre2_match_context *c = pcre2_match_context_create(NULL);

    if (!c)
        abort();
    pcre2_set_match_limit(c, MATCH_LIMIT);
    pcre2_set_depth_limit(c, DEPTH_LIMIT);
    pcre2_set_heap_limit(c, HEAP_LIMIT_KIB);
    return c;
}

/* A letter or other sign that every match holds, as PCRE2 knows it; '\0' when there is none. */
static char needed_by(const pcre2_code *code)
{
    uint32_t type = 0, unit = 0;

    pcre2_pattern_info(code, PCRE2_INFO_LASTCODETYPE, &type);
    if (type == 1)
        pcre2_pattern_info(code, PCRE2_INFO_LASTCODEUNIT, &unit);
    return unit < 0x80 ? (char)unit : '\0';
}

/* Both cases of it, since the pattern may not care; K and S have a third one. */
static void note_needed(struct pattern *p)
{
    char c = needed_by(p->code);
    bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';

    if (letter && ((c | 32) == 'k' || (c | 32) == 's'))
        return;
    p->needed[0] = c;
    p->needed[1] = letter ? (char)(c ^ 32) : c;
}

struct pattern *pattern_new(const char *text, unsigned flags, size_t *column, struct error *err)
{
    uint32_t how = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    struct pattern *p;
    pcre2_code *code;
    int number;

    if (flags & PATTERN_CASELESS)
        how |= PCRE2_CASELESS;
    code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, how, &number, column, NULL);
    if (!code) {
        PCRE2_UCHAR why[200];

        pcre2_get_error_message(number, why, sizeof why);
        error_set(err, 0, "bad pattern: %s", (const char *)why);
        return NULL;
    }
    p = xcalloc(1, sizeof *p);
    p->text = xstrdup(text);
    p->code = code;
#ifndef PATTERN_NO_JIT /* for valgrind, which cannot follow the vector code that it makes */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without a JIT it is only slower */
#endif
    p->data = pcre2_match_data_create_from_pattern(code, NULL);
    if (!p->data)
        abort();
    p->context = make_context();
    note_needed(p);
    return p;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_context_free(p->context);
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    free(p->text);
    free(p);
}

const char *pattern_text(const struct pattern *p)
{
    return p->text;
}

/* Most names are no match of most patterns, and that is seen without asking PCRE2. */
static bool may_match(const struct pattern *p, const char *text, size_t n)
{
    return !p->needed[0] || memchr(text, p->needed[0], n) ||
           (p->needed[1] != p->needed[0] && memchr(text, p->needed[1], n));
}

int pattern_match_from(const struct pattern *p, const char *text, size_t at,
                       struct pattern_match *m)
{
    size_t len = strlen(text);
    const PCRE2_SIZE *v;
    int n;

    if (at <= len && !may_match(p, text + at, len - at))
        return PATTERN_NO;
    n = pcre2_match(p->code, (PCRE2_SPTR)text, len, at, 0, p->data, p->context);
    if (n == PCRE2_ERROR_NOMATCH)
        return PATTERN_NO;
    if (n < 0)
        return PATTERN_RAN_AWAY;
    if (m) {
        v = pcre2_get_ovector_pointer(p->data);
        /* \K in a lookaround can put the start behind the end */
        *m = (struct pattern_match){p, text, v[0], v[1] < v[0] ? v[0] : v[1]};
    }
    return PATTERN_YES;
}

int pattern_match(const struct pattern *p, const char *text, struct pattern_match *m)
{
    return pattern_match_from(p, text, 0, m);
}

char *pattern_group(const struct pattern_match *m, const char *group)
{
    int n = pcre2_substring_number_from_name(m->pattern->code, (PCRE2_SPTR)group);
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(m->pattern->data);

    if (n < 0 || v[2 * n] == PCRE2_UNSET)
        return NULL;
    return xmemdup0(m->subject + v[2 * n], v[2 * n + 1] - v[2 * n]);
}

bool pattern_has_group(const struct pattern *p, const char *group)
{
    return pcre2_substring_number_from_name(p->code, (PCRE2_SPTR)group) > 0;
}

/* The character that every match ends in, as PCRE2 knows it: without it in the text no way is
 * tried at all. A control character when there is none. */
static char last_character(const struct pattern *p)
{
    char c = needed_by(p->code);

    return c ? c : '\x02';
}

bool pattern_runs_away(const struct pattern *p)
{
    static const char *const units[] = {"a", "A", "0", " ", "-", "_", ".", "a0", "a ", "ab-"};
    enum { LONG = 250 };
    char text[LONG + 3];

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i]);

        for (size_t at = 0; at < LONG; at++)
            text[at] = units[i][at % n];
        text[LONG] = '\0';
        if (pattern_match(p, text, NULL) == PATTERN_RAN_AWAY)
            return true;
        text[LONG] = '\x01';
        text[LONG + 1] = last_character(p);
        text[LONG + 2] = '\0';
        if (pattern_match(p, text, NULL) == PATTERN_RAN_AWAY)
            return true;
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* One "[abc]" at *glob against c; *glob moves behind it. */
static bool in_set(const char **glob, char c)
{
    const char *g = *glob + 1;
    bool found = false;

    for (; *g && *g != ']'; g++)
        found |= lower(*g) == lower(c);
    *glob = *g ? g + 1 : g;
    return found;
}

static const char *next_char(const char *s)
{
    s++;
    while (((unsigned char)*s & 0xC0) == 0x80)
        s++;
    return s;
}

bool glob_match(const char *glob, const char *name)
{
    const char *star = NULL, *resume = name;

    while (*name) {
        const char *g = glob;

        if (*g == '*') {
            star = ++glob;
            resume = name;
        } else if (*g == '?') {
            glob++;
            name = next_char(name);
        } else if (*g == '[' ? in_set(&g, *name) : (*g && lower(*g) == lower(*name))) {
            glob = *glob == '[' ? g : glob + 1;
            name++;
        } else if (star) {
            glob = star;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}
