/*
 * rules_parts: what a struct rules is made of. For rules*.c, vocab.c, match.c and lint.c only.
 *
 * Strings are borrowed from `strings`, which rules_keep() fills. Arrays hold the office's own
 * rules first, then the shipped ones, each in the order of their files.
 */
#ifndef ORGANIZER_DECIDE_RULES_PARTS_H
#define ORGANIZER_DECIDE_RULES_PARTS_H

#include "decide/match_when.h"
#include "decide/match_words.h"
#include "decide/pattern.h"
#include "decide/rules.h"
#include "decide/yaml.h"

struct type_rule {
    struct doc_type type;
    const char *folded;      /* its name as utf8_fold() gives it */
    bool office;             /* the office's own */
    bool about_others;       /* a Letter: beside another type's words it is the one meant */
    bool of_any_kind;        /* an Exhibit: what it looks like does not speak against it */
    struct phrase_index own; /* one phrase: the words of its own name */
    struct condition *when;  /* NULL: none */
    bool when_first;         /* `when` is asked before titles */
};

struct case_rule {
    struct case_type type;
    const char **folded; /* name, then aliases; NULL-terminated */
    const char **signals;
};

struct as_is_rule {
    const char *what; /* "Bates-numbered pages" */
    const char *where;
    struct condition *when;
};

enum applies { APPLIES_FILES = 1, APPLIES_FOLDERS = 2, APPLIES_BOTH = 3 };

/* A rule on a bare name: a wildcard or a pattern. */
struct name_rule {
    enum applies applies;
    char first, last; /* of the wildcard, without regard to case; NUL: any may stand there */
    const char *glob; /* or */
    struct pattern *pattern;
    const char *of; /* "{stem}.dwg": the other name that it tells of; NULL */
    const char *where;
};

struct name_rules {
    struct name_rule *v;
    size_t len, cap;
};

struct convention {
    struct pattern *pattern;
    const char *template;
    const char *where;
};

/* A line on the first page that says who may read the document. */
struct marking {
    struct pattern *pattern;
    unsigned flag; /* enum content_flag */
    const char *where;
};

struct example;
/* Runs e; what came instead of e->expect is appended to got. Returns whether it was right. */
typedef bool example_run(const struct rules *r, const struct lang *lang, const struct example *e,
                         struct str *got);

struct example {
    example_run *run;
    const void *rule;   /* the rule it stands at; NULL when it is of a whole list */
    const char *name;   /* what is given */
    const char *expect; /* "Motion", "none", "yes", "Motion, Order" for a tie */
    const char *where;
};

/* Words for a type of another file (`adds_to`), given an owner when all files are read. */
struct addition {
    struct phrase_index *index;
    size_t phrase;
    const char *target;
    const char *at; /* "path:line:column" */
};

struct rules {
    struct type_rule **types;
    size_t types_len, types_cap;
    struct case_rule **case_types;
    size_t case_types_len, case_types_cap;
    struct phrase_index words, titles, texts; /* owners are types */
    const char **title_words;                 /* of titles: sorted, inside them */
    size_t title_words_len;
    struct addition *additions;
    size_t additions_len, additions_cap;
    struct as_is_rule *as_is;
    size_t as_is_len, as_is_cap;
    struct name_rules ignored, conflicts, new_documents, locks;
    struct name_rules noise; /* patterns only */
    struct convention *conventions;
    size_t conventions_len, conventions_cap;
    struct example *examples;
    size_t examples_len, examples_cap;
    struct marking *markings;
    size_t markings_len, markings_cap;
    const char **folders; /* NULL-terminated */
    size_t folders_len, folders_cap;
    const char *const *about;     /* "re", "to", "enclosing": what follows is what it is about */
    const char *const *honorific; /* "mr": what follows is a person */
    const char *const *plural;    /* "s" */
    char **strings;
    size_t strings_len, strings_cap;
};

/* One file while it is read. */
struct loading {
    struct rules *rules;
    struct rulefile file;
    bool office;
};

/* Takes the string over and returns it; NULL stays NULL. */
const char *rules_keep(struct rules *r, char *owned);
/* The place of node, kept. */
const char *loading_where(struct loading *l, const yaml_node_t *node);
/* A scalar, kept; NULL after an error. */
const char *loading_text(struct loading *l, const yaml_node_t *node, const char *what);
/* The texts of a list, kept and NULL-terminated (an empty one for no node); the caller frees the
 * array but not the texts. A single text counts as a list of one. */
const char **loading_texts(struct loading *l, yaml_node_t *node, const char *what);
/* The `examples:` mapping at node; NULL is fine. */
void loading_examples(struct loading *l, yaml_node_t *node, example_run *run, const void *rule);

/* The files, each into l->rules. */
void load_types(struct loading *l);
void load_case_types(struct loading *l);
void load_conventions(struct loading *l);
void load_as_is(struct loading *l);
void load_noise(struct loading *l);
void load_ignored(struct loading *l);
void load_markings(struct loading *l);

/* The type of that name, or the case type whose name or alias the n bytes are; any case. */
struct type_rule *vocab_type(const struct rules *r, const char *name);
const struct case_rule *vocab_case_type(const struct rules *r, const char *name, size_t n);

/* When all files are read: owners for additions, then what cannot be right. */
void vocab_finish(struct rules *r, struct problems *p);
void lint_rules(const struct rules *r, struct problems *p);

/* Adds a phrase of titles: "motion ... to dismiss" may hold other words where the dots are. False
 * when it holds no words or too many. (match_title.c) */
bool title_phrase_add(struct phrase_index *x, const char *text, const void *owner,
                      const char *where);
/* The example is one of a title. (vocab_types.c) */
bool example_is_title(const struct example *e);
/* When all titles are there: the words that misread ones are mended to. */
void title_words_learn(struct rules *r);

/* The same for a title, and for a first page whose lines are parted by " / ". */
bool rules_try_title(const struct rules *r, const char *title, struct str *got);
bool rules_try_page(const struct rules *r, const struct lang *lang, const char *page,
                    struct str *got);
/* What a document of that name would be, for examples: "Motion", "Motion, Order" for a tie, "none";
 * its content is taken to be what its extension says. Always true. */
bool rules_try_name(const struct rules *r, const char *name, struct str *got);

/* Free what the rule files gave them; NULL is fine. */
void type_rule_free(struct type_rule *t);
void case_rule_free(struct case_rule *c);
void name_rules_clear(struct name_rules *n);

#endif
