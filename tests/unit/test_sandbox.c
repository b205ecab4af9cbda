/* sandbox: what a reader that a document has taken over can still do. Each attempt runs in a
 * process of its own, with a parent and a sibling that it may try to harm: first outside the sandbox,
 * where it must work (else it proves nothing), then in each role, where it must fail or end the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examine/sandbox.h"
#include "examine/wire.h"

/* Descriptors that every child has: WIRE_FD is one end of a pair, these a document and a pipe. */
#define DOCUMENT     4
#define PIPE_IN      5
#define OTHER_SOCKET 7 /* the organizer's end of WIRE_FD */
#define OTHER_PIPE   8 /* PIPE_IN is where a parser may write: another */
#define SIBLING_FD   9 /* pidfd of the sibling */

static pid_t sibling; /* of each attempt's process */

static bool try_open(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool try_openat_raw(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0) >= 0;
}

static bool try_create(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0;
}

static bool try_stat(void)
{
    struct stat st;

    return stat("/etc/passwd", &st) == 0;
}

static bool try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool try_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool try_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(s, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool try_exec(void)
{
    char name[] = "true", *argv[] = {name, NULL};

    execv("/bin/true", argv); /* status 0, as if this had returned true */
    return false;
}

static bool try_fork(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool try_vfork(void)
{
    pid_t pid = vfork();

    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool try_kill_parent(void)
{
    return kill(getppid(), 0) == 0;
}

static bool try_term_self(void)
{
    return kill(getpid(), SIGCONT) == 0;
}

static bool try_kill_parent_for_good(void)
{
    return kill(getppid(), SIGKILL) == 0;
}

static bool try_kill_sibling(void)
{
    return kill(sibling, SIGKILL) == 0;
}

static bool try_kill_all(void)
{
    return kill(0, SIGCONT) == 0;
}

static bool try_tgkill_parent(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), SIGKILL) == 0;
}

static bool try_tgkill_sibling(void)
{
    return syscall(SYS_tgkill, sibling, sibling, SIGKILL) == 0;
}

static bool try_tkill_sibling(void)
{
    return syscall(SYS_tkill, sibling, SIGKILL) == 0;
}

static bool try_queue_to_sibling(void)
{
    return sigqueue(sibling, SIGKILL, (union sigval){.sival_int = 0}) == 0;
}

static bool try_kill_by_pidfd(void)
{
    return syscall(SYS_pidfd_send_signal, SIBLING_FD, SIGKILL, NULL, 0) == 0;
}

static bool try_stop_by_pidfd(void)
{
    return syscall(SYS_pidfd_send_signal, SIBLING_FD, SIGSTOP, NULL, 0) == 0;
}

static bool try_pidfd_of_parent(void)
{
    return syscall(SYS_pidfd_open, getppid(), 0) >= 0;
}

static bool try_limit_sibling(void)
{
    struct rlimit r = {0, 0};

    return prlimit(sibling, RLIMIT_FSIZE, &r, NULL) == 0;
}

static bool try_limits_of_parent(void)
{
    struct rlimit r;

    return prlimit(getppid(), RLIMIT_NOFILE, NULL, &r) == 0;
}

static bool try_slow_down_sibling(void)
{
    return setpriority(PRIO_PROCESS, (id_t)sibling, 19) == 0;
}

static bool try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool try_lease(void)
{
    return fcntl(DOCUMENT, F_SETLEASE, F_WRLCK) == 0;
}

static bool try_unlease(void)
{
    return fcntl(DOCUMENT, F_SETLEASE, F_UNLCK) == 0 || errno == EAGAIN;
}

static bool try_lock(void)
{
    struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    return fcntl(DOCUMENT, F_SETLK, &l) == 0;
}

static bool try_flags(void)
{
    return fcntl(DOCUMENT, F_SETFL, O_NONBLOCK) == 0;
}

static bool try_seek(void)
{
    return lseek(DOCUMENT, 1, SEEK_SET) == 1;
}

static bool try_write_document(void)
{
    return pwrite(DOCUMENT, "x", 1, 0) == 1;
}

static bool try_truncate(void)
{
    return ftruncate(DOCUMENT, 0) == 0;
}

static bool try_chmod(void)
{
    return fchmod(DOCUMENT, 0600) == 0;
}

static bool try_write_pipe(void)
{
    return write(OTHER_PIPE, "x", 1) == 1;
}

static bool try_send_elsewhere(void)
{
    return send(OTHER_SOCKET, "x", 1, 0) == 1;
}

static bool try_receive_elsewhere(void)
{
    char c;

    return recv(OTHER_SOCKET, &c, 1, MSG_DONTWAIT) >= 0 || errno == EAGAIN;
}

static bool try_run_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool try_make_runnable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool try_map_document(void)
{
    return mmap(NULL, 1, PROT_READ, MAP_SHARED, DOCUMENT, 0) != MAP_FAILED;
}

static bool try_much_memory(void)
{
    return mmap(NULL, (size_t)700 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}

static bool try_undo_limits(void)
{
    struct rlimit r = {100, 100};

    return setrlimit(RLIMIT_NOFILE, &r) == 0;
}

static bool try_dumpable(void)
{
    return syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0) == 0;
}

static bool try_unshare(void)
{
    return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0;
}

static bool try_memfd(void)
{
    return syscall(SYS_memfd_create, "x", 0) >= 0;
}

enum where { OUTSIDE, IN_DIGESTER, IN_NURSERY, IN_CLASSIFIER, IN_UNPACKER, IN_PARSERS, IN_PARSER };

/* Those that see no document, and what they need. */
#define NURSERIES (1U << IN_NURSERY | 1U << IN_PARSERS)

struct attempt {
    const char *what;
    bool (*run)(void);
    unsigned allowed;  /* 1 << enum where */
    bool may_not_work; /* also outside, in some containers */
    bool by_seccomp;   /* Landlock, which may refuse it too, is not there before Linux 6.12 */
};

static const struct attempt attempts[] = {
    {"open a file", try_open, 0, false, false},
    {"open without the library", try_openat_raw, 0, false, false},
    {"create a file", try_create, 0, true, false},
    {"look at a path", try_stat, 0, false, false},
    {"make a socket", try_socket, 0, false, false},
    {"make a local socket", try_unix_socket, 0, false, false},
    {"connect", try_connect, 0, true, false},
    {"run a program", try_exec, 0, false, false},
    {"fork", try_fork, NURSERIES, false, false},
    {"share its memory with a child", try_vfork, 0, false, false},
    {"signal its parent", try_kill_parent, 0, false, false},
    {"signal itself", try_term_self, 0, false, false},
    {"kill its parent", try_kill_parent_for_good, 0, false, true},
    {"kill another process of the user", try_kill_sibling, 0, false, true},
    {"signal its group", try_kill_all, 0, false, true},
    {"kill its parent's thread", try_tgkill_parent, 0, false, true},
    {"kill another's thread", try_tgkill_sibling, 0, false, true},
    {"kill a thread", try_tkill_sibling, 0, false, true},
    {"queue a signal", try_queue_to_sibling, 0, false, true},
    {"kill by a descriptor that it was given", try_kill_by_pidfd, 1U << IN_NURSERY, false, true},
    {"stop by a descriptor that it was given", try_stop_by_pidfd, 0, false, true},
    {"get a descriptor of its parent", try_pidfd_of_parent, 0, false, true},
    {"limit another process", try_limit_sibling, 0, false, true},
    {"ask for its parent's limits", try_limits_of_parent, 0, false, true},
    {"change another's priority", try_slow_down_sibling, 0, false, true},
    {"trace", try_ptrace, 0, true, false},
    {"take a lease", try_lease, 0, true, false},
    {"drop a lease", try_unlease, 0, true, false},
    {"lock the document", try_lock, 0, false, false},
    {"change the document's flags", try_flags, 0, false, false},
    {"move the document's offset", try_seek, 0, false, false},
    {"write into the document", try_write_document, 0, false, false},
    {"truncate the document", try_truncate, 0, false, false},
    {"change the document's mode", try_chmod, 0, false, false},
    {"write to another descriptor", try_write_pipe, 0, false, false},
    {"send on another socket", try_send_elsewhere, 0, false, false},
    {"receive on another socket", try_receive_elsewhere, 0, false, false},
    {"map runnable memory", try_run_memory, 0, false, false},
    {"make memory runnable", try_make_runnable, 0, false, false},
    {"map the document", try_map_document, 0, false, false},
    {"take much memory", try_much_memory, 1U << IN_PARSERS, false, false},
    {"raise its limits", try_undo_limits, 0, false, false},
    {"become dumpable", try_dumpable, NURSERIES, false, false},
    {"make a name space", try_unshare, 0, true, false},
    {"make a file in memory", try_memfd, 0, false, false},
};

/* The descriptors that a reader has, and no other. */
static void take_places(void)
{
    int pair[2], ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 || pipe(ends) < 0)
        _exit(99);
    /* A lease needs a file on a disk. */
    char path[] = "/tmp/test-sandbox-XXXXXX";
    int disk = mkstemp(path);

    if (disk < 0 || ftruncate(disk, 4096) < 0)
        _exit(99);
    unlink(path);
    dup2(pair[0], 20);
    dup2(disk, 21);
    dup2(ends[1], 22);
    dup2(ends[0], 23);
    dup2(pair[1], 24);
    dup2((int)syscall(SYS_pidfd_open, sibling, 0), 25);
    dup2(20, WIRE_FD);
    dup2(21, DOCUMENT);
    dup2(22, PIPE_IN);
    dup2(23, PIPE_IN + 1);
    dup2(24, OTHER_SOCKET);
    dup2(22, OTHER_PIPE);
    dup2(25, SIBLING_FD);
    close_range(SIBLING_FD + 1, ~0U, 0);
}

