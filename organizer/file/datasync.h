/*
 * datasync: documents' own data and folders onto the disk.
 *
 * Documents are synced by a thread of its own, so that this and the sync of the intents take the
 * longer of the two, not their sum.
 *
 * Up to DATASYNC_EACH documents: each for itself, so that letters do not wait for the recording that
 * someone is copying in. On XFS, and on ext4 with a journal, a rename is never on the disk without what
 * was written out before it: their journals have changes in order, and the bytes that they speak of first.
 * There a document is written out (sync_file_range(2), waited for) before it is renamed, and fsync'ed
 * with the folders behind that, before it counts: the file system's journal is written once, with its size
 * and its new name, and nobody waits for it before the rename. On any other file system it is
 * fdatasync'ed before. Its bytes are brought to the disk while it is read and decided about
 * (datasync_early).
 *
 * More are one syncfs(2) of the cabinet before they are renamed, which then costs a tenth. While many
 * come they need not wait for that either: a syncfs(2) that began when a document had been examined,
 * and ended well, has brought it onto the disk as it was examined (what was written since shows in its
 * stamp, and it is not renamed). So each gets a number when it is handed to the filer (datasync_ask),
 * and every now and then one is begun ahead, while the batches before are still being done.
 */
#ifndef ORGANIZER_FILE_DATASYNC_H
#define ORGANIZER_FILE_DATASYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datasync;
struct error;
struct suspects;

#define DATASYNC_EACH  8
#define DATASYNC_AHEAD 64 /* so many documents that are not synced are synced ahead */

/* root: the cabinet. suspects: gets the documents whose sync failed. Both borrowed. Starts the
 * thread. */
struct datasync *datasync_new(int root, struct suspects *suspects);
void datasync_free(struct datasync *d);
/* Another document is to be renamed; its number. many: more follow, and they may be synced ahead. Any
 * thread. */
uint64_t datasync_ask(struct datasync *d, bool many);
/* The document will most likely be renamed in a moment: begins to bring it onto the disk, unless others
 * are being synced. That is done again then if it has changed since. fd is duplicated. Any thread. */
void datasync_early(struct datasync *d, int fd);
/* Starts bringing the n open documents in fds onto the disk, which must stay until datasync_wait(), unless
 * all up to the number `last` are there already. True: they are only written out, and are folders.documents
 * when they are renamed. */
bool datasync_start(struct datasync *d, const int *fds, size_t n, uint64_t last);
/* Waits for what was started. 0; -1 with err when any sync failed, also one that was begun ahead; it
 * is never tried again. */
int datasync_wait(struct datasync *d, struct error *err);

/* Folders to be synced once each. All zero at first. */
struct folders {
    struct folder_fd {
        int fd;
        unsigned long long dev, ino;
    } * list;
    size_t len, cap;
    bool many; /* more than worth keeping: the whole file system is synced instead */
    const int *documents; /* open, to be synced first; borrowed */
    size_t documents_len;
};
/* Takes the descriptor over. */
void folders_add(struct folders *f, int fd);
/* Syncs all and forgets them. 0 or -1 with err; the documents that this leaves in doubt are
 * suspects then. */
int folders_sync(struct folders *f, int root, struct suspects *suspects, struct error *err);
/* The same in datasync's thread: f must stay as it is until datasync_wait_folders(), which forgets
 * them, and says as datasync_wait() how it went. */
void datasync_start_folders(struct datasync *d, struct folders *f);
int datasync_wait_folders(struct datasync *d, struct error *err);
/* Anything else in datasync's thread: ctx belongs to job() until datasync_wait_job(), which answers as it
 * did. One that has not begun when datasync_free() is called is not done. */
void datasync_start_job(struct datasync *d, int (*job)(void *ctx, struct error *err), void *ctx);
int datasync_wait_job(struct datasync *d, struct error *err);
/* Forgets them. */
void folders_clear(struct folders *f);

#endif
