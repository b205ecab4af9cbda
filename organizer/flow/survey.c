#include "flow/survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/io.h"
#include "cabinet/casename.h"
#include "flow/folders.h"
#include "flow/lookover.h"
#include "flow/notices.h"
#include "flow/since.h"
#include "flow/standing.h"
#include "publish/publish.h"
#include "text/texts.h"
#include "watch/scan.h"

#define SURVEY_OPEN_MAX 64 /* documents with the readers at once */

/* One run. */
struct run {
    struct survey *s;
    const struct survey_events *e;
    uv_loop_t loop;
    struct examiner *examiner;
    struct texts *texts;
    char **paths; /* of documents, from the cabinet down */
    size_t len, cap, next, under_way;
    uint64_t folders;
};

/* One document with the readers. */
struct asked {
    struct run *run;
    char *path;
    struct doc_stamp stamp;
    struct doc row;
    bool has_row;
    bool renamed; /* the row still has its former path */
    int fd;
    struct examination x;   /* while its text is read */
    struct content content; /* when said */
    bool said;
};

static int look_at_case(void *ctx, const struct case_row *row)
{
    struct survey *s = ctx;
    struct matter_look look;
    struct error err = ERROR_INIT;

    if (row->path && *row->path &&
        matters_look(s->matters, row->path, false, s->state, &look, &err) == 0)
        matter_look_clear(&look);
    return 0;
}

/* Who may not read it decides without. 0, or -1 with err when it can be read by them, and is not.
 */
static int open_state(struct survey *s, struct error *err)
{
    AUTO_FREE char *db = xasprintf("%s/state.db", s->cab.state_dir);
    struct error why = ERROR_INIT;

    if (access(db, R_OK) < 0)
        return 0;
    s->state = state_open(s->cab.state_dir, true, &why);
    if (s->state || why.number == ENOENT || why.number == EACCES || why.number == EPERM ||
        why.number == EROFS)
        return 0;
    *err = why;
    return -1;
}

/* What could not be read was taken for what is not there: nothing that was told counts. */
static int all_was_read(const struct survey *s, struct error *err)
{
    if (!s->state || state_failures(s->state) == 0)
        return 0;
    *err = *state_failure(s->state);
    return -1;
}

int survey_open(struct survey *s, const char *path, const struct env *env, struct error *err)
{
    memset(s, 0, sizeof *s);
    s->env = env;
    s->cab.root = s->cab.lock = s->cab.tree = -1;
    if (cabinet_open(&s->cab, path, env, err) < 0 ||
        gather_rules(s->cab.root, env, &s->rules, &s->lang, err) < 0)
        return -1;
    if (open_state(s, err) < 0)
        return -1;
    free(since_of_folders(&s->cab, s->state, env));
    s->matters = matters_new(s->cab.root, s->rules, s->lang);
    matters_set_naming(s->matters, s->cab.config.naming);
    matters_set_date_order(s->matters, s->cab.config.date_order);
    s->policy = gather_policy(&s->cab.config, env);
    return s->state && state_each_case(s->state, look_at_case, s, err) < 0 ? -1 : 0;
}

void survey_close(struct survey *s)
{
    matters_free(s->matters);
    state_close(s->state);
    rules_free(s->rules);
    lang_free(s->lang);
    cabinet_close(&s->cab);
    memset(s, 0, sizeof *s);
    s->cab.root = s->cab.lock = s->cab.tree = -1;
}

/* ---- first pass: folders and names
 * --------------------------------------------------------------- */

static void say(struct run *r, enum reason reason, const char *path, const struct notice_text *t)
{
    struct survey_notice n = {reason, path, t->sentence, t->help};

    if (r->e->notice)
        r->e->notice(r->e->ctx, &n);
}

static void tell(struct run *r, enum reason reason, const struct notice_about *about)
{
    struct notice_text t;

    notice_text_make(&t, r->s->lang, reason, about);
    say(r, reason, about->path, &t);
    notice_text_clear(&t);
}

/* What speaks against closing a case whose card says closed. */
static void look_over(struct run *r, struct matter *m)
{
    struct error err = ERROR_INIT;
    struct lookover l;

    if (!r->s->state || !m->known || m->closed || !m->card.closed || m->untouchable)
        return;
    lookover_init(&l, m);
    free(m->against);
    m->against = NULL;
    if (lookover_run(&l, r->s->cab.root, r->s->state, &err) < 0) {
        m->against = xstrdup(error_text(&err));
    } else {
        lookover_say(&l, r->s->lang);
        m->against = l.against_len && !m->card.close_anyway ? lookover_text(&l) : NULL;
    }
    lookover_clear(&l);
}

