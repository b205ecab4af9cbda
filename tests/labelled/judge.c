/*
 * judge: decides about each document of the labelled set, as read from standard input, with the
 * shipped rules, and writes one line for each: id, action, reason, type, case, date, name, why.
 *
 *   case  PATH CLIENT TYPE DOCKET MATTER PARTY|PARTY EMAIL|EMAIL
 *   doc   ID HOME NAME KIND PAGES          HOME is "-" in the office's Inbox
 *   subject|sender|to|mail_date|thread TEXT
 *   line  PAGE PERCENT FLAGS TEXT          FLAGS of c(entred), b(old)
 *   end
 *
 * Members are parted by tabs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "decide/decide.h"
#include "decide/route.h"

enum { CASES_MAX = 5000, MEMBERS = 9 };

struct bench {
    struct rules *rules;
    struct lang *lang;
    struct policy policy;
    struct case_facts *cases[CASES_MAX];
    struct roster roster;
    struct content content;
    struct facts facts;
    char *id, *name;
    bool explain;
};

static const char **list_of(char *text)
{
    const char **list = xcalloc(64, sizeof *list);
    size_t n = 0;

    for (char *p = strtok(text, "|"); p && n < 63; p = strtok(NULL, "|"))
        list[n++] = xstrdup(p);
    return list;
}

static void add_case(struct bench *b, char **m)
{
    struct case_facts *c = xcalloc(1, sizeof *c);

    c->path = xstrdup(m[1]);
    c->prefix = c->path;
    c->client = xstrdup(m[2]);
    c->case_type = xstrdup(m[3]);
    c->dockets = list_of(m[4]);
    c->matter = *m[5] ? xstrdup(m[5]) : NULL;
    c->parties = list_of(m[6]);
    c->emails = list_of(m[7]);
    if (b->roster.len < CASES_MAX)
        b->cases[b->roster.len++] = c;
}

static enum kind kind_named(const char *name)
{
    for (enum kind k = KIND_UNKNOWN; k < KIND_COUNT; k++)
        if (strcmp(kind_info(k)->name, name) == 0)
            return k;
    return KIND_UNKNOWN;
}

static const struct case_facts *case_at(const struct bench *b, const char *path)
{
    for (size_t i = 0; i < b->roster.len; i++)
        if (strcmp(b->cases[i]->path, path) == 0)
            return b->cases[i];
    return NULL;
}

static void start(struct bench *b, char **m)
{
    if (!b->roster.router)
        b->roster.router = router_new(&b->roster);
    free(b->id);
    free(b->name);
    b->id = xstrdup(m[1]);
    b->name = xstrdup(m[3]);
    content_clear(&b->content);
    b->content.status = CONTENT_READ;
    b->content.pages = (unsigned)strtoul(m[5], NULL, 10);
    b->facts = (struct facts){.name = b->name,
                              .folder = "Inbox",
                              .home = case_at(b, m[2]),
                              .roster = &b->roster,
                              .kind = kind_named(m[4]),
                              .size = 10000,
                              .arrived = {2026, 11, 23},
                              .new_arrival = true,
                              .content = &b->content};
    b->facts.zone = b->facts.home ? ZONE_CASE_INBOX : ZONE_OFFICE_INBOX;
}

static void add_line(struct bench *b, char **m)
{
    struct content_line line = {.text = xstrdup(m[4]),
                                .page = (unsigned)strtoul(m[1], NULL, 10),
                                .percent = (unsigned)strtoul(m[2], NULL, 10),
                                .centred = strchr(m[3], 'c') != NULL,
                                .bold = strchr(m[3], 'b') != NULL};

    content_add_line(&b->content, &line);
}

static void finish(struct bench *b)
{
    static const char *const action[] = {"index", "list", "file", "retry", "wait"};
    struct decision d;
    char day[DATE_TEXT];
    AUTO_FREE char *why = NULL;

    decide(b->rules, b->lang, &b->policy, &b->facts, b->explain, &d);
    why = decision_why(&d);
    printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b->id, action[d.action], reason_code(d.reason),
           d.type_name ? d.type_name : "", d.target ? d.target->path : "", date_text(d.day, day),
           d.name ? d.name : "", why);
    if (b->explain)
        fprintf(stderr, "== %s\n%s", b->id, str_c(&d.trace));
    decision_clear(&d);
}

static void take(struct bench *b, char **m)
{
    if (strcmp(m[0], "case") == 0)
        add_case(b, m);
    else if (strcmp(m[0], "doc") == 0)
        start(b, m);
    else if (strcmp(m[0], "line") == 0)
        add_line(b, m);
    else if (strcmp(m[0], "subject") == 0)
        content_set(&b->content.subject, m[1]);
    else if (strcmp(m[0], "sender") == 0)
        content_set(&b->content.sender, m[1]);
    else if (strcmp(m[0], "to") == 0)
        content_add(&b->content.recipients, m[1]);
    else if (strcmp(m[0], "mail_date") == 0)
        b->content.mail_date = date_parse_iso(m[1]);
    else if (strcmp(m[0], "thread") == 0)
        b->facts.thread_case = case_at(b, m[1]);
    else if (strcmp(m[0], "end") == 0)
        finish(b);
}

static void free_list(const char *const *list)
{
    for (const char *const *p = list; p && *p; p++)
        free((void *)(uintptr_t)*p);
    free((void *)(uintptr_t)list);
}

static void bench_clear(struct bench *b)
{
    for (size_t i = 0; i < b->roster.len; i++) {
        struct case_facts *c = b->cases[i];

        free_list(c->dockets);
        free_list(c->parties);
        free_list(c->emails);
        free((void *)(uintptr_t)c->path);
        free((void *)(uintptr_t)c->client);
        free((void *)(uintptr_t)c->case_type);
        free((void *)(uintptr_t)c->matter);
        free(c);
    }
    router_free((struct router *)(uintptr_t)b->roster.router);
    content_clear(&b->content);
    free(b->id);
    free(b->name);
    rules_free(b->rules);
    lang_free(b->lang);
}

static int load(struct bench *b, const char *dir)
{
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct error err = ERROR_INIT;
    AUTO_FREE char *path = xasprintf("%s/language/en.yaml", dir);

    b->lang = lang_load(path, &err);
    b->rules = b->lang ? rules_load(dir, -1, b->lang, &p) : NULL;
    if (!b->rules)
        fprintf(stderr, "judge: %s%s\n", b->lang ? "" : err.text, str_c(&text));
    return b->rules ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct bench b = {.policy = {.date_order = DATE_ORDER_MDY,
                                 .date_from = {DATE_FROM_NAME, DATE_FROM_DOCUMENT, DATE_FROM_FILE},
                                 .date_from_len = 3,
                                 .max_path = 200,
                                 .today = {2026, 11, 23}}};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    b.roster.cases = (const struct case_facts *const *)b.cases;
    b.explain = argc > 2 && strcmp(argv[2], "--explain") == 0;
    if (argc < 2 || load(&b, argv[1]) < 0)
        return 2;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        char *m[MEMBERS] = {NULL}, *p = line;

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < MEMBERS; i++)
            m[i] = p ? strsep(&p, "\t") : line + n - 1;
        for (size_t i = 0; i < MEMBERS; i++)
            m[i] = m[i] ? m[i] : line + n - 1;
        take(&b, m);
    }
    free(line);
    bench_clear(&b);
    return 0;
}
