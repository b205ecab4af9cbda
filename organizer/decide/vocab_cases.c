/* vocab_cases: case types, from case-types.yaml. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/route.h"
#include "decide/rules_parts.h"

static bool run_case_type(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    const struct case_type *t = rules_case_type(r, e->name);

    (void)lang;
    str_add(got, t ? t->name : "none");
    return strcmp(str_c(got), e->expect) == 0;
}

/* Is it, or one of its aliases, taken by a type of the same origin? */
static bool case_names_free(struct loading *l, yaml_node_t *node, const char *const *names,
                            size_t before)
{
    for (; *names; names++) {
        const struct case_rule *c = vocab_case_type(l->rules, *names, strlen(*names));

        for (size_t i = before; c && i < l->rules->case_types_len; i++)
            if (l->rules->case_types[i] == c) {
                rulefile_error(&l->file, node, "\"%s\" means %s already, at %s", *names,
                               c->type.name, c->type.where);
                return false;
            }
    }
    return true;
}

static void load_case_type(struct loading *l, yaml_node_t *node, size_t before)
{
    static const char *const keys[] = {"name", "aliases", "meaning", "signals", "examples", NULL};
    struct rules *r = l->rules;
    struct rulefile *f = &l->file;
    struct case_rule *c;
    const char *name, **words;
    size_t n = 0;

    if (!rulefile_keys(f, node, keys))
        return;
    name = rulefile_get(f, node, "name") ? loading_text(l, rulefile_get(f, node, "name"), "name")
                                         : NULL;
    if (!name || !*name) {
        rulefile_error(f, node, "expected \"name: CaseType\"");
        return;
    }
    c = xcalloc(1, sizeof *c);
    c->type.name = name;
    c->type.aliases = loading_texts(l, rulefile_get(f, node, "aliases"), "aliases");
    c->type.meaning = rulefile_get(f, node, "meaning")
                          ? loading_text(l, rulefile_get(f, node, "meaning"), "meaning")
                          : name;
    c->type.where = loading_where(l, node);
    c->signals = loading_texts(l, rulefile_get(f, node, "signals"), "signals");
    while (c->type.aliases[n])
        n++;
    c->folded = xcalloc(n + 2, sizeof *c->folded);
    c->type.keys = words = xcalloc(n + 2, sizeof *words);
    for (size_t i = 0; i <= n; i++) {
        const char *text = i == 0 ? name : c->type.aliases[i - 1];
        struct str key = STR_INIT;

        route_name_key(&key, text);
        c->folded[i] = rules_keep(r, utf8_fold(text));
        words[i] = rules_keep(r, str_detach(&key));
    }
    case_names_free(l, node, (const char *const[]){name, NULL}, before);
    case_names_free(l, node, c->type.aliases, before);
    GROW(r->case_types, r->case_types_len, r->case_types_cap);
    r->case_types[r->case_types_len++] = c;
    loading_examples(l, rulefile_get(f, node, "examples"), run_case_type, c);
}

void load_case_types(struct loading *l)
{
    static const char *const keys[] = {"case_types", NULL};
    yaml_node_t *root = rulefile_root(&l->file), *list;
    size_t before = l->rules->case_types_len;

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    list = rulefile_get(&l->file, root, "case_types");
    if (!rulefile_is_list(&l->file, list, "case_types"))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++)
        load_case_type(l, rulefile_item(&l->file, list, i), before);
}
