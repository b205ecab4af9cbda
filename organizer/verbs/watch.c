/* watch: the daemon. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "flow/flow.h"
#include "serve/server.h"
#include "verbs/verb.h"

struct daemon {
    struct verb_call *call;
    struct flow *flow;
    struct server *server;
    uv_loop_t loop;
    uv_signal_t term, intr, hup;
    bool stopping, done;
};

/* sd_notify(3)'s protocol: one datagram to the socket that systemd names. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    int fd;

    if (n == 0 || n >= sizeof sun.sun_path)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    memcpy(sun.sun_path, path, n);
    if (sun.sun_path[0] == '@')
        sun.sun_path[0] = '\0';
    /* A manager that does not listen is no reason not to work. */
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&sun,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

static void stopped(void *ctx)
{
    struct daemon *d = ctx;

    d->done = true;
    uv_stop(&d->loop);
}

static void on_stop(uv_signal_t *s, int number)
{
    struct daemon *d = s->data;

    (void)number;
    if (d->stopping)
        return;
    d->stopping = true;
    notify("STOPPING=1");
    log_line(&d->call->log, LOG_DETAIL, "stopping", NULL);
    flow_stop(d->flow, stopped, d);
}

static void on_reload(uv_signal_t *s, int number)
{
    struct daemon *d = s->data;
    AUTO_STR struct str text = STR_INIT;

    (void)number;
    notify("RELOADING=1");
    if (flow_reload(d->flow, &text) < 0)
        log_line(&d->call->log, LOG_ERROR, "rules or configuration are broken: the old ones stay",
                 "problems", str_c(&text), NULL);
    else
        log_line(&d->call->log, LOG_NOTICE, "reloaded", NULL);
    notify("READY=1");
}

static void on_ready(void *ctx)
{
    struct daemon *d = ctx;

    if (d->stopping) /* the first sweep is not done: it was given up */
        return;
    notify("READY=1\nSTATUS=watching");
    log_line(&d->call->log, LOG_NOTICE, "watching, first sweep done", NULL);
}

static void handle_signals(struct daemon *d)
{
    sigset_t io;

    sigemptyset(&io);
    sigaddset(&io, SIGIO);
    sigprocmask(SIG_BLOCK, &io, NULL);
    signal(SIGPIPE, SIG_IGN);
    uv_signal_init(&d->loop, &d->term);
    uv_signal_init(&d->loop, &d->intr);
    uv_signal_init(&d->loop, &d->hup);
    d->term.data = d->intr.data = d->hup.data = d;
    uv_signal_start(&d->term, on_stop, SIGTERM);
    uv_signal_start(&d->intr, on_stop, SIGINT);
    uv_signal_start(&d->hup, on_reload, SIGHUP);
}

static void say_where(struct verb_call *call, const char *cabinet)
{
    AUTO_STR struct str line = STR_INIT;

    str_add(&line, "watching ");
    utf8_show(&line, cabinet, strlen(cabinet));
    str_add(&line, "; drop documents into its Inbox or a case's Inbox. Stop with Ctrl-C.\n");
    str_addn(&call->out, line.s, line.len);
    verb_flush(call);
}

/* Members of the configured group cannot enter the private state. */
static void open_to_group(struct daemon *d, const struct cabinet *c)
{
    AUTO_FREE char *dir = xasprintf("%s/%s", d->call->env->run_home, c->id);
    struct error err = ERROR_INIT;

    if (d->server && c->config.group && *c->config.group &&
        server_open_to(d->server, c->config.group, dir, &err) < 0)
        log_line(&d->call->log, LOG_WARNING, "group: has no effect", "why", error_text(&err), NULL);
}

static int run(struct daemon *d, const char *cabinet)
{
    struct verb_call *call = d->call;
    struct flow_options o = {.path = cabinet,
                             .env = call->env,
                             .log = call->log,
                             .watch = true,
                             .plain_lines = call->env->tty};
    struct cabinet c;

    handle_signals(d);
    d->flow = flow_open(&d->loop, &o, &call->error);
    if (!d->flow)
        return EXIT_CANNOT;
    if (cabinet_open(&c, cabinet, call->env, &call->error) == 0)
        d->server = server_new(&d->loop, d->flow, c.state_dir, &call->error);
    open_to_group(d, &c);
    cabinet_close(&c);
    if (!d->server || flow_start(d->flow, &call->error) < 0)
        return EXIT_CANNOT;
    if (call->env->tty)
        say_where(call, cabinet);
    flow_sync(d->flow, on_ready, d);
    while (!d->done)
        uv_run(&d->loop, UV_RUN_DEFAULT);
    return EXIT_ORDER;
}

int verb_watch(struct verb_call *call)
{
    struct daemon d = {.call = call};
    AUTO_FREE char *cabinet = verb_cabinet(call, 0);
    int status;

    if (!cabinet)
        return EXIT_CANNOT;
    if (uv_loop_init(&d.loop) < 0)
        return verb_fail(call, EXIT_CANNOT, "no event loop can be made");
    status = run(&d, cabinet);
    server_free(d.server);
    flow_close(d.flow);
    uv_close((uv_handle_t *)&d.term, NULL);
    uv_close((uv_handle_t *)&d.intr, NULL);
    uv_close((uv_handle_t *)&d.hup, NULL);
    uv_run(&d.loop, UV_RUN_NOWAIT);
    uv_loop_close(&d.loop);
    return status;
}
