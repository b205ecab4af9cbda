#include "record/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "base/table.h"
#include "record/history_internal.h"
#include "record/verify_internal.h"

const char *verify_what_name(enum verify_what what)
{
    static const char *const names[VERIFY_KINDS] = {
        [VERIFY_CHANGED] = "changed",       [VERIFY_MISSING] = "missing",
        [VERIFY_RENAMED] = "renamed",       [VERIFY_EXTRA] = "extra",
        [VERIFY_UNREADABLE] = "unreadable", [VERIFY_JOURNAL] = "journal",
        [VERIFY_TABLE] = "table",
    };

    return (unsigned)what < VERIFY_KINDS ? names[what] : "";
}

bool verify_clean(const struct verify_counts *counts)
{
    for (int i = 0; i < VERIFY_KINDS; i++)
        if (counts->found[i])
            return false;
    return true;
}

void verify_tell(struct verify *v, const struct verify_finding *f)
{
    v->counts->found[f->what]++;
    if (v->o->found)
        v->o->found(v->o->ctx, f);
}

/* ---- the picture ---------------------------------------------------------------------------- */

static int add_row(void *ctx, const struct doc *d)
{
    struct verify *v = ctx;

    GROW(v->rows, v->len, v->cap);
    v->rows[v->len++] = (struct verify_row){d->number, d->state, d->digest, xstrdup(d->path)};
    return 0;
}

static void drop_picture(struct verify *v)
{
    for (size_t i = 0; i < v->len; i++)
        free(v->rows[i].path);
    v->len = 0;
}

/* The journal's size, and then head, outbox and, when they are wanted, rows as of one moment. */
static int take_picture(struct verify *v, bool rows, struct error *err)
{
    struct state *s = v->o->state;
    int rc;

    drop_picture(v);
    v->size = journal_size(v->case_fd, err);
    if (v->size < 0 || state_begin_read(s, err) < 0)
        return -1;
    rc = history_decide(s, v->o->case_id, &v->decided, err) < 0 ||
                 (rows && state_each_doc(s, v->o->case_id, false, add_row, v, err) < 0)
             ? -1
             : 0;
    state_rollback(s);
    return rc;
}

/* ---- the journal ---------------------------------------------------------------------------- */

static void tell_fault(void *ctx, uint64_t line, const char *what)
{
    struct verify *v = ctx;
    AUTO_FREE char *sentence =
        line ? xasprintf("journal, line %llu: %s", (unsigned long long)line, what) : xstrdup(what);

    verify_tell(v, &(struct verify_finding){
                       .what = VERIFY_JOURNAL, .path = "", .line = line, .sentence = sentence});
}

enum depth { DEPTH_END, DEPTH_LINES, DEPTH_CASE };

/* The daemon may write to it meanwhile. */
static int check_journal(struct verify *v, enum depth depth, struct error *err)
{
    enum journal_standing *standing = &v->counts->standing;
    struct journal_picture p;

    if (take_picture(v, depth == DEPTH_CASE, err) < 0)
        return -1;
    p = (struct journal_picture){
        v->size, v->decided.head, (const char *const *)v->decided.bodies, v->decided.len};
    if (depth != DEPTH_END)
        return journal_check_pending(v->case_fd, &p, tell_fault, v, standing, err) < 0 ? -1 : 0;
    if (journal_stands(v->case_fd, &p, standing, err) < 0)
        return -1;
    if (*standing != JOURNAL_INTACT && *standing != JOURNAL_TAIL_OWN)
        tell_fault(v, 0, journal_standing_text(*standing));
    return 0;
}

/* ---- the table against the journal ----------------------------------------------------------- */

/* The journal's last word on a document. */
struct word {
    int64_t doc;
    bool gone, seen;
    bool digest_known;
    struct digest digest;
    char *path;
    UT_hash_handle hh;
};

static int hear_line(void *ctx, const struct history_line *line)
{
    struct word **words = ctx, *w;
    const char *sha = json_get_text(line->json, "sha256");

    if (!line->doc)
        return 0;
    HASH_FIND(hh, *words, &line->doc, sizeof line->doc, w);
    if (!w) {
        w = xcalloc(1, sizeof *w);
        w->doc = line->doc;
        HASH_ADD(hh, *words, doc, sizeof w->doc, w);
    }
    w->gone = history_leaves(line->json, line->kind);
    if (sha && digest_parse(sha, &w->digest) == 0)
        w->digest_known = true;
    if (line->to) {
        free(w->path);
        w->path = xstrdup(line->to);
    }
    return 0;
}

static void tell_table(struct verify *v, int64_t doc, const char *path, const char *sentence)
{
    verify_tell(v, &(struct verify_finding){
                       .what = VERIFY_TABLE, .path = path, .doc = doc, .sentence = sentence});
}

