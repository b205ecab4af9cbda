/* verify: every way in which case, journal and private state can come apart. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "failing_sql.h"
#include "journal_place.h"
#include "record/verify.h"

#define ID "0123456789abcdef0123456789abcdef"

/* A cabinet whose one case is the journal's place; the private state beside it. */
struct office {
    struct journal_place p;
    char dir[40];
    struct state *s;
    struct str told;
    struct verify_counts counts;
    int silent;
    void (*meanwhile)(struct office *o); /* once, before the first document is hashed */
};

static int setup(void **state)
{
    struct office *o = xcalloc(1, sizeof *o);

    *state = o;
    strcpy(o->dir, "/tmp/private-XXXXXX");
    if (journal_place_make(&o->p) < 0 || !mkdtemp(o->dir))
        return -1;
    o->s = state_open(o->dir, false, &o->p.err);
    return o->s ? 0 : -1;
}

static int teardown(void **state)
{
    struct office *o = *state;
    int rc;

    state_close(o->s);
    str_clear(&o->told);
    rc = journal_place_clear(&o->p) | remove_tree(o->dir);
    free(o);
    return rc;
}

static void write_file(struct office *o, const char *path, const char *text)
{
    int fd = openat(o->p.fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void journal_doc(struct office *o, const char *kind, const struct doc *d)
{
    AUTO_STR struct str b = STR_INIT;
    enum journal_standing standing;
    char hex[DIGEST_HEX];
    const char *body;

    journal_body(&b, o->p.now, kind);
    json_num(&b, "doc", d->number);
    if (d->path)
        json_name(&b, "to", d->path);
    json_text(&b, "sha256", digest_hex(&d->digest, hex));
    body = str_c(&b);
    assert_int_equal(
        journal_append(o->p.fd, &o->p.head, &body, 1, 1, o->p.now, false, &standing, &o->p.err), 0);
    assert_int_equal(state_head_put(o->s, ID, &o->p.head, &o->p.err), 0);
}

/* A row for what lies at path. */
static int64_t put_row(struct office *o, int64_t n, const char *path, const char *text)
{
    struct doc d = {.case_id = ID, .number = n, .path = xstrdup(path), .state = DOC_FILED};
    int64_t number;

    d.digest = digest_of(text, strlen(text));
    doc_stamp_take(-1, o->p.fd, path, &d.stamp);
    assert_int_equal(state_doc_put(o->s, &d, &o->p.err), 0);
    number = d.number;
    doc_clear(&d);
    return number;
}

/* A document as it is when all is well. */
static int64_t file_doc(struct office *o, const char *path, const char *text)
{
    struct doc d;
    int64_t n;

    write_file(o, path, text);
    n = put_row(o, 0, path, text);
    assert_int_equal(state_doc_by_number(o->s, ID, n, &d, &o->p.err), 1);
    journal_doc(o, "filed", &d);
    doc_clear(&d);
    return n;
}

static void found(void *ctx, const struct verify_finding *f)
{
    struct office *o = ctx;

    assert_true(strlen(f->sentence) > 10);
    str_addf(&o->told, "%s:%s", verify_what_name(f->what), f->path);
    if (f->now)
        str_addf(&o->told, ">%s", f->now);
    str_addc(&o->told, ' ');
    o->silent += f->silent;
}

static bool ignored(void *ctx, const char *path, bool folder)
{
    (void)ctx;
    return (!folder && strcmp(path, "Index.html") == 0) || (folder && strcmp(path, "skip") == 0);
}

static bool meanwhile(void *ctx)
{
    struct office *o = ctx;

    if (o->meanwhile)
        o->meanwhile(o);
    o->meanwhile = NULL;
    return false;
}

static const char *verify(struct office *o)
{
    int root = open("/tmp", O_RDONLY | O_DIRECTORY);
    struct verify_options opt = {.root = root,
                                 .state = o->s,
                                 .case_id = ID,
                                 .case_path = o->p.path + strlen("/tmp/"),
                                 .found = found,
                                 .ignored = ignored,
                                 .stopped = meanwhile,
                                 .ctx = o};

    str_reset(&o->told);
    str_add(&o->told, "");
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), 0);
    close(root);
    assert_int_equal(verify_clean(&o->counts), o->told.len == 0);
    return str_c(&o->told);
}

