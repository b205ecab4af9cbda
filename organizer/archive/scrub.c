#include "archive/scrub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/sidecar.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"

#define PIECE ((size_t)2 << 20)
#define BLOCK 4096 /* what O_DIRECT wants memory and places to be multiples of */
/* While one thread hashes another waits for the disk. */
#define THREADS_EACH 2

struct job {
    char *path;
    uint64_t size;
    bool there; /* the archive itself, not only its .sha256 */
};

struct scrub {
    int folder;
    const struct scrub_options *o;
    struct job *jobs;
    size_t len, cap;
    pthread_mutex_t lock; /* over what follows, and the calls back */
    size_t next;
    uint64_t bytes, of;
};

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);

    return n > m && strcasecmp(name + n - m, with) == 0;
}

bool scrub_is_archive(const char *name)
{
    static const char *const endings[] = {".zip",     ".tar",     ".tar.gz", ".tgz",
                                          ".tar.zst", ".tar.bz2", ".tar.xz"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends(name, endings[i]))
            return true;
    return false;
}

/* ---- what there is
 * --------------------------------------------------------------------------- */

static void add_job(struct scrub *s, const char *path, uint64_t size, bool there)
{
    GROW(s->jobs, s->len, s->cap);
    s->jobs[s->len++] = (struct job){xstrdup(path), size, there};
    s->of += size;
}

static int collect(struct scrub *s, struct str *path, struct error *err);

/* The entry name of the folder fd, whose path is in path. */
static int look_at(struct scrub *s, int fd, const char *name, struct str *path, struct error *err)
{
    size_t before = path->len, n = strlen(name), m = strlen(SIDECAR_SUFFIX);
    struct stat st;
    int rc = 0;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_set(err, errno, "%s/%s", str_c(path), name);
    if (before)
        str_addc(path, '/');
    str_add(path, name);
    if (S_ISDIR(st.st_mode) && name[0] != '.') {
        rc = collect(s, path, err);
    } else if (S_ISREG(st.st_mode) && scrub_is_archive(name)) {
        add_job(s, str_c(path), (uint64_t)st.st_size, true);
    } else if (S_ISREG(st.st_mode) && ends(name, SIDECAR_SUFFIX)) {
        AUTO_FREE char *archive = xmemdup0(name, n - m);

        str_cut(path, path->len - m);
        if (scrub_is_archive(archive) && faccessat(fd, archive, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            add_job(s, str_c(path), 0, false);
    }
    str_cut(path, before);
    return rc;
}

static int collect(struct scrub *s, struct str *path, struct error *err)
{
    DIR *d = io_list_own(beneath_open(s->folder, str_c(path), O_RDONLY | O_DIRECTORY, 0));
    struct dirent *e;
    int more = -1, rc = 0;

    while (d && rc == 0 && (more = io_next(d, &e)) > 0)
        rc = look_at(s, dirfd(d), e->d_name, path, err);
    if (rc == 0 && more < 0)
        rc = error_set(err, errno, "the folder %s cannot be read", path->len ? str_c(path) : ".");
    if (d)
        closedir(d);
    return rc;
}

/* Large ones first, so that no thread has one to itself at the end; then by name. */
static int by_size(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* ---- one archive
 * ----------------------------------------------------------------------------- */

static void count(struct scrub *s, size_t n)
{
    pthread_mutex_lock(&s->lock);
    s->bytes += n;
    if (s->o->progress)
        s->o->progress(s->o->ctx, s->bytes, s->of);
    pthread_mutex_unlock(&s->lock);
}

/* Past the page cache: what it holds is not what the disk has. Where the file system has no O_DIRECT the
 * kernel is told to forget what it holds. */
static int open_past_cache(const struct scrub *s, const char *path)
{
    int fd = beneath_open(s->folder, path, O_RDONLY | O_DIRECT, 0);

    if (fd >= 0 || (errno != EINVAL && errno != EOPNOTSUPP))
        return fd;
    fd = beneath_open(s->folder, path, O_RDONLY, 0);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return fd;
}

/* Behind the last whole block O_DIRECT cannot read; the rest may come through the cache. */
static void leave_direct(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0 && (flags & O_DIRECT))
        fcntl(fd, F_SETFL, flags & ~O_DIRECT);
}

/* Returns 0 or an errno. */
static int hash_file(struct scrub *s, int fd, char *piece, struct digest *d, uint64_t *bytes)
{
    struct digester *g = digester_new();
    ssize_t n;

    while ((n = pread(fd, piece, PIECE, (off_t)*bytes)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int saved = errno;

            digester_free(g);
            return saved;
        }
        digester_add(g, piece, (size_t)n);
        *bytes += (uint64_t)n;
        count(s, (size_t)n);
        if ((size_t)n < PIECE)
            leave_direct(fd);
    }
    *d = digester_done(g);
    return 0;
}

static void scrub_one(struct scrub *s, const struct job *j, char *piece)
{
    struct scrub_file f = {.path = j->path, .answer = SCRUB_UNREADABLE};
    struct error err = ERROR_INIT;
    struct digest said;
    int beside = sidecar_read(s->folder, j->path, &said, &err);
    AUTO_CLOSE int fd = -1;

    if (!j->there) {
        f.answer = SCRUB_MISSING;
    } else if (beside == 0) {
        f.answer = SCRUB_BARE;
    } else if (beside < 0) {
        error_prefix(&err, "the .sha256 beside it");
    } else if ((fd = open_past_cache(s, j->path)) < 0) {
        error_set(&err, errno, "it cannot be opened");
    } else {
        int r = hash_file(s, fd, piece, &f.digest, &f.bytes);

        if (r)
            error_set(&err, r, "it cannot be read behind byte %llu", (unsigned long long)f.bytes);
        else
            f.answer = digest_equal(&f.digest, &said) ? SCRUB_RIGHT : SCRUB_WRONG;
    }
    f.why = error_text(&err);
    pthread_mutex_lock(&s->lock);
    s->o->done(s->o->ctx, &f);
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *ctx)
{
    struct scrub *s = ctx;
    AUTO_FREE char *room = xmalloc(PIECE + BLOCK);
    char *piece = room + (BLOCK - (uintptr_t)room % BLOCK) % BLOCK;

    for (;;) {
        size_t i;

        pthread_mutex_lock(&s->lock);
        i = s->next++;
        pthread_mutex_unlock(&s->lock);
        if (i >= s->len)
            return NULL;
        scrub_one(s, &s->jobs[i], piece);
    }
}

/* The caller's own thread works too: it goes on when no other can be had. */
static void run_threads(struct scrub *s)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = s->o->threads ? s->o->threads : THREADS_EACH * (processors > 0 ? (size_t)processors : 1);
    AUTO_FREE pthread_t *threads = xcalloc(n, sizeof *threads);
    size_t started = 0;

    while (started + 1 < n && started + 1 < s->len &&
           pthread_create(&threads[started], NULL, work, s) == 0)
        started++;
    work(s);
    while (started)
        pthread_join(threads[--started], NULL);
}

int scrub_run(int folder, const struct scrub_options *o, struct error *err)
{
    struct scrub s = {.folder = folder, .o = o, .lock = PTHREAD_MUTEX_INITIALIZER};
    AUTO_STR struct str path = STR_INIT;
    int rc = collect(&s, &path, err);

    if (rc == 0 && s.len) {
        qsort(s.jobs, s.len, sizeof *s.jobs, by_size);
        run_threads(&s);
    }
    for (size_t i = 0; i < s.len; i++)
        free(s.jobs[i].path);
    free(s.jobs);
    return rc;
}
