/* verify: cases by what was recorded, archives and bags by their manifests. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/bag.h"
#include "archive/scrub.h"
#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "verbs/progress.h"
#include "verbs/recorded.h"
#include "verbs/verb.h"

struct verifying {
    struct verb_call *call;
    struct progress progress;
    const char *path;
};

static void add_shown(struct str *out, const char *s)
{
    utf8_show(out, s, strlen(s));
}

static void found(void *ctx, const struct bag_finding *f)
{
    struct verifying *v = ctx;
    struct str *out = &v->call->out;
    const char *severity = f->severity == BAG_ERROR ? "error" : "warning";

    progress_wipe(&v->progress);
    if (v->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "bag", v->path);
        json_text(out, "severity", severity);
        json_name(out, "file", f->file);
        json_text(out, "rule", f->rule);
        json_text(out, "sentence", f->text);
        str_add(out, "}\n");
    } else {
        add_shown(out, v->path);
        str_add(out, ": ");
        add_shown(out, f->file);
        str_addf(out, "%s%s: %s (%s)\n", *f->file ? ": " : "", severity, f->text, f->rule);
    }
    if (out->len > 65536)
        verb_flush(v->call);
}

static void show_progress(void *ctx, uint64_t bytes, uint64_t of)
{
    struct verifying *v = ctx;

    progress_show(&v->progress, v->path, bytes, of);
}

static const char *answer(const struct verb_call *call, const struct bag_counts *c)
{
    if (!c->complete)
        return "not complete, see above";
    if (!c->valid)
        return "not valid, see above";
    return call->fast ? "complete; nothing was compared with its digest (--fast)" : "valid";
}

static void tell_counts(struct verifying *v, const struct bag_counts *c)
{
    struct str *out = &v->call->out;

    if (v->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "bag", v->path);
        json_num(out, "documents", (int64_t)c->files);
        json_num(out, "bytes", (int64_t)c->bytes);
        json_num(out, "errors", (int64_t)c->errors);
        json_num(out, "warnings", (int64_t)c->warnings);
        json_bool(out, "fetch", c->fetch);
        json_bool(out, "complete", c->complete);
        if (!v->call->fast)
            json_bool(out, "valid", c->valid);
        str_add(out, "}\n");
        return;
    }
    add_shown(out, v->path);
    str_addf(out, ": %" PRIu64 " documents, ", c->files);
    bytes_text(out, c->bytes);
    str_addf(out, ": %s\n", answer(v->call, c));
}

static void tell_unreadable(struct verifying *v, const struct error *err)
{
    struct str *out = &v->call->out;

    if (v->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "bag", v->path);
        json_text(out, "unreadable", error_text(err));
        str_add(out, "}\n");
    }
    if (!*v->call->error.text) {
        v->call->error = *err;
        error_prefix(&v->call->error, "%s", v->path);
    } else if (!v->call->json) {
        add_shown(out, v->path);
        str_add(out, ": unreadable: ");
        add_shown(out, error_text(err));
        str_addc(out, '\n');
    }
}

/* Returns the exit status for this one. */
static int verify_bag(struct verifying *v, const char *path)
{
    struct bag_options o = {.exe = v->call->env->self_exe,
                            .fast = v->call->fast,
                            .found = found,
                            .progress = show_progress,
                            .ctx = v};
    struct bag_counts c;
    struct error err = ERROR_INIT;
    struct recorded r;
    struct digest made;
    int rc;

    v->path = path;
    recorded_open(&r, v->call, path);
    if (recorded_digest(&r, path, &made))
        o.recorded = &made;
    recorded_close(&r);
    progress_start(&v->progress);
    rc = bag_check(AT_FDCWD, path, &o, &c, &err);
    progress_wipe(&v->progress);
    if (rc < 0) {
        tell_unreadable(v, &err);
        verb_flush(v->call);
        return EXIT_CANNOT;
    }
    tell_counts(v, &c);
    verb_flush(v->call);
    return c.errors ? EXIT_ATTENTION : EXIT_ORDER;
}

/* ---- what an argument is
 * --------------------------------------------------------------------- */

