/* plan: names settled as a whole, kept off the share, reviewed in Excel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

/* What is there, as a NULL-terminated list. */
static bool there(void *ctx, const char *path)
{
    const char *const *list = ctx;

    for (size_t i = 0; list[i]; i++)
        if (strcmp(list[i], path) == 0)
            return true;
    return false;
}

static const struct plan_row *row_from(const struct plan *p, const char *from)
{
    for (size_t i = 0; i < p->len; i++)
        if (strcmp(p->rows[i].from, from) == 0)
            return &p->rows[i];
    fail_msg("no row from %s", from);
    abort();
}

static void two_that_want_one_name_get_serials(void **state)
{
    const char *list[] = {"c/a.pdf", "c/b.pdf", NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "c/a.pdf", "c/S_D_Order_2026-03-02.pdf");
    plan_add(&p, "c/b.pdf", "c/S_D_Order_2026-03-02.pdf");
    plan_arrange(&p, there, list);
    assert_string_equal(row_from(&p, "c/a.pdf")->to, "c/S_D_Order_2026-03-02.pdf");
    assert_string_equal(row_from(&p, "c/b.pdf")->to, "c/S_D_Order_2026-03-02_02.pdf");
    plan_clear(&p);
}

static void a_name_that_is_given_up_is_free(void **state)
{
    const char *list[] = {"a", "b", NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "a", "b");
    plan_add(&p, "b", "c");
    plan_arrange(&p, there, list);
    assert_string_equal(row_from(&p, "a")->to, "b");
    assert_string_equal(row_from(&p, "b")->to, "c");
    plan_clear(&p);
}

static void a_swap_keeps_both_names(void **state)
{
    const char *list[] = {"a.pdf", "b.pdf", NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "a.pdf", "b.pdf");
    plan_add(&p, "b.pdf", "a.pdf");
    plan_arrange(&p, there, list);
    assert_string_equal(row_from(&p, "a.pdf")->to, "b.pdf");
    assert_string_equal(row_from(&p, "b.pdf")->to, "a.pdf");
    plan_clear(&p);
}

static void a_case_only_renaming_is_planned(void **state)
{
    const char *list[] = {"Letter.PDF", NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "Letter.PDF", "Letter.pdf");
    plan_arrange(&p, there, list);
    assert_string_equal(p.rows[0].to, "Letter.pdf");
    plan_clear(&p);
}

static void a_document_that_stays_keeps_its_name(void **state)
{
    const char *list[] = {"a.pdf", "x.pdf", NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "a.pdf", "x.pdf");
    plan_arrange(&p, there, list);
    assert_string_equal(p.rows[0].to, "x_02.pdf");
    plan_clear(&p);
}

static void names_that_differ_in_case_collide(void **state)
{
    const char *list[] = {NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "1", "Order.pdf");
    plan_add(&p, "2", "ORDER.pdf");
    plan_arrange(&p, there, list);
    assert_string_equal(row_from(&p, "2")->to, "ORDER_02.pdf");
    plan_clear(&p);
}

static void rows_that_change_nothing_are_dropped(void **state)
{
    const char *list[] = {"a.pdf", NULL};
    struct plan p;

    (void)state;
    plan_init(&p, "id", 1);
    plan_add(&p, "a.pdf", "a.pdf");
    plan_arrange(&p, there, list);
    assert_int_equal(p.len, 0);
    plan_clear(&p);
}

