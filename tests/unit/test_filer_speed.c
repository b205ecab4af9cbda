/*
 * filer: how fast. Prints what was measured; fails only when it is slower by far than it should be
 * on any machine, because others may be at work on this one.
 */
#include "filer_world.h"

#define DOCUMENTS 5000

static double since(int64_t start)
{
    return (double)(env_ticks() - start) / NS_PER_S;
}

static void write_many(struct world *w, struct act **acts, bool own)
{
    char path[64], name[64];

    for (int i = 0; i < DOCUMENTS; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
    }
    for (int i = 0; i < DOCUMENTS; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        if (own)
            snprintf(name, sizeof name, "Smith_Divorce_Letter-%d_2026-03-02.pdf", i);
        else
            strcpy(name, "Smith_Divorce_Letter_2026-03-02.pdf");
        acts[i] = filing_act(w, path, LETTERS, name);
        /* As many descriptors as this process may have would not do. */
        close(acts[i]->fd);
        acts[i]->fd = -1;
    }
}

static void file_many(const char *what, bool own, double least)
{
    struct world *w = world_ready();
    struct act **acts = xcalloc(DOCUMENTS, sizeof *acts);
    struct outcome *r = xcalloc(DOCUMENTS, sizeof *r);
    int64_t start;
    double s;

    write_many(w, acts, own);
    start = env_ticks();
    for (int i = 0; i < DOCUMENTS; i++)
        submit(w, acts[i], &r[i]);
    run(w);
    s = since(start);
    for (int i = 0; i < DOCUMENTS; i++)
        assert_int_equal(r[i].status, ACT_DONE);
    print_message("%s: %.0f documents a second\n", what, DOCUMENTS / s);
    assert_true(DOCUMENTS / s > least);
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), DOCUMENTS);
    assert_journal(w);
    free(acts);
    free(r);
    world_free(w);
}

static void names_of_their_own(void **state)
{
    (void)state;
    file_many("names of their own", true, 500);
}

static void one_name_for_all(void **state)
{
    (void)state;
    file_many("one name for all", false, 300);
}

static int64_t renamed_at;

static void note_rename(void *ctx, enum filer_point point, const struct act *a)
{
    (void)ctx, (void)a;
    if (point == FILER_RENAMED)
        renamed_at = env_ticks();
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void one_at_a_time(void **state)
{
    struct world *w = world_new();
    double name[200], done[200];
    char path[64];

    (void)state;
    w->o.between = note_rename;
    world_start(w);
    open_case(w);
    for (int i = 0; i < 200; i++) {
        struct act *a;
        struct outcome r;
        int64_t start;

        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
        a = filing_act(w, path, LETTERS, path + sizeof INBOX);
        start = env_ticks();
        submit(w, a, &r);
        run(w);
        name[i] = (double)(renamed_at - start) / NS_PER_MS;
        done[i] = since(start) * 1000;
        assert_int_equal(r.status, ACT_DONE);
    }
    qsort(name, 200, sizeof *name, by_value);
    qsort(done, 200, sizeof *done, by_value);
    print_message("one at a time: new name after %.2f ms (p99 %.2f), counts after %.2f ms\n",
                  name[100], name[198], done[100]);
    assert_true(name[100] < 100);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_their_own),
        cmocka_unit_test(one_name_for_all),
        cmocka_unit_test(one_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
