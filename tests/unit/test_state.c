/* state: what is put is found, together or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/alloc.h"
#include "base/error.h"
#include "record/known.h"
#include "record/state.h"

/* Counted: the syncs that SQLite asks for. */
static int syncs;

int fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fsync, fd);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct place {
    char top[32], dir[64];
    struct state *s;
    struct known *known; /* kept and used, or NULL: every question goes to the tables */
    struct error err;
    bool mounted;
};

static int open_in(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "%s/state/cabinet", p->top);
    p->s = state_open(p->dir, false, &p->err);
    if (p->s && p->known && state_keep_known(p->s, p->known, &p->err) < 0)
        return -1;
    return p->s ? 0 : -1;
}

/* Another connection, as other threads have it. */
static struct state *open_reader(struct place *p)
{
    struct state *r = state_open(p->dir, true, &p->err);

    assert_non_null(r);
    if (p->known)
        state_use_known(r, p->known);
    return r;
}

static int setup_place(void **state, struct known *known)
{
    struct place *p = xcalloc(1, sizeof *p);

    *state = p;
    p->known = known;
    strcpy(p->top, "/tmp/state-XXXXXX");
    return mkdtemp(p->top) ? open_in(p) : -1;
}

static int setup(void **state)
{
    return setup_place(state, NULL);
}

static int setup_known(void **state)
{
    return setup_place(state, known_new());
}

static void remove_in(const char *dir, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

    unlink(path);
}

static int teardown(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *middle = xasprintf("%s/state", p->top);
    int rc;

    state_close(p->s);
    known_free(p->known);
    remove_in(p->dir, "fill");
    remove_in(p->dir, "state.db");
    remove_in(p->dir, "state.db-wal");
    remove_in(p->dir, "state.db-shm");
    rmdir(p->dir);
    rmdir(middle);
    if (p->mounted)
        umount(p->top);
    rc = rmdir(p->top);
    free(p);
    return rc;
}

static struct digest digest_for(const char *s)
{
    return digest_of(s, strlen(s));
}

/* Puts a document; its strings are literals. Returns its number. */
static int64_t put(struct place *p, const char *id, const char *path, enum doc_state state)
{
    AUTO_FREE char *copy = xstrdup(path);
    struct doc d = {.path = copy, .state = state, .digest = digest_for(path)};

    strcpy(d.case_id, id);
    d.stamp = (struct doc_stamp){5, strlen(path) + 1000, 77, 10, 20, 30};
    assert_int_equal(state_doc_put(p->s, &d, &p->err), 0);
    return d.number;
}

static void every_field_comes_back(void **state)
{
    struct place *p = *state;
    struct doc d = {.case_id = A,
                    .path = xstrdup("Motions/x \xFF.pdf"),
                    .stamp = {UINT64_MAX - 1, UINT64_MAX, 3, 4, -5, 6},
                    .read_ns = 7,
                    .digest = digest_for("d"),
                    .state = DOC_LISTED,
                    .kind = KIND_PDF,
                    .reason = REASON_NO_DATE,
                    .sentence = xstrdup("s"),
                    .help = xstrdup("h"),
                    .type = xstrdup("t"),
                    .words = xstrdup("w"),
                    .date = xstrdup("2026-03-02"),
                    .original = xstrdup("o"),
                    .why = xstrdup("y"),
                    .suggested = xstrdup("g"),
                    .filed_ns = 8,
                    .changed_ns = 9,
                    .by_hand = true,
                    .undone = true,
                    .before = true,
                    .unread = DOC_UNREAD_INBOX},
               r;

    assert_int_equal(state_doc_put(p->s, &d, &p->err), 0);
    assert_int_equal(d.number, 1);
    assert_int_equal(state_doc_by_number(p->s, A, 1, &r, &p->err), 1);
    assert_string_equal(r.case_id, A);
    assert_string_equal(r.path, d.path);
    assert_memory_equal(&r.stamp, &d.stamp, sizeof r.stamp);
    assert_int_equal(r.read_ns, 7);
    assert_true(digest_equal(&r.digest, &d.digest));
    assert_int_equal(r.state, DOC_LISTED);
    assert_int_equal(r.kind, KIND_PDF);
    assert_int_equal(r.reason, REASON_NO_DATE);
    assert_string_equal(r.sentence, "s");
    assert_string_equal(r.help, "h");
    assert_string_equal(r.type, "t");
    assert_string_equal(r.words, "w");
    assert_string_equal(r.date, "2026-03-02");
    assert_string_equal(r.original, "o");
    assert_string_equal(r.why, "y");
    assert_string_equal(r.suggested, "g");
    assert_int_equal(r.filed_ns, 8);
    assert_int_equal(r.changed_ns, 9);
    assert_true(r.by_hand && r.undone && r.before);
    assert_int_equal(r.unread, DOC_UNREAD_INBOX);
    doc_clear(&r);
    assert_int_equal(state_doc_was_read(p->s, A, 1, &p->err), 0);
    assert_int_equal(state_doc_by_number(p->s, A, 1, &r, &p->err), 1);
    assert_true(r.by_hand && r.undone && r.before);
    assert_int_equal(r.unread, DOC_READ);
    doc_clear(&r);
    doc_clear(&d);
}

static void numbers_rise_and_are_never_used_again(void **state)
{
    struct place *p = *state;
    struct case_row row = {.id = A, .path = xstrdup("Smith_Divorce"), .next_doc = 1};

    assert_int_equal(put(p, A, "1", DOC_INDEXED), 1);
    assert_int_equal(put(p, A, "2", DOC_GONE), 2);
    assert_int_equal(put(p, B, "1", DOC_INDEXED), 1);
    /* A row read before the documents came does not take the numbers back. */
    assert_int_equal(state_case_put(p->s, &row, &p->err), 0);
    assert_int_equal(put(p, A, "3", DOC_INDEXED), 3);
    case_row_clear(&row);
    assert_int_equal(put(p, "", "Inbox/x", DOC_LISTED), 1);
}