/* An archive is a file that is called one; a bag is a folder with a bagit.txt in it that is no
 * case, and in no cabinet also one that only has the data/ of a bag. */
static bool is_bag(const char *arg)
{
    AUTO_FREE char *declaration = xasprintf("%s/bagit.txt", arg);
    AUTO_FREE char *card = xasprintf("%s/Case.txt", arg);
    AUTO_FREE char *data = xasprintf("%s/data", arg);
    AUTO_FREE char *cabinet = NULL;
    struct error none = ERROR_INIT;
    struct stat st;

    if (stat(arg, &st) < 0)
        return scrub_is_archive(arg);
    if (S_ISDIR(st.st_mode) ? access(declaration, F_OK) == 0 && access(card, F_OK) < 0
                            : scrub_is_archive(arg))
        return true;
    if (S_ISDIR(st.st_mode) && access(data, F_OK) < 0)
        return false;
    cabinet = cabinet_find(arg, &none);
    return !cabinet;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

/* ---- scrub
 * ----------------------------------------------------------------------------------- */

struct scrubbing {
    struct verb_call *call;
    struct progress progress;
    struct recorded recorded;
    const char *folder;
    uint64_t archives, bytes, wrong, unreadable;
    char **bare; /* without a .sha256: looked at as bags, one by one, at the end */
    size_t bare_len, bare_cap;
};

static const char *scrub_sentence(const struct scrub_file *f, bool other)
{
    switch (f->answer) {
    case SCRUB_RIGHT:
        return other
                   ? "it is not the archive that was made: the journal of the case says other bytes"
                   : "as the .sha256 beside it says";
    case SCRUB_WRONG:
        return "its bytes are not what the .sha256 beside it says: it is damaged, or was changed";
    case SCRUB_MISSING:
        return "it is missing: only its .sha256 is there";
    default:
        return f->why;
    }
}

static void scrubbed(void *ctx, const struct scrub_file *f)
{
    struct scrubbing *s = ctx;
    struct str *out = &s->call->out;
    AUTO_FREE char *path = xasprintf("%s/%s", s->folder, f->path);
    char hex[DIGEST_HEX];
    struct digest made;
    bool other;

    if (f->answer == SCRUB_BARE) {
        GROW(s->bare, s->bare_len, s->bare_cap);
        s->bare[s->bare_len++] = xstrdup(path);
        return;
    }
    other = f->answer == SCRUB_RIGHT && recorded_digest(&s->recorded, path, &made) &&
            !digest_equal(&made, &f->digest);
    s->archives++;
    s->bytes += f->bytes;
    s->wrong += other || f->answer == SCRUB_WRONG || f->answer == SCRUB_MISSING;
    s->unreadable += f->answer == SCRUB_UNREADABLE;
    if (s->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "archive", f->path);
        json_num(out, "bytes", (int64_t)f->bytes);
        json_bool(out, "right", f->answer == SCRUB_RIGHT && !other);
        if (f->answer <= SCRUB_WRONG)
            json_text(out, "sha256", digest_hex(&f->digest, hex));
        json_text(out, "sentence", scrub_sentence(f, other));
        str_add(out, "}\n");
    } else if (f->answer != SCRUB_RIGHT || other) {
        progress_wipe(&s->progress);
        add_shown(out, f->path);
        str_addf(out, ": %s\n", scrub_sentence(f, other));
        verb_flush(s->call);
    }
}

static void scrub_progress(void *ctx, uint64_t bytes, uint64_t of)
{
    struct scrubbing *s = ctx;

    progress_show(&s->progress, s->folder, bytes, of);
}

/* Not even its .sha256 is there. */
static void vanished(void *ctx, const char *path)
{
    struct scrubbing *s = ctx;
    struct str *out = &s->call->out;
    static const char sentence[] = "an archive was made under this name, and it is not there";

    s->wrong++;
    if (s->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_name(out, "archive", path);
        json_bool(out, "right", false);
        json_text(out, "sentence", sentence);
        str_add(out, "}\n");
        return;
    }
    add_shown(out, path);
    str_addf(out, ": %s\n", sentence);
}

