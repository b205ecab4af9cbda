/*
 * launch: starts a reader as a process of its own.
 */
#ifndef ORGANIZER_EXAMINE_LAUNCH_H
#define ORGANIZER_EXAMINE_LAUNCH_H

#include <sys/types.h>

#include "examine/wire.h"

struct launched {
    pid_t pid;
    int sock; /* our end: non-blocking, close-on-exec */
};

/*
 * Starts exe with the arguments "organizer", "--reader", kind: in a session of its own, with an
 * empty environment, no signals blocked, descriptors 0 to 2 on /dev/null, its socket as WIRE_FD
 * and no other; then sends it setup. exe NULL forks instead and calls reader_main(), which only
 * a program without threads may do. Returns 0, or -1 with errno.
 */
int launch_reader(const char *exe, const char *kind, const struct wire_setup *setup,
                  struct launched *out);
/* A connected pair: [0] is ours (non-blocking), [1] the reader's; both close-on-exec. */
int launch_pair(int sock[2]);

#endif
