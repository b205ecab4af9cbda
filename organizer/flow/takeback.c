#include "flow/takeback.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "flow/batch.h"
#include "flow/gather.h"
#include "text/texts.h"

#define AGREED_MAX 64 /* that are noted together */

/* Documents that keep their names: until that is noted nobody else, who would not know of it,
 * writes their rows. */
struct agreed {
    struct flow *flow;
    size_t len;
    struct {
        char case_id[CASE_ID_SIZE];
        int64_t number;
        struct flight flight;
    } list[AGREED_MAX];
};

struct takebacks {
    struct agreed *agreed; /* to be noted, or NULL */
    size_t under_way;      /* namings that are being taken back */
};

/* One naming that is being taken back. */
struct taking {
    struct flow *flow;
    struct flight flight;
    struct doc row;  /* as it was filed */
    char *from, *to; /* from the cabinet down */
    char *why;       /* a person reads it in the log and in the journal */
    bool goes_on;    /* it belongs elsewhere, and is decided again where it was dropped */
};

enum doc_unread takeback_of(struct flow *f, const struct item *it, const struct decision *d)
{
    struct matter *m;
    const char *inside;
    enum zone zone = matters_zone(f->matters, it->path, &m, &inside);

    if (!d->unchecked || !texts_knows(it->x.kind))
        return DOC_READ;
    /* From the office's Inbox nothing goes unread: decide() wants to know what it says. */
    if (!m || d->target != &m->facts)
        return DOC_READ;
    return zone == ZONE_CASE_INBOX ? DOC_UNREAD_INBOX : DOC_UNREAD_IN_PLACE;
}

/* Where the document lay until it was filed, from the cabinet down. */
static char *origin_of(const struct matter *m, const struct doc *row)
{
    const char *slash = strrchr(row->path, '/');

    switch (row->unread) {
    case DOC_UNREAD_INBOX:
        return xasprintf("%s/" INBOX_NAME "/%s", m->facts.path, row->original);
    case DOC_UNREAD_IN_PLACE:
        return xasprintf("%s/%.*s%s", m->facts.path, slash ? (int)(slash + 1 - row->path) : 0,
                         row->path, row->original);
    case DOC_READ:
    default:
        return NULL;
    }
}

/* ---- would it have been named so? ------------------------------------------------------------ */

static bool is_named(const struct decision *d, const struct doc *row)
{
    return d->action == ACTION_FILE && d->target && strcmp(d->target->id, row->case_id) == 0;
}

/* Decides as if the document still lay where it was dropped, with what it says and without. True
 * when it was named and would not have been: *d, to be cleared, is what would have been decided. */
static bool is_contradicted(struct flow *f, const struct matter *m, const struct doc *row,
                            const char *origin, const struct content *c, struct decision *d)
{
    const struct gather_from from = {f->env, &f->cab.config, f->matters, f->state, f->cab.root};
    const struct examination x = gather_read(row);
    struct doc was = *row; /* borrows */
    const struct gather_doc doc = {
        .path = origin, .stamp = &row->stamp, .x = &x, .row = &was, .alone = true, .content = c};
    struct gathered g;
    struct decision without;
    bool contradicted = false;

    was.state = DOC_INDEXED;
    was.reason = REASON_NONE;
    was.original = NULL;
    gather(&from, &doc, m, &g);
    decide(f->rules, f->lang, &f->policy, &g.facts, false, d);
    if (!is_named(d, row) && d->action != ACTION_RETRY) {
        gather_unread(&g);
        decide(f->rules, f->lang, &f->policy, &g.facts, false, &without);
        contradicted = is_named(&without, row);
        decision_clear(&without);
    }
    gather_clear(&g);
    if (!contradicted)
        decision_clear(d);
    return contradicted;
}

/* ---- taking back ----------------------------------------------------------------------------- */

static void taking_free(struct taking *t)
{
    doc_clear(&t->row);
    free(t->from);
    free(t->to);
    free(t->why);
    free(t);
}

static void taken(void *ctx, struct act *a)
{
    struct taking *t = ctx;
    struct flow *f = t->flow;
    bool back = a->status == ACT_DONE;

    f->takebacks->under_way--;
    flight_end(f, &t->flight, back ? a->to : NULL);
    if (!f->started) {
        taking_free(t);
        return;
    }
    flow_touch(f, matters_by_id(f->matters, t->row.case_id));
    flow_touch(f, NULL);
    if (back) {
        log_line(&f->log, LOG_NOTICE, "taken back", "from", t->from, "to", a->to, "why", t->why,
                 NULL);
        flow_tell_listed(f, a);
        flow_tell_related(f, a, &(struct related){.was = a->doc.digest});
    } else {
        flow_tell_filed(f, &t->row, t->to);
    }
    if (!back)
        flow_hint(f, t->from, true);
    else if (t->goes_on)
        flow_hint(f, a->to, true);
    taking_free(t);
    flow_wake(f);
}

