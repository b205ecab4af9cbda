/*
 * Journals on a disk that fails: whatever call fails first, who asked is told. An append that
 * failed is made good by the next one, no line is lost or there twice, and nobody is accused of a
 * change because a byte could not be read.
 */
#undef _FORTIFY_SOURCE /* its read() and pread() would stand beside those of failing_calls.h */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_calls.h"
#include "journal_place.h"
#include "base/io.h"
#include "record/history.h"
#include "record/rebuild.h"
#include "record/verify.h"

#define ID "0123456789abcdef0123456789abcdef"

struct place {
    struct journal_place j;
    char dir[40]; /* of the private state */
    struct state *s;
    struct error err;
    unsigned told;  /* by verify and check */
    unsigned lines; /* as counted */
};

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    *state = p;
    strcpy(p->dir, "/tmp/record-faults-XXXXXX");
    if (journal_place_make(&p->j) < 0 || !mkdtemp(p->dir))
        return -1;
    p->s = state_open(p->dir, false, &p->err);
    return p->s ? 0 : -1;
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc;

    sys.at = 0;
    state_close(p->s);
    rc = remove_tree(p->dir);
    rc |= journal_place_clear(&p->j);
    free(p);
    return rc;
}

/* ---- appending ----------------------------------------------------------------------------------
 */

static const char *const bodies[] = {"\"kind\":\"one\"", "\"kind\":\"two\"", "\"kind\":\"three\""};

static int append(struct place *p)
{
    enum journal_standing standing;

    return journal_append(p->j.fd, &p->j.head, bodies, 3, 3, NOW, true, &standing, &p->err);
}

static void journal_text(const struct place *p, struct str *text)
{
    str_reset(text);
    assert_int_equal(io_read_file(p->j.fd, JOURNAL_FOLDER "/" JOURNAL_NAME, text, 1 << 20), 0);
}

static void write_journal(const struct place *p, const char *text, size_t n)
{
    int fd = openat(p->j.fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, n), 0);
    close(fd);
}

static void start_over(struct place *p)
{
    sys.at = 0;
    unlinkat(p->j.fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0);
    unlinkat(p->j.fd, JOURNAL_FOLDER, AT_REMOVEDIR);
    p->j.head = (struct journal_head){0};
    p->err = (struct error)ERROR_INIT;
}

/* What was found there before the append. */
static void nothing(struct place *p)
{
    (void)p;
}

static void two_lines(struct place *p)
{
    journal_place_say(&p->j, "opened", 0, NULL, NULL);
    journal_place_say(&p->j, "filed", 1, "a", "b");
}

/* An append that came half-way: the head is where it was. */
static void a_torn_line_of_our_own(struct place *p)
{
    AUTO_STR struct str text = STR_INIT;
    struct journal_head before;

    two_lines(p);
    before = p->j.head;
    assert_int_equal(append(p), 0);
    journal_text(p, &text);
    write_journal(p, text.s, (size_t)before.size + (text.len - (size_t)before.size) / 2);
    p->j.head = before;
}

static void bytes_of_a_stranger(struct place *p)
{
    AUTO_STR struct str text = STR_INIT;

    two_lines(p);
    journal_text(p, &text);
    str_add(&text, "somebody was here");
    write_journal(p, text.s, text.len);
}

static void a_journal_that_was_cut(struct place *p)
{
    AUTO_STR struct str text = STR_INIT;

    two_lines(p);
    journal_text(p, &text);
    write_journal(p, text.s, text.len / 2);
}

static void an_empty_journal(struct place *p)
{
    two_lines(p);
    write_journal(p, "", 0);
}

static const struct {
    const char *name;
    void (*make)(struct place *p);
    bool known; /* what stands there is the organizer's own */
} before[] = {
    {"nothing", nothing, true},
    {"two lines", two_lines, true},
    {"a torn line of our own", a_torn_line_of_our_own, true},
    {"bytes of a stranger", bytes_of_a_stranger, false},
    {"a journal that was cut", a_journal_that_was_cut, false},
    {"an empty journal", an_empty_journal, false},
};

