/*
 * standing: what is to be told of the cases as wholes, from the private state and the disk alone:
 * the same that the daemon tells, for those who ask without it.
 */
#ifndef ORGANIZER_FLOW_STANDING_H
#define ORGANIZER_FLOW_STANDING_H

#include "flow/survey.h"

struct str;

/* Tells e of cases whose folder or card is gone, and of journals that are not as they were left.
 * cards: also of what cards and folders give to tell (survey_run() tells that on its way). */
int standing_tell(struct survey *s, const struct survey_events *e, bool cards, struct error *err);
/* The members of flow_status() that are known without a daemon. *attention is set when something
 * needs it. Returns 0, or -1 with err. */
int standing_status(struct survey *s, struct str *json, bool *attention, struct error *err);

#endif
