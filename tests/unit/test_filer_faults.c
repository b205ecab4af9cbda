/*
 * Filing while syncs and renames fail, the disk is full, and programs save at the worst moment.
 *
 * The system calls of interest are defined here: they stand before libc's, keep a log of what was
 * called on what, and fail when a test says so.
 */
#undef _FORTIFY_SOURCE /* its readlink() would stand beside that of this file */
#include "filer_world.h"

#include <linux/magic.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

static struct {
    pthread_mutex_t lock;
    struct str log; /* "fsync:Inbox\n…": the call and the last part of the file's path */
    char fail[64];  /* the entry that fails next, "" for none */
    int with;
    bool no_replace; /* every renameat2() had RENAME_NOREPLACE */
    long type;       /* of file system that fstatfs() tells; 0: it fails */
    bool journal;    /* it has one: asked of ext4 only */
    bool no_disk;    /* what it lies on has no device of its own */
    const char *kept; /* what the disk has of each document, where memory has its bytes; NULL: the same */
    enum { PAST_MEMORY, PAST_MEMORY_NOT, PAST_MEMORY_IN_NAME } past; /* can it be read past memory? */
    bool dropped;    /* memory has no document any more */
} sys = {.lock = PTHREAD_MUTEX_INITIALIZER, .no_replace = true, .type = XFS_SUPER_MAGIC};

/* Notes the call; its errno when it is to fail, else 0. */
static int note(const char *call, int fd)
{
    char link[64], path[512] = "", entry[600];
    const char *slash;
    int failed = 0;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0)
        path[0] = '\0';
    slash = strrchr(path, '/');
    snprintf(entry, sizeof entry, "%s:%s", call, slash ? slash + 1 : path);
    pthread_mutex_lock(&sys.lock);
    str_addf(&sys.log, "%s\n", entry);
    if (*sys.fail && strcmp(entry, sys.fail) == 0) {
        sys.fail[0] = '\0';
        failed = sys.with;
    }
    pthread_mutex_unlock(&sys.lock);
    return failed;
}

static int answer(int failed, int rc)
{
    if (!failed)
        return rc;
    errno = failed;
    return -1;
}

int fsync(int fd)
{
    int failed = note("fsync", fd);

    return answer(failed, failed ? 0 : (int)syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
    int failed = note("fdatasync", fd);

    return answer(failed, failed ? 0 : (int)syscall(SYS_fdatasync, fd));
}

int syncfs(int fd)
{
    int failed = note("syncfs", fd);

    return answer(failed, failed ? 0 : (int)syscall(SYS_syncfs, fd));
}

int sync_file_range(int fd, off_t at, off_t n, unsigned flags)
{
    int failed = note(flags & SYNC_FILE_RANGE_WAIT_AFTER ? "write" : "begin", fd);

    return answer(failed, failed ? 0 : (int)syscall(SYS_sync_file_range, fd, at, n, flags));
}

static bool is_document(int fd)
{
    char link[64], path[512];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, ".pdf") != NULL;
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    bool past = fcntl(fd, F_GETFL) & O_DIRECT, from_disk = sys.dropped || (past && sys.past == PAST_MEMORY);
    int failed = is_document(fd) ? note("read", fd) : 0;

    if (!failed && past && sys.past == PAST_MEMORY_NOT)
        failed = EINVAL;
    if (failed)
        return answer(failed, 0);
    if (sys.kept && from_disk && is_document(fd)) {
        size_t there = strlen(sys.kept) - ((size_t)at < strlen(sys.kept) ? (size_t)at : strlen(sys.kept));

        memcpy(buf, sys.kept + at, there < n ? there : n);
        return (ssize_t)(there < n ? there : n);
    }
    return syscall(SYS_pread64, fd, buf, n, at);
}

int posix_fadvise(int fd, off_t at, off_t n, int advice)
{
    sys.dropped = sys.dropped || (advice == POSIX_FADV_DONTNEED && is_document(fd));
    (void)note("drop", fd);
    return (int)syscall(SYS_fadvise64, fd, at, n, advice);
}

int fstatfs(int fd, struct statfs *fs)
{
    int rc = (int)syscall(SYS_fstatfs, fd, fs);

    fs->f_type = sys.type;
    return answer(sys.type ? 0 : EIO, rc);
}

/* Whichever disk the test lies on, its journal is told. */
int access(const char *path, int mode)
{
    if (strncmp(path, "/proc/fs/jbd2/", strlen("/proc/fs/jbd2/")) != 0)
        return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
    return answer(sys.journal ? 0 : ENOENT, 0);
}

