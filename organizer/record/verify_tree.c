/* The documents on disk: each row's file is read; then the tree is walked for what has no row. */
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
#include "record/verify_internal.h"

#define CHUNK 262144
/* A row that changes while its document is read is taken up again so often. */
#define TRIES 3

struct lost {
    int64_t number;
    char *path, *now; /* now: where it was found, or NULL */
    struct doc_stamp stamp;
    struct digest digest;
};

struct walk {
    struct verify *v;
    struct lost *lost;
    size_t lost_len, lost_cap;
    char **extra; /* paths without a row */
    size_t extra_len, extra_cap;
    struct str path; /* of what is being looked at, from the case folder down */
};

static int digest_fd(const struct verify *v, int fd, struct digest *d)
{
    AUTO_FREE char *buf = NULL;
    struct digester *g;
    ssize_t n;

    if (v->o->digest)
        return v->o->digest(v->o->ctx, fd, d);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    buf = xmalloc(CHUNK);
    g = digester_new();
    while ((n = read(fd, buf, CHUNK)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            digester_free(g);
            return -1;
        }
        digester_add(g, buf, (size_t)n);
        v->counts->bytes += (uint64_t)n;
    }
    *d = digester_done(g);
    return 0;
}

static bool stopped(const struct verify *v)
{
    return v->o->stopped && v->o->stopped(v->o->ctx);
}

static void tell(struct verify *v, enum verify_what what, int64_t doc, const char *path,
                 const char *sentence)
{
    verify_tell(
        v, &(struct verify_finding){.what = what, .path = path, .doc = doc, .sentence = sentence});
}

