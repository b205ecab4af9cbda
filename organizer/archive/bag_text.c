#include "archive/bag_text.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/utf8.h"

#define TEXT_MOST ((size_t)256 << 20) /* bytes of one tag file that are read */
#define LINE_MOST ((size_t)1 << 20)

char *bag_next_line(struct bag_lines *l, size_t *n)
{
    char *line = l->at, *p = line;

    if (p >= l->end)
        return NULL;
    while (p < l->end && *p != '\n' && *p != '\r')
        p++;
    *n = (size_t)(p - line);
    if (p + 1 < l->end && p[0] == '\r' && p[1] == '\n')
        *p++ = '\0';
    if (p < l->end)
        *p++ = '\0';
    l->at = p;
    l->number++;
    return line;
}

/* Bytes of complete lines; the CR at the end may be the first half of a CRLF. */
static size_t complete(const struct str *s)
{
    const char *end = memrchr(s->s, '\n', s->len);

    if (!end)
        end = memrchr(s->s, '\r', s->len - 1);
    return end ? (size_t)(end - s->s) + 1 : 0;
}

static void feed_lines(struct bag_feed *f, size_t n)
{
    struct bag_lines l = {f->text.s, f->text.s + n, f->number};
    char *line;
    size_t len;

    if (!f->text.s)
        return; /* nothing was fed */
    while ((line = bag_next_line(&l, &len)))
        f->line(f->ctx, line, len, l.number);
    f->number = l.number;
    memmove(f->text.s, f->text.s + n, f->text.len - n);
    str_cut(&f->text, f->text.len - n);
}

void bag_feed_add(void *ctx, const char *p, size_t n)
{
    struct bag_feed *f = ctx;

    f->taken += n;
    f->large |= f->taken > TEXT_MOST;
    if (f->large || !n)
        return;
    str_addn(&f->text, p, n);
    n = complete(&f->text);
    if (n)
        feed_lines(f, n);
    f->large |= f->text.len > LINE_MOST;
}

bool bag_feed_end(struct bag_feed *f)
{
    if (f->text.len && !f->large)
        feed_lines(f, f->text.len);
    str_clear(&f->text);
    return !f->large;
}

/* ---- encodings
 * ------------------------------------------------------------------------------- */

bool bag_encoding_plain(const char *name)
{
    return strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0 ||
           strcasecmp(name, "US-ASCII") == 0 || strcasecmp(name, "ASCII") == 0;
}

/* The name comes from whoever made the bag: no other reaches iconv. */
bool bag_encoding_known(const char *name)
{
    static const char *const known[] = {
        "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-3",   "ISO-8859-4",   "ISO-8859-5",
        "ISO-8859-6",   "ISO-8859-7",   "ISO-8859-8",   "ISO-8859-9",   "ISO-8859-10",
        "ISO-8859-13",  "ISO-8859-14",  "ISO-8859-15",  "ISO-8859-16",  "WINDOWS-1250",
        "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255",
        "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "UTF-16",       "UTF-16LE",
        "UTF-16BE",     "UTF-32",       "UTF-32LE",     "UTF-32BE",     "SHIFT_JIS",
        "EUC-JP",       "ISO-2022-JP",  "EUC-KR",       "GB2312",       "GBK",
        "GB18030",      "BIG5",         "KOI8-R",       "KOI8-U",       "MACINTOSH",
        "IBM437",       "IBM850",       "IBM852",       "TIS-620",
    };

    if (bag_encoding_plain(name))
        return true;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(name, known[i]) == 0)
            return true;
    return false;
}

/* Everything of text through cd. Returns 0 or -1. */
static int convert(iconv_t cd, struct str *text)
{
    AUTO_STR struct str out = STR_INIT;
    char part[4096], *in = text->s;
    size_t left = text->len;

    while (left) {
        char *to = part;
        size_t room = sizeof part;

        if (iconv(cd, &in, &left, &to, &room) == (size_t)-1 && errno != E2BIG)
            return -1;
        str_addn(&out, part, sizeof part - room);
    }
    str_clear(text);
    *text = out;
    out = (struct str)STR_INIT;
    return 0;
}

int bag_decode(struct str *text, const char *encoding)
{
    iconv_t cd;
    int r;

    if (bag_encoding_plain(encoding) || !bag_encoding_known(encoding))
        return 0;
    cd = iconv_open("UTF-8", encoding);
    if ((intptr_t)cd == -1)
        return -1;
    r = convert(cd, text);
    iconv_close(cd);
    return r;
}

bool bag_take_bom(struct str *text)
{
    if (text->len < 3 || memcmp(text->s, "\xef\xbb\xbf", 3) != 0)
        return false;
    memmove(text->s, text->s + 3, text->len - 3);
    str_cut(text, text->len - 3);
    return true;
}

