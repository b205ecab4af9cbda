#include "record/rebuild.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "base/table.h"
#include "record/history_internal.h"
#include "record/journal_internal.h"
#include "record/state_archive.h"

/* A path that a document has or had. */
struct was_at {
    char *path;
    struct was_at *next;
};

struct known {
    struct doc doc;
    struct was_at *former;
    UT_hash_handle hh;      /* by number */
    UT_hash_handle by_path; /* by path, of those that are there */
};

struct rebuilding {
    struct case_row *row;
    struct known *docs, *there;
    struct archive_row *archives;
    size_t archives_len, archives_cap;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void set(char **field, const char *value)
{
    if (!value)
        return;
    free(*field);
    *field = xstrdup(value);
}

static struct known *known_of(struct rebuilding *b, int64_t number)
{
    struct known *k;

    HASH_FIND(hh, b->docs, &number, sizeof number, k);
    if (k)
        return k;
    k = xcalloc(1, sizeof *k);
    k->doc.number = number;
    memcpy(k->doc.case_id, b->row->id, sizeof k->doc.case_id);
    k->doc.state = DOC_GONE;
    k->doc.path = xstrdup("");
    HASH_ADD(hh, b->docs, doc.number, sizeof k->doc.number, k);
    return k;
}

static void remember_path(struct known *k, const char *path)
{
    struct was_at *w;

    if (!path || !*path)
        return;
    for (w = k->former; w; w = w->next)
        if (strcmp(w->path, path) == 0)
            return;
    w = xcalloc(1, sizeof *w);
    w->path = xstrdup(path);
    w->next = k->former;
    k->former = w;
}

static void leave(struct rebuilding *b, struct known *k)
{
    if (k->doc.state != DOC_GONE)
        HASH_DELETE(by_path, b->there, k);
    k->doc.state = DOC_GONE;
}

/* The document lies at path now; who lay there before does not any more. */
static void arrive(struct rebuilding *b, struct known *k, const char *path, enum doc_state state)
{
    struct known *other;

    leave(b, k);
    HASH_FIND(by_path, b->there, path, strlen(path), other);
    if (other)
        leave(b, other);
    if (strcmp(k->doc.path, path) != 0)
        remember_path(k, k->doc.path);
    set(&k->doc.path, path);
    k->doc.state = state;
    HASH_ADD_KEYPTR(by_path, b->there, k->doc.path, strlen(k->doc.path), k);
}

/* A person renamed a folder. */
static void move_folder(struct rebuilding *b, const char *from, const char *to)
{
    size_t n = strlen(from);

    for (struct known *k = b->docs; k; k = k->hh.next) {
        if (strncmp(k->doc.path, from, n) != 0 || k->doc.path[n] != '/')
            continue;
        AUTO_FREE char *path = xasprintf("%s%s", to, k->doc.path + n);

        if (k->doc.state == DOC_GONE)
            set(&k->doc.path, path);
        else
            arrive(b, k, path, k->doc.state);
    }
}

static void forget_archive(struct rebuilding *b, size_t i)
{
    archive_row_clear(&b->archives[i]);
    memmove(b->archives + i, b->archives + i + 1, (--b->archives_len - i) * sizeof *b->archives);
}

/* Where archives lie; of what lies elsewhere none was made. */
static bool is_archive(const char *path)
{
    static const char folder[] = "Archive/";

    return path && strncmp(path, folder, strlen(folder)) == 0 && history_is_plain(path);
}

/* An archive was made, was verified again, or is there no more. */
static void about_archive(struct rebuilding *b, const struct history_line *l)
{
    AUTO_FREE char *path = json_get_name(l->json, "archive");
    struct archive_row row;

    if (is_archive(path) && strcmp(l->kind, "archived") == 0 &&
        archive_row_read(&row, l->json, l->at_ns)) {
        memcpy(row.case_id, b->row->id, sizeof row.case_id);
        row.intermediate = false; /* nothing is removed for what a journal says */
        GROW(b->archives, b->archives_len, b->archives_cap);
        b->archives[b->archives_len++] = row;
        return;
    }
    for (size_t i = b->archives_len; path && i-- > 0;) {
        if (strcmp(b->archives[i].path, path) != 0)
            continue;
        if (strcmp(l->kind, "pruned") == 0)
            forget_archive(b, i);
        else
            b->archives[i].verified_ns = l->at_ns;
    }
}

static void about_case(struct rebuilding *b, const struct history_line *l)
{
    struct case_row *row = b->row;
    AUTO_FREE char *was = json_get_name(l->json, "was");

    if (strcmp(l->kind, "moved") == 0 && l->from && l->to) {
        move_folder(b, l->from, l->to);
    } else if (!journal_is_change(l->kind)) {
        about_archive(b, l);
    } else if (strcmp(l->kind, "adopted") == 0) {
        row->adopted_ns = l->at_ns;
    } else if (strcmp(l->kind, "closed") == 0 || strcmp(l->kind, "reopened") == 0) {
        row->closed = *l->kind == 'c';
    } else if (strcmp(l->kind, "case-renamed") == 0 && was) {
        char *former = row->former && *row->former ? xasprintf("%s/%s", row->former, base_name(was))
                                                   : xstrdup(base_name(was));

        free(row->former);
        row->former = former;
    }
}

static bool is_ours(const char *kind)
{
    return strcmp(kind, "filed") == 0 || strcmp(kind, "applied") == 0 ||
           strcmp(kind, "version") == 0;
}

static void take_facts(struct known *k, const struct history_line *l)
{
    const char *sha = json_get_text(l->json, "sha256");
    struct digest d;

    if (sha && digest_parse(sha, &d) == 0)
        k->doc.digest = d;
    k->doc.stamp.size = (uint64_t)json_get_num(l->json, "size", (int64_t)k->doc.stamp.size);
    set(&k->doc.type, json_get_text(l->json, "document_type"));
    set(&k->doc.date, json_get_text(l->json, "date"));
    k->doc.changed_ns = l->at_ns;
}

static void filed(struct rebuilding *b, struct known *k, const struct history_line *l)
{
    const char *from = l->from ? l->from : l->from_office;

    arrive(b, k, l->to, DOC_FILED);
    remember_path(k, l->from);
    if (from)
        set(&k->doc.original, base_name(from));
    set(&k->doc.why, json_get_text(l->json, "why"));
    k->doc.by_hand = k->doc.undone = k->doc.before = false;
    k->doc.filed_ns = l->at_ns;
}

static void about_document(struct rebuilding *b, const struct history_line *l)
{
    struct known *k = known_of(b, l->doc);
    bool was_filed = k->doc.state == DOC_FILED;

    take_facts(k, l);
    if (l->to && is_ours(l->kind)) {
        filed(b, k, l);
    } else if (l->to && strcmp(l->kind, "undone") == 0) {
        arrive(b, k, l->to, DOC_INDEXED);
        k->doc.undone = !json_get_text(l->json, "by"); /* else the organizer itself did it */
        k->doc.by_hand = false;
        k->doc.reason = k->doc.undone ? REASON_UNDONE : REASON_NONE;
        if (!k->doc.undone)
            set(&k->doc.original, "");
    } else if (l->to) {
        bool renamed = *k->doc.path && strcmp(k->doc.path, l->to) != 0;

        k->doc.by_hand |= was_filed && renamed;
        k->doc.undone &= !renamed;
        if (renamed && strncmp(l->to, "Inbox/", 6) == 0)
            k->doc.before = false; /* put there, it was to get a name */
        arrive(b, k, l->to, was_filed ? DOC_FILED : DOC_INDEXED);
        if (!k->doc.filed_ns)
            k->doc.filed_ns = l->at_ns;
        if (json_is_true(json_object_get(l->json, "before")))
            k->doc.before = true;
    }
    if (history_leaves(l->json, l->kind))
        leave(b, k);
}

static int take_line(void *ctx, const struct history_line *l)
{
    struct rebuilding *b = ctx;

    if (!history_stays_inside(l))
        return 0;
    if (l->doc > 0 && l->doc < INT32_MAX)
        about_document(b, l);
    else if (!l->doc)
        about_case(b, l);
    return 0;
}

/* ---- into the state -------------------------------------------------------------------------- */

static int put_known(struct state *s, struct known *k, struct error *err)
{
    if (state_doc_put(s, &k->doc, err) < 0)
        return -1;
    for (const struct was_at *w = k->former; w; w = w->next)
        if (strcmp(w->path, k->doc.path) != 0 &&
            state_former_put(s, k->doc.case_id, k->doc.number, w->path, err) < 0)
            return -1;
    return 0;
}

static void clear(struct rebuilding *b)
{
    struct known *k, *tmp;

    for (size_t i = 0; i < b->archives_len; i++)
        archive_row_clear(&b->archives[i]);
    free(b->archives);
    HASH_CLEAR(by_path, b->there);
    HASH_ITER(hh, b->docs, k, tmp)
    {
        while (k->former) {
            struct was_at *w = k->former;

            k->former = w->next;
            free(w->path);
            free(w);
        }
        HASH_DEL(b->docs, k);
        doc_clear(&k->doc);
        free(k);
    }
}

static void no_fault(void *ctx, uint64_t line, const char *what)
{
    (void)ctx, (void)line, (void)what;
}

/* What is known as another case's stays that. */
static int put_archive(struct state *s, const struct archive_row *row, struct error *err)
{
    struct archive_row there;
    int rc = state_archive_at(s, row->path, &there, err);
    bool others = rc > 0 && strcmp(there.case_id, row->case_id) != 0;

    archive_row_clear(&there);
    return rc < 0 ? -1 : others ? 0 : state_archive_put(s, row, err);
}

static int put_all(struct state *s, struct rebuilding *b, const struct journal_head *head,
                   struct rebuilt *r, struct error *err)
{
    if (state_head_put(s, b->row->id, head, err) < 0)
        return -1;
    for (size_t i = 0; i < b->archives_len; i++)
        if (put_archive(s, &b->archives[i], err) < 0)
            return -1;
    for (struct known *k = b->docs; k; k = k->hh.next) {
        if (put_known(s, k, err) < 0)
            return -1;
        if (k->doc.number >= b->row->next_doc)
            b->row->next_doc = k->doc.number + 1;
        r->documents += k->doc.state != DOC_GONE;
    }
    return 0;
}

int rebuild_case(struct state *s, int case_fd, struct case_row *row, struct rebuilt *r,
                 struct error *err)
{
    struct rebuilding b = {.row = row};
    enum journal_standing standing;
    struct journal_head head;
    int rc, faults;

    if (journal_last(case_fd, &head, err) < 0)
        return -1;
    r->any = head.seq > 0;
    if (!r->any)
        return 0;
    faults = journal_check(case_fd, &head, no_fault, NULL, &standing, err);
    rc = faults < 0 ? -1 : history_read(case_fd, NULL, take_line, &b, err);
    if (rc >= 0)
        rc = put_all(s, &b, &head, r, err);
    row->tampered |= faults > 0;
    clear(&b);
    return rc < 0 ? -1 : 0;
}
