#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <fcntl.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cabinet/card.h"
#include "cabinet/text.h"
#include "case_fixture.h"

#define ID "0123456789abcdef0123456789abcdef"

static struct card card;

static int start(void **state)
{
    (void)state;
    memset(&card, 0, sizeof card);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    card_clear(&card);
    return 0;
}

static void read_bytes(const void *bytes, size_t n)
{
    card_clear(&card);
    card_parse(&card, bytes, n, fixture_rules, fixture_lang, DATE_ORDER_ASK);
}

static void read_text(const char *text)
{
    read_bytes(text, strlen(text));
}

static void has_no_problem(void)
{
    if (card.problems_len)
        fail_msg("line %u: %s", card.problems[0].line, card.problems[0].text);
}

/* Exactly one mistake, at this line, whose text holds word. */
static void has_problem(unsigned line, const char *word)
{
    assert_int_equal(card.problems_len, 1);
    if (card.problems[0].line != line || !strstr(card.problems[0].text, word))
        fail_msg("line %u: %s; expected line %u and \"%s\"", card.problems[0].line,
                 card.problems[0].text, line, word);
}

static void is_list(char **list, const char *joined)
{
    struct str s = STR_INIT;

    for (; list && *list; list++)
        str_addf(&s, "%s%s", s.len ? "|" : "", *list);
    assert_string_equal(str_c(&s), joined);
    str_clear(&s);
}

static void every_field_is_read(void **state)
{
    (void)state;
    read_text("Client: Smith, John\nCase type: Divorce\nStatus: closed\nOpened: 2026-01-02\n"
              "Closed: 2026-03-04\nPriority: high\nTeam: ABC; DE\nDocket: 2:26-cv-1; 2:26-cv-2\n"
              "Matter number: 4711\nParties: Jane Smith\n  Acme, Inc.\nClient email: a@b.c\n"
              "Naming: inbox\nLeave alone: Raw; *.dwg\nHold: appeal pending\n"
              "Former names: Smyth_Divorce\nKey documents: a.pdf\nRename documents: yes\n"
              "Close anyway: done, JB\nCase id: " ID "\n");
    has_no_problem();
    assert_string_equal(card.client, "Smith, John");
    assert_string_equal(card.case_type, "Divorce");
    assert_true(card.closed);
    assert_string_equal(card.opened, "2026-01-02");
    assert_string_equal(card.closed_on, "2026-03-04");
    assert_string_equal(card.priority, "high");
    assert_string_equal(card.team, "ABC; DE");
    is_list(card.dockets, "2:26-cv-1|2:26-cv-2");
    assert_string_equal(card.matter, "4711");
    is_list(card.parties, "Jane Smith|Acme, Inc.");
    is_list(card.emails, "a@b.c");
    assert_true(card.naming_set);
    assert_int_equal(card.naming, NAMING_INBOX);
    is_list(card.leave_alone, "Raw|*.dwg");
    assert_string_equal(card.hold, "appeal pending");
    is_list(card.former, "Smyth_Divorce");
    is_list(card.key_documents, "a.pdf");
    assert_true(card.rename_documents && card.rename_answered);
    assert_string_equal(card.close_anyway, "done, JB");
    assert_string_equal(card.id, ID);
}

static void an_empty_card_has_defaults(void **state)
{
    (void)state;
    read_text("");
    has_no_problem();
    assert_null(card.client);
    assert_false(card.closed);
    assert_false(card.naming_set);
    assert_string_equal(card.opened, "");
}

static void a_field_without_a_value_is_not_set(void **state)
{
    (void)state;
    read_text("Client:\nStatus:  \nOpened:\nHold:\nDocket:\n");
    has_no_problem();
    assert_null(card.client);
    assert_null(card.hold);
    assert_null(card.dockets);
}

static void field_names_in_any_case_and_spacing(void **state)
{
    (void)state;
    read_text("CLIENT : a\ncase_type: Divorce\nMatter  Number: 1\nmatter-no.: 2\n"
              "Leave\xC2\xA0"
              "alone: x\nDocket no.: 7\n");
    assert_string_equal(card.client, "a");
    assert_string_equal(card.case_type, "Divorce");
    assert_string_equal(card.matter, "1");
    is_list(card.leave_alone, "x");
    is_list(card.dockets, "7");
    has_problem(4, "matter");
}

