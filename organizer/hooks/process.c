#include "hooks/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"

/* After the hook has ended a pipe is read at most so often: a stray child may write for ever. */
#define DRAIN_READS 16

struct hook_process {
    uv_process_t process;
    uv_pipe_t out, err;
    uv_timer_t timer;
    struct hook_result result;
    hook_process_ended *ended;
    void *ctx;
    int open_handles;
    bool running;
    char buf[4096];
};

static void trim(struct str *s)
{
    while (s->len && strchr(" \t\r\n", s->s[s->len - 1]))
        str_cut(s, s->len - 1);
}

static void on_closed(uv_handle_t *handle)
{
    struct hook_process *p = handle->data;

    if (--p->open_handles > 0)
        return;
    trim(&p->result.out);
    trim(&p->result.err);
    p->ended(p->ctx, &p->result);
    str_clear(&p->result.out);
    str_clear(&p->result.err);
    free(p);
}

static void close_one(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct hook_process *p)
{
    close_one((uv_handle_t *)&p->out);
    close_one((uv_handle_t *)&p->err);
    close_one((uv_handle_t *)&p->timer);
    close_one((uv_handle_t *)&p->process);
}

static void keep(struct str *s, const char *bytes, size_t n)
{
    size_t room = HOOK_OUTPUT_MAX - s->len;

    str_addn(s, bytes, n < room ? n : room);
}

static struct str *sink(struct hook_process *p, const uv_stream_t *s)
{
    return s == (uv_stream_t *)&p->out ? &p->result.out : &p->result.err;
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    struct hook_process *p = h->data;

    (void)size;
    *buf = uv_buf_init(p->buf, sizeof p->buf);
}

static void on_output(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct hook_process *p = s->data;

    if (n > 0)
        keep(sink(p, s), buf->base, (size_t)n);
    else if (n < 0)
        close_one((uv_handle_t *)s);
}

/* What was written before the end and not read yet. A child that holds the pipe open is not
 * waited for. */
static void drain(struct hook_process *p, uv_pipe_t *pipe)
{
    uv_os_fd_t fd;
    ssize_t n = 1;

    if (uv_is_closing((uv_handle_t *)pipe) || uv_fileno((uv_handle_t *)pipe, &fd) < 0)
        return;
    for (int i = 0; i < DRAIN_READS && n > 0; i++) {
        n = read(fd, p->buf, sizeof p->buf);
        if (n > 0)
            keep(sink(p, (uv_stream_t *)pipe), p->buf, (size_t)n);
    }
}

static void on_exit_hook(uv_process_t *process, int64_t status, int sig)
{
    struct hook_process *p = process->data;

    p->running = false;
    p->result.status = status;
    p->result.signal = sig;
    /* It may have ended by itself just before it was killed. */
    p->result.timed_out = p->result.timed_out && sig;
    kill(-process->pid, SIGKILL);
    drain(p, &p->out);
    drain(p, &p->err);
    close_all(p);
}

void hook_process_kill(struct hook_process *p)
{
    if (p->running)
        kill(-p->process.pid, SIGKILL);
}

static void on_timeout(uv_timer_t *t)
{
    struct hook_process *p = t->data;

    p->result.timed_out = true;
    hook_process_kill(p);
}

/* ---- starting ---------------------------------------------------------------------------------
 */

static int json_file(const char *json)
{
    int fd = memfd_create("hook", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (io_write_all(fd, json, strlen(json)) < 0 || io_write_all(fd, "\n", 1) < 0 ||
        lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The offset is shared with our own descriptor and with the hook before: back to the start. */
static int document_ready(int document)
{
    int flags;

    if (document < 0)
        return 0;
    flags = fcntl(document, F_GETFL);
    if (flags < 0)
        return -1;
    if ((flags & O_ACCMODE) != O_RDONLY) {
        errno = EPERM;
        return -1;
    }
    return lseek(document, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* A pipe whose reading end the loop reads; *child is the other end. */
static int listen_to(struct hook_process *p, uv_pipe_t *pipe, int *child)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    *child = ends[1];
    if (uv_pipe_open(pipe, ends[0]) < 0) {
        close(ends[0]);
        return -1;
    }
    pipe->data = p;
    return 0;
}

static int spawn(struct hook_process *p, const struct hook_order *o, const int *fds)
{
    AUTO_FREE char *event = xasprintf("ORGANIZER_EVENT=%s", o->event);
    AUTO_FREE char *file = xstrdup(o->path);
    char *argv[] = {file, NULL};
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char home[] = "HOME=/", lang[] = "LANG=C.UTF-8";
    char *env[] = {path, home, lang, event, NULL};
    uv_stdio_container_t io[5];
    uv_process_options_t options = {.exit_cb = on_exit_hook,
                                    .file = file,
                                    .args = argv,
                                    .env = env,
                                    .cwd = "/",
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = o->document < 0 ? 3 : o->output < 0 ? 4 : 5,
                                    .stdio = io};

    for (int i = 0; i < options.stdio_count; i++) {
        io[i].flags = UV_INHERIT_FD;
        io[i].data.fd = i < 3 ? fds[i] : i == 3 ? o->document : o->output;
    }
    p->open_handles++;
    return uv_spawn(p->process.loop, &p->process, &options);
}

static void not_started(struct hook_process *p, const char *why)
{
    str_reset(&p->result.out);
    str_addf(&p->result.out, "it cannot be started: %s", why);
    close_one((uv_handle_t *)&p->out);
    close_one((uv_handle_t *)&p->err);
    close_one((uv_handle_t *)&p->timer);
}

struct hook_process *hook_process_start(uv_loop_t *loop, const struct hook_order *o,
                                        hook_process_ended *ended, void *ctx)
{
    struct hook_process *p = xcalloc(1, sizeof *p);
    AUTO_CLOSE int in = -1, out = -1, err = -1;
    int rc;

    p->ended = ended;
    p->ctx = ctx;
    uv_pipe_init(loop, &p->out, 0);
    uv_pipe_init(loop, &p->err, 0);
    uv_timer_init(loop, &p->timer);
    p->process.data = p->out.data = p->err.data = p->timer.data = p;
    p->process.loop = loop;
    p->open_handles = 3;
    if (o->refused) {
        not_started(p, o->refused);
        return p;
    }
    in = json_file(o->json);
    if (in < 0 || document_ready(o->document) < 0 || listen_to(p, &p->out, &out) < 0 ||
        listen_to(p, &p->err, &err) < 0) {
        not_started(p, strerror(errno));
        return p;
    }
    rc = spawn(p, o, (int[]){in, out, err});
    if (rc < 0) {
        not_started(p, uv_strerror(rc));
        close_one((uv_handle_t *)&p->process);
        return p;
    }
    p->running = p->result.started = true;
    uv_update_time(loop);
    uv_timer_start(&p->timer, on_timeout, (uint64_t)o->ms, 0);
    uv_read_start((uv_stream_t *)&p->out, on_alloc, on_output);
    uv_read_start((uv_stream_t *)&p->err, on_alloc, on_output);
    return p;
}
