/* judge: examine a settled document, gather its facts, decide, and hand the decision on. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/gather.h"
#include "flow/internal.h"
#include "flow/takeback.h"

static void answered(void *ctx, const struct examination *x)
{
    struct item *it = ctx;
    struct flow *f = it->flow;

    it->x = *x;
    it->examined = true;
    it->read = x->status == EXAMINE_DONE ? it->stamp : (struct doc_stamp){0};
    if (f->stopping) {
        flow_finish(f, it);
        return;
    }
    if (x->status == EXAMINE_FAILED && ++it->failures < FLOW_READ_TRIES) {
        /* A reader that could not come up in time, on a busy machine: who waits for the document waits
         * for its next reader, too. */
        flow_soon(f, it, settle_backoff_ms(it->failures + 4));
        return;
    }
    flow_judge(f, it);
}

/* A forced look at a document whose bytes were read before and did not change since. */
static bool is_known_content(struct flow *f, struct item *it)
{
    struct doc row = {0};
    bool known;

    if (it->no_row || flow_row_at(f, it->path, &row) <= 0)
        return false;
    known = gather_is_read(&row, &it->stamp);
    if (known) {
        it->x = gather_read(&row);
        it->read_ns = row.read_ns;
    }
    doc_clear(&row);
    return known;
}

/* Read by this item, and it waited for something else since. */
static bool was_just_read(const struct item *it)
{
    return it->read.size > 0 && doc_stamp_equal(&it->read, &it->stamp) &&
           it->stamp.ctime_ns < it->read_ns - DOC_RACY_NS;
}

void flow_examine(struct flow *f, struct item *it)
{
    if (was_just_read(it) || is_known_content(f, it)) {
        it->examined = true;
        flow_judge(f, it);
        return;
    }
    it->read_ns = env_disk_now(f->env);
    examiner_submit(f->examiner, it->fd, it->stamp.size, true, answered, it);
    if (f->items.ready_len == 0)
        examiner_send(f->examiner);
}

/* What a person did with a document that has a row says more than its name does. */
static void heed_history(struct facts *facts, const struct identified *id)
{
    bool inbox = facts->zone == ZONE_OFFICE_INBOX || facts->zone == ZONE_CASE_INBOX;
    const char *was = id->row.path ? id->row.path : "", *slash = strrchr(was, '/');

    if (id->who == IDENTITY_MOVED_IN)
        facts->by_hand = facts->undone = false;
    if (!id->moved)
        return;
    facts->undone = false;
    if (flow_was_filed(&id->row) && !inbox &&
        strcmp(slash ? slash + 1 : was, facts->name) != 0)
        facts->by_hand = true;
}

/* May the decided name be given now, or only be suggested? */
static bool may_name(const struct flow *f, const struct item *it, const struct gathered *g,
                     const struct identified *id)
{
    bool inbox = g->facts.zone == ZONE_OFFICE_INBOX || g->facts.zone == ZONE_CASE_INBOX;

    if (f->cab.config.mode != MODE_ENFORCE)
        return false;
    if (id->who == IDENTITY_NEW)
        return !gather_was_before(&f->cab, g->home, &it->stamp);
    if (id->who == IDENTITY_MOVED_IN)
        return true;
    if (id->row.before && !(inbox && id->moved))
        return false;
    return inbox || !flow_was_filed(&id->row) || g->facts.named_lately;
}

/* The document stays where it is, and is listed for this. */
static void list_instead(struct flow *f, struct decision *d, enum reason reason, const char *name,
                         const char *other)
{
    AUTO_FREE char *sentence = xasprintf("reason.%s", reason_code(reason));
    AUTO_FREE char *help = xasprintf("help.%s", reason_code(reason));

    free(d->sentence);
    free(d->help);
    d->action = ACTION_LIST;
    d->reason = reason;
    d->sentence = lang_format(f->lang, sentence, "name", name, "other", other, NULL);
    d->help = lang_format(f->lang, help, "name", name, "other", other, NULL);
}

