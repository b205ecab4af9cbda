/* Every line of what is known to go wrong with events, as a test. */
#include "watch_world.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>

#include "watch/mounts.h"

static void a_new_file_is_told_when_it_is_closed(void **state)
{
    struct world *x = *state;

    world_watch(x);
    touch("letter.pdf");
    expect_hint(x, "C letter.pdf");
}

static void a_hard_link_is_told_though_nobody_closes_it(void **state)
{
    struct world *x = *state;

    touch("../outside");
    world_watch(x);
    assert_int_equal(link("../outside", "inside"), 0);
    expect_hint(x, "L inside");
}

static void a_file_that_gets_its_name_last_is_told_under_that_name_only(void **state)
{
    struct world *x = *state;
    char self[64];
    int fd;

    world_watch(x);
    fd = open(".", O_TMPFILE | O_RDWR, 0666);
    if (fd < 0) {
        print_message("skipped: no O_TMPFILE here: %s\n", strerror(errno));
        return;
    }
    assert_int_equal(write(fd, "x", 1), 1);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    assert_int_equal(linkat(AT_FDCWD, self, AT_FDCWD, "scan.pdf", AT_SYMLINK_FOLLOW), 0);
    close(fd);
    expect_hint(x, "L scan.pdf");
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "L scan.pdf\n");
}

static void many_events_for_one_name_are_one_hint(void **state)
{
    struct world *x = *state;

    world_watch(x);
    for (int i = 0; i < 50; i++)
        touch("growing.pdf");
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "C growing.pdf\n");
}

static void writing_on_without_closing_costs_nothing(void **state)
{
    struct world *x = *state;
    int fd;

    world_watch(x);
    fd = open("long.mp4", O_WRONLY | O_CREAT, 0666);
    world_settle(x);
    world_reset(x);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(fd, "x", 1), 1);
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "");
    close(fd);
    expect_hint(x, "C long.mp4");
}

static void reading_wakes_nobody(void **state)
{
    struct world *x = *state;
    char c;
    int fd;

    touch("read.me");
    world_watch(x);
    fd = open("read.me", O_RDONLY);
    assert_int_equal(read(fd, &c, 1), 0);
    close(fd);
    world_scan(x, "");
    watcher_pump(x->w);
    assert_string_equal(str_c(&x->seen), "");
}

static void new_attributes_are_told(void **state)
{
    struct world *x = *state;

    touch("f");
    world_watch(x);
    assert_int_equal(chmod("f", 0600), 0);
    expect_hint(x, "L f");
}

static void saving_by_renaming_over_is_told_under_the_final_name(void **state)
{
    struct world *x = *state;

    touch("Doc.docx");
    world_watch(x);
    touch("A.tmp");
    assert_int_equal(rename("A.tmp", "Doc.docx"), 0);
    expect_hint(x, "L Doc.docx");
    assert_true(has_line(&x->seen, "C A.tmp"));
}

static void what_is_known_already_is_told_once_less(void **state)
{
    struct world *x = *state;

    touch("scan.pdf");
    world_watch(x);
    x->known = "filed.pdf";
    assert_int_equal(rename("scan.pdf", "filed.pdf"), 0);
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "L scan.pdf\n");
    world_reset(x);
    x->known = "filed.pdf";
    touch("filed.pdf"); /* no renaming */
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "C filed.pdf\n");
    world_reset(x);
    x->known = NULL;
    assert_int_equal(rename("filed.pdf", "scan.pdf"), 0);
    assert_int_equal(rename("scan.pdf", "filed.pdf"), 0);
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "L filed.pdf\nL scan.pdf\n");
}

static void a_removed_file_is_told(void **state)
{
    struct world *x = *state;

    touch("f");
    world_watch(x);
    unlink("f");
    expect_hint(x, "L f");
}

static void a_tree_made_faster_than_its_watches_is_found_whole(void **state)
{
    struct world *x = *state;

    world_watch(x);
    sh("mkdir -p a/b/c && touch a/1 a/b/2 a/b/c/3");
    expect_found(x, "a/b/c/3");
    expect_found(x, "a/b/2");
    expect_found(x, "a/1");
    assert_int_equal(watcher_count(x->w), 4);
    expect_watched(x, "a/b/c");
}

static void file_as_the_folder_is_entered(struct world *x)
{
    (void)x;
    if (access("new", F_OK) == 0)
        touch("new/late");
}

