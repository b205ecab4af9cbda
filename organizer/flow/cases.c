/* cases: folders that are, become, cease to be, or nearly are cases; notices about them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "flow/internal.h"

/* ---- notices ------------------------------------------------------------------------------------
 */

static char *notice_key(enum reason reason, const char *path)
{
    return xasprintf("%s\n%s", reason_code(reason), path);
}

void flow_notice(struct flow *f, enum reason reason, const char *path, char *sentence, char *help)
{
    AUTO_FREE char *key = notice_key(reason, path);
    struct flow_notice *n;

    HASH_FIND_STR(f->notices, key, n);
    if (n && strcmp(n->n.sentence, sentence) == 0) {
        free(sentence);
        free(help);
        return;
    }
    if (n) {
        notice_clear(&n->n);
    } else {
        n = xcalloc(1, sizeof *n);
        n->key = key;
        key = NULL;
        HASH_ADD_KEYPTR(hh, f->notices, n->key, strlen(n->key), n);
    }
    n->n = (struct notice){
        .reason = reason, .path = xstrdup(path), .sentence = sentence, .help = help};
    log_line(&f->log, LOG_NOTICE, "needs attention", "folder", path, "reason", reason_code(reason),
             "why", sentence, NULL);
    flow_touch(f, matters_of(f->matters, path, NULL));
    flow_touch(f, NULL);
}

void flow_unnotice(struct flow *f, enum reason reason, const char *path)
{
    AUTO_FREE char *key = notice_key(reason, path);
    struct flow_notice *n;

    HASH_FIND_STR(f->notices, key, n);
    if (!n)
        return;
    HASH_DEL(f->notices, n);
    notice_clear(&n->n);
    free(n->key);
    free(n);
    flow_touch(f, matters_of(f->matters, path, NULL));
    flow_touch(f, NULL);
}

static void notice_about(struct flow *f, enum reason reason, const char *path, const char *other,
                         const char *why)
{
    AUTO_FREE char *key = xasprintf("reason.%s", reason_code(reason));
    AUTO_FREE char *help = xasprintf("help.%s", reason_code(reason));
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    flow_notice(f, reason, path,
                lang_format(f->lang, key, "name", name, "path", path, "other", other, "case", path,
                            "why", why, "folder", name, NULL),
                lang_format(f->lang, help, "name", name, "path", path, "other", other, "case", path,
                            "why", why, "folder", name, NULL));
}

/* ---- cards --------------------------------------------------------------------------------------
 */

static void tell_card_problems(struct flow *f, struct matter *m)
{
    AUTO_STR struct str text = STR_INIT;

    for (size_t i = 0; i < m->seen.problems_len; i++)
        str_addf(&text, "%sline %u: %s", i ? "; " : "", m->seen.problems[i].line,
                 m->seen.problems[i].text);
    if (text.len)
        notice_about(f, REASON_CARD, m->facts.path, "", str_c(&text));
    else
        flow_unnotice(f, REASON_CARD, m->facts.path);
}

static int decide_again(void *ctx, const struct doc *d)
{
    struct flow *f = ctx;
    struct matter *m = matters_by_id(f->matters, d->case_id);

    if (d->state != DOC_LISTED && d->state != DOC_WAITING)
        return 0;
    AUTO_FREE char *path = m ? xasprintf("%s/%s", m->facts.path, d->path) : xstrdup(d->path);
    flow_hint(f, path, true);
    return 0;
}

/* A card changed or a case came: what was listed there or in the office Inbox may be clear now. */
static void decide_listed_again(struct flow *f, const char *case_id)
{
    struct error err = ERROR_INIT;

    if (case_id)
        state_each_doc(f->state, case_id, false, decide_again, f, &err);
    state_each_doc(f->state, "", false, decide_again, f, &err);
}

void flow_card_changed(struct flow *f, const char *card_path)
{
    const char *slash = strrchr(card_path, '/');
    AUTO_FREE char *dir = slash ? xmemdup0(card_path, (size_t)(slash - card_path)) : xstrdup("");

    if (!*dir)
        return;
    if (!matters_by_path(f->matters, dir))
        flow_scan(f, dir);
    else
        flow_folder(f, dir, false);
}

/* ---- opening
 * ------------------------------------------------------------------------------------- */

struct opening {
    struct flow *flow;
    char *path;
    bool renamed; /* a known case under another path: not opened now */
    flow_answer *answer;
    void *ctx;
};

