#include "examine/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "examine/wire.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

#define MEMORY_MAX  (UINT64_C(256) << 20) /* over what the process has when it is shut in */
/* A parser's, so that it stays below 256 MiB with what it touches of its libraries. */
#define MEMORY_PARSER (UINT64_C(192) << 20)
/* The window of a compressed archive, and what is known of a million entries. */
#define MEMORY_UNPACKER (UINT64_C(512) << 20)
#define CPU_SECONDS 60                    /* of one classifier, for all its documents */
#define FILES           16
#define FILES_NURSERY   80 /* it has a descriptor of each of its classifiers */

/* Debian 12's linux/landlock.h is older than the kernels this may run on. */
struct landlock_rules {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

#define LANDLOCK_VERSION 1U /* LANDLOCK_CREATE_RULESET_VERSION */
#define LANDLOCK_SCOPES  3U /* abstract Unix sockets, signals */
#define LANDLOCK_NET     3U /* bind and connect TCP */

/* The number of file rights that each version of the interface knows. */
static uint64_t landlock_rights(long abi)
{
    static const unsigned count[] = {0, 13, 14, 15, 15, 16};
    size_t n = sizeof count / sizeof count[0];

    return (UINT64_C(1) << count[(size_t)abi < n ? (size_t)abi : n - 1]) - 1;
}

/* A ruleset that handles every right and allows nothing. */
static unsigned enter_landlock(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    unsigned lacks = abi >= 6 ? 0 : LACKS_LANDLOCK_SCOPES;

    if (abi < 1)
        return lacks | LACKS_LANDLOCK;

    struct landlock_rules rules = {
        .fs = landlock_rights(abi),
        .net = abi >= 4 ? LANDLOCK_NET : 0,
        .scoped = abi >= 6 ? LANDLOCK_SCOPES : 0,
    };
    size_t size = abi >= 6 ? sizeof rules : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);

    if (fd < 0)
        return lacks | LACKS_LANDLOCK;
    if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        lacks |= LACKS_LANDLOCK;
    close(fd);
    return lacks;
}

static bool limit(__rlimit_resource_t what, rlim_t max)
{
    struct rlimit now, r = {max, max};

    if (getrlimit(what, &now) == 0 && now.rlim_max < max)
        r.rlim_cur = r.rlim_max = now.rlim_max;
    return setrlimit(what, &r) == 0;
}

uint64_t sandbox_memory(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    if (!f)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes a number there */
    if (fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void sandbox_limit_memory(uint64_t used, uint64_t mapped)
{
    if (used > 0)
        limit(RLIMIT_AS, used + mapped + MEMORY_PARSER);
}

/* Roles as bits. */
#define DIGESTER   (1U << SANDBOX_DIGESTER)
#define NURSERY    (1U << SANDBOX_NURSERY)
#define CLASSIFIER (1U << SANDBOX_CLASSIFIER)
#define PARSERS    (1U << SANDBOX_PARSERS)
#define PARSER     (1U << SANDBOX_PARSER)
#define UNPACKER   (1U << SANDBOX_UNPACKER)
#define ALL        (DIGESTER | NURSERY | CLASSIFIER | PARSERS | PARSER | UNPACKER)

static unsigned enter_limits(enum sandbox_role role)
{
    static const struct {
        __rlimit_resource_t what;
        rlim_t max;
        unsigned roles;
    } limits[] = {
        {RLIMIT_FSIZE, 0, DIGESTER | NURSERY | CLASSIFIER | UNPACKER},
        {RLIMIT_FSIZE, SANDBOX_OUT_MAX, PARSERS | PARSER},
        {RLIMIT_CORE, 0, ALL},
        {RLIMIT_MEMLOCK, 0, ALL},
        {RLIMIT_MSGQUEUE, 0, ALL},
        {RLIMIT_NOFILE, FILES_NURSERY, NURSERY},
        {RLIMIT_NOFILE, FILES, ALL & ~NURSERY},
        {RLIMIT_NPROC, 0, CLASSIFIER | PARSER | UNPACKER},
        {RLIMIT_CPU, CPU_SECONDS, CLASSIFIER},
        {RLIMIT_CPU, SANDBOX_PARSE_CPU_S, PARSER},
    };
    unsigned lacks = 0;

    for (size_t i = 0; i < COUNT(limits); i++)
        if (limits[i].roles & 1U << role)
            lacks |= limit(limits[i].what, limits[i].max) ? 0 : LACKS_LIMITS;
    if (role != SANDBOX_DIGESTER && role != SANDBOX_NURSERY && role != SANDBOX_UNPACKER)
        return lacks; /* a parser has got its limit, see sandbox_limit_memory() */

    uint64_t used = sandbox_memory();
    uint64_t more = role == SANDBOX_UNPACKER ? MEMORY_UNPACKER : MEMORY_MAX;

    return lacks | (used > 0 && limit(RLIMIT_AS, used + more) ? 0 : LACKS_LIMITS);
}

static unsigned enter_privileges(void)
{
    bool ok = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

    ok &= prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    ok &= prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
    return ok ? 0 : LACKS_PRIVILEGES;
}

/* What all readers need, whatever the arguments. */
static const int plain_calls[] = {
    SCMP_SYS(pread64),
    SCMP_SYS(fstat),
    SCMP_SYS(close),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(exit_group),
    SCMP_SYS(exit),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(getrandom),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
};

/* What a nursery needs beside, also so that its children can shut themselves in. */
static const int nursery_calls[] = {
    SCMP_SYS(wait4),     SCMP_SYS(prctl),     SCMP_SYS(seccomp),
    SCMP_SYS(setrlimit), SCMP_SYS(getrlimit), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),      SCMP_SYS(dup3),      SCMP_SYS(dup2),
};

/* Libraries look for optional files and carry on without: refused, not punished. */
static const int refused_calls[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(openat2),  SCMP_SYS(access),
    SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(stat),     SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx),      SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),     SCMP_SYS(ioctl),      SCMP_SYS(uname),    SCMP_SYS(sysinfo),
};

