/* The log of intents while the disk fails, and when what it holds is damaged. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "failing_calls.h"
#include "file/act.h"
#include "file/intent_json.h"
#include "file/intents.h"
#include "remove_tree.h"

#define BLOCK  512
#define HEADER 24        /* bytes before what a record says */
#define WHOLE  (1 << 20) /* bytes of a new log */

static int ready(void **state)
{
    static char dir[40];

    strcpy(dir, "/tmp/intents-faults-XXXXXX");
    *state = mkdtemp(dir);
    sys.with = EIO;
    return *state ? 0 : -1;
}

static int done(void **state)
{
    sys.at = 0;
    return remove_tree(*state);
}

static char *log_path(const char *dir)
{
    return xasprintf("%s/%s", dir, INTENTS_NAME);
}

static struct intents *open_log(const char *dir)
{
    struct error err = ERROR_INIT;
    struct intents *l = intents_open(dir, 0, true, &err);

    if (!l)
        fail_msg("%s", error_text(&err));
    return l;
}

static int collect(void *ctx, const struct intent *i)
{
    str_addf(ctx, "%llu=%.3s;", (unsigned long long)i->number, i->json);
    return 0;
}

/* The beginning of what each says. */
static void assert_holds(struct intents *l, const char *what)
{
    AUTO_STR struct str s = STR_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(intents_each(l, 0, collect, &s, &err), 0);
    assert_string_equal(str_c(&s), what);
}

/* What a failure left behind keeps nobody from the next try. */
static void assert_next_opens(const char *dir)
{
    struct error err = ERROR_INIT;
    struct intents *l = open_log(dir);

    intents_add(l, "abc");
    assert_int_equal(intents_sync(l, &err), 0);
    assert_holds(l, "1=abc;");
    intents_close(l);
}

static void one_that_cannot_be_made_is_told(void **state)
{
    unsigned n = 0;

    for (;;) {
        struct error err = ERROR_INIT;
        struct intents *l;

        assert_int_equal(intents_remove(*state, &err), 0);
        fail_at(FAIL, ++n);
        l = intents_open(*state, 0, true, &err);
        if (!was_hit()) {
            intents_close(l);
            break;
        }
        if (l)
            fail_msg("%s failed, and nobody was told", sys.hit);
        assert_int_equal(err.number, EIO);
        assert_true(*err.text != '\0');
        assert_next_opens(*state);
    }
    assert_true(n > 15); /* its first megabyte alone is written in 16 parts */
}

static void without_its_folder_there_is_none(void **state)
{
    AUTO_FREE char *nowhere = xasprintf("%s/nowhere", (char *)*state);
    struct error err = ERROR_INIT;

    assert_null(intents_open(nowhere, 0, true, &err));
    assert_int_equal(err.number, ENOENT);
    assert_non_null(strstr(err.text, nowhere));
}

static void interrupted_and_half_written_it_is_whole(void **state)
{
    for (enum deed deed = SHORT; deed <= AGAIN; deed++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            struct error err = ERROR_INIT;
            struct intents *l;

            assert_int_equal(intents_remove(*state, &err), 0);
            fail_at(deed, n);
            l = open_log(*state);
            intents_add(l, "abc");
            intents_add(l, "def");
            assert_int_equal(intents_sync(l, &err), 0);
            hit = was_hit();
            intents_close(l);
            l = open_log(*state);
            assert_holds(l, "1=abc;2=def;");
            intents_close(l);
        }
    }
}

/* A batch that needs a longer log: whichever call fails, it does not count, and no later one
 * either. */
static void after_a_failure_nothing_is_written(void **state)
{
    AUTO_FREE char *large = xcalloc(1, WHOLE + 1);
    bool hit = true;
    unsigned n;

    memset(large, 'x', WHOLE);
    for (n = 1; hit; n++) {
        struct error err = ERROR_INIT;
        struct intents *l;

        assert_int_equal(intents_remove(*state, &err), 0);
        l = open_log(*state);
        intents_add(l, "abc");
        assert_int_equal(intents_sync(l, &err), 0);
        intents_add(l, large);
        fail_at(FAIL, n);
        hit = intents_sync(l, &err) < 0;
        assert_int_equal(was_hit(), hit);
        if (hit) {
            assert_int_equal(err.number, EIO);
            intents_add(l, "later");
            assert_int_equal(intents_sync(l, &err), -1);
        }
        intents_close(l);
        l = open_log(*state);
        assert_true(intents_last(l) <= 2); /* the later one did not get there */
        if (!hit)
            assert_holds(l, "1=abc;2=xxx;");
        intents_close(l);
    }
    assert_true(n > 18);
}

