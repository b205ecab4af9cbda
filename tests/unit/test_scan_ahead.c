/* A scan with another thread's help, and the watches that it sets before the picture has the folder. */
#include "watch_world.h"

#include "descriptors.h"
#include "watch/ahead.h"

/* ---- the scan ------------------------------------------------------------------------------------- */

struct helped {
    struct world *x;
    struct scan *scan;
    bool late;        /* opened puts a document into each folder */
    unsigned opened;  /* by the other thread, which is over when that is read */
    unsigned entered, passed, left;
    size_t entries, most; /* it rests after that many */
    bool done;
};

static bool count_enter(void *ctx, const char *path, int dirfd)
{
    struct helped *h = ctx;
    struct stat st;

    assert_int_equal(fstat(dirfd, &st), 0);
    str_addf(&h->x->found, "> %s\n", path);
    h->entered++;
    return strcmp(path, "f3") != 0;
}

static void count_entry(void *ctx, const struct scan_entry *e, int dirfd)
{
    struct helped *h = ctx;

    (void)dirfd;
    h->entries++;
    str_addf(&h->x->found, "%s\n", e->path);
}

static void count_leave(void *ctx, const char *path, bool gone, int error)
{
    struct helped *h = ctx;

    h->left++;
    str_addf(&h->x->found, "< %s%s%s\n", path, gone ? " gone" : "", error ? " error" : "");
}

static void note_done(void *ctx)
{
    struct helped *h = ctx;

    h->done = true;
}

static bool is_enough(void *ctx)
{
    const struct helped *h = ctx;

    return h->most && h->entries >= h->most;
}

