/* archive: the verb's requests, and what is answered when the last of its cases is done. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "decide/lang.h"
#include "flow/archiving.h"
#include "flow/internal.h"
#include "flow/request.h"

/* One request, until the last of its cases is done. */
struct asking {
    struct flow *flow;
    flow_answer *answer;
    void *ctx;
    bool json;
    size_t left; /* cases not done, and one while they are being queued */
    int status;
    struct str text;
};

/* One of its cases. */
struct asked_case {
    struct asking *asking;
    char *path;
};

static void release(struct asking *q)
{
    if (--q->left > 0)
        return;
    q->answer(q->ctx, q->status, str_c(&q->text));
    str_clear(&q->text);
    free(q);
}

static void worsen(struct asking *q, int status)
{
    if (status > q->status)
        q->status = status;
}

/* Bytes as people read them. */
static char *size_words(uint64_t n)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    double size = (double)n / 1000;
    size_t i = 0;

    for (; size >= 1000 && i + 1 < sizeof units / sizeof *units; i++)
        size /= 1000;
    return xasprintf(size < 10 ? "%.1f %s" : "%.0f %s", size, units[i]);
}

static void add_shown(struct str *out, const char *s)
{
    utf8_show(out, s, strlen(s));
}

static void say(struct asking *q, const char *path, const struct snapshot_result *r)
{
    static const char *const keys[] = {[SNAPSHOT_MADE] = "archive.made",
                                       [SNAPSHOT_SAME] = "archive.same",
                                       [SNAPSHOT_DIFFERS] = "archive.not.differs",
                                       [SNAPSHOT_BUSY] = "archive.not.busy",
                                       [SNAPSHOT_FAILED] = "archive.not.failed"};
    AUTO_FREE char *size = size_words(r->size);
    AUTO_FREE char *n = xasprintf("%llu", (unsigned long long)r->documents);
    AUTO_STR struct str shown = STR_INIT, archive = STR_INIT;
    AUTO_FREE char *sentence = NULL;

    add_shown(&shown, path);
    add_shown(&archive, r->path ? r->path : "");
    sentence = lang_format(q->flow->lang, keys[r->outcome], "case", str_c(&shown), "archive",
                           str_c(&archive), "documents", n, "size", size, "why",
                           r->why ? r->why : "", NULL);
    str_addf(&q->text, "%s\n", sentence);
    for (size_t i = 0; r->findings && r->findings[i]; i++)
        str_addf(&q->text, "    %s\n", r->findings[i]);
}

static void say_json(struct asking *q, const char *path, const struct snapshot_result *r)
{
    struct str *out = &q->text;
    char hex[DIGEST_HEX];

    str_addc(out, '{');
    json_num(out, "v", 1);
    json_name(out, "case", path);
    json_text(out, "outcome", snapshot_outcome_name(r->outcome));
    if (r->path) {
        json_name(out, "archive", r->path);
        json_text(out, "sha256", digest_hex(&r->digest, hex));
        json_num(out, "size", (int64_t)r->size);
    }
    json_num(out, "documents", (int64_t)r->documents);
    json_num(out, "bytes", (int64_t)r->bytes);
    if (r->why)
        json_text(out, "why", r->why);
    json_key(out, "findings");
    str_addc(out, '[');
    for (size_t i = 0; r->findings && r->findings[i]; i++) {
        json_comma(out);
        json_quote(out, r->findings[i]);
    }
    str_add(out, "]}\n");
}

static void case_done(void *ctx, const struct snapshot_result *r, const char *err_text)
{
    struct asked_case *c = ctx;
    struct asking *q = c->asking;
    struct snapshot_result failed = {.outcome = SNAPSHOT_FAILED, .why = xstrdup(err_text)};

    if (*err_text)
        r = &failed;
    worsen(q, r->outcome == SNAPSHOT_FAILED                                    ? EXIT_CANNOT
              : r->outcome == SNAPSHOT_DIFFERS || r->outcome == SNAPSHOT_BUSY ? EXIT_ATTENTION
                                                                              : EXIT_ORDER);
    if (q->json)
        say_json(q, c->path, r);
    else
        say(q, c->path, r);
    snapshot_result_clear(&failed);
    free(c->path);
    free(c);
    release(q);
}

static void queue(struct asking *q, struct matter *m, bool dry_run)
{
    struct asked_case *c;

    if (dry_run) {
        str_add(&q->text, "would archive ");
        add_shown(&q->text, m->facts.path);
        str_addc(&q->text, '\n');
        return;
    }
    c = xcalloc(1, sizeof *c);
    c->asking = q;
    c->path = xstrdup(m->facts.path);
    q->left++;
    flow_archive(q->flow, m, m->closed ? SNAPSHOT_CLOSED : SNAPSHOT_INTERMEDIATE, case_done,
                 c);
}

/* A case by its path or as people call it. */
static void queue_named(struct asking *q, const struct flow_request *r, const char *arg)
{
    struct flow *f = q->flow;
    AUTO_FREE char *path = flow_request_path(f, r->cwd, arg);
    struct matter *m = path ? matters_by_path(f->matters, path) : NULL;
    struct error err = ERROR_INIT;

    if (!m)
        m = matters_find(f->matters, arg, &err);
    if (m) {
        queue(q, m, r->dry_run);
        return;
    }
    str_addf(&q->text, "%s\n", error_text(&err));
    worsen(q, EXIT_USAGE);
}

void flow_request_archive(struct flow *f, const struct flow_request *r, flow_answer *answer,
                          void *ctx)
{
    struct asking *q = xcalloc(1, sizeof *q);

    q->flow = f;
    q->answer = answer;
    q->ctx = ctx;
    q->json = r->json;
    q->left = 1;
    for (size_t i = 0; r->args && r->args[i]; i++)
        queue_named(q, r, r->args[i]);
    if (!r->args || !r->args[0])
        for (size_t i = 0; i < matters_len(f->matters); i++)
            if (matters_at(f->matters, i)->closed)
                queue(q, matters_at(f->matters, i), r->dry_run);
    release(q);
}
