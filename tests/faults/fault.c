/*
 * fault: stands before libc (LD_PRELOAD) in the organizer, counts its calls, and makes the Nth of
 * them end it, fail, or do half of what was asked.
 *
 *   FAULT_CALLS  names of the calls that count, comma-separated: "renameat2,write"; "alloc" is
 *                malloc and its kin
 *   FAULT_PATH   when set, only calls on what has this in its name count
 *   FAULT_AT     the number of the call, from 1; 0: only count
 *   FAULT_DO     kill: SIGKILL instead of the call; tear: half of a write, then SIGKILL; short:
 *                half of a read or write; slow: FAULT_MS milliseconds before it; lie: all of them
 *                succeed and nothing is done; stop: SIGSTOP, and the call when it is continued; or an
 *                errno, with which the call fails
 *   FAULT_EVER   when set, all later calls of the same name fail, too, but for those of a library on pipes and sockets
 *   FAULT_LOG    file to which "name what" is appended for each call that counts, and a line "HIT"
 *                behind the one that was hit
 *   FAULT_WAYS   when set, behind the name stands "@" and the way by which the program came to the
 *                call: two numbers, the same for calls from one place through the same callers, of
 *                which so many count. In another run they are the same where addresses are
 *                (ADDR_NO_RANDOMIZE)
 *   FAULT_LOOKS  when set, a way is looked for at each allocation even where it cannot be that
 *   FAULT_WAY    when set, "name@way": only calls of that name that were come to by it count
 *
 * Calls are counted across threads in the order in which they come. Only libc's callers are seen:
 * what changes the disk all goes by here (SQLite and libuv too), what libc does for itself (stdio, what
 * readdir asks the kernel) does not. In readers, which are other processes, nothing is counted.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum deed { DO_NOTHING, DO_KILL, DO_TEAR, DO_SHORT, DO_SLOW, DO_LIE, DO_STOP, DO_FAIL };

static struct {
    bool on;
    char calls[1024]; /* ",name,name," */
    const char *path;
    long at;
    enum deed deed;
    int number; /* errno of DO_FAIL */
    long ms;    /* of DO_SLOW */
    bool ever;
    int callers; /* that a way is made of; 0: no ways are told */
    bool looks;  /* for the way of each allocation, as counted runs do, which takes them longer */
    struct way {
        unsigned long all;  /* a hash of the callers */
        unsigned long last; /* the caller of the call */
    } way;                  /* by which alone is counted; all zero: by any */
    char only[32];          /* and the name of the call */
    int log;
    atomic_long count;
    char hit[32]; /* the name of the call that was hit */
    atomic_bool was_hit;
} fault = {.log = -1};

/* way(), next() and what stands before libc; and callers that can be told apart at most. */
#define OWN_FRAMES  3
#define MAX_CALLERS 16
/* The program's own addresses are below. */
#define LIBRARIES 0x7f0000000000UL

/* The unwinder allocates, and counts are not to count that. */
static _Thread_local bool at_way;

__attribute__((noinline)) static struct way way(void)
{
    void *frames[OWN_FRAMES + MAX_CALLERS];
    struct way w = {14695981039346656037UL, 0};
    int n;

    at_way = true;
    n = backtrace(frames, OWN_FRAMES + fault.callers);
    at_way = false;
    if (n > OWN_FRAMES)
        w.last = (unsigned long)frames[OWN_FRAMES];
    for (int i = OWN_FRAMES; i < n; i++)
        w.all = (w.all ^ (unsigned long)frames[i]) * 1099511628211UL;
    return w;
}

/* Ways that were told; hashed, open. */
#define WAYS_TOLD 65536
static atomic_ulong told[WAYS_TOLD];

/* Whether it is told the first time. In a run that is struck each is told, too: how long a run takes tells in what order
 * things happen, and so by which ways it comes. */
static bool is_new(const struct way *by)
{
    for (unsigned long i = by->all, n = 0; n < WAYS_TOLD; i++, n++) {
        unsigned long there = 0;

        if (atomic_compare_exchange_strong(&told[i % WAYS_TOLD], &there, by->all))
            return true;
        if (there == by->all)
            return false;
    }
    return false;
}

