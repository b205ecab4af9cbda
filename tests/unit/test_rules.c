/* Vocabulary, names by the convention, and names that are left alone, by the shipped rules. */
#include "rules_help.h"

#include "decide/pattern.h"
#include "decide/vocab.h"

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

static void all_types_are_there(void **state)
{
    size_t types = 0, cases = 0;

    (void)state;
    while (rules_doc_type_at(office.rules, types))
        types++;
    while (rules_case_type_at(office.rules, cases))
        cases++;
    assert_int_equal(types, 104); /* the 103 and Discovery */
    assert_int_equal(cases, 34);
    assert_null(rules_doc_type_at(office.rules, 1000));
}

/* The vocabulary as the law office wrote it down, when it is at hand. */
static void the_office_vocabulary_is_covered(void **state)
{
    FILE *f = fopen(SHARED "/legal/document-types.csv", "r");
    char line[2000];

    (void)state;
    if (!f) {
        print_message("skipped: no " SHARED "/legal/document-types.csv\n");
        skip();
    }
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *folder = strchr(line, ',');
        const struct doc_type *t;

        assert_non_null(folder);
        *folder++ = '\0';
        folder[strcspn(folder, ",")] = '\0';
        t = rules_doc_type(office.rules, line);
        if (!t)
            fail_msg("type %s is missing", line);
        assert_string_equal(t->folder, folder);
    }
    fclose(f);
}

static void lookups_ignore_case_and_what_follows(void **state)
{
    (void)state;
    assert_string_equal(rules_doc_type(office.rules, "motiontodismiss")->name, "MotionToDismiss");
    assert_string_equal(rules_doc_type(office.rules, "Motion-DRAFT-v2")->name, "Motion");
    assert_null(rules_doc_type(office.rules, "Foo"));
    assert_null(rules_doc_type(office.rules, ""));
    assert_string_equal(rules_case_type(office.rules, "pi")->name, "PersonalInjury");
    assert_string_equal(rules_case_type(office.rules, "DIVORCE-2024")->name, "Divorce");
    assert_string_equal(rules_case_type(office.rules, "Family")->meaning, "Family / divorce");
    assert_null(rules_case_type(office.rules, "-"));
}

static void a_type_has_folder_colour_and_relevance(void **state)
{
    const struct doc_type *t = rules_doc_type(office.rules, "Order");

    (void)state;
    assert_string_equal(t->folder, "Court Papers");
    assert_string_equal(t->colour, "#b02a37");
    assert_int_equal(t->relevance, RELEVANCE_KEY);
    assert_int_equal(rules_doc_type(office.rules, "Docket")->relevance, RELEVANCE_SUPPORTING);
    assert_int_equal(rules_doc_type(office.rules, "Photo")->relevance, RELEVANCE_BACKGROUND);
}

static void folders_come_in_the_order_of_the_design(void **state)
{
    static const char *const folders[] = {"Case Information",  "Client Communications",
                                          "Correspondence",    "Pleadings",
                                          "Motions",           "Discovery",
                                          "Court Papers",      "Evidence",
                                          "Legal Research",    "Agreements",
                                          "Financial Records", "Notes"};
    const char *const *list = rules_folders(office.rules);

    (void)state;
    for (size_t i = 0; i < 12; i++)
        assert_string_equal(list[i], folders[i]);
    assert_null(list[12]);
    assert_true(rules_is_standard_folder(office.rules, "Court Papers"));
    assert_false(rules_is_standard_folder(office.rules, "Drafts"));
}

static void near_misses_are_at_most_two_letters_away(void **state)
{
    const char *near[4];

    (void)state;
    assert_int_equal(rules_near_doc_types(office.rules, "Moiton", near, 4), 1);
    assert_string_equal(near[0], "Motion");
    assert_true(rules_near_doc_types(office.rules, "depositoin", near, 4) >= 1);
    assert_string_equal(near[0], "DepositionTranscript");
    assert_true(rules_near_doc_types(office.rules, "motion to dismis", near, 4) >= 1);
    assert_string_equal(near[0], "MotionToDismiss");
    assert_int_equal(rules_near_doc_types(office.rules, "Xylophone", near, 4), 0);
    assert_int_equal(rules_near_doc_types(office.rules, "x", near, 4), 0);
    /* Of a short word two letters are half. */
    assert_int_equal(rules_near_doc_types(office.rules, "test", near, 4), 0);
    assert_int_equal(rules_near_doc_types(office.rules, "file", near, 4), 0);
    assert_int_equal(rules_near_doc_types(office.rules, "Trsut", near, 4), 1);
    assert_int_equal(rules_near_doc_types(office.rules, "Moiton", near, 0), 0);
    assert_int_equal(rules_near_case_types(office.rules, "Divorse", near, 4), 1);
    assert_string_equal(near[0], "Divorce");
    assert_int_equal(rules_near_case_types(office.rules, "Famly-2024", near, 4), 1);
    assert_string_equal(near[0], "Divorce");
}

