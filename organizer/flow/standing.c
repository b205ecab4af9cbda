#include "flow/standing.h"

#include "base/alloc.h"
#include "base/json.h"
#include "flow/nightly.h"
#include "flow/notices.h"
#include "record/verify.h"

/* Who is told, and about what. */
struct telling {
    struct survey *s;
    const struct survey_events *e;
};

static void say(const struct telling *t, enum reason reason, const char *path,
                struct notice_text *text)
{
    struct survey_notice n = {reason, path, text->sentence, text->help};

    if (t->e->notice)
        t->e->notice(t->e->ctx, &n);
    notice_text_clear(text);
}

static int tell_gone(void *ctx, const struct case_row *row)
{
    const struct telling *t = ctx;
    AUTO_FREE char *path = NULL;
    struct notice_text text;

    if (matters_by_id(t->s->matters, row->id) ||
        !notice_is_gone_told(t->s->state, row, t->s->cab.root, env_now(t->s->env)))
        return 0;
    path = notice_of_gone(&text, t->s->lang, t->s->cab.root, row);
    say(t, REASON_MISSING, path, &text);
    return 0;
}

/* A journal of which nobody knows yet that it was changed. */
static int tell_journal(const struct telling *t, const struct matter *m, struct error *err)
{
    struct verify_options o = {.root = t->s->cab.root,
                               .state = t->s->state,
                               .case_id = m->facts.id,
                               .case_path = m->facts.path};
    struct notice_about about = {.path = m->facts.path};
    struct verify_counts counts;
    struct notice_text text;

    if (m->untouchable || !m->known || m->reason == REASON_TAMPERED)
        return 0;
    if (verify_journal(&o, true, &counts, err) < 0)
        return -1;
    if (!verify_clean(&counts)) {
        notice_text_make(&text, t->s->lang, REASON_TAMPERED, &about);
        say(t, REASON_TAMPERED, m->facts.path, &text);
    }
    return 0;
}

static void tell_card(const struct telling *t, const struct matter *m)
{
    struct notice_text text;

    for (const enum reason *reason = notice_case_reasons; *reason != REASON_NONE; reason++)
        if (notice_of_case(&text, t->s->matters, m, t->s->lang, *reason))
            say(t, *reason, m->facts.path, &text);
}

int standing_tell(struct survey *s, const struct survey_events *e, bool cards, struct error *err)
{
    struct telling t = {s, e};

    if (!s->state)
        return 0;
    for (size_t i = 0; i < matters_len(s->matters); i++) {
        if (cards)
            tell_card(&t, matters_at(s->matters, i));
        if (tell_journal(&t, matters_at(s->matters, i), err) < 0)
            return -1;
    }
    return state_each_case(s->state, tell_gone, &t, err);
}

/* ---- status ---------------------------------------------------------------------------------- */

struct told {
    int64_t notices;
    bool attention;
};

static void count_notice(void *ctx, const struct survey_notice *n)
{
    struct told *t = ctx;

    t->notices++;
    t->attention |= reason_is_attention(n->reason);
}

static int is_listed(void *ctx, const struct doc *d)
{
    (void)ctx;
    return reason_is_attention(d->reason);
}

/* What only a daemon has: nothing of it is there. */
static void add_idle(struct str *json)
{
    static const char *const numbers[] = {
        "waiting",       "backlog",     "filed_since_start",    "swept_folders",
        "swept_entries", "page_errors", "journal_lines_waiting"};
    static const char *const parts[] = {"watch", "readers", "hooks", "search"};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_num(json, numbers[i], 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        json_key(json, parts[i]);
        str_add(json, "{}");
    }
}

int standing_status(struct survey *s, struct str *json, bool *attention, struct error *err)
{
    struct told told = {0};
    struct survey_events e = {.notice = count_notice, .ctx = &told};
    struct state_counts c = {0};
    int listed = 0;

    if (s->state &&
        (standing_tell(s, &e, true, err) < 0 || state_count(s->state, NULL, &c, err) < 0 ||
         (listed = state_each_doc(s->state, NULL, false, is_listed, NULL, err)) < 0))
        return -1;
    *attention = told.attention || listed > 0;
    str_addc(json, '{');
    json_num(json, "v", 1);
    json_name(json, "cabinet", s->cab.path);
    json_text(json, "id", s->cab.id);
    json_text(json, "mode", s->cab.config.mode == MODE_ENFORCE ? "enforce" : "suggest");
    json_bool(json, "watching", false);
    json_num(json, "cases", (int64_t)matters_len(s->matters));
    json_num(json, "documents", (int64_t)c.documents);
    json_num(json, "filed", (int64_t)c.filed);
    json_num(json, "listed", (int64_t)c.listed);
    json_num(json, "notices", told.notices);
    nightly_status(s->matters, s->state, 0, false, json);
    add_idle(json);
    str_addc(json, '}');
    return 0;
}
