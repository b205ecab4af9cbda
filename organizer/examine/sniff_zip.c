#include "examine/sniff.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "examine/inflate.h"

#define DIRECTORY_MAX ((size_t)4 << 20) /* bytes of the central directory that are read */
#define ENTRIES_MAX   65536
#define TYPES_PACKED  ((size_t)32 << 10) /* of [Content_Types].xml */
#define TYPES_MAX     ((size_t)256 << 10)

/* What names in the directory were seen. */
enum seen {
    SEEN_TYPES = 1 << 0,
    SEEN_WORD = 1 << 1,
    SEEN_EXCEL = 1 << 2,
    SEEN_EXCEL_BINARY = 1 << 3,
    SEEN_POWERPOINT = 1 << 4,
    SEEN_VISIO = 1 << 5,
    SEEN_MACROS = 1 << 6,
    SEEN_XPS = 1 << 7,
    SEEN_MANIFEST = 1 << 8,
    SEEN_CLASS = 1 << 9,
    SEEN_ANDROID = 1 << 10,
    SEEN_DEX = 1 << 11,
    SEEN_IWA = 1 << 12,
    SEEN_SLIDE = 1 << 13,
    SEEN_CALCULATION = 1 << 14,
    SEEN_PAGES09 = 1 << 15,
    SEEN_NUMBERS09 = 1 << 16,
    SEEN_KEYNOTE09 = 1 << 17,
    SEEN_EPUB = 1 << 18,
    SEEN_ODF = 1 << 19,
};

static const struct {
    const char *name; /* in lower case: a whole name, or its beginning with '*' behind */
    unsigned seen;
} names[] = {
    {"[content_types].xml", SEEN_TYPES},
    {"word/vbaproject.bin", SEEN_MACROS},
    {"xl/vbaproject.bin", SEEN_MACROS},
    {"ppt/vbaproject.bin", SEEN_MACROS},
    {"word/document*", SEEN_WORD},
    {"xl/workbook.bin", SEEN_EXCEL_BINARY},
    {"xl/workbook*", SEEN_EXCEL},
    {"ppt/presentation*", SEEN_POWERPOINT},
    {"visio/document.xml", SEEN_VISIO},
    {"fixeddocumentsequence.fdseq", SEEN_XPS},
    {"fixeddocseq.fdseq", SEEN_XPS},
    {"meta-inf/manifest.mf", SEEN_MANIFEST},
    {"androidmanifest.xml", SEEN_ANDROID},
    {"classes.dex", SEEN_DEX},
    {"index/slide*", SEEN_IWA | SEEN_SLIDE},
    {"index/masterslide*", SEEN_IWA | SEEN_SLIDE},
    {"index/calculationengine*", SEEN_IWA | SEEN_CALCULATION},
    {"index/document.iwa", SEEN_IWA},
    {"index.zip", SEEN_IWA},
    {"index.xml", SEEN_PAGES09},
    {"index.numbers", SEEN_NUMBERS09},
    {"index.apxl", SEEN_KEYNOTE09},
    {"meta-inf/container.xml", SEEN_EPUB},
    {"meta-inf/manifest.xml", SEEN_ODF},
};

#define TAIL_FIRST ((size_t)4 << 10) /* read at once: the end record of most, and their directory */

struct archive {
    unsigned seen;
    uint64_t types_at; /* local header of [Content_Types].xml */
    uint32_t types_packed;
};

static void note_name(struct archive *a, const uint8_t *name, size_t n)
{
    char low[64];

    if (n > 6 && memcmp(name + n - 6, ".class", 6) == 0)
        a->seen |= SEEN_CLASS;
    if (n >= sizeof low)
        n = sizeof low - 1;
    for (size_t i = 0; i < n; i++) {
        char c = (char)name[i];

        low[i] = c == '\\' ? '/' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    low[n] = '\0';

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i].name);
        bool prefix = names[i].name[len - 1] == '*';

        if (prefix ? strncmp(low, names[i].name, len - 1) == 0 : strcmp(low, names[i].name) == 0) {
            a->seen |= names[i].seen;
            return;
        }
    }
}

/* The directory's place from the end record (the 64-bit one where the old one is full). */
static bool find_directory(struct source *s, const uint8_t *tail, size_t n, uint64_t base,
                           uint64_t *at, uint64_t *len)
{
    size_t i = n - 22;

    while (memcmp(tail + i, "PK\5\6", 4) != 0)
        if (i-- == 0)
            return false;
    *len = le32(tail + i + 12);
    *at = le32(tail + i + 16);
    if (*at == UINT32_MAX || *len == UINT32_MAX) {
        uint8_t e[56];

        if (i < 20 || memcmp(tail + i - 20, "PK\6\7", 4) != 0 ||
            source_read(s, le64(tail + i - 12), e, sizeof e) != sizeof e ||
            memcmp(e, "PK\6\6", 4) != 0)
            return false;
        *len = le64(e + 40);
        *at = le64(e + 48);
        return true;
    }
    /* Bytes put before the archive shift everything: the directory ends where the record starts. */
    if (*at + *len != base + i && *len <= base + i)
        *at = base + i - *len;
    return true;
}

