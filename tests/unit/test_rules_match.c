/* Which document type the facts tell, by the shipped rules. */
#include "decide/heading.h"
#include "rules_help.h"

static struct office office;

static int open_all(void **state)
{
    (void)state;
    office_open(&office);
    if (!office_load(&office))
        fail_msg("%s", str_c(&office.said));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    office_close(&office);
    return 0;
}

static const struct facts plain = {.name = "a.pdf", .folder = "Inbox", .kind = KIND_PDF};

static void expect(const char *words, const char *type)
{
    const char *got = type_of(office.rules, &plain, words);

    if (strcmp(got, type) != 0)
        fail_msg("\"%s\" should be %s and is %s", words, type, got);
}

static void every_example_yields_what_it_says(void **state)
{
    struct str out = STR_INIT;
    size_t ran = 0, failed = rules_test(office.rules, office.lang, &out, &ran);

    (void)state;
    if (failed)
        fail_msg("%s", str_c(&out));
    assert_true(ran >= 600);
    str_clear(&out);
}

static void the_shipped_rules_load_without_a_remark(void **state)
{
    (void)state;
    assert_string_equal(str_c(&office.said), "");
    assert_int_equal(office.problems.errors, 0);
    assert_int_equal(office.problems.warnings, 0);
}

static void the_longest_words_win(void **state)
{
    (void)state;
    expect("Motion to Dismiss FINAL v2", "MotionToDismiss");
    expect("proposed order", "ProposedOrder");
    expect("stipulated protective order", "ProtectiveOrder");
}

static void what_comes_after_re_is_what_it_is_about(void **state)
{
    (void)state;
    expect("letter re order", "Letter");
    expect("Order re letter", "Order");
    expect("re order", "Order");
    expect("opposition to motion to dismiss", "Opposition");
    expect("proposed order granting motion", "ProposedOrder");
    expect("Order (motion to dismiss)", "Order");
}

static void two_as_likely_as_each_other_tie(void **state)
{
    (void)state;
    expect("Motion Order", "Motion, Order");
    expect("Affidavit - Invoice", "Affidavit, Invoice");
}

static void a_person_is_no_type(void **state)
{
    static const char *const parties[] = {"Jane Order", NULL};
    const struct case_facts home = {.client = "Will", .parties = parties};
    struct facts f = plain;

    (void)state;
    expect("Letter to Mr. Order", "Letter");
    expect("Mr. Order", "none");
    expect("Order, Jane - Deposition", "DepositionTranscript");
    expect("Order Deposition", "Order, DepositionTranscript");
    f.home = &home;
    assert_string_equal(type_of(office.rules, &f, "Order Deposition"), "DepositionTranscript");
    assert_string_equal(type_of(office.rules, &f, "Order"), "Order");
}

static void a_verb_is_no_will(void **state)
{
    (void)state;
    expect("we will call", "none");
    expect("Smith Will", "Will");
    expect("Will Smith letter", "Letter");
}

static void accents_and_case_do_not_matter(void **state)
{
    (void)state;
    expect("MÓTION tö Dismiss", "MotionToDismiss");
    expect("Appellant\xe2\x80\x99s brief", "AppealBrief");
}

static void only_whole_words_count(void **state)
{
    (void)state;
    expect("emotional promotions", "none");
    expect("disorder", "none");
    expect("Indeed", "none");
}

static void names_without_spaces_are_words_too(void **state)
{
    (void)state;
    expect("MotiontoDismiss", "MotionToDismiss");
    expect("NoticeofHearing", "NoticeOfHearing");
    expect("SettlementAgreement", "Settlement");
    expect("MSJBrief", "MotionForSummaryJudgment, Brief");
    expect("NDAs", "NDA");
    expect("Exh12", "Exhibit");
}

static void the_match_says_where_and_what(void **state)
{
    struct type_match m[4];

    (void)state;
    assert_int_equal(rules_match_type(office.rules, &plain, "Smith mtn draft", m, 4, NULL), 1);
    assert_string_equal(m[0].type->name, "Motion");
    assert_string_equal(m[0].by, "name");
    assert_string_equal(m[0].matched, "mtn");
    assert_int_equal(m[0].start, 6);
    assert_int_equal(m[0].end, 9);
    assert_non_null(strstr(m[0].where, "motions.yaml:"));
    assert_string_equal(m[0].where, m[0].type->where);
}

static void candidates_come_best_first_and_once(void **state)
{
    struct type_match m[4];

    (void)state;
    assert_int_equal(rules_match_type(office.rules, &plain, "letter letter re order", m, 4, NULL),
                     2);
    assert_string_equal(m[0].type->name, "Letter");
    assert_string_equal(m[1].type->name, "Order");
    assert_true(m[0].score > m[1].score);
    assert_int_equal(rules_match_type(office.rules, &plain, "letter re order", m, 1, NULL), 1);
    assert_int_equal(rules_match_type(office.rules, &plain, "letter", m, 0, NULL), 0);
}

static void a_mail_is_an_email_unless_its_name_says_more(void **state)
{
    struct facts f = {.name = "x.eml", .folder = "", .kind = KIND_EML};
    struct type_match m[2];

    (void)state;
    assert_string_equal(type_of(office.rules, &f, "lunch"), "Email");
    assert_string_equal(type_of(office.rules, &f, "Smith Motion"), "Motion");
    f.kind = KIND_MSG;
    assert_int_equal(rules_match_type(office.rules, &f, "lunch", m, 2, NULL), 1);
    assert_string_equal(m[0].by, "kind");
    assert_int_equal(m[0].start, m[0].end);
}

