/* record: decisions become acts; acts become rows, pages, hooks, and the line that people see. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "flow/companions.h"
#include "flow/folders.h"
#include "flow/gather.h"
#include "flow/internal.h"
#include "flow/takeback.h"

/* Between submit and done of one act. */
struct work {
    struct flow *flow;
    struct item *item; /* NULL: nobody waits */
    struct in_flight in_flight; /* where f->in_flight has it */
    struct flight flight;
    const char *from; /* for the line and the hooks: the item's path, or "" */
    const char *what; /* journal kind */
    bool quiet;  /* no line: nothing that people wait for */
    struct related related;
};

/* Where the row says that the document is, from the cabinet down. */
static char *row_path(const struct act *a)
{
    return xjoin(a->case_path, a->doc.path);
}

/* From before the act is submitted until it is done. */
static void fly(struct act *a, const struct doc_stamp *file)
{
    struct work *w = a->ctx;

    flight_begin(w->flow, &w->flight, file, &a->doc,
                 a->kind == ACT_RENAME ? xjoin(a->to_folder, a->to_name) : row_path(a));
}

static void land(struct work *w, const struct act *a)
{
    /* A row that is gone, too: the document may be there again. */
    bool landed = a->status == ACT_DONE;
    AUTO_FREE char *path = landed ? row_path(a) : NULL;

    flight_end(w->flow, &w->flight, path);
}

static void in_flight_end(struct work *w)
{
    if (w->in_flight.begun)
        HASH_DEL(w->flow->in_flight, &w->in_flight);
    w->in_flight.begun = false;
}

static void in_flight_key(struct in_flight *k, const char *case_id, const struct digest *d)
{
    memset(k->key, 0, sizeof k->key);
    memcpy(k->key, case_id, strlen(case_id));
    memcpy(k->key + CASE_ID_SIZE, d->b, DIGEST_SIZE);
}

/* The same content is on its way into the same case already. */
static bool is_in_flight(const struct flow *f, const char *case_id, const struct digest *d)
{
    struct in_flight wanted, *found;

    in_flight_key(&wanted, case_id, d);
    HASH_FIND(hh, f->in_flight, wanted.key, sizeof wanted.key, found);
    return found != NULL;
}

static void in_flight_begin(struct work *w, const char *case_id, const struct digest *d)
{
    struct in_flight *k = &w->in_flight;

    in_flight_key(k, case_id, d);
    HASH_ADD(hh, w->flow->in_flight, key, sizeof k->key, k);
    k->begun = true;
}

void flow_row_decided(struct doc *to, const struct decision *d)
{
    char day[DATE_TEXT];

    to->reason = d->reason;
    doc_set(&to->sentence, d->sentence);
    doc_set(&to->help, d->help);
    doc_set(&to->type, d->type_name ? d->type_name : d->type.value);
    doc_set(&to->words, d->words.value);
    doc_set(&to->date, date_text(d->day, day));
}

/* The new row: what is known from the old one, the examination, and the decision. Of what could not be
 * read the old one knows more; it has the old stamp then, too. */
static void fill_row(struct flow *f, struct doc *to, const struct item *it,
                     const struct decision *d, const struct matter *home, const char *inside,
                     const struct doc *row, bool renamed)
{
    bool known = row->number != 0, failed = it->x.status == EXAMINE_FAILED;

    if (known)
        doc_copy(to, row);
    if (!known || d->action != ACTION_INDEX || strcmp(row->path, inside) != 0 ||
        (!failed && !digest_equal(&row->digest, &it->x.digest)))
        to->unread = DOC_READ; /* what a person did since stands */
    memset(to->case_id, 0, sizeof to->case_id);
    if (home)
        memcpy(to->case_id, home->facts.id, strnlen(home->facts.id, CASE_ID_SIZE - 1));
    doc_set(&to->path, inside);
    if (!known || !failed) {
        to->stamp = it->stamp;
        to->read_ns = it->read_ns;
        to->digest = it->x.digest;
        to->kind = it->x.kind;
    }
    flow_row_decided(to, d);
    doc_set(&to->suggested, NULL);
    if (!known)
        to->filed_ns = env_now(f->env);
    if (renamed)
        to->undone = false;
}

