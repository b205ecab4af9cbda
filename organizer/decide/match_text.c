/* match_text: which document type the phrases of the first pages tell. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/heading.h"
#include "decide/rules_parts.h"

/* Words of other types stand in every legal text: one short phrase tells nothing, and what two
 * types have as much of is no answer either. */
enum {
    TEXT_WORDS = 1500,
    TEXT_HITS = 64,
    LONG_PHRASE = 4, /* words; it counts as two */
    ENOUGH = 2,
};

/* What stands for one type. */
struct tally {
    const struct type_rule *type;
    const struct hit *first;
    int count;
};

static bool counted_before(const struct hit *hits, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (hits[k].phrase == hits[i].phrase)
            return true;
    return false;
}

static size_t count_up(const struct hit *hits, size_t len, struct tally *all)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        size_t k = 0;

        if (counted_before(hits, i))
            continue;
        while (k < n && all[k].type != hits[i].phrase->owner)
            k++;
        if (k == n)
            all[n++] = (struct tally){.type = hits[i].phrase->owner, .first = &hits[i]};
        all[k].count += hits[i].phrase->len >= LONG_PHRASE ? 2 : 1;
    }
    return n;
}

/* The type with most, and enough, of its phrases; NULL when there is none or a second one. */
static const struct tally *most_of(const struct tally *all, size_t n)
{
    const struct tally *best = NULL;
    bool shared = false;

    for (size_t i = 0; i < n; i++) {
        if (!best || all[i].count > best->count) {
            best = &all[i];
            shared = false;
        } else if (all[i].count == best->count) {
            shared = true;
        }
    }
    return best && !shared && best->count >= ENOUGH ? best : NULL;
}

static void trace_text(struct str *trace, const struct tally *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_addf(trace, "%s: %s: its text holds \"%s\", counts %d of %d\n",
                 all[i].first->phrase->where, all[i].type->type.name, all[i].first->phrase->text,
                 all[i].count, ENOUGH);
    if (n == 0)
        str_add(trace, "no phrase of a type is in its text\n");
}

int rules_match_text(const struct rules *r, const struct facts *f, struct type_match *out,
                     size_t max, struct str *trace)
{
    const struct heading *h = facts_heading(f);
    struct hit hits[TEXT_HITS];
    struct tally all[TEXT_HITS] = {{0}};
    struct tokens words = TOKENS_INIT;
    const struct tally *best;
    size_t n;

    if (!h || !h->text || max == 0)
        return 0;
    tokens_read(&words, h->text, TEXT_WORDS);
    n = count_up(hits, phrases_find(&r->texts, &words, hits, TEXT_HITS), all);
    best = most_of(all, n);
    if (trace)
        trace_text(trace, all, n);
    if (best) {
        size_t start = words.v[best->first->first].start;
        size_t len = words.v[best->first->last].end - start;

        *out = (struct type_match){.type = &best->type->type,
                                   .score = best->count,
                                   .where = best->first->phrase->where,
                                   .by = "text"};
        memcpy(out->matched, h->text + start,
               utf8_cut(h->text + start, len, sizeof out->matched - 1));
        for (char *p = out->matched; (p = strchr(p, '\n'));)
            *p = ' ';
    }
    tokens_clear(&words);
    return best ? 1 : 0;
}
