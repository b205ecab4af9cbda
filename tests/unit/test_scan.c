/* The scan: everything that is there, once, and the truth about what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "watch/scan.h"

struct walk {
    char top[64]; /* also the current folder */
    int root;
    uv_loop_t loop;
    struct scan *s;
    struct str told; /* "> path", "path", "< path gone errno", "done" */
    struct scan_entry last;
    const char *leave_out;
    void (*meanwhile)(struct walk *x, const char *path);
    uint64_t entries, most;
    bool unknown; /* an entry had EACCES */
    int inside;   /* folders entered and not left */
    bool free_when_done;
    bool plain; /* folders are told by name and type only */
};

static bool on_enter(void *ctx, const char *path, int dirfd)
{
    struct walk *x = ctx;
    struct stat st;

    assert_int_equal(fstat(dirfd, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    str_addf(&x->told, "> %s\n", path);
    if (x->meanwhile)
        x->meanwhile(x, path);
    if (x->leave_out && strcmp(path, x->leave_out) == 0)
        return false;
    assert_int_equal(x->inside++, 0); /* one folder at a time */
    return true;
}

static void on_entry(void *ctx, const struct scan_entry *e, int dirfd)
{
    struct walk *x = ctx;
    struct stat st;

    x->entries++;
    x->last = *e;
    x->unknown |= e->error == EACCES;
    str_addf(&x->told, "%s%s\n", e->path, e->mount ? " mount" : "");
    if (!e->error && !e->mount && !(x->plain && S_ISDIR(e->mode))) {
        assert_int_equal(fstatat(dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_ino, e->stamp.ino);
        assert_int_equal(st.st_dev, e->stamp.dev);
        assert_int_equal(st.st_mode, e->mode);
    }
}

static void on_leave(void *ctx, const char *path, bool gone, int error)
{
    struct walk *x = ctx;

    if (x->inside)
        x->inside--;
    str_addf(&x->told, "< %s %s %s\n", path, gone ? "gone" : "there",
             error ? strerrorname_np(error) : "0");
}

static void on_done(void *ctx)
{
    struct walk *x = ctx;

    str_add(&x->told, "done\n");
    if (x->free_when_done) {
        scan_free(x->s);
        x->s = NULL;
    }
}

static void start(struct walk *x, const char *path, bool recursive)
{
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_done,
                            .plain_folders = x->plain,
                            .ctx = x};
    struct error err = ERROR_INIT;

    x->s = scan_start(&x->loop, x->root, path, recursive, &e, &err);
    assert_non_null(x->s);
}

/* Three entries at a time are enough. */
static bool is_enough(void *ctx)
{
    struct walk *x = ctx;

    return x->entries >= x->most;
}

static void scan_now(struct walk *x, const char *path, bool recursive)
{
    str_reset(&x->told);
    start(x, path, recursive);
    scan_run(x->s);
    scan_free(x->s);
}

static void expect(struct walk *x, const char *want)
{
    char *line = xasprintf("\n%s\n", want);
    AUTO_STR struct str all = STR_INIT;

    str_addf(&all, "\n%s", str_c(&x->told));
    if (!strstr(all.s, line))
        fail_msg("no '%s' in\n%s", want, str_c(&x->told));
    free(line);
}

static void sh(const char *cmd)
{
    if (system(cmd) != 0)
        fail_msg("failed: %s", cmd);
}

static int setup(void **state)
{
    struct walk *x = xcalloc(1, sizeof *x);

    strcpy(x->top, "/tmp/test-scan-XXXXXX");
    assert_non_null(mkdtemp(x->top));
    assert_int_equal(chdir(x->top), 0);
    x->root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(uv_loop_init(&x->loop), 0);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct walk *x = *state;
    char *cmd = xasprintf("chmod -R u+rwx %s; rm -rf %s", x->top, x->top);

    uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&x->loop), 0);
    close(x->root);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    str_clear(&x->told);
    free(x);
    return 0;
}

static void an_empty_tree_is_one_folder(void **state)
{
    struct walk *x = *state;

    scan_now(x, "", true);
    assert_string_equal(str_c(&x->told), "> \n<  there 0\ndone\n");
}

static void a_folder_is_read_whole_before_the_next(void **state)
{
    struct walk *x = *state;

    sh("mkdir a && touch a/f");
    scan_now(x, "", true);
    assert_string_equal(str_c(&x->told), "> \na\n<  there 0\n> a\na/f\n< a there 0\ndone\n");
}

static void everything_is_told_once(void **state)
{
    struct walk *x = *state;
    uint64_t folders, entries;

    for (int i = 0; i < 20; i++) {
        char *cmd = xasprintf("mkdir -p d%d/e/f && touch d%d/1 d%d/e/2 d%d/e/f/3", i, i, i, i);

        sh(cmd);
        free(cmd);
    }
    start(x, "", true);
    scan_run(x->s);
    scan_progress(x->s, &folders, &entries);
    scan_free(x->s);
    assert_int_equal(folders, 61);
    assert_int_equal(entries, 120);
    assert_int_equal(x->entries, 120);
    expect(x, "d19/e/f/3");
}

