/* flow: an open cabinet whose parts are taken one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "cabinet/cabinet.h"
#include "cabinet/matter.h"
#include "decide/content.h"
#include "flow/flow.h"
#include "flow/internal.h"
#include "flow_cabinet.h"
#include "watch/watcher.h"

/* A sweep may end with thousands of texts unread. The search's thread, which ends last, asks for them
 * when those who could read them are gone. */
static struct flow *flow_opened(uv_loop_t *loop, bool watch)
{
    struct flow_options o = {.path = path, .env = &env, .watch = watch, .log = {.most = LOG_WARNING}};
    struct error err = ERROR_INIT;
    struct flow *f;

    assert_int_equal(uv_loop_init(loop), 0);
    f = flow_open(loop, &o, &err);
    assert_non_null(f);
    return f;
}

static void flow_closed(struct flow *f, uv_loop_t *loop)
{
    flow_close(f);
    uv_run(loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void while_all_is_closed_nothing_is_wanted_to_be_read(void **state)
{
    uv_loop_t loop;
    struct flow *f;

    (void)state;
    f = flow_opened(&loop, false);
    backlog_free(f->backlog);
    f->backlog = NULL;
    flow_want_text(f, "", 1);
    flow_closed(f, &loop);
}

static bool is_there(const char *in_cabinet)
{
    AUTO_FREE char *full = xjoin(path, in_cabinet);

    return access(full, F_OK) == 0;
}

/* A scan may leave a folder that was renamed since it was opened: the case comes under its new name then,
 * and nothing of it may come to be under its old one. */
static void an_inbox_is_made_in_the_folder_that_is_there_and_in_no_other(void **state)
{
    AUTO_FREE char *folder = xjoin(path, "Smith_Divorce"), *card = xjoin(folder, CARD_NAME);
    AUTO_FREE char *away = xjoin(path, "Smith_Divorce-2024");
    struct error err = ERROR_INIT;
    struct matter_look look = {0};
    uv_loop_t loop;
    struct flow *f;

    (void)state;
    assert_int_equal(mkdir(folder, 0755), 0);
    fclose(fopen(card, "w"));
    f = flow_opened(&loop, false);
    assert_int_equal(matters_look(f->matters, "Smith_Divorce", true, f->state, &look, &err), 0);
    assert_non_null(look.matter);
    look.matter->known = true;
    flow_inbox_again(f, "Smith_Divorce");
    assert_true(is_there("Smith_Divorce/Inbox"));
    assert_int_equal(rename(folder, away), 0);
    flow_inbox_again(f, "Smith_Divorce");
    assert_false(is_there("Smith_Divorce"));
    matter_look_clear(&look);
    flow_closed(f, &loop);
}

/* A document in it is saved when it is watched and not entered: what is looked at once more is no new folder. */
static void a_folder_of_before_becomes_no_case_when_it_is_scanned_again(void **state)
{
    AUTO_FREE char *folder = xjoin(path, "Jones_Divorce"), *old = xjoin(folder, "old.txt");
    struct error err = ERROR_INIT;
    uv_loop_t loop;
    struct flow *f;
    int fd;

    (void)state;
    assert_int_equal(mkdir(folder, 0755), 0);
    fclose(fopen(old, "w"));
    f = flow_opened(&loop, true);
    f->cab.folders_ns = INT64_MAX;
    f->cab.config.settle_ms = 0;
    assert_int_equal(flow_start(f, &err), 0);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    watcher_early(f->watcher, fd, false);
    fclose(fopen(old, "a"));
    watcher_pump(f->watcher);
    assert_int_equal(watcher_enter(f->watcher, "Jones_Divorce", fd, &err), 0);
    assert_false(is_there("Jones_Divorce/Case.txt"));
    close(fd);
    flow_closed(f, &loop);
}

/* Each is decided anew: a document that came meanwhile would wait for all that were written down together. */
static void what_was_read_is_looked_at_again_one_by_one(void **state)
{
    struct content c = {.status = CONTENT_READ};
    struct error err = ERROR_INIT;
    uv_loop_t loop;
    struct flow *f;
    size_t left;

    (void)state;
    f = flow_opened(&loop, false);
    assert_int_equal(flow_start(f, &err), 0);
    for (left = 0; left < 64; left++) {
        struct doc d = {.number = 1, .digest.b = {(unsigned char)(left + 1)}};

        flow_keep_read(f, &d, &c, -1);
    }
    assert_int_equal(backlog_len(f->backlog), left);
    while (left > 0) {
        size_t was = left;

        uv_run(&loop, UV_RUN_ONCE);
        left = backlog_len(f->backlog);
        assert_true(left == was || left == was - 1);
    }
    flow_closed(f, &loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_all_is_closed_nothing_is_wanted_to_be_read),
        cmocka_unit_test(an_inbox_is_made_in_the_folder_that_is_there_and_in_no_other),
        cmocka_unit_test(a_folder_of_before_becomes_no_case_when_it_is_scanned_again),
        cmocka_unit_test(what_was_read_is_looked_at_again_one_by_one),
    };

    return cmocka_run_group_tests(tests, make_cabinet, remove_cabinet);
}
