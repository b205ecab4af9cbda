#include "text/styles.h"

#include <string.h>

#define PARENTS 10 /* one above the other; a loop of them ends there */

void styles_begin(struct styles *s, const struct tag *t, const char *attribute)
{
    s->open = s->len < STYLES_MAX ? &s->list[s->len++] : NULL;
    if (s->open)
        tag_value(t, attribute, s->open->name);
}

const struct style *styles_find(const struct styles *s, const char *name)
{
    for (size_t i = 0; *name && i < s->len; i++)
        if (strcmp(s->list[i].name, name) == 0)
            return &s->list[i];
    return NULL;
}

void styles_inherit(const struct styles *s, struct style *style)
{
    const struct style *from = style;

    for (int i = 0; i < PARENTS && (from = styles_find(s, from->parent)); i++) {
        if (!style->look.size)
            style->look.size = from->look.size;
        if (!style->says_centred)
            style->look.centred = from->look.centred;
        if (!style->says_bold)
            style->look.bold = from->look.bold;
        style->look.heading |= from->look.heading;
        style->says_centred |= from->says_centred;
        style->says_bold |= from->says_bold;
    }
}
