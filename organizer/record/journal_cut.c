/* Where the journal's last change ends: what the organizer says of its own archives comes behind. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

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

/* The line [from, to) in *json, NULL when it is none of ours or longer than `most`. 0 or -1 with
 * errno. */
static int read_line(int fd, int64_t from, int64_t to, int64_t most, json_t **json)
{
    size_t n = (size_t)(to - from);
    AUTO_FREE char *text = NULL;

    *json = NULL;
    if (to - from > most)
        return 0;
    text = xmalloc(n + 1);
    if (journal_read_at(fd, text, n, from) < 0)
        return -1;
    *json = json_loadb(text, n, 0, NULL);
    return 0;
}

/* Whether the line [start, end) is a change; what is no line of ours is one. 1, 0, -1 with errno. */
static int is_change(int fd, int64_t start, int64_t end)
{
    json_t *json;
    const char *kind;
    int change;

    if (read_line(fd, start, end, SHORT_LINE, &json) < 0)
        return -1;
    kind = json_get_text(json, "kind");
    change = !kind || journal_is_change(kind);
    json_decref(json);
    return change;
}

/* 0 or -1 with errno. */
static int time_of_line(int fd, int64_t start, int64_t end, int64_t *ns)
{
    json_t *json;
    const char *at;

    if (read_line(fd, start, end, JOURNAL_LINE_MAX, &json) < 0)
        return -1;
    at = json_get_text(json, "at");
    if (!at || time_parse(at, ns) < 0)
        *ns = 0;
    json_decref(json);
    return 0;
}

int journal_last_change(int case_fd, const struct journal_head *head, struct journal_head *cut,
                        int64_t *at_ns, struct error *err)
{
    int64_t start = 0;
    int change = 0;
    AUTO_CLOSE int fd = -1;

    *cut = *head;
    *at_ns = 0;
    if (!head->seq)
        return 0;
    fd = journal_open(case_fd, O_RDONLY, err);
    if (fd < 0)
        return -1;
    for (; cut->size > 0; cut->size = start, cut->seq--) {
        if (journal_line_start(fd, cut->size - 1, &start) < 0 ||
            (change = is_change(fd, start, cut->size - 1)) < 0)
            return error_set(err, errno, "cannot read the journal of the case");
        if (change)
            break;
    }
    memset(&cut->hash, 0, sizeof cut->hash);
    if (cut->size == 0)
        return 0;
    if (time_of_line(fd, start, cut->size - 1, at_ns) < 0 ||
        journal_hash(fd, start, cut->size - 1, &cut->hash) < 0)
        return error_set(err, errno, "cannot read the journal of the case");
    return 0;
}
