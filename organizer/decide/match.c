/* match: which document type the facts tell. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/heading.h"
#include "decide/rules_parts.h"

/*
 * How hints in a name are weighed:
 *  1. A hint inside a longer one, or overlapping it, is none ("motion" in "motion to dismiss");
 *     neither is one after "Mr." or one that a type's `except:` takes out ("we will").
 *  2. A document's own type comes first: once a type was named, what follows "re", "to", "of",
 *     "enclosing" or an opening bracket is what it is about, and weighs less.
 *  3. Of what is left, a Letter, Exhibit, Opposition (`about_others:`) outweighs what it is about;
 *     a word that may be a person ("Order, Jane", the client) and a `weak:` word weigh less.
 *  4. Motion beside MotionToDismiss is the same said less exactly. What weighs the same is a tie.
 */
enum {
    WEIGHT_BASE = 1000,
    WEIGHT_HEAD = 1000,
    WEIGHT_STRONG = 400,
    WEIGHT_ABOUT_OTHERS = 200,
    WEIGHT_PERSON = -300,
    WEIGHT_CLIENT = -500,
    WEIGHT_LESS_EXACT = -50,
    HITS_MAX = 64,
    NAME_WORDS = 64,
};

/* A hint while it is weighed. */
struct hint {
    struct hit hit;
    const struct type_rule *type; /* NULL: `except:` words */
    const char *aside;            /* why it does not count; NULL when it does */
    const char *inside;           /* aside: the longer phrase */
    int weight;
};

struct weighing {
    const struct rules *rules;
    const struct facts *facts;
    const char *text;
    struct tokens tokens;
    struct hint hints[HITS_MAX];
    size_t len;
};

