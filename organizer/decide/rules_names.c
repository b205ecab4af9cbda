/* rules_names: the naming convention, read and written. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "decide/rules_parts.h"

static const char *const fields[] = {"client", "case_type", "type", "words",
                                     "date",   "serial",    "ext",  NULL};
enum { FIELDS = 7, FIELDS_NEEDED = 5 };

static char **field_of(struct name_parts *p, size_t i)
{
    char **const all[FIELDS] = {&p->client, &p->case_type, &p->type, &p->words,
                                &p->date,   &p->serial,    &p->ext};

    return all[i];
}

static const char *field_text(const struct name_parts *p, const char *name, size_t n)
{
    const char *const all[FIELDS] = {p->client, p->case_type, p->type, p->words,
                                     p->date,   p->serial,    p->ext};

    for (size_t i = 0; i < FIELDS; i++)
        if (strlen(fields[i]) == n && strncmp(fields[i], name, n) == 0)
            return all[i];
    return NULL;
}

static bool run_name(const struct rules *r, const struct lang *lang, const struct example *e,
                     struct str *got)
{
    struct name_parts p;

    (void)lang;
    str_add(got, rules_parse_name(r, e->name, &p) ? "yes" : "no");
    name_parts_clear(&p);
    return strcmp(str_c(got), e->expect) == 0;
}

/* Every {field} is a known one, every [ has its ]. */
static bool template_is_good(const char *t)
{
    bool open = false;

    for (; *t; t++) {
        if (*t == '[' || *t == ']') {
            if (open == (*t == '['))
                return false;
            open = !open;
        } else if (*t == '{') {
            const char *end = strchr(t, '}');
            bool known = false;

            for (size_t i = 0; end && i < FIELDS; i++)
                known |= strlen(fields[i]) == (size_t)(end - t - 1) &&
                         strncmp(fields[i], t + 1, (size_t)(end - t - 1)) == 0;
            if (!known)
                return false;
            t = end;
        }
    }
    return !open;
}

static void load_convention(struct loading *l, yaml_node_t *node)
{
    static const char *const keys[] = {"pattern", "template", "examples", NULL};
    struct rulefile *f = &l->file;
    struct rules *r = l->rules;
    struct convention c = {.where = loading_where(l, node)};
    yaml_node_t *at;
    const char *text;

    if (!rulefile_keys(f, node, keys))
        return;
    at = rulefile_get(f, node, "pattern");
    text = rulefile_text(f, at ? at : node, "pattern");
    if (!text || !(c.pattern = rulefile_pattern(f, at, text, 0)))
        return;
    GROW(r->conventions, r->conventions_len, r->conventions_cap);
    r->conventions[r->conventions_len++] = c;
    for (size_t i = 0; i < FIELDS; i++)
        if (!pattern_has_group(c.pattern, fields[i]) && i != 3 && i < FIELDS_NEEDED)
            rulefile_error(f, at, "the pattern has no group (?<%s>…)", fields[i]);
    at = rulefile_get(f, node, "template");
    text = loading_text(l, at ? at : node, "template");
    r->conventions[r->conventions_len - 1].template = text;
    if (text && !template_is_good(text))
        rulefile_error(f, at,
                       "expected a template such as \"{client}_{type}[-{words}]_{date}\" of "
                       "client, case_type, type, words, date, serial, ext");
    loading_examples(l, rulefile_get(f, node, "examples"), run_name, NULL);
}

void load_conventions(struct loading *l)
{
    static const char *const keys[] = {"conventions", NULL};
    yaml_node_t *root = rulefile_root(&l->file), *list;

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    list = rulefile_get(&l->file, root, "conventions");
    if (!rulefile_is_list(&l->file, list, "conventions"))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++)
        load_convention(l, rulefile_item(&l->file, list, i));
}

bool rules_parse_name(const struct rules *r, const char *name, struct name_parts *out)
{
    *out = (struct name_parts){0};
    for (size_t i = 0; i < r->conventions_len; i++) {
        struct pattern_match m;

        if (pattern_match(r->conventions[i].pattern, name, &m) != PATTERN_YES)
            continue;
        for (size_t k = 0; k < FIELDS; k++)
            *field_of(out, k) = pattern_group(&m, fields[k]);
        return true;
    }
    return false;
}

void name_parts_clear(struct name_parts *p)
{
    for (size_t i = 0; i < FIELDS; i++)
        free(*field_of(p, i));
    *p = (struct name_parts){0};
}

char *rules_make_name(const struct rules *r, const struct name_parts *p)
{
    char room[256];
    struct str out = STR_ON(room);
    size_t open = 0;    /* length before the '[' */
    bool filled = true; /* a field inside the brackets has a value */

    for (const char *t = r->conventions_len ? r->conventions[0].template : ""; *t; t++) {
        if (*t == '[') {
            open = out.len;
            filled = false;
        } else if (*t == ']') {
            if (!filled)
                str_cut(&out, open);
            filled = true;
        } else if (*t == '{') {
            const char *end = strchr(t, '}');
            const char *text = field_text(p, t + 1, (size_t)(end - t - 1));

            str_add(&out, text ? text : "");
            filled |= text && *text;
            t = end;
        } else {
            str_addc(&out, *t);
        }
    }
    return str_detach(&out);
}
