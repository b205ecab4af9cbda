/* card_edit: single fields of a card are changed, all other bytes stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "cabinet/card_edit.h"

static const struct card_change close_it[] = {
    {.field = "Status", .value = "closed", .after = "Case type"},
    {.field = "Closed", .value = "2026-11-25", .after = "Opened"},
};

static void edits(const char *from, size_t n, const struct card_change *c, size_t len,
                  const char *to, size_t to_n)
{
    AUTO_STR struct str out = STR_INIT;

    card_edit(from, n, c, len, &out);
    if (out.len != to_n || memcmp(str_c(&out), to, to_n) != 0)
        fail_msg("\"%.*s\" became\n\"%.*s\", expected\n\"%.*s\"", (int)n, from, (int)out.len,
                 str_c(&out), (int)to_n, to);
}

static void closes(const char *from, const char *to)
{
    edits(from, strlen(from), close_it, 2, to, strlen(to));
}

static void a_card_of_ours(void **state)
{
    (void)state;
    closes("Client: Smith\r\nCase type: Divorce\r\nStatus: open\r\nOpened: 2026-01-02\r\nTeam:\r\n",
           "Client: Smith\r\nCase type: Divorce\r\nStatus: closed\r\nOpened: 2026-01-02\r\n"
           "Closed: 2026-11-25\r\nTeam:\r\n");
}

static void line_ends_and_spelling_stay(void **state)
{
    (void)state;
    closes("STATUS :\topen\nclosed:  \nx\n", "STATUS :\tclosed\nclosed:  2026-11-25\nx\n");
    closes("status:open\rclosed:\r", "status: closed\rclosed: 2026-11-25\r");
}

static void a_missing_line_end_stays_missing(void **state)
{
    (void)state;
    closes("Closed: 2020-01-01\nStatus: open", "Closed: 2026-11-25\nStatus: closed");
}

static void missing_fields_are_added(void **state)
{
    (void)state;
    closes("Client: Smith", "Client: Smith\r\nStatus: closed\r\nClosed: 2026-11-25\r\n");
    closes("", "Status: closed\r\nClosed: 2026-11-25\r\n");
    closes("Case type: X\n  Y\nOpened: z\n\nNote: a\n",
           "Case type: X\n  Y\nStatus: closed\nOpened: z\nClosed: 2026-11-25\n\nNote: a\n");
}

static void the_first_of_two_is_changed(void **state)
{
    (void)state;
    closes("Status: open\nStatus: open\nClosed:\n",
           "Status: closed\nStatus: open\nClosed: 2026-11-25\n");
}

static void a_continued_value_goes_whole(void **state)
{
    static const struct card_change c = {.field = "Close anyway", .value = "", .only_there = true};
    static const char from[] = "Close_anyway: moved away,\n  Jane\nTeam: A\n";
    static const char to[] = "Close_anyway: \nTeam: A\n";

    (void)state;
    edits(from, sizeof from - 1, &c, 1, to, sizeof to - 1);
    edits("Team: A\n", 8, &c, 1, "Team: A\n", 8);
}

static void what_only_looks_like_it_stays(void **state)
{
    (void)state;
    closes("Note:\n Status: open\nStatus\nClosed: \nStatus: open\n",
           "Note:\n Status: open\nStatus\nClosed: 2026-11-25\nStatus: closed\n");
}

static void utf16(const char *ascii, bool big, struct str *out)
{
    str_addn(out, big ? "\xFE\xFF" : "\xFF\xFE", 2);
    for (; *ascii; ascii++) {
        char unit[2] = {big ? 0 : *ascii, big ? *ascii : 0};

        str_addn(out, unit, 2);
    }
}

static void utf16_stays_utf16(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        AUTO_STR struct str from = STR_INIT, to = STR_INIT;

        utf16("Status: open\r\nTeam: A", big, &from);
        utf16("Status: closed\r\nTeam: A\r\nClosed: 2026-11-25\r\n", big, &to);
        edits(from.s, from.len, close_it, 2, to.s, to.len);
    }
}

static void a_bom_and_foreign_letters_stay(void **state)
{
    (void)state;
    closes("\xEF\xBB\xBFStatus: open\nClient: M\xC3\xBCller\nClosed:\n",
           "\xEF\xBB\xBFStatus: closed\nClient: M\xC3\xBCller\nClosed: 2026-11-25\n");
    closes("Status: open\nClient: M\xFCller\nClosed:\n",
           "Status: closed\nClient: M\xFCller\nClosed: 2026-11-25\n");
}

static void half_a_character_at_the_end_stays(void **state)
{
    static const char from[] = "\xFF\xFES\0:\0\n\0x", to[] = "\xFF\xFES\0:\0 \0a\0\n\0x";
    static const struct card_change c = {.field = "S", .value = "a"};

    (void)state;
    edits(from, sizeof from - 1, &c, 1, to, sizeof to - 1);
}

static void says_whether_it_changed(void **state)
{
    AUTO_STR struct str out = STR_INIT;

    (void)state;
    assert_false(card_edit("Status: closed\nClosed: 2026-11-25\n", 34, close_it, 2, &out));
    str_reset(&out);
    assert_true(card_edit("Status: open\n", 13, close_it, 2, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_of_ours),
        cmocka_unit_test(line_ends_and_spelling_stay),
        cmocka_unit_test(a_missing_line_end_stays_missing),
        cmocka_unit_test(missing_fields_are_added),
        cmocka_unit_test(the_first_of_two_is_changed),
        cmocka_unit_test(a_continued_value_goes_whole),
        cmocka_unit_test(what_only_looks_like_it_stays),
        cmocka_unit_test(utf16_stays_utf16),
        cmocka_unit_test(a_bom_and_foreign_letters_stay),
        cmocka_unit_test(half_a_character_at_the_end_stays),
        cmocka_unit_test(says_whether_it_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
