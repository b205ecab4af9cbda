#include "decide/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/rules_parts.h"

enum { NEAR = 2, WORD_MAX_BYTES = 64 };

/* --- finding --- */

struct type_rule *vocab_type(const struct rules *r, const char *name)
{
    AUTO_FREE char *folded = utf8_fold(name);

    for (size_t i = 0; i < r->types_len; i++)
        if (strcmp(r->types[i]->folded, folded) == 0)
            return r->types[i];
    return NULL;
}

const struct case_rule *vocab_case_type(const struct rules *r, const char *name, size_t n)
{
    AUTO_FREE char *copy = xmemdup0(name, n);
    AUTO_FREE char *folded = utf8_fold(copy);

    for (size_t i = 0; i < r->case_types_len; i++)
        for (const char **f = r->case_types[i]->folded; *f; f++)
            if (strcmp(*f, folded) == 0)
                return r->case_types[i];
    return NULL;
}

/* --- when all files are read --- */

static void resolve_addition(struct rules *r, const struct addition *a, struct problems *p)
{
    const struct type_rule *t = a->target ? vocab_type(r, a->target) : NULL;

    if (t) {
        a->index->v[a->phrase].owner = t;
        return;
    }
    p->errors++;
    str_addf(p->text, "%s: words for an unknown type \"%s\"\n", a->at, a->target);
}

static bool is_from_office(const struct phrase *p)
{
    return p->owner && ((const struct type_rule *)p->owner)->office;
}

/* Two types with the same words: the office's own counts; of one origin it is worth a word. */
static void settle_doubles(struct phrase_index *x, struct problems *p)
{
    for (size_t i = 0; i < x->len; i++)
        for (const struct phrase *q = phrases_same(x, &x->v[i], 0); q;
             q = phrases_same(x, &x->v[i], (size_t)(q - x->v) + 1)) {
            if (q->owner == x->v[i].owner || !q->owner || !x->v[i].owner)
                continue;
            if (is_from_office(&x->v[i]) && !is_from_office(q)) {
                phrases_hide(x, (size_t)(q - x->v));
            } else if (is_from_office(&x->v[i]) == is_from_office(q) && q < &x->v[i]) {
                p->warnings++;
                str_addf(p->text,
                         "%s: \"%s\" is also a word of another type, at %s: such a name "
                         "will be a question\n",
                         x->v[i].where, q->text, q->where);
            }
        }
}

void vocab_finish(struct rules *r, struct problems *p)
{
    for (size_t i = 0; i < r->additions_len; i++)
        resolve_addition(r, &r->additions[i], p);
    if (p->errors)
        return;
    settle_doubles(&r->words, p);
    title_words_learn(r);
}

void type_rule_free(struct type_rule *t)
{
    phrases_clear(&t->own);
    condition_free(t->when);
    free(t);
}

void case_rule_free(struct case_rule *c)
{
    const char *const *aliases = c->type.aliases, *const *keys = c->type.keys;

    cleanup_free(&aliases);
    cleanup_free(&keys);
    free(c->signals);
    free(c->folded);
    free(c);
}

/* --- lookups --- */

/* Bytes of the word itself: what stands behind a '-' is set aside ("Divorce-2024"). */
static size_t head_len(const char *word)
{
    size_t n = strcspn(word, "-");

    return n ? n : strlen(word);
}

const struct doc_type *rules_doc_type(const struct rules *r, const char *name)
{
    AUTO_FREE char *head = xmemdup0(name, head_len(name));
    const struct type_rule *t = vocab_type(r, head);

    return t ? &t->type : NULL;
}

const struct doc_type *rules_doc_type_at(const struct rules *r, size_t i)
{
    return i < r->types_len ? &r->types[i]->type : NULL;
}

const struct case_type *rules_case_type(const struct rules *r, const char *name)
{
    const struct case_rule *c = vocab_case_type(r, name, head_len(name));

    return c ? &c->type : NULL;
}

const struct case_type *rules_case_type_at(const struct rules *r, size_t i)
{
    return i < r->case_types_len ? &r->case_types[i]->type : NULL;
}

const char *const *rules_folders(const struct rules *r)
{
    return r->folders;
}

