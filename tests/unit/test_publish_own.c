/* Own files: written only over what the daemon wrote, whatever happens in between. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <acl/libacl.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/io.h"
#include "publish/own.h"
#include "record/state.h"
#include "remove_tree.h"

#define NAME "Index.html"

/* Stands before libc's: this name may not be opened; NULL: all may. */
static const char *refused;

int openat(int dir, const char *name, int flags, ...)
{
    mode_t mode = 0;

    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list ap;

        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    if (refused && strcmp(name, refused) == 0) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_openat, dir, name, flags, mode);
}

struct place {
    char dir[40], state_dir[64];
    int root;
    struct state *state;
};

static int setup(void **ctx)
{
    struct place *p = xcalloc(1, sizeof *p);
    struct error err = ERROR_INIT;

    strcpy(p->dir, "/tmp/test_publish_own.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(chmod(p->dir, 0755), 0);
    snprintf(p->state_dir, sizeof p->state_dir, "%s/state", p->dir);
    p->root = open(p->dir, O_RDONLY | O_DIRECTORY);
    p->state = state_open(p->state_dir, false, &err);
    assert_non_null(p->state);
    assert_int_equal(mkdirat(p->root, "case", 0755), 0);
    *ctx = p;
    return 0;
}

static int teardown(void **ctx)
{
    struct place *p = *ctx;

    state_close(p->state);
    close(p->root);
    remove_tree(p->dir);
    free(p);
    return 0;
}

static int case_dir(const struct place *p)
{
    int fd = openat(p->root, "case", O_RDONLY | O_DIRECTORY);

    assert_true(fd >= 0);
    return fd;
}

static void put_file(const struct place *p, const char *name, const char *text)
{
    int dir = case_dir(p), fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    close(fd);
    close(dir);
}

static void assert_file(const struct place *p, const char *name, const char *text)
{
    struct str got = STR_INIT;
    int dir = case_dir(p);

    assert_int_equal(io_read_file(dir, name, &got, 1000), 0);
    assert_string_equal(str_c(&got), text);
    str_clear(&got);
    close(dir);
}

static struct stat stat_of(const struct place *p, const char *name)
{
    struct stat st;
    int dir = case_dir(p);

    assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    close(dir);
    return st;
}

/* Files in the case folder but . and .. : leftovers show. */
static size_t files(const struct place *p)
{
    char cmd[128];
    unsigned n = 0;
    FILE *f;

    snprintf(cmd, sizeof cmd, "ls -A '%s/case' | wc -l", p->dir);
    f = popen(cmd, "r");
    assert_int_equal(fscanf(f, "%u", &n), 1);
    pclose(f);
    return n;
}

struct result {
    int rc;
    size_t written, aside;
    char first[128];
};

static struct result write_page_since(struct place *p, const char *text, int64_t ns, bool *put_off)
{
    struct own_set set;
    struct str s = STR_INIT;
    struct result r;

    str_add(&s, text);
    own_init(&set, p->root, p->state);
    own_in_work_since(&set, ns, put_off);
    own_put(&set, "case", NAME, &s);
    r = (struct result){.rc = own_flush(&set)};
    r.written = set.written;
    r.aside = set.set_aside_len;
    snprintf(r.first, sizeof r.first, "%s", set.set_aside_len ? set.set_aside[0].path : "");
    own_clear(&set);
    return r;
}

static struct result write_page(struct place *p, const char *text)
{
    return write_page_since(p, text, 0, NULL);
}

static void assert_recorded(struct place *p, const char *text)
{
    struct digest d = digest_of(text, strlen(text));
    struct own_file o = {0};
    struct error err = ERROR_INIT;

    assert_true(state_own_get(p->state, "case/" NAME, &o, &err) >= 0);
    assert_true(digest_equal(&o.written, &d));
}

static void record(struct place *p, const char *written, const char *next)
{
    struct own_file o = {digest_of(written, strlen(written)), digest_of(next, strlen(next))};
    struct error err = ERROR_INIT;

    assert_int_equal(state_begin(p->state, &err), 0);
    assert_int_equal(state_own_put(p->state, "case/" NAME, &o, &err), 0);
    assert_int_equal(state_commit(p->state, &err), 0);
}

static void writes_a_new_file(void **ctx)
{
    struct place *p = *ctx;
    struct result r = write_page(p, "one");

    assert_int_equal(r.rc, 0);
    assert_int_equal(r.written, 1);
    assert_file(p, NAME, "one");
    assert_recorded(p, "one");
    assert_int_equal(files(p), 1);
}

static void leaves_the_same_content_alone(void **ctx)
{
    struct place *p = *ctx;
    struct stat before;

    write_page(p, "one");
    before = stat_of(p, NAME);
    assert_int_equal(write_page(p, "one").written, 0);
    assert_int_equal(stat_of(p, NAME).st_ino, before.st_ino);
    assert_int_equal(stat_of(p, NAME).st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void replaces_its_own(void **ctx)
{
    struct place *p = *ctx;
    struct result r;

    write_page(p, "one");
    r = write_page(p, "two");
    assert_int_equal(r.written, 1);
    assert_int_equal(r.aside, 0);
    assert_file(p, NAME, "two");
    assert_int_equal(files(p), 1);
}

static void sets_a_persons_file_aside(void **ctx)
{
    struct place *p = *ctx;
    struct result r;

    write_page(p, "one");
    put_file(p, NAME, "mine");
    r = write_page(p, "two");
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.aside, 1);
    assert_string_equal(r.first, "case/Index (yours).html");
    assert_file(p, "Index (yours).html", "mine");
    assert_file(p, NAME, "two");
}

static void its_own_that_is_refused_stays(void **ctx)
{
    struct place *p = *ctx;
    struct result r;

    write_page(p, "one");
    refused = NAME;
    r = write_page(p, "two");
    refused = NULL;
    assert_int_equal(r.rc, -1);
    assert_int_equal(r.aside, 0);
    assert_file(p, NAME, "one");
    assert_int_equal(files(p), 1);
    assert_int_equal(write_page(p, "two").written, 1);
}

static void a_file_that_is_closed_to_us_is_a_persons(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    write_page(p, "one");
    assert_int_equal(fchmodat(dir, NAME, 0, 0), 0);
    close(dir);
    refused = NAME; /* to root all are open */
    assert_int_equal(write_page(p, "two").aside, 1);
    refused = NULL;
    assert_file(p, NAME, "two");
}

static void sets_aside_even_what_was_there_first(void **ctx)
{
    struct place *p = *ctx;

    put_file(p, NAME, "mine");
    assert_int_equal(write_page(p, "one").aside, 1);
    assert_file(p, "Index (yours).html", "mine");
}

static void never_sets_aside_over_another(void **ctx)
{
    struct place *p = *ctx;

    put_file(p, "Index (yours).html", "older");
    put_file(p, NAME, "mine");
    assert_string_equal(write_page(p, "one").first, "case/Index (yours 2).html");
    assert_file(p, "Index (yours).html", "older");
    assert_file(p, "Index (yours 2).html", "mine");
}

static void a_crash_before_the_replacing_changes_nothing(void **ctx)
{
    struct place *p = *ctx;

    write_page(p, "one");
    record(p, "one", "two"); /* told, not done */
    assert_int_equal(write_page(p, "three").aside, 0);
    assert_file(p, NAME, "three");
}

static void a_crash_after_the_replacing_is_still_its_own(void **ctx)
{
    struct place *p = *ctx;

    write_page(p, "one");
    record(p, "one", "two");
    put_file(p, NAME, "two"); /* done, not told */
    assert_int_equal(write_page(p, "three").aside, 0);
    assert_file(p, NAME, "three");
    assert_int_equal(files(p), 1);
}

static void a_second_crash_forgets_neither(void **ctx)
{
    struct place *p = *ctx;

    record(p, "one", "two");
    put_file(p, NAME, "two");
    assert_int_equal(write_page(p, "two").written, 0);
    put_file(p, NAME, "one"); /* the replacing had not reached the disk */
    assert_int_equal(write_page(p, "two").aside, 0);
    assert_recorded(p, "two");
}

static void the_same_bytes_unrecorded_become_its_own(void **ctx)
{
    struct place *p = *ctx;

    put_file(p, NAME, "one"); /* the private state was lost */
    assert_int_equal(write_page(p, "one").written, 0);
    assert_int_equal(write_page(p, "two").aside, 0);
}

static void an_empty_file_is_nobodys(void **ctx)
{
    struct place *p = *ctx;

    put_file(p, NAME, "");
    assert_int_equal(write_page(p, "one").aside, 0);
    assert_file(p, NAME, "one");
    assert_int_equal(files(p), 1);
}

static void a_link_is_a_persons(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    put_file(p, "target", "one");
    assert_int_equal(symlinkat("target", dir, NAME), 0);
    assert_int_equal(write_page(p, "two").aside, 1);
    assert_file(p, "target", "one");
    assert_true(S_ISLNK(stat_of(p, "Index (yours).html").st_mode));
    close(dir);
}

static void a_folder_is_a_persons(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    assert_int_equal(mkdirat(dir, NAME, 0755), 0);
    assert_int_equal(write_page(p, "one").aside, 1);
    assert_true(S_ISDIR(stat_of(p, "Index (yours).html").st_mode));
    close(dir);
}

static void a_fifo_does_not_hang_it(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    assert_int_equal(mkfifoat(dir, NAME, 0644), 0);
    assert_int_equal(write_page(p, "one").aside, 1);
    assert_file(p, NAME, "one");
    close(dir);
}

static void empty_content_removes_its_own(void **ctx)
{
    struct place *p = *ctx;

    write_page(p, "one");
    assert_int_equal(write_page(p, "").written, 1);
    assert_int_equal(files(p), 0);
    assert_int_equal(write_page(p, "").written, 0);
}

static void empty_content_leaves_a_persons(void **ctx)
{
    struct place *p = *ctx;
    struct result r;

    put_file(p, NAME, "mine");
    r = write_page(p, "");
    assert_int_equal(r.written + r.aside, 0);
    assert_file(p, NAME, "mine");
}

static void comes_back_after_being_removed(void **ctx)
{
    struct place *p = *ctx;

    write_page(p, "one");
    write_page(p, "");
    assert_int_equal(write_page(p, "one").written, 1);
    assert_file(p, NAME, "one");
}

static void takes_the_folders_rights(void **ctx)
{
    struct place *p = *ctx;
    const mode_t modes[] = {0755, 0750, 0770, 0700, 0777};
    char text[8];

    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
        int dir = case_dir(p);

        assert_int_equal(fchmod(dir, modes[i]), 0);
        snprintf(text, sizeof text, "%u", i);
        write_page(p, text);
        assert_int_equal(stat_of(p, NAME).st_mode & 07777, modes[i] & 0666);
        close(dir);
    }
}

static void gets_narrower_with_its_folder(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    write_page(p, "one");
    assert_int_equal(fchmod(dir, 0700), 0);
    assert_int_equal(write_page(p, "one").written, 0);
    assert_int_equal(stat_of(p, NAME).st_mode & 0777, 0600);
    close(dir);
}

static void takes_the_folders_group(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    if (geteuid() != 0) {
        print_message("not root: the group is not tried\n");
        close(dir);
        return;
    }
    assert_int_equal(fchown(dir, (uid_t)-1, 4242), 0);
    assert_int_equal(fchmod(dir, 0770), 0);
    write_page(p, "one");
    assert_int_equal(stat_of(p, NAME).st_gid, 4242);
    assert_int_equal(stat_of(p, NAME).st_mode & 0777, 0660);
    close(dir);
}

static void set_acl(const struct place *p, acl_type_t type, const char *text)
{
    char path[128];
    acl_t acl = acl_from_text(text);

    snprintf(path, sizeof path, "%s/case", p->dir);
    assert_non_null(acl);
    if (acl_set_file(path, type, acl) < 0) {
        assert_int_equal(errno, EOPNOTSUPP);
        print_message("no ACLs here: not tried\n");
        acl_free(acl);
        skip();
    }
    acl_free(acl);
}

static void assert_acl(const struct place *p, const char *want)
{
    char path[128];
    acl_t acl;
    char *text;

    snprintf(path, sizeof path, "%s/case/" NAME, p->dir);
    acl = acl_get_file(path, ACL_TYPE_ACCESS);
    text = acl_to_any_text(acl, NULL, ',', TEXT_NUMERIC_IDS);
    assert_string_equal(text, want);
    acl_free(text);
    acl_free(acl);
}

static void takes_the_folders_default_acl(void **ctx)
{
    struct place *p = *ctx;

    set_acl(p, ACL_TYPE_DEFAULT, "u::rwx,u:4243:r-x,g::---,m::r-x,o::---");
    write_page(p, "one");
    assert_acl(p, "user::rw-,user:4243:r-x,group::---,mask::r--,other::---");
}

/* As write_page() for a page that does not wait in memory until it is whole. */
static void write_long_page(struct place *p)
{
    struct own_text t;
    struct own_set set;

    own_init(&set, p->root, p->state);
    own_text_begin(&t, &set, "case");
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 1000; k++)
            str_add(&t.text, "sixteen letters\n");
        own_text_pass(&t);
    }
    assert_true(t.fd >= 0);
    own_put_text(&set, NAME, &t);
    assert_int_equal(own_flush(&set), 0);
    own_clear(&set);
    assert_int_equal(stat_of(p, NAME).st_size, 40 * 16000);
}

