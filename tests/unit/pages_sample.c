/*
 * pages_sample: makes the pages of cases that a test describes, for tests/e2e/test_pages.py.
 *
 *   pages_sample CABINET STATE_DIR RULES_DIR LANGUAGE_FILE < description.json
 *
 * The description: {"now": "…Z", "zone": "America/New_York", "suggest": false, "office": "…",
 * "cases": [{"id", "path", "prefix", "client", …, "restricted", "documents": [{"path", "state",
 * "reason", …}]}], "documents": […]} with the names of the members of struct page_case and
 * struct doc; "says" of a document has the members of struct content. Prints how many files changed.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "decide/lang.h"
#include "decide/content.h"
#include "publish/publish.h"
#include "record/content_row.h"
#include "record/state.h"

static _Noreturn void give_up(const char *what, const struct error *err)
{
    fprintf(stderr, "pages_sample: %s: %s\n", what, err ? error_text(err) : "");
    exit(3);
}

static char *member(const json_t *o, const char *key)
{
    return xstrdup(json_get_text(o, key));
}

static int64_t member_time(const json_t *o, const char *key)
{
    const char *text = json_get_text(o, key);
    int64_t t = 0;

    if (text && time_parse(text, &t) < 0)
        give_up(text, NULL);
    return t;
}

static char **member_list(const json_t *o, const char *key)
{
    const json_t *list = json_object_get(o, key);
    size_t n = json_array_size(list);
    char **copy = n ? xcalloc(n + 1, sizeof *copy) : NULL;

    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(json_string_value(json_array_get(list, i)));
    return copy;
}

/* What a document says: the members of struct content. */
static void put_content(struct state *s, const struct digest *digest, const json_t *o)
{
    struct content c = {.status = CONTENT_READ,
                        .title = member(o, "title"),
                        .author = member(o, "author"),
                        .subject = member(o, "subject"),
                        .sender = member(o, "sender"),
                        .why = member(o, "why"),
                        .recipients = member_list(o, "recipients"),
                        .attachments = member_list(o, "attachments"),
                        .pages = (unsigned)json_get_num(o, "pages", 0),
                        .flags = (unsigned)json_get_num(o, "flags", 0)};
    struct error err = ERROR_INIT;

    if (o && state_content_put(s, digest, &c, &err) < 0)
        give_up("content", &err);
    content_clear(&c);
}

static void put_document(struct state *s, const char *case_id, const json_t *o)
{
    struct doc d = {.path = json_get_name(o, "path"),
                    .sentence = member(o, "sentence"),
                    .help = member(o, "help"),
                    .type = member(o, "type"),
                    .words = member(o, "words"),
                    .date = member(o, "date"),
                    .original = member(o, "original"),
                    .suggested = member(o, "suggested"),
                    .filed_ns = member_time(o, "filed"),
                    .changed_ns = member_time(o, "changed"),
                    .by_hand = json_is_true(json_object_get(o, "by_hand"))};
    const char *state = json_get_text(o, "state"), *reason = json_get_text(o, "reason");
    struct error err = ERROR_INIT;

    snprintf(d.case_id, sizeof d.case_id, "%s", case_id);
    d.stamp.size = (uint64_t)json_get_num(o, "size", 1000);
    d.stamp.ino = (uint64_t)random();
    d.state = (enum doc_state)doc_state_parse(state ? state : "filed");
    d.reason = reason ? reason_parse(reason) : REASON_NONE;
    d.digest = digest_of(d.path, strlen(d.path));
    if (state_doc_put(s, &d, &err) < 0)
        give_up(d.path, &err);
    put_content(s, &d.digest, json_object_get(o, "says"));
    doc_clear(&d);
}

static void put_documents(struct state *s, const char *case_id, const json_t *list)
{
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o) put_document(s, case_id, o);
}

static struct page_case case_of(const json_t *o)
{
    json_t *keys = json_object_get(o, "key_documents");
    struct page_case c = {.id = member(o, "id"),
                          .path = json_get_name(o, "path"),
                          .prefix = member(o, "prefix"),
                          .client = member(o, "client"),
                          .case_type = member(o, "case_type"),
                          .status = member(o, "status"),
                          .priority = member(o, "priority"),
                          .team = member(o, "team"),
                          .opened = member(o, "opened"),
                          .closed_on = member(o, "closed_on"),
                          .docket = member(o, "docket"),
                          .matter = member(o, "matter"),
                          .parties = member(o, "parties"),
                          .hold = member(o, "hold"),
                          .restricted = json_is_true(json_object_get(o, "restricted")),
                          .write = true};

    c.key_documents = xcalloc(json_array_size(keys) + 1, sizeof *c.key_documents);
    for (size_t i = 0; i < json_array_size(keys); i++)
        c.key_documents[i] = xstrdup(json_string_value(json_array_get(keys, i)));
    return c;
}

static void fill(struct publish_job *job, struct state *s, const json_t *all)
{
    json_t *list = json_object_get(all, "cases"), *o;
    size_t i;

    job->cases = xcalloc(json_array_size(list) + 1, sizeof *job->cases);
    json_array_foreach(list, i, o)
    {
        struct page_case *c = &job->cases[job->cases_len++];
        struct case_row row = {0};
        struct error err = ERROR_INIT;

        *c = case_of(o);
        snprintf(row.id, sizeof row.id, "%s", c->id);
        row.path = c->path;
        row.next_doc = 1;
        if (state_case_put(s, &row, &err) < 0 || beneath_mkdirs(job->root, c->path) < 0)
            give_up(c->path, &err);
        put_documents(s, c->id, json_object_get(o, "documents"));
    }
    put_documents(s, "", json_object_get(all, "documents"));
}

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    AUTO_STR struct str problems_text = STR_INIT;
    struct problems problems = {.text = &problems_text};
    struct publish_job job = {.write_cabinet = true};
    struct state *s;
    struct lang *lang;
    struct rules *rules;
    json_t *all;

    if (argc != 5 || !(all = json_loadf(stdin, 0, NULL)))
        give_up("usage: pages_sample CABINET STATE_DIR RULES_DIR LANGUAGE_FILE", NULL);
    if (!(lang = lang_load(argv[4], &err)) || !(s = state_open(argv[2], false, &err)))
        give_up("open", &err);
    if (!(rules = rules_load(argv[3], -1, lang, &problems)))
        give_up(str_c(&problems_text), NULL);
    job.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    job.state_dir = argv[2];
    job.rules = rules;
    job.lang = lang;
    job.office = json_get_text(all, "office");
    job.time_zone = json_get_text(all, "zone");
    job.suggest = json_is_true(json_object_get(all, "suggest"));
    job.now_ns = member_time(all, "now");
    if (state_begin(s, &err) < 0)
        give_up("begin", &err);
    fill(&job, s, all);
    if (state_commit(s, &err) < 0)
        give_up("commit", &err);
    state_close(s);
    if (publish_run(&job) < 0)
        give_up("publish", &job.error);
    printf("%zu\n", job.written);
    publish_job_clear(&job);
    rules_free(rules);
    lang_free(lang);
    json_decref(all);
    return 0;
}
