#include "decide/name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"

enum { NAME_BYTES = 255, EXT_MAX = 8 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool is_control(int32_t c)
{
    return (c >= 0 && c < 0x20) || (c >= 0x7F && c < 0xA0);
}

/* COM1, LPT9, COM², at most: one digit or superscript behind the three letters. */
static bool is_port(const char *s, size_t n)
{
    if (n < 4 || (strncasecmp(s, "COM", 3) != 0 && strncasecmp(s, "LPT", 3) != 0))
        return false;
    if (n == 4)
        return is_digit(s[3]);
    return n == 5 &&
           (memcmp(s + 3, "¹", 2) == 0 || memcmp(s + 3, "²", 2) == 0 || memcmp(s + 3, "³", 2) == 0);
}

/* Windows takes these for devices whatever the extension is, and spaces before it too. */
static bool is_device(const char *name)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    size_t n = strcspn(name, ".");

    while (n > 0 && name[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (strlen(devices[i]) == n && strncasecmp(name, devices[i], n) == 0)
            return true;
    return is_port(name, n);
}

/* Why a character cannot stand in a name, or NULL. */
static const char *bad_character(int32_t c)
{
    if (c < 0)
        return "is not valid UTF-8";
    if (is_control(c))
        return "holds a control character";
    if (c < 0x80 && strchr("<>:\"/\\|?*", (int)c))
        return "holds one of < > : \" / \\ | ? *";
    return NULL;
}

const char *name_illegal(const char *name)
{
    size_t n = strlen(name);
    const char *end = name + n;

    if (n == 0)
        return "is empty";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "is a name that every folder has";
    if (n > NAME_BYTES)
        return "is longer than 255 bytes";
    for (const char *p = name; p < end;) {
        const char *why = bad_character(utf8_next(&p, end));

        if (why)
            return why;
    }
    if (name[0] == ' ')
        return "starts with a space";
    if (name[n - 1] == ' ')
        return "ends in a space";
    if (name[n - 1] == '.')
        return "ends in a dot";
    return is_device(name) ? "is the name of a device on Windows" : NULL;
}

static bool is_packing(const char *ext)
{
    static const char *const packings[] = {"gz", "bz2", "xz", "zst", "lz", "lzma", "z"};

    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (strcasecmp(ext, packings[i]) == 0)
            return true;
    return false;
}

size_t name_ext(const char *name)
{
    size_t n = strlen(name), dot = n;
    bool letter = false;

    while (dot > 0 && is_alnum(name[dot - 1])) {
        dot--;
        letter = letter || !is_digit(name[dot]);
    }
    if (dot < 2 || name[dot - 1] != '.' || dot == n || n - dot > EXT_MAX)
        return n;
    if (!letter && (n - dot != 3 || name[dot] != '0')) /* "10.04.20", "v2.1"; but "x.001" */
        return n;
    dot--;
    if (dot > 4 && is_packing(name + dot + 1) && strncasecmp(name + dot - 4, ".tar", 4) == 0)
        return dot - 4;
    return dot;
}

char *name_serial(const char *name, unsigned serial)
{
    size_t ext = name_ext(name);

    if (serial <= 1)
        return xstrdup(name);
    return xasprintf("%.*s_%02u%s", (int)ext, name, serial, name + ext);
}

/* What parts words: spaces of any kind, '_', '-' itself, brackets, commas, controls. */
static bool parts_words(int32_t c)
{
    if (is_control(c) || c == 0xA0 || c == 0x202F || c == 0x3000 || (c >= 0x2000 && c <= 0x200A))
        return true;
    return c > 0 && c < 0x80 && strchr(" _-()[]{},;", (int)c);
}

/* What no name may hold; at to end is the character c. */
static bool is_dropped(int32_t c, const char *at, const char *end)
{
    return bad_character(c) != NULL || (c >= 0x80 && utf8_deceptive(at, (size_t)(end - at)));
}

static void trim_end(struct str *out)
{
    while (out->len > 0 && strchr(".- ", out->s[out->len - 1]))
        str_cut(out, out->len - 1);
}

char *name_words(const char *words)
{
    AUTO_FREE char *nfc = utf8_nfc(words);
    const char *p = nfc, *end = nfc + strlen(nfc);
    char room[256];
    struct str out = STR_ON(room);
    bool gap = false;

    while (p < end) {
        const char *at = p;
        int32_t c = utf8_next(&p, end);

        if (parts_words(c)) {
            gap = true;
            continue;
        }
        if (is_dropped(c, at, p) || (c == '.' && out.len == 0))
            continue;
        if (gap && out.len > 0)
            str_addc(&out, '-');
        gap = false;
        str_addn(&out, at, (size_t)(p - at));
    }
    trim_end(&out);
    return str_detach(&out);
}

char *name_field(const char *text)
{
    return name_words(text);
}

bool name_same(const char *a, const char *b)
{
    const unsigned char *p = (const unsigned char *)a, *q = (const unsigned char *)b;
    AUTO_FREE char *fold_a = NULL;
    AUTO_FREE char *fold_b = NULL;

    while (*p && *p < 0x80 && *q < 0x80 && ascii_lower(*p) == ascii_lower(*q)) {
        p++;
        q++;
    }
    if (*p < 0x80 && *q < 0x80) {
        /* A combining mark may follow an ASCII letter: only a plain end or plain difference counts.
         */
        if (!*p && !*q)
            return true;
        if ((!*p || p[1] < 0x80) && (!*q || q[1] < 0x80))
            return false;
    }
    fold_a = utf8_fold(a);
    fold_b = utf8_fold(b);
    return strcmp(fold_a, fold_b) == 0;
}
