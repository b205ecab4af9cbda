#include "flow/casework.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "flow/internal.h"
#include "record/rebuild.h"
#include "record/verify.h"

/* One change, on its way through the filer's thread and back. */
struct casework {
    struct flow *flow;
    flow_answer *answer;
    void *ctx;
    /* Read on the filer's thread. */
    int root;
    int64_t now_ns;
    struct case_row to; /* path, former, folder, restricted, adopted_ns, gone_ns count */
    char *kind, *was, *more;
    bool accept, tampered, gone;
    /* What came of it. */
    struct rebuilt rebuilt;
};

static void casework_free(struct casework *w)
{
    case_row_clear(&w->to);
    free(w->kind);
    free(w->was);
    free(w->more);
    free(w);
}

/* ---- on the filer's thread ------------------------------------------------------------------- */

/* The row of a case that the state does not know, from its journal when it has one. */
static int make_row(struct casework *w, struct state *s, int fd, struct case_row *row,
                    struct error *err)
{
    *row = (struct case_row){.next_doc = 1, .adopted_ns = w->to.adopted_ns};
    memcpy(row->id, w->to.id, sizeof row->id);
    if (rebuild_case(s, fd, row, &w->rebuilt, err) < 0)
        return -1;
    if (!w->rebuilt.any)
        return 0;
    free(w->kind);
    w->kind = xstrdup("rebuilt");
    return 0;
}

static void take(char **field, const char *value)
{
    free(*field);
    *field = xstrdup(value);
}

static bool is_kind(const struct casework *w, const char *kind)
{
    return w->kind && strcmp(w->kind, kind) == 0;
}

static int change_row(struct casework *w, struct state *s, struct case_row *row, struct error *err)
{
    if (row->path && w->to.path && strcmp(row->path, w->to.path) != 0 &&
        state_own_move(s, row->path, w->to.path, err) < 0)
        return -1;
    if (w->was) {
        take(&row->former, w->to.former);
        row->renamed_told = false;
    } else {
        row->renamed_told |= w->to.renamed_told;
    }
    take(&row->path, w->to.path);
    if (!w->gone) {
        row->dev = w->to.dev;
        row->ino = w->to.ino;
        row->birth_ns = w->to.birth_ns;
        if (is_kind(w, "closed") || is_kind(w, "reopened"))
            row->closed = is_kind(w, "closed");
        row->restricted = w->to.restricted;
    }
    row->gone_ns = w->gone ? row->gone_ns ? row->gone_ns : w->now_ns : 0;
    row->tampered = (row->tampered || w->tampered) && !w->accept;
    return state_case_put(s, row, err);
}

static int add_line(const struct casework *w, struct state *s, int fd, struct error *err)
{
    AUTO_STR struct str body = STR_INIT;

    journal_body(&body, w->now_ns, w->kind);
    json_text(&body, "case", w->to.id);
    json_name(&body, "folder", w->to.path);
    if (w->was)
        json_name(&body, "was", w->was);
    if (w->rebuilt.any)
        json_num(&body, "documents", (int64_t)w->rebuilt.documents);
    if (w->more && *w->more) {
        json_comma(&body);
        str_add(&body, w->more);
    }
    if (w->accept && journal_accept(fd, &body, err) < 0)
        return -1;
    return state_outbox_add(s, w->to.id, str_c(&body), err);
}

/* For tell_unheard(). */
struct telling {
    const struct casework *w;
    struct state *state;
    struct error *err;
};

static int tell_one(void *ctx, const struct doc *d)
{
    struct telling *t = ctx;
    AUTO_STR struct str body = STR_INIT;
    char hex[DIGEST_HEX];

    journal_body(&body, t->w->now_ns, d->state == DOC_GONE ? "removed" : "indexed");
    json_num(&body, "doc", d->number);
    json_name(&body, d->state == DOC_GONE ? "from" : "to", d->path ? d->path : "");
    if (d->state == DOC_GONE)
        return state_outbox_add(t->state, t->w->to.id, str_c(&body), t->err);
    json_text(&body, "sha256", digest_hex(&d->digest, hex));
    json_num(&body, "size", (int64_t)d->stamp.size);
    return state_outbox_add(t->state, t->w->to.id, str_c(&body), t->err);
}

/* A journal that was taken up as it is hears of the documents whose lines it lost, and which are gone
 * since; otherwise no night would ever find the case in order again. */
