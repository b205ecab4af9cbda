/*
 * parse: the formats: for each kind of document who reads it.
 *
 * A parser gets the whole document as memory and writes on a paper. It runs in a process of its
 * own, which opens nothing, so what it will want is opened before: parse_prepare().
 */
#ifndef ORGANIZER_TEXT_PARSE_H
#define ORGANIZER_TEXT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examine/kind.h"
#include "text/paper.h"

/* A document. */
struct bytes {
    const uint8_t *p;
    size_t n;
    enum kind kind;
};

/* Documents of this kind say something that can be read. */
bool parse_knows(enum kind k);
/* What its parser needs of the libraries: an OR of enum warm_needs. */
unsigned parse_needs(enum kind k);
/* Once, before the sandbox: character sets, fonts, tables of libraries. */
void parse_prepare(void);
/* Reads the document; what it is worth stands in p->content.status. */
void parse(struct paper *p, const struct bytes *b);

/* The parsers, one file each. */
void parse_plain(struct paper *p, const struct bytes *b);
void parse_pdf(struct paper *p, const struct bytes *b);
void parse_docx(struct paper *p, const struct bytes *b);
void parse_xlsx(struct paper *p, const struct bytes *b);
void parse_xlsb(struct paper *p, const struct bytes *b);
void parse_pptx(struct paper *p, const struct bytes *b);
void parse_epub(struct paper *p, const struct bytes *b);
void parse_odf(struct paper *p, const struct bytes *b);
void parse_doc(struct paper *p, const struct bytes *b);
void parse_xls(struct paper *p, const struct bytes *b);
void parse_ppt(struct paper *p, const struct bytes *b);
void parse_ole(struct paper *p, const struct bytes *b);
void parse_rtf(struct paper *p, const struct bytes *b);
void parse_html(struct paper *p, const struct bytes *b);
void parse_mail(struct paper *p, const struct bytes *b);
void parse_mbox(struct paper *p, const struct bytes *b);
void parse_mht(struct paper *p, const struct bytes *b);
void parse_msg(struct paper *p, const struct bytes *b);
void parse_sealed(struct paper *p, const struct bytes *b);
void parse_image(struct paper *p, const struct bytes *b);

/* What they want opened. */
void plain_prepare(void);
void pdf_prepare(void);
void mail_prepare(void);

#endif
