/*
 * ahead: a thread that opens and reads the folders that a scan comes to next, while the scan deals
 * with those before. Two thirds of a scan is the kernel's work, which this takes off the loop.
 *
 * The scan asks for folders, at most AHEAD_PLACES at once, and gets them in the same order. Of each
 * folder the thread opens it, tells `opened`, reads it. When the names that wait for the scan are
 * more than a MiB in all, it goes on when there are less.
 *
 * All but `opened` is called by the thread of the scan.
 */
#ifndef ORGANIZER_WATCH_AHEAD_H
#define ORGANIZER_WATCH_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

struct ahead;
struct contents;

#define AHEAD_PLACES 32 /* that many descriptors may be open */

/* Starts the thread. root is borrowed. opened is told each folder, in the thread, after it was opened
 * and before it is read; here: it is the thread's working directory, which no other thread shares.
 * NULL when there can be no thread. */
struct ahead *ahead_new(int root, void (*opened)(void *ctx, int dirfd, bool here), void *ctx);
/* There is no room for another folder. */
bool ahead_full(const struct ahead *a);
/* No folder was asked for that was not passed over yet. */
bool ahead_empty(const struct ahead *a);
/* Asks for the folder at path. There must be room. */
void ahead_ask(struct ahead *a, const char *path);
/* The folder that was asked for first, with *path, both a's own; waits until it is read, but not
 * beyond until (uv_hrtime). NULL when it is not read yet. There must be one. */
struct contents *ahead_first(struct ahead *a, uint64_t until, const char **path);
/* Passes over that folder, which ahead_first() gave: it is closed, the next is the first. */
void ahead_pass(struct ahead *a);
/* Ends the thread, which finishes the folder that it is at. passed (may be NULL) is told each that
 * was opened and not passed over, before it is closed. NULL is fine. */
void ahead_free(struct ahead *a, void (*passed)(void *ctx, int dirfd));

#endif
