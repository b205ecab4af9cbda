#include "decide/match_when.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "decide/heading.h"
#include "decide/pattern.h"

enum { DEPTH_MAX = 8 };

struct condition {
    const struct sort *sort;
    struct pattern *pattern; /* name, title, text, subject, sender */
    char **globs;            /* folder, mime, extension */
    size_t globs_len, globs_cap;
    uint64_t least, most;    /* size, pages, form */
    struct condition **kids; /* all, any, not */
    size_t kids_len, kids_cap;
};

/* One sort of condition. */
struct sort {
    const char *name;
    void (*parse)(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth);
    enum answer (*answer)(const struct condition *c, const struct facts *f, const char **by);
    void (*describe)(const struct condition *c, struct str *out);
};

static struct condition *parse_all(struct rulefile *f, yaml_node_t *node, int depth);

/* --- patterns --- */

static void parse_pattern(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    const char *text = rulefile_text(f, node, "a pattern");

    (void)depth;
    if (text)
        c->pattern = rulefile_pattern(f, node, text, PATTERN_CASELESS);
}

static enum answer answer_pattern(const struct condition *c, const char *text)
{
    if (!c->pattern)
        return ANSWER_NO;
    switch (pattern_match(c->pattern, text, NULL)) {
    case PATTERN_YES:
        return ANSWER_YES;
    case PATTERN_NO:
        return ANSWER_NO;
    default:
        return ANSWER_CANNOT_TELL;
    }
}

static enum answer answer_name(const struct condition *c, const struct facts *f, const char **by)
{
    (void)by;
    return answer_pattern(c, f->name);
}

/* Of what the document says; `what` is its text of that kind, NULL when it has none. */
static enum answer answer_said(const struct condition *c, const struct facts *f, const char *what)
{
    if (!f->content)
        return f->read_failed ? ANSWER_CANNOT_TELL : ANSWER_NO;
    return what ? answer_pattern(c, what) : ANSWER_NO;
}

static enum answer answer_title(const struct condition *c, const struct facts *f, const char **by)
{
    const struct heading *h = facts_heading(f);
    enum answer sum = answer_said(c, f, NULL);

    (void)by;
    for (size_t i = 0; h && i < h->titles && sum == ANSWER_NO; i++)
        sum = answer_said(c, f, h->title[i]);
    return sum;
}

static enum answer answer_text(const struct condition *c, const struct facts *f, const char **by)
{
    const struct heading *h = facts_heading(f);

    (void)by;
    return answer_said(c, f, h ? h->text : NULL);
}

static enum answer answer_subject(const struct condition *c, const struct facts *f, const char **by)
{
    const struct heading *h = facts_heading(f);

    (void)by;
    return answer_said(c, f, h ? h->subject : NULL);
}

static enum answer answer_sender(const struct condition *c, const struct facts *f, const char **by)
{
    const struct content *said = facts_content(f);

    (void)by;
    return answer_said(c, f, said ? said->sender : NULL);
}

static void describe_pattern(const struct condition *c, struct str *out)
{
    str_addf(out, "/%s/", c->pattern ? pattern_text(c->pattern) : "");
}

/* --- wildcards --- */

static void add_glob(struct rulefile *f, yaml_node_t *node, struct condition *c)
{
    const char *text = rulefile_text(f, node, c->sort->name);

    if (!text)
        return;
    if (!*text)
        rulefile_error(f, node, "%s is empty", c->sort->name);
    GROW(c->globs, c->globs_len, c->globs_cap);
    c->globs[c->globs_len++] = xstrdup(text);
}

static void parse_globs(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    (void)depth;
    if (node->type != YAML_SEQUENCE_NODE) {
        add_glob(f, node, c);
        return;
    }
    for (size_t i = 0; i < rulefile_count(node); i++)
        add_glob(f, rulefile_item(f, node, i), c);
}

static enum answer answer_globs(const struct condition *c, const char *text)
{
    for (size_t i = 0; i < c->globs_len; i++)
        if (glob_match(c->globs[i], text))
            return ANSWER_YES;
    return ANSWER_NO;
}

static enum answer answer_folder(const struct condition *c, const struct facts *f, const char **by)
{
    (void)by;
    return answer_globs(c, f->folder ? f->folder : "");
}

static enum answer answer_mime(const struct condition *c, const struct facts *f, const char **by)
{
    (void)by;
    return f->read_failed ? ANSWER_CANNOT_TELL : answer_globs(c, kind_info(f->kind)->mime);
}

static enum answer answer_extension(const struct condition *c, const struct facts *f,
                                    const char **by)
{
    const char *dot = strrchr(f->name, '.');

    (void)by;
    return answer_globs(c, dot && dot != f->name ? dot + 1 : "");
}

static void describe_globs(const struct condition *c, struct str *out)
{
    for (size_t i = 0; i < c->globs_len; i++)
        str_addf(out, "%s%s", i ? " or " : "", c->globs[i]);
}

/* --- size --- */

