/* filer_world: a cabinet with one case in a fresh folder, a filer at work in it, and acts. */
#ifndef TESTS_FILER_WORLD_H
#define TESTS_FILER_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "file/filer.h"
#include "record/journal.h"
#include "remove_tree.h"

#define CASE_ID "00112233445566778899aabbccddeeff"
#define CASE    "Smith_Divorce"
#define INBOX   CASE "/Inbox"
#define LETTERS CASE "/Correspondence"
/* A document, its name when it is filed, and where that is in the cabinet and in the case. */
#define FROM    INBOX "/order 3-2-26.pdf"
#define NAME    "Smith_Divorce_Order_2026-03-02.pdf"
#define TO      LETTERS "/" NAME
#define MEMBER  "Correspondence/" NAME
#define CONTENT "an order"

struct world {
    char dir[64];
    char state_dir[96];
    int root;
    struct env env;
    uv_loop_t loop;
    struct filer_options o;
    struct filer *f;
};

/* What became of an act. */
struct outcome {
    bool done;
    enum act_status status;
    char to[512];
    char unseen[512];
    char error[512];
    int64_t number;
    struct doc_stamp stamp;
};

/* The clocks are so many seconds ahead of the disk's. */
static time_t later;

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    t->tv_sec += later;
    return rc;
}

/* A world below `base`; the filer is not running yet. */
static inline struct world *world_new_in(const char *base)
{
    struct world *w = xcalloc(1, sizeof *w);
    char path[128];

    snprintf(w->dir, sizeof w->dir, "%s/filer-XXXXXX", base);
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof path, "%s/cabinet", w->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    w->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(w->root >= 0);
    assert_int_equal(beneath_mkdirs(w->root, INBOX), 0);
    snprintf(w->state_dir, sizeof w->state_dir, "%s/state", w->dir);
    w->o = (struct filer_options){
        .root = w->root, .state_dir = w->state_dir, .env = &w->env, .durable = true};
    uv_loop_init(&w->loop);
    return w;
}

static inline struct world *world_new(void)
{
    return world_new_in("/tmp");
}

static inline void world_start(struct world *w)
{
    struct error err = ERROR_INIT;

    w->f = filer_new(&w->loop, &w->o, &err);
    if (!w->f)
        fail_msg("%s", error_text(&err));
}

