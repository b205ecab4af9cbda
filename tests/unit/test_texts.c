/* texts: what documents say, through parsers in processes of their own, and what becomes of those. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "examine/kind.h"
#include "texts_world.h"
#include "text/parse.h"

static struct texts_world w;

static int open_world(void **state)
{
    (void)state;
    texts_world_open(&w);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    texts_world_close(&w);
    return 0;
}

#define READ(kind, s) texts_world_read(&w, (kind), (s), sizeof(s) - 1)

static void all_kinds_that_are_asked_for_have_a_parser(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        assert_int_equal(texts_knows((enum kind)k), parse_knows((enum kind)k));
}

static void plain_text_is_read_in_any_encoding(void **state)
{
    (void)state;
    READ(KIND_TEXT, "  Dear  Ms.\tM\xC3\xBCller,\r\n\r\nwe write\f1\n");
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_int_equal(w.said.lines_len, 3);
    assert_string_equal(w.said.lines[0].text, "Dear Ms. M\xC3\xBCller,");
    assert_string_equal(w.said.lines[1].text, "we write");
    assert_int_equal(w.said.lines[1].page, 1);
    assert_int_equal(w.said.lines[2].page, 2);
    assert_string_equal(str_c(&w.text), "Dear Ms. M\xC3\xBCller,\nwe write\n1\n");
    READ(KIND_TEXT, "Dear M\xFCller, \x93quoted\x94\n");
    assert_non_null(said_line(&w, "Dear M\xC3\xBCller, \xE2\x80\x9Cquoted\xE2\x80\x9D"));
    READ(KIND_TEXT, "\xFF\xFE" "D\0e\0a\0r\0 \0M\0\xFC\0\n\0");
    assert_non_null(said_line(&w, "Dear M\xC3\xBC"));
    READ(KIND_TEXT, "\0D\0e\0a\0r\0 \0C\0o\0u\0r\0t\0\n");
    assert_non_null(said_line(&w, "Dear Court"));
    READ(KIND_TEXT, "");
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_int_equal(w.said.lines_len, 0);
}

static void only_the_first_pages_are_kept_and_all_text_is_given(void **state)
{
    struct str s = STR_INIT;

    (void)state;
    for (int i = 0; i < 9000; i++)
        str_addf(&s, "line %d\n", i);
    texts_world_read(&w, KIND_TEXT, s.s, s.len);
    assert_int_equal(w.said.lines_len, CONTENT_LINES);
    assert_int_equal(w.text.len, s.len);
    assert_int_equal(w.said.text_len, s.len);
    str_reset(&s);
    for (size_t i = 0; i < TEXT_MAX / 8 + 10; i++)
        str_add(&s, "abcdefg\n");
    texts_world_read(&w, KIND_TEXT, s.s, s.len);
    assert_int_equal(w.said.status, CONTENT_PART);
    assert_string_equal(w.said.why, "content.part.size");
    assert_true(w.text.len <= TEXT_MAX && w.text.len > TEXT_MAX - 100);
    str_clear(&s);
}

static void a_document_that_is_none_spoils_only_itself(void **state)
{
    (void)state;
    READ(KIND_PDF, "%PDF-1.4\nnothing");
    assert_int_equal(w.said.status, CONTENT_BROKEN);
    assert_string_equal(w.said.why, "content.broken.damaged");
    READ(KIND_DOCX, "PK\3\4nothing");
    assert_int_equal(w.said.status, CONTENT_BROKEN);
    READ(KIND_TEXT, "fine\n");
    assert_int_equal(w.said.status, CONTENT_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_that_are_asked_for_have_a_parser),
        cmocka_unit_test(plain_text_is_read_in_any_encoding),
        cmocka_unit_test(only_the_first_pages_are_kept_and_all_text_is_given),
        cmocka_unit_test(a_document_that_is_none_spoils_only_itself),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}
