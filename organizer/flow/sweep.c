/*
 * sweep: the scan as the truth. Start, overflow, a lost watch, doubt and the night lead here.
 *
 * One scan runs at a time; the paths that still have to be scanned wait in a list in which no path
 * lies below another. For each folder the rows that the private state has for it are loaded once
 * and compared with what is there: what is unchanged costs its statx(2) and nothing else. What is not
 * is queued; where much is, the scan rests until most of that is under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/internal.h"
#include "flow/vanished.h"
#include "publish/own.h"

/* With so many queued the scan rests, and with so many less it goes on: a kilobyte each. */
#define AHEAD_MOST  2048
#define AHEAD_AGAIN 1024
/* One that queues less than this does not add to them: a folder that was just made is looked at while there
 * is little in it. */
#define AHEAD_OWN 64

/* So many folders are read before a thread helps. */
#define ALONE 64

struct known {
    char *name;
    struct doc_stamp stamp;
    bool look; /* listed, waiting, unread, racily clean or to be named: looked at although unchanged */
    bool seen;
    UT_hash_handle hh;
};

struct sweep {
    struct flow *flow;
    struct scan *scan;
    struct vanished *vanished;
    char *now;            /* what is being scanned */
    char **todo;
    size_t todo_len, todo_cap;
    struct known *known;  /* rows of the folder that is being read */
    const char *case_id;  /* of that folder; NULL outside of cases */
    enum zone zone;       /* of what lies directly in that folder */
    unsigned queued;      /* by the scan, since it rested last */
};

struct sweep *sweep_new(struct flow *f)
{
    struct sweep *s = xcalloc(1, sizeof *s);

    s->flow = f;
    s->vanished = vanished_new(f);
    return s;
}

static void forget_known(struct sweep *s)
{
    struct known *k, *tmp;

    HASH_ITER(hh, s->known, k, tmp)
    {
        HASH_DEL(s->known, k);
        free(k->name);
        free(k);
    }
}

void sweep_free(struct sweep *s)
{
    scan_free(s->scan);
    vanished_free(s->vanished);
    forget_known(s);
    for (size_t i = 0; i < s->todo_len; i++)
        free(s->todo[i]);
    free(s->todo);
    free(s->now);
    free(s);
}

bool sweep_running(const struct sweep *s)
{
    return s->now != NULL;
}

/* It came while names were only suggested, and now they are given. */
static bool is_to_be_named(const struct flow *f, const struct doc *d)
{
    return f->cab.config.mode == MODE_ENFORCE && d->suggested && *d->suggested && !d->before &&
           !flow_was_filed(d);
}

/* Recorded as it is although it could not be read, as earlier versions did. */
static bool is_unread(const struct doc *d)
{
    return digest_is_zero(&d->digest) && (d->state == DOC_INDEXED || d->state == DOC_FILED);
}

static int remember(void *ctx, const struct doc *d)
{
    struct sweep *s = ctx;
    struct known *k = xcalloc(1, sizeof *k);
    const char *slash = strrchr(d->path, '/');

    k->name = xstrdup(slash ? slash + 1 : d->path);
    k->stamp = d->stamp;
    /* What is being recorded of it may be of where it was before. */
    k->look = flights_have(s->flow, &d->stamp, d) || d->state == DOC_LISTED ||
              d->state == DOC_WAITING || is_unread(d) || doc_is_racy(d) || d->reason == REASON_SAME_CONTENT ||
              is_to_be_named(s->flow, d);
    HASH_ADD_KEYPTR(hh, s->known, k->name, strlen(k->name), k);
    return 0;
}

static bool on_skip(void *ctx, const char *path)
{
    const struct sweep *s = ctx;
    const char *slash = strrchr(path, '/');

    return *path && decide_is_ignored(s->flow->rules, slash ? slash + 1 : path, true, NULL);
}

