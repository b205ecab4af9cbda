/*
 * doc: one document as the private state and the indexes know it.
 *
 * A document's identity is (case id, number). The number is minted in its case's journal, from 1,
 * and never used again. What binds it to a file is, in this order of evidence (flow/identity.h):
 * path with inode and birth time; inode and birth time under another path; path with the same
 * digest (a restored cabinet has new inodes); a saved-over path (same path, new inode, while the
 * old inode is gone). Everything here but heads and intents can be rebuilt from the journals.
 */
#ifndef ORGANIZER_RECORD_DOC_H
#define ORGANIZER_RECORD_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "decide/reason.h"
#include "examine/kind.h"

#define CASE_ID_SIZE 33 /* 32 hex digits and a NUL; "" stands for the office (its Inbox) */

enum doc_state {
    DOC_INDEXED, /* lies where people put it, under the name they gave it */
    DOC_FILED,   /* named and filed by the organizer */
    DOC_LISTED,  /* in an Inbox or standard folder, left: reason says why */
    DOC_WAITING, /* being written, open, empty, a draft: looked at again by itself */
    DOC_GONE,    /* removed by a person; kept for its history, has no file */
};

/* Whether it got its name before anybody read what it says. Then its place of origin is known until
 * somebody has, so that the naming can be taken back. */
enum doc_unread {
    DOC_READ,            /* nothing is to be taken back */
    DOC_UNREAD_IN_PLACE, /* it lay under `original` in the folder where it lies */
    DOC_UNREAD_INBOX,    /* in the Inbox of its case */
};

/* What statx(2) told when the document was last read: unchanged means not read again. */
struct doc_stamp {
    uint64_t dev, ino;
    int64_t birth_ns; /* 0 where the file system has none */
    uint64_t size;
    int64_t mtime_ns, ctime_ns;
};

/* Strings are owned; NULL counts as "". */
struct doc {
    char case_id[CASE_ID_SIZE];
    int64_t number; /* 0: not minted yet */
    char *path;     /* from the case folder down; from the cabinet down for the office */
    struct doc_stamp stamp;
    int64_t read_ns; /* wall clock when its bytes were read; a ctime not older than this minus
                        two seconds is racily clean and read again; see doc_is_racy() */
    struct digest digest;
    enum doc_state state;
    enum kind kind;
    enum reason reason; /* why listed, or the remark */
    char *sentence;     /* what a person reads about it */
    char *help;         /* the act that helps */
    char *type;         /* "MotionToDismiss", or "" */
    char *words;        /* kept words */
    char *date;         /* "2026-03-02", or "" */
    char *original;     /* the name it was dropped under, or "" */
    char *why;          /* decision_why() when it was filed */
    char *suggested;    /* mode suggest: the path it would get */
    int64_t filed_ns;   /* when it was filed or first indexed, UTC ns */
    int64_t changed_ns; /* when its row last changed for people: remarks are shown 14 days */
    bool by_hand;       /* a person named it */
    bool undone;        /* taken back by undo, not touched since */
    bool before;        /* was there before the organizer: named by plan and apply only */
    enum doc_unread unread;
};

/* A change within this long before the stamp was taken may not show in it (coarse clocks). */
#define DOC_RACY_NS (INT64_C(50) * 1000 * 1000)
/* Racily clean: changed so shortly before it was read that a later change may not show. */
#define doc_is_racy(d) ((d)->stamp.ctime_ns > (d)->read_ns - DOC_RACY_NS)

/* A missing document may come back within this long (programs save by removing and renaming). */
#define DOC_MISSING_NS (INT64_C(2) * 1000 * 1000 * 1000)

/* Frees what d owns; all zero then. */
void doc_clear(struct doc *d);
/* A deep copy. */
void doc_copy(struct doc *to, const struct doc *from);
/* One of a row's texts becomes a copy of value; NULL counts as empty. */
void doc_set(char **field, const char *value);
/* "indexed", "filed", …; stable. */
const char *doc_state_name(enum doc_state s);
/* -1 for an unknown name. */
int doc_state_parse(const char *name);
/* What lies at a name: stamp, type and mode bits, how many names the file has. */
struct doc_seen {
    struct doc_stamp stamp;
    unsigned mode;
    uint32_t nlink;
};

/* Looks at the open descriptor fd or, when fd < 0, at name in dirfd without following links. Returns
 * 0 or -1 with errno. */
int doc_look(int fd, int dirfd, const char *name, struct doc_seen *seen);
/* Only its stamp: fills it from the open descriptor fd or, when fd < 0, from name in dirfd without following
 * links. Returns 0 or -1 with errno. */
int doc_stamp_take(int fd, int dirfd, const char *name, struct doc_stamp *s);
/* Same file, same bytes as far as the stamp can tell. */
bool doc_stamp_equal(const struct doc_stamp *a, const struct doc_stamp *b);
/* Same file, not written to since: a new name changes only the ctime. */
bool doc_stamp_same_bytes(const struct doc_stamp *a, const struct doc_stamp *b);
/* Same file (device, inode, birth time), whatever its bytes. */
bool doc_stamp_same_file(const struct doc_stamp *a, const struct doc_stamp *b);

#endif
