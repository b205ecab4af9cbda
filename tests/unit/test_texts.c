/* texts: what documents say, through parsers in processes of their own, and what becomes of those. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <iconv.h>
#include <string.h>
#include <sys/resource.h>

#include "examine/kind.h"
#include "texts_world.h"
#include "text/answer.h"
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

/* Reads UTF-8 text in another character set. */
static void read_in(const char *set, const char *text)
{
    iconv_t cd = iconv_open(set, "UTF-8");
    char room[512], *in = (char *)(uintptr_t)text, *out = room;
    size_t n = strlen(text), left = sizeof room;

    assert_int_equal(iconv(cd, &in, &n, &out, &left), 0);
    iconv(cd, NULL, NULL, &out, &left);
    iconv_close(cd);
    texts_world_read(&w, KIND_TEXT, room, sizeof room - left);
    assert_string_equal(str_c(&w.text), text);
}

static void plain_text_is_known_by_its_language(void **state)
{
    static const char russian[] = "\u0414\u043e\u0433\u043e\u0432\u043e\u0440 \u043e "
                                  "\u0440\u0430\u0437\u0434\u0435\u043b\u0435 \u0438\u043c\u0443\u0449\u0435"
                                  "\u0441\u0442\u0432\u0430 \u0441\u0443\u043f\u0440\u0443\u0433\u043e\u0432.\n";
    static const char japanese[] = "\u5951\u7d04\u66f8\u306b\u3064\u3044\u3066\u3001\u5c71\u7530\u306f"
                                   "\u5408\u610f\u3057\u305f\u3002\n";

    (void)state;
    read_in("SHIFT_JIS", japanese);
    read_in("EUC-JP", japanese);
    read_in("ISO-2022-JP", japanese);
    read_in("GBK", "\u5408\u540c\u4e66 \u7532\u65b9\u5e94\u5f53\u5728\u6536\u5230\u8d27\u7269\u540e\u652f\u4ed8\u3002\n");
    read_in("WINDOWS-1251", russian);
    read_in("KOI8-R", russian);
    read_in("WINDOWS-1250", "Umowa najmu zosta\u0142a zawarta mi\u0119dzy stronami. Najemca zobowi\u0105zuje "
                            "si\u0119 p\u0142aci\u0107 czynsz.\n");
    /* What offices here write stays as it is. */
    read_in("WINDOWS-1252", "It\u2019s the client\u2019s position that counsel\u2019s \u201cdemand\u201d "
                            "wasn\u2019t made.\n");
    read_in("WINDOWS-1252", "M\u00fcller ./. Sch\u00e4fer\n");
    read_in("WINDOWS-1252", "Le pr\u00e9sent contrat est conclu \u00e0 Gen\u00e8ve. L\u2019\u00e9t\u00e9 dernier.\n");
    read_in("WINDOWS-1252", "Pi\u00f9 tardi invieremo la documentazione.\n");
    read_in("WINDOWS-1252", "La responsabilit\u00e0 \u00e8 del venditore.\n");
    read_in("WINDOWS-1252", "At 25\u00b0 C the na\u00efve view of Mr. Pe\u00f1a fails.\n");
    read_in("WINDOWS-1252", "Se\u00f1or Pe\u00f1a compareci\u00f3 el d\u00eda 3.\n");
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
    str_clear(&s);
}

static void what_is_over_is_left_out(void **state)
{
    struct str s = STR_INIT;

    (void)state;
    for (size_t i = 0; i < TEXT_MAX / 8 + 10; i++)
        str_add(&s, "abcdefg\n");
    texts_world_read(&w, KIND_TEXT, s.s, s.len);
    str_clear(&s);
    assert_int_equal(w.said.status, CONTENT_PART);
#ifndef __OPTIMIZE__ /* its time may be over first */
    skip();
#endif
    assert_string_equal(w.said.why, "content.part.size");
    assert_true(w.text.len <= TEXT_MAX && w.text.len > TEXT_MAX - 100);
}

