/* request: the parts of flow_request(), one per verb. Each answers exactly once. */
#ifndef ORGANIZER_FLOW_REQUEST_H
#define ORGANIZER_FLOW_REQUEST_H

#include "flow/flow.h"

struct matter;
struct rules;
struct str;

/* What a user typed, as a path from the cabinet down; NULL when it lies outside. Caller frees. */
char *flow_request_path(const struct flow *f, const char *cwd, const char *arg);
/* The case that the user named first, or NULL and what to tell them in text. */
struct matter *flow_request_case(struct flow *f, const struct flow_request *r, struct str *text);
/* A tampered or restored journal is accepted as it is from here on, and says so. */
void flow_take_up(struct flow *f, struct matter *m, flow_answer *answer, void *ctx);
/* undo CASE|DOCUMENT [--last N|--since TIME|--all] */
void flow_request_undo(struct flow *f, const struct flow_request *r, flow_answer *answer,
                       void *ctx);
/* archive [CASE…]: those cases; all closed ones that changed since their last archive */
void flow_request_archive(struct flow *f, const struct flow_request *r, flow_answer *answer,
                          void *ctx);
/* apply PLAN.csv */
void flow_request_apply(struct flow *f, const struct flow_request *r, flow_answer *answer,
                        void *ctx);
/* close CASE [--force] (closing.c) */
void flow_request_close(struct flow *f, const struct flow_request *r, flow_answer *answer,
                        void *ctx);
/* reopen CASE (reopening.c) */
void flow_request_reopen(struct flow *f, const struct flow_request *r, flow_answer *answer,
                         void *ctx);

/* retire CASE (reopening.c) */
void flow_request_retire(struct flow *f, const struct flow_request *r, flow_answer *answer,
                         void *ctx);

/* Client and case type that a folder's name tells. Owned, NULL when it does not. */
struct name_guess {
    char *client, *case_type;
};
void name_guess(const struct rules *rules, const char *path, struct name_guess *g);

#endif
