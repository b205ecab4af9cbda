/*
 * beside: does a folder hold any name that speaks of a document beside it: a lock file, a
 * signature, the parts of a saved page?
 *
 * To ask for each of thousands of documents costs some twenty-five failing look-ups, more than all
 * else that is done for it. So when many are under way the folder is read once, and while nothing
 * of that kind is in it nobody needs to ask. Who may not rely on the answer asks the disk.
 */
#ifndef ORGANIZER_FLOW_BESIDE_H
#define ORGANIZER_FLOW_BESIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct doc_stamp;
struct env;

/* What the last folder that was read held. All zero: none was read. */
struct beside {
    dev_t dev;
    ino_t ino;
    int64_t read_ns; /* wall clock before it was read, as file times are */
    int64_t ticks;   /* the same, monotonic */
    int64_t good_ns; /* counts for so long */
    bool any;        /* there are such names, or too many names to tell */
    bool forks;      /* there is a "._name", where macOS keeps what else it knows of a document */
};

/* True when it is known that no such name lies in the folder `dir` beside a document with the
 * stamp, which came there before the folder was read. many: documents enough are under way to make
 * reading it worth while. False: ask for the names themselves. */
bool beside_nothing(struct beside *b, int dir, const struct doc_stamp *stamp, const struct env *env,
                    bool many);
/* After beside_nothing() said so of the document: nor does a "._name" of it lie in that folder, which
 * is written up to a second after the document itself. */
bool beside_no_forks(const struct beside *b, const struct doc_stamp *stamp);

#endif
