/* order: what a snapshot job is told and what it answers, as lines of JSON (job.h). */
#ifndef ORGANIZER_ARCHIVE_ORDER_H
#define ORGANIZER_ARCHIVE_ORDER_H

#include <jansson.h>

#include "archive/snapshot.h"

struct str;

/* What the job needs beside the order itself. Borrowed. */
struct order_place {
    const char *rules_dir;
    const char *time_zone; /* times in a ZIP are local ones */
};

/* Appends the order's line without newline. root, rules, lang and the callbacks are the job's. */
void order_write(struct str *line, const struct snapshot_order *o, const struct order_place *at);
/* Appends the member `key` of an object: what came of it ("result"), or is about to ("intend"). */
void order_write_as(struct str *line, const char *key, const struct snapshot_result *r);
/* Reads the value of such a member. False when it is none; r is cleared by the caller either way. */
bool order_read_result(const json_t *json, struct snapshot_result *r);

#endif