static void a_long_page_is_open_to_the_same_people(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    assert_int_equal(fchmod(dir, 0770), 0);
    close(dir);
    write_long_page(p);
    assert_int_equal(stat_of(p, NAME).st_mode & 0777, 0660);
    set_acl(p, ACL_TYPE_DEFAULT, "u::rwx,g:4242:rwx,g::rwx,m::rwx,o::---");
    write_page(p, "one");
    assert_acl(p, "user::rw-,group::rwx,group:4242:rwx,mask::rw-,other::---");
    write_long_page(p);
    assert_acl(p, "user::rw-,group::rwx,group:4242:rwx,mask::rw-,other::---");
}

static void takes_the_folders_acl_without_execute(void **ctx)
{
    struct place *p = *ctx;

    set_acl(p, ACL_TYPE_ACCESS, "u::rwx,u:4243:r-x,g::---,m::r-x,o::---");
    write_page(p, "one");
    assert_acl(p, "user::rw-,user:4243:r--,group::---,mask::r--,other::---");
}

static void a_missing_folder_spoils_no_other_file(void **ctx)
{
    struct place *p = *ctx;
    struct own_set set;
    struct str a = STR_INIT, b = STR_INIT;

    str_add(&a, "a");
    str_add(&b, "b");
    own_init(&set, p->root, p->state);
    own_put(&set, "gone", NAME, &a);
    own_put(&set, "case", NAME, &b);
    assert_int_equal(own_flush(&set), -1);
    assert_int_equal(set.written, 1);
    assert_non_null(strstr(set.error.text, "gone/" NAME));
    own_clear(&set);
    assert_file(p, NAME, "b");
}

