/*
 * The watcher while the nth of its calls fails, for every n: it is not there and says why, or what it missed is
 * made good by the next scan; file systems that tell nothing; and mounts, as a cabinet may meet them.
 */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */

#include "watch_world.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "failing_calls.h"
#include "watch/mounts.h"
#include "watch/tree.h"

/* ---- more calls that fail ------------------------------------------------------------------------ */

int inotify_init1(int flags)
{
    return hits("inotify_init1", -1, false) ? failed() : (int)raw(SYS_inotify_init1, flags, 0, 0, 0, 0);
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    return hits("inotify_add_watch", -1, false)
               ? failed()
               : (int)raw(SYS_inotify_add_watch, fd, (long)path, mask, 0, 0);
}

ssize_t readlink(const char *path, char *buf, size_t n)
{
    return hits("readlink", -1, false) ? failed()
                                       : raw(SYS_readlinkat, AT_FDCWD, (long)path, (long)buf, (long)n, 0);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    if (flags & O_CREAT) {
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    return hits("open", -1, false) ? failed() : (int)raw(SYS_openat, AT_FDCWD, (long)path, flags, mode, 0);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    long arg;

    va_start(ap, request);
    arg = va_arg(ap, long);
    va_end(ap);
    return hits("ioctl", -1, false) ? failed() : (int)raw(SYS_ioctl, fd, (long)request, arg, 0, 0);
}

ssize_t getdents64(int fd, void *buf, size_t n)
{
    return hits("getdents64", fd, false) ? failed() : raw(SYS_getdents64, fd, (long)buf, (long)n, 0, 0);
}

/* ---- what fails ---------------------------------------------------------------------------------- */

static struct watcher *new_watcher(struct world *x, struct error *err)
{
    struct watcher_options o = {x->root, x->path, x->sweep_ms, x->max_watches};
    struct watcher_events e = {on_hint, on_skip, on_known, on_lost, x};

    return watcher_new(&x->loop, &o, &e, err);
}

static void what_cannot_be_had_is_said(void **state)
{
    unsigned n = 0, none = 0;
    bool hit = true;

    (void)state;
    while (hit) {
        struct error err = ERROR_INIT;
        struct world x;

        world_open(&x);
        sys.with = EMFILE;
        fail_at(FAIL, ++n);
        x.w = new_watcher(&x, &err);
        hit = was_hit();
        if (!x.w) {
            assert_true(hit && *err.text != '\0');
            none++;
        } else {
            world_scan(&x, "");
            expect_watched(&x, "");
        }
        world_close(&x);
    }
    assert_true(none >= 5);
}

/* All that the watcher and a scan do while folders and documents come, go and move. */
static void a_busy_moment(struct world *x)
{
    AUTO_STR struct str status = STR_INIT;

    world_scan(x, "");
    assert_int_equal(mkdir("new", 0777), 0);
    assert_int_equal(mkdir("new/below", 0777), 0);
    assert_int_equal(rename("a/b", "moved"), 0);
    assert_int_equal(rename("letter.pdf", "order.pdf"), 0);
    assert_int_equal(rmdir("a"), 0);
    world_settle(x);
    watcher_sweep(x->w);
    world_settle(x);
    watcher_status(x->w, &status);
}

static void missed_while(int with)
{
    unsigned n = 0;
    bool hit = true;

    while (hit) {
        struct error err = ERROR_INIT;
        const char *why;
        struct world x;

        world_open(&x);
        sh("mkdir -p a/b && : >letter.pdf");
        x.w = new_watcher(&x, &err);
        assert_non_null(x.w);
        sys.with = with;
        fail_at(FAIL, ++n);
        a_busy_moment(&x);
        hit = was_hit();
        /* The sweep of the night. */
        world_scan(&x, "");
        world_settle(&x);
        world_reset(&x);
        world_scan(&x, "");
        if (!has_line(&x.found, "order.pdf") || !has_line(&x.found, "new/below") ||
            !has_line(&x.found, "moved") || has_line(&x.found, "a"))
            fail_msg("%s failed (call %u): found\n%s", sys.hit, n, str_c(&x.found));
        if (watcher_unwatched(x.w, &why) != 0 || watcher_count(x.w) != 4)
            fail_msg("%s failed (call %u): %s", sys.hit, n, why);
        expect_watched(&x, "moved");
        expect_watched(&x, "new/below");
        assert_true(watcher_tells(x.w, "new/below"));
        world_close(&x);
    }
    assert_true(n > 20);
}

static void what_was_missed_is_made_good_by_a_scan(void **state)
{
    (void)state;
    missed_while(EIO);
    missed_while(EPERM);
}

static void without_room_for_a_watch_the_advice_is_given(void **state)
{
    struct world *x = *state;
    AUTO_STR struct str status = STR_INIT;
    struct error err = ERROR_INIT;
    const char *why;

    x->w = new_watcher(x, &err);
    assert_non_null(x->w);
    sys.with = ENOSPC;
    for (unsigned n = 1; watcher_unwatched(x->w, &why) == 0; n++) {
        fail_at(FAIL, n);
        world_scan(x, "");
        assert_true(was_hit());
    }
    assert_string_equal(why, "limit");
    assert_false(watcher_tells(x->w, ""));
    watcher_status(x->w, &status);
    assert_non_null(strstr(status.s, "fs.inotify.max_user_watches"));
    assert_non_null(strstr(status.s, "{\"path\":\"\",\"why\":\"limit\"}"));
}

/* ---- where nothing is told ----------------------------------------------------------------------- */

static void a_network_file_system_is_swept(void **state)
{
    struct world *x = *state;
    AUTO_STR struct str status = STR_INIT;
    const char *why;

    sh("mkdir -p a/b");
    sys.file_system = NFS_SUPER_MAGIC;
    world_watch(x);
    sys.file_system = 0;
    assert_int_equal(watcher_unwatched(x->w, &why), 3);
    assert_string_equal(why, "nfs");
    assert_non_null(strstr(x->refusal.text, "nfs"));
    assert_false(watcher_tells(x->w, "a"));
    watcher_status(x->w, &status);
    assert_non_null(strstr(status.s, "\"why\":\"nfs\""));
    /* Another computer removes one, and makes one: only the sweep can tell. */
    world_settle(x);
    world_reset(x);
    watcher_sweep(x->w);
    expect_hint(x, "A ");
    sh("rmdir a/b && mkdir a/c");
    world_settle(x);
    world_scan(x, "");
    assert_int_equal(watcher_unwatched(x->w, &why), 3);
}

static void a_scan_of_a_cabinet_that_is_closed_is_none(void **state)
{
    struct world *x = *state;
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_done,
                            .ctx = x};
    struct error err = ERROR_INIT;

    assert_null(scan_start(&x->loop, -1, "", true, &e, &err));
    assert_non_null(strstr(err.text, "not open"));
}

static void what_is_not_there_is_freed(void **state)
{
    (void)state;
    watcher_free(NULL);
    scan_free(NULL);
    scan_go_on(NULL);
    mounts_free(NULL);
    tree_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_had_is_said),
        cmocka_unit_test(what_was_missed_is_made_good_by_a_scan),
        WORLD_TEST(without_room_for_a_watch_the_advice_is_given),
        WORLD_TEST(a_network_file_system_is_swept),
        WORLD_TEST(a_scan_of_a_cabinet_that_is_closed_is_none),
        cmocka_unit_test(what_is_not_there_is_freed),
    };

    sys.file_system = 0;
    return cmocka_run_group_tests_name("watcher faults", tests, NULL, NULL);
}