static void tell_case(struct run *r, struct matter *m)
{
    struct notice_text t;

    look_over(r, m);

    for (const enum reason *reason = notice_case_reasons; *reason != REASON_NONE; reason++) {
        if (!notice_of_case(&t, r->s->matters, m, r->s->lang, *reason))
            continue;
        say(r, *reason, m->facts.path, &t);
        notice_text_clear(&t);
    }
}

static void look_at_folder(struct run *r, const char *path)
{
    struct survey *s = r->s;
    bool fresh = !matters_by_path(s->matters, path) && casename_could_be(path) &&
                 cabinet_came_after(&s->cab, path);
    struct matter_look look;
    struct error err = ERROR_INIT;

    if (matters_look(s->matters, path, fresh, s->state, &look, &err) < 0)
        return;
    if (look.event == MATTER_NEAR_MISS)
        tell(r, REASON_NEAR_MISS, &(struct notice_about){.path = path, .other = look.would});
    else if (look.matter)
        tell_case(r, look.matter);
    matter_look_clear(&look);
}

static bool on_enter(void *ctx, const char *path, int dirfd)
{
    struct run *r = ctx;
    struct survey *s = r->s;
    const char *slash = strrchr(path, '/');
    struct matter *home = matters_of(s->matters, path, NULL);

    (void)dirfd;
    if (*path && decide_is_ignored(s->rules, slash ? slash + 1 : path, true, NULL))
        return false;
    r->folders++;
    if (r->e->progress && r->folders % 256 == 0)
        r->e->progress(r->e->ctx, r->folders, r->next);
    if (!*path || (home && strcmp(home->facts.path, path) != 0))
        return !home || !home->untouchable;
    look_at_folder(r, path);
    return true;
}

/* A part of the path that is not entered (".organizer", ".recycle"), or its own name: the rule that
 * says so; NULL when there is none. */
static const char *ignored_by(struct survey *s, const char *path)
{
    const char *why = NULL;

    for (const char *p = path, *slash; !why; p = slash + 1) {
        AUTO_FREE char *part = NULL;

        slash = strchrnul(p, '/');
        part = xmemdup0(p, (size_t)(slash - p));
        if (decide_is_ignored(s->rules, part, *slash == '/', &why) || !*slash)
            break;
    }
    return why;
}

/* Why nothing is decided about the file at path, for a person; NULL when something is. Caller
 * frees. */
static char *not_a_document(struct survey *s, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *inside, *rule = ignored_by(s, path);
    struct matter *home;
    enum zone zone = matters_zone(s->matters, path, &home, &inside);
    bool top = home ? !strchr(inside, '/') : !slash;

    if (rule)
        return xasprintf("no notice is taken of it (rule %s)", rule);
    if (top && publish_is_own_name(name))
        return xstrdup("it is a page that the organizer makes");
    if (home && home->untouchable)
        return xstrdup("it lies in a copy of another case, which is not touched");
    if (home && top && strcmp(name, CARD_NAME) == 0)
        return xstrdup("it is the card of the case");
    if (zone == ZONE_OUTSIDE)
        return xstrdup("it lies in no case and in no Inbox");
    return NULL;
}

/* Returns whether the file at path is a document; tells why not. */
static bool is_document(struct run *r, const char *path)
{
    AUTO_FREE char *why = not_a_document(r->s, path);

    if (why && r->e->ignored)
        r->e->ignored(r->e->ctx, path, why);
    return !why;
}

static void add_document(struct run *r, const char *path, mode_t mode, uint64_t nlink)
{
    struct notice_about about = {.path = path};

    if (!S_ISREG(mode)) {
        about.why = notice_other_kind(r->s->lang, mode);
        tell(r, REASON_LINK, &about);
    } else if (nlink > 1) {
        tell(r, REASON_HARD_LINK, &about);
    } else {
        GROW(r->paths, r->len, r->cap);
        r->paths[r->len++] = xstrdup(path);
    }
}

