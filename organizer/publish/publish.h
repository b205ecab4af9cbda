/*
 * publish: the pages and lists that people see in the folders: Index.html, Index.csv,
 * Needs attention.txt of each case; Index.html, Needs attention.txt and How this works.html of the
 * cabinet.
 *
 * Runs in a worker thread with its own connection to the private state. What it knows comes from
 * the state and from the snapshot of the cases in struct publish_job; it writes atomically, only
 * when the content differs, and only over what the daemon itself wrote (state_own_*): a file that
 * a person saved there is renamed to "Index (yours).html" (NOREPLACE, "(yours 2)", …) and told in
 * the result. Files get group, mode and default ACL of their folder.
 */
#ifndef ORGANIZER_PUBLISH_PUBLISH_H
#define ORGANIZER_PUBLISH_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "decide/facts.h"
#include "decide/reason.h"
#include "decide/rules.h"

/* Something about a case, a folder or the cabinet that is not about one document. Owned. */
struct notice {
    enum reason reason;
    char *path; /* from the cabinet down */
    char *sentence, *help;
};

/* A case as the pages show it: copies, since the worker runs beside the loop. */
struct page_case {
    char *id, *path, *prefix, *client, *case_type;
    char *status; /* "open" or "closed" */
    char *priority, *team, *opened, *closed_on, *docket, *matter, *parties, *hold; /* or NULL */
    char **key_documents; /* NULL-terminated or NULL */
    bool restricted;
    bool write; /* rewrite this case's pages in this job */
    bool losing;  /* documents of it are being removed just now */
    bool put_off; /* result: pages that somebody removed were not put back yet */
    struct notice *notices;
    size_t notices_len;
};

struct publish_job {
    int root; /* the cabinet */
    const char *state_dir;
    const struct rules *rules; /* borrowed: stay loaded until the job is done */
    const struct lang *lang;
    const char *office;    /* name of the office or NULL */
    const char *card; /* the pages of a case are written only beside a file called so; NULL: always */
    const char *time_zone; /* IANA; for dates and times on pages */
    bool suggest;          /* mode: suggest: pages show suggested names */
    int64_t now_ns;
    int64_t next_night_ns; /* when the next night's work begins; 0: it is not known */
    int64_t in_work_ns; /* see own_in_work_since() */
    struct page_case *cases; /* every case of the cabinet, path order; owned */
    size_t cases_len;
    struct notice *notices; /* of the cabinet; owned */
    size_t notices_len;
    bool write_cabinet; /* rewrite the cabinet's own pages */
    /* results */
    size_t written;           /* files that changed on disk */
    struct notice *set_aside; /* files of people that were set aside (REASON_OWN_FILE) */
    size_t set_aside_len;
    struct error error; /* first failure; text "" when none; other files were still tried */
};

/* Does the job; returns 0 or -1 (error is set). */
int publish_run(struct publish_job *job);
void publish_job_clear(struct publish_job *job);
void notice_clear(struct notice *n);
/* The daemon's own page names: never documents. name is a file name directly in a case or in the
 * cabinet. */
bool publish_is_own_name(const char *name);

#endif
