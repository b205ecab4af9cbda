/* sniff: what documents are by their content: real ones where there are samples, small ones made
 * here, damaged ones and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/alloc.h"
#include "documents.h"
#include "examine/classify.h"
#include "examine/inflate.h"
#include "examine/sniff.h"

#define SAMPLES SHARED "/samples"

static enum kind sniff_bytes(const void *p, size_t n)
{
    struct source s;
    int fd = document_open(p, n);

    source_init(&s);
    assert_int_equal(source_open(&s, fd), 0);

    enum kind k = sniff(&s);

    source_clear(&s);
    close(fd);
    return k;
}

static void expect(const void *p, size_t n, enum kind want)
{
    enum kind k = sniff_bytes(p, n);

    if (k != want)
        fail_msg("%s, not %s: %.60s", kind_info(k)->name, kind_info(want)->name, (const char *)p);
}

static void expect_text(const char *text, enum kind want)
{
    expect(text, strlen(text), want);
}

static void expect_zip(const struct member *m, size_t n, enum kind want)
{
    struct str b = STR_INIT;

    zip_write(&b, m, n, 1);
    expect(b.s, b.len, want);
    str_clear(&b);
}

static void signatures(void **state)
{
#define ROW(s, k)                                                                                  \
    {                                                                                              \
        s, sizeof s - 1, KIND_##k                                                                  \
    }
    static const struct {
        const char *s;
        size_t n;
        enum kind kind;
    } rows[] = {
        ROW("%PDF-1.7\n", PDF),
        ROW("\xEF\xBB\xBF%PDF-1.7\n", PDF),
        ROW("\n\n%PDF-1.4\n", PDF),
        ROW("{\\rtf1\\ansi Dear Sir}", RTF),
        ROW("\xFF\xD8\xFF\xE0\0\x10JFIF", JPEG),
        ROW("\x89PNG\r\n\x1A\n", PNG),
        ROW("GIF89a", GIF),
        ROW("II*\0\x08\0\0\0", TIFF),
        ROW("MM\0*\0\0\0\x08", TIFF),
        ROW("RIFF\x24\0\0\0WEBPVP8 ", WEBP),
        ROW("RIFF\x24\0\0\0WAVEfmt ", WAV),
        ROW("RIFF\x24\0\0\0AVI LIST", AVI),
        ROW("\0\0\0\x18"
            "ftypheic\0\0\0\0",
            HEIC),
        ROW("\0\0\0\x18"
            "ftypmif1\0\0\0\0",
            HEIC),
        ROW("\0\0\0\x18"
            "ftypM4A \0\0\0\0",
            M4A),
        ROW("\0\0\0\x18"
            "ftypqt  \0\0\0\0",
            MOV),
        ROW("\0\0\0\x18"
            "ftypisom\0\0\0\0",
            MP4),
        ROW("\0\0\0\x18"
            "ftyp3gp5\0\0\0\0",
            MP4),
        ROW("\0\0\0\x08"
            "wide\0\0\0\0mdat",
            MOV),
        ROW("\x1A\x45\xDF\xA3\x01\0\0\0\0\0\0\x1F", MKV),
        ROW("ID3\x03\0\0\0\0\0\0", MP3),
        ROW("fLaC\0\0\0\x22", FLAC),
        ROW("OggS\0\x02", OGG),
        ROW("#!AMR\n", AMR),
        ROW("\0\0\x01\xBA\x44\0", MPEG),
        ROW("8BPS\0\x01", PSD),
        ROW("AC1015\0\0\0\0\0\0\0\0\0\0", DWG),
        ROW("\xFFWPC\x10\0\0\0\x01\x0A", WPD),
        ROW("%!PS-Adobe-3.0 EPSF", EPS),
        ROW("\x1F\x8B\x08\0\0\0\0\0", GZIP),
        ROW("7z\xBC\xAF\x27\x1C\0\4", SEVENZ),
        ROW("Rar!\x1A\x07\x01\0", RAR),
        ROW("BZh91AY&SY\0\0", BZIP2),
        ROW("\xFD"
            "7zXZ\0\0\4",
            XZ),
        ROW("\x28\xB5\x2F\xFD\x24\0", ZSTD),
        ROW("!BDN\0\0\0\0SM", PST),
        ROW("\0\1\0\0Standard Jet DB\0\1", MDB),
        ROW("\0\1\0\0Standard ACE DB\0\2", ACCDB),
        ROW("SQLite format 3\0\x10\0", SQLITE),
        ROW("\x7F"
            "ELF\2\1\1\0",
            ELF),
        ROW("MZ\x90\0\3\0\0\0\4\0\0\0\xFF\xFF\0\0\xB8\0\0\0\0\0\0\0\x40\0\0\0\0\0", EXE),
        ROW("\xCF\xFA\xED\xFE\7\0\0\1", MACHO),
        ROW("\xCA\xFE\xBA\xBE\0\0\0\2", MACHO),
        ROW("\xCA\xFE\xBA\xBE\0\0\0\x34", JAR),
        ROW("L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0\0\0\0\0\0\0\x46\x9B", LNK),
        ROW("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0", BMP),
        ROW("\0\1\2\3\4\5\6\7", DATA),
        ROW("", EMPTY),
    };
#undef ROW

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(rows[i].s, rows[i].n, rows[i].kind);
}

static void texts(void **state)
{
    static const struct {
        const char *text;
        enum kind kind;
    } rows[] = {
        {"Dear Mr Smith,\n\nplease find enclosed, as agreed, the order.\n", KIND_TEXT},
        {"x", KIND_TEXT},
        {"\n\n\n", KIND_TEXT},
        {"MZ is how the letter of M. Zorn begins, and it goes on like this.\n", KIND_TEXT},
        {"BMW v. Smith, a letter that is longer than a bitmap's header is.\n", KIND_TEXT},
        {"The string %PDF-1.4 starts a PDF.\n", KIND_TEXT},
        {"PK Smith wrote:\nthis\n", KIND_TEXT},
        {"M\xFCller gegen Stra\xDF"
         "er, Landgericht\n",
         KIND_TEXT},
        {"M\xC3\xBCller gegen Stra\xC3\x9F"
         "er\n",
         KIND_TEXT},
        {"\xEF\xBB\xBFWith a byte order mark\n", KIND_TEXT},
        {"name,date,amount\nSmith,2024-01-02,3\nJones,2024-02-03,4\n", KIND_CSV},
        {"name;date\r\n\"Smith; John\";2024\r\na;b\r\nc;d\r\n", KIND_CSV},
        {"one, two\nthree\n", KIND_TEXT},
        {"First, we ask.\nThen, we wait.\n", KIND_TEXT},
        {"{\"client\": \"Smith\", \"open\": [1, 2.5, true, null]}", KIND_JSON},
        {"{\"a\":1}\n{\"a\":2}\n", KIND_JSON},
        {"[]", KIND_JSON},
        {"{}", KIND_JSON},
        {"[1] See Smith v. Jones.\n", KIND_TEXT},
        {"[Draft] Motion to dismiss\n", KIND_TEXT},
        {"{\"a\": }", KIND_TEXT},
        {"{\"a\": 1,}", KIND_TEXT},
        {"{\"a\": [1, 2}", KIND_TEXT},
        {"<!DOCTYPE html>\n<html><body>", KIND_HTML},
        {"<HTML><HEAD>", KIND_HTML},
        {"<!-- saved from url -->\n<html>", KIND_HTML},
        {"<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"x\"><html>", KIND_HTML},
        {"<table border=1><tr><td>x</td></tr></table>", KIND_HTML},
        {"<?xml version=\"1.0\"?>\n<case/>", KIND_XML},
        {"<?xml version=\"1.0\"?><svg xmlns=\"x\"/>", KIND_SVG},
        {"<svg width=\"1\">", KIND_SVG},
        {"<Invoice xmlns=\"urn:x\">", KIND_XML},
        {"<smith@example.com> wrote this.\n", KIND_TEXT},
        {"#!/bin/sh\necho\n", KIND_SCRIPT},
        {"#!/usr/bin/env python3\n", KIND_PYTHON},
        {"#!/usr/bin/env node\n", KIND_JAVASCRIPT},
        {"#! 1 on the list is Smith\n", KIND_TEXT},
        {"# Heading\n\nText in Markdown.\n", KIND_TEXT},
        {"@echo off\r\ndel *.*\r\n", KIND_BATCH},
        {"@ECHO OFF\r\n", KIND_BATCH},
        {"<?php echo 1;", KIND_SCRIPT},
        {"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", KIND_PEM},
        {"-----BEGIN RSA PRIVATE KEY-----\nMII\n", KIND_PEM},
        {"-----BEGIN PGP MESSAGE-----\n\nhQ\n", KIND_PGP},
        {"-----BEGIN PKCS7-----\nMII\n", KIND_P7M},
        {"BEGIN:VCARD\r\nVERSION:3.0\r\n", KIND_VCF},
        {"BEGIN:VCALENDAR\r\n", KIND_ICS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_text(rows[i].text, rows[i].kind);
}

static void mails(void **state)
{
    static const struct {
        const char *text;
        enum kind kind;
    } rows[] = {
        {"From: a@b.c\nTo: d@e.f\nSubject: x\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\nHi\n",
         KIND_EML},
        {"Received: from x\n by y\nFrom: a\n\n", KIND_EML},
        {"Return-Path: <>\r\nSubject: failure\r\n\r\n", KIND_EML},
        {"\n\nFrom: a@b.c\nSubject: x\n\n", KIND_EML},
        {"From  : a@b.c\nTo    : d\n__\n", KIND_EML},
        {"From a@b.c Mon Jan  1 10:00:00 2024\nFrom: a@b.c\nSubject: x\n\nHi\n", KIND_EML},
        {"From: a@b.c\nSubject: x\nthis line is none\nDate: y\n\n", KIND_EML},
        {"From a@b.c Mon Jan  1 10:00:00 2024\nFrom: a@b.c\nSubject: x\n\nHi\n\n"
         "From d@e.f Mon Jan  1 11:00:00 2024\nFrom: d@e.f\nSubject: y\n\nHo\n",
         KIND_MBOX},
        {"From a@b.c Mon Jan  1 10:00:00 2024\nFrom: a@b.c\nSubject: x\n\nHi\n\n"
         "From what I hear they will settle.\n",
         KIND_EML},
        {"From what I hear they will settle.\nBest: regards\n", KIND_TEXT},
        {"MEMORANDUM\n\nTO: John Doe\nFROM: Jane Roe\nDATE: March 2, 2024\nSUBJECT: Lease\n\nx\n",
         KIND_TEXT},
        {"TO: John Doe\nFROM: Jane Roe\nDATE: March 2, 2024\nRE: Lease\n\nText\n", KIND_TEXT},
        {"Subject: Lease\n\nDear Sir\n", KIND_TEXT},
        {"Note: this\nAlso: that\n", KIND_TEXT},
        {"MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=signed-data;\n"
         " name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMII\n",
         KIND_P7M},
        {"MIME-Version: 1.0\nContent-Type: application/x-pkcs7-signature\n\nMII\n", KIND_P7S},
        {"From: a@b.c\nTo: d@e.f\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime\n\nMII\n",
         KIND_EML},
        {"MIME-Version: 1.0\nContent-Type: multipart/signed; "
         "protocol=\"application/pkcs7-signature\"\n\n--x\n",
         KIND_EML},
        {"From: <Saved by Blink>\nSnapshot-Content-Location: https://x\nSubject: t\nMIME-Version: "
         "1.0\n"
         "Content-Type: multipart/related;\n\n",
         KIND_MHT},
        {"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\n", KIND_MHT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_text(rows[i].text, rows[i].kind);
}

static void wide_text(void **state)
{
    static const char html[] = "<html><body>";
    struct str b = STR_INIT;

    (void)state;
    str_addn(&b, "\xFF\xFE", 2);
    for (size_t i = 0; i < sizeof html - 1; i++)
        put16(&b, (unsigned char)html[i]);
    expect(b.s, b.len, KIND_HTML);
    str_reset(&b);
    for (const char *p = "Dear Sir, this has no mark."; *p; p++)
        put16(&b, (unsigned char)*p);
    expect(b.s, b.len, KIND_TEXT);
    str_reset(&b);
    for (const char *p = "Dear Sir, in the other order."; *p; p++)
        put16(&b, (unsigned)(unsigned char)*p << 8);
    expect(b.s, b.len, KIND_TEXT);
    str_reset(&b);
    str_addn(&b, "\xFF\xFE\0\0", 4);
    for (size_t i = 0; i < sizeof html - 1; i++) {
        put16(&b, (unsigned char)html[i]);
        put16(&b, 0);
    }
    expect(b.s, b.len, KIND_HTML);
    str_reset(&b);
    str_addn(&b, "\0\0\xFE\xFF\0\0\0D\0\0\0e\0\0\0a\0\0\0r", 20);
    expect(b.s, b.len, KIND_TEXT);
    str_clear(&b);
}

#define TYPES(t) "<Types><Override ContentType=\"application/" t "\"/></Types>"

static void office_packages(void **state)
{
    static const struct {
        const char *types;
        const char *part;
        enum kind kind;
    } rows[] = {
        {TYPES("vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
         "word/document.xml", KIND_DOCX},
        {TYPES("vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
         "word/vbaProject.bin", KIND_DOCM},
        {TYPES("vnd.ms-word.document.macroEnabled.main+xml"), "word/document.xml", KIND_DOCM},
        {TYPES("vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"),
         "word/document.xml", KIND_DOTX},
        {TYPES("vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"), "xl/workbook.xml",
         KIND_XLSX},
        {TYPES("vnd.ms-excel.sheet.macroEnabled.main+xml"), "xl/workbook.xml", KIND_XLSM},
        {TYPES("vnd.ms-excel.sheet.binary.macroEnabled.main"), "xl/workbook.bin", KIND_XLSB},
        {TYPES("vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"),
         "ppt/presentation.xml", KIND_PPTX},
        {TYPES("vnd.ms-powerpoint.presentation.macroEnabled.main+xml"), "ppt/presentation.xml",
         KIND_PPTM},
        {TYPES("vnd.ms-visio.drawing.main+xml"), "visio/document.xml", KIND_VSDX},
        {TYPES("vnd.ms-package.xps-fixeddocument+xml"), "FixedDocumentSequence.fdseq", KIND_XPS},
        {"", "word/document.xml", KIND_DOCX},
        {"", "xl/workbook.bin", KIND_XLSB},
        {"", "xl/workbook.xml", KIND_XLSX},
        {"", "xl/vbaProject.bin", KIND_ZIP},
        {"", "else.txt", KIND_ZIP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct member m[] = {{"[Content_Types].xml", rows[i].types, 0, 0},
                                   {"_rels/.rels", "<x/>", 0, 0},
                                   {rows[i].part, "<x/>", 0, 0}};

        expect_zip(m, 3, rows[i].kind);
    }
}

static void other_packages(void **state)
{
    static const struct member odt[] = {
        {"mimetype", "application/vnd.oasis.opendocument.text", 0, 0}};
    static const struct member ods[] = {
        {"mimetype", "application/vnd.oasis.opendocument.spreadsheet", 0, 0}};
    static const struct member epub[] = {{"mimetype", "application/epub+zip", 0, 0}};
    static const struct member jar[] = {{"META-INF/MANIFEST.MF", "x", 0, 0},
                                        {"a/B.class", "x", 0, 0}};
    static const struct member apk[] = {{"AndroidManifest.xml", "x", 0, 0},
                                        {"classes.dex", "x", 0, 0}};
    static const struct member pages[] = {{"Index/Document.iwa", "x", 0, 0}};
    static const struct member keynote[] = {{"Index/Document.iwa", "x", 0, 0},
                                            {"Index/Slide-1.iwa", "x", 0, 0}};
    static const struct member plain[] = {{"letter.pdf", "x", 0, 0},
                                          {"sub/word/document.xml", "x", 0, 0}};

    (void)state;
    expect_zip(odt, 1, KIND_ODT);
    expect_zip(ods, 1, KIND_ODS);
    expect_zip(epub, 1, KIND_EPUB);
    expect_zip(jar, 2, KIND_JAR);
    expect_zip(apk, 2, KIND_APK);
    expect_zip(pages, 1, KIND_PAGES);
    expect_zip(keynote, 2, KIND_KEYNOTE);
    expect_zip(plain, 2, KIND_ZIP);
    expect_zip(NULL, 0, KIND_ZIP);
}

/* The main part's name decides nothing when [Content_Types].xml, packed, says "macros". */
static const char packed_types[] =
    "\xc5\x95\xb1\x4e\xc3\x30\x10\x86\x5f\x25\xf2\x8a\x62\xa7\x2d\x14\x8a\x92\x74\xa8"
    "\x58\x81\x81\x17\x38\x9c\x4b\x6a\x11\xfb\x2c\xfb\x28\xf0\xf6\x38\x20\x3a\xb0\x74"
    "\xbc\xd1\xfa\xf5\x7f\xdf\x4d\xbf\xdb\xfd\xa7\x9f\xab\x13\xa6\xec\x28\x74\x6a\xa5"
    "\x1b\xb5\xef\xdb\x97\xaf\x88\xb9\x2a\x49\xc8\x9d\x3a\x32\xc7\x7b\x63\xb2\x3d\xa2"
    "\x87\xac\x29\x62\x28\xc9\x48\xc9\x03\x97\x67\x9a\x4c\x04\xfb\x06\x13\x9a\x75\xd3"
    "\x6c\x8d\xa5\xc0\x18\xb8\xe6\x85\xa1\xfa\xf6\xa9\xc0\x93\x1b\xb0\x7a\x86\xc4\x8f"
    "\xe0\xb1\x53\xe6\x83\xd2\x50\x5a\x89\x1b\x5d\x50\xaa\x3a\xfc\x76\x16\x6d\xa7\x20"
    "\xc6\xd9\x59\xe0\x72\x90\x39\x85\xe1\x9f\xb0\xa6\x71\x74\x16\x07\xb2\xef\xbe\x54"
    "\xf4\x82\x8a\x89\x2c\xe6\xec\xc2\xe4\x67\x3d\x12\x31\xa6\xab\x85\x6b\x2e\xd8\x57"
    "\xa2\xf6\xb5\xa8\x7d\x23\x6a\xbf\x16\xb5\xdf\x88\xda\xb7\xa2\xf6\x5b\x51\xfb\x9d"
    "\xa8\x7d\x27\xbb\x36\xc2\x63\x27\xb7\x76\x67\xc0\xe5\x03\x7c\xae\x97\x8a\x3e\x57"
    "\x3c\xd8\x44\x0f\x01\x5e\x67\x2c\x29\xb8\xf0\x67\x33\x3f\x9f\x54\xff\x0d";

