/*
 * name: names that are legal on Windows, macOS and Linux, fit, and do not collide.
 */
#ifndef ORGANIZER_DECIDE_NAME_H
#define ORGANIZER_DECIDE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Why a name is not legal everywhere ("ends in a dot", "CON is a device on Windows"), or NULL.
 * Borrowed, a constant. Takes any bytes. */
const char *name_illegal(const char *name);
/* Splits off the extension: the bytes after the last dot, when 1 to 8 ASCII letters or digits and
 * not everything; "tar.gz" counts as one. Digits alone are none ("10.04.20", "v2.1") but for three
 * that start with 0 ("x.001"). Returns the offset of the dot, or strlen(name). */
size_t name_ext(const char *name);
/* name with "_02" … "_99", "_100" put before the extension; serial 1 gives name itself. */
char *name_serial(const char *name, unsigned serial);
/* Words joined by '-': spaces, underscores, brackets, commas, semicolons and controls become '-';
 * other illegal, bidirectional and zero-width characters go; '-' runs collapse; no '-' or dot at
 * either end; NFC of valid UTF-8. The caller frees it; "" when nothing is left. */
char *name_words(const char *words);
/* One field (client or case type as people write it: "O'Brien", "van der Berg") as it stands in a
 * prefix: no spaces or '_' ("vanderBerg" is accepted, "van-der-Berg" is made), legal, NFC. */
char *name_field(const char *text);
/* True when two names are the same for a person on Windows or macOS (utf8_fold). */
bool name_same(const char *a, const char *b);

#endif
