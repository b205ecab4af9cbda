/* heading: where the title stands on a first page, and what is none. */
#include "decide/heading.h"

#include "page_help.h"
#include "rules_help.h"

static struct office office;
static struct content said;
static struct heading heading;

static void read_text(const char *text)
{
    heading_clear(&heading);
    content_clear(&said);
    page_add(&said, text);
    heading_read(&said, office.lang, &heading);
}

/* The type that the titles of the page tell, "none" for none. */
static const char *type(const char *text)
{
    struct type_match m[4];
    int n = 0;

    read_text(text);
    for (size_t i = 0; i < heading.titles && n == 0; i++)
        n = rules_match_title(office.rules, heading.title[i], m, 4, NULL);
    return n == 1 ? m[0].type->name : n == 0 ? "none" : "several";
}

#define CAPTION                                                                                    \
    "UNITED STATES DISTRICT COURT\nNORTHERN DISTRICT OF EXAMPLIA\nJANE ROE,\nPlaintiff,\nv.\n"     \
    "ACME CORP.,\nDefendant.\nCase No. 2:24-cv-01234-ABC\n"
#define BODY                                                                                       \
    "The complaint and the answer were filed with a notice of appeal, and the order is "           \
    "attached.\n"

static void below_a_caption(void **state)
{
    (void)state;
    assert_string_equal(type(CAPTION "*MOTION TO DISMISS\n" BODY), "MotionToDismiss");
    assert_int_equal(heading.form, FORM_COURT);
    assert_string_equal(heading.title[0], "MOTION TO DISMISS");
    assert_string_equal(heading.numbers[0], "2:24-cv-01234-ABC");
    assert_non_null(strstr(heading.caption, "JANE ROE"));
    assert_null(strstr(heading.caption, "MOTION"));
    assert_string_equal(type(CAPTION "Defendant's Motion to Dismiss\n" BODY), "MotionToDismiss");
}

static void over_several_lines(void **state)
{
    (void)state;
    assert_string_equal(type(CAPTION "*NOTICE OF MOTION AND\n*MOTION TO COMPEL\n" BODY),
                        "NoticeOfMotion");
    assert_string_equal(heading.title[0], "NOTICE OF MOTION AND MOTION TO COMPEL");
    assert_string_equal(type(CAPTION
                             "PLAINTIFF'S RESPONSE IN OPPOSITION TO\nDEFENDANT'S MOTION FOR\n"
                             "SUMMARY JUDGMENT\n" BODY),
                        "Opposition");
}

static void beside_the_parties(void **state)
{
    (void)state;
    assert_string_equal(type("IN THE DISTRICT COURT\nJANE ROE, ) CASE NO. 24-1187\nPlaintiff, )\n"
                             "v. ) ORDER ON MOTION\nACME CORP., ) TO COMPEL\nDefendant. )\n" BODY),
                        "Order");
    assert_string_equal(heading.title[0], "ORDER ON MOTION TO COMPEL");
    assert_string_equal(heading.numbers[0], "24-1187");
    assert_string_equal(
        type("CAUSE NO. 2024-55120\nJANE ROE, \xC2\xA7 IN THE DISTRICT COURT\n"
             "Plaintiff, \xC2\xA7\nv. \xC2\xA7 DALLAS COUNTY, TEXAS\nACME, \xC2\xA7\n"
             "Defendant. \xC2\xA7\nORIGINAL PETITION\n" BODY),
        "Petition");
    assert_string_equal(
        type("SUPERIOR COURT OF CALIFORNIA\nJANE ROE,\nPlaintiff, NOTICE OF HEARING\n"
             "v.\nACME CORP.,\nDefendant.\n" BODY),
        "NoticeOfHearing");
    /* A row of a table, as one line. */
    static const char *const rows[] = {"Defendant. Case No.: 24-1187", "Defendant, Case No. 24-1187",
                                       "Defendant ) Case No. 24-1187", "Defendant Case No. 24-1187"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_FREE char *page = xasprintf("SUPERIOR COURT OF CALIFORNIA\nJANE ROE,\nPlaintiff,\nv.\n"
                                         "ACME CORP.,\n%s\nMOTION TO COMPEL\n" BODY, rows[i]);

        assert_string_equal(type(page), "MotionToCompel");
        assert_string_equal(heading.numbers[0], "24-1187");
        assert_non_null(strstr(heading.caption, "24-1187"));
    }
    assert_string_equal(type("SUPERIOR COURT OF CALIFORNIA\nJANE ROE,\nPlaintiff,\nv.\nACME CORP.\n"
                             "Case No. 24-1187\nPLAINTIFF JANE ROE'S MOTION TO COMPEL\n" BODY),
                        "MotionToCompel");
}

static void what_stands_around_is_passed_over(void **state)
{
    (void)state;
    assert_string_equal(
        type("Case 2:24-cv-01234-ABC Document 12 Filed 03/02/26 Page 1 of 8\nJohn Hall, Esq. (SBN "
             "112233)\nHALL & ROE LLP\n400 Court Street, Suite 12\nSpringfield, CA "
             "94612\nTelephone: "
             "(555) 010-4477\njh@example.com\nAttorneys for Plaintiff\nFILED\n" CAPTION
             "Hon. Ruth Alvarez\nHearing date: May 4, 2026\nDept.: 12\n*PROOF OF SERVICE\n" BODY),
        "CertificateOfService");
    assert_non_null(strstr(heading.caption, "Document 12"));
    assert_null(strstr(heading.caption, "HALL"));
}

