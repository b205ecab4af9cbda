#include "watch/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "watch/ahead.h"
#include "watch/contents.h"

/* Subfolders of one folder that are still to be scanned. */
struct level {
    char *names; /* the folder's path, then their names, each with its NUL, one after another */
    size_t len, at;
};

struct scan {
    uv_idle_t idle;
    struct scan_events e;
    struct lister lister;
    bool recursive, begun, finished, freed, rests;
    struct level *levels;
    size_t depth, cap;
    struct str next; /* path of a folder that is to be opened */

    struct ahead *ahead; /* NULL: folders are opened here */
    uint64_t until;      /* when this turn of the loop ends */

    /* The folder being read. */
    struct contents *now; /* own, or one of ahead; NULL: none */
    struct contents own;
    struct str path;  /* of it, and of an entry in it */
    size_t path_len;  /* of its own path, in path */
    size_t at;        /* in its names */
    struct str subs;  /* what becomes its level */
    bool missing;     /* an entry vanished: perhaps the folder did */
    uint64_t dev;     /* 0: not asked yet */

    uint64_t folders, entries;
};

static bool is_gone(int number)
{
    return number == ENOENT || number == ENOTDIR || number == ELOOP;
}

static void pass_folder(struct scan *s)
{
    struct contents *l = s->now;

    s->now = NULL;
    if (l == &s->own)
        contents_close(l);
    else
        ahead_pass(s->ahead);
}

static void leave_folder(struct scan *s)
{
    struct stat st;
    int error = s->now->error;
    bool gone = is_gone(error);
    struct level *l;

    if (s->missing && fstat(s->now->fd, &st) == 0 && st.st_nlink == 0)
        gone = true;
    str_cut(&s->path, s->path_len);
    s->e.folder_leave(s->e.ctx, str_c(&s->path), gone, error);
    if (s->freed)
        return;
    pass_folder(s);
    if (!s->recursive || gone || s->subs.len == s->path_len + 1)
        return;
    GROW(s->levels, s->depth, s->cap);
    l = &s->levels[s->depth++];
    *l = (struct level){.len = s->subs.len, .at = s->path_len + 1};
    l->names = str_detach(&s->subs);
}

/* now is open, or could not be opened; path is its path. */
static void enter_folder(struct scan *s)
{
    bool entered;

    if (s->now->fd < 0) {
        s->e.folder_leave(s->e.ctx, str_c(&s->path), is_gone(s->now->error), s->now->error);
        if (!s->freed)
            pass_folder(s);
        return;
    }
    s->folders++;
    s->path_len = s->path.len;
    s->at = 0;
    s->missing = false;
    s->dev = 0;
    str_reset(&s->subs);
    str_addn(&s->subs, str_c(&s->path), s->path_len + 1);
    entered = s->e.folder_enter(s->e.ctx, str_c(&s->path), s->now->fd);
    if (s->freed)
        return;
    if (!entered)
        pass_folder(s);
    else if (s->now == &s->own)
        contents_read(&s->lister, s->now);
}

