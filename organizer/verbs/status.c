/* status: what the daemon is doing, in plain words or as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "verbs/verb.h"

static void show(struct str *out, const char *text)
{
    utf8_show(out, text ? text : "", text ? strlen(text) : 0);
}

static void count(struct str *out, const json_t *j, const char *key, const char *one,
                  const char *many)
{
    int64_t n = json_get_num(j, key, 0);

    str_addf(out, "%" PRId64 " %s", n, n == 1 ? one : many);
}

/* The strings of a list, "; " between them. */
static void list(struct str *out, const json_t *strings)
{
    size_t i;
    json_t *s;

    json_array_foreach((json_t *)(uintptr_t)strings, i, s)
    {
        str_add(out, i ? "; " : "");
        show(out, json_string_value(s));
    }
}

static void head(struct str *out, const json_t *j)
{
    AUTO_FREE char *cabinet = json_get_name(j, "cabinet");
    bool watching = json_is_true(json_object_get(j, "watching"));
    int64_t open = json_get_num(j, "listed", 0) + json_get_num(j, "notices", 0);

    show(out, cabinet);
    str_addf(out, ": %s\n", watching ? "watched by the daemon" : "no daemon runs here");
    if (strcmp(json_get_text(j, "mode"), "suggest") == 0)
        str_add(out, "  names are only suggested (mode: suggest)\n");
    str_add(out, "  ");
    count(out, j, "documents", "document in ", "documents in ");
    count(out, j, "cases", "case; ", "cases; ");
    str_addf(out, "%" PRId64 " filed by the organizer\n", json_get_num(j, "filed", 0));
    if (open)
        str_addf(out, "  %" PRId64 " %s attention: organizer check tells which\n", open,
                 open == 1 ? "thing needs" : "things need");
    else
        str_add(out, "  nothing needs attention\n");
    if (watching)
        str_addf(out, "  %" PRId64 " under way, %" PRId64 " waited for\n",
                 json_get_num(j, "backlog", 0), json_get_num(j, "waiting", 0));
}

static void watches(struct str *out, const json_t *watch)
{
    const json_t *swept = json_object_get(watch, "swept_folders");

    if (json_object_size(watch) == 0)
        return;
    str_addf(out, "  %" PRId64 " of %" PRId64 " watches used\n", json_get_num(watch, "watches", 0),
             json_get_num(watch, "watch_limit", 0));
    if (json_get_num(watch, "swept", 0)) {
        str_add(out, "  swept instead of watched: ");
        list(out, swept);
        str_addc(out, '\n');
    }
    if (json_get_text(watch, "advice"))
        str_addf(out, "  what helps: %s\n", json_get_text(watch, "advice"));
}

/* What is not as it should be. */
static void troubles(struct str *out, const json_t *j)
{
    const json_t *readers = json_object_get(j, "readers"), *hooks = json_object_get(j, "hooks");
    const json_t *lacks = json_object_get(readers, "sandbox_lacks");

    if (json_get_text(j, "filing_stopped")) {
        str_add(out, "  FILING HAS STOPPED: ");
        show(out, json_get_text(j, "filing_stopped"));
        str_addc(out, '\n');
    }
    if (json_get_num(j, "journal_lines_waiting", 0)) {
        str_add(out, "  ");
        count(out, j, "journal_lines_waiting", "line is", "lines are");
        str_add(out, " not in their journals yet: ");
        show(out, json_get_text(j, "journal_lines_why"));
        str_addc(out, '\n');
    }
    if (json_get_num(j, "page_errors", 0)) {
        str_add(out, "  pages could not be written ");
        count(out, j, "page_errors", "time", "times");
        str_add(out, ": see the log\n");
    }
    if (json_get_num(readers, "reader_deaths", 0)) {
        str_add(out, "  ");
        count(out, readers, "reader_deaths", "reader", "readers");
        str_add(out, " died over a document\n");
    }
    if (json_array_size(lacks)) {
        str_add(out, "  the readers' sandbox lacks: ");
        list(out, lacks);
        str_addc(out, '\n');
    }
    if (json_get_num(hooks, "failed", 0)) {
        str_add(out, "  ");
        count(out, hooks, "failed", "hook", "hooks");
        str_add(out, " failed: see the log\n");
    }
    if (json_get_num(hooks, "refused", 0)) {
        str_add(out, "  ");
        count(out, hooks, "refused", "hook", "hooks");
        str_add(out, " refused, not run: see the log\n");
    }
}

/* "2026-11-23 03:30:12 UTC" of a time as JSON has it. */
static void when(struct str *out, const char *at)
{
    str_addf(out, "%.10s %.8s UTC", at, at + 11);
}

static void closed_cases(struct str *out, const json_t *j)
{
    if (!json_get_num(j, "closed", 0))
        return;
    str_add(out, "  ");
    count(out, j, "closed", "case is closed, ", "cases are closed, ");
    str_addf(out, "%" PRId64 " archived, %" PRId64 " retired\n", json_get_num(j, "archived", 0),
             json_get_num(j, "retired", 0));
}

static void nights(struct str *out, const json_t *j)
{
    const json_t *last = json_object_get(j, "last_night");
    const char *at = json_get_text(last, "at"), *next = json_get_text(j, "next_night");
    int64_t failed = json_get_num(last, "failed", 0);

    if (at && strlen(at) > 19) {
        str_add(out, "  last night ");
        when(out, at);
        str_add(out, ": ");
        count(out, last, "verified", "case verified, ", "cases verified, ");
        str_addf(out, "%" PRId64 " archived", json_get_num(last, "archived", 0));
        if (failed)
            str_addf(out, "; %" PRId64 " not in order: see the log, or the hook nightly", failed);
        str_addc(out, '\n');
    }
    if (json_is_true(json_object_get(j, "night_under_way")))
        str_add(out, "  a night's work is under way\n");
    else if (next && strlen(next) > 19) {
        str_add(out, "  next night ");
        when(out, next);
        str_addc(out, '\n');
    }
}

static void human_status(struct str *out, const json_t *j)
{
    const char *at = json_get_text(j, "last_sweep");

    head(out, j);
    if (at)
        str_addf(out, "  last sweep %.10s %.8s UTC\n", at, at + 11);
    closed_cases(out, j);
    nights(out, j);
    watches(out, json_object_get(j, "watch"));
    troubles(out, j);
}

int verb_status(struct verb_call *call)
{
    AUTO_FREE char *cabinet = verb_cabinet(call, 0);
    int status;
    json_t *j;

    if (!cabinet)
        return EXIT_CANNOT;
    status = verb_ask(call, cabinet, "status", NULL);
    if (status < 0 || status >= EXIT_USAGE)
        return status;
    if (call->json) {
        str_addc(&call->out, '\n');
        return status;
    }
    j = json_loadb(str_c(&call->out), call->out.len, 0, NULL);
    str_reset(&call->out);
    if (!j || !json_get_text(j, "mode")) {
        json_decref(j);
        return verb_fail(call, EXIT_CANNOT, "the daemon's answer cannot be read");
    }
    human_status(&call->out, j);
    json_decref(j);
    return status;
}
