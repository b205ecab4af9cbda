/* Index.html of the cabinet: every case that its readers may read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "publish/html.h"
#include "publish/page.h"

struct view {
    struct str *out;
    const struct publish_job *job;
    const struct cabinet_view *v;
    const struct tz *z;
    size_t shown; /* cases that are shown */
    size_t need;  /* of these, with something that needs attention */
    size_t retired; /* cases in the section of their own */
};

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static bool is_closed(const struct page_case *c)
{
    return c->status && strcmp(c->status, "closed") == 0;
}

/* Its folder was moved to Closed/: those have a section of their own. */
static bool is_retired(const struct page_case *c)
{
    return is_closed(c) && strncmp(c->path, "Closed/", 7) == 0;
}

static void index_link(struct view *v, const struct page_case *c, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/" PAGE_INDEX, c->path);

    html_link(v->out, path, text);
}

static void add_nights(struct view *v)
{
    char when[TZ_MINUTE];

    fact(v->out, v->job->lang, "page.last-night", v->v->night);
    if (v->job->next_night_ns > 0)
        fact(v->out, v->job->lang, "page.next-night",
             tz_minute(v->z, v->job->next_night_ns, when));
}

static void add_header(struct view *v)
{
    const struct publish_job *job = v->job;
    AUTO_FREE char *cases = count_text(job->lang, "page.cases", v->shown);

    str_add(v->out, "<header>\n<p class=\"up\"><a href=\"./How%20this%20works.html\">");
    html_text(v->out, lang_get(job->lang, "page.how.title"));
    str_add(v->out, "</a></p>\n<h1>");
    html_bdi(v->out,
             job->office && *job->office ? job->office : lang_get(job->lang, "page.cabinet-title"));
    str_add(v->out, "</h1>\n<dl class=\"facts\">\n");
    fact(v->out, job->lang, "page.contents", cases);
    if (v->v->restricted > 0) {
        AUTO_FREE char *restricted = count_text(job->lang, "page.restricted", v->v->restricted);

        fact(v->out, job->lang, "page.also", restricted);
    }
    add_nights(v);
    if (job->suggest)
        fact(v->out, job->lang, "page.mode", lang_get(job->lang, "page.mode-suggest"));
    str_add(v->out, "</dl>\n</header>\n");
}

/* Cases with something to do: open before closed, then by priority, then the most first. */
static int by_need(const void *a, const void *b, void *ctx)
{
    const struct view *v = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const struct page_case *x = &v->job->cases[i], *y = &v->job->cases[j];
    int rank = priority_rank(x->priority) - priority_rank(y->priority);

    if (is_closed(x) != is_closed(y))
        return is_closed(x) ? 1 : -1;
    if (rank != 0)
        return rank;
    if (v->v->sums[i].attention != v->v->sums[j].attention)
        return v->v->sums[i].attention > v->v->sums[j].attention ? -1 : 1;
    return i < j ? -1 : 1;
}

static void needy_cases(struct view *v)
{
    size_t *order = xcalloc(v->job->cases_len + 1, sizeof *order), n = 0;

    for (size_t i = 0; i < v->job->cases_len; i++)
        if (v->v->sums[i].attention > 0)
            order[n++] = i;
    qsort_r(order, n, sizeof *order, by_need, v);
    if (n > 0) {
        say(v->out, v->job->lang, "h3", NULL, "page.in-cases");
        str_add(v->out, "<ul class=\"items\">\n");
    }
    for (size_t k = 0; k < n; k++) {
        const struct page_case *c = &v->job->cases[order[k]];
        AUTO_FREE char *things =
            count_text(v->job->lang, "page.things", v->v->sums[order[k]].attention);

        str_add(v->out, "<li>");
        index_link(v, c, or_empty(c->prefix));
        str_addc(v->out, ' ');
        if (priority_rank(c->priority) == 0)
            priority_chip(v->out, v->job->lang, c->priority);
        html_element(v->out, "span", "quiet", " ");
        html_element(v->out, "span", "quiet", things);
        str_add(v->out, "</li>\n");
    }
    if (n > 0)
        str_add(v->out, "</ul>\n");
    free(order);
}

