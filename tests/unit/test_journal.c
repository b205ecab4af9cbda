/* journal: the chain, the head, and what becomes of bytes that are not ours. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "record/journal.h"

/* The system calls on which durability hangs, counted, and failing when a test says so. */
static struct {
    int data_syncs, folder_syncs;
    int fail_data, fail_folder; /* errno */
    int fd;                     /* where a stranger appends before the next write; 0: nowhere */
    size_t most;                /* bytes that a write takes; 0: all */
    bool interrupt;             /* the next write is interrupted */
    int reads;                  /* counts down; the read that makes it 0 fails … */
    int read_error;             /* … with this */
} sys;

/* By its symbol: under _FORTIFY_SOURCE the headers have a pread() of their own. */
ssize_t counted_pread(int fd, void *p, size_t n, off_t at) __asm__("pread");
ssize_t counted_pread(int fd, void *p, size_t n, off_t at)
{
    if (sys.reads && --sys.reads == 0) {
        errno = sys.read_error;
        return -1;
    }
    return syscall(SYS_pread64, fd, p, n, at);
}

int fdatasync(int fd)
{
    sys.data_syncs++;
    errno = sys.fail_data;
    return sys.fail_data ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    sys.folder_syncs++;
    errno = sys.fail_folder;
    return sys.fail_folder ? -1 : (int)syscall(SYS_fsync, fd);
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (sys.fd) {
        syscall(SYS_write, sys.fd, "stranger\n", 9);
        sys.fd = 0;
    }
    if (sys.interrupt) {
        sys.interrupt = false;
        errno = EINTR;
        return -1;
    }
    return syscall(SYS_write, fd, p, sys.most && n > sys.most ? sys.most : n);
}

#define NOW INT64_C(1764000000000000000)

/* A case folder of its own for each test. */
struct place {
    char path[32];
    int fd;
    struct journal_head head;
    struct error err;
    enum journal_standing standing;
    bool mounted;
};

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    memset(&sys, 0, sizeof sys);
    strcpy(p->path, "/tmp/journal-XXXXXX");
    if (!mkdtemp(p->path))
        return -1;
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = p;
    return p->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    unlinkat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0);
    unlinkat(p->fd, JOURNAL_FOLDER "/other", 0);
    if (unlinkat(p->fd, JOURNAL_FOLDER, AT_REMOVEDIR) < 0)
        unlinkat(p->fd, JOURNAL_FOLDER, 0);
    unlinkat(p->fd, "elsewhere/" JOURNAL_NAME, 0);
    unlinkat(p->fd, "elsewhere", AT_REMOVEDIR);
    unlinkat(p->fd, "Case.txt", 0);
    close(p->fd);
    if (p->mounted)
        umount(p->path);
    if (rmdir(p->path) < 0)
        return -1;
    free(p);
    return 0;
}

static void body_of(struct str *b, int i)
{
    journal_body(b, NOW + i, i ? "filed" : "opened");
    if (!i)
        json_text(b, "case", "0123456789abcdef0123456789abcdef");
    json_num(b, "doc", i);
}

/* Appends bodies first … first + n - 1. */
static int add(struct place *p, int first, int n)
{
    struct str *b = xcalloc((size_t)n, sizeof *b);
    const char **bodies = xcalloc((size_t)n, sizeof *bodies);
    int rc;

    for (int i = 0; i < n; i++) {
        body_of(&b[i], first + i);
        bodies[i] = str_c(&b[i]);
    }
    rc = journal_append(p->fd, &p->head, bodies, (size_t)n, (size_t)n, NOW, true, &p->standing, &p->err);
    for (int i = 0; i < n; i++)
        str_clear(&b[i]);
    free(b);
    free(bodies);
    return rc;
}

static int add_body(struct place *p, const char *kind)
{
    AUTO_STR struct str b = STR_INIT;
    const char *body;

    journal_body(&b, NOW, kind);
    body = str_c(&b);
    return journal_append(p->fd, &p->head, &body, 1, 1, NOW, true, &p->standing, &p->err);
}

static void slurp(struct place *p, struct str *out)
{
    int fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_RDONLY);

    str_reset(out);
    assert_true(fd >= 0);
    assert_int_equal(io_read_all(fd, out, 1 << 24), 0);
    close(fd);
}

static void put(struct place *p, const char *bytes, size_t n)
{
    int fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY | O_TRUNC | O_CREAT, 0666);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, bytes, n), 0);
    close(fd);
}

static void put_more(struct place *p, const char *s)
{
    int fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY | O_APPEND);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, s, strlen(s)), 0);
    close(fd);
}