/* From another thread. */
static void on_opened(void *ctx, int dirfd, bool here)
{
    const struct sweep *s = ctx;

    watcher_early(s->flow->watcher, dirfd, here);
}

static void on_passed(void *ctx, int dirfd)
{
    const struct sweep *s = ctx;

    watcher_early_passed(s->flow->watcher, dirfd);
}

static bool on_enter(void *ctx, const char *path, int dirfd)
{
    struct sweep *s = ctx;
    struct flow *f = s->flow;
    struct error err = ERROR_INIT;
    struct matter *home;
    const char *inside;
    AUTO_FREE char *probe = NULL;

    f->swept_folders++;
    if (f->notices)
        flow_unnotice(f, REASON_OTHER_DISK, path);
    if (f->watcher && watcher_enter(f->watcher, path, dirfd, &err) < 0)
        log_line(&f->log, LOG_DETAIL, "swept, not watched", "folder", path, "why",
                 error_text(&err), NULL);
    flow_folder(f, path, false);
    probe = xjoin(path, "?");
    s->zone = matters_zone(f->matters, probe, &home, &inside);
    s->case_id = home ? home->facts.id : s->zone == ZONE_OFFICE_INBOX ? "" : NULL;
    if (flow_leaves_alone(home))
        return false;
    if (s->case_id) {
        vanished_met(s->vanished, path);
        flights_passed(f, path);
        const char *cut = strrchr(inside ? inside : probe, '/');
        AUTO_FREE char *folder =
            cut ? xmemdup0(inside ? inside : probe, (size_t)(cut - (inside ? inside : probe)))
                : xstrdup("");

        state_each_in_folder(f->state, s->case_id, folder, remember, s, &err);
    }
    return true;
}

/* Not entered: it may go again at any time, and its documents would all seem removed. */
static void other_disk(struct flow *f, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!decide_is_ignored(f->rules, slash ? slash + 1 : path, true, NULL))
        flow_notice_about(f, REASON_OTHER_DISK, &(struct notice_about){.path = path});
}

/* A temporary file of before the start: a crash left it. */
static void sweep_up(struct flow *f, const struct scan_entry *e, int dirfd)
{
    const char *slash = strrchr(e->path, '/');
    AUTO_FREE char *folder = slash ? xmemdup0(e->path, (size_t)(slash - e->path)) : xstrdup("");
    int rc;

    if (!S_ISREG(e->mode) || e->stamp.ctime_ns >= f->began_ns)
        return;
    rc = own_sweep_up(f->state, dirfd, folder, e->name);
    if (rc < 0)
        log_line(&f->log, LOG_WARNING, "what a crash left cannot be cleared away", "file", e->path,
                 "error", strerror(errno), NULL);
    else if (rc > 0)
        log_line(&f->log, LOG_WARNING, "a file that was being saved when a page was written came to "
                 "light", "folder", folder, NULL);
    if (rc > 0)
        flow_scan(f, folder);
}

static void on_entry(void *ctx, const struct scan_entry *e, int dirfd)
{
    struct sweep *s = ctx;
    struct flow *f = s->flow;
    struct known *k;

    f->swept_entries++;
    if (S_ISDIR(e->mode)) {
        if (e->mount)
            other_disk(f, e->path);
        if (s->zone == ZONE_OFFICE_INBOX || s->zone == ZONE_CASE_INBOX)
            flow_folder_in_inbox(f, e->path);
        return;
    }
    if (own_is_temporary(e->name)) {
        sweep_up(f, e, dirfd);
        return;
    }
    if (!s->case_id && strchr(e->path, '/'))
        return;
    HASH_FIND_STR(s->known, e->name, k);
    if (k)
        k->seen = true;
    if (k && !k->look && doc_stamp_equal(&k->stamp, &e->stamp) && !flow_is_own(f, e->path))
        return;
    s->queued++;
    flow_hint(f, e->path, k && k->look);
}

