/* Planning what is taken back: who is where, which acts led there, and in which order to go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/table.h"
#include "base/utf8.h"
#include "record/history_internal.h"
#include "record/journal.h"

/* One act of ours that was not taken back. */
struct deed {
    uint64_t line;
    int64_t at_ns;
    char *from;
    bool office;  /* from is in the office Inbox */
    bool by_hand; /* a person gave the document another name since */
};

/* A document as the journal tells it. */
struct track {
    int64_t doc;
    char *path; /* where it is */
    bool gone;
    struct deed *deeds; /* oldest first */
    size_t len, cap;
    UT_hash_handle hh;
};

static struct track *track_of(struct track **all, int64_t doc)
{
    struct track *t;

    HASH_FIND(hh, *all, &doc, sizeof doc, t);
    if (t)
        return t;
    t = xcalloc(1, sizeof *t);
    t->doc = doc;
    HASH_ADD(hh, *all, doc, sizeof t->doc, t);
    return t;
}

static void pop_deed(struct track *t)
{
    free(t->deeds[--t->len].from);
}

static void tracks_free(struct track *all)
{
    struct track *t, *tmp;

    HASH_ITER(hh, all, t, tmp)
    {
        HASH_DEL(all, t);
        while (t->len)
            pop_deed(t);
        free(t->deeds);
        free(t->path);
        free(t);
    }
}

static void set_path(struct track *t, const char *path)
{
    free(t->path);
    t->path = xstrdup(path);
    t->gone = false;
}

static void add_deed(struct track *t, const struct history_line *line)
{
    const char *from = line->from ? line->from : line->from_office;

    if (!from || (line->from && strcmp(line->from, line->to) == 0))
        return;
    GROW(t->deeds, t->len, t->cap);
    t->deeds[t->len++] = (struct deed){.line = line->line,
                                       .at_ns = line->at_ns,
                                       .from = xstrdup(from),
                                       .office = line->from == NULL};
}

/* Forgets the deeds that brought the document away from where it was taken back to. */
static void take_back(struct track *t, const char *to)
{
    while (t->len) {
        bool there =
            to && !t->deeds[t->len - 1].office && strcmp(t->deeds[t->len - 1].from, to) == 0;

        pop_deed(t);
        if (there)
            break;
    }
}

static bool is_ours(const char *kind)
{
    return strcmp(kind, "filed") == 0 || strcmp(kind, "applied") == 0 ||
           strcmp(kind, "version") == 0;
}

/* A person renamed a folder: the documents below it are there now. */
static void move_folder(struct track *all, const char *from, const char *to)
{
    size_t n = strlen(from);

    for (struct track *t = all; t; t = t->hh.next) {
        char *path;

        if (!t->path || strncmp(t->path, from, n) != 0 || t->path[n] != '/')
            continue;
        path = xasprintf("%s%s", to, t->path + n);
        free(t->path);
        t->path = path;
    }
}

static int follow(void *ctx, const struct history_line *line)
{
    struct track **all = ctx, *t;

    if (!history_stays_inside(line))
        return 0;
    if (!line->doc) {
        if (line->from && line->to && strcmp(line->kind, "moved") == 0)
            move_folder(*all, line->from, line->to);
        return 0;
    }
    t = track_of(all, line->doc);
    if (strcmp(line->kind, "undone") == 0)
        take_back(t, history_leaves(line->json, line->kind) ? NULL : line->to);
    else if (line->to && is_ours(line->kind))
        add_deed(t, line);
    else if (line->to && t->len && t->path && strcmp(line->to, t->path) != 0)
        t->deeds[t->len - 1].by_hand = true;
    if (line->to)
        set_path(t, line->to);
    if (history_leaves(line->json, line->kind))
        t->gone = true;
    return 0;
}

/* ---- choosing ------------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* The line from which on acts are among the last n. */
static uint64_t line_of_last(struct track *all, uint64_t n)
{
    uint64_t *lines = NULL, from = 0;
    size_t len = 0, cap = 0;

    for (struct track *t = all; t; t = t->hh.next)
        for (size_t i = 0; i < t->len; i++) {
            GROW(lines, len, cap);
            lines[len++] = t->deeds[i].line;
        }
    if (len)
        qsort(lines, len, sizeof *lines, newest_first);
    if (n && n < len)
        from = lines[n - 1];
    free(lines);
    return n ? from : UINT64_MAX;
}

static bool is_chosen(const struct undo_choice *c, const struct track *t, const struct deed *d,
                      uint64_t from_line)
{
    switch (c->what) {
    case UNDO_DOC:
        return t->doc == c->doc;
    case UNDO_SINCE:
        return d->at_ns >= c->since_ns;
    case UNDO_LAST:
        return d->line >= from_line;
    case UNDO_ALL:
        return true;
    }
    return false;
}

static void leave(struct undo_plan *p, size_t *cap, const struct track *t)
{
    GROW(p->left, p->left_len, *cap);
    p->left[p->left_len++] = (struct undo_left){t->doc, xstrdup(t->path ? t->path : ""), t->gone};
}

/* How many of the newest deeds are taken back; a person's own renaming stops it. */
static size_t count_chosen(const struct undo_choice *c, const struct track *t, uint64_t from_line,
                           bool *stopped)
{
    size_t n = 0;

    *stopped = false;
    while (n < t->len && is_chosen(c, t, &t->deeds[t->len - 1 - n], from_line)) {
        if (c->what != UNDO_DOC && t->deeds[t->len - 1 - n].by_hand) {
            *stopped = true;
            break;
        }
        n++;
    }
    return n;
}

