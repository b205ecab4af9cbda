/*
 * batch: many renamings as one request: undo and apply. Steps go to the filer in order; one answer
 * comes when all are done, a line for each that could not be.
 */
#ifndef ORGANIZER_FLOW_BATCH_H
#define ORGANIZER_FLOW_BATCH_H

#include "flow/internal.h"

struct batch;

/* answer is called once, after batch_done(), and the batch is gone then. */
struct batch *batch_new(struct flow *f, flow_answer *answer, void *ctx);
/* An act that renames the document `row` (copied) from its path to `to` (both from the cabinet
 * down), to that name or none, journaled as kind. Whose it is, done and ctx, the caller sets. */
struct act *batch_act(struct flow *f, const struct matter *m, const struct doc *row,
                      const char *from, const char *to, const char *kind);
/* The same as a step of the batch. exact: that name or none. */
struct act *batch_rename(struct batch *b, const struct matter *m, const struct doc *row,
                         const char *from, const char *to, const char *kind, bool exact);
/* Hands the act to the filer; while its document is open for a moment it is tried again. */
void batch_submit(struct flow *f, struct act *a);
/* Its being done is neither counted nor said: the document goes on from there. */
void batch_uncounted(struct act *a);
/* No answer before what follows from a step is done, too. */
void batch_hold(struct batch *b);
void batch_let_go(struct batch *b);
/* A dry run: counts it, and says where it would go. */
void batch_would(struct batch *b, const char *from, const char *to);
/* One that cannot be done: said, and the answer's status is EXIT_ATTENTION. */
void batch_left(struct batch *b, const char *path, const char *why);
/* All is submitted: answers when the last step is done. done_text is the last line, with %zu for
 * how many were done. */
void batch_end(struct batch *b, const char *verb);

#endif