static int64_t stamp_ns(struct statx_timestamp t)
{
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint64_t device(const struct statx *x)
{
    return makedev(x->stx_dev_major, x->stx_dev_minor);
}

static bool is_mount(struct scan *s, const struct statx *x)
{
    struct stat st;

    if (x->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return x->stx_attributes & STATX_ATTR_MOUNT_ROOT;
    if (!s->dev && fstat(s->now->fd, &st) == 0)
        s->dev = st.st_dev;
    return device(x) != s->dev;
}

static void fill_entry(struct scan *s, struct scan_entry *e, const struct statx *x)
{
    e->mode = x->stx_mode;
    e->nlink = x->stx_nlink;
    e->uid = x->stx_uid;
    e->mount = is_mount(s, x);
    e->stamp = (struct doc_stamp){
        .dev = device(x),
        .ino = x->stx_ino,
        .birth_ns = x->stx_mask & STATX_BTIME ? stamp_ns(x->stx_btime) : 0,
        .size = x->stx_size,
        .mtime_ns = stamp_ns(x->stx_mtime),
        .ctime_ns = stamp_ns(x->stx_ctime),
    };
}

/* n: bytes of its name. */
static void tell_entry(struct scan *s, struct scan_entry *e, size_t n)
{
    s->entries++;
    str_cut(&s->path, s->path_len);
    if (s->path_len)
        str_addc(&s->path, '/');
    str_addn(&s->path, e->name, n);
    e->path = str_c(&s->path);
    if (s->recursive && S_ISDIR(e->mode) && !e->mount)
        str_addn(&s->subs, e->name, n + 1);
    s->e.entry(s->e.ctx, e, s->now->fd);
}

static void next_entry(struct scan *s)
{
    const char *name = s->now->names.s + s->at + 1;
    size_t n = strlen(name);
    struct scan_entry e = {.name = name, .mode = DTTOIF((mode_t)(unsigned char)name[-1])};
    struct statx x;

    s->at += n + 2;
    if (S_ISDIR(e.mode) && s->e.plain_folders) {
        tell_entry(s, &e, n);
        return;
    }
    if (statx(s->now->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME,
              &x) == 0) {
        fill_entry(s, &e, &x);
    } else if (errno == ENOENT) {
        s->missing = true;
        return;
    } else {
        e.error = errno;
    }
    tell_entry(s, &e, n);
}

/* Makes next the path of the next folder to be opened. Returns false when there is none. */
static bool next_folder(struct scan *s)
{
    struct level *l;

    if (!s->begun)
        return s->begun = true;
    while (s->depth && s->levels[s->depth - 1].at >= s->levels[s->depth - 1].len)
        free(s->levels[--s->depth].names);
    if (!s->depth)
        return false;
    l = &s->levels[s->depth - 1];
    str_reset(&s->next);
    str_add(&s->next, l->names);
    if (s->next.len)
        str_addc(&s->next, '/');
    str_add(&s->next, l->names + l->at);
    l->at += strlen(l->names + l->at) + 1;
    return true;
}

static bool is_wanted(struct scan *s)
{
    return !s->e.skip || !s->e.skip(s->e.ctx, str_c(&s->next));
}

static void take_path(struct scan *s, const char *path)
{
    str_reset(&s->path);
    str_add(&s->path, path);
}

/* Returns false when no folder is left. */
static bool open_next(struct scan *s)
{
    do
        if (!next_folder(s))
            return false;
    while (!is_wanted(s));
    take_path(s, str_c(&s->next));
    s->now = &s->own;
    contents_open(&s->lister, str_c(&s->path), s->now);
    enter_folder(s);
    return true;
}

/* The same with the thread's help. */
static bool take_next(struct scan *s)
{
    const char *path;

    while (!ahead_full(s->ahead) && next_folder(s))
        if (is_wanted(s))
            ahead_ask(s->ahead, str_c(&s->next));
    if (ahead_empty(s->ahead))
        return false;
    s->now = ahead_first(s->ahead, s->until, &path);
    if (s->now) {
        take_path(s, path);
        enter_folder(s);
    }
    return true;
}

/* A thread for a few folders takes longer than they do. */
static void get_help(struct scan *s)
{
    if (!s->recursive || !s->e.opened || s->folders < s->e.alone)
        return;
    s->ahead = ahead_new(s->lister.root, s->e.opened, s->e.ctx);
    if (!s->ahead)
        s->e.opened = NULL; /* slower, then */
}

/* One entry, or the way into or out of a folder. Returns false when all is done. */
static bool step(struct scan *s)
{
    if (s->now) {
        if (s->at < s->now->names.len)
            next_entry(s);
        else
            leave_folder(s);
        return true;
    }
    if (!s->ahead)
        get_help(s);
    return s->ahead ? take_next(s) : open_next(s);
}

static void finish(struct scan *s)
{
    uv_idle_stop(&s->idle);
    s->finished = true;
    s->e.done(s->e.ctx);
}

static void on_idle(uv_idle_t *h)
{
    struct scan *s = h->data;
    bool more;

    s->until = uv_hrtime() + SCAN_SLICE_MS * (uint64_t)NS_PER_MS;
    if (s->e.around)
        s->e.around(s->e.ctx, true);
    do
        more = s->freed || step(s);
    while (more && !s->freed && uv_hrtime() < s->until &&
           !(s->rests = s->e.enough && s->e.enough(s->e.ctx)));
    if (!more)
        finish(s);
    else if (s->rests && !s->freed)
        uv_idle_stop(&s->idle);
    if (s->e.around)
        s->e.around(s->e.ctx, false);
}

struct scan *scan_start(uv_loop_t *loop, int root, const char *path, bool recursive,
                        const struct scan_events *e, struct error *err)
{
    struct scan *s;

    if (fcntl(root, F_GETFD) < 0) {
        error_set(err, errno, "the cabinet is not open");
        return NULL;
    }
    s = xcalloc(1, sizeof *s);
    *s = (struct scan){.e = *e, .recursive = recursive, .own = CONTENTS_INIT};
    lister_init(&s->lister, root);
    str_add(&s->next, path);
    uv_idle_init(loop, &s->idle);
    s->idle.data = s;
    uv_idle_start(&s->idle, on_idle);
    return s;
}

void scan_run(struct scan *s)
{
    s->until = UINT64_MAX;
    while (!s->freed && !s->finished)
        if (!step(s))
            finish(s);
}

void scan_go_on(struct scan *s)
{
    if (!s || !s->rests || s->freed || s->finished)
        return;
    s->rests = false;
    uv_idle_start(&s->idle, on_idle);
}

void scan_progress(const struct scan *s, uint64_t *folders, uint64_t *entries)
{
    *folders = s->folders;
    *entries = s->entries;
}

static void on_closed(uv_handle_t *h)
{
    struct scan *s = h->data;

    contents_clear(&s->own);
    while (s->depth)
        free(s->levels[--s->depth].names);
    free(s->levels);
    str_clear(&s->next);
    str_clear(&s->path);
    str_clear(&s->subs);
    lister_clear(&s->lister);
    free(s);
}

void scan_free(struct scan *s)
{
    if (!s || s->freed)
        return;
    s->freed = true;
    if (s->now && s->now != &s->own)
        pass_folder(s);
    ahead_free(s->ahead, s->e.passed);
    s->ahead = NULL;
    uv_close((uv_handle_t *)&s->idle, on_closed);
}
