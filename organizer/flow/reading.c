/* reading: what documents say: before the decision where that hangs on it, else behind it, when nothing
 * else is under way; then the decision is looked at again. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/finding.h"
#include "flow/gather.h"
#include "flow/internal.h"
#include "flow/takeback.h"
#include "record/content_row.h"
#include "text/texts.h"

#define AHEAD      4   /* documents of the backlog with the parsers at once */
#define AHEAD_BUSY 1   /* the same while others still come */
#define WALK       128 /* rows that are looked at in one step */
#define KEEP_MAX   64  /* contents that are written together */
#define WANTED_MAX 1024 /* the walk rests while so many are wanted */
#define WANTED_ALL 8192 /* more are not remembered, but found by another walk */
/* Where one document comes after the other, each would wait for the reading of those before: so long
 * nothing must have come. Those that wait for FLOW_REST_MS are read between the others, and beside them
 * when that took as long again. */
#define LULL_MS    100

/* A document that is to be read. */
struct wanted {
    struct wanted_key {
        char case_id[CASE_ID_SIZE]; /* NUL to its end */
        int64_t number;
    } key;
    bool text; /* also when what it says is kept: the search wants its text */
    UT_hash_handle hh;
};

/* One of the backlog that is with a parser. */
struct reading {
    struct flow *flow;
    struct doc row;
    int fd;
};

/* What was read and is not yet written. */
struct kept {
    struct digest digest;
    struct content content;
    char case_id[CASE_ID_SIZE]; /* whose pages show it */
    int64_t number;
    bool afterwards; /* it was decided before this was known */
};

struct keeping;

struct backlog {
    struct flow *flow;
    struct wanted *wanted;  /* in the order they came */
    unsigned reading;       /* with the parsers */
    struct kept kept[KEEP_MAX];
    size_t kept_len;
    struct keeping *told, **told_last; /* came back from the filer; looked at one by one */
    size_t writing;                    /* on the way there, or come back */
    int64_t walked;         /* rows up to this were looked at */
    bool walk_done;
    bool missed, again; /* some were not remembered; the walk for these is under way */
    uv_idle_t idle;
    uv_timer_t lull;  /* nothing came for a while */
    bool lulled;
    int64_t came, since; /* ticks: when the last one came, and the first of those that wait; or 0 */
    uv_timer_t bound; /* who waits for what is read does not wait longer */
    unsigned handles;
};

/* ---- what was read is kept ------------------------------------------------------------------- */

char *flow_path_of(struct flow *f, const struct doc *d)
{
    struct matter *m = matters_by_id(f->matters, d->case_id);

    if (m)
        return xasprintf("%s/%s", m->facts.path, d->path);
    return *d->case_id ? NULL : xstrdup(d->path);
}

/* What it says is why it would be decided so. */
static bool is_new(struct flow *f, struct gathered *g, const struct decision *d)
{
    struct decision without;
    bool new;

    gather_unread(g);
    decide(f->rules, f->lang, &f->policy, &g->facts, false, &without);
    new = without.action != d->action || without.reason != d->reason ||
          strcmp(without.name ? without.name : "", d->name ? d->name : "") != 0;
    decision_clear(&without);
    return new;
}

/* Now that it is known what the document says: would it be decided otherwise? Then it is looked at
 * again. */
static void look_again(struct flow *f, const struct doc *row, const struct content *c)
{
    AUTO_FREE char *path = flow_path_of(f, row);
    const struct gather_from from = {f->env, &f->cab.config, f->matters, f->state, f->cab.root};
    const struct examination x = gather_read(row);
    const struct gather_doc doc = {
        .path = path, .stamp = &row->stamp, .x = &x, .row = row, .content = c};
    struct gathered g;
    struct decision d;

    if (!path || row->state == DOC_WAITING)
        return;
    gather(&from, &doc, NULL, &g);
    decide(f->rules, f->lang, &f->policy, &g.facts, false, &d);
    if ((d.reason != row->reason || d.action == ACTION_FILE) && is_new(f, &g, &d))
        flow_hint(f, path, true);
    decision_clear(&d);
    gather_clear(&g);
}

