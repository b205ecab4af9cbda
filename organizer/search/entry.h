/* entry: what of a document's row and content is found by which words. */
#ifndef ORGANIZER_SEARCH_ENTRY_H
#define ORGANIZER_SEARCH_ENTRY_H

#include "search/catalogue.h"

struct content;

/* What the document is found by besides its text: its file's name, that name's and its type's words
 * ("MotionToDismiss" is Motion To Dismiss), and the name that it was dropped under. Caller frees.
 */
char *entry_name(const struct doc *d);
/* Fills the entry's title, subject, sender and people from the content, which may be NULL. */
void entry_take(struct catalogue_entry *e, const struct content *content);

#endif
