#include "flow/gather.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "flow/companions.h"
#include "record/content_row.h"
#include "text/texts.h"

struct policy gather_policy(const struct config *c, const struct env *env)
{
    struct policy p = {
        .naming = c->naming,
        .date_order = c->date_order,
        .date_from_len = c->date_from_len,
        .drafts_s = c->drafts_s,
        .max_path = c->max_path,
        .today = date_of_time(env_now(env), c->time_zone),
    };

    memcpy(p.date_from, c->date_from, sizeof p.date_from);
    return p;
}

/* In doubt, when the disk does not say, it does. */
static bool exists(int root, const char *case_path, const char *path)
{
    AUTO_FREE char *full = xjoin(case_path, path);
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, full, &name);

    if (dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    return errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EXDEV;
}

/* For state_each_copy(): which of them the document is told to be the same as. */
struct copy {
    const struct gather_from *from;
    const struct matter *in;
    const char *inside; /* the document's path in that case, or NULL */
    int64_t own;        /* its number in that case, 0: it has none */
    bool arrival;       /* it lies in an Inbox */
    struct doc *found;
};

static bool is_arrival(const struct copy *c, const struct doc *d)
{
    AUTO_FREE char *path = xjoin(c->in->facts.path, d->path);
    struct matter *home;
    const char *inside;

    return matters_zone(c->from->matters, path, &home, &inside) == ZONE_CASE_INBOX;
}

/* Of several, the first is the one that the others are the same as, but for what lies in an Inbox
 * still. One that the disk did not keep, or changed, has only the digest: this may be the one that was
 * brought again, and is the only one that is whole. */
static int on_copy(void *ctx, const struct doc *d)
{
    struct copy *c = ctx;

    if (d->number == c->own || (c->inside && strcmp(d->path, c->inside) == 0) ||
        reason_is_not_whole(d->reason) ||
        (c->own && d->number > c->own && (!c->arrival || is_arrival(c, d))) ||
        !exists(c->from->root, c->in->facts.path, d->path))
        return 0;
    doc_copy(c->found, d);
    return 1;
}

/* Another document in the case with the same content, or none (number 0). */
static void same_content(const struct gather_from *from, const struct gather_doc *doc,
                         const struct matter *m, struct gathered *g)
{
    const struct doc *row = doc->row;
    struct copy c = {.from = from, .in = m, .arrival = g->facts.new_arrival, .found = &g->same};
    struct error err = ERROR_INIT;

    if (!from->state || !m || doc->x->status != EXAMINE_DONE)
        return;
    if (row && strcmp(row->case_id, m->facts.id) == 0)
        c.own = row->number;
    if (m == g->home)
        c.inside = g->inside;
    (void)state_each_copy(from->state, m->facts.id, &doc->x->digest, on_copy, &c, &err);
}

static char *former_name(const struct gather_from *from, const struct gather_doc *doc,
                         const struct gathered *g)
{
    struct error err = ERROR_INIT;
    struct doc other = {0};
    char *path = NULL;

    if (!from->state || !g->home || doc->row)
        return NULL;
    if (state_doc_by_former(from->state, g->home->facts.id, g->inside, &other, &err) <= 0)
        return NULL;
    if (exists(from->root, g->home->facts.path, other.path))
        path = xstrdup(other.path);
    doc_clear(&other);
    return path;
}

/* The first mail of the case with this Message-ID that is still there. */
struct same_mail {
    const struct gather_from *from;
    const struct matter *home;
    char *path;
};

static int on_same_mail(void *ctx, const char *case_id, const char *path)
{
    struct same_mail *s = ctx;

    if (strcmp(case_id, s->home->facts.id) != 0 ||
        !exists(s->from->root, s->home->facts.path, path))
        return 0;
    s->path = xstrdup(path);
    return 1;
}

