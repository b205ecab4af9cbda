#include "flow/closing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/card_write.h"
#include "flow/casework.h"
#include "flow/internal.h"
#include "flow/lookover.h"
#include "flow/request.h"

/* A case whose card says closed is looked over when nothing in it changed for so long. */
#define DUE_MS 200
/* A verb waits so often until the daemon has no work in its case: people may go on dropping. */
#define SYNCS_MAX 20

struct wanted {
    char id[CASE_ID_SIZE];
    UT_hash_handle hh;
};

/* One case that is being looked over, for its card or for a verb. */
struct closing {
    struct flow *flow;
    struct closings *all;
    uv_work_t work;
    struct lookover look;
    struct error error;
    bool failed;
    bool force, dry_run, json; /* of the verb */
    unsigned syncs;            /* how often it waited for the daemon's own work in the case */
    flow_answer *answer;       /* NULL: for its card */
    void *ctx;
};

struct closings {
    struct flow *flow;
    uv_timer_t timer;
    struct wanted *due; /* to be looked over for their cards */
    unsigned running;
    bool any;           /* there was a card that said closed of an open case */
};

struct closings *closings_new(struct flow *f)
{
    struct closings *c = xcalloc(1, sizeof *c);

    c->flow = f;
    uv_timer_init(f->loop, &c->timer);
    c->timer.data = c;
    return c;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void closings_free(struct closings *c)
{
    struct wanted *w, *tmp;

    if (!c)
        return;
    while (c->running)
        uv_run(c->flow->loop, UV_RUN_ONCE);
    HASH_ITER(hh, c->due, w, tmp)
    {
        HASH_DEL(c->due, w);
        free(w);
    }
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

/* ---- what is written ------------------------------------------------------------------------- */

/* Members of the `closed` line: who asked for it, and what was overridden. Caller frees. */
static char *line_members(const struct lookover *look, const char *by, const char *anyway)
{
    struct str out = STR_INIT;

    json_text(&out, "by", by);
    if (look->against_len == 0)
        return str_detach(&out);
    json_text(&out, "anyway", anyway);
    json_key(&out, "against");
    str_addc(&out, '[');
    for (size_t i = 0; i < look->against_len; i++) {
        json_comma(&out);
        json_quote(&out, look->against[i]);
    }
    str_addc(&out, ']');
    return str_detach(&out);
}

static void record(struct flow *f, struct matter *m, const struct lookover *look, const char *by,
                   const char *anyway, flow_answer *answer, void *ctx)
{
    AUTO_FREE char *more = line_members(look, by, anyway);

    free(m->against);
    m->against = NULL;
    flow_record_case(f, m, &(struct case_note){.kind = "closed", .more = more}, answer, ctx);
    flow_notice_case(f, m);
}

/* ---- by the card ----------------------------------------------------------------------------- */

static bool is_wanted(const struct matter *m)
{
    return m && m->known && m->card.closed && !m->closed && !m->recording && !m->opening &&
           !m->moving && !m->untouchable;
}

static void decide_by_card(struct closing *c, struct matter *m)
{
    struct flow *f = c->flow;

    if (!is_wanted(m))
        return;
    lookover_say(&c->look, f->lang);
    if (c->look.against_len == 0 || (m->card.close_anyway && *m->card.close_anyway)) {
        record(f, m, &c->look, "card", m->card.close_anyway, NULL, NULL);
        return;
    }
    free(m->against);
    m->against = lookover_text(&c->look);
    flow_notice_case(f, m);
}

/* People are told why it stays open; it is looked over again when something in it changes. */
static void say_unknown(struct flow *f, struct matter *m, const struct error *why)
{
    if (!is_wanted(m))
        return;
    free(m->against);
    m->against = xstrdup(error_text(why));
    flow_notice_case(f, m);
}

/* ---- by the verb ----------------------------------------------------------------------------- */

void closing_say(struct str *out, const struct lookover *l, bool json, const char *state)
{
    if (!json) {
        utf8_show(out, l->path, strlen(l->path));
        return;
    }
    str_addc(out, '{');
    json_num(out, "v", 1);
    json_name(out, "case", l->path);
    json_text(out, "state", state);
    json_key(out, "against");
    str_addc(out, '[');
    for (size_t i = 0; i < l->against_len; i++) {
        json_comma(out);
        json_quote(out, l->against[i]);
    }
    str_add(out, "]}\n");
}

static void answer_refused(struct closing *c)
{
    AUTO_STR struct str out = STR_INIT;

    closing_say(&out, &c->look, c->json, "open");
    if (!c->json) {
        str_add(&out, c->dry_run ? " would not be closed:\n" : " is not closed:\n");
        for (size_t i = 0; i < c->look.against_len; i++)
            str_addf(&out, "    %s\n", c->look.against[i]);
        str_add(&out, "Settle that, or close it all the same: organizer close --force, or a line "
                      "\"Close anyway: reason, name\" in Case.txt\n");
    }
    c->answer(c->ctx, EXIT_ATTENTION, str_c(&out));
}

static void answer_closed(struct closing *c, const char *verb)
{
    AUTO_STR struct str out = STR_INIT;

    closing_say(&out, &c->look, c->json, c->dry_run ? "open" : "closed");
    if (!c->json) {
        str_addf(&out, " %s\n", verb);
        for (size_t i = 0; i < c->look.against_len; i++)
            str_addf(&out, "    although %s\n", c->look.against[i]);
    }
    c->answer(c->ctx, EXIT_ORDER, str_c(&out));
}

static void closing_free(struct closing *c)
{
    lookover_clear(&c->look);
    free(c);
}

static void closed_by_verb(void *ctx, int status, const char *text)
{
    struct closing *c = ctx;
    AUTO_STR struct str out = STR_INIT;

    if (status == EXIT_ORDER) {
        answer_closed(c, "is closed");
    } else {
        str_addf(&out, "%s\n", text);
        c->answer(c->ctx, status, str_c(&out));
    }
    closing_free(c);
}

/* What the card would say must be what is wanted, and no mistake may keep it from counting. */
struct wish {
    struct flow *flow;
    bool closed;
};

static int check_card(void *ctx, const void *bytes, size_t n, struct error *err)
{
    const struct wish *w = ctx;
    struct card card;
    int rc = 0;

    card_parse(&card, bytes, n, w->flow->rules, w->flow->lang, w->flow->cab.config.date_order);
    if (card.problems_len)
        rc = error_set(err, 0, "Case.txt has a mistake in line %u, which must be mended first: %s",
                       card.problems[0].line, card.problems[0].text);
    else if (card.closed != w->closed)
        rc = error_set(err, 0, "the Status in Case.txt cannot be changed: write it by hand");
    card_clear(&card);
    return rc;
}

int closing_write_card(struct flow *f, const struct matter *m, bool closed, struct error *err)
{
    AUTO_CLOSE int dir = beneath_open(f->cab.root, m->facts.path, O_RDONLY | O_DIRECTORY, 0);
    struct wish wish = {f, closed};
    char day[DATE_TEXT];
    const struct card_change to_closed[] = {
        {.field = "Status", .value = "closed", .after = "Case type"},
        {.field = "Closed", .value = date_text(f->policy.today, day), .after = "Opened"},
    };
    static const struct card_change to_open[] = {
        {.field = "Status", .value = "open", .after = "Case type"},
        {.field = "Closed", .value = "", .only_there = true},
        {.field = "Close anyway", .value = "", .only_there = true},
    };

    if (dir < 0)
        return error_set(err, errno, "the folder %s cannot be opened", m->facts.path);
    flow_keep_today(f);
    date_text(f->policy.today, day);
    switch (card_write(dir, closed ? to_closed : to_open, closed ? 2 : 3, check_card, &wish, err)) {
    case CARD_WRITTEN:
    case CARD_SAME:
        return 0;
    default:
        return -1;
    }
}

/* Who closed it when nothing but --force did. */
static const char force_text[] = "organizer close --force";

static void close_it(struct closing *c, struct matter *m)
{
    struct flow *f = c->flow;
    AUTO_STR struct str out = STR_INIT;
    AUTO_FREE char *path = xstrdup(m->facts.path);
    struct error err = ERROR_INIT;

    /* Until the line is on its way, the look at the new card must not look it over once more. */
    m->recording = true;
    if (closing_write_card(f, m, true, &err) < 0) {
        m->recording = false;
        str_addf(&out, "%s\n", error_text(&err));
        c->answer(c->ctx, EXIT_CANNOT, str_c(&out));
        closing_free(c);
        return;
    }
    flow_folder(f, path, false);
    m = matters_by_path(f->matters, path);
    if (!m) {
        c->answer(c->ctx, EXIT_CANNOT, "the case is gone\n");
        closing_free(c);
        return;
    }
    record(f, m, &c->look, "command",
           m->card.close_anyway && *m->card.close_anyway ? m->card.close_anyway : force_text,
           closed_by_verb, c);
}

/* Takes c over. */
static void decide_by_verb(struct closing *c, struct matter *m)
{
    bool may;

    if (!m || m->recording || m->moving || !c->flow->started || c->flow->stopping) {
        c->answer(c->ctx, EXIT_CANNOT, "the case is being changed just now: ask again\n");
        closing_free(c);
        return;
    }
    lookover_say(&c->look, c->flow->lang);
    may = c->look.against_len == 0 || c->force ||
          (m->card.close_anyway && *m->card.close_anyway);
    if (may && !c->dry_run) {
        close_it(c, m);
        return;
    }
    if (may)
        answer_closed(c, "would be closed");
    else
        answer_refused(c);
    closing_free(c);
}

/* ---- looking over ---------------------------------------------------------------------------- */

static void look(uv_work_t *w)
{
    struct closing *c = w->data;
    struct flow *f = c->flow;
    struct state *s = state_open(f->cab.state_dir, true, &c->error);

    c->failed = !s || lookover_run(&c->look, f->cab.root, s, &c->error) < 0;
    state_close(s);
}

static void after_look(uv_work_t *w, int status)
{
    struct closing *c = w->data;
    struct flow *f = c->flow;
    struct matter *m = matters_by_id(f->matters, c->look.id);

    c->all->running--;
    if (c->failed || status < 0) {
        log_line(&f->log, LOG_WARNING, "the case cannot be looked over", "folder", c->look.path,
                 "error", error_text(&c->error), NULL);
        if (c->answer)
            c->answer(c->ctx, EXIT_CANNOT, error_text(&c->error));
        else if (f->started && !f->stopping)
            say_unknown(f, m, &c->error);
        closing_free(c);
    } else if (c->answer) {
        decide_by_verb(c, m);
    } else {
        if (f->started && !f->stopping)
            decide_by_card(c, m);
        closing_free(c);
    }
    flow_sync_check(f);
}

static bool lies_in(const struct item *it, const struct matter *m)
{
    size_t n = strlen(m->facts.path);

    return strncmp(it->path, m->facts.path, n) == 0 && it->path[n] == '/' && !it->missing;
}

/* The daemon itself is at work on something in the case, and done with it in a moment. */
static bool is_at_work(struct flow *f, const struct matter *m)
{
    struct item *it, *tmp;

    HASH_ITER(hh, f->items.by_path, it, tmp)
    {
        if ((it->stage != ITEM_WAITING || it->soon) && lies_in(it, m))
            return true;
    }
    return false;
}

/* What is waited for in the case and has no row yet. */
static void add_items(struct closing *c, const struct matter *m)
{
    struct item *it, *tmp;

    HASH_ITER(hh, c->flow->items.by_path, it, tmp)
    {
        bool draft = it->why == SETTLE_QUIET && it->wait_ms > 0;

        if (it->stage == ITEM_WAITING && !it->soon && !draft && lies_in(it, m))
            lookover_add_busy(&c->look, it->path + strlen(m->facts.path) + 1);
    }
}

/* Takes c over. */
static void begin(struct closing *c, const struct matter *m)
{
    lookover_init(&c->look, m);
    add_items(c, m);
    c->work.data = c;
    c->all->running++;
    if (uv_queue_work(c->flow->loop, &c->work, look, after_look) < 0) {
        error_set(&c->error, 0, "there is no thread to look it over");
        c->failed = true;
        after_look(&c->work, -1);
    }
}

static struct closing *closing_new(struct flow *f)
{
    struct closing *c = xcalloc(1, sizeof *c);

    c->flow = f;
    c->all = f->closings;
    return c;
}

static void on_due(uv_timer_t *t);

bool closing_under_way(struct flow *f)
{
    struct closings *all = f->closings;
    struct wanted *w, *tmp;
    bool waits = false;

    HASH_ITER(hh, all->due, w, tmp)
    {
        const struct matter *m = matters_by_id(f->matters, w->id);

        if (is_wanted(m) && f->started && !f->stopping && is_at_work(f, m)) {
            waits = true;
            continue;
        }
        HASH_DEL(all->due, w);
        free(w);
        if (is_wanted(m) && f->started && !f->stopping)
            begin(closing_new(f), m);
    }
    if (waits && !uv_is_active((uv_handle_t *)&all->timer))
        uv_timer_start(&all->timer, on_due, DUE_MS, 0);
    return waits || all->running > 0;
}

static void on_due(uv_timer_t *t)
{
    struct closings *c = t->data;

    closing_under_way(c->flow);
}

void closing_wanted(struct flow *f, struct matter *m)
{
    struct closings *all = f->closings;
    struct wanted *w;

    if (!all || !is_wanted(m) || !f->started || f->stopping)
        return;
    HASH_FIND_STR(all->due, m->facts.id, w);
    if (!w) {
        w = xcalloc(1, sizeof *w);
        memcpy(w->id, m->facts.id, strlen(m->facts.id) + 1);
        HASH_ADD_STR(all->due, id, w);
        all->any = true;
    }
    uv_timer_start(&all->timer, on_due, DUE_MS, 0);
}

void closing_wanted_at(struct flow *f, const char *path)
{
    /* Most of the time no card waits, and this is asked for each document. */
    if (f->closings && f->closings->any)
        closing_wanted(f, matters_of(f->matters, path, NULL));
}

/* ---- requests -------------------------------------------------------------------------------- */

/* What was dropped before is decided now. */
static void when_synced(void *ctx)
{
    struct closing *c = ctx;
    struct flow *f = c->flow;
    const struct matter *m = matters_by_id(f->matters, c->look.id);

    if (m && f->started && !f->stopping && is_at_work(f, m) && c->syncs++ < SYNCS_MAX) {
        flow_sync(f, when_synced, c);
        return;
    }
    if (m && f->started && !f->stopping) {
        lookover_clear(&c->look);
        begin(c, m);
        return;
    }
    c->answer(c->ctx, EXIT_CANNOT, m ? "the organizer is being stopped\n" : "the case is gone\n");
    closing_free(c);
}

void flow_request_close(struct flow *f, const struct flow_request *r, flow_answer *answer,
                        void *ctx)
{
    AUTO_STR struct str text = STR_INIT;
    struct matter *m = flow_request_case(f, r, &text);
    struct closing *c;

    if (!m) {
        answer(ctx, r->args[0] ? EXIT_CANNOT : EXIT_USAGE, str_c(&text));
        return;
    }
    c = closing_new(f);
    c->answer = answer;
    c->ctx = ctx;
    c->force = r->force;
    c->dry_run = r->dry_run;
    c->json = r->json;
    lookover_init(&c->look, m);
    if (!m->closed) {
        flow_sync(f, when_synced, c);
        return;
    }
    c->dry_run = false;
    answer_closed(c, "is closed already");
    closing_free(c);
}
