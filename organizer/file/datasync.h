/*
 * datasync: documents' own data and folders onto the disk.
 *
 * Documents are synced by a thread of its own, so that this and the sync of the intents take the
 * longer of the two, not their sum. Up to DATASYNC_EACH documents: writing is started for all, then
 * each is fsync'd, so that letters do not wait for the recording that someone is copying in; more
 * are one syncfs(2) of the cabinet, which then costs a tenth.
 */
#ifndef ORGANIZER_FILE_DATASYNC_H
#define ORGANIZER_FILE_DATASYNC_H

#include <stdbool.h>
#include <stddef.h>

struct datasync;
struct error;

#define DATASYNC_EACH 8

/* root: the cabinet; borrowed. Starts the thread. */
struct datasync *datasync_new(int root);
void datasync_free(struct datasync *d);
/* Starts syncing the n open documents in fds, which must stay until datasync_wait(). */
void datasync_start(struct datasync *d, const int *fds, size_t n);
/* Waits for what was started. 0; -1 with err when any sync failed, which is never tried again. */
int datasync_wait(struct datasync *d, struct error *err);

/* Folders to be synced once each. All zero at first. */
struct folders {
    struct folder_fd {
        int fd;
        unsigned long long dev, ino;
    } * list;
    size_t len, cap;
    bool many; /* more than worth keeping: the whole file system is synced instead */
};
/* Takes the descriptor over. */
void folders_add(struct folders *f, int fd);
/* Syncs all and forgets them. 0 or -1 with err. */
int folders_sync(struct folders *f, int root, struct error *err);
/* Forgets them. */
void folders_clear(struct folders *f);

#endif
