#include "archive/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/ring.h"
#include "base/alloc.h"
#include "base/io.h"

#define SLOTS 4
#define BLOCK (1 << 20)

struct sink {
    int fd;
    struct ring *ring;
    pthread_t thread;
    struct ring_slot *open; /* being filled */
    struct digester *digester;
    uint64_t size;
    int number; /* errno of the first failure; set before the ring is stopped */
};

static int write_block(struct sink *s, const struct ring_slot *slot)
{
    digester_add(s->digester, slot->bytes, slot->len);
    if (io_write_all(s->fd, slot->bytes, slot->len) < 0)
        return -1;
    /* A hint: where it is not known the fsync does it all. */
    (void)sync_file_range(s->fd, (off_t)s->size, (off_t)slot->len, SYNC_FILE_RANGE_WRITE);
    s->size += slot->len;
    return 0;
}

static void *run(void *ctx)
{
    struct sink *s = ctx;
    const struct ring_slot *slot;

    while ((slot = ring_take(s->ring))) {
        if (write_block(s, slot) < 0) {
            s->number = errno;
            ring_stop(s->ring);
            break;
        }
        ring_release(s->ring);
    }
    return NULL;
}

struct sink *sink_start(int fd)
{
    struct sink *s = xcalloc(1, sizeof *s);

    s->fd = fd;
    s->digester = digester_new();
    s->ring = ring_new(SLOTS, SLOTS * BLOCK);
    if (s->ring) {
        errno = pthread_create(&s->thread, NULL, run, s);
        if (!errno)
            return s;
    }
    ring_free(s->ring);
    digester_free(s->digester);
    free(s);
    return NULL;
}

static void flush(struct sink *s)
{
    if (s->open)
        ring_commit(s->ring);
    s->open = NULL;
}

int sink_add(struct sink *s, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n) {
        size_t room;

        if (!s->open)
            s->open = ring_claim(s->ring, BLOCK);
        if (!s->open) {
            errno = s->number;
            return -1;
        }
        room = BLOCK - s->open->len;
        room = room < n ? room : n;
        memcpy(s->open->bytes + s->open->len, p, room);
        s->open->len += room;
        p += room;
        n -= room;
        if (s->open->len == BLOCK)
            flush(s);
    }
    return 0;
}

int sink_end(struct sink *s, uint64_t *size, struct digest *digest)
{
    int number;

    flush(s);
    ring_end(s->ring);
    pthread_join(s->thread, NULL);
    number = s->number;
    *size = s->size;
    *digest = digester_done(s->digester);
    ring_free(s->ring);
    free(s);
    errno = number;
    return number ? -1 : 0;
}
