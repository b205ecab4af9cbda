/*
 * scan: walks a folder tree in slices of at most SCAN_SLICE_MS, one statx(2) an entry. The one
 * truth that start, overflow, a lost watch, doubt and the nightly timer lead to.
 *
 * For each folder: folder_enter (where the caller sets the watch, before anything is read), then
 * entry for each name in it, then folder_leave; then its subfolders, depth first. The folder is
 * read whole between enter and leave, never across a slice: what leave knows is one moment.
 * A folder that vanishes meanwhile gets folder_leave with gone set. Symbolic links are entries,
 * never followed. Mounts below the root are entries of type folder with `mount` set, not entered.
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
    /* Returns false to leave the folder out. dirfd is open during enter … leave. */
    bool (*folder_enter)(void *ctx, const char *path, int dirfd);
    void (*entry)(void *ctx, const struct scan_entry *e, int dirfd);
    void (*folder_leave)(void *ctx, const char *path, bool gone, int error);
    /* All is done; the scan may be freed in it. */
    void (*done)(void *ctx);
    void *ctx;
};

/* Starts scanning path ("" is the root) recursively (or only that folder) on the loop. */
struct scan *scan_start(uv_loop_t *loop, int root, const char *path, bool recursive,
                        const struct scan_events *e, struct error *err);
/* Runs it to the end now: for verbs and tests. done is called before it returns. */
void scan_run(struct scan *s);
/* Entries and folders seen so far, for progress. */
void scan_progress(const struct scan *s, uint64_t *folders, uint64_t *entries);
/* Stops when not done. NULL is fine. */
void scan_free(struct scan *s);

#endif
