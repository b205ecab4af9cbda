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

#include "archive/bag_index.h"
#include "archive/bag_load.h"
#include "archive/bag_text.h"
#include "archive/wanted.h"
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

static const char *keep(struct bag *b, const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(bag_table_room(&b->files, n), s, n);
}

/* The name in the bag's own list, where it is there. */
static const char *keep_path(struct bag *b, const char *path)
{
    const struct bag_file *f = bag_find(b, path);

    return f ? bag_path_in(b, f) : keep(b, path);
}

/* NULL for one with a NUL in it, or a way out. */
static const char *keep_exact(struct bag *b, const char *hex)
{
    size_t len = 0;
    AUTO_FREE char *exact = from_hex(hex, &len);

    if (!exact || strlen(exact) != len || bag_path_plain(exact) != BAG_PATH_FINE)
        return NULL;
    return keep(b, exact);
}

/* What is left of the line when its own members are gone. */
static const char *keep_rest(struct restore_rights *r, json_t *json)
{
    static const char *const own[] = {"path", "name_hex", "mtime"};
    AUTO_FREE char *text = NULL;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        json_object_del(json, own[i]);
    text = json_dumps(json, JSON_COMPACT);
    return text ? bag_table_add(&r->rests, text)->path : NULL;
}

static void take_json(struct restore_rights *r, json_t *json)
{
    const char *path = json_get_text(json, "path"), *type = json_get_text(json, "type");
    const char *hex = json_get_text(json, "name_hex"), *time = json_get_text(json, "mtime");
    struct restore_right x = {.exact = hex ? keep_exact(r->bag, hex) : NULL};

    if (!path || !type)
        return;
    x.path = keep_path(r->bag, path);
    x.file = strcmp(type, "file") == 0;
    x.folder = strcmp(type, "folder") == 0;
    x.timed = time && time_parse(time, &x.mtime_ns) == 0;
    x.rest = keep_rest(r, json);
    if (!x.rest)
        return;
    GROW(r->list, r->len, r->cap);
    r->list[r->len++] = x;
}

/* Whether the line, as the organizer writes it, is surely about a file that nobody asks for. */
static bool is_aside(const struct bag *b, char *line, size_t n)
{
    static const char start[] = "{\"path\":\"";
    char *path = line + sizeof start - 1, *end;
    bool aside;

    if (!b->wanted || n < sizeof start || memcmp(line, start, sizeof start - 1) != 0 ||
        !(end = memchr(path, '"', n - sizeof start + 1)) || strstr(end, "\"type\":\"folder\""))
        return false;
    *end = '\0';
    aside = wanted_is_aside(b->wanted, path);
    *end = '"';
    return aside;
}

static void take_line(void *ctx, char *line, size_t n, size_t number)
{
    struct restore_rights *r = ctx;
    bool aside = r->names ? !strstr(line, "\"name_hex\"") : is_aside(r->bag, line, n);
    json_t *json = aside ? NULL : json_loadb(line, n, 0, NULL);

    (void)number;
    if (json)
        take_json(r, json);
    json_decref(json);
}

/* The lines about what is wanted, and the folders above. Returns as bag_index_metadata(). */
static int load_by_index(struct restore_rights *r, const struct bag_file *f)
{
    struct bag_feed feed = {.line = take_line, .ctx = r};
    int rc = r->bag->index && !r->names
                 ? bag_index_metadata(r->bag->index, f, bag_feed_add, &feed)
                 : 1;

    return bag_feed_end(&feed) ? rc : 1;
}

static int load_all(struct restore_rights *r, struct bag_file *f, struct error *err)
{
    struct bag_feed feed = {.line = take_line, .ctx = r};
    int rc = bag_read_text(r->bag, f, bag_feed_add, &feed, err);

    if (!bag_feed_end(&feed) || f->damaged || rc < 0 || !bag_is_vouched_for(r->bag, f)) {
        r->len = 0;
        return rc < 0 ? -1 : 1;
    }
    return 0;
}