static bool parse_bytes(const char *s, uint64_t *bytes)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {{"", 1}, {"B", 1}, {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000}};
    char *end;
    unsigned long long n = strtoull(s, &end, 10);

    if (end == s || n > UINT64_MAX / 1000000000)
        return false;
    end += strspn(end, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(end, units[i].unit) == 0) {
            *bytes = n * units[i].factor;
            return true;
        }
    return false;
}

static void parse_size(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    const char *text = rulefile_text(f, node, "size");
    uint64_t bytes;

    (void)depth;
    c->least = 1;
    if (!text)
        return;
    if ((*text != '<' && *text != '>') || !parse_bytes(text + 1 + strspn(text + 1, " "), &bytes)) {
        rulefile_error(f, node, "expected a size such as \"> 10 MB\" or \"< 500 kB\"");
        return;
    }
    c->least = *text == '>' ? bytes + 1 : 0;
    c->most = *text == '>' ? UINT64_MAX : bytes ? bytes - 1 : 0;
}

static enum answer answer_size(const struct condition *c, const struct facts *f, const char **by)
{
    (void)by;
    return f->size >= c->least && f->size <= c->most ? ANSWER_YES : ANSWER_NO;
}

static void describe_size(const struct condition *c, struct str *out)
{
    if (c->most == UINT64_MAX)
        str_addf(out, "> %llu", (unsigned long long)(c->least - 1));
    else
        str_addf(out, "< %llu", (unsigned long long)(c->most + 1));
}

/* --- pages, form --- */

/* "> 10", "< 3" or "2". */
static void parse_pages(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    const char *text = rulefile_text(f, node, "pages"), *p = text;
    char *end;
    unsigned long n;

    (void)depth;
    c->least = 1;
    if (!text)
        return;
    p += *p == '<' || *p == '>';
    n = strtoul(p, &end, 10);
    if (end == p || *end) {
        rulefile_error(f, node, "expected a number of pages such as 1, \"> 10\" or \"< 3\"");
        return;
    }
    c->least = *text == '>' ? n + 1 : *text == '<' ? 1 : n;
    c->most = *text == '>' ? UINT64_MAX : *text == '<' ? n - (n > 0) : n;
}

/* A document without pages, or whose pages nobody counted, has none to compare. */
static enum answer answer_pages(const struct condition *c, const struct facts *f, const char **by)
{
    const struct content *said = facts_content(f);

    (void)by;
    if (!said)
        return f->read_failed ? ANSWER_CANNOT_TELL : ANSWER_NO;
    return said->pages && said->pages >= c->least && said->pages <= c->most ? ANSWER_YES
                                                                            : ANSWER_NO;
}

static void describe_pages(const struct condition *c, struct str *out)
{
    if (c->most == UINT64_MAX)
        str_addf(out, "> %llu", (unsigned long long)(c->least - 1));
    else if (c->least == c->most)
        str_addf(out, "%llu", (unsigned long long)c->most);
    else
        str_addf(out, "< %llu", (unsigned long long)(c->most + 1));
}

static void parse_form(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    const char *text = rulefile_text(f, node, "form");
    int form = text ? form_parse(text) : -1;

    (void)depth;
    c->least = 1;
    if (form < 0 && text)
        rulefile_error(f, node, "expected court, letter, memo, mail or plain");
    if (form >= 0)
        c->least = c->most = (uint64_t)form;
}

static enum answer answer_form(const struct condition *c, const struct facts *f, const char **by)
{
    const struct heading *h = facts_heading(f);

    (void)by;
    if (!h)
        return f->read_failed ? ANSWER_CANNOT_TELL : ANSWER_NO;
    return (uint64_t)h->form == c->least && c->least == c->most ? ANSWER_YES : ANSWER_NO;
}

static void describe_form(const struct condition *c, struct str *out)
{
    if (c->least == c->most)
        str_add(out, form_name((enum form)c->least));
}

/* --- all, any, not --- */

static void add_kid(struct condition *c, struct condition *kid)
{
    GROW(c->kids, c->kids_len, c->kids_cap);
    c->kids[c->kids_len++] = kid;
}

static void parse_kids(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    if (!rulefile_is_list(f, node, c->sort->name))
        return;
    if (rulefile_count(node) == 0)
        rulefile_error(f, node, "%s is empty", c->sort->name);
    for (size_t i = 0; i < rulefile_count(node); i++)
        add_kid(c, parse_all(f, rulefile_item(f, node, i), depth + 1));
}

static void parse_not(struct rulefile *f, yaml_node_t *node, struct condition *c, int depth)
{
    add_kid(c, parse_all(f, node, depth + 1));
}

/* The first kid that answers `settles` does; else cannot tell if one cannot. */
static enum answer ask_kids(const struct condition *c, const struct facts *f, const char **by,
                            enum answer settles)
{
    enum answer sum = settles == ANSWER_YES ? ANSWER_NO : ANSWER_YES;

    for (size_t i = 0; i < c->kids_len; i++) {
        enum answer a = condition_answer(c->kids[i], f, by);

        if (a == settles)
            return a;
        if (a == ANSWER_CANNOT_TELL)
            sum = a;
    }
    return sum;
}