static void a_line_without_end_is_read_to_its_end(void **state)
{
    struct str s = STR_INIT;

    (void)state;
    for (size_t i = 0; i < 200000; i++)
        str_add(&s, "word ");
    str_add(&s, "albatross\n");
    texts_world_read(&w, KIND_TEXT, s.s, s.len);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_int_equal(w.text.len, s.len);
    assert_non_null(strstr(str_c(&w.text), " albatross\n"));
    assert_null(strstr(str_c(&w.text), "wordword"));
    /* Not even a gap between words. */
    str_reset(&s);
    for (size_t i = 0; i < 100000; i++)
        str_add(&s, "abcdefgh");
    str_add(&s, "zebra\n");
    texts_world_read(&w, KIND_TEXT, s.s, s.len);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_non_null(strstr(str_c(&w.text), "zebra\n"));
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

/* How the line looks; it must be there. */
static struct content_line look_of(const char *text)
{
    const struct content_line *l = said_line(&w, text);

    if (!l)
        fail_msg("no line \"%s\"", text);
    return l ? *l : (struct content_line){0};
}

static void rich_text_has_its_look(void **state)
{
    struct content_line l;

    (void)state;
    READ(KIND_RTF, "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}"
                   "{\\info{\\title Of the file}{\\author Roe}}\\pard\\qc\\b\\fs32 MOTION\\b0\\par\n"
                   "\\pard\\fs24 M\\'fcller \\u8364?5 {\\*\\unknown gone}stays and more of it\\par}");
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_string_equal(w.said.title, "Of the file");
    assert_string_equal(w.said.author, "Roe");
    l = look_of("MOTION");
    assert_true(l.centred && l.bold);
    assert_int_equal(l.percent, 133);
    l = look_of("M\xC3\xBCller \xE2\x82\xAC" "5 stays and more of it");
    assert_false(l.centred || l.bold);
}

static void web_pages_have_titles_and_headings(void **state)
{
    (void)state;
    READ(KIND_HTML, "<html><head><title>Page</title><style>p{}</style><script>var x;</script></head>"
                    "<body><h1>Notice</h1><p>of <b>sale</b><p align=center>Centre</body>");
    assert_string_equal(w.said.title, "Page");
    assert_string_equal(str_c(&w.text), "Notice\nof sale\nCentre\n");
    assert_true(look_of("Notice").heading);
    assert_true(look_of("Centre").centred);
    READ(KIND_HTML, "<meta charset=iso-8859-2><p>\xB1");
    assert_string_equal(str_c(&w.text), "\xC4\x85\n");
}

static void a_mail_tells_its_head(void **state)
{
    (void)state;
    READ(KIND_EML, "From: =?utf-8?q?M=C3=BCller?= <m@x.example>\r\nTo: a@b.example, Team: c@d.example;\r\n"
                   "Cc: e@f.example\r\nSubject: Re: =?iso-8859-1?q?K=FCndigung?=\r\n"
                   "Date: Mon, 2 Mar 2026 23:30:00 -0500\r\nMessage-ID: <1@x>\r\n"
                   "In-Reply-To: <0@x>\r\nReferences: <00@x> <0@x>\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                   "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Dear <b>Ms</b> Roe\r\n--b\r\n"
                   "Content-Type: application/pdf; name=\"x.pdf\"\r\n"
                   "Content-Disposition: attachment\r\n\r\nx\r\n--b--\r\n");
    assert_string_equal(w.said.sender, "M\xC3\xBCller <m@x.example>");
    assert_string_equal(w.said.subject, "Re: K\xC3\xBCndigung");
    assert_string_equal(w.said.message_id, "1@x");
    assert_string_equal(w.said.thread[0], "0@x");
    assert_string_equal(w.said.recipients[0], "a@b.example");
    assert_string_equal(w.said.recipients[1], "c@d.example");
    assert_string_equal(w.said.recipients[2], "e@f.example");
    assert_string_equal(w.said.attachments[0], "x.pdf");
    assert_null(w.said.attachments[1]);
    assert_int_equal(w.said.mail_date.day, 2);
    assert_string_equal(str_c(&w.text), "Dear Ms Roe\nx.pdf\n");
}

/* OpenPGP as it was before there was MIME for it (RFC 4880, 6.2 and 7). */
static void a_mail_without_a_body_tells_its_head(void **state)
{
    (void)state;
    READ(KIND_EML, "From: a@b.example\nSubject: x\nContent-Type: text/html\n\n");
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_string_equal(w.said.subject, "x");
}

static void sealed_text_within_a_mail_is_known(void **state)
{
    (void)state;
    READ(KIND_EML, "From: a@b.example\nSubject: x\n\n-----BEGIN PGP MESSAGE-----\n\nwcBM\n"
                   "-----END PGP MESSAGE-----\n");
    assert_true(w.said.flags & CONTENT_IS_ENCRYPTED);
    assert_int_equal(w.said.status, CONTENT_LOCKED);
    assert_int_equal(w.text.len, 0);
    READ(KIND_EML, "From: a@b.example\nSubject: x\n\nDear Ms. Roe\n-----BEGIN PGP MESSAGE-----\nwcBM\n"
                   "-----END PGP MESSAGE-----\nAnn\n");
    assert_true(w.said.flags & CONTENT_IS_ENCRYPTED);
    assert_string_equal(str_c(&w.text), "Dear Ms. Roe\nAnn\n");
    READ(KIND_EML, "From: a@b.example\nSubject: x\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
                   "Dear Ms. Roe\n-----BEGIN PGP SIGNATURE-----\n\nwcBM\n-----END PGP SIGNATURE-----\n");
    assert_true(w.said.flags & CONTENT_IS_SIGNED);
    assert_non_null(said_line(&w, "Dear Ms. Roe"));
    READ(KIND_EML, "From: a@b.example\nSubject: x\n\n> -----BEGIN PGP MESSAGE-----\nwas not readable\n");
    assert_false(w.said.flags & CONTENT_IS_ENCRYPTED);
}

static void text_behind_a_nul_is_read(void **state)
{
    (void)state;
    READ(KIND_EML, "From: a@b.example\nSubject: x\nContent-Transfer-Encoding: quoted-printable\n\n"
                   "before=00behind it\nand more\n");
    assert_non_null(said_line(&w, "before behind it"));
    assert_non_null(said_line(&w, "and more"));
}

/* A PDF whose title is these bytes, in hexadecimal. */
static void read_titled(const char *title)
{
    AUTO_FREE char *pdf = xasprintf(
        "%%PDF-2.0\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
        "5 0 obj<</Title<%s>>>endobj\ntrailer<</Root 1 0 R/Info 5 0 R/Size 6>>\n", title);

    texts_world_read(&w, KIND_PDF, pdf, strlen(pdf));
    assert_int_equal(w.said.status, CONTENT_READ);
}

static void properties_of_pdf_are_read_in_each_of_its_encodings(void **state)
{
    (void)state;
    read_titled("80 20 e9");
    assert_string_equal(w.said.title, "• é");
    read_titled("FEFF 4E2D 0020 00E9");
    assert_string_equal(w.said.title, "中 é");
    read_titled("EFBBBF 41 20 E28093 20 C3A9 E282AC"); /* since PDF 2.0 */
    assert_string_equal(w.said.title, "A – é€");
}

static void a_signed_pdf_is_known(void **state)
{
    static const char pdf[] =
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[4 0 R]>>>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[4 0 R]>>endobj\n"
        "4 0 obj<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 0 0]/V 5 0 R>>endobj\n"
        "5 0 obj<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/ByteRange[0 1 2 3]"
        "/Contents<3080>/M(D:20260302101112Z)>>endobj\ntrailer<</Root 1 0 R/Size 6>>\n";

    (void)state;
    READ(KIND_PDF, pdf);
    assert_int_equal(w.said.status, CONTENT_READ);
    assert_true(w.said.flags & CONTENT_IS_SIGNED);
}

static void a_picture_tells_when_it_was_taken(void **state)
{
    struct str s = STR_INIT;

    (void)state;
    /* TIFF with an Exif directory at 26, its date at 44. */
    str_addn(&s, "II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0", 26);
    str_addn(&s, "\x01\0\x03\x90\x02\0\x14\0\0\0\x2c\0\0\0\0\0\0\0", 18);
    str_add(&s, "2026:03:02 10:11:12");
    texts_world_read(&w, KIND_TIFF, s.s, s.len);
    assert_int_equal(w.said.taken_date.year, 2026);
    assert_int_equal(w.said.taken_date.month, 3);
    assert_int_equal(w.said.taken_date.day, 2);
    assert_true(w.said.flags & CONTENT_IS_SCAN);
    str_clear(&s);
}

/* Each parser gets what is none of its own: bytes of all sorts. */
static void any_bytes_are_answered_by_any_parser(void **state)
{
    static const char *const starts[] = {"", "%PDF-1.7\n", "PK\3\4", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
                                         "{\\rtf1", "\xFF\xD8\xFF\xE1", "From: a\n\n", "II*"};
    char noise[3000];
    uint32_t seed = 1;

    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (!texts_knows((enum kind)k))
            continue;
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            for (size_t n = 0; n < sizeof noise; n++)
                noise[n] = (char)((seed = seed * 1103515245 + 12345) >> 16 & (i & 1 ? 0x7F : 0xFF));
            memcpy(noise, starts[i], strlen(starts[i]));
            texts_world_read(&w, (enum kind)k, noise, i ? sizeof noise : 0);
            if (w.said.why && strcmp(w.said.why, "content.broken.died") == 0)
                fail_msg("the parser of %s died of start %zu", kind_info((enum kind)k)->name, i);
        }
    }
}

