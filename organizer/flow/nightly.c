#include "flow/nightly.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "flow/archiving.h"
#include "flow/internal.h"
#include "flow/night.h"
#include "flow/night_report.h"
#include "flow/night_step.h"
#include "record/state_archive.h"

/* Keys in the private state. */
#define BEGAN_KEY    "night.began"  /* of the night under way, or that was cut off */
#define DONE_KEY     "night.done"   /* when the last one ended */
#define REPORT_KEY   "night.report" /* what came of it, as JSON */
#define VERIFIED_KEY "night.verified." /* behind it a case's id: when it was verified */
/* A night that was cut off longer ago is not gone on with: everything is verified anew. */
#define RESUME_NS (INT64_C(7) * 24 * 3600 * NS_PER_S)
/* A weekly snapshot is due a little before the week is over: nights begin at the same minute. */
#define WEEK_NS (INT64_C(13) * 12 * 3600 * NS_PER_S)
#define DAY_NS  (INT64_C(24) * 3600 * NS_PER_S)

/* One step over all cases. run() begins it on one case and returns true, or has nothing to do there.
 * would() says whether it would, for a dry run. */
struct step_kind {
    const char *name;
    bool (*run)(struct nightly *n, struct matter *m);
    bool (*would)(struct nightly *n, const struct matter *m);
};

struct waiting {
    flow_answer *answer;
    void *ctx;
    bool json;
    struct waiting *next;
};

struct nightly {
    struct flow *flow;
    bool running, stop;
    bool resumed;
    int64_t began_ns; /* of this night, or of the one that was cut off */
    char (*ids)[CASE_ID_SIZE];
    size_t len, at;
    unsigned step;
    unsigned under_way; /* work beside the loop */
    struct night_report report;
    struct waiting *waiting;
};

struct nightly *nightly_new(struct flow *f)
{
    struct nightly *n = xcalloc(1, sizeof *n);

    n->flow = f;
    return n;
}

static void forget_cases(struct nightly *n)
{
    free(n->ids);
    n->ids = NULL;
    n->len = n->at = 0;
}

void nightly_stop(struct nightly *n)
{
    if (n)
        __atomic_store_n(&n->stop, true, __ATOMIC_RELAXED);
}

static void answer_all(struct nightly *n, int status)
{
    struct waiting *w;

    while ((w = n->waiting)) {
        AUTO_STR struct str out = STR_INIT;

        n->waiting = w->next;
        if (status == EXIT_CANNOT)
            str_add(&out, "the organizer is being stopped; the next night goes on where this one stood\n");
        else if (w->json)
            night_report_json(&n->report, &out);
        else
            night_report_text(&n->report, &out);
        if (w->json && status != EXIT_CANNOT)
            str_addc(&out, '\n');
        if (w->answer)
            w->answer(w->ctx, status, str_c(&out));
        free(w);
    }
}

void nightly_free(struct nightly *n)
{
    if (!n)
        return;
    nightly_stop(n);
    if (n->under_way && n->flow->hooks)
        hooks_stop_slow(n->flow->hooks);
    while (n->under_way)
        uv_run(n->flow->loop, UV_RUN_ONCE);
    answer_all(n, EXIT_CANNOT);
    forget_cases(n);
    night_report_clear(&n->report);
    free(n);
}

bool nightly_running(const struct nightly *n)
{
    return n && n->running;
}

/* ---- what is remembered ---------------------------------------------------------------------- */

struct remembering {
    char *key, *value;
};

static int put_value(void *ctx, struct state *s, struct error *err)
{
    const struct remembering *r = ctx;

    return state_set(s, r->key, r->value, err);
}

static void value_put(void *ctx, struct act *a)
{
    struct remembering *r = ctx;

    (void)a; /* else it is found out once more */
    free(r->key);
    free(r->value);
    free(r);
}

void flow_remember(struct flow *f, const char *key, const char *value)
{
    struct remembering *r = xcalloc(1, sizeof *r);
    struct act *a = act_new(ACT_CALL);

    r->key = xstrdup(key);
    r->value = xstrdup(value);
    a->call = put_value;
    a->done = value_put;
    a->ctx = r;
    filer_submit(f->filer, a);
}

