#include "flow/archiving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/order.h"
#include "archive/shelf.h"
#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "decide/date.h"
#include "flow/internal.h"
#include "flow/job_run.h"
#include "flow/night_step.h"
#include "flow/nightly.h"
#include "record/state_archive.h"

/* What is busy or differs is tried again so often: it was perhaps just being saved. */
#define RETRIES 2
/* At most so long is waited before, and a little more than the cabinet's `settle`. */
#define WAIT_MOST_MS 20000
#define WAIT_MORE_MS 300
/* A job that was asked to give up is killed after so many turns of waiting. */
#define STOP_TURNS 50
#define TURN_MS    100

/* One case on its way. */
struct archiving_item {
    char case_id[CASE_ID_SIZE];
    enum snapshot_purpose purpose;
    archiving_done *done;
    void *ctx;
    unsigned tries;
    struct archiving_item *next;
};

/* What stands in the private state from just before an archive gets its name until it is recorded. */
struct intention {
    bool there;
    struct snapshot_result result;
    enum snapshot_purpose purpose;
};

struct archiving {
    struct flow *flow;
    struct archiving_item *first, **last; /* first is the one in hand */
    bool busy;                            /* with the first */
    bool stopping;
    bool recording;                       /* its line is with the filer */
    uint64_t jobs;                        /* so many were started */
    bool intending;                       /* what it is about to do is with the filer */
    struct job_run *job;
    struct snapshot_result result;
    struct intention earlier; /* of a run that was ended before its archive was recorded */
    bool answered;       /* result is the job's */
    char *case_path;     /* of the job */
    uint64_t bytes, of;  /* its progress */
    uv_timer_t timer;    /* until the next try, or the kill */
};

/* What is recorded of one archive. */
struct recording {
    struct archiving *archiving;
    struct archive_row row;
    int64_t now_ns;
};

static void start_next(struct archiving *a);

struct archiving *archiving_new(struct flow *f)
{
    struct archiving *a = xcalloc(1, sizeof *a);

    a->flow = f;
    a->last = &a->first;
    uv_timer_init(f->loop, &a->timer);
    a->timer.data = a;
    return a;
}

const char *archiving_progress(const struct flow *f, uint64_t *bytes, uint64_t *of)
{
    const struct archiving *a = f->archiving;

    if (!a || !a->first || !a->job)
        return NULL;
    *bytes = a->bytes;
    *of = a->of;
    return a->case_path;
}

bool archiving_idle(const struct flow *f)
{
    return !f->archiving || !f->archiving->first;
}

/* ---- what is about to be done ------------------------------------------------------------------ */

static char *intention_key(const char *case_id)
{
    return xasprintf("archive-intended %s", case_id);
}

/* The one of the case, of an earlier run. */
static void read_intention(struct archiving *a, const char *case_id)
{
    AUTO_FREE char *key = intention_key(case_id);
    AUTO_FREE char *text = state_get(a->flow->state, key);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;

    snapshot_result_clear(&a->earlier.result);
    a->earlier.there = order_read_result(json_object_get(json, "intend"), &a->earlier.result);
    a->earlier.purpose = json_get_num(json, "purpose", SNAPSHOT_CLOSED) == SNAPSHOT_INTERMEDIATE
                             ? SNAPSHOT_INTERMEDIATE
                             : SNAPSHOT_CLOSED;
    json_decref(json);
}

struct intending {
    struct archiving *archiving;
    uint64_t job; /* the number of that which waits for it */
    char *key, *value;
};

static int put_intention(void *ctx, struct state *s, struct error *err)
{
    const struct intending *i = ctx;

    return state_set(s, i->key, i->value, err);
}

/* The job goes on only when it is on the disk. */
static void intention_put(void *ctx, struct act *act)
{
    struct intending *i = ctx;
    struct archiving *a = i->archiving;

    a->intending = false;
    if (a->job && a->jobs == i->job)
        job_run_send(a->job, act->status == ACT_DONE ? "{\"go\":true}" : "{\"go\":false}");
    free(i->key);
    free(i->value);
    free(i);
}

