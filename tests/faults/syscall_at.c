/*
 * syscall_at: runs a program and, at its Nth system call, ends it or has the call fail.
 *
 *   syscall_at count COMMAND…          how many there are, to standard error
 *   syscall_at kill N COMMAND…         SIGKILL to all of it just before the Nth
 *   syscall_at fail N ERRNO COMMAND…   the Nth is not done and returns ERRNO, if it touches files
 *
 * Threads count together, in the order in which the kernel reports them. What a build for coverage does to
 * write its counts neither counts nor fails: it would be the better part of the calls, and one that fails
 * there loses what all programs before it counted. Exit status: the program's; 137 when it was killed; 99
 * when it had fewer calls; 98 when the Nth does not touch files.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define THREADS 64

static const long files[] = {SYS_openat,    SYS_openat2,  SYS_read,      SYS_pread64,  SYS_write,
                             SYS_pwrite64,  SYS_fsync,    SYS_fdatasync, SYS_renameat2, SYS_unlinkat,
                             SYS_fchmod,    SYS_fchown,   SYS_linkat,    SYS_getdents64, SYS_fstat,
                             SYS_newfstatat, SYS_fsetxattr, SYS_mkdirat, SYS_faccessat, SYS_faccessat2,
                             SYS_sync_file_range, SYS_lseek, SYS_statx, SYS_flock};

enum what { COUNT, KILL, FAIL };

struct run {
    enum what what;
    long at, error;
    long count;
    pid_t inside[THREADS]; /* threads between entry and exit of a call */
    pid_t failing;         /* whose call is made to fail */
    bool skipped;
    bool began;            /* the program itself runs, not this one before exec */
    pid_t writes_counts;   /* a thread between opening and closing a file of the compiler's, or 0 */
};

static bool touches_files(long number)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] == number)
            return true;
    return false;
}

/* Whether this stop is the entry of a call. */
static bool is_entry(struct run *r, pid_t pid)
{
    for (int i = 0; i < THREADS; i++)
        if (r->inside[i] == pid) {
            r->inside[i] = 0;
            return false;
        }
    for (int i = 0; i < THREADS; i++)
        if (!r->inside[i]) {
            r->inside[i] = pid;
            break;
        }
    return true;
}

/* Whether it opens a file of the compiler's that takes counts. */
static bool opens_counts(pid_t pid, const struct user_regs_struct *regs)
{
    unsigned long at = regs->rsi;
    char last[sizeof ".gcda"] = "";

    if (regs->orig_rax != SYS_openat)
        return false;
    for (long word;; at += sizeof word) {
        errno = 0;
        word = ptrace(PTRACE_PEEKDATA, pid, (void *)at, NULL);
        if (errno)
            return false;
        for (size_t i = 0; i < sizeof word; i++) {
            char c = (char)(word >> (8 * i));

            if (!c)
                return memcmp(last + 1, ".gcda", 5) == 0;
            memmove(last, last + 1, sizeof last - 1);
            last[sizeof last - 1] = c;
        }
    }
}

static bool is_of_counts(struct run *r, pid_t pid, const struct user_regs_struct *regs)
{
    bool is = r->writes_counts == pid || opens_counts(pid, regs);

    if (is)
        r->writes_counts = regs->orig_rax == SYS_close ? 0 : pid;
    return is;
}

static void at_call(struct run *r, pid_t child, pid_t pid)
{
    struct user_regs_struct regs;

    if (!is_entry(r, pid)) {
        if (r->failing == pid && ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0) {
            regs.rax = (unsigned long long)-r->error;
            ptrace(PTRACE_SETREGS, pid, NULL, &regs);
            r->failing = 0;
        }
        return;
    }
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 || is_of_counts(r, pid, &regs) || ++r->count != r->at)
        return;
    if (r->what == KILL) {
        kill(child, SIGKILL);
    } else if (r->what == FAIL) {
        r->skipped = !touches_files((long)regs.orig_rax);
        if (r->skipped) {
            kill(child, SIGKILL);
            return;
        }
        regs.orig_rax = (unsigned long long)-1;
        r->failing = pid;
        ptrace(PTRACE_SETREGS, pid, NULL, &regs);
    }
}

/* Follows the child to its end; its status. */
static int follow(struct run *r, pid_t child)
{
    int status, deliver;
    pid_t pid;

    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (pid == child)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        deliver = 0;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            if (r->began)
                at_call(r, child, pid);
        } else if (WSTOPSIG(status) == SIGTRAP) {
            if (status >> 16 == PTRACE_EVENT_EXEC) {
                r->began = true;
                r->inside[0] = pid; /* the end of execve() comes next */
                r->writes_counts = 0;
            }
        } else if (WSTOPSIG(status) != SIGSTOP) {
            deliver = WSTOPSIG(status);
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)deliver);
    }
    return 127;
}

int main(int argc, char **argv)
{
    struct run r = {.what = COUNT};
    int next = 2, status;
    pid_t child;

    if (argc > 3 && strcmp(argv[1], "kill") == 0) {
        r.what = KILL;
        r.at = atol(argv[next++]);
    } else if (argc > 4 && strcmp(argv[1], "fail") == 0) {
        r.what = FAIL;
        r.at = atol(argv[next++]);
        r.error = atol(argv[next++]);
    } else if (argc < 3 || strcmp(argv[1], "count") != 0) {
        fprintf(stderr, "usage: syscall_at count|kill N|fail N ERRNO COMMAND...\n");
        return 2;
    }
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv(argv[next], argv + next);
        _exit(127);
    }
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(long)OPTIONS);
    ptrace(PTRACE_SYSCALL, child, NULL, NULL);
    status = follow(&r, child);
    if (r.what == COUNT)
        fprintf(stderr, "%ld\n", r.count);
    if (r.skipped)
        return 98;
    return r.what != COUNT && r.count < r.at ? 99 : status;
}