static void an_orderly_case_is_clean(void **state)
{
    struct office *o = *state;

    mkdirat(o->p.fd, "Motions", 0755);
    file_doc(o, "Motions/a", "one");
    file_doc(o, "Motions/b", "");
    write_file(o, "Index.html", "page");
    mkdirat(o->p.fd, "skip", 0755);
    write_file(o, "skip/x", "x");
    assert_string_equal(verify(o), "");
    assert_int_equal(o->counts.documents, 2);
    assert_int_equal(o->counts.bytes, 3);
    assert_int_equal(o->counts.standing, JOURNAL_INTACT);
}

static void a_case_without_anything_is_clean(void **state)
{
    assert_string_equal(verify(*state), "");
}

static void a_changed_document_shows(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    write_file(o, "a", "three");
    assert_string_equal(verify(o), "changed:a ");
    assert_int_equal(o->silent, 0);
}

static void a_hidden_change_shows(void **state)
{
    struct office *o = *state;
    struct timespec times[2];
    struct stat st;

    file_doc(o, "a", "one");
    fstatat(o->p.fd, "a", &st, 0);
    write_file(o, "a", "two");
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    assert_int_equal(utimensat(o->p.fd, "a", times, 0), 0);
    assert_string_equal(verify(o), "changed:a ");
    assert_int_equal(o->silent, 1);
}

static void a_missing_document_shows(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    unlinkat(o->p.fd, "a", 0);
    assert_string_equal(verify(o), "missing:a ");
}

static void a_folder_in_its_place_is_missing(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    unlinkat(o->p.fd, "a", 0);
    mkdirat(o->p.fd, "a", 0755);
    assert_string_equal(verify(o), "missing:a ");
}

static void a_link_in_its_place_is_missing(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    file_doc(o, "b", "one");
    unlinkat(o->p.fd, "a", 0);
    assert_int_equal(symlinkat("b", o->p.fd, "a"), 0);
    assert_string_equal(verify(o), "missing:a ");
}

static void a_fifo_in_its_place_does_not_hang(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    unlinkat(o->p.fd, "a", 0);
    mkfifoat(o->p.fd, "a", 0644);
    assert_string_equal(verify(o), "missing:a ");
}

static void an_extra_file_shows(void **state)
{
    struct office *o = *state;

    mkdirat(o->p.fd, "deep", 0755);
    mkdirat(o->p.fd, "deep/er", 0755);
    write_file(o, "deep/er/x", "x");
    assert_string_equal(verify(o), "extra:deep/er/x ");
}

static void a_renamed_document_shows_as_one(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    file_doc(o, "b", "two");
    assert_int_equal(renameat(o->p.fd, "a", o->p.fd, "c"), 0);
    assert_string_equal(verify(o), "renamed:a>c ");
}

static void a_copy_under_another_name_is_found_by_content(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    write_file(o, "c", "one");
    write_file(o, "d", "eno");
    unlinkat(o->p.fd, "a", 0);
    assert_string_equal(verify(o), "extra:d renamed:a>c ");
}

static void a_removed_document_is_not_missed(void **state)
{
    struct office *o = *state;
    struct doc d;

    file_doc(o, "a", "one");
    state_doc_by_number(o->s, ID, 1, &d, &o->p.err);
    d.state = DOC_GONE;
    state_doc_put(o->s, &d, &o->p.err);
    journal_doc(o, "removed", &d);
    doc_clear(&d);
    unlinkat(o->p.fd, "a", 0);
    assert_string_equal(verify(o), "");
}

static void a_forged_table_shows(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    write_file(o, "a", "forged");
    put_row(o, 1, "a", "forged");
    assert_string_equal(verify(o), "table:a ");
}

static void a_row_without_a_line_shows(void **state)
{
    struct office *o = *state;

    write_file(o, "a", "one");
    put_row(o, 0, "a", "one");
    assert_string_equal(verify(o), "table:a ");
}

static void a_line_without_a_row_shows(void **state)
{
    struct office *o = *state;
    char path[] = "ghost";
    struct doc d = {.number = 9, .path = path};

    journal_doc(o, "filed", &d);
    assert_string_equal(verify(o), "table:ghost ");
}

static void a_removal_of_which_the_table_knows_nothing_shows(void **state)
{
    struct office *o = *state;
    struct doc d;

    file_doc(o, "a", "one");
    state_doc_by_number(o->s, ID, 1, &d, &o->p.err);
    journal_doc(o, "removed", &d);
    doc_clear(&d);
    assert_string_equal(verify(o), "table:a ");
}

