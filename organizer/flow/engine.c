/* engine: opening, the pump, timers, stopping. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/shelf.h"
#include "base/alloc.h"
#include "base/io.h"
#include "flow/archiving.h"
#include "flow/closing.h"
#include "flow/finding.h"
#include "flow/gather.h"
#include "flow/night.h"
#include "flow/nightly.h"
#include "flow/internal.h"
#include "flow/since.h"
#include "flow/takeback.h"
#include "text/texts.h"

#define PUMP_SLICE_NS (4 * NS_PER_MS)

void flow_today(struct flow *f)
{
    f->policy = gather_policy(&f->cab.config, f->env);
    f->today_ns = env_now(f->env);
}

void flow_keep_today(struct flow *f)
{
    int64_t age = env_now(f->env) - f->today_ns;

    /* Dates are days: a second after midnight is soon enough. */
    if (age > NS_PER_S || age < 0)
        flow_today(f);
}

void flow_read_begin(struct flow *f)
{
    struct error err = ERROR_INIT;

    /* Without it each question is a picture of its own: slower, not wrong. */
    if (f->reading++ == 0)
        (void)state_begin_read(f->state, &err);
}

static void forget_folder(struct flow *f)
{
    if (!f->folder)
        return;
    close(f->folder_fd);
    free(f->folder);
    f->folder = NULL;
}

void flow_read_end(struct flow *f)
{
    if (--f->reading > 0)
        return;
    state_rollback(f->state);
    forget_folder(f);
    tally_clear(&f->asked);
}

int flow_parent(struct flow *f, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    struct stat st;
    int fd;

    *name = slash ? slash + 1 : path;
    if (f->folder && strncmp(f->folder, path, n) == 0 && f->folder[n] == '\0')
        return f->folder_fd;
    fd = beneath_parent(f->cab.root, path, name);
    if (fd < 0 || fstat(fd, &st) < 0) {
        cleanup_close(&fd);
        return -1;
    }
    forget_folder(f);
    f->folder_stat = st;
    f->folder = xmemdup0(path, n);
    f->folder_fd = fd;
    return fd;
}

static bool may_take(const struct flow *f)
{
    return f->items.ready_len > 0 && f->items.busy_len < FLOW_BUSY_MAX &&
           examiner_wants_more(f->examiner);
}

static void arm_due(struct flow *f);

bool flow_is_blind(struct flow *f)
{
    if (f->blind_until)
        return true;
    if (!f->state || state_failures(f->state) == f->failures)
        return false;
    f->blind_until = env_ticks() + FLOW_STOPPED_MS * NS_PER_MS;
    if (!f->stop_told)
        log_line(&f->log, LOG_ERROR, "filing stopped, trying again every 30 s", "error",
                 error_text(state_failure(f->state)), NULL);
    f->stop_told = true;
    /* Who only asked wakes nobody. */
    if (f->started)
        arm_due(f);
    return true;
}

/* What was not found, or passed over, while it could not be read: the sweep finds all of it, and
 * the backlog what nobody read. */
static void look_anew(struct flow *f)
{
    if (!flow_is_blind(f))
        return;
    f->blind_until = 0;
    f->failures = state_failures(f->state);
    backlog_missed(f->backlog);
    flow_scan(f, "");
}

static void resume(struct flow *f)
{
    if (!filer_stopped(f->filer))
        return;
    f->resumed = true;
    filer_resume(f->filer);
}

void flow_go_on(struct flow *f)
{
    resume(f);
    look_anew(f);
}

const char *flow_stopped(struct flow *f)
{
    const char *why = filer_stopped(f->filer);

    return why || !flow_is_blind(f) ? why : error_text(state_failure(f->state));
}

static bool doubts(void *ctx, struct error *why)
{
    struct flow *f = ctx;

    if (!flow_is_blind(f))
        return false;
    *why = *state_failure(f->state);
    return true;
}

static void on_due(uv_timer_t *t)
{
    struct flow *f = t->data;

    resume(f);
    if (f->blind_until && f->blind_until <= env_ticks())
        look_anew(f);
    items_due(&f->items, env_ticks());
    flow_wake(f);
}

