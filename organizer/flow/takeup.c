/* takeup: `adopt` accepts a journal that does not match its head, and says so in the journal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "cabinet/casename.h"
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
    struct flow *flow;
    flow_answer *answer;
    void *ctx;
    char *path;
};

static void taken_up(void *ctx, struct act *a)
{
    struct taking *t = ctx;
    AUTO_STR struct str text = STR_INIT;

    if (a->status == ACT_DONE) {
        flow_unnotice(t->flow, REASON_TAMPERED, t->path);
        flow_scan(t->flow, t->path);
        str_addf(&text, "the journal of %s is taken up as it is; its journal says so\n", t->path);
    } else {
        str_addf(&text, "%s: %s\n", t->path, error_text(&a->error));
    }
    t->answer(t->ctx, a->status == ACT_DONE ? EXIT_ORDER : EXIT_CANNOT, str_c(&text));
    free(t->path);
    free(t);
}

void flow_take_up(struct flow *f, struct matter *m, flow_answer *answer, void *ctx)
{
    struct act *a;
    struct taking *t;
    struct error err = ERROR_INIT;
    struct case_row row = {0};

    if (m->untouchable) {
        answer(ctx, EXIT_CANNOT, "it is a copy of another case: take the line \"Case id\" out of its "
                                 "Case.txt and the folder .organizer out of it, then it is a case "
                                 "of its own\n");
        return;
    }
    if (state_case_get(f->state, m->facts.id, &row, &err) <= 0 || !row.tampered) {
        case_row_clear(&row);
        answer(ctx, EXIT_ORDER, "it is a case already, and its journal is in order\n");
        return;
    }
    a = act_new(ACT_CASE);
    t = xcalloc(1, sizeof *t);
    a->row = row;
    a->row.tampered = false;
    memcpy(a->doc.case_id, m->facts.id, CASE_ID_SIZE);
    a->case_path = xstrdup(m->facts.path);
    journal_body(&a->journal, env_now(f->env), "taken-up");
    t->flow = f;
    t->answer = answer;
    t->ctx = ctx;
    t->path = xstrdup(m->facts.path);
    a->done = taken_up;
    a->ctx = t;
    filer_submit(f->filer, a);
}
