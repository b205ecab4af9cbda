/* Rows, former names and journal lines of acts, in the transaction of their batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "file/filing.h"

const char *ledger_inside(const struct act *a, const char *to)
{
    size_t n = a->case_path ? strlen(a->case_path) : 0;

    if (n && strncmp(to, a->case_path, n) == 0 && to[n] == '/')
        return to + n + 1;
    return to;
}

/* What every line about a document says, behind what the act's maker wrote. */
static void add_facts(struct str *body, const struct act *a)
{
    const struct doc *d = &a->doc;
    char hex[DIGEST_HEX];

    if (a->kind == ACT_FOLDER)
        json_name(body, "to", ledger_inside(a, a->to));
    if (a->kind == ACT_FOLDER || a->kind == ACT_CASE)
        return;
    json_num(body, "doc", d->number);
    if (d->state == DOC_GONE)
        return;
    json_name(body, "to", d->path ? d->path : "");
    if (!digest_is_zero(&d->digest))
        json_text(body, "sha256", digest_hex(&d->digest, hex));
    json_num(body, "size", (int64_t)d->stamp.size);
}

static int put_line(struct state *s, const struct act *a, struct error *err)
{
    char room[1024];
    AUTO_STR struct str body = STR_ON(room);

    if (!a->journal.len)
        return 0;
    str_addn(&body, a->journal.s, a->journal.len);
    add_facts(&body, a);
    return state_outbox_add(s, a->kind == ACT_CASE ? a->row.id : a->doc.case_id, str_c(&body), err);
}

static int put_doc(struct state *s, struct act *a, struct error *err)
{
    if (state_doc_put(s, &a->doc, err) < 0)
        return -1;
    if (a->former && *a->former &&
        state_former_put(s, a->doc.case_id, a->doc.number, a->former, err) < 0)
        return -1;
    return put_line(s, a, err);
}

/* The case lies elsewhere now, and with it the daemon's own files and its journal. */
static int move_case(struct state *s, const struct act *a, struct error *err)
{
    struct case_row row;
    int rc = state_case_get(s, a->doc.case_id, &row, err);

    if (rc <= 0)
        return rc < 0 ? -1 : error_set(err, 0, "the case %s is not known", a->doc.case_id);
    free(row.path);
    row.path = xstrdup(a->to);
    row.gone_ns = 0;
    rc = state_case_put(s, &row, err);
    case_row_clear(&row);
    return rc < 0 ? -1 : state_own_move(s, a->from, a->to, err);
}

int ledger_put(struct state *s, struct act *a, struct error *err)
{
    switch (a->kind) {
    case ACT_RENAME:
    case ACT_RECORD:
        return put_doc(s, a, err);
    case ACT_FOLDER:
        return act_moves_case(a) && move_case(s, a, err) < 0 ? -1 : put_line(s, a, err);
    case ACT_CASE:
        return state_case_put(s, &a->row, err) < 0 ? -1 : put_line(s, a, err);
    case ACT_CALL:
        return a->call(a->ctx, s, err);
    }
    return 0;
}

int ledger_unpublished(struct state *s, struct error *err)
{
    return state_set(s, UNPUBLISHED_KEY, "1", err);
}

bool filer_unpublished(struct state *s)
{
    AUTO_FREE char *text = NULL;
    struct error err = ERROR_INIT;
    int found = state_find(s, UNPUBLISHED_KEY, &text, &err);

    /* Where it cannot be read they are looked at once more. */
    return found < 0 || (found > 0 && *text);
}

int filer_published(struct state *s, struct error *err)
{
    return filer_unpublished(s) ? state_set(s, UNPUBLISHED_KEY, "", err) : 0;
}

int ledger_finish(struct state *s, uint64_t number, struct error *err)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return state_set(s, INTENTS_KEY, text, err);
}

int ledger_finished(struct state *s, uint64_t *number, struct error *err)
{
    AUTO_FREE char *text = NULL;
    int rc = state_find(s, INTENTS_KEY, &text, err);

    *number = text ? strtoull(text, NULL, 10) : 0;
    return rc < 0 ? -1 : 0;
}
