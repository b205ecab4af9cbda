/* story: what was decided, as a person in the office would say it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/decide_ctx.h"

/* "MotionToDismiss" as "Motion to Dismiss", "NDA" as it is. */
static char *spoken(const struct ctx *c, const char *type)
{
    struct str out = STR_INIT;
    struct tokens t = TOKENS_INIT;

    tokens_read(&t, type, 16);
    for (size_t i = 0; i < t.len; i++) {
        size_t n = t.v[i].end - t.v[i].start;
        bool small = false;

        for (const char *const *a = lang_list(c->lang, "word.about"); i && *a; a++)
            small |= strcmp(*a, tokens_word(&t, i)) == 0;
        str_add(&out, i ? " " : "");
        if (small)
            str_add(&out, tokens_word(&t, i));
        else
            str_addn(&out, type + t.v[i].start, n);
    }
    tokens_clear(&t);
    return str_detach(&out);
}

/* "March 2, 2026" */
static char *spoken_day(const struct ctx *c, struct date day)
{
    const char *const *months = lang_list(c->lang, "month.long");
    size_t n = 0;

    while (months[n])
        n++;
    if (day.month == 0 || day.month > n)
        return xstrdup("");
    return xasprintf("%s %d, %d", months[day.month - 1], day.day, day.year);
}

static void add_sentence(struct str *out, char *sentence)
{
    if (*sentence)
        str_addf(out, "%s%s", out->len ? " " : "", sentence);
    free(sentence);
}

void ctx_plain(struct ctx *c, struct field *f, const char *key, const char *what)
{
    struct str shown = STR_INIT;

    if (!c->explain)
        return;
    if (what)
        utf8_show(&shown, what, strlen(what));
    free(f->plain);
    f->plain = lang_format(c->lang, key, "what", str_c(&shown), "kind",
                           kind_info(c->f->kind)->plain, NULL);
    str_clear(&shown);
}

/* "a Motion", "an Order", "an NDA", "Interrogatories": the language has a sentence for each. */
static const char *type_key(const char *type)
{
    size_t n = strlen(type);
    bool letters = n > 1 && type[1] >= 'A' && type[1] <= 'Z';

    if (n > 2 && type[n - 1] == 's' && type[n - 2] != 's' && strcmp(type, "Summons") != 0)
        return "story.type.many";
    return strchr(letters ? "AEFHILMNORSX" : "AEIO", type[0]) ? "story.type.vowel" : "story.type";
}

static bool has(const struct field *f)
{
    return f->value && *f->value && f->plain && *f->plain;
}

/* Why only its name could tell what it is. */
static void add_unread(const struct ctx *c, struct str *out)
{
    const struct content *said = c->f->content;

    if (!said || said->lines_len > 0)
        return;
    if (said->flags & CONTENT_IS_SCAN)
        add_sentence(out, xstrdup(lang_get(c->lang, "story.scan")));
    else if (said->why)
        add_sentence(
            out, lang_format(c->lang, "story.unread", "why", lang_get(c->lang, said->why), NULL));
}

/* What it is, why, of which day, in which case; then what happens to it. */
char *ctx_story(struct ctx *c)
{
    const struct decision *d = c->d;
    struct str out = STR_INIT;

    if (has(&d->type)) {
        AUTO_FREE char *type = spoken(c, d->type.value);

        add_sentence(
            &out, lang_format(c->lang, type_key(type), "type", type, "plain", d->type.plain, NULL));
    }
    if (has(&d->date)) {
        AUTO_FREE char *day = spoken_day(c, d->day);

        add_sentence(&out,
                     lang_format(c->lang, "story.date", "day", day, "plain", d->date.plain, NULL));
    }
    if (has(&d->matter))
        add_sentence(&out, lang_format(c->lang, "story.case", "case", d->matter.value, "plain",
                                       d->matter.plain, NULL));
    if (!has(&d->type) && d->action == ACTION_LIST)
        add_unread(c, &out);
    if (d->action == ACTION_FILE && d->name && *d->folder)
        add_sentence(&out, lang_format(c->lang, "story.filed", "folder", d->folder, "case",
                                       d->target->prefix, NULL));
    else if (d->sentence && *d->sentence)
        add_sentence(&out, xasprintf("%s.", d->sentence));
    if (d->help && *d->help)
        add_sentence(&out, xstrdup(d->help));
    return str_detach(&out);
}