static void enter(enum where where)
{
    uint64_t used = sandbox_memory();
    unsigned lacks = 0;

    if (where == IN_DIGESTER)
        lacks = sandbox_enter(SANDBOX_DIGESTER);
    if (where == IN_NURSERY || where == IN_CLASSIFIER)
        lacks = sandbox_enter(SANDBOX_NURSERY);
    if (where == IN_CLASSIFIER)
        lacks |= sandbox_enter(SANDBOX_CLASSIFIER);
    if (where == IN_UNPACKER)
        lacks = sandbox_enter(SANDBOX_UNPACKER);
    if (where == IN_PARSERS || where == IN_PARSER)
        lacks = sandbox_enter(SANDBOX_PARSERS);
    if (where == IN_PARSER) {
        sandbox_limit_memory(used, 4096);
        lacks |= sandbox_enter(SANDBOX_PARSER);
    }
    if (lacks & LACKS_SECCOMP)
        _exit(98);
}

enum outcome { WORKED, REFUSED, KILLED, CANNOT_TELL };

/* The parent, in a group of its own: makes the sibling, and tells how the attempt went unless that was its
 * end. */
static enum outcome attempt_as_parent(const struct attempt *a, enum where where)
{
    int status = -1;
    pid_t pid;

    setpgid(0, 0);
    sibling = fork();
    if (sibling == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    pid = fork();
    if (pid == 0) {
        take_places();
        enter(where);
        _exit(a->run() ? WORKED : REFUSED);
    }
    waitpid(pid, &status, 0);
    kill(sibling, SIGKILL);
    waitpid(sibling, NULL, 0);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? KILLED : CANNOT_TELL;
    return WEXITSTATUS(status) <= REFUSED ? (enum outcome)WEXITSTATUS(status) : CANNOT_TELL;
}

static enum outcome attempt_in(const struct attempt *a, enum where where)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit((int)attempt_as_parent(a, where));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL ? WORKED : CANNOT_TELL;
    return (enum outcome)WEXITSTATUS(status);
}

