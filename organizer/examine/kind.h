/*
 * kind: what a document is by its content: a closed enumeration, so that a reader under an
 * attacker's control can only answer one of these.
 */
#ifndef ORGANIZER_EXAMINE_KIND_H
#define ORGANIZER_EXAMINE_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum kind_flag {
    KIND_IS_EDITABLE = 1, /* people go on writing in it: named only after `drafts:` */
    KIND_IS_PROGRAM = 2,  /* runs: never filed */
    KIND_IS_MACROS = 4,   /* carries macros */
    KIND_IS_MAIL = 8,
    KIND_IS_IMAGE = 16,
    KIND_IS_AUDIO = 32,
    KIND_IS_VIDEO = 64,
    KIND_IS_TEXT = 128, /* plain text and what is written in it: the extension decides (csv, md) */
    KIND_IS_CONTAINER = 256 /* archives and disk images */
};

#define KIND_LIST                                                                                  \
    K(UNKNOWN)                                                                                     \
    K(EMPTY)                                                                                       \
    K(PDF)                                                                                         \
    K(DOC)                                                                                         \
    K(DOCX)                                                                                        \
    K(DOCM) K(DOTX) K(XLS) K(XLSX) K(XLSM) K(XLSB) K(PPT) K(PPTX) K(PPTM) K(ODT) K(ODS) K(ODP)     \
        K(RTF) K(WPD) K(TEXT) K(CSV) K(HTML) K(XML) K(JSON) K(MARKDOWN) K(EML) K(MBOX) K(MSG)      \
            K(MHT) K(ICS) K(VCF) K(P7M) K(P7S) K(PEM) K(PGP) K(JPEG) K(PNG) K(GIF) K(TIFF) K(BMP)  \
                K(WEBP) K(HEIC) K(SVG) K(PSD) K(DWG) K(EPS) K(XPS) K(EPUB) K(MP3) K(WAV) K(M4A)    \
                    K(OGG) K(FLAC) K(AMR) K(WMA) K(MP4) K(MOV) K(AVI) K(MKV) K(WMV) K(MPEG) K(ZIP) \
                        K(GZIP) K(TAR) K(SEVENZ) K(RAR) K(BZIP2) K(XZ) K(ZSTD) K(ISO) K(PST)       \
                            K(OLE) K(MDB) K(ACCDB) K(SQLITE) K(EXE) K(MSI) K(ELF) K(MACHO)         \
                                K(SCRIPT) K(BATCH) K(JAVASCRIPT) K(PYTHON) K(JAR) K(APK) K(LNK)    \
                                    K(DMG) K(ONE) K(PUB) K(VSD) K(VSDX) K(PAGES) K(NUMBERS)        \
                                        K(KEYNOTE) K(DATA)

#define K(x) KIND_##x,
enum kind { KIND_LIST KIND_COUNT };
#undef K

struct kind_info {
    const char *name;  /* "pdf": stable, used in JSON and the private state */
    const char *mime;  /* "application/pdf" */
    const char *ext;   /* the extension it gets when it has none: "pdf"; "" when unknown */
    const char *exts;  /* every extension that agrees with it, space separated */
    const char *plain; /* what a person calls it: "a PDF document" */
    unsigned flags;    /* enum kind_flag */
};

/* Never NULL; an out-of-range kind yields KIND_UNKNOWN's. */
const struct kind_info *kind_info(enum kind k);
/* KIND_UNKNOWN when no kind has that name. */
enum kind kind_parse(const char *name);
/* The kind a MIME type of libmagic means; KIND_DATA when none of ours does. */
enum kind kind_of_mime(const char *mime);
/* ext (without dot, any case) is one of the kind's. */
bool kind_has_ext(enum kind k, const char *ext);

/* What content and name together say (design.md section 3). */
enum verdict {
    VERDICT_AGREES,       /* or the content is of a kind that says nothing against the name */
    VERDICT_NO_EXTENSION, /* add kind_info()->ext */
    VERDICT_CONTRADICTS,  /* content is one thing, the extension says another: a question */
    VERDICT_PROGRAM,      /* a program or script, by content or by extension */
    VERDICT_UNKNOWN,      /* neither is known */
};
/*
 * ext without dot, NULL or "" for none. Lenient where people are right:
 *  - text is what its extension says: csv, md, log, html, xml, json agree with one another;
 *  - .doc holding RTF, HTML, MHT, Word's XML, WordPerfect or plain text agrees, and so does .xls
 *    holding HTML, CSV, text or XML: Word saves so and programs export so, and both open it;
 *  - mail agrees with .txt, .p7m and .p7s; an archive that could not be looked into agrees with
 *    all formats that are archives inside (a ZIP with .docx, a compound document with .msg);
 *    a compound document agrees with .docx: encrypted ones are stored so;
 *  - known content under an extension that no kind claims agrees.
 * A .pdf that is a Word document, a .docx with macros inside, a .jpg that is a PNG contradict.
 * Bytes of no known type contradict extensions whose formats cannot be mistaken (pdf, docx, png)
 * and agree with the others (mp3, wpd, iso). A program stays one under any name.
 */
enum verdict kind_verdict(enum kind k, const char *ext);

#endif
