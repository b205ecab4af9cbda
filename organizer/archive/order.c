#include "archive/order.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/job.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cabinet/cabinet.h"
#include "cabinet/config.h"
#include "decide/lang.h"
#include "decide/rules.h"

void order_write(struct str *line, const struct snapshot_order *o, const struct order_place *at)
{
    char hex[DIGEST_HEX];

    str_addc(line, '{');
    json_text(line, "job", "snapshot");
    json_name(line, "state_dir", o->state_dir);
    json_name(line, "rules_dir", at->rules_dir);
    json_text(line, "time_zone", at->time_zone);
    json_text(line, "case_id", o->case_id);
    json_name(line, "case_path", o->case_path);
    json_name(line, "prefix", o->prefix);
    json_name(line, "folder", o->folder);
    json_text(line, "date", o->date);
    if (o->office)
        json_text(line, "office", o->office);
    json_num(line, "format", o->format);
    json_num(line, "purpose", o->purpose);
    json_text(line, "content", digest_hex(&o->content, hex));
    if (o->intended)
        order_write_as(line, "intended", o->intended);
    str_addc(line, '}');
}

/* ---- the answer ------------------------------------------------------------------------------- */

void order_write_as(struct str *line, const char *key, const struct snapshot_result *r)
{
    char hex[DIGEST_HEX];

    json_key(line, key);
    str_addc(line, '{');
    json_num(line, "outcome", r->outcome);
    if (r->path)
        json_name(line, "path", r->path);
    json_text(line, "digest", digest_hex(&r->digest, hex));
    json_text(line, "content", digest_hex(&r->content, hex));
    json_num(line, "size", (int64_t)r->size);
    json_num(line, "documents", (int64_t)r->documents);
    json_num(line, "bytes", (int64_t)r->bytes);
    json_bool(line, "healed", r->healed);
    if (r->why)
        json_text(line, "why", r->why);
    if (r->findings) {
        json_key(line, "findings");
        str_addc(line, '[');
        for (size_t i = 0; r->findings[i]; i++) {
            json_comma(line);
            json_quote(line, r->findings[i]);
        }
        str_addc(line, ']');
    }
    str_addc(line, '}');
}

static void read_findings(const json_t *list, struct snapshot_result *r)
{
    size_t n = json_array_size(list);

    if (!n)
        return;
    r->findings = xcalloc(n + 1, sizeof *r->findings);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        r->findings[i] = xstrdup(text ? text : "");
    }
}

bool order_read_result(const json_t *json, struct snapshot_result *r)
{
    int64_t outcome = json_get_num(json, "outcome", -1);
    const char *digest = json_get_text(json, "digest");
    const char *content = json_get_text(json, "content");

    memset(r, 0, sizeof *r);
    if (outcome < 0 || outcome > SNAPSHOT_FAILED || !digest ||
        digest_parse(digest, &r->digest) < 0 || !content || digest_parse(content, &r->content) < 0)
        return false;
    r->outcome = (enum snapshot_outcome)outcome;
    r->path = json_get_name(json, "path");
    r->size = (uint64_t)json_get_num(json, "size", 0);
    r->documents = (uint64_t)json_get_num(json, "documents", 0);
    r->bytes = (uint64_t)json_get_num(json, "bytes", 0);
    r->healed = json_is_true(json_object_get(json, "healed"));
    r->why = xstrdup(json_get_text(json, "why"));
    read_findings(json_object_get(json, "findings"), r);
    return true;
}

/* ---- in the job ------------------------------------------------------------------------------- */

/* An order with the strings that it borrows. */
struct ordered {
    struct snapshot_order o;
    char *state_dir, *case_path, *prefix, *folder, *rules_dir;
    struct snapshot_result intended;
    struct lang *lang;
    struct rules *rules;
};

static bool is_stopped(void *ctx)
{
    (void)ctx;
    return job_is_stopped();
}