static void arm_due(struct flow *f)
{
    int64_t due = items_next_due(&f->items), left;

    if (flow_is_blind(f) && f->blind_until < due)
        due = f->blind_until;
    left = due - env_ticks();
    if (due == INT64_MAX) {
        uv_timer_stop(&f->due);
        return;
    }
    uv_update_time(f->loop);
    uv_timer_start(&f->due, on_due, left > 0 ? (uint64_t)(left / NS_PER_MS + 1) : 0, 0);
}

static void on_pump(uv_idle_t *h)
{
    struct flow *f = h->data;
    int64_t end = env_ticks() + PUMP_SLICE_NS;

    flow_read_begin(f);
    while (may_take(f)) {
        flow_look(f, items_take(&f->items));
        if (env_ticks() > end)
            break;
    }
    flow_read_end(f);
    flow_wake(f);
}

bool flow_has_more_than(const struct flow *f, size_t n)
{
    return f->items.ready_len + f->items.busy_len > n + filer_pending(f->filer);
}

bool flow_is_crowded(const struct flow *f)
{
    return f->items.ready_len + f->items.busy_len > FLOW_CROWD;
}

void flow_wake(struct flow *f)
{
    if (!f->started)
        return;
    flow_find_rest(f);
    filer_expect(f->filer, flow_has_more_than(f, FLOW_CROWD));
    if (may_take(f))
        uv_idle_start(&f->pump, on_pump);
    else
        uv_idle_stop(&f->pump);
    arm_due(f);
    sweep_wake(f->sweep);
    backlog_wake(f->backlog);
    flow_sync_check(f);
}

void flow_finish(struct flow *f, struct item *it)
{
    closing_wanted_at(f, it->path);
    items_done(&f->items, it);
    flow_wake(f);
}

void flow_later(struct flow *f, struct item *it, int64_t ms)
{
    items_wait(&f->items, it, env_ticks() + ms * NS_PER_MS);
    flow_wake(f);
}

void flow_soon(struct flow *f, struct item *it, int64_t ms)
{
    it->soon = true;
    flow_later(f, it, ms);
}

bool flow_is_idle(const struct flow *f)
{
    return f->items.ready_len == 0 && f->items.busy_len == 0 && f->items.soon_len == 0 &&
           !sweep_running(f->sweep);
}

bool flow_is_settled(struct flow *f)
{
    return flow_is_idle(f) && !filer_busy(f->filer) && pages_clean(f->pages);
}

size_t flow_waiting(const struct flow *f)
{
    return f->items.heap_len;
}

/* ---- the night ------------------------------------------------------------------------------ */

static void on_night(void *ctx, bool set)
{
    struct flow *f = ctx;

    flow_today(f);
    nightly_tick(f, set);
}

static void arm_nightly(struct flow *f)
{
    struct error err = ERROR_INIT;

    night_free(f->night);
    f->night = NULL;
    if (f->watching)
        f->night = night_new(f->loop, f->cab.config.time_zone, f->cab.config.nightly_min,
                             env_shift(f->env), on_night, f, &err);
    if (f->watching && !f->night)
        log_line(&f->log, LOG_WARNING, "no nightly work", "error", error_text(&err), NULL);
}

/* ---- opening and closing ---------------------------------------------------------------------- */

