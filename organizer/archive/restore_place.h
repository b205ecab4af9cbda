/*
 * restore_place: the folder of a temporary name in which documents are restored, and how they come
 * to their own. Whoever works in one holds a lock on it, so that others know it from what a crash
 * left.
 */
#ifndef ORGANIZER_ARCHIVE_RESTORE_PLACE_H
#define ORGANIZER_ARCHIVE_RESTORE_PLACE_H

#include "base/io.h"

struct error;

#define RESTORE_TEMP IO_TEMP_PREFIX "restore-"

struct restore_place {
    int parent;    /* borrowed */
    int fd;        /* the folder, or -1 */
    char name[64]; /* its temporary name in parent; "" when there is none */
};

/* Removes what earlier runs left in parent, and makes a fresh folder there. Returns 0 or -1 with
 * err. */
int restore_place_begin(struct restore_place *p, int parent, struct error *err);
/* Everything in it onto the disk. Returns 0 or -1 with err. */
int restore_place_sync(const struct restore_place *p, struct error *err);
/* Gives the folder its name in parent, never over anything. Returns 0; 1 when the name is taken; -1
 * with err. */
int restore_place_publish(struct restore_place *p, const char *name, struct error *err);
/* Moves the file path of it to the same path below parent, whose folders are made. Returns 0; 1
 * when something is there already; -1 with err. */
int restore_place_move(const struct restore_place *p, const char *path, struct error *err);
/* Removes what is still under the temporary name. */
void restore_place_end(struct restore_place *p);

#endif
