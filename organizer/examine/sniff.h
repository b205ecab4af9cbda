/*
 * sniff: what a document is, by our own look at it.
 *
 *   sniff()              signatures first, then by family:
 *     sniff_zip()        what lies in a ZIP: Office, OpenDocument, EPUB, Java, iWork, …
 *     sniff_ole()        what lies in a compound file: Word 97, Outlook, installers, …
 *     sniff_text()       whether it is text, and what is written in it
 *       sniff_mail()     header lines as real mail has them, mailboxes, saved web pages
 *
 * Everything is bounded by the source's budget and by counts of its own; input is hostile.
 * KIND_DATA means: not known here, ask libmagic.
 */
#ifndef ORGANIZER_EXAMINE_SNIFF_H
#define ORGANIZER_EXAMINE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examine/kind.h"
#include "examine/source.h"

/* KIND_DATA when it is none of those that are known here. */
enum kind sniff(struct source *s);

/* Starts with a local file header; KIND_ZIP when nothing more is known. */
enum kind sniff_zip(struct source *s);
/* Starts with the compound file's signature; KIND_OLE when nothing more is known. */
enum kind sniff_ole(struct source *s);
/* KIND_DATA when it is no text. */
enum kind sniff_text(struct source *s);

/* Text as one byte a character (others than Latin-1 as 0xBF), without byte order mark. */
struct text {
    const char *s; /* not NUL-terminated */
    size_t n;
    bool whole; /* the document ends here */
};

/* KIND_EML, KIND_MBOX, KIND_MHT, KIND_P7M, KIND_P7S, or KIND_DATA when it is no mail. */
enum kind sniff_mail(const struct text *t);
/* All of it (or, when it goes on, all so far) is JSON: an object or a list. */
bool sniff_is_json(const struct text *t);
/* Lines with the same number of the same separator. */
bool sniff_is_csv(const struct text *t);

#endif
