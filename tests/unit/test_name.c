#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "decide/name.h"

#define WORDS(in, out) words_are(in, out, __LINE__)
#define LEGAL(name)    assert_null(name_illegal(name))
#define ILLEGAL(name, why)                                                                         \
    do {                                                                                           \
        assert_non_null(name_illegal(name));                                                       \
        assert_non_null(strstr(name_illegal(name), why));                                          \
    } while (0)
#define EXT(name, ext) assert_string_equal(&(name)[name_ext(name)], ext)

static void words_are(const char *in, const char *out, int line)
{
    AUTO_FREE char *got = name_words(in);

    if (strcmp(got, out) != 0)
        print_error("line %d: \"%s\" became \"%s\", not \"%s\"\n", line, in, got, out);
    assert_string_equal(got, out);
}

static void ordinary_names_are_legal(void **state)
{
    (void)state;
    LEGAL("Smith_Divorce_Motion_2026-03-02.pdf");
    LEGAL("Müller_IP_Order_2026-03-02.pdf");
    LEGAL("田中.docx");
    LEGAL(".hidden");
    LEGAL("a b.txt");
    LEGAL("console.txt");
    LEGAL("COM10.txt");
    LEGAL("COMPLAINT.pdf");
    LEGAL("O'Brien & Sons, 100%.pdf");
}

static void characters_that_windows_forbids_are_illegal(void **state)
{
    char name[8] = "a?b.pdf";

    (void)state;
    for (const char *c = "<>:\"/\\|?*"; *c; c++) {
        name[1] = *c;
        ILLEGAL(name, "holds one of");
    }
    ILLEGAL("a\nb", "control");
    ILLEGAL("a\x7f", "control");
    ILLEGAL("a\xc2\x85", "control");
}

static void bytes_that_are_no_text_are_illegal(void **state)
{
    (void)state;
    ILLEGAL("a\xff", "UTF-8");
    ILLEGAL("a\xc3", "UTF-8");
    ILLEGAL("\xed\xa0\x80", "UTF-8");
}

static void spaces_and_dots_at_the_ends_are_illegal(void **state)
{
    (void)state;
    ILLEGAL("", "empty");
    ILLEGAL(".", "folder");
    ILLEGAL("..", "folder");
    ILLEGAL(" a", "starts");
    ILLEGAL("a ", "ends in a space");
    ILLEGAL("a.", "dot");
}

static void device_names_are_illegal_with_any_extension(void **state)
{
    static const char *const devices[] = {"CON",      "con.txt",  "PRN.pdf",  "aux",   "NUL.tar.gz",
                                          "COM0",     "com9.doc", "LPT0.x",   "lpt9",  "COM¹.pdf",
                                          "LPT².doc", "com³",     "CON .txt", "CONIN$"};

    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        ILLEGAL(devices[i], "device");
    LEGAL("CONS");
    LEGAL("COM");
    LEGAL("COM⁴");
}

static void names_over_255_bytes_are_illegal(void **state)
{
    char name[258];

    (void)state;
    memset(name, 'a', sizeof name);
    name[255] = '\0';
    LEGAL(name);
    name[255] = 'a';
    name[256] = '\0';
    ILLEGAL(name, "255");
}

static void the_extension_is_found(void **state)
{
    (void)state;
    EXT("a.pdf", ".pdf");
    EXT("a.b.PDF", ".PDF");
    EXT("a.tar.gz", ".tar.gz");
    EXT("a.TAR.xz", ".TAR.xz");
    EXT("a.gz", ".gz");
    EXT("a.docx ", "");
    EXT("a.p7s", ".p7s");
    EXT("a.7z", ".7z");
    EXT("x.001", ".001");
    EXT("a.abcdefgh", ".abcdefgh");
}

static void what_is_no_extension_stays_in_the_name(void **state)
{
    (void)state;
    EXT("a", "");
    EXT("", "");
    EXT(".pdf", "");
    EXT("a.", "");
    EXT("Letter No. 5", "");
    EXT("Judgment 10.04.20", "");
    EXT("Motion v2.1", "");
    EXT("St. Clair letter", "");
    EXT("a.abcdefghi", "");
    EXT("a.dé", "");
}

static void a_serial_stands_before_the_extension(void **state)
{
    static const struct {
        unsigned serial;
        const char *in, *out;
    } t[] = {{1, "a.pdf", "a.pdf"},         {2, "a.pdf", "a_02.pdf"},    {0, "a.pdf", "a.pdf"},
             {99, "a.pdf", "a_99.pdf"},     {100, "a.pdf", "a_100.pdf"}, {3, "a", "a_03"},
             {2, "a.tar.gz", "a_02.tar.gz"}};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        AUTO_FREE char *got = name_serial(t[i].in, t[i].serial);

        assert_string_equal(got, t[i].out);
    }
}