static void never_leaves_the_cabinet(void **ctx)
{
    struct place *p = *ctx;
    struct own_set set;
    struct str a = STR_INIT;

    assert_int_equal(symlinkat("/tmp", p->root, "out"), 0);
    str_add(&a, "a");
    own_init(&set, p->root, p->state);
    own_put(&set, "out", "test_publish_own.must-not-be", &a);
    assert_int_equal(own_flush(&set), -1);
    own_clear(&set);
    assert_int_equal(access("/tmp/test_publish_own.must-not-be", F_OK), -1);
}

static void many_files_in_one_flush(void **ctx)
{
    struct place *p = *ctx;
    struct own_set set;

    own_init(&set, p->root, p->state);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) {
            struct str s = STR_INIT;
            char name[16];

            snprintf(name, sizeof name, "%d", i);
            str_addf(&s, "page %d", i);
            own_put(&set, "case", name, &s);
        }
        assert_int_equal(own_flush(&set), 0);
        assert_int_equal(set.written, 40); /* the second round changes nothing */
    }
    own_clear(&set);
    assert_int_equal(files(p), 40);
}

/* Whoever deletes the folder wants it to go. */
static void what_was_removed_is_put_back_when_the_folder_was_left_alone(void **ctx)
{
    struct place *p = *ctx;
    bool put_off = false;
    int dir = case_dir(p);

    assert_int_equal(write_page_since(p, "one", 0, &put_off).written, 1);
    assert_false(put_off); /* it was never there before */
    assert_int_equal(unlinkat(dir, NAME, 0), 0);
    assert_int_equal(write_page_since(p, "one", 0, &put_off).written, 0);
    assert_true(put_off);
    assert_int_equal(files(p), 0);
    put_off = false;
    assert_int_equal(write_page_since(p, "two", INT64_MAX, &put_off).written, 1);
    assert_false(put_off);
    assert_file(p, NAME, "two");
    assert_int_equal(write_page_since(p, "three", 0, &put_off).written, 1); /* one that is there */
    assert_false(put_off);
    assert_int_equal(write_page_since(p, "", 0, &put_off).written, 1); /* removed by us */
    assert_int_equal(write_page_since(p, "four", 0, &put_off).written, 1);
    assert_false(put_off);
    close(dir);
}