static bool is_in(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

static size_t span(const struct hint *h)
{
    return h->hit.last - h->hit.first + 1;
}

/* Longest first, then in the order of the name. */
static int by_length(const void *a, const void *b)
{
    const struct hint *x = a, *y = b;

    if (span(x) != span(y))
        return span(x) > span(y) ? -1 : 1;
    return x->hit.first < y->hit.first ? -1 : x->hit.first > y->hit.first;
}

static void find_hints(struct weighing *w, const struct phrase_index *index, size_t max)
{
    struct hit hits[HITS_MAX];

    tokens_read(&w->tokens, w->text, max);
    w->len = phrases_find(index, &w->tokens, hits, HITS_MAX);
    for (size_t i = 0; i < w->len; i++)
        w->hints[i] = (struct hint){.hit = hits[i], .type = hits[i].phrase->owner};
    if (w->len > 1)
        qsort(w->hints, w->len, sizeof *w->hints, by_length);
}

static bool overlap(const struct hint *a, const struct hint *b)
{
    return a->hit.first <= b->hit.last && b->hit.first <= a->hit.last;
}

static void set_covered_aside(struct weighing *w)
{
    for (size_t i = 1; i < w->len; i++)
        for (size_t k = 0; k < i && !w->hints[i].aside; k++)
            if (span(&w->hints[k]) > span(&w->hints[i]) && !w->hints[k].inside &&
                overlap(&w->hints[i], &w->hints[k])) {
                w->hints[i].aside = "part of";
                w->hints[i].inside = w->hints[k].hit.phrase->text;
            }
    for (size_t i = 0; i < w->len; i++) {
        struct hint *h = &w->hints[i];

        if (!h->aside && !h->type)
            h->aside = "an exception";
        if (!h->aside && h->hit.first > 0 &&
            is_in(w->rules->honorific, tokens_word(&w->tokens, h->hit.first - 1)))
            h->aside = "a person's name";
    }
}

/* Word i follows a type that counts, and is not inside its words; the last word of a type
 * ("responses to") and, after a bracket, the first is not inside. */
static bool follows_type(const struct weighing *w, size_t i, bool paren)
{
    bool follows = false;

    for (size_t k = 0; k < w->len; k++) {
        const struct hint *h = &w->hints[k];

        if (h->inside || (h->aside && h->type))
            continue;
        if (i >= h->hit.first + paren && i < h->hit.last)
            return false;
        follows |= h->type && !h->hit.phrase->weak && h->hit.first < i;
    }
    return follows;
}

/* The word from which on the name says what the document is about. */
static size_t find_about(const struct weighing *w)
{
    for (size_t i = 1; i < w->tokens.len; i++) {
        bool paren = w->tokens.v[i].paren_before;

        if (paren && follows_type(w, i, true))
            return i;
        if (is_in(w->rules->about, tokens_word(&w->tokens, i)) && follows_type(w, i, false))
            return i + 1;
    }
    return w->tokens.len;
}

static bool starts_hint(const struct weighing *w, size_t word)
{
    for (size_t i = 0; i < w->len; i++)
        if (w->hints[i].hit.first == word)
            return true;
    return false;
}

/* "Order, Jane": one word, a comma, and a capitalised word that says no type. */
static bool may_be_person(const struct weighing *w, const struct hint *h)
{
    size_t next = h->hit.last + 1;

    return span(h) == 1 && w->tokens.v[h->hit.first].comma_after && next < w->tokens.len &&
           w->tokens.v[next].capital && !starts_hint(w, next);
}

static bool has_word(const char *text, const char *word)
{
    struct tokens t = TOKENS_INIT;
    bool found = false;

    tokens_read(&t, text, NAME_WORDS);
    for (size_t i = 0; i < t.len; i++)
        found |= strcmp(tokens_word(&t, i), word) == 0;
    tokens_clear(&t);
    return found;
}

/* One word that is also the client's or a party's name. */
static bool names_party(const struct weighing *w, const struct hint *h)
{
    const struct case_facts *home = w->facts->home;
    const char *word = tokens_word(&w->tokens, h->hit.first);

    if (!home || span(h) != 1)
        return false;
    if (home->client && has_word(home->client, word))
        return true;
    for (const char *const *p = home->parties; p && *p; p++)
        if (has_word(*p, word))
            return true;
    return false;
}

static void weigh(struct weighing *w)
{
    size_t about = find_about(w);

    for (size_t i = 0; i < w->len; i++) {
        struct hint *h = &w->hints[i];

        if (h->aside)
            continue;
        h->weight = WEIGHT_BASE;
        h->weight += h->hit.first < about ? WEIGHT_HEAD : 0;
        h->weight += h->hit.phrase->weak ? 0 : WEIGHT_STRONG;
        h->weight += h->type->about_others ? WEIGHT_ABOUT_OTHERS : 0;
        if (w->len == 1)
            continue;
        h->weight += may_be_person(w, h) ? WEIGHT_PERSON : 0;
        h->weight += names_party(w, h) ? WEIGHT_CLIENT : 0;
    }
}

/* Every word of a's own name is one of b's, which has more: Motion, MotionToDismiss. */
static bool is_less_exact(const struct type_rule *a, const struct type_rule *b)
{
    const struct phrase *x = &a->own.v[0], *y = &b->own.v[0];

    if (x->len >= y->len)
        return false;
    for (size_t i = 0; i < x->len; i++) {
        bool found = false;

        for (size_t k = 0; k < y->len; k++)
            found |= strcmp(x->word[i], y->word[k]) == 0;
        if (!found)
            return false;
    }
    return true;
}

bool rules_less_exact(const struct rules *r, const struct doc_type *a, const struct doc_type *b)
{
    const struct type_rule *x = vocab_type(r, a->name), *y = vocab_type(r, b->name);

    return x && y && is_less_exact(x, y);
}

bool rules_of_any_kind(const struct rules *r, const struct doc_type *type)
{
    const struct type_rule *t = vocab_type(r, type->name);

    return t && t->of_any_kind;
}

static void prefer_exact(struct weighing *w)
{
    for (size_t i = 0; i < w->len; i++)
        for (size_t k = 0; k < w->len; k++)
            if (!w->hints[i].aside && !w->hints[k].aside &&
                w->hints[i].weight == w->hints[k].weight &&
                is_less_exact(w->hints[i].type, w->hints[k].type)) {
                w->hints[i].weight += WEIGHT_LESS_EXACT;
                break;
            }
}

static int by_weight(const void *a, const void *b)
{
    const struct hint *x = a, *y = b;

    if (!x->aside != !y->aside)
        return x->aside ? 1 : -1;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->hit.first < y->hit.first ? -1 : x->hit.first > y->hit.first;
}

static struct type_match match_of(const struct weighing *w, const struct hint *h)
{
    struct type_match m = {.type = &h->type->type,
                           .score = h->weight,
                           .start = w->tokens.v[h->hit.first].start,
                           .end = w->tokens.v[h->hit.last].end,
                           .where = h->hit.phrase->where,
                           .by = "name",
                           .weak = h->hit.phrase->weak};
    size_t n = utf8_cut(w->text + m.start, m.end - m.start, sizeof m.matched - 1);

    memcpy(m.matched, w->text + m.start, n);
    return m;
}

/* Best first, each type once. */
static int put_out(const struct weighing *w, struct type_match *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < w->len && !w->hints[i].aside && n < max; i++) {
        bool seen = false;

        for (size_t k = 0; k < n; k++)
            seen |= out[k].type == &w->hints[i].type->type;
        if (!seen)
            out[n++] = match_of(w, &w->hints[i]);
    }
    return (int)n;
}

