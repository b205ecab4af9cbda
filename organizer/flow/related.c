/* related: what becomes of one document may change what is told of others. */
#include <stdio.h>
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
    struct matter *m = matters_by_id(f->matters, d->case_id);
    AUTO_FREE char *path = m ? xasprintf("%s/%s", m->facts.path, d->path) : xstrdup(d->path);

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

/* So many are looked at again at once; where there are more, the next sweep finds the rest. */
#define COPIES_MAX 200

/* For state_each_copy(): those that are told to be the same as another. */
struct copies {
    struct doc *told; /* array */
    size_t len, cap;
};

static int on_copy(void *ctx, const struct doc *d)
{
    struct copies *c = ctx;

    if (d->reason != REASON_SAME_CONTENT && d->reason != REASON_ALREADY_FILED)
        return 0;
    GROW(c->told, c->len, c->cap);
    doc_copy(&c->told[c->len++], d);
    return c->len == COPIES_MAX;
}

/* For state_each_message(). */
struct mails {
    const char *case_id;
    struct copies *of;
};

static int on_mail(void *ctx, const char *case_id, const char *path)
{
    struct mails *m = ctx;
    struct copies *c = m->of;

    if (*case_id && strcmp(case_id, m->case_id) != 0)
        return 0;
    GROW(c->told, c->len, c->cap);
    c->told[c->len] = (struct doc){.path = xstrdup(path)};
    snprintf(c->told[c->len++].case_id, CASE_ID_SIZE, "%s", case_id);
    return c->len == COPIES_MAX;
}

/* Mails with the Message-ID of the one that had this content, and other bytes. */
static void add_mails(struct flow *f, const char *case_id, const struct digest *was,
                      struct copies *c)
{
    struct mails m = {case_id, c};
    struct error err = ERROR_INIT;
    struct content said;

    if (state_content_get(f->state, was, &said, &err) <= 0)
        return;
    if (said.message_id)
        (void)state_each_message(f->state, said.message_id, was, on_mail, &m, &err);
    content_clear(&said);
}

/* A document of the case had this content, or had it under another name: that others in the case,
 * or in the office's Inbox, are the same as it may not be so any more. */
static void hint_copies(struct flow *f, const char *case_id, const struct digest *was)
{
    struct copies c = {.told = NULL};
    struct error err = ERROR_INIT;
    int rc = state_each_copy(f->state, case_id, was, on_copy, &c, &err);

    if (rc == 0 && *case_id)
        rc = state_each_copy(f->state, "", was, on_copy, &c, &err);
    if (rc == 0)
        add_mails(f, case_id, was, &c);
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
    hint_copies(f, gone->case_id, &gone->digest);
    if (state_doc_by_fold(f->state, gone->case_id, gone->path, &d, &err) > 0)
        look_again_at(f, &d);
    hint_signed(f, path);
}

void flow_tell_related(struct flow *f, const struct act *a, const struct digest *was, bool is_new)
{
    AUTO_FREE char *path = NULL;
    struct matter *m;

    if (!digest_is_zero(was))
        hint_copies(f, a->doc.case_id, was);
    if (a->kind != ACT_RECORD)
        return;
    path = xjoin(a->case_path, a->doc.path);
    if (a->doc.state == DOC_GONE) {
        hint_related(f, &a->doc, path);
        return;
    }
    if (is_new)
        hint_signed(f, path);
    m = matters_by_id(f->matters, a->doc.case_id);
    if (m)
        flow_may_be_former(f, m, path);
}