static void a_number_from_a_journal_is_skipped_later(void **state)
{
    struct place *p = *state;
    struct doc d = {.case_id = A, .number = 41, .path = xstrdup("x")};

    assert_int_equal(state_doc_put(p->s, &d, &p->err), 0);
    doc_clear(&d);
    assert_int_equal(put(p, A, "y", DOC_INDEXED), 42);
}

static void impossible_numbers_are_refused(void **state)
{
    struct place *p = *state;
    struct doc d = {.case_id = A, .number = INT64_C(1) << 40, .path = xstrdup("x")}, r;

    assert_int_equal(state_doc_put(p->s, &d, &p->err), -1);
    assert_int_equal(p->err.number, EOVERFLOW);
    d.number = -1;
    assert_int_equal(state_doc_put(p->s, &d, &p->err), -1);
    doc_clear(&d);
    put(p, A, "x", DOC_INDEXED);
    assert_int_equal(state_doc_by_number(p->s, A, -1, &r, &p->err), 0);
    assert_int_equal(state_doc_by_number(p->s, A, INT64_MAX, &r, &p->err), 0);
}

static void a_document_is_found_by_path(void **state)
{
    struct place *p = *state;
    struct doc d;
    int64_t n = put(p, A, "Motions/a.pdf", DOC_FILED);

    put(p, B, "Motions/a.pdf", DOC_FILED);
    assert_int_equal(state_doc_by_path(p->s, A, "Motions/a.pdf", &d, &p->err), 1);
    assert_int_equal(d.number, n);
    assert_string_equal(d.case_id, A);
    doc_clear(&d);
    assert_int_equal(state_doc_by_path(p->s, A, "Motions/A.pdf", &d, &p->err), 0);
    assert_int_equal(state_doc_by_path(p->s, "none", "Motions/a.pdf", &d, &p->err), 0);
}

/* The paths that were shown, each with a space behind it. */
struct path {
    char all[64];
    bool stop; /* at the first */
};

static int take_path(void *ctx, const struct doc *d)
{
    struct path *p = ctx;
    size_t n = strlen(p->all);

    snprintf(p->all + n, sizeof p->all - n, "%s ", d->path);
    return p->stop;
}

