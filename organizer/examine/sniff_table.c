/* sniff_table: JSON and CSV, which have no signature: only their whole form tells. */
#include "examine/sniff.h"

#include <string.h>

#define NESTING_MAX 64

/* A bounded scan of JSON that keeps only what is open. */
struct scan {
    const char *s;
    size_t n, at;
    char open[NESTING_MAX];
    unsigned depth;
    bool ended; /* ran out of input: fine when the document goes on */
};

static void skip_space(struct scan *j)
{
    while (j->at < j->n && strchr(" \t\r\n", j->s[j->at]) && j->s[j->at])
        j->at++;
    j->ended = j->at >= j->n;
}

static bool scan_string(struct scan *j)
{
    for (j->at++; j->at < j->n; j->at++) {
        unsigned char c = (unsigned char)j->s[j->at];

        if (c == '"') {
            j->at++;
            return true;
        }
        if (c < 0x20)
            return false;
        j->at += c == '\\';
    }
    j->ended = true;
    return true;
}

/* Numbers, true, false, null. */
static bool scan_word(struct scan *j)
{
    size_t from = j->at;

    while (j->at < j->n && strchr("+-.0123456789eEtrufalsn", j->s[j->at]) && j->s[j->at])
        j->at++;
    j->ended = j->at >= j->n;

    size_t len = j->at - from;
    const char *w = j->s + from;

    if (j->ended)
        return true;
    if (len == 4 && (memcmp(w, "true", 4) == 0 || memcmp(w, "null", 4) == 0))
        return true;
    if (len == 5 && memcmp(w, "false", 5) == 0)
        return true;
    return len > 0 && (*w == '-' || (*w >= '0' && *w <= '9'));
}

/* A value, or the start of a list or object. False for what JSON does not have. */
static bool scan_value(struct scan *j)
{
    char c = j->s[j->at];

    if (c == '"')
        return scan_string(j);
    if (c != '{' && c != '[')
        return scan_word(j);
    if (j->depth == NESTING_MAX)
        return false;
    j->open[j->depth++] = c;
    j->at++;
    return true;
}

/* "name": before a value in an object. */
static bool scan_key(struct scan *j)
{
    if (j->s[j->at] != '"' || !scan_string(j))
        return false;
    skip_space(j);
    if (j->ended)
        return true;
    if (j->s[j->at++] != ':')
        return false;
    skip_space(j);
    return true;
}

/* Everything inside the outermost brackets; true when it is JSON as far as it goes. */
static bool scan_nested(struct scan *j)
{
    bool first = true;

    while (j->depth > 0) {
        char open = j->open[j->depth - 1];

        skip_space(j);
        if (j->ended)
            return true;
        if (j->s[j->at] == (open == '{' ? '}' : ']')) {
            j->depth--;
            j->at++;
            first = false;
            continue;
        }
        if (!first && j->s[j->at++] != ',')
            return false;
        skip_space(j);
        if (!j->ended && open == '{' && !scan_key(j))
            return false;
        if (j->ended)
            return true;

        unsigned depth = j->depth;

        if (!scan_value(j))
            return false;
        first = j->depth > depth;
    }
    return true;
}

bool sniff_is_json(const struct text *t)
{
    struct scan j = {.s = t->s, .n = t->n};

    skip_space(&j);
    if (j.ended || (j.s[j.at] != '{' && j.s[j.at] != '['))
        return false;
    /* One value, or one a line: both are JSON to people. "[1] See Smith v. Jones" is not. */
    while (!j.ended) {
        if ((j.s[j.at] != '{' && j.s[j.at] != '[') || !scan_value(&j) || !scan_nested(&j))
            return false;
        if (j.depth > 0)
            return !t->whole && j.ended;
        skip_space(&j);
    }
    return true;
}

/* Counts sep outside quotes in the line at *at, moves behind it. False when a quote stays open. */
static bool count_line(const struct text *t, char sep, size_t *at, unsigned *count)
{
    bool quoted = false;

    *count = 0;
    for (; *at < t->n; ++*at) {
        char c = t->s[*at];

        if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == sep)
            ++*count;
        else if (!quoted && c == '\n')
            break;
    }
    *at += *at < t->n;
    return !quoted;
}

static bool is_table(const struct text *t, char sep)
{
    size_t at = 0, lines = 0;
    unsigned columns, count;

    if (!count_line(t, sep, &at, &columns) || columns == 0)
        return false;
    for (lines = 1; at < t->n && lines < 50; lines++) {
        size_t from = at;

        if (!count_line(t, sep, &at, &count) || (at >= t->n && !t->whole))
            break;
        if (count == 0 && (t->s[from] == '\n' || t->s[from] == '\r') && at >= t->n)
            break;
        if (count != columns)
            return false;
    }
    return lines >= 4 || (lines >= 2 && columns >= 2);
}

bool sniff_is_csv(const struct text *t)
{
    /* Prose has commas too, but not on every line the same number. */
    return is_table(t, ',') || is_table(t, ';') || is_table(t, '\t');
}
