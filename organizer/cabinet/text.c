#include "cabinet/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* 0x80 to 0x9F of Windows-1252; 0 where it has nothing. */
static const uint16_t cp1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

/* Where the decoder stands: the next character, and whether the last one was a CR. */
struct decoder {
    const unsigned char *at, *end;
    bool after_cr;
};

static int32_t next_utf16(struct decoder *d, bool big)
{
    int32_t hi, lo;

    if (d->end - d->at < 2) {
        d->at = d->end;
        return 0xFFFD;
    }
    hi = big ? d->at[0] << 8 | d->at[1] : d->at[1] << 8 | d->at[0];
    d->at += 2;
    if (hi < 0xD800 || hi > 0xDFFF)
        return hi;
    if (hi > 0xDBFF || d->end - d->at < 2)
        return 0xFFFD;
    lo = big ? d->at[0] << 8 | d->at[1] : d->at[1] << 8 | d->at[0];
    if (lo < 0xDC00 || lo > 0xDFFF)
        return 0xFFFD;
    d->at += 2;
    return 0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00);
}

static int32_t next_utf16_be(struct decoder *d)
{
    return next_utf16(d, true);
}

static int32_t next_utf16_le(struct decoder *d)
{
    return next_utf16(d, false);
}

static int32_t next_utf8(struct decoder *d)
{
    const char *p = (const char *)d->at;
    int32_t c = utf8_next(&p, (const char *)d->end);

    d->at = (const unsigned char *)p;
    return c < 0 ? 0xFFFD : c;
}

static int32_t next_cp1252(struct decoder *d)
{
    int32_t c = *d->at++;

    if (c >= 0x80 && c < 0xA0)
        c = cp1252[c - 0x80] ? cp1252[c - 0x80] : 0xFFFD;
    return c;
}

/* Valid UTF-8; a NUL is left to put() to refuse. */
static bool is_utf8(const unsigned char *p, const unsigned char *end)
{
    while (p < end) {
        const unsigned char *nul = memchr(p, 0, (size_t)(end - p));
        const unsigned char *stop = nul ? nul : end;

        if (!utf8_valid((const char *)p, (size_t)(stop - p)))
            return false;
        p = nul ? nul + 1 : end;
    }
    return true;
}

/* Returns false for a character that no text has. */
static bool put(struct decoder *d, int32_t c, struct str *out)
{
    bool after_cr = d->after_cr;

    d->after_cr = c == '\r';
    if (c == '\n' && after_cr)
        return true;
    if (c == '\r' || c == '\n' || c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029)
        str_addc(out, '\n');
    else if ((c < 0x20 && c != '\t' && c != 0x1A) || c == 0x7F)
        return false;
    else if (c != 0x1A) /* the end of file of DOS */
        utf8_put(out, c);
    return true;
}

int text_decode(const void *bytes, size_t n, struct str *out)
{
    struct decoder d = {.at = bytes, .end = (const unsigned char *)bytes + n};
    int32_t (*next)(struct decoder *) = next_utf8;

    if (n >= 2 && d.at[0] == 0xFF && d.at[1] == 0xFE) {
        next = next_utf16_le;
        d.at += 2;
    } else if (n >= 2 && d.at[0] == 0xFE && d.at[1] == 0xFF) {
        next = next_utf16_be;
        d.at += 2;
    } else if (n >= 3 && memcmp(d.at, "\xEF\xBB\xBF", 3) == 0) {
        d.at += 3;
    } else if (n && !is_utf8(d.at, d.end)) {
        next = next_cp1252;
    }
    while (d.at < d.end)
        if (!put(&d, next(&d), out))
            return -1;
    return 0;
}
