/* related: what becomes of one document may change what is told of others. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/companions.h"
#include "flow/internal.h"
#include "record/content_row.h"

void flow_look_again(struct flow *f, const char *path)
{
    flow_hint(f, path, true);
    if (f->waiters)
        items_owe_one(&f->items, items_find(&f->items, path));
}

static void look_again_at(struct flow *f, struct doc *d)
{
    AUTO_FREE char *path = flow_path_of(f, d);

    if (path)
        flow_look_again(f, path);
    doc_clear(d);
}

/* The document that a signature at path signs, which keeps its name as long as that lies beside it.
 */
static void hint_signed(struct flow *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *name = companions_signed(slash ? slash + 1 : path);
    AUTO_FREE char *other =
        name ? xasprintf("%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name) : NULL;

    if (other)
        flow_look_again(f, other);
}

/* So many are looked at again at once; where there are more, the next sweep looks at the rest. */
#define COPIES_MAX 200

/* Those that are told to be the same as the document `number`. */
struct copies {
    int64_t number;
    bool first;       /* it has their content since just now, and may be the first of them */
    struct doc *told; /* array */
    size_t len, cap;
};

/* Returns whether they are enough. */
static bool add(struct copies *c, const struct doc *d)
{
    GROW(c->told, c->len, c->cap);
    doc_copy(&c->told[c->len++], d);
    return c->len >= COPIES_MAX;
}

/* For state_each_copy(). All are the same as the first, but for what lies in an Inbox (gather.c).
 */
static int on_copy(void *ctx, const struct doc *d)
{
    struct copies *c = ctx;

    if (d->number == c->number)
        return 0;
    if (d->reason == REASON_ALREADY_FILED)
        return add(c, d);
    if (d->number < c->number)
        return !reason_is_not_whole(d->reason);
    return (c->first || d->reason == REASON_SAME_CONTENT) && add(c, d);
}

/* For state_each_message(). */
struct mails {
    struct flow *flow;
    const char *case_id;
    struct copies *of;
};

static int on_mail(void *ctx, const char *case_id, const char *path)
{
    struct mails *m = ctx;
    struct error err = ERROR_INIT;
    struct doc d;

    if ((*case_id && strcmp(case_id, m->case_id) != 0) ||
        state_doc_by_path(m->flow->state, case_id, path, &d, &err) <= 0)
        return 0;
    if (reason_is_copy(d.reason))
        (void)add(m->of, &d);
    doc_clear(&d);
    return 0;
}

/* Mails with the Message-ID of the one that had this content, and other bytes. */
static void add_mails(struct flow *f, const char *case_id, const struct digest *was,
                      struct copies *c)
{
    struct mails m = {f, case_id, c};
    struct error err = ERROR_INIT;
    struct content said;

    if (state_content_get(f->state, was, &said, &err) <= 0)
        return;
    if (said.message_id)
        (void)state_each_message(f->state, said.message_id, was, on_mail, &m, &err);
    content_clear(&said);
}

/* The document d has, or had, this content; it has it under another name, or no more, or first:
 * what others in its case, and in the office's Inbox, are told to be the same as may be another
 * now. */
static void hint_copies(struct flow *f, const struct doc *d, const struct digest *content,
                        bool first)
{
    struct copies c = {.number = d->number, .first = first};
    struct error err = ERROR_INIT;

    (void)state_each_copy(f->state, d->case_id, content, on_copy, &c, &err);
    c.number = 0;
    c.first = false;
    if (d->case_id[0])
        (void)state_each_copy(f->state, "", content, on_copy, &c, &err);
    if ((kind_info(d->kind)->flags & KIND_IS_MAIL) || !digest_equal(content, &d->digest))
        add_mails(f, d->case_id, content, &c);
    for (size_t i = 0; i < c.len; i++)
        look_again_at(f, &c.told[i]);
    free(c.told);
}

/* A document is gone: what was listed or remarked because of it may be clear now. */
static void hint_related(struct flow *f, const struct doc *gone, const char *path)
{
    struct error err = ERROR_INIT;
    struct doc d = {0};

    if (state_doc_by_inode(f->state, &gone->stamp, &d, &err) > 0)
        look_again_at(f, &d);
    hint_copies(f, gone, &gone->digest, false);
    if (state_doc_by_fold(f->state, gone->case_id, gone->path, &d, &err) > 0)
        look_again_at(f, &d);
    hint_signed(f, path);
}

void flow_tell_related(struct flow *f, const struct act *a, const struct related *r)
{
    AUTO_FREE char *path = NULL;
    struct matter *m;

    if (a->doc.reason == REASON_NOT_KEPT)
        hint_copies(f, &a->doc, &a->doc.digest, false);
    if (!digest_is_zero(&r->was))
        hint_copies(f, &a->doc, &r->was, false);
    if (r->gained)
        hint_copies(f, &a->doc, &a->doc.digest, true);
    if (a->kind != ACT_RECORD)
        return;
    path = xjoin(a->case_path, a->doc.path);
    if (a->doc.state == DOC_GONE) {
        hint_related(f, &a->doc, path);
        return;
    }
    if (r->is_new)
        hint_signed(f, path);
    m = matters_by_id(f->matters, a->doc.case_id);
    if (m)
        flow_may_be_former(f, m, path);
}
