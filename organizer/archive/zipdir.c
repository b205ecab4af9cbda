#include "archive/zipdir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

#define END_SIZE     22 /* end of central directory record */
#define END64_SIZE   56
#define LOCATOR_SIZE 20
#define ENTRY_SIZE   46 /* central directory header */
#define LOCAL_SIZE   30
#define COMMENT_MAX  65535
#define DIR_MAX      (UINT64_C(256) << 20)

#define SIG_LOCAL   0x04034b50U
#define SIG_ENTRY   0x02014b50U
#define SIG_END     0x06054b50U
#define SIG_END64   0x06064b50U
#define SIG_LOCATOR 0x07064b50U

#define EXTRA_ZIP64 0x0001
#define EXTRA_TIME  0x5455
#define EXTRA_NAME  0x7075 /* Info-ZIP's Unicode path */

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return (uint64_t)get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Exactly n bytes at at. Returns 0, or -1 with errno (0: the file ends before). */
static int read_at(int fd, void *p, size_t n, uint64_t at)
{
    size_t done = 0;

    while (done < n) {
        ssize_t r = pread(fd, (char *)p + done, n - done, (off_t)(at + done));

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            errno = r < 0 ? errno : 0;
            return -1;
        }
        done += (size_t)r;
    }
    return 0;
}

/* Where the end record is, from the file's end backwards: its comment ends where the file does, or
 * is followed by what does not belong to the archive. */
static int find_end(int fd, uint64_t size, uint8_t end[static END_SIZE], uint64_t *at)
{
    size_t n = size < END_SIZE + COMMENT_MAX ? (size_t)size : END_SIZE + COMMENT_MAX;
    AUTO_FREE uint8_t *tail = xmalloc(n);

    errno = 0;
    if (n < END_SIZE || read_at(fd, tail, n, size - n) < 0)
        return -1;
    for (size_t i = n - END_SIZE + 1; i-- > 0;)
        if (get32(tail + i) == SIG_END && i + END_SIZE + get16(tail + i + 20) <= n) {
            memcpy(end, tail + i, END_SIZE);
            *at = size - n + i;
            return 0;
        }
    errno = 0;
    return -1;
}

bool zip_dir_ends(int fd, uint64_t size)
{
    uint8_t end[END_SIZE];
    uint64_t at;

    return find_end(fd, size, end, &at) == 0;
}

