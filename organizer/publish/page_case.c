/* Index.html of a case. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "publish/html.h"
#include "publish/page.h"

#define REMARKS_SHOWN 10 /* of a kind; the table has all */

static const char *const standing_keys[] = {"page.state.attention", "page.state.filed",
                                            "page.state.indexed", "page.state.waiting"};
static const char *const privilege_keys[] = {"page.not-privileged", "page.marked-privileged"};
static const char *const relevance_keys[] = {"page.relevance.key", "page.relevance.supporting",
                                             "page.relevance.background"};

/* Distinct values of a column and the colours of types; a value's number is its index. */
struct values {
    const char **v; /* sorted; borrowed */
    size_t len;
};

struct view {
    struct own_text *text;
    struct str *out;
    const struct publish_job *job;
    const struct page_case *c;
    const struct listing *l;
    const struct tz *z;
    struct values types, folders;
    struct facts_shown shown;
};

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *type_of(const struct entry *e)
{
    return or_empty(e->doc.type);
}

static const char *folder_of(const struct entry *e)
{
    return e->folder;
}

static struct values values_of(const struct listing *l, const char *(*get)(const struct entry *))
{
    struct values v = {xcalloc(l->len + 1, sizeof *v.v), 0};
    size_t n = 0;

    for (size_t i = 0; i < l->len; i++)
        v.v[i] = get(&l->entries[i]);
    qsort(v.v, l->len, sizeof *v.v, by_text);
    for (size_t i = 0; i < l->len; i++)
        if (n == 0 || strcmp(v.v[n - 1], v.v[i]) != 0)
            v.v[n++] = v.v[i];
    v.len = n;
    return v;
}

static size_t value_index(const struct values *v, const char *text)
{
    const char **hit = bsearch(&text, v->v, v->len, sizeof *v->v, by_text);

    return hit ? (size_t)(hit - v->v) : 0;
}

/* Colours come from rules that an office writes: nothing but #rrggbb gets into the style. */
static bool is_colour(const char *s)
{
    return s && s[0] == '#' && strlen(s) == 7 && strspn(s + 1, "0123456789abcdefABCDEF") == 6;
}

/* .t3{--c:#3366aa}: one class for each type that the page shows. */
static void add_colours(struct str *style, const struct view *v)
{
    for (size_t i = 0; i < v->types.len; i++) {
        const struct doc_type *t =
            v->job->rules && *v->types.v[i] ? rules_doc_type(v->job->rules, v->types.v[i]) : NULL;

        if (t && is_colour(t->colour))
            str_addf(style, ".t%zu{--c:%s}\n", i, t->colour);
    }
}

/* "../" for every part of the case's path, then the cabinet's index. */
static void add_up_link(struct view *v)
{
    str_add(v->out, "<p class=\"up\"><a href=\"../");
    for (const char *p = v->c->path; *p; p++)
        if (*p == '/')
            str_add(v->out, "../");
    str_add(v->out, "Index.html\">");
    html_text(v->out, lang_get(v->job->lang, "page.all-cases"));
    str_add(v->out, "</a>");
    if (v->job->office && *v->job->office) {
        str_add(v->out, " \xC2\xB7 ");
        html_bdi(v->out, v->job->office);
    }
    str_add(v->out, "</p>\n");
}

static void add_counts(struct view *v)
{
    const struct lang *lang = v->job->lang;
    AUTO_FREE char *documents = count_text(lang, "page.documents", v->l->len);
    AUTO_FREE char *filed = count_text(lang, "page.filed", v->l->filed);
    AUTO_STR struct str text = STR_INIT;

    str_addf(&text, "%s, %s", documents, filed);
    if (v->l->waiting > 0) {
        AUTO_FREE char *waiting = count_text(lang, "page.waiting", v->l->waiting);

        str_addf(&text, ", %s", waiting);
    }
    fact(v->out, lang, "page.contents", str_c(&text));
}

