/* vocab_types: document types, from types/ of the rules. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/rules_parts.h"
#include "decide/vocab.h"

enum { SLIP = 2 }; /* letters by which a folder's name may be mistyped */

static const char *const relevances[] = {
    [RELEVANCE_KEY] = "key",
    [RELEVANCE_SUPPORTING] = "supporting",
    [RELEVANCE_BACKGROUND] = "background",
};

static enum relevance load_relevance(struct loading *l, yaml_node_t *node, enum relevance otherwise)
{
    const char *text = node ? rulefile_text(&l->file, node, "relevance") : NULL;

    if (!text)
        return otherwise;
    for (size_t i = 0; i < sizeof relevances / sizeof *relevances; i++)
        if (strcmp(text, relevances[i]) == 0)
            return (enum relevance)i;
    rulefile_error(&l->file, node, "expected key, supporting or background");
    return otherwise;
}

static const char *load_colour(struct loading *l, yaml_node_t *node, const char *otherwise)
{
    const char *text = node ? loading_text(l, node, "colour") : NULL;

    if (!text)
        return otherwise;
    if (text[0] == '#' && strlen(text) == 7 && strspn(text + 1, "0123456789abcdefABCDEF") == 6)
        return text;
    rulefile_error(&l->file, node, "expected a colour such as \"#3366aa\"");
    return otherwise;
}

static void add_folder(struct rules *r, const char *folder)
{
    for (size_t i = 0; i < r->folders_len; i++)
        if (strcmp(r->folders[i], folder) == 0)
            return;
    if (r->folders_len + 1 >= r->folders_cap) {
        r->folders_cap = r->folders_cap ? r->folders_cap * 2 : 32;
        r->folders = xreallocarray(r->folders, r->folders_cap, sizeof *r->folders);
    }
    r->folders[r->folders_len++] = folder;
    r->folders[r->folders_len] = NULL;
}

/* A folder of the office's own is welcome; one that looks like a slip of the pen is not. */
static const char *load_folder(struct loading *l, yaml_node_t *node)
{
    const char *text = node ? loading_text(l, node, "folder") : NULL;
    struct rules *r = l->rules;

    if (!text)
        return NULL;
    if (!*text || strchr(text, '/') || text[0] == '.') {
        rulefile_error(&l->file, node, "\"%s\" is no name for a folder", text);
        return text;
    }
    for (size_t i = 0; i < r->folders_len; i++)
        if (strcmp(r->folders[i], text) != 0 && word_distance(r->folders[i], text, SLIP) <= SLIP)
            rulefile_error(&l->file, node, "unknown folder \"%s\"; did you mean \"%s\"?", text,
                           r->folders[i]);
    add_folder(r, text);
    return text;
}

/* What a file says for all its types, and the type being read. */
struct type_source {
    struct type_rule *rule; /* NULL: words for `target` */
    const char *target;
    yaml_node_t *at;
};

static void add_phrase(struct loading *l, struct phrase_index *x, const struct type_source *s,
                       const char *text, bool weak, yaml_node_t *node)
{
    struct rules *r = l->rules;
    const void *owner = s->rule ? (const void *)s->rule : r;
    const char *where = s->rule && x == &r->words ? s->rule->type.where : loading_where(l, node);

    if (!(x == &r->titles ? title_phrase_add(x, text, owner, where)
                          : phrases_add(x, text, owner, weak, where))) {
        rulefile_error(&l->file, node, "expected 1 to %d words", PHRASE_WORDS);
        return;
    }
    if (s->rule)
        return;
    GROW(r->additions, r->additions_len, r->additions_cap);
    r->additions[r->additions_len++] = (struct addition){
        x, x->len - 1, s->target,
        rules_keep(r, xasprintf("%s:%zu:%zu", l->file.path, node->start_mark.line + 1,
                                node->start_mark.column + 1))};
}

static void add_derived(struct loading *l, const struct type_source *s, const char *text, bool weak,
                        yaml_node_t *node)
{
    struct phrase_index *x = &l->rules->words;

    add_phrase(l, x, s, text, weak, node);
    if (x->len)
        x->v[x->len - 1].derived = true;
}

