/* rules_leave: names that are left alone, waited for, or only noise. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/rules_parts.h"

void name_rules_clear(struct name_rules *n)
{
    for (size_t i = 0; i < n->len; i++)
        pattern_free(n->v[i].pattern);
    free(n->v);
    *n = (struct name_rules){0};
}

/* --- loading --- */

static struct name_rule *add_rule(struct loading *l, struct name_rules *to, yaml_node_t *node,
                                  enum applies applies)
{
    GROW(to->v, to->len, to->cap);
    to->v[to->len] = (struct name_rule){.applies = applies, .where = loading_where(l, node)};
    return &to->v[to->len++];
}

/* What tells letters apart whatever their case is. */
static char plain(char c)
{
    return (char)(c | 0x20);
}

static void set_glob(struct name_rule *rule, const char *glob)
{
    size_t n = strlen(glob);

    rule->glob = glob;
    if (n > 0 && !strchr("*?[", glob[0]))
        rule->first = plain(glob[0]);
    if (n > 0 && !strchr("*?]", glob[n - 1]))
        rule->last = plain(glob[n - 1]);
}

/* Wildcards: compared folded, as names are. */
static void load_globs(struct loading *l, yaml_node_t *list, const char *what, enum applies applies,
                       struct name_rules *to)
{
    if (!rulefile_is_list(&l->file, list, what))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        const char *text = rulefile_text(&l->file, node, what);

        if (text && strspn(text, "*") == strlen(text))
            rulefile_error(&l->file, node, "\"%s\" would match every name", text);
        else if (text)
            set_glob(add_rule(l, to, node, applies), rules_keep(l->rules, utf8_fold(text)));
    }
}

/* Patterns; wrap makes them match whole words only. */
static void load_patterns(struct loading *l, yaml_node_t *list, enum applies applies, bool wrap,
                          struct name_rules *to)
{
    if (!rulefile_is_list(&l->file, list, "patterns"))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        const char *text = rulefile_text(&l->file, node, "patterns");
        struct pattern *p = text ? rulefile_pattern(&l->file, node, text, PATTERN_CASELESS) : NULL;

        if (!p)
            continue;
        if (wrap) {
            AUTO_FREE char *whole = xasprintf("(?<![\\p{L}\\p{N}])(?:%s)(?![\\p{L}\\p{N}])", text);

            pattern_free(p);
            p = rulefile_pattern(&l->file, node, whole, PATTERN_CASELESS);
        }
        if (p)
            add_rule(l, to, node, applies)->pattern = p;
    }
}

/* A mapping from pattern to the other name that it tells of. */
static void load_captures(struct loading *l, yaml_node_t *list, const char *what,
                          struct name_rules *to)
{
    static const char *const keys[] = {"pattern", "of", NULL};

    if (!rulefile_is_list(&l->file, list, what))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        yaml_node_t *pattern, *of;
        const char *text;
        struct pattern *p;

        if (!rulefile_keys(&l->file, node, keys))
            continue;
        pattern = rulefile_get(&l->file, node, "pattern");
        of = rulefile_get(&l->file, node, "of");
        text = rulefile_text(&l->file, pattern ? pattern : node, "pattern");
        p = text ? rulefile_pattern(&l->file, pattern, text, PATTERN_CASELESS) : NULL;
        if (p) {
            struct name_rule *rule = add_rule(l, to, node, APPLIES_FILES);

            rule->pattern = p;
            rule->of = of ? loading_text(l, of, "of") : "{name}{ext}";
        }
    }
}

static bool expect_of(struct str *got, const struct example *e, bool found, const char *of)
{
    str_add(got, !found ? "no" : of ? of : "yes");
    return strcmp(str_c(got), e->expect) == 0;
}

static bool run_ignored(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    AUTO_FREE char *name = xstrdup(e->name);
    size_t n = strlen(name);
    bool dir = n > 1 && name[n - 1] == '/';

    (void)lang;
    if (dir)
        name[n - 1] = '\0';
    return expect_of(got, e, rules_ignored(r, name, dir), NULL);
}

static bool run_conflict(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    AUTO_FREE char *of = NULL;
    bool found = rules_conflict_copy(r, e->name, &of);

    (void)lang;
    return expect_of(got, e, found, of);
}

static bool run_lock(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    AUTO_FREE char *of = NULL;
    bool found = rules_lock_of(r, e->name, &of);

    (void)lang;
    return expect_of(got, e, found, of);
}

static bool run_new(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    (void)lang;
    return expect_of(got, e, rules_is_new_document(r, e->name), NULL);
}

