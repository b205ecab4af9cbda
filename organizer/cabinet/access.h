/*
 * access: who may read a folder, by mode and POSIX ACL, compared with who may read the cabinet.
 */
#ifndef ORGANIZER_CABINET_ACCESS_H
#define ORGANIZER_CABINET_ACCESS_H

#include <stdbool.h>

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
