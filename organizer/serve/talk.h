/*
 * talk: the Unix socket by which verbs ask the daemon: in the private state and, for members of a
 * group, in env.run_home.
 *
 * A request is one line of JSON: {"v":1,"verb":"undo","args":["…"],"cwd":"/…","dry_run":false,
 * "json":false,"force":false}. The answer is one line: {"status":0,"text":"…"}, with "refused":true when
 * who asks may not. The peer is known by
 * SO_PEERCRED: root, the daemon's own user, and members of the configured group may ask; only the
 * first two may change anything.
 */
#ifndef ORGANIZER_SERVE_TALK_H
#define ORGANIZER_SERVE_TALK_H

#include <stdbool.h>

#include "base/str.h"

struct error;

#define TALK_LINE_MAX (1 << 20)

struct talk_request {
    const char *verb;
    const char *const *args; /* NULL-terminated */
    const char *cwd;
    bool dry_run, json, force;
    void (*waiting)(void *ctx); /* called about twice a second until the answer comes; NULL: nobody is */
    void *ctx;
};

struct talk_reply {
    int status;      /* exit status of the verb */
    bool refused;    /* who asks may not: nothing was done */
    struct str text; /* what was done, or why it could not be */
};

/* Asks the daemon whose socket is `name` in folder dir. Returns 1 answered, 0 when no daemon listens, -1
 * with err. Blocks until the answer comes. */
int talk_ask(const char *dir, const struct talk_request *r, struct talk_reply *reply,
             struct error *err);

/* A listening socket in dir, ready for accept; -1 with err. A stale one is replaced: the caller
 * holds the cabinet's lock. */
int talk_listen(const char *dir, struct error *err);
/* Removes the socket, and dir when it is empty then. */
void talk_remove(const char *dir);

#endif
