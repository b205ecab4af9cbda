/* Whose document it is: contradictions with the case it lies in, and the way from the office's
 * Inbox to a case. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/decide_ctx.h"
#include "decide/match_words.h"
#include "decide/name.h"

enum { SHARED_BY_MANY = 3, MAX_CHOICES = 8, MAX_WORDS = 48 };

static bool is_prefix(const struct route_hit *h)
{
    return h->kind == ROUTE_PREFIX || h->kind == ROUTE_FORMER;
}

static bool is_person(const struct route_hit *h)
{
    return h->kind == ROUTE_CLIENT || h->kind == ROUTE_PARTY;
}

/* The hit's words, owned by the caller. */
static char *hit_text(const struct ctx *c, const struct route_hit *h)
{
    return xmemdup0(c->stem + h->start, h->end - h->start);
}

/* Where the name's own words begin. */
static size_t first_word(const struct ctx *c)
{
    return strspn(c->stem, " _-([");
}

/* The longest prefix that the name starts with; a present one before a former one. NULL when it
 * starts with none. *many says that other cases have the same. */
static const struct route_hit *leading_prefix(const struct ctx *c, bool *many)
{
    const struct route_hit *best = NULL;

    *many = false;
    for (size_t i = 0; i < c->hits_len; i++) {
        const struct route_hit *h = &c->hits[i];

        if (!is_prefix(h) || h->start > first_word(c) || !ctx_is_whole_prefix(c, h))
            continue;
        if (!best || h->end > best->end || (h->end == best->end && h->kind < best->kind)) {
            best = h;
            *many = false;
        } else if (h->end == best->end && h->kind == best->kind && h->matter != best->matter) {
            *many = true;
        }
    }
    return best;
}

static bool hit_of(const struct ctx *c, const struct case_facts *matter, const struct route_hit *at)
{
    for (size_t i = 0; i < c->hits_len; i++) {
        const struct route_hit *h = &c->hits[i];

        if (h->matter == matter && h->start <= at->start && h->end >= at->end)
            return true;
    }
    return false;
}

static bool has_number(const struct ctx *c, const struct case_facts *matter)
{
    for (size_t i = 0; i < c->hits_len; i++)
        if (c->hits[i].matter == matter && c->hits[i].kind == ROUTE_DOCKET)
            return true;
    return false;
}

/* Words that many names share: "Globex Corp" is not "Acme Corp", nor "van der Meer" "van der Berg".
 */
static bool is_shared_word(const char *word)
{
    static const char *const shared[] = {
        "and",   "bank",     "city",  "co",     "company", "corp",   "corporation", "county",
        "del",   "der",      "des",   "estate", "gmbh",    "group",  "inc",         "insurance",
        "las",   "llc",      "llp",   "los",    "ltd",     "matter", "plc",         "san",
        "saint", "services", "state", "the",    "trust",   "united", "van",         "von",
    };

    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (strcmp(word, shared[i]) == 0)
            return true;
    return false;
}

/* A word of the person's or firm's name stands in the document's name by itself. */
static bool has_word_of(const struct ctx *c, const struct tokens *words, const char *name)
{
    struct tokens t = TOKENS_INIT;
    bool found = false;
    size_t start, end;

    tokens_read(&t, name ? name : "", MAX_WORDS);
    for (size_t i = 0; i < t.len && !found; i++) {
        const char *word = tokens_word(&t, i);

        found = strlen(word) >= 3 && !is_shared_word(word) &&
                route_find_key(c->stem, words, word, &start, &end);
    }
    tokens_clear(&t);
    return found;
}

/* The name speaks of the case itself: by anything it is found by, or by a part of its client's or
 * a party's name. */
static bool speaks_of(const struct ctx *c, const struct case_facts *matter)
{
    struct tokens words = TOKENS_INIT;
    bool found = false;

    for (size_t i = 0; i < c->hits_len; i++)
        if (c->hits[i].matter == matter)
            return true;
    tokens_read(&words, c->stem, MAX_WORDS);
    found = has_word_of(c, &words, matter->client);
    for (const char *const *p = matter->parties; !found && p && *p; p++)
        found = has_word_of(c, &words, *p);
    tokens_clear(&words);
    return found;
}

