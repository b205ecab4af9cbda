/* status: what the flow is doing, for administrators. */
#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "flow/archiving.h"
#include "flow/internal.h"
#include "flow/night.h"
#include "flow/nightly.h"
#include "text/texts.h"
#include "search/search.h"

void flow_status(struct flow *f, struct str *json)
{
    struct state_counts c = {0};
    struct error err = ERROR_INIT;
    char at[TIME_TEXT];
    const char *why, *stopped;
    unsigned lines;

    state_count(f->state, NULL, &c, &err);
    str_addc(json, '{');
    json_num(json, "v", 1);
    json_name(json, "cabinet", f->cab.path);
    json_text(json, "id", f->cab.id);
    json_text(json, "mode", f->cab.config.mode == MODE_ENFORCE ? "enforce" : "suggest");
    json_bool(json, "watching", f->watching);
    json_num(json, "cases", (int64_t)matters_len(f->matters));
    json_num(json, "documents", (int64_t)c.documents);
    json_num(json, "filed", (int64_t)c.filed);
    json_num(json, "listed", (int64_t)c.listed);
    json_num(json, "waiting", (int64_t)f->items.heap_len);
    json_num(json, "backlog", (int64_t)(f->items.ready_len + f->items.busy_len));
    json_num(json, "filed_since_start", (int64_t)f->filed);
    json_num(json, "notices", (int64_t)HASH_COUNT(f->notices));
    if (f->last_sweep_ns)
        json_text(json, "last_sweep", time_text(f->last_sweep_ns, at));
    json_num(json, "swept_folders", (int64_t)f->swept_folders);
    json_num(json, "swept_entries", (int64_t)f->swept_entries);
    stopped = flow_stopped(f);
    if (stopped)
        json_text(json, "filing_stopped", stopped);
    lines = filer_lines_waiting(f->filer, &why);
    json_num(json, "journal_lines_waiting", lines);
    if (lines)
        json_text(json, "journal_lines_why", why);
    json_num(json, "page_errors", (int64_t)pages_errors(f->pages));
    nightly_status(f->matters, f->state, f->night ? night_when(f->night) : 0,
                   nightly_running(f->nightly), json);
    json_key(json, "watch");
    str_addc(json, '{');
    if (f->watcher)
        watcher_status(f->watcher, json);
    str_addc(json, '}');
    json_key(json, "readers");
    str_addc(json, '{');
    examiner_status(f->examiner, json);
    texts_status(f->texts, json);
    json_num(json, "texts_to_read", (int64_t)backlog_len(f->backlog));
    scans_status(f->scans, json);
    str_addc(json, '}');
    json_key(json, "hooks");
    str_addc(json, '{');
    hooks_status(f->hooks, json);
    str_addc(json, '}');
    archiving_status(f->archiving, json);
    json_key(json, "search");
    str_addc(json, '{');
    if (f->search)
        search_status(f->search, json);
    str_add(json, "}}");
}

int flow_sync_text(struct flow *f, bool json, struct str *out)
{
    const char *stopped = flow_stopped(f);
    size_t waiting = flow_waiting(f), reading = backlog_len(f->backlog);

    if (json) {
        str_addf(out, "{\"v\":1,\"waiting\":%zu,\"reading\":%zu", waiting, reading);
        if (stopped)
            json_text(out, "filing_stopped", stopped);
        str_add(out, "}\n");
        return stopped ? EXIT_CANNOT : EXIT_ORDER;
    }
    if (stopped)
        str_addf(out, FLOW_STOPPED "%s\n", stopped);
    if (waiting)
        str_addf(out, "%zu waited for: being written, open, or changed a moment ago\n", waiting);
    if (reading)
        str_addf(out, "%zu documents are filed or listed, and still being read for the search\n",
                 reading);
    return stopped ? EXIT_CANNOT : EXIT_ORDER;
}

static int is_listed(void *ctx, const struct doc *d)
{
    (void)ctx;
    return reason_is_attention(d->reason);
}

bool flow_needs_attention(struct flow *f)
{
    struct error err = ERROR_INIT;
    struct flow_notice *n, *tmp;

    HASH_ITER(hh, f->notices, n, tmp)
    {
        if (reason_is_attention(n->n.reason))
            return true;
    }
    return state_each_doc(f->state, NULL, false, is_listed, NULL, &err) > 0;
}
