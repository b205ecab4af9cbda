/*
 * outbox: the journal lines that are committed, onto the share.
 *
 * A line counts when it is in the private state's outbox. It is then appended to its case's
 * journal; the head that has moved and the lines that are out are taken into the next transaction,
 * or get one of their own. A case whose folder cannot be found or written keeps its lines in the
 * outbox.
 */
#ifndef ORGANIZER_FILE_OUTBOX_H
#define ORGANIZER_FILE_OUTBOX_H

#include <stdbool.h>

struct error;
struct filer_options;
struct outbox;
struct state;

/* o and state are borrowed. */
struct outbox *outbox_new(const struct filer_options *o, struct state *state);
void outbox_free(struct outbox *b);
/* Where the case's folder is, when it is known better than in its row. */
void outbox_hint(struct outbox *b, const char *case_id, const char *case_path);
/* Lines were added to the private state. */
void outbox_added(struct outbox *b);
/* There may be lines in it. */
bool outbox_has_lines(const struct outbox *b);
/* Appends all lines that wait. *lines, when not NULL, is raised by those that were written. 0 when
 * the disk is well, also if a case's lines had to stay; -1 with err when filing must stop. */
int outbox_flush(struct outbox *b, unsigned *lines, struct error *err);
/* The same in three steps. What waits is taken from the private state; 0, or -1 with err. */
int outbox_take(struct outbox *b, struct error *err);
/* What was taken is appended. Touches no private state: in any thread, while nobody else has b. 0, or -1
 * with err when filing must stop. */
int outbox_write(struct outbox *b, struct error *err);
/* What became of them is noted; rc: 0, or -1 when one of the two failed. lines as above. */
void outbox_end(struct outbox *b, int rc, unsigned *lines);
/* At the beginning of a transaction with outbox_put_heads(): forgets the lines that have moved when there are
 * no others, all at once. 1 forgotten, 0 not, -1 with err. */
int outbox_forget(struct outbox *b, struct error *err);
/* Heads that have moved since they were last put: inside a transaction. Their lines are forgotten, unless
 * they are `forgotten` already. */
int outbox_put_heads(struct outbox *b, bool forgotten, struct error *err);
/* There are such heads. */
bool outbox_has_heads(const struct outbox *b);
/* The transaction with outbox_put_heads() was committed. */
void outbox_heads_put(struct outbox *b);
/* Whether a case was marked as tampered with since this was last asked. */
bool outbox_took_tampered(struct outbox *b);
/* Lines that stayed, and why the last of them; "" when none. */
unsigned outbox_waiting(const struct outbox *b, const char **why);

#endif