static void only_one_folder_when_not_recursive(void **state)
{
    struct walk *x = *state;

    sh("mkdir -p a/b/c");
    scan_now(x, "a", false);
    assert_string_equal(str_c(&x->told), "> a\na/b\n< a there 0\ndone\n");
}

static void a_folder_can_be_left_out(void **state)
{
    struct walk *x = *state;

    sh("mkdir -p a b && touch a/f b/f");
    x->leave_out = "a";
    scan_now(x, "", true);
    expect(x, "b/f");
    assert_null(strstr(x->told.s, "a/f"));
    assert_null(strstr(x->told.s, "< a"));
}

static void symbolic_links_are_entries(void **state)
{
    struct walk *x = *state;

    sh("mkdir a && ln -s . a/loop && ln -s /nowhere a/dangling");
    scan_now(x, "a", true);
    assert_true(S_ISLNK(x->last.mode));
    expect(x, "a/loop");
    expect(x, "a/dangling");
    assert_null(strstr(x->told.s, "loop/"));
}

static void a_scan_does_not_follow_a_link_to_its_folder(void **state)
{
    struct walk *x = *state;

    sh("mkdir a && touch a/f && ln -s a link");
    scan_now(x, "link", true);
    assert_string_equal(str_c(&x->told), "< link gone ELOOP\ndone\n");
    scan_now(x, "link/sub", true);
    assert_string_equal(str_c(&x->told), "< link/sub gone ELOOP\ndone\n");
}

static void what_is_not_there_is_gone(void **state)
{
    struct walk *x = *state;

    scan_now(x, "no/such", true);
    assert_string_equal(str_c(&x->told), "< no/such gone ENOENT\ndone\n");
    sh("touch file");
    scan_now(x, "file", true);
    assert_string_equal(str_c(&x->told), "< file gone ENOTDIR\ndone\n");
}

static void nothing_outside_is_reached(void **state)
{
    struct walk *x = *state;

    scan_now(x, "..", true);
    assert_string_equal(str_c(&x->told), "< .. there EXDEV\ndone\n");
}

static void remove_it(struct walk *x, const char *path)
{
    (void)x;
    if (strcmp(path, "a") == 0)
        sh("rm -r a");
}

static void a_folder_that_vanishes_when_entered_is_gone(void **state)
{
    struct walk *x = *state;

    sh("mkdir -p a/sub && touch a/f");
    x->meanwhile = remove_it;
    scan_now(x, "", true);
    expect(x, "< a gone ENOENT");
}

static void remove_the_other(struct walk *x, const char *path)
{
    (void)x;
    if (*path)
        sh(*path == 'a' ? "rmdir z" : "rm -r a");
    x->meanwhile = *path ? NULL : x->meanwhile;
}

static void a_folder_that_vanishes_before_its_turn_is_gone(void **state)
{
    struct walk *x = *state;

    sh("mkdir a z");
    x->meanwhile = remove_the_other; /* whichever comes first removes the other */
    scan_now(x, "", true);
    assert_non_null(strstr(x->told.s, "gone ENOENT"));
}

static void names_of_any_bytes_are_told_as_they_are(void **state)
{
    struct walk *x = *state;
    char longest[256];

    memset(longest, 'x', 255);
    longest[255] = '\0';
    assert_int_equal(mkdir("two\nlines\xff", 0777), 0);
    close(open("two\nlines\xff/\xc3(", O_CREAT | O_WRONLY, 0666));
    close(open(longest, O_CREAT | O_WRONLY, 0666));
    scan_now(x, "", true);
    expect(x, "two\nlines\xff/\xc3(");
    expect(x, longest);
}

