/*
 * retiring: a closed case whose archive was verified again moves to Closed/YEAR, by one rename, and
 * back. It stays a case with its identity, its journal and its pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "archive/bag.h"
#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "cabinet/cabinet.h"
#include "flow/internal.h"
#include "flow/lookover.h"
#include "flow/night_step.h"
#include "record/state_archive.h"

struct retiring {
    struct flow *flow;
    uv_work_t work;
    struct lookover look; /* whether anybody has something open */
    struct archive_row archive;
    bool back;    /* to where it was */
    char *why;    /* it is not moved */
    bool is_good; /* the archive was verified now */
    char *from;
    char *was;    /* back: where it lay before it was retired, by its journal; or NULL */
    step_done *done;
    void *ctx;
};

bool flow_is_retired(const struct matter *m)
{
    return strncmp(m->facts.path, RETIRED_NAME "/", sizeof RETIRED_NAME) == 0;
}

const char *flow_not_retirable(struct flow *f, const struct matter *m)
{
    struct error err = ERROR_INIT;
    struct archive_row row;
    int rc;

    if (m->untouchable || m->opening || m->recording || m->moving || m->renaming || !m->known)
        return "it is being changed just now";
    if (!m->closed)
        return "it is not closed";
    if (m->card.hold)
        return "it is on hold, and stays where it is";
    if (flow_is_retired(m))
        return "it is retired already";
    if (m->reason == REASON_TAMPERED)
        return "its history was changed by something other than the organizer";
    rc = state_archive_last(f->state, m->facts.id, &row, &err);
    if (rc > 0 && row.intermediate)
        rc = 0;
    archive_row_clear(&row);
    if (rc < 0)
        return "the private state cannot be read";
    return rc == 0 ? "it has no archive yet: organizer archive makes one" : NULL;
}

/* ---- beside the loop ------------------------------------------------------------------------- */

/* The archive's own bytes against what the journal said of them. */
static char *compare_digest(const struct retiring *r, int fd)
{
    struct digest d;

    if (digest_of_fd(fd, &d) < 0)
        return xasprintf("its archive %s cannot be read: %s", r->archive.path, strerror(errno));
    if (!digest_equal(&d, &r->archive.digest))
        return xasprintf("its archive %s is not what was written: verify it", r->archive.path);
    return NULL;
}

static void first_error(void *ctx, const struct bag_finding *f)
{
    char **why = ctx;

    if (!*why && f->severity == BAG_ERROR)
        *why = xasprintf("its archive is not in order: %s%s%s", f->file, *f->file ? ": " : "",
                         f->text);
}

/* As `organizer verify` does: entry by entry, in a sandboxed process. */
static char *check_bag(const struct retiring *r)
{
    struct error err = ERROR_INIT;
    struct bag_counts counts;
    char *why = NULL;
    struct bag_options o = {.exe = "/proc/self/exe", .found = first_error, .ctx = &why};

    if (bag_check(r->flow->cab.root, r->archive.path, &o, &counts, &err) < 0) {
        free(why);
        return xasprintf("its archive cannot be verified: %s", error_text(&err));
    }
    if (counts.valid) {
        free(why);
        return NULL;
    }
    return why ? why : xstrdup("its archive is not in order: organizer verify says more");
}

static char *check_archive(const struct retiring *r)
{
    AUTO_CLOSE int fd = beneath_open(r->flow->cab.root, r->archive.path, O_RDONLY, 0);
    char *why;

    if (fd < 0)
        return xasprintf("its archive %s is not there: %s", r->archive.path, strerror(errno));
    why = compare_digest(r, fd);
    return why ? why : check_bag(r);
}

static int take_line(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number)
{
    struct retiring *r = ctx;
    const char *kind = json_get_text(line, "kind");

    (void)raw, (void)len, (void)number;
    if (kind && strcmp(kind, "retired") == 0) {
        free(r->was);
        r->was = json_get_name(line, "from_cabinet");
    }
    return 0;
}

