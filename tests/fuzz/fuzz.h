/*
 * What fuzz targets share. Each is one file with fuzz_one(): the same that libFuzzer calls with what it
 * thinks up (tests/fuzz/run) is called with the kept inputs in `make test` (replay.c). A target ends
 * with a fault when the code under it has one, or when what it asserts does not hold.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "decide/lang.h"
#include "decide/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline const char *fuzz_rules_dir(void)
{
    const char *dir = getenv("ORGANIZER_RULES");

    return dir ? dir : "rules";
}

static inline void fuzz_must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

/* The shipped language and rules, read once. */
static inline const struct lang *fuzz_lang(void)
{
    static struct lang *lang;
    struct error err = ERROR_INIT;

    if (!lang) {
        AUTO_FREE char *path = xasprintf("%s/language/en.yaml", fuzz_rules_dir());

        lang = lang_load(path, &err);
        fuzz_must(lang, error_text(&err));
    }
    return lang;
}

static inline const struct rules *fuzz_rules(void)
{
    static struct rules *rules;
    static struct str text = STR_INIT;
    struct problems p = {.text = &text};

    if (!rules) {
        rules = rules_load(fuzz_rules_dir(), -1, fuzz_lang(), &p);
        fuzz_must(rules, str_c(&text));
    }
    return rules;
}

#endif
