#include "examine/sniff.h"

#include <string.h>

/* Signatures at fixed places that need no second look. First match wins. */
#define AT(off, sig, k)                                                                            \
    {                                                                                              \
        off, sizeof(sig) - 1, sig, KIND_##k                                                         \
    }
static const struct {
    uint16_t at;
    uint16_t len;
    const char *bytes;
    enum kind kind;
} signatures[] = {
    AT(0, "\xFF\xD8\xFF", JPEG),
    AT(0, "\x89PNG\r\n\x1A\n", PNG),
    AT(0, "GIF87a", GIF),
    AT(0, "GIF89a", GIF),
    AT(0, "II*\0", TIFF),
    AT(0, "MM\0*", TIFF),
    AT(0, "II+\0", TIFF),
    AT(0, "MM\0+", TIFF),
    AT(0, "{\\rtf", RTF),
    AT(0, "\xFFWPC", WPD),
    AT(0, "8BPS\0", PSD),
    AT(0, "\xC5\xD0\xD3\xC6", EPS),
    AT(0, "%!PS", EPS),
    AT(0, "\x04%!PS", EPS),
    AT(0, "fLaC", FLAC),
    AT(0, "OggS", OGG),
    AT(0, "#!AMR", AMR),
    AT(0, "ID3\x02", MP3),
    AT(0, "ID3\x03", MP3),
    AT(0, "ID3\x04", MP3),
    AT(0, "\x1A\x45\xDF\xA3", MKV),
    AT(0, "\0\0\1\xBA", MPEG),
    AT(0, "\0\0\1\xB3", MPEG),
    AT(0, "\x1F\x8B\x08", GZIP),
    AT(0, "7z\xBC\xAF\x27\x1C", SEVENZ),
    AT(0, "Rar!\x1A\x07", RAR),
    AT(0,
       "\xFD"
       "7zXZ\0",
       XZ),
    AT(0, "\x28\xB5\x2F\xFD", ZSTD),
    AT(257, "ustar", TAR),
    AT(0, "!BDN", PST),
    AT(4, "Standard Jet DB\0", MDB),
    AT(4, "Standard ACE DB\0", ACCDB),
    AT(0, "SQLite format 3\0", SQLITE),
    AT(0,
       "\x7F"
       "ELF",
       ELF),
    AT(0, "\xFE\xED\xFA\xCE", MACHO),
    AT(0, "\xFE\xED\xFA\xCF", MACHO),
    AT(0, "\xCE\xFA\xED\xFE", MACHO),
    AT(0, "\xCF\xFA\xED\xFE", MACHO),
    AT(0, "L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0\0\0\0\0\0\0F", LNK),
    AT(0, "\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3", ONE),
    AT(0, "\xA1\x2F\xFF\x43\xD9\xEF\x76\x4C\x9E\xE2\x10\xEA\x57\x22\x76\x5F", ONE),
};

static enum kind by_signature(const struct source *s)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
        if (source_is(s, signatures[i].at, signatures[i].bytes, signatures[i].len))
            return signatures[i].kind;
    return KIND_DATA;
}

/* ISO base media: the brands say picture, sound or film. */
static enum kind sniff_ftyp(const struct source *s)
{
    static const struct {
        char brand[5];
        enum kind kind;
    } brands[] = {
        {"heic", KIND_HEIC}, {"heix", KIND_HEIC}, {"hevc", KIND_HEIC}, {"hevx", KIND_HEIC},
        {"heim", KIND_HEIC}, {"heis", KIND_HEIC}, {"mif1", KIND_HEIC}, {"msf1", KIND_HEIC},
        {"avif", KIND_HEIC}, {"avis", KIND_HEIC}, {"M4A ", KIND_M4A},  {"M4B ", KIND_M4A},
        {"M4P ", KIND_M4A},  {"qt  ", KIND_MOV},
    };

    for (size_t i = 0; i < sizeof brands / sizeof brands[0]; i++)
        if (source_is(s, 8, brands[i].brand, 4))
            return brands[i].kind;
    return KIND_MP4;
}

/* Films by atom: ftyp, or the first atoms of old QuickTime. */
static enum kind sniff_atoms(const struct source *s)
{
    static const char quicktime[][5] = {"moov", "mdat", "wide", "pnot"};

    if (s->len < 12 || be32(s->head) > UINT32_MAX / 2)
        return KIND_DATA;
    if (source_is(s, 4, "ftyp", 4))
        return sniff_ftyp(s);
    for (size_t i = 0; i < sizeof quicktime / sizeof quicktime[0]; i++)
        if (source_is(s, 4, quicktime[i], 4) && (be32(s->head) >= 8 || be32(s->head) == 1))
            return KIND_MOV;
    return KIND_DATA;
}

