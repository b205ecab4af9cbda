/* pages: when indexes are written: in batches, one job at a time, never for each document. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/internal.h"
#include "flow/night.h"

/* A case of which nothing was missed for so long, and whose folder did not change for so long, is not
 * being deleted: what somebody removed of its pages is put back. */
#define LOSING_NS  (10 * NS_PER_S)
#define IN_WORK_NS (3 * NS_PER_S)
/* How long to wait for more when nothing is under way. */
#define IDLE_MS 200

struct pages {
    struct flow *flow;
    uv_timer_t timer;
    uv_work_t work;
    struct publish_job job;
    bool running;
    bool again;          /* pages_flush() while one runs */
    bool cabinet_dirty;
    size_t dirty;        /* cases whose pages are out of date */
    uint64_t errors;
    uint64_t started, done; /* jobs */
    uint64_t took_ms;       /* the last one */
    int64_t late;           /* ticks since when they rest, because many are under way; or 0 */
    int64_t since;          /* ticks when it started */
    struct flow *orphan; /* the flow is closing: the job only ends */
};

static void start_job(struct pages *p);

/* Many are under way, and what they change would only be written again. */
static bool rests(struct pages *p)
{
    if (!flow_is_crowded(p->flow))
        return false;
    if (!p->late)
        p->late = env_ticks();
    return env_ticks() - p->late < FLOW_REST_MS * NS_PER_MS;
}

static void on_timer(uv_timer_t *t)
{
    struct pages *p = t->data;

    if (p->running)
        return;
    if (rests(p))
        uv_timer_start(t, on_timer, IDLE_MS, 0);
    else
        start_job(p);
}

struct pages *pages_new(struct flow *f)
{
    struct pages *p = xcalloc(1, sizeof *p);

