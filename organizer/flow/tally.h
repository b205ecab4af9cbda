/* tally: a set of files (by device, inode and birth time), documents (by case and number) or paths,
 * each as often as it was added. */
#ifndef ORGANIZER_FLOW_TALLY_H
#define ORGANIZER_FLOW_TALLY_H

#include <stdbool.h>
#include <stddef.h>

struct doc;
struct doc_stamp;
struct tally; /* an empty one is NULL */

struct tally_key {
    unsigned char b[48];
};

/* The key of a file, of a document. */
struct tally_key tally_file(const struct doc_stamp *s);
struct tally_key tally_doc(const struct doc *d);
/* The key of a path of n bytes, as the place of a document and as a folder. Two of a million agree
 * once in 10^7 times: for what costs only a look when they do. */
struct tally_key tally_path(const char *path, size_t n);
struct tally_key tally_folder(const char *path, size_t n);

/* Adds one, also when it is there already. */
void tally_add(struct tally **set, const struct tally_key *key);
/* Takes one of them away; nothing when there is none. */
void tally_remove(struct tally **set, const struct tally_key *key);
/* At least one is there. */
bool tally_has(const struct tally *set, const struct tally_key *key);
/* Empties and frees it. */
void tally_clear(struct tally **set);

/* tally_has() of a file. */
bool tally_has_file(const struct tally *set, const struct doc_stamp *s);

#endif