static void packed_content_types(void **state)
{
    const struct member m[] = {{"[Content_Types].xml", packed_types, sizeof packed_types - 1, 8},
                               {"word/document.xml", "<x/>", 0, 0}};

    (void)state;
    expect_zip(m, 2, KIND_DOCM);
}

static void inflates_what_zlib_packs(void **state)
{
    static const uint8_t fixed[] =
        "\xcb\xcd\x2f\xc9\xcc\xcf\x53\xc8\x45\xa1\x4a\xf2\x15\x52\x32\x8b\x73"
        "\x33\x8b\x8b\x01";
    static const uint8_t stored[] = "\x01\x05\x00\xfa\xffhello";
    uint8_t out[2048];

    (void)state;
    assert_int_equal(inflate_some(fixed, sizeof fixed - 1, out, sizeof out), 31);
    assert_memory_equal(out, "motion motion motion to dismiss", 31);
    assert_int_equal(inflate_some(stored, sizeof stored - 1, out, sizeof out), 5);
    assert_memory_equal(out, "hello", 5);
    assert_int_equal(
        inflate_some((const uint8_t *)packed_types, sizeof packed_types - 1, out, sizeof out),
        1729);
    assert_memory_equal(out, "<?xml version", 13);
    assert_memory_equal(out + 1729 - 8, "</Types>", 8);
}