static void cut(struct place *p, int64_t size)
{
    int fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static void no_fault(void *ctx, uint64_t line, const char *what)
{
    (void)ctx, (void)line;
    assert_true(strlen(what) > 10);
}

static int faults(struct place *p)
{
    return journal_check(p->fd, &p->head, no_fault, NULL, &p->standing, &p->err);
}

static size_t count_lines(struct place *p, const char *with)
{
    AUTO_STR struct str s = STR_INIT;
    size_t n = 0;

    slurp(p, &s);
    for (const char *q = str_c(&s); (q = strstr(q, with)); q++)
        n++;
    return n;
}

static void first_append_makes_the_journal(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str s = STR_INIT;
    static const char start[] =
        "{\"v\":1,\"seq\":1,\"prev\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\",\"at\":\"2025-11-24T";

    assert_int_equal(add(p, 0, 1), 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
    slurp(p, &s);
    assert_memory_equal(s.s, start, strlen(start));
    assert_int_equal(s.s[s.len - 1], '\n');
    assert_int_equal(p->head.seq, 1);
    assert_int_equal(p->head.size, s.len);
}

static void a_chain_of_batches_has_no_fault(void **state)
{
    struct place *p = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(add(p, i * 3, 3), 0);
    assert_int_equal(p->head.seq, 15);
    assert_int_equal(faults(p), 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
}

static void nothing_to_append_changes_nothing(void **state)
{
    struct place *p = *state;
    struct journal_head was;

    add(p, 0, 2);
    was = p->head;
    assert_int_equal(journal_append(p->fd, &p->head, NULL, 0, 0, NOW, true, &p->standing, &p->err), 0);
    assert_memory_equal(&was, &p->head, sizeof was);
    assert_int_equal(faults(p), 0);
}

static void no_journal_and_no_head_is_intact(void **state)
{
    struct place *p = *state;
    char id[CASE_ID_SIZE];

    assert_int_equal(faults(p), 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
    assert_int_equal(journal_case_id(p->fd, id, &p->err), 0);
    assert_string_equal(id, "");
}

static void the_first_line_tells_the_case(void **state)
{
    struct place *p = *state;
    char id[CASE_ID_SIZE];

    add(p, 0, 3);
    assert_int_equal(journal_case_id(p->fd, id, &p->err), 0);
    assert_string_equal(id, "0123456789abcdef0123456789abcdef");
}

static void last_finds_the_head(void **state)
{
    struct place *p = *state;
    struct journal_head found;

    add(p, 0, 4);
    assert_int_equal(journal_last(p->fd, &found, &p->err), 0);
    assert_memory_equal(&found, &p->head, sizeof found);
    put_more(p, "{\"torn");
    assert_int_equal(journal_last(p->fd, &found, &p->err), 0);
    assert_memory_equal(&found, &p->head, sizeof found);
}

/* A crash at every byte of an append: what is missing is completed, nothing is there twice. */
static void every_torn_append_is_completed(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    AUTO_STR struct str again = STR_INIT;
    struct journal_head before, after;

    add(p, 0, 2);
    before = p->head;
    add(p, 2, 3);
    after = p->head;
    slurp(p, &whole);
    for (size_t n = (size_t)before.size; n <= whole.len; n++) {
        put(p, whole.s, n);
        p->head = before;
        assert_int_equal(add(p, 2, 3), 0);
        assert_int_equal(p->standing, n == (size_t)before.size ? JOURNAL_INTACT : JOURNAL_TAIL_OWN);
        slurp(p, &again);
        assert_string_equal(str_c(&again), str_c(&whole));
        assert_memory_equal(&p->head, &after, sizeof after);
    }
}

/* ext4 can have the file's new size on the disk, and zeros where the bytes did not come there. */
static void what_a_power_cut_left_as_zeros_is_written(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    AUTO_STR struct str again = STR_INIT;
    struct str b[3] = {STR_INIT, STR_INIT, STR_INIT};
    const char *bodies[3];
    struct journal_head before, after;
    size_t from, n;

    for (size_t i = 0; i < 3; i++) {
        body_of(&b[i], 2 + (int)i);
        bodies[i] = str_c(&b[i]);
    }
    add(p, 0, 2);
    before = p->head;
    add(p, 2, 3);
    after = p->head;
    slurp(p, &whole);
    from = (size_t)before.size;
    n = whole.len - from;
    for (size_t i = 0; i < n; i += 7) {
        const size_t ends[] = {i + 1, i + 40 < n ? i + 40 : n, n};

        for (size_t k = 0; k < 3; k++) {
            AUTO_FREE char *text = xstrdup(whole.s);
            struct journal_picture picture = {(int64_t)whole.len, before, bodies, 3};

            memset(text + from + i, 0, ends[k] - i);
            put(p, text, whole.len);
            assert_int_equal(
                journal_check_pending(p->fd, &picture, no_fault, NULL, &p->standing, &p->err), 0);
            assert_int_equal(p->standing, JOURNAL_TAIL_OWN);
            p->head = before;
            assert_int_equal(journal_append(p->fd, &p->head, bodies, 3, 3, NOW, i % 2,
                                            &p->standing, &p->err),
                             0);
            assert_int_equal(p->standing, JOURNAL_TAIL_OWN);
            slurp(p, &again);
            assert_int_equal(again.len, whole.len);
            assert_memory_equal(again.s, whole.s, whole.len);
            assert_memory_equal(&p->head, &after, sizeof after);
        }
    }
    for (size_t i = 0; i < 3; i++)
        str_clear(&b[i]);
}

/* Zeros that are not in the place of a line of ours, and a line of ours that another byte is in. */
static void other_zeros_are_foreign(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    struct journal_head before;

    add(p, 0, 2);
    before = p->head;
    slurp(p, &whole);
    for (int i = 0; i < 600; i++)
        str_addc(&whole, '\0');
    put(p, whole.s, whole.len);
    assert_int_equal(add(p, 2, 1), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    assert_true(faults(p) > 0);
    whole.s[(size_t)before.size + 5] = 'x';
    put(p, whole.s, (size_t)before.size + 50);
    p->head = before;
    assert_int_equal(add(p, 2, 1), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
}

/* A stranger's, in the place of a line that nobody had begun to write. */
static void zeros_where_nobody_was_writing_are_foreign(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    AUTO_STR struct str again = STR_INIT;
    AUTO_STR struct str one = STR_INIT;
    AUTO_STR struct str two = STR_INIT;
    struct journal_head before;
    const char *bodies[2];
    char zeros[10] = {0};

    add(p, 0, 1);
    before = p->head;
    slurp(p, &whole);
    body_of(&one, 1);
    body_of(&two, 2);
    bodies[0] = str_c(&one);
    bodies[1] = str_c(&two);
    str_add(&whole, "{\"v\":1");
    for (size_t tried = 0; tried <= 2; tried++) {
        AUTO_STR struct str text = STR_INIT;

        str_addn(&text, whole.s, whole.len);
        str_addn(&text, zeros, sizeof zeros);
        put(p, text.s, text.len);
        p->head = before;
        assert_int_equal(journal_append(p->fd, &p->head, bodies, 2, tried, NOW, true, &p->standing,
                                        &p->err),
                         0);
        assert_int_equal(p->standing, tried ? JOURNAL_TAIL_OWN : JOURNAL_FOREIGN);
        slurp(p, &again);
        assert_non_null(memmem(again.s, again.len, "\"doc\":1", 7));
        assert_non_null(memmem(again.s, again.len, "\"doc\":2", 7));
        assert_int_equal(faults(p) > 0, tried == 0);
    }
    /* In the place of both lines, of which the second was not begun. */
    for (size_t tried = 1; tried <= 2; tried++) {
        AUTO_STR struct str text = STR_INIT;

        str_addn(&text, again.s, again.len - 1);
        memset(text.s + before.size, 0, text.len - (size_t)before.size);
        put(p, text.s, text.len);
        p->head = before;
        assert_int_equal(journal_append(p->fd, &p->head, bodies, 2, tried, NOW, true, &p->standing,
                                        &p->err),
                         0);
        assert_int_equal(p->standing, tried == 2 ? JOURNAL_TAIL_OWN : JOURNAL_FOREIGN);
    }
}

/* With bytes of a stranger's behind: what is zeros is written once more, what is whole too. */
static void a_line_that_is_zeros_is_not_kept(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    AUTO_STR struct str again = STR_INIT;
    struct journal_head before, first;

    add(p, 0, 1);
    before = p->head;
    add(p, 1, 1);
    first = p->head;
    add(p, 2, 1);
    slurp(p, &whole);
    memset(whole.s + before.size, 0, (size_t)(first.size - before.size));
    str_add(&whole, "junk");
    put(p, whole.s, whole.len);
    p->head = before;
    assert_int_equal(add(p, 1, 2), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    slurp(p, &again);
    assert_memory_equal(again.s, whole.s, whole.len);
    assert_non_null(strstr(again.s + whole.len, "\"kept\":0"));
    assert_non_null(strstr(again.s + whole.len, "\"doc\":1"));
    assert_non_null(strstr(again.s + whole.len, "\"doc\":2"));
}

static int64_t last_change(struct place *p, struct journal_head *cut)
{
    int64_t at = -1;

    if (journal_last_change(p->fd, &p->head, cut, &at, &p->err) < 0)
        fail_msg("%s", error_text(&p->err));
    return at;
}

/* Up to there a snapshot takes the journal along. */
static void the_last_change_is_before_what_is_told_of_archives(void **state)
{
    struct place *p = *state;
    struct journal_head cut, change;
    AUTO_STR struct str b = STR_INIT;
    const char *body = "\"kind\":\"filed\"";

    assert_int_equal(last_change(p, &cut), 0);
    assert_int_equal(cut.size, 0);
    assert_int_equal(add_body(p, "archived"), 0);
    assert_int_equal(add_body(p, "verified"), 0);
    /* Nothing but archives so far. */
    assert_int_equal(last_change(p, &cut), 0);
    assert_int_equal(cut.seq, 0);
    assert_int_equal(cut.size, 0);
    assert_true(digest_is_zero(&cut.hash));
    assert_int_equal(add(p, 1, 1), 0);
    change = p->head;
    assert_int_equal(add_body(p, "pruned"), 0);
    assert_int_equal(last_change(p, &cut), NOW); /* in microseconds */
    assert_int_equal(cut.seq, change.seq);
    assert_int_equal(cut.size, change.size);
    assert_true(digest_equal(&cut.hash, &change.hash));
    /* One too long to be about an archive, whatever it says. */
    journal_body(&b, NOW + 5000, "archived");
    str_add(&b, ",\"note\":\"");
    for (int i = 0; i < 10000; i++)
        str_addc(&b, 'x');
    str_addc(&b, '"');
    body = str_c(&b);
    assert_int_equal(journal_append(p->fd, &p->head, &body, 1, 1, NOW, true, &p->standing, &p->err),
                     0);
    assert_int_equal(last_change(p, &cut), NOW + 5000);
    assert_int_equal(cut.size, p->head.size);
    /* Two that do not say when. */
    body = "\"kind\":\"filed\"";
    assert_int_equal(journal_append(p->fd, &p->head, &body, 1, 1, NOW, true, &p->standing, &p->err),
                     0);
    assert_int_equal(last_change(p, &cut), 0);
    assert_int_equal(cut.size, p->head.size);
    body = "\"at\":\"yesterday\",\"doc\":1";
    assert_int_equal(journal_append(p->fd, &p->head, &body, 1, 1, NOW, true, &p->standing, &p->err),
                     0);
    assert_int_equal(last_change(p, &cut), 0);
    assert_int_equal(cut.size, p->head.size);
}

static void a_pending_tail_is_no_fault(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    AUTO_STR struct str b = STR_INIT;
    struct journal_head before;
    const char *body;

    add(p, 0, 2);
    before = p->head;
    add(p, 2, 1);
    slurp(p, &whole);
    body_of(&b, 2);
    body = str_c(&b);
    for (size_t n = (size_t)before.size; n <= whole.len; n++) {
        struct journal_picture picture = {(int64_t)n, before, &body, 1};

        put(p, whole.s, n);
        assert_int_equal(journal_size(p->fd, &p->err), n);
        assert_int_equal(
            journal_check_pending(p->fd, &picture, no_fault, NULL, &p->standing, &p->err), 0);
        assert_int_equal(journal_stands(p->fd, &picture, &p->standing, &p->err), 0);
        assert_int_equal(p->standing, n == (size_t)before.size ? JOURNAL_INTACT : JOURNAL_TAIL_OWN);
    }
    p->head = before;
    assert_true(faults(p) > 0);
}

/* The size was taken, then head and outbox, then lines were added of which those know nothing. */
static void what_is_written_later_is_not_looked_at(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str b = STR_INIT;
    struct journal_picture picture = {0};
    const char *body;

    body_of(&b, 2);
    body = str_c(&b);
    add(p, 0, 2);
    picture.head = p->head;
    picture.size = journal_size(p->fd, &p->err);
    add(p, 2, 3);
    assert_int_equal(journal_stands(p->fd, &picture, &p->standing, &p->err), 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
    assert_int_equal(journal_check_pending(p->fd, &picture, no_fault, NULL, &p->standing, &p->err),
                     0);
    picture.size += 10; /* a line was half written then */
    assert_int_equal(journal_stands(p->fd, &picture, &p->standing, &p->err), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    picture.bodies = &body;
    picture.n = 1;
    assert_int_equal(journal_stands(p->fd, &picture, &p->standing, &p->err), 0);
    assert_int_equal(p->standing, JOURNAL_TAIL_OWN);
    assert_int_equal(journal_check_pending(p->fd, &picture, no_fault, NULL, &p->standing, &p->err),
                     0);
}

static void foreign_bytes_are_closed_and_noted(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str s = STR_INIT;

    add(p, 0, 2);
    put_more(p, "I was here");
    assert_int_equal(add(p, 2, 1), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    slurp(p, &s);
    assert_non_null(strstr(str_c(&s), "\nI was here\n{\"v\":1,\"seq\":3,"));
    assert_int_equal(count_lines(p, "\"kind\":\"foreign\""), 1);
    assert_int_equal(count_lines(p, "\"doc\":2"), 1);
    assert_int_equal(p->head.seq, 4);
    assert_true(faults(p) > 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
}

static void our_lines_before_foreign_bytes_are_kept(void **state)
{
    struct place *p = *state;
    struct journal_head before;

    add(p, 0, 2);
    before = p->head;
    add(p, 2, 1);
    put_more(p, "nonsense\n");
    p->head = before;
    assert_int_equal(add(p, 2, 2), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    assert_int_equal(count_lines(p, "\"doc\":2"), 1);
    assert_int_equal(count_lines(p, "\"doc\":3"), 1);
    assert_int_equal(p->head.seq, 5);
}

/* A crash at every byte of an append behind foreign bytes. */
static void a_note_is_gone_on_from(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    struct journal_head before;
    size_t start, note_end;

    add(p, 0, 2);
    put_more(p, "junk\n");
    before = p->head;
    start = (size_t)before.size + 5;
    add(p, 2, 2);
    slurp(p, &whole);
    note_end = (size_t)(strchr(whole.s + start, '\n') - whole.s) + 1;
    for (size_t n = start; n <= whole.len; n++) {
        put(p, whole.s, n);
        p->head = before;
        assert_int_equal(add(p, 2, 2), 0);
        assert_int_equal(p->standing, JOURNAL_FOREIGN);
        assert_int_equal(count_lines(p, "\"doc\":2"), 1);
        assert_int_equal(count_lines(p, "\"doc\":3"), 1);
        if (n >= note_end)
            assert_int_equal(count_lines(p, "\"kind\":\"foreign\""), 1);
        faults(p);
        assert_int_equal(p->standing, JOURNAL_INTACT);
    }
}

static void a_shorter_journal_is_told(void **state)
{
    struct place *p = *state;
    int64_t four;

    add(p, 0, 4);
    four = p->head.size;
    add(p, 4, 3);
    cut(p, four);
    assert_true(faults(p) > 0);
    assert_int_equal(p->standing, JOURNAL_SHORTER);
    assert_int_equal(add(p, 7, 1), 0);
    assert_int_equal(p->standing, JOURNAL_SHORTER);
    assert_int_equal(p->head.seq, 9);
    assert_int_equal(count_lines(p, "\"seq\":8,"), 1);
}

static void a_missing_journal_is_told(void **state)
{
    struct place *p = *state;

    add(p, 0, 2);
    unlinkat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0);
    unlinkat(p->fd, JOURNAL_FOLDER, AT_REMOVEDIR);
    assert_true(faults(p) > 0);
    assert_int_equal(p->standing, JOURNAL_MISSING);
    assert_int_equal(add(p, 2, 1), 0);
    assert_int_equal(p->standing, JOURNAL_MISSING);
    assert_int_equal(p->head.seq, 4);
    assert_true(faults(p) > 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
}

static void a_changed_last_line_is_told(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str s = STR_INIT;

    add(p, 0, 3);
    slurp(p, &s);
    s.s[s.len - 3] ^= 1;
    put(p, s.s, s.len);
    assert_int_equal(add(p, 3, 1), 0);
    assert_int_equal(p->standing, JOURNAL_CHANGED);
    assert_true(faults(p) > 0);
}

/* Private state lost: the journal that is there is noted and gone on with. */
static void a_journal_without_a_head_is_foreign(void **state)
{
    struct place *p = *state;

    add(p, 0, 3);
    p->head = (struct journal_head){0};
    assert_int_equal(add_body(p, "adopted"), 0);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    assert_int_equal(p->head.seq, 5);
}

static void what_was_taken_up_is_no_fault(void **state)
{
    struct place *p = *state;

    add(p, 0, 4);
    put_more(p, "junk");
    add(p, 4, 1);
    assert_true(faults(p) > 0);
    add_body(p, "taken-up");
    assert_int_equal(faults(p), 0);
    add(p, 5, 1);
    assert_int_equal(faults(p), 0);
}

/* Flips, removes and inserts each byte of a journal: each is seen. */
static void any_edit_shows(struct place *p)
{
    AUTO_STR struct str s = STR_INIT;
    char *b;

    assert_int_equal(faults(p), 0);
    slurp(p, &s);
    b = xmalloc(s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        memcpy(b, s.s, s.len);
        b[i] ^= 1;
        put(p, b, s.len);
        assert_true(faults(p) > 0);
        memmove(b + i, s.s + i + 1, s.len - i - 1);
        put(p, b, s.len - 1);
        assert_true(faults(p) > 0);
        memcpy(b, s.s, i);
        b[i] = i % 2 ? '\n' : ' ';
        memcpy(b + i + 1, s.s + i, s.len - i);
        put(p, b, s.len + 1);
        assert_true(faults(p) > 0);
        put(p, s.s, i);
        assert_true(faults(p) > 0);
    }
    free(b);
}

static void any_edit_of_a_small_journal_shows(void **state)
{
    struct place *p = *state;

    add(p, 0, 4);
    any_edit_shows(p);
}

static void any_edit_behind_a_taken_up_break_shows(void **state)
{
    struct place *p = *state;

    add(p, 0, 1);
    put_more(p, "x\ny");
    add_body(p, "taken-up");
    any_edit_shows(p);
}

static void reordered_and_removed_lines_show(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str s = STR_INIT;
    AUTO_STR struct str t = STR_INIT;
    char *line[5];

    add(p, 0, 5);
    slurp(p, &s);
    for (int i = 0; i < 5; i++)
        line[i] = strtok(i ? NULL : s.s, "\n");
    str_addf(&t, "%s\n%s\n%s\n%s\n%s\n", line[0], line[2], line[1], line[3], line[4]);
    put(p, t.s, t.len);
    assert_true(faults(p) > 0);
    str_reset(&t);
    str_addf(&t, "%s\n%s\n%s\n%s\n", line[0], line[1], line[3], line[4]);
    put(p, t.s, t.len);
    assert_true(faults(p) > 0);
}

/* Someone who computes a whole new chain still does not have the head. */
static void a_forged_chain_shows_against_the_head(void **state)
{
    struct place *p = *state;
    struct journal_head mine;

    add(p, 0, 3);
    mine = p->head;
    unlinkat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0);
    p->head = (struct journal_head){0};
    add(p, 1, 3);
    p->head = mine;
    assert_true(faults(p) > 0);
}

/* Chained as it should be, but its number is wrong. */
static void a_gap_in_the_numbers_shows(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str line = STR_INIT;

    add(p, 0, 2);
    p->head.seq++;
    journal_line(&line, &p->head, "\"kind\":\"filed\"");
    p->head.seq++;
    p->head.hash = digest_of(line.s, line.len);
    p->head.size += (int64_t)line.len + 1;
    str_addc(&line, '\n');
    put_more(p, str_c(&line));
    assert_int_equal(faults(p), 1);
    assert_int_equal(p->standing, JOURNAL_INTACT);
}

static void unknown_kinds_are_chained(void **state)
{
    struct place *p = *state;

    add(p, 0, 1);
    add_body(p, "something-new");
    add(p, 1, 1);
    assert_int_equal(faults(p), 0);
}

static void a_linked_folder_is_refused(void **state)
{
    struct place *p = *state;

    assert_int_equal(mkdirat(p->fd, "elsewhere", 0777), 0);
    assert_int_equal(symlinkat("elsewhere", p->fd, JOURNAL_FOLDER), 0);
    assert_int_equal(add(p, 0, 1), -1);
    assert_int_equal(p->err.number, ELOOP);
    assert_int_equal(p->head.seq, 0);
    assert_int_equal(faccessat(p->fd, "elsewhere/" JOURNAL_NAME, F_OK, 0), -1);
}

static void a_linked_journal_is_refused(void **state)
{
    struct place *p = *state;

    assert_int_equal(mkdirat(p->fd, JOURNAL_FOLDER, 0777), 0);
    assert_int_equal(symlinkat("../Case.txt", p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME), 0);
    assert_int_equal(add(p, 0, 1), -1);
    assert_int_equal(p->err.number, ELOOP);
    assert_int_equal(faccessat(p->fd, "Case.txt", F_OK, 0), -1);
}

static void a_hard_linked_journal_is_not_written(void **state)
{
    struct place *p = *state;
    struct stat st;
    int fd = openat(p->fd, "Case.txt", O_WRONLY | O_CREAT, 0666);

    close(fd);
    assert_int_equal(mkdirat(p->fd, JOURNAL_FOLDER, 0777), 0);
    assert_int_equal(linkat(p->fd, "Case.txt", p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0), 0);
    assert_int_equal(add(p, 0, 1), -1);
    assert_int_equal(p->err.number, EMLINK);
    assert_int_equal(fstatat(p->fd, "Case.txt", &st, 0), 0);
    assert_int_equal(st.st_size, 0);
}

static void a_fifo_is_refused(void **state)
{
    struct place *p = *state;

    assert_int_equal(mkdirat(p->fd, JOURNAL_FOLDER, 0777), 0);
    assert_int_equal(mkfifoat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0666), 0);
    assert_int_equal(add(p, 0, 1), -1);
    assert_int_equal(faults(p), -1);
}

static int stop_at_two(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number)
{
    (void)ctx;
    assert_non_null(line);
    assert_int_equal(strlen(raw), len);
    return number == 2 ? 7 : 0;
}

static void each_stops_when_told(void **state)
{
    struct place *p = *state;

    add(p, 0, 3);
    assert_int_equal(journal_each(p->fd, stop_at_two, NULL, &p->err), 7);
}

static int see_null(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number)
{
    int *nulls = ctx;

    (void)raw, (void)number;
    assert_true(len <= JOURNAL_LINE_MAX);
    *nulls += line == NULL;
    return 0;
}

static void endless_lines_are_bounded(void **state)
{
    struct place *p = *state;
    char *x = xmalloc(3 << 20);
    int nulls = 0;

    memset(x, 'x', 3 << 20);
    x[(3 << 20) - 1] = '\0';
    add(p, 0, 1);
    put_more(p, x);
    free(x);
    assert_int_equal(journal_each(p->fd, see_null, &nulls, &p->err), 0);
    assert_int_equal(nulls, 1);
    assert_int_equal(add(p, 1, 1), 0);
    add_body(p, "taken-up");
    assert_int_equal(faults(p), 0);
}

static void every_standing_has_its_words(void **state)
{
    (void)state;
    for (int s = JOURNAL_INTACT; s <= JOURNAL_MISSING; s++)
        assert_true(strlen(journal_standing_text((enum journal_standing)s)) > 5);
}

/* ---- durability ------------------------------------------------------------------------------ */

static void the_first_append_syncs_the_folders_too(void **state)
{
    struct place *p = *state;

    add(p, 0, 1);
    assert_int_equal(sys.data_syncs, 1);
    assert_int_equal(sys.folder_syncs, 2);
    add(p, 1, 1);
    assert_int_equal(sys.data_syncs, 2);
    assert_int_equal(sys.folder_syncs, 2);
}

static void without_durability_nothing_is_synced(void **state)
{
    struct place *p = *state;
    const char *body = "\"kind\":\"x\"";

    assert_int_equal(journal_append(p->fd, &p->head, &body, 1, 1, NOW, false, &p->standing, &p->err),
                     0);
    assert_int_equal(sys.data_syncs + sys.folder_syncs, 0);
}

static void a_failed_sync_moves_no_head(void **state)
{
    struct place *p = *state;
    struct journal_head before;

    add(p, 0, 1);
    before = p->head;
    sys.fail_data = EIO;
    assert_int_equal(add(p, 1, 2), -1);
    assert_int_equal(p->err.number, EIO);
    assert_memory_equal(&p->head, &before, sizeof before);
    sys.fail_data = 0;
    assert_int_equal(add(p, 1, 2), 0);
    assert_int_equal(p->standing, JOURNAL_TAIL_OWN);
    assert_int_equal(p->head.seq, 3);
    assert_int_equal(count_lines(p, "\"doc\":1"), 1);
    assert_int_equal(faults(p), 0);
}

/* After a failed sync the same pages may be clean and lost: the bytes are written anew. */
static void own_bytes_are_written_anew(void **state)
{
    struct place *p = *state;
    struct stat before, after;
    struct timespec then[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000}};

    add(p, 0, 1);
    sys.fail_data = EIO;
    add(p, 1, 1);
    sys.fail_data = 0;
    assert_int_equal(utimensat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, then, 0), 0);
    assert_int_equal(fstatat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, &before, 0), 0);
    assert_int_equal(add(p, 1, 1), 0);
    assert_int_equal(fstatat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, &after, 0), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_not_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
}

static void a_failed_sync_of_the_folder_moves_no_head(void **state)
{
    struct place *p = *state;

    sys.fail_folder = EIO;
    assert_int_equal(add(p, 0, 1), -1);
    assert_int_equal(p->head.seq, 0);
    sys.fail_folder = 0;
    assert_int_equal(add(p, 0, 1), 0);
    assert_int_equal(sys.folder_syncs, 3);
}

static void short_and_interrupted_writes_are_gone_on_with(void **state)
{
    struct place *p = *state;

    sys.most = 7;
    sys.interrupt = true;
    assert_int_equal(add(p, 0, 4), 0);
    assert_int_equal(faults(p), 0);
}

static void who_writes_between_look_and_write_is_seen(void **state)
{
    struct place *p = *state;
    int fd;

    add(p, 0, 1);
    sys.fd = openat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, O_WRONLY | O_APPEND);
    fd = sys.fd;
    assert_int_equal(add(p, 1, 1), 0);
    close(fd);
    assert_int_equal(p->standing, JOURNAL_FOREIGN);
    assert_true(faults(p) > 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
    assert_int_equal(add(p, 2, 1), 0);
    assert_int_equal(p->standing, JOURNAL_INTACT);
}

/* Does everything to a journal with foreign bytes behind it; returns whether all went well. */
static bool all_goes_well(struct place *p)
{
    struct journal_head h;

    return faults(p) >= 0 && journal_trusted(p->fd, &p->head, &p->err) >= 0 &&
           journal_last(p->fd, &h, &p->err) == 0 && add(p, 2, 2) == 0;
}

static void every_failing_read_is_told(void **state)
{
    struct place *p = *state;
    AUTO_STR struct str whole = STR_INIT;
    struct journal_head before;
    int n = 0;

    add(p, 0, 2);
    before = p->head;
    put_more(p, "junk");
    slurp(p, &whole);
    do {
        put(p, whole.s, whole.len);
        p->head = before;
        sys.reads = ++n;
        sys.read_error = EIO;
        if (all_goes_well(p))
            break;
        assert_int_equal(p->err.number, EIO);
        assert_memory_equal(&p->head, &before, sizeof before);
    } while (n < 200);
    assert_in_range(n, 10, 199);
    for (int i = 1; i < n; i++) { /* those that may be interrupted are done again */
        put(p, whole.s, whole.len);
        p->head = before;
        sys.reads = i;
        sys.read_error = EINTR;
        if (!all_goes_well(p))
            assert_int_equal(p->err.number, EINTR);
    }
}

static void an_impossibly_large_journal_is_refused(void **state)
{
    struct place *p = *state;

    add(p, 0, 1);
    cut(p, INT64_C(3) << 30);
    assert_int_equal(add(p, 1, 1), -1);
    assert_int_equal(p->err.number, EFBIG);
    assert_int_equal(p->head.seq, 1);
}

static void only_up_to_the_head_is_trusted(void **state)
{
    struct place *p = *state;

    assert_int_equal(journal_trusted(p->fd, &p->head, &p->err), 1);
    add(p, 0, 3);
    assert_int_equal(journal_trusted(p->fd, &p->head, &p->err), 1);
    put_more(p, "junk\n");
    assert_int_equal(journal_trusted(p->fd, &p->head, &p->err), 1);
    cut(p, p->head.size - 1);
    assert_int_equal(journal_trusted(p->fd, &p->head, &p->err), 0);
    unlinkat(p->fd, JOURNAL_FOLDER "/" JOURNAL_NAME, 0);
    assert_int_equal(journal_trusted(p->fd, &p->head, &p->err), 0);
}

static void lines_that_are_no_lines_of_ours(void **state)
{
    struct place *p = *state;

    add(p, 0, 1);
    put_more(p, "[1]\n{\"v\":0}\n{\"kind\":\"foreign\",\"was\":\"x\"}\n");
    journal_last(p->fd, &p->head, &p->err);
    assert_int_equal(faults(p), 3);
}

static void a_file_for_a_folder_is_refused(void **state)
{
    struct place *p = *state;
    struct journal_head h;
    char id[CASE_ID_SIZE];
    int fd = openat(p->fd, JOURNAL_FOLDER, O_WRONLY | O_CREAT, 0644);

    close(fd);
    assert_int_equal(add(p, 0, 1), -1);
    assert_int_equal(faults(p), -1);
    assert_int_equal(journal_last(p->fd, &h, &p->err), -1);
    assert_int_equal(journal_case_id(p->fd, id, &p->err), -1);
    assert_int_equal(journal_trusted(p->fd, &p->head, &p->err), -1);
}

/* ---- a full disk ---------------------------------------------------------------------------- */

static int setup_small(void **state)
{
    int rc = setup(state);
    struct place *p = *state;

    if (rc == 0 && mount("tmpfs", p->path, "tmpfs", 0, "size=64k") == 0) {
        p->mounted = true;
        close(p->fd);
        p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return rc;
}

static void a_full_disk_moves_no_head(void **state)
{
    struct place *p = *state;
    struct journal_head before;
    char *fill;
    int fd, n = 0;

    if (!p->mounted) {
        print_message("SKIPPED: mounting a small tmpfs needs root\n");
        skip();
    }
    add(p, 0, 3);
    before = p->head;
    fill = xcalloc(1, 4096);
    fd = openat(p->fd, "Case.txt", O_WRONLY | O_CREAT, 0666);
    while (write(fd, fill, 4096) == 4096)
        ;
    free(fill);
    close(fd);
    while (n < 100 && add(p, 3 + n, 40) == 0) { /* the file's last page has room still */
        before = p->head;
        n += 40;
    }
    assert_int_equal(p->err.number, ENOSPC);
    assert_memory_equal(&p->head, &before, sizeof before);
    unlinkat(p->fd, "Case.txt", 0);
    assert_int_equal(add(p, 3 + n, 40), 0);
    assert_true(p->standing == JOURNAL_TAIL_OWN || p->standing == JOURNAL_INTACT);
    assert_int_equal(p->head.seq, 3 + n + 40);
    assert_int_equal(faults(p), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(first_append_makes_the_journal),
        T(a_chain_of_batches_has_no_fault),
        T(nothing_to_append_changes_nothing),
        T(no_journal_and_no_head_is_intact),
        T(the_first_line_tells_the_case),
        T(last_finds_the_head),
        T(every_torn_append_is_completed),
        T(what_a_power_cut_left_as_zeros_is_written),
        T(other_zeros_are_foreign),
        T(zeros_where_nobody_was_writing_are_foreign),
        T(a_line_that_is_zeros_is_not_kept),
        T(the_last_change_is_before_what_is_told_of_archives),
        T(a_pending_tail_is_no_fault),
        T(what_is_written_later_is_not_looked_at),
        T(foreign_bytes_are_closed_and_noted),
        T(our_lines_before_foreign_bytes_are_kept),
        T(a_note_is_gone_on_from),
        T(a_shorter_journal_is_told),
        T(a_missing_journal_is_told),
        T(a_changed_last_line_is_told),
        T(a_journal_without_a_head_is_foreign),
        T(what_was_taken_up_is_no_fault),
        T(any_edit_of_a_small_journal_shows),
        T(any_edit_behind_a_taken_up_break_shows),
        T(reordered_and_removed_lines_show),
        T(a_forged_chain_shows_against_the_head),
        T(a_gap_in_the_numbers_shows),
        T(unknown_kinds_are_chained),
        T(a_linked_folder_is_refused),
        T(a_linked_journal_is_refused),
        T(a_hard_linked_journal_is_not_written),
        T(a_fifo_is_refused),
        T(each_stops_when_told),
        T(endless_lines_are_bounded),
        T(every_standing_has_its_words),
        T(the_first_append_syncs_the_folders_too),
        T(without_durability_nothing_is_synced),
        T(a_failed_sync_moves_no_head),
        T(own_bytes_are_written_anew),
        T(a_failed_sync_of_the_folder_moves_no_head),
        T(short_and_interrupted_writes_are_gone_on_with),
        T(who_writes_between_look_and_write_is_seen),
        T(every_failing_read_is_told),
        T(an_impossibly_large_journal_is_refused),
        T(only_up_to_the_head_is_trusted),
        T(lines_that_are_no_lines_of_ours),
        T(a_file_for_a_folder_is_refused),
        cmocka_unit_test_setup_teardown(a_full_disk_moves_no_head, setup_small, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
