#include "archive/bag_source.h"

#include <dirent.h>
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

#define PIECE ((size_t)256 << 10)

int bag_source_open(struct bag_source *s, int dirfd, const char *path,
                    const struct unpack_options *o, int *fd, struct error *err)
{
    struct stat st;
    int f = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *s = (struct bag_source){.folder = -1};
    *fd = -1;
    if (f < 0 || fstat(f, &st) < 0) {
        error_set(err, errno, "it cannot be opened");
        if (f >= 0)
            close(f);
        return -1;
    }
    if (S_ISDIR(st.st_mode)) {
        s->folder = f;
        s->lists_fast = true;
        return 0;
    }
    *fd = f;
    if (!S_ISREG(st.st_mode))
        return error_set(err, 0, "it is neither a file nor a folder");
    s->unpack = unpack_open(f, o, err);
    s->lists_fast = s->unpack && unpack_lists_fast(s->unpack);
    return s->unpack ? 0 : -1;
}

/* ---- folders
 * --------------------------------------------------------------------------------- */

struct walk {
    const struct bag_source *source;
    bool data;
    bag_sink *sink;
    void *ctx;
    struct str path; /* from the bag down */
    uint64_t number;
    char *piece;
};

static enum unpack_kind kind_of(const struct stat *st)
{
    return S_ISREG(st->st_mode)   ? UNPACK_FILE
           : S_ISDIR(st->st_mode) ? UNPACK_FOLDER
           : S_ISLNK(st->st_mode) ? UNPACK_SYMLINK
                                  : UNPACK_SPECIAL;
}

static int send_end(const struct walk *w, uint64_t number, const char *why)
{
    struct unpack_event e = {
        .what = UNPACK_END, .number = number, .p = why, .n = strlen(why), .damaged = *why};

    return w->sink(w->ctx, &e);
}

/* The document's bytes, from a descriptor that no link led to. */
static int send_file(struct walk *w, uint64_t number, const char *path)
{
    AUTO_CLOSE int fd = beneath_open(w->source->folder, path, O_RDONLY, 0);
    uint64_t at = 0;
    ssize_t n;
    int r;

    if (fd < 0)
        return send_end(w, number, strerror(errno));
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (!w->piece)
        w->piece = xmalloc(PIECE);
    while ((n = pread(fd, w->piece, PIECE, (off_t)at)) != 0) {
        struct unpack_event e = {.what = UNPACK_DATA, .number = number, .p = w->piece};

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return send_end(w, number, strerror(errno));
        e.n = (size_t)n;
        if ((r = w->sink(w->ctx, &e)))
            return r;
        at += (uint64_t)n;
    }
    return send_end(w, number, "");
}

