/*
 * A batch of acts, from choosing names to the journals.
 *
 *     batch_do
 *       open_documents      descriptors, same file as examined, on the disk if a sync of it failed
 *       rename_round        again for those whose name was taken meanwhile
 *         choose            names and folders
 *         intend            intents and documents onto the disk, side by side
 *         rename_all
 *       commit              rows, outbox, finished number, heads of the batch before, while the
 *                           folders are synced, and few documents with them
 *       give                the acts count
 *       start_journals      written beside what comes next; the heads go into the next commit
 *     batch_rest            or, when nothing comes, into one of their own
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "file/filing.h"
#include "file/intent_json.h"
#include "file/outbox.h"
#include "file/parents.h"
#include "file/place.h"
#include "file/refuse.h"
#include "file/rename.h"

/* A name that is taken between choosing and renaming is chosen again so often. */
#define ROUNDS 8

struct batch {
    struct filing *g;
    struct act *list;
    struct folders folders; /* touched, and what is synced with them */
    int *fds;               /* of the documents to be renamed; the acts' */
    size_t fds_len;
    bool intents;           /* there are some in the log */
    bool syncing;           /* the folders are being synced */
    bool settled;           /* they were */
};

static void tell(const struct filing *g, enum filer_point point)
{
    if (g->o.between)
        g->o.between(g->o.between_ctx, point, NULL);
}

static bool is_rename(const struct act *a)
{
    return a->kind == ACT_RENAME || a->kind == ACT_FOLDER;
}

static void stop(struct filing *g, const struct error *why)
{
    if (g->stopped)
        return;
    g->stopped = true;
    g->why = *why;
}

/* An act that came back as STOPPED stops all. */
static bool stopped_by(struct filing *g, const struct act *a)
{
    if (a->status == ACT_STOPPED)
        stop(g, &a->error);
    return g->stopped;
}

static void open_documents(struct batch *b)
{
    for (struct act *a = b->list; a && !b->g->stopped; a = a->next) {
        if (is_rename(a)) {
            place_follow(b->g->place, a);
            if (rename_open(b->g, a) == 0 && a->kind == ACT_RENAME)
                suspects_check(b->g->suspects, b->g->o.root, a->from, a);
            stopped_by(b->g, a);
        }
    }
}

static bool is_chosen(const struct act *a)
{
    return is_rename(a) && a->status == ACT_PENDING && a->to;
}

/* Names for all that have none; false when there was none to be chosen. again: some were taken. */
static bool choose(struct batch *b, bool again)
{
    bool any = false;

    for (struct act *a = b->list; a && !b->g->stopped; a = a->next) {
        if (!is_rename(a) || a->status != ACT_PENDING)
            continue;
        place_choose(b->g->place, a, &b->folders, again || a->kind != ACT_RENAME);
        stopped_by(b->g, a);
        any = any || a->to;
    }
    place_end_round(b->g->place);
    return any && !b->g->stopped;
}

static void add_intents(struct batch *b)
{
    AUTO_STR struct str json = STR_INIT;

    for (const struct act *a = b->list; a; a = a->next) {
        if (!is_chosen(a))
            continue;
        str_reset(&json);
        intent_write(&json, a, b->g->root_dev);
        intents_add(b->g->intents, str_c(&json));
        b->intents = true;
    }
}

/* The documents whose data must be on the disk. Returns the last of their numbers. */
static uint64_t find_documents(struct batch *b)
{
    size_t cap = 0;
    uint64_t last = 0;

    for (const struct act *a = b->list; a; a = a->next) {
        if (is_chosen(a) && a->kind == ACT_RENAME) {
            GROW(b->fds, b->fds_len, cap);
            b->fds[b->fds_len++] = a->fd;
            last = a->asked > last ? a->asked : last;
        }
    }
    return last;
}

/* Intents and, in the first round, documents onto the disk, or so far that the folders take them along. */
static int intend(struct batch *b, bool first)
{
    struct filing *g = b->g;
    struct error err = ERROR_INIT, data = ERROR_INIT;
    int rc;

    if (first && g->o.durable) {
        uint64_t last = find_documents(b);

        if (datasync_start(g->datasync, b->fds, b->fds_len, last)) {
            b->folders.documents = b->fds;
            b->folders.documents_len = b->fds_len;
        }
    }
    add_intents(b);
    rc = intents_sync(g->intents, &err);
    if (datasync_wait(g->datasync, &data) < 0) {
        err = rc < 0 ? err : data;
        rc = -1;
    }
    if (rc < 0)
        stop(g, &err);
    return rc;
}