static void a_file_made_between_watch_and_reading_is_not_missed(void **state)
{
    struct world *x = *state;

    world_watch(x);
    assert_int_equal(mkdir("new", 0777), 0);
    x->meanwhile = file_as_the_folder_is_entered;
    expect_found(x, "new/late");
    assert_true(has_line(&x->seen, "C new/late"));
    x->meanwhile = NULL;
}

static void a_tree_moved_in_is_scanned(void **state)
{
    struct world *x = *state;

    sh("mkdir -p ../from/sub && touch ../from/sub/f");
    world_watch(x);
    assert_int_equal(rename("../from", "to"), 0);
    expect_found(x, "to/sub/f");
    expect_watched(x, "to/sub");
}

static void a_tree_moved_out_is_given_up_with_all_its_watches(void **state)
{
    struct world *x = *state;

    sh("mkdir -p case/sub/sub");
    world_watch(x);
    assert_int_equal(watcher_count(x->w), 4);
    assert_int_equal(rename("case", "../case"), 0);
    expect_found(x, "gone case");
    assert_int_equal(watcher_count(x->w), 1);
    world_reset(x);
    touch("../case/sub/f");
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "");
}

static void a_tree_moved_out_is_given_up_even_if_nobody_scans(void **state)
{
    struct world *x = *state;

    sh("mkdir -p case/sub/sub");
    world_watch(x);
    assert_int_equal(rename("case", "../case"), 0);
    watcher_pump(x->w);
    uv_run(&x->loop, UV_RUN_NOWAIT);
    watcher_pump(x->w);
    assert_int_equal(watcher_count(x->w), 1);
}

static int enter(struct world *x, const char *path)
{
    int fd = open(*path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    assert_true(fd >= 0);
    rc = watcher_enter(x->w, path, fd, &x->refusal);
    close(fd);
    return rc;
}

/* p is not watched, what lies in it is: nothing tells that something leaves p. */
static void watch_below_unwatched(struct world *x)
{
    x->max_watches = 4;
    sh("mkdir -p ../out fill fill2 fill3");
    world_watch(x);
    sh("mkdir -p p/q/r");
    assert_int_equal(enter(x, "p"), -1);
    watcher_forget(x->w, "fill");
    watcher_forget(x->w, "fill2");
    watcher_forget(x->w, "fill3");
    assert_int_equal(enter(x, "p/q"), 0);
    assert_int_equal(enter(x, "p/q/r"), 0);
    assert_int_equal(watcher_count(x->w), 3);
}

static void a_folder_that_leaves_an_unwatched_one_is_given_up(void **state)
{
    struct world *x = *state;

    watch_below_unwatched(x);
    assert_int_equal(rename("p/q", "../out/q"), 0);
    watcher_pump(x->w);
    assert_int_equal(watcher_count(x->w), 1);
    assert_true(has_line(&x->seen, "S p/q"));
}

/* Nothing told that p/q went, and nobody would look for it again. */
static void a_folder_that_is_watched_at_last_has_only_what_is_there(void **state)
{
    struct world *x = *state;
    const char *why;

    x->max_watches = 2;
    sh("mkdir fill");
    world_watch(x);
    sh("mkdir -p p/q");
    assert_int_equal(enter(x, "p"), -1);
    assert_int_equal(enter(x, "p/q"), -1);
    assert_int_equal(watcher_unwatched(x->w, &why), 2);
    watcher_forget(x->w, "fill");
    sh("rmdir p/q");
    assert_int_equal(enter(x, "p"), 0);
    assert_int_equal(watcher_unwatched(x->w, &why), 0);
}

static void what_lay_in_a_replaced_folder_is_given_up(void **state)
{
    struct world *x = *state;

    watch_below_unwatched(x);
    sh("mv p/q ../out/q && mkdir p/q");
    assert_int_equal(enter(x, "p/q"), 0); /* before the event is read */
    assert_int_equal(watcher_count(x->w), 2);
    world_settle(x);
    world_reset(x);
    touch("../out/q/r/f");
    expect_no_hint(x, "C p/q/r/f");
}

static void the_watch_is_on_the_folder_that_is_read_whatever_its_name_now(void **state)
{
    struct world *x = *state;
    int fd;

    world_watch(x);
    sh("mkdir a");
    fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sh("mv a b && mkdir a");
    assert_int_equal(watcher_enter(x->w, "a", fd, &x->refusal), 0);
    close(fd);
    touch("b/f");
    watcher_pump(x->w);
    assert_true(has_line(&x->seen, "C b/f"));
}

/* The watcher's own descriptor, found as lsof would. */
static int find_inotify(void)
{
    for (int fd = 3; fd < 256; fd++) {
        char link[32], to[64];
        ssize_t n;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, to, sizeof to - 1);
        if (n == 18 && memcmp(to, "anon_inode:inotify", 18) == 0)
            return fd;
    }
    return -1;
}

