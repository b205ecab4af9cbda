/* Lines on their way from the private state into journals: where they go, when they wait, and what
 * the disk fails at. */
#include "filer_world.h"

#include "failing_sql.h"
#include "file/outbox.h"

#define SMITH "00000000000000000000000000000001"
#define JONES "00000000000000000000000000000002"

static struct {
    int sync_fails; /* errno of the next syncfs(2), or 0 */
    int data_fails; /* of the next fdatasync(2) */
} sys;

static int call_or_fail(int *fails, long call, int fd)
{
    int failed = *fails;

    *fails = 0;
    if (!failed)
        return (int)syscall(call, fd);
    errno = failed;
    return -1;
}

int syncfs(int fd)
{
    return call_or_fail(&sys.sync_fails, SYS_syncfs, fd);
}

int fdatasync(int fd)
{
    return call_or_fail(&sys.data_fails, SYS_fdatasync, fd);
}

struct box {
    struct world *w;
    struct state *s;
    struct outbox *b;
    struct error err;
};

static int ready(void **state)
{
    struct box *x = xcalloc(1, sizeof *x);

    x->w = world_new();
    x->s = state_open(x->w->state_dir, false, &x->err);
    assert_non_null(x->s);
    x->b = outbox_new(&x->w->o, x->s);
    *state = x;
    return 0;
}

static int done(void **state)
{
    struct box *x = *state;

    memset(&sys, 0, sizeof sys);
    sql.at = 0;
    outbox_free(x->b);
    state_close(x->s);
    world_free(x->w);
    free(x);
    return 0;
}

/* A case with its card, in that folder. */
static void put_case(struct box *x, const char *id, const char *folder)
{
    AUTO_FREE char *path = xstrdup(folder);
    AUTO_FREE char *card = xasprintf("%s/Case.txt", folder);
    struct case_row row = {.path = path, .next_doc = 1};

    snprintf(row.id, sizeof row.id, "%s", id);
    assert_int_equal(beneath_mkdirs(x->w->root, folder), 0);
    write_file(x->w, card, "Client: Smith\n");
    assert_int_equal(state_case_put(x->s, &row, &x->err), 0);
}

static void add_line(struct box *x, const char *id, const char *kind)
{
    AUTO_STR struct str body = STR_INIT;

    journal_body(&body, env_now(&x->w->env), kind);
    assert_int_equal(state_outbox_add(x->s, id, str_c(&body), &x->err), 0);
    outbox_added(x->b);
}

static unsigned flush(struct box *x)
{
    unsigned written = 0;

    if (outbox_flush(x->b, &written, &x->err) < 0)
        fail_msg("%s", error_text(&x->err));
    return written;
}

static int put_heads(struct box *x)
{
    int rc = state_begin(x->s, &x->err);

    if (rc == 0 && outbox_put_heads(x->b, false, &x->err) == 0 && state_commit(x->s, &x->err) == 0) {
        outbox_heads_put(x->b);
        return 0;
    }
    state_rollback(x->s);
    return -1;
}

/* Lines of that kind in the journal of that folder; 0 when it has none. */
static unsigned written(const struct box *x, const char *folder, const char *kind)
{
    struct {
        const char *kind, *to;
        unsigned n;
    } c = {kind, NULL, 0};
    struct error err = ERROR_INIT;
    AUTO_CLOSE int fd = beneath_open(x->w->root, folder, O_RDONLY | O_DIRECTORY, 0);

    assert_true(fd >= 0);
    if (journal_each(fd, count_line, &c, &err) < 0)
        assert_int_equal(err.number, ENOENT);
    return c.n;
}

static void assert_intact(struct box *x, const char *id, const char *folder)
{
    AUTO_CLOSE int fd = beneath_open(x->w->root, folder, O_RDONLY | O_DIRECTORY, 0);
    enum journal_standing standing;
    struct journal_head head;

    assert_int_equal(state_head_get(x->s, id, &head, &x->err), 1);
    assert_int_equal(journal_check(fd, &head, print_fault, NULL, &standing, &x->err), 0);
    assert_int_equal(standing, JOURNAL_INTACT);
}

/* ---- where they go
 * -------------------------------------------------------------------------------- */

static void the_last_that_is_known_of_a_folder_counts(void **state)
{
    struct box *x = *state;

    put_case(x, SMITH, "Smith");
    put_case(x, JONES, "Jones");
    assert_int_equal(renameat(x->w->root, "Smith", x->w->root, "Closed"), 0);
    outbox_hint(x->b, SMITH, "Smith");
    outbox_hint(x->b, SMITH, "Closed");
    outbox_hint(x->b, SMITH, NULL); /* nothing is known better */
    outbox_hint(x->b, JONES, NULL);
    add_line(x, SMITH, "retired");
    add_line(x, JONES, "filed");
    assert_int_equal(flush(x), 2);
    assert_int_equal(written(x, "Closed", "retired"), 1);
    assert_int_equal(written(x, "Jones", "filed"), 1);
    assert_int_equal(outbox_waiting(x->b, NULL), 0);
}