static void tell_unreadable(struct verify *v, int64_t doc, const char *path, int number)
{
    AUTO_FREE char *sentence = xasprintf("cannot be read: %s", error_why(number));

    tell(v, VERIFY_UNREADABLE, doc, path, sentence);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void lose(struct walk *w, const struct doc *d)
{
    GROW(w->lost, w->lost_len, w->lost_cap);
    w->lost[w->lost_len++] = (struct lost){
        .number = d->number, .path = xstrdup(d->path), .stamp = d->stamp, .digest = d->digest};
}

static void tell_changed(struct verify *v, const struct doc *d, const struct doc_stamp *now)
{
    bool silent = d->stamp.size == now->size && d->stamp.mtime_ns == now->mtime_ns;

    verify_tell(v, &(struct verify_finding){
                       .what = VERIFY_CHANGED,
                       .path = d->path,
                       .doc = d->number,
                       .silent = silent,
                       .sentence = silent ? "its content is not what was recorded, though its "
                                            "size and time are: a failing disk, or somebody who "
                                            "hides a change"
                                          : "it was changed, and no edit of it is recorded"});
}

enum look { LOOK_FINE, LOOK_LOST, LOOK_CHANGED, LOOK_UNREADABLE };

static enum look look_at(struct verify *v, const struct doc *d, struct doc_stamp *now, int *number)
{
    AUTO_CLOSE int fd = beneath_open(v->case_fd, d->path, O_RDONLY | O_NOFOLLOW, 0);
    struct digest digest;
    struct stat st;

    *number = errno;
    if (fd < 0)
        return *number == ENOENT || *number == ENOTDIR || *number == ELOOP ? LOOK_LOST
                                                                           : LOOK_UNREADABLE;
    if (fstat(fd, &st) < 0 || doc_stamp_take(fd, -1, NULL, now) < 0 ||
        (S_ISREG(st.st_mode) && digest_fd(v, fd, &digest) < 0)) {
        *number = errno;
        return LOOK_UNREADABLE;
    }
    if (!S_ISREG(st.st_mode))
        return LOOK_LOST;
    return digest_equal(&digest, &d->digest) ? LOOK_FINE : LOOK_CHANGED;
}

/* Whether the row is not what it was when its document was looked at. */
static int row_moved_on(struct verify *v, const struct doc *d, struct error *err)
{
    struct doc now;
    int rc = state_doc_by_number(v->o->state, v->o->case_id, d->number, &now, err);

    if (rc <= 0)
        return rc < 0 ? -1 : 1;
    rc = now.state != d->state || strcmp(now.path, d->path) != 0 ||
         !digest_equal(&now.digest, &d->digest);
    doc_clear(&now);
    return rc;
}

static void tell_look(struct walk *w, const struct doc *d, enum look look,
                      const struct doc_stamp *now, int number)
{
    if (look == LOOK_LOST)
        lose(w, d);
    else if (look == LOOK_CHANGED)
        tell_changed(w->v, d, now);
    else if (look == LOOK_UNREADABLE)
        tell_unreadable(w->v, d->number, d->path, number);
}

static int check_row(struct walk *w, int64_t n, struct error *err)
{
    struct verify *v = w->v;
    int rc = 1;

    for (int i = 0; rc > 0 && i < TRIES; i++) {
        struct doc_stamp now;
        struct doc d;
        enum look look;
        int number;

        rc = state_doc_by_number(v->o->state, v->o->case_id, n, &d, err);
        if (rc <= 0)
            break;
        if (d.state == DOC_GONE || d.state == DOC_WAITING || digest_is_zero(&d.digest)) {
            doc_clear(&d);
            return 0;
        }
        look = look_at(v, &d, &now, &number);
        rc = look == LOOK_FINE ? 0 : row_moved_on(v, &d, err);
        if (rc == 0)
            tell_look(w, &d, look, &now, number);
        doc_clear(&d);
    }
    v->counts->documents++;
    return rc < 0 ? -1 : 0;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static int is_known(struct verify *v, const char *path, struct error *err)
{
    struct doc d;
    int rc = state_doc_by_path(v->o->state, v->o->case_id, path, &d, err);

    if (rc > 0)
        doc_clear(&d);
    return rc;
}

/* A document that is not where it was may be this file: same file, or same content. */
static struct lost *find_lost(struct walk *w, const char *path)
{
    struct digest digest = {{0}};
    struct doc_stamp stamp;
    AUTO_CLOSE int fd = -1;

    if (!w->lost_len)
        return NULL;
    fd = beneath_open(w->v->case_fd, path, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 || doc_stamp_take(fd, -1, NULL, &stamp) < 0)
        return NULL;
    for (size_t i = 0; i < w->lost_len; i++) {
        struct lost *l = &w->lost[i];

        if (l->now || l->stamp.size != stamp.size)
            continue;
        if (digest_is_zero(&digest) && digest_fd(w->v, fd, &digest) < 0)
            return NULL;
        if (digest_equal(&l->digest, &digest))
            return l;
    }
    return NULL;
}

static int look_at_file(struct walk *w, struct error *err)
{
    const char *path = str_c(&w->path);
    int rc = is_known(w->v, path, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    GROW(w->extra, w->extra_len, w->extra_cap);
    w->extra[w->extra_len++] = xstrdup(path);
    return 0;
}

static bool is_ignored(const struct walk *w, const char *name, bool folder)
{
    const struct verify_options *o = w->v->o;

    if (folder && strcmp(name, JOURNAL_FOLDER) == 0)
        return true;
    return o->ignored && o->ignored(o->ctx, str_c(&w->path), folder);
}

static int walk_folder(struct walk *w, int dir, struct error *err);

static int walk_into(struct walk *w, int dir, const char *name, struct error *err)
{
    int fd = beneath_open(dir, name, O_RDONLY | O_DIRECTORY, 0);

    if (fd >= 0)
        return walk_folder(w, fd, err);
    if (errno != ENOENT && errno != ENOTDIR)
        tell_unreadable(w->v, 0, str_c(&w->path), errno);
    return 0;
}

static int look_at_entry(struct walk *w, int dir, const char *name, struct error *err)
{
    struct stat st;
    bool folder;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT) /* gone meanwhile */
            tell_unreadable(w->v, 0, str_c(&w->path), errno);
        return 0;
    }
    folder = S_ISDIR(st.st_mode);
    if ((!folder && !S_ISREG(st.st_mode)) || is_ignored(w, name, folder))
        return 0;
    return folder ? walk_into(w, dir, name, err) : look_at_file(w, err);
}

/* Takes over dir. */
static int walk_folder(struct walk *w, int dir, struct error *err)
{
    size_t len = w->path.len;
    struct dirent *e;
    DIR *d = io_list_own(dir);
    int more = 0, rc = 0;

    if (!d)
        return error_set(err, errno, "cannot read a folder of the case");
    while (rc == 0 && !stopped(w->v) && (more = io_next(d, &e)) > 0) {
        if (len)
            str_addc(&w->path, '/');
        str_add(&w->path, e->d_name);
        rc = look_at_entry(w, dirfd(d), e->d_name, err);
        str_cut(&w->path, len);
    }
    if (rc == 0 && more < 0)
        tell_unreadable(w->v, 0, str_c(&w->path), errno);
    closedir(d);
    return rc;
}

/* ---- telling --------------------------------------------------------------------------------- */

static int tell_extra(struct walk *w, const char *path, struct error *err)
{
    int rc = is_known(w->v, path, err);
    struct lost *l;

    if (rc != 0 || faccessat(w->v->case_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return rc < 0 ? -1 : 0; /* recorded meanwhile, or gone again */
    l = find_lost(w, path);
    if (l)
        l->now = xstrdup(path);
    else
        tell(w->v, VERIFY_EXTRA, 0, path, "it lies in the case and is not recorded");
    return 0;
}

static int tell_lost(struct walk *w, const struct lost *l, struct error *err)
{
    struct doc d = {.number = l->number, .path = l->path, .digest = l->digest};
    struct doc now;
    int rc = state_doc_by_number(w->v->o->state, w->v->o->case_id, l->number, &now, err);

    if (rc <= 0)
        return rc;
    d.state = now.state;
    doc_clear(&now);
    rc = d.state == DOC_GONE ? 1 : row_moved_on(w->v, &d, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (l->now)
        verify_tell(w->v, &(struct verify_finding){
                              .what = VERIFY_RENAMED,
                              .path = l->path,
                              .now = l->now,
                              .doc = l->number,
                              .sentence = "it lies under another name, and that is not recorded"});
    else
        tell(w->v, VERIFY_MISSING, l->number, l->path, "it is not where it was recorded");
    return 0;
}

static void walk_clear(struct walk *w)
{
    for (size_t i = 0; i < w->lost_len; i++) {
        free(w->lost[i].path);
        free(w->lost[i].now);
    }
    for (size_t i = 0; i < w->extra_len; i++)
        free(w->extra[i]);
    free(w->lost);
    free(w->extra);
    str_clear(&w->path);
}

int verify_documents(struct verify *v, struct error *err)
{
    struct walk w = {.v = v, .path = STR_INIT};
    int dir, rc = 0;

    for (size_t i = 0; rc == 0 && i < v->len && !stopped(v); i++)
        rc = check_row(&w, v->rows[i].number, err);
    dir = rc == 0 ? beneath_open(v->case_fd, "", O_RDONLY | O_DIRECTORY, 0) : -1;
    if (rc == 0)
        rc = dir < 0 ? error_set(err, errno, "cannot read the case") : walk_folder(&w, dir, err);
    for (size_t i = 0; rc == 0 && i < w.extra_len && !stopped(v); i++)
        rc = tell_extra(&w, w.extra[i], err);
    for (size_t i = 0; rc == 0 && i < w.lost_len && !stopped(v); i++)
        rc = tell_lost(&w, &w.lost[i], err);
    walk_clear(&w);
    return rc;
}
