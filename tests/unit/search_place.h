/* A private state and a catalogue in a folder of their own, for tests of search/. */
#ifndef SEARCH_PLACE_H
#define SEARCH_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "record/state.h"
#include "remove_tree.h"
#include "search/catalogue.h"

struct search_place {
    char dir[40];
    struct state *state;
    struct catalogue *catalogue;
    struct error err;
};

static const char case_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char case_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static int place_setup(void **state)
{
    struct search_place *p = xcalloc(1, sizeof *p);

    strcpy(p->dir, "/tmp/search-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    p->state = state_open(p->dir, false, &p->err);
    p->catalogue = catalogue_open(p->dir, false, &p->err);
    *state = p;
    return p->state && p->catalogue ? 0 : -1;
}

static int place_teardown(void **state)
{
    struct search_place *p = *state;
    int rc;

    catalogue_close(p->catalogue);
    state_close(p->state);
    rc = remove_tree(p->dir);
    free(p);
    return rc;
}

static struct digest digest_of_text(const char *text)
{
    struct digest d = {{1}};

    for (size_t i = 0; text[i]; i++)
        d.b[i % DIGEST_SIZE] = (unsigned char)(d.b[i % DIGEST_SIZE] * 31 + (unsigned char)text[i]);
    return d;
}

/* A row of the document table; returns its number. */
static inline int64_t place_row(struct search_place *p, const char *case_id, int64_t number,
                                const char *path, const char *text)
{
    struct doc d = {.number = number, .path = xstrdup(path), .state = DOC_FILED, .kind = KIND_PDF};

    memcpy(d.case_id, case_id, strlen(case_id) + 1);
    if (text)
        d.digest = digest_of_text(text);
    if (state_doc_put(p->state, &d, &p->err) < 0)
        return -1;
    number = d.number;
    doc_clear(&d);
    return number;
}

/* An entry of the catalogue that says text. */
static inline int place_text(struct search_place *p, const char *case_id, int64_t number,
                             const char *name, const char *text)
{
    struct catalogue_entry e = {.number = number, .digest = digest_of_text(text)};
    int rc;

    memcpy(e.case_id, case_id, strlen(case_id) + 1);
    e.name = xstrdup(name);
    rc = catalogue_begin(p->catalogue, &p->err);
    if (rc == 0)
        rc = catalogue_put(p->catalogue, &e, text, strlen(text), &p->err);
    if (rc == 0)
        rc = catalogue_commit(p->catalogue, &p->err);
    catalogue_entry_clear(&e);
    return rc;
}

#endif
