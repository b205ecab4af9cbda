#include "search/stems.h"

#include <libstemmer.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define REMEMBERED  8192 /* a power of two */
#define REMEMBER_AT 23   /* longer words are rare */

struct remembered {
    uint8_t len, stem_len;
    char word[REMEMBER_AT], stem[REMEMBER_AT];
};

struct stems {
    struct sb_stemmer *stemmer;
    struct remembered kept[REMEMBERED];
};

struct stems *stems_new(void)
{
    struct stems *s = xcalloc(1, sizeof *s);

    s->stemmer = sb_stemmer_new("english", NULL);
    if (!s->stemmer)
        abort(); /* it knows English, and there was memory */
    return s;
}

void stems_free(struct stems *s)
{
    if (!s)
        return;
    sb_stemmer_delete(s->stemmer);
    free(s);
}

/* Numbers and what is not plain letters have no stem but themselves. */
static bool has_stem(const char *word, size_t len)
{
    if (len < 3)
        return false;
    for (size_t i = 0; i < len; i++)
        if (word[i] < 'a' || word[i] > 'z')
            return false;
    return true;
}

static struct remembered *slot(struct stems *s, const char *word, size_t len)
{
    uint32_t h = UINT32_C(2166136261);

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)word[i]) * UINT32_C(16777619);
    return &s->kept[(h ^ h >> 15) & (REMEMBERED - 1)];
}

const char *stems_of(struct stems *s, const char *word, size_t len, size_t *n)
{
    struct remembered *r;
    const char *stem;

    *n = len;
    if (!has_stem(word, len))
        return word;
    r = slot(s, word, len);
    if (r->len == len && memcmp(r->word, word, len) == 0) {
        *n = r->stem_len;
        return r->stem;
    }
    stem = (const char *)sb_stemmer_stem(s->stemmer, (const sb_symbol *)word, (int)len);
    if (!stem)
        return word;
    *n = (size_t)sb_stemmer_length(s->stemmer);
    if (len <= REMEMBER_AT && *n <= REMEMBER_AT) {
        r->len = (uint8_t)len;
        r->stem_len = (uint8_t)*n;
        memcpy(r->word, word, len);
        memcpy(r->stem, stem, *n);
    }
    return stem;
}