static void only_the_first_page_counts(void **state)
{
    (void)state;
    assert_string_equal(type(CAPTION "*MOTION TO COMPEL\n" BODY "\f*[PROPOSED] ORDER\n" BODY
                                     "\f*CERTIFICATE OF SERVICE\n"),
                        "MotionToCompel");
    assert_string_equal(type(CAPTION BODY "\f*ORDER\n"), "none");
}

static void the_body_is_no_title(void **state)
{
    (void)state;
    assert_string_equal(type(BODY BODY), "none");
    assert_string_equal(type(CAPTION BODY "*ORDER\n"), "none");
    assert_string_equal(type("ORDER\n" BODY), "Order");
    assert_string_equal(
        type("*AFFIDAVIT OF JANE ROE\nSTATE OF TENNESSEE )\nCOUNTY OF SHELBY )\n" BODY),
        "Affidavit");
    assert_int_equal(heading.form, FORM_PLAIN);
}

static void scanners_mistakes_are_mended(void **state)
{
    (void)state;
    assert_string_equal(type(CAPTION "M0TION T0 D1SMISS\n" BODY), "MotionToDismiss");
    assert_string_equal(type(CAPTION "MOTlON TO DISMlSS\n" BODY), "MotionToDismiss");
    assert_string_equal(type(CAPTION "MOT ION TO DISM ISS\n" BODY), "MotionToDismiss");
    assert_string_equal(type(CAPTION "O R D E R\n" BODY), "Order");
    assert_string_equal(type(CAPTION "N0TICE 0F HEAR1NG\n" BODY), "NoticeOfHearing");
    /* Not mended to what no title can mean. */
    assert_string_equal(type("BORDER\n" BODY), "none");
    assert_string_equal(type("2nd SET\n" BODY), "none");
}

static void letters_memos_and_mails_have_subjects(void **state)
{
    (void)state;
    assert_string_equal(
        type("HALL & ROE LLP\nMarch 2, 2026\nRe: ORDER GRANTING\nMOTION\nDear Mr. Roe:\n"
             "Enclosed is the order.\n"),
        "none");
    assert_int_equal(heading.form, FORM_LETTER);
    assert_string_equal(heading.subject, "ORDER GRANTING MOTION");
    read_text(
        "MEMORANDUM\nTO: File\nFROM: Roe\nDATE: March 2, 2026\nRE: Order of proof\nI met him.\n");
    assert_int_equal(heading.form, FORM_MEMO);
    assert_string_equal(heading.subject, "Order of proof");
    read_text(
        "From: Roe <r@example.com>\nSent: Monday, March 2, 2026\nTo: Doe\nSubject: Motion\nHi\n");
    assert_int_equal(heading.form, FORM_MAIL);
    assert_string_equal(heading.subject, "Motion");
    assert_int_equal(heading.titles, 0);
    content_set(&said.subject, "Order");
    heading_clear(&heading);
    heading_read(&said, office.lang, &heading);
    assert_string_equal(heading.subject, "Order");
}

static void a_letter_about_a_case_is_no_court_paper(void **state)
{
    (void)state;
    read_text("HALL & ROE LLP\nMarch 2, 2026\nRe: Jane Roe v. Acme Corp.\nCase No. "
              "2:24-cv-01234\nUnited States "
              "District Court\nDear Counsel:\nEnclosed is the order.\n");
    assert_int_equal(heading.form, FORM_LETTER);
    assert_non_null(strstr(heading.subject, "Jane Roe v. Acme Corp."));
}

static void nothing_read_is_nothing_known(void **state)
{
    (void)state;
    read_text("");
    assert_int_equal(heading.form, FORM_NONE);
    assert_string_equal(heading.caption, "");
    heading_clear(&heading);
    heading_read(NULL, office.lang, &heading);
    assert_int_equal(heading.form, FORM_NONE);
    assert_null(heading.subject);
}

static void odd_lines_are_fine(void **state)
{
    struct str text = STR_INIT;

    (void)state;
    read_text(")\n))\n|\n( ) | \xC2\xA7\n_____\n:\n.\n\xCC\x81\n---\n");
    for (int i = 0; i < 2000; i++)
        str_addf(&text, "%s", i % 3 ? "MOTION ) ORDER \xC2\xA7 v.\n" : "A B C D E F G H I J K L\n");
    read_text(str_c(&text));
    str_reset(&text);
    for (int i = 0; i < 20000; i++)
        str_add(&text, "MOTION TO ");
    read_text(str_c(&text));
    str_clear(&text);
}

static void forms_have_names(void **state)
{
    (void)state;
    for (int f = FORM_NONE; f <= FORM_PLAIN; f++)
        assert_int_equal(form_parse(form_name((enum form)f)), f);
    assert_int_equal(form_parse("poem"), -1);
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
    heading_clear(&heading);
    content_clear(&said);
    office_close(&office);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_a_caption),
        cmocka_unit_test(over_several_lines),
        cmocka_unit_test(beside_the_parties),
        cmocka_unit_test(what_stands_around_is_passed_over),
        cmocka_unit_test(only_the_first_page_counts),
        cmocka_unit_test(the_body_is_no_title),
        cmocka_unit_test(scanners_mistakes_are_mended),
        cmocka_unit_test(letters_memos_and_mails_have_subjects),
        cmocka_unit_test(a_letter_about_a_case_is_no_court_paper),
        cmocka_unit_test(nothing_read_is_nothing_known),
        cmocka_unit_test(odd_lines_are_fine),
        cmocka_unit_test(forms_have_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
