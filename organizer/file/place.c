#include "file/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/table.h"
#include "base/utf8.h"
#include "cabinet/rights.h"
#include "decide/name.h"
#include "file/filing.h"
#include "file/refuse.h"

/* So many serials are tried one by one before the step doubles. */
#define LINEAR 32
/* Folders that are kept open while a round chooses names: documents of a batch go to a few by turns. */
#define FOLDERS_KEPT 16
#define MOVED_KEPT   1024

struct name {
    unsigned serial;
    struct doc_stamp before, after;
    UT_hash_handle hh;
    char key[];
};

struct place {
    const struct env *env;
    int root;
    struct state *state;
    struct name *chosen; /* in this batch: utf8_fold() of the path */
    struct name *left;   /* paths that documents of this batch leave */
    struct name *last;   /* wanted path, folded: the last serial given */
    struct name *moved;  /* paths that exact acts brought a document to, with its stamps */
    struct kept {
        char *path;
        int fd;
    } kept[FOLDERS_KEPT]; /* the folders that names are chosen in */
    size_t kept_len;
};

/* One question: is this name free? */
struct asking {
    struct place *p;
    struct act *a;
    int folder;  /* the target folder, open */
    bool ask;    /* the disk, too */
    bool failed; /* a->status and a->error are set */
    bool for_now;    /* what has the name may be just being saved */
    unsigned serial; /* of the name below; 0: none yet */
    char *path;      /* from the cabinet down */
    const char *name; /* in path */
    char *fold;       /* utf8_fold() of path */
};

struct place *place_new(const struct env *env, int root, struct state *state)
{
    struct place *p = xcalloc(1, sizeof *p);

    p->env = env;
    p->root = root;
    p->state = state;
    return p;
}

static void names_clear(struct name **set)
{
    struct name *n, *tmp;

    HASH_ITER(hh, *set, n, tmp)
    {
        HASH_DEL(*set, n);
        free(n);
    }
}

static struct name *names_find(struct name *set, const char *key)
{
    struct name *n;

    HASH_FIND_STR(set, key, n);
    return n;
}

static struct name *names_add(struct name **set, const char *key)
{
    size_t len = strlen(key);
    struct name *n;
    unsigned hash;

    HASH_VALUE(key, len, hash);
    HASH_FIND_BYHASHVALUE(hh, *set, key, len, hash, n);
    if (n)
        return n;
    n = xcalloc(1, sizeof *n + len + 1);
    memcpy(n->key, key, len);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *set, n->key, len, hash, n);
    return n;
}

static void forget_folders(struct place *p)
{
    while (p->kept_len > 0) {
        struct kept *k = &p->kept[--p->kept_len];

        close(k->fd);
        free(k->path);
    }
}

void place_free(struct place *p)
{
    if (!p)
        return;
    forget_folders(p);
    names_clear(&p->chosen);
    names_clear(&p->left);
    names_clear(&p->last);
    names_clear(&p->moved);
    free(p);
}

void place_end_round(struct place *p)
{
    forget_folders(p);
}

void place_end_batch(struct place *p)
{
    names_clear(&p->chosen);
    names_clear(&p->left);
}

void place_forget(struct place *p)
{
    names_clear(&p->last);
    /* One that was read before may be handed over only now: its stamp tells, however late. */
    if (HASH_COUNT(p->moved) > MOVED_KEPT)
        names_clear(&p->moved);
}

void place_moved(struct place *p, const struct act *a)
{
    struct name *n;

    if (!a->exact || a->kind != ACT_RENAME)
        return;
    n = names_add(&p->moved, a->to);
    n->before = a->stamp;
    n->after = a->doc.stamp;
}

void place_follow(const struct place *p, struct act *a)
{
    const struct name *n = names_find(p->moved, a->from);

    if (n && doc_stamp_equal(&n->before, &a->stamp))
        a->stamp = n->after;
}

static bool is_on_disk(struct asking *q)
{
    struct doc_stamp st;

    if (doc_stamp_take(-1, q->folder, q->name, &st) == 0)
        return !(doc_stamp_same_file(&st, &q->a->stamp) && name_same(q->path, q->a->from));
    if (errno != ENOENT) {
        refuse(q->a, errno, "the name cannot be used");
        q->failed = true;
    }
    return false;
}

/* Something left the folder, or came, so shortly ago that a program may be saving there. */
static bool is_in_use(const struct place *p, int folder)
{
    struct doc_stamp st;

    return doc_stamp_take(folder, -1, NULL, &st) == 0 &&
           st.ctime_ns > env_disk_now(p->env) - DOC_MISSING_NS;
}

/* A row whose document left in this batch, or lies elsewhere by now, does not keep a name; unless
 * it may come back: who saves puts the old bytes out of the way, and then the new ones over what is
 * there. */
static bool row_holds(struct asking *q, const struct doc *row)
{
    const struct act *a = q->a;
    AUTO_FREE char *path = xjoin(a->case_path ? a->case_path : "", row->path ? row->path : "");
    struct doc_stamp st;
    const char *name;
    AUTO_CLOSE int dir = -1;

    if ((row->number == a->doc.number && row->number > 0) ||
        doc_stamp_same_file(&row->stamp, &a->stamp) || names_find(q->p->left, path))
        return false;
    dir = beneath_parent(q->p->root, path, &name);
    if (dir < 0 || doc_stamp_take(-1, dir, name, &st) == 0)
        return dir >= 0;
    q->for_now = is_in_use(q->p, dir);
    return q->for_now;
}

