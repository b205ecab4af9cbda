#include "cabinet/cabinet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/rights.h"
#include "cabinet/tree_lock.h"
#include "cabinet/zone.h"
#include "record/doc.h"

#define ID_LEN CABINET_ID_LEN

bool cabinet_came_after(const struct cabinet *c, const char *path)
{
    struct doc_stamp folder;
    AUTO_CLOSE int fd = beneath_open(c->root, path, O_PATH | O_DIRECTORY, 0);

    return fd >= 0 && doc_stamp_take(fd, -1, NULL, &folder) == 0 && folder.birth_ns > c->folders_ns;
}

int cabinet_open(struct cabinet *c, const char *path, const struct env *env, struct error *err)
{
    if (cabinet_locate(c, path, env, err) < 0)
        return -1;
    if (config_read(&c->config, c->root, err) == 0)
        return 0;
    cabinet_close(c);
    return -1;
}

/* Locks fd. A process that was killed while it started a reader leaves its lock to that child for
 * the moment until it runs its own program: worth waiting for, up to a second. */
static int lock_patiently(int fd)
{
    const struct timespec pause = {.tv_nsec = 20 * NS_PER_MS};
    char text[32] = "";
    int tries = 50;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        bool dead;

        if (errno != EWOULDBLOCK)
            return -1;
        dead = pread(fd, text, sizeof text - 1, 0) > 0 &&
               kill((pid_t)strtol(text, NULL, 10), 0) < 0 && errno == ESRCH;
        if (!dead || tries-- == 0) {
            errno = EWOULDBLOCK;
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

int cabinet_lock(struct cabinet *c, int *pid, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/lock", c->state_dir);
    char text[32] = "";
    int fd, n;

    *pid = 0;
    if (c->lock >= 0)
        return 0;
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, errno, "cannot open the lock %s", path);
    if (lock_patiently(fd) < 0) {
        int rc = errno == EWOULDBLOCK ? 1 : error_set(err, errno, "cannot lock %s", path);

        if (rc == 1 && pread(fd, text, sizeof text - 1, 0) > 0)
            *pid = (int)strtol(text, NULL, 10);
        close(fd);
        return rc;
    }
    n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        error_set(err, errno, "cannot write the lock %s", path);
        close(fd);
        return -1;
    }
    c->tree = tree_lock(c->root, c->path, err);
    if (c->tree == -1) {
        close(fd);
        return -1;
    }
    c->lock = fd;
    *pid = (int)getpid();
    return 0;
}

void cabinet_socket(const struct cabinet *c, struct str *out)
{
    str_addf(out, "%s/socket", c->state_dir);
}

/* What systems put into empty folders by themselves. */
static bool is_clutter(const char *name)
{
    static const char *const names[] = {CABINET_FOLDER, "lost+found", "desktop.ini",
                                        "Thumbs.db",    ".DS_Store",  NULL};

    for (int i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* 1 when there is something in the folder, 0 when it is empty, -1 when it cannot be read. */
static int holds_something(int root)
{
    DIR *d = io_list(root);
    struct dirent *e;
    int more;

    if (!d)
        return -1;
    do
        more = io_next(d, &e);
    while (more > 0 && is_clutter(e->d_name));
    closedir(d);
    return more;
}

/* .organizer, writable for us only whatever the umask and default ACLs say. */
static int make_folder(int root, struct error *err)
{
    struct stat st;
    int fd;

    if (mkdirat(root, CABINET_FOLDER, 0755) < 0 && errno != EEXIST)
        return error_set(err, errno, "cannot make %s", CABINET_FOLDER);
    fd = beneath_open(root, CABINET_FOLDER, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_set(err, errno, "cannot open %s", CABINET_FOLDER);
    if (fstat(fd, &st) < 0 || (st.st_mode & 07777) != 0755)
        if (fchmod(fd, 0755) < 0) {
            close(fd);
            return error_set(err, errno, "cannot set the mode of %s", CABINET_FOLDER);
        }
    return fd;
}

static int write_config(int folder, const struct init_result *r, struct error *err)
{
    struct config c;
    struct stat st;
    char *text;
    int rc;

    if (fstatat(folder, "organizer.yaml", &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0; /* of an init that was cut short, or put there by the administrator */
    config_init(&c);
    c.mode = r->existed ? MODE_SUGGEST : MODE_ENFORCE;
    c.date_order = zone_date_order(r->zone);
    free(c.time_zone);
    c.time_zone = xstrdup(r->zone);
    text = config_text(&c);
    rc = io_replace(folder, "organizer.yaml", text, strlen(text), 0644, true, err);
    free(text);
    config_clear(&c);
    return rc;
}

static int write_id(int folder, struct error *err)
{
    unsigned char raw[ID_LEN / 2];
    char text[ID_LEN + 64], place[48] = "";
    int n = ID_LEN;

    if (getrandom(raw, sizeof raw, 0) != sizeof raw)
        return error_set(err, errno, "cannot get random bytes");
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(text + 2 * i, 3, "%02x", raw[i]);
    cabinet_place_text(folder, place, sizeof place);
    n += snprintf(text + ID_LEN, sizeof text - ID_LEN, "\n%s\n", place);
    return io_replace(folder, "cabinet-id", text, (size_t)n, 0644, true, err);
}

/* Everything in the folder root; the id, which makes it a cabinet, comes last. */
static int fill(int root, struct init_result *r, struct error *err)
{
    AUTO_CLOSE int folder = -1;
    int something = holds_something(root);

    if (something < 0)
        return error_set(err, errno, "cannot read the folder");
    r->existed = something == 1;
    folder = make_folder(root, err);
    if (folder < 0 || write_config(folder, r, err) < 0)
        return -1;
    if (!r->existed &&
        (rights_mkdirs(root, INBOX_NAME) < 0 || rights_mkdirs(root, ARCHIVE_NAME) < 0))
        return error_set(err, errno, "cannot make the folders %s and %s", INBOX_NAME, ARCHIVE_NAME);
    if (write_id(folder, err) < 0)
        return -1;
    return fsync(root) < 0 ? error_set(err, errno, "cannot sync the folder") : 0;
}

static void tell_zone(struct init_result *r)
{
    AUTO_FREE char *zone = zone_of_link("/etc/localtime");

    snprintf(r->zone, sizeof r->zone, "%s", zone);
    r->date_order = zone_date_order(r->zone);
}

int cabinet_init(const char *path, const struct env *env, struct init_result *r, struct error *err)
{
    struct error none = ERROR_INIT;
    AUTO_FREE char *above = NULL;
    AUTO_CLOSE int root = -1;
    bool made;

    (void)env;
    memset(r, 0, sizeof *r);
    tell_zone(r);
    made = mkdir(path, 0777) == 0;
    if (!made && errno != EEXIST)
        return error_set(err, errno, "cannot make the folder %s", path);
    above = cabinet_find(path, &none);
    if (above) {
        AUTO_FREE char *real = realpath(path, NULL);

        if (made)
            rmdir(path);
        r->already = real && strcmp(real, above) == 0;
        r->existed = r->already;
        return r->already ? 0 : error_set(err, 0, "%s lies in the cabinet %s already", path, above);
    }
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_set(err, errno, "cannot open the folder %s", path);
    if (fill(root, r, err) < 0)
        return error_prefix(err, "%s", path);
    return 0;
}
