/* intents: the private log of renames about to be done. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"
#include "file/act.h"
#include "file/intent_json.h"
#include "file/intents.h"
#include "remove_tree.h"

static int ready(void **state)
{
    static char dir[32];

    strcpy(dir, "/tmp/intents-XXXXXX");
    *state = mkdtemp(dir);
    return *state ? 0 : -1;
}

static int done(void **state)
{
    return remove_tree(*state);
}

static struct intents *open_log(const char *dir, uint64_t finished)
{
    struct error err = ERROR_INIT;
    struct intents *l = intents_open(dir, finished, true, &err);

    if (!l)
        fail_msg("%s", error_text(&err));
    return l;
}

static void sync_log(struct intents *l)
{
    struct error err = ERROR_INIT;

    assert_int_equal(intents_sync(l, &err), 0);
}

static int collect(void *ctx, const struct intent *i)
{
    str_addf(ctx, "%llu=%s;", (unsigned long long)i->number, i->json);
    return 0;
}

static void assert_holds(struct intents *l, uint64_t after, const char *what)
{
    AUTO_STR struct str s = STR_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(intents_each(l, after, collect, &s, &err), 0);
    assert_string_equal(str_c(&s), what);
}

static void flip(const char *dir, off_t at)
{
    char path[64], c;
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, INTENTS_NAME);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void is_empty_at_first(void **state)
{
    struct intents *l = open_log(*state, 0);

    assert_holds(l, 0, "");
    assert_int_equal(intents_last(l), 0);
    intents_close(l);
}

static void holds_what_was_synced(void **state)
{
    struct intents *l = open_log(*state, 0);

    assert_int_equal(intents_add(l, "a"), 1);
    assert_int_equal(intents_add(l, "b"), 2);
    assert_holds(l, 0, "");
    sync_log(l);
    intents_close(l);
    l = open_log(*state, 0);
    assert_holds(l, 0, "1=a;2=b;");
    assert_holds(l, 1, "2=b;");
    intents_close(l);
}

static void goes_on_behind_what_is_pending(void **state)
{
    struct intents *l = open_log(*state, 0);

    intents_add(l, "a");
    sync_log(l);
    intents_close(l);
    l = open_log(*state, 0);
    assert_int_equal(intents_add(l, "b"), 2);
    sync_log(l);
    assert_holds(l, 0, "1=a;2=b;");
    intents_close(l);
}

static void starts_again_when_all_is_finished(void **state)
{
    struct intents *l = open_log(*state, 0);

    intents_add(l, "a");
    intents_add(l, "b");
    sync_log(l);
    intents_finished(l, 2);
    intents_add(l, "c");
    sync_log(l);
    assert_holds(l, 2, "3=c;");
    intents_close(l);
}

static void what_lies_behind_the_end_does_not_count(void **state)
{
    struct intents *l = open_log(*state, 0);

    intents_add(l, "a");
    intents_add(l, "b");
    intents_add(l, "c");
    sync_log(l);
    intents_finished(l, 3);
    intents_add(l, "d");
    sync_log(l);
    assert_holds(l, 0, "4=d;");
    intents_close(l);
}

static void keeps_space_while_something_is_pending(void **state)
{
    struct intents *l = open_log(*state, 0);

    intents_add(l, "a");
    intents_add(l, "b");
    sync_log(l);
    intents_finished(l, 1);
    intents_add(l, "c");
    sync_log(l);
    assert_holds(l, 1, "2=b;3=c;");
    intents_close(l);
}

static void a_torn_record_was_never_acted_upon(void **state)
{
    struct intents *l = open_log(*state, 0);

    intents_add(l, "a");
    intents_add(l, "bbbb");
    sync_log(l);
    intents_close(l);
    flip(*state, 512 + 24 + 2);
    l = open_log(*state, 0);
    assert_holds(l, 0, "1=a;");
    intents_close(l);
}

static void numbers_of_torn_batches_are_not_given_out_again(void **state)
{
    struct intents *l = open_log(*state, 0);

    intents_add(l, "a");
    intents_add(l, "b");
    intents_add(l, "c");
    sync_log(l);
    intents_close(l);
    flip(*state, 24);
    l = open_log(*state, 0);
    assert_holds(l, 0, "");
    assert_int_equal(intents_add(l, "d"), 4);
    sync_log(l);
    assert_holds(l, 0, "4=d;");
    intents_close(l);
}

static void numbers_rise_above_what_is_finished(void **state)
{
    struct intents *l = open_log(*state, 500);

    assert_int_equal(intents_add(l, "a"), 501);
    intents_close(l);
}

static void grows_when_a_batch_is_large(void **state)
{
    struct intents *l = open_log(*state, 0);
    char *text = malloc(300001);
    AUTO_STR struct str s = STR_INIT;
    struct error err = ERROR_INIT;

    memset(text, 'x', 300000);
    text[300000] = '\0';
    for (int i = 0; i < 10; i++)
        intents_add(l, text);
    sync_log(l);
    intents_close(l);
    l = open_log(*state, 0);
    assert_int_equal(intents_each(l, 9, collect, &s, &err), 0);
    assert_int_equal(s.len, 300000 + strlen("10=;"));
    free(text);
    intents_close(l);
}

static void is_private(void **state)
{
    struct intents *l = open_log(*state, 0);
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", (char *)*state, INTENTS_NAME);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    intents_close(l);
}

static void a_sync_allocates_nothing(void **state)
{
    struct intents *l = open_log(*state, 0);
    char path[64];
    struct stat before, after;

    snprintf(path, sizeof path, "%s/%s", (char *)*state, INTENTS_NAME);
    assert_int_equal(stat(path, &before), 0);
    intents_add(l, "a");
    sync_log(l);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(after.st_blocks, before.st_blocks);
    intents_close(l);
}

static void is_closed_after_a_failure(void **state)
{
    struct intents *l = open_log(*state, 0);
    struct error err = ERROR_INIT;
    char path[64], written[4096];
    int full = open("/dev/full", O_RDWR), fd = -1, log;

    /* The log's descriptor becomes a device that is full. */
    snprintf(path, sizeof path, "%s/%s", (char *)*state, INTENTS_NAME);
    for (int i = 3; i < 64; i++) {
        char link[64], target[128] = "";

        snprintf(link, sizeof link, "/proc/self/fd/%d", i);
        if (readlink(link, target, sizeof target - 1) > 0 && strcmp(target, path) == 0)
            fd = i;
    }
    assert_true(full >= 0 && fd >= 0);
    log = dup(fd);
    assert_int_equal(dup2(full, fd), fd);
    intents_add(l, "a");
    assert_int_equal(intents_sync(l, &err), -1);
    /* Also when there is room again: what its pages hold is in doubt, nothing is written to it. */
    assert_int_equal(dup2(log, fd), fd);
    intents_add(l, "after the failure");
    assert_int_equal(intents_sync(l, &err), -1);
    assert_true(pread(log, written, sizeof written, 0) > 0);
    assert_null(memmem(written, sizeof written, "after the failure", strlen("after the failure")));
    close(full);
    close(log);
    intents_close(l);
}

