/*
 * contents: a folder below the cabinet, opened, and all names in it.
 *
 * Every folder is opened by its path from the root: after a folder above was moved, a descriptor
 * kept from before would report its contents under a path where they no longer are.
 */
#ifndef ORGANIZER_WATCH_CONTENTS_H
#define ORGANIZER_WATCH_CONTENTS_H

#include <stdbool.h>

#include "base/str.h"

/* What one thread opens and reads folders with. */
struct lister {
    int root;      /* borrowed */
    bool no_atime; /* reading does not mark folders as read, as long as that is allowed */
    char *buf;     /* what getdents64 fills */
};

struct contents {
    int fd;           /* of the folder; -1: not open */
    int error;        /* errno of opening it or of reading it, else 0 */
    struct str names; /* a d_type byte and the name with its NUL, one after another */
};

#define CONTENTS_INIT                                                                               \
    {                                                                                              \
        .fd = -1, .names = STR_INIT                                                                \
    }

/* Below root, which stays the caller's; lister_clear() gives back what it holds. */
void lister_init(struct lister *l, int root);
void lister_clear(struct lister *l);

/* Opens the folder at path ("" is the root). Returns 0, or -1 with to->error set. No names are read
 * yet: what sets a watch comes first. */
int contents_open(struct lister *l, const char *path, struct contents *to);
/* Reads all names at once, so that they are those of one moment; to->error when that fails. */
void contents_read(struct lister *l, struct contents *to);
/* Closes the folder. The names are gone, their memory is kept unless it is much. */
void contents_close(struct contents *to);
/* The same, and keeps nothing. */
void contents_clear(struct contents *to);

#endif
