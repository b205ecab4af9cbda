#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"

static void quote_ascii(struct str *out, char c)
{
    switch (c) {
    case '"':
        str_add(out, "\\\"");
        break;
    case '\\':
        str_add(out, "\\\\");
        break;
    case '\n':
        str_add(out, "\\n");
        break;
    case '\t':
        str_add(out, "\\t");
        break;
    case '\r':
        str_add(out, "\\r");
        break;
    default:
        if ((unsigned char)c < 0x20 || c == 0x7F)
            str_addf(out, "\\u%04x", (unsigned char)c);
        else
            str_addc(out, c);
    }
}

/* How many bytes stand for themselves: most of what is written is nothing else. */
static size_t plain(const char *s)
{
    size_t n = 0;

    while (s[n] >= 0x20 && s[n] < 0x7F && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

/* The first n bytes of s stand for themselves. */
static void quote_plain(struct str *out, const char *s, size_t n)
{
    char *p;

    str_room(out, n + 2);
    p = out->s + out->len;
    *p++ = '"';
    p = mempcpy(p, s, n);
    *p++ = '"';
    *p = '\0';
    out->len += n + 2;
}

void json_quote(struct str *out, const char *s)
{
    size_t first = plain(s);
    const char *end;

    if (!s[first]) {
        quote_plain(out, s, first);
        return;
    }
    end = s + first + strlen(s + first);
    str_addc(out, '"');
    while (s < end) {
        const char *at = s;
        size_t n = plain(s);

        if (n > 0) {
            str_addn(out, s, n);
            s += n;
        } else if ((unsigned char)*s < 0x80) {
            quote_ascii(out, *s++);
        } else if (utf8_next(&s, end) < 0) {
            str_add(out, "\xEF\xBF\xBD");
        } else {
            str_addn(out, at, (size_t)(s - at));
        }
    }
    str_addc(out, '"');
}

void json_comma(struct str *out)
{
    char last = out->len ? out->s[out->len - 1] : '{';

    if (last != '{' && last != '[' && last != ',' && last != ':')
        str_addc(out, ',');
}

void json_key(struct str *out, const char *key)
{
    json_comma(out);
    json_quote(out, key);
    str_addc(out, ':');
}

void json_text(struct str *out, const char *key, const char *value)
{
    json_key(out, key);
    json_quote(out, value);
}

void json_num(struct str *out, const char *key, int64_t value)
{
    json_key(out, key);
    str_addi(out, value);
}

void json_bool(struct str *out, const char *key, bool value)
{
    json_key(out, key);
    str_add(out, value ? "true" : "false");
}

void json_name(struct str *out, const char *key, const char *bytes)
{
    size_t n = plain(bytes);

    if (!bytes[n]) {
        json_key(out, key);
        quote_plain(out, bytes, n);
        return;
    }
    n += strlen(bytes + n);
    if (utf8_valid(bytes, n)) {
        json_text(out, key, bytes);
        return;
    }
    AUTO_STR struct str shown = STR_INIT;
    char hexkey[64];

    utf8_show(&shown, bytes, n);
    json_text(out, key, str_c(&shown));
    snprintf(hexkey, sizeof hexkey, "%s_hex", key);
    json_key(out, hexkey);
    str_addc(out, '"');
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%02x", (unsigned char)bytes[i]);
    str_addc(out, '"');
}

static char *from_hex(const char *hex)
{
    size_t n = strlen(hex);
    char *out, pair[3] = "";

    if (n % 2)
        return NULL;
    out = xmalloc(n / 2 + 1);
    for (size_t i = 0; i < n / 2; i++) {
        char *end;

        memcpy(pair, hex + 2 * i, 2);
        out[i] = (char)strtoul(pair, &end, 16);
        if (*end || !out[i]) {
            free(out);
            return NULL;
        }
    }
    out[n / 2] = '\0';
    return out;
}

char *json_get_name(const json_t *obj, const char *key)
{
    char hexkey[64];
    const char *s;

    snprintf(hexkey, sizeof hexkey, "%s_hex", key);
    s = json_get_text(obj, hexkey);
    if (s)
        return from_hex(s);
    s = json_get_text(obj, key);
    return xstrdup(s);
}

const char *json_get_text(const json_t *obj, const char *key)
{
    return json_string_value(json_object_get(obj, key));
}

int64_t json_get_num(const json_t *obj, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(obj, key);

    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}
