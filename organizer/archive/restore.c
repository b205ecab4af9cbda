#include "archive/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/bag_load.h"
#include "archive/bag_text.h"
#include "archive/restore_file.h"
#include "archive/restore_place.h"
#include "archive/restore_rights.h"
#include "archive/wanted.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"

struct restore {
    const struct restore_options *o;
    struct bag bag;
    struct bag_options bag_options;
    struct bag_counts bag_counts;
    struct restore_rights rights;
    struct bag_file **files; /* that are wanted */
    size_t len, cap;
    uint64_t bytes; /* of them together */
    uint64_t unmatched;
};

enum fate { ABSENT, MADE, FAILED /* told */ };

/* One run: the document that is being written. */
struct run {
    struct restore *r;
    struct restore_place place;
    struct restore_counts *c;
    struct hasher *hasher;
    size_t next;
    const struct bag_file *now; /* NULL: what comes is not wanted */
    const char *path;           /* below the place */
    int fd;
    struct restore_file file;
    int error; /* errno of the first failed write */
    uint64_t came, written; /* bytes of the document, of all */
    uint64_t room;
    enum fate *fate; /* of files */
};

static void tell(const struct restore *r, const char *path, const char *why)
{
    if (r->o->told)
        r->o->told(r->o->ctx, path, why);
}

/* ---- what is wanted
 * -------------------------------------------------------------------------- */

/* From the case folder down. */
static const char *inside(const struct restore *r, const struct bag_file *f)
{
    return bag_path_in(&r->bag, f) + strlen("data/");
}

/* Its exact name, of a name that the bag could not have. */
static const char *exact(const struct restore *r, const struct bag_file *f)
{
    const struct restore_right *right = restore_rights_find(&r->rights, bag_path_in(&r->bag, f));

    return right && right->exact ? right->exact : inside(r, f);
}

/* Whether the document or folder of that name is; hit as wanted_any() has it. */
static bool is_wanted(const struct restore *r, const char *path, bool *hit)
{
    if (!r->o->wanted)
        return !r->o->left_out || !r->o->left_out(r->o->ctx, path);
    return wanted_any(r->o->wanted, path, hit);
}

static void tell_unmatched(struct restore *r, const bool *hit)
{
    for (size_t i = 0; r->o->wanted && r->o->wanted[i]; i++)
        if (!hit[i]) {
            tell(r, r->o->wanted[i], "the archive has nothing of that name");
            r->unmatched++;
        }
}

/* Why a document cannot be restored, NULL when it can. */
static const char *obstacle(const struct bag_file *f)
{
    if (!f->present)
        return "it is listed, and not in the archive";
    if (f->kind == UNPACK_SYMLINK || f->kind == UNPACK_HARDLINK)
        return "it is a link, which is not made";
    if (f->kind != UNPACK_FILE)
        return "it is neither a file nor a folder";
    if (f->encrypted)
        return "it is encrypted";
    if (!f->wanted)
        return "no manifest vouches for it";
    return NULL;
}

/* The folder from the case folder down, NULL when it is none that could be made. Owned by the caller. */
static char *folder_of(const struct restore_right *x)
{
    char *path = xstrdup(x->exact                            ? x->exact
                         : strncmp(x->path, "data/", 5) == 0 ? x->path + 5
                                                             : "");

    if (x->folder && *path && bag_path_plain(path) == BAG_PATH_FINE)
        return path;
    free(path);
    return NULL;
}

static void hit_folders(const struct restore *r, bool *hit)
{
    for (size_t i = 0; r->o->wanted && i < r->rights.len; i++) {
        AUTO_FREE char *path = folder_of(&r->rights.list[i]);

        if (path)
            wanted_any(r->o->wanted, path, hit);
    }
}

