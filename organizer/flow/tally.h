/* tally: a set of files (by device, inode and birth time) or of documents (by case and number),
 * each as often as it was added. */
#ifndef ORGANIZER_FLOW_TALLY_H
#define ORGANIZER_FLOW_TALLY_H

#include <stdbool.h>

struct doc;
struct doc_stamp;
struct tally; /* an empty one is NULL */

struct tally_key {
    unsigned char b[48];
};

struct tally_key tally_file(const struct doc_stamp *s);
struct tally_key tally_doc(const struct doc *d);

void tally_add(struct tally **set, const struct tally_key *key);
/* Takes one of them away; nothing when there is none. */
void tally_remove(struct tally **set, const struct tally_key *key);
bool tally_has(const struct tally *set, const struct tally_key *key);
void tally_clear(struct tally **set);

/* tally_has() of a file. */
bool tally_has_file(const struct tally *set, const struct doc_stamp *s);

#endif
