/*
 * watcher: recursive inotify(7) below the cabinet. Every event is a hint that leads to a look at
 * the disk; the scan (scan.h) is the truth.
 *
 * Two maps, watch descriptor to folder node and folder node to children, changed together by two
 * functions. A watch is dropped on IN_IGNORED only; an unknown wd, an overflow or a lost pairing
 * means: scan that subtree. Folders for which there is no watch (limit, network file system)
 * are in the swept set, scanned every `sweep_ms`.
 */
#ifndef ORGANIZER_WATCH_WATCHER_H
#define ORGANIZER_WATCH_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct error;
struct str;
struct watcher;

enum hint {
    HINT_LOOK, /* something about this path changed: look at it */
    HINT_SCAN, /* this folder and all below: scan; path "" is the cabinet */
};

struct watcher_events {
    /* path from the cabinet down, borrowed. From the event loop. `closed` says that a writer
     * closed it (a good moment to ask whether it is finished). */
    void (*hint)(void *ctx, enum hint hint, const char *path, bool closed);
    /* A folder that must not be entered (rules_ignored, ".organizer", snapshots). */
    bool (*skip)(void *ctx, const char *path, const char *name);
    void *ctx;
};

struct watcher_options {
    int root;              /* the cabinet; borrowed */
    const char *root_path; /* absolute */
    uint64_t sweep_ms;     /* how often what cannot be watched is scanned */
    uint64_t max_watches;  /* 0: the system's limit; tests set a small one */
};

struct watcher *watcher_new(uv_loop_t *loop, const struct watcher_options *o,
                            const struct watcher_events *e, struct error *err);
/* Called by the scan when it enters the folder at path, already open as dirfd: makes sure there is
 * a watch before the folder is read. Nothing to do for one that is watched by the same inode.
 * Returns 0, or -1 with err when it goes into the swept set (the scan goes on). */
int watcher_enter(struct watcher *w, const char *path, int dirfd, struct error *err);
/* The scan found that the folder is not there any more: forgets it and all below. */
void watcher_forget(struct watcher *w, const char *path);
/* Members of a JSON object: watches, limit, swept folders and why, overflows, mounts. */
void watcher_status(const struct watcher *w, struct str *out);
uint64_t watcher_count(const struct watcher *w);
/* Folders below path that are swept, not watched; why is borrowed ("limit", "nfs"). Returns how
 * many there are. */
uint64_t watcher_unwatched(const struct watcher *w, const char **why);
/* Reads what inotify has now and hands out the hints: `sync` uses it as the barrier. */
void watcher_pump(struct watcher *w);
void watcher_free(struct watcher *w);

#endif
