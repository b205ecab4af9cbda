/* lookover: what on a card, in a list of tasks or in the folder speaks against closing. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "failing_calls.h"
#include "flow/lookover.h"

static void originals(void **state)
{
    static const char *const none[] = {NULL,  "",    " ",  "none", "None.", "no",           "nil",
                                       "n/a", "-",   "0",  "returned",      "Returned 3-2-26",
                                       "all returned to client"};
    static const char *const some[] = {"will of 1998", "yes", "2", "no. 12 in the safe", "unreturned"};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (lookover_is_noted(none[i], false))
            fail_msg("\"%s\" counts", none[i]);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (!lookover_is_noted(some[i], false))
            fail_msg("\"%s\" does not count", some[i]);
}

static void money(void **state)
{
    static const char *const none[] = {NULL, "", "0", "0.00", "$0.00", "$ 0,00", "EUR 0", "nil",
                                       "zero", "None"};
    static const char *const some[] = {"$ 0.01", "120", "1,000.00 USD", "see ledger", "10"};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (lookover_is_noted(none[i], true))
            fail_msg("\"%s\" counts", none[i]);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (!lookover_is_noted(some[i], true))
            fail_msg("\"%s\" does not count", some[i]);
}

static void tasks(void **state)
{
    static const char *const no[] = {"",        "  ",         "# To do",    "To do:",   "-----",
                                     "[x] a",   "- [X] a",    "x a",        "none",     "* done: a",
                                     "a (done)", "\xE2\x9C\x93 a", "Tasks", "\xE2\x80\xA2 [x] a"};
    static const char *const yes[] = {"a", "- a", "- [ ] call", "1. pay", "xerox it", "\xE2\x80\xA2 a"};

    (void)state;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (lookover_is_task(no[i]))
            fail_msg("\"%s\" counts", no[i]);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!lookover_is_task(yes[i]))
            fail_msg("\"%s\" does not count", yes[i]);
}

struct place {
    char top[40];
    int root, open; /* a document that somebody writes */
};

static int make(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);
    AUTO_CLOSE int list = -1;

    *p = (struct place){.top = "/tmp/organizer-lookover-XXXXXX"};
    assert_non_null(mkdtemp(p->top));
    p->root = open(p->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(beneath_mkdirs(p->root, "Smith_Divorce/Letters"), 0);
    p->open = openat(p->root, "Smith_Divorce/Letters/a.odt", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    list = openat(p->root, "Smith_Divorce/Tasks.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(p->open >= 0);
    assert_int_equal(io_write_all(list, "call Smith\n", 11), 0);
    *state = p;
    return 0;
}

static int unmake(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *command = xasprintf("rm -rf %s", p->top);

    close(p->open);
    close(p->root);
    free(p);
    sys.with = EIO;
    return system(command);
}

/* Looks while the nth of these calls fails; whether it came. */
static bool look(const struct place *p, const char *call, unsigned n)
{
    struct lookover l = {.path = xstrdup("Smith_Divorce")};
    struct error err = ERROR_INIT;
    bool hit;
    int rc;

    sys.only = call;
    fail_at(FAIL, n);
    rc = lookover_run(&l, p->root, NULL, &err);
    hit = was_hit();
    if (rc == 0 && l.busy.len + l.unknown.len == 0)
        fail_msg("%s %u failed: the open document is not seen", call, n);
    if (rc == 0 && l.todo.len + l.unknown.len == 0)
        fail_msg("%s %u failed: the task is not seen", call, n);
    assert_true(rc == 0 ? hit == (l.unknown.len > 0) : hit && *err.text);
    lookover_clear(&l);
    return hit;
}

static void what_cannot_be_looked_at_is_not_known(void **state)
{
    static const char *const calls[] = {"openat2", "openat",  "fdopendir", "readdir",
                                        "fstatat", "fstat", "read"};

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        unsigned n = 1;

        while (look(*state, calls[i], n))
            n++;
        assert_true(n > 1);
    }
}

/* Nobody could settle that by waiting. */
static void what_is_not_ours_to_open_does_not_speak_against_it(void **state)
{
    struct place *p = *state;
    struct lookover l = {.path = xstrdup("Smith_Divorce")};
    struct error err = ERROR_INIT;

    sys.only = "openat";
    sys.with = EACCES;
    for (unsigned n = 1; n < 4; n++) {
        fail_at(FAIL, n);
        assert_int_equal(lookover_run(&l, p->root, NULL, &err), 0);
        assert_true(was_hit());
    }
    lookover_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(originals),
        cmocka_unit_test(money),
        cmocka_unit_test(tasks),
        cmocka_unit_test_setup_teardown(what_cannot_be_looked_at_is_not_known, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_not_ours_to_open_does_not_speak_against_it, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
