/* io_replace: what is on the disk when, and that a failed sync leaves the old file. The calls of
 * interest are defined here: they stand before libc's, note themselves, and fail when told to. */
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
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/str.h"

static char calls[64]; /* f: a file synced, d: a folder, r: renamed */
static char failing;   /* the one of those that fails */
static char dir_name[64];
static int dir;

static int note(char what)
{
    size_t n = strlen(calls);

    if (n + 1 < sizeof calls) {
        calls[n] = what;
        calls[n + 1] = '\0';
    }
    if (what != failing)
        return 0;
    errno = EIO;
    return -1;
}

int fsync(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    return note(S_ISDIR(st.st_mode) ? 'd' : 'f');
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return note('r') < 0 ? -1 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

static int replace(const char *text, bool durable)
{
    struct error err = ERROR_INIT;

    calls[0] = '\0';
    return io_replace(dir, "Case.txt", text, strlen(text), 0644, durable, &err);
}

static void assert_holds(const char *text)
{
    AUTO_STR struct str s = STR_INIT;

    assert_int_equal(io_read_file(dir, "Case.txt", &s, 1000), 0);
    assert_string_equal(str_c(&s), text);
}

static void assert_files(unsigned n)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
    DIR *d = fdopendir(fd);

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n -= *e->d_name != '.' || strlen(e->d_name) > 2;
    closedir(d);
    assert_int_equal(n, 0);
}

static int fresh(void **state)
{
    (void)state;
    failing = 0;
    snprintf(dir_name, sizeof dir_name, "/tmp/replace-XXXXXX");
    if (!mkdtemp(dir_name))
        return -1;
    dir = open(dir_name, O_RDONLY | O_DIRECTORY);
    return dir < 0 ? -1 : replace("old", false);
}

static int gone(void **state)
{
    (void)state;
    unlinkat(dir, "Case.txt", 0);
    close(dir);
    return rmdir(dir_name);
}

static void data_then_name_then_folder(void **state)
{
    (void)state;
    assert_int_equal(replace("new", true), 0);
    assert_string_equal(calls, "frd");
    assert_holds("new");
}

static void what_need_not_last_is_not_synced(void **state)
{
    (void)state;
    assert_int_equal(replace("new", false), 0);
    assert_string_equal(calls, "r");
}

static void unsynced_data_never_get_the_name(void **state)
{
    (void)state;
    failing = 'f';
    assert_int_equal(replace("new", true), -1);
    assert_string_equal(calls, "f");
    assert_holds("old");
    assert_files(1);
}

static void a_failed_rename_leaves_nothing(void **state)
{
    (void)state;
    failing = 'r';
    assert_int_equal(replace("new", true), -1);
    assert_holds("old");
    assert_files(1);
}

static void a_folder_that_cannot_be_synced_is_told(void **state)
{
    (void)state;
    failing = 'd';
    assert_int_equal(replace("new", true), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(data_then_name_then_folder, fresh, gone),
        cmocka_unit_test_setup_teardown(what_need_not_last_is_not_synced, fresh, gone),
        cmocka_unit_test_setup_teardown(unsynced_data_never_get_the_name, fresh, gone),
        cmocka_unit_test_setup_teardown(a_failed_rename_leaves_nothing, fresh, gone),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_synced_is_told, fresh, gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