static void values_are_literal_to_the_end_of_the_line(void **state)
{
    (void)state;
    read_text("Client: O'Brien: \"the\" # first & <b> \\n\nTeam:   a  b   \n");
    has_no_problem();
    assert_string_equal(card.client, "O'Brien: \"the\" # first & <b> \\n");
    assert_string_equal(card.team, "a  b");
}

static void indented_lines_continue(void **state)
{
    (void)state;
    read_text("Parties: A\n\tB\n  C; D\n\nHold: one\n  two\nNote: x\n  y\n");
    has_no_problem();
    is_list(card.parties, "A|B|C|D");
    assert_string_equal(card.hold, "one two");
    assert_string_equal(card.others[0].value, "x\ny");
}

static void lists_are_written_as_people_do(void **state)
{
    (void)state;
    read_text("Parties: Elena Rivera v. Northgate Freight, Inc.; John V. Roe VS. Ann Lee\n"
              "Client email: a@b.c, Ann <d@e.f>\nDocket: 2:26-cv-1, 2:26-cv-2\n");
    has_no_problem();
    is_list(card.parties, "Elena Rivera|Northgate Freight, Inc.|John V. Roe|Ann Lee");
    is_list(card.emails, "a@b.c|Ann <d@e.f>");
    is_list(card.dockets, "2:26-cv-1|2:26-cv-2");
}

static void an_indented_first_line_is_a_field(void **state)
{
    (void)state;
    read_text("  Client: Smith\n");
    has_no_problem();
    assert_string_equal(card.client, "Smith");
}

static void lists_may_be_given_several_times(void **state)
{
    (void)state;
    read_text("Docket: 1\nDocket: 2;;3 ; \n");
    has_no_problem();
    is_list(card.dockets, "1|2|3");
}

static void a_single_field_given_twice_is_told(void **state)
{
    (void)state;
    read_text("Client: A\n\nClient: B\n");
    has_problem(3, "card.twice");
    assert_string_equal(card.client, "A");
}

static void line_ends_of_all_systems(void **state)
{
    static const char *const texts[] = {"Client: A\nTeam: B\n", "Client: A\r\nTeam: B\r\n",
                                        "Client: A\rTeam: B", "Client: A\r\n\r\nTeam: B\x1A"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        read_text(texts[i]);
        has_no_problem();
        assert_string_equal(card.client, "A");
        assert_string_equal(card.team, "B");
    }
}

static void crlf_counts_as_one_line(void **state)
{
    (void)state;
    read_text("Client: A\r\nStatus: x\r\n");
    has_problem(2, "card.choice");
}

static void a_bom_is_skipped(void **state)
{
    (void)state;
    read_text("\xEF\xBB\xBF"
              "Client: M\xC3\xBCller\n");
    has_no_problem();
    assert_string_equal(card.client, "M\xC3\xBCller");
}

static void utf16_with_a_bom(void **state)
{
    static const unsigned char le[] = {0xFF, 0xFE, 'T', 0,    'e', 0,    'a', 0,    'm',  0, ':',
                                       0,    0xFC, 0,   '\r', 0,   '\n', 0,   0x3D, 0xD8, 0, 0xDE};
    static const unsigned char be[] = {0xFE, 0xFF, 0, 'T', 0, 'e', 0, 'a', 0, 'm', 0, ':', 0, 0xFC};

    (void)state;
    read_bytes(be, sizeof be);
    has_no_problem();
    assert_string_equal(card.team, "\xC3\xBC");
    read_bytes(le, sizeof le);
    assert_string_equal(card.team, "\xC3\xBC");
    has_problem(2, "\xF0\x9F\x98\x80"); /* the surrogate pair on its own line is no field */
}

static void utf16_cut_in_the_middle(void **state)
{
    (void)state;
    read_bytes("\xFF\xFET\0:\0\x3D", 7);
    assert_int_equal(card.others_len, 1);
    assert_string_equal(card.others[0].value, "\xEF\xBF\xBD");
}

static void windows_1252_when_it_is_no_utf8(void **state)
{
    (void)state;
    read_text("Client: M\xFCller \x96 O\x92"
              "Brien \x80\n");
    has_no_problem();
    assert_string_equal(card.client, "M\xC3\xBCller \xE2\x80\x93 O\xE2\x80\x99"
                                     "Brien \xE2\x82\xAC");
}

