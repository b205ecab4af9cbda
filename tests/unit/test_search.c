/* search: the catalogue's thread follows the document table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/str.h"
#include "decide/content.h"
#include "search/search.h"
#include "search_place.h"

struct world {
    struct search_place *p;
    uv_loop_t loop;
    struct search *s;
    struct str wanted; /* numbers that were asked for */
    bool give;         /* what is asked for is given: "wanted text" */
};

static int memory_file(const char *text)
{
    int fd = memfd_create("text", MFD_CLOEXEC);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void give(struct world *w, const char *case_id, int64_t number, const char *bytes,
                 const char *text, const struct content *c)
{
    struct digest d = digest_of_text(bytes);
    int fd = text ? memory_file(text) : -1;
    struct content said = c ? *c : (struct content){0};

    said.text_len = text ? strlen(text) : 0;
    search_text(w->s, case_id, number, &d, &said, fd);
    if (fd >= 0)
        close(fd);
}

static void on_want(void *ctx, const char *case_id, int64_t number)
{
    struct world *w = ctx;

    str_addf(&w->wanted, "%d ", (int)number);
    if (w->give)
        give(w, case_id, number, "lease", "wanted text", NULL);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void start(struct world *w)
{
    struct search_options o = {
        .state_dir = w->p->dir, .want = on_want, .rested = nothing, .ctx = w};

    w->s = search_new(&w->loop, &o, &w->p->err);
    assert_non_null(w->s);
}

static void end(struct world *w)
{
    search_free(w->s);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    w->s = NULL;
}

/* All that was given is written. */
static void settle(struct world *w)
{
    search_hurry(w->s);
    while (search_done(w->s) < search_given(w->s)) {
        uv_run(&w->loop, UV_RUN_ONCE);
        search_hurry(w->s);
    }
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    if (place_setup((void **)&w->p) < 0)
        return -1;
    catalogue_close(w->p->catalogue);
    w->p->catalogue = NULL;
    uv_loop_init(&w->loop);
    *state = w;
    start(w);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    end(w);
    uv_loop_close(&w->loop);
    str_clear(&w->wanted);
    place_teardown((void **)&w->p);
    free(w);
    return 0;
}

static bool all(void *ctx, const struct catalogue_entry *e)
{
    (void)ctx;
    (void)e;
    return true;
}

static void one(void *ctx, const struct catalogue_entry *e, const struct catalogue_shown *shown)
{
    (void)e;
    (void)shown;
    ++*(int *)ctx;
}

static int hits(struct world *w, const char *expression)
{
    struct catalogue *c = catalogue_open(w->p->dir, true, &w->p->err);
    int n = 0;
    struct catalogue_search s = {
        .expression = expression, .limit = 1000, .limit_ms = 10000, .admits = all, .taken = one, .ctx = &n};

    assert_non_null(c);
    assert_int_equal(catalogue_look(c, &s, &w->p->err), 0);
    catalogue_close(c);
    return n;
}

static void a_row_is_found_by_its_name(void **state)
{
    struct world *w = *state;

    place_row(w->p, case_a, 1, "Motions/Smith_Lease_MotionToDismiss_2026-03-02.pdf", "lease");
    search_row(w->s, case_a, 1);
    settle(w);
    assert_int_equal(hits(w, "\"motion to dismiss\""), 1);
    assert_int_equal(hits(w, "\"motiontodismiss\""), 1);
    assert_int_equal(hits(w, "\"smith\""), 1);
}

static void a_text_is_found_with_what_stands_beside_it(void **state)
{
    struct world *w = *state;
    char *to[] = {xstrdup("Ann Lee <ann@lee.example>"), NULL};
    struct content c = {.subject = xstrdup("Re: settlement"),
                        .sender = xstrdup("Bob Roe <bob@roe.example>"),
                        .recipients = to};

    place_row(w->p, case_a, 1, "a.eml", "lease");
    search_row(w->s, case_a, 1);
    give(w, case_a, 1, "lease", "the whole text", &c);
    settle(w);
    assert_int_equal(hits(w, "{body} : \"whole text\""), 1);
    assert_int_equal(hits(w, "{title} : \"settlement\""), 1);
    assert_int_equal(hits(w, "{people} : \"roe\" AND \"lee\""), 1);
    assert_int_equal(w->wanted.len, 0);
    free(to[0]);
    free(c.subject);
    free(c.sender);
}

static void a_text_of_other_bytes_is_dropped(void **state)
{
    struct world *w = *state;

    place_row(w->p, case_a, 1, "a.pdf", "new bytes");
    search_row(w->s, case_a, 1);
    give(w, case_a, 1, "old bytes", "yesterday", NULL);
    settle(w);
    assert_int_equal(hits(w, "\"yesterday\""), 0);
    assert_int_equal(hits(w, "\"pdf\""), 1);
}

static void a_row_that_is_gone_takes_its_entry_along(void **state)
{
    struct world *w = *state;
    struct doc d = {.number = 1, .path = xstrdup("a.pdf"), .state = DOC_GONE};

    place_row(w->p, case_a, 1, "a.pdf", "lease");
    give(w, case_a, 1, "lease", "lease text", NULL);
    settle(w);
    assert_int_equal(hits(w, "\"lease\""), 1);
    memcpy(d.case_id, case_a, CASE_ID_SIZE);
    assert_int_equal(state_doc_put(w->p->state, &d, &w->p->err), 0);
    doc_clear(&d);
    search_row(w->s, case_a, 1);
    settle(w);
    for (int i = 0; i < 500 && hits(w, "\"lease\""); i++)
        usleep(10000); /* it goes when there is nothing else to do */
    assert_int_equal(hits(w, "\"lease\""), 0);
}

static void a_document_that_moves_to_another_case_keeps_its_text(void **state)
{
    struct world *w = *state;
    struct doc d = {.number = 1, .path = xstrdup("a.pdf"), .state = DOC_GONE};

    place_row(w->p, case_a, 1, "a.pdf", "lease");
    give(w, case_a, 1, "lease", "lease text", NULL);
    settle(w);
    memcpy(d.case_id, case_a, CASE_ID_SIZE);
    assert_int_equal(state_doc_put(w->p->state, &d, &w->p->err), 0);
    doc_clear(&d);
    place_row(w->p, case_b, 5, "b.pdf", "lease");
    search_row(w->s, case_a, 1);
    search_row(w->s, case_b, 5);
    settle(w);
    assert_int_equal(hits(w, "\"lease\" AND \"b pdf\""), 1);
}

static void what_was_missed_is_wanted_at_the_next_start(void **state)
{
    struct world *w = *state;

    settle(w);
    end(w);
    place_row(w->p, case_a, 1, "a.pdf", "lease");
    place_row(w->p, case_a, 2, "waiting.docx", NULL);
    w->give = true;
    start(w);
    settle(w);
    assert_int_equal(hits(w, "\"pdf\""), 1);
    while (!w->wanted.len || search_lacks(w->s))
        uv_run(&w->loop, UV_RUN_ONCE);
    settle(w);
    assert_string_equal(str_c(&w->wanted), "1 ");
    assert_int_equal(hits(w, "\"wanted text\""), 1);
}

static void what_says_nothing_is_not_asked_for_again(void **state)
{
    struct world *w = *state;

    place_row(w->p, case_a, 1, "a.jpg", "lease");
    search_row(w->s, case_a, 1);
    give(w, case_a, 1, "lease", NULL, NULL);
    settle(w);
    end(w);
    start(w);
    settle(w);
    assert_false(search_lacks(w->s));
    assert_int_equal(w->wanted.len, 0);
}

static void again_is_anew(void **state)
{
    struct world *w = *state;

    place_row(w->p, case_a, 1, "a.pdf", "lease");
    give(w, case_a, 1, "lease", "the first text", NULL);
    settle(w);
    w->give = true;
    search_again(w->s);
    settle(w);
    assert_int_equal(hits(w, "\"first\""), 0);
    while (!w->wanted.len || search_lacks(w->s))
        uv_run(&w->loop, UV_RUN_ONCE);
    settle(w);
    assert_int_equal(hits(w, "\"wanted\""), 1);
}

static void a_catalogue_that_was_taken_away_comes_back(void **state)
{
    struct world *w = *state;

    place_row(w->p, case_a, 1, "a.pdf", "lease");
    settle(w);
    end(w);
    catalogue_delete(w->p->dir);
    start(w);
    settle(w);
    assert_int_equal(hits(w, "\"pdf\""), 1);
}

/* Jobs that lie are neither worked on nor lost: who waits has them at once. */
static void what_rests_lies_until_somebody_hurries(void **state)
{
    struct world *w = *state;
    struct str json = STR_INIT;

    search_rest(w->s, 60000);
    place_row(w->p, case_a, 1, "Motions/Smith_Lease_Motion_2026-03-02.pdf", "lease");
    search_row(w->s, case_a, 1);
    search_status(w->s, &json);
    assert_non_null(strstr(str_c(&json), "\"waiting\":1"));
    assert_int_equal(hits(w, "\"motion\""), 0);
    settle(w);
    assert_int_equal(hits(w, "\"motion\""), 1);
    str_clear(&json);
}

/* Nobody asks: it is late, but it comes. */
static void what_rests_comes_when_the_time_is_over(void **state)
{
    struct world *w = *state;

    search_rest(w->s, 50);
    place_row(w->p, case_a, 1, "Motions/Smith_Lease_Motion_2026-03-02.pdf", "lease");
    search_row(w->s, case_a, 1);
    while (search_done(w->s) < search_given(w->s))
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(hits(w, "\"motion\""), 1);
}

static void a_private_state_that_cannot_be_opened_is_tried_again(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *there = xasprintf("%s/state.db", w->p->dir);
    AUTO_FREE char *away = xasprintf("%s/away.db", w->p->dir);

    place_row(w->p, case_a, 1, "a.pdf", "lease");
    end(w);
    state_close(w->p->state);
    assert_int_equal(rename(there, away), 0);
    start(w);
    settle(w);
    assert_int_equal(rename(away, there), 0);
    w->p->state = state_open(w->p->dir, false, &w->p->err);
    search_row(w->s, case_a, 1);
    settle(w);
    assert_int_equal(hits(w, "\"pdf\""), 1);
}

static void status_tells_how_many(void **state)
{
    struct world *w = *state;
    AUTO_STR struct str out = STR_INIT;

    place_row(w->p, case_a, 1, "a.pdf", "lease");
    search_row(w->s, case_a, 1);
    settle(w);
    str_addc(&out, '{');
    search_status(w->s, &out);
    assert_string_equal(str_c(&out), "{\"documents\":1,\"by_name_only\":1,\"waiting\":0");
}

#define each_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each_test(a_row_is_found_by_its_name),
        each_test(a_text_is_found_with_what_stands_beside_it),
        each_test(a_text_of_other_bytes_is_dropped),
        each_test(a_row_that_is_gone_takes_its_entry_along),
        each_test(a_document_that_moves_to_another_case_keeps_its_text),
        each_test(what_was_missed_is_wanted_at_the_next_start),
        each_test(what_says_nothing_is_not_asked_for_again),
        each_test(again_is_anew),
        each_test(a_catalogue_that_was_taken_away_comes_back),
        each_test(what_rests_lies_until_somebody_hurries),
        each_test(what_rests_comes_when_the_time_is_over),
        each_test(a_private_state_that_cannot_be_opened_is_tried_again),
        each_test(status_tells_how_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