static void lines_in_the_outbox_count(void **state)
{
    struct office *o = *state;
    AUTO_STR struct str b = STR_INIT;
    struct digest digest = digest_of("two", 3);
    char hex[DIGEST_HEX];

    file_doc(o, "a", "one");
    write_file(o, "a", "two");
    put_row(o, 1, "a", "two");
    journal_body(&b, NOW, "edited");
    json_num(&b, "doc", 1);
    json_text(&b, "sha256", digest_hex(&digest, hex));
    assert_int_equal(state_outbox_add(o->s, ID, str_c(&b), &o->p.err), 0);
    state_outbox_add(o->s, "other", "\"kind\":\"x\"", &o->p.err);
    assert_string_equal(verify(o), "");
}

/* What a line leaves open is no difference: content that it does not tell, or tells as no digest.
 */
static void lines_that_say_little_accuse_nobody(void **state)
{
    struct office *o = *state;
    const char *more[] = {"\"kind\":\"indexed\",\"doc\":1,\"to\":\"a\"",
                          "\"kind\":\"indexed\",\"doc\":2,\"to\":\"b\",\"sha256\":\"none\""};
    enum journal_standing standing;
    struct doc d = {.case_id = ID, .path = xstrdup("seen"), .state = DOC_LISTED};

    write_file(o, "a", "one");
    write_file(o, "b", "two");
    write_file(o, "seen", "listed, and no more");
    put_row(o, 0, "a", "one");
    put_row(o, 0, "b", "two");
    d.digest = digest_of("listed, and no more", strlen("listed, and no more"));
    doc_stamp_take(-1, o->p.fd, "seen", &d.stamp);
    assert_int_equal(state_doc_put(o->s, &d, &o->p.err), 0);
    doc_clear(&d);
    assert_int_equal(journal_append(o->p.fd, &o->p.head, more, 2, 2, NOW, false, &standing, &o->p.err),
                     0);
    assert_int_equal(state_head_put(o->s, ID, &o->p.head, &o->p.err), 0);
    assert_int_equal(state_outbox_add(o->s, ID, "no line at all", &o->p.err), 0);
    assert_int_equal(state_outbox_add(o->s, ID, "\"doc\":1", &o->p.err), 0);
    assert_string_equal(verify(o), "");
}

/* A document of which only the number is told. */
static void a_line_without_a_place_and_a_row_shows(void **state)
{
    struct office *o = *state;

    journal_place_say(&o->p, "noted", 7, NULL, NULL);
    assert_int_equal(state_head_put(o->s, ID, &o->p.head, &o->p.err), 0);
    assert_string_equal(verify(o), "table: ");
}

static int take_unheard(void *ctx, const struct doc *d)
{
    struct str *s = ctx;

    str_addf(s, "%lld:%s:%s ", (long long)d->number, doc_state_name(d->state),
             d->path ? d->path : "-");
    return s->len > 30 ? 7 : 0;
}

/* What has to be told to a journal that is taken up as it is: what it does not know, and what it
 * alone knows. */
static void what_a_journal_has_not_heard_is_found(void **state)
{
    struct office *o = *state;
    AUTO_STR struct str s = STR_INIT;
    unsigned n = 0;

    file_doc(o, "a", "one");
    write_file(o, "b", "two");
    put_row(o, 0, "b", "two");
    journal_place_say(&o->p, "filed", 9, "Inbox/c", "c");
    assert_int_equal(state_outbox_add(o->s, "other", "\"kind\":\"filed\",\"doc\":2", &o->p.err), 0);
    for (bool hit = true; hit;) {
        int rc;

        str_reset(&s);
        sql_fail_at(++n, SQLITE_IOERR);
        o->p.err = (struct error)ERROR_INIT;
        rc = verify_unheard(o->p.fd, o->s, ID, take_unheard, &s, &o->p.err);
        hit = sql_was_hit();
        state_rest(o->s);
        assert_int_equal(rc, hit ? -1 : 0);
        assert_int_equal(*o->p.err.text != '\0', hit);
    }
    assert_true(n > 3);
    assert_string_equal(str_c(&s), "2:filed:b 9:gone:c ");
    /* Who has heard enough says so. */
    journal_place_say(&o->p, "filed", 10, "Inbox/d", "dddddddddddddddddd");
    journal_place_say(&o->p, "filed", 11, "Inbox/e", "e");
    str_reset(&s);
    assert_int_equal(verify_unheard(o->p.fd, o->s, ID, take_unheard, &s, &o->p.err), 7);
    assert_null(strstr(str_c(&s), "11:"));
}

