#include "decide/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

void content_set(char **to, const char *text)
{
    char *copy = xstrdup(text);

    free(*to);
    *to = copy;
}

static size_t list_len(char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

void content_add(char ***list, const char *text)
{
    size_t n = list_len(*list);

    *list = xreallocarray(*list, n + 2, sizeof **list);
    (*list)[n] = xstrdup(text);
    (*list)[n + 1] = NULL;
}

void content_add_line(struct content *c, const struct content_line *line)
{
    /* Doubles whenever the length is a power of two. */
    if ((c->lines_len & (c->lines_len - 1)) == 0)
        c->lines = xreallocarray(c->lines, c->lines_len ? c->lines_len * 2 : 1, sizeof *c->lines);
    c->lines[c->lines_len++] = *line;
}

static void list_clear(char **list)
{
    for (char **p = list; p && *p; p++)
        free(*p);
    free(list);
}

void content_clear(struct content *c)
{
    char *texts[] = {c->why, c->title, c->author, c->subject, c->sender, c->message_id};
    char **lists[] = {c->recipients, c->thread, c->attachments};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_clear(lists[i]);
    for (size_t i = 0; i < c->lines_len; i++)
        free(c->lines[i].text);
    free(c->lines);
    memset(c, 0, sizeof *c);
}

static char **list_copy(char *const *list)
{
    char **copy = NULL;

    for (; list && *list; list++)
        content_add(&copy, *list);
    return copy;
}

void content_copy(struct content *to, const struct content *from)
{
    *to = *from;
    to->why = xstrdup(from->why);
    to->title = xstrdup(from->title);
    to->author = xstrdup(from->author);
    to->subject = xstrdup(from->subject);
    to->sender = xstrdup(from->sender);
    to->message_id = xstrdup(from->message_id);
    to->recipients = list_copy(from->recipients);
    to->thread = list_copy(from->thread);
    to->attachments = list_copy(from->attachments);
    to->lines = NULL;
    to->lines_len = 0;
    for (size_t i = 0; i < from->lines_len; i++) {
        struct content_line line = from->lines[i];

        line.text = xstrdup(line.text);
        content_add_line(to, &line);
    }
}

char *content_text(const struct content *c)
{
    struct str out = STR_INIT;

    for (size_t i = 0; i < c->lines_len; i++) {
        str_add(&out, c->lines[i].text);
        str_addc(&out, '\n');
    }
    return str_detach(&out);
}