static void camera_names_are_photos_when_they_are_pictures(void **state)
{
    struct facts f = {.name = "IMG_1234.jpg", .folder = "", .kind = KIND_JPEG};

    (void)state;
    assert_string_equal(type_of(office.rules, &f, ""), "Photo");
    f.kind = KIND_PDF;
    assert_string_equal(type_of(office.rules, &f, ""), "none");
    f = (struct facts){.name = "scan0001.jpg", .folder = "", .kind = KIND_JPEG};
    assert_string_equal(type_of(office.rules, &f, ""), "none");
    f = (struct facts){.name = "x.wav", .folder = "", .kind = KIND_WAV};
    assert_string_equal(type_of(office.rules, &f, ""), "Recording");
}

static void what_cannot_be_read_cannot_be_told(void **state)
{
    struct facts f = {.name = "x.eml", .folder = "", .read_failed = true};

    (void)state;
    assert_string_equal(type_of(office.rules, &f, "lunch"), "cannot tell");
    assert_string_equal(type_of(office.rules, &f, "letter"), "Letter");
}

static void title_and_text_count_when_the_name_says_nothing(void **state)
{
    struct facts f = {.name = "x.pdf", .folder = "", .kind = KIND_PDF};
    struct type_match m[2];
    char text[] = "YOU ARE HEREBY SUMMONED to answer. A lawsuit has been filed against you in court.";
    char one[] = "The letter says: you are hereby summoned, and nothing else of the kind.";
    struct content_line line = {.text = text};
    const struct content said = {.lines = &line, .lines_len = 1};
    struct heading heading = {.title = {(char[]){"MOTION TO DISMISS THE CASE"}}, .titles = 1};
    bool missed = false;

    (void)state;
    f.content_missed = &missed;
    assert_int_equal(rules_match_type(office.rules, &f, "letter", m, 2, NULL), 1);
    assert_false(missed);
    assert_int_equal(rules_match_type(office.rules, &f, "scan", m, 2, NULL), 0);
    assert_true(missed);
    f.content = &said;
    f.heading = &heading;
    assert_int_equal(rules_match_type(office.rules, &f, "scan", m, 2, NULL), 1);
    assert_string_equal(m[0].type->name, "MotionToDismiss");
    assert_string_equal(m[0].by, "title");
    assert_string_equal(type_of(office.rules, &f, "letter"), "Letter");
    heading = (struct heading){.form = FORM_PLAIN, .text = text};
    assert_int_equal(rules_match_type(office.rules, &f, "scan", m, 2, NULL), 1);
    assert_string_equal(m[0].type->name, "Summons");
    assert_string_equal(m[0].by, "text");
    heading.text = one;
    assert_int_equal(rules_match_type(office.rules, &f, "scan", m, 2, NULL), 1);
    heading.text = (char[]){"The order was a letter."};
    assert_int_equal(rules_match_type(office.rules, &f, "scan", m, 2, NULL), 0);
}

static void the_trace_says_why_not(void **state)
{
    struct type_match m[2];
    struct str trace = STR_INIT;

    (void)state;
    rules_match_type(office.rules, &plain, "motion to dismiss we will call", m, 2, &trace);
    assert_non_null(strstr(str_c(&trace), "set aside: part of \"motion to dismiss\""));
    assert_non_null(strstr(str_c(&trace), "no type: name matched \"we will\""));
    str_reset(&trace);
    rules_match_type(office.rules, &plain, "zzz", m, 2, &trace);
    assert_non_null(strstr(str_c(&trace), "no word of theirs is in the name"));
    assert_non_null(strstr(str_c(&trace), "Email: no match: "));
    str_clear(&trace);
}

static void long_and_odd_names_are_fine(void **state)
{
    char name[2000];
    struct type_match m[8];

    (void)state;
    for (size_t i = 0; i + 7 < sizeof name; i += 7)
        memcpy(name + i, "motion ", 8);
    assert_int_equal(rules_match_type(office.rules, &plain, name, m, 8, NULL), 1);
    expect("", "none");
    expect("---'''&&&___", "none");
    expect("\xff\xfe order", "Order");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_yields_what_it_says),
        cmocka_unit_test(the_shipped_rules_load_without_a_remark),
        cmocka_unit_test(the_longest_words_win),
        cmocka_unit_test(what_comes_after_re_is_what_it_is_about),
        cmocka_unit_test(two_as_likely_as_each_other_tie),
        cmocka_unit_test(a_person_is_no_type),
        cmocka_unit_test(a_verb_is_no_will),
        cmocka_unit_test(accents_and_case_do_not_matter),
        cmocka_unit_test(only_whole_words_count),
        cmocka_unit_test(names_without_spaces_are_words_too),
        cmocka_unit_test(the_match_says_where_and_what),
        cmocka_unit_test(candidates_come_best_first_and_once),
        cmocka_unit_test(a_mail_is_an_email_unless_its_name_says_more),
        cmocka_unit_test(camera_names_are_photos_when_they_are_pictures),
        cmocka_unit_test(what_cannot_be_read_cannot_be_told),
        cmocka_unit_test(title_and_text_count_when_the_name_says_nothing),
        cmocka_unit_test(the_trace_says_why_not),
        cmocka_unit_test(long_and_odd_names_are_fine),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