static void add_facts(struct str *body, const struct doc *d)
{
    if (d->type && *d->type)
        json_text(body, "document_type", d->type);
    if (d->date && *d->date)
        json_text(body, "date", d->date);
}

static void hook_payload(struct flow *f, struct str *json, const char *event, const struct act *a,
                         const char *from, const char *to)
{
    char hex[DIGEST_HEX], at[TIME_TEXT];

    str_addc(json, '{');
    json_num(json, "v", 1);
    json_text(json, "event", event);
    json_text(json, "at", time_text(env_now(f->env), at));
    json_name(json, "cabinet", f->cab.path);
    json_name(json, "case", a->case_path);
    json_text(json, "case_id", a->doc.case_id);
    json_name(json, "from", from);
    json_name(json, "to", to);
    json_text(json, "sha256", digest_hex(&a->doc.digest, hex));
    json_num(json, "size", (int64_t)a->doc.stamp.size);
    json_text(json, "type", kind_info(a->doc.kind)->mime);
    if (a->doc.why)
        json_text(json, "why", a->doc.why);
    if (a->doc.reason != REASON_NONE) {
        json_text(json, "reason", reason_code(a->doc.reason));
        json_text(json, "sentence", a->doc.sentence ? a->doc.sentence : "");
        json_text(json, "help", a->doc.help ? a->doc.help : "");
    }
    str_addc(json, '}');
}

static void run_hook(struct flow *f, const char *event, const struct act *a, const char *from,
                     const char *to)
{
    AUTO_STR struct str json = STR_INIT;

    if (!hooks_any(f->hooks, event))
        return;
    hook_payload(f, &json, event, a, from, to);
    hooks_run(f->hooks, event, str_c(&json), -1, flow_hook_over, f);
}

static void say_filed(struct flow *f, const struct work *w, const struct act *a)
{
    AUTO_STR struct str line = STR_INIT;

    f->filed++;
    if (!f->plain_lines) {
        log_line(&f->log, LOG_NOTICE, w->what, "from", w->from, "to", a->to, "why", a->doc.why,
                 NULL);
        return;
    }
    utf8_show(&line, w->from, strlen(w->from));
    str_add(&line, " -> ");
    utf8_show(&line, a->to, strlen(a->to));
    str_addf(&line, " because of %s\n", a->doc.why ? a->doc.why : "its name");
    if (write(STDOUT_FILENO, line.s, line.len) < 0)
        f->plain_lines = false;
}

static void say_listed(struct flow *f, const struct act *a)
{
    AUTO_STR struct str path = STR_INIT;
    AUTO_STR struct str line = STR_INIT;

    if (*a->case_path)
        str_addf(&path, "%s/", a->case_path);
    str_add(&path, a->doc.path);
    if (!f->plain_lines) {
        log_line(&f->log, LOG_NOTICE, "needs attention", "document", str_c(&path), "reason",
                 reason_code(a->doc.reason), "why", a->doc.sentence, "help", a->doc.help, NULL);
        return;
    }
    utf8_show(&line, path.s, path.len);
    str_addf(&line, " stays: %s %s\n", a->doc.sentence ? a->doc.sentence : "",
             a->doc.help ? a->doc.help : "");
    if (write(STDOUT_FILENO, line.s, line.len) < 0)
        f->plain_lines = false;
}

void flow_tell_filed(struct flow *f, const struct doc *row, const char *from)
{
    struct matter *m = matters_by_id(f->matters, row->case_id);
    AUTO_FREE char *folder = xstrdup(m ? m->facts.path : "");
    struct act a = {.kind = ACT_RENAME, .case_path = folder, .doc = *row}; /* borrows */
    AUTO_FREE char *to = row_path(&a);

    run_hook(f, "filed", &a, from, to);
}

