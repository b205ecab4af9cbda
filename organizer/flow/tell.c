/* tell: the administrator's hooks for what happens to a whole case. */
#include "base/json.h"
#include "flow/internal.h"

void flow_hook_over(void *ctx, enum hook_answer answer, const char *text)
{
    struct flow *f = ctx;

    (void)answer; /* the runner wrote it to the log */
    (void)text;
    if (f->started && f->stopping)
        flow_sync_check(f);
}

void flow_tell_case(struct flow *f, const char *event, const struct matter *m, const char *why)
{
    AUTO_STR struct str json = STR_INIT;
    char at[TIME_TEXT];

    if (!hooks_any(f->hooks, event))
        return;
    str_addc(&json, '{');
    json_num(&json, "v", 1);
    json_text(&json, "event", event);
    json_text(&json, "at", time_text(env_now(f->env), at));
    json_name(&json, "cabinet", f->cab.path);
    json_name(&json, "case", m->facts.path);
    json_text(&json, "case_id", m->facts.id);
    json_text(&json, "client", m->facts.client ? m->facts.client : "");
    json_text(&json, "case_type", m->facts.case_type ? m->facts.case_type : "");
    if (*why)
        json_text(&json, "reason", why);
    str_addc(&json, '}');
    hooks_run(f->hooks, event, str_c(&json), -1, flow_hook_over, f);
}

void flow_tell_gone(struct flow *f, const struct case_row *row)
{
    AUTO_STR struct str json = STR_INIT;
    char at[TIME_TEXT];

    if (!hooks_any(f->hooks, "integrity"))
        return;
    str_addc(&json, '{');
    json_num(&json, "v", 1);
    json_text(&json, "event", "integrity");
    json_text(&json, "at", time_text(env_now(f->env), at));
    json_name(&json, "cabinet", f->cab.path);
    json_name(&json, "case", row->path);
    json_text(&json, "case_id", row->id);
    json_text(&json, "reason", reason_code(REASON_MISSING));
    str_addc(&json, '}');
    hooks_run(f->hooks, "integrity", str_c(&json), -1, flow_hook_over, f);
}
