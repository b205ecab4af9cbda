/* takeup: `adopt` accepts a journal that is not as it was left, and says so in the journal. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "cabinet/casename.h"
#include "flow/casework.h"
#include "flow/internal.h"
#include "flow/request.h"

void name_guess(const struct rules *rules, const char *path, struct name_guess *g)
{
    const char *slash = strrchr(path, '/');
    struct casename n = {0};

    memset(g, 0, sizeof *g);
    if (casename_read(rules, NULL, slash ? slash + 1 : path, &n) == CASENAME_CASE) {
        g->client = xstrdup(n.client);
        g->case_type = xstrdup(n.case_type);
    } else if (n.would) {
        casename_split(n.would, &g->client, &g->case_type);
    }
    casename_clear(&n);
}

struct taking {
    flow_answer *answer;
    void *ctx;
};

static void taken_up(void *ctx, int status, const char *path)
{
    struct taking *t = ctx;
    AUTO_FREE char *text =
        status == EXIT_ORDER
            ? xasprintf("the journal of %s is taken up as it is; its journal says so\n", path)
            : xasprintf("%s\n", path);

    t->answer(t->ctx, status, text);
    free(t);
}

static void no_fault(void *ctx, uint64_t line, const char *what)
{
    (void)ctx, (void)line, (void)what;
}

/* 1 when there is something to be taken up, 0, -1 with err. */
static int is_broken(struct flow *f, const struct matter *m, struct error *err)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, m->facts.path, O_RDONLY | O_DIRECTORY, 0);
    enum journal_standing standing;
    struct journal_head head;
    struct case_row row;
    int rc = state_case_get(f->state, m->facts.id, &row, err);
    bool tampered = rc > 0 && row.tampered;

    case_row_clear(&row);
    if (rc <= 0 || tampered)
        return rc < 0 ? -1 : tampered;
    if (fd < 0 || state_head_get(f->state, m->facts.id, &head, err) < 0)
        return -1;
    rc = journal_check(fd, &head, no_fault, NULL, &standing, err);
    return rc < 0 ? -1 : rc > 0;
}

void flow_take_up(struct flow *f, struct matter *m, flow_answer *answer, void *ctx)
{
    struct error err = ERROR_INIT;
    struct taking *t;
    int broken;

    if (m->untouchable) {
        answer(ctx, EXIT_CANNOT,
               "it is a copy of another case: delete Case.txt and the folder "
               ".organizer in it, then it is a case of its own\n");
        return;
    }
    broken = is_broken(f, m, &err);
    if (broken <= 0) {
        answer(ctx, broken < 0 ? EXIT_CANNOT : EXIT_ORDER,
               broken < 0 ? error_text(&err)
                          : "it is a case already, and its journal is in order\n");
        return;
    }
    t = xcalloc(1, sizeof *t);
    *t = (struct taking){answer, ctx};
    flow_record_case(f, m, &(struct case_note){.kind = "taken-up", .accept = true}, taken_up, t);
}
