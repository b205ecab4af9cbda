/* here: what verbs ask the daemon for, done by this process, since none runs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "cabinet/cabinet.h"
#include "cabinet/tree_lock.h"
#include "flow/archiving.h"
#include "flow/finding.h"
#include "flow/flow.h"
#include "flow/standing.h"
#include "flow/survey.h"
#include "search/find.h"
#include "verbs/progress.h"
#include "verbs/verb.h"

/* A flow run for one request. */
struct here {
    struct verb_call *call;
    struct flow *flow;
    const char *verb;
    const char *const *args;
    char *cwd;
    int status;
    int rounds; /* of waiting until all is settled */
    bool done;
    struct progress progress;
    uv_timer_t timer; /* shows it */
};

#define SHOW_MS 200

/* Where nobody else is at work two are enough; pages that were put off are for the next time. */
#define ROUNDS 5

static void stopped(void *ctx)
{
    struct here *h = ctx;

    h->done = true;
}

static bool is_verb(const struct here *h, const char *verb)
{
    return strcmp(h->verb, verb) == 0;
}

static void settled(void *ctx)
{
    struct here *h = ctx;

    /* What follows from what was done (documents renamed with their case) is nobody's to do later. */
    if (!flow_is_settled(h->flow) && h->rounds++ < ROUNDS) {
        flow_sync(h->flow, settled, h);
        return;
    }
    if (is_verb(h, "sync") || is_verb(h, "sweep"))
        h->status = flow_sync_text(h->flow, h->call->json, &h->call->out);
    flow_stop(h->flow, stopped, h);
}

static void answered(void *ctx, int status, const char *text)
{
    struct here *h = ctx;

    h->status = status;
    verb_take_answer(h->call, h->verb, status, text);
    flow_sync(h->flow, settled, h);
}

static void swept(void *ctx)
{
    struct here *h = ctx;
    struct flow_request r = {
        .verb = h->verb, .args = h->args, .cwd = h->cwd, .dry_run = h->call->dry_run,
        .force = h->call->force, .json = h->call->json};

    if (is_verb(h, "sweep") || is_verb(h, "sync"))
        settled(h);
    else
        flow_request(h->flow, &r, answered, h);
}

/* What is known without a daemon; nothing is changed by asking. */
static int status_here(struct verb_call *call, const char *cabinet)
{
    struct survey s;
    bool attention = false;
    int rc = survey_open(&s, cabinet, call->env, &call->error);

    /* One that keeps its private state elsewhere knows more than can be told here. */
    if (rc == 0)
        rc = tree_lock_ask(s.cab.root, s.cab.path, &call->error);
    if (rc == 0)
        rc = standing_status(&s, &call->out, &attention, &call->error);
    survey_close(&s);
    return rc < 0 ? EXIT_CANNOT : attention ? EXIT_ATTENTION : EXIT_ORDER;
}

static void show_here(uv_timer_t *t)
{
    struct here *h = t->data;
    uint64_t bytes = 0, of = 0;
    const char *path = archiving_progress(h->flow, &bytes, &of);

    if (path)
        progress_show(&h->progress, path, bytes, of);
}

/* Only a terminal wakes anybody up. */
static void start_showing(struct here *h, uv_loop_t *loop)
{
    progress_start(&h->progress);
    uv_timer_init(loop, &h->timer);
    h->timer.data = h;
    if (h->progress.on && verb_makes_snapshots(h->verb))
        uv_timer_start(&h->timer, show_here, SHOW_MS, SHOW_MS);
}

static int run_here(struct verb_call *call, const char *cabinet, const char *verb,
                    const char *const *args)
{
    struct flow_options o = {.path = cabinet, .env = call->env, .log = call->log};
    struct here h = {.call = call, .verb = verb, .args = args, .cwd = getcwd(NULL, 0)};
    uv_loop_t loop;

    if (uv_loop_init(&loop) < 0)
        return verb_fail(call, EXIT_CANNOT, "no event loop can be made");
    /* Who asked for one thing is told of that; the rest is on the pages. */
    if (!call->verbose)
        o.log.most = LOG_WARNING;
    h.flow = flow_open(&loop, &o, &call->error);
    if (!h.flow) {
        h.status = EXIT_CANNOT;
    } else if (is_verb(&h, "reload")) {
        str_add(&call->out, "no daemon runs here: configuration and rules are in order, and are "
                            "read at its start\n");
    } else if (flow_start(h.flow, &call->error) < 0) {
        h.status = EXIT_CANNOT;
    } else {
        start_showing(&h, &loop);
        flow_sync(h.flow, swept, &h);
        while (!h.done)
            uv_run(&loop, UV_RUN_ONCE);
        progress_wipe(&h.progress);
        uv_close((uv_handle_t *)&h.timer, NULL);
    }
    flow_close(h.flow);
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_loop_close(&loop);
    free(h.cwd);
    return h.status;
}

/* Without a daemon: the private state is read here, by its owner or root. */
static int look_here(struct verb_call *call, const char *cabinet, const struct find_request *r)
{
    struct survey s;
    struct find_job job = {.everything = true};
    int found = survey_open(&s, cabinet, call->env, &call->error);

    /* One that keeps its private state elsewhere knows more than can be told here. */
    if (found == 0)
        found = tree_lock_ask(s.cab.root, s.cab.path, &call->error);
    if (found == 0) {
        job.root = s.cab.root;
        job.state_dir = s.cab.state_dir;
        job.rules = s.rules;
        flow_find_cases(&job, s.matters);
        found = find_run(&job, r, &call->out, &call->error);
        find_job_clear(&job);
    }
    survey_close(&s);
    if (found < 0)
        return found == FIND_FAULT ? EXIT_USAGE : EXIT_CANNOT;
    return found ? EXIT_ORDER : EXIT_ATTENTION;
}

static int find_here(struct verb_call *call, const char *cabinet, const char *const *args)
{
    struct find_request r;
    int status = EXIT_USAGE;

    if (find_request_parse(&r, args, &call->error) == 0)
        status = r.rebuild ? run_here(call, cabinet, "find", args) : look_here(call, cabinet, &r);
    find_request_clear(&r);
    return status;
}

int verb_here(struct verb_call *call, const char *cabinet, const char *verb,
              const char *const *args)
{
    if (strcmp(verb, "status") == 0)
        return status_here(call, cabinet);
    if (strcmp(verb, "find") == 0)
        return find_here(call, cabinet, args);
    return run_here(call, cabinet, verb, args);
}
