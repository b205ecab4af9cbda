/* Word, Excel and PowerPoint 97 to 2003 ([MS-DOC], [MS-XLS], [MS-PPT]): properties by libgsf, text
 * by a bounded look of our own. */
#include "text/ole.h"

#include <gsf/gsf-doc-meta-data.h>
#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-input-memory.h>
#include <gsf/gsf-meta-names.h>
#include <gsf/gsf-msole-utils.h>
#include <gsf/gsf-timestamp.h>
#include <stdlib.h>
#include <string.h>

#include "examine/source.h"
#include "text/cells.h"
#include "text/charset.h"
#include "text/text.h"

#define STREAM_MAX ((size_t)64 << 20)

GsfInfile *ole_open(struct paper *p, const struct bytes *b)
{
    GsfInput *memory = gsf_input_memory_new(b->p, (gsf_off_t)b->n, FALSE);
    GsfInfile *in = memory ? gsf_infile_msole_new(memory, NULL) : NULL;

    if (memory)
        g_object_unref(memory);
    if (!in)
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    return in;
}

void ole_prepare(void)
{
    gsf_init();
}

uint8_t *ole_stream(GsfInfile *in, const char *name, size_t max, size_t *n)
{
    GsfInput *s = gsf_infile_child_by_name(in, name);
    gsf_off_t size = s ? gsf_input_size(s) : 0;
    uint8_t *room = NULL;

    *n = 0;
    if (s && size > 0) {
        *n = (size_t)size < max ? (size_t)size : max;
        room = g_try_malloc(*n);
        if (!room || !gsf_input_read(s, *n, room)) {
            g_free(room);
            room = NULL;
            *n = 0;
        }
    }
    if (s)
        g_object_unref(s);
    return room;
}

bool ole_has(GsfInfile *in, const char *name)
{
    GsfInput *s = gsf_infile_child_by_name(in, name);

    if (s)
        g_object_unref(s);
    return s != NULL;
}

/* ---- properties ------------------------------------------------------------------------------ */

static void set(const GsfDocMetaData *data, const char *name, char **field)
{
    GsfDocProp *prop = gsf_doc_meta_data_lookup(data, name);
    const GValue *v = prop ? gsf_doc_prop_get_val(prop) : NULL;

    if (v && G_VALUE_HOLDS_STRING(v) && g_value_get_string(v))
        paper_set(field, g_value_get_string(v), strlen(g_value_get_string(v)));
}

static unsigned count_of(const GsfDocMetaData *data, const char *name)
{
    GsfDocProp *prop = gsf_doc_meta_data_lookup(data, name);
    const GValue *v = prop ? gsf_doc_prop_get_val(prop) : NULL;

    return v && G_VALUE_HOLDS_INT(v) && g_value_get_int(v) > 0 ? (unsigned)g_value_get_int(v) : 0;
}

static struct date created(const GsfDocMetaData *data)
{
    GsfDocProp *prop = gsf_doc_meta_data_lookup(data, GSF_META_NAME_DATE_CREATED);
    const GValue *v = prop ? gsf_doc_prop_get_val(prop) : NULL;
    const GsfTimestamp *t = v && G_VALUE_HOLDS(v, GSF_TIMESTAMP_TYPE) ? g_value_get_boxed(v) : NULL;

    return t ? date_of_time((int64_t)t->timet * 1000000000, NULL) : DATE_NONE;
}

static void read_properties(struct paper *p, GsfInfile *in)
{
    GsfInput *s = gsf_infile_child_by_name(in, "\05SummaryInformation");
    GsfDocMetaData *data = gsf_doc_meta_data_new();
    struct content *c = &p->content;

    if (s && !gsf_doc_meta_data_read_from_msole(data, s)) {
        set(data, GSF_META_NAME_TITLE, &c->title);
        set(data, GSF_META_NAME_INITIAL_CREATOR, &c->author);
        set(data, GSF_META_NAME_CREATOR, &c->author);
        c->pages = count_of(data, GSF_META_NAME_PAGE_COUNT);
        c->property_date = created(data);
    }
    if (s)
        g_object_unref(s);
    g_object_unref(data);
    if (ole_has(in, "Macros") || ole_has(in, "_VBA_PROJECT_CUR") || ole_has(in, "VBA"))
        c->flags |= CONTENT_HAS_MACROS;
    if (ole_has(in, "_xmlsignatures") || ole_has(in, "_signatures"))
        c->flags |= CONTENT_IS_SIGNED;
}

