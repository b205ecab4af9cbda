#include "file/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "decide/name.h"
#include "file/filing.h"
#include "file/lease.h"
#include "file/parents.h"
#include "file/refuse.h"

/* Both ends of a rename. */
struct ends {
    int from_folder, to_folder; /* of struct parents */
    const char *from, *to; /* names; inside the act's paths */
};

static void tell(const struct filing *g, enum filer_point point, const struct act *a)
{
    if (g->o.between)
        g->o.between(g->o.between_ctx, point, a);
}

int rename_open(const struct filing *g, struct act *a)
{
    int flags = O_RDONLY | O_NOFOLLOW | (a->kind == ACT_FOLDER ? O_DIRECTORY : 0);
    struct doc_stamp st;

    if (a->fd < 0)
        a->fd = beneath_open(g->o.root, a->from, flags, 0);
    if (a->fd < 0)
        return refuse(a, errno == ENOTDIR ? ENOENT : errno, "it cannot be opened");
    if (doc_stamp_take(a->fd, -1, NULL, &st) < 0)
        return refuse(a, errno, "it cannot be looked at");
    if (!doc_stamp_same_file(&st, &a->stamp))
        return refuse(a, EBUSY, "it was replaced by another since it was examined");
    return 0;
}

static int open_ends(const struct filing *g, struct act *a, struct parents *p,
                     struct folders *touched, struct ends *e)
{
    e->from_folder = parents_open(p, g->o.root, a->from, &e->from, touched);
    if (e->from_folder < 0)
        return refuse(a, errno, "its folder is not there any more");
    e->to_folder = parents_open(p, g->o.root, a->to, &e->to, touched);
    if (e->to_folder >= 0)
        return 0;
    return refuse(a, errno == ENOENT ? EBUSY : errno, "the folder it goes to is not there any more");
}

static int take_lease(struct act *a)
{
    if (!a->leases || a->kind != ACT_RENAME)
        return 0;
    switch (lease_take(a->fd)) {
    case LEASE_BUSY:
        return refuse(a, EBUSY, "someone has it open");
    case LEASE_NONE:
        a->leases = false;
        return 0;
    default:
        return 0;
    }
}

/* Is the name still the document, as it was examined? */
static int look(struct act *a, const struct ends *e)
{
    struct doc_stamp now;

    if (doc_stamp_take(-1, e->from_folder, e->from, &now) < 0)
        return refuse(a, errno, "it is not under its old name any more");
    if (a->kind == ACT_FOLDER ? doc_stamp_same_file(&now, &a->stamp)
                              : doc_stamp_equal(&now, &a->stamp))
        return 0;
    return refuse(a, EBUSY, "it changed since it was examined");
}

static int move(int from_folder, const char *from, int to_folder, const char *to)
{
    int rc;

    do
        rc = renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE);
    while (rc < 0 && errno == EINTR);
    return rc;
}

static int refuse_rename(struct act *a, const struct ends *e, int number)
{
    struct doc_stamp st;

    switch (number) {
    case EEXIST:
        if (name_same(a->from, a->to))
            return refuse(a, EEXIST, "this folder takes the old and the new name for the same");
        if (a->exact)
            return refuse(a, EEXIST, "there is another document of that name already");
        a->status = ACT_PENDING;
        return -1;
    case EINVAL:
        return refuse(a, EINVAL,
                      "this file system cannot rename without the risk of replacing something");
    case EXDEV:
        return refuse(a, EXDEV, "its new place lies on another file system or under another quota");
    case ENOENT: /* which end? */
        if (doc_stamp_take(-1, e->from_folder, e->from, &st) == 0)
            return refuse(a, EBUSY, "the folder it goes to is not there any more");
        return refuse(a, ENOENT, "it is not under its old name any more");
    default:
        return refuse(a, number, "it cannot be renamed");
    }
}

void rename_fill_doc(struct act *a, const struct doc_stamp *st)
{
    struct doc *d = &a->doc;
    bool racy = a->stamp.ctime_ns > d->read_ns - DOC_RACY_NS;

    if (a->kind != ACT_RENAME)
        return;
    free(d->path);
    d->path = xstrdup(ledger_inside(a, a->to));
    /* Written to between look and rename (leases do not work everywhere): the digest is not that of
     * these bytes, and the stamp of those that were read makes the next look see it. */
    if (st->size != a->stamp.size || st->mtime_ns != a->stamp.mtime_ns) {
        d->stamp = a->stamp;
        return;
    }
    d->stamp = *st;
    /* Only the name has changed: what was known of the bytes counts on, with the new ctime. */
    if (!racy && d->read_ns < st->ctime_ns + DOC_RACY_NS)
        d->read_ns = st->ctime_ns + DOC_RACY_NS;
}

