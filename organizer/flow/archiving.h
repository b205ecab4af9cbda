/*
 * archiving: has a job make the snapshot of a case, and records what came of it: the journal's
 * `archived` line with the archive's digest, and the row by which the next night knows what is done.
 */
#ifndef ORGANIZER_FLOW_ARCHIVING_H
#define ORGANIZER_FLOW_ARCHIVING_H

#include "archive/snapshot.h"
#include "flow/flow.h"

struct matter;

/* r is borrowed during the call; err_text is "" unless the job itself could not be run. */
typedef void archiving_done(void *ctx, const struct snapshot_result *r, const char *err_text);

/* Queues the case; one job runs at a time and never holds up filing. done is called once, from the
 * loop, after the journal has the line. */
void flow_archive(struct flow *f, struct matter *m, enum snapshot_purpose purpose,
                  archiving_done *done, void *ctx);
/* Nothing is queued or runs. */
bool archiving_idle(const struct flow *f);

#endif