static void add_attention(struct view *v)
{
    if (v->v->office.items_len == 0 && v->need == 0)
        return;
    str_add(v->out, "<section class=\"attention\" aria-labelledby=\"attention\">\n"
                    "<h2 id=\"attention\">");
    html_text(v->out, lang_get(v->job->lang, "page.attention"));
    str_add(v->out, "</h2>\n");
    attention_groups(v->out, v->job->lang, v->v->office.items, v->v->office.items_len);
    needy_cases(v);
    str_add(v->out, "</section>\n");
}

static void filing_row(struct view *v, const struct filing *f)
{
    const struct page_case *c = &v->job->cases[f->case_index];
    const char *slash = strrchr(f->path, '/');
    AUTO_FREE char *path = xasprintf("%s/%s", c->path, f->path);
    char when[TZ_MINUTE];

    str_add(v->out, "<tr><td>");
    html_link(v->out, path, slash ? slash + 1 : f->path);
    str_add(v->out, "</td><td class=\"was\">");
    html_bdi(v->out, f->original);
    str_add(v->out, "</td><td class=\"case\">");
    index_link(v, c, or_empty(c->prefix));
    str_add(v->out, "</td><td class=\"stamp\">");
    html_text(v->out, tz_minute(v->z, f->filed_ns, when));
    str_add(v->out, "</td></tr>\n");
}

static void filing_table(struct view *v, const struct filing *list, size_t n)
{
    static const struct column columns[] = {{.key = "page.new-name"},
                                            {.key = "page.old-name"},
                                            {.key = "page.case", .class = "case"},
                                            {.key = "page.filed-at", .class = "stamp"}};

    table_begin(v->out, v->job->lang, lang_get(v->job->lang, "page.lately-caption"), columns,
                sizeof columns / sizeof *columns);
    for (size_t i = 0; i < n; i++)
        filing_row(v, &list[i]);
    table_end(v->out);
}

static void add_filings(struct view *v)
{
    size_t n = v->v->filings_len, open = n > RECENT_OPEN + 2 ? RECENT_OPEN : n;

    if (n == 0)
        return;
    lately_begin(v->out, v->job->lang);
    filing_table(v, v->v->filings, open);
    if (open < n) {
        lately_more(v->out, v->job->lang, n - open);
        filing_table(v, v->v->filings + open, n - open);
    }
    lately_end(v->out, open < n);
}

static void add_controls(struct view *v)
{
    const struct lang *lang = v->job->lang;

    controls_begin(v->out, lang, "page.find-cases");
    select_begin(v->out, lang, "s", "page.status");
    select_option(v->out, "0", lang_get(lang, "page.open"));
    select_option(v->out, "1", lang_get(lang, "page.closed"));
    select_end(v->out);
    select_begin(v->out, lang, "p", "page.priority");
    select_option(v->out, "0", lang_get(lang, "page.priority.high"));
    select_option(v->out, "1", lang_get(lang, "page.priority.normal"));
    select_option(v->out, "2", lang_get(lang, "page.priority.low"));
    select_end(v->out);
    select_begin(v->out, lang, "a", "page.attention");
    select_option(v->out, "1", lang_get(lang, "page.yes"));
    select_option(v->out, "0", lang_get(lang, "page.no"));
    select_end(v->out);
    controls_end(v->out, lang, "page.cases", v->shown);
}

static void number_cell(struct view *v, const char *class, size_t n, bool chip)
{
    str_addf(v->out, "<td class=\"num\" data-k=\"%zu\">", n);
    if (n > 0 || !chip)
        str_addf(v->out, "<span class=\"%s\">%zu</span>", class, n);
    str_add(v->out, "</td>");
}

