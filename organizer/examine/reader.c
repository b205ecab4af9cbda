#include "examine/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "archive/unpacker.h"
#include "base/alloc.h"
#include "base/exit.h"
#include "examine/classify.h"
#include "examine/sandbox.h"
#include "examine/wire.h"

/* Stays in the processor's cache between the copy and the digest: a third less than with a megabyte. */
#define PIECE        ((size_t)64 << 10)
#define CHILDREN_MAX 64

static int say(const struct wire_answer *a)
{
    return wire_send(WIRE_FD, a, sizeof *a, -1, 0);
}

/* Orders that came together and are still to be carried out. */
struct orders {
    struct wire_order list[WIRE_MANY];
    int fds[WIRE_MANY];
    int len, at;
};

/* Answers that are given together. */
struct answers {
    struct wire_answer list[WIRE_MANY];
    size_t len;
    int64_t since; /* ms: when the first was found out */
};

static int say_hello(unsigned lacks)
{
    struct wire_answer a = {.what = WIRE_HELLO, .number = lacks};

    return say(&a);
}

/* The next order, with its descriptor or -1 in *fd. Returns 1, 0 at the end, -1 for nonsense. */
static int next_order(struct orders *q, struct wire_order *o, int *fd)
{
    if (q->at == q->len) {
        q->at = q->len = 0;

        int n = wire_receive_many(WIRE_FD, q->list, sizeof *q->list, q->fds);

        if (n <= 0)
            return n;
        q->len = n;
    }
    *o = q->list[q->at];
    *fd = q->fds[q->at++];
    return 1;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads one piece; returns its length, 0 at the end, -1 with errno. */
static ssize_t read_piece(int fd, uint8_t *buf, uint64_t at)
{
    ssize_t r;

    do
        r = pread(fd, buf, PIECE, (off_t)at);
    while (r < 0 && errno == EINTR);
    return r;
}

static bool is_over(int fd, uint64_t limit)
{
    struct stat st;

    return limit > 0 && syscall(SYS_fstat, fd, &st) == 0 && st.st_size > 0 &&
           (uint64_t)st.st_size > limit;
}

static int give(struct answers *w)
{
    size_t n = w->len;

    w->len = 0;
    return n ? wire_send(WIRE_FD, w->list, n * sizeof *w->list, -1, 0) : 0;
}

/* Told at once when no other order is there, or others would wait for it. */
static int add_answer(struct answers *w, const struct wire_answer *a, bool last)
{
    if (w->len == 0)
        w->since = now_ms();
    w->list[w->len++] = *a;
    return last || w->len == WIRE_MANY || now_ms() > w->since ? give(w) : 0;
}

/* Fills the answer for the document behind fd; those before it are given before it takes long. Returns
 * -1 when the organizer is gone. */
static int digest_document(struct wire_answer *a, int fd, uint64_t limit, uint8_t *buf,
                           struct digester *g, int64_t beat, struct answers *before)
{
    int64_t next = now_ms() + beat;
    ssize_t r = 0;

    a->what = is_over(fd, limit) ? WIRE_LARGE : WIRE_DIGEST;
    while (a->what == WIRE_DIGEST && (r = read_piece(fd, buf, a->bytes)) > 0) {
        digester_add(g, buf, (size_t)r);
        a->bytes += (uint64_t)r;
        if (limit > 0 && a->bytes > limit)
            a->what = WIRE_LARGE;
        if ((size_t)r == PIECE && now_ms() > before->since && give(before) < 0)
            return -1;
        if ((size_t)r == PIECE && now_ms() >= next) {
            struct wire_answer p = {.what = WIRE_PROGRESS, .ticket = a->ticket, .bytes = a->bytes};

            next = now_ms() + beat;
            if (say(&p) < 0)
                return -1;
        }
    }
    if (r < 0) {
        a->what = WIRE_ERROR;
        a->number = (uint32_t)errno;
    }
    a->digest = digester_next(g);
    return 0;
}

static int digester_run(const struct wire_setup *setup)
{
    uint8_t *buf = xmalloc(PIECE);
    struct orders q = {.len = 0};
    struct answers w = {.len = 0};
    struct wire_order o;
    struct digester *g;
    int fd, r;

    /* libcrypto fetches its algorithm and looks at the processor now, not under the sandbox. */
    digest_of("", 0);
    g = digester_new();
    if (say_hello(sandbox_enter(SANDBOX_DIGESTER)) < 0)
        return EXIT_CANNOT;
    while ((r = next_order(&q, &o, &fd)) > 0) {
        struct wire_answer a = {.ticket = o.ticket};

        if (o.what != WIRE_DOCUMENT || fd < 0)
            return EXIT_CANNOT;
        if (digest_document(&a, fd, o.limit, buf, g, setup->beat_ms, &w) < 0)
            return EXIT_ORDER;
        /* Closed before the answer: then no reader holds the document any more. */
        close(fd);
        if (add_answer(&w, &a, q.at == q.len) < 0)
            return EXIT_ORDER;
    }
    digester_free(g);
    free(buf);
    return r < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

/* A classifier: never returns to the nursery. */
static int classifier_run(struct classifier *c)
{
    struct orders q = {.len = 0};
    struct wire_order o;
    int fd, r, error;

    if (say_hello(sandbox_enter(SANDBOX_CLASSIFIER)) < 0)
        return EXIT_CANNOT;
    /* Each answer for itself: when a document kills it, it is known which one. */
    while ((r = next_order(&q, &o, &fd)) > 0) {
        struct wire_answer a = {.what = WIRE_KIND, .ticket = o.ticket};

        if (o.what != WIRE_DOCUMENT || fd < 0)
            return EXIT_CANNOT;
        a.number = classify(c, fd, &error);
        close(fd);
        if (error) {
            a.what = WIRE_ERROR;
            a.number = (uint32_t)error;
        }
        if (say(&a) < 0)
            return EXIT_ORDER;
    }
    return r < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

struct child {
    uint32_t ticket;
    pid_t pid; /* 0: free */
    int fd;    /* of the process: through it alone may it be killed */
};

/* Collects children that have ended. */
static void collect_children(struct child *children)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (size_t i = 0; i < CHILDREN_MAX; i++)
            if (children[i].pid == pid) {
                close(children[i].fd);
                children[i].pid = 0;
            }
}

/* Not fork(3): handlers that libraries leave for it may do what the sandbox forbids. fd gets the
 * descriptor of the child, which has none of itself. */
static pid_t fork_with_fd(int *fd)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_PIDFD, NULL, fd, NULL, NULL);
}

