/*
 * closing: a case counts as closed once it was looked over (lookover.h) and nothing speaks against
 * it, or a person overrode that.
 *
 *   by the card   `Status: closed`: looked over whenever something in the case changed, until it
 *                 counts as closed; what speaks against it is listed (REASON_NOT_CLOSED);
 *                 `Close anyway: reason, name` overrides
 *   by a verb     `organizer close`: looked over at once; what speaks against it is the answer;
 *                 else, or with --force, the card is written and the case closed
 *
 * Either way the journal gets a `closed` line, with what was overridden and by whom.
 */
#ifndef ORGANIZER_FLOW_CLOSING_H
#define ORGANIZER_FLOW_CLOSING_H

#include "flow/flow.h"

struct closings;
struct error;
struct lookover;
struct matter;
struct str;

/* What the loop keeps for it. */
struct closings *closings_new(struct flow *f);
/* Waits for the case that is being looked over. NULL is fine. */
void closings_free(struct closings *c);
/* The card of the case may say closed, or something in the case changed: it is looked over soon,
 * when it is one that would be closed. */
void closing_wanted(struct flow *f, struct matter *m);
/* As above for the case in which path lies. Cheap while no case waits to be closed. */
void closing_wanted_at(struct flow *f, const char *path);
/* Begins at once what is due. True while any case is being looked over. */
bool closing_under_way(struct flow *f);

/* What closing and reopening share. */

/* Writes Status and Closed on the card. Returns 0, or -1 with err. */
int closing_write_card(struct flow *f, const struct matter *m, bool closed, struct error *err);
/* The case as an answer begins with it, or as one JSON line with its state (open, closed, retired)
 * and what speaks against it. */
void closing_say(struct str *out, const struct lookover *l, bool json, const char *state);

#endif
