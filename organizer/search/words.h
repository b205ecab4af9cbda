/*
 * words: what counts as a word when documents are searched.
 *
 * A word is a run of letters, digits and marks, case folded, without accents, compatibility forms
 * made plain (the ligature "fi", full-width letters). An apostrophe inside a word is dropped, an
 * ending 's too: "O'Brien" is "obrien", "plaintiff's" is "plaintiff". Of scripts that write no
 * spaces (Chinese and Japanese) each character is a word, and a query's run of them a phrase.
 */
#ifndef ORGANIZER_SEARCH_WORDS_H
#define ORGANIZER_SEARCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a word that count; what is longer is no word that people write. */
#define WORD_MAX 64

/* A scan over text of any bytes; invalid ones separate words. */
struct words {
    const char *begin, *at, *end;
    char word[WORD_MAX + 16]; /* the latest, folded, NUL-terminated */
    size_t len;               /* of word */
    size_t start, stop;       /* the bytes of the text that it stands for */
};

/* Begins a scan of the n bytes at s, which must stay. */
void words_begin(struct words *w, const char *s, size_t n);
/* The next word; false at the end. */
bool words_next(struct words *w);
/* Goes on behind so many words, of which nothing is told; false at the end. */
bool words_skip(struct words *w, size_t count);
/* The n bytes at s hold a word. */
bool words_any(const char *s, size_t n);

#endif
