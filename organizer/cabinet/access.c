#include "cabinet/access.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/io.h"

#define READ_ENTER 5 /* r-x */
#define ENTER      1 /* --x */
#define READ       4 /* r-- */

/* One line of an access list: a user or group by number, with what it may do after the mask. */
struct grant {
    bool group;
    unsigned id;
    unsigned may;
};

/* An access list without its mask. The first grants are the owner and the owning group. */
struct access {
    struct grant *grants;
    size_t len;
    unsigned other;
};

static void add(struct access *a, bool group, unsigned id, unsigned may)
{
    a->grants = xreallocarray(a->grants, a->len + 1, sizeof *a->grants);
    a->grants[a->len++] = (struct grant){.group = group, .id = id, .may = may};
}

static unsigned bits_of(acl_entry_t entry)
{
    acl_permset_t set;
    unsigned may = 0;

    if (acl_get_permset(entry, &set) < 0)
        return 0;
    may |= acl_get_perm(set, ACL_READ) == 1 ? 4U : 0;
    may |= acl_get_perm(set, ACL_WRITE) == 1 ? 2U : 0;
    may |= acl_get_perm(set, ACL_EXECUTE) == 1 ? 1U : 0;
    return may;
}

static void add_entry(struct access *a, acl_entry_t entry, const struct stat *st, unsigned *mask)
{
    acl_tag_t tag;
    void *id;

    if (acl_get_tag_type(entry, &tag) < 0)
        return;
    switch (tag) {
    case ACL_USER_OBJ:
        add(a, false, st->st_uid, bits_of(entry));
        break;
    case ACL_GROUP_OBJ:
        add(a, true, st->st_gid, bits_of(entry));
        break;
    case ACL_USER:
    case ACL_GROUP:
        id = acl_get_qualifier(entry);
        if (id)
            add(a, tag == ACL_GROUP, *(const unsigned *)id, bits_of(entry));
        acl_free(id);
        break;
    case ACL_MASK:
        *mask = bits_of(entry);
        break;
    default:
        a->other = bits_of(entry);
    }
}

/* The list of fd, which may be an O_PATH one. */
static acl_t list_of(int fd)
{
    char path[40];
    acl_t acl = acl_get_fd(fd);

    if (acl || errno != EBADF)
        return acl;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return acl_get_file(path, ACL_TYPE_ACCESS);
}

/* Returns 0, or -1 when it cannot be read. */
static int access_take(struct access *a, int fd)
{
    struct stat st;
    acl_entry_t entry;
    unsigned mask = 7;
    acl_t acl;

    memset(a, 0, sizeof *a);
    if (fstat(fd, &st) < 0)
        return -1;
    acl = list_of(fd);
    if (!acl)
        acl = acl_from_mode(st.st_mode);
    if (!acl)
        return -1;
    for (int more = acl_get_entry(acl, ACL_FIRST_ENTRY, &entry); more == 1;
         more = acl_get_entry(acl, ACL_NEXT_ENTRY, &entry))
        add_entry(a, entry, &st, &mask);
    acl_free(acl);
    /* The owner is not masked; everybody else but `other` is. */
    for (size_t i = 0; i < a->len; i++)
        if (a->grants[i].group || i > 0)
            a->grants[i].may &= mask;
    return 0;
}

/* What this user or group may do as far as the list tells: its own line, else `other`. */
static unsigned may(const struct access *a, bool group, unsigned id)
{
    for (size_t i = 0; i < a->len; i++)
        if (a->grants[i].group == group && a->grants[i].id == id)
            return a->grants[i].may;
    return a->other;
}

/* Whoever reads `all` may do `need` in `one`. Users' memberships are not looked up: a user who
 * reads by a line of the user's own needs one here too, or `other`. */
static bool everyone_may(const struct access *all, const struct access *one, unsigned need)
{
    if ((all->other & READ_ENTER) == READ_ENTER && (one->other & need) != need)
        return false;
    for (size_t i = 0; i < all->len; i++) {
        const struct grant *g = &all->grants[i];

        if ((g->group || g->id != 0) && (g->may & READ_ENTER) == READ_ENTER &&
            (may(one, g->group, g->id) & need) != need)
            return false;
    }
    for (size_t i = 0; i < one->len; i++) {
        const struct grant *g = &one->grants[i];

        if ((g->group || g->id != 0) && (g->may & need) != need &&
            (may(all, g->group, g->id) & READ_ENTER) == READ_ENTER)
            return false;
    }
    return true;
}

static bool folder_bars(const struct access *all, int fd, unsigned need)
{
    struct access one;
    bool bars = access_take(&one, fd) < 0 || !everyone_may(all, &one, need);

    free(one.grants);
    return bars;
}

static bool parents_bar(const struct access *all, int root, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *parent = xmemdup0(path, (size_t)(slash - path));
        AUTO_CLOSE int fd = beneath_open(root, parent, O_RDONLY | O_DIRECTORY, 0);

        if (fd < 0 || folder_bars(all, fd, ENTER))
            return true;
    }
    return false;
}

bool access_restricted(int root, int fd, const char *path)
{
    struct access all;
    bool restricted = access_take(&all, root) < 0 || folder_bars(&all, fd, READ_ENTER) ||
                      parents_bar(&all, root, path);

    free(all.grants);
    return restricted;
}

bool access_walled(int root, int fd, const char *path)
{
    struct access all;
    bool walled = access_take(&all, fd) < 0 || parents_bar(&all, root, path);

    free(all.grants);
    return walled;
}

/* ---- one reader -------------------------------------------------------------------------------
 */

static bool has_group(const struct access_reader *who, gid_t g)
{
    for (size_t i = 0; i < who->groups_len; i++)
        if (who->groups[i] == g)
            return true;
    return false;
}

/* As the kernel decides (acl(5), "access check algorithm"): the owner's line, else the user's own,
 * else any of the groups', else `other`. */
static bool reader_may(const struct access *a, const struct access_reader *who, unsigned need)
{
    bool member = false;

    for (size_t i = 0; i < a->len; i++)
        if (!a->grants[i].group && a->grants[i].id == who->uid)
            return (a->grants[i].may & need) == need;
    for (size_t i = 0; i < a->len; i++) {
        if (!a->grants[i].group || !has_group(who, a->grants[i].id))
            continue;
        if ((a->grants[i].may & need) == need)
            return true;
        member = true;
    }
    return !member && (a->other & need) == need;
}

/* What lies at path; "" is root. */
static bool may_at(int root, const char *path, bool last, const struct access_reader *who)
{
    AUTO_CLOSE int fd = beneath_open(root, path, O_PATH, 0);
    struct access a = {0};
    struct stat st;
    bool may;

    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    may = access_take(&a, fd) == 0 && reader_may(&a, who,
                                                 !last                 ? ENTER
                                                 : S_ISDIR(st.st_mode) ? READ_ENTER
                                                                       : READ);
    free(a.grants);
    return may;
}

bool access_may_read(int root, const char *path, const struct access_reader *who)
{
    if (who->uid == 0)
        return true;
    if (!may_at(root, "", !*path, who))
        return false;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *parent = xmemdup0(path, (size_t)(slash - path));

        if (!may_at(root, parent, false, who))
            return false;
    }
    return !*path || may_at(root, path, true, who);
}
