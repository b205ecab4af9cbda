#include "text/answer.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"

const char *const answer_whys[] = {
    NULL,
    "content.part.size",        /* more text than is read of one document */
    "content.part.slow",        /* it takes too long */
    "content.part.damaged",     /* the rest of it cannot be read */
    "content.locked.password",  /* opens with a password only */
    "content.locked.encrypted", /* for those only who have the key */
    "content.locked.rights",    /* rights management */
    "content.broken.damaged",   /* not even its beginning can be read */
    "content.broken.died",      /* the parser did not survive it */
    "content.broken.slow",      /* it took too long */
    "content.broken.nonsense",  /* the parser answered what is no answer */
    NULL,
};

/* What a record is made of: a tag, a length, so many bytes. */
enum tag { HEAD, LINE, TITLE, AUTHOR, SUBJECT, SENDER, RECIPIENT, MESSAGE, THREAD, FILES, TAGS };

struct header {
    uint32_t tag, len;
};

struct head {
    uint32_t status, why, flags, pages;
    uint64_t text_len;
    struct date mail, taken, property;
    uint32_t unused;
};

/* Without gaps: what lay in the parser's memory there would go along. */
_Static_assert(sizeof(struct head) ==
                   5 * sizeof(uint32_t) + sizeof(uint64_t) + 3 * sizeof(struct date),
               "a head has no gaps");

struct line_head {
    uint32_t page, percent;
    uint8_t centred, bold, heading, unused;
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Where the text of a tag goes; lists take several. */
static const struct place {
    size_t text, list, most;
} places[TAGS] = {
    [TITLE] = {offsetof(struct content, title), 0, 1},
    [AUTHOR] = {offsetof(struct content, author), 0, 1},
    [SUBJECT] = {offsetof(struct content, subject), 0, 1},
    [SENDER] = {offsetof(struct content, sender), 0, 1},
    [MESSAGE] = {offsetof(struct content, message_id), 0, 1},
    [RECIPIENT] = {0, offsetof(struct content, recipients), ANSWER_RECIPIENTS},
    [THREAD] = {0, offsetof(struct content, thread), ANSWER_THREAD},
    [FILES] = {0, offsetof(struct content, attachments), ANSWER_FILES},
};

static char **text_at(const struct content *c, size_t at)
{
    return (char **)((uintptr_t)c + at);
}

static char ***list_at(const struct content *c, size_t at)
{
    return (char ***)((uintptr_t)c + at);
}

static void put(struct str *out, enum tag tag, const void *a, size_t an, const void *b, size_t bn)
{
    struct header h = {tag, (uint32_t)(an + bn)};

    str_addn(out, &h, sizeof h);
    if (an)
        str_addn(out, a, an);
    if (bn)
        str_addn(out, b, bn);
}

static void put_text(struct str *out, enum tag tag, const char *s, size_t max)
{
    if (s && *s)
        put(out, tag, s, utf8_cut(s, strlen(s), max), NULL, 0);
}

static uint32_t why_number(const char *why)
{
    for (uint32_t i = 1; why && answer_whys[i]; i++)
        if (strcmp(answer_whys[i], why) == 0)
            return i;
    return 0;
}

static void put_lines(struct str *out, const struct content *c)
{
    size_t sum = 0;

    for (size_t i = 0; i < c->lines_len && i < CONTENT_LINES; i++) {
        const struct content_line *l = &c->lines[i];
        struct line_head h = {.page = l->page,
                              .percent = l->percent,
                              .centred = l->centred,
                              .bold = l->bold,
                              .heading = l->heading};
        size_t n = utf8_cut(l->text, strlen(l->text), ANSWER_LINE);

        sum += n;
        if (sum > CONTENT_FIRST)
            return;
        put(out, LINE, &h, sizeof h, l->text, n);
    }
}

void answer_write(struct str *out, const struct content *c)
{
    struct head h = {.status = c->status,
                     .why = why_number(c->why),
                     .flags = c->flags,
                     .pages = c->pages,
                     .text_len = c->text_len,
                     .mail = c->mail_date,
                     .taken = c->taken_date,
                     .property = c->property_date};

    put(out, HEAD, &h, sizeof h, NULL, 0);
    put_lines(out, c);
    for (enum tag t = 0; t < TAGS; t++) {
        char **list = places[t].list ? *list_at(c, places[t].list) : NULL;

        if (places[t].most == 1)
            put_text(out, t, *text_at(c, places[t].text), ANSWER_TEXT);
        for (size_t i = 0; list && list[i] && i < places[t].most; i++)
            put_text(out, t, list[i], ANSWER_TEXT);
    }
}

static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            return false;
    return n > 0 && utf8_valid(s, n);
}

