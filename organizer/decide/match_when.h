/*
 * match_when: the conditions of a rule, `when:`, with three answers.
 *
 *   when: { mime: image/jpeg, name: '^IMG_\d{4}' }       every line has to hold
 *   when: { any: [ {extension: [dat, opt]}, {not: {size: "> 1MB"}} ] }
 *
 * Conditions are a const table in match_when.c: name, parse, answer, describe.
 */
#ifndef ORGANIZER_DECIDE_MATCH_WHEN_H
#define ORGANIZER_DECIDE_MATCH_WHEN_H

#include <stdbool.h>

#include "decide/facts.h"
#include "decide/yaml.h"

struct str;
struct condition;

enum answer {
    ANSWER_NO,
    ANSWER_YES,
    ANSWER_CANNOT_TELL, /* the reader failed, or a pattern ran away: asked again later */
};

/* Reads the mapping at node; what is wrong goes into the file's problems. Never NULL: what could
 * not be read answers no. */
struct condition *condition_parse(struct rulefile *f, yaml_node_t *node);
void condition_free(struct condition *c);
/* *by (may be NULL) gets the name of the condition that settled it: "mime". */
enum answer condition_answer(const struct condition *c, const struct facts *f, const char **by);
/* The condition as one line, for `explain` and `rules list`. */
void condition_describe(const struct condition *c, struct str *out);
/* Holds whatever the document is: what stands behind such a rule is never tried. */
bool condition_is_always(const struct condition *c);

#endif
