/* unpack: an archive's reader that hangs, dies or says too much is ended, and it is told why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/unpack.h"
#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"

#define MIB ((size_t)1 << 20)

enum form { GZ, ZIP, BZ2 };

/* An open tar.gz, ZIP or tar.bz2 in memory's place on disk: so many entries of so many zeros each. */
static int zeros(enum form form, int entries, size_t each)
{
    char name[] = "/tmp/organizer-unpack-XXXXXX";
    int fd = mkstemp(name);
    struct archive *a = archive_write_new();
    AUTO_FREE char *data = xcalloc(1, each + 1);

    assert_true(fd >= 0);
    unlink(name);
    if (form == ZIP) {
        archive_write_set_format_zip(a);
    } else {
        archive_write_set_format_ustar(a);
        if (form == GZ)
            archive_write_add_filter_gzip(a);
        else
            archive_write_add_filter_bzip2(a);
    }
    assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
    for (int i = 0; i < entries; i++) {
        struct archive_entry *e = archive_entry_new();
        char path[32];

        snprintf(path, sizeof path, "B/%d", i);
        archive_entry_set_pathname(e, path);
        archive_entry_set_size(e, (la_int64_t)each);
        archive_entry_set_filetype(e, AE_IFREG);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, data, each), (la_ssize_t)each);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return fd;
}

static struct unpack *open_it(int fd, struct unpack_options o)
{
    struct error err = ERROR_INIT;
    struct unpack *u = unpack_open(fd, &o, &err);

    if (!u)
        fail_msg("%s", error_text(&err));
    return u;
}

/* Reads to the end. Returns the bytes that came, -1 with err. */
static int64_t read_all(struct unpack *u, const uint32_t *picks, size_t len, int *entries,
                        struct error *err)
{
    struct unpack_event e;
    int64_t bytes = 0;
    int r;

    *entries = 0;
    if (unpack_start(u, true, picks, len, err) < 0)
        return -1;
    while ((r = unpack_next(u, &e, err)) > 0) {
        bytes += e.what == UNPACK_DATA ? (int64_t)e.n : 0;
        *entries += e.what == UNPACK_ENTRY;
    }
    return r < 0 ? -1 : bytes;
}

static void test_all_and_some(void **state)
{
    static const uint32_t some[] = {1, 3};
    struct error err = ERROR_INIT;
    int entries;

    (void)state;
    for (int zip = 0; zip < 2; zip++) {
        AUTO_CLOSE int fd = zeros(zip ? ZIP : GZ, 5, 1000);
        struct unpack *u = open_it(fd, (struct unpack_options){0});

        assert_int_equal(unpack_format(u), zip ? UNPACK_ZIP : UNPACK_TAR_GZ);
        assert_int_equal(read_all(u, NULL, 0, &entries, &err), 5000);
        assert_int_equal(entries, 5);
        assert_int_equal(read_all(u, some, 2, &entries, &err), 2000);
        assert_int_equal(entries, 2);
        unpack_close(u);
    }
}

static void test_one_that_hangs_is_given_up(void **state)
{
    AUTO_CLOSE int fd = zeros(ZIP, 3, 1000);
    struct unpack *u = open_it(fd, (struct unpack_options){.stall_ms = 200});
    struct error err = ERROR_INIT;
    int64_t start = env_ticks();
    int entries;

    (void)state;
    kill(unpack_pid(u), SIGSTOP);
    assert_int_equal(read_all(u, NULL, 0, &entries, &err), -1);
    assert_non_null(strstr(err.text, "nothing came out of it"));
    assert_true(env_ticks() - start < 20 * NS_PER_S);
    /* It is gone, and stays gone. */
    assert_int_equal(read_all(u, NULL, 0, &entries, &err), -1);
    unpack_close(u);
}