static void the_stamp_is_that_of_the_file(void **state)
{
    struct walk *x = *state;
    struct timespec t[2] = {{.tv_sec = 1, .tv_nsec = 5}, {.tv_sec = 1234567890, .tv_nsec = 7}};
    struct stat st;
    int fd = open("f", O_CREAT | O_WRONLY, 0640);

    assert_int_equal(write(fd, "12345", 5), 5);
    assert_int_equal(futimens(fd, t), 0);
    close(fd);
    assert_int_equal(link("f", "g"), 0);
    scan_now(x, "", true);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(x->last.stamp.size, 5);
    assert_int_equal(x->last.stamp.mtime_ns, INT64_C(1234567890000000007));
    assert_int_equal(x->last.stamp.ctime_ns, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
    assert_int_equal(x->last.nlink, 2);
    assert_int_equal(x->last.uid, geteuid());
    assert_int_equal(x->last.error, 0);
}

static void an_unreadable_folder_is_there_but_not_told(void **state)
{
    struct walk *x = *state;

    if (geteuid() == 0) {
        print_message("skipped: root can read everything\n");
        return;
    }
    sh("mkdir -p a/b c && touch a/f c/f && chmod 0 a && chmod 444 c");
    scan_now(x, "", true);
    expect(x, "< a there EACCES");
    expect(x, "c/f");
    assert_true(x->unknown);
}

static void a_deep_tree_is_scanned_to_its_end(void **state)
{
    struct walk *x = *state;
    uint64_t folders, entries;
    int fd = open(".", O_RDONLY | O_DIRECTORY);

    for (int i = 0; i < 500; i++) {
        int next;

        assert_int_equal(mkdirat(fd, "d", 0777), 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
    }
    close(fd);
    start(x, "", true);
    scan_run(x->s);
    scan_progress(x->s, &folders, &entries);
    scan_free(x->s);
    assert_int_equal(folders, 501);
}

/* What is mounted from here on nobody else sees. False, aloud, where that is not allowed. */
static bool take_own_mounts(struct walk *x)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
        print_message("skipped: may not mount here\n");
        return false;
    }
    /* The root must belong to the same name space as the mounts. */
    close(x->root);
    x->root = open(x->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return true;
}

static void a_mount_is_an_entry_and_not_entered(void **state)
{
    struct walk *x = *state;

    if (!take_own_mounts(x))
        return;
    sh("mkdir -p tmp bind a/sub && touch a/f");
    assert_int_equal(mount("none", "tmp", "tmpfs", 0, NULL), 0);
    assert_int_equal(mount("a", "bind", "none", MS_BIND, NULL), 0);
    scan_now(x, "", true);
    umount("tmp");
    umount("bind");
    expect(x, "tmp mount");
    expect(x, "bind mount");
    expect(x, "a");
    expect(x, "a/f");
    assert_null(strstr(x->told.s, "bind/"));
}

static void a_plain_folder_costs_nothing_and_a_mount_is_told_when_it_is_not_entered(void **state)
{
    struct walk *x = *state;

    x->plain = true;
    if (!take_own_mounts(x))
        return;
    sh("mkdir -p tmp a/sub && touch a/f");
    assert_int_equal(mount("none", "tmp", "tmpfs", 0, NULL), 0);
    scan_now(x, "", true);
    umount("tmp");
    expect(x, "tmp");
    expect(x, "< tmp there EXDEV");
    expect(x, "> a/sub");
    expect(x, "a/f");
    assert_null(strstr(x->told.s, "> tmp"));
}

static void a_scan_of_a_mount_says_so(void **state)
{
    struct walk *x = *state;

    if (!take_own_mounts(x))
        return;
    sh("mkdir tmp");
    assert_int_equal(mount("none", "tmp", "tmpfs", 0, NULL), 0);
    scan_now(x, "tmp", true);
    umount("tmp");
    assert_string_equal(str_c(&x->told), "< tmp there EXDEV\ndone\n");
}

/* Links of one: made and removed in half the time. */
static void make_files(int n)
{
    close(open("f0", O_CREAT | O_WRONLY, 0666));
    for (int i = 1; i < n; i++) {
        char name[32];

        snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(link("f0", name), 0);
    }
}

static void a_large_folder_is_looked_at_in_slices(void **state)
{
    struct walk *x = *state;
    int turns = 0;

    make_files(20000);
    start(x, "", true);
    while (!strstr(str_c(&x->told), "done") && ++turns)
        uv_run(&x->loop, UV_RUN_NOWAIT);
    assert_true(turns > 2);
    assert_int_equal(x->entries, 20000);
    scan_free(x->s);
}

static void what_vanishes_between_slices_is_not_told(void **state)
{
    struct walk *x = *state;

    make_files(20000);
    start(x, "", true);
    uv_run(&x->loop, UV_RUN_NOWAIT);
    assert_true(x->entries < 20000);
    sh("find . -type f -delete");
    str_reset(&x->told);
    scan_run(x->s);
    scan_free(x->s);
    assert_string_equal(str_c(&x->told), "<  there 0\ndone\n");
}

static void a_folder_that_vanishes_between_slices_is_gone(void **state)
{
    struct walk *x = *state;

    assert_int_equal(mkdir("a", 0777), 0);
    assert_int_equal(chdir("a"), 0);
    make_files(20000);
    assert_int_equal(chdir(".."), 0);
    start(x, "a", true);
    uv_run(&x->loop, UV_RUN_NOWAIT);
    assert_true(x->entries < 20000);
    sh("rm -r a");
    scan_run(x->s);
    scan_free(x->s);
    expect(x, "< a gone 0");
}

static void a_scan_may_be_freed_when_done(void **state)
{
    struct walk *x = *state;

    x->free_when_done = true;
    start(x, "", true);
    while (x->s)
        uv_run(&x->loop, UV_RUN_NOWAIT);
    expect(x, "done");
    start(x, "", true);
    scan_run(x->s);
    assert_null(x->s);
}

static void a_scan_may_be_stopped_anywhere(void **state)
{
    struct walk *x = *state;

    sh("mkdir -p a/b");
    make_files(20000);
    start(x, "", true);
    uv_run(&x->loop, UV_RUN_NOWAIT);
    scan_free(x->s);
    scan_free(NULL);
    uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_null(strstr(str_c(&x->told), "done"));
}

static void on_around(void *ctx, bool begin)
{
    struct walk *x = ctx;

    str_add(&x->told, begin ? "{\n" : "}\n");
}

static void free_at_a(struct walk *x, const char *path)
{
    if (strcmp(path, "a") == 0)
        scan_free(x->s);
}

/* Whoever is told where a turn of the loop begins and ends is told so of each, also of the one in which the
 * scan is freed. */
static void turns_are_told_and_a_scan_may_be_freed_in_one(void **state)
{
    struct walk *x = *state;
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_done,
                            .around = on_around,
                            .ctx = x};
    struct error err = ERROR_INIT;

    sh("mkdir -p a/b");
    x->s = scan_start(&x->loop, x->root, "", true, &e, &err);
    while (uv_run(&x->loop, UV_RUN_ONCE))
        ;
    expect(x, "done\n}");
    assert_int_equal(strncmp(x->told.s, "{\n> \n", 5), 0);
    scan_go_on(x->s);
    scan_free(x->s);
    str_reset(&x->told);
    x->meanwhile = free_at_a;
    x->s = scan_start(&x->loop, x->root, "", true, &e, &err);
    while (uv_run(&x->loop, UV_RUN_ONCE))
        ;
    expect(x, "> a\n}");
    assert_null(strstr(x->told.s, "done"));
}

