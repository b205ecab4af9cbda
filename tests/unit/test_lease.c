/* lease: who has a document open. Other openers are this process's own second descriptions. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "file/lease.h"

struct paper {
    char path[32];
    int fd;
};

static int ready(void **state)
{
    struct paper *p = calloc(1, sizeof *p);
    int fd;

    strcpy(p->path, "/tmp/lease-XXXXXX");
    fd = mkstemp(p->path);
    close(fd);
    p->fd = open(p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    lease_block_signal();
    *state = p;
    return p->fd >= 0 ? 0 : -1;
}

static int done(void **state)
{
    struct paper *p = *state;

    close(p->fd);
    unlink(p->path);
    free(p);
    return 0;
}

static void nobody_has_it(void **state)
{
    struct paper *p = *state;

    assert_int_equal(lease_ask_read(p->fd), LEASE_GRANTED);
    assert_int_equal(lease_take(p->fd), LEASE_GRANTED);
    lease_drop(p->fd);
}

static void asking_leaves_nothing_behind(void **state)
{
    struct paper *p = *state;

    lease_ask_read(p->fd);
    assert_int_equal(fcntl(p->fd, F_GETLEASE), F_UNLCK);
}

static void a_reader_does_not_matter_to_asking(void **state)
{
    struct paper *p = *state;
    int fd = open(p->path, O_RDONLY);

    assert_int_equal(lease_ask_read(p->fd), LEASE_GRANTED);
    assert_int_equal(lease_take(p->fd), LEASE_BUSY);
    close(fd);
}

static void a_writer_does(void **state)
{
    struct paper *p = *state;
    int fd = open(p->path, O_WRONLY);

    assert_int_equal(lease_ask_read(p->fd), LEASE_BUSY);
    assert_int_equal(lease_take(p->fd), LEASE_BUSY);
    close(fd);
    assert_int_equal(lease_ask_read(p->fd), LEASE_GRANTED);
}

static void a_second_name_of_the_descriptor_does_not_matter(void **state)
{
    struct paper *p = *state;
    int fd = dup(p->fd);

    assert_int_equal(lease_take(p->fd), LEASE_GRANTED);
    lease_drop(p->fd);
    assert_int_equal(fcntl(fd, F_GETLEASE), F_UNLCK);
    close(fd);
}

static void others_are_kept_out_and_the_signal_is_blocked(void **state)
{
    struct paper *p = *state;
    sigset_t pending;

    assert_int_equal(lease_take(p->fd), LEASE_GRANTED);
    assert_int_equal(open(p->path, O_WRONLY | O_NONBLOCK), -1);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGIO));
    lease_drop(p->fd);
    assert_int_equal(lease_ask_read(p->fd), LEASE_GRANTED);
}

static void a_folder_has_no_leases(void **state)
{
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

    (void)state;
    assert_int_equal(lease_ask_read(fd), LEASE_NONE);
    close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_has_it),
        TEST(asking_leaves_nothing_behind),
        TEST(a_reader_does_not_matter_to_asking),
        TEST(a_writer_does),
        TEST(a_second_name_of_the_descriptor_does_not_matter),
        TEST(others_are_kept_out_and_the_signal_is_blocked),
        TEST(a_folder_has_no_leases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
