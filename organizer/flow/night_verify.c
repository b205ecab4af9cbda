/* night_verify: a case and its journal are read and compared with what was recorded. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/alloc.h"
#include "flow/casework.h"
#include "flow/internal.h"
#include "flow/night_step.h"
#include "record/verify.h"

/* So many documents are marked at once; the next night finds more. */
#define SILENT_MAX 1000

struct checking {
    struct flow *flow;
    uv_work_t work;
    char id[CASE_ID_SIZE];
    char *path;
    const bool *stop;
    step_done *done;
    void *ctx;
    /* Found on the worker's thread. */
    struct verify_counts counts;
    struct error error;
    bool failed;
    int64_t *silent; /* numbers of documents whose bytes changed unseen */
    size_t silent_len, silent_cap;
    char **hints; /* paths that somebody changes just now, from the case folder down */
    size_t hints_len, hints_cap;
    char *first; /* the first thing that is wrong, for a person */
    uint64_t wrong;
};

/* ---- beside the loop ------------------------------------------------------------------------- */

/* The sweep before has seen what people did. What is neither theirs nor the organizer's is wrong. */
static void found(void *ctx, const struct verify_finding *f)
{
    struct checking *c = ctx;

    switch (f->what) {
    case VERIFY_CHANGED:
        if (f->silent)
            break;
        /* fall through */
    case VERIFY_MISSING:
    case VERIFY_RENAMED:
        GROW(c->hints, c->hints_len, c->hints_cap);
        c->hints[c->hints_len++] = xstrdup(f->path);
        return;
    case VERIFY_EXTRA:
        return;
    default:
        break;
    }
    c->wrong++;
    if (!c->first)
        c->first = *f->path ? xasprintf("%s: %s", f->path, f->sentence) : xstrdup(f->sentence);
    if (f->what == VERIFY_CHANGED && c->silent_len < SILENT_MAX) {
        GROW(c->silent, c->silent_len, c->silent_cap);
        c->silent[c->silent_len++] = f->doc;
    }
}

static bool stopped(void *ctx)
{
    const struct checking *c = ctx;

    return __atomic_load_n(c->stop, __ATOMIC_RELAXED);
}

static void check(uv_work_t *w)
{
    struct checking *c = w->data;
    struct state *s = state_open(c->flow->cab.state_dir, true, &c->error);
    struct verify_options o = {.root = c->flow->cab.root,
                               .state = s,
                               .case_id = c->id,
                               .case_path = c->path,
                               .found = found,
                               .stopped = stopped,
                               .ctx = c};

    c->failed = !s || verify_case(&o, &c->counts, &c->error) < 0;
    state_close(s);
}

/* ---- on the loop ----------------------------------------------------------------------------- */

struct mark {
    struct flow *flow;
};

static void marked(void *ctx, struct act *a)
{
    struct mark *k = ctx;
    struct flow *f = k->flow;

    if (a->status == ACT_DONE) {
        log_line(&f->log, LOG_ERROR, "content is not what was recorded", "case", a->case_path,
                 "document", a->doc.path, NULL);
        flow_touch(f, matters_by_id(f->matters, a->doc.case_id));
        flow_touch(f, NULL);
    }
    free(k);
}

/* Lists the document until somebody puts it right. Returns whether it was not listed before. */
static bool mark(struct flow *f, const struct matter *m, int64_t number)
{
    struct error err = ERROR_INIT;
    struct doc row;
    const char *slash;
    struct act *a;
    struct mark *k;

    if (state_doc_by_number(f->state, m->facts.id, number, &row, &err) <= 0)
        return false;
    if (row.reason == REASON_CHANGED_UNREAD || row.reason == REASON_NOT_KEPT ||
        row.state == DOC_GONE) {
        doc_clear(&row);
        return false;
    }
    slash = strrchr(row.path, '/');
    a = act_new(ACT_RECORD);
    k = xcalloc(1, sizeof *k);
    k->flow = f;
    a->case_path = xstrdup(m->facts.path);
    doc_copy(&a->doc, &row);
    a->doc.reason = REASON_CHANGED_UNREAD;
    free(a->doc.sentence);
    free(a->doc.help);
    a->doc.sentence = lang_format(f->lang, "reason.changed-unread", "name",
                                  slash ? slash + 1 : row.path, NULL);
    a->doc.help = xstrdup(lang_get(f->lang, "help.changed-unread"));
    a->doc.changed_ns = env_now(f->env);
    a->done = marked;
    a->ctx = k;
    filer_submit(f->filer, a);
    doc_clear(&row);
    return true;
}

static void mark_all(struct checking *c, struct matter *m)
{
    struct flow *f = c->flow;
    bool news = false;

    for (size_t i = 0; i < c->silent_len; i++)
        news |= mark(f, m, c->silent[i]);
    if (news)
        flow_tell_case(f, "integrity", m, reason_code(REASON_CHANGED_UNREAD));
    if (c->counts.found[VERIFY_JOURNAL] && m->reason != REASON_TAMPERED && !m->recording)
        flow_record_case(f, m, &(struct case_note){.tampered = true}, NULL, NULL);
    for (size_t i = 0; i < c->hints_len; i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", m->facts.path, c->hints[i]);

        flow_hint(f, path, false);
    }
}

static void checking_free(struct checking *c)
{
    for (size_t i = 0; i < c->hints_len; i++)
        free(c->hints[i]);
    free(c->hints);
    free(c->silent);
    free(c->first);
    free(c->path);
    free(c);
}

static void after_check(uv_work_t *w, int status)
{
    struct checking *c = w->data;
    struct flow *f = c->flow;
    struct matter *m = matters_by_id(f->matters, c->id);
    struct step_result r = {.text = "",
                            .documents = c->counts.documents,
                            .bytes = c->counts.bytes,
                            .count = c->wrong};

    if (c->failed || status < 0) {
        r.step = STEP_LEFT;
        r.text = status < 0 ? "there is no thread for it" : error_text(&c->error);
    } else if (stopped(c)) {
        r.step = STEP_NOTHING;
    } else {
        r.step = c->wrong ? STEP_FOUND : STEP_DONE;
        r.text = c->first ? c->first : "";
        if (m && f->started && !f->stopping)
            mark_all(c, m);
    }
    c->done(c->ctx, &r);
    checking_free(c);
}

void flow_verify_case(struct flow *f, const struct matter *m, const bool *stop, step_done *done,
                      void *ctx)
{
    struct checking *c = xcalloc(1, sizeof *c);

    c->flow = f;
    c->work.data = c;
    c->path = xstrdup(m->facts.path);
    memcpy(c->id, m->facts.id, strlen(m->facts.id) + 1);
    c->stop = stop;
    c->done = done;
    c->ctx = ctx;
    if (uv_queue_work(f->loop, &c->work, check, after_check) < 0)
        after_check(&c->work, UV_ENOMEM);
}