static void count_fault(void *ctx, uint64_t line, const char *what)
{
    (void)line, (void)what;
    ++*(unsigned *)ctx;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* Each line is there once, and the journal is what its head says. */
static void assert_appended(struct place *p, size_t i, unsigned n)
{
    AUTO_STR struct str text = STR_INIT;
    enum journal_standing standing;
    unsigned faults = 0;

    journal_text(p, &text);
    for (size_t b = 0; b < 3; b++)
        if (count(text.s, bodies[b]) != 1)
            fail_msg("%s, call %u: a line is there %u times:\n%s", before[i].name, n,
                     count(text.s, bodies[b]), text.s);
    assert_true(journal_check(p->j.fd, &p->j.head, count_fault, &faults, &standing, &p->err) >= 0);
    assert_int_equal(standing, JOURNAL_INTACT);
    if (before[i].known && faults)
        fail_msg("%s, call %u: the journal accuses somebody:\n%s", before[i].name, n, text.s);
    assert_true(count(text.s, "\"foreign\"") <= 1);
}

/* At its nth call: that is told, and the next one makes it good. False when there were not so many calls. */
static bool append_that_fails(struct place *p, size_t i, unsigned n)
{
    bool hit;
    int rc;

    fail_at(FAIL, n);
    rc = append(p);
    hit = was_hit();
    if (hit && (rc == 0 || !*p->err.text))
        fail_msg("%s: the %uth call failed, and nobody was told", before[i].name, n);
    if (hit)
        assert_int_equal(append(p), 0);
    assert_appended(p, i, n);
    return hit;
}

static void an_append_that_fails_is_made_good(void **state)
{
    struct place *p = *state;

    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        for (unsigned n = 1;; n++) {
            bool hit;

            start_over(p);
            before[i].make(p);
            hit = append_that_fails(p, i, n);
            if (!hit)
                break;
        }
    }
}

/* It fails once it has begun to write, and the next try fails as well, at whichever call. */
static void an_append_that_fails_twice_is_made_good(void **state)
{
    struct place *p = *state;

    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        bool hit = true;
        unsigned n;

        for (n = 1; hit; n++) {
            start_over(p);
            before[i].make(p);
            sys.only = "fdatasync";
            fail_at(FAIL, 1);
            assert_int_equal(append(p), -1);
            assert_true(was_hit());
            sys.only = NULL;
            p->err = (struct error)ERROR_INIT;
            hit = append_that_fails(p, i, n);
        }
        assert_true(n > 4);
    }
}

static void an_append_that_is_interrupted_goes_on(void **state)
{
    struct place *p = *state;

    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        for (unsigned n = 1; n < 1000; n++) {
            start_over(p);
            before[i].make(p);
            fail_at(n % 2 ? SHORT : AGAIN, (n + 1) / 2);
            if (append(p) < 0)
                fail_msg("%s, call %u: %s", before[i].name, n, error_text(&p->err));
            if (!was_hit())
                break;
            assert_appended(p, i, n);
        }
    }
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static int count_line(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number)
{
    struct place *p = ctx;

    (void)line, (void)raw, (void)len, (void)number;
    p->lines++;
    return 0;
}

static int count_history(void *ctx, const struct history_line *line)
{
    struct place *p = ctx;

    (void)line;
    p->lines++;
    return 0;
}

static int ask_each(struct place *p)
{
    return journal_each(p->j.fd, count_line, p, &p->err);
}

static int ask_check(struct place *p)
{
    enum journal_standing standing;

    return journal_check(p->j.fd, &p->j.head, count_fault, &p->told, &standing, &p->err);
}

static int ask_stands(struct place *p)
{
    const struct journal_picture picture = {.size = INT64_MAX, .head = p->j.head};
    enum journal_standing standing;
    int rc = journal_stands(p->j.fd, &picture, &standing, &p->err);

    p->told += rc == 0 && standing != JOURNAL_INTACT;
    return rc;
}

static int ask_trusted(struct place *p)
{
    int rc = journal_trusted(p->j.fd, &p->j.head, &p->err);

    p->told += rc == 0;
    return rc;
}

