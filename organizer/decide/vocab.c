#include "decide/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/rules_parts.h"

enum { NEAR = 2, WORD_MAX_BYTES = 64 };

/* --- loading: types/ *.yaml --- */

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
        if (strcmp(r->folders[i], text) != 0 && word_distance(r->folders[i], text, NEAR) <= NEAR)
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

    if (!phrases_add(x, text, s->rule ? (const void *)s->rule : r, weak,
                     s->rule ? s->rule->type.where : loading_where(l, node))) {
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

/* Words in a row that mean no type at all ("we will" is no Will). */
static void load_except(struct loading *l, yaml_node_t *type)
{
    yaml_node_t *list = rulefile_get(&l->file, type, "except");

    if (!rulefile_is_list(&l->file, list, "except"))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        const char *text = rulefile_text(&l->file, node, "words");

        if (text && !phrases_add(&l->rules->words, text, NULL, false, loading_where(l, node)))
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

static struct type_rule *find_type(const struct rules *r, const char *name)
{
    AUTO_FREE char *folded = utf8_fold(name);

    for (size_t i = 0; i < r->types_len; i++)
        if (strcmp(r->types[i]->folded, folded) == 0)
            return r->types[i];
    return NULL;
}

/* A new type; NULL when an earlier one of the same name is the one that counts. */
static struct type_rule *make_type(struct loading *l, yaml_node_t *node, const char *name)
{
    struct rules *r = l->rules;
    struct type_rule *t = find_type(r, name);

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

static const char *const type_keys[] = {"type",  "adds_to",      "folder",   "colour", "relevance",
                                        "words", "weak",         "except",   "title",  "text",
                                        "when",  "about_others", "examples", NULL};

static bool run_type(const struct rules *r, const struct example *e, struct str *got);

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
    t->when = when ? condition_parse(f, when) : NULL;
    loading_examples(l, rulefile_get(f, node, "examples"), run_type, t);
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
    load_except(l, node);
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

/* --- loading: case-types.yaml --- */

static const struct case_rule *find_case_type(const struct rules *r, const char *name, size_t n)
{
    AUTO_FREE char *copy = xmemdup0(name, n);
    AUTO_FREE char *folded = utf8_fold(copy);

    for (size_t i = 0; i < r->case_types_len; i++)
        for (const char **f = r->case_types[i]->folded; *f; f++)
            if (strcmp(*f, folded) == 0)
                return r->case_types[i];
    return NULL;
}

static bool run_case_type(const struct rules *r, const struct example *e, struct str *got)
{
    const struct case_type *t = rules_case_type(r, e->name);

    str_add(got, t ? t->name : "none");
    return strcmp(str_c(got), e->expect) == 0;
}

/* Is it, or one of its aliases, taken by a type of the same origin? */
static bool case_names_free(struct loading *l, yaml_node_t *node, const char *const *names,
                            size_t before)
{
    for (; *names; names++) {
        const struct case_rule *c = find_case_type(l->rules, *names, strlen(*names));

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
    const char *name;
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
    c->folded[0] = rules_keep(r, utf8_fold(name));
    for (size_t i = 0; i < n; i++)
        c->folded[i + 1] = rules_keep(r, utf8_fold(c->type.aliases[i]));
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

/* --- when all files are read --- */

static void resolve_addition(struct rules *r, const struct addition *a, struct problems *p)
{
    const struct type_rule *t = a->target ? find_type(r, a->target) : NULL;

    if (t) {
        a->index->v[a->phrase].owner = t;
        return;
    }
    p->errors++;
    str_addf(p->text, "%s: words for an unknown type \"%s\"\n", a->at, a->target);
}

static bool is_from_office(const struct phrase *p)
{
    return p->owner && ((const struct type_rule *)p->owner)->office;
}

/* Two types with the same words: the office's own counts; of one origin it is worth a word. */
static void settle_doubles(struct phrase_index *x, struct problems *p)
{
    for (size_t i = 0; i < x->len; i++)
        for (const struct phrase *q = phrases_same(x, &x->v[i], 0); q;
             q = phrases_same(x, &x->v[i], (size_t)(q - x->v) + 1)) {
            if (q->owner == x->v[i].owner || !q->owner || !x->v[i].owner)
                continue;
            if (is_from_office(&x->v[i]) && !is_from_office(q)) {
                phrases_hide(x, (size_t)(q - x->v));
            } else if (is_from_office(&x->v[i]) == is_from_office(q) && q < &x->v[i]) {
                p->warnings++;
                str_addf(p->text,
                         "%s: \"%s\" is also a word of another type, at %s: such a name "
                         "will be a question\n",
                         x->v[i].where, q->text, q->where);
            }
        }
}

void vocab_finish(struct rules *r, struct problems *p)
{
    for (size_t i = 0; i < r->additions_len; i++)
        resolve_addition(r, &r->additions[i], p);
    if (p->errors)
        return;
    settle_doubles(&r->words, p);
}

void type_rule_free(struct type_rule *t)
{
    phrases_clear(&t->own);
    condition_free(t->when);
    free(t);
}

void case_rule_free(struct case_rule *c)
{
    const char *const *aliases = c->type.aliases;

    cleanup_free(&aliases);
    free(c->signals);
    free(c->folded);
    free(c);
}

/* --- lookups --- */

/* Bytes of the word itself: what stands behind a '-' is set aside ("Divorce-2024"). */
static size_t head_len(const char *word)
{
    size_t n = strcspn(word, "-");

    return n ? n : strlen(word);
}

const struct doc_type *rules_doc_type(const struct rules *r, const char *name)
{
    AUTO_FREE char *head = xmemdup0(name, head_len(name));
    const struct type_rule *t = find_type(r, head);

    return t ? &t->type : NULL;
}

const struct doc_type *rules_doc_type_at(const struct rules *r, size_t i)
{
    return i < r->types_len ? &r->types[i]->type : NULL;
}

const struct case_type *rules_case_type(const struct rules *r, const char *name)
{
    const struct case_rule *c = find_case_type(r, name, head_len(name));

    return c ? &c->type : NULL;
}

const struct case_type *rules_case_type_at(const struct rules *r, size_t i)
{
    return i < r->case_types_len ? &r->case_types[i]->type : NULL;
}

const char *const *rules_folders(const struct rules *r)
{
    return r->folders;
}

bool rules_is_standard_folder(const struct rules *r, const char *folder)
{
    for (size_t i = 0; i < r->folders_len; i++)
        if (strcmp(r->folders[i], folder) == 0)
            return true;
    return false;
}

/* --- near misses --- */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

size_t word_distance(const char *a, const char *b, size_t most)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[3][WORD_MAX_BYTES];

    if (n >= WORD_MAX_BYTES || m >= WORD_MAX_BYTES || (n > m ? n - m : m - n) > most)
        return most + 1;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[n % 3][m] > most ? most + 1 : row[n % 3][m];
}

/* Names found so far, nearest first. */
struct near {
    const char **out;
    size_t distance[32];
    size_t len, max;
};

/* Short words are near to everything: they may differ by less. */
static size_t allowance(const char *word)
{
    size_t n = strlen(word);

    return n < 4 ? n / 2 : NEAR;
}

static void near_offer(struct near *near, const char *word, const char *other, const char *name)
{
    size_t d = word_distance(word, other, NEAR), at = near->len;

    if (d > allowance(word))
        return;
    for (size_t i = 0; i < near->len; i++)
        if (near->out[i] == name)
            return;
    while (at > 0 && near->distance[at - 1] > d)
        at--;
    if (at >= near->max)
        return;
    if (near->len < near->max)
        near->len++;
    for (size_t i = near->len - 1; i > at; i--) {
        near->out[i] = near->out[i - 1];
        near->distance[i] = near->distance[i - 1];
    }
    near->out[at] = name;
    near->distance[at] = d;
}

static struct near near_start(const char **out, size_t max)
{
    struct near near = {.out = out, .max = max > 32 ? 32 : max};

    return near;
}

/* Folded, and without the spaces that people put into "motion to dismis". */
static char *squeeze(const char *word)
{
    AUTO_FREE char *head = xmemdup0(word, head_len(word));
    char *folded = utf8_fold_plain(head), *to = folded;

    for (const char *from = folded; *from; from++)
        if (*from != ' ' && *from != '\'')
            *to++ = *from;
    *to = '\0';
    return folded;
}

size_t rules_near_doc_types(const struct rules *r, const char *word, const char **out, size_t max)
{
    AUTO_FREE char *key = squeeze(word);
    struct near near = near_start(out, max);

    for (size_t i = 0; i < r->types_len; i++)
        near_offer(&near, key, r->types[i]->folded, r->types[i]->type.name);
    for (size_t i = 0; i < r->words.len; i++) {
        const struct type_rule *t = r->words.v[i].owner;

        if (t && r->words.v[i].len == 1 && strlen(r->words.v[i].text) > 4)
            near_offer(&near, key, r->words.v[i].text, t->type.name);
    }
    return near.len;
}

size_t rules_near_case_types(const struct rules *r, const char *word, const char **out, size_t max)
{
    AUTO_FREE char *key = squeeze(word);
    struct near near = near_start(out, max);

    for (size_t i = 0; i < r->case_types_len; i++)
        for (const char **f = r->case_types[i]->folded; *f; f++)
            near_offer(&near, key, *f, r->case_types[i]->type.name);
    return near.len;
}

/* --- examples of types --- */

static bool run_type(const struct rules *r, const struct example *e, struct str *got)
{
    return rules_try_name(r, e->name, got) && strcmp(str_c(got), e->expect) == 0;
}
