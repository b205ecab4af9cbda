/* history_internal: what history.c and history_undo.c share. Nobody else includes it. */
#ifndef ORGANIZER_RECORD_HISTORY_INTERNAL_H
#define ORGANIZER_RECORD_HISTORY_INTERNAL_H

#include "record/history.h"

/* Every line of the journal's first `size` bytes (all when negative), as history_each(). */
int history_read(int case_fd, int64_t size, history_fn *fn, void *ctx, struct error *err);
/* Whether the line tells that its document is not in the case any more. */
bool history_leaves(const json_t *json, const char *kind);

#endif