static void binary_is_told_and_nothing_of_it_counts(void **state)
{
    (void)state;
    read_bytes("Client: A\nTeam: \0B\n", 19);
    has_problem(1, "card.binary");
    assert_null(card.client);
    read_bytes("\x7F"
               "ELF",
               4);
    has_problem(1, "card.binary");
}

static void status_open_and_closed(void **state)
{
    (void)state;
    read_text("Status: CLOSED");
    assert_true(card.closed);
    read_text("Status: open");
    assert_false(card.closed);
    has_no_problem();
    read_text("\nStatus: clsoed");
    has_problem(2, "closed");
    assert_false(card.closed);
}

static void dates_are_kept_as_iso(void **state)
{
    static const char *const rows[][2] = {
        {"2026-03-02", "2026-03-02"},     {"2 Mar 2026", "2026-03-02"},
        {"March 2nd 2026", "2026-03-02"}, {"25.12.2025", "2025-12-25"},
        {"20260302", "2026-03-02"},       {"1949-05-06", "1949-05-06"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];

        snprintf(text, sizeof text, "Opened: %s\n", rows[i][0]);
        read_text(text);
        has_no_problem();
        assert_string_equal(card.opened, rows[i][1]);
    }
}

static void dates_that_are_none_are_told(void **state)
{
    (void)state;
    read_text("Client: A\nOpened: yesterday\n");
    has_problem(2, "card.date");
    read_text("Opened: 2026-02-30\n");
    has_problem(1, "card.date");
    read_text("Opened: 2026-03-02 or so\n");
    has_problem(1, "card.date");
    assert_string_equal(card.opened, "");
    read_text("Closed: 03-02-2026\n");
    has_problem(1, "2026-03-02");
    assert_string_equal(card.closed_on, "");
}

static void an_unknown_case_type_is_told_with_what_is_near(void **state)
{
    (void)state;
    read_text("Case type: Divorse\n");
    has_problem(1, "Divorce");
    assert_null(card.case_type);
    read_text("Case type: Zzzzzzzzzz\n");
    has_problem(1, "card.case-type");
    read_text("Case type: PI\n");
    has_no_problem();
    assert_string_equal(card.case_type, "PI");
}

static void a_case_type_is_known_however_it_is_written(void **state)
{
    static const char *const texts[] = {"Personal Injury", "personal-injury", "PERSONAL  INJURY",
                                        "Injury / person"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO_FREE char *text = xasprintf("Case type: %s\n", texts[i]);

        read_text(text);
        has_no_problem();
        assert_string_equal(card.case_type, "PersonalInjury");
    }
    read_text("Case type: /\n");
    has_problem(1, "card.case-type");
    assert_true(card.bad_case_type);
}

static void dates_follow_the_order_of_the_cabinet(void **state)
{
    static const char text[] = "Opened: 3/2/2026\n";

    (void)state;
    card_clear(&card);
    card_parse(&card, text, strlen(text), fixture_rules, fixture_lang, DATE_ORDER_MDY);
    has_no_problem();
    assert_string_equal(card.opened, "2026-03-02");
    card_clear(&card);
    card_parse(&card, text, strlen(text), fixture_rules, fixture_lang, DATE_ORDER_DMY);
    assert_string_equal(card.opened, "2026-02-03");
    read_text(text);
    has_problem(1, "card.date-ambiguous");
}

static void what_word_processors_save_is_no_text(void **state)
{
    (void)state;
    read_text("{\\rtf1\\ansi Client: Smith\\par\n}\n");
    has_problem(1, "card.binary");
    read_text("\r\n<HTML><body>Client: Smith</body></HTML>\n");
    has_problem(1, "card.binary");
    assert_null(card.client);
}

static void fields_have_the_names_that_people_give_them(void **state)
{
    (void)state;
    read_text("Client name: Smith\nCase No.: 24-1\nMatter #: 7\nDate opened: 2026-03-02\n");
    has_no_problem();
    assert_string_equal(card.client, "Smith");
    is_list(card.dockets, "24-1");
    assert_string_equal(card.matter, "7");
    assert_string_equal(card.opened, "2026-03-02");
    assert_int_equal(card.others_len, 0);
    assert_false(card.blank);
    read_text("Client name: Jane Smith\nDate opened: in spring\nClient: Smith\nOpened: 2026-03-02\n");
    has_no_problem();
    assert_string_equal(card.client, "Smith");
    assert_string_equal(card.opened, "2026-03-02");
    assert_string_equal(card_other(&card, "client name"), "Jane Smith");
    read_text("Client:\nTeam:\n");
    assert_true(card.blank);
}

