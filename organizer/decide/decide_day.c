/* The date of the name being made: where it may come from, and when it is a question. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "decide/decide_ctx.h"

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

enum row_answer making_date_from_name(struct making *m, bool *found)
{
    struct ctx *c = m->c;
    struct date_match d;

    *found = false;
    if (date_in_its_place(m, &d)) {
        making_cut(m->text, d.start, d.end);
    } else if (!c->policy->date_from_name) {
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
    *found = true;
    return ROW_PASSES;
}

enum row_answer making_date_from_facts(struct making *m)
{
    struct ctx *c = m->c;
    const struct facts *f = c->f;
    const struct policy *p = c->policy;
    const struct content *said = facts_content(f);
    const struct date none = DATE_NONE;
    const struct {
        struct date date;
        bool allowed, received;
        const char *source;
    } sources[] = {
        {said ? said->mail_date : none, p->date_from_document, false, "date of the mail"},
        {f->written_date, p->date_from_document, false, "written in the document"},
        {said ? said->taken_date : none, p->date_from_document, false, "when the picture was taken"},
        {f->arrived, p->date_from_file && f->new_arrival, true, "when the file arrived"},
    };

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        char buf[DATE_TEXT];
        struct date_match d = {DATE_FOUND, sources[i].date, DATE_NONE, 0, 0};

        if (!date_is_set(sources[i].date))
            continue;
        date_text(sources[i].date, buf);
        if (!sources[i].allowed) {
            ctx_say(c, "  date %s (%s): not to be used here", buf, sources[i].source);
            continue;
        }
        if (date_compare(d.date, p->today) > 0)
            d.verdict = DATE_FUTURE;
        else if (d.date.year < ANCIENT_YEAR)
            d.verdict = DATE_ANCIENT;
        d.end = strlen(buf);
        if (d.verdict != DATE_FOUND)
            return making_ask_date(c, buf, &d);
        m->received = sources[i].received;
        making_take_date(m, d.date, xstrdup(sources[i].source));
        return ROW_PASSES;
    }
    c->type = m->type;
    return ctx_conclude(c, ACTION_LIST, REASON_NO_DATE, NULL);
}
