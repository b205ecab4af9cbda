#include "file/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/table.h"
#include "cabinet/cabinet.h"
#include "file/filer.h"
#include "record/journal.h"
#include "record/state.h"

/* From so many journals on, one sync of the file system costs less than one for each. */
#define JOURNALS_EACH 4
/* A folder that changed so lately may be in the middle of being deleted, which takes no longer than
 * GOING_NS. */
#define GOING_FRESH_NS (3 * NS_PER_S)
#define GOING_NS       (60 * NS_PER_S)

/* The lines of one case. */
struct sheaf {
    char id[CASE_ID_SIZE];
    char *path; /* where its folder is, or NULL: as its row says */
    const char **bodies;
    size_t len, cap;
    size_t tried;        /* the first so many may have been written before, as far as that came */
    bool begun;          /* something of them may be written now */
    int64_t first, last; /* rowids of the lines: between them lie others' */
    char *folder; /* with lines: where they go */
    int rc;       /* how that went: 1 they are there, 0 not yet, -1 with error */
    enum journal_standing standing;
    struct error error;
    int64_t going; /* ticks since when it seems to be deleted; 0: it does not */
    bool moved;   /* written: head and rowid are to be put */
    bool tampered;
    struct journal_head head;
    UT_hash_handle hh;
};

struct outbox {
    const struct filer_options *o;
    int root; /* of its own, to sync: an error is told once to each open file */
    struct state *state;
    struct sheaf *cases;
    int64_t last; /* rowid of the last line that was taken */
    int64_t old;  /* of the last that a run before, or a try that failed, may have written; -1:
                   * not known yet */
    bool any;   /* the private state may hold lines */
    bool heads; /* some have moved */
    bool tampered;
    unsigned waiting;
    char why[500];
};

struct outbox *outbox_new(const struct filer_options *o, struct state *state)
{
    struct outbox *b = xcalloc(1, sizeof *b);

    b->o = o;
    b->root = io_open_again(o->root);
    b->state = state;
    b->any = true;
    b->old = -1;
    return b;
}

static void bodies_clear(struct sheaf *c)
{
    for (size_t i = 0; i < c->len; i++)
        free((void *)(uintptr_t)c->bodies[i]);
    free(c->bodies);
    free(c->folder);
    c->bodies = NULL;
    c->folder = NULL;
    c->len = c->cap = c->tried = 0;
    c->begun = false;
}

static void sheaf_free(struct outbox *b, struct sheaf *c)
{
    HASH_DEL(b->cases, c);
    bodies_clear(c);
    free(c->path);
    free(c);
}

void outbox_free(struct outbox *b)
{
    struct sheaf *c, *tmp;

    if (!b)
        return;
    HASH_ITER(hh, b->cases, c, tmp)
    sheaf_free(b, c);
    if (b->root >= 0)
        close(b->root);
    free(b);
}

static struct sheaf *sheaf_of(struct outbox *b, const char *id)
{
    struct sheaf *c;

    HASH_FIND_STR(b->cases, id, c);
    if (c)
        return c;
    c = xcalloc(1, sizeof *c);
    snprintf(c->id, sizeof c->id, "%s", id);
    HASH_ADD_STR(b->cases, id, c);
    return c;
}

void outbox_hint(struct outbox *b, const char *case_id, const char *case_path)
{
    struct sheaf *c = sheaf_of(b, case_id);

    if (!case_path || (c->path && strcmp(c->path, case_path) == 0))
        return;
    free(c->path);
    c->path = xstrdup(case_path);
}

void outbox_added(struct outbox *b)
{
    b->any = true;
}

bool outbox_has_lines(const struct outbox *b)
{
    return b->any;
}

static int take_line(void *ctx, int64_t rowid, const char *case_id, const char *body)
{
    struct outbox *b = ctx;
    struct sheaf *c = sheaf_of(b, case_id);

    if (!c->len)
        c->first = rowid;
    GROW(c->bodies, c->len, c->cap);
    c->bodies[c->len++] = xstrdup(body);
    c->last = b->last = rowid;
    if (b->old < 0 || rowid <= b->old)
        c->tried = c->len;
    return 0;
}