ssize_t readlink(const char *path, char *buf, size_t n)
{
    static const char disk[] = "../../devices/virtual/block/loop0";

    if (strncmp(path, "/sys/dev/block/", strlen("/sys/dev/block/")) != 0)
        return syscall(SYS_readlinkat, AT_FDCWD, path, buf, n);
    if (sys.no_disk)
        return answer(ENOENT, 0);
    memcpy(buf, disk, sizeof disk - 1);
    return sizeof disk - 1;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    int failed = note("rename", from_fd);

    sys.no_replace = sys.no_replace && flags == RENAME_NOREPLACE;
    return answer(failed,
                  failed ? 0 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

static void log_clear(void)
{
    pthread_mutex_lock(&sys.lock);
    str_clear(&sys.log);
    pthread_mutex_unlock(&sys.lock);
}

static unsigned calls(const char *entry)
{
    unsigned n = 0;

    for (const char *p = str_c(&sys.log); (p = strstr(p, entry)); p += strlen(entry))
        n += p[strlen(entry)] == '\n' && (p == sys.log.s || p[-1] == '\n');
    return n;
}

/* Until that was called, in whichever thread. */
static void wait_for_call(const char *entry)
{
    bool found = false;

    for (int i = 0; i < 100000 && !found; i++) {
        pthread_mutex_lock(&sys.lock);
        found = calls(entry) > 0;
        pthread_mutex_unlock(&sys.lock);
        usleep(100);
    }
    if (!found)
        fail_msg("no %s", entry);
}

static size_t position(const char *entry)
{
    const char *p = strstr(str_c(&sys.log), entry);

    if (!p)
        fail_msg("no %s in\n%s", entry, str_c(&sys.log));
    return (size_t)(p - sys.log.s);
}

static void fail_next(const char *entry, int with)
{
    pthread_mutex_lock(&sys.lock);
    snprintf(sys.fail, sizeof sys.fail, "%s", entry);
    sys.with = with;
    pthread_mutex_unlock(&sys.lock);
}

/* What happens between two steps. */
static void (*meanwhile)(struct world *w, const struct act *a);
static enum filer_point meanwhile_at;

static void between(void *ctx, enum filer_point point, const struct act *a)
{
    void (*fn)(struct world *, const struct act *) = meanwhile;

    if (!fn || point != meanwhile_at)
        return;
    meanwhile = NULL;
    fn(ctx, a);
}

static void at(enum filer_point point, void (*fn)(struct world *, const struct act *))
{
    meanwhile_at = point;
    meanwhile = fn;
}

static struct world *world_watched(const char *base)
{
    struct world *w = world_new_in(base);

    w->o.between = between;
    w->o.between_ctx = w;
    world_start(w);
    open_case(w);
    return w;
}

static int ready(void **state)
{
    struct world *w = world_watched("/tmp");

    assert_int_equal(beneath_mkdirs(w->root, LETTERS), 0);
    /* The first journals and heads are out. */
    world_stop(w);
    world_start(w);
    log_clear();
    sys.no_replace = true;
    later = 0;
    *state = w;
    return 0;
}

static int done(void **state)
{
    meanwhile = NULL;
    fail_next("", 0);
    world_free(*state);
    str_clear(&sys.log);
    sys.type = XFS_SUPER_MAGIC;
    sys.no_disk = false;
    sys.kept = NULL;
    sys.past = PAST_MEMORY;
    sys.dropped = false;
    return 0;
}

static void move_to(struct world *w, long type, bool journal)
{
    world_stop(w);
    sys.type = type;
    sys.journal = journal;
    world_start(w);
    log_clear();
}

/* On a file system of which it is not known in which order things get onto the disk. */
static void move_to_other_file_system(struct world *w)
{
    move_to(w, BTRFS_SUPER_MAGIC, false);
}

/* ---- what is on the disk when -------------------------------------------------------------- */

static void everything_is_on_the_disk_in_order(void **state)
{
    struct world *w = *state;
    size_t rename;

    write_file(w, INBOX "/a.pdf", "1");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    world_stop(w);
    rename = position("rename:Inbox");
    assert_true(position("write:a.pdf") < rename);
    assert_true(position("fdatasync:intents.log") < rename);
    assert_true(position("fsync:L.pdf") > rename);
    assert_true(position("fsync:Inbox") > position("fsync:L.pdf"));
    assert_true(position("fdatasync:state.db-wal") > position("fsync:L.pdf"));
    assert_true(position("fsync:Correspondence") > rename);
    assert_true(position("fdatasync:state.db-wal") > position("fsync:Inbox"));
    assert_true(position("fdatasync:state.db-wal") > position("fsync:Correspondence"));
    assert_true(position("fdatasync:journal.jsonl") > position("fdatasync:state.db-wal"));
    assert_true(sys.no_replace);
    assert_int_equal(calls("rename:Inbox"), 1);
}

static void where_order_is_not_kept_documents_are_on_the_disk_first(void **state)
{
    static const struct {
        long type;
        bool journal, no_disk, ordered;
    } systems[] = {{BTRFS_SUPER_MAGIC, false, false, false},
                   {EXT4_SUPER_MAGIC, false, false, false},
                   {EXT4_SUPER_MAGIC, true, true, false},
                   {0, true, false, false},
                   {EXT4_SUPER_MAGIC, true, false, true}};
    struct world *w = *state;
    char name[16];

    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        bool ordered = systems[i].ordered;

        sys.no_disk = systems[i].no_disk;
        move_to(w, systems[i].type, systems[i].journal);
        write_file(w, INBOX "/a.pdf", "1");
        snprintf(name, sizeof name, "L%zu.pdf", i);
        assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, name).status, ACT_DONE);
        assert_true(position(ordered ? "write:a.pdf" : "fdatasync:a.pdf") <
                    position("rename:Inbox"));
        assert_int_equal(calls("fdatasync:a.pdf"), !ordered);
        snprintf(name, sizeof name, "fsync:L%zu.pdf", i);
        assert_int_equal(calls(name), ordered);
    }
}

/* It is brought onto the disk as it is now. */
static void a_document_that_changed_since_it_was_announced_is_synced_again(void **state)
{
    struct world *w = *state;
    AUTO_CLOSE int fd = -1;

    for (int i = 0; i < 2; i++) {
        write_file(w, INBOX "/a.pdf", "1");
        fd = openat(w->root, INBOX "/a.pdf", O_RDONLY | O_CLOEXEC);
        filer_prepare(w->f, fd);
        wait_for_call(i ? "fdatasync:a.pdf" : "fdatasync:cabinet");
        cleanup_close(&fd);
        write_file(w, INBOX "/a.pdf", "2");
        log_clear();
        assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, i ? "M.pdf" : "L.pdf").status,
                         ACT_DONE);
        assert_true(position(i ? "fdatasync:a.pdf" : "write:a.pdf") < position("rename:Inbox"));
        assert_int_equal(calls("fsync:L.pdf"), !i);
        move_to_other_file_system(w);
    }
}

static void a_new_folder_and_those_above_are_synced(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    file_one(w, INBOX "/a.pdf", CASE "/Pleadings/2026", "L.pdf");
    assert_true(position("fsync:2026") > position("rename:Inbox"));
    position("fsync:Pleadings");
    position("fsync:" CASE);
}

