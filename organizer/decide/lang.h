/*
 * lang: every sentence that people read, from one file per language (rules/language/en.yaml).
 *
 * The file is a flat YAML mapping from a dotted key to a sentence; {name} is replaced by the
 * argument of that name. Lists (month names) are YAML sequences. Values are inserted as data: who
 * writes HTML, CSV or a terminal escapes the finished sentence.
 */
#ifndef ORGANIZER_DECIDE_LANG_H
#define ORGANIZER_DECIDE_LANG_H

#include <stddef.h>

struct error;
struct lang;

/* Reads the file at path. NULL with file:line:column in err. */
struct lang *lang_load(const char *path, struct error *err);
void lang_free(struct lang *l);
/* The sentence under key, borrowed; the key itself when it is missing (a test forbids that). */
const char *lang_get(const struct lang *l, const char *key);
/* The sentence with {name} replaced; arguments are name, value pairs ended by NULL. The caller
 * frees it. A NULL value counts as "". */
char *lang_format(const struct lang *l, const char *key, ...) __attribute__((sentinel));
/* The list under key, borrowed, ended by NULL; an empty list when it is missing. */
const char *const *lang_list(const struct lang *l, const char *key);

#endif
