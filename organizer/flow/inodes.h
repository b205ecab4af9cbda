/* inodes: a set of files by device, inode and birth time, each as often as it was added. */
#ifndef ORGANIZER_FLOW_INODES_H
#define ORGANIZER_FLOW_INODES_H

#include <stdbool.h>

struct doc_stamp;
struct inodes; /* an empty set is NULL */

/* Adds it once more. */
void inodes_add(struct inodes **set, const struct doc_stamp *s);
/* Takes one of them away; nothing when there is none. */
void inodes_remove(struct inodes **set, const struct doc_stamp *s);
bool inodes_have(const struct inodes *set, const struct doc_stamp *s);
void inodes_clear(struct inodes **set);

#endif