/* The archive, called by the day on which it was made; nothing when there is none. */
static void archive_link(struct view *v, const char *archive, int64_t made_ns)
{
    char day[TZ_DAY];

    if (!archive)
        return;
    AUTO_FREE char *text = lang_format(v->job->lang, "page.archive-of", "date",
                                       tz_day(v->z, made_ns, day), NULL);

    str_add(v->out, "<p class=\"note\">");
    html_link(v->out, archive, text);
    str_add(v->out, "</p>");
}

static void case_row(struct view *v, const struct page_case *c, const struct case_sums *sums)
{
    int rank = priority_rank(c->priority);
    char day[TZ_DAY];

    str_addf(v->out, "<tr data-s=\"%d\" data-p=\"%d\" data-a=\"%d\"><th scope=\"row\"",
             is_closed(c), rank, sums->attention > 0);
    html_attr(v->out, "data-k", or_empty(c->prefix));
    str_addc(v->out, '>');
    index_link(v, c, c->client && *c->client ? c->client : or_empty(c->prefix));
    html_element(v->out, "p", "note", c->path);
    str_add(v->out, "</th><td class=\"type\">");
    html_bdi(v->out, or_empty(c->case_type));
    str_addf(v->out, "</td><td class=\"state\" data-k=\"%d\">", is_closed(c));
    say(v->out, v->job->lang, "span", is_closed(c) ? "quiet" : "plain",
        is_closed(c) ? "page.closed" : "page.open");
    if (is_closed(c))
        archive_link(v, sums->archive, sums->archived_ns);
    str_addf(v->out, "</td><td class=\"prio\" data-k=\"%d\">", rank);
    priority_chip(v->out, v->job->lang, c->priority);
    str_add(v->out, "</td>");
    number_cell(v, "chip attn", sums->attention, true);
    number_cell(v, "plain", sums->documents, false);
    str_add(v->out, "<td class=\"place opt\">");
    html_bdi(v->out, or_empty(c->team));
    str_add(v->out, "</td><td class=\"place opt\">");
    html_bdi(v->out, or_empty(c->docket));
    str_add(v->out, "</td><td class=\"date\">");
    if (sums->filed_ns > 0)
        html_text(v->out, tz_day(v->z, sums->filed_ns, day));
    str_add(v->out, "</td></tr>\n");
}

/* Open cases first, then by name. */
static int by_status(const void *a, const void *b)
{
    const struct page_case *x = *(const struct page_case *const *)a;
    const struct page_case *y = *(const struct page_case *const *)b;
    int n = is_closed(x) - is_closed(y);

    if (n == 0)
        n = strcasecmp(or_empty(x->prefix), or_empty(y->prefix));
    return n ? n : strcmp(x->path, y->path);
}

static void case_rows(struct view *v)
{
    const struct page_case **list = xcalloc(v->shown + 1, sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < v->job->cases_len; i++)
        if (!v->job->cases[i].restricted && !is_retired(&v->job->cases[i]))
            list[n++] = &v->job->cases[i];
    qsort(list, n, sizeof *list, by_status);
    for (size_t i = 0; i < n; i++)
        case_row(v, list[i], &v->v->sums[list[i] - v->job->cases]);
    free(list);
}

static void add_cases(struct view *v)
{
    static const struct column columns[] = {
        {.key = "page.case", .sort = 's'},
        {.key = "page.case-type", .class = "type", .sort = 's'},
        {.key = "page.status", .class = "state", .sort = 'n', .sorted = true},
        {.key = "page.priority", .class = "prio", .sort = 'n'},
        {.key = "page.attention-short", .class = "num", .sort = 'n', .newest_first = true},
        {.key = "page.documents-heading", .class = "num", .sort = 'n', .newest_first = true},
        {.key = "page.team", .class = "place opt", .sort = 's'},
        {.key = "page.docket", .class = "place opt", .sort = 's'},
        {.key = "page.last-filed", .class = "date", .sort = 's', .newest_first = true},
    };

    str_add(v->out, "<section class=\"finder\" aria-labelledby=\"cases\">\n"
                    "<h2 id=\"cases\" tabindex=\"-1\">");
    html_text(v->out, lang_get(v->job->lang, "page.cases-heading"));
    str_add(v->out, "</h2>\n");
    if (v->shown == 0) {
        say(v->out, v->job->lang, "p", "plain", "page.no-cases");
    } else {
        add_controls(v);
        table_begin(v->out, v->job->lang, lang_get(v->job->lang, "page.cases-caption"), columns,
                    sizeof columns / sizeof *columns);
        case_rows(v);
        table_end(v->out);
    }
    str_add(v->out, "</section>\n");
}

