/*
 * suspects: documents that the disk may not have as they were read.
 *
 * The kernel tells once that bytes could not be written: from then on they count as written, the
 * next sync succeeds, and who reads finds them in memory for as long as they are kept there. So
 * after a sync that failed its documents are suspects: before one of them is filed it is read from
 * the disk itself, and must be what it was before that. After a syncfs(2) that failed each document
 * is one, until the program ends; the others are kept in the private state.
 *
 * What could not be filed for good has its digest from then: what is read later may be what the
 * disk has instead. All functions but new and free: any thread.
 */
#ifndef ORGANIZER_FILE_SUSPECTS_H
#define ORGANIZER_FILE_SUSPECTS_H

#include <stddef.h>

#include "file/act.h"

struct suspects;

/* None yet. */
struct suspects *suspects_new(void);
/* NULL is fine. */
void suspects_free(struct suspects *s);
/* A sync of these n open documents failed. */
void suspects_add(struct suspects *s, const int *fds, size_t n);
/* One of the whole file system did. */
void suspects_add_all(struct suspects *s);
/* The document of an act that may have to be done again, and maybe by another process than began
 * it. */
void suspects_add_act(struct suspects *s, const struct act *a);
/* The act comes back undone: when its document is a suspect, its digest is known from now on. */
void suspects_learn(struct suspects *s, const struct act *a);
/* The act's document, open as a->fd, lies at path below root. 0: no suspect, or the disk has it,
 * and it is none any more. -1 with the act's status and error: LOST when the disk does not have it,
 * a->doc.digest is then what it was. */
int suspects_check(struct suspects *s, int root, const char *path, struct act *a);
/* Those that are known, for suspects_read(); on the device root_dev where they are on that now.
 * NULL when nothing changed since *upto, which is 0 at first. Caller frees. */
char *suspects_text(struct suspects *s, uint64_t root_dev, uint64_t *upto);
/* Adds those of a text; what is no such line counts for nothing. */
void suspects_read(struct suspects *s, uint64_t root_dev, const char *text);

#endif
