/* Where the journal's last change ends: what the organizer says of its own archives comes behind. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/json.h"
#include "record/journal_internal.h"

/* A line about an archive is shorter than this. */
#define SHORT_LINE 8192

bool journal_is_change(const char *kind)
{
    static const char *const none[] = {"archived", "verified", "pruned", "retired", "unretired"};

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (strcmp(kind, none[i]) == 0)
            return false;
    return true;
}

static json_t *read_line(int fd, int64_t from, int64_t to)
{
    size_t n = (size_t)(to - from);
    AUTO_FREE char *text = xmalloc(n + 1);

    if (pread(fd, text, n, from) != (ssize_t)n)
        return NULL;
    return json_loadb(text, n, 0, NULL);
}

/* Whether the line [start, end) is a change; what cannot be read as a line of ours is one. */
static bool is_change(int fd, int64_t start, int64_t end)
{
    json_t *json = end - start <= SHORT_LINE ? read_line(fd, start, end) : NULL;
    const char *kind = json_get_text(json, "kind");
    bool change = !kind || journal_is_change(kind);

    json_decref(json);
    return change;
}

static int64_t time_of_line(int fd, int64_t start, int64_t end)
{
    json_t *json = end - start <= JOURNAL_LINE_MAX ? read_line(fd, start, end) : NULL;
    const char *at = json_get_text(json, "at");
    int64_t ns = 0;

    if (at && time_parse(at, &ns) < 0)
        ns = 0;
    json_decref(json);
    return ns;
}

int journal_last_change(int case_fd, const struct journal_head *head, struct journal_head *cut,
                        int64_t *at_ns, struct error *err)
{
    int64_t start = 0;
    AUTO_CLOSE int fd = -1;

    *cut = *head;
    *at_ns = 0;
    if (!head->seq)
        return 0;
    fd = journal_open(case_fd, O_RDONLY, err);
    if (fd < 0)
        return -1;
    for (; cut->size > 0; cut->size = start, cut->seq--) {
        if (journal_line_start(fd, cut->size - 1, &start) < 0)
            return error_set(err, errno, "cannot read the journal of the case");
        if (is_change(fd, start, cut->size - 1))
            break;
    }
    memset(&cut->hash, 0, sizeof cut->hash);
    if (cut->size == 0)
        return 0;
    *at_ns = time_of_line(fd, start, cut->size - 1);
    if (journal_hash(fd, start, cut->size - 1, &cut->hash) < 0)
        return error_set(err, errno, "cannot read the journal of the case");
    return 0;
}
