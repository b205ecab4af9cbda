/*
 * sniff_mail: mail as it comes out of mail programs, not as RFC 5322 would have it: a leading
 * "From " line or blank lines, blanks before the colon, broken lines between headers, raw 8-bit.
 */
#include "examine/sniff.h"

#include <string.h>
#include <strings.h>

#define LINES_MAX 400
#define BAD_MAX   3 /* lines among the headers that are none */

enum header {
    HEADER_FROM = 1 << 0,
    HEADER_TO = 1 << 1,
    HEADER_SUBJECT = 1 << 2,
    HEADER_DATE = 1 << 3,
    HEADER_TRANSPORT = 1 << 4, /* only mail programs and servers write these */
    HEADER_MIME = 1 << 5,
    HEADER_ADDRESS = 1 << 6, /* an address in From, To or Cc */
    HEADER_ENCODED = 1 << 7, /* an encoded word, =?charset?B?...?= */
};

struct headers {
    unsigned seen;
    unsigned known;   /* lines with a header we know */
    struct text type; /* the value of Content-Type, with its continuation lines */
    bool saved_page;  /* what browsers write when they save a page */
    bool envelope;    /* starts with a "From " line */
    size_t end;       /* offset of what follows the headers */
};

static const struct {
    const char *name;
    unsigned seen;
} known[] = {
    {"from", HEADER_FROM},
    {"sender", HEADER_FROM},
    {"to", HEADER_TO},
    {"cc", HEADER_TO},
    {"bcc", HEADER_TO},
    {"subject", HEADER_SUBJECT},
    {"date", HEADER_DATE},
    {"received", HEADER_TRANSPORT},
    {"return-path", HEADER_TRANSPORT},
    {"delivered-to", HEADER_TRANSPORT},
    {"message-id", HEADER_TRANSPORT},
    {"in-reply-to", HEADER_TRANSPORT},
    {"references", HEADER_TRANSPORT},
    {"reply-to", HEADER_TRANSPORT},
    {"errors-to", HEADER_TRANSPORT},
    {"envelope-to", HEADER_TRANSPORT},
    {"resent-from", HEADER_FROM | HEADER_TRANSPORT},
    {"resent-to", HEADER_TO | HEADER_TRANSPORT},
    {"resent-date", HEADER_DATE | HEADER_TRANSPORT},
    {"dkim-signature", HEADER_TRANSPORT},
    {"domainkey-signature", HEADER_TRANSPORT},
    {"authentication-results", HEADER_TRANSPORT},
    {"received-spf", HEADER_TRANSPORT},
    {"thread-topic", HEADER_TRANSPORT},
    {"thread-index", HEADER_TRANSPORT},
    {"mailing-list", HEADER_TRANSPORT},
    {"precedence", HEADER_TRANSPORT},
    {"list-unsubscribe", HEADER_TRANSPORT},
    {"user-agent", HEADER_TRANSPORT},
    {"mime-version", HEADER_MIME},
    {"content-type", HEADER_MIME},
    {"content-transfer-encoding", HEADER_MIME},
    {"content-disposition", HEADER_MIME},
    {"content-description", HEADER_MIME},
    {"content-class", HEADER_MIME},
};

/* Length of the line at p without its end. */
static size_t line_length(const char *p, size_t n)
{
    const char *eol = memchr(p, '\n', n);
    size_t len = eol ? (size_t)(eol - p) : n;

    return len > 0 && p[len - 1] == '\r' ? len - 1 : len;
}

/* Offset of the line after the one at `at`. */
static size_t line_next(const struct text *t, size_t at)
{
    const char *eol = memchr(t->s + at, '\n', t->n - at);

    return eol ? (size_t)(eol - t->s) + 1 : t->n;
}

/* Length of the header's name when the line is one (letters, digits, dashes, then a colon, with
 * blanks before it), else 0. */
static size_t header_name(const char *p, size_t n, size_t *value)
{
    size_t len = 0, colon;

    while (len < n && len < 70 && p[len] > ' ' && p[len] < 0x7F && p[len] != ':')
        len++;
    for (colon = len; colon < n && (p[colon] == ' ' || p[colon] == '\t');)
        colon++;
    if (colon >= n || p[colon] != ':')
        return 0;
    for (*value = colon + 1; *value < n && (p[*value] == ' ' || p[*value] == '\t');)
        ++*value;
    return len;
}

static unsigned header_kind(const char *p, size_t len)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == len && strncasecmp(known[i].name, p, len) == 0)
            return known[i].seen;
    return 0;
}

static bool is_named(const char *p, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(p, name, len) == 0;
}

static bool contains(const char *p, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++)
        if (strncasecmp(p + i, word, len) == 0)
            return true;
    return false;
}

/* The value from `from` to the end of its continuation lines. */
static struct text folded_value(const struct text *t, size_t from)
{
    size_t end = line_next(t, from);

    for (unsigned i = 0; i < 20 && end < t->n && (t->s[end] == ' ' || t->s[end] == '\t'); i++)
        end = line_next(t, end);
    return (struct text){t->s + from, end - from, true};
}