static void an_event_of_an_unknown_watch_leads_to_a_scan_of_everything(void **state)
{
    struct world *x = *state;

    world_watch(x);
    sh("mkdir ../strange");
    assert_true(inotify_add_watch(find_inotify(), "../strange", IN_CREATE) > 0);
    touch("../strange/f");
    expect_hint(x, "S ");
}

/* The kernel gives a watch up by itself when a file system goes. */
static void a_watch_that_is_lost_leads_to_a_scan_of_its_folder(void **state)
{
    struct world *x = *state;
    int wd;

    sh("mkdir a");
    world_watch(x);
    wd = inotify_add_watch(find_inotify(), "a", IN_MASK_ADD | IN_CREATE);
    assert_true(wd > 0);
    assert_int_equal(inotify_rm_watch(find_inotify(), wd), 0);
    expect_hint(x, "S a");
    /* And it is watched again. */
    world_settle(x);
    touch("a/f");
    expect_hint(x, "C a/f");
}

static void a_tree_moved_out_and_back_has_its_place_again(void **state)
{
    struct world *x = *state;

    sh("mkdir -p case/sub");
    world_watch(x);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rename("case", "../case"), 0);
        if (i) /* once in one reading, then in two, then settled between */
            watcher_pump(x->w);
        if (i == 2)
            world_settle(x);
        assert_int_equal(rename("../case", "again"), 0);
        world_settle(x);
        assert_int_equal(watcher_count(x->w), 3);
        expect_watched(x, "again/sub");
        assert_int_equal(rename("again", "case"), 0);
        world_settle(x);
    }
    expect_watched(x, "case/sub");
}

static void a_tree_moved_within_keeps_its_watches_under_the_new_path(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/b/c d");
    world_watch(x);
    assert_int_equal(rename("a/b", "d/e"), 0);
    watcher_pump(x->w); /* events only, nothing was scanned yet */
    touch("d/e/c/f");
    watcher_pump(x->w);
    assert_true(has_line(&x->seen, "C d/e/c/f"));
    assert_true(has_line(&x->seen, "S a/b"));
    assert_true(has_line(&x->seen, "S d/e"));
    world_settle(x);
    assert_int_equal(watcher_count(x->w), 5);
}

static void a_chain_and_a_swap_of_folders_end_right(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/in_a b/in_b c/in_c");
    world_watch(x);
    sh("mv c d && mv b c && mv a b");       /* a chain */
    sh("mv b swap && mv c b && mv swap c"); /* a swap */
    world_settle(x);
    expect_watched(x, "d/in_c");
    expect_watched(x, "b/in_b");
    expect_watched(x, "c/in_a");
    assert_int_equal(watcher_count(x->w), 7);
}

static void a_folder_put_in_the_place_of_another_is_not_taken_for_it(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/old");
    world_watch(x);
    sh("mv a b && mkdir -p a/new && rm -r b/old");
    world_scan(x, ""); /* ahead of the events */
    world_settle(x);
    expect_watched(x, "a/new");
    expect_watched(x, "b");
    assert_int_equal(watcher_count(x->w), 4);
}

static void a_folder_moved_into_what_was_its_own_place_ends_right(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/b/c");
    world_watch(x);
    sh("mv a x && mkdir a && mv x a/x");
    world_scan(x, "");
    world_settle(x);
    expect_watched(x, "a/x/b/c");
    sh("mv a/x/b y && rm -r a && mv y a");
    world_scan(x, "");
    world_settle(x);
    expect_watched(x, "a/c");
    assert_int_equal(watcher_count(x->w), 3);
}

static void a_removed_tree_leaves_no_watch(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/b/c");
    world_watch(x);
    sh("rm -r a");
    expect_found(x, "gone a");
    assert_int_equal(watcher_count(x->w), 1);
}

