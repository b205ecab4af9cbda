/* match_title: which document type the title on the first page tells. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/heading.h"
#include "decide/rules_parts.h"

/*
 * A title says first what the document is, and then what it is about: the phrase that starts first
 * tells the type, and of those that start there the one with most words ("MOTION TO DISMISS", not
 * "MOTION"). Words before it may say whose it is ("DEFENDANT'S", "JOINT", "CITY OF FAIRMONT'S"),
 * but not what it is about ("OBJECTION TO PROPOSED ORDER" is no proposed order: then the title
 * tells nothing). Words are compared without plural and possessive endings; what scanners break or
 * mistake is mended where only a word of some title can be meant.
 */
enum {
    TITLE_WORDS = 64,
    TITLE_HITS = 64,
    MENDED_LETTERS = 5, /* shorter words are not mended */
    STEM_LETTERS = 3,
};

/* A title in words. */
struct title {
    const char *folded;     /* what the tokens of `read` were taken from */
    struct tokens read;     /* as it stands there */
    struct tokens words;    /* mended, without endings */
    size_t at[TITLE_WORDS]; /* the token of `read` that word i ends with */
};

/* "interrogatories" and "Plaintiff's" without their s; "process" keeps its own. */
static void add_stem(struct str *out, const char *word)
{
    size_t n = strlen(word);

    if (n > STEM_LETTERS && word[n - 1] == 's' && word[n - 2] != 's' && word[n - 2] != 'u' &&
        word[n - 2] != 'i')
        n--;
    str_addn(out, word, n);
}

static void add_phrase_words(struct str *out, const char *text, size_t *words)
{
    AUTO_FREE char *folded = utf8_fold_plain(text);
    struct tokens t = TOKENS_INIT;

    tokens_read(&t, folded, PHRASE_WORDS + 1);
    for (size_t i = 0; i < t.len; i++) {
        str_add(out, out->len ? " " : "");
        add_stem(out, tokens_word(&t, i));
    }
    *words = t.len;
    tokens_clear(&t);
}

bool title_phrase_add(struct phrase_index *x, const char *text, const void *owner,
                      const char *where)
{
    const char *dots = strstr(text, "...");
    AUTO_FREE char *head = xmemdup0(text, dots ? (size_t)(dots - text) : strlen(text));
    AUTO_STR struct str words = STR_INIT;
    size_t first, rest = 0;

    add_phrase_words(&words, head, &first);
    if (dots)
        add_phrase_words(&words, dots + 3, &rest);
    if (first == 0 || (dots && rest == 0) || !phrases_add(x, str_c(&words), owner, false, where))
        return false;
    x->v[x->len - 1].gap = dots ? first : 0;
    return true;
}

/* --- mending --- */

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

void title_words_learn(struct rules *r)
{
    size_t cap = 0;

    for (size_t i = 0; i < r->titles.len; i++)
        for (size_t k = 0; k < r->titles.v[i].len; k++) {
            const char *word = r->titles.v[i].word[k];

            if (strlen(word) < MENDED_LETTERS)
                continue;
            GROW(r->title_words, r->title_words_len, cap);
            r->title_words[r->title_words_len++] = word;
        }
    if (r->title_words_len)
        qsort(r->title_words, r->title_words_len, sizeof *r->title_words, by_text);
}

static bool is_known(const struct rules *r, const char *word)
{
    return r->title_words_len && bsearch(&word, r->title_words, r->title_words_len,
                                         sizeof *r->title_words, by_text) != NULL;
}

/* Two letters that scanners take for each other. */
static bool look_alike(char a, char b)
{
    static const char *const pairs[] = {"il", "lt", "it", "ce", "uv", "un", "hb", "ft", "gq",
                                        "ao", "eo", "co", "nh", "ij", "rn", "db", "vy", "sz"};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if ((pairs[i][0] == a && pairs[i][1] == b) || (pairs[i][0] == b && pairs[i][1] == a))
            return true;
    return false;
}

/* The words differ in at most two letters that look alike. */
static bool is_misread(const char *word, const char *meant)
{
    int differ = 0;

    for (; *word && *meant; word++, meant++)
        if (*word != *meant && (!look_alike(*word, *meant) || ++differ > 2))
            return false;
    return !*word && !*meant;
}

/* The word of a title that is meant, or the word itself. */
static const char *mended(const struct rules *r, const char *word)
{
    const char *meant = NULL;

    if (strlen(word) < MENDED_LETTERS || is_known(r, word))
        return word;
    for (size_t i = 0; i < r->title_words_len; i++) {
        if (!is_misread(word, r->title_words[i]))
            continue;
        if (meant && strcmp(meant, r->title_words[i]) != 0)
            return word;
        meant = r->title_words[i];
    }
    return meant ? meant : word;
}