static bool is_among(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

/* People write names without spaces: "settlementagreement", and "MotiontoDismiss" or
 * "NoticeofHearing", where the small word has no hump of its own. */
static void add_glued(struct loading *l, const struct type_source *s, const char *text, bool weak,
                      yaml_node_t *node)
{
    AUTO_STR struct str all = STR_INIT, small = STR_INIT;
    struct tokens t = TOKENS_INIT;
    size_t glued = 0;

    tokens_read(&t, text, PHRASE_WORDS);
    for (size_t i = 0; i < t.len; i++) {
        const char *word = tokens_word(&t, i);
        bool is_small = i > 0 && i + 1 < t.len && is_among(l->rules->about, word);

        glued += is_small;
        str_add(&all, word);
        str_addf(&small, "%s%s", i == 0 || is_small ? "" : " ", word);
    }
    if (t.len > 1)
        add_derived(l, s, str_c(&all), weak, node);
    if (glued)
        add_derived(l, s, str_c(&small), weak, node);
    tokens_clear(&t);
}

static void add_with_plurals(struct loading *l, const struct type_source *s, const char *text,
                             bool weak, yaml_node_t *node)
{
    size_t n = strlen(text);

    add_phrase(l, &l->rules->words, s, text, weak, node);
    add_glued(l, s, text, weak, node);
    if (n == 0 || text[n - 1] == 's' || (text[n - 1] >= '0' && text[n - 1] <= '9'))
        return;
    for (const char *const *ending = l->rules->plural; *ending; ending++) {
        AUTO_FREE char *plural = xasprintf("%s%s", text, *ending);

        add_derived(l, s, plural, weak, node);
        add_glued(l, s, plural, weak, node);
    }
}

static void load_phrases(struct loading *l, yaml_node_t *type, const char *key,
                         struct phrase_index *x, const struct type_source *s)
{
    yaml_node_t *list = rulefile_get(&l->file, type, key);

    if (!rulefile_is_list(&l->file, list, key))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        const char *text = rulefile_text(&l->file, node, "words");

        if (text && x == &l->rules->words)
            add_with_plurals(l, s, text, strcmp(key, "weak") == 0, node);
        else if (text)
            add_phrase(l, x, s, text, false, node);
    }
}

/* Words in a row that mean no type at all: in a name ("we will" is no Will), in a title ("PURCHASE
 * ORDER" is no Order). */
static void load_except(struct loading *l, yaml_node_t *type, const char *key, bool title)
{
    yaml_node_t *list = rulefile_get(&l->file, type, key);

    if (!rulefile_is_list(&l->file, list, key))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        const char *text = rulefile_text(&l->file, node, "words"), *where = loading_where(l, node);

        if (text && !(title ? title_phrase_add(&l->rules->titles, text, NULL, where)
                            : phrases_add(&l->rules->words, text, NULL, false, where)))
            rulefile_error(&l->file, node, "expected 1 to %d words", PHRASE_WORDS);
    }
}

static bool lists_word(struct loading *l, yaml_node_t *type, const char *key, const char *own)
{
    yaml_node_t *list = rulefile_get(&l->file, type, key);

    for (size_t i = 0; list && list->type == YAML_SEQUENCE_NODE && i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        struct phrase_index x = {0};
        bool same = node->type == YAML_SCALAR_NODE &&
                    phrases_add(&x, (const char *)node->data.scalar.value, NULL, false, "") &&
                    strcmp(x.v[0].text, own) == 0;

        phrases_clear(&x);
        if (same)
            return true;
    }
    return false;
}

/* The type's own name counts as its words unless the file lists these itself. */
static void add_own_name(struct loading *l, yaml_node_t *type, struct type_source *s)
{
    const char *own;

    if (!phrases_add(&s->rule->own, s->rule->type.name, s->rule, false, s->rule->type.where)) {
        rulefile_error(&l->file, type, "\"%s\" holds no word", s->rule->type.name);
        return;
    }
    own = s->rule->own.v[0].text;
    if (!lists_word(l, type, "words", own) && !lists_word(l, type, "weak", own))
        add_with_plurals(l, s, own, false, type);
}

/* A new type; NULL when an earlier one of the same name is the one that counts. */
static struct type_rule *make_type(struct loading *l, yaml_node_t *node, const char *name)
{
    struct rules *r = l->rules;
    struct type_rule *t = vocab_type(r, name);

    if (t && t->office == l->office)
        rulefile_error(&l->file, node, "type %s is there already, at %s", name, t->type.where);
    if (t)
        return NULL;
    t = xcalloc(1, sizeof *t);
    t->type.name = rules_keep(r, xstrdup(name));
    t->type.where = loading_where(l, node);
    t->folded = rules_keep(r, utf8_fold(name));
    t->office = l->office;
    GROW(r->types, r->types_len, r->types_cap);
    r->types[r->types_len++] = t;
    return t;
}

