/* What the cabinet's pages show, and what they must not: nothing of restricted cases. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/table.h"
#include "publish/page.h"
#include "record/state.h"
#include "record/state_archive.h"

struct by_id {
    const char *id;
    size_t index;
    UT_hash_handle hh;
};

struct gathering {
    struct cabinet_view *v;
    const struct publish_job *job;
    struct by_id *ids;
};

/* s, which may be NULL, holds word. */
static bool holds(const char *s, const char *word)
{
    return s && word && *word && strstr(s, word);
}

static bool tells_of(const struct page_case *c, const char *s)
{
    return holds(s, c->prefix) || holds(s, c->path);
}

/* The text would tell readers of the cabinet of a case that they may not read. */
static bool tells_restricted(const struct publish_job *job, const char *s)
{
    for (size_t i = 0; i < job->cases_len; i++)
        if (job->cases[i].restricted && tells_of(&job->cases[i], s))
            return true;
    return false;
}

static void pick_notices(struct cabinet_view *v, const struct publish_job *job)
{
    v->notices = xcalloc(job->notices_len + 1, sizeof *v->notices);
    for (size_t i = 0; i < job->notices_len; i++) {
        const struct notice *n = &job->notices[i];

        if (!tells_restricted(job, n->path) && !tells_restricted(job, n->sentence) &&
            !tells_restricted(job, n->help))
            v->notices[v->notices_len++] = *n;
    }
}

/* What is said of a document in the office's Inbox may name the case it belongs to. */
static void hush_office(struct cabinet_view *v, const struct publish_job *job)
{
    for (size_t i = 0; i < v->office.items_len; i++) {
        struct item *item = &v->office.items[i];

        if (tells_restricted(job, item->sentence))
            item->sentence = lang_get(job->lang, "page.restricted-sentence");
        if (tells_restricted(job, item->help))
            item->help = lang_get(job->lang, "page.restricted-help");
    }
}

/* Keeps the RECENT_MAX newest, newest first. */
static void add_filing(struct cabinet_view *v, const struct doc *d, size_t index)
{
    size_t at = v->filings_len;

    while (at > 0 && v->filings[at - 1].filed_ns < d->filed_ns)
        at--;
    if (at == RECENT_MAX)
        return;
    if (v->filings_len == RECENT_MAX) {
        v->filings_len--;
        free(v->filings[v->filings_len].path);
        free(v->filings[v->filings_len].original);
    }
    memmove(&v->filings[at + 1], &v->filings[at], (v->filings_len - at) * sizeof *v->filings);
    v->filings[at] = (struct filing){d->filed_ns, index, xstrdup(d->path ? d->path : ""),
                                     xstrdup(d->original ? d->original : "")};
    v->filings_len++;
}

static int count_doc(void *ctx, const struct doc *d)
{
    struct gathering *g = ctx;
    struct case_sums *sums;
    struct by_id *hit;

    if (d->state == DOC_GONE && d->reason != REASON_MISSING)
        return 0;
    HASH_FIND_STR(g->ids, d->case_id, hit);
    if (!hit)
        return 0;
    sums = &g->v->sums[hit->index];
    sums->documents++;
    sums->waiting += d->state == DOC_WAITING;
    sums->attention += reason_is_attention(d->reason);
    if (d->state != DOC_FILED)
        return 0;
    if (d->filed_ns > sums->filed_ns)
        sums->filed_ns = d->filed_ns;
    if (listing_recent(d->filed_ns, g->job->now_ns))
        add_filing(g->v, d, hit->index);
    return 0;
}

/* Oldest first: the last one stays. */
static int take_archive(void *ctx, const struct archive_row *row)
{
    struct gathering *g = ctx;
    struct case_sums *sums;
    struct by_id *hit;

    HASH_FIND_STR(g->ids, row->case_id, hit);
    if (!hit)
        return 0;
    sums = &g->v->sums[hit->index];
    free(sums->archive);
    sums->archive = xstrdup(row->path);
    sums->archived_ns = row->made_ns;
    return 0;
}

struct gone_cases {
    struct cabinet_view *v;
    const struct publish_job *job;
    struct state *s;
};

