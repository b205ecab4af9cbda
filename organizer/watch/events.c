/*
 * events: what each inotify event means.
 *
 * None is believed further than this: there is something to look at. Events tell of the past, the
 * scan may be ahead of them, and a name in them may be another folder's by now. So the tree may
 * be wrong for a moment; every event about a folder asks for a scan of its path, and
 * watcher_enter() puts right what it finds there.
 */
#include <string.h>

#include "base/alloc.h"
#include "watch/watcher_private.h"

void event_forget_move(struct watcher *w, folder_id f)
{
    if (!tree_moving(w->tree, f))
        return;
    tree_set_moving(w->tree, f, false);
    for (size_t i = w->moves_len; i-- > 0;)
        if (w->moves[i].folder == f) {
            memmove(w->moves + i, w->moves + i + 1, (--w->moves_len - i) * sizeof *w->moves);
            return;
        }
}

void event_expire_moves(struct watcher *w, uint64_t reading)
{
    size_t n = 0;

    /* They are in order of reading. Dropping one may take others out of the list. */
    while (n < w->moves_len && w->moves[n].reading < reading)
        n++;
    while (n > 0) {
        if (n > w->moves_len || w->moves[n - 1].reading >= reading)
            n--;
        else
            tree_drop(w->tree, w->moves[n - 1].folder);
    }
}

static folder_id take_move(struct watcher *w, uint32_t cookie)
{
    for (size_t i = w->moves_len; i-- > 0;)
        if (w->moves[i].cookie == cookie) {
            folder_id f = w->moves[i].folder;

            event_forget_move(w, f);
            return f;
        }
    return TREE_NONE;
}

static void moved_from(struct watcher *w, folder_id f, uint32_t cookie)
{
    event_forget_move(w, f);
    GROW(w->moves, w->moves_len, w->moves_cap);
    w->moves[w->moves_len++] = (struct move){cookie, f, w->reading};
    tree_set_moving(w->tree, f, true);
}

/* The folder that left with the same cookie, if it did, is here now with all its watches. */
static void moved_to(struct watcher *w, folder_id parent, const struct inotify_event *ev, bool skip)
{
    folder_id f = take_move(w, ev->cookie), there;

    if (!f)
        return;
    if (skip || tree_below(w->tree, parent, f)) {
        tree_drop(w->tree, f);
        return;
    }
    there = tree_child(w->tree, parent, ev->name, strlen(ev->name));
    if (there && there != f) {
        if (tree_below(w->tree, f, there)) {
            tree_drop(w->tree, there); /* f with it: the scan will find both */
            return;
        }
        tree_drop(w->tree, there); /* an empty folder that was replaced */
    }
    w->moved = tree_put(w->tree, f, parent, ev->name, tree_wd(w->tree, f));
}

/* Something about the folder called ev->name in parent; its path is in w->path. */
static void folder_event(struct watcher *w, folder_id parent, const struct inotify_event *ev)
{
    const char *path = str_c(&w->path);
    folder_id f = tree_child(w->tree, parent, ev->name, strlen(ev->name));
    bool skip = w->e.skip && w->e.skip(w->e.ctx, path, ev->name);
    bool attributes = !(ev->mask & ~(uint32_t)(IN_ATTRIB | IN_ISDIR));

    if (ev->mask & IN_MOVED_TO)
        moved_to(w, parent, ev, skip);
    else if (f && (ev->mask & IN_MOVED_FROM))
        moved_from(w, f, ev->cookie);
    else if (f && (ev->mask & IN_DELETE))
        tree_drop(w->tree, f);
    if (skip && !f)
        return;
    /* Whoever may now read a folder that could not be read before learns it from this. */
    if (attributes && f && tree_wd(w->tree, f) >= 0)
        hints_add(&w->hints, HINT_LOOK, path, false);
    else
        hints_add(&w->hints, HINT_SCAN, path, false);
}

