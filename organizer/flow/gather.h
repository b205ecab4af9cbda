/*
 * gather: the facts of one document, from disk, rows and cases, for decide(). The same code
 * serves the daemon, check, explain and plan, so that they cannot disagree.
 */
#ifndef ORGANIZER_FLOW_GATHER_H
#define ORGANIZER_FLOW_GATHER_H

#include <stdbool.h>

#include "cabinet/cabinet.h"
#include "cabinet/config.h"
#include "cabinet/matter.h"
#include "decide/facts.h"
#include "examine/examiner.h"
#include "record/state.h"

struct env;
struct error;
struct lang;
struct rules;

/* Loads the shipped rules, the office's own below root (the cabinet) and the language; the caller frees both. -1
 * with err and both NULL: also where others may write the office's own, without which documents would be named
 * otherwise than the office wants. */
int gather_rules(int root, const struct env *env, struct rules **rules, struct lang **lang, struct error *err);

/* Where the facts come from; borrowed. */
struct gather_from {
    const struct env *env;
    const struct config *config;
    struct matters *matters;
    struct state *state; /* may be NULL: nothing is known yet */
    int root;
};

/* One document to gather facts of. */
struct gather_doc {
    const char *path;             /* from the cabinet down */
    const struct doc_stamp *stamp;
    const struct examination *x;
    const struct doc *row;        /* its row when it has one, else NULL */
    bool alone;                   /* known: nothing beside it can belong to it */
    bool came_back;               /* it lies where it was named before, as a new file */
    const struct content *content; /* as it was read just now; NULL: as it is kept */
};

/* Facts with the strings that they borrow. */
struct gathered {
    struct facts facts;
    struct matter *home;
    const char *inside; /* part of gather_doc.path */
    char *thread_doc; /* the mail that it answers */
    char *folder, *former_of, *same_mail;
    struct doc same; /* the same content; number 0: there is none */
    struct content kept;
};

/* Whether the row has what the file with this stamp holds: it was read, and did not change since. */
bool gather_is_read(const struct doc *row, const struct doc_stamp *now);
/* What was read of it, as the row has it. */
struct examination gather_read(const struct doc *row);
/* Fills g; clear with gather_clear(). home_for: look for the same content in this case as well
 * (where a decision wants to take it), or NULL. */
void gather(const struct gather_from *from, const struct gather_doc *doc,
            const struct matter *target, struct gathered *g);
/* The facts as they were before anybody read what the document says. */
void gather_unread(struct gathered *g);
void gather_clear(struct gathered *g);
/* Whether a document of which nothing is known yet lay there before the organizer came: before its
 * case was adopted or, in the office Inbox, before `init`. Then it is never named by itself. */
bool gather_was_before(const struct cabinet *c, const struct matter *home,
                       const struct doc_stamp *stamp);
/* The policy of the moment: configuration and today's date in the office's zone. */
struct policy gather_policy(const struct config *c, const struct env *env);

#endif