static void read_directory(struct archive *a, const uint8_t *p, size_t n)
{
    for (unsigned i = 0; i < ENTRIES_MAX && n >= 46 && memcmp(p, "PK\1\2", 4) == 0; i++) {
        size_t name = le16(p + 28), step = 46 + name + le16(p + 30) + le16(p + 32);
        unsigned before = a->seen;

        if (name > n - 46)
            return;
        note_name(a, p + 46, name);
        if ((a->seen & ~before) & SEEN_TYPES) {
            a->types_packed = le32(p + 20);
            a->types_at = le32(p + 42);
        }
        if (step > n)
            return;
        p += step;
        n -= step;
    }
}

/* A truncated archive has no directory: its members' own headers, as far as they are chained. */
static void read_local_headers(struct archive *a, struct source *s)
{
    uint8_t h[30 + 64];
    uint64_t at = 0;

    for (unsigned i = 0; i < 256; i++) {
        size_t n = source_read(s, at, h, sizeof h);

        if (n < 30 || memcmp(h, "PK\3\4", 4) != 0)
            return;

        size_t name = le16(h + 26), have = name < n - 30 ? name : n - 30;
        unsigned before = a->seen;

        note_name(a, h + 30, have);
        if ((a->seen & ~before) & SEEN_TYPES) {
            a->types_packed = le32(h + 18) ? le32(h + 18) : (uint32_t)TYPES_PACKED;
            a->types_at = at;
        }
        if (h[6] & 8 && le32(h + 18) == 0)
            return; /* length only behind the data */
        at += 30 + name + le16(h + 28) + (uint64_t)le32(h + 18);
    }
}

/* Fills a from the directory, when its end record lies in the last n bytes. */
static bool read_from_tail(struct archive *a, struct source *s, size_t n)
{
    uint8_t *tail = xmalloc(n + 22);
    uint64_t base = s->size - n, at, len;
    bool found = false;

    n = source_read(s, base, tail, n);
    if (n >= 22 && find_directory(s, tail, n, base, &at, &len)) {
        size_t want = len < DIRECTORY_MAX ? (size_t)len : DIRECTORY_MAX;

        if (at >= base && at - base <= n && want <= n - (at - base)) {
            read_directory(a, tail + (at - base), want);
        } else if (want >= 46) {
            uint8_t *dir = xmalloc(want);

            read_directory(a, dir, source_read(s, at, dir, want));
            free(dir);
        }
        found = a->seen != 0;
    }
    free(tail);
    return found;
}

/* Only an archive with a long comment has its end record further from the end. */
static void read_names(struct archive *a, struct source *s)
{
    static const size_t tails[] = {TAIL_FIRST, SOURCE_TAIL + 22};

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        size_t n = s->size < tails[i] ? (size_t)s->size : tails[i];

        if ((i == 0 || n > TAIL_FIRST) && read_from_tail(a, s, n))
            return;
    }
    read_local_headers(a, s);
}

/* The content of [Content_Types].xml, as far as it can be had; returns its length. */
static size_t read_types(const struct archive *a, struct source *s, char *out, size_t cap)
{
    uint8_t h[30];
    size_t len = 0;

    if (source_read(s, a->types_at, h, sizeof h) != sizeof h || memcmp(h, "PK\3\4", 4) != 0)
        return 0;

    uint64_t at = a->types_at + 30 + le16(h + 26) + le16(h + 28);
    size_t want = a->types_packed < TYPES_PACKED ? a->types_packed : TYPES_PACKED;
    uint8_t *packed = xmalloc(want + 1);
    size_t n = source_read(s, at, packed, want);

    if (le16(h + 8) == 8) {
        len = inflate_some(packed, n, (uint8_t *)out, cap);
    } else if (le16(h + 8) == 0) {
        len = n < cap ? n : cap;
        memcpy(out, packed, len);
    }
    free(packed);
    return len;
}

