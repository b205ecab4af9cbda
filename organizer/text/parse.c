#include "text/parse.h"

#include <glib.h>

#include "text/html.h"
#include "text/markup.h"
#include "text/ole.h"
#include "text/warm.h"

#define MARKUP (NEEDS_XML | NEEDS_CHARSETS)
#define OFFICE (NEEDS_ZIP | MARKUP)
#define OLE    (NEEDS_OLE | NEEDS_CHARSETS)
#define MAIL   (NEEDS_MAIL | MARKUP)

static const struct format {
    enum kind kind;
    void (*read)(struct paper *p, const struct bytes *b);
    unsigned needs; /* an OR of enum warm_needs */
} formats[] = {
    {KIND_PDF, parse_pdf, NEEDS_PDF},
    {KIND_DOCX, parse_docx, OFFICE},
    {KIND_DOCM, parse_docx, OFFICE},
    {KIND_DOTX, parse_docx, OFFICE},
    {KIND_XLSX, parse_xlsx, OFFICE},
    {KIND_XLSM, parse_xlsx, OFFICE},
    {KIND_XLSB, parse_xlsb, OFFICE},
    {KIND_PPTX, parse_pptx, OFFICE},
    {KIND_PPTM, parse_pptx, OFFICE},
    {KIND_ODT, parse_odf, OFFICE},
    {KIND_ODS, parse_odf, OFFICE},
    {KIND_ODP, parse_odf, OFFICE},
    {KIND_DOC, parse_doc, OLE},
    {KIND_XLS, parse_xls, OLE},
    {KIND_PPT, parse_ppt, OLE},
    {KIND_OLE, parse_ole, OLE},
    {KIND_EPUB, parse_epub, OFFICE},
    {KIND_RTF, parse_rtf, NEEDS_CHARSETS},
    {KIND_HTML, parse_html, MARKUP},
    {KIND_XML, parse_html, MARKUP},
    {KIND_TEXT, parse_plain, NEEDS_CHARSETS},
    {KIND_CSV, parse_plain, NEEDS_CHARSETS},
    {KIND_MARKDOWN, parse_plain, NEEDS_CHARSETS},
    {KIND_JSON, parse_plain, NEEDS_CHARSETS},
    {KIND_ICS, parse_plain, NEEDS_CHARSETS},
    {KIND_VCF, parse_plain, NEEDS_CHARSETS},
    {KIND_EML, parse_mail, MAIL},
    {KIND_MBOX, parse_mbox, MAIL},
    {KIND_MHT, parse_mht, MAIL},
    {KIND_MSG, parse_msg, NEEDS_OLE | MARKUP},
    {KIND_P7M, parse_sealed, MAIL},
    {KIND_PGP, parse_sealed, MAIL},
    {KIND_JPEG, parse_image, 0},
    {KIND_PNG, parse_image, 0},
    {KIND_TIFF, parse_image, 0},
    {KIND_GIF, parse_image, 0},
    {KIND_BMP, parse_image, 0},
    {KIND_WEBP, parse_image, 0},
    {KIND_HEIC, parse_image, 0},
};

static const struct format *format_of(enum kind k)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i].kind == k)
            return &formats[i];
    return NULL;
}

bool parse_knows(enum kind k)
{
    return format_of(k) != NULL;
}

unsigned parse_needs(enum kind k)
{
    const struct format *f = format_of(k);

    return f ? f->needs : 0;
}

/* Libraries' remarks about damaged documents go nowhere: GLib would ask what kind of thing standard
 * error is, which a parser may not. */
static GLogWriterOutput say_nothing(GLogLevelFlags level, const GLogField *fields, gsize n,
                                    gpointer data)
{
    (void)level;
    (void)fields;
    (void)n;
    (void)data;
    return G_LOG_WRITER_HANDLED;
}

void parse_prepare(void)
{
    g_log_set_writer_func(say_nothing, NULL, NULL);
    plain_prepare();
    markup_prepare();
    html_prepare();
    ole_prepare();
    mail_prepare();
    pdf_prepare();
}

void parse(struct paper *p, const struct bytes *b)
{
    const struct format *f = format_of(b->kind);

    if (kind_info(b->kind)->flags & KIND_IS_MACROS)
        p->content.flags |= CONTENT_HAS_MACROS;
    if (f)
        f->read(p, b);
    else
        p->content.status = CONTENT_NONE;
}
