#include "serve/server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/exit.h"
#include "base/json.h"
#include "cabinet/access.h"
#include "flow/finding.h"
#include "flow/flow.h"
#include "serve/talk.h"

struct server {
    uv_pipe_t listen;
    uv_pipe_t open; /* for the group */
    int sockets; /* of the two, that are not closed */
    char *open_dir;
    struct flow *flow;
    char *group;
    struct peer *peers;
};

/* One client and its one request. Lives until its pipe is closed and nothing answers into it. */
struct peer {
    uv_pipe_t pipe;
    struct server *server;
    struct str in, out;
    uv_write_t write;
    bool asked;   /* an answer is due */
    bool closed;
    bool json, force;
    bool refused; /* who asks may not */
    char *verb;
    char **args;
    char *cwd;
    struct peer *next, **link;
};

static void peer_free(struct peer *p)
{
    str_clear(&p->in);
    str_clear(&p->out);
    for (size_t i = 0; p->args && p->args[i]; i++)
        free(p->args[i]);
    free(p->args);
    free(p->verb);
    free(p->cwd);
    free(p);
}

static void on_closed(uv_handle_t *h)
{
    struct peer *p = h->data;

    p->closed = true;
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    if (!p->asked)
        peer_free(p);
}

static void peer_close(struct peer *p)
{
    if (!uv_is_closing((uv_handle_t *)&p->pipe))
        uv_close((uv_handle_t *)&p->pipe, on_closed);
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    peer_close(w->data);
}

static void answer(void *ctx, int status, const char *text)
{
    struct peer *p = ctx;
    uv_buf_t buf;

    p->asked = false;
    if (p->closed) {
        peer_free(p);
        return;
    }
    str_reset(&p->out);
    str_addc(&p->out, '{');
    json_num(&p->out, "status", status);
    json_text(&p->out, "text", text);
    if (p->refused)
        json_bool(&p->out, "refused", true);
    str_add(&p->out, "}\n");
    buf = uv_buf_init(p->out.s, (unsigned)p->out.len);
    p->write.data = p;
    if (uv_write(&p->write, (uv_stream_t *)&p->pipe, &buf, 1, on_written) < 0)
        peer_close(p);
}

static void synced(void *ctx)
{
    struct peer *p = ctx;
    AUTO_STR struct str text = STR_INIT;
    int status;

    if (p->closed) {
        answer(p, 0, "");
        return;
    }
    status = flow_sync_text(p->server->flow, p->json, &text);
    answer(p, status, str_c(&text));
}

static void do_reload(struct peer *p)
{
    AUTO_STR struct str text = STR_INIT;

    if (flow_reload(p->server->flow, &text) < 0)
        answer(p, EXIT_CANNOT, str_c(&text));
    else
        answer(p, EXIT_ORDER, "");
}

static void do_status(struct peer *p)
{
    AUTO_STR struct str text = STR_INIT;

    flow_status(p->server->flow, &text);
    answer(p, flow_needs_attention(p->server->flow) ? EXIT_ATTENTION : EXIT_ORDER, str_c(&text));
}

static bool in_group(const char *group, const struct ucred *u)
{
    const struct group *g = group ? getgrnam(group) : NULL;
    const struct passwd *pw;

    if (!g)
        return false;
    if (g->gr_gid == u->gid)
        return true;
    pw = getpwuid(u->uid);
    for (char **m = g->gr_mem; pw && *m; m++)
        if (strcmp(*m, pw->pw_name) == 0)
            return true;
    return false;
}

/* The groups of the process that asks; its own first. NULL when they cannot be known. Caller
 * frees. */
static gid_t *groups_of(int fd, gid_t own, size_t *n)
{
    socklen_t size = 0;
    gid_t *groups;

    *n = 0;
    /* Asked with no room it says how much is needed. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
        return NULL;
    groups = xcalloc(size / sizeof *groups + 1, sizeof *groups);
    groups[0] = own;
    if (size > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) < 0) {
        free(groups);
        return NULL;
    }
    *n = size / sizeof *groups + 1;
    return groups;
}

/* `find` tells who is asking only what that user may read. */
static void do_find(struct peer *p, bool everything)
{
    struct ucred u;
    socklen_t size = sizeof u;
    uv_os_fd_t fd;
    struct access_reader who = {0};
    AUTO_FREE gid_t *groups = NULL;

    if (everything) {
        flow_find(p->server->flow, (const char *const *)p->args, NULL, answer, p);
        return;
    }
    if (uv_fileno((const uv_handle_t *)&p->pipe, &fd) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &size) == 0)
        groups = groups_of(fd, u.gid, &who.groups_len);
    if (!groups) {
        answer(p, EXIT_CANNOT, "who asks cannot be known\n");
        return;
    }
    who.uid = u.uid;
    who.groups = groups;
    flow_find(p->server->flow, (const char *const *)p->args, &who, answer, p);
}

/* 2: may change things, 1: may ask, 0: nothing. */
static int rights(const struct peer *p)
{
    struct ucred u;
    socklen_t n = sizeof u;
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)&p->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) < 0)
        return 0;
    if (u.uid == 0 || u.uid == geteuid())
        return 2;
    return in_group(p->server->group, &u) ? 1 : 0;
}

