/*
 * rights: what is made in a folder takes that folder's group, mode and ACL, whatever the daemon's
 * umask says: who may work in a case may work in all of it, and nobody else may.
 */
#ifndef ORGANIZER_CABINET_RIGHTS_H
#define ORGANIZER_CABINET_RIGHTS_H

#include <stdbool.h>

/* For the new file fd in the folder dir: group, and the read and write bits or the default ACL, or
 * the ACL without the right to execute. Where the group cannot be given, another group may do no
 * more than all others. Returns 0 or -1 with errno. */
int rights_of_file(int dir, int fd);
/* For the file fd, wherever it lies: owner, group, read and write bits and access ACL of the folder dir,
 * so that who may not read there may not read it. An owner that cannot be given gets a line in the
 * ACL; a group that cannot be given may do no more than all others. owner_only: nobody else may do
 * anything. Returns 0 or -1 with errno. */
int rights_as_folder(int dir, int fd, bool owner_only);
/* Makes the folder path and its parents below root, each with the rights of the one it lies in. A
 * folder that is there already is fine and stays as it is. Returns 0 or -1 with errno. */
int rights_mkdirs(int root, const char *path);

#endif
