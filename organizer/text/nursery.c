#include "text/nursery.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit.h"
#include "examine/sandbox.h"
#include "examine/wire.h"
#include "text/parse.h"
#include "text/warm.h"

#define DOCUMENT_FD (WIRE_FD + 1)

_Static_assert(SANDBOX_OUT_FD == DOCUMENT_FD + 1, "the two descriptors that come with an order");

static int say(const struct wire_answer *a)
{
    return wire_send(WIRE_FD, a, sizeof *a, -1, 0);
}

/* The two descriptors as DOCUMENT_FD and SANDBOX_OUT_FD, where they arrive when nothing else is
 * open. */
static bool in_place(int fd[2])
{
    bool fine = (fd[0] == DOCUMENT_FD || dup2(fd[0], DOCUMENT_FD) >= 0) &&
                (fd[1] == SANDBOX_OUT_FD || dup2(fd[1], SANDBOX_OUT_FD) >= 0);

    for (size_t i = 0; i < 2; i++)
        if (fd[i] > SANDBOX_OUT_FD)
            close(fd[i]);
    return fine;
}

/* What a nursery prepared for its parsers. */
struct prepared {
    uint64_t memory;               /* bytes of address space that it has itself */
    struct sandbox_filter *filter; /* of a parser */
    struct warm *warm;
};

static int parser_run(enum kind kind, const struct prepared *with)
{
    static const uint8_t nothing[1];
    struct bytes b = {.p = nothing, .kind = kind};
    struct paper paper;
    struct stat st;

    /* Not fstat(3): see examine/source.c. */
    if (syscall(SYS_fstat, DOCUMENT_FD, &st) < 0 || st.st_size < 0)
        return EXIT_CANNOT;
    b.n = (size_t)st.st_size;
    if (b.n > 0) {
        void *map = mmap(NULL, b.n, PROT_READ, MAP_PRIVATE, DOCUMENT_FD, 0);

        if (map == MAP_FAILED)
            return EXIT_CANNOT;
        b.p = map;
    }
    close(DOCUMENT_FD);
    close(WIRE_FD);
    sandbox_limit_memory(with->memory, b.n);
    warm_parser(with->warm);
    /* What could not be had the nursery said already. */
    sandbox_enter_with(SANDBOX_PARSER, with->filter);
    paper_open(&paper, SANDBOX_OUT_FD);
    parse(&paper, &b);
    return paper_close(&paper) < 0 ? EXIT_CANNOT : EXIT_ORDER;
}

static enum wire_end end_of(int status, const struct rusage *used)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ORDER)
        return WIRE_ENDED;
    return used->ru_utime.tv_sec + used->ru_stime.tv_sec + 1 >= SANDBOX_PARSE_CPU_S
               ? WIRE_OVERTIME
               : WIRE_DIED;
}

/* Has a child parse the document and waits for its end. */
static void parse_document(struct wire_answer *a, const struct wire_order *o, int fd[2],
                           const struct prepared *with)
{
    struct rusage used = {0};
    int status = 0;
    pid_t pid = -1;

    warm_fork(with->warm, parse_needs((enum kind)o->number));
    if (in_place(fd))
        pid = _Fork(); /* not fork(3): see examine/reader.c */
    if (pid == 0)
        _exit(parser_run((enum kind)o->number, with));
    a->number = (uint32_t)errno;
    close(DOCUMENT_FD);
    close(SANDBOX_OUT_FD);
    a->what = WIRE_ERROR;
    if (pid < 0)
        return;
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR)
        continue;
    a->what = WIRE_PARSED;
    a->number = end_of(status, &used);
    a->cpu_ms = (uint32_t)((used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
                           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
    a->bytes = (uint64_t)used.ru_maxrss * 1024;
}

int nursery_parsers(const struct wire_setup *setup)
{
    struct prepared with;
    struct sandbox_filter *own;
    struct wire_order o;
    int fd[2], n;

    (void)setup;
    parse_prepare();
    own = sandbox_filter_new(SANDBOX_PARSERS);
    with.filter = sandbox_filter_new(SANDBOX_PARSER);
    with.memory = sandbox_memory() + WARM_ROOM;
    /* Last: what is allocated from here on would lie where parsers begin to write. */
    with.warm = warm_new();

    struct wire_answer hello = {.what = WIRE_HELLO,
                                .number = sandbox_enter_with(SANDBOX_PARSERS, own)};

    if (say(&hello) < 0)
        return EXIT_CANNOT;
    while ((n = wire_receive_two(WIRE_FD, &o, sizeof o, fd)) > 0) {
        struct wire_answer a = {.ticket = o.ticket};

        if (n != sizeof o || o.what != WIRE_PARSE || fd[0] < 0 || o.number >= KIND_COUNT)
            return EXIT_CANNOT;
        parse_document(&a, &o, fd, &with);
        if (say(&a) < 0)
            return EXIT_ORDER;
    }
    sandbox_filter_free(own);
    sandbox_filter_free(with.filter);
    warm_free(with.warm);
    return n < 0 ? EXIT_CANNOT : EXIT_ORDER;
}