/* True when a name was taken meanwhile. */
static bool rename_all(struct batch *b)
{
    struct parents parents = {0};
    bool again = false;

    for (struct act *a = b->list; a && !b->g->stopped; a = a->next) {
        if (!is_chosen(a))
            continue;
        rename_do(b->g, a, &parents, &b->folders);
        if (a->status == ACT_PENDING)
            again = true;
        stopped_by(b->g, a);
    }
    parents_clear(&parents);
    return again;
}

static void rename_rounds(struct batch *b)
{
    bool again = true;

    for (int round = 0; again && round < ROUNDS; round++) {
        if (!choose(b, round > 0))
            return;
        tell(b->g, FILER_CHOSEN);
        if (intend(b, round == 0) < 0)
            return;
        tell(b->g, FILER_INTENDED);
        again = rename_all(b);
    }
    for (struct act *a = b->list; a && again; a = a->next)
        if (is_rename(a) && a->status == ACT_PENDING)
            refuse(a, EBUSY, "its name is taken again and again");
}

static void start_folders(struct batch *b)
{
    b->syncing = b->g->o.durable;
    if (b->syncing)
        datasync_start_folders(b->g->foldersync, &b->folders);
}

/* What was renamed is under its new name on the disk: before that no row may say so. */
static int wait_folders(struct batch *b, struct error *err)
{
    int rc;

    if (!b->syncing)
        return 0;
    rc = datasync_wait_folders(b->g->foldersync, err);
    b->syncing = false;
    return rc;
}

/* Nothing is committed before that. */
static int settle(struct batch *b, struct error *err)
{
    if (wait_folders(b, err) < 0)
        return -1;
    if (!b->settled)
        tell(b->g, FILER_SETTLED);
    b->settled = true;
    return 0;
}

/* Counts once it is committed. */
static bool is_to_record(const struct act *a)
{
    return a->status == (is_rename(a) ? ACT_DONE : ACT_PENDING);
}

/* Only documents are renamed and recorded: the folders of cases stay where they are. */
static bool is_plain(const struct act *list)
{
    for (const struct act *a = list; a; a = a->next)
        if (a->kind != ACT_RENAME && a->kind != ACT_RECORD)
            return false;
    return true;
}

/* On failure *bad is the act that could not be recorded, NULL when it was not an act. */
static int put_all(struct batch *b, struct act **bad, struct error *err)
{
    struct filing *g = b->g;
    /* A call may look at the lines and at the heads, which belong together. */
    int forgotten = is_plain(b->list) ? outbox_forget(g->outbox, err) : 0;

    *bad = NULL;
    if (forgotten < 0)
        return -1;
    for (struct act *a = b->list; a; a = a->next) {
        *bad = a;
        if (is_to_record(a) && ledger_put(g->state, a, err) < 0)
            return -1;
    }
    *bad = NULL;
    if (!g->unpublished && ledger_unpublished(g->state, err) < 0)
        return -1;
    if (b->intents && ledger_finish(g->state, intents_last(g->intents), err) < 0)
        return -1;
    return outbox_put_heads(g->outbox, forgotten, err);
}

static void committed(struct batch *b)
{
    struct filing *g = b->g;

    g->unpublished = true;
    outbox_heads_put(g->outbox);
    if (b->intents)
        intents_finished(g->intents, intents_last(g->intents));
    for (struct act *a = b->list; a; a = a->next) {
        if (!is_to_record(a))
            continue;
        a->status = ACT_DONE;
        if (is_rename(a))
            place_moved(g->place, a);
        if (a->journal.len || act_moves_case(a))
            outbox_hint(g->outbox, a->kind == ACT_CASE ? a->row.id : a->doc.case_id,
                        act_moves_case(a) ? a->to : a->case_path);
        if (a->journal.len || a->kind == ACT_CALL)
            outbox_added(g->outbox);
    }
}

static void take_back(struct batch *b, struct act *a)
{
    if (is_rename(a) && a->status == ACT_DONE)
        rename_undo(b->g, a, &b->folders);
}

/* One transaction. An act that cannot be recorded for a reason of its own is taken back and left
 * out. */
static int commit(struct batch *b, struct error *err)
{
    struct state *s = b->g->state;

    for (;;) {
        struct act *bad = NULL;
        struct error folders = ERROR_INIT;

        if (state_begin(s, err) < 0)
            return -1;
        if (put_all(b, &bad, err) == 0 && settle(b, err) == 0 && state_commit(s, err) == 0)
            break;
        state_rollback(s);
        if (!bad || error_severity(err) == SEVERITY_STOP)
            return -1;
        if (wait_folders(b, &folders) < 0) {
            *err = folders;
            return -1;
        }
        take_back(b, bad);
        bad->error = *err;
        bad->status = refuse_status(err->number);
    }
    committed(b);
    return 0;
}

