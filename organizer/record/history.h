/*
 * history: what the journals tell, for `log` and `undo`.
 *
 * Reads CASE/.organizer/journal.jsonl (record/journal.h) and changes nothing. Lines that are no
 * JSON are passed over: `verify` tells of them.
 */
#ifndef ORGANIZER_RECORD_HISTORY_H
#define ORGANIZER_RECORD_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/state.h"

struct error;

/* One line of a journal. Everything is borrowed during the call. */
struct history_line {
    uint64_t line;    /* in the file, from 1 */
    int64_t at_ns;    /* 0 when it does not say */
    const char *kind; /* "" when it does not say */
    int64_t doc;      /* number; 0: the line is about the case */
    const char *from; /* path from the case folder down, or NULL */
    const char *to;   /* path from the case folder down, or NULL */
    const char
        *from_office;   /* path from the cabinet down: it came from the office Inbox. Or NULL */
    const json_t *json; /* all of it */
};

/* What is decided of a case, on the share or not yet: the lines of its journal up to the head, and then
 * those of the outbox. */
struct history_decided {
    struct journal_head head;
    char **bodies; /* as state_outbox_add() got them, oldest first */
    size_t len, cap;
};
/* Fills *decided, which was zero or filled before. s must be in one picture meanwhile
 * (state_begin_read()). 0 or -1 with err; history_decided_clear() in both cases. */
int history_decide(struct state *s, const char *case_id, struct history_decided *decided, struct error *err);
void history_decided_clear(struct history_decided *decided);

/* Which lines. All zero: all. */
struct history_filter {
    int64_t doc;      /* of this document only */
    int64_t since_ns; /* at this time or later */
    uint64_t last;    /* the last so many of what the rest lets through */
};

/* Calls fn for each line, newest last; stops when fn returns non-zero and returns that. 0 at the
 * end or when there is no journal; -1 with err. */
typedef int history_fn(void *ctx, const struct history_line *line);
int history_each(int case_fd, const struct history_filter *filter, history_fn *fn, void *ctx,
                 struct error *err);
/* The document that lies at path (from the case folder down) or, when none does, that lay there
 * last: by what is decided; NULL: by the journal alone. 1 with *doc, 0 none, -1. */
int history_doc_at(int case_fd, const struct history_decided *decided, const char *path, int64_t *doc,
                   struct error *err);

/*
 * What undo reads: `filed`, `applied` and `version` with doc, to, and from or from_office are acts
 * of the organizer; `undone` with doc and to (or to_office, when it left the case) takes back all
 * that came after the document was there; any other line with doc and another `to` than before is a
 * person's; `removed`, to_office and to_cabinet tell that it left; `moved` without doc tells that a
 * person renamed the folder `from` to `to`. A line that leads out of the case, as none of
 * the organizer's does, is passed over: who can write the journal must not rename what lies
 * elsewhere by it.
 */

/* What to take back. Only acts of the organizer (filed, applied, version) that were not taken back
 * already; what people did is never undone. */
enum undo_what {
    UNDO_DOC,   /* one document, to the name it came under, also when a person renamed it since */
    UNDO_LAST,  /* the last n acts of the case */
    UNDO_SINCE, /* the acts at since_ns and later */
    UNDO_ALL,   /* all acts of the case */
};
struct undo_choice {
    enum undo_what what;
    int64_t doc;
    uint64_t last;
    int64_t since_ns;
};

/* One rename that takes a document back, all its chosen acts at once. */
struct undo_step {
    int64_t doc;
    char *from;      /* where it is, from the case folder down, as far as the journal tells; the row
                        of the document (state_doc_by_number) knows of renamed folders too */
    char *to;        /* where it was: from the case folder down; from the cabinet when to_office */
    bool to_office;  /* it came from the office Inbox and leaves the case */
    bool shared;     /* a step before this one goes to the same name: this one cannot, as it is */
    bool needs_room; /* a ring of names: another step behind this one holds `to` until then. Go by
                        a name of its own */
    uint64_t line;   /* of its newest act */
};
/* A document that was chosen and is left. */
struct undo_left {
    int64_t doc;
    char *path; /* where it is, or was last */
    bool gone;  /* removed, or in another case; else a person named it since */
};
struct undo_plan {
    struct undo_step *steps; /* in the order in which they must be done: the newest act first, but
                                who stands in another's way before it */
    size_t len;
    struct undo_left *left;
    size_t left_len;
    uint64_t acts; /* how many acts the steps take back */
};

/*
 * Plans it, by what is decided. The journal up to its head must be as it was written: renaming by a
 * journal that others edited is refused (-1, number EBADMSG). NULL reads what is there.
 * Returns 0 (perhaps without steps) or -1.
 */
int history_undo_plan(int case_fd, const struct history_decided *decided,
                      const struct undo_choice *choice, struct undo_plan *plan, struct error *err);
void undo_plan_clear(struct undo_plan *plan);

#endif