static void inflate_stops_at_its_limit(void **state)
{
    uint8_t out[100];

    (void)state;
    assert_int_equal(
        inflate_some((const uint8_t *)packed_types, sizeof packed_types - 1, out, sizeof out),
        sizeof out);
    assert_int_equal(inflate_some((const uint8_t *)"\x07", 1, out, sizeof out), 0);
    assert_int_equal(inflate_some(NULL, 0, out, sizeof out), 0);
}

/* Every bit of packed data turned over in turn: no answer is wrong, only no crash is right. */
static void inflate_survives_damage(void **state)
{
    uint8_t in[sizeof packed_types - 1], out[4096];

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof in; bit++) {
        memcpy(in, packed_types, sizeof in);
        in[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_true(inflate_some(in, sizeof in, out, sizeof out) <= sizeof out);
    }
}

static void compound_files(void **state)
{
    static const struct {
        const char *names[3];
        enum kind kind;
    } rows[] = {
        {{"WordDocument", "1Table", "Data"}, KIND_DOC},
        {{"1Table", "Data", "WordDocument"}, KIND_DOC},
        {{"Workbook", "a", "b"}, KIND_XLS},
        {{"Book", "a", "b"}, KIND_XLS},
        {{"PowerPoint Document", "a", "b"}, KIND_PPT},
        {{"__nameid_version1.0", "__properties_version1.0", "__recip_version1.0_#00000000"},
         KIND_MSG},
        {{"VisioDocument", "a", "b"}, KIND_VSD},
        {{"EncryptedPackage", "EncryptionInfo", "x"}, KIND_OLE},
        {{"a", "b", "c"}, KIND_OLE},
    };
    struct str b = STR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        str_reset(&b);
        ole_write(&b, rows[i].names, 3);
        expect(b.s, b.len, rows[i].kind);
    }
    str_clear(&b);
}

