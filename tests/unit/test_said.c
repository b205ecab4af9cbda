/* What documents say, in decide(): which case, name against title, dates in their order. */
#include "decide/decide.h"
#include "decide/heading.h"
#include "decide/route.h"
#include "page_help.h"
#include "rules_help.h"

enum { RIVERA, RIVERA_CONTRACT, OKAFOR, SMITH, SMITH_CUSTODY, BANKED, SECRET, CASES };

static const char *const rivera_dockets[] = {"2:24-cv-01234", NULL};
static const char *const rivera_parties[] = {"Elena Rivera", "Northgate Freight, Inc.", NULL};
static const char *const rivera_emails[] = {"elena@example.com", NULL};
static const char *const contract_parties[] = {"Elena Rivera", "Bluebird Homes, LLC", NULL};
static const char *const okafor_dockets[] = {"FA-24-1234", NULL};
static const char *const okafor_parties[] = {"Chidi Okafor", "First Bank", NULL};
static const char *const smith_parties[] = {"Jordan Smith", "Taylor Smith", NULL};
static const char *const banked_parties[] = {"Ann Lee", "First Bank", NULL};

static const struct case_facts cases[CASES] = {
    [RIVERA] = {.id = "1",
                .path = "Rivera_PersonalInjury",
                .prefix = "Rivera_PersonalInjury",
                .client = "Rivera",
                .case_type = "PersonalInjury",
                .dockets = rivera_dockets,
                .matter = "1042-01",
                .parties = rivera_parties,
                .emails = rivera_emails},
    [RIVERA_CONTRACT] = {.id = "2",
                         .path = "Rivera_Contract",
                         .prefix = "Rivera_Contract",
                         .client = "Rivera",
                         .case_type = "Contract",
                         .parties = contract_parties},
    [OKAFOR] = {.id = "3",
                .path = "Okafor_Employment",
                .prefix = "Okafor_Employment",
                .client = "Okafor",
                .case_type = "Employment",
                .dockets = okafor_dockets,
                .parties = okafor_parties},
    [SMITH] = {.id = "4",
               .path = "Smith_Divorce",
               .prefix = "Smith_Divorce",
               .client = "Smith",
               .case_type = "Divorce",
               .parties = smith_parties},
    [SMITH_CUSTODY] = {.id = "5",
                       .path = "Smith_Custody",
                       .prefix = "Smith_Custody",
                       .client = "Smith",
                       .case_type = "Custody"},
    [BANKED] = {.id = "6",
                .path = "Lee_Foreclosure",
                .prefix = "Lee_Foreclosure",
                .client = "Lee",
                .case_type = "Foreclosure",
                .parties = banked_parties},
    [SECRET] = {.id = "7",
                .path = "Kim_Divorce",
                .prefix = "Kim_Divorce",
                .client = "Kim",
                .case_type = "Divorce",
                .matter = "7777-01",
                .restricted = true},
};

static struct office office;
static struct roster roster;
static struct content said;
static struct facts facts;
static struct policy policy;
static struct decision made;

/* scan0001.pdf with this text in the Inbox of case `in`, or of the office (-1). */
static void a_paper(const char *text, int in)
{
    content_clear(&said);
    page_add(&said, text);
    policy = (struct policy){.date_order = DATE_ORDER_MDY,
                             .date_from = {DATE_FROM_NAME, DATE_FROM_DOCUMENT, DATE_FROM_FILE},
                             .date_from_len = 3,
                             .max_path = 200,
                             .today = {2026, 11, 23}};
    facts = (struct facts){.name = "scan0001.pdf",
                           .folder = "Inbox",
                           .zone = in < 0 ? ZONE_OFFICE_INBOX : ZONE_CASE_INBOX,
                           .home = in < 0 ? NULL : &cases[in],
                           .roster = &roster,
                           .kind = KIND_PDF,
                           .size = 1000,
                           .arrived = {2026, 11, 23},
                           .new_arrival = true,
                           .content = &said};
}

