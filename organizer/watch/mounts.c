#include "watch/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"

#define MOUNTINFO_MAX (16u << 20)

struct mount {
    int id;     /* of the kernel: a mount put in place of another has a new one */
    char *path; /* from the cabinet down */
    char *type;
};

struct mount_list {
    struct mount *m;
    size_t len, cap;
};

struct mounts {
    uv_poll_t poll;
    uv_idle_t first; /* until the loop has begun to poll */
    int turns;       /* of first */
    int closing;
    int fd;   /* of mountinfo */
    int root; /* borrowed */
    struct mount_list list;
    void (*changed)(void *ctx, const char *path);
    void *ctx;
};

static const struct {
    uint64_t f_type;
    const char *name;
} network_types[] = {
    {0x6969, "nfs"},          {0xff534d42, "cifs"},   {0xfe534d42, "smb"},   {0x517b, "smb"},
    {0x65735546, "fuse"},     {0x01021997, "9p"},     {0x5346414f, "afs"},   {0x6b414653, "afs"},
    {0x00c36400, "ceph"},     {0x73757245, "coda"},   {0x564c, "ncp"},       {0x01161970, "gfs2"},
    {0x7461636f, "ocfs2"},    {0x0bd00bd0, "lustre"}, {0x47504653, "gpfs"},  {0x013111a8, "ibrix"},
    {0x786f4256, "vboxsf"},   {0xbacbacbc, "vmhgfs"}, {0xaad7aaea, "panfs"}, {0x19830326, "beegfs"},
    {0x20030528, "orangefs"}, {0x61756673, "aufs"},
};

const char *mounts_network(uint64_t f_type)
{
    for (size_t i = 0; i < sizeof network_types / sizeof *network_types; i++)
        if (network_types[i].f_type == f_type)
            return network_types[i].name;
    return NULL;
}

static void list_clear(struct mount_list *l)
{
    for (size_t i = 0; i < l->len; i++) {
        free(l->m[i].path);
        free(l->m[i].type);
    }
    free(l->m);
    *l = (struct mount_list){NULL, 0, 0};
}

