/* plan and apply: existing trees, renamed only as reviewed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "flow/folders.h"
#include "flow/survey.h"
#include "plan/plan.h"
#include "verbs/verb.h"

struct planning {
    struct plan plan;
    struct survey *survey;
    struct error error; /* the first: the plan is not whole */
};

static void on_document(void *ctx, const struct survey_doc *doc)
{
    struct planning *p = ctx;
    const struct decision *d = doc->decision;
    AUTO_FREE char *folder = NULL;
    AUTO_FREE char *to = NULL;
    struct plan_row *r;
    char day[DATE_TEXT];

    if (d->action != ACTION_FILE)
        return;
    folder = folder_in_case(p->survey->cab.root, d->target->path, d->folder);
    if (!folder) {
        if (!*p->error.text)
            error_set(&p->error, errno, "the folder %s cannot be read", d->target->path);
        return;
    }
    to = xjoin(folder, d->name);
    if (strcmp(to, doc->path) == 0)
        return;
    r = plan_add(&p->plan, doc->path, to);
    memcpy(r->case_id, d->target->id, strlen(d->target->id) + 1);
    r->why = decision_why(d);
    r->type = xstrdup(d->type_name ? d->type_name : d->type.value);
    r->date = xstrdup(date_text(d->day, day));
    r->digest = doc->x->digest;
    r->stamp = *doc->stamp;
}

static bool exists(void *ctx, const char *path)
{
    const struct planning *p = ctx;
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(p->survey->cab.root, path, &name);

    return dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void plan_json(const struct plan *p, struct str *out)
{
    for (size_t i = 0; i < p->len; i++) {
        const struct plan_row *r = &p->rows[i];

        str_addc(out, '{');
        json_num(out, "v", 1);
        json_text(out, "plan", p->id);
        json_num(out, "row", r->number);
        json_name(out, "from", r->from);
        json_name(out, "to", r->to);
        json_text(out, "type", r->type ? r->type : "");
        json_text(out, "date", r->date ? r->date : "");
        json_text(out, "why", r->why ? r->why : "");
        str_add(out, "}\n");
    }
}

static int write_plan(struct verb_call *call, const struct plan *p)
{
    AUTO_STR struct str csv = STR_INIT;
    AUTO_CLOSE int fd = -1;

    if (call->json)
        plan_json(p, &csv);
    else
        plan_csv(p, &csv);
    if (!call->output) {
        str_addn(&call->out, csv.s, csv.len);
        return 0;
    }
    fd = open(call->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || io_write_all(fd, csv.s, csv.len) < 0)
        return error_set(&call->error, errno, "%s cannot be written", call->output);
    if (p->len == 0)
        str_addf(&call->out, "nothing is to be renamed: %s holds no row\n", call->output);
    else
        str_addf(&call->out,
                 "%zu %s in %s: look through them, write no where you do not want one, then "
                 "organizer apply %s\n",
                 p->len, p->len == 1 ? "renaming" : "renamings", call->output, call->output);
    return 0;
}

static int collect(struct verb_call *call, struct planning *p, struct survey *s)
{
    struct survey_events e = {.document = on_document, .ctx = p};
    int rc = call->argc ? 0 : survey_run(s, "", &e, &call->error);

    for (int i = 0; rc == 0 && i < call->argc; i++) {
        AUTO_FREE char *below = verb_inside(s->cab.path, call->args[i]);

        if (!below)
            return error_set(&call->error, 0, "%s is not in the cabinet %s", call->args[i],
                             s->cab.path);
        rc = survey_run(s, below, &e, &call->error);
    }
    if (rc == 0 && *p->error.text) {
        call->error = p->error;
        rc = -1;
    }
    return rc;
}

int verb_plan(struct verb_call *call)
{
    AUTO_FREE char *cabinet = verb_cabinet(call, call->argc ? 0 : -1);
    struct survey s;
    struct planning p = {.survey = &s};
    int rc;

    if (!cabinet)
        return EXIT_CANNOT;
    rc = survey_open(&s, cabinet, call->env, &call->error);
    if (rc == 0) {
        plan_init(&p.plan, s.cab.id, env_now(call->env));
        rc = collect(call, &p, &s);
    }
    if (rc == 0) {
        plan_arrange(&p.plan, exists, &p);
        rc = plan_save(&p.plan, s.cab.state_dir, &call->error);
    }
    if (rc == 0)
        rc = write_plan(call, &p.plan);
    if (rc == 0)
        verb_say_no_case(call, &s);
    plan_clear(&p.plan);
    survey_close(&s);
    return rc < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

int verb_apply(struct verb_call *call)
{
    AUTO_FREE char *full = realpath(call->args[0], NULL);
    const char *args[] = {full, NULL};
    AUTO_FREE char *cabinet = NULL;

    if (!full)
        return verb_fail(call, EXIT_USAGE, "%s: %s", call->args[0], strerror(errno));
    cabinet = verb_cabinet(call, -1);
    return cabinet ? verb_ask(call, cabinet, "apply", args) : EXIT_CANNOT;
}
