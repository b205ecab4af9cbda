/* passage: the place of a document's text where a query's words are. */
#ifndef ORGANIZER_SEARCH_PASSAGE_H
#define ORGANIZER_SEARCH_PASSAGE_H

#include <sqlite3.h>

/*
 * passage(words, COLUMN) in SQL: about two dozen words of that column around the place where most
 * different words of the query stand close together, the earliest of such places; each hit between
 * HIT_BEGIN and HIT_END (fts.h), white space folded, "…" where the text goes on. NULL when the
 * column has no hit. Only the text up to that place is looked through.
 */
void passage(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx, int n,
             sqlite3_value **v);

#endif