/* mountinfo writes space, tab, newline and backslash as \ooo, and no backslash else. In place. */
static void unescape(char *s)
{
    char *to = s;

    while (*s) {
        if (*s == '\\' && strlen(s) > 3) {
            *to++ = (char)((s[1] & 3) * 64 + (s[2] & 7) * 8 + (s[3] & 7));
            s += 4;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

/* The part of path below root, "" for root itself, NULL when it lies elsewhere. */
static const char *below(const char *root, const char *path)
{
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, n) != 0 || (path[n] && path[n] != '/'))
        return NULL;
    return path[n] ? path + n + 1 : path + n;
}

/* One line: `id parent dev root POINT options [fields] - TYPE source options`. */
static void parse_line(char *line, const char *root, struct mount_list *l)
{
    char *save = NULL, *field = strtok_r(line, " ", &save), *id = field, *point = NULL;
    const char *path;

    for (int i = 1; field && i < 5; i++)
        point = field = strtok_r(NULL, " ", &save);
    while (field && strcmp(field, "-") != 0)
        field = strtok_r(NULL, " ", &save);
    field = field ? strtok_r(NULL, " ", &save) : NULL;
    if (!field || !point)
        return;
    unescape(point);
    path = below(root, point);
    if (!path)
        return;
    GROW(l->m, l->len, l->cap);
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes a number there */
    l->m[l->len++] = (struct mount){atoi(id), xstrdup(path), xstrdup(field)};
}

/* Where root is now: it may have been renamed. Returns 0, or -1 when it cannot be told. */
static int root_path(int root, char buf[static PATH_MAX])
{
    char link[32];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", root);
    n = readlink(link, buf, PATH_MAX - 1);
    if (n <= 0)
        return -1;
    buf[n] = '\0';
    return 0;
}

static int read_list(const struct mounts *m, struct mount_list *l)
{
    char root[PATH_MAX], *save = NULL;
    AUTO_STR struct str text = STR_INIT;

    if (root_path(m->root, root) < 0 || lseek(m->fd, 0, SEEK_SET) < 0 ||
        io_read_all(m->fd, &text, MOUNTINFO_MAX) < 0)
        return -1;
    if (!text.s)
        return 0;
    for (char *line = strtok_r(text.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        parse_line(line, root, l);
    return 0;
}

static bool in_list(const struct mount_list *l, const struct mount *x)
{
    for (size_t i = 0; i < l->len; i++)
        if (l->m[i].id == x->id && strcmp(l->m[i].path, x->path) == 0)
            return true;
    return false;
}

int mounts_look(struct mounts *m)
{
    struct mount_list old = m->list, now = {NULL, 0, 0};

    if (read_list(m, &now) < 0) {
        list_clear(&now);
        return -1;
    }
    m->list = now;
    for (size_t i = 0; i < now.len; i++)
        if (!in_list(&old, &now.m[i]))
            m->changed(m->ctx, now.m[i].path);
    for (size_t i = 0; i < old.len; i++)
        if (!in_list(&now, &old.m[i]))
            m->changed(m->ctx, old.m[i].path);
    list_clear(&old);
    return 0;
}

static bool is_covered(const struct mounts *m, const char *path)
{
    for (size_t i = 0; i < m->list.len; i++) {
        size_t n = strlen(m->list.m[i].path);

        if (n && strncmp(path, m->list.m[i].path, n) == 0 && (path[n] == '/' || !path[n]))
            return true;
    }
    return false;
}

bool mounts_went_unseen(struct mounts *m, const char *path)
{
    AUTO_CLOSE int fd = -1;

    if (is_covered(m, path))
        return false;
    (void)mounts_look(m); /* what it cannot read is told when the kernel says so */
    if (is_covered(m, path))
        return false;
    /* As a folder: what is mounted only when somebody enters bars that, too. */
    fd = beneath_open(m->root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd >= 0 || errno == ENOENT || errno == ENOTDIR;
}

/* Told of by the kernel, and in doubt it is everything. */
static void look(struct mounts *m)
{
    if (mounts_look(m) < 0)
        m->changed(m->ctx, "");
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    (void)events;
    if (status == 0)
        look(h->data);
}

/*
 * The kernel says once that the mounts changed, and adding the descriptor to epoll(7), which the
 * loop does when it next polls, swallows what happened before. So look once more after that.
 */
static void on_first(uv_idle_t *h)
{
    struct mounts *m = h->data;

    if (++m->turns < 2)
        return;
    uv_idle_stop(h);
    look(m);
}

struct mounts *mounts_new(uv_loop_t *loop, int root, void (*changed)(void *ctx, const char *path),
                          void *ctx, struct error *err)
{
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    struct mounts *m;

    if (fd < 0) {
        error_set(err, errno, "cannot read /proc/self/mountinfo");
        return NULL;
    }
    m = xcalloc(1, sizeof *m);
    *m = (struct mounts){.fd = fd, .root = root, .changed = changed, .ctx = ctx};
    if (read_list(m, &m->list) < 0 || uv_poll_init(loop, &m->poll, fd) < 0) {
        error_set(err, errno, "cannot look after /proc/self/mountinfo");
        list_clear(&m->list);
        close(fd);
        free(m);
        return NULL;
    }
    uv_idle_init(loop, &m->first);
    m->poll.data = m->first.data = m;
    uv_poll_start(&m->poll, UV_PRIORITIZED, on_poll);
    uv_idle_start(&m->first, on_first);
    return m;
}

void mounts_status(const struct mounts *m, struct str *out)
{
    json_key(out, "mounts");
    str_addc(out, '[');
    for (size_t i = 0; m && i < m->list.len; i++) {
        json_comma(out);
        str_addc(out, '{');
        json_name(out, "path", m->list.m[i].path);
        json_text(out, "type", m->list.m[i].type);
        str_addc(out, '}');
    }
    str_addc(out, ']');
}

static void on_closed(uv_handle_t *h)
{
    struct mounts *m = h->data;

    if (--m->closing)
        return;
    close(m->fd);
    list_clear(&m->list);
    free(m);
}

void mounts_free(struct mounts *m)
{
    if (!m || m->closing)
        return;
    m->closing = 2;
    uv_close((uv_handle_t *)&m->poll, on_closed);
    uv_close((uv_handle_t *)&m->first, on_closed);
}