static void add_header(struct view *v)
{
    const struct lang *lang = v->job->lang;
    const struct page_case *c = v->c;
    bool closed = c->status && strcmp(c->status, "closed") == 0;

    str_add(v->out, "<header>\n");
    add_up_link(v);
    str_add(v->out, "<h1>");
    html_bdi(v->out, c->client && *c->client ? c->client : or_empty(c->prefix));
    str_add(v->out, " <span class=\"of\">");
    html_bdi(v->out, or_empty(c->case_type));
    str_add(v->out, "</span></h1>\n<dl class=\"facts\">\n");
    fact(v->out, lang, "page.status", lang_get(lang, closed ? "page.closed" : "page.open"));
    if (c->priority && *c->priority) {
        str_add(v->out, "<div>");
        say(v->out, lang, "dt", NULL, "page.priority");
        str_add(v->out, "<dd>");
        priority_chip(v->out, lang, c->priority);
        str_add(v->out, "</dd></div>\n");
    }
    fact(v->out, lang, "page.docket", c->docket);
    fact(v->out, lang, "page.matter", c->matter);
    fact(v->out, lang, "page.team", c->team);
    fact(v->out, lang, "page.parties", c->parties);
    fact(v->out, lang, "page.opened", c->opened);
    fact(v->out, lang, "page.closed-on", c->closed_on);
    add_counts(v);
    str_add(v->out, "</dl>\n</header>\n");
}

static void add_hold(struct view *v)
{
    if (!v->c->hold || !*v->c->hold)
        return;
    str_add(v->out, "<section class=\"hold\"><p><strong>");
    html_text(v->out, lang_get(v->job->lang, "page.hold"));
    str_add(v->out, "</strong> ");
    html_bdi(v->out, v->c->hold);
    str_add(v->out, "</p></section>\n");
}

static void add_attention(struct view *v)
{
    const struct lang *lang = v->job->lang;

    if (v->l->items_len == 0)
        return;
    str_add(v->out, "<section class=\"attention\" aria-labelledby=\"attention\">\n"
                    "<h2 id=\"attention\">");
    html_text(v->out, lang_get(lang, "page.attention"));
    str_addf(v->out, " <span class=\"count\">%zu</span></h2>\n", v->l->items_len);
    attention_groups(v->out, lang, v->l->items, v->l->items_len);
    str_add(v->out, "</section>\n");
}

static int by_filing(const void *a, const void *b)
{
    const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;

    if (x->doc.filed_ns != y->doc.filed_ns)
        return x->doc.filed_ns > y->doc.filed_ns ? -1 : 1;
    return entry_compare(x, y);
}

static void filing_row(struct view *v, const struct entry *e)
{
    AUTO_FREE char *path = entry_path(e);
    char when[TZ_MINUTE];

    str_add(v->out, "<tr><td>");
    html_link(v->out, path, e->name);
    str_add(v->out, "</td><td class=\"was\">");
    html_bdi(v->out, or_empty(e->doc.original));
    str_add(v->out, "</td><td class=\"place\">");
    html_bdi(v->out, e->folder);
    str_add(v->out, "</td><td class=\"stamp\">");
    html_text(v->out, tz_minute(v->z, e->doc.filed_ns, when));
    str_add(v->out, "</td></tr>\n");
}

static void filing_table(struct view *v, const struct entry *const *list, size_t n)
{
    static const struct column columns[] = {{.key = "page.new-name"},
                                            {.key = "page.old-name"},
                                            {.key = "page.folder", .class = "place"},
                                            {.key = "page.filed-at", .class = "stamp"}};

    table_begin(v->out, v->job->lang, lang_get(v->job->lang, "page.lately-caption"), columns,
                sizeof columns / sizeof *columns);
    for (size_t i = 0; i < n; i++)
        filing_row(v, list[i]);
    table_end(v->out);
}

static void add_filings(struct view *v)
{
    const struct entry **recent = xcalloc(v->l->len + 1, sizeof *recent);
    size_t n = 0, open;

    for (size_t i = 0; i < v->l->len; i++)
        if (v->l->entries[i].doc.state == DOC_FILED &&
            listing_recent(v->l->entries[i].doc.filed_ns, v->job->now_ns))
            recent[n++] = &v->l->entries[i];
    qsort(recent, n, sizeof *recent, by_filing);
    n = n < RECENT_MAX ? n : RECENT_MAX;
    open = n > RECENT_OPEN + 2 ? RECENT_OPEN : n;
    if (n > 0) {
        lately_begin(v->out, v->job->lang);
        filing_table(v, recent, open);
        if (open < n) {
            lately_more(v->out, v->job->lang, n - open);
            filing_table(v, recent + open, n - open);
        }
        lately_end(v->out, open < n);
    }
    free(recent);
}

