/*
 * identity: which document lies at a path. The order of evidence:
 *   1. the row at the path with the same file (device, inode, birth): that document, edited or not
 *   2. a row elsewhere with the same file, whose own path no longer holds it: renamed or moved.
 *      Inode numbers are used again at once; where a file system tells no birth times the content
 *      must be the same as well
 *   3. the row at the path with another file: saved over (temporary, rename over it), or a restored
 *      cabinet, where every inode is new: the digest then tells that nothing was edited
 *   4. a row that is gone and was this very file, or had this path: it came back; the latter when
 * its content is the same or it went only a moment ago (programs save by removing and writing anew)
 *   5. else it is new
 * A file whose own path still holds the same inode is a second name (hard link).
 *
 * 2 and 3 may contradict: a document was moved over another one, or a program saved under a
 * temporary name that looks like a document's and renamed that over the old file. It is the latter
 * when the row elsewhere is younger than FLOW_TEMPORARY_NS and was never filed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/internal.h"

/* A document known for less than this may be some program's temporary file. */
#define FLOW_TEMPORARY_NS (60 * NS_PER_S)

/* The stamp of what lies where the row says; -1 when nothing does. */
static int stamp_of(struct flow *f, const struct doc *row, struct doc_stamp *now)
{
    struct matter *m = matters_by_id(f->matters, row->case_id);
    const char *name;
    AUTO_FREE char *path = NULL;
    AUTO_CLOSE int dir = -1;

    if (row->case_id[0] && !m)
        return -1;
    path = m ? xasprintf("%s/%s", m->facts.path, row->path) : xstrdup(row->path);
    dir = beneath_parent(f->cab.root, path, &name);
    return dir >= 0 ? doc_stamp_take(-1, dir, name, now) : -1;
}

/* The file of the row is still where the row says. */
static bool still_there(struct flow *f, const struct doc *row)
{
    struct doc_stamp now;

    return stamp_of(f, row, &now) == 0 && doc_stamp_same_file(&now, &row->stamp);
}

static bool is_read(const struct item *it)
{
    return it->x.status == EXAMINE_DONE && !digest_is_zero(&it->x.digest);
}

static bool is_same_content(const struct doc *row, const struct item *it)
{
    return is_read(it) && digest_equal(&row->digest, &it->x.digest);
}

static bool is_by_inode(struct flow *f, const struct item *it, struct doc *row)
{
    struct error err = ERROR_INIT;

    if (state_doc_by_inode(f->state, &it->stamp, row, &err) <= 0)
        return false;
    if (it->stamp.birth_ns != 0 || is_same_content(row, it))
        return true;
    doc_clear(row);
    return false;
}

/* The file of `old` is gone, and `temporary` was only the name under which it was saved anew. */
static bool is_saved_over(struct flow *f, const struct doc *old, const struct doc *temporary)
{
    struct doc_stamp now;

    if (temporary->number < old->number || (temporary->original && *temporary->original) ||
        env_now(f->env) - temporary->filed_ns > FLOW_TEMPORARY_NS ||
        tally_has_file(f->items.held, &old->stamp))
        return false;
    return stamp_of(f, temporary, &now) < 0 || !doc_stamp_same_file(&now, &old->stamp);
}

/* Takes the strings of *from over. */
static void move_doc(struct doc *to, struct doc *from)
{
    doc_clear(to);
    *to = *from;
    *from = (struct doc){0};
}

static enum identity at_own_path(struct identified *id, struct doc *row, const struct item *it)
{
    move_doc(&id->row, row);
    return doc_stamp_equal(&id->row.stamp, &it->stamp) ? IDENTITY_SAME : IDENTITY_EDITED;
}

/* A row of the case that is gone and was this file, or had this path. Of another file at the path it
 * is told only when that was read: its row would have the digest of what is gone. */
static bool is_back(struct flow *f, const char *case_id, const char *inside, const struct item *it,
                    bool moved, struct identified *id)
{
    struct error err = ERROR_INIT;
    struct doc gone = {0};
    int64_t ago;
    bool back = state_doc_gone_by_inode(f->state, case_id, &it->stamp, &gone, &err) > 0;

    if (!back && is_read(it) && state_doc_gone_by_path(f->state, case_id, inside, &gone, &err) > 0) {
        ago = env_now(f->env) - gone.changed_ns;
        back = is_same_content(&gone, it) || (!moved && ago < f->env->patience_ns);
    }
    if (back)
        move_doc(&id->row, &gone);
    doc_clear(&gone);
    return back;
}

/* The file is known as the document `b`; `at` is another one whose path this is, if there is one.
 */
static enum identity by_inode(struct flow *f, const char *case_id, const char *inside,
                              const struct item *it, struct doc *at, struct doc *b,
                              struct identified *id)
{
    bool own = strcmp(b->case_id, case_id) == 0;
    struct doc_stamp now;

    if (own && strcmp(b->path, inside) == 0) {
        move_doc(&id->over, at);
        return at_own_path(id, b, it);
    }
    if (still_there(f, b)) {
        move_doc(&id->row, at);
        return id->row.number ? IDENTITY_EDITED : IDENTITY_LINKED;
    }
    if (own && (!at->number || !is_saved_over(f, at, b))) {
        id->swapped =
            at->number && stamp_of(f, b, &now) == 0 && doc_stamp_same_file(&now, &at->stamp);
        move_doc(&id->over, at);
        move_doc(&id->row, b);
        return IDENTITY_RENAMED;
    }
    if (!own)
        move_doc(&id->from, b);
    if (at->number) {
        move_doc(&id->row, at);
        return IDENTITY_EDITED;
    }
    return is_back(f, case_id, inside, it, true, id) ? IDENTITY_RETURNED : IDENTITY_MOVED_IN;
}

void flow_identify(struct flow *f, const char *case_id, const char *inside, const struct item *it,
                   struct identified *id)
{
    struct error err = ERROR_INIT;
    struct doc at = {0}, b = {0};
    bool at_path = state_doc_by_path(f->state, case_id, inside, &at, &err) > 0;

    *id = (struct identified){.who = IDENTITY_NEW};
    if (at_path && doc_stamp_same_file(&at.stamp, &it->stamp))
        id->who = at_own_path(id, &at, it);
    else if (is_by_inode(f, it, &b))
        id->who = by_inode(f, case_id, inside, it, &at, &b, id);
    else if (at_path)
        id->who = at_own_path(id, &at, it);
    else if (!at_path && is_back(f, case_id, inside, it, false, id))
        id->who = IDENTITY_RETURNED;
    id->moved = id->row.number && strcmp(id->row.path, inside) != 0;
    doc_clear(&at);
    doc_clear(&b);
}

void identified_clear(struct identified *id)
{
    doc_clear(&id->row);
    doc_clear(&id->from);
    doc_clear(&id->over);
}
