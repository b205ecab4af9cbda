/*
 * stems: which words are one. Stems are those of Snowball's English: "dismissed" and "dismissal" are
 * "dismiss".
 */
#ifndef ORGANIZER_SEARCH_STEMS_H
#define ORGANIZER_SEARCH_STEMS_H

#include <stddef.h>

/* What finds stems, and remembers those of frequent words. For one thread. */
struct stems;
struct stems *stems_new(void);
void stems_free(struct stems *s);
/* The stem of a folded word of len bytes; *n gets its length. Borrowed until the next call; may be
 * the word itself. */
const char *stems_of(struct stems *s, const char *word, size_t len, size_t *n);

#endif