static void take_intention(struct archiving *a, const json_t *result)
{
    struct intending *i = xcalloc(1, sizeof *i);
    struct act *act = act_new(ACT_CALL);
    struct snapshot_result r;
    AUTO_STR struct str value = STR_INIT;

    str_addc(&value, '{');
    if (order_read_result(result, &r))
        order_write_as(&value, "intend", &r);
    json_num(&value, "purpose", a->first->purpose);
    str_addc(&value, '}');
    snapshot_result_clear(&r);
    i->archiving = a;
    i->job = a->jobs;
    i->key = intention_key(a->first->case_id);
    i->value = xstrdup(str_c(&value));
    act->call = put_intention;
    act->done = intention_put;
    act->ctx = i;
    a->intending = true;
    filer_submit(a->flow->filer, act);
}

/* ---- the end of one --------------------------------------------------------------------------- */

/* Tells who asked, and goes on with the next. */
static void finish(struct archiving *a, const char *err_text)
{
    struct archiving_item *it = a->first;
    struct snapshot_result none = {0}, result = a->result;
    AUTO_FREE char *path = a->case_path;

    a->first = it->next;
    if (!a->first)
        a->last = &a->first;
    /* done may queue the next already. */
    a->busy = false;
    a->case_path = NULL;
    a->result = none;
    if (*err_text)
        log_line(&a->flow->log, LOG_WARNING, "case not archived", "folder", path ? path : "",
                 "why", err_text, NULL);
    if (it->done)
        it->done(it->ctx, *err_text ? &none : &result, err_text);
    free(it);
    snapshot_result_clear(&result);
    start_next(a);
    if (a->flow->started)
        flow_sync_check(a->flow);
}

static void written(void *ctx)
{
    struct archiving *a = ctx;

    if (a->stopping || !a->flow->started || !a->result.healed) {
        finish(a, "");
        return;
    }
    /* What an earlier run made is known now; whether it still holds the case as it is, is asked. */
    a->busy = false;
    snapshot_result_clear(&a->result);
    start_next(a);
}

static void recorded(void *ctx, struct act *act)
{
    struct recording *r = ctx;
    struct archiving *a = r->archiving;
    struct flow *f = a->flow;

    a->recording = false;
    if (act->status != ACT_DONE) {
        finish(a, error_text(&act->error));
    } else {
        log_line(&f->log, LOG_NOTICE, "archived", "folder", a->case_path, "archive",
                 a->result.path, NULL);
        flow_touch(f, matters_by_id(f->matters, r->row.case_id));
        flow_touch(f, NULL);
        flow_unnotice(f, REASON_NOT_ARCHIVED, a->case_path);
        if (!nightly_running(f->nightly))
            flow_send_soon(f);
        if (f->stopping || !f->started)
            written(a);
        else
            flow_sync(f, written, a);
    }
    archive_row_clear(&r->row);
    free(r);
}

static int record(void *ctx, struct state *s, struct error *err)
{
    struct recording *r = ctx;
    AUTO_STR struct str body = STR_INIT;
    AUTO_FREE char *key = intention_key(r->row.case_id);

    if (state_archive_put(s, &r->row, err) < 0 || state_set(s, key, NULL, err) < 0)
        return -1;
    journal_body(&body, r->now_ns, "archived");
    archive_row_write(&body, &r->row);
    return state_outbox_add(s, r->row.case_id, str_c(&body), err);
}

static void record_it(struct archiving *a)
{
    struct recording *r = xcalloc(1, sizeof *r);
    struct act *act = act_new(ACT_CALL);
    enum snapshot_purpose purpose =
        a->result.healed ? a->earlier.purpose : a->first->purpose;

    r->archiving = a;
    r->now_ns = env_now(a->flow->env);
    r->row = (struct archive_row){.path = xstrdup(a->result.path),
                                  .digest = a->result.digest,
                                  .content = a->result.content,
                                  .intermediate = purpose == SNAPSHOT_INTERMEDIATE,
                                  .made_ns = r->now_ns,
                                  .verified_ns = r->now_ns,
                                  .size = a->result.size,
                                  .documents = a->result.documents};
    memcpy(r->row.case_id, a->first->case_id, sizeof r->row.case_id);
    act->call = record;
    act->done = recorded;
    act->ctx = r;
    a->recording = true;
    filer_submit(a->flow->filer, act);
}

