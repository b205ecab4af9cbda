#include "text/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"

#define STYLES_MAX    65536
#define EPOCH_1900    25569 /* days before 1970; since there was no February 29, 1900, from March on */
#define EPOCH_1904    24107
#define DAYS_MAX      2958466 /* the year 10000 */
#define DAY_S         86400

/* Whether a code has days or years in it, beside text in quotes, colours and conditions. */
static bool is_of_dates(const char *code)
{
    for (const char *p = code; *p; p++) {
        if (*p == '"' || *p == '[') {
            const char *end = strchr(p + 1, *p == '"' ? '"' : ']');

            if (!end)
                return false;
            p = end;
        } else if ((*p == '\\' || *p == '_' || *p == '*') && p[1]) {
            p++;
        } else if (strchr("dDyY", *p)) {
            return true;
        }
    }
    return false;
}

void cells_format(struct cells *c, unsigned format, const char *code)
{
    if (!is_of_dates(code) || c->dates_len >= STYLES_MAX)
        return;
    GROW(c->dates, c->dates_len, c->dates_cap);
    c->dates[c->dates_len++] = (uint16_t)format;
}

/* Those that every workbook has, and the workbook's own. */
static bool is_date(const struct cells *c, unsigned format)
{
    if ((format >= 14 && format <= 17) || format == 22)
        return true;
    for (size_t i = 0; i < c->dates_len; i++)
        if (c->dates[i] == format)
            return true;
    return false;
}

void cells_style(struct cells *c, unsigned format)
{
    if (c->styles_len >= STYLES_MAX)
        return;
    GROW(c->styles, c->styles_len, c->styles_cap);
    c->styles[c->styles_len++] = is_date(c, format);
}

static bool add_date(const struct cells *c, double value, struct str *out)
{
    time_t at;
    struct tm tm;
    char text[32];

    if (!(value >= 1 && value < DAYS_MAX))
        return false;
    at = (time_t)llround((value - (c->since_1904 ? EPOCH_1904 : EPOCH_1900)) * DAY_S);
    if (!gmtime_r(&at, &tm) ||
        !strftime(text, sizeof text, at % DAY_S ? "%Y-%m-%d %H:%M" : "%Y-%m-%d", &tm))
        return false;
    str_add(out, text);
    return true;
}

void cells_number(const struct cells *c, size_t style, double value, struct str *out)
{
    bool dated = style < c->styles_len && c->styles[style];

    if (isfinite(value) && !(dated && add_date(c, value, out)))
        str_addf(out, "%.15g", value);
}

double cells_double(const uint8_t *p)
{
    double value;

    memcpy(&value, p, sizeof value); /* both have the lowest byte first */
    return value;
}

double cells_packed(uint32_t packed)
{
    uint64_t high = (uint64_t)(packed & ~3U) << 32;
    double value;

    if (packed & 2)
        value = (double)((int32_t)packed >> 2);
    else
        memcpy(&value, &high, sizeof value);
    return packed & 1 ? value / 100 : value;
}

void cells_clear(struct cells *c)
{
    free(c->dates);
    free(c->styles);
    *c = (struct cells){0};
}