static inline void world_stop(struct world *w)
{
    filer_free(w->f, false);
    w->f = NULL;
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

static inline void world_free(struct world *w)
{
    if (w->f)
        world_stop(w);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    close(w->root);
    remove_tree(w->dir);
    free(w);
}

static inline void write_file(const struct world *w, const char *path, const char *text)
{
    int fd = beneath_open(w->root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

static inline bool exists(const struct world *w, const char *path)
{
    const char *name;
    int dir = beneath_parent(w->root, path, &name);
    bool is = dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

    if (dir >= 0)
        close(dir);
    return is;
}

static inline void assert_text(const struct world *w, const char *path, const char *text)
{
    AUTO_CLOSE int fd = beneath_open(w->root, path, O_RDONLY, 0);
    AUTO_STR struct str s = STR_INIT;

    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(io_read_all(fd, &s, 1 << 20), 0);
    assert_string_equal(str_c(&s), text);
}

static inline void take_outcome(void *ctx, struct act *a)
{
    struct outcome *r = ctx;

    r->done = true;
    r->status = a->status;
    r->number = a->doc.number;
    r->stamp = a->doc.stamp;
    snprintf(r->to, sizeof r->to, "%s", a->to ? a->to : "");
    snprintf(r->unseen, sizeof r->unseen, "%s", a->unseen ? a->unseen : "");
    snprintf(r->error, sizeof r->error, "%s", a->error.text);
}

/* An act that files from to folder/name, as the flow would make it now. */
static inline struct act *filing_act(const struct world *w, const char *from, const char *folder,
                                     const char *name)
{
    struct act *a = act_new(ACT_RENAME);
    AUTO_STR struct str s = STR_INIT;

    a->from = xstrdup(from);
    a->to_folder = xstrdup(folder);
    a->to_name = xstrdup(name);
    a->case_path = xstrdup(CASE);
    a->leases = true;
    a->unheard = true;
    a->fd = beneath_open(w->root, from, O_RDONLY | O_NOFOLLOW, 0);
    assert_true(a->fd >= 0);
    assert_int_equal(doc_stamp_take(a->fd, -1, NULL, &a->stamp), 0);
    assert_int_equal(io_read_all(a->fd, &s, 1 << 24), 0);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    a->doc.digest = digest_of(str_c(&s), s.len);
    a->doc.state = DOC_FILED;
    a->doc.original = xstrdup(strrchr(from, '/') + 1);
    a->doc.read_ns = env_now(&w->env);
    a->former =
        xstrdup(strncmp(from, CASE "/", strlen(CASE) + 1) == 0 ? from + strlen(CASE) + 1 : from);
    journal_body(&a->journal, env_now(&w->env), "filed");
    json_name(&a->journal, "from", a->former);
    return a;
}

static inline void submit(struct world *w, struct act *a, struct outcome *r)
{
    memset(r, 0, sizeof *r);
    a->done = take_outcome;
    a->ctx = r;
    filer_submit(w->f, a);
}

static inline void run(struct world *w)
{
    while (filer_pending(w->f) > 0)
        uv_run(&w->loop, UV_RUN_ONCE);
}

/* For filer_options.written: *ctx, an unsigned, counts. */
static inline void count_written(void *ctx, bool tampered)
{
    assert_false(tampered);
    ++*(unsigned *)ctx;
}

/* Until all is in the journals. */
static inline void finish(struct world *w)
{
    while (filer_busy(w->f))
        uv_run(&w->loop, UV_RUN_ONCE);
}

/* Files one document and says what became of it. */
static inline struct outcome file_one(struct world *w, const char *from, const char *folder,
                                      const char *name)
{
    struct outcome r;

    submit(w, filing_act(w, from, folder, name), &r);
    run(w);
    assert_true(r.done);
    return r;
}

/* Opens the case: its row and the first line of its journal. */
static inline void open_case(struct world *w)
{
    struct act *a = act_new(ACT_CASE);
    struct outcome r;

    snprintf(a->row.id, sizeof a->row.id, CASE_ID);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    a->row.path = xstrdup(CASE);
    a->row.next_doc = 1;
    a->case_path = xstrdup(CASE);
    journal_body(&a->journal, env_now(&w->env), "opened");
    json_text(&a->journal, "case", CASE_ID);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
}

/* A world whose filer runs and whose case is open. */
static inline struct world *world_ready(void)
{
    struct world *w = world_new();

    world_start(w);
    open_case(w);
    return w;
}

static inline struct state *open_state(const struct world *w)
{
    struct error err = ERROR_INIT;
    struct state *s = state_open(w->state_dir, true, &err);

    if (!s)
        fail_msg("%s", error_text(&err));
    return s;
}

/* The row at path (from the case folder) exists and is the file that lies there. */
static inline void assert_row(const struct world *w, const char *path)
{
    struct state *s = open_state(w);
    struct error err = ERROR_INIT;
    struct doc_stamp st;
    struct doc d;
    AUTO_FREE char *full = xasprintf(CASE "/%s", path);
    AUTO_CLOSE int fd = beneath_open(w->root, full, O_RDONLY, 0);

    if (state_doc_by_path(s, CASE_ID, path, &d, &err) != 1)
        fail_msg("no row for %s", path);
    assert_true(fd >= 0);
    assert_int_equal(doc_stamp_take(fd, -1, NULL, &st), 0);
    assert_true(doc_stamp_same_file(&st, &d.stamp));
    doc_clear(&d);
    state_close(s);
}

static inline int count_line(void *ctx, const json_t *line, const char *raw, size_t len,
                             uint64_t number)
{
    struct {
        const char *kind, *to;
        unsigned n;
    } *c = ctx;
    const char *kind = json_get_text(line, "kind");
    AUTO_FREE char *to = json_get_name(line, "to");

    (void)raw, (void)len, (void)number;
    if (kind && strcmp(kind, c->kind) == 0 && (!c->to || (to && strcmp(to, c->to) == 0)))
        c->n++;
    return 0;
}

/* Journal lines of that kind with that `to` (NULL: any). */
static inline unsigned lines(const struct world *w, const char *kind, const char *to)
{
    struct {
        const char *kind, *to;
        unsigned n;
    } c = {kind, to, 0};
    struct error err = ERROR_INIT;
    AUTO_CLOSE int fd = beneath_open(w->root, CASE, O_RDONLY | O_DIRECTORY, 0);

    if (journal_each(fd, count_line, &c, &err) < 0 && err.number != ENOENT)
        fail_msg("%s", error_text(&err));
    return c.n;
}

static inline void print_fault(void *ctx, uint64_t line, const char *what)
{
    (void)ctx;
    print_message("journal line %llu: %s\n", (unsigned long long)line, what);
}

/* The chain holds, ends at the head, and nothing waits in the outbox. */
static inline void assert_journal(const struct world *w)
{
    struct state *s = open_state(w);
    struct error err = ERROR_INIT;
    struct journal_head head;
    enum journal_standing standing;
    AUTO_CLOSE int fd = beneath_open(w->root, CASE, O_RDONLY | O_DIRECTORY, 0);

    assert_true(state_head_get(s, CASE_ID, &head, &err) >= 0);
    assert_int_equal(journal_check(fd, &head, print_fault, NULL, &standing, &err), 0);
    assert_int_equal(standing, JOURNAL_INTACT);
    state_close(s);
}

#endif