static const char *const type_keys[] = {
    "type",      "adds_to",        "folder",        "colour",   "relevance",
    "words",     "weak",           "except",        "title",    "text",
    "when",      "about_others",   "of_any_kind",   "examples", "when_first",
    "not_title", "title_examples", "page_examples", NULL};

static bool run_title(const struct rules *r, const struct lang *lang, const struct example *e,
                      struct str *got)
{
    (void)lang;
    return rules_try_title(r, e->name, got) && strcmp(str_c(got), e->expect) == 0;
}

bool example_is_title(const struct example *e)
{
    return e->run == run_title;
}

static bool run_page(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    return rules_try_page(r, lang, e->name, got) && strcmp(str_c(got), e->expect) == 0;
}

static bool run_type(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    (void)lang;
    return rules_try_name(r, e->name, got) && strcmp(str_c(got), e->expect) == 0;
}

static void load_type_fields(struct loading *l, yaml_node_t *node, struct type_rule *t,
                             const struct doc_type *file)
{
    struct rulefile *f = &l->file;
    yaml_node_t *when = rulefile_get(f, node, "when");
    const char *folder = load_folder(l, rulefile_get(f, node, "folder"));

    t->type.folder = folder ? folder : file->folder;
    if (!t->type.folder) {
        rulefile_error(f, node, "type %s has no folder", t->type.name);
        t->type.folder = "";
    }
    t->type.colour = load_colour(l, rulefile_get(f, node, "colour"), file->colour);
    t->type.relevance = load_relevance(l, rulefile_get(f, node, "relevance"), file->relevance);
    t->about_others = rulefile_flag(f, rulefile_get(f, node, "about_others"), false);
    t->of_any_kind = rulefile_flag(f, rulefile_get(f, node, "of_any_kind"), false);
    t->when = when ? condition_parse(f, when) : NULL;
    t->when_first = rulefile_flag(f, rulefile_get(f, node, "when_first"), false);
    loading_examples(l, rulefile_get(f, node, "examples"), run_type, t);
    loading_examples(l, rulefile_get(f, node, "title_examples"), run_title, t);
    loading_examples(l, rulefile_get(f, node, "page_examples"), run_page, t);
}

static void load_type(struct loading *l, yaml_node_t *node, const struct doc_type *file)
{
    struct type_source s = {.at = node};
    yaml_node_t *type, *adds;

    if (!rulefile_keys(&l->file, node, type_keys))
        return;
    type = rulefile_get(&l->file, node, "type");
    adds = rulefile_get(&l->file, node, "adds_to");
    if (!type == !adds) {
        rulefile_error(&l->file, node, "expected \"type: Name\" or \"adds_to: Name\"");
        return;
    }
    if (adds) {
        s.target = loading_text(l, adds, "adds_to");
    } else {
        const char *name = rulefile_text(&l->file, type, "type");

        s.rule = name ? make_type(l, type, name) : NULL;
    }
    if (!s.rule && !s.target)
        return;
    if (s.rule) {
        load_type_fields(l, node, s.rule, file);
        add_own_name(l, node, &s);
    }
    load_phrases(l, node, "words", &l->rules->words, &s);
    load_phrases(l, node, "weak", &l->rules->words, &s);
    load_phrases(l, node, "title", &l->rules->titles, &s);
    load_phrases(l, node, "text", &l->rules->texts, &s);
    load_except(l, node, "except", false);
    load_except(l, node, "not_title", true);
}

void load_types(struct loading *l)
{
    static const char *const keys[] = {"folder", "colour", "relevance", "types", NULL};
    struct doc_type file = {.colour = "#777777", .relevance = RELEVANCE_SUPPORTING};
    yaml_node_t *root = rulefile_root(&l->file), *list;

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    file.folder = load_folder(l, rulefile_get(&l->file, root, "folder"));
    file.colour = load_colour(l, rulefile_get(&l->file, root, "colour"), file.colour);
    file.relevance = load_relevance(l, rulefile_get(&l->file, root, "relevance"), file.relevance);
    list = rulefile_get(&l->file, root, "types");
    if (!rulefile_is_list(&l->file, list, "types"))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++)
        load_type(l, rulefile_item(&l->file, list, i), &file);
}