static void note_locked(struct paper *p)
{
    p->content.flags |= CONTENT_IS_ENCRYPTED;
    paper_status(p, CONTENT_LOCKED, "content.locked.password");
}

/* ---- Word ------------------------------------------------------------------------------------ */

#define WORD_OLD 0xA5DC /* at the beginning, of Word 6 and 95 */

/* Text of Word: marks of its own between the letters. */
struct word {
    struct paper *paper;
    unsigned field; /* depth inside a field's instruction, which nobody sees */
    bool cell;      /* the last thing was the end of a cell: another one ends the row */
};

static void add_word_text(struct word *w, const char *s, size_t n)
{
    size_t from = 0;

    for (size_t i = 0; i <= n; i++) {
        unsigned char c = i < n ? (unsigned char)s[i] : 0;

        if (i < n && c != '\r' && c != '\v' && c != '\f' && c != 7 && (c < 0x13 || c > 0x15))
            continue;
        if (w->field == 0)
            paper_add(w->paper, s + from, i - from);
        w->cell = w->cell && from == i;
        from = i + 1;
        if (c == '\r' || c == '\v' || c == '\f' || (c == 7 && w->cell))
            paper_end(w->paper, (struct look){0});
        if (c == '\f')
            paper_page(w->paper);
        else if (c == 7)
            paper_add(w->paper, " ", 1);
        w->cell = c == 7 && !w->cell;
        if (c == 0x13)
            w->field++;
        else if ((c == 0x14 || c == 0x15) && w->field > 0)
            w->field--;
    }
}

/* One piece: `letters` of them, where fc says ([MS-DOC] 2.9.73). */
static void add_piece(struct word *w, const uint8_t *doc, size_t n, uint32_t fc, uint32_t letters)
{
    bool narrow = fc & 0x40000000;
    size_t at = narrow ? (fc & 0x3FFFFFFF) / 2 : fc & 0x3FFFFFFF;
    size_t bytes = narrow ? letters : (size_t)letters * 2;
    struct str text = STR_INIT;

    if (at >= n)
        return;
    bytes = bytes < n - at ? bytes : n - at;
    bytes = bytes < 2 * TEXT_MAX ? bytes : 2 * TEXT_MAX;
    charset_convert(&text, narrow ? "WINDOWS-1252" : "UTF-16LE", doc + at, bytes);
    add_word_text(w, str_c(&text), text.len);
    str_clear(&text);
}

/* The piece table ([MS-DOC] 2.9.38): behind the properties, its own length in front of it. */
static void read_pieces(struct paper *p, const uint8_t *doc, size_t n, const uint8_t *clx,
                        size_t len)
{
    struct word w = {.paper = p};
    size_t at = 0, pieces;

    while (at + 3 <= len && clx[at] == 1)
        at += 3 + (size_t)le16(clx + at + 1);
    if (at + 5 > len || clx[at] != 2) {
        paper_status(p, CONTENT_PART, "content.part.damaged");
        return;
    }
    len = le32(clx + at + 1) < len - at - 5 ? le32(clx + at + 1) : len - at - 5;
    clx += at + 5;
    pieces = len < 4 ? 0 : (len - 4) / 12;
    for (size_t i = 0; i < pieces && !paper_full(p); i++) {
        uint32_t from = le32(clx + 4 * i), to = le32(clx + 4 * i + 4);
        uint32_t fc = le32(clx + 4 * (pieces + 1) + 8 * i + 2);

        if (to > from)
            add_piece(&w, doc, n, fc, to - from);
    }
    paper_end(p, (struct look){0});
}

/* Word 6 and 95: one run of letters ([MS-DOC] describes later ones; as in antiword(1)). */
static void read_old_word(struct paper *p, const uint8_t *doc, size_t n)
{
    struct word w = {.paper = p};
    uint32_t from = le32(doc + 0x18), to = le32(doc + 0x1C);
    struct str text = STR_INIT;

    if (from > to || to > n) {
        paper_status(p, CONTENT_PART, "content.part.damaged");
        return;
    }
    charset_convert(&text, "WINDOWS-1252", doc + from, to - from < TEXT_MAX ? to - from : TEXT_MAX);
    add_word_text(&w, str_c(&text), text.len);
    paper_end(p, (struct look){0});
    str_clear(&text);
}