/* What libraries that parse documents ask beside, which tells nothing. */
static const int parser_calls[] = {
    SCMP_SYS(getuid),  SCMP_SYS(geteuid),      SCMP_SYS(getgid),           SCMP_SYS(getegid),
    SCMP_SYS(getppid), SCMP_SYS(gettimeofday), SCMP_SYS(sched_getaffinity), SCMP_SYS(clock_getres),
    SCMP_SYS(time),    SCMP_SYS(getrusage),
};

/* Their remarks go nowhere, and there is nothing to read but the mapped document. */
static const int parser_refused_calls[] = {
    SCMP_SYS(read),   SCMP_SYS(readv),  SCMP_SYS(write),    SCMP_SYS(writev), SCMP_SYS(lseek),
    SCMP_SYS(fcntl),  SCMP_SYS(socket), SCMP_SYS(pipe2),    SCMP_SYS(mkdir),  SCMP_SYS(eventfd2),
    SCMP_SYS(statfs), SCMP_SYS(poll),   SCMP_SYS(fstatfs),  SCMP_SYS(unlink), SCMP_SYS(getdents64),
    SCMP_SYS(getpeername),
};

static bool allow_all(scmp_filter_ctx f, const int *calls, size_t n, uint32_t action)
{
    for (size_t i = 0; i < n; i++) {
        int r = seccomp_rule_add(f, action, calls[i], 0);

        /* Some are unknown to some architectures. */
        if (r < 0 && r != -EDOM && r != -EINVAL && r != -EEXIST)
            return false;
    }
    return true;
}

/* Messages on the reader's own socket, and memory that is not run. */
static bool allow_some(scmp_filter_ctx f)
{
    static const int socket_calls[] = {SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto)};
    const struct scmp_arg_cmp on_socket = {0, SCMP_CMP_EQ, WIRE_FD, 0};
    int r = 0;

    for (size_t i = 0; i < COUNT(socket_calls); i++)
        r |= seccomp_rule_add(f, SCMP_ACT_ALLOW, socket_calls[i], 1, on_socket);
    /* A fresh mapping only: a document is never mapped, a file that shrinks would kill us. */
    r |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                          SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    r |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return r == 0;
}

/* The document is mapped before any of it is looked at: one that shrinks meanwhile kills only its own
 * parser, and is looked at again since it changed. */
static bool allow_mapping(scmp_filter_ctx f)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 3,
                            SCMP_A2(SCMP_CMP_EQ, PROT_READ, 0),
                            SCMP_A3(SCMP_CMP_EQ, MAP_PRIVATE, 0),
                            SCMP_A4(SCMP_CMP_LE, SANDBOX_OUT_FD, 0)) == 0;
}

static bool allow_output(scmp_filter_ctx f)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(pwrite64), 1,
                            SCMP_A0(SCMP_CMP_EQ, SANDBOX_OUT_FD, 0)) == 0;
}

/* fork(2) as glibc does it (clone with nothing shared), and limits, but not those of others: the
 * organizer has the same user. */
static bool allow_children(scmp_filter_ctx f)
{
    /* Nothing shared but the two places where glibc keeps the child's number. */
    const uint64_t shared = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PIDFD;
    int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, ~shared, SIGCHLD));

    r |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
    return r == 0;
}

