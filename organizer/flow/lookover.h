/*
 * lookover: what speaks against closing a case.
 *
 *   a history that was changed       the case is marked as tampered with
 *   documents needing attention      rows of the private state
 *   files open or being written      rows that wait, what is under way in the daemon, lock files of
 *                                    programs, and the kernel (a lease for each file)
 *   no closing letter                no document of the type ClosingLetter
 *   originals, trust balance         `Originals:` and `Trust balance:` on the card, unless what
 *                                    they say is none, zero or (originals) returned
 *   what cannot be looked at         it may be open, or say anything
 *   open tasks                       `Tasks:` on the card; lines of Tasks.txt, To do.txt, Todo.txt
 *                                    in the case folder that are not marked as done
 *
 * It reads and opens, and changes nothing. It may take long in a large case, and so runs beside the
 * loop, with copies of what the loop may change.
 */
#ifndef ORGANIZER_FLOW_LOOKOVER_H
#define ORGANIZER_FLOW_LOOKOVER_H

#include "base/error.h"
#include "cabinet/matter.h"
#include "decide/lang.h"
#include "record/state.h"

/* Names of documents, as people are shown them; the first few, and how many there are. */
struct lookover_names {
    char *names[4];
    size_t shown, len;
};

struct lookover {
    /* What is looked over; owned copies. */
    char id[CASE_ID_SIZE];
    char *path;      /* of the case, from the cabinet down */
    char *originals; /* as on the card, or NULL */
    char *trust, *tasks;
    struct lookover_names busy; /* open or being written: who starts it adds what it knows */
    /* What was found. */
    struct lookover_names attention, todo;
    struct lookover_names unknown; /* cannot be looked at, though it is ours to look at */
    bool tampered; /* its journal is not as it was left */
    bool letter; /* there is a closing letter */
    char **against; /* one sentence each, NULL-terminated; NULL until lookover_say() */
    size_t against_len;
};

/* Copies what is needed of m. */
void lookover_init(struct lookover *l, const struct matter *m);
void lookover_clear(struct lookover *l);
/* Something of this path (from the case folder down) is under way. */
void lookover_add_busy(struct lookover *l, const char *path);
/* Looks; state is this thread's. Returns 0, or -1 with err when its rows or its folder cannot be
 * read. */
int lookover_run(struct lookover *l, int root, struct state *state, struct error *err);
/* Puts what was found into words. */
void lookover_say(struct lookover *l, const struct lang *lang);
/* All sentences in one, "; " between them. Caller frees. */
char *lookover_text(const struct lookover *l);

/* Whether what a card says of originals, or of a trust balance, is more than nothing. */
bool lookover_is_noted(const char *value, bool money);
/* Whether a line of a list of tasks is one that is still to be done. */
bool lookover_is_task(const char *line);

#endif
