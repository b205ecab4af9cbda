#include "archive/wanted.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A name, a path, a folder above it, or a pattern of these. */
static bool matches(const char *wanted, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strlen(wanted);

    while (n && wanted[n - 1] == '/')
        n--;
    if (strncmp(wanted, path, n) == 0 && path[n] == '/')
        return true;
    if (!strpbrk(wanted, "*?[\\"))
        return strcasecmp(wanted, path) == 0 || strcasecmp(wanted, name) == 0;
    return strcmp(wanted, path) == 0 || strcmp(wanted, name) == 0 ||
           fnmatch(wanted, path, FNM_CASEFOLD) == 0 || fnmatch(wanted, name, FNM_CASEFOLD) == 0;
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