static int tell_unheard(const struct casework *w, struct state *s, int fd, struct error *err)
{
    struct telling t = {w, s, err};

    return verify_unheard(fd, s, w->to.id, tell_one, &t, err);
}

static int put(void *ctx, struct state *s, struct error *err)
{
    struct casework *w = ctx;
    AUTO_CLOSE int fd = w->gone ? -1 : beneath_open(w->root, w->to.path, O_RDONLY | O_DIRECTORY, 0);
    struct case_row row;
    int rc;

    if (fd < 0 && !w->gone)
        return error_set(err, errno, "the folder %s cannot be opened", w->to.path);
    rc = state_case_get(s, w->to.id, &row, err);
    if (rc == 0)
        rc = make_row(w, s, fd, &row, err);
    if (rc >= 0)
        rc = change_row(w, s, &row, err);
    if (rc == 0 && w->kind)
        rc = add_line(w, s, fd, err);
    if (rc == 0 && w->accept)
        rc = tell_unheard(w, s, fd, err);
    case_row_clear(&row);
    return rc;
}

/* ---- on the loop's thread -------------------------------------------------------------------- */

static void is_known(struct casework *w, struct matter *m, const struct act *a)
{
    struct flow *f = w->flow;

    m->opening = m->recording = false;
    if (a->status != ACT_DONE)
        return;
    m->known = true;
    if (w->rebuilt.any)
        log_line(&f->log, LOG_WARNING, "case made known again from its journal", "folder",
                 w->to.path, NULL);
    else if (is_kind(w, "opened") || is_kind(w, "adopted"))
        flow_tell_case(f, "case-opened", m, "");
    else if (is_kind(w, "closed"))
        flow_tell_case(f, "case-closed", m, "");
    if (w->tampered)
        flow_tell_case(f, "integrity", m, reason_code(REASON_TAMPERED));
}

static void recorded(void *ctx, struct act *a)
{
    struct casework *w = ctx;
    struct flow *f = w->flow;
    struct matter *m = matters_by_id(f->matters, w->to.id);

    if (m)
        is_known(w, m, a);
    if (a->status != ACT_DONE)
        log_line(&f->log, LOG_ERROR, "what is new of the case could not be recorded", "folder",
                 w->to.path, "error", error_text(&a->error), NULL);
    else if (w->kind)
        log_line(&f->log, LOG_NOTICE, "case", "what", w->kind, "folder", w->to.path, NULL);
    if (f->started) {
        flow_touch(f, m);
        flow_touch(f, NULL);
        if (a->status == ACT_DONE && !w->gone)
            flow_case_recorded(f, w->to.path, w->kind);
    }
    if (w->answer)
        w->answer(w->ctx, a->status == ACT_DONE ? EXIT_ORDER : EXIT_CANNOT,
                  a->status == ACT_DONE ? w->to.path : error_text(&a->error));
    casework_free(w);
}

static struct casework *casework_new(struct flow *f, const struct case_note *note)
{
    struct casework *w = xcalloc(1, sizeof *w);

    w->flow = f;
    w->root = f->cab.root;
    w->now_ns = env_now(f->env);
    w->kind = xstrdup(note->kind);
    w->was = xstrdup(note->was);
    w->more = xstrdup(note->more);
    w->accept = note->accept;
    w->tampered = note->tampered;
    w->gone = note->gone;
    return w;
}

static void submit(struct casework *w)
{
    struct act *a = act_new(ACT_CALL);

    a->call = put;
    a->done = recorded;
    a->ctx = w;
    filer_submit(w->flow->filer, a);
}

void flow_record_case(struct flow *f, struct matter *m, const struct case_note *note,
                      flow_answer *answer, void *ctx)
{
    struct casework *w = casework_new(f, note);

    w->answer = answer;
    w->ctx = ctx;
    w->to = (struct case_row){.path = xstrdup(m->facts.path),
                              .former = matter_former(m),
                              .dev = m->stamp.dev,
                              .ino = m->stamp.ino,
                              .birth_ns = m->stamp.birth_ns,
                              .renamed_told = m->card.rename_answered,
                              .restricted = m->facts.restricted,
                              .adopted_ns = note->adopted_ns};
    snprintf(w->to.id, sizeof w->to.id, "%s", m->facts.id);
    m->recording = true;
    submit(w);
}

void flow_record_gone(struct flow *f, const struct case_row *row)
{
    struct casework *w = casework_new(f, &(struct case_note){.gone = true});

    w->to.path = xstrdup(row->path);
    memcpy(w->to.id, row->id, sizeof w->to.id);
    submit(w);
}