static void an_edited_journal_shows(void **state)
{
    struct office *o = *state;
    int fd;

    file_doc(o, "a", "one");
    file_doc(o, "b", "two");
    fd = openat(o->p.fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY);
    assert_int_equal(pwrite(fd, "7", 1, 12), 1);
    close(fd);
    assert_non_null(strstr(verify(o), "journal: "));
    assert_true(o->counts.found[VERIFY_JOURNAL] > 0);
}

static void a_lost_journal_shows(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    unlinkat(o->p.fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0);
    assert_string_equal(verify(o), "journal: table:a ");
    assert_int_equal(o->counts.standing, JOURNAL_MISSING);
}

static void a_waiting_document_is_left_alone(void **state)
{
    struct office *o = *state;
    struct doc d = {.case_id = ID, .path = xstrdup("w"), .state = DOC_WAITING};

    write_file(o, "w", "half");
    state_doc_put(o->s, &d, &o->p.err);
    doc_clear(&d);
    assert_string_equal(verify(o), "");
}

static void edit_and_record(struct office *o)
{
    struct doc d;

    write_file(o, "a", "edited");
    put_row(o, 1, "a", "edited");
    assert_int_equal(renameat(o->p.fd, "b", o->p.fd, "c"), 0);
    put_row(o, 2, "c", "two");
    state_doc_by_number(o->s, ID, 1, &d, &o->p.err);
    journal_doc(o, "edited", &d);
    doc_clear(&d);
}

static void what_is_recorded_meanwhile_is_no_finding(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    file_doc(o, "b", "two");
    o->meanwhile = edit_and_record;
    assert_string_equal(verify(o), "");
}

static int failing(void *ctx, int fd, struct digest *d)
{
    (void)ctx, (void)fd, (void)d;
    errno = EIO;
    return -1;
}

static void an_unreadable_document_is_told(void **state)
{
    struct office *o = *state;
    struct verify_options opt = {.state = o->s,
                                 .case_id = ID,
                                 .case_path = o->p.path + strlen("/tmp/"),
                                 .found = found,
                                 .digest = failing,
                                 .ctx = o};

    file_doc(o, "a", "one");
    opt.root = open("/tmp", O_RDONLY | O_DIRECTORY);
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), 0);
    close(opt.root);
    assert_string_equal(str_c(&o->told), "unreadable:a ");
}

static void lose_the_table(struct office *o)
{
    AUTO_FREE char *path = xasprintf("%s/state.db", o->dir);
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE docs", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void an_unreadable_private_state_is_an_error(void **state)
{
    struct office *o = *state;
    struct verify_options opt = {
        .state = o->s, .case_id = ID, .case_path = o->p.path + strlen("/tmp/"), .ctx = o};

    file_doc(o, "a", "one");
    lose_the_table(o);
    opt.root = open("/tmp", O_RDONLY | O_DIRECTORY);
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), -1);
    close(opt.root);
}

static void a_private_state_that_breaks_meanwhile_is_an_error(void **state)
{
    struct office *o = *state;
    struct verify_options opt = {.state = o->s,
                                 .case_id = ID,
                                 .case_path = o->p.path + strlen("/tmp/"),
                                 .stopped = meanwhile,
                                 .ctx = o};

    file_doc(o, "a", "one");
    o->meanwhile = lose_the_table;
    opt.root = open("/tmp", O_RDONLY | O_DIRECTORY);
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), -1);
    close(opt.root);
}

/* The old bytes were read, then the document was edited and recorded. */
static int overtaken(void *ctx, int fd, struct digest *d)
{
    struct office *o = ctx;
    char buf[16];
    ssize_t n = read(fd, buf, sizeof buf);

    *d = digest_of(buf, n > 0 ? (size_t)n : 0);
    if (o->meanwhile) {
        *d = digest_of("half", 4);
        o->meanwhile(o);
        o->meanwhile = NULL;
    }
    return 0;
}

static void an_edit_while_it_is_read_is_no_finding(void **state)
{
    struct office *o = *state;
    struct verify_options opt = {.state = o->s,
                                 .case_id = ID,
                                 .case_path = o->p.path + strlen("/tmp/"),
                                 .found = found,
                                 .digest = overtaken,
                                 .ctx = o};

    file_doc(o, "a", "one");
    file_doc(o, "b", "two");
    o->meanwhile = edit_and_record;
    opt.root = open("/tmp", O_RDONLY | O_DIRECTORY);
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), 0);
    close(opt.root);
    assert_string_equal(str_c(&o->told), "");
    assert_int_equal(o->counts.documents, 2);
}

