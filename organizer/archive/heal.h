/*
 * heal: an archive of this case under its final name of which nobody knows: the run that made it
 * was ended between giving it its name and recording it. It is read back from the disk and verified
 * as a whole, as a stranger would: every document against the manifests, all tag files against
 * theirs. What does not hold is left where it lies, as a person's file would be.
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

/* Looks for one. 1 with r filled in (SNAPSHOT_MADE, healed), its .sha256 beside it; 0 when there is
 * none; -1 with err. */
int heal_find(const struct heal_order *h, struct snapshot_result *r, struct error *err);

#endif
