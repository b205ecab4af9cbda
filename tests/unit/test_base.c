/* base: strings, JSON, CSV, names as bytes, atomic files, times. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/digest.h"
#include "base/env.h"
#include "base/error.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "base/table.h"
#include "base/utf8.h"

static int make_folder(void **state)
{
    char *dir = xstrdup("/tmp/organizer-base-XXXXXX");

    assert_non_null(mkdtemp(dir));
    *state = dir;
    return 0;
}

static int remove_folder(void **state)
{
    AUTO_FREE char *cmd = xasprintf("rm -rf '%s'", (char *)*state);
    int rc = system(cmd);

    free(*state);
    return rc;
}

static void str_grows_and_stays_terminated(void **state)
{
    AUTO_STR struct str s = STR_INIT;

    (void)state;
    assert_string_equal(str_c(&s), "");
    for (int i = 0; i < 1000; i++)
        str_addf(&s, "%d,", i % 10);
    assert_int_equal(s.len, 2000);
    assert_int_equal(strlen(str_c(&s)), 2000);
    str_cut(&s, 3);
    assert_string_equal(str_c(&s), "0,1");
    str_adds(&s, ",", "", "23", NULL);
    assert_string_equal(str_c(&s), "0,1,23");
}

static void str_on_a_buffer_goes_on_in_memory_of_its_own(void **state)
{
    char room[8];
    AUTO_STR struct str s = STR_ON(room);
    struct str fits = STR_ON(room);
    char *p;

    (void)state;
    assert_string_equal(str_c(&s), "");
    str_add(&s, "1234567");
    assert_ptr_equal(s.s, room);
    str_addc(&s, '8');
    assert_ptr_not_equal(s.s, room);
    assert_string_equal(str_c(&s), "12345678");
    str_add(&fits, "ab");
    p = str_detach(&fits);
    assert_ptr_not_equal(p, room);
    assert_string_equal(p, "ab");
    assert_string_equal(str_c(&fits), "");
    free(p);
}

static void str_adds_numbers_of_any_size(void **state)
{
    static const int64_t numbers[] = {0, 7, -1, 10, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        AUTO_STR struct str a = STR_INIT, b = STR_INIT;

        str_addi(&a, numbers[i]);
        str_addf(&b, "%lld", (long long)numbers[i]);
        assert_string_equal(str_c(&a), str_c(&b));
    }
}

static void str_detach_hands_over(void **state)
{
    struct str s = STR_INIT;
    char *p;

    (void)state;
    p = str_detach(&s);
    assert_string_equal(p, "");
    free(p);
    str_add(&s, "abc");
    p = str_detach(&s);
    assert_string_equal(p, "abc");
    assert_int_equal(s.len, 0);
    free(p);
}

static void utf8_tells_valid_from_invalid(void **state)
{
    (void)state;
    assert_true(utf8_valid("Müller", strlen("Müller")));
    assert_false(utf8_valid("M\xfcller", 6));
    assert_false(utf8_valid("\xed\xa0\x80", 3));
    assert_false(utf8_valid("\xc0\xaf", 2));
    assert_false(utf8_valid("a\0b", 3));
}

static void utf8_shows_what_cannot_be_seen(void **state)
{
    AUTO_STR struct str s = STR_INIT;
    const char *in = "a\x1b[31m\xff\xe2\x80\xae\\b\n";

    (void)state;
    utf8_show(&s, in, strlen(in));
    assert_string_equal(str_c(&s), "a\\x1B[31m\\xFF\\u{202E}\\\\b\\x0A");
}

static void utf8_folds_case_and_composition(void **state)
{
    AUTO_FREE char *a = utf8_fold("MU\xcc\x88LLER");
    AUTO_FREE char *b = utf8_fold("müller");
    AUTO_FREE char *c = utf8_fold_plain("Müller");

    (void)state;
    assert_string_equal(a, b);
    assert_string_equal(c, "muller");
}

static void utf8_cuts_between_characters(void **state)
{
    (void)state;
    assert_int_equal(utf8_cut("aüb", 4, 2), 1);
    assert_int_equal(utf8_cut("aüb", 4, 3), 3);
    assert_int_equal(utf8_cut("aüb", 4, 9), 4);
}

static void utf8_sees_deception(void **state)
{
    (void)state;
    assert_true(utf8_deceptive("a\xe2\x80\xae" "b", 5));
    assert_true(utf8_deceptive("a\xe2\x80\x8b", 4));
    assert_false(utf8_deceptive("plain", 5));
}

static void json_writes_members_with_commas(void **state)
{
    AUTO_STR struct str s = STR_INIT;

    (void)state;
    str_addc(&s, '{');
    json_num(&s, "a", -5);
    json_text(&s, "b", "x\"\\\n\x01");
    json_bool(&s, "c", true);
    str_addc(&s, '}');
    assert_string_equal(str_c(&s), "{\"a\":-5,\"b\":\"x\\\"\\\\\\n\\u0001\",\"c\":true}");
}

static void json_keeps_names_of_any_bytes(void **state)
{
    static const char *const names[] = {"plain.pdf", "Łukasiewicz.pdf", "bad\xff\xfename", "\n", "\\"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO_STR struct str s = STR_INIT;
        AUTO_FREE char *back = NULL;
        json_t *j;

        str_addc(&s, '{');
        json_name(&s, "path", names[i]);
        str_addc(&s, '}');
        j = json_loads(str_c(&s), 0, NULL);
        assert_non_null(j);
        back = json_get_name(j, "path");
        assert_string_equal(back, names[i]);
        json_decref(j);
    }
}

static void csv_defuses_formulas_and_reads_them_back(void **state)
{
    static const char *const values[] = {"=1+1", "+x", "-x", "@x", "a,b", "a\"b", "two\nlines",
                                         "", " lead", "'quoted", "plain", "a;b"};
    AUTO_STR struct str s = STR_INIT;
    struct csv_row row;
    size_t at = 0, line;

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        csv_field(&s, values[i], i == 0);
    csv_end(&s);
    assert_non_null(strstr(str_c(&s), "'=1+1"));
    assert_int_equal(csv_next(str_c(&s), s.len, ',', &at, &line, &row), 1);
    assert_int_equal(row.len, sizeof values / sizeof *values);
    for (size_t i = 0; i < row.len; i++)
        assert_string_equal(row.fields[i], values[i]);
    csv_row_clear(&row);
    assert_int_equal(csv_next(str_c(&s), s.len, ',', &at, &line, &row), 0);
}

static void csv_tells_a_quote_that_never_closes(void **state)
{
    const char *text = "a,\"b\nc\n";
    struct csv_row row;
    size_t at = 0, line;

    (void)state;
    assert_int_equal(csv_next(text, strlen(text), ',', &at, &line, &row), -1);
}

static void csv_reads_what_excel_writes_where_the_comma_is_decimal(void **state)
{
    const char *text = "\xEF\xBB\xBF" "Apply;Row\r\nyes;1\r\n";
    struct csv_row row;
    size_t at = 0, line;
    char sep = csv_separator(text, strlen(text));

    (void)state;
    assert_int_equal(sep, ';');
    assert_int_equal(csv_next(text, strlen(text), sep, &at, &line, &row), 1);
    assert_string_equal(row.fields[0], "Apply");
    csv_row_clear(&row);
    assert_int_equal(csv_next(text, strlen(text), sep, &at, &line, &row), 1);
    assert_int_equal(row.line, 2);
    assert_string_equal(row.fields[1], "1");
    csv_row_clear(&row);
}

static void times_are_written_and_read(void **state)
{
    char buf[TIME_TEXT];
    int64_t t = INT64_C(1795472087123456000), back;

    (void)state;
    assert_int_equal(time_parse(time_text(t, buf), &back), 0);
    assert_int_equal(back, t);
    assert_int_equal(time_parse("2026-11-23", &back), -1);
    assert_int_equal(time_parse("2026-11-23T10:00:00Z", &back), 0);
}

static void digest_is_sha256(void **state)
{
    char hex[DIGEST_HEX];
    struct digest d = digest_of("abc", 3), e;
    struct digester *g = digester_new();

    (void)state;
    assert_string_equal(digest_hex(&d, hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digester_add(g, "a", 1);
    digester_add(g, "bc", 2);
    e = digester_done(g);
    assert_true(digest_equal(&d, &e));
    assert_int_equal(digest_parse(hex, &e), 0);
    assert_true(digest_equal(&d, &e));
    assert_int_equal(digest_parse("12", &e), -1);
}

static void replace_is_all_or_nothing(void **state)
{
    const char *dir = *state;
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY);
    AUTO_STR struct str s = STR_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(io_replace(fd, "f", "one", 3, 0640, true, &err), 0);
    assert_int_equal(io_replace(fd, "f", "two", 3, 0640, true, &err), 0);
    assert_int_equal(io_read_file(fd, "f", &s, 100), 0);
    assert_string_equal(str_c(&s), "two");
    assert_int_equal(mkdirat(fd, "d", 0700), 0);
    assert_int_equal(io_replace(fd, "d", "x", 1, 0, true, &err), -1);
    assert_true(err.number != 0);
}

static void nothing_is_opened_outside_of_the_root(void **state)
{
    static const char *const up[] = {"in/..", "in/../in", "..", "./../in"};
    char deep[PATH_MAX + 1] = "";
    const char *dir = *state;
    AUTO_CLOSE int root = open(dir, O_RDONLY | O_DIRECTORY);

    assert_int_equal(symlinkat("/etc", root, "link"), 0);
    assert_int_equal(mkdirat(root, "in", 0700), 0);
    assert_int_equal(beneath_open(root, "../etc", O_RDONLY | O_DIRECTORY, 0), -1);
    for (size_t i = 0; i < sizeof up / sizeof *up; i++) {
        assert_int_equal(beneath_open(root, up[i], O_RDONLY | O_DIRECTORY, 0), -1);
        assert_int_equal(errno, EXDEV);
    }
    assert_int_equal(beneath_mkdirs(root, "in/../other"), -1);
    assert_int_equal(faccessat(root, "other", F_OK, 0), -1);
    assert_int_equal(mkdirat(root, "in/..x", 0700), 0);
    memset(deep, '/', sizeof deep - 1);
    memcpy(deep, "in", 2);
    assert_int_equal(beneath_open(root, deep, O_RDONLY | O_DIRECTORY, 0), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    AUTO_CLOSE int dots = beneath_open(root, "in/..x", O_RDONLY | O_DIRECTORY, 0);
    assert_true(dots >= 0);
    assert_int_equal(beneath_open(root, "link/passwd", O_RDONLY, 0), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(beneath_open(root, "/etc/passwd", O_RDONLY, 0), -1);
    AUTO_CLOSE int ok = beneath_open(root, "in", O_RDONLY | O_DIRECTORY, 0);
    assert_true(ok >= 0);
    assert_int_equal(beneath_mkdirs(root, "a/b/c"), 0);
    assert_int_equal(beneath_mkdirs(root, "a/b/c"), 0);
    assert_int_equal(beneath_mkdirs(root, "link/x"), -1);
}

/* Whatever it is to be opened for: no link is followed, or taken for what it leads to. */
static void no_link_is_opened(void **state)
{
    static const int flags[] = {
        O_RDONLY,           O_RDONLY | O_DIRECTORY, O_PATH, O_PATH | O_DIRECTORY,
        O_WRONLY | O_CREAT, O_WRONLY | O_TRUNC};
    static const char *const links[] = {"file",    "folder",      "nothing",        "up",
                                        "in/file", "folder/file", "in/folder/file", "up/secret"};
    const char *dir = *state;
    AUTO_CLOSE int out = open(dir, O_RDONLY | O_DIRECTORY), root = -1, secret = -1;
    struct stat st;

    assert_int_equal(mkdirat(out, "root", 0700), 0);
    assert_int_equal(mkdirat(out, "root/in", 0700), 0);
    assert_int_equal(mkdirat(out, "root/in/real", 0700), 0);
    secret = openat(out, "secret", O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(secret, "kept", 4), 4);
    root = openat(out, "root", O_RDONLY | O_DIRECTORY);
    assert_int_equal(symlinkat("../secret", root, "file"), 0);
    assert_int_equal(symlinkat("in/real", root, "folder"), 0);
    assert_int_equal(symlinkat("../made", root, "nothing"), 0);
    assert_int_equal(symlinkat("..", root, "up"), 0);
    assert_int_equal(symlinkat("../../secret", root, "in/file"), 0);
    assert_int_equal(symlinkat("real", root, "in/folder"), 0);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) {
            assert_int_equal(beneath_open(root, links[i], flags[k], 0600), -1);
            assert_int_equal(errno, ELOOP);
        }
    /* Who says so asks for what lies there, link or not; only it is no folder. */
    assert_int_equal(beneath_open(root, "folder", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(fstat(secret, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(faccessat(out, "made", F_OK, 0), -1);
}

/* A pipe that nobody writes to does not hold up who looks for a document. */
static void a_pipe_is_opened_at_once(void **state)
{
    const char *dir = *state;
    AUTO_CLOSE int root = open(dir, O_RDONLY | O_DIRECTORY);

    assert_int_equal(mkfifoat(root, "pipe", 0600), 0);
    AUTO_CLOSE int fd = beneath_open(root, "pipe", O_RDONLY, 0);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* What is mounted over a folder or a document is another's. */
static void no_mount_is_entered(void **state)
{
    const char *dir = *state;
    char in[PATH_MAX], file[PATH_MAX];
    AUTO_CLOSE int root = open(dir, O_RDONLY | O_DIRECTORY);

    snprintf(in, sizeof in, "%s/in", dir);
    snprintf(file, sizeof file, "%s/file", dir);
    assert_int_equal(mkdirat(root, "in", 0700), 0);
    close(openat(root, "file", O_WRONLY | O_CREAT, 0600));
    if (mount("none", in, "tmpfs", 0, NULL) < 0) {
        fprintf(stderr, "no_mount_is_entered: nothing can be mounted here (%s): skipped\n",
                strerror(errno));
        skip();
    }
    int over = mount("/dev/null", file, NULL, MS_BIND, NULL);
    int made = beneath_mkdirs(root, "in/x"), made_why = errno;
    int folder = beneath_open(root, "in", O_RDONLY | O_DIRECTORY, 0), folder_why = errno;
    int document = beneath_open(root, "file", O_RDONLY, 0), document_why = errno;
    int there = faccessat(root, "in/x", F_OK, 0);
    close(folder);
    close(document);
    umount2(in, MNT_DETACH);
    umount2(file, MNT_DETACH);
    assert_int_equal(over, 0);
    assert_int_equal(made, -1);
    assert_int_equal(made_why, EXDEV);
    assert_int_equal(folder, -1);
    assert_int_equal(folder_why, EXDEV);
    assert_int_equal(document, -1);
    assert_int_equal(document_why, EXDEV);
    assert_int_equal(there, -1);
}

static void reading_is_bounded(void **state)
{
    const char *dir = *state;
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY);
    AUTO_STR struct str s = STR_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(io_replace(fd, "f", "0123456789", 10, 0, false, &err), 0);
    assert_int_equal(io_read_file(fd, "f", &s, 9), -1);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
    assert_int_equal(io_read_file(fd, "fifo", &s, 9), -1);
}

static void errors_know_who_goes_on(void **state)
{
    struct error e = ERROR_INIT;

    (void)state;
    error_set(&e, ENOSPC, "cannot write %s", "x");
    assert_int_equal(error_severity(&e), SEVERITY_STOP);
    assert_non_null(strstr(error_text(&e), "cannot write x: "));
    error_prefix(&e, "case %d", 7);
    assert_non_null(strstr(error_text(&e), "case 7: cannot write x"));
    error_set(&e, EAGAIN, "busy");
    assert_int_equal(error_severity(&e), SEVERITY_RETRY);
    error_set(&e, EACCES, "no");
    assert_int_equal(error_severity(&e), SEVERITY_DOCUMENT);
}

struct entry {
    int key;
    UT_hash_handle hh;
};

/* In a child: the first entry of a table comes when all memory is used. */
static void add_without_memory(int out)
{
    static struct entry one;
    const struct rlimit none = {0, RLIM_INFINITY};
    struct entry *all = NULL;

    if (dup2(out, STDERR_FILENO) < 0 || setrlimit(RLIMIT_AS, &none) < 0)
        _exit(77);
    for (size_t n = 65536; n >= 8; n /= 2)
        while (malloc(n))
            ;
    HASH_ADD_INT(all, key, &one);
    _exit(all ? 78 : 79);
}

static void a_table_without_memory_says_so(void **state)
{
    char said[200] = "";
    int p[2], status;
    pid_t pid;

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(PATTERN_NO_JIT)
    skip(); /* memory is not libc's there, or valgrind's */
#endif
    assert_int_equal(pipe(p), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        add_without_memory(p[1]);
    close(p[1]);
    assert_true(read(p[0], said, sizeof said - 1) >= 0);
    close(p[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_non_null(strstr(said, "organizer: out of memory"));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_CANNOT);
}

/* As in a unit with RestrictSUIDSGID= and in kernels before 5.6, from here on. */
static int forget_openat2(void **state)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

    (void)state;
    if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0) < 0 ||
        seccomp_load(ctx) < 0)
        return -1;
    seccomp_release(ctx);
    return syscall(SYS_openat2, -1, "", NULL, 0) == -1 && errno == ENOSYS ? 0 : -1;
}

#define BENEATH                                                                                    \
    cmocka_unit_test_setup_teardown(nothing_is_opened_outside_of_the_root, make_folder,            \
                                    remove_folder),                                                \
        cmocka_unit_test_setup_teardown(no_link_is_opened, make_folder, remove_folder),            \
        cmocka_unit_test_setup_teardown(a_pipe_is_opened_at_once, make_folder, remove_folder),     \
        cmocka_unit_test_setup_teardown(no_mount_is_entered, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest walking[] = {BENEATH};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_grows_and_stays_terminated),
        cmocka_unit_test(str_on_a_buffer_goes_on_in_memory_of_its_own),
        cmocka_unit_test(str_adds_numbers_of_any_size),
        cmocka_unit_test(str_detach_hands_over),
        cmocka_unit_test(utf8_tells_valid_from_invalid),
        cmocka_unit_test(utf8_shows_what_cannot_be_seen),
        cmocka_unit_test(utf8_folds_case_and_composition),
        cmocka_unit_test(utf8_cuts_between_characters),
        cmocka_unit_test(utf8_sees_deception),
        cmocka_unit_test(json_writes_members_with_commas),
        cmocka_unit_test(json_keeps_names_of_any_bytes),
        cmocka_unit_test(csv_defuses_formulas_and_reads_them_back),
        cmocka_unit_test(csv_tells_a_quote_that_never_closes),
        cmocka_unit_test(csv_reads_what_excel_writes_where_the_comma_is_decimal),
        cmocka_unit_test(times_are_written_and_read),
        cmocka_unit_test(digest_is_sha256),
        cmocka_unit_test_setup_teardown(replace_is_all_or_nothing, make_folder, remove_folder),
        BENEATH,
        cmocka_unit_test_setup_teardown(reading_is_bounded, make_folder, remove_folder),
        cmocka_unit_test(errors_know_who_goes_on),
        cmocka_unit_test(a_table_without_memory_says_so),
    };

    int failed = cmocka_run_group_tests_name("base", tests, NULL, NULL);
    return failed +
           cmocka_run_group_tests_name("base, without openat2", walking, forget_openat2, NULL);
}
