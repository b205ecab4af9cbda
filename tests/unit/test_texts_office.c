/* What Office, OpenDocument and Outlook files say: text, title, people, flags. */
#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-output-memory.h>
#include <gsf/gsf-utils.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "texts_world.h"

static struct texts_world w;

static int open_world(void **state)
{
    (void)state;
    texts_world_open(&w);
    gsf_init();
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    texts_world_close(&w);
    gsf_shutdown();
    return 0;
}

/* The line that is this text; all zero when there is none. */
static struct content_line look_of(const char *text)
{
    const struct content_line *l = said_line(&w, text);

    assert_non_null(l);
    return l ? *l : (struct content_line){0};
}

/* ---- in a ZIP ----------------------------------------------------------------------------------
 */

static void read_zip(enum kind kind, const struct member *m, size_t n)
{
    struct str s = STR_INIT;

    zip_write(&s, m, n, 1);
    texts_world_read(&w, kind, s.s, s.len);
    assert_int_equal(w.said.status, CONTENT_READ);
    str_clear(&s);
}

#define READ_ZIP(kind, m) read_zip((kind), (m), sizeof(m) / sizeof *(m))
#define CORE                                                                                       \
    {                                                                                              \
        "docProps/core.xml", "<p><title>Ledger</title><creator>Ann Roe</creator></p>", 0, 0        \
    }

static void days_of_a_workbook_are_dates(void **state)
{
    static const struct member xlsx[] = {
        CORE,
        {"xl/styles.xml",
         "<styleSheet><numFmts><numFmt numFmtId=\"170\" formatCode=\"d\\. mmm yyyy\"/>"
         "<numFmt numFmtId=\"171\" formatCode=\"0 &quot;days&quot;\"/></numFmts>"
         "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/>"
         "<xf numFmtId=\"14\"/><xf numFmtId=\"170\"/><xf numFmtId=\"171\"/></cellXfs></styleSheet>",
         0, 0},
        {"xl/worksheets/sheet1.xml",
         "<worksheet><row><c><v>46083</v></c><c s=\"1\"><v>46083</v></c><c s=\"2\"><v>46083.5</v></c>"
         "<c s=\"3\"><v>46083</v></c><c s=\"1\"><v>-1</v></c><c s=\"99\"><v>7</v></c></row></worksheet>",
         0, 0},
    };
    static const struct member mac[] = {
        CORE,
        {"xl/workbook.xml", "<workbook><workbookPr date1904=\"1\"/></workbook>", 0, 0},
        {"xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"14\"/></cellXfs></styleSheet>", 0, 0},
        {"xl/worksheets/sheet1.xml", "<worksheet><row><c s=\"0\"><v>44621</v></c></row></worksheet>", 0, 0},
    };

    (void)state;
    READ_ZIP(KIND_XLSX, xlsx);
    assert_string_equal(str_c(&w.text), "46083 2026-03-02 2026-03-02 12:00 46083 -1 7\n");
    READ_ZIP(KIND_XLSX, mac);
    assert_string_equal(str_c(&w.text), "2026-03-02\n");
}

static void a_workbook_says_its_strings_and_numbers(void **state)
{
    static const struct member xlsx[] = {
        CORE,
        {"xl/sharedStrings.xml", "<sst><si><t>Retainer</t></si></sst>", 0, 0},
        {"xl/worksheets/sheet1.xml",
         "<worksheet><row><c t=\"s\"><v>0</v></c><c><v>1500.25</v></c></row></worksheet>", 0, 0},
        {"xl/vbaProject.bin", "x", 0, 0},
    };

    (void)state;
    READ_ZIP(KIND_XLSM, xlsx);
    assert_string_equal(str_c(&w.text), "Retainer 1500.25\n");
    assert_string_equal(w.said.title, "Ledger");
    assert_string_equal(w.said.author, "Ann Roe");
    assert_int_equal(w.said.pages, 1);
    assert_true(w.said.flags & CONTENT_HAS_MACROS);
}

static void slides_have_titles_and_notes(void **state)
{
    static const struct member pptx[] = {
        CORE,
        {"ppt/slides/slide1.xml",
         "<sld><sp><nvPr><ph type=\"title\"/></nvPr><p><r><t>Mediation</t></r></p></sp></sld>", 0,
         0},
        {"ppt/slides/slide2.xml", "<sld><sp><p><r><t>Damages</t></r></p></sp></sld>", 0, 0},
        {"ppt/notesSlides/notesSlide1.xml", "<notes><sp><p><r><t>aside</t></r></p></sp></notes>", 0,
         0},
    };

    (void)state;
    READ_ZIP(KIND_PPTX, pptx);
    assert_non_null(said_line(&w, "Mediation"));
    assert_int_equal(look_of("Damages").page, 2);
    assert_null(said_line(&w, "aside"));
    assert_non_null(strstr(str_c(&w.text), "aside"));
    assert_int_equal(w.said.pages, 2);
}

#define ODF_META                                                                                   \
    {                                                                                              \
        "meta.xml", "<m><title>Of it</title><initial-creator>Roe</initial-creator></m>", 0, 0      \
    }