static int ask_size(struct place *p)
{
    return journal_size(p->j.fd, &p->err) < 0 ? -1 : 0;
}

static int ask_case(struct place *p)
{
    char id[CASE_ID_SIZE];

    return journal_case_id(p->j.fd, id, &p->err);
}

static int ask_last(struct place *p)
{
    struct journal_head head;
    int rc = journal_last(p->j.fd, &head, &p->err);

    p->told += rc == 0 && (head.seq != p->j.head.seq || head.size != p->j.head.size ||
                           !digest_equal(&head.hash, &p->j.head.hash));
    return rc;
}

/* The last lines tell of archives: the change is before them. */
static int ask_last_change(struct place *p)
{
    struct journal_head cut;
    int64_t at;
    int rc = journal_last_change(p->j.fd, &p->j.head, &cut, &at, &p->err);

    p->told += rc == 0 && (cut.seq + 2 != p->j.head.seq || at == 0);
    return rc;
}

static int ask_accept(struct place *p)
{
    AUTO_STR struct str body = STR_INIT;

    return journal_accept(p->j.fd, &body, &p->err);
}

static int ask_history(struct place *p)
{
    const struct history_filter filter = {.last = 2};

    return history_each(p->j.fd, &filter, count_history, p, &p->err);
}

static int ask_where(struct place *p)
{
    int64_t doc;
    int rc = history_doc_at(p->j.fd, NULL, "doc", &doc, &p->err);

    p->told += rc == 0;
    return rc;
}

static int ask_undo(struct place *p)
{
    const struct undo_choice all = {.what = UNDO_ALL};
    struct undo_plan plan = {0};
    int rc = history_undo_plan(p->j.fd, &(struct history_decided){.head = p->j.head}, &all, &plan, &p->err);

    undo_plan_clear(&plan);
    return rc;
}

static int ask_rebuild(struct place *p)
{
    struct case_row row = {.id = ID, .path = xstrdup("Smith"), .next_doc = 1};
    struct rebuilt r = {0};
    int rc;

    assert_int_equal(state_begin(p->s, &p->err), 0);
    rc = rebuild_case(p->s, p->j.fd, &row, &r, &p->err);
    p->told += rc == 0 && (row.tampered || r.documents != 1);
    state_rollback(p->s);
    case_row_clear(&row);
    return rc;
}

static void found(void *ctx, const struct verify_finding *f)
{
    struct place *p = ctx;

    if (f->what != VERIFY_UNREADABLE)
        p->told++;
    p->lines++;
}

static int ask_verify_how(struct place *p,
                          int (*how)(const struct verify_options *, struct place *))
{
    int root = open("/tmp", O_RDONLY | O_DIRECTORY);
    struct verify_options o = {.root = root,
                               .state = p->s,
                               .case_id = ID,
                               .case_path = p->j.path + strlen("/tmp/"),
                               .found = found,
                               .ctx = p};
    int rc;

    p->lines = 0;
    rc = how(&o, p);
    close(root);
    return rc;
}

/* What cannot be read is told by a finding. */
static int whole(const struct verify_options *o, struct place *p)
{
    struct verify_counts counts;
    int rc = verify_case(o, &counts, &p->err);

    if (rc == 0 && p->lines)
        rc = error_set(&p->err, EIO, "it was told");
    return rc;
}

static int quick(const struct verify_options *o, struct place *p)
{
    struct verify_counts counts;

    return verify_journal(o, false, &counts, &p->err);
}

static int deep(const struct verify_options *o, struct place *p)
{
    struct verify_counts counts;

    return verify_journal(o, true, &counts, &p->err);
}

static int ask_verify(struct place *p)
{
    return ask_verify_how(p, whole);
}

static int ask_verify_quick(struct place *p)
{
    return ask_verify_how(p, quick);
}

static int ask_verify_deep(struct place *p)
{
    return ask_verify_how(p, deep);
}

