/* rules_test: examples tried, rules listed. */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "decide/heading.h"
#include "decide/rules_parts.h"

/* The kind whose own extension it is, before one that only agrees with it. */
static enum kind kind_by_extension(const char *ext)
{
    for (enum kind k = KIND_UNKNOWN; k < KIND_COUNT; k++)
        if (strcasecmp(kind_info(k)->ext, ext) == 0)
            return k;
    for (enum kind k = KIND_UNKNOWN; k < KIND_COUNT; k++)
        if (kind_has_ext(k, ext))
            return k;
    return KIND_UNKNOWN;
}

/* Length of name without an extension that a kind of document has. */
static size_t stem_of(const char *name, enum kind *kind)
{
    const char *dot = strrchr(name, '.');

    *kind = dot && dot != name ? kind_by_extension(dot + 1) : KIND_UNKNOWN;
    return *kind == KIND_UNKNOWN ? strlen(name) : (size_t)(dot - name);
}

/* What is left of the name when a prefix of the convention is set aside, and noise is out. */
static char *words_of(const struct rules *r, const char *name, enum kind *kind)
{
    AUTO_FREE char *stem = xmemdup0(name, stem_of(name, kind));
    struct name_parts p;
    char *words;

    if (rules_parse_name(r, name, &p))
        words = xasprintf("%s %s", p.type ? p.type : "", p.words ? p.words : "");
    else
        words = rules_strip_noise(r, stem);
    name_parts_clear(&p);
    return words;
}

static void put_types(const struct type_match *m, int n, struct str *got)
{
    for (int i = 0; i < n && m[i].score == m[0].score; i++)
        str_addf(got, "%s%s", i ? ", " : "", m[i].type->name);
    if (n <= 0)
        str_add(got, n == 0 ? "none" : "cannot tell");
}

bool rules_try_name(const struct rules *r, const char *name, struct str *got)
{
    struct type_match m[8];
    struct facts f = {.name = name, .folder = "Inbox", .size = 1000};
    AUTO_FREE char *words = words_of(r, name, &f.kind);
    int n = rules_match_type(r, &f, words, m, sizeof m / sizeof *m, NULL);

    put_types(m, n, got);
    return true;
}

bool rules_try_title(const struct rules *r, const char *title, struct str *got)
{
    struct type_match m[8];

    put_types(m, rules_match_title(r, title, m, sizeof m / sizeof *m, NULL), got);
    return true;
}

bool rules_try_page(const struct rules *r, const struct lang *lang, const char *page,
                    struct str *got)
{
    struct content said = {.status = CONTENT_READ, .pages = 1};
    struct heading heading;
    struct type_match m[8];
    struct facts f = {.name = "scan0001.pdf", .folder = "Inbox", .kind = KIND_PDF, .size = 1000};

    for (const char *p = page; *p;) {
        const char *end = strstr(p, " / ");
        size_t n = end ? (size_t)(end - p) : strlen(p);
        struct content_line line = {.text = xmemdup0(p, n), .page = 1, .percent = 100};

        content_add_line(&said, &line);
        p += n + (end ? strlen(" / ") : 0);
    }
    heading_read(&said, lang, &heading);
    f.content = &said;
    f.heading = &heading;
    put_types(m, rules_match_said(r, &f, m, sizeof m / sizeof *m, NULL), got);
    heading_clear(&heading);
    content_clear(&said);
    return true;
}

size_t rules_test(const struct rules *r, const struct lang *lang, struct str *out, size_t *ran)
{
    size_t failed = 0;

    for (size_t i = 0; i < r->examples_len; i++) {
        const struct example *e = &r->examples[i];
        AUTO_STR struct str got = STR_INIT;

        if (e->run(r, lang, e, &got))
            continue;
        failed++;
        str_addf(out, "%s: \"%s\" should be %s and is %s\n", e->where, e->name, e->expect,
                 str_c(&got));
    }
    *ran = r->examples_len;
    return failed;
}