/* On its way through the filer's thread, and then what is looked at again. */
struct keeping {
    struct keeping *next;
    struct flow *flow;
    size_t at, len;
    struct kept list[KEEP_MAX];
};

static int keep_all(void *ctx, struct state *s, struct error *err)
{
    struct keeping *k = ctx;

    for (size_t i = 0; i < k->len; i++)
        if (state_content_put(s, &k->list[i].digest, &k->list[i].content, err) < 0)
            return -1;
    return 0;
}

/* Decided before it was known what it says. */
static void look_at_kept(struct flow *f, const struct kept *k)
{
    struct doc row = {0};
    struct error err = ERROR_INIT;

    if (state_doc_by_number(f->state, k->case_id, k->number, &row, &err) > 0 &&
        row.state != DOC_GONE && digest_equal(&row.digest, &k->digest) &&
        takeback_stands(f, &row, &k->content))
        look_again(f, &row, &k->content);
    doc_clear(&row);
}

/* One, since each takes a quarter of a millisecond, in which a document may come. */
static void take_told(struct backlog *b)
{
    struct keeping *k = b->told;
    struct kept one = k->list[k->at++];

    /* Before it is looked at: that may end in anything. */
    b->writing--;
    if (k->at == k->len) {
        b->told = k->next;
        if (!b->told)
            b->told_last = &b->told;
        free(k);
    }
    if (b->flow->started && !b->flow->stopping) {
        look_at_kept(b->flow, &one);
        takebacks_note(b->flow);
    }
    content_clear(&one.content);
}

/* What is to be looked at again stays in the list. */
static void settle_kept(struct keeping *k, bool written)
{
    struct flow *f = k->flow;
    size_t left = 0;

    for (size_t i = 0; i < k->len; i++) {
        struct kept *one = &k->list[i];

        if (written && content_wants_hook(&one->content))
            flow_want_scan(f, one->case_id, one->number);
        if (written)
            flow_touch(f, matters_by_id(f->matters, one->case_id));
        if (written && one->afterwards && !f->stopping)
            k->list[left++] = *one;
        else
            content_clear(&one->content);
    }
    k->len = left;
}

static void kept_done(void *ctx, struct act *a)
{
    struct keeping *k = ctx;
    struct flow *f = k->flow;
    struct backlog *b = f->backlog;

    b->writing -= k->len;
    settle_kept(k, a->status == ACT_DONE && f->started);
    b->writing += k->len;
    if (k->len > 0) {
        *b->told_last = k;
        b->told_last = &k->next;
    } else {
        free(k);
    }
    flow_wake(f);
}

static void keep_now(struct backlog *b)
{
    struct keeping *k;
    struct act *a;

    if (b->kept_len == 0)
        return;
    k = xcalloc(1, sizeof *k);
    k->flow = b->flow;
    k->len = b->kept_len;
    memcpy(k->list, b->kept, b->kept_len * sizeof *b->kept);
    b->writing += b->kept_len;
    b->kept_len = 0;
    a = act_new(ACT_CALL);
    a->call = keep_all;
    a->done = kept_done;
    a->ctx = k;
    filer_submit(b->flow->filer, a);
}

static void keep(struct backlog *b, const struct doc *d, const struct content *c, bool afterwards)
{
    struct kept *k = &b->kept[b->kept_len++];

    k->digest = d->digest;
    content_copy(&k->content, c);
    memcpy(k->case_id, d->case_id, sizeof k->case_id);
    k->number = d->number;
    k->afterwards = afterwards;
    if (b->kept_len == KEEP_MAX)
        keep_now(b);
}

/* ---- before the decision --------------------------------------------------------------------- */

const struct content *flow_said(const struct item *it)
{
    return it->said && digest_equal(&it->said_of, &it->x.digest) ? &it->content : NULL;
}

