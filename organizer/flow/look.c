/* look: what is at a hinted path, and is it finished? */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/str.h"
#include "flow/closing.h"
#include "flow/internal.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

#define PATH_ROOM 256 /* bytes: most paths and names are shorter */

/* The folder that the path lies in, in *room; "" for the cabinet. */
static const char *folder_of(const char *path, struct str *room)
{
    const char *slash = strrchr(path, '/');

    str_addn(room, path, slash ? (size_t)(slash - path) : 0);
    return str_c(room);
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
    AUTO_FREE char *dir = NULL;

    if (!publish_is_own_name(base_name(path)))
        return false;
    if (!slash)
        return true;
    dir = xmemdup0(path, (size_t)(slash - path));
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
    char room[PATH_ROOM];
    AUTO_STR struct str part = STR_ON(room);
    const char *p = path;
    const char *slash;

    while ((slash = strchr(p, '/'))) {
        str_reset(&part);
        str_addn(&part, p, (size_t)(slash - p));
        if (decide_is_ignored(f->rules, str_c(&part), true, NULL))
            return true;
        p = slash + 1;
    }
    return false;
}

bool flow_is_own(struct flow *f, const char *path)
{
    return is_own_page(f, path) || is_card(f, path);
}

bool flow_is_of_case(struct flow *f, const char *path)
{
    return flow_is_own(f, path) || matters_by_path(f->matters, path) != NULL;
}

bool flow_may_lie(struct flow *f, const char *path)
{
    return !in_ignored_folder(f, path) &&
           !decide_is_ignored(f->rules, base_name(path), false, NULL) && !flow_is_of_case(f, path);
}

int flow_row_at(struct flow *f, const char *path, struct doc *row)
{
    struct matter *home;
    const char *inside;
    struct error err = ERROR_INIT;

    matters_zone(f->matters, path, &home, &inside);
    return state_doc_by_path(f->state, home ? home->facts.id : "", inside, row, &err);
}

/* A document lay there before its folder was a case, or for as long as that was not seen. */
static bool has_row(struct flow *f, const char *path)
{
    struct doc row = {0};
    bool has = flow_row_at(f, path, &row) > 0;

    doc_clear(&row);
    return has;
}

void flow_hint(struct flow *f, const char *path, bool force)
{
    struct item *it;

    if (f->stopping || !*path || in_ignored_folder(f, path))
        return;
    if (decide_is_ignored(f->rules, base_name(path), false, NULL)) {
        wake_neighbours(f, path);
        closing_wanted_at(f, path);
        return;
    }
    if (is_card(f, path))
        flow_card_changed(f, path);
    if (flow_is_own(f, path) && !has_row(f, path))
        return;
    flow_hint_folder_above(f, path);
    it = items_hint(&f->items, path);
    it->flow = f;
    it->force |= force;
    if (it->stage == ITEM_READY)
        it->tries = it->refused = 0;
    /* What follows from what was there before is waited for, too; what people do meanwhile is not. */
    if (f->waiters && !f->from_outside)
        items_owe_one(&f->items, it);
    flow_wake(f);
}

/* The row's file lies in the same folder under a name of some program: a save is under way. So it
 * is when that is not known now. */
static bool is_being_saved(struct flow *f, const char *path, const struct doc *row)
{
    const char *name;
    DIR *d = io_list_own(beneath_parent(f->cab.root, path, &name));
    struct doc_stamp now;
    struct dirent *e;
    bool found = false;
    int more = -1;

    while (d && !found && (more = io_next(d, &e)) > 0)
        found = e->d_ino == row->stamp.ino && decide_is_ignored(f->rules, e->d_name, false, NULL) &&
                (doc_stamp_take(-1, dirfd(d), e->d_name, &now) == 0
                     ? doc_stamp_same_file(&now, &row->stamp)
                     : !io_is_lasting(errno));
    if (more < 0)
        found = !io_is_lasting(errno);
    if (d)
        closedir(d);
    return found;
}

/* So often a path that changes while it is looked at is looked at again at once. */
#define PREPARED_MOST (8 << 20) /* bytes: they are on the disk within moments */
#define LOOKS_AT_ONCE 4

/* How many may be missing at once before nobody is thought to be saving: a folder is being emptied.
 */
#define SAVES_MAX 64