static void many_documents_are_one_sync(void **state)
{
    struct world *w = *state;
    struct outcome r[20];
    char path[64];

    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
    }
    /* The first act keeps the thread busy while the others are queued. */
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        submit(w, filing_act(w, path, LETTERS, "L.pdf"), &r[i]);
    }
    run(w);
    for (int i = 0; i < 20; i++)
        assert_int_equal(r[i].status, ACT_DONE);
    world_stop(w);
    assert_true(calls("syncfs:cabinet") <= 3);
    assert_true(calls("syncfs:cabinet") + calls("fsync:1.pdf") >= 1);
    assert_true(calls("fsync:Inbox") <= 3);
    assert_true(sys.no_replace);
}

/* Keeps the filer's thread until go is posted, so that what is queued meanwhile is one batch. */
static sem_t go, waiting;

static void wait_for_go(struct world *w, const struct act *a)
{
    (void)w, (void)a;
    sem_post(&waiting);
    while (sem_wait(&go) < 0)
        continue;
}

static void many_folders_are_one_sync(void **state)
{
    struct world *w = *state;
    struct outcome r[7];
    char path[80], folder[64];

    write_file(w, INBOX "/0.pdf", "0");
    sem_init(&go, 0, 0);
    sem_init(&waiting, 0, 0);
    at(FILER_CHOSEN, wait_for_go);
    submit(w, filing_act(w, INBOX "/0.pdf", LETTERS, "0.pdf"), &r[0]);
    while (sem_wait(&waiting) < 0)
        continue;
    for (int i = 1; i < 7; i++) {
        snprintf(folder, sizeof folder, INBOX "/%d", i);
        assert_int_equal(beneath_mkdirs(w->root, folder), 0);
        snprintf(path, sizeof path, "%s/%d.pdf", folder, i);
        write_file(w, path, path);
        snprintf(folder, sizeof folder, LETTERS "/%d", i);
        submit(w, filing_act(w, path, folder, "L.pdf"), &r[i]);
    }
    sem_post(&go);
    run(w);
    sem_destroy(&go);
    sem_destroy(&waiting);
    for (int i = 0; i < 7; i++)
        assert_int_equal(r[i].status, ACT_DONE);
    assert_int_equal(calls("syncfs:cabinet"), 1);
    assert_int_equal(calls("fsync:1"), 0);
}

static struct world *stopping;

/* Whoever hears that filing stopped tries again at once. */
static void take_and_resume(void *ctx, struct act *a)
{
    take_outcome(ctx, a);
    filer_resume(stopping->f);
}

static void what_a_failed_sync_was_ahead_of_is_not_filed(void **state)
{
    enum { MANY = 100 };
    struct world *w = *state;
    struct outcome first, r[MANY];
    struct act *a;
    char path[64];

    stopping = w;
    write_file(w, INBOX "/first.pdf", "1");
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, path);
    }
    sem_init(&go, 0, 0);
    sem_init(&waiting, 0, 0);
    at(FILER_CHOSEN, wait_for_go);
    a = filing_act(w, INBOX "/first.pdf", LETTERS, "first.pdf");
    memset(&first, 0, sizeof first);
    a->done = take_and_resume;
    a->ctx = &first;
    filer_submit(w->f, a);
    while (sem_wait(&waiting) < 0)
        continue;
    filer_expect(w->f, true);
    fail_next("syncfs:cabinet", EIO);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        submit(w, filing_act(w, path, LETTERS, "L.pdf"), &r[i]);
    }
    /* It is begun ahead. */
    for (bool tried = false; !tried;) {
        pthread_mutex_lock(&sys.lock);
        tried = !*sys.fail;
        pthread_mutex_unlock(&sys.lock);
        sched_yield();
    }
    sem_post(&go);
    run(w);
    sem_destroy(&go);
    sem_destroy(&waiting);
    assert_int_equal(first.status, ACT_STOPPED);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(r[i].status, ACT_STOPPED);
}

static void what_was_replaced_is_told_before_anything_is_written(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    close(a->fd);
    a->fd = -1;
    write_file(w, INBOX "/new", "2");
    assert_int_equal(renameat(w->root, INBOX "/new", w->root, INBOX "/a.pdf"), 0);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_BUSY);
    assert_int_equal(calls("fdatasync:intents.log"), 0);
    assert_int_equal(calls("write:a.pdf") + calls("fsync:a.pdf"), 0);
}

static void a_record_syncs_no_intents(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", "", "");
    a->kind = ACT_RECORD;
    a->doc.path = xstrdup("Inbox/a.pdf");
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_int_equal(calls("fdatasync:intents.log"), 0);
    assert_int_equal(calls("write:a.pdf") + calls("fsync:a.pdf"), 0);
    assert_int_equal(calls("rename:Inbox"), 0);
}

static void a_new_log_of_intents_is_on_the_disk_first(void **state)
{
    struct world *w = world_new();

    (void)state;
    log_clear();
    world_start(w);
    assert_true(position("fsync:intents.log") < position("fsync:state\n"));
    world_free(w);
}

static void kill_child(struct world *w, const struct act *a)
{
    (void)w, (void)a;
    kill(getpid(), SIGKILL);
}