static void compound_loops_end(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    struct str b = STR_INIT;

    (void)state;
    ole_write(&b, names, 3);
    /* The directory's sector is followed by itself, and every entry by the first. */
    memcpy(b.s + 512 + 4, "\1\0\0\0", 4);
    for (size_t i = 1; i < 4; i++)
        memcpy(b.s + 1024 + 128 * i + 68, "\1\0\0\0\1\0\0\0", 8);
    expect(b.s, b.len, KIND_OLE);
    /* The table of tables is itself. */
    memset(b.s + 76, 0xFF, 436);
    memcpy(b.s + 48, "\0\0\0\1", 4);
    memcpy(b.s + 68, "\0\0\0\0", 4);
    expect(b.s, b.len, KIND_OLE);
    str_clear(&b);
}

static void signed_data(void **state)
{
    /* ContentInfo { signedData, [0] { 1, digests, contentInfo { data [, content] } … */
    static const char detached[] = "\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\xA0\x80"
                                   "\x30\x80\x02\x01\x01\x31\x0B\x30\x09"
                                   "\x06\x05\x2B\x0E\x03\x02\x1A\x05\x00\x30\x0B\x06\x09\x2A\x86"
                                   "\x48\x86\xF7\x0D\x01\x07\x01\xA0\x82"
                                   "\x05\x00\x30\x82";
    static const char opaque[] = "\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\xA0\x80\x30"
                                 "\x80\x02\x01\x01\x31\x0B\x30\x09"
                                 "\x06\x05\x2B\x0E\x03\x02\x1A\x05\x00\x30\x80\x06\x09\x2A\x86\x48"
                                 "\x86\xF7\x0D\x01\x07\x01\xA0\x80"
                                 "\x24\x80\x04\x05";
    static const char enveloped[] =
        "\x30\x82\x01\x00\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03\xA0\x82\x00\xF0\x30\x82";

    (void)state;
    expect(detached, sizeof detached - 1, KIND_P7S);
    expect(opaque, sizeof opaque - 1, KIND_P7M);
    expect(enveloped, sizeof enveloped - 1, KIND_P7M);
}

