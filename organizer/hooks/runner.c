#include "hooks/runner.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "base/table.h"
#include "base/utf8.h"
#include "hooks/folder.h"
#include "hooks/process.h"

#define DEFAULT_LIMIT 4
#define DEFAULT_MS    60000
#define REASON_MAX    400 /* bytes of a veto's reason that people are shown */

/* The hooks of one event, read once. */
struct event {
    char *name;
    struct hook_folder folder;
    UT_hash_handle hh;
};

/* One hooks_run(): its event's hooks, one after another. */
struct run {
    struct hooks *h;
    char *event, *json;
    int document;
    int output;       /* the caller's, or -1 */
    bool no_document; /* there is one, but it could not be duplicated */
    bool decides;     /* before-filing: someone waits for the answer */
    bool slow;        /* of the event that may take long */
    int64_t ms;       /* time limit of each hook */
    hook_done *done;
    void *ctx;
    char **paths;
    size_t len, at;
    struct hook_process *process;
    int64_t started_ns;
    char *failure; /* what the first hook that failed said */
    struct run *next, *prev;
    bool is_last; /* no hook comes after the one that runs: it was stopped */
};

struct queue {
    struct run *first, *last;
};

struct hooks {
    uv_loop_t *loop;
    char *dir;
    unsigned limit, running, telling; /* telling: running ones that decide nothing */
    int64_t ms;
    const struct log *log;
    struct event *events;
    struct queue deciding, notices, slow; /* waiting */
    char *slow_event;                     /* NULL: none */
    int64_t slow_ms;
    bool slow_runs;
    struct run *active;
    unsigned pending;
    uint64_t ran, failed, vetoed;
    bool closing;
};

struct hooks *hooks_new(uv_loop_t *loop, const char *dir, unsigned limit, int64_t ms,
                        const struct log *log)
{
    struct hooks *h = xcalloc(1, sizeof *h);

    h->loop = loop;
    h->dir = xstrdup(dir);
    h->log = log;
    hooks_set_limits(h, limit, ms);
    return h;
}

void hooks_set_limits(struct hooks *h, unsigned limit, int64_t ms)
{
    h->limit = limit ? limit : DEFAULT_LIMIT;
    h->ms = ms > 0 ? ms : DEFAULT_MS;
}

void hooks_set_slow(struct hooks *h, const char *event, int64_t ms)
{
    free(h->slow_event);
    h->slow_event = xstrdup(event);
    h->slow_ms = ms > 0 ? ms : DEFAULT_MS;
}

static struct event *event_of(struct hooks *h, const char *name)
{
    struct event *e;

    HASH_FIND_STR(h->events, name, e);
    if (e && !e->folder.error)
        return e;
    if (e) {
        hook_folder_clear(&e->folder);
    } else {
        e = xcalloc(1, sizeof *e);
        e->name = xstrdup(name);
        HASH_ADD_KEYPTR(hh, h->events, e->name, strlen(e->name), e);
    }
    hook_folder_read(&e->folder, h->dir, name, h->log);
    return e;
}

bool hooks_any(struct hooks *h, const char *event)
{
    const struct hook_folder *folder = &event_of(h, event)->folder;

    return folder->len > 0 || folder->error;
}

bool hooks_are_known(struct hooks *h, const char *event)
{
    return !event_of(h, event)->folder.error;
}

/* All that there are. Scans have a runner of their own, which reads theirs. */
static const char *const known[] = {"before-filing", "filed",     "needs-attention", "case-opened",
                                    "case-closed",   "integrity", "archived",        "nightly"};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return strcmp(name, "text") == 0;
}

void hooks_look(struct hooks *h)
{
    DIR *d = opendir(h->dir);
    struct dirent *e;

    while (d && io_next(d, &e) > 0) {
        AUTO_FREE char *path = xasprintf("%s/%s", h->dir, e->d_name);
        struct stat st;

        if (*e->d_name != '.' && !is_known(e->d_name) && stat(path, &st) == 0 &&
            S_ISDIR(st.st_mode))
            log_line(h->log, LOG_WARNING, "hooks refused", "folder", path, "why",
                     "there is no such event: man organizer, HOOKS", NULL);
    }
    if (d)
        closedir(d);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        event_of(h, known[i]);
}

void hooks_reload(struct hooks *h)
{
    struct event *e, *tmp;

    HASH_ITER(hh, h->events, e, tmp)
    {
        HASH_DEL(h->events, e);
        hook_folder_clear(&e->folder);
        free(e->name);
        free(e);
    }
}

/* ---- one run ----------------------------------------------------------------------------------
 */

