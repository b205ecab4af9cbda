/* check and explain: the daemon's decisions without the daemon's acts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "flow/survey.h"
#include "text/texts.h"
#include "verbs/said.h"
#include "verbs/verb.h"

struct checking {
    const struct survey *survey;
    struct verb_call *call;
    bool explain;
    size_t attention, suggested, documents;
};

static void show(struct str *out, const char *s)
{
    utf8_show(out, s, strlen(s));
}

static char *target_path(const struct decision *d)
{
    if (d->action != ACTION_FILE)
        return NULL;
    return *d->folder ? xasprintf("%s/%s/%s", d->target->path, d->folder, d->name)
                      : xasprintf("%s/%s", d->target->path, d->name);
}

/* Files of its kind are never read. */
static bool is_silent(const struct survey_doc *doc)
{
    return doc->x->kind != KIND_EMPTY && !texts_knows(doc->x->kind);
}

static void write_json(struct checking *c, const struct survey_doc *doc, const char *to)
{
    static const char *const action[] = {[ACTION_INDEX] = "index",
                                         [ACTION_LIST] = "list",
                                         [ACTION_FILE] = "file",
                                         [ACTION_RETRY] = "retry",
                                         [ACTION_WAIT] = "wait"};
    const struct decision *d = doc->decision;
    struct str *out = &c->call->out;
    char day[DATE_TEXT];

    str_addc(out, '{');
    json_num(out, "v", 1);
    json_name(out, "path", doc->path);
    json_text(out, "action", action[d->action]);
    json_bool(out, "attention", reason_is_attention(d->reason) && d->action != ACTION_FILE);
    if (d->reason != REASON_NONE)
        json_text(out, "reason", reason_code(d->reason));
    if (d->sentence && *d->sentence)
        json_text(out, "sentence", d->sentence);
    if (d->help && *d->help)
        json_text(out, "help", d->help);
    if (to)
        json_name(out, "to", to);
    if (d->type_name)
        json_text(out, "type", d->type_name);
    if (date_is_set(d->day))
        json_text(out, "date", date_text(d->day, day));
    json_text(out, "kind", kind_info(doc->x->kind)->name);
    if (to) {
        AUTO_FREE char *why = decision_why(d);

        json_text(out, "why", why);
    }
    if (c->explain && doc->facts->facts.content)
        said_json(out, doc->facts->facts.content);
    else if (c->explain && is_silent(doc))
        json_text(out, "unread", "content.silent");
    if (c->explain) {
        json_text(out, "story", d->story);
        json_text(out, "trace", str_c(&d->trace));
    }
    str_add(out, "}\n");
}

static void explain_text(struct checking *c, const struct survey_doc *doc, const char *to)
{
    const struct decision *d = doc->decision;
    struct str *out = &c->call->out;

    show(out, doc->path);
    str_addc(out, '\n');
    if (d->story && *d->story) {
        str_add(out, "  ");
        show(out, d->story);
        str_addc(out, '\n');
    }
    if (to) {
        AUTO_FREE char *why = decision_why(d);

        if (strcmp(to, doc->path) == 0) {
            str_add(out, "  is named and filed as it should be\n");
        } else {
            str_add(out, doc->may_name ? "  becomes " : "  could become ");
            show(out, to);
            str_addc(out, '\n');
        }
        str_addf(out, "  because of %s\n", why);
    } else {
        str_addf(out, "  stays under its name%s%s\n",
                 d->sentence && *d->sentence ? ": " : " and is indexed where it lies",
                 d->sentence ? d->sentence : "");
        if (d->help && *d->help)
            str_addf(out, "  what helps: %s\n", d->help);
    }
    if (doc->facts->facts.content)
        said_text(out, c->survey->lang, doc->facts->facts.content);
    else if (is_silent(doc))
        said_silent(out, c->survey->lang, kind_info(doc->x->kind)->plain);
    for (const char *p = str_c(&d->trace); *p;) {
        size_t n = strcspn(p, "\n");

        str_add(out, "    ");
        utf8_show(out, p, n);
        str_addc(out, '\n');
        p += n + (p[n] == '\n');
    }
}

