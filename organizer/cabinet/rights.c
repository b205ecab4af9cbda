#include "cabinet/rights.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"

static int without_execute(acl_t acl)
{
    acl_entry_t entry;
    acl_permset_t perms;

    for (int r = acl_get_entry(acl, ACL_FIRST_ENTRY, &entry); r == 1;
         r = acl_get_entry(acl, ACL_NEXT_ENTRY, &entry))
        if (acl_get_permset(entry, &perms) < 0 || acl_delete_perm(perms, ACL_EXECUTE) < 0)
            return -1;
    return 0;
}

/* The folder's access ACL when it says more than mode bits; else NULL. */
static acl_t access_acl(int dir, bool for_file)
{
    acl_t acl = acl_get_fd(dir);

    if (!acl)
        return NULL;
    if (acl_equiv_mode(acl, NULL) != 0 && (!for_file || without_execute(acl) == 0))
        return acl;
    acl_free(acl);
    return NULL;
}

static bool has_default_acl(int dir)
{
    char path[64];
    acl_t acl;
    bool has;

    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    acl = acl_get_file(path, ACL_TYPE_DEFAULT);
    has = acl && acl_entries(acl) > 0;
    if (acl)
        acl_free(acl);
    return has;
}

/* As fchmod(). A new folder has the bit for its group (setgid) from the one it lies in; a service that may
 * not set it (RestrictSUIDSGID=, systemd.exec(5)) gives the permissions beside it as an ACL, which
 * leaves it. with_acl: they are given already. */
static int set_mode(int fd, mode_t mode, bool with_acl)
{
    acl_t acl;
    int rc;

    if (fchmod(fd, mode) == 0)
        return 0;
    if (errno != EPERM || !(mode & S_ISGID))
        return -1;
    if (with_acl)
        return 0;
    acl = acl_from_mode(mode & 0777);
    if (!acl)
        return -1;
    rc = acl_set_fd(fd, acl);
    acl_free(acl);
    return rc;
}

/* Group and rights of the folder for fd, new in it; mask: the bits that it can have. */
static int take(int dir, int fd, mode_t mask, bool file)
{
    struct stat folder, st;
    mode_t mode;
    acl_t acl;
    int rc;

    if (fstat(dir, &folder) < 0 || fstat(fd, &st) < 0)
        return -1;
    if (st.st_gid != folder.st_gid && fchown(fd, (uid_t)-1, folder.st_gid) < 0 && errno != EPERM)
        return -1;
    if (fstat(fd, &st) < 0)
        return -1;
    mode = folder.st_mode & mask;
    if (st.st_gid != folder.st_gid)
        return set_mode(fd, mode & (mode_t)(07707 | ((mode & 07) << 3)), false);
    if (has_default_acl(dir))
        return 0;
    acl = access_acl(dir, file);
    if (!acl)
        return set_mode(fd, mode, false);
    rc = acl_set_fd(fd, acl);
    acl_free(acl);
    return rc == 0 && !file ? set_mode(fd, mode, true) : rc;
}

int rights_of_file(int dir, int fd)
{
    return take(dir, fd, 0666, true);
}

/* ---- a file that lies elsewhere --------------------------------------------------------------- */

/* The permissions of the entry with that tag, or NULL. */
static acl_permset_t permissions(acl_t acl, acl_tag_t wanted)
{
    acl_entry_t entry;
    acl_permset_t perms;
    acl_tag_t tag;

    for (int r = acl_get_entry(acl, ACL_FIRST_ENTRY, &entry); r == 1;
         r = acl_get_entry(acl, ACL_NEXT_ENTRY, &entry))
        if (acl_get_tag_type(entry, &tag) == 0 && tag == wanted)
            return acl_get_permset(entry, &perms) == 0 ? perms : NULL;
    return NULL;
}

/* The owning group may do no more than all others. */
static int weaken_group(acl_t acl)
{
    static const acl_perm_t bits[] = {ACL_READ, ACL_WRITE};
    acl_permset_t group = permissions(acl, ACL_GROUP_OBJ), other = permissions(acl, ACL_OTHER);

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (!group || !other ||
            (acl_get_perm(other, bits[i]) != 1 && acl_delete_perm(group, bits[i]) < 0))
            return -1;
    return 0;
}

/* A line for who owns the folder, when the file could not be given away. */
static int add_user(acl_t *acl, uid_t uid, mode_t mode)
{
    bool masked = permissions(*acl, ACL_MASK) != NULL;
    acl_entry_t entry;
    acl_permset_t perms;

    if (acl_create_entry(acl, &entry) < 0 || acl_set_tag_type(entry, ACL_USER) < 0 ||
        acl_set_qualifier(entry, &uid) < 0 || acl_get_permset(entry, &perms) < 0 ||
        acl_clear_perms(perms) < 0 || (mode & S_IRUSR && acl_add_perm(perms, ACL_READ) < 0) ||
        (mode & S_IWUSR && acl_add_perm(perms, ACL_WRITE) < 0))
        return -1;
    /* A mask that is there must not grow: it may hold others back. */
    return masked ? 0 : acl_calc_mask(acl);
}

static int give_rights(int fd, acl_t *acl, const struct stat *folder)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || (st.st_gid != folder->st_gid && weaken_group(*acl) < 0) ||
        (st.st_uid != folder->st_uid && add_user(acl, folder->st_uid, folder->st_mode) < 0))
        return -1;
    if (acl_equiv_mode(*acl, &st.st_mode) == 0)
        return fchmod(fd, st.st_mode & 0666);
    return acl_set_fd(fd, *acl);
}

int rights_as_folder(int dir, int fd, bool owner_only)
{
    struct stat folder;
    acl_t acl;
    int rc;

    if (fstat(dir, &folder) < 0)
        return -1;
    if (fchown(fd, folder.st_uid, folder.st_gid) < 0 &&
        (errno != EPERM || (fchown(fd, (uid_t)-1, folder.st_gid) < 0 && errno != EPERM)))
        return -1;
    acl = owner_only ? acl_from_mode(0600) : access_acl(dir, true);
    if (!acl)
        acl = acl_from_mode(folder.st_mode & 0666);
    if (!acl)
        return -1;
    rc = give_rights(fd, &acl, &folder);
    acl_free(acl);
    return rc;
}

/* ---- folders ---------------------------------------------------------------------------------- */

static int make_folder(int parent, const char *name)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;

    /* A default ACL of the parent must find all bits; without one nothing is open for a moment. */
    if (fstat(parent, &st) < 0 ||
        mkdirat(parent, name, has_default_acl(parent) ? 0777 : st.st_mode & 0700) < 0)
        return errno == EEXIST ? 0 : -1;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -1 : take(parent, fd, 07777, false);
}

int rights_mkdirs(int root, const char *path)
{
    AUTO_FREE char *p = xstrdup(path);

    for (char *q = p; *q;) {
        char *slash = strchrnul(q, '/');
        char was = *slash;
        const char *name;
        AUTO_CLOSE int parent = -1;

        *slash = '\0';
        parent = beneath_parent(root, p, &name);
        if (parent < 0 || make_folder(parent, name) < 0)
            return -1;
        *slash = was;
        q = was ? slash + 1 : slash;
    }
    AUTO_CLOSE int fd = beneath_open(root, path, O_PATH | O_DIRECTORY, 0);

    return fd < 0 ? -1 : 0;
}
