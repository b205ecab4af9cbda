#include "archive/unpacker.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "archive/unpack_stream.h"
#include "archive/zipdir.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/exit.h"
#include "examine/sandbox.h"
#include "examine/wire.h"

#define WHOLE_ARCHIVE UINT64_MAX
/* Of processor time: libarchive has been seen not to end. A second for each MiB is far more than
 * any honest archive takes. */
#define CPU_LEAST 60

/* What may be done to make it one order. */
struct unpacking {
    struct stream in;
    uint32_t *picks;        /* ascending; NULL: all */
    size_t picks_len, pick; /* pick: the next one */
    bool data;              /* READ */
    bool sparse;            /* documents may end with a hole: tar */
    uint64_t entries;
};

/* ---- messages
 * -------------------------------------------------------------------------------- */

/* Returns -1 when the organizer is gone. */
static int say(const struct unpack_head *h, const void *p, size_t n)
{
    struct iovec iov[2] = {{(void *)(uintptr_t)h, sizeof *h}, {(void *)(uintptr_t)p, n}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = n ? 2 : 1};
    ssize_t r;

    do
        r = sendmsg(WIRE_FD, &m, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -1 : 0;
}

static int say_text(enum unpack_what what, uint32_t flags, uint64_t number, const char *text)
{
    struct unpack_head h = {.what = what, .flags = flags, .number = number};

    return say(&h, text, strlen(text));
}

static int say_number(enum unpack_what what, uint32_t flags, uint64_t number)
{
    return say_text(what, flags, number, "");
}

static const char *why(struct archive *a)
{
    const char *s = archive_error_string(a);

    if (!s)
        return "the archive is damaged";
    return strcmp(s, "Unrecognized archive format") == 0
               ? "it is no archive of a kind that is read here, or its beginning is damaged"
               : s;
}

/* Nothing more comes of this order. Returns -1 when the organizer is gone, else 1. */
static int say_failed(const struct unpacking *u, const char *otherwise)
{
    const char *text = stream_error(&u->in);

    return say_text(UNPACK_FAILED, 0, 0, *text ? text : otherwise) < 0 ? -1 : 1;
}

/* ---- entries
 * --------------------------------------------------------------------------------- */

static bool is_picked(struct unpacking *u, uint64_t number)
{
    if (!u->data)
        return false;
    if (!u->picks)
        return true;
    while (u->pick < u->picks_len && u->picks[u->pick] < number)
        u->pick++;
    return u->pick < u->picks_len && u->picks[u->pick] == number;
}

/* All that was picked has come. */
static bool is_over(const struct unpacking *u, uint64_t number)
{
    return u->data && u->picks && u->picks_len && u->picks[u->picks_len - 1] < number;
}

static int send_data(struct unpacking *u, const char *p, size_t n, uint64_t number)
{
    while (n) {
        struct unpack_head h = {.what = UNPACK_DATA, .number = number};
        size_t part = n < UNPACK_DATA_MAX ? n : UNPACK_DATA_MAX;

        if (stream_count(&u->in, part) < 0) /* too much */
            return 1;
        if (say(&h, p, part) < 0)
            return -1;
        p += part;
        n -= part;
    }
    return 0;
}

/* Holes of sparse files are sent as what a reader sees: zeros. */
static int send_zeros(struct unpacking *u, uint64_t n, uint64_t number)
{
    static const char zeros[65536];
    int r = 0;

    while (n && r == 0) {
        size_t part = n < sizeof zeros ? (size_t)n : sizeof zeros;

        r = send_data(u, zeros, part, number);
        n -= part;
    }
    return r;
}

/* Sends the data of the entry at hand, and its end. Returns 0 to go on, -1 when the organizer is
 * gone, 1 when the archive cannot be read on (said already). */
static int send_body(struct unpacking *u, struct archive *a, struct archive_entry *e,
                     uint64_t number)
{
    int64_t at, done = 0;
    const void *p;
    size_t n;
    int r, sent;

    while ((r = archive_read_data_block(a, &p, &n, &at)) == ARCHIVE_OK || r == ARCHIVE_RETRY ||
           r == ARCHIVE_WARN) {
        if (r == ARCHIVE_RETRY || (r == ARCHIVE_WARN && n == 0))
            continue;
        sent = at > done ? send_zeros(u, (uint64_t)(at - done), number) : 0;
        if (sent == 0)
            sent = send_data(u, p, n, number);
        if (sent)
            return sent < 0 ? -1 : say_failed(u, "");
        done = at + (int64_t)n;
    }
    if (r == ARCHIVE_EOF) {
        int64_t whole = u->sparse && archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;

        if (whole > done && (sent = send_zeros(u, (uint64_t)(whole - done), number)))
            return sent < 0 ? -1 : say_failed(u, "");
        return say_number(UNPACK_END, 0, number);
    }
    if (say_text(UNPACK_END, UNPACK_DAMAGED, number, why(a)) < 0)
        return -1;
    return r == ARCHIVE_FATAL ? say_failed(u, why(a)) : 0;
}

static enum unpack_kind kind_of_mode(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
    case 0:
        return UNPACK_FILE;
    case S_IFDIR:
        return UNPACK_FOLDER;
    case S_IFLNK:
        return UNPACK_SYMLINK;
    default:
        return UNPACK_SPECIAL;
    }
}