static const char *relevance_name(enum relevance r)
{
    return r == RELEVANCE_KEY ? "key" : r == RELEVANCE_SUPPORTING ? "supporting" : "background";
}

static void list_words(const struct phrase_index *x, const void *owner, struct str *out)
{
    const char *sep = "";

    for (size_t i = 0; i < x->len; i++)
        if (x->v[i].owner == owner && !x->v[i].derived) {
            str_add(out, sep);
            for (size_t k = 0; k < x->v[i].len; k++)
                str_addf(out, "%s%s%s", k ? " " : "", k && k == x->v[i].gap ? "... " : "",
                         x->v[i].word[k]);
            sep = ", ";
        }
}

static void list_type(const struct rules *r, const struct type_rule *t, struct str *out, bool json)
{
    AUTO_STR struct str words = STR_INIT, when = STR_INIT, titles = STR_INIT, texts = STR_INIT;

    list_words(&r->words, t, &words);
    list_words(&r->titles, t, &titles);
    list_words(&r->texts, t, &texts);
    if (t->when)
        condition_describe(t->when, &when);
    if (!json) {
        str_addf(out, "%s: type %s in %s, %s: %s", t->type.where, t->type.name, t->type.folder,
                 relevance_name(t->type.relevance), str_c(&words));
        if (titles.len)
            str_addf(out, "; title %s", str_c(&titles));
        if (texts.len)
            str_addf(out, "; text %s", str_c(&texts));
        str_addf(out, when.len ? "; %s\n" : "\n", str_c(&when));
        return;
    }
    str_addc(out, '{');
    json_text(out, "where", t->type.where);
    json_text(out, "rule", "type");
    json_text(out, "name", t->type.name);
    json_text(out, "folder", t->type.folder);
    json_text(out, "colour", t->type.colour);
    json_text(out, "relevance", relevance_name(t->type.relevance));
    json_text(out, "words", str_c(&words));
    json_text(out, "titles", str_c(&titles));
    json_text(out, "texts", str_c(&texts));
    json_text(out, "when", str_c(&when));
    str_add(out, "}\n");
}

static void list_line(struct str *out, bool json, const char *where, const char *rule,
                      const char *name, const char *when)
{
    if (!json) {
        str_addf(out, "%s: %s %s%s%s\n", where, rule, name, *when ? ": " : "", when);
        return;
    }
    str_addc(out, '{');
    json_text(out, "where", where);
    json_text(out, "rule", rule);
    json_text(out, "name", name);
    json_text(out, "when", when);
    str_add(out, "}\n");
}

static void list_names(const struct name_rules *n, const char *rule, struct str *out, bool json)
{
    for (size_t i = 0; i < n->len; i++)
        list_line(out, json, n->v[i].where, rule,
                  n->v[i].glob ? n->v[i].glob : pattern_text(n->v[i].pattern), "");
}

void rules_list(const struct rules *r, struct str *out, bool json)
{
    list_names(&r->ignored, "ignored", out, json);
    list_names(&r->locks, "lock", out, json);
    list_names(&r->new_documents, "new-document", out, json);
    list_names(&r->conflicts, "conflict-copy", out, json);
    for (size_t i = 0; i < r->as_is_len; i++) {
        AUTO_STR struct str when = STR_INIT;

        condition_describe(r->as_is[i].when, &when);
        list_line(out, json, r->as_is[i].where, "as-is", r->as_is[i].what, str_c(&when));
    }
    for (size_t i = 0; i < r->conventions_len; i++)
        list_line(out, json, r->conventions[i].where, "convention", r->conventions[i].template,
                  pattern_text(r->conventions[i].pattern));
    list_names(&r->noise, "noise", out, json);
    for (size_t i = 0; i < r->types_len; i++)
        list_type(r, r->types[i], out, json);
    for (size_t i = 0; i < r->case_types_len; i++)
        list_line(out, json, r->case_types[i]->type.where, "case-type", r->case_types[i]->type.name,
                  r->case_types[i]->type.meaning);
}