static bool has_seccomp(void)
{
    return access("/proc/sys/kernel/seccomp/actions_avail", R_OK) == 0;
}

static void attempts_work_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        if (attempt_in(&attempts[i], OUTSIDE) == WORKED)
            continue;
        if (!attempts[i].may_not_work)
            fail_msg("outside the sandbox a process can %s", attempts[i].what);
        print_message("note: this machine lets nobody %s\n", attempts[i].what);
    }
}

static void all_fail_in(enum where where)
{
    if (!has_seccomp()) {
        print_message("skipped: this kernel has no seccomp\n");
        skip();
    }
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        enum outcome o = attempt_in(&attempts[i], where);

        if (o != KILLED && (o != REFUSED || attempts[i].by_seccomp) && !(attempts[i].allowed & 1U << where))
            fail_msg("a reader could %s (%d)", attempts[i].what, o);
    }
}

static void digester_is_shut_in(void **state)
{
    (void)state;
    all_fail_in(IN_DIGESTER);
}

static void nursery_is_shut_in(void **state)
{
    (void)state;
    all_fail_in(IN_NURSERY);
}

static void classifier_is_shut_in(void **state)
{
    (void)state;
    all_fail_in(IN_CLASSIFIER);
}

static void unpacker_is_shut_in(void **state)
{
    (void)state;
    all_fail_in(IN_UNPACKER);
}

static void parsers_are_shut_in(void **state)
{
    (void)state;
    all_fail_in(IN_PARSERS);
}

static void parser_is_shut_in(void **state)
{
    (void)state;
    all_fail_in(IN_PARSER);
}

static bool do_its_work(void)
{
    char b[16];
    struct stat st;

    return pread(DOCUMENT, b, sizeof b, 0) == sizeof b && syscall(SYS_fstat, DOCUMENT, &st) == 0 &&
           close(DOCUMENT) == 0 && wire_send(WIRE_FD, b, sizeof b, -1, 0) == 0;
}

static void readers_can_do_their_work(void **state)
{
    static const struct attempt work = {"work", do_its_work, 0, false, false};

    (void)state;
    assert_int_equal(attempt_in(&work, OUTSIDE), WORKED);
    if (!has_seccomp())
        skip();
    assert_int_equal(attempt_in(&work, IN_DIGESTER), WORKED);
    assert_int_equal(attempt_in(&work, IN_CLASSIFIER), WORKED);
    assert_int_equal(attempt_in(&work, IN_UNPACKER), WORKED);
}

static void every_lack_has_a_name(void **state)
{
    (void)state;
    for (unsigned bit = 1; bit <= LACKS_ALL; bit <<= 1)
        assert_string_not_equal(sandbox_lack_name(bit), "unknown");
    assert_string_equal(sandbox_lack_name(LACKS_ALL + 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_work_outside),     cmocka_unit_test(digester_is_shut_in),
        cmocka_unit_test(nursery_is_shut_in),        cmocka_unit_test(classifier_is_shut_in),
        cmocka_unit_test(readers_can_do_their_work), cmocka_unit_test(every_lack_has_a_name),
        cmocka_unit_test(unpacker_is_shut_in),       cmocka_unit_test(parsers_are_shut_in),
        cmocka_unit_test(parser_is_shut_in),
    };

    const char *preload = getenv("LD_PRELOAD");

    if (preload && strstr(preload, "vgpreload")) {
        print_message("skipped: valgrind makes system calls of its own\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
