/*
 * io: reading and writing whole things, and files that are replaced or not at all.
 */
#ifndef ORGANIZER_BASE_IO_H
#define ORGANIZER_BASE_IO_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct digest;
struct error;
struct str;

/* Prefix of the temporary names that io_replace() makes; the watcher ignores it, and what a crash
 * leaves behind under it is removed at the next start when it is the daemon's own. */
#define IO_TEMP_PREFIX ".~organizer-"
/* Extended attribute of a file under such a name as long as what is in it is ours alone. */
#define IO_TEMP_MARK "user.organizer.temporary"
/* Gives fd that mark, or takes it away. Where there are no attributes, nothing happens. */
void io_mark_temp(int fd, bool temporary);
/* Gives it the mark for as long as its bytes have the digest d: what somebody writes into it is theirs. */
void io_mark_replaced(int fd, const struct digest *d);
/* Whether fd has the mark. */
bool io_is_temp(int fd);

/* Opens path below root without leaving it: openat2(2) with RESOLVE_BENEATH, NO_SYMLINKS,
 * NO_MAGICLINKS and NO_XDEV; O_CLOEXEC and O_NOCTTY are added, and O_NONBLOCK for what is not a
 * directory. path "" means root itself. Returns a descriptor, or -1 with errno. */
int beneath_open(int root, const char *path, int flags, mode_t mode);
/* As above for the folder that holds path; *name is set to the last part inside path. */
int beneath_parent(int root, const char *path, const char **name);
/* Makes the folder path and its parents below root (mode 0777 & ~umask, so that a default ACL of
 * the parent applies). A folder that is there already is fine. Returns 0 or -1 with errno. */
int beneath_mkdirs(int root, const char *path);

/* The folder fd, opened anew: with a position of its own, and told by itself of what could not be written
 * (syncfs(2) says it once to each open file). Owned by the caller. -1 with errno. */
int io_open_again(int fd);
/* A listing of the folder fd from its beginning, with a position of its own: fd's is not moved. The
 * caller ends it with closedir(). NULL with errno. */
DIR *io_list(int fd);
/* The same with fd itself, which is taken over, also when it fails. With -1 it is NULL, and errno
 * as it was. */
DIR *io_list_own(int fd);
/* The next entry of a listing but "." and "..": 1; 0 at the end; -1 with errno when it cannot be
 * read, and so what else lies there is not known. */
int io_next(DIR *d, struct dirent **e);
/* Whether a look at what lies in a folder that failed with this errno will fail the next time, too:
 * it is gone or another thing by now, nobody lets us, or it is too large. All else may be otherwise
 * in a moment. */
bool io_is_lasting(int number);

/* Writes all n bytes, through EINTR and short writes. Returns 0 or -1 with errno. */
int io_write_all(int fd, const void *p, size_t n);
/* Reads to the end, at most max bytes; more is an error (EFBIG). */
int io_read_all(int fd, struct str *out, size_t max);
/* The file name in folder dirfd, read with O_NOFOLLOW; must be a regular file. -1 with errno. */
int io_read_file(int dirfd, const char *name, struct str *out, size_t max);

/*
 * Replaces (or creates) name in folder dirfd with n bytes: exclusive temporary name, write,
 * fsync, rename over, fsync of the folder when durable. A crash leaves the old or the new file,
 * at worst a temporary beside it. The new file gets mode (0666 & ~umask when mode is 0).
 */
int io_replace(int dirfd, const char *name, const void *p, size_t n, mode_t mode, bool durable,
               struct error *err);

#endif
