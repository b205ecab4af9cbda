/*
 * config: .organizer/organizer.yaml (design.md section 2): every key has a default.
 */
#ifndef ORGANIZER_CABINET_CONFIG_H
#define ORGANIZER_CABINET_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/facts.h"

struct error;

enum mode { MODE_ENFORCE, MODE_SUGGEST };
enum archive_format { ARCHIVE_ZIP, ARCHIVE_TAR_ZST };
/* How often an open case is archived, too. */
enum snapshots { SNAPSHOTS_NEVER, SNAPSHOTS_WEEKLY, SNAPSHOTS_NIGHTLY };

struct folder_settle {
    char *folder; /* name of a folder anywhere, or a path from the cabinet down */
    int64_t settle_ms;
};

struct config {
    enum mode mode;
    enum naming naming;
    int64_t settle_ms;
    struct folder_settle *folders;
    size_t folders_len;
    int64_t drafts_s;
    enum date_order date_order;
    enum date_source date_from[DATE_SOURCES]; /* in the order in which they are tried */
    size_t date_from_len;
    char *time_zone; /* IANA name; owned */
    int nightly_min; /* minutes after midnight in time_zone, -1 for never */
    int64_t retire_s;    /* a closed case is retired so long after it was closed; -1: by hand only */
    enum snapshots snapshots;
    unsigned keep;       /* so many intermediate snapshots of an open case stay */
    unsigned max_path;
    int64_t sweep_ms;    /* how often unwatched parts are scanned */
    char *office;        /* the office's name, for pages; owned, may be NULL */
    enum archive_format archive_format;
    char *group;         /* members may ask the daemon; owned, may be NULL */
    unsigned hook_limit; /* hooks at once */
    int64_t hook_ms;     /* a hook's time limit */
    int64_t upload_ms;   /* that of the hooks that take archives elsewhere */
};

/* Fills c with the defaults. */
void config_init(struct config *c);
void config_clear(struct config *c);
/* Forgets the settle times of single folders. */
void config_clear_folders(struct config *c);
/* Reads text over the defaults; err names file:line:column and what was expected. c is unchanged
 * after an error. "10s", "5d", "10m", "2h", "500ms" and plain seconds are durations. */
int config_parse(struct config *c, const char *file, const char *text, size_t n, struct error *err);
/* Opens path below root for reading data that decides what is done: refuses (EPERM, err says who
 * and how to mend it) unless the file and its folder are owned by root or this process's user and
 * nobody else can write them. Returns a descriptor; -1 with err (number ENOENT: it is not there).
 */
int config_open_trusted(int root, const char *path, struct error *err);
/* config_open_trusted() and config_parse() of .organizer/organizer.yaml. A missing file is the
 * defaults. */
int config_read(struct config *c, int root, struct error *err);
/* The text that `init` writes: every key with its default, commented in plain words. Caller frees.
 */
char *config_text(const struct config *c);
/* settle time for a document in this folder (path from the cabinet down). */
int64_t config_settle_ms(const struct config *c, const char *folder);

#endif
