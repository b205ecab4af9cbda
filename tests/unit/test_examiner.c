/* examiner: digests and kinds through sandboxed readers, and what happens when those die, hang or
 * lie. The loop is driven until the answers are in; nothing sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/error.h"
#include "descriptors.h"
#include "documents.h"
#include "examine/examiner.h"
#include "examine/launch.h"
#include "examine/reader.h"
#include "examine/wire.h"

/* This program: readers run from it are not slowed down by what the test itself runs under. */
static char self[PATH_MAX];

struct fixture {
    uv_loop_t loop;
    struct examiner *e;
    unsigned answers, failed;
    struct examination last;
    uint64_t most_bytes; /* of the largest document answered */
    bool inside_submit;
};

static struct examiner_options options(const char *exe)
{
    return (struct examiner_options){.exe = exe,
                                     .magic_file = "rules/documents.magic",
                                     .digesters = 2,
                                     .classifiers = 2,
                                     .idle_ms = 60000,
                                     .stall_ms = 20000};
}

static void start(struct fixture *f, const struct examiner_options *o)
{
    struct error err = ERROR_INIT;

    memset(f, 0, sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->e = examiner_new(&f->loop, o, &err);
    assert_non_null(f->e);
}

/* No child is left behind. On a busy machine those that were killed may not be gone after the 200 ms that the
 * examiner waits for them. */
static void stop(struct fixture *f)
{
    uint64_t began = uv_hrtime();

    examiner_free(f->e);

    bool patient = uv_hrtime() - began >= 199 * UINT64_C(1000000);

    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    while (patient && waitpid(-1, NULL, 0) > 0)
        continue;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void on_answer(void *ctx, const struct examination *x)
{
    struct fixture *f = ctx;

    assert_false(f->inside_submit);
    f->answers++;
    f->failed += x->status == EXAMINE_FAILED;
    f->last = *x;
    if (x->bytes > f->most_bytes)
        f->most_bytes = x->bytes;
}

static void submit(struct fixture *f, int fd, uint64_t size, bool kind)
{
    f->inside_submit = true;
    examiner_submit(f->e, fd, size, kind, on_answer, f);
    f->inside_submit = false;
}

static void wait_for(struct fixture *f, unsigned answers)
{
    while (f->answers < answers)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void examine(struct fixture *f, const void *p, size_t n)
{
    int fd = document_open(p, n);

    submit(f, fd, n, true);
    wait_for(f, f->answers + 1);
    close(fd);
}

/* The process numbers of this test's children, and of theirs. */
static unsigned children_of(pid_t parent, pid_t *out, unsigned max)
{
    char path[64];
    unsigned n = 0;
    int pid;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);

    FILE *f = fopen(path, "re");

    while (f && n < max && fscanf(f, "%d", &pid) == 1)
        out[n++] = pid;
    if (f)
        fclose(f);
    return n;
}

/* Sends sig to every reader: children and grandchildren. */
static unsigned signal_readers(int sig)
{
    pid_t child[16], grandchild[16];
    unsigned n = children_of(getpid(), child, 16), all = n;

    for (unsigned i = 0; i < n; i++) {
        unsigned m = children_of(child[i], grandchild, 16);

        for (unsigned k = 0; k < m; k++)
            kill(grandchild[k], sig);
        kill(child[i], sig);
        all += m;
    }
    return all;
}

/* Digesters and classifiers, by what `status` says. */
static unsigned readers_running(const struct fixture *f)
{
    struct str s = STR_INIT;
    unsigned digesters = 0, classifiers = 0;

    str_addc(&s, '{');
    examiner_status(f->e, &s);
    assert_int_equal(sscanf(s.s, "{\"digesters\":%u,\"classifiers\":%u", &digesters, &classifiers),
                     2);
    str_clear(&s);
    return digesters + classifiers;
}

static void gives_digest_and_kind_with(const char *exe)
{
    struct examiner_options o = options(exe);
    struct digest want = digest_of("%PDF-1.7 motion", 15);
    struct fixture f;

    start(&f, &o);
    examine(&f, "%PDF-1.7 motion", 15);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    assert_int_equal(f.last.kind, KIND_PDF);
    assert_int_equal(f.last.bytes, 15);
    assert_true(digest_equal(&f.last.digest, &want));
    examine(&f, "", 0);
    want = digest_of("", 0);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    assert_int_equal(f.last.kind, KIND_EMPTY);
    assert_true(digest_equal(&f.last.digest, &want));
    stop(&f);
}

static void gives_digest_and_kind(void **state)
{
    (void)state;
    gives_digest_and_kind_with(NULL);
}

static void gives_digest_and_kind_from_a_program(void **state)
{
    (void)state;
    gives_digest_and_kind_with(self);
}

static void digest_alone_starts_no_classifier(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    struct str s = STR_INIT;
    int fd = document_open("%PDF-", 5);

    (void)state;
    start(&f, &o);
    submit(&f, fd, 5, false);
    assert_int_equal(examiner_pending(f.e), 1);
    wait_for(&f, 1);
    assert_int_equal(f.last.kind, KIND_UNKNOWN);
    assert_int_equal(examiner_pending(f.e), 0);
    str_addc(&s, '{');
    examiner_status(f.e, &s);
    assert_non_null(strstr(s.s, "\"classifiers\":0"));
    assert_non_null(strstr(s.s, "\"digesters\":1"));
    assert_non_null(strstr(s.s, "\"sandbox_lacks\":["));
    str_clear(&s);
    close(fd);
    stop(&f);
}

static void offset_is_left_alone(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    int fd = document_open("%PDF-1.7 motion", 15);

    (void)state;
    start(&f, &o);
    lseek(fd, 7, SEEK_SET);
    submit(&f, fd, 15, true);
    wait_for(&f, 1);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
    close(fd);
    stop(&f);
}

/* Over a thousand documents: classifiers are replaced on the way, and no answer is lost or double.
 */
static void many_documents(void **state)
{
    enum { N = 1500 };
    struct examiner_options o = options(NULL);
    struct fixture f;
    unsigned sent = 0;
    int fd = document_open("{\\rtf1 Dear Sir}", 16);

    (void)state;
    start(&f, &o);
    while (f.answers < N) {
        while (sent < N && examiner_wants_more(f.e)) {
            submit(&f, fd, 16, true);
            sent++;
        }
        uv_run(&f.loop, UV_RUN_ONCE);
    }
    assert_int_equal(f.failed, 0);
    assert_int_equal(f.answers, N);
    assert_int_equal(f.last.kind, KIND_RTF);
    assert_int_equal(examiner_pending(f.e), 0);
    close(fd);
    stop(&f);
}

static void all_at_once_without_asking(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    int fd = document_open("x", 1);

    (void)state;
    start(&f, &o);
    for (unsigned i = 0; i < 400; i++)
        submit(&f, fd, 1, i % 2);
    assert_false(examiner_wants_more(f.e));
    wait_for(&f, 400);
    assert_int_equal(f.failed, 0);
    assert_true(examiner_wants_more(f.e));
    close(fd);
    stop(&f);
}

static void unreadable_documents_fail_with_a_reason(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    int ends[2], fd = open("/dev/null", O_WRONLY);

    (void)state;
    start(&f, &o);
    assert_int_equal(pipe(ends), 0);
    submit(&f, ends[0], 0, true);
    wait_for(&f, 1);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    assert_non_null(strstr(f.last.why, "cannot be read"));
    submit(&f, fd, 0, true);
    wait_for(&f, 2);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    submit(&f, -1, 0, true);
    wait_for(&f, 3);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    submit(&f, 1000, 0, true);
    wait_for(&f, 4);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    examine(&f, "%PDF-1.4", 8);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    close(fd);
    close(ends[0]);
    close(ends[1]);
    stop(&f);
}

/* 4 GB without a byte of disk, announced as small or as large: letters pass it by. */
static void recordings_do_not_hold_up_letters(void **state)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int big = document_open("", 0), fd = document_open("%PDF-1.7", 8);

    (void)state;
    start(&f, &o);
    assert_int_equal(ftruncate(big, (off_t)4 << 30), 0);
    submit(&f, big, (uint64_t)4 << 30, false);
    submit(&f, big, 10, false);
    submit(&f, big, 10, false);
    for (unsigned i = 0; i < 100; i++)
        submit(&f, fd, 8, true);
    wait_for(&f, 100);
    assert_int_equal(f.most_bytes, 8); /* no recording was waited for */
    assert_int_equal(examiner_pending(f.e), 3);
    close(big);
    close(fd);
    stop(&f);
    assert_int_equal(f.answers, 103);
    assert_int_equal(f.failed, 3);
}

/* Progress counts: a document that takes many times the limit is digested to the end. */
/* Digests a hole of so many bytes under the bound; how long that took. */
static uint64_t digest_hole(uint64_t bytes, unsigned stall_ms, struct examination *x)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("", 0);

    o.stall_ms = stall_ms;
    start(&f, &o);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);

    uint64_t began = uv_hrtime();

    submit(&f, fd, bytes, false);
    wait_for(&f, 1);
    *x = f.last;
    close(fd);
    stop(&f);
    return (uv_hrtime() - began) / 1000000;
}

