/*
 * intents: the private log of renames about to be done, STATE_DIR/intents.log.
 *
 * A preallocated file of fixed-size blocks, so that fdatasync(2) costs no file system metadata. A
 * record starts at a block: magic, length, CRC-32C, number and payload. The log starts at the
 * first block and goes on while numbers rise by one; it is written from the start again when
 * nothing is pending. The number of the last finished intent is kept in state.db, changed in the
 * same transaction as the rows, so that done is one atomic fact. A torn record at the end (bad CRC)
 * was never acted upon.
 */
#ifndef ORGANIZER_FILE_INTENTS_H
#define ORGANIZER_FILE_INTENTS_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct intents;
struct str;

#define INTENTS_NAME "intents.log"

/* One rename about to happen, with all that is needed to record it afterwards. */
struct intent {
    uint64_t number;  /* rising; set by intents_add() */
    const char *json; /* {"from":…,"to":…,"ino":…,…}: written by the filer (intent_json.h) */
};

/* Opens or makes the log. finished: the number in state.db, 0 when there is none; numbers given out
 * are above it and above every number that the log ever held. durable false: never syncs, for
 * measurements. NULL with err. */
struct intents *intents_open(const char *state_dir, uint64_t finished, bool durable,
                             struct error *err);
void intents_close(struct intents *l);
/* Makes the log anew, after a sync failed: what the old one's pages hold is not known. Everything
 * in it must be finished. The log can be open or not. Returns 0 or -1 with err. */
int intents_remove(const char *state_dir, struct error *err);
/* Adds to the batch in memory; returns its number. */
uint64_t intents_add(struct intents *l, const char *json);
/* Writes and syncs the batch. After -1 the log is closed for writing: nothing may be acted upon. */
int intents_sync(struct intents *l, struct error *err);
/* Everything up to number is finished (the transaction is committed): space may be used again. */
void intents_finished(struct intents *l, uint64_t number);
/* The last number that was given out; 0 when none ever was. */
uint64_t intents_last(const struct intents *l);
/* Every valid record with a number above `after`, in order. Returns 0, fn's non-zero, or -1. */
typedef int intents_fn(void *ctx, const struct intent *i);
int intents_each(struct intents *l, uint64_t after, intents_fn *fn, void *ctx, struct error *err);

#endif