/* A person or firm that tells cases apart: no word of the vocabulary, no insurer in every case. */
static bool tells_apart(const struct ctx *c, const struct route_hit *h)
{
    AUTO_FREE char *text = NULL;
    size_t sharing = 0;

    for (size_t i = 0; i < c->hits_len; i++)
        sharing += c->hits[i].start == h->start && c->hits[i].end == h->end;
    if (h->kind == ROUTE_PARTY && sharing > SHARED_BY_MANY)
        return false;
    text = hit_text(c, h);
    return strpbrk(text, " _-") || !ctx_is_vocabulary(c, text);
}

/* What in the name belongs to another case than home, or NULL. */
static const struct route_hit *foreign_number(const struct ctx *c, const struct case_facts *home)
{
    bool own_prefix = ctx_prefix_length(c, home) > 0;

    for (size_t i = 0; i < c->hits_len; i++) {
        const struct route_hit *h = &c->hits[i];

        if (h->matter == home || hit_of(c, home, h))
            continue;
        if (h->kind == ROUTE_DOCKET && !has_number(c, home))
            return h;
        if ((h->kind == ROUTE_MATTER || is_prefix(h)) && !own_prefix)
            return h;
    }
    return NULL;
}

static const struct route_hit *foreign_person(const struct ctx *c, const struct case_facts *home)
{
    const struct route_hit *found = NULL;

    for (size_t i = 0; i < c->hits_len && !found; i++)
        if (is_person(&c->hits[i]) && c->hits[i].matter != home && tells_apart(c, &c->hits[i]))
            found = &c->hits[i];
    return found && !speaks_of(c, home) ? found : NULL;
}

/* The name is one by the convention, with a case type that there is, and the prefix is not the
 * case's. "Notes_on_meeting_2026-03-02" is none: there is no case type "on". */
static bool has_foreign_prefix(const struct ctx *c, const struct case_facts *home)
{
    return c->parsed && c->said_type && !ctx_prefix_is_of(c, home) &&
           ctx_prefix_length(c, home) == 0 && !ctx_is_vocabulary(c, c->parts.client);
}

static enum row_answer other_case(struct ctx *c, const struct route_hit *h)
{
    AUTO_FREE char *text = hit_text(c, h);
    enum row_answer answer;

    c->why = text;
    c->other = ctx_case_label(c, h->matter);
    ctx_candidate(c, c->other);
    answer = ctx_conclude(c, ACTION_LIST, REASON_OTHER_CASE, NULL);
    c->why = NULL;
    return answer;
}

enum row_answer row_other_case(struct ctx *c)
{
    const struct case_facts *home = c->f->home;
    const struct route_hit *h, *leading;
    bool many;

    if (!home || !c->valid)
        return ctx_pass(c, home ? "its name cannot be read" : "it lies in no case yet");
    leading = leading_prefix(c, &many);
    if (leading && leading->matter != home && !hit_of(c, home, leading))
        return other_case(c, leading);
    h = foreign_number(c, home);
    if (!h && !leading && !has_foreign_prefix(c, home))
        h = foreign_person(c, home);
    if (h)
        return other_case(c, h);
    if (has_foreign_prefix(c, home)) {
        c->why = c->said_prefix;
        c->other = c->said_prefix;
        return ctx_conclude(c, ACTION_LIST, REASON_OTHER_CASE, "no-such-case");
    }
    return ctx_pass(c, "nothing in its name belongs to another case than %s", home->prefix);
}

/* --- the office's Inbox --- */

static enum row_answer routed(struct ctx *c, const struct route_hit *h, const char *by)
{
    AUTO_FREE char *text = hit_text(c, h);

    if (said_otherwise(c, h->matter))
        return ctx_conclude(c, ACTION_LIST, REASON_WHICH_CASE, "candidates");
    c->target = h->matter;
    return ctx_pass(c, "it belongs to %s by its %s \"%s\"", ctx_case_label(c, h->matter), by, text);
}

/* The one case that the name's numbers of this kind tell, or NULL; *many: they tell several. */
static const struct route_hit *by_number(const struct ctx *c, enum route_kind kind, bool *many)
{
    const struct route_hit *found = NULL;

    for (size_t i = 0; i < c->hits_len; i++) {
        const struct route_hit *h = &c->hits[i];

        if (h->kind != kind)
            continue;
        *many = *many || (found && found->matter != h->matter);
        found = h;
    }
    return found;
}

/* A convention name whose prefix says the same as one case's with other letters: an alias of the
 * case type, a client written together. */
