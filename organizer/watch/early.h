/*
 * early: watches that another thread has set on folders which the picture of the tree does not have
 * yet (scan.h: opened). Until a folder is entered its events cannot be told by path, so it is only
 * noted that there were some: then the folder is scanned again once it is entered, as its names may be
 * older than they are.
 *
 * No event is read without its watch being known here or in the tree: the other thread holds `adding`
 * from before it asks for the watch until the watch is noted, and the loop's thread waits for that
 * between reading events and looking at them.
 */
#ifndef ORGANIZER_WATCH_EARLY_H
#define ORGANIZER_WATCH_EARLY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct early_watch {
    int dirfd;    /* of the folder */
    int wd;       /* -1: none */
    int error;    /* errno of setting it, then */
    bool heard;   /* there were events, told under the path that the tree had for it */
    bool unheard; /* there were events that could not be told */
    bool lost;    /* the watch is no more */
};

struct early {
    pthread_mutex_t adding;
    pthread_mutex_t lock;        /* of what follows */
    struct early_watch *watches; /* a few dozen at most */
    size_t len, cap;
};

/* Nothing is watched yet; early_clear() when both threads have ended. */
void early_init(struct early *e);
void early_clear(struct early *e);

/* In the other thread: before a watch is asked for, and after that; wd is -1 with error when there is
 * none. */
void early_begin(struct early *e);
void early_end(struct early *e, int dirfd, int wd, int error);

/* In the loop's thread, between reading events and early_event(). */
void early_settle(struct early *e);
/* There was an event of wd, which a folder in the tree has (in_tree) or none; lost when it says that
 * the watch is gone. False when wd is not here. */
bool early_event(struct early *e, int wd, bool in_tree, bool lost);
/* Events were lost, of whatever folders. */
void early_overflow(struct early *e);
/* Takes out the watch that was set for the folder open as dirfd. False when there is none. */
bool early_take(struct early *e, int dirfd, struct early_watch *out);

#endif