static void what_is_no_answer_is_refused(void **state)
{
    struct content c = {.status = CONTENT_READ}, got;
    struct content_line line = {.page = 1};
    struct str s = STR_INIT;

    (void)state;
    line.text = xstrdup("text");
    content_add_line(&c, &line);
    content_set(&c.subject, "subject");
    content_add(&c.recipients, "a@b");
    c.mail_date = (struct date){2026, 3, 2};
    answer_write(&s, &c);
    assert_int_equal(answer_read(&got, s.s, s.len), 0);
    assert_string_equal(got.subject, "subject");
    assert_int_equal(got.mail_date.year, 2026);
    content_clear(&got);
    /* Cut anywhere but between two parts, or with any byte changed, it is refused or still plain. */
    for (size_t n = 0; n < s.len; n++) {
        (void)answer_read(&got, s.s, n);
        content_clear(&got);
    }
    for (size_t n = 0; n < s.len; n++)
        for (unsigned v = 0; v < 256; v += 15) {
            char was = s.s[n];

            s.s[n] = (char)v;
            (void)answer_read(&got, s.s, s.len);
            content_clear(&got);
            s.s[n] = was;
        }
    memcpy(strstr(s.s + s.len - 3, "a@b"), "a\nb", 3);
    assert_int_equal(answer_read(&got, s.s, s.len), -1);
    content_clear(&got);
    content_clear(&c);
    str_clear(&s);
}

