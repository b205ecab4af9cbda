/*
 * act: one thing to be done to one document, and what became of it.
 *
 * Acts are made by the flow (main thread), handed to the filer (its own thread), and come back
 * with a result. Nothing else renames documents.
 */
#ifndef ORGANIZER_FILE_ACT_H
#define ORGANIZER_FILE_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "record/doc.h"
#include "record/state.h"

enum act_kind {
    ACT_RENAME, /* name and move a document: intent, lease, rename, compare, record */
    ACT_FOLDER, /* move a folder whole: intent, rename, compare; no row, a journal line only. When
                   `from` is case_path it is the case itself that moves: its row goes with it */
    ACT_RECORD, /* write the row, and the journal line when there is one; nothing on disk */
    ACT_CASE,   /* write the case's row, its journal's line */
    ACT_CALL,   /* run call(ctx, state) inside the batch's transaction: plans, moved folders */
};

enum act_status {
    ACT_PENDING,
    ACT_DONE,
    ACT_BUSY,    /* someone has it open, or it changed since it was examined: settle again */
    ACT_GONE,    /* it is not under its old name any more: look again */
    ACT_REFUSED, /* cannot be done: error says why (no permission, no free name, other mount) */
    ACT_STOPPED, /* the disk is in doubt (EIO, ENOSPC, …): nothing was done; the filer stops */
    ACT_LOST,    /* a sync of the document failed, and the disk does not have it as it was */
};

struct act {
    enum act_kind kind;
    /* ACT_RENAME. Paths from the cabinet down. */
    char *from;             /* where it is */
    char *to_folder;        /* where it goes; made when missing */
    char *to_name;          /* without serial; the filer takes the first free one */
    bool exact;             /* no serial: the name or nothing (undo, apply) */
    int fd;                 /* open on the document, to be leased; -1: opened by the filer. Owned; closed
                               before done() */
    bool leases;            /* leases work here: take F_WRLCK around the rename */
    bool unheard;           /* once renamed, the events of that tell its maker nothing: echoes.h */
    struct doc_stamp stamp; /* as examined: differs at the time of the act: ACT_BUSY */
    struct digest was; /* not zero: it was LOST when these were its bytes, and is only filed when it
                          has them */
    char **companions;      /* names beside it that move with it ("._x"); NULL-terminated or NULL */
    /* What is recorded. doc.path is from the case folder of doc.case_id down; for ACT_RENAME the
     * filer sets doc.path, doc.stamp and doc.number before it writes the row. */
    char *case_path; /* folder of doc.case_id, from the cabinet down; "" for the office */
    struct doc doc;
    char *former;        /* path from the case folder that the document once had, or NULL */
    struct str journal;  /* body (journal_body()); the filer adds doc, to, sha256, size. Empty:
                            no line */
    struct case_row row; /* ACT_CASE */
    int (*call)(void *ctx, struct state *state, struct error *err);
    /* What became of it. */
    enum act_status status;
    struct error error;
    bool in_doubt; /* STOPPED after it may have been renamed: recovery settles what it is now */
    char *to; /* the path it has now, from the cabinet down; owned */
    /* Where something may lie of which no event tells: what came there may have been taken for the
     * document itself (echoes.h). To be looked at whatever the status. Owned; NULL: nowhere. */
    char *unseen;
    /* For who made it. */
    void (*done)(void *ctx, struct act *a); /* main thread; may take fields; must not free a */
    void *ctx;
    uint64_t asked;   /* the filer's: datasync_ask() */
    struct act *next; /* queue link, the filer's */
};

/* An act of that kind, all else zero, no document open. Free with act_free(), or hand it over. */
struct act *act_new(enum act_kind kind);
/* Whether it moves the folder of its case to another place. */
bool act_moves_case(const struct act *a);
/* Closes and frees all that it owns. NULL is fine. */
void act_free(struct act *a);
/* A new act that is a again, as it was before it was submitted; takes its strings over. For done(). */
struct act *act_again(struct act *a);

#endif
