#include "decide/match_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261U;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619U;
    return h;
}

enum sort { SORT_NONE, SORT_LETTER, SORT_DIGIT };

static bool is_apostrophe(int32_t c)
{
    return c == '\'' || c == 0x2019 || c == 0x02BC || c == '`';
}

static enum sort sort_of(int32_t c)
{
    if (c >= 0 && c < 0x80) {
        if (c >= '0' && c <= '9')
            return SORT_DIGIT;
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? SORT_LETTER : SORT_NONE;
    }
    return utf8_is_word(c) ? SORT_LETTER : SORT_NONE;
}

static bool is_upper(int32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : utf8_is_upper(c);
}

/* Two letters that are not upper case stand at s: in "MSJBrief" a hump, in "NDAs" a plural. */
static bool has_tail(const char *s, const char *end)
{
    for (int i = 0; i < 2; i++) {
        int32_t c = s < end ? utf8_next(&s, end) : -1;

        if (sort_of(c) != SORT_LETTER || is_upper(c))
            return false;
    }
    return true;
}

/* The end of the word that starts at s with a letter or digit. */
static const char *word_end(const char *s, const char *end)
{
    int32_t last = utf8_next(&s, end);
    enum sort sort = sort_of(last);

    while (s < end) {
        const char *at = s;
        int32_t c = utf8_next(&s, end);

        if (sort == SORT_LETTER && (is_apostrophe(c) || c == '&')) {
            const char *peek = s;

            if (s < end && sort_of(utf8_next(&peek, end)) == SORT_LETTER)
                continue;
            return at;
        }
        if (sort_of(c) != sort)
            return at;
        if (sort == SORT_LETTER && is_upper(c) && (!is_upper(last) || has_tail(s, end)))
            return at;
        last = c;
    }
    return s;
}

static void add_folded(struct str *out, const char *s, const char *end)
{
    bool ascii = true;

    for (const char *p = s; p < end; p++)
        ascii &= (unsigned char)*p < 0x80;
    if (ascii) {
        for (; s < end; s++)
            if (*s != '\'' && *s != '`')
                str_addc(out, *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s);
    } else {
        AUTO_FREE char *copy = xmemdup0(s, (size_t)(end - s));
        AUTO_FREE char *folded = utf8_fold_plain(copy);
        const char *p = folded, *stop = folded + strlen(folded);

        while (p < stop) {
            const char *at = p;

            if (!is_apostrophe(utf8_next(&p, stop)))
                str_addn(out, at, (size_t)(p - at));
        }
    }
}

static void more_tokens(struct tokens *t)
{
    bool own = t->v == t->own;

    t->cap = grown(t->cap);
    t->v = xreallocarray(own ? NULL : t->v, t->cap, sizeof *t->v);
    if (own)
        memcpy(t->v, t->own, sizeof t->own);
}

static void add_token(struct tokens *t, const char *text, const char *s, const char *end)
{
    const char *peek = s;
    struct token k = {.text = t->text.len,
                      .start = (size_t)(s - text),
                      .end = (size_t)(end - text),
                      .capital = is_upper(utf8_next(&peek, end)),
                      .comma_after = *end == ','};

    for (const char *p = s; p > text && (p[-1] == ' ' || p[-1] == '(' || p[-1] == '['); p--)
        k.paren_before |= p[-1] != ' ';
    add_folded(&t->text, s, end);
    str_addc(&t->text, '\0'); /* first: a lone accent folds to nothing */
    k.hash = hash_of(t->text.s + k.text);
    if (t->len >= t->cap)
        more_tokens(t);
    t->v[t->len++] = k;
}

void tokens_read(struct tokens *t, const char *s, size_t max)
{
    const char *text = s, *end = s + strlen(s);

    if (!t->v) {
        t->v = t->own;
        t->cap = TOKENS_OWN;
        t->text = (struct str)STR_ON(t->room);
    }
    t->len = 0;
    str_reset(&t->text);
    while (s < end && t->len < max) {
        const char *at = s;

        if (sort_of(utf8_next(&s, end)) == SORT_NONE)
            continue;
        s = word_end(at, end);
        add_token(t, text, at, s);
    }
}

void tokens_clear(struct tokens *t)
{
    if (t->v != t->own)
        free(t->v);
    str_clear(&t->text);
    t->v = NULL;
    t->len = t->cap = 0;
}

const char *tokens_word(const struct tokens *t, size_t i)
{
    return t->text.s + t->v[i].text;
}