static void read_word(struct paper *p, GsfInfile *in)
{
    size_t n, table_n;
    uint8_t *doc = ole_stream(in, "WordDocument", STREAM_MAX, &n);
    uint8_t *table = NULL;

    if (!doc || n < 0x1AA) {
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    } else if (le16(doc + 0x0A) & 0x0100) {
        note_locked(p);
    } else if (le16(doc) == WORD_OLD) {
        read_old_word(p, doc, n);
    } else {
        uint32_t at = le32(doc + 0x1A2), len = le32(doc + 0x1A6);

        table =
            ole_stream(in, le16(doc + 0x0A) & 0x0200 ? "1Table" : "0Table", STREAM_MAX, &table_n);
        if (table && at < table_n && len <= table_n - at)
            read_pieces(p, doc, n, table + at, len);
        else
            paper_status(p, CONTENT_PART, "content.part.damaged");
    }
    g_free(table);
    g_free(doc);
}

/* ---- PowerPoint ------------------------------------------------------------------------------ */

enum {
    PPT_SLIDE = 1006,
    PPT_PERSIST = 1011, /* in the list of texts: those of the next slide */
    PPT_MASTER = 1016,
    PPT_HEADER = 3999, /* what kind of text comes next */
    PPT_CHARS = 4000,
    PPT_BYTES = 4008,
    PPT_TEXTS = 4080,
    PPT_CRYPT = 12052,
};

enum { TEXTS_OF_MASTERS = 1 };             /* PPT_TEXTS by instance */
enum { TEXT_TITLE = 0, TEXT_CENTRED = 6 }; /* PPT_HEADER */

/* Slides at work. */
struct slides {
    struct paper *paper;
    bool title; /* the text that comes next */
};

/* Lines of a text; what stands for the number of the slide is left out. */
static void add_slide_text(struct slides *w, const char *charset, const uint8_t *at, size_t n)
{
    struct str text = STR_INIT;

    charset_convert(&text, charset, at, n);
    for (const char *s = str_c(&text); *s && strcmp(s, "*") != 0;) {
        size_t line = strcspn(s, "\r\v\n");

        paper_add(w->paper, s, line);
        paper_end(w->paper, (struct look){.heading = w->title});
        s += line + (s[line] != '\0');
    }
    str_clear(&text);
}

static void add_slide_record(struct slides *w, unsigned type, const uint8_t *at, size_t n)
{
    struct paper *p = w->paper;

    if (type == PPT_CRYPT)
        note_locked(p);
    if ((type == PPT_SLIDE || type == PPT_PERSIST) && p->content.lines_len > 0)
        paper_page(p);
    p->content.pages += type == PPT_SLIDE;
    if (type == PPT_HEADER)
        w->title = n >= 4 && (le32(at) == TEXT_TITLE || le32(at) == TEXT_CENTRED);
    else if (type == PPT_CHARS)
        add_slide_text(w, "UTF-16LE", at, n);
    else if (type == PPT_BYTES)
        add_slide_text(w, "ISO-8859-1", at, n);
}

static void read_slides(struct paper *p, GsfInfile *in)
{
    size_t n;
    uint8_t *doc = ole_stream(in, "PowerPoint Document", STREAM_MAX, &n);
    struct slides w = {.paper = p};

    if (!doc)
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    for (size_t at = 0; doc && at + 8 <= n && !paper_full(p);) {
        unsigned head = le16(doc + at), type = le16(doc + at + 2);
        uint32_t len = le32(doc + at + 4);
        bool masters = type == PPT_MASTER || (type == PPT_TEXTS && head >> 4 == TEXTS_OF_MASTERS);

        at += 8;
        len = len < n - at ? len : (uint32_t)(n - at);
        add_slide_record(&w, type, doc + at, len);
        at += (head & 15) == 15 && !masters ? 0 : len;
    }
    g_free(doc);
}

/* ---- Excel ----------------------------------------------------------------------------------- */

enum {
    XLS_FORMULA = 0x06, /* with the number that it gave */
    XLS_SINCE_1904 = 0x22,
    XLS_CRYPT = 0x2F,
    XLS_CONTINUE = 0x3C,
    XLS_SHEET = 0x85,
    XLS_PACKED_ROW = 0xBD,
    XLS_STYLE = 0xE0,
    XLS_STRINGS = 0xFC,
    XLS_NUMBER = 0x203,
    XLS_LABEL = 0x204,  /* of Excel 5 and 95, in a cell */
    XLS_RESULT = 0x207, /* the text that a formula gave */
    XLS_PACKED = 0x27E,
    XLS_FORMAT = 0x41E,
};