/* "Case/name", or "reason: candidates". */
static const char *decided(void)
{
    static char text[400];

    decision_clear(&made);
    decide(office.rules, office.lang, &policy, &facts, true, &made);
    if (made.action == ACTION_FILE)
        snprintf(text, sizeof text, "%s", made.name);
    else
        snprintf(text, sizeof text, "%s%s%s%s%s", reason_code(made.reason),
                 made.candidates ? ": " : "", made.candidates ? made.candidates[0] : "",
                 made.candidates && made.candidates[1] ? ", " : "",
                 made.candidates && made.candidates[1] ? made.candidates[1] : "");
    return text;
}

#define IS(text) assert_string_equal(decided(), text)

#define COURT         "UNITED STATES DISTRICT COURT\n"
#define PARTIES(p, d) p ",\nPlaintiff,\nv.\n" d ",\nDefendant.\n"
#define TITLE         "*MOTION TO COMPEL\nThe defendant moves this Court to compel answers and an order.\n"
#define DATED         "Dated: March 2, 2026\n"

static void docket_numbers_route(void **state)
{
    static const char *const written[] = {
        "Case No. 2:24-cv-01234", "Case No. 2:24-cv-01234-ABC-DE", "CIVIL ACTION NO. 2:24-CV-1234",
        "Case No. 24-cv-1234",    "Case No.: 2:24-cv-O1234", "No. 24 Civ. 1234 (ABC)",
        "Case No. 2024-CV-1234",
    };

    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        AUTO_FREE char *text =
            xasprintf("%s%s%s\n%s%s", COURT, PARTIES("A. ROE", "B. DOE"), written[i], TITLE, DATED);

        a_paper(text, -1);
        IS("Rivera_PersonalInjury_MotionToCompel_2026-03-02.pdf");
        assert_non_null(strstr(made.matter.source, "docket number"));
        assert_non_null(strstr(made.story, "It belongs to Rivera_PersonalInjury"));
    }
    a_paper(COURT PARTIES("A. ROE", "B. DOE") "No. FA 24 1234\n" TITLE DATED, -1);
    IS("Okafor_Employment_MotionToCompel_2026-03-02.pdf");
}

static void another_courts_number_is_another_number(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("A. ROE", "B. DOE") "Case No. 1:24-cv-01234\n" TITLE DATED, -1);
    IS("which-case");
    a_paper(COURT PARTIES("A. ROE", "B. DOE") "Case No. FA-24-1234-02\n" TITLE DATED, -1);
    IS("which-case");
}

static void a_number_in_the_body_is_another_paper(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("A. ROE", "B. DOE") "Case No. 9:19-cv-00001\n" TITLE
                                              "See Rivera v. Northgate, No. 2:24-cv-01234, slip "
                                              "op. at 4, which is in point here.\n" DATED,
            -1);
    IS("which-case");
}

#define LETTER(body) "HALL & ROE LLP\nMarch 2, 2026\nDear Mr. Roe:\n" body "\n"

