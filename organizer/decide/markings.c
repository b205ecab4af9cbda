/* markings: PRIVILEGED and the like on the first page. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "decide/rules_parts.h"

enum { LINE_MAX = 100, WORDS_MAX = 14, FIRST_LINES = 5 };

static const struct {
    const char *key;
    unsigned flag;
} markings[] = {
    {"privileged", CONTENT_IS_PRIVILEGED},
    {"work product", CONTENT_IS_WORK_PRODUCT},
};

static void load_patterns(struct loading *l, yaml_node_t *list, const char *key, unsigned flag)
{
    struct rules *r = l->rules;

    if (!list || !rulefile_is_list(&l->file, list, key))
        return;
    for (size_t i = 0; i < rulefile_count(list); i++) {
        yaml_node_t *node = rulefile_item(&l->file, list, i);
        const char *text = rulefile_text(&l->file, node, "a pattern");
        struct marking m = {.flag = flag, .where = loading_where(l, node)};
        AUTO_FREE char *whole = text ? xasprintf("^(?:%s)", text) : NULL;

        m.pattern = text ? rulefile_pattern(&l->file, node, whole, PATTERN_CASELESS) : NULL;
        if (!m.pattern)
            continue;
        GROW(r->markings, r->markings_len, r->markings_cap);
        r->markings[r->markings_len++] = m;
    }
}

static unsigned marks_of(const struct rules *r, const char *line)
{
    unsigned flags = 0;

    for (size_t i = 0; i < r->markings_len; i++)
        if (!(flags & r->markings[i].flag) &&
            pattern_match(r->markings[i].pattern, line, NULL) == PATTERN_YES)
            flags |= r->markings[i].flag;
    return flags;
}

static bool run_marking(const struct rules *r, const struct lang *lang, const struct example *e,
                        struct str *got)
{
    unsigned flags = marks_of(r, e->name);

    (void)lang;
    for (size_t i = 0; i < sizeof markings / sizeof *markings; i++)
        if (flags & markings[i].flag)
            str_addf(got, "%s%s", got->len ? ", " : "", markings[i].key);
    if (!flags)
        str_add(got, "none");
    return strcmp(str_c(got), e->expect) == 0;
}

void load_markings(struct loading *l)
{
    static const char *const keys[] = {"privileged", "work product", "examples", NULL};
    yaml_node_t *root = rulefile_root(&l->file);

    if (!root || !rulefile_keys(&l->file, root, keys))
        return;
    for (size_t i = 0; i < sizeof markings / sizeof *markings; i++)
        load_patterns(l, rulefile_get(&l->file, root, markings[i].key), markings[i].key,
                      markings[i].flag);
    loading_examples(l, rulefile_get(&l->file, root, "examples"), run_marking, NULL);
}

/* Most letters are capitals. */
static bool is_capitals(const char *s)
{
    size_t upper = 0, letters = 0;

    for (const char *end = s + strlen(s); s < end;) {
        int32_t c = utf8_next(&s, end);

        if (c < 0 || !utf8_is_word(c))
            continue;
        upper += utf8_is_upper(c);
        letters += utf8_is_upper(c) || utf8_lower(c) != c || (c >= 'a' && c <= 'z');
    }
    return letters > 3 && upper * 10 >= letters * 7;
}

static bool stands_out(const struct content_line *l, size_t number)
{
    size_t words = 1;

    if (l->page != 1 || utf8_count(l->text, strlen(l->text)) > LINE_MAX)
        return false;
    for (const char *s = l->text; *s; s++)
        words += *s == ' ';
    return words <= WORDS_MAX && (number < FIRST_LINES || l->bold || l->centred || l->heading ||
                                  is_capitals(l->text));
}

void rules_mark(const struct rules *r, struct content *c)
{
    for (size_t i = 0; i < c->lines_len; i++)
        if (stands_out(&c->lines[i], i))
            c->flags |= marks_of(r, c->lines[i].text);
    if (c->subject)
        c->flags |= marks_of(r, c->subject);
}
