/* The date of the name being made: where it may come from, and when it is a question. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "decide/decide_ctx.h"
#include "decide/written.h"

enum { MAX_SAME_DATES = 6 };

void making_set_field(struct field *f, const char *value, char *source)
{
    free(f->value);
    free(f->source);
    f->value = xstrdup(value);
    f->source = source;
}

void making_cut(char *text, size_t start, size_t end)
{
    if (end <= start)
        return;
    text[start] = ' ';
    memmove(text + start + 1, text + end, strlen(text + end) + 1);
}

static enum reason reason_of(enum date_verdict v)
{
    switch (v) {
    case DATE_AMBIGUOUS:
        return REASON_AMBIGUOUS_DATE;
    case DATE_IMPOSSIBLE:
        return REASON_IMPOSSIBLE_DATE;
    case DATE_FUTURE:
        return REASON_FUTURE_DATE;
    case DATE_ANCIENT:
        return REASON_ANCIENT_DATE;
    case DATE_SEVERAL:
        return REASON_TWO_DATES;
    case DATE_FOUND:
        return REASON_NONE;
    case DATE_ABSENT:
    default:
        return REASON_NO_DATE;
    }
}

enum row_answer making_ask_date(struct ctx *c, const char *text, const struct date_match *m)
{
    AUTO_FREE char *written = xmemdup0(text + m->start, m->end - m->start);
    char a[DATE_TEXT], b[DATE_TEXT];
    enum row_answer answer;

    c->why = written;
    c->date = m->verdict == DATE_IMPOSSIBLE ? written : date_text(m->date, a);
    c->other_date = date_text(m->other, b);
    if (m->verdict == DATE_AMBIGUOUS || m->verdict == DATE_SEVERAL) {
        ctx_candidate(c, c->date);
        ctx_candidate(c, c->other_date);
    }
    answer = ctx_conclude(c, ACTION_LIST, reason_of(m->verdict), NULL);
    c->why = c->date = c->other_date = NULL;
    return answer;
}

void making_take_date(struct making *m, struct date day, char *source)
{
    char buf[DATE_TEXT];

    m->c->d->day = day;
    making_set_field(&m->c->d->date, date_text(day, buf), source);
}

/* "…_2026-03-02" or "…_2026-03-02_02" at the end of a name that starts with the case's prefix: the
 * convention's own place for the date, whatever other dates the words hold. */
static bool date_in_its_place(const struct making *m, struct date_match *found)
{
    const struct ctx *c = m->c;
    char *last = strrchr(m->text, '_');
    size_t end = strlen(m->text), at;

    if (!c->target || ctx_prefix_length(c, c->target) == 0)
        return false;
    for (int tries = 0; tries < 2 && last; tries++) {
        AUTO_FREE char *field = NULL;

        at = (size_t)(last - m->text) + 1;
        field = xmemdup0(last + 1, end - at);
        *found = date_find(field, c->policy->date_order, c->policy->today, c->lang);
        if (found->verdict == DATE_FOUND && found->start == 0 && found->end == end - at) {
            found->start += at;
            found->end = strlen(m->text);
            return true;
        }
        end = at - 1;
        while (last > m->text && last[-1] != '_')
            last--;
        last = last > m->text ? last - 1 : NULL;
    }
    return false;
}

/* The same day once more: "2026-03-02 Letter 03-02-2026". */
static void cut_same_dates(struct making *m, struct date day)
{
    const struct policy *p = m->c->policy;

    for (int i = 0; i < MAX_SAME_DATES; i++) {
        struct date_match d = date_find(m->text, p->date_order, p->today, m->c->lang);
        bool same = date_compare(d.date, day) == 0 ||
                    (d.verdict == DATE_AMBIGUOUS && date_compare(d.other, day) == 0);

        if (d.verdict == DATE_ABSENT || !same)
            return;
        making_cut(m->text, d.start, d.end);
    }
}

/* Where the policy's order has the name; its length when it has none. */
static size_t name_at(const struct policy *p)
{
    size_t i = 0;

    while (i < p->date_from_len && p->date_from[i] != DATE_FROM_NAME)
        i++;
    return i;
}

enum row_answer making_date_from_name(struct making *m, bool *found)
{
    struct ctx *c = m->c;
    struct date_match d;

    *found = false;
    if (date_in_its_place(m, &d)) {
        making_cut(m->text, d.start, d.end);
    } else if (name_at(c->policy) == c->policy->date_from_len) {
        return ROW_PASSES;
    } else {
        d = date_find(m->text, c->policy->date_order, c->policy->today, c->lang);
        if (d.verdict == DATE_ABSENT)
            return ROW_PASSES;
        if (d.verdict != DATE_FOUND)
            return making_ask_date(c, m->text, &d);
        cut_same_dates(m, d.date);
    }
    making_take_date(m, d.date, xstrdup("name"));
    ctx_plain(c, &c->d->date, "plain.date.name", NULL);
    *found = true;
    return ROW_PASSES;
}

/* A date of one source. */
struct dating {
    struct date_match match;
    const char *text;   /* that match is of */
    const char *source; /* for people */
    bool received;      /* the file's own */
    const char *line;   /* in which it is written; NULL for none */
};

static struct dating of_date(struct date day, struct date today, const char *source, char *buf)
{
    struct dating d = {{DATE_ABSENT, day, DATE_NONE, 0, 0}, buf, source, false, NULL};

