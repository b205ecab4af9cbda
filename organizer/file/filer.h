/*
 * filer: does acts in batches, durably, in a thread of its own; the only code that renames.
 *
 * For each batch (all that is queued, at most FILER_BATCH acts):
 *   1. choose names (serial when taken: on disk, in the table, and in this batch; compared as
 *      people on Windows and macOS see them), make folders
 *   2. intents to the private log, fdatasync   }  side by side
 *      the documents' own data to the disk     }  (of many ahead; where a rename cannot get there
 *      without it, few are only written out, and synced in step 4: datasync.h)
 *   3. each rename: F_WRLCK lease where leases work; look (name still that inode, stamp unchanged,
 *      nobody has it open); renameat2(RENAME_NOREPLACE) from and to descriptors resolved by
 *      openat2(BENEATH, NO_SYMLINKS, NO_XDEV), anew after a few documents (parents.h); the new
 *      name's inode compared with the leased descriptor (what really moved is what is recorded; a
 *      stranger is put back); F_UNLCK
 *   4. few documents, then folders synced, while the transaction of 5 is filled; it is not
 * committed before
 *   5. one transaction in the private state: rows, former names, outbox lines, intents finished
 *   6. journals appended and synced, heads moved (with the next transaction or at once)
 * A crash anywhere leaves each document whole under its old or its new name; filer_recover() at
 * start settles all four states (old, new, both, neither) from the private log only.
 * After EIO, ENOSPC, EDQUOT or EROFS the filer stops (filer_stopped), later acts come back as
 * ACT_STOPPED; filer_resume() tries again. That a sync succeeds after one that failed proves
 * nothing: what is the filer's own is written anew, and a document whose sync failed is filed only
 * when it was read from the disk and is what it was (suspects.h), else its act comes back as
 * ACT_LOST. Which those are stands in the private state, as far as that can be written, and in the
 * log of intents. Only that a sync of the whole file system failed is forgotten when the program
 * ends: of documents whose acts it did not stop, the next run takes what the kernel has in memory
 * for what the disk has.
 */
#ifndef ORGANIZER_FILE_FILER_H
#define ORGANIZER_FILE_FILER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/env.h"
#include "file/act.h"

struct error;
struct filer;
struct known;
struct state;

#define FILER_BATCH    400
#define FILER_CROWD    160
#define FILER_CROWD_MS 40

/* Steps of a batch, for filer_options.between. */
enum filer_point {
    FILER_CHOSEN,    /* names are chosen, nothing is written */
    FILER_INTENDED,  /* intents are on the disk, documents are or are written out */
    FILER_LOOKED,    /* the act's document was looked at (under its lease) and is renamed next */
    FILER_RENAMED,   /* it was renamed and is compared next */
    FILER_SETTLED,   /* all of the batch are renamed, they and their folders synced */
    FILER_COMMITTED, /* rows and outbox are committed, journals not written */
};

struct filer_options {
    int root;              /* the cabinet, a directory descriptor; borrowed */
    const char *state_dir; /* of this cabinet; borrowed */
    const struct env *env; /* borrowed */
    bool durable;          /* false only for measurements */
    struct known *known;   /* kept for who reads the private state (state.h); borrowed, or NULL */
    /* For tests: called on the filer's thread between two steps; a is NULL when the step is the
     * batch's. NULL otherwise. */
    void (*between)(void *ctx, enum filer_point point, const struct act *a);
    void *between_ctx;
    /* Asked on the loop's thread for each act that is submitted: what it rests on may not be so; it
     * comes back as ACT_STOPPED, with *why. May be NULL. */
    bool (*doubts)(void *ctx, struct error *why);
    void *doubts_ctx;
    /* Called on the loop's thread for each act that was done, before its done(). May be NULL. */
    void (*recorded)(void *ctx, const struct act *a);
    void *recorded_ctx;
    /* Called on the loop's thread when a batch's journals were written, after its acts' done().
     * tampered: the journal of a case was not as it was left, and the case is marked. May be NULL.
     */
    void (*written)(void *ctx, bool tampered);
    void *written_ctx;
};

/* Starts the thread. NULL with err. Runs recovery first (filer_recover). Blocks SIGIO in the
 * calling thread, which must not have started others that leave it open (lease.h). */
struct filer *filer_new(uv_loop_t *loop, const struct filer_options *o, struct error *err);
/* Takes the act over; a->done is called on the loop's thread later, then the act is freed. */
void filer_submit(struct filer *f, struct act *a);
/* The document, open as fd, will be handed over in a moment: its data is brought onto the disk
 * meanwhile. fd stays the caller's. */
void filer_prepare(struct filer *f, int fd);
/* Whether many more acts follow within moments: then a batch waits for FILER_CROWD acts, or for
 * FILER_CROWD_MS, since its syncs and its transaction cost hardly more for many than for few. */
void filer_expect(struct filer *f, bool many);
/* Whether an event, that something came to path or left it, tells only of what the filer did for an
 * act that says `unheard`; cookie as in echoes_take(). True once for each. Loop's thread. */
bool filer_echo(struct filer *f, const char *path, bool came, uint32_t cookie);
/* Events were lost. Loop's thread. */
void filer_echoes_lost(struct filer *f);
/* Acts submitted and not yet done. */
unsigned filer_pending(const struct filer *f);
/* Acts are pending, or done and not yet in the journals. */
bool filer_busy(struct filer *f);
/* Why it stopped, or NULL. Borrowed until the next call. Loop's thread. */
const char *filer_stopped(struct filer *f);
/* Lets it try again: recovery first, with a new log of intents. */
void filer_resume(struct filer *f);
/* Finishes what is queued, stops the thread, closes. The loop must be run until the callbacks came
 * or be done with; acts still queued come back as ACT_STOPPED when `at_once`. */
void filer_free(struct filer *f, bool at_once);

/* The filer notes with the first rows that it writes that pages are out of date. Whether that stands
 * in the private state: a run ended before all its pages were written. */
bool filer_unpublished(struct state *s);
/* All pages were written, and the filer is closed. 0, or -1 with err. */
int filer_published(struct state *s, struct error *err);

/* What recovery found, for the log. */
struct recovery {
    unsigned intents;   /* pending */
    unsigned finished;  /* were under the new name: recorded */
    unsigned untouched; /* were under the old name: dropped */
    unsigned both;      /* a hard link or a copy under both names: both kept, the sweep lists it */
    unsigned neither;   /* a person moved or removed it meanwhile: the sweep finds it */
    unsigned lines;     /* journal lines that were still to be appended */
};
/* Settles the pending intents and the outbox of state_dir. */
int filer_recover(const struct filer_options *o, struct recovery *r, struct error *err);
/* What the recovery in filer_new() found. Borrowed. */
const struct recovery *filer_recovered(const struct filer *f);
/* Journal lines that are decided and not on the share, because a case's folder cannot be written
 * or found; they are tried again with every batch. *why, when not NULL, gets the latest reason,
 * borrowed until the next call; "" when there is none. Loop's thread. */
unsigned filer_lines_waiting(struct filer *f, const char **why);

#endif
