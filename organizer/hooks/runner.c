#include "hooks/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "hooks/folder.h"

#define OUTPUT_MAX 4096

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
    hook_done *done;
    void *ctx;
    char **paths;
    size_t len, at;
    /* the hook that runs now */
    uv_process_t process;
    uv_pipe_t in, out;
    uv_timer_t timer;
    uv_write_t write;
    struct str output;
    int open_handles;
    int64_t status;
    int signal;
    bool timed_out, exited;
    struct run *next, *prev;
};

struct hooks {
    uv_loop_t *loop;
    char *dir;
    unsigned limit, running;
    int64_t ms;
    const struct log *log;
    struct event *events;
    struct run *waiting, *waiting_last;
    struct run *active; /* list by next/prev */
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
    h->limit = limit ? limit : 4;
    h->ms = ms > 0 ? ms : 60000;
    h->log = log;
    return h;
}

static struct event *event_of(struct hooks *h, const char *name)
{
    struct event *e;

    HASH_FIND_STR(h->events, name, e);
    if (e)
        return e;
    e = xcalloc(1, sizeof *e);
    e->name = xstrdup(name);
    hook_folder_read(&e->folder, h->dir, name, h->log);
    HASH_ADD_KEYPTR(hh, h->events, e->name, strlen(e->name), e);
    return e;
}

bool hooks_any(struct hooks *h, const char *event)
{
    return event_of(h, event)->folder.len > 0;
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

/* ---- one run ------------------------------------------------------------------------------------- */

static void start_waiting(struct hooks *h);
static void start_hook(struct run *r);

static void run_free(struct run *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->paths[i]);
    free(r->paths);
    free(r->event);
    free(r->json);
    str_clear(&r->output);
    if (r->document >= 0)
        close(r->document);
    free(r);
}

static void run_end(struct run *r, enum hook_answer answer, const char *text)
{
    struct hooks *h = r->h;

    h->pending--;
    h->running--;
    if (r->prev)
        r->prev->next = r->next;
    else
        h->active = r->next;
    if (r->next)
        r->next->prev = r->prev;
    if (r->done && !h->closing)
        r->done(r->ctx, answer, text);
    run_free(r);
    if (!h->closing)
        start_waiting(h);
}

static void trim(struct str *s)
{
    while (s->len && (s->s[s->len - 1] == '\n' || s->s[s->len - 1] == ' '))
        str_cut(s, s->len - 1);
}

