/* locate: which cabinet it is, and where its private state lies: all that a verb needs to ask its daemon. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/cabinet.h"
#include "record/doc.h"

#define ID_LEN CABINET_ID_LEN
/* A file is born before it is written for the last time; a copy that keeps times, after. */
#define COPY_NS (10 * NS_PER_S)

static bool is_cabinet(const char *dir)
{
    AUTO_FREE char *id = xasprintf("%s/" CABINET_ID, strcmp(dir, "/") == 0 ? "" : dir);
    struct stat st;

    return lstat(id, &st) == 0 && S_ISREG(st.st_mode);
}

char *cabinet_find(const char *start, struct error *err)
{
    char *dir = realpath(start ? start : ".", NULL);

    if (!dir) {
        error_set(err, errno, "cannot find %s", start ? start : "the current folder");
        return NULL;
    }
    while (!is_cabinet(dir)) {
        char *slash = strrchr(dir, '/');

        if (slash == dir && !dir[1]) {
            free(dir);
            error_set(err, 0, "no cabinet holds %s: make a folder one with `organizer init FOLDER`",
                      start ? start : "the current folder");
            return NULL;
        }
        slash[slash == dir] = '\0';
    }
    return dir;
}

bool cabinet_lies_in(const char *cabinet, const char *path)
{
    size_t n = strcspn(path, "/");
    AUTO_FREE char *first = xasprintf("%s/%.*s", cabinet, (int)n, path);
    struct stat st;

    if (n == 0 || *path == '.' || strstr(path, "/."))
        return false;
    return lstat(first, &st) == 0 && S_ISDIR(st.st_mode);
}

char *cabinet_find_gone(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *cabinet = cabinet_find(path, err);

    if (!cabinet && slash && slash > path) {
        AUTO_FREE char *dir = xmemdup0(path, (size_t)(slash - path));
        struct error none = ERROR_INIT;

        cabinet = cabinet_find(dir, &none);
    }
    return cabinet;
}

/* mkdir -p with mode 0700 for what is made. */
static int make_private(const char *path)
{
    char *p = xstrdup(path);
    int rc = 0;

    for (char *q = p + 1; rc == 0; q++) {
        char was = *q;

        if (was != '/' && was)
            continue;
        *q = '\0';
        if (mkdir(p, 0700) < 0 && errno != EEXIST)
            rc = -1;
        *q = was;
        if (!was)
            break;
    }
    free(p);
    return rc;
}

static int open_state_dir(struct cabinet *c, const struct env *env, struct error *err)
{
    struct stat st;

    if (!env->state_home || env->state_home[0] != '/')
        return error_set(err, 0,
                         "there is no place for the private state: "
                         "set HOME, or STATE_DIRECTORY to a private folder (an absolute path)");
    c->state_dir = xasprintf("%s/%s", env->state_home, c->id);
    if (make_private(c->state_dir) < 0)
        return error_set(err, errno, "cannot make the folder of the private state, %s",
                         c->state_dir);
    if (lstat(c->state_dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return error_set(err, ENOTDIR, "%s, for the private state, is no folder", c->state_dir);
    if (st.st_uid != geteuid())
        return error_set(err, EPERM,
                         "the private state in %s belongs to user %u: run this as that user",
                         c->state_dir, st.st_uid);
    if ((st.st_mode & 077) && chmod(c->state_dir, 0700) < 0)
        return error_set(err, errno, "cannot make %s private (mode 0700)", c->state_dir);
    return 0;
}

static bool is_id(const char *s, size_t n)
{
    return n >= ID_LEN && strspn(s, "0123456789abcdef") == ID_LEN &&
           (n == ID_LEN || s[ID_LEN] == '\n' || strncmp(s + ID_LEN, "\r\n", 2) == 0);
}

void cabinet_place_text(int folder, char *text, size_t size)
{
    struct doc_stamp stamp = {0};

    if (doc_stamp_take(folder, -1, NULL, &stamp) == 0)
        snprintf(text, size, "%llu %lld", (unsigned long long)stamp.ino, (long long)stamp.birth_ns);
}

/* Whether the id was made in another folder than the one it lies in. An id without that line was
 * made by an older organizer: a copy of it was born later than it was written. */
static bool is_elsewhere(const struct cabinet *c, const char *id, const struct doc_stamp *stamp)
{
    const char *line = strchr(id, '\n');
    size_t n = strlen(c->place);

    if (!line || !line[1])
        return stamp->birth_ns - stamp->mtime_ns > COPY_NS;
    return strncmp(line + 1, c->place, n) != 0 || (line[1 + n] && !strchr("\r\n", line[1 + n]));
}

static int read_id(struct cabinet *c, struct error *err)
{
    AUTO_STR struct str text = STR_INIT;
    struct doc_stamp stamp;
    AUTO_CLOSE int dir = beneath_open(c->root, CABINET_FOLDER, O_RDONLY | O_DIRECTORY, 0);

    if ((dir < 0 || io_read_file(dir, "cabinet-id", &text, 4096) < 0) && errno == ENOENT)
        return error_set(err, 0, "%s is no cabinet: make it one with `organizer init %s`", c->path,
                         c->path);
    if (dir < 0 || !text.len)
        return error_set(err, errno, "cannot read %s/" CABINET_ID, c->path);
    if (!is_id(text.s, text.len))
        return error_set(err, 0,
                         "%s/" CABINET_ID " is damaged: it must hold 32 hex digits; take it back "
                         "from a backup",
                         c->path);
    memcpy(c->id, text.s, ID_LEN);
    c->id[ID_LEN] = '\0';
    if (doc_stamp_take(-1, dir, "cabinet-id", &stamp) == 0)
        c->since_ns = c->folders_ns = stamp.mtime_ns;
    cabinet_place_text(dir, c->place, sizeof c->place);
    c->elsewhere = is_elsewhere(c, str_c(&text), &stamp);
    return 0;
}

int cabinet_locate(struct cabinet *c, const char *path, const struct env *env, struct error *err)
{
    memset(c, 0, sizeof *c);
    c->root = c->lock = c->tree = -1;
    config_init(&c->config);
    c->path = realpath(path, NULL);
    if (!c->path) {
        error_set(err, errno, "cannot open the cabinet %s", path);
        goto undo;
    }
    c->root = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->root < 0) {
        error_set(err, errno, "cannot open the cabinet %s", c->path);
        goto undo;
    }
    if (read_id(c, err) < 0 || open_state_dir(c, env, err) < 0)
        goto undo;
    return 0;
undo:
    cabinet_close(c);
    return -1;
}

void cabinet_close(struct cabinet *c)
{
    if (c->lock >= 0 && c->tree >= 0)
        close(c->tree);
    if (c->lock >= 0)
        close(c->lock);
    if (c->root >= 0)
        close(c->root);
    free(c->path);
    free(c->state_dir);
    config_clear(&c->config);
    memset(c, 0, sizeof *c);
    c->root = c->lock = c->tree = -1;
}