/* The new child leaves the loop with true, and without a hold on others. On failure its socket is
 * closed, which says it all. */
static bool fork_child(struct child *children, uint32_t ticket, int sock)
{
    size_t i = 0;
    int fd = -1;

    while (i < CHILDREN_MAX && children[i].pid)
        i++;

    pid_t pid = i < CHILDREN_MAX ? fork_with_fd(&fd) : -1;

    if (pid == 0) {
        for (i = 0; i < CHILDREN_MAX; i++)
            if (children[i].pid)
                close(children[i].fd);
        if (dup2(sock, WIRE_FD) < 0)
            _exit(EXIT_CANNOT);
        close(sock);
        return true;
    }
    if (pid > 0)
        children[i] = (struct child){ticket, pid, fd};
    close(sock);
    return false;
}

static void kill_child(const struct child *children, uint32_t ticket)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid && children[i].ticket == ticket)
            syscall(SYS_pidfd_send_signal, children[i].fd, SIGKILL, NULL, 0);
}

static int nursery_run(const struct wire_setup *setup)
{
    struct child children[CHILDREN_MAX] = {{0, 0, 0}};
    struct classifier *c = classifier_new(setup->magic);
    struct orders q = {.len = 0};
    struct wire_order o;
    int fd, r;

    if (say_hello(sandbox_enter(SANDBOX_NURSERY)) < 0)
        return EXIT_CANNOT;
    while ((r = next_order(&q, &o, &fd)) > 0) {
        collect_children(children);
        if (o.what == WIRE_FORK && fd >= 0) {
            if (fork_child(children, o.ticket, fd))
                return classifier_run(c);
        } else if (o.what == WIRE_KILL && fd < 0) {
            kill_child(children, o.ticket);
        } else {
            return EXIT_CANNOT;
        }
    }
    classifier_free(c);
    return r < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

static const struct {
    const char *kind;
    int (*run)(const struct wire_setup *setup);
} readers[] = {
    {"digester", digester_run},
    {"classifiers", nursery_run},
    {"unpacker", unpacker_run},
};

int reader_main(const char *kind)
{
    struct wire_setup setup;
    int fd;

    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(readers[i].kind, kind) != 0)
            continue;

        int n = wire_receive(WIRE_FD, &setup, sizeof setup, &fd);

        if (n == 0)
            return EXIT_ORDER;
        if (n != sizeof setup || setup.what != WIRE_SETUP || setup.version != WIRE_VERSION)
            return EXIT_CANNOT;
        setup.magic[sizeof setup.magic - 1] = '\0';
        return readers[i].run(&setup);
    }
    return EXIT_USAGE;
}
