#include "file/intents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"

#define MAGIC          UINT32_C(0x746E4931) /* "1Int" */
#define BLOCK          512
#define GROW_BYTES     (1 << 20)
#define SIZE_MAX_BYTES (1 << 28)

struct header {
    uint32_t magic;
    uint32_t len; /* of the payload */
    uint32_t crc; /* CRC-32C over number, len and payload */
    uint32_t zero;
    uint64_t number;
};

struct intents {
    int fd;
    bool durable;
    bool broken;      /* a write or sync failed */
    size_t size;      /* of the file */
    size_t at;        /* where the next batch goes */
    uint64_t next;    /* the next number */
    struct str batch; /* whole blocks */
    uint32_t table[256];
    bool fast; /* the processor can */
};

static void fill_table(uint32_t table[static 256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int k = 0; k < 8; k++)
            c = c & 1 ? (c >> 1) ^ UINT32_C(0x82F63B78) : c >> 1;
        table[i] = c;
    }
}

#ifdef __x86_64__
/* The processor's own instruction: a byte took as long as eight do. */
__attribute__((target("sse4.2"))) static uint32_t crc_add_fast(uint32_t c, const uint8_t *b, size_t n)
{
    uint64_t word, wide = c;

    for (; n >= sizeof word; n -= sizeof word, b += sizeof word) {
        memcpy(&word, b, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    c = (uint32_t)wide;
    while (n-- > 0)
        c = __builtin_ia32_crc32qi(c, *b++);
    return c;
}
#endif

static uint32_t crc_add(const struct intents *l, uint32_t c, const void *p, size_t n)
{
    const uint8_t *b = p;

#ifdef __x86_64__
    if (l->fast)
        return crc_add_fast(c, b, n);
#endif
    while (n-- > 0)
        c = l->table[(c ^ *b++) & 0xFF] ^ (c >> 8);
    return c;
}

static uint32_t crc_of(const struct intents *l, const struct header *h, const void *payload)
{
    uint32_t c = ~UINT32_C(0);

    c = crc_add(l, c, &h->number, sizeof h->number);
    c = crc_add(l, c, &h->len, sizeof h->len);
    return ~crc_add(l, c, payload, h->len);
}

static size_t record_size(size_t len)
{
    return (sizeof(struct header) + len + BLOCK - 1) / BLOCK * BLOCK;
}

/* Is there a whole record at offset at? Fills *h. */
static bool record_at(const struct intents *l, const struct str *file, size_t at, struct header *h)
{
    if (at + sizeof *h > file->len)
        return false;
    memcpy(h, file->s + at, sizeof *h);
    return h->magic == MAGIC && h->len <= file->len - at - sizeof *h &&
           crc_of(l, h, file->s + at + sizeof *h) == h->crc;
}

static int load(const struct intents *l, struct str *file, struct error *err)
{
    if (lseek(l->fd, 0, SEEK_SET) < 0 || io_read_all(l->fd, file, SIZE_MAX_BYTES) < 0)
        return error_set(err, errno, "cannot read the log of intents");
    return 0;
}

/* Writes zeros behind the end: blocks that were only allocated would cost metadata when synced. */
static int grow(struct intents *l, size_t size, struct error *err)
{
    static const char zeros[65536];

    while (l->size < size) {
        ssize_t w = pwrite(l->fd, zeros, sizeof zeros, (off_t)l->size);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return error_set(err, w < 0 ? errno : ENOSPC, "cannot enlarge the log of intents");
        l->size += (size_t)w;
    }
    if (l->durable && fsync(l->fd) < 0)
        return error_set(err, errno, "cannot sync the log of intents");
    return 0;
}

/* Sets next and at from what the log holds. */
static int scan(struct intents *l, uint64_t finished, struct error *err)
{
    AUTO_STR struct str file = STR_INIT;
    struct header h;
    uint64_t highest = finished, last = 0;

    if (load(l, &file, err) < 0)
        return -1;
    /* Also what lies behind the log's end: its numbers must not be given out again. */
    for (size_t at = 0; at + BLOCK <= file.len; at += BLOCK)
        if (record_at(l, &file, at, &h) && h.number > highest)
            highest = h.number;
    for (size_t at = 0; record_at(l, &file, at, &h) && (!last || h.number == last + 1);) {
        at += record_size(h.len);
        last = h.number;
        l->at = last > finished ? at : 0;
    }
    l->next = highest + 1;
    return 0;
}

static int open_file(struct intents *l, const char *state_dir, struct error *err)
{
    AUTO_CLOSE int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (dir < 0)
        return error_set(err, errno, "cannot open the private folder %s", state_dir);
    l->fd = openat(dir, INTENTS_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (l->fd < 0 || fstat(l->fd, &st) < 0)
        return error_set(err, errno, "cannot open the log of intents in %s", state_dir);
    l->size = (size_t)st.st_size;
    if (l->size >= GROW_BYTES)
        return 0;
    if (grow(l, GROW_BYTES, err) < 0)
        return -1;
    if (l->durable && fsync(dir) < 0)
        return error_set(err, errno, "cannot sync the private folder %s", state_dir);
    return 0;
}

struct intents *intents_open(const char *state_dir, uint64_t finished, bool durable,
                             struct error *err)
{
    struct intents *l = xcalloc(1, sizeof *l);

    l->fd = -1;
    l->durable = durable;
    fill_table(l->table);
#ifdef __x86_64__
    l->fast = __builtin_cpu_supports("sse4.2") > 0;
#endif
    if (open_file(l, state_dir, err) == 0 && scan(l, finished, err) == 0)
        return l;
    intents_close(l);
    return NULL;
}

void intents_close(struct intents *l)
{
    if (!l)
        return;
    if (l->fd >= 0)
        close(l->fd);
    str_clear(&l->batch);
    free(l);
}

int intents_remove(const char *state_dir, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", state_dir, INTENTS_NAME);

    if (unlink(path) < 0 && errno != ENOENT)
        return error_set(err, errno, "cannot make the log of intents anew");
    return 0;
}

uint64_t intents_add(struct intents *l, const char *json)
{
    static const char zeros[BLOCK];
    struct header h = {.magic = MAGIC, .len = (uint32_t)strlen(json), .number = l->next};

    h.crc = crc_of(l, &h, json);
    str_addn(&l->batch, &h, sizeof h);
    str_addn(&l->batch, json, h.len);
    str_addn(&l->batch, zeros, record_size(h.len) - sizeof h - h.len);
    return l->next++;
}

static int write_at(int fd, const char *p, size_t n, size_t at)
{
    while (n > 0) {
        ssize_t w = pwrite(fd, p, n, (off_t)at);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        p += w;
        n -= (size_t)w;
        at += (size_t)w;
    }
    return 0;
}

static int write_batch(struct intents *l, struct error *err)
{
    size_t end = l->at + l->batch.len;

    if (end > l->size && grow(l, (end + GROW_BYTES - 1) / GROW_BYTES * GROW_BYTES, err) < 0)
        return -1;
    if (write_at(l->fd, l->batch.s, l->batch.len, l->at) < 0)
        return error_set(err, errno, "cannot write the log of intents");
    if (l->durable && fdatasync(l->fd) < 0)
        return error_set(err, errno, "cannot sync the log of intents");
    l->at = end;
    return 0;
}

int intents_sync(struct intents *l, struct error *err)
{
    if (l->broken)
        return error_set(err, EIO, "the log of intents failed before");
    if (l->batch.len && write_batch(l, err) < 0)
        l->broken = true;
    str_reset(&l->batch);
    return l->broken ? -1 : 0;
}

void intents_finished(struct intents *l, uint64_t number)
{
    if (number + 1 >= l->next && !l->batch.len)
        l->at = 0;
}

uint64_t intents_last(const struct intents *l)
{
    return l->next - 1;
}

int intents_each(struct intents *l, uint64_t after, intents_fn *fn, void *ctx, struct error *err)
{
    AUTO_STR struct str file = STR_INIT;
    struct header h;
    uint64_t last = 0;
    int answer = 0;

    if (load(l, &file, err) < 0)
        return -1;
    for (size_t at = 0; answer == 0 && record_at(l, &file, at, &h); at += record_size(h.len)) {
        if (last && h.number != last + 1)
            break;
        last = h.number;
        if (h.number > after) {
            AUTO_FREE char *json = xmemdup0(file.s + at + sizeof h, h.len);
            struct intent i = {h.number, json};

            answer = fn(ctx, &i);
        }
    }
    return answer;
}
