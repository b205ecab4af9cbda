/* history_internal: what history.c and history_undo.c share. Nobody else includes it. */
#ifndef ORGANIZER_RECORD_HISTORY_INTERNAL_H
#define ORGANIZER_RECORD_HISTORY_INTERNAL_H

#include "record/history.h"

/* Every line that is decided, NULL: that is in the journal, as history_each(). */
int history_read(int case_fd, const struct history_decided *decided, history_fn *fn, void *ctx, struct error *err);
/* Whether the line tells that its document is not in the case any more. */
bool history_leaves(const json_t *json, const char *kind);

/* "a/b": no part is empty, "." or "..", and the first is not the organizer's own folder. */
bool history_is_plain(const char *path);
/* Whether no path of the line leads out of the folder that it is told from. What the organizer
 * writes never does; by what others wrote nothing may be renamed elsewhere. */
bool history_stays_inside(const struct history_line *line);

#endif
