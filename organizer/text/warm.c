#include "text/warm.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"

#define FIRST   ((size_t)1 << 20)    /* bytes of the room: what a page of text takes */
#define HUGE    ((uintptr_t)2 << 20) /* bytes of a huge page, where there are any */
#define HEADER  ((uintptr_t)64)      /* at least what malloc(3) keeps before what it gives */
#define LARGEST ((size_t)1 << 20)    /* free piece that is looked for; then halves of it */
#define LEAST   ((size_t)64)

#define NOBODY    0U
#define EVERYBODY ~0U
#define GLIB      (NEEDS_PDF | NEEDS_MAIL | NEEDS_OLE)

/* Who needs a library, by the beginning of its file's name; what is not here everybody gets. Only
 * what is sure is here: cairo brings X11, which is for windows, poppler NSS, which verifies
 * signatures, and libtiff, which writes pictures. */
static const struct {
    const char *name;
    unsigned needs;
} libraries[] = {
    {"gconv/gconv-modules", EVERYBODY},
    {"gconv/UTF-16", NEEDS_CHARSETS | NEEDS_PDF}, /* GLib's, for titles */
    {"gconv/", NEEDS_CHARSETS},
    {"libpoppler", NEEDS_PDF},
    {"libcairo", NEEDS_PDF},
    {"libpixman", NEEDS_PDF},
    {"libfreetype", NEEDS_PDF},
    {"libfontconfig", NEEDS_PDF},
    {"libexpat", NEEDS_PDF},
    {"libpng16", NEEDS_PDF},
    {"libbrotli", NEEDS_PDF},
    {"liblcms2", NEEDS_PDF},
    {"libopenjp2", NEEDS_PDF},
    {"libjpeg", NEEDS_PDF},
    {"libtiff", NOBODY},
    {"libwebp", NOBODY},
    {"libjbig", NOBODY},
    {"libdeflate", NOBODY},
    {"libLerc", NOBODY},
    {"libnss", NOBODY},
    {"libsmime3", NOBODY},
    {"libplds4", NOBODY},
    {"libplc4", NOBODY},
    {"libnspr4", NOBODY},
    {"libX", NOBODY},
    {"libxcb", NOBODY},
    {"libbsd", NOBODY},
    {"libmd", NOBODY},
    {"libarchive", NEEDS_ZIP},
    {"libnettle", NEEDS_ZIP},
    {"libacl", NEEDS_ZIP},
    {"liblz4", NEEDS_ZIP},
    {"libzstd", NEEDS_ZIP | NEEDS_PDF},
    {"libbz2", NEEDS_ZIP | NEEDS_OLE | NEEDS_PDF},
    {"liblzma", NEEDS_ZIP | NEEDS_XML | NEEDS_OLE | NEEDS_PDF},
    {"libxml2", NEEDS_XML | NEEDS_OLE},
    {"libicu", NEEDS_XML | NEEDS_OLE},
    {"libgmime", NEEDS_MAIL},
    {"libgpg", NEEDS_MAIL},
    {"libassuan", NEEDS_MAIL},
    {"libidn2", NEEDS_MAIL},
    {"libunistring", NEEDS_MAIL},
    {"libgsf", NEEDS_OLE},
    {"libuchardet", NEEDS_CHARSETS},
    {"libgio", GLIB},
    {"libgmodule", GLIB},
    {"libmount", GLIB},
    {"libblkid", GLIB},
    {"libselinux", GLIB},
};

/* A part of a library. */
struct mapping {
    void *p;
    size_t n;
    unsigned needs;
};

/* A piece of memory that is kept so that nobody writes there. */
struct piece {
    struct piece *next;
};

struct warm {
    struct piece *pieces;
    void *skipped; /* before the room */
    struct mapping *mappings;
    size_t len, cap;
    unsigned needs; /* of the next child; at first all */
    void *room;     /* FIRST bytes behind the heap; NULL: there are none */
};

/* ---- memory -----------------------------------------------------------------------------------
 */

/* Where what malloc(3) has not given out begins: from there the heap is free to its end. */
static char *heap_rest(const struct mallinfo2 *m)
{
    return (char *)sbrk(0) - m->keepcost;
}