static void load_ignored_group(struct loading *l, yaml_node_t *node)
{
    static const char *const keys[] = {"what", "files", "folders", "both", "patterns", NULL};
    struct rulefile *f = &l->file;
    struct name_rules *to = &l->rules->ignored;

    if (!rulefile_keys(f, node, keys))
        return;
    load_globs(l, rulefile_get(f, node, "files"), "files", APPLIES_FILES, to);
    load_globs(l, rulefile_get(f, node, "folders"), "folders", APPLIES_FOLDERS, to);
    load_globs(l, rulefile_get(f, node, "both"), "both", APPLIES_BOTH, to);
    load_patterns(l, rulefile_get(f, node, "patterns"), APPLIES_FILES, false, to);
}

/* The value under key, and its examples. */
static yaml_node_t *section(struct loading *l, yaml_node_t *root, const char *key, example_run *run,
                            const char *list)
{
    const char *const keys[] = {list, "examples", NULL};
    yaml_node_t *node = rulefile_get(&l->file, root, key);

    if (!node || !rulefile_keys(&l->file, node, keys))
        return NULL;
    loading_examples(l, rulefile_get(&l->file, node, "examples"), run, NULL);
    return rulefile_get(&l->file, node, list);
}

void load_ignored(struct loading *l)
{
    static const char *const keys[] = {"ignored", "conflict_copies", "new_documents", "locks",
                                       NULL};
    yaml_node_t *root = rulefile_root(&l->file), *list;

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    list = section(l, root, "ignored", run_ignored, "groups");
    if (rulefile_is_list(&l->file, list, "groups"))
        for (size_t i = 0; i < rulefile_count(list); i++)
            load_ignored_group(l, rulefile_item(&l->file, list, i));
    list = section(l, root, "conflict_copies", run_conflict, "patterns");
    load_captures(l, list, "patterns", &l->rules->conflicts);
    list = section(l, root, "new_documents", run_new, "names");
    load_globs(l, list, "names", APPLIES_BOTH, &l->rules->new_documents);
    list = section(l, root, "locks", run_lock, "patterns");
    load_captures(l, list, "patterns", &l->rules->locks);
}

static bool run_noise(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    AUTO_FREE char *left = rules_strip_noise(r, e->name);

    (void)lang;
    str_add(got, left);
    return strcmp(left, e->expect) == 0;
}

void load_noise(struct loading *l)
{
    static const char *const keys[] = {"words", "patterns", "examples", NULL};
    yaml_node_t *root = rulefile_root(&l->file);

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    load_patterns(l, rulefile_get(&l->file, root, "words"), APPLIES_FILES, true, &l->rules->noise);
    load_patterns(l, rulefile_get(&l->file, root, "patterns"), APPLIES_FILES, false,
                  &l->rules->noise);
    loading_examples(l, rulefile_get(&l->file, root, "examples"), run_noise, NULL);
}

static bool run_as_is(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    const struct as_is_rule *rule = &r->as_is[(size_t)(uintptr_t)e->rule - 1];
    const char *dot = strrchr(e->name, '.');
    struct facts f = {.name = e->name, .folder = "", .kind = KIND_UNKNOWN};

    (void)lang;
    for (enum kind k = KIND_UNKNOWN; dot && k < KIND_COUNT && f.kind == KIND_UNKNOWN; k++)
        if (kind_has_ext(k, dot + 1))
            f.kind = k;
    return expect_of(got, e, condition_answer(rule->when, &f, NULL) == ANSWER_YES, NULL);
}

static void load_as_is_rule(struct loading *l, yaml_node_t *node)
{
    static const char *const keys[] = {"what", "when", "examples", NULL};
    struct rulefile *f = &l->file;
    struct rules *r = l->rules;
    yaml_node_t *when, *what;

    if (!rulefile_keys(f, node, keys))
        return;
    when = rulefile_get(f, node, "when");
    what = rulefile_get(f, node, "what");
    if (!when || !what) {
        rulefile_error(f, node, "expected \"what:\" and \"when:\"");
        return;
    }
    GROW(r->as_is, r->as_is_len, r->as_is_cap);
    r->as_is[r->as_is_len++] = (struct as_is_rule){
        loading_text(l, what, "what"), loading_where(l, node), condition_parse(f, when)};
    /* rules move while more are read: examples know theirs by its number */
    loading_examples(l, rulefile_get(f, node, "examples"), run_as_is,
                     (const void *)(uintptr_t)r->as_is_len);
}

void load_as_is(struct loading *l)
{
    static const char *const keys[] = {"as_is", NULL};
    yaml_node_t *root = rulefile_root(&l->file), *list;

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    list = rulefile_get(&l->file, root, "as_is");
    if (!rulefile_is_list(&l->file, list, "as_is"))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++)
        load_as_is_rule(l, rulefile_item(&l->file, list, i));
}

/* --- asking --- */