static void an_overflow_leads_to_one_scan_of_everything(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/lost/sub b");
    world_watch(x);
    for (int i = 0; i < 20000; i++) {
        char name[32];

        snprintf(name, sizeof name, "b/%d", i);
        touch(name);
    }
    sh("mkdir -p a/new/sub && rm -r a/lost && mv a/new a/moved");
    watcher_pump(x->w);
    assert_int_equal(count_lines(&x->seen, "S "), 1);
    assert_int_equal(x->lost, 1);
    expect_found(x, "b/19999");
    expect_watched(x, "a/moved/sub");
    assert_int_equal(watcher_count(x->w), 5);
    world_reset(x);
    sh("find b -type f -delete");
    world_settle(x);
}

static void what_exceeds_the_limit_is_swept_and_the_rest_is_watched(void **state)
{
    struct world *x = *state;
    AUTO_STR struct str status = STR_INIT;
    const char *why;

    x->max_watches = 3;
    x->sweep_ms = 1;
    sh("mkdir a b c d");
    world_watch(x);
    assert_int_equal(watcher_count(x->w), 3);
    assert_int_equal(x->refused, 2);
    assert_non_null(strstr(error_text(&x->refusal), "fs.inotify.max_user_watches"));
    assert_int_equal(watcher_unwatched(x->w, &why), 2);
    assert_string_equal(why, "limit");
    str_addc(&status, '{');
    watcher_status(x->w, &status);
    str_addc(&status, '}');
    assert_non_null(strstr(status.s, "fs.inotify.max_user_watches"));
    world_reset(x);
    while (count_lines(&x->seen, "A a") + count_lines(&x->seen, "A b") +
               count_lines(&x->seen, "A c") + count_lines(&x->seen, "A d") <
           2)
        uv_run(&x->loop, UV_RUN_ONCE);
}

static void a_swept_folder_is_watched_as_soon_as_there_is_room(void **state)
{
    struct world *x = *state;
    const char *why;

    x->max_watches = 2;
    sh("mkdir a b");
    world_watch(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 1);
    sh("rmdir a b && mkdir b");
    world_settle(x);
    world_scan(x, "");
    assert_int_equal(watcher_unwatched(x->w, &why), 0);
    expect_watched(x, "b");
}

/* It leaves the cabinet and comes back, and is scanned before that it left counts. */
static void out_and_back(struct world *x)
{
    sh("mv a ../out && mv ../out/a a");
    watcher_pump(x->w);
    world_work(x);
    world_settle(x);
}

static void a_swept_folder_that_left_and_came_back_is_swept(void **state)
{
    struct world *x = *state;
    const char *why;

    x->max_watches = 1;
    sh("mkdir -p ../out a/b");
    world_watch(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 2);
    out_and_back(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 2);
    world_reset(x);
    watcher_sweep(x->w);
    assert_true(has_line(&x->seen, "A a"));
}

static void a_folder_that_came_back_when_there_was_room_is_watched(void **state)
{
    struct world *x = *state;
    const char *why;

    x->max_watches = 2;
    sh("mkdir ../out fill");
    world_watch(x);
    sh("mkdir a");
    world_settle(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 1);
    watcher_forget(x->w, "fill");
    out_and_back(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 0);
    expect_watched(x, "a");
}

static void a_swept_folder_that_is_gone_is_forgotten(void **state)
{
    struct world *x = *state;
    const char *why;

    x->max_watches = 1;
    sh("mkdir -p a/b/c d");
    world_watch(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 4);
    sh("rm -r a/b d");
    world_settle(x);
    world_scan(x, "a");
    assert_int_equal(watcher_unwatched(x->w, &why), 1);
}

static void a_deleted_cabinet_is_told(void **state)
{
    struct world *x = *state;

    world_watch(x);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(x->path), 0);
    expect_hint(x, "S ");
    expect_found(x, "gone ");
}

static void a_renamed_cabinet_is_still_watched(void **state)
{
    struct world *x = *state;

    sh("mkdir a");
    world_watch(x);
    assert_int_equal(rename("../Matters", "../Cases"), 0);
    expect_hint(x, "S ");
    expect_watched(x, "a");
}

