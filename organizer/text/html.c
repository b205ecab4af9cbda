/* Web pages and the HTML of mails, by libxml2's HTML parser as events: no tree, nothing fetched. */
#include "text/html.h"

#include <libxml/HTMLparser.h>
#include <string.h>
#include <strings.h>

#include "text/charset.h"
#include "text/text.h"

#define BYTES_MAX (4 * TEXT_MAX)

struct reader {
    struct paper *paper;
    struct look look;   /* of the line at work */
    unsigned bold, centred, heading, skip, title; /* depth */
    size_t letters, bold_letters;
    struct str said_title;
};

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp(name, *list) == 0)
            return true;
    return false;
}

/* What begins and ends a line. */
static const char *const blocks[] = {
    "p",   "div", "br",  "tr",     "li",      "h1",      "h2",   "h3",         "h4",
    "h5",  "h6",  "ul",  "ol",     "table",   "section", "form", "blockquote", "pre",
    "hr",  "dt",  "dd",  "center", "article", "header",  "body", "footer",     "address",
    NULL,
};
static const char *const skipped[] = {"script", "style", "noscript", "template", "svg", NULL};
static const char *const headings[] = {"h1", "h2", "h3", NULL};
static const char *const bolds[] = {"b", "strong", "h1", "h2", "h3", "th", NULL};

static void line_end(struct reader *r)
{
    paper_end(r->paper, (struct look){.centred = r->look.centred,
                                      .heading = r->look.heading,
                                      .bold = r->letters > 0 && r->bold_letters * 2 > r->letters});
    r->letters = r->bold_letters = 0;
    r->look = (struct look){.centred = r->centred > 0, .heading = r->heading > 0};
}

static bool asks_centre(const xmlChar **attributes)
{
    for (; attributes && attributes[0]; attributes += 2) {
        const char *name = (const char *)attributes[0], *value = (const char *)attributes[1];

        if (!value)
            continue;
        if (strcasecmp(name, "align") == 0 && strcasecmp(value, "center") == 0)
            return true;
        if (strcasecmp(name, "style") == 0 && strcasestr(value, "text-align") &&
            strcasestr(value, "center"))
            return true;
    }
    return false;
}

static void on_start(void *ctx, const xmlChar *tag, const xmlChar **attributes)
{
    struct reader *r = ctx;
    const char *name = (const char *)tag;

    if (is_one_of(name, blocks))
        line_end(r);
    else if (strcasecmp(name, "td") == 0 || strcasecmp(name, "th") == 0)
        paper_add(r->paper, " ", 1);
    r->skip += is_one_of(name, skipped);
    r->title += strcasecmp(name, "title") == 0;
    r->bold += is_one_of(name, bolds);
    r->heading += is_one_of(name, headings);
    r->centred += strcasecmp(name, "center") == 0;
    if (r->letters == 0)
        r->look = (struct look){.centred = r->centred > 0 || asks_centre(attributes),
                                .heading = r->heading > 0};
}

static void leave(unsigned *depth, bool leaves)
{
    if (leaves && *depth > 0)
        (*depth)--;
}

static void on_end(void *ctx, const xmlChar *tag)
{
    struct reader *r = ctx;
    const char *name = (const char *)tag;

    if (is_one_of(name, blocks))
        line_end(r);
    leave(&r->skip, is_one_of(name, skipped));
    leave(&r->title, strcasecmp(name, "title") == 0);
    leave(&r->bold, is_one_of(name, bolds));
    leave(&r->heading, is_one_of(name, headings));
    leave(&r->centred, strcasecmp(name, "center") == 0);
}

static void on_text(void *ctx, const xmlChar *s, int len)
{
    struct reader *r = ctx;
    size_t n = len > 0 ? (size_t)len : 0;

    if (r->title > 0) {
        if (r->said_title.len < 4096)
            str_addn(&r->said_title, s, n);
        return;
    }
    if (r->skip > 0)
        return;
    paper_add(r->paper, (const char *)s, n);
    for (size_t i = 0; i < n; i++)
        if (s[i] > ' ') {
            r->letters++;
            r->bold_letters += r->bold > 0;
        }
}

static void read_html(struct reader *r, const char *p, size_t n)
{
    htmlSAXHandler sax = {.startElement = on_start,
                          .endElement = on_end,
                          .characters = on_text,
                          .ignorableWhitespace = on_text,
                          .cdataBlock = NULL};
    htmlParserCtxtPtr parser =
        htmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);

    if (!parser)
        return;
    htmlCtxtUseOptions(parser, HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                   HTML_PARSE_RECOVER | HTML_PARSE_IGNORE_ENC);
    while (n > 0 && !paper_full(r->paper)) {
        int some = n < 32768 ? (int)n : 32768;

        htmlParseChunk(parser, p, some, 0);
        p += some;
        n -= (size_t)some;
    }
    if (!paper_full(r->paper))
        htmlParseChunk(parser, "", 0, 1);
    htmlFreeParserCtxt(parser);
}

void html_read(struct paper *p, const char *utf8, size_t n, char **title)
{
    struct reader r = {.paper = p};

    read_html(&r, utf8, n);
    line_end(&r);
    if (title)
        paper_set(title, str_c(&r.said_title), r.said_title.len);
    str_clear(&r.said_title);
}

/* The character set that the page itself tells in its first bytes: <meta … charset=…>. */
static const char *told_charset(const struct bytes *b, char room[static 64])
{
    static const char key[] = "charset=";
    size_t n = b->n < 2048 ? b->n : 2048, len = 0;
    const char *s = (const char *)b->p;

    for (size_t i = 0; i + sizeof key < n; i++) {
        if (strncasecmp(s + i, key, sizeof key - 1) != 0)
            continue;
        i += sizeof key - 1;
        i += s[i] == '"' || s[i] == '\'';
        while (i < n && len < 63 && (s[i] == '-' || s[i] == '_' || (s[i] >= '0' && s[i] <= '9') ||
                                     ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z')))
            room[len++] = s[i++];
        break;
    }
    room[len] = '\0';
    return len ? room : NULL;
}

void parse_html(struct paper *p, const struct bytes *b)
{
    size_t mark, n = b->n < BYTES_MAX ? b->n : BYTES_MAX;
    const char *set = charset_guess(b->p, n, &mark);
    struct str text = STR_INIT;
    char room[64];

    if (n < b->n)
        paper_status(p, CONTENT_PART, "content.part.size");
    /* What can be seen in the bytes is surer than what the page says of itself. */
    if (strncmp(set, "UTF-", 4) == 0 || !told_charset(b, room) ||
        !charset_convert(&text, room, b->p, n))
        charset_convert(&text, set, b->p + mark, n - mark);
    html_read(p, str_c(&text), text.len, &p->content.title);
    str_clear(&text);
}

void html_prepare(void)
{
    htmlSAXHandler sax = {.startElement = NULL};
    htmlParserCtxtPtr parser =
        htmlCreatePushParserCtxt(&sax, NULL, "<p>x", 4, NULL, XML_CHAR_ENCODING_UTF8);

    if (parser)
        htmlFreeParserCtxt(parser);
}