/* On a busy machine a reader may get no turn for as long as the bound: then once more with twice the bound and
 * twice the work. One that does not tell of its progress fails at each. */
static void long_work_with_progress_is_no_stall(void **state)
{
    uint64_t bytes = UINT64_C(512) << 20, took;
    unsigned stall_ms = 60;
    struct examination x;

    (void)state;
    while ((took = digest_hole(bytes, stall_ms, &x), x.status != EXAMINE_DONE) && stall_ms < 1000) {
        bytes *= 2;
        stall_ms *= 2;
    }
    assert_int_equal(x.status, EXAMINE_DONE);
    assert_int_equal(x.bytes, bytes);
    assert_true(took > stall_ms);
}

static void killed_reader_spoils_only_what_it_had(void **state)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("%PDF-1.7", 8);

    (void)state;
    start(&f, &o);
    examine(&f, "%PDF-1.7", 8); /* all are up */
    assert_true(signal_readers(SIGSTOP) >= 3);
    for (unsigned i = 0; i < 20; i++)
        submit(&f, fd, 8, true);
    examiner_send(f.e);
    signal_readers(SIGKILL);
    wait_for(&f, 21);
    /* At most one for each reader that was there. */
    assert_in_range(f.failed, 1, 4);
    assert_int_equal(f.answers, 21);
    examine(&f, "%PDF-1.7", 8);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    close(fd);
    stop(&f);
}

