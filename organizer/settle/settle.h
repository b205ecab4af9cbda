/*
 * settle: is the document finished? Asked, not guessed (design.md section 1).
 *
 * F_RDLCK leases are refused while anyone on this server (smbd included) has the document open for
 * writing. Besides, quiet counts: nothing changed for the folder's settle time. A document whose
 * program's lock file lies beside it, an empty one, and one with Explorer's "New …" name wait.
 */
#ifndef ORGANIZER_SETTLE_SETTLE_H
#define ORGANIZER_SETTLE_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "record/doc.h"

struct error;
struct rules;

enum settled {
    SETTLED,        /* finished: *fd is open on it and *stamp is what it is now */
    SETTLE_QUIET,   /* changed a moment ago */
    SETTLE_OPEN,    /* someone has it open for writing */
    SETTLE_LOCKED,  /* its program's lock file lies beside it */
    SETTLE_EMPTY,   /* no content yet */
    SETTLE_NEW,     /* "New Microsoft Word Document.docx" */
    SETTLE_GONE,    /* not there any more, or not a regular file any more */
    SETTLE_DENIED,  /* may not be opened or cannot be read: err says why */
};

/* Where leases are refused for want of ownership or CAP_LEASE, at least this much quiet. */
#define SETTLE_WITHOUT_LEASES_MS 10000

struct settle_query {
    int dir;               /* its folder, opened beneath the cabinet */
    const char *name;      /* in that folder */
    int64_t now_ns;        /* wall clock, as file times are */
    int64_t settle_ms;     /* quiet time of its folder */
    const struct rules *rules;
    bool no_locks;         /* known: no lock file lies in its folder */
};

struct settle_answer {
    enum settled settled;
    int fd;                 /* SETTLED: open on the document, the caller's; else -1 */
    struct doc_stamp stamp; /* SETTLED and SETTLE_QUIET */
    uint32_t nlink;
    int64_t again_ms;       /* SETTLE_QUIET: ask again after this long */
    bool leases;            /* leases work for it */
};

/* Asks once. err is filled for SETTLE_DENIED. */
enum settled settle_ask(const struct settle_query *q, struct settle_answer *a, struct error *err);
/* How long to wait before asking again, in ms: short at first, doubling to a minute, for what no event may follow. */
int64_t settle_backoff_ms(unsigned tries);
/* Whether the name may be that of some program's lock file. */
bool settle_is_lock(const char *name);
/* Who holds the document, from the lock file beside it ("Jane Doe on PC12"), or NULL. Caller
 * frees. */
char *settle_holder(int root, const char *path);
/* The name of the lock file that lies beside the document, or NULL. Caller frees. */
char *settle_lock(int root, const char *path);

#endif
