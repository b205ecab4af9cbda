/*
 * fts: what SQLite's full text search needs of us: its words (words.h) as the tokenizer "office", the
 * function unpack() by which it reads compressed text, and ranked(), which ranks what it finds (rank.h).
 *
 * A word is kept under its stem and, beside it, as it is written: words of a query are looked for
 * by their stems, beginnings ("depositio*") and the words of a phrase that ends in one as they are
 * written.
 */
#ifndef ORGANIZER_SEARCH_FTS_H
#define ORGANIZER_SEARCH_FTS_H

#include <sqlite3.h>

struct error;
struct rank;

/* Tells the connection of all three; rank must outlive it. 0, or -1 with err. */
int fts_register(sqlite3 *db, struct rank *rank, struct error *err);

#endif