/* Takes free pieces of this size, for ever, while there are some. */
static void fill(struct warm *w, size_t size)
{
    struct mallinfo2 m = mallinfo2();

    for (size_t n = (m.fordblks - m.keepcost) / size; n > 0; n--) {
        struct piece *p = malloc(size);

        if (!p || (char *)p + size >= heap_rest(&m)) {
            free(p);
            break;
        }
        p->next = w->pieces;
        w->pieces = p;
    }
}

/* Takes what is left before the next huge page, but for the header of what comes next: so the
 * nursery touches nothing of that page, and a parser gets it whole. */
static void skip_to_huge_page(struct warm *w)
{
    struct mallinfo2 m = mallinfo2();
    uintptr_t rest = (uintptr_t)heap_rest(&m);
    uintptr_t next = (rest + 2 * HEADER + HUGE - 1) & ~(HUGE - 1);

    w->skipped = malloc(next - rest - 2 * HEADER);
}

static void make_room(struct warm *w)
{
    void *volatile room; /* or it would not be asked for at all */

    mallopt(M_MMAP_THRESHOLD, (int)(2 * WARM_ROOM));
    mallopt(M_TRIM_THRESHOLD, (int)(8 * WARM_ROOM));
    for (size_t size = LARGEST; size >= LEAST; size /= 2)
        fill(w, size);
    malloc_trim(0);
    skip_to_huge_page(w);
    room = malloc(WARM_ROOM);
    free(room);
}

/* The first whole page of it. */
static void *room_begin(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct mallinfo2 m = mallinfo2();
    uintptr_t from = ((uintptr_t)heap_rest(&m) + page - 1) & ~(page - 1);

    return m.keepcost > HUGE + page ? (void *)from : NULL;
}

void warm_parser(const struct warm *w)
{
    if (w->room)
        madvise(w->room, FIRST, MADV_POPULATE_WRITE);
}

/* ---- libraries --------------------------------------------------------------------------------
 */

/* False: everybody does. */
static bool who_needs(const char *path, unsigned *needs)
{
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        const char *at = strstr(path, libraries[i].name);

        if (!at || at == path || at[-1] != '/')
            continue;
        *needs = libraries[i].needs;
        return *needs != EVERYBODY;
    }
    return false;
}

/* "7f1200000000-7f1200002000 r-xp …" */
static bool read_bounds(const char *line, uintptr_t *from, uintptr_t *to)
{
    char *end;

    *from = strtoul(line, &end, 16);
    if (end == line || *end != '-')
        return false;
    line = end + 1;
    *to = strtoul(line, &end, 16);
    return end != line && *end == ' ';
}

static void add_mapping(struct warm *w, const char *line)
{
    uintptr_t from, to;
    const char *path = strchr(line, '/');
    unsigned needs;

    if (!path || !read_bounds(line, &from, &to) || !who_needs(path, &needs))
        return;
    GROW(w->mappings, w->len, w->cap);
    w->mappings[w->len++] = (struct mapping){(void *)from, to - from, needs};
}

/* Symbols must all have been looked up: looking for one touches all libraries. */
static void look_at_libraries(struct warm *w)
{
    FILE *f = getenv("LD_BIND_NOW") ? fopen("/proc/self/maps", "re") : NULL;
    char line[4096];

    while (f && fgets(line, sizeof line, f))
        add_mapping(w, line);
    if (f)
        fclose(f);
}

void warm_fork(struct warm *w, unsigned needs)
{
    for (size_t i = 0; i < w->len; i++) {
        const struct mapping *m = &w->mappings[i];
        bool had = (m->needs & w->needs) != 0, has = (m->needs & needs) != 0;

        if (had != has)
            madvise(m->p, m->n, has ? MADV_DOFORK : MADV_DONTFORK);
    }
    w->needs = needs;
}

struct warm *warm_new(void)
{
    struct warm *w = xcalloc(1, sizeof *w);

    look_at_libraries(w);
    for (size_t i = 0; i < w->len; i++)
        if (w->mappings[i].needs == NOBODY)
            madvise(w->mappings[i].p, w->mappings[i].n, MADV_DONTFORK);
    w->needs = ~0U;
    make_room(w);
    w->room = room_begin();
    if (w->room)
        madvise(w->room, HUGE, MADV_HUGEPAGE);
    return w;
}

void warm_free(struct warm *w)
{
    if (!w)
        return;
    while (w->pieces) {
        struct piece *p = w->pieces;

        w->pieces = p->next;
        free(p);
    }
    free(w->skipped);
    free(w->mappings);
    free(w);
}