static void test_one_that_dies_is_told(void **state)
{
    static const struct {
        int signal;
        const char *says;
    } ways[] = {{SIGUSR1, "signal 10"}, {SIGXCPU, "does not come to an end"}, {SIGKILL, "memory"}};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        AUTO_CLOSE int fd = zeros(ZIP, 3, 1000);
        struct unpack *u = open_it(fd, (struct unpack_options){0});
        struct error err = ERROR_INIT;
        siginfo_t info;
        int entries;

        kill(unpack_pid(u), ways[i].signal);
        assert_int_equal(waitid(P_PID, (id_t)unpack_pid(u), &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(read_all(u, NULL, 0, &entries, &err), -1);
        if (!strstr(err.text, ways[i].says))
            fail_msg("%s: %s", ways[i].says, err.text);
        unpack_close(u);
    }
}

/* The sizes in a ZIP's directory, of each entry, become so few. */
static void say_less(int fd, uint32_t size)
{
    off_t len = lseek(fd, 0, SEEK_END);
    AUTO_FREE char *all = xmalloc((size_t)len);

    assert_int_equal(pread(fd, all, (size_t)len, 0), len);
    for (char *p = all; (p = memmem(p, (size_t)(all + len - p), "PK\1\2", 4)); p++)
        assert_int_equal(pwrite(fd, &size, sizeof size, p + 24 - all), sizeof size);
}

/* Whether it lies in one document, in many, or in what nobody asked for. */
static void test_one_that_unfolds_to_too_much_is_given_up(void **state)
{
    static const uint32_t last[] = {19};

    (void)state;
    for (int way = 0; way < 5; way++) {
        bool picked = way == 4;
        enum form form = way < 2 ? ZIP : GZ;
        AUTO_CLOSE int fd = way % 2 ? zeros(form, 1, 20 * MIB) : zeros(form, 20, MIB);
        struct error err = ERROR_INIT;
        struct unpack *u;
        int entries;

        if (form == ZIP)
            say_less(fd, 1000);
        u = open_it(fd, (struct unpack_options){.any = 8 * MIB});
        assert_int_equal(read_all(u, picked ? last : NULL, picked, &entries, &err), -1);
        assert_non_null(strstr(err.text, "unfolds to more than"));
        unpack_close(u);
    }
}

/* What it says itself that is in it may come: of a ZIP its directory does. */
static void test_one_that_says_what_it_is_is_read(void **state)
{
    static const struct {
        enum form form;
        uint64_t says;
        int64_t comes;
    } ways[] = {
        {ZIP, 0, 20 * MIB},
        {GZ, 20 * MIB, 20 * MIB},
        {GZ, UINT64_MAX, 20 * MIB},
        {GZ, MIB, -1},
        /* More than anything honest packs so small. */
        {BZ2, UINT64_MAX, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        AUTO_CLOSE int fd = zeros(ways[i].form, 1, 20 * MIB);
        struct unpack *u = open_it(fd, (struct unpack_options){.any = 8 * MIB});
        struct error err = ERROR_INIT;
        int entries;

        unpack_declare(u, ways[i].says);
        if (read_all(u, NULL, 0, &entries, &err) != ways[i].comes)
            fail_msg("way %zu: %s", i, error_text(&err));
        unpack_close(u);
    }
}

/* Each entry takes time, and nothing comes out of them. */
static void test_one_that_takes_more_time_than_it_is_worth_is_given_up(void **state)
{
    AUTO_CLOSE int fd = zeros(ZIP, 30000, 0);
    struct unpack *u = open_it(fd, (struct unpack_options){.cpu_ms = 1});
    struct error err = ERROR_INIT;
    int entries;

    (void)state;
    assert_int_equal(read_all(u, NULL, 0, &entries, &err), -1);
    assert_non_null(strstr(err.text, "does not come to an end"));
    unpack_close(u);
}

static void test_what_is_no_archive(void **state)
{
    struct error err = ERROR_INIT;
    AUTO_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct unpack *u = unpack_open(fd, &(struct unpack_options){0}, &err);

    (void)state;
    /* An executable could be a tar of old by its first block; not when it is read. */
    if (u) {
        int entries;

        assert_int_equal(read_all(u, NULL, 0, &entries, &err), -1);
        unpack_close(u);
    }
    assert_null(unpack_open(nothing, &(struct unpack_options){0}, &err));
    assert_non_null(strstr(err.text, "no archive of a kind"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_and_some),
        cmocka_unit_test(test_one_that_hangs_is_given_up),
        cmocka_unit_test(test_one_that_dies_is_told),
        cmocka_unit_test(test_one_that_unfolds_to_too_much_is_given_up),
        cmocka_unit_test(test_one_that_says_what_it_is_is_read),
        cmocka_unit_test(test_one_that_takes_more_time_than_it_is_worth_is_given_up),
        cmocka_unit_test(test_what_is_no_archive),
    };

    const char *preload = getenv("LD_PRELOAD");

    if (preload && strstr(preload, "vgpreload")) {
        print_message("skipped: valgrind makes system calls that the sandbox does not allow\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