static void dispatch(struct peer *p, bool dry_run)
{
    struct flow *f = p->server->flow;
    struct flow_request r = {.verb = p->verb,
                             .args = (const char *const *)p->args,
                             .cwd = p->cwd,
                             .dry_run = dry_run,
                             .force = p->force,
                             .json = p->json};
    int may = rights(p);

    p->asked = true;
    p->refused = may < 1 || (may < 2 && strcmp(p->verb, "status") != 0 && strcmp(p->verb, "find") != 0);
    if (p->refused)
        answer(p, EXIT_CANNOT,
               may ? "members of the group may ask for status and find; all else is for root and the user that "
                     "the organizer runs as\n"
                   : "only root, the user that the organizer runs as, and members of the group that its "
                     "configuration names may ask for this\n");
    else if (strcmp(p->verb, "sync") == 0)
        flow_sync(f, synced, p);
    else if (strcmp(p->verb, "sweep") == 0)
        flow_sweep(f, synced, p);
    else if (strcmp(p->verb, "status") == 0)
        do_status(p);
    else if (strcmp(p->verb, "reload") == 0)
        do_reload(p);
    else if (strcmp(p->verb, "find") == 0)
        do_find(p, may == 2);
    else
        flow_request(f, &r, answer, p);
}

static void take_request(struct peer *p)
{
    json_t *j = json_loadb(p->in.s, p->in.len, 0, NULL);
    const json_t *args = json_object_get(j, "args");
    size_t n = json_array_size(args);

    p->verb = xstrdup(json_get_text(j, "verb"));
    p->cwd = json_get_name(j, "cwd");
    p->json = json_is_true(json_object_get(j, "json"));
    p->force = json_is_true(json_object_get(j, "force"));
    p->args = xcalloc(n + 1, sizeof *p->args);
    for (size_t i = 0; i < n; i++) {
        p->args[i] = json_get_name(json_array_get(args, i), "arg");
        if (!p->args[i])
            p->args[i] = xstrdup("");
    }
    if (!p->verb || !p->cwd)
        peer_close(p);
    else
        dispatch(p, json_is_true(json_object_get(j, "dry_run")));
    json_decref(j);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    (void)h;
    (void)size;
    *buf = uv_buf_init(xmalloc(4096), 4096);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct peer *p = s->data;

    if (n > 0)
        str_addn(&p->in, buf->base, (size_t)n);
    free(buf->base);
    if (n < 0 || p->in.len > TALK_LINE_MAX) {
        peer_close(p);
        return;
    }
    if (!p->verb && p->in.len && p->in.s[p->in.len - 1] == '\n')
        take_request(p);
}

static void on_connection(uv_stream_t *listen, int status)
{
    struct server *s = listen->data;
    struct peer *p;

    if (status < 0)
        return;
    p = xcalloc(1, sizeof *p);
    p->server = s;
    uv_pipe_init(listen->loop, &p->pipe, 0);
    p->pipe.data = p;
    p->next = s->peers;
    p->link = &s->peers;
    if (p->next)
        p->next->link = &p->next;
    s->peers = p;
    if (uv_accept(listen, (uv_stream_t *)&p->pipe) < 0 ||
        uv_read_start((uv_stream_t *)&p->pipe, on_alloc, on_read) < 0)
        peer_close(p);
}

static void on_listen_closed(uv_handle_t *h)
{
    struct server *s = h->data;

    if (--s->sockets > 0)
        return;
    free(s->group);
    free(s->open_dir);
    free(s);
}

/* Accepts from the socket in dir. */
static int listen_in(struct server *s, uv_loop_t *loop, uv_pipe_t *pipe, const char *dir,
                     struct error *err)
{
    int fd = talk_listen(dir, err);

    uv_pipe_init(loop, pipe, 0);
    pipe->data = s;
    s->sockets++;
    if (fd < 0)
        return -1;
    if (uv_pipe_open(pipe, fd) < 0) {
        close(fd);
        return error_set(err, 0, "the socket in %s cannot be used", dir);
    }
    if (uv_listen((uv_stream_t *)pipe, 16, on_connection) < 0)
        return error_set(err, 0, "the socket in %s cannot listen", dir);
    return 0;
}

struct server *server_new(uv_loop_t *loop, struct flow *flow, const char *dir, struct error *err)
{
    struct server *s = xcalloc(1, sizeof *s);

    s->flow = flow;
    if (listen_in(s, loop, &s->listen, dir, err) == 0)
        return s;
    uv_close((uv_handle_t *)&s->listen, on_listen_closed);
    return NULL;
}

int server_open_to(struct server *s, const char *group, const char *dir, struct error *err)
{
    AUTO_FREE char *above = xmemdup0(dir, (size_t)(strrchr(dir, '/') - dir));

    if (!getgrnam(group))
        return error_set(err, 0, "there is no group %s", group);
    if ((mkdir(above, 0755) < 0 && errno != EEXIST) || (mkdir(dir, 0755) < 0 && errno != EEXIST) ||
        chmod(dir, 0755) < 0)
        return error_set(err, errno, "cannot make %s", dir);
    if (listen_in(s, s->listen.loop, &s->open, dir, err) < 0)
        return -1;
    s->group = xstrdup(group);
    s->open_dir = xstrdup(dir);
    return 0;
}


void server_free(struct server *s)
{
    if (!s)
        return;
    while (s->peers) {
        struct peer *p = s->peers;

        peer_close(p);
        while (s->peers == p)
            uv_run(s->listen.loop, UV_RUN_NOWAIT);
    }
    if (s->open_dir)
        talk_remove(s->open_dir);
    if (s->sockets > 1)
        uv_close((uv_handle_t *)&s->open, on_listen_closed);
    uv_close((uv_handle_t *)&s->listen, on_listen_closed);
}
