/*
 * vanished: cases and folders that the private state has and a scan did not meet. Looked for in
 * slices on the loop, after the scan; what lay in them is hinted.
 */
#ifndef ORGANIZER_FLOW_VANISHED_H
#define ORGANIZER_FLOW_VANISHED_H

#include "flow/flow.h"

struct vanished;

/* For one sweep; nothing is missed yet. Free with vanished_free(). */
struct vanished *vanished_new(struct flow *f);
/* The scan is in this folder: it is there. */
void vanished_met(struct vanished *v, const char *path);
/* Looks below top for what was not met since the last look, then forgets what was met and calls
 * done. */
void vanished_look(struct vanished *v, const char *top, flow_done *done, void *ctx);
/* The memory goes when the loop has run once more. */
void vanished_free(struct vanished *v);

#endif
