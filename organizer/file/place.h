/*
 * place: which name a document gets.
 *
 * A name is free when nothing on disk, no row of the table, and nothing else in this batch has it,
 * compared as people on Windows and macOS see names. A row whose document is not there any more
 * keeps its name as long as that may come back: while its folder changed within DOC_MISSING_NS.
 * Names that documents of this batch leave count as free. The last serial given per wanted name is
 * remembered while documents keep coming, so that 10,000 documents that want one name cost 10,000
 * steps.
 */
#ifndef ORGANIZER_FILE_PLACE_H
#define ORGANIZER_FILE_PLACE_H

#include <stdbool.h>

struct act;
struct env;
struct folders;
struct place;
struct state;

/* Serials end here: no free name behind it. */
#define PLACE_SERIAL_MAX 99999

/* All are borrowed. */
struct place *place_new(const struct env *env, int root, struct state *state);
void place_free(struct place *p);
/* Chooses a->to and makes its folder; folders that were made are added to `made` to be synced. On
 * failure a->status and a->error say why, and a->to is NULL. The disk is asked for the name only with
 * `ask` and for exact acts: mostly it is free, and a rename that replaces nothing tells when it is not. */
void place_choose(struct place *p, struct act *a, struct folders *made, bool ask);
/* Names are chosen for all that want one: the folder that is kept open for the next is closed. */
void place_end_round(struct place *p);
/* The batch is over: its names are on disk and in the table, or free again. */
void place_end_batch(struct place *p);
/* Nothing more is queued: the first free serial is looked for again. */
void place_forget(struct place *p);
/* a is done. When it is exact, an act that was queued behind it may take the same document on from
 * there (swaps go by a third name). */
void place_moved(struct place *p, const struct act *a);
/* Such an act was made before the first one changed the document's ctime: a->stamp is put right. */
void place_follow(const struct place *p, struct act *a);

#endif