/* Another process has renamed the document, and comes no further. */
static void killed_behind_its_renaming(struct world *w, const char *text)
{
    struct outcome r;
    pid_t pid;

    write_file(w, INBOX "/a.pdf", text);
    world_stop(w);
    pid = fork();
    if (pid == 0) {
        at(FILER_RENAMED, kill_child);
        world_start(w);
        submit(w, filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf"), &r);
        world_stop(w);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void recovery_syncs_documents_and_folders_before_it_records(void **state)
{
    struct world *w = *state;

    killed_behind_its_renaming(w, "1");
    log_clear();
    world_start(w);
    assert_int_equal(filer_recovered(w->f)->finished, 1);
    assert_true(position("syncfs:cabinet") < position("fdatasync:state.db-wal"));
    assert_true(position("fdatasync:state.db-wal") < position("fdatasync:journal.jsonl"));
}

static void many_journals_are_one_sync(void **state)
{
    struct world *w = *state;
    struct outcome r[8];
    struct act *a[8];
    char path[32];

    for (int i = 0; i < 8; i++) {
        snprintf(path, sizeof path, "Case%d_Will", i);
        assert_int_equal(mkdirat(w->root, path, 0755), 0);
        a[i] = act_new(ACT_RECORD);
        snprintf(a[i]->doc.case_id, sizeof a[i]->doc.case_id, "%032d", i);
        a[i]->doc.path = xstrdup("x");
        a[i]->case_path = xstrdup(path);
        journal_body(&a[i]->journal, 0, "indexed");
    }
    /* Something that takes a while, so that all eight come in one batch. */
    write_file(w, INBOX "/a.pdf", "1");
    submit(w, filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf"), &r[0]);
    for (int i = 0; i < 8; i++)
        submit(w, a[i], &r[i]);
    run(w);
    world_stop(w);
    assert_true(calls("syncfs:cabinet") >= 1);
    assert_true(calls("fdatasync:journal.jsonl") <= 2);
}

/* ---- what fails ------------------------------------------------------------------------------ */

/* Files a document while `entry` fails: nothing may have happened, and after filer_resume() the
 * same act is done and the journal is whole. */
static void stops_and_resumes(struct world *w, const char *entry, int with)
{
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    fail_next(entry, with);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_string_equal(sys.fail, "");
    assert_int_equal(r.status, ACT_STOPPED);
    assert_string_not_equal(r.error, "");
    assert_text(w, INBOX "/a.pdf", "1");
    assert_false(exists(w, LETTERS "/L.pdf"));
    assert_non_null(filer_stopped(w->f));
    log_clear();
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_STOPPED);
    assert_string_equal(str_c(&sys.log), "");
    filer_resume(w->f);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_null(filer_stopped(w->f));
    assert_row(w, "Correspondence/L.pdf");
    world_stop(w);
    assert_int_equal(lines(w, "filed", "Correspondence/L.pdf"), 1);
    assert_journal(w);
}

/* Who waits until all is written is told when nothing will be, too. */
static void what_is_refused_is_over(void **state)
{
    struct world *w = *state;
    unsigned written = 0, before;

    world_stop(w);
    w->o.written = count_written;
    w->o.written_ctx = &written;
    world_start(w);
    write_file(w, INBOX "/a.pdf", "1");
    fail_next("fsync:L.pdf", EIO);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_STOPPED);
    finish(w);
    before = written;
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_STOPPED);
    finish(w);
    assert_int_equal(written, before + 1);
}

static void a_document_that_cannot_be_synced_stops_filing(void **state)
{
    stops_and_resumes(*state, "fsync:L.pdf", EIO);
}

static void a_document_that_cannot_be_written_out_stops_filing(void **state)
{
    stops_and_resumes(*state, "write:a.pdf", EIO);
}

static void one_that_cannot_be_synced_on_another_file_system_stops_filing(void **state)
{
    move_to_other_file_system(*state);
    stops_and_resumes(*state, "fdatasync:a.pdf", EIO);
}

/* What the sync of one that was announced met is not told again by the next. */
static void a_document_that_could_not_be_synced_when_announced_stops_filing(void **state)
{
    static const char *const entries[] = {"write:a.pdf", "fdatasync:cabinet", "fdatasync:a.pdf"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        struct act *a;
        struct outcome r;

        if (i == 2)
            move_to_other_file_system(w);
        write_file(w, INBOX "/a.pdf", "1");
        a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
        log_clear();
        fail_next(entries[i], EIO);
        filer_prepare(w->f, a->fd);
        wait_for_call(entries[i]);
        submit(w, a, &r);
        run(w);
        assert_int_equal(r.status, ACT_STOPPED);
        assert_int_equal(calls("rename:Inbox"), 0);
        assert_true(exists(w, INBOX "/a.pdf"));
        filer_resume(w->f);
        run(w);
    }
}

/* What is told first is what nothing may be renamed without. */
static void intents_and_a_document_that_cannot_be_synced_stop_filing(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    fail_next("write:a.pdf", ENOSPC);
    filer_prepare(w->f, a->fd);
    wait_for_call("write:a.pdf");
    fail_next("fdatasync:intents.log", EIO);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_STOPPED);
    assert_non_null(strstr(r.error, "the log of intents"));
    assert_int_equal(calls("rename:Inbox"), 0);
    assert_text(w, INBOX "/a.pdf", "1");
    filer_resume(w->f);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

static void intents_that_cannot_be_synced_stop_filing(void **state)
{
    struct world *w = *state;
    struct stat before, after;
    char path[128];

    snprintf(path, sizeof path, "%s/%s", w->state_dir, "intents.log");
    stat(path, &before);
    int keep = open(path, O_RDONLY); /* its inode is not used again */
    stops_and_resumes(w, "fdatasync:intents.log", EIO);
    stat(path, &after);
    close(keep);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

static void a_folder_that_cannot_be_synced_stops_filing(void **state)
{
    stops_and_resumes(*state, "fsync:Correspondence", EIO);
}

static void an_old_folder_that_cannot_be_synced_stops_filing(void **state)
{
    stops_and_resumes(*state, "fsync:Inbox", EIO);
}

static void a_transaction_that_cannot_be_synced_stops_filing(void **state)
{
    stops_and_resumes(*state, "fdatasync:state.db-wal", EIO);
}

static void a_rename_for_want_of_space_stops_filing(void **state)
{
    stops_and_resumes(*state, "rename:Inbox", ENOSPC);
}

static void a_journal_that_cannot_be_synced_stops_filing_after_the_act(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    fail_next("fdatasync:journal.jsonl", EIO);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_DONE);
    world_stop(w);
    world_start(w);
    assert_int_equal(filer_recovered(w->f)->lines, 1);
    world_stop(w);
    assert_int_equal(lines(w, "filed", "Correspondence/L.pdf"), 1);
    assert_journal(w);
}

/* ---- what the disk did not keep ---------------------------------------------------------------- */

/* Other bytes of the same length in the same file, of which its stamp does not tell: what is read of it once memory
 * has let go of what could not be written. */
static void lose(const struct world *w, const char *path, const char *text)
{
    struct doc_stamp before;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    AUTO_CLOSE int fd = beneath_open(w->root, path, O_WRONLY, 0);

    assert_int_equal(doc_stamp_take(fd, -1, NULL, &before), 0);
    assert_int_equal(before.size, strlen(text));
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    times[1] = (struct timespec){before.mtime_ns / NS_PER_S, before.mtime_ns % NS_PER_S};
    assert_int_equal(futimens(fd, times), 0);
}

static void assert_lost(struct world *w, const struct outcome *r, const char *text)
{
    assert_int_equal(r->status, ACT_LOST);
    assert_non_null(strstr(r->error, "bring it again"));
    assert_null(filer_stopped(w->f));
    assert_text(w, INBOX "/a.pdf", text);
    assert_false(exists(w, LETTERS "/L.pdf"));
}

/* The document is examined and its sync fails. */
static void fail_sync(struct world *w, const char *entry)
{
    write_file(w, INBOX "/a.pdf", "good");
    fail_next(entry, EIO);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_STOPPED);
    assert_string_equal(sys.fail, "");
    filer_resume(w->f);
    log_clear();
}