/* ---- ZIP
 * ------------------------------------------------------------------------------------- */

static int say_zip_entry(const struct zip_entry *e, uint64_t number)
{
    bool folder = e->name_len && e->name[e->name_len - 1] == '/';
    struct unpack_head h = {
        .what = UNPACK_ENTRY,
        .flags = e->flags & ZIP_ENCRYPTED ? UNPACK_ENCRYPTED : 0,
        .number = number,
        .size = e->size,
        .time_s = e->time_s,
        .kind = folder ? UNPACK_FOLDER : kind_of_mode(e->mode),
    };

    return say(&h, e->name, e->name_len);
}

static int list_zip(struct unpacking *u, const struct zip_dir *d)
{
    for (u->entries = 0; u->entries < d->len; u->entries++)
        if (say_zip_entry(&d->entries[u->entries], u->entries) < 0)
            return -1;
    return say_number(UNPACK_DONE, 0, u->entries);
}

/* libarchive goes through the entries in the order in which they lie, as the directory read here.
 */
static int read_zip_entries(struct unpacking *u, struct archive *a, const struct zip_dir *d)
{
    struct archive_entry *e;
    uint64_t i;
    int r = ARCHIVE_OK;

    for (i = 0; i < d->len && !is_over(u, i); i++) {
        const char *doubt;
        int sent;

        r = archive_read_next_header(a, &e);
        if (r == ARCHIVE_EOF || r == ARCHIVE_FATAL)
            break;
        if (!is_picked(u, i))
            continue;
        if (say_zip_entry(&d->entries[i], i) < 0)
            return -1;
        if ((doubt = zip_dir_doubt(u->in.fd, d, i)) && say_text(UNPACK_TOLD, 0, i, doubt) < 0)
            return -1;
        if (r < ARCHIVE_WARN) {
            if (say_text(UNPACK_END, UNPACK_DAMAGED, i, why(a)) < 0)
                return -1;
            continue;
        }
        if ((sent = send_body(u, a, e, i)))
            return sent;
    }
    if (i < d->len && !is_over(u, i))
        return say_failed(u, r == ARCHIVE_EOF ? "two entries of the ZIP lie in the same place"
                                              : why(a));
    if (!u->picks && archive_read_next_header(a, &e) != ARCHIVE_EOF &&
        say_text(UNPACK_TOLD, 0, WHOLE_ARCHIVE,
                 "the ZIP holds entries that its directory does not name") < 0)
        return -1;
    u->entries = i;
    return say_number(UNPACK_DONE, 0, i) < 0 ? -1 : 0;
}

static int read_zip(struct unpacking *u, const struct zip_dir *d)
{
    struct archive *a = archive_read_new();
    int r;

    archive_read_support_format_zip_seekable(a);
    if (stream_open_plain(&u->in, a) != ARCHIVE_OK)
        r = say_failed(u, why(a));
    else
        r = read_zip_entries(u, a, d);
    archive_read_free(a);
    stream_close(&u->in);
    return r < 0 ? -1 : 0;
}

static int run_zip(struct unpacking *u)
{
    struct zip_dir d;
    struct error err = ERROR_INIT;
    int r;

    if (zip_dir_read(u->in.fd, u->in.size, &d, &err) < 0)
        return say_text(UNPACK_FAILED, 0, 0, error_text(&err));
    /* Told once: whoever reads has seen the list before. */
    if (d.rest && !u->data &&
        say_text(UNPACK_TOLD, 0, WHOLE_ARCHIVE, "something lies behind the end of the ZIP") < 0)
        r = -1;
    else
        r = u->data ? read_zip(u, &d) : list_zip(u, &d);
    zip_dir_clear(&d);
    return r;
}

/* ---- tar
 * ------------------------------------------------------------------------------------- */

static int say_tar_entry(struct archive_entry *e, uint64_t number)
{
    const char *name = archive_entry_pathname(e);
    enum unpack_kind kind = kind_of_mode(archive_entry_filetype(e));
    struct unpack_head h = {
        .what = UNPACK_ENTRY,
        .flags = archive_entry_size_is_set(e) ? 0 : UNPACK_SIZE_UNKNOWN,
        .number = number,
        .size = (uint64_t)archive_entry_size(e),
        .time_s = archive_entry_mtime(e),
        .time_ns = (uint32_t)archive_entry_mtime_nsec(e),
        .kind = archive_entry_hardlink(e) ? UNPACK_HARDLINK : kind,
    };

    if (!name)
        name = "";
    return say(&h, name, strnlen(name, UNPACK_DATA_MAX));
}

