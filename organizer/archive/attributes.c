#include "archive/attributes.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/io.h"
#include "base/json.h"
#include "decide/lang.h"
#include "record/journal.h"

#define VALUE_MAX 65536 /* of an extended attribute, by Linux */

void attributes_header(struct str *out, const struct lang *lang)
{
    str_addc(out, '{');
    json_text(out, "format", "organizer-metadata");
    json_num(out, "v", 1);
    json_text(out, "about", lang_get(lang, "archive.metadata"));
    str_add(out, "}\n");
}

static void add_hex(struct str *out, const char *key, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    json_key(out, key);
    str_addc(out, '"');
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%02x", p[i]);
    str_addc(out, '"');
}

static const char *type_of(mode_t mode)
{
    return S_ISREG(mode)    ? "file"
           : S_ISDIR(mode)  ? "folder"
           : S_ISLNK(mode)  ? "link"
           : S_ISFIFO(mode) ? "pipe"
           : S_ISSOCK(mode) ? "socket"
                            : "device";
}

static void add_owner(struct str *out, const struct stat *st)
{
    const struct passwd *user = getpwuid(st->st_uid);
    const struct group *group = getgrgid(st->st_gid);

    json_num(out, "uid", st->st_uid);
    json_num(out, "gid", st->st_gid);
    if (user)
        json_text(out, "user", user->pw_name);
    if (group)
        json_text(out, "group", group->gr_name);
}

static void add_time(struct str *out, const struct timespec *t)
{
    char text[40];
    struct tm tm;
    size_t n;

    gmtime_r(&t->tv_sec, &tm);
    n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%09ldZ", t->tv_nsec);
    json_text(out, "mtime", text);
}

static void add_acl(struct str *out, const char *key, acl_t acl)
{
    char *text;

    if (!acl)
        return;
    if (acl_entries(acl) > 0 && (strcmp(key, "acl") != 0 || acl_equiv_mode(acl, NULL) != 0)) {
        text = acl_to_any_text(acl, NULL, ',', TEXT_NUMERIC_IDS);
        if (text)
            json_text(out, key, text);
        acl_free(text);
    }
    acl_free(acl);
}

static void add_acls(struct str *out, int fd, bool folder)
{
    char path[64];

    add_acl(out, "acl", acl_get_fd(fd));
    if (!folder)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    add_acl(out, "default_acl", acl_get_file(path, ACL_TYPE_DEFAULT));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in order, so that the same attributes give the same line. ACLs have members of their own. */
static size_t sort_names(char *list, size_t n, const char **names, size_t max)
{
    size_t len = 0;

    for (char *p = list; p < list + n && len < max; p += strlen(p) + 1)
        if (strncmp(p, "system.posix_acl_", 17) != 0)
            names[len++] = p;
    qsort(names, len, sizeof *names, by_name);
    return len;
}

static void add_xattrs(struct str *out, int fd)
{
    char list[4096];
    const char *names[256];
    ssize_t n = flistxattr(fd, list, sizeof list);
    size_t len = n > 0 ? sort_names(list, (size_t)n, names, 256) : 0;
    AUTO_FREE char *value = len ? xmalloc(VALUE_MAX) : NULL;

    if (!len)
        return;
    json_key(out, "xattrs");
    str_addc(out, '{');
    for (size_t i = 0; i < len; i++) {
        n = fgetxattr(fd, names[i], value, VALUE_MAX);
        if (n >= 0)
            add_hex(out, names[i], value, (size_t)n);
    }
    str_addc(out, '}');
}

/* The case folder and .organizer change whenever the organizer writes in them. */
static bool has_time(const struct payload_entry *e)
{
    if (e->kind == PAYLOAD_FOLDER)
        return *e->path && strcmp(e->path, JOURNAL_FOLDER) != 0;
    return e->kind != PAYLOAD_PAGE && e->kind != PAYLOAD_JOURNAL;
}

static int add_link(struct str *out, const struct payload_entry *e, int case_fd)
{
    char target[PATH_MAX];
    const char *name;
    AUTO_CLOSE int parent = beneath_parent(case_fd, e->path, &name);
    ssize_t n = parent < 0 ? -1 : readlinkat(parent, name, target, sizeof target);

    if (n >= 0)
        add_hex(out, "target_hex", target, (size_t)n);
    return n < 0 ? -1 : 0;
}

static void begin(struct str *out, const struct payload_entry *e)
{
    AUTO_FREE char *path = xasprintf("data%s%s", *e->stored ? "/" : "", e->stored);
    char mode[16];

    str_addc(out, '{');
    json_text(out, "path", path);
    if (e->stored != e->path)
        add_hex(out, "name_hex", e->path, strlen(e->path));
    json_text(out, "type", type_of(e->mode));
    snprintf(mode, sizeof mode, "%04o", e->mode & 07777U);
    json_text(out, "mode", mode);
}

int attributes_add(struct str *out, const struct payload_entry *e, int fd, int case_fd)
{
    struct stat st;
    const char *name;
    AUTO_CLOSE int parent = fd < 0 ? beneath_parent(case_fd, e->path, &name) : -1;

    if (fd >= 0 ? fstat(fd, &st) < 0
                : parent < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    begin(out, e);
    add_owner(out, &st);
    if (has_time(e))
        add_time(out, &st.st_mtim);
    if (fd >= 0) {
        add_acls(out, fd, e->kind == PAYLOAD_FOLDER);
        if (e->kind != PAYLOAD_PAGE)
            add_xattrs(out, fd);
    }
    if (e->kind == PAYLOAD_DOCUMENT && !(e->flags & PAYLOAD_RECORDED))
        json_bool(out, "recorded", false);
    if (S_ISLNK(e->mode) && add_link(out, e, case_fd) < 0)
        return -1;
    str_add(out, "}\n");
    return 0;
}