    p->flow = f;
    uv_timer_init(f->loop, &p->timer);
    p->timer.data = p->work.data = p;
    p->cabinet_dirty = true;
    return p;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void pages_free(struct pages *p)
{
    while (p->running)
        uv_run(p->flow->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

bool pages_clean(const struct pages *p)
{
    return !p->running && p->dirty == 0 && !p->cabinet_dirty;
}

bool pages_running(const struct pages *p)
{
    return p->running;
}

uint64_t pages_job(const struct pages *p)
{
    if (p->dirty > 0 || p->cabinet_dirty)
        return p->started + 1;
    return p->started;
}

uint64_t pages_done(const struct pages *p)
{
    return p->done;
}

uint64_t pages_errors(const struct pages *p)
{
    return p->errors;
}

/* How long to wait for more before the next job: pages of a large cabinet take longer to make, and
 * are made at most a tenth of the time. */
static uint64_t pause_ms(const struct pages *p)
{
    uint64_t ms = flow_is_idle(p->flow) ? IDLE_MS : FLOW_PAGES_MS;

    return 10 * p->took_ms > ms ? 10 * p->took_ms : ms;
}

void flow_touch(struct flow *f, struct matter *m)
{
    struct pages *p = f->pages;

    if (!p)
        return;
    if (!m)
        p->cabinet_dirty = true;
    else if (m->dirty++ == 0)
        p->dirty++;
    /* What was put off does not put this off. */
    if (!p->running && (!uv_is_active((uv_handle_t *)&p->timer) ||
                        uv_timer_get_due_in(&p->timer) > pause_ms(p)))
        uv_timer_start(&p->timer, on_timer, pause_ms(p), 0);
}

void pages_flush(struct flow *f)
{
    if (f->pages->running)
        f->pages->again = true;
    else
        start_job(f->pages);
}

static char *join(char *const *list)
{
    AUTO_STR struct str out = STR_INIT;

    for (size_t i = 0; list && list[i]; i++)
        str_addf(&out, "%s%s", i ? "; " : "", list[i]);
    return out.len ? str_detach(&out) : NULL;
}

static void add_notice(struct notice **list, size_t *len, const struct notice *n)
{
    *list = xreallocarray(*list, *len + 1, sizeof **list);
    (*list)[(*len)++] = (struct notice){.reason = n->reason,
                                        .path = xstrdup(n->path),
                                        .sentence = xstrdup(n->sentence),
                                        .help = xstrdup(n->help)};
}

/* A notice belongs on the pages of the case that it is about, or in which it lies. No page is written
 * in a copy of a case: it is told beside it. */
static void hand_out_notices(struct flow *f, struct publish_job *job)
{
    struct flow_notice *n, *tmp;

    HASH_ITER(hh, f->notices, n, tmp)
    {
        struct matter *m = matters_of(f->matters, n->n.path, NULL);
        struct page_case *c = NULL;

        for (size_t i = 0; m && !m->untouchable && i < job->cases_len && !c; i++)
            if (strcmp(job->cases[i].id, m->facts.id) == 0 &&
                strcmp(job->cases[i].path, m->facts.path) == 0)
                c = &job->cases[i];
        if (c)
            add_notice(&c->notices, &c->notices_len, &n->n);
        else
            add_notice(&job->notices, &job->notices_len, &n->n);
    }
}

static void fill_case(struct page_case *c, struct matter *m)
{
    *c = (struct page_case){.id = xstrdup(m->facts.id),
                            .path = xstrdup(m->facts.path),
                            .prefix = xstrdup(m->facts.prefix),
                            .client = xstrdup(m->card.client),
                            .case_type = xstrdup(m->card.case_type),
                            .status = xstrdup(m->facts.closed ? "closed" : "open"),
                            .priority = xstrdup(m->card.priority),
                            .team = xstrdup(m->card.team),
                            .opened = xstrdup(m->card.opened),
                            .closed_on = xstrdup(m->card.closed_on),
                            .docket = join(m->card.dockets),
                            .matter = xstrdup(m->card.matter),
                            .parties = join(m->card.parties),
                            .hold = xstrdup(m->card.hold),
                            .key_documents = xstrdupv(m->facts.key_documents),
                            .restricted = m->facts.restricted,
                            .losing = m->losing && env_ticks() - m->losing < LOSING_NS,
                            .write = m->dirty > 0 && !m->untouchable};
    m->dirty = 0;
}

static void run_job(uv_work_t *w)
{
    struct pages *p = w->data;

    publish_run(&p->job);
}

/* What was put off is done when the case was left alone. */
static void take_up_put_off(struct pages *p)
{
    struct flow *f = p->flow;
    uint64_t ms = (LOSING_NS + NS_PER_S) / NS_PER_MS;

    if (pause_ms(p) > ms)
        ms = pause_ms(p);

    for (size_t i = 0; i < p->job.cases_len; i++) {
        struct matter *m = matters_by_id(f->matters, p->job.cases[i].id);

        if (p->job.cases[i].put_off && m && m->dirty++ == 0)
            p->dirty++;
        if (p->job.cases[i].put_off && m && f->started && !uv_is_active((uv_handle_t *)&p->timer))
            uv_timer_start(&p->timer, on_timer, ms, 0);
    }
}

static void after_job(uv_work_t *w, int status)
{
    struct pages *p = w->data;
    struct flow *f = p->flow;

    (void)status;
    p->running = false;
    p->done = p->started;
    p->took_ms = (uint64_t)((env_ticks() - p->since) / NS_PER_MS);
    if (*p->job.error.text) {
        p->errors++;
        log_line(&f->log, LOG_WARNING, "pages could not be written", "error",
                 error_text(&p->job.error), NULL);
    }
    for (size_t i = 0; i < p->job.set_aside_len; i++) {
        const struct notice *n = &p->job.set_aside[i];

        flow_notice(f, n->reason, n->path, xstrdup(n->sentence), xstrdup(n->help));
    }
    take_up_put_off(p);
    publish_job_clear(&p->job);
    if (p->again) {
        p->again = false;
        if (!pages_clean(p))
            start_job(p);
    } else if ((p->dirty > 0 || p->cabinet_dirty) && f->started &&
               !uv_is_active((uv_handle_t *)&p->timer)) {
        uv_timer_start(&p->timer, on_timer, pause_ms(p), 0);
    }
    flow_sync_check(f);
}

static void start_job(struct pages *p)
{
    struct flow *f = p->flow;
    size_t n = matters_len(f->matters);

    uv_timer_stop(&p->timer);
    p->late = 0;
    p->job = (struct publish_job){.root = f->cab.root,
                                  .state_dir = f->cab.state_dir,
                                  .rules = f->rules,
                                  .lang = f->lang,
                                  .office = f->cab.config.office,
                                  .card = CARD_NAME,
                                  .time_zone = f->cab.config.time_zone,
                                  .suggest = f->cab.config.mode == MODE_SUGGEST,
                                  .now_ns = env_now(f->env),
                                  .next_night_ns =
                                      f->night ? night_when(f->night) * NS_PER_S : 0,
                                  .in_work_ns =
                                      env_disk_now(f->env) - IN_WORK_NS,
                                  .write_cabinet = true,
                                  .cases = xcalloc(n, sizeof *p->job.cases),
                                  .cases_len = n};
    for (size_t i = 0; i < n; i++)
        fill_case(&p->job.cases[i], matters_at(f->matters, i));
    hand_out_notices(f, &p->job);
    p->dirty = 0;
    p->cabinet_dirty = false;
    p->running = true;
    p->started++;
    p->since = env_ticks();
    uv_queue_work(f->loop, &p->work, run_job, after_job);
}
