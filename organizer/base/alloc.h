/*
 * alloc: memory that is there or the program is not.
 *
 * organizer is crash-only about memory: when an allocation fails the process writes one line to
 * stderr and leaves with EXIT_CANNOT. That is safe at any instant, because every act on the tree
 * is preceded by a durable intent (file/intents.h) and recovery at the next start finishes or
 * takes back what was under way. No caller checks for NULL.
 */
#ifndef ORGANIZER_BASE_ALLOC_H
#define ORGANIZER_BASE_ALLOC_H

#include <stddef.h>

/* n bytes, uninitialised. n == 0 yields a unique pointer. Free with free(). */
void *xmalloc(size_t n) __attribute__((malloc, alloc_size(1), returns_nonnull));
/* n zeroed objects of size bytes each; overflow of n * size counts as out of memory. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
/* p grown or shrunk to n objects of size bytes; p may be NULL. */
void *xreallocarray(void *p, size_t n, size_t size)
    __attribute__((alloc_size(2, 3), returns_nonnull));
/* A copy of s; NULL gives NULL. */
char *xstrdup(const char *s);
/* A copy of a list of strings that ends with NULL, and so does the copy; NULL gives an empty list. */
char **xstrdupv(const char *const *list) __attribute__((returns_nonnull));
/* A NUL-terminated copy of the n bytes at s. */
char *xmemdup0(const void *s, size_t n) __attribute__((returns_nonnull));
/* "folder/name"; the name alone when the folder is "". */
char *xjoin(const char *folder, const char *name) __attribute__((returns_nonnull));
/* printf into fresh memory. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* What an array of cap elements grows to: twice as many, at least 8. */
size_t grown(size_t cap);
/* Makes room for one more element in the array ptr[cap] that holds len of them. */
#define GROW(ptr, len, cap)                                                                        \
    do {                                                                                           \
        if ((len) >= (cap)) {                                                                      \
            (cap) = (__typeof__(cap))grown(cap);                                                   \
            (ptr) = xreallocarray((ptr), (cap), sizeof *(ptr));                                    \
        }                                                                                          \
    } while (0)

/* For a program's start: what is larger than a MiB goes back to the system as soon as it is freed, in
 * whichever thread; the C library would keep it for later. What is smaller is kept by a few threads, not
 * once for each. */
void alloc_give_back(void);

/* For __attribute__((cleanup(...))): frees the pointer that p points at. */
void cleanup_free(void *p);
/* For cleanup: closes the descriptor when it is not negative. */
void cleanup_close(int *fd);
#define AUTO_FREE  __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

#endif
