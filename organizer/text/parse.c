#include "text/parse.h"

#include "text/html.h"
#include "text/markup.h"
#include "text/ole.h"

static const struct format {
    enum kind kind;
    void (*read)(struct paper *p, const struct bytes *b);
} formats[] = {
    {KIND_PDF, parse_pdf},
    {KIND_DOCX, parse_docx},
    {KIND_DOCM, parse_docx},
    {KIND_DOTX, parse_docx},
    {KIND_XLSX, parse_xlsx},
    {KIND_XLSM, parse_xlsx},
    {KIND_XLSB, parse_xlsb},
    {KIND_PPTX, parse_pptx},
    {KIND_PPTM, parse_pptx},
    {KIND_ODT, parse_odf},
    {KIND_ODS, parse_odf},
    {KIND_ODP, parse_odf},
    {KIND_DOC, parse_doc},
    {KIND_XLS, parse_xls},
    {KIND_PPT, parse_ppt},
    {KIND_OLE, parse_ole},
    {KIND_RTF, parse_rtf},
    {KIND_HTML, parse_html},
    {KIND_XML, parse_html},
    {KIND_TEXT, parse_plain},
    {KIND_CSV, parse_plain},
    {KIND_MARKDOWN, parse_plain},
    {KIND_JSON, parse_plain},
    {KIND_ICS, parse_plain},
    {KIND_VCF, parse_plain},
    {KIND_EML, parse_mail},
    {KIND_MBOX, parse_mbox},
    {KIND_MHT, parse_mht},
    {KIND_MSG, parse_msg},
    {KIND_P7M, parse_sealed},
    {KIND_PGP, parse_sealed},
    {KIND_JPEG, parse_image},
    {KIND_PNG, parse_image},
    {KIND_TIFF, parse_image},
    {KIND_GIF, parse_image},
    {KIND_BMP, parse_image},
    {KIND_WEBP, parse_image},
    {KIND_HEIC, parse_image},
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

void parse_prepare(void)
{
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
