/*
 * What fuzz targets share. Each is one file with fuzz_one(): the same that libFuzzer calls with what it
 * thinks up (tests/fuzz/run) is called with the kept inputs in `make test` (replay.c). A target ends
 * with a fault when the code under it has one, or when what it asserts does not hold.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
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

/* What was freed is kept from being used again for longer than an input lives, not for thousands of them: memory
 * that is always new costs more than all else. */
const char *__asan_default_options(void);
__attribute__((weak)) const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

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

/* A new folder to write in, whose remains tests/fuzz/run takes away. Written for each input, so in memory. */
static inline int fuzz_folder(void)
{
    const char *in = getenv("TMPDIR");
    AUTO_FREE char *dir = xasprintf("%s/organizer-fuzz-XXXXXX", in ? in : "/dev/shm");
    int fd;

    fuzz_must(mkdtemp(dir), "a folder can be made");
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fuzz_must(fd >= 0, "and opened");
    return fd;
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
