#include "archive/wanted.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* The first n bytes of path are called so: all of them, or their last part. */
static bool is_called(const char *wanted, size_t len, const char *path, size_t n)
{
    const char *slash = memrchr(path, '/', n);
    const char *name = slash ? slash + 1 : path;
    size_t rest = n - (size_t)(name - path);

    return (len == n && strncasecmp(wanted, path, n) == 0) ||
           (len == rest && strncasecmp(wanted, name, rest) == 0);
}

static bool is_like(const char *pattern, size_t len, const char *path, size_t n)
{
    AUTO_FREE char *want = xmemdup0(pattern, len);
    AUTO_FREE char *part = xmemdup0(path, n);
    const char *slash = strrchr(part, '/');

    return fnmatch(want, part, FNM_CASEFOLD) == 0 ||
           (slash && fnmatch(want, slash + 1, FNM_CASEFOLD) == 0);
}

/* It, or a folder above it. */
static bool matches(const char *wanted, const char *path)
{
    size_t len = strlen(wanted), n = strlen(path);
    bool pattern = strpbrk(wanted, "*?[\\");

    while (len && wanted[len - 1] == '/')
        len--;
    for (;;) {
        const char *slash = memrchr(path, '/', n);

        if (is_called(wanted, len, path, n) || (pattern && is_like(wanted, len, path, n)))
            return true;
        if (!slash)
            return false;
        n = (size_t)(slash - path);
    }
}

bool wanted_any(const char *const *list, const char *path, bool *hit)
{
    bool any = false;

    for (size_t i = 0; list[i]; i++)
        if (matches(list[i], path)) {
            any = true;
            if (!hit)
                return true;
            hit[i] = true;
        }
    return any;
}

static bool is_plain(const char *path)
{
    for (; *path; path++)
        if ((unsigned char)*path >= 128 || strchr("%\\=", *path))
            return false;
    return true;
}

bool wanted_is_aside(const char *const *list, const char *path)
{
    return list && strncmp(path, "data/", 5) == 0 && is_plain(path) &&
           !wanted_any(list, path + 5, NULL);
}

bool wanted_entry_aside(const char *const *list, const char *path)
{
    const char *slash = strchr(path, '/');
    const char *below = slash ? slash + 1 : "";

    if (strncmp(path, "data/", 5) != 0)
        return wanted_is_aside(list, below);
    /* In the folder, or in the case's folder of that name: neither may ask for it. */
    return strchr(below, '/') && wanted_is_aside(list, path) &&
           (strncmp(below, "data/", 5) != 0 || wanted_is_aside(list, below));
}
