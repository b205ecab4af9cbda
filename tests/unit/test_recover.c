/*
 * Recovery: a child files a batch and is killed, at chosen steps and before every one of its system
 * calls; then each document must be there exactly once, and row and journal say where.
 */
#include "filer_world.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

/* Memory: that a process is killed changes nothing about the disk, and syncs cost nothing there. */
static const char *base(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static struct world *world_of_three(void)
{
    struct world *w = world_new_in(base());

    world_start(w);
    open_case(w);
    write_file(w, INBOX "/0.pdf", "zero");
    write_file(w, INBOX "/1.pdf", "one");
    write_file(w, INBOX "/2.pdf", "two");
    write_file(w, INBOX "/._1.pdf", "fork of one");
    world_stop(w);
    return w;
}

static const char *const texts[] = {"zero", "one", "two"};

static struct act *act_of(const struct world *w, int i)
{
    char path[64];
    struct act *a;

    snprintf(path, sizeof path, INBOX "/%d.pdf", i);
    a = filing_act(w, path, LETTERS, "L.pdf");
    if (i == 1) {
        a->companions = xcalloc(2, sizeof *a->companions);
        a->companions[0] = xstrdup("._1.pdf");
    }
    return a;
}

/* In the child: files the three. */
static void file_three(struct world *w)
{
    struct outcome r[3];

    world_start(w);
    syscall(SYS_getppid); /* from here on calls count */
    for (int i = 0; i < 3; i++)
        submit(w, act_of(w, i), &r[i]);
    world_stop(w);
    _exit(0);
}

static struct recovery recover(struct world *w)
{
    struct recovery r;
    struct error err = ERROR_INIT;

    if (filer_recover(&w->o, &r, &err) < 0)
        fail_msg("%s", error_text(&err));
    return r;
}

static bool has_text(const struct world *w, const char *path, const char *text)
{
    AUTO_CLOSE int fd = beneath_open(w->root, path, O_RDONLY, 0);
    AUTO_STR struct str s = STR_INIT;

    return fd >= 0 && io_read_all(fd, &s, 4096) == 0 && strcmp(str_c(&s), text) == 0;
}

/* The new name of the document with that text, or NULL: it has its old one. Exactly one of them. */
static const char *where(const struct world *w, int i)
{
    static const char *const names[] = {"Correspondence/L.pdf", "Correspondence/L_02.pdf",
                                        "Correspondence/L_03.pdf"};
    const char *found = NULL;
    unsigned n;
    char path[64];

    snprintf(path, sizeof path, INBOX "/%d.pdf", i);
    n = has_text(w, path, texts[i]);
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, CASE "/%s", names[k]);
        if (has_text(w, path, texts[i])) {
            found = names[k];
            n++;
        }
    }
    if (n != 1)
        fail_msg("document %d is there %u times", i, n);
    return found;
}

static void assert_no_row(const struct world *w, const char *path)
{
    struct state *s = open_state(w);
    struct error err = ERROR_INIT;
    struct doc d;

    assert_int_equal(state_doc_by_path(s, CASE_ID, path, &d, &err), 0);
    state_close(s);
}

/* Everything is once, and recorded where it is. Returns how many have a new name. */
static unsigned assert_sound(const struct world *w)
{
    unsigned filed = 0, forks;
    const char *one = NULL;

    for (int i = 0; i < 3; i++) {
        const char *name = where(w, i);

        if (name) {
            assert_row(w, name);
            assert_int_equal(lines(w, "filed", name), 1);
            filed++;
        }
        if (i == 1)
            one = name;
    }
    assert_int_equal(lines(w, "filed", NULL), filed);
    assert_no_row(w, "Inbox/0.pdf");
    forks = exists(w, INBOX "/._1.pdf");
    if (one) {
        AUTO_FREE char *fork = xasprintf(LETTERS "/._%s", strrchr(one, '/') + 1);

        assert_int_equal(forks, 0);
        assert_text(w, fork, "fork of one");
    } else {
        assert_int_equal(forks, 1);
    }
    assert_journal(w);
    return filed;
}

