#include "decide_world.h"

/* "Folder/name" when it is filed, the reason's code when it is not. */
static const char *outcome(void)
{
    static char text[600];

    if (made.action == ACTION_FILE)
        snprintf(text, sizeof text, "%s/%s", made.folder, made.name);
    else if (made.action == ACTION_INDEX && made.reason == REASON_NONE)
        snprintf(text, sizeof text, "stays");
    else
        snprintf(text, sizeof text, "%s", reason_code(made.reason));
    return text;
}

static void is_outcome(const char *expected, int line)
{
    now_decide();
    if (strcmp(outcome(), expected) != 0)
        print_error("line %d: \"%s\": %s (%s), not %s\n", line, facts.name, outcome(),
                    made.sentence, expected);
    assert_string_equal(outcome(), expected);
    if (made.action == ACTION_LIST)
        assert_true(reason_is_attention(made.reason));
}

#define IS(expected) is_outcome(expected, __LINE__)

struct row {
    int in;
    const char *name, *expected;
};

static void check(const struct row *t, size_t n, void (*change)(void))
{
    for (size_t i = 0; i < n; i++) {
        a_document(t[i].name, t[i].in);
        if (change)
            change();
        IS(t[i].expected);
    }
}

#define CHECK(t, change) check(t, sizeof(t) / sizeof *(t), change)