/* When nothing speaks against it; what may be any number is only listed. */
static void a_number_in_the_body_of_a_letter_routes_when_it_is_the_only_one(void **state)
{
    (void)state;
    a_paper(LETTER("In No. 2:24-cv-01234 we move to dismiss."), -1);
    IS("Rivera_PersonalInjury_Letter_2026-03-02.pdf");
    assert_string_equal(made.matter.source, "its docket number \"2:24-cv-01234\" in its text");
    a_paper(LETTER("On our file 1042-01 I write as follows."), -1);
    IS("Rivera_PersonalInjury_Letter_2026-03-02.pdf");
    a_paper(LETTER("In Rivera, No. 24-cv-1234, we move to dismiss."), -1);
    IS("Rivera_PersonalInjury_Letter_2026-03-02.pdf");
    a_paper(LETTER("Doe v. Roe, No. 24-cv-1234 (S.D.N.Y. Mar. 3, 2024), held that a lease ends."), -1);
    IS("which-case: Rivera_PersonalInjury");
    a_paper("LIST OF EXPERTS\nHall\nRoe\nDoe\n1\n2\n3\n4\n5\n6\n7\n8\n9\nLee, as in No. 2:24-cv-01234\n", -1);
    IS("which-case: Rivera_PersonalInjury");
    a_paper(LETTER("In No. 2:24-cv-01234 and FA-24-1234 we move to dismiss."), -1);
    IS("which-case: Rivera_PersonalInjury, Okafor_Employment");
    a_paper("HALL & ROE LLP\nMarch 2, 2026\nRe: Amara Okafor\nDear Mr. Roe:\nAs in No. 2:24-cv-01234 we move.\n", -1);
    IS("which-case: Okafor_Employment, Rivera_PersonalInjury");
    a_paper(LETTER("Please pay invoice 1042-01 soon."), -1);
    IS("which-case: Rivera_PersonalInjury");
    a_paper(LETTER("Please pay invoice 1042-017 soon."), -1);
    IS("which-case");
}

static void two_numbers_are_a_question(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("A. ROE",
                          "B. DOE") "Case No. 2:24-cv-01234\nCase No. FA-24-1234\n" TITLE DATED,
            -1);
    IS("which-case: Rivera_PersonalInjury, Okafor_Employment");
}

static void a_matter_number_counts_behind_its_label(void **state)
{
    (void)state;
    a_paper("HALL & ROE LLP\nMarch 2, 2026\nOur file: 1042-01\nDear Mr. Roe:\nEnclosed it is.\n",
            -1);
    IS("Rivera_PersonalInjury_Letter_2026-03-02.pdf");
    a_paper("HALL & ROE LLP\nMarch 2, 2026\nLot 1042-01\nDear Mr. Roe:\nEnclosed it is.\n", -1);
    IS("which-case: Rivera_PersonalInjury");
}

static void two_parties_route_and_one_does_not(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("ELENA RIVERA", "NORTHGATE FREIGHT, INC.") TITLE DATED, -1);
    IS("Rivera_PersonalInjury_MotionToCompel_2026-03-02.pdf");
    assert_non_null(strstr(made.matter.source, "name \"ELENA RIVERA\""));
    a_paper("HALL & ROE LLP\nMarch 2, 2026\nRe: Rivera, Elena - Northgate Freight\nDear Mr. Roe:\nHi.\n",
            -1);
    IS("Rivera_PersonalInjury_Letter_2026-03-02.pdf");
    a_paper(COURT PARTIES("ELENA RIVERA", "SOMEONE ELSE") TITLE DATED, -1);
    IS("which-case: Rivera_PersonalInjury, Rivera_Contract");
    a_paper(COURT PARTIES("FIRST BANK", "SOMEONE ELSE") TITLE DATED, -1);
    IS("which-case: Okafor_Employment, Lee_Foreclosure");
}

/* The other suit between the same parties, whose number nobody wrote on the card. */
static void parties_do_not_route_against_an_unknown_number(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("ELENA RIVERA",
                          "NORTHGATE FREIGHT, INC.") "Case No. 3:25-cv-00009\n" TITLE DATED,
            -1);
    IS("which-case: Rivera_PersonalInjury, Rivera_Contract");
}

static void a_case_whose_card_says_nothing_may_be_meant(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("JORDAN SMITH", "TAYLOR SMITH") TITLE DATED, -1);
    IS("which-case: Smith_Divorce, Smith_Custody");
}

static void numbers_against_parties_are_a_question(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("ELENA RIVERA",
                          "NORTHGATE FREIGHT, INC.") "Case No. FA-24-1234\n" TITLE DATED,
            -1);
    IS("which-case: Okafor_Employment, Rivera_PersonalInjury");
}

