#include "text/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <uchardet/uchardet.h>

#include "base/str.h"
#include "base/utf8.h"

#define COUNT(a)  (sizeof(a) / sizeof(a)[0])
#define GUESS_MAX ((size_t)1 << 20) /* bytes that are looked at to guess */
#define LEARN_MAX ((size_t)64 << 10) /* of these, for the language */
#define OWN_BYTES   100 /* one of so many is beyond ASCII, or nothing tells the language */
#define OWN_LETTERS 33  /* likewise of letters */

/* With their Windows code pages. */
static const struct {
    const char *name;
    unsigned codepage;
} sets[] = {
    {"UTF-8", 65001},        {"UTF-16LE", 1200},      {"UTF-16BE", 1201},    {"UTF-16", 0},
    {"UTF-32LE", 12000},     {"UTF-32BE", 12001},     {"UTF-7", 65000},      {"US-ASCII", 20127},
    {"WINDOWS-1250", 1250},  {"WINDOWS-1251", 1251},  {"WINDOWS-1252", 1252},
    {"WINDOWS-1253", 1253},  {"WINDOWS-1254", 1254},  {"WINDOWS-1255", 1255},
    {"WINDOWS-1256", 1256},  {"WINDOWS-1257", 1257},  {"WINDOWS-1258", 1258},
    {"ISO-8859-1", 28591},   {"ISO-8859-2", 28592},   {"ISO-8859-3", 28593},
    {"ISO-8859-4", 28594},   {"ISO-8859-5", 28595},   {"ISO-8859-6", 28596},
    {"ISO-8859-7", 28597},   {"ISO-8859-8", 28598},   {"ISO-8859-9", 28599},
    {"ISO-8859-10", 0},      {"ISO-8859-13", 28603},  {"ISO-8859-14", 0},    {"ISO-8859-15", 28605},
    {"ISO-8859-16", 0},      {"KOI8-R", 20866},       {"KOI8-U", 21866},     {"MACINTOSH", 10000},
    {"IBM437", 437},         {"IBM850", 850},         {"IBM852", 852},       {"IBM866", 866},
    {"SHIFT_JIS", 0},        {"CP932", 932},          {"EUC-JP", 51932},     {"ISO-2022-JP", 50220},
    {"GB2312", 0},           {"GBK", 936},            {"GB18030", 54936},    {"BIG5", 950},
    {"BIG5-HKSCS", 0},       {"EUC-KR", 51949},       {"CP949", 949},        {"ISO-2022-KR", 50225},
    {"TIS-620", 874},        {"KS_C_5601-1987", 0},
};

void charset_prepare(void)
{
    for (size_t i = 0; i < COUNT(sets); i++) {
        /* Never closed: its module stays. */
        iconv_t to = iconv_open("UTF-8", sets[i].name);

        (void)to;
    }
}

const char *charset_of_codepage(unsigned number)
{
    for (size_t i = 0; number && i < COUNT(sets); i++)
        if (sets[i].codepage == number)
            return sets[i].name;
    return NULL;
}

bool charset_convert(struct str *out, const char *name, const void *p, size_t n)
{
    iconv_t cd = iconv_open("UTF-8", name);
    char *in = (char *)(uintptr_t)p;
    char room[4096];

    if (cd == (iconv_t)-1)
        return false;
    while (n > 0) {
        char *to = room;
        size_t left = sizeof room;
        size_t r = iconv(cd, &in, &n, &to, &left);

        str_addn(out, room, (size_t)(to - room));
        if (r != (size_t)-1 || errno == E2BIG)
            continue;
        str_add(out, "\xEF\xBF\xBD");
        if (errno != EILSEQ)
            break;
        in++;
        n--;
    }
    iconv_close(cd);
    return true;
}

/* Text in UTF-16 has a zero in most units, always on the same side. */
static const char *utf16_without_mark(const unsigned char *p, size_t n)
{
    size_t zeros[2] = {0, 0};

    n = n < 4096 ? n & ~(size_t)1 : 4096;
    for (size_t i = 0; i < n; i++)
        zeros[i & 1] += p[i] == 0;
    if (n < 4)
        return NULL;
    if (zeros[1] > n / 2 * 4 / 10 && zeros[0] < n / 50 + 1)
        return "UTF-16LE";
    if (zeros[0] > n / 2 * 4 / 10 && zeros[1] < n / 50 + 1)
        return "UTF-16BE";
    return NULL;
}

