/*
 * watcher: recursive inotify(7) below the cabinet. Every event is a hint that leads to a look at
 * the disk; the scan (scan.h) is the truth.
 *
 * Two maps, watch descriptor to folder and (folder, name) to subfolder, changed together by two
 * functions (tree.h). A watch descriptor is forgotten on IN_IGNORED only; an unknown one, an
 * overflow or a lost watch means: scan that subtree. Folders for which there is no watch (limit),
 * or whose watch does not tell all (network file system), are in the swept set, hinted at with
 * HINT_AGAIN every `sweep_ms`; the timer runs only while there are any.
 *
 * Large scans have another thread set the watches, ahead of the picture: watcher_early(). Events of
 * those are noted until the folder is entered (early.h), so that no event is without its folder.
 *
 * What the caller owes: each HINT_SCAN and HINT_AGAIN is answered by a recursive scan of that path, whose
 * folder_enter calls watcher_enter() and whose folder_leave with gone set calls watcher_forget().
 * That alone keeps the picture right: events tell of the past, the pairing of moves is used only
 * to keep watches. A folder that was removed or moved away gets HINT_SCAN for its old path (the
 * scan finds it gone), one that was moved within the cabinet for both.
 *
 * Not told: writing to a file that stays open, before it is closed; truncate(2) and utimensat(2)
 * of the modification time alone, on a path; what happens inside a mount.
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
    HINT_LOOK,  /* something about this path changed: look at it */
    HINT_SCAN,  /* this folder and all below: scan; path "" is the cabinet */
    HINT_AGAIN, /* the same, and nothing says that the folder itself came or went */
};

struct watcher_events {
    /* path from the cabinet down, borrowed. From the event loop. `closed` says that a writer
     * closed it (a good moment to ask whether it is finished). */
    void (*hint)(void *ctx, enum hint hint, const char *path, bool closed);
    /* A folder that must not be entered (rules_ignored, ".organizer", snapshots). */
    bool (*skip)(void *ctx, const char *path, const char *name);
    /* A file came to path, or left it: true when nobody needs to be told. Both ends of one rename
     * have the same cookie. Asked once for each event; may be NULL. */
    bool (*known)(void *ctx, const char *path, bool came, uint32_t cookie);
    /* Events were lost; a hint at all follows. May be NULL. */
    void (*lost)(void *ctx);
    void *ctx;
};

struct watcher_options {
    int root;              /* the cabinet; borrowed */
    const char *root_path; /* absolute */
    uint64_t sweep_ms;     /* how often what cannot be watched is scanned; not 0 */
    uint64_t max_watches;  /* 0: the system's limit; tests set a small one */
};

/* NULL with err when inotify or mountinfo cannot be had. Nothing is watched before a scan enters
 * it. */
struct watcher *watcher_new(uv_loop_t *loop, const struct watcher_options *o,
                            const struct watcher_events *e, struct error *err);
/* Called by the scan when it enters the folder at path, already open as dirfd: makes sure there is
 * a watch before the folder is read. Nothing to do for one that is watched by the same inode.
 * Returns 0, or -1 with err when it goes into the swept set (the scan goes on). */
int watcher_enter(struct watcher *w, const char *path, int dirfd, struct error *err);
/* In another thread, for the scan's `opened`: sets the watch on the folder open as dirfd, before it
 * is read; here: it is the thread's working directory. In the loop's thread watcher_enter() with the
 * same descriptor takes the watch into the picture, or watcher_early_passed() gives it back. What
 * happens to the folder, or in it, before it is entered leads to HINT_AGAIN when it is. */
void watcher_early(struct watcher *w, int dirfd, bool here);
void watcher_early_passed(struct watcher *w, int dirfd);
/* The scan found that the folder is not there any more: forgets it and all below. */
void watcher_forget(struct watcher *w, const char *path);
/* A look at what lies at path was barred by another file system (EXDEV), at it or above it.
 * HINT_AGAIN follows when that goes; true when it is gone already and no hint will tell. */
bool watcher_barred(struct watcher *w, const char *path);
/* Every name that comes into the folder at path, or leaves it, is told. */
bool watcher_tells(const struct watcher *w, const char *path);
/* Members of a JSON object: watches, limit, swept folders and why, overflows, mounts. */
void watcher_status(const struct watcher *w, struct str *out);
uint64_t watcher_count(const struct watcher *w);
/* How many folders are swept. why is borrowed: "limit", "nfs" (or another kind of file system),
 * "mounted twice", "refused"; the first of these that occurs, "" for none. */
uint64_t watcher_unwatched(const struct watcher *w, const char **why);
/* Reads what inotify has now, and which mounts came or went, and hands out the hints: `sync` uses it
 * as the barrier. */
void watcher_pump(struct watcher *w);
/* Hints now at all that is swept, as the timer does: what lies there was not told of. */
void watcher_sweep(struct watcher *w);
/* Stops. NULL is fine. The memory goes when the loop runs next; not from within a hint. */
void watcher_free(struct watcher *w);

#endif
