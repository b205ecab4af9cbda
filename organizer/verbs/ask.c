/* ask: verbs that change something go to the daemon, or are done here while holding the lock. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "cabinet/cabinet.h"
#include "cabinet/tree_lock.h"
#include "flow/archiving.h"
#include "flow/flow.h"
#include "flow/standing.h"
#include "serve/talk.h"
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
        flow_sync_text(h->flow, h->call->json, &h->call->out);
    flow_stop(h->flow, stopped, h);
}

/* What the verb answers: facts, or why it could not be done. Of several cases some can be done and
 * some not: facts, too. */
static void take_answer(struct verb_call *call, const char *verb, int status, const char *text)
{
    if (status >= EXIT_USAGE && !(status == EXIT_CANNOT && strcmp(verb, "archive") == 0))
        verb_fail(call, status, "%s", text);
    else
        str_add(&call->out, text);
}

static void answered(void *ctx, int status, const char *text)
{
    struct here *h = ctx;

    h->status = status;
    take_answer(h->call, h->verb, status, text);
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

/* ---- how far a snapshot is -------------------------------------------------------------------- */

static bool makes_snapshots(const char *verb)
{
    return strcmp(verb, "archive") == 0 || strcmp(verb, "nightly") == 0;
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
    if (h->progress.on && makes_snapshots(h->verb))
        uv_timer_start(&h->timer, show_here, SHOW_MS, SHOW_MS);
}

/* What the daemon is asked about while it works. */
struct watching {
    struct verb_call *call;
    const char *cabinet;
    struct progress progress;
};

static void show_there(void *ctx)
{
    struct watching *w = ctx;
    struct verb_call quiet = {.env = w->call->env, .log = w->call->log};
    struct talk_request r = {.verb = "status", .json = true};
    struct talk_reply reply = {0};
    json_t *status = NULL, *now;

    if (verb_talk(&quiet, w->cabinet, &r, &reply) > 0)
        status = json_loadb(str_c(&reply.text), reply.text.len, JSON_DISABLE_EOF_CHECK, NULL);
    now = json_object_get(status, "archiving");
    if (now) {
        AUTO_FREE char *path = json_get_name(now, "case");

        progress_show(&w->progress, path ? path : "", (uint64_t)json_get_num(now, "bytes", 0),
                      (uint64_t)json_get_num(now, "of", 0));
    }
    json_decref(status);
    str_clear(&reply.text);
}

/* ---- here or there ----------------------------------------------------------------------------- */

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

int verb_talk(struct verb_call *call, const char *cabinet, const struct talk_request *r,
              struct talk_reply *reply)
{
    struct cabinet c;
    int rc = cabinet_locate(&c, cabinet, call->env, &call->error);

    if (rc == 0)
        rc = talk_ask(c.state_dir, r, reply, &call->error);
    if (rc == 0) {
        AUTO_FREE char *dir = xasprintf("%s/%s", call->env->run_home, c.id);

        rc = talk_ask(dir, r, reply, &call->error);
    }
    cabinet_close(&c);
    return rc;
}

int verb_ask(struct verb_call *call, const char *cabinet, const char *verb, const char *const *args)
{
    AUTO_FREE char *cwd = getcwd(NULL, 0);
    struct talk_request r = {
        .verb = verb, .args = args, .cwd = cwd, .dry_run = call->dry_run, .json = call->json,
        .force = call->force};
    struct talk_reply reply = {0};
    struct watching w = {.call = call, .cabinet = cabinet};
    int rc;

    progress_start(&w.progress);
    if (w.progress.on && makes_snapshots(verb)) {
        r.waiting = show_there;
        r.ctx = &w;
    }
    rc = verb_talk(call, cabinet, &r, &reply);
    progress_wipe(&w.progress);
    if (rc == 0 && strcmp(verb, "status") == 0)
        return status_here(call, cabinet);
    if (rc == 0)
        return run_here(call, cabinet, verb, args);
    if (rc < 0)
        return EXIT_CANNOT;
    take_answer(call, verb, reply.status, str_c(&reply.text));
    str_clear(&reply.text);
    return reply.status;
}

static int ask_about(struct verb_call *call, const char *verb)
{
    AUTO_FREE char *cabinet = verb_cabinet(call, 0);

    return cabinet ? verb_ask(call, cabinet, verb, NULL) : EXIT_CANNOT;
}

int verb_sweep(struct verb_call *call)
{
    return ask_about(call, "sweep");
}

int verb_sync(struct verb_call *call)
{
    return ask_about(call, "sync");
}

int verb_reload(struct verb_call *call)
{
    return ask_about(call, "reload");
}

int verb_new(struct verb_call *call)
{
    AUTO_FREE char *cabinet = verb_cabinet(call, -1);

    return cabinet ? verb_ask(call, cabinet, "new", call->args) : EXIT_CANNOT;
}

/* Verbs about one case: it is named from where the user stands, or lies in its cabinet. */
static int ask_case(struct verb_call *call, const char *verb)
{
    AUTO_FREE char *cabinet = verb_cabinet(call, -1);

    if (!cabinet && !call->cabinet) {
        struct error err = ERROR_INIT;

        cabinet = cabinet_find(call->args[0], &err);
    }
    return cabinet ? verb_ask(call, cabinet, verb, call->args) : EXIT_CANNOT;
}

int verb_close(struct verb_call *call)
{
    return ask_case(call, "close");
}

/* Cases are named from where the user stands; without any, the cabinet is where the user stands. */
int verb_archive(struct verb_call *call)
{
    if (call->argc)
        return ask_case(call, "archive");
    AUTO_FREE char *cabinet = verb_cabinet(call, -1);

    return cabinet ? verb_ask(call, cabinet, "archive", call->args) : EXIT_CANNOT;
}

int verb_reopen(struct verb_call *call)
{
    return ask_case(call, "reopen");
}

int verb_retire(struct verb_call *call)
{
    return ask_case(call, "retire");
}

int verb_nightly(struct verb_call *call)
{
    return ask_about(call, "nightly");
}

int verb_adopt(struct verb_call *call)
{
    AUTO_FREE char *cabinet =
        call->cabinet ? verb_cabinet(call, -1) : cabinet_find(call->args[0], &call->error);

    return cabinet ? verb_ask(call, cabinet, "adopt", call->args) : EXIT_CANNOT;
}