/* What lies under the new name now: the document, or a stranger that is put back. */
static int compare(struct act *a, const struct ends *e)
{
    struct doc_stamp st;

    if (doc_stamp_take(-1, e->to_folder, e->to, &st) < 0) {
        refuse(a, errno, "it was moved on by someone else at once");
        /* Renamed, and nobody can see what it is now. */
        if (a->status != ACT_GONE)
            a->status = ACT_STOPPED;
        return -1;
    }
    if (doc_stamp_same_file(&st, &a->stamp)) {
        rename_fill_doc(a, &st);
        a->status = ACT_DONE;
        return 0;
    }
    if (move(e->to_folder, e->to, e->from_folder, e->from) == 0)
        return refuse(a, EBUSY, "a program saved over it at that moment; its file was put back");
    return refuse(a, EBUSY, "a program saved over it at that moment, and again: both are kept");
}

/* Not done after all: who else was at the new name meanwhile may have been taken for us. */
static void recall(const struct filing *g, struct act *a)
{
    echoes_recall(g->echoes, a->from, a->to);
    free(a->unseen);
    a->unseen = xstrdup(a->to);
    a->unheard = false; /* the next try is heard, so that there is but one such place */
}

static void rename_leased(const struct filing *g, struct act *a, const struct ends *e)
{
    bool moves = strcmp(a->from, a->to) != 0, unheard = moves && a->unheard;

    if (look(a, e) < 0)
        return;
    tell(g, FILER_LOOKED, a);
    if (unheard)
        echoes_expect(g->echoes, a->from, a->to);
    if (moves && move(e->from_folder, e->from, e->to_folder, e->to) < 0) {
        refuse_rename(a, e, errno);
    } else {
        tell(g, FILER_RENAMED, a);
        compare(a, e);
    }
    if (unheard && a->status != ACT_DONE)
        recall(g, a);
    a->in_doubt = a->status == ACT_STOPPED;
}

void rename_do(const struct filing *g, struct act *a, struct parents *p, struct folders *touched)
{
    struct ends e;

    parents_begin(p);
    if (open_ends(g, a, p, touched, &e) < 0)
        return;
    if (take_lease(a) == 0) {
        rename_leased(g, a, &e);
        if (a->leases)
            lease_drop(a->fd);
    }
    if (a->status == ACT_DONE)
        rename_companions(a, e.from_folder, e.from, e.to_folder, e.to);
    if (a->kind == ACT_FOLDER)
        parents_clear(p);
}

/* The companion's name after its document's name changed from `from` to `to`. */
static char *companion_name(const char *companion, const char *from, const char *to)
{
    const char *at = strstr(companion, from);

    if (!at)
        return xstrdup(companion);
    return xasprintf("%.*s%s%s", (int)(at - companion), companion, to, at + strlen(from));
}

void rename_companions(const struct act *a, int from_folder, const char *from, int to_folder,
                       const char *to)
{
    for (char **c = a->companions; c && *c; c++) {
        AUTO_FREE char *name = companion_name(*c, from, to);

        (void)move(from_folder, *c, to_folder, name);
    }
}

static void companions_back(const struct act *a, const struct ends *e)
{
    for (char **c = a->companions; c && *c; c++) {
        AUTO_FREE char *name = companion_name(*c, e->from, e->to);

        (void)move(e->to_folder, name, e->from_folder, *c);
    }
}

void rename_undo(const struct filing *g, struct act *a, struct folders *touched)
{
    struct parents p = {0};
    struct ends e;
    struct doc_stamp st;

    if (strcmp(a->from, a->to) == 0)
        return;
    if (a->unheard)
        recall(g, a);
    if (open_ends(g, a, &p, touched, &e) == 0 && take_lease(a) == 0) {
        if (doc_stamp_take(-1, e.to_folder, e.to, &st) == 0 &&
            doc_stamp_same_file(&st, &a->stamp) &&
            move(e.to_folder, e.to, e.from_folder, e.from) == 0)
            companions_back(a, &e);
        if (a->leases)
            lease_drop(a->fd);
    }
    parents_clear(&p);
}
