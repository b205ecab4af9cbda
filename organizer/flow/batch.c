#include "flow/batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "flow/companions.h"

struct batch {
    struct flow *flow;
    flow_answer *answer;
    void *ctx;
    struct str text;
    const char *verb;
    size_t under_way, done, left;
    bool ended;
};

struct step {
    struct batch *batch;
    struct flight flight;
    char *from;
    bool uncounted;
};

struct batch *batch_new(struct flow *f, flow_answer *answer, void *ctx)
{
    struct batch *b = xcalloc(1, sizeof *b);

    b->flow = f;
    b->answer = answer;
    b->ctx = ctx;
    return b;
}

static void say_way(struct batch *b, const char *from, const char *to)
{
    utf8_show(&b->text, from, strlen(from));
    str_add(&b->text, "  ->  ");
    utf8_show(&b->text, to, strlen(to));
    str_addc(&b->text, '\n');
}

void batch_would(struct batch *b, const char *from, const char *to)
{
    b->done++;
    say_way(b, from, to);
}

void batch_left(struct batch *b, const char *path, const char *why)
{
    b->left++;
    utf8_show(&b->text, path, strlen(path));
    str_addf(&b->text, " stays: %s\n", why);
}

static void maybe_answer(struct batch *b)
{
    if (!b->ended || b->under_way > 0)
        return;
    str_addf(&b->text, "%zu %s, %zu left\n", b->done, b->verb, b->left);
    b->answer(b->ctx, b->left ? EXIT_ATTENTION : EXIT_ORDER, str_c(&b->text));
    str_clear(&b->text);
    free(b);
}

void batch_hold(struct batch *b)
{
    b->under_way++;
}

void batch_let_go(struct batch *b)
{
    b->under_way--;
    maybe_answer(b);
}

static const char *why_not(const struct act *a)
{
    switch (a->status) {
    case ACT_BUSY:
        return "someone has it open, or it changed a moment ago";
    case ACT_GONE:
        return "it is not there any more";
    default:
        return error_text(&a->error);
    }
}

static void step_done(void *ctx, struct act *a)
{
    struct step *s = ctx;
    struct batch *b = s->batch;

    b->under_way--;
    flight_end(b->flow, &s->flight, a->status == ACT_DONE ? a->to : NULL);
    if (a->status == ACT_DONE) {
        if (!s->uncounted) {
            b->done++;
            say_way(b, s->from, a->to);
        }
        flow_touch(b->flow, matters_by_id(b->flow->matters, a->doc.case_id));
        flow_touch(b->flow, NULL);
        flow_tell_related(b->flow, a, &(struct related){.was = a->doc.digest});
    } else {
        batch_left(b, s->from, why_not(a));
    }
    free(s->from);
    free(s);
    maybe_answer(b);
}

struct act *batch_act(struct flow *f, const struct matter *m, const struct doc *row,
                      const char *from, const char *to, const char *kind)
{
    struct act *a = act_new(ACT_RENAME);
    const char *slash = strrchr(to, '/');
    size_t dir = slash ? (size_t)(slash - to) : 0;

    a->from = xstrdup(from);
    a->to_folder = xmemdup0(to, dir);
    a->to_name = xstrdup(slash ? slash + 1 : to);
    a->exact = true;
    a->leases = true;
    a->companions = companions_moving(f->cab.root, from);
    a->stamp = row->stamp;
    if (row->reason == REASON_NOT_KEPT)
        a->was = row->digest;
    a->case_path = xstrdup(m->facts.path);
    doc_copy(&a->doc, row);
    a->doc.changed_ns = env_now(f->env);
    a->former = xstrdup(row->path);
    journal_body(&a->journal, env_now(f->env), kind);
    json_name(&a->journal, "from", row->path);
    return a;
}

struct act *batch_rename(struct batch *b, const struct matter *m, const struct doc *row,
                         const char *from, const char *to, const char *kind, bool exact)
{
    struct act *a = batch_act(b->flow, m, row, from, to, kind);
    struct step *s = xcalloc(1, sizeof *s);

    a->exact = exact;
    s->batch = b;
    s->from = xstrdup(from);
    flight_begin(b->flow, &s->flight, &row->stamp, row, xstrdup(to));
    a->done = step_done;
    a->ctx = s;
    b->under_way++;
    return a;
}

/* ---- documents that are open for a moment ------------------------------------------------------
 */

/* A reader of ours, or a program that closes it just now. */
#define TRIES    5
#define FIRST_MS 20

struct trying {
    uv_timer_t timer;
    struct flow *flow;
    struct act *act;
    unsigned tries;
    void (*done)(void *ctx, struct act *a);
    void *ctx;
};

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void on_time(uv_timer_t *h)
{
    struct trying *t = h->data;

    t->flow->retries--;
    filer_submit(t->flow->filer, t->act);
}

static void tried(void *ctx, struct act *a)
{
    struct trying *t = ctx;

    if (a->status == ACT_BUSY && t->tries < TRIES) {
        t->act = act_again(a);
        t->flow->retries++;
        uv_timer_start(&t->timer, on_time, (uint64_t)FIRST_MS << t->tries++, 0);
        return;
    }
    t->done(t->ctx, a);
    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

void batch_submit(struct flow *f, struct act *a)
{
    struct trying *t = xcalloc(1, sizeof *t);

    t->flow = f;
    t->done = a->done;
    t->ctx = a->ctx;
    uv_timer_init(f->loop, &t->timer);
    t->timer.data = t;
    a->done = tried;
    a->ctx = t;
    filer_submit(f->filer, a);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

void batch_uncounted(struct act *a)
{
    struct step *s = a->ctx;

    s->uncounted = true;
}

void batch_end(struct batch *b, const char *verb)
{
    b->verb = verb;
    b->ended = true;
    maybe_answer(b);
}
