/* A journal that lies on the share, where anybody may have written it. */
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "record/journal.h"

static int line(void *ctx, const json_t *object, const char *raw, size_t len, uint64_t number)
{
    (void)raw;
    *(uint64_t *)ctx += number + len + (object != NULL);
    return 0;
}

static void fault(void *ctx, uint64_t number, const char *what)
{
    *(uint64_t *)ctx += number + strlen(what);
}

/* A case folder, made once. */
static int case_folder(void)
{
    static int fd = -1;

    if (fd < 0) {
        fd = fuzz_folder();
        fuzz_must(mkdirat(fd, ".organizer", 0700) == 0, "a folder can be made in it");
    }
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int dir = case_folder();
    int fd = openat(dir, ".organizer/journal.jsonl", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct error err = ERROR_INIT;
    struct journal_head head = {0};
    enum journal_standing standing;
    AUTO_STR struct str body = STR_INIT;
    char id[CASE_ID_SIZE];
    uint64_t sum = 0;

    fuzz_must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "the journal is written");
    close(fd);
    (void)journal_each(dir, line, &sum, &err);
    if (journal_case_id(dir, id, &err) == 0)
        fuzz_must(strlen(id) < sizeof id, "an id has its length");
    (void)journal_accept(dir, &body, &err);
    if (journal_last(dir, &head, &err) == 0)
        (void)journal_check(dir, &head, fault, &sum, &standing, &err);
    head = (struct journal_head){0};
    (void)journal_check(dir, &head, fault, &sum, &standing, &err);
    return 0;
}