void flow_tell_listed(struct flow *f, const struct act *a)
{
    AUTO_FREE char *path = row_path(a);

    if (!reason_is_attention(a->doc.reason))
        return;
    say_listed(f, a);
    run_hook(f, "needs-attention", a, path, path);
}

/* Said once. What it was about to be listed for is found again. */
static void stopped(struct flow *f, struct item *it, const struct error *why)
{
    if (!f->stop_told)
        log_line(&f->log, LOG_ERROR, "filing stopped, trying again every 30 s", "document",
                 it->path, "error", error_text(why), NULL);
    f->stop_told = true;
    it->told = it->again = false;
    it->listed_as = REASON_NONE;
    flow_later(f, it, FLOW_STOPPED_MS);
}

bool flow_puts_off(struct flow *f, struct item *it)
{
    if (!flow_is_blind(f))
        return false;
    stopped(f, it, state_failure(f->state));
    return true;
}

static void list_row(struct flow *f, struct item *it, enum reason reason, const char *why,
                     const char *lock, enum doc_state state);

static void act_failed(struct flow *f, struct item *it, const struct act *a)
{
    switch (a->status) {
    case ACT_BUSY:
        it->examined = false;
        if (it->refused == 0)
            flow_soon(f, it, settle_backoff_ms(it->refused++));
        else
            flow_later(f, it, settle_backoff_ms(it->refused++));
        return;
    case ACT_GONE:
        it->again = true;
        flow_finish(f, it);
        return;
    case ACT_STOPPED:
        if (a->in_doubt)
            flow_scan(f, a->to_folder);
        stopped(f, it, &a->error);
        return;
    case ACT_LOST:
        log_line(&f->log, LOG_ERROR, "the disk does not have a document as it was", "document",
                 it->path, NULL);
        it->x.digest = a->doc.digest;
        it->stamp = a->stamp;
        list_row(f, it, REASON_NOT_KEPT, NULL, NULL, DOC_LISTED);
        return;
    default:
        log_line(&f->log, LOG_WARNING, "cannot file", "document", it->path, "error",
                 error_text(&a->error), NULL);
        if (it->told) {
            flow_later(f, it, 60000);
            return;
        }
        it->told = true;
        flow_list_plain(f, it, REASON_NO_PERMISSION, error_text(&a->error));
    }
}

/* A draft is looked at again when its time has come; everything else is finished. */
static void done_with(struct flow *f, struct item *it)
{
    /* Its row says now where the file is. */
    items_hold(&f->items, it, NULL);
    if (it->wait_ms > 0 && !f->stopping) {
        /* Nothing held it up; when it changes, that is another time. */
        it->since = 0;
        it->listed_as = REASON_NONE;
        flow_later(f, it, it->wait_ms);
    } else {
        flow_finish(f, it);
    }
}

/* Of a document that was renamed no event tells: what may have changed meanwhile is looked at. */
static void look_after(struct flow *f, const struct act *a)
{
    if (doc_is_racy(&a->doc) || a->doc.stamp.ctime_ns == a->stamp.ctime_ns)
        flow_hint(f, a->to, false);
}

static void act_done(void *ctx, struct act *a)
{
    struct work *w = ctx;
    struct flow *f = w->flow;

    land(w, a);
    in_flight_end(w);
    if (a->unseen)
        flow_look_again(f, a->unseen);
    if (a->status == ACT_DONE) {
        f->stop_told = false;
        flow_touch(f, matters_by_id(f->matters, a->doc.case_id));
        flow_touch(f, NULL);
        flow_tell_related(f, a, &w->related);
        flow_row_written(f, w->item, &a->doc);
        if (a->kind == ACT_RENAME) {
            look_after(f, a);
            say_filed(f, w, a);
            if (a->doc.unread == DOC_READ)
                run_hook(f, "filed", a, w->from, a->to);
        } else if (reason_is_attention(a->doc.reason) && !w->quiet) {
            say_listed(f, a);
            run_hook(f, "needs-attention", a, w->from, w->from);
        }
        if (w->item)
            done_with(f, w->item);
    } else if (w->item) {
        act_failed(f, w->item, a);
    }
    free(w);
}

