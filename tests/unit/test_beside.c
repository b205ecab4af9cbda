/* beside: a crowded folder is asked once what lies beside its documents. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/env.h"
#include "failing_calls.h"
#include "flow/beside.h"
#include "record/doc.h"

struct world {
    char path[40];
    int dir;
    struct env env;
    struct beside beside;
    struct doc_stamp old; /* of a document that lay there long before */
    bool told;            /* events tell of what comes there */
};

static int make(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    *w = (struct world){.path = "/tmp/organizer-beside-XXXXXX"};
    assert_non_null(mkdtemp(w->path));
    w->dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->old.ctime_ns = env_now(&w->env) - NS_PER_S;
    *state = w;
    return 0;
}

static int unmake(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *command = xasprintf("rm -rf %s", w->path);

    close(w->dir);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void put(const struct world *w, const char *name)
{
    int fd = openat(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static bool ask(struct world *w, int dir, const struct doc_stamp *stamp, bool many, const char *told)
{
    struct stat st;

    assert_int_equal(fstat(dir, &st), 0);
    return beside_nothing(&w->beside, dir, &st, stamp, &w->env, many, told);
}

static bool nothing(struct world *w)
{
    return ask(w, w->dir, &w->old, true, w->told ? "Smith_Divorce/Inbox" : NULL);
}

static void documents_alone_have_nothing_beside_them(void **state)
{
    struct world *w = *state;

    put(w, "Motion.pdf");
    put(w, "letter of the court.docx");
    assert_true(nothing(w));
    assert_true(nothing(w));
}

static void few_documents_are_asked_for_each(void **state)
{
    struct world *w = *state;

    put(w, "Motion.pdf");
    assert_false(ask(w, w->dir, &w->old, false, NULL));
    assert_int_equal(w->beside.read_ns, 0);
}

/* Each name alone makes every document of the folder be asked for. */
static void is_seen(struct world *w, const char *name)
{
    put(w, "Motion.pdf");
    put(w, name);
    assert_false(nothing(w));
}

static void a_lock_file_is_seen(void **state)
{
    is_seen(*state, ".~lock.Motion.pdf#");
}

static void a_lock_file_of_word_is_seen(void **state)
{
    is_seen(*state, "~$tion.docx");
}

static void a_lock_file_without_its_extension_is_seen(void **state)
{
    is_seen(*state, "plan.DWL");
}

static void a_signature_is_seen(void **state)
{
    is_seen(*state, "Motion.pdf.P7S");
}

static void a_page_s_folder_is_seen(void **state)
{
    struct world *w = *state;

    assert_int_equal(mkdirat(w->dir, "page_files", 0700), 0);
    is_seen(w, "page.html");
}

static void who_came_after_the_reading_is_asked_for(void **state)
{
    struct world *w = *state;
    struct doc_stamp young = {.ctime_ns = env_now(&w->env)};

    assert_true(nothing(w));
    put(w, "Motion.pdf.p7s");
    assert_false(ask(w, w->dir, &young, true, NULL));
}

static void what_was_read_says_nothing_of_another_folder(void **state)
{
    struct world *w = *state;
    int sub;

    assert_true(nothing(w));
    assert_int_equal(mkdirat(w->dir, "sub", 0700), 0);
    sub = openat(w->dir, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(openat(sub, "Motion.pdf.p7s", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_false(ask(w, sub, &w->old, true, NULL));
    close(sub);
}

static bool has_no_fork(struct world *w, int64_t age_ns)
{
    const struct doc_stamp stamp = {.ctime_ns = env_now(&w->env) - age_ns};

    return nothing(w) && beside_no_forks(&w->beside, &stamp);
}

static void where_no_fork_lies_none_goes_along(void **state)
{
    struct world *w = *state;

    put(w, "Motion.pdf");
    assert_true(has_no_fork(w, 5 * NS_PER_S));
}

static void any_fork_makes_each_document_be_asked_for(void **state)
{
    struct world *w = *state;

    put(w, "Motion.pdf");
    put(w, "._Letter.pdf");
    assert_false(has_no_fork(w, 5 * NS_PER_S));
}

static void a_fork_may_come_a_moment_after_its_document(void **state)
{
    assert_false(has_no_fork(*state, NS_PER_S / 2));
}

static void where_events_tell_of_what_comes_it_is_read_once(void **state)
{
    struct world *w = *state;
    struct doc_stamp young = {.ctime_ns = env_now(&w->env) + NS_PER_S};

    w->told = true;
    put(w, "Motion.pdf");
    assert_true(nothing(w));
    put(w, "Motion.pdf.p7s"); /* its event is still to be read */
    assert_true(ask(w, w->dir, &young, true, "Smith_Divorce/Inbox"));
    assert_true(beside_no_forks(&w->beside, &young));
    beside_heard(&w->beside, "Smith_Divorce/Inbox/Motion.pdf", false);
    beside_heard(&w->beside, "Smith_Divorce/Motions", true);
    assert_int_not_equal(w->beside.read_ns, 0);
    assert_true(nothing(w));
    beside_heard(&w->beside, "Smith_Divorce/Inbox/Motion.pdf.p7s", false);
    assert_false(nothing(w));
}

static void what_may_belong_to_a_document_is_heard_of(void **state)
{
    struct world *w = *state;
    const char *names[] = {"._Motion.pdf", "~$tion.docx", ".~lock.Motion.odt#", "Motion_files",
                           "Motion.pdf.p7s"};
    const char *scanned[] = {"", "Smith_Divorce", "Smith_Divorce/Inbox"};

    w->told = true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(nothing(w));
        assert_int_not_equal(w->beside.read_ns, 0);
        beside_heard(&w->beside, names[i], i == 3);
        assert_int_equal(w->beside.read_ns, 0);
    }
    for (size_t i = 0; i < sizeof scanned / sizeof *scanned; i++) {
        assert_true(nothing(w));
        beside_heard(&w->beside, scanned[i], true);
        assert_int_equal(w->beside.read_ns, 0);
    }
    assert_true(nothing(w));
    beside_forget(&w->beside);
    assert_int_equal(w->beside.read_ns, 0);
}

static void a_small_folder_is_read_for_one_document_too(void **state)
{
    struct world *w = *state;

    put(w, "Motion.pdf");
    assert_true(ask(w, w->dir, &w->old, false, "Smith_Divorce/Inbox"));
}

static void a_folder_that_cannot_be_read_may_hold_anything(void **state)
{
    static const char *const calls[] = {"openat", "fdopendir", "readdir"};
    struct world *w = *state;

    put(w, "Motion.pdf");
    put(w, ".~lock.Motion.pdf#");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        bool hit = true;

        sys.only = calls[i];
        for (unsigned n = 1; hit; n++) {
            beside_forget(&w->beside);
            fail_at(FAIL, n);
            if (nothing(w))
                fail_msg("%s %u failed: the lock file is not seen", calls[i], n);
            hit = was_hit();
        }
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(documents_alone_have_nothing_beside_them),
        TEST(few_documents_are_asked_for_each),
        TEST(a_lock_file_is_seen),
        TEST(a_lock_file_of_word_is_seen),
        TEST(a_lock_file_without_its_extension_is_seen),
        TEST(a_signature_is_seen),
        TEST(a_page_s_folder_is_seen),
        TEST(who_came_after_the_reading_is_asked_for),
        TEST(what_was_read_says_nothing_of_another_folder),
        TEST(where_no_fork_lies_none_goes_along),
        TEST(any_fork_makes_each_document_be_asked_for),
        TEST(a_fork_may_come_a_moment_after_its_document),
        TEST(where_events_tell_of_what_comes_it_is_read_once),
        TEST(what_may_belong_to_a_document_is_heard_of),
        TEST(a_small_folder_is_read_for_one_document_too),
        TEST(a_folder_that_cannot_be_read_may_hold_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
