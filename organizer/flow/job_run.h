/*
 * job_run: one job (archive/job.h) as the organizer sees it: a process that is given an order and
 * sends lines until it ends.
 */
#ifndef ORGANIZER_FLOW_JOB_RUN_H
#define ORGANIZER_FLOW_JOB_RUN_H

#include <jansson.h>
#include <uv.h>

struct error;
struct job_run;

struct job_events {
    /* A line of JSON came; borrowed. */
    void (*line)(void *ctx, const json_t *line);
    /* It has ended, and nothing more comes; the job_run is freed afterwards. why: "" when it ended in
     * order, else what happened to it, for a person. */
    void (*ended)(void *ctx, const char *why);
};

/* Starts exe with "--job" and the cabinet root as its descriptor 4, and sends the order (a line of
 * JSON without newline). Events come from the loop. NULL with err. */
struct job_run *job_run_start(uv_loop_t *loop, const char *exe, int root, const char *order,
                              const struct job_events *events, void *ctx, struct error *err);
/* Sends it one more line (without newline). */
void job_run_send(struct job_run *j, const char *line);
/* Asks it to give up in order. ended still comes. */
void job_run_stop(struct job_run *j);
/* Kills it. ended still comes. */
void job_run_kill(struct job_run *j);

#endif
