/*
 * scan: walks a folder tree in slices of at most SCAN_SLICE_MS, one statx(2) an entry. The one
 * truth that start, overflow, a lost watch, doubt and the nightly timer lead to.
 *
 * For each folder: folder_enter (where the caller sets the watch, before anything is read), then
 * entry for each name in it, then folder_leave; then its subfolders, depth first. All names of a
 * folder are read in one go between enter and leave, so that they are those of one moment; that
 * one step takes longer than a slice for folders of more than some 10,000 entries. The entries
 * may then be looked at in several slices: one that vanished meanwhile is not told, and one that
 * came since the names were read is left to the watch. No other folder is entered before leave.
 *
 * A folder that is not there (any more), or is none, gets folder_leave with gone set, also
 * without a folder_enter before; this goes for the path that the scan starts with, too. One that
 * cannot be read gets folder_leave with the errno and gone not set; EXDEV is that of a path that
 * leads through a mount. Symbolic links are entries, never followed. Mounts below the root are
 * entries of type folder with `mount` set, not entered.
 *
 * With `plain_folders` a folder costs no statx(2) of its own: the entry tells only its name and type,
 * and a mount is told when it is not entered, by folder_leave with EXDEV.
 *
 * With `opened` a scan of many folders has a thread's help (ahead.h), which opens and reads up to
 * AHEAD_PLACES folders before they are entered; as many may be entered between a folder and its first
 * subfolder. The watch is set in `opened`, so it comes before the reading, as always. What moves a
 * folder, or one above it, between `opened` and folder_enter makes events in folders that were
 * watched before; whoever sets the watches must see to it that after such an event, or one in the
 * folder itself, the path is scanned once more (watcher.h does). Then nothing is missed, and what was
 * told under a path where it no longer is was a hint too many. What is done about a hint begins with
 * the path from the root, as ever: nobody gains more from moving a folder in that moment than a
 * look at what he moved.
 */
#ifndef ORGANIZER_WATCH_SCAN_H
#define ORGANIZER_WATCH_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <uv.h>

#include "record/doc.h"

struct error;
struct scan;

#define SCAN_SLICE_MS 4

struct scan_entry {
    const char *path; /* from the cabinet down */
    const char *name; /* its last part */
    mode_t mode;      /* as stat(2) */
    uint32_t nlink, uid;
    struct doc_stamp stamp;
    bool mount; /* another file system is mounted here */
    int error;  /* errno of a failed statx, else 0 */
};

struct scan_events {
    /* Returns false to leave the folder out: nothing more is told of it and what is below. dirfd
     * is open during enter … leave. */
    bool (*folder_enter)(void *ctx, const char *path, int dirfd);
    void (*entry)(void *ctx, const struct scan_entry *e, int dirfd);
    void (*folder_leave)(void *ctx, const char *path, bool gone, int error);
    /* All is done; the scan may be freed in it, and nowhere else from within these four. */
    void (*done)(void *ctx);
    /* Before (begin) and after the calls that are made in one turn of the loop. May be NULL. */
    void (*around)(void *ctx, bool begin);
    /* Asked after each entry: true to rest until scan_go_on(), so that what was told can be dealt with
     * first. May be NULL; scan_run() does not ask. */
    bool (*enough)(void *ctx);
    void *ctx;
    bool plain_folders;
    /* Asked before a folder is opened: true to leave it out, of which nothing is told. May be NULL. */
    bool (*skip)(void *ctx, const char *path);
    /* From another thread: this folder is open now, and about to be read; here: it is that thread's
     * working directory, "." for short. folder_enter comes later, with the same descriptor. May be
     * NULL: all is done in the loop's thread. */
    void (*opened)(void *ctx, int dirfd, bool here);
    /* What opened was told will not be entered: the scan is freed. May be NULL. */
    void (*passed)(void *ctx, int dirfd);
    /* So many folders are read before there is another thread: for few it does not pay. */
    unsigned alone;
};

/* Starts scanning path ("" is the root) recursively (or only that folder) on the loop. root is
 * borrowed. Returns NULL with err when root is not an open descriptor. */
struct scan *scan_start(uv_loop_t *loop, int root, const char *path, bool recursive,
                        const struct scan_events *e, struct error *err);
/* Runs it to the end now: for verbs and tests. done is called before it returns. */
void scan_run(struct scan *s);
/* Goes on after a rest; nothing to do when it does not rest. NULL is fine. */
void scan_go_on(struct scan *s);
/* Entries and folders seen so far, for progress. */
void scan_progress(const struct scan *s, uint64_t *folders, uint64_t *entries);
/* Stops when not done. NULL is fine. The memory goes when the loop runs next. */
void scan_free(struct scan *s);

#endif
