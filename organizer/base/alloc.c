#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"

static void *or_leave(void *p)
{
    static const char msg[] = "organizer: out of memory; leaving, the next start takes up again\n";

    if (p)
        return p;
    if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
        _exit(EXIT_CANNOT);
    _exit(EXIT_CANNOT);
}

void *xmalloc(size_t n)
{
    return or_leave(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return or_leave(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
    return or_leave(reallocarray(p, n ? n : 1, size ? size : 1));
}

size_t grown(size_t cap)
{
    return cap ? cap * 2 : 8;
}

char *xstrdup(const char *s)
{
    return s ? or_leave(strdup(s)) : NULL;
}

char **xstrdupv(const char *const *list)
{
    size_t n = 0;
    char **copy;

    while (list && list[n])
        n++;
    copy = xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(list[i]);
    return copy;
}

char *xmemdup0(const void *s, size_t n)
{
    char *p = xmalloc(n + 1);

    if (n)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *xjoin(const char *folder, const char *name)
{
    size_t n = strlen(folder), more = strlen(name) + 1;
    char *p = xmalloc(n + 1 + more), *at = p;

    if (n > 0) {
        at = mempcpy(p, folder, n);
        *at++ = '/';
    }
    memcpy(at, name, more);
    return p;
}

char *xasprintf(const char *fmt, ...)
{
    char *p = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&p, fmt, ap) < 0)
        p = NULL;
    va_end(ap);
    return or_leave(p);
}

void cleanup_free(void *p)
{
    free(*(void **)p);
}

void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define LARGE  (1 << 20)
/* For the loop's thread and the first that need memory, most often the filer among them: where it shares the
 * loop's, each waits for the other at every second document. */
#define ARENAS 4

void alloc_give_back(void)
{
    /* Where it is not taken more memory is used, and nothing else. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
    (void)mallopt(M_ARENA_MAX, ARENAS);
}
