/*
 * apply: does what was reviewed in a plan, where it is still so.
 *
 * Rows whose target is held by a document that another row moves away wait for it. What is left
 * when nothing can go is a ring (a to b, b to a): one document of it steps aside under a serial.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "decide/name.h"
#include "flow/batch.h"
#include "flow/request.h"
#include "plan/plan.h"

struct todo {
    struct plan_row *row;
    const char *from; /* where the plan found it */
    char *aside;      /* where it stands aside for a ring of names, or NULL */
    bool done;        /* its turn came */
    bool back;        /* it went on from where it stood aside */
    UT_hash_handle hh; /* by from */
};

static void decided(void *ctx, unsigned number, bool apply)
{
    struct plan *p = ctx;

    for (size_t i = 0; i < p->len; i++)
        if (p->rows[i].number == number)
            p->rows[i].apply = apply;
}

static int read_csv(struct flow *f, const char *path, struct plan *p, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_STR struct str text = STR_INIT;
    struct plan none = {0};
    char id[17];

    if (fd < 0 || io_read_all(fd, &text, 256 << 20) < 0)
        return error_set(err, errno, "%s cannot be read", path);
    if (plan_csv_read(str_c(&text), text.len, id, decided, &none, err) < 0 ||
        plan_load(p, f->cab.state_dir, id, err) < 0)
        return -1;
    if (strcmp(p->cabinet_id, f->cab.id) != 0)
        return error_set(err, 0, "this plan was made for another cabinet");
    return plan_csv_read(str_c(&text), text.len, id, decided, p, err);
}

