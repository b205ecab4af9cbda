/* cases: folders that are, become, cease to be, or nearly are cases. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "cabinet/casename.h"
#include "flow/casework.h"
#include "flow/closing.h"
#include "flow/internal.h"
#include "flow/night_step.h"

/* A case that is not there for so long was not only renamed. */
#define GONE_TELL_NS DOC_MISSING_NS

/* ---- what lies in a case -----------------------------------------------------------------------
 */

static int decide_again(void *ctx, const struct doc *d)
{
    struct flow *f = ctx;
    struct matter *m = matters_by_id(f->matters, d->case_id);

    if (d->state == DOC_FILED)
        return 0;
    AUTO_FREE char *path = m ? xasprintf("%s/%s", m->facts.path, d->path) : xstrdup(d->path);
    flow_hint(f, path, true);
    return 0;
}

/* A card changed or a case came: what was left there or in the office Inbox may be clear now. */
static void decide_left_again(struct flow *f, const char *case_id)
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
    flow_folder(f, dir, false);
    if (!matters_by_path(f->matters, dir))
        flow_scan(f, dir);
}

void flow_case_recorded(struct flow *f, const char *path, const char *kind)
{
    bool came = kind && (strcmp(kind, "opened") == 0 || strcmp(kind, "adopted") == 0 ||
                         strcmp(kind, "rebuilt") == 0 || strcmp(kind, "case-renamed") == 0);

    if (came) {
        flow_scan(f, path);
        decide_left_again(f, NULL);
    }
    /* Its card may say something else by now. */
    flow_folder(f, path, false);
    if (kind && (strcmp(kind, "closed") == 0 || strcmp(kind, "reopened") == 0)) {
        const struct matter *m = matters_by_path(f->matters, path);

        decide_left_again(f, m ? m->facts.id : NULL);
    }
}

/* ---- cases that are gone -----------------------------------------------------------------------
 */

struct gone_check {
    struct flow *flow;
    char **paths; /* of what is missing */
    size_t len, cap;
};

static void on_gone(uv_timer_t *t)
{
    flow_check_gone(t->data);
}

/* The hook is told once, and not before it is clear that the folder was not only renamed. */
static void tell_gone(struct flow *f, const struct case_row *row)
{
    AUTO_FREE char *key = xasprintf("gone.told.%s", row->id);
    AUTO_FREE char *was = state_get(f->state, key);
    char at[TIME_TEXT];

    time_text(row->gone_ns, at);
    if (env_now(f->env) - row->gone_ns < GONE_TELL_NS || (was && strcmp(was, at) == 0) ||
        notice_is_archived(f->state, f->cab.root, row) || flow_is_blind(f))
        return;
    flow_remember(f, key, at);
    log_line(&f->log, LOG_ERROR, "a case is gone, and there is no archive of it", "folder",
             row->path, NULL);
    flow_tell_gone(f, row);
}

static int check_gone(void *ctx, const struct case_row *row)
{
    struct gone_check *c = ctx;
    struct flow *f = c->flow;
    struct notice_text t;
    char *path;

    if (matters_by_id(f->matters, row->id))
        return 0;
    if (!row->gone_ns) {
        flow_record_gone(f, row);
        uv_timer_start(&f->gone, on_gone, GONE_TELL_NS / NS_PER_MS + 100, 0);
    } else {
        tell_gone(f, row);
    }
    if (!notice_is_gone_told(f->state, row, f->cab.root, env_now(f->env)) || flow_is_blind(f))
        return 0;
    path = notice_of_gone(&t, f->lang, f->cab.root, row);
    flow_notice(f, REASON_MISSING, path, t.sentence, t.help);
    GROW(c->paths, c->len, c->cap);
    c->paths[c->len++] = path;
    return 0;
}

static bool is_missing_still(const struct gone_check *c, const char *path)
{
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->paths[i], path) == 0)
            return true;
    return false;
}

