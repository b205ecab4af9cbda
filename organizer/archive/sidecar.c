#include "archive/sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"

#define SIDECAR_MOST 65536
#define PIECE        ((size_t)512 << 10)

/* The line "digest  name" or "digest *name" of that name. */
static int find_line(char *text, const char *name, struct digest *d)
{
    char *rest = text, *line;

    while ((line = strsep(&rest, "\r\n"))) {
        char hex[DIGEST_HEX];

        if (strlen(line) < DIGEST_HEX + 1 || line[DIGEST_HEX - 1] != ' ' ||
            (line[DIGEST_HEX] != ' ' && line[DIGEST_HEX] != '*') ||
            strcmp(line + DIGEST_HEX + 1, name) != 0)
            continue;
        memcpy(hex, line, sizeof hex - 1);
        hex[sizeof hex - 1] = '\0';
        if (digest_parse(hex, d) == 0)
            return 0;
    }
    return -1;
}

int sidecar_read(int dirfd, const char *path, struct digest *d, struct error *err)
{
    AUTO_FREE char *beside = xasprintf("%s" SIDECAR_SUFFIX, path);
    AUTO_CLOSE int fd = openat(dirfd, beside, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    AUTO_STR struct str text = STR_INIT;
    const char *slash = strrchr(path, '/');

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || io_read_all(fd, &text, SIDECAR_MOST) < 0)
        return error_set(err, errno, "it cannot be read");
    if (!text.len || memchr(text.s, '\0', text.len) ||
        find_line(text.s, slash ? slash + 1 : path, d) < 0)
        return error_set(err, 0, "it has no line for this archive");
    return 1;
}

struct sidecar_hash {
    pthread_t thread;
    int fd, error;
    struct digest digest;
};

static void *run(void *ctx)
{
    struct sidecar_hash *h = ctx;
    struct digester *g = digester_new();
    AUTO_FREE char *piece = xmalloc(PIECE);
    off_t at = 0;
    ssize_t n;

    while ((n = pread(h->fd, piece, PIECE, at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            h->error = errno;
            break;
        }
        digester_add(g, piece, (size_t)n);
        at += n;
    }
    h->digest = digester_done(g);
    return NULL;
}

struct sidecar_hash *sidecar_start(int fd)
{
    struct sidecar_hash *h = xcalloc(1, sizeof *h);

    h->fd = fd;
    if (pthread_create(&h->thread, NULL, run, h) == 0)
        return h;
    free(h);
    return NULL;
}

int sidecar_finish(struct sidecar_hash *h, struct digest *d)
{
    int r = pthread_join(h->thread, NULL);

    if (r == 0)
        r = h->error;
    *d = h->digest;
    free(h);
    return r;
}
