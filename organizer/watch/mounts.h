/*
 * mounts: what is mounted below the cabinet, and which file systems keep things to themselves.
 *
 * inotify says nothing when something is mounted over a watched folder. The kernel does say when
 * /proc/self/mountinfo changes (poll(2), POLLPRI), which costs no wake-up until then.
 */
#ifndef ORGANIZER_WATCH_MOUNTS_H
#define ORGANIZER_WATCH_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct error;
struct mounts;
struct str;

/* Starts to look after the mounts below the folder root, a borrowed descriptor. changed is told,
 * from the loop, the path from root down of each mount that came or went ("" for root itself).
 * NULL with err when there is no mountinfo. */
struct mounts *mounts_new(uv_loop_t *loop, int root, void (*changed)(void *ctx, const char *path),
                          void *ctx, struct error *err);
/* Reads mountinfo now instead of when the kernel says so. -1 with errno: it cannot be read now. */
int mounts_look(struct mounts *m);
/* Another file system barred what lies at path, from root down. One that is there still is told of
 * when it goes; true when it went before it was seen, so that nothing tells. */
bool mounts_went_unseen(struct mounts *m, const char *path);
/* A JSON member "mounts": path and type of each. */
void mounts_status(const struct mounts *m, struct str *out);
/* NULL is fine. */
void mounts_free(struct mounts *m);

/* The name ("nfs", "cifs", "fuse", …) of a file system that tells nothing about what other
 * machines or the program behind it do, by f_type of statfs(2); NULL for one that tells. */
const char *mounts_network(uint64_t f_type);

#endif