static void idle_reader_may_be_killed(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;

    (void)state;
    start(&f, &o);
    examine(&f, "%PDF-1.7", 8);
    signal_readers(SIGKILL);
    while (readers_running(&f) > 0)
        uv_run(&f.loop, UV_RUN_ONCE);
    examine(&f, "%PDF-1.7", 8);
    assert_int_equal(f.last.kind, KIND_PDF);
    stop(&f);
}

static void stopped_reader_is_a_stall(void **state)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("%PDF-1.7", 8);

    (void)state;
    o.stall_ms = 400;
    start(&f, &o);
    examine(&f, "%PDF-1.7", 8);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    signal_readers(SIGSTOP);
    submit(&f, fd, 8, false);
    wait_for(&f, 2);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    assert_non_null(strstr(f.last.why, "no progress"));
    examine(&f, "%PDF-1.7", 8);
    close(fd);
    stop(&f);
}

/* Its nursery ends it, and lives. */
static void a_classifier_that_hangs_is_killed(void **state)
{
    struct examiner_options o = options(self);
    struct fixture f;
    struct pollfd end = {.events = POLLIN};
    pid_t child[16], hangs = 0, nursery = 0;
    int fd = document_open("%PDF-1.7", 8);

    (void)state;
    o.stall_ms = 400;
    o.classifiers = 1;
    start(&f, &o);
    examine(&f, "%PDF-1.7", 8);
    for (unsigned n = children_of(getpid(), child, 16); n-- > 0 && !hangs;)
        if (children_of(child[n], &hangs, 1) == 1)
            nursery = child[n];
    assert_true(hangs > 0);
    end.fd = (int)syscall(SYS_pidfd_open, hangs, 0);
    kill(hangs, SIGSTOP);
    submit(&f, fd, 8, true);
    wait_for(&f, 2);
    assert_non_null(strstr(f.last.why, "no progress"));
    assert_int_equal(poll(&end, 1, 20000), 1);
    examine(&f, "%PDF-1.7", 8);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    assert_true(children_of(nursery, child, 16) > 0);
    close(end.fd);
    close(fd);
    stop(&f);
}