static void open_documents_have_headings_rows_and_pages(void **state)
{
    static const struct member odt[] = {
        ODF_META,
        {"content.xml",
         "<d><automatic-styles><style style:name=\"C\" xmlns:style=\"s\"><paragraph-properties "
         "fo:text-align=\"center\" xmlns:fo=\"f\"/></style></automatic-styles><body>"
         "<h>NOTICE</h><p text:style-name=\"C\" xmlns:text=\"t\">of sale</p></body></d>",
         0, 0},
        {"META-INF/documentsignatures.xml", "<x/>", 0, 0},
    };
    static const struct member ods[] = {
        ODF_META,
        {"content.xml",
         "<d><table><table-row><table-cell><p>Rent</p></table-cell><table-cell><p>900</p>"
         "</table-cell></table-row></table></d>",
         0, 0},
    };
    static const struct member odp[] = {
        ODF_META, {"content.xml", "<d><page><p>One</p></page><page><p>Two</p></page></d>", 0, 0}};

    (void)state;
    READ_ZIP(KIND_ODT, odt);
    assert_true(look_of("NOTICE").heading);
    assert_true(look_of("of sale").centred);
    assert_string_equal(w.said.title, "Of it");
    assert_string_equal(w.said.author, "Roe");
    assert_true(w.said.flags & CONTENT_IS_SIGNED);
    READ_ZIP(KIND_ODS, ods);
    assert_string_equal(str_c(&w.text), "Rent 900\n");
    READ_ZIP(KIND_ODP, odp);
    assert_int_equal(look_of("Two").page, 2);
    assert_int_equal(w.said.pages, 2);
}

static void styles_take_over_from_their_parents(void **state)
{
    static const struct member docx[] = {
        {"word/styles.xml",
         "<s><style styleId=\"A\"><jc val=\"center\"/></style><style styleId=\"B\"><basedOn "
         "val=\"A\"/><b/></style><style styleId=\"L\"><basedOn val=\"L\"/></style></s>",
         0, 0},
        {"word/document.xml",
         "<d><p><pStyle val=\"B\"/><r><t>MOTION</t></r></p><p><pStyle val=\"L\"/><r><t>plain</t></r>"
         "</p></d>",
         0, 0},
    };
    static const struct member odt[] = {
        {"styles.xml", "<d><style name=\"A\"><text-properties font-weight=\"bold\"/></style></d>", 0, 0},
        {"content.xml",
         "<d><style name=\"B\" parent-style-name=\"A\"><paragraph-properties text-align=\"center\"/>"
         "</style><p style-name=\"B\">MOTION</p><p>plain</p></d>",
         0, 0},
    };

    (void)state;
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            READ_ZIP(KIND_DOCX, docx);
        else
            READ_ZIP(KIND_ODT, odt);
        assert_true(look_of("MOTION").centred && look_of("MOTION").bold);
        assert_false(look_of("plain").centred || look_of("plain").bold);
    }
}

/* ---- in a compound file ------------------------------------------------------------------------
 */

struct stream {
    const char *name;
    const struct str *data;
};

static void read_ole(enum kind kind, const struct stream *streams, size_t n)
{
    GsfOutput *memory = gsf_output_memory_new();
    GsfOutfile *file = gsf_outfile_msole_new(memory);

    for (size_t i = 0; i < n; i++) {
        GsfOutput *s = gsf_outfile_new_child(file, streams[i].name, FALSE);

        assert_true(gsf_output_write(s, streams[i].data->len, (const guint8 *)streams[i].data->s));
        gsf_output_close(s);
        g_object_unref(s);
    }
    gsf_output_close(GSF_OUTPUT(file));
    texts_world_read(&w, kind, gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(memory)),
                     (size_t)gsf_output_size(memory));
    g_object_unref(file);
    g_object_unref(memory);
}

static void documents_of_word_6_are_one_run_of_letters(void **state)
{
    static const char text[] = "MOTION TO COMPEL\rA\7B\7\7Dated: M\xE4rz\r";
    struct str doc = STR_INIT;
    const struct stream streams[] = {{"WordDocument", &doc}};

    (void)state;
    put16(&doc, 0xA5DC);
    while (doc.len < 0x18)
        put16(&doc, 0);
    put32(&doc, 0x300);
    put32(&doc, (uint32_t)(0x300 + sizeof text - 1));
    while (doc.len < 0x300)
        put16(&doc, 0);
    str_addn(&doc, text, sizeof text - 1);
    read_ole(KIND_DOC, streams, 1);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_string_equal(str_c(&w.text), "MOTION TO COMPEL\nA B\nDated: M\xC3\xA4rz\n");
    str_clear(&doc);
}

static void record(struct str *book, unsigned type, const char *p, size_t n)
{
    put16(book, type);
    put16(book, (unsigned)n);
    str_addn(book, p, n);
}