static void split_words(struct phrase *p, const struct tokens *t)
{
    struct str text = STR_INIT, split = STR_INIT;
    size_t at[PHRASE_WORDS] = {0};

    for (size_t i = 0; i < t->len; i++) {
        str_addf(&text, "%s%s", i ? " " : "", tokens_word(t, i));
        at[i] = split.len;
        str_addn(&split, tokens_word(t, i), strlen(tokens_word(t, i)) + 1);
    }
    p->text = str_detach(&text);
    p->split = str_detach(&split);
    for (size_t i = 0; i < t->len; i++)
        p->word[i] = p->split + at[i];
    p->len = t->len;
    p->hash = t->v[0].hash;
}

bool phrases_add(struct phrase_index *x, const char *text, const void *owner, bool weak,
                 const char *where)
{
    struct tokens t = TOKENS_INIT;
    struct phrase p = {.owner = owner, .weak = weak, .where = where};
    bool fits;

    tokens_read(&t, text, PHRASE_WORDS + 1);
    fits = t.len > 0 && t.len <= PHRASE_WORDS;
    if (fits) {
        uint32_t *head;

        split_words(&p, &t);
        head = &x->head[p.hash % PHRASE_BUCKETS];
        p.next = *head;
        GROW(x->v, x->len, x->cap);
        x->v[x->len++] = p;
        *head = (uint32_t)x->len;
    }
    tokens_clear(&t);
    return fits;
}

const struct phrase *phrases_same(const struct phrase_index *x, const struct phrase *p,
                                  size_t after)
{
    uint32_t i = after ? x->v[after - 1].next : x->head[p->hash % PHRASE_BUCKETS];

    for (; i; i = x->v[i - 1].next)
        if (&x->v[i - 1] != p && strcmp(x->v[i - 1].text, p->text) == 0)
            return &x->v[i - 1];
    return NULL;
}

void phrases_hide(struct phrase_index *x, size_t i)
{
    uint32_t *link = &x->head[x->v[i].hash % PHRASE_BUCKETS];

    while (*link && *link != i + 1)
        link = &x->v[*link - 1].next;
    if (*link)
        *link = x->v[i].next;
}

void phrases_clear(struct phrase_index *x)
{
    for (size_t i = 0; i < x->len; i++) {
        free(x->v[i].text);
        free(x->v[i].split);
    }
    free(x->v);
    *x = (struct phrase_index){0};
}

/* Words from to end - 1 of p stand at `at`. */
static bool words_stand(const struct phrase *p, const struct tokens *t, size_t at, size_t from,
                        size_t end)
{
    if (at + (end - from) > t->len)
        return false;
    for (size_t i = from; i < end; i++)
        if (strcmp(p->word[i], tokens_word(t, at + i - from)) != 0)
            return false;
    return true;
}

/* What a gap does not hold: the phrase's first word again, and what begins another thing. */
static bool ends_gap(const struct phrase *p, const struct tokens *t, size_t i)
{
    const char *word = tokens_word(t, i);

    return strcmp(word, p->word[0]) == 0 || strcmp(word, "for") == 0 || strcmp(word, "and") == 0 ||
           (strcmp(word, "to") == 0 && strcmp(tokens_word(t, i - 1), "pursuant") != 0);
}

/* The token behind the phrase when it stands at `at`; 0 when it does not. */
static size_t stands_at(const struct phrase *p, const struct tokens *t, size_t at)
{
    size_t head = p->gap ? p->gap : p->len;

    if (p->hash != t->v[at].hash || !words_stand(p, t, at, 0, head))
        return 0;
    if (!p->gap)
        return at + p->len;
    for (size_t i = at + head; i < t->len && i <= at + head + PHRASE_GAP; i++) {
        if (words_stand(p, t, i, head, p->len))
            return i + p->len - head;
        if (ends_gap(p, t, i))
            return 0;
    }
    return 0;
}

size_t phrases_find(const struct phrase_index *x, const struct tokens *t, struct hit *out,
                    size_t max)
{
    size_t n = 0;

    for (size_t at = 0; at < t->len; at++)
        for (uint32_t i = x->head[t->v[at].hash % PHRASE_BUCKETS]; i; i = x->v[i - 1].next) {
            const struct phrase *p = &x->v[i - 1];
            size_t end = n < max ? stands_at(p, t, at) : 0;

            if (end)
                out[n++] = (struct hit){p, at, end - 1};
        }
    return n;
}