static void retired_row(struct view *v, const struct page_case *c, const struct case_sums *sums)
{
    str_add(v->out, "<tr><th scope=\"row\">");
    index_link(v, c, or_empty(c->prefix));
    html_element(v->out, "p", "note", c->path);
    str_add(v->out, "</th><td class=\"date\">");
    html_text(v->out, or_empty(c->closed_on));
    str_add(v->out, "</td><td class=\"state\">");
    archive_link(v, sums->archive, sums->archived_ns);
    str_add(v->out, "</td></tr>\n");
}

/* Only its archive is left. */
static void gone_row(struct view *v, const struct archived_case *c)
{
    str_add(v->out, "<tr><th scope=\"row\">");
    html_bdi(v->out, c->name);
    say(v->out, v->job->lang, "p", "note", "page.only-archive");
    str_add(v->out, "</th><td class=\"date\"></td><td class=\"state\">");
    archive_link(v, c->archive, c->archived_ns);
    str_add(v->out, "</td></tr>\n");
}

static void add_retired(struct view *v)
{
    static const struct column columns[] = {{.key = "page.case"},
                                            {.key = "page.closed-on", .class = "date"},
                                            {.key = "page.archive", .class = "state"}};

    if (v->retired + v->v->gone_len == 0)
        return;
    str_add(v->out, "<section aria-labelledby=\"retired\">\n<h2 id=\"retired\">");
    html_text(v->out, lang_get(v->job->lang, "page.retired-heading"));
    str_add(v->out, "</h2>\n");
    table_begin(v->out, v->job->lang, lang_get(v->job->lang, "page.retired-caption"), columns,
                sizeof columns / sizeof *columns);
    for (size_t i = 0; i < v->job->cases_len; i++)
        if (!v->job->cases[i].restricted && is_retired(&v->job->cases[i]))
            retired_row(v, &v->job->cases[i], &v->v->sums[i]);
    for (size_t i = 0; i < v->v->gone_len; i++)
        gone_row(v, &v->v->gone[i]);
    table_end(v->out);
    str_add(v->out, "</section>\n");
}

void page_cabinet(struct str *out, const struct publish_job *job, const struct cabinet_view *cv,
                  const struct tz *z)
{
    struct view v = {out, job, cv, z, job->cases_len - cv->restricted, 0, 0};
    const char *title =
        job->office && *job->office ? job->office : lang_get(job->lang, "page.cabinet-title");

    for (size_t i = 0; i < job->cases_len; i++) {
        v.need += cv->sums[i].attention > 0;
        v.retired += !job->cases[i].restricted && is_retired(&job->cases[i]);
    }
    v.shown -= v.retired;
    html_begin(out, job->lang, title, "");
    str_add(out, "<a class=\"skip\" href=\"#cases\">");
    html_text(out, lang_get(job->lang, "page.skip-cases"));
    str_add(out, "</a>\n");
    add_header(&v);
    str_add(out, "<main>\n");
    add_attention(&v);
    add_filings(&v);
    add_cases(&v);
    add_retired(&v);
    str_add(out, "</main>\n<footer>");
    say(out, job->lang, "p", "note", "page.made-by");
    str_add(out, "</footer>\n");
    html_end(out);
}
