/*
 * classify: sniffing, then libmagic with rules/documents.magic, then with the system's.
 */
#ifndef ORGANIZER_EXAMINE_CLASSIFY_H
#define ORGANIZER_EXAMINE_CLASSIFY_H

#include "examine/kind.h"
#include "examine/source.h"

struct classifier;

/* Loads the magic: magic_file may be NULL, "", missing or bad: then it goes without. */
struct classifier *classifier_new(const char *magic_file);
void classifier_free(struct classifier *c);
/* Whether magic_file was read. */
bool classifier_has_own(const struct classifier *c);
/* What the document behind fd is; KIND_UNKNOWN with *error set when it cannot be read. */
enum kind classify(struct classifier *c, int fd, int *error);

#endif