/* The first rule that name fits. folded is for the wildcards. */
static const struct name_rule *find_rule(const struct name_rules *n, const char *name,
                                         const char *folded, enum applies applies,
                                         struct pattern_match *m)
{
    size_t len = strlen(folded);
    char first = plain(folded[0]), last = len ? plain(folded[len - 1]) : '\0';

    for (size_t i = 0; i < n->len; i++) {
        const struct name_rule *rule = &n->v[i];

        /* Of most rules one of the ends says already that they do not fit. */
        if (!(rule->applies & applies) || (rule->first && rule->first != first) ||
            (rule->last && rule->last != last))
            continue;
        if (rule->glob ? glob_match(rule->glob, folded)
                       : pattern_match(rule->pattern, name, m) == PATTERN_YES)
            return rule;
    }
    return NULL;
}

/* Names are ASCII nearly always: then the wildcards' own comparison will do. */
static const char *folded_name(const char *name, char **owned)
{
    *owned = NULL;
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p >= 0x80)
            return *owned = utf8_fold(name);
    return name;
}

const char *rules_ignored(const struct rules *r, const char *name, bool dir)
{
    AUTO_FREE char *owned = NULL;
    const char *folded = folded_name(name, &owned);
    const struct name_rule *rule =
        find_rule(&r->ignored, name, folded, dir ? APPLIES_FOLDERS : APPLIES_FILES, NULL);

    return rule ? rule->where : NULL;
}

bool rules_is_new_document(const struct rules *r, const char *name)
{
    AUTO_FREE char *owned = NULL;
    const char *folded = folded_name(name, &owned);

    return find_rule(&r->new_documents, name, folded, APPLIES_FILES, NULL);
}

/* "{stem}.dwg" with the groups of the match put in. */
static char *fill_of(const struct name_rule *rule, const struct pattern_match *m)
{
    struct str out = STR_INIT;

    for (const char *t = rule->of; *t; t++) {
        const char *end = *t == '{' ? strchr(t, '}') : NULL;

        if (end) {
            AUTO_FREE char *group = xmemdup0(t + 1, (size_t)(end - t - 1));
            AUTO_FREE char *value = pattern_group(m, group);

            str_add(&out, value ? value : "");
            t = end;
        } else {
            str_addc(&out, *t);
        }
    }
    return str_detach(&out);
}

static const char *find_of(const struct name_rules *n, const char *name, char **of)
{
    struct pattern_match m;
    const struct name_rule *rule = find_rule(n, name, name, APPLIES_FILES, &m);

    if (of)
        *of = rule ? fill_of(rule, &m) : NULL;
    return rule ? rule->where : NULL;
}

const char *rules_conflict_copy(const struct rules *r, const char *name, char **of)
{
    return find_of(&r->conflicts, name, of);
}

bool rules_lock_of(const struct rules *r, const char *name, char **of)
{
    return find_of(&r->locks, name, of);
}

const char *rules_as_is(const struct rules *r, const struct facts *f, struct str *trace)
{
    for (size_t i = 0; i < r->as_is_len; i++) {
        const struct as_is_rule *rule = &r->as_is[i];
        const char *by = "";
        enum answer a = condition_answer(rule->when, f, &by);

        if (trace)
            str_addf(trace, "%s: %s: %s\n", rule->where, rule->what,
                     a == ANSWER_YES  ? "left as it is"
                     : a == ANSWER_NO ? "no match"
                                      : "cannot tell");
        /* a pattern that ran away: a name that may have to stay stays */
        if (a == ANSWER_YES || (a == ANSWER_CANNOT_TELL && !f->read_failed))
            return rule->where;
    }
    return NULL;
}

/* Everything that the noise patterns match, replaced by a space. */
static char *without(const struct pattern *p, char *text)
{
    struct str out = STR_INIT;
    struct pattern_match m;
    size_t at = 0;

    while (pattern_match_from(p, text, at, &m) == PATTERN_YES && m.end > at) {
        str_addn(&out, text + at, m.start > at ? m.start - at : 0);
        str_addc(&out, ' ');
        at = m.end;
    }
    if (at == 0) {
        str_clear(&out);
        return text;
    }
    str_add(&out, text + at);
    free(text);
    return str_detach(&out);
}

static bool is_gap(char c)
{
    return c == ' ' || c == '_' || c == '-' || c == ',';
}

/* Runs of spaces become one; what only separated noise goes at both ends. */
static void tidy(char *text)
{
    char *to = text, *from = text;

    while (is_gap(*from))
        from++;
    for (; *from; from++)
        if (*from != ' ' || from[1] != ' ')
            *to++ = *from;
    while (to > text && is_gap(to[-1]))
        to--;
    *to = '\0';
}

char *rules_strip_noise(const struct rules *r, const char *words)
{
    char *text = xstrdup(words);

    for (size_t i = 0; i < r->noise.len; i++)
        text = without(r->noise.v[i].pattern, text);
    tidy(text);
    return text;
}