static void remove_and_record(struct office *o)
{
    struct doc d;

    unlinkat(o->p.fd, "a", 0);
    state_doc_by_number(o->s, ID, 1, &d, &o->p.err);
    d.state = DOC_GONE;
    state_doc_put(o->s, &d, &o->p.err);
    doc_clear(&d);
}

static void what_is_removed_meanwhile_is_not_missed(void **state)
{
    struct office *o = *state;

    file_doc(o, "a", "one");
    o->meanwhile = remove_and_record;
    assert_string_equal(verify(o), "");
}

/* ---- ended early
 * ----------------------------------------------------------------------------------- */

static unsigned asked, stop_at;

static bool stop_then(void *ctx)
{
    (void)ctx;
    return ++asked >= stop_at;
}

/* One of each kind. */
static void make_disorder(struct office *o)
{
    mkdirat(o->p.fd, "Motions", 0755);
    file_doc(o, "Motions/fine", "fine");
    file_doc(o, "changed", "one");
    file_doc(o, "removed", "removed");
    file_doc(o, "renamed", "renamed");
    write_file(o, "changed", "another");
    unlinkat(o->p.fd, "removed", 0);
    renameat(o->p.fd, "renamed", o->p.fd, "Motions/new name");
    write_file(o, "Motions/copy of it", "renamed");
    write_file(o, "extra", "nobody's");
}

static struct verify_options options(struct office *o)
{
    return (struct verify_options){.root = open("/tmp", O_RDONLY | O_DIRECTORY),
                                   .state = o->s,
                                   .case_id = ID,
                                   .case_path = o->p.path + strlen("/tmp/"),
                                   .found = found,
                                   .ctx = o};
}

static void whenever_it_is_stopped_nothing_is_accused_that_is_in_order(void **state)
{
    struct office *o = *state;
    struct verify_options opt = options(o);

    make_disorder(o);
    opt.stopped = stop_then;
    stop_at = 0;
    do {
        asked = 0;
        stop_at++;
        str_reset(&o->told);
        memset(&o->counts, 0, sizeof o->counts);
        assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), 0);
        assert_null(strstr(str_c(&o->told), "fine"));
        assert_null(strstr(str_c(&o->told), "journal"));
    } while (asked >= stop_at);
    assert_true(stop_at > 10);
    close(opt.root);
    /* Whether the one or the other counts as the renamed one, both lie there. */
    assert_non_null(strstr(o->told.s, "changed:changed "));
    assert_non_null(strstr(o->told.s, "missing:removed "));
    assert_non_null(strstr(o->told.s, "renamed:renamed>Motions/"));
    assert_non_null(strstr(o->told.s, "extra:Motions/"));
    assert_non_null(strstr(o->told.s, "extra:extra "));
}

static void a_private_state_that_fails_accuses_nobody(void **state)
{
    struct office *o = *state;
    struct verify_options opt = options(o);
    unsigned n = 0;
    bool hit;
    int rc;

    make_disorder(o);
    do {
        struct error err = ERROR_INIT;

        str_reset(&o->told);
        memset(&o->counts, 0, sizeof o->counts);
        sql_fail_at(++n, SQLITE_IOERR);
        rc = verify_case(&opt, &o->counts, &err);
        hit = sql_was_hit();
        state_rest(o->s);
        assert_true(rc == 0 || *err.text != '\0');
        assert_null(strstr(str_c(&o->told), "fine"));
    } while (hit);
    assert_int_equal(rc, 0);
    close(opt.root);
    assert_true(n > 10);
    assert_int_equal(o->counts.documents, 4);
}

static void who_is_not_told_can_count(void **state)
{
    struct office *o = *state;
    struct verify_options opt = options(o);

    make_disorder(o);
    opt.found = NULL;
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), 0);
    close(opt.root);
    assert_false(verify_clean(&o->counts));
    assert_string_equal(verify_what_name((enum verify_what)1000), "");
}

static void only_a_case_that_is_there(void **state)
{
    struct office *o = *state;
    struct verify_options opt = {.state = o->s, .case_id = ID, .case_path = "no such case"};

    opt.root = o->p.fd;
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), -1);
    assert_int_equal(o->p.err.number, ENOENT);
    opt.case_id = "";
    assert_int_equal(verify_case(&opt, &o->counts, &o->p.err), -1);
}

