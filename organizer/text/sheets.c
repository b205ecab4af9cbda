/* Excel workbooks and PowerPoint presentations in XML (ECMA-376 part 1, sections 18 and 19). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "text/cells.h"
#include "text/zipdoc.h"

#define STRINGS_MAX ((size_t)1 << 20)

struct reader {
    struct zipdoc zip;
    struct paper *paper;
    /* A workbook's strings, one after another, and where each begins. */
    struct str strings;
    size_t *starts, len, cap;
    struct cells cells;
    bool in_styles; /* of cells: there are styles of styles, too */
    /* The part at work. */
    struct str value; /* of a cell */
    char type[64];    /* of a cell */
    unsigned long style;
    bool in_text, in_value, in_string, phonetic;
    struct look look;
    size_t letters, bold_letters;
    bool run_bold;
    unsigned run_size;
};

/* ---- shared strings -------------------------------------------------------------------------- */

static void string_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;

    if (tag_is(t, "si") && r->len < STRINGS_MAX) {
        GROW(r->starts, r->len, r->cap);
        r->starts[r->len++] = r->strings.len;
    }
    r->phonetic |= tag_is(t, "rPh");
    r->in_text = tag_is(t, "t") && !r->phonetic;
}

static void string_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    r->in_text = false;
    if (strcmp(name, "rPh") == 0)
        r->phonetic = false;
    if (strcmp(name, "si") == 0)
        str_addc(&r->strings, '\0');
}

static void string_text(void *ctx, const char *s, size_t n)
{
    struct reader *r = ctx;

    if (r->in_text && r->strings.len < BOX_PART)
        str_addn(&r->strings, s, n);
}

/* ---- styles ---------------------------------------------------------------------------------- */

static unsigned number_of(const struct tag *t, const char *attribute)
{
    char room[64];

    return (unsigned)strtoul(tag_value(t, attribute, room), NULL, 10);
}

static void style_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;
    char code[64];

    if (tag_is(t, "numFmt"))
        cells_format(&r->cells, number_of(t, "numFmtId"), tag_value(t, "formatCode", code));
    else if (tag_is(t, "cellXfs"))
        r->in_styles = true;
    else if (tag_is(t, "xf") && r->in_styles)
        cells_style(&r->cells, number_of(t, "numFmtId"));
}

static void style_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    if (strcmp(name, "cellXfs") == 0)
        r->in_styles = false;
}

static void book_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;
    char on[64];

    if (tag_is(t, "workbookPr"))
        r->cells.since_1904 = strchr("1t", *tag_value(t, "date1904", on)) && *on;
}

/* ---- cells ----------------------------------------------------------------------------------- */

static void cell_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;

    if (tag_is(t, "c")) {
        tag_value(t, "t", r->type);
        r->style = number_of(t, "s");
        str_reset(&r->value);
    }
    r->in_value = tag_is(t, "v") || tag_is(t, "t");
}

/* A number stays as it is written; a date is written as a number. */
static void show_date(struct reader *r)
{
    char *end;
    double value = strtod(str_c(&r->value), &end);

    if ((*r->type && strcmp(r->type, "n") != 0) || r->style >= r->cells.styles_len ||
        !r->cells.styles[r->style] || end == r->value.s || *end)
        return;
    str_reset(&r->value);
    cells_number(&r->cells, r->style, value, &r->value);
}

static void cell_done(struct reader *r)
{
    unsigned long at;

    if (strcmp(r->type, "s") == 0) {
        at = strtoul(str_c(&r->value), NULL, 10);
        if (at < r->len && r->starts[at] < r->strings.len)
            paper_add(r->paper, r->strings.s + r->starts[at],
                      strlen(r->strings.s + r->starts[at]));
    } else {
        show_date(r);
        paper_add(r->paper, str_c(&r->value), r->value.len);
    }
    paper_add(r->paper, " ", 1);
}

static void cell_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    r->in_value = false;
    if (strcmp(name, "c") == 0)
        cell_done(r);
    else if (strcmp(name, "row") == 0)
        paper_end(r->paper, (struct look){0});
}

static void cell_text(void *ctx, const char *s, size_t n)
{
    struct reader *r = ctx;

    if (r->in_value && r->value.len < 65536)
        str_addn(&r->value, s, n);
}

