/*
 * rules: what rules/ and the office's own .organizer/rules/ say, checked and compiled.
 *
 * Loaded as a whole and never changed afterwards; reload makes a new one. Asked by one thread at a
 * time. Nothing of the struct lang it was loaded with is kept. The office's files come
 * first. Every rule knows its file:line. Files, all optional in the office's folder:
 *
 *   conventions.yaml     the naming pattern (PCRE2, named groups) and its template
 *   case-types.yaml      vocabulary of case types: name, aliases, meaning, signals, examples
 *   types/<folder>.yaml   document types: name, folder, colour, relevance, words, when:, examples
 *   as-is.yaml           what is never renamed anywhere
 *   noise.yaml           words of old names that are not kept; names that say nothing
 *   markings.yaml        lines on the first page such as PRIVILEGED
 *   ignored.yaml         temporary, lock and system names; conflict copies; new-document names
 *   documents.magic      libmagic rules of our own (examine/)
 *   language/en.yaml     sentences (lang.h)
 *
 * A type has `type` (its name) or `adds_to` (words for a type of another file), `folder`, `colour`,
 * `relevance` (these three may stand once at the top of the file), and tells itself by
 *   words         in the file name; its own name, plurals, and writing without spaces count too
 *   weak          words that count only where no other type's do
 *   except        words that mean no type ("we will" is no Will)
 *   title         what the title on the first page starts with (match_title.c); not_title: no type
 *   when          conditions (match_when.h), asked when no title tells, first match wins
 *   when_first    yes: they are asked before titles
 *   text          phrases of the first pages, asked last (match_text.c)
 *   of_any_kind   yes for an Exhibit: its title does not speak against its name
 *   about_others  yes for a Letter or an Exhibit: beside another type's words it is the one meant
 * An office's type takes the place of a shipped one of the same name, and its words come first.
 * How words are weighed against each other stands at the top of match.c.
 */
#ifndef ORGANIZER_DECIDE_RULES_H
#define ORGANIZER_DECIDE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "decide/facts.h"
#include "decide/lang.h"

struct error;
struct rules;
struct str;

enum relevance { RELEVANCE_KEY, RELEVANCE_SUPPORTING, RELEVANCE_BACKGROUND };

/* One document type of the vocabulary. Borrowed from the rules. */
struct doc_type {
    const char *name;   /* "MotionToDismiss" */
    const char *folder; /* "Motions" */
    const char *colour; /* "#3366aa" */
    enum relevance relevance;
    const char *where; /* "motions.yaml:12" */
};

struct case_type {
    const char *name;           /* "Divorce" */
    const char *const *aliases; /* NULL-terminated */
    const char *const *keys;    /* name and aliases as route_name_key() gives them; NULL-terminated */
    const char *meaning;        /* "Family / divorce" */
    const char *where;
};

/* Everything wrong with the rules, one "file:line:column: what was expected" a line. */
struct problems {
    struct str *text; /* appended to */
    size_t errors;    /* rules that cannot be used */
    size_t warnings;  /* a rule behind an identical one, … */
};

/* Loads the shipped rules from shipped_dir and, when office_dirfd is not negative, the office's
 * own through that descriptor (data only; the caller has checked who may write it). Returns NULL
 * when there are errors; p (not NULL) then says all of them. */
struct rules *rules_load(const char *shipped_dir, int office_dirfd, const struct lang *lang,
                         struct problems *p);
void rules_free(struct rules *r);

/* Vocabulary. Lookups are case-insensitive, and what stands behind a '-' is set aside
 * ("Divorce-2024", "Motion-DRAFT"); NULL when unknown. */
const struct doc_type *rules_doc_type(const struct rules *r, const char *name);
const struct doc_type *rules_doc_type_at(const struct rules *r, size_t i); /* NULL past the end */
const struct case_type *rules_case_type(const struct rules *r, const char *name_or_alias);
const struct case_type *rules_case_type_at(const struct rules *r, size_t i);
/* The same as people write it where no file name is at stake, on a card or a command line:
 * "Personal Injury", "personal-injury", or the meaning, "Family / divorce". */
const struct case_type *rules_case_type_written(const struct rules *r, const char *text);
/* Up to max names of types (or case types) within Damerau-Levenshtein distance 2 of word (half its
 * length for words under four letters, 1 under six), nearest first; returns how many. */