/* The office is no case: it has no row, and no card that could be missing. */
static void what_the_office_did_is_in_the_journal_of_the_cabinet(void **state)
{
    struct box *x = *state;

    for (unsigned i = 1; i <= 2; i++) {
        add_line(x, "", "sorted");
        assert_int_equal(flush(x), 1);
        assert_int_equal(put_heads(x), 0);
        assert_int_equal(written(x, "", "sorted"), i);
    }
    assert_intact(x, "", "");
}

static void only_a_case_with_lines_gets_a_journal(void **state)
{
    struct box *x = *state;

    put_case(x, SMITH, "Smith");
    put_case(x, JONES, "Jones");
    outbox_hint(x->b, JONES, "Jones");
    add_line(x, SMITH, "filed");
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    assert_false(exists(x->w, "Jones/.organizer"));
    assert_intact(x, SMITH, "Smith");
    /* Now there is nothing more. */
    assert_false(outbox_has_lines(x->b));
    assert_int_equal(flush(x), 0);
    assert_int_equal(written(x, "Smith", "filed"), 1);
}

/* ---- when they wait
 * ------------------------------------------------------------------------------- */

static void lose_journal(struct box *x, const char *folder)
{
    AUTO_FREE char *journal = xasprintf("%s/" JOURNAL_FOLDER "/" JOURNAL_NAME, folder);
    AUTO_FREE char *dir = xasprintf("%s/" JOURNAL_FOLDER, folder);

    assert_int_equal(unlinkat(x->w->root, journal, 0), 0);
    assert_int_equal(unlinkat(x->w->root, dir, AT_REMOVEDIR), 0);
}

/* A case with a line, whose journal is then lost, and one more line for it ten seconds later. */
static void lose_what_was_written(struct box *x)
{
    put_case(x, SMITH, "Smith");
    add_line(x, SMITH, "filed");
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    lose_journal(x, "Smith");
    later = 10;
    add_line(x, SMITH, "indexed");
}

/* Nobody has touched the folder for a while, and documents left it: it may be on its way out for a
 * minute. */
static void a_case_whose_documents_go_gets_its_journal_back_a_minute_later(void **state)
{
    struct box *x = *state;
    const char *why;

    lose_what_was_written(x);
    add_line(x, SMITH, "removed");
    assert_int_equal(flush(x), 0);
    assert_int_equal(outbox_waiting(x->b, &why), 2);
    assert_non_null(strstr(why, "being removed"));
    assert_false(exists(x->w, "Smith/.organizer"));
    later += 61;
    assert_int_equal(flush(x), 2);
    assert_int_equal(put_heads(x), 0);
    assert_int_equal(written(x, "Smith", "removed"), 1);
    assert_int_equal(written(x, "Smith", "foreign"), 1); /* the note that its history was lost */
    assert_true(outbox_took_tampered(x->b));
}

/* What stands behind the first `from` bytes of Smith's journal is zeros, and `more` of them. */
static void make_zeros(struct box *x, int64_t from, int64_t more)
{
    AUTO_CLOSE int fd = beneath_open(x->w->root, "Smith/.organizer/journal.jsonl", O_WRONLY, 0);
    struct stat st;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(ftruncate(fd, from), 0);
    assert_int_equal(ftruncate(fd, st.st_size + more), 0);
}

/* A file server that lost its power while we were writing has zeros where a try of ours came to nothing. */
static void zeros_where_a_try_failed_are_no_strangers(void **state)
{
    struct box *x = *state;
    struct journal_head head;

    put_case(x, SMITH, "Smith");
    add_line(x, SMITH, "opened");
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    assert_int_equal(state_head_get(x->s, SMITH, &head, &x->err), 1);
    add_line(x, SMITH, "filed");
    sys.data_fails = ESTALE;
    assert_int_equal(flush(x), 0);
    assert_int_equal(outbox_waiting(x->b, NULL), 1);
    make_zeros(x, head.size, 0);
    add_line(x, SMITH, "indexed");
    assert_int_equal(flush(x), 2);
    assert_int_equal(put_heads(x), 0);
    assert_false(outbox_took_tampered(x->b));
    assert_int_equal(written(x, "Smith", "filed"), 1);
    assert_intact(x, SMITH, "Smith");
    /* Nobody was writing now. */
    assert_int_equal(state_head_get(x->s, SMITH, &head, &x->err), 1);
    make_zeros(x, head.size, 20);
    add_line(x, SMITH, "edited");
    assert_int_equal(flush(x), 1);
    assert_true(outbox_took_tampered(x->b));
    assert_int_equal(written(x, "Smith", "foreign"), 1);
}

static void a_case_that_lost_only_its_journal_gets_it_back_at_once(void **state)
{
    struct box *x = *state;

    lose_what_was_written(x);
    assert_int_equal(flush(x), 1);
    assert_int_equal(written(x, "Smith", "indexed"), 1);
    assert_int_equal(written(x, "Smith", "foreign"), 1);
}

