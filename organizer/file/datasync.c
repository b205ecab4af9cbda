#include "file/datasync.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

#define FOLDERS_EACH 8

struct datasync {
    int root;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const int *fds; /* not NULL: to be synced */
    size_t n;
    int failed; /* errno of the first failure */
    bool busy, stop;
};

static int sync_each(const int *fds, size_t n)
{
    int failed = 0;

    if (n > 1)
        for (size_t i = 0; i < n; i++)
            (void)sync_file_range(fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
    for (size_t i = 0; i < n; i++)
        if (fsync(fds[i]) < 0 && !failed)
            failed = errno;
    return failed;
}

static int sync_documents(int root, const int *fds, size_t n)
{
    if (n <= DATASYNC_EACH)
        return sync_each(fds, n);
    return syncfs(root) < 0 ? errno : 0;
}

static void *run(void *arg)
{
    struct datasync *d = arg;

    pthread_mutex_lock(&d->lock);
    while (!d->stop) {
        int failed;

        if (!d->busy) {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        pthread_mutex_unlock(&d->lock);
        failed = sync_documents(d->root, d->fds, d->n);
        pthread_mutex_lock(&d->lock);
        d->failed = failed;
        d->busy = false;
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

struct datasync *datasync_new(int root)
{
    struct datasync *d = xcalloc(1, sizeof *d);

    d->root = root;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    if (pthread_create(&d->thread, NULL, run, d) == 0)
        return d;
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
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

void datasync_start(struct datasync *d, const int *fds, size_t n)
{
    if (!n)
        return;
    pthread_mutex_lock(&d->lock);
    d->fds = fds;
    d->n = n;
    d->busy = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

int datasync_wait(struct datasync *d, struct error *err)
{
    int failed;

    pthread_mutex_lock(&d->lock);
    while (d->busy)
        pthread_cond_wait(&d->changed, &d->lock);
    failed = d->failed;
    d->failed = 0;
    pthread_mutex_unlock(&d->lock);
    return failed ? error_set(err, failed, "the documents could not be brought onto the disk") : 0;
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

int folders_sync(struct folders *f, int root, struct error *err)
{
    int failed = 0;

    if (f->many || f->len > FOLDERS_EACH)
        failed = syncfs(root) < 0 ? errno : 0;
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