/* What is read of it later, and what its digest is then, counts for nothing. */
static void not_filed_until_it_is_brought_again(struct world *w, const char *entry)
{
    struct outcome r;

    fail_sync(w, entry);
    lose(w, INBOX "/a.pdf", "zero");
    for (int i = 0; i < 2; i++) {
        r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
        assert_lost(w, &r, "zero");
    }
    assert_int_equal(calls("rename:Inbox"), 0);
    write_file(w, INBOX "/a.pdf", "good again");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    assert_text(w, LETTERS "/L.pdf", "good again");
}

static void what_could_not_be_written_out_is_not_filed(void **state)
{
    not_filed_until_it_is_brought_again(*state, "write:a.pdf");
}

static void what_could_not_be_synced_once_renamed_is_not_filed(void **state)
{
    not_filed_until_it_is_brought_again(*state, "fsync:L.pdf");
}

static void what_could_not_be_synced_elsewhere_is_not_filed(void **state)
{
    move_to_other_file_system(*state);
    not_filed_until_it_is_brought_again(*state, "fdatasync:a.pdf");
}

static void what_could_not_be_synced_when_announced_is_not_filed(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "good");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    fail_next("write:a.pdf", EIO);
    filer_prepare(w->f, a->fd);
    wait_for_call("write:a.pdf");
    lose(w, INBOX "/a.pdf", "zero");
    submit(w, a, &r);
    run(w);
    assert_true(r.status == ACT_LOST || r.status == ACT_STOPPED); /* whether that was told before it came */
    assert_false(exists(w, LETTERS "/L.pdf"));
    filer_resume(w->f);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_lost(w, &r, "zero");
}

/* Memory has it, and all that is read of it is right, until it is asked what the disk has. */
static void what_only_memory_has_is_not_filed(void **state)
{
    struct world *w = *state;
    struct outcome r;

    for (unsigned past = PAST_MEMORY; past <= PAST_MEMORY_IN_NAME; past++) {
        sys.past = past;
        sys.dropped = false;
        fail_sync(w, "write:a.pdf");
        sys.kept = "zero";
        r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
        assert_lost(w, &r, "good");
        /* The only good bytes stay there where the disk can be read without dropping them. */
        assert_int_equal(calls("drop:a.pdf"), past != PAST_MEMORY);
        sys.kept = NULL;
        assert_int_equal(unlinkat(w->root, INBOX "/a.pdf", 0), 0);
    }
}

static void what_the_disk_has_is_filed(void **state)
{
    struct world *w = *state;

    for (unsigned past = PAST_MEMORY; past <= PAST_MEMORY_IN_NAME; past++) {
        sys.past = past;
        fail_sync(w, "write:a.pdf");
        assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
        assert_int_equal(calls("drop:a.pdf"), 1);
        assert_true(position("fdatasync:a.pdf") < position("drop:a.pdf"));
    }
}

static void what_cannot_be_read_from_the_disk_is_not_filed(void **state)
{
    struct world *w = *state;
    struct outcome r;

    fail_sync(w, "write:a.pdf");
    fail_next("read:a.pdf", EIO);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_lost(w, &r, "good");
    assert_string_equal(sys.fail, "");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

static void one_that_cannot_be_synced_again_stops_filing_again(void **state)
{
    struct world *w = *state;
    struct outcome r;

    fail_sync(w, "write:a.pdf");
    fail_next("fdatasync:a.pdf", EIO);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_STOPPED);
    assert_string_equal(sys.fail, "");
    filer_resume(w->f);
    lose(w, INBOX "/a.pdf", "zero");
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_lost(w, &r, "zero");
}

/* Who has it in writing that it was lost gives its digest, also when the filer never saw it. */
static void what_was_lost_before_a_restart_is_not_filed(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    for (int i = 0; i < 2; i++) {
        write_file(w, INBOX "/a.pdf", i ? "good" : "zero");
        a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
        a->was = digest_of("good", 4);
        submit(w, a, &r);
        run(w);
        if (i)
            assert_int_equal(r.status, ACT_DONE);
        else
            assert_lost(w, &r, "zero");
    }
}

