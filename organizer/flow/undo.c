/* undo: what the organizer filed goes back under the names it came under. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "flow/batch.h"
#include "flow/request.h"
#include "record/history.h"

/* What was asked for: "CASE|DOCUMENT", "--last", "N", … as the verb wrote it. */
struct asked {
    const char *what;
    struct undo_choice choice;
    bool chosen;
};

static int parse(const struct flow_request *r, struct asked *q, struct str *text)
{
    *q = (struct asked){0};
    for (size_t i = 0; r->args[i]; i++) {
        const char *arg = r->args[i], *value = r->args[i + 1];

        if (strcmp(arg, "--all") == 0) {
            q->choice.what = UNDO_ALL;
            q->chosen = true;
        } else if (strcmp(arg, "--last") == 0 && value) {
            q->choice = (struct undo_choice){.what = UNDO_LAST, .last = strtoull(value, NULL, 10)};
            q->chosen = true;
            i++;
        } else if (strcmp(arg, "--since") == 0 && value) {
            q->choice.what = UNDO_SINCE;
            q->chosen = true;
            if (time_parse(value, &q->choice.since_ns) < 0) {
                str_addf(text, "\"%s\" is no time: write it as 2026-11-23T15:00:00Z\n", value);
                return -1;
            }
            i++;
        } else {
            q->what = arg;
        }
    }
    return 0;
}

/* A document that came from the office Inbox: its row there is new, that in the case ends. */
struct leaving {
    struct flow *flow;
    struct batch *batch;
    struct act *gone; /* for the case's row and journal, once the rename is done */
    void (*done)(void *ctx, struct act *a);
    void *ctx;
};

static void gone_told(void *ctx, struct act *a)
{
    static const struct related none;
    struct leaving *l = ctx;

    if (a->status == ACT_DONE && l->flow->started)
        flow_tell_related(l->flow, a, &none);
    batch_let_go(l->batch);
    free(l);
}

static void left_case(void *ctx, struct act *a)
{
    struct leaving *l = ctx;

    if (a->status == ACT_DONE) {
        batch_hold(l->batch);
        filer_submit(l->flow->filer, l->gone);
        l->done(l->ctx, a);
    } else {
        act_free(l->gone);
        l->done(l->ctx, a);
        free(l);
    }
}

static void leave_case(struct flow *f, struct batch *b, struct act *a, const struct matter *m,
                       const struct doc *row, const char *to)
{
    struct leaving *l = xcalloc(1, sizeof *l);
    struct act *gone = act_new(ACT_RECORD);

    gone->case_path = xstrdup(m->facts.path);
    doc_copy(&gone->doc, row);
    gone->doc.state = DOC_GONE;
    gone->doc.reason = REASON_NONE;
    gone->doc.changed_ns = env_now(f->env);
    journal_body(&gone->journal, env_now(f->env), "undone");
    json_name(&gone->journal, "from", row->path);
    json_name(&gone->journal, "to_office", to);
    gone->done = gone_told;
    gone->ctx = l;
    *l = (struct leaving){f, b, gone, a->done, a->ctx};
    a->done = left_case;
    a->ctx = l;
    a->doc.case_id[0] = '\0';
    a->doc.number = 0;
    free(a->case_path);
    a->case_path = xstrdup("");
    free(a->former);
    a->former = NULL;
    str_reset(&a->journal);
}

/* The row of a document that is not filed again by itself. */
static void mark_undone(struct flow *f, struct act *a)
{
    const char *slash = strrchr(a->to_name, '/');
    const char *name = slash ? slash + 1 : a->to_name;

    a->doc.state = DOC_INDEXED;
    a->doc.reason = REASON_UNDONE;
    a->doc.undone = true;
    a->doc.by_hand = false;
    free(a->doc.sentence);
    a->doc.sentence = lang_format(f->lang, "reason.undone", "name", name, NULL);
    free(a->doc.help);
    a->doc.help = lang_format(f->lang, "help.undone", "name", name, NULL);
}

/* A ring of names: the document goes by a name of its own until the others are where they were. */
struct aside {
    struct flow *flow;
    struct batch *batch;
    char *to;
    void (*done)(void *ctx, struct act *a);
    void *ctx;
};

static void stood_aside(void *ctx, struct act *a)
{
    struct aside *s = ctx;
    struct matter *m = matters_by_id(s->flow->matters, a->doc.case_id);

    /* Behind all that were submitted before: its name is free when its turn comes. */
    if (a->status == ACT_DONE && m) {
        struct act *on = batch_rename(s->batch, m, &a->doc, a->to, s->to, "undone", true);

        mark_undone(s->flow, on);
        batch_submit(s->flow, on);
    }
    s->done(s->ctx, a);
    free(s->to);
    free(s);
}

static void stand_aside(struct flow *f, struct batch *b, struct act *a, const char *to)
{
    struct aside *s = xcalloc(1, sizeof *s);

    batch_uncounted(a);
    *s = (struct aside){f, b, xstrdup(to), a->done, a->ctx};
    a->done = stood_aside;
    a->ctx = s;
}

/* The journal may have been taken up from others, who wrote what they liked. */
static bool may_go_back(struct flow *f, const struct undo_step *s, const char *to)
{
    return flow_may_lie(f, to) &&
           (!s->to_office || matters_zone(f->matters, to, NULL, NULL) == ZONE_OFFICE_INBOX);
}

