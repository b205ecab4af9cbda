/* kind: names, MIME types, extensions, and the verdict of content and name together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "examine/kind.h"

static void every_kind_is_described(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        const struct kind_info *i = kind_info((enum kind)k);

        assert_non_null(i->name);
        assert_true(*i->name && *i->mime && *i->plain);
        assert_int_equal(kind_parse(i->name), k);
        if (*i->ext)
            assert_true(kind_has_ext((enum kind)k, i->ext));
    }
}

static void names_are_unique(void **state)
{
    (void)state;
    for (unsigned a = 0; a < KIND_COUNT; a++)
        for (unsigned b = a + 1; b < KIND_COUNT; b++)
            assert_string_not_equal(kind_info((enum kind)a)->name, kind_info((enum kind)b)->name);
}

static void out_of_range_is_unknown(void **state)
{
    (void)state;
    assert_ptr_equal(kind_info(KIND_COUNT), kind_info(KIND_UNKNOWN));
    assert_ptr_equal(kind_info((enum kind)12345678), kind_info(KIND_UNKNOWN));
    assert_int_equal(kind_verdict((enum kind)12345678, "pdf"), VERDICT_AGREES);
}

static void unknown_names_parse_as_unknown(void **state)
{
    (void)state;
    assert_int_equal(kind_parse("nonesuch"), KIND_UNKNOWN);
    assert_int_equal(kind_parse(""), KIND_UNKNOWN);
    assert_int_equal(kind_parse("PDF"), KIND_UNKNOWN);
}

static void mime_types_of_libmagic_are_understood(void **state)
{
    (void)state;
    assert_int_equal(kind_of_mime("application/pdf"), KIND_PDF);
    assert_int_equal(kind_of_mime("application/x-msaccess"), KIND_MDB);
    assert_int_equal(kind_of_mime("application/vnd.ms-office"), KIND_OLE);
    assert_int_equal(kind_of_mime("audio/AMR"), KIND_AMR);
    assert_int_equal(kind_of_mime("image/svg+xml"), KIND_SVG);
    assert_int_equal(kind_of_mime("text/x-c"), KIND_TEXT);
    assert_int_equal(kind_of_mime("text/x-perl"), KIND_SCRIPT);
    assert_int_equal(kind_of_mime("application/octet-stream"), KIND_DATA);
    assert_int_equal(kind_of_mime("application/x-nonesuch"), KIND_DATA);
    assert_int_equal(kind_of_mime("inode/x-empty"), KIND_EMPTY);
}

static void extensions_match_whole_and_in_any_case(void **state)
{
    (void)state;
    assert_true(kind_has_ext(KIND_JPEG, "JPG"));
    assert_true(kind_has_ext(KIND_JPEG, "jpeg"));
    assert_false(kind_has_ext(KIND_JPEG, "jp"));
    assert_false(kind_has_ext(KIND_JPEG, ""));
    assert_false(kind_has_ext(KIND_JPEG, "jpg jpeg"));
}

static void verdicts(void **state)
{
    static const struct {
        enum kind kind;
        const char *ext;
        enum verdict verdict;
    } rows[] = {
        {KIND_PDF, "pdf", VERDICT_AGREES},        {KIND_PDF, "PDF", VERDICT_AGREES},
        {KIND_PDF, "", VERDICT_NO_EXTENSION},     {KIND_PDF, NULL, VERDICT_NO_EXTENSION},
        {KIND_PDF, "docx", VERDICT_CONTRADICTS},  {KIND_DOCX, "pdf", VERDICT_CONTRADICTS},
        {KIND_DOCX, "docm", VERDICT_CONTRADICTS}, {KIND_DOCM, "docx", VERDICT_CONTRADICTS},
        {KIND_XLSB, "xlsx", VERDICT_CONTRADICTS}, {KIND_ZIP, "docx", VERDICT_AGREES},
        {KIND_ZIP, "pdf", VERDICT_CONTRADICTS},   {KIND_OLE, "doc", VERDICT_AGREES},
        {KIND_OLE, "msg", VERDICT_AGREES},        {KIND_OLE, "docx", VERDICT_AGREES},
        {KIND_DOC, "docx", VERDICT_CONTRADICTS},  {KIND_RTF, "doc", VERDICT_AGREES},
        {KIND_HTML, "doc", VERDICT_AGREES},       {KIND_MHT, "doc", VERDICT_AGREES},
        {KIND_WPD, "doc", VERDICT_AGREES},        {KIND_HTML, "xls", VERDICT_AGREES},
        {KIND_CSV, "xls", VERDICT_AGREES},        {KIND_XML, "xls", VERDICT_AGREES},
        {KIND_TEXT, "xls", VERDICT_AGREES},       {KIND_TEXT, "csv", VERDICT_AGREES},
        {KIND_TEXT, "md", VERDICT_AGREES},        {KIND_TEXT, "log", VERDICT_AGREES},
        {KIND_TEXT, "html", VERDICT_AGREES},      {KIND_TEXT, "eml", VERDICT_AGREES},
        {KIND_TEXT, "pdf", VERDICT_CONTRADICTS},  {KIND_TEXT, "docx", VERDICT_CONTRADICTS},
        {KIND_TEXT, "jpg", VERDICT_CONTRADICTS},  {KIND_CSV, "txt", VERDICT_AGREES},
        {KIND_HTML, "htm", VERDICT_AGREES},       {KIND_HTML, "txt", VERDICT_AGREES},
        {KIND_HTML, "pdf", VERDICT_CONTRADICTS},  {KIND_XML, "xhtml", VERDICT_AGREES},
        {KIND_EML, "p7m", VERDICT_AGREES},        {KIND_EML, "p7s", VERDICT_AGREES},
        {KIND_EML, "txt", VERDICT_AGREES},        {KIND_EML, "pdf", VERDICT_CONTRADICTS},
        {KIND_P7M, "eml", VERDICT_AGREES},        {KIND_JPEG, "jpeg", VERDICT_AGREES},
        {KIND_PNG, "jpg", VERDICT_CONTRADICTS},   {KIND_MP4, "mov", VERDICT_AGREES},
        {KIND_MP4, "m4a", VERDICT_AGREES},        {KIND_PDF, "smith", VERDICT_AGREES},
        {KIND_PDF, "2024", VERDICT_AGREES},       {KIND_EMPTY, "docx", VERDICT_AGREES},
        {KIND_EMPTY, NULL, VERDICT_UNKNOWN},      {KIND_UNKNOWN, "pdf", VERDICT_AGREES},
        {KIND_UNKNOWN, "zzz", VERDICT_UNKNOWN},   {KIND_DATA, "zzz", VERDICT_UNKNOWN},
        {KIND_DATA, NULL, VERDICT_UNKNOWN},       {KIND_DATA, "pdf", VERDICT_CONTRADICTS},
        {KIND_DATA, "txt", VERDICT_CONTRADICTS},  {KIND_DATA, "mp3", VERDICT_AGREES},
        {KIND_DATA, "wpd", VERDICT_AGREES},       {KIND_EXE, "exe", VERDICT_PROGRAM},
        {KIND_EXE, "pdf", VERDICT_PROGRAM},       {KIND_EXE, NULL, VERDICT_PROGRAM},
        {KIND_SCRIPT, "txt", VERDICT_PROGRAM},    {KIND_TEXT, "js", VERDICT_PROGRAM},
        {KIND_TEXT, "VBS", VERDICT_PROGRAM},      {KIND_TEXT, "py", VERDICT_PROGRAM},
        {KIND_PDF, "exe", VERDICT_PROGRAM},       {KIND_EMPTY, "bat", VERDICT_PROGRAM},
        {KIND_UNKNOWN, "scr", VERDICT_PROGRAM},   {KIND_LNK, "pdf", VERDICT_PROGRAM},
        {KIND_HTML, "hta", VERDICT_PROGRAM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum verdict v = kind_verdict(rows[i].kind, rows[i].ext);

        if (v != rows[i].verdict)
            fail_msg("%s under .%s: %d, not %d", kind_info(rows[i].kind)->name,
                     rows[i].ext ? rows[i].ext : "", v, rows[i].verdict);
    }
}

/* A kind's own extension never contradicts it. */
static void own_extensions_agree(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        const struct kind_info *i = kind_info((enum kind)k);
        enum verdict want = i->flags & KIND_IS_PROGRAM ? VERDICT_PROGRAM : VERDICT_AGREES;

        if (*i->ext && kind_verdict((enum kind)k, i->ext) != want)
            fail_msg("%s under .%s", i->name, i->ext);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_described),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(out_of_range_is_unknown),
        cmocka_unit_test(unknown_names_parse_as_unknown),
        cmocka_unit_test(mime_types_of_libmagic_are_understood),
        cmocka_unit_test(extensions_match_whole_and_in_any_case),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(own_extensions_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
