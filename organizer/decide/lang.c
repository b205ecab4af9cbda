#include "decide/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "decide/rules.h"
#include "decide/yaml.h"

enum { FILE_MAX = 1 << 20 };

struct entry {
    char *key;
    char *text;  /* NULL for a list */
    char **list; /* NULL-terminated; NULL for a sentence */
};

struct lang {
    struct entry *v; /* sorted by key */
    size_t len, cap;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static char **read_list(struct rulefile *f, yaml_node_t *node)
{
    size_t n = rulefile_count(node);
    char **list = xcalloc(n + 1, sizeof *list);

    for (size_t i = 0; i < n; i++) {
        const char *text = rulefile_text(f, rulefile_item(f, node, i), "an item");

        list[i] = xstrdup(text ? text : "");
    }
    return list;
}

static void read_entry(struct lang *l, struct rulefile *f, yaml_node_t *key, yaml_node_t *value)
{
    const char *name = rulefile_text(f, key, "a key");
    struct entry e = {0};

    if (!name)
        return;
    if (value->type == YAML_SEQUENCE_NODE) {
        e.list = read_list(f, value);
    } else {
        e.text = xstrdup(rulefile_text(f, value, name));
        if (!e.text)
            return;
    }
    if (rulefile_get(f, rulefile_root(f), name) != value)
        rulefile_error(f, key, "\"%s\" is given twice", name);
    e.key = xstrdup(name);
    GROW(l->v, l->len, l->cap);
    l->v[l->len++] = e;
}

static void read_entries(struct lang *l, struct rulefile *f)
{
    yaml_node_t *root = rulefile_root(f);

    if (!root || root->type != YAML_MAPPING_NODE) {
        rulefile_error(f, root, "expected \"key: sentence\" lines");
        return;
    }
    for (size_t i = 0; i < rulefile_count(root); i++) {
        yaml_node_t *key, *value;

        rulefile_pair(f, root, i, &key, &value);
        read_entry(l, f, key, value);
    }
    if (l->len)
        qsort(l->v, l->len, sizeof *l->v, by_key);
}

struct lang *lang_load(const char *path, struct error *err)
{
    AUTO_STR struct str text = STR_INIT, wrong = STR_INIT;
    struct problems problems = {.text = &wrong};
    struct rulefile f;
    struct lang *l;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || io_read_all(fd, &text, FILE_MAX) < 0) {
        error_set(err, errno, "%s:1:1: cannot be read", path);
        return NULL;
    }
    l = xcalloc(1, sizeof *l);
    if (rulefile_read(&f, path, "", str_c(&text), text.len, &problems) == 0)
        read_entries(l, &f);
    rulefile_clear(&f);
    if (!problems.errors)
        return l;
    str_cut(&wrong, strcspn(str_c(&wrong), "\n"));
    error_set(err, 0, "%s", str_c(&wrong));
    lang_free(l);
    return NULL;
}

void lang_free(struct lang *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->len; i++) {
        for (char **item = l->v[i].list; item && *item; item++)
            free(*item);
        free(l->v[i].list);
        free(l->v[i].text);
        free(l->v[i].key);
    }
    free(l->v);
    free(l);
}

static const struct entry *find(const struct lang *l, const char *key)
{
    size_t low = 0, high = l ? l->len : 0;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(l->v[mid].key, key);

        if (order == 0)
            return &l->v[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const char *lang_get(const struct lang *l, const char *key)
{
    const struct entry *e = find(l, key);

    return e && e->text ? e->text : key;
}

const char *const *lang_list(const struct lang *l, const char *key)
{
    static const char *const none[] = {NULL};
    const struct entry *e = find(l, key);

    return e && e->list ? (const char *const *)e->list : none;
}

/* The argument named by the n bytes at name: 1 with *value, 0 when there is none of that name. */
static int find_argument(va_list ap, const char *name, size_t n, const char **value)
{
    const char *key;

    while ((key = va_arg(ap, const char *))) {
        *value = va_arg(ap, const char *);
        if (strlen(key) == n && strncmp(key, name, n) == 0)
            return 1;
    }
    return 0;
}

char *lang_format(const struct lang *l, const char *key, ...)
{
    struct str out = STR_INIT;

    for (const char *s = lang_get(l, key); *s; s++) {
        const char *end = *s == '{' ? strchr(s, '}') : NULL;
        const char *value = NULL;
        va_list ap;
        int found = 0;

        if (end) {
            va_start(ap, key);
            found = find_argument(ap, s + 1, (size_t)(end - s - 1), &value);
            va_end(ap);
        }
        if (found) {
            str_add(&out, value ? value : "");
            s = end;
        } else {
            str_addc(&out, *s);
        }
    }
    return str_detach(&out);
}