static void with_nothing_to_say_nothing_is_written(void **state)
{
    struct intents *l = open_log(*state);
    struct error err = ERROR_INIT;

    fail_at(FAIL, 1);
    assert_int_equal(intents_sync(l, &err), 0);
    assert_false(was_hit());
    intents_close(l);
}

static void one_that_cannot_be_removed_is_told(void **state)
{
    AUTO_FREE char *path = log_path(*state);
    struct error err = ERROR_INIT;

    assert_int_equal(intents_remove(*state, &err), 0); /* there is none */
    assert_next_opens(*state);
    sys.with = EACCES;
    fail_at(FAIL, 1);
    assert_int_equal(intents_remove(*state, &err), -1);
    assert_true(was_hit());
    assert_string_equal(sys.hit, "unlink");
    assert_int_equal(err.number, EACCES);
    assert_int_equal(access(path, F_OK), 0);
}

static void one_that_is_full_to_its_end_is_read(void **state)
{
    struct intents *l = open_log(*state);
    AUTO_FREE char *rest = xcalloc(1, WHOLE);
    struct error err = ERROR_INIT;

    memset(rest, 'x', WHOLE - BLOCK - HEADER);
    intents_add(l, "abc");
    intents_add(l, rest);
    assert_int_equal(intents_sync(l, &err), 0);
    intents_close(l);
    l = open_log(*state);
    assert_holds(l, "1=abc;2=xxx;");
    assert_int_equal(intents_add(l, "def"), 3);
    assert_int_equal(intents_sync(l, &err), 0);
    assert_holds(l, "1=abc;2=xxx;3=def;");
    intents_close(l);
}

/* It says that it is longer than the log: nothing behind the log is looked at. */
static void a_length_that_cannot_be_is_no_record(void **state)
{
    static const unsigned char high[] = {0xFF, 0xFF, 0xFF, 0xFF};
    AUTO_FREE char *path = log_path(*state);
    struct intents *l = open_log(*state);
    struct error err = ERROR_INIT;
    int fd;

    intents_add(l, "abc");
    intents_add(l, "def");
    assert_int_equal(intents_sync(l, &err), 0);
    intents_close(l);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, high, sizeof high, BLOCK + 4), sizeof high);
    close(fd);
    l = open_log(*state);
    assert_holds(l, "1=abc;");
    intents_close(l);
}

/* What goes along with a document, and what the log says of it that is no name. */
static void a_companion_without_a_name_is_passed_over(void **state)
{
    static const char json[] = "{\"v\":1,\"stamp\":[1,2,3,4,5,6],\"doc\":{\"case\":\"\",\"state\":"
                               "\"filed\"},\"from\":\"a\","
                               "\"to\":\"b\",\"companions\":[{\"name\":\"a.xmp\"},{\"nick\":\"x\"},"
                               "7,{\"name\":\"a.p7s\"}]}";
    struct error err = ERROR_INIT;
    struct act *a = intent_read(json, 1, &err);

    (void)state;
    assert_non_null(a);
    assert_string_equal(a->companions[0], "a.xmp");
    assert_string_equal(a->companions[1], "a.p7s");
    assert_null(a->companions[2]);
    act_free(a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_cannot_be_made_is_told),           TEST(without_its_folder_there_is_none),
        TEST(interrupted_and_half_written_it_is_whole),  TEST(after_a_failure_nothing_is_written),
        TEST(with_nothing_to_say_nothing_is_written),    TEST(one_that_cannot_be_removed_is_told),
        TEST(one_that_is_full_to_its_end_is_read),       TEST(a_length_that_cannot_be_is_no_record),
        TEST(a_companion_without_a_name_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