static void choose(struct restore *r)
{
    size_t n = 0;

    while (r->o->wanted && r->o->wanted[n])
        n++;

    AUTO_FREE bool *hit = xcalloc(n + 1, sizeof *hit);

    for (size_t i = 0; i < r->bag.files.len; i++) {
        struct bag_file *f = r->bag.files.files[i];
        const char *why;

        if (!bag_is_payload(&r->bag, f) || (!f->present && !f->listed && !f->fetch) ||
            !is_wanted(r, exact(r, f), hit) || (f->present && f->kind == UNPACK_FOLDER))
            continue; /* folders are made at the end: make_folders() */
        if ((why = obstacle(f))) {
            tell(r, exact(r, f), why);
            r->unmatched++;
            continue;
        }
        GROW(r->files, r->len, r->cap);
        r->files[r->len++] = f;
        r->bytes += f->size;
    }
    hit_folders(r, hit);
    tell_unmatched(r, hit);
}

/* ---- opening
 * --------------------------------------------------------------------------------- */

struct restore *restore_open(int dirfd, const char *path, const struct restore_options *o,
                             struct error *err)
{
    struct restore *r = xcalloc(1, sizeof *r);
    int rc;

    r->o = o;
    r->bag_options = (struct bag_options){.exe = o->exe, .stall_ms = o->stall_ms};
    rc = bag_open(&r->bag, dirfd, path, &r->bag_options, &r->bag_counts, err);
    r->bag.metadata = true;
    r->bag.wanted = o->wanted;
    if (rc == 0)
        rc = bag_load(&r->bag, err);
    if (rc == 0 && !r->bag.payload_manifests)
        rc = error_set(err, 0,
                       "it has no manifest by which its documents could be verified: it is "
                       "no bag (RFC 8493), or a part of one");
    if (rc == 0)
        rc = restore_rights_load(&r->rights, &r->bag, err);
    if (rc > 0) {
        tell(r, BAG_METADATA, "no tag manifest vouches for it: owners and rights are left out");
        rc = 0;
    }
    if (rc == 0)
        choose(r);
    if (rc == 0)
        return r;
    restore_close(r);
    return NULL;
}

const char *restore_prefix(const struct restore *r)
{
    return r->bag.prefix;
}

const char *restore_case_id(const struct restore *r)
{
    return r->bag.case_id;
}

void restore_each(const struct restore *r, void (*each)(void *ctx, const char *path, uint64_t size),
                  void *ctx)
{
    for (size_t i = 0; i < r->len; i++)
        each(ctx, exact(r, r->files[i]), r->files[i]->size);
}

void restore_close(struct restore *r)
{
    if (!r)
        return;
    bag_close(&r->bag);
    restore_rights_clear(&r->rights);
    free(r->files);
    free(r);
}

/* ---- writing
 * --------------------------------------------------------------------------------- */

/* Document i is not restored. */
static void fail(struct run *u, size_t i, const char *why)
{
    tell(u->r, exact(u->r, u->r->files[i]), why);
    u->fate[i] = FAILED;
    u->c->failed++;
}

