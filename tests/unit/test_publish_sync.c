/* Own files: what is on the disk when. The calls of interest are defined here: they stand before
 * libc's, note themselves, and fail when told to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/io.h"
#include "publish/own.h"
#include "record/state.h"
#include "remove_tree.h"

#define MANY 9 /* more than are synced one by one */

static char calls[256]; /* p: a page's data, f: a folder, a: all of the file system, r: renamed,
                           s: the private state */
static char failing;    /* the one of those that fails */

static int note(int fd, char what)
{
    char link[40], path[256] = "";
    size_t n = strlen(calls);

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0)
        path[0] = '\0';
    if (strstr(path, "/state"))
        what = 's';
    /* Once is enough: what is done together is written as one letter. */
    if (n + 1 < sizeof calls && (n == 0 || calls[n - 1] != what)) {
        calls[n] = what;
        calls[n + 1] = '\0';
    }
    if (what != failing)
        return 0;
    errno = EIO;
    return -1;
}

int fdatasync(int fd)
{
    return note(fd, 'p');
}

int fsync(int fd)
{
    return note(fd, 'f');
}

int syncfs(int fd)
{
    return note(fd, 'a');
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    if (note(from_fd, 'r') < 0)
        return -1;
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

struct place {
    char dir[48], state_dir[64];
    int root;
    struct state *state;
    struct own_set set;
};

static int setup(void **ctx)
{
    struct place *p = xcalloc(1, sizeof *p);
    struct error err = ERROR_INIT;

    failing = 0;
    snprintf(p->dir, sizeof p->dir, "/tmp/test_publish_sync.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->state_dir, sizeof p->state_dir, "%s/state", p->dir);
    p->root = open(p->dir, O_RDONLY | O_DIRECTORY);
    p->state = state_open(p->state_dir, false, &err);
    assert_non_null(p->state);
    assert_int_equal(mkdirat(p->root, "case", 0755), 0);
    own_init(&p->set, p->root, p->state);
    *ctx = p;
    return 0;
}

static int teardown(void **ctx)
{
    struct place *p = *ctx;

    own_clear(&p->set);
    state_close(p->state);
    close(p->root);
    remove_tree(p->dir);
    free(p);
    return 0;
}

/* Says what n pages shall hold, and writes them. */
static int publish(struct place *p, int n, const char *text)
{
    for (int i = 0; i < n; i++) {
        struct str s = STR_INIT;
        char name[32];

        snprintf(name, sizeof name, "Page %d.html", i);
        str_add(&s, text);
        own_put(&p->set, "case", name, &s);
    }
    calls[0] = '\0';
    return own_flush(&p->set);
}

static void assert_first(const struct place *p, const char *text)
{
    AUTO_CLOSE int dir = beneath_open(p->root, "case", O_RDONLY | O_DIRECTORY, 0);
    AUTO_STR struct str s = STR_INIT;

    assert_int_equal(io_read_file(dir, "Page 0.html", &s, 1000), 0);
    assert_string_equal(str_c(&s), text);
}

static bool recorded(const struct place *p, const char *text)
{
    struct digest d = digest_of(text, strlen(text));
    struct own_file o = {0};
    struct error err = ERROR_INIT;

    assert_true(state_own_get(p->state, "case/Page 0.html", &o, &err) >= 0);
    return digest_equal(&o.written, &d);
}

static void data_then_intention_then_name_then_folder_then_record(void **ctx)
{
    struct place *p = *ctx;

    assert_int_equal(publish(p, 1, "one"), 0);
    assert_string_equal(calls, "psrfs");
    assert_true(recorded(p, "one"));
}

static void many_are_one_sync_of_the_file_system(void **ctx)
{
    struct place *p = *ctx;

    assert_int_equal(publish(p, MANY, "one"), 0);
    assert_string_equal(calls, "asras");
}

static void the_same_again_syncs_nothing(void **ctx)
{
    struct place *p = *ctx;

    assert_int_equal(publish(p, 1, "one"), 0);
    assert_int_equal(publish(p, 1, "one"), 0);
    assert_string_equal(calls, "");
}

static void unsynced_data_never_get_the_name(void **ctx)
{
    struct place *p = *ctx;

    assert_int_equal(publish(p, 1, "one"), 0);
    failing = 'p';
    assert_int_equal(publish(p, 1, "two"), -1);
    assert_first(p, "one");
    assert_true(recorded(p, "one"));
}

static void an_unsynced_file_system_gives_no_names(void **ctx)
{
    struct place *p = *ctx;

    assert_int_equal(publish(p, MANY, "one"), 0);
    failing = 'a';
    assert_int_equal(publish(p, MANY, "two"), -1);
    assert_first(p, "one");
}

static void an_unsynced_folder_is_not_recorded(void **ctx)
{
    struct place *p = *ctx;

    failing = 'f';
    assert_int_equal(publish(p, 1, "one"), -1);
    assert_false(recorded(p, "one"));
    /* It is still its own: the state knows what was to be written. */
    failing = 0;
    publish(p, 1, "two");
    assert_first(p, "two");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(data_then_intention_then_name_then_folder_then_record),
        T(many_are_one_sync_of_the_file_system),
        T(the_same_again_syncs_nothing),
        T(unsynced_data_never_get_the_name),
        T(an_unsynced_file_system_gives_no_names),
        T(an_unsynced_folder_is_not_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
