/*
 * answer: what a parser found, as one bounded record: written by the parser, checked by the
 * organizer as any input is. Counts and lengths are bounded, text is UTF-8 without controls, dates
 * exist, or the whole record is refused.
 */
#ifndef ORGANIZER_TEXT_ANSWER_H
#define ORGANIZER_TEXT_ANSWER_H

#include <stddef.h>

#include "decide/content.h"

#define ANSWER_TEXT       1000 /* bytes of one property */
#define ANSWER_LINE       2000 /* bytes of one line */
#define ANSWER_RECIPIENTS 200
#define ANSWER_THREAD     50
#define ANSWER_FILES      200 /* attachments */

struct str;

/* What content.why may be: the first is none. Keys of the language. */
extern const char *const answer_whys[];

/* Appends the record. What is over a bound is left out. */
void answer_write(struct str *out, const struct content *c);
/* Reads the n bytes of a record into c, which is to be cleared also after a failure. 0, or -1 for
 * what is none. */
int answer_read(struct content *c, const void *p, size_t n);

#endif
