/*
 * watch_world: a cabinet in a fresh temporary folder, a watcher on it, and a scanner that does what
 * every caller of the watcher does: each HINT_SCAN and HINT_AGAIN is scanned, each folder entered, each
 * that is gone forgotten. Nothing sleeps: the loop runs until what is expected is there.
 */
#ifndef ORGANIZER_TESTS_WATCH_WORLD_H
#define ORGANIZER_TESTS_WATCH_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "watch/scan.h"
#include "watch/watcher.h"

#define PATIENCE_MS 10000 /* a hint that is not there by then fails the test */

struct world {
    char top[64];  /* temporary folder */
    char path[80]; /* the cabinet in it; also the current folder */
    int root;
    uv_loop_t loop;
    struct watcher *w;
    uint64_t max_watches, sweep_ms;
    const char *known; /* what comes to this path by the rename that was told of last is told to nobody, once */
    uint32_t cookie;   /* of that rename's leaving */
    uint64_t lost;     /* times that events were lost */
    struct str seen;  /* all hints: "L path\n", "C path\n" (closed), "S path\n" */
    struct str found; /* what scans reported: "entry\n", "gone path\n" */
    char **queue;     /* paths to scan */
    size_t queue_len, queue_cap;
    void (*meanwhile)(struct world *x); /* called at every step of a scan */
    bool helped;                        /* scans have a thread's help from the second folder on */
    uint64_t refused;                   /* watcher_enter said -1 */
    struct error refusal;
};

static inline void on_hint(void *ctx, enum hint hint, const char *path, bool closed)
{
    struct world *x = ctx;

    str_addf(&x->seen, "%c %s\n", hint == HINT_SCAN ? 'S' : hint == HINT_AGAIN ? 'A' : closed ? 'C' : 'L', path);
    if (hint != HINT_LOOK) {
        GROW(x->queue, x->queue_len, x->queue_cap);
        x->queue[x->queue_len++] = xstrdup(path);
    }
}

static inline bool on_known(void *ctx, const char *path, bool came, uint32_t cookie)
{
    struct world *x = ctx;
    bool known = came && x->known && strcmp(x->known, path) == 0 && cookie &&
                 cookie == x->cookie;

    if (!came)
        x->cookie = cookie;
    if (known)
        x->known = NULL;
    return known;
}

static inline void on_lost(void *ctx)
{
    struct world *x = ctx;

    x->lost++;
}

static inline bool on_skip(void *ctx, const char *path, const char *name)
{
    (void)ctx;
    (void)path;
    return strcmp(name, ".organizer") == 0;
}

static inline bool on_enter(void *ctx, const char *path, int dirfd)
{
    struct world *x = ctx;

    if (x->meanwhile)
        x->meanwhile(x);
    if (watcher_enter(x->w, path, dirfd, &x->refusal) < 0)
        x->refused++;
    if (x->meanwhile)
        x->meanwhile(x);
    return true;
}

static inline void on_entry(void *ctx, const struct scan_entry *e, int dirfd)
{
    struct world *x = ctx;

    (void)dirfd;
    str_addf(&x->found, "%s\n", e->path);
    if (x->meanwhile)
        x->meanwhile(x);
}

static inline void on_leave(void *ctx, const char *path, bool gone, int error)
{
    struct world *x = ctx;

    (void)error;
    if (gone) {
        str_addf(&x->found, "gone %s\n", path);
        watcher_forget(x->w, path);
    }
}

static inline void on_done(void *ctx)
{
    (void)ctx;
}

static inline void on_opened(void *ctx, int dirfd, bool here)
{
    struct world *x = ctx;

    watcher_early(x->w, dirfd, here);
}

static inline void on_passed(void *ctx, int dirfd)
{
    struct world *x = ctx;

    watcher_early_passed(x->w, dirfd);
}

static inline bool on_scan_skip(void *ctx, const char *path)
{
    (void)ctx;
    return strcmp(path, ".organizer") == 0;
}

static inline void world_scan(struct world *x, const char *path)
{
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_done,
                            .skip = on_scan_skip,
                            .opened = x->helped ? on_opened : NULL,
                            .passed = on_passed,
                            .alone = 1,
                            .ctx = x};
    struct error err = ERROR_INIT;
    struct scan *s;

    s = scan_start(&x->loop, x->root, path, true, &e, &err);
    assert_non_null(s);
    scan_run(s);
    scan_free(s);
}