/* A workbook at work. */
struct workbook {
    struct paper *p;
    bool old; /* Excel 5 or 95 */
    struct cells cells;
    unsigned row;  /* of the latest number */
    bool in_row;   /* its line is not ended yet */
};

/* The table of strings ([MS-XLS] 2.4.265), which goes on in records that follow it. */
struct strings {
    const uint8_t *p;
    size_t n, at, end; /* end: of the record at work */
};

/* Moves into the record that continues this one. */
static bool go_on(struct strings *s)
{
    if (s->end + 4 > s->n || le16(s->p + s->end) != XLS_CONTINUE)
        return false;
    s->at = s->end + 4;
    s->end = s->at + le16(s->p + s->end + 2);
    s->end = s->end < s->n ? s->end : s->n;
    return s->at < s->end;
}

static bool has(struct strings *s, size_t bytes)
{
    return s->at + bytes <= s->end || (s->at >= s->end && go_on(s) && s->at + bytes <= s->end);
}

static bool skip(struct strings *s, size_t bytes)
{
    while (bytes > s->end - s->at) {
        bytes -= s->end - s->at;
        s->at = s->end;
        if (!go_on(s))
            return false;
    }
    s->at += bytes;
    return true;
}

/* The letters of one string; each further record says again how wide they are. */
static bool add_letters(struct paper *p, struct strings *s, size_t letters, bool wide)
{
    while (letters > 0) {
        size_t room, some;
        struct str text = STR_INIT;

        if (s->at >= s->end) {
            if (!go_on(s))
                return false;
            wide = s->p[s->at++] & 1;
        }
        room = (s->end - s->at) / (wide ? 2 : 1);
        some = letters < room ? letters : room;
        if (some == 0)
            return false;
        charset_convert(&text, wide ? "UTF-16LE" : "ISO-8859-1", s->p + s->at,
                        some * (wide ? 2 : 1));
        paper_add(p, str_c(&text), text.len);
        str_clear(&text);
        s->at += some * (wide ? 2 : 1);
        letters -= some;
    }
    return true;
}

static bool add_string(struct paper *p, struct strings *s)
{
    size_t letters, runs = 0, more = 0;
    uint8_t flags;
    bool fine;

    if (!has(s, 3))
        return false;
    letters = le16(s->p + s->at);
    flags = s->p[s->at + 2];
    s->at += 3;
    if (flags & 8) {
        if (!has(s, 2))
            return false;
        runs = le16(s->p + s->at);
        s->at += 2;
    }
    if (flags & 4) {
        if (!has(s, 4))
            return false;
        more = le32(s->p + s->at);
        s->at += 4;
    }
    fine = add_letters(p, s, letters, flags & 1);
    paper_end(p, (struct look){0});
    return fine && skip(s, runs * 4 + more);
}

static void read_strings(struct paper *p, const uint8_t *book, size_t n, size_t at, size_t len)
{
    struct strings s = {book, n, at + 8, at + len};
    uint32_t count = len >= 8 ? le32(book + at + 4) : 0;

    while (count-- > 0 && !paper_full(p) && add_string(p, &s))
        continue;
}

static void add_label(struct paper *p, const uint8_t *at, size_t n)
{
    size_t len = n >= 8 ? le16(at + 6) : 0;
    struct str text = STR_INIT;

    charset_convert(&text, "WINDOWS-1252", at + 8, len <= n - 8 ? len : 0);
    paper_add(p, str_c(&text), text.len);
    paper_end(p, (struct look){0});
    str_clear(&text);
}

static void end_row(struct workbook *w)
{
    if (w->in_row)
        paper_end(w->p, (struct look){0});
    w->in_row = false;
}

/* Numbers of a row share a line. */
static void add_number(struct workbook *w, unsigned row, unsigned style, double value)
{
    struct str text = STR_INIT;

    if (w->row != row)
        end_row(w);
    cells_number(&w->cells, style, value, &text);
    str_addc(&text, ' ');
    paper_add(w->p, str_c(&text), text.len);
    str_clear(&text);
    w->row = row;
    w->in_row = true;
}

