/*
 * own: the daemon's own files: replaced atomically, only when they differ, and only over what the
 * daemon itself wrote.
 *
 *   own_put … own_put, own_flush    any number of times, then own_clear
 *
 * A file is the daemon's when its digest is one of the two that the private state keeps for its
 * path, when it is the one that the file carries with it (an extended attribute: for renamed
 * folders and a lost private state), when it is what would be written anyway, or when it is empty. Anything else there, also a
 * link or a folder, is a person's: it is renamed to "Index (yours).html" (never over another) and
 * told in set_aside. The order of a flush leaves no instant at which a crash or a power cut could
 * make an own file look like a person's:
 *
 *   1. new files beside the old ones, under temporary names, their data on disk
 *   2. one transaction: {what is there, what is about to be there} for every file
 *   3. renames: exchanged with the old file, which is looked at once more before it goes
 *   4. folders on disk; then one transaction: {what is there, what is about to be there} is
 *      {new, new}
 *
 * New files take the group and the read and write bits of their folder, or its default ACL, or
 * its ACL without the right to execute; they are never more readable than the folder.
 */
#ifndef ORGANIZER_PUBLISH_OWN_H
#define ORGANIZER_PUBLISH_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct digester;
struct state;

/* A person's file that was in the way. Owned. */
struct own_aside {
    char *path; /* from the cabinet down, under its new name */
    char *name; /* of the own file whose place it held: "Index.html" */
};

/* One file to be written; internal to own.c. */
struct own_entry;

/* What a file shall hold, while it is made: what is long goes into a file without a name on the way,
 * where the file system has such. */
struct own_text {
    struct str text; /* appended to by whoever makes it */
    /* The rest is this module's. */
    int root;
    const char *folder;
    int fd;               /* what was passed on, or -1 */
    uint64_t size;        /* of that */
    struct digester *sum; /* of that */
    bool never;           /* there are no such files */
    int error;            /* errno of the first failed write */
};

struct own_set {
    int root;            /* the cabinet; borrowed */
    struct state *state; /* borrowed; written to, in transactions of own_flush() */
    struct own_entry *entries;
    size_t len, cap;
    size_t bytes; /* waiting to be written */
    int64_t in_work_ns; /* of own_in_work_since(); 0: never said */
    bool *put_off;
    /* results, added to by every flush */
    size_t written; /* files that changed on disk: written or removed */
    struct own_aside *set_aside;
    size_t set_aside_len, set_aside_cap;
    struct error error; /* the first failure; text "" when none */
};

/* Nothing is to be written yet. Both are borrowed. */
void own_init(struct own_set *set, int root, struct state *state);
void own_clear(struct own_set *set);
/* For what is put from now on: files that somebody removed from a folder that changed after `ns` (by
 * the clock of the file system; 0: any time) are not put back yet, since whoever deletes a folder
 * wants it to go. *put_off (borrowed until the flush) is set then. */
void own_in_work_since(struct own_set *set, int64_t ns, bool *put_off);
/* Says what `name` in `folder` (from the cabinet down, "" the cabinet) shall hold: takes the bytes
 * of content over, which is empty afterwards. Empty content: no such file (one of a person's is
 * left). Nothing is written yet. */
void own_put(struct own_set *set, const char *folder, const char *name, struct str *content);
/* Begins a text that may be long, for a file in that folder (borrowed until it is put). */
void own_text_begin(struct own_text *t, const struct own_set *set, const char *folder);
/* Passes what is there on, when that is much. */
void own_text_pass(struct own_text *t);
/* As own_put(). */
void own_put_text(struct own_set *set, const char *name, struct own_text *t);
/* Writes what was put and differs. Returns 0, or -1 when something failed (set->error is the
 * first failure; everything else was still done). */
int own_flush(struct own_set *set);

/* A temporary name such as this and io_replace() make. */
bool own_is_temporary(const char *name);
/* The file under the temporary name `name` in the folder dir, whose path from the cabinet down is
 * folder, was left by a crash: one of ours is removed. What a person may have saved becomes "Recovered
 * file.html". The caller knows that nobody is writing it. Returns 1 when it was brought to light, 0
 * when it is gone or none of ours (another user's, a link), -1 with errno. */
int own_sweep_up(struct state *state, int dir, const char *folder, const char *name);

#endif
