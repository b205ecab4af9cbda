/*
 * finding: the flow's side of the catalogue (search/search.h) and of `organizer find`.
 *
 * Each row that is written is told (flow_find_row). Who reads documents gives what they say:
 *
 *   flow_find_text(f, &doc, digest, &content, fd)   when the row of doc is written
 *
 * and is asked for what is not known through flow_want_text() (whoever reads has that one), after
 * a crash, for what was there before, and when the catalogue is made anew.
 */
#ifndef ORGANIZER_FLOW_FINDING_H
#define ORGANIZER_FLOW_FINDING_H

#include "flow/flow.h"
#include "record/doc.h"

struct content;

/* The row was written: also one that is DOC_GONE now. */
void flow_find_row(struct flow *f, const struct doc *d);
/* What the document says: doc.case_id, number and digest tell which, and of which bytes. text: a
 * descriptor on all its text from the start on, duplicated here, or -1 for none. content may be
 * NULL. Call it after the act that wrote the row is done. */
void flow_find_text(struct flow *f, const struct doc *d, const struct content *content, int text);

#endif