static void on_leave(void *ctx, const char *path, bool gone, int error)
{
    struct sweep *s = ctx;
    struct known *k, *tmp;

    if (error == EXDEV) {
        other_disk(s->flow, path);
        flow_barred(s->flow, path, error);
    } else if (error && !gone) {
        log_line(&s->flow->log, LOG_WARNING, "cannot read the folder", "folder", path, "error",
                 strerror(error), NULL);
    }
    HASH_ITER(hh, s->known, k, tmp)
    {
        if (!k->seen && (gone || !error)) {
            AUTO_FREE char *full = xjoin(path, k->name);

            s->queued++;
            flow_hint(s->flow, full, false);
        }
    }
    forget_known(s);
    if (!gone && !error && !*s->now)
        flow_inbox_again(s->flow, path);
    if (gone && s->flow->watcher)
        watcher_forget(s->flow->watcher, path);
}

static bool is_below(const char *path, const char *top)
{
    size_t n = strlen(top);

    return n == 0 || (strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* ---- one after another ------------------------------------------------------------------------ */

static void next_scan(struct sweep *s);

static void on_looked(void *ctx)
{
    struct sweep *s = ctx;
    struct flow *f = s->flow;
    AUTO_FREE char *path = s->now;

    s->now = NULL;
    flow_prune_notices(f);
    if (!*path) {
        flow_check_gone(f);
        flow_check_journals(f);
        f->last_sweep_ns = env_now(f->env);
        malloc_trim(0);
    } else {
        flow_check_gone_again(f);
    }
    next_scan(s);
    flow_wake(f);
}

static void on_done(void *ctx)
{
    struct sweep *s = ctx;

    scan_free(s->scan);
    s->scan = NULL;
    vanished_look(s->vanished, s->now, on_looked, s);
}

/* All rows that a slice asks for come from one picture. */
static void around_slice(void *ctx, bool begin)
{
    const struct sweep *s = ctx;

    if (begin)
        flow_read_begin(s->flow);
    else
        flow_read_end(s->flow);
}

static bool is_ahead(void *ctx)
{
    const struct sweep *s = ctx;

    return s->queued >= AHEAD_OWN && s->flow->items.ready_len >= AHEAD_MOST;
}

void sweep_wake(struct sweep *s)
{
    if (s->flow->items.ready_len > AHEAD_AGAIN)
        return;
    s->queued = 0;
    scan_go_on(s->scan);
}

static void next_scan(struct sweep *s)
{
    struct scan_events e = {.folder_enter = on_enter,
                            .entry = on_entry,
                            .folder_leave = on_leave,
                            .done = on_done,
                            .around = around_slice,
                            .enough = is_ahead,
                            .ctx = s,
                            .plain_folders = true,
                            .skip = on_skip,
                            .opened = s->flow->watcher ? on_opened : NULL,
                            .passed = on_passed,
                            .alone = ALONE};
    struct error err = ERROR_INIT;

    while (!s->now && s->todo_len > 0 && !s->flow->stopping) {
        s->now = s->todo[--s->todo_len];
        s->scan = scan_start(s->flow->loop, s->flow->cab.root, s->now, true, &e, &err);
        /* The folder is not there any more: its rows are missing. */
        if (!s->scan)
            vanished_look(s->vanished, s->now, on_looked, s);
    }
}

void flow_scan(struct flow *f, const char *path)
{
    struct sweep *s = f->sweep;
    size_t keep = 0;

    if (f->stopping || !f->started)
        return;
    for (size_t i = 0; i < s->todo_len; i++)
        if (is_below(path, s->todo[i]))
            return;
    for (size_t i = 0; i < s->todo_len; i++) {
        if (is_below(s->todo[i], path))
            free(s->todo[i]);
        else
            s->todo[keep++] = s->todo[i];
    }
    s->todo_len = keep;
    GROW(s->todo, s->todo_len, s->todo_cap);
    s->todo[s->todo_len++] = xstrdup(path);
    next_scan(s);
}
