#include "flow/job_run.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "archive/job.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

struct job_run {
    uv_process_t process;
    uv_pipe_t pipe;
    const struct job_events *events;
    void *ctx;
    struct str in;
    int open_handles;
    bool running, ended;
    char why[120];
};

static void on_closed(uv_handle_t *h)
{
    struct job_run *j = h->data;

    if (--j->open_handles > 0)
        return;
    j->events->ended(j->ctx, j->why);
    str_clear(&j->in);
    free(j);
}

/* The process is gone and all that it sent was read. */
static void close_all(struct job_run *j)
{
    if (j->running || !j->ended)
        return;
    uv_close((uv_handle_t *)&j->process, on_closed);
    uv_close((uv_handle_t *)&j->pipe, on_closed);
}

static void on_exit_job(uv_process_t *process, int64_t status, int sig)
{
    struct job_run *j = process->data;

    j->running = false;
    if (sig && !*j->why)
        snprintf(j->why, sizeof j->why, "the process was ended by signal %d", sig);
    else if (status && !*j->why)
        snprintf(j->why, sizeof j->why, "the process ended with status %d", (int)status);
    close_all(j);
}

/* The pipe does no more. A job that closed its end of it ends by itself, and says how; any other
 * would wait for us as we for it: it is to give up, and to put away what it began. */
static void on_failed(struct job_run *j, int rc)
{
    uv_os_fd_t fd;

    if (!j->running || rc == UV_EOF || rc == UV_EPIPE || rc == UV_ECONNRESET || rc == UV_ECANCELED)
        return;
    if (!*j->why)
        snprintf(j->why, sizeof j->why, "its pipe failed (%s)", uv_strerror(rc));
    job_run_stop(j);
    if (uv_fileno((uv_handle_t *)&j->pipe, &fd) == 0)
        shutdown(fd, SHUT_RDWR);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    (void)h, (void)size;
    *buf = uv_buf_init(xmalloc(16384), 16384);
}

static void take_lines(struct job_run *j)
{
    size_t from = 0;
    const char *nl;

    while ((nl = memchr(j->in.s + from, '\n', j->in.len - from))) {
        size_t n = (size_t)(nl - (j->in.s + from));
        json_t *line = json_loadb(j->in.s + from, n, 0, NULL);

        from += n + 1;
        if (line)
            j->events->line(j->ctx, line);
        json_decref(line);
    }
    memmove(j->in.s, j->in.s + from, j->in.len - from);
    str_cut(&j->in, j->in.len - from);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct job_run *j = s->data;

    if (n > 0) {
        str_addn(&j->in, buf->base, (size_t)n);
        take_lines(j);
    }
    free(buf->base);
    if (n < 0 || j->in.len > JOB_LINE_MAX) {
        uv_read_stop(s);
        j->ended = true;
        on_failed(j, n < 0 ? (int)n : UV_EMSGSIZE);
        close_all(j);
    }
}

static int spawn(struct job_run *j, const char *exe, int root)
{
    char name[] = "organizer", option[] = "--job";
    char path[] = "PATH=/usr/bin:/bin";
    char *argv[] = {name, option, NULL}, *env[] = {path, NULL};
    uv_stdio_container_t io[5] = {[0] = {.flags = UV_IGNORE},
                                  [1] = {.flags = UV_IGNORE},
                                  [2] = {.flags = UV_INHERIT_FD, .data.fd = 2},
                                  [JOB_FD] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE |
                                                       UV_WRITABLE_PIPE,
                                              .data.stream = (uv_stream_t *)&j->pipe},
                                  [JOB_CABINET] = {.flags = UV_INHERIT_FD, .data.fd = root}};
    /* A session of its own: an interrupt typed at a terminal is for the organizer. */
    uv_process_options_t options = {.exit_cb = on_exit_job,
                                    .file = exe,
                                    .args = argv,
                                    .env = env,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 5,
                                    .stdio = io};

    return uv_spawn(j->process.loop, &j->process, &options);
}

static void on_gone(uv_handle_t *h)
{
    struct job_run *j = h->data;

    if (--j->open_handles > 0)
        return;
    free(j);
}

/* A line on its way to the job. */
struct sending {
    uv_write_t write;
    char *line;
};

static void on_written(uv_write_t *w, int status)
{
    struct sending *s = w->data;

    if (status < 0)
        on_failed(w->handle->data, status);
    free(s->line);
    free(s);
}

void job_run_send(struct job_run *j, const char *line)
{
    struct sending *s;
    uv_buf_t buf;
    int rc;

    if (j->ended)
        return;
    s = xcalloc(1, sizeof *s);
    s->line = xasprintf("%s\n", line);
    s->write.data = s;
    s->write.handle = (uv_stream_t *)&j->pipe; /* also when it never came on its way */
    buf = uv_buf_init(s->line, (unsigned)strlen(s->line));
    rc = uv_write(&s->write, s->write.handle, &buf, 1, on_written);
    if (rc < 0)
        on_written(&s->write, rc);
}

struct job_run *job_run_start(uv_loop_t *loop, const char *exe, int root, const char *order,
                              const struct job_events *events, void *ctx, struct error *err)
{
    struct job_run *j = xcalloc(1, sizeof *j);
    int rc;

    j->events = events;
    j->ctx = ctx;
    j->open_handles = 2;
    uv_pipe_init(loop, &j->pipe, 0);
    j->process.loop = loop;
    j->process.data = j->pipe.data = j;
    rc = spawn(j, exe, root);
    if (rc < 0) {
        error_set(err, 0, "no process for a job can be started (%s)", uv_strerror(rc));
        uv_close((uv_handle_t *)&j->process, on_gone);
        uv_close((uv_handle_t *)&j->pipe, on_gone);
        return NULL;
    }
    j->running = true;
    rc = uv_read_start((uv_stream_t *)&j->pipe, on_alloc, on_read);
    if (rc < 0) {
        j->ended = true;
        on_failed(j, rc);
    }
    job_run_send(j, order);
    return j;
}

void job_run_stop(struct job_run *j)
{
    if (j->running)
        uv_process_kill(&j->process, SIGTERM);
}

void job_run_kill(struct job_run *j)
{
    if (j->running)
        uv_process_kill(&j->process, SIGKILL);
}
