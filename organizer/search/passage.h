/*
 * passage: the place of a document's text where a query's words are: about two dozen words around the
 * place where most different words of the query stand close together, the earliest of such places.
 */
#ifndef ORGANIZER_SEARCH_PASSAGE_H
#define ORGANIZER_SEARCH_PASSAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct str;

/* Marks around hits: control characters, which texts do not have. */
#define HIT_BEGIN '\x02'
#define HIT_END   '\x03'

#define PASSAGE_WORDS 24 /* shown */

/* Word numbers of a column, from 0. */
struct passage {
    int first; /* that is shown; -1: the column has no hit */
    int len;
    struct {
        int at, words; /* a hit, and how many words it is of */
    } hits[PASSAGE_WORDS]; /* those that are shown, each at another word */
};

/* Where it is in that column of the row that FTS5 is at. */
void passage_find(struct passage *p, const Fts5ExtensionApi *api, Fts5Context *fts, int column);
/* Appends it to out: each hit between HIT_BEGIN and HIT_END, white space folded, "…" where the text
 * goes on. The n bytes at text are the column's, or, when whole is false, its beginning; false when that
 * is not enough: nothing is appended then. Only the text up to that place is looked through. */
bool passage_write(const struct passage *p, const char *text, size_t n, bool whole,
                   struct str *out);

#endif
