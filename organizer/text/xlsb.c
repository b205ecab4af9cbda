/* Binary workbooks of Excel 2007 and later ([MS-XLSB]): records in a ZIP; of them all strings and numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "examine/source.h"
#include "text/cells.h"
#include "text/charset.h"
#include "text/text.h"
#include "text/zipdoc.h"

enum {
    XLSB_ROW = 0,
    XLSB_CELL_PACKED = 2,
    XLSB_CELL_NUMBER = 5,
    XLSB_CELL_TEXT = 6,
    XLSB_CELL_RESULT = 8,
    XLSB_CELL_RESULT_NUMBER = 9,
    XLSB_STRING = 19,
    XLSB_FORMAT = 44,
    XLSB_STYLE = 47,
    XLSB_BOOK = 153,
    XLSB_STYLES = 617,
    XLSB_STYLES_END = 618,
};

/* A workbook at work. */
struct workbook {
    struct zipdoc zip;
    struct cells cells;
    bool in_styles; /* of cells: there are styles of styles, too */
    bool in_row;    /* a line of numbers is not ended yet */
};

static bool collect(void *ctx, const char *p, size_t n)
{
    str_addn(ctx, p, n);
    return true; /* box.h bounds it */
}

/* A number in pieces of seven bits, at most `most` of them ([MS-XLSB] 2.1.4). */
static bool take_number(const struct str *s, size_t *at, unsigned most, uint32_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < most && *at < s->len; i++) {
        uint8_t c = (uint8_t)s->s[(*at)++];

        *number |= (uint32_t)(c & 0x7F) << (7 * i);
        if (c < 0x80)
            return true;
    }
    return false;
}

/* Where the string of a record begins, with its length in letters; 0: it has none. */
static size_t string_at(uint32_t type)
{
    switch (type) {
    case XLSB_STRING:
        return 1; /* behind flags */
    case XLSB_CELL_TEXT:
    case XLSB_CELL_RESULT:
        return 8; /* behind column and style */
    default:
        return 0;
    }
}

static void add_string(struct paper *p, const uint8_t *record, size_t n, size_t from)
{
    struct str text = STR_INIT;
    size_t letters;

    if (from == 0 || from + 4 > n)
        return;
    letters = le32(record + from);
    n = (n - from - 4) / 2;
    charset_convert(&text, "UTF-16LE", record + from + 4, 2 * (letters < n ? letters : n));
    paper_add(p, str_c(&text), text.len);
    paper_end(p, (struct look){0});
    str_clear(&text);
}

static void end_row(struct workbook *w)
{
    if (w->in_row)
        paper_end(w->zip.paper, (struct look){0});
    w->in_row = false;
}

/* A cell begins with its column, its style in three bytes, and flags. */
static void add_number(struct workbook *w, uint32_t type, const uint8_t *record, size_t n)
{
    struct str text = STR_INIT;

    if (n < (type == XLSB_CELL_PACKED ? 12 : 16))
        return;
    cells_number(&w->cells, le32(record + 4) & 0xFFFFFF,
                 type == XLSB_CELL_PACKED ? cells_packed(le32(record + 8)) : cells_double(record + 8),
                 &text);
    str_addc(&text, ' ');
    paper_add(w->zip.paper, str_c(&text), text.len);
    str_clear(&text);
    w->in_row = true;
}

static void read_format(struct workbook *w, const uint8_t *record, size_t n)
{
    struct str code = STR_INIT;

    if (n < 6)
        return;
    charset_convert(&code, "UTF-16LE", record + 6, n - 6);
    cells_format(&w->cells, le16(record), str_c(&code));
    str_clear(&code);
}

static void read_record(struct workbook *w, uint32_t type, const uint8_t *record, size_t n)
{
    switch (type) {
    case XLSB_ROW:
        end_row(w);
        break;
    case XLSB_CELL_PACKED:
    case XLSB_CELL_NUMBER:
    case XLSB_CELL_RESULT_NUMBER:
        add_number(w, type, record, n);
        break;
    case XLSB_FORMAT:
        read_format(w, record, n);
        break;
    case XLSB_STYLE:
        if (w->in_styles && n >= 4)
            cells_style(&w->cells, le16(record + 2));
        break;
    case XLSB_STYLES:
    case XLSB_STYLES_END:
        w->in_styles = type == XLSB_STYLES;
        break;
    case XLSB_BOOK:
        w->cells.since_1904 = n >= 1 && record[0] & 1;
        break;
    default:
        if (string_at(type))
            end_row(w);
        add_string(w->zip.paper, record, n, string_at(type));
    }
}

static int read_records(struct workbook *w, const char *part)
{
    struct str s = STR_INIT;
    uint32_t type, len;
    size_t at = 0;

    if (!box_part(&w->zip.box, part, collect, &s))
        return 0;
    while (!paper_full(w->zip.paper) && take_number(&s, &at, 2, &type) &&
           take_number(&s, &at, 4, &len) && len <= s.len - at) {
        read_record(w, type, (const uint8_t *)s.s + at, len);
        at += len;
    }
    end_row(w);
    str_clear(&s);
    return 1;
}

static bool is_sheet(const char *name)
{
    static const char start[] = "xl/worksheets/sheet", end[] = ".bin";
    size_t n = strlen(name), len = sizeof end - 1;

    return strncmp(name, start, sizeof start - 1) == 0 && n > len &&
           strcmp(name + n - len, end) == 0;
}

static int read_book(struct workbook *w)
{
    struct zipdoc *z = &w->zip;
    int found = 0;

    read_records(w, "xl/workbook.bin");
    read_records(w, "xl/styles.bin");
    read_records(w, "xl/sharedStrings.bin");
    for (size_t i = 0; i < z->len; i++)
        if (is_sheet(z->names[i])) {
            z->paper->content.pages++;
            found |= paper_full(z->paper) ? 1 : read_records(w, z->names[i]);
        }
    return found;
}

void parse_xlsb(struct paper *p, const struct bytes *b)
{
    struct workbook w = {.in_row = false};

    if (!zipdoc_open(&w.zip, p, b))
        return;
    zipdoc_core(&w.zip);
    zipdoc_close(&w.zip, w.zip.box.locked ? 1 : read_book(&w));
    cells_clear(&w.cells);
}
