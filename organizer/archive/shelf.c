#include "archive/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/rights.h"

#define TEMP     IO_TEMP_PREFIX "archive-"
#define SUM      ".sha256"
#define SERIALS  9999
#define ATTEMPTS 100

/* One that another run is writing is locked; one that cannot be opened may be. */
static void remove_leftover(int dir, const char *name)
{
    AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 ? errno != ELOOP : flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    (void)unlinkat(dir, name, 0); /* what cannot be removed is tried again by the next run */
}

static void remove_leftovers(int dir)
{
    DIR *d = io_list(dir);
    struct dirent *e;

    if (!d)
        return;
    while (io_next(d, &e) > 0) /* what is not seen is removed by the next run, too */
        if (strncmp(e->d_name, TEMP, sizeof TEMP - 1) == 0)
            remove_leftover(dir, e->d_name);
    closedir(d);
}

int shelf_folder(int root, const char *folder)
{
    int fd = beneath_open(root, folder, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0 && errno == EXDEV && !strchr(folder, '/'))
        fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd;
}

void shelf_tidy(int root, const char *folder)
{
    AUTO_CLOSE int fd = shelf_folder(root, folder);

    if (fd >= 0)
        remove_leftovers(fd);
}

int shelf_open(struct shelf *s, int root, const char *folder, struct error *err)
{
    *s = (struct shelf){.dir = -1, .fd = -1};
    s->dir = shelf_folder(root, folder);
    if (s->dir < 0 && errno == ENOENT && rights_mkdirs(root, folder) == 0)
        s->dir = shelf_folder(root, folder);
    if (s->dir < 0)
        return error_set(err, errno, "the folder %s for archives cannot be opened", folder);
    remove_leftovers(s->dir);
    return 0;
}

static void drop_temp(struct shelf *s)
{
    cleanup_close(&s->fd);
    s->fd = -1;
    if (*s->temp)
        (void)unlinkat(s->dir, s->temp, 0);
    s->temp[0] = '\0';
}

void shelf_close(struct shelf *s)
{
    drop_temp(s);
    cleanup_close(&s->dir);
    s->dir = -1;
}

/* A new file under a temporary name. -1 with errno. */
static int make_temp(const struct shelf *s, char name[static 64], const char *ending)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        int fd;

        snprintf(name, 64, TEMP "%ld-%d%s", (long)getpid(), i, ending);
        fd = openat(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno != EOPNOTSUPP && errno != ENOLCK)
            continue; /* another run takes it for a leftover just now */
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int shelf_begin(struct shelf *s, struct error *err)
{
    drop_temp(s);
    s->fd = make_temp(s, s->temp, "");
    if (s->fd >= 0)
        return 0;
    s->temp[0] = '\0';
    return error_set(err, errno, "no archive can be written in the folder of archives");
}

int shelf_spool(struct shelf *s, struct error *err)
{
    char name[64];
    int fd = openat(s->dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    fd = make_temp(s, name, "-metadata");
    if (fd < 0)
        return error_set(err, errno, "no archive can be written in the folder of archives");
    (void)unlinkat(s->dir, name, 0);
    return fd;
}

/* ---- to its name ------------------------------------------------------------------------------ */

/* 0, or -1 with errno: EEXIST when the name is taken. */
static int rename_new(int dir, const char *from, const char *to)
{
    if (syscall(SYS_renameat2, dir, from, dir, to, 1U /* RENAME_NOREPLACE */) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(dir, from, dir, to, 0) < 0 ? -1 : unlinkat(dir, from, 0);
}

static int set_rights(const struct shelf_rights *r, int fd)
{
    return rights_as_folder(r->case_fd, fd, r->owner_only);
}

static bool is_taken(const struct shelf *s, const char *name)
{
    return faccessat(s->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static char *serial_name(const char *base, const char *ext, int serial)
{
    return serial == 1 ? xasprintf("%s%s", base, ext) : xasprintf("%s_%02d%s", base, serial, ext);
}

/* What got the name is what was written: who may write the folder could have put another file in
 * the temporary name's place, which then goes back there. */
static bool is_ours(const struct shelf *s, const char *to)
{
    struct stat named, written;

    if (fstatat(s->dir, to, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(s->fd, &written) == 0 &&
        named.st_dev == written.st_dev && named.st_ino == written.st_ino)
        return true;
    (void)rename_new(s->dir, to, s->temp);
    return false;
}

static int name_it(struct shelf *s, const char *base, const char *ext, char **name,
                   struct error *err)
{
    for (int i = 1; i <= SERIALS; i++) {
        AUTO_FREE char *to = serial_name(base, ext, i);
        AUTO_FREE char *sum = xasprintf("%s" SUM, to);

        if (is_taken(s, sum) || is_taken(s, to))
            continue;
        if (rename_new(s->dir, s->temp, to) == 0) {
            if (!is_ours(s, to)) {
                s->temp[0] = '\0'; /* not ours to remove */
                return error_set(err, 0, "somebody put another file in the place of the archive");
            }
            s->temp[0] = '\0';
            *name = xstrdup(to);
            return 0;
        }
        if (errno != EEXIST)
            return error_set(err, errno, "the archive cannot be given its name %s", to);
    }
    return error_set(err, EEXIST, "all names from %s%s on are taken", base, ext);
}

void shelf_sum_line(struct str *out, const char *name, const struct digest *digest)
{
    char hex[DIGEST_HEX];
    bool odd = strpbrk(name, "\\\n\r") != NULL;

    /* As sha256sum writes names with such characters. */
    str_addf(out, "%s%s  ", odd ? "\\" : "", digest_hex(digest, hex));
    for (; *name; name++) {
        if (*name == '\\' || *name == '\n' || *name == '\r')
            str_addf(out, "\\%c", *name == '\n' ? 'n' : *name == '\r' ? 'r' : '\\');
        else
            str_addc(out, *name);
    }
    str_addc(out, '\n');
}

int shelf_write_sum(struct shelf *s, const char *name, const struct digest *digest,
                    const struct shelf_rights *rights, struct error *err)
{
    AUTO_FREE char *to = xasprintf("%s" SUM, name);
    AUTO_STR struct str line = STR_INIT;
    char temp[64];
    AUTO_CLOSE int fd = make_temp(s, temp, SUM);

    shelf_sum_line(&line, name, digest);
    if (fd >= 0 && io_write_all(fd, line.s, line.len) == 0 && set_rights(rights, fd) == 0 &&
        fsync(fd) == 0 && rename_new(s->dir, temp, to) == 0)
        return fsync(s->dir) == 0 ? 0 : error_set(err, errno, "the folder of archives");
    if (fd >= 0) {
        int saved = errno;

        (void)unlinkat(s->dir, temp, 0);
        errno = saved;
    }
    return fd >= 0 && errno == EEXIST ? 0 : error_set(err, errno, "%s cannot be written", to);
}

int shelf_publish(struct shelf *s, const char *base, const char *ext, const struct digest *digest,
                  const struct shelf_rights *rights, char **name, struct error *err)
{
    if (set_rights(rights, s->fd) < 0)
        return error_set(err, errno, "the archive cannot be given the rights of its case");
    if (fsync(s->fd) < 0)
        return error_set(err, errno, "the archive cannot be written");
    if (name_it(s, base, ext, name, err) < 0)
        return -1;
    if (fsync(s->dir) < 0)
        return error_set(err, errno, "the folder of archives cannot be written");
    return shelf_write_sum(s, *name, digest, rights, err);
}