static void without_rules_any_case_type_counts(void **state)
{
    (void)state;
    card_clear(&card);
    card_parse(&card, "Case type: Foo", 14, NULL, NULL, DATE_ORDER_ASK);
    has_no_problem();
    assert_string_equal(card.case_type, "Foo");
}

static void without_a_language_mistakes_are_still_told(void **state)
{
    (void)state;
    card_clear(&card);
    card_parse(&card, "Status: x\nOpened: 2 Mar 2026\n", 29, NULL, NULL, DATE_ORDER_ASK);
    assert_int_equal(card.problems_len, 2);
    assert_non_null(strstr(card.problems[0].text, "open"));
}

static void naming_has_four_values(void **state)
{
    (void)state;
    read_text("Naming: Off");
    assert_int_equal(card.naming, NAMING_OFF);
    read_text("Naming: everywhere");
    assert_int_equal(card.naming, NAMING_EVERYWHERE);
    read_text("Naming: sometimes");
    has_problem(1, "everywhere");
    assert_false(card.naming_set);
}

static void hold_no_is_no_hold(void **state)
{
    (void)state;
    read_text("Hold: no");
    assert_null(card.hold);
    read_text("Hold: yes");
    assert_string_equal(card.hold, "yes");
}

static void renaming_documents_is_answered_either_way(void **state)
{
    (void)state;
    read_text("Rename documents: no");
    assert_true(card.rename_answered && !card.rename_documents);
    read_text("Rename documents: leave");
    assert_true(card.rename_answered && !card.rename_documents);
    read_text("Rename documents: maybe");
    assert_false(card.rename_answered);
    has_problem(1, "yes");
}

static void a_case_id_is_32_hex_digits(void **state)
{
    (void)state;
    read_text("Case id: 0123456789ABCDEF0123456789abcdef");
    assert_string_equal(card.id, ID);
    read_text("Case id: 12");
    has_problem(1, "card.id");
    assert_null(card.id);
}

static void a_slip_in_a_field_name_is_told(void **state)
{
    (void)state;
    read_text("\nCleint: Smith\n");
    has_problem(2, "Client");
    assert_null(card.client);
    read_text("Leave aloen: x\n");
    has_problem(1, "Leave alone");
}

static void other_fields_are_kept(void **state)
{
    (void)state;
    read_text("Judge: Hon. X: Y\nOpposing counsel: Z\n");
    has_no_problem();
    assert_int_equal(card.others_len, 2);
    assert_string_equal(card.others[0].field, "Judge");
    assert_string_equal(card.others[0].value, "Hon. X: Y");
    assert_string_equal(card.others[1].field, "Opposing counsel");
}

static void a_line_that_is_no_field_is_told(void **state)
{
    (void)state;
    read_text("Client: A\njust a remark\nTeam: B\n: x\n");
    assert_int_equal(card.problems_len, 2);
    assert_int_equal(card.problems[0].line, 2);
    assert_int_equal(card.problems[1].line, 4);
    assert_string_equal(card.team, "B");
}

static void a_hopeless_card_has_few_problems_told(void **state)
{
    struct str s = STR_INIT;

    (void)state;
    for (int i = 0; i < 5000; i++)
        str_add(&s, "nonsense\nX: y\n");
    read_text(str_c(&s));
    str_clear(&s);
    assert_true(card.problems_len <= 20);
    assert_true(card.others_len <= 200);
}

static void a_new_card_reads_back(void **state)
{
    char *text = card_text(ID, "Smith-John", "Divorce", "2026-11-23");

    (void)state;
    read_text(text);
    free(text);
    has_no_problem();
    assert_string_equal(card.client, "Smith-John");
    assert_string_equal(card.case_type, "Divorce");
    assert_string_equal(card.opened, "2026-11-23");
    assert_string_equal(card.id, ID);
    assert_string_equal(card.priority, "normal");
    assert_false(card.closed);
    assert_int_equal(card.others_len, 0);
}

