/*
 * reason: why a document was left, or what is worth knowing of it. One table for all.
 *
 * `attention` reasons are acts for a person: they stand in Needs attention.txt, in the index's
 * first section, and make `check` exit 1. The others are remarks, shown in the index for 14 days.
 * The sentence is lang "reason.<code>", the act that helps lang "help.<code>", the heading of
 * its group lang "group.<code>".
 */
#ifndef ORGANIZER_DECIDE_REASON_H
#define ORGANIZER_DECIDE_REASON_H

#include <stdbool.h>

enum reason {
    REASON_NONE,
    /* attention, most urgent first: the order of this enum is the order of the lists */
    REASON_OTHER_CASE,      /* carries another case's prefix, docket number or parties */
    REASON_TAMPERED,        /* the journal was edited, cut or replaced */
    REASON_COPIED_CASE,     /* a second folder with the same case id */
    REASON_CHANGED_UNREAD,  /* verify: content differs from the journal without an edit seen */
    REASON_MISSING,         /* verify: a document of the journal is gone */
    REASON_NOT_KEPT,        /* a sync of it failed, and the disk does not have it as it was */
    REASON_PROGRAM,         /* a program or script */
    REASON_CONTRADICTION,   /* content and extension contradict each other */
    REASON_READER_FAILED,   /* could not be read: reader died, stalled or was refused */
    REASON_WHICH_CASE,      /* office Inbox: no case found, or only candidates */
    REASON_UNKNOWN_TYPE,    /* no document type found */
    REASON_TWO_TYPES,       /* two types equally likely */
    REASON_NO_DATE,         /* no date from any allowed source */
    REASON_AMBIGUOUS_DATE,  /* 03-02-2026 under date_order: ask */
    REASON_IMPOSSIBLE_DATE, /* 2026-02-30 */
    REASON_FUTURE_DATE,
    REASON_ANCIENT_DATE,
    REASON_TWO_DATES,
    REASON_BAD_NAME,        /* invalid UTF-8 */
    REASON_DECEPTIVE_NAME,  /* bidi overrides or zero-width characters */
    REASON_TOO_LONG,        /* no legal name fits into max_path */
    REASON_ALREADY_FILED,   /* in an Inbox: same content as a document of this case */
    REASON_KEEPS_NAME,      /* in a case's Inbox: as-is by rule, or belongs together with others */
    REASON_WAITING_LONG,    /* open or being written for over 15 minutes */
    REASON_EMPTY,           /* empty for over 15 minutes */
    REASON_LINK,            /* symbolic link, device, socket, FIFO */
    REASON_HARD_LINK,       /* hard link that may lead outside */
    REASON_TWO_NAMES,       /* NFC and NFD of one name, or names that differ in case only */
    REASON_CARD,            /* a mistake in Case.txt, with its line */
    REASON_NEAR_MISS,       /* a folder that would be a case under another name */
    REASON_NO_CASE,         /* beside the office Inbox: nobody files it there */
    REASON_CASE_RENAMED,    /* the case's folder was renamed: two ways on */
    REASON_NOT_ARCHIVED,    /* the night could not archive the case */
    REASON_NOT_CLOSED,      /* its card says closed, and something speaks against it */
    REASON_CLOSED_CASE,     /* dropped into a closed case */
    REASON_ON_HOLD,         /* dropped into a case on hold, where nothing moves */
    REASON_FOUGHT_OVER,     /* renamed again and again by someone else */
    REASON_NO_PERMISSION,   /* the daemon may not read or rename it */
    REASON_OTHER_DISK,      /* another disk is mounted on a folder: nothing in it is touched */
    REASON_WATCH_LIMIT,     /* cabinet: folders that are swept instead of watched */
    REASON_OWN_FILE,        /* a person saved over one of the daemon's files */
    REASON_VETOED,          /* a before-filing hook said no */
    REASON_FIRST_REMARK,    /* below here: good to know, no act needed */
    REASON_SAME_CONTENT = REASON_FIRST_REMARK, /* elsewhere: same content as another document */
    REASON_UNDONE,          /* taken back by undo: not filed again by itself */
    REASON_CONFLICT_COPY,   /* a sync client's conflict copy: a document of its own */
    REASON_NEW_VERSION,     /* saved under a name that a document had before */
    REASON_BY_HAND,         /* named by hand */
    REASON_AS_IS,           /* indexed as it is, by rule, folder or card */
    REASON_DRAFT,           /* editable and changed within `drafts:` */
    REASON_SUGGESTED,       /* mode: suggest: the name it would get */
    REASON_COUNT
};

/* "other-case", …: stable, used in JSON, the private state and the language file. */
const char *reason_code(enum reason r);
/* REASON_NONE for an unknown code. */
enum reason reason_parse(const char *code);
/* A person has to act. */
bool reason_is_attention(enum reason r);
/* It is told to be the same as another document. */
bool reason_is_copy(enum reason r);
/* The disk does not have, or changed, the content that its digest tells. */
bool reason_is_not_whole(enum reason r);
/* True when people should not open the thing by a click: a program, a pipe or device, a name that
 * deceives. */
bool reason_is_not_to_open(enum reason r);

#endif