static void the_clients_address_is_one_sign(void **state)
{
    (void)state;
    a_paper("I send it.\n", -1);
    facts.name = "attachment.eml";
    facts.kind = KIND_EML;
    said.mail_date = (struct date){2026, 3, 2};
    content_set(&said.sender, "Elena <Elena@Example.com>");
    content_set(&said.subject, "hello");
    IS("which-case: Rivera_PersonalInjury");
    content_set(&said.subject, "Northgate Freight, Inc.: my statement");
    IS("Rivera_PersonalInjury_Email_2026-03-02.eml");
    content_set(&said.sender, "x@example.com");
    content_add(&said.recipients, "Rivera <elena@example.com>");
    IS("Rivera_PersonalInjury_Email_2026-03-02.eml");
}

static void the_thread_of_a_filed_mail_routes(void **state)
{
    (void)state;
    a_paper("Yes.\n", -1);
    facts.name = "attachment.eml";
    facts.kind = KIND_EML;
    said.mail_date = (struct date){2026, 3, 2};
    content_set(&said.sender, "x@example.com");
    IS("which-case");
    facts.thread_case = &cases[OKAFOR];
    facts.thread_doc = "Correspondence/a.eml";
    IS("Okafor_Employment_Email_2026-03-02.eml");
    assert_string_equal(made.matter.source, "it answers a mail filed there, Correspondence/a.eml");
    content_set(&said.subject, "Case No. 2:24-cv-01234");
    IS("which-case: Rivera_PersonalInjury, Okafor_Employment");
}

static void the_name_is_asked_first_and_may_be_contradicted(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("A. ROE", "B. DOE") "Case No. 2:24-cv-01234\n" TITLE DATED, -1);
    facts.name = "Rivera_PersonalInjury scan.pdf";
    IS("Rivera_PersonalInjury_MotionToCompel_2026-03-02.pdf");
    facts.name = "Okafor_Employment scan.pdf";
    IS("which-case: Okafor_Employment, Rivera_PersonalInjury");
}

static void a_restricted_matter_is_not_named(void **state)
{
    (void)state;
    a_paper("HALL & ROE LLP\nMarch 2, 2026\nOur file: 7777-01\nDear Mr. Roe:\nEnclosed it is.\n",
            RIVERA);
    IS("other-case: a restricted matter");
    assert_null(strstr(made.sentence, "Kim"));
}

static void in_a_case_another_cases_paper_is_listed(void **state)
{
    (void)state;
    a_paper(COURT PARTIES("A. ROE", "B. DOE") "Case No. 2:24-cv-01234\n" TITLE DATED, OKAFOR);
    IS("other-case: Rivera_PersonalInjury");
    assert_non_null(strstr(made.sentence, "2:24-cv-01234"));
    facts.zone = ZONE_STANDARD;
    facts.folder = "Motions";
    facts.name = "Okafor_Employment_MotionToCompel_2026-03-02.pdf";
    IS("other-case: Rivera_PersonalInjury");
    facts.by_hand = true;
    IS("by-hand");
    a_paper(COURT PARTIES("ELENA RIVERA", "NORTHGATE FREIGHT, INC.") TITLE DATED, OKAFOR);
    IS("other-case: Rivera_PersonalInjury");
    a_paper(COURT PARTIES("ELENA RIVERA", "CHIDI OKAFOR") TITLE DATED, OKAFOR);
    IS("Okafor_Employment_MotionToCompel_2026-03-02.pdf");
    a_paper(COURT PARTIES("ELENA RIVERA", "B. DOE") TITLE DATED, OKAFOR);
    IS("Okafor_Employment_MotionToCompel_2026-03-02.pdf");
    a_paper(COURT PARTIES("A. ROE",
                          "B. DOE") "Case No. FA-24-1234\nCase No. 2:24-cv-01234\n" TITLE DATED,
            OKAFOR);
    IS("Okafor_Employment_MotionToCompel_2026-03-02.pdf");
}

/* --- name against title --- */

