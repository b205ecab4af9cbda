/* csv: RFC 4180, as Excel reads and writes it. */
#ifndef ORGANIZER_BASE_CSV_H
#define ORGANIZER_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

struct str;

/* Appends one field, with a comma before it unless it starts the line. Quoted where needed; a
 * value beginning with = + - @ tab or CR gets a leading apostrophe, so that no spreadsheet runs
 * it as a formula. Invalid UTF-8 and controls are shown as escapes (utf8_show). */
void csv_field(struct str *out, const char *value, bool first);
/* CR LF. */
void csv_end(struct str *out);

struct csv_row {
    char **fields; /* unescaped, an apostrophe that csv_field() added taken off again */
    size_t len;
    size_t line; /* of the file, from 1, where the row starts */
};

/* Reads rows from the n bytes at text one after another: *at starts at 0 and moves on. A UTF-8
 * BOM is skipped; sep is ',' or ';' or tab (see csv_separator). Returns 1 with a row, 0 at the
 * end, -1 for a quote that never closes. Free with csv_row_clear(). */
int csv_next(const char *text, size_t n, char sep, size_t *at, size_t *line, struct csv_row *row);
void csv_row_clear(struct csv_row *row);
/* Which separator the first line uses: Excel writes ';' where the comma is the decimal sign. */
char csv_separator(const char *text, size_t n);

#endif