/* What is said in the list of remarks: a suggestion shows the name it would get. */
static void remark_item(struct view *v, const struct entry *e)
{
    AUTO_FREE char *path = entry_path(e);
    struct item item = {e->doc.reason, path, path, e->name, or_empty(e->doc.sentence), ""};

    str_add(v->out, "<li>");
    if (e->doc.reason == REASON_SUGGESTED && e->doc.suggested && *e->doc.suggested) {
        html_link(v->out, path, path);
        str_add(v->out, "<p class=\"note\">\xE2\x86\x92 ");
        html_bdi(v->out, e->doc.suggested);
        str_add(v->out, "</p>");
    } else {
        item_sentence(v->out, &item);
    }
    str_add(v->out, "</li>\n");
}

/* The remarks of one reason: `n` in all are recent. */
static void remark_group(struct view *v, enum reason r, const struct entry *const *list, size_t n)
{
    AUTO_FREE char *heading = group_heading(v->job->lang, r);

    str_add(v->out, "<h3>");
    html_text(v->out, heading);
    str_addf(v->out, " <span class=\"count\">%zu</span></h3>\n<ul class=\"items\">\n", n);
    for (size_t i = 0; i < n && i < REMARKS_SHOWN; i++)
        remark_item(v, list[i]);
    str_add(v->out, "</ul>\n");
    if (n > REMARKS_SHOWN) {
        AUTO_FREE char *more = count_text(v->job->lang, "page.more-below", n - REMARKS_SHOWN);

        html_element(v->out, "p", "note", more);
    }
}

static size_t remarks_of(const struct view *v, enum reason r, const struct entry **list)
{
    size_t n = 0;

    for (size_t i = 0; i < v->l->len; i++) {
        const struct entry *e = &v->l->entries[i];

        if (e->doc.reason == r && entry_remark(e, v->job->now_ns) &&
            (r == REASON_SUGGESTED || listing_recent(e->doc.changed_ns, v->job->now_ns)))
            list[n++] = e;
    }
    return n;
}

static void add_remarks(struct view *v)
{
    const struct entry **list = xcalloc(v->l->len + 1, sizeof *list);
    bool any = false;

    for (enum reason r = REASON_FIRST_REMARK; r < REASON_COUNT; r++) {
        size_t n = remarks_of(v, r, list);

        if (n > 0 && !any) {
            any = true;
            str_add(v->out, "<section aria-labelledby=\"remarks\">\n<h2 id=\"remarks\">");
            html_text(v->out, lang_get(v->job->lang, "page.remarks"));
            str_add(v->out, "</h2>\n");
        }
        if (n > 0)
            remark_group(v, r, list, n);
    }
    if (any)
        str_add(v->out, "</section>\n");
    free(list);
}

static void value_select(struct view *v, const char *name, const char *key,
                         const struct values *values, const char *none_key, bool types)
{
    select_begin(v->out, v->job->lang, name, key);
    for (size_t i = 0; i < values->len; i++) {
        AUTO_FREE char *words = types ? type_words(values->v[i]) : xstrdup(values->v[i]);
        char number[24];

        snprintf(number, sizeof number, "%zu", i);
        select_option(v->out, number, *words ? words : lang_get(v->job->lang, none_key));
    }
    select_end(v->out);
}

static void key_select(struct view *v, const char *name, const char *key, const char *const *keys,
                       size_t n)
{
    select_begin(v->out, v->job->lang, name, key);
    for (size_t i = 0; i < n; i++) {
        char number[24];

        snprintf(number, sizeof number, "%zu", i);
        select_option(v->out, number, lang_get(v->job->lang, keys[i]));
    }
    select_end(v->out);
}

