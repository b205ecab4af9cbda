/*
 * route: which cases a file name speaks of.
 *
 * An index over the roster by prefix, former prefix, docket number, matter number, client, party
 * and client's address, so that a name is looked up in time that does not grow with the number of
 * cases. Who keeps the roster makes it with router_new(), hangs it into the roster, and makes a new
 * one after a card or a case has changed; it borrows the roster's strings' owners (the case_facts).
 *
 *   prefixes   compared by utf8_fold(), whole words at both ends: "smith_divorce motion.pdf"
 *   numbers    by their runs of digits and letters, leading zeros aside: a docket 2:26-cv-00123 is
 *              found in "Order 2-26-cv-123", "26cv00123" (without the office number before ':')
 *   names      whole words, without regard to case, accents, spaces, hyphens, punctuation:
 *              "van der Berg" is found in "vanderBerg" and "Van-Der-Berg"
 */
#ifndef ORGANIZER_DECIDE_ROUTE_H
#define ORGANIZER_DECIDE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "decide/facts.h"

struct tokens;
struct str;
struct router;

enum route_kind {
    ROUTE_PREFIX,
    ROUTE_FORMER,
    ROUTE_DOCKET,
    ROUTE_MATTER,
    ROUTE_CLIENT,
    ROUTE_PARTY,
    ROUTE_EMAIL
};

/* One place in a name that speaks of a case. */
struct route_hit {
    const struct case_facts *matter;
    enum route_kind kind;
    size_t start, end; /* bytes of the name */
};

/* An index of the roster's cases. Free with router_free() (NULL is fine). */
struct router *router_new(const struct roster *roster);
void router_free(struct router *r);
/* All places in name (valid UTF-8, NFC, without extension) that speak of a case, at most max, in
 * order of their start; returns how many. */
size_t router_find(const struct router *r, const char *name, struct route_hit *out, size_t max);

/* The cases on whose cards the address ("Name <a@b>" or "a@b") is the client's; at most max, with
 * start and end in address. */
size_t router_find_email(const struct router *r, const char *address, struct route_hit *out,
                         size_t max);

/* The key under which names of people and firms are compared, appended to out: folded words without
 * anything between. */
void route_name_key(struct str *out, const char *name);
/* Words first to last of t (taken from text) begin and end where words of the text do, not at
 * a hump of camel case. */
bool route_whole_words(const char *text, const struct tokens *t, size_t first, size_t last);
/* The first place in text where one or more whole words make up key; false when there is none. */
bool route_find_key(const char *text, const struct tokens *t, const char *key, size_t *start,
                    size_t *end);

#endif
