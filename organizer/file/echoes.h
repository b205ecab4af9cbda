/*
 * echoes: what inotify will tell of the filer's own renames, so that nobody looks at it.
 *
 * Each document that is filed comes back as two events, of its old name and of its new one. To look
 * at both costs more than half as much as the arrival did, and tells nothing: the filer has compared
 * what lies under the new name. So it says here what it is about to rename, and whoever reads the
 * events takes it away again, once each. What is not taken in time is forgotten, and anything else
 * that happens at these paths is an event too many, which is looked at. (The kernel makes one event of
 * two arrivals at one name when nothing that is watched happens between: what is renamed over a
 * document from an unwatched folder before its echo was read is found by the next sweep.)
 *
 * The arrival must be that of the same rename as the leaving that was taken last: the folder of the
 * new name may just have been made, and where no watch is yet nothing tells of the arrival. What comes
 * there later is what somebody else put there.
 *
 * The filer's thread expects, the loop's thread takes.
 */
#ifndef ORGANIZER_FILE_ECHOES_H
#define ORGANIZER_FILE_ECHOES_H

#include <stdbool.h>
#include <stdint.h>

struct echoes;

/* None is expected; echoes_free(), for which NULL is fine. */
struct echoes *echoes_new(void);
void echoes_free(struct echoes *e);
/* A document is about to be renamed; paths from the cabinet down. */
void echoes_expect(struct echoes *e, const char *from, const char *to);
/* It was not, or what became of it is not known: every event counts. */
void echoes_recall(struct echoes *e, const char *from, const char *to);
/* An event says that something came to path, or left it; cookie is the event's, the same for both
 * ends of one rename (inotify(7)). True when it is the echo of a rename, and the first that says so;
 * an arrival by another rename ends the waiting, too. */
bool echoes_take(struct echoes *e, const char *path, bool came, uint32_t cookie);
/* Events were lost: what was expected may never come. */
void echoes_forget(struct echoes *e);

#endif
