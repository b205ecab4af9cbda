#include "watch/contents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"

#define BUF_SIZE  65536
#define KEEP_SIZE 65536 /* memory for names that the next folder may use */

void lister_init(struct lister *l, int root)
{
    *l = (struct lister){.root = root, .no_atime = true, .buf = xmalloc(BUF_SIZE)};
}

void lister_clear(struct lister *l)
{
    free(l->buf);
    l->buf = NULL;
}

int contents_open(struct lister *l, const char *path, struct contents *to)
{
    int flags = O_RDONLY | O_DIRECTORY;

    str_reset(&to->names);
    to->error = 0;
    to->fd = beneath_open(l->root, path, flags | (l->no_atime ? O_NOATIME : 0), 0);
    if (to->fd < 0 && errno == EPERM && l->no_atime) {
        /* Only the owner may; from here on reading marks folders as read. */
        l->no_atime = false;
        to->fd = beneath_open(l->root, path, flags, 0);
    }
    if (to->fd >= 0)
        return 0;
    to->error = errno;
    return -1;
}

void contents_read(struct lister *l, struct contents *to)
{
    ssize_t n;

    while ((n = getdents64(to->fd, l->buf, BUF_SIZE)) > 0) {
        for (const char *p = l->buf; p < l->buf + n;) {
            const struct dirent64 *d = (const void *)p;
            const char *name = d->d_name;

            p += d->d_reclen;
            if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
                continue;
            str_addc(&to->names, (char)d->d_type);
            str_addn(&to->names, name, strlen(name) + 1);
        }
    }
    if (n < 0)
        to->error = errno;
}

void contents_close(struct contents *to)
{
    if (to->fd >= 0)
        close(to->fd);
    to->fd = -1;
    if (to->names.cap > KEEP_SIZE)
        str_clear(&to->names);
    else
        str_reset(&to->names);
}

void contents_clear(struct contents *to)
{
    contents_close(to);
    str_clear(&to->names);
}
