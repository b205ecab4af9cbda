/* look: what is at a hinted path, and is it finished? */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/internal.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Wakes what waits beside an ignored name: a lock file or a temporary that went away. */
static void wake_neighbours(struct flow *f, const char *path)
{
    size_t dir = (size_t)(base_name(path) - path);

    for (size_t i = f->items.heap_len; i-- > 0;) {
        struct item *it = f->items.heap[i];

        if (it->why == SETTLE_LOCKED && strncmp(it->path, path, dir) == 0 &&
            !strchr(it->path + dir, '/')) {
            items_wake(&f->items, it);
            i = f->items.heap_len;
        }
    }
}

static bool is_own_page(struct flow *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *dir = slash ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");

    if (!publish_is_own_name(base_name(path)))
        return false;
    return !*dir || matters_by_path(f->matters, dir) != NULL;
}

static bool is_card(struct flow *f, const char *path)
{
    const char *inside;
    struct matter *m;

    if (strcmp(base_name(path), CARD_NAME) != 0)
        return false;
    m = matters_of(f->matters, path, &inside);
    return !m || strcmp(inside, CARD_NAME) == 0;
}

/* A part of the path that must not be entered (".organizer", "@eaDir", ".recycle"). */
static bool in_ignored_folder(struct flow *f, const char *path)
{
    const char *p = path;
    const char *slash;

    while ((slash = strchr(p, '/'))) {
        AUTO_FREE char *part = xmemdup0(p, (size_t)(slash - p));

        if (decide_is_ignored(f->rules, part, true, NULL))
            return true;
        p = slash + 1;
    }
    return false;
}

void flow_hint(struct flow *f, const char *path, bool force)
{
    struct item *it;

    if (f->stopping || !*path || in_ignored_folder(f, path))
        return;
    if (decide_is_ignored(f->rules, base_name(path), false, NULL)) {
        wake_neighbours(f, path);
        return;
    }
    if (is_own_page(f, path))
        return;
    if (is_card(f, path)) {
        flow_card_changed(f, path);
        return;
    }
    it = items_hint(&f->items, path);
    it->flow = f;
    it->force |= force;
    if (it->stage == ITEM_READY)
        it->tries = 0;
    flow_wake(f);
}

/* Nothing is there. A row that lay there is missing; it may come back in a moment. */
static void look_missing(struct flow *f, struct item *it)
{
    struct matter *home;
    const char *inside;
    enum zone zone = matters_zone(f->matters, it->path, &home, &inside);
    struct doc row = {0};
    struct error err = ERROR_INIT;

    if (zone == ZONE_OUTSIDE ||
        state_doc_by_path(f->state, home ? home->facts.id : "", inside, &row, &err) <= 0) {
        flow_finish(f, it);
        return;
    }
    if (flow_is_flying(f, &row.stamp)) {
        /* It is being recorded under another name just now. */
        flow_later(f, it, 2);
    } else if (!it->missing && !f->stopping) {
        it->missing = true;
        items_wait(&f->items, it, env_ticks() + FLOW_MISSING_NS);
        flow_wake(f);
    } else {
        flow_gone(f, it, home, &row);
    }
    doc_clear(&row);
}

static void wait_for(struct flow *f, struct item *it, const struct settle_answer *a)
{
    int64_t now = env_ticks();
    int64_t ms = a->settled == SETTLE_QUIET ? a->again_ms : settle_backoff_ms(it->tries++);

    it->why = a->settled;
    if (!it->since)
        it->since = now;
    if (!it->told && now - it->since > FLOW_WAITING_LONG_NS && a->settled != SETTLE_QUIET) {
        it->told = true;
        flow_record_waiting(f, it, a->settled == SETTLE_EMPTY || a->settled == SETTLE_NEW
                                       ? REASON_EMPTY
                                       : REASON_WAITING_LONG);
        return;
    }
    flow_later(f, it, ms);
}

/* Nothing changed since the row was written: no need to open it. */
static bool is_unchanged(struct flow *f, struct item *it, const struct doc_stamp *stamp)
{
    struct matter *home;
    const char *inside;
    struct doc row = {0};
    struct error err = ERROR_INIT;
    bool same;

    matters_zone(f->matters, it->path, &home, &inside);
    if (state_doc_by_path(f->state, home ? home->facts.id : "", inside, &row, &err) <= 0)
        return false;
    same = doc_stamp_equal(&row.stamp, stamp) && !doc_is_racy(&row) &&
           row.state != DOC_WAITING && row.reason != REASON_READER_FAILED;
    doc_clear(&row);
    return same && !it->force;
}

static void look_document(struct flow *f, struct item *it, int dirfd, const char *name)
{
    struct settle_query q = {.dir = dirfd, .name = name, .rules = f->rules};
    const char *slash = strrchr(it->path, '/');
    AUTO_FREE char *dir = slash ? xmemdup0(it->path, (size_t)(slash - it->path)) : xstrdup("");
    struct settle_answer a;
    struct error err = ERROR_INIT;

    q.now_ns = env_now(f->env) - f->env->clock_shift_ns;
    q.settle_ms = config_settle_ms(&f->cab.config, dir);
    settle_ask(&q, &a, &err);
    switch (a.settled) {
    case SETTLED:
        it->fd = a.fd;
        it->stamp = a.stamp;
        it->leases = a.leases;
        if (a.nlink > 1) {
            flow_list_plain(f, it, REASON_HARD_LINK, NULL);
            return;
        }
        flow_examine(f, it);
        return;
    case SETTLE_GONE:
        it->again = true;
        flow_finish(f, it);
        return;
    case SETTLE_DENIED:
        flow_list_plain(f, it, REASON_NO_PERMISSION, error_text(&err));
        return;
    default:
        wait_for(f, it, &a);
    }
}

void flow_look(struct flow *f, struct item *it)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(f->cab.root, it->path, &name);
    struct doc_stamp stamp;
    struct stat st;
    struct matter *home;
    const char *inside;
    enum zone zone;

    it->examined = false;
    if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (dir < 0 && (errno == ELOOP || errno == EXDEV || errno == EACCES))
            flow_finish(f, it);
        else
            look_missing(f, it);
        return;
    }
    it->missing = false;
    zone = matters_zone(f->matters, it->path, &home, &inside);
    if (S_ISDIR(st.st_mode)) {
        flow_look_folder(f, it);
        return;
    }
    if (zone == ZONE_OUTSIDE || (home && home->untouchable)) {
        flow_finish(f, it);
        return;
    }
    if (!S_ISREG(st.st_mode)) {
        flow_list_plain(f, it, REASON_LINK, NULL);
        return;
    }
    if (doc_stamp_take(-1, dir, name, &stamp) < 0 || flow_is_flying(f, &stamp)) {
        flow_later(f, it, 2);
        return;
    }
    if (is_unchanged(f, it, &stamp)) {
        flow_finish(f, it);
        return;
    }
    look_document(f, it, dir, name);
}
