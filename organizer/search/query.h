/*
 * query: what a person looks for, made into an expression that the full text search always
 * understands. Every word of it stands in quotes, so that nothing a person types is an operator
 * but what is meant as one:
 *
 *   smith motion            both words, in any form ("motions"), anywhere in the document
 *   "motion to dismiss"     the words in that order; an argument with spaces counts as one phrase
 *                           when it has none of these signs itself
 *   deposi*                 words that begin so
 *   fee OR fees, AND, NOT   in capitals; NOT smith and -smith leave documents out; ( ) group
 *   NEAR(lease rent, 5)     at most 5 words apart (10 when no number stands there);
 *                           lease NEAR rent, lease NEAR/5 rent
 *   name: title: subject: people: text:   before a word or phrase: only there
 *
 * What is left over (a quote or a parenthesis that does not end, an operator without its words, a
 * comma) is taken as well as it can be; it is never an error of SQL. An error is only a query
 * without a single word to look for, or one of more than QUERY_WORDS words.
 */
#ifndef ORGANIZER_SEARCH_QUERY_H
#define ORGANIZER_SEARCH_QUERY_H

#include <stdbool.h>

struct error;
struct str;

#define QUERY_WORDS 100

/* Appends the expression for the NULL-terminated args to out. 1, 0 when there is nothing in args
 * at all (no argument but white space), -1 with err, whose text is for the person. */
int query_parse(const char *const *args, struct str *out, struct error *err);
/* Whether the argument is a phrase only for its spaces: the shell took the quotes. */
bool query_is_phrase(const char *arg);

#endif
