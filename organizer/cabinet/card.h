/*
 * card: Case.txt, a case's card, as people write it (design.md section 2).
 *
 * `Field: value` to the end of the line, literally; indented lines continue the value; field names
 * in any case; CRLF, a BOM, UTF-16 and Windows-1252 are read. Unknown fields are kept. A mistake is
 * told with its line and leaves that field as it was.
 */
#ifndef ORGANIZER_CABINET_CARD_H
#define ORGANIZER_CABINET_CARD_H

#include <stdbool.h>
#include <stddef.h>

#include "decide/date.h"
#include "decide/facts.h"
#include "decide/rules.h"

struct card_problem {
    unsigned line; /* from 1 */
    char *text;    /* what is wrong and what would be right */
};

/* Lists are NULL-terminated, owned; a value "a; b" or continued lines make several. */
struct card {
    char *id; /* "Case id", or NULL */
    char *client, *case_type;
    bool bad_case_type; /* there is one, and nobody knows it: among the problems */
    bool blank;         /* no field has a value, as in a file that was just made */
    bool closed;
    char *opened, *closed_on; /* ISO dates or "" */
    char *priority;           /* as written; "high", "normal", "low" are coloured */
    char *team;
    char **dockets, **parties, **emails, **leave_alone, **former, **key_documents;
    char *matter;
    bool naming_set;
    enum naming naming;
    char *hold;            /* reason, or NULL */
    bool rename_documents; /* "Rename documents: yes" */
    bool rename_answered;  /* "Rename documents:" is there, yes or no (leave) */
    char *close_anyway;    /* "reason, name", or NULL */
    struct card_other {
        char *field, *value;
    } * others;
    size_t others_len;
    struct card_problem *problems;
    size_t problems_len;
};

/* Parses n bytes; never fails as a whole: problems are inside. rules (may be NULL) knows the case
 * types, for "did you mean"; order: how 3/2/2026 is read. */
void card_parse(struct card *c, const void *bytes, size_t n, const struct rules *rules,
                const struct lang *lang, enum date_order order);
void card_clear(struct card *c);
/* The value of a field that cards need not have, by its name in lower case ("trust balance");
 * continued lines are joined by '\n'. NULL when it is not there. Borrowed. */
const char *card_other(const struct card *c, const char *name);
/* A mistake that others find (the file is too large, …): lang "card.<key>" with {field}, {value}
 * and {want}, each of which may be NULL; without lang the key and what is given. */
void card_add_problem(struct card *c, unsigned line, const struct lang *lang, const char *key,
                      const char *field, const char *value, const char *want);
/* The text of a new card. Caller frees. */
char *card_text(const char *id, const char *client, const char *case_type, const char *opened);

#endif