/* It is written in letters beyond ASCII, not with a few: quotation marks and the letters of a name stand
 * at the same places in many sets. */
static bool has_letters_of(const char *set, const void *p, size_t n)
{
    struct str text = STR_INIT;
    size_t own = 0, letters = 0, wrong = 0;
    const char *s, *end;

    charset_convert(&text, set, p, n);
    s = str_c(&text);
    for (end = s + text.len; s < end;) {
        int32_t c = utf8_next(&s, end);

        wrong += c < 0 || c == 0xfffd;
        letters += c > 0 && utf8_is_word(c);
        own += c >= 0x80 && utf8_is_word(c);
    }
    str_clear(&text);
    /* One: the character that the bound cuts. */
    return wrong <= 1 && own * OWN_LETTERS >= letters;
}

/* Of a few words these are taken for Western; hardly anybody writes in them. */
static bool is_rare(const char *set)
{
    static const char *const rare[] = {"IBM852",      "ISO-8859-1",  "ISO-8859-3", "ISO-8859-4",
                                       "ISO-8859-10", "ISO-8859-13", "ISO-8859-14"};

    for (size_t i = 0; i < COUNT(rare); i++)
        if (strcmp(set, rare[i]) == 0)
            return true;
    return false;
}

/* By which letters and syllables follow each other in languages; NULL: Western, or not sure. */
static const char *learn(const void *bytes, size_t n)
{
    static const struct {
        const char *name, *wider;
    } wider[] = {{"SHIFT_JIS", "CP932"}, {"EUC-KR", "CP949"}, {"UHC", "CP949"}, {"GB2312", "GB18030"}};
    const unsigned char *p = bytes;
    size_t own = 0;
    uchardet_t learner;
    const char *set = NULL, *name;

    n = n < LEARN_MAX ? n : LEARN_MAX;
    for (size_t i = 0; i < n; i++)
        own += p[i] >= 0x80;
    if (own * OWN_BYTES < n)
        return NULL;
    learner = uchardet_new();
    uchardet_handle_data(learner, bytes, n);
    uchardet_data_end(learner);
    name = uchardet_get_charset(learner);
    for (size_t i = 0; i < COUNT(wider); i++)
        if (strcasecmp(name, wider[i].name) == 0)
            name = wider[i].wider;
    for (size_t i = 0; i < COUNT(sets); i++)
        if (strcasecmp(name, sets[i].name) == 0)
            set = sets[i].name;
    uchardet_delete(learner);
    return set && !is_rare(set) && has_letters_of(set, bytes, n) ? set : NULL;
}

const char *charset_guess(const void *bytes, size_t n, size_t *mark)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } marks[] = {
        {"\xEF\xBB\xBF", 3, "UTF-8"},
        {"\xFF\xFE\0\0", 4, "UTF-32LE"},
        {"\0\0\xFE\xFF", 4, "UTF-32BE"},
        {"\xFF\xFE", 2, "UTF-16LE"},
        {"\xFE\xFF", 2, "UTF-16BE"},
    };
    const char *wide, *learned;

    *mark = 0;
    if (n == 0) /* bytes may be NULL */
        return "UTF-8";
    for (size_t i = 0; i < COUNT(marks); i++)
        if (n >= marks[i].n && memcmp(bytes, marks[i].bytes, marks[i].n) == 0) {
            *mark = marks[i].n;
            return marks[i].name;
        }
    wide = utf16_without_mark(bytes, n);
    if (wide)
        return wide;
    /* ISO-2022-JP is all ASCII. */
    if (memmem(bytes, n < LEARN_MAX ? n : LEARN_MAX, "\033$B", 3))
        return "ISO-2022-JP";
    /* A character cut by the bound is no fault. */
    for (size_t cut = 0; cut < (n > GUESS_MAX ? 4 : 1); cut++)
        if (utf8_valid(bytes, (n > GUESS_MAX ? GUESS_MAX : n) - cut))
            return "UTF-8";
    learned = learn(bytes, n);
    return learned ? learned : "WINDOWS-1252";
}
