#include "archive/zipdir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

#define END_SIZE     22 /* end of central directory record */
#define END64_SIZE   56
#define LOCATOR_SIZE 20
#define ENTRY_SIZE   46 /* central directory header */
#define LOCAL_SIZE   30
#define COMMENT_MAX  65535
#define DIR_MAX      (UINT64_C(256) << 20)
/* A record and what follows it are read at a time; the longest has three parts of 65535 bytes. */
#define PIECE      ((size_t)32 << 10)
#define RECORD_MAX (ENTRY_SIZE + 3 * (size_t)65535)

#define SIG_LOCAL   0x04034b50U
#define SIG_ENTRY   0x02014b50U
#define SIG_END     0x06054b50U
#define SIG_END64   0x06064b50U
#define SIG_LOCATOR 0x07064b50U

#define METHOD_STORED    0
#define METHOD_DEFLATED  8
#define METHOD_DEFLATE64 9
#define DEFLATE_MOST     1032 /* zeros, in blocks of 258 bytes for 2 bits */
#define OTHERS_MOST      200

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
static uint32_t crc_of(const uint8_t *p, size_t n)
{
    uint32_t c = ~UINT32_C(0);

    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
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
        }
        n -= 4U + len;
        p += 4U + len;
    }
    return 0;
}

