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

struct disk {
    int fd;
    uint64_t size;
    struct ring *ring;
    pthread_t thread;
    struct digester *digester;
    int number;                    /* errno of the thread */
    const struct ring_slot *taken; /* tag: where it begins */
    uint64_t next;                 /* where the slot behind it begins */
    char *side;                    /* for places elsewhere */
};

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

    for (uint64_t at = 0; at < d->size; at += slot->len) {
        ssize_t n;

        slot = ring_claim(d->ring, BLOCK);
        if (!slot)
            return NULL;
        n = read_at(d, slot->bytes, BLOCK, at);
        if (n <= 0) {
            d->number = n < 0 ? errno : EIO;
            ring_stop(d->ring);
            return NULL;
        }
        slot->len = (size_t)n;
        slot->tag = at;
        digester_add(d->digester, slot->bytes, slot->len);
        ring_commit(d->ring);
    }
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
    ring_free(d->ring);
    digester_free(d->digester);
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
    d->digester = digester_new();
    if (d->fd >= 0 && d->side != MAP_FAILED && d->ring && fstat(d->fd, &st) == 0) {
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
        *digest = digester_done(d->digester);
        d->digester = NULL;
    }
    disk_free(d);
    errno = number;
    return number ? -1 : 0;
}
