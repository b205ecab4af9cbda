/*
 * lengths: how many words each document has, and how many documents come before it, for ranking: held
 * in memory, since SQLite takes longer to look up one than to rank it. They are as they were lately;
 * of a document that came since the average is told. For one thread.
 */
#ifndef ORGANIZER_SEARCH_LENGTHS_H
#define ORGANIZER_SEARCH_LENGTHS_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct lengths;

/* None are known yet; free with lengths_free(). */
struct lengths *lengths_new(void);
/* NULL is fine. */
void lengths_free(struct lengths *l);
/* Reads them when they changed, and it is not too soon after the last time: this costs a few hundred
 * nanoseconds for each. 0, or -1 with the connection's error. */
int lengths_refresh(struct lengths *l, sqlite3 *db);
/* How many documents there are; their average length, at least 1. */
size_t lengths_len(const struct lengths *l);
double lengths_average(const struct lengths *l);
/* How many have a key less than this one. *at is where the search of an earlier, lesser key ended; 0 at
 * first: a walk upwards costs little. */
size_t lengths_before(const struct lengths *l, int64_t key, size_t *at);
/* The words of the document; *at as above. */
double lengths_of(const struct lengths *l, int64_t key, size_t *at);

#endif
