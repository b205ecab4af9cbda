#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void reserve(struct str *b, size_t more)
{
    size_t need = b->len + more + 1;

    if (need <= b->cap)
        return;
    if (need < b->cap * 2)
        need = b->cap * 2;
    if (need < 32)
        need = 32;
    if (b->lent)
        b->s = memcpy(xmalloc(need), b->s, b->len);
    else
        b->s = xreallocarray(b->s, need, 1);
    b->lent = false;
    b->cap = need;
}

void str_room(struct str *b, size_t more)
{
    reserve(b, more);
}

void str_clear(struct str *b)
{
    if (!b->lent)
        free(b->s);
    *b = (struct str)STR_INIT;
}

void str_reset(struct str *b)
{
    str_cut(b, 0);
}

const char *str_c(const struct str *b)
{
    return b->len ? b->s : "";
}

void str_add(struct str *b, const char *s)
{
    str_addn(b, s, strlen(s));
}

void str_adds(struct str *b, const char *first, ...)
{
    va_list ap;

    va_start(ap, first);
    for (const char *s = first; s; s = va_arg(ap, const char *))
        str_add(b, s);
    va_end(ap);
}

void str_addn(struct str *b, const void *p, size_t n)
{
    reserve(b, n);
    if (n)
        memcpy(b->s + b->len, p, n);
    b->len += n;
    b->s[b->len] = '\0';
}

void str_addc(struct str *b, char c)
{
    reserve(b, 1);
    b->s[b->len++] = c;
    b->s[b->len] = '\0';
}

void str_addi(struct str *b, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        str_addc(b, '-');
    str_addn(b, digits + at, sizeof digits - at);
}

void str_addf(struct str *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    reserve(b, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void str_cut(struct str *b, size_t len)
{
    if (!b->s || len >= b->len)
        return;
    b->len = len;
    b->s[len] = '\0';
}

char *str_detach(struct str *b)
{
    char *s;

    reserve(b, 0);
    b->s[b->len] = '\0';
    s = b->lent ? xmemdup0(b->s, b->len) : b->s;
    *b = (struct str)STR_INIT;
    return s;
}
