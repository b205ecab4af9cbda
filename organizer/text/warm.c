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

#define ROOM    ((size_t)4 << 20) /* behind what is in use */
#define FIRST   ((size_t)1 << 20) /* of it, what a page of text takes */
#define LARGEST ((size_t)1 << 20) /* free piece that is looked for; then halves of it */
#define LEAST   ((size_t)64)

#define NOBODY    0U
#define EVERYBODY ~0U
#define GLIB      (NEEDS_PDF | NEEDS_MAIL | NEEDS_OLE)

/* Who needs a library, by the beginning of its file's name; what is not here everybody gets. Only
 * what is sure is here: cairo brings X11, which is for windows. */
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
    {"libtiff", NEEDS_PDF},
    {"libwebp", NEEDS_PDF},
    {"libjbig", NEEDS_PDF},
    {"libdeflate", NEEDS_PDF},
    {"libLerc", NEEDS_PDF},
    {"libnss", NEEDS_PDF},
    {"libsmime3", NEEDS_PDF},
    {"libplds4", NEEDS_PDF},
    {"libplc4", NEEDS_PDF},
    {"libnspr4", NEEDS_PDF},
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

struct warm {
    struct mapping *mappings;
    size_t len, cap;
    unsigned needs; /* of the next child; at first all */
};

/* ---- memory ----------------------------------------------------------------------------------- */

/* Where what malloc(3) has not given out begins: from there the heap is free to its end. */
static char *heap_rest(const struct mallinfo2 *m)
{
    return (char *)sbrk(0) - m->keepcost;
}

/* Takes free pieces of this size, for ever, while there are some. */
static void fill(size_t size)
{
    struct mallinfo2 m = mallinfo2();

    for (size_t n = (m.fordblks - m.keepcost) / size; n > 0; n--) {
        char *p = malloc(size);

        if (!p || p + size < heap_rest(&m))
            continue;
        free(p);
        break;
    }
}

static void make_room(void)
{
    void *volatile room; /* or it would not be asked for at all */

    mallopt(M_MMAP_THRESHOLD, (int)(2 * ROOM));
    mallopt(M_TRIM_THRESHOLD, (int)(8 * ROOM));
    for (size_t size = LARGEST; size >= LEAST; size /= 2)
        fill(size);
    malloc_trim(0);
    room = malloc(ROOM);
    free(room);
}

void warm_parser(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct mallinfo2 m = mallinfo2();
    uintptr_t from = ((uintptr_t)heap_rest(&m) + page - 1) & ~(page - 1);

    if (m.keepcost > FIRST + page)
        madvise((char *)from, FIRST, MADV_POPULATE_WRITE);
}

/* ---- libraries -------------------------------------------------------------------------------- */

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
    make_room();
    return w;
}

void warm_free(struct warm *w)
{
    if (!w)
        return;
    free(w->mappings);
    free(w);
}