/* Nothing was to be renamed any more: that has no intent. */
static void what_was_found_lost_is_known_to_the_next_run(void **state)
{
    struct world *w = *state;
    struct outcome r;

    fail_sync(w, "write:a.pdf");
    lose(w, INBOX "/a.pdf", "zero");
    for (int i = 0; i < 3; i++) {
        r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
        assert_lost(w, &r, "zero");
        world_stop(w);
        world_start(w);
    }
    write_file(w, INBOX "/a.pdf", "good again");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    world_stop(w);
    log_clear();
    world_start(w);
    write_file(w, INBOX "/a.pdf", "1");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "M.pdf").status, ACT_DONE);
    assert_int_equal(calls("read:a.pdf"), 0);
}

static void what_could_not_be_written_out_before_a_crash_is_not_filed(void **state)
{
    struct world *w = *state;
    struct outcome r;
    pid_t pid;

    write_file(w, INBOX "/a.pdf", "good");
    world_stop(w);
    pid = fork();
    if (pid == 0) {
        world_start(w);
        fail_next("write:a.pdf", EIO);
        (void)file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
        kill_child(w, NULL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    lose(w, INBOX "/a.pdf", "zero");
    world_start(w);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_lost(w, &r, "zero");
}

/* It was renamed, and whoever did that did not come to record it. */
static void what_recovery_finds_renamed_and_not_kept_goes_back(void **state)
{
    struct world *w = *state;
    struct outcome r;

    killed_behind_its_renaming(w, "good");
    lose(w, LETTERS "/L.pdf", "zero");
    world_start(w);
    assert_int_equal(filer_recovered(w->f)->finished, 0);
    assert_int_equal(filer_recovered(w->f)->untouched, 1);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_lost(w, &r, "zero");
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 0);
    assert_journal(w);
}

/* After a sync of the whole disk that failed nobody knows of any document. */
static void after_a_sync_of_all_that_failed_each_is_read_from_the_disk(void **state)
{
    enum { MANY = 20 };
    struct world *w = *state;
    struct outcome r[MANY];
    unsigned stopped = 0;
    char path[64];

    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, "good");
    }
    write_file(w, INBOX "/a.pdf", "good");
    fail_next("syncfs:cabinet", EIO);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        submit(w, filing_act(w, path, LETTERS, "M.pdf"), &r[i]);
    }
    run(w);
    assert_string_equal(sys.fail, "");
    filer_resume(w->f);
    for (int i = 0; i < MANY; i++) {
        if (r[i].status != ACT_STOPPED)
            continue;
        stopped++;
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        lose(w, path, "zero");
        assert_int_equal(file_one(w, path, LETTERS, "M.pdf").status, ACT_LOST);
    }
    assert_true(stopped > 8);
    /* One that was in no batch. */
    sys.kept = "zero";
    r[0] = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_lost(w, &r[0], "good");
    sys.kept = "good";
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

/* Only a sync that failed makes documents be read once more. */
static void what_was_synced_is_not_read_again(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    assert_int_equal(calls("read:a.pdf") + calls("drop:a.pdf") + calls("fdatasync:a.pdf"), 0);
}

static void refused_with(struct world *w, int with, const char *text)
{
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    fail_next("rename:Inbox", with);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_REFUSED);
    assert_string_equal(r.error, text);
    assert_null(filer_stopped(w->f));
    assert_text(w, INBOX "/a.pdf", "1");
}

static void a_file_system_without_noreplace_is_refused(void **state)
{
    refused_with(*state, EINVAL,
                 "this file system cannot rename without the risk of replacing something");
}

static void another_file_system_is_refused(void **state)
{
    refused_with(*state, EXDEV, "its new place lies on another file system or under another quota");
}

static void no_permission_is_refused(void **state)
{
    refused_with(*state, EACCES, "it cannot be renamed");
}

static void a_folder_that_takes_both_names_for_the_same_is_refused(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/A.pdf", "1");
    fail_next("rename:Inbox", EEXIST);
    r = file_one(w, INBOX "/A.pdf", INBOX, "a.pdf");
    assert_int_equal(r.status, ACT_REFUSED);
    assert_string_equal(r.error, "this folder takes the old and the new name for the same");
    assert_text(w, INBOX "/A.pdf", "1");
}

static void an_interrupted_rename_is_done(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    fail_next("rename:Inbox", EINTR);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

/* ---- what others do meanwhile ---------------------------------------------------------------- */

static void save_over(struct world *w, const struct act *a)
{
    (void)a;
    write_file(w, INBOX "/a.tmp", "saved again");
    assert_int_equal(renameat(w->root, INBOX "/a.tmp", w->root, INBOX "/a.pdf"), 0);
}

static void what_was_saved_over_it_is_put_back(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_LOOKED, save_over);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_BUSY);
    assert_text(w, INBOX "/a.pdf", "saved again");
    assert_false(exists(w, LETTERS "/L.pdf"));
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.unseen, "");
    assert_text(w, LETTERS "/L.pdf", "saved again");
}

static void save_old_name(struct world *w, const struct act *a)
{
    (void)a;
    write_file(w, INBOX "/a.pdf", "third");
}

static void save_over_and_again(struct world *w, const struct act *a)
{
    save_over(w, a);
    at(FILER_RENAMED, save_old_name);
}

static void what_cannot_be_put_back_stays_under_the_new_name(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_LOOKED, save_over_and_again);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_BUSY);
    assert_text(w, INBOX "/a.pdf", "third");
    assert_text(w, LETTERS "/L.pdf", "saved again");
    assert_string_equal(r.unseen, LETTERS "/L.pdf");
}

static void remove_it(struct world *w, const struct act *a)
{
    assert_int_equal(unlinkat(w->root, a->from, 0), 0);
}

static void removed_at_the_last_moment_is_gone(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_LOOKED, remove_it);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_GONE);
}