void flow_check_gone(struct flow *f)
{
    struct gone_check c = {.flow = f};
    struct flow_notice *n, *tmp;
    struct error err = ERROR_INIT;

    state_each_case(f->state, check_gone, &c, &err);
    HASH_ITER(hh, f->notices, n, tmp)
    {
        if (n->n.reason == REASON_MISSING && !is_missing_still(&c, n->n.path) &&
            !flow_is_blind(f)) {
            AUTO_FREE char *path = xstrdup(n->n.path);

            flow_unnotice(f, REASON_MISSING, path);
        }
    }
    for (size_t i = 0; i < c.len; i++)
        free(c.paths[i]);
    free(c.paths);
}

static void case_gone(struct flow *f, const char *path)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, path, O_PATH | O_DIRECTORY, 0);

    log_line(&f->log, LOG_WARNING, fd < 0 ? "case folder is gone" : "card of the case is gone",
             "folder", path, NULL);
    flow_unnotice_all(f, path);
    flow_check_gone(f);
    if (fd < 0 && f->watcher)
        watcher_forget(f->watcher, path);
    flow_touch(f, NULL);
}

void flow_check_gone_again(struct flow *f)
{
    const struct flow_notice *n;

    for (n = f->notices; n; n = n->hh.next) {
        if (n->n.reason == REASON_MISSING) {
            flow_check_gone(f);
            return;
        }
    }
}

/* ---- a look at a folder ------------------------------------------------------------------------
 */

static void case_moved(struct flow *f, struct matter *m, const char *was)
{
    struct case_note note = {.kind = "case-renamed", .was = was};

    log_line(&f->log, LOG_NOTICE, "case folder renamed", "from", was, "to", m->facts.path, NULL);
    flow_unnotice_all(f, was);
    flow_record_case(f, m, &note, NULL, NULL);
}

/* What the row of a case does not know yet of its card and folder. */
static void record_changes(struct flow *f, struct matter *m)
{
    struct error err = ERROR_INIT;
    struct case_note note = {0};
    struct case_row row;

    if (m->recording || state_case_get(f->state, m->facts.id, &row, &err) <= 0)
        return;
    /* When its folder was seen to be renamed that could not be recorded. */
    if (!m->moving && row.path && strcmp(row.path, m->facts.path) != 0)
        note = (struct case_note){.kind = "case-renamed", .was = row.path};
    else if (row.closed && !m->card.closed)
        note.kind = "reopened";
    if (!row.closed)
        closing_wanted(f, m);
    if (note.kind || row.restricted != m->facts.restricted || row.gone_ns ||
        (m->card.rename_answered && !row.renamed_told))
        flow_record_case(f, m, &note, NULL, NULL);
    case_row_clear(&row);
}

static void heed_case(struct flow *f, struct matter *m, bool was_tampered)
{
    if (!m->untouchable && !m->opening)
        record_changes(f, m);
    flow_notice_case(f, m);
    if (m->reason == REASON_TAMPERED && !was_tampered)
        flow_tell_case(f, "integrity", m, reason_code(REASON_TAMPERED));
    if (!m->untouchable && !m->opening)
        flow_rename_documents(f, m);
}

int64_t flow_folder_settles_ms(struct flow *f, const char *path)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, path, O_PATH | O_DIRECTORY, 0);
    int64_t now = env_disk_now(f->env), quiet_ms;
    struct doc_stamp folder;

    if (fd < 0 || doc_stamp_take(fd, -1, NULL, &folder) < 0 || folder.ctime_ns > now)
        return 0;
    quiet_ms = (now - folder.ctime_ns) / NS_PER_MS;
    return quiet_ms < f->cab.config.settle_ms ? f->cab.config.settle_ms - quiet_ms : 0;
}

