/* rules_help: the shipped rules, and an office's own in a fresh folder, for the tests of rules. */
#ifndef TESTS_UNIT_RULES_HELP_H
#define TESTS_UNIT_RULES_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "decide/rules.h"

#define SHIPPED "rules"

struct office {
    char path[64];
    int dirfd;
    struct str said; /* problems */
    struct problems problems;
    struct lang *lang;
    struct rules *rules;
};

/* An empty folder for the office's rules. */
static inline void office_open(struct office *o)
{
    struct error err = ERROR_INIT;

    *o = (struct office){.path = "/tmp/rules-XXXXXX"};
    assert_non_null(mkdtemp(o->path));
    o->dirfd = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(o->dirfd >= 0);
    o->lang = lang_load(SHIPPED "/language/en.yaml", &err);
    if (!o->lang)
        fail_msg("%s", err.text);
}

static inline void office_write(struct office *o, const char *name, const char *text)
{
    struct error err = ERROR_INIT;

    assert_true(mkdirat(o->dirfd, "types", 0755) == 0 || access(o->path, F_OK) == 0);
    if (strncmp(name, "types/", 6) == 0) {
        int types = openat(o->dirfd, "types", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(io_replace(types, name + 6, text, strlen(text), 0, false, &err), 0);
        close(types);
    } else {
        assert_int_equal(io_replace(o->dirfd, name, text, strlen(text), 0, false, &err), 0);
    }
}

/* The shipped rules with the office's; o->rules is NULL when they are broken. */
static inline struct rules *office_load(struct office *o)
{
    rules_free(o->rules);
    str_reset(&o->said);
    o->problems = (struct problems){.text = &o->said};
    o->rules = rules_load(SHIPPED, o->dirfd, o->lang, &o->problems);
    return o->rules;
}

static inline void office_close(struct office *o)
{
    static const char *const names[] = {"types/a.yaml",     "types/b.yaml", "types",
                                        "conventions.yaml", "as-is.yaml",   "noise.yaml",
                                        "case-types.yaml",  "ignored.yaml", "markings.yaml", NULL};

    for (size_t i = 0; names[i]; i++)
        if (unlinkat(o->dirfd, names[i], 0) < 0)
            unlinkat(o->dirfd, names[i], AT_REMOVEDIR);
    close(o->dirfd);
    assert_int_equal(rmdir(o->path), 0);
    rules_free(o->rules);
    lang_free(o->lang);
    str_clear(&o->said);
}

/* "Motion", "Motion, Order" for a tie, "none", "cannot tell". */
static inline const char *type_of(const struct rules *r, const struct facts *f, const char *words)
{
    static char text[200];
    struct type_match m[8];
    int n = rules_match_type(r, f, words, m, 8, NULL);

    snprintf(text, sizeof text, "%s", n < 0 ? "cannot tell" : n == 0 ? "none" : m[0].type->name);
    for (int i = 1; i < n && m[i].score == m[0].score; i++) {
        size_t len = strlen(text);

        snprintf(text + len, sizeof text - len, ", %s", m[i].type->name);
    }
    return text;
}

#endif