/* Of a child only: nobody but who made it has its descriptor. By its number, kill(2) would end any
 * process of the user, and Landlock keeps it from that only since Linux 6.12. */
static bool allow_end_of_child(scmp_filter_ctx f)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(pidfd_send_signal), 1,
                            SCMP_A1(SCMP_CMP_EQ, SIGKILL, 0)) == 0;
}

/* NULL when the library cannot make it. */
static scmp_filter_ctx make_filter(enum sandbox_role role)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool ok = f != NULL;

    if (!ok)
        return NULL;
    seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0); /* set already, and reported by itself */
    seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    ok = ok && allow_all(f, plain_calls, COUNT(plain_calls), SCMP_ACT_ALLOW);
    ok = ok && allow_all(f, refused_calls, COUNT(refused_calls), SCMP_ACT_ERRNO(EPERM));
    ok = ok && allow_some(f);
    if (role == SANDBOX_NURSERY || role == SANDBOX_PARSERS) {
        ok = ok && allow_all(f, nursery_calls, COUNT(nursery_calls), SCMP_ACT_ALLOW);
        ok = ok && allow_children(f);
    }
    if (role == SANDBOX_NURSERY)
        ok = ok && allow_end_of_child(f);
    if (role == SANDBOX_PARSERS || role == SANDBOX_PARSER) {
        ok = ok && allow_all(f, parser_calls, COUNT(parser_calls), SCMP_ACT_ALLOW);
        ok = ok && allow_all(f, parser_refused_calls, COUNT(parser_refused_calls),
                             SCMP_ACT_ERRNO(EPERM));
        ok = ok && allow_output(f);
    }
    if (role == SANDBOX_PARSERS)
        ok = ok && allow_mapping(f);
    if (ok)
        return f;
    seccomp_release(f);
    return NULL;
}

struct sandbox_filter {
    struct sock_fprog program;
};

/* The program that the filter is for the kernel; n bytes. NULL with errno. */
static void *export_program(scmp_filter_ctx filter, size_t *n)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    off_t size = fd >= 0 && seccomp_export_bpf(filter, fd) == 0 ? lseek(fd, 0, SEEK_END) : -1;
    void *p = size > 0 ? xmalloc((size_t)size) : NULL;

    if (p && pread(fd, p, (size_t)size, 0) != size) {
        free(p);
        p = NULL;
    }
    if (fd >= 0)
        close(fd);
    *n = p ? (size_t)size : 0;
    return p;
}

struct sandbox_filter *sandbox_filter_new(enum sandbox_role role)
{
    scmp_filter_ctx filter = make_filter(role);
    size_t n;
    void *program = filter ? export_program(filter, &n) : NULL;
    struct sandbox_filter *f = NULL;

    if (program) {
        f = xcalloc(1, sizeof *f);
        f->program = (struct sock_fprog){(unsigned short)(n / sizeof(struct sock_filter)), program};
    }
    if (filter)
        seccomp_release(filter);
    return f;
}

void sandbox_filter_free(struct sandbox_filter *f)
{
    if (!f)
        return;
    free(f->program.filter);
    free(f);
}

static unsigned enter_seccomp(enum sandbox_role role, const struct sandbox_filter *made)
{
    scmp_filter_ctx filter;
    bool ok;

    if (made)
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &made->program) == 0 ? 0
                                                                                      : LACKS_SECCOMP;
    filter = make_filter(role);
    ok = filter && seccomp_load(filter) == 0;
    if (filter)
        seccomp_release(filter);
    return ok ? 0 : LACKS_SECCOMP;
}

unsigned sandbox_enter_with(enum sandbox_role role, const struct sandbox_filter *f)
{
    unsigned lacks = enter_privileges() | enter_limits(role);

    /* The nursery's rules hold for its children, and they could not add any more. */
    if (role != SANDBOX_CLASSIFIER && role != SANDBOX_PARSER)
        lacks |= enter_landlock();
    return lacks | enter_seccomp(role, f);
}

unsigned sandbox_enter(enum sandbox_role role)
{
    return sandbox_enter_with(role, NULL);
}

const char *sandbox_lack_name(unsigned bit)
{
    switch (bit) {
    case LACKS_SECCOMP:
        return "seccomp";
    case LACKS_LANDLOCK:
        return "landlock";
    case LACKS_LANDLOCK_SCOPES:
        return "landlock-scopes";
    case LACKS_LIMITS:
        return "limits";
    case LACKS_PRIVILEGES:
        return "privileges";
    default:
        return "unknown";
    }
}
