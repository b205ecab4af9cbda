/*
 * parents: the folders that documents leave and come to, open for a few acts at a time.
 *
 * Of a crowd most documents leave one folder and go to a few. To resolve both again for each took a
 * fourth of what the filer asks of the kernel. What is open stays so for PARENTS_ACTS acts, which on
 * a disk of one's own is about ten milliseconds: a folder that is moved meanwhile takes along what
 * comes to it, as it would a moment later. Whoever moves a folder by an act forgets all of them.
 */
#ifndef ORGANIZER_FILE_PARENTS_H
#define ORGANIZER_FILE_PARENTS_H

#include <stddef.h>

struct folders;

#define PARENTS_ACTS 64

/* All zero at first. */
struct parents {
    struct parent {
        char *folder; /* from the cabinet down */
        size_t len;
        int fd;
    } list[2 * PARENTS_ACTS];
    size_t len;
    unsigned acts; /* since the first was opened */
};

/* An act begins, which opens two at most. What was kept long enough is closed. */
void parents_begin(struct parents *p);
/* The folder that holds path, as beneath_parent(), opened when it is not open yet; then it is added to
 * touched. Borrowed until the next act begins. -1 with errno. */
int parents_open(struct parents *p, int root, const char *path, const char **name,
                 struct folders *touched);
/* Closes all. */
void parents_clear(struct parents *p);

#endif