static void add_controls(struct view *v)
{
    controls_begin(v->out, v->job->lang, "page.find-documents");
    if (v->shown.about)
        about_controls(v->out, v->job->lang);
    value_select(v, "t", "page.type", &v->types, "page.no-type", true);
    value_select(v, "f", "page.folder", &v->folders, "page.case-folder", false);
    key_select(v, "r", "page.relevance", relevance_keys, 3);
    key_select(v, "s", "page.state", standing_keys, 4);
    if (v->shown.privilege)
        key_select(v, "p", "page.privilege", privilege_keys, 2);
    controls_end(v->out, v->job->lang, "page.documents", v->l->len);
}

/* Under the name: what it was called, what would be done, what is to be said. */
static void add_notes(struct view *v, const struct entry *e)
{
    const struct shown *d = &e->doc;
    const char *remark = entry_remark(e, v->job->now_ns);

    if (d->original && *d->original && strcmp(d->original, e->name) != 0) {
        AUTO_FREE char *was =
            lang_format(v->job->lang, "page.was-named", "name", d->original, NULL);

        html_element(v->out, "p", "note", was);
    }
    if (d->suggested && *d->suggested && (v->job->suggest || d->before)) {
        AUTO_FREE char *would =
            lang_format(v->job->lang, "page.would-be", "name", d->suggested, NULL);

        html_element(v->out, "p", "note", would);
    }
    if (e->standing == STANDING_ATTENTION)
        html_element(v->out, "p", "note attn", entry_says(e, or_empty(d->sentence)));
    else if (remark && d->reason != REASON_SUGGESTED)
        html_element(v->out, "p", "note", entry_says(e, remark));
    else if (d->by_hand && d->reason != REASON_BY_HAND)
        say(v->out, v->job->lang, "p", "note", "page.by-hand");
    facts_notes(v->out, v->job->lang, e);
}

static void type_cell(struct view *v, const struct entry *e, size_t type)
{
    AUTO_FREE char *words = type_words(type_of(e));

    str_add(v->out, "<td class=\"type\">");
    if (*words) {
        str_addf(v->out, "<span class=\"dot t%zu\" aria-hidden=\"true\"></span>", type);
        html_text(v->out, words);
    }
    str_add(v->out, "</td>");
}

static void relevance_cell(struct view *v, const struct entry *e)
{
    static const char *const class[] = {"chip key", "plain", "quiet"};

    str_addf(v->out, "<td class=\"rel\" data-k=\"%d\">",
             e->relevance == RELEVANCE_NONE ? 9 : e->relevance);
    if (e->relevance != RELEVANCE_NONE)
        say(v->out, v->job->lang, "span", class[e->relevance], relevance_keys[e->relevance]);
    str_add(v->out, "</td>");
}

static void state_cell(struct view *v, const struct entry *e)
{
    static const char *const class[] = {"chip attn", "plain", "quiet", "quiet"};

    str_addf(v->out, "<td class=\"state\" data-k=\"%d\">", (int)e->standing);
    say(v->out, v->job->lang, "span", class[e->standing], standing_keys[e->standing]);
    str_add(v->out, "</td>");
}

static void document_row(struct view *v, const struct entry *e)
{
    AUTO_FREE char *path = entry_path(e);
    size_t type = value_index(&v->types, type_of(e));
    char size[32], when[TZ_MINUTE];

    str_addf(v->out, "<tr data-t=\"%zu\" data-f=\"%zu\" data-r=\"%d\" data-s=\"%d\" data-p=\"%d\">",
             type, value_index(&v->folders, e->folder), e->relevance, (int)e->standing,
             privilege_value(e));
    str_addf(v->out, "<td class=\"date mark t%zu\">", type);
    html_text(v->out, or_empty(e->doc.date));
    str_add(v->out, "</td>");
    type_cell(v, e, type);
    str_add(v->out, "<th scope=\"row\"");
    html_attr(v->out, "data-k", e->name);
    str_addc(v->out, '>');
    if (reason_is_not_to_open(e->doc.reason))
        html_bdi(v->out, e->name);
    else
        html_link(v->out, path, e->name);
    add_notes(v, e);
    str_add(v->out, "</th>");
    if (v->shown.about)
        about_cell(v->out, v->job->lang, e);
    str_add(v->out, "<td class=\"place\">");
    html_bdi(v->out, e->folder);
    str_add(v->out, "</td>");
    if (v->shown.privilege)
        privilege_cell(v->out, v->job->lang, e);
    relevance_cell(v, e);
    state_cell(v, e);
    str_addf(v->out, "<td class=\"size\" data-k=\"%" PRIu64 "\">%s</td>", e->doc.size,
             size_text(e->doc.size, size));
    str_add(v->out, "<td class=\"when\">");
    if (e->doc.filed_ns > 0 && e->doc.state == DOC_FILED)
        html_text(v->out, tz_minute(v->z, e->doc.filed_ns, when));
    str_add(v->out, "</td></tr>\n");
}

