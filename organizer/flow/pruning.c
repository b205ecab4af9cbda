/*
 * pruning: intermediate snapshots of an open case beyond `keep:` are removed, the only files that the
 * organizer ever deletes beside its own pages. One is removed only when
 *   - the private state says that it was made as an intermediate one,
 *   - its bytes are those that were written then,
 *   - a newer archive of the case was verified and is there,
 *   - the case is open and has no Hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "flow/internal.h"
#include "flow/night_step.h"
#include "record/state_archive.h"

/* Archives of one case that may go, oldest first. */
struct list {
    struct archive_row *rows;
    size_t len, cap;
    bool newest_verified; /* the newest of all was read back and found right, and is there */
};

struct pruning {
    struct flow *flow;
    uv_work_t work;
    char id[CASE_ID_SIZE], *path; /* the case and its folder */
    struct list list;
    size_t removed; /* so many of the first were */
    char *why;      /* one could not be */
    step_done *done;
    void *ctx;
};

static void list_clear(struct list *l)
{
    for (size_t i = 0; i < l->len; i++)
        archive_row_clear(&l->rows[i]);
    free(l->rows);
    *l = (struct list){.len = 0};
}

static void copy_row(struct archive_row *to, const struct archive_row *from)
{
    *to = *from;
    to->path = xstrdup(from->path);
}

struct collecting {
    struct flow *flow;
    struct list *list;
};

static int take(void *ctx, const struct archive_row *row)
{
    struct collecting *c = ctx;
    struct list *l = c->list;
    AUTO_CLOSE int fd = beneath_open(c->flow->cab.root, row->path, O_PATH, 0);

    l->newest_verified = fd >= 0 && row->verified_ns >= row->made_ns;
    if (!row->intermediate)
        return 0;
    GROW(l->rows, l->len, l->cap);
    copy_row(&l->rows[l->len++], row);
    return 0;
}

/* Those that are too many. */
static void collect(struct flow *f, const struct matter *m, struct list *l)
{
    struct collecting c = {f, l};
    struct error err = ERROR_INIT;
    size_t keep = f->cab.config.keep;

    if (m->closed || m->card.closed || m->card.hold || m->untouchable || !m->known || m->moving)
        return;
    if (state_each_archive(f->state, m->facts.id, take, &c, &err) < 0 || !l->newest_verified ||
        l->len <= keep) {
        list_clear(l);
        return;
    }
    for (size_t i = l->len - keep; i < l->len; i++)
        archive_row_clear(&l->rows[i]);
    l->len -= keep;
}

uint64_t flow_prunable(struct flow *f, const struct matter *m)
{
    struct list l = {.len = 0};
    uint64_t n;

    collect(f, m, &l);
    n = l.len;
    list_clear(&l);
    return n;
}

/* ---- beside the loop ------------------------------------------------------------------------- */

/* What lies under the name is still the file that fd is. */
static bool is_still(int dir, const char *name, int fd)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size;
}

/* Removes it with its digest beside it. NULL, or why not; the caller frees it. */
static char *remove_one(int root, const struct archive_row *row)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, row->path, &name);
    AUTO_CLOSE int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_FREE char *beside = xasprintf("%s.sha256", name ? name : "");
    struct digest d;

    if (fd < 0 && errno == ENOENT)
        goto beside;
    if (fd < 0 || digest_of_fd(fd, &d) < 0)
        return xasprintf("%s cannot be read: %s", row->path, strerror(errno));
    if (!digest_equal(&d, &row->digest) || !is_still(dir, name, fd))
        return xasprintf("%s is not what was written there, and stays", row->path);
    if (unlinkat(dir, name, 0) < 0)
        return xasprintf("%s cannot be removed: %s", row->path, strerror(errno));
beside:
    if (dir >= 0 && unlinkat(dir, beside, 0) < 0 && errno != ENOENT)
        return xasprintf("%s.sha256 cannot be removed: %s", row->path, strerror(errno));
    if (dir >= 0 && fsync(dir) < 0)
        return xasprintf("the folder of %s cannot be synced: %s", row->path, strerror(errno));
    return NULL;
}

static void prune(uv_work_t *w)
{
    struct pruning *p = w->data;

    while (p->removed < p->list.len && !p->why) {
        p->why = remove_one(p->flow->cab.root, &p->list.rows[p->removed]);
        p->removed += !p->why;
    }
}

/* ---- what is written of it -------------------------------------------------------------------- */

static int forget_one(const struct pruning *p, const struct archive_row *row, struct state *s,
                      struct error *err)
{
    AUTO_STR struct str line = STR_INIT;
    AUTO_FREE char *sent = xasprintf("sent.%s", row->path);
    char hex[DIGEST_HEX];

    journal_body(&line, env_now(p->flow->env), "pruned");
    json_name(&line, "archive", row->path);
    json_text(&line, "archive_sha256", digest_hex(&row->digest, hex));
    return state_archive_forget(s, row->path, err) < 0 || state_set(s, sent, NULL, err) < 0
               ? -1
               : state_outbox_add(s, p->id, str_c(&line), err);
}

static int forget(void *ctx, struct state *s, struct error *err)
{
    const struct pruning *p = ctx;

    for (size_t i = 0; i < p->removed; i++)
        if (forget_one(p, &p->list.rows[i], s, err) < 0)
            return -1;
    return 0;
}

static void end(struct pruning *p)
{
    struct step_result r = {.step = p->why        ? STEP_LEFT
                                    : p->removed ? STEP_DONE
                                                 : STEP_NOTHING,
                            .text = p->why ? p->why : "",
                            .count = p->removed};

    p->done(p->ctx, &r);
    list_clear(&p->list);
    free(p->path);
    free(p->why);
    free(p);
}

/* What is gone and still in the table is forgotten the next time: it is not there any more. */
static void forgotten(void *ctx, struct act *a)
{
    struct pruning *p = ctx;

    if (a->status != ACT_DONE && !p->why)
        p->why = xstrdup(error_text(&a->error));
    end(p);
}

static void after_prune(uv_work_t *w, int status)
{
    struct pruning *p = w->data;
    struct act *a;

    (void)status;
    for (size_t i = 0; i < p->removed; i++)
        log_line(&p->flow->log, LOG_NOTICE, "intermediate snapshot removed", "archive",
                 p->list.rows[i].path, NULL);
    if (p->removed == 0) {
        end(p);
        return;
    }
    a = act_new(ACT_CALL);
    a->call = forget;
    a->done = forgotten;
    a->ctx = p;
    filer_submit(p->flow->filer, a);
}

void flow_prune(struct flow *f, const struct matter *m, step_done *done, void *ctx)
{
    struct pruning *p = xcalloc(1, sizeof *p);

    p->flow = f;
    p->work.data = p;
    p->path = xstrdup(m->facts.path);
    memcpy(p->id, m->facts.id, strlen(m->facts.id) + 1);
    p->done = done;
    p->ctx = ctx;
    collect(f, m, &p->list);
    if (p->list.len == 0)
        end(p);
    else if (uv_queue_work(f->loop, &p->work, prune, after_prune) < 0)
        after_prune(&p->work, UV_ENOMEM);
}
