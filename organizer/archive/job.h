/*
 * job: work that takes minutes, in a process of its own that never holds up filing.
 *
 * The organizer starts itself with the one argument "--job" (flow/job_run.h): descriptor 3 is a socket,
 * 4 the cabinet. The order is one line of JSON on 3, {"job":"snapshot",…}. What comes back is lines of
 * JSON: any number of {"progress":bytes,"of":bytes}, perhaps one {"intend":…}, which is answered by
 * {"go":true} when it was written down, then one {"result":…}, and the process ends. It
 * runs with the least priority for processor and disk, dies with the organizer, and may be killed at
 * any moment; SIGTERM asks it to give up in order.
 */
#ifndef ORGANIZER_ARCHIVE_JOB_H
#define ORGANIZER_ARCHIVE_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct str;

#define JOB_FD      3
#define JOB_CABINET 4
#define JOB_LINE_MAX (4 << 20)

/* Descriptors of one job. */
struct job {
    int out;  /* where answers go */
    int root; /* the cabinet */
    int64_t told_ns; /* when progress was last told */
};

/* What argv[1] "--job" runs. Returns the exit status. */
int job_main(void);
/* SIGTERM has come. */
bool job_is_stopped(void);
/* Tells how far it is, at most a few times a second. */
void job_progress(struct job *j, uint64_t bytes, uint64_t of);
/* Sends one line; it gets its newline here. False when nobody heard it. */
bool job_send(struct job *j, const struct str *line);
/* Waits for one line and reads it; NULL when it is no JSON or nobody is there. Caller frees. */
json_t *job_receive(struct job *j);

/* archive/order.c: {"job":"snapshot",…}: makes a snapshot and sends its result. 0, or -1 when the
 * order cannot be understood. */
int job_snapshot(struct job *j, const json_t *order);

#endif
