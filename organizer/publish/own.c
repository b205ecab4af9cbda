#include "publish/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/io.h"
#include "cabinet/rights.h"
#include "publish/page.h"
#include "record/doc.h"
#include "record/state.h"

#define READ_MAX    (256u * 1024 * 1024)
#define SYNC_SINGLE 8 /* files; for more one syncfs(2) is cheaper */
#define TRIES       100
#define LONG        (256u * 1024) /* bytes of a text in memory */
#define MARK        "user.organizer.sha256"
#define UNFINISHED  "unfinished"

enum found { FOUND_NOTHING, FOUND_OURS, FOUND_FOREIGN };
enum todo { TODO_NOTHING, TODO_RECORD, TODO_WRITE, TODO_REMOVE };

struct own_entry {
    char *path, *name; /* name points into path */
    struct str content;
    int fd;               /* the content, in a file without a name, in its stead; or -1 */
    int error;            /* errno: there is none */
    uint64_t size;        /* of the content */
    struct digest digest; /* of it */
    int dir;              /* the folder, or -1 */
    enum found found;
    enum todo todo;
    struct stat st;      /* of what was found */
    struct digest there; /* of what was found and is ours */
    int64_t in_work_ns;  /* see own_set */
    bool *put_off;
    bool marked;         /* what was found carries its digest */
    char temp[sizeof IO_TEMP_PREFIX + 16];
    bool placed, removed;
};

static void entry_clear(struct own_entry *e)
{
    if (e->dir >= 0 && *e->temp)
        unlinkat(e->dir, e->temp, 0);
    cleanup_close(&e->dir);
    cleanup_close(&e->fd);
    free(e->path);
    str_clear(&e->content);
}

static void drop_entries(struct own_set *set)
{
    for (size_t i = 0; i < set->len; i++)
        entry_clear(&set->entries[i]);
    set->len = set->bytes = 0;
}

void own_init(struct own_set *set, int root, struct state *state)
{
    *set = (struct own_set){.root = root, .state = state};
}

void own_clear(struct own_set *set)
{
    drop_entries(set);
    free(set->entries);
    for (size_t i = 0; i < set->set_aside_len; i++) {
        free(set->set_aside[i].path);
        free(set->set_aside[i].name);
    }
    free(set->set_aside);
    *set = (struct own_set){.root = -1};
}

void own_in_work_since(struct own_set *set, int64_t ns, bool *put_off)
{
    set->in_work_ns = ns;
    set->put_off = put_off;
}

static struct own_entry *add_entry(struct own_set *set, const char *folder, const char *name,
                                   struct str *content)
{
    struct own_entry *e;

    GROW(set->entries, set->len, set->cap);
    e = &set->entries[set->len++];
    *e = (struct own_entry){.dir = -1, .fd = -1, .content = *content,
                            .in_work_ns = set->in_work_ns, .put_off = set->put_off};
    *content = (struct str)STR_INIT;
    e->path = xjoin(folder, name);
    e->name = e->path + strlen(e->path) - strlen(name);
    return e;
}

void own_put(struct own_set *set, const char *folder, const char *name, struct str *content)
{
    struct own_entry *e = add_entry(set, folder, name, content);

    e->size = e->content.len;
    e->digest = digest_of(str_c(&e->content), e->content.len);
    set->bytes += e->content.len;
}

/* ---- long ones
 * ------------------------------------------------------------------------------- */

void own_text_begin(struct own_text *t, const struct own_set *set, const char *folder)
{
    *t = (struct own_text){.root = set->root, .folder = folder, .fd = -1};
}

static void pass(struct own_text *t)
{
    if (!t->error && io_write_all(t->fd, t->text.s, t->text.len) < 0)
        t->error = errno;
    digester_add(t->sum, t->text.s, t->text.len);
    t->size += t->text.len;
    str_reset(&t->text);
}

/* Open for who may work in the folder, as one with a name would be: a default ACL takes from the mode what
 * its mask may have. */
static int open_nameless(const struct own_text *t)
{
    AUTO_CLOSE int dir = beneath_open(t->root, t->folder, O_RDONLY | O_DIRECTORY, 0);
    struct stat folder;

    if (dir < 0 || fstat(dir, &folder) < 0)
        return -1;
    return openat(dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, (folder.st_mode & 0066) | 0600);
}

