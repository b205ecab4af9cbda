/* What documents say of themselves, on the pages of their case. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "decide/content.h"
#include "publish/html.h"
#include "publish/page.h"

#define LONG_MAX_BYTES 240 /* of recipients and attachments: a mail to all has hundreds */

#define PRIVILEGED (CONTENT_IS_PRIVILEGED | CONTENT_IS_WORK_PRODUCT)

static bool is_empty(const char *s)
{
    return !s || !*s;
}

static bool says_about(const struct content_facts *f)
{
    return !is_empty(f->title) || !is_empty(f->subject) || !is_empty(f->sender) ||
           !is_empty(f->author) || !is_empty(f->recipients);
}

void facts_note(struct facts_shown *shown, const struct content_facts *f)
{
    shown->about |= says_about(f);
    shown->privilege |= (f->flags & PRIVILEGED) != 0;
}

int privilege_value(const struct entry *e)
{
    return e->said->flags & PRIVILEGED ? 1 : 0;
}

/* Appends the sentence under key, `with` before it when something stands there already. */
static void add_word(struct str *out, const struct lang *lang, const char *with, const char *key)
{
    if (out->len)
        str_add(out, with);
    str_add(out, lang_get(lang, key));
}

char *privilege_text(const struct lang *lang, unsigned flags)
{
    AUTO_STR struct str out = STR_INIT;

    if (flags & CONTENT_IS_PRIVILEGED)
        add_word(&out, lang, ", ", "page.csv.privileged");
    if (flags & CONTENT_IS_WORK_PRODUCT)
        add_word(&out, lang, ", ", "page.csv.work-product");
    return out.len ? str_detach(&out) : NULL;
}

void privilege_cell(struct str *out, const struct lang *lang, const struct entry *e)
{
    AUTO_FREE char *text = privilege_text(lang, e->said->flags);

    str_addf(out, "<td class=\"priv\" data-k=\"%d\">", 1 - privilege_value(e));
    if (text)
        html_element(out, "span", "chip high", text);
    str_add(out, "</td>");
}

/* A list that may be long, cut at its end. The caller frees it. */
static char *cut(const char *s)
{
    size_t n = strlen(s), most = utf8_cut(s, n, LONG_MAX_BYTES);

    return most == n ? xstrdup(s) : xasprintf("%.*s \xE2\x80\xA6", (int)most, s);
}

/* A note with a sentence of lang about what may be long; nothing for nothing. */
static void note(struct str *out, const struct lang *lang, const char *key, const char *name,
                 const char *value)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *some = NULL;

    if (is_empty(value))
        return;
    some = cut(value);
    text = lang_format(lang, key, name, some, NULL);
    html_element(out, "p", "note", text);
}

void about_cell(struct str *out, const struct lang *lang, const struct entry *e)
{
    const struct content_facts *f = e->said;
    const char *title = is_empty(f->subject) ? f->title : f->subject;
    const char *from = is_empty(f->sender) ? f->author : f->sender;

    str_add(out, "<td class=\"about\"");
    html_attr(out, "data-k", is_empty(title) ? "" : title);
    str_add(out, "><div class=\"title\">");
    if (!is_empty(title))
        html_bdi(out, title);
    str_add(out, "</div><div class=\"people\">");
    note(out, lang, is_empty(f->sender) ? "page.by" : "page.from", "name", from);
    note(out, lang, "page.to", "name", f->recipients);
    str_add(out, "</div></td>");
}

void facts_notes(struct str *out, const struct lang *lang, const struct entry *e)
{
    static const struct {
        unsigned flag;
        const char *key;
    } flags[] = {{CONTENT_IS_ENCRYPTED, "page.encrypted"},
                 {CONTENT_HAS_MACROS, "page.macros"},
                 {CONTENT_IS_SIGNED, "page.signed"}};
    const struct content_facts *f = e->said;
    AUTO_STR struct str text = STR_INIT;

    if (f->pages > 0) {
        AUTO_FREE char *pages = count_text(lang, "page.pages", f->pages);

        str_add(&text, pages);
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (f->flags & flags[i].flag)
            add_word(&text, lang, " \xC2\xB7 ", flags[i].key);
    if (text.len)
        html_element(out, "p", "note", str_c(&text));
    note(out, lang, "page.attached", "names", f->attachments);
    if (!is_empty(f->why))
        say(out, lang, "p", "note", f->why);
}

static void find_box(struct str *out, const struct lang *lang, const char *key, const char *in)
{
    str_add(out, "<label>");
    html_text(out, lang_get(lang, key));
    str_addf(out,
             "<input type=\"search\" autocomplete=\"off\" spellcheck=\"false\" data-in=\"%s\">"
             "</label>\n",
             in);
}

void about_controls(struct str *out, const struct lang *lang)
{
    find_box(out, lang, "page.title-or-subject", ".title");
    find_box(out, lang, "page.from-or-to", ".people");
}