static void old_archives_and_images(void **state)
{
    char *b = xcalloc(1, 40000);

    (void)state;
    strcpy(b, "letter.txt");
    memcpy(b + 257, "ustar", 5);
    expect(b, 1024, KIND_TAR);
    memset(b, 0, 40000);
    memcpy(b + 32769, "CD001", 5);
    expect(b, 40000, KIND_ISO);
    memset(b, 0, 40000);
    memcpy(b + 40000 - 512, "koly", 4);
    expect(b, 40000, KIND_DMG);
    memset(b, 0, 40000);
    for (size_t i = 0; i < 40000; i += 188)
        b[i] = 'G';
    expect(b, 188 * 200, KIND_MPEG);
    free(b);
}

/* Every prefix of a few documents: as a rule the family stays known, and nothing crashes. */
static void every_truncation_is_survived(void **state)
{
    const struct member m[] = {{"[Content_Types].xml", packed_types, sizeof packed_types - 1, 8},
                               {"word/document.xml", "<x/>", 0, 0},
                               {"word/vbaProject.bin", "x", 0, 0}};
    static const char *const names[] = {"1Table", "WordDocument", "Data", "ObjectPool"};
    static const char mail[] =
        "From a@b.c Mon Jan  1 10:00:00 2024\nReceived: x\n y\nFrom: a@b.c\n"
        "Content-Type: multipart/signed\n\nHi\n\nFrom d@e.f Mon Jan  1 11:00:00 2024\n"
        "From: d@e.f\nSubject: y\n\nHo\n";
    struct str docs[3] = {STR_INIT, STR_INIT, STR_INIT};

    (void)state;
    zip_write(&docs[0], m, 3, 1);
    ole_write(&docs[1], names, 4);
    str_add(&docs[2], mail);
    assert_int_equal(sniff_bytes(docs[0].s, docs[0].len), KIND_DOCM);
    assert_int_equal(sniff_bytes(docs[1].s, docs[1].len), KIND_DOC);
    assert_int_equal(sniff_bytes(docs[2].s, docs[2].len), KIND_MBOX);
    for (size_t d = 0; d < 3; d++) {
        /* A buffer of exactly that size, so that sanitizers see one byte too many. */
        for (size_t n = 0; n < docs[d].len; n++)
            assert_true(sniff_bytes(docs[d].s, n) < KIND_COUNT);
        str_clear(&docs[d]);
    }
}

