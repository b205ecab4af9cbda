#include "record/doc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/env.h"

static const char *const state_names[] = {
    [DOC_INDEXED] = "indexed", [DOC_FILED] = "filed", [DOC_LISTED] = "listed",
    [DOC_WAITING] = "waiting", [DOC_GONE] = "gone",
};

#define STATES (sizeof state_names / sizeof *state_names)

void doc_clear(struct doc *d)
{
    free(d->path);
    free(d->sentence);
    free(d->help);
    free(d->type);
    free(d->words);
    free(d->date);
    free(d->original);
    free(d->why);
    free(d->suggested);
    memset(d, 0, sizeof *d);
}

void doc_copy(struct doc *to, const struct doc *from)
{
    *to = *from;
    to->path = xstrdup(from->path);
    to->sentence = xstrdup(from->sentence);
    to->help = xstrdup(from->help);
    to->type = xstrdup(from->type);
    to->words = xstrdup(from->words);
    to->date = xstrdup(from->date);
    to->original = xstrdup(from->original);
    to->why = xstrdup(from->why);
    to->suggested = xstrdup(from->suggested);
}

void doc_set(char **field, const char *value)
{
    char *copy = xstrdup(value ? value : "");

    free(*field);
    *field = copy;
}

const char *doc_state_name(enum doc_state s)
{
    return (unsigned)s < STATES ? state_names[s] : "";
}

int doc_state_parse(const char *name)
{
    for (size_t i = 0; i < STATES; i++)
        if (strcmp(name, state_names[i]) == 0)
            return (int)i;
    return -1;
}

static int64_t ns_of(const struct statx_timestamp *t)
{
    return t->tv_sec * NS_PER_S + t->tv_nsec;
}

int doc_look(int fd, int dirfd, const char *name, struct doc_seen *seen)
{
    struct doc_stamp *s = &seen->stamp;
    struct statx x;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT;

    if (fd >= 0) {
        dirfd = fd;
        name = "";
        flags |= AT_EMPTY_PATH;
    }
    if (statx(dirfd, name, flags, STATX_BASIC_STATS | STATX_BTIME, &x) < 0)
        return -1;
    *s = (struct doc_stamp){
        .dev = makedev(x.stx_dev_major, x.stx_dev_minor),
        .ino = x.stx_ino,
        .birth_ns = x.stx_mask & STATX_BTIME ? ns_of(&x.stx_btime) : 0,
        .size = x.stx_size,
        .mtime_ns = ns_of(&x.stx_mtime),
        .ctime_ns = ns_of(&x.stx_ctime),
    };
    seen->mode = x.stx_mode;
    seen->nlink = x.stx_nlink;
    return 0;
}

int doc_stamp_take(int fd, int dirfd, const char *name, struct doc_stamp *s)
{
    struct doc_seen seen;

    if (doc_look(fd, dirfd, name, &seen) < 0)
        return -1;
    *s = seen.stamp;
    return 0;
}

bool doc_stamp_same_file(const struct doc_stamp *a, const struct doc_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->birth_ns == b->birth_ns;
}

bool doc_stamp_same_bytes(const struct doc_stamp *a, const struct doc_stamp *b)
{
    return doc_stamp_same_file(a, b) && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool doc_stamp_equal(const struct doc_stamp *a, const struct doc_stamp *b)
{
    return doc_stamp_same_bytes(a, b) && a->ctime_ns == b->ctime_ns;
}
