/*
 * find: answers a request (request.h) from the catalogue and the document table. For any thread:
 * it opens both for itself (struct find_store keeps them), and reads only.
 *
 * A document is told when its row says that it is there, what is known of its text is of its bytes
 * as they are, and who asks may read it. Nothing of other documents is told, not even how many.
 */
#ifndef ORGANIZER_SEARCH_FIND_H
#define ORGANIZER_SEARCH_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "cabinet/access.h"
#include "search/request.h"

struct catalogue;
struct error;
struct rules;
struct state;
struct str;

/* A case as a search knows it: a copy, since the search runs beside the loop. Owned strings. */
struct find_case {
    char *id, *path, *prefix, *client, *case_type;
    char **key_documents; /* NULL-terminated or NULL */
};

#define FIND_FAULT (-2)

/* What searches read, kept open from one to the next: opening it takes longer than most searches.
 * Of one search at a time; all zero at first. */
struct find_store {
    struct state *state;
    struct catalogue *catalogue;
};

/* Closes both. NULL is fine. */
void find_store_clear(struct find_store *s);

struct find_job {
    int root;                  /* the cabinet; borrowed */
    const char *state_dir;     /* borrowed */
    struct find_store *store;  /* borrowed; NULL: opened for this search */
    const struct rules *rules; /* borrowed: stays loaded until the job is done */
    struct find_case *cases;   /* every case; owned */
    size_t cases_len;
    bool everything;          /* who asks may read all (root, the daemon's user) */
    struct access_reader who; /* else */
};

/*
 * Appends to out a line of JSON that tells of the search:
 *   {"v":1,"more":true,"documents":1234,"by_name_only":0}
 * then one for each document, best first (without words: newest date first), see organizer(1).
 * Returns how many documents; -1 with err, or FIND_FAULT with err when the request is at fault.
 */
int find_run(const struct find_job *job, const struct find_request *r, struct str *out,
             struct error *err);
/* Frees what the job owns. */
void find_job_clear(struct find_job *job);

#endif
