#include "archive/job.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/env.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"

#define NICE      10
#define IO_LEAST  ((2 << 13) | 7) /* IOPRIO_CLASS_BE, the lowest level: idle might wait for ever */
#define TELL_NS   (250 * NS_PER_MS)

/* Adding a kind of job: its function, its line. */
static const struct {
    const char *name;
    int (*run)(struct job *j, const json_t *order);
} jobs[] = {
    {"snapshot", job_snapshot},
};

static void yield_to_filing(void)
{
    /* Where one is refused it runs all the same, only not as modestly. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    (void)syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, IO_LEAST);
}

bool job_is_stopped(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

bool job_send(struct job *j, const struct str *line)
{
    AUTO_STR struct str whole = STR_INIT;

    /* In one piece: a line without its end would spoil the next one. */
    str_addn(&whole, str_c(line), line->len);
    str_addc(&whole, '\n');
    return io_write_all(j->out, whole.s, whole.len) == 0;
}

void job_progress(struct job *j, uint64_t bytes, uint64_t of)
{
    AUTO_STR struct str line = STR_INIT;
    int64_t now = env_ticks();

    if (now - j->told_ns < TELL_NS)
        return;
    j->told_ns = now;
    str_addc(&line, '{');
    json_num(&line, "progress", (int64_t)bytes);
    json_num(&line, "of", (int64_t)of);
    str_addc(&line, '}');
    (void)job_send(j, &line); /* who does not listen is told nothing; the work goes on */
}

json_t *job_receive(struct job *j)
{
    int fd = j->out;
    AUTO_STR struct str line = STR_INIT;
    char buf[4096];
    ssize_t n;

    do {
        n = read(fd, buf, sizeof buf);
        if (n > 0)
            str_addn(&line, buf, (size_t)n);
        if (line.len > JOB_LINE_MAX)
            return NULL;
    } while ((n < 0 && errno == EINTR) || (n > 0 && !memchr(buf, '\n', (size_t)n)));
    return json_loadb(str_c(&line), line.len, JSON_DISABLE_EOF_CHECK, NULL);
}

static int run(struct job *j, const json_t *order)
{
    const char *name = json_get_text(order, "job");

    for (size_t i = 0; name && i < sizeof jobs / sizeof *jobs; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return jobs[i].run(j, order);
    return -1;
}

int job_main(void)
{
    struct job j = {.out = JOB_FD, .root = JOB_CABINET};
    sigset_t term;
    json_t *order;
    int rc;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    /* Names are UTF-8 whatever the server's language: libarchive asks the locale. */
    setlocale(LC_CTYPE, "C.UTF-8");
    yield_to_filing();
    order = job_receive(&j);
    rc = order ? run(&j, order) : -1;
    json_decref(order);
    return rc == 0 ? EXIT_ORDER : EXIT_CANNOT;
}
