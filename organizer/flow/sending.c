/*
 * sending: the administrator's hooks `archived` take archives off the server. One that they have not
 * taken (they ended badly, took too long, were not there, the organizer was stopped) is offered again
 * with the next archive and every night, until they have.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "flow/internal.h"
#include "flow/night_step.h"
#include "record/state_archive.h"

/* Key in the private state, behind it the archive's path: the digest of what was taken. */
#define SENT_KEY "sent."
/* When something went wrong in one round, so many tries in a row are enough for it. */
#define FAILURES_MAX 3

/* Who waits for the end of a round. */
struct waiting {
    step_done *done;
    void *ctx;
    struct waiting *next;
};

/* Value under that key of an archive that was offered and not taken. */
#define OFFERED "offered"

struct sending {
    struct flow *flow;
    struct archive_row *rows; /* to be offered */
    size_t len, cap, at;
    uint64_t taken, failures;
    char *why; /* of the first that was not taken */
    struct waiting *waiting;
    bool again; /* another archive came meanwhile */
};

static char *sent_key(const struct archive_row *row)
{
    return xasprintf(SENT_KEY "%s", row->path);
}

static int take(void *ctx, const struct archive_row *row)
{
    struct sending *s = ctx;
    AUTO_FREE char *key = sent_key(row);
    AUTO_FREE char *sent = state_get(s->flow->state, key);
    AUTO_CLOSE int fd = beneath_open(s->flow->cab.root, row->path, O_PATH, 0);
    char hex[DIGEST_HEX];

    if (fd < 0 || (sent && strcmp(sent, digest_hex(&row->digest, hex)) == 0))
        return 0;
    GROW(s->rows, s->len, s->cap);
    s->rows[s->len] = *row;
    s->rows[s->len++].path = xstrdup(row->path);
    return 0;
}

static void payload(struct str *json, struct flow *f, const struct archive_row *row)
{
    const struct matter *m = matters_by_id(f->matters, row->case_id);
    AUTO_FREE char *full = xasprintf("%s/%s", f->cab.path, row->path);
    AUTO_FREE char *key = sent_key(row);
    AUTO_FREE char *sent = state_get(f->state, key);
    char at[TIME_TEXT], hex[DIGEST_HEX];

    str_addc(json, '{');
    json_num(json, "v", 1);
    json_text(json, "event", "archived");
    json_text(json, "at", time_text(env_now(f->env), at));
    json_name(json, "cabinet", f->cab.path);
    json_name(json, "case", m ? m->facts.path : "");
    json_text(json, "case_id", row->case_id);
    json_name(json, "archive", row->path);
    json_name(json, "path", full);
    json_text(json, "sha256", digest_hex(&row->digest, hex));
    json_num(json, "size", (int64_t)row->size);
    json_num(json, "documents", (int64_t)row->documents);
    json_bool(json, "intermediate", row->intermediate);
    json_text(json, "made", time_text(row->made_ns, at));
    json_bool(json, "again", sent && strcmp(sent, OFFERED) == 0);
    str_addc(json, '}');
}

static void next(struct sending *s);

static void took(void *ctx, enum hook_answer answer, const char *text)
{
    struct sending *s = ctx;
    const struct archive_row *row = &s->rows[s->at];
    AUTO_FREE char *key = sent_key(row);
    char hex[DIGEST_HEX];

    if (answer == HOOK_OK) {
        flow_remember(s->flow, key, digest_hex(&row->digest, hex));
        s->taken++;
    } else if (answer != HOOK_NONE) {
        s->failures++;
        if (s->flow->started)
            flow_remember(s->flow, key, OFFERED);
        if (!s->why)
            s->why = xasprintf("%s was not taken off the server: %s", row->path, text);
    }
    s->at++;
    next(s);
}

static void rows_clear(struct sending *s)
{
    for (size_t i = 0; i < s->len; i++)
        archive_row_clear(&s->rows[i]);
    free(s->rows);
    s->rows = NULL;
    s->len = s->cap = s->at = 0;
}

static void end(struct sending *s)
{
    struct flow *f = s->flow;
    struct step_result r = {.step = s->failures ? STEP_LEFT : s->taken ? STEP_DONE : STEP_NOTHING,
                            .text = s->why ? s->why : "",
                            .count = s->taken};
    struct waiting *w;

    f->sending = NULL;
    while ((w = s->waiting)) {
        s->waiting = w->next;
        w->done(w->ctx, &r);
        free(w);
    }
    rows_clear(s);
    if (s->again && !s->failures && f->started && !f->stopping)
        flow_send_soon(f);
    free(s->why);
    free(s);
    if (f->started)
        flow_sync_check(f);
}

static void next(struct sending *s)
{
    struct flow *f = s->flow;
    AUTO_STR struct str json = STR_INIT;

    if (s->at >= s->len || s->failures >= FAILURES_MAX || !f->started || f->stopping) {
        end(s);
        return;
    }
    payload(&json, f, &s->rows[s->at]);
    hooks_run(f->hooks, "archived", str_c(&json), -1, took, s);
}

void flow_send(struct flow *f, step_done *done, void *ctx)
{
    struct error err = ERROR_INIT;
    bool running = f->sending != NULL;
    struct sending *s = running ? f->sending : xcalloc(1, sizeof *s);
    struct waiting *w = xcalloc(1, sizeof *w);

    *w = (struct waiting){done, ctx, s->waiting};
    s->waiting = w;
    if (running)
        return;
    s->flow = f;
    f->sending = s;
    if (hooks_any(f->hooks, "archived"))
        state_each_archive(f->state, NULL, take, s, &err);
    next(s);
}

static void nobody(void *ctx, const struct step_result *r)
{
    struct flow *f = ctx;

    if (r->step == STEP_LEFT)
        log_line(&f->log, LOG_WARNING, "an archive is not off the server yet", "why", r->text,
                 "again", "the next night", NULL);
}

void flow_send_soon(struct flow *f)
{
    if (f->sending)
        f->sending->again = true;
    else
        flow_send(f, nobody, f);
}