/* What only tells of our own renaming. */
static bool is_known(struct watcher *w, const struct inotify_event *ev)
{
    uint32_t what = ev->mask & ~(uint32_t)IN_ISDIR;

    return w->e.known && (what == IN_MOVED_FROM || what == IN_MOVED_TO) &&
           w->e.known(w->e.ctx, str_c(&w->path), what == IN_MOVED_TO, ev->cookie);
}

static void named_event(struct watcher *w, folder_id parent, const struct inotify_event *ev)
{
    tree_path(w->tree, parent, &w->path);
    if (w->path.len)
        str_addc(&w->path, '/');
    str_add(&w->path, ev->name);
    if (ev->mask & IN_ISDIR)
        folder_event(w, parent, ev);
    else if (!is_known(w, ev))
        hints_add(&w->hints, HINT_LOOK, str_c(&w->path), ev->mask & IN_CLOSE_WRITE);
}

/* f itself was moved. When the events of the folders around it did not say so (its parent has no
 * watch, or the tree was wrong), it is looked for where it was last known. */
static void move_self(struct watcher *w, folder_id f)
{
    bool told = tree_moving(w->tree, f) || w->moved == f;

    w->moved = TREE_NONE;
    if (f == TREE_ROOT) {
        watcher_scan_hint(w, f);
    } else if (!told && !watcher_in_place(w, f)) {
        watcher_scan_hint(w, f);
        tree_drop(w->tree, f);
    }
}

/* The kernel took the watch away: the folder was deleted, or its file system unmounted. */
static void watch_lost(struct watcher *w, folder_id f)
{
    watcher_scan_hint(w, f);
    tree_wd_lost(w->tree, f);
    tree_drop(w->tree, f);
}

static void overflow(struct watcher *w)
{
    w->overflows++;
    if (++w->epoch == 0)
        w->epoch = 1;
    tree_forget_gone(w->tree);
    early_overflow(&w->early);
    if (w->e.lost)
        w->e.lost(w->e.ctx);
    hints_add(&w->hints, HINT_SCAN, "", false);
}

/* Only the folder around the cabinet tells that the cabinet was deleted: the cabinet itself is
 * held open, and tells it when that ends. */
static void parent_event(struct watcher *w, const struct inotify_event *ev)
{
    if (ev->mask & IN_IGNORED)
        w->parent_wd = -1;
    else if (!ev->len || strcmp(ev->name, w->root_name) != 0)
        return;
    hints_add(&w->hints, HINT_SCAN, "", false);
}

void event_take(struct watcher *w, const struct inotify_event *ev)
{
    folder_id f;
    bool early;

    w->events++;
    if (ev->mask & IN_Q_OVERFLOW) { /* comes with wd -1 */
        overflow(w);
        return;
    }
    if (ev->wd == w->parent_wd) {
        parent_event(w, ev);
        return;
    }
    f = tree_by_wd(w->tree, ev->wd);
    early = early_event(&w->early, ev->wd, f != TREE_NONE && f != TREE_GOING && f != TREE_GONE,
                        ev->mask & IN_IGNORED);
    if (ev->mask & IN_IGNORED) {
        if (f == TREE_GOING || f == TREE_GONE)
            tree_set_going(w->tree, ev->wd, TREE_NONE);
        else if (f)
            watch_lost(w, f);
    } else if (f == TREE_NONE) {
        if (!early)
            hints_add(&w->hints, HINT_SCAN, "", false);
    } else if (f == TREE_GOING || f == TREE_GONE) {
        return; /* no longer below the cabinet, or soon found again by a scan */
    } else if (ev->mask & IN_MOVE_SELF) {
        move_self(w, f);
    } else if (ev->mask & (IN_UNMOUNT | IN_DELETE_SELF)) {
        watcher_scan_hint(w, f);
    } else if (ev->len) {
        named_event(w, f, ev);
    }
}