static void readers_go_when_idle(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    pid_t left[16];

    (void)state;
    o.idle_ms = 30;
    start(&f, &o);
    examine(&f, "%PDF-1.7", 8);
    assert_true(children_of(getpid(), left, 16) >= 2);
    /* Ends by itself when nothing is left to wait for: no timer, no process. */
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(children_of(getpid(), left, 16), 0);
    examine(&f, "%PDF-1.7", 8);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    stop(&f);
}

static void free_answers_what_is_pending(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    int fd = document_open("x", 1);

    (void)state;
    start(&f, &o);
    for (unsigned i = 0; i < 50; i++)
        submit(&f, fd, 1, true);
    examiner_free(f.e);
    assert_int_equal(f.answers, 50);
    assert_int_equal(f.failed, 50);
    f.e = NULL;
    close(fd);
    stop(&f);
}

static void free_takes_null_and_unused(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;

    (void)state;
    examiner_free(NULL);
    start(&f, &o);
    stop(&f);
}

static void program_that_is_not_there(void **state)
{
    struct examiner_options o = options("/nonexistent/organizer");
    struct error err = ERROR_INIT;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    assert_null(examiner_new(&loop, &o, &err));
    assert_int_equal(err.number, ENOENT);
    uv_loop_close(&loop);
}

/* A program that is no organizer never says hello: documents are given back, not lost. */
static void program_that_is_no_reader(void **state)
{
    struct examiner_options o = options("/bin/true");
    struct fixture f;
    int fd = document_open("x", 1);

    (void)state;
    start(&f, &o);
    for (unsigned i = 0; i < 5; i++)
        submit(&f, fd, 1, true);
    wait_for(&f, 5);
    assert_int_equal(f.failed, 5);
    assert_non_null(strstr(f.last.why, "start"));
    close(fd);
    stop(&f);
}

/* No descriptor above fd can be had; *old gives them back. */
static void no_descriptors_above(int fd, struct rlimit *old)
{
    struct rlimit tight;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
    tight = *old;
    tight.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
}