/* A cut-off upload still shows what it was to be. */
static void zip_without_directory(void **state)
{
    const struct member m[] = {{"[Content_Types].xml", packed_types, sizeof packed_types - 1, 8},
                               {"word/document.xml", "<x/>", 0, 0}};
    struct str b = STR_INIT;

    (void)state;
    zip_write(&b, m, 2, 0);
    expect(b.s, b.len, KIND_DOCM);
    str_clear(&b);
}

/* A directory of 64 k entries, and one that claims to be larger than the file. */
static void zip_directories_are_bounded(void **state)
{
    size_t n = 65535;
    struct member *m = xcalloc(n, sizeof *m);
    char(*names)[16] = xcalloc(n, sizeof *names);
    struct str b = STR_INIT;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        m[i].name = names[i];
    }
    zip_write(&b, m, n, 1);
    expect(b.s, b.len, KIND_ZIP);
    memcpy(b.s + b.len - 10, "\xF0\xFF\xFF\xFF\xF0\xFF\xFF\xFF", 8);
    expect(b.s, b.len, KIND_ZIP);
    memcpy(b.s + b.len - 10, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    expect(b.s, b.len, KIND_ZIP);
    str_clear(&b);
    free(names);
    free(m);
}

/* JSON nested a million deep, a mail of one endless header, a document of one long line. */
static void long_inputs_are_bounded(void **state)
{
    size_t n = (size_t)1 << 20;
    char *b = xmalloc(n);

    (void)state;
    memset(b, '[', n);
    assert_int_equal(sniff_bytes(b, n), KIND_TEXT);
    memset(b, 'a', n);
    assert_int_equal(sniff_bytes(b, n), KIND_TEXT);
    memcpy(b, "Subject: ", 9);
    assert_int_equal(sniff_bytes(b, n), KIND_TEXT);
    memset(b, '\n', n);
    assert_int_equal(sniff_bytes(b, n), KIND_TEXT);
    memset(b, ',', n);
    assert_true(sniff_bytes(b, n) < KIND_COUNT);
    memset(b, '<', n);
    assert_int_equal(sniff_bytes(b, n), KIND_TEXT);
    for (size_t i = 0; i + 6 < n; i += 6)
        memcpy(b + i, "From: ", 6);
    assert_true(sniff_bytes(b, n) < KIND_COUNT);
    free(b);
}

