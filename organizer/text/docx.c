/* Word documents in XML (ECMA-376 part 1, section 17). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "text/styles.h"
#include "text/zipdoc.h"

#define HALF_POINTS 22 /* what Word writes in when nothing else is said */

struct reader {
    struct zipdoc zip;
    struct paper *paper;
    struct styles styles;
    unsigned usual; /* half points */
    bool defaults;  /* while styles are read */
    /* The paragraph at work. */
    const struct style *style;
    struct look look;
    unsigned run_size; /* half points, 0: the style's */
    bool in_run, run_bold, run_says_bold, in_text;
    size_t letters, bold_letters;
    unsigned skip; /* depth inside what is not to be read */
};

/* ---- styles ---------------------------------------------------------------------------------- */

static unsigned half_points(const struct tag *t)
{
    char room[64];
    unsigned long n = strtoul(tag_value(t, "val", room), NULL, 10);

    return n < 4000 ? (unsigned)n : 0;
}

static void style_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;
    struct style *s = r->styles.open;

    if (tag_is(t, "style")) {
        styles_begin(&r->styles, t, "styleId");
    } else if (tag_is(t, "docDefaults")) {
        r->defaults = true;
    } else if (tag_is(t, "sz") && r->defaults) {
        r->usual = half_points(t);
    } else if (s && tag_is(t, "sz")) {
        s->look.size = half_points(t);
    } else if (s && tag_is(t, "basedOn")) {
        tag_value(t, "val", s->parent);
    } else if (s && tag_is(t, "jc")) {
        s->says_centred = true;
        s->look.centred = tag_has(t, "val", "center");
    } else if (s && tag_is(t, "b")) {
        s->says_bold = true;
        s->look.bold = tag_is_on(t);
    }
}

static void style_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    if (strcmp(name, "style") == 0)
        r->styles.open = NULL;
    else if (strcmp(name, "docDefaults") == 0)
        r->defaults = false;
}

static void read_styles(struct reader *r)
{
    const struct markup_events e = {.start = style_start, .end = style_end, .ctx = r};

    r->usual = HALF_POINTS;
    markup_part(&r->zip.box, "word/styles.xml", &e);
    if (!r->usual)
        r->usual = HALF_POINTS;
    for (size_t i = 0; i < r->styles.len; i++)
        styles_inherit(&r->styles, &r->styles.list[i]);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void paragraph_begin(struct reader *r)
{
    r->style = NULL;
    r->look = (struct look){.size = r->usual};
    r->letters = r->bold_letters = 0;
}

static void take_style(struct reader *r, const struct tag *t)
{
    char id[64];

    tag_value(t, "val", id);
    r->style = styles_find(&r->styles, id);
    if (r->style) {
        r->look = r->style->look;
        if (!r->look.size)
            r->look.size = r->usual;
    }
    r->look.heading = strncasecmp(id, "Heading", 7) == 0 || strncasecmp(id, "Title", 5) == 0 ||
                      strncasecmp(id, "Subtitle", 8) == 0;
}

static void line_end(struct reader *r)
{
    struct look look = r->look;

    look.bold = r->letters > 0 && r->bold_letters * 2 > r->letters;
    paper_end(r->paper, look);
    r->letters = r->bold_letters = 0;
    r->look.size = r->style && r->style->look.size ? r->style->look.size : r->usual;
}

/* What is said in a run's properties. */
static void take_run(struct reader *r, const struct tag *t)
{
    if (tag_is(t, "sz")) {
        r->run_size = half_points(t);
    } else if (tag_is(t, "b")) {
        r->run_says_bold = true;
        r->run_bold = tag_is_on(t);
    }
}

static void run_begin(struct reader *r)
{
    r->in_run = true;
    r->run_size = 0;
    r->run_bold = r->run_says_bold = false;
}

/* Breaks and the like. False for what is none. */
static bool take_break(struct reader *r, const struct tag *t)
{
    if (tag_is(t, "tab")) {
        if (r->in_run)
            paper_add(r->paper, " ", 1);
    } else if (tag_is(t, "lastRenderedPageBreak")) {
        if (r->letters == 0)
            paper_page(r->paper);
    } else if (tag_is(t, "br") && tag_has(t, "type", "page")) {
        line_end(r);
    } else if (tag_is(t, "br") || tag_is(t, "cr")) {
        line_end(r);
    } else if (tag_is(t, "noBreakHyphen")) {
        paper_add(r->paper, "-", 1);
    } else {
        return false;
    }
    return true;
}

static void text_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;

    /* An older program's way of saying what was said already. */
    if (r->skip > 0 || tag_is(t, "Fallback")) {
        r->skip++;
        return;
    }
    if (tag_is(t, "p")) {
        line_end(r);
        paragraph_begin(r);
    } else if (tag_is(t, "pStyle")) {
        take_style(r, t);
    } else if (tag_is(t, "jc")) {
        r->look.centred = tag_has(t, "val", "center");
    } else if (tag_is(t, "r")) {
        run_begin(r);
    } else if (tag_is(t, "t")) {
        r->in_text = true;
    } else if (!take_break(r, t) && r->in_run) {
        take_run(r, t);
    }
}

