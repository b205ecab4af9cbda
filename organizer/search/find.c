#include "search/find.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "base/table.h"
#include "base/utf8.h"
#include "decide/rules.h"
#include "record/state.h"
#include "search/catalogue.h"
#include "search/passage.h"
#include "search/query.h"

#define LIMIT_MS 20000 /* a search that takes longer is given up */

/* A case that the request does not rule out. */
struct place {
    const char *id;
    const struct find_case *c; /* NULL: the office */
    bool asked, open;          /* who asks may read its folder */
    UT_hash_handle hh;
};

struct hit {
    struct doc doc;
    const struct place *place;
    char *title, *subject, *sender, *passage; /* each may be NULL */
};

struct finding {
    const struct find_job *job;
    const struct find_request *r;
    struct place *places; /* by id */
    struct place *nodes;
    struct find_store *store;
    struct state *state; /* of the store, as the next */
    struct catalogue *catalogue;
    const char *expression; /* or NULL */
    struct hit candidate; /* the latest that was admitted */
    struct hit *hits;
    size_t len;
    bool more;
    bool fault;  /* err is about the request */
    bool failed; /* the document table could not be read: err */
    struct error *err;
};

/* ---- what the request asks for ------------------------------------------------------------------
 */

/* Pattern or text, in any case and without accents: the whole, or with `part` a part of it. */
static bool matches(const char *wanted, const char *value, bool part)
{
    AUTO_FREE char *want = utf8_fold_plain(wanted);
    AUTO_FREE char *have = utf8_fold_plain(value ? value : "");

    if (strpbrk(want, "*?["))
        return fnmatch(want, have, 0) == 0;
    return part ? strstr(have, want) != NULL : strcmp(want, have) == 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool wants_case(const struct find_request *r, const struct find_case *c)
{
    if (r->client && !matches(r->client, c->client, true))
        return false;
    return !r->in_case || matches(r->in_case, c->prefix, false) ||
           matches(r->in_case, c->path, false) || matches(r->in_case, last_part(c->path), false);
}

/* "motion" is Motion, and every MotionTo…: a type, or the words that it begins with. */
static bool wants_type(const char *wanted, const char *type)
{
    size_t n = strlen(wanted);

    if (!type || !*type)
        return false;
    if (matches(wanted, type, false))
        return true;
    return !strpbrk(wanted, "*?[") && strncasecmp(type, wanted, n) == 0 && type[n] >= 'A' &&
           type[n] <= 'Z';
}

static bool wants_kind(const char *wanted, enum kind kind)
{
    const struct kind_info *k = kind_info(kind);

    return matches(wanted, k->mime, false) || matches(wanted, k->name, false);
}

static bool wants_day(const struct find_request *r, const char *date)
{
    if (!*r->since && !*r->until)
        return true;
    return date && *date && strcmp(date, r->since) >= 0 &&
           (!*r->until || strcmp(date, r->until) <= 0);
}

/* ---- documents ----------------------------------------------------------------------------------
 */

static char *path_of(const struct place *p, const struct doc *d)
{
    return p->c ? xasprintf("%s/%s", p->c->path, d->path) : xstrdup(d->path);
}

/* `Key documents:` on the card raises single ones. */
static bool is_raised(char *const *keys, const struct doc *d)
{
    const char *name = last_part(d->path), *dot = strrchr(name, '.');
    AUTO_FREE char *stem = dot && dot > name ? xmemdup0(name, (size_t)(dot - name)) : xstrdup(name);

    for (; keys && *keys; keys++)
        if (matches(*keys, d->path, false) || matches(*keys, name, false) ||
            matches(*keys, stem, false))
            return true;
    return false;
}

/* enum relevance, or -1. */
static int relevance_of(const struct finding *f, const struct place *p, const struct doc *d)
{
    const struct doc_type *t =
        f->job->rules && d->type && *d->type ? rules_doc_type(f->job->rules, d->type) : NULL;

    if (p->c && is_raised(p->c->key_documents, d))
        return RELEVANCE_KEY;
    return t ? (int)t->relevance : -1;
}

/* The case's folder may be read by who asks. */
static bool is_open(const struct finding *f, struct place *p)
{
    if (f->job->everything)
        return true;
    if (!p->asked)
        p->open = access_may_read(f->job->root, p->c ? p->c->path : "", &f->job->who);
    p->asked = true;
    return p->open;
}

/* The case's folder first: it is asked once. */
static bool may_read(const struct finding *f, struct place *p, const struct doc *d)
{
    AUTO_FREE char *path = NULL;

    if (f->job->everything)
        return true;
    if (!is_open(f, p))
        return false;
    path = path_of(p, d);
    return access_may_read(f->job->root, path, &f->job->who);
}

static bool is_wanted(const struct finding *f, struct place *p, const struct doc *d)
{
    const struct find_request *r = f->r;

    return d->state != DOC_GONE && wants_day(r, d->date) &&
           (!r->type || wants_type(r->type, d->type)) &&
           (!r->mime || wants_kind(r->mime, d->kind)) &&
           (r->relevance < 0 || relevance_of(f, p, d) == r->relevance) && may_read(f, p, d);
}

static struct place *place_of(const struct finding *f, const char *id)
{
    struct place *p;

    HASH_FIND_STR(f->places, id, p);
    return p;
}

static bool admits(void *ctx, const struct catalogue_entry *e)
{
    struct finding *f = ctx;
    struct hit *h = &f->candidate;
    struct place *p;
    int rc;

    doc_clear(&h->doc);
    p = f->failed ? NULL : place_of(f, e->case_id);
    h->place = p;
    if (!p)
        return false;
    rc = state_doc_by_number(f->state, e->case_id, e->number, &h->doc, f->err);
    f->failed = rc < 0;
    return rc > 0 && (digest_is_zero(&e->digest) || digest_equal(&e->digest, &h->doc.digest)) &&
           is_wanted(f, p, &h->doc);
}

static void take(void *ctx, const struct catalogue_entry *e, const struct catalogue_shown *shown)
{
    struct finding *f = ctx;
    struct hit *h = &f->hits[f->len++];

    (void)e;
    *h = f->candidate;
    memset(&f->candidate, 0, sizeof f->candidate);
    h->title = xstrdup(shown->title);
    h->subject = xstrdup(shown->subject);
    h->sender = xstrdup(shown->sender);
    h->passage = xstrdup(shown->passage);
}

/* Newest date first; without a date, last. */
static bool is_before(const struct doc *a, const struct doc *b)
{
    int n = strcmp(a->date ? a->date : "", b->date ? b->date : "");

    return n ? n > 0 : a->filed_ns > b->filed_ns;
}

/* Without words: keeps the newest. */
static int take_row(void *ctx, const struct doc *d)
{
    struct finding *f = ctx;
    struct place *p = place_of(f, d->case_id);
    size_t at = f->len;

    if (!p)
        return 0;
    if (at == f->r->limit && !is_before(d, &f->hits[at - 1].doc)) {
        f->more = f->more || is_wanted(f, p, d);
        return 0;
    }
    if (!is_wanted(f, p, d))
        return 0;
    while (at > 0 && is_before(d, &f->hits[at - 1].doc))
        at--;
    if (f->len == f->r->limit) {
        f->more = true;
        doc_clear(&f->hits[--f->len].doc);
    }
    memmove(&f->hits[at + 1], &f->hits[at], (f->len - at) * sizeof *f->hits);
    f->hits[at] = (struct hit){.place = p};
    doc_copy(&f->hits[at].doc, d);
    f->len++;
    return 0;
}

/* ---- telling ------------------------------------------------------------------------------------
 */

/* Text outside of hits and hits by turns: ["… the ", "motion", " to ", "dismiss", " …"]. */
static void add_passage(struct str *out, const char *passage)
{
    AUTO_STR struct str part = STR_INIT;

    json_key(out, "passage");
    str_addc(out, '[');
    for (const char *p = passage; *p; p++) {
        if (*p == HIT_BEGIN || *p == HIT_END) {
            json_comma(out);
            json_quote(out, str_c(&part));
            str_reset(&part);
        } else {
            str_addc(&part, *p);
        }
    }
    json_comma(out);
    json_quote(out, str_c(&part));
    str_addc(out, ']');
}

static void add_text(struct str *out, const char *key, const char *value)
{
    if (value && *value)
        json_text(out, key, value);
}

static void tell_case(struct str *out, const struct find_case *c)
{
    if (!c)
        return;
    json_name(out, "case", c->path);
    add_text(out, "client", c->client);
    add_text(out, "case_type", c->case_type);
}

static void tell_doc(const struct finding *f, struct str *out, const struct hit *h)
{
    static const char *const relevances[] = {[RELEVANCE_KEY] = "key",
                                             [RELEVANCE_SUPPORTING] = "supporting",
                                             [RELEVANCE_BACKGROUND] = "background"};
    const struct doc *d = &h->doc;
    int relevance = relevance_of(f, h->place, d);

    json_text(out, "state", doc_state_name(d->state));
    add_text(out, "type", d->type);
    add_text(out, "date", d->date);
    if (relevance >= 0)
        json_text(out, "relevance", relevances[relevance]);
    json_text(out, "mime", kind_info(d->kind)->mime);
    json_num(out, "size", (int64_t)d->stamp.size);
}

static void tell_hit(const struct finding *f, struct str *out, const struct hit *h)
{
    AUTO_FREE char *path = path_of(h->place, &h->doc);

    str_addc(out, '{');
    json_num(out, "v", 1);
    json_name(out, "path", path);
    tell_case(out, h->place->c);
    tell_doc(f, out, h);
    add_text(out, "title", h->title);
    add_text(out, "subject", h->subject);
    add_text(out, "sender", h->sender);
    if (h->passage)
        add_passage(out, h->passage);
    str_add(out, "}\n");
}

static int tell(struct finding *f, struct str *out)
{
    int64_t all = 0, by_name = 0;

    if (f->catalogue && f->job->everything &&
        catalogue_count(f->catalogue, &all, &by_name, f->err) < 0)
        return -1;
    str_addc(out, '{');
    json_num(out, "v", 1);
    json_bool(out, "more", f->more);
    if (f->job->everything) {
        json_num(out, "documents", all);
        json_num(out, "by_name_only", by_name);
    }
    str_add(out, "}\n");
    for (size_t i = 0; i < f->len; i++)
        tell_hit(f, out, &f->hits[i]);
    return (int)f->len;
}

/* ---- the search ---------------------------------------------------------------------------------
 */

static int fault(struct finding *f)
{
    f->fault = true;
    return -1;
}

/* The cases in question. One that is asked for by name, and that who asks may not read, is none. */
static int find_places(struct finding *f)
{
    const struct find_job *job = f->job;
    bool named = f->r->client || f->r->in_case;
    size_t n = 0;

    f->nodes = xcalloc(job->cases_len + 1, sizeof *f->nodes);
    if (!named)
        f->nodes[n++] = (struct place){.id = ""};
    for (size_t i = 0; i < job->cases_len; i++) {
        f->nodes[n] = (struct place){.id = job->cases[i].id, .c = &job->cases[i]};
        n += wants_case(f->r, &job->cases[i]) && (!named || is_open(f, &f->nodes[n]));
    }
    for (size_t i = 0; i < n; i++)
        HASH_ADD_KEYPTR(hh, f->places, f->nodes[i].id, strlen(f->nodes[i].id), &f->nodes[i]);
    if (n > 0)
        return 0;
    if (f->r->in_case)
        error_set(f->err, 0, "there is no case %s", f->r->in_case);
    else
        error_set(f->err, 0, "there is no case of a client %s", f->r->client);
    return fault(f);
}

/* A type that neither the rules nor any pattern knows. */
static int check_type(struct finding *f)
{
    const char *near[4];
    AUTO_STR struct str hint = STR_INIT;
    const struct doc_type *t;
    size_t n;

    if (!f->r->type || !f->job->rules || strpbrk(f->r->type, "*?["))
        return 0;
    for (size_t i = 0; (t = rules_doc_type_at(f->job->rules, i)); i++)
        if (wants_type(f->r->type, t->name))
            return 0;
    n = rules_near_doc_types(f->job->rules, f->r->type, near, 4);
    for (size_t i = 0; i < n; i++)
        str_addf(&hint, "%s%s", i ? ", " : "; did you mean ", near[i]);
    error_set(f->err, 0, "there is no document type %s%s%s", f->r->type, str_c(&hint),
              n ? "?" : " (organizer rules list tells them)");
    return fault(f);
}

/* What is found by filters alone is shown as what is found by words. */
static void add_shown(struct finding *f)
{
    for (size_t i = 0; f->catalogue && i < f->len; i++) {
        struct hit *h = &f->hits[i];
        struct catalogue_entry e = {0};
        struct error err = ERROR_INIT;

        if (catalogue_get(f->catalogue, h->doc.case_id, h->doc.number, &e, &err) > 0) {
            h->title = xstrdup(e.title);
            h->subject = xstrdup(e.subject);
            h->sender = xstrdup(e.sender);
        }
        catalogue_entry_clear(&e);
    }
}

/* Whether many of the documents that match are none that are asked for. */
static bool is_picky(const struct finding *f, const char *one_case)
{
    const struct find_request *r = f->r;

    return !f->job->everything || r->type || r->mime || *r->since || *r->until || r->relevance >= 0 ||
           ((r->client || r->in_case) && !one_case);
}

static int look(struct finding *f)
{
    const char *one = HASH_COUNT(f->places) == 1 ? f->nodes[0].id : NULL;
    struct catalogue_search search = {.expression = f->expression,
                                      .case_id = one,
                                      .limit = f->r->limit,
                                      .limit_ms = LIMIT_MS,
                                      .picky = is_picky(f, one),
                                      .admits = admits,
                                      .taken = take,
                                      .ctx = f};

    if (!f->expression) {
        if (state_each_doc(f->state, one, false, take_row, f, f->err) < 0)
            return -1;
        add_shown(f);
        return 0;
    }
    if (catalogue_look(f->catalogue, &search, f->err) < 0 || f->failed)
        return -1;
    f->more = search.more;
    return 0;
}

void find_store_clear(struct find_store *s)
{
    if (!s)
        return;
    catalogue_close(s->catalogue);
    state_close(s->state);
    *s = (struct find_store){0};
}

/* One that was made anew meanwhile is opened anew. */
static void open_store(struct find_store *s, const char *dir, struct error *err)
{
    if (s->state && state_is_moved(s->state)) {
        state_close(s->state);
        s->state = NULL;
    }
    if (s->catalogue && catalogue_is_moved(s->catalogue)) {
        catalogue_close(s->catalogue);
        s->catalogue = NULL;
    }
    if (!s->state)
        s->state = state_open(dir, true, err);
    if (s->state && !s->catalogue)
        s->catalogue = catalogue_open(dir, true, err);
}

static int open_parts(struct finding *f)
{
    open_store(f->store, f->job->state_dir, f->err);
    f->state = f->store->state;
    f->catalogue = f->store->catalogue;
    if (!f->state || state_begin_read(f->state, f->err) < 0)
        return -1;
    if (!f->catalogue && f->expression)
        return error_prefix(f->err, "nothing can be looked for yet: the daemon, or `organizer find "
                                    "--rebuild`, makes the catalogue");
    return f->catalogue ? catalogue_begin_read(f->catalogue, f->err) : 0;
}

static void clear(struct finding *f)
{
    for (size_t i = 0; i < f->len; i++) {
        struct hit *h = &f->hits[i];

        doc_clear(&h->doc);
        free(h->title);
        free(h->subject);
        free(h->sender);
        free(h->passage);
    }
    doc_clear(&f->candidate.doc);
    free(f->hits);
    HASH_CLEAR(hh, f->places);
    free(f->nodes);
    /* What is under way in them would hold their logs open. */
    if (f->state)
        state_rest(f->state);
    if (f->catalogue)
        catalogue_rest(f->catalogue);
}

int find_run(const struct find_job *job, const struct find_request *r, struct str *out,
             struct error *err)
{
    AUTO_STR struct str expression = STR_INIT;
    struct find_store own = {0};
    struct finding f = {.job = job, .r = r, .store = job->store ? job->store : &own, .err = err};
    int rc = query_parse(r->words, &expression, err);

    if (rc == 0 && !find_request_filters(r))
        rc = error_set(err, 0, "what is to be found? " FIND_USAGE);
    if (rc < 0)
        return FIND_FAULT;
    f.expression = rc > 0 ? str_c(&expression) : NULL;
    f.hits = xcalloc(r->limit + 1, sizeof *f.hits);
    if (find_places(&f) < 0 || check_type(&f) < 0 || open_parts(&f) < 0 || look(&f) < 0)
        rc = f.fault ? FIND_FAULT : -1;
    else
        rc = tell(&f, out);
    clear(&f);
    if (!job->store || (rc < 0 && !f.fault))
        find_store_clear(f.store);
    return rc;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

void find_job_clear(struct find_job *job)
{
    for (size_t i = 0; i < job->cases_len; i++) {
        struct find_case *c = &job->cases[i];

        free(c->id);
        free(c->path);
        free(c->prefix);
        free(c->client);
        free(c->case_type);
        free_list(c->key_documents);
    }
    free(job->cases);
    job->cases = NULL;
    job->cases_len = 0;
}