/* What parsers share is for none of them to write, not even when it has changed its map. Of the kernel's
 * flags: "mw" is what may be made writable. */
static void parsers_share_nothing_that_they_can_write(void **state)
{
    AUTO_FREE char *path = NULL;
    char line[512];
    bool is_shared = false;
    unsigned seen = 0;
    int pid = 0;
    FILE *f;

    (void)state;
    READ(KIND_TEXT, "Dear Ms. Roe\n");
    path = xasprintf("/proc/self/task/%d/children", (int)getpid());
    f = fopen(path, "re");
    assert_true(f && fscanf(f, "%d", &pid) == 1);
    fclose(f);
    free(path);
    path = xasprintf("/proc/%d/smaps", pid);
    f = fopen(path, "re");
    if (!f || access("/usr/share/poppler/cMap", R_OK) < 0) {
        print_message("skipped: this wants root and poppler-data\n");
        skip();
    }
    while (fgets(line, sizeof line, f)) {
        if (strchr(line, '-') && strchr(line, '-') < strchr(line, ' '))
            is_shared = strstr(line, "memfd:poppler-data") != NULL;
        if (!is_shared || strncmp(line, "VmFlags:", 8) != 0)
            continue;
        seen++;
        if (strstr(line, " mw") || strstr(line, " wr"))
            fail_msg("%s", line);
    }
    fclose(f);
    assert_int_equal(seen, 1);
}

static void without_the_program_documents_come_back_unread(void **state)
{
    struct texts_world none = {0};

    (void)state;
    assert_int_equal(uv_loop_init(&none.loop), 0);
    none.t = texts_new(&none.loop, &(struct texts_options){.exe = "/no/such/program", .parsers = 1});
    texts_world_read(&none, KIND_TEXT, "x", 1);
    assert_int_equal(none.said.status, CONTENT_NONE);
    assert_string_equal(none.said.why, "content.no-reader");
    texts_world_close(&none);
}

/* There are no descriptors to be had for longer than is waited; then there are. */
static void without_room_documents_come_back_unread(void **state)
{
    struct rlimit was, none;
    int fd;

    (void)state;
    texts_world_read(&w, KIND_TEXT, "one", 3); /* the parser runs */
    fd = document_open("two", 3);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    none.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    texts_world_read_fd(&w, fd, KIND_TEXT);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(w.said.status, CONTENT_NONE);
    assert_string_equal(w.said.why, "content.no-reader");
    texts_world_read(&w, KIND_TEXT, "three", 5);
    assert_int_equal(w.said.status, CONTENT_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_that_are_asked_for_have_a_parser),
        cmocka_unit_test(plain_text_is_read_in_any_encoding),
        cmocka_unit_test(plain_text_is_known_by_its_language),
        cmocka_unit_test(only_the_first_pages_are_kept_and_all_text_is_given),
        cmocka_unit_test(what_is_over_is_left_out),
        cmocka_unit_test(a_line_without_end_is_read_to_its_end),
        cmocka_unit_test(a_document_that_is_none_spoils_only_itself),
        cmocka_unit_test(rich_text_has_its_look),
        cmocka_unit_test(web_pages_have_titles_and_headings),
        cmocka_unit_test(a_mail_tells_its_head),
        cmocka_unit_test(a_mail_without_a_body_tells_its_head),
        cmocka_unit_test(sealed_text_within_a_mail_is_known),
        cmocka_unit_test(text_behind_a_nul_is_read),
        cmocka_unit_test(properties_of_pdf_are_read_in_each_of_its_encodings),
        cmocka_unit_test(a_signed_pdf_is_known),
        cmocka_unit_test(a_picture_tells_when_it_was_taken),
        cmocka_unit_test(any_bytes_are_answered_by_any_parser),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(parsers_share_nothing_that_they_can_write),
        cmocka_unit_test(without_the_program_documents_come_back_unread),
        cmocka_unit_test(without_room_documents_come_back_unread),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}
