/*
 * beside: does a folder hold any name that speaks of a document beside it: a lock file, a
 * signature, the parts of a saved page?
 *
 * To ask for each of thousands of documents costs some twenty-five failing look-ups, more than all
 * else that is done for it. So when many are under way, or the folder is small, it is read once, and
 * while nothing of that kind is in it nobody needs to ask. Who may not rely on the answer asks the disk.
 *
 * Where the watcher tells of every name that comes (`told`), that counts until such a name is heard of
 * (beside_heard) or events were lost (beside_forget); elsewhere for moments only.
 */
#ifndef ORGANIZER_FLOW_BESIDE_H
#define ORGANIZER_FLOW_BESIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct doc_stamp;
struct env;

#define BESIDE_PATH 512 /* of folders with longer ones moments count */

/* What the last folder that was read held. All zero: none was read. */
struct beside {
    dev_t dev;
    ino_t ino;
    int64_t read_ns; /* wall clock before it was read, as file times are */
    int64_t ticks;   /* the same, monotonic */
    int64_t good_ns; /* counts for so long */
    bool any;        /* there are such names, or too many names to tell, or it could not be read */
    bool forks;      /* there is a "._name", where macOS keeps what else it knows of a document */
    bool told;       /* events tell of what comes since */
    char folder[BESIDE_PATH]; /* then: its path from the cabinet down */
};

/* True when it is known that no such name lies in the folder `dir`, of which fstat(2) says st, beside a
 * document with the stamp. many: documents enough are under way to make reading it worth while. told: the folder's path,
 * when events tell of what comes into it; with NULL the document must have come there before it was
 * read. False: ask for the names themselves. */
bool beside_nothing(struct beside *b, int dir, const struct stat *st, const struct doc_stamp *stamp,
                    const struct env *env, bool many, const char *told);
/* Something came to path, or went; a folder that is scanned: with all that is in it. */
void beside_heard(struct beside *b, const char *path, bool folder);
/* Events were lost, or are to be. */
void beside_forget(struct beside *b);
/* After beside_nothing() said so of the document: nor does a "._name" of it lie in that folder, which
 * is written up to a second after the document itself. */
bool beside_no_forks(const struct beside *b, const struct doc_stamp *stamp);

#endif
