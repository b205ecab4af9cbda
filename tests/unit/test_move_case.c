/*
 * A case's folder is moved (ACT_FOLDER, when a case is retired), and the filer is killed at each of
 * its system calls: afterwards the case is there once, whole, and its row, its journal and its head
 * say where.
 */
#include "filer_world.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define RETIRED "Closed/2026"
#define MOVED   RETIRED "/" CASE

static struct act *moving(const struct world *w)
{
    struct act *a = act_new(ACT_FOLDER);
    AUTO_CLOSE int fd = beneath_open(w->root, CASE, O_RDONLY | O_DIRECTORY, 0);

    a->from = xstrdup(CASE);
    a->to_folder = xstrdup(RETIRED);
    a->to_name = xstrdup(CASE);
    a->exact = true;
    a->case_path = xstrdup(CASE);
    snprintf(a->doc.case_id, sizeof a->doc.case_id, CASE_ID);
    assert_true(fd >= 0);
    assert_int_equal(doc_stamp_take(fd, -1, NULL, &a->stamp), 0);
    journal_body(&a->journal, env_now(&w->env), "retired");
    json_name(&a->journal, "from", CASE);
    return a;
}

static char *row_path(const struct world *w)
{
    struct state *s = open_state(w);
    struct error err = ERROR_INIT;
    struct case_row row;
    char *path;

    assert_int_equal(state_case_get(s, CASE_ID, &row, &err), 1);
    path = xstrdup(row.path);
    case_row_clear(&row);
    state_close(s);
    return path;
}

/* Lines of that kind in the journal at path, whose chain must hold and end at the head. */
static unsigned lines_at(const struct world *w, const char *path, const char *kind)
{
    struct {
        const char *kind, *to;
        unsigned n;
    } c = {kind, NULL, 0};
    struct state *s = open_state(w);
    struct error err = ERROR_INIT;
    struct journal_head head;
    enum journal_standing standing;
    AUTO_CLOSE int fd = beneath_open(w->root, path, O_RDONLY | O_DIRECTORY, 0);

    assert_true(fd >= 0);
    assert_true(state_head_get(s, CASE_ID, &head, &err) >= 0);
    assert_int_equal(journal_check(fd, &head, print_fault, NULL, &standing, &err), 0);
    assert_int_equal(standing, JOURNAL_INTACT);
    state_close(s);
    assert_true(journal_each(fd, count_line, &c, &err) >= 0);
    return c.n;
}

static int ready(void **state)
{
    /* In memory: no power is cut here, and syncs are what takes the time. */
    struct world *w = world_new_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");

    world_start(w);
    open_case(w);
    write_file(w, INBOX "/a.pdf", "1");
    world_stop(w);
    *state = w;
    return 0;
}

static int done(void **state)
{
    world_free(*state);
    return 0;
}

static void row_and_journal_go_with_it(void **state)
{
    struct world *w = *state;
    struct outcome r;

    world_start(w);
    submit(w, moving(w), &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, MOVED);
    world_stop(w);
    AUTO_FREE char *path = row_path(w);
    assert_string_equal(path, MOVED);
    assert_text(w, MOVED "/Inbox/a.pdf", "1");
    assert_false(exists(w, CASE));
    assert_int_equal(lines_at(w, MOVED, "retired"), 1);
}

static void it_never_goes_onto_another(void **state)
{
    struct world *w = *state;
    struct outcome r;

    assert_int_equal(beneath_mkdirs(w->root, MOVED), 0);
    world_start(w);
    submit(w, moving(w), &r);
    run(w);
    assert_int_equal(r.status, ACT_REFUSED);
    world_stop(w);
    AUTO_FREE char *path = row_path(w);
    assert_string_equal(path, CASE);
    assert_int_equal(lines_at(w, CASE, "retired"), 0);
}

/* The child: moves the case, from its first getppid() on under the parent's eyes. */
static void move_it(struct world *w)
{
    struct outcome r;

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(9);
    raise(SIGSTOP);
    uv_loop_init(&w->loop);
    world_start(w);
    syscall(SYS_getppid);
    submit(w, moving(w), &r);
    run(w);
    world_stop(w);
    _exit(r.status == ACT_DONE ? 0 : 8);
}

static bool is_call(pid_t pid, long number)
{
    struct __ptrace_syscall_info info;

    return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 &&
           info.op == PTRACE_SYSCALL_INFO_ENTRY && (long)info.entry.nr == number;
}

/* Runs the move and kills it at the stop-th entry or exit of a system call of any of its threads.
 * Returns false when it came to its end before. */
static bool killed_at(struct world *w, unsigned stop)
{
    pid_t child = fork(), pid;
    bool counting = false, killed = false;
    unsigned seen = 0;
    int status;

    if (child == 0)
        move_it(w);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL,
                            PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL),
                     0);
    ptrace(PTRACE_SYSCALL, child, NULL, NULL);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        int sig = 0;

        if (!WIFSTOPPED(status)) {
            if (pid == child) {
                if (!killed)
                    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                break;
            }
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            counting = counting || is_call(pid, SYS_getppid);
            if (counting && ++seen == stop) {
                killed = true;
                kill(child, SIGKILL);
                continue;
            }
        } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
            sig = WSTOPSIG(status);
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)(unsigned)sig);
    }
    return killed;
}

static void a_kill_at_any_system_call_leaves_it_once_and_known(void **state)
{
    const char *preload = getenv("LD_PRELOAD");
    unsigned old = 0, new = 0, n = 0;

    if (preload && strstr(preload, "vgpreload")) {
        print_message("skipped: memcheck makes calls of its own, and hundreds of runs take long\n");
        skip();
    }
    /* Threads interleave differently each time; every step of the move is met all the same. */
    for (unsigned stop = 1;; stop += 2) {
        struct world *w;

        ready((void **)&w);
        if (!killed_at(w, stop)) {
            world_free(w);
            break;
        }
        n++;
        world_start(w);
        world_stop(w);
        AUTO_FREE char *path = row_path(w);
        bool moved = strcmp(path, MOVED) == 0;

        if (!moved)
            assert_string_equal(path, CASE);
        assert_int_equal(exists(w, MOVED), moved);
        assert_int_equal(exists(w, CASE), !moved);
        assert_text(w, moved ? MOVED "/Inbox/a.pdf" : INBOX "/a.pdf", "1");
        assert_int_equal(lines_at(w, path, "retired"), moved);
        old += !moved;
        new += moved;
        world_free(w);
    }
    print_message("%u kills: %u before the move, %u after it\n", n, old, new);
    assert_true(old > 20 && new > 20);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(row_and_journal_go_with_it, ready, done),
        cmocka_unit_test_setup_teardown(it_never_goes_onto_another, ready, done),
        cmocka_unit_test(a_kill_at_any_system_call_leaves_it_once_and_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