/* The names stay bytes: in the C locale libarchive converts nothing, and says that it could not. */
static int read_tar_entries(struct unpacking *u, struct archive *a)
{
    struct archive_entry *e;
    int r;

    while (!is_over(u, u->entries) && (r = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
        uint64_t i = u->entries;
        int sent;

        if (r == ARCHIVE_RETRY)
            continue;
        if (r < ARCHIVE_WARN)
            return say_failed(u, why(a));
        u->entries++;
        if (u->data && !is_picked(u, i))
            continue;
        if (say_tar_entry(e, i) < 0)
            return -1;
        if (u->data && (sent = send_body(u, a, e, i)))
            return sent;
    }
    return 0;
}

static int run_tar(struct unpacking *u, enum unpack_format format)
{
    struct archive *a = archive_read_new();
    const char *doubt;
    int r;

    u->sparse = true;
    archive_read_support_format_tar(a);
    if (stream_open(&u->in, a, format) != ARCHIVE_OK) {
        r = say_failed(u, why(a));
    } else if ((r = read_tar_entries(u, a)) == 0) {
        /* Whoever asks for a few entries does not wait for the end. */
        if (!u->picks && (doubt = stream_finish(&u->in)))
            r = say_text(UNPACK_TOLD, 0, WHOLE_ARCHIVE, doubt);
        if (r == 0)
            r = say_number(UNPACK_DONE, 0, u->entries);
    }
    archive_read_free(a);
    stream_close(&u->in);
    return r < 0 ? -1 : 0;
}

/* ---- orders
 * ---------------------------------------------------------------------------------- */

/* Receives the n numbers that come with READ. Returns 0 or -1 for nonsense. */
static int take_picks(struct unpacking *u, uint64_t n)
{
    struct pick_message {
        struct unpack_head head;
        uint32_t picks[UNPACK_PICKS];
    };
    AUTO_FREE struct pick_message *m = xmalloc(sizeof *m);
    int fd;

    if (n > UINT32_MAX)
        return -1;
    u->picks = xcalloc((size_t)n, sizeof *u->picks);
    u->picks_len = 0;
    while (u->picks_len < n) {
        int r = wire_receive(WIRE_FD, m, sizeof *m, &fd);
        size_t bytes = r > (int)sizeof m->head ? (size_t)r - sizeof m->head : 0;
        size_t len = bytes / sizeof *m->picks;

        if (!len || m->head.what != UNPACK_PICK || len > n - u->picks_len)
            return -1;
        memcpy(u->picks + u->picks_len, m->picks, len * sizeof *m->picks);
        u->picks_len += len;
    }
    return 0;
}

/* Carries out orders until the other end is closed. */
static int serve(int fd, uint64_t size, uint64_t limit, enum unpack_format format)
{
    struct unpack_head h;
    int n, none;

    while ((n = wire_receive(WIRE_FD, &h, sizeof h, &none)) > 0) {
        struct unpacking u = {.in = {.fd = fd, .size = size, .limit = limit},
                              .data = h.what == UNPACK_READ};
        int r;

        if (n != sizeof h || (h.what != UNPACK_LIST && h.what != UNPACK_READ))
            return EXIT_CANNOT;
        if (h.number && take_picks(&u, h.number) < 0)
            return EXIT_CANNOT;
        r = format == UNPACK_ZIP ? run_zip(&u) : run_tar(&u, format);
        free(u.picks);
        if (r < 0)
            return EXIT_ORDER;
    }
    return n < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

int unpacker_run(const struct wire_setup *setup)
{
    struct wire_order o;
    struct stat st = {.st_size = 0};
    enum unpack_format format;
    int fd;

    (void)setup;
    if (wire_receive(WIRE_FD, &o, sizeof o, &fd) != sizeof o || fd < 0 || fstat(fd, &st) < 0)
        return EXIT_CANNOT;

    rlim_t cpu = CPU_LEAST + (rlim_t)(st.st_size >> 20);
    struct rlimit limit = {cpu, cpu};

    /* What cannot be limited here the other end bounds by the clock. */
    if (setrlimit(RLIMIT_CPU, &limit) < 0)
        errno = 0;
    if (say_number(UNPACK_HELLO, sandbox_enter(SANDBOX_UNPACKER), 0) < 0)
        return EXIT_ORDER;
    format = stream_format(fd, (uint64_t)st.st_size);
    if (say_number(UNPACK_FORMAT, 0, format) < 0)
        return EXIT_ORDER;
    return serve(fd, (uint64_t)st.st_size, o.limit, format);
}
