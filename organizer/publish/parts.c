#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "publish/html.h"
#include "publish/page.h"

#define GROUP_OPEN 25 /* items of a group shown before the rest is folded away */

char *count_text(const struct lang *lang, const char *key, size_t n)
{
    AUTO_FREE char *full = xasprintf("%s.%s", key, n == 1 ? "one" : "many");
    AUTO_FREE char *number = xasprintf("%zu", n);

    return lang_format(lang, full, "n", number, NULL);
}

void say(struct str *out, const struct lang *lang, const char *tag, const char *class,
         const char *key)
{
    html_element(out, tag, class, lang_get(lang, key));
}

void fact(struct str *out, const struct lang *lang, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    str_add(out, "<div>");
    say(out, lang, "dt", NULL, key);
    str_add(out, "<dd>");
    html_bdi(out, value);
    str_add(out, "</dd></div>\n");
}

int priority_rank(const char *priority)
{
    static const char *const high[] = {"high", "urgent", "highest", "critical"};

    for (size_t i = 0; priority && i < sizeof high / sizeof *high; i++)
        if (strcasecmp(priority, high[i]) == 0)
            return 0;
    return priority && strcasecmp(priority, "low") == 0 ? 2 : 1;
}

void priority_chip(struct str *out, const struct lang *lang, const char *priority)
{
    static const char *const class[] = {"chip high", "chip", "chip low"};
    static const char *const known[] = {"high", "normal", "low"};

    if (!priority || !*priority)
        return;
    for (size_t i = 0; i < 3; i++)
        if (strcasecmp(priority, known[i]) == 0) {
            AUTO_FREE char *key = xasprintf("page.priority.%s", known[i]);

            say(out, lang, "span", class[i], key);
            return;
        }
    html_element(out, "span", class[priority_rank(priority)], priority);
}

char *group_heading(const struct lang *lang, enum reason r)
{
    AUTO_FREE char *key = xasprintf("group.%s", reason_code(r));

    return xstrdup(lang_get(lang, key));
}

char *type_words(const char *type)
{
    struct str s = STR_INIT;

    for (const char *p = type; *p; p++) {
        bool upper = *p >= 'A' && *p <= 'Z';

        if (upper && p > type &&
            ((p[-1] >= 'a' && p[-1] <= 'z') || (p[1] >= 'a' && p[1] <= 'z' && p[-1] != '-')))
            str_addc(&s, ' ');
        str_addc(&s, *p);
    }
    return str_detach(&s);
}

bool items_same_help(const struct item *items, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(items[i].help, items[0].help) != 0)
            return false;
    return n > 1;
}

const char *item_name_at(const struct item *item)
{
    return *item->name ? strstr(item->sentence, item->name) : NULL;
}

static bool same_but_name(const struct item *x, const struct item *y)
{
    const char *a = item_name_at(x), *b = item_name_at(y);

    if (!a || !b)
        return !a && !b && strcmp(x->sentence, y->sentence) == 0;
    return a - x->sentence == b - y->sentence &&
           memcmp(x->sentence, y->sentence, (size_t)(a - x->sentence)) == 0 &&
           strcmp(a + strlen(x->name), b + strlen(y->name)) == 0;
}

bool items_same_sentence(const struct item *items, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!same_but_name(&items[0], &items[i]))
            return false;
    return n > 1;
}

static void item_link(struct str *out, const struct item *item)
{
    if (item->path && *item->path && !reason_is_not_to_open(item->reason))
        html_link(out, item->path, item->shown);
    else
        html_bdi(out, item->shown);
}

void item_sentence(struct str *out, const struct item *item)
{
    const char *at = item_name_at(item);

    if (!at) {
        item_link(out, item);
        if (*item->sentence)
            html_element(out, "p", "note", item->sentence);
        return;
    }
    AUTO_FREE char *before = xmemdup0(item->sentence, (size_t)(at - item->sentence));

    str_add(out, "<p class=\"plain\">");
    html_text(out, before);
    item_link(out, item);
    html_text(out, at + strlen(item->name));
    str_add(out, "</p>");
}

static void item_list(struct str *out, const struct item *items, size_t n, bool sentence, bool help)
{
    str_addf(out, "<ul class=\"items%s\">\n", sentence || help ? "" : " many");
    for (size_t i = 0; i < n; i++) {
        str_add(out, "<li>");
        if (sentence)
            item_sentence(out, &items[i]);
        else
            item_link(out, &items[i]);
        if (help && *items[i].help)
            html_element(out, "p", "help", items[i].help);
        str_add(out, "</li>\n");
    }
    str_add(out, "</ul>\n");
}

/* What is the same for the whole group, sentence or act, is said once; a sentence that differs in
 * the names only says no more than the heading does. */