static void a_stored_plan_comes_back(void **state)
{
    char dir[] = "/tmp/organizer-plan-XXXXXX";
    AUTO_FREE char *cmd = NULL;
    struct error err = ERROR_INIT;
    struct plan p, q;
    struct plan_row *r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    plan_init(&p, "cabinet", 5);
    r = plan_add(&p, "bad\xffname", "good");
    r->number = 1;
    r->why = xstrdup("because");
    r->stamp.ino = 77;
    strcpy(r->case_id, "0123456789abcdef0123456789abcdef");
    r->digest = digest_of("x", 1);
    assert_int_equal(plan_save(&p, dir, &err), 0);
    assert_int_equal(plan_load(&q, dir, p.id, &err), 0);
    assert_int_equal(q.len, 1);
    assert_string_equal(q.rows[0].from, "bad\xffname");
    assert_string_equal(q.rows[0].why, "because");
    assert_int_equal(q.rows[0].stamp.ino, 77);
    assert_true(digest_equal(&q.rows[0].digest, &r->digest));
    plan_clear(&q);
    assert_int_equal(plan_load(&q, dir, "0000000000000000", &err), -1);
    plan_clear(&q);
    assert_int_equal(plan_load(&q, dir, "../../etc/passwd", &err), -1);
    plan_clear(&q);
    plan_clear(&p);
    cmd = xasprintf("rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

struct decisions {
    int yes, no;
    unsigned last, with_to;
};

static void count(void *ctx, unsigned row, bool apply, const char *to)
{
    struct decisions *d = ctx;

    d->with_to += to != NULL;
    d->last = row;
    if (apply)
        d->yes++;
    else
        d->no++;
}

static void decisions_are_read_from_the_csv(void **state)
{
    AUTO_STR struct str csv = STR_INIT;
    struct error err = ERROR_INIT;
    struct decisions d = {0};
    struct plan p;
    char id[17];

    (void)state;
    plan_init(&p, "cabinet", 5);
    plan_add(&p, "=cmd", "b")->number = 1;
    plan_add(&p, "c", "d")->number = 2;
    plan_csv(&p, &csv);
    assert_int_equal(plan_csv_read(csv.s, csv.len, id, count, &d, &err), 0);
    assert_string_equal(id, p.id);
    assert_int_equal(d.yes, 2);
    assert_int_equal(d.with_to, 2);
    plan_clear(&p);
}

static int read_text(const char *text, struct decisions *d, struct error *err)
{
    char id[17];

    *d = (struct decisions){0};
    return plan_csv_read(text, strlen(text), id, count, d, err);
}

static void excel_may_move_columns_and_write_semicolons(void **state)
{
    struct error err = ERROR_INIT;
    struct decisions d;

    (void)state;
    assert_int_equal(read_text("Row;Apply;Plan\r\n1;no;plan-0123456789abcdef\r\n"
                               "2;YES;plan-0123456789abcdef\r\n;;\r\n",
                               &d, &err),
                     0);
    assert_int_equal(d.yes, 1);
    assert_int_equal(d.no, 1);
    assert_int_equal(d.with_to, 0);
}

static void a_name_that_was_written_over_is_told_from_one_in_another_character_set(void **state)
{
    (void)state;
    assert_true(plan_same_to("A/Smith_Order-M\xFCller.pdf", "A/Smith_Order-M\xC3\xBCller.pdf"));
    assert_true(plan_same_to("'=A/x?.pdf", "=A/x\xC3\xBC.pdf"));
    assert_false(plan_same_to("A/x.pdf", "A/y.pdf"));
    assert_false(plan_same_to("A/x", "A/x.pdf"));
    assert_false(plan_same_to("", "A/x.pdf"));
}

static void what_is_wrong_in_a_csv_is_told_with_its_line(void **state)
{
    struct error err = ERROR_INIT;
    struct decisions d;

    (void)state;
    assert_int_equal(read_text("Apply,Plan,Row\nmaybe,plan-0123456789abcdef,1\n", &d, &err), -1);
    assert_non_null(strstr(err.text, "line 2"));
    assert_int_equal(read_text("Apply,Plan,Row\nyes,1.23E+15,1\n", &d, &err), -1);
    assert_non_null(strstr(err.text, "line 2"));
    assert_int_equal(read_text("Apply,Plan\nyes,plan-0123456789abcdef\n", &d, &err), -1);
    assert_non_null(strstr(err.text, "Row"));
    assert_int_equal(read_text("Apply,Plan,Row\nyes,plan-0123456789abcdef,1\n"
                               "yes,plan-fedcba9876543210,2\n",
                               &d, &err),
                     -1);
    assert_int_equal(read_text("", &d, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_that_want_one_name_get_serials),
        cmocka_unit_test(a_name_that_is_given_up_is_free),
        cmocka_unit_test(a_swap_keeps_both_names),
        cmocka_unit_test(a_case_only_renaming_is_planned),
        cmocka_unit_test(a_document_that_stays_keeps_its_name),
        cmocka_unit_test(names_that_differ_in_case_collide),
        cmocka_unit_test(rows_that_change_nothing_are_dropped),
        cmocka_unit_test(a_stored_plan_comes_back),
        cmocka_unit_test(decisions_are_read_from_the_csv),
        cmocka_unit_test(excel_may_move_columns_and_write_semicolons),
        cmocka_unit_test(a_name_that_was_written_over_is_told_from_one_in_another_character_set),
        cmocka_unit_test(what_is_wrong_in_a_csv_is_told_with_its_line),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
