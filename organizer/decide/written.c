#include "decide/written.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/content.h"
#include "decide/heading.h"
#include "decide/heading_line.h"
#include "decide/lang.h"

enum {
    LETTER_LINES = 25, /* from the top among which a letter's date stands */
    LABEL_REACH = 60,  /* bytes behind a label in which its date starts */
    STAMP_REACH = 40,
    HEARING_LINES = 2, /* below the day of a hearing its time and place stand */
    LONG_LINE = 300,   /* no line of a page is longer: what is, is a paragraph without breaks */
};

/* What is looked for. */
struct search {
    const struct content *content;
    enum date_order order;
    struct date today;
    const struct lang *lang;
    const char *const *dated, *const *within, *const *day_of, *const *filed, *const *hearing;
    struct page_words words;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool same_letter(char a, char b)
{
    return a == b || (a >= 'A' && a <= 'Z' && a + 32 == b);
}

/* The byte behind label where it starts text, its words parted by anything but letters and digits;
 * 0 when it does not. */
static size_t behind_label(const char *text, const char *label)
{
    const char *p = text;

    for (; *label; label++) {
        if (*label == ' ') {
            size_t n = strspn(p, " .-#");

            if (n == 0)
                return 0;
            p += n;
        } else if (!same_letter(*p++, *label)) {
            return 0;
        }
    }
    return is_letter(*p) ? 0 : (size_t)(p - text);
}

static size_t starts_with_label(const char *text, const char *const *list)
{
    for (; *list; list++) {
        size_t n = behind_label(text, *list);
        const char *next = text + n + strspn(text + n, " ");

        /* "Date of birth" is another label. */
        if (n && !(*next >= 'a' && *next <= 'z'))
            return n;
    }
    return 0;
}

/* "2nd day of March" as "2nd March". The caller frees it. */
static char *without_day_of(const struct search *s, const char *text)
{
    struct str out = STR_INIT;

    for (const char *p = text; *p;) {
        size_t n = p > text && p[-1] == ' ' ? starts_with_label(p, s->day_of) : 0;

        if (n) {
            p += n + strspn(p + n, " ");
        } else {
            str_addc(&out, *p++);
        }
    }
    return str_detach(&out);
}

/* The date that starts within reach bytes of text; a later one in the line is another matter. */
static bool date_near(const struct search *s, const char *text, size_t reach, enum date_order order,
                      struct written_date *out)
{
    AUTO_FREE char *mended = page_mend(text);
    AUTO_FREE char *line = NULL;
    struct date_match m;

    page_mend_numbers(mended);
    line = without_day_of(s, mended);
    line[utf8_cut(line, strlen(line), reach)] = '\0';
    m = date_find(line, order, s->today, s->lang);
    if (m.verdict == DATE_SEVERAL && date_is_set(m.date)) {
        /* The first one counts. */
        line[m.end] = '\0';
        m = date_find(line, order, s->today, s->lang);
    }
    if (m.verdict == DATE_ABSENT)
        return false;
    free(out->line);
    out->line = line;
    out->whole = text;
    out->match = m;
    line = NULL;
    return true;
}

/* --- the document's own hand --- */

/* "…this 2nd day of March, 2026": the byte behind "this"; 0 for none. */
static size_t this_day_of(const struct search *s, const char *text)
{
    for (const char *p = text; (p = strpbrk(p, "tT")); p++) {
        const char *day;

        if (!behind_label(p, "this") || (p > text && is_letter(p[-1])))
            continue;
        day = p + 4;
        while (*day && !starts_with_label(day, s->day_of))
            day++;
        if (*day && day - p < 16)
            return (size_t)(p - text) + 4;
    }
    return 0;
}

static bool is_date_alone(const struct search *s, const struct content_line *line)
{
    struct page_line l;
    bool alone;

    page_line_read(&l, line, line->text, &s->words);
    alone = l.kind == LINE_DATE;
    page_line_clear(&l);
    return alone;
}

/* "Dated: New York, New York", and the day on the next line. */
static bool date_below(const struct search *s, size_t i, struct written_date *out)
{
    const struct content *c = s->content;

    return i + 1 < c->lines_len && c->lines[i + 1].page == c->lines[i].page &&
           is_date_alone(s, &c->lines[i + 1]) &&
           date_near(s, c->lines[i + 1].text, LABEL_REACH, s->order, out);
}

static bool date_below_or_behind(const struct search *s, size_t i, size_t at,
                                 struct written_date *out)
{
    const char *text = s->content->lines[i].text;

