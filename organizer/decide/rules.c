#include "decide/rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/rules_parts.h"

enum { FILE_MAX = 4 << 20 };

const char *rules_keep(struct rules *r, char *owned)
{
    if (!owned)
        return NULL;
    GROW(r->strings, r->strings_len, r->strings_cap);
    r->strings[r->strings_len++] = owned;
    return owned;
}

const char *loading_where(struct loading *l, const yaml_node_t *node)
{
    return rules_keep(l->rules, rulefile_where(&l->file, node));
}

const char *loading_text(struct loading *l, const yaml_node_t *node, const char *what)
{
    return rules_keep(l->rules, xstrdup(rulefile_text(&l->file, node, what)));
}

const char **loading_texts(struct loading *l, yaml_node_t *node, const char *what)
{
    bool single = node && node->type == YAML_SCALAR_NODE;
    size_t n = single ? 1 : rulefile_is_list(&l->file, node, what) ? rulefile_count(node) : 0;
    const char **texts = xcalloc(n + 1, sizeof *texts);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item = single ? node : rulefile_item(&l->file, node, i);

        texts[len] = loading_text(l, item, what);
        if (texts[len])
            len++;
    }
    return texts;
}

/* "Motion", or "Motion, Order" for the list [Motion, Order]. */
static char *read_expected(struct loading *l, yaml_node_t *node)
{
    const char **texts = loading_texts(l, node, "what an example yields");
    struct str joined = STR_INIT;

    for (size_t i = 0; texts[i]; i++)
        str_addf(&joined, "%s%s", i ? ", " : "", texts[i]);
    free(texts);
    return str_detach(&joined);
}

void loading_examples(struct loading *l, yaml_node_t *node, example_run *run, const void *rule)
{
    struct rules *r = l->rules;

    if (!node)
        return;
    if (node->type != YAML_MAPPING_NODE) {
        rulefile_error(&l->file, node, "expected examples as \"name: what it is\" lines");
        return;
    }
    for (size_t i = 0; i < rulefile_count(node); i++) {
        yaml_node_t *key, *value;
        struct example e = {.run = run, .rule = rule};

        rulefile_pair(&l->file, node, i, &key, &value);
        e.name = loading_text(l, key, "an example");
        e.expect = rules_keep(r, read_expected(l, value));
        e.where = loading_where(l, key);
        if (!e.name)
            continue;
        GROW(r->examples, r->examples_len, r->examples_cap);
        r->examples[r->examples_len++] = e;
    }
}

/* Where one set of rules lies. */
struct origin {
    int dirfd;
    const char *shown; /* its path in problems */
    bool office;
};

typedef void loader(struct loading *l);

/* Whether nobody but root and us can change what the office's rules are; the folder that holds them
 * was asked before its files, so that none can be put in another's place meanwhile. */
static bool only_ours(const struct stat *st, const char *shown, struct problems *p)
{
    const char *help = st->st_uid != 0 && st->st_uid != geteuid() ? "chown root"
                       : st->st_mode & (S_IWGRP | S_IWOTH)        ? "chmod go-w"
                                                                  : NULL;

    if (!help)
        return true;
    p->errors++;
    str_addf(p->text, "%s:1:1: others can change it; mend it with: %s '%s'\n", shown, help, shown);
    return false;
}

/* One file; one that is not there is fine for the office and an error among the shipped. */
static void load_file(struct rules *r, const struct origin *o, const char *name, loader *load,
                      struct problems *p)
{
    AUTO_STR struct str text = STR_INIT;
    struct loading l = {.rules = r, .office = o->office};
    const char *path = rules_keep(r, xasprintf("%s/%s", o->shown, name));
    struct stat st;

