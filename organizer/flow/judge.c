/* judge: examine a settled document, gather its facts, decide, and hand the decision on. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/gather.h"
#include "flow/internal.h"

static void answered(void *ctx, const struct examination *x)
{
    struct item *it = ctx;
    struct flow *f = it->flow;

    it->x = *x;
    it->examined = true;
    if (f->stopping) {
        flow_finish(f, it);
        return;
    }
    if (x->status == EXAMINE_FAILED && ++it->failures < FLOW_READ_TRIES) {
        flow_later(f, it, settle_backoff_ms(it->failures + 4));
        return;
    }
    flow_read_begin(f);
    flow_judge(f, it);
    flow_read_end(f);
}

/* A forced look at a document whose bytes were read before and did not change since. */
static bool is_known_content(struct flow *f, struct item *it)
{
    struct matter *home;
    const char *inside;
    struct doc row = {0};
    struct error err = ERROR_INIT;
    bool known;

    matters_zone(f->matters, it->path, &home, &inside);
    if (state_doc_by_path(f->state, home ? home->facts.id : "", inside, &row, &err) <= 0)
        return false;
    known = doc_stamp_equal(&row.stamp, &it->stamp) && !doc_is_racy(&row) &&
            !digest_is_zero(&row.digest);
    if (known) {
        it->x = (struct examination){.status = EXAMINE_DONE,
                                     .digest = row.digest,
                                     .bytes = row.stamp.size,
                                     .kind = row.kind};
        it->read_ns = row.read_ns;
    }
    doc_clear(&row);
    return known;
}

void flow_examine(struct flow *f, struct item *it)
{
    if (is_known_content(f, it)) {
        it->examined = true;
        flow_judge(f, it);
        return;
    }
    it->read_ns = env_now(f->env) - f->env->clock_shift_ns;
    examiner_submit(f->examiner, it->fd, it->stamp.size, true, answered, it);
}

/* What a person did with a document that has a row says more than its name does. */
static void heed_history(struct facts *facts, enum identity who, const struct doc *row)
{
    bool inbox = facts->zone == ZONE_OFFICE_INBOX || facts->zone == ZONE_CASE_INBOX;

    if (who == IDENTITY_RENAMED || who == IDENTITY_MOVED_IN)
        facts->undone = false;
    if (who == IDENTITY_RENAMED && row->state == DOC_FILED && !inbox)
        facts->by_hand = true;
    if (who == IDENTITY_MOVED_IN)
        facts->by_hand = false;
}

/* May the decided name be given now, or only be suggested? */
static bool may_name(const struct flow *f, const struct facts *facts, enum identity who,
                     const struct doc *row)
{
    bool inbox = facts->zone == ZONE_OFFICE_INBOX || facts->zone == ZONE_CASE_INBOX;

    if (f->cab.config.mode != MODE_ENFORCE)
        return false;
    if (who == IDENTITY_NEW || who == IDENTITY_MOVED_IN)
        return true;
    if (row->before && !(inbox && who == IDENTITY_RENAMED))
        return false;
    return inbox || row->state != DOC_FILED;
}

static void hand_on(struct flow *f, struct item *it, struct gathered *g, struct decision *d,
                    struct doc *row, enum identity who)
{
    switch (d->action) {
    case ACTION_FILE:
        if (may_name(f, &g->facts, who, row))
            flow_file(f, it, d, g->home, g->inside, row, who);
        else
            flow_index(f, it, d, g->home, g->inside, row, who);
        return;
    case ACTION_RETRY:
        if (it->failures < FLOW_READ_TRIES)
            flow_later(f, it, settle_backoff_ms(it->failures++ + 6));
        else
            flow_list_plain(f, it, REASON_READER_FAILED, it->x.why);
        return;
    case ACTION_WAIT:
    case ACTION_INDEX:
    case ACTION_LIST:
        flow_index(f, it, d, g->home, g->inside, row, who);
        return;
    }
}

static void judge_identified(struct flow *f, struct item *it, const struct matter *home,
                             const char *inside)
{
    struct gather_from from = {f->env, &f->cab.config, f->matters, f->state, f->cab.root};
    struct doc row = {0};
    enum identity who =
        flow_identify(f, home ? home->facts.id : "", inside, &it->stamp, &row);
    struct gather_doc doc = {.path = it->path, .stamp = &it->stamp, .x = &it->x};
    struct gathered g;
    struct decision d;

    if (who == IDENTITY_LINKED) {
        doc_clear(&row);
        flow_list_plain(f, it, REASON_HARD_LINK, NULL);
        return;
    }
    doc.row = who == IDENTITY_NEW || who == IDENTITY_MOVED_IN ? NULL : &row;
    gather(&from, &doc, NULL, &g);
    heed_history(&g.facts, who, &row);
    decide(f->rules, f->lang, &f->policy, &g.facts, false, &d);
    if (d.action == ACTION_FILE && d.target && d.target != g.facts.home) {
        const struct matter *target = matters_by_id(f->matters, d.target->id);

        gather_clear(&g);
        gather(&from, &doc, target, &g);
        heed_history(&g.facts, who, &row);
        decision_clear(&d);
        decide(f->rules, f->lang, &f->policy, &g.facts, false, &d);
    }
    hand_on(f, it, &g, &d, &row, who);
    decision_clear(&d);
    gather_clear(&g);
    doc_clear(&row);
}

void flow_judge(struct flow *f, struct item *it)
{
    struct matter *home;
    const char *inside;
    struct doc_stamp now;

    if (doc_stamp_take(it->fd, -1, NULL, &now) < 0 || !doc_stamp_equal(&now, &it->stamp)) {
        flow_later(f, it, 0);
        return;
    }
    if (matters_zone(f->matters, it->path, &home, &inside) == ZONE_OUTSIDE ||
        (home && home->untouchable)) {
        flow_finish(f, it);
        return;
    }
    judge_identified(f, it, home, inside);
}
