#include "examine/sniff.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* The text begins with word, in any case. */
static bool begins(const char *s, size_t n, const char *word)
{
    size_t len = strlen(word);

    return n >= len && strncasecmp(s, word, len) == 0;
}

/* Bytes that no text of any 8-bit or multi-byte charset has. ESC is in ISO-2022-JP, BS and FF in
 * printouts, SUB ends DOS files. */
static bool is_text_byte(uint8_t c)
{
    return c >= 0x20 ? c != 0x7F : (c >= '\b' && c <= '\r') || c == 0x1B || c == 0x1A;
}

/* Whether one of the eight bytes is below a space or DEL: most of a text is nothing else. */
static bool is_any_control(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t del = w ^ (ones * 0x7F);

    return ((w - ones * 0x20) & ~w & highs) || ((del - ones) & ~del & highs);
}

/* At most one odd byte in 512: real mail and logs have some, binary data has many. */
static bool is_bytes_text(const uint8_t *p, size_t n)
{
    size_t odd = 0, i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t w;

        memcpy(&w, p + i, sizeof w);
        if (!is_any_control(w))
            continue;
        for (size_t k = i; k < i + 8; k++)
            odd += !is_text_byte(p[k]);
    }
    for (; i < n; i++)
        odd += !is_text_byte(p[i]);
    return odd == 0 || (odd <= n / 512 && !memchr(p, 0, n < 64 ? n : 64));
}

/*
 * UTF-16 with a byte order mark, or without one when every other byte of the first ones is NUL.
 * Returns 'l' or 'b' for the order, 0 when it is no UTF-16.
 */
static char utf16_order(const uint8_t *p, size_t n)
{
    size_t even = 0, odd = 0, look = n < 256 ? n & ~(size_t)1 : 256;

    if (n >= 2 && p[0] == 0xFF && p[1] == 0xFE)
        return 'l';
    if (n >= 2 && p[0] == 0xFE && p[1] == 0xFF)
        return 'b';
    if (look < 8)
        return 0;
    for (size_t i = 0; i < look; i += 2) {
        even += p[i] == 0;
        odd += p[i + 1] == 0;
    }
    if (even == 0 && odd * 10 >= look / 2 * 9)
        return 'l';
    return odd == 0 && even * 10 >= look / 2 * 9 ? 'b' : 0;
}

/* UTF-32 has a byte order mark or is not known: its first two bytes are UTF-16's. */
static bool is_utf32(const uint8_t *p, size_t n)
{
    return n >= 4 && (memcmp(p, "\xFF\xFE\0\0", 4) == 0 || memcmp(p, "\0\0\xFE\xFF", 4) == 0);
}

/* Narrows UTF-16 (width 2) or UTF-32 (4) to one byte a character; returns NULL when it holds what text
 * does not. */
static char *narrow(const uint8_t *p, size_t n, char order, size_t width, size_t *len)
{
    char *out = xmalloc(n / 2 + 1);
    size_t at = 0, odd = 0;

    for (size_t i = 0; i + width <= n; i += width) {
        const uint8_t *low = order == 'l' ? p + i : p + i + width - 2;
        unsigned u = order == 'l' ? le16(low) : (unsigned)(low[0] << 8 | low[1]);

        if (u == 0xFEFF)
            continue;
        if (u < 0x80 && !is_text_byte((uint8_t)u))
            odd++;
        out[at++] = u < 0x80 ? (char)u : (char)0xBF;
    }
    if (odd > at / 512) {
        free(out);
        return NULL;
    }
    *len = at;
    return out;
}

/* An interpreter's line. AMR recordings start so too, and were told apart before. */
static enum kind sniff_script(const char *s, size_t n)
{
    if (n >= 3 && s[0] == '#' && s[1] == '!') {
        const char *eol = memchr(s, '\n', n);
        size_t line = eol ? (size_t)(eol - s) : n;

        if (!memchr(s, '/', line))
            return KIND_DATA;
        if (memmem(s, line, "python", 6))
            return KIND_PYTHON;
        return memmem(s, line, "node", 4) ? KIND_JAVASCRIPT : KIND_SCRIPT;
    }
    if (begins(s, n, "@echo ") || begins(s, n, "@echo\r") || begins(s, n, "@setlocal"))
        return KIND_BATCH;
    if (begins(s, n, "<?php") || begins(s, n, "<job id=") || begins(s, n, "<package>"))
        return KIND_SCRIPT;
    return KIND_DATA;
}

