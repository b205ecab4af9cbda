#include "hooks/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* Why this file or folder may not be trusted, or NULL. */
static const char *distrust(const struct stat *st)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "it belongs to someone else: chown it to root or to the organizer's user";
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return "others may write it: chmod go-w";
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void consider(struct hook_folder *h, size_t *cap, int dirfd, const char *dir,
                     const char *name, const struct log *log)
{
    struct stat st;
    const char *why;
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

    if (name[0] == '.' || strchr(name, '~') || fstatat(dirfd, name, &st, 0) < 0 ||
        !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return;
    why = distrust(&st);
    if (why) {
        log_line(log, LOG_WARNING, "hook refused", "hook", path, "why", why, NULL);
        return;
    }
    GROW(h->paths, h->len, *cap);
    h->paths[h->len++] = path;
    path = NULL;
}

void hook_folder_read(struct hook_folder *h, const char *dir, const char *event,
                      const struct log *log)
{
    AUTO_FREE char *path = xasprintf("%s/%s", dir, event);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat st;
    const char *why;
    size_t cap = 0;

    memset(h, 0, sizeof *h);
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    why = fstat(fd, &st) == 0 ? distrust(&st) : "it cannot be read";
    if (why)
        log_line(log, LOG_WARNING, "hooks refused", "folder", path, "why", why, NULL);
    while (!why && (e = readdir(d)))
        consider(h, &cap, fd, path, e->d_name, log);
    closedir(d);
    if (h->len)
        qsort(h->paths, h->len, sizeof *h->paths, by_name);
}

void hook_folder_clear(struct hook_folder *h)
{
    for (size_t i = 0; i < h->len; i++)
        free(h->paths[i]);
    free(h->paths);
    memset(h, 0, sizeof *h);
}