static void name_and_title_may_say_the_same_more_exactly(void **state)
{
    static const struct {
        const char *name, *title, *is;
    } t[] = {
        {"motion.pdf", "MOTION TO COMPEL", "Rivera_PersonalInjury_MotionToCompel_2026-03-02.pdf"},
        {"motion to compel.pdf", "MOTION", "Rivera_PersonalInjury_MotionToCompel_2026-03-02.pdf"},
        {"proposed order.pdf", "ORDER", "Rivera_PersonalInjury_ProposedOrder_2026-03-02.pdf"},
        {"order.pdf", "[PROPOSED] ORDER", "Rivera_PersonalInjury_ProposedOrder_2026-03-02.pdf"},
        {"agreement final.pdf", "SETTLEMENT AGREEMENT",
         "Rivera_PersonalInjury_Settlement-final_2026-03-02.pdf"},
        {"Exhibit B.pdf", "LEASE AGREEMENT", "Rivera_PersonalInjury_Exhibit-B_2026-03-02.pdf"},
        {"letter.pdf", "LEASE AGREEMENT", "two-types: Letter, Lease"},
        {"order.pdf", "MOTION TO COMPEL", "two-types: Order, MotionToCompel"},
        {"answer.pdf", "COMPLAINT", "two-types: Answer, Complaint"},
        {"order.pdf", "SOMETHING ELSE", "Rivera_PersonalInjury_Order_2026-03-02.pdf"},
        {"Order, Motion.pdf", "MOTION", "Rivera_PersonalInjury_Motion-Order_2026-03-02.pdf"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        AUTO_FREE char *text = xasprintf("*%s\nIt is here.\n%s", t[i].title, DATED);

        a_paper(text, RIVERA);
        facts.name = t[i].name;
        if (strcmp(decided(), t[i].is) != 0)
            fail_msg("%s, %s: %s", t[i].name, t[i].title, decided());
    }
}

static void an_answer_is_taken(void **state)
{
    (void)state;
    a_paper("*MOTION TO COMPEL\nIt is here.\n" DATED, RIVERA);
    facts.name = "order.pdf";
    IS("two-types: Order, MotionToCompel");
    assert_non_null(strstr(made.sentence, "is called Order, but its title says MotionToCompel"));
    facts.answered = true;
    IS("Rivera_PersonalInjury_Order_2026-03-02.pdf");
}

static void a_mail_may_be_about_anything(void **state)
{
    (void)state;
    a_paper("*MOTION TO COMPEL\nIt is here.\n", RIVERA);
    facts.name = "order.eml";
    facts.kind = KIND_EML;
    said.mail_date = (struct date){2026, 3, 2};
    content_set(&said.sender, "x@example.com");
    IS("Rivera_PersonalInjury_Order_2026-03-02.eml");
    facts.name = "attachment.eml";
    IS("Rivera_PersonalInjury_Email_2026-03-02.eml");
    facts.name = "reply.eml";
    IS("Rivera_PersonalInjury_Email_2026-03-02.eml");
}

static void a_letter_named_for_what_it_is_about_is_a_question(void **state)
{
    (void)state;
    a_paper("HALL & ROE LLP\nMarch 2, 2026\nDear Mr. Roe:\nEnclosed is the order.\n", RIVERA);
    facts.name = "order.pdf";
    IS("two-types: Order, Letter");
}

/* --- dates --- */

static void dates_come_in_the_order_that_is_set(void **state)
{
    (void)state;
    a_paper("Case 2:24-cv-01234 Document 1 Filed 03/04/26 Page 1 of 2\n" COURT PARTIES(
                "A", "B") "Case No. 2:24-cv-01234\n" TITLE DATED,
            RIVERA);
    IS("Rivera_PersonalInjury_MotionToCompel_2026-03-02.pdf");
    policy.date_from[0] = DATE_FROM_FILED;
    IS("Rivera_PersonalInjury_MotionToCompel_2026-03-04.pdf");
    assert_string_equal(made.date.source, "stamped as filed");
    facts.name = "2026-03-06.pdf";
    IS("Rivera_PersonalInjury_MotionToCompel-2026-03-06_2026-03-04.pdf");
    policy.date_from[0] = DATE_FROM_NAME;
    IS("Rivera_PersonalInjury_MotionToCompel_2026-03-06.pdf");
    policy.date_from[0] = DATE_FROM_TAKEN;
    policy.date_from_len = 1;
    facts.name = "scan0001.pdf";
    IS("no-date");
    assert_non_null(strstr(str_c(&made.trace), "written in the document"));
}

static void properties_are_only_told(void **state)
{
    (void)state;
    a_paper("*MOTION\nIt is here.\n" DATED, RIVERA);
    said.property_date = (struct date){2019, 1, 1};
    IS("Rivera_PersonalInjury_Motion_2026-03-02.pdf");
    assert_non_null(strstr(str_c(&made.trace), "its properties say 2019-01-01"));
    a_paper("*MOTION\nIt is here.\n", RIVERA);
    said.property_date = (struct date){2019, 1, 1};
    IS("Rivera_PersonalInjury_Motion-Received_2026-11-23.pdf");
}

static void written_dates_that_cannot_be_are_questions(void **state)
{
    (void)state;
    a_paper("*MOTION\nIt is here.\nDated: February 30, 2026\n", RIVERA);
    IS("impossible-date");
    a_paper("*MOTION\nIt is here.\nDated: March 2, 2090\n", RIVERA);
    IS("future-date");
    a_paper("*MOTION\nIt is here.\nDated: March 2, 1920\n", RIVERA);
    IS("ancient-date");
    a_paper("*MOTION\nIt is here.\nDated: 3/4/2026\n", RIVERA);
    policy.date_order = DATE_ORDER_ASK;
    IS("ambiguous-date: 2026-03-04, 2026-04-03");
}

static int setup(void **state)
{
    static const struct case_facts *list[CASES];

    (void)state;
    for (size_t i = 0; i < CASES; i++)
        list[i] = &cases[i];
    roster = (struct roster){list, CASES, NULL};
    roster.router = router_new(&roster);
    office_open(&office);
    return office_load(&office) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    decision_clear(&made);
    content_clear(&said);
    router_free((struct router *)(uintptr_t)roster.router);
    office_close(&office);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(docket_numbers_route),
        cmocka_unit_test(another_courts_number_is_another_number),
        cmocka_unit_test(a_number_in_the_body_is_another_paper),
        cmocka_unit_test(a_number_in_the_body_of_a_letter_routes_when_it_is_the_only_one),
        cmocka_unit_test(two_numbers_are_a_question),
        cmocka_unit_test(a_matter_number_counts_behind_its_label),
        cmocka_unit_test(two_parties_route_and_one_does_not),
        cmocka_unit_test(parties_do_not_route_against_an_unknown_number),
        cmocka_unit_test(a_case_whose_card_says_nothing_may_be_meant),
        cmocka_unit_test(numbers_against_parties_are_a_question),
        cmocka_unit_test(the_clients_address_is_one_sign),
        cmocka_unit_test(the_thread_of_a_filed_mail_routes),
        cmocka_unit_test(the_name_is_asked_first_and_may_be_contradicted),
        cmocka_unit_test(a_restricted_matter_is_not_named),
        cmocka_unit_test(in_a_case_another_cases_paper_is_listed),
        cmocka_unit_test(name_and_title_may_say_the_same_more_exactly),
        cmocka_unit_test(an_answer_is_taken),
        cmocka_unit_test(a_mail_may_be_about_anything),
        cmocka_unit_test(a_letter_named_for_what_it_is_about_is_a_question),
        cmocka_unit_test(dates_come_in_the_order_that_is_set),
        cmocka_unit_test(properties_are_only_told),
        cmocka_unit_test(written_dates_that_cannot_be_are_questions),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
