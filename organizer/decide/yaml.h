/*
 * yaml: a rules file in memory, every node of which knows its line.
 *
 * rulefile_read(), then rulefile_root() and the accessors, then rulefile_clear(). What is wrong is
 * written to the file's problems as "path:line:column: what was expected"; the accessors then
 * answer NULL, so that a loader goes on and reports everything in one run.
 */
#ifndef ORGANIZER_DECIDE_YAML_H
#define ORGANIZER_DECIDE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct pattern;
struct problems;

struct rulefile {
    yaml_document_t doc;
    bool loaded;               /* doc is there */
    const char *path;          /* as problems show it; borrowed */
    const char *of;            /* put behind file:line: "" or " of the office"; a constant */
    struct problems *problems; /* borrowed */
};

/* Parses n bytes (UTF-8). Returns 0; -1 when they are not YAML or an object of more than one
 * document, which is then in the problems. path, of and p must outlive f. */
int rulefile_read(struct rulefile *f, const char *path, const char *of, const char *text, size_t n,
                  struct problems *p);
void rulefile_clear(struct rulefile *f);

/* The top node; NULL when the file holds nothing (comments only). */
yaml_node_t *rulefile_root(struct rulefile *f);
/* "motions.yaml:12" of the node; the caller frees it. */
char *rulefile_where(const struct rulefile *f, const yaml_node_t *node);
/* An error (or warning) at the node. */
void rulefile_error(struct rulefile *f, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void rulefile_warn(struct rulefile *f, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The node is a mapping whose keys are all among keys (NULL-terminated), none twice; what is not
 * is an error. Returns false when it is no mapping. */
bool rulefile_keys(struct rulefile *f, const yaml_node_t *node, const char *const keys[]);
/* The value under key, NULL when missing. */
yaml_node_t *rulefile_get(struct rulefile *f, const yaml_node_t *node, const char *key);
/* Number of items of a sequence or pairs of a mapping; a NULL node has none. */
size_t rulefile_count(const yaml_node_t *node);
/* Item i of a sequence. */
yaml_node_t *rulefile_item(struct rulefile *f, const yaml_node_t *node, size_t i);
/* Pair i of a mapping. */
void rulefile_pair(struct rulefile *f, const yaml_node_t *node, size_t i, yaml_node_t **key,
                   yaml_node_t **value);
/* The node is a sequence (what names it in the error); NULL is fine and yields false. */
bool rulefile_is_list(struct rulefile *f, const yaml_node_t *node, const char *what);
/* The text of a scalar, borrowed; an error and NULL for anything else. what names it. */
const char *rulefile_text(struct rulefile *f, const yaml_node_t *node, const char *what);
/* text, read from node, as a compiled pattern; an error at its line and column and NULL when it is
 * bad or runs away. flags are those of pattern_new(). */
struct pattern *rulefile_pattern(struct rulefile *f, const yaml_node_t *node, const char *text,
                                 unsigned flags);
/* yes/no (true/false, on/off) of a scalar; otherwise when node is NULL; an error else. */
bool rulefile_flag(struct rulefile *f, const yaml_node_t *node, bool otherwise);

#endif
