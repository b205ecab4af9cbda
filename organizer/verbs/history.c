/* log, undo and verify: what happened, taking it back, and proving it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "flow/survey.h"
#include "publish/publish.h"
#include "publish/tz.h"
#include "record/history.h"
#include "record/verify.h"
#include "verbs/verb.h"
#include "verbs/when.h"

/* A survey with every case known: the private state's, or those that a look finds. */
static int open_cases(struct verb_call *call, struct survey *s, int arg)
{
    AUTO_FREE char *cabinet = NULL;
    struct survey_events none = {0};

    /* So that it can be closed whatever fails. */
    *s = (struct survey){.cab = {.root = -1, .lock = -1}};
    if (call->cabinet || arg >= call->argc)
        cabinet = verb_cabinet(call, -1);
    else
        cabinet = cabinet_find_gone(call->args[arg], &call->error);
    if (!cabinet && !call->cabinet) {
        struct error err = ERROR_INIT;

        /* "Smith_Divorce" names a case of the cabinet in which the user stands. */
        cabinet = cabinet_find(NULL, &err);
    }
    if (!cabinet)
        return -1;
    call->error = (struct error)ERROR_INIT;
    if (survey_open(s, cabinet, call->env, &call->error) < 0)
        return -1;
    if (s->state)
        return 0;
    return survey_cases(s, &none, &call->error);
}

/* Standing in a case, one may call it, or another, by its prefix: that is no document there. */
static struct matter *case_called(const struct survey *s, const char *what, const char *path)
{
    struct error none = ERROR_INIT;

