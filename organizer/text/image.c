/* Pictures: when they were taken (Exif 2.32, TIFF 6.0): own, bounded, nothing is decoded. */
#include <string.h>

#include "text/parse.h"

#define ENTRIES_MAX 500 /* of one directory */

/* A TIFF structure. */
struct tiff {
    const uint8_t *p;
    size_t n;
    bool big; /* most significant byte first */
};

static uint32_t number(const struct tiff *t, size_t at, unsigned bytes)
{
    uint32_t v = 0;

    if (at > t->n || t->n - at < bytes)
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint32_t)t->p[at + i] << 8 * (t->big ? bytes - 1 - i : i);
    return v;
}

/* "2026:03:02 10:11:12" */
static struct date date_at(const struct tiff *t, size_t at)
{
    char day[11];

    if (at > t->n || t->n - at < 10)
        return DATE_NONE;
    memcpy(day, t->p + at, 10);
    day[10] = '\0';
    if (day[4] == ':')
        day[4] = day[7] = '-';
    return date_parse_iso(day);
}

enum { TAG_CHANGED = 0x0132, TAG_EXIF = 0x8769, TAG_TAKEN = 0x9003, TAG_DIGITIZED = 0x9004 };

struct found {
    struct date taken, digitized, changed;
    uint32_t exif, next; /* where further directories are */
};

static void read_directory(const struct tiff *t, size_t at, struct found *f)
{
    uint32_t entries = number(t, at, 2);

    for (uint32_t i = 0; i < entries && i < ENTRIES_MAX; i++) {
        size_t e = at + 2 + (size_t)12 * i;
        uint32_t value = number(t, e + 8, 4);

        switch (number(t, e, 2)) {
        case TAG_CHANGED:
            f->changed = date_at(t, value);
            break;
        case TAG_TAKEN:
            f->taken = date_at(t, value);
            break;
        case TAG_DIGITIZED:
            f->digitized = date_at(t, value);
            break;
        case TAG_EXIF:
            f->exif = value;
            break;
        default:
            break;
        }
    }
    f->next = number(t, at + 2 + (size_t)12 * (entries < ENTRIES_MAX ? entries : ENTRIES_MAX), 4);
}

/* Returns whether p starts a TIFF structure. */
static bool read_tiff(struct paper *p, const uint8_t *bytes, size_t n, bool pages)
{
    struct tiff t = {bytes, n, false};
    struct found f = {0};
    struct content *c = &p->content;

    if (n < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return false;
    t.big = bytes[0] == 'M';
    read_directory(&t, number(&t, 4, 4), &f);
    for (uint32_t next = f.next; pages && next && c->pages < 10000;) {
        struct found other = {0};

        c->pages++;
        read_directory(&t, next, &other);
        next = other.next;
    }
    c->pages += pages;
    if (f.exif)
        read_directory(&t, f.exif, &f);
    c->taken_date = date_is_set(f.taken) ? f.taken : f.digitized;
    c->property_date = f.changed;
    return true;
}

static uint32_t be(const uint8_t *p, unsigned bytes)
{
    uint32_t v = 0;

    while (bytes-- > 0)
        v = v << 8 | *p++;
    return v;
}

/* Segments up to the picture itself. */
static bool read_jpeg(struct paper *p, const struct bytes *b)
{
    size_t at = 2;

    while (at + 4 <= b->n && b->p[at] == 0xFF && b->p[at + 1] != 0xDA) {
        size_t len = be(b->p + at + 2, 2);

        if (b->p[at + 1] == 0xFF) {
            at++;
            continue;
        }
        if (len < 2 || len > b->n - at - 2)
            return true;
        if (b->p[at + 1] == 0xE1 && len > 8 && memcmp(b->p + at + 4, "Exif\0", 6) == 0)
            read_tiff(p, b->p + at + 10, len - 8, false);
        at += 2 + len;
    }
    return b->n > 2 && b->p[0] == 0xFF && b->p[1] == 0xD8;
}

static bool read_png(struct paper *p, const struct bytes *b)
{
    size_t at = 8;

    while (at + 12 <= b->n) {
        size_t len = be(b->p + at, 4);

        if (len > b->n - at - 12)
            break;
        if (memcmp(b->p + at + 4, "eXIf", 4) == 0)
            read_tiff(p, b->p + at + 8, len, false);
        at += 12 + len;
    }
    return b->n > 8 && memcmp(b->p, "\x89PNG", 4) == 0;
}

/* In WebP and HEIC the structure stands somewhere inside a box; it is found by how it begins. */
static void read_boxed(struct paper *p, const struct bytes *b)
{
    size_t n = b->n < ((size_t)16 << 20) ? b->n : (size_t)16 << 20;
    const uint8_t *at = n ? memmem(b->p, n, "Exif\0\0", 6) : NULL;

    if (at)
        read_tiff(p, at + 6, (size_t)(b->p + b->n - at) - 6, false);
    else if (n && (at = memmem(b->p, n, "EXIF", 4)) && (size_t)(b->p + b->n - at) > 8)
        read_tiff(p, at + 8, (size_t)(b->p + b->n - at) - 8, false);
}

void parse_image(struct paper *p, const struct bytes *b)
{
    bool fine = true;

    p->content.flags |= CONTENT_IS_SCAN;
    switch (b->kind) {
    case KIND_JPEG:
        fine = read_jpeg(p, b);
        break;
    case KIND_PNG:
        fine = read_png(p, b);
        break;
    case KIND_TIFF:
        fine = read_tiff(p, b->p, b->n, true);
        break;
    default:
        read_boxed(p, b);
    }
    if (!fine)
        paper_status(p, CONTENT_PART, "content.part.damaged");
}
