/* PDF, by poppler. */
#include <poppler.h>
#include <string.h>

#include "text/parse.h"

#define SCAN_LETTERS 16 /* fewer on the first pages are stamps of a scanner */

/* A whole document of one empty page: what poppler sets up once it sets up before the sandbox. */
static const char empty[] = "%PDF-1.4\n"
                            "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                            "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                            "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R"
                            "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
                            ">>>>>>endobj\n"
                            "4 0 obj<</Length 28>>stream\nBT /F 9 Tf (organizer) Tj ET \n"
                            "endstream endobj\n"
                            "trailer<</Root 1 0 R/Size 5>>\n";

static PopplerDocument *open_bytes(const void *p, size_t n, GError **error)
{
    GBytes *bytes = g_bytes_new_static(p, n);
    PopplerDocument *d = poppler_document_new_from_bytes(bytes, NULL, error);

    g_bytes_unref(bytes);
    return d;
}

/* PDFDocEncoding where it differs from Unicode, from 0x80 (ISO 32000-1, annex D). */
static const uint16_t doc_encoding[] = {
    0x2022, 0x2020, 0x2021, 0x2026, 0x2014, 0x2013, 0x0192, 0x2044, 0x2039, 0x203A, 0x2212,
    0x2030, 0x201E, 0x201C, 0x201D, 0x2018, 0x2019, 0x201A, 0x2122, 0xFB01, 0xFB02, 0x0141,
    0x0152, 0x0160, 0x0178, 0x017D, 0x0131, 0x0142, 0x0153, 0x0161, 0x017E, 0x009F, 0x20AC,
};

/* PDF 2.0 allows UTF-8 (ISO 32000-2, 7.9.2.2.1); poppler 22 takes it for PDFDocEncoding. Undoes
 * that in place; three bytes that it has no letter for are lost. */
static void undo_encoding(char *text)
{
    static const char mark[] = "\u00EF\u00BB\u00BF"; /* that of UTF-8, misread */
    char *to = text;

    if (!g_str_has_prefix(text, mark))
        return;
    /* Not g_utf8_next_char(), which casts const away. */
    for (const char *s = text + sizeof mark - 1; *s; s += g_utf8_skip[(guchar)*s]) {
        gunichar c = g_utf8_get_char(s);

        for (gunichar i = 0; i < G_N_ELEMENTS(doc_encoding) && c > 0xFF; i++)
            if (doc_encoding[i] == c)
                c = 0x80 + i;
        *to++ = c > 0xFF ? '?' : (char)c;
    }
    *to = '\0';
}

static void set_text(char **field, char *text)
{
    if (text) {
        undo_encoding(text);
        paper_set(field, text, strlen(text));
    }
    g_free(text);
}

static void read_properties(struct paper *p, PopplerDocument *d)
{
    GDateTime *made = poppler_document_get_creation_date_time(d);
    struct content *c = &p->content;
    int year, month, day;

    set_text(&c->title, poppler_document_get_title(d));
    set_text(&c->author, poppler_document_get_author(d));
    c->pages = (unsigned)MAX(poppler_document_get_n_pages(d), 0);
    if (made) {
        g_date_time_get_ymd(made, &year, &month, &day);
        c->property_date = (struct date){(int16_t)year, (uint8_t)month, (uint8_t)day};
        g_date_time_unref(made);
    }
    if (poppler_document_get_n_signatures(d) > 0)
        c->flags |= CONTENT_IS_SIGNED;
    if (poppler_document_get_permissions(d) != POPPLER_PERMISSIONS_FULL)
        c->flags |= CONTENT_IS_ENCRYPTED;
}

/* ---- lines as they stand on the paper ---------------------------------------------------------
 */

/* A page of which every letter's place and font is known. */
struct letters {
    const char *text;
    PopplerRectangle *places;
    guint n; /* of places */
    GList *fonts;
    double width;
};

static bool is_bold(const char *font)
{
    return font && (strstr(font, "Bold") || strstr(font, "bold") || strstr(font, "Black") ||
                    strstr(font, "Heavy"));
}

/* What the letters from..to (not with it) look like. *font moves on. */
static struct look look_at(const struct letters *l, guint from, guint to, GList **font)
{
    double left = l->width, right = 0, size = 0;
    guint bold = 0, sized = 0;
    const PopplerTextAttributes *last = NULL;
    bool thick = false;