/* Where the case's folder should be; owned by the caller. */
static char *folder_path(struct outbox *b, const struct sheaf *c)
{
    struct error err = ERROR_INIT;
    struct case_row row;
    char *path;

    if (c->path)
        return xstrdup(c->path);
    if (!*c->id || state_case_get(b->state, c->id, &row, &err) <= 0)
        return xstrdup("");
    path = xstrdup(row.path ? row.path : "");
    case_row_clear(&row);
    return path;
}

static bool is_missing(int fd, const char *name)
{
    return faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Somebody is at work in it: it changed just now, or documents of it are gone. */
static bool is_in_work(const struct outbox *b, const struct sheaf *c, int fd)
{
    int64_t now = env_disk_now(b->o->env);
    struct doc_stamp folder;

    if (doc_stamp_take(fd, -1, NULL, &folder) == 0 && now - folder.ctime_ns < GOING_FRESH_NS)
        return true;
    for (size_t i = 0; i < c->len; i++)
        if (strstr(c->bodies[i], "\"kind\":\"removed\""))
            return true;
    return false;
}

/* The case is being deleted: a journal that came back would keep its folder from going. One that
 * has its card still, and lost only its journal, gets it again (and a note) after a minute. */
static bool is_going(const struct outbox *b, struct sheaf *c, int fd)
{
    int64_t now = env_ticks();

    if (!is_missing(fd, JOURNAL_FOLDER "/" JOURNAL_NAME)) {
        c->going = 0;
        return false;
    }
    if (is_missing(fd, CARD_NAME))
        return true;
    if (!is_missing(fd, JOURNAL_FOLDER) || !is_in_work(b, c, fd))
        return false;
    if (!c->going)
        c->going = now;
    return now - c->going < GOING_NS;
}

/* The case's folder; never one that holds the journal of another case. -1 with err. */
static int open_case(const struct outbox *b, const struct sheaf *c, struct error *err)
{
    const char *path = c->folder;
    char id[CASE_ID_SIZE];
    int fd;

    if (*c->id && !*path)
        return error_set(err, ENOENT, "the folder of case %s is not known", c->id);
    fd = beneath_open(b->o->root, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_set(err, errno, "cannot open the case's folder %s", path);
    if (journal_case_id(fd, id, err) == 0) {
        if (!*id || strcmp(id, c->id) == 0)
            return fd;
        error_set(err, 0, "the folder %s holds the journal of another case", path);
    }
    close(fd);
    return -1;
}

/* A person took the journal up as it is: what the note before that line tells is known. */
static bool is_answered(const struct sheaf *c)
{
    for (size_t i = 0; i < c->len; i++)
        if (strstr(c->bodies[i], "\"kind\":\"taken-up\""))
            return true;
    return false;
}

static int append(const struct outbox *b, struct sheaf *c, bool sync, struct error *err)
{
    AUTO_CLOSE int fd = open_case(b, c, err);

    c->standing = JOURNAL_INTACT;
    if (fd < 0)
        return -1;
    if (*c->id && c->head.seq > 0 && is_going(b, c, fd))
        return error_set(err, ENOENT, "the case %s is being removed", c->id);
    c->begun = true;
    return journal_append(fd, &c->head, c->bodies, c->len, c->tried, env_now(b->o->env), sync,
                          &c->standing, err);
}

int outbox_take(struct outbox *b, struct error *err)
{
    struct sheaf *c, *tmp;

    if (b->any && state_each_outbox(b->state, take_line, b, err) < 0)
        return -1;
    if (b->old < 0)
        b->old = b->last;
    HASH_ITER(hh, b->cases, c, tmp)
    {
        if (!c->len)
            continue;
        c->folder = folder_path(b, c);
        c->rc = state_head_get(b->state, c->id, &c->head, &c->error) < 0 ? -1 : 0;
    }
    return 0;
}

int outbox_write(struct outbox *b, struct error *err)
{
    struct sheaf *c, *tmp;
    unsigned journals = 0;
    bool each;

    HASH_ITER(hh, b->cases, c, tmp)
    journals += c->len > 0;
    each = journals <= JOURNALS_EACH;
    HASH_ITER(hh, b->cases, c, tmp)
    {
        if (!c->len)
            continue;
        if (c->rc == 0)
            c->rc = append(b, c, b->o->durable && each, &c->error) < 0 ? -1 : 1;
        if (c->rc < 0 && error_severity(&c->error) == SEVERITY_STOP) {
            *err = c->error;
            return -1;
        }
    }
    if (b->o->durable && !each && syncfs(b->root) < 0)
        return error_set(err, errno, "the journals could not be brought onto the disk");
    return 0;
}

static void stays(struct outbox *b, struct sheaf *c)
{
    free(c->path); /* next time as the row says by then */
    c->path = NULL;
    c->moved = false; /* its head is that of before, with which its lines wait */
    if (c->begun && c->last > b->old)
        b->old = c->last;
    b->waiting += (unsigned)c->len;
    snprintf(b->why, sizeof b->why, "%s", error_text(&c->error));
}

static void is_written(struct outbox *b, struct sheaf *c)
{
    c->moved = b->heads = true;
    c->tampered = c->standing != JOURNAL_INTACT && c->standing != JOURNAL_TAIL_OWN && !is_answered(c);
    b->tampered |= c->tampered;
}

void outbox_end(struct outbox *b, int rc, unsigned *lines)
{
    struct sheaf *c, *tmp;

    b->waiting = 0;
    b->why[0] = '\0';
    HASH_ITER(hh, b->cases, c, tmp)
    {
        if (rc < 0)
            c->moved = false; /* what the disk holds is not known: the next flush looks */
        else if (c->len && c->rc > 0)
            is_written(b, c);
        else if (c->len)
            stays(b, c);
        if (lines && c->moved)
            *lines += (unsigned)c->len;
        bodies_clear(c);
    }
    b->heads = b->heads && rc == 0;
    b->any = rc < 0 || b->waiting > 0;
}

int outbox_flush(struct outbox *b, unsigned *lines, struct error *err)
{
    int rc;

    if (!b->any)
        return 0;
    rc = outbox_take(b, err);
    if (rc == 0)
        rc = outbox_write(b, err);
    outbox_end(b, rc, lines);
    return rc;
}

static int mark_tampered(struct outbox *b, const char *id, struct error *err)
{
    struct case_row row;
    int rc = state_case_get(b->state, id, &row, err);

    if (rc <= 0)
        return rc;
    row.tampered = true;
    rc = state_case_put(b->state, &row, err);
    case_row_clear(&row);
    return rc;
}

static int put_head(struct outbox *b, const struct sheaf *c, bool forgotten, struct error *err)
{
    if (state_head_put(b->state, c->id, &c->head, err) < 0)
        return -1;
    if (!forgotten && state_outbox_done(b->state, c->id, c->first, c->last, err) < 0)
        return -1;
    return c->tampered ? mark_tampered(b, c->id, err) : 0;
}

int outbox_forget(struct outbox *b, struct error *err)
{
    return b->heads && !b->waiting ? state_outbox_clear(b->state, b->last, err) : 0;
}

int outbox_put_heads(struct outbox *b, bool forgotten, struct error *err)
{
    struct sheaf *c, *tmp;

    HASH_ITER(hh, b->cases, c, tmp)
    {
        if (c->moved && put_head(b, c, forgotten, err) < 0)
            return -1;
    }
    return 0;
}

bool outbox_has_heads(const struct outbox *b)
{
    return b->heads;
}

void outbox_heads_put(struct outbox *b)
{
    struct sheaf *c, *tmp;

    HASH_ITER(hh, b->cases, c, tmp)
    {
        if (c->moved)
            sheaf_free(b, c);
    }
    b->heads = false;
}

bool outbox_took_tampered(struct outbox *b)
{
    bool was = b->tampered;

    b->tampered = false;
    return was;
}

unsigned outbox_waiting(const struct outbox *b, const char **why)
{
    if (why)
        *why = b->why;
    return b->waiting;
}