/* A closed case whose folder is not there any more is kept with its archive. */
static int take_gone(void *ctx, const struct case_row *row)
{
    struct gone_cases *g = ctx;
    struct cabinet_view *v = g->v;
    struct error err = ERROR_INIT;
    struct archive_row last;
    const char *slash = strrchr(row->path, '/');

    if (!row->gone_ns || !row->closed || row->restricted ||
        state_archive_last(g->s, row->id, &last, &err) <= 0)
        return 0;
    AUTO_CLOSE int fd = beneath_open(g->job->root, last.path, O_PATH, 0);

    if (fd >= 0 && !last.intermediate) {
        GROW(v->gone, v->gone_len, v->gone_cap);
        v->gone[v->gone_len++] = (struct archived_case){xstrdup(slash ? slash + 1 : row->path),
                                                        xstrdup(last.path), last.made_ns};
    }
    archive_row_clear(&last);
    return 0;
}

static int gather_cases(struct cabinet_view *v, struct state *s, const struct publish_job *job,
                        struct error *err)
{
    struct by_id *nodes = xcalloc(job->cases_len + 1, sizeof *nodes);
    struct gathering g = {v, job, NULL};
    int rc;

    for (size_t i = 0; i < job->cases_len; i++) {
        const struct page_case *c = &job->cases[i];
        struct by_id *n = &nodes[i];

        if (c->restricted) {
            v->restricted++;
            continue;
        }
        for (size_t k = 0; k < c->notices_len; k++)
            v->sums[i].attention += reason_is_attention(c->notices[k].reason);
        *n = (struct by_id){.id = c->id, .index = i};
        HASH_ADD_KEYPTR(hh, g.ids, n->id, strlen(n->id), n);
    }
    rc = state_each_doc(s, NULL, true, count_doc, &g, err);
    if (rc >= 0)
        rc = state_each_archive(s, NULL, take_archive, &g, err);
    if (rc >= 0)
        rc = state_each_case(s, take_gone, &(struct gone_cases){v, job, s}, err);
    HASH_CLEAR(hh, g.ids);
    free(nodes);
    return rc < 0 ? -1 : 0;
}

/* What the private state keeps of the last night (flow/nightly.c). */
static char *night_sentence(struct state *s, const struct publish_job *job, const struct tz *z)
{
    AUTO_FREE char *report = state_get(s, "night.report");
    json_t *j = report ? json_loads(report, 0, NULL) : NULL;
    const char *at = json_get_text(j, "at");
    int64_t failed = json_get_num(j, "failed", 0), ns;
    char when[TZ_MINUTE], verified[24], archived[24], bad[24];
    char *sentence = NULL;

    if (at && time_parse(at, &ns) == 0) {
        snprintf(verified, sizeof verified, "%lld", (long long)json_get_num(j, "verified", 0));
        snprintf(archived, sizeof archived, "%lld", (long long)json_get_num(j, "archived", 0));
        snprintf(bad, sizeof bad, "%lld", (long long)failed);
        sentence = lang_format(job->lang, failed ? "page.night.failed" : "page.night.fine", "when",
                               tz_minute(z, ns, when), "verified", verified, "archived", archived,
                               "failed", bad, NULL);
    }
    json_decref(j);
    return sentence;
}

int cabinet_view_read(struct cabinet_view *v, struct state *s, const struct publish_job *job,
                      const struct tz *z, struct error *err)
{
    *v = (struct cabinet_view){0};
    v->sums = xcalloc(job->cases_len + 1, sizeof *v->sums);
    v->sums_len = job->cases_len;
    v->filings = xcalloc(RECENT_MAX, sizeof *v->filings);
    pick_notices(v, job);
    if (listing_read(&v->office, s, "", NULL, job->rules, v->notices, v->notices_len, err) < 0)
        return -1;
    hush_office(v, job);
    v->night = night_sentence(s, job, z);
    return gather_cases(v, s, job, err);
}

void cabinet_view_clear(struct cabinet_view *v)
{
    listing_clear(&v->office);
    for (size_t i = 0; i < v->filings_len; i++) {
        free(v->filings[i].path);
        free(v->filings[i].original);
    }
    free(v->filings);
    for (size_t i = 0; v->sums && i < v->sums_len; i++)
        free(v->sums[i].archive);
    free(v->sums);
    for (size_t i = 0; i < v->gone_len; i++) {
        free(v->gone[i].name);
        free(v->gone[i].archive);
    }
    free(v->gone);
    free(v->night);
    free(v->notices);
    *v = (struct cabinet_view){0};
}
