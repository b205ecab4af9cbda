/*
 * nightly: a night's work. All of the cabinet is swept; then, step by step over all cases,
 *
 *   verify    every document is read and compared with what was recorded
 *   archive   closed cases that are not archived yet or changed since, and open ones as `snapshots:`
 *             says
 *   prune     intermediate snapshots beyond `keep:`
 *   retire    closed cases whose time (`retire:`) has come
 *   send      archives that the hooks `archived` have not taken yet
 *
 * and who needs to know what is told: Needs attention.txt, the hook `nightly`, the answer's status.
 *
 * Each step on each case stands for itself and is recorded when it is done. A night that was cut off
 * is known by its beginning in the private state: the next one skips the cases that were verified
 * since, and every other step finds by itself what is left to do. One night runs at a time.
 */
#ifndef ORGANIZER_FLOW_NIGHTLY_H
#define ORGANIZER_FLOW_NIGHTLY_H

#include "flow/flow.h"

struct nightly;
struct str;

/* No night is under way; nothing is begun. */
struct nightly *nightly_new(struct flow *f);
/* Waits for the step under way. NULL is fine. */
void nightly_free(struct nightly *n);
/* Does a night's work, or joins the one under way. answer (may be NULL) gets 0, or 1 when something
 * was wrong or could not be done, and the report: a JSON object or lines for a person. dry_run: what
 * would be done, from what is known without reading documents. */
void nightly_run(struct flow *f, bool dry_run, bool json, flow_answer *answer, void *ctx);
/* The daemon's: the night has come (set: the clock was set, perhaps past it), and at the start: runs
 * what was missed or cut off. */
void nightly_tick(struct flow *f, bool set);
void nightly_catch_up(struct flow *f);
bool nightly_running(const struct nightly *n);
/* No further step begins, and the one under way ends soon. */
void nightly_stop(struct nightly *n);

/* Members of status: closed, archived (of these), retired; last_night (the report of the last one),
 * next_night (next_s: UTC seconds, 0 for never). state: of this thread, or NULL. */
struct matters;
struct state;
void nightly_status(const struct matters *all, struct state *s, int64_t next_s, bool running,
                    struct str *json);

#endif
