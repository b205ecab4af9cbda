#include "record/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/json.h"
#include "record/history_internal.h"
#include "record/journal_internal.h"

struct reading {
    int64_t size;
    history_fn *fn;
    void *ctx;
    int answer;
    uint64_t lines; /* read so far */
};

static int give(const json_t *json, uint64_t number, history_fn *fn, void *ctx)
{
    AUTO_FREE char *from = json_get_name(json, "from");
    AUTO_FREE char *to = json_get_name(json, "to");
    AUTO_FREE char *office = json_get_name(json, "from_office");
    const char *at = json_get_text(json, "at");
    const char *kind = json_get_text(json, "kind");
    struct history_line line = {.line = number, .from = from, .to = to, .from_office = office, .json = json};

    line.kind = kind ? kind : "";
    line.doc = json_get_num(json, "doc", 0);
    if (!at || time_parse(at, &line.at_ns) < 0)
        line.at_ns = 0;
    return fn(ctx, &line);
}

static int give_line(void *ctx, const struct journal_raw *raw)
{
    struct reading *r = ctx;
    bool counts = raw->ended && (r->size < 0 || raw->end <= r->size);
    json_t *json = counts ? journal_parse(raw) : NULL;

    if (counts)
        r->lines = raw->number;
    r->answer = json ? give(json, raw->number, r->fn, r->ctx) : 0;
    json_decref(json);
    return r->answer;
}

int history_read(int case_fd, const struct history_decided *decided, history_fn *fn, void *ctx, struct error *err)
{
    struct reading r = {.size = decided ? decided->head.size : -1, .fn = fn, .ctx = ctx};
    AUTO_CLOSE int fd = journal_open(case_fd, O_RDONLY, err);
    int rc = fd >= 0 ? journal_each_raw(fd, give_line, &r, err) : err->number == ENOENT ? 0 : -1;

    for (size_t i = 0; decided && rc == 0 && i < decided->len; i++) {
        AUTO_FREE char *text = xasprintf("{%s}", decided->bodies[i]);
        json_t *json = json_loads(text, 0, NULL);

        rc = json ? give(json, ++r.lines, fn, ctx) : 0;
        json_decref(json);
    }
    return rc;
}

bool history_leaves(const json_t *json, const char *kind)
{
    return strcmp(kind, "removed") == 0 || json_object_get(json, "to_cabinet") ||
           json_object_get(json, "to_office");
}

bool history_is_plain(const char *path)
{
    const char *slash;

    if (strncmp(path, JOURNAL_FOLDER, strlen(JOURNAL_FOLDER)) == 0 &&
        path[strlen(JOURNAL_FOLDER)] == '/')
        return false;
    for (const char *p = path; p; p = slash ? slash + 1 : NULL) {
        size_t n = (slash = strchr(p, '/')) ? (size_t)(slash - p) : strlen(p);

        if (n == 0 || (n <= 2 && strncmp(p, "..", n) == 0))
            return false;
    }
    return true;
}

bool history_stays_inside(const struct history_line *line)
{
    const char *const paths[] = {line->from_office, line->from, line->to};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] && !history_is_plain(paths[i]))
            return false;
    return true;
}

/* ---- what is decided -------------------------------------------------------------------------- */

struct gathering {
    struct history_decided *decided;
    const char *case_id;
};

static int add_body(void *ctx, int64_t rowid, const char *case_id, const char *body)
{
    struct gathering *g = ctx;
    struct history_decided *d = g->decided;

    (void)rowid;
    if (strcmp(case_id, g->case_id) != 0)
        return 0;
    GROW(d->bodies, d->len, d->cap);
    d->bodies[d->len++] = xstrdup(body);
    return 0;
}

int history_decide(struct state *s, const char *case_id, struct history_decided *decided, struct error *err)
{
    struct gathering g = {decided, case_id};

    history_decided_clear(decided);
    return state_head_get(s, case_id, &decided->head, err) < 0 || state_each_outbox(s, add_body, &g, err) < 0
               ? -1
               : 0;
}

void history_decided_clear(struct history_decided *decided)
{
    for (size_t i = 0; i < decided->len; i++)
        free(decided->bodies[i]);
    free(decided->bodies);
    *decided = (struct history_decided){0};
}

/* ---- log ------------------------------------------------------------------------------------ */

struct filtering {
    const struct history_filter *filter;
    history_fn *fn; /* NULL: only count */
    void *ctx;
    uint64_t seen;  /* lines that the filter lets through */
    uint64_t skip;  /* of them, before the last so many */
    uint64_t until; /* the last line of the first reading */
};

static int filter_line(void *ctx, const struct history_line *line)
{
    struct filtering *f = ctx;

    if (f->fn && f->until && line->line > f->until)
        return 0;
    if ((f->filter->doc && line->doc != f->filter->doc) ||
        (f->filter->since_ns && line->at_ns < f->filter->since_ns))
        return 0;
    f->seen++;
    if (!f->fn)
        f->until = line->line;
    else if (f->seen > f->skip)
        return f->fn(f->ctx, line);
    return 0;
}

int history_each(int case_fd, const struct history_filter *filter, history_fn *fn, void *ctx,
                 struct error *err)
{
    struct filtering f = {.filter = filter};

    if (filter->last) {
        if (history_read(case_fd, NULL, filter_line, &f, err) < 0)
            return -1;
        f.skip = f.seen > filter->last ? f.seen - filter->last : 0;
        f.seen = 0;
    }
    f.fn = fn;
    f.ctx = ctx;
    return history_read(case_fd, NULL, filter_line, &f, err);
}

struct at_path {
    const char *path;
    int64_t now, once;
};

static bool same_path(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static int look_for_path(void *ctx, const struct history_line *line)
{
    struct at_path *p = ctx;

    if (!line->doc)
        return 0;
    if (same_path(line->to, p->path))
        p->now = line->doc;
    else if (p->now == line->doc && line->to)
        p->now = 0, p->once = line->doc;
    if (p->now == line->doc && history_leaves(line->json, line->kind))
        p->now = 0, p->once = line->doc;
    if (same_path(line->from, p->path) || same_path(line->from_office, p->path))
        p->once = line->doc;
    return 0;
}

int history_doc_at(int case_fd, const struct history_decided *decided, const char *path, int64_t *doc,
                   struct error *err)
{
    struct at_path p = {.path = path};

    if (history_read(case_fd, decided, look_for_path, &p, err) < 0)
        return -1;
    *doc = p.now ? p.now : p.once;
    return *doc != 0;
}