static void distance_counts_swaps_once(void **state)
{
    (void)state;
    assert_int_equal(word_distance("motion", "motion", 2), 0);
    assert_int_equal(word_distance("moiton", "motion", 2), 1);
    assert_int_equal(word_distance("mtion", "motion", 2), 1);
    assert_int_equal(word_distance("", "ab", 2), 2);
    assert_int_equal(word_distance("letter", "motion", 2), 3);
    assert_int_equal(word_distance("abcdef", "abc", 2), 3);
}

static void expect_parts(const char *name, const char *expected)
{
    struct name_parts p;
    char got[400] = "none";

    if (rules_parse_name(office.rules, name, &p))
        snprintf(got, sizeof got, "%s|%s|%s|%s|%s|%s|%s", p.client, p.case_type, p.type,
                 p.words ? p.words : "", p.date, p.serial ? p.serial : "", p.ext ? p.ext : "");
    name_parts_clear(&p);
    assert_string_equal(got, expected);
}

static void names_are_read_by_the_convention(void **state)
{
    (void)state;
    expect_parts("Smith_Divorce_MotionToDismiss-DRAFT-v2_2026-03-02.docx",
                 "Smith|Divorce|MotionToDismiss|DRAFT-v2|2026-03-02||docx");
    expect_parts("Smith-John_Divorce-2024_Letter_2026-03-02_02.tar.gz",
                 "Smith-John|Divorce-2024|Letter||2026-03-02|02|tar.gz");
    expect_parts("M\xc3\xbcller_Probate_Will_1998-05-01",
                 "M\xc3\xbcller|Probate|Will||1998-05-01||");
    expect_parts("letter 3-2-26.pdf", "none");
    expect_parts("", "none");
    expect_parts("_Divorce_Letter_2026-03-02.pdf", "none");
    expect_parts("Smith_Divorce_Letter_2026-03-02.pdf\n", "none");
    expect_parts("\xff_Divorce_Letter_2026-03-02.pdf", "none");
}

static void names_made_read_back(void **state)
{
    static const char *const names[] = {"Smith_Divorce_MotionToDismiss-DRAFT-v2_2026-03-02.docx",
                                        "Smith_Divorce_Letter_2026-03-02_02.pdf",
                                        "Smith_Divorce_Letter_2026-03-02"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct name_parts p;
        char *made;

        assert_true(rules_parse_name(office.rules, names[i], &p));
        made = rules_make_name(office.rules, &p);
        assert_string_equal(made, names[i]);
        free(made);
        name_parts_clear(&p);
    }
}

static void ignored_names_say_their_rule(void **state)
{
    (void)state;
    assert_non_null(strstr(rules_ignored(office.rules, "~$brief.docx", false), "ignored.yaml:"));
    assert_non_null(rules_ignored(office.rules, "\xff.TMP", false));
    assert_non_null(rules_ignored(office.rules, ".organizer", true));
    assert_non_null(rules_ignored(office.rules, ".~organizer-12ab", false));
    assert_null(rules_ignored(office.rules, "__MACOSX", false));
    assert_null(rules_ignored(office.rules, "letter.pdf", false));
    assert_null(rules_ignored(office.rules, "", false));
}

static void conflict_copies_tell_the_original(void **state)
{
    char *of = NULL;

    (void)state;
    assert_non_null(
        rules_conflict_copy(office.rules, "A (Anna's conflicted copy 2026-03-02).docx", &of));
    assert_string_equal(of, "A.docx");
    free(of);
    assert_non_null(
        rules_conflict_copy(office.rules, "A.sync-conflict-20260302-101500-ABCDEF7", NULL));
    assert_null(rules_conflict_copy(office.rules,
                                    "Romeo and Juliet (Conflicts between families).pdf", &of));
    assert_null(of);
}

static void lock_files_tell_what_they_lock(void **state)
{
    char *of = NULL;

    (void)state;
    assert_true(rules_lock_of(office.rules, "~$say.docx", &of));
    assert_string_equal(of, "??say.docx");
    free(of);
    assert_true(rules_lock_of(office.rules, ".~lock.a b.odt#", &of));
    assert_string_equal(of, "a b.odt");
    free(of);
    assert_false(rules_lock_of(office.rules, "a.docx", &of));
}

static void expect_words(const char *words, const char *left)
{
    char *got = rules_strip_noise(office.rules, words);

    assert_string_equal(got, left);
    free(got);
}

static void noise_goes_and_words_stay(void **state)
{
    (void)state;
    expect_words("scan0001", "");
    expect_words("DOC20250914090402", "20250914090402");
    expect_words("Motion - Copy (2)", "Motion");
    expect_words("Complaint FINAL signed v2", "Complaint FINAL signed v2");
    expect_words("", "");
    expect_words("  a  b  ", "a b");
    expect_words("\xff scan1", "\xff");
}