/* ---- beside a daemon that writes ---------------------------------------------------------------
 */

#define LINES 400

struct writer {
    struct office *o;
    bool ok, ended;
};

/* As the filer does: a line into the outbox, then into the journal, the head with a later line. */
static bool write_line(struct writer *w, struct state *s, struct journal_head *head, bool settle)
{
    static const char body[] = "\"at\":\"2026-03-02T00:00:00Z\",\"kind\":\"indexed\"";
    enum journal_standing standing;
    const char *bodies[] = {body};
    struct error err = ERROR_INIT;
    struct journal_head was = *head;

    return state_begin(s, &err) == 0 &&
           (!was.seq || (state_head_put(s, ID, &was, &err) == 0 &&
                         state_outbox_done(s, ID, 0, INT64_MAX, &err) == 0)) &&
           state_outbox_add(s, ID, body, &err) == 0 && state_commit(s, &err) == 0 &&
           journal_append(w->o->p.fd, head, bodies, 1, 1, NOW, false, &standing, &err) == 0 &&
           (!settle ||
            (state_begin(s, &err) == 0 && state_head_put(s, ID, head, &err) == 0 &&
             state_outbox_done(s, ID, 0, INT64_MAX, &err) == 0 && state_commit(s, &err) == 0));
}

static void *write_lines(void *arg)
{
    struct writer *w = arg;
    struct journal_head head = {0};

    w->ok = true;
    for (int i = 0; i < LINES && w->ok; i++)
        w->ok = write_line(w, w->o->s, &head, i % 3 == 2);
    __atomic_store_n(&w->ended, true, __ATOMIC_RELEASE);
    return NULL;
}

/* Whatever is on its way: nobody is told that the history was changed. */
static void a_journal_that_is_being_written_is_no_finding(void **state)
{
    struct office *o = *state;
    struct writer w = {.o = o};
    int root = open("/tmp", O_RDONLY | O_DIRECTORY);
    struct verify_options opt = {.root = root,
                                 .state = state_open(o->dir, false, &o->p.err),
                                 .case_id = ID,
                                 .case_path = o->p.path + 5,
                                 .found = found,
                                 .ctx = o};
    unsigned looks = 0;
    pthread_t thread;

    assert_non_null(opt.state);
    assert_int_equal(pthread_create(&thread, NULL, write_lines, &w), 0);
    while (!__atomic_load_n(&w.ended, __ATOMIC_ACQUIRE)) {
        struct error err = ERROR_INIT;

        assert_int_equal(verify_journal(&opt, looks++ % 2, &o->counts, &err), 0);
        assert_string_equal(str_c(&o->told), "");
    }
    pthread_join(thread, NULL);
    assert_true(w.ok);
    assert_true(looks > 5);
    state_close(opt.state);
    close(root);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_orderly_case_is_clean),
        T(a_case_without_anything_is_clean),
        T(a_changed_document_shows),
        T(a_hidden_change_shows),
        T(a_missing_document_shows),
        T(a_folder_in_its_place_is_missing),
        T(a_link_in_its_place_is_missing),
        T(a_fifo_in_its_place_does_not_hang),
        T(an_extra_file_shows),
        T(a_renamed_document_shows_as_one),
        T(a_copy_under_another_name_is_found_by_content),
        T(a_removed_document_is_not_missed),
        T(a_forged_table_shows),
        T(a_row_without_a_line_shows),
        T(a_line_without_a_row_shows),
        T(a_removal_of_which_the_table_knows_nothing_shows),
        T(lines_in_the_outbox_count),
        T(lines_that_say_little_accuse_nobody),
        T(a_line_without_a_place_and_a_row_shows),
        T(what_a_journal_has_not_heard_is_found),
        T(an_edited_journal_shows),
        T(a_lost_journal_shows),
        T(a_waiting_document_is_left_alone),
        T(what_is_recorded_meanwhile_is_no_finding),
        T(an_unreadable_document_is_told),
        T(an_unreadable_private_state_is_an_error),
        T(a_private_state_that_breaks_meanwhile_is_an_error),
        T(an_edit_while_it_is_read_is_no_finding),
        T(what_is_removed_meanwhile_is_not_missed),
        T(whenever_it_is_stopped_nothing_is_accused_that_is_in_order),
        T(a_private_state_that_fails_accuses_nobody),
        T(who_is_not_told_can_count),
        T(only_a_case_that_is_there),
        T(a_journal_that_is_being_written_is_no_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