static void an_inbox_names_and_files(void **state)
{
    static const struct row t[] = {
        {SMITH, "Motion to Dismiss 2026-03-02.pdf",
         "Motions/Smith_Divorce_MotionToDismiss_2026-03-02.pdf"},
        {SMITH, "letter 3-2-26.pdf", "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"},
        {SMITH, "mtn March 2nd 2026.pdf", "Motions/Smith_Divorce_Motion_2026-03-02.pdf"},
        {SMITH, "2026-03-02 Order.pdf", "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "20260302 Order.pdf", "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "Smith_Divorce_Order_2026-03-02.pdf",
         "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "Smith_Divorce_Order_20260302.pdf",
         "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "Smith_Divorce_order_2026-03-02_02.PDF",
         "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "smith_divorce letter 2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"},
        {SMITH, "Smith_Family_Letter_2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf"},
    };

    (void)state;
    CHECK(t, NULL);
}

static void words_that_no_field_used_are_kept(void **state)
{
    static const struct row t[] = {
        {SMITH, "Motion to Dismiss FINAL v2 2026-03-02.pdf",
         "Motions/Smith_Divorce_MotionToDismiss-FINAL-v2_2026-03-02.pdf"},
        {SMITH, "order granting fees 2026-03-02.pdf",
         "Court Papers/Smith_Divorce_Order-granting-fees_2026-03-02.pdf"},
        {SMITH, "signed order 2026-03-02.pdf",
         "Court Papers/Smith_Divorce_Order-signed_2026-03-02.pdf"},
        {SMITH, "Exhibit A 2026-03-02.pdf", "Evidence/Smith_Divorce_Exhibit-A_2026-03-02.pdf"},
        {SMITH, "Exhibit 12 2026-03-02.pdf", "Evidence/Smith_Divorce_Exhibit-12_2026-03-02.pdf"},
        {SMITH, "Letter to O'Brien 2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter-to-O'Brien_2026-03-02.pdf"},
        {SMITH, "Smith Divorce Order on fees 2026-03-02.pdf",
         "Court Papers/Smith_Divorce_Order-on-fees_2026-03-02.pdf"},
        {SMITH, "Copy of Smith order (1) 2026-03-02.pdf",
         "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "Letter: fees? 2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter-fees_2026-03-02.pdf"},
        {JONES, "Jones PI letter 2026-03-02.pdf",
         "Correspondence/Jones_PersonalInjury_Letter_2026-03-02.pdf"},
        {JONES, "Jones Personal Injury letter 2026-03-02.pdf",
         "Correspondence/Jones_PersonalInjury_Letter_2026-03-02.pdf"},
        {SINGH, "Singh Contract signed 2026-03-02.pdf",
         "Agreements/Singh_Contract_Agreement-signed_2026-03-02.pdf"},
    };

    (void)state;
    CHECK(t, NULL);
}

static void as_ask(void)
{
    policy.date_order = DATE_ORDER_ASK;
}

static void messy_names_of_real_offices(void **state)
{
    static const struct row t[] = {
        {SINGH, "Copy of Singh Engagement Letter.PDF",
         "Case Information/Singh_Contract_EngagementLetter-Received_2026-11-23.pdf"},
        {SINGH, "20220403 Engagement Letter.pdf",
         "Case Information/Singh_Contract_EngagementLetter_2022-04-03.pdf"},
        {SINGH, "Singh Judgment 10.04.20.pdf", "ambiguous-date"},
        {OKAFOR, "Okafor v. Globex LLC Discovery.pdf",
         "Discovery/Okafor_Litigation_DiscoveryResponse-Received-v.-Globex-LLC_2026-11-23.pdf"},
        {NGUYEN, "  Nguyễn__Deposition .pdf",
         "Discovery/Nguyễn_Probate_DepositionTranscript-Received_2026-11-23.pdf"},
        {SMITH, "Motion to Dismiss - 田中 (signed) (1).pdf",
         "Motions/Smith_Divorce_MotionToDismiss-Received-田中-signed_2026-11-23.pdf"},
        {SMITH, "DOC250914090402.pdf", "unknown-type"},
        {SMITH, "scan0001.pdf", "unknown-type"},
        {MUELLER, "RE Müller v Chen - motion.pdf",
         "Motions/Müller_Litigation_Motion-Received-v-Chen_2026-11-23.pdf"},
        {CHEN, "RE Müller v Chen - motion.pdf",
         "Motions/Chen_Litigation_Motion-Received-Müller-v_2026-11-23.pdf"},
        {ABDAL, "Abdal-Rahman_IP_Discovery_20190801.Pdf",
         "Discovery/Abd-al-Rahman_IntellectualProperty_DiscoveryResponse_2019-08-01.pdf"},
        {-1, "Abdal-Rahman_IP_Discovery_20190801.Pdf",
         "Discovery/Abd-al-Rahman_IntellectualProperty_DiscoveryResponse_2019-08-01.pdf"},
        {SMITH, "Smith_Divorce_ExhibitA_2019-08-01.pdf",
         "Evidence/Smith_Divorce_Exhibit-A_2019-08-01.pdf"},
        {SMITH, "Smith_Divorce_MotiontoDismiss_2019-08-01.pdf",
         "Motions/Smith_Divorce_MotionToDismiss_2019-08-01.pdf"},
    };

    (void)state;
    CHECK(t, as_ask);
    a_document("WhatsApp Image 2025-12-18 at 10.05.22.jpeg", SMITH);
    facts.kind = KIND_JPEG;
    IS("Evidence/Smith_Divorce_Photo_2025-12-18.jpeg");
}

static void the_date_comes_from_the_first_source_that_has_one(void **state)
{
    struct content said = {.taken_date = {2020, 1, 1}};
    struct content_line dated = {.text = (char[]){"Dated: January 1, 2021"}, .page = 1};

    (void)state;
    a_document("letter.pdf", SMITH);
    facts.content = &said;
    IS("Correspondence/Smith_Divorce_Letter_2020-01-01.pdf");
    said.lines = &dated;
    said.lines_len = 1;
    IS("Correspondence/Smith_Divorce_Letter_2021-01-01.pdf");
    said.mail_date = (struct date){2022, 1, 1};
    IS("Correspondence/Smith_Divorce_Letter_2022-01-01.pdf");
    facts.name = "letter 2023-01-01.pdf";
    IS("Correspondence/Smith_Divorce_Letter_2023-01-01.pdf");
    facts.name = "letter.pdf";
    policy.date_from[1] = DATE_FROM_FILE;
    policy.date_from_len = 2;
    IS("Correspondence/Smith_Divorce_Letter-Received_2026-11-23.pdf");
    policy.date_from_len = 1;
    IS("no-date");
    policy.date_from_len = 2;
    facts.new_arrival = false;
    IS("no-date");
}

/* What the organizer made stays as it is, and a person can still say the date as it does. */
static void without_name_only_the_convention_s_place_counts(void **state)
{
    struct content_line dated = {.text = (char[]){"Dated: January 1, 2021"}, .page = 1};
    const struct content said = {.lines = &dated, .lines_len = 1};

    (void)state;
    a_document("letter 2023-01-01.pdf", SMITH);
    facts.content = &said;
    policy.date_from[0] = DATE_FROM_DOCUMENT;
    policy.date_from[1] = DATE_FROM_FILE;
    policy.date_from_len = 2;
    IS("Correspondence/Smith_Divorce_Letter-2023-01-01_2021-01-01.pdf");
    facts.name = "letter 2026-02-30.pdf";
    IS("Correspondence/Smith_Divorce_Letter-2026-02-30_2021-01-01.pdf");
    facts.name = "Smith_Divorce_Letter_2023-01-01.pdf";
    IS("Correspondence/Smith_Divorce_Letter_2023-01-01.pdf");
    facts.name = "letter 2023-01-01.pdf";
    policy.date_from_len = 0;
    IS("no-date");
}

static void a_doubtful_date_is_never_replaced(void **state)
{
    static const struct row t[] = {
        {SMITH, "letter 2026-02-30.pdf", "impossible-date"},
        {SMITH, "letter 2027-01-01.pdf", "future-date"},
        {SMITH, "letter 1949-01-01.pdf", "ancient-date"},
        {SMITH, "letter 2026-03-02 and 2026-03-05.pdf", "two-dates"},
        {SMITH, "Smith_Divorce_Letter_2026-02-30.pdf", "impossible-date"},
        {SMITH, "Smith_Divorce_Letter_2027-02-03.pdf", "future-date"},
        {SMITH, "letter 2026-03-02 and March 2, 2026.pdf",
         "Correspondence/Smith_Divorce_Letter-and_2026-03-02.pdf"},
    };

    struct content said = {0};

    (void)state;
    CHECK(t, NULL);
    a_document("letter 03-02-26.pdf", SMITH);
    as_ask();
    facts.content = &said;
    said.mail_date = (struct date){2022, 1, 1};
    IS("ambiguous-date");
    assert_string_equal(made.sentence, "03-02-26 may be 2026-03-02, 2026-02-03");
    assert_string_equal(made.candidates[0], "2026-03-02");
    a_document("letter.pdf", SMITH);
    facts.content = &said;
    said.mail_date = (struct date){2031, 1, 1};
    IS("future-date");
    said.mail_date = (struct date){1904, 1, 1};
    IS("ancient-date");
}

static void the_conventions_place_for_the_date_wins(void **state)
{
    (void)state;
    a_document("Smith_Divorce_Letter of 5 Mar 2026, re 6 Apr 2025_2026-04-02.pdf", SMITH);
    IS("Correspondence/Smith_Divorce_Letter-of-5-Mar-2026-re-6-Apr-2025_2026-04-02.pdf");
    a_document("Smith_Divorce_Letter-5-Mar-2026_2026-04-02.pdf", SMITH);
    IS("Correspondence/Smith_Divorce_Letter-5-Mar-2026_2026-04-02.pdf");
}

static void an_unknown_type_is_a_question_with_what_may_be_meant(void **state)
{
    (void)state;
    a_document("lettr 2026-03-02.pdf", SMITH);
    IS("unknown-type");
    assert_string_equal(made.candidates[0], "Letter");
    assert_string_equal(made.sentence, "did you mean Letter?");
    a_document("Smith_Divorce_Judgmnt_2026-03-02.pdf", SMITH);
    IS("unknown-type");
    assert_string_equal(made.candidates[0], "Judgment");
    a_document("zzzzzzz 2026-03-02.pdf", SMITH);
    IS("unknown-type");
    assert_null(made.candidates);
    assert_string_equal(made.sentence, "what is it?");
}

static void two_types_equally_likely_are_a_question(void **state)
{
    (void)state;
    a_document("brief exhibit 2026-03-02.pdf", SMITH);
    now_decide();
    if (made.reason == REASON_TWO_TYPES) {
        assert_non_null(made.candidates);
        assert_non_null(made.candidates[1]);
    } else {
        assert_int_equal(made.action, ACTION_FILE);
    }
}

static void a_document_of_another_case_is_listed_first_of_all(void **state)
{
    static const struct row t[] = {
        {SMITH, "Jones_PersonalInjury_Letter_2026-03-02.pdf", "other-case"},
        {SMITH, "jones_personalinjury letter.pdf", "other-case"},
        {SMITH, "FW_ Jones_PersonalInjury letter.pdf", "other-case"},
        {SMITH, "Order 1-25-cv-00777 2026-03-02.pdf", "other-case"},
        {SMITH, "Order 25-cv-777 2026-03-02.pdf", "other-case"},
        {SMITH, "letter 2025-0042.pdf", "other-case"},
        {SMITH, "104233 letter.pdf", "other-case"},
        {SMITH, "Jones letter 2026-03-02.pdf", "other-case"},
        {SMITH, "nguyen letter 2026-03-02.pdf", "other-case"},
        {SMITH, "letter to Maria Delgado.pdf", "other-case"},
        {SMITH, "letter to Delgado, Maria.pdf", "other-case"},
        {SMITH, "Abdal Rahman letter.pdf", "other-case"},
        {SMITH, "Nobody_Probate_Letter_2026-03-02.pdf", "other-case"},
        {SMITH, "Smith_Probate_Letter_2026-03-02.pdf", "other-case"},
        {SMITH, "Smith_Divorce-2024_Letter_2026-03-02.pdf", "other-case"},
        {SMITH, "Smith_Divorce-2023_Letter_2026-03-02.pdf", "other-case"},
        {SMITH_2024, "Smith_Divorce_Letter_2026-03-02.pdf", "other-case"},
        {JONES, "Globex Corp letter 2026-03-02.pdf",
         "Correspondence/Jones_PersonalInjury_Letter-Globex-Corp_2026-03-02.pdf"},
        {JONES, "Globex LLC letter 2026-03-02.pdf", "other-case"},
    };

    (void)state;
    CHECK(t, NULL);
    a_document("Jones letter.pdf", SMITH);
    facts.zone = ZONE_ELSEWHERE;
    facts.folder = "Some/Folder";
    IS("other-case");
    assert_string_equal(made.sentence, "other case: Jones_PersonalInjury (Jones)");
    assert_string_equal(made.candidates[0], "Jones_PersonalInjury");
    facts.by_hand = true;
    IS("other-case");
    assert_string_equal(made.help, "help.other-case");
    a_document("Nobody_Probate_Letter_2026-03-02.pdf", SMITH);
    IS("other-case");
    assert_string_equal(made.help, "make a folder Nobody_Probate");
}

static void what_speaks_of_the_case_itself_does_not_contradict(void **state)
{
    static const struct row t[] = {
        {OKAFOR, "Okafor v. Whitfield Interrogatories 2026-03-02.pdf",
         "Discovery/Okafor_Litigation_Interrogatories-v.-Whitfield_2026-03-02.pdf"},
        {SMITH, "Smith letter to Jones 2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter-to-Jones_2026-03-02.pdf"},
        {OKAFOR, "Whitfield letter Jones 2026-03-02.pdf",
         "Correspondence/Okafor_Litigation_Letter-Whitfield-Jones_2026-03-02.pdf"},
        {SMITH, "Order 2-26-cv-00123 Jones 2026-03-02.pdf",
         "Court Papers/Smith_Divorce_Order-2-26-cv-00123-Jones_2026-03-02.pdf"},
        {SMITH, "Smith_Divorce_Letter-Jones_2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter-Jones_2026-03-02.pdf"},
        {SMITH, "order 2026-03-02.pdf", "Court Papers/Smith_Divorce_Order_2026-03-02.pdf"},
        {SMITH, "Jonesboro letter 2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter-Jonesboro_2026-03-02.pdf"},
        {SMITH, "Notes_on_letter_2026-03-02.pdf",
         "Correspondence/Smith_Divorce_Letter-Notes-on_2026-03-02.pdf"},
    };

    (void)state;
    CHECK(t, NULL);
}

static void a_client_named_order_is_no_order(void **state)
{
    static const struct row t[] = {
        {ORDER, "Order letter 2026-03-02.pdf",
         "Correspondence/Order_Probate_Letter_2026-03-02.pdf"},
        {ORDER, "Order order 2026-03-02.pdf", "Court Papers/Order_Probate_Order_2026-03-02.pdf"},
        {ORDER, "Order_Probate_Order_2026-03-02.pdf",
         "Court Papers/Order_Probate_Order_2026-03-02.pdf"},
        {ORDER, "Order_Probate letter 2026-03-02.pdf",
         "Correspondence/Order_Probate_Letter_2026-03-02.pdf"},
        {-1, "Order letter 2026-03-02.pdf", "which-case"},
    };

    (void)state;
    CHECK(t, NULL);
    a_document("Order letter.pdf", -1);
    now_decide();
    assert_null(made.candidates);
}

static void the_offices_inbox_routes_by_prefix_and_number(void **state)
{
    static const struct {
        const char *name;
        int to;
    } t[] = {
        {"Smith_Divorce_Letter_2026-03-02.pdf", SMITH},
        {"smith_divorce letter 2026-03-02.pdf", SMITH},
        {"Smith_Divorce-letter 2026-03-02.pdf", SMITH},
        {"Smith_Family_Letter_2026-03-02.pdf", SMITH},
        {"Smith_Divorce-2024_Letter_2026-03-02.pdf", SMITH_2024},
        {"Smith_Divorce-2024 letter 2026-03-02.pdf", SMITH_2024},
        {"Nguye\xcc\x82\xcc\x83n_Probate letter 2026-03-02.pdf", NGUYEN},
        {"NGUYỄN_PROBATE letter 2026-03-02.pdf", NGUYEN},
        {"letter 2-26-cv-00123 2026-03-02.pdf", SMITH},
        {"letter 26-cv-123 2026-03-02.pdf", SMITH},
        {"letter 26cv00123 2026-03-02.pdf", SMITH},
        {"letter 1-25-cv-00777-ABC 2026-03-02.pdf", JONES},
        {"letter 2025-0042 2026-03-02.pdf", JONES},
        {"104233 letter 2026-03-02.pdf", OKAFOR},
        {"Kim_Divorce letter 2026-03-02.pdf", SECRET},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        a_document(t[i].name, -1);
        now_decide();
        if (made.action != ACTION_FILE)
            print_error("%s: %s %s\n", t[i].name, reason_code(made.reason), made.sentence);
        assert_int_equal(made.action, ACTION_FILE);
        assert_ptr_equal(made.target, &world_cases[t[i].to]);
        assert_string_equal(made.folder, "Correspondence");
    }
}

static void names_alone_only_list_candidates(void **state)
{
    (void)state;
    a_document("Smith letter 2026-03-02.pdf", -1);
    IS("which-case");
    assert_string_equal(made.candidates[0], "Smith_Divorce");
    assert_string_equal(made.candidates[1], "old/Smith_Divorce-2024");
    assert_null(made.candidates[2]);
    assert_string_equal(made.help, "put the case before the name");
    a_document("RE Müller v Chen - motion.eml", -1);
    facts.kind = KIND_EML;
    IS("which-case");
    assert_string_equal(made.sentence, "which case: Müller_Litigation, Chen_Litigation?");
    a_document("letter to Maria Delgado 2026-03-02.pdf", -1);
    IS("which-case");
    assert_string_equal(made.candidates[0], "Jones_PersonalInjury");
    a_document("letter 2026-03-02.pdf", -1);
    IS("which-case");
    assert_null(made.candidates);
    assert_string_equal(made.sentence, "which case?");
    a_document("Invoice 1042.pdf", -1);
    IS("which-case");
}

static void restricted_cases_are_never_named(void **state)
{
    (void)state;
    a_document("Kim letter 2026-03-02.pdf", -1);
    IS("which-case");
    assert_string_equal(made.candidates[0], "a restricted matter");
    assert_null(made.candidates[1]);
    a_document("Kim letter 2026-03-02.pdf", SMITH);
    IS("other-case");
    assert_null(strstr(made.sentence, "Kim_Divorce"));
    decision_clear(&made);
    decide(rules, lang, &policy, &facts, true, &made);
    assert_null(strstr(str_c(&made.trace), "Kim_Divorce"));
}

static void a_case_that_is_not_there_is_said(void **state)
{
    (void)state;
    a_document("Brown_Probate_Letter_2026-03-02.pdf", -1);
    IS("which-case");
    assert_string_equal(made.sentence, "no case Brown_Probate");
    a_document("Brown_Probte_Letter_2026-03-02.pdf", -1);
    IS("which-case");
    assert_string_equal(made.sentence, "no case Brown_Probte; did you mean Brown_Probate?");
    a_document("Smith_Divorce-2023_Letter_2026-03-02.pdf", -1);
    IS("which-case");
    a_document("Notes_on_letter_2026-03-02.pdf", -1);
    IS("which-case");
    assert_string_equal(made.sentence, "which case?");
}

static void prefix_and_docket_of_two_cases_are_a_question(void **state)
{
    (void)state;
    a_document("Smith_Divorce_Order 1-25-cv-00777 2026-03-02.pdf", -1);
    IS("which-case");
    a_document("Order 1-25-cv-00777 and 2-26-cv-00123 2026-03-02.pdf", -1);
    IS("which-case");
    assert_non_null(made.candidates[1]);
}

static void a_standard_folder_names_in_place(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.PDF", SMITH);
    in_folder("Motions");
    IS("Motions/Smith_Divorce_Letter_2026-03-02.pdf");
    facts.name = "letter.pdf";
    IS("no-date");
    facts.name = "Smith_Divorce_Letter_2026-03-02.pdf";
    IS("stays");
    facts.name = "Smith_Divorce_Letter_2026-03-02_02.pdf";
    IS("stays");
    facts.name = "Smith_Family_Letter_2026-03-02.pdf";
    IS("stays");
    facts.name = "Smith_Divorce_Whatever-it-is_2026-03-02.pdf";
    IS("stays");
    facts.name = "Smith_Divorce_Whatever_20260302.pdf";
    IS("Motions/Smith_Divorce_Whatever_2026-03-02.pdf");
    facts.name = "Smith_Divorce_Letter_2026-03-02_02.PDF";
    IS("Motions/Smith_Divorce_Letter_2026-03-02_02.pdf");
    facts.name = "Smith_Divorce_Letter_2027-03-02.pdf";
    IS("future-date");
    facts.name = "Smith_Divorce_Letter to all_2026-03-02.pdf";
    IS("Motions/Smith_Divorce_Letter-to-all_2026-03-02.pdf");
}

static void drafts_wait_in_standard_folders_only(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.docx", SMITH);
    facts.kind = KIND_DOCX;
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.docx");
    in_folder("Correspondence");
    facts.quiet_s = 3600;
    now_decide();
    assert_int_equal(made.action, ACTION_WAIT);
    assert_int_equal(made.reason, REASON_DRAFT);
    assert_int_equal(made.wait_s, 432000 - 3600);
    facts.quiet_s = 432000;
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.docx");
    facts.quiet_s = 0;
    facts.name = "Smith_Divorce_Letter_2026-03-02.docx";
    IS("stays");
}

static void other_folders_are_indexed_as_they_are(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.zone = ZONE_ELSEWHERE;
    facts.folder = "Anything/Deep";
    IS("stays");
    facts.zone = ZONE_OUTSIDE;
    facts.home = NULL;
    IS("stays");
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.zone = ZONE_LEFT_ALONE;
    facts.folder = "Drafts";
    IS("as-is");
}

static void what_rule_folder_or_card_leaves_alone_stays(void **state)
{
    (void)state;
    a_document("SMITH000001.pdf", SMITH);
    IS("keeps-name");
    assert_int_equal(made.action, ACTION_LIST);
    in_folder("Correspondence");
    IS("as-is");
    assert_int_equal(made.action, ACTION_INDEX);
    a_document("letter.pdf", SMITH);
    facts.accompanied = true;
    IS("keeps-name");
    in_folder("Correspondence");
    IS("as-is");
    a_document("Old.PST", SMITH);
    IS("as-is"); /* by its card */
    a_document("letter.pdf", SMITH);
    facts.zone = ZONE_ELSEWHERE;
    facts.folder = "photos/2024";
    IS("as-is");
    facts.folder = "Photoshop";
    IS("stays");
    a_document("SMITH000001.pdf", -1);
    IS("which-case");
}

static void naming_says_where_names_are_made(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", OFF);
    IS("as-is");
    in_folder("Correspondence");
    IS("stays");
    a_document("letter 2026-03-02.pdf", EVERY);
    facts.zone = ZONE_ELSEWHERE;
    facts.folder = "Anything/Deep";
    IS("Anything/Deep/Cohen_Probate_Letter_2026-03-02.pdf");
    a_document("Dubois_Probate any thing.pdf", -1);
    IS("Inbox/Dubois_Probate any thing.pdf");
    world_cases[SMITH].naming = NAMING_INBOX;
    a_document("letter 2026-03-02.pdf", SMITH);
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.pdf");
    in_folder("Correspondence");
    IS("stays");
    world_cases[SMITH].naming = NAMING_STANDARD;
}

static void nothing_is_filed_in_a_closed_case_or_one_on_hold(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", CLOSED);
    IS("closed-case");
    assert_string_equal(made.sentence, "Patel_Probate is closed");
    in_folder("Correspondence");
    IS("stays");
    a_document("Patel_Probate letter 2026-03-02.pdf", -1);
    IS("closed-case");
    a_document("letter 2026-03-02.pdf", HELD);
    IS("on-hold");
    in_folder("Correspondence");
    IS("as-is");
    a_document("Rossi_Probate letter 2026-03-02.pdf", -1);
    IS("on-hold");
}

static void a_persons_own_name_counts(void **state)
{
    (void)state;
    a_document("whatever I like.pdf", SMITH);
    facts.by_hand = true;
    IS("unknown-type");
    in_folder("Correspondence");
    IS("by-hand");
    assert_int_equal(made.action, ACTION_INDEX);
    assert_string_equal(made.help, "");
}

static void what_was_undone_is_not_done_again(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.undone = true;
    IS("undone");
    assert_int_equal(made.action, ACTION_INDEX);
    assert_false(reason_is_attention(made.reason));
}

static void what_cannot_be_read_is_tried_again(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.read_failed = true;
    now_decide();
    assert_int_equal(made.action, ACTION_RETRY);
    facts.undone = facts.by_hand = true;
    now_decide();
    assert_int_equal(made.action, ACTION_RETRY);
    facts.zone = ZONE_LEFT_ALONE;
    now_decide();
    assert_int_equal(made.action, ACTION_RETRY);
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.kind = KIND_EMPTY;
    now_decide();
    assert_int_equal(made.action, ACTION_RETRY);
    assert_int_equal(made.reason, REASON_EMPTY);
}

static void programs_are_never_filed(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.exe", SMITH);
    facts.kind = KIND_EXE;
    IS("program");
    in_folder("Correspondence");
    IS("program");
    facts.zone = ZONE_ELSEWHERE;
    IS("stays");
    a_document("Smith letter.js", -1);
    facts.kind = KIND_JAVASCRIPT;
    IS("program");
}

static void content_and_extension_have_to_agree(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.kind = KIND_DOCX;
    IS("contradiction");
    a_document("letter 2026-03-02", SMITH);
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.pdf");
    a_document("letter 10.04.20", SMITH);
    IS("Correspondence/Smith_Divorce_Letter_2020-10-04.pdf");
    a_document("letter 2026-03-02.JPEG", SMITH);
    facts.kind = KIND_JPEG;
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.jpeg");
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.kind = KIND_UNKNOWN;
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.pdf");
    a_document("letter 2026-03-02.tar.GZ", SMITH);
    facts.kind = KIND_GZIP;
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.tar.gz");
}

static void names_of_any_bytes_get_an_answer(void **state)
{
    (void)state;
    a_document("letter \xff 2026-03-02.pdf", SMITH);
    IS("bad-name");
    a_document("letter \xe2\x80\xae"
               "fdp.2026-03-02.pdf",
               SMITH);
    IS("deceptive-name");
    a_document("letter \xff.pdf", -1);
    IS("bad-name");
    facts.home = &world_cases[SMITH];
    facts.zone = ZONE_ELSEWHERE;
    IS("stays");
    a_document("Motion Mu\xcc\x88nchen 2026-03-02.pdf", SMITH);
    IS("Motions/Smith_Divorce_Motion-München_2026-03-02.pdf");
    a_document("letter\n2026-03-02.pdf", SMITH);
    IS("Correspondence/Smith_Divorce_Letter_2026-03-02.pdf");
    a_document(".pdf", SMITH);
    IS("unknown-type");
    a_document("   ", SMITH);
    IS("unknown-type");
    a_document("____", SMITH);
    IS("unknown-type");
}

static void the_same_content_is_filed_once(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.same_as = "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf";
    IS("already-filed");
    assert_string_equal(made.sentence,
                        "already filed as Correspondence/Smith_Divorce_Letter_2026-03-02.pdf");
    facts.same_as = "Inbox/letter (1).pdf";
    IS("already-filed");
    assert_string_equal(made.sentence, "the same as Inbox/letter (1).pdf");
    in_folder("Motions");
    IS("same-content");
    assert_int_equal(made.action, ACTION_INDEX);
}

static void conflict_copies_are_documents(void **state)
{
    (void)state;
    a_document("letter 2026-03-02 (conflicted copy 2026-03-03 101010).pdf", SMITH);
    IS("conflict-copy");
    assert_int_equal(made.action, ACTION_INDEX);
    facts.zone = ZONE_OFFICE_INBOX;
    facts.home = NULL;
    IS("which-case");
}

static void a_save_under_a_former_name_is_a_new_version(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    facts.former_of = "Correspondence/Smith_Divorce_Letter_2026-03-02.pdf";
    now_decide();
    assert_int_equal(made.action, ACTION_FILE);
    assert_int_equal(made.reason, REASON_NEW_VERSION);
    facts.zone = ZONE_ELSEWHERE;
    facts.folder = "Stuff";
    IS("new-version");
    assert_int_equal(made.action, ACTION_INDEX);
}

static void words_give_way_where_a_name_gets_too_long(void **state)
{
    char name[256] = "letter 2026-03-02";
    char before[600];

    (void)state;
    for (int i = 0; i < 22; i++)
        strcat(name, " wonderful");
    strcat(name, ".pdf");
    a_document(name, SMITH);
    now_decide();
    assert_int_equal(made.action, ACTION_FILE);
    assert_true(strlen("Smith_Divorce/Correspondence/") + strlen(made.name) + 4 <= 200);
    assert_true(strlen("Smith_Divorce/Correspondence/") + strlen(made.name) + 14 > 200);
    assert_non_null(strstr(made.name, "-wonderful_2026-03-02.pdf"));
    snprintf(before, sizeof before, "%s", made.name);
    a_document(before, SMITH);
    now_decide();
    assert_string_equal(made.name, before);
    policy.max_path = 40;
    IS("too-long");
    policy.max_path = 0;
    a_document(name, SMITH);
    policy.max_path = 0;
    now_decide();
    assert_true(strlen(made.name) + 4 <= 255);
}

static void a_single_long_word_is_cut_between_characters(void **state)
{
    char name[256] = "letter 2026-03-02 ";

    (void)state;
    for (int i = 0; i < 70; i++)
        strcat(name, "田");
    a_document(name, SMITH);
    policy.max_path = 100;
    now_decide();
    assert_int_equal(made.action, ACTION_FILE);
    assert_non_null(strstr(made.name, "Letter-田"));
    assert_null(name[0] ? strstr(made.name, "\xef\xbf\xbd") : "");
}

static void every_field_tells_its_source(void **state)
{
    AUTO_FREE char *why = NULL;

    (void)state;
    a_document("mtn FINAL 2026-03-02.pdf", SMITH);
    decide(rules, lang, &policy, &facts, true, &made);
    assert_string_equal(made.type.value, "Motion");
    assert_non_null(strstr(made.type.source, "Motions.yaml:3"));
    assert_non_null(strstr(made.type.source, "name matched \"mtn\""));
    assert_string_equal(made.date.value, "2026-03-02");
    assert_string_equal(made.date.source, "name");
    assert_string_equal(made.words.value, "FINAL");
    assert_string_equal(made.client.value, "Smith");
    assert_string_equal(made.case_type.value, "Divorce");
    assert_string_equal(made.type_name, "Motion");
    assert_int_equal(made.day.day, 2);
    why = decision_why(&made);
    assert_non_null(strstr(why, "type Motion (rule "));
    assert_non_null(strstr(why, "date 2026-03-02 (name)"));
    assert_non_null(strstr(str_c(&made.trace), "another case: no, nothing in its name"));
    assert_non_null(strstr(str_c(&made.trace), "name: yes"));
}

static void a_trace_is_made_only_when_asked_for(void **state)
{
    (void)state;
    a_document("letter 2026-03-02.pdf", SMITH);
    now_decide();
    assert_int_equal(made.trace.len, 0);
}

static void content_is_asked_for_only_when_it_matters(void **state)
{
    (void)state;
    a_document("letter.pdf", SMITH);
    assert_true(decide_needs_content(rules, &facts));
    facts.undone = true;
    assert_false(decide_needs_content(rules, &facts));
    a_document("letter.pdf", SMITH);
    facts.by_hand = true;
    assert_true(decide_needs_content(rules, &facts));
    in_folder("Motions");
    assert_false(decide_needs_content(rules, &facts));
    a_document("x.pst", SMITH);
    assert_false(decide_needs_content(rules, &facts));
    a_document("SMITH000001.pdf", SMITH);
    assert_false(decide_needs_content(rules, &facts));
    facts.name = "x.pdf";
    facts.zone = ZONE_LEFT_ALONE;
    assert_false(decide_needs_content(rules, &facts));
}

static void a_clear_name_is_only_checked_against_what_it_says(void **state)
{
    (void)state;
    a_document("Motion 2026-03-02.pdf", SMITH);
    IS("Motions/Smith_Divorce_Motion_2026-03-02.pdf");
    assert_true(made.unchecked);
    assert_false(made.wants_content);
    facts.name = "scan0001 2026-03-02.pdf";
    now_decide();
    assert_true(made.wants_content);
}

static void ignored_names_tell_their_rule(void **state)
{
    const char *why = NULL;

    (void)state;
    assert_true(decide_is_ignored(rules, "~$letter.docx", false, &why));
    assert_non_null(strstr(why, "ignored.yaml:"));
    assert_true(decide_is_ignored(rules, ".git", true, NULL));
    assert_false(decide_is_ignored(rules, "letter.docx", false, &why));
    assert_null(why);
}

static void without_an_index_the_answer_is_the_same(void **state)
{
    struct roster plain = {world_list, CASES, NULL};

    (void)state;
    a_document("Jones letter.pdf", SMITH);
    facts.roster = &plain;
    IS("other-case");
    facts.roster = NULL;
    IS("Correspondence/Smith_Divorce_Letter-Received-Jones_2026-11-23.pdf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inbox_names_and_files),
        cmocka_unit_test(words_that_no_field_used_are_kept),
        cmocka_unit_test(messy_names_of_real_offices),
        cmocka_unit_test(the_date_comes_from_the_first_source_that_has_one),
        cmocka_unit_test(a_doubtful_date_is_never_replaced),
        cmocka_unit_test(without_name_only_the_convention_s_place_counts),
        cmocka_unit_test(the_conventions_place_for_the_date_wins),
        cmocka_unit_test(an_unknown_type_is_a_question_with_what_may_be_meant),
        cmocka_unit_test(two_types_equally_likely_are_a_question),
        cmocka_unit_test(a_document_of_another_case_is_listed_first_of_all),
        cmocka_unit_test(what_speaks_of_the_case_itself_does_not_contradict),
        cmocka_unit_test(a_client_named_order_is_no_order),
        cmocka_unit_test(the_offices_inbox_routes_by_prefix_and_number),
        cmocka_unit_test(names_alone_only_list_candidates),
        cmocka_unit_test(restricted_cases_are_never_named),
        cmocka_unit_test(a_case_that_is_not_there_is_said),
        cmocka_unit_test(prefix_and_docket_of_two_cases_are_a_question),
        cmocka_unit_test(a_standard_folder_names_in_place),
        cmocka_unit_test(drafts_wait_in_standard_folders_only),
        cmocka_unit_test(other_folders_are_indexed_as_they_are),
        cmocka_unit_test(what_rule_folder_or_card_leaves_alone_stays),
        cmocka_unit_test(naming_says_where_names_are_made),
        cmocka_unit_test(nothing_is_filed_in_a_closed_case_or_one_on_hold),
        cmocka_unit_test(a_persons_own_name_counts),
        cmocka_unit_test(what_was_undone_is_not_done_again),
        cmocka_unit_test(what_cannot_be_read_is_tried_again),
        cmocka_unit_test(programs_are_never_filed),
        cmocka_unit_test(content_and_extension_have_to_agree),
        cmocka_unit_test(names_of_any_bytes_get_an_answer),
        cmocka_unit_test(the_same_content_is_filed_once),
        cmocka_unit_test(conflict_copies_are_documents),
        cmocka_unit_test(a_save_under_a_former_name_is_a_new_version),
        cmocka_unit_test(words_give_way_where_a_name_gets_too_long),
        cmocka_unit_test(a_single_long_word_is_cut_between_characters),
        cmocka_unit_test(every_field_tells_its_source),
        cmocka_unit_test(a_trace_is_made_only_when_asked_for),
        cmocka_unit_test(content_is_asked_for_only_when_it_matters),
        cmocka_unit_test(a_clear_name_is_only_checked_against_what_it_says),
        cmocka_unit_test(ignored_names_tell_their_rule),
        cmocka_unit_test(without_an_index_the_answer_is_the_same),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
