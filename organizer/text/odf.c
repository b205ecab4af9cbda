/* OpenDocument texts, spreadsheets and presentations (ISO/IEC 26300). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "text/styles.h"
#include "text/zipdoc.h"

#define USUAL_SIZE 12 /* points */

struct reader {
    struct zipdoc zip;
    struct paper *paper;
    struct styles styles;
    struct look look;     /* of the paragraph at work */
    bool span_bold[32];   /* of the spans around, the paragraph first */
    unsigned spans, paragraphs, skip;
    bool rows;            /* a spreadsheet: a line is a row */
    size_t letters, bold_letters;
};

static bool is_heading(const char *name)
{
    return strncasecmp(name, "Heading", 7) == 0 || strcasecmp(name, "Title") == 0 ||
           strcasecmp(name, "Subtitle") == 0;
}

static void style_begin(struct reader *r, const struct tag *t)
{
    struct style *s;

    styles_begin(&r->styles, t, "name");
    s = r->styles.open;
    if (!s)
        return;
    tag_value(t, "parent-style-name", s->parent);
    s->look.heading = is_heading(s->name) || is_heading(s->parent);
}

static void style_end(struct reader *r)
{
    if (r->styles.open)
        styles_inherit(&r->styles, r->styles.open);
    r->styles.open = NULL;
}

static void style_properties(struct reader *r, const struct tag *t)
{
    struct style *s = r->styles.open;
    char room[64];

    if (*tag_value(t, "text-align", room)) {
        s->says_centred = true;
        s->look.centred = strcmp(room, "center") == 0;
    }
    if (*tag_value(t, "font-weight", room)) {
        s->says_bold = true;
        s->look.bold = strcmp(room, "bold") == 0 || strtoul(room, NULL, 10) >= 600;
    }
    if (*tag_value(t, "font-size", room) && strstr(room, "pt"))
        s->look.size = (unsigned)strtoul(room, NULL, 10) % 10000;
}

static void line_end(struct reader *r)
{
    struct look look = r->look;

    look.bold = r->letters > 0 && r->bold_letters * 2 > r->letters;
    if (!look.size)
        look.size = USUAL_SIZE;
    paper_end(r->paper, look);
    r->letters = r->bold_letters = 0;
}

static void paragraph_begin(struct reader *r, const struct tag *t)
{
    char name[64];
    const struct style *s = styles_find(&r->styles, tag_value(t, "style-name", name));

    if (!r->rows)
        line_end(r);
    r->look = s ? s->look : (struct look){0};
    r->look.heading |= tag_is(t, "h");
    r->paragraphs++;
    r->spans = 0;
    r->span_bold[0] = r->look.bold;
}

static void span_begin(struct reader *r, const struct tag *t)
{
    char name[64];
    const struct style *s = styles_find(&r->styles, tag_value(t, "style-name", name));

    if (r->spans + 1 < sizeof r->span_bold / sizeof r->span_bold[0])
        r->spans++;
    r->span_bold[r->spans] = s ? s->look.bold : false;
    if (s && s->look.size > r->look.size)
        r->look.size = s->look.size;
}

static void on_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;

    if (r->skip > 0 || tag_is(t, "tracked-changes") || tag_is(t, "annotation")) {
        r->skip++;
        return;
    }
    if (tag_is(t, "style")) {
        style_begin(r, t);
    } else if (r->styles.open && (tag_is(t, "paragraph-properties") || tag_is(t, "text-properties"))) {
        style_properties(r, t);
    } else if (tag_is(t, "p") || tag_is(t, "h")) {
        paragraph_begin(r, t);
    } else if (tag_is(t, "span")) {
        span_begin(r, t);
    } else if (tag_is(t, "tab") || tag_is(t, "s")) {
        paper_add(r->paper, " ", 1);
    } else if (tag_is(t, "line-break") && !r->rows) {
        line_end(r);
    } else if (tag_is(t, "soft-page-break")) {
        paper_page(r->paper);
    }
}

static void on_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    if (r->skip > 0) {
        r->skip--;
        return;
    }
    if (strcmp(name, "style") == 0) {
        style_end(r);
    } else if (strcmp(name, "p") == 0 || strcmp(name, "h") == 0) {
        r->paragraphs -= r->paragraphs > 0;
        if (r->rows)
            paper_add(r->paper, " ", 1);
        else
            line_end(r);
    } else if (strcmp(name, "span") == 0) {
        r->spans -= r->spans > 0;
    } else if (strcmp(name, "table-row") == 0 && r->rows) {
        line_end(r);
    } else if (strcmp(name, "page") == 0 || (strcmp(name, "table") == 0 && r->rows)) {
        paper_page(r->paper);
        r->paper->content.pages++;
    }
}

static void on_text(void *ctx, const char *s, size_t n)
{
    struct reader *r = ctx;

    if (r->paragraphs == 0 || r->skip > 0)
        return;
    paper_add(r->paper, s, n);
    r->letters += n;
    r->bold_letters += r->span_bold[r->spans] ? n : 0;
}

/* <manifest:encryption-data> */
static void manifest_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;

    r->zip.box.locked |= tag_is(t, "encryption-data");
}

static void meta_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;
    char room[64];

    if (tag_is(t, "document-statistic"))
        r->paper->content.pages =
            (unsigned)strtoul(tag_value(t, "page-count", room), NULL, 10) % 1000000;
}

static void read_meta(struct reader *r)
{
    struct content *c = &r->paper->content;
    const struct zipdoc_property list[] = {{"title", &c->title, NULL, NULL},
                                           {"initial-creator", &c->author, NULL, NULL},
                                           {"creator", &c->author, NULL, NULL},
                                           {"creation-date", NULL, &c->property_date, NULL}};
    const struct markup_events meta = {.start = meta_start, .ctx = r};

    zipdoc_properties(&r->zip, "meta.xml", list, sizeof list / sizeof *list);
    markup_part(&r->zip.box, "meta.xml", &meta);
}

void parse_odf(struct paper *p, const struct bytes *b)
{
    struct reader *r = xcalloc(1, sizeof *r);
    const struct markup_events manifest = {.start = manifest_start, .ctx = r};
    const struct markup_events content = {
        .start = on_start, .end = on_end, .text = on_text, .ctx = r, .paper = p};
    const struct markup_events styles = {.start = on_start, .end = on_end, .ctx = r};
    int main = 1;

    r->paper = p;
    r->rows = b->kind == KIND_ODS;
    if (!zipdoc_open(&r->zip, p, b)) {
        free(r);
        return;
    }
    read_meta(r);
    markup_part(&r->zip.box, "META-INF/manifest.xml", &manifest);
    if (!r->zip.box.locked) {
        unsigned pages = p->content.pages;

        markup_part(&r->zip.box, "styles.xml", &styles);
        p->page = 1;
        p->content.pages = b->kind == KIND_ODT ? pages : 0;
        r->styles.open = NULL;
        r->paragraphs = r->skip = 0;
        main = markup_part(&r->zip.box, "content.xml", &content);
        line_end(r);
        if (b->kind == KIND_ODT)
            p->content.pages = pages;
    }
    zipdoc_close(&r->zip, main);
    free(r);
}