/* ---- what a crash left ------------------------------------------------------------------------ */

#define LEFT IO_TEMP_PREFIX "0123456789abcdef"

static int sweep_up(const struct place *p)
{
    int dir = case_dir(p), rc = own_sweep_up(p->state, dir, "case", LEFT);

    close(dir);
    return rc;
}

static void set_mark(const struct place *p, const char *name, const char *value)
{
    int dir = case_dir(p), fd = openat(dir, LEFT, O_RDONLY);

    if (fsetxattr(fd, name, value, strlen(value), 0) < 0) {
        print_message("skipped: this file system has no attributes\n");
        skip();
    }
    close(fd);
    close(dir);
}

static void only_its_own_names_are_temporary(void **ctx)
{
    (void)ctx;
    assert_true(own_is_temporary(LEFT));
    assert_false(own_is_temporary(LEFT "0"));
    assert_false(own_is_temporary(IO_TEMP_PREFIX "0123456789abcdeX"));
    assert_false(own_is_temporary(IO_TEMP_PREFIX "archive-1"));
    assert_false(own_is_temporary("letter.pdf"));
}

static void what_a_crash_left_of_a_page_goes(void **ctx)
{
    struct place *p = *ctx;

    put_file(p, LEFT, "");
    assert_int_equal(sweep_up(p), 0);
    put_file(p, LEFT, "half a pa");
    set_mark(p, "user.organizer.sha256", "unfinished");
    assert_int_equal(sweep_up(p), 0);
    put_file(p, LEFT, "half a ca");
    set_mark(p, IO_TEMP_MARK, "");
    assert_int_equal(sweep_up(p), 0);
    write_page(p, "a page"); /* known though it carries nothing */
    put_file(p, LEFT, "a page");
    assert_int_equal(sweep_up(p), 0);
    assert_int_equal(files(p), 1);
}