static void on_document(void *ctx, const struct survey_doc *doc)
{
    struct checking *c = ctx;
    const struct decision *d = doc->decision;
    AUTO_FREE char *to = target_path(d);
    bool attention = d->action != ACTION_FILE && reason_is_attention(d->reason);
    bool renames = to && strcmp(to, doc->path) != 0;

    c->documents++;
    c->attention += attention;
    c->suggested += renames;
    if (c->call->json) {
        if (c->explain || attention || renames)
            write_json(c, doc, to);
    } else if (c->explain) {
        explain_text(c, doc, to);
    } else if (attention) {
        show(&c->call->out, doc->path);
        str_addf(&c->call->out, ": %s\n", d->sentence);
        if (*d->help)
            str_addf(&c->call->out, "    %s\n", d->help);
    }
    if (c->call->out.len > 65536)
        verb_flush(c->call);
}

static void on_notice(void *ctx, const struct survey_notice *n)
{
    struct checking *c = ctx;
    struct str *out = &c->call->out;

    c->documents += c->explain;
    c->attention += reason_is_attention(n->reason);
    if (c->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "path", n->path);
        json_text(out, "action", "list");
        json_bool(out, "attention", reason_is_attention(n->reason));
        json_text(out, "reason", reason_code(n->reason));
        json_text(out, "sentence", n->sentence);
        json_text(out, "help", n->help);
        str_add(out, "}\n");
        return;
    }
    show(out, n->path);
    str_addf(out, ": %s\n", n->sentence);
    if (*n->help)
        str_addf(out, "    %s\n", n->help);
}

/* Nothing is decided about it: that is the answer. */
static void on_ignored(void *ctx, const char *path, const char *why)
{
    struct checking *c = ctx;
    struct str *out = &c->call->out;

    c->documents++;
    if (c->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "path", path);
        json_text(out, "action", "ignore");
        json_bool(out, "attention", false);
        json_text(out, "sentence", why);
        str_add(out, "}\n");
        return;
    }
    show(out, path);
    str_add(out, "\n  is left alone: ");
    show(out, why);
    str_addc(out, '\n');
}

static void on_progress(void *ctx, uint64_t folders, uint64_t documents)
{
    (void)ctx;
    fprintf(stderr, "\r%llu folders, %llu documents ", (unsigned long long)folders,
            (unsigned long long)documents);
}

static int survey_path(struct checking *c, struct survey *s, const char *below)
{
    struct survey_events e = {.document = on_document,
                              .notice = on_notice,
                              .progress = isatty(STDERR_FILENO) ? on_progress : NULL,
                              .ctx = c,
                              .explain = c->explain,
                              .ignored = c->explain ? on_ignored : NULL};

    return survey_run(s, below, &e, &c->call->error);
}

void verb_say_no_case(const struct verb_call *call, const struct survey *s)
{
    if (!call->json && matters_len(s->matters) == 0)
        fputs("There is no case here yet: organizer adopt FOLDER makes one of a folder that was here "
              "before, organizer new a new one.\n",
              stderr);
}

static int check_paths(struct verb_call *call, bool explain)
{
    struct checking c = {.call = call, .explain = explain};
    AUTO_FREE char *cabinet = verb_cabinet(call, call->argc ? 0 : -1);
    struct survey s;
    int rc;

    if (!cabinet)
        return EXIT_CANNOT;
    c.survey = &s;
    rc = survey_open(&s, cabinet, call->env, &call->error);
    if (rc == 0 && call->argc == 0)
        rc = survey_path(&c, &s, "");
    for (int i = 0; rc == 0 && i < call->argc; i++) {
        AUTO_FREE char *below = verb_inside(s.cab.path, call->args[i]);

        if (!below)
            rc = verb_fail(call, -1, "%s is not in the cabinet %s", call->args[i], s.cab.path);
        else
            rc = survey_path(&c, &s, below);
    }
    if (rc == 0 && !explain)
        verb_say_no_case(call, &s);
    survey_close(&s);
    if (rc < 0)
        return EXIT_CANNOT;
    if (!call->json && !explain)
        str_addf(&call->out, "%zu %s, %zu need attention, %zu would be named\n", c.documents,
                 c.documents == 1 ? "document" : "documents", c.attention, c.suggested);
    if (explain && c.documents == 0)
        return verb_fail(call, EXIT_CANNOT, "there is no document there");
    return c.attention && !explain ? EXIT_ATTENTION : EXIT_ORDER;
}

int verb_check(struct verb_call *call)
{
    return check_paths(call, false);
}

int verb_explain(struct verb_call *call)
{
    return check_paths(call, true);
}