static enum kind sniff_riff(const struct source *s)
{
    if (!source_is(s, 0, "RIFF", 4) && !source_is(s, 0, "RF64", 4))
        return KIND_DATA;
    if (source_is(s, 8, "WAVE", 4))
        return KIND_WAV;
    if (source_is(s, 8, "AVI ", 4))
        return KIND_AVI;
    if (source_is(s, 8, "WEBP", 4))
        return KIND_WEBP;
    return KIND_DATA;
}

/* Windows Media: with a picture stream among its headers it is a film. */
static enum kind sniff_asf(const struct source *s)
{
    static const uint8_t header[] = "\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C";
    static const uint8_t video[] = "\xC0\xEF\x19\xBC\x4D\x5B\xCF\x11\xA8\xFD\0\x80\x5F\x5C\x44\x2B";

    if (!source_is(s, 0, header, 16))
        return KIND_DATA;
    return memmem(s->head, s->len, video, 16) ? KIND_WMV : KIND_WMA;
}

/* Length in bytes of the MPEG audio frame that starts at p, or 0 when none does. */
static size_t audio_frame(const uint8_t *p)
{
    static const uint16_t rates[2][16] = {
        {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
        {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}};
    static const uint32_t hertz[3] = {44100, 48000, 32000};
    unsigned version = p[1] >> 3 & 3, layer = p[1] >> 1 & 3, freq = p[2] >> 2 & 3;

    if (p[0] != 0xFF || (p[1] & 0xE0) != 0xE0 || version == 1 || layer != 1 || freq == 3)
        return 0;

    bool first = version == 3;
    uint32_t rate = rates[!first][p[2] >> 4] * UINT32_C(1000);
    uint32_t hz = hertz[freq] >> (first ? 0 : version == 2 ? 1 : 2);

    return rate == 0 ? 0 : (first ? 144U : 72U) * rate / hz + (p[2] >> 1 & 1U);
}

/* MP3 without a tag, or AAC: two frames in a row, since the mark alone is only eleven bits. */
static bool is_bare_audio(const struct source *s)
{
    if (s->len < 8)
        return false;
    if (s->head[0] == 0xFF && (s->head[1] & 0xF6) == 0xF0) {
        size_t aac = (size_t)(s->head[3] & 3) << 11 | (size_t)s->head[4] << 3 | s->head[5] >> 5;

        return aac >= 7 && aac + 2 <= s->len && s->head[aac] == 0xFF &&
               (s->head[aac + 1] & 0xF6) == 0xF0;
    }

    size_t n = audio_frame(s->head);

    return n >= 24 && n + 4 <= s->len && audio_frame(s->head + n) != 0;
}

/* Transport stream: a mark every 188 bytes, or 192 on camera cards. */
static bool is_transport(const struct source *s)
{
    for (size_t step = 188; step <= 192; step += 4) {
        size_t at = step - 188, seen = 0;

        while (at < s->len && s->head[at] == 'G') {
            at += step;
            seen++;
        }
        if (seen >= 5 && at >= s->len - s->len % step)
            return true;
        if (seen >= 8)
            return true;
    }
    return false;
}

static bool is_bmp(const struct source *s)
{
    return s->len >= 26 && source_is(s, 0, "BM", 2) && le32(s->head + 6) == 0 &&
           le32(s->head + 10) >= 26 && le32(s->head + 10) < 4096 && le32(s->head + 14) >= 12 &&
           le32(s->head + 14) <= 124;
}

/* "MZ" begins names and letters too: a program has binary bytes after it. */
static bool is_exe(const struct source *s)
{
    return s->len >= 28 && (source_is(s, 0, "MZ", 2) || source_is(s, 0, "ZM", 2)) &&
           memchr(s->head, 0, 64 < s->len ? 64 : s->len);
}

/* A fat binary says how many programs it holds; a Java class its version at the same place. */
static enum kind sniff_cafebabe(const struct source *s)
{
    if (s->len < 8 || !source_is(s, 0, "\xCA\xFE\xBA\xBE", 4))
        return KIND_DATA;
    return be32(s->head + 4) < 40 ? KIND_MACHO : KIND_JAR;
}

/* AutoCAD writes its version: AC1015, AC1.50, AC2.10. */
static bool is_dwg(const struct source *s)
{
    if (s->len < 16 || !source_is(s, 0, "AC", 2))
        return false;
    for (size_t i = 2; i < 6; i++)
        if ((s->head[i] < '0' || s->head[i] > '9') && !(i == 3 && s->head[i] == '.'))
            return false;
    return s->head[6] == 0;
}

static bool is_bzip2(const struct source *s)
{
    return s->len >= 10 && source_is(s, 0, "BZh", 3) && s->head[3] >= '1' && s->head[3] <= '9' &&
           (source_is(s, 4, "1AY&SY", 6) || source_is(s, 4, "\x17rE8P\x90", 6));
}

/* The old tar has no signature, but a checksum over its header. */
static bool is_old_tar(const struct source *s)
{
    unsigned long sum = 0, want = 0;

    if (s->len < 512 || s->head[0] == 0)
        return false;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : s->head[i];
    for (size_t i = 148; i < 156; i++)
        if (s->head[i] >= '0' && s->head[i] <= '7')
            want = want * 8 + (s->head[i] - '0');
    return want == sum;
}

/* Looks at places far from the start, which costs a read each: only for what is left over. */
static enum kind sniff_far(struct source *s)
{
    uint8_t b[512];

    if (s->size > 32774 && source_read(s, 32769, b, 5) == 5 && memcmp(b, "CD001", 5) == 0)
        return KIND_ISO;
    if (s->size > 32774 && source_read(s, 32769, b, 5) == 5 && memcmp(b, "BEA01", 5) == 0)
        return KIND_ISO;
    if (s->size > 512 && source_read(s, s->size - 512, b, 512) == 512 && memcmp(b, "koly", 4) == 0)
        return KIND_DMG;
    return KIND_DATA;
}

/*
 * Signed and encrypted mail in DER: a sequence that holds the object identifier 1.2.840.113549.1.7
 * and .2 for signed (without the content it is only the signature) or .3 for enveloped data.
 */
static enum kind sniff_pkcs7(const struct source *s)
{
    static const uint8_t prefix[] = "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07";
    static const uint8_t oid_data[] = "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";

    if (s->len < 20 || s->head[0] != 0x30)
        return KIND_DATA;

    size_t at = 2 + (s->head[1] & 0x80 ? s->head[1] & 0x7FU : 0);

    if (at > 10 || !source_is(s, at, prefix, 10) || s->len < at + 11)
        return KIND_DATA;
    if (s->head[at + 10] != 2)
        return KIND_P7M;

    const uint8_t *inner = memmem(s->head + at + 11, s->len - at - 11, oid_data, 11);

    if (!inner)
        return KIND_P7M;
    /* [0] EXPLICIT content follows when the signed text is inside. */
    if (inner + 11 < s->head + s->len && inner[11] == 0xA0 &&
        (inner + 12 >= s->head + s->len || inner[12] != 0x82 || inner + 15 >= s->head + s->len ||
         inner[15] != 0x30))
        return KIND_P7M;
    return inner[-2] == 0x30 && inner[-1] == 0x0B ? KIND_P7S : KIND_P7M;
}

/* Some programs put a few bytes before a PDF; the header is then at the start of a line. */
static bool is_pdf(const struct source *s)
{
    size_t limit = s->len < 1024 ? s->len : 1024;
    const uint8_t *p = s->head;

    while ((p = memmem(p, limit - (size_t)(p - s->head), "%PDF-", 5))) {
        size_t at = (size_t)(p - s->head);
        bool starts = at == 0 || p[-1] < ' ' || p[-1] >= 0x80;

        if (starts && at + 5 < s->len && p[5] >= '0' && p[5] <= '9')
            return true;
        p += 5;
    }
    return false;
}

static enum kind sniff_binary(struct source *s)
{
    enum kind k = by_signature(s);

    if (k == KIND_MKV && s->len < 8)
        k = KIND_DATA;
    if (k == KIND_DATA)
        k = sniff_riff(s);
    if (k == KIND_DATA)
        k = sniff_asf(s);
    if (k == KIND_DATA)
        k = sniff_cafebabe(s);
    if (k == KIND_DATA)
        k = sniff_atoms(s);
    if (k == KIND_DATA && is_bmp(s))
        k = KIND_BMP;
    if (k == KIND_DATA && is_exe(s))
        k = KIND_EXE;
    if (k == KIND_DATA && is_dwg(s))
        k = KIND_DWG;
    if (k == KIND_DATA && is_bzip2(s))
        k = KIND_BZIP2;
    if (k == KIND_DATA)
        k = sniff_pkcs7(s);
    if (k == KIND_DATA && is_old_tar(s))
        k = KIND_TAR;
    return k;
}

enum kind sniff(struct source *s)
{
    if (s->len == 0)
        return KIND_EMPTY;
    if (source_is(s, 0, "%PDF-", 5))
        return KIND_PDF;
    if (source_is(s, 0, "PK\3\4", 4) || source_is(s, 0, "PK\5\6", 4) ||
        source_is(s, 0, "PK00PK\3\4", 8) || source_is(s, 0, "PK\7\x08PK\3\4", 8))
        return sniff_zip(s);
    if (source_is(s, 0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8))
        return sniff_ole(s);

    enum kind k = by_signature(s);

    if (k != KIND_DATA && s->len >= 8)
        return k;
    source_head(s, SOURCE_FIRST);
    k = sniff_binary(s);
    if (k != KIND_DATA)
        return k;
    if (is_pdf(s))
        return KIND_PDF;
    k = sniff_text(s);
    if (k != KIND_DATA)
        return k;
    if (is_bare_audio(s))
        return KIND_MP3;
    if (is_transport(s))
        return KIND_MPEG;
    return sniff_far(s);
}
