/*
 * casework: what is written down about a case as a whole: its row in the private state and the
 * lines of its journal about it. One change is one transaction, made from the row as it is then.
 */
#ifndef ORGANIZER_FLOW_CASEWORK_H
#define ORGANIZER_FLOW_CASEWORK_H

#include "flow/flow.h"
#include "record/state.h"

/* What is written. All zero: path, folder and what the card says, and no line. Whether the case
 * counts as closed changes with the lines "closed" and "reopened" only. */
struct case_note {
    const char *kind;   /* journal line: "opened", "closed", …; NULL: none */
    const char *was;    /* the folder before it was renamed, or NULL */
    int64_t adopted_ns; /* for a case that the state does not know */
    bool accept;        /* the journal counts as it is: ends that it was tampered with */
    bool tampered;      /* marks it */
    bool gone;          /* its folder is not there */
    const char *more;   /* further members of the line: "\"key\":value,…"; NULL: none */
};

/*
 * Writes it. answer (may be NULL) gets 0 and the case's folder, or 3 and why not. Until it is
 * written m->recording is set. A case that the state does not know and that has a journal is made
 * from that (record/rebuild.h): the line is then `rebuilt` instead of kind.
 */
void flow_record_case(struct flow *f, struct matter *m, const struct case_note *note,
                      flow_answer *answer, void *ctx);
/* As above for a case that is not among the matters: its folder is gone. */
void flow_record_gone(struct flow *f, const struct case_row *row);

#endif
