/*
 * request: what `organizer find` is asked, from its arguments. The same arguments go to the daemon
 * over the socket, and are read there by the same code.
 */
#ifndef ORGANIZER_SEARCH_REQUEST_H
#define ORGANIZER_SEARCH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct error;

#define FIND_LIMIT     20 /* documents told, when nothing is said */
#define FIND_LIMIT_MAX 1000

#define FIND_USAGE                                                                                 \
    "organizer find [--client NAME] [--case NAME] [--type TYPE] [--since DATE] [--until DATE] "    \
    "[--relevance key|supporting|background] [--mime TYPE] [--limit N] [--json] [--open] "         \
    "[--rebuild] WORDS…"

struct find_request {
    const char **words; /* NULL-terminated; the strings are those of the arguments */
    size_t words_len;
    const char *client, *in_case, *type, *mime; /* or NULL; borrowed */
    char since[11], until[11]; /* "2026-03-02"; "" for none. A year or a month is all of it */
    int relevance;             /* enum relevance, or -1 */
    size_t limit;              /* documents told */
    const char *cabinet;       /* -C; or NULL */
    bool json, open, rebuild, help;
};

/* Reads the NULL-terminated args, which must outlive r. "--" ends the options; "-word" is a word
 * of the query (query.h). 0, or -1 with err, whose text tells what would do. Clear r either way. */
int find_request_parse(struct find_request *r, const char *const *args, struct error *err);
void find_request_clear(struct find_request *r);
/* Whether anything narrows it but its words. */
bool find_request_filters(const struct find_request *r);

#endif