static void start_waiting(struct hooks *h);
static void start_hook(struct run *r);

static void run_free(struct run *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->paths[i]);
    free(r->paths);
    free(r->event);
    free(r->json);
    free(r->failure);
    if (r->document >= 0)
        close(r->document);
    free(r);
}

static void answer(struct run *r, enum hook_answer said, const char *text)
{
    r->h->pending--;
    if (r->done)
        r->done(r->ctx, said, text);
    run_free(r);
}

static void run_end(struct run *r, enum hook_answer said, const char *text)
{
    struct hooks *h = r->h;

    if (r->slow) {
        h->slow_runs = false;
    } else {
        h->running--;
        h->telling -= !r->decides;
    }
    if (r->prev)
        r->prev->next = r->next;
    else
        h->active = r->next;
    if (r->next)
        r->next->prev = r->prev;
    answer(r, said, text);
    if (!h->closing)
        start_waiting(h);
}

/* A veto's reason stands in pages and lists: one line, nothing that could pass for something else.
 */
static void reason_line(struct str *to, const struct str *from)
{
    const char *p = str_c(from), *end = p + from->len;

    while (p < end) {
        const char *at = p;
        int32_t c = utf8_next(&p, end);

        if (c == ' ' || (c >= 0 && c < 0x20) || (c >= 0x7f && c <= 0xa0)) {
            if (to->len && to->s[to->len - 1] != ' ')
                str_addc(to, ' ');
        } else if (c < 0 || utf8_deceptive(at, (size_t)(p - at))) {
            utf8_put(to, 0xfffd);
        } else {
            utf8_put(to, c);
        }
    }
    str_cut(to, utf8_cut(str_c(to), to->len, REASON_MAX));
}

static void describe(const struct run *r, const struct hook_result *x, char *to, size_t size)
{
    if (!x->started)
        snprintf(to, size, "not started");
    else if (x->timed_out)
        snprintf(to, size, "stopped after %lld ms", (long long)r->ms);
    else if (x->signal)
        snprintf(to, size, "killed by signal %d", x->signal);
    else
        snprintf(to, size, "%lld", (long long)x->status);
}

static void log_ended(const struct run *r, const struct hook_result *x, const char *status,
                      enum log_level level)
{
    char ms[32];

    snprintf(ms, sizeof ms, "%lld", (long long)((env_ticks() - r->started_ns) / NS_PER_MS));
    log_line(r->h->log, level, "hook ended", "hook", r->paths[r->at], "event", r->event, "status",
             status, "ms", ms, "output", str_c(&x->out), "errors", str_c(&x->err), NULL);
}

static void go_on(struct run *r)
{
    if (++r->at < r->len && !r->is_last && !r->h->closing)
        start_hook(r);
    else
        run_end(r, r->failure ? HOOK_FAILED : HOOK_OK, r->failure ? r->failure : "");
}

/* The hook and all its handles are gone: what did it say? */
static void hook_ended(void *ctx, const struct hook_result *x)
{
    struct run *r = ctx;
    bool ok = x->started && x->status == 0 && x->signal == 0;
    bool veto = r->decides && x->started && x->status == 1 && x->signal == 0 && x->out.len;
    AUTO_STR struct str reason = STR_INIT;
    char status[64];

    r->process = NULL;
    describe(r, x, status, sizeof status);
    r->h->ran++;
    log_ended(r, x, status,
              veto                       ? LOG_NOTICE
              : !ok                      ? LOG_WARNING
              : x->out.len || x->err.len ? LOG_NOTICE
                                         : LOG_DETAIL);
    if (veto) {
        r->h->vetoed++;
        reason_line(&reason, &x->out);
        run_end(r, HOOK_VETO, str_c(&reason));
        return;
    }
    if (!ok) {
        r->h->failed++;
        if (!r->failure)
            r->failure = xasprintf("%s: %s%s%s", r->paths[r->at], status, x->started ? "" : ", ",
                                   x->started ? "" : str_c(&x->out));
        if (r->decides)
            r->at = r->len;
    }
    go_on(r);
}

static void start_hook(struct run *r)
{
    AUTO_STR struct str why = STR_INIT;
    struct hook_order o = {.path = r->paths[r->at],
                           .event = r->event,
                           .json = r->json,
                           .document = r->document,
                           .output = r->output,
                           .ms = r->ms};

    /* Seen when the folder was read; but that may be months ago. */
    if (!hook_trusted(o.path, &why))
        o.refused = str_c(&why);
    else if (r->no_document)
        o.refused = "too many files are open";
    r->started_ns = env_ticks();
    r->process = hook_process_start(r->h->loop, &o, hook_ended, r);
}