static bool intend(void *ctx, const struct snapshot_result *r)
{
    struct job *j = ctx;
    AUTO_STR struct str line = STR_INIT;
    json_t *answer;
    bool go;

    str_addc(&line, '{');
    order_write_as(&line, "intend", r);
    str_addc(&line, '}');
    if (!job_send(j, &line))
        return false;
    answer = job_receive(j);
    go = json_is_true(json_object_get(answer, "go"));
    json_decref(answer);
    return go;
}

static void progress(void *ctx, uint64_t bytes, uint64_t of)
{
    job_progress(ctx, bytes, of);
}

static void read_names(struct ordered *d, const json_t *json)
{
    d->state_dir = json_get_name(json, "state_dir");
    d->case_path = json_get_name(json, "case_path");
    d->prefix = json_get_name(json, "prefix");
    d->folder = json_get_name(json, "folder");
    d->rules_dir = json_get_name(json, "rules_dir");
}

static bool read_order(struct ordered *d, struct job *j, const json_t *json)
{
    const char *content = json_get_text(json, "content");
    const char *zone = json_get_text(json, "time_zone");

    read_names(d, json);
    d->o = (struct snapshot_order){
        .root = j->root,
        .state_dir = d->state_dir,
        .case_id = json_get_text(json, "case_id"),
        .case_path = d->case_path,
        .prefix = d->prefix,
        .folder = d->folder,
        .date = json_get_text(json, "date"),
        .office = json_get_text(json, "office"),
        .format = json_get_num(json, "format", 0) ? SNAPSHOT_TAR_ZST : SNAPSHOT_ZIP,
        .purpose = json_get_num(json, "purpose", 0) ? SNAPSHOT_INTERMEDIATE : SNAPSHOT_CLOSED,
        .stopped = is_stopped,
        .progress = progress,
        .intend = intend,
        .ctx = j};
    if (order_read_result(json_object_get(json, "intended"), &d->intended))
        d->o.intended = &d->intended;
    if (!content || digest_parse(content, &d->o.content) < 0 || !d->state_dir || !d->case_path ||
        !d->prefix || !d->folder || !d->rules_dir || !d->o.case_id || !d->o.date)
        return false;
    return !zone || setenv("TZ", zone, 1) == 0;
}

/* The office's own rules count only when they may be trusted, as for the daemon. */
static int load_rules(struct ordered *d, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/language/en.yaml", d->rules_dir);
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct error untrusted = ERROR_INIT;
    AUTO_CLOSE int office = config_open_trusted(d->o.root, CABINET_RULES, &untrusted);

    d->lang = lang_load(path, err);
    if (!d->lang)
        return -1;
    d->rules = rules_load(d->rules_dir, office, d->lang, &p);
    if (!d->rules)
        return error_set(err, 0, "the rules cannot be read: %s", str_c(&text));
    d->o.lang = d->lang;
    d->o.rules = d->rules;
    return 0;
}

static void ordered_clear(struct ordered *d)
{
    rules_free(d->rules);
    lang_free(d->lang);
    free(d->state_dir);
    free(d->case_path);
    free(d->prefix);
    free(d->folder);
    free(d->rules_dir);
    snapshot_result_clear(&d->intended);
}

int job_snapshot(struct job *j, const json_t *order)
{
    struct ordered d = {0};
    struct snapshot_result r = {0};
    struct error err = ERROR_INIT;
    AUTO_STR struct str line = STR_INIT;
    bool understood = read_order(&d, j, order);

    if (understood && load_rules(&d, &err) == 0) {
        snapshot_make(&d.o, &r);
    } else {
        r.outcome = SNAPSHOT_FAILED;
        r.why = xstrdup(understood ? error_text(&err) : "the job was not told what to do");
    }
    str_addc(&line, '{');
    order_write_as(&line, "result", &r);
    str_addc(&line, '}');
    understood = job_send(j, &line) && understood;
    snapshot_result_clear(&r);
    ordered_clear(&d);
    return understood ? 0 : -1;
}