static void what_a_person_may_have_saved_comes_to_light(void **ctx)
{
    struct place *p = *ctx;

    put_file(p, LEFT, "<p>mine");
    assert_int_equal(sweep_up(p), 1);
    assert_file(p, "Recovered file.html", "<p>mine");
    put_file(p, LEFT, "<p>again");
    assert_int_equal(sweep_up(p), 1);
    assert_file(p, "Recovered file 2.html", "<p>again");
    put_file(p, LEFT, "words");
    set_mark(p, "user.organizer.sha256",
             "0000000000000000000000000000000000000000000000000000000000000000");
    assert_int_equal(sweep_up(p), 1);
    assert_file(p, "Recovered file.txt", "words");
    assert_file(p, "Recovered file.html", "<p>mine");
}

static void what_is_none_of_ours_stays(void **ctx)
{
    struct place *p = *ctx;
    int dir = case_dir(p);

    put_file(p, "document", "");
    assert_int_equal(linkat(dir, "document", dir, LEFT, 0), 0);
    assert_int_equal(sweep_up(p), 0);
    assert_int_equal(files(p), 2);
    assert_int_equal(unlinkat(dir, LEFT, 0), 0);
    assert_int_equal(symlinkat("document", dir, LEFT), 0);
    assert_int_equal(sweep_up(p), -1);
    assert_int_equal(files(p), 2);
    close(dir);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(writes_a_new_file),
        T(leaves_the_same_content_alone),
        T(only_its_own_names_are_temporary),
        T(what_a_crash_left_of_a_page_goes),
        T(what_a_person_may_have_saved_comes_to_light),
        T(what_is_none_of_ours_stays),
        T(replaces_its_own),
        T(what_was_removed_is_put_back_when_the_folder_was_left_alone),
        T(sets_a_persons_file_aside),
        T(its_own_that_is_refused_stays),
        T(a_file_that_is_closed_to_us_is_a_persons),
        T(sets_aside_even_what_was_there_first),
        T(never_sets_aside_over_another),
        T(a_crash_before_the_replacing_changes_nothing),
        T(a_crash_after_the_replacing_is_still_its_own),
        T(a_second_crash_forgets_neither),
        T(the_same_bytes_unrecorded_become_its_own),
        T(an_empty_file_is_nobodys),
        T(a_link_is_a_persons),
        T(a_folder_is_a_persons),
        T(a_fifo_does_not_hang_it),
        T(empty_content_removes_its_own),
        T(empty_content_leaves_a_persons),
        T(comes_back_after_being_removed),
        T(takes_the_folders_rights),
        T(gets_narrower_with_its_folder),
        T(takes_the_folders_group),
        T(takes_the_folders_default_acl),
        T(a_long_page_is_open_to_the_same_people),
        T(takes_the_folders_acl_without_execute),
        T(a_missing_folder_spoils_no_other_file),
        T(never_leaves_the_cabinet),
        T(many_files_in_one_flush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
