/*
 * text: a text file as people's programs save it (Notepad, TextEdit, Word), as UTF-8.
 */
#ifndef ORGANIZER_CABINET_TEXT_H
#define ORGANIZER_CABINET_TEXT_H

#include <stddef.h>

struct str;

/*
 * Appends the n bytes as valid UTF-8 whose lines end in '\n': UTF-16 with a BOM, UTF-8 with or
 * without one, and, when it is not valid UTF-8, Windows-1252. CR LF and single CR end a line too.
 * Returns 0, or -1 when it is no text (NUL or other control characters); out then holds what came
 * before them.
 */
int text_decode(const void *bytes, size_t n, struct str *out);

#endif