static void a_symbolic_link_to_a_folder_is_an_entry_only(void **state)
{
    struct world *x = *state;

    sh("mkdir ../elsewhere && touch ../elsewhere/f");
    world_watch(x);
    assert_int_equal(symlink("../elsewhere", "link"), 0);
    expect_hint(x, "L link");
    world_scan(x, "");
    assert_false(has_line(&x->found, "link/f"));
    assert_int_equal(watcher_count(x->w), 1);
}

static void names_are_bytes(void **state)
{
    struct world *x = *state;

    world_watch(x);
    touch("two\nlines");
    touch("\xff\xfe");
    assert_int_equal(mkdir("d\xe9j\xe0 \n", 0777), 0);
    expect_hint(x, "C two\nlines");
    expect_hint(x, "C \xff\xfe");
    world_settle(x);
    expect_watched(x, "d\xe9j\xe0 \n");
}

static void a_skipped_folder_is_left_alone(void **state)
{
    struct world *x = *state;

    sh("mkdir plain");
    world_watch(x);
    sh("mkdir .organizer && touch .organizer/x");
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "");
    sh("rmdir .organizer 2>/dev/null || rm -r .organizer; mv plain .organizer");
    expect_found(x, "gone plain");
    assert_int_equal(watcher_count(x->w), 1);
    sh("mv .organizer plain");
    world_settle(x);
    expect_watched(x, "plain");
}

static void a_folder_that_may_be_read_again_is_scanned(void **state)
{
    struct world *x = *state;

    if (geteuid() == 0) {
        print_message("skipped: root can read everything\n");
        return;
    }
    sh("mkdir closed && touch closed/f && chmod 0 closed");
    world_watch(x);
    assert_int_equal(watcher_count(x->w), 1);
    sh("chmod 700 closed");
    expect_found(x, "closed/f");
    expect_watched(x, "closed");
}

static void a_folder_of_new_attributes_is_looked_at(void **state)
{
    struct world *x = *state;

    sh("mkdir a");
    world_watch(x);
    world_settle(x);
    world_reset(x);
    sh("chmod 750 a");
    expect_hint(x, "L a");
    assert_false(has_line(&x->seen, "S a"));
}

static void a_folder_that_gets_a_skipped_name_is_given_up(void **state)
{
    struct world *x = *state;

    sh("mkdir -p a/b");
    world_watch(x);
    sh("mv a .organizer");
    world_settle(x);
    assert_int_equal(watcher_count(x->w), 1);
    world_reset(x);
    sh("chmod 750 .organizer");
    world_settle(x);
    assert_false(has_line(&x->seen, "L .organizer"));
}

static void what_happens_beside_the_cabinet_is_not_told(void **state)
{
    struct world *x = *state;

    world_watch(x);
    world_settle(x);
    world_reset(x);
    sh("mkdir ../Matters2 && rmdir ../Matters2 && touch ../Matter && rm ../Matter");
    world_settle(x);
    assert_string_equal(str_c(&x->seen), "");
}

static void an_idle_watcher_keeps_the_loop_asleep(void **state)
{
    struct world *x = *state;
    struct pollfd p;

    sh("mkdir -p a/b");
    world_watch(x);
    sh("mv a ../a");
    world_settle(x);
    assert_int_equal(uv_backend_timeout(&x->loop), -1); /* no timer, nothing to run */
    p = (struct pollfd){uv_backend_fd(&x->loop), POLLIN, 0};
    assert_int_equal(poll(&p, 1, 0), 0);
}

/* Once: what an earlier test opened lies in a namespace that goes with the next one. */
static int own_mounts(void)
{
    static bool own;

    if (own)
        return 0;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
        print_message("skipped: may not mount here\n");
        return -1;
    }
    own = true;
    return 0;
}

static void a_mount_over_a_watched_folder_is_told_when_it_comes_and_goes(void **state)
{
    struct world *x = *state;
    AUTO_STR struct str status = STR_INIT;

    if (own_mounts() < 0)
        return;
    sh("mkdir -p 'case one/sub'");
    world_watch(x);
    assert_int_equal(mount("none", "case one", "tmpfs", 0, NULL), 0);
    expect_hint(x, "A case one");
    watcher_status(x->w, &status);
    assert_non_null(strstr(status.s, "{\"path\":\"case one\",\"type\":\"tmpfs\"}"));
    world_settle(x);
    world_scan(x, "");
    assert_false(has_line(&x->found, "gone case one"));
    world_reset(x);
    assert_int_equal(umount("case one"), 0);
    expect_hint(x, "A case one");
    world_settle(x);
    expect_watched(x, "case one/sub");
}