/* The act is not submitted after all. */
static void drop_work(struct work *w)
{
    flight_end(w->flow, &w->flight, NULL);
    in_flight_end(w);
    free(w);
}

static struct act *new_act(struct flow *f, enum act_kind kind, struct item *it, const char *what)
{
    struct act *a = act_new(kind);
    struct work *w = xcalloc(1, sizeof *w);

    w->flow = f;
    w->item = it;
    w->what = what;
    w->from = it ? it->path : "";
    a->done = act_done;
    a->ctx = w;
    return a;
}

/* The row of a document whose file lies elsewhere now (`to`: from the cabinet down), or nowhere
 * (NULL). */
static void leave_row(struct flow *f, const struct doc *old, const char *to)
{
    struct matter *m = matters_by_id(f->matters, old->case_id);
    struct act *a = new_act(f, ACT_RECORD, NULL, "removed");
    struct work *w = a->ctx;

    w->quiet = true;
    a->case_path = xstrdup(m ? m->facts.path : "");
    doc_copy(&a->doc, old);
    a->doc.state = DOC_GONE;
    a->doc.reason = REASON_NONE;
    a->doc.changed_ns = env_now(f->env);
    if (m) {
        journal_body(&a->journal, env_now(f->env), "removed");
        json_name(&a->journal, "from", old->path);
        if (to)
            json_name(&a->journal, "to_cabinet", to);
    }
    fly(a, &old->stamp);
    filer_submit(f->filer, a);
}

/* The row's file lies at `path` of its case now. */
static void move_row(struct flow *f, const struct doc *old, const char *path)
{
    struct matter *m = matters_by_id(f->matters, old->case_id);
    struct act *a = new_act(f, ACT_RECORD, NULL, "renamed");
    struct work *w = a->ctx;

    w->quiet = true;
    w->related.was = old->digest;
    a->case_path = xstrdup(m ? m->facts.path : "");
    doc_copy(&a->doc, old);
    doc_set(&a->doc.path, path);
    a->doc.changed_ns = env_now(f->env);
    if (m) {
        journal_body(&a->journal, env_now(f->env), "renamed");
        json_name(&a->journal, "from", old->path);
        a->former = xstrdup(old->path);
    }
    fly(a, &old->stamp);
    filer_submit(f->filer, a);
}

/* Rows that are no more what they were, now that it is known which document the item is. */
static void leave_rows(struct flow *f, const struct identified *id, const char *to)
{
    if (id->from.number)
        leave_row(f, &id->from, to);
    if (id->over.number && id->swapped)
        move_row(f, &id->over, id->row.path);
    else if (id->over.number)
        leave_row(f, &id->over, NULL);
}

/* ---- filing ------------------------------------------------------------------------------- */

/* A hook could not say whether it may be filed: asked again, and told when that lasts. */
static void unanswered(struct flow *f, struct item *it, const char *text)
{
    int64_t now = env_ticks();
    const char *slash = strrchr(text, '/'); /* the hook's name and what became of it are enough */

    if (!it->since)
        it->since = now;
    if (it->listed_as != REASON_VETOED && now - it->since >= f->env->patience_ns) {
        it->listed_as = REASON_VETOED;
        it->again = true;
        list_row(f, it, REASON_VETOED, slash ? slash + 1 : text, NULL, DOC_WAITING);
    } else {
        flow_later(f, it, settle_backoff_ms(8 + it->tries++));
    }
}

static void vetoed(void *ctx, enum hook_answer answer, const char *text)
{
    struct act *a = ctx;
    struct work *w = a->ctx;
    struct flow *f = w->flow;

    if (answer == HOOK_OK || answer == HOOK_NONE) {
        filer_submit(f->filer, a);
        return;
    }
    struct item *it = w->item;

    drop_work(w);
    act_free(a);
    if (answer == HOOK_VETO)
        flow_list_plain(f, it, REASON_VETOED, text);
    else
        unanswered(f, it, text);
}

