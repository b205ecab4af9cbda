#include "archive/unpacker.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "archive/unpack_stream.h"
#include "archive/wanted.h"
#include "archive/zipdir.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/exit.h"
#include "examine/sandbox.h"
#include "examine/wire.h"

#define WHOLE_ARCHIVE UINT64_MAX
#define NAME_COPY     4096

/* What may be done to make it one order. */
struct unpacking {
    struct stream in;
    struct outbox *out;
    uint32_t *picks;        /* ascending; NULL: all */
    size_t picks_len, pick; /* pick: the next one */
    struct zip_dir *dir;    /* of a ZIP */
    char *part;             /* of that directory: the entries that are picked; NULL: all of it */
    const char *const *wanted; /* by WANT; NULL: all */
    bool data;              /* READ */
    bool sparse;            /* documents may end with a hole: tar */
    uint64_t entries;
};

/* ---- messages
 * -------------------------------------------------------------------------------- */

/* Records on their way, in one message. */
struct outbox {
    size_t len;
    char bytes[UNPACK_DATA_MAX + sizeof(struct unpack_head)];
};

static int send_message(const struct unpack_head *h, const void *p, size_t n)
{
    struct iovec iov[2] = {{(void *)(uintptr_t)h, h ? sizeof *h : 0}, {(void *)(uintptr_t)p, n}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t r;

    do
        r = sendmsg(WIRE_FD, &m, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -1 : 0;
}

/* What was said is on its way. Returns -1 when the organizer is gone, as do all that say. */
static int say_all(struct outbox *out)
{
    size_t n = out->len;

    out->len = 0;
    return n ? send_message(NULL, out->bytes, n) : 0;
}

static int say(struct outbox *out, const struct unpack_head *h, const void *p, size_t n)
{
    struct unpack_head head = *h;

    head.len = n;
    if (h->what == UNPACK_DATA)
        return say_all(out) < 0 ? -1 : send_message(&head, p, n);
    if (sizeof out->bytes - out->len < sizeof head + n && say_all(out) < 0)
        return -1;
    memcpy(out->bytes + out->len, &head, sizeof head);
    memcpy(out->bytes + out->len + sizeof head, p, n);
    out->len += sizeof head + n;
    return 0;
}

static int say_text(struct outbox *out, enum unpack_what what, uint32_t flags, uint64_t number,
                    const char *text)
{
    struct unpack_head h = {.what = what, .flags = flags, .number = number};

    return say(out, &h, text, strlen(text));
}

static int say_number(struct outbox *out, enum unpack_what what, uint32_t flags, uint64_t number)
{
    return say_text(out, what, flags, number, "");
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

    return say_text(u->out, UNPACK_FAILED, 0, 0, *text ? text : otherwise) < 0 ? -1 : 1;
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

        if (say(u->out, &h, p, part) < 0)
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
            return sent;
        done = at + (int64_t)n;
    }
    if (r == ARCHIVE_EOF) {
        int64_t whole = u->sparse && archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;

        if (whole > done && (sent = send_zeros(u, (uint64_t)(whole - done), number)))
            return sent;
        return say_number(u->out, UNPACK_END, 0, number);
    }
    if (say_text(u->out, UNPACK_END, UNPACK_DAMAGED, number, why(a)) < 0)
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

static int say_zip_entry(const struct unpacking *u, uint64_t number, const struct zip_name *name)
{
    const struct zip_entry *e = &u->dir->entries[number];
    bool folder = name->name_len && name->name[name->name_len - 1] == '/';
    struct unpack_head h = {
        .what = UNPACK_ENTRY,
        .flags = e->flags & ZIP_ENCRYPTED ? UNPACK_ENCRYPTED : 0,
        .number = number,
        .size = e->size,
        .time_s = e->time_s,
        .kind = folder ? UNPACK_FOLDER : kind_of_mode(e->mode),
    };

    return say(u->out, &h, name->name, name->name_len);
}

static int say_name_lost(const struct unpacking *u)
{
    return say_failed(u, "the ZIP's directory cannot be read any more");
}

/* A name that is no name is told of. */
static bool is_aside(const struct unpacking *u, const struct zip_name *name)
{
    char path[NAME_COPY];
    size_t n = name->name_len;

    if (n >= sizeof path || memchr(name->name, '\0', n))
        return false;
    while (n && name->name[n - 1] == '/') /* a folder */
        n--;
    memcpy(path, name->name, n);
    path[n] = '\0';
    return wanted_entry_aside(u->wanted, path);
}

static int list_zip(struct unpacking *u)
{
    struct zip_name name;

    for (u->entries = 0; u->entries < u->dir->len; u->entries++) {
        if (zip_dir_name(u->dir, (size_t)u->entries, &name) < 0)
            return say_name_lost(u);
        if (u->wanted && is_aside(u, &name))
            continue;
        if (say_zip_entry(u, u->entries, &name) < 0)
            return -1;
    }
    return say_number(u->out, UNPACK_DONE, 0, u->entries);
}

/* Entry i, to which libarchive came with the answer r. Returns as send_body(). */
static int send_zip_entry(struct unpacking *u, struct archive *a, struct archive_entry *e, uint64_t i,
                          int r)
{
    struct zip_name name;
    const char *doubt;

    if (zip_dir_name(u->dir, (size_t)i, &name) < 0)
        return say_name_lost(u);
    if (say_zip_entry(u, i, &name) < 0)
        return -1;
    if ((doubt = zip_dir_doubt(u->dir, (size_t)i, &name)) &&
        say_text(u->out, UNPACK_TOLD, 0, i, doubt) < 0)
        return -1;
    if (r < ARCHIVE_WARN)
        return say_text(u->out, UNPACK_END, UNPACK_DAMAGED, i, why(a));
    return send_body(u, a, e, i);
}

/* The number of the nth entry that libarchive comes to: it goes through them in the order in which
 * they lie, as the directory read here; u->part: through those that are picked alone. */
static uint64_t zip_number(const struct unpacking *u, uint64_t n)
{
    return u->part ? u->picks[n] : n;
}

static int read_zip_entries(struct unpacking *u, struct archive *a)
{
    uint64_t len = u->part ? u->picks_len : u->dir->len, n;
    struct archive_entry *e;
    int r = ARCHIVE_OK, sent;

    for (n = 0; n < len && !is_over(u, zip_number(u, n)); n++) {
        r = archive_read_next_header(a, &e);
        if (r == ARCHIVE_EOF || r == ARCHIVE_FATAL)
            break;
        if (!is_picked(u, zip_number(u, n)))
            continue;
        if ((sent = send_zip_entry(u, a, e, zip_number(u, n), r)))
            return sent;
    }
    if (n < len && !is_over(u, zip_number(u, n)))
        return say_failed(u, r == ARCHIVE_EOF ? "the ZIP ends before its directory says" : why(a));
    if (!u->picks && archive_read_next_header(a, &e) != ARCHIVE_EOF &&
        say_text(u->out, UNPACK_TOLD, 0, WHOLE_ARCHIVE,
                 "the ZIP holds entries that its directory does not name") < 0)
        return -1;
    u->entries = n;
    return say_number(u->out, UNPACK_DONE, 0, n) < 0 ? -1 : 0;
}

/* Where less than half is picked libarchive gets a directory of these alone. */
static void choose_part(struct unpacking *u)
{
    if (!u->picks || u->picks_len > u->dir->len / 2)
        return;
    u->part = zip_dir_part(u->dir, u->picks, u->picks_len, &u->in.tail_len);
    if (!u->part)
        return;
    u->in.tail = u->part;
    u->in.size = u->dir->start;
}

static int read_zip(struct unpacking *u)
{
    struct archive *a = archive_read_new();
    int r;

    choose_part(u);
    archive_read_support_format_zip_seekable(a);
    if (stream_open_plain(&u->in, a) != ARCHIVE_OK)
        r = say_failed(u, why(a));
    else
        r = read_zip_entries(u, a);
    archive_read_free(a);
    stream_close(&u->in);
    free(u->part);
    return r < 0 ? -1 : 0;
}

/* The directory is read for the first order, and serves all. */
static int run_zip(struct unpacking *u)
{
    struct error err = ERROR_INIT;

    if (!u->dir->entries && zip_dir_read(u->in.fd, u->in.size, u->dir, &err) < 0)
        return say_text(u->out, UNPACK_FAILED, 0, 0, error_text(&err));
    /* Told once: whoever reads has seen the list before. */
    if (u->dir->rest && !u->data &&
        say_text(u->out, UNPACK_TOLD, 0, WHOLE_ARCHIVE, "something lies behind the end of the ZIP") <
            0)
        return -1;
    if (u->data && u->dir->twice)
        return say_failed(u, "two entries of the ZIP lie in the same place");
    if (say_number(u->out, UNPACK_HOLDS, 0, u->dir->holds) < 0)
        return -1;
    return u->data ? read_zip(u) : list_zip(u);
}

/* ---- tar
 * ------------------------------------------------------------------------------------- */

static int say_tar_entry(const struct unpacking *u, struct archive_entry *e, uint64_t number)
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
    return say(u->out, &h, name, strnlen(name, UNPACK_DATA_MAX));
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
        if (say_tar_entry(u, e, i) < 0)
            return -1;
        if (u->data && (sent = send_body(u, a, e, i)))
            return sent;
    }
    return 0;
}

