/* texts, when documents have taken their parsers over, and when a nursery lies. This program is run as
 * organizer-parsers: its own code up to parse(), which here does what the document says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/exit.h"
#include "descriptors.h"
#include "examine/sandbox.h"
#include "examine/wire.h"
#include "text/answer.h"
#include "text/nursery.h"
#include "text/parse.h"
#include "texts_world.h"

#define FDS 64 /* more than a parser may have */

/* ---- in the parser: what it tries. True: it worked. --------------------------------------------------- */

static bool opens(long a)
{
    return open("/etc/passwd", (int)a) >= 0 || syscall(SYS_open, "/etc/passwd", (int)a) >= 0;
}

static bool makes(long a)
{
    (void)a;
    return open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0;
}

static bool makes_socket(long family)
{
    return socket((int)family, SOCK_STREAM, 0) >= 0;
}

static bool connects(long fd)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect((int)fd, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool execs(long a)
{
    char name[] = "true", *argv[] = {name, NULL};

    (void)a;
    execv("/bin/true", argv); /* status 0: an answer without a record */
    return false;
}

static bool forks(long flags)
{
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

    if (pid == 0)
        for (;;)
            continue;
    return pid > 0;
}

static bool kills(long pid)
{
    return kill(pid > 0 ? (pid_t)pid : getppid(), SIGKILL) == 0;
}

static bool kills_all(long pid)
{
    return kill((pid_t)pid, SIGCONT) == 0;
}

static bool tgkills(long pid)
{
    pid_t p = pid > 0 ? (pid_t)pid : getppid();

    return syscall(SYS_tgkill, p, p, SIGKILL) == 0;
}

static bool tkills(long pid)
{
    return syscall(SYS_tkill, pid > 0 ? (pid_t)pid : getppid(), SIGKILL) == 0;
}

static bool queues(long pid)
{
    return sigqueue(pid > 0 ? (pid_t)pid : getppid(), SIGKILL, (union sigval){.sival_int = 0}) == 0;
}

static bool opens_pidfd(long pid)
{
    return syscall(SYS_pidfd_open, pid > 0 ? (pid_t)pid : getppid(), 0) >= 0;
}

static bool signals_pidfds(long a)
{
    (void)a;
    for (int fd = 0; fd < FDS; fd++)
        if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0)
            return true;
    return false;
}

static bool limits(long pid)
{
    struct rlimit r = {0, 0};

    return prlimit(pid > 0 ? (pid_t)pid : getppid(), RLIMIT_CPU, &r, NULL) == 0;
}

static bool traces(long pid)
{
    return syscall(SYS_ptrace, 0x4206 /* PTRACE_SEIZE */, pid > 0 ? (pid_t)pid : getppid(), 0, 0) == 0;
}

static bool writes_memory(long pid)
{
    char b[1] = "";
    struct iovec iov = {b, 1};

    return process_vm_writev(pid > 0 ? (pid_t)pid : getppid(), &iov, 1, &iov, 1, 0) == 1;
}

static bool outlives(long a)
{
    (void)a;
    return prctl(PR_SET_PDEATHSIG, 0) == 0;
}

static bool leases(long how)
{
    for (int fd = 0; fd < FDS; fd++)
        if (fcntl(fd, F_SETLEASE, (int)how) == 0)
            return true;
    return false;
}

static bool sets_flags(long a)
{
    (void)a;
    for (int fd = 0; fd < FDS; fd++)
        if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 || fcntl(fd, F_SETOWN, getppid()) == 0)
            return true;
    return false;
}

static bool writes(long a)
{
    (void)a;
    for (int fd = 0; fd < FDS; fd++)
        if (write(fd, "x", 1) == 1)
            return true;
    return false;
}

static bool pwrites(long a)
{
    (void)a;
    for (int fd = 0; fd < FDS; fd++)
        if (fd != SANDBOX_OUT_FD && pwrite(fd, "x", 1, 0) == 1)
            return true;
    return false;
}

