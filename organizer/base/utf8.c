#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/alloc.h"
#include "base/str.h"

bool utf8_valid(const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end) {
        if ((unsigned char)*s < 0x80) {
            if (!*s++)
                return false;
        } else if (utf8_next(&s, end) < 0) {
            return false;
        }
    }
    return true;
}

int32_t utf8_next(const char **s, const char *end)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n;

    if (*s < end && (unsigned char)**s < 0x80)
        return *(*s)++;
    n = utf8proc_iterate((const utf8proc_uint8_t *)*s, end - *s, &c);
    if (n <= 0) {
        (*s)++;
        return -1;
    }
    *s += n;
    return c;
}

void utf8_put(struct str *out, int32_t c)
{
    utf8proc_uint8_t b[4];
    utf8proc_ssize_t n = utf8proc_encode_char(c, b);

    if (n > 0)
        str_addn(out, b, (size_t)n);
}

/* utf8proc_map, falling back to a copy where the input is not valid UTF-8. */
static char *mapped(const char *s, utf8proc_option_t how)
{
    utf8proc_uint8_t *out = NULL;
    size_t n = strlen(s);

    if (utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &out, how) >= 0 && out)
        return (char *)out;
    free(out);
    return xmemdup0(s, n);
}

static bool is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

char *utf8_nfc(const char *s)
{
    if (is_ascii(s))
        return xstrdup(s);
    return mapped(s, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

static char *ascii_fold(const char *s)
{
    char *p = xstrdup(s);

    for (char *q = p; *q; q++)
        *q = (char)ascii_lower(*q);
    return p;
}

char *utf8_fold(const char *s)
{
    if (is_ascii(s))
        return ascii_fold(s);
    return mapped(s, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
}

char *utf8_fold_plain(const char *s)
{
    if (is_ascii(s))
        return ascii_fold(s);
    return mapped(s, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
}

static bool is_bidi(int32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

static bool is_zero_width(int32_t c)
{
    return (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF || c == 0x00AD;
}

static bool is_control(int32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

/* How many bytes are shown as they are without being looked at as characters. */
static size_t plain(const char *s, const char *end)
{
    const char *p = s;

    while (p < end && *p >= 0x20 && *p < 0x7F && *p != '\\')
        p++;
    return (size_t)(p - s);
}

void utf8_show(struct str *out, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end) {
        const char *at = s;
        int32_t c;

        s += plain(s, end);
        str_addn(out, at, (size_t)(s - at));
        if (s == end)
            return;
        at = s;
        c = utf8_next(&s, end);
        if (c < 0)
            str_addf(out, "\\x%02X", (unsigned char)*at);
        else if (c == '\\')
            str_add(out, "\\\\");
        else if (is_control(c))
            str_addf(out, c < 0x100 ? "\\x%02X" : "\\u{%04X}", (unsigned)c);
        else if (is_bidi(c) || is_zero_width(c))
            str_addf(out, "\\u{%04X}", (unsigned)c);
        else
            str_addn(out, at, (size_t)(s - at));
    }
}

bool utf8_deceptive(const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end) {
        int32_t c = utf8_next(&s, end);

        if (is_bidi(c) || is_zero_width(c))
            return true;
    }
    return false;
}

size_t utf8_cut(const char *s, size_t n, size_t max)
{
    if (n <= max)
        return n;
    while (max > 0 && ((unsigned char)s[max] & 0xC0) == 0x80)
        max--;
    return max;
}

size_t utf8_count(const char *s, size_t n)
{
    const char *end = s + n;
    size_t count = 0;

    while (s < end) {
        utf8_next(&s, end);
        count++;
    }
    return count;
}

bool utf8_is_word(int32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
        return true;
    default:
        return false;
    }
}

int32_t utf8_lower(int32_t c)
{
    return c < 0 ? c : utf8proc_tolower(c);
}

bool utf8_is_upper(int32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z';
    return utf8proc_category(c) == UTF8PROC_CATEGORY_LU;
}