static void count_opened(void *ctx, int dirfd, bool here)
{
    struct helped *h = ctx;

    h->opened++;
    if (here) {
        struct stat a, b;

        assert_int_equal(fstat(dirfd, &a), 0);
        assert_int_equal(stat(".", &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
    }
    if (h->late)
        close(openat(dirfd, "late.pdf", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
}

static void count_passed(void *ctx, int dirfd)
{
    struct helped *h = ctx;
    struct stat st;

    assert_int_equal(fstat(dirfd, &st), 0);
    h->passed++;
}

static bool skip_f1(void *ctx, const char *path)
{
    (void)ctx;
    return strcmp(path, "f1") == 0;
}

static void start_helped(struct helped *h, struct world *x)
{
    struct scan_events e = {.folder_enter = count_enter,
                            .entry = count_entry,
                            .folder_leave = count_leave,
                            .done = note_done,
                            .enough = is_enough,
                            .plain_folders = true,
                            .skip = skip_f1,
                            .opened = count_opened,
                            .passed = count_passed,
                            .alone = 1,
                            .ctx = h};
    struct error err = ERROR_INIT;

    h->x = x;
    h->scan = scan_start(&x->loop, x->root, "", true, &e, &err);
    assert_non_null(h->scan);
}

static void run_helped(struct helped *h, struct world *x)
{
    start_helped(h, x);
    while (!h->done)
        uv_run(&x->loop, UV_RUN_ONCE);
    scan_free(h->scan);
}

static size_t count_found(const struct world *x, const char *before, int i, const char *after)
{
    AUTO_STR struct str line = STR_INIT;

    str_addf(&line, "%s%d%s", before, i, after);
    return count_lines(&x->found, line.s);
}

static void every_folder_is_told_once_and_what_is_in_it(void **state)
{
    struct world *x = *state;
    struct helped h = {.late = true};

    sh("for i in 1 2 3 4 5 6 7 8 9; do mkdir -p f$i/a/b f$i/c; : >f$i/a/doc; done");
    run_helped(&h, x);
    /* The root was read before there was help; f1 is not opened and f3 not gone into. */
    assert_int_equal(h.opened, 7 * 4 + 1);
    assert_int_equal(h.entered, h.opened + 1);
    assert_int_equal(h.left, h.entered - 1);
    assert_int_equal(h.passed, 0);
    for (int i = 1; i <= 9; i++) {
        unsigned times = i != 1 && i != 3;

        assert_int_equal(count_found(x, "> f", i, "/a/b"), times);
        assert_int_equal(count_found(x, "f", i, "/a/b"), times);
        assert_int_equal(count_found(x, "f", i, "/a/doc"), times);
        assert_int_equal(count_found(x, "< f", i, "/a/b"), times);
        /* They came when the folder was open already. */
        assert_int_equal(count_found(x, "f", i, "/late.pdf"), times);
        assert_int_equal(count_found(x, "f", i, "/a/b/late.pdf"), times);
    }
}

static void what_went_meanwhile_is_gone(void **state)
{
    struct world *x = *state;
    struct helped h = {.most = 40};

    sh("for i in $(seq 10 49); do mkdir -p g$i; done");
    start_helped(&h, x);
    uv_run(&x->loop, UV_RUN_DEFAULT); /* it rests with the root read */
    sh("rmdir g*; : >g10");
    h.most = 0;
    scan_go_on(h.scan);
    while (!h.done)
        uv_run(&x->loop, UV_RUN_ONCE);
    scan_free(h.scan);
    assert_true(has_line(&x->found, "< g10 gone error"));
    assert_true(has_line(&x->found, "< g49 gone error"));
    assert_int_equal(h.left, 41);
}

static void what_was_opened_and_is_not_entered_is_told(void **state)
{
    struct world *x = *state;

    sh("for i in $(seq 10 89); do mkdir -p g$i/h; : >g$i/1; : >g$i/2; done");
    for (size_t most = 80; most < 250; most += 13) {
        struct helped h = {.most = most};
        unsigned open = open_descriptors();

        start_helped(&h, x);
        uv_run(&x->loop, UV_RUN_DEFAULT);
        assert_false(h.done);
        scan_free(h.scan);
        assert_int_equal(h.opened, h.entered - 1 + h.passed);
        uv_run(&x->loop, UV_RUN_DEFAULT);
        assert_int_equal(open_descriptors(), open);
    }
}

/* What waits to be told is bounded, and yet all of it comes. */
static void folders_with_more_names_than_may_wait_come_too(void **state)
{
    struct world *x = *state;
    struct helped h = {0};

    sh("n=$(printf %0200d 0); for i in $(seq 10 21); do mkdir g$i; done; : >g10/$n;"
       "seq 1 1000 | sed \"s/$/$n/\" | (cd g10 && xargs touch); for i in $(seq 11 21); do cp -rl g10/. g$i; done");
    run_helped(&h, x);
    assert_int_equal(h.entries, 12 + 12 * 1001);
}

static void a_picture_made_with_help_is_the_same(void **state)
{
    struct world *x = *state;
    const char *why;

    sh("for i in $(seq 10 29); do mkdir -p g$i/a/b g$i/c; done; mkdir -p .organizer/below");
    x->helped = true;
    world_watch(x);
    world_settle(x);
    assert_int_equal(watcher_count(x->w), 81);
    assert_int_equal(watcher_unwatched(x->w, &why), 0);
    assert_string_equal(str_c(&x->seen), "");
    expect_watched(x, "g29/a/b");
    sh("mv g10 .organizer && mv g11/a g12/d");
    world_settle(x);
    assert_int_equal(watcher_count(x->w), 77);
    expect_watched(x, "g12/d/b");
    assert_int_equal(count_lines(&x->seen, "S "), 0);
}

/* ---- watches before the picture ------------------------------------------------------------------- */

static int set_early(struct world *x, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    watcher_early(x->w, fd, false);
    return fd;
}

/* Two new folders, nothing of which was told yet. */
static void set_two_early(struct world *x, int *a, int *b)
{
    world_watch(x);
    sh("mkdir a b");
    watcher_pump(x->w);
    world_reset(x);
    *a = set_early(x, "a");
    *b = set_early(x, "b");
}

static int enter_early(struct world *x, const char *path, int fd)
{
    int rc = watcher_enter(x->w, path, fd, &x->refusal);

    close(fd);
    return rc;
}

static void what_happens_before_a_folder_is_entered_leads_to_a_second_look(void **state)
{
    struct world *x = *state;
    int a, b;

    set_two_early(x, &a, &b);
    touch("a/f");
    watcher_pump(x->w);
    assert_string_equal(str_c(&x->seen), ""); /* nobody knows yet where that is */
    assert_int_equal(enter_early(x, "a", a), 0);
    assert_string_equal(str_c(&x->seen), "A a\n");
    assert_int_equal(enter_early(x, "b", b), 0);
    assert_string_equal(str_c(&x->seen), "A a\n");
    touch("b/f"); /* this can be told */
    watcher_pump(x->w);
    assert_true(has_line(&x->seen, "C b/f"));
}

static void what_can_be_told_is_told_at_once(void **state)
{
    struct world *x = *state;
    int a;

    sh("mkdir a");
    world_watch(x);
    a = set_early(x, "a");
    touch("a/f");
    watcher_pump(x->w);
    assert_string_equal(str_c(&x->seen), "C a/f\n");
    assert_int_equal(enter_early(x, "a", a), 0);
    assert_string_equal(str_c(&x->seen), "C a/f\n");
}

/* It is entered under a path where it is no longer, and watched where it is. */
static void a_folder_that_moves_before_it_is_entered_is_found_where_it_is(void **state)
{
    struct world *x = *state;
    const char *why;
    int a;

    sh("mkdir -p a/below c");
    world_watch(x);
    a = set_early(x, "a");
    touch("a/f");
    sh("mv a c/b");
    watcher_pump(x->w);
    touch("c/b/g");
    enter_early(x, "a", a);
    assert_true(has_line(&x->seen, "A a"));
    world_settle(x);
    assert_true(has_line(&x->found, "c/b/g"));
    assert_int_equal(watcher_count(x->w), 4);
    assert_int_equal(watcher_unwatched(x->w, &why), 0);
    expect_watched(x, "c/b");
    expect_watched(x, "c/b/below");
}

static void a_folder_that_goes_before_it_is_entered_is_forgotten(void **state)
{
    struct world *x = *state;
    int a, b;

    set_two_early(x, &a, &b);
    sh("rmdir a && mv b c");
    watcher_pump(x->w);
    enter_early(x, "a", a);
    enter_early(x, "b", b);
    assert_true(has_line(&x->seen, "A b"));
    world_settle(x);
    assert_int_equal(watcher_count(x->w), 2);
    expect_watched(x, "c");
    assert_int_equal(count_lines(&x->seen, "S "), 0);
}

static void a_watch_that_was_taken_away_is_set_again(void **state)
{
    struct world *x = *state;
    int a;

    sh("mkdir a");
    world_watch(x);
    a = set_early(x, "a");
    watcher_forget(x->w, "a"); /* the same watch */
    for (int i = 0; i < 3; i++)
        uv_run(&x->loop, UV_RUN_NOWAIT);
    watcher_pump(x->w);
    assert_int_equal(watcher_count(x->w), 1);
    assert_int_equal(enter_early(x, "a", a), 0);
    assert_true(has_line(&x->seen, "A a"));
    expect_watched(x, "a");
}

static void what_is_not_entered_gives_its_watch_back(void **state)
{
    struct world *x = *state;
    int fd;

    sh("mkdir a");
    world_watch(x);
    sh("mkdir b");
    watcher_pump(x->w);
    world_reset(x);
    fd = set_early(x, "b");
    watcher_early_passed(x->w, fd);
    close(fd);
    fd = set_early(x, "a");
    watcher_early_passed(x->w, fd);
    watcher_early_passed(x->w, fd);
    close(fd);
    for (int i = 0; i < 3; i++)
        uv_run(&x->loop, UV_RUN_NOWAIT);
    touch("b/f");
    watcher_pump(x->w);
    assert_string_equal(str_c(&x->seen), "");
    expect_watched(x, "a");
}

static void at_the_limit_an_early_watch_is_given_back(void **state)
{
    struct world *x = *state;
    const char *why;
    int a;

    x->max_watches = 1;
    world_watch(x);
    sh("mkdir a");
    a = set_early(x, "a");
    assert_int_equal(enter_early(x, "a", a), -1);
    assert_int_equal(watcher_unwatched(x->w, &why), 1);
    assert_string_equal(why, "limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_folder_is_told_once_and_what_is_in_it),
        WORLD_TEST(what_went_meanwhile_is_gone),
        WORLD_TEST(what_was_opened_and_is_not_entered_is_told),
        WORLD_TEST(folders_with_more_names_than_may_wait_come_too),
        WORLD_TEST(a_picture_made_with_help_is_the_same),
        WORLD_TEST(what_happens_before_a_folder_is_entered_leads_to_a_second_look),
        WORLD_TEST(what_can_be_told_is_told_at_once),
        WORLD_TEST(a_folder_that_moves_before_it_is_entered_is_found_where_it_is),
        WORLD_TEST(a_folder_that_goes_before_it_is_entered_is_forgotten),
        WORLD_TEST(a_watch_that_was_taken_away_is_set_again),
        WORLD_TEST(what_is_not_entered_gives_its_watch_back),
        WORLD_TEST(at_the_limit_an_early_watch_is_given_back),
    };

    return cmocka_run_group_tests_name("scan ahead", tests, NULL, NULL);
}