static void a_mount_that_barred_a_look_and_went_unseen_is_made_up_for(void **state)
{
    struct world *x = *state;

    if (own_mounts() < 0)
        return;
    sh("mkdir -p one/two");
    world_watch(x);
    assert_int_equal(mount("none", "one", "tmpfs", 0, NULL), 0);
    assert_int_equal(umount("one"), 0);
    assert_true(watcher_barred(x->w, "one/two"));
    world_settle(x);
    world_reset(x);
    assert_int_equal(mount("none", "one", "tmpfs", 0, NULL), 0);
    assert_false(watcher_barred(x->w, "one/two"));
    expect_hint(x, "A one");
    world_reset(x);
    assert_false(watcher_barred(x->w, "one/two")); /* as long as it is there */
    assert_false(watcher_barred(x->w, "one"));
    assert_int_equal(umount("one"), 0);
    expect_hint(x, "A one");
}

static void mounts_are_told_by_their_names(void **state)
{
    struct world *x = *state;
    AUTO_STR struct str status = STR_INIT;

    if (own_mounts() < 0)
        return;
    sh("mkdir ../Matters2 one 'back\\slash\ttab'");
    world_watch(x);
    assert_int_equal(mount("none", "../Matters2", "tmpfs", 0, NULL), 0);
    assert_int_equal(mount("none", "back\\slash\ttab", "tmpfs", 0, NULL), 0);
    expect_hint(x, "A back\\slash\ttab");
    assert_int_equal(mount("none", "one", "tmpfs", 0, NULL), 0);
    expect_hint(x, "A one");
    assert_int_equal(count_lines(&x->seen, "A back\\slash\ttab"), 1);
    watcher_status(x->w, &status);
    assert_non_null(strstr(status.s, "{\"path\":\"one\",\"type\":\"tmpfs\"}"));
    assert_null(strstr(status.s, "Matters2"));
    world_reset(x);
    assert_int_equal(umount("one"), 0);
    expect_hint(x, "A one");
    assert_false(has_line(&x->seen, "A back\\slash\ttab"));
    assert_int_equal(umount("back\\slash\ttab"), 0);
    assert_int_equal(umount("../Matters2"), 0);
}