/* What the journal says otherwise than the row, or NULL. */
static const char *difference(int64_t number, enum doc_state state, const struct digest *digest,
                              struct word *words)
{
    struct word *w;

    HASH_FIND(hh, words, &number, sizeof number, w);
    if (w)
        w->seen = true;
    if (state == DOC_WAITING || digest_is_zero(digest))
        return NULL;
    if (!w)
        return state == DOC_LISTED
                   ? NULL
                   : "the private state has this document, but the journal never heard of it";
    if (w->digest_known && !digest_equal(&w->digest, digest))
        return "the journal's last word on this document tells of other content than the "
               "private state";
    return w->gone ? "by the journal this document was removed, by the private state it is there"
                   : NULL;
}

static void words_free(struct word *words)
{
    struct word *w, *tmp;

    HASH_ITER(hh, words, w, tmp)
    {
        HASH_DEL(words, w);
        free(w->path);
        free(w);
    }
}

static void compare(struct verify *v, struct word *words)
{
    for (size_t i = 0; i < v->len; i++) {
        const struct verify_row *row = &v->rows[i];
        const char *what = difference(row->number, row->state, &row->digest, words);

        if (what)
            tell_table(v, row->number, row->path, what);
    }
    for (const struct word *w = words; w; w = w->hh.next)
        if (!w->gone && !w->seen)
            tell_table(v, w->doc, w->path ? w->path : "",
                       "the journal has this document, but the private state does not");
}

static int check_table(struct verify *v, struct error *err)
{
    struct word *words = NULL;
    int rc = history_read(v->case_fd, &v->decided, hear_line, &words, err);

    if (rc == 0)
        compare(v, words);
    words_free(words);
    return rc;
}

/* For verify_unheard(). */
struct asking {
    struct word *words;
    state_doc_fn *fn;
    void *ctx;
};

/* What the journal has and the private state does not. */
static int ask_words(const struct asking *q)
{
    int rc = 0;

    for (struct word *w = q->words; rc == 0 && w; w = w->hh.next) {
        struct doc d = {.number = w->doc, .path = w->path, .state = DOC_GONE};

        if (!w->gone && !w->seen)
            rc = q->fn(q->ctx, &d);
    }
    return rc;
}

static int ask_row(void *ctx, const struct doc *d)
{
    struct asking *q = ctx;

    return difference(d->number, d->state, &d->digest, q->words) ? q->fn(q->ctx, d) : 0;
}

int verify_unheard(int case_fd, struct state *s, const char *case_id, state_doc_fn *fn, void *ctx,
                   struct error *err)
{
    struct asking q = {.fn = fn, .ctx = ctx};
    struct history_decided decided = {0};
    int rc = history_decide(s, case_id, &decided, err);

    decided.head.size = -1; /* what others wrote counts, too */
    if (rc == 0)
        rc = history_read(case_fd, &decided, hear_line, &q.words, err);
    history_decided_clear(&decided);
    if (rc == 0)
        rc = state_each_doc(s, case_id, false, ask_row, &q, err);
    if (rc == 0)
        rc = ask_words(&q);
    words_free(q.words);
    return rc;
}

/* 0 with v ready, or -1. */
static int begin(struct verify *v, const struct verify_options *o, struct verify_counts *counts,
                 struct error *err)
{
    *v = (struct verify){.o = o, .counts = counts, .case_fd = -1};
    memset(counts, 0, sizeof *counts);
    if (!*o->case_id)
        return error_set(err, EINVAL, "only cases can be verified");
    v->case_fd = beneath_open(o->root, o->case_path, O_RDONLY | O_DIRECTORY, 0);
    return v->case_fd < 0 ? error_set(err, errno, "cannot open the case %s", o->case_path) : 0;
}

static void end(struct verify *v)
{
    drop_picture(v);
    free(v->rows);
    history_decided_clear(&v->decided);
    cleanup_close(&v->case_fd);
}

int verify_case(const struct verify_options *o, struct verify_counts *counts, struct error *err)
{
    struct verify v;
    int rc = begin(&v, o, counts, err);

    if (rc == 0)
        rc = check_journal(&v, DEPTH_CASE, err);
    if (rc == 0)
        rc = check_table(&v, err);
    if (rc == 0)
        rc = verify_documents(&v, err);
    end(&v);
    return rc;
}

int verify_journal(const struct verify_options *o, bool deep, struct verify_counts *counts,
                   struct error *err)
{
    struct verify v;
    int rc = begin(&v, o, counts, err);

    if (rc == 0)
        rc = check_journal(&v, deep ? DEPTH_LINES : DEPTH_END, err);
    end(&v);
    return rc;
}
