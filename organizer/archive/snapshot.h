/*
 * snapshot: one case folder as one file that anyone can open: a BagIt 1.0 bag (RFC 8493) in a ZIP
 * or tar.zst, written beside the case folders under a temporary name, read back from the disk,
 * verified entry by entry, and only then given its name (renameat2 RENAME_NOREPLACE).
 *
 * Runs in a job: a process of its own (archive/job.h), which holds no lock, changes nothing but
 * the archive's folder, and may be killed at any moment: what it leaves is a temporary name that
 * the next run removes. The one who holds the cabinet's lock records what came of it
 * (flow/archiving.h).
 */
#ifndef ORGANIZER_ARCHIVE_SNAPSHOT_H
#define ORGANIZER_ARCHIVE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct error;
struct lang;
struct rules;

enum snapshot_format { SNAPSHOT_ZIP, SNAPSHOT_TAR_ZST };

/* Whether the archive is the closed case's own or one of the intermediate ones that `keep:` prunes. */
enum snapshot_purpose { SNAPSHOT_CLOSED, SNAPSHOT_INTERMEDIATE };

/* What is to be archived. Borrowed strings. */
struct snapshot_order {
    int root;              /* the cabinet */
    const char *state_dir; /* its private state: documents and digests are read from there */
    const char *case_id, *case_path, *prefix;
    const char *folder;    /* where the archive goes, from the cabinet down: "Archive" */
    const char *date;      /* "2026-11-23", in the office's zone */
    const char *office;    /* Source-Organization, or NULL */
    enum snapshot_format format;
    enum snapshot_purpose purpose;
    struct digest content; /* of the last archive of this case; the same again is SNAPSHOT_SAME */
    /* What an earlier run was about to give its name when it was ended, by the private state: the
     * only archive that counts as made though nobody recorded it (heal.h). Or NULL. */
    const struct snapshot_result *intended;
    const struct rules *rules; /* which names are programs' temporary and system files */
    const struct lang *lang;
    /* Asked often: true to give up. May be NULL. */
    bool (*stopped)(void *ctx);
    /* Bytes of the case read so far; not from the caller's thread. May be NULL. */
    void (*progress)(void *ctx, uint64_t bytes, uint64_t of);
    /* The archive is proved, and gets its name next: true when that was written down where nobody
     * else writes. May be NULL: nothing is written down. */
    bool (*intend)(void *ctx, const struct snapshot_result *r);
    void *ctx;
};

enum snapshot_outcome {
    SNAPSHOT_MADE,
    SNAPSHOT_SAME,    /* nothing changed since the last archive: no new one */
    SNAPSHOT_DIFFERS, /* documents are not what the journal says, or changed while they were read */
    SNAPSHOT_BUSY,    /* documents are open or being written: later */
    SNAPSHOT_FAILED,  /* disk full, unreadable, …: why says so, and what helps */
};
/* "made", "same", …; stable. */
const char *snapshot_outcome_name(enum snapshot_outcome o);
/* What follows an archive's base name: ".zip", ".tar.zst". */
const char *snapshot_ending(enum snapshot_format f);

/* Owned strings. */
struct snapshot_result {
    enum snapshot_outcome outcome;
    char *path;            /* of the archive, from the cabinet down */
    struct digest digest;  /* SHA-256 of the archive's own bytes */
    struct digest content; /* of what is in it: same content, same digest */
    uint64_t size, documents, bytes;
    bool healed;           /* MADE: by an earlier run, which could not say so any more */
    char **findings;       /* DIFFERS, BUSY, FAILED: one sentence each, NULL-terminated, or NULL */
    char *why;             /* FAILED */
};

/* Does it, from beginning to end; r says what came of it. */
void snapshot_make(const struct snapshot_order *o, struct snapshot_result *r);
void snapshot_result_clear(struct snapshot_result *r);

#endif
