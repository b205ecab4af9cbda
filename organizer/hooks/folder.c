#include "hooks/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/str.h"

/* Passed over without a word: people put things aside under such names. */
static const char *const aside[] = {".*", "*~", "*.dpkg-*", "*.rpm*", "*.bak", "*.disabled"};

/* What explains or configures a hook, and is none. */
static const char *const papers[] = {"README*", "*.txt", "*.md", "*.conf", "*.sample", "*.example"};

static bool is_one_of(const char *name, const char *const *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

static bool is_aside(const char *name)
{
    return is_one_of(name, aside, sizeof aside / sizeof *aside);
}

static bool is_paper(const char *name)
{
    return is_one_of(name, papers, sizeof papers / sizeof *papers);
}

/* With errno, which stays. */
static bool not_seen(const char *path, struct str *why)
{
    int saved = errno;

    str_addf(why, "%s: %s", path, strerror(saved));
    errno = saved;
    return false;
}

/* One step of the way: a file, or a folder in which a sticky bit keeps entries from others. */
static bool step_trusted(const char *path, struct str *why)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return not_seen(path, why);
    errno = 0;
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        str_addf(why, "%s belongs to someone else: chown it to root or to the organizer's user",
                 path);
        return false;
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX))) {
        str_addf(why, "others may write %s: chmod go-w", path);
        return false;
    }
    return true;
}

bool hook_trusted(const char *path, struct str *why)
{
    AUTO_FREE char *real = realpath(path, NULL);

    if (!real)
        return not_seen(path, why);
    while (step_trusted(real, why)) {
        char *slash = strrchr(real, '/');

        if (slash == real && !slash[1])
            return true;
        slash[slash == real] = '\0';
    }
    return false;
}

/* A sticky bit protects files from others, but not the folder from their files. */
static bool only_ours(const char *path, int fd, struct str *why)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return not_seen(path, why);
    errno = 0;
    if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    str_add(why, "others may write it: chmod go-w");
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* With errno, or 0. */
static void note(struct hook_folder *h)
{
    if (errno && !io_is_lasting(errno))
        h->error = errno;
}

/* With errno, which a folder that is not there has, too. */
static void cannot_read(struct hook_folder *h, const char *path, const struct log *log)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return;
    note(h);
    log_line(log, LOG_WARNING, "hooks cannot be read", "folder", path, "error", strerror(errno),
             NULL);
}

static void consider(struct hook_folder *h, size_t *cap, int dirfd, const char *dir,
                     const char *name, const struct log *log)
{
    struct stat st;
    AUTO_STR struct str why = STR_INIT;
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

    if (is_aside(name))
        return;
    if (fstatat(dirfd, name, &st, 0) < 0) {
        cannot_read(h, path, log);
        return;
    }
    if (!S_ISREG(st.st_mode))
        return;
    if (!(st.st_mode & 0111) && is_paper(name))
        return;
    errno = 0;
    if (!(st.st_mode & 0111))
        str_add(&why, "it is not executable: chmod +x");
    if (why.len || !hook_trusted(path, &why)) {
        note(h);
        h->refused++;
        log_line(log, LOG_WARNING, "hook refused", "hook", path, "why", str_c(&why), NULL);
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
    AUTO_STR struct str why = STR_INIT;
    DIR *d = io_list_own(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *e;
    size_t cap = 0;
    bool trusted;
    int more = 0;

    memset(h, 0, sizeof *h);
    if (!d) {
        cannot_read(h, path, log);
        return;
    }
    trusted = hook_trusted(path, &why) && only_ours(path, dirfd(d), &why);
    h->refused = !trusted;
    if (!trusted) {
        note(h);
        log_line(log, LOG_WARNING, "hooks refused", "folder", path, "why", str_c(&why), NULL);
    }
    while (trusted && (more = io_next(d, &e)) > 0)
        consider(h, &cap, dirfd(d), path, e->d_name, log);
    if (more < 0)
        cannot_read(h, path, log);
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
