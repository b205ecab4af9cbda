/* The shelf of archives while others put files there, and while the disk fails. What is asked of the kernel is
 * defined here: it stands before libc's, and lets somebody act at that moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive/shelf.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "remove_tree.h"

#define FOLDER "Archive"
#define BASE   "Smith_Divorce_Archive_2026-11-23"

static char top[32];
static int root;
static void (*behind_ask)(const char *name); /* after a name was asked for and not there */
static unsigned syncs, sync_fails;           /* so far; the one that fails, 0 for none */
static struct shelf shelf;

int faccessat(int dir, const char *name, int mode, int flags)
{
    int rc = (int)syscall(SYS_faccessat2, dir, name, mode, flags);

    if (rc < 0 && behind_ask) {
        int saved = errno;

        behind_ask(name);
        errno = saved;
    }
    return rc;
}

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
    AUTO_FREE char *path = xasprintf(FOLDER "/%s", name);
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

static void assert_holds(const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf(FOLDER "/%s", name);
    AUTO_STR struct str s = STR_INIT;

    assert_int_equal(io_read_file(root, path, &s, 1000), 0);
    assert_string_equal(str_c(&s), text);
}

static bool exists(const char *name)
{
    AUTO_FREE char *path = xasprintf(FOLDER "/%s", name);
    struct stat st;

    return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An archive is written and waits for its name. */
static int fresh(void **state)
{
    struct error err = ERROR_INIT;

    (void)state;
    strcpy(top, "/tmp/test-shelf-XXXXXX");
    assert_non_null(mkdtemp(top));
    root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(shelf_open(&shelf, root, FOLDER, &err), 0);
    assert_int_equal(shelf_begin(&shelf, &err), 0);
    assert_int_equal(io_write_all(shelf.fd, "ours", 4), 0);
    syncs = sync_fails = 0;
    behind_ask = NULL;
    return 0;
}

static int gone(void **state)
{
    (void)state;
    behind_ask = NULL;
    shelf_close(&shelf);
    close(root);
    return remove_tree(top);
}

static int publish(char **name, struct error *err)
{
    const struct shelf_rights rights = {.case_fd = root};
    const struct digest digest = digest_of("ours", 4);

    *name = NULL;
    return shelf_publish(&shelf, BASE, ".zip", &digest, &rights, name, err);
}

static void it_gets_its_name_and_its_digest_beside(void **state)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *name = NULL;

    (void)state;
    assert_int_equal(publish(&name, &err), 0);
    assert_string_equal(name, BASE ".zip");
    assert_holds(BASE ".zip", "ours");
    assert_true(exists(BASE ".zip.sha256"));
    /* The file, its folder; the digest, its folder. */
    assert_int_equal(syncs, 4);
}

static void take_it(const char *name)
{
    if (strcmp(name, BASE ".zip") == 0)
        put(name, "another's");
}

static void a_name_that_was_taken_just_now_is_another_s(void **state)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *name = NULL;

    (void)state;
    behind_ask = take_it;
    assert_int_equal(publish(&name, &err), 0);
    assert_string_equal(name, BASE "_02.zip");
    assert_holds(BASE ".zip", "another's");
    assert_holds(BASE "_02.zip", "ours");
}

/* Who may write in the folder puts another file where the archive waits. */
static void swap_it(const char *name)
{
    if (strcmp(name, BASE ".zip") != 0)
        return;
    behind_ask = NULL;
    assert_int_equal(unlinkat(shelf.dir, shelf.temp, 0), 0);
    put(shelf.temp, "forged");
}

static void another_file_in_its_place_does_not_get_the_name(void **state)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *name = NULL;

    (void)state;
    behind_ask = swap_it;
    assert_int_equal(publish(&name, &err), -1);
    assert_non_null(strstr(err.text, "another file"));
    assert_null(name);
    assert_false(exists(BASE ".zip"));
}

static void what_is_not_on_the_disk_gets_no_name(void **state)
{
    struct error err = ERROR_INIT;
    AUTO_FREE char *name = NULL;

    (void)state;
    sync_fails = 1;
    assert_int_equal(publish(&name, &err), -1);
    assert_null(name);
    assert_false(exists(BASE ".zip"));
}

static void a_folder_that_cannot_be_synced_is_told(void **state)
{
    (void)state;
    for (unsigned n = 2; n <= 4; n++) {
        struct error err = ERROR_INIT;
        AUTO_FREE char *name = NULL;

        gone(state);
        fresh(state);
        sync_fails = n;
        assert_int_equal(publish(&name, &err), -1);
        assert_true(*err.text != '\0');
        assert_holds(BASE ".zip", "ours");
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
    const struct CMUnitTest tests[] = {
        T(it_gets_its_name_and_its_digest_beside),
        T(a_name_that_was_taken_just_now_is_another_s),
        T(another_file_in_its_place_does_not_get_the_name),
        T(what_is_not_on_the_disk_gets_no_name),
        T(a_folder_that_cannot_be_synced_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