static void text_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    if (r->skip > 0) {
        r->skip--;
        return;
    }
    if (strcmp(name, "t") == 0)
        r->in_text = false;
    else if (strcmp(name, "r") == 0)
        r->in_run = false;
    else if (strcmp(name, "p") == 0)
        line_end(r);
    else if (strcmp(name, "tc") == 0)
        paper_add(r->paper, " ", 1);
}

static void text_text(void *ctx, const char *s, size_t n)
{
    struct reader *r = ctx;
    bool style_bold = r->style && r->style->look.bold;

    if (!r->in_text || r->skip > 0)
        return;
    paper_add(r->paper, s, n);
    r->letters += n;
    if (r->run_says_bold ? r->run_bold : style_bold)
        r->bold_letters += n;
    if (r->run_size && r->letters == n)
        r->look.size = r->run_size;
    else if (r->run_size > r->look.size)
        r->look.size = r->run_size;
}

static int read_part(struct reader *r, const char *part)
{
    const struct markup_events e = {
        .start = text_start, .end = text_end, .text = text_text, .ctx = r, .paper = r->paper};
    int answer;

    r->skip = 0;
    r->in_text = r->in_run = false;
    paragraph_begin(r);
    answer = markup_part(&r->zip.box, part, &e);
    line_end(r);
    return answer;
}

static void read_parts(struct reader *r, const char *prefix)
{
    const char **parts = zipdoc_parts(&r->zip, prefix);

    for (const char **part = parts; *part && !paper_full(r->paper); part++)
        read_part(r, *part);
    free(parts);
}

/* The main part; most have the first name. */
static const char *main_part(const struct zipdoc *z)
{
    const char **parts = zipdoc_parts(z, "word/document");
    const char *first = parts[0] ? parts[0] : "word/document.xml";

    free(parts);
    return first;
}

void parse_docx(struct paper *p, const struct bytes *b)
{
    struct reader *r = xcalloc(1, sizeof *r);
    struct content *c = &p->content;
    const struct zipdoc_property app[] = {{"Pages", NULL, NULL, &c->pages}};
    int main;

    r->paper = p;
    if (!zipdoc_open(&r->zip, p, b)) {
        free(r);
        return;
    }
    zipdoc_core(&r->zip);
    zipdoc_properties(&r->zip, "docProps/app.xml", app, 1);
    read_styles(r);
    /* Markings such as PRIVILEGED stand in headers. */
    read_parts(r, "word/header");
    main = read_part(r, main_part(&r->zip));
    p->aside = true;
    read_parts(r, "word/footer");
    read_parts(r, "word/footnotes");
    read_parts(r, "word/endnotes");
    read_parts(r, "word/comments");
    zipdoc_close(&r->zip, main);
    free(r);
}
