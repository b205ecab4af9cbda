#include "archive/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/ring.h"
#include "base/alloc.h"

#define SLOTS 4
#define BLOCK (1 << 20)
#define SIDE  (256 << 10)
#define ALIGN 4096
/* So far ahead of what is in hand is read on, not jumped to. */
#define AHEAD (4 * BLOCK)

/* Sums up one block while the next is read: otherwise the disk would wait for that. */
struct hasher {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool started, stop;
    const char *bytes; /* in hand; NULL: nothing */
    size_t len;
    struct digester *digester;
};

struct disk {
    int fd;
    uint64_t size;
    struct ring *ring;
    pthread_t thread;
    struct hasher hasher;
    int number;                    /* errno of the thread */
    const struct ring_slot *taken; /* tag: where it begins */
    uint64_t next;                 /* where the slot behind it begins */
    char *side;                    /* for places elsewhere */
};

static void *hash(void *ctx)
{
    struct hasher *h = ctx;

    pthread_mutex_lock(&h->lock);
    while (h->bytes || !h->stop) {
        if (!h->bytes) {
            pthread_cond_wait(&h->changed, &h->lock);
            continue;
        }
        pthread_mutex_unlock(&h->lock);
        digester_add(h->digester, h->bytes, h->len);
        pthread_mutex_lock(&h->lock);
        h->bytes = NULL;
        pthread_cond_broadcast(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static int hasher_start(struct hasher *h)
{
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    h->digester = digester_new();
    errno = pthread_create(&h->thread, NULL, hash, h);
    h->started = !errno;
    return h->started ? 0 : -1;
}

static void hasher_wait(struct hasher *h)
{
    pthread_mutex_lock(&h->lock);
    while (h->bytes)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

/* The bytes must stay until hasher_wait(). */
static void hasher_give(struct hasher *h, const char *bytes, size_t len)
{
    hasher_wait(h);
    pthread_mutex_lock(&h->lock);
    h->bytes = bytes;
    h->len = len;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void hasher_end(struct hasher *h)
{
    if (!h->started)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
}

/* As pread(); gives up O_DIRECT where it is taken at opening and refused at reading. */
static ssize_t read_at(const struct disk *d, char *buf, size_t n, uint64_t pos)
{
    for (;;) {
        ssize_t got = pread(d->fd, buf, n, (off_t)pos);
        int flags;

        if (got >= 0 || (errno != EINTR && errno != EINVAL))
            return got;
        flags = errno == EINVAL ? fcntl(d->fd, F_GETFL) : 0;
        if (errno == EINVAL && (!(flags & O_DIRECT) || fcntl(d->fd, F_SETFL, flags & ~O_DIRECT) < 0))
            return -1;
    }
}

static void *run(void *ctx)
{
    struct disk *d = ctx;
    struct ring_slot *slot;
    const char *last = NULL;

    for (uint64_t at = 0; at < d->size; at += slot->len) {
        ssize_t n;

        slot = ring_claim(d->ring, BLOCK);
        if (!slot)
            break;
        /* Who reads may be done with a block before it is summed up, and its place be free again. */
        if (last && slot->bytes < last + BLOCK && last < slot->bytes + BLOCK)
            hasher_wait(&d->hasher);
        last = slot->bytes;
        n = read_at(d, slot->bytes, BLOCK, at);
        if (n <= 0) {
            d->number = n < 0 ? errno : EIO;
            ring_stop(d->ring);
            break;
        }
        slot->len = (size_t)n;
        slot->tag = at;
        hasher_give(&d->hasher, slot->bytes, slot->len);
        ring_commit(d->ring);
    }
    hasher_wait(&d->hasher);
    ring_end(d->ring);
    return NULL;
}

static int open_direct(int dirfd, const char *name)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dirfd, name, flags | O_DIRECT);

    if (fd < 0 && errno == EINVAL)
        fd = openat(dirfd, name, flags);
    if (fd >= 0)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return fd;
}

static void disk_free(struct disk *d)
{
    if (d->side != MAP_FAILED)
        munmap(d->side, SIDE);
    hasher_end(&d->hasher);
    ring_free(d->ring);
    digester_free(d->hasher.digester);
    cleanup_close(&d->fd);
    free(d);
}

struct disk *disk_open(int dirfd, const char *name)
{
    struct disk *d = xcalloc(1, sizeof *d);
    struct stat st;
    int saved;

    d->fd = open_direct(dirfd, name);
    d->side = mmap(NULL, SIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    d->ring = ring_new(SLOTS, SLOTS * BLOCK);
    if (d->fd >= 0 && d->side != MAP_FAILED && d->ring && fstat(d->fd, &st) == 0 &&
        hasher_start(&d->hasher) == 0) {
        d->size = (uint64_t)st.st_size;
        errno = pthread_create(&d->thread, NULL, run, d);
        if (!errno)
            return d;
    }
    saved = errno;
    disk_free(d);
    errno = saved;
    return NULL;
}

uint64_t disk_size(const struct disk *d)
{
    return d->size;
}

/* The slot behind the one in hand. False at the end or after a failure. */
static bool advance(struct disk *d)
{
    if (d->taken)
        ring_release(d->ring);
    d->taken = ring_take(d->ring);
    if (d->taken)
        d->next = d->taken->tag + d->taken->len;
    return d->taken != NULL;
}

static bool is_in_hand(const struct disk *d, uint64_t pos)
{
    return d->taken && pos >= d->taken->tag && pos < d->next;
}

static ssize_t read_aside(struct disk *d, uint64_t pos, const void **bytes)
{
    uint64_t from = pos - pos % ALIGN;
    ssize_t n = read_at(d, d->side, SIDE, from);

    *bytes = d->side + (pos - from);
    return n < 0 ? -1 : n - (ssize_t)(pos - from);
}

ssize_t disk_read(struct disk *d, uint64_t pos, const void **bytes)
{
    if (pos >= d->size)
        return 0;
    if (pos >= d->next && pos < d->next + AHEAD)
        while (!is_in_hand(d, pos))
            if (!advance(d)) {
                errno = d->number ? d->number : EIO;
                return -1;
            }
    if (!is_in_hand(d, pos))
        return read_aside(d, pos, bytes);
    *bytes = d->taken->bytes + (pos - d->taken->tag);
    return (ssize_t)(d->next - pos);
}

int disk_end(struct disk *d, struct digest *digest)
{
    int number;

    while (advance(d))
        continue;
    pthread_join(d->thread, NULL);
    number = d->number;
    if (!number) {
        *digest = digester_done(d->hasher.digester);
        d->hasher.digester = NULL;
    }
    disk_free(d);
    errno = number;
    return number ? -1 : 0;
}
