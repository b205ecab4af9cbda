#include "archive/restore_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

/* Removes everything below the folder fd, which only a restore made. Links are not followed. */
static void empty(int fd)
{
    DIR *d = io_list(fd);
    struct dirent *e;

    if (!d)
        return;
    /* What is not seen keeps the folder, and the next restore removes it. */
    while (io_next(d, &e) > 0) {
        if (unlinkat(fd, e->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM))
            continue;

        AUTO_CLOSE int sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        /* A folder that took a read-only mode back. */
        if (sub >= 0 && fchmod(sub, 0700) == 0)
            empty(sub);
        unlinkat(fd, e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

static void remove_folder(int parent, const char *name, int fd)
{
    empty(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* Those whose maker is gone: nobody holds their lock. */
static void remove_leftovers(int parent)
{
    DIR *d = io_list(parent);
    struct dirent *e;

    if (!d)
        return;
    while (io_next(d, &e) > 0) {
        struct stat st;

        if (strncmp(e->d_name, RESTORE_TEMP, strlen(RESTORE_TEMP)) != 0)
            continue;

        AUTO_CLOSE int fd =
            openat(parent, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_folder(parent, e->d_name, fd);
    }
    closedir(d);
}

int restore_place_begin(struct restore_place *p, int parent, struct error *err)
{
    unsigned long long number = 0;

    *p = (struct restore_place){.parent = parent, .fd = -1};
    remove_leftovers(parent);
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (unsigned long long)getpid();
    snprintf(p->name, sizeof p->name, RESTORE_TEMP "%016llx", number);
    if (mkdirat(parent, p->name, 0777) < 0) {
        p->name[0] = '\0';
        return error_set(err, errno, "no folder can be made there");
    }
    p->fd = openat(parent, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (p->fd < 0 || flock(p->fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, errno, "the folder that was made cannot be used");
    return 0;
}

int restore_place_sync(const struct restore_place *p, struct error *err)
{
    if (syncfs(p->fd) < 0)
        return error_set(err, errno, "what was restored cannot be put on the disk");
    return 0;
}

int restore_place_publish(struct restore_place *p, const char *name, struct error *err)
{
    if (renameat2(p->parent, p->name, p->parent, name, RENAME_NOREPLACE) < 0) {
        if (errno == EEXIST)
            return 1;
        return error_set(err, errno, "%s cannot get its name", name);
    }
    p->name[0] = '\0';
    if (fsync(p->parent) < 0)
        return error_set(err, errno, "the folder in which %s lies cannot be put on the disk", name);
    return 0;
}

int restore_place_move(const struct restore_place *p, const char *path, struct error *err)
{
    const char *name, *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");
    AUTO_CLOSE int from = beneath_parent(p->fd, path, &name);
    AUTO_CLOSE int to = *folder && beneath_mkdirs(p->parent, folder) < 0
                            ? -1
                            : beneath_open(p->parent, folder, O_RDONLY | O_DIRECTORY, 0);

    if (from < 0 || to < 0)
        return error_set(err, errno, "%s cannot be made", *folder ? folder : path);
    if (renameat2(from, name, to, name, RENAME_NOREPLACE) < 0) {
        if (errno == EEXIST)
            return 1;
        return error_set(err, errno, "it cannot get its name");
    }
    return fsync(to) < 0 ? error_set(err, errno, "%s cannot be put on the disk", folder) : 0;
}

void restore_place_end(struct restore_place *p)
{
    if (p->fd >= 0 && p->name[0])
        remove_folder(p->parent, p->name, p->fd);
    else if (p->name[0])
        unlinkat(p->parent, p->name, AT_REMOVEDIR);
    if (p->fd >= 0)
        close(p->fd);
    *p = (struct restore_place){.fd = -1};
}