static void no_descriptors_left(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    struct rlimit old;
    int fd = document_open("x", 1);

    (void)state;
    start(&f, &o);
    no_descriptors_above(fd, &old);
    submit(&f, fd, 1, true);
    assert_int_equal(f.answers, 0);
    wait_for(&f, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    assert_non_null(strstr(f.last.why, "no reader can be started"));
    examine(&f, "%PDF-1.7", 8);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    close(fd);
    stop(&f);
}

/* The digester runs, a classifier cannot be started: half an answer is none. */
static void of_half_an_examination_nothing_is_told(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    struct rlimit old;
    int fd = document_open("x", 1);

    (void)state;
    start(&f, &o);
    submit(&f, fd, 1, false);
    wait_for(&f, 1);
    assert_int_equal(f.last.status, EXAMINE_DONE);
    assert_false(digest_is_zero(&f.last.digest));
    no_descriptors_above(fd, &old);
    submit(&f, fd, 1, true);
    wait_for(&f, 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(f.last.status, EXAMINE_FAILED);
    assert_non_null(strstr(f.last.why, "no reader can be started"));
    assert_true(digest_is_zero(&f.last.digest));
    assert_int_equal(f.last.kind, KIND_UNKNOWN);
    close(fd);
    stop(&f);
}

/* --- readers that lie: this program run as one, told how by the magic file's name --- */

static int say(uint32_t what, uint32_t ticket, uint32_t number, uint64_t bytes)
{
    struct wire_answer a = {.what = what, .ticket = ticket, .number = number, .bytes = bytes};

    return wire_send(WIRE_FD, &a, sizeof a, -1, 0);
}

/* A digester that answers together what came together, as the real one does, and dies of documents of
 * three bytes. */
static int dies_main(void)
{
    struct wire_order o[WIRE_MANY];
    int fds[WIRE_MANY], n;

    say(WIRE_HELLO, 0, 0, 0);
    while ((n = wire_receive_many(WIRE_FD, o, sizeof *o, fds)) > 0) {
        struct wire_answer a[WIRE_MANY] = {{0}};

        for (int i = 0; i < n; i++) {
            struct stat st;

            if (fstat(fds[i], &st) == 0 && st.st_size == 3)
                _exit(1);
            a[i] = (struct wire_answer){.what = WIRE_DIGEST, .ticket = o[i].ticket};
            close(fds[i]);
        }
        wire_send(WIRE_FD, a, (size_t)n * sizeof *a, -1, 0);
    }
    return 0;
}

/* What of a reader's answer the lie is about, in the order of liar_answer(). */
struct lie {
    const char *what;
    uint32_t to_digester, to_classifier; /* enum wire_what, as if it were the answer */
    uint32_t number;
    uint32_t ticket; /* beside the right one */
};

static const struct lie lies[] = {
    {"ticket", WIRE_DIGEST, WIRE_KIND, KIND_PDF, 1},
    {"past-ticket", WIRE_DIGEST, WIRE_KIND, KIND_PDF, UINT32_MAX},
    {"kind", WIRE_KIND, WIRE_DIGEST, KIND_PDF, 0},
    {"parsed", WIRE_PARSED, WIRE_PARSED, WIRE_ENDED, 0},
    {"number", WIRE_ERROR, WIRE_KIND, UINT32_MAX, 0},
    {"large", 99, WIRE_LARGE, 0, 0},
    {"what", UINT32_MAX, UINT32_MAX, 0, 0},
    {"order", WIRE_DOCUMENT, WIRE_FORK, 0, 0},
    {"errno", WIRE_ERROR, WIRE_ERROR, 0, 0},
    {"progress", WIRE_PROGRESS, WIRE_PROGRESS, 0, 0},
    {"hello", WIRE_HELLO, WIRE_HELLO, 0, 0},
    /* These have their own shape. */
    {"early", 0, 0, 0, 0},
    {"lacks", 0, 0, 0, 0},
    {"short", 0, 0, 0, 0},
    {"long", 0, 0, 0, 0},
    {"passes", 0, 0, 0, 0},
    {"twice", 0, 0, 0, 0},
};

static const struct lie *lie_of(const char *what)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        if (strcmp(lies[i].what, what) == 0)
            return &lies[i];
    _exit(99);
}

/* Says of the document behind fd what is not so. */
static void liar_answer(const struct lie *lie, bool digests, const struct wire_order *o, int fd)
{
    struct wire_answer a = {.what = digests ? WIRE_DIGEST : WIRE_KIND, .ticket = o->ticket};
    char much[4096] = {WIRE_DIGEST};

    if (lie->to_digester)
        say(digests ? lie->to_digester : lie->to_classifier, o->ticket + lie->ticket, lie->number, 0);
    else if (strcmp(lie->what, "short") == 0)
        wire_send(WIRE_FD, &a, sizeof a - 1, -1, 0);
    else if (strcmp(lie->what, "long") == 0)
        wire_send(WIRE_FD, much, sizeof much, -1, 0);
    else
        wire_send(WIRE_FD, &a, sizeof a, strcmp(lie->what, "passes") == 0 ? fd : -1, 0);
    if (strcmp(lie->what, "twice") == 0)
        wire_send(WIRE_FD, &a, sizeof a, -1, 0);
}

/* A reader that does as the lie says, once for each document. */
static int liar_main(const char *what, bool digests)
{
    const struct lie *lie = lie_of(what);
    struct wire_order o;
    int fd;

    if (strcmp(what, "early") == 0)
        say(digests ? WIRE_DIGEST : WIRE_KIND, 1, 0, 0);
    say(WIRE_HELLO, 0, strcmp(what, "lacks") == 0 ? 1U << 20 : 0, 0);
    while (wire_receive(WIRE_FD, &o, sizeof o, &fd) == sizeof o) {
        liar_answer(lie, digests, &o, fd);
        close(fd);
    }
    return 0;
}

/* A nursery of such classifiers, or one that answers itself. */
static int liars_main(const char *what)
{
    bool itself = strcmp(what, "itself") == 0;
    struct wire_order o;
    int sock;

    signal(SIGCHLD, SIG_IGN);
    say(WIRE_HELLO, 0, 0, 0);
    while (wire_receive(WIRE_FD, &o, sizeof o, &sock) == sizeof o) {
        if (o.what == WIRE_FORK && itself)
            say(WIRE_KIND, 1, KIND_PDF, 0);
        if (o.what == WIRE_FORK && !itself && fork() == 0) {
            dup2(sock, WIRE_FD);
            close(sock);
            _exit(liar_main(what, false));
        }
        if (sock >= 0)
            close(sock);
    }
    return 0;
}

/* "/lie/KIND/WHAT" as the magic file: readers of that kind lie. */
static int reader_or_liar(const char *kind)
{
    struct wire_setup setup;
    struct iovec iov = {&setup, sizeof setup};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    const char *what;

    if (recvmsg(WIRE_FD, &m, MSG_PEEK) != sizeof setup || strncmp(setup.magic, "/lie/", 5) != 0 ||
        strncmp(setup.magic + 5, kind, strlen(kind)) != 0)
        return reader_main(kind);
    recvmsg(WIRE_FD, &m, 0);
    what = setup.magic + 5 + strlen(kind) + 1;
    if (strcmp(kind, "classifiers") == 0)
        return liars_main(what);
    return strcmp(what, "dies") == 0 ? dies_main() : liar_main(what, true);
}

/* The document is spoiled, and the organizer says why. */
static void lies_with(const char *kind, const char *what)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("x", 1);
    char lie[64];

    snprintf(lie, sizeof lie, "/lie/%s/%s", kind, what);
    o.magic_file = lie;
    start(&f, &o);
    submit(&f, fd, 1, strcmp(kind, "classifiers") == 0);
    wait_for(&f, 1);
    if (f.last.status != EXAMINE_FAILED || !strstr(f.last.why, "reader"))
        fail_msg("%s: %d %s", lie, f.last.status, f.last.why);
    close(fd);
    stop(&f);
}

