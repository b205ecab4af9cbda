/* filing: what the parts of the filer share; belongs to its thread. Nobody else includes it. */
#ifndef ORGANIZER_FILE_FILING_H
#define ORGANIZER_FILE_FILING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "file/act.h"
#include "file/datasync.h"
#include "file/echoes.h"
#include "file/filer.h"
#include "file/intents.h"
#include "file/suspects.h"
#include "record/state.h"

struct place;
struct outbox;

/* Key in the private state: number of the last finished intent. */
#define INTENTS_KEY "intents.finished"
#define UNPUBLISHED_KEY "pages.unpublished"
#define SUSPECTS_KEY    "documents.suspects"

struct filing {
    struct filer_options o;
    uint64_t root_dev;
    struct state *state;
    struct intents *intents;
    struct suspects *suspects;
    uint64_t suspects_kept; /* of them: suspects_text() */
    struct datasync *datasync, *foldersync;
    struct place *place;
    struct outbox *outbox;
    struct echoes *echoes;
    bool crowded;     /* state_expect() */
    bool journals;    /* those of the batch before are being written in foldersync's thread */
    void (*over)(void *ctx); /* called there when they are: batch_calls */
    void *over_ctx;
    bool unpublished; /* filer_unpublished() is in the private state */
    bool stopped;
    struct error why; /* why it stopped */
};

/* Opens the private state and the log, and settles what a crash left behind. NULL with err. */
struct filing *filing_open(const struct filer_options *o, struct recovery *r, struct error *err);
void filing_close(struct filing *g);
/* After filing stopped: opens everything anew and settles. 0, or -1: still stopped. */
int filing_resume(struct filing *g);
/* The private state, as far as it can be written, has the suspects. */
void filing_keep_suspects(struct filing *g);

/* batch.c: does the acts of the list, all statuses set. `give` gets the list as soon as it counts,
 * before the journals are written; more() tells whether another batch follows at once. over() is called in
 * another thread when the journals are written. */
struct batch_calls {
    void (*give)(void *ctx, struct act *list);
    bool (*more)(void *ctx);
    void (*over)(void *ctx);
    void *ctx;
};
void batch_do(struct filing *g, struct act *list, const struct batch_calls *calls);
/* Journals are being written, or their heads are still to be put. */
bool batch_is_open(const struct filing *g);
/* No batch follows for now: waits for the journals of the last, and puts their heads. */
void batch_rest(struct filing *g);

/* ledger.c: rows and lines. One act's changes inside a transaction; 0 or -1 with err. */
int ledger_put(struct state *s, struct act *a, struct error *err);
/* Pages are out of date from now on: filer_unpublished(). As ledger_put(). */
int ledger_unpublished(struct state *s, struct error *err);
/* doc.path of a document at `to`, from the cabinet down. Borrowed from to. */
const char *ledger_inside(const struct act *a, const char *to);
/* Remembers in the transaction that the intents up to number are finished. */
int ledger_finish(struct state *s, uint64_t number, struct error *err);
/* *number: what ledger_finish() left, 0 when nothing. -1 with err: of a number that is too low intents would be
 * numbered as others were that are finished. */
int ledger_finished(struct state *s, uint64_t *number, struct error *err);

/* recover.c: settles the pending intents. */
int recover_intents(struct filing *g, struct recovery *r, struct error *err);

#endif
