/* Rich Text Format 1.9, as far as its text, its look and its properties go; own, bounded. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "text/charset.h"
#include "text/parse.h"
#include "text/text.h"

#define DEPTH_MAX 200
#define WORD_MAX  32

/* Where the text of a group goes. */
enum place { TEXT, NOWHERE, TITLE, AUTHOR, SUBJECT };

struct group {
    enum place place;
    bool bold;
    unsigned size, skip; /* skip: characters that stand for a \u */
};

struct reader {
    struct paper *paper;
    const uint8_t *p;
    size_t n, at;
    struct group groups[DEPTH_MAX];
    size_t depth; /* of the groups; deeper ones are like the deepest */
    size_t deeper;
    bool centred, star; /* star: \* was seen, an unknown destination follows */
    const char *charset;
    struct str bytes; /* \'hh characters, not converted yet */
    struct str property;
    unsigned ignore;      /* characters after \u to be left out */
    uint32_t high;        /* the first half of a surrogate pair */
    size_t letters, bold_letters;
    unsigned size;
};

static struct group *group(struct reader *r)
{
    return &r->groups[r->depth];
}

static void put(struct reader *r, const char *s, size_t n)
{
    struct group *g = group(r);

    if (g->place == TEXT) {
        paper_add(r->paper, s, n);
        r->letters += n;
        r->bold_letters += g->bold ? n : 0;
        r->size = g->size > r->size ? g->size : r->size;
    } else if (g->place != NOWHERE && r->property.len < 4096) {
        str_addn(&r->property, s, n);
    }
}

static void put_bytes(struct reader *r)
{
    struct str text = STR_INIT;

    if (r->bytes.len == 0)
        return;
    if (!charset_convert(&text, r->charset, r->bytes.s, r->bytes.len))
        charset_convert(&text, "WINDOWS-1252", r->bytes.s, r->bytes.len);
    str_reset(&r->bytes);
    put(r, str_c(&text), text.len);
    str_clear(&text);
}

static void put_byte(struct reader *r, char c)
{
    if (r->ignore > 0) {
        r->ignore--;
        return;
    }
    str_addc(&r->bytes, c);
    if (r->bytes.len >= 4096)
        put_bytes(r);
}

static void line_end(struct reader *r)
{
    put_bytes(r);
    paper_end(r->paper, (struct look){.size = r->size,
                                      .centred = r->centred,
                                      .bold = r->letters > 0 && r->bold_letters * 2 > r->letters});
    r->letters = r->bold_letters = 0;
    r->size = 0;
}