/* Skips white space, comments, declarations and processing instructions of markup. */
static void skip_prolog(const char **s, size_t *n)
{
    for (;;) {
        const char *end = NULL;

        while (*n > 0 && strchr(" \t\r\n\f\v", **s) && **s) {
            ++*s;
            --*n;
        }
        if (begins(*s, *n, "<!--"))
            end = memmem(*s, *n, "-->", 3);
        else if (begins(*s, *n, "<?"))
            end = memmem(*s, *n, "?>", 2);
        else if (begins(*s, *n, "<!doctype") && !begins(*s, *n, "<!doctype html"))
            end = memchr(*s, '>', *n);
        if (!end)
            return;
        end = (const char *)memchr(end, '>', *n - (size_t)(end - *s)) + 1;
        *n -= (size_t)(end - *s);
        *s = end;
    }
}

/* <name followed by white space, > or /. */
static bool is_tag(const char *s, size_t n, const char *name)
{
    size_t len = strlen(name);

    return n > len + 1 && *s == '<' && strncasecmp(s + 1, name, len) == 0 &&
           strchr(" \t\r\n>/:", s[len + 1]) && s[len + 1];
}

static enum kind sniff_markup(const char *s, size_t n)
{
    static const char tags[][10] = {"html", "head",  "body", "title", "table",  "div", "meta",
                                    "p",    "style", "font", "h1",    "script", "link"};
    bool xml = begins(s, n, "<?xml");

    skip_prolog(&s, &n);
    if (begins(s, n, "<!doctype html"))
        return KIND_HTML;
    if (is_tag(s, n, "svg"))
        return KIND_SVG;
    if (is_tag(s, n, "html"))
        return KIND_HTML;
    for (size_t i = 0; !xml && i < sizeof tags / sizeof tags[0]; i++)
        if (is_tag(s, n, tags[i]))
            return KIND_HTML;
    if (xml)
        return KIND_XML;
    /* Without the declaration: a tag with a name space, as programs write. */
    const char *gt = n > 2 && *s == '<' ? memchr(s, '>', n < 512 ? n : 512) : NULL;

    return gt && memmem(s, (size_t)(gt - s), " xmlns", 6) ? KIND_XML : KIND_DATA;
}

/* -----BEGIN what----- */
static enum kind sniff_armour(const char *s, size_t n)
{
    if (!begins(s, n, "-----BEGIN "))
        return begins(s, n, "---- BEGIN SSH2") ? KIND_PEM : KIND_DATA;
    s += 11;
    n -= 11;
    if (begins(s, n, "PGP "))
        return KIND_PGP;
    if (begins(s, n, "PKCS7") || begins(s, n, "CMS"))
        return KIND_P7M;
    const char *dash = memmem(s, n < 80 ? n : 80, "-----", 5);

    return dash ? KIND_PEM : KIND_DATA;
}

static enum kind sniff_cards(const char *s, size_t n)
{
    if (begins(s, n, "BEGIN:VCARD"))
        return KIND_VCF;
    if (begins(s, n, "BEGIN:VCALENDAR"))
        return KIND_ICS;
    return KIND_DATA;
}

static enum kind sniff_content(const struct text *t)
{
    const char *s = t->s;
    size_t n = t->n;
    enum kind k = sniff_script(s, n);

    while (n > 0 && strchr(" \t\r\n", *s) && *s) {
        s++;
        n--;
    }
    if (k == KIND_DATA && n > 0 && *s == '<')
        k = sniff_markup(s, n);
    if (k == KIND_DATA && begins(s, n, "{\\rtf"))
        k = KIND_RTF;
    if (k == KIND_DATA)
        k = sniff_armour(s, n);
    if (k == KIND_DATA)
        k = sniff_cards(s, n);
    if (k == KIND_DATA)
        k = sniff_mail(t);
    if (k == KIND_DATA && sniff_is_json(t))
        k = KIND_JSON;
    if (k == KIND_DATA && sniff_is_csv(t))
        k = KIND_CSV;
    return k == KIND_DATA ? KIND_TEXT : k;
}

enum kind sniff_text(struct source *s)
{
    size_t n = s->len;
    bool wider = is_utf32(s->head, n);
    char order = !wider ? utf16_order(s->head, n) : s->head[0] ? 'l' : 'b';

    if (!order && !is_bytes_text(s->head, n))
        return KIND_DATA;
    n = source_head(s, SOURCE_HEAD);

    struct text t = {(const char *)s->head, n, n >= s->size};
    char *wide = NULL;
    enum kind k;

    if (order) {
        wide = narrow(s->head, n, order, wider ? 4 : 2, &t.n);
        if (!wide)
            return KIND_DATA;
        t.s = wide;
    } else if (!is_bytes_text(s->head, n)) {
        /* Text that turns binary: only mail, with an attachment sent as it is, counts. */
        k = sniff_mail(&t);
        return k;
    } else if (n >= 3 && memcmp(t.s, "\xEF\xBB\xBF", 3) == 0) {
        t.s += 3;
        t.n -= 3;
    }
    k = sniff_content(&t);
    free(wide);
    return k;
}