/* Undoes the plan's steps of one case. */
static void submit(struct flow *f, struct batch *b, const struct matter *m,
                   const struct undo_plan *plan, bool dry_run)
{
    for (size_t i = 0; i < plan->len; i++) {
        const struct undo_step *s = &plan->steps[i];
        AUTO_FREE char *from = xasprintf("%s/%s", m->facts.path, s->from);
        AUTO_FREE char *to =
            s->to_office ? xstrdup(s->to) : xasprintf("%s/%s", m->facts.path, s->to);
        struct doc row = {0};
        struct error err = ERROR_INIT;
        struct act *a;
        int found;

        if (s->shared) {
            batch_left(b, from, "another document goes back to the same name");
            continue;
        }
        found = state_doc_by_path(f->state, m->facts.id, s->from, &row, &err);
        if (found <= 0) {
            batch_left(b, from, found < 0 ? error_text(&err) : "it is not there any more");
            continue;
        }
        if (!may_go_back(f, s, to)) {
            batch_left(b, from, "no document comes from where its journal says that this one does");
            doc_clear(&row);
            continue;
        }
        if (dry_run) {
            batch_would(b, from, to);
            doc_clear(&row);
            continue;
        }
        a = batch_rename(b, m, &row, from, to, "undone", !s->needs_room);
        mark_undone(f, a);
        if (s->to_office)
            leave_case(f, b, a, m, &row, to);
        else if (s->needs_room)
            stand_aside(f, b, a, to);
        batch_submit(f, a);
        doc_clear(&row);
    }
    for (size_t i = 0; i < plan->left_len; i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", m->facts.path, plan->left[i].path);

        batch_left(b, path,
                   plan->left[i].gone ? "it is not there any more"
                                      : "a person named or moved it since");
    }
}

static int undo_case(struct flow *f, struct batch *b, const struct matter *m,
                     const struct undo_choice *choice, bool dry_run, struct error *err)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, m->facts.path, O_RDONLY | O_DIRECTORY, 0);
    struct history_decided decided = {0};
    struct undo_plan plan;
    int rc;

    if (fd < 0)
        return error_set(err, errno, "the case %s cannot be opened", m->facts.path);
    rc = history_decide(f->state, m->facts.id, &decided, err);
    if (rc == 0)
        rc = history_undo_plan(fd, &decided, choice, &plan, err);
    if (rc == 0) {
        submit(f, b, m, &plan, dry_run);
        undo_plan_clear(&plan);
    }
    history_decided_clear(&decided);
    return rc;
}

/* The number of the document that lies at inside, or lay there. 1, 0 none, -1. */
static int number_at(struct flow *f, const struct matter *m, const char *inside, int64_t *number, struct error *err)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, m->facts.path, O_RDONLY | O_DIRECTORY, 0);
    struct history_decided decided = {0};
    int rc = fd < 0 ? -1 : history_decide(f->state, m->facts.id, &decided, err);

    if (rc == 0)
        rc = history_doc_at(fd, &decided, inside, number, err);
    history_decided_clear(&decided);
    return rc;
}

/* The case and document that `what` means. Returns the case, or NULL with err. */
static struct matter *find(struct flow *f, const struct flow_request *r, struct asked *q,
                           struct error *err)
{
    AUTO_FREE char *path = flow_request_path(f, r->cwd, q->what);
    const char *inside = NULL;
    struct matter *m = path ? matters_of(f->matters, path, &inside) : NULL;
    struct doc row = {0};
    int64_t number = 0;

    if (!m || !*inside)
        return m ? m : matters_find(f->matters, q->what, err);
    if (q->chosen)
        return m;
    q->choice.what = UNDO_DOC;
    q->chosen = true;
    if (state_doc_by_path(f->state, m->facts.id, inside, &row, err) > 0) {
        q->choice.doc = row.number;
        doc_clear(&row);
        return m;
    }
    if (number_at(f, m, inside, &number, err) > 0) {
        q->choice.doc = number;
        return m;
    }
    error_set(err, 0, "no document of the case %s lies or lay at %s", m->facts.path, inside);
    return NULL;
}

/* All that is read of the private state is of one moment. */
static void undo(struct flow *f, const struct flow_request *r, flow_answer *answer, void *ctx)
{
    AUTO_STR struct str text = STR_INIT;
    struct error err = ERROR_INIT;
    struct matter *m = NULL;
    struct asked q;
    struct batch *b;

    if (parse(r, &q, &text) < 0) {
        answer(ctx, EXIT_USAGE, str_c(&text));
        return;
    }
    if (q.what)
        m = find(f, r, &q, &err);
    if (!q.what || !q.chosen || !m) {
        str_addf(&text, "%s\n",
                 *err.text ? error_text(&err)
                           : "say what to take back: a document, or a case with --last N, "
                             "--since TIME or --all");
        answer(ctx, *err.text ? EXIT_CANNOT : EXIT_USAGE, str_c(&text));
        return;
    }
    b = batch_new(f, answer, ctx);
    if (undo_case(f, b, m, &q.choice, r->dry_run, &err) < 0)
        batch_left(b, m->facts.path, error_text(&err));
    batch_end(b, r->dry_run ? "would be taken back" : "taken back");
}

void flow_request_undo(struct flow *f, const struct flow_request *r, flow_answer *answer, void *ctx)
{
    flow_read_begin(f);
    undo(f, r, answer, ctx);
    flow_read_end(f);
}
