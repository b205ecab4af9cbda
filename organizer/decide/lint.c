/* lint: rules that can never be right, or that never get their turn. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "decide/rules_parts.h"

static void say(struct problems *p, bool error, const char *where, const char *what)
{
    if (error)
        p->errors++;
    else
        p->warnings++;
    str_addf(p->text, "%s: %s\n", where, what);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* A name made of parts reads back as these parts: what the daemon names, it leaves. */
static void lint_name(const struct rules *r, const char *where, struct name_parts made,
                      struct problems *p)
{
    AUTO_FREE char *name = rules_make_name(r, &made);
    struct name_parts read;
    bool accepted = rules_parse_name(r, name, &read);
    bool kept = accepted && same(made.client, read.client) &&
                same(made.case_type, read.case_type) && same(made.type, read.type) &&
                same(made.words, read.words) && same(made.date, read.date) &&
                same(made.serial, read.serial) && same(made.ext, read.ext);

    if (!kept) {
        AUTO_FREE char *what =
            xasprintf("makes the name \"%s\", which the convention %s", name,
                      accepted ? "reads back as something else" : "does not accept");

        say(p, true, where, what);
    }
    name_parts_clear(&read);
}

static struct name_parts sample(const char *case_type, const char *type)
{
    return (struct name_parts){.client = xstrdup("Smith-John"),
                               .case_type = xstrdup(case_type),
                               .type = xstrdup(type),
                               .words = xstrdup("DRAFT-v2"),
                               .date = xstrdup("2026-03-02"),
                               .serial = xstrdup("02"),
                               .ext = xstrdup("pdf")};
}

static void lint_made_names(const struct rules *r, struct problems *p)
{
    if (r->conventions_len == 0) {
        say(p, true, "conventions.yaml:1", "there is no naming convention");
        return;
    }
    for (size_t i = 0; i < r->types_len; i++) {
        struct name_parts n = sample("Divorce-2024", r->types[i]->type.name);

        lint_name(r, r->types[i]->type.where, n, p);
        name_parts_clear(&n);
    }
    for (size_t i = 0; i < r->case_types_len; i++) {
        struct name_parts n = sample(r->case_types[i]->type.name, "Letter");

        lint_name(r, r->case_types[i]->type.where, n, p);
        name_parts_clear(&n);
    }
}

/* A when: whose description is the same as, or that stands behind, an earlier one. */
static void lint_turn(const struct condition *before, const char *before_where,
                      const struct condition *c, const char *where, struct problems *p)
{
    AUTO_STR struct str a = STR_INIT, b = STR_INIT;
    AUTO_FREE char *what = NULL;

    if (condition_is_always(before)) {
        what = xasprintf("never gets its turn: the rule at %s always matches", before_where);
        say(p, false, where, what);
        return;
    }
    condition_describe(before, &a);
    condition_describe(c, &b);
    if (strcmp(str_c(&a), str_c(&b)) != 0)
        return;
    what = xasprintf("never gets its turn: the rule at %s has the same conditions", before_where);
    say(p, false, where, what);
}

static void lint_as_is(const struct rules *r, struct problems *p)
{
    for (size_t i = 0; i < r->as_is_len; i++) {
        if (condition_is_always(r->as_is[i].when))
            say(p, false, r->as_is[i].where, "matches every document: none would ever be named");
        for (size_t k = 0; k < i; k++)
            lint_turn(r->as_is[k].when, r->as_is[k].where, r->as_is[i].when, r->as_is[i].where, p);
    }
}

static void lint_types(const struct rules *r, struct problems *p)
{
    for (size_t i = 0; i < r->types_len; i++)
        for (size_t k = 0; k < i; k++)
            if (r->types[i]->when && r->types[k]->when)
                lint_turn(r->types[k]->when, r->types[k]->type.where, r->types[i]->when,
                          r->types[i]->type.where, p);
}

static void lint_name_rules(const struct name_rules *n, struct problems *p)
{
    for (size_t i = 0; i < n->len; i++)
        for (size_t k = 0; k < i; k++) {
            const struct name_rule *a = &n->v[k], *b = &n->v[i];
            bool twin = a->glob && b->glob ? strcmp(a->glob, b->glob) == 0
                        : a->pattern && b->pattern
                            ? strcmp(pattern_text(a->pattern), pattern_text(b->pattern)) == 0
                            : false;
            AUTO_FREE char *what = NULL;

            if (!twin || (a->applies & b->applies) != b->applies)
                continue;
            what = xasprintf("never gets its turn: the same stands at %s", a->where);
            say(p, false, b->where, what);
        }
}

/* Of names, or of titles: one that is of the type, and one that is not. */
static void lint_both(const struct rules *r, const struct type_rule *t, bool titles,
                      struct problems *p)
{
    bool is = false, is_not = false;
    const char *what = titles ? "title" : "name";
    AUTO_FREE char *missing = NULL;

    for (size_t i = 0; i < r->examples_len; i++) {
        if (r->examples[i].rule != t || example_is_title(&r->examples[i]) != titles)
            continue;
        if (strcmp(r->examples[i].expect, t->type.name) == 0)
            is = true;
        else
            is_not = true;
    }
    if (is && is_not)
        return;
    missing = xasprintf("has no example of a %s that is %sof this type", what, is ? "not " : "");
    say(p, false, t->type.where, missing);
}

/* A type has examples of what it is and of what it is not. */
static void lint_examples(const struct rules *r, const struct type_rule *t, struct problems *p)
{
    bool titled = false;

    for (size_t i = 0; i < r->titles.len; i++)
        titled |= r->titles.v[i].owner == t;
    lint_both(r, t, false, p);
    if (titled)
        lint_both(r, t, true, p);
}

void lint_rules(const struct rules *r, struct problems *p)
{
    lint_made_names(r, p);
    lint_as_is(r, p);
    lint_types(r, p);
    lint_name_rules(&r->ignored, p);
    lint_name_rules(&r->conflicts, p);
    lint_name_rules(&r->new_documents, p);
    lint_name_rules(&r->locks, p);
    lint_name_rules(&r->noise, p);
    for (size_t i = 0; i < r->types_len; i++)
        lint_examples(r, r->types[i], p);
}
