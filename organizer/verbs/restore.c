/* restore: documents out of an archive: into a new folder, a given one, or back as the case. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/restore.h"
#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/zone.h"
#include "decide/date.h"
#include "flow/survey.h"
#include "verbs/own.h"
#include "verbs/progress.h"
#include "verbs/verb.h"

struct restoring {
    struct verb_call *call;
    struct progress progress;
    char *cabinet;  /* in which the archive lies, or NULL */
    char *zone;     /* the office's */
    char *case_now; /* the case's folder, absolute; NULL: it is gone, or there is no cabinet */
    char *parent;   /* where it goes: absolute or from where the user stands */
    char *name;     /* of the new folder in parent; NULL: into parent itself */
    bool keep_own;  /* the organizer's own files, too */
};

/* ---- telling
 * --------------------------------------------------------------------------------- */

static void told(void *ctx, const char *path, const char *why)
{
    struct restoring *r = ctx;
    struct str *out = &r->call->out;

    progress_wipe(&r->progress);
    if (r->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "path", path);
        json_text(out, "failed", why);
        str_add(out, "}\n");
        return;
    }
    utf8_show(out, path, strlen(path));
    str_add(out, *path ? ": " : "");
    utf8_show(out, why, strlen(why));
    str_addc(out, '\n');
}

static void done(void *ctx, const char *path, uint64_t size)
{
    struct restoring *r = ctx;
    struct str *out = &r->call->out;

    if (!r->call->json)
        return;
    str_addc(out, '{');
    json_num(out, "v", 1);
    json_name(out, "path", path);
    json_num(out, "size", (int64_t)size);
    str_add(out, "}\n");
    if (out->len > 65536)
        verb_flush(r->call);
}

static void would(void *ctx, const char *path, uint64_t size)
{
    struct restoring *r = ctx;
    struct str *out = &r->call->out;

    if (r->call->json) {
        done(ctx, path, size);
        return;
    }
    str_addf(out, "%12" PRIu64 "  ", size);
    utf8_show(out, path, strlen(path));
    str_addc(out, '\n');
}

static void show_progress(void *ctx, uint64_t bytes, uint64_t of)
{
    struct restoring *r = ctx;

    progress_show(&r->progress, r->call->args[0], bytes, of);
}

static bool left_out(void *ctx, const char *path)
{
    const struct restoring *r = ctx;

    return !r->keep_own && own_is_made_or_card(path);
}

static char *target(const struct restoring *r)
{
    return r->name ? xasprintf("%s/%s", r->parent, r->name) : xstrdup(r->parent);
}

static void tell_counts(struct restoring *r, const struct restore_counts *c)
{
    AUTO_FREE char *to = target(r);
    struct str *out = &r->call->out;

    if (r->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "archive", r->call->args[0]);
        json_name(out, "to", to);
        json_num(out, "documents", (int64_t)c->files);
        json_num(out, "bytes", (int64_t)c->bytes);
        json_num(out, "failed", (int64_t)c->failed);
        str_add(out, "}\n");
        return;
    }
    str_addf(out, "%" PRIu64 " documents, ", c->files);
    bytes_text(out, c->bytes);
    str_add(out, ", each as its manifest says, in ");
    utf8_show(out, to, strlen(to));
    if (c->failed)
        str_addf(out, "; %" PRIu64 " not restored, see above", c->failed);
    str_addc(out, '\n');
}

/* ---- where to
 * -------------------------------------------------------------------------------- */

/* The cabinet of the archive, its zone, and where the case is now. Without a cabinet nothing is
 * found. */
static void find_case(struct restoring *r, const char *archive, const struct restore *archived)
{
    struct survey s = {.cab = {.root = -1, .lock = -1}};
    struct survey_events none = {0};
    struct error err = ERROR_INIT;
    const char *id = restore_case_id(archived);
    const struct matter *m = NULL;

    r->cabinet = cabinet_find(r->call->cabinet ? r->call->cabinet : archive, &err);
    if (r->cabinet && survey_open(&s, r->cabinet, r->call->env, &err) == 0) {
        r->zone = xstrdup(s.cab.config.time_zone);
        if (id && (s.state || survey_cases(&s, &none, &err) == 0))
            m = matters_by_id(s.matters, id);
    }
    if (m)
        r->case_now = xasprintf("%s/%s", r->cabinet, m->facts.path);
    if (r->case_now && access(r->case_now, F_OK) < 0) {
        free(r->case_now);
        r->case_now = NULL;
    }
    survey_close(&s);
    if (!r->zone)
        r->zone = zone_of_link("/etc/localtime");
}

/* path without its last part, "." when it has one part only; *name is that part. */
static char *folder_of(const char *path, char **name)
{
    size_t n = strlen(path);
    const char *slash;

    while (n > 1 && path[n - 1] == '/')
        n--;
    slash = memrchr(path, '/', n);
    *name = slash ? xmemdup0(slash + 1, (size_t)(path + n - slash) - 1) : xmemdup0(path, n);
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xmemdup0(path, (size_t)(slash - path));
}

/* "Restored 2028-11-23", or with (2), (3), … behind it, as is free. */
static void name_new_folder(struct restoring *r)
{
    struct date d = date_of_time(env_now(r->call->env), r->zone);

    for (int i = 1; i < 1000; i++) {
        AUTO_FREE char *path = NULL;
        char more[16] = "";

        if (i > 1)
            snprintf(more, sizeof more, " (%d)", i);
        free(r->name);
        r->name = xasprintf("Restored %04d-%02d-%02d%s", d.year, d.month, d.day, more);
        path = target(r);
        if (access(path, F_OK) < 0)
            return;
    }
}