static void assert_nothing_left(struct world *w)
{
    struct recovery r = recover(w);

    assert_int_equal(r.intents, 0);
    assert_int_equal(r.lines, 0);
}

/* ---- at chosen steps ----------------------------------------------------------------------------
 */

struct killer {
    enum filer_point point;
    int nth;
};

static void kill_there(void *ctx, enum filer_point point, const struct act *a)
{
    struct killer *k = ctx;

    (void)a;
    if (point == k->point && k->nth-- == 0)
        kill(getpid(), SIGKILL);
}

/* A child that files the three and is killed when it comes to that point for the nth time. */
static void killed_at(struct world *w, enum filer_point point, int nth)
{
    struct killer k = {point, nth};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        w->o.between = kill_there;
        w->o.between_ctx = &k;
        file_three(w);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A child that files one and is killed between rename and comparison. */
static void killed_with_one(struct world *w)
{
    struct killer k = {FILER_RENAMED, 0};
    struct outcome r;
    pid_t pid = fork();

    if (pid == 0) {
        w->o.between = kill_there;
        w->o.between_ctx = &k;
        world_start(w);
        submit(w, act_of(w, 0), &r);
        world_stop(w);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_text(w, LETTERS "/L.pdf", "zero");
}

static int ready(void **state)
{
    *state = world_of_three();
    return 0;
}

static int done(void **state)
{
    world_free(*state);
    return 0;
}

static void killed_before_the_first_rename(void **state)
{
    struct world *w = *state;

    killed_at(w, FILER_LOOKED, 0);
    recover(w);
    assert_sound(w);
    assert_nothing_left(w);
}

static void killed_after_the_first_rename(void **state)
{
    struct world *w = *state;
    struct recovery r;

    killed_at(w, FILER_RENAMED, 0);
    r = recover(w);
    assert_int_equal(r.finished, 1);
    assert_int_equal(assert_sound(w), 1);
    assert_nothing_left(w);
}

static void killed_before_the_commit(void **state)
{
    struct world *w = *state;

    killed_at(w, FILER_SETTLED, 0);
    assert_true(recover(w).finished >= 1);
    assert_sound(w);
    assert_nothing_left(w);
}

static void killed_before_the_journal(void **state)
{
    struct world *w = *state;
    struct recovery r;

    killed_at(w, FILER_COMMITTED, 0);
    r = recover(w);
    assert_int_equal(r.intents, 0);
    assert_true(r.lines >= 1);
    assert_sound(w);
    assert_nothing_left(w);
}

static void under_both_names(void **state)
{
    struct world *w = *state;
    struct recovery r;

    killed_with_one(w);
    assert_int_equal(linkat(w->root, LETTERS "/L.pdf", w->root, INBOX "/0.pdf", 0), 0);
    r = recover(w);
    assert_int_equal(r.both, 1);
    assert_text(w, INBOX "/0.pdf", "zero");
    assert_text(w, LETTERS "/L.pdf", "zero");
    assert_int_equal(lines(w, "filed", NULL), 0);
    assert_nothing_left(w);
}

static void under_neither_name(void **state)
{
    struct world *w = *state;
    struct recovery r;

    killed_with_one(w);
    assert_int_equal(renameat(w->root, LETTERS "/L.pdf", w->root, CASE "/mine.pdf"), 0);
    r = recover(w);
    assert_int_equal(r.neither, 1);
    assert_text(w, CASE "/mine.pdf", "zero");
    assert_int_equal(lines(w, "filed", NULL), 0);
    assert_nothing_left(w);
}

static void put_back_by_a_person_counts_as_untouched(void **state)
{
    struct world *w = *state;
    struct recovery r;

    killed_with_one(w);
    assert_int_equal(renameat(w->root, LETTERS "/L.pdf", w->root, INBOX "/0.pdf"), 0);
    r = recover(w);
    assert_int_equal(r.untouched, 1);
    assert_no_row(w, "Correspondence/L.pdf");
    assert_nothing_left(w);
}

static void another_file_under_the_new_name_is_not_recorded(void **state)
{
    struct world *w = *state;
    struct recovery r;

    killed_with_one(w);
    write_file(w, INBOX "/other", "other");
    assert_int_equal(renameat(w->root, INBOX "/other", w->root, LETTERS "/L.pdf"), 0);
    r = recover(w);
    assert_int_equal(r.neither, 1);
    assert_int_equal(r.finished, 0);
    assert_text(w, LETTERS "/L.pdf", "other");
    assert_no_row(w, "Correspondence/L.pdf");
}

static void an_edited_journal_does_not_mislead_recovery(void **state)
{
    struct world *w = *state;

    killed_with_one(w);
    write_file(w, CASE "/.organizer/journal.jsonl", "{\"kind\":\"filed\"}\n");
    assert_int_equal(recover(w).finished, 1);
    assert_row(w, "Correspondence/L.pdf");
    assert_text(w, LETTERS "/L.pdf", "zero");
}

static void what_was_written_after_the_rename_is_read_again(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct doc_stamp now;
    struct state *s;
    struct doc d;
    int fd;

    killed_with_one(w);
    write_file(w, LETTERS "/L.pdf", "edited");
    assert_int_equal(recover(w).finished, 1);
    s = open_state(w);
    assert_int_equal(state_doc_by_path(s, CASE_ID, "Correspondence/L.pdf", &d, &err), 1);
    fd = beneath_open(w->root, LETTERS "/L.pdf", O_RDONLY, 0);
    assert_int_equal(doc_stamp_take(fd, -1, NULL, &now), 0);
    assert_false(doc_stamp_equal(&now, &d.stamp));
    assert_true(doc_stamp_same_file(&now, &d.stamp));
    close(fd);
    doc_clear(&d);
    state_close(s);
}

static void all_that_a_row_says_survives(void **state)
{
    struct world *w = *state;
    struct killer k = {FILER_RENAMED, 0};
    struct error err = ERROR_INIT;
    struct state *s;
    struct doc d;
    pid_t pid = fork();

    if (pid == 0) {
        struct act *a = act_of(w, 0);
        struct outcome r;

        w->o.between = kill_there;
        w->o.between_ctx = &k;
        a->doc.kind = KIND_PDF;
        a->doc.reason = REASON_DRAFT;
        a->doc.sentence = xstrdup("sentence \xFF");
        a->doc.help = xstrdup("help");
        a->doc.type = xstrdup("Letter");
        a->doc.words = xstrdup("to-Jones");
        a->doc.date = xstrdup("2026-03-02");
        a->doc.why = xstrdup("why");
        a->doc.suggested = xstrdup("suggested");
        a->doc.filed_ns = 11;
        a->doc.changed_ns = 12;
        a->doc.by_hand = a->doc.before = true;
        world_start(w);
        submit(w, a, &r);
        world_stop(w);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    recover(w);
    s = open_state(w);
    assert_int_equal(state_doc_by_path(s, CASE_ID, "Correspondence/L.pdf", &d, &err), 1);
    assert_int_equal(d.kind, KIND_PDF);
    assert_int_equal(d.reason, REASON_DRAFT);
    assert_int_equal(d.state, DOC_FILED);
    assert_string_equal(d.sentence, "sentence \xFF");
    assert_string_equal(d.help, "help");
    assert_string_equal(d.type, "Letter");
    assert_string_equal(d.words, "to-Jones");
    assert_string_equal(d.date, "2026-03-02");
    assert_string_equal(d.original, "0.pdf");
    assert_string_equal(d.why, "why");
    assert_string_equal(d.suggested, "suggested");
    assert_int_equal(d.filed_ns, 11);
    assert_int_equal(d.changed_ns, 12);
    assert_true(d.by_hand && d.before && !d.undone);
    assert_false(digest_is_zero(&d.digest));
    doc_clear(&d);
    assert_int_equal(state_doc_by_former(s, CASE_ID, "Inbox/0.pdf", &d, &err), 1);
    doc_clear(&d);
    state_close(s);
}

/* ---- before every system call -------------------------------------------------------------------
 */

/* Calls that change nothing anywhere: killing before them is killing before the next. */
static bool is_dull(unsigned long long call)
{
    switch (call) {
    case SYS_futex:
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_madvise:
    case SYS_brk:
    case SYS_read:
    case SYS_pread64:
    case SYS_lseek:
    case SYS_fstat:
    case SYS_newfstatat:
    case SYS_statx:
    case SYS_getpid:
    case SYS_geteuid:
    case SYS_rt_sigprocmask:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return true;
    default:
        return false;
    }
}

/* Follows the child and kills it before call number `nth` from the marker on. Returns the number of
 * calls seen; -1 when tracing is not allowed. */
static int trace(pid_t pid, int nth)
{
    int status, seen = -1;
    pid_t t;

    if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL,
               (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)) < 0)
        return -1;
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    while ((t = waitpid(-1, &status, __WALL)) > 0) {
        int sig = 0;

        if (!WIFSTOPPED(status)) {
            if (t == pid)
                break;
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;

            if (ptrace(PTRACE_GET_SYSCALL_INFO, t, (void *)sizeof info, &info) > 0 &&
                info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                if (info.entry.nr == SYS_getppid)
                    seen = 0;
                else if (seen >= 0 && !is_dull(info.entry.nr) && ++seen == nth)
                    kill(pid, SIGKILL);
            }
        } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
            sig = WSTOPSIG(status);
        }
        ptrace(PTRACE_SYSCALL, t, NULL, (void *)(long)sig);
    }
    while (waitpid(-1, &status, __WALL) > 0) {
    }
    return seen;
}

