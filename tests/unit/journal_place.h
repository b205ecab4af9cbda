/* journal_place: a case folder with a journal, for the tests of history and verify. */
#ifndef TESTS_JOURNAL_PLACE_H
#define TESTS_JOURNAL_PLACE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "record/journal.h"
#include "remove_tree.h"

#define NOW  INT64_C(1764000000000000000)
#define HOUR (INT64_C(3600) * 1000000000)

struct journal_place {
    char path[32];
    int fd;
    struct journal_head head;
    int64_t now;
    struct error err;
};

static inline int journal_place_make(struct journal_place *p)
{
    strcpy(p->path, "/tmp/case-XXXXXX");
    if (!mkdtemp(p->path))
        return -1;
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    p->now = NOW;
    return p->fd < 0 ? -1 : 0;
}

static inline int journal_place_clear(struct journal_place *p)
{
    close(p->fd);
    return remove_tree(p->path);
}

/* One line; NULL leaves a member out. An hour passes. */
static inline void journal_place_say(struct journal_place *p, const char *kind, int64_t doc,
                                     const char *from, const char *to)
{
    AUTO_STR struct str b = STR_INIT;
    enum journal_standing standing;
    const char *body;

    p->now += HOUR;
    journal_body(&b, p->now, kind);
    if (strcmp(kind, "undone") == 0 && to && strstr(to, "itself"))
        json_text(&b, "by", "organizer");
    if (doc)
        json_num(&b, "doc", doc);
    if (from)
        json_name(&b, strncmp(from, "OFFICE/", 7) == 0 ? "from_office" : "from", from);
    if (to)
        json_name(&b, strncmp(to, "OFFICE/", 7) == 0 ? "to_office" : "to", to);
    body = str_c(&b);
    if (journal_append(p->fd, &p->head, &body, 1, 1, p->now, false, &standing, &p->err) < 0)
        abort();
}

#endif