static void tell_scrub(struct scrubbing *s, int64_t ns)
{
    struct str *out = &s->call->out;
    double seconds = (double)ns / 1e9;
    uint64_t rate = seconds > 0 ? (uint64_t)((double)s->bytes / seconds) : 0;

    if (s->call->json) {
        str_addc(out, '{');
        json_num(out, "v", 1);
        json_num(out, "archives", (int64_t)s->archives);
        json_num(out, "bytes", (int64_t)s->bytes);
        json_num(out, "wrong", (int64_t)s->wrong);
        json_num(out, "unreadable", (int64_t)s->unreadable);
        json_num(out, "milliseconds", ns / NS_PER_MS);
        json_num(out, "bytes_per_second", (int64_t)rate);
        str_add(out, "}\n");
        return;
    }
    str_addf(out, "%" PRIu64 " archives, ", s->archives);
    bytes_text(out, s->bytes);
    str_add(out, ", ");
    bytes_text(out, rate);
    str_add(out, "/s: ");
    if (s->wrong || s->unreadable)
        str_addf(out, "%" PRIu64 " wrong, %" PRIu64 " unreadable\n", s->wrong, s->unreadable);
    else
        str_add(out, "all as their .sha256 say\n");
}

/* The archive folder that was given, or the cabinet's. NULL with call->error. */
static char *scrub_folder(struct verb_call *call)
{
    AUTO_FREE char *cabinet = NULL;

    if (call->argc)
        return xstrdup(call->args[0]);
    cabinet = verb_cabinet(call, -1);
    return cabinet ? xasprintf("%s/Archive", cabinet) : NULL;
}

static int scrub(struct verb_call *call)
{
    AUTO_FREE char *folder = scrub_folder(call);
    AUTO_CLOSE int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    struct scrubbing s = {.call = call, .folder = folder};
    struct scrub_options o = {.done = scrubbed, .progress = scrub_progress, .ctx = &s};
    int64_t start = env_ticks();
    int status;

    if (!folder)
        return EXIT_CANNOT;
    if (fd < 0) {
        error_set(&call->error, errno, "%s cannot be opened", folder);
        return EXIT_CANNOT;
    }
    recorded_open(&s.recorded, call, folder);
    progress_start(&s.progress);
    status = scrub_run(fd, &o, &call->error) < 0 ? EXIT_CANNOT : EXIT_ORDER;
    progress_wipe(&s.progress);
    recorded_missing(&s.recorded, folder, vanished, &s);
    recorded_close(&s.recorded);
    tell_scrub(&s, env_ticks() - start);
    if (s.unreadable)
        status = EXIT_CANNOT;
    else if (s.wrong && status == EXIT_ORDER)
        status = EXIT_ATTENTION;
    for (size_t i = 0; i < s.bare_len; i++) {
        struct verifying v = {.call = call};

        status = worse(status, verify_bag(&v, s.bare[i]));
        free(s.bare[i]);
    }
    free(s.bare);
    return status;
}

/* ---- the verb
 * -------------------------------------------------------------------------------- */

int verb_verify(struct verb_call *call)
{
    AUTO_FREE const char **cases = xcalloc((size_t)call->argc + 1, sizeof *cases);
    struct verb_call rest = *call;
    struct verifying v = {.call = call};
    int status = EXIT_ORDER, n = 0;

    if (call->all && call->argc > 1)
        return verb_fail(call, EXIT_USAGE, "--all takes one folder of archives, or none");
    if (call->all)
        return scrub(call);
    for (int i = 0; i < call->argc; i++) {
        if (is_bag(call->args[i]))
            status = worse(status, verify_bag(&v, call->args[i]));
        else
            cases[n++] = call->args[i];
    }
    if (n == 0 && call->argc)
        return status;
    if (call->fast)
        return verb_fail(call, EXIT_USAGE, "--fast is for archives and bags: a case is read whole");
    rest.args = cases;
    rest.argc = n;
    rest.out = (struct str)STR_INIT;
    status = worse(status, verb_verify_cases(&rest));
    str_addn(&call->out, str_c(&rest.out), rest.out.len);
    str_clear(&rest.out);
    call->lost = call->lost ? call->lost : rest.lost;
    if (*rest.error.text)
        call->error = rest.error;
    return status;
}