    if (!date_is_set(day))
        return d;
    d.match.end = strlen(date_text(day, buf));
    d.match.verdict = date_compare(day, today) > 0 ? DATE_FUTURE
                      : day.year < ANCIENT_YEAR    ? DATE_ANCIENT
                                                   : DATE_FOUND;
    return d;
}

static struct dating of_writing(const struct written_date *w, const char *source)
{
    struct dating d = {w->match, w->line, source, false, w->whole};

    if (!w->line)
        d.match.verdict = DATE_ABSENT;
    return d;
}

static struct dating dating_of(const struct making *m, enum date_source source,
                               const struct written *w, char *buf)
{
    const struct facts *f = m->c->f;
    const struct content *said = source == DATE_FROM_FILE ? NULL : facts_content(f);
    struct date today = m->c->policy->today;
    struct dating d = {{DATE_ABSENT, DATE_NONE, DATE_NONE, 0, 0}, "", "", false, NULL};

    switch (source) {
    case DATE_FROM_MAIL:
        return said ? of_date(said->mail_date, today, "date of the mail", buf) : d;
    case DATE_FROM_WRITTEN:
        return of_writing(&w->dated, "written in the document");
    case DATE_FROM_FILED:
        return of_writing(&w->filed, "stamped as filed");
    case DATE_FROM_TAKEN:
        return said ? of_date(said->taken_date, today, "when the picture was taken", buf) : d;
    case DATE_FROM_FILE:
        if (f->new_arrival)
            d = of_date(f->arrived, today, "when the file arrived", buf);
        d.received = true;
        return d;
    case DATE_FROM_NAME:
    case DATE_FROM_DOCUMENT:
    case DATE_SOURCES:
    default:
        return d;
    }
}

/* Document properties keep the day of an old document that was saved under a new name: they never
 * supply the date, and are told beside it. */
static void compare_properties(struct ctx *c, struct date day)
{
    const struct content *said = c->f->content;
    char buf[DATE_TEXT];

    if (said && date_is_set(said->property_date) && date_compare(said->property_date, day) != 0)
        ctx_say(c, "  its properties say %s, which does not count",
                date_text(said->property_date, buf));
}

/* The date of one source; *done when it settles the date. */
static enum row_answer try_source(struct making *m, enum date_source source,
                                  const struct written *w, bool *done)
{
    char buf[DATE_TEXT] = "";
    struct dating d = dating_of(m, source, w, buf);
    AUTO_FREE char *key = NULL;

    *done = d.match.verdict != DATE_ABSENT;
    if (!*done)
        return ROW_PASSES;
    if (d.match.verdict != DATE_FOUND)
        return making_ask_date(m->c, d.text, &d.match);
    m->received = d.received;
    making_take_date(m, d.match.date, xstrdup(d.source));
    key = xasprintf("plain.date.%s", date_source_name(source));
    ctx_plain(m->c, &m->c->d->date, key, d.line);
    compare_properties(m->c, d.match.date);
    return ROW_PASSES;
}

/* What of the document itself is not to be used, for explain. */
static void say_unused(struct making *m, const struct written *w)
{
    const struct policy *p = m->c->policy;
    char buf[DATE_TEXT] = "", day[DATE_TEXT];

    for (enum date_source s = DATE_FROM_MAIL; m->c->explain && s < DATE_SOURCES; s++) {
        struct dating d = dating_of(m, s, w, buf);
        bool used = false;

        for (size_t i = 0; i < p->date_from_len; i++)
            used |= p->date_from[i] == s ||
                    (p->date_from[i] == DATE_FROM_DOCUMENT && s != DATE_FROM_FILE);
        if (!used && d.match.verdict != DATE_ABSENT)
            ctx_say(m->c, "  date %s (%s): not to be used here", date_text(d.match.date, day),
                    d.source);
    }
}

/* The sources from `from` to `end` of the policy's order. */
static enum row_answer try_sources(struct making *m, size_t from, size_t end, bool *found)
{
    struct ctx *c = m->c;
    const struct policy *p = c->policy;
    struct written w;
    enum row_answer answer = ROW_PASSES;

    written_read(c->f->content, c->f->heading, p->date_order, p->today, c->lang, &w);
    *found = false;
    for (size_t i = from; i < end && !*found && answer == ROW_PASSES; i++) {
        enum date_source first = p->date_from[i], last = first;

        if (first == DATE_FROM_DOCUMENT) {
            first = DATE_FROM_MAIL;
            last = DATE_FROM_TAKEN;
        }
        for (enum date_source s = first; s <= last && !*found && answer == ROW_PASSES; s++)
            answer = try_source(m, s, &w, found);
    }
    if (!*found)
        say_unused(m, &w);
    written_clear(&w);
    return answer;
}

enum row_answer making_date_from_facts(struct making *m, bool dated)
{
    struct ctx *c = m->c;
    const struct policy *p = c->policy;
    size_t name = name_at(p);
    bool found = false;
    enum row_answer answer = try_sources(m, 0, name, &found);

    if (answer == ROW_DECIDES || found || dated)
        return answer;
    answer = try_sources(m, name, p->date_from_len, &found);
    if (answer == ROW_DECIDES || found)
        return answer;
    c->type = m->type;
    return ctx_conclude(c, ACTION_LIST, REASON_NO_DATE, NULL);
}