static const struct {
    const char *name;
    int (*ask)(struct place *p);
} questions[] = {
    {"each line", ask_each},
    {"check", ask_check},
    {"stands", ask_stands},
    {"trusted", ask_trusted},
    {"size", ask_size},
    {"case", ask_case},
    {"last", ask_last},
    {"last change", ask_last_change},
    {"accept", ask_accept},
    {"history", ask_history},
    {"where", ask_where},
    {"undo", ask_undo},
    {"rebuild", ask_rebuild},
    {"verify", ask_verify},
    {"end of it", ask_verify_quick},
    {"lines of it", ask_verify_deep},
};

static void say(struct place *p, const char *body)
{
    enum journal_standing standing;

    assert_int_equal(journal_append(p->j.fd, &p->j.head, &body, 1, 1, NOW, false, &standing, &p->err),
                     0);
}

/* A case with a document, a note that was taken up, and lines about archives. */
static void a_case_with_a_past(struct place *p)
{
    AUTO_STR struct str filed = STR_INIT, taken = STR_INIT, text = STR_INIT;
    struct doc d = {.case_id = ID, .path = xstrdup("doc"), .state = DOC_FILED};
    char hex[DIGEST_HEX];
    int fd;

    journal_place_say(&p->j, "opened", 0, NULL, NULL);
    fd = openat(p->j.fd, "doc", O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(fd, "text", 4), 4);
    close(fd);
    assert_int_equal(mkdirat(p->j.fd, "Folder", 0755), 0);
    d.digest = digest_of("text", 4);
    assert_int_equal(doc_stamp_take(-1, p->j.fd, "doc", &d.stamp), 0);
    assert_int_equal(state_doc_put(p->s, &d, &p->err), 0);
    journal_body(&filed, NOW, "filed");
    json_num(&filed, "doc", d.number);
    json_name(&filed, "from", "Inbox/doc");
    json_name(&filed, "to", "doc");
    json_text(&filed, "sha256", digest_hex(&d.digest, hex));
    say(p, str_c(&filed));
    doc_clear(&d);
    journal_text(p, &text);
    str_add(&text, "somebody was here\n");
    write_journal(p, text.s, text.len);
    journal_place_say(&p->j, "note", 0, NULL, NULL);
    journal_body(&taken, NOW, "taken-up");
    assert_int_equal(journal_accept(p->j.fd, &taken, &p->err), 0);
    say(p, str_c(&taken));
    journal_place_say(&p->j, "archived", 0, NULL, NULL);
    journal_place_say(&p->j, "verified", 0, NULL, NULL);
    assert_int_equal(state_head_put(p->s, ID, &p->j.head, &p->err), 0);
}

static void what_cannot_be_read_is_told_and_accuses_nobody(void **state)
{
    struct place *p = *state;

    a_case_with_a_past(p);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        unsigned n = 0;
        bool hit = true;

        while (hit) {
            int rc;

            p->err = (struct error)ERROR_INIT;
            p->told = 0;
            fail_at(FAIL, ++n);
            rc = questions[i].ask(p);
            hit = was_hit();
            if (hit && (rc >= 0 || !*p->err.text))
                fail_msg("%s: the %uth call failed, and nobody was told", questions[i].name, n);
            if (!hit && rc < 0)
                fail_msg("%s: %s", questions[i].name, error_text(&p->err));
            if (p->told)
                fail_msg("%s: the %uth call failed, and it was taken for a change",
                         questions[i].name, n);
        }
        assert_true(n > 2);
    }
}

static void what_is_interrupted_is_read_to_its_end(void **state)
{
    struct place *p = *state;

    a_case_with_a_past(p);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            int rc;

            p->told = 0;
            fail_at(n % 2 ? SHORT : AGAIN, (n + 1) / 2);
            rc = questions[i].ask(p);
            hit = was_hit();
            if (rc < 0 || p->told)
                fail_msg("%s, call %u: %s", questions[i].name, n, error_text(&p->err));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_append_that_fails_is_made_good, setup, teardown),
        cmocka_unit_test_setup_teardown(an_append_that_fails_twice_is_made_good, setup, teardown),
        cmocka_unit_test_setup_teardown(an_append_that_is_interrupted_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told_and_accuses_nobody, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_interrupted_is_read_to_its_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
