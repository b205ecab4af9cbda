/*
 * renaming: after a case's folder was renamed its documents keep their names, until the card says
 * `Rename documents: yes`. Then those that the organizer named, or would have named so, get the
 * prefix of today: as applied renames in the journal, which undo takes back.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "decide/name.h"
#include "flow/batch.h"
#include "flow/internal.h"

struct renaming {
    struct flow *flow;
    struct matter *matter;
    struct doc *docs; /* under a former prefix */
    size_t len, cap;
};

static bool is_former(const struct matter *m, const char *prefix)
{
    for (const char *const *p = m->facts.former; p && *p; p++)
        if (name_same(*p, prefix))
            return true;
    return false;
}

/* How many bytes of the name are a former prefix with its '_', when the name has the form that the
 * convention gives; else 0. */
static size_t former_length(const struct flow *f, const struct matter *m, const char *name)
{
    AUTO_FREE char *prefix = NULL;
    struct name_parts parts;
    size_t n = 0;

    if (!rules_parse_name(f->rules, name, &parts))
        return 0;
    if (parts.client && parts.case_type)
        prefix = xasprintf("%s_%s", parts.client, parts.case_type);
    if (prefix && is_former(m, prefix) && strncmp(name, prefix, strlen(prefix)) == 0)
        n = strlen(prefix) + 1;
    name_parts_clear(&parts);
    return n;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int collect(void *ctx, const struct doc *d)
{
    struct renaming *r = ctx;
    AUTO_FREE char *full = xasprintf("%s/%s", r->matter->facts.path, d->path);
    enum zone zone = matters_zone(r->flow->matters, full, NULL, NULL);

    if (d->by_hand || d->undone || d->before || reason_is_attention(d->reason) ||
        d->reason == REASON_DRAFT || zone == ZONE_LEFT_ALONE ||
        (d->state != DOC_FILED && zone != ZONE_STANDARD) ||
        !former_length(r->flow, r->matter, base_name(d->path)))
        return 0;
    GROW(r->docs, r->len, r->cap);
    r->docs[r->len] = (struct doc){0};
    doc_copy(&r->docs[r->len++], d);
    return 0;
}

static bool is_there(const struct flow *f, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(f->cab.root, path, &name);

    return dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The name without "_02", so that the filer can give the next one that is free. */
static char *without_serial(const struct flow *f, const char *name)
{
    struct name_parts parts;
    char *plain = NULL;

    if (rules_parse_name(f->rules, name, &parts)) {
        if (parts.serial) {
            free(parts.serial);
            parts.serial = NULL;
            plain = rules_make_name(f->rules, &parts);
        }
        name_parts_clear(&parts);
    }
    return plain ? plain : xstrdup(name);
}

static char *new_path(const struct renaming *r, const struct doc *d)
{
    const struct matter *m = r->matter;
    const char *name = base_name(d->path);
    int dir = (int)(name - d->path);
    AUTO_FREE char *now =
        xasprintf("%s_%s", m->facts.prefix, name + former_length(r->flow, m, name));
    char *to = xasprintf("%s/%.*s%s", m->facts.path, dir, d->path, now);

    if (is_there(r->flow, to)) {
        AUTO_FREE char *plain = without_serial(r->flow, now);

        free(to);
        to = xasprintf("%s/%.*s%s", m->facts.path, dir, d->path, plain);
    }
    return to;
}

struct renamed {
    struct flow *flow;
    char id[CASE_ID_SIZE];
};

static void renamed(void *ctx, int status, const char *text)
{
    struct renamed *r = ctx;
    struct matter *m = matters_by_id(r->flow->matters, r->id);

    r->flow->renaming--;
    if (m) {
        m->renaming = false;
        m->rename_rest |= status != EXIT_ORDER;
    }
    if (status != EXIT_ORDER)
        log_line(&r->flow->log, LOG_WARNING, "not all documents of a renamed case were renamed",
                 "folder", m ? m->facts.path : "", "what", text, NULL);
    flow_wake(r->flow); /* a sync may wait for it */
    free(r);
}

static void submit(struct renaming *r)
{
    struct flow *f = r->flow;
    struct renamed *done = xcalloc(1, sizeof *done);
    struct batch *b = batch_new(f, renamed, done);

    done->flow = f;
    memcpy(done->id, r->matter->facts.id, strlen(r->matter->facts.id) + 1);
    r->matter->renaming = true;
    f->renaming++;
    for (size_t i = 0; i < r->len; i++) {
        struct doc *d = &r->docs[i];
        AUTO_FREE char *from = xasprintf("%s/%s", r->matter->facts.path, d->path);
        AUTO_FREE char *to = new_path(r, d);
        struct act *a = batch_rename(b, r->matter, d, from, to, "applied", false);

        json_text(&a->journal, "why", "Case.txt: Rename documents: yes");
        a->doc.state = DOC_FILED;
        if (!a->doc.original) /* so that who renames it back is seen to do so */
            a->doc.original = xstrdup(base_name(d->path));
        batch_submit(f, a);
    }
    batch_end(b, "renamed");
}

void flow_rename_documents(struct flow *f, struct matter *m)
{
    struct renaming r = {.flow = f, .matter = m};
    struct error err = ERROR_INIT;

    if (!m->card.rename_documents || !m->facts.former || m->renaming || m->card.hold || m->closed ||
        m->untouchable || m->opening || m->moving || f->stopping)
        return;
    m->rename_rest = state_each_doc(f->state, m->facts.id, false, collect, &r, &err) < 0;
    if (r.len)
        submit(&r);
    for (size_t i = 0; i < r.len; i++)
        doc_clear(&r.docs[i]);
    free(r.docs);
}

void flow_may_be_former(struct flow *f, struct matter *m, const char *path)
{
    m->rename_rest |= m->card.rename_documents && former_length(f, m, base_name(path)) > 0;
}

void flow_rename_rest(struct flow *f)
{
    for (size_t i = 0; i < matters_len(f->matters); i++)
        if (matters_at(f->matters, i)->rename_rest)
            flow_rename_documents(f, matters_at(f->matters, i));
}