static void reading_never_moves_the_offset(void **state)
{
    struct source s;
    int fd = document_open("%PDF-1.4 and so on", 18);

    (void)state;
    lseek(fd, 5, SEEK_SET);
    source_init(&s);
    assert_int_equal(source_open(&s, fd), 0);
    assert_int_equal(sniff(&s), KIND_PDF);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
    source_clear(&s);
    close(fd);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    struct classifier *c = classifier_new(NULL);
    int ends[2], error;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(classify(c, ends[0], &error), KIND_UNKNOWN);
    assert_int_equal(error, ESPIPE);
    assert_int_equal(classify(c, -1, &error), KIND_UNKNOWN);
    assert_int_equal(error, EBADF);
    classifier_free(c);
    close(ends[0]);
    close(ends[1]);
}

static enum kind classify_bytes(struct classifier *c, const void *p, size_t n)
{
    int fd = document_open(p, n), error;
    enum kind k = classify(c, fd, &error);

    assert_int_equal(error, 0);
    close(fd);
    return k;
}

static void own_magic_comes_after_sniffing(void **state)
{
    struct classifier *c = classifier_new("rules/documents.magic");
    char pdf[256] = {0, 9, 'x'};

    (void)state;
    if (!classifier_has_own(c)) {
        classifier_free(c);
        print_message("skipped: rules/documents.magic is not here\n");
        skip();
    }
    assert_int_equal(classify_bytes(c, "\xdb\xa5\x2d\0\0\0\0\0\0\0\0\0", 12), KIND_DOC);
    assert_int_equal(classify_bytes(c, "\x31\xbe\0\0\0\xab\0\0\0\0\0\0", 12), KIND_DOC);
    assert_int_equal(classify_bytes(c, "\xfe\x37\0\x23\0\0\0\0\0\0\0\0", 12), KIND_DOC);
    assert_int_equal(classify_bytes(c, "\x09\x04\x06\0\0\0\x10\0\0\0\0\0", 12), KIND_XLS);
    assert_int_equal(classify_bytes(c, "\x09\x02\x06\0\0\0\x10\0\0\0\0\0", 12), KIND_XLS);
    assert_int_equal(classify_bytes(c, "\0\1\0\0Jet System DB \0", 20), KIND_MDB);
    assert_int_equal(classify_bytes(c, "RIFF\0\0\0\0CDXAfmt \0\0", 18), KIND_MPEG);
    assert_int_equal(classify_bytes(c, "\x85\x01\x0c\x03\1\2\3\4\5\6\7", 11), KIND_PGP);
    memcpy(pdf + 128, "%PDF-1.4", 8);
    assert_int_equal(classify_bytes(c, pdf, sizeof pdf), KIND_PDF);
    assert_int_equal(classify_bytes(c, "Dear Sir", 8), KIND_TEXT);
    assert_int_equal(classify_bytes(c, "\0\1\2\3\4\5\6\7\x0e\x0f", 10), KIND_DATA);
    classifier_free(c);
}

