/*
 * survey: looks at a cabinet without changing anything: the same facts, rules and decisions as
 * the daemon's, for check, explain and plan. Takes no lock; reads the private state when it may.
 */
#ifndef ORGANIZER_FLOW_SURVEY_H
#define ORGANIZER_FLOW_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "cabinet/cabinet.h"
#include "cabinet/matter.h"
#include "decide/decide.h"
#include "flow/gather.h"

struct error;
struct state;

/* An open survey. Members may be read by the caller. */
struct survey {
    const struct env *env;
    struct cabinet cab;
    struct lang *lang;
    struct rules *rules;
    struct state *state; /* NULL when there is none or it may not be read */
    struct matters *matters;
    struct policy policy;
};

/* One document and what would become of it. Borrowed during the call. */
struct survey_doc {
    const char *path; /* from the cabinet down */
    const struct gathered *facts;
    const struct examination *x;
    const struct doc *row; /* NULL when it has none */
    const struct doc_stamp *stamp;
    const struct decision *decision;
    bool may_name; /* the daemon would do it by itself; else only plan and apply */
};

/* Something about a folder or case. Borrowed. */
struct survey_notice {
    enum reason reason;
    const char *path, *sentence, *help;
};

struct survey_events {
    void (*document)(void *ctx, const struct survey_doc *d);
    void (*notice)(void *ctx, const struct survey_notice *n);
    /* Folders and documents so far, now and then; may be NULL. */
    void (*progress)(void *ctx, uint64_t folders, uint64_t documents);
    /* A file about which nothing is decided, and why; may be NULL. */
    void (*ignored)(void *ctx, const char *path, const char *why);
    void *ctx;
    bool explain; /* decisions carry their full trace */
};

/* Opens the cabinet at path for looking. Returns 0 or -1; close either way. */
int survey_open(struct survey *s, const char *path, const struct env *env, struct error *err);
void survey_close(struct survey *s);
/* Finds the cases only, by a look at every folder: where the private state is not known. */
int survey_cases(struct survey *s, const struct survey_events *e, struct error *err);
/* Looks at everything below `below` (a path from the cabinet down; "" is all). Documents are told
 * in no fixed order. Returns 0 or -1. */
int survey_run(struct survey *s, const char *below, const struct survey_events *e,
               struct error *err);

#endif
