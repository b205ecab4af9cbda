/* The office's own rules, which whoever may write .organizer writes. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

/* The input is one file of rules; its first byte says which. */
static const char *const names[] = {"types.yaml",  "as-is.yaml",   "noise.yaml",     "ignored.yaml",
                                    "conventions.yaml", "case-types.yaml", "markings.yaml"};
#define NAMES (sizeof names / sizeof *names)

static int office(void)
{
    static int fd = -1;
    char dir[] = "/dev/shm/organizer-fuzz-XXXXXX";

    if (fd < 0) {
        fuzz_must(mkdtemp(dir), "a folder can be made");
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fuzz_must(fd >= 0, "and opened");
    }
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *name = size ? names[*data % NAMES] : "types.yaml";
    int dir = office(), fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct rules *rules;

    fuzz_must(fd >= 0 && (size < 2 || write(fd, data + 1, size - 1) == (ssize_t)size - 1), "the rules are written");
    close(fd);
    rules = rules_load(fuzz_rules_dir(), dir, fuzz_lang(), &p);
    fuzz_must(rules || text.len > 0, "a refusal says why");
    rules_free(rules);
    unlinkat(dir, name, 0);
    return 0;
}
