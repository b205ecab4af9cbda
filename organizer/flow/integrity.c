/*
 * integrity: whether the journals are what was written, beside everything else, on a thread of its
 * own: behind every sweep how each ends (one read a case), once a day every line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/casework.h"
#include "flow/internal.h"
#include "record/verify.h"

#define CHECKED_KEY "journals.checked"
/* Every line is read again after so long. */
#define DEEP_NS (INT64_C(12) * 3600 * NS_PER_S)

struct checked {
    char id[CASE_ID_SIZE];
    char *path;
    bool broken;
};

struct integrity {
    struct flow *flow;
    uv_work_t work;
    bool running, stop; /* stop: set by the loop, looked at between two cases */
    bool deep, failed;
    int64_t began_ns;
    struct checked *cases;
    size_t len;
    struct error error;
};

struct integrity *integrity_new(struct flow *f)
{
    struct integrity *g = xcalloc(1, sizeof *g);

    g->flow = f;
    g->work.data = g;
    return g;
}

static void forget(struct integrity *g)
{
    for (size_t i = 0; i < g->len; i++)
        free(g->cases[i].path);
    free(g->cases);
    g->cases = NULL;
    g->len = 0;
}

void integrity_free(struct integrity *g)
{
    if (!g)
        return;
    __atomic_store_n(&g->stop, true, __ATOMIC_RELAXED);
    while (g->running)
        uv_run(g->flow->loop, UV_RUN_ONCE);
    forget(g);
    free(g);
}

bool integrity_running(const struct integrity *g)
{
    return g->running;
}

/* ---- beside the loop ------------------------------------------------------------------------- */

static void check_one(struct integrity *g, struct state *state, struct checked *c)
{
    struct verify_options o = {
        .root = g->flow->cab.root, .state = state, .case_id = c->id, .case_path = c->path};
    struct verify_counts counts;
    struct error err = ERROR_INIT;

    /* A case that moved meanwhile is looked at the next time. */
    if (verify_journal(&o, g->deep, &counts, &err) == 0)
        c->broken = !verify_clean(&counts);
    else
        g->failed = true;
}

static void check_all(uv_work_t *w)
{
    struct integrity *g = w->data;
    struct state *state = state_open(g->flow->cab.state_dir, true, &g->error);

    g->failed = !state;
    for (size_t i = 0; state && i < g->len; i++) {
        if (__atomic_load_n(&g->stop, __ATOMIC_RELAXED))
            g->failed = true;
        else
            check_one(g, state, &g->cases[i]);
    }
    state_close(state);
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static int remember(void *ctx, struct state *s, struct error *err)
{
    return state_set(s, CHECKED_KEY, ctx, err);
}

static void remembered(void *ctx, struct act *a)
{
    (void)a; /* else it is read once more */
    free(ctx);
}

static void remember_deep(struct integrity *g)
{
    struct act *a = act_new(ACT_CALL);
    char at[TIME_TEXT];

    a->call = remember;
    a->done = remembered;
    a->ctx = xstrdup(time_text(g->began_ns, at));
    filer_submit(g->flow->filer, a);
}

static void mark(struct flow *f, const struct checked *c)
{
    struct matter *m = matters_by_id(f->matters, c->id);

    /* While something of it is being written down, that may be what was found: the next sweep looks. */
    if (!c->broken || !m || m->recording || m->reason == REASON_TAMPERED)
        return;
    log_line(&f->log, LOG_ERROR, "the journal is not as it was left", "folder", m->facts.path,
             NULL);
    flow_record_case(f, m, &(struct case_note){.tampered = true}, NULL, NULL);
}

static void after_check(uv_work_t *w, int status)
{
    struct integrity *g = w->data;
    struct flow *f = g->flow;

    g->running = false;
    if (!f->started || f->stopping) {
        flow_sync_check(f);
        return;
    }
    if (*g->error.text)
        log_line(&f->log, LOG_WARNING, "journals could not be checked", "error",
                 error_text(&g->error), NULL);
    for (size_t i = 0; i < g->len; i++)
        mark(f, &g->cases[i]);
    if (g->deep && !g->failed && status == 0)
        remember_deep(g);
    flow_sync_check(f);
}

static bool is_due(struct flow *f, int64_t now)
{
    AUTO_FREE char *text = state_get(f->state, CHECKED_KEY);
    int64_t at;

    return !text || time_parse(text, &at) < 0 || now - at >= DEEP_NS || now < at;
}

void flow_check_journals(struct flow *f)
{
    struct integrity *g = f->integrity;
    size_t n = matters_len(f->matters);

    if (g->running || f->stopping)
        return;
    forget(g);
    g->cases = xcalloc(n + 1, sizeof *g->cases);
    for (size_t i = 0; i < n; i++) {
        const struct matter *m = matters_at(f->matters, i);

        if (flow_leaves_alone(m) || !m->known || m->recording)
            continue;
        memcpy(g->cases[g->len].id, m->facts.id, strlen(m->facts.id) + 1);
        g->cases[g->len++].path = xstrdup(m->facts.path);
    }
    g->began_ns = env_now(f->env);
    g->deep = is_due(f, g->began_ns);
    g->error = (struct error)ERROR_INIT;
    g->running = uv_queue_work(f->loop, &g->work, check_all, after_check) == 0;
}
