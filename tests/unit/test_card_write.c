/* card_write: a card is changed while people save it. renameat2() is defined here: it stands before
 * libc's, and lets somebody save at that moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/card_write.h"
#include "file/lease.h"

static const struct card_change to_closed[] = {{.field = "Status", .value = "closed"}};
static char dir_name[64];
static int dir;
static unsigned renames;
static void (*before_rename)(unsigned n); /* n: 1 for the first */

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    renames++;
    if (before_rename)
        before_rename(renames);
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static unsigned syncs, sync_fails; /* so far; the one that fails, 0 for none */

int fsync(int fd)
{
    if (++syncs == sync_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static void put(const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

/* As Word saves: another file under the name. */
static void put_over(const char *text)
{
    put("new", text);
    assert_int_equal(renameat(dir, "new", dir, "Case.txt"), 0);
}

static void assert_holds(const char *name, const char *text)
{
    AUTO_STR struct str s = STR_INIT;

    assert_int_equal(io_read_file(dir, name, &s, 1000), 0);
    assert_string_equal(str_c(&s), text);
}

static unsigned files(void)
{
    DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
    unsigned n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static enum card_written write_it(void)
{
    struct error err = ERROR_INIT;

    return card_write(dir, to_closed, 1, NULL, NULL, &err);
}

static int fresh(void **state)
{
    (void)state;
    lease_block_signal();
    renames = syncs = sync_fails = 0;
    before_rename = NULL;
    snprintf(dir_name, sizeof dir_name, "/tmp/card-XXXXXX");
    if (!mkdtemp(dir_name))
        return -1;
    dir = open(dir_name, O_RDONLY | O_DIRECTORY);
    if (dir < 0)
        return -1;
    put("Case.txt", "Status: open\n");
    return 0;
}

static int gone(void **state)
{
    char command[128];

    (void)state;
    close(dir);
    snprintf(command, sizeof command, "rm -r '%s'", dir_name);
    return system(command);
}

static void it_says_so_then(void **state)
{
    (void)state;
    assert_int_equal(write_it(), CARD_WRITTEN);
    assert_holds("Case.txt", "Status: closed\n");
    assert_int_equal(files(), 1);
    assert_int_equal(write_it(), CARD_SAME);
}

static void mode_and_attributes_stay(void **state)
{
    struct stat st;
    char value[8] = "";

    (void)state;
    assert_int_equal(fchmodat(dir, "Case.txt", 0604, 0), 0);
    int fd = openat(dir, "Case.txt", O_RDONLY);
    if (fsetxattr(fd, "user.tag", "red", 3, 0) < 0)
        skip();
    close(fd);
    assert_int_equal(write_it(), CARD_WRITTEN);
    fd = openat(dir, "Case.txt", O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0604);
    assert_int_equal(fgetxattr(fd, "user.tag", value, sizeof value), 3);
    assert_memory_equal(value, "red", 3);
    close(fd);
}

static void one_that_is_open_for_writing_is_left(void **state)
{
    int fd = openat(dir, "Case.txt", O_WRONLY);

    (void)state;
    assert_int_equal(write_it(), CARD_OPEN);
    assert_holds("Case.txt", "Status: open\n");
    assert_int_equal(files(), 1);
    close(fd);
    assert_int_equal(write_it(), CARD_WRITTEN);
}

static void save_over_once(unsigned n)
{
    if (n == 1)
        put_over("Status: open\nNote: mine\n");
}

static void what_somebody_saves_meanwhile_is_kept_and_changed(void **state)
{
    (void)state;
    before_rename = save_over_once;
    assert_int_equal(write_it(), CARD_WRITTEN);
    assert_holds("Case.txt", "Status: closed\nNote: mine\n");
    assert_int_equal(files(), 1);
}

static void save_over_twice(unsigned n)
{
    if (n == 1)
        put_over("Status: open\nNote: first\n");
    else if (n == 2)
        put_over("Status: open\nNote: second\n");
}

static void what_comes_between_is_set_aside(void **state)
{
    (void)state;
    before_rename = save_over_twice;
    assert_int_equal(write_it(), CARD_WRITTEN);
    assert_holds("Case.txt", "Status: closed\nNote: first\n");
    assert_holds("Case (yours).txt", "Status: open\nNote: second\n");
    assert_int_equal(files(), 2);
}

static void what_was_set_aside_before_stays(void **state)
{
    (void)state;
    put("Case (yours).txt", "of last week\n");
    before_rename = save_over_twice;
    assert_int_equal(write_it(), CARD_WRITTEN);
    assert_holds("Case (yours).txt", "of last week\n");
    assert_holds("Case (yours 2).txt", "Status: open\nNote: second\n");
    assert_int_equal(files(), 3);
}

static void a_card_that_does_not_reach_the_disk_is_not_replaced(void **state)
{
    (void)state;
    sync_fails = 1;
    assert_int_equal(write_it(), CARD_FAILED);
    assert_holds("Case.txt", "Status: open\n");
    assert_int_equal(files(), 1);
    syncs = 0;
    sync_fails = 2; /* of the folder: it has been replaced */
    assert_int_equal(write_it(), CARD_FAILED);
    assert_holds("Case.txt", "Status: closed\n");
    assert_int_equal(files(), 1);
}

static void wait_to_open(unsigned n)
{
    /* Fails with EAGAIN, and tells the kernel that somebody wants the lease back. */
    if (n == 1)
        assert_true(openat(dir, "Case.txt", O_WRONLY | O_NONBLOCK) < 0);
}

static void who_waits_to_open_it_gets_the_old_one(void **state)
{
    (void)state;
    before_rename = wait_to_open;
    assert_int_equal(write_it(), CARD_WRITTEN);
    assert_true(renames >= 3); /* there, back, and there again */
    assert_holds("Case.txt", "Status: closed\n");
    assert_int_equal(files(), 1);
}

static int refuse_it(void *ctx, const void *bytes, size_t n, struct error *err)
{
    AUTO_STR struct str s = STR_INIT;

    str_addn(&s, bytes, n);
    assert_string_equal(str_c(&s), "Status: closed\n");
    *(bool *)ctx = true;
    return error_set(err, 0, "not this");
}

static void nothing_is_written_that_is_refused(void **state)
{
    struct error err = ERROR_INIT;
    bool asked = false;

    (void)state;
    assert_int_equal(card_write(dir, to_closed, 1, refuse_it, &asked, &err), CARD_REFUSED);
    assert_true(asked);
    assert_string_equal(err.text, "not this");
    assert_holds("Case.txt", "Status: open\n");
    assert_int_equal(files(), 1);
}

static void no_card_is_made(void **state)
{
    (void)state;
    unlinkat(dir, "Case.txt", 0);
    assert_int_equal(write_it(), CARD_FAILED);
    assert_int_equal(files(), 0);
}

static void a_link_is_never_followed(void **state)
{
    (void)state;
    assert_int_equal(renameat(dir, "Case.txt", dir, "other"), 0);
    assert_int_equal(symlinkat("other", dir, "Case.txt"), 0);
    assert_int_equal(write_it(), CARD_FAILED);
    assert_holds("other", "Status: open\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
    const struct CMUnitTest tests[] = {
        T(it_says_so_then),
        T(mode_and_attributes_stay),
        T(one_that_is_open_for_writing_is_left),
        T(what_somebody_saves_meanwhile_is_kept_and_changed),
        T(what_comes_between_is_set_aside),
        T(what_was_set_aside_before_stays),
        T(a_card_that_does_not_reach_the_disk_is_not_replaced),
        T(who_waits_to_open_it_gets_the_old_one),
        T(nothing_is_written_that_is_refused),
        T(no_card_is_made),
        T(a_link_is_never_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
