#include "search/words.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

#define APOSTROPHE  0x2019
#define SOFT_HYPHEN 0xAD

/* The lower-case letter or the digit; 0 for what separates words. */
static inline char ascii_word(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return (char)c;
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : 0;
}

/* What a byte is to words_skip(), which goes through whole texts: one bit for each of ASCII. The
 * apostrophe, and what is not ASCII, is neither. */
static inline bool is_plain_word(unsigned char c)
{
    static const uint64_t letters_digits[4] = {UINT64_C(0x03FF000000000000),
                                               UINT64_C(0x07FFFFFE07FFFFFE), 0, 0};

    return letters_digits[c >> 6] >> (c & 63) & 1;
}

static inline bool is_plain_gap(unsigned char c)
{
    static const uint64_t others[4] = {UINT64_C(0xFC00FF7FFFFFFFFF), UINT64_C(0xF8000001F8000001), 0, 0};

    return others[c >> 6] >> (c & 63) & 1;
}

/* Characters of scripts without spaces between words. */
static bool stands_alone(int32_t c)
{
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

void words_begin(struct words *w, const char *s, size_t n)
{
    w->begin = w->at = s;
    w->end = s + n;
    w->len = w->start = w->stop = 0;
}

/* Skips what separates words. */
static bool find_start(struct words *w)
{
    while (w->at < w->end) {
        const char *next = w->at;

        if (!(*w->at & 0x80)) {
            if (ascii_word((unsigned char)*w->at))
                return true;
            w->at++;
            continue;
        }
        if (utf8_is_word(utf8_next(&next, w->end)))
            return true;
        w->at = next;
    }
    return false;
}

static void put(struct words *w, char c)
{
    if (w->len < WORD_MAX)
        w->word[w->len++] = c;
}

/* Appends c folded: plain, without marks. */
static void put_folded(struct words *w, int32_t c)
{
    utf8proc_int32_t parts[16];
    utf8proc_uint8_t bytes[4];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(c, parts, 16,
                                (utf8proc_option_t)(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                                    UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK),
                                &boundary);

    for (utf8proc_ssize_t i = 0; i < n && i < 16; i++) {
        size_t len = (size_t)utf8proc_encode_char(parts[i], bytes);

        if (!utf8_is_word(parts[i]) || w->len + len > WORD_MAX)
            continue;
        memcpy(w->word + w->len, bytes, len);
        w->len += len;
    }
}

/* An apostrophe that a letter follows belongs to the word. */
static bool goes_on(const struct words *w, const char *next)
{
    return next < w->end && (*next & 0x80 ? utf8_is_word(utf8_next(&next, w->end))
                                          : ascii_word((unsigned char)*next) != 0);
}

/* One character that is not ASCII; false when the word ends before it. */
static bool take_wide(struct words *w, size_t *apostrophe)
{
    const char *next = w->at;
    int32_t c = utf8_next(&next, w->end);

    if (c == APOSTROPHE && goes_on(w, next)) {
        *apostrophe = w->len;
    } else if (stands_alone(c)) {
        if (w->at > w->begin + w->start)
            return false;
        put_folded(w, c);
        w->at = next;
        return false;
    } else if (utf8_is_word(c)) {
        put_folded(w, c);
    } else if (c != SOFT_HYPHEN) {
        return false;
    }
    w->at = next;
    return true;
}

static void take(struct words *w)
{
    size_t apostrophe = SIZE_MAX;

    w->len = 0;
    w->start = (size_t)(w->at - w->begin);
    while (w->at < w->end) {
        char c = *w->at & 0x80 ? 0 : ascii_word((unsigned char)*w->at);

        if (c) {
            put(w, c);
            w->at++;
        } else if (*w->at & 0x80) {
            if (!take_wide(w, &apostrophe))
                break;
        } else if (*w->at == '\'' && goes_on(w, w->at + 1)) {
            apostrophe = w->len;
            w->at++;
        } else {
            break;
        }
    }
    w->stop = (size_t)(w->at - w->begin);
    if (w->len > 1 && apostrophe == w->len - 1 && w->word[apostrophe] == 's')
        w->len--;
    w->word[w->len] = '\0';
}

bool words_next(struct words *w)
{
    do {
        if (!find_start(w))
            return false;
        take(w);
    } while (w->len == 0); /* nothing but marks */
    return true;
}

/* Goes on behind so many words of plain letters and digits, as long as there is nothing else; returns how
 * many there were. The last byte is never looked at: a word may end there in many ways. */
static size_t skip_plain(struct words *w, size_t count)
{
    const unsigned char *p = (const unsigned char *)w->at, *word;
    const unsigned char *last = (const unsigned char *)w->end - 1;
    size_t n = 0;

    while (n < count) {
        while (p < last && is_plain_gap(*p))
            p++;
        word = p;
        while (p < last && is_plain_word(*p))
            p++;
        if (p >= last || p == word || !is_plain_gap(*p)) {
            p = word;
            break;
        }
        n++;
    }
    w->at = (const char *)p;
    return n;
}

bool words_skip(struct words *w, size_t count)
{
    while (count > 0) {
        if (w->at < w->end)
            count -= skip_plain(w, count);
        if (count == 0)
            break;
        if (!words_next(w))
            return false;
        count--;
    }
    return true;
}

bool words_any(const char *s, size_t n)
{
    struct words w;

    words_begin(&w, s, n);
    return words_next(&w);
}
