#include "file/datasync.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "file/suspects.h"
#include "record/doc.h"

#define FOLDERS_EACH 8
#define EARLY_HEAD   (256 << 10) /* bytes: more would keep the caller waiting */

struct datasync {
    int root; /* its own: the kernel tells each open file of an error once, and not the next who asks */
    struct suspects *suspects;
    bool ordered; /* keeps_order() */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
    int failed; /* errno of the first failure */
    /* Each of few. */
    const int *fds; /* not NULL: to be synced */
    size_t n;
    int early[DATASYNC_EACH]; /* to be synced before that */
    size_t early_len;
    struct doc_stamp there[DATASYNC_EACH]; /* what was, as it was when that began; the last ones */
    size_t there_next;
    /* All at once. */
    uint64_t asked;   /* the last number that was given */
    uint64_t wanted;  /* all up to this are to be synced */
    uint64_t waited;  /* and somebody waits until all up to this are */
    uint64_t covered; /* they are up to this */
    /* Folders. */
    struct folders *folders; /* not NULL: to be synced */
    struct error folders_error;
    /* Anything else. */
    int (*job)(void *ctx, struct error *err); /* not NULL: to be done */
    void *job_ctx;
    int job_rc;
    struct error job_error;
};

/* Whether an ext4 has a journal: the kernel lists its own under the disk's name and the journal's inode. */
static bool has_journal(int root)
{
    char link[64], disk[256], journal[320];
    struct stat st;
    const char *name;
    ssize_t n;

    if (fstat(root, &st) < 0)
        return false;
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
    n = readlink(link, disk, sizeof disk - 1);
    if (n <= 0)
        return false;
    disk[n] = '\0';
    name = strrchr(disk, '/');
    snprintf(journal, sizeof journal, "/proc/fs/jbd2/%s-8", name ? name + 1 : disk);
    return access(journal, F_OK) == 0;
}

/* Whether the file system never has a rename on the disk without what was written out before it. Of others
 * that is not known: btrfs, for one, may log the new name without the bytes when somebody syncs the
 * folder, and an ext4 without a journal writes its blocks as it likes. */
static bool keeps_order(int root)
{
    struct statfs fs;

    if (fstatfs(root, &fs) < 0)
        return false;
    return fs.f_type == XFS_SUPER_MAGIC || (fs.f_type == EXT4_SUPER_MAGIC && has_journal(root));
}

/* Its bytes are with the disk, and the file system has noted where: neither is durable yet. */
static int write_out(int fd)
{
    return sync_file_range(fd, 0, 0,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                               SYNC_FILE_RANGE_WAIT_AFTER);
}

/* The first `most` bytes; 0: all. */
static int begin_to_write(int fd, off_t most)
{
    return sync_file_range(fd, 0, most, SYNC_FILE_RANGE_WRITE);
}

/* The errno of the first that failed, or 0. All are suspects then. */
static int do_with_each(const int *fds, size_t n, int (*bring)(int fd), struct suspects *suspects)
{
    int failed = 0;

    if (n > 1)
        for (size_t i = 0; i < n; i++)
            if (begin_to_write(fds[i], 0) < 0 && !failed)
                failed = errno;
    for (size_t i = 0; i < n; i++)
        if (bring(fds[i]) < 0 && !failed)
            failed = errno;
    if (failed)
        suspects_add(suspects, fds, n);
    return failed;
}

/* The same of all that the file system has. */
static int do_with_all(int root, struct suspects *suspects)
{
    int failed = syncfs(root) < 0 ? errno : 0;

    if (failed)
        suspects_add_all(suspects);
    return failed;
}

/* Synced early, and not changed since. */
static bool is_there(const struct datasync *d, int fd)
{
    struct doc_stamp now;

    if (doc_stamp_take(fd, -1, NULL, &now) < 0)
        return false;
    for (size_t i = 0; i < DATASYNC_EACH; i++)
        if (doc_stamp_equal(&d->there[i], &now))
            return true;
    return false;
}

static void note(struct datasync *d, int failed)
{
    if (failed && !d->failed)
        d->failed = failed;
}

