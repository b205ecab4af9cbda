/* written: the date that a document itself bears. */
#include "decide/written.h"

#include "decide/heading.h"
#include "page_help.h"
#include "rules_help.h"

static struct office office;
static const struct date today = {2026, 11, 23};

struct row {
    const char *text, *dated, *filed; /* "" for none, "?" for a question */
};

static const char *said_by(const struct written_date *w, char buf[static DATE_TEXT])
{
    if (w->match.verdict == DATE_ABSENT || !w->line)
        return "";
    return w->match.verdict == DATE_FOUND ? date_text(w->match.date, buf) : "?";
}

static void check(const struct row *r, enum date_order order)
{
    struct content c = {0};
    struct heading h;
    struct written w;
    char a[DATE_TEXT], b[DATE_TEXT];

    page_add(&c, r->text);
    heading_read(&c, office.lang, &h);
    written_read(&c, &h, order, today, office.lang, &w);
    if (strcmp(said_by(&w.dated, a), r->dated) != 0 || strcmp(said_by(&w.filed, b), r->filed) != 0)
        fail_msg("%s: dated %s, filed %s", r->text, said_by(&w.dated, a), said_by(&w.filed, b));
    written_clear(&w);
    heading_clear(&h);
    content_clear(&c);
}

static void all(const struct row *rows, size_t n, enum date_order order)
{
    for (size_t i = 0; i < n; i++)
        check(&rows[i], order);
}

#define ALL(rows, order) all(rows, sizeof(rows) / sizeof *(rows), order)

static void behind_words_that_say_so(void **state)
{
    static const struct row rows[] = {
        {"Dated: March 2, 2026\n", "2026-03-02", ""},
        {"DATED this 2nd day of March, 2026.\n", "2026-03-02", ""},
        {"IT IS SO ORDERED this 2nd day of March, 2026.\n", "2026-03-02", ""},
        {"SO ORDERED this 21st day of March 2026\n", "2026-03-21", ""},
        {"Dated: New York, New York\nMarch 2, 2026\n", "2026-03-02", ""},
        {"Executed on March 2, 2026, at Springfield\n", "2026-03-02", ""},
        {"Date: 3/2/2026 Respectfully submitted,\n", "2026-03-02", ""},
        {"Invoice Date: 03/02/2026\n", "2026-03-02", ""},
        {"From: a@example.com\nSent: Monday, March 2, 2026 10:12 AM\nTo: b\nSubject: x\n",
         "2026-03-02", ""},
        {"Dated: 0ctober l5, 2O25\n", "2025-10-15", ""},
        {"A page.\n\fDated: March 2, 2026\n", "2026-03-02", ""},
        {"Respectfully submitted,   Dated: March 2, 2026\n", "2026-03-02", ""},
        {"Springfield, Illinois. DATED : 3/2/2026, Roe LLP\n", "2026-03-02", ""},
    };

    (void)state;
    ALL(rows, DATE_ORDER_MDY);
}

static void days_told_in_passing_are_none(void **state)
{
    static const struct row rows[] = {
        {"On or about March 2, 2026, the parties met.\n", "", ""},
        {"The lease dated January 4, 2022 was signed.\n", "", ""},
        {"Date of birth: March 2, 1984\nDate of loss: March 2, 2024\n", "", ""},
        {"Dated: ____________, 20__\n", "", ""},
        {"this is the day of reckoning, March 2, 2026\n", "", ""},
        {"The complaint was filed 03/02/2026.\n", "", ""},
        {"Hearing Date: May 4, 2026\nThe bond, predated: March 2, 2026\n", "", ""},
        {"March 2, 2026\n", "", ""},
        {"Date: May 4, 2026\nTime: 9:00 a.m.\nDept.: 12\nDated: March 2, 2026\n", "2026-03-02", ""},
    };

    (void)state;
    ALL(rows, DATE_ORDER_MDY);
}

static void a_letters_date_stands_above_dear(void **state)
{
    static const struct row rows[] = {
        {"HALL & ROE\nMarch 2, 2026\nRe: x\nDear Mr. Roe:\nOn March 5, 2026 we met.\n",
         "2026-03-02", ""},
        {"Dear Mr. Roe:\nI enclose it.\nMarch 2, 2026\n", "", ""},
    };

    (void)state;
    ALL(rows, DATE_ORDER_MDY);
}

static void the_courts_stamp(void **state)
{
    static const struct row rows[] = {
        {"Case 2:24-cv-01234-ABC Document 12 Filed 03/02/26 Page 1 of 8\n*ORDER\n", "",
         "2026-03-02"},
        {"FILED MAR 2 2026\n*ORDER\n", "", "2026-03-02"},
        {"Case: 1:25-cv-10320 Document #: 33 Filed: 01/05/26 Page 1 of 13 PageID #:1247\n*ORDER\n",
         "", "2026-01-05"},
        {"CASE 0:24-md-03108-DWF Doc. 540 Filed 03/19/26 Page 1 of 1\n*ORDER\n", "", "2026-03-19"},
        {"Case 0:25-cv-62222-XXXX Document 41 Entered on FLSD Docket 03/02/26\n*ORDER\n", "",
         "2026-03-02"},
        {"ELECTRONICALLY FILED\nMarch 2, 2026\n*ORDER\n", "", "2026-03-02"},
        {"Case 2:24-cv-01234 Document 12 Filed 03/02/26 Page 1 of 8\n*ORDER\nDated: March 1, "
         "2026\n",
         "2026-03-01", "2026-03-02"},
    };

    (void)state;
    ALL(rows, DATE_ORDER_ASK);
}

static void what_is_doubtful_stays_so(void **state)
{
    static const struct row rows[] = {
        {"Dated: 03/04/2026\n", "?", ""},          {"Dated: February 30, 2026\n", "?", ""},
        {"Dated: March 2, 2095\n", "?", ""},       {"Dated: March 2, 1914\n", "?", ""},
        {"Dated: 13/04/2026\n", "2026-04-13", ""},
        {"Respectfully submitted, Dated: February 30, 2026\n", "?", ""},
    };

    (void)state;
    ALL(rows, DATE_ORDER_ASK);
}

static void a_mail_has_its_own_date(void **state)
{
    struct content c = {0};
    struct heading h;
    struct written w;

    (void)state;
    page_add(&c, "Dated: March 2, 2026\n");
    content_set(&c.sender, "a@example.com");
    heading_read(&c, office.lang, &h);
    written_read(&c, &h, DATE_ORDER_MDY, today, office.lang, &w);
    assert_null(w.dated.line);
    written_clear(&w);
    heading_clear(&h);
    content_clear(&c);
    written_read(NULL, NULL, DATE_ORDER_MDY, today, office.lang, &w);
    assert_null(w.dated.line);
    written_clear(&w);
}

static int setup(void **state)
{
    (void)state;
    office_open(&office);
    return office_load(&office) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&office);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_words_that_say_so),
        cmocka_unit_test(days_told_in_passing_are_none),
        cmocka_unit_test(a_letters_date_stands_above_dear),
        cmocka_unit_test(the_courts_stamp),
        cmocka_unit_test(what_is_doubtful_stays_so),
        cmocka_unit_test(a_mail_has_its_own_date),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
