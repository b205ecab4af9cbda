#include "flow/night_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/json.h"
#include "base/str.h"
#include "base/utf8.h"

static size_t kept(const struct night_report *r)
{
    return r->failures_len < NIGHT_FAILURES_MAX ? r->failures_len : NIGHT_FAILURES_MAX;
}

void night_report_clear(struct night_report *r)
{
    for (size_t i = 0; i < kept(r); i++) {
        free(r->failures[i].path);
        free(r->failures[i].what);
        free(r->failures[i].why);
    }
    free(r->failures);
    free(r->cabinet);
    *r = (struct night_report){.cabinet = NULL};
}

void night_report_failed(struct night_report *r, const char *path, const char *what,
                         const char *why)
{
    if (!r->failures)
        r->failures = xcalloc(NIGHT_FAILURES_MAX, sizeof *r->failures);
    if (r->failures_len < NIGHT_FAILURES_MAX)
        r->failures[r->failures_len] =
            (struct night_failure){xstrdup(path), xstrdup(what), xstrdup(why)};
    r->failures_len++;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_counts(const struct night_report *r, struct str *out)
{
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {{"cases", r->cases},           {"verified", r->verified},
                  {"resumed", r->resumed},       {"documents", r->documents},
                  {"bytes", r->bytes},           {"findings", r->findings},
                  {"archived", r->archived},     {"unchanged", r->unchanged},
                  {"not_archived", r->not_archived}, {"pruned", r->pruned},
                  {"retired", r->retired},       {"sent", r->sent},
                  {"failed", r->failures_len}};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_num(out, counts[i].key, (int64_t)counts[i].n);
}

void night_report_json(const struct night_report *r, struct str *out)
{
    char at[TIME_TEXT];

    str_addc(out, '{');
    json_num(out, "v", 1);
    json_text(out, "event", "nightly");
    json_text(out, "at", time_text(r->ended_ns, at));
    json_name(out, "cabinet", r->cabinet ? r->cabinet : "");
    json_text(out, "began", time_text(r->began_ns, at));
    add_counts(r, out);
    json_key(out, "failures");
    str_addc(out, '[');
    for (size_t i = 0; i < kept(r); i++) {
        json_comma(out);
        str_addc(out, '{');
        json_name(out, "case", r->failures[i].path);
        json_text(out, "step", r->failures[i].what);
        json_text(out, "why", r->failures[i].why);
        str_addc(out, '}');
    }
    str_add(out, "]}");
}

/* ---- for people ------------------------------------------------------------------------------ */

static void count(struct str *out, const char *before, uint64_t n, const char *one,
                  const char *many)
{
    str_addf(out, "%s%" PRIu64 " %s", before, n, n == 1 ? one : many);
}

void night_report_line(const struct night_report *r, struct str *out)
{
    count(out, "", r->verified + r->resumed, "case verified", "cases verified");
    count(out, " (", r->documents, "document read)", "documents read)");
    count(out, ", ", r->archived, "archived", "archived");
    count(out, ", ", r->unchanged, "unchanged", "unchanged");
    if (r->retired)
        count(out, ", ", r->retired, "retired", "retired");
    if (r->pruned)
        count(out, ", ", r->pruned, "old snapshot removed", "old snapshots removed");
    if (r->sent)
        count(out, ", ", r->sent, "sent off the server", "sent off the server");
    if (r->failures_len)
        count(out, "; ", r->failures_len, "not in order", "not in order");
}

static void show(struct str *out, const char *s)
{
    utf8_show(out, s, strlen(s));
}

void night_report_text(const struct night_report *r, struct str *out)
{
    night_report_line(r, out);
    str_addc(out, '\n');
    for (size_t i = 0; i < kept(r); i++) {
        const struct night_failure *f = &r->failures[i];

        str_addf(out, "    %s: ", f->what);
        show(out, f->path);
        str_add(out, *f->path ? ": " : "");
        show(out, f->why);
        str_addc(out, '\n');
    }
    if (kept(r) < r->failures_len)
        str_addf(out, "    and %zu more\n", r->failures_len - kept(r));
}

void night_report_would(struct str *out, bool json, const char *what, const char *path)
{
    if (json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_text(out, "step", what);
        json_name(out, "case", path);
        str_add(out, "}\n");
        return;
    }
    str_addf(out, "would %s ", what);
    show(out, path);
    str_addc(out, '\n');
}
