/* doc: copies, states by name, stamps. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "record/doc.h"

static void a_copy_owns_its_strings(void **state)
{
    struct doc a = {.number = 7, .path = xstrdup("x"), .why = xstrdup("because")}, b;

    (void)state;
    doc_copy(&b, &a);
    doc_clear(&a);
    assert_null(a.path);
    assert_int_equal(b.number, 7);
    assert_string_equal(b.path, "x");
    assert_string_equal(b.why, "because");
    assert_null(b.words);
    doc_clear(&b);
}

static void states_are_read_as_written(void **state)
{
    (void)state;
    for (int s = DOC_INDEXED; s <= DOC_GONE; s++)
        assert_int_equal(doc_state_parse(doc_state_name((enum doc_state)s)), s);
    assert_int_equal(doc_state_parse("lost"), -1);
    assert_string_equal(doc_state_name((enum doc_state)99), "");
}

/* A folder with a file `a` of three bytes. */
struct place {
    char path[32];
    int fd;
};

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);
    int fd;

    strcpy(p->path, "/tmp/doc-XXXXXX");
    if (!mkdtemp(p->path))
        return -1;
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = openat(p->fd, "a", O_WRONLY | O_CREAT, 0644);
    *state = p;
    return fd < 0 || write(fd, "abc", 3) != 3 ? -1 : close(fd);
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc;

    unlinkat(p->fd, "a", 0);
    unlinkat(p->fd, "b", 0);
    close(p->fd);
    rc = rmdir(p->path);
    free(p);
    return rc;
}

static void a_stamp_tells_size_and_file(void **state)
{
    struct place *p = *state;
    struct doc_stamp by_name, by_fd;
    struct stat st;
    int fd = openat(p->fd, "a", O_RDONLY);

    assert_int_equal(doc_stamp_take(-1, p->fd, "a", &by_name), 0);
    assert_int_equal(doc_stamp_take(fd, -1, NULL, &by_fd), 0);
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    assert_true(doc_stamp_equal(&by_name, &by_fd));
    assert_int_equal(by_fd.size, 3);
    assert_int_equal(by_fd.ino, st.st_ino);
    assert_int_equal(by_fd.dev, st.st_dev);
    assert_int_equal(by_fd.mtime_ns, st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec);
}

static void other_bytes_are_the_same_file(void **state)
{
    struct place *p = *state;
    struct doc_stamp before, after;
    int fd;

    assert_int_equal(doc_stamp_take(-1, p->fd, "a", &before), 0);
    fd = openat(p->fd, "a", O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "d", 1), 1);
    close(fd);
    assert_int_equal(doc_stamp_take(-1, p->fd, "a", &after), 0);
    assert_true(doc_stamp_same_file(&before, &after));
    assert_false(doc_stamp_equal(&before, &after));
}

static void links_are_not_followed(void **state)
{
    struct place *p = *state;
    struct doc_stamp file, link;

    assert_int_equal(symlinkat("a", p->fd, "b"), 0);
    assert_int_equal(doc_stamp_take(-1, p->fd, "a", &file), 0);
    assert_int_equal(doc_stamp_take(-1, p->fd, "b", &link), 0);
    assert_false(doc_stamp_same_file(&file, &link));
}

static void what_is_not_there_has_no_stamp(void **state)
{
    struct place *p = *state;
    struct doc_stamp s;

    assert_int_equal(doc_stamp_take(-1, p->fd, "none", &s), -1);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_owns_its_strings),
        cmocka_unit_test(states_are_read_as_written),
        cmocka_unit_test_setup_teardown(a_stamp_tells_size_and_file, setup, teardown),
        cmocka_unit_test_setup_teardown(other_bytes_are_the_same_file, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_has_no_stamp, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