/* The columns of what any document has. */
static void begin_documents(struct view *v)
{
    static const struct {
        struct column column;
        bool about, privilege; /* only with these */
    } all[] = {
        {.column = {.key = "page.date",
                    .class = "date",
                    .sort = 's',
                    .newest_first = true,
                    .sorted = true}},
        {.column = {.key = "page.type", .class = "type", .sort = 's'}},
        {.column = {.key = "page.document", .sort = 's'}},
        {.column = {.key = "page.about", .class = "about", .sort = 's'}, .about = true},
        {.column = {.key = "page.folder", .class = "place", .sort = 's'}},
        {.column = {.key = "page.privilege", .class = "priv", .sort = 'n'}, .privilege = true},
        {.column = {.key = "page.relevance", .class = "rel", .sort = 'n'}},
        {.column = {.key = "page.state", .class = "state", .sort = 'n'}},
        {.column = {.key = "page.size", .class = "size", .sort = 'n', .newest_first = true}},
        {.column = {.key = "page.filed-at", .class = "when", .sort = 's', .newest_first = true}},
    };
    struct column columns[sizeof all / sizeof *all];
    size_t n = 0;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((v->shown.about || !all[i].about) && (v->shown.privilege || !all[i].privilege))
            columns[n++] = all[i].column;
    table_begin(v->out, v->job->lang, lang_get(v->job->lang, "page.documents-caption"), columns, n);
}

static void add_documents(struct view *v)
{
    str_addf(v->out,
             "<section class=\"finder%s\" aria-labelledby=\"documents\">\n"
             "<h2 id=\"documents\" tabindex=\"-1\">",
             v->shown.about || v->shown.privilege ? " full" : "");
    html_text(v->out, lang_get(v->job->lang, "page.documents-heading"));
    str_add(v->out, "</h2>\n");
    if (v->l->len == 0) {
        say(v->out, v->job->lang, "p", "plain", "page.no-documents");
    } else {
        add_controls(v);
        begin_documents(v);
        for (size_t i = 0; i < v->l->len; i++) {
            document_row(v, listing_say(v->l, i));
            own_text_pass(v->text);
        }
        table_end(v->out);
    }
    str_add(v->out, "</section>\n");
}

void page_case(struct own_text *text, const struct publish_job *job, const struct page_case *c,
               const struct listing *l, const struct tz *z)
{
    struct str *out = &text->text;
    struct view v = {text, out, job, c, l, z, values_of(l, type_of), values_of(l, folder_of),
                     l->facts};
    AUTO_STR struct str style = STR_INIT;

    add_colours(&style, &v);
    html_begin(out, job->lang, or_empty(c->prefix), str_c(&style));
    str_add(out, "<a class=\"skip\" href=\"#documents\">");
    html_text(out, lang_get(job->lang, "page.skip"));
    str_add(out, "</a>\n");
    add_header(&v);
    str_add(out, "<main>\n");
    add_hold(&v);
    add_attention(&v);
    add_filings(&v);
    add_remarks(&v);
    add_documents(&v);
    str_add(out, "</main>\n<footer>");
    say(out, job->lang, "p", "note", "page.made-by");
    str_add(out, "</footer>\n");
    html_end(out);
    free(v.types.v);
    free(v.folders.v);
}