/* The names of the record at p, whose extra fields are in order. */
static void read_name(struct zip_name *name, const uint8_t *p)
{
    size_t n = get16(p + 28), left = get16(p + 30);
    const uint8_t *own = p + ENTRY_SIZE, *q = own + n;

    *name = (struct zip_name){.name = (const char *)own, .name_len = n};
    while (left >= 4) {
        uint16_t id = get16(q), len = get16(q + 2);

        if (id == EXTRA_NAME && len > 5 && q[4] == 1 && get32(q + 5) == crc_of(own, n)) {
            *name = (struct zip_name){.name = (const char *)q + 9,
                                      .name_len = len - 5U,
                                      .plain = (const char *)own,
                                      .plain_len = n};
            return;
        }
        left -= 4U + len;
        q += 4U + len;
    }
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

/* Length of the record that begins at p; 0 when that is none. */
static size_t record_len(const uint8_t *p)
{
    if (get32(p) != SIG_ENTRY)
        return 0;
    return (size_t)ENTRY_SIZE + get16(p + 28) + get16(p + 30) + get16(p + 32);
}

/* The entry of the record at p. Returns -1 when it is damaged. */
static int read_entry(struct zip_entry *e, const uint8_t *p, size_t len)
{
    uint64_t local = get32(p + 42);

    *e = (struct zip_entry){
        .flags = get16(p + 8),
        .method = get16(p + 10),
        .time_s = dos_time(get16(p + 12), get16(p + 14)),
        .packed = get32(p + 20),
        .size = get32(p + 24),
        .mode = p[5] == 3 || p[5] == 19 ? get32(p + 38) >> 16 : 0,
        .len = (uint32_t)len,
    };
    if (read_extra(e, p + ENTRY_SIZE + get16(p + 28), get16(p + 30), &local) < 0)
        return -1;
    e->at = local;
    return 0;
}

/* The n bytes of the directory at at, NULL when they cannot be read. Valid until the next call. */
static const uint8_t *piece_of(struct zip_dir *d, uint64_t at, size_t n)
{
    if (!d->piece)
        d->piece = xmalloc(RECORD_MAX);
    if (at < d->piece_at || at - d->piece_at > d->piece_len ||
        n > d->piece_len - (size_t)(at - d->piece_at)) {
        size_t want = n > PIECE ? n : PIECE;

        if (want > d->end - at)
            want = (size_t)(d->end - at);
        d->piece_len = 0;
        if (want < n || read_at(d->fd, d->piece, want, at) < 0)
            return NULL;
        d->piece_at = at;
        d->piece_len = want;
    }
    return d->piece + (at - d->piece_at);
}

/* The record at at, whole; *len gets its length. NULL when it is damaged. */
static const uint8_t *record_at(struct zip_dir *d, uint64_t at, size_t *len)
{
    const uint8_t *p = d->end - at < ENTRY_SIZE ? NULL : piece_of(d, at, ENTRY_SIZE);

    *len = p ? record_len(p) : 0;
    return *len && *len <= d->end - at ? piece_of(d, at, *len) : NULL;
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

/* All entries. Returns -1 when these are not so many, or damaged. */
static int read_entries(struct zip_dir *d, uint64_t entries)
{
    size_t len, cap = 0;

    for (uint64_t at = d->start; at < d->end; at += len) {
        const uint8_t *p = record_at(d, at, &len);
        struct zip_entry e;

        if (!p || read_entry(&e, p, len) < 0 || e.at > d->start - d->shift)
            return -1;
        e.record = at;
        e.at += d->shift;
        GROW(d->entries, d->len, cap);
        d->entries[d->len++] = e;
    }
    return d->len == entries ? 0 : -1;
}

/* What can be in an entry, whatever it says, up to where the next one is. */
static uint64_t holds(const struct zip_entry *e, uint64_t next)
{
    uint64_t room = next - e->at < e->packed ? next - e->at : e->packed;
    uint64_t times = e->method == METHOD_STORED ? 1
                     : e->method == METHOD_DEFLATED || e->method == METHOD_DEFLATE64
                         ? DEFLATE_MOST
                         : OTHERS_MOST;

    return room < e->size / times ? room * times : e->size;
}

static void sum_up(struct zip_dir *d)
{
    for (size_t i = 0; i < d->len; i++)
        d->holds += holds(&d->entries[i], i + 1 < d->len ? d->entries[i + 1].at : d->start);
}

static void put_in_order(struct zip_dir *d)
{
    bool ordered = true;

    for (size_t i = 1; i < d->len; i++)
        ordered &= d->entries[i - 1].at <= d->entries[i].at;
    if (!ordered)
        qsort(d->entries, d->len, sizeof *d->entries, by_place);
    for (size_t i = 1; i < d->len; i++)
        d->twice |= d->entries[i - 1].at == d->entries[i].at;
}

int zip_dir_read(int fd, uint64_t size, struct zip_dir *d, struct error *err)
{
    uint8_t end[END_SIZE];
    struct extent x;

    *d = (struct zip_dir){.fd = fd};
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
    d->end = x.end;
    d->shift = d->start - x.at;
    if (read_entries(d, x.entries) < 0)
        return damaged(d, err);
    put_in_order(d);
    sum_up(d);
    return 0;
}

int zip_dir_name(struct zip_dir *d, size_t i, struct zip_name *n)
{
    const struct zip_entry *e = &d->entries[i];
    size_t len;
    const uint8_t *p = record_at(d, e->record, &len);
    struct zip_entry again;

    /* Whoever writes into the file meanwhile has no part in what is read here. */
    if (!p || len != e->len || read_entry(&again, p, len) < 0)
        return -1;
    read_name(n, p);
    return 0;
}

const char *zip_dir_doubt(const struct zip_dir *d, size_t i, const struct zip_name *n)
{
    const struct zip_entry *e = &d->entries[i];
    uint64_t limit = i + 1 < d->len ? d->entries[i + 1].at : d->start;
    uint8_t local[LOCAL_SIZE];

    if (read_at(d->fd, local, sizeof local, e->at) < 0 || get32(local) != SIG_LOCAL)
        return "there is no entry where the ZIP's directory says that one is";

    size_t name = get16(local + 26), extra = get16(local + 28);
    AUTO_FREE char *there = xmalloc(name + 1);

    if (e->packed > limit || e->at + LOCAL_SIZE + name + extra > limit - e->packed)
        return "it lies over another entry";
    if (get16(local + 8) != e->method || ((get16(local + 6) ^ e->flags) & ZIP_ENCRYPTED))
        return "it is packed otherwise than the ZIP's directory says";
    if (read_at(d->fd, there, name, e->at + LOCAL_SIZE) < 0)
        return "it cannot be read";

    const char *plain = n->plain ? n->plain : n->name;

    if (name != (n->plain ? n->plain_len : n->name_len) || memcmp(there, plain, name) != 0)
        return "it has another name beside its data than in the ZIP's directory";
    return NULL;
}

int zip_dir_slice(const struct zip_dir *d, uint64_t i, uint64_t from, uint64_t n, uint64_t *at)
{
    const struct zip_entry *e = i < d->len ? &d->entries[i] : NULL;
    uint8_t local[LOCAL_SIZE];

    if (!e || e->method != METHOD_STORED || (e->flags & ZIP_ENCRYPTED) || e->packed != e->size ||
        from > e->size || n > e->size - from || read_at(d->fd, local, sizeof local, e->at) < 0 ||
        get32(local) != SIG_LOCAL)
        return -1;
    *at = e->at + LOCAL_SIZE + get16(local + 26) + get16(local + 28) + from;
    return 0;
}

/* ---- a part of it
 * ---------------------------------------------------------------------------- */

static void put16(struct str *s, uint64_t n)
{
    str_addc(s, (char)(n & 255));
    str_addc(s, (char)(n >> 8 & 255));
}

static void put32(struct str *s, uint64_t n)
{
    put16(s, n & 65535);
    put16(s, n >> 16 & 65535);
}

static void put64(struct str *s, uint64_t n)
{
    put32(s, n & UINT32_MAX);
    put32(s, n >> 32);
}

/* The end records of a directory of len entries, which is all that s holds. */
static void put_end(struct str *s, const struct zip_dir *d, size_t len)
{
    uint64_t size = s->len, at = d->start - d->shift;
    bool wide = at >= UINT32_MAX || len >= UINT16_MAX || size >= UINT32_MAX;

    if (wide) {
        put32(s, SIG_END64);
        put64(s, END64_SIZE - 12);
        put32(s, 45 | 45 << 16); /* made by, needed: version 4.5 */
        put64(s, 0);             /* both disks */
        put64(s, len);
        put64(s, len);
        put64(s, size);
        put64(s, at);
        put32(s, SIG_LOCATOR);
        put32(s, 0);
        put64(s, d->start + size);
        put32(s, 1);
    }
    put32(s, SIG_END);
    put32(s, 0);
    put16(s, wide ? UINT16_MAX : len);
    put16(s, wide ? UINT16_MAX : len);
    put32(s, wide ? UINT32_MAX : size);
    put32(s, wide ? UINT32_MAX : at);
    put16(s, 0);
}

char *zip_dir_part(struct zip_dir *d, const uint32_t *picks, size_t len, size_t *bytes)
{
    AUTO_STR struct str s = STR_INIT;

    /* libarchive takes no account of what stands before an archive with larger numbers. */
    if (d->shift && (d->start >= UINT32_MAX || len >= UINT16_MAX))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        const struct zip_entry *e = picks[i] < d->len ? &d->entries[picks[i]] : NULL;
        size_t n;
        const uint8_t *p = e ? record_at(d, e->record, &n) : NULL;

        if (!p || n != e->len)
            return NULL;
        str_addn(&s, p, n);
    }
    put_end(&s, d, len);
    *bytes = s.len;
    return str_detach(&s);
}

void zip_dir_clear(struct zip_dir *d)
{
    free(d->entries);
    free(d->piece);
    *d = (struct zip_dir){.entries = NULL};
}