static void opened(void *ctx, struct act *a)
{
    struct opening *o = ctx;
    struct flow *f = o->flow;

    if (a->status == ACT_DONE) {
        struct matter *m = matters_by_path(f->matters, o->path);

        if (!o->renamed)
            log_line(&f->log, LOG_NOTICE, "case opened", "folder", o->path, NULL);
        if (m) {
            m->known = true;
            if (!o->renamed)
                flow_tell_case(f, "case-opened", m, "");
        }
        flow_touch(f, m);
        flow_touch(f, NULL);
        flow_scan(f, o->path);
        decide_listed_again(f, NULL);
    } else {
        log_line(&f->log, LOG_ERROR, "case could not be opened", "folder", o->path, "error",
                 error_text(&a->error), NULL);
    }
    if (o->answer)
        o->answer(o->ctx, a->status == ACT_DONE ? 0 : 3,
                  a->status == ACT_DONE ? o->path : error_text(&a->error));
    free(o->path);
    free(o);
}

/* Writes the case's row and the first line of its journal. */
static void record_case(struct flow *f, struct matter *m, const char *kind, const char *was,
                        flow_answer *answer, void *ctx)
{
    struct act *a = act_new(ACT_CASE);
    struct opening *o = xcalloc(1, sizeof *o);
    struct error err = ERROR_INIT;

    if (state_case_get(f->state, m->facts.id, &a->row, &err) <= 0) {
        snprintf(a->row.id, sizeof a->row.id, "%s", m->facts.id);
        a->row.next_doc = 1;
        a->row.adopted_as_is = m->adopted_as_is;
    }
    free(a->row.path);
    a->row.path = xstrdup(m->facts.path);
    if (was) {
        free(a->row.former);
        a->row.former = matter_former(m);
        a->row.renamed_told = false;
    }
    a->row.dev = m->stamp.dev;
    a->row.ino = m->stamp.ino;
    a->row.birth_ns = m->stamp.birth_ns;
    snprintf(a->doc.case_id, sizeof a->doc.case_id, "%s", m->facts.id);
    a->case_path = xstrdup(m->facts.path);
    if (kind) {
        journal_body(&a->journal, env_now(f->env), kind);
        json_text(&a->journal, "case", m->facts.id);
        json_name(&a->journal, "folder", m->facts.path);
        if (was)
            json_name(&a->journal, "was", was);
    }
    o->flow = f;
    o->path = xstrdup(m->facts.path);
    o->renamed = was != NULL;
    o->answer = answer;
    o->ctx = ctx;
    a->done = opened;
    a->ctx = o;
    m->known = true;
    filer_submit(f->filer, a);
}

/* The drop box: people have to see where to drop. Other folders are made when first needed. */
static int make_inbox(int dir, const char *path, struct error *err)
{
    if (mkdirat(dir, INBOX_NAME, 0777) < 0 && errno != EEXIST)
        return error_set(err, errno, "the Inbox of %s cannot be made", path);
    return 0;
}

static int write_card(struct flow *f, const char *path, const char *client, const char *case_type,
                      struct error *err)
{
    char id[CASE_ID_SIZE], day[DATE_TEXT];
    AUTO_FREE char *text = NULL;
    AUTO_CLOSE int dir = beneath_open(f->cab.root, path, O_RDONLY | O_DIRECTORY, 0);
    AUTO_CLOSE int fd = -1;

    if (dir < 0)
        return error_set(err, errno, "the folder %s cannot be opened", path);
    case_id_mint(id);
    text = card_text(id, client, case_type, date_text(f->policy.today, day));
    fd = openat(dir, CARD_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0 || fsync(fd) < 0 || fsync(dir) < 0)
        return error_set(err, errno, "the card in %s cannot be written", path);
    return make_inbox(dir, path, err);
}

void flow_open_case(struct flow *f, const char *path, const char *client, const char *case_type,
                    bool adopt, flow_answer *answer, void *ctx)
{
    struct error err = ERROR_INIT;
    struct matter_look look;
    AUTO_FREE char *copy = xstrdup(path);

    if (write_card(f, copy, client, case_type, &err) < 0 ||
        matters_look(f->matters, copy, true, f->state, &look, &err) < 0) {
        if (answer)
            answer(ctx, 3, error_text(&err));
        else
            log_line(&f->log, LOG_ERROR, "case could not be opened", "folder", copy, "error",
                     error_text(&err), NULL);
        return;
    }
    if (look.matter && !look.matter->known && !look.matter->untouchable) {
        look.matter->adopted_as_is = adopt;
        record_case(f, look.matter, adopt ? "adopted" : "opened", NULL, answer, ctx);
    } else if (answer) {
        answer(ctx, look.matter ? 0 : 3, look.matter ? "it is a case already" : "no case was made");
    }
    matter_look_clear(&look);
}

