/*
 * tree: the folders that the watcher knows, and the watch each of them has.
 *
 * Two maps: watch descriptor to folder, and (folder, name) to subfolder. Only tree_put() and
 * tree_drop() change them, both at once, so that they cannot disagree. Made small: 100,000
 * folders take less than 12 MB.
 *
 * A watch descriptor outlives its folder: from the moment a watch is given up until the kernel's
 * IN_IGNORED, events under it may still be queued. Such descriptors stay in the map as TREE_GOING
 * (still to be removed) or TREE_GONE (removed, IN_IGNORED to come).
 */
#ifndef ORGANIZER_WATCH_TREE_H
#define ORGANIZER_WATCH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;
struct tree;

/* A folder, or one of the values below. Valid until the folder is dropped. */
typedef uint32_t folder_id;

#define TREE_NONE  0u          /* no such folder, unknown watch descriptor */
#define TREE_ROOT  1u          /* the cabinet; always there */
#define TREE_GOING 0xfffffffeu /* as answer of tree_by_wd(): given up, not removed yet */
#define TREE_GONE  0xffffffffu /* as answer of tree_by_wd(): removed, IN_IGNORED to come */

/* Why a folder is swept instead of (or beside being) watched. */
enum swept {
    SWEPT_NO,
    SWEPT_LIMIT,   /* fs.inotify.max_user_watches is reached */
    SWEPT_NETWORK, /* a network file system tells nothing of what others do */
    SWEPT_TWICE,   /* the same folder is watched under another path: a bind mount */
    SWEPT_REFUSED, /* the kernel would not watch it for another reason */
    SWEPT_REASONS,
};

/* An empty tree with the root unwatched. dropped is told each folder that tree_drop() is about
 * to forget, subfolders first. */
struct tree *tree_new(void (*dropped)(void *ctx, folder_id f), void *ctx);
void tree_free(struct tree *t);

/* Puts a folder in its place: f (with all below it) or, when f is TREE_NONE, a new one, under
 * name in parent, with watch descriptor wd (-1 for none). A folder that is there already under
 * that name must be f itself or have been dropped before; f must not lie above parent. The
 * watch that f had before, when it is another, is TREE_GOING. Returns the folder. For the root
 * parent is TREE_NONE and name is not used. */
folder_id tree_put(struct tree *t, folder_id f, folder_id parent, const char *name, int wd);
/* Forgets f and all below. Their watches are TREE_GOING. Folders above that have neither watch,
 * sweep nor subfolder go too. The root stays, unwatched and without subfolders. */
void tree_drop(struct tree *t, folder_id f);

/* What has the watch wd: a folder, TREE_NONE, TREE_GOING or TREE_GONE. */
folder_id tree_by_wd(const struct tree *t, int wd);
/* Moves on a descriptor that has no folder: to TREE_GOING, TREE_GONE or, with TREE_NONE, out of
 * the map. */
void tree_set_going(struct tree *t, int wd, folder_id state);
/* The kernel took the watch of f away: f has none now. */
void tree_wd_lost(struct tree *t, folder_id f);
/* Forgets every TREE_GONE: after an overflow their IN_IGNORED may never come. */
void tree_forget_gone(struct tree *t);
/* The next TREE_GOING descriptor in the order they were given up, or -1. It leaves the queue, but
 * stays in the map. */
int tree_next_going(struct tree *t);
bool tree_has_going(const struct tree *t);

/* The subfolder called by the n bytes at name, or TREE_NONE. */
folder_id tree_child(const struct tree *t, folder_id parent, const char *name, size_t n);
/* The folder at path ("" is the root), or TREE_NONE. */
folder_id tree_find(struct tree *t, const char *path);
/* The same, made with all that lead to it (unwatched) when missing. */
folder_id tree_make(struct tree *t, const char *path);
/* First and next subfolder, TREE_NONE at the end. */
folder_id tree_first(const struct tree *t, folder_id f);
folder_id tree_next(const struct tree *t, folder_id f);
folder_id tree_parent(const struct tree *t, folder_id f);
const char *tree_name(const struct tree *t, folder_id f);
int tree_wd(const struct tree *t, folder_id f);
/* f lies somewhere below above, or is it. */
bool tree_below(const struct tree *t, folder_id f, folder_id above);
/* Replaces out by the path of f from the root down. */
void tree_path(const struct tree *t, folder_id f, struct str *out);

/* Why f is swept instead of watched. */
void tree_set_swept(struct tree *t, folder_id f, enum swept why);
enum swept tree_swept(const struct tree *t, folder_id f);
/* How many folders are swept for that reason. */
uint64_t tree_count_swept(const struct tree *t, enum swept why);
/* How many have a watch. */
uint64_t tree_count_watched(const struct tree *t);
/* Calls fn with each swept folder above which no other is swept, until fn returns false. fn must
 * not change the tree. */
void tree_each_swept(const struct tree *t, bool (*fn)(void *ctx, folder_id f), void *ctx);

/* A mark of the watcher's own: in its list of folders moved away, not known yet where to. */
bool tree_moving(const struct tree *t, folder_id f);
void tree_set_moving(struct tree *t, folder_id f, bool moving);
/* A count of the watcher's own, 0 in a new folder: the overflow after which it was last read. */
uint8_t tree_epoch(const struct tree *t, folder_id f);
void tree_set_epoch(struct tree *t, folder_id f, uint8_t epoch);

#endif
