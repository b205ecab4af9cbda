/*
 * json: writing JSON (RFC 8259) straight into a str; reading is jansson's.
 *
 * Names on disk are bytes. json_name() writes them so that nothing is lost: valid UTF-8 as a
 * string; anything else as the escaped text for people under key, and the exact bytes in
 * hex under key_hex. json_get_name() reads either.
 */
#ifndef ORGANIZER_BASE_JSON_H
#define ORGANIZER_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct str;

/* Appends s (valid UTF-8; invalid bytes become U+FFFD) as a quoted string. */
void json_quote(struct str *out, const char *s);
/* Members: each writes `"key":value`, with a comma first unless the last byte is '{' or '['. */
void json_text(struct str *out, const char *key, const char *value);
void json_num(struct str *out, const char *key, int64_t value);
void json_bool(struct str *out, const char *key, bool value);
void json_name(struct str *out, const char *key, const char *bytes);
/* A comma unless the last byte is '{', '[' or ',' or ':'. */
void json_comma(struct str *out);
/* `"key":` with its comma, for a value that the caller writes. */
void json_key(struct str *out, const char *key);

/* The bytes of a name written by json_name(), owned by the caller; NULL when there is none. */
char *json_get_name(const json_t *obj, const char *key);
/* A string member, borrowed; NULL when missing or not a string. */
const char *json_get_text(const json_t *obj, const char *key);
/* An integer member, or otherwise. */
int64_t json_get_num(const json_t *obj, const char *key, int64_t otherwise);

#endif