static bool exists(struct flow *f, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(f->cab.root, path, &name);

    return dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Why the row cannot be done any more, or NULL; *row is filled then. stamped: the row's stamp is
 * what the disk must show. */
static const char *outdated(struct flow *f, const struct plan_row *r, bool stamped,
                            struct doc *row)
{
    struct matter *home, *target = matters_by_id(f->matters, r->case_id);
    const char *inside, *name;
    struct error err = ERROR_INIT;
    struct doc_stamp now;
    AUTO_CLOSE int dir = beneath_parent(f->cab.root, r->from, &name);

    matters_zone(f->matters, r->from, &home, &inside);
    if (!target || target->untouchable)
        return "the case of the plan is not there any more";
    if (target->card.hold)
        return "the case is on hold";
    if (dir < 0 || doc_stamp_take(-1, dir, name, &now) < 0)
        return "it is not there any more";
    if (state_doc_by_path(f->state, home ? home->facts.id : "", inside, row, &err) <= 0)
        return "it is not recorded yet: try again in a moment";
    if (!digest_equal(&row->digest, &r->digest) ||
        (stamped && !doc_stamp_equal(&row->stamp, &now))) {
        doc_clear(row);
        return "it changed since the plan was made";
    }
    return NULL;
}

static struct act *make_act(struct flow *f, struct batch *b, const struct plan_row *r,
                            const char *from, const struct doc *row, bool exact)
{
    struct matter *target = matters_by_id(f->matters, r->case_id);
    const char *slash = strrchr(r->from, '/');
    struct act *a = batch_rename(b, target, row, from, r->to, "applied", exact);

    if (strcmp(row->case_id, target->facts.id) != 0) {
        /* From the office Inbox: a document of the case from now on. */
        memcpy(a->doc.case_id, target->facts.id, CASE_ID_SIZE);
        a->doc.number = 0;
        free(a->former);
        a->former = NULL;
        str_reset(&a->journal);
        journal_body(&a->journal, env_now(f->env), "applied");
        json_name(&a->journal, "from_office", r->from);
    }
    a->doc.state = DOC_FILED;
    a->doc.reason = REASON_NONE;
    a->doc.undone = a->doc.by_hand = a->doc.before = false;
    a->doc.filed_ns = env_now(f->env);
    free(a->doc.sentence);
    free(a->doc.help);
    free(a->doc.suggested);
    a->doc.sentence = a->doc.help = a->doc.suggested = NULL;
    free(a->doc.original);
    a->doc.original = xstrdup(slash ? slash + 1 : r->from);
    free(a->doc.why);
    a->doc.why = xstrdup(r->why);
    free(a->doc.type);
    a->doc.type = xstrdup(r->type);
    free(a->doc.date);
    a->doc.date = xstrdup(r->date);
    json_text(&a->journal, "why", r->why ? r->why : "");
    return a;
}

/* Puts the accepted rows into an order in which no name is taken when its turn comes. */
static size_t order(struct todo *todo, size_t len, struct todo **out, size_t *ring)
{
    struct todo *by_from = NULL;
    size_t n = 0;
    bool moved = true;

    for (size_t i = 0; i < len; i++)
        HASH_ADD_KEYPTR(hh, by_from, todo[i].from, strlen(todo[i].from), &todo[i]);
    while (moved) {
        moved = false;
        for (size_t i = 0; i < len; i++) {
            struct todo *in_way;

            if (todo[i].done)
                continue;
            HASH_FIND_STR(by_from, todo[i].row->to, in_way);
            if (in_way && in_way != &todo[i])
                continue;
            HASH_DEL(by_from, &todo[i]);
            todo[i].done = moved = true;
            out[n++] = &todo[i];
        }
    }
    *ring = len;
    for (size_t i = 0; i < len && *ring == len; i++)
        if (!todo[i].done)
            *ring = i;
    HASH_CLEAR(hh, by_from);
    return n;
}

/* ---- the acts ---------------------------------------------------------------------------------- */

struct applying {
    struct flow *flow;
    struct batch *batch;
    struct plan plan;
    struct todo *todo;
    size_t len;
    struct todo *gone; /* rows submitted so far, by where they were: their names are free by then */
    bool dry_run;
};

static void finish(struct applying *p)
{
    struct batch *b = p->batch;
    bool dry_run = p->dry_run;

    HASH_CLEAR(hh, p->gone);
    for (size_t i = 0; i < p->len; i++)
        free(p->todo[i].aside);
    free(p->todo);
    plan_clear(&p->plan);
    free(p);
    batch_end(b, dry_run ? "would be renamed" : "renamed");
}

/* Its new name is held by a document that stays there. */
static bool is_taken(struct applying *p, const struct todo *t)
{
    struct todo *leaves;

    if (p->dry_run || !exists(p->flow, t->row->to) || name_same(t->row->from, t->row->to))
        return false;
    HASH_FIND_STR(p->gone, t->row->to, leaves);
    return !leaves;
}

/* Submits one row; where is NULL for its own place, else where it stepped aside to. Returns the
 * act, or NULL when it stays. */
static struct act *submit(struct applying *p, struct todo *t, bool exact)
{
    struct doc row = {0};
    struct plan_row now = *t->row;
    struct act *a = NULL;
    const char *why;

    now.from = t->aside ? t->aside : t->row->from;
    why = outdated(p->flow, &now, !t->aside, &row);
    if (!why && exact && is_taken(p, t)) {
        why = "its new name is taken by now";
        doc_clear(&row);
    }
    if (why) {
        batch_left(p->batch, t->row->from, why);
        return NULL;
    }
    if (p->dry_run)
        batch_say(p->batch, "would rename: %s -> %s\n", t->row->from, t->row->to);
    else
        a = make_act(p->flow, p->batch, t->row, now.from, &row, exact);
    doc_clear(&row);
    if (!t->aside)
        HASH_ADD_KEYPTR(hh, p->gone, t->from, strlen(t->from), t);
    return a;
}

static void apply_rest(struct applying *p);

/* The first document of a ring stands aside: the others of the ring can go, then it can. */
struct ring {
    struct applying *p;
    struct todo *first;
    void (*done)(void *ctx, struct act *a);
    void *ctx;
};

static void stood_aside(void *ctx, struct act *a)
{
    struct ring *r = ctx;
    struct applying *p = r->p;

    if (a->status == ACT_DONE)
        r->first->aside = xstrdup(a->to);
    r->done(r->ctx, a);
    free(r);
    apply_rest(p);
}

/* What can go now, in order; then a ring, if one is left; at last who stood aside for one. */
static void apply_rest(struct applying *p)
{
    struct todo **sorted = xcalloc(p->len, sizeof *sorted);
    size_t ring, n = order(p->todo, p->len, sorted, &ring);
    struct act *a;

    for (size_t i = 0; i < n; i++) {
        a = submit(p, sorted[i], true);
        if (a)
            filer_submit(p->flow->filer, a);
    }
    free(sorted);
    for (size_t i = 0; i < p->len; i++) {
        if (!p->todo[i].aside || p->todo[i].back)
            continue;
        p->todo[i].back = true;
        a = submit(p, &p->todo[i], true);
        if (a)
            filer_submit(p->flow->filer, a);
    }
    if (ring == p->len) {
        finish(p);
        return;
    }
    p->todo[ring].done = true;
    a = submit(p, &p->todo[ring], false);
    if (a) {
        struct ring *r = xcalloc(1, sizeof *r);

        *r = (struct ring){p, &p->todo[ring], a->done, a->ctx};
        a->done = stood_aside;
        a->ctx = r;
        filer_submit(p->flow->filer, a);
    } else {
        apply_rest(p);
    }
}

static void collect(struct applying *p)
{
    p->todo = xcalloc(p->plan.len, sizeof *p->todo);
    for (size_t i = 0; i < p->plan.len; i++) {
        if (!p->plan.rows[i].apply)
            continue;
        p->todo[p->len].row = &p->plan.rows[i];
        p->todo[p->len++].from = p->plan.rows[i].from;
    }
}

void flow_request_apply(struct flow *f, const struct flow_request *r, flow_answer *answer,
                        void *ctx)
{
    struct applying *p = xcalloc(1, sizeof *p);
    struct error err = ERROR_INIT;
    AUTO_STR struct str text = STR_INIT;

    p->flow = f;
    p->dry_run = r->dry_run;
    if (!r->args[0] || read_csv(f, r->args[0], &p->plan, &err) < 0) {
        str_addf(&text, "%s\n",
                 r->args[0] ? error_text(&err) : "usage: organizer apply PLAN.csv");
        answer(ctx, r->args[0] ? EXIT_CANNOT : EXIT_USAGE, str_c(&text));
        plan_clear(&p->plan);
        free(p);
        return;
    }
    p->batch = batch_new(f, answer, ctx);
    collect(p);
    apply_rest(p);
}