static void liars_are_found_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        if (strcmp(lies[i].what, "twice") == 0)
            continue; /* the first is an answer */
        lies_with("digester", lies[i].what);
        lies_with("classifiers", lies[i].what);
    }
    lies_with("classifiers", "itself");
}

static void on_culprit(void *ctx, const struct examination *x)
{
    unsigned *failed = ctx;

    *failed += x->status == EXAMINE_FAILED;
}

static void of_several_only_the_one_that_kills_its_reader_is_spoiled(void **state)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("x", 1), culprit = document_open("xyz", 3);
    unsigned failed = 0;

    (void)state;
    o.magic_file = "/lie/digester/dies";
    start(&f, &o);
    for (unsigned i = 0; i < 21; i++)
        submit(&f, fd, 1, false);
    examiner_submit(f.e, culprit, 3, false, on_culprit, &failed);
    for (unsigned i = 0; i < 24; i++)
        submit(&f, fd, 1, false);
    wait_for(&f, 45);
    while (examiner_pending(f.e) > 0)
        uv_run(&f.loop, UV_RUN_ONCE);
    assert_int_equal(f.failed, 0);
    assert_int_equal(failed, 1);
    close(culprit);
    close(fd);
    stop(&f);
}

/* One that dies of a document with others waiting behind it. */
static void a_reader_that_dies_leaves_nothing(void **state)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("xyz", 3);
    unsigned before, after;
    pid_t child[64];

    (void)state;
    o.magic_file = "/lie/digester/dies";
    start(&f, &o);
    submit(&f, fd, 3, false);
    wait_for(&f, 1);
    before = open_descriptors();
    for (unsigned i = 0; i < 30; i++)
        submit(&f, fd, 3, false);
    wait_for(&f, 31);
    assert_int_equal(f.failed, 31);
    while (uv_run(&f.loop, UV_RUN_NOWAIT) && children_of(getpid(), child, 64) > 2)
        sched_yield();
    after = open_descriptors();
    assert_in_range(after, 0, before + 3);
    close(fd);
    stop(&f);
}

