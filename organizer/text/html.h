/* html: the text of web pages, also of those inside other documents. */
#ifndef ORGANIZER_TEXT_HTML_H
#define ORGANIZER_TEXT_HTML_H

#include "text/parse.h"

/* Reads n bytes of HTML in UTF-8. title (may be NULL) gets the page's own. */
void html_read(struct paper *p, const char *utf8, size_t n, char **title);
void html_prepare(void);

#endif
