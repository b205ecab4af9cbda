#include "verbs/said.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/content.h"
#include "decide/lang.h"
#include "record/content_row.h"

#define LINES_SHOWN 4

static const char *const statuses[] = {[CONTENT_NONE] = "none",
                                       [CONTENT_READ] = "read",
                                       [CONTENT_PART] = "part",
                                       [CONTENT_LOCKED] = "locked",
                                       [CONTENT_BROKEN] = "broken"};

static void line(struct str *out, const struct lang *lang, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    str_addf(out, "  %s: ", lang_get(lang, key));
    utf8_show(out, value, strlen(value));
    str_addc(out, '\n');
}

static void list(struct str *out, const struct lang *lang, const char *key, char *const *values)
{
    AUTO_STR struct str all = STR_INIT;

    for (; values && *values; values++)
        str_addf(&all, "%s%s", all.len ? "; " : "", *values);
    line(out, lang, key, str_c(&all));
}

static void flag_words(struct str *out, const struct lang *lang, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *key;
    } words[] = {
        {CONTENT_IS_PRIVILEGED, "said.privileged"}, {CONTENT_IS_WORK_PRODUCT, "said.work-product"},
        {CONTENT_IS_ENCRYPTED, "said.encrypted"},   {CONTENT_IS_SIGNED, "said.signed"},
        {CONTENT_HAS_MACROS, "said.macros"},        {CONTENT_IS_SCAN, "said.scan"},
        {CONTENT_TEXT_BY_HOOK, "said.by-hook"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (flags & words[i].flag)
            str_addf(out, "%s%s", out->len ? ", " : "", lang_get(lang, words[i].key));
}

/* "3 pages, signed, from a picture" */
static void about(struct str *out, const struct lang *lang, const struct content *c)
{
    AUTO_STR struct str all = STR_INIT;

    if (c->pages) {
        AUTO_FREE char *n = xasprintf("%u", c->pages);
        AUTO_FREE char *pages =
            lang_format(lang, c->pages == 1 ? "said.pages.one" : "said.pages.many", "n", n, NULL);

        str_add(&all, pages);
    }
    flag_words(&all, lang, c->flags);
    line(out, lang, "said.it-is", str_c(&all));
}

static void first_lines(struct str *out, const struct lang *lang, const struct content *c)
{
    AUTO_STR struct str all = STR_INIT;

    for (size_t i = 0; i < c->lines_len && i < LINES_SHOWN; i++) {
        size_t n = strlen(c->lines[i].text), cut = utf8_cut(c->lines[i].text, n, 80);

        str_addf(&all, "%s\"%.*s%s\"", all.len ? " / " : "", (int)cut, c->lines[i].text,
                 cut < n ? "\xE2\x80\xA6" : "");
    }
    line(out, lang, "said.begins", str_c(&all));
}

static void dates(struct str *out, const struct lang *lang, const struct content *c)
{
    char day[DATE_TEXT];

    line(out, lang, "said.sent", date_text(c->mail_date, day));
    line(out, lang, "said.taken", date_text(c->taken_date, day));
    line(out, lang, "said.made", date_text(c->property_date, day));
}

void said_text(struct str *out, const struct lang *lang, const struct content *c)
{
    first_lines(out, lang, c);
    about(out, lang, c);
    line(out, lang, "said.title", c->title);
    line(out, lang, "said.author", c->author);
    line(out, lang, "said.subject", c->subject);
    line(out, lang, "said.sender", c->sender);
    list(out, lang, "said.recipients", c->recipients);
    list(out, lang, "said.attachments", c->attachments);
    dates(out, lang, c);
    if (c->why)
        line(out, lang, "said.note", lang_get(lang, c->why));
}

void said_silent(struct str *out, const struct lang *lang, const char *kind)
{
    AUTO_FREE char *why = lang_format(lang, "content.silent", "kind", kind, NULL);

    line(out, lang, "said.note", why);
}

void said_json(struct str *out, const struct content *c)
{
    json_key(out, "content");
    str_addc(out, '{');
    json_text(out, "status", statuses[c->status]);
    content_facts_json(out, c);
    json_num(out, "text_bytes", (int64_t)c->text_len);
    if (c->memory) {
        json_num(out, "cpu_ms", (int64_t)c->cpu_ms);
        json_num(out, "memory_kib", (int64_t)(c->memory / 1024));
    }
    json_key(out, "lines");
    str_addc(out, '[');
    for (size_t i = 0; i < c->lines_len; i++) {
        json_comma(out);
        json_quote(out, c->lines[i].text);
    }
    str_add(out, "]}");
}
