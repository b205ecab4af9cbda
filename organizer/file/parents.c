#include "file/parents.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "file/datasync.h"

void parents_begin(struct parents *p)
{
    if (p->acts == PARENTS_ACTS)
        parents_clear(p);
    p->acts++;
}

static int find(const struct parents *p, const char *folder, size_t len)
{
    for (size_t i = 0; i < p->len; i++)
        if (p->list[i].len == len && memcmp(p->list[i].folder, folder, len) == 0)
            return p->list[i].fd;
    return -1;
}

int parents_open(struct parents *p, int root, const char *path, const char **name,
                 struct folders *touched)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    int fd = find(p, path, len);

    *name = slash ? slash + 1 : path;
    if (fd >= 0)
        return fd;
    fd = beneath_parent(root, path, name);
    if (fd < 0)
        return -1;
    p->list[p->len++] = (struct parent){xmemdup0(path, len), len, fd};
    /* Where there are no descriptors left, all is synced. */
    folders_add(touched, fcntl(fd, F_DUPFD_CLOEXEC, 3));
    return fd;
}

void parents_clear(struct parents *p)
{
    while (p->len > 0) {
        struct parent *last = &p->list[--p->len];

        close(last->fd);
        free(last->folder);
    }
    p->acts = 0;
}
