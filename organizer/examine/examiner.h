/*
 * examiner: asks sandboxed readers what a document is and what its digest is.
 *
 *   examiner_new()       starts nothing yet; readers start when needed and go when idle
 *   examiner_submit()    passes the descriptor to a digester and a classifier
 *   …answer callback     exactly once for every submit, from the event loop
 *   examiner_free()      kills the readers; answers still due come as EXAMINE_FAILED
 *
 * A reader gets one open descriptor and no path, and answers with fixed-size records that are
 * checked like any input. A reader that dies, stalls (no progress within the time limit) or
 * answers nonsense spoils one document: EXAMINE_FAILED with a reason; it is replaced. Lanes:
 * documents over EXAMINE_LARGE bytes use one digester only, so that letters always have another.
 * The descriptor stays the caller's and stays open until the answer: it is dup'ed by SCM_RIGHTS,
 * shares its file offset, and is read with pread(2) only. A reader closes its own before it
 * answers: after an answer that is EXAMINE_DONE nobody else holds the document.
 *
 * Only one thread, the loop's, may call these functions.
 */
#ifndef ORGANIZER_EXAMINE_EXAMINER_H
#define ORGANIZER_EXAMINE_EXAMINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/digest.h"
#include "examine/kind.h"

struct error;
struct examiner;
struct str;

#define EXAMINE_LARGE (INT64_C(64) << 20)

enum examine_status {
    EXAMINE_DONE,
    EXAMINE_FAILED, /* `why` says what; cannot tell, and of what could be told in part nothing is */
};

struct examination {
    enum examine_status status;
    struct digest digest; /* of all bytes */
    uint64_t bytes;       /* how many were digested */
    enum kind kind;
    char why[160]; /* EXAMINE_FAILED: for a person */
};

typedef void examiner_answer(void *ctx, const struct examination *x);

struct examiner_options {
    /* The program to run readers from, with the arguments "organizer", "--reader", KIND and the
     * socket as descriptor 3: main() hands them to reader_main(). "/proc/self/exe" stays the same
     * program through an upgrade. NULL forks without exec: for tests, not for threaded programs. */
    const char *exe;
    const char *magic_file; /* rules/documents.magic, tried before the system's */
    unsigned digesters;     /* at most this many; at least 2 */
    unsigned classifiers;   /* at most this many; at least 1 */
    unsigned idle_ms;       /* a reader with nothing to do goes after this long */
    unsigned stall_ms;      /* no progress for this long: the reader is killed */
    /* Called before (begin) and after the answers that are given in one go, so that what they all
     * need is prepared once. May be NULL. */
    void (*around)(void *ctx, bool begin);
    void *around_ctx;
};

/* The options are copied, the strings too. NULL with err when exe cannot be run at all. */
struct examiner *examiner_new(uv_loop_t *loop, const struct examiner_options *o, struct error *err);
/* size is a hint for the lane: a document that turns out larger changes it. want_kind false: digest
 * only, and kind is KIND_UNKNOWN. The answer never comes from inside this call. */
void examiner_submit(struct examiner *e, int fd, uint64_t size, bool want_kind,
                     examiner_answer *answer, void *ctx);
/* What was submitted goes to the readers now, and not with what else comes in the same turn of the loop:
 * for who knows that nothing else does. */
void examiner_send(struct examiner *e);
/* Documents submitted and not answered. */
unsigned examiner_pending(const struct examiner *e);
/* How many more it takes without queueing much: who submits keeps the rest. */
bool examiner_wants_more(const struct examiner *e);
/* Members of a JSON object for `status`: readers running, and what the sandbox could not get
 * ("landlock", "seccomp", …), written with base/json.h. */
void examiner_status(const struct examiner *e, struct str *out);
/* Kills the readers, answers what is pending at once, and closes its handles: the memory goes when
 * the loop has run once more. Not from inside an answer. NULL is fine. */
void examiner_free(struct examiner *e);

#endif
