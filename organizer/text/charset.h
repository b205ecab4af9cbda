/*
 * charset: text in any encoding as UTF-8, by iconv(3).
 *
 * In the sandbox iconv knows only the character sets that were opened before: those that mail and
 * documents are written in, charset_prepare().
 */
#ifndef ORGANIZER_TEXT_CHARSET_H
#define ORGANIZER_TEXT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

struct str;

/* Opens what is wanted in the sandbox, for good. */
void charset_prepare(void);
/* Appends n bytes in the character set `name` as UTF-8; what is none becomes U+FFFD. False when
 * the set is not known: nothing is appended. */
bool charset_convert(struct str *out, const char *name, const void *p, size_t n);
/* The character set that plain text is most likely written in, and how many bytes at its start are
 * a mark of that: byte order marks, zeros where UTF-16 has them, valid UTF-8, what its language makes likely
 * (libuchardet), else Windows-1252. */
const char *charset_guess(const void *p, size_t n, size_t *mark);
/* Of a Windows code page number ("WINDOWS-1252"); NULL when there is none. */
const char *charset_of_codepage(unsigned number);

#endif
