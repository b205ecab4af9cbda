/*
 * finding: the flow's side of the catalogue (search/search.h) and of `organizer find`.
 *
 * Each row that is written is told (flow_find_row). Who reads documents gives what they say:
 *
 *   flow_find_text(f, &doc, digest, &content, fd)   when the row of doc is written
 *
 * and is asked for what is not known through flow_want_text() (reading.c) after a crash, for what was
 * there before, and when the catalogue is made anew.
 */
#ifndef ORGANIZER_FLOW_FINDING_H
#define ORGANIZER_FLOW_FINDING_H

#include "flow/flow.h"
#include "record/doc.h"

struct access_reader;
struct content;
struct find_job;
struct matters;

/* The row was written: also one that is DOC_GONE now. */
void flow_find_row(struct flow *f, const struct doc *d);
/* What the document says: doc.case_id, number and digest tell which, and of which bytes. text: the
 * file with all its text (text/text.h), duplicated here, or -1 for none. content may be NULL: it
 * says nothing that can be read. Call it after the act that wrote the row is done. */
void flow_find_text(struct flow *f, const struct doc *d, const struct content *content, int text);
/* A document that was asked for by flow_want_text() (reading.c) cannot be read now. */
void flow_find_unread(struct flow *f);

/* Opens the catalogue and its thread. What goes wrong is logged: nothing else needs it. */
void flow_find_open(struct flow *f);
void flow_find_close(struct flow *f);
/* A search runs beside the loop, and uses the rules. */
bool flow_is_finding(const struct flow *f);
/* Called whenever something changed: does the catalogue rest, because many are under way? */
void flow_find_rest(struct flow *f);
/* The catalogue has what was recorded so far; else it hurries, and flow_sync_check() is called. */
uint64_t flow_find_given(const struct flow *f);
bool flow_find_has(struct flow *f, uint64_t given);

/* `find`: args as find_request_parse() takes them. who: NULL may read everything; copied. Answers
 * with what find_run() tells; 1 when nothing was found. `--rebuild` begins the catalogue anew and
 * answers when every document that can be read is in it. */
void flow_find(struct flow *f, const char *const *args, const struct access_reader *who,
               flow_answer *answer, void *ctx);
/* Copies what a search needs to know of the cases. */
void flow_find_cases(struct find_job *job, const struct matters *matters);

#endif
