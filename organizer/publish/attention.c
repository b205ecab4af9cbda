/*
 * Needs attention.txt: plain words, for Notepad: UTF-8 with a BOM, CR LF.
 *
 * At most ATTENTION_MAX lines. Every group is named before any shows a second item, so that one
 * reason with a thousand documents does not hide the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "publish/page.h"

struct group {
    const struct item *items;
    size_t len, shown;
};

/* Text for people; backslashes stay as they are. */
static void add_text(struct str *out, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "\\");

        utf8_show(out, s, n);
        s += n;
        if (*s)
            str_addc(out, *s++);
    }
}

static void add_line(struct str *out, const char *indent, const char *text)
{
    str_add(out, indent);
    add_text(out, text);
    str_add(out, "\r\n");
}

static size_t split(const struct listing *l, struct group *groups)
{
    size_t n = 0;

    for (size_t i = 0, end; i < l->items_len; i = end) {
        for (end = i + 1; end < l->items_len && l->items[end].reason == l->items[i].reason;)
            end++;
        groups[n++] = (struct group){&l->items[i], end - i, 0};
    }
    return n;
}

/* A sentence that all items of the group share and that names none of them. */
static bool says_once(const struct group *g)
{
    return items_same_sentence(g->items, g->len) && *g->items->sentence && !item_name_at(g->items);
}

/* Lines of a group with `shown` items: blank, heading, what is said of all, items and help. */
static size_t group_lines(const struct group *g, size_t shown)
{
    bool same_help = items_same_help(g->items, g->len);

    if (shown == 0)
        return 2;
    return 2 + says_once(g) + (same_help ? shown + (*g->items->help != '\0') : shown * 2);
}

/* Gives every group one item more, in turn, while the lines last. Returns how many are left out. */
static size_t deal(struct group *groups, size_t n, size_t room)
{
    size_t used = 0, left = 0;
    bool more = true;

    for (size_t i = 0; i < n; i++)
        used += group_lines(&groups[i], 0);
    while (more) {
        more = false;
        for (size_t i = 0; i < n; i++) {
            struct group *g = &groups[i];
            size_t cost = group_lines(g, g->shown + 1) - group_lines(g, g->shown);

            if (g->shown == g->len || used + cost > room)
                continue;
            used += cost;
            g->shown++;
            more = true;
        }
    }
    for (size_t i = 0; i < n; i++)
        left += groups[i].len - groups[i].shown;
    return left;
}

/* Where it lies and what is said of it: in the sentence when that names it. */
static void add_item(struct str *out, const struct item *item, bool sentence, bool help)
{
    AUTO_STR struct str line = STR_INIT;
    const char *at = sentence ? item_name_at(item) : NULL;

    if (at) {
        str_addn(&line, item->sentence, (size_t)(at - item->sentence));
        str_add(&line, item->shown);
        str_add(&line, at + strlen(item->name));
    } else {
        str_add(&line, item->shown);
        if (sentence && *item->sentence)
            str_addf(&line, "%s%s", *item->shown ? ": " : "", item->sentence);
    }
    add_line(out, "    ", str_c(&line));
    if (help)
        add_line(out, *item->help ? "      > " : "", item->help);
}

static void add_group(struct str *out, const struct lang *lang, const struct group *g)
{
    bool sentence = !items_same_sentence(g->items, g->len);
    bool help = !items_same_help(g->items, g->len);
    AUTO_FREE char *heading = group_heading(lang, g->items->reason);
    AUTO_FREE char *line = xasprintf("%s (%zu)", heading, g->len);

    str_add(out, "\r\n");
    add_line(out, "", line);
    if (says_once(g) && g->shown > 0)
        add_line(out, "  ", g->items->sentence);
    if (!help && g->shown > 0 && *g->items->help)
        add_line(out, "  > ", g->items->help);
    for (size_t i = 0; i < g->shown; i++)
        add_item(out, &g->items[i], sentence, help);
}

static void add_groups(struct str *out, const struct lang *lang, const struct listing *l,
                       size_t room)
{
    struct group *groups = xcalloc(REASON_COUNT, sizeof *groups);
    size_t n = split(l, groups);
    /* With more reasons than fit, the most urgent. */
    size_t fit = n * 2 > room ? (room - 2) / 2 : n;
    size_t left = deal(groups, fit, room);

    for (size_t i = fit; i < n; i++)
        left += groups[i].len;
    if (left > 0) {
        for (size_t i = 0; i < fit; i++)
            groups[i].shown = 0;
        left = deal(groups, fit, room - 2);
        for (size_t i = fit; i < n; i++)
            left += groups[i].len;
    }
    for (size_t i = 0; i < fit; i++)
        add_group(out, lang, &groups[i]);
    if (left > 0) {
        AUTO_FREE char *more = count_text(lang, "page.attention-more", left);

        str_add(out, "\r\n");
        add_line(out, "", more);
    }
    free(groups);
}

void attention_case(struct str *out, const struct publish_job *job, const struct listing *l)
{
    if (l->items_len == 0)
        return;
    str_add(out, "\xEF\xBB\xBF");
    add_line(out, "", lang_get(job->lang, "page.attention-first-line"));
    add_groups(out, job->lang, l, ATTENTION_MAX - 1);
}

static size_t cases_in_need(const struct cabinet_view *v, size_t cases_len)
{
    size_t n = 0;

    for (size_t i = 0; i < cases_len; i++)
        n += v->sums[i].attention > 0;
    return n;
}

void attention_cabinet(struct str *out, const struct publish_job *job, const struct cabinet_view *v)
{
    size_t n = cases_in_need(v, job->cases_len), shown = 0, room;

    if (v->office.items_len == 0 && n == 0)
        return;
    str_add(out, "\xEF\xBB\xBF");
    add_line(out, "", lang_get(job->lang, "page.attention-first-line"));
    /* The cases get what the office's own leave of the lines, but at least ten. */
    room = n == 0 ? 0 : n + 2 < 12 ? n + 2 : 12;
    if (v->office.items_len > 0)
        add_groups(out, job->lang, &v->office, ATTENTION_MAX - 1 - room);
    if (n == 0)
        return;
    str_add(out, "\r\n");
    add_line(out, "", lang_get(job->lang, "page.attention-cases"));
    for (size_t i = 0; i < job->cases_len; i++) {
        AUTO_FREE char *text = NULL;

        if (v->sums[i].attention == 0 || (shown == room - 3 && n > room - 2))
            continue;
        text = count_text(job->lang, "page.things", v->sums[i].attention);
        str_add(out, "  ");
        add_text(out, job->cases[i].path);
        add_line(out, ": ", text);
        shown++;
    }
    if (shown < n) {
        AUTO_FREE char *more = count_text(job->lang, "page.attention-more-cases", n - shown);

        add_line(out, "  ", more);
    }
}
