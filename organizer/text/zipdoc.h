/* zipdoc: what Office and OpenDocument files have in common. */
#ifndef ORGANIZER_TEXT_ZIPDOC_H
#define ORGANIZER_TEXT_ZIPDOC_H

#include "text/box.h"
#include "text/markup.h"

/* A document at work. */
struct zipdoc {
    struct paper *paper;
    struct box box;
    char **names; /* of its parts */
    size_t len, cap;
};

/* Names its parts and sets the flags that they tell. False, and the paper says why, when it is no
 * archive. */
bool zipdoc_open(struct zipdoc *z, struct paper *p, const struct bytes *b);
/* The names that start with prefix and end in ".xml", in order of the number behind it, as a new
 * NULL-terminated array of borrowed strings. */
const char **zipdoc_parts(const struct zipdoc *z, const char *prefix);
/* Takes elements' text of a part with properties. */
struct zipdoc_property {
    const char *element;
    char **field;      /* set to its text, or */
    struct date *date; /* to its date, or */
    unsigned *number;  /* to its number */
};
void zipdoc_properties(struct zipdoc *z, const char *part, const struct zipdoc_property *list,
                       size_t n);
/* Takes title, author and date of an Office document. */
void zipdoc_core(struct zipdoc *z);
/* Tells on the paper how far it could be read, and frees what it holds. main: what
 * markup_part() said of its main part. */
void zipdoc_close(struct zipdoc *z, int main);

#endif