/* ---- lines
 * ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int bag_parse_manifest(char *line, size_t n, struct bag_manifest_line *m)
{
    char *p = line;

    if (memchr(line, '\0', n))
        return -1;
    while (*p && !is_blank(*p))
        p++;
    *m = (struct bag_manifest_line){.hex = line, .hex_len = (size_t)(p - line)};
    if (!m->hex_len || !*p)
        return -1;
    *p++ = '\0';
    while (is_blank(*p))
        p++;
    if (*p == '*') {
        m->star = true;
        p++;
    }
    m->path = p;
    return *p ? 0 : -1;
}

int bag_parse_fetch(char *line, size_t n, struct bag_fetch_line *f)
{
    char *p = line, *size;

    *f = (struct bag_fetch_line){.url = line};
    if (memchr(line, '\0', n))
        return -1;
    while (*p && !is_blank(*p))
        p++;
    if (p == line || !*p)
        return -1;
    *p++ = '\0';
    while (is_blank(*p))
        p++;
    size = p;
    f->size_known = *p >= '0' && *p <= '9';
    for (; *p >= '0' && *p <= '9'; p++) {
        if (f->size > (UINT64_MAX - 9) / 10)
            return -1;
        f->size = f->size * 10 + (uint64_t)(*p - '0');
    }
    if (p == size && *p == '-')
        p++;
    if (p == size || !is_blank(*p))
        return -1;
    while (is_blank(*p))
        p++;
    f->path = p;
    return *p ? 0 : -1;
}

/* ---- paths
 * ----------------------------------------------------------------------------------- */

/* What %XY at p stands for, or -1. */
static int encoded(const char *p, bool full)
{
    if (p[1] == '0' && (p[2] == 'A' || p[2] == 'a'))
        return '\n';
    if (p[1] == '0' && (p[2] == 'D' || p[2] == 'd'))
        return '\r';
    return full && p[1] == '2' && p[2] == '5' ? '%' : -1;
}

bool bag_decode_path(char *path, bool full)
{
    char *to = path;
    bool bare = false;

    for (const char *p = path; *p; p++) {
        int c = *p == '%' ? encoded(p, full) : -1;

        bare |= *p == '%' && c < 0;
        *to++ = c < 0 ? *p : (char)c;
        p += c < 0 ? 0 : 2;
    }
    *to = '\0';
    return bare;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "..", also where backslashes separate. */
static bool climbs(const char *path)
{
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/\\");

        if (n == 2 && p[0] == '.' && p[1] == '.')
            return true;
        p += n + (p[n] != '\0');
    }
    return false;
}

enum bag_path bag_path_plain(char *path)
{
    char *to = path;
    bool dotted = false;

    if (!*path)
        return BAG_PATH_EMPTY;
    if (*path == '/' || *path == '\\' || *path == '~' || climbs(path) ||
        (is_letter(path[0]) && path[1] == ':'))
        return BAG_PATH_OUTSIDE;
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        bool last = p[n] == '\0';

        if (n == 0 || (n == 1 && *p == '.')) {
            dotted = true;
        } else {
            memmove(to, p, n);
            to += n;
            if (!last)
                *to++ = '/';
        }
        p += n + !last;
    }
    *to = '\0';
    if (!*path)
        return BAG_PATH_EMPTY;
    return dotted ? BAG_PATH_DOTTED : BAG_PATH_FINE;
}

int bag_parse_oxum(const char *value, uint64_t *bytes, uint64_t *files)
{
    int end = 0;

    /* NOLINTNEXTLINE(cert-err34-c): what does not fit is not what is there */
    if (sscanf(value, "%20" SCNu64 ".%20" SCNu64 "%n", bytes, files, &end) != 2)
        return -1;
    return value[end] || *value < '0' || *value > '9' ? -1 : 0;
}

/* CON, NUL, COM1 and the like, with any ending. */
static bool is_device(const char *name)
{
    static const char *const words[] = {"CON", "PRN", "AUX", "NUL"};
    size_t n = strcspn(name, ".");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (n == 3 && strncasecmp(name, words[i], 3) == 0)
            return true;
    return n == 4 && name[3] >= '0' && name[3] <= '9' &&
           (strncasecmp(name, "COM", 3) == 0 || strncasecmp(name, "LPT", 3) == 0);
}

static bool is_system_file(const char *name)
{
    static const char *const names[] = {
        ".DS_Store", "Thumbs.db",  "desktop.ini",     ".Spotlight-V100", "ehthumbs.db",
        ".Trashes",  ".fseventsd", ".TemporaryItems", "__MACOSX",        ".AppleDouble"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "._", 2) == 0;
}

const char *bag_path_unwise(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strlen(name);

    if (!n)
        return NULL;
    if (is_system_file(name))
        return "it is a file of an operating system, which makes and changes it by itself";
    if (is_device(name))
        return "Windows takes its name for a device";
    if (strpbrk(name, "<>:\"\\|?*"))
        return "its name has characters that Windows does not allow";
    if (name[n - 1] == '.' || name[n - 1] == ' ' || *name == ' ')
        return "its name begins or ends with a space or a dot, which Windows drops";
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 127)
            return "its name has control characters";
    if (!utf8_valid(name, n))
        return "its name is not UTF-8";
    if (utf8_deceptive(name, n))
        return "its name has characters that are not seen";
    return NULL;
}