/* Each of these gives up the lock meanwhile. */
static void do_folders(struct datasync *d)
{
    struct error err = ERROR_INIT;

    pthread_mutex_unlock(&d->lock);
    (void)folders_sync(d->folders, d->root, d->suspects, &err);
    pthread_mutex_lock(&d->lock);
    d->folders_error = err;
    d->folders = NULL;
}

static void do_each(struct datasync *d)
{
    int left[DATASYNC_EACH], failed;
    size_t n = 0;

    pthread_mutex_unlock(&d->lock);
    for (size_t i = 0; i < d->n; i++)
        if (!is_there(d, d->fds[i]))
            left[n++] = d->fds[i];
    failed = do_with_each(left, n, d->ordered ? write_out : fdatasync, d->suspects);
    pthread_mutex_lock(&d->lock);
    note(d, failed);
    d->fds = NULL;
}

static void do_job(struct datasync *d)
{
    struct error err = ERROR_INIT;
    int rc;

    pthread_mutex_unlock(&d->lock);
    rc = d->job(d->job_ctx, &err);
    pthread_mutex_lock(&d->lock);
    d->job_rc = rc;
    d->job_error = err;
    d->job = NULL;
}

/* Onto the disk itself, but for its size and place: of a folder that did not change, fdatasync(2) only
 * has the disk write what it keeps in its own memory. The intents' sync need not wait for that then. */
static int write_through(const struct datasync *d, int fd)
{
    return write_out(fd) < 0 || fdatasync(d->root) < 0 ? -1 : 0;
}

static void do_early(struct datasync *d)
{
    int fd = d->early[--d->early_len], failed;
    struct doc_stamp stamp;
    bool known;

    pthread_mutex_unlock(&d->lock);
    known = doc_stamp_take(fd, -1, NULL, &stamp) == 0;
    failed = (d->ordered ? write_through(d, fd) : fdatasync(fd)) < 0 ? errno : 0;
    if (failed)
        suspects_add(d->suspects, &fd, 1);
    close(fd);
    pthread_mutex_lock(&d->lock);
    /* The next sync of that file would not say so again. */
    note(d, failed);
    if (known && !failed)
        d->there[d->there_next++ % DATASYNC_EACH] = stamp;
}

static void do_all(struct datasync *d)
{
    uint64_t upto = d->asked;
    int failed;

    pthread_mutex_unlock(&d->lock);
    failed = do_with_all(d->root, d->suspects);
    pthread_mutex_lock(&d->lock);
    note(d, failed);
    /* What failed is not tried again: who waits for it is told. */
    d->covered = upto;
}

/* Gives up the lock first, for which those who are woken would wait at once. */
static void unlock_and_wake(struct datasync *d)
{
    pthread_mutex_unlock(&d->lock);
    pthread_cond_broadcast(&d->changed);
}

