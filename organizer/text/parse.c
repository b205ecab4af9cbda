#include "text/parse.h"

#include "text/markup.h"

static const struct format {
    enum kind kind;
    void (*read)(struct paper *p, const struct bytes *b);
} formats[] = {
    {KIND_PDF, parse_pdf},
    {KIND_DOCX, parse_docx},
    {KIND_DOCM, parse_docx},
    {KIND_DOTX, parse_docx},
    {KIND_TEXT, parse_plain},
    {KIND_CSV, parse_plain},
    {KIND_MARKDOWN, parse_plain},
    {KIND_JSON, parse_plain},
    {KIND_ICS, parse_plain},
    {KIND_VCF, parse_plain},
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
