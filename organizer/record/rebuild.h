/*
 * rebuild: what the private state knew of a case, from the case's journal, for when the state was
 * lost, or the case comes from another server. Numbers go on where they were, names given by hand
 * and what was taken back stay so; the files themselves are read again by the next sweep, since no
 * journal tells of inodes.
 *
 * A journal can be written by others than the organizer: nothing is renamed or removed by what it
 * says (its archives count as made for good), a line whose paths lead out of the case is passed
 * over, and whether its chain is whole is told.
 */
#ifndef ORGANIZER_RECORD_REBUILD_H
#define ORGANIZER_RECORD_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "record/state.h"

struct error;

struct rebuilt {
    bool any;           /* there is a journal */
    uint64_t documents; /* rows that were made */
};

/*
 * Inside a transaction: puts the rows of the case row->id from the journal in case_fd, their former
 * names, and the head; and sets next_doc, adopted_ns, closed, former and tampered (the chain is
 * broken) of row, which the caller puts. Nothing when there is no journal. Returns 0 or -1.
 */
int rebuild_case(struct state *s, int case_fd, struct case_row *row, struct rebuilt *r,
                 struct error *err);

#endif