/* The empty file that f is to become. -1 with errno. */
static int make_file(const struct run *u, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? xmemdup0(path, (size_t)(slash - path)) : NULL;

    if (folder && beneath_mkdirs(u->place.fd, folder) < 0)
        return -1;
    return beneath_open(u->place.fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
}

static void remove_file(struct run *u)
{
    const char *name;
    AUTO_CLOSE int fd = beneath_parent(u->place.fd, u->path, &name);

    if (fd < 0 || unlinkat(fd, name, 0) < 0)
        return; /* it goes with the folder, at the latest */
    restore_file_removed(&u->file);
}

static void begin(struct run *u, uint64_t number)
{
    struct restore *r = u->r;

    u->now = NULL;
    while (u->next < r->len && r->files[u->next]->number < number)
        u->next++;
    if (u->next == r->len || r->files[u->next]->number != number)
        return;
    u->now = r->files[u->next];
    u->path = exact(r, u->now);
    u->error = 0;
    hasher_start(u->hasher);
    u->fd = make_file(u, u->path);
    u->file = (struct restore_file){.fd = u->fd, .room = &u->room};
    u->came = 0;
    if (u->fd < 0)
        u->error = errno;
}

static int take(struct run *u, const struct unpack_event *e)
{
    if (!u->now)
        return 0;
    hasher_add(u->hasher, e->p, e->n);
    u->came += e->n;
    u->written += e->n;
    /* What is larger than the archive says is not wanted. */
    if (!u->error && u->came <= u->now->size && restore_file_add(&u->file, e->p, e->n) < 0)
        u->error = errno;
    if (u->r->o->progress)
        u->r->o->progress(u->r->o->ctx, u->written, u->r->bytes);
    /* On a full disk nothing better comes. */
    return u->error == ENOSPC || u->error == EDQUOT || u->error == EIO ? 1 : 0;
}

/* Whether every digest that the manifests have of it is right. */
static bool is_right(struct run *u)
{
    const struct bag *b = &u->r->bag;
    uint8_t got[HASH_SET * HASH_MAX];

    hasher_done(u->hasher, got);
    for (size_t i = 0; i < b->hashes.len; i++) {
        const struct hash_one *h = &b->hashes.of[i];

        if ((u->now->wanted >> i & 1) && memcmp(got + h->at, u->now->want + h->at, h->size) != 0)
            return false;
    }
    return true;
}

static void end(struct run *u, const struct unpack_event *e)
{
    const struct restore_right *right;
    bool right_bytes;

    if (!u->now)
        return;
    right_bytes = is_right(u);
    if (!u->error && restore_file_end(&u->file) < 0)
        u->error = errno;
    if (u->error) {
        fail(u, u->next, strerror(u->error));
    } else if (e->damaged) {
        fail(u, u->next, e->n ? e->p : "it is damaged");
    } else if (u->came > u->now->size) {
        fail(u, u->next, "it is larger than the archive says");
    } else if (!right_bytes) {
        fail(u, u->next, "its content is not what the manifest says");
    } else {
        right = restore_rights_find(&u->r->rights, bag_path_in(&u->r->bag, u->now));
        if (right && right->file)
            restore_rights_give(&u->r->rights, right, u->fd);
        u->fate[u->next] = MADE;
    }
    if (u->fd >= 0) {
        close(u->fd);
        if (u->fate[u->next] != MADE)
            remove_file(u);
    }
    u->fd = -1;
    u->now = NULL;
}

static int on_event(void *ctx, const struct unpack_event *e)
{
    struct run *u = ctx;

    switch (e->what) {
    case UNPACK_ENTRY:
        begin(u, e->number);
        return 0;
    case UNPACK_DATA:
        return take(u, e);
    case UNPACK_END:
        end(u, e);
        return 0;
    default:
        return 0; /* verify tells of it; digests decide here */
    }
}

/* ---- folders
 * --------------------------------------------------------------------------------- */

/* Empty folders: those that the archive has, and those that it only knows of. */
static void make_folders(const struct run *u)
{
    struct restore *r = u->r;

    for (size_t i = 0; i < r->bag.files.len; i++) {
        const struct bag_file *f = r->bag.files.files[i];

        if (f->present && f->kind == UNPACK_FOLDER && bag_is_payload(&r->bag, f) &&
            is_wanted(r, exact(r, f), NULL) && beneath_mkdirs(u->place.fd, exact(r, f)) < 0)
            tell(r, exact(r, f), strerror(errno));
    }
    for (size_t i = 0; i < r->rights.len; i++) {
        AUTO_FREE char *path = folder_of(&r->rights.list[i]);

        if (path && is_wanted(r, path, NULL) && beneath_mkdirs(u->place.fd, path) < 0)
            tell(r, path, strerror(errno));
    }
}

/* Rights of folders, the deepest first: a time would change with what is made in them. */
static void give_folders(const struct run *u)
{
    struct restore_rights *rights = &u->r->rights;

    for (size_t i = rights->len; i-- > 0;) {
        const struct restore_right *x = &rights->list[i];
        bool root = strcmp(x->path, "data") == 0;
        const char *path = root ? "" : x->exact ? x->exact : x->path + strlen("data/");

        if (!x->folder || (root && !u->r->o->rooted) ||
            (!root && strncmp(x->path, "data/", 5) != 0))
            continue;

        AUTO_CLOSE int fd = beneath_open(u->place.fd, path, O_RDONLY | O_DIRECTORY, 0);

        if (fd >= 0)
            restore_rights_give(rights, x, fd);
    }
}

/* ---- the way
 * --------------------------------------------------------------------------------- */

/* What came out of a damaged archive before it broke off, and is right, is restored all the same.
 */
static int write_files(struct run *u, struct error *err)
{
    struct restore *r = u->r;
    struct error why = ERROR_INIT;
    int rc;

    u->hasher = hasher_new(&r->bag.hashes);
    u->room = restore_file_room(u->place.fd);
    rc = bag_source_read(&r->bag.source, r->files, r->len, on_event, u, &why);
    hasher_free(u->hasher);
    if (rc > 0)
        error_set(err, u->error, "%s cannot be written", u->path);
    if (rc < 0)
        tell(r, "", error_text(&why));
    if (u->fd >= 0) {
        close(u->fd);
        remove_file(u);
    }
    return rc > 0 ? -1 : 0;
}

static void count(struct run *u, size_t i)
{
    const struct bag_file *f = u->r->files[i];

    u->c->files++;
    u->c->bytes += f->size;
    if (u->r->o->done)
        u->r->o->done(u->r->o->ctx, exact(u->r, f), f->size);
}

/* Into a folder that is there: each document by itself. */
static int move_files(struct run *u, struct error *err)
{
    for (size_t i = 0; i < u->r->len; i++) {
        const char *path = exact(u->r, u->r->files[i]);
        int rc = u->fate[i] == MADE ? restore_place_move(&u->place, path, err) : 2;

        if (rc < 0)
            return -1;
        if (rc == 0)
            count(u, i);
        else if (rc == 1)
            fail(u, i, "something of that name is there already, and stays");
    }
    return 0;
}

static int finish(struct run *u, const char *name, struct error *err)
{
    int rc;

    if (restore_place_sync(&u->place, err) < 0)
        return -1;
    if (!name)
        return move_files(u, err);
    rc = restore_place_publish(&u->place, name, err);
    for (size_t i = 0; rc == 0 && i < u->r->len; i++)
        if (u->fate[i] == MADE)
            count(u, i);
    return rc;
}

/* Documents that never came: the archive broke off, or does not hold what its list says. */
static void fail_absent(struct run *u)
{
    for (size_t i = 0; i < u->r->len; i++)
        if (u->fate[i] == ABSENT)
            fail(u, i, "it did not come out of the archive");
}

int restore_run(struct restore *r, int parent, const char *name, struct restore_counts *c,
                struct error *err)
{
    AUTO_FREE enum fate *fate = xcalloc(r->len + 1, sizeof *fate);
    struct run u = {.r = r, .c = c, .fd = -1, .fate = fate};
    int rc;

    *c = (struct restore_counts){.failed = r->unmatched};
    if (!r->len && r->o->wanted)
        return error_set(err, 0, "nothing was restored: the archive has none of these");
    rc = restore_place_begin(&u.place, parent, err);
    if (rc == 0) {
        /* Until it has the case's own rights nobody else looks in. */
        if (r->o->rooted && fchmod(u.place.fd, 0700) < 0)
            tell(r, "", strerror(errno));
        make_folders(&u);
        rc = write_files(&u, err);
    }
    if (rc == 0) {
        fail_absent(&u);
        give_folders(&u);
        rc = finish(&u, name, err);
    }
    restore_place_end(&u.place);
    if (r->rights.refused && rc == 0)
        tell(r, "", "some owners, rights or attributes could not be given back: that needs root");
    return rc;
}