static void choose(struct undo_plan *p, const struct undo_choice *c, struct track *all)
{
    uint64_t from_line = c->what == UNDO_LAST ? line_of_last(all, c->last) : 0;
    size_t cap = 0, left_cap = 0;

    for (struct track *t = all; t; t = t->hh.next) {
        bool stopped;
        size_t n = count_chosen(c, t, from_line, &stopped);
        const struct deed *oldest;

        if (n == 0 && !stopped)
            continue;
        if (n == 0 || t->gone) {
            leave(p, &left_cap, t);
            continue;
        }
        oldest = &t->deeds[t->len - n];
        if (!oldest->office && strcmp(oldest->from, t->path) == 0)
            continue; /* it is back there already */
        GROW(p->steps, p->len, cap);
        p->steps[p->len++] = (struct undo_step){.doc = t->doc,
                                                .from = xstrdup(t->path),
                                                .to = xstrdup(oldest->from),
                                                .to_office = oldest->office,
                                                .line = t->deeds[t->len - 1].line};
        p->acts += n;
    }
}

/* ---- ordering ------------------------------------------------------------------------------- */

static int step_order(const void *a, const void *b)
{
    const struct undo_step *x = a, *y = b;

    return newest_first(&x->line, &y->line);
}

/* A step under the name that it leaves, or goes to. */
struct placed {
    char *key;
    size_t step;
    enum { TO_DO, UNDER_WAY, IN_ORDER } stage;
    UT_hash_handle hh;
};

static struct placed *placed_find(struct placed *all, const char *path)
{
    AUTO_FREE char *key = utf8_fold(path);
    struct placed *p;

    HASH_FIND_STR(all, key, p);
    return p;
}

static struct placed *placed_add(struct placed **all, const char *path, size_t step)
{
    struct placed *p = xcalloc(1, sizeof *p);

    p->key = utf8_fold(path);
    p->step = step;
    HASH_ADD_KEYPTR(hh, *all, p->key, strlen(p->key), p);
    return p;
}

static void placed_free(struct placed *all)
{
    struct placed *p, *tmp;

    HASH_ITER(hh, all, p, tmp)
    {
        HASH_DEL(all, p);
        free(p->key);
        free(p);
    }
}

static void mark_shared(struct undo_plan *plan)
{
    struct placed *to = NULL;

    for (size_t i = 0; i < plan->len; i++) {
        struct undo_step *s = &plan->steps[i];
        AUTO_FREE char *key = xasprintf("%d%s", s->to_office, s->to);

        if (placed_find(to, key))
            s->shared = true;
        else
            placed_add(&to, key, i);
    }
    placed_free(to);
}

/* Whoever holds the name that a step goes to must go first: each has at most one before it. */
static void order(struct undo_plan *plan)
{
    struct undo_step *out = xcalloc(plan->len + 1, sizeof *out);
    struct placed **by_step = xcalloc(plan->len + 1, sizeof *by_step);
    size_t *way = xcalloc(plan->len + 1, sizeof *way), n = 0;
    struct placed *held = NULL;

    for (size_t i = 0; i < plan->len; i++)
        by_step[i] = placed_add(&held, plan->steps[i].from, i);
    for (size_t i = 0; i < plan->len; i++) {
        size_t depth = 0, at = i;

        while (by_step[at]->stage == TO_DO) {
            struct undo_step *s = &plan->steps[at];
            struct placed *before = s->to_office ? NULL : placed_find(held, s->to);

            by_step[at]->stage = UNDER_WAY;
            way[depth++] = at;
            if (!before || before->step == at)
                break;
            s->needs_room = before->stage == UNDER_WAY;
            at = before->step;
        }
        while (depth > 0) {
            at = way[--depth];
            by_step[at]->stage = IN_ORDER;
            out[n++] = plan->steps[at];
        }
    }
    placed_free(held);
    free(by_step);
    free(way);
    free(plan->steps);
    plan->steps = out;
}

int history_undo_plan(int case_fd, const struct history_decided *decided,
                      const struct undo_choice *choice, struct undo_plan *plan, struct error *err)
{
    struct track *all = NULL;
    int rc;

    memset(plan, 0, sizeof *plan);
    if (decided) {
        rc = journal_trusted(case_fd, &decided->head, err);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return error_set(err, EBADMSG,
                             "the journal of the case is not as the organizer wrote it, so nothing "
                             "is undone by it: see `organizer verify`");
    }
    rc = history_read(case_fd, decided, follow, &all, err);
    if (rc == 0) {
        choose(plan, choice, all);
        if (plan->len) {
            qsort(plan->steps, plan->len, sizeof *plan->steps, step_order);
            order(plan);
            mark_shared(plan);
        }
    }
    tracks_free(all);
    return rc;
}

void undo_plan_clear(struct undo_plan *plan)
{
    for (size_t i = 0; i < plan->len; i++) {
        free(plan->steps[i].from);
        free(plan->steps[i].to);
    }
    for (size_t i = 0; i < plan->left_len; i++)
        free(plan->left[i].path);
    free(plan->steps);
    free(plan->left);
    memset(plan, 0, sizeof *plan);
}