static void note_header(struct headers *h, const struct text *t, size_t at, size_t name,
                        size_t value)
{
    const char *p = t->s + at;
    unsigned seen = header_kind(p, name);
    struct text v = folded_value(t, at + value);

    h->seen |= seen;
    h->known += seen != 0;
    if ((seen & (HEADER_FROM | HEADER_TO)) && memchr(v.s, '@', v.n))
        h->seen |= HEADER_ADDRESS;
    if (seen && memmem(v.s, v.n, "=?", 2) && memmem(v.s, v.n, "?=", 2))
        h->seen |= HEADER_ENCODED;
    if (is_named(p, name, "content-type") && !h->type.s)
        h->type = v;
    if (is_named(p, name, "snapshot-content-location") ||
        (is_named(p, name, "from") && contains(v.s, v.n, "<saved by")))
        h->saved_page = true;
    /* Not X- alone: chemical notation and what else has one. */
    if (name > 6 && strncasecmp(p, "x-", 2) == 0 &&
        (contains(p, name, "mail") || contains(p, name, "spam") || contains(p, name, "origin")))
        h->seen |= HEADER_TRANSPORT;
}

static void read_headers(struct headers *h, const struct text *t)
{
    size_t at = 0, value, name;
    unsigned bad = 0;

    memset(h, 0, sizeof *h);
    while (at < t->n && (t->s[at] == '\n' || t->s[at] == '\r'))
        at++;
    if (t->n - at > 5 && (memcmp(t->s + at, "From ", 5) == 0)) {
        size_t ignored;

        h->envelope = header_name(t->s + at, line_length(t->s + at, t->n - at), &ignored) == 0;
        if (h->envelope)
            at = line_next(t, at);
    }
    for (unsigned i = 0; i < LINES_MAX && at < t->n; i++, at = line_next(t, at)) {
        const char *p = t->s + at;
        size_t len = line_length(p, t->n - at);

        if (len == 0)
            break;
        if ((*p == ' ' || *p == '\t') && h->known > 0)
            continue;
        name = header_name(p, len, &value);
        if (name == 0 && ++bad > BAD_MAX + h->known)
            break;
        if (name > 0)
            note_header(h, t, at, name, value);
    }
    h->end = at;
}

/* Mail, and not a memorandum that begins with To:, From:, Date: and Subject: as well. */
static bool is_mail(const struct headers *h)
{
    unsigned seen = h->seen;
    unsigned people = HEADER_FROM | HEADER_TO | HEADER_SUBJECT | HEADER_DATE;

    if (h->known > 0 && (seen & HEADER_ENCODED))
        return true;
    if (h->known < 2)
        return h->known == 1 && h->envelope && (seen & (HEADER_TRANSPORT | HEADER_FROM));
    if (seen & HEADER_TRANSPORT)
        return true;
    if (seen & HEADER_MIME)
        return (seen & people) || h->type.s;
    if (h->envelope)
        return true;
    return (seen & HEADER_ADDRESS) && (seen & HEADER_FROM) && h->known >= 2;
}

/* "From someone Mon Jan  1 10:00:00 2024": a time and at its end a year or zone. */
static bool is_separator(const char *p, size_t n)
{
    size_t i = 5;

    if (n < 20 || n > 300 || memcmp(p, "From ", 5) != 0)
        return false;
    while (i < n && p[i] != ' ')
        i++;
    for (; i + 5 < n; i++)
        if (p[i] >= '0' && p[i] <= '9' && p[i + 1] >= '0' && p[i + 1] <= '9' && p[i + 2] == ':' &&
            p[i + 3] >= '0' && p[i + 3] <= '9' && p[i + 4] >= '0' && p[i + 4] <= '9')
            return true;
    return false;
}

/* A mailbox: a second separator after an empty line, with a header on the next line. */
static bool is_mailbox(const struct text *t)
{
    const char *p = t->s, *end = t->s + t->n;

    if (!is_separator(t->s, line_length(t->s, t->n)))
        return false;
    while ((p = memmem(p, (size_t)(end - p), "\nFrom ", 6))) {
        size_t at = (size_t)(p + 1 - t->s), len = line_length(p + 1, t->n - at), value;
        bool blank =
            p > t->s && (p[-1] == '\n' || (p[-1] == '\r' && p - 1 > t->s && p[-2] == '\n'));

        p += 6;
        if (!blank || !is_separator(t->s + at, len))
            continue;
        at = line_next(t, at);
        if (header_name(t->s + at, line_length(t->s + at, t->n - at), &value) > 0)
            return true;
    }
    return false;
}

enum kind sniff_mail(const struct text *t)
{
    struct headers h;

    read_headers(&h, t);
    if (!is_mail(&h))
        return KIND_DATA;
    if (h.envelope && is_mailbox(t))
        return KIND_MBOX;
    if (h.type.s && !(h.seen & (HEADER_TRANSPORT | HEADER_FROM))) {
        /* A part saved by itself: signed or encrypted content with only its own headers. */
        if (contains(h.type.s, h.type.n, "pkcs7-signature"))
            return contains(h.type.s, h.type.n, "multipart/") ? KIND_EML : KIND_P7S;
        if (contains(h.type.s, h.type.n, "pkcs7-mime"))
            return KIND_P7M;
    }
    if (h.saved_page)
        return KIND_MHT;
    if (h.type.s && contains(h.type.s, h.type.n, "multipart/related") &&
        !(h.seen & (HEADER_TO | HEADER_TRANSPORT)))
        return KIND_MHT;
    return KIND_EML;
}
