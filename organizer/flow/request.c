/* request: verbs that change something, the same for the daemon and without one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "cabinet/casename.h"
#include "cabinet/rights.h"
#include "decide/name.h"
#include "flow/finding.h"
#include "flow/internal.h"
#include "flow/nightly.h"
#include "flow/request.h"

/* What a user typed, as a path from the cabinet down; NULL when it lies outside. What is shown on
 * pages and in messages, from the cabinet down, may be typed so from anywhere. */
char *flow_request_path(const struct flow *f, const char *cwd, const char *arg)
{
    AUTO_FREE char *full = *arg == '/' ? xstrdup(arg) : xasprintf("%s/%s", cwd, arg);
    AUTO_FREE char *real = realpath(full, NULL);
    size_t n = strlen(f->cab.path);
    const char *p = real ? real : full;

    if (strncmp(p, f->cab.path, n) == 0 && (p[n] == '/' || p[n] == '\0'))
        return xstrdup(p[n] == '/' ? p + n + 1 : "");
    return strchr(arg, '/') && cabinet_lies_in(f->cab.path, arg) ? xstrdup(arg) : NULL;
}

struct matter *flow_request_case(struct flow *f, const struct flow_request *r, struct str *text)
{
    AUTO_FREE char *path = r->args[0] ? flow_request_path(f, r->cwd, r->args[0]) : NULL;
    struct matter *m = path && *path ? matters_by_path(f->matters, path) : NULL;
    struct error err = ERROR_INIT;

    if (!m && r->args[0])
        m = matters_find(f->matters, r->args[0], &err);
    if (!m)
        str_addf(text, "%s\n", r->args[0] ? error_text(&err) : "which case?");
    else if (m->untouchable)
        str_addf(text, "%s is a copy of another case, and not touched\n", m->facts.path);
    else if (m->opening || m->recording || m->moving || !m->known)
        str_addf(text, "%s is being changed just now: ask again\n", m->facts.path);
    return text->len ? NULL : m;
}

struct pending {
    flow_answer *answer;
    void *ctx;
    struct flow *flow;
};

static void say_opened(void *ctx, int status, const char *text)
{
    struct pending *p = ctx;
    AUTO_STR struct str out = STR_INIT;

    if (status == 0)
        str_addf(&out, "%s/%s\n", p->flow->cab.path, text);
    else
        str_addf(&out, "%s\n", text);
    p->answer(p->ctx, status == 0 ? EXIT_ORDER : EXIT_CANNOT, str_c(&out));
    free(p);
}

static struct pending *pend(struct flow *f, flow_answer *answer, void *ctx)
{
    struct pending *p = xcalloc(1, sizeof *p);

    p->flow = f;
    p->answer = answer;
    p->ctx = ctx;
    return p;
}

static void unknown_type(struct flow *f, const char *type, struct str *text)
{
    const struct case_type *t;
    const char *near[4];
    size_t n = rules_near_case_types(f->rules, type, near, 4);

    str_addf(text, "there is no case type \"%s\"", type);
    for (size_t i = 0; i < n; i++)
        str_addf(text, "%s%s", i ? ", " : "; did you mean ", near[i]);
    str_addf(text, "%s\nThere are", n ? "?" : "");
    for (size_t i = 0; (t = rules_case_type_at(f->rules, i)); i++)
        str_addf(text, "%s %s", i ? "," : "", t->name);
    str_add(text, ".\n");
}

static void is_taken(struct flow *f, const char *prefix, const struct flow_request *r,
                     const struct case_type *type, struct str *text)
{
    str_addf(text,
             "there is %s already: a second matter of the same client and type needs another name, "
             "e.g. organizer new \"%s\" %s %s-%d\n",
             prefix, r->args[0], type->name, prefix, f->policy.today.year);
}

/* Whether prefix is a name that makes a case of this type. */
static bool is_case_name(struct flow *f, const char *prefix, const struct case_type *type)
{
    AUTO_FREE char *client = NULL;
    AUTO_FREE char *word = NULL;

    return !strchr(prefix, '/') && !name_illegal(prefix) && *prefix != '.' &&
           casename_split(prefix, &client, &word) && rules_case_type(f->rules, word) == type;
}