/* CRC-32 (IEEE 802.3), of names only. */
static uint32_t crc_of(const char *p, size_t n)
{
    uint32_t c = ~UINT32_C(0);

    for (size_t i = 0; i < n; i++) {
        c ^= (uint8_t)p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~c;
}

struct extent {
    uint64_t entries, size, at; /* of the directory, as its end record says */
    uint64_t end;               /* where that record is: the directory ends before */
};

/* The larger numbers of Zip64, when there are such records before the end record. */
static void read_end64(int fd, struct extent *x)
{
    uint8_t loc[LOCATOR_SIZE], end[END64_SIZE];
    uint64_t at;

    if (x->end < LOCATOR_SIZE || read_at(fd, loc, sizeof loc, x->end - LOCATOR_SIZE) < 0 ||
        get32(loc) != SIG_LOCATOR)
        return;
    /* It lies right before the locator, also when something was put before the archive. */
    at = x->end - LOCATOR_SIZE < END64_SIZE ? 0 : x->end - LOCATOR_SIZE - END64_SIZE;
    if (get64(loc + 8) <= at && read_at(fd, end, sizeof end, get64(loc + 8)) == 0 &&
        get32(end) == SIG_END64)
        at = get64(loc + 8);
    else if (read_at(fd, end, sizeof end, at) < 0 || get32(end) != SIG_END64)
        return;
    x->entries = get64(end + 32);
    x->size = get64(end + 40);
    x->at = get64(end + 48);
    x->end = at;
}

/* What the entry's extra fields say better than its header. Returns -1 when they are damaged. */
static int read_extra(struct zip_entry *e, const uint8_t *p, size_t n, uint64_t *local)
{
    while (n >= 4) {
        uint16_t id = get16(p), len = get16(p + 2);
        const uint8_t *q = p + 4, *end = q + len;

        if (len > n - 4)
            return -1;
        if (id == EXTRA_ZIP64) {
            uint64_t *const wide[] = {&e->size, &e->packed, local};

            for (size_t i = 0; i < 3; i++) {
                if (*wide[i] != UINT32_MAX)
                    continue;
                if (end - q < 8)
                    return -1;
                *wide[i] = get64(q);
                q += 8;
            }
        } else if (id == EXTRA_TIME && len >= 5 && (q[0] & 1)) {
            e->time_s = (int32_t)get32(q + 1);
        } else if (id == EXTRA_NAME && len > 5 && q[0] == 1 && !e->plain &&
                   get32(q + 1) == crc_of(e->name, e->name_len)) {
            e->plain = e->name;
            e->plain_len = e->name_len;
            e->name = xmemdup0(q + 5, len - 5U);
            e->name_len = len - 5U;
        }
        n -= 4U + len;
        p += 4U + len;
    }
    return 0;
}

/* Days since 1970 of a day of the Gregorian calendar. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;

    int64_t era = y / 400;
    int64_t year = y - era * 400;
    int64_t day = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d - 1;

    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static int64_t dos_time(uint16_t time, uint16_t date)
{
    int64_t days = days_of(1980 + (date >> 9), date >> 5 & 15U, date & 31U);

    return days * 86400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
}

/* One entry of the n bytes at p; returns its length, 0 when it is damaged. */
static size_t read_entry(struct zip_entry *e, const uint8_t *p, size_t n)
{
    uint64_t local;

    if (n < ENTRY_SIZE || get32(p) != SIG_ENTRY)
        return 0;

    size_t name = get16(p + 28), extra = get16(p + 30), comment = get16(p + 32);

    if (n - ENTRY_SIZE < name + extra + comment)
        return 0;
    *e = (struct zip_entry){
        .flags = get16(p + 8),
        .method = get16(p + 10),
        .time_s = dos_time(get16(p + 12), get16(p + 14)),
        .packed = get32(p + 20),
        .size = get32(p + 24),
        .mode = p[5] == 3 || p[5] == 19 ? get32(p + 38) >> 16 : 0,
        .name = xmemdup0(p + ENTRY_SIZE, name),
        .name_len = (uint32_t)name,
    };
    local = get32(p + 42);
    if (read_extra(e, p + ENTRY_SIZE + name, extra, &local) < 0) {
        free(e->name);
        free(e->plain);
        return 0;
    }
    e->at = local;
    return ENTRY_SIZE + name + extra + comment;
}

static int by_place(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static int damaged(struct zip_dir *d, struct error *err)
{
    zip_dir_clear(d);
    return error_set(err, 0, "the ZIP's directory is damaged");
}

/* Whether something other than padding stands from end on. */
static bool has_rest(int fd, uint64_t size, uint64_t end)
{
    size_t n = (size_t)(size - end);
    AUTO_FREE char *rest = xmalloc(n + 1);

    if (read_at(fd, rest, n, end) < 0)
        return true;
    while (n && !rest[n - 1])
        n--;
    return n > 0;
}

int zip_dir_read(int fd, uint64_t size, struct zip_dir *d, struct error *err)
{
    uint8_t end[END_SIZE];
    struct extent x;
    size_t at = 0, cap = 0;

    *d = (struct zip_dir){.entries = NULL};
    if (find_end(fd, size, end, &x.end) < 0)
        return error_set(err, errno, "the ZIP's directory is missing at its end: it is cut off");
    d->rest = has_rest(fd, size, x.end + END_SIZE + get16(end + 20));
    x.entries = get16(end + 10);
    x.size = get32(end + 12);
    x.at = get32(end + 16);
    if (get16(end + 4) || get16(end + 6) || get16(end + 8) != get16(end + 10))
        return error_set(err, 0, "this is one part of a ZIP of several parts");
    read_end64(fd, &x);
    if (x.size > x.end || x.at > x.end - x.size || x.size > DIR_MAX)
        return damaged(d, err);
    /* It ends where its end record begins; places count from what came first in the archive. */
    d->start = x.end - x.size;

    uint64_t shift = d->start - x.at;
    AUTO_FREE uint8_t *bytes = xmalloc((size_t)x.size + 1);

    if (read_at(fd, bytes, (size_t)x.size, d->start) < 0)
        return error_set(err, errno, "the ZIP's directory cannot be read");
    while (at < x.size) {
        struct zip_entry e;
        size_t n = read_entry(&e, bytes + at, (size_t)x.size - at);

        if (!n)
            return damaged(d, err);
        GROW(d->entries, d->len, cap);
        d->entries[d->len++] = e;
        d->entries[d->len - 1].at += shift;
        if (e.at > d->start - shift)
            return damaged(d, err);
        at += n;
    }
    if (d->len != x.entries)
        return damaged(d, err);
    qsort(d->entries, d->len, sizeof *d->entries, by_place);
    return 0;
}

const char *zip_dir_doubt(int fd, const struct zip_dir *d, size_t i)
{
    const struct zip_entry *e = &d->entries[i];
    uint64_t limit = i + 1 < d->len ? d->entries[i + 1].at : d->start;
    uint8_t local[LOCAL_SIZE];

    if (read_at(fd, local, sizeof local, e->at) < 0 || get32(local) != SIG_LOCAL)
        return "there is no entry where the ZIP's directory says that one is";

    size_t name = get16(local + 26), extra = get16(local + 28);
    AUTO_FREE char *there = xmalloc(name + 1);

    if (e->packed > limit || e->at + LOCAL_SIZE + name + extra > limit - e->packed)
        return "it lies over another entry";
    if (get16(local + 8) != e->method || ((get16(local + 6) ^ e->flags) & ZIP_ENCRYPTED))
        return "it is packed otherwise than the ZIP's directory says";
    if (read_at(fd, there, name, e->at + LOCAL_SIZE) < 0)
        return "it cannot be read";

    const char *plain = e->plain ? e->plain : e->name;

    if (name != (e->plain ? e->plain_len : e->name_len) || memcmp(there, plain, name) != 0)
        return "it has another name beside its data than in the ZIP's directory";
    return NULL;
}

void zip_dir_clear(struct zip_dir *d)
{
    for (size_t i = 0; i < d->len; i++) {
        free(d->entries[i].name);
        free(d->entries[i].plain);
    }
    free(d->entries);
    *d = (struct zip_dir){.entries = NULL};
}