static void remember_time(struct flow *f, const char *key, int64_t ns)
{
    char at[TIME_TEXT];

    flow_remember(f, key, ns ? time_text(ns, at) : NULL);
}

/* 0 when there is none. */
static int64_t remembered_time(struct state *s, const char *key)
{
    AUTO_FREE char *text = state_get(s, key);
    int64_t at;

    return text && time_parse(text, &at) == 0 ? at : 0;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void next(struct nightly *n);

static void begun(struct nightly *n)
{
    n->under_way++;
}

/* Something was wrong, or could not be done: written down for the report. */
static void fail(struct nightly *n, const char *path, const char *what, const char *why)
{
    struct flow *f = n->flow;

    night_report_failed(&n->report, path, what, why);
    log_line(&f->log, LOG_WARNING, "night: not in order", "step", what, "case", path, "why", why,
             NULL);
}

static const char *path_now(const struct nightly *n)
{
    const struct matter *m = matters_by_id(n->flow->matters, n->ids[n->at]);

    return m ? m->facts.path : "";
}

static void step_over(struct nightly *n)
{
    n->under_way--;
    n->at++;
    next(n);
}

/* --- verify */

static char *verified_key(const struct nightly *n)
{
    return xasprintf(VERIFIED_KEY "%s", n->ids[n->at]);
}

static bool was_verified(struct nightly *n)
{
    AUTO_FREE char *key = verified_key(n);

    return n->resumed && remembered_time(n->flow->state, key) >= n->began_ns;
}

static void verified(void *ctx, const struct step_result *r)
{
    struct nightly *n = ctx;
    AUTO_FREE char *key = verified_key(n);

    n->report.documents += r->documents;
    n->report.bytes += r->bytes;
    if (r->step == STEP_LEFT || r->step == STEP_FOUND) {
        n->report.findings += r->count;
        fail(n, path_now(n), "verify", r->text);
    }
    if (r->step == STEP_DONE || r->step == STEP_FOUND) {
        n->report.verified++;
        if (n->flow->started)
            remember_time(n->flow, key, env_now(n->flow->env));
    }
    step_over(n);
}

static bool would_verify(struct nightly *n, const struct matter *m)
{
    (void)m;
    return !was_verified(n);
}

static bool run_verify(struct nightly *n, struct matter *m)
{
    if (was_verified(n)) {
        n->report.resumed++;
        return false;
    }
    begun(n);
    flow_verify_case(n->flow, m, &n->stop, verified, n);
    return true;
}

/* --- archive */

static const char *outcome_why(const struct snapshot_result *r)
{
    if (r->outcome == SNAPSHOT_FAILED)
        return r->why ? r->why : "it could not be written";
    return r->findings && r->findings[0] ? r->findings[0]
           : r->outcome == SNAPSHOT_BUSY ? "documents are open"
                                         : "documents are not what the journal says";
}

static void archived(void *ctx, const struct snapshot_result *r, const char *err_text)
{
    struct nightly *n = ctx;
    struct flow *f = n->flow;
    AUTO_FREE char *path = xstrdup(path_now(n));
    const char *why = NULL;

    if (!r || *err_text)
        why = err_text;
    else if (r->outcome == SNAPSHOT_MADE)
        n->report.archived++;
    else if (r->outcome == SNAPSHOT_SAME)
        n->report.unchanged++;
    else
        why = outcome_why(r);
    if (why && !n->stop) {
        n->report.not_archived++;
        fail(n, path, "archive", why);
    }
    if (why && f->started && !n->stop && *path)
        flow_notice_about(f, REASON_NOT_ARCHIVED,
                          &(struct notice_about){.path = path, .why = why});
    else if (!why && f->started && *path)
        flow_unnotice(f, REASON_NOT_ARCHIVED, path);
    step_over(n);
}

/* An open case's snapshot is due. */
static bool is_due(struct nightly *n, const struct matter *m)
{
    enum snapshots how = n->flow->cab.config.snapshots;
    struct error err = ERROR_INIT;
    struct archive_row row;
    int64_t age;
    int rc;

    if (how != SNAPSHOTS_WEEKLY)
        return how == SNAPSHOTS_NIGHTLY;
    rc = state_archive_last(n->flow->state, m->facts.id, &row, &err);
    age = env_now(n->flow->env) - row.made_ns;
    archive_row_clear(&row);
    return rc <= 0 || age >= WEEK_NS || age < 0;
}

static bool may_archive(struct nightly *n, const struct matter *m)
{
    return m->closed || (!m->card.closed && is_due(n, m));
}

/* Somebody removed the archive: it is made again, and they are told. */
static bool has_lost_archive(struct nightly *n, const struct matter *m)
{
    struct error err = ERROR_INIT;
    struct archive_row row;
    bool lost = false;

    if (state_archive_last(n->flow->state, m->facts.id, &row, &err) > 0) {
        AUTO_CLOSE int fd = beneath_open(n->flow->cab.root, row.path, O_PATH, 0);

        lost = fd < 0 && errno == ENOENT;
        if (lost)
            fail(n, m->facts.path, "archive", "its archive was removed; it is made again");
    }
    archive_row_clear(&row);
    return lost;
}

static bool would_archive(struct nightly *n, const struct matter *m)
{
    struct error err = ERROR_INIT;
    struct archive_row row;
    int rc;

    if (!may_archive(n, m))
        return false;
    rc = state_archive_last(n->flow->state, m->facts.id, &row, &err);
    archive_row_clear(&row);
    /* Whether something changed since, only reading tells. */
    return rc <= 0;
}

static bool run_archive(struct nightly *n, struct matter *m)
{
    if (!may_archive(n, m))
        return false;
    if (m->closed)
        has_lost_archive(n, m);
    begun(n);
    flow_archive(n->flow, m, m->closed ? SNAPSHOT_CLOSED : SNAPSHOT_INTERMEDIATE, archived, n);
    return true;
}

/* --- prune */

static void pruned(void *ctx, const struct step_result *r)
{
    struct nightly *n = ctx;

    n->report.pruned += r->count;
    if (r->step == STEP_LEFT)
        fail(n, path_now(n), "prune", r->text);
    step_over(n);
}

static bool would_prune(struct nightly *n, const struct matter *m)
{
    return flow_prunable(n->flow, m) > 0;
}

static bool run_prune(struct nightly *n, struct matter *m)
{
    if (flow_prunable(n->flow, m) == 0)
        return false;
    begun(n);
    flow_prune(n->flow, m, pruned, n);
    return true;
}

/* --- retire */

static void retired(void *ctx, const struct step_result *r)
{
    struct nightly *n = ctx;

    if (r->step == STEP_DONE)
        n->report.retired++;
    else if (r->step == STEP_LEFT && !n->stop)
        fail(n, path_now(n), "retire", r->text);
    step_over(n);
}

static bool would_retire(struct nightly *n, const struct matter *m)
{
    struct flow *f = n->flow;
    struct date closed = date_parse_iso(m->card.closed_on);
    int64_t after_s = f->cab.config.retire_s;

    if (after_s < 0 || !m->closed || flow_is_retired(m) || m->card.hold ||
        flow_not_retirable(f, m))
        return false;
    /* Without a date on the card it is not known how long it has been closed. */
    return date_is_set(closed) && date_exists(closed) &&
           (int64_t)date_days_between(closed, f->policy.today) * 86400 >= after_s;
}

static bool run_retire(struct nightly *n, struct matter *m)
{
    if (!would_retire(n, m))
        return false;
    begun(n);
    flow_retire(n->flow, m, retired, n);
    return true;
}

static const struct step_kind steps[] = {
    {"verify", run_verify, would_verify},
    {"archive", run_archive, would_archive},
    {"prune", run_prune, would_prune},
    {"retire", run_retire, would_retire},
};
#define STEPS (sizeof steps / sizeof *steps)

/* ---- the end --------------------------------------------------------------------------------- */

static void tell_hooks(struct nightly *n)
{
    struct flow *f = n->flow;
    AUTO_STR struct str json = STR_INIT;

    if (!hooks_any(f->hooks, "nightly"))
        return;
    night_report_json(&n->report, &json);
    hooks_run(f->hooks, "nightly", str_c(&json), -1, flow_hook_over, f);
}

static void log_night(struct nightly *n)
{
    AUTO_STR struct str text = STR_INIT;

    night_report_line(&n->report, &text);
    log_line(&n->flow->log, n->report.failures_len ? LOG_WARNING : LOG_NOTICE, "night", "did",
             str_c(&text), NULL);
}

static int put_end(void *ctx, struct state *s, struct error *err)
{
    struct nightly *n = ctx;
    AUTO_STR struct str json = STR_INIT;
    char at[TIME_TEXT];

    night_report_json(&n->report, &json);
    return state_set(s, BEGAN_KEY, NULL, err) < 0 ||
                   state_set(s, DONE_KEY, time_text(n->report.ended_ns, at), err) < 0 ||
                   state_set(s, REPORT_KEY, str_c(&json), err) < 0
               ? -1
               : 0;
}

static void end_put(void *ctx, struct act *a)
{
    struct nightly *n = ctx;
    struct flow *f = n->flow;

    n->under_way--;
    if (a->status != ACT_DONE)
        fail(n, "", "report", error_text(&a->error));
    log_night(n);
    tell_hooks(n);
    flow_touch(f, NULL);
    n->running = false;
    forget_cases(n);
    answer_all(n, n->report.failures_len ? EXIT_ATTENTION : EXIT_ORDER);
    flow_sync_check(f);
}

/* The night is over when that is written down. */
static void finish(struct nightly *n)
{
    struct act *a = act_new(ACT_CALL);

    n->report.ended_ns = env_now(n->flow->env);
    a->call = put_end;
    a->done = end_put;
    a->ctx = n;
    begun(n);
    filer_submit(n->flow->filer, a);
}

static void cut_off(struct nightly *n)
{
    n->running = false;
    forget_cases(n);
    answer_all(n, EXIT_CANNOT);
    flow_sync_check(n->flow);
}

static void sent(void *ctx, const struct step_result *r)
{
    struct nightly *n = ctx;

    n->under_way--;
    n->report.sent = r->count;
    if (r->step == STEP_LEFT && !n->stop)
        fail(n, "", "send", r->text);
    if (n->stop || !n->flow->started)
        cut_off(n);
    else
        finish(n);
}

/* The next step on the next case; each is done before the one after it begins. */
static void next(struct nightly *n)
{
    struct flow *f = n->flow;

    for (; n->step < STEPS; n->step++, n->at = 0) {
        for (; n->at < n->len && !n->stop && f->started; n->at++) {
            struct matter *m = matters_by_id(f->matters, n->ids[n->at]);

            if (m && m->known && !flow_leaves_alone(m) && steps[n->step].run(n, m))
                return;
        }
        if (n->stop || !f->started) {
            cut_off(n);
            return;
        }
    }
    begun(n);
    flow_send(f, sent, n);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void collect(struct nightly *n)
{
    struct flow *f = n->flow;
    size_t len = matters_len(f->matters);

    forget_cases(n);
    n->ids = xcalloc(len + 1, sizeof *n->ids);
    for (size_t i = 0; i < len; i++) {
        const struct matter *m = matters_at(f->matters, i);

        if (m->known && !flow_leaves_alone(m))
            memcpy(n->ids[n->len++], m->facts.id, CASE_ID_SIZE);
    }
    n->report.cases = n->len;
}

static void swept(void *ctx)
{
    struct nightly *n = ctx;

    n->under_way--;
    if (n->stop || !n->flow->started) {
        cut_off(n);
        return;
    }
    collect(n);
    n->step = 0;
    n->at = 0;
    next(n);
}

/* A night that was cut off is gone on with. */
static void set_beginning(struct nightly *n, bool rehearsal)
{
    struct flow *f = n->flow;
    int64_t now = env_now(f->env), began = remembered_time(f->state, BEGAN_KEY);

    n->resumed = began && began <= now && now - began < RESUME_NS;
    n->began_ns = n->resumed ? began : now;
    night_report_clear(&n->report);
    n->report.cabinet = xstrdup(f->cab.path);
    n->report.began_ns = n->began_ns;
    if (!n->resumed && !rehearsal)
        remember_time(f, BEGAN_KEY, now);
}

static void begin(struct nightly *n)
{
    set_beginning(n, false);
    n->running = true;
    n->stop = false;
    log_line(&n->flow->log, LOG_NOTICE, n->resumed ? "night goes on" : "night begins", NULL);
    begun(n);
    flow_sweep(n->flow, swept, n);
}

/* What would be done, as far as that is known without reading documents. */
static void rehearse(struct nightly *n, bool json, flow_answer *answer, void *ctx)
{
    struct flow *f = n->flow;
    AUTO_STR struct str out = STR_INIT;

    set_beginning(n, true);
    collect(n);
    for (unsigned s = 0; s < STEPS; s++)
        for (n->at = 0; n->at < n->len; n->at++) {
            const struct matter *m = matters_by_id(f->matters, n->ids[n->at]);

            if (m && steps[s].would(n, m))
                night_report_would(&out, json, steps[s].name, m->facts.path);
        }
    forget_cases(n);
    if (answer)
        answer(ctx, EXIT_ORDER, str_c(&out));
}

void nightly_run(struct flow *f, bool dry_run, bool json, flow_answer *answer, void *ctx)
{
    struct nightly *n = f->nightly;
    struct waiting *w;

    if (dry_run && !n->running) {
        rehearse(n, json, answer, ctx);
        return;
    }
    w = xcalloc(1, sizeof *w);
    *w = (struct waiting){answer, ctx, json, n->waiting};
    n->waiting = w;
    if (!n->running)
        begin(n);
}

/* ---- the daemon's ---------------------------------------------------------------------------- */

/* A night was missed (the machine slept, the daemon was stopped, the clock was set) or cut off. */
static bool was_missed(struct flow *f)
{
    int64_t done = remembered_time(f->state, DONE_KEY), now = env_now(f->env);
    int64_t due_s = f->night ? night_before(f->night) : 0;

    if (!f->night || !due_s || f->nightly->running)
        return false;
    if (done > now) {
        /* It ended in what is the future now: the clock went wrong for a time. */
        remember_time(f, DONE_KEY, now);
        return false;
    }
    if (remembered_time(f->state, BEGAN_KEY))
        return true;
    if (!done) {
        /* A new cabinet has missed nothing. */
        remember_time(f, DONE_KEY, now);
        return false;
    }
    return done / NS_PER_S < due_s;
}

void nightly_catch_up(struct flow *f)
{
    if (was_missed(f))
        nightly_run(f, false, false, NULL, NULL);
    else
        flow_send_soon(f);
}

void nightly_tick(struct flow *f, bool set)
{
    if (f->stopping)
        return;
    if (!set)
        nightly_run(f, false, false, NULL, NULL);
    else if (was_missed(f))
        nightly_run(f, false, false, NULL, NULL);
}

/* ---- what is said of it ---------------------------------------------------------------------- */

static bool has_archive(struct state *s, const struct matter *m)
{
    struct error err = ERROR_INIT;
    struct archive_row row;
    bool has = s && state_archive_last(s, m->facts.id, &row, &err) > 0;

    if (has) {
        has = !row.intermediate;
        archive_row_clear(&row);
    }
    return has;
}

static void cases_status(const struct matters *all, struct state *s, struct str *json)
{
    int64_t closed = 0, archived = 0, retired = 0;

    for (size_t i = 0; i < matters_len(all); i++) {
        const struct matter *m = matters_at(all, i);

        if (!m->facts.closed || m->untouchable)
            continue;
        closed++;
        archived += has_archive(s, m);
        retired += flow_is_retired(m);
    }
    json_num(json, "closed", closed);
    json_num(json, "archived", archived);
    json_num(json, "retired", retired);
}

void nightly_status(const struct matters *all, struct state *s, int64_t next_s, bool running,
                    struct str *json)
{
    AUTO_FREE char *report = s ? state_get(s, REPORT_KEY) : NULL;
    char at[TIME_TEXT];

    cases_status(all, s, json);
    json_bool(json, "night_under_way", running);
    if (report && *report == '{') {
        json_key(json, "last_night");
        str_add(json, report);
    }
    if (next_s)
        json_text(json, "next_night", time_text(next_s * NS_PER_S, at));
}
