/*
 * cabinet: one tree of cases, its place on disk, its private state, its lock.
 */
#ifndef ORGANIZER_CABINET_CABINET_H
#define ORGANIZER_CABINET_CABINET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "cabinet/config.h"

struct error;
struct str;

#define CABINET_FOLDER ".organizer"
/* 32 hex digits and a newline; a second line tells which folder it was made in: inode and time of
 * birth of .organizer. */
#define CABINET_ID     ".organizer/cabinet-id"
#define CABINET_ID_LEN 32
#define CABINET_CONFIG ".organizer/organizer.yaml"
#define CABINET_RULES  ".organizer/rules"
#define CARD_NAME      "Case.txt"
#define INBOX_NAME     "Inbox"
#define DRAFTS_NAME    "Drafts"
#define RECEIVED_NAME  "As Received"
#define ARCHIVE_NAME   "Archive"
#define RESTORED_NAME  "Restored " /* and a date: documents out of an archive */
#define RETIRED_NAME   "Closed"

struct cabinet {
    int root;   /* directory descriptor */
    char *path; /* absolute, real */
    char id[33];
    char *state_dir; /* STATE_HOME/CABINET-ID, there with mode 0700 */
    int64_t since_ns; /* when `init` made it one, by the clock of the file system */
    int64_t folders_ns; /* folders made later are new: since_ns, but see flow/since.h */
    char place[48];     /* inode and time of birth of .organizer as it is now */
    bool elsewhere;     /* it is not the one that `init` made: copied, or restored */
    struct config config;
    int lock; /* descriptor that holds the writer's lock, or -1 */
    int tree; /* the same for that on cabinet-id; -1 also where the file system has no locks */
};

/* The cabinet that holds start (a file or folder; NULL is the current folder): upward to the
 * first folder with .organizer/cabinet-id. Absolute path, caller frees; NULL with err that says
 * how to make one. */
char *cabinet_find(const char *start, struct error *err);
/* Whether path ("Smith_Divorce/Inbox/a.pdf", as messages and pages show it) is one from the cabinet
 * down: its first folder is there, and no part of it leads up. */
bool cabinet_lies_in(const char *cabinet, const char *path);
/* The same for a document that may be gone by now: by the folder in which it lay. */
char *cabinet_find_gone(const char *path, struct error *err);
/* Opens it; the configuration is read (an error in it is an error here). */
int cabinet_open(struct cabinet *c, const char *path, const struct env *env, struct error *err);
/* As cabinet_open(), but with the default configuration, whatever the cabinet's own says: to find
 * its daemon. */
int cabinet_locate(struct cabinet *c, const char *path, const struct env *env, struct error *err);
void cabinet_close(struct cabinet *c);
/* The second line of cabinet-id, for .organizer as it is now: "" when its file system cannot tell. */
void cabinet_place_text(int folder, char *text, size_t size);
/* Whether the folder path (from the cabinet down) was made after `init`. */
bool cabinet_came_after(const struct cabinet *c, const char *path);
/* Takes the one writer's lock (flock on state_dir/lock, which also names pid) and that of the tree
 * (cabinet/tree_lock.h). Returns 0; 1 when another process with the same private state holds it (*pid
 * is set when known); -1 with err, also when one with another private state does. */
int cabinet_lock(struct cabinet *c, int *pid, struct error *err);
/* Path of the daemon's socket in the private state. */
void cabinet_socket(const struct cabinet *c, struct str *out);

struct init_result {
    bool existed;  /* there was something: mode suggest was written */
    bool already;  /* it was a cabinet already: nothing changed */
    enum date_order date_order; /* what it was set to, by time zone */
    char zone[64];
};
/* Makes path (and the folder itself) a cabinet: .organizer with cabinet-id and organizer.yaml
 * (0755/0644, ours), Inbox, Archive. Where there is something already it writes mode: suggest and
 * makes nothing but .organizer. Never changes what is there. The time zone is the system's
 * (/etc/localtime, else UTC) and sets date_order: mdy in the Americas' US zones, dmy in Europe,
 * Africa, Australia, ymd in East Asia, else ask. */
int cabinet_init(const char *path, const struct env *env, struct init_result *r, struct error *err);

#endif
