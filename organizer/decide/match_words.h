/*
 * match_words: a name taken apart into words, and an index of the phrases to look for in them.
 *
 * Words are compared folded: without regard to case or accents. A word ends where a letter or
 * digit is followed by something else, between letters and digits ("js44" is "js 44"), and at the
 * humps of camel case ("MotionToDismiss", "MSJBrief"). Apostrophes are dropped ("O'Brien" is
 * "obrien") and '&' between letters stays ("c&d").
 */
#ifndef ORGANIZER_DECIDE_MATCH_WORDS_H
#define ORGANIZER_DECIDE_MATCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct token {
    size_t text;       /* offset of the folded word in tokens.text, ended by NUL */
    size_t start, end; /* its bytes in the text it was taken from */
    uint32_t hash;
    bool capital;      /* starts with an upper-case letter */
    bool comma_after;  /* a comma follows it directly */
    bool paren_before; /* an opening bracket stands before it */
};

enum { TOKENS_OWN = 12, TOKENS_ROOM = 96 }; /* of most names */

/* Not to be copied once it was filled: what fits is kept in itself. */
struct tokens {
    struct token *v;
    size_t len, cap;
    struct str text;
    struct token own[TOKENS_OWN];
    char room[TOKENS_ROOM];
};

#define TOKENS_INIT                                                                                \
    {                                                                                              \
        .text = STR_INIT                                                                           \
    }

/* Takes apart the first words of s (valid UTF-8), at most max, replacing what t held. */
void tokens_read(struct tokens *t, const char *s, size_t max);
void tokens_clear(struct tokens *t);
/* The folded word i. */
const char *tokens_word(const struct tokens *t, size_t i);

enum { PHRASE_WORDS = 12 };

/* Words in a row that say something; `owner` is whose they are. */
struct phrase {
    char *text;                     /* folded words with one space between */
    const char *word[PHRASE_WORDS]; /* inside `split` */
    char *split;                    /* text with NULs between the words */
    size_t len;                     /* number of words */
    size_t gap;                     /* other words may stand behind this many of them; 0: none */
    uint32_t hash;                  /* of the first word */
    uint32_t next;                  /* in the bucket: index + 1; 0 ends it */
    const void *owner;              /* NULL: these words mean nothing ("we will") */
    bool derived;                   /* a plural or another way of writing, not in the file */
    bool weak;                      /* counts only where nothing else does */
    const char *where;              /* file:line, borrowed */
};

enum { PHRASE_BUCKETS = 1024, PHRASE_GAP = 8 /* words that a gap may hold */ };

struct phrase_index {
    struct phrase *v;
    size_t len, cap;
    uint32_t head[PHRASE_BUCKETS]; /* index + 1 */
};

/* Adds the words of text. Returns false when there are none or more than PHRASE_WORDS. Pointers
 * into the index are invalid afterwards. */
bool phrases_add(struct phrase_index *x, const char *text, const void *owner, bool weak,
                 const char *where);
/* The phrase number i + 1 that equals p, or NULL: for telling doubles. Start with after = 0. */
const struct phrase *phrases_same(const struct phrase_index *x, const struct phrase *p,
                                  size_t after);
/* Removes phrase i from being found (it keeps its place in v). */
void phrases_hide(struct phrase_index *x, size_t i);
void phrases_clear(struct phrase_index *x);

/* One phrase found: words first to last of the tokens. */
struct hit {
    const struct phrase *phrase;
    size_t first, last;
};
/* Every place where a phrase of x stands in t, at most max; overlapping ones too. */
size_t phrases_find(const struct phrase_index *x, const struct tokens *t, struct hit *out,
                    size_t max);

#endif