static void take_new_name(struct world *w, const struct act *a)
{
    (void)a;
    write_file(w, LETTERS "/L.pdf", "other");
}

static void a_name_taken_at_the_last_moment_gives_the_next_serial(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_LOOKED, take_new_name);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, LETTERS "/L_02.pdf");
    assert_string_equal(r.unseen, LETTERS "/L.pdf");
    assert_text(w, LETTERS "/L.pdf", "other");
    assert_text(w, LETTERS "/L_02.pdf", "1");
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 1);
}

/* One was filed as L.pdf, and is out of the way. */
static void put_out_of_the_way(struct world *w)
{
    write_file(w, INBOX "/a.pdf", "1");
    write_file(w, INBOX "/b.pdf", "2");
    file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(renameat(w->root, LETTERS "/L.pdf", w->root, LETTERS "/~WRL0001.tmp"), 0);
}

static void the_name_of_one_that_is_just_being_saved_is_kept(void **state)
{
    struct world *w = *state;

    put_out_of_the_way(w);
    assert_string_equal(file_one(w, INBOX "/b.pdf", LETTERS, "L.pdf").to, LETTERS "/L_02.pdf");
}

static void the_name_of_one_that_did_not_come_back_is_free(void **state)
{
    struct world *w = *state;

    put_out_of_the_way(w);
    later = 3;
    assert_string_equal(file_one(w, INBOX "/b.pdf", LETTERS, "L.pdf").to, LETTERS "/L.pdf");
}

static void an_exact_name_taken_at_the_last_moment_is_refused(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    a->exact = true;
    at(FILER_LOOKED, take_new_name);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_REFUSED);
    assert_string_equal(r.error, "there is another document of that name already");
    assert_text(w, INBOX "/a.pdf", "1");
    assert_text(w, LETTERS "/L.pdf", "other");
}

/* On a file system that tells upper case from lower. */
static void its_own_name_in_other_letters_may_be_another_s(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, LETTERS "/l.PDF", "1");
    write_file(w, LETTERS "/L.pdf", "other");
    r = file_one(w, LETTERS "/l.PDF", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_DONE);
    assert_string_equal(r.to, LETTERS "/L_02.pdf");
    assert_text(w, LETTERS "/L.pdf", "other");
}

static void move_on(struct world *w, const struct act *a)
{
    assert_int_equal(renameat(w->root, a->to, w->root, CASE "/mine.pdf"), 0);
}

static void moved_on_at_once_is_gone(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_RENAMED, move_on);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_GONE);
    assert_text(w, CASE "/mine.pdf", "1");
}

static bool kept_out;

static void try_open(struct world *w, const struct act *a)
{
    int fd = beneath_open(w->root, a->to, O_WRONLY, 0);

    kept_out = fd < 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
}

static void others_are_kept_out_while_it_is_renamed(void **state)
{
    struct world *w = *state;

    kept_out = false;
    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_RENAMED, try_open);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
    assert_true(kept_out);
}

static void append_to_it(struct world *w, const struct act *a)
{
    int fd = beneath_open(w->root, a->from, O_WRONLY | O_APPEND, 0);

    assert_int_equal(write(fd, "2", 1), 1);
    close(fd);
}

static void written_to_between_look_and_rename_is_read_again(void **state)
{
    struct world *w = *state;
    struct act *a;
    struct outcome r;
    struct doc_stamp examined;

    write_file(w, INBOX "/a.pdf", "1");
    a = filing_act(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    a->leases = false;
    examined = a->stamp;
    at(FILER_LOOKED, append_to_it);
    submit(w, a, &r);
    run(w);
    assert_int_equal(r.status, ACT_DONE);
    assert_true(doc_stamp_equal(&r.stamp, &examined));
    assert_text(w, LETTERS "/L.pdf", "12");
}

static void remove_target_folder(struct world *w, const struct act *a)
{
    (void)a;
    assert_int_equal(unlinkat(w->root, LETTERS, AT_REMOVEDIR), 0);
}

static void a_folder_removed_meanwhile_is_busy(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_INTENDED, remove_target_folder);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_BUSY);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

static void a_folder_removed_at_the_last_moment_is_busy(void **state)
{
    struct world *w = *state;
    struct outcome r;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_LOOKED, remove_target_folder);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_BUSY);
    assert_non_null(strstr(r.error, "the folder it goes to"));
    assert_text(w, INBOX "/a.pdf", "1");
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_DONE);
}

/* As a network file system tells of what another machine took away. */
static void a_stale_document_is_gone(void **state)
{
    struct world *w = *state;

    write_file(w, INBOX "/a.pdf", "1");
    fail_next("rename:Inbox", ESTALE);
    assert_int_equal(file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf").status, ACT_GONE);
    assert_null(filer_stopped(w->f));
}

static void move_case(struct world *w, const struct act *a)
{
    (void)a;
    assert_int_equal(renameat(w->root, CASE, w->root, "Smith_Divorce (old)"), 0);
}

static void lines_wait_while_the_case_folder_is_away(void **state)
{
    struct world *w = *state;
    struct outcome r;
    const char *why;

    write_file(w, INBOX "/a.pdf", "1");
    at(FILER_COMMITTED, move_case);
    r = file_one(w, INBOX "/a.pdf", LETTERS, "L.pdf");
    assert_int_equal(r.status, ACT_DONE);
    world_stop(w);
    world_start(w);
    assert_int_equal(filer_lines_waiting(w->f, &why), 1);
    assert_non_null(strstr(why, CASE));
    world_stop(w);
    assert_int_equal(renameat(w->root, "Smith_Divorce (old)", w->root, CASE), 0);
    world_start(w);
    assert_int_equal(filer_recovered(w->f)->lines, 1);
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 1);
    assert_journal(w);
}

/* ---- a full disk ----------------------------------------------------------------------------- */

