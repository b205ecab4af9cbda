/*
 * heal: an archive of this case under its final name that nobody recorded: the run that made it was
 * ended between giving it its name and recording it. What was proved, and is about to get its name,
 * stands in the private state (order->intended): only a file with exactly these bytes, read back
 * from the disk, is taken for it. Whatever else lies there under such a name is somebody's file: who
 * may write the folder of archives could make one that looks like ours. No archive is parsed here.
 */
#ifndef ORGANIZER_ARCHIVE_HEAL_H
#define ORGANIZER_ARCHIVE_HEAL_H

#include "archive/shelf.h"
#include "archive/snapshot.h"

struct error;

struct heal_order {
    const struct snapshot_order *order;
    struct shelf *shelf;
    int case_fd;
};

/* Looks for it. 1 with r filled in (SNAPSHOT_MADE, healed), its .sha256 beside it; 0 when it is not
 * there, or nothing was intended; -1 with err. */
int heal_find(const struct heal_order *h, struct snapshot_result *r, struct error *err);

#endif