void own_text_pass(struct own_text *t)
{
    if (t->text.len < LONG || t->never)
        return;
    if (t->fd < 0) {
        t->fd = open_nameless(t);
        t->never = t->fd < 0;
        t->sum = t->never ? NULL : digester_new();
    }
    if (!t->never)
        pass(t);
}

void own_put_text(struct own_set *set, const char *name, struct own_text *t)
{
    struct own_entry *e;

    if (t->fd < 0) {
        own_put(set, t->folder, name, &t->text);
        return;
    }
    pass(t);
    str_clear(&t->text);
    e = add_entry(set, t->folder, name, &t->text);
    e->fd = t->fd;
    e->error = t->error;
    e->size = t->size;
    e->digest = digester_done(t->sum);
}

static void keep_first(struct own_set *set, const struct error *err)
{
    if (!*set->error.text)
        set->error = *err;
}

static void fail(struct own_set *set, const char *what, const char *path)
{
    struct error err = ERROR_INIT;

    error_set(&err, errno, "cannot %s %s", what, path);
    keep_first(set, &err);
}

/* The digest of its bytes goes with a file, also into a renamed folder and past a lost private
 * state: while it matches, nobody but the daemon wrote the file. */
static void mark(int fd, const struct digest *d)
{
    char hex[DIGEST_HEX];

    /* Where there are no attributes, the private state alone knows. */
    (void)!fsetxattr(fd, MARK, digest_hex(d, hex), DIGEST_HEX - 1, 0);
}

/* Until it is complete: what a crash leaves of it is nobody's. mark() takes its place. */
static void mark_unfinished(int fd)
{
    (void)!fsetxattr(fd, MARK, UNFINISHED, sizeof UNFINISHED - 1, 0);
}

static bool is_unfinished(int fd)
{
    char there[sizeof UNFINISHED];

    return io_is_temp(fd) ||
           (fgetxattr(fd, MARK, there, sizeof there) == sizeof UNFINISHED - 1 &&
            memcmp(there, UNFINISHED, sizeof UNFINISHED - 1) == 0);
}

static bool is_marked(int fd, const struct digest *d)
{
    char hex[DIGEST_HEX], there[DIGEST_HEX];

    return fgetxattr(fd, MARK, there, sizeof there) == DIGEST_HEX - 1 &&
           memcmp(there, digest_hex(d, hex), DIGEST_HEX - 1) == 0;
}