static struct run *pop(struct queue *q)
{
    struct run *r = q->first;

    q->first = r->next;
    if (!q->first)
        q->last = NULL;
    r->next = NULL;
    return r;
}

static void push(struct queue *q, struct run *r)
{
    if (q->last)
        q->last->next = r;
    else
        q->first = r;
    q->last = r;
}

/* Whose turn it is; NULL when no place is free. */
static struct run *next_run(struct hooks *h)
{
    unsigned for_notices = h->limit > 1 ? h->limit - 1 : 1;

    if (h->slow.first && !h->slow_runs)
        return pop(&h->slow);
    if (h->running >= h->limit)
        return NULL;
    if (h->deciding.first)
        return pop(&h->deciding);
    return h->notices.first && h->telling < for_notices ? pop(&h->notices) : NULL;
}

static void start_waiting(struct hooks *h)
{
    struct run *r;

    while ((r = next_run(h))) {
        r->next = h->active;
        if (h->active)
            h->active->prev = r;
        h->active = r;
        if (r->slow) {
            h->slow_runs = true;
        } else {
            h->running++;
            h->telling += !r->decides;
        }
        r->ms = r->slow ? h->slow_ms : h->ms;
        start_hook(r);
    }
}

static struct run *run_new(struct hooks *h, const char *event, const char *json, int document)
{
    const struct hook_folder *folder = &event_of(h, event)->folder;
    struct run *r = xcalloc(1, sizeof *r);

    r->h = h;
    r->event = xstrdup(event);
    r->json = xstrdup(json);
    r->output = -1;
    r->document = document >= 0 ? fcntl(document, F_DUPFD_CLOEXEC, 4) : -1;
    r->no_document = document >= 0 && r->document < 0;
    r->decides = strcmp(event, "before-filing") == 0;
    r->slow = h->slow_event && strcmp(event, h->slow_event) == 0;
    r->len = folder->len;
    r->paths = xcalloc(r->len, sizeof *r->paths);
    for (size_t i = 0; i < r->len; i++)
        r->paths[i] = xstrdup(folder->paths[i]);
    return r;
}

void hooks_run(struct hooks *h, const char *event, const char *json, int document, hook_done *done,
               void *ctx)
{
    hooks_run_output(h, event, json, document, -1, done, ctx);
}

void hooks_run_output(struct hooks *h, const char *event, const char *json, int document, int output,
                      hook_done *done, void *ctx)
{
    const struct hook_folder *folder = &event_of(h, event)->folder;
    struct run *r;

    if (folder->error || folder->len == 0) {
        if (done)
            done(ctx, folder->error ? HOOK_FAILED : HOOK_NONE,
                 folder->error ? "the folder of the hooks cannot be read" : "");
        return;
    }
    r = run_new(h, event, json, document);
    r->done = done;
    r->ctx = ctx;
    r->output = output;
    h->pending++;
    push(r->slow ? &h->slow : r->decides ? &h->deciding : &h->notices, r);
    start_waiting(h);
}

unsigned hooks_pending(const struct hooks *h)
{
    return h->pending;
}

void hooks_status(struct hooks *h, struct str *out)
{
    struct event *e, *tmp;
    int64_t refused = 0;

    HASH_ITER(hh, h->events, e, tmp)
    {
        refused += e->folder.refused;
    }
    json_num(out, "running", h->running);
    json_num(out, "pending", h->pending);
    json_num(out, "ran", (int64_t)h->ran);
    json_num(out, "failed", (int64_t)h->failed);
    json_num(out, "vetoed", (int64_t)h->vetoed);
    json_num(out, "refused", refused);
}

static void drop_waiting(struct queue *q)
{
    while (q->first)
        answer(pop(q), HOOK_FAILED, "the organizer stops");
}

void hooks_stop_slow(struct hooks *h)
{
    drop_waiting(&h->slow);
    for (struct run *r = h->active; r; r = r->next)
        if (r->slow && r->process) {
            r->is_last = true;
            hook_process_kill(r->process);
        }
}

void hooks_free(struct hooks *h)
{
    if (!h)
        return;
    h->closing = true;
    drop_waiting(&h->deciding);
    drop_waiting(&h->notices);
    drop_waiting(&h->slow);
    for (struct run *r = h->active; r; r = r->next)
        hook_process_kill(r->process);
    while (h->active)
        uv_run(h->loop, UV_RUN_ONCE);
    hooks_reload(h);
    free(h->slow_event);
    free(h->dir);
    free(h);
}
