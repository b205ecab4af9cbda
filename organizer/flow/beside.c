#include "flow/beside.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/io.h"
#include "flow/companions.h"
#include "record/doc.h"
#include "settle/settle.h"

/* What was read counts for so long: a fiftieth of the time may go into reading. */
#define FRESH_NS      (100 * NS_PER_MS)
#define FRESH_MOST_NS (1 * NS_PER_S)
#define SHARE         50
/* File times are those of the kernel's last tick; a document must be older than that. */
#define TICK_NS (20 * NS_PER_MS)
/* A fork is written so long after its document. */
#define FORK_NS NS_PER_S
/* Of more names no step of the loop may take the time. */
#define NAMES_MAX 12000
/* Reading a folder of few names costs less than asking for one document. */
#define SMALL_BYTES 8192

static bool is_fork(const char *name)
{
    return name[0] == '.' && name[1] == '_';
}

/* Fills any and forks. */
static void read_names(struct beside *b, int dir)
{
    DIR *d = io_list(dir);
    struct dirent *e;
    int n = 0, more = -1;

    b->any = b->forks = false;
    while (d && !b->any && (more = io_next(d, &e)) > 0) {
        b->any = ++n > NAMES_MAX || settle_is_lock(e->d_name) || companions_is_one(e->d_name);
        b->forks |= is_fork(e->d_name);
    }
    b->any |= more < 0;
    if (d)
        closedir(d);
}

void beside_forget(struct beside *b)
{
    b->read_ns = 0;
}

void beside_heard(struct beside *b, const char *path, bool folder)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(path);

    if (!b->read_ns)
        return;
    if (folder && (n == 0 || (strncmp(b->folder, path, n) == 0 &&
                              (b->folder[n] == '/' || b->folder[n] == '\0'))))
        beside_forget(b);
    else if (is_fork(name) || settle_is_lock(name) || companions_is_one(name))
        beside_forget(b);
}

/* Whether it may be read (again) now. */
static bool may_read(const struct beside *b, const struct stat *dir, const struct doc_stamp *stamp,
                     int64_t ticks, int64_t now, bool many, bool told)
{
    bool same = b->ino == dir->st_ino && b->dev == dir->st_dev;
    bool small = told && dir->st_size <= SMALL_BYTES;

    if (!many && !small)
        return false;
    if (told)
        return !same || small || ticks - b->ticks >= b->good_ns;
    return stamp->ctime_ns + TICK_NS < now &&
           !(b->read_ns && same && ticks - b->ticks < b->good_ns && ticks - b->ticks < 2 * TICK_NS);
}

bool beside_nothing(struct beside *b, int dir, const struct stat *st, const struct doc_stamp *stamp,
                    const struct env *env, bool many, const char *path)
{
    int64_t ticks = env_ticks(), now = env_disk_now(env);
    bool told = path && strlen(path) < BESIDE_PATH;
    bool known = b->read_ns && b->ino == st->st_ino && b->dev == st->st_dev;

    if (known && told && b->told)
        return !b->any;
    if (known && ticks - b->ticks < b->good_ns && stamp->ctime_ns + TICK_NS < b->read_ns)
        return !b->any;
    if (!may_read(b, st, stamp, ticks, now, many, told))
        return false;
    *b = (struct beside){
        .dev = st->st_dev, .ino = st->st_ino, .read_ns = now, .ticks = ticks, .told = told};
    if (told)
        memcpy(b->folder, path, strlen(path) + 1); /* told: it fits */
    read_names(b, dir);
    b->good_ns = SHARE * (env_ticks() - ticks);
    if (b->good_ns < FRESH_NS || b->any)
        b->good_ns = FRESH_NS;
    if (b->good_ns > FRESH_MOST_NS)
        b->good_ns = FRESH_MOST_NS;
    return !b->any;
}

bool beside_no_forks(const struct beside *b, const struct doc_stamp *stamp)
{
    return !b->any && !b->forks && (b->told || stamp->ctime_ns + FORK_NS < b->read_ns);
}