    for (guint i = from; i < to && i < l->n; i++) {
        const PopplerTextAttributes *a;

        while (*font && (guint)((PopplerTextAttributes *)(*font)->data)->end_index < i)
            *font = (*font)->next;
        a = *font ? (*font)->data : NULL;
        if (l->places[i].x2 <= l->places[i].x1)
            continue;
        left = MIN(left, l->places[i].x1);
        right = MAX(right, l->places[i].x2);
        if (!a)
            continue;
        sized++;
        size += a->font_size;
        thick = a == last ? thick : is_bold(a->font_name);
        bold += thick;
        last = a;
    }

    double after = l->width - right, off = left - after;

    return (struct look){
        .size = sized > 0 && size > 0 && size / sized < 10000 ? (unsigned)(size * 10 / sized) : 0,
        .centred = right > left && left > l->width * 0.16 && off < l->width * 0.06 &&
                   off > -l->width * 0.06,
        .bold = sized > 0 && bold * 2 > sized,
    };
}

static void add_lines(struct paper *p, const struct letters *l)
{
    GList *font = l->fonts;
    guint from = 0;

    for (const char *s = l->text; *s && !paper_full(p);) {
        const char *end = strchrnul(s, '\n');
        guint n = (guint)g_utf8_strlen(s, end - s);
        struct look look = look_at(l, from, from + n, &font);

        paper_add(p, s, (size_t)(end - s));
        paper_end(p, look);
        from += n + 1;
        s = *end ? end + 1 : end;
    }
}

static void read_first_page(struct paper *p, PopplerPage *page, const char *text)
{
    struct letters l = {.text = text};
    double height;

    poppler_page_get_size(page, &l.width, &height);
    if (!poppler_page_get_text_layout(page, &l.places, &l.n))
        l.n = 0;
    l.fonts = poppler_page_get_text_attributes(page);
    add_lines(p, &l);
    /* Nothing of the first pages is freed: the process ends soon. */
}

static void read_later_page(struct paper *p, const char *text)
{
    for (const char *s = text; *s && !paper_full(p);) {
        const char *end = strchrnul(s, '\n');

        paper_add(p, s, (size_t)(end - s));
        paper_end(p, (struct look){0});
        s = *end ? end + 1 : end;
    }
}

static bool has_picture(PopplerPage *page)
{
    GList *pictures = poppler_page_get_image_mapping(page);
    bool any = pictures != NULL;

    poppler_page_free_image_mapping(pictures);
    return any;
}

static size_t count_letters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += g_ascii_isalnum(*s) || (unsigned char)*s >= 0xC0;
    return n;
}

/* Returns how many letters there are. */
static size_t read_page(struct paper *p, PopplerDocument *d, int number)
{
    PopplerPage *page = poppler_document_get_page(d, number);
    char *text = page ? poppler_page_get_text(page) : NULL;
    size_t n = text ? count_letters(text) : 0;

    if (!page)
        paper_status(p, CONTENT_PART, "content.part.damaged");
    else if (text && number < CONTENT_PAGES)
        read_first_page(p, page, text);
    else if (text)
        read_later_page(p, text);
    if (page && n < SCAN_LETTERS && number == 0 && has_picture(page))
        p->content.flags |= CONTENT_IS_SCAN;
    g_free(text);
    if (page && number >= CONTENT_PAGES)
        g_object_unref(page);
    return n;
}

static void read_pages(struct paper *p, PopplerDocument *d)
{
    int pages = poppler_document_get_n_pages(d);
    size_t letters = 0;

    for (int i = 0; i < pages && !paper_full(p); i++) {
        if (paper_is_late()) {
            paper_status(p, CONTENT_PART, "content.part.slow");
            break;
        }
        letters += read_page(p, d, i);
        paper_page(p);
        if (i + 1 == CONTENT_PAGES || i + 1 == pages)
            p->content.flags &= letters >= SCAN_LETTERS ? ~(unsigned)CONTENT_IS_SCAN : ~0U;
    }
}

void parse_pdf(struct paper *p, const struct bytes *b)
{
    GError *error = NULL;
    PopplerDocument *d = open_bytes(b->p, b->n, &error);

    if (!d && error && g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED)) {
        p->content.flags |= CONTENT_IS_ENCRYPTED;
        paper_status(p, CONTENT_LOCKED, "content.locked.password");
    } else if (!d) {
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    } else {
        read_properties(p, d);
        if (p->content.pages == 0)
            paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
        read_pages(p, d);
    }
}

/* Reads it as any other, so that whatever is made or looked up at the first use is there. */
void pdf_prepare(void)
{
    /* Kept open: as long as there is one document, what all have in common stays. */
    PopplerDocument *d = open_bytes(empty, sizeof empty - 1, NULL);
    struct paper p;

    if (!d)
        return;
    paper_open(&p, -1);
    read_properties(&p, d);
    read_pages(&p, d);
}