static int load(struct restore_rights *r, struct bag *b, bool names, struct error *err)
{
    struct bag_file *f = bag_find(b, BAG_METADATA);
    int rc;

    *r = (struct restore_rights){.bag = b, .names = names};
    if (!f || !f->present || f->kind != UNPACK_FILE)
        return 0;
    rc = load_by_index(r, f);
    if (rc > 0) {
        r->len = 0;
        rc = load_all(r, f, err);
    }
    if (r->len)
        qsort(r->list, r->len, sizeof *r->list, by_path);
    return rc;
}

int restore_rights_load(struct restore_rights *r, struct bag *b, struct error *err)
{
    return load(r, b, false, err);
}

int restore_names_load(struct restore_rights *r, struct bag *b, struct error *err)
{
    return load(r, b, true, err);
}

const struct restore_right *restore_rights_find(const struct restore_rights *r, const char *path)
{
    struct restore_right key = {.path = path};

    return r->len ? bsearch(&key, r->list, r->len, sizeof key, by_path) : NULL;
}

void restore_rights_clear(struct restore_rights *r)
{
    json_decref(r->json);
    bag_table_clear(&r->rests);
    free(r->list);
    *r = (struct restore_rights){.list = NULL};
}

/* ---- giving
 * ---------------------------------------------------------------------------------- */

static void count(struct restore_rights *r, int failed)
{
    r->refused += failed != 0;
}

/* Takes the rest apart, which is mostly that of the one before. Numbers mean somebody else on another
 * server: names first. */
static const json_t *take_apart(struct restore_rights *r, const char *rest)
{
    const char *user, *group;
    const struct passwd *pw;
    const struct group *gr;

    if (r->now == rest)
        return r->json;
    json_decref(r->json);
    r->now = rest;
    r->json = json_loads(rest, 0, NULL);
    user = r->json ? json_get_text(r->json, "user") : NULL;
    group = r->json ? json_get_text(r->json, "group") : NULL;
    pw = user ? getpwnam(user) : NULL;
    r->uid = pw ? pw->pw_uid : (uid_t)json_get_num(r->json, "uid", -1);
    gr = group ? getgrnam(group) : NULL;
    r->gid = gr ? gr->gr_gid : (gid_t)json_get_num(r->json, "gid", -1);
    return r->json;
}

static void give_owner(struct restore_rights *r, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || (st.st_uid == r->uid && st.st_gid == r->gid))
        return;
    /* The group alone is more often permitted. */
    if (fchown(fd, r->uid, r->gid) < 0 &&
        (st.st_gid == r->gid || fchown(fd, (uid_t)-1, r->gid) < 0))
        r->refused++;
    else if (fstat(fd, &st) == 0 && st.st_uid != r->uid)
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

static void give_time(struct restore_rights *r, int64_t t, int fd)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0, 0}};

    times[1].tv_sec = t / NS_PER_S - (t % NS_PER_S < 0);
    times[1].tv_nsec = t - times[1].tv_sec * NS_PER_S;
    count(r, futimens(fd, times));
}

void restore_rights_give(struct restore_rights *r, const struct restore_right *right, int fd)
{
    const json_t *json = take_apart(r, right->rest);
    const char *mode = json ? json_get_text(json, "mode") : NULL;

    if (!json)
        return;
    give_owner(r, fd);
    if (mode)
        count(r, fchmod(fd, (mode_t)strtoul(mode, NULL, 8) &
                                (right->folder ? MODE_FOLDER : MODE_FILE)));
    give_acl(r, json_get_text(json, "acl"), fd, ACL_TYPE_ACCESS);
    if (right->folder)
        give_acl(r, json_get_text(json, "default_acl"), fd, ACL_TYPE_DEFAULT);
    give_xattrs(r, json_object_get(json, "xattrs"), fd);
    if (right->timed)
        give_time(r, right->mtime_ns, fd);
}
