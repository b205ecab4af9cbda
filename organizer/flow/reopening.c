/* reopening: the verbs that take a case out of the closed ones, or put it among the retired. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "flow/casework.h"
#include "flow/closing.h"
#include "flow/internal.h"
#include "flow/lookover.h"
#include "flow/night_step.h"
#include "flow/request.h"

/* One request. */
struct reopening {
    struct flow *flow;
    flow_answer *answer;
    void *ctx;
    char *path;
    bool json;
};

static struct reopening *reopening_new(struct flow *f, const struct matter *m,
                                       const struct flow_request *q, flow_answer *answer, void *ctx)
{
    struct reopening *r = xcalloc(1, sizeof *r);

    *r = (struct reopening){f, answer, ctx, xstrdup(m->facts.path), q->json};
    return r;
}

/* Answers, and frees it. */
static void done(struct reopening *r, const char *verb, const char *state)
{
    AUTO_STR struct str out = STR_INIT;
    struct lookover none = {.path = r->path};

    closing_say(&out, &none, r->json, state);
    if (!r->json)
        str_addf(&out, " %s\n", verb);
    r->answer(r->ctx, EXIT_ORDER, str_c(&out));
    free(r->path);
    free(r);
}

static void cannot(struct reopening *r, const char *why)
{
    AUTO_STR struct str out = STR_INIT;

    str_addf(&out, "%s: %s\n", r->path, why);
    r->answer(r->ctx, EXIT_CANNOT, str_c(&out));
    free(r->path);
    free(r);
}

/* ---- reopen ---------------------------------------------------------------------------------- */

static void recorded(void *ctx, int status, const char *text)
{
    struct reopening *r = ctx;

    if (status == EXIT_ORDER)
        done(r, "is open again", "open");
    else
        cannot(r, text);
}

/* Takes r over. */
static void reopen(struct reopening *r, struct matter *m)
{
    struct flow *f = r->flow;
    struct error err = ERROR_INIT;
    bool counted = m->closed;

    /* Until the line is on its way, the look at the new card must not write one of its own. */
    m->recording = true;
    if (closing_write_card(f, m, false, &err) < 0) {
        m->recording = false;
        cannot(r, error_text(&err));
        return;
    }
    flow_folder(f, r->path, false);
    m = matters_by_path(f->matters, r->path);
    if (m && counted) {
        flow_record_case(f, m,
                         &(struct case_note){.kind = "reopened", .more = "\"by\":\"command\""},
                         recorded, r);
        return;
    }
    if (m) {
        m->recording = false;
        flow_notice_case(f, m);
    }
    done(r, "is open", "open");
}

/* It lies where it was before; now it is opened there. */
static void moved_back(void *ctx, const struct step_result *s)
{
    struct reopening *r = ctx;
    struct matter *m;

    if (s->step != STEP_DONE) {
        cannot(r, s->text);
        return;
    }
    free(r->path);
    r->path = xstrdup(s->text);
    m = matters_by_path(r->flow->matters, r->path);
    if (m && !m->recording && !m->moving)
        reopen(r, m);
    else
        cannot(r, "it was moved back, and is being changed just now: ask again");
}

void flow_request_reopen(struct flow *f, const struct flow_request *q, flow_answer *answer,
                         void *ctx)
{
    AUTO_STR struct str text = STR_INIT;
    struct matter *m = flow_request_case(f, q, &text);
    struct reopening *r;

    if (!m) {
        answer(ctx, q->args[0] ? EXIT_CANNOT : EXIT_USAGE, str_c(&text));
        return;
    }
    r = reopening_new(f, m, q, answer, ctx);
    if (!m->closed && !m->card.closed && !flow_is_retired(m))
        done(r, "is open", "open");
    else if (q->dry_run)
        done(r, flow_is_retired(m) ? "would be moved back and opened again"
                                   : "would be opened again", "closed");
    else if (flow_is_retired(m))
        flow_unretire(f, m, moved_back, r);
    else
        reopen(r, m);
}

/* ---- retire ---------------------------------------------------------------------------------- */

static void retired(void *ctx, const struct step_result *s)
{
    struct reopening *r = ctx;

    if (s->step != STEP_DONE) {
        cannot(r, s->text);
        return;
    }
    AUTO_FREE char *verb = xasprintf("is retired: %s", s->text);

    if (r->json) {
        free(r->path);
        r->path = xstrdup(s->text);
    }
    done(r, verb, "retired");
}

void flow_request_retire(struct flow *f, const struct flow_request *q, flow_answer *answer,
                         void *ctx)
{
    AUTO_STR struct str text = STR_INIT;
    struct matter *m = flow_request_case(f, q, &text);
    struct reopening *r;
    const char *why_not;

    if (!m) {
        answer(ctx, q->args[0] ? EXIT_CANNOT : EXIT_USAGE, str_c(&text));
        return;
    }
    r = reopening_new(f, m, q, answer, ctx);
    why_not = flow_not_retirable(f, m);
    /* As a case that is closed already: what was asked for is so. */
    if (why_not && m->closed && flow_is_retired(m))
        done(r, "is retired already", "retired");
    else if (why_not)
        cannot(r, why_not);
    else if (q->dry_run)
        done(r, "would be retired, if its archive is in order", "closed");
    else
        flow_retire(f, m, retired, r);
}
