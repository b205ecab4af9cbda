#include "watch/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "watch/watcher_private.h"

#define READ_SIZE 65536
#define STEP_MS   4 /* how long one turn of the loop may take */
#define GOING_AT_ONCE                                                                              \
    1000 /* each removed watch queues an IN_IGNORED: stay below the queue's size */
#define STATUS_FOLDERS 20
#define LIMIT_FILE     "/proc/sys/fs/inotify/max_user_watches"

/*
 * What is asked of the kernel. No opens and no reads, or the daemon would wake itself. Not
 * IN_MODIFY: one event for each write(2) of every copy would fill the queue, and settling looks
 * at size and times anyway when the quiet time ends. So a writer that keeps a file open is heard
 * of when it closes, and truncate(2) on a path at the next sweep. IN_CREATE is all that a hard
 * link or the linkat(2) of an O_TMPFILE ever sends. IN_ATTRIB tells of files that may be read now,
 * and of copies that get their times last. IN_EXCL_UNLINK leaves out what is written to files
 * without a name, which would be reported under names that nobody can open.
 */
#define MASK                                                                                       \
    (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB |            \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

static const char *const swept_names[SWEPT_REASONS] = {
    [SWEPT_LIMIT] = "limit",
    [SWEPT_NETWORK] = "network",
    [SWEPT_TWICE] = "mounted twice",
    [SWEPT_REFUSED] = "refused",
};

/* -- reading -------------------------------------------------------------------------------- */

void watcher_scan_hint(struct watcher *w, folder_id f)
{
    tree_path(w->tree, f, &w->path);
    hints_add(&w->hints, HINT_SCAN, str_c(&w->path), false);
}

static void on_later(uv_idle_t *h);
static void on_sweeps(uv_timer_t *h);

/* Starts and stops what runs by itself, so that nothing wakes up without cause. */
static void arm(struct watcher *w)
{
    bool swept = false;

    for (int i = SWEPT_NO + 1; i < SWEPT_REASONS; i++)
        swept |= tree_count_swept(w->tree, (enum swept)i) > 0;
    if (w->closing)
        return;
    if (!swept)
        uv_timer_stop(&w->sweeps);
    else if (!uv_is_active((uv_handle_t *)&w->sweeps))
        uv_timer_start(&w->sweeps, on_sweeps, w->o.sweep_ms, w->o.sweep_ms);
    if (w->moves_len || w->hints.len || tree_has_going(w->tree))
        uv_idle_start(&w->later, on_later);
    else
        uv_idle_stop(&w->later);
}

/* One read(2). Returns the bytes taken, 0 when there is nothing to read. */
static size_t read_once(struct watcher *w)
{
    ssize_t n = read(w->ifd, w->buf, READ_SIZE);

    early_settle(&w->early);
    for (const char *p = w->buf; n > 0 && p < w->buf + n;) {
        const struct inotify_event *ev = (const void *)p;

        p += sizeof *ev + ev->len;
        event_take(w, ev);
    }
    hints_deliver(&w->hints, &w->e);
    return n > 0 ? (size_t)n : 0;
}

/* Reads up to most bytes or until end (uv_hrtime), whichever is first, and at least once. */
static void pump(struct watcher *w, size_t most, uint64_t end)
{
    size_t n, sum = 0;

    if (w->pumping)
        return; /* called from a hint: the loop below goes on anyway */
    w->pumping = true;
    w->reading++;
    do {
        n = read_once(w);
        sum += n;
    } while (n && sum < most && uv_hrtime() < end && !w->closing);
    w->pumping = false;
    event_expire_moves(w, w->reading);
    arm(w);
}

void watcher_pump(struct watcher *w)
{
    int n = 0;

    (void)mounts_look(w->mounts); /* or when the kernel says so */
    if (ioctl(w->ifd, FIONREAD, &n) < 0 || n < 0)
        n = 0;
    pump(w, (size_t)n, UINT64_MAX);
}

static uint64_t step_end(void)
{
    return uv_hrtime() + STEP_MS * (uint64_t)NS_PER_MS;
}

static void on_readable(uv_poll_t *h, int status, int events)
{
    (void)status;
    (void)events;
    pump(h->data, SIZE_MAX, step_end());
}

static void on_later(uv_idle_t *h)
{
    struct watcher *w = h->data;
    int wd;

    for (int i = 0; i < GOING_AT_ONCE && (wd = tree_next_going(w->tree)) >= 0; i++) {
        tree_set_going(w->tree, wd, TREE_GONE);
        inotify_rm_watch(w->ifd, wd); /* EINVAL: gone by itself, IN_IGNORED is on its way */
    }
    pump(w, SIZE_MAX, step_end());
}

static bool sweep_one(void *ctx, folder_id f)
{
    struct watcher *w = ctx;

    tree_path(w->tree, f, &w->path);
    hints_add(&w->hints, HINT_AGAIN, str_c(&w->path), false);
    return true;
}

void watcher_sweep(struct watcher *w)
{
    const char *why;

    if (watcher_unwatched(w, &why) == 0)
        return;
    tree_each_swept(w->tree, sweep_one, w);
    if (!w->pumping)
        hints_deliver(&w->hints, &w->e);
}

static void on_sweeps(uv_timer_t *h)
{
    watcher_sweep(h->data);
}

static void on_mount(void *ctx, const char *path)
{
    struct watcher *w = ctx;

    hints_add(&w->hints, HINT_AGAIN, path, false);
    arm(w);
}

bool watcher_barred(struct watcher *w, const char *path)
{
    return mounts_went_unseen(w->mounts, path);
}

/* -- watches -------------------------------------------------------------------------------- */

/* By way of the open descriptor: a path could lead elsewhere by now. */
static int add_watch(const struct watcher *w, int fd)
{
    char link[sizeof w->fd_links + 16];

    snprintf(link, sizeof link, "%s%d", w->fd_links, fd);
    return inotify_add_watch(w->ifd, link, MASK);
}

/* Gives a watch back that no folder shall have. */
static void return_watch(struct watcher *w, int wd)
{
    tree_set_going(w->tree, wd, TREE_GOING);
    arm(w);
}

static bool is_folder(folder_id f)
{
    return f != TREE_NONE && f != TREE_GOING && f != TREE_GONE;
}

bool watcher_in_place(struct watcher *w, folder_id f)
{
    AUTO_CLOSE int fd = -1;
    int wd;

    tree_path(w->tree, f, &w->path);
    fd = beneath_open(w->o.root, str_c(&w->path), O_PATH | O_DIRECTORY, 0);
    wd = fd < 0 ? -1 : add_watch(w, fd);
    if (wd >= 0 && tree_by_wd(w->tree, wd) == TREE_NONE)
        return_watch(w, wd);
    return wd >= 0 && wd == tree_wd(w->tree, f);
}

static bool at_limit(const struct watcher *w)
{
    return w->o.max_watches && tree_count_watched(w->tree) >= w->o.max_watches;
}

/* wd (or -1), unless no more watches are wanted: then -1 with errno. */
static int within_limit(struct watcher *w, int wd)
{
    if (wd < 0 || is_folder(tree_by_wd(w->tree, wd)) || !at_limit(w))
        return wd;
    return_watch(w, wd);
    errno = ENOSPC;
    return -1;
}

/* The watch on fd, or -1 with errno. */
static int watch_for(struct watcher *w, int fd)
{
    return within_limit(w, add_watch(w, fd));
}

/* Puts the folder at path under a watch that no other folder has. */
static folder_id put_new(struct watcher *w, const char *path, int wd)
{
    folder_id f = tree_make(w->tree, path);

    if (tree_wd(w->tree, f) >= 0 && tree_wd(w->tree, f) != wd) {
        tree_drop(w->tree, f); /* another folder was there, all below is not known either */
        f = tree_make(w->tree, path);
    }
    return tree_put(w->tree, f, tree_parent(w->tree, f), tree_name(w->tree, f), wd);
}

/* The folder at path has the watch of owner, which is known elsewhere. Either it was moved and
 * the events that say so are still to be read, or it can be reached by two paths. */
static folder_id put_moved(struct watcher *w, const char *path, int dirfd, folder_id owner, int *wd)
{
    folder_id there, parent;
    const char *name = strrchr(path, '/');

    if (owner == TREE_ROOT || watcher_in_place(w, owner)) {
        *wd = -1;
        errno = EEXIST;
        return TREE_NONE;
    }
    there = tree_find(w->tree, path);
    if (there && !tree_below(w->tree, owner, there) && !tree_below(w->tree, there, owner)) {
        tree_drop(w->tree, there);
        there = TREE_NONE;
    }
    if (!there) {
        AUTO_FREE char *above = xmemdup0(path, name ? (size_t)(name - path) : 0);

        parent = tree_make(w->tree, above);
        if (!tree_below(w->tree, parent, owner))
            return tree_put(w->tree, owner, parent, name ? name + 1 : path, *wd);
    }
    /* One lay within the other: begin anew with this folder. The watch is still there. */
    tree_drop(w->tree, owner);
    *wd = watch_for(w, dirfd);
    return *wd < 0 ? TREE_NONE : put_new(w, path, *wd);
}

/* Drops subfolders that are not there any more and of which no event may tell: after an overflow, in a
 * folder that is not watched, and in one that was not until now. */
static void drop_missing(struct watcher *w, folder_id f, int dirfd)
{
    folder_id next;

    for (folder_id x = tree_first(w->tree, f); x; x = next) {
        struct stat st;

        next = tree_next(w->tree, x);
        if (fstatat(dirfd, tree_name(w->tree, x), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISDIR(st.st_mode))
            tree_drop(w->tree, x);
    }
}

static int swept(struct watcher *w, const char *path, int dirfd, enum swept why, int number,
                 struct error *err)
{
    folder_id f = tree_find(w->tree, path);

    if (f && why != SWEPT_NETWORK && tree_wd(w->tree, f) >= 0) {
        tree_drop(w->tree, f); /* its watch is on another folder */
        f = TREE_NONE;
    }
    f = f ? f : tree_make(w->tree, path);
    event_forget_move(w, f);
    tree_set_swept(w->tree, f, why);
    tree_set_epoch(w->tree, f, 0);
    drop_missing(w, f, dirfd);
    arm(w);
    switch (why) {
    case SWEPT_LIMIT:
        return error_set(err, number,
                         "the limit of watches is reached; raise the sysctl "
                         "fs.inotify.max_user_watches");
    case SWEPT_NETWORK:
        return error_set(err, 0, "a file system of type %s does not tell what others do in it",
                         w->network);
    case SWEPT_TWICE:
        return error_set(err, 0, "the folder is watched already under another path");
    default:
        return error_set(err, number, "the folder cannot be watched");
    }
}

static enum swept why_not(int number)
{
    return number == ENOSPC ? SWEPT_LIMIT : number == EEXIST ? SWEPT_TWICE : SWEPT_REFUSED;
}

/* wd is the watch on dirfd, or -1 with errno. */
static int enter_watched(struct watcher *w, const char *path, int dirfd, int wd, struct error *err)
{
    folder_id owner, f;

    if (wd < 0)
        return swept(w, path, dirfd, why_not(errno), errno, err);
    owner = tree_by_wd(w->tree, wd);
    f = is_folder(owner) ? tree_find(w->tree, path) : TREE_NONE;
    if (!is_folder(owner))
        f = put_new(w, path, wd);
    else if (f != owner)
        f = put_moved(w, path, dirfd, owner, &wd);
    if (!f)
        return swept(w, path, dirfd, why_not(errno), errno, err);
    /* It may have left before, and nothing tells that it came back. */
    event_forget_move(w, f);
    if (w->network)
        return swept(w, path, dirfd, SWEPT_NETWORK, 0, err);
    if (tree_epoch(w->tree, f) != w->epoch)
        drop_missing(w, f, dirfd);
    tree_set_epoch(w->tree, f, w->epoch);
    if (tree_swept(w->tree, f)) {
        tree_set_swept(w->tree, f, SWEPT_NO);
        arm(w);
    }
    return 0;
}

void watcher_early(struct watcher *w, int dirfd, bool here)
{
    int wd;

    early_begin(&w->early);
    /* "." is found in half the time. */
    wd = here ? inotify_add_watch(w->ifd, ".", MASK) : add_watch(w, dirfd);
    early_end(&w->early, dirfd, wd, wd < 0 ? errno : 0);
}

void watcher_early_passed(struct watcher *w, int dirfd)
{
    struct early_watch early;

    if (early_take(&w->early, dirfd, &early) && early.wd >= 0 && !early.lost &&
        tree_by_wd(w->tree, early.wd) == TREE_NONE)
        return_watch(w, early.wd);
}

/* The folder at path has the watch wd as far as is known. */
static bool is_at(struct watcher *w, int wd, const char *path)
{
    folder_id owner = tree_by_wd(w->tree, wd);

    return is_folder(owner) && owner == tree_find(w->tree, path);
}

int watcher_enter(struct watcher *w, const char *path, int dirfd, struct error *err)
{
    struct early_watch early;
    int wd, rc;

    if (!early_take(&w->early, dirfd, &early))
        return enter_watched(w, path, dirfd, watch_for(w, dirfd), err);
    /* Its names may be older than what happened in it since the watch was set. */
    if (early.unheard || early.lost || (early.heard && !is_at(w, early.wd, path)))
        hints_add(&w->hints, HINT_AGAIN, path, false);
    errno = early.error;
    wd = early.lost ? watch_for(w, dirfd) : within_limit(w, early.wd);
    rc = enter_watched(w, path, dirfd, wd, err);
    if (!w->pumping)
        hints_deliver(&w->hints, &w->e);
    return rc;
}

void watcher_forget(struct watcher *w, const char *path)
{
    folder_id f = tree_find(w->tree, path);

    if (!f)
        return;
    tree_drop(w->tree, f);
    arm(w);
}

/* -- status --------------------------------------------------------------------------------- */

static const char *why_swept(const struct watcher *w, enum swept why)
{
    return why == SWEPT_NETWORK ? w->network : swept_names[why];
}

bool watcher_tells(const struct watcher *w, const char *path)
{
    folder_id f = tree_find(w->tree, path);

    return f && tree_wd(w->tree, f) >= 0 && !tree_swept(w->tree, f) && !w->network;
}

uint64_t watcher_count(const struct watcher *w)
{
    return tree_count_watched(w->tree);
}

uint64_t watcher_unwatched(const struct watcher *w, const char **why)
{
    uint64_t sum = 0;

    *why = "";
    for (int i = SWEPT_NO + 1; i < SWEPT_REASONS; i++) {
        uint64_t n = tree_count_swept(w->tree, (enum swept)i);

        if (n && !sum)
            *why = why_swept(w, (enum swept)i);
        sum += n;
    }
    return sum;
}

static int64_t system_limit(void)
{
    AUTO_CLOSE int fd = open(LIMIT_FILE, O_RDONLY | O_CLOEXEC);
    AUTO_STR struct str text = STR_INIT;

    if (fd < 0 || io_read_all(fd, &text, 64) < 0)
        return -1;
    return strtoll(str_c(&text), NULL, 10);
}

struct status_list {
    const struct watcher *w;
    struct str *out;
    int left;
};

static bool status_folder(void *ctx, folder_id f)
{
    struct status_list *l = ctx;
    AUTO_STR struct str path = STR_INIT;

    if (l->left-- == 0)
        return false;
    tree_path(l->w->tree, f, &path);
    json_comma(l->out);
    str_addc(l->out, '{');
    json_name(l->out, "path", str_c(&path));
    json_text(l->out, "why", why_swept(l->w, tree_swept(l->w->tree, f)));
    str_addc(l->out, '}');
    return true;
}

void watcher_status(const struct watcher *w, struct str *out)
{
    struct status_list list = {w, out, STATUS_FOLDERS};
    const char *why;
    uint64_t unwatched = watcher_unwatched(w, &why);

    json_num(out, "watches", (int64_t)tree_count_watched(w->tree));
    json_num(out, "watch_limit", w->o.max_watches ? (int64_t)w->o.max_watches : system_limit());
    json_num(out, "events", (int64_t)w->events);
    json_num(out, "overflows", (int64_t)w->overflows);
    json_num(out, "swept", (int64_t)unwatched);
    if (unwatched)
        json_text(out, "swept_why", why);
    json_key(out, "swept_folders");
    str_addc(out, '[');
    tree_each_swept(w->tree, status_folder, &list);
    str_addc(out, ']');
    if (tree_count_swept(w->tree, SWEPT_LIMIT))
        json_text(out, "advice", "raise the sysctl fs.inotify.max_user_watches");
    mounts_status(w->mounts, out);
}

/* -- life ----------------------------------------------------------------------------------- */

static void on_dropped(void *ctx, folder_id f)
{
    struct watcher *w = ctx;

    event_forget_move(w, f);
    if (w->moved == f)
        w->moved = TREE_NONE;
}

/* The folder around the cabinet: nothing else tells that the cabinet was deleted. */
static void watch_parent(struct watcher *w)
{
    AUTO_FREE char *path = xstrdup(w->o.root_path);
    char *slash;

    while ((slash = strrchr(path, '/')) && slash > path && !slash[1])
        *slash = '\0';
    w->root_name = xstrdup(slash ? slash + 1 : path);
    if (!slash || !slash[1])
        return;
    slash[slash == path] = '\0';
    w->parent_wd = inotify_add_watch(w->ifd, path, IN_DELETE | IN_ONLYDIR);
}

/* "/proc/PID/fd/": each watch by way of /proc/self would be a link more to follow. */
static int find_fd_links(struct watcher *w)
{
    char self[32];
    ssize_t n = readlink("/proc/self", self, sizeof self - 1);

    if (n <= 0)
        return -1;
    self[n] = '\0';
    snprintf(w->fd_links, sizeof w->fd_links, "/proc/%s/fd/", self);
    return 0;
}

static int start(struct watcher *w, uv_loop_t *loop, struct error *err)
{
    struct statfs fs;
    int rc;

    w->ifd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->ifd < 0)
        return error_set(err, errno,
                         "cannot watch; if many programs do, raise the sysctl "
                         "fs.inotify.max_user_instances");
    if (find_fd_links(w) < 0)
        return error_set(err, errno, "/proc is not mounted");
    if (fstatfs(w->o.root, &fs) < 0)
        return error_set(err, errno, "cannot tell the file system of %s", w->o.root_path);
    w->network = mounts_network((uint64_t)(unsigned)fs.f_type);
    w->mounts = mounts_new(loop, w->o.root, on_mount, w, err);
    if (!w->mounts)
        return -1;
    rc = uv_poll_init(loop, &w->poll, w->ifd);
    if (rc < 0)
        return error_set(err, -rc, "cannot wait for what inotify tells");
    watch_parent(w);
    return 0;
}

static void destroy(struct watcher *w)
{
    if (w->ifd >= 0)
        close(w->ifd);
    hints_clear(&w->hints);
    early_clear(&w->early);
    tree_free(w->tree);
    str_clear(&w->path);
    free(w->root_name);
    free(w->moves);
    free(w->buf);
    free(w);
}

struct watcher *watcher_new(uv_loop_t *loop, const struct watcher_options *o,
                            const struct watcher_events *e, struct error *err)
{
    struct watcher *w = xcalloc(1, sizeof *w);

    *w = (struct watcher){.o = *o, .e = *e, .ifd = -1, .parent_wd = -1, .epoch = 1};
    early_init(&w->early);
    w->tree = tree_new(on_dropped, w);
    w->buf = xmalloc(READ_SIZE);
    if (start(w, loop, err) < 0) {
        mounts_free(w->mounts);
        destroy(w);
        return NULL;
    }
    uv_idle_init(loop, &w->later);
    uv_timer_init(loop, &w->sweeps);
    w->poll.data = w->later.data = w->sweeps.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    return w;
}

static void on_closed(uv_handle_t *h)
{
    struct watcher *w = h->data;

    if (--w->closing == 0)
        destroy(w);
}

void watcher_free(struct watcher *w)
{
    if (!w || w->closing)
        return;
    w->closing = 3;
    mounts_free(w->mounts);
    uv_close((uv_handle_t *)&w->poll, on_closed);
    uv_close((uv_handle_t *)&w->later, on_closed);
    uv_close((uv_handle_t *)&w->sweeps, on_closed);
}
