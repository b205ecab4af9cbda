/*
 * payload: what of a case folder goes into its archive, and what each document must be by the
 * private state.
 *
 *   payload_list()    every file and folder, sorted by its bytes: a look at names, nothing is read
 *   payload_expect()  against the rows and the journal, as one picture: who is not there, is new, or
 *                     has another size; then payload.content says what the archive would hold
 *
 * All of the case folder goes in but the organizer's own temporary files. Links, pipes, sockets and
 * devices are told of in the metadata only.
 */
#ifndef ORGANIZER_ARCHIVE_PAYLOAD_H
#define ORGANIZER_ARCHIVE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/findings.h"
#include "base/digest.h"
#include "record/state.h"

struct error;
struct rules;

enum payload_kind {
    PAYLOAD_DOCUMENT, /* the organizer knows it, or should */
    PAYLOAD_CARD,     /* Case.txt */
    PAYLOAD_JOURNAL,  /* up to its last change */
    PAYLOAD_PAGE,     /* the organizer's own; made anew at any time, so no part of the content */
    PAYLOAD_IGNORED,  /* a program's temporary, lock or system file; no part of the content */
    PAYLOAD_FOLDER,
    PAYLOAD_OTHER, /* a link, pipe, socket, device */
};

enum payload_flag {
    PAYLOAD_EXPECTED = 1, /* sha256 says what its bytes must be */
    PAYLOAD_RECORDED = 2, /* so says the private state */
    PAYLOAD_EMPTY = 4,    /* a folder with nothing in it that goes in */
    PAYLOAD_ASIDE = 8,    /* below a folder that is ignored */
    PAYLOAD_WAITING = 16, /* by its row it is open, or being written */
    PAYLOAD_DRAFT = 32,   /* by its row people still edit it, and nobody does just now */
};

struct payload_entry {
    const char *path;   /* its exact bytes, from the case folder down; "" the case folder itself */
    const char *stored; /* its name in the archive below data/; path unless that is no UTF-8 */
    uint64_t size;      /* of a file: bytes that go in */
    uint64_t ino;
    int64_t mtime_ns, ctime_ns;
    struct digest sha256; /* expected, then what was read */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    uint8_t kind;  /* enum payload_kind */
    uint8_t flags; /* enum payload_flag */
};

struct payload_options {
    int case_fd;
    const char *case_id;
    struct state *state; /* of this thread; only read */
    const struct rules *rules;
    bool strict; /* nothing unrecorded or waited for may go in: a closed case */
    struct findings *findings;
};

/* So many of the organizer's own pages lie in a case folder at the most. */
#define PAYLOAD_PAGES 8

struct payload {
    struct payload_entry *entries;
    size_t len, cap;
    struct payload_page {
        const char *path;
        int fd;
    } pages[PAYLOAD_PAGES]; /* held open: they are replaced at any time, and no part of the content */
    size_t pages_len;
    struct payload_names *names; /* holds all paths */
    uint64_t files, bytes;       /* what RFC 8493 calls Payload-Oxum */
    uint64_t documents;          /* files that are documents */
    struct journal_head cut;     /* where the journal ends in the archive */
    int64_t changed_ns;          /* time of the journal's last change; 0: it has none */
    struct digest content;
};

/* Fills p from the disk. 0 with what speaks against it in o->findings, -1 with err. */
int payload_list(struct payload *p, const struct payload_options *o, struct error *err);
/* As above, against the private state. Waits for journal lines that are on their way. */
int payload_expect(struct payload *p, const struct payload_options *o, struct error *err);
void payload_clear(struct payload *p);
/* A descriptor of the page, at its beginning, that the caller closes: what was there when the list
 * was made, whatever took its place since. -1 with errno. */
int payload_page_open(const struct payload *p, const struct payload_entry *e);
/* It is a file whose bytes go into the archive. */
bool payload_is_file(const struct payload_entry *e);
/* Its last change for the archive: the organizer's own pages and the journal have that of the case. */
int64_t payload_mtime(const struct payload *p, const struct payload_entry *e);

/* payload_names.c: memory for paths, and names that are no UTF-8. */
struct payload_names *payload_names_new(void);
void payload_names_free(struct payload_names *n);
/* A copy of a/b (of b alone when a is ""), which lives as long as n. */
const char *payload_names_join(struct payload_names *n, const char *a, const char *b);
/* Gives every entry its stored name; p->entries are sorted. */
void payload_names_store(struct payload *p);

#endif