/* Whether more has to be seen before a missing document counts as removed. */
static bool may_come_back(struct flow *f, const struct item *it, const struct doc *row)
{
    int64_t waited = env_ticks() - it->missing;

    if (tally_has_file(f->items.held, &row->stamp) || sweep_running(f->sweep))
        return true;
    if (f->items.heap_len + f->items.ready_len < SAVES_MAX && waited < f->env->patience_ns &&
        is_being_saved(f, it->path, row))
        return true;
    return waited < DOC_MISSING_NS && it->round != f->sync_round;
}

/* Its file is in another item's hands, which most often lets go of it in a moment: who waits in
 * flow_sync() waits for that. */
static bool is_in_hands(struct flow *f, struct item *it, const struct doc *row)
{
    return tally_has_file(f->items.held, &row->stamp) && it->doubts++ < FLOW_DOUBTS_MAX;
}

/* No document is there. A row that lay there is missing; it may come back in a moment, or be found
 * under another name. */
static void look_missing(struct flow *f, struct item *it)
{
    struct matter *home;
    const char *inside;
    enum zone zone = matters_zone(f->matters, it->path, &home, &inside);
    struct doc row = {0};
    struct error err = ERROR_INIT;
    int64_t ms;

    items_hold(&f->items, it, NULL);
    flights_missed(f, it->path);
    if (!it->missing) {
        it->missing = env_ticks();
        it->doubts = 0;
        if (home)
            home->losing = it->missing;
    }
    if (zone == ZONE_OUTSIDE)
        flow_unnotice(f, REASON_NO_CASE, it->path);
    /* A copy of a case has its number, and none of its documents. */
    if (f->stopping || zone == ZONE_OUTSIDE || (home && home->untouchable) ||
        state_doc_by_path(f->state, home ? home->facts.id : "", inside, &row, &err) <= 0) {
        flow_finish(f, it);
    } else if (flights_have(f, &row.stamp, &row) || (home && home->moving)) {
        flow_soon(f, it, 2);
    } else if (is_in_hands(f, it, &row)) {
        flow_soon(f, it, 2 << it->doubts);
    } else if (may_come_back(f, it, &row)) {
        /* A sync that asked while a scan ran asks again when that is over. */
        if (sweep_running(f->sweep))
            it->round = 0;
        ms = settle_backoff_ms(it->tries++);
        flow_later(f, it, ms < DOC_MISSING_NS / NS_PER_MS ? DOC_MISSING_NS / NS_PER_MS : ms);
    } else {
        flow_gone(f, it, home, &row);
    }
    doc_clear(&row);
}

/* How long it may wait before people are told. Its quiet time is no delay, only if that begins again and again. */
static int64_t patience_ns(const struct flow *f, const struct settle_answer *a, int64_t settle_ms)
{
    int64_t quiet_ms = a->again_ms > settle_ms ? a->again_ms : settle_ms;

    return f->env->patience_ns + (a->settled == SETTLE_QUIET ? quiet_ms * NS_PER_MS : 0);
}

static void wait_for(struct flow *f, struct item *it, const struct settle_answer *a, int64_t settle_ms)
{
    int64_t now = env_ticks();
    enum reason reason =
        a->settled == SETTLE_EMPTY || a->settled == SETTLE_NEW ? REASON_EMPTY : REASON_WAITING_LONG;

    /* What it was listed for is over. */
    if (it->listed_as != REASON_NONE && it->listed_as != reason) {
        it->listed_as = REASON_NONE;
        it->since = 0;
    }
    if (!it->since)
        it->since = now;
    if (it->listed_as != reason && now - it->since >= patience_ns(f, a, settle_ms)) {
        it->listed_as = reason;
        flow_record_waiting(f, it, reason);
    } else {
        flow_later(f, it, a->settled == SETTLE_QUIET ? a->again_ms : settle_backoff_ms(it->tries++));
    }
}

/* What the row of the file at a path says. */
enum looked {
    LOOK_NEW,       /* nothing that counts: it is examined */
    LOOK_UNCHANGED, /* nothing changed since: no need to open it */
    LOOK_TOO_EARLY, /* nothing shows, but its last change is so young that one more might not: read now,
                       that would still be so */
};

static enum looked compare_row(struct flow *f, struct item *it, const struct doc_stamp *stamp)
{
    struct doc row = {0};
    int64_t age = env_disk_now(f->env) - stamp->ctime_ns;
    bool same, racy;

