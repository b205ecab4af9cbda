#include "archive/payload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "cabinet/cabinet.h"
#include "decide/decide.h"
#include "publish/publish.h"
#include "record/journal.h"

bool payload_is_file(const struct payload_entry *e)
{
    return e->kind < PAYLOAD_FOLDER;
}

int64_t payload_mtime(const struct payload *p, const struct payload_entry *e)
{
    return e->kind == PAYLOAD_PAGE || e->kind == PAYLOAD_JOURNAL ? p->changed_ns : e->mtime_ns;
}

int payload_page_open(const struct payload *p, const struct payload_entry *e)
{
    for (size_t i = 0; i < p->pages_len; i++) {
        int fd = p->pages[i].path == e->path ? fcntl(p->pages[i].fd, F_DUPFD_CLOEXEC, 0) : -1;

        if (fd >= 0 && lseek(fd, 0, SEEK_SET) == 0)
            return fd;
        cleanup_close(&fd);
    }
    errno = ENOENT;
    return -1;
}

void payload_clear(struct payload *p)
{
    for (size_t i = 0; i < p->pages_len; i++)
        close(p->pages[i].fd);
    payload_names_free(p->names);
    free(p->entries);
    memset(p, 0, sizeof *p);
}

static enum payload_kind kind_of(const struct payload_options *o, const char *folder,
                                 const char *name, mode_t mode, bool aside)
{
    if (S_ISDIR(mode))
        return PAYLOAD_FOLDER;
    if (!S_ISREG(mode))
        return PAYLOAD_OTHER;
    if (strcmp(folder, JOURNAL_FOLDER) == 0)
        return strcmp(name, JOURNAL_NAME) == 0 ? PAYLOAD_JOURNAL : PAYLOAD_IGNORED;
    if (!*folder && strcmp(name, CARD_NAME) == 0)
        return PAYLOAD_CARD;
    if (!*folder && publish_is_own_name(name))
        return PAYLOAD_PAGE;
    return aside || decide_is_ignored(o->rules, name, false, NULL) ? PAYLOAD_IGNORED
                                                                   : PAYLOAD_DOCUMENT;
}

static int64_t ns_of(const struct timespec *t)
{
    return t->tv_sec * NS_PER_S + t->tv_nsec;
}

/* The entry is what lies there now; where nothing can be opened it is told as changed, later. */
static void hold_page(struct payload *p, const struct payload_options *o, struct payload_entry *e)
{
    int fd = p->pages_len < PAYLOAD_PAGES
                 ? beneath_open(o->case_fd, e->path, O_RDONLY | O_NOFOLLOW, 0)
                 : -1;
    struct stat st;

    if (fd < 0)
        return;
    p->pages[p->pages_len++] = (struct payload_page){e->path, fd};
    if (fstat(fd, &st) == 0) {
        e->ino = st.st_ino;
        e->size = (uint64_t)st.st_size;
    }
}

static void add(struct payload *p, const struct payload_options *o, size_t folder, const char *name,
                const struct stat *st)
{
    const char *above = p->len ? p->entries[folder].path : "";
    bool aside = p->len && (p->entries[folder].flags & PAYLOAD_ASIDE);
    struct payload_entry e = {.path = payload_names_join(p->names, above, name),
                              .ino = st->st_ino,
                              .size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
                              .mtime_ns = ns_of(&st->st_mtim),
                              .ctime_ns = ns_of(&st->st_ctim),
                              .mode = st->st_mode,
                              .uid = st->st_uid,
                              .gid = st->st_gid};

    e.kind = (uint8_t)kind_of(o, above, name, st->st_mode, aside);
    if (e.kind == PAYLOAD_FOLDER) {
        e.flags = PAYLOAD_EMPTY;
        if (aside || (*name && decide_is_ignored(o->rules, name, true, NULL)))
            e.flags |= PAYLOAD_ASIDE;
    }
    if (e.kind == PAYLOAD_PAGE)
        hold_page(p, o, &e);
    if (p->len && e.kind != PAYLOAD_OTHER)
        p->entries[folder].flags &= (uint8_t)~PAYLOAD_EMPTY;
    GROW(p->entries, p->len, p->cap);
    p->entries[p->len++] = e;
}

static void cannot_read(const struct payload_options *o, const char *path)
{
    findings_add(o->findings, SNAPSHOT_FAILED, "archive.unreadable", path, error_why(errno));
}

static void list_entry(struct payload *p, const struct payload_options *o, size_t i, int dir,
                       const char *name)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        add(p, o, i, name, &st);
    } else if (errno != ENOENT) { /* gone meanwhile */
        AUTO_FREE char *path = xjoin(p->entries[i].path, name);

        cannot_read(o, path);
    }
}

static void list_folder(struct payload *p, const struct payload_options *o, size_t i)
{
    DIR *d = io_list_own(beneath_open(o->case_fd, p->entries[i].path, O_RDONLY | O_DIRECTORY, 0));
    struct dirent *e;
    int more = -1;

    while (d && (more = io_next(d, &e)) > 0)
        if (strncmp(e->d_name, IO_TEMP_PREFIX, sizeof IO_TEMP_PREFIX - 1) != 0)
            list_entry(p, o, i, dirfd(d), e->d_name);
    if (more < 0)
        cannot_read(o, p->entries[i].path);
    if (d)
        closedir(d);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct payload_entry *)a)->path, ((const struct payload_entry *)b)->path);
}

int payload_list(struct payload *p, const struct payload_options *o, struct error *err)
{
    struct stat st;

    memset(p, 0, sizeof *p);
    p->names = payload_names_new();
    if (fstat(o->case_fd, &st) < 0)
        return error_set(err, errno, "cannot look at the case folder");
    add(p, o, 0, "", &st);
    for (size_t i = 0; i < p->len; i++)
        if (p->entries[i].kind == PAYLOAD_FOLDER)
            list_folder(p, o, i);
    qsort(p->entries, p->len, sizeof *p->entries, compare);
    payload_names_store(p);
    return 0;
}
