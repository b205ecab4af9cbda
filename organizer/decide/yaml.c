#include "decide/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "decide/pattern.h"
#include "decide/rules.h"

static void say_at(struct rulefile *f, yaml_mark_t at, const char *text)
{
    str_addf(f->problems->text, "%s:%zu:%zu: %s\n", f->path, at.line + 1, at.column + 1, text);
}

static void add_parse_error(struct rulefile *f, const yaml_parser_t *parser)
{
    AUTO_FREE char *text =
        xasprintf("%s%s%s", parser->problem ? parser->problem : "not YAML",
                  parser->context ? ", " : "", parser->context ? parser->context : "");

    f->problems->errors++;
    say_at(f, parser->problem_mark, text);
}

int rulefile_read(struct rulefile *f, const char *path, const char *of, const char *text, size_t n,
                  struct problems *p)
{
    yaml_parser_t parser;

    *f = (struct rulefile){.path = path, .of = of, .problems = p};
    if (!yaml_parser_initialize(&parser)) {
        p->errors++;
        str_addf(p->text, "%s:1:1: out of memory\n", path);
        return -1;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    f->loaded = yaml_parser_load(&parser, &f->doc);
    if (!f->loaded)
        add_parse_error(f, &parser);
    yaml_parser_delete(&parser);
    return f->loaded ? 0 : -1;
}

void rulefile_clear(struct rulefile *f)
{
    if (f->loaded)
        yaml_document_delete(&f->doc);
    f->loaded = false;
}

yaml_node_t *rulefile_root(struct rulefile *f)
{
    return f->loaded ? yaml_document_get_root_node(&f->doc) : NULL;
}

char *rulefile_where(const struct rulefile *f, const yaml_node_t *node)
{
    const char *slash = strrchr(f->path, '/');

    return xasprintf("%s:%zu%s", slash ? slash + 1 : f->path, node->start_mark.line + 1, f->of);
}

__attribute__((format(printf, 3, 0))) static void say(struct rulefile *f, const yaml_node_t *node,
                                                      const char *fmt, va_list ap)
{
    char text[400];

    vsnprintf(text, sizeof text, fmt, ap);
    say_at(f, node ? node->start_mark : (yaml_mark_t){0, 0, 0}, text);
}

void rulefile_error(struct rulefile *f, const yaml_node_t *node, const char *fmt, ...)
{
    va_list ap;

    f->problems->errors++;
    va_start(ap, fmt);
    say(f, node, fmt, ap);
    va_end(ap);
}

void rulefile_warn(struct rulefile *f, const yaml_node_t *node, const char *fmt, ...)
{
    va_list ap;

    f->problems->warnings++;
    va_start(ap, fmt);
    say(f, node, fmt, ap);
    va_end(ap);
}

static const char *scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static bool is_among(const char *key, const char *const keys[])
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

static void add_unknown(struct rulefile *f, const yaml_node_t *at, const char *key,
                        const char *const keys[])
{
    AUTO_STR struct str known = STR_INIT;

    for (; *keys; keys++)
        str_addf(&known, "%s%s", known.len ? ", " : "", *keys);
    rulefile_error(f, at, "unknown key \"%s\"; known here: %s", key, str_c(&known));
}

bool rulefile_keys(struct rulefile *f, const yaml_node_t *node, const char *const keys[])
{
    if (!node || node->type != YAML_MAPPING_NODE) {
        rulefile_error(f, node, "expected \"key: value\" lines");
        return false;
    }
    for (size_t i = 0; i < rulefile_count(node); i++) {
        yaml_node_t *key, *value;
        const char *text;

        rulefile_pair(f, node, i, &key, &value);
        text = rulefile_text(f, key, "a key");
        if (!text)
            continue;
        if (!is_among(text, keys))
            add_unknown(f, key, text, keys);
        else if (rulefile_get(f, node, text) != value)
            rulefile_error(f, key, "\"%s\" is given twice", text);
    }
    return true;
}

yaml_node_t *rulefile_get(struct rulefile *f, const yaml_node_t *node, const char *key)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (size_t i = 0; i < rulefile_count(node); i++) {
        yaml_node_t *k, *v;
        const char *text;

        rulefile_pair(f, node, i, &k, &v);
        text = scalar(k);
        if (text && strcmp(text, key) == 0)
            return v;
    }
    return NULL;
}

size_t rulefile_count(const yaml_node_t *node)
{
    if (node && node->type == YAML_SEQUENCE_NODE)
        return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (node && node->type == YAML_MAPPING_NODE)
        return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return 0;
}

yaml_node_t *rulefile_item(struct rulefile *f, const yaml_node_t *node, size_t i)
{
    return yaml_document_get_node(&f->doc, node->data.sequence.items.start[i]);
}

void rulefile_pair(struct rulefile *f, const yaml_node_t *node, size_t i, yaml_node_t **key,
                   yaml_node_t **value)
{
    const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];

    *key = yaml_document_get_node(&f->doc, pair->key);
    *value = yaml_document_get_node(&f->doc, pair->value);
}

bool rulefile_is_list(struct rulefile *f, const yaml_node_t *node, const char *what)
{
    if (!node)
        return false;
    if (node->type == YAML_SEQUENCE_NODE)
        return true;
    rulefile_error(f, node, "expected a list for %s: [a, b] or lines starting with \"- \"", what);
    return false;
}

const char *rulefile_text(struct rulefile *f, const yaml_node_t *node, const char *what)
{
    const char *text = scalar(node);

    if (!text) {
        rulefile_error(f, node, "expected a text for %s", what);
        return NULL;
    }
    if (strlen(text) != node->data.scalar.length) {
        rulefile_error(f, node, "%s holds a NUL", what);
        return NULL;
    }
    return text;
}

bool rulefile_flag(struct rulefile *f, const yaml_node_t *node, bool otherwise)
{
    static const char *const yes[] = {"yes", "true", "on", NULL};
    static const char *const no[] = {"no", "false", "off", NULL};
    const char *text;

    if (!node)
        return otherwise;
    text = scalar(node);
    for (size_t i = 0; text && yes[i]; i++)
        if (strcasecmp(text, yes[i]) == 0)
            return true;
    for (size_t i = 0; text && no[i]; i++)
        if (strcasecmp(text, no[i]) == 0)
            return false;
    rulefile_error(f, node, "expected yes or no");
    return otherwise;
}

/* Column of byte `column` of the scalar at node: a quote mark stands before the first one. */
static yaml_mark_t mark_inside(const yaml_node_t *node, size_t column)
{
    yaml_mark_t at = node->start_mark;

    if (node->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
        node->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        at.column++;
    at.column += column;
    return at;
}

struct pattern *rulefile_pattern(struct rulefile *f, const yaml_node_t *node, const char *text,
                                 unsigned flags)
{
    struct error err = ERROR_INIT;
    size_t column = 0;
    struct pattern *p = pattern_new(text, flags, &column, &err);

    if (!p) {
        f->problems->errors++;
        say_at(f, mark_inside(node, column), err.text);
    } else if (pattern_runs_away(p)) {
        rulefile_error(f, node,
                       "this pattern runs away: it tries too many ways on some names; "
                       "avoid a repeat inside a repeat");
        pattern_free(p);
        p = NULL;
    }
    return p;
}
