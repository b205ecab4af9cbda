/*
 * utf8: names are bytes; these say what people see in them (Unicode by utf8proc).
 */
#ifndef ORGANIZER_BASE_UTF8_H
#define ORGANIZER_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

/* Valid UTF-8 (RFC 3629: no surrogates, nothing overlong) without NUL. */
bool utf8_valid(const char *s, size_t n);
/* The next code point at *s (before end), or -1 for an invalid byte; *s moves on by 1 or more. */
int32_t utf8_next(const char **s, const char *end);
/* Appends code point c. */
void utf8_put(struct str *out, int32_t c);
/* NFC of valid UTF-8, owned by the caller. Invalid input is returned as a plain copy. */
char *utf8_nfc(const char *s);
/*
 * The key under which two names count as the same for people on Windows and macOS: NFC, case
 * folded (full folding), NFC again. Owned by the caller. Invalid bytes stay as they are.
 */
char *utf8_fold(const char *s);
/* As utf8_fold, and accents removed: for finding "Muller" when "Müller" is meant. */
char *utf8_fold_plain(const char *s);
/*
 * What is shown on terminals and in logs: valid printable text as it is; controls, DEL, C1, bidi
 * controls (U+061C, U+200E-F, U+202A-E, U+2066-9), zero-width characters, and invalid bytes as
 * \xHH or \u{HHHH}; a backslash as \\.
 */
void utf8_show(struct str *out, const char *s, size_t n);
/* Has bidi controls or zero-width characters (U+200B-D, U+2060, U+FEFF, U+00AD): a question. */
bool utf8_deceptive(const char *s, size_t n);
/* The largest length <= max at which s can be cut without splitting a character. */
size_t utf8_cut(const char *s, size_t n, size_t max);
/* Number of code points, an invalid byte counting as one. */
size_t utf8_count(const char *s, size_t n);
/* Letter or digit (Unicode L*, N*, or M* combining marks). */
bool utf8_is_word(int32_t c);
/* Simple lower case of one code point. */
int32_t utf8_lower(int32_t c);
bool utf8_is_upper(int32_t c);

#endif
