#include "search/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "decide/content.h"

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* A capital begins a word: after a small letter, or before one ("QDRODraft", "aTrial"). */
static bool begins_word(const char *s, size_t i)
{
    return i > 0 && is_upper(s[i]) &&
           (is_lower(s[i - 1]) || (is_upper(s[i - 1]) && is_lower(s[i + 1])));
}

/* Appends s with its words parted; nothing when none was joined. */
static void add_parted(struct str *out, const char *s)
{
    size_t before = out->len, parts = 0;

    str_addc(out, ' ');
    for (size_t i = 0; s[i]; i++) {
        if (begins_word(s, i)) {
            str_addc(out, ' ');
            parts++;
        }
        str_addc(out, s[i]);
    }
    if (parts == 0)
        str_cut(out, before);
}

char *entry_name(const struct doc *d)
{
    const char *slash = d->path ? strrchr(d->path, '/') : NULL;
    const char *name = slash ? slash + 1 : d->path ? d->path : "";
    const char *type = d->type ? d->type : "";
    AUTO_STR struct str out = STR_INIT;

    str_add(&out, name);
    add_parted(&out, name);
    if (*type && !strstr(name, type)) {
        str_addf(&out, " %s", type);
        add_parted(&out, type);
    }
    if (d->original && *d->original && strcmp(d->original, name) != 0)
        str_addf(&out, " %s", d->original);
    return str_detach(&out);
}

static char *copy(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

static void add_line(struct str *out, const char *s)
{
    if (!s || !*s)
        return;
    if (out->len)
        str_addc(out, '\n');
    str_add(out, s);
}

void entry_take(struct catalogue_entry *e, const struct content *content)
{
    AUTO_STR struct str people = STR_INIT;

    if (!content)
        return;
    e->title = copy(content->title);
    e->subject = copy(content->subject);
    e->sender = copy(content->sender);
    add_line(&people, content->sender);
    add_line(&people, content->author);
    for (size_t i = 0; content->recipients && content->recipients[i]; i++)
        add_line(&people, content->recipients[i]);
    e->people = people.len ? str_detach(&people) : NULL;
}
