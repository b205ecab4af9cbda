/* str: a growable byte string, always NUL-terminated once something was added. */
#ifndef ORGANIZER_BASE_STR_H
#define ORGANIZER_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    char *s;    /* the bytes, or NULL when nothing was ever added; see str_c() */
    size_t len; /* bytes in use, without the NUL */
    size_t cap; /* bytes allocated */
    bool lent;  /* they are in a buffer of its owner, not allocated: STR_ON() */
};

#define STR_INIT {NULL, 0, 0, false}
/* A str that begins in buffer, an array of char which lives as long; what does not fit is allocated. */
#define STR_ON(buffer) {(buffer), 0, sizeof(buffer), true}

/* An ASCII letter in lower case, all else as it is: no locale has a say in it. */
static inline int ascii_lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Frees the bytes; the str is empty and can be used again. */
void str_clear(struct str *b);
/* Makes room for so many bytes more at once. */
void str_room(struct str *b, size_t more);
/* Empties it but keeps the memory. */
void str_reset(struct str *b);
/* The bytes as a C string, "" when empty. Valid until the next change. */
const char *str_c(const struct str *b);
void str_add(struct str *b, const char *s);
/* Adds each of the strings up to the NULL that ends them. */
void str_adds(struct str *b, const char *first, ...) __attribute__((sentinel));
void str_addn(struct str *b, const void *p, size_t n);
void str_addc(struct str *b, char c);
/* The number in decimal. */
void str_addi(struct str *b, int64_t value);
void str_addf(struct str *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Cuts it to at most len bytes. */
void str_cut(struct str *b, size_t len);
/* Hands the bytes to the caller (never NULL), who frees them; the str is empty. */
char *str_detach(struct str *b) __attribute__((returns_nonnull));

#define AUTO_STR __attribute__((cleanup(str_clear)))

#endif