/* 10,000 documents under way want descriptors: as many as the administrator allows. */
static void raise_limits(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* All known cases before any document: which case a name speaks of depends on all of them. */
static int look_at_case(void *ctx, const struct case_row *row)
{
    struct flow *f = ctx;
    struct matter_look look;
    struct error err = ERROR_INIT;

    if (!row->path || !*row->path)
        return 0;
    if (matters_look(f->matters, row->path, false, f->state, &look, &err) == 0)
        matter_look_clear(&look);
    else
        f->unseen_case = true;
    return 0;
}

/* What was recovered has pages that were not written: whose they are, nobody knows any more. */
static void make_up_for_pages(struct flow *f)
{
    if (!filer_unpublished(f->state))
        return;
    for (size_t i = 0; i < matters_len(f->matters); i++)
        flow_touch(f, matters_at(f->matters, i));
}

static void on_written(void *ctx, bool tampered)
{
    struct flow *f = ctx;

    if (!f->started)
        return;
    if (f->resumed && !filer_stopped(f->filer)) {
        f->resumed = false;
        make_up_for_pages(f);
    }
    if (tampered)
        flow_check_tampered(f);
    flow_sync_check(f);
}

static void on_recorded(void *ctx, const struct act *a)
{
    if (a->kind == ACT_RENAME || a->kind == ACT_RECORD)
        flow_find_row(ctx, &a->doc);
}

/* What readers answered together is judged from one picture of the private state. */
static void around_answers(void *ctx, bool begin)
{
    if (begin)
        flow_read_begin(ctx);
    else
        flow_read_end(ctx);
}

static int open_parts(struct flow *f, struct error *err)
{
    struct filer_options fo = {.root = f->cab.root,
                               .state_dir = f->cab.state_dir,
                               .env = f->env,
                               .durable = true,
                               .doubts = doubts,
                               .doubts_ctx = f,
                               .recorded = on_recorded,
                               .recorded_ctx = f,
                               .known = f->known,
                               .written = on_written,
                               .written_ctx = f};
    AUTO_FREE char *magic = xasprintf("%s/documents.magic", f->env->rules_dir);
    struct examiner_options xo = {.magic_file = magic,
                                  .exe = "/proc/self/exe",
                                  .digesters = 3,
                                  .classifiers = 2,
                                  .idle_ms = 5000,
                                  .stall_ms = 20000,
                                  .around = around_answers,
                                  .around_ctx = f};

    struct texts_options to = {.parsers = 2,
                               .idle_ms = 5000,
                               .stall_ms = 10000,
                               .around = around_answers,
                               .around_ctx = f};

    f->filer = filer_new(f->loop, &fo, err);
    if (!f->filer)
        return -1;
    f->state = state_open(f->cab.state_dir, false, err);
    if (!f->state)
        return -1;
    state_use_known(f->state, f->known);
    f->matters = matters_new(f->cab.root, f->rules, f->lang);
    matters_set_naming(f->matters, f->cab.config.naming);
    matters_set_date_order(f->matters, f->cab.config.date_order);
    if (state_each_case(f->state, look_at_case, f, err) < 0)
        return -1;
    f->examiner = examiner_new(f->loop, &xo, err);
    if (!f->examiner)
        return -1;
    f->hooks = hooks_new(f->loop, f->env->hooks_dir, f->cab.config.hook_limit,
                         f->cab.config.hook_ms, &f->log);
    f->texts = texts_new(f->loop, &to);
    f->backlog = backlog_new(f);
    f->takebacks = takebacks_new();
    f->scans = scans_new(f);
    f->sweep = sweep_new(f);
    f->pages = pages_new(f);
    f->integrity = integrity_new(f);
    hooks_set_slow(f->hooks, "archived", f->cab.config.upload_ms);
    hooks_look(f->hooks);
    f->closings = closings_new(f);
    f->nightly = nightly_new(f);
    f->archiving = archiving_new(f);
    flow_find_open(f);
    return 0;
}

static int lock(struct flow *f, struct error *err)
{
    int pid = 0;

    switch (cabinet_lock(&f->cab, &pid, err)) {
    case 0:
        if (f->cab.tree < 0)
            log_line(&f->log, LOG_NOTICE, "the file system of the cabinet has no locks", "so",
                     "only the private state keeps a second organizer out", NULL);
        return 0;
    case 1:
        return error_set(err, 0,
                         "another organizer (process %d) has %s open: ask it (organizer status), "
                         "or stop it first",
                         pid, f->cab.path);
    default:
        return -1;
    }
}

static int put_place(void *ctx, struct state *s, struct error *err)
{
    return state_set(s, SINCE_KEY, ctx, err);
}

static void place_put(void *ctx, struct act *a)
{
    (void)a; /* when it failed, the next start finds the place new once more */
    free(ctx);
}

/* A tree that was copied or restored: what is in it is not new. */
static void keep_place(struct flow *f)
{
    struct act *a;

    if (!f->new_place)
        return;
    log_line(&f->log, LOG_NOTICE, "the cabinet was copied or restored",
             "folders that came with it", "become cases by adopt, or by a card", NULL);
    a = act_new(ACT_CALL);
    a->call = put_place;
    a->done = place_put;
    a->ctx = f->new_place;
    f->new_place = NULL;
    filer_submit(f->filer, a);
}

/* From when on folders are new. That is asked once: what was decided without it would stand. */
static int find_place(struct flow *f, struct error *err)
{
    uint64_t before = state_failures(f->state);

    f->new_place = since_of_folders(&f->cab, f->state, f->env);
    if (state_failures(f->state) == before)
        return 0;
    *err = *state_failure(f->state);
    return -1;
}

struct flow *flow_open(uv_loop_t *loop, const struct flow_options *o, struct error *err)
{
    struct flow *f = xcalloc(1, sizeof *f);

    f->loop = loop;
    f->env = o->env;
    f->log = o->log;
    f->watching = o->watch;
    f->plain_lines = o->plain_lines;
    f->known = known_new();
    f->cab.root = f->cab.lock = f->cab.tree = -1;
    /* File systems tell the time in ticks of up to 10 ms; reading the rules takes longer. */
    f->began_ns = env_disk_now(f->env);
    items_init(&f->items);
    uv_idle_init(loop, &f->pump);
    uv_timer_init(loop, &f->due);
    uv_timer_init(loop, &f->gone);
    f->pump.data = f->due.data = f->gone.data = f;
    raise_limits();
    if (cabinet_open(&f->cab, o->path, o->env, err) < 0 || lock(f, err) < 0 ||
        gather_rules(f->cab.root, f->env, &f->rules, &f->lang, err) < 0 || open_parts(f, err) < 0) {
        flow_close(f);
        return NULL;
    }
    flow_today(f);
    if (find_place(f, err) < 0) {
        flow_close(f);
        return NULL;
    }
    return f;
}

static void on_watch_hint(void *ctx, enum hint hint, const char *path, bool closed)
{
    struct flow *f = ctx;

    (void)closed;
    f->from_outside = true;
    for (size_t i = 0; i < FLOW_BESIDES; i++)
        beside_heard(&f->beside[i], path, hint != HINT_LOOK);
    if (hint != HINT_LOOK) {
        /* One that was there before `init` becomes no case because it is scanned again. */
        flow_folder(f, path, hint == HINT_SCAN);
        flow_folder_in_inbox(f, path);
        flow_scan(f, path);
    } else {
        flow_hint(f, path, false);
    }
    f->from_outside = false;
}

static bool on_watch_skip(void *ctx, const char *path, const char *name)
{
    struct flow *f = ctx;

    (void)path;
    return decide_is_ignored(f->rules, name, true, NULL);
}

static bool on_watch_known(void *ctx, const char *path, bool came, uint32_t cookie)
{
    struct flow *f = ctx;

    return filer_echo(f->filer, path, came, cookie);
}

static void on_watch_lost(void *ctx)
{
    struct flow *f = ctx;

    filer_echoes_lost(f->filer);
    for (size_t i = 0; i < FLOW_BESIDES; i++)
        beside_forget(&f->beside[i]);
}

/* All is written, so that the next start need not look. */
static void end_well(struct flow *f)
{
    struct error err = ERROR_INIT;

    if (!f->pages || !pages_clean(f->pages) || pages_errors(f->pages) > 0 || f->unseen_case)
        return;
    if (filer_published(f->state, &err) < 0)
        log_line(&f->log, LOG_DETAIL, "all pages are looked at again with the next start", "why",
                 error_text(&err), NULL);
}

int flow_start(struct flow *f, struct error *err)
{
    struct watcher_options wo = {.root = f->cab.root,
                                 .root_path = f->cab.path,
                                 .sweep_ms = (uint64_t)f->cab.config.sweep_ms};
    struct watcher_events we = {.hint = on_watch_hint,
                                .skip = on_watch_skip,
                                .known = on_watch_known,
                                .lost = on_watch_lost,
                                .ctx = f};

    f->started = true;
    keep_place(f);
    shelf_tidy(f->cab.root, ARCHIVE_NAME);
    make_up_for_pages(f);
    if (f->watching) {
        f->watcher = watcher_new(f->loop, &wo, &we, err);
        if (!f->watcher)
            return -1;
        arm_nightly(f);
    }
    flow_scan(f, "");
    if (f->watching)
        nightly_catch_up(f);
    return 0;
}

/* What a page job that still runs was given. */
struct retired {
    struct config config;
    struct rules *rules;
    struct lang *lang;
    struct retired *next;
};

static void free_retired(struct flow *f)
{
    while (f->retired) {
        struct retired *old = f->retired;

        f->retired = old->next;
        config_clear(&old->config);
        rules_free(old->rules);
        lang_free(old->lang);
        free(old);
    }
}

/* Make room for new ones; while pages are being made of them they live on. */
static void retire(struct flow *f)
{
    struct retired *old = xcalloc(1, sizeof *old);

    *old = (struct retired){f->cab.config, f->rules, f->lang, f->retired};
    f->retired = old;
}

/* Whoever may write the share's root can move .organizer away: that is no new configuration. */
static int still_configured(struct flow *f, struct error *err)
{
    AUTO_CLOSE int config = config_open_trusted(f->cab.root, CABINET_CONFIG, err);
    AUTO_CLOSE int id = config < 0 ? -1 : config_open_trusted(f->cab.root, CABINET_ID, err);
    AUTO_STR struct str text = STR_INIT;

    if (id < 0)
        return -1;
    if (io_read_all(id, &text, 4096) < 0 || strncmp(str_c(&text), f->cab.id, 32) != 0)
        return error_set(err, 0, CABINET_ID " is not this cabinet's any more");
    return 0;
}

int flow_reload(struct flow *f, struct str *text)
{
    struct rules *rules;
    struct lang *lang;
    struct error err = ERROR_INIT;
    struct config c;

    config_init(&c);
    if (still_configured(f, &err) < 0 || config_read(&c, f->cab.root, &err) < 0 ||
        gather_rules(f->cab.root, f->env, &rules, &lang, &err) < 0) {
        str_addf(text, "%s\n", error_text(&err));
        config_clear(&c);
        return -1;
    }
    retire(f);
    f->cab.config = c;
    matters_set_rules(f->matters, rules, lang);
    matters_set_naming(f->matters, f->cab.config.naming);
    matters_set_date_order(f->matters, f->cab.config.date_order);
    f->rules = rules;
    f->lang = lang;
    if (!pages_running(f->pages) && !flow_is_finding(f))
        free_retired(f);
    hooks_reload(f->hooks);
    scans_reload(f->scans);
    hooks_set_limits(f->hooks, f->cab.config.hook_limit, f->cab.config.hook_ms);
    hooks_set_slow(f->hooks, "archived", f->cab.config.upload_ms);
    hooks_look(f->hooks);
    flow_today(f);
    arm_nightly(f);
    flow_scan(f, "");
    return 0;
}

void flow_stop(struct flow *f, flow_done *done, void *ctx)
{
    f->stopping = true;
    f->stop_done = done;
    f->stop_ctx = ctx;
    nightly_stop(f->nightly);
    hooks_stop_slow(f->hooks);
    archiving_stop(f->archiving);
    flow_sync_check(f);
}

static void close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void flow_close(struct flow *f)
{
    struct flow_notice *n, *tmp;
    bool ran;

    if (!f)
        return;
    ran = f->started;
    f->started = false;
    nightly_stop(f->nightly);
    archiving_free(f->archiving);
    flow_end_waiters(f);
    if (f->sweep)
        sweep_free(f->sweep);
    watcher_free(f->watcher);
    f->watcher = NULL; /* the loop goes on until the others are done */
    integrity_free(f->integrity);
    closings_free(f->closings);
    nightly_free(f->nightly);
    f->nightly = NULL;
    if (f->examiner)
        examiner_free(f->examiner);
    texts_free(f->texts);
    scans_free(f->scans);
    if (f->filer)
        filer_free(f->filer, false);
    backlog_free(f->backlog);
    takebacks_free(f);
    if (f->hooks)
        hooks_free(f->hooks);
    if (ran)
        end_well(f);
    if (f->pages)
        pages_free(f->pages);
    flow_find_close(f);
    items_clear(&f->items);
    tally_clear(&f->flying);
    fights_clear(f);
    HASH_ITER(hh, f->notices, n, tmp)
    {
        HASH_DEL(f->notices, n);
        notice_clear(&n->n);
        free(n->key);
        free(n);
    }
    free(f->new_place);
    matters_free(f->matters);
    state_close(f->state);
    known_free(f->known);
    free_retired(f);
    rules_free(f->rules);
    lang_free(f->lang);
    cabinet_close(&f->cab);
    close_handle((uv_handle_t *)&f->pump);
    close_handle((uv_handle_t *)&f->due);
    close_handle((uv_handle_t *)&f->gone);
    night_free(f->night);
    /* The handles live in f: the loop must let go of them first. */
    uv_run(f->loop, UV_RUN_NOWAIT);
    free(f);
}