static void taking_noise_out_twice_changes_nothing(void **state)
{
    static const char *const words[] = {"Copy of Copy of Motion (1) (2)", "FW_ RE_ scan12 letter",
                                        "IMG_1234 - Copy", "WhatsApp Image at 10.22.11 AM"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char *once = rules_strip_noise(office.rules, words[i]);
        char *twice = rules_strip_noise(office.rules, once);

        assert_string_equal(once, twice);
        free(once);
        free(twice);
    }
}

static void the_list_names_every_rule(void **state)
{
    struct str out = STR_INIT;

    (void)state;
    rules_list(office.rules, &out, false);
    assert_non_null(strstr(str_c(&out), "type MotionToDismiss in Motions, key: "));
    assert_non_null(strstr(str_c(&out), "as-is pages with Bates numbers"));
    assert_non_null(strstr(str_c(&out), "case-type Divorce"));
    str_reset(&out);
    rules_list(office.rules, &out, true);
    assert_non_null(strstr(str_c(&out), "\"name\":\"MotionToDismiss\""));
    str_clear(&out);
}

/* What every match holds is looked for before the pattern is tried. */
static void a_pattern_matches_in_either_case(void **state)
{
    static const struct {
        const char *pattern, *text;
        size_t at;
        int answer;
    } rows[] = {
        {"^copy of .+[0-9]x$", "Copy OF a1X", 0, PATTERN_YES},
        {"^copy of .+[0-9]x$", "copy of a1", 0, PATTERN_NO},
        {"b$", "abc b", 3, PATTERN_YES},
        {"b", "abc", 2, PATTERN_NO},
        {"b", "abc", 3, PATTERN_NO},
        {"do+k", "DO\xE2\x84\xAA", 0, PATTERN_YES}, /* the sign for kelvin */
        {"ma+s", "ma\xC5\xBF", 0, PATTERN_YES},      /* the long s */
        {"a+\\(", "a(", 0, PATTERN_YES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = ERROR_INIT;
        size_t column = 0;
        struct pattern *p = pattern_new(rows[i].pattern, PATTERN_CASELESS, &column, &err);

        assert_non_null(p);
        assert_int_equal(pattern_match_from(p, rows[i].text, rows[i].at, NULL), rows[i].answer);
        pattern_free(p);
    }
}

static void patterns_are_bounded(void **state)
{
    struct error err = ERROR_INIT;
    size_t column = 0;
    char text[256];
    struct pattern *p = pattern_new("^(a|aa)+$", 0, &column, &err);

    (void)state;
    assert_non_null(p);
    assert_true(pattern_runs_away(p));
    memset(text, 'a', 200);
    memcpy(text + 200, "b", 2);
    assert_int_equal(pattern_match(p, text, NULL), PATTERN_RAN_AWAY);
    assert_int_equal(pattern_match(p, "aaaaa", NULL), PATTERN_YES);
    assert_int_equal(pattern_match(p, "\xff\xfe", NULL), PATTERN_NO);
    pattern_free(p);
    assert_null(pattern_new("a[", 0, &column, &err));
    assert_int_equal(column, 2);
    pattern_free(NULL);
}

static void wildcards_match_whole_names(void **state)
{
    (void)state;
    assert_true(glob_match("*.tmp", "A.TMP"));
    assert_true(glob_match("~wr[dsl]*.tmp", "~WRD01.tmp"));
    assert_false(glob_match("~wr[dsl]*.tmp", "~WRX01.tmp"));
    assert_true(glob_match("a?c", "a\xc3\xa9"
                                  "c"));
    assert_true(glob_match("*a*b*", "xxaxxbxx"));
    assert_false(glob_match("*a*b", "ab-"));
    assert_false(glob_match("a", ""));
    assert_true(glob_match("*", ""));
    assert_false(glob_match("", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_are_there),
        cmocka_unit_test(the_office_vocabulary_is_covered),
        cmocka_unit_test(lookups_ignore_case_and_what_follows),
        cmocka_unit_test(a_type_has_folder_colour_and_relevance),
        cmocka_unit_test(folders_come_in_the_order_of_the_design),
        cmocka_unit_test(near_misses_are_at_most_two_letters_away),
        cmocka_unit_test(distance_counts_swaps_once),
        cmocka_unit_test(names_are_read_by_the_convention),
        cmocka_unit_test(names_made_read_back),
        cmocka_unit_test(ignored_names_say_their_rule),
        cmocka_unit_test(conflict_copies_tell_the_original),
        cmocka_unit_test(lock_files_tell_what_they_lock),
        cmocka_unit_test(noise_goes_and_words_stay),
        cmocka_unit_test(taking_noise_out_twice_changes_nothing),
        cmocka_unit_test(the_list_names_every_rule),
        cmocka_unit_test(a_pattern_matches_in_either_case),
        cmocka_unit_test(patterns_are_bounded),
        cmocka_unit_test(wildcards_match_whole_names),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
