#include "publish/listing.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/utf8.h"
#include "decide/name.h"
#include "publish/page.h"
#include "publish/pool.h"
#include "record/state.h"

struct reading {
    struct listing *l;
    const struct page_case *c;
    const struct rules *rules;
    char **keys; /* the case's key documents, folded; NULL-terminated or NULL */
};

bool listing_recent(int64_t t, int64_t now_ns)
{
    return t > now_ns - RECENT_DAYS * 24 * 3600 * NS_PER_S && t > 0;
}

const char *path_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    if (n == 0)
        return path;
    if (strncmp(path, folder, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    return path + n + (path[n] == '/');
}

char *entry_path(const struct entry *e)
{
    return xjoin(e->folder, e->name);
}

int entry_compare(const struct entry *x, const struct entry *y)
{
    int n = strcmp(x->folder, y->folder);

    return n ? n : strcmp(x->name, y->name);
}

const char *entry_remark(const struct entry *e, int64_t now_ns)
{
    const struct shown *d = &e->doc;

    if (d->reason < REASON_FIRST_REMARK || !*d->sentence)
        return NULL;
    if (d->reason == REASON_BY_HAND || d->reason == REASON_SUGGESTED ||
        listing_recent(d->changed_ns, now_ns))
        return d->sentence;
    return NULL;
}

const char *entry_says(const struct entry *e, const char *sentence)
{
    size_t n = strlen(e->name);

    if (strncmp(sentence, e->name, n) == 0 && sentence[n] == ' ')
        return sentence + n + 1;
    return sentence;
}

static char **fold_all(char *const *names)
{
    char **folded;
    size_t n = 0;

    while (names && names[n])
        n++;
    if (n == 0)
        return NULL;
    folded = xcalloc(n + 1, sizeof *folded);
    for (size_t i = 0; i < n; i++)
        folded[i] = utf8_fold(names[i]);
    return folded;
}

static void free_all(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

/* `Key documents:` names it: by path, name, name without extension, or a pattern of these. */
static bool is_raised(char *const *keys, const char *document)
{
    AUTO_FREE char *path = NULL, *stem = NULL;
    const char *name;

    if (!keys)
        return false;
    path = utf8_fold(document);
    name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    stem = xmemdup0(name, name_ext(name));
    for (; *keys; keys++)
        if (fnmatch(*keys, path, 0) == 0 || fnmatch(*keys, name, 0) == 0 ||
            fnmatch(*keys, stem, 0) == 0 || strcmp(*keys, name) == 0)
            return true;
    return false;
}

static enum standing standing_of(const struct doc *d)
{
    if (reason_is_attention(d->reason))
        return STANDING_ATTENTION;
    switch (d->state) {
    case DOC_FILED:
        return STANDING_FILED;
    case DOC_WAITING:
        return STANDING_WAITING;
    default:
        return STANDING_INDEXED;
    }
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static void add_item(struct listing *l, enum reason reason, const char *path, const char *shown,
                     const char *sentence, const char *help)
{
    const char *slash = strrchr(shown, '/');

    GROW(l->items, l->items_len, l->items_cap);
    l->items[l->items_len++] = (struct item){
        reason, path, shown, slash ? slash + 1 : shown, or_empty(sentence), or_empty(help)};
}

static struct shown shown_of(struct pool *p, const struct doc *d)
{
    return (struct shown){.type = pool_share(p, d->type),
                          .words = pool_share(p, d->words),
                          .date = pool_share(p, d->date),
                          .suggested = pool_keep(p, d->suggested),
                          .sentence = pool_share(p, d->sentence),
                          .help = pool_share(p, d->help),
                          .digest = d->digest,
                          .number = d->number,
                          .filed_ns = d->filed_ns,
                          .changed_ns = d->changed_ns,
                          .size = d->stamp.size,
                          .state = (uint8_t)d->state,
                          .kind = (uint8_t)d->kind,
                          .reason = (uint8_t)d->reason,
                          .by_hand = d->by_hand,
                          .before = d->before};
}

static int add_entry(void *ctx, const struct doc *d)
{
    static const struct content_facts nothing;
    struct reading *r = ctx;
    struct listing *l = r->l;
    const char *path = or_empty(d->path), *slash = strrchr(path, '/');
    AUTO_FREE char *folder = xmemdup0(path, slash ? (size_t)(slash - path) : 0);
    const struct doc_type *type = NULL;
    struct entry *e;

    /* Of what is gone only what nobody took away is news. */
    if (d->state == DOC_GONE && d->reason != REASON_MISSING)
        return 0;
    GROW(l->entries, l->len, l->cap);
    e = &l->entries[l->len++];
    *e = (struct entry){
        .doc = shown_of(l->pool, d), .said = &nothing, .relevance = RELEVANCE_NONE};
    e->name = pool_keep(l->pool, slash ? slash + 1 : path);
    e->folder = pool_share(l->pool, folder);
    e->doc.original = strcmp(or_empty(d->original), e->name) == 0
                          ? e->name
                          : pool_share(l->pool, d->original);
    if (r->rules && d->type && *d->type)
        type = rules_doc_type(r->rules, d->type);
    if (type)
        e->relevance = (int8_t)type->relevance;
    if (is_raised(r->keys, path))
        e->relevance = RELEVANCE_KEY;
    e->standing = (uint8_t)standing_of(d);
    l->filed += e->standing == STANDING_FILED;
    l->waiting += e->standing == STANDING_WAITING;
    return 0;
}

static int by_date(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int n = strcmp(y->doc.date, x->doc.date);

    if (n == 0)
        n = strcmp(x->doc.type, y->doc.type);
    if (n == 0)
        n = strcmp(x->name, y->name);
    return n ? n : entry_compare(x, y);
}

static int by_reason(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->reason != y->reason)
        return x->reason < y->reason ? -1 : 1;
    return strcmp(x->shown, y->shown);
}

static void collect_items(struct listing *l, const char *folder, const struct notice *notices,
                          size_t n)
{
    for (size_t i = 0; i < l->len; i++) {
        const struct entry *e = &l->entries[i];

        if (e->standing == STANDING_ATTENTION) {
            AUTO_FREE char *path = entry_path(e);
            const char *kept = pool_keep(l->pool, path);

            add_item(l, e->doc.reason, kept, kept, e->doc.sentence, e->doc.help);
        }
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = or_empty(notices[i].path), *below = path_below(path, folder);

        if (reason_is_attention(notices[i].reason))
            add_item(l, notices[i].reason, below, below && *below ? below : path,
                     notices[i].sentence, notices[i].help);
    }
    if (l->items_len > 1)
        qsort(l->items, l->items_len, sizeof *l->items, by_reason);
}

/* ---- what documents say
 * ---------------------------------------------------------------------- */

/* What all of so many say is kept; of more, that of the entry at hand. */
#define SAID_MOST 20000

struct listing_said {
    struct state *state;
    struct content_facts *list; /* of all entries; or of one, which is: */
    struct entry *now;
    size_t len;
};

/* What cannot be read now is not shown now. */
static int read_said(const struct listing *l, struct entry *e, struct content_facts *f)
{
    struct error err = ERROR_INIT;

    *f = (struct content_facts){.title = NULL};
    e->said = f;
    return digest_is_zero(&e->doc.digest)
               ? 0
               : state_content_facts(l->said->state, &e->doc.digest, f, &err);
}

static void read_contents(struct listing *l, struct state *s)
{
    bool all = l->len <= SAID_MOST;

    l->said = xcalloc(1, sizeof *l->said);
    l->said->state = s;
    l->said->len = all ? l->len : 1;
    l->said->list = xcalloc(l->said->len + 1, sizeof *l->said->list);
    for (size_t i = 0; i < l->len; i++) {
        struct content_facts *f = &l->said->list[all ? i : 0];

        if (!all)
            content_facts_clear(f);
        if (read_said(l, &l->entries[i], f) < 0)
            return;
        facts_note(&l->facts, f);
    }
}

const struct entry *listing_say(const struct listing *l, size_t i)
{
    if (l->said->len < l->len && l->said->now != &l->entries[i]) {
        content_facts_clear(l->said->list);
        l->said->now = &l->entries[i];
        (void)read_said(l, l->said->now, l->said->list);
    }
    return &l->entries[i];
}

static void forget_said(struct listing_said *said)
{
    for (size_t i = 0; said && i < said->len; i++)
        content_facts_clear(&said->list[i]);
    free(said ? said->list : NULL);
    free(said);
}

/* ---- the whole
 * ------------------------------------------------------------------------------- */

int listing_read(struct listing *l, struct state *s, const char *case_id, const struct page_case *c,
                 const struct rules *rules, const struct notice *notices, size_t notices_len,
                 struct error *err)
{
    struct reading r = {l, c, rules, c ? fold_all(c->key_documents) : NULL};
    int rc;

    *l = (struct listing){.pool = xcalloc(1, sizeof *l->pool)};
    rc = state_each_doc(s, case_id, true, add_entry, &r, err);
    free_all(r.keys);
    if (rc < 0)
        return -1;
    if (l->len > 1)
        qsort(l->entries, l->len, sizeof *l->entries, by_date);
    read_contents(l, s);
    collect_items(l, c ? c->path : "", notices, notices_len);
    return 0;
}

void listing_clear(struct listing *l)
{
    forget_said(l->said);
    if (l->pool)
        pool_clear(l->pool);
    free(l->pool);
    free(l->entries);
    free(l->items);
    *l = (struct listing){0};
}