static void trace_hints(const struct weighing *w, struct str *trace)
{
    for (size_t i = 0; i < w->len; i++) {
        const struct hint *h = &w->hints[i];

        str_addf(trace, "%s: %s: name matched \"%s\"", h->hit.phrase->where,
                 h->type ? h->type->type.name : "no type", h->hit.phrase->text);
        if (h->inside)
            str_addf(trace, ", set aside: %s \"%s\"\n", h->aside, h->inside);
        else if (h->aside)
            str_addf(trace, ", set aside: %s\n", h->aside);
        else
            str_addf(trace, ", weight %d\n", h->weight);
    }
    if (w->len == 0)
        str_addf(trace, "%zu types: no word of theirs is in the name\n", w->rules->types_len);
}

static int match_words(const struct rules *r, const struct facts *f, const char *text,
                       struct type_match *out, size_t max, struct str *trace)
{
    struct weighing w = {.rules = r, .facts = f, .text = text};
    int n;

    find_hints(&w, &r->words, NAME_WORDS);
    set_covered_aside(&w);
    weigh(&w);
    prefer_exact(&w);
    if (w.len > 1)
        qsort(w.hints, w.len, sizeof *w.hints, by_weight);
    n = put_out(&w, out, max);
    if (trace)
        trace_hints(&w, trace);
    tokens_clear(&w.tokens);
    return n;
}

/* The first type whose `when:` holds; behind one that cannot tell none is asked. */
static int match_when(const struct rules *r, const struct facts *f, bool first,
                      struct type_match *out, struct str *trace)
{
    for (size_t i = 0; i < r->types_len; i++) {
        const struct type_rule *t = r->types[i];
        const char *by = "";
        enum answer a;

        if (!t->when || t->when_first != first)
            continue;
        a = condition_answer(t->when, f, &by);
        if (trace) {
            str_addf(trace, "%s: %s: %s: ", t->type.where, t->type.name,
                     a == ANSWER_YES  ? "match"
                     : a == ANSWER_NO ? "no match"
                                      : "cannot tell");
            condition_describe(t->when, trace);
            str_addc(trace, '\n');
        }
        if (a == ANSWER_CANNOT_TELL)
            return -1;
        if (a == ANSWER_YES) {
            *out = (struct type_match){.type = &t->type,
                                       .score = 1,
                                       .where = t->type.where,
                                       .by = strcmp(by, "mime") == 0 ? "kind" : by};
            return 1;
        }
    }
    return 0;
}

int rules_match_when(const struct rules *r, const struct facts *f, struct type_match *out,
                     struct str *trace)
{
    int n = match_when(r, f, true, out, trace);

    return n ? n : match_when(r, f, false, out, trace);
}

int rules_match_name(const struct rules *r, const struct facts *f, const char *name,
                     struct type_match *out, size_t max, struct str *trace)
{
    return max ? match_words(r, f, name, out, max, trace) : 0;
}

int rules_match_said(const struct rules *r, const struct facts *f, struct type_match *out,
                     size_t max, struct str *trace)
{
    const struct heading *h = facts_heading(f);
    int n = match_when(r, f, true, out, trace);

    for (size_t i = 0; h && n == 0 && i < h->titles; i++)
        n = rules_match_title(r, h->title[i], out, max, trace);
    if (n == 0)
        n = match_when(r, f, false, out, trace);
    return n ? n : rules_match_text(r, f, out, max, trace);
}

int rules_match_type(const struct rules *r, const struct facts *f, const char *name,
                     struct type_match *out, size_t max, struct str *trace)
{
    int n;

    if (max == 0)
        return 0;
    n = match_words(r, f, name, out, max, trace);
    return n ? n : rules_match_said(r, f, out, max, trace);
}
