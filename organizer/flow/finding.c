#include "flow/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "decide/content.h"
#include "flow/internal.h"
#include "search/find.h"
#include "search/search.h"

/* One search, beside the loop. */
struct search_work {
    uv_work_t work;
    struct flow *flow;
    struct find_job job;
    struct find_store store;
    struct find_request request;
    char **args; /* the request's strings are these */
    gid_t *groups;
    struct str out;
    struct error error;
    int found;
    flow_answer *answer;
    void *ctx;
};

/* Somebody waits for the catalogue to be made anew. */
struct rebuild_waiter {
    uint64_t given;
    flow_answer *answer;
    void *ctx;
    struct rebuild_waiter *next;
};

/* ---- keeping ------------------------------------------------------------------------------------
 */

static void on_want(void *ctx, const char *case_id, int64_t number)
{
    flow_want_text(ctx, case_id, number);
}

static void serve_rebuilds(struct flow *f)
{
    struct rebuild_waiter **link = &f->rebuilds, *w;

    while ((w = *link)) {
        if (!flow_find_has(f, w->given) || search_lacks(f->search)) {
            link = &w->next;
            continue;
        }
        *link = w->next;
        w->answer(w->ctx, EXIT_ORDER, "");
        free(w);
    }
}

static void on_rested(void *ctx)
{
    struct flow *f = ctx;

    serve_rebuilds(f);
    flow_sync_check(f);
}

void flow_find_open(struct flow *f)
{
    struct search_options o = {
        .state_dir = f->cab.state_dir, .want = on_want, .rested = on_rested, .ctx = f};
    struct error err = ERROR_INIT;

    f->search = search_new(f->loop, &o, &err);
    if (!f->search)
        log_line(&f->log, LOG_WARNING, "nothing can be found by its words", "error",
                 error_text(&err), NULL);
}

void flow_find_close(struct flow *f)
{
    struct rebuild_waiter *w;

    while (f->searches > 0)
        uv_run(f->loop, UV_RUN_ONCE);
    while ((w = f->rebuilds)) {
        f->rebuilds = w->next;
        w->answer(w->ctx, EXIT_CANNOT, "the daemon stops: the rest is read after its next start\n");
        free(w);
    }
    find_store_clear(&f->find_store);
    search_free(f->search);
    f->search = NULL;
}

void flow_find_row(struct flow *f, const struct doc *d)
{
    if (f->search && d->number)
        search_row(f->search, d->case_id, d->number);
}

void flow_find_text(struct flow *f, const struct doc *d, const struct content *content, int text)
{
    if (f->search && d->number)
        search_text(f->search, d->case_id, d->number, &d->digest, content, text);
}

void flow_find_unread(struct flow *f)
{
    if (f->search)
        search_unread(f->search);
}

void flow_find_rest(struct flow *f)
{
    bool crowded = flow_is_crowded(f);

    if (!f->search || crowded == f->finding_rests)
        return;
    f->finding_rests = crowded;
    search_rest(f->search, crowded ? FLOW_REST_MS : 0);
}

uint64_t flow_find_given(const struct flow *f)
{
    return f->search ? search_given(f->search) : 0;
}

bool flow_find_has(struct flow *f, uint64_t given)
{
    if (!f->search || search_done(f->search) >= given)
        return true;
    search_hurry(f->search);
    return false;
}

bool flow_is_finding(const struct flow *f)
{
    return f->searches > 0;
}

/* ---- finding ------------------------------------------------------------------------------------
 */

void flow_find_cases(struct find_job *job, const struct matters *matters)
{
    job->cases_len = matters_len(matters);
    job->cases = xcalloc(job->cases_len + 1, sizeof *job->cases);
    for (size_t i = 0; i < job->cases_len; i++) {
        const struct matter *m = matters_at(matters, i);

        job->cases[i] = (struct find_case){
            .id = xstrdup(m->facts.id),
            .path = xstrdup(m->facts.path),
            .prefix = xstrdup(m->facts.prefix),
            .client = xstrdup(m->card.client ? m->card.client : m->facts.client),
            .case_type = xstrdup(m->facts.case_type),
            .key_documents = xstrdupv(m->facts.key_documents),
        };
    }
}

static void run_search(uv_work_t *w)
{
    struct search_work *s = w->data;

    s->found = find_run(&s->job, &s->request, &s->out, &s->error);
}

/* One is kept for the next search. */
static void take_back(struct flow *f, struct find_store *store)
{
    if (f->find_store.state || f->find_store.catalogue)
        find_store_clear(store);
    else
        f->find_store = *store;
}

static void search_end(struct search_work *s)
{
    find_request_clear(&s->request);
    find_job_clear(&s->job);
    for (size_t i = 0; s->args[i]; i++)
        free(s->args[i]);
    free(s->args);
    free(s->groups);
    str_clear(&s->out);
    free(s);
}

static void after_search(uv_work_t *w, int status)
{
    struct search_work *s = w->data;
    struct flow *f = s->flow;
    const char *text = error_text(&s->error);

    (void)status;
    f->searches--;
    take_back(f, &s->store);
    if (s->found == FIND_FAULT)
        s->answer(s->ctx, EXIT_USAGE, text);
    else if (s->found < 0)
        s->answer(s->ctx, EXIT_CANNOT, text);
    else
        s->answer(s->ctx, s->found ? EXIT_ORDER : EXIT_ATTENTION, str_c(&s->out));
    search_end(s);
}

static void rebuild(struct flow *f, const struct access_reader *who, flow_answer *answer, void *ctx)
{
    struct rebuild_waiter *w;

    if (who || !f->search) {
        answer(ctx, EXIT_CANNOT,
               who ? "only root and the daemon's own user may have the catalogue made anew\n"
                   : "the catalogue cannot be opened: the daemon's log says why\n");
        return;
    }
    search_again(f->search);
    w = xcalloc(1, sizeof *w);
    *w = (struct rebuild_waiter){search_given(f->search), answer, ctx, f->rebuilds};
    f->rebuilds = w;
    search_hurry(f->search);
}

void flow_find(struct flow *f, const char *const *args, const struct access_reader *who,
               flow_answer *answer, void *ctx)
{
    struct search_work *s = xcalloc(1, sizeof *s);
    bool fault;

    *s = (struct search_work){.flow = f, .answer = answer, .ctx = ctx, .args = xstrdupv(args)};
    fault = find_request_parse(&s->request, (const char *const *)s->args, &s->error) < 0;
    if (fault || s->request.rebuild) {
        if (fault)
            answer(ctx, EXIT_USAGE, error_text(&s->error));
        else
            rebuild(f, who, answer, ctx);
        search_end(s);
        return;
    }
    s->job = (struct find_job){
        .root = f->cab.root, .state_dir = f->cab.state_dir, .rules = f->rules, .everything = !who};
    if (who && who->groups_len > 0) {
        s->groups = xcalloc(who->groups_len, sizeof *s->groups);
        memcpy(s->groups, who->groups, who->groups_len * sizeof *s->groups);
    }
    if (who)
        s->job.who = (struct access_reader){who->uid, s->groups, who->groups_len};
    flow_find_cases(&s->job, f->matters);
    s->store = f->find_store;
    f->find_store = (struct find_store){0};
    s->job.store = &s->store;
    s->work.data = s;
    f->searches++;
    uv_queue_work(f->loop, &s->work, run_search, after_search);
}