/* by: the way there; may be NULL. */
static void tell(const char *name, const struct way *by, const char *what)
{
    char line[600];
    int n;

    if (by)
        n = snprintf(line, sizeof line, "%s@%lx-%lx %s\n", name, by->all, by->last,
                     what ? what : "");
    else
        n = snprintf(line, sizeof line, "%s %s\n", name, what ? what : "");

    if (fault.log >= 0 && n > 0)
        syscall(SYS_write, fault.log, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void end_here(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
}

/* All threads; this one does nothing more before it is continued. */
static void stop_here(void)
{
    syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP);
}

__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
    const char *calls = getenv("FAULT_CALLS"), *at = getenv("FAULT_AT"), *deed = getenv("FAULT_DO");
    const char *log = getenv("FAULT_LOG"), *ms = getenv("FAULT_MS");
    const char *ways = getenv("FAULT_WAYS"), *only = getenv("FAULT_WAY");

    (void)envp;
    if (!calls || (argc > 1 && strcmp(argv[1], "--reader") == 0))
        return;
    snprintf(fault.calls, sizeof fault.calls, ",%s,", calls);
    fault.at = at ? atol(at) : 0;
    fault.ever = getenv("FAULT_EVER") != NULL;
    fault.path = getenv("FAULT_PATH");
    fault.looks = getenv("FAULT_LOOKS") != NULL;
    if (ways)
        fault.callers = atoi(ways) < MAX_CALLERS ? atoi(ways) : MAX_CALLERS;
    if (only && sscanf(only, "%31[^@]@%lx-%lx", fault.only, &fault.way.all, &fault.way.last) != 3)
        end_here();
    if (deed && strcmp(deed, "kill") == 0)
        fault.deed = DO_KILL;
    else if (deed && strcmp(deed, "tear") == 0)
        fault.deed = DO_TEAR;
    else if (deed && strcmp(deed, "short") == 0)
        fault.deed = DO_SHORT;
    else if (deed && strcmp(deed, "slow") == 0)
        fault.deed = DO_SLOW, fault.ms = ms ? atol(ms) : 10;
    else if (deed && strcmp(deed, "lie") == 0)
        fault.deed = DO_LIE;
    else if (deed && strcmp(deed, "stop") == 0)
        fault.deed = DO_STOP;
    else if (deed)
        fault.deed = DO_FAIL, fault.number = atoi(deed);
    if (log)
        fault.log = (int)syscall(SYS_openat, AT_FDCWD, log,
                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    fault.on = true;
}

static bool counts(const char *name)
{
    char key[40];

    snprintf(key, sizeof key, ",%s,", name);
    return fault.on && !at_way && strstr(fault.calls, key);
}

static void dawdle(void)
{
    const struct timespec t = {fault.ms / 1000, fault.ms % 1000 * 1000000};

    syscall(SYS_nanosleep, &t, NULL);
}

/* libuv's pipes are behind its signals and behind what threads tell each other, its sockets lead to who asks: it does not
 * go on without them, and no disk gives errors there. */
static bool is_of_no_disk(const char *name, const char *what, const void *caller)
{
    static const char *const these[] = {"pipe:", "socket:", "anon_inode:"};
    bool is = strcmp(name, "pipe2") == 0;

    for (size_t i = 0; what && i < sizeof these / sizeof *these; i++)
        is = is || strncmp(what, these[i], strlen(these[i])) == 0;
    return is && (uintptr_t)caller >= LIBRARIES;
}

/* What the call is to do, which this one asked for. */
#define next(name, what) next_by(name, what, __builtin_return_address(0))
__attribute__((noinline)) static enum deed next_by(const char *name, const char *what,
                                                   const void *caller)
{
    struct way by = {0};
    long n;

    if (!counts(name) || (fault.path && (!what || !strstr(what, fault.path))))
        return DO_NOTHING;
    if (fault.deed == DO_SLOW) {
        tell(name, NULL, what);
        dawdle();
        return DO_NOTHING;
    }
    if (fault.deed == DO_LIE)
        return DO_LIE;
    if (atomic_load(&fault.was_hit))
        return fault.ever && strcmp(fault.hit, name) == 0 &&
                       !is_of_no_disk(name, what, caller)
                   ? fault.deed
                   : DO_NOTHING;
    if (fault.callers > 0) {
        by = way();
        if (is_new(&by))
            tell(name, &by, what);
    }
    if (fault.way.all &&
        (by.all != fault.way.all || by.last != fault.way.last || strcmp(name, fault.only) != 0))
        return DO_NOTHING;
    n = atomic_fetch_add(&fault.count, 1) + 1;
    if (fault.callers == 0)
        tell(name, NULL, what);
    if (n != fault.at)
        return DO_NOTHING;
    snprintf(fault.hit, sizeof fault.hit, "%s", name);
    atomic_store(&fault.was_hit, true);
    tell("HIT", NULL, name);
    if (fault.deed == DO_KILL)
        end_here();
    if (fault.deed == DO_STOP) {
        stop_here();
        return DO_NOTHING;
    }
    return fault.deed;
}

static const char *path_of(int fd, char buf[static 256])
{
    char link[40];
    ssize_t n;

    if (fault.path == NULL && (fault.log < 0 || (fault.at == 0 && fault.deed != DO_SLOW)))
        return ""; /* nobody is told, or only how many there are */
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = syscall(SYS_readlinkat, AT_FDCWD, link, buf, 255);
    buf[n > 0 ? n : 0] = '\0';
    return buf;
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* ret NAME(params), told as `as`, of what(…); failing as `failed`. errno is as the caller left it where the call leaves
 * it so: the end of a folder is told by that. */
#define CALL(ret, as, name, params, args, what, failed)                                            \
    ret name params;                                                                               \
    ret name params                                                                                \
    {                                                                                              \
        static ret(*fn) params;                                                                    \
        int saved = errno;                                                                         \
        enum deed deed;                                                                            \
                                                                                                   \
        if (!fn)                                                                                   \
            *(void **)&fn = real(#name);                                                           \
        deed = next(as, what);                                                                     \
        errno = saved;                                                                             \
        if (deed == DO_FAIL) {                                                                     \
            errno = fault.number;                                                                  \
            return failed;                                                                         \
        }                                                                                          \
        if (deed == DO_LIE)                                                                        \
            return (ret)0;                                                                         \
        return fn args;                                                                            \
    }
#define FD(fd) path_of(fd, (char[256]){0})

CALL(int, "fsync", fsync, (int fd), (fd), FD(fd), -1)
CALL(int, "fdatasync", fdatasync, (int fd), (fd), FD(fd), -1)
CALL(int, "syncfs", syncfs, (int fd), (fd), "", -1)
CALL(int, "renameat2", renameat2, (int a, const char *b, int c, const char *d, unsigned e),
     (a, b, c, d, e), d, -1)
CALL(int, "renameat", renameat, (int a, const char *b, int c, const char *d), (a, b, c, d), d, -1)
CALL(int, "linkat", linkat, (int a, const char *b, int c, const char *d, int f), (a, b, c, d, f), d,
     -1)
CALL(int, "unlink", unlink, (const char *p), (p), p, -1)
CALL(int, "unlinkat", unlinkat, (int d, const char *p, int f), (d, p, f), p, -1)
CALL(int, "rmdir", rmdir, (const char *p), (p), p, -1)
CALL(int, "mkdir", mkdir, (const char *p, mode_t m), (p, m), p, -1)
CALL(int, "mkdirat", mkdirat, (int d, const char *p, mode_t m), (d, p, m), p, -1)
CALL(int, "ftruncate", ftruncate, (int fd, off_t n), (fd, n), FD(fd), -1)
CALL(int, "ftruncate", ftruncate64, (int fd, off64_t n), (fd, n), FD(fd), -1)
CALL(int, "fchmod", fchmod, (int fd, mode_t m), (fd, m), FD(fd), -1)
CALL(int, "chmod", chmod, (const char *p, mode_t m), (p, m), p, -1)
CALL(int, "chmod", fchmodat, (int d, const char *p, mode_t m, int f), (d, p, m, f), p, -1)
CALL(int, "fchown", fchown, (int fd, uid_t u, gid_t g), (fd, u, g), FD(fd), -1)
CALL(int, "fsetxattr", fsetxattr, (int fd, const char *n, const void *v, size_t s, int f),
     (fd, n, v, s, f), FD(fd), -1)
CALL(int, "fremovexattr", fremovexattr, (int fd, const char *n), (fd, n), FD(fd), -1)
CALL(ssize_t, "fgetxattr", fgetxattr, (int fd, const char *n, void *v, size_t s), (fd, n, v, s),
     FD(fd), -1)
CALL(int, "fstat", fstat, (int fd, struct stat *st), (fd, st), FD(fd), -1)
CALL(int, "fstat", fstat64, (int fd, struct stat64 *st), (fd, st), FD(fd), -1)
CALL(int, "stat", stat, (const char *p, struct stat *st), (p, st), p, -1)
CALL(int, "stat", stat64, (const char *p, struct stat64 *st), (p, st), p, -1)
CALL(int, "stat", lstat, (const char *p, struct stat *st), (p, st), p, -1)
CALL(int, "stat", lstat64, (const char *p, struct stat64 *st), (p, st), p, -1)
CALL(int, "fstatat", fstatat, (int d, const char *p, struct stat *st, int f), (d, p, st, f), p, -1)
CALL(int, "statx", statx, (int d, const char *p, int f, unsigned m, struct statx *x),
     (d, p, f, m, x), p, -1)
CALL(int, "access", access, (const char *p, int m), (p, m), p, -1)
CALL(int, "access", faccessat, (int d, const char *p, int m, int f), (d, p, m, f), p, -1)
CALL(ssize_t, "getdents64", getdents64, (int fd, void *b, size_t n), (fd, b, n), FD(fd), -1)
CALL(struct dirent *, "readdir", readdir, (DIR *d), (d), FD(dirfd(d)), NULL)
CALL(DIR *, "fdopendir", fdopendir, (int fd), (fd), FD(fd), NULL)
CALL(DIR *, "opendir", opendir, (const char *p), (p), p, NULL)
CALL(int, "opendir", scandirat,
     (int d, const char *p, struct dirent ***list, int (*wanted)(const struct dirent *),
      int (*order)(const struct dirent **, const struct dirent **)),
     (d, p, list, wanted, order), p, -1)
CALL(int, "sync_file_range", sync_file_range, (int fd, off64_t o, off64_t n, unsigned f),
     (fd, o, n, f), FD(fd), -1)
CALL(int, "flock", flock, (int fd, int op), (fd, op), FD(fd), -1)
CALL(void *, "mmap", mmap, (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o),
     "", MAP_FAILED)
CALL(void *, "mmap", mmap64, (void *a, size_t n, int p, int f, int fd, off64_t o),
     (a, n, p, f, fd, o), "", MAP_FAILED)
CALL(int, "socket", socket, (int d, int t, int p), (d, t, p), "", -1)
CALL(int, "socket", socketpair, (int d, int t, int p, int v[2]), (d, t, p, v), "", -1)
CALL(int, "pipe2", pipe2, (int v[2], int f), (v, f), "", -1)
CALL(int, "dup", dup, (int fd), (fd), "", -1)
CALL(int, "memfd_create", memfd_create, (const char *p, unsigned f), (p, f), p, -1)
CALL(ssize_t, "sendmsg", sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f), "", -1)
CALL(ssize_t, "recvmsg", recvmsg, (int fd, struct msghdr *m, int f), (fd, m, f), "", -1)
CALL(pid_t, "fork", fork, (void), (), "", -1)
/* What it returns is the error. */
CALL(int, "posix_spawn", posix_spawn,
     (pid_t * pid, const char *p, const posix_spawn_file_actions_t *acts,
      const posix_spawnattr_t *attr, char *const argv[], char *const envp[]),
     (pid, p, acts, attr, argv, envp), p, fault.number)
CALL(int, "inotify", inotify_init1, (int f), (f), "", -1)
CALL(int, "inotify", inotify_add_watch, (int fd, const char *p, uint32_t m), (fd, p, m), p, -1)
CALL(ssize_t, "getrandom", getrandom, (void *b, size_t n, unsigned f), (b, n, f), "", -1)

/* ---- reads and writes, which may do half of it -------------------------------------------------
 */

#define HALF(as, name, params, args, half_args, n, fd)                                             \
    ssize_t name params;                                                                           \
    ssize_t name params                                                                            \
    {                                                                                              \
        static ssize_t(*fn) params;                                                                \
        enum deed deed;                                                                            \
                                                                                                   \
        if (!fn)                                                                                   \
            *(void **)&fn = real(#name);                                                           \
        deed = next(as, FD(fd));                                                                   \
        if (deed == DO_FAIL) {                                                                     \
            errno = fault.number;                                                                  \
            return -1;                                                                             \
        }                                                                                          \
        if ((deed == DO_SHORT || deed == DO_TEAR) && (n) > 1) {                                    \
            ssize_t done = fn half_args;                                                           \
                                                                                                   \
            if (deed == DO_TEAR)                                                                   \
                end_here();                                                                        \
            return done;                                                                           \
        }                                                                                          \
        if (deed == DO_TEAR)                                                                       \
            end_here();                                                                            \
        return fn args;                                                                            \
    }

HALF("read", read, (int fd, void *b, size_t n), (fd, b, n), (fd, b, n / 2), n, fd)
HALF("pread", pread, (int fd, void *b, size_t n, off_t o), (fd, b, n, o), (fd, b, n / 2, o), n, fd)
HALF("pread", pread64, (int fd, void *b, size_t n, off64_t o), (fd, b, n, o), (fd, b, n / 2, o), n,
     fd)
HALF("write", write, (int fd, const void *b, size_t n), (fd, b, n), (fd, b, n / 2), n, fd)
HALF("write", pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o), (fd, b, n / 2, o),
     n, fd)
HALF("write", pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o),
     (fd, b, n / 2, o), n, fd)

/* ---- with a varying number of arguments
 * ---------------------------------------------------------- */

static int do_open(const char *as, int dir, const char *path, int flags, mode_t mode)
{
    if (next(as, path) == DO_FAIL) {
        errno = fault.number;
        return -1;
    }
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define OPEN(name, first, dir)                                                                     \
    int name(first const char *path, int flags, ...);                                              \
    int name(first const char *path, int flags, ...)                                               \
    {                                                                                              \
        va_list ap;                                                                                \
        mode_t mode = 0;                                                                           \
                                                                                                   \
        if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                      \
            va_start(ap, flags);                                                                   \
            mode = va_arg(ap, mode_t);                                                             \
            va_end(ap);                                                                            \
        }                                                                                          \
        return do_open(flags & O_CREAT ? "create" : "open", dir, path, flags, mode);               \
    }
#define COMMA ,
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
OPEN(openat, int d COMMA, d)
OPEN(openat64, int d COMMA, d)

/* To give a lock up does not wait, and is not interrupted; SQLite would wait for its own lock from
 * there on. */
static const char *fcntl_name(int cmd, const void *arg)
{
    if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
        return "dup";
    if (cmd == F_SETLK && ((const struct flock *)arg)->l_type == F_UNLCK)
        return "unlock";
    return cmd == F_SETLEASE ? "lease" : "fcntl";
}

static int do_fcntl(int fd, int cmd, void *arg)
{
    if (next(fcntl_name(cmd, arg), cmd == F_SETLEASE ? FD(fd) : "") == DO_FAIL) {
        errno = fault.number;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, cmd, arg);
}

#define FCNTL(name)                                                                                \
    int name(int fd, int cmd, ...);                                                                \
    int name(int fd, int cmd, ...)                                                                 \
    {                                                                                              \
        va_list ap;                                                                                \
        void *arg;                                                                                 \
                                                                                                   \
        va_start(ap, cmd);                                                                         \
        arg = va_arg(ap, void *);                                                                  \
        va_end(ap);                                                                                \
        return do_fcntl(fd, cmd, arg);                                                             \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

/* openat2(2) has no function in this libc. */
long syscall(long n, ...)
{
    static long (*fn)(long, ...);
    va_list ap;
    long a[6];

    if (!fn)
        *(void **)&fn = real("syscall");
    va_start(ap, n);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (n == SYS_openat2 &&
        next(((const struct open_how *)a[2])->flags & O_CREAT ? "create" : "openat2",
             (const char *)a[1]) == DO_FAIL) {
        errno = fault.number;
        return -1;
    }
    return fn(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- memory
 * --------------------------------------------------------------------------------------- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

/* Most calls are from elsewhere, and to look for a way takes longer than they do. */
__attribute__((always_inline)) static inline bool no_memory(const void *caller)
{
    bool elsewhere = fault.way.last && !fault.looks && (unsigned long)caller != fault.way.last;

    if (!fault.on || (elsewhere && !(fault.ever && atomic_load(&fault.was_hit))) ||
        next("alloc", "") != DO_FAIL)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}
