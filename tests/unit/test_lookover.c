/* lookover: what on a card or in a list of tasks speaks against closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(originals),
        cmocka_unit_test(money),
        cmocka_unit_test(tasks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
