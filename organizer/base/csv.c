#include "base/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"

static bool is_formula(char c)
{
    return c != '\0' && strchr("=+-@\t\r", c) != NULL;
}

/* Text for people with invalid bytes and controls shown, but backslashes and newlines kept. */
static void add_text(struct str *out, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "\\\n\"");

        utf8_show(out, s, n);
        s += n;
        if (*s == '"')
            str_add(out, "\"\"");
        else if (*s)
            str_addc(out, *s);
        if (*s)
            s++;
    }
}

void csv_field(struct str *out, const char *value, bool first)
{
    AUTO_STR struct str text = STR_INIT;

    if (!first)
        str_addc(out, ',');
    if (is_formula(*value))
        str_addc(&text, '\'');
    add_text(&text, value);
    if (strpbrk(str_c(&text), ",;\"\n\r\t '")) {
        str_addc(out, '"');
        str_add(out, str_c(&text));
        str_addc(out, '"');
    } else {
        str_add(out, str_c(&text));
    }
}

void csv_end(struct str *out)
{
    str_add(out, "\r\n");
}

static void add_field(struct csv_row *row, size_t *cap, struct str *field)
{
    char *s = str_detach(field);

    if (s[0] == '\'' && is_formula(s[1]))
        memmove(s, s + 1, strlen(s));
    GROW(row->fields, row->len, *cap);
    row->fields[row->len++] = s;
}

int csv_next(const char *text, size_t n, char sep, size_t *at, size_t *line, struct csv_row *row)
{
    AUTO_STR struct str field = STR_INIT;
    bool quoted = false, was_quoted = false;
    size_t cap = 0, i = *at;

    if (i == 0) {
        *line = 1;
        if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
            i = 3;
    }
    *row = (struct csv_row){.line = *line};
    if (i >= n)
        return 0;
    for (; i < n; i++) {
        char c = text[i];

        if (c == '\n')
            ++*line;
        if (quoted) {
            if (c == '"' && i + 1 < n && text[i + 1] == '"')
                str_addc(&field, text[++i]);
            else if (c == '"')
                quoted = false;
            else
                str_addc(&field, c);
        } else if (c == '"' && field.len == 0 && !was_quoted) {
            quoted = was_quoted = true;
        } else if (c == sep) {
            add_field(row, &cap, &field);
            was_quoted = false;
        } else if (c == '\n') {
            i++;
            break;
        } else if (c != '\r') {
            str_addc(&field, c);
        }
    }
    *at = i;
    if (quoted) {
        csv_row_clear(row);
        return -1;
    }
    add_field(row, &cap, &field);
    return 1;
}

void csv_row_clear(struct csv_row *row)
{
    for (size_t i = 0; i < row->len; i++)
        free(row->fields[i]);
    free(row->fields);
    *row = (struct csv_row){0};
}

char csv_separator(const char *text, size_t n)
{
    size_t commas = 0, semis = 0, tabs = 0;

    for (size_t i = 0; i < n && text[i] != '\n'; i++) {
        commas += text[i] == ',';
        semis += text[i] == ';';
        tabs += text[i] == '\t';
    }
    if (tabs > commas && tabs > semis)
        return '\t';
    return semis > commas ? ';' : ',';
}
