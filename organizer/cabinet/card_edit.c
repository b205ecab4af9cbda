#include "cabinet/card_edit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"

#define FIELD_MAX 64 /* bytes of a field's name that are compared */

/* A text as code units: bytes, or pairs of them. */
struct units {
    const unsigned char *p;
    size_t n;       /* units */
    unsigned width; /* bytes of a unit: 1 or 2 */
    bool big;       /* the high byte comes first */
    size_t skip;    /* bytes of the BOM, before p */
};

/* In units. */
struct line {
    size_t start, end, next; /* end: where its text ends; next: where the next line starts */
};

/* Where a field stands. */
struct found {
    bool any;
    struct line line;  /* of its name */
    size_t colon;      /* the unit behind it */
    size_t next;       /* where the line behind all of its value starts */
};

static struct units units_of(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    bool little = n >= 2 && p[0] == 0xFF && p[1] == 0xFE;
    bool big = n >= 2 && p[0] == 0xFE && p[1] == 0xFF;
    size_t skip = little || big ? 2 : n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    unsigned width = little || big ? 2 : 1;

    return (struct units){p + skip, (n - skip) / width, width, big, skip};
}

static unsigned unit(const struct units *u, size_t i)
{
    const unsigned char *p = u->p + i * u->width;

    if (u->width == 1)
        return *p;
    return u->big ? (unsigned)(p[0] << 8 | p[1]) : (unsigned)(p[1] << 8 | p[0]);
}

static struct line line_at(const struct units *u, size_t start)
{
    struct line l = {start, start, start};

    while (l.end < u->n && unit(u, l.end) != '\n' && unit(u, l.end) != '\r')
        l.end++;
    l.next = l.end;
    if (l.next < u->n && unit(u, l.next++) == '\r' && l.next < u->n && unit(u, l.next) == '\n')
        l.next++;
    return l;
}

static bool is_blank(unsigned c)
{
    return c == ' ' || c == '\t';
}

static bool is_empty(const struct units *u, const struct line *l)
{
    for (size_t i = l->start; i < l->end; i++)
        if (!is_blank(unit(u, i)))
            return false;
    return true;
}

/* The line continues the value before it. */
static bool continues(const struct units *u, const struct line *l)
{
    return l->end > l->start && is_blank(unit(u, l->start)) && !is_empty(u, l);
}

/* The field that the line names, as names are compared ("case type"), into name. Returns the unit
 * behind its colon, 0 when it names none. */
static size_t read_name(const struct units *u, const struct line *l, char name[static FIELD_MAX])
{
    size_t len = 0;
    bool gap = false;

    for (size_t i = l->start; i < l->end; i++) {
        unsigned c = unit(u, i);

        if (c == ':') {
            name[len] = '\0';
            return len ? i + 1 : 0;
        }
        if (c < 0x80 && strchr(" \t_-.#", (int)c)) {
            gap = true;
            continue;
        }
        if (len + 2 >= FIELD_MAX)
            return 0;
        if (gap && len)
            name[len++] = ' ';
        gap = false;
        name[len++] = (char)(c < 0x80 ? c : '?');
    }
    return 0;
}

static struct found find(const struct units *u, const char *field)
{
    struct found f = {.any = false};
    char name[FIELD_MAX];

    for (size_t at = 0; at < u->n && !f.any;) {
        f.line = line_at(u, at);
        at = f.line.next;
        f.colon = continues(u, &f.line) ? 0 : read_name(u, &f.line, name);
        f.any = f.colon && strcasecmp(name, field) == 0;
    }
    f.next = f.line.next;
    while (f.any && f.next < u->n) {
        struct line l = line_at(u, f.next);

        if (!continues(u, &l))
            break;
        f.next = l.next;
    }
    return f;
}

static void put_ascii(struct str *out, const struct units *u, const char *s)
{
    for (; *s; s++) {
        if (u->width == 2 && u->big)
            str_addc(out, '\0');
        str_addc(out, *s);
        if (u->width == 2 && !u->big)
            str_addc(out, '\0');
    }
}

static void put_units(struct str *out, const struct units *u, size_t from, size_t to)
{
    str_addn(out, u->p + from * u->width, (to - from) * u->width);
}

/* How lines end in this file: as its first one does; as Notepad ends them when there is none. */
static const char *line_end(const struct units *u)
{
    struct line l = line_at(u, 0);

    if (l.next == l.end)
        return "\r\n";
    if (l.next - l.end == 2)
        return "\r\n";
    return unit(u, l.end) == '\r' ? "\r" : "\n";
}

/* A new line for the field at unit `at`, which is where a line starts, or the end. */
static void add(struct str *out, const struct units *u, size_t at, const struct card_change *c)
{
    bool open = at > 0 && unit(u, at - 1) != '\n' && unit(u, at - 1) != '\r';

    put_units(out, u, 0, at);
    if (open)
        put_ascii(out, u, line_end(u));
    put_ascii(out, u, c->field);
    put_ascii(out, u, *c->value ? ": " : ":");
    put_ascii(out, u, c->value);
    put_ascii(out, u, line_end(u));
    put_units(out, u, at, u->n);
}

/* Another value; the blanks before it stay. */
static void replace(struct str *out, const struct units *u, const struct found *f,
                    const struct card_change *c)
{
    size_t value = f->colon;

    while (value < f->line.end && is_blank(unit(u, value)))
        value++;
    put_units(out, u, 0, value);
    if (value == f->colon && *c->value)
        put_ascii(out, u, " ");
    put_ascii(out, u, c->value);
    put_units(out, u, f->line.end, f->line.next);
    put_units(out, u, f->next, u->n);
}

static void change(struct str *out, const void *bytes, size_t n, const struct card_change *c)
{
    struct units u = units_of(bytes, n);
    struct found f = find(&u, c->field);

    str_addn(out, bytes, u.skip);
    if (f.any) {
        replace(out, &u, &f, c);
    } else if (c->only_there) {
        put_units(out, &u, 0, u.n);
    } else {
        struct found behind = c->after ? find(&u, c->after) : (struct found){.any = false};

        add(out, &u, behind.any ? behind.next : u.n, c);
    }
    /* Half a unit at the end is the person's, too. */
    str_addn(out, (const char *)bytes + u.skip + u.n * u.width, n - u.skip - u.n * u.width);
}

bool card_edit(const void *bytes, size_t n, const struct card_change *changes, size_t len,
               struct str *out)
{
    str_addn(out, bytes, n);
    for (size_t i = 0; i < len; i++) {
        AUTO_FREE char *before = xmemdup0(str_c(out), out->len);
        size_t had = out->len;

        str_reset(out);
        change(out, before, had, &changes[i]);
    }
    return out->len != n || memcmp(str_c(out), bytes, n) != 0;
}
