/*
 * access: who may read a folder, by mode and POSIX ACL, compared with who may read the cabinet.
 */
#ifndef ORGANIZER_CABINET_ACCESS_H
#define ORGANIZER_CABINET_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who wants to read: a user, with the groups of the process that asks. */
struct access_reader {
    uid_t uid;
    const gid_t *groups; /* the primary one, too; borrowed */
    size_t groups_len;
};

/*
 * Whether the reader may read what lies at path below root (a folder: list and enter it), and come
 * to it through root and all folders between. The superuser may. In doubt (an ACL that cannot be
 * read, nothing there) false. What lies above root is not looked at, nor rights that only a server
 * knows (NFSv4, Samba's own lists).
 */
bool access_may_read(int root, const char *path, const struct access_reader *who);

/*
 * True when somebody who may read (list and enter) the folder root may not read the folder fd, or
 * may not come to it through its parents: path is where fd lies below root. Root's superuser does
 * not count. In doubt (an ACL that cannot be read) true: what is hidden too much harms nobody.
 */
bool access_restricted(int root, int fd, const char *path);
/* True when somebody who may read the folder fd by its own rights is kept out by one above it, which
 * path (where fd lies below root) leads through. In doubt true. */
bool access_walled(int root, int fd, const char *path);

#endif