static void bad_magic_file_is_done_without(void **state)
{
    struct classifier *c = classifier_new("/nonexistent/documents.magic");

    (void)state;
    assert_false(classifier_has_own(c));
    assert_int_equal(classify_bytes(c, "%PDF-1.7", 8), KIND_PDF);
    classifier_free(c);
}

static enum kind sniff_file(const char *path)
{
    struct classifier *c = classifier_new(NULL);
    int fd = open(path, O_RDONLY), error;
    enum kind k = classify(c, fd, &error);

    close(fd);
    classifier_free(c);
    return k;
}

static bool is_kind_of_folder(const char *folder, enum kind k)
{
    static const struct {
        const char *folder;
        enum kind kind;
    } names[] = {{"outlook", KIND_MSG}, {"pem", KIND_PGP},         {"pem", KIND_PEM},
                 {"txt", KIND_TEXT},    {"javascript", KIND_TEXT}, {"python", KIND_TEXT}};

    if (strcmp(kind_info(k)->name, folder) == 0)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].folder, folder) == 0 && names[i].kind == k)
            return true;
    return false;
}

static unsigned check_folder(const char *folder)
{
    char dir[512], path[1024];
    struct dirent *d;
    unsigned n = 0;
    DIR *f;

    snprintf(dir, sizeof dir, "%s/documents/%s", SAMPLES, folder);
    f = opendir(dir);
    while (f && (d = readdir(f))) {
        if (d->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, d->d_name);

        enum kind k = sniff_file(path);
        const char *dot = strrchr(d->d_name, '.');
        enum verdict v = kind_verdict(k, dot ? dot + 1 : NULL);

        if (!is_kind_of_folder(folder, k))
            fail_msg("%s is %s", path, kind_info(k)->name);
        if (v != VERDICT_AGREES && v != VERDICT_PROGRAM && k != KIND_EMPTY)
            fail_msg("%s is %s: verdict %d", path, kind_info(k)->name, v);
        n++;
    }
    if (f)
        closedir(f);
    return n;
}

static void samples_are_what_their_folder_says(void **state)
{
    DIR *f = opendir(SAMPLES "/documents");
    struct dirent *d;
    unsigned n = 0;

    (void)state;
    if (!f) {
        print_message("skipped: no samples at %s\n", SAMPLES);
        skip();
    }
    while ((d = readdir(f)))
        if (d->d_name[0] != '.')
            n += check_folder(d->d_name);
    closedir(f);
    assert_true(n > 40);
}

static void sample_mail_is_mail(void **state)
{
    DIR *f = opendir(SAMPLES "/mail");
    char path[1024];
    struct dirent *d;

    (void)state;
    if (!f) {
        print_message("skipped: no samples at %s\n", SAMPLES);
        skip();
    }
    while ((d = readdir(f))) {
        if (d->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/mail/%s", SAMPLES, d->d_name);

        enum kind k = sniff_file(path);

        if (k != KIND_EML)
            fail_msg("%s is %s", path, kind_info(k)->name);
    }
    closedir(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures),
        cmocka_unit_test(texts),
        cmocka_unit_test(mails),
        cmocka_unit_test(wide_text),
        cmocka_unit_test(office_packages),
        cmocka_unit_test(other_packages),
        cmocka_unit_test(packed_content_types),
        cmocka_unit_test(inflates_what_zlib_packs),
        cmocka_unit_test(inflate_stops_at_its_limit),
        cmocka_unit_test(inflate_survives_damage),
        cmocka_unit_test(compound_files),
        cmocka_unit_test(compound_loops_end),
        cmocka_unit_test(signed_data),
        cmocka_unit_test(old_archives_and_images),
        cmocka_unit_test(every_truncation_is_survived),
        cmocka_unit_test(zip_without_directory),
        cmocka_unit_test(zip_directories_are_bounded),
        cmocka_unit_test(long_inputs_are_bounded),
        cmocka_unit_test(reading_never_moves_the_offset),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
        cmocka_unit_test(own_magic_comes_after_sniffing),
        cmocka_unit_test(bad_magic_file_is_done_without),
        cmocka_unit_test(samples_are_what_their_folder_says),
        cmocka_unit_test(sample_mail_is_mail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