/* A small generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void any_client_of_a_new_card_reads_back(void **state)
{
    static const char letters[] = "aZ9:;#'\"-_ .,&<\\";
    uint32_t seed = 4711;

    (void)state;
    for (int round = 0; round < 1000; round++) {
        char name[24] = "x";
        size_t n = 2 + next_random(&seed) % 20;
        char *text;

        for (size_t i = 1; i < n; i++)
            name[i] = letters[next_random(&seed) % (sizeof letters - 1)];
        name[n - 1] = 'y';
        text = card_text(ID, name, "Tax", "2026-01-01");
        read_text(text);
        free(text);
        has_no_problem();
        assert_string_equal(card.client, name);
    }
}

static void a_line_end_in_a_client_cannot_make_a_field(void **state)
{
    char *text = card_text(ID, "A\r\nHold: x", "Tax", "");

    (void)state;
    read_text(text);
    free(text);
    assert_null(card.hold);
    assert_string_equal(card.client, "A  Hold: x");
}

static void random_bytes_never_crash(void **state)
{
    static const char *const starts[] = {"",
                                         "\xFF\xFE",
                                         "\xFE\xFF",
                                         "\xEF\xBB\xBF",
                                         "Client: ",
                                         "Status: c\nOpened: ",
                                         "Parties: a;\n ",
                                         "Docket"};
    uint32_t seed = 20261123;

    (void)state;
    for (int round = 0; round < 10000; round++) {
        char bytes[300];
        size_t n = next_random(&seed) % 256;
        const char *begin = starts[next_random(&seed) % 8];
        size_t at = strlen(begin);
        bool text = next_random(&seed) % 2;

        memcpy(bytes, begin, at);
        for (size_t i = 0; i < n; i++)
            bytes[at + i] = text ? ":;\n \tClient0-9a\xC3\xBC"[next_random(&seed) % 17]
                                 : (char)next_random(&seed);
        read_bytes(bytes, at + n);
        if (card.client)
            assert_true(utf8_valid(card.client, strlen(card.client)));
    }
}

static void cards_cut_anywhere_never_crash(void **state)
{
    char *text = card_text(ID, "M\xC3\xBCller", "Divorce", "2026-11-23");
    size_t n = strlen(text);

    (void)state;
    for (size_t i = 0; i <= n; i++)
        read_bytes(text, i);
    free(text);
    assert_string_equal(card.id, ID);
}

#define CARD(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD(every_field_is_read),
        CARD(an_empty_card_has_defaults),
        CARD(a_field_without_a_value_is_not_set),
        CARD(field_names_in_any_case_and_spacing),
        CARD(values_are_literal_to_the_end_of_the_line),
        CARD(indented_lines_continue),
        CARD(lists_are_written_as_people_do),
        CARD(an_indented_first_line_is_a_field),
        CARD(lists_may_be_given_several_times),
        CARD(a_single_field_given_twice_is_told),
        CARD(line_ends_of_all_systems),
        CARD(crlf_counts_as_one_line),
        CARD(a_bom_is_skipped),
        CARD(utf16_with_a_bom),
        CARD(utf16_cut_in_the_middle),
        CARD(windows_1252_when_it_is_no_utf8),
        CARD(binary_is_told_and_nothing_of_it_counts),
        CARD(status_open_and_closed),
        CARD(dates_are_kept_as_iso),
        CARD(dates_that_are_none_are_told),
        CARD(an_unknown_case_type_is_told_with_what_is_near),
        CARD(a_case_type_is_known_however_it_is_written),
        CARD(dates_follow_the_order_of_the_cabinet),
        CARD(what_word_processors_save_is_no_text),
        CARD(fields_have_the_names_that_people_give_them),
        CARD(without_rules_any_case_type_counts),
        CARD(without_a_language_mistakes_are_still_told),
        CARD(naming_has_four_values),
        CARD(hold_no_is_no_hold),
        CARD(renaming_documents_is_answered_either_way),
        CARD(a_case_id_is_32_hex_digits),
        CARD(a_slip_in_a_field_name_is_told),
        CARD(other_fields_are_kept),
        CARD(a_line_that_is_no_field_is_told),
        CARD(a_hopeless_card_has_few_problems_told),
        CARD(a_new_card_reads_back),
        CARD(any_client_of_a_new_card_reads_back),
        CARD(a_line_end_in_a_client_cannot_make_a_field),
        CARD(random_bytes_never_crash),
        CARD(cards_cut_anywhere_never_crash),
    };

    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
