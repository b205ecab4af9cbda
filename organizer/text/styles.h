/* styles: the named looks of a word processor's document, which take over from each other. */
#ifndef ORGANIZER_TEXT_STYLES_H
#define ORGANIZER_TEXT_STYLES_H

#include <stdbool.h>
#include <stddef.h>

#include "text/markup.h"
#include "text/paper.h"

#define STYLES_MAX 600 /* more are ignored */

struct style {
    char name[64], parent[64];
    struct look look;
    bool says_centred, says_bold; /* itself, not its parent */
};

/* All zero at first. */
struct styles {
    struct style list[STYLES_MAX];
    size_t len;
    struct style *open; /* whose element is open; NULL: none */
};

/* Begins the style that the attribute names: open, until the caller sets it NULL. */
void styles_begin(struct styles *s, const struct tag *t, const char *attribute);
/* NULL when there is none, or name is "". */
const struct style *styles_find(const struct styles *s, const char *name);
/* Fills in what a style takes over from its parents, those that are known by now. */
void styles_inherit(const struct styles *s, struct style *style);

#endif