/* Or gone, or not ours to open. */
static bool is_empty(int dirfd, const char *name)
{
    DIR *d = io_list_own(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct dirent *e;
    int more = d ? io_next(d, &e) : -1;
    bool empty = more == 0 || (more < 0 && io_is_lasting(errno));

    if (d)
        closedir(d);
    return empty;
}

/* A folder that was dropped into an Inbox. */
static void tell_dropped(struct run *r, const struct scan_entry *e, int dirfd)
{
    struct matter *home;
    const char *inside, *other;
    enum zone zone = matters_zone(r->s->matters, e->path, &home, &inside);
    enum reason reason;

    if ((zone != ZONE_OFFICE_INBOX && zone != ZONE_CASE_INBOX) || is_empty(dirfd, e->name))
        return;
    reason = folder_reason(r->s->matters, r->s->cab.root, e->path, r->s->lang, NULL, &other);
    if (reason != REASON_NONE)
        tell(r, reason, &(struct notice_about){.path = e->path, .other = other});
}

static void tell_loose(struct run *r, const struct scan_entry *e)
{
    struct survey *s = r->s;

    if (S_ISREG(e->mode) && !ignored_by(s, e->path) && !publish_is_own_name(e->path) &&
        strcmp(e->path, CARD_NAME) != 0 &&
        matters_zone(s->matters, e->path, NULL, NULL) == ZONE_OUTSIDE &&
        notice_is_loose_told(&s->cab, e->path, &e->stamp, env_disk_now(s->env)))
        tell(r, REASON_NO_CASE, &(struct notice_about){.path = e->path});
}

static void on_entry(void *ctx, const struct scan_entry *e, int dirfd)
{
    struct run *r = ctx;

    if (S_ISDIR(e->mode) && !decide_is_ignored(r->s->rules, e->name, true, NULL))
        tell_dropped(r, e, dirfd);
    if (S_ISDIR(e->mode) && e->mount && !decide_is_ignored(r->s->rules, e->name, true, NULL))
        tell(r, REASON_OTHER_DISK, &(struct notice_about){.path = e->path});
    if (!S_ISDIR(e->mode) && is_document(r, e->path))
        add_document(r, e->path, e->mode, e->nlink);
    else if (!S_ISDIR(e->mode))
        tell_loose(r, e);
}

static void on_leave(void *ctx, const char *path, bool gone, int error)
{
    struct run *r = ctx;

    if (error && !gone)
        tell(r, REASON_NO_PERMISSION, &(struct notice_about){.path = path, .why = strerror(error)});
}

/* scan_run() returns behind it: nothing is left to do. */
static void on_scanned(void *ctx)
{
    (void)ctx;
}

static int first_pass(struct run *r, const char *below, struct error *err)
{
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_scanned,
                            .ctx = r};
    struct scan *scan = scan_start(&r->loop, r->s->cab.root, below, true, &e, err);

    if (!scan)
        return -1;
    scan_run(scan);
    scan_free(scan);
    return 0;
}

/* ---- second pass: documents
 * ---------------------------------------------------------------------- */

static bool may_name(const struct survey *s, const struct gathered *g, const struct doc *row,
                     const struct doc_stamp *stamp)
{
    bool inbox = g->facts.zone == ZONE_OFFICE_INBOX || g->facts.zone == ZONE_CASE_INBOX;

    if (s->cab.config.mode != MODE_ENFORCE)
        return false;
    return row ? !row->before && (inbox || row->state != DOC_FILED || g->facts.named_lately)
               : !gather_was_before(&s->cab, g->home, stamp);
}

/* A person renamed it, and no sweep has seen that yet. */
static void heed_renaming(const struct asked *a, struct facts *facts)
{
    const char *slash;

    if (!a->renamed)
        return;
    slash = strrchr(a->row.path, '/');
    facts->undone = false;
    if (a->row.state == DOC_FILED && facts->zone != ZONE_CASE_INBOX &&
        strcmp(slash ? slash + 1 : a->row.path, facts->name) != 0)
        facts->by_hand = true;
}

/* What was found when it was to be filed says more than what the rules would do with it. */
static void heed_row(const struct asked *a, struct decision *d)
{
    const struct doc *row = &a->row;
    bool held = row->reason == REASON_VETOED || row->reason == REASON_FOUGHT_OVER ||
                row->reason == REASON_NO_PERMISSION || row->reason == REASON_TWO_NAMES ||
                row->reason == REASON_NOT_KEPT;

    if (!a->has_row || !held || d->action != ACTION_FILE ||
        !doc_stamp_equal(&row->stamp, &a->stamp))
        return;
    free(d->sentence);
    free(d->help);
    d->action = ACTION_LIST;
    d->reason = row->reason;
    d->sentence = xstrdup(row->sentence);
    d->help = xstrdup(row->help);
}