    if (strchr(what, '/') || faccessat(s->cab.root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return NULL;
    return matters_find(s->matters, what, &none);
}

/* The case that `what` names, by path or prefix; *inside is the part of the path in it. */
static struct matter *find_case(struct survey *s, const char *what, char **inside,
                                struct error *err)
{
    AUTO_FREE char *path = verb_inside(s->cab.path, what);
    const char *in = NULL;
    struct matter *m = path ? matters_of(s->matters, path, &in) : NULL;
    struct matter *called = m && *in ? case_called(s, what, path) : NULL;

    *inside = NULL;
    if (called)
        return called;
    if (m && *in)
        *inside = xstrdup(in);
    return m ? m : matters_find(s->matters, what, err);
}

static int open_case(const struct survey *s, const struct matter *m)
{
    return beneath_open(s->cab.root, m->facts.path, O_RDONLY | O_DIRECTORY, 0);
}

/* ---- log
 * -------------------------------------------------------------------------------------------- */

struct logging {
    struct verb_call *call;
    const struct matter *matter;
    struct tz *zone; /* of the office: as on its pages, and as --since takes it */
};

static void add_shown(struct str *out, const char *before, const char *s)
{
    if (!s)
        return;
    str_add(out, before);
    utf8_show(out, s, strlen(s));
}

/* " Inbox/a.pdf -> Motions/b.pdf"; what lies in the office's Inbox is told from that of the case. */
static void add_way(struct str *out, const struct history_line *l)
{
    AUTO_FREE char *to_office = json_get_name(l->json, "to_office");

    add_shown(out, " the office's ", l->from_office);
    if (!l->from_office)
        add_shown(out, " ", l->from);
    add_shown(out, l->from || l->from_office ? " -> " : " ", l->to);
    add_shown(out, " -> the office's ", to_office);
}

static int log_one(void *ctx, const struct history_line *l)
{
    struct logging *g = ctx;
    struct str *out = &g->call->out;
    char at[TIME_TEXT];

    if (g->call->json) {
        AUTO_FREE char *text = json_dumps(l->json, JSON_COMPACT);

        str_addc(out, '{');
        json_name(out, "case_folder", g->matter->facts.path);
        json_key(out, "line");
        str_add(out, text ? text : "null");
        str_add(out, "}\n");
    } else {
        time_text(l->at_ns + tz_offset(g->zone, l->at_ns / NS_PER_S) * NS_PER_S, at);
        str_addf(out, "%.10s %.8s  %-12s ", at, at + 11, l->kind);
        if (l->doc)
            str_addf(out, "#%lld", (long long)l->doc);
        add_way(out, l);
        add_shown(out, "  because of ", json_get_text(l->json, "why"));
        if (!l->doc) {
            AUTO_FREE char *archive = json_get_name(l->json, "archive");

            add_shown(out, "", archive);
        }
        str_addc(out, '\n');
    }
    if (out->len > 65536)
        verb_flush(g->call);
    return 0;
}

static int log_case(struct verb_call *call, struct survey *s, const struct matter *m,
                    const char *inside, struct history_filter filter)
{
    struct logging g = {call, m, NULL};
    AUTO_CLOSE int fd = open_case(s, m);
    int rc;

    if (fd < 0)
        return error_set(&call->error, errno, "%s cannot be opened", m->facts.path);
    if (inside && history_doc_at(fd, NULL, inside, &filter.doc, &call->error) <= 0) {
        if (!*call->error.text)
            error_set(&call->error, 0, "nothing is known of %s", inside);
        return -1;
    }
    g.zone = tz_load(s->cab.config.time_zone);
    rc = history_each(fd, &filter, log_one, &g, &call->error);
    tz_free(g.zone);
    return rc;
}

int verb_log(struct verb_call *call)
{
    struct history_filter filter = {.last = (uint64_t)call->last};
    struct survey s;
    int rc;

    if (open_cases(call, &s, 0) < 0) {
        survey_close(&s);
        return EXIT_CANNOT;
    }
    if (call->since && when_parse(call->since, call->env, s.cab.config.time_zone, &filter.since_ns,
                                  &call->error) < 0) {
        survey_close(&s);
        return EXIT_USAGE;
    }
    if (call->argc) {
        AUTO_FREE char *inside = NULL;
        struct matter *m = find_case(&s, call->args[0], &inside, &call->error);

        rc = m ? log_case(call, &s, m, inside, filter) : -1;
    } else {
        rc = 0;
        for (size_t i = 0; rc == 0 && i < matters_len(s.matters); i++) {
            if (!call->json)
                str_addf(&call->out, "%s\n", matters_at(s.matters, i)->facts.path);
            rc = log_case(call, &s, matters_at(s.matters, i), NULL, filter);
        }
    }
    survey_close(&s);
    return rc < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

/* ---- verify
 * ------------------------------------------------------------------------------------------ */

struct verifying {
    struct verb_call *call;
    struct survey *s;
    const char *path; /* of the case */
    const char *only; /* a case by its path; NULL: any */
    size_t findings;
    bool journal; /* something was done to the journal of the case at path */
};

static void found(void *ctx, const struct verify_finding *f)
{
    struct verifying *v = ctx;
    struct str *out = &v->call->out;

    v->findings++;
    v->journal |= f->what == VERIFY_JOURNAL;
    if (v->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "case", v->path);
        json_text(out, "what", verify_what_name(f->what));
        json_name(out, "path", f->path);
        if (f->now)
            json_name(out, "now", f->now);
        if (f->doc)
            json_num(out, "doc", f->doc);
        if (f->line)
            json_num(out, "line", (int64_t)f->line);
        json_text(out, "sentence", f->sentence);
        str_add(out, "}\n");
        return;
    }
    add_shown(out, "", v->path);
    if (*f->path)
        add_shown(out, "/", f->path);
    if (f->what == VERIFY_JOURNAL) /* its sentence begins with the word */
        str_addf(out, ": %s\n", f->sentence);
    else
        str_addf(out, ": %s: %s\n", verify_what_name(f->what), f->sentence);
}

/* What helps when a journal is not as it was left. */
static void say_what_helps(struct str *out, const struct matter *m)
{
    str_add(out, "  What helps: put back its .organizer/journal.jsonl from the backup. If it, or the "
                 "whole case, was restored\n  on purpose: organizer adopt \"");
    add_shown(out, "", m->facts.path);
    str_add(out, "\" goes on from the journal as it is now.\n");
}

static bool ignored(void *ctx, const char *path, bool folder)
{
    struct verifying *v = ctx;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (decide_is_ignored(v->s->rules, name, folder, NULL))
        return true;
    /* What lies in an Inbox and is not recorded has just arrived, or is waited for. */
    if (strncmp(path, INBOX_NAME "/", sizeof INBOX_NAME) == 0 && !folder)
        return true;
    return !slash && !folder && (publish_is_own_name(name) || strcmp(name, CARD_NAME) == 0);
}

static int verify_one(struct verifying *v, const struct matter *m)
{
    struct verify_options o = {.root = v->s->cab.root,
                               .state = v->s->state,
                               .case_id = m->facts.id,
                               .case_path = m->facts.path,
                               .found = found,
                               .ignored = ignored,
                               .ctx = v};
    struct verify_counts c;

    v->path = m->facts.path;
    v->journal = false;
    if (m->untouchable)
        return 0;
    if (verify_case(&o, &c, &v->call->error) < 0)
        return -1;
    if (!v->call->json) {
        add_shown(&v->call->out, "", m->facts.path);
        str_addf(&v->call->out, ": %llu %s, %s\n", (unsigned long long)c.documents,
                 c.documents == 1 ? "document" : "documents", verify_clean(&c) ? "in order" : "see above");
        if (v->journal)
            say_what_helps(&v->call->out, m);
    } else {
        str_addc(&v->call->out, '{');
        json_num(&v->call->out, "v", 1);
        json_name(&v->call->out, "case", m->facts.path);
        json_num(&v->call->out, "documents", (int64_t)c.documents);
        json_num(&v->call->out, "bytes", (int64_t)c.bytes);
        json_bool(&v->call->out, "clean", verify_clean(&c));
        str_add(&v->call->out, "}\n");
    }
    verb_flush(v->call);
    return 0;
}

/* The private state's case that is not in the tree. */
static int verify_gone(void *ctx, const struct case_row *row)
{
    struct verifying *v = ctx;
    struct verify_finding f = {.what = VERIFY_MISSING,
                               .path = "",
                               .sentence = "the folder of this case, or the card in it, is not there"};

    if (matters_by_id(v->s->matters, row->id) || (v->only && strcmp(v->only, row->path) != 0))
        return 0;
    v->path = row->path;
    found(v, &f);
    return 0;
}

static int is_gone(void *ctx, const struct case_row *row)
{
    const struct verifying *v = ctx;

    return !matters_by_id(v->s->matters, row->id);
}

/* Cases that are not where they were: perhaps elsewhere in the tree, where nobody looked yet. */
static int look_for_gone(struct verifying *v)
{
    struct survey_events none = {0};
    int rc = state_each_case(v->s->state, is_gone, v, &v->call->error);

    return rc > 0 ? survey_cases(v->s, &none, &v->call->error) : rc;
}

static int verify_all(struct verifying *v)
{
    int rc = look_for_gone(v);

    if (rc == 0)
        rc = state_each_case(v->s->state, verify_gone, v, &v->call->error);
    for (size_t i = 0; rc == 0 && i < matters_len(v->s->matters); i++)
        rc = verify_one(v, matters_at(v->s->matters, i));
    return rc;
}

/* Not among the cases of the tree: 0 when it was one, -1 with what find_case() said. */
static int verify_lost(struct verifying *v, const char *path)
{
    size_t before = v->findings;
    struct error none = ERROR_INIT;

    v->only = path;
    if (path && look_for_gone(v) == 0)
        state_each_case(v->s->state, verify_gone, v, &none);
    v->only = NULL;
    return v->findings > before ? 0 : -1;
}

/* A case by prefix or path; the cabinet itself means all. */
static int verify_arg(struct verifying *v, const char *arg)
{
    AUTO_FREE char *path = verb_inside(v->s->cab.path, arg);
    AUTO_FREE char *inside = NULL;
    struct matter *m;

    if (path && !*path)
        return verify_all(v);
    m = find_case(v->s, arg, &inside, &v->call->error);
    return m ? verify_one(v, m) : verify_lost(v, path);
}

int verb_verify_cases(struct verb_call *call)
{
    struct survey s;
    struct verifying v = {.call = call, .s = &s};
    int rc = open_cases(call, &s, 0);

    if (rc == 0 && !s.state)
        rc = error_set(&call->error, 0,
                       "there is no private state to compare with that you may read: run it as "
                       "the organizer's user");
    for (int i = 0; rc == 0 && i < call->argc; i++)
        rc = verify_arg(&v, call->args[i]);
    if (rc == 0 && call->argc == 0)
        rc = verify_all(&v);
    survey_close(&s);
    if (rc < 0)
        return EXIT_CANNOT;
    return v.findings ? EXIT_ATTENTION : EXIT_ORDER;
}

/* ---- undo
 * -------------------------------------------------------------------------------------------- */

/* The cabinet of what is to be undone: "Smith_Divorce" may name a case of the one in which the user
 * stands. */
static char *cabinet_of_undo(struct verb_call *call)
{
    char *cabinet = call->cabinet || !call->argc ? verb_cabinet(call, -1)
                                                 : cabinet_find_gone(call->args[0], &call->error);

    if (cabinet || !call->argc || call->cabinet)
        return cabinet;
    call->error = (struct error)ERROR_INIT;
    return cabinet_find(NULL, &call->error);
}

/* --since in the office's time zone, as the daemon wants it. Returns 0 or the exit status. */
static int since_text(struct verb_call *call, const char *path, char text[static TIME_TEXT])
{
    struct cabinet c;
    int64_t t;
    int status = EXIT_CANNOT;

    if (cabinet_open(&c, path, call->env, &call->error) == 0)
        status = when_parse(call->since, call->env, c.config.time_zone, &t, &call->error) < 0
                     ? EXIT_USAGE
                     : 0;
    if (status == 0)
        time_text(t, text);
    cabinet_close(&c);
    return status;
}

int verb_undo(struct verb_call *call)
{
    char last[24], since[TIME_TEXT];
    const char *args[7] = {0};
    AUTO_FREE char *cabinet = cabinet_of_undo(call);
    size_t n = 0;
    int status;

    if (!cabinet)
        return EXIT_CANNOT;
    if (call->argc)
        args[n++] = call->args[0];
    if (call->all)
        args[n++] = "--all";
    if (call->last) {
        snprintf(last, sizeof last, "%lld", (long long)call->last);
        args[n++] = "--last";
        args[n++] = last;
    }
    if (call->since) {
        status = since_text(call, cabinet, since);
        if (status)
            return status;
        args[n++] = "--since";
        args[n] = since;
    }
    return verb_ask(call, cabinet, "undo", args);
}
