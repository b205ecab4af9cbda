/* decide_ctx: what the rows of decide()'s table share. Private to decide*.c. */
#ifndef ORGANIZER_DECIDE_DECIDE_CTX_H
#define ORGANIZER_DECIDE_DECIDE_CTX_H

#include <stdbool.h>
#include <stddef.h>

#include "decide/decide.h"
#include "decide/match_words.h"
#include "decide/route.h"

enum { CTX_HITS = 128 };

struct ctx {
    const struct rules *rules;
    const struct lang *lang;
    const struct policy *policy;
    const struct facts *f;
    struct decision *d;
    bool explain;

    bool valid;      /* the name is valid UTF-8 */
    char *name;      /* NFC, without spaces at the ends */
    char *stem;      /* of name, without extension and spaces at its end */
    const char *ext; /* of name, without dot, "" for none; points into name */
    enum verdict verdict; /* of content and extension together */
    bool parsed;     /* a convention takes the name apart into parts, */
    bool exact;      /* exactly; else but for how its date is written: 20260302 */
    struct name_parts parts;
    char *said_prefix;                 /* "Smith_Divorce" of parts; NULL unless parsed */
    const struct case_type *said_type; /* its case type, by name or alias; NULL when unknown */
    const struct case_facts *target;   /* the case it lies in or is routed to */
    struct router *own_router;         /* when the roster brings none */
    struct route_hit hits[CTX_HITS];   /* the cases that stem speaks of */
    size_t hits_len;

    /* for sentences, see decide.h; borrowed */
    const char *why, *other, *type, *date, *other_date;
    char *choices; /* the candidates, separated by ", "; owned */
    char *because; /* why the row at work does not apply */
};

/* A row of the table either decides, or passes and has called ctx_pass(). */
enum row_answer { ROW_PASSES, ROW_DECIDES };

/* Says why the row does not apply; returns ROW_PASSES. Nothing is made unless explain. */
enum row_answer ctx_pass(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line of the trace. */
void ctx_say(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends the decision; the sentence is "reason.<code>" or, when the language has it,
 * "reason.<code>.<variant>", likewise for help. Returns ROW_DECIDES. */
enum row_answer ctx_conclude(struct ctx *c, enum action action, enum reason reason,
                             const char *variant);
/* Adds to the candidates and to {candidates}, once each. */
void ctx_candidate(struct ctx *c, const char *what);
/* How a case is named to people who may read the page: its path, or "a restricted matter". */
const char *ctx_case_label(const struct ctx *c, const struct case_facts *matter);
bool ctx_in_inbox(const struct ctx *c);
/* The word that its name is to hold because its first page is marked privileged or work product,
 * and does not hold; NULL when there is none. words: those of the name. */
const char *ctx_privileged_word(const struct ctx *c, const char *words);
/* Only for explain: why field f is what it is, for people; lang key with {what} and {kind}. */
void ctx_plain(struct ctx *c, struct field *f, const char *key, const char *what);
/* The decision in sentences. The caller frees it. */
char *ctx_story(struct ctx *c);
/* The word says what a document is, not whose: a type, a case type, a month, noise. */
bool ctx_is_vocabulary(const struct ctx *c, const char *word);
/* The name's own prefix is the case's: its present or a former one, or its client and an alias of
 * its case type. */
bool ctx_prefix_is_of(const struct ctx *c, const struct case_facts *matter);
/* The prefix (present or former) of `matter` that the stem starts with: its length, 0 for none. */
size_t ctx_prefix_length(const struct ctx *c, const struct case_facts *matter);

/* The prefix ends where the hit does: what follows in "Smith_Divorce-2024" makes it another one. */
bool ctx_is_whole_prefix(const struct ctx *c, const struct route_hit *h);

/* The name being made. */
struct making {
    struct ctx *c;
    char *text;         /* what is left of the old name */
    char *type;         /* as it stands in the name */
    char *words;        /* after it, joined by '-'; "" for none */
    bool received;      /* the date is the file's: it shows */
    const char *folder; /* of the type; NULL when the type is unknown */
};

/* decide_day.c */

enum { ANCIENT_YEAR = 1950 };

/* Fills a field of the decision; source is taken over. */
void making_set_field(struct field *f, const char *value, char *source);
/* Takes bytes start to end out of text; a space stays, so that words do not join. */
void making_cut(char *text, size_t start, size_t end);
void making_take_date(struct making *m, struct date day, char *source);
/* A question about the date that text holds where m says. */
enum row_answer making_ask_date(struct ctx *c, const char *text, const struct date_match *m);
/* The date in m->text, which it is cut out of. ROW_DECIDES when it is a question; *found when there
 * is one. */
enum row_answer making_date_from_name(struct making *m, bool *found);
/* The date from elsewhere than the name, in the policy's order; `dated`: the name has one, which
 * counts unless something before it in that order has. ROW_DECIDES when there is none or it is
 * a question. */
enum row_answer making_date_from_facts(struct making *m, bool dated);

/* decide_type.c */

/* The type and its source. source is taken over. */
void making_take_type(struct making *m, const struct doc_type *type, char *source);
/* The type by the words of m->text, or by what the document says; words of the text that it did not
 * use are kept. *found stays false when nothing tells a type; ROW_DECIDES when it is a question. */
enum row_answer making_type_from_text(struct making *m, bool *found);
/* "What is it?", with what `word` (NULL: any word of the text) may have meant. */
enum row_answer making_unknown_type(struct making *m, const char *word);

/* decide_said.c */

/* In a case: the document says that it is another one's. */
enum row_answer row_other_said(struct ctx *c);
/* The case that the document itself tells; its source is in the decision then. NULL when it tells
 * none: then what speaks of cases is among the candidates. */
const struct case_facts *said_case(struct ctx *c);
/* Its numbers tell another case than matter, to which its name belongs: both are candidates. */
bool said_otherwise(struct ctx *c, const struct case_facts *matter);

/* decide_case.c */
enum row_answer row_other_case(struct ctx *c);
enum row_answer row_route(struct ctx *c);
/* decide_name.c */
enum row_answer row_in_order(struct ctx *c);
enum row_answer row_name(struct ctx *c);

#endif
