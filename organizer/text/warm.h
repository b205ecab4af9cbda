/*
 * warm: what makes a parser cheap to fork.
 *
 *   warm_new()    once, in the nursery, when all is prepared and before it shuts itself in
 *   warm_fork()   before each fork: what the document's parser needs of the libraries
 *   warm_parser() in the parser, before it reads
 *   warm_free()
 *
 * A page of text is read in a millisecond or two; giving a new process its memory page by page,
 * and copying for it the map of sixty libraries, took the kernel more than that. Where something
 * of this is not to be had, it is done without.
 */
#ifndef ORGANIZER_TEXT_WARM_H
#define ORGANIZER_TEXT_WARM_H

#include <stddef.h>

/* What parsers need; a format tells its own. */
enum warm_needs {
    NEEDS_PDF = 1 << 0,      /* poppler, with fonts and pictures */
    NEEDS_ZIP = 1 << 1,      /* libarchive */
    NEEDS_XML = 1 << 2,      /* libxml2 */
    NEEDS_MAIL = 1 << 3,     /* GMime */
    NEEDS_OLE = 1 << 4,      /* libgsf */
    NEEDS_CHARSETS = 1 << 5, /* iconv's modules */
};

#define WARM_ROOM ((size_t)4 << 20) /* bytes of address space that warm_new() takes */

struct warm;

/* Fills what is free between the memory that is in use, so that parsers write on fresh pages and
 * copy none, makes room for them behind it, and looks which library lies where. */
struct warm *warm_new(void);
/* needs: an OR of enum warm_needs. Libraries that are for others only are not in the next child:
 * it dies when it touches them. */
void warm_fork(struct warm *w, unsigned needs);
/* Has the kernel give the first part of the room at once. */
void warm_parser(const struct warm *w);
void warm_free(struct warm *w);

#endif