static char *same_mail(const struct gather_from *from, const struct gather_doc *doc,
                       const struct matter *m, const char *message_id)
{
    struct same_mail s = {from, m, NULL};
    struct error err = ERROR_INIT;

    if (from->state && m && message_id)
        state_each_message(from->state, message_id, &doc->x->digest, on_same_mail, &s, &err);
    return s.path;
}

/* The case in which a mail of the thread was filed. */
struct thread {
    const struct gather_from *from;
    const struct matter *home;
    char *path; /* of that mail, inside its case */
    bool many;  /* mails of the thread lie in several cases */
};

static int on_thread(void *ctx, const char *case_id, const char *path)
{
    struct thread *t = ctx;
    const struct matter *m = *case_id ? matters_by_id(t->from->matters, case_id) : NULL;

    if (!m || m == t->home || !exists(t->from->root, m->facts.path, path))
        return 0;
    t->many = t->home != NULL;
    t->home = m;
    free(t->path);
    t->path = xstrdup(path);
    return t->many;
}

/* In the office's Inbox: where the mail belongs that this one answers, or was filed already: two who
 * got it drop it there. */
static void add_thread(const struct gather_from *from, const struct gather_doc *doc,
                       struct gathered *g)
{
    static const struct digest any;
    struct thread t = {from, NULL, NULL, false};
    struct error err = ERROR_INIT;
    const struct content *said = g->facts.content;
    char **id = said ? said->thread : NULL;

    if (!from->state || g->facts.zone != ZONE_OFFICE_INBOX)
        return;
    if (said && said->message_id)
        state_each_message(from->state, said->message_id, &any, on_thread, &t, &err);
    id = t.home ? NULL : id;
    for (; id && *id && !t.many; id++)
        state_each_message(from->state, *id, &doc->x->digest, on_thread, &t, &err);
    g->thread_doc = t.path;
    if (!t.home || t.many)
        return;
    g->facts.thread_case = &t.home->facts;
    g->facts.thread_doc = g->thread_doc;
}

static void add_content(const struct gather_from *from, const struct gather_doc *doc,
                        const struct matter *m, struct gathered *g)
{
    struct error err = ERROR_INIT;

    if (doc->content)
        g->facts.content = doc->content;
    else if (from->state && doc->x->status == EXAMINE_DONE && texts_knows(doc->x->kind) &&
             state_content_get(from->state, &doc->x->digest, &g->kept, &err) > 0)
        g->facts.content = &g->kept;
    if (g->facts.content)
        g->same_mail = same_mail(from, doc, m, g->facts.content->message_id);
    g->facts.same_mail = g->same_mail;
    add_thread(from, doc, g);
}

/* Its name and its title did not say the same, and a person has renamed it since. What comes up
 * only once the type is settled was asked after such an answer. */
static bool was_answered(const struct doc *row, const char *name)
{
    const char *slash = row->path ? strrchr(row->path, '/') : NULL;
    const char *was = slash ? slash + 1 : row->path;

    if (row->state != DOC_LISTED)
        return false;
    return row->reason == REASON_NO_DATE || row->reason == REASON_TOO_LONG ||
           (row->reason == REASON_TWO_TYPES && was && strcmp(was, name) != 0);
}

/* So long a name that the organizer gave may become complete by what the document says. */
#define LATELY_NS (3600 * NS_PER_S)

static void from_row(struct facts *f, const struct doc *row, int64_t now)
{
    f->named_lately = row->state == DOC_FILED && row->original && *row->original && !row->by_hand &&
                      !row->undone && now - row->filed_ns < LATELY_NS;
    f->by_hand = row->by_hand;
    f->undone = row->undone;
}

bool gather_is_read(const struct doc *row, const struct doc_stamp *now)
{
    return doc_stamp_equal(&row->stamp, now) && !doc_is_racy(row) && !digest_is_zero(&row->digest) &&
           row->reason != REASON_READER_FAILED;
}

