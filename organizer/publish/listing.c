#include "publish/listing.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/utf8.h"
#include "decide/name.h"
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

const char *entry_remark(const struct entry *e, int64_t now_ns)
{
    const struct doc *d = &e->doc;

    if (d->reason < REASON_FIRST_REMARK || !d->sentence || !*d->sentence)
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
static bool is_raised(char *const *keys, const struct entry *e)
{
    AUTO_FREE char *path = NULL, *stem = NULL;
    const char *name;

    if (!keys)
        return false;
    path = utf8_fold(e->doc.path);
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

static int add_entry(void *ctx, const struct doc *d)
{
    struct reading *r = ctx;
    struct listing *l = r->l;
    struct entry *e;
    const char *slash;

    /* Of what is gone only what nobody took away is news. */
    if (d->state == DOC_GONE && d->reason != REASON_MISSING)
        return 0;
    GROW(l->entries, l->len, l->cap);
    e = &l->entries[l->len++];
    *e = (struct entry){.relevance = RELEVANCE_NONE};
    doc_copy(&e->doc, d);
    if (!e->doc.path)
        e->doc.path = xstrdup("");
    slash = strrchr(e->doc.path, '/');
    e->name = slash ? slash + 1 : e->doc.path;
    e->folder = slash ? xmemdup0(e->doc.path, (size_t)(slash - e->doc.path)) : xstrdup("");
    if (r->rules && d->type && *d->type)
        e->type = rules_doc_type(r->rules, d->type);
    if (e->type)
        e->relevance = (int)e->type->relevance;
    if (is_raised(r->keys, e))
        e->relevance = RELEVANCE_KEY;
    e->standing = standing_of(d);
    l->filed += e->standing == STANDING_FILED;
    l->waiting += e->standing == STANDING_WAITING;
    return 0;
}

static int by_date(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int n = strcmp(or_empty(y->doc.date), or_empty(x->doc.date));

    if (n == 0)
        n = strcmp(or_empty(x->doc.type), or_empty(y->doc.type));
    if (n == 0)
        n = strcmp(x->name, y->name);
    return n ? n : strcmp(x->doc.path, y->doc.path);
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

        if (e->standing == STANDING_ATTENTION)
            add_item(l, e->doc.reason, e->doc.path, e->doc.path, e->doc.sentence, e->doc.help);
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = or_empty(notices[i].path);

        if (reason_is_attention(notices[i].reason))
            add_item(l, notices[i].reason, path_below(path, folder), path, notices[i].sentence,
                     notices[i].help);
    }
    if (l->items_len > 1)
        qsort(l->items, l->items_len, sizeof *l->items, by_reason);
}

/* What cannot be read now is not shown now. */
static void read_contents(struct listing *l, struct state *s)
{
    struct error err = ERROR_INIT;

    for (size_t i = 0; i < l->len; i++)
        if (!digest_is_zero(&l->entries[i].doc.digest) &&
            state_content_facts(s, &l->entries[i].doc.digest, &l->entries[i].said, &err) < 0)
            return;
}

int listing_read(struct listing *l, struct state *s, const char *case_id, const struct page_case *c,
                 const struct rules *rules, const struct notice *notices, size_t notices_len,
                 struct error *err)
{
    struct reading r = {l, c, rules, c ? fold_all(c->key_documents) : NULL};
    int rc;

    *l = (struct listing){0};
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
    for (size_t i = 0; i < l->len; i++) {
        doc_clear(&l->entries[i].doc);
        free(l->entries[i].folder);
        content_facts_clear(&l->entries[i].said);
    }
    free(l->entries);
    free(l->items);
    *l = (struct listing){0};
}
