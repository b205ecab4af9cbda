/*
 * matter_set: what the files of matter.h share: one matter with what only they know, and the set
 * of all with its hashes and its order. Nobody else includes this.
 */
#ifndef ORGANIZER_CABINET_MATTER_SET_H
#define ORGANIZER_CABINET_MATTER_SET_H

#include "base/table.h"
#include "cabinet/matter.h"

/* One matter. m comes first: a struct matter * of this set is a struct node *. */
struct node {
    struct matter m;
    char id[CASE_ID_SIZE];
    char *path, *prefix, *client, *case_type; /* what m.facts points at */
    char **former_own;   /* former prefixes by renaming, NULL-terminated, owned */
    const char **former; /* those and the card's, without doubles, borrowed strings */
    bool has_card;       /* m.card was read once */
    bool has_good_card;  /* and it is one without mistakes that says something */
    bool renamed_told;   /* of its row in the state */
    bool tampered;       /* of its row in the state */
    UT_hash_handle by_path;
    UT_hash_handle by_id; /* not for copies */
};

/* The roster and the array it points at; behind a pointer so that it can be made when asked for. */
struct roster_cache {
    struct roster roster;
    const struct case_facts **cases;
    size_t cap;
    struct router *router; /* roster.router, ours to free */
    bool stale;
};

struct matters {
    int root;
    const struct rules *rules;
    const struct lang *lang;
    enum naming naming;
    enum date_order date_order;
    struct node *by_path, *by_id;
    struct node **order; /* by path */
    size_t len, cap;
    struct roster_cache *cache;
    void (*drop)(void *ctx, struct matter *matter);
    void *drop_ctx;
};

/* The node at the first len bytes of path, or NULL. */
struct node *matters_node(const struct matters *m, const char *path, size_t len);
/* Adds a node at path with nothing known of it yet. */
struct node *matters_add(struct matters *m, const char *path);
/* Its id, "" for none. Copies are not found by theirs. */
void matters_set_id(struct matters *m, struct node *n, const char *id);
void matters_move(struct matters *m, struct node *n, const char *path);
void matters_drop(struct matters *m, struct node *n);
/* Index of the first matter whose path is not before path. */
size_t matters_lower(const struct matters *m, const char *path);
/* Makes n->m.facts from card, path and formers (matter_facts.c). */
void matter_make_facts(struct matters *m, struct node *n);
/* Remembers a prefix that the case had. Returns whether it is news. */
bool matter_add_former(struct node *n, const char *prefix, size_t len);

#endif