/* A cell begins with its row, its column and its style, two bytes each. */
static void read_cell(struct workbook *w, uint32_t type, const uint8_t *at, size_t n)
{
    unsigned row = n >= 6 ? le16(at) : 0;

    if (type == XLS_PACKED && n >= 10)
        add_number(w, row, le16(at + 4), cells_packed(le32(at + 6)));
    else if (type == XLS_NUMBER && n >= 14)
        add_number(w, row, le16(at + 4), cells_double(at + 6));
    else if (type == XLS_FORMULA && n >= 14 && le16(at + 12) != 0xFFFF)
        add_number(w, row, le16(at + 4), cells_double(at + 6));
    else if (type == XLS_PACKED_ROW)
        for (size_t i = 4; i + 6 <= n - (n >= 2 ? 2 : 0) && !paper_full(w->p); i += 6)
            add_number(w, row, le16(at + i), cells_packed(le32(at + i + 2)));
}

static void read_format(struct workbook *w, const uint8_t *at, size_t n)
{
    size_t head = w->old ? 3 : 5;
    bool wide = !w->old && n >= head && at[4] & 1;
    struct str code = STR_INIT;

    if (n < head)
        return;
    charset_convert(&code, wide ? "UTF-16LE" : "ISO-8859-1", at + head, n - head);
    cells_format(&w->cells, le16(at), str_c(&code));
    str_clear(&code);
}

static void read_record(struct workbook *w, const uint8_t *book, size_t n, size_t at, uint32_t len,
                        uint32_t type)
{
    w->p->content.pages += type == XLS_SHEET;
    if (type == XLS_FORMAT) {
        read_format(w, book + at, len);
    } else if (type == XLS_STYLE && len >= 4) {
        cells_style(&w->cells, le16(book + at + 2));
    } else if (type == XLS_SINCE_1904 && len >= 2) {
        w->cells.since_1904 = le16(book + at) != 0;
    } else if (type == XLS_STRINGS) {
        read_strings(w->p, book, n, at, len);
    } else if (type == XLS_LABEL && w->old && len >= 8) {
        end_row(w);
        add_label(w->p, book + at, len);
    } else if (type == XLS_RESULT && !w->old) {
        end_row(w);
        add_string(w->p, &(struct strings){book, n, at, at + len});
    } else {
        read_cell(w, type, book + at, len);
    }
}

static void read_book(struct paper *p, GsfInfile *in)
{
    size_t n;
    uint8_t *book = ole_stream(in, "Workbook", STREAM_MAX, &n);
    struct workbook w = {.p = p, .old = !book};

    if (w.old)
        book = ole_stream(in, "Book", STREAM_MAX, &n);
    if (!book)
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    for (size_t at = 0; book && at + 4 <= n && !paper_full(p);) {
        uint32_t type = le16(book + at), len = le16(book + at + 2);

        at += 4;
        len = len < n - at ? len : (uint32_t)(n - at);
        if (type == XLS_CRYPT) {
            note_locked(p);
            break;
        }
        read_record(&w, book, n, at, len, type);
        at += len;
    }
    end_row(&w);
    cells_clear(&w.cells);
    g_free(book);
}

/* ---- the formats ----------------------------------------------------------------------------- */

static void parse_with(struct paper *p, const struct bytes *b,
                       void (*read)(struct paper *, GsfInfile *))
{
    GsfInfile *in = ole_open(p, b);

    if (!in)
        return;
    /* A document in XML that is encrypted lies in a compound file ([MS-OFFCRYPTO]). */
    if (ole_has(in, "EncryptedPackage")) {
        note_locked(p);
    } else if (ole_has(in, "\tDRMContent")) {
        p->content.flags |= CONTENT_IS_ENCRYPTED;
        paper_status(p, CONTENT_LOCKED, "content.locked.rights");
    } else {
        read_properties(p, in);
        if (read)
            read(p, in);
    }
    g_object_unref(in);
}

void parse_doc(struct paper *p, const struct bytes *b)
{
    parse_with(p, b, read_word);
}

void parse_ppt(struct paper *p, const struct bytes *b)
{
    parse_with(p, b, read_slides);
}

void parse_xls(struct paper *p, const struct bytes *b)
{
    parse_with(p, b, read_book);
}

void parse_ole(struct paper *p, const struct bytes *b)
{
    parse_with(p, b, NULL);
}