static int send_entry(struct walk *w, const struct stat *st)
{
    struct unpack_event e = {
        .what = UNPACK_ENTRY,
        .number = w->number,
        .p = str_c(&w->path),
        .n = w->path.len,
        .kind = kind_of(st),
        .size = (uint64_t)st->st_size,
        .time_s = st->st_mtim.tv_sec,
        .time_ns = (uint32_t)st->st_mtim.tv_nsec,
        .size_known = true,
    };
    int r = w->sink(w->ctx, &e);

    if (r == 0 && w->data && e.kind == UNPACK_FILE)
        r = send_file(w, w->number, str_c(&w->path));
    w->number++;
    return r;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* The names in the folder fd, sorted; the caller frees them. -1 with errno. */
static int read_names(int fd, char ***names, size_t *len)
{
    DIR *d = fd < 0 ? NULL : io_list(fd);
    struct dirent *e;
    size_t cap = 0;
    int saved, more;

    *names = NULL;
    *len = 0;
    if (!d)
        return -1;
    while ((more = io_next(d, &e)) > 0) {
        GROW(*names, *len, cap);
        (*names)[(*len)++] = xstrdup(e->d_name);
    }
    saved = errno;
    closedir(d);
    if (*len)
        qsort(*names, *len, sizeof **names, compare_names);
    errno = saved;
    return more;
}

static int tell_unreadable(const struct walk *w)
{
    AUTO_FREE char *text =
        xasprintf("the folder %s cannot be read: %s", str_c(&w->path), strerror(errno));
    struct unpack_event e = {
        .what = UNPACK_TOLD, .number = UINT64_MAX, .p = text, .n = strlen(text)};

    return w->sink(w->ctx, &e);
}

/* Everything below w->path: folders are gone into where they stand in the order. */
static int walk_folder(struct walk *w)
{
    AUTO_CLOSE int fd = beneath_open(w->source->folder, str_c(&w->path), O_RDONLY | O_DIRECTORY, 0);
    size_t len, before = w->path.len;
    char **names;
    int r = read_names(fd, &names, &len) < 0 ? tell_unreadable(w) : 0;

    for (size_t i = 0; i < len; i++) {
        struct stat st;

        if (before)
            str_addc(&w->path, '/');
        str_add(&w->path, names[i]);
        if (r == 0 && fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            r = tell_unreadable(w);
        else if (r == 0 && (r = send_entry(w, &st)) == 0 && S_ISDIR(st.st_mode))
            r = walk_folder(w);
        free(names[i]);
        str_cut(&w->path, before);
    }
    free(names);
    return r;
}

/* ---- both
 * ------------------------------------------------------------------------------------ */

void bag_source_declare(const struct bag_source *s, uint64_t bytes)
{
    if (s->unpack)
        unpack_declare(s->unpack, bytes);
}

static int pump(const struct bag_source *s, bag_sink *sink, void *ctx, struct error *err)
{
    struct unpack_event e;
    int r;

    while ((r = unpack_next(s->unpack, &e, err)) > 0)
        if ((r = sink(ctx, &e)))
            return r;
    return r;
}

int bag_source_all(struct bag_source *s, bool data, bag_sink *sink, void *ctx, struct error *err)
{
    struct walk w = {.source = s, .data = data, .sink = sink, .ctx = ctx};
    int r;

    if (s->unpack) {
        r = unpack_start(s->unpack, data, NULL, 0, err);
        return r < 0 ? r : pump(s, sink, ctx, err);
    }
    r = walk_folder(&w);
    str_clear(&w.path);
    free(w.piece);
    return r;
}

int bag_source_want(const struct bag_source *s, const char *const *list, struct error *err)
{
    return s->unpack ? unpack_want(s->unpack, list, err) : 0;
}

int bag_source_slice(const struct bag_source *s, const struct bag_file *f, uint64_t from, uint64_t n,
                     bag_sink *sink, void *ctx, struct error *err)
{
    return s->unpack && unpack_format(s->unpack) == UNPACK_ZIP &&
                   unpack_slice(s->unpack, f->number, from, n, err) == 0 &&
                   pump(s, sink, ctx, err) == 0
               ? 0
               : 1;
}

static int by_number(const void *a, const void *b)
{
    const struct bag_file *const *x = a, *const *y = b;

    return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

int bag_source_read(struct bag_source *s, struct bag_file **files, size_t len, bag_sink *sink,
                    void *ctx, struct error *err)
{
    struct walk w = {.source = s, .data = true, .sink = sink, .ctx = ctx};
    int r = 0;

    if (!len)
        return 0;
    qsort(files, len, sizeof *files, by_number);
    if (s->unpack) {
        AUTO_FREE uint32_t *picks = xcalloc(len, sizeof *picks);

        for (size_t i = 0; i < len; i++)
            picks[i] = files[i]->number;
        r = unpack_start(s->unpack, true, picks, len, err);
        return r < 0 ? r : pump(s, sink, ctx, err);
    }
    for (size_t i = 0; i < len && r == 0; i++) {
        struct unpack_event e = {.what = UNPACK_ENTRY,
                                 .number = files[i]->number,
                                 .p = files[i]->path,
                                 .n = strlen(files[i]->path),
                                 .kind = UNPACK_FILE,
                                 .size = files[i]->size};

        r = sink(ctx, &e);
        if (r == 0)
            r = send_file(&w, files[i]->number, files[i]->path);
    }
    free(w.piece);
    return r;
}

void bag_source_close(struct bag_source *s)
{
    unpack_close(s->unpack);
    if (s->folder >= 0)
        close(s->folder);
    *s = (struct bag_source){.folder = -1};
}