static void it_rests_when_told_enough_and_goes_on(void **state)
{
    struct walk *x = *state;
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_done,
                            .enough = is_enough,
                            .ctx = x};
    struct error err = ERROR_INIT;

    sh("mkdir a b && touch a/1 a/2 a/3 a/4 b/1 b/2");
    x->s = scan_start(&x->loop, x->root, "", true, &e, &err);
    for (x->most = 3; x->most <= 9; x->most += 3) {
        assert_null(strstr(str_c(&x->told), "done"));
        scan_go_on(x->s);
        scan_go_on(x->s);
        uv_run(&x->loop, UV_RUN_DEFAULT); /* nothing is left to do while it rests */
        assert_int_equal(x->entries, x->most > 8 ? 8 : x->most);
    }
    expect(x, "done");
    scan_go_on(x->s);
    scan_free(x->s);
    uv_run(&x->loop, UV_RUN_DEFAULT);
}

#define SCAN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCAN_TEST(an_empty_tree_is_one_folder),
        SCAN_TEST(a_folder_is_read_whole_before_the_next),
        SCAN_TEST(everything_is_told_once),
        SCAN_TEST(only_one_folder_when_not_recursive),
        SCAN_TEST(a_folder_can_be_left_out),
        SCAN_TEST(symbolic_links_are_entries),
        SCAN_TEST(a_scan_does_not_follow_a_link_to_its_folder),
        SCAN_TEST(what_is_not_there_is_gone),
        SCAN_TEST(nothing_outside_is_reached),
        SCAN_TEST(a_folder_that_vanishes_when_entered_is_gone),
        SCAN_TEST(a_folder_that_vanishes_before_its_turn_is_gone),
        SCAN_TEST(names_of_any_bytes_are_told_as_they_are),
        SCAN_TEST(the_stamp_is_that_of_the_file),
        SCAN_TEST(an_unreadable_folder_is_there_but_not_told),
        SCAN_TEST(a_deep_tree_is_scanned_to_its_end),
        SCAN_TEST(a_mount_is_an_entry_and_not_entered),
        SCAN_TEST(a_plain_folder_costs_nothing_and_a_mount_is_told_when_it_is_not_entered),
        SCAN_TEST(a_scan_of_a_mount_says_so),
        SCAN_TEST(a_large_folder_is_looked_at_in_slices),
        SCAN_TEST(what_vanishes_between_slices_is_not_told),
        SCAN_TEST(a_folder_that_vanishes_between_slices_is_gone),
        SCAN_TEST(a_scan_may_be_freed_when_done),
        SCAN_TEST(a_scan_may_be_stopped_anywhere),
        SCAN_TEST(turns_are_told_and_a_scan_may_be_freed_in_one),
        SCAN_TEST(it_rests_when_told_enough_and_goes_on),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