static void workbooks_of_excel_5_have_their_strings_in_cells(void **state)
{
    struct str book = STR_INIT;
    const struct stream streams[] = {{"Book", &book}};

    (void)state;
    record(&book, 0x809, "\0\5\5\0", 4);
    record(&book, 0x85, "\0\0\0\0\0\0\1A", 8);
    record(&book, 0x204, "\0\0\0\0\0\0\4\0Rent", 12);
    record(&book, 0x204,
           "\0\0\0\0\0\0\xFF\xFF"
           "cut",
           11);
    read_ole(KIND_XLS, streams, 1);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_int_equal(w.said.pages, 1);
    assert_string_equal(str_c(&w.text), "Rent\n");
    str_clear(&book);
}

static void cell(struct str *book, unsigned type, unsigned row, unsigned style, const void *p, size_t n)
{
    put16(book, type);
    put16(book, (unsigned)(6 + n));
    put16(book, row);
    put16(book, 0);
    put16(book, style);
    str_addn(book, p, n);
}

static void workbooks_of_excel_97_have_numbers_and_dates(void **state)
{
    static const double rent = 1500.25, day = 46083;
    static const unsigned char whole[] = {0x0E, 0, 0, 0},    /* 3 */
        hundredths[] = {0x3B, 0x30, 0, 0},                   /* 30.86 */
        of_a_double[] = {0, 0, 0xF0, 0x3F},                  /* 1 */
        no_number[] = {1, 0, 1, 0, 0, 0, 0xFF, 0xFF};        /* "true" */
    struct str book = STR_INIT;
    const struct stream streams[] = {{"Workbook", &book}};

    (void)state;
    record(&book, 0x809, "\0\6\5\0", 4);
    record(&book, 0x41E, "\xAA\0\x04\0\0d/mm", 9);
    record(&book, 0xE0, "\0\0\0\0", 4);
    record(&book, 0xE0, "\0\0\xAA\0", 4);
    record(&book, 0x85, "\0\0\0\0\0\0\1\0A", 9);
    cell(&book, 0x203, 1, 0, &rent, 8);
    cell(&book, 0x27E, 1, 0, whole, 4);
    cell(&book, 0x27E, 1, 0, hundredths, 4);
    cell(&book, 0x27E, 1, 0, of_a_double, 4);
    cell(&book, 0x06, 2, 1, &day, 8);
    cell(&book, 0x06, 2, 1, no_number, 8);
    /* Two in one record, behind which the last column stands; and one that is cut short. */
    record(&book, 0xBD, "\3\0\0\0\0\0\x0E\0\0\0\0\0\x12\0\0\0\1\0", 18);
    record(&book, 0xBD, "\4\0\0\0\0\0\x0E", 7);
    record(&book, 0x203, "\4", 1);
    read_ole(KIND_XLS, streams, 1);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_string_equal(str_c(&w.text), "1500.25 3 30.86 1\n2026-03-02\n3 4\n");
    str_clear(&book);
}

static void a_message_of_outlook_tells_its_head(void **state)
{
    struct str subject = STR_INIT, from = STR_INIT, address = STR_INIT, body = STR_INIT;
    const struct stream streams[] = {{"__substg1.0_0037001E", &subject},
                                     {"__substg1.0_0C1A001E", &from},
                                     {"__substg1.0_0C1F001E", &address},
                                     {"__substg1.0_1000001E", &body}};

    (void)state;
    str_add(&subject, "Your letter");
    str_add(&from, "Ann Roe");
    str_add(&address, "ann@roe.example");
    str_add(&body, "Dear Ms. Doe,\r\n");
    read_ole(KIND_MSG, streams, 4);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_string_equal(w.said.subject, "Your letter");
    assert_string_equal(w.said.sender, "Ann Roe <ann@roe.example>");
    assert_non_null(said_line(&w, "Dear Ms. Doe,"));
    str_clear(&subject);
    str_clear(&from);
    str_clear(&address);
    str_clear(&body);
}

static void a_mailbox_says_all_its_mails(void **state)
{
    static const char mbox[] =
        "From a@b Mon Mar  2 10:00:00 2026\nFrom: a@b.example\nSubject: One\n\n"
        "first\n\nFrom a@b Mon Mar  2 11:00:00 2026\nFrom: a@b.example\n"
        "Subject: Two\n\nsecond\n";

    (void)state;
    texts_world_read(&w, KIND_MBOX, mbox, sizeof mbox - 1);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_non_null(strstr(str_c(&w.text), "first"));
    assert_non_null(strstr(str_c(&w.text), "second"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_workbook_says_its_strings_and_numbers),
        cmocka_unit_test(days_of_a_workbook_are_dates),
        cmocka_unit_test(slides_have_titles_and_notes),
        cmocka_unit_test(open_documents_have_headings_rows_and_pages),
        cmocka_unit_test(styles_take_over_from_their_parents),
        cmocka_unit_test(documents_of_word_6_are_one_run_of_letters),
        cmocka_unit_test(workbooks_of_excel_5_have_their_strings_in_cells),
        cmocka_unit_test(workbooks_of_excel_97_have_numbers_and_dates),
        cmocka_unit_test(a_message_of_outlook_tells_its_head),
        cmocka_unit_test(a_mailbox_says_all_its_mails),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}
