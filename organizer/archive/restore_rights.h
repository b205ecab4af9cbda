/*
 * restore_rights: what archive/attributes.h wrote down of a file or folder, given back: exact
 * names, owner, mode, ACLs, extended attributes, times. What the system does not permit is counted,
 * not an error. Never given back: set-user-id and set-group-id of files, and attributes that are
 * the system's (security.*, trusted.*): an archive is not to be believed that far.
 */
#ifndef ORGANIZER_ARCHIVE_RESTORE_RIGHTS_H
#define ORGANIZER_ARCHIVE_RESTORE_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/bag_table.h"

struct bag;
struct error;

/* Strings live as long as the bag. */
struct restore_right {
    const char *path;  /* as the bag has it: "data/…" */
    const char *exact; /* the exact name below data/, NULL: the same */
    const char *rest;  /* all else, as JSON; the same bytes for all that say the same */
    int64_t mtime_ns;
    bool timed; /* mtime_ns is known */
    bool folder;
    bool file;
};

/* All lines, sorted by path. */
struct restore_rights {
    struct restore_right *list;
    size_t len, cap;
    uint64_t refused; /* what was not permitted */
    /* The rest is this module's. */
    struct bag *bag;
    bool names; /* only what has another exact name */
    struct bag_table rests;
    const char *now; /* the rest that was given last, taken apart: */
    void *json;
    unsigned uid, gid;
};

/* Reads them from a bag that is loaded (with b->metadata set before); with b->wanted those of folders
 * and of files that may be wanted. Returns 0, also when it has
 * none; 1 when no tag manifest vouches for what it has, which is left aside; -1 with err when the
 * archive cannot be read on. */
int restore_rights_load(struct restore_rights *r, struct bag *b, struct error *err);
/* As above; only the lines of what has another exact name. */
int restore_names_load(struct restore_rights *r, struct bag *b, struct error *err);
/* The line about path ("data/…"), NULL when there is none. */
const struct restore_right *restore_rights_find(const struct restore_rights *r, const char *path);
/* Gives the open file or folder what the line says. */
void restore_rights_give(struct restore_rights *r, const struct restore_right *right, int fd);
void restore_rights_clear(struct restore_rights *r);

#endif