/* Where it lay: the last time counts. A journal that cannot be read tells nothing. */
static void read_was(struct retiring *r)
{
    AUTO_CLOSE int fd =
        beneath_open(r->flow->cab.root, r->look.path, O_RDONLY | O_DIRECTORY, 0);
    struct error err = ERROR_INIT;

    if (fd >= 0)
        (void)journal_each(fd, take_line, r, &err);
}

static void check(uv_work_t *w)
{
    struct retiring *r = w->data;
    struct error err = ERROR_INIT;

    if (r->back)
        read_was(r);

    if (lookover_run(&r->look, r->flow->cab.root, NULL, &err) < 0)
        r->why = xstrdup(error_text(&err));
    else if (r->look.busy.len)
        r->why = xasprintf("%s is open", r->look.busy.names[0]);
    else if (r->look.unknown.len)
        r->why = xasprintf("%s cannot be looked at", r->look.unknown.names[0]);
    else if (!r->back)
        r->why = check_archive(r);
    r->is_good = !r->why && !r->back;
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static void retiring_free(struct retiring *r)
{
    lookover_clear(&r->look);
    archive_row_clear(&r->archive);
    free(r->why);
    free(r->from);
    free(r->was);
    free(r);
}

/* Answers, and frees it. */
static void end(struct retiring *r, enum step step, const char *text)
{
    r->done(r->ctx, &(struct step_result){.step = step, .text = text, .count = step == STEP_DONE});
    retiring_free(r);
}

/* It lies elsewhere now: memory, watches and pages follow; the row and the journal did. */
static void follow(struct flow *f, const char *from, const char *to)
{
    struct error err = ERROR_INIT;
    struct matter_look look;

    flow_unnotice_all(f, from);
    if (matters_look(f->matters, to, false, f->state, &look, &err) == 0) {
        if (look.matter) {
            flow_notice_case(f, look.matter);
            flow_touch(f, look.matter);
        }
        matter_look_clear(&look);
    }
    flow_touch(f, NULL);
    if (f->watcher)
        watcher_forget(f->watcher, from);
    flow_scan(f, to);
}

static void moved(void *ctx, struct act *a)
{
    struct retiring *r = ctx;
    struct flow *f = r->flow;
    struct matter *m = matters_by_id(f->matters, r->look.id);

    if (m)
        m->moving = false;
    if (a->status != ACT_DONE) {
        if (a->error.number == EEXIST || strstr(a->error.text, "that name already"))
            end(r, STEP_LEFT, "there is something of its name already where it would go");
        else
            end(r, STEP_LEFT, error_text(&a->error));
        return;
    }
    log_line(&f->log, LOG_NOTICE, r->back ? "case moved back" : "case retired", "from", r->from,
             "to", a->to, NULL);
    follow(f, r->from, a->to);
    end(r, STEP_DONE, a->to);
}

/* Closed/2026, by the year in which it was closed. Caller frees. */
static char *retired_folder(struct flow *f, const struct matter *m)
{
    struct date d = date_parse_iso(m->card.closed_on);

    flow_keep_today(f);
    return xasprintf(RETIRED_NAME "/%d",
                     date_is_set(d) && date_exists(d) ? d.year : f->policy.today.year);
}

static void move(struct retiring *r, struct matter *m, const char *folder, const char *name)
{
    struct flow *f = r->flow;
    struct act *a = act_new(ACT_FOLDER);

    a->from = xstrdup(m->facts.path);
    a->to_folder = xstrdup(folder);
    a->to_name = xstrdup(name);
    a->exact = true;
    a->stamp = m->stamp;
    a->case_path = xstrdup(m->facts.path);
    memcpy(a->doc.case_id, m->facts.id, strlen(m->facts.id) + 1);
    journal_body(&a->journal, env_now(f->env), r->back ? "unretired" : "retired");
    json_name(&a->journal, "from_cabinet", m->facts.path);
    if (!r->back)
        json_name(&a->journal, "archive", r->archive.path);
    a->done = moved;
    a->ctx = r;
    m->moving = true;
    filer_submit(f->filer, a);
}

static void move_away(struct retiring *r, struct matter *m)
{
    AUTO_FREE char *folder = retired_folder(r->flow, m);
    const char *slash = strrchr(m->facts.path, '/');

    move(r, m, folder, slash ? slash + 1 : m->facts.path);
}

static void move_back(struct retiring *r, struct matter *m)
{
    const char *slash = r->was ? strrchr(r->was, '/') : NULL;
    AUTO_FREE char *folder = slash ? xmemdup0(r->was, (size_t)(slash - r->was)) : xstrdup("");
    const char *name = strrchr(m->facts.path, '/') + 1;

    move(r, m, folder, name);
}

/* That the archive was read and found right. */
struct verified {
    char id[CASE_ID_SIZE];
    char *path, *line;
    int64_t now_ns;
};

static int put_verified(void *ctx, struct state *s, struct error *err)
{
    const struct verified *v = ctx;

    return state_archive_verified(s, v->path, v->now_ns, err) < 0
               ? -1
               : state_outbox_add(s, v->id, v->line, err);
}

static void verified_put(void *ctx, struct act *a)
{
    struct verified *v = ctx;

    (void)a; /* else it is read once more the next time */
    free(v->path);
    free(v->line);
    free(v);
}

static void remember_verified(struct retiring *r)
{
    struct flow *f = r->flow;
    struct verified *v = xcalloc(1, sizeof *v);
    struct str line = STR_INIT;
    char hex[DIGEST_HEX];
    struct act *a = act_new(ACT_CALL);

    memcpy(v->id, r->look.id, sizeof v->id);
    v->path = xstrdup(r->archive.path);
    v->now_ns = env_now(f->env);
    journal_body(&line, v->now_ns, "verified");
    json_name(&line, "archive", r->archive.path);
    json_text(&line, "archive_sha256", digest_hex(&r->archive.digest, hex));
    v->line = str_detach(&line);
    a->call = put_verified;
    a->done = verified_put;
    a->ctx = v;
    filer_submit(f->filer, a);
}

static void after_check(uv_work_t *w, int status)
{
    struct retiring *r = w->data;
    struct flow *f = r->flow;
    struct matter *m = matters_by_id(f->matters, r->look.id);
    const char *why_not = NULL;

    if (r->is_good && f->started)
        remember_verified(r);
    if (status < 0)
        why_not = "there is no thread for it";
    else if (r->why)
        why_not = r->why;
    else if (!m || !f->started || f->stopping)
        why_not = "the organizer stops";
    else if (!r->back)
        why_not = flow_not_retirable(f, m);
    if (why_not)
        end(r, STEP_LEFT, why_not);
    else if (r->back)
        move_back(r, m);
    else
        move_away(r, m);
}

static void begin(struct flow *f, struct matter *m, bool back, step_done *done, void *ctx)
{
    struct retiring *r = xcalloc(1, sizeof *r);
    struct error err = ERROR_INIT;

    r->flow = f;
    r->work.data = r;
    r->back = back;
    r->from = xstrdup(m->facts.path);
    r->done = done;
    r->ctx = ctx;
    lookover_init(&r->look, m);
    if (!back && state_archive_last(f->state, m->facts.id, &r->archive, &err) <= 0)
        end(r, STEP_LEFT, "it has no archive yet");
    else if (uv_queue_work(f->loop, &r->work, check, after_check) < 0)
        after_check(&r->work, UV_ENOMEM);
}

void flow_retire(struct flow *f, struct matter *m, step_done *done, void *ctx)
{
    const char *why_not = flow_not_retirable(f, m);

    if (why_not)
        done(ctx, &(struct step_result){.step = STEP_LEFT, .text = why_not});
    else
        begin(f, m, false, done, ctx);
}

void flow_unretire(struct flow *f, struct matter *m, step_done *done, void *ctx)
{
    begin(f, m, true, done, ctx);
}