/* The row of a document that was never named. */
static void fill_row(struct doc *to, const struct decision *d)
{
    to->state = d->action == ACTION_LIST ? DOC_LISTED : DOC_INDEXED;
    to->unread = DOC_READ;
    flow_row_decided(to, d);
    doc_set(&to->original, NULL);
    doc_set(&to->why, NULL);
}

static struct act *act_of(struct taking *t, const struct matter *m, const struct decision *d)
{
    struct act *a = batch_act(t->flow, m, &t->row, t->from, t->to, "undone");

    fill_row(&a->doc, d);
    json_text(&a->journal, "by", "organizer");
    json_text(&a->journal, "why", t->why);
    a->done = taken;
    a->ctx = t;
    return a;
}

static void take_back(struct flow *f, const struct matter *m, const struct doc *row, char *origin,
                      const struct decision *d)
{
    struct taking *t = xcalloc(1, sizeof *t);
    struct act *a;

    t->flow = f;
    doc_copy(&t->row, row);
    t->from = xasprintf("%s/%s", m->facts.path, row->path);
    t->to = origin;
    t->why = xstrdup(d->sentence ? d->sentence : "");
    t->goes_on = d->action != ACTION_LIST;
    a = act_of(t, m, d);
    flight_begin(f, &t->flight, &row->stamp, row, xstrdup(origin));
    f->takebacks->under_way++;
    batch_submit(f, a);
}

static bool is_taken_back(struct flow *f, const struct doc *row, const struct content *content)
{
    struct matter *m = matters_by_id(f->matters, row->case_id);
    bool named =
        row->state == DOC_FILED && !row->by_hand && !row->undone && row->original && *row->original;
    char *origin = m && named ? origin_of(m, row) : NULL;
    struct decision d;

    if (origin && content && f->cab.config.mode == MODE_ENFORCE && !flow_leaves_alone(m) &&
        is_contradicted(f, m, row, origin, content, &d)) {
        take_back(f, m, row, origin, &d);
        decision_clear(&d);
        return true;
    }
    if (origin)
        flow_tell_filed(f, row, origin);
    free(origin);
    return false;
}

/* ---- names that stand ------------------------------------------------------------------------ */

static int note_all(void *ctx, struct state *s, struct error *err)
{
    const struct agreed *g = ctx;

    for (size_t i = 0; i < g->len; i++)
        if (state_doc_was_read(s, g->list[i].case_id, g->list[i].number, err) < 0)
            return -1;
    return 0;
}

/* Where that failed they are checked once more at the next start. */
static void noted(void *ctx, struct act *a)
{
    struct agreed *g = ctx;

    (void)a;
    for (size_t i = 0; i < g->len; i++) {
        AUTO_FREE char *path = xstrdup(g->list[i].flight.path);

        flight_end(g->flow, &g->list[i].flight, g->flow->started ? path : NULL);
    }
    free(g);
}

void takebacks_note(struct flow *f)
{
    struct act *a;

    if (!f->takebacks->agreed)
        return;
    a = act_new(ACT_CALL);
    a->call = note_all;
    a->done = noted;
    a->ctx = f->takebacks->agreed;
    f->takebacks->agreed = NULL;
    filer_submit(f->filer, a);
}

static void agree(struct flow *f, const struct doc *row)
{
    struct agreed *g = f->takebacks->agreed;
    char *path = flow_path_of(f, row);

    if (!path)
        return;
    if (!g) {
        g = f->takebacks->agreed = xcalloc(1, sizeof *g);
        g->flow = f;
    }
    memcpy(g->list[g->len].case_id, row->case_id, CASE_ID_SIZE);
    g->list[g->len].number = row->number;
    flight_begin(f, &g->list[g->len].flight, &row->stamp, row, path);
    if (++g->len == AGREED_MAX)
        takebacks_note(f);
}

bool takeback_stands(struct flow *f, const struct doc *row, const struct content *content)
{
    /* Just being recorded: it is asked for again when that is done. */
    if (row->unread != DOC_READ && flights_have(f, &row->stamp, row))
        return false;
    if (row->unread != DOC_READ && is_taken_back(f, row, content))
        return false;
    if (row->unread != DOC_READ)
        agree(f, row);
    return true;
}

size_t takebacks_len(const struct flow *f)
{
    return f->takebacks->under_way + (f->takebacks->agreed ? f->takebacks->agreed->len : 0);
}

struct takebacks *takebacks_new(void)
{
    return xcalloc(1, sizeof(struct takebacks));
}

void takebacks_free(struct flow *f)
{
    if (f->takebacks && f->takebacks->agreed)
        noted(f->takebacks->agreed, NULL);
    free(f->takebacks);
    f->takebacks = NULL;
}
