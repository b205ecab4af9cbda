#include "archive/restore_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/bag_load.h"
#include "archive/bag_text.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/env.h"
#include "base/json.h"

#define MODE_FILE   0777U
#define MODE_FOLDER 03777U /* set-group-id and the sticky bit say who may do what in it */

/* ---- reading
 * --------------------------------------------------------------------------------- */

/* The bytes that hex says, NUL behind them; NULL when it is none. */
static char *from_hex(const char *hex, size_t *n)
{
    char *out = xmalloc(strlen(hex) / 2 + 1);

    *n = strlen(hex) / 2;
    if (hex_parse(hex, (uint8_t *)out, *n) < 0) {
        free(out);
        return NULL;
    }
    out[*n] = '\0';
    return out;
}

static int by_path(const void *a, const void *b)
{
    const struct restore_right *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* Returns false for what is no line about an entry. */
static bool read_line(struct restore_right *r, const char *line, size_t n)
{
    json_t *json = json_loadb(line, n, 0, NULL);
    const char *path = json ? json_get_text(json, "path") : NULL;
    const char *type = json ? json_get_text(json, "type") : NULL;
    const char *hex = json ? json_get_text(json, "name_hex") : NULL;
    size_t len = 0;
    bool ok = path && type;

    if (ok) {
        *r = (struct restore_right){.path = xstrdup(path),
                                    .text = xmemdup0(line, n),
                                    .file = strcmp(type, "file") == 0,
                                    .folder = strcmp(type, "folder") == 0};
        if (hex)
            r->exact = from_hex(hex, &len);
        /* A NUL in it, or a way out. */
        if (r->exact && (strlen(r->exact) != len || bag_path_plain(r->exact) != BAG_PATH_FINE)) {
            free(r->exact);
            r->exact = NULL;
        }
    }
    json_decref(json);
    return ok;
}

static void read_lines(struct restore_rights *r, const char *text, size_t n)
{
    size_t cap = 0;
    const char *end = text + n;

    *r = (struct restore_rights){.list = NULL};
    for (const char *p = text; p && p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);

        GROW(r->list, r->len, cap);
        r->len += read_line(&r->list[r->len], p, len);
        p = stop ? stop + 1 : end;
    }
    if (r->len)
        qsort(r->list, r->len, sizeof *r->list, by_path);
}

/* Its digests were read, and they are what the manifests say. */
static bool is_vouched_for(const struct bag *b, const struct bag_file *f)
{
    uint32_t both = f->wanted & f->found;

    for (size_t i = 0; i < b->hashes.len; i++)
        if ((both >> i & 1) && !bag_digest_right(b, f, i))
            return false;
    return both != 0;
}

int restore_rights_load(struct restore_rights *r, struct bag *b, struct error *err)
{
    struct bag_file *f = bag_find(b, BAG_METADATA);
    struct bag_tag *t;
    bool vouched;

    *r = (struct restore_rights){.list = NULL};
    if (!f || !f->present || f->kind != UNPACK_FILE)
        return 0;
    t = bag_text_of(b, f, err);
    if (!t)
        return -1;
    vouched = is_vouched_for(b, f);
    if (vouched)
        read_lines(r, t->text.s, t->text.len);
    str_clear(&t->text);
    return vouched ? 0 : 1;
}

const struct restore_right *restore_rights_find(const struct restore_rights *r, const char *path)
{
    struct restore_right key = {.path = (char *)(uintptr_t)path};

    return r->len ? bsearch(&key, r->list, r->len, sizeof key, by_path) : NULL;
}

void restore_rights_clear(struct restore_rights *r)
{
    for (size_t i = 0; i < r->len; i++) {
        free(r->list[i].path);
        free(r->list[i].exact);
        free(r->list[i].text);
    }
    free(r->list);
    *r = (struct restore_rights){.list = NULL};
}

/* ---- giving
 * ---------------------------------------------------------------------------------- */

static void count(struct restore_rights *r, int failed)
{
    r->refused += failed != 0;
}

/* Numbers mean somebody else on another server: names first. */
static void give_owner(struct restore_rights *r, const json_t *json, int fd)
{
    const char *user = json_get_text(json, "user"), *group = json_get_text(json, "group");
    const struct passwd *pw = user ? getpwnam(user) : NULL;
    uid_t uid = pw ? pw->pw_uid : (uid_t)json_get_num(json, "uid", -1);
    const struct group *gr = group ? getgrnam(group) : NULL;
    gid_t gid = gr ? gr->gr_gid : (gid_t)json_get_num(json, "gid", -1);
    struct stat st;

    if (fstat(fd, &st) < 0 || (st.st_uid == uid && st.st_gid == gid))
        return;
    /* The group alone is more often permitted. */
    if (fchown(fd, uid, gid) < 0 && (st.st_gid == gid || fchown(fd, (uid_t)-1, gid) < 0))
        r->refused++;
    else if (fstat(fd, &st) == 0 && st.st_uid != uid)
        r->refused++;
}

static void give_acl(struct restore_rights *r, const char *text, int fd, acl_type_t type)
{
    char path[64];
    acl_t acl = text ? acl_from_text(text) : NULL;

    if (!acl)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    count(r, acl_valid(acl) ||
                 (type == ACL_TYPE_ACCESS ? acl_set_fd(fd, acl) : acl_set_file(path, type, acl)));
    acl_free(acl);
}

/* Of a user's kind only. */
static void give_xattrs(struct restore_rights *r, json_t *xattrs, int fd)
{
    const char *name;
    json_t *value;

    json_object_foreach(xattrs, name, value)
    {
        size_t n = 0;
        AUTO_FREE char *bytes =
            json_is_string(value) ? from_hex(json_string_value(value), &n) : NULL;

        if (strncmp(name, "user.", 5) != 0 || !bytes)
            r->refused++;
        else
            count(r, fsetxattr(fd, name, bytes, n, 0));
    }
}

static void give_time(struct restore_rights *r, const char *text, int fd)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0, 0}};
    int64_t t;

    if (!text || time_parse(text, &t) < 0)
        return;
    times[1].tv_sec = t / NS_PER_S - (t % NS_PER_S < 0);
    times[1].tv_nsec = t - times[1].tv_sec * NS_PER_S;
    count(r, futimens(fd, times));
}

void restore_rights_give(struct restore_rights *r, const struct restore_right *right, int fd)
{
    json_t *json = json_loads(right->text, 0, NULL);
    const char *mode = json ? json_get_text(json, "mode") : NULL;

    if (!json)
        return;
    give_owner(r, json, fd);
    if (mode)
        count(r, fchmod(fd, (mode_t)strtoul(mode, NULL, 8) &
                                (right->folder ? MODE_FOLDER : MODE_FILE)));
    give_acl(r, json_get_text(json, "acl"), fd, ACL_TYPE_ACCESS);
    if (right->folder)
        give_acl(r, json_get_text(json, "default_acl"), fd, ACL_TYPE_DEFAULT);
    give_xattrs(r, json_object_get(json, "xattrs"), fd);
    give_time(r, json_get_text(json, "mtime"), fd);
    json_decref(json);
}