/* ---- again ------------------------------------------------------------------------------------ */

static void on_again(uv_timer_t *t)
{
    struct archiving *a = t->data;

    a->busy = false;
    start_next(a);
}

/* What differs from its row is looked at: it may have been edited where no event tells. */
static bool try_again(struct archiving *a)
{
    struct flow *f = a->flow;
    const struct matter *m = matters_by_id(f->matters, a->first->case_id);
    unsigned most = a->result.outcome == SNAPSHOT_BUSY ? RETRIES : 1;
    int64_t ms = f->cab.config.settle_ms;

    if (a->stopping || a->first->tries >= most || !m)
        return false;
    a->first->tries++;
    flow_scan(f, m->facts.path);
    snapshot_result_clear(&a->result);
    ms = ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
    uv_update_time(f->loop);
    uv_timer_start(&a->timer, on_again, (uint64_t)ms + WAIT_MORE_MS, 0);
    return true;
}

/* ---- the job ---------------------------------------------------------------------------------- */

static void on_line(void *ctx, const json_t *line)
{
    struct archiving *a = ctx;
    const json_t *result = json_object_get(line, "result");
    const json_t *intended = json_object_get(line, "intend");

    if (intended) {
        take_intention(a, intended);
        return;
    }
    if (!result) {
        a->bytes = (uint64_t)json_get_num(line, "progress", 0);
        a->of = (uint64_t)json_get_num(line, "of", 0);
        return;
    }
    snapshot_result_clear(&a->result);
    a->answered = order_read_result(result, &a->result) &&
                  (a->result.outcome != SNAPSHOT_MADE || a->result.path);
}

/* The archive that holds the same already: its path, for who asked. */
static void tell_same(struct archiving *a)
{
    struct archive_row row;
    struct error err = ERROR_INIT;

    if (state_archive_last(a->flow->state, a->first->case_id, &row, &err) > 0) {
        free(a->result.path);
        a->result.path = xstrdup(row.path);
        a->result.digest = row.digest;
        a->result.size = row.size;
    }
    archive_row_clear(&row);
}

static void on_ended(void *ctx, const char *why)
{
    struct archiving *a = ctx;

    a->job = NULL;
    if (!a->answered) {
        finish(a, a->stopping ? "it was stopped" : *why ? why : "the job gave no answer");
        return;
    }
    switch (a->result.outcome) {
    case SNAPSHOT_MADE:
        record_it(a);
        return;
    case SNAPSHOT_SAME:
        tell_same(a);
        break;
    case SNAPSHOT_BUSY:
    case SNAPSHOT_DIFFERS:
        if (try_again(a))
            return;
        break;
    default:
        break;
    }
    finish(a, "");
}

static const struct job_events events = {.line = on_line, .ended = on_ended};

/* What the last archive of the case holds, when it is there and counts for this purpose. */
static struct digest last_content(struct flow *f, const struct archiving_item *it)
{
    struct digest content = {{0}};
    struct archive_row row;
    struct error err = ERROR_INIT;
    struct stat st;

    if (state_archive_last(f->state, it->case_id, &row, &err) > 0) {
        const char *slash = strrchr(row.path, '/'), *name = slash ? slash + 1 : row.path;
        AUTO_FREE char *folder = xmemdup0(row.path, slash ? (size_t)(slash - row.path) : 0);
        AUTO_CLOSE int dir = shelf_folder(f->cab.root, folder);

        if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && (uint64_t)st.st_size == row.size &&
            (it->purpose == SNAPSHOT_INTERMEDIATE || !row.intermediate))
            content = row.content;
    }
    archive_row_clear(&row);
    return content;
}

