/* The office's own rules, which whoever may write .organizer writes. */
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

/* The input is one file of rules; its first byte says which. */
static const char *const names[] = {"types/types.yaml", "as-is.yaml",       "noise.yaml",
                                    "ignored.yaml",     "conventions.yaml", "case-types.yaml",
                                    "markings.yaml"};
#define NAMES (sizeof names / sizeof *names)

static int office(void)
{
    static int fd = -1;

    if (fd < 0) {
        fd = fuzz_folder();
        fuzz_must(mkdirat(fd, "types", 0700) == 0, "a folder can be made in it");
        /* The shipped ones are in order: what is refused later is what the input says. */
        (void)fuzz_rules();
    }
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *name = size ? names[*data % NAMES] : names[0];
    int dir = office(), fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct rules *rules;

    fuzz_must(fd >= 0 && (size < 2 || write(fd, data + 1, size - 1) == (ssize_t)size - 1),
              "the rules are written");
    close(fd);
    rules = rules_load(fuzz_rules_dir(), dir, fuzz_lang(), &p);
    fuzz_must(rules || text.len > 0, "a refusal says why");
    rules_free(rules);
    unlinkat(dir, name, 0);
    return 0;
}
