/*
 * bag_names: names in a form in which those that people take for the same fall together, found
 * without keeping that form: 16 bytes a name.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_NAMES_H
#define ORGANIZER_ARCHIVE_BAG_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "archive/bag_table.h"

/* utf8_nfc() or utf8_fold(): the form, owned by the caller. */
typedef char *bag_form(const char *name);

struct bag_names {
    bag_form *form;
    struct bag_name {
        uint64_t hash; /* of the form */
        const struct bag_file *file;
    } *list; /* by hash, then by path */
    size_t len;
    uint64_t seed; /* so that nobody can make names that all fall together */
};

/* Of all files of the table that are present; files are borrowed. */
void bag_names_make(struct bag_names *n, const struct bag_table *t, bag_form *form);
/* The file whose name has that form, NULL when there is none, or several. */
const struct bag_file *bag_names_find(const struct bag_names *n, const char *form);
/* Calls each for two files of the same form that follow one another, by their paths. */
void bag_names_pairs(const struct bag_names *n,
                     void (*each)(void *ctx, const struct bag_file *a, const struct bag_file *b),
                     void *ctx);
void bag_names_clear(struct bag_names *n);

#endif