static bool is_in_table(struct asking *q)
{
    struct error err = ERROR_INIT;
    struct doc row;
    int found;
    bool holds;

    if (q->a->kind == ACT_FOLDER)
        return false;
    found = state_doc_by_fold(q->p->state, q->a->doc.case_id, ledger_inside(q->a, q->path), &row,
                              &err);
    if (found < 0) {
        q->a->error = err;
        q->a->status = refuse_status(err.number);
        q->failed = true;
    }
    if (found <= 0)
        return false;
    holds = row_holds(q, &row);
    doc_clear(&row);
    return holds;
}

static void asking_clear(struct asking *q)
{
    free(q->path);
    free(q->fold);
}

/* Asks for the name with that serial. */
static void ask_for(struct asking *q, unsigned serial)
{
    AUTO_FREE char *name = NULL;

    if (q->serial == serial)
        return;
    name = name_serial(q->a->to_name, serial);
    asking_clear(q);
    q->serial = serial;
    q->path = xjoin(q->a->to_folder, name);
    q->name = q->path + strlen(q->path) - strlen(name);
    q->fold = utf8_fold(q->path);
}

/* Free for serial? q->failed when it cannot be told. */
static bool is_free(struct asking *q, unsigned serial)
{
    ask_for(q, serial);
    if (strlen(q->name) > NAME_MAX) {
        refuse(q->a, ENAMETOOLONG, "the name is too long to get a number behind it");
        q->failed = true;
        return false;
    }
    if (names_find(q->p->chosen, q->fold))
        return false;
    if (names_find(q->p->left, q->path) || strcmp(q->path, q->a->from) == 0)
        return true;
    /* Of its own name in other letters the rename could not tell whether another has it (rename.c). */
    if ((q->ask || name_same(q->path, q->a->from)) && (is_on_disk(q) || q->failed))
        return false;
    return !is_in_table(q) && !q->failed;
}

/* The first free serial from `from` on; far out, one that follows a taken one. 0 when none. */
static unsigned find_serial(struct asking *q, unsigned from)
{
    unsigned low = from + LINEAR - 1, step = LINEAR, high;

    for (unsigned s = from; s < from + LINEAR; s++) {
        if (is_free(q, s))
            return s;
        if (q->failed)
            return 0;
    }
    for (high = low + step; !is_free(q, high); high += step) {
        if (q->failed || high > PLACE_SERIAL_MAX)
            return 0;
        low = high;
        step *= 2;
    }
    while (high - low > 1 && !q->failed) {
        unsigned mid = low + (high - low) / 2;

        if (is_free(q, mid))
            high = mid;
        else
            low = mid;
    }
    return q->failed ? 0 : high;
}

static unsigned choose_exact(struct asking *q)
{
    if (is_free(q, 1))
        return 1;
    if (!q->failed && q->for_now)
        refuse(q->a, EBUSY, "a document of that name may be just being saved");
    else if (!q->failed)
        refuse(q->a, 0, "there is another document of that name already");
    return 0;
}

static unsigned choose_serial(struct asking *q)
{
    struct name *last;
    unsigned s;

    ask_for(q, 1);
    last = names_add(&q->p->last, q->fold);
    s = find_serial(q, last->serial + 1);
    if (s)
        last->serial = s;
    else if (!q->failed)
        refuse(q->a, 0, "there is no free name left");
    return s;
}

/* The folders above one that was made have new entries. */
static void add_made(struct place *p, const char *folder, struct folders *made)
{
    AUTO_FREE char *path = xstrdup(folder);
    char *slash;

    do {
        int fd;

        slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
        fd = beneath_open(p->root, slash ? path : "", O_RDONLY | O_DIRECTORY, 0);
        if (fd >= 0)
            folders_add(made, fd);
    } while (slash);
}

static int make_folder(struct place *p, struct act *a, struct folders *made)
{
    AUTO_CLOSE int home =
        beneath_open(p->root, a->case_path ? a->case_path : "", O_PATH | O_DIRECTORY, 0);

    if (home < 0)
        return refuse(a, errno, "the case's folder is not where it was");
    if (rights_mkdirs(p->root, a->to_folder) < 0)
        return refuse(a, errno == ENOENT ? EBUSY : errno, "its folder cannot be made");
    add_made(p, a->to_folder, made);
    return 0;
}

/* The target folder, made when missing; -1 with a's status set. Borrowed until the next call. */
static int open_folder(struct place *p, struct act *a, struct folders *made)
{
    int fd;

    for (size_t i = 0; i < p->kept_len; i++)
        if (strcmp(p->kept[i].path, a->to_folder) == 0)
            return p->kept[i].fd;
    if (p->kept_len == FOLDERS_KEPT)
        forget_folders(p);
    fd = beneath_open(p->root, a->to_folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT) {
        if (make_folder(p, a, made) < 0)
            return -1;
        fd = beneath_open(p->root, a->to_folder, O_RDONLY | O_DIRECTORY, 0);
    }
    if (fd < 0)
        return refuse(a, errno, "its folder cannot be opened");
    p->kept[p->kept_len++] = (struct kept){xstrdup(a->to_folder), fd};
    return fd;
}

void place_choose(struct place *p, struct act *a, struct folders *made, bool ask)
{
    int folder = open_folder(p, a, made);
    struct asking q = {.p = p, .a = a, .folder = folder, .ask = ask || a->exact};
    unsigned serial;

    free(a->to);
    a->to = NULL;
    if (folder < 0)
        return;
    serial = a->exact ? choose_exact(&q) : choose_serial(&q);
    if (serial) {
        ask_for(&q, serial);
        a->to = q.path;
        q.path = NULL;
        names_add(&p->chosen, q.fold);
        names_add(&p->left, a->from);
    }
    asking_clear(&q);
}