static void item_read(void *ctx, const struct content *c, int text)
{
    struct item *it = ctx;
    struct flow *f = it->flow;

    item_unsay(it);
    content_copy(&it->content, c);
    rules_mark(f->rules, &it->content);
    it->said = true;
    it->said_of = it->x.digest;
    if (text >= 0)
        it->text = fcntl(text, F_DUPFD_CLOEXEC, 3);
    if (f->stopping || !f->started)
        flow_finish(f, it);
    else
        flow_judge(f, it);
}

bool flow_read_text(struct flow *f, struct item *it)
{
    if (it->fd < 0 || it->x.status != EXAMINE_DONE || flow_said(it) || !texts_knows(it->x.kind))
        return false;
    texts_submit(f->texts, it->fd, it->x.kind, true, item_read, it);
    return true;
}

/* ---- when nothing else is under way ---------------------------------------------------------- */

static void want(struct backlog *b, const char *case_id, int64_t number, bool text)
{
    struct wanted *w;
    struct wanted_key key;

    memset(&key, 0, sizeof key); /* padding, too */
    memcpy(key.case_id, case_id, strnlen(case_id, CASE_ID_SIZE - 1));
    key.number = number;
    HASH_FIND(hh, b->wanted, &key, sizeof key, w);
    if (!w && !text && HASH_COUNT(b->wanted) >= WANTED_ALL) {
        b->missed = true;
        return;
    }
    if (!w) {
        w = xcalloc(1, sizeof *w);
        memcpy(&w->key, &key, sizeof key);
        HASH_ADD(hh, b->wanted, key, sizeof w->key, w);
    }
    w->text |= text;
}

void flow_row_written(struct flow *f, struct item *it, const struct doc *d)
{
    const struct content *said = it ? flow_said(it) : NULL;

    if (d->state == DOC_GONE || digest_is_zero(&d->digest))
        return;
    if (!texts_knows(d->kind)) {
        flow_find_text(f, d, NULL, -1);
        return;
    }
    if (said && said->status != CONTENT_NONE && digest_equal(&it->said_of, &d->digest)) {
        keep(f->backlog, d, said, d->unread != DOC_READ);
        flow_find_text(f, d, said, it->text);
    } else {
        want(f->backlog, d->case_id, d->number, false);
        f->backlog->came = env_ticks();
        if (!f->backlog->since)
            f->backlog->since = f->backlog->came;
    }
    if (it)
        item_unsay(it);
}

void flow_want_text(struct flow *f, const char *case_id, int64_t number)
{
    struct doc row = {0};
    struct error err = ERROR_INIT;

    /* While all is closed the search may still ask; it asks again after the next start. */
    if (!f->started)
        return;
    if (state_doc_by_number(f->state, case_id, number, &row, &err) > 0 && row.state != DOC_GONE &&
        texts_knows(row.kind))
        want(f->backlog, case_id, number, true);
    else
        flow_find_text(f, &row, NULL, -1);
    doc_clear(&row);
    backlog_wake(f->backlog);
}

static void reading_free(struct reading *r)
{
    if (r->fd >= 0)
        close(r->fd);
    doc_clear(&r->row);
    free(r);
}

void flow_keep_read(struct flow *f, const struct doc *d, const struct content *c, int text)
{
    struct content said;

    content_copy(&said, c);
    rules_mark(f->rules, &said);
    keep(f->backlog, d, &said, true);
    flow_find_text(f, d, &said, text);
    content_clear(&said);
}

static void backlog_read(void *ctx, const struct content *c, int text)
{
    struct reading *r = ctx;
    struct flow *f = r->flow;

    f->backlog->reading--;
    if (c->status != CONTENT_NONE && f->started && !f->stopping) {
        flow_keep_read(f, &r->row, c, text);
    } else {
        if (f->started && !f->stopping)
            (void)takeback_stands(f, &r->row, NULL);
        flow_find_unread(f);
    }
    reading_free(r);
    if (f->started)
        flow_wake(f);
}