static void a_gone_document_is_found_by_number_only(void **state)
{
    struct place *p = *state;
    struct doc_stamp stamp = {5, 1001, 77, 0, 0, 0};
    struct digest digest = digest_for("x");
    struct path path = {0};
    struct doc d;
    int64_t n = put(p, A, "x", DOC_GONE);

    assert_int_equal(state_doc_by_path(p->s, A, "x", &d, &p->err), 0);
    assert_int_equal(state_doc_by_inode(p->s, &stamp, &d, &p->err), 0);
    assert_int_equal(state_each_copy(p->s, A, &digest, take_path, &path, &p->err), 0);
    assert_string_equal(path.all, "");
    assert_int_equal(state_doc_by_fold(p->s, A, "X", &d, &p->err), 0);
    assert_int_equal(state_doc_by_number(p->s, A, n, &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_gone_by_path(p->s, A, "x", &d, &p->err), 1);
    doc_clear(&d);
}

static void the_document_that_went_last_came_back(void **state)
{
    struct place *p = *state;
    struct doc d;
    int64_t n;

    put(p, A, "x", DOC_GONE);
    n = put(p, A, "x", DOC_GONE);
    put(p, A, "x", DOC_FILED);
    assert_int_equal(state_doc_gone_by_path(p->s, A, "x", &d, &p->err), 1);
    assert_int_equal(d.number, n);
    doc_clear(&d);
}

static void the_very_file_of_a_gone_document_is_known_again(void **state)
{
    struct place *p = *state;
    struct doc_stamp stamp = {5, 1001, 77, 0, 0, 0};
    struct doc d;
    int64_t n = put(p, A, "x", DOC_GONE);

    assert_int_equal(state_doc_gone_by_inode(p->s, A, &stamp, &d, &p->err), 1);
    assert_int_equal(d.number, n);
    doc_clear(&d);
    assert_int_equal(state_doc_gone_by_inode(p->s, B, &stamp, &d, &p->err), 0);
    stamp.birth_ns = 78;
    assert_int_equal(state_doc_gone_by_inode(p->s, A, &stamp, &d, &p->err), 0);
    stamp.birth_ns = 0;
    assert_int_equal(state_doc_gone_by_inode(p->s, A, &stamp, &d, &p->err), 0);
    put(p, A, "y", DOC_FILED);
    stamp = (struct doc_stamp){5, 1002, 77, 0, 0, 0};
    assert_int_equal(state_doc_gone_by_inode(p->s, A, &stamp, &d, &p->err), 0);
}

static void a_document_is_found_by_inode_in_any_case(void **state)
{
    struct place *p = *state;
    struct doc_stamp stamp = {5, 1004, 77, 0, 0, 0};
    struct doc d;

    put(p, A, "other", DOC_FILED);
    put(p, B, "here", DOC_FILED);
    assert_int_equal(state_doc_by_inode(p->s, &stamp, &d, &p->err), 1);
    assert_string_equal(d.case_id, B);
    doc_clear(&d);
    stamp.birth_ns++; /* the inode number was used again */
    assert_int_equal(state_doc_by_inode(p->s, &stamp, &d, &p->err), 0);
}

static void a_document_is_found_by_content(void **state)
{
    struct place *p = *state;
    struct digest digest = digest_for("x"), zero = {{0}};
    struct doc none = {.case_id = A, .path = xstrdup("unread")};
    struct doc same = {.case_id = A, .path = xstrdup("same"), .digest = digest};
    struct path path = {0};

    put(p, A, "x", DOC_FILED);
    assert_int_equal(state_doc_put(p->s, &none, &p->err), 0);
    doc_clear(&none);
    assert_int_equal(state_doc_put(p->s, &same, &p->err), 0);
    doc_clear(&same);
    assert_int_equal(state_each_copy(p->s, A, &digest, take_path, &path, &p->err), 0);
    assert_string_equal(path.all, "x same ");
    path.stop = true;
    assert_int_equal(state_each_copy(p->s, A, &digest, take_path, &path, &p->err), 1);
    assert_string_equal(path.all, "x same x ");
    assert_int_equal(state_each_copy(p->s, A, &digest, take_path, &path, &p->err), 1);
    assert_string_equal(path.all, "x same x x ");
    assert_int_equal(state_each_copy(p->s, B, &digest, take_path, &path, &p->err), 0);
    assert_int_equal(state_each_copy(p->s, A, &zero, take_path, &path, &p->err), 0);
    assert_string_equal(path.all, "x same x x ");
}

static void a_document_is_found_by_a_name_it_had(void **state)
{
    struct place *p = *state;
    struct doc d;
    int64_t n = put(p, A, "Motions/new.pdf", DOC_FILED), gone = put(p, A, "x", DOC_GONE);

    assert_int_equal(state_former_put(p->s, A, n, "Inbox/old.pdf", &p->err), 0);
    assert_int_equal(state_former_put(p->s, A, n, "Inbox/old.pdf", &p->err), 0);
    assert_int_equal(state_former_put(p->s, A, gone, "Inbox/old.pdf", &p->err), 0);
    assert_int_equal(state_doc_by_former(p->s, A, "Inbox/old.pdf", &d, &p->err), 1);
    assert_int_equal(d.number, n);
    doc_clear(&d);
    assert_int_equal(state_doc_by_former(p->s, A, "Motions/new.pdf", &d, &p->err), 0);
    assert_int_equal(state_doc_by_former(p->s, B, "Inbox/old.pdf", &d, &p->err), 0);
}

static void names_that_look_the_same_are_found(void **state)
{
    struct place *p = *state;
    struct doc d;

    put(p, A, "Motions/M\xC3\xBCller.pdf", DOC_FILED);
    assert_int_equal(state_doc_by_fold(p->s, A, "motions/MU\xCC\x88LLER.PDF", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_fold(p->s, A, "motions/muller.pdf", &d, &p->err), 0);
}

static void a_put_replaces_the_row(void **state)
{
    struct place *p = *state;
    struct doc d;

    put(p, A, "old", DOC_FILED);
    assert_int_equal(state_doc_by_path(p->s, A, "old", &d, &p->err), 1);
    free(d.path);
    d.path = xstrdup("new");
    d.digest = digest_for("other");
    assert_int_equal(state_doc_put(p->s, &d, &p->err), 0);
    assert_int_equal(d.number, 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_path(p->s, A, "old", &d, &p->err), 0);
    assert_int_equal(state_doc_by_fold(p->s, A, "OLD", &d, &p->err), 0);
    assert_int_equal(state_doc_by_fold(p->s, A, "NEW", &d, &p->err), 1);
    doc_clear(&d);
}

static int join(void *ctx, const struct doc *d)
{
    strcat(ctx, d->path);
    strcat(ctx, " ");
    return 0;
}

static void rows_come_in_path_order(void **state)
{
    struct place *p = *state;
    char all[200] = "";

    put(p, A, "c", DOC_FILED);
    put(p, A, "a", DOC_FILED);
    put(p, A, "b", DOC_GONE);
    put(p, B, "d", DOC_FILED);
    assert_int_equal(state_each_doc(p->s, A, false, join, all, &p->err), 0);
    assert_string_equal(all, "a c ");
    all[0] = '\0';
    assert_int_equal(state_each_doc(p->s, A, true, join, all, &p->err), 0);
    assert_string_equal(all, "a b c ");
    all[0] = '\0';
    assert_int_equal(state_each_doc(p->s, NULL, false, join, all, &p->err), 0);
    assert_string_equal(all, "a c d ");
    assert_int_equal(state_each_doc(p->s, "none", false, join, all, &p->err), 0);
}

static int stop(void *ctx, const struct doc *d)
{
    (void)ctx, (void)d;
    return 9;
}

static void each_stops_when_told(void **state)
{
    struct place *p = *state;

    put(p, A, "a", DOC_FILED);
    assert_int_equal(state_each_doc(p->s, A, false, stop, NULL, &p->err), 9);
    assert_int_equal(state_each_in_folder(p->s, A, "", stop, NULL, &p->err), 9);
}

static void only_what_lies_directly_in_a_folder(void **state)
{
    struct place *p = *state;
    char all[200] = "";

    put(p, A, "top", DOC_FILED);
    put(p, A, "\xFF\xFF\xFF\xFF\xFFz", DOC_FILED);
    put(p, A, "m/a", DOC_FILED);
    put(p, A, "m/deep/x", DOC_FILED);
    put(p, A, "m/deep/y/z", DOC_FILED);
    put(p, A, "m/deep.pdf", DOC_FILED);
    put(p, A, "m/z", DOC_FILED);
    put(p, A, "m/gone", DOC_GONE);
    put(p, A, "m0", DOC_FILED);
    assert_int_equal(state_each_in_folder(p->s, A, "m", join, all, &p->err), 0);
    assert_string_equal(all, "m/a m/deep.pdf m/z ");
    all[0] = '\0';
    assert_int_equal(state_each_in_folder(p->s, A, "", join, all, &p->err), 0);
    assert_string_equal(all, "m0 top \xFF\xFF\xFF\xFF\xFFz ");
    all[0] = '\0';
    assert_int_equal(state_each_in_folder(p->s, A, "m/deep", join, all, &p->err), 0);
    assert_string_equal(all, "m/deep/x ");
}

static int count_folder(void *ctx, const char *folder)
{
    int *n = ctx;

    *n += strcmp(folder, "") == 0 ? 1 : strcmp(folder, "m") == 0 ? 10 : 100;
    return 0;
}

static void each_folder_comes_once(void **state)
{
    struct place *p = *state;
    int n = 0;

    put(p, A, "a", DOC_FILED);
    put(p, A, "m/a", DOC_FILED);
    put(p, A, "m/b/c", DOC_FILED);
    put(p, A, "m/d", DOC_FILED);
    put(p, A, "q/gone", DOC_GONE);
    assert_int_equal(state_each_folder(p->s, A, count_folder, &n, &p->err), 0);
    assert_int_equal(n, 111);
}

static void a_renamed_folder_takes_its_rows_along(void **state)
{
    struct place *p = *state;
    char all[200] = "";
    struct doc d;

    put(p, A, "m/a", DOC_FILED);
    put(p, A, "m/deep/b", DOC_FILED);
    put(p, A, "mm/c", DOC_FILED);
    put(p, B, "m/a", DOC_FILED);
    assert_int_equal(state_move_folder(p->s, A, "m", "New/N", &p->err), 0);
    assert_int_equal(state_each_doc(p->s, A, false, join, all, &p->err), 0);
    assert_string_equal(all, "New/N/a New/N/deep/b mm/c ");
    assert_int_equal(state_doc_by_fold(p->s, A, "new/n/DEEP/B", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_path(p->s, B, "m/a", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_move_folder(p->s, A, "New/N", "", &p->err), 0);
    all[0] = '\0';
    state_each_doc(p->s, A, false, join, all, &p->err);
    assert_string_equal(all, "a deep/b mm/c ");
    assert_int_equal(state_move_folder(p->s, A, "", "x", &p->err), -1);
}

static void counts_by_state(void **state)
{
    struct place *p = *state;
    struct case_row row = {.id = A, .path = xstrdup("x")};
    struct state_counts c;

    state_case_put(p->s, &row, &p->err);
    case_row_clear(&row);
    put(p, A, "1", DOC_FILED);
    put(p, A, "2", DOC_LISTED);
    put(p, A, "3", DOC_GONE);
    put(p, B, "4", DOC_WAITING);
    put(p, B, "5", DOC_INDEXED);
    assert_int_equal(state_count(p->s, NULL, &c, &p->err), 0);
    assert_int_equal(c.documents, 4);
    assert_int_equal(c.filed, 1);
    assert_int_equal(c.listed, 1);
    assert_int_equal(c.waiting, 1);
    assert_int_equal(c.cases, 1);
    assert_int_equal(state_count(p->s, A, &c, &p->err), 0);
    assert_int_equal(c.documents, 2);
    assert_int_equal(c.cases, 1);
    assert_int_equal(state_count(p->s, "none", &c, &p->err), 0);
    assert_int_equal(c.documents, 0);
}

static int join_case(void *ctx, const struct case_row *row)
{
    strcat(ctx, row->path);
    strcat(ctx, " ");
    return 0;
}

static void cases_come_back(void **state)
{
    struct place *p = *state;
    struct case_row a = {.id = A,
                         .path = xstrdup("b"),
                         .former = xstrdup("x/y"),
                         .dev = 1,
                         .ino = 2,
                         .birth_ns = 3,
                         .next_doc = 9,
                         .tampered = true},
                    b = {.id = B,
                         .path = xstrdup("a"),
                         .renamed_told = true,
                         .closed = true,
                         .adopted_ns = 7,
                         .gone_ns = 8},
                    r;
    char all[20] = "";

    put(p, "", "Inbox/x", DOC_LISTED); /* the office is no case */
    assert_int_equal(state_case_get(p->s, A, &r, &p->err), 0);
    assert_int_equal(state_case_put(p->s, &a, &p->err), 0);
    assert_int_equal(state_case_put(p->s, &b, &p->err), 0);
    assert_int_equal(state_case_get(p->s, A, &r, &p->err), 1);
    assert_string_equal(r.id, A);
    assert_string_equal(r.path, "b");
    assert_string_equal(r.former, "x/y");
    assert_true(r.dev == 1 && r.ino == 2 && r.birth_ns == 3 && r.next_doc == 9);
    assert_true(r.tampered && !r.renamed_told && !r.closed && !r.adopted_ns);
    case_row_clear(&r);
    assert_int_equal(state_case_get(p->s, B, &r, &p->err), 1);
    assert_true(r.closed && r.adopted_ns == 7 && r.gone_ns == 8 && !r.tampered);
    case_row_clear(&r);
    assert_int_equal(state_each_case(p->s, join_case, all, &p->err), 0);
    assert_string_equal(all, "a b ");
    case_row_clear(&a);
    case_row_clear(&b);
}

static void heads_come_back(void **state)
{
    struct place *p = *state;
    struct journal_head h = {3, 400, digest_for("x")}, r;

    assert_int_equal(state_head_get(p->s, A, &r, &p->err), 0);
    assert_int_equal(r.seq, 0);
    assert_int_equal(state_head_put(p->s, A, &h, &p->err), 0);
    h.seq++;
    assert_int_equal(state_head_put(p->s, A, &h, &p->err), 0);
    assert_int_equal(state_head_get(p->s, A, &r, &p->err), 1);
    assert_memory_equal(&h, &r, sizeof h);
}

static int join_body(void *ctx, int64_t rowid, const char *case_id, const char *body)
{
    int64_t *last = ctx;

    assert_true(rowid > *last);
    *last = rowid;
    assert_string_equal(case_id, A);
    return strcmp(body, "stop") == 0 ? 5 : 0;
}

static void the_outbox_keeps_order(void **state)
{
    struct place *p = *state;
    int64_t last = 0, all;

    state_outbox_add(p->s, A, "one", &p->err);
    state_outbox_add(p->s, A, "two", &p->err);
    assert_int_equal(state_each_outbox(p->s, join_body, &last, &p->err), 0);
    all = last;
    state_outbox_add(p->s, A, "stop", &p->err);
    last = 0;
    assert_int_equal(state_each_outbox(p->s, join_body, &last, &p->err), 5);
    assert_int_equal(state_outbox_done(p->s, B, 0, last, &p->err), 0);
    assert_int_equal(state_outbox_done(p->s, A, 0, all, &p->err), 0);
    last = all;
    assert_int_equal(state_each_outbox(p->s, join_body, &last, &p->err), 5);
    assert_int_equal(state_outbox_clear(p->s, all, &p->err), 0);
    assert_int_equal(state_outbox_clear(p->s, last, &p->err), 1);
    assert_int_equal(state_outbox_clear(p->s, last, &p->err), 1);
    /* A rowid is not given twice. */
    state_outbox_add(p->s, A, "stop", &p->err);
    assert_int_equal(state_each_outbox(p->s, join_body, &last, &p->err), 5);
}

static void own_files_come_back(void **state)
{
    struct place *p = *state;
    struct own_file o = {.written = digest_for("a")}, r;

    assert_int_equal(state_own_get(p->s, "Index.html", &r, &p->err), 0);
    assert_int_equal(state_own_put(p->s, "Index.html", &o, &p->err), 0);
    o.next = digest_for("b");
    assert_int_equal(state_own_put(p->s, "Index.html", &o, &p->err), 0);
    assert_int_equal(state_own_get(p->s, "Index.html", &r, &p->err), 1);
    assert_memory_equal(&o, &r, sizeof o);
}

static void small_values_come_back(void **state)
{
    struct place *p = *state;
    char *v;

    assert_null(state_get(p->s, "k"));
    assert_int_equal(state_set(p->s, "k", "1", &p->err), 0);
    assert_int_equal(state_set(p->s, "k", "", &p->err), 0);
    v = state_get(p->s, "k");
    assert_string_equal(v, "");
    free(v);
    assert_int_equal(state_set(p->s, "k", NULL, &p->err), 0);
    assert_null(state_get(p->s, "k"));
}

static void a_rollback_takes_everything_back(void **state)
{
    struct place *p = *state;
    struct doc d;

    assert_int_equal(state_begin(p->s, &p->err), 0);
    put(p, A, "x", DOC_FILED);
    state_outbox_add(p->s, A, "line", &p->err);
    state_rollback(p->s);
    assert_int_equal(state_doc_by_path(p->s, A, "x", &d, &p->err), 0);
    assert_int_equal(put(p, A, "y", DOC_FILED), 1);
}

/* Whether a question for the path of a new document is answered without the tables. */
static bool is_answered_from_memory(struct place *p, const char *path)
{
    return !known_may_have(p->known, KNOWN_PATH, 1, path, strlen(path));
}

static void what_was_there_before_is_known(void **state)
{
    struct place *p = *state;
    struct known *before = p->known;
    struct doc d;

    p->known = known_new();
    put(p, A, "Inbox/x", DOC_FILED);
    assert_int_equal(state_former_put(p->s, A, 1, "Inbox/old", &p->err), 0);
    assert_int_equal(state_keep_known(p->s, p->known, &p->err), 0);
    known_free(before);
    assert_false(is_answered_from_memory(p, "Inbox/x"));
    assert_true(is_answered_from_memory(p, "Inbox/y"));
    assert_int_equal(state_doc_by_path(p->s, A, "Inbox/x", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_former(p->s, A, "Inbox/old", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_fold(p->s, A, "inbox/X", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_doc_by_inode(p->s, &(struct doc_stamp){5, 1007, 77, 0, 0, 0}, &d, &p->err),
                     1);
    doc_clear(&d);
}

static int count_row(void *ctx, const struct doc *d)
{
    (void)d;
    ++*(int *)ctx;
    return 0;
}

/* Rows directly in a folder are found whether they were there before or came since. */
static void a_folder_without_rows_is_known_to_have_none(void **state)
{
    struct place *p = *state;
    struct known *before = p->known;
    int n = 0;

    p->known = known_new();
    put(p, A, "Motions/deep/x", DOC_FILED);
    assert_int_equal(state_keep_known(p->s, p->known, &p->err), 0);
    known_free(before);
    put(p, A, "top", DOC_FILED);
    assert_true(known_may_have(p->known, KNOWN_FOLDER, 1, "Motions/deep", 12));
    assert_false(known_may_have(p->known, KNOWN_FOLDER, 1, "Motions", 7));
    assert_int_equal(state_each_in_folder(p->s, A, "Motions", count_row, &n, &p->err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(state_each_in_folder(p->s, A, "Motions/deep", count_row, &n, &p->err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(state_each_in_folder(p->s, A, "", count_row, &n, &p->err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(state_move_folder(p->s, A, "Motions/deep", "Motions", &p->err), 0);
    assert_int_equal(state_each_in_folder(p->s, A, "Motions", count_row, &n, &p->err), 0);
    assert_int_equal(n, 3);
}

static void a_case_that_was_rolled_back_has_no_key(void **state)
{
    struct place *p = *state;
    struct doc d;

    assert_int_equal(state_begin(p->s, &p->err), 0);
    put(p, A, "x", DOC_FILED);
    assert_int_equal(state_doc_by_path(p->s, A, "x", &d, &p->err), 1);
    doc_clear(&d);
    state_rollback(p->s);
    put(p, B, "x", DOC_FILED);
    assert_int_equal(state_doc_by_path(p->s, A, "x", &d, &p->err), 0);
    assert_int_equal(state_doc_by_path(p->s, B, "x", &d, &p->err), 1);
    doc_clear(&d);
}

static void a_commit_is_on_disk(void **state)
{
    struct place *p = *state;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(state_begin(p->s, &p->err), 0);
        put(p, A, "x", DOC_FILED);
        syncs = 0;
        assert_int_equal(state_commit(p->s, &p->err), 0);
        assert_true(syncs > 0);
    }
}

static void transactions_do_not_nest(void **state)
{
    struct place *p = *state;

    assert_int_equal(state_commit(p->s, &p->err), -1);
    assert_int_equal(state_begin(p->s, &p->err), 0);
    assert_int_equal(state_begin(p->s, &p->err), -1);
    assert_int_equal(state_commit(p->s, &p->err), 0);
}

static void another_connection_sees_what_is_committed(void **state)
{
    struct place *p = *state;
    struct state *r = open_reader(p);
    struct doc d;

    assert_int_equal(state_begin(p->s, &p->err), 0);
    put(p, A, "x", DOC_FILED);
    assert_int_equal(state_doc_by_path(r, A, "x", &d, &p->err), 0);
    assert_int_equal(state_commit(p->s, &p->err), 0);
    assert_int_equal(state_doc_by_path(r, A, "x", &d, &p->err), 1);
    doc_clear(&d);
    state_close(r);
}

static void a_reader_keeps_one_picture(void **state)
{
    struct place *p = *state;
    struct state *r = open_reader(p);
    struct doc d;

    assert_int_equal(state_begin_read(r, &p->err), 0);
    assert_int_equal(state_doc_by_path(r, A, "x", &d, &p->err), 0);
    put(p, A, "x", DOC_FILED);
    assert_int_equal(state_doc_by_path(r, A, "x", &d, &p->err), 0);
    state_rollback(r);
    assert_int_equal(state_doc_by_path(r, A, "x", &d, &p->err), 1);
    doc_clear(&d);
    state_close(r);
}

static void a_reader_cannot_write(void **state)
{
    struct place *p = *state;
    struct state *r = state_open(p->dir, true, &p->err);

    assert_int_equal(state_set(r, "k", "v", &p->err), -1);
    assert_int_equal(p->err.number, EROFS);
    state_close(r);
}

static void a_reader_makes_nothing(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *dir = xasprintf("%s/none", p->top);

    assert_null(state_open(dir, true, &p->err));
    assert_int_equal(p->err.number, ENOENT);
    assert_int_equal(access(dir, F_OK), -1);
}

static void the_folder_is_private(void **state)
{
    struct place *p = *state;
    struct stat st;

    assert_int_equal(stat(p->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    state_close(p->s);
    assert_int_equal(chmod(p->dir, 0755), 0);
    assert_int_equal(open_in(p), 0);
    assert_int_equal(stat(p->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void state_is_kept_over_a_restart(void **state)
{
    struct place *p = *state;
    struct doc d;

    put(p, A, "x", DOC_FILED);
    state_close(p->s);
    assert_int_equal(open_in(p), 0);
    assert_int_equal(state_doc_by_path(p->s, A, "x", &d, &p->err), 1);
    doc_clear(&d);
    assert_false(state_is_newer(p->s));
}

/* Runs sql on the database behind the state's back. */
static void tweak(struct place *p, const char *sql)
{
    AUTO_FREE char *path = xasprintf("%s/state.db", p->dir);
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void an_older_state_is_told_with_what_helps(void **state)
{
    struct place *p = *state;

    state_close(p->s);
    tweak(p, "ALTER TABLE cases DROP COLUMN gone");
    assert_int_equal(open_in(p), -1);
    assert_non_null(strstr(p->err.text, "made by an older organizer (no such column: gone)"));
    assert_non_null(strstr(p->err.text, "move its folder away"));
}

static void an_index_that_is_kept_no_longer_goes(void **state)
{
    struct place *p = *state;
    int64_t last = 0;

    assert_int_equal(state_outbox_add(p->s, A, "one", &p->err), 0);
    state_close(p->s);
    tweak(p, "CREATE INDEX outbox_case ON outbox(c, id)");
    assert_int_equal(open_in(p), 0);
    assert_int_equal(state_each_outbox(p->s, join_body, &last, &p->err), 0);
    assert_int_equal(state_outbox_done(p->s, A, last, last, &p->err), 0);
    assert_int_equal(state_outbox_add(p->s, A, "stop", &p->err), 0);
    assert_int_equal(state_each_outbox(p->s, join_body, &last, &p->err), 5);
    state_close(p->s);
    tweak(p, "CREATE INDEX outbox_case ON outbox(c, id)"); /* it would fail were it there */
    assert_int_equal(open_in(p), 0);
}

static void a_newer_state_is_only_read(void **state)
{
    struct place *p = *state;
    struct doc d;

    put(p, A, "x", DOC_FILED);
    state_close(p->s);
    tweak(p, "PRAGMA user_version=99");
    assert_int_equal(open_in(p), 0);
    assert_true(state_is_newer(p->s));
    assert_int_equal(state_doc_by_path(p->s, A, "x", &d, &p->err), 1);
    doc_clear(&d);
    assert_int_equal(state_set(p->s, "k", "v", &p->err), -1);
}

static void another_programs_database_is_refused(void **state)
{
    struct place *p = *state;

    state_close(p->s);
    remove_in(p->dir, "state.db");
    tweak(p, "CREATE TABLE recipes(name)");
    assert_int_equal(open_in(p), -1);
}

static void garbage_is_refused(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *path = xasprintf("%s/state.db", p->dir);
    int fd;

    state_close(p->s);
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "this is no database at all, but text in its place", 49), 49);
    close(fd);
    assert_int_equal(open_in(p), -1);
    assert_int_equal(p->err.number, EIO);
}

static int no_case(void *ctx, const struct case_row *row)
{
    (void)ctx, (void)row;
    return 0;
}

static int no_line(void *ctx, int64_t rowid, const char *case_id, const char *body)
{
    (void)ctx, (void)rowid, (void)case_id, (void)body;
    return 0;
}

/* Asks and changes everything; returns how many of the calls failed. */
static int failures(struct place *p)
{
    struct doc_stamp stamp = {5, 1001, 77, 0, 0, 0};
    struct digest x = digest_for("x");
    struct doc d = {.case_id = A, .number = 1, .path = xstrdup("x"), .stamp = stamp}, r = {0};
    struct case_row row = {.id = A, .path = xstrdup("x")}, other = {0};
    struct journal_head h = {0};
    struct own_file o = {0};
    struct state_counts c;
    struct error *e = &p->err;
    int failed = 0, folders = 0;

#define TRY(call) failed += (call) < 0
    TRY(state_doc_by_number(p->s, A, 1, &r, e)), doc_clear(&r);
    TRY(state_doc_by_path(p->s, A, "x", &r, e)), doc_clear(&r);
    TRY(state_doc_gone_by_path(p->s, A, "x", &r, e)), doc_clear(&r);
    TRY(state_doc_gone_by_inode(p->s, A, &stamp, &r, e)), doc_clear(&r);
    TRY(state_doc_by_former(p->s, A, "x", &r, e)), doc_clear(&r);
    TRY(state_doc_by_inode(p->s, &stamp, &r, e)), doc_clear(&r);
    TRY(state_each_copy(p->s, A, &x, stop, NULL, e));
    TRY(state_doc_by_fold(p->s, A, "x", &r, e)), doc_clear(&r);
    TRY(state_doc_put(p->s, &d, e));
    TRY(state_former_put(p->s, A, 1, "y", e));
    TRY(state_each_doc(p->s, A, true, stop, NULL, e));
    TRY(state_each_doc(p->s, NULL, true, stop, NULL, e));
    TRY(state_each_in_folder(p->s, A, "", stop, NULL, e));
    TRY(state_each_folder(p->s, A, count_folder, &folders, e));
    TRY(state_move_folder(p->s, A, "a", "b", e));
    TRY(state_count(p->s, NULL, &c, e));
    TRY(state_count(p->s, A, &c, e));
    TRY(state_case_get(p->s, A, &other, e)), case_row_clear(&other);
    TRY(state_case_put(p->s, &row, e));
    TRY(state_each_case(p->s, no_case, NULL, e));
    TRY(state_head_get(p->s, A, &h, e));
    TRY(state_head_put(p->s, A, &h, e));
    TRY(state_outbox_add(p->s, A, "line", e));
    TRY(state_each_outbox(p->s, no_line, NULL, e));
    TRY(state_outbox_done(p->s, A, 0, 0, e));
    TRY(state_outbox_clear(p->s, 0, e));
    TRY(state_own_get(p->s, "x", &o, e));
    TRY(state_own_put(p->s, "x", &o, e));
    TRY(state_set(p->s, "k", "v", e));
#undef TRY
    doc_clear(&d);
    case_row_clear(&row);
    return failed;
}

#define CALLS 29

static void a_broken_table_is_an_error(struct place *p, const char *sql, int expected, bool warm)
{
    put(p, A, "x", DOC_FILED);
    if (warm) /* the statements are prepared already */
        assert_int_equal(failures(p), 0);
    tweak(p, sql);
    assert_int_equal(failures(p), expected);
    assert_true(strlen(p->err.text) > 10);
}

static void nothing_works_without_cases(void **state)
{
    /* All but own files, small values and all lines at once go through the case. */
    a_broken_table_is_an_error(*state, "DROP TABLE cases", CALLS - 4, false);
}

static void nothing_works_without_cases_when_prepared(void **state)
{
    /* Fewer: the key of a case that was asked for before is remembered. */
    a_broken_table_is_an_error(*state, "DROP TABLE cases", 11, true);
}

static void broken_documents_are_told(void **state)
{
    a_broken_table_is_an_error(*state, "DROP TABLE docs", 16, false);
}

static void broken_documents_are_told_when_prepared(void **state)
{
    a_broken_table_is_an_error(*state, "DROP TABLE docs", 16, true);
}

static void a_broken_rest_is_told(void **state)
{
    a_broken_table_is_an_error(*state,
                               "DROP TABLE former; DROP TABLE heads; DROP TABLE outbox;"
                               "DROP TABLE own; DROP TABLE small",
                               11, false);
}

static void a_broken_rest_is_told_when_prepared(void **state)
{
    a_broken_table_is_an_error(*state,
                               "DROP TABLE former; DROP TABLE heads; DROP TABLE outbox;"
                               "DROP TABLE own; DROP TABLE small",
                               11, true);
}

static void a_case_id_that_is_too_long_is_refused(void **state)
{
    struct place *p = *state;

    assert_int_equal(state_outbox_add(p->s, A B, "line", &p->err), -1);
    assert_int_equal(p->err.number, EINVAL);
}

static void a_file_where_the_folder_should_be(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *file = xasprintf("%s/fill", p->dir);
    AUTO_FREE char *below = xasprintf("%s/fill/a/b", p->dir);

    close(open(file, O_WRONLY | O_CREAT, 0600));
    assert_null(state_open(below, false, &p->err));
    assert_null(state_open(file, false, &p->err));
    assert_null(state_open(below, true, &p->err));
}

static void an_empty_database_has_nothing_to_read(void **state)
{
    struct place *p = *state;

    state_close(p->s);
    remove_in(p->dir, "state.db");
    tweak(p, "PRAGMA user_version=0");
    p->s = state_open(p->dir, true, &p->err);
    assert_null(p->s);
    assert_int_equal(p->err.number, ENOENT);
}

static void a_locked_database_is_busy(void **state)
{
    struct place *p = *state;
    struct state *other = state_open(p->dir, false, &p->err);

    assert_int_equal(state_begin(p->s, &p->err), 0);
    assert_int_equal(state_begin_read(p->s, &p->err), -1);
    state_rollback(p->s);
    assert_int_equal(state_begin(other, &p->err), 0);
    state_close(other); /* lets go */
    assert_int_equal(state_begin(p->s, &p->err), 0);
}

static int nested(void *ctx, const struct doc *d)
{
    struct place *p = ctx;
    char all[100] = "";
    struct doc other;

    assert_int_equal(state_each_doc(p->s, A, false, join, all, &p->err), 0);
    assert_string_equal(all, "a b ");
    assert_int_equal(state_doc_by_path(p->s, A, d->path, &other, &p->err), 1);
    doc_clear(&other);
    return 0;
}

static void questions_may_be_asked_while_rows_are_shown(void **state)
{
    struct place *p = *state;

    put(p, A, "a", DOC_FILED);
    put(p, A, "b", DOC_FILED);
    assert_int_equal(state_each_doc(p->s, A, false, nested, p, &p->err), 0);
}

/* ---- a full disk ---------------------------------------------------------------------------- */

static int setup_small(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    *state = p;
    strcpy(p->top, "/tmp/state-XXXXXX");
    if (!mkdtemp(p->top))
        return -1;
    p->mounted = mount("tmpfs", p->top, "tmpfs", 0, "size=1m") == 0;
    return open_in(p);
}

static void a_full_disk_records_nothing_by_half(void **state)
{
    struct place *p = *state;
    char *big = xmalloc(40001);
    struct doc d = {.case_id = A, .why = big}, r;
    int rc = 0;

    if (!p->mounted) {
        print_message("SKIPPED: mounting a small tmpfs needs root\n");
        free(big);
        skip();
    }
    memset(big, 'x', 40000);
    big[40000] = '\0';
    put(p, A, "before", DOC_FILED);
    assert_int_equal(state_begin(p->s, &p->err), 0);
    put(p, A, "within", DOC_FILED);
    for (int i = 0; rc == 0 && i < 200; i++) {
        char path[20];

        snprintf(path, sizeof path, "%d", i);
        d.number = 0;
        d.path = path;
        rc = state_doc_put(p->s, &d, &p->err);
    }
    if (rc == 0) /* all fitted into the page cache: it shows at the commit */
        rc = state_commit(p->s, &p->err);
    assert_int_equal(rc, -1);
    assert_int_equal(p->err.number, ENOSPC);
    /* Neither later changes nor a commit slip through. */
    assert_int_equal(state_set(p->s, "k", "v", &p->err), -1);
    assert_int_equal(state_commit(p->s, &p->err), -1);
    state_rollback(p->s);
    assert_int_equal(state_doc_by_path(p->s, A, "within", &r, &p->err), 0);
    assert_int_equal(state_doc_by_path(p->s, A, "before", &r, &p->err), 1);
    doc_clear(&r);
    assert_null(state_get(p->s, "k"));
    free(big);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* With and without what there may be in memory: the answers are the same. */
#define BOTH(f) T(f), {#f ", known", f, setup_known, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_field_comes_back),
        T(numbers_rise_and_are_never_used_again),
        T(a_number_from_a_journal_is_skipped_later),
        T(impossible_numbers_are_refused),
        BOTH(a_document_is_found_by_path),
        BOTH(a_gone_document_is_found_by_number_only),
        BOTH(the_document_that_went_last_came_back),
        BOTH(the_very_file_of_a_gone_document_is_known_again),
        BOTH(a_document_is_found_by_inode_in_any_case),
        BOTH(a_document_is_found_by_content),
        BOTH(a_document_is_found_by_a_name_it_had),
        BOTH(names_that_look_the_same_are_found),
        BOTH(a_put_replaces_the_row),
        T(rows_come_in_path_order),
        T(each_stops_when_told),
        T(only_what_lies_directly_in_a_folder),
        T(each_folder_comes_once),
        BOTH(a_renamed_folder_takes_its_rows_along),
        T(counts_by_state),
        T(cases_come_back),
        T(heads_come_back),
        T(the_outbox_keeps_order),
        T(own_files_come_back),
        T(small_values_come_back),
        BOTH(a_rollback_takes_everything_back),
        BOTH(a_folder_without_rows_is_known_to_have_none),
        BOTH(a_case_that_was_rolled_back_has_no_key),
        cmocka_unit_test_setup_teardown(what_was_there_before_is_known, setup_known, teardown),
        T(a_commit_is_on_disk),
        T(transactions_do_not_nest),
        BOTH(another_connection_sees_what_is_committed),
        BOTH(a_reader_keeps_one_picture),
        T(a_reader_cannot_write),
        T(a_reader_makes_nothing),
        T(the_folder_is_private),
        BOTH(state_is_kept_over_a_restart),
        T(an_older_state_is_told_with_what_helps),
        T(an_index_that_is_kept_no_longer_goes),
        T(a_newer_state_is_only_read),
        T(another_programs_database_is_refused),
        T(garbage_is_refused),
        T(nothing_works_without_cases),
        T(nothing_works_without_cases_when_prepared),
        T(broken_documents_are_told),
        T(broken_documents_are_told_when_prepared),
        T(a_broken_rest_is_told),
        T(a_broken_rest_is_told_when_prepared),
        T(a_case_id_that_is_too_long_is_refused),
        T(a_file_where_the_folder_should_be),
        T(an_empty_database_has_nothing_to_read),
        T(a_locked_database_is_busy),
        T(questions_may_be_asked_while_rows_are_shown),
        cmocka_unit_test_setup_teardown(a_full_disk_records_nothing_by_half, setup_small, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