static void choose_new(struct restoring *r, const char *archive)
{
    AUTO_FREE char *name = NULL;

    r->parent = r->case_now ? xstrdup(r->case_now) : folder_of(archive, &name);
    name_new_folder(r);
}

static void choose_given(struct restoring *r, const char *to)
{
    struct stat st;

    if (stat(to, &st) == 0)
        r->parent = xstrdup(to);
    else
        r->parent = folder_of(to, &r->name);
}

static int choose_case(struct restoring *r, const struct restore *archived)
{
    const char *prefix = restore_prefix(archived);
    AUTO_FREE char *path = NULL;

    if (!r->cabinet)
        return error_set(&r->call->error, 0,
                         "this archive lies in no cabinet: say which one the case belongs to, with "
                         "-C FOLDER");
    if (!prefix || !restore_case_id(archived) || strchr(prefix, '/') || *prefix == '.' || !*prefix)
        return error_set(&r->call->error, 0,
                         "this archive does not say of which case it is: use --to FOLDER, then "
                         "organizer adopt");
    if (r->case_now)
        return error_set(&r->call->error, 0,
                         "the case is there: %s. Without --as-case its documents are restored into "
                         "a new folder in it",
                         r->case_now);
    r->parent = xstrdup(r->cabinet);
    r->name = xstrdup(prefix);
    path = target(r);
    if (access(path, F_OK) == 0)
        return error_set(&r->call->error, 0, "%s exists, and is another case or folder", path);
    return 0;
}

static int choose(struct restoring *r, const struct restore *archived)
{
    const char *archive = r->call->args[0];

    find_case(r, archive, archived);
    if (r->call->as_case)
        return choose_case(r, archived);
    if (r->call->to)
        choose_given(r, r->call->to);
    else
        choose_new(r, archive);
    return 0;
}

/* ---- the verb
 * -------------------------------------------------------------------------------- */

/* The case is taken up again with its journal, and open. Returns the exit status. */
static int take_up(struct restoring *r)
{
    const char *adopt[] = {r->name, NULL};
    int status = verb_ask(r->call, r->cabinet, "adopt", adopt);

    return status ? status : verb_ask(r->call, r->cabinet, "reopen", adopt);
}

static int run(struct restoring *r, struct restore *archived)
{
    struct restore_counts c = {0};
    AUTO_CLOSE int parent = open(r->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;

    if (parent < 0) {
        error_set(&r->call->error, errno, "%s cannot be opened", r->parent);
        return EXIT_CANNOT;
    }
    rc = restore_run(archived, parent, r->name, &c, &r->call->error);
    progress_wipe(&r->progress);
    if (rc > 0)
        error_set(&r->call->error, 0, "%s/%s is there by now, and stays: try again", r->parent,
                  r->name);
    if (rc)
        return EXIT_CANNOT;
    tell_counts(r, &c);
    if (r->call->as_case && verb_flush(r->call) == 0) {
        int status = take_up(r);

        if (status)
            return status;
    }
    return c.failed ? EXIT_ATTENTION : EXIT_ORDER;
}

/* Nothing is done but told. */
static int tell_plan(struct restoring *r, const struct restore *archived)
{
    AUTO_FREE char *to = target(r);

    restore_each(archived, would, r);
    if (!r->call->json) {
        str_add(&r->call->out, "would be restored to ");
        utf8_show(&r->call->out, to, strlen(to));
        str_addc(&r->call->out, '\n');
    }
    return EXIT_ORDER;
}

/* A case's card and journal make sense in the case itself, and outside of any cabinet. */
static bool keeps_own(const struct verb_call *call)
{
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *parent = call->to ? folder_of(call->to, &name) : NULL;
    AUTO_FREE char *cabinet = NULL;
    struct error none = ERROR_INIT;

    if (call->to)
        cabinet = cabinet_find(parent, &none);
    return call->as_case || (call->to && !cabinet);
}

int verb_restore(struct verb_call *call)
{
    struct restoring r = {.call = call, .keep_own = keeps_own(call)};
    struct restore_options o = {.exe = call->env->self_exe,
                                .wanted = call->argc > 1 ? call->args + 1 : NULL,
                                .left_out = left_out,
                                .told = told,
                                .done = done,
                                .progress = show_progress,
                                .ctx = &r};
    struct restore *archived;
    int status = EXIT_CANNOT;

    if (call->as_case && (call->to || call->argc > 1))
        return verb_fail(call, EXIT_USAGE, "--as-case restores the whole case, to where cases lie");
    progress_start(&r.progress);
    archived = restore_open(AT_FDCWD, call->args[0], &o, &call->error);
    if (!archived) {
        error_prefix(&call->error, "%s", call->args[0]);
    } else if (choose(&r, archived) == 0) {
        o.rooted = call->as_case || (!call->to && !r.case_now);
        status = call->dry_run ? tell_plan(&r, archived) : run(&r, archived);
    }
    restore_close(archived);
    free(r.cabinet);
    free(r.zone);
    free(r.case_now);
    free(r.parent);
    free(r.name);
    return status;
}
