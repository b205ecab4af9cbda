/* watcher_private: what watcher.c (life, watches, sweeps) and events.c (what each event means)
 * share. Nobody else includes it. */
#ifndef ORGANIZER_WATCH_WATCHER_PRIVATE_H
#define ORGANIZER_WATCH_WATCHER_PRIVATE_H

#include <sys/inotify.h>
#include <uv.h>

#include "base/str.h"
#include "watch/early.h"
#include "watch/hints.h"
#include "watch/mounts.h"
#include "watch/tree.h"
#include "watch/watcher.h"

/* A folder whose IN_MOVED_FROM was read and whose IN_MOVED_TO was not, so far. */
struct move {
    uint32_t cookie;
    folder_id folder;
    uint64_t reading; /* watcher.reading then */
};

struct watcher {
    struct watcher_options o;
    struct watcher_events e;
    uv_poll_t poll;    /* inotify can be read */
    uv_idle_t later;   /* runs only while moves or given-up watches are open */
    uv_timer_t sweeps; /* runs only while a folder is swept */
    int closing;       /* handles whose close is under way */
    int ifd;
    int parent_wd;   /* of the folder that holds the cabinet; -1 none */
    char *root_name; /* the cabinet's name in it */
    struct tree *tree;
    struct mounts *mounts;
    struct hints hints;
    const char *network; /* kind of file system when it is one that tells nothing, or NULL */

    struct move *moves;
    size_t moves_len, moves_cap;
    folder_id moved;  /* the folder that the last IN_MOVED_TO was about */
    uint64_t reading; /* counts the times that inotify was read to its end */
    uint8_t epoch;    /* counts overflows, from 1, round and round; 0 in a folder: not watched until now */
    bool pumping;

    uint64_t events, overflows;
    struct early early;
    char fd_links[48]; /* "/proc/PID/fd/" */
    struct str path; /* scratch */
    char *buf;
};

/* What one event of inotify means: changes the tree, adds hints. */
void event_take(struct watcher *w, const struct inotify_event *ev);
/* Gives up the folders whose IN_MOVED_FROM was read before the reading with that number and has
 * no IN_MOVED_TO yet. */
void event_expire_moves(struct watcher *w, uint64_t reading);
/* Takes f out of the list of folders moved away. */
void event_forget_move(struct watcher *w, folder_id f);
/* The folder at f's path is the one that f's watch is on. */
bool watcher_in_place(struct watcher *w, folder_id f);
/* Adds HINT_SCAN for the folder's path. */
void watcher_scan_hint(struct watcher *w, folder_id f);

#endif