/* All that is not settled for itself comes back as STOPPED. */
static void mark_stopped(struct batch *b)
{
    for (struct act *a = b->list; a; a = a->next) {
        if (a->status != ACT_PENDING)
            continue;
        a->status = ACT_STOPPED;
        a->error = b->g->why;
    }
}

/* Nothing of this batch counts: what was renamed goes back, what cannot is settled by recovery. */
static void take_all_back(struct batch *b)
{
    for (struct act *a = b->list; a; a = a->next) {
        take_back(b, a);
        if (a->status == ACT_DONE)
            a->status = ACT_PENDING;
    }
    mark_stopped(b);
}

static bool has_to_record(const struct batch *b)
{
    for (const struct act *a = b->list; a; a = a->next)
        if (is_to_record(a))
            return true;
    return b->intents;
}

/* Recorded now, its intent would count as finished. */
static bool has_doubt(const struct batch *b)
{
    for (const struct act *a = b->list; a; a = a->next)
        if (a->in_doubt)
            return true;
    return false;
}

static void record(struct batch *b)
{
    struct error err = ERROR_INIT;

    if (!has_to_record(b))
        return;
    if (!has_doubt(b)) {
        start_folders(b);
        if (commit(b, &err) == 0)
            return;
        stop(b->g, &err);
        /* Nobody else has them while the documents go back. */
        (void)wait_folders(b, &err);
    }
    take_all_back(b);
}

static int write_lines(void *ctx, struct error *err)
{
    struct filing *g = ctx;
    int rc = outbox_write(g->outbox, err);

    g->over(g->over_ctx);
    return rc;
}

static void start_journals(struct filing *g, const struct batch_calls *calls)
{
    struct error err = ERROR_INIT;

    if (!outbox_has_lines(g->outbox))
        return;

    if (outbox_take(g->outbox, &err) < 0) {
        outbox_end(g->outbox, -1, NULL);
        stop(g, &err);
        return;
    }
    g->journals = true;
    g->over = calls->over;
    g->over_ctx = calls->ctx;
    datasync_start_job(g->foldersync, write_lines, g);
}

static void end_journals(struct filing *g)
{
    struct error err = ERROR_INIT;
    int rc;

    if (!g->journals)
        return;
    g->journals = false;
    rc = datasync_wait_job(g->foldersync, &err);
    outbox_end(g->outbox, rc, NULL);
    if (rc < 0)
        stop(g, &err);
}

/* Its documents are closed before anybody hears of it: a next act, of the same document, would find
 * it open else. */
static void end(struct batch *b)
{
    free(b->fds);
    for (struct act *a = b->list; a; a = a->next) {
        cleanup_close(&a->fd);
        a->fd = -1;
        if (a->status == ACT_DONE)
            continue;
        suspects_learn(b->g->suspects, a);
        free(a->to);
        a->to = NULL;
    }
    filing_keep_suspects(b->g);
    folders_clear(&b->folders);
    place_end_batch(b->g->place);
}

bool batch_is_open(const struct filing *g)
{
    return g->journals || (!g->stopped && outbox_has_heads(g->outbox));
}

void batch_rest(struct filing *g)
{
    struct error err = ERROR_INIT;

    end_journals(g);
    if (g->stopped || !outbox_has_heads(g->outbox))
        return;
    if (state_begin(g->state, &err) == 0 && outbox_put_heads(g->outbox, false, &err) == 0 &&
        state_commit(g->state, &err) == 0) {
        outbox_heads_put(g->outbox);
        return;
    }
    state_rollback(g->state);
    stop(g, &err);
}

void batch_do(struct filing *g, struct act *list, const struct batch_calls *calls)
{
    struct batch b = {.g = g, .list = list};
    bool more, stopped;

    if (!is_plain(list))
        end_journals(g);
    if (!g->stopped)
        open_documents(&b);
    if (!g->stopped)
        rename_rounds(&b);
    stopped = g->stopped;
    end_journals(g);
    if (g->stopped && !stopped) {
        /* What the disk has of this batch is not known either. */
        take_all_back(&b);
    } else {
        if (g->stopped)
            mark_stopped(&b);
        record(&b);
    }
    end(&b);
    tell(g, FILER_COMMITTED);
    calls->give(calls->ctx, list);
    more = calls->more(calls->ctx);
    if (!g->stopped)
        start_journals(g, calls);
    if (more && !g->crowded && g->state)
        state_expect(g->state);
    if (!more && g->crowded && g->state)
        state_release(g->state);
    g->crowded = more;
    if (!more)
        place_forget(g->place);
}