static bool is_there(struct flow *f, const char *path)
{
    return faccessat(f->cab.root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Exit status; text says why when it cannot be made. */
static int may_make(struct flow *f, const struct flow_request *r, const char *prefix,
                    const struct case_type *type, struct str *text)
{
    if (!is_case_name(f, prefix, type)) {
        str_addf(
            text,
            "\"%s\" is no name for the folder of this case: it is the client, an underscore and "
            "the case type, e.g. %s_%s-%d\n",
            prefix, r->args[0], type->name, f->policy.today.year);
        return EXIT_USAGE;
    }
    if (is_there(f, prefix) || matters_has_prefix(f->matters, prefix)) {
        is_taken(f, prefix, r, type, text);
        return EXIT_CANNOT;
    }
    return EXIT_ORDER;
}

static void make_case(struct flow *f, const struct flow_request *r, const char *prefix,
                      const struct case_type *type, flow_answer *answer, void *ctx)
{
    AUTO_STR struct str text = STR_INIT;

    if (r->dry_run) {
        str_addf(&text, "would make %s/%s\n", f->cab.path, prefix);
        answer(ctx, EXIT_ORDER, str_c(&text));
    } else if (rights_mkdirs(f->cab.root, prefix) < 0) {
        str_addf(&text, "the folder %s cannot be made: %s\n", prefix, strerror(errno));
        answer(ctx, EXIT_CANNOT, str_c(&text));
    } else {
        flow_open_case(f, prefix, r->args[0], type->name, false, say_opened, pend(f, answer, ctx));
    }
}

/* new CLIENT CASETYPE [PREFIX] */
static void request_new(struct flow *f, const struct flow_request *r, flow_answer *answer,
                        void *ctx)
{
    const struct case_type *type;
    AUTO_FREE char *client = r->args[0] ? name_field(r->args[0]) : NULL;
    AUTO_FREE char *prefix = NULL;
    AUTO_STR struct str text = STR_INIT;
    int status = EXIT_USAGE;

    if (!r->args[0] || !r->args[1]) {
        answer(ctx, EXIT_USAGE, "usage: organizer new CLIENT CASETYPE [FOLDER-NAME]\n");
        return;
    }
    type = rules_case_type_written(f->rules, r->args[1]);
    if (!*client) {
        str_addf(&text, "\"%s\" leaves nothing that can stand in a file name\n", r->args[0]);
    } else if (!type) {
        unknown_type(f, r->args[1], &text);
    } else {
        prefix = r->args[2] ? xstrdup(r->args[2]) : xasprintf("%s_%s", client, type->name);
        status = may_make(f, r, prefix, type, &text);
    }
    if (status == EXIT_ORDER)
        make_case(f, r, prefix, type, answer, ctx);
    else
        answer(ctx, status, str_c(&text));
}

static bool is_folder(struct flow *f, const char *path)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, path, O_PATH | O_DIRECTORY, 0);

    return fd >= 0;
}

/* adopt FOLDER [CLIENT CASETYPE] */
static void request_adopt(struct flow *f, const struct flow_request *r, flow_answer *answer,
                          void *ctx)
{
    AUTO_FREE char *path = r->args[0] ? flow_request_path(f, r->cwd, r->args[0]) : NULL;
    struct matter *m = path ? matters_by_path(f->matters, path) : NULL;
    struct name_guess guess = {0};
    AUTO_STR struct str text = STR_INIT;

    if (!path || !*path) {
        answer(ctx, EXIT_USAGE,
               "usage: organizer adopt FOLDER [CLIENT CASETYPE] (a folder inside the cabinet)\n");
        return;
    }
    if (m) {
        flow_take_up(f, m, answer, ctx);
        return;
    }
    if (!is_folder(f, path)) {
        str_addf(&text, "%s is no folder\n", r->args[0]);
        answer(ctx, EXIT_USAGE, str_c(&text));
        return;
    }
    if (matters_of(f->matters, path, NULL)) {
        answer(ctx, EXIT_USAGE, "it lies inside a case already: cases do not nest\n");
        return;
    }
    if (!matters_may_hold(path)) {
        str_addf(&text, "%s is no place for a case: it is the organizer's own\n", path);
        answer(ctx, EXIT_USAGE, str_c(&text));
        return;
    }
    if (r->args[1] && r->args[2]) {
        const struct case_type *type = rules_case_type_written(f->rules, r->args[2]);

        if (!type) {
            unknown_type(f, r->args[2], &text);
            answer(ctx, EXIT_USAGE, str_c(&text));
            return;
        }
        guess.client = xstrdup(r->args[1]);
        guess.case_type = xstrdup(type->name);
    } else {
        name_guess(f->rules, path, &guess);
    }
    if (!guess.client || !guess.case_type) {
        str_addf(&text,
                 "the name of %s does not tell client and case type: organizer adopt \"%s\" CLIENT "
                 "CASETYPE\n",
                 path, r->args[0]);
        answer(ctx, EXIT_USAGE, str_c(&text));
    } else if (r->dry_run) {
        str_addf(&text, "would make %s a case of %s, %s\n", path, guess.client, guess.case_type);
        answer(ctx, EXIT_ORDER, str_c(&text));
    } else {
        flow_open_case(f, path, guess.client, guess.case_type, true, say_opened,
                       pend(f, answer, ctx));
    }
    free(guess.client);
    free(guess.case_type);
}

/* find --rebuild, by who may change things. */
static void request_find(struct flow *f, const struct flow_request *r, flow_answer *answer,
                         void *ctx)
{
    flow_find(f, r->args, NULL, answer, ctx);
}

static void request_nightly(struct flow *f, const struct flow_request *r, flow_answer *answer,
                            void *ctx)
{
    nightly_run(f, r->dry_run, r->json, answer, ctx);
}

static const struct {
    const char *verb;
    void (*run)(struct flow *f, const struct flow_request *r, flow_answer *answer, void *ctx);
} requests[] = {
    {"new", request_new},
    {"adopt", request_adopt},
    {"find", request_find},
    {"undo", flow_request_undo},
    {"apply", flow_request_apply},
    {"archive", flow_request_archive},
    {"close", flow_request_close},
    {"reopen", flow_request_reopen},
    {"retire", flow_request_retire},
    {"nightly", request_nightly},
};

void flow_request(struct flow *f, const struct flow_request *r, flow_answer *answer, void *ctx)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(requests[i].verb, r->verb) == 0) {
            requests[i].run(f, r, answer, ctx);
            return;
        }
    }
    answer(ctx, EXIT_USAGE, "the daemon does not know this verb: is it of another version?\n");
}