/* Its lines were written, its head was not put yet; then its folder is away. */
static void a_head_of_before_is_not_put_for_lines_that_wait(void **state)
{
    struct box *x = *state;

    put_case(x, SMITH, "Smith");
    put_case(x, JONES, "Jones");
    add_line(x, SMITH, "filed");
    assert_int_equal(flush(x), 1);
    assert_int_equal(renameat(x->w->root, "Smith", x->w->root, "Away"), 0);
    add_line(x, JONES, "filed");
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    assert_int_equal(renameat(x->w->root, "Away", x->w->root, "Smith"), 0);
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    add_line(x, SMITH, "indexed");
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    assert_false(outbox_took_tampered(x->b));
    assert_int_equal(written(x, "Smith", "filed"), 1);
    assert_intact(x, SMITH, "Smith");
}

/* ---- what the disk fails at
 * ----------------------------------------------------------------------- */

/* They are one sync: when it fails none counts, and none is written twice when it is tried again.
 */
static void journals_that_could_not_be_synced_do_not_count(void **state)
{
    struct box *x = *state;
    struct error err = ERROR_INIT;
    unsigned lines = 0;

    put_case(x, SMITH, "Smith");
    add_line(x, SMITH, "filed");
    assert_int_equal(flush(x), 1);
    assert_true(outbox_has_heads(x->b));
    for (unsigned i = 2; i < 8; i++) {
        char id[CASE_ID_SIZE], folder[16];

        snprintf(id, sizeof id, "%032u", i);
        snprintf(folder, sizeof folder, "Case %u", i);
        put_case(x, id, folder);
        add_line(x, id, "filed");
    }
    sys.sync_fails = EIO;
    assert_int_equal(outbox_flush(x->b, &lines, &err), -1);
    assert_int_equal(err.number, EIO);
    assert_int_equal(lines, 0);
    assert_false(outbox_has_heads(x->b));
    assert_true(outbox_has_lines(x->b));
    flush(x);
    assert_int_equal(put_heads(x), 0);
    assert_intact(x, SMITH, "Smith");
    assert_int_equal(written(x, "Smith", "filed"), 1);
    for (unsigned i = 2; i < 8; i++) {
        char id[CASE_ID_SIZE], folder[16];

        snprintf(id, sizeof id, "%032u", i);
        snprintf(folder, sizeof folder, "Case %u", i);
        assert_intact(x, id, folder);
        assert_int_equal(written(x, folder, "filed"), 1);
    }
    assert_false(outbox_took_tampered(x->b));
    assert_false(outbox_has_lines(x->b));
}

static void damage(struct box *x, const char *folder)
{
    AUTO_FREE char *path = xasprintf("%s/" JOURNAL_FOLDER "/" JOURNAL_NAME, folder);
    AUTO_CLOSE int fd = beneath_open(x->w->root, path, O_RDWR, 0);
    char c;

    assert_int_equal(pread(fd, &c, 1, 20), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, 20), 1);
}

static bool is_marked(struct box *x, const char *id)
{
    struct case_row row;
    bool is;

    assert_int_equal(state_case_get(x->s, id, &row, &x->err), 1);
    is = row.tampered;
    case_row_clear(&row);
    return is;
}

/* Whatever call of SQLite fails: heads, what is left to write, and the mark are put together or not
 * at all. */
static void heads_and_the_mark_of_a_case_are_put_together(void **state)
{
    struct box *x = *state;
    unsigned n = 0;
    int rc;

    put_case(x, SMITH, "Smith");
    add_line(x, SMITH, "filed");
    assert_int_equal(flush(x), 1);
    assert_int_equal(put_heads(x), 0);
    damage(x, "Smith");
    add_line(x, SMITH, "indexed");
    assert_int_equal(flush(x), 1);
    do {
        x->err = (struct error)ERROR_INIT;
        sql_fail_at(++n, SQLITE_IOERR);
        rc = put_heads(x);
        sql.at = 0;
        assert_true(rc == 0 || *x->err.text != '\0');
        assert_int_equal(is_marked(x, SMITH), rc == 0);
        assert_int_equal(outbox_has_heads(x->b), rc < 0);
    } while (rc < 0);
    assert_true(n > 5);
    assert_true(outbox_took_tampered(x->b));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_that_is_known_of_a_folder_counts),
        TEST(what_the_office_did_is_in_the_journal_of_the_cabinet),
        TEST(only_a_case_with_lines_gets_a_journal),
        TEST(a_case_whose_documents_go_gets_its_journal_back_a_minute_later),
        TEST(zeros_where_a_try_failed_are_no_strangers),
        TEST(a_case_that_lost_only_its_journal_gets_it_back_at_once),
        TEST(a_head_of_before_is_not_put_for_lines_that_wait),
        TEST(journals_that_could_not_be_synced_do_not_count),
        TEST(heads_and_the_mark_of_a_case_are_put_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