static int file_three_traced(struct world *w, int nth)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(1);
        raise(SIGSTOP);
        file_three(w);
    }
    return trace(pid, nth);
}

static void killed_before_every_system_call(void **state)
{
    const char *preload = getenv("LD_PRELOAD");
    bool slow = preload && strstr(preload, "vgpreload");
    struct world *w = world_of_three();
    int calls = slow ? -1 : file_three_traced(w, 0);
    unsigned kills = 0, by_filed[4] = {0};

    (void)state;
    if (slow) {
        print_message("skipped: memcheck makes calls of its own, and hundreds of runs take long\n");
        world_free(w);
        skip();
    }
    if (calls < 0) {
        print_message("tracing is not allowed here: skipped\n");
        world_free(w);
        skip();
    }
    assert_int_equal(assert_sound(w), 3);
    world_free(w);
    /* A little beyond: threads do not run alike every time. */
    for (int nth = 1; nth <= calls + 5; nth++) {
        w = world_of_three();
        kills += file_three_traced(w, nth) == nth;
        recover(w);
        by_filed[assert_sound(w)]++;
        assert_nothing_left(w);
        world_free(w);
    }
    print_message("%d calls, %u kills; filed then 0: %u, 1: %u, 2: %u, 3: %u\n", calls, kills,
                  by_filed[0], by_filed[1], by_filed[2], by_filed[3]);
    assert_true(calls > 40 && kills > 40);
    assert_true(by_filed[0] > 0 && by_filed[1] > 0 && by_filed[3] > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_before_the_first_rename),
        TEST(killed_after_the_first_rename),
        TEST(killed_before_the_commit),
        TEST(killed_before_the_journal),
        TEST(under_both_names),
        TEST(under_neither_name),
        TEST(put_back_by_a_person_counts_as_untouched),
        TEST(another_file_under_the_new_name_is_not_recorded),
        TEST(an_edited_journal_does_not_mislead_recovery),
        TEST(what_was_written_after_the_rename_is_read_again),
        TEST(all_that_a_row_says_survives),
        cmocka_unit_test(killed_before_every_system_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
