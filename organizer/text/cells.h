/*
 * cells: numbers in the cells of workbooks, as people see them: a date is a number of days whose style
 * has a format of dates.
 *
 *   cells_format()  each format of the workbook's own, before the styles
 *   cells_style()   each style, in their order
 *   cells_number()  each cell
 *   cells_clear()
 */
#ifndef ORGANIZER_TEXT_CELLS_H
#define ORGANIZER_TEXT_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

/* All zero at first. */
struct cells {
    bool since_1904; /* days are counted from then */
    uint16_t *dates; /* formats of the workbook's own that are of dates */
    size_t dates_len, dates_cap;
    bool *styles; /* that are of dates */
    size_t styles_len, styles_cap;
};

/* A format by its number and code, such as "yyyy\-mm\-dd;@". */
void cells_format(struct cells *c, unsigned format, const char *code);
/* The next style has this format. */
void cells_style(struct cells *c, unsigned format);
/* Appends "1234.5", or "2026-03-02" where the style is of dates, with the time when there is one. */
void cells_number(const struct cells *c, size_t style, double value, struct str *out);
/* The number that Excel packs into four bytes ([MS-XLS] 2.5.217). */
double cells_packed(uint32_t packed);
/* The number of eight bytes. */
double cells_double(const uint8_t *p);
void cells_clear(struct cells *c);

#endif
