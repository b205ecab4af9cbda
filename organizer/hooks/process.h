/*
 * process: one running hook: how it is started, what it says, and how it is ended for certain.
 *
 * Standard input is a sealed file in memory, so a hook may read it, ignore it or close it without
 * anybody waiting. Descriptor 3 is the document, when there is one, and 4 is where long output goes. The hook leads a session and
 * process group of its own, which is killed when the time is over and also when the hook itself
 * has ended: what it left behind in the background does not stay.
 */
#ifndef ORGANIZER_HOOKS_PROCESS_H
#define ORGANIZER_HOOKS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/str.h"

/* Bytes kept of standard output, and as many of standard error; the rest is read and dropped. */
#define HOOK_OUTPUT_MAX 4096

struct hook_process;

struct hook_result {
    bool started;   /* false: out says why not */
    bool timed_out; /* killed after its time */
    int64_t status; /* exit status, when signal is 0 */
    int signal;     /* that ended it, or 0 */
    struct str out; /* standard output, trailing white space taken off */
    struct str err; /* standard error, likewise */
};

/* result is borrowed for the length of the call; the process is freed after it. */
typedef void hook_process_ended(void *ctx, const struct hook_result *result);

struct hook_order {
    const char *path;    /* absolute */
    const char *event;   /* told as ORGANIZER_EVENT */
    const char *json;    /* for standard input */
    int document;        /* open for reading only, or -1; borrowed, its offset is set to 0 */
    int output;          /* open for writing, or -1: its descriptor 4, with a document only; borrowed */
    int64_t ms;          /* time limit */
    const char *refused; /* NULL, or why it must not run: reported as "not started" */
};

/* Starts it. ended is called once, later, from the loop, also when it could not be started. */
struct hook_process *hook_process_start(uv_loop_t *loop, const struct hook_order *o,
                                        hook_process_ended *ended, void *ctx);
/* Kills the group; ended is still called. */
void hook_process_kill(struct hook_process *p);

#endif