/* For the stream: so that nobody thinks it hangs, and the other end can bound it. */
static int say_passed(void *ctx, uint64_t bytes)
{
    struct unpacking *u = ctx;

    return say_number(u->out, UNPACK_PASSED, 0, bytes) < 0 ? -1 : say_all(u->out);
}

static int run_tar(struct unpacking *u, enum unpack_format format)
{
    struct archive *a = archive_read_new();
    const char *doubt;
    int r;

    u->sparse = true;
    u->in.passed = say_passed;
    u->in.ctx = u;
    archive_read_support_format_tar(a);
    if (stream_open(&u->in, a, format) != ARCHIVE_OK) {
        r = say_failed(u, why(a));
    } else if ((r = read_tar_entries(u, a)) == 0) {
        /* Whoever asks for a few entries does not wait for the end. */
        if (!u->picks && (doubt = stream_finish(&u->in)))
            r = say_text(u->out, UNPACK_TOLD, 0, WHOLE_ARCHIVE, doubt);
        if (r == 0)
            r = say_number(u->out, UNPACK_DONE, 0, u->entries);
    }
    archive_read_free(a);
    stream_close(&u->in);
    return r < 0 ? -1 : 0;
}

/* ---- a slice of a document
 * ------------------------------------------------------------------ */

static int send_slice(struct unpacking *u, const struct unpack_head *h)
{
    AUTO_FREE char *piece = xmalloc(UNPACK_DATA_MAX);
    struct error err = ERROR_INIT;
    uint64_t at, left = h->size;

    if (!u->dir->entries && zip_dir_read(u->in.fd, u->in.size, u->dir, &err) < 0)
        return say_failed(u, error_text(&err));
    if (zip_dir_slice(u->dir, h->number, (uint64_t)h->time_s, h->size, &at) < 0)
        return say_failed(u, "no such part of it can be read");
    while (left) {
        ssize_t n = pread(u->in.fd, piece, left < UNPACK_DATA_MAX ? (size_t)left : UNPACK_DATA_MAX,
                          (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return say_failed(u, "it cannot be read");
        if (send_data(u, piece, (size_t)n, h->number) < 0)
            return -1;
        at += (uint64_t)n;
        left -= (uint64_t)n;
    }
    return say_number(u->out, UNPACK_DONE, 0, 1);
}

/* ---- orders
 * ---------------------------------------------------------------------------------- */

/* What WANT said. */
struct wants {
    char *text;
    const char **list; /* in it, NULL-terminated; NULL: all is wanted */
};

static void take_wants(struct wants *w, const char *p, size_t n)
{
    size_t len = 0, cap = 0;

    free(w->text);
    free(w->list);
    w->text = xmemdup0(p, n);
    w->list = NULL;
    for (size_t at = 0; at < n; at += strlen(w->text + at) + 1) {
        GROW(w->list, len, cap);
        w->list[len++] = w->text + at;
    }
    GROW(w->list, len, cap);
    w->list[len] = NULL;
}

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

/* What lasts as long as the process. */
struct serving {
    int fd; /* the archive */
    uint64_t size;
    enum unpack_format format;
    struct outbox out;
    struct zip_dir dir;
    struct wants wants;
};

/* One order. Returns -1 when the organizer is gone, -2 for nonsense. */
static int carry_out(struct serving *s, const struct unpack_head *h)
{
    struct unpacking u = {.in = {.fd = s->fd, .size = s->size},
                          .out = &s->out,
                          .dir = &s->dir,
                          .wanted = s->wants.list,
                          .data = h->what == UNPACK_READ};
    int r;

    if (h->what == UNPACK_SLICE && s->format == UNPACK_ZIP)
        return send_slice(&u, h) < 0 ? -1 : say_all(&s->out);
    if (h->what != UNPACK_LIST && h->what != UNPACK_READ)
        return -2;
    if (h->number && take_picks(&u, h->number) < 0)
        r = -2;
    else
        r = s->format == UNPACK_ZIP ? run_zip(&u) : run_tar(&u, s->format);
    free(u.picks);
    return r < 0 ? r : say_all(&s->out);
}

/* Carries out orders until the other end is closed. */
static int serve(struct serving *s)
{
    struct order {
        struct unpack_head head;
        char strings[UNPACK_WANT_MAX];
    };
    AUTO_FREE struct order *o = xmalloc(sizeof *o);
    int n, none;

    while ((n = wire_receive(WIRE_FD, o, sizeof *o, &none)) > 0) {
        int r = 0;

        if (n > (int)sizeof o->head && o->head.what == UNPACK_WANT)
            take_wants(&s->wants, o->strings, (size_t)n - sizeof o->head);
        else
            r = n == sizeof o->head ? carry_out(s, &o->head) : -2;
        if (r < 0)
            return r == -1 ? EXIT_ORDER : EXIT_CANNOT;
    }
    return n < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

/* Hears which archive it is, shuts itself in, and says what it is. */
static int greet(struct serving *s)
{
    struct wire_order o;
    struct stat st = {.st_size = 0};

    if (wire_receive(WIRE_FD, &o, sizeof o, &s->fd) != sizeof o || s->fd < 0 ||
        fstat(s->fd, &st) < 0)
        return EXIT_CANNOT;
    s->size = (uint64_t)st.st_size;
    if (say_number(&s->out, UNPACK_HELLO, sandbox_enter(SANDBOX_UNPACKER), 0) < 0)
        return EXIT_ORDER;
    s->format = stream_format(s->fd, s->size);
    if (say_number(&s->out, UNPACK_FORMAT, 0, s->format) < 0 || say_all(&s->out) < 0)
        return EXIT_ORDER;
    return -1;
}

int unpacker_run(const struct wire_setup *setup)
{
    AUTO_FREE struct serving *s = xcalloc(1, sizeof *s);
    int status;

    (void)setup;
    status = greet(s);
    if (status < 0)
        status = serve(s);
    zip_dir_clear(&s->dir);
    free(s->wants.text);
    free(s->wants.list);
    return status;
}