/* A person's, since we may not read it. What is ours by its rights and yet refused is not. */
static bool is_closed_to_us(const struct own_entry *e)
{
    struct stat st;

    return fstatat(e->dir, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (st.st_uid != geteuid() || !(st.st_mode & S_IRUSR));
}

/* Digest of the regular file at e; FOUND_FOREIGN for anything else. -1 with errno. */
static int read_there(struct own_entry *e)
{
    AUTO_CLOSE int fd =
        openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    e->found = FOUND_FOREIGN;
    if (fd < 0 && errno == ENOENT) {
        e->found = FOUND_NOTHING;
        return 0;
    }
    if (fd < 0)
        return errno == ELOOP || errno == ENXIO || (errno == EACCES && is_closed_to_us(e)) ? 0 : -1;
    if (fstat(fd, &e->st) < 0)
        return -1;
    if (!S_ISREG(e->st.st_mode) || e->st.st_size > (off_t)READ_MAX)
        return 0;
    if (digest_of_fd(fd, &e->there) < 0)
        return -1;
    e->marked = is_marked(fd, &e->there);
    e->found = FOUND_OURS; /* as far as known here: see judge() */
    return 0;
}

/* Ours was removed from a folder in which somebody is at work. */
static bool is_to_stay_away(const struct own_entry *e, const struct own_file *was)
{
    struct doc_stamp folder;

    return e->put_off && e->found == FOUND_NOTHING && !digest_is_zero(&was->written) &&
           doc_stamp_take(e->dir, -1, NULL, &folder) == 0 && folder.ctime_ns > e->in_work_ns;
}

/* What is there, whose it is, and so what has to be done. */
static int judge(struct own_set *set, struct own_entry *e)
{
    struct own_file o = {0};
    struct error err = ERROR_INIT;
    bool known;

    if (read_there(e) < 0) {
        fail(set, "read", e->path);
        return -1;
    }
    if (state_own_get(set->state, e->path, &o, &err) < 0) {
        keep_first(set, &err);
        return -1;
    }
    known = digest_equal(&e->there, &o.written) || digest_equal(&e->there, &o.next);
    if (e->found == FOUND_OURS && !known && !e->marked && e->st.st_size > 0 &&
        !digest_equal(&e->there, &e->digest))
        e->found = FOUND_FOREIGN;
    if (e->found != FOUND_OURS)
        e->there = o.written;
    if (e->size == 0)
        e->todo = e->found == FOUND_OURS ? TODO_REMOVE : TODO_NOTHING;
    else if (e->found == FOUND_OURS && digest_equal(&e->there, &e->digest))
        e->todo = known ? TODO_NOTHING : TODO_RECORD;
    else if (is_to_stay_away(e, &o))
        *e->put_off = true;
    else
        e->todo = TODO_WRITE;
    return 0;
}

static int temp_name(struct own_entry *e)
{
    uint64_t r;

    if (getrandom(&r, sizeof r, 0) != sizeof r)
        return -1;
    snprintf(e->temp, sizeof e->temp, IO_TEMP_PREFIX "%016llx", (unsigned long long)r);
    return 0;
}

/* The file without a name gets its rights and its mark, and a temporary name. */
static int link_temp(struct own_entry *e, bool sync)
{
    char path[64];

    if (e->error) {
        errno = e->error;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", e->fd);
    if (rights_of_file(e->dir, e->fd) < 0)
        return -1;
    mark(e->fd, &e->digest);
    if ((sync && fdatasync(e->fd) < 0) || temp_name(e) < 0)
        return -1;
    if (linkat(AT_FDCWD, path, e->dir, e->temp, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    *e->temp = '\0';
    return -1;
}

/* Step 1: the new file beside the old one. */
static int write_temp(struct own_entry *e, bool sync)
{
    struct stat folder;
    AUTO_CLOSE int fd = -1;

    if (fstat(e->dir, &folder) < 0)
        return -1;
    /* The owner must be able to write it; fchmod() has the last word. */
    if (temp_name(e) == 0)
        fd = openat(e->dir, e->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    (folder.st_mode & 0066) | 0600);
    if (fd < 0) {
        *e->temp = '\0';
        return -1;
    }
    mark_unfinished(fd);
    if (io_write_all(fd, str_c(&e->content), e->content.len) < 0 ||
        rights_of_file(e->dir, fd) < 0)
        return -1;
    mark(fd, &e->digest);
    return sync ? fdatasync(fd) : 0;
}

/* An own file that stays gets no wider than its folder, in case that was made narrower. */
static void narrow(struct own_entry *e)
{
    struct stat folder;

    if (fstat(e->dir, &folder) == 0 && (e->st.st_mode & ~folder.st_mode & 0066)) {
        AUTO_CLOSE int fd = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == e->st.st_ino)
            (void)!fchmod(fd, st.st_mode & (folder.st_mode | 0600) & 0666);
    }
}

/* Steps 0 and 1 for one file; false when it is out of this flush. */
static bool prepare(struct own_set *set, struct own_entry *e, bool sync)
{
    const char *name;

    e->dir = beneath_parent(set->root, e->path, &name);
    if (e->dir < 0) {
        fail(set, "open the folder of", e->path);
        return false;
    }
    if (judge(set, e) < 0)
        return false;
    if (e->todo == TODO_NOTHING && e->found == FOUND_OURS)
        narrow(e);
    if (e->todo == TODO_WRITE && (e->fd < 0 ? write_temp(e, sync) : link_temp(e, sync)) < 0) {
        fail(set, "write", e->path);
        return false;
    }
    return e->todo != TODO_NOTHING;
}

static int put_all(struct own_set *set, bool after, struct error *err)
{
    for (size_t i = 0; i < set->len; i++) {
        struct own_entry *e = &set->entries[i];
        struct own_file o = {.written = after ? e->digest : e->there, .next = e->digest};

        if (e->todo == TODO_RECORD)
            o.written = e->digest;
        if (after && e->removed) /* by us: one that is missing later was removed by a person */
            o = (struct own_file){0};
        if (after ? !e->placed && !e->removed : e->todo != TODO_WRITE && e->todo != TODO_RECORD)
            continue;
        if (state_own_put(set->state, e->path, &o, err) < 0)
            return -1;
    }
    return 0;
}

/* One transaction for all files of the flush. */
static int record(struct own_set *set, bool after)
{
    struct error err = ERROR_INIT;

    if (state_begin(set->state, &err) < 0)
        goto failed;
    if (put_all(set, after, &err) < 0 || state_commit(set->state, &err) < 0) {
        state_rollback(set->state);
        goto failed;
    }
    return 0;
failed:
    keep_first(set, &err);
    return -1;
}

static void told(struct own_set *set, const struct own_entry *e, const char *aside)
{
    int folder = (int)(e->name - e->path);

    GROW(set->set_aside, set->set_aside_len, set->set_aside_cap);
    set->set_aside[set->set_aside_len++] =
        (struct own_aside){xasprintf("%.*s%s", folder, e->path, aside), xstrdup(e->name)};
}

/* Renames what lies under `from` in e's folder, a person's, to "Index (yours).html". */
static int set_aside(struct own_set *set, struct own_entry *e, const char *from)
{
    const char *dot = strrchr(e->name, '.');
    int stem = (int)(dot ? dot - e->name : (ptrdiff_t)strlen(e->name));

    for (int n = 1; n <= TRIES; n++) {
        AUTO_FREE char *aside =
            n == 1 ? xasprintf("%.*s (yours)%s", stem, e->name, dot ? dot : "")
                   : xasprintf("%.*s (yours %d)%s", stem, e->name, n, dot ? dot : "");

        if (renameat2(e->dir, from, e->dir, aside, RENAME_NOREPLACE) == 0) {
            told(set, e, aside);
            return 0;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* What lies under temp now is the file that was looked at. */
static int is_what_was_found(const struct own_entry *e, const char *temp)
{
    struct stat st;

    if (fstatat(e->dir, temp, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return st.st_ino == e->st.st_ino && st.st_size == e->st.st_size &&
           st.st_mtim.tv_sec == e->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == e->st.st_mtim.tv_nsec;
}

/* Puts the new file in place of our old one, which is looked at once more before it goes: someone
 * may have saved over it since. Returns 0 or -1 with errno. */
static int exchange(struct own_set *set, struct own_entry *e)
{
    char temp[sizeof e->temp];
    int same;

    if (renameat2(e->dir, e->temp, e->dir, e->name, RENAME_EXCHANGE) < 0)
        return -1;
    memcpy(temp, e->temp, sizeof temp);
    *e->temp = '\0'; /* no longer ours to remove */
    same = is_what_was_found(e, temp);
    if (same < 0)
        return 0;
    return same ? unlinkat(e->dir, temp, 0) : set_aside(set, e, temp);
}

/* Step 3 for one file; 0 or -1 with errno. */
static int place(struct own_set *set, struct own_entry *e)
{
    if (e->found == FOUND_FOREIGN && set_aside(set, e, e->name) < 0 && errno != ENOENT)
        return -1;
    for (int tries = 0; *e->temp; tries++) {
        if (e->found == FOUND_OURS && exchange(set, e) < 0 && (errno != ENOENT || !*e->temp))
            return -1;
        if (*e->temp && renameat2(e->dir, e->temp, e->dir, e->name, RENAME_NOREPLACE) == 0)
            *e->temp = '\0';
        /* One that came just now is a person's. */
        if (*e->temp && (errno != EEXIST || tries == TRIES || set_aside(set, e, e->name) < 0))
            return -1;
    }
    e->placed = true;
    set->written++;
    return 0;
}

/* Removes our own file: out of the way first, looked at once more, then gone or put back. */
static int take_away(struct own_set *set, struct own_entry *e)
{
    char temp[sizeof e->temp];

    if (temp_name(e) < 0)
        return -1;
    memcpy(temp, e->temp, sizeof temp);
    *e->temp = '\0'; /* never removed unseen */
    if (renameat2(e->dir, e->name, e->dir, temp, RENAME_NOREPLACE) < 0)
        return errno == ENOENT ? 0 : -1;
    if (is_what_was_found(e, temp) != 1)
        return renameat2(e->dir, temp, e->dir, e->name, RENAME_NOREPLACE);
    if (unlinkat(e->dir, temp, 0) < 0)
        return -1;
    e->removed = true;
    set->written++;
    return 0;
}

static void place_all(struct own_set *set)
{
    for (size_t i = 0; i < set->len; i++) {
        struct own_entry *e = &set->entries[i];

        if (e->todo == TODO_WRITE && place(set, e) < 0)
            fail(set, "replace", e->path);
        else if (e->todo == TODO_REMOVE && take_away(set, e) < 0)
            fail(set, "remove", e->path);
    }
}

static int sync_folders(struct own_set *set, bool single, int disk)
{
    int rc = 0;

    if (!single && syncfs(disk) < 0) {
        fail(set, "sync the file system of", "the cabinet");
        return -1;
    }
    for (size_t i = 0; single && i < set->len; i++)
        if (set->entries[i].placed && fsync(set->entries[i].dir) < 0) {
            fail(set, "sync the folder of", set->entries[i].path);
            rc = -1;
        }
    return rc;
}

int own_flush(struct own_set *set)
{
    bool single = set->len <= SYNC_SINGLE, write = false, note = false, removes = false;
    bool failed_before = *set->error.text != '\0';
    /* Its own: an error is told once, and the filer is to hear of it, too. */
    AUTO_CLOSE int disk = single ? -1 : io_open_again(set->root);

    for (size_t i = 0; i < set->len; i++) {
        struct own_entry *e = &set->entries[i];

        if (!prepare(set, e, single))
            e->todo = TODO_NOTHING;
        write |= e->todo == TODO_WRITE;
        note |= e->todo == TODO_WRITE || e->todo == TODO_RECORD;
        removes |= e->todo == TODO_REMOVE;
    }
    if (write && !single && syncfs(disk) < 0)
        fail(set, "sync the file system of", "the cabinet");
    else if (!note || record(set, false) == 0) {
        place_all(set);
        if ((write && sync_folders(set, single, disk) == 0) || (!write && removes))
            record(set, true);
    }
    drop_entries(set);
    return *set->error.text && !failed_before ? -1 : 0;
}

/* ---- what a crash left ------------------------------------------------------------------------ */

bool own_is_temporary(const char *name)
{
    static const size_t n = sizeof IO_TEMP_PREFIX - 1;

    return strncmp(name, IO_TEMP_PREFIX, n) == 0 && strlen(name) == n + 16 &&
           strspn(name + n, "0123456789abcdef") == 16;
}

/* What is in it is one of the daemon's pages of this folder, as the private state knows it: 1, or
 * 0; -1 when that cannot be read. */
static int is_known(struct state *state, const char *folder, const struct digest *d)
{
    static const char *const pages[] = {PAGE_INDEX, PAGE_TABLE, PAGE_ATTENTION, PAGE_HOW};

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        AUTO_FREE char *path = xjoin(folder, pages[i]);
        struct error err = ERROR_INIT;
        struct own_file o = {0};

        if (state_own_get(state, path, &o, &err) < 0) {
            errno = err.number;
            return -1;
        }
        if (digest_equal(d, &o.written) || digest_equal(d, &o.next))
            return 1;
    }
    return 0;
}

/* A person saved over a page in the moment in which it was exchanged. */
static int bring_to_light(int dir, const char *name, const struct str *bytes)
{
    const char *ext = bytes->len && bytes->s[0] == '<' ? "html" : "txt";

    for (int n = 1; n <= TRIES; n++) {
        AUTO_FREE char *to = n == 1 ? xasprintf("Recovered file.%s", ext)
                                    : xasprintf("Recovered file %d.%s", n, ext);

        if (renameat2(dir, name, dir, to, RENAME_NOREPLACE) == 0)
            return 1;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

int own_sweep_up(struct state *state, int dir, const char *folder, const char *name)
{
    AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    AUTO_STR struct str bytes = STR_INIT;
    struct digest d;
    struct stat st;
    int known;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid())
        return 0;
    if (st.st_size > 0 && !is_unfinished(fd)) {
        if (io_read_all(fd, &bytes, READ_MAX) < 0)
            return -1;
        d = digest_of(str_c(&bytes), bytes.len);
        known = is_marked(fd, &d) ? 1 : is_known(state, folder, &d);
        if (known <= 0)
            return known < 0 ? -1 : bring_to_light(dir, name, &bytes);
    }
    return unlinkat(dir, name, 0);
}