static void on_text(void *ctx, const struct content *c, int text);

/* What it says decides, or is to be explained, and was not read yet: it is being read. */
static bool reads_text(struct asked *a, const struct examination *x, const struct gathered *g,
                       const struct decision *d)
{
    bool wanted =
        d->wants_content || d->unchecked || (a->run->e->explain && !g->facts.content);

    if (!wanted || a->said || x->status != EXAMINE_DONE || !texts_knows(x->kind))
        return false;
    a->x = *x;
    texts_submit(a->run->texts, a->fd, x->kind, true, on_text, a);
    return true;
}

/* False when it is judged later, with what it says. */
static bool judge(struct asked *a, const struct examination *x)
{
    struct survey *s = a->run->s;
    struct gather_from from = {s->env, &s->cab.config, s->matters, s->state, s->cab.root};
    struct gather_doc doc = {.path = a->path,
                             .stamp = &a->stamp,
                             .x = x,
                             .row = a->has_row ? &a->row : NULL,
                             .content = a->said ? &a->content : NULL};
    struct gathered g;
    struct decision d;
    bool later;

    gather(&from, &doc, NULL, &g);
    heed_renaming(a, &g.facts);
    decide(s->rules, s->lang, &s->policy, &g.facts, a->run->e->explain, &d);
    if (d.action == ACTION_FILE && d.target && d.target != g.facts.home) {
        const struct matter *target = matters_by_id(s->matters, d.target->id);

        gather_clear(&g);
        decision_clear(&d);
        gather(&from, &doc, target, &g);
        heed_renaming(a, &g.facts);
        decide(s->rules, s->lang, &s->policy, &g.facts, a->run->e->explain, &d);
    }
    later = reads_text(a, x, &g, &d);
    heed_row(a, &d);
    struct survey_doc told = {.path = a->path,
                              .facts = &g,
                              .x = x,
                              .row = doc.row,
                              .stamp = &a->stamp,
                              .decision = &d,
                              .may_name = may_name(s, &g, doc.row, &a->stamp)};
    if (!later)
        a->run->e->document(a->run->e->ctx, &told);
    decision_clear(&d);
    gather_clear(&g);
    return !later;
}

static void asked_free(struct asked *a)
{
    a->run->under_way--;
    if (a->fd >= 0)
        close(a->fd);
    if (a->has_row)
        doc_clear(&a->row);
    content_clear(&a->content);
    free(a->path);
    free(a);
}

static void ask_more(struct run *r);

static void on_answer(void *ctx, const struct examination *x)
{
    struct asked *a = ctx;
    struct run *r = a->run;

    if (judge(a, x))
        asked_free(a);
    ask_more(r);
}

static void on_text(void *ctx, const struct content *c, int text)
{
    struct asked *a = ctx;
    struct run *r = a->run;

    (void)text;
    content_copy(&a->content, c);
    rules_mark(r->s->rules, &a->content);
    a->said = true;
    judge(a, &a->x);
    asked_free(a);
    ask_more(r);
}

/* The file of the row is not where the row says. */
static bool has_left(struct survey *s, const struct matter *home, const struct doc *row)
{
    AUTO_FREE char *path =
        home ? xasprintf("%s/%s", home->facts.path, row->path) : xstrdup(row->path);
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(s->cab.root, path, &name);
    struct doc_stamp now;

    return dir < 0 || doc_stamp_take(-1, dir, name, &now) < 0 ||
           !doc_stamp_same_file(&now, &row->stamp);
}

static void find_row(struct asked *a)
{
    struct survey *s = a->run->s;
    struct matter *home;
    const char *inside, *id;
    struct error err = ERROR_INIT;

    matters_zone(s->matters, a->path, &home, &inside);
    if (!s->state || !inside)
        return;
    id = home ? home->facts.id : "";
    a->has_row = state_doc_by_path(s->state, id, inside, &a->row, &err) > 0;
    if (a->has_row || state_doc_by_inode(s->state, &a->stamp, &a->row, &err) <= 0)
        return;
    a->has_row = a->renamed = strcmp(a->row.case_id, id) == 0 && has_left(s, home, &a->row);
    if (!a->has_row)
        doc_clear(&a->row);
}

