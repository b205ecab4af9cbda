/*
 * flow: one open cabinet at work: the way of a document from hint to page (design.md section 1).
 *
 *   flow_open()    takes the lock, recovers, loads rules and cases; nothing runs yet
 *   flow_start()   watches (when asked to) and starts the first sweep
 *   …the loop runs…
 *   flow_sync()    calls back when everything dropped before it is filed, listed or waited for
 *   flow_stop()    finishes the batch under way and calls back; then flow_close()
 *
 * Everything here runs on the loop's thread. The parts of a document's way are one file each:
 *   look.c      what is at a hinted path; which document is it (identity.c); settle
 *   judge.c     examine, gather facts (gather.c), decide, turn the decision into an act
 *   record.c    what becomes of an act: rows, cases touched, hooks, the line people see
 *   sweep.c     the scan as the truth: folders, cases, documents that are gone
 *   cases.c     cases that appear, change, move, are copied
 *   pages.c     when indexes are written
 *   folders.c   folders dropped into an Inbox
 *   tell.c      the administrator's hooks for whole cases
 */
#ifndef ORGANIZER_FLOW_FLOW_H
#define ORGANIZER_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/env.h"
#include "base/log.h"
#include "cabinet/cabinet.h"
#include "cabinet/matter.h"

struct error;
struct flow;
struct lang;
struct rules;
struct str;

struct flow_options {
    const char *path;      /* of the cabinet */
    const struct env *env; /* borrowed */
    struct log log;
    bool watch;            /* set watches, keep running; else one sweep's worth of work */
    bool plain_lines;      /* say what is filed on standard output, for a person who watches */
};

/* Opens the private state and all parts; nothing is watched yet. NULL with err. */
struct flow *flow_open(uv_loop_t *loop, const struct flow_options *o, struct error *err);
/* Watches and starts the first sweep. */
int flow_start(struct flow *f, struct error *err);

typedef void flow_done(void *ctx);
/* done is called when everything that was dropped before this call is filed, listed, or waited
 * for, and the pages say so. */
void flow_sync(struct flow *f, flow_done *done, void *ctx);
/* Sweeps the whole cabinet; done (may be NULL) as for flow_sync() when that is finished. */
void flow_sweep(struct flow *f, flow_done *done, void *ctx);
/* Reads configuration and rules again; broken ones leave the old in place: -1 with all problems
 * in text. */
int flow_reload(struct flow *f, struct str *text);
/* Takes no new work, finishes what is with the filer, writes the pages that it changed, then calls done. */
void flow_stop(struct flow *f, flow_done *done, void *ctx);
void flow_close(struct flow *f);

/* A JSON object: counts, backlog, watches, readers, last sweep, what the sandbox could not get. */
void flow_status(struct flow *f, struct str *json);
/* Something needs attention somewhere in the cabinet. */
bool flow_needs_attention(struct flow *f);
/* How that begins while filing has stopped. */
#define FLOW_STOPPED "FILING HAS STOPPED: "
/* What `sync` and `sweep` answer. Returns their exit status: EXIT_CANNOT while filing has stopped. */
int flow_sync_text(struct flow *f, bool json, struct str *out);
/* Nothing is under way, and the pages say all that is known. */
bool flow_is_settled(struct flow *f);
/* How many items are only waited for. */
size_t flow_waiting(const struct flow *f);

/* Verbs that change something; each calls back with the exit status and what to print. */
typedef void flow_answer(void *ctx, int status, const char *text);
struct flow_request {
    const char *verb;         /* "new", "adopt", "undo", "apply", "close", "reopen", "retire", "nightly" */
    const char *const *args;  /* NULL-terminated; paths are absolute or from the cabinet down */
    const char *cwd;          /* absolute: where the user stands */
    bool dry_run;
    bool force;               /* close: whatever speaks against it */
    bool json;
};
void flow_request(struct flow *f, const struct flow_request *r, flow_answer *answer, void *ctx);

#endif