static inline void world_watch(struct world *x)
{
    struct watcher_options o = {x->root, x->path, x->sweep_ms, x->max_watches};
    struct watcher_events e = {on_hint, on_skip, on_known, on_lost, x};
    struct error err = ERROR_INIT;

    x->w = watcher_new(&x->loop, &o, &e, &err);
    if (!x->w)
        fail_msg("watcher_new: %s", error_text(&err));
    world_scan(x, "");
}

static inline void world_open(struct world *x)
{
    *x = (struct world){.sweep_ms = 3600000};
    strcpy(x->top, "/tmp/test-watch-XXXXXX");
    assert_non_null(mkdtemp(x->top));
    snprintf(x->path, sizeof x->path, "%s/Matters", x->top);
    assert_int_equal(mkdir(x->path, 0777), 0);
    assert_int_equal(chdir(x->path), 0);
    x->root = open(x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(x->root >= 0);
    assert_int_equal(uv_loop_init(&x->loop), 0);
}

static inline void world_close(struct world *x)
{
    char *cmd = xasprintf("chmod -R u+rwx %s; rm -rf %s", x->top, x->top);

    watcher_free(x->w);
    uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&x->loop), 0); /* nothing is left on the loop */
    close(x->root);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    while (x->queue_len)
        free(x->queue[--x->queue_len]);
    free(x->queue);
    str_clear(&x->seen);
    str_clear(&x->found);
}

/* Scans what is queued. Returns whether there was something. */
static inline bool world_work(struct world *x)
{
    bool any = x->queue_len > 0;

    while (x->queue_len) {
        char *path = x->queue[0];

        memmove(x->queue, x->queue + 1, --x->queue_len * sizeof *x->queue);
        world_scan(x, path);
        free(path);
    }
    return any;
}

/* Nothing is to be read, run or scanned any more. */
static inline void world_settle(struct world *x)
{
    size_t before;

    do {
        before = x->seen.len;
        watcher_pump(x->w);
        for (int i = 0; i < 3; i++)
            uv_run(&x->loop, UV_RUN_NOWAIT);
    } while (world_work(x) || x->seen.len != before);
}

static inline void world_reset(struct world *x)
{
    str_reset(&x->seen);
    str_reset(&x->found);
}

static inline bool has_line(const struct str *s, const char *line)
{
    AUTO_STR struct str all = STR_INIT;
    char *want = xasprintf("\n%s\n", line);
    bool has;

    str_addc(&all, '\n');
    str_add(&all, str_c(s));
    has = strstr(all.s, want) != NULL;
    free(want);
    return has;
}

static inline void on_patience(uv_timer_t *t)
{
    *(bool *)t->data = true;
}

/* Runs the loop until that hint was given. */
static inline void expect_hint(struct world *x, const char *line)
{
    bool over = false;
    uv_timer_t t;

    uv_timer_init(&x->loop, &t);
    t.data = &over;
    uv_timer_start(&t, on_patience, PATIENCE_MS, 0);
    while (!has_line(&x->seen, line) && !over)
        uv_run(&x->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&t, NULL);
    uv_run(&x->loop, UV_RUN_NOWAIT);
    if (!has_line(&x->seen, line))
        fail_msg("no hint '%s' in:\n%s", line, str_c(&x->seen));
}

static inline void expect_no_hint(struct world *x, const char *line)
{
    world_settle(x);
    if (has_line(&x->seen, line))
        fail_msg("hint '%s' in:\n%s", line, str_c(&x->seen));
}

static inline void expect_found(struct world *x, const char *line)
{
    world_settle(x);
    if (!has_line(&x->found, line))
        fail_msg("no '%s' found, but:\n%s", line, str_c(&x->found));
}

static inline size_t count_lines(const struct str *s, const char *line)
{
    size_t n = 0, len = strlen(line);

    for (const char *p = str_c(s); *p; p = strchr(p, '\n') + 1)
        n += strncmp(p, line, len) == 0 && p[len] == '\n';
    return n;
}

static inline void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0)
        fail_msg("touch %s: %s", path, strerror(errno));
    close(fd);
}

static inline void sh(const char *cmd)
{
    if (system(cmd) != 0)
        fail_msg("failed: %s", cmd);
}

/* Is dir watched under exactly this path? A file made in it must be told so. */
static inline void expect_watched(struct world *x, const char *dir)
{
    char *file = *dir ? xasprintf("%s/probe", dir) : xstrdup("probe");
    char *line = xasprintf("C %s", file);

    touch(file);
    expect_hint(x, line);
    unlink(file);
    free(line);
    free(file);
}

static inline int world_setup(void **state)
{
    struct world *x = xmalloc(sizeof *x);

    world_open(x);
    *state = x;
    return 0;
}

static inline int world_teardown(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

#endif