/* Opens the document and asks the readers, or judges by what is known. */
static void ask(struct run *r, char *path)
{
    struct asked *a = xcalloc(1, sizeof *a);
    struct examination x = {.status = EXAMINE_FAILED};

    a->run = r;
    a->path = path;
    r->under_way++;
    a->fd = beneath_open(r->s->cab.root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (a->fd < 0 || doc_stamp_take(a->fd, -1, NULL, &a->stamp) < 0) {
        if (errno != ENOENT)
            tell(r, REASON_NO_PERMISSION,
                 &(struct notice_about){.path = path, .why = strerror(errno)});
        asked_free(a);
        return;
    }
    find_row(a);
    if (a->has_row && gather_is_read(&a->row, &a->stamp)) {
        x = gather_read(&a->row);
        if (judge(a, &x))
            asked_free(a);
        return;
    }
    examiner_submit(r->examiner, a->fd, a->stamp.size, true, on_answer, a);
}

static void ask_more(struct run *r)
{
    while (r->next < r->len && r->under_way < SURVEY_OPEN_MAX) {
        char *path = r->paths[r->next];

        r->paths[r->next++] = NULL;
        ask(r, path);
        if (r->e->progress && r->next % 64 == 0)
            r->e->progress(r->e->ctx, r->folders, r->next);
    }
}

static int second_pass(struct run *r, struct error *err)
{
    AUTO_FREE char *magic = xasprintf("%s/documents.magic", r->s->env->rules_dir);
    struct examiner_options o = {.magic_file = magic,
                                 .exe = "/proc/self/exe",
                                 .digesters = 2,
                                 .classifiers = 2,
                                 .idle_ms = 1000,
                                 .stall_ms = 20000};
    struct texts_options to = {.parsers = 2, .idle_ms = 1000, .stall_ms = 10000};

    r->examiner = examiner_new(&r->loop, &o, err);
    if (!r->examiner)
        return -1;
    r->texts = texts_new(&r->loop, &to);
    ask_more(r);
    while (r->under_way > 0 || r->next < r->len) {
        uv_run(&r->loop, UV_RUN_ONCE);
        ask_more(r);
    }
    examiner_free(r->examiner);
    texts_free(r->texts);
    return 0;
}

int survey_cases(struct survey *s, const struct survey_events *e, struct error *err)
{
    struct run r = {.s = s, .e = e};
    int rc;

    if (uv_loop_init(&r.loop) < 0)
        return error_set(err, 0, "no event loop");
    rc = first_pass(&r, "", err);
    if (rc == 0)
        rc = all_was_read(s, err);
    for (size_t i = 0; i < r.len; i++)
        free(r.paths[i]);
    free(r.paths);
    uv_run(&r.loop, UV_RUN_NOWAIT);
    uv_loop_close(&r.loop);
    return rc;
}

/* ---- one run --------------------------------------------------------------------------------- */

/* The case around one path, when the private state does not know it. */
static void look_upward(struct survey *s, const char *path)
{
    AUTO_FREE char *p = xstrdup(path);
    struct error err = ERROR_INIT;

    for (char *slash = p; (slash = strchr(slash, '/')); slash++) {
        struct matter_look look;

        *slash = '\0';
        if (matters_look(s->matters, p, false, s->state, &look, &err) == 0)
            matter_look_clear(&look);
        *slash = '/';
    }
}

/* What lies at path. 0, or -1 with err. */
static int look_for(struct survey *s, const char *path, struct stat *st, struct error *err)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(s->cab.root, path, &name);
    int rc = dir < 0 ? -1 : *path ? fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) : fstat(dir, st);

    return rc < 0 ? error_set(err, errno, "%s cannot be looked at", *path ? path : s->cab.path) : 0;
}

int survey_run(struct survey *s, const char *below, const struct survey_events *e,
               struct error *err)
{
    struct run r = {.s = s, .e = e};
    struct stat st = {0};
    int rc = 0;

    if (look_for(s, below, &st, err) < 0)
        return -1;
    if (uv_loop_init(&r.loop) < 0)
        return error_set(err, 0, "no event loop");
    look_upward(s, below);
    if (S_ISDIR(st.st_mode))
        rc = first_pass(&r, below, err);
    else if (is_document(&r, below))
        add_document(&r, below, st.st_mode, st.st_nlink);
    if (rc == 0 && !*below)
        rc = standing_tell(s, e, false, err);
    if (rc == 0)
        rc = second_pass(&r, err);
    if (rc == 0)
        rc = all_was_read(s, err);
    for (size_t i = r.next; i < r.len; i++)
        free(r.paths[i]);
    free(r.paths);
    uv_run(&r.loop, UV_RUN_NOWAIT);
    uv_loop_close(&r.loop);
    return rc;
}