static void heed(struct flow *f, const char *path, struct matter_look *look)
{
    struct matter *m = look->matter;

    switch (look->event) {
    case MATTER_NEW:
        if (!m->opening)
            flow_take_in(f, m, !cabinet_came_after(&f->cab, path), NULL, NULL);
        break;
    case MATTER_FOLDER:
        if (flow_folder_settles_ms(f, path) > 0) {
            items_hint(&f->items, path)->flow = f;
            flow_wake(f);
            break;
        }
        flow_open_case(f, path, look->client, look->case_type, !cabinet_came_after(&f->cab, path),
                       NULL, NULL);
        break;
    case MATTER_MOVED:
        /* Who moves it (retiring.c) follows it, too. */
        if (!m->moving)
            case_moved(f, m, look->was);
        break;
    case MATTER_NEAR_MISS:
        flow_notice_about(f, REASON_NEAR_MISS,
                          &(struct notice_about){.path = path, .other = look->would});
        break;
    case MATTER_GONE:
        case_gone(f, path);
        break;
    case MATTER_CHANGED:
        flow_touch(f, m);
        flow_touch(f, NULL);
        decide_left_again(f, m->facts.id);
        break;
    case MATTER_COPY:
    case MATTER_SAME:
    case MATTER_NONE:
        break;
    }
    if (look->event != MATTER_NEAR_MISS)
        flow_unnotice(f, REASON_NEAR_MISS, path);
}

/* One look. Returns what was seen, or -1. */
static int look_once(struct flow *f, const char *path, bool fresh)
{
    struct matter *known = matters_by_path(f->matters, path);
    bool was_tampered = known && known->reason == REASON_TAMPERED;
    struct error err = ERROR_INIT;
    struct matter_look look;
    int event;

    if (!fresh && !known && casename_could_be(path))
        fresh = cabinet_came_after(&f->cab, path);
    if (matters_look(f->matters, path, fresh, f->state, &look, &err) < 0) {
        log_line(&f->log, LOG_WARNING, "cannot look at the folder", "folder", path, "error",
                 error_text(&err), NULL);
        flow_barred(f, path, err.number);
        /* What is closed to us is closed to readers of the cabinet's pages, too. */
        if (known && !known->facts.restricted) {
            known->facts.restricted = true;
            flow_touch(f, NULL);
        }
        return -1;
    }
    event = (int)look.event;
    heed(f, path, &look);
    /* What was recorded of it while it could not be looked at is on no page yet. */
    if (look.first)
        flow_touch(f, look.matter);
    if (look.matter)
        heed_case(f, look.matter, was_tampered);
    matter_look_clear(&look);
    return event;
}

void flow_folder(struct flow *f, const char *path, bool fresh)
{
    struct matter *home = matters_of(f->matters, path, NULL);
    AUTO_FREE char *copy = xstrdup(path);
    bool was_copy = home && home->untouchable;

    if (!*path || (home && (home->moving || strcmp(home->facts.path, path) != 0)))
        return;
    /* A copy that was freed of its card may be a case by its name now. */
    if (look_once(f, copy, fresh) == MATTER_GONE && was_copy)
        look_once(f, copy, fresh);
}

void flow_folder_attributes(struct flow *f, const char *path)
{
    AUTO_FREE char *below = xasprintf("%s/", path);
    AUTO_FREE char *copy = xstrdup(path);
    char **paths = NULL;
    size_t len = 0, cap = 0;

    for (size_t i = 0; i < matters_len(f->matters); i++) {
        const struct matter *m = matters_at(f->matters, i);

        if (strncmp(m->facts.path, below, strlen(below)) != 0)
            continue;
        GROW(paths, len, cap);
        paths[len++] = xstrdup(m->facts.path);
    }
    flow_folder(f, copy, false);
    for (size_t i = 0; i < len; i++) {
        flow_folder(f, paths[i], false);
        free(paths[i]);
    }
    free(paths);
}

/* ---- tampered journals -------------------------------------------------------------------------
 */

static int note_tampered(void *ctx, const struct case_row *row)
{
    struct flow *f = ctx;
    struct matter *m = matters_by_id(f->matters, row->id);

    if (row->tampered && m && m->reason != REASON_TAMPERED) {
        AUTO_FREE char *path = xstrdup(m->facts.path);

        flow_folder(f, path, false);
    }
    return 0;
}

void flow_check_tampered(struct flow *f)
{
    struct error err = ERROR_INIT;

    state_each_case(f->state, note_tampered, f, &err);
}