static void put_unicode(struct reader *r, int number)
{
    uint32_t c = (uint32_t)(number < 0 ? number + 65536 : number) & 0xFFFF;
    struct str s = STR_INIT;

    put_bytes(r);
    if (c >= 0xD800 && c < 0xDC00) {
        r->high = c;
    } else {
        if (c >= 0xDC00 && c < 0xE000)
            c = r->high ? 0x10000 + ((r->high - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD;
        r->high = 0;
        utf8_put(&s, (int32_t)c);
        put(r, str_c(&s), s.len);
        str_clear(&s);
    }
    r->ignore = group(r)->skip;
}

/* ---- control words --------------------------------------------------------------------------- */

static void do_destination(struct reader *r, int place)
{
    put_bytes(r);
    group(r)->place = (enum place)place;
    str_reset(&r->property);
}

static void do_text(struct reader *r, const char *s)
{
    put_bytes(r);
    r->ignore = 0;
    put(r, s, strlen(s));
}

/* What a word does that does more than put a text or choose a destination. False: nothing. */
static bool do_word(struct reader *r, const char *word, int number, bool has_number)
{
    struct group *g = group(r);

    if (strcmp(word, "par") == 0 || strcmp(word, "line") == 0 || strcmp(word, "row") == 0 ||
        strcmp(word, "sect") == 0) {
        line_end(r);
    } else if (strcmp(word, "page") == 0) {
        line_end(r);
        paper_page(r->paper);
    } else if (strcmp(word, "pard") == 0) {
        r->centred = false;
    } else if (strcmp(word, "qc") == 0) {
        r->centred = true;
    } else if (strcmp(word, "ql") == 0 || strcmp(word, "qj") == 0 || strcmp(word, "qr") == 0) {
        r->centred = false;
    } else if (strcmp(word, "plain") == 0) {
        g->bold = false;
        g->size = 24;
    } else if (strcmp(word, "b") == 0) {
        put_bytes(r);
        g->bold = !has_number || number != 0;
    } else if (strcmp(word, "fs") == 0 && number > 0 && number < 4000) {
        put_bytes(r);
        g->size = (unsigned)number;
    } else if (strcmp(word, "uc") == 0) {
        g->skip = number >= 0 && number < 16 ? (unsigned)number : 1;
    } else if (strcmp(word, "u") == 0) {
        put_unicode(r, number);
    } else if (strcmp(word, "ansicpg") == 0) {
        const char *set = charset_of_codepage((unsigned)number);

        r->charset = set ? set : r->charset;
    } else if (strcmp(word, "bin") == 0 && number > 0) {
        r->at = (size_t)number < r->n - r->at ? r->at + (size_t)number : r->n;
    } else {
        return false;
    }
    return true;
}

static const struct {
    const char *word;
    const char *text; /* NULL: a destination */
    enum place place;
} words[] = {
    {"tab", " ", TEXT},          {"cell", " ", TEXT},        {"emdash", "\xE2\x80\x94", TEXT},
    {"endash", "\xE2\x80\x93", TEXT}, {"lquote", "\xE2\x80\x98", TEXT},
    {"rquote", "\xE2\x80\x99", TEXT}, {"ldblquote", "\xE2\x80\x9C", TEXT},
    {"rdblquote", "\xE2\x80\x9D", TEXT}, {"bullet", "\xE2\x80\xA2", TEXT},
    {"fonttbl", NULL, NOWHERE},  {"colortbl", NULL, NOWHERE}, {"stylesheet", NULL, NOWHERE},
    {"listtable", NULL, NOWHERE}, {"pict", NULL, NOWHERE},   {"object", NULL, NOWHERE},
    {"info", NULL, NOWHERE},     {"fldinst", NULL, NOWHERE}, {"rsidtbl", NULL, NOWHERE},
    {"themedata", NULL, NOWHERE}, {"datastore", NULL, NOWHERE}, {"xmlnstbl", NULL, NOWHERE},
    {"listoverridetable", NULL, NOWHERE}, {"revtbl", NULL, NOWHERE}, {"xe", NULL, NOWHERE},
    {"title", NULL, TITLE},      {"author", NULL, AUTHOR},   {"subject", NULL, SUBJECT},
};

static void word(struct reader *r, const char *name, int number, bool has_number)
{
    bool star = r->star;

    r->star = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, name) != 0)
            continue;
        if (words[i].text)
            do_text(r, words[i].text);
        else
            do_destination(r, (int)words[i].place);
        return;
    }
    if (!do_word(r, name, number, has_number) && star)
        do_destination(r, NOWHERE);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_letter(uint8_t c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Behind a backslash. */
static void control(struct reader *r)
{
    char name[WORD_MAX + 1] = "";
    size_t len = 0;
    bool minus = false, digits = false;
    long number = 0;
    uint8_t c = r->at < r->n ? r->p[r->at] : 0;

    if (!is_letter(c)) {
        r->at++;
        if (c == '\'' && r->at + 2 <= r->n) {
            int high = hex(r->p[r->at]), low = hex(r->p[r->at + 1]);

            r->at += 2;
            if (high >= 0 && low >= 0)
                put_byte(r, (char)(high * 16 + low));
        } else if (c == '*') {
            r->star = true;
        } else if (c == '\n' || c == '\r') {
            line_end(r);
        } else if (c == '~') {
            do_text(r, " ");
        } else if (c == '_') {
            do_text(r, "-");
        } else if (c == '\\' || c == '{' || c == '}') {
            put_byte(r, (char)c);
        }
        return;
    }
    while (r->at < r->n && is_letter(r->p[r->at])) {
        if (len < WORD_MAX)
            name[len++] = (char)r->p[r->at];
        r->at++;
    }
    if (r->at < r->n && r->p[r->at] == '-') {
        minus = true;
        r->at++;
    }
    while (r->at < r->n && r->p[r->at] >= '0' && r->p[r->at] <= '9') {
        digits = true;
        number = number < 100000000 ? number * 10 + (r->p[r->at] - '0') : number;
        r->at++;
    }
    if (r->at < r->n && r->p[r->at] == ' ')
        r->at++;
    word(r, name, (int)(minus ? -number : number), digits);
}

static void open_group(struct reader *r)
{
    put_bytes(r);
    r->ignore = 0;
    if (r->depth + 1 < DEPTH_MAX) {
        r->groups[r->depth + 1] = r->groups[r->depth];
        r->depth++;
    } else {
        r->deeper++;
    }
}

static void close_group(struct reader *r)
{
    struct content *c = &r->paper->content;
    enum place was;

    put_bytes(r);
    r->ignore = 0;
    r->star = false;
    if (r->deeper > 0) {
        r->deeper--;
        return;
    }
    was = group(r)->place;
    if (r->depth > 0)
        r->depth--;
    if (was == group(r)->place)
        return;
    if (was == TITLE)
        paper_set(&c->title, str_c(&r->property), r->property.len);
    else if (was == AUTHOR)
        paper_set(&c->author, str_c(&r->property), r->property.len);
    else if (was == SUBJECT)
        paper_set(&c->subject, str_c(&r->property), r->property.len);
}

void parse_rtf(struct paper *p, const struct bytes *b)
{
    struct reader *r = xcalloc(1, sizeof *r);

    *r = (struct reader){.paper = p, .p = b->p, .n = b->n, .charset = "WINDOWS-1252"};
    r->groups[0] = (struct group){.size = 24, .skip = 1};
    while (r->at < r->n && !paper_full(p)) {
        uint8_t c = r->p[r->at++];

        if ((r->at & 0xFFFFF) == 0 && paper_is_late()) {
            paper_status(p, CONTENT_PART, "content.part.slow");
            break;
        }
        if (c == '\\')
            control(r);
        else if (c == '{')
            open_group(r);
        else if (c == '}')
            close_group(r);
        else if (c != '\r' && c != '\n')
            put_byte(r, (char)c);
    }
    line_end(r);
    if (b->n < 5 || memcmp(b->p, "{\\rtf", 5) != 0)
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    else if (r->depth > 0 && r->at >= r->n && !paper_full(p))
        paper_status(p, CONTENT_PART, "content.part.damaged");
    str_clear(&r->bytes);
    str_clear(&r->property);
    free(r);
}
