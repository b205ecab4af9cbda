/*
 * html: writing pages in which everything from outside is data.
 *
 * Nothing but html_raw text of our own sources becomes markup. Text is escaped, controls,
 * bidirectional and zero-width characters and invalid bytes are shown as escapes; links are
 * relative and percent-encoded byte by byte, so that no name can be a scheme or a host.
 */
#ifndef ORGANIZER_PUBLISH_HTML_H
#define ORGANIZER_PUBLISH_HTML_H

#include "base/str.h"

struct lang;

/* Appends s as text: fit for element content and for attribute values in double quotes. */
void html_text(struct str *out, const char *s);
/* Appends s as text, isolated, so that right-to-left names do not reorder what is around them. */
void html_bdi(struct str *out, const char *s);
/* Appends ` name="value"`; name is ours. */
void html_attr(struct str *out, const char *name, const char *value);
/* Appends <tag class="class">text</tag>; class may be NULL, both are ours. */
void html_element(struct str *out, const char *tag, const char *class, const char *text);
/* Appends the relative reference to path: '/' between parts, everything else but unreserved
 * characters as %XX, "./" first. Takes any bytes. */
void html_href(struct str *out, const char *path);
/* Appends a link to path showing text (isolated). */
void html_link(struct str *out, const char *path, const char *text);

/* Appends everything up to and with <body>: language, Content-Security-Policy with the hashes of
 * the style (the shared one and `extra`, ours) and of the shared script, title, both. */
void html_begin(struct str *out, const struct lang *lang, const char *title, const char *extra);
/* Closes the page. */
void html_end(struct str *out);

#endif
