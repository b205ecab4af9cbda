/*
 * plan: renamings for a tree that exists, shown to people in Excel, done exactly as reviewed.
 *
 * The plan itself is kept in STATE_DIR/plans/ID.json; the CSV that people review carries plan and
 * row numbers. On the way back only the column "Apply" decides: names and digests come from the
 * stored plan, so that nothing that Excel does to a cell can rename anything. A row whose new name
 * somebody wrote over is left, for that is not what was planned.
 * Chains (a to b, b to c), swaps and case-only renames are planned as a whole: a name that another
 * row of the plan gives up counts as free.
 */
#ifndef ORGANIZER_PLAN_PLAN_H
#define ORGANIZER_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/doc.h"

struct error;
struct str;

/* One renaming. Strings owned. */
struct plan_row {
    unsigned number;  /* from 1 */
    char *from, *to;  /* from the cabinet down; to has its serial already */
    char case_id[CASE_ID_SIZE]; /* of the case it goes to */
    char *why, *type, *date;
    struct digest digest;
    struct doc_stamp stamp; /* when the plan was made */
    bool apply;       /* what the reviewed CSV says */
    bool rewritten;   /* it has another new name there than the plan: that is no name of ours */
};

struct plan {
    char id[17];      /* 16 hex digits */
    char *cabinet_id;
    int64_t made_ns;
    struct plan_row *rows;
    size_t len, cap;
};

/* An empty plan with an id of its own. */
void plan_init(struct plan *p, const char *cabinet_id, int64_t now_ns);
void plan_clear(struct plan *p);
/* Adds a row; `to` is the wanted path without serial. Returns it; valid until the next add. */
struct plan_row *plan_add(struct plan *p, const char *from, const char *to);
/* Settles who gets which name: serials where two want one, or where a document that does not move
 * has it. exists() says whether something is at a path now. Drops rows that turn out to change nothing; numbers the rest
 * in path order. */
void plan_arrange(struct plan *p, bool (*exists)(void *ctx, const char *path), void *ctx);

/* STATE_DIR/plans/ID.json, durable. */
int plan_save(const struct plan *p, const char *state_dir, struct error *err);
/* Loads the stored plan; -1 when there is none of that id (err says so) or it is of another version. */
int plan_load(struct plan *p, const char *state_dir, const char *id, struct error *err);

/* The CSV for people: UTF-8 with BOM, CRLF. Columns Apply, Plan, Row, From, To, Type, Date, Why. */
void plan_csv(const struct plan *p, struct str *out);
/* Reads a reviewed CSV: *id (17 bytes) gets the plan's id; the decisions are called out one by one,
 * each with what stands in its column To (NULL: there is none). Apply
 * may hold yes, y, x, 1, true (any case), or no, n, 0, false or nothing. Returns 0, or -1 with the line
 * and what was expected. Columns may have been moved or deleted but for Apply, Plan and Row. */
typedef void plan_decision(void *ctx, unsigned row, bool apply, const char *to);
/* Whether `to`, from a reviewed CSV, still is the new name `planned`, whatever character sets the
 * cell went through: letters and digits of ASCII count. */
bool plan_same_to(const char *to, const char *planned);
int plan_csv_read(const char *text, size_t n, char id[static 17], plan_decision *fn, void *ctx,
                  struct error *err);

#endif
