/*
 * archiving: has a job make the snapshot of a case, and records what came of it: the journal's
 * `archived` line with the archive's digest, and the row by which the next night knows what is done.
 *
 * One after another: everything that is under way is first recorded (flow_sync()), then the job runs,
 * then its line is written. What is busy, or not yet as the journal says, is looked at and tried
 * again before it is told. A crash between the archive's name and its line is healed by the next run
 * for the case (archive/heal.h).
 */
#ifndef ORGANIZER_FLOW_ARCHIVING_H
#define ORGANIZER_FLOW_ARCHIVING_H

#include "archive/snapshot.h"
#include "flow/flow.h"

struct archiving;
struct matter;
struct str;

/* r is borrowed during the call; err_text is "" unless the job itself could not be run: r is then
 * all zero. */
typedef void archiving_done(void *ctx, const struct snapshot_result *r, const char *err_text);

/* Queues the case; one job runs at a time and never holds up filing. done is called once, from the
 * loop, after the journal has the line. SNAPSHOT_SAME has the path, digest and size of the archive
 * that holds it already. */
void flow_archive(struct flow *f, struct matter *m, enum snapshot_purpose purpose,
                  archiving_done *done, void *ctx);
/* How far the snapshot in hand is: its case (borrowed until the loop runs on), or NULL when none is
 * being made; *of is 0 as long as nobody knows. */
const char *archiving_progress(const struct flow *f, uint64_t *bytes, uint64_t *of);
/* Nothing is queued or runs. */
bool archiving_idle(const struct flow *f);

/* ---- for the flow itself ---------------------------------------------------------------------- */

/* Nothing is queued yet; f is borrowed. */
struct archiving *archiving_new(struct flow *f);
/* Stops what runs and lets go of what waits: each done is called with an err_text. */
void archiving_free(struct archiving *a);
/* The flow is stopping: the job is asked to give up; archiving_idle() then comes true. */
void archiving_stop(struct archiving *a);
/* A member "archiving" for status: the case, bytes read, bytes in all. Nothing when idle. */
void archiving_status(const struct archiving *a, struct str *json);

#endif