static void submit_filing(struct flow *f, struct act *a)
{
    AUTO_STR struct str json = STR_INIT;
    AUTO_FREE char *to = NULL;

    if (!hooks_any(f->hooks, "before-filing")) {
        filer_submit(f->filer, a);
        return;
    }
    to = xasprintf("%s/%s", a->to_folder, a->to_name);
    hook_payload(f, &json, "before-filing", a, a->from, to);
    hooks_run(f->hooks, "before-filing", str_c(&json), a->fd, vetoed, a);
}

static bool is_inbox(struct flow *f, const char *path)
{
    struct matter *home;
    const char *inside;
    enum zone zone = matters_zone(f->matters, path, &home, &inside);

    return zone == ZONE_OFFICE_INBOX || zone == ZONE_CASE_INBOX;
}

/* folder_in_case(), asked once for all documents that are decided together. Caller frees. NULL with
 * errno. */
static char *folder_for(struct flow *f, const struct matter *target, const char *folder)
{
    char *path = xjoin(target->facts.path, folder), *found;
    const struct tally_key key = tally_folder(path, strlen(path));
    int number;

    if (tally_has(f->asked, &key))
        return path;
    found = folder_in_case(f->cab.root, target->facts.path, folder);
    if (found && strcmp(found, path) == 0)
        tally_add(&f->asked, &key);
    number = errno;
    free(path);
    errno = number;
    return found;
}

/* The disk did not have it as it was, and nobody brought it again. */
static bool was_not_kept(const struct doc *row, const struct doc_stamp *now)
{
    return row->reason == REASON_NOT_KEPT && doc_stamp_same_bytes(&row->stamp, now);
}

/* Takes over to_folder. */
static struct act *filing_act(struct flow *f, struct item *it, const struct decision *d,
                              const struct matter *target, char *to_folder,
                              const struct identified *id, bool same_case)
{
    static const struct doc none;
    struct act *a = new_act(f, ACT_RENAME, it, "filed");
    const char *slash = strrchr(it->path, '/');

    a->from = xstrdup(it->path);
    a->to_folder = to_folder;
    a->to_name = xstrdup(d->name);
    a->fd = it->fd;
    it->fd = -1;
    a->leases = it->leases;
    a->unheard = true;
    a->stamp = it->stamp;
    if (was_not_kept(&id->row, &it->stamp))
        a->was = id->row.digest;
    a->case_path = xstrdup(target->facts.path);
    fill_row(f, &a->doc, it, d, target, "", same_case ? &id->row : &none, false);
    a->doc.state = DOC_FILED;
    a->doc.unread = takeback_of(f, it, d);
    a->doc.by_hand = a->doc.undone = a->doc.before = false;
    a->doc.filed_ns = a->doc.changed_ns = env_now(f->env);
    /* A name that only became complete is not what the document came under. */
    if (!same_case || !flow_was_filed(&id->row) || is_inbox(f, it->path))
        doc_set(&a->doc.original, slash ? slash + 1 : it->path);
    free(a->doc.why);
    a->doc.why = decision_why(d);
    if (!it->no_fork)
        a->companions = companions_moving(f->cab.root, a->from);
    return a;
}

/* The row `old`, of number 0 when there was none, becomes `new`. */
static void set_related(struct work *w, const struct doc *old, const struct doc *new, bool moved)
{
    bool same = digest_equal(&old->digest, &new->digest);

    w->related.is_new = old->number == 0;
    w->related.gained = old->number && (!same || old->state == DOC_GONE || reason_is_not_whole(old->reason));
    if (old->number && (moved || !same))
        w->related.was = old->digest;
}

/* Bytes of most lines of a filed document. */
#define JOURNAL_ROOM 500

