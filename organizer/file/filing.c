#include "file/filing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "file/outbox.h"
#include "file/place.h"

/* Closes what can be opened anew. */
static void close_parts(struct filing *g)
{
    outbox_free(g->outbox);
    place_free(g->place);
    intents_close(g->intents);
    state_close(g->state);
    g->outbox = NULL;
    g->place = NULL;
    g->intents = NULL;
    g->state = NULL;
}

static int open_intents(struct filing *g, struct error *err)
{
    uint64_t finished;

    intents_close(g->intents);
    g->intents = NULL;
    if (ledger_finished(g->state, &finished, err) < 0)
        return -1;
    g->intents = intents_open(g->o.state_dir, finished, g->o.durable, err);
    return g->intents ? 0 : -1;
}

/* Everything that is in the outbox, and the heads behind it. */
static int flush(struct filing *g, struct recovery *r, struct error *err)
{
    if (outbox_flush(g->outbox, &r->lines, err) < 0)
        return -1;
    if (!outbox_has_heads(g->outbox))
        return 0;
    if (state_begin(g->state, err) == 0 && outbox_put_heads(g->outbox, false, err) == 0 &&
        state_commit(g->state, err) == 0) {
        outbox_heads_put(g->outbox);
        return 0;
    }
    state_rollback(g->state);
    return -1;
}

void filing_keep_suspects(struct filing *g)
{
    uint64_t upto = g->suspects_kept;
    AUTO_FREE char *text = g->state ? suspects_text(g->suspects, g->root_dev, &upto) : NULL;
    struct error err = ERROR_INIT;

    if (text && state_set(g->state, SUSPECTS_KEY, text, &err) == 0)
        g->suspects_kept = upto;
}

static int find_suspects(struct filing *g, struct error *err)
{
    AUTO_FREE char *text = NULL;

    if (state_find(g->state, SUSPECTS_KEY, &text, err) < 0)
        return -1;
    if (text)
        suspects_read(g->suspects, g->root_dev, text);
    return 0;
}

/* anew: what the log's pages hold is in doubt; with all settled, it is written anew. */
static int open_parts(struct filing *g, bool anew, struct recovery *r, struct error *err)
{
    g->state = state_open(g->o.state_dir, false, err);
    if (!g->state)
        return -1;
    if (state_is_newer(g->state))
        return error_set(err, EROFS,
                         "the private state in %s was written by a newer organizer: install that",
                         g->o.state_dir);
    if (g->o.known && state_keep_known(g->state, g->o.known, err) < 0)
        return -1;
    g->crowded = false;
    g->place = place_new(g->o.env, g->o.root, g->state);
    g->outbox = outbox_new(&g->o, g->state);
    if ((!anew && find_suspects(g, err) < 0) || open_intents(g, err) < 0 ||
        recover_intents(g, r, err) < 0 || flush(g, r, err) < 0)
        return -1;
    filing_keep_suspects(g);
    if (!anew)
        return 0;
    return intents_remove(g->o.state_dir, err) < 0 ? -1 : open_intents(g, err);
}

struct filing *filing_open(const struct filer_options *o, struct recovery *r, struct error *err)
{
    struct filing *g = xcalloc(1, sizeof *g);
    struct doc_stamp st;

    g->o = *o;
    g->echoes = echoes_new();
    g->suspects = suspects_new();
    if (doc_stamp_take(o->root, -1, NULL, &st) < 0) {
        error_set(err, errno, "cannot look at the cabinet");
        goto fail;
    }
    g->root_dev = st.dev;
    if (open_parts(g, false, r, err) < 0)
        goto fail;
    g->datasync = datasync_new(o->root, g->suspects);
    g->foldersync = g->datasync ? datasync_new(o->root, g->suspects) : NULL;
    if (g->foldersync)
        return g;
    error_set(err, errno, "what is filed cannot be brought onto the disk");
fail:
    filing_close(g);
    return NULL;
}

void filing_close(struct filing *g)
{
    if (!g)
        return;
    datasync_free(g->datasync);
    datasync_free(g->foldersync);
    filing_keep_suspects(g);
    close_parts(g);
    suspects_free(g->suspects);
    echoes_free(g->echoes);
    free(g);
}

int filing_resume(struct filing *g)
{
    struct recovery r = {0};

    close_parts(g);
    g->suspects_kept = 0;
    g->stopped = open_parts(g, true, &r, &g->why) < 0;
    return g->stopped ? -1 : 0;
}

int filer_recover(const struct filer_options *o, struct recovery *r, struct error *err)
{
    struct filing *g;

    memset(r, 0, sizeof *r);
    g = filing_open(o, r, err);
    filing_close(g);
    return g ? 0 : -1;
}