/* The text that the hook read of a picture lies in the case; where it does not, it is read again. */
static void give_hook_text(struct flow *f, const struct wanted *w, const struct doc *row,
                           const struct content *c)
{
    AUTO_CLOSE int text = flow_open_hook_text(f, row);

    if (text < 0)
        flow_want_scan(f, row->case_id, row->number);
    if (w->text && text >= 0)
        flow_find_text(f, row, c, text);
    else if (w->text)
        flow_find_unread(f);
}

/* What the document says is kept, and nobody wants more. */
static bool is_kept(struct flow *f, const struct wanted *w, const struct doc *row)
{
    struct error err = ERROR_INIT;
    struct content c;
    bool kept = state_content_get(f->state, &row->digest, &c, &err) > 0;
    bool by_hook = kept && (c.flags & CONTENT_TEXT_BY_HOOK);

    if (kept && row->unread != DOC_READ && takeback_stands(f, row, &c))
        look_again(f, row, &c);
    if (by_hook)
        give_hook_text(f, w, row, &c);
    content_clear(&c);
    return by_hook || (kept && !w->text);
}

/* Gives the document to a parser, unless that is not needed or it is not as its row says: then it is
 * looked at anyway. */
static void begin(struct backlog *b, const struct wanted *w)
{
    struct flow *f = b->flow;
    struct reading *r = xcalloc(1, sizeof *r);
    struct error err = ERROR_INIT;
    struct doc_stamp now;
    AUTO_FREE char *path = NULL;
    bool known = false;

    r->flow = f;
    r->fd = -1;
    if (state_doc_by_number(f->state, w->key.case_id, w->key.number, &r->row, &err) > 0 &&
        r->row.state != DOC_GONE && !digest_is_zero(&r->row.digest) && texts_knows(r->row.kind) &&
        !(known = is_kept(f, w, &r->row) || scans_put_off(f->scans, &r->row)))
        path = flow_path_of(f, &r->row);
    if (path)
        r->fd = beneath_open(f->cab.root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (r->fd < 0 || doc_stamp_take(r->fd, -1, NULL, &now) < 0 ||
        !doc_stamp_equal(&now, &r->row.stamp)) {
        if (w->text && !known)
            flow_find_unread(f);
        reading_free(r);
        return;
    }
    b->reading++;
    texts_submit(f->texts, r->fd, r->row.kind, false, backlog_read, r);
}

static void take_first(struct backlog *b)
{
    struct wanted *w = b->wanted;

    HASH_DEL(b->wanted, w);
    begin(b, w);
    free(w);
}

static void on_unread(void *ctx, const char *case_id, int64_t number, enum kind kind, bool scan)
{
    struct backlog *b = ctx;

    if (scan)
        flow_want_scan(b->flow, case_id, number);
    else if (texts_knows(kind))
        want(b, case_id, number, false);
}

static int prune(void *ctx, struct state *s, struct error *err)
{
    (void)ctx;
    return state_content_prune(s, err);
}

static void pruned(void *ctx, struct act *a)
{
    (void)ctx;
    (void)a; /* else it is done at the next start */
}

/* What no document has any more is forgotten, once behind each start. */
static void prune_later(struct backlog *b)
{
    struct act *a = act_new(ACT_CALL);

    a->call = prune;
    a->done = pruned;
    filer_submit(b->flow->filer, a);
}

static void walk(struct backlog *b)
{
    struct error err = ERROR_INIT;
    int n = state_each_unread(b->flow->state, &b->walked, WALK, on_unread, b, &err);

    b->walk_done = n < WALK;
    if (b->walk_done)
        prune_later(b);
    b->again &= !b->walk_done;
}

/* Those that were not remembered are found again. */
static void walk_again(struct backlog *b)
{
    if (b->wanted || !b->walk_done || !b->missed)
        return;
    b->missed = b->walk_done = false;
    b->again = true;
    b->walked = 0;
}

void backlog_missed(struct backlog *b)
{
    b->missed = true;
}

static bool is_quiet(const struct flow *f)
{
    return f->started && !f->stopping && f->items.ready_len == 0 && f->items.busy_len < FLOW_MANY &&
           !sweep_running(f->sweep);
}

static void on_lull(uv_timer_t *t)
{
    backlog_wake(t->data);
}

static bool may_read(const struct backlog *b)
{
    return b->wanted && b->reading < (b->lulled ? AHEAD : AHEAD_BUSY);
}

static bool has_work(const struct backlog *b)
{
    return may_read(b) || (!b->walk_done && HASH_COUNT(b->wanted) < WANTED_MAX);
}

static void on_idle(uv_idle_t *h)
{
    struct backlog *b = h->data;
    struct flow *f = b->flow;

    flow_read_begin(f);
    if (b->told)
        take_told(b);
    else if (may_read(b))
        take_first(b);
    else if (!b->walk_done)
        walk(b);
    flow_read_end(f);
    backlog_wake(b);
    flow_sync_check(f);
}

/* More may come in a moment. Then it is asked again after a while. */
static bool may_go_on(struct backlog *b)
{
    int64_t now = env_ticks(), left = b->came + LULL_MS * NS_PER_MS - now, late;

    if (!b->wanted)
        b->since = 0;
    b->lulled = left <= 0 || b->flow->waiters || !b->since;
    late = now - b->since;
    if (b->lulled || late > 2 * FLOW_REST_MS * NS_PER_MS ||
        (late > FLOW_REST_MS * NS_PER_MS && b->flow->items.busy_len == 0))
        return true;
    uv_update_time(b->flow->loop);
    uv_timer_start(&b->lull, on_lull, (uint64_t)(left / NS_PER_MS + 1), 0);
    return false;
}

/* What is read is written down when the last was, and then the pictures come. */
static void end_reading(struct backlog *b)
{
    if (b->wanted || b->reading > 0)
        return;
    keep_now(b);
    takebacks_note(b->flow);
    if (b->kept_len == 0 && b->writing == 0)
        scans_next(b->flow->scans);
}

void backlog_wake(struct backlog *b)
{
    bool goes_on = is_quiet(b->flow) && may_go_on(b);

    if (goes_on) {
        walk_again(b);
        end_reading(b);
    }
    if ((b->told && is_quiet(b->flow)) || (goes_on && has_work(b)))
        uv_idle_start(&b->idle, on_idle);
    else
        uv_idle_stop(&b->idle);
}

size_t backlog_len(const struct backlog *b)
{
    return HASH_COUNT(b->wanted) + b->reading + b->kept_len + b->writing + b->missed + b->again +
           takebacks_len(b->flow);
}

struct backlog *backlog_new(struct flow *f)
{
    struct backlog *b = xcalloc(1, sizeof *b);

    b->flow = f;
    b->told_last = &b->told;
    uv_idle_init(f->loop, &b->idle);
    uv_timer_init(f->loop, &b->bound);
    uv_timer_init(f->loop, &b->lull);
    b->idle.data = b->bound.data = b->lull.data = b;
    b->handles = 3;
    return b;
}

static void on_bound(uv_timer_t *t)
{
    struct backlog *b = t->data;

    flow_sync_check(b->flow);
}

void backlog_bound(struct backlog *b, int64_t ms)
{
    uv_update_time(b->flow->loop);
    uv_timer_start(&b->bound, on_bound, (uint64_t)ms, 1000);
}

void backlog_unbound(struct backlog *b)
{
    uv_timer_stop(&b->bound);
}

static void on_closed(uv_handle_t *h)
{
    struct backlog *b = h->data;

    if (--b->handles == 0)
        free(b);
}

void backlog_free(struct backlog *b)
{
    struct wanted *w, *tmp;

    if (!b)
        return;
    HASH_ITER(hh, b->wanted, w, tmp)
    {
        HASH_DEL(b->wanted, w);
        free(w);
    }
    for (size_t i = 0; i < b->kept_len; i++)
        content_clear(&b->kept[i].content);
    b->kept_len = 0;
    while (b->told)
        take_told(b);
    uv_close((uv_handle_t *)&b->idle, on_closed);
    uv_close((uv_handle_t *)&b->bound, on_closed);
    uv_close((uv_handle_t *)&b->lull, on_closed);
}
