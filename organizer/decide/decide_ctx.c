#include "decide/decide_ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "decide/name.h"

static char *format(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static char *format(const char *fmt, va_list ap)
{
    char *s = NULL;

    return vasprintf(&s, fmt, ap) < 0 ? xstrdup("") : s;
}

enum row_answer ctx_pass(struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    if (!c->explain)
        return ROW_PASSES;
    free(c->because);
    va_start(ap, fmt);
    c->because = format(fmt, ap);
    va_end(ap);
    return ROW_PASSES;
}

void ctx_say(struct ctx *c, const char *fmt, ...)
{
    va_list ap;
    AUTO_FREE char *line = NULL;

    if (!c->explain)
        return;
    va_start(ap, fmt);
    line = format(fmt, ap);
    va_end(ap);
    /* Names come in as they are: whoever looks at the trace sees no terminal codes. */
    utf8_show(&c->d->trace, line, strlen(line));
    str_addc(&c->d->trace, '\n');
}

static char *shown(const char *s)
{
    struct str out = STR_INIT;

    utf8_show(&out, s, strlen(s));
    return str_detach(&out);
}

/* "kind.code.variant" when the language has it, else "kind.code". */
static char *sentence_key(const struct ctx *c, const char *kind, const char *code,
                          const char *variant)
{
    if (variant) {
        char *key = xasprintf("%s.%s.%s", kind, code, variant);

        if (strcmp(lang_get(c->lang, key), key) != 0)
            return key;
        free(key);
    }
    return xasprintf("%s.%s", kind, code);
}

/* The name that is shown as a pattern must not lead to the next question. */
static const char *example(const struct ctx *c)
{
    bool figures =
        c->policy->date_order == DATE_ORDER_MDY || c->policy->date_order == DATE_ORDER_DMY;

    return lang_get(c->lang, figures ? "example.figures" : "example.plain");
}

static char *sentence(const struct ctx *c, const char *kind, enum reason reason,
                      const char *variant)
{
    AUTO_FREE char *key = NULL;
    AUTO_FREE char *name = NULL;
    const struct case_facts *t = c->target;
    const struct kind_info *content = kind_info(c->f->kind);
    bool hidden = t && t->restricted && c->f->zone == ZONE_OFFICE_INBOX;
    const char *label = !t ? "" : hidden ? ctx_case_label(c, t) : t->prefix;

    if (reason == REASON_NONE)
        return xstrdup("");
    key = sentence_key(c, kind, reason_code(reason), variant);
    name = shown(c->f->name);
    return lang_format(c->lang, key, "name", name, "case", label, "folder", c->f->folder, "why",
                       c->why, "other", c->other, "type", c->type, "date", c->date, "other_date",
                       c->other_date, "candidates", c->choices, "kind", content->plain, "ext",
                       c->ext, "example", example(c), NULL);
}

enum row_answer ctx_conclude(struct ctx *c, enum action action, enum reason reason,
                             const char *variant)
{
    c->d->action = action;
    c->d->reason = reason;
    c->d->sentence = sentence(c, "reason", reason, variant);
    c->d->help = reason_is_attention(reason) ? sentence(c, "help", reason, variant) : xstrdup("");
    return ROW_DECIDES;
}

void ctx_candidate(struct ctx *c, const char *what)
{
    struct decision *d = c->d;
    size_t n = 0;
    char *joined;

    for (; d->candidates && d->candidates[n]; n++)
        if (strcmp(d->candidates[n], what) == 0)
            return;
    d->candidates = xreallocarray(d->candidates, n + 2, sizeof *d->candidates);
    d->candidates[n] = xstrdup(what);
    d->candidates[n + 1] = NULL;
    joined = xasprintf("%s%s%s", n ? c->choices : "", n ? ", " : "", what);
    free(c->choices);
    c->choices = joined;
}

const char *ctx_case_label(const struct ctx *c, const struct case_facts *matter)
{
    return matter->restricted ? lang_get(c->lang, "case.restricted") : matter->path;
}

static bool is_month(const struct ctx *c, const char *word)
{
    static const char *const lists[] = {"month.long", "month.short"};

    for (size_t l = 0; l < 2; l++)
        for (const char *const *m = lang_list(c->lang, lists[l]); *m; m++)
            if (name_same(*m, word))
                return true;
    return false;
}

bool ctx_is_vocabulary(const struct ctx *c, const char *word)
{
    const struct facts named = {.name = word, .folder = ""};
    struct type_match m;
    AUTO_FREE char *left = NULL;

    if (rules_doc_type(c->rules, word) || rules_case_type(c->rules, word) || is_month(c, word))
        return true;
    left = rules_strip_noise(c->rules, word);
    if (!left[strspn(left, " ")])
        return true;
    return rules_match_type(c->rules, &named, word, &m, 1, NULL) > 0 && m.end > m.start;
}

static bool same_key(const char *a, const char *b)
{
    struct str x = STR_INIT, y = STR_INIT;
    bool same;

    route_name_key(&x, a);
    route_name_key(&y, b);
    same = x.len > 0 && strcmp(str_c(&x), str_c(&y)) == 0;
    str_clear(&x);
    str_clear(&y);
    return same;
}

/* "-2024" of "Divorce-2024" or "Smith_Divorce-2024": what makes it another case; "" for none. */
static const char *told_apart_by(const char *case_type)
{
    const char *bar = strchr(case_type, '_');
    const char *dash = strchr(bar ? bar : case_type, '-');

    return dash ? dash : "";
}

bool ctx_prefix_is_of(const struct ctx *c, const struct case_facts *matter)
{
    if (name_same(c->said_prefix, matter->prefix))
        return true;
    for (const char *const *p = matter->former; p && *p; p++)
        if (name_same(c->said_prefix, *p))
            return true;
    return c->said_type && matter->client && matter->case_type &&
           strcmp(told_apart_by(c->parts.case_type), told_apart_by(matter->prefix)) == 0 &&
           same_key(c->parts.client, matter->client) &&
           rules_case_type(c->rules, matter->case_type) == c->said_type;
}

bool ctx_is_whole_prefix(const struct ctx *c, const struct route_hit *h)
{
    const char *p = c->stem + h->end;
    size_t digits;

    if (*p != '-')
        return true;
    if (c->parsed)
        return false;
    digits = strspn(p + 1, "0123456789");
    return digits == 0 || strchr("-.", p[1 + digits]) != NULL;
}

size_t ctx_prefix_length(const struct ctx *c, const struct case_facts *matter)
{
    size_t first = strspn(c->stem, " _-(["), longest = 0;

    for (size_t i = 0; i < c->hits_len; i++) {
        const struct route_hit *h = &c->hits[i];

        if (h->matter == matter && h->start <= first && h->end > longest &&
            (h->kind == ROUTE_PREFIX || h->kind == ROUTE_FORMER) && ctx_is_whole_prefix(c, h))
            longest = h->end;
    }
    return longest;
}
