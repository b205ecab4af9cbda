#include "search/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "decide/date.h"
#include "decide/rules.h"

enum option {
    OPTION_CLIENT,
    OPTION_CASE,
    OPTION_TYPE,
    OPTION_MIME,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_RELEVANCE,
    OPTION_LIMIT,
    OPTION_CABINET,
    OPTION_JSON,
    OPTION_OPEN,
    OPTION_REBUILD,
    OPTION_HELP,
};

static const struct {
    const char *name, *brief;
    enum option option;
    bool valued;
} options[] = {
    {"--client", NULL, OPTION_CLIENT, true},       {"--case", NULL, OPTION_CASE, true},
    {"--type", NULL, OPTION_TYPE, true},           {"--mime", NULL, OPTION_MIME, true},
    {"--since", NULL, OPTION_SINCE, true},         {"--until", NULL, OPTION_UNTIL, true},
    {"--relevance", NULL, OPTION_RELEVANCE, true}, {"--limit", NULL, OPTION_LIMIT, true},
    {"--cabinet", "-C", OPTION_CABINET, true},     {"--json", NULL, OPTION_JSON, false},
    {"--open", NULL, OPTION_OPEN, false},          {"--rebuild", NULL, OPTION_REBUILD, false},
    {"--help", "-h", OPTION_HELP, false},
};

/* "2026", "2026-03", "2026-03-02": its first or its last day. */
static struct date day_of(const char *text, bool last)
{
    char day[32];
    size_t n = strlen(text);
    int most = last ? 31 : 1;

    if (n == 10)
        return date_parse_iso(text);
    if (n != 4 && n != 7)
        return DATE_NONE;
    /* Not every month has a 31st. */
    for (int d = most; d >= (last ? 28 : 1); d--) {
        struct date found;

        snprintf(day, sizeof day, "%.7s%s-%02d", text, n == 7 ? "" : last ? "-12" : "-01", d);
        found = date_parse_iso(day);
        if (date_is_set(found))
            return found;
    }
    return DATE_NONE;
}

static int read_day(char out[static 11], const char *text, bool last, struct error *err)
{
    struct date d = day_of(text, last);

    if (date_is_set(d)) {
        date_text(d, out);
        return 0;
    }
    return error_set(err, 0, "\"%s\" is no date: write 2026, 2026-03 or 2026-03-02", text);
}

static int read_relevance(struct find_request *r, const char *text, struct error *err)
{
    static const char *const names[] = {[RELEVANCE_KEY] = "key",
                                        [RELEVANCE_SUPPORTING] = "supporting",
                                        [RELEVANCE_BACKGROUND] = "background"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            r->relevance = (int)i;
            return 0;
        }
    }
    return error_set(err, 0, "\"%s\" is no relevance: write key, supporting or background", text);
}

static int read_limit(struct find_request *r, const char *text, struct error *err)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < 1 || n > FIND_LIMIT_MAX)
        return error_set(err, 0, "--limit takes a number from 1 to %d", FIND_LIMIT_MAX);
    r->limit = (size_t)n;
    return 0;
}

static int take_option(struct find_request *r, enum option option, const char *value,
                       struct error *err)
{
    switch (option) {
    case OPTION_CLIENT:
        r->client = value;
        return 0;
    case OPTION_CASE:
        r->in_case = value;
        return 0;
    case OPTION_TYPE:
        r->type = value;
        return 0;
    case OPTION_MIME:
        r->mime = value;
        return 0;
    case OPTION_SINCE:
        return read_day(r->since, value, false, err);
    case OPTION_UNTIL:
        return read_day(r->until, value, true, err);
    case OPTION_RELEVANCE:
        return read_relevance(r, value, err);
    case OPTION_LIMIT:
        return read_limit(r, value, err);
    case OPTION_CABINET:
        r->cabinet = value;
        return 0;
    case OPTION_JSON:
        r->json = true;
        return 0;
    case OPTION_OPEN:
        r->open = true;
        return 0;
    case OPTION_REBUILD:
        r->rebuild = true;
        return 0;
    default:
        r->help = true;
        return 0;
    }
}

/* The option at *args, with its value; *args is moved to its last argument. */
static int read_option(struct find_request *r, const char *const **args, struct error *err)
{
    const char *arg = **args, *equals = strchr(arg, '=');
    size_t n = equals && arg[1] == '-' ? (size_t)(equals - arg) : strlen(arg);

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *value = equals ? equals + 1 : NULL;
        bool named = strlen(options[i].name) == n && strncmp(arg, options[i].name, n) == 0;

        if (!named && !(options[i].brief && strcmp(arg, options[i].brief) == 0))
            continue;
        if (!options[i].valued && value)
            return error_set(err, 0, "%s takes no value", options[i].name);
        if (options[i].valued && !value)
            value = *++*args;
        if (options[i].valued && (!value || !*value))
            return error_set(err, 0, "%s needs a value", options[i].name);
        return take_option(r, options[i].option, value ? value : "", err);
    }
    return error_set(err, 0, "there is no option %.60s; words that begin with -- stand behind --",
                     arg);
}

/* "-smith" leaves out; "--limit" and the short options are options. */
static bool is_option(const char *arg)
{
    return strncmp(arg, "--", 2) == 0 || strcmp(arg, "-C") == 0 || strcmp(arg, "-h") == 0;
}

int find_request_parse(struct find_request *r, const char *const *args, struct error *err)
{
    size_t n = 0;
    bool words_only = false;

    *r = (struct find_request){.relevance = -1, .limit = FIND_LIMIT};
    while (args && args[n])
        n++;
    r->words = xcalloc(n + 1, sizeof *r->words);
    for (; args && *args; args++) {
        if (!words_only && strcmp(*args, "--") == 0)
            words_only = true;
        else if (words_only || !is_option(*args))
            r->words[r->words_len++] = *args;
        else if (read_option(r, &args, err) < 0)
            return -1;
    }
    return 0;
}

void find_request_clear(struct find_request *r)
{
    free(r->words);
    r->words = NULL;
}

bool find_request_filters(const struct find_request *r)
{
    return r->client || r->in_case || r->type || r->mime || *r->since || *r->until ||
           r->relevance >= 0;
}