/* The hook and all its handles are gone: what did it say? */
static void hook_ended(struct run *r)
{
    const char *path = r->paths[r->at];
    char status[64];

    trim(&r->output);
    if (r->timed_out)
        snprintf(status, sizeof status, "stopped after %lld ms", (long long)r->h->ms);
    else if (r->signal)
        snprintf(status, sizeof status, "killed by signal %d", r->signal);
    else
        snprintf(status, sizeof status, "%lld", (long long)r->status);
    r->h->ran++;
    log_line(r->h->log, r->status || r->signal ? LOG_WARNING : LOG_DETAIL, "hook ended", "hook",
             path, "event", r->event, "status", status, "output", str_c(&r->output), NULL);
    if (r->status == 1 && !r->signal && strcmp(r->event, "before-filing") == 0) {
        r->h->vetoed++;
        run_end(r, HOOK_VETO, r->output.len ? str_c(&r->output) : "it gave no reason");
    } else if (r->status || r->signal) {
        AUTO_FREE char *text = xasprintf("%s: %s", path, status);

        r->h->failed++;
        run_end(r, HOOK_FAILED, text);
    } else if (++r->at < r->len && !r->h->closing) {
        start_hook(r);
    } else {
        run_end(r, HOOK_OK, "");
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct run *r = handle->data;

    if (--r->open_handles == 0)
        hook_ended(r);
}

static void close_one(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct run *r)
{
    close_one((uv_handle_t *)&r->process);
    close_one((uv_handle_t *)&r->in);
    close_one((uv_handle_t *)&r->out);
    close_one((uv_handle_t *)&r->timer);
}

static void kill_group(struct run *r)
{
    if (r->process.pid > 0 && !r->exited)
        kill(-r->process.pid, SIGKILL);
}

static void on_exit_hook(uv_process_t *p, int64_t status, int sig)
{
    struct run *r = p->data;

    r->exited = true;
    r->status = status;
    r->signal = sig;
    /* What it left behind in its group ends with it. */
    kill(-p->pid, SIGKILL);
    close_all(r);
}

static void on_timeout(uv_timer_t *t)
{
    struct run *r = t->data;

    r->timed_out = true;
    r->signal = SIGKILL;
    kill_group(r);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    (void)h;
    (void)size;
    *buf = uv_buf_init(xmalloc(4096), 4096);
}

static void on_output(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct run *r = s->data;

    if (n > 0 && r->output.len < OUTPUT_MAX) {
        size_t room = OUTPUT_MAX - r->output.len;

        str_addn(&r->output, buf->base, (size_t)n < room ? (size_t)n : room);
    }
    free(buf->base);
    if (n < 0)
        close_one((uv_handle_t *)s);
}

static void on_written(uv_write_t *w, int status)
{
    struct run *r = w->data;

    (void)status;
    close_one((uv_handle_t *)&r->in);
}

static char **clean_environment(const struct run *r)
{
    char **env = xcalloc(6, sizeof *env);

    env[0] = xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    env[1] = xstrdup("HOME=/");
    env[2] = xstrdup("LANG=C.UTF-8");
    env[3] = xasprintf("ORGANIZER_EVENT=%s", r->event);
    return env;
}

static void free_list(char **list)
{
    for (size_t i = 0; list[i]; i++)
        free(list[i]);
    free(list);
}

static void start_hook(struct run *r)
{
    char *argv[] = {r->paths[r->at], NULL};
    char **env = clean_environment(r);
    uv_stdio_container_t io[4] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&r->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&r->out},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = r->document >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = r->document},
    };
    uv_process_options_t o = {.exit_cb = on_exit_hook,
                              .file = r->paths[r->at],
                              .args = argv,
                              .env = env,
                              .cwd = "/",
                              .flags = UV_PROCESS_DETACHED,
                              .stdio_count = 4,
                              .stdio = io};
    uv_buf_t buf = uv_buf_init(r->json, (unsigned)strlen(r->json));
    int rc;

    str_reset(&r->output);
    r->status = 0;
    r->signal = 0;
    r->timed_out = r->exited = false;
    uv_pipe_init(r->h->loop, &r->in, 0);
    uv_pipe_init(r->h->loop, &r->out, 0);
    uv_timer_init(r->h->loop, &r->timer);
    r->process.data = r->in.data = r->out.data = r->timer.data = r->write.data = r;
    r->open_handles = 4;
    rc = uv_spawn(r->h->loop, &r->process, &o);
    free_list(env);
    if (rc < 0) {
        str_addf(&r->output, "cannot be started: %s", uv_strerror(rc));
        r->exited = true;
        r->status = 127;
        close_all(r);
        return;
    }
    uv_timer_start(&r->timer, on_timeout, (uint64_t)r->h->ms, 0);
    uv_read_start((uv_stream_t *)&r->out, on_alloc, on_output);
    uv_write(&r->write, (uv_stream_t *)&r->in, &buf, 1, on_written);
}

static void start_waiting(struct hooks *h)
{
    while (h->waiting && h->running < h->limit) {
        struct run *r = h->waiting;

        h->waiting = r->next;
        if (!h->waiting)
            h->waiting_last = NULL;
        r->prev = NULL;
        r->next = h->active;
        if (h->active)
            h->active->prev = r;
        h->active = r;
        h->running++;
        start_hook(r);
    }
}

void hooks_run(struct hooks *h, const char *event, const char *json, int document,
               hook_done *done, void *ctx)
{
    const struct hook_folder *folder = &event_of(h, event)->folder;
    struct run *r;

    if (folder->len == 0) {
        if (done)
            done(ctx, HOOK_NONE, "");
        return;
    }
    r = xcalloc(1, sizeof *r);
    r->h = h;
    r->event = xstrdup(event);
    r->json = xasprintf("%s\n", json);
    r->document = document >= 0 ? fcntl(document, F_DUPFD_CLOEXEC, 4) : -1;
    r->done = done;
    r->ctx = ctx;
    r->len = folder->len;
    r->paths = xcalloc(r->len, sizeof *r->paths);
    for (size_t i = 0; i < r->len; i++)
        r->paths[i] = xstrdup(folder->paths[i]);
    h->pending++;
    if (h->waiting_last)
        h->waiting_last->next = r;
    else
        h->waiting = r;
    h->waiting_last = r;
    start_waiting(h);
}

unsigned hooks_pending(const struct hooks *h)
{
    return h->pending;
}

void hooks_status(struct hooks *h, struct str *out)
{
    json_num(out, "pending", h->pending);
    json_num(out, "ran", (int64_t)h->ran);
    json_num(out, "failed", (int64_t)h->failed);
    json_num(out, "vetoed", (int64_t)h->vetoed);
}

void hooks_free(struct hooks *h)
{
    if (!h)
        return;
    h->closing = true;
    while (h->waiting) {
        struct run *r = h->waiting;

        h->waiting = r->next;
        h->pending--;
        run_free(r);
    }
    for (struct run *r = h->active; r; r = r->next)
        kill_group(r);
    while (h->active)
        uv_run(h->loop, UV_RUN_ONCE);
    hooks_reload(h);
    free(h->dir);
    free(h);
}
