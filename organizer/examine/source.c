#include "examine/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"

void source_init(struct source *s)
{
    memset(s, 0, sizeof *s);
    s->fd = -1;
    s->head = xmalloc(SOURCE_HEAD);
}

void source_clear(struct source *s)
{
    free(s->head);
    s->head = NULL;
    s->len = 0;
}

int source_open(struct source *s, int fd)
{
    struct stat st;

    s->fd = fd;
    s->len = 0;
    s->budget = SOURCE_BUDGET;
    s->error = 0;
    s->size = 0;
    /* Not fstat(3): glibc makes newfstatat(2) of it, which takes a path; the sandbox has neither.
     */
    if (syscall(SYS_fstat, fd, &st) < 0) {
        s->error = errno;
        return -1;
    }
    s->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    source_head(s, SOURCE_GLANCE);
    return s->error ? -1 : 0;
}

size_t source_head(struct source *s, size_t want)
{
    if (want > SOURCE_HEAD)
        want = SOURCE_HEAD;
    while (s->len < want) {
        size_t n = source_read(s, s->len, s->head + s->len, want - s->len);

        if (n == 0)
            break;
        s->len += n;
    }
    return s->len;
}

size_t source_read(struct source *s, uint64_t at, void *buf, size_t n)
{
    size_t got = 0;

    if (n > s->budget)
        n = s->budget;
    if (at > INT64_MAX - n)
        return 0;
    while (got < n) {
        ssize_t r = pread(s->fd, (uint8_t *)buf + got, n - got, (off_t)(at + got));

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && s->error == 0)
            s->error = errno;
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    s->budget -= got;
    return got;
}

bool source_is(const struct source *s, size_t at, const void *p, size_t n)
{
    return at <= s->len && n <= s->len - at && memcmp(s->head + at, p, n) == 0;
}

uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t le64(const uint8_t *p)
{
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}
