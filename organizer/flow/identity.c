/*
 * identity: which document lies at a path. The order of evidence:
 *   1. the row at the path with the same file (device, inode, birth): that document, edited or not
 *   2. a row elsewhere with the same file, whose own path no longer holds it: renamed or moved
 *   3. the row at the path with another inode: saved over (temporary, rename over it), or a
 *      restored cabinet, where every inode is new: the digest then tells that nothing was edited
 *   4. a row that is gone and had this path: it came back
 *   5. else it is new
 * A file whose own path still holds the same inode is a second name (hard link).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/internal.h"

/* The file of the row is still where the row says. */
static bool still_there(struct flow *f, const struct doc *row)
{
    struct matter *m = matters_by_id(f->matters, row->case_id);
    const char *name;
    AUTO_FREE char *path = NULL;
    AUTO_CLOSE int dir = -1;
    struct doc_stamp now;

    if (row->case_id[0] && !m)
        return false;
    path = m ? xasprintf("%s/%s", m->facts.path, row->path) : xstrdup(row->path);
    dir = beneath_parent(f->cab.root, path, &name);
    return dir >= 0 && doc_stamp_take(-1, dir, name, &now) == 0 &&
           doc_stamp_same_file(&now, &row->stamp);
}

enum identity flow_identify(struct flow *f, const char *case_id, const char *inside,
                            const struct doc_stamp *stamp, struct doc *row)
{
    struct error err = ERROR_INIT;
    struct doc by_inode = {0};
    bool at_path = state_doc_by_path(f->state, case_id, inside, row, &err) > 0;

    if (at_path && doc_stamp_same_file(&row->stamp, stamp))
        return doc_stamp_equal(&row->stamp, stamp) ? IDENTITY_SAME : IDENTITY_EDITED;
    if (state_doc_by_inode(f->state, stamp, &by_inode, &err) > 0) {
        bool linked = still_there(f, &by_inode);
        bool own = strcmp(by_inode.case_id, case_id) == 0;

        if (at_path)
            doc_clear(row);
        *row = by_inode;
        return linked ? IDENTITY_LINKED : own ? IDENTITY_RENAMED : IDENTITY_MOVED_IN;
    }
    if (at_path)
        return IDENTITY_EDITED;
    if (state_doc_gone_by_path(f->state, case_id, inside, row, &err) > 0)
        return IDENTITY_RETURNED;
    *row = (struct doc){0};
    if (*err.text)
        log_line(&f->log, LOG_ERROR, "the private state cannot be read", "error", error_text(&err),
                 NULL);
    return IDENTITY_NEW;
}