static bool is_date(struct date d)
{
    return !date_is_set(d) || date_exists(d);
}

static bool take_head(struct content *c, const char *p, size_t n)
{
    struct head h;
    uint32_t whys = 1;

    if (n != sizeof h)
        return false;
    memcpy(&h, p, sizeof h);
    while (answer_whys[whys])
        whys++;
    if (h.status > CONTENT_BROKEN || h.why >= whys || h.flags >= 2 * CONTENT_IS_WORK_PRODUCT ||
        h.pages > 1000000 || !is_date(h.mail) || !is_date(h.taken) || !is_date(h.property))
        return false;
    c->status = (enum content_status)h.status;
    content_set(&c->why, answer_whys[h.why]);
    c->flags = h.flags;
    c->pages = h.pages;
    c->text_len = h.text_len;
    c->mail_date = h.mail;
    c->taken_date = h.taken;
    c->property_date = h.property;
    return true;
}

static bool take_line(struct content *c, const char *p, size_t n, size_t *sum)
{
    struct line_head h;

    if (n <= sizeof h || n - sizeof h > ANSWER_LINE || c->lines_len == CONTENT_LINES)
        return false;
    memcpy(&h, p, sizeof h);
    p += sizeof h;
    n -= sizeof h;
    *sum += n;
    if (h.page == 0 || h.page > 1000000 || h.percent > 100000 || *sum > CONTENT_FIRST ||
        !is_plain(p, n))
        return false;

    struct content_line l = {.text = xmemdup0(p, n),
                             .page = h.page,
                             .percent = h.percent,
                             .centred = h.centred,
                             .bold = h.bold,
                             .heading = h.heading};

    content_add_line(c, &l);
    return true;
}

static size_t list_len(char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static bool take_text(struct content *c, enum tag tag, const char *p, size_t n)
{
    const struct place *at = &places[tag];
    AUTO_FREE char *text = NULL;

    if (at->most == 0 || n > ANSWER_TEXT || !is_plain(p, n))
        return false;
    text = xmemdup0(p, n);
    if (at->most == 1) {
        if (*text_at(c, at->text))
            return false;
        content_set(text_at(c, at->text), text);
        return true;
    }
    if (list_len(*list_at(c, at->list)) >= at->most)
        return false;
    content_add(list_at(c, at->list), text);
    return true;
}

int answer_read(struct content *c, const void *p, size_t n)
{
    const char *at = p;
    size_t sum = 0;
    bool first = true, fine = true;

    memset(c, 0, sizeof *c);
    while (fine && n > 0) {
        struct header h;

        if (n < sizeof h)
            return -1;
        memcpy(&h, at, sizeof h);
        at += sizeof h;
        n -= sizeof h;
        if (h.tag >= TAGS || h.len > n || (h.tag == HEAD) != first)
            return -1;
        if (h.tag == HEAD)
            fine = take_head(c, at, h.len);
        else if (h.tag == LINE)
            fine = take_line(c, at, h.len, &sum);
        else
            fine = take_text(c, (enum tag)h.tag, at, h.len);
        first = false;
        at += h.len;
        n -= h.len;
    }
    return fine && !first ? 0 : -1;
}