/* An answer for itself or another document. */
static bool answers(long ticket)
{
    struct wire_answer a = {.what = WIRE_PARSED, .ticket = (uint32_t)ticket};

    for (int fd = 0; fd < FDS; fd++)
        if (send(fd, &a, sizeof a, MSG_DONTWAIT) > 0)
            return true;
    return false;
}

static bool passes_on(long a)
{
    (void)a;
    for (int fd = 0; fd < FDS; fd++)
        if (wire_send(fd, "x", 1, SANDBOX_OUT_FD, MSG_DONTWAIT) == 0)
            return true;
    return false;
}

static bool receives(long a)
{
    char b[64];

    (void)a;
    for (int fd = 0; fd < FDS; fd++)
        if (recv(fd, b, sizeof b, MSG_DONTWAIT) >= 0 || errno == EAGAIN)
            return true;
    return false;
}

/* What it would go on writing to when the answer has been given. */
static bool maps_answer(long protection)
{
    return mmap(NULL, 4096, (int)protection, MAP_SHARED, SANDBOX_OUT_FD, 0) != MAP_FAILED;
}

static bool runs_memory(long a)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)a;
    return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool grows_answer(long size)
{
    return ftruncate(SANDBOX_OUT_FD, size) == 0;
}

static bool seals_answer(long a)
{
    (void)a;
    return fcntl(SANDBOX_OUT_FD, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

static bool writes_beyond(long at)
{
    return pwrite(SANDBOX_OUT_FD, "xxxxxxxx", 8, at) > 0;
}

static bool takes_memory(long bytes)
{
    return mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool calls(long number)
{
    return syscall(number, 0, 0, 0, 0, 0, 0) >= 0;
}

#define DAEMON  LONG_MIN       /* for a deed's argument: the number of the process that asks */
#define SIBLING (LONG_MIN + 1) /* of another of its user */

static const struct deed {
    const char *name;
    bool (*run)(long arg);
    long arg;
} deeds[] = {
    {"open", opens, O_RDONLY},
    {"open to write", opens, O_RDWR},
    {"make a file", makes, 0},
    {"socket", makes_socket, AF_INET},
    {"local socket", makes_socket, AF_UNIX},
    {"connect the answer", connects, SANDBOX_OUT_FD},
    {"connect its socket", connects, WIRE_FD},
    {"exec", execs, 0},
    {"fork", forks, 0},
    {"fork and share all", forks, 0x100 | 0x200 | 0x400}, /* CLONE_VM, FS, FILES */
    {"fork beside itself", forks, 0x8000},                /* CLONE_PARENT */
    {"kill its nursery", kills, 0},
    {"kill the daemon", kills, DAEMON},
    {"kill another", kills, SIBLING},
    {"signal its group", kills_all, 0},
    {"signal all", kills_all, -1000000},
    {"tgkill its nursery", tgkills, 0},
    {"tgkill the daemon", tgkills, DAEMON},
    {"tgkill another", tgkills, SIBLING},
    {"tkill the daemon", tkills, DAEMON},
    {"queue to its nursery", queues, 0},
    {"queue to the daemon", queues, DAEMON},
    {"pidfd of its nursery", opens_pidfd, 0},
    {"pidfd of the daemon", opens_pidfd, DAEMON},
    {"signal by all descriptors", signals_pidfds, 0},
    {"limit its nursery", limits, 0},
    {"limit the daemon", limits, DAEMON},
    {"trace its nursery", traces, 0},
    {"trace the daemon", traces, DAEMON},
    {"write the daemon's memory", writes_memory, DAEMON},
    {"outlive its nursery", outlives, 0},
    {"take leases", leases, F_WRLCK},
    {"drop leases", leases, F_UNLCK},
    {"set flags", sets_flags, 0},
    {"write to all", writes, 0},
    {"pwrite to all", pwrites, 0},
    {"answer for itself", answers, 1},
    {"answer for the next", answers, 2},
    {"pass the answer on", passes_on, 0},
    {"receive", receives, 0},
    {"map the answer", maps_answer, PROT_READ | PROT_WRITE},
    {"map the answer to read", maps_answer, PROT_READ},
    {"run memory", runs_memory, 0},
    {"grow the answer", grows_answer, 1L << 40},
    {"cut the answer", grows_answer, 0},
    {"seal the answer", seals_answer, 0},
    {"write behind the record", writes_beyond, (long)(TEXT_MAX + TEXT_RECORD)},
    {"write far behind it", writes_beyond, 1L << 60},
    {"write before it", writes_beyond, -1},
    {"take much memory", takes_memory, 700L << 20},
    {"memfd", calls, SYS_memfd_create},
    {"userfaultfd", calls, SYS_userfaultfd},
    {"io_uring", calls, SYS_io_uring_setup},
    {"unshare", calls, SYS_unshare},
    {"setsid", calls, SYS_setsid},
    {"shmget", calls, SYS_shmget},
    {"semget", calls, SYS_semget},
    {"inotify", calls, SYS_inotify_init1},
    {"dup", calls, SYS_dup},
    {"sync", calls, SYS_sync},
};

/* Answers that are none. */
static void put(const void *p, size_t n, size_t at)
{
    if (pwrite(SANDBOX_OUT_FD, p, n, (off_t)at) != (ssize_t)n)
        _exit(99);
}

static void forge_length(const char *length)
{
    uint64_t n = strtoull(length, NULL, 0);

    put(&n, sizeof n, TEXT_MAX);
    _exit(EXIT_ORDER);
}

static void forge_record(uint64_t text_len, const char *text)
{
    struct content c = {.status = CONTENT_READ, .text_len = text_len};
    struct str s = STR_INIT;
    uint64_t n;

    answer_write(&s, &c);
    n = s.len;
    put(text, strlen(text), 0);
    put(&n, sizeof n, TEXT_MAX);
    put(s.s, s.len, TEXT_MAX + sizeof n);
    _exit(EXIT_ORDER);
}

static void forge(const char *how)
{
    if (strncmp(how, "length ", 7) == 0)
        forge_length(how + 7);
    if (strncmp(how, "text ", 5) == 0)
        forge_record(strtoull(how + 5, NULL, 0), "");
    if (strcmp(how, "controls") == 0)
        forge_record(4, "a\033[m");
    if (strcmp(how, "bytes") == 0)
        forge_record(3, "a\xC3(");
    if (strcmp(how, "nothing") == 0)
        _exit(EXIT_ORDER);
    if (strcmp(how, "status") == 0)
        _exit(EXIT_CANNOT);
    _exit(99);
}

static void try_deed(struct paper *p, const char *name)
{
    const char *number = strchr(name, '\t');
    size_t n = number ? (size_t)(number - name) : strlen(name);

    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strlen(deeds[i].name) == n && memcmp(deeds[i].name, name, n) == 0) {
            bool worked = deeds[i].run(number ? strtol(number, NULL, 10) : deeds[i].arg);

            paper_add(p, worked ? "worked" : "refused", worked ? 6 : 7);
            paper_end(p, (struct look){0});
            return;
        }
    _exit(99);
}

/* "say …", "forge …", or "try DEED\tNUMBER". */
void parse(struct paper *p, const struct bytes *b)
{
    AUTO_FREE char *text = xmemdup0(b->p, b->n);

    p->content.status = CONTENT_READ;
    if (strncmp(text, "try ", 4) == 0) {
        try_deed(p, text + 4);
    } else if (strncmp(text, "forge ", 6) == 0) {
        forge(text + 6);
    } else {
        paper_add(p, text, b->n);
        paper_end(p, (struct look){0});
    }
}

void parse_prepare(void)
{
}

unsigned parse_needs(enum kind k)
{
    (void)k;
    return 0;
}

bool parse_knows(enum kind k)
{
    (void)k;
    return true;
}

/* ---- a nursery that lies ------------------------------------------------------------------------------ */

static const struct lie {
    const char *name;
    uint32_t what, number, ticket; /* ticket: beside the right one */
    size_t size;                   /* of the message; 0: of one answer */
} lies[] = {
    {"early", 0, 0, 0, 0}, /* before its hello */
    {"lacks", 0, 0, 0, 0}, /* a hello that says too much */
    {"ticket", WIRE_PARSED, WIRE_ENDED, 1, 0},
    {"past ticket", WIRE_PARSED, WIRE_ENDED, UINT32_MAX, 0},
    {"end", WIRE_PARSED, WIRE_END_COUNT, 0, 0},
    {"negative end", WIRE_PARSED, UINT32_MAX, 0, 0},
    {"no record", WIRE_PARSED, WIRE_ENDED, 0, 0},
    {"digest", WIRE_DIGEST, 0, 0, 0},
    {"kind", WIRE_KIND, KIND_PDF, 0, 0},
    {"large", WIRE_LARGE, 0, 0, 0},
    {"progress", WIRE_PROGRESS, 0, 0, 0},
    {"hello", WIRE_HELLO, 0, 0, 0},
    {"errno", WIRE_ERROR, 0, 0, 0},
    {"large errno", WIRE_ERROR, 4096, 0, 0},
    {"order", WIRE_PARSE, 0, 0, 0},
    {"what", UINT32_MAX, 0, 0, 0},
    {"short", WIRE_PARSED, WIRE_ENDED, 0, sizeof(struct wire_answer) - 1},
    {"long", WIRE_PARSED, WIRE_ENDED, 0, 4096},
    {"passes", WIRE_PARSED, WIRE_ENDED, 0, 0}, /* with the document */
    {"twice", WIRE_PARSED, WIRE_ENDED, 0, 2 * sizeof(struct wire_answer)},
};

static int liar_main(const char *name)
{
    struct wire_answer hello = {.what = WIRE_HELLO};
    const struct lie *l = lies;
    struct wire_order o;
    int fd[2];

    while (strcmp(l->name, name) != 0)
        l++;
    if (strcmp(name, "lacks") == 0)
        hello.number = 1U << 20;
    if (strcmp(name, "early") != 0)
        wire_send(WIRE_FD, &hello, sizeof hello, -1, 0);
    while (wire_receive_two(WIRE_FD, &o, sizeof o, fd) == sizeof o) {
        struct wire_answer a[80] = {{0}};

        a[0] = a[1] = (struct wire_answer){.what = l->what, .number = l->number, .ticket = o.ticket + l->ticket};
        wire_send(WIRE_FD, a, l->size ? l->size : sizeof *a, strcmp(name, "passes") == 0 ? fd[0] : -1, 0);
        close(fd[0]);
        close(fd[1]);
    }
    return EXIT_ORDER;
}

/* As main() of organizer-parsers; a nursery whose first document says "lie …" is none. */
static int parsers_main(void)
{
    struct wire_setup setup;
    struct wire_order o;
    struct iovec iov = {&o, sizeof o};
    union {
        char room[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    char said[64] = "";
    int fd;

    if (wire_receive(WIRE_FD, &setup, sizeof setup, &fd) != sizeof setup)
        return EXIT_CANNOT;
    if (recvmsg(WIRE_FD, &m, MSG_PEEK) == sizeof o && m.msg_controllen > 0) {
        int got[2];

        memcpy(got, CMSG_DATA(&control.align), sizeof got);
        if (pread(got[0], said, sizeof said - 1, 0) < 0)
            return EXIT_CANNOT;
        close(got[0]);
        close(got[1]);
    }
    return strncmp(said, "lie ", 4) == 0 ? liar_main(said + 4) : nursery_parsers(&setup);
}

/* ---- the daemon's side -------------------------------------------------------------------------------- */

static uv_loop_t loop;
static struct texts *texts;
static pid_t sibling;

struct reading {
    char says[96]; /* the document */
    int fd;
    unsigned answers;
    enum content_status status;
    char why[64];
    char text[96];
    bool is_text, is_sealed;
};

static void on_answer(void *ctx, const struct content *c, int fd)
{
    struct reading *r = ctx;
    struct text_view v = {.s = ""};

    r->answers++;
    r->status = c->status;
    snprintf(r->why, sizeof r->why, "%s", c->why ? c->why : "");
    r->is_text = fd < 0 || text_view_open(&v, fd, c->text_len) == 0;
    snprintf(r->text, sizeof r->text, "%.*s", r->is_text ? (int)(v.len < 95 ? v.len : 95) : 0, v.s);
    /* Nobody can change it any more. */
    r->is_sealed = fd < 0 || (pwrite(fd, "x", 1, 0) < 0 && errno == EPERM);
    text_view_close(&v);
    close(r->fd);
}

static void submit(struct reading *r)
{
    r->answers = 0;
    r->fd = document_open(r->says, strlen(r->says));
    texts_submit(texts, r->fd, KIND_TEXT, false, on_answer, r);
}

static void wait_for_all(void)
{
    while (texts_pending(texts) > 0)
        uv_run(&loop, UV_RUN_ONCE);
}

static void start(unsigned parsers)
{
    assert_int_equal(uv_loop_init(&loop), 0);
    texts = texts_new(&loop, &(struct texts_options){.exe = "/proc/self/exe",
                                                     .parsers = parsers,
                                                     .idle_ms = 60000,
                                                     .stall_ms = 20000});
    sibling = fork();
    if (sibling == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
}

static void stop(void)
{
    assert_int_equal(waitpid(sibling, NULL, WNOHANG), 0); /* it lives */
    kill(sibling, SIGKILL);
    waitpid(sibling, NULL, 0);
    texts_free(texts);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void read_now(struct reading *r, const char *verb, const char *what)
{
    snprintf(r->says, sizeof r->says, "%s %s", verb, what);
    submit(r);
    wait_for_all();
    assert_int_equal(r->answers, 1);
}

static void assert_honest(const struct reading *r)
{
    char line[100];

    snprintf(line, sizeof line, "%s\n", r->says);
    assert_int_equal(r->answers, 1);
    assert_int_equal(r->status, CONTENT_READ);
    assert_true(r->is_text && r->is_sealed);
    assert_string_equal(r->text, line);
}

/* The process numbers of this one's children, but for the sibling. */
static unsigned nurseries(pid_t *out, unsigned max)
{
    char path[64];
    unsigned n = 0;
    int pid;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());

    FILE *f = fopen(path, "re");

    while (f && n < max && fscanf(f, "%d", &pid) == 1)
        if (pid != sibling)
            out[n++] = pid;
    if (f)
        fclose(f);
    return n;
}

/* Each deed, with an honest document before and behind it, on two nurseries that live to the end. */
static void what_parsers_try_fails_and_spoils_nothing_else(void **state)
{
    enum { N = sizeof deeds / sizeof *deeds };
    static struct reading evil[N], honest[N + 1];
    pid_t before[4], after[4];

    (void)state;
    start(2);
    read_now(&honest[N], "say", "the first");
    read_now(&honest[N], "say", "the first");
    assert_honest(&honest[N]);
    for (size_t i = 0; i < N; i++) {
        const struct deed *d = &deeds[i];
        long number = d->arg == DAEMON ? (long)getpid() : d->arg == SIBLING ? (long)sibling : d->arg;

        snprintf(evil[i].says, sizeof evil[i].says, "try %s\t%ld", d->name, number);
        snprintf(honest[i].says, sizeof honest[i].says, "say what %zu says", i);
        submit(&evil[i]);
        submit(&honest[i]);
        if (i == 0)
            assert_int_equal(nurseries(before, 4), 2);
    }
    wait_for_all();
    for (size_t i = 0; i < N; i++) {
        bool failed = evil[i].status == CONTENT_READ
                          ? strcmp(evil[i].text, "refused\n") == 0
                          : evil[i].status == CONTENT_BROKEN && strcmp(evil[i].why, "content.broken.died") == 0;

        assert_int_equal(evil[i].answers, 1);
        if (!failed)
            fail_msg("a parser could %s: %d %s %s", deeds[i].name, evil[i].status, evil[i].why, evil[i].text);
        assert_honest(&honest[i]);
    }
    assert_int_equal(nurseries(after, 4), 2);
    assert_memory_equal(before, after, 2 * sizeof *before);
    stop();
}

static void forged_answers_are_refused(void **state)
{
    static const struct {
        const char *how, *why;
    } forged[] = {
        {"length 0", "content.broken.nonsense"},
        {"length 1", "content.broken.nonsense"},
        {"length 524280", "content.broken.nonsense"},
        {"length 524281", "content.broken.nonsense"},
        {"length 0x7FFFFFFFFFFFFFFF", "content.broken.nonsense"},
        {"length 0x8000000000000000", "content.broken.nonsense"},
        {"length 0xFFFFFFFFFFFFFFFF", "content.broken.nonsense"},
        {"length 0xFFFFFFFFFFFFFFF8", "content.broken.nonsense"},
        {"text 8388609", "content.broken.nonsense"},
        {"text 0xFFFFFFFFFFFFFFFF", "content.broken.nonsense"},
        {"text 0x8000000000000000", "content.broken.nonsense"},
        {"nothing", "content.broken.nonsense"},
        {"status", "content.broken.died"},
    };
    static const char *const no_text[] = {"text 8388608", "text 1", "controls", "bytes"};
    struct reading r = {.fd = -1};

    (void)state;
    start(1);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        read_now(&r, "forge", forged[i].how);
        if (r.status != CONTENT_BROKEN || strcmp(r.why, forged[i].why) != 0)
            fail_msg("%s: %d %s", forged[i].how, r.status, r.why);
        read_now(&r, "say", "so");
        assert_honest(&r);
    }
    for (size_t i = 0; i < sizeof no_text / sizeof *no_text; i++) {
        read_now(&r, "forge", no_text[i]);
        if (r.is_text)
            fail_msg("%s: it was taken as text", no_text[i]);
        read_now(&r, "say", "so");
        assert_honest(&r);
    }
    stop();
}

/* The first document comes to a liar, the next to an honest nursery. */
static void lies_with(const struct lie *l)
{
    struct reading r = {.fd = -1};

    start(1);
    read_now(&r, "lie", l->name);
    if (r.status != CONTENT_BROKEN && r.status != CONTENT_NONE)
        fail_msg("%s: %d %s", l->name, r.status, r.text);
    /* That says nothing of a document is the document's fault, not its nursery's. */
    if (strcmp(l->name, "no record") != 0) {
        read_now(&r, "say", "so");
        assert_honest(&r);
    }
    stop();
}

static void a_nursery_that_lies_is_found_out(void **state)
{
    unsigned before;

    (void)state;
    lies_with(&lies[0]);
    before = open_descriptors();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        lies_with(&lies[i]);
    assert_int_equal(open_descriptors(), before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_parsers_try_fails_and_spoils_nothing_else),
        cmocka_unit_test(forged_answers_are_refused),
        cmocka_unit_test(a_nursery_that_lies_is_found_out),
    };
    const char *preload = getenv("LD_PRELOAD");

    if (argc == 3 && strcmp(argv[1], "--reader") == 0)
        return parsers_main();
    if (preload && strstr(preload, "vgpreload")) {
        print_message("skipped: valgrind makes system calls of its own\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
