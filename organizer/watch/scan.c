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
#include "base/io.h"
#include "base/str.h"

#define LISTING_SIZE 65536

/* Subfolders of one folder that are still to be scanned. */
struct level {
    char *names; /* each with its NUL, one after another */
    size_t len, at;
    size_t path_len; /* of the folder's own path */
};

/* Every folder is opened by its path from the root: after a folder above was moved, a descriptor
 * kept from before would report its contents under a path where they no longer are. */
struct scan {
    uv_idle_t idle;
    int root;
    struct scan_events e;
    bool recursive, no_atime;
    bool begun, finished, freed, rests;
    struct str path;
    struct level *levels;
    size_t depth, cap;

    /* The folder being read. */
    int fd;           /* -1: none */
    size_t path_len;  /* of its path, in path */
    struct str names; /* a d_type byte and the name with its NUL, one after another */
    size_t at;        /* in names */
    struct str subs;  /* names of its subfolders */
    bool missing;     /* an entry vanished: perhaps the folder did */
    int error;
    uint64_t dev; /* 0: not asked yet */

    uint64_t folders, entries;
    char *listing; /* what getdents64 fills */
};

static bool is_gone(int number)
{
    return number == ENOENT || number == ENOTDIR || number == ELOOP;
}

static int open_folder(struct scan *s)
{
    int flags = O_RDONLY | O_DIRECTORY;
    int fd = beneath_open(s->root, str_c(&s->path), flags | (s->no_atime ? O_NOATIME : 0), 0);

    if (fd < 0 && errno == EPERM && s->no_atime) {
        /* Only the owner may; from here on reading marks folders as read. */
        s->no_atime = false;
        fd = beneath_open(s->root, str_c(&s->path), flags, 0);
    }
    return fd;
}

/* Reads all names at once, so that they are those of one moment. Returns errno or 0. */
static int read_names(struct scan *s)
{
    ssize_t n;

    str_reset(&s->names);
    while ((n = getdents64(s->fd, s->listing, LISTING_SIZE)) > 0) {
        for (const char *p = s->listing; p < s->listing + n;) {
            const struct dirent64 *d = (const void *)p;
            const char *name = d->d_name;

            p += d->d_reclen;
            if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
                continue;
            str_addc(&s->names, (char)d->d_type);
            str_addn(&s->names, name, strlen(name) + 1);
        }
    }
    return n < 0 ? errno : 0;
}

static void leave_folder(struct scan *s)
{
    struct stat st;
    bool gone = is_gone(s->error);
    struct level *l;

    if (s->missing && fstat(s->fd, &st) == 0 && st.st_nlink == 0)
        gone = true;
    str_cut(&s->path, s->path_len);
    s->e.folder_leave(s->e.ctx, str_c(&s->path), gone, s->error);
    close(s->fd);
    s->fd = -1;
    if (!s->recursive || gone || !s->subs.len || s->freed)
        return;
    GROW(s->levels, s->depth, s->cap);
    l = &s->levels[s->depth++];
    *l = (struct level){.len = s->subs.len, .path_len = s->path_len};
    l->names = str_detach(&s->subs);
}

static void enter_folder(struct scan *s)
{
    s->fd = open_folder(s);
    if (s->fd < 0) {
        int number = errno;

        s->e.folder_leave(s->e.ctx, str_c(&s->path), is_gone(number), number);
        return;
    }
    s->folders++;
    s->path_len = s->path.len;
    s->at = 0;
    s->missing = false;
    s->error = 0;
    s->dev = 0;
    str_reset(&s->subs);
    if (!s->e.folder_enter(s->e.ctx, str_c(&s->path), s->fd) || s->freed) {
        close(s->fd);
        s->fd = -1;
        return;
    }
    s->error = read_names(s);
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
    if (!s->dev && fstat(s->fd, &st) == 0)
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
    s->e.entry(s->e.ctx, e, s->fd);
}

static void next_entry(struct scan *s)
{
    const char *name = s->names.s + s->at + 1;
    size_t n = strlen(name);
    struct scan_entry e = {.name = name, .mode = DTTOIF((mode_t)(unsigned char)name[-1])};
    struct statx x;

    s->at += n + 2;
    if (S_ISDIR(e.mode) && s->e.plain_folders) {
        tell_entry(s, &e, n);
        return;
    }
    if (statx(s->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME,
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

/* Makes path that of the next folder to be read. Returns false when there is none. */
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
    str_cut(&s->path, l->path_len);
    if (l->path_len)
        str_addc(&s->path, '/');
    str_add(&s->path, l->names + l->at);
    l->at += strlen(l->names + l->at) + 1;
    return true;
}

/* One entry, or the way into or out of a folder. Returns false when all is done. */
static bool step(struct scan *s)
{
    if (s->fd >= 0) {
        if (s->at < s->names.len)
            next_entry(s);
        else
            leave_folder(s);
        return true;
    }
    if (!next_folder(s))
        return false;
    enter_folder(s);
    return true;
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
    uint64_t end = uv_hrtime() + SCAN_SLICE_MS * (uint64_t)NS_PER_MS;
    bool more;

    if (s->e.around)
        s->e.around(s->e.ctx, true);
    do
        more = step(s);
    while (more && !s->freed && uv_hrtime() < end &&
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
    *s = (struct scan){.root = root, .e = *e, .recursive = recursive, .no_atime = true, .fd = -1};
    str_add(&s->path, path);
    s->listing = xmalloc(LISTING_SIZE);
    uv_idle_init(loop, &s->idle);
    s->idle.data = s;
    uv_idle_start(&s->idle, on_idle);
    return s;
}

void scan_run(struct scan *s)
{
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

    if (s->fd >= 0)
        close(s->fd);
    while (s->depth)
        free(s->levels[--s->depth].names);
    free(s->levels);
    str_clear(&s->path);
    str_clear(&s->names);
    str_clear(&s->subs);
    free(s->listing);
    free(s);
}

void scan_free(struct scan *s)
{
    if (!s || s->freed)
        return;
    s->freed = true;
    uv_close((uv_handle_t *)&s->idle, on_closed);
}