static const struct case_facts *by_meaning(const struct ctx *c)
{
    const struct case_facts *found = NULL;

    if (!c->parsed || !c->said_type)
        return NULL;
    for (size_t i = 0; i < c->hits_len; i++) {
        const struct route_hit *h = &c->hits[i];

        if (h->kind != ROUTE_CLIENT || h->start > first_word(c) || h->matter == found ||
            !ctx_prefix_is_of(c, h->matter))
            continue;
        if (found)
            return NULL;
        found = h->matter;
    }
    return found;
}

/* Lists the cases that hits of the given sort speak of. */
static void list_cases(struct ctx *c, bool (*wanted)(const struct ctx *, const struct route_hit *))
{
    size_t n = 0;

    for (size_t i = 0; i < c->hits_len && n < MAX_CHOICES; i++)
        if (wanted(c, &c->hits[i])) {
            ctx_candidate(c, ctx_case_label(c, c->hits[i].matter));
            n++;
        }
}

static bool is_number_or_prefix(const struct ctx *c, const struct route_hit *h)
{
    (void)c;
    return h->kind == ROUTE_DOCKET || h->kind == ROUTE_MATTER || is_prefix(h);
}

static bool is_telling_person(const struct ctx *c, const struct route_hit *h)
{
    return is_person(h) && tells_apart(c, h);
}

static bool is_anything(const struct ctx *c, const struct route_hit *h)
{
    return is_number_or_prefix(c, h) || is_telling_person(c, h);
}

/* A well-formed name of a case that is not there: what it may have meant. */
static enum row_answer no_such_case(struct ctx *c)
{
    const char *near[MAX_CHOICES];
    size_t n =
        c->said_type ? 0 : rules_near_case_types(c->rules, c->parts.case_type, near, MAX_CHOICES);

    c->why = c->said_prefix;
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *meant = xasprintf("%s_%s", c->parts.client, near[i]);

        ctx_candidate(c, meant);
    }
    list_cases(c, is_anything);
    return ctx_conclude(c, ACTION_LIST, REASON_WHICH_CASE,
                        c->choices ? "did-you-mean" : "no-such-case");
}

static bool is_case_name(const struct ctx *c)
{
    const char *near[1];

    if (!c->parsed || ctx_is_vocabulary(c, c->parts.client))
        return false;
    return c->said_type || rules_near_case_types(c->rules, c->parts.case_type, near, 1) > 0;
}

/* Names and numbers of several cases, or none that counts. */
static enum row_answer unclear(struct ctx *c)
{
    list_cases(c, is_anything);
    return ctx_conclude(c, ACTION_LIST, REASON_WHICH_CASE, c->choices ? "candidates" : NULL);
}

static enum row_answer undecided(struct ctx *c)
{
    if (is_case_name(c))
        return no_such_case(c);
    c->target = c->valid ? said_case(c) : NULL;
    if (c->target)
        return ctx_pass(c, "it belongs to %s by what it says", ctx_case_label(c, c->target));
    return unclear(c);
}

/* Prefix and docket number of two cases: nobody can say which one is meant. */
static bool contradicts(const struct ctx *c, const struct route_hit *prefix)
{
    for (size_t i = 0; i < c->hits_len; i++)
        if (c->hits[i].kind == ROUTE_DOCKET && c->hits[i].matter != prefix->matter)
            return !has_number(c, prefix->matter);
    return false;
}

enum row_answer row_route(struct ctx *c)
{
    bool many = false;
    const struct route_hit *h;
    const struct case_facts *meant;

    if (c->f->zone != ZONE_OFFICE_INBOX)
        return ctx_pass(c, "it lies in one");
    h = leading_prefix(c, &many);
    if (h && !many && !contradicts(c, h))
        return routed(c, h, h->kind == ROUTE_FORMER ? "former prefix" : "prefix");
    if (h)
        return unclear(c);
    meant = by_meaning(c);
    if (meant) {
        c->target = meant;
        return ctx_pass(c, "%s says the same as %s", c->said_prefix, ctx_case_label(c, meant));
    }
    h = by_number(c, ROUTE_DOCKET, &many);
    if (h && !many && !is_case_name(c))
        return routed(c, h, "docket number");
    if (!h)
        h = by_number(c, ROUTE_MATTER, &many);
    if (h && !many && !is_case_name(c))
        return routed(c, h, "matter number");
    return undecided(c);
}