    if (!date_near(s, text + at, LABEL_REACH, s->order, out))
        return date_below(s, i, out);
    out->whole = text;
    return true;
}

/* "Date: May 4, 2026", "Time: 9:00 a.m.", "Dept.: 12": when it will be heard. */
static bool is_of_hearing(const struct search *s, size_t i)
{
    const struct content *c = s->content;

    for (size_t k = i + 1; k < c->lines_len && k <= i + HEARING_LINES; k++)
        if (c->lines[k].page == c->lines[i].page && starts_with_label(c->lines[k].text, s->hearing))
            return true;
    return false;
}

/* "Respectfully submitted, Dated: March 2, 2026": the byte behind such a label, 0 for none. What is said to
 * be dated in passing has no colon. */
static size_t label_within(const struct search *s, const char *text)
{
    for (const char *p = text; *p; p++) {
        size_t n = p > text && (p[-1] == ' ' || p[-1] == '\t') ? starts_with_label(p, s->within) : 0;

        if (n && p[n + strspn(p + n, " ")] == ':')
            return (size_t)(p - text) + n;
    }
    return 0;
}

static void find_dated(const struct search *s, struct written_date *out)
{
    for (size_t i = 0; i < s->content->lines_len; i++) {
        const char *text = s->content->lines[i].text;
        size_t at = starts_with_label(text, s->dated);

        if (strlen(text) > LONG_LINE || (at && is_of_hearing(s, i)))
            continue;
        if (at && date_below_or_behind(s, i, at, out))
            return;
        at = at ? 0 : this_day_of(s, text);
        if (!at)
            at = label_within(s, text);
        if (at && date_near(s, text + at, LABEL_REACH, s->order, out)) {
            out->whole = text;
            return;
        }
    }
}

/* A letter bears its date above "Dear", on a line of its own. */
static void find_letter_date(const struct search *s, struct written_date *out)
{
    for (size_t i = 0; i < s->content->lines_len && i < LETTER_LINES; i++) {
        const struct content_line *line = &s->content->lines[i];

        if (starts_with_label(line->text, s->words.dear))
            return;
        if (is_date_alone(s, line) && date_near(s, line->text, LABEL_REACH, s->order, out))
            return;
    }
}

/* --- the court's stamp --- */

static void find_filed(const struct search *s, struct written_date *out)
{
    unsigned first = s->content->lines_len ? s->content->lines[0].page : 0;
    enum date_order order = s->order == DATE_ORDER_ASK ? DATE_ORDER_MDY : s->order;

    for (size_t i = 0; i < s->content->lines_len && s->content->lines[i].page == first; i++) {
        const char *text = s->content->lines[i].text;
        struct page_line l;
        bool stamp;

        page_line_read(&l, &s->content->lines[i], text, &s->words);
        stamp = l.kind == LINE_STAMP;
        page_line_clear(&l);
        for (const char *p = text; stamp && *p; p++) {
            size_t at = p == text || !is_letter(p[-1]) ? starts_with_label(p, s->filed) : 0;

            if (at && (date_near(s, p + at, STAMP_REACH, order, out) ||
                       (!p[at + strspn(p + at, " .:")] && date_below(s, i, out))))
                return;
        }
    }
}

void written_read(const struct content *content, const struct heading *heading,
                  enum date_order order, struct date today, const struct lang *lang,
                  struct written *w)
{
    struct search s = {.content = content, .order = order, .today = today, .lang = lang};

    *w = (struct written){.dated = {.line = NULL}};
    if (!content || !heading)
        return;
    s.dated = lang_list(lang, "paper.dated");
    s.within = lang_list(lang, "paper.dated-within");
    s.day_of = lang_list(lang, "paper.day-of");
    s.filed = lang_list(lang, "paper.filed");
    s.hearing = lang_list(lang, "paper.hearing");
    s.words = page_words_of(lang);
    if (heading->form == FORM_LETTER)
        find_letter_date(&s, &w->dated);
    if (!w->dated.line && !content->sender && !content->subject)
        find_dated(&s, &w->dated);
    find_filed(&s, &w->filed);
}

void written_clear(struct written *w)
{
    free(w->dated.line);
    free(w->filed.line);
    *w = (struct written){.dated = {.line = NULL}};
}