void flow_file(struct flow *f, struct item *it, const struct decision *d, struct matter *home,
               const char *inside, const struct identified *id)
{
    struct matter *target = matters_by_id(f->matters, d->target->id);
    bool same_case = home == target;
    char *to_folder;
    struct work *w;
    struct act *a;

    if (flow_puts_off(f, it))
        return;
    if (is_in_flight(f, target->facts.id, &it->x.digest)) {
        flow_soon(f, it, 5);
        return;
    }
    to_folder = folder_for(f, target, d->folder);
    if (!to_folder) {
        flow_look_in_vain(f, it, errno);
        return;
    }
    a = filing_act(f, it, d, target, to_folder, id, same_case);
    w = a->ctx;
    in_flight_begin(w, target->facts.id, &it->x.digest);
    str_room(&a->journal, JOURNAL_ROOM);
    journal_body(&a->journal, env_now(f->env), "filed");
    if (same_case) {
        json_name(&a->journal, "from", inside);
        a->former = xstrdup(inside);
        set_related(w, &id->row, &a->doc, true);
    } else {
        json_name(&a->journal, "from_office", it->path);
    }
    add_facts(&a->journal, &a->doc);
    json_text(&a->journal, "why", a->doc.why);
    if (!same_case && id->row.number)
        leave_row(f, &id->row, d->target->path);
    leave_rows(f, id, d->target->path);
    fly(a, &a->stamp);
    submit_filing(f, a);
}

/* ---- indexing and listing ------------------------------------------------------------------ */