static void fill_disk(const char *dir, char *path, size_t size)
{
    static const char zeros[4096];
    int fd;

    snprintf(path, size, "%s/filler", dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    while (write(fd, zeros, sizeof zeros) > 0) {
    }
    close(fd);
}

static void a_full_disk_stops_filing_and_loses_nothing(void **state)
{
    char base[] = "/tmp/full-XXXXXX", filler[256];
    struct outcome r[40];
    char path[64];
    struct world *w;
    unsigned here = 0, there = 0;

    (void)state;
    assert_non_null(mkdtemp(base));
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", base, "tmpfs", 0, "size=8m") < 0) {
        print_message("no tmpfs may be mounted here: skipped\n");
        rmdir(base);
        skip();
    }
    w = world_watched(base);
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        write_file(w, path, "1");
    }
    fill_disk(base, filler, sizeof filler);
    for (int i = 0; i < 40; i++) {
        struct act *a;

        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        a = filing_act(w, path, LETTERS, "L.pdf");
        /* Enough to need room in the private state. */
        a->doc.sentence = xcalloc(1, 60001);
        memset(a->doc.sentence, 'x', 60000);
        submit(w, a, &r[i]);
    }
    run(w);
    assert_non_null(filer_stopped(w->f));
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        assert_true(r[i].status == ACT_DONE || r[i].status == ACT_STOPPED);
        here += exists(w, path);
        there += r[i].status == ACT_DONE && exists(w, r[i].to);
    }
    assert_int_equal(here + there, 40);
    assert_true(here > 0);
    unlink(filler);
    filer_resume(w->f);
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, INBOX "/%d.pdf", i);
        if (exists(w, path))
            submit(w, filing_act(w, path, LETTERS, "L.pdf"), &r[i]);
    }
    run(w);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(r[i].status, ACT_DONE);
        assert_text(w, r[i].to, "1");
    }
    world_stop(w);
    assert_int_equal(lines(w, "filed", NULL), 40);
    assert_journal(w);
    world_free(w);
    umount(base);
    rmdir(base);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, ready, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_on_the_disk_in_order),
        TEST(where_order_is_not_kept_documents_are_on_the_disk_first),
        TEST(a_document_that_changed_since_it_was_announced_is_synced_again),
        TEST(a_new_folder_and_those_above_are_synced),
        TEST(many_documents_are_one_sync),
        TEST(many_folders_are_one_sync),
        TEST(what_a_failed_sync_was_ahead_of_is_not_filed),
        TEST(what_was_replaced_is_told_before_anything_is_written),
        TEST(a_record_syncs_no_intents),
        TEST(a_new_log_of_intents_is_on_the_disk_first),
        TEST(recovery_syncs_documents_and_folders_before_it_records),
        TEST(many_journals_are_one_sync),
        TEST(what_is_refused_is_over),
        TEST(a_document_that_cannot_be_synced_stops_filing),
        TEST(a_document_that_cannot_be_written_out_stops_filing),
        TEST(one_that_cannot_be_synced_on_another_file_system_stops_filing),
        TEST(a_document_that_could_not_be_synced_when_announced_stops_filing),
        TEST(intents_and_a_document_that_cannot_be_synced_stop_filing),
        TEST(intents_that_cannot_be_synced_stop_filing),
        TEST(a_folder_that_cannot_be_synced_stops_filing),
        TEST(an_old_folder_that_cannot_be_synced_stops_filing),
        TEST(a_transaction_that_cannot_be_synced_stops_filing),
        TEST(a_rename_for_want_of_space_stops_filing),
        TEST(a_journal_that_cannot_be_synced_stops_filing_after_the_act),
        TEST(what_could_not_be_written_out_is_not_filed),
        TEST(what_could_not_be_synced_once_renamed_is_not_filed),
        TEST(what_could_not_be_synced_elsewhere_is_not_filed),
        TEST(what_could_not_be_synced_when_announced_is_not_filed),
        TEST(what_only_memory_has_is_not_filed),
        TEST(what_the_disk_has_is_filed),
        TEST(what_cannot_be_read_from_the_disk_is_not_filed),
        TEST(one_that_cannot_be_synced_again_stops_filing_again),
        TEST(what_was_lost_before_a_restart_is_not_filed),
        TEST(what_was_found_lost_is_known_to_the_next_run),
        TEST(what_could_not_be_written_out_before_a_crash_is_not_filed),
        TEST(what_recovery_finds_renamed_and_not_kept_goes_back),
        TEST(after_a_sync_of_all_that_failed_each_is_read_from_the_disk),
        TEST(what_was_synced_is_not_read_again),
        TEST(a_file_system_without_noreplace_is_refused),
        TEST(another_file_system_is_refused),
        TEST(no_permission_is_refused),
        TEST(a_folder_that_takes_both_names_for_the_same_is_refused),
        TEST(an_interrupted_rename_is_done),
        TEST(what_was_saved_over_it_is_put_back),
        TEST(what_cannot_be_put_back_stays_under_the_new_name),
        TEST(removed_at_the_last_moment_is_gone),
        TEST(a_name_taken_at_the_last_moment_gives_the_next_serial),
        TEST(the_name_of_one_that_is_just_being_saved_is_kept),
        TEST(the_name_of_one_that_did_not_come_back_is_free),
        TEST(an_exact_name_taken_at_the_last_moment_is_refused),
        TEST(its_own_name_in_other_letters_may_be_another_s),
        TEST(moved_on_at_once_is_gone),
        TEST(others_are_kept_out_while_it_is_renamed),
        TEST(written_to_between_look_and_rename_is_read_again),
        TEST(a_folder_removed_meanwhile_is_busy),
        TEST(a_folder_removed_at_the_last_moment_is_busy),
        TEST(a_stale_document_is_gone),
        TEST(lines_wait_while_the_case_folder_is_away),
        cmocka_unit_test(a_full_disk_stops_filing_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