static void *run(void *arg)
{
    struct datasync *d = arg;

    pthread_mutex_lock(&d->lock);
    while (!d->stop) {
        if (d->folders)
            do_folders(d);
        else if (d->job)
            do_job(d);
        else if (d->early_len)
            do_early(d);
        else if (d->fds)
            do_each(d);
        else if (d->wanted > d->covered)
            do_all(d);
        else {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        unlock_and_wake(d);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

struct datasync *datasync_new(int root, struct suspects *suspects)
{
    struct datasync *d = xcalloc(1, sizeof *d);

    d->root = io_open_again(root);
    d->suspects = suspects;
    d->ordered = keeps_order(root);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    if (d->root >= 0) {
        errno = pthread_create(&d->thread, NULL, run, d);
        if (errno == 0)
            return d;
        close(d->root);
    }
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

void datasync_free(struct datasync *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    while (d->early_len > 0)
        close(d->early[--d->early_len]);
    close(d->root);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

uint64_t datasync_ask(struct datasync *d, bool many)
{
    uint64_t number;
    bool all;

    pthread_mutex_lock(&d->lock);
    number = ++d->asked;
    all = many && d->asked >= DATASYNC_AHEAD + (d->wanted > d->covered ? d->wanted : d->covered);
    if (all)
        d->wanted = d->asked;
    pthread_mutex_unlock(&d->lock);
    if (all)
        pthread_cond_broadcast(&d->changed);
    return number;
}

void datasync_early(struct datasync *d, int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (own < 0)
        return;
    pthread_mutex_lock(&d->lock);
    if (d->early_len < DATASYNC_EACH && !d->fds && d->wanted <= d->covered) {
        d->early[d->early_len++] = own;
        own = -1;
    }
    unlock_and_wake(d);
    if (own >= 0)
        close(own);
    else
        /* On its way before the thread runs. What fails is told by the sync. */
        (void)begin_to_write(fd, EARLY_HEAD);
}

bool datasync_start(struct datasync *d, const int *fds, size_t n, uint64_t last)
{
    bool each;

    if (!n)
        return false;
    pthread_mutex_lock(&d->lock);
    each = n <= DATASYNC_EACH && d->covered < last;
    if (each) {
        d->fds = fds;
        d->n = n;
    } else {
        d->waited = last;
        if (d->wanted < last)
            d->wanted = d->asked;
    }
    unlock_and_wake(d);
    return each && d->ordered;
}

int datasync_wait(struct datasync *d, struct error *err)
{
    int failed;

    pthread_mutex_lock(&d->lock);
    while (d->fds || d->covered < d->waited)
        pthread_cond_wait(&d->changed, &d->lock);
    failed = d->failed;
    d->failed = 0;
    pthread_mutex_unlock(&d->lock);
    return failed ? error_set(err, failed, "the documents could not be brought onto the disk") : 0;
}

void datasync_start_folders(struct datasync *d, struct folders *f)
{
    pthread_mutex_lock(&d->lock);
    d->folders = f;
    unlock_and_wake(d);
}

int datasync_wait_folders(struct datasync *d, struct error *err)
{
    int rc = 0;

    pthread_mutex_lock(&d->lock);
    while (d->folders)
        pthread_cond_wait(&d->changed, &d->lock);
    if (*d->folders_error.text) {
        *err = d->folders_error;
        rc = -1;
    }
    d->folders_error = (struct error)ERROR_INIT;
    pthread_mutex_unlock(&d->lock);
    return rc;
}

void datasync_start_job(struct datasync *d, int (*job)(void *ctx, struct error *err), void *ctx)
{
    pthread_mutex_lock(&d->lock);
    d->job = job;
    d->job_ctx = ctx;
    unlock_and_wake(d);
}

int datasync_wait_job(struct datasync *d, struct error *err)
{
    int rc;

    pthread_mutex_lock(&d->lock);
    while (d->job)
        pthread_cond_wait(&d->changed, &d->lock);
    rc = d->job_rc;
    if (rc < 0)
        *err = d->job_error;
    pthread_mutex_unlock(&d->lock);
    return rc;
}

void folders_add(struct folders *f, int fd)
{
    struct stat st;

    if (f->len >= 4 * FOLDERS_EACH)
        f->many = true;
    if (f->many || fstat(fd, &st) < 0) {
        f->many = true;
        close(fd);
        return;
    }
    for (size_t i = 0; i < f->len; i++) {
        if (f->list[i].ino == st.st_ino && f->list[i].dev == st.st_dev) {
            close(fd);
            return;
        }
    }
    GROW(f->list, f->len, f->cap);
    f->list[f->len++] = (struct folder_fd){fd, st.st_dev, st.st_ino};
}

int folders_sync(struct folders *f, int root, struct suspects *suspects, struct error *err)
{
    int failed = do_with_each(f->documents, f->documents_len, fsync, suspects);

    if (failed) {
        folders_clear(f);
        return error_set(err, failed, "the documents could not be brought onto the disk");
    }
    if (f->many || f->len > FOLDERS_EACH)
        failed = do_with_all(root, suspects);
    else
        for (size_t i = 0; i < f->len; i++)
            if (fsync(f->list[i].fd) < 0 && !failed)
                failed = errno;
    folders_clear(f);
    return failed ? error_set(err, failed, "the folders could not be brought onto the disk") : 0;
}

void folders_clear(struct folders *f)
{
    for (size_t i = 0; i < f->len; i++)
        close(f->list[i].fd);
    free(f->list);
    *f = (struct folders){0};
}