struct examination gather_read(const struct doc *row)
{
    return (struct examination){.status = EXAMINE_DONE,
                                .digest = row->digest,
                                .bytes = row->stamp.size,
                                .kind = row->kind};
}

/* It was not there when its case was closed: nothing is known of it, or only why it was waited for. */
static bool is_late(const struct doc *row)
{
    if (!row || row->number == 0 || row->reason == REASON_CLOSED_CASE)
        return true;
    return digest_is_zero(&row->digest) &&
           (row->state == DOC_WAITING || row->reason == REASON_READER_FAILED ||
            row->reason == REASON_NO_PERMISSION);
}

void gather(const struct gather_from *from, const struct gather_doc *doc,
            const struct matter *target, struct gathered *g)
{
    struct facts *f = &g->facts;
    const char *slash;
    int64_t now = env_now(from->env);

    memset(g, 0, sizeof *g);
    f->zone = matters_zone(from->matters, doc->path, &g->home, &g->inside);
    if (!g->inside)
        g->inside = doc->path;
    slash = strrchr(g->inside, '/');
    f->name = slash ? slash + 1 : g->inside;
    g->folder = slash ? xmemdup0(g->inside, (size_t)(slash - g->inside)) : xstrdup("");
    f->folder = g->folder;
    f->home = g->home ? &g->home->facts : NULL;
    f->roster = matters_roster(from->matters);
    f->read_failed = doc->x->status == EXAMINE_FAILED;
    f->read_why = doc->x->why;
    f->kind = doc->x->kind;
    f->size = doc->stamp->size;
    f->arrived = date_of_time(doc->stamp->mtime_ns, from->config->time_zone);
    f->new_arrival = f->zone == ZONE_OFFICE_INBOX || f->zone == ZONE_CASE_INBOX;
    f->quiet_s = (now - doc->stamp->mtime_ns) / NS_PER_S;
    if (doc->row) {
        from_row(f, doc->row, now);
        f->answered = was_answered(doc->row, f->name);
    }
    f->late = g->home && g->home->facts.closed && is_late(doc->row);
    f->accompanied =
        f->zone != ZONE_OUTSIDE && !doc->alone && companions_beside(from->root, doc->path);
    add_content(from, doc, target ? target : g->home, g);
    same_content(from, doc, target ? target : g->home, g);
    g->former_of = former_name(from, doc, g);
    f->same_as = g->same.number ? g->same.path : NULL;
    f->former_of = g->former_of;
}

bool gather_was_before(const struct cabinet *c, const struct matter *home,
                       const struct doc_stamp *stamp)
{
    return stamp->ctime_ns < (home ? home->adopted_ns : c->since_ns);
}

void gather_unread(struct gathered *g)
{
    struct facts *f = &g->facts;

    f->content = NULL;
    f->same_mail = f->thread_doc = NULL;
    f->thread_case = NULL;
}

void gather_clear(struct gathered *g)
{
    free(g->folder);
    doc_clear(&g->same);
    free(g->former_of);
    free(g->thread_doc);
    free(g->same_mail);
    content_clear(&g->kept);
    memset(g, 0, sizeof *g);
}

int gather_rules(int root, const struct env *env, struct rules **rules, struct lang **lang, struct error *err)
{
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    AUTO_FREE char *path = xasprintf("%s/language/en.yaml", env->rules_dir);
    struct error untrusted = ERROR_INIT;
    AUTO_CLOSE int office = config_open_trusted(root, CABINET_RULES, &untrusted);

    *rules = NULL;
    *lang = NULL;
    if (office < 0 && untrusted.number != ENOENT) {
        *err = untrusted;
        return -1;
    }
    *lang = lang_load(path, err);
    if (!*lang)
        return -1;
    *rules = rules_load(env->rules_dir, office, *lang, &p);
    if (*rules)
        return 0;
    lang_free(*lang);
    *lang = NULL;
    return error_set(err, 0, "%s", str_c(&text));
}