/* "MOT ION": two words that together are one of some title. */
static char *joined(const struct rules *r, const struct tokens *t, size_t i)
{
    struct str both = STR_INIT, stem = STR_INIT;

    if (i + 1 >= t->len)
        return NULL;
    str_addf(&both, "%s%s", tokens_word(t, i), tokens_word(t, i + 1));
    add_stem(&stem, str_c(&both));
    str_clear(&both);
    if (stem.len >= MENDED_LETTERS && is_known(r, mended(r, str_c(&stem))))
        return str_detach(&stem);
    str_clear(&stem);
    return NULL;
}

static void title_read(struct title *t, const struct rules *r, const char *folded)
{
    AUTO_STR struct str all = STR_INIT;
    size_t n = 0;

    *t = (struct title){.folded = folded, .read = TOKENS_INIT, .words = TOKENS_INIT};
    tokens_read(&t->read, folded, TITLE_WORDS);
    for (size_t i = 0; i < t->read.len; i++) {
        AUTO_STR struct str word = STR_INIT;
        AUTO_FREE char *both = NULL;

        add_stem(&word, tokens_word(&t->read, i));
        both = is_known(r, str_c(&word)) ? NULL : joined(r, &t->read, i);
        str_addf(&all, "%s%s", n ? " " : "", mended(r, both ? both : str_c(&word)));
        i += both != NULL;
        t->at[n++] = i;
    }
    tokens_read(&t->words, str_c(&all), TITLE_WORDS);
}

static void title_clear(struct title *t)
{
    tokens_clear(&t->read);
    tokens_clear(&t->words);
}

/* --- which phrase is the head --- */

static bool is_possessive(const struct title *t, size_t word)
{
    const struct token *k = &t->read.v[t->at[word]];
    const char *s = t->folded;

    for (size_t i = k->start; i <= k->end && s[i]; i++)
        if (s[i] == '\'' || strncmp(s + i, "\xE2\x80\x99", 3) == 0)
            return true;
    return false;
}

static bool is_among(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

/* The phrase says what the document is: no word before it says what it is about. */
static bool is_head(const struct rules *r, const struct title *t, const struct hit *h)
{
    if (h->first && is_possessive(t, h->first - 1))
        return true;
    for (size_t i = 0; i < h->first; i++)
        if (is_among(r->about, tokens_word(&t->words, i)))
            return false;
    return true;
}

/* a tells more of what the title is than b. */
static bool tells_more(const struct hit *a, const struct hit *b)
{
    if (a->first != b->first)
        return a->first < b->first;
    if (a->phrase->len != b->phrase->len)
        return a->phrase->len > b->phrase->len;
    return !a->phrase->gap && b->phrase->gap;
}

static struct type_match match_of(const struct title *t, const struct hit *h, const char *title)
{
    const struct type_rule *owner = h->phrase->owner;
    struct type_match m = {
        .type = &owner->type, .score = 1, .where = h->phrase->where, .by = "title"};
    size_t first = h->first ? t->at[h->first - 1] + 1 : 0, last = t->at[h->last];
    size_t start = t->read.v[first].start, n = t->read.v[last].end - start;

    /* Folding keeps the length of all but a few letters; then the folded words will do. */
    if (strlen(title) != strlen(t->folded))
        title = t->folded;
    n = utf8_cut(title + start, n, sizeof m.matched - 1);
    memcpy(m.matched, title + start, n);
    return m;
}

static void trace_title(struct str *trace, const char *title, const struct type_match *m, int n)
{
    str_addf(trace, "title \"%s\": ", title);
    if (n == 0)
        str_add(trace, "no type's\n");
    for (int i = 0; i < n; i++)
        str_addf(trace, "%s%s (%s, \"%s\")%s", i ? ", " : "", m[i].type->name, m[i].where,
                 m[i].matched, i + 1 == n ? "\n" : "");
}

int rules_match_title(const struct rules *r, const char *title, struct type_match *out, size_t max,
                      struct str *trace)
{
    AUTO_FREE char *folded = utf8_fold_plain(title);
    struct hit hits[TITLE_HITS];
    const struct hit *best = NULL;
    struct title t;
    size_t len;
    int n = 0;

    title_read(&t, r, folded);
    len = phrases_find(&r->titles, &t.words, hits, TITLE_HITS);
    for (size_t i = 0; i < len; i++)
        if (is_head(r, &t, &hits[i]) && (!best || tells_more(&hits[i], best)))
            best = &hits[i];
    if (best && !best->phrase->owner)
        best = NULL; /* words that mean no type */
    for (size_t i = 0; best && i < len && (size_t)n < max; i++)
        if (!tells_more(best, &hits[i]) && !tells_more(&hits[i], best) && hits[i].phrase->owner &&
            (n == 0 || hits[i].phrase->owner != best->phrase->owner))
            out[n++] = match_of(&t, &hits[i], title);
    if (trace)
        trace_title(trace, title, out, n);
    title_clear(&t);
    return n;
}