static void one_group(struct str *out, const struct lang *lang, const struct item *items, size_t n)
{
    bool sentence = !items_same_sentence(items, n), help = !items_same_help(items, n);
    size_t open = n > GROUP_OPEN + 5 ? GROUP_OPEN : n;
    AUTO_FREE char *heading = group_heading(lang, items->reason);

    str_add(out, "<h3>");
    html_text(out, heading);
    str_addf(out, " <span class=\"count\">%zu</span></h3>\n", n);
    if (!sentence && *items->sentence && !item_name_at(items))
        html_element(out, "p", "note", items->sentence);
    if (!help && *items->help)
        html_element(out, "p", "help", items->help);
    item_list(out, items, open, sentence, help);
    if (open < n) {
        AUTO_FREE char *more = count_text(lang, "page.more", n - open);

        str_add(out, "<details>");
        html_element(out, "summary", NULL, more);
        item_list(out, items + open, n - open, sentence, help);
        str_add(out, "</details>\n");
    }
}

void attention_groups(struct str *out, const struct lang *lang, const struct item *items, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && items[end].reason == items[i].reason;)
            end++;
        one_group(out, lang, &items[i], end - i);
    }
}

void lately_begin(struct str *out, const struct lang *lang)
{
    str_add(out, "<section aria-labelledby=\"lately\">\n<h2 id=\"lately\">");
    html_text(out, lang_get(lang, "page.lately"));
    str_add(out, "</h2>\n");
}

void lately_more(struct str *out, const struct lang *lang, size_t n)
{
    AUTO_FREE char *more = count_text(lang, "page.more", n);

    str_add(out, "<details class=\"rest\">");
    html_element(out, "summary", NULL, more);
}

void lately_end(struct str *out, bool more)
{
    str_add(out, more ? "</details>\n</section>\n" : "</section>\n");
}

static void class_attr(struct str *out, const char *class)
{
    if (class)
        html_attr(out, "class", class);
}

void table_begin(struct str *out, const struct lang *lang, const char *caption,
                 const struct column *columns, size_t n)
{
    str_add(out, "<div class=\"wide\" tabindex=\"0\" role=\"region\"");
    html_attr(out, "aria-label", caption);
    str_add(out, ">\n<table>\n");
    html_element(out, "caption", NULL, caption);
    str_add(out, "\n<thead><tr>");
    for (size_t i = 0; i < n; i++) {
        const struct column *c = &columns[i];

        str_add(out, "<th scope=\"col\"");
        class_attr(out, c->class);
        if (c->sort == 'n')
            html_attr(out, "data-sort", "n");
        if (c->newest_first)
            html_attr(out, "data-first", "descending");
        if (c->sorted)
            html_attr(out, "aria-sort", c->newest_first ? "descending" : "ascending");
        str_addc(out, '>');
        html_text(out, lang_get(lang, c->key));
        str_add(out, "</th>");
    }
    str_add(out, "</tr></thead>\n<tbody>\n");
}

void table_end(struct str *out)
{
    str_add(out, "</tbody>\n</table>\n</div>\n");
}

void controls_begin(struct str *out, const struct lang *lang, const char *label_key)
{
    str_add(out, "<div class=\"controls\" role=\"search\"");
    html_attr(out, "aria-label", lang_get(lang, label_key));
    str_add(out, " hidden>\n<label>");
    html_text(out, lang_get(lang, "page.find"));
    str_add(out, "<input type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n");
}

void controls_end(struct str *out, const struct lang *lang, const char *count_key, size_t n)
{
    AUTO_FREE char *all = count_text(lang, count_key, n);

    str_add(out, "<button type=\"button\">");
    html_text(out, lang_get(lang, "page.show-all"));
    str_add(out, "</button>\n</div>\n<p class=\"shown\" role=\"status\"");
    html_attr(out, "data-all", all);
    html_attr(out, "data-some", lang_get(lang, "page.shown-some"));
    html_attr(out, "data-none", lang_get(lang, "page.shown-none"));
    html_attr(out, "data-more", lang_get(lang, "page.show-more"));
    str_addc(out, '>');
    html_text(out, all);
    str_add(out, "</p>\n");
}

void select_begin(struct str *out, const struct lang *lang, const char *name, const char *key)
{
    str_add(out, "<label>");
    html_text(out, lang_get(lang, key));
    str_addf(out, "<select name=\"%s\" autocomplete=\"off\">", name);
    select_option(out, "", lang_get(lang, "page.any"));
}

void select_option(struct str *out, const char *value, const char *text)
{
    str_add(out, "<option");
    html_attr(out, "value", value);
    str_addc(out, '>');
    html_text(out, text);
    str_add(out, "</option>");
}

void select_end(struct str *out)
{
    str_add(out, "</select></label>\n");
}

const char *size_text(uint64_t size, char buf[static 32])
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double n = (double)size;
    size_t i = 0;

    for (; n >= 999.5 && i < 4; i++)
        n /= 1024;
    snprintf(buf, 32, i > 0 && n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[i]);
    return buf;
}