    if (o->office && fstatat(o->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        !only_ours(&st, path, p))
        return;
    if (io_read_file(o->dirfd, name, &text, FILE_MAX) < 0) {
        if (errno == ENOENT && o->office)
            return;
        p->errors++;
        str_addf(p->text, "%s:1:1: cannot be read: %s\n", path, strerror(errno));
        return;
    }
    if (rulefile_read(&l.file, path, o->office ? " of the office" : "", str_c(&text), text.len,
                      p) == 0)
        load(&l);
    rulefile_clear(&l.file);
}

static int is_yaml(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');

    return e->d_name[0] != '.' && dot && strcmp(dot, ".yaml") == 0;
}

static void load_type_files(struct rules *r, const struct origin *o, struct problems *p)
{
    AUTO_FREE char *shown = xasprintf("%s/types", o->shown);
    AUTO_CLOSE int dirfd =
        openat(o->dirfd, "types", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const struct origin types = {dirfd, shown, o->office};
    struct dirent **list = NULL;
    struct stat st;
    bool ours = true;
    int n = dirfd < 0 ? -1 : scandirat(dirfd, ".", &list, is_yaml, alphasort);

    if (n < 0 && !(errno == ENOENT && o->office)) {
        p->errors++;
        str_addf(p->text, "%s:1:1: cannot be read: %s\n", shown, strerror(errno));
    }
    if (o->office && dirfd >= 0)
        ours = fstat(dirfd, &st) == 0 && only_ours(&st, shown, p);
    for (int i = 0; i < n; i++) {
        if (ours)
            load_file(r, &types, list[i]->d_name, load_types, p);
        free(list[i]);
    }
    free(list);
}

static void load_origin(struct rules *r, const struct origin *o, struct problems *p)
{
    load_file(r, o, "conventions.yaml", load_conventions, p);
    load_file(r, o, "case-types.yaml", load_case_types, p);
    load_type_files(r, o, p);
    load_file(r, o, "as-is.yaml", load_as_is, p);
    load_file(r, o, "noise.yaml", load_noise, p);
    load_file(r, o, "ignored.yaml", load_ignored, p);
    load_file(r, o, "markings.yaml", load_markings, p);
}

/* A list of the language file, copied: rules outlive it at a reload. */
static const char *const *copy_list(struct rules *r, const struct lang *lang, const char *key)
{
    const char *const *list = lang_list(lang, key);
    const char **copy;
    size_t n = 0;

    while (list[n])
        n++;
    copy = xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = rules_keep(r, utf8_fold_plain(list[i]));
    rules_keep(r, (char *)copy);
    return copy;
}

static void take_language(struct rules *r, const struct lang *lang)
{
    const char *const *folders = lang_list(lang, "folders");

    r->about = copy_list(r, lang, "word.about");
    r->honorific = copy_list(r, lang, "word.honorific");
    r->plural = copy_list(r, lang, "word.plural");
    while (folders[r->folders_len])
        r->folders_len++;
    r->folders_cap = r->folders_len + 1;
    r->folders = xcalloc(r->folders_cap, sizeof *r->folders);
    for (size_t i = 0; i < r->folders_len; i++)
        r->folders[i] = rules_keep(r, xstrdup(folders[i]));
}

struct rules *rules_load(const char *shipped_dir, int office_dirfd, const struct lang *lang,
                         struct problems *p)
{
    struct rules *r = xcalloc(1, sizeof *r);
    AUTO_CLOSE int dirfd = open(shipped_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    take_language(r, lang);
    if (office_dirfd >= 0)
        load_origin(r, &(struct origin){office_dirfd, ".organizer/rules", true}, p);
    if (dirfd < 0) {
        p->errors++;
        str_addf(p->text, "%s:1:1: cannot be read: %s\n", shipped_dir, strerror(errno));
    } else {
        load_origin(r, &(struct origin){dirfd, shipped_dir, false}, p);
    }
    vocab_finish(r, p);
    if (!p->errors)
        lint_rules(r, p);
    if (!p->errors)
        return r;
    rules_free(r);
    return NULL;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->types_len; i++)
        type_rule_free(r->types[i]);
    for (size_t i = 0; i < r->case_types_len; i++)
        case_rule_free(r->case_types[i]);
    for (size_t i = 0; i < r->as_is_len; i++)
        condition_free(r->as_is[i].when);
    for (size_t i = 0; i < r->conventions_len; i++)
        pattern_free(r->conventions[i].pattern);
    for (size_t i = 0; i < r->strings_len; i++)
        free(r->strings[i]);
    phrases_clear(&r->words);
    phrases_clear(&r->titles);
    phrases_clear(&r->texts);
    name_rules_clear(&r->ignored);
    name_rules_clear(&r->conflicts);
    name_rules_clear(&r->new_documents);
    name_rules_clear(&r->locks);
    name_rules_clear(&r->noise);
    free(r->title_words);
    free(r->types);
    free(r->case_types);
    free(r->as_is);
    for (size_t i = 0; i < r->markings_len; i++)
        pattern_free(r->markings[i].pattern);
    free(r->markings);
    free(r->conventions);
    free(r->examples);
    free(r->additions);
    free(r->folders);
    free(r->strings);
    free(r);
}
