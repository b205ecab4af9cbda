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

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "base/table.h"
#include "cabinet/text.h"
#include "decide/name.h"
#include "flow/batch.h"
#include "flow/request.h"
#include "plan/plan.h"

struct todo {
    struct plan_row *row;
    const char *from;       /* where the plan found it */
    char *aside;            /* where it stands aside for a ring of names, or NULL */
    bool done;              /* its turn came */
    bool back;              /* it went on from where it stood aside */
    bool on_way;            /* order_from() was here */
    UT_hash_handle hh;      /* by from, while an order is made */
    UT_hash_handle by_gone; /* by from, in applying.gone */
};

/* Rows are numbered from 1 in their order. */
static void decided(void *ctx, unsigned number, bool apply, const char *to)
{
    struct plan *p = ctx;
    struct plan_row *row = number <= p->len ? &p->rows[number - 1] : NULL;

    if (!row || row->number != number)
        return;
    row->apply = apply;
    row->rewritten = to && !plan_same_to(to, row->to);
}

static int read_csv(struct flow *f, const char *path, struct plan *p, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_STR struct str bytes = STR_INIT;
    AUTO_STR struct str text = STR_INIT;
    struct plan none = {0};
    char id[17];

    if (fd < 0 || io_read_all(fd, &bytes, 256 << 20) < 0)
        return error_set(err, errno, "%s cannot be read", path);
    /* As programs save it: Excel's "Unicode text" is UTF-16. */
    if (text_decode(str_c(&bytes), bytes.len, &text) < 0)
        return error_set(err, 0, "%s is no CSV file: in Excel, save it as \"CSV UTF-8\"", path);
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
static const char *outdated(struct flow *f, const struct plan_row *r, bool stamped, struct doc *row)
{
    struct matter *home, *target = matters_by_id(f->matters, r->case_id);
    const char *inside, *name;
    struct error err = ERROR_INIT;
    struct doc_stamp now;
    AUTO_CLOSE int dir = beneath_parent(f->cab.root, r->from, &name);
    int found;

    matters_zone(f->matters, r->from, &home, &inside);
    if (r->rewritten)
        return "another name was written into the column To, which is only shown: write no into "
               "Apply, and rename the document yourself";
    if (!target || target->untouchable)
        return "the case of the plan is not there any more";
    if (target->card.hold)
        return "the case is on hold";
    if (dir < 0 || doc_stamp_take(-1, dir, name, &now) < 0)
        return "it is not there any more";
    found = state_doc_by_path(f->state, home ? home->facts.id : "", inside, row, &err);
    if (found <= 0)
        return found < 0 ? "the private state cannot be read"
                         : "it is not recorded yet: try again in a moment";
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

/* The row that holds the name that t is to get, and has not had its turn; NULL when none does. */
static struct todo *in_way(struct todo *by_from, const struct todo *t)
{
    struct todo *other;

    HASH_FIND_STR(by_from, t->row->to, other);
    return other && other != t && !other->done ? other : NULL;
}

/* Goes from t to who holds its name, and on: whoever can go does, those behind it first. A ring is
 * left, and all that wait for it. */
static size_t order_from(struct todo *by_from, struct todo *t, struct todo **way, struct todo **out)
{
    size_t depth = 0, n = 0;

    for (; t && !t->on_way && !t->done; t = in_way(by_from, t)) {
        t->on_way = true;
        way[depth++] = t;
    }
    if (t)
        return 0; /* a ring, or on the way to one */
    while (depth > 0) {
        way[--depth]->done = true;
        out[n++] = way[depth];
    }
    return n;
}

/* Puts the rows whose turn can come into an order in which no name is taken then; returns how many.
 * ring gets one of the rings that are left, each behind who holds its name; *ring_len 0: none is.
 */
static size_t order(struct todo *todo, size_t len, struct todo **out, struct todo **ring,
                    size_t *ring_len)
{
    struct todo **way = xcalloc(len + 1, sizeof(struct todo *));
    struct todo *by_from = NULL, *left = NULL;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        todo[i].on_way = false;
        if (!todo[i].done)
            HASH_ADD_KEYPTR(hh, by_from, todo[i].from, strlen(todo[i].from), &todo[i]);
    }
    for (size_t i = 0; i < len; i++)
        if (!todo[i].done)
            n += order_from(by_from, &todo[i], way, out + n);
    for (size_t i = 0; i < len && !left; i++)
        if (!todo[i].done)
            left = &todo[i];
    /* Who only waits for a ring leads to it. */
    for (size_t i = 0; left && i < len; i++)
        left = in_way(by_from, left);
    *ring_len = 0;
    for (struct todo *t = left; t && (t != left || !*ring_len); t = in_way(by_from, t))
        ring[(*ring_len)++] = t;
    HASH_CLEAR(hh, by_from);
    free(way);
    return n;
}

/* ---- the acts ----------------------------------------------------------------------------------
 */

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

    HASH_CLEAR(by_gone, p->gone);
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
    HASH_FIND(by_gone, p->gone, t->row->to, strlen(t->row->to), leaves);
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
        batch_would(p->batch, t->row->from, t->row->to);
    else
        a = make_act(p->flow, p->batch, t->row, now.from, &row, exact);
    doc_clear(&row);
    if (!t->aside)
        HASH_ADD_KEYPTR(by_gone, p->gone, t->from, strlen(t->from), t);
    return a;
}