    it->no_row = flow_row_at(f, it->path, &row) <= 0;
    if (it->no_row)
        return LOOK_NEW;
    same = doc_stamp_equal(&row.stamp, stamp) && row.state != DOC_WAITING &&
           row.reason != REASON_READER_FAILED && !it->force;
    racy = doc_is_racy(&row);
    doc_clear(&row);
    if (same && !racy)
        return LOOK_UNCHANGED;
    /* Who waits gets the best answer there is now. */
    return same && age >= 0 && age < DOC_RACY_NS && !f->waiters ? LOOK_TOO_EARLY : LOOK_NEW;
}

/* What is kept of the folder, or the place of what was read longest ago. */
static struct beside *beside_of(struct flow *f, const struct stat *dir)
{
    struct beside *oldest = f->beside;

    for (size_t i = 0; i < FLOW_BESIDES; i++) {
        struct beside *b = &f->beside[i];

        if (b->ino == dir->st_ino && b->dev == dir->st_dev)
            return b;
        if (b->ticks < oldest->ticks)
            oldest = b;
    }
    return oldest;
}

const struct beside *flow_is_alone(struct flow *f, const char *path, const struct doc_stamp *stamp)
{
    char room[PATH_ROOM];
    AUTO_STR struct str at = STR_ON(room);
    const char *folder = folder_of(path, &at);
    struct beside *b = beside_of(f, &f->folder_stat);
    bool alone =
        beside_nothing(b, f->folder_fd, &f->folder_stat, stamp, f->env, f->items.ready_len + f->items.busy_len >= FLOW_MANY,
                       f->watcher && watcher_tells(f->watcher, folder) ? folder : NULL);

    return alone ? b : NULL;
}

/* It was there, and then it was not, or the disk says both. */
static void look_once_more(struct flow *f, struct item *it)
{
    int64_t ms = settle_backoff_ms(it->tries);

    if (it->tries++ < LOOKS_AT_ONCE)
        flow_soon(f, it, 1);
    else
        flow_later(f, it, ms);
}

/* A single document of an Inbox reaches the disk while it is examined; many together do later, and none waits
 * for a recording that may not be filed at all. */
static bool is_to_prepare(const struct flow *f, const struct item *it)
{
    enum zone zone;

    if (it->stamp.size > PREPARED_MOST || f->items.ready_len + f->items.busy_len >= FLOW_MANY / 2 ||
        f->cab.config.mode != MODE_ENFORCE)
        return false;
    zone = matters_zone(f->matters, it->path, NULL, NULL);
    return zone == ZONE_CASE_INBOX || zone == ZONE_OFFICE_INBOX;
}

/* The disk first: it takes longer than the readers do, which begin when this thread goes on. */
static void examine(struct flow *f, struct item *it)
{
    if (is_to_prepare(f, it))
        filer_prepare(f->filer, it->fd);
    flow_examine(f, it);
}

static void look_document(struct flow *f, struct item *it, int dirfd, const char *name,
                          const struct doc_stamp *stamp)
{
    struct settle_query q = {.dir = dirfd, .name = name, .rules = f->rules};
    char room[PATH_ROOM];
    AUTO_STR struct str folder = STR_ON(room);
    struct settle_answer a;
    struct error err = ERROR_INIT;

    q.now_ns = env_disk_now(f->env);
    q.settle_ms = config_settle_ms(&f->cab.config, folder_of(it->path, &folder));
    q.no_locks = flow_is_alone(f, it->path, stamp) != NULL;
    settle_ask(&q, &a, &err);
    it->why = a.settled;
    switch (a.settled) {
    case SETTLED:
        it->fd = a.fd;
        it->stamp = a.stamp;
        it->nlink = a.nlink;
        it->leases = a.leases;
        examine(f, it);
        return;
    case SETTLE_GONE:
        look_once_more(f, it);
        return;
    case SETTLE_DENIED:
        flow_list_plain(f, it, REASON_NO_PERMISSION, error_text(&err));
        return;
    default:
        wait_for(f, it, &a, q.settle_ms);
    }
}

static void look_file(struct flow *f, struct item *it, int dir, const char *name,
                      const struct doc_stamp *stamp)
{
    switch (compare_row(f, it, stamp)) {
    case LOOK_UNCHANGED:
        flow_finish(f, it);
        return;
    case LOOK_TOO_EARLY:
        it->why = SETTLED;
        flow_later(f, it, 2 * DOC_RACY_NS / NS_PER_MS);
        return;
    case LOOK_NEW:
    default:
        items_hold(&f->items, it, stamp);
        look_document(f, it, dir, name, stamp);
    }
}

