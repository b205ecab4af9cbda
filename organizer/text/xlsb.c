/* Binary workbooks of Excel 2007 and later ([MS-XLSB]): records in a ZIP; of them all strings. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "examine/source.h"
#include "text/charset.h"
#include "text/text.h"
#include "text/zipdoc.h"

enum { XLSB_CELL_TEXT = 6, XLSB_CELL_RESULT = 8, XLSB_STRING = 19 };

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

static int read_records(struct zipdoc *z, const char *part)
{
    struct str s = STR_INIT;
    uint32_t type, len;
    size_t at = 0;

    if (!box_part(&z->box, part, collect, &s))
        return 0;
    while (!paper_full(z->paper) && take_number(&s, &at, 2, &type) &&
           take_number(&s, &at, 4, &len) && len <= s.len - at) {
        add_string(z->paper, (const uint8_t *)s.s + at, len, string_at(type));
        at += len;
    }
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

static int read_book(struct zipdoc *z)
{
    int found = 0;

    read_records(z, "xl/sharedStrings.bin");
    for (size_t i = 0; i < z->len; i++)
        if (is_sheet(z->names[i])) {
            z->paper->content.pages++;
            found |= paper_full(z->paper) ? 1 : read_records(z, z->names[i]);
        }
    return found;
}

void parse_xlsb(struct paper *p, const struct bytes *b)
{
    struct zipdoc z;

    if (!zipdoc_open(&z, p, b))
        return;
    zipdoc_core(&z);
    zipdoc_close(&z, z.box.locked ? 1 : read_book(&z));
}