static void apply_rest(struct applying *p);

/* One document of a ring stands aside: the others of the ring can go, then it can. */
struct aside {
    struct applying *p;
    struct todo *t;
    void (*done)(void *ctx, struct act *a);
    void *ctx;
};

static struct aside *aside_new(struct applying *p, struct todo *t, const struct act *a)
{
    struct aside *s = xcalloc(1, sizeof *s);

    *s = (struct aside){p, t, a->done, a->ctx};
    return s;
}

static void stood_aside(void *ctx, struct act *a)
{
    struct aside *s = ctx;
    struct applying *p = s->p;

    if (a->status == ACT_DONE)
        s->t->aside = xstrdup(a->to);
    s->done(s->ctx, a);
    free(s);
    apply_rest(p);
}

/* Every document of the ring may still be renamed; else says so of each, and that none is. */
static bool is_whole(struct applying *p, struct todo **ring, size_t len)
{
    const char *why = NULL;
    size_t broken = 0;

    for (; broken < len; broken++) {
        struct doc row = {0};

        why = outdated(p->flow, ring[broken]->row, true, &row);
        if (why)
            break;
        doc_clear(&row);
    }
    for (size_t i = 0; why && i < len; i++) {
        ring[i]->done = true;
        batch_left(p->batch, ring[i]->from,
                   i == broken ? why : "it changes names with another one, which stays");
    }
    return !why;
}

/* Submits the renaming of t. NULL when it stays. */
static struct act *start(struct applying *p, struct todo *t)
{
    struct act *a = submit(p, t, true);

    t->done = true;
    if (a)
        batch_submit(p->flow, a);
    return a;
}

/* Returns whether one is on its way aside: all else goes on when it is there. */
static bool break_ring(struct applying *p, struct todo **ring, size_t len)
{
    struct act *a;

    if (!is_whole(p, ring, len))
        return false;
    if (p->dry_run) {
        for (size_t i = 0; i < len; i++)
            start(p, ring[i]);
        return false;
    }
    ring[0]->done = true;
    a = submit(p, ring[0], false);
    if (!a)
        return false;
    batch_uncounted(a);
    a->ctx = aside_new(p, ring[0], a);
    a->done = stood_aside;
    batch_submit(p->flow, a);
    return true;
}

/* Who stood aside goes on: its name is free now, or will be when its turn comes. */
static void go_on(struct applying *p)
{
    for (size_t i = 0; i < p->len; i++) {
        if (!p->todo[i].aside || p->todo[i].back)
            continue;
        p->todo[i].back = true;
        start(p, &p->todo[i]);
    }
}

/* What can go now, in order; who stood aside for it; then the next ring, if one is left. */
static void apply_rest(struct applying *p)
{
    struct todo **sorted = xcalloc(p->len + 1, sizeof(struct todo *));
    struct todo **ring = xcalloc(p->len + 1, sizeof(struct todo *));
    size_t ring_len = 0, n;
    bool waits = false;

    do {
        n = order(p->todo, p->len, sorted, ring, &ring_len);
        for (size_t i = 0; i < n; i++)
            start(p, sorted[i]);
        go_on(p);
        if (ring_len)
            waits = break_ring(p, ring, ring_len);
    } while (ring_len && !waits);
    free(sorted);
    free(ring);
    if (!waits)
        finish(p);
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
        str_addf(&text, "%s\n", r->args[0] ? error_text(&err) : "usage: organizer apply PLAN.csv");
        answer(ctx, r->args[0] ? EXIT_CANNOT : EXIT_USAGE, str_c(&text));
        plan_clear(&p->plan);
        free(p);
        return;
    }
    p->batch = batch_new(f, answer, ctx);
    collect(p);
    apply_rest(p);
}