bool rules_is_standard_folder(const struct rules *r, const char *folder)
{
    for (size_t i = 0; i < r->folders_len; i++)
        if (strcmp(r->folders[i], folder) == 0)
            return true;
    return false;
}

/* --- near misses --- */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

size_t word_distance(const char *a, const char *b, size_t most)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[3][WORD_MAX_BYTES];

    if (n >= WORD_MAX_BYTES || m >= WORD_MAX_BYTES || (n > m ? n - m : m - n) > most)
        return most + 1;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[n % 3][m] > most ? most + 1 : row[n % 3][m];
}

/* Names found so far, nearest first. */
struct near {
    const char **out;
    size_t distance[32];
    size_t len, max;
};

/* Short words are near to everything: they may differ by less. */
static size_t allowance(const char *word)
{
    size_t n = strlen(word);

    return n < 4 ? n / 2 : n < 6 ? 1 : NEAR;
}

static void near_offer(struct near *near, const char *word, const char *other, const char *name)
{
    size_t d = word_distance(word, other, NEAR), at = near->len;

    if (d > allowance(word))
        return;
    for (size_t i = 0; i < near->len; i++)
        if (near->out[i] == name)
            return;
    while (at > 0 && near->distance[at - 1] > d)
        at--;
    if (at >= near->max)
        return;
    if (near->len < near->max)
        near->len++;
    for (size_t i = near->len - 1; i > at; i--) {
        near->out[i] = near->out[i - 1];
        near->distance[i] = near->distance[i - 1];
    }
    near->out[at] = name;
    near->distance[at] = d;
}

static struct near near_start(const char **out, size_t max)
{
    struct near near = {.out = out, .max = max > 32 ? 32 : max};

    return near;
}

/* Folded, and without the spaces that people put into "motion to dismis". */
static char *squeeze(const char *word)
{
    AUTO_FREE char *head = xmemdup0(word, head_len(word));
    char *folded = utf8_fold_plain(head), *to = folded;

    for (const char *from = folded; *from; from++)
        if (*from != ' ' && *from != '\'')
            *to++ = *from;
    *to = '\0';
    return folded;
}

size_t rules_near_doc_types(const struct rules *r, const char *word, const char **out, size_t max)
{
    AUTO_FREE char *key = squeeze(word);
    struct near near = near_start(out, max);

    for (size_t i = 0; i < r->types_len; i++)
        near_offer(&near, key, r->types[i]->folded, r->types[i]->type.name);
    for (size_t i = 0; i < r->words.len; i++) {
        const struct type_rule *t = r->words.v[i].owner;

        if (t && r->words.v[i].len == 1 && strlen(r->words.v[i].text) > 4)
            near_offer(&near, key, r->words.v[i].text, t->type.name);
    }
    return near.len;
}

/* Letters and digits alone, folded: "Family / divorce" is familydivorce. */
static char *letters_of(const char *text)
{
    char *folded = utf8_fold_plain(text), *to = folded;

    for (const char *from = folded; *from; from++)
        if ((unsigned char)*from >= 0x80 || (*from >= '0' && *from <= '9') ||
            (*from >= 'a' && *from <= 'z'))
            *to++ = *from;
    *to = '\0';
    return folded;
}

static bool same_letters(const char *letters, const char *text)
{
    AUTO_FREE char *other = letters_of(text);

    return *letters && strcmp(letters, other) == 0;
}

const struct case_type *rules_case_type_written(const struct rules *r, const char *text)
{
    const struct case_type *known = rules_case_type(r, text);
    AUTO_FREE char *letters = letters_of(text);

    for (size_t i = 0; !known && i < r->case_types_len; i++) {
        const struct case_rule *c = r->case_types[i];

        for (const char **f = c->folded; *f && !known; f++)
            known = same_letters(letters, *f) ? &c->type : NULL;
        if (!known && c->type.meaning && same_letters(letters, c->type.meaning))
            known = &c->type;
    }
    return known;
}

size_t rules_near_case_types(const struct rules *r, const char *word, const char **out, size_t max)
{
    AUTO_FREE char *key = squeeze(word);
    struct near near = near_start(out, max);

    for (size_t i = 0; i < r->case_types_len; i++)
        for (const char **f = r->case_types[i]->folded; *f; f++)
            near_offer(&near, key, *f, r->case_types[i]->type.name);
    return near.len;
}
