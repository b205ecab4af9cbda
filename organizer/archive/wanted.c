#include "archive/wanted.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* The whole path, or its last part. */
static bool is_called(const char *wanted, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (strcasecmp(wanted, path) == 0 || strcasecmp(wanted, name) == 0)
        return true;
    return strpbrk(wanted, "*?[\\") && (fnmatch(wanted, path, FNM_CASEFOLD) == 0 ||
                                        fnmatch(wanted, name, FNM_CASEFOLD) == 0);
}

/* It, or a folder above it. */
static bool matches(const char *wanted, const char *path)
{
    size_t n = strlen(wanted);
    AUTO_FREE char *want = NULL;
    AUTO_FREE char *part = xstrdup(path);
    bool called;

    while (n && wanted[n - 1] == '/')
        n--;
    want = xmemdup0(wanted, n);
    while (!(called = is_called(want, part))) {
        char *slash = strrchr(part, '/');

        if (!slash)
            break;
        *slash = '\0';
    }
    return called;
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