/* Microsoft's own names for what an OOXML package is; the first that occurs. */
static enum kind by_types(const char *xml, size_t n)
{
    static const struct {
        const char *type;
        enum kind kind;
    } types[] = {
        {"ms-word.document.macroEnabled", KIND_DOCM},
        {"ms-word.template.macroEnabled", KIND_DOCM},
        {"wordprocessingml.template.main+xml", KIND_DOTX},
        {"wordprocessingml.document.main+xml", KIND_DOCX},
        {"ms-excel.sheet.binary.macroEnabled", KIND_XLSB},
        {"ms-excel.sheet.macroEnabled", KIND_XLSM},
        {"ms-excel.template.macroEnabled", KIND_XLSM},
        {"ms-excel.addin.macroEnabled", KIND_XLSM},
        {"spreadsheetml.sheet.main+xml", KIND_XLSX},
        {"spreadsheetml.template.main+xml", KIND_XLSX},
        {"ms-powerpoint.presentation.macroEnabled", KIND_PPTM},
        {"ms-powerpoint.slideshow.macroEnabled", KIND_PPTM},
        {"ms-powerpoint.template.macroEnabled", KIND_PPTM},
        {"ms-powerpoint.addin.macroEnabled", KIND_PPTM},
        {"presentationml.presentation.main+xml", KIND_PPTX},
        {"presentationml.slideshow.main+xml", KIND_PPTX},
        {"presentationml.template.main+xml", KIND_PPTX},
        {"ms-visio.", KIND_VSDX},
        {"ms-package.xps-", KIND_XPS},
        {"openxps", KIND_XPS},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (memmem(xml, n, types[i].type, strlen(types[i].type)))
            return types[i].kind;
    return KIND_ZIP;
}

static enum kind with_macros(enum kind k)
{
    switch (k) {
    case KIND_DOCX:
    case KIND_DOTX:
        return KIND_DOCM;
    case KIND_XLSX:
        return KIND_XLSM;
    case KIND_PPTX:
        return KIND_PPTM;
    default:
        return k;
    }
}

/* OpenDocument and EPUB say it in a first member that is stored, not packed. */
static enum kind by_mimetype(struct source *s)
{
    static const struct {
        const char *mime;
        enum kind kind;
    } mimes[] = {
        {"application/vnd.oasis.opendocument.text", KIND_ODT},
        {"application/vnd.oasis.opendocument.spreadsheet", KIND_ODS},
        {"application/vnd.oasis.opendocument.presentation", KIND_ODP},
        {"application/vnd.oasis.opendocument.graphics", KIND_ODP},
        {"application/epub+zip", KIND_EPUB},
    };

    if (s->len < 38 || le16(s->head + 26) != 8 || !source_is(s, 30, "mimetype", 8))
        return KIND_ZIP;

    size_t at = 38U + le16(s->head + 28);

    source_head(s, at + 128);
    for (size_t i = 0; i < sizeof mimes / sizeof mimes[0]; i++)
        if (source_is(s, at, mimes[i].mime, strlen(mimes[i].mime)))
            return mimes[i].kind;
    return KIND_ZIP;
}

static enum kind by_names(unsigned seen)
{
    static const struct {
        unsigned all;
        enum kind kind;
    } rules[] = {
        {SEEN_TYPES | SEEN_EXCEL_BINARY, KIND_XLSB},
        {SEEN_TYPES | SEEN_WORD, KIND_DOCX},
        {SEEN_TYPES | SEEN_EXCEL, KIND_XLSX},
        {SEEN_TYPES | SEEN_POWERPOINT, KIND_PPTX},
        {SEEN_TYPES | SEEN_VISIO, KIND_VSDX},
        {SEEN_XPS, KIND_XPS},
        {SEEN_ANDROID | SEEN_DEX, KIND_APK},
        {SEEN_ANDROID | SEEN_MANIFEST, KIND_APK},
        {SEEN_MANIFEST | SEEN_CLASS, KIND_JAR},
        {SEEN_IWA | SEEN_SLIDE, KIND_KEYNOTE},
        {SEEN_IWA | SEEN_CALCULATION, KIND_NUMBERS},
        {SEEN_IWA, KIND_PAGES},
        {SEEN_KEYNOTE09, KIND_KEYNOTE},
        {SEEN_NUMBERS09, KIND_NUMBERS},
        {SEEN_PAGES09, KIND_PAGES},
        {SEEN_EPUB, KIND_EPUB},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if ((seen & rules[i].all) == rules[i].all)
            return rules[i].kind;
    return KIND_ZIP;
}

enum kind sniff_zip(struct source *s)
{
    enum kind k = by_mimetype(s);
    struct archive a = {0, 0, 0};

    if (k != KIND_ZIP)
        return k;
    read_names(&a, s);
    if (a.seen & SEEN_TYPES) {
        char *xml = xmalloc(TYPES_MAX);

        k = by_types(xml, read_types(&a, s, xml, TYPES_MAX));
        free(xml);
    }
    if (k == KIND_ZIP)
        k = by_names(a.seen);
    return a.seen & SEEN_MACROS ? with_macros(k) : k;
}