/* What recovery writes is what would have been written. */
static void a_row_comes_back_as_it_was(void **state)
{
    struct act *a = act_new(ACT_RENAME), *b;
    struct str json = STR_INIT;
    struct error err = ERROR_INIT;

    (void)state;
    a->from = strdup("Smith_Divorce/Inbox/a.pdf");
    a->to = strdup("Smith_Divorce/Motions/A.pdf");
    a->case_path = strdup("Smith_Divorce");
    a->doc.path = strdup("Motions/A.pdf");
    a->doc.state = DOC_FILED;
    a->doc.before = true;
    a->doc.unread = DOC_UNREAD_INBOX;
    intent_write(&json, a, 1);
    b = intent_read(str_c(&json), 1, &err);
    assert_non_null(b);
    assert_string_equal(b->doc.path, "Motions/A.pdf");
    assert_int_equal(b->doc.unread, DOC_UNREAD_INBOX);
    assert_true(b->doc.before && !b->doc.undone && !b->doc.by_hand);
    act_free(a);
    act_free(b);
    str_clear(&json);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

static uint32_t crc32c(const unsigned char *p, size_t n)
{
    uint32_t c = ~UINT32_C(0);

    for (; n > 0; n--, p++) {
        c ^= *p;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? (c >> 1) ^ UINT32_C(0x82F63B78) : c >> 1;
    }
    return ~c;
}

/* Whatever the processor can: another machine must be able to read the log. */
static void the_sum_of_a_record_is_crc_32c(void **state)
{
    static const char json[] = "{\"v\":1,\"from\":\"Inbox/letter of the court.pdf\"}";
    struct intents *l = open_log(*state, 0);
    unsigned char record[512], sum[12 + sizeof json];
    uint32_t len = sizeof json - 1, crc;
    uint64_t number = 1;
    char path[64];
    FILE *f;

    intents_add(l, json);
    sync_log(l);
    intents_close(l);
    snprintf(path, sizeof path, "%s/%s", (char *)*state, INTENTS_NAME);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(record, 1, sizeof record, f), sizeof record);
    fclose(f);
    memcpy(sum, &number, 8);
    memcpy(sum + 8, &len, 4);
    memcpy(sum + 12, json, len);
    memcpy(&crc, record + 8, sizeof crc);
    assert_int_equal(crc, crc32c(sum, 12 + len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_sum_of_a_record_is_crc_32c),
        TEST(is_empty_at_first),
        TEST(holds_what_was_synced),
        TEST(goes_on_behind_what_is_pending),
        TEST(starts_again_when_all_is_finished),
        TEST(what_lies_behind_the_end_does_not_count),
        TEST(keeps_space_while_something_is_pending),
        TEST(a_torn_record_was_never_acted_upon),
        TEST(numbers_of_torn_batches_are_not_given_out_again),
        TEST(numbers_rise_above_what_is_finished),
        TEST(grows_when_a_batch_is_large),
        TEST(is_private),
        TEST(a_sync_allocates_nothing),
        TEST(is_closed_after_a_failure),
        TEST(a_row_comes_back_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