/* Somebody renames it back each time, or did so until it was left alone. */
static bool is_fought_over(struct flow *f, const struct item *it, const struct identified *id)
{
    const struct doc *was = id->from.number ? &id->from : &id->row;

    if (!id->moved && id->row.reason == REASON_FOUGHT_OVER)
        return true;
    return was->original && *was->original && flow_is_fought_over(f, &it->stamp);
}

/* The name of an older document that looks the same to people; NULL when there is none. */
static char *twin(struct flow *f, const struct gathered *g, const struct identified *id)
{
    struct error err = ERROR_INIT;
    struct doc other = {0};
    const char *name = NULL, *slash;
    char *found = NULL;

    if (!g->home || state_doc_by_fold(f->state, g->home->facts.id, g->inside, &other, &err) <= 0)
        return NULL;
    if (other.number != id->row.number && strcmp(other.path, g->inside) != 0) {
        AUTO_FREE char *path = xasprintf("%s/%s", g->home->facts.path, other.path);
        AUTO_CLOSE int dir = beneath_parent(f->cab.root, path, &name);

        slash = strrchr(other.path, '/');
        if (dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            found = xstrdup(slash ? slash + 1 : other.path);
    }
    doc_clear(&other);
    return found;
}

/* That it was saved under an old name cannot be seen any more; it stays worth knowing. */
static void keep_remark(const struct identified *id, struct decision *d)
{
    const struct doc *row = &id->row;

    if (row->reason != REASON_NEW_VERSION || d->reason != REASON_NONE ||
        (id->who != IDENTITY_SAME && id->who != IDENTITY_EDITED))
        return;
    free(d->sentence);
    free(d->help);
    d->reason = row->reason;
    d->sentence = xstrdup(row->sentence ? row->sentence : "");
    d->help = xstrdup(row->help ? row->help : "");
}

/* What nobody may do to a document, whatever its name and content say. */
static void heed_links(struct flow *f, const struct item *it, const struct gathered *g,
                       const struct identified *id, struct decision *d)
{
    AUTO_FREE char *other = NULL;

    if (d->action == ACTION_RETRY)
        return;
    if (it->nlink > 1 || id->who == IDENTITY_LINKED)
        list_instead(f, d, REASON_HARD_LINK, g->facts.name, "");
    else if (d->action == ACTION_INDEX && (other = twin(f, g, id)))
        list_instead(f, d, REASON_TWO_NAMES, g->facts.name, other);
}

static void hand_on(struct flow *f, struct item *it, struct gathered *g, struct decision *d,
                    const struct identified *id)
{
    heed_links(f, it, g, id, d);
    if (flow_puts_off(f, it))
        return;
    if (d->action == ACTION_FILE && may_name(f, it, g, id)) {
        if (!is_fought_over(f, it, id)) {
            flow_file(f, it, d, g->home, g->inside, id);
            return;
        }
        list_instead(f, d, REASON_FOUGHT_OVER, g->facts.name, "");
    }
    keep_remark(id, d);
    if (d->action == ACTION_RETRY && it->failures < FLOW_READ_TRIES) {
        flow_later(f, it, settle_backoff_ms(it->failures++ + 6));
        return;
    }
    if (d->action == ACTION_RETRY)
        d->action = ACTION_LIST;
    flow_index(f, it, d, g->home, g->inside, id);
}

/*
 * The path belonged to another file. Where that is now tells whether this one is a new version of
 * the document or another one: while more is to be looked at, that is waited for.
 */
static bool is_in_doubt(struct flow *f, struct item *it, const struct identified *id)
{
    const struct doc_stamp *was = id->over.number ? &id->over.stamp : &id->row.stamp;
    bool over = id->over.number != 0;
    bool replaced = id->who == IDENTITY_EDITED &&
                    !doc_stamp_same_file(&id->row.stamp, &it->stamp) &&
                    !digest_equal(&id->row.digest, &it->x.digest);

    if (!over && !replaced)
        return false;
    if (id->swapped)
        return false;
    if (f->items.ready || sweep_running(f->sweep))
        return true;
    /* Whoever holds the file may wait for this one in turn. */
    return tally_has_file(f->items.held, was) && it->doubts++ < FLOW_DOUBTS_MAX;
}

static void judge_identified(struct flow *f, struct item *it, const struct identified *id)
{
    struct gather_from from = {f->env, &f->cab.config, f->matters, f->state, f->cab.root};
    struct gather_doc doc = {.path = it->path, .stamp = &it->stamp, .x = &it->x};
    struct gathered g;
    struct decision d;
    const char *name;
    const struct beside *beside;
    int dir = flow_parent(f, it->path, &name);

    beside = dir >= 0 ? flow_is_alone(f, it->path, &it->stamp) : NULL;
    doc.alone = beside != NULL;
    it->no_fork = beside && beside_no_forks(beside, &it->stamp);
    doc.row = id->row.number ? &id->row : NULL;
    doc.content = flow_said(it);
    gather(&from, &doc, NULL, &g);
    heed_history(&g.facts, id);
    decide(f->rules, f->lang, &f->policy, &g.facts, false, &d);
    if (d.action == ACTION_FILE && d.target && d.target != g.facts.home) {
        const struct matter *target = matters_by_id(f->matters, d.target->id);

        gather_clear(&g);
        gather(&from, &doc, target, &g);
        heed_history(&g.facts, id);
        decision_clear(&d);
        decide(f->rules, f->lang, &f->policy, &g.facts, false, &d);
    }
    if (g.same.number && flights_have(f, &g.same.stamp, &g.same)) {
        /* What it is the same as is being recorded, as something else perhaps. */
        takebacks_note(f);
        flow_soon(f, it, 2);
    }
    /* A name that is clear by itself does not wait for the parsers: what the text says is heard right
     * after, and what it contradicts is taken back then (takeback.h). */
    else if (!d.wants_content || !flow_read_text(f, it)) {
        hand_on(f, it, &g, &d, id);
    }
    decision_clear(&d);
    gather_clear(&g);
}

/* Something about one of these documents is being recorded: what it is has to be seen first. */
static bool is_being_recorded(const struct flow *f, const struct item *it,
                              const struct identified *id)
{
    const struct doc *rows[] = {&id->row, &id->from, &id->over};

    if (tally_has_file(f->flying, &it->stamp))
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i]->number && flights_have(f, &it->stamp, rows[i]))
            return true;
    return false;
}

