/*
 * flights: what is with the filer. From before an act is submitted until its row is written, a look
 * at the document by any name would take it for another.
 *
 * What happens to its path meanwhile finds no row there yet: a document that is removed, or whose
 * folder is moved away, before its row is written would stay in the table for good. So whoever
 * finds nothing at a path, or reads a folder, says so here, and what lands there is looked at
 * again.
 */
#ifndef ORGANIZER_FLOW_FLIGHTS_H
#define ORGANIZER_FLOW_FLIGHTS_H

#include <stdbool.h>

#include "flow/tally.h"

struct doc;
struct doc_stamp;
struct flow;

/* One act under way; lies in what belongs to the act. */
struct flight {
    struct tally_key keys[4]; /* file, path, folder and, when it is known, document */
    unsigned len;             /* keys in use; 0: not under way */
    char *path;               /* where the document will be, from the cabinet down */
    bool again;               /* it is looked at when the row is written */
    struct flight *prev, *next;
};

/* An act is about to be submitted that will leave the document d, now the file `file`, at path
 * (taken over). fl is zero. */
void flight_begin(struct flow *f, struct flight *fl, const struct doc_stamp *file,
                  const struct doc *d, char *path);
/* The act ended. landed: where its document lies by the row that was written; NULL when none was.
 * Nothing for one that never began. */
void flight_end(struct flow *f, struct flight *fl, const char *landed);

/* Whether the row's file or document is under way. */
bool flights_have(const struct flow *f, const struct doc_stamp *file, const struct doc *d);
/* Nothing lies at path: what is on its way there is looked at again. */
void flights_missed(struct flow *f, const char *path);
/* The folder is read now, and rows that are not written yet are not compared. */
void flights_passed(struct flow *f, const char *folder);
/* The same for top and all folders below it. */
void flights_passed_below(struct flow *f, const char *top);

#endif
