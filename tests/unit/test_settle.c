/* settle: is the document finished? */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "decide/rules.h"
#include "file/lease.h"
#include "settle/settle.h"

struct world {
    char *path;
    int dir;
    struct lang *lang;
    struct rules *rules;
};

static char *shipped(const char *below)
{
    const char *rules = getenv("ORGANIZER_RULES");

    return xasprintf("%s/%s", rules ? rules : "rules", below);
}

static int make(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    AUTO_FREE char *lang = shipped("language/en.yaml"), *rules = shipped("");
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct error err = ERROR_INIT;

    lease_block_signal();
    w->path = xstrdup("/tmp/organizer-settle-XXXXXX");
    assert_non_null(mkdtemp(w->path));
    w->dir = open(w->path, O_RDONLY | O_DIRECTORY);
    w->lang = lang_load(lang, &err);
    assert_non_null(w->lang);
    w->rules = rules_load(rules, -1, w->lang, &p);
    assert_non_null(w->rules);
    *state = w;
    return 0;
}

static int unmake(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *cmd = xasprintf("rm -rf '%s'", w->path);
    int rc = system(cmd);

    close(w->dir);
    rules_free(w->rules);
    lang_free(w->lang);
    free(w->path);
    free(w);
    return rc;
}

static void put(struct world *w, const char *name, const char *text)
{
    AUTO_CLOSE int fd = openat(w->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Asks about name, `later_ms` after now. */
static enum settled ask(struct world *w, const char *name, int64_t settle_ms, int64_t later_ms,
                        struct settle_answer *a)
{
    struct settle_query q = {.dir = w->dir,
                             .name = name,
                             .now_ns = now() + later_ms * NS_PER_MS,
                             .settle_ms = settle_ms,
                             .rules = w->rules};
    struct error err = ERROR_INIT;
    enum settled s = settle_ask(&q, a, &err);

    if (a->fd >= 0)
        close(a->fd);
    return s;
}

static void a_closed_document_is_settled_at_once_without_quiet_time(void **state)
{
    struct settle_answer a;

    put(*state, "a.pdf", "x");
    assert_int_equal(ask(*state, "a.pdf", 0, 0, &a), SETTLED);
    assert_true(a.leases);
    assert_int_equal(a.stamp.size, 1);
}

static void reading_a_settled_document_is_no_use_of_it(void **state)
{
    struct world *w = *state;
    struct timespec used[2] = {{.tv_sec = 1000}, {.tv_nsec = UTIME_OMIT}};
    struct settle_query q = {.dir = w->dir, .name = "a.pdf", .now_ns = now(), .rules = w->rules};
    struct settle_answer a;
    struct error err = ERROR_INIT;
    struct stat st;
    char byte;

    put(w, "a.pdf", "x");
    assert_int_equal(utimensat(w->dir, "a.pdf", used, 0), 0);
    assert_int_equal(settle_ask(&q, &a, &err), SETTLED);
    assert_int_equal(read(a.fd, &byte, 1), 1);
    assert_int_equal(fstat(a.fd, &st), 0);
    assert_int_equal(st.st_atim.tv_sec, 1000);
    close(a.fd);
}

/* Who does not own it may not say that reading is no use, and reads it all the same. */
static void another_ones_document_is_opened_too(void **state)
{
    struct world *w = *state;
    struct settle_answer a;
    enum settled s;

    if (geteuid() != 0)
        skip();
    put(w, "a.pdf", "x");
    assert_int_equal(fchmod(w->dir, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    s = ask(w, "a.pdf", 0, 3600 * 1000, &a);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(s, SETTLED);
}

static void quiet_time_counts_from_the_last_change(void **state)
{
    struct settle_answer a;

    put(*state, "a.pdf", "x");
    assert_int_equal(ask(*state, "a.pdf", 10000, 0, &a), SETTLE_QUIET);
    assert_in_range(a.again_ms, 9000, 10000);
    assert_int_equal(ask(*state, "a.pdf", 10000, 10001, &a), SETTLED);
}

static void a_file_time_in_the_future_does_not_wait_for_ever(void **state)
{
    struct world *w = *state;
    struct timespec ts[2] = {{.tv_sec = time(NULL) + 86400}, {.tv_sec = time(NULL) + 86400}};
    struct settle_answer a;

    put(w, "a.pdf", "x");
    assert_int_equal(utimensat(w->dir, "a.pdf", ts, 0), 0);
    assert_int_equal(ask(w, "a.pdf", 1000, 1500, &a), SETTLED);
}

static void open_for_writing_is_seen(void **state)
{
    struct world *w = *state;
    struct settle_answer a;

    put(w, "a.pdf", "x");
    AUTO_CLOSE int fd = openat(w->dir, "a.pdf", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(ask(w, "a.pdf", 0, 60000, &a), SETTLE_OPEN);
    close(fd);
    fd = -1;
    assert_int_equal(ask(w, "a.pdf", 0, 60000, &a), SETTLED);
}

static void open_for_reading_does_not_matter_here(void **state)
{
    struct world *w = *state;
    struct settle_answer a;

    put(w, "a.pdf", "x");
    AUTO_CLOSE int fd = openat(w->dir, "a.pdf", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(ask(w, "a.pdf", 0, 60000, &a), SETTLED);
}

static void lock_files_of_office_programs_are_heeded(void **state)
{
    struct world *w = *state;
    struct settle_answer a;

    put(w, "Agreement.docx", "x");
    put(w, "~$reement.docx", "");
    assert_int_equal(ask(w, "Agreement.docx", 0, 60000, &a), SETTLE_LOCKED);
    assert_int_equal(unlinkat(w->dir, "~$reement.docx", 0), 0);
    assert_int_equal(ask(w, "Agreement.docx", 0, 60000, &a), SETTLED);
    put(w, "Book.xlsx", "x");
    put(w, "~$Book.xlsx", "");
    assert_int_equal(ask(w, "Book.xlsx", 0, 60000, &a), SETTLE_LOCKED);
    put(w, "text.odt", "x");
    put(w, ".~lock.text.odt#", ",Jane Doe,pc12,23.11.2026 10:00,file:///;");
    assert_int_equal(ask(w, "text.odt", 0, 60000, &a), SETTLE_LOCKED);
}

static void who_holds_it_is_read_from_the_lock_file(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *office = NULL, *word = NULL;

    put(w, "text.odt", "x");
    put(w, ".~lock.text.odt#", ",Jane Doe,pc12,23.11.2026 10:00,file:///;");
    office = settle_holder(w->dir, "text.odt");
    assert_string_equal(office, "Jane Doe on pc12");
    put(w, "Agreement.docx", "x");
    put(w, "~$reement.docx", "\x08John Doe                      ");
    word = settle_holder(w->dir, "Agreement.docx");
    assert_string_equal(word, "John Doe");
    assert_null(settle_holder(w->dir, "none.pdf"));
}

static void empty_and_new_documents_wait_for_content(void **state)
{
    struct world *w = *state;
    struct settle_answer a;

    put(w, "scan.pdf", "");
    assert_int_equal(ask(w, "scan.pdf", 0, 60000, &a), SETTLE_EMPTY);
    put(w, "New Microsoft Word Document.docx", "x");
    assert_int_equal(ask(w, "New Microsoft Word Document.docx", 0, 60000, &a), SETTLE_NEW);
}

static void what_is_no_document_is_gone_for_settle(void **state)
{
    struct world *w = *state;
    struct settle_answer a;

    assert_int_equal(ask(w, "nothing", 0, 0, &a), SETTLE_GONE);
    assert_int_equal(mkfifoat(w->dir, "fifo", 0644), 0);
    assert_int_equal(ask(w, "fifo", 0, 0, &a), SETTLE_GONE);
    assert_int_equal(symlinkat("/etc/passwd", w->dir, "link"), 0);
    assert_int_equal(ask(w, "link", 0, 0, &a), SETTLE_GONE);
}

static void asking_backs_off_to_a_minute(void **state)
{
    (void)state;
    assert_int_equal(settle_backoff_ms(0), 20);
    assert_int_equal(settle_backoff_ms(1), 40);
    assert_int_equal(settle_backoff_ms(30), 60000);
    assert_int_equal(settle_backoff_ms(1000000), 60000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        T(a_closed_document_is_settled_at_once_without_quiet_time),
        T(reading_a_settled_document_is_no_use_of_it),
        T(another_ones_document_is_opened_too),
        T(quiet_time_counts_from_the_last_change),
        T(a_file_time_in_the_future_does_not_wait_for_ever),
        T(open_for_writing_is_seen),
        T(open_for_reading_does_not_matter_here),
        T(lock_files_of_office_programs_are_heeded),
        T(who_holds_it_is_read_from_the_lock_file),
        T(empty_and_new_documents_wait_for_content),
        T(what_is_no_document_is_gone_for_settle),
        T(asking_backs_off_to_a_minute),
    };
#undef T

    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
