#include "examine/reader.h"

#include <errno.h>
#include <fcntl.h>
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
#include "examine/digesting.h"
#include "examine/sandbox.h"
#include "examine/wire.h"

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
    int64_t beat, beat_ms; /* when the next progress is told, and how often */
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

/* The digesting_events: answers are given together, those before a document that takes long by then. */
static int digested(void *ctx, const struct wire_answer *a, bool last)
{
    struct answers *w = ctx;

    return add_answer(w, a, last);
}

static int digesting_goes_on(void *ctx, uint32_t ticket, uint64_t bytes)
{
    struct answers *w = ctx;
    struct wire_answer p = {.what = WIRE_PROGRESS, .ticket = ticket, .bytes = bytes};

    if (now_ms() > w->since && give(w) < 0)
        return -1;
    if (now_ms() < w->beat)
        return 0;
    w->beat = now_ms() + w->beat_ms;
    return say(&p);
}

static bool are_documents(const struct orders *q)
{
    for (int i = 0; i < q->len; i++)
        if (q->list[i].what != WIRE_DOCUMENT || q->fds[i] < 0)
            return false;
    return true;
}

static int digester_run(const struct wire_setup *setup)
{
    struct orders q = {.len = 0};
    struct answers w = {.beat_ms = setup->beat_ms};
    const struct digesting_events to = {digested, digesting_goes_on, &w};
    struct digesting *d = digesting_new();

    if (say_hello(sandbox_enter(SANDBOX_DIGESTER)) < 0)
        return EXIT_CANNOT;
    while ((q.len = wire_receive_many(WIRE_FD, q.list, sizeof *q.list, q.fds)) > 0) {
        if (!are_documents(&q))
            return EXIT_CANNOT;
        w.beat = now_ms() + w.beat_ms;
        if (digesting_do(d, q.list, q.fds, (size_t)q.len, &to) < 0)
            return EXIT_ORDER;
    }
    digesting_free(d);
    return q.len < 0 ? EXIT_CANNOT : EXIT_ORDER;
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
};

/* Collects children that have ended: only then may their numbers mean somebody else. */
static void collect_children(struct child *children)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (size_t i = 0; i < CHILDREN_MAX; i++)
            if (children[i].pid == pid)
                children[i].pid = 0;
}

/* The new child leaves the loop with true. On failure its socket is closed, which says it all. */
static bool fork_child(struct child *children, uint32_t ticket, int sock)
{
    size_t i = 0;

    while (i < CHILDREN_MAX && children[i].pid)
        i++;

    /* Not fork(3): handlers that libraries leave for it may do what the sandbox forbids. */
    pid_t pid = i < CHILDREN_MAX ? _Fork() : -1;

    if (pid == 0) {
        if (dup2(sock, WIRE_FD) < 0)
            _exit(EXIT_CANNOT);
        close(sock);
        return true;
    }
    if (pid > 0)
        children[i] = (struct child){ticket, pid};
    close(sock);
    return false;
}

static void kill_child(const struct child *children, uint32_t ticket)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid && children[i].ticket == ticket)
            kill(children[i].pid, SIGKILL);
}

static int nursery_run(const struct wire_setup *setup)
{
    struct child children[CHILDREN_MAX] = {{0, 0}};
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