static enum answer answer_all(const struct condition *c, const struct facts *f, const char **by)
{
    return c->kids_len ? ask_kids(c, f, by, ANSWER_NO) : ANSWER_NO;
}

static enum answer answer_any(const struct condition *c, const struct facts *f, const char **by)
{
    return ask_kids(c, f, by, ANSWER_YES);
}

static enum answer answer_not(const struct condition *c, const struct facts *f, const char **by)
{
    enum answer a = ask_kids(c, f, by, ANSWER_YES);

    if (a == ANSWER_CANNOT_TELL)
        return a;
    return a == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
}

static void describe_kids(const struct condition *c, struct str *out)
{
    str_addc(out, '(');
    for (size_t i = 0; i < c->kids_len; i++) {
        str_add(out, i ? ", " : "");
        condition_describe(c->kids[i], out);
    }
    str_addc(out, ')');
}

static const struct sort sorts[] = {
    {"name", parse_pattern, answer_name, describe_pattern},
    {"folder", parse_globs, answer_folder, describe_globs},
    {"mime", parse_globs, answer_mime, describe_globs},
    {"extension", parse_globs, answer_extension, describe_globs},
    {"size", parse_size, answer_size, describe_size},
    {"title", parse_pattern, answer_title, describe_pattern},
    {"text", parse_pattern, answer_text, describe_pattern},
    {"subject", parse_pattern, answer_subject, describe_pattern},
    {"sender", parse_pattern, answer_sender, describe_pattern},
    {"pages", parse_pages, answer_pages, describe_pages},
    {"form", parse_form, answer_form, describe_form},
    {"all", parse_kids, answer_all, describe_kids},
    {"any", parse_kids, answer_any, describe_kids},
    {"not", parse_not, answer_not, describe_kids},
};
enum { SORTS = sizeof sorts / sizeof *sorts, SORT_ALL = 11 };

static const struct sort *find_sort(const char *name)
{
    for (size_t i = 0; i < SORTS; i++)
        if (strcmp(sorts[i].name, name) == 0)
            return &sorts[i];
    return NULL;
}

/* A mapping: every line of it has to hold. */
static struct condition *parse_all(struct rulefile *f, yaml_node_t *node, int depth)
{
    const char *known[SORTS + 1] = {NULL};
    struct condition *all = xcalloc(1, sizeof *all);

    all->sort = &sorts[SORT_ALL];
    for (size_t i = 0; i < SORTS; i++)
        known[i] = sorts[i].name;
    if (depth > DEPTH_MAX) {
        rulefile_error(f, node, "conditions are nested too deeply");
        return all;
    }
    if (!rulefile_keys(f, node, known))
        return all;
    if (rulefile_count(node) == 0)
        rulefile_error(f, node, "expected a condition");
    for (size_t i = 0; i < rulefile_count(node); i++) {
        yaml_node_t *key, *value;
        const struct sort *sort;
        struct condition *c;

        rulefile_pair(f, node, i, &key, &value);
        sort =
            key->type == YAML_SCALAR_NODE ? find_sort((const char *)key->data.scalar.value) : NULL;
        if (!sort)
            continue; /* rulefile_keys() has said so */
        c = xcalloc(1, sizeof *c);
        c->sort = sort;
        c->sort->parse(f, value, c, depth);
        add_kid(all, c);
    }
    return all;
}

struct condition *condition_parse(struct rulefile *f, yaml_node_t *node)
{
    return parse_all(f, node, 0);
}

void condition_free(struct condition *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->kids_len; i++)
        condition_free(c->kids[i]);
    for (size_t i = 0; i < c->globs_len; i++)
        free(c->globs[i]);
    free(c->kids);
    free(c->globs);
    pattern_free(c->pattern);
    free(c);
}

enum answer condition_answer(const struct condition *c, const struct facts *f, const char **by)
{
    const char *deeper = c->sort->name;
    enum answer a = c->sort->answer(c, f, &deeper);

    if (by)
        *by = deeper;
    return a;
}

void condition_describe(const struct condition *c, struct str *out)
{
    if (c->sort == &sorts[SORT_ALL] && c->kids_len == 1) {
        condition_describe(c->kids[0], out);
        return;
    }
    str_addf(out, "%s ", c->sort->name);
    c->sort->describe(c, out);
}

bool condition_is_always(const struct condition *c)
{
    static char names[][12] = {"x", "Zq 93.qqq", "", "\x01.\x02", "~7_7-.w9"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct content_line line = {.text = names[i]};
        const struct content said = {
            .lines = &line, .lines_len = 1, .subject = names[i], .sender = names[i]};
        const struct heading heading = {
            .title = {names[i]}, .titles = 1, .subject = names[i], .text = names[i]};
        struct facts f = {.name = names[i],
                          .folder = names[i],
                          .kind = i % 2 ? KIND_DATA : KIND_PST,
                          .size = i * i * 1000000007U,
                          .content = &said,
                          .heading = &heading};

        if (condition_answer(c, &f, NULL) != ANSWER_YES)
            return false;
    }
    return true;
}