static int read_sheets(struct reader *r)
{
    const struct markup_events strings = {
        .start = string_start, .end = string_end, .text = string_text, .ctx = r};
    const struct markup_events styles = {.start = style_start, .end = style_end, .ctx = r};
    const struct markup_events book = {.start = book_start, .ctx = r};
    const struct markup_events cells = {
        .start = cell_start, .end = cell_end, .text = cell_text, .ctx = r, .paper = r->paper};
    const char **parts = zipdoc_parts(&r->zip, "xl/worksheets/sheet");
    int answer = parts[0] ? 1 : 0;

    markup_part(&r->zip.box, "xl/workbook.xml", &book);
    markup_part(&r->zip.box, "xl/styles.xml", &styles);
    markup_part(&r->zip.box, "xl/sharedStrings.xml", &strings);
    str_addc(&r->strings, '\0');
    for (const char **part = parts; *part; part++) {
        r->paper->content.pages++;
        if (!paper_full(r->paper) && markup_part(&r->zip.box, *part, &cells) < 0)
            answer = -1;
        paper_end(r->paper, (struct look){0});
        paper_page(r->paper);
    }
    free(parts);
    return answer;
}

/* ---- slides ---------------------------------------------------------------------------------- */

static void slide_line_end(struct reader *r)
{
    struct look look = r->look;

    look.bold = r->letters > 0 && r->bold_letters * 2 > r->letters;
    paper_end(r->paper, look);
    r->letters = r->bold_letters = 0;
    r->look.size = 0;
    r->look.centred = false;
}

static void slide_start(void *ctx, const struct tag *t)
{
    struct reader *r = ctx;
    char room[64];

    if (tag_is(t, "sp")) {
        r->look = (struct look){0};
    } else if (tag_is(t, "ph")) {
        tag_value(t, "type", room);
        r->look.heading = strcmp(room, "title") == 0 || strcmp(room, "ctrTitle") == 0;
    } else if (tag_is(t, "pPr")) {
        r->look.centred = tag_has(t, "algn", "ctr");
    } else if (tag_is(t, "rPr")) {
        r->run_bold = tag_has(t, "b", "1");
        r->run_size = (unsigned)strtoul(tag_value(t, "sz", room), NULL, 10) % 1000000;
    } else if (tag_is(t, "r")) {
        r->run_bold = false;
        r->run_size = 0;
    } else if (tag_is(t, "br")) {
        slide_line_end(r);
    }
    r->in_text = tag_is(t, "t");
}

static void slide_end(void *ctx, const char *name)
{
    struct reader *r = ctx;

    r->in_text = false;
    if (strcmp(name, "p") == 0)
        slide_line_end(r);
}

static void slide_text(void *ctx, const char *s, size_t n)
{
    struct reader *r = ctx;

    if (!r->in_text)
        return;
    paper_add(r->paper, s, n);
    r->letters += n;
    r->bold_letters += r->run_bold ? n : 0;
    r->look.size = r->run_size > r->look.size ? r->run_size : r->look.size;
}

static int read_slides(struct reader *r)
{
    const struct markup_events e = {
        .start = slide_start, .end = slide_end, .text = slide_text, .ctx = r, .paper = r->paper};
    const char **parts = zipdoc_parts(&r->zip, "ppt/slides/slide");
    int answer = parts[0] ? 1 : 0;

    for (const char **part = parts; *part; part++) {
        r->paper->content.pages++;
        if (!paper_full(r->paper) && markup_part(&r->zip.box, *part, &e) < 0)
            answer = -1;
        paper_page(r->paper);
    }
    free(parts);
    parts = zipdoc_parts(&r->zip, "ppt/notesSlides/notesSlide");
    r->paper->aside = true;
    for (const char **part = parts; *part && !paper_full(r->paper); part++)
        markup_part(&r->zip.box, *part, &e);
    free(parts);
    return answer;
}

static void parse_parts(struct paper *p, const struct bytes *b, int (*read)(struct reader *r))
{
    struct reader *r = xcalloc(1, sizeof *r);

    r->paper = p;
    if (zipdoc_open(&r->zip, p, b)) {
        zipdoc_core(&r->zip);
        zipdoc_close(&r->zip, read(r));
    }
    cells_clear(&r->cells);
    str_clear(&r->strings);
    str_clear(&r->value);
    free(r->starts);
    free(r);
}

void parse_xlsx(struct paper *p, const struct bytes *b)
{
    parse_parts(p, b, read_sheets);
}

void parse_pptx(struct paper *p, const struct bytes *b)
{
    parse_parts(p, b, read_slides);
}