static void answers_twice(const char *lie)
{
    struct examiner_options o = options(self);
    struct fixture f;
    int fd = document_open("x", 1);

    o.magic_file = lie;
    start(&f, &o);
    for (unsigned i = 0; i < 6; i++)
        submit(&f, fd, 1, strstr(lie, "classifiers") != NULL);
    wait_for(&f, 6);
    assert_in_range(f.failed, 1, 5);
    close(fd);
    stop(&f);
}

static void answering_twice_spoils_at_most_the_next(void **state)
{
    (void)state;
    answers_twice("/lie/digester/twice");
    answers_twice("/lie/classifiers/twice");
}

static void descriptors_from_readers_are_not_taken(void **state)
{
    unsigned before = open_descriptors();

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        lies_with("digester", "passes");
        lies_with("classifiers", "passes");
    }
    assert_int_equal(open_descriptors(), before);
}

static void readers_hold_nothing_after_the_answer(void **state)
{
    struct examiner_options o = options(NULL);
    struct fixture f;
    int ends[2];
    char c;

    (void)state;
    start(&f, &o);
    examine(&f, "%PDF-1.7", 8); /* the readers are there before the pipe is: only passing counts */
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    submit(&f, ends[1], 1, true);
    wait_for(&f, 2);
    close(ends[1]);
    assert_int_equal(read(ends[0], &c, 1), 0); /* the end: nobody else has it open */
    close(ends[0]);
    stop(&f);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_digest_and_kind),
        cmocka_unit_test(gives_digest_and_kind_from_a_program),
        cmocka_unit_test(digest_alone_starts_no_classifier),
        cmocka_unit_test(offset_is_left_alone),
        cmocka_unit_test(many_documents),
        cmocka_unit_test(all_at_once_without_asking),
        cmocka_unit_test(unreadable_documents_fail_with_a_reason),
        cmocka_unit_test(recordings_do_not_hold_up_letters),
        cmocka_unit_test(long_work_with_progress_is_no_stall),
        cmocka_unit_test(killed_reader_spoils_only_what_it_had),
        cmocka_unit_test(idle_reader_may_be_killed),
        cmocka_unit_test(stopped_reader_is_a_stall),
        cmocka_unit_test(a_classifier_that_hangs_is_killed),
        cmocka_unit_test(readers_go_when_idle),
        cmocka_unit_test(free_answers_what_is_pending),
        cmocka_unit_test(free_takes_null_and_unused),
        cmocka_unit_test(program_that_is_not_there),
        cmocka_unit_test(program_that_is_no_reader),
        cmocka_unit_test(no_descriptors_left),
        cmocka_unit_test(of_half_an_examination_nothing_is_told),
        cmocka_unit_test(liars_are_found_out),
        cmocka_unit_test(of_several_only_the_one_that_kills_its_reader_is_spoiled),
        cmocka_unit_test(a_reader_that_dies_leaves_nothing),
        cmocka_unit_test(answering_twice_spoils_at_most_the_next),
        cmocka_unit_test(descriptors_from_readers_are_not_taken),
        cmocka_unit_test(readers_hold_nothing_after_the_answer),
    };

    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    if (argc > 2 && strcmp(argv[1], "--reader") == 0)
        return reader_or_liar(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
