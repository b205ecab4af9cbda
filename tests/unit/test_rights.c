/* rights: what is made in a folder is like the folder, whatever the umask says. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cabinet/rights.h"
#include "remove_tree.h"

struct place {
    char path[32];
    int fd;
    mode_t umask;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    *state = p;
    strcpy(p->path, "/tmp/rights-XXXXXX");
    if (!mkdtemp(p->path))
        return -1;
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    p->umask = umask(077);
    return p->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc;

    umask(p->umask);
    close(p->fd);
    rc = remove_tree(p->path);
    free(p);
    return rc;
}

static mode_t mode_of(struct place *p, const char *path)
{
    struct stat st;

    assert_int_equal(fstatat(p->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st.st_mode & 07777;
}

static void folders_are_like_the_one_they_lie_in(void **state)
{
    struct place *p = *state;

    assert_int_equal(fchmod(p->fd, 02775), 0);
    assert_int_equal(rights_mkdirs(p->fd, "a"), 0);
    assert_int_equal(mode_of(p, "a"), 02775);
}

/* Under RestrictSUIDSGID= nobody may set the bit, not even one that is there. */
static bool forbid_setgid(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    const struct scmp_arg_cmp has_bit = {1, SCMP_CMP_MASKED_EQ, S_ISGID, S_ISGID};
    bool ok = f && seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fchmod), 1, has_bit) == 0 &&
              seccomp_load(f) == 0;

    if (f)
        seccomp_release(f);
    return ok;
}

static void the_unit_s_sandbox_does_not_close_a_shared_folder(void **state)
{
    struct place *p = *state;
    int status;
    pid_t pid;

    assert_int_equal(fchmod(p->fd, 02775), 0);
    pid = fork();
    if (pid == 0) {
        umask(07);
        _exit(!forbid_setgid()                              ? 2
              : fchmod(p->fd, 02770) == 0 || errno != EPERM ? 3
              : rights_mkdirs(p->fd, "a/b") < 0             ? 4
                                                            : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(mode_of(p, "a"), 02775);
    assert_int_equal(mode_of(p, "a/b"), 02775);
}

static void parents_are_made_alike(void **state)
{
    struct place *p = *state;

    assert_int_equal(fchmod(p->fd, 0750), 0);
    assert_int_equal(rights_mkdirs(p->fd, "a/b/c"), 0);
    assert_int_equal(mode_of(p, "a"), 0750);
    assert_int_equal(mode_of(p, "a/b"), 0750);
    assert_int_equal(mode_of(p, "a/b/c"), 0750);
}

static void a_folder_that_is_there_stays_as_it_is(void **state)
{
    struct place *p = *state;

    assert_int_equal(mkdirat(p->fd, "a", 0700), 0);
    assert_int_equal(fchmod(p->fd, 0775), 0);
    assert_int_equal(rights_mkdirs(p->fd, "a/b"), 0);
    assert_int_equal(mode_of(p, "a"), 0700);
    assert_int_equal(mode_of(p, "a/b"), 0700);
}

static void a_file_in_the_way_is_an_error(void **state)
{
    struct place *p = *state;

    close(openat(p->fd, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(rights_mkdirs(p->fd, "a"), -1);
    assert_int_equal(rights_mkdirs(p->fd, "a/b"), -1);
}

static void links_are_not_followed(void **state)
{
    struct place *p = *state;

    assert_int_equal(symlinkat("/tmp", p->fd, "out"), 0);
    assert_int_equal(rights_mkdirs(p->fd, "out/rights-test-folder"), -1);
    assert_int_equal(rights_mkdirs(p->fd, "../rights-test-folder"), -1);
}

static void files_get_read_and_write_but_not_execute(void **state)
{
    struct place *p = *state;
    int fd = openat(p->fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(fchmod(p->fd, 02775), 0);
    assert_int_equal(rights_of_file(p->fd, fd), 0);
    assert_int_equal(mode_of(p, "f"), 0664);
    close(fd);
}

static void a_private_folder_gives_private_files(void **state)
{
    struct place *p = *state;
    int fd = openat(p->fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

    assert_int_equal(fchmod(p->fd, 0700), 0);
    assert_int_equal(rights_of_file(p->fd, fd), 0);
    assert_int_equal(mode_of(p, "f"), 0600);
    close(fd);
}

static void the_group_goes_along(void **state)
{
    struct place *p = *state;
    struct stat st;

    if (geteuid() != 0)
        skip();
    assert_int_equal(fchown(p->fd, (uid_t)-1, 12345), 0);
    assert_int_equal(fchmod(p->fd, 0770), 0);
    assert_int_equal(rights_mkdirs(p->fd, "a"), 0);
    assert_int_equal(fstatat(p->fd, "a", &st, 0), 0);
    assert_int_equal(st.st_gid, 12345);
    assert_int_equal(mode_of(p, "a"), 0770);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_are_like_the_one_they_lie_in),
        TEST(the_unit_s_sandbox_does_not_close_a_shared_folder),
        TEST(parents_are_made_alike),
        TEST(a_folder_that_is_there_stays_as_it_is),
        TEST(a_file_in_the_way_is_an_error),
        TEST(links_are_not_followed),
        TEST(files_get_read_and_write_but_not_execute),
        TEST(a_private_folder_gives_private_files),
        TEST(the_group_goes_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
