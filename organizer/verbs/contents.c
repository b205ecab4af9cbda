/* list and diff: what is in an archive, and how a case differs from it. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/contents.h"
#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "verbs/own.h"
#include "verbs/progress.h"
#include "verbs/verb.h"

struct showing {
    struct verb_call *call;
    struct progress progress;
    uint64_t documents, bytes;
};

static void show_progress(void *ctx, uint64_t bytes, uint64_t of)
{
    struct showing *s = ctx;

    progress_show(&s->progress, s->call->args[0], bytes, of);
}

static void flush_large(struct verb_call *call)
{
    if (call->out.len > 65536)
        verb_flush(call);
}

/* ---- list
 * ------------------------------------------------------------------------------------ */

static void list_json(struct str *out, const struct contents_document *c)
{
    char at[TIME_TEXT];

    str_addc(out, '{');
    json_num(out, "v", 1);
    json_name(out, "path", c->path);
    if (c->there) {
        json_num(out, "size", (int64_t)c->size);
        json_text(out, "time", time_text(c->time_s * NS_PER_S, at));
    }
    if (c->algorithm)
        json_text(out, c->algorithm, c->hex);
    json_bool(out, "there", c->there);
    str_add(out, "}\n");
}

/* Size, time (UTC), the beginning of the digest, name. */
static void list_document(void *ctx, const struct contents_document *c)
{
    struct showing *s = ctx;
    struct str *out = &s->call->out;
    char at[TIME_TEXT];

    progress_wipe(&s->progress);
    s->documents++;
    s->bytes += c->there ? c->size : 0;
    if (s->call->json) {
        list_json(out, c);
    } else if (c->there) {
        time_text(c->time_s * NS_PER_S, at);
        str_addf(out, "%12" PRIu64 "  %.10s %.5s  %-16.16s  ", c->size, at, at + 11,
                 c->hex ? c->hex : "not listed");
        utf8_show(out, c->path, strlen(c->path));
        str_addc(out, '\n');
    } else {
        str_addf(out, "%12s  %-16s  %-16.16s  ", "missing", "", c->hex ? c->hex : "");
        utf8_show(out, c->path, strlen(c->path));
        str_addc(out, '\n');
    }
    flush_large(s->call);
}

int verb_list(struct verb_call *call)
{
    struct showing s = {.call = call};
    struct contents_options o = {.exe = call->env->self_exe,
                                 .document = list_document,
                                 .progress = show_progress,
                                 .ctx = &s};
    int rc;

    progress_start(&s.progress);
    rc = contents_list(AT_FDCWD, call->args[0], &o, &call->error);
    progress_wipe(&s.progress);
    if (rc < 0) {
        error_prefix(&call->error, "%s", call->args[0]);
        return EXIT_CANNOT;
    }
    if (!call->json) {
        str_addf(&call->out, "%" PRIu64 " documents, ", s.documents);
        bytes_text(&call->out, s.bytes);
        str_addc(&call->out, '\n');
    }
    return EXIT_ORDER;
}

/* ---- diff
 * ------------------------------------------------------------------------------------ */

static bool left_out(void *ctx, const char *path)
{
    (void)ctx;
    return own_is_made(path);
}

static void show_difference(void *ctx, const char *what, const char *path, const char *now)
{
    struct showing *s = ctx;
    struct str *out = &s->call->out;

    progress_wipe(&s->progress);
    if (s->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_text(out, "what", what);
        json_name(out, "path", path);
        if (now)
            json_name(out, "now", now);
        str_add(out, "}\n");
    } else {
        str_addf(out, "%-10s ", what);
        utf8_show(out, path, strlen(path));
        if (now) {
            str_add(out, " -> ");
            utf8_show(out, now, strlen(now));
        }
        str_addc(out, '\n');
    }
    flush_large(s->call);
}

static void show_counts(struct verb_call *call, const struct contents_counts *c)
{
    struct str *out = &call->out;

    if (!call->json) {
        str_addf(out,
                 "%" PRIu64 " the same, %" PRIu64 " changed, %" PRIu64 " added, %" PRIu64
                 " removed, %" PRIu64 " renamed\n",
                 c->same, c->changed, c->added, c->removed, c->renamed);
        return;
    }
    str_addc(out, '{');
    json_num(out, "v", 1);
    json_num(out, "same", (int64_t)c->same);
    json_num(out, "changed", (int64_t)c->changed);
    json_num(out, "added", (int64_t)c->added);
    json_num(out, "removed", (int64_t)c->removed);
    json_num(out, "renamed", (int64_t)c->renamed);
    str_add(out, "}\n");
}

/* A folder from where the user stands, or of the cabinet. NULL with call->error. */
static char *case_folder(struct verb_call *call, const char *arg)
{
    AUTO_FREE char *cabinet = NULL;
    AUTO_FREE char *inside = NULL;
    struct stat st;

    if (stat(arg, &st) == 0 && S_ISDIR(st.st_mode))
        return xstrdup(arg);
    cabinet = verb_cabinet(call, -1);
    inside = cabinet ? xasprintf("%s/%s", cabinet, arg) : NULL;
    if (inside && stat(inside, &st) == 0 && S_ISDIR(st.st_mode))
        return xstrdup(inside);
    error_set(&call->error, 0, "there is no folder %s to compare with", arg);
    return NULL;
}

int verb_diff(struct verb_call *call)
{
    struct showing s = {.call = call};
    struct contents_options o = {.exe = call->env->self_exe,
                                 .left_out = left_out,
                                 .differs = show_difference,
                                 .progress = show_progress,
                                 .ctx = &s};
    struct contents_counts c;
    AUTO_FREE char *folder = case_folder(call, call->args[1]);
    int rc;

    if (!folder)
        return EXIT_CANNOT;
    progress_start(&s.progress);
    rc = contents_compare(AT_FDCWD, call->args[0], folder, &o, &c, &call->error);
    progress_wipe(&s.progress);
    if (rc < 0) {
        error_prefix(&call->error, "%s", call->args[0]);
        return EXIT_CANNOT;
    }
    show_counts(call, &c);
    return c.changed || c.added || c.removed || c.renamed ? EXIT_ATTENTION : EXIT_ORDER;
}