/* What the journal calls it; NULL when the journal has nothing to say. */
static const char *journal_kind(enum identity who, const struct doc *row, const struct doc *new)
{
    /* Not complete yet: told when it is. */
    if (new->state == DOC_WAITING && digest_is_zero(&new->digest))
        return NULL;
    switch (who) {
    case IDENTITY_NEW:
    case IDENTITY_LINKED:
    case IDENTITY_MOVED_IN:
        return "indexed";
    case IDENTITY_RENAMED:
        return "renamed";
    case IDENTITY_RETURNED:
        return "returned";
    case IDENTITY_SAME: /* with a digest: it could not be read before, or was waited for */
    case IDENTITY_EDITED:
        if (digest_equal(&row->digest, &new->digest))
            return NULL;
        return digest_is_zero(&row->digest) ? "indexed" : "edited";
    default:
        return NULL;
    }
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Nothing about the row is new to people. */
static bool is_same_row(const struct doc *a, const struct doc *b)
{
    return a->number == b->number && a->state == b->state && a->reason == b->reason &&
           digest_equal(&a->digest, &b->digest) &&
           a->kind == b->kind && same_text(a->path, b->path) &&
           same_text(a->sentence, b->sentence) && same_text(a->help, b->help) &&
           same_text(a->type, b->type) && same_text(a->date, b->date) &&
           same_text(a->suggested, b->suggested) && a->by_hand == b->by_hand &&
           a->undone == b->undone;
}

/* Nothing at all is new, not even that it was read since: it is not written again. */
static bool is_settled_row(const struct doc *a, const struct doc *b)
{
    return is_same_row(a, b) && doc_stamp_equal(&a->stamp, &b->stamp) &&
           (digest_is_zero(&a->digest) || !doc_is_racy(a));
}

bool flow_was_filed(const struct doc *row)
{
    return row->original && *row->original && !row->undone;
}

static enum doc_state state_for(const struct decision *d, const struct doc *row)
{
    if (d->action == ACTION_LIST)
        return DOC_LISTED;
    if (d->action == ACTION_WAIT)
        return DOC_WAITING;
    return flow_was_filed(row) ? DOC_FILED : DOC_INDEXED;
}

static void suggest(struct doc *to, const struct decision *d)
{
    free(to->suggested);
    to->suggested = xjoin(d->folder, d->name);
    if (d->target && strcmp(d->target->id, to->case_id) != 0) {
        char *inside = to->suggested;

        to->suggested = xasprintf("%s/%s", d->target->path, inside);
        free(inside);
    }
    if (same_text(to->suggested, to->path)) {
        doc_set(&to->suggested, NULL);
        return;
    }
    if (to->reason == REASON_NONE)
        to->reason = REASON_SUGGESTED;
    free(to->why);
    to->why = decision_why(d);
}

/* A second name is looked at again so often: for two minutes. */
#define LINK_LOOKS 8

/* When a document is looked at again by itself. Some programs rename by linking to the new name and
 * removing the old one, of which the new name's folder tells nothing. */
static void set_wait(struct item *it, const struct decision *d)
{
    it->wait_ms = 0;
    it->why = SETTLE_QUIET;
    if (d->action == ACTION_WAIT) {
        it->wait_ms = d->wait_s * 1000;
    } else if (d->reason == REASON_HARD_LINK && it->links < LINK_LOOKS) {
        it->wait_ms = settle_backoff_ms(5 + it->links++);
        it->why = SETTLE_LOCKED;
        it->force = true;
    }
}

/* A person gave a filed document another name. */
static bool is_named_by_hand(const struct doc *row, const char *inside)
{
    const char *was = strrchr(row->path, '/'), *is = strrchr(inside, '/');

    return flow_was_filed(row) && strcmp(was ? was + 1 : row->path, is ? is + 1 : inside) != 0;
}

void flow_index(struct flow *f, struct item *it, const struct decision *d, struct matter *home,
                const char *inside, const struct identified *id)
{
    const struct doc *row = &id->row;
    enum identity who = id->who;
    struct act *a;
    struct work *w;
    const char *kind;

    if (flow_puts_off(f, it))
        return;
    a = new_act(f, ACT_RECORD, it, "indexed");
    w = a->ctx;
    a->case_path = xstrdup(home ? home->facts.path : "");
    fill_row(f, &a->doc, it, d, home, inside, row, id->moved);
    a->doc.state = state_for(d, row);
    if (d->action == ACTION_FILE)
        suggest(&a->doc, d);
    if (who == IDENTITY_NEW && gather_was_before(&f->cab, home, &it->stamp))
        a->doc.before = true;
    if (id->moved && is_named_by_hand(row, inside))
        a->doc.by_hand = true;
    if (id->moved && is_inbox(f, it->path)) /* which asks for a name, also when it can be read only later */
        a->doc.before = false;
    set_wait(it, d);
    leave_rows(f, id, it->path);
    if (is_settled_row(row, &a->doc)) {
        drop_work(w);
        act_free(a);
        done_with(f, it);
        return;
    }
    if (!is_same_row(row, &a->doc))
        a->doc.changed_ns = env_now(f->env);
    kind = home ? journal_kind(who, row, &a->doc) : NULL;
    if (kind) {
        journal_body(&a->journal, env_now(f->env), kind);
        if (a->doc.before)
            json_bool(&a->journal, "before", true);
        if (id->moved) {
            json_name(&a->journal, "from", row->path);
            a->former = xstrdup(row->path);
        }
    }
    w->quiet = who != IDENTITY_NEW && row->reason == a->doc.reason;
    set_related(w, row, &a->doc, id->moved);
    fly(a, &it->stamp);
    filer_submit(f->filer, a);
}

/* Which document it is, by what is known of it. False: that is being recorded just now. */
static bool identify_unread(struct flow *f, const struct item *it, const struct matter *home,
                            const char *inside, struct identified *id)
{
    const char *case_id = home ? home->facts.id : "";
    struct error err = ERROR_INIT;

    *id = (struct identified){.who = IDENTITY_NEW};
    if (state_doc_by_path(f->state, case_id, inside, &id->row, &err) > 0)
        id->who = IDENTITY_EDITED;
    else if (it->stamp.ino != 0)
        flow_identify(f, case_id, inside, it, id);
    return !(id->row.number && flights_have(f, &it->stamp, &id->row)) &&
           !(id->from.number && flights_have(f, &it->stamp, &id->from));
}

/* A row that says only that something lies there and why it is left. lock: the lock file that may
 * be all that it waits for, or NULL. */
static void list_row(struct flow *f, struct item *it, enum reason reason, const char *why,
                     const char *lock, enum doc_state state)
{
    struct matter *home;
    const char *inside;
    struct decision d = {.action = ACTION_LIST, .reason = reason};
    struct identified id;
    const struct examination unread = {.status = EXAMINE_FAILED};
    const char *slash = strrchr(it->path, '/');
    const char *more = reason == REASON_VETOED && state == DOC_WAITING ? ".waiting" : "";
    AUTO_FREE char *key = xasprintf("reason.%s%s", reason_code(reason), more);
    AUTO_FREE char *help = xasprintf("help.%s%s", reason_code(reason), lock ? ".lock" : more);

    if (matters_zone(f->matters, it->path, &home, &inside) == ZONE_OUTSIDE) {
        flow_finish(f, it);
        return;
    }
    /* What an earlier look read at this path is no evidence of what lies there now. Of one that was
     * not kept, what it was is known. */
    if (reason != REASON_NOT_KEPT && !doc_stamp_equal(&it->read, &it->stamp)) {
        it->x = unread;
        it->read_ns = 0;
    }
    if (!identify_unread(f, it, home, inside, &id) && reason != REASON_NOT_KEPT) {
        it->listed_as = REASON_NONE;
        it->told = it->again = false;
        identified_clear(&id);
        takebacks_note(f);
        flow_soon(f, it, 2);
        return;
    }
    d.sentence = lang_format(f->lang, key, "name", slash ? slash + 1 : it->path, "why", why,
                             "minutes", "15", "path", it->path, NULL);
    d.help = lang_format(f->lang, help, "name", slash ? slash + 1 : it->path, "why", why, "other",
                         lock, NULL);
    if (state == DOC_WAITING)
        d.action = ACTION_WAIT;
    /* That it was edited is told when it is no longer in the way. */
    if (reason != REASON_NOT_KEPT && id.row.number && !digest_equal(&it->x.digest, &id.row.digest))
        it->x = unread;
    it->read = (struct doc_stamp){0};
    flow_index(f, it, &d, home, inside, &id);
    free(d.sentence);
    free(d.help);
    identified_clear(&id);
}

void flow_list_plain(struct flow *f, struct item *it, enum reason reason, const char *why)
{
    const char *name;

    if (it->fd < 0) {
        AUTO_CLOSE int dir = beneath_parent(f->cab.root, it->path, &name);

        if (dir < 0 || doc_stamp_take(-1, dir, name, &it->stamp) < 0) {
            flow_finish(f, it);
            return;
        }
    }
    list_row(f, it, reason, why, NULL, DOC_LISTED);
}

void flow_record_waiting(struct flow *f, struct item *it, enum reason reason)
{
    AUTO_FREE char *holder = settle_holder(f->cab.root, it->path);
    AUTO_FREE char *lock =
        reason == REASON_WAITING_LONG ? settle_lock(f->cab.root, it->path) : NULL;
    AUTO_FREE char *by = holder ? lang_format(f->lang, "waiting.by", "who", holder, NULL) : NULL;
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(f->cab.root, it->path, &name);

    if (dir >= 0 && doc_stamp_take(-1, dir, name, &it->stamp) < 0)
        memset(&it->stamp, 0, sizeof it->stamp);
    it->wait_ms = 0;
    it->again = true;
    list_row(f, it, reason, by, lock, DOC_WAITING);
}

void flow_gone(struct flow *f, struct item *it, struct matter *home, struct doc *row)
{
    struct act *a;
    struct work *w;

    it->wait_ms = 0;
    if (flow_puts_off(f, it))
        return;
    a = new_act(f, ACT_RECORD, it, "removed");
    w = a->ctx;
    w->quiet = true;
    a->case_path = xstrdup(home ? home->facts.path : "");
    doc_copy(&a->doc, row);
    a->doc.state = DOC_GONE;
    a->doc.reason = REASON_NONE;
    a->doc.changed_ns = env_now(f->env);
    if (home) {
        journal_body(&a->journal, env_now(f->env), "removed");
        json_name(&a->journal, "from", row->path);
    }
    fly(a, &row->stamp);
    filer_submit(f->filer, a);
}
