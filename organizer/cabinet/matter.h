/*
 * matter: the cases (matters) of a cabinet as they stand on disk, and the roster that decide()
 * sees. (`case` is a word of C.)
 *
 * A matter is a folder with a Case.txt, at any depth; matters do not nest. The flow calls
 * matters_look() for each folder it scans and each Case.txt that changes; what comes back says
 * what the flow must do (open a case: write its card, mint its id). Nothing here renames or
 * records.
 */
#ifndef ORGANIZER_CABINET_MATTER_H
#define ORGANIZER_CABINET_MATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cabinet/card.h"
#include "record/state.h"

struct error;
struct matters;

struct matter {
    struct case_facts facts; /* what decide() sees; strings owned by the matter */
    struct card card;        /* the last good card */
    struct card seen;        /* the card as it is now, with its problems */
    struct doc_stamp stamp;  /* of the folder */
    struct doc_stamp card_stamp;
    struct digest card_digest; /* of the bytes of `seen`; zero when it could not be read */
    enum reason reason; /* REASON_COPIED_CASE, REASON_CASE_RENAMED, REASON_TAMPERED or NONE */
    bool known;         /* its id is in the private state */
    bool untouchable;   /* a copy of another case: never touched */
    bool closed;        /* it counts as closed: it was looked over, and its journal says so */
    char *against;      /* why it does not, though its card says so; owned; NULL: nothing known */
    int64_t adopted_ns; /* what lay there before is never named by itself; 0: nothing did */
    bool opening;       /* the flow's own: nothing in it is looked at until the state knows it */
    bool recording;     /* the flow's own: its row is being written */
    bool moving;        /* the flow's own: its folder is being moved, nothing in it is looked at */
    bool renaming;      /* the flow's own: its documents are getting another prefix */
    bool rename_rest;   /* the flow's own: some may not have it */
    int64_t losing;     /* the flow's own: ticks when a document of it was last missed; 0: never */
    uint64_t dirty;     /* changes since its index was written; the publisher's */
    void *flow;         /* the flow's own */
};

/* No case is known yet. root: the cabinet. All borrowed. */
struct matters *matters_new(int root, const struct rules *rules, const struct lang *lang);
void matters_free(struct matters *m);
/* Rules and language were reloaded; borrowed like those before. */
void matters_set_rules(struct matters *m, const struct rules *rules, const struct lang *lang);
/* The cabinet's `naming:`, for cases whose card does not say (NAMING_STANDARD until told). */
void matters_set_naming(struct matters *m, enum naming naming);
/* The cabinet's `date_order:`, for dates on cards (DATE_ORDER_ASK until told). */
void matters_set_date_order(struct matters *m, enum date_order order);
/* drop is called for each matter just before it is freed, so that the flow can let go of its own.
 */
void matters_on_drop(struct matters *m, void (*drop)(void *ctx, struct matter *matter), void *ctx);

enum matter_event {
    MATTER_NONE,      /* not a case, and nothing to say */
    MATTER_SAME,      /* a case, unchanged */
    MATTER_CHANGED,   /* its card was changed: facts are new */
    MATTER_NEW,       /* a case that the private state does not know: the flow opens it */
    MATTER_MOVED,     /* a known case under another path: *was tells the old path */
    MATTER_COPY,      /* the same case id as another case that is still there */
    MATTER_FOLDER,    /* a new folder named by the convention without a card: the flow opens it */
    MATTER_NEAR_MISS, /* nearly a case's name: *would is the name that would do */
    MATTER_GONE,      /* was a case, its folder or card is gone */
};

struct matter_look {
    enum matter_event event;
    struct matter *matter;    /* NULL for NONE, FOLDER, NEAR_MISS and GONE */
    bool first;               /* it is in memory only from this look on */
    char *was;                /* MOVED; owned by the caller */
    char *would;              /* NEAR_MISS, FOLDER (the prefix); owned by the caller */
    char *client, *case_type; /* FOLDER; owned by the caller */
};

/* Whether cases may lie at path: not in the office's Inbox, the folder Archive, or what is hidden. */
bool matters_may_hold(const char *path);
/*
 * Looks at the folder path (from the cabinet down) and its Case.txt. fresh: the folder came after
 * `init` (only such a folder becomes a case, or is told to be nearly one, by its name alone; never
 * one that the state knows as a case: its card was taken away).
 * state (may be NULL) knows cases by id. Returns 0, or -1 with err (the folder cannot be read).
 *
 * A known case's first look in a process is MATTER_SAME. A MATTER_NEW has its id already: that of
 * its card or journal, else a fresh one, which the flow writes to the card (card.id is NULL
 * then); it stays NEW at each look until the state knows the id. MATTER_MOVED comes once; the
 * flow then puts the new path, stamp, matter_former() and renamed_told = false into the state. A
 * MATTER_COPY stays one until the original is gone. A case whose name is taken by another case is a
 * near miss.
 */
int matters_look(struct matters *m, const char *path, bool fresh, struct state *state,
                 struct matter_look *look, struct error *err);
void matter_look_clear(struct matter_look *look);

/* The case in which path lies (or whose folder it is), or NULL. *inside (may be NULL) is set to the
 * part of path below the case folder. */
struct matter *matters_of(const struct matters *m, const char *path, const char **inside);
struct matter *matters_by_id(const struct matters *m, const char *id);
struct matter *matters_by_path(const struct matters *m, const char *path);
/* By prefix, former prefix, or path, as a user names a case on the command line; NULL and err when
 * none or several match. */
struct matter *matters_find(const struct matters *m, const char *what, struct error *err);
/* Whether a case has, or had, this prefix. */
bool matters_has_prefix(const struct matters *m, const char *prefix);
size_t matters_len(const struct matters *m);
struct matter *matters_at(const struct matters *m, size_t i); /* in path order */
/* The roster; valid until the next matters_look() or matters_forget(). */
const struct roster *matters_roster(const struct matters *m);
/* The folder is gone: forgets the case at path and all below it. */
void matters_forget(struct matters *m, const char *path);
/* Prefixes the case had before its folder was renamed, as struct case_row keeps them. Caller frees.
 */
char *matter_former(const struct matter *matter);
/* 32 random hex digits. */
void case_id_mint(char id[static CASE_ID_SIZE]);
/* Where a document lies. path is its own, from the cabinet down; *home is its case or NULL, *inside
 * (both may be NULL) the part of path below the case folder, or path itself outside of cases. */
enum zone matters_zone(const struct matters *m, const char *path, struct matter **home,
                       const char **inside);

#endif