static void words_are_joined_by_hyphens_as_written(void **state)
{
    (void)state;
    WORDS("order granting fees", "order-granting-fees");
    WORDS("FINAL v2", "FINAL-v2");
    WORDS("a_b", "a-b");
    WORDS("  a   b  ", "a-b");
    WORDS("a - b", "a-b");
    WORDS("--a--b--", "a-b");
    WORDS("a\tb\nc", "a-b-c");
    WORDS("", "");
    WORDS(" _- ", "");
}

static void brackets_and_commas_part_words(void **state)
{
    (void)state;
    WORDS("(signed) copy", "signed-copy");
    WORDS("fees, costs; more", "fees-costs-more");
    WORDS("draft[2]{x}", "draft-2-x");
}

static void what_is_illegal_goes_from_words(void **state)
{
    (void)state;
    WORDS("Re: what?", "Re-what");
    WORDS("a<b>\"c\"|d*", "abcd");
    WORDS("a/b\\c", "abc");
    WORDS("a\xe2\x80\xae"
          "b",
          "ab");
    WORDS("a\xe2\x80\x8b"
          "b",
          "ab");
    WORDS("a\xc2\xa0"
          "b",
          "a-b");
    WORDS("a\xff"
          "b",
          "ab");
}

static void dots_go_from_the_ends_of_words_only(void **state)
{
    (void)state;
    WORDS("...a", "a");
    WORDS("Inc.", "Inc");
    WORDS("Okafor v. Globex", "Okafor-v.-Globex");
    WORDS("v2.1", "v2.1");
    WORDS("a.-.", "a");
}

static void words_are_composed(void **state)
{
    (void)state;
    WORDS("Mu\xcc\x88ller", "Müller");
    WORDS("Nguye\xcc\x82\xcc\x83n", "Nguyễn");
}

static void words_made_once_stay(void **state)
{
    static const char *const t[] = {"a (b) - c..", "- . -", "é.é", "x__y", "Re: a, b", "a.-b"};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        AUTO_FREE char *once = name_words(t[i]);

        WORDS(once, once);
    }
}

static void client_names_become_fields(void **state)
{
    static const char *const t[][2] = {
        {"O'Brien", "O'Brien"},       {"van der Berg", "van-der-Berg"},
        {"vanderBerg", "vanderBerg"}, {"Abd al-Rahman", "Abd-al-Rahman"},
        {"Acme Corp.", "Acme-Corp"},  {"Smith, John", "Smith-John"},
        {"St. Clair", "St.-Clair"},   {"a_b", "a-b"}};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        AUTO_FREE char *got = name_field(t[i][0]);

        assert_string_equal(got, t[i][1]);
    }
}

static void names_that_windows_takes_for_one_are_the_same(void **state)
{
    (void)state;
    assert_true(name_same("A.PDF", "a.pdf"));
    assert_true(name_same("MÜLLER", "müller"));
    assert_true(name_same("Mu\xcc\x88ller", "Müller"));
    assert_true(name_same("Straße", "STRASSE"));
    assert_true(name_same("", ""));
    assert_false(name_same("a", "b"));
    assert_false(name_same("a", "ab"));
    assert_false(name_same("Muller", "Müller"));
    assert_false(name_same("u", "u\xcc\x88"));
    assert_true(name_same("u\xcc\x88", "ü"));
    assert_true(name_same("ax", "AX"));
    assert_false(name_same("", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_names_are_legal),
        cmocka_unit_test(characters_that_windows_forbids_are_illegal),
        cmocka_unit_test(bytes_that_are_no_text_are_illegal),
        cmocka_unit_test(spaces_and_dots_at_the_ends_are_illegal),
        cmocka_unit_test(device_names_are_illegal_with_any_extension),
        cmocka_unit_test(names_over_255_bytes_are_illegal),
        cmocka_unit_test(the_extension_is_found),
        cmocka_unit_test(what_is_no_extension_stays_in_the_name),
        cmocka_unit_test(a_serial_stands_before_the_extension),
        cmocka_unit_test(words_are_joined_by_hyphens_as_written),
        cmocka_unit_test(brackets_and_commas_part_words),
        cmocka_unit_test(what_is_illegal_goes_from_words),
        cmocka_unit_test(dots_go_from_the_ends_of_words_only),
        cmocka_unit_test(words_are_composed),
        cmocka_unit_test(words_made_once_stay),
        cmocka_unit_test(client_names_become_fields),
        cmocka_unit_test(names_that_windows_takes_for_one_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
