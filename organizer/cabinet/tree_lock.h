/*
 * tree_lock: one writer for one tree, whatever its private state. The writer's lock in the private
 * state keeps out those who use the same state; this one, on the cabinet's id itself, all others: a
 * verb that root gives beside the service would begin a second history of the same documents.
 */
#ifndef ORGANIZER_CABINET_TREE_LOCK_H
#define ORGANIZER_CABINET_TREE_LOCK_H

struct error;

/* Locks the id of the cabinet `root` (path: its name for people). The descriptor holds the lock
 * until it is closed. Returns it; -1 with err when another organizer has it, or the id cannot be
 * opened; -2 where the file system has no such locks. */
int tree_lock(int root, const char *path, struct error *err);
/* 0 when nobody holds it or that cannot be known, else -1 with err as above. Keeps no lock. */
int tree_lock_ask(int root, const char *path, struct error *err);

#endif