/* What is no document. One that lay there is gone. */
static void look_other(struct flow *f, struct item *it, mode_t mode, struct matter *home,
                       const char *inside)
{
    struct doc row = {0};
    struct error err = ERROR_INIT;

    if (state_doc_by_path(f->state, home ? home->facts.id : "", inside, &row, &err) > 0 &&
        !digest_is_zero(&row.digest)) {
        it->again = true;
        flow_gone(f, it, home, &row);
    } else {
        flow_list_plain(f, it, REASON_LINK, notice_other_kind(f->lang, mode));
    }
    doc_clear(&row);
}

/* Nobody files it, but who put it beside the Inbox is told so. */
static void look_outside(struct flow *f, struct item *it, const struct doc_seen *seen)
{
    if (S_ISREG(seen->mode) &&
        notice_is_loose_told(&f->cab, it->path, &seen->stamp, env_disk_now(f->env)))
        flow_notice_about(f, REASON_NO_CASE, &(struct notice_about){.path = it->path});
    else
        flow_unnotice(f, REASON_NO_CASE, it->path);
    flow_finish(f, it);
}

static void look_there(struct flow *f, struct item *it, int dir, const char *name,
                       const struct doc_seen *seen)
{
    const struct doc_stamp *stamp = &seen->stamp;
    struct matter *home;
    const char *inside;
    enum zone zone = matters_zone(f->matters, it->path, &home, &inside);

    /* When it was hinted at, that was not known. */
    if (!S_ISDIR(seen->mode) && flow_is_of_case(f, it->path)) {
        look_missing(f, it);
        return;
    }
    it->missing = 0;
    if (S_ISDIR(seen->mode)) {
        flow_look_folder(f, it);
    } else if (zone == ZONE_OUTSIDE) {
        look_outside(f, it, seen);
    } else if ((home && home->untouchable) || flow_is_in_waiting_folder(f, it->path)) {
        flow_finish(f, it);
    } else if (tally_has_file(f->flying, stamp)) {
        flow_soon(f, it, 2);
    } else if (!S_ISREG(seen->mode)) {
        look_other(f, it, seen->mode, home, inside);
    } else {
        look_file(f, it, dir, name, stamp);
    }
}

void flow_look_in_vain(struct flow *f, struct item *it, int number)
{
    if (io_is_lasting(number)) {
        flow_finish(f, it);
        return;
    }
    if (it->tries == 0)
        log_line(&f->log, LOG_WARNING, "cannot look at the document", "document", it->path, "error",
                 strerror(number), NULL);
    flow_later(f, it, settle_backoff_ms(it->tries++));
}

/* So often, without a second between, that other disks came and went unseen is not believed. */
#define BARRED_MAX 20

static bool was_barred(struct flow *f, const char *path, int number)
{
    if (number != EXDEV || !f->watcher || !watcher_barred(f->watcher, path))
        return false;
    if (env_ticks() - f->barred_at > NS_PER_S)
        f->barred = 0;
    f->barred_at = env_ticks();
    return ++f->barred <= BARRED_MAX;
}

void flow_barred(struct flow *f, const char *path, int number)
{
    if (was_barred(f, path, number))
        flow_scan(f, path);
}

void flow_barred_beside(struct flow *f, const char *path, int number)
{
    char room[PATH_ROOM];
    AUTO_STR struct str at = STR_ON(room);

    if (was_barred(f, path, number))
        flow_scan(f, folder_of(path, &at));
}

void flow_look(struct flow *f, struct item *it)
{
    const char *name;
    struct doc_seen seen;
    int dir, number;

    flow_read_begin(f);
    dir = flow_parent(f, it->path, &name);
    it->examined = false;
    if (dir >= 0 && doc_look(-1, dir, name, &seen) == 0) {
        look_there(f, it, dir, name, &seen);
    } else if ((number = errno) == ENOENT || number == ENOTDIR) {
        look_missing(f, it);
    } else {
        if (dir < 0)
            flow_barred_beside(f, it->path, number);
        flow_look_in_vain(f, it, number);
    }
    flow_read_end(f);
}