size_t rules_near_doc_types(const struct rules *r, const char *word, const char **out, size_t max);
size_t rules_near_case_types(const struct rules *r, const char *word, const char **out, size_t max);
/* The standard folders, in order of the design, NULL-terminated. */
const char *const *rules_folders(const struct rules *r);
bool rules_is_standard_folder(const struct rules *r, const char *folder);

/* Which document type the facts tell. `name` is what is left of the old name (valid UTF-8, without
 * extension, case prefix and date), words separated by spaces. Fills up to max matches, best
 * first; those with a score equal to the first's are equally likely. Returns their number, 0 for
 * no match, -1 for "cannot tell" (a reader failed). trace (may be NULL) gets a line per rule. */
struct type_match {
    const struct doc_type *type;
    int score;         /* larger is better; comparable within one call */
    size_t start, end; /* bytes of `name` that matched; equal when it was not the name */
    const char *where; /* rule's file:line */
    char matched[64];  /* what matched, for "name matched ..." */
    const char *by;    /* "name", "kind", "title", "text", … */
    bool weak;         /* by a word that counts only where nothing else does */
};
int rules_match_type(const struct rules *r, const struct facts *f, const char *name,
                     struct type_match *out, size_t max, struct str *trace);
/* The same, by one sort of evidence each: words of the name; one title of the heading; conditions
 * (`when:`), of which the first that holds counts; phrases of the first pages, where several of one
 * type have to stand. */
int rules_match_name(const struct rules *r, const struct facts *f, const char *name,
                     struct type_match *out, size_t max, struct str *trace);
int rules_match_title(const struct rules *r, const char *title, struct type_match *out, size_t max,
                      struct str *trace);
int rules_match_when(const struct rules *r, const struct facts *f, struct type_match *out,
                     struct str *trace);
int rules_match_text(const struct rules *r, const struct facts *f, struct type_match *out,
                     size_t max, struct str *trace);
/* What the document says: its titles in turn, then `when:`, then phrases. */
int rules_match_said(const struct rules *r, const struct facts *f, struct type_match *out,
                     size_t max, struct str *trace);

/* b says the same as a and more: MotionToDismiss and Motion. */
bool rules_less_exact(const struct rules *r, const struct doc_type *a, const struct doc_type *b);
/* A document of this type may look like any other: an Exhibit (`of_any_kind: yes`). */
bool rules_of_any_kind(const struct rules *r, const struct doc_type *type);

/* As-is: the rule's file:line when the document is never renamed anywhere, else NULL. */
const char *rules_as_is(const struct rules *r, const struct facts *f, struct str *trace);
/* Ignored names, see decide_is_ignored(). */
const char *rules_ignored(const struct rules *r, const char *name, bool dir);
/* A sync client's conflict copy: file:line or NULL; *of (may be NULL) gets the name it is a copy
 * of, owned by the caller. */
const char *rules_conflict_copy(const struct rules *r, const char *name, char **of);
/* "New Microsoft Word Document.docx", "Neues …": waits for content even when not empty. */
bool rules_is_new_document(const struct rules *r, const char *name);
/* A lock file: *of gets the name that it locks, owned by the caller (with '?' for the letters that
 * Word replaces: "~$say.docx" locks "??say.docx"). False when it is none. */
bool rules_lock_of(const struct rules *r, const char *name, char **of);
/* Takes noise (scan0001, IMG_2034, "copy of", "(1)") out of words; caller frees. */
char *rules_strip_noise(const struct rules *r, const char *words);
/* Sets CONTENT_IS_PRIVILEGED and CONTENT_IS_WORK_PRODUCT by the markings on the first page and in
 * the subject. */
void rules_mark(const struct rules *r, struct content *c);

/* The naming convention: splits a file name (with extension). Returns true when `name` matches
 * convention number i; out fields are owned by the caller. */
struct name_parts {
    char *client, *case_type, *type, *words, *date, *serial, *ext; /* NULL where absent */
};
bool rules_parse_name(const struct rules *r, const char *name, struct name_parts *out);
void name_parts_clear(struct name_parts *p);
/* Makes a name from parts by the first convention's template (no legality: see name.h). */
char *rules_make_name(const struct rules *r, const struct name_parts *p);

/* For `organizer rules test|list|check`: runs every rule's examples. Appends a line for each
 * failure to out; *ran gets how many were tried; returns the number of failures. */
size_t rules_test(const struct rules *r, const struct lang *lang, struct str *out, size_t *ran);
/* One line per rule, in the order they are tried: file:line, type, folder, conditions. */
void rules_list(const struct rules *r, struct str *out, bool json);

#endif