/* The path still leads to the file that was examined, and that did not change. */
static bool is_still_it(struct flow *f, const struct item *it)
{
    const char *name;
    int dir = flow_parent(f, it->path, &name);
    struct doc_stamp now;

    return dir >= 0 && doc_stamp_take(-1, dir, name, &now) == 0 &&
           doc_stamp_equal(&now, &it->stamp);
}

static void judge(struct flow *f, struct item *it)
{
    struct matter *home;
    const char *inside;
    struct identified id;

    flow_keep_today(f);
    if (!is_still_it(f, it) || flow_is_of_case(f, it->path)) {
        flow_soon(f, it, 0);
        return;
    }
    if (matters_zone(f->matters, it->path, &home, &inside) == ZONE_OUTSIDE ||
        (home && home->untouchable)) {
        flow_finish(f, it);
        return;
    }
    flow_identify(f, home ? home->facts.id : "", inside, it, &id);
    if (is_being_recorded(f, it, &id))
        flow_soon(f, it, 2);
    else if (is_in_doubt(f, it, &id))
        flow_soon(f, it, it->doubts ? 2 << it->doubts : 5);
    else
        judge_identified(f, it, &id);
    identified_clear(&id);
}

void flow_judge(struct flow *f, struct item *it)
{
    flow_read_begin(f);
    judge(f, it);
    flow_read_end(f);
}