/* ---- a look at a folder
 * ---------------------------------------------------------------------------- */

static void case_moved(struct flow *f, struct matter *m, const char *was)
{
    log_line(&f->log, LOG_NOTICE, "case folder renamed", "from", was, "to", m->facts.path, NULL);
    record_case(f, m, "case-renamed", was, NULL, NULL);
    notice_about(f, REASON_CASE_RENAMED, m->facts.path, was, "");
}

static void case_gone(struct flow *f, const char *path)
{
    log_line(&f->log, LOG_WARNING, "case folder is gone", "folder", path, NULL);
    matters_forget(f->matters, path);
    if (f->watcher)
        watcher_forget(f->watcher, path);
    flow_touch(f, NULL);
}

static bool came_after_init(struct flow *f, const char *path)
{
    struct doc_stamp folder, id;
    AUTO_CLOSE int fd = beneath_open(f->cab.root, path, O_PATH | O_DIRECTORY, 0);

    return fd >= 0 && doc_stamp_take(fd, -1, NULL, &folder) == 0 &&
           doc_stamp_take(-1, f->cab.root, CABINET_ID, &id) == 0 && folder.birth_ns > id.mtime_ns;
}

static void heed(struct flow *f, const char *path, struct matter_look *look)
{
    struct matter *m = look->matter;

    switch (look->event) {
    case MATTER_NEW:
        m->adopted_as_is = !came_after_init(f, path);
        record_case(f, m, m->adopted_as_is ? "adopted" : "opened", NULL, NULL, NULL);
        break;
    case MATTER_FOLDER:
        if (f->cab.config.mode == MODE_ENFORCE || came_after_init(f, path))
            flow_open_case(f, path, look->client, look->case_type, false, NULL, NULL);
        break;
    case MATTER_MOVED:
        case_moved(f, m, look->was);
        break;
    case MATTER_COPY:
        notice_about(f, REASON_COPIED_CASE, path, look->was ? look->was : "", "");
        break;
    case MATTER_NEAR_MISS:
        notice_about(f, REASON_NEAR_MISS, path, look->would, "");
        break;
    case MATTER_GONE:
        case_gone(f, path);
        break;
    case MATTER_CHANGED:
        flow_touch(f, m);
        decide_listed_again(f, m->facts.id);
        break;
    case MATTER_SAME:
    case MATTER_NONE:
        break;
    }
    if (look->event != MATTER_NEAR_MISS)
        flow_unnotice(f, REASON_NEAR_MISS, path);
    if (look->event != MATTER_COPY)
        flow_unnotice(f, REASON_COPIED_CASE, path);
    if (m && !m->untouchable)
        tell_card_problems(f, m);
    if (m && m->reason != REASON_CASE_RENAMED)
        flow_unnotice(f, REASON_CASE_RENAMED, path);
}

/* What administrators want to know of a case beside what people see: the hooks' part. */
static void tell_changes(struct flow *f, struct matter *m, bool was_closed, bool was_tampered)
{
    bool tampered = m->reason == REASON_TAMPERED;

    if (m->facts.closed && !was_closed)
        flow_tell_case(f, "case-closed", m, "");
    if (!tampered)
        return;
    notice_about(f, REASON_TAMPERED, m->facts.path, "", "");
    if (!was_tampered)
        flow_tell_case(f, "integrity", m, reason_code(REASON_TAMPERED));
}

void flow_folder(struct flow *f, const char *path, bool fresh)
{
    struct error err = ERROR_INIT;
    struct matter_look look;
    struct matter *home = matters_of(f->matters, path, NULL);
    bool was_closed = home && home->facts.closed;
    bool was_tampered = home && home->reason == REASON_TAMPERED;
    AUTO_FREE char *copy = xstrdup(path);

    if (!*path || (home && strcmp(home->facts.path, path) != 0))
        return;
    /* Only a name by the convention makes a case of a folder: no need to ask for others' age. */
    if (!fresh && strchr(copy, '_'))
        fresh = came_after_init(f, copy);
    if (matters_look(f->matters, copy, fresh, f->state, &look, &err) < 0) {
        log_line(&f->log, LOG_WARNING, "cannot look at the folder", "folder", copy, "error",
                 error_text(&err), NULL);
        return;
    }
    heed(f, copy, &look);
    if (home && look.matter && !look.matter->untouchable)
        tell_changes(f, look.matter, was_closed, was_tampered);
    matter_look_clear(&look);
}
