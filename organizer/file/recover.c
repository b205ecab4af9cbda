/*
 * What a crash left behind: each pending intent is settled by looking at both of its names.
 *
 *     old      the rename did not happen, or was taken back: dropped
 *     new      it happened and was not recorded: recorded now
 *     unseen   it can be under its new name for all that can be seen, which is closed to us, or under
 *              another disk: as new; the next sweep that sees it finds where it is
 *     both     a link under both names: both stay, the next sweep lists them
 *     neither  moved on or removed by a person meanwhile: the next sweep finds it
 *
 * Whoever began it may have ended at a sync that failed: what has its old name is read from the
 * disk before it is filed (suspects.h), what has its new one before it is recorded, and goes back
 * when the disk does not have it.
 *
 * Only the log in the private state says what is to be looked for, and only device, inode and birth
 * time say whether it is the document: nothing that others could edit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "file/filing.h"
#include "file/intent_json.h"
#include "file/outbox.h"
#include "file/refuse.h"
#include "file/rename.h"

struct settling {
    struct filing *g;
    struct recovery *r;
    struct error *err;
    struct folders folders;
    struct act *list, **tail; /* to be recorded */
};

enum { ELSEWHERE, HERE, UNSEEN };

/* What the errno of a look at a name says of the document: -1 when nothing, for now. */
static int when_not(int number)
{
    switch (number) {
    case ENOENT:
    case ESTALE:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
        return ELSEWHERE;
    case EACCES:
    case EPERM:
    case EXDEV:
    case EBUSY: /* of a server on which it is being deleted */
    case EUCLEAN:
    case EBADMSG:
        return UNSEEN;
    default:
        return -1;
    }
}

/* Opens the folder of path; is the document a under that name? -1 with err when that cannot be said
 * now. UNSEEN: it is closed to us, broken, or another disk lies over it. */
static int lies_at(struct settling *s, const struct act *a, const char *path, int *folder,
                   const char **name, struct doc_stamp *st)
{
    int is;

    *folder = beneath_parent(s->g->o.root, path, name);
    if (*folder >= 0 && doc_stamp_take(-1, *folder, *name, st) == 0)
        return doc_stamp_same_file(st, &a->stamp) ? HERE : ELSEWHERE;
    is = when_not(errno);
    return is >= 0 ? is
                   : error_set(s->err, errno, "it cannot be seen whether %s was renamed to %s",
                               a->from, a->to);
}

static void touched(struct settling *s, int folder)
{
    if (folder >= 0)
        folders_add(&s->folders, folder);
}

/* The document has its new name: 1 when that stands; 0 when the disk does not have what was
 * renamed, and it has its old name again; -1 with err when the disk is in doubt. What cannot be
 * read or put back stands: `organizer verify` finds it. */
static int stands(struct settling *s, struct act *a)
{
    struct filing *g = s->g;
    struct doc_stamp st;
    const char *name;
    int folder, is_old;

    if (a->kind != ACT_RENAME)
        return 1;
    a->fd = beneath_open(g->o.root, a->to, O_RDONLY | O_NOFOLLOW, 0);
    if (a->fd < 0 || suspects_check(g->suspects, g->o.root, a->to, a) == 0)
        return 1;
    if (a->status == ACT_STOPPED) {
        *s->err = a->error;
        return -1;
    }
    if (a->status != ACT_LOST)
        return 1;
    cleanup_close(&a->fd);
    a->fd = -1;
    rename_undo(g, a, &s->folders);
    is_old = lies_at(s, a, a->from, &folder, &name, &st);
    touched(s, folder);
    return is_old < 0 ? -1 : is_old != HERE;
}

/* Takes a over. 0, or -1 with err. */
static int settle(struct settling *s, struct act *a)
{
    struct doc_stamp st, old;
    int from, to;
    const char *from_name, *to_name;
    int is_old = lies_at(s, a, a->from, &from, &from_name, &old);
    int is_new = lies_at(s, a, a->to, &to, &to_name, &st);
    bool unseen = is_new == UNSEEN;

    if (unseen) {
        is_new = is_old == HERE ? ELSEWHERE : HERE;
        st = a->stamp;
    }
    if (is_old == UNSEEN)
        is_old = ELSEWHERE;
    if (a->kind == ACT_RENAME)
        suspects_add_act(s->g->suspects, a);
    /* Of one that was not seen, another file could be read. */
    if (is_new == HERE && is_old == ELSEWHERE && !unseen) {
        is_new = stands(s, a);
        is_old = is_new == 0;
    }
    if (is_old < 0 || is_new < 0) {
        touched(s, from);
        touched(s, to);
        act_free(a);
        return -1;
    }
    s->r->intents++;
    s->r->finished += is_new && !is_old;
    s->r->untouched += is_old && !is_new;
    s->r->both += is_old && is_new;
    s->r->neither += !is_old && !is_new;
    if (is_new && !is_old) {
        rename_fill_doc(a, &st);
        s->folders.many = true; /* it may not be synced itself */
        if (from >= 0 && to >= 0)
            rename_companions(a, from, from_name, to, to_name);
        *s->tail = a;
        s->tail = &a->next;
    } else {
        act_free(a);
    }
    touched(s, from);
    touched(s, to);
    return 0;
}

static int take_intent(void *ctx, const struct intent *i)
{
    struct settling *s = ctx;
    struct act *a = intent_read(i->json, s->g->root_dev, s->err);

    return a ? settle(s, a) : -1;
}

static int commit(struct settling *s)
{
    struct filing *g = s->g;

    if (state_begin(g->state, s->err) < 0)
        return -1;
    for (struct act *a = s->list; a; a = a->next)
        if (ledger_put(g->state, a, s->err) < 0)
            goto undo;
    filing_keep_suspects(g); /* the log will not tell of them again */
    if (ledger_unpublished(g->state, s->err) == 0 &&
        ledger_finish(g->state, intents_last(g->intents), s->err) == 0 &&
        state_commit(g->state, s->err) == 0)
        return 0;
undo:
    state_rollback(g->state);
    return -1;
}

int recover_intents(struct filing *g, struct recovery *r, struct error *err)
{
    struct settling s = {.g = g, .r = r, .err = err};
    struct act *a, *next;
    uint64_t finished;
    int rc = ledger_finished(g->state, &finished, err);

    s.tail = &s.list;
    if (rc == 0)
        rc = intents_each(g->intents, finished, take_intent, &s, err);
    if (rc == 0 && r->intents) {
        rc = g->o.durable ? folders_sync(&s.folders, g->o.root, g->suspects, err) : 0;
        if (rc == 0)
            rc = commit(&s);
        if (rc == 0)
            outbox_added(g->outbox);
    }
    for (a = s.list; a; a = next) {
        next = a->next;
        act_free(a);
    }
    folders_clear(&s.folders);
    if (rc == 0)
        intents_finished(g->intents, intents_last(g->intents));
    return rc;
}
