/* ask: verbs that change something, or ask what the daemon knows, go to the daemon. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "cabinet/cabinet.h"
#include "flow/flow.h"
#include "serve/talk.h"
#include "verbs/progress.h"
#include "verbs/verb.h"

/* Those say what they did also where a part could not be done; but for who may not ask, or when nothing
 * could be begun. */
static bool says_what_it_did(const char *verb, const char *text)
{
    if (strcmp(verb, "sync") == 0 || strcmp(verb, "sweep") == 0)
        return *text == '{' || strncmp(text, FLOW_STOPPED, strlen(FLOW_STOPPED)) == 0;
    return strcmp(verb, "archive") == 0;
}

void verb_take_answer(struct verb_call *call, const char *verb, int status, const char *text)
{
    if (status >= EXIT_USAGE && !(status == EXIT_CANNOT && says_what_it_did(verb, text)))
        verb_fail(call, status, "%s", text);
    else
        str_add(&call->out, text);
}

/* ---- how far a snapshot is -------------------------------------------------------------------- */

bool verb_makes_snapshots(const char *verb)
{
    return strcmp(verb, "archive") == 0 || strcmp(verb, "nightly") == 0;
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
    if (w.progress.on && verb_makes_snapshots(verb)) {
        r.waiting = show_there;
        r.ctx = &w;
    }
    rc = verb_talk(call, cabinet, &r, &reply);
    progress_wipe(&w.progress);
    if (rc == 0)
        return call->here ? call->here(call, cabinet, verb, args) : VERB_NOT_HERE;
    if (rc < 0)
        return EXIT_CANNOT;
    if (reply.refused)
        verb_fail(call, reply.status, "%s", str_c(&reply.text));
    else
        verb_take_answer(call, verb, reply.status, str_c(&reply.text));
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