static void a_cabinet_may_be_a_mount_itself(void **state)
{
    struct world *x = *state;
    AUTO_STR struct str status = STR_INIT;

    if (own_mounts() < 0)
        return;
    assert_int_equal(mount("none", x->path, "tmpfs", 0, NULL), 0);
    close(x->root);
    x->root = open(x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(chdir(x->path), 0);
    sh("mkdir a");
    world_watch(x);
    expect_watched(x, "a");
    watcher_status(x->w, &status);
    assert_non_null(strstr(status.s, "{\"path\":\"\",\"type\":\"tmpfs\"}"));
    assert_int_equal(umount2(x->path, MNT_DETACH), 0);
}

static void one_folder_by_two_paths_is_watched_once_and_swept_once(void **state)
{
    struct world *x = *state;
    const char *why;
    int fd;

    if (own_mounts() < 0)
        return;
    sh("mkdir one two");
    world_watch(x);
    assert_int_equal(mount("one", "two", "none", MS_BIND, NULL), 0);
    expect_hint(x, "A two");
    fd = open("two", O_RDONLY | O_DIRECTORY);
    assert_int_equal(watcher_enter(x->w, "two", fd, &x->refusal), -1);
    close(fd);
    assert_int_equal(watcher_unwatched(x->w, &why), 1);
    assert_string_equal(why, "mounted twice");
    expect_watched(x, "one");
    assert_int_equal(umount("two"), 0);
    world_settle(x);
    assert_int_equal(watcher_unwatched(x->w, &why), 0);
    expect_watched(x, "two");
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    assert_string_equal(mounts_network(NFS_SUPER_MAGIC), "nfs");
    assert_string_equal(mounts_network(CIFS_SUPER_MAGIC), "cifs");
    assert_string_equal(mounts_network(SMB2_SUPER_MAGIC), "smb");
    assert_string_equal(mounts_network(FUSE_SUPER_MAGIC), "fuse");
    assert_string_equal(mounts_network(V9FS_MAGIC), "9p");
    assert_string_equal(mounts_network(CEPH_SUPER_MAGIC), "ceph");
    assert_string_equal(mounts_network(AFS_FS_MAGIC), "afs");
    assert_null(mounts_network(EXT4_SUPER_MAGIC));
    assert_null(mounts_network(TMPFS_MAGIC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_new_file_is_told_when_it_is_closed),
        WORLD_TEST(a_hard_link_is_told_though_nobody_closes_it),
        WORLD_TEST(a_file_that_gets_its_name_last_is_told_under_that_name_only),
        WORLD_TEST(many_events_for_one_name_are_one_hint),
        WORLD_TEST(writing_on_without_closing_costs_nothing),
        WORLD_TEST(reading_wakes_nobody),
        WORLD_TEST(new_attributes_are_told),
        WORLD_TEST(saving_by_renaming_over_is_told_under_the_final_name),
        WORLD_TEST(what_is_known_already_is_told_once_less),
        WORLD_TEST(a_removed_file_is_told),
        WORLD_TEST(a_tree_made_faster_than_its_watches_is_found_whole),
        WORLD_TEST(a_file_made_between_watch_and_reading_is_not_missed),
        WORLD_TEST(a_tree_moved_in_is_scanned),
        WORLD_TEST(a_tree_moved_out_is_given_up_with_all_its_watches),
        WORLD_TEST(a_tree_moved_out_is_given_up_even_if_nobody_scans),
        WORLD_TEST(a_folder_that_leaves_an_unwatched_one_is_given_up),
        WORLD_TEST(a_folder_that_is_watched_at_last_has_only_what_is_there),
        WORLD_TEST(what_lay_in_a_replaced_folder_is_given_up),
        WORLD_TEST(the_watch_is_on_the_folder_that_is_read_whatever_its_name_now),
        WORLD_TEST(an_event_of_an_unknown_watch_leads_to_a_scan_of_everything),
        WORLD_TEST(a_watch_that_is_lost_leads_to_a_scan_of_its_folder),
        WORLD_TEST(a_tree_moved_out_and_back_has_its_place_again),
        WORLD_TEST(a_tree_moved_within_keeps_its_watches_under_the_new_path),
        WORLD_TEST(a_chain_and_a_swap_of_folders_end_right),
        WORLD_TEST(a_folder_put_in_the_place_of_another_is_not_taken_for_it),
        WORLD_TEST(a_folder_moved_into_what_was_its_own_place_ends_right),
        WORLD_TEST(a_removed_tree_leaves_no_watch),
        WORLD_TEST(an_overflow_leads_to_one_scan_of_everything),
        WORLD_TEST(what_exceeds_the_limit_is_swept_and_the_rest_is_watched),
        WORLD_TEST(a_swept_folder_is_watched_as_soon_as_there_is_room),
        WORLD_TEST(a_swept_folder_that_left_and_came_back_is_swept),
        WORLD_TEST(a_folder_that_came_back_when_there_was_room_is_watched),
        WORLD_TEST(a_swept_folder_that_is_gone_is_forgotten),
        WORLD_TEST(a_deleted_cabinet_is_told),
        WORLD_TEST(a_renamed_cabinet_is_still_watched),
        WORLD_TEST(a_symbolic_link_to_a_folder_is_an_entry_only),
        WORLD_TEST(names_are_bytes),
        WORLD_TEST(a_skipped_folder_is_left_alone),
        WORLD_TEST(a_folder_that_may_be_read_again_is_scanned),
        WORLD_TEST(a_folder_of_new_attributes_is_looked_at),
        WORLD_TEST(a_folder_that_gets_a_skipped_name_is_given_up),
        WORLD_TEST(what_happens_beside_the_cabinet_is_not_told),
        WORLD_TEST(an_idle_watcher_keeps_the_loop_asleep),
        WORLD_TEST(a_mount_over_a_watched_folder_is_told_when_it_comes_and_goes),
        WORLD_TEST(a_mount_that_barred_a_look_and_went_unseen_is_made_up_for),
        WORLD_TEST(mounts_are_told_by_their_names),
        WORLD_TEST(a_cabinet_may_be_a_mount_itself),
        WORLD_TEST(one_folder_by_two_paths_is_watched_once_and_swept_once),
        cmocka_unit_test(network_file_systems_are_known),
    };

    return cmocka_run_group_tests_name("watcher", tests, NULL, NULL);
}
