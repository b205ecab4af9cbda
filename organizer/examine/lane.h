/*
 * lane: one running reader as the organizer sees it: its socket, the documents it was sent and
 * has not answered (the first of them is the one it has in hand), and since when.
 *
 *   lane_start() / lane_start_child()   running, not yet greeted
 *   lane_send()                         up to LANE_DEPTH documents ahead
 *   events                              answered, ended; from the loop only
 *   lane_end()                          kills it; the handle closes itself when it is gone
 */
#ifndef ORGANIZER_EXAMINE_LANE_H
#define ORGANIZER_EXAMINE_LANE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "examine/examiner.h"
#include "examine/wire.h"

#define LANE_DEPTH 32 /* a power of two */

enum lane_role {
    LANE_DIGESTER,
    LANE_CLASSIFIER,
    LANE_NURSERY, /* gets no documents: classifiers are its children */
    LANE_PARSERS,
};

struct job;

/* What one reader does for a document: its digest, its kind, or its text. Lives inside the job. */
struct part {
    struct job *job;
    struct part *next;
    int fd;          /* the caller's */
    uint32_t ticket; /* which document, in the reader's answer */
    bool is_kind;    /* for a classifier */
    bool is_large;   /* only for the lane that takes large ones */
    bool crowded;    /* on its lane it came with others, whose answers may come together */
    bool alone;      /* a reader was lost over it or one that it came with: not with others again */
    int out;         /* for a parser: where the text goes, the caller's */
    enum kind kind;  /* then: what the document is */
};

struct lane;

struct lane_events {
    /* The part in hand was answered by a record that holds what it may: WIRE_DIGEST, WIRE_LARGE,
     * WIRE_KIND, WIRE_PARSED or WIRE_ERROR. */
    void (*answered)(void *ctx, struct part *p, const struct wire_answer *a);
    /* The reader is shut in and at work; lacks is enum sandbox_lack. */
    void (*greeted)(void *ctx, struct lane *l, unsigned lacks);
    /* It died or lied, for the reason why; the parts it had are still in it: lane_take(). Ends
     * with lane_end(). */
    void (*ended)(void *ctx, struct lane *l, const char *why);
    /* After everything that one readable moment brought. */
    void (*settled)(void *ctx);
    /* The lane's memory and handle are gone. */
    void (*gone)(void *ctx, struct lane *l);
};

struct lane {
    uv_poll_t poll;
    const struct lane_events *events;
    void *ctx;
    struct lane *next; /* for the owner's list of those that are dying */
    enum lane_role role;
    uint32_t id;     /* a nursery's own number, a child's name in its nursery */
    uint32_t parent; /* a child's nursery */
    pid_t pid;       /* 0 for a nursery's child */
    int sock;
    bool greeted; /* it said hello: from here on it is to blame for what it has in hand */
    bool ended;
    bool has_large;  /* a large document is on it */
    uint64_t bytes;  /* progress told for the part in hand */
    uint64_t since;  /* loop time of the last progress, or of becoming idle */
    unsigned served; /* documents sent to it so far */
    unsigned first, len;
    struct part *parts[LANE_DEPTH];
};

/* Starts a process for a digester, nursery or parsers. NULL with errno. */
struct lane *lane_start(uv_loop_t *loop, enum lane_role role, const char *exe,
                        const struct wire_setup *setup, const struct lane_events *events,
                        void *ctx);
/* Has the nursery make a classifier that it knows as id. NULL with errno. */
struct lane *lane_start_child(uv_loop_t *loop, struct lane *nursery, uint32_t id,
                              const struct lane_events *events, void *ctx);
/* Sends a document. Returns 0, or an errno: then the part is not the lane's. */
int lane_send(struct lane *l, struct part *p);
/* Sends n documents at once, at most WIRE_MANY and no more than there is room for; not to parsers.
 * Returns 0, or an errno: then none is the lane's. */
int lane_send_many(struct lane *l, struct part *const *parts, size_t n);
/* Reads what has come; may end it. */
void lane_drain(struct lane *l);
/* Takes the first part off it, NULL when there is none. */
struct part *lane_take(struct lane *l);
/* Kills it (a classifier through its nursery, which may be NULL when that is gone itself). It
 * sends no more events but gone. */
void lane_end(struct lane *l, struct lane *nursery);
/* Does not wait for the loop to notice that it is gone, at most for ms. After lane_end(). */
void lane_finish(struct lane *l, int ms);

#endif