static void run_job(struct archiving *a, const struct matter *m)
{
    struct flow *f = a->flow;
    AUTO_STR struct str line = STR_INIT;
    struct error err = ERROR_INIT;
    char day[DATE_TEXT];
    struct snapshot_order o = {.state_dir = f->cab.state_dir,
                               .case_id = m->facts.id,
                               .case_path = m->facts.path,
                               .prefix = m->facts.prefix,
                               .folder = ARCHIVE_NAME,
                               .office = f->cab.config.office,
                               .format = f->cab.config.archive_format == ARCHIVE_TAR_ZST ? SNAPSHOT_TAR_ZST
                                                                                       : SNAPSHOT_ZIP,
                               .purpose = a->first->purpose,
                               .content = last_content(f, a->first)};
    struct order_place at = {.rules_dir = f->env->rules_dir,
                             .time_zone = f->cab.config.time_zone};

    read_intention(a, m->facts.id);
    if (a->earlier.there)
        o.intended = &a->earlier.result;
    flow_keep_today(f);
    o.date = date_text(f->policy.today, day);
    order_write(&line, &o, &at);
    a->answered = false;
    a->bytes = a->of = 0;
    a->jobs++;
    a->job = job_run_start(f->loop, "/proc/self/exe", f->cab.root, str_c(&line), &events, a, &err);
    if (!a->job)
        finish(a, error_text(&err));
}

/* Everything that was under way is recorded. */
static void synced(void *ctx)
{
    struct archiving *a = ctx;
    struct flow *f = a->flow;
    const struct matter *m = matters_by_id(f->matters, a->first->case_id);

    if (a->stopping || f->stopping || !f->started)
        finish(a, "it was stopped");
    else if (!m || !m->known || flow_leaves_alone(m))
        finish(a, "the case is not there");
    else {
        free(a->case_path);
        a->case_path = xstrdup(m->facts.path);
        run_job(a, m);
    }
}

static void start_next(struct archiving *a)
{
    if (!a->first || a->busy)
        return;
    a->busy = true;
    if (a->stopping)
        finish(a, "it was stopped");
    else
        flow_sync(a->flow, synced, a);
}

void flow_archive(struct flow *f, struct matter *m, enum snapshot_purpose purpose,
                  archiving_done *done, void *ctx)
{
    struct archiving *a = f->archiving;
    struct archiving_item *it = xcalloc(1, sizeof *it);

    snprintf(it->case_id, sizeof it->case_id, "%s", m->facts.id);
    it->purpose = purpose;
    it->done = done;
    it->ctx = ctx;
    *a->last = it;
    a->last = &it->next;
    start_next(a);
}

/* ---- stopping --------------------------------------------------------------------------------- */

static void on_kill(uv_timer_t *t)
{
    const struct archiving *a = t->data;

    if (a->job)
        job_run_kill(a->job);
}

void archiving_stop(struct archiving *a)
{
    if (!a || a->stopping)
        return;
    a->stopping = true;
    if (a->job) {
        job_run_stop(a->job);
        uv_timer_start(&a->timer, on_kill, STOP_TURNS * TURN_MS, 0);
    } else if (uv_is_active((uv_handle_t *)&a->timer)) {
        uv_timer_stop(&a->timer);
        finish(a, "it was stopped");
    }
}

static void on_timer_closed(uv_handle_t *h)
{
    struct archiving *a = h->data;

    snapshot_result_clear(&a->earlier.result);
    free(a);
}

void archiving_free(struct archiving *a)
{
    if (!a)
        return;
    archiving_stop(a);
    while (a->job || a->recording || a->intending)
        uv_run(a->flow->loop, UV_RUN_ONCE);
    while (a->first)
        finish(a, "it was stopped");
    a->flow->archiving = NULL;
    uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}

void archiving_status(const struct archiving *a, struct str *json)
{
    size_t waiting = 0;

    if (!a->first)
        return;
    for (const struct archiving_item *it = a->first->next; it; it = it->next)
        waiting++;
    json_key(json, "archiving");
    str_addc(json, '{');
    json_name(json, "case", a->case_path ? a->case_path : "");
    json_num(json, "bytes", (int64_t)a->bytes);
    json_num(json, "of", (int64_t)a->of);
    json_num(json, "waiting", (int64_t)waiting);
    str_addc(json, '}');
}
