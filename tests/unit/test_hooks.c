/* Hooks: who may run, what they are given, what they say, and that nothing they do holds us up. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/str.h"
#include "descriptors.h"
#include "failing_calls.h"
#include "hooks/folder.h"
#include "hooks/process.h"
#include "hooks/runner.h"
#include "remove_tree.h"

/* A hook that must be killed, or else the test would take this long. */
#define FOR_EVER "sleep 600"

struct place {
    char top[64];
    uv_loop_t loop;
    struct hooks *hooks;
    struct log log;
    int log_fd, stderr_fd;
    /* what done() was told */
    unsigned answers;
    enum hook_answer last;
    char *text;
};

static int setup(void **state)
{
    struct place *x = xcalloc(1, sizeof *x);
    AUTO_FREE char *log = NULL;

    snprintf(x->top, sizeof x->top, "/tmp/organizer-hooks-XXXXXX");
    assert_non_null(mkdtemp(x->top));
    /* The log goes to standard error: into a file here, for the tests to read. */
    log = xasprintf("%s/log", x->top);
    x->log_fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    x->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    dup2(x->log_fd, STDERR_FILENO);
    x->log.most = LOG_DETAIL;
    assert_int_equal(uv_loop_init(&x->loop), 0);
    x->hooks = hooks_new(&x->loop, x->top, 0, 0, &x->log);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct place *x = *state;

    hooks_free(x->hooks);
    uv_run(&x->loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&x->loop), 0);
    dup2(x->stderr_fd, STDERR_FILENO);
    close(x->stderr_fd);
    close(x->log_fd);
    remove_tree(x->top);
    free(x->text);
    free(x);
    return 0;
}

/* ---- words of the tests -------------------------------------------------------------------------
 */

static char *at(struct place *x, const char *path)
{
    return xasprintf("%s/%s", x->top, path);
}

/* A shell script in hooks/<event>/<name>; $top in it is the test's folder. */
static void hook(struct place *x, const char *event, const char *name, const char *script)
{
    AUTO_FREE char *dir = at(x, event);
    AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
    AUTO_FREE char *text = xasprintf("#!/bin/sh\ntop=%s\n%s\n", x->top, script);
    AUTO_CLOSE int fd = -1;

    mkdir(dir, 0755);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    hooks_reload(x->hooks);
}

static void limits(struct place *x, unsigned at_once, int64_t ms)
{
    hooks_set_limits(x->hooks, at_once, ms);
}

static void done(void *ctx, enum hook_answer answer, const char *text)
{
    struct place *x = ctx;

    x->answers++;
    x->last = answer;
    free(x->text);
    x->text = xstrdup(text);
}

static void begin(struct place *x, const char *event)
{
    hooks_run(x->hooks, event, "{\"v\":1}", -1, done, x);
}

static void finish(struct place *x)
{
    while (hooks_pending(x->hooks))
        uv_run(&x->loop, UV_RUN_ONCE);
}

static enum hook_answer ask_about(struct place *x, const char *event, int document)
{
    unsigned before = x->answers;

    hooks_run(x->hooks, event, "{\"v\":1,\"name\":\"a b\"}", document, done, x);
    finish(x);
    assert_int_equal(x->answers, before + 1);
    return x->last;
}

static enum hook_answer ask(struct place *x, const char *event)
{
    return ask_about(x, event, -1);
}

/* The text of a file in the test's folder, "" when there is none. */
static const char *text_of(struct place *x, const char *name)
{
    static struct str text; /* kept until the next call */
    AUTO_CLOSE int dir = open(x->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    str_clear(&text);
    if (io_read_file(dir, name, &text, 1 << 20) < 0)
        str_clear(&text);
    return str_c(&text);
}

static bool log_has(struct place *x, const char *what)
{
    return strstr(text_of(x, "log"), what) != NULL;
}

static void put_aside(char *what) /* text_of() of the last call is over */
{
    free(what);
}

static void set_mode(struct place *x, const char *path, mode_t mode)
{
    char *p = at(x, path);

    assert_int_equal(chmod(p, mode), 0);
    put_aside(p);
    hooks_reload(x->hooks);
}

static int document(struct place *x, const char *text, int flags)
{
    AUTO_FREE char *path = at(x, "document");
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    return open(path, flags | O_CLOEXEC);
}

/* A process that wrote its id to the file is no more. Zombies of others count as gone. */
static bool is_gone(struct place *x, const char *name)
{
    AUTO_FREE char *stat_path = NULL;
    AUTO_STR struct str stat_text = STR_INIT;
    int pid = atoi(text_of(x, name));
    AUTO_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(pid > 1);
    for (int i = 0; i < 1000; i++) {
        const char *state;

        free(stat_path);
        stat_path = xasprintf("%d/stat", pid);
        str_reset(&stat_text);
        if (io_read_file(proc, stat_path, &stat_text, 4096) < 0)
            return true;
        state = strrchr(str_c(&stat_text), ')');
        if (state && strchr("ZX", state[2]))
            return true;
        usleep(1000); /* killed, but its end takes the kernel a moment */
    }
    return false;
}

/* ---- which hooks there are ----------------------------------------------------------------------
 */

static void no_folder_means_no_hook(void **state)
{
    struct place *x = *state;

    assert_false(hooks_any(x->hooks, "filed"));
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
}

static void an_executable_is_a_hook(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "exit 0");
    assert_true(hooks_any(x->hooks, "filed"));
    assert_int_equal(ask(x, "filed"), HOOK_OK);
}

static void what_is_not_executable_is_none(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "README", "exit 1");
    set_mode(x, "filed/README", 0644);
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
    assert_false(log_has(x, "refused"));
    hook(x, "filed", "scan", "exit 0");
    set_mode(x, "filed/scan", 0644);
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
    assert_true(log_has(x, "chmod +x"));
}

/* Nobody should find out from a virus that the scan never ran. */
static void what_never_runs_is_told_at_once(void **state)
{
    struct place *x = *state;
    AUTO_STR struct str out = STR_INIT;

    hook(x, "before_filing", "scan", "exit 0");
    hook(x, "text", "ocr", "exit 0");
    hook(x, "before-filing", "scan", "exit 0");
    set_mode(x, "before-filing/scan", 0775);
    hooks_look(x->hooks);
    assert_true(log_has(x, "before_filing"));
    assert_true(log_has(x, "no such event"));
    assert_true(log_has(x, "chmod go-w"));
    assert_false(log_has(x, "/text"));
    hooks_status(x->hooks, &out);
    assert_non_null(strstr(str_c(&out), "\"refused\":1"));
}

static void backups_and_hidden_files_are_none(void **state)
{
    struct place *x = *state;

    hook(x, "filed", ".a", "exit 1");
    hook(x, "filed", "a~", "exit 1");
    hook(x, "filed", "a.dpkg-old", "exit 1");
    hook(x, "filed", "a.rpmsave", "exit 1");
    hook(x, "filed", "a.bak", "exit 1");
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
}

/* Else a document would be filed without a question that somebody wants to be asked. */
static void a_folder_that_cannot_be_read_now_may_hold_a_hook(void **state)
{
    static const char *const calls[] = {"fdopendir", "readdir", "fstat", "fstatat"};
    struct place *x = *state;

    hook(x, "before-filing", "scan", "echo no; exit 1");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        unsigned n = 0;
        bool hit;

        do {
            hooks_reload(x->hooks);
            sys.only = calls[i];
            fail_at(FAIL, ++n);
            if (ask(x, "before-filing") == HOOK_NONE || !hooks_any(x->hooks, "before-filing"))
                fail_msg("%s %u failed: the hook is not asked", calls[i], n);
            hit = was_hit();
            assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
        } while (hit);
        assert_true(n > 1);
    }
}

static void a_new_hook_counts_after_reload(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *from = at(x, "filed/a.bak"), *to = at(x, "filed/a");

    hook(x, "filed", "a.bak", "exit 0");
    assert_false(hooks_any(x->hooks, "filed"));
    assert_int_equal(rename(from, to), 0);
    assert_false(hooks_any(x->hooks, "filed"));
    hooks_reload(x->hooks);
    assert_true(hooks_any(x->hooks, "filed"));
}

static void hooks_run_in_name_order(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "20-b", "echo b >>$top/order");
    hook(x, "filed", "10-a", "echo a >>$top/order");
    hook(x, "filed", "30-c", "echo c >>$top/order");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_string_equal(text_of(x, "order"), "a\nb\nc\n");
}

/* ---- who may not run ----------------------------------------------------------------------------
 */

static void a_hook_that_others_may_write_is_refused(void **state)
{
    struct place *x = *state;
    static const mode_t modes[] = {0775, 0757, 0777};

    hook(x, "filed", "a", "touch $top/ran");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        set_mode(x, "filed/a", modes[i]);
        assert_int_equal(ask(x, "filed"), HOOK_NONE);
    }
    assert_true(log_has(x, "hook refused"));
    assert_true(log_has(x, "chmod go-w"));
}

static void one_refused_hook_does_not_stop_another(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "touch $top/bad");
    hook(x, "filed", "b", "echo ran >$top/good");
    set_mode(x, "filed/a", 0777);
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_string_equal(text_of(x, "good"), "ran\n");
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    struct place *x = *state;
    static const mode_t modes[] = {0775, 0757, 01777};

    hook(x, "filed", "a", "exit 0");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        set_mode(x, "filed", modes[i]);
        assert_int_equal(ask(x, "filed"), HOOK_NONE);
    }
    assert_true(log_has(x, "hooks refused"));
    set_mode(x, "filed", 0755);
}

static void a_folder_above_that_others_may_write_is_refused(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "exit 0");
    set_mode(x, ".", 0777);
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
    set_mode(x, ".", 0700);
    assert_int_equal(ask(x, "filed"), HOOK_OK);
}

static void what_belongs_to_someone_else_is_refused(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *file = at(x, "filed/a"), *folder = at(x, "filed");

    if (geteuid() != 0) {
        print_message("[  SKIPPED ] wants root to give a file away\n");
        skip();
    }
    hook(x, "filed", "a", "exit 0");
    assert_int_equal(chown(file, 65534, 65534), 0);
    hooks_reload(x->hooks);
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
    assert_true(log_has(x, "belongs to someone else"));
    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(chmod(file, 0755), 0);
    assert_int_equal(chown(folder, 65534, 65534), 0);
    hooks_reload(x->hooks);
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
}

static void a_link_to_a_hook_runs_it(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *target = at(x, "shipped/a"), *link = at(x, "filed/a"), *dir = at(x, "filed");

    hook(x, "shipped", "a", "exit 0");
    mkdir(dir, 0755);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(ask(x, "filed"), HOOK_OK);
}

static void a_link_into_a_folder_of_others_is_refused(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *target = at(x, "share/a"), *link = at(x, "filed/a"), *dir = at(x, "filed");

    hook(x, "share", "a", "exit 0");
    mkdir(dir, 0755);
    assert_int_equal(symlink(target, link), 0);
    set_mode(x, "share", 0777);
    assert_int_equal(ask(x, "filed"), HOOK_NONE);
}

static void a_hook_opened_to_others_later_is_not_run(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *path = at(x, "before-filing/a");

    hook(x, "before-filing", "a", "touch $top/ran");
    assert_true(hooks_any(x->hooks, "before-filing"));
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(ask(x, "before-filing"), HOOK_FAILED);
    assert_non_null(strstr(x->text, "others may write"));
}

/* ---- what a hook is given -----------------------------------------------------------------------
 */

static void json_comes_on_standard_input(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "cat >$top/in");
    hook(x, "filed", "b", "cat /dev/stdin >$top/in2");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_string_equal(text_of(x, "in"), "{\"v\":1,\"name\":\"a b\"}\n");
    assert_string_equal(text_of(x, "in2"), "{\"v\":1,\"name\":\"a b\"}\n");
}

static void a_large_json_does_not_hang(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *json = xmalloc(1000001);

    memset(json, ' ', 1000000);
    json[1000000] = '\0';
    hook(x, "filed", "a", "wc -c >$top/in");
    hooks_run(x->hooks, "filed", json, -1, done, x);
    finish(x);
    assert_int_equal(atoi(text_of(x, "in")), 1000001);
}

static void the_environment_is_clean(void **state)
{
    struct place *x = *state;

    setenv("ORGANIZER_SECRET", "x", 1);
    hook(x, "filed", "a", "env | sort >$top/env; pwd >$top/pwd");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    unsetenv("ORGANIZER_SECRET");
    assert_null(strstr(text_of(x, "env"), "SECRET"));
    assert_non_null(strstr(text_of(x, "env"), "ORGANIZER_EVENT=filed\n"));
    assert_non_null(strstr(text_of(x, "env"), "LANG=C.UTF-8\n"));
    assert_non_null(strstr(text_of(x, "env"), "PATH=/usr/local/sbin:"));
    assert_string_equal(text_of(x, "pwd"), "/\n");
}

/* The set behind `name` in what /proc says. */
static uint64_t signal_bits(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 16);
}

static void signals_are_as_a_program_expects_them(void **state)
{
    struct place *x = *state;
    sigset_t io, old;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&io);
    sigaddset(&io, SIGIO);
    sigprocmask(SIG_BLOCK, &io, &old);
    hook(x, "filed", "a", "grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n' >$top/sig");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* Whoever started the tests may have ignored signals of its own. */
    assert_int_equal(signal_bits(text_of(x, "sig"), "SigBlk:") & (UINT64_C(1) << (SIGIO - 1)), 0);
    assert_int_equal(signal_bits(text_of(x, "sig"), "SigIgn:") & (UINT64_C(1) << (SIGPIPE - 1)), 0);
}

static void descriptor_3_is_the_document_from_its_start(void **state)
{
    struct place *x = *state;
    AUTO_CLOSE int fd = document(x, "whole text", O_RDONLY);

    assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
    hook(x, "before-filing", "a", "cat <&3 >$top/one");
    hook(x, "before-filing", "b", "cat <&3 >$top/two");
    assert_int_equal(ask_about(x, "before-filing", fd), HOOK_OK);
    assert_string_equal(text_of(x, "one"), "whole text");
    assert_string_equal(text_of(x, "two"), "whole text");
}

static void the_document_cannot_be_written_through_it(void **state)
{
    struct place *x = *state;
    AUTO_CLOSE int fd = document(x, "as it was", O_RDONLY);

    hook(x, "before-filing", "a", "echo bad >&3 2>/dev/null && touch $top/wrote; exit 0");
    assert_int_equal(ask_about(x, "before-filing", fd), HOOK_OK);
    assert_string_equal(text_of(x, "document"), "as it was");
}

static void a_writable_descriptor_is_never_passed(void **state)
{
    struct place *x = *state;
    AUTO_CLOSE int fd = document(x, "as it was", O_RDWR);

    hook(x, "before-filing", "a", "exit 0");
    assert_int_equal(ask_about(x, "before-filing", fd), HOOK_FAILED);
}

static void the_caller_may_close_the_document_at_once(void **state)
{
    struct place *x = *state;
    int fd = document(x, "text", O_RDONLY);

    limits(x, 1, 0);
    hook(x, "before-filing", "a", "cat <&3 >>$top/all");
    hooks_run(x->hooks, "before-filing", "{}", fd, done, x);
    hooks_run(x->hooks, "before-filing", "{}", fd, done, x);
    close(fd);
    finish(x);
    assert_int_equal(x->last, HOOK_OK);
    assert_string_equal(text_of(x, "all"), "texttext");
}

/* The shell keeps its own from 10 upward. */
#define LIST_OPEN                                                                                  \
    "for f in 3 4 5 6 7 8 9; do "                                                                  \
    "[ -e /proc/self/fd/$f ] && printf '%s ' $f; done >$top/"

static void no_other_descriptor_comes_along(void **state)
{
    struct place *x = *state;
    AUTO_CLOSE int fd = document(x, "text", O_RDONLY);

    hook(x, "before-filing", "a", LIST_OPEN "with; exit 0");
    hook(x, "filed", "a", LIST_OPEN "without; exit 0");
    assert_int_equal(ask_about(x, "before-filing", fd), HOOK_OK);
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_string_equal(text_of(x, "with"), "3 ");
    assert_string_equal(text_of(x, "without"), "");
}

/* ---- what a hook says ---------------------------------------------------------------------------
 */

static void before_filing_may_veto_with_a_reason(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "echo 'it holds a virus: Eicar'; exit 1");
    assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
    assert_string_equal(x->text, "it holds a virus: Eicar");
}

static void a_veto_ends_the_round(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "echo no; exit 1");
    hook(x, "before-filing", "b", "touch $top/asked; exit 0");
    assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
    assert_string_equal(text_of(x, "asked"), "");
    assert_int_equal(access("asked", F_OK), -1);
}

static void the_second_hook_may_veto_too(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "exit 0");
    hook(x, "before-filing", "b", "echo no; exit 1");
    assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
}

static void a_script_that_broke_is_no_veto(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "echo Traceback >&2; exit 1");
    assert_int_equal(ask(x, "before-filing"), HOOK_FAILED);
}

static void another_status_cannot_tell(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "echo clamd is away; exit 75");
    assert_int_equal(ask(x, "before-filing"), HOOK_FAILED);
    assert_non_null(strstr(x->text, "/before-filing/a: 75"));
}

static void other_events_have_no_veto(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "echo no; exit 1");
    assert_int_equal(ask(x, "filed"), HOOK_FAILED);
}

static void a_notice_that_fails_does_not_stop_the_next(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "exit 3");
    hook(x, "filed", "b", "echo ran >$top/b");
    assert_int_equal(ask(x, "filed"), HOOK_FAILED);
    assert_string_equal(text_of(x, "b"), "ran\n");
    assert_non_null(strstr(x->text, "/filed/a: 3"));
}

static void a_veto_is_one_line_without_tricks(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "printf 'one\\n\\ttwo\\033[31m \\377 \\342\\200\\256x'; exit 1");
    assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
    assert_string_equal(x->text, "one two [31m \xef\xbf\xbd \xef\xbf\xbdx");
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "printf 'x%0500d' 0 | sed 's/0/\303\274/g'; exit 1");
    assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
    assert_int_equal(strlen(x->text), 399);
}

static void output_and_status_are_in_the_log(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "echo said; echo 'wrong\nforged line' >&2; exit 7");
    assert_int_equal(ask(x, "filed"), HOOK_FAILED);
    assert_true(log_has(x, "status=7"));
    assert_true(log_has(x, "output=said"));
    assert_true(log_has(x, "errors=\"wrong\\x0Aforged line\""));
    assert_false(log_has(x, "\nforged line"));
}

static void output_is_capped(void **state)
{
    struct place *x = *state;
    size_t n;

    hook(x, "filed", "a", "head -c 3000000 /dev/zero | tr '\\0' x; head -c 9000 /dev/zero >&2");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    n = strlen(text_of(x, "log"));
    assert_true(n > HOOK_OUTPUT_MAX && n < 6 * HOOK_OUTPUT_MAX + 1000);
}

static void all_that_was_said_before_the_end_is_heard(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "printf '%0300d' 7; exit 1");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ask(x, "before-filing"), HOOK_VETO);
        assert_int_equal(strlen(x->text), 300);
    }
}

static void what_cannot_be_executed_is_told(void **state)
{
    struct place *x = *state;
    AUTO_FREE char *path = NULL;
    AUTO_CLOSE int fd = -1;
    const char *preload = getenv("LD_PRELOAD");

    if (preload && strstr(preload, "vgpreload")) {
        print_message("skipped: valgrind ends a child that cannot execute a program\n");
        skip();
    }
    path = at(x, "filed/a");
    hook(x, "filed", "a", "");
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(io_write_all(fd, "#!/no/such/interpreter\n", 23), 0);
    assert_int_equal(ask(x, "filed"), HOOK_FAILED);
    assert_true(log_has(x, "not started"));
}

static void a_hook_killed_by_a_signal_cannot_tell(void **state)
{
    struct place *x = *state;

    hook(x, "before-filing", "a", "echo no; kill -9 $$");
    assert_int_equal(ask(x, "before-filing"), HOOK_FAILED);
    assert_true(log_has(x, "killed by signal 9"));
}

/* ---- nothing holds us up ------------------------------------------------------------------------
 */

static void a_hook_that_takes_too_long_is_stopped_with_all_its_children(void **state)
{
    struct place *x = *state;

    limits(x, 4, 200);
    hook(x, "before-filing", "a", FOR_EVER " & echo $! >$top/child; echo $$ >$top/self; " FOR_EVER);
    assert_int_equal(ask(x, "before-filing"), HOOK_FAILED);
    assert_non_null(strstr(x->text, "stopped after 200 ms"));
    assert_true(is_gone(x, "self"));
    assert_true(is_gone(x, "child"));
}

static void sigterm_ignored_does_not_help(void **state)
{
    struct place *x = *state;

    limits(x, 4, 200);
    hook(x, "before-filing", "a", "trap '' TERM HUP INT; " FOR_EVER);
    assert_int_equal(ask(x, "before-filing"), HOOK_FAILED);
}

static void a_child_in_the_background_ends_with_its_hook(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", FOR_EVER " & echo $! >$top/child; exit 0");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_true(is_gone(x, "child"));
}

static void a_daemon_that_keeps_the_pipes_is_not_waited_for(void **state)
{
    struct place *x = *state;

    /* setsid leaves the group, so it survives; the test ends it. */
    hook(x, "filed", "a",
         "export top; echo said; setsid sh -c 'echo $$ >$top/new; mv $top/new $top/pid; "
         "exec " FOR_EVER "' & while [ ! -e $top/pid ]; do :; done; exit 0");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_true(log_has(x, "output=said"));
    kill(atoi(text_of(x, "pid")), SIGKILL);
}

static void standard_input_ignored_or_closed_is_fine(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "exec <&-; exit 0");
    hook(x, "filed", "b", "exit 0");
    hook(x, "filed", "c", "head -c 1 >/dev/null; exit 0");
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(x, "filed"), HOOK_OK);
}

static void output_closed_early_does_not_end_it(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "exec >&- 2>&-; echo late >$top/late");
    assert_int_equal(ask(x, "filed"), HOOK_OK);
    assert_string_equal(text_of(x, "late"), "late\n");
}

/* Each writes how many run, itself included. */
#define COUNT "mkdir $top/run 2>/dev/null; : >$top/run/$$; ls $top/run | wc -l >>$top/counts; "

static unsigned most_at_once(struct place *x)
{
    unsigned most = 0;

    for (const char *p = text_of(x, "counts"); *p; p += strcspn(p, "\n") + 1) {
        unsigned n = (unsigned)atoi(p);

        most = n > most ? n : most;
    }
    return most;
}

static void at_most_so_many_run_at_once(void **state)
{
    struct place *x = *state;

    limits(x, 3, 0);
    hook(x, "before-filing", "a", COUNT "rm $top/run/$$");
    for (int i = 0; i < 20; i++)
        begin(x, "before-filing");
    assert_int_equal(hooks_pending(x->hooks), 20);
    finish(x);
    assert_int_equal(x->answers, 20);
    assert_in_range(most_at_once(x), 1, 3);
}

static void notices_leave_a_place_for_before_filing(void **state)
{
    struct place *x = *state;
    struct place asked = {0};

    limits(x, 2, 0);
    hook(x, "filed", "a", FOR_EVER);
    hook(x, "before-filing", "a", "exit 0");
    for (int i = 0; i < 5; i++)
        begin(x, "filed");
    hooks_run(x->hooks, "before-filing", "{}", -1, done, &asked);
    while (!asked.answers)
        uv_run(&x->loop, UV_RUN_ONCE);
    assert_int_equal(asked.last, HOOK_OK);
    assert_int_equal(hooks_pending(x->hooks), 5);
    free(asked.text);
}

static void freeing_kills_what_runs_and_answers_all(void **state)
{
    struct place *x = *state;

    limits(x, 2, 0);
    hook(x, "filed", "a", "echo $$ >$top/self.new; mv $top/self.new $top/self; " FOR_EVER);
    for (int i = 0; i < 4; i++)
        begin(x, "filed");
    while (!*text_of(x, "self"))
        uv_run(&x->loop, UV_RUN_NOWAIT);
    hooks_free(x->hooks);
    x->hooks = NULL;
    assert_int_equal(x->answers, 4);
    assert_int_equal(x->last, HOOK_FAILED);
    assert_true(is_gone(x, "self"));
}

static void reload_while_running_changes_nothing_for_those(void **state)
{
    struct place *x = *state;

    hook(x, "filed", "a", "exit 0");
    hook(x, "filed", "b", "echo b >$top/b");
    begin(x, "filed");
    hooks_reload(x->hooks);
    finish(x);
    assert_int_equal(x->last, HOOK_OK);
    assert_string_equal(text_of(x, "b"), "b\n");
}

static void no_descriptor_is_left_behind(void **state)
{
    struct place *x = *state;
    AUTO_CLOSE int fd = document(x, "text", O_RDONLY);
    size_t before;

    hook(x, "before-filing", "a", "echo x; exit 0");
    hook(x, "before-filing", "b", "exit 75");
    ask_about(x, "before-filing", fd);
    before = open_descriptors();
    for (int i = 0; i < 5; i++)
        ask_about(x, "before-filing", fd);
    assert_int_equal(open_descriptors(), before);
}

static void counts_are_in_the_status(void **state)
{
    struct place *x = *state;
    AUTO_STR struct str out = STR_INIT;

    hook(x, "before-filing", "a", "echo no; exit 1");
    hook(x, "filed", "a", "exit 9");
    ask(x, "before-filing");
    ask(x, "filed");
    str_addc(&out, '{');
    hooks_status(x->hooks, &out);
    assert_string_equal(str_c(&out),
                        "{\"running\":0,\"pending\":0,\"ran\":2,\"failed\":1,\"vetoed\":1,"
                        "\"refused\":0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- what may take long ------------------------------------------------------------------------ */

static void a_slow_hook_has_a_place_and_a_time_of_its_own(void **state)
{
    struct place *x = *state;

    limits(x, 1, 200);
    hooks_set_slow(x->hooks, "archived", 20000);
    hook(x, "archived", "a", "touch $top/began; until [ -e $top/go ]; do sleep 0.05; done");
    hook(x, "filed", "a", ":");
    begin(x, "archived");
    begin(x, "archived"); /* waits for the first */
    /* Longer than others may take, and the one place is free all the while. */
    for (int i = 0; i < 5; i++) {
        unsigned before = x->answers;

        begin(x, "filed");
        while (x->answers == before)
            uv_run(&x->loop, UV_RUN_ONCE);
        assert_int_equal(x->last, HOOK_OK);
    }
    assert_int_equal(hooks_pending(x->hooks), 2);
    hook(x, "made", "a", "touch $top/go");
    begin(x, "made");
    finish(x);
    assert_int_equal(x->answers, 8);
    assert_int_equal(x->last, HOOK_OK);
}

static void slow_hooks_are_stopped_at_once(void **state)
{
    struct place *x = *state;

    hooks_set_slow(x->hooks, "archived", 60000);
    hook(x, "archived", "a", "sleep 60");
    hook(x, "archived", "b", "touch $top/b");
    begin(x, "archived");
    begin(x, "archived");
    uv_run(&x->loop, UV_RUN_NOWAIT);
    hooks_stop_slow(x->hooks);
    finish(x);
    assert_int_equal(x->answers, 2);
    assert_int_equal(x->last, HOOK_FAILED);
    AUTO_FREE char *b = at(x, "b");
    assert_int_equal(access(b, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_folder_means_no_hook),
        TEST(an_executable_is_a_hook),
        TEST(what_is_not_executable_is_none),
        TEST(what_never_runs_is_told_at_once),
        TEST(backups_and_hidden_files_are_none),
        TEST(a_folder_that_cannot_be_read_now_may_hold_a_hook),
        TEST(a_new_hook_counts_after_reload),
        TEST(hooks_run_in_name_order),
        TEST(a_hook_that_others_may_write_is_refused),
        TEST(one_refused_hook_does_not_stop_another),
        TEST(a_folder_that_others_may_write_is_refused),
        TEST(a_folder_above_that_others_may_write_is_refused),
        TEST(what_belongs_to_someone_else_is_refused),
        TEST(a_link_to_a_hook_runs_it),
        TEST(a_link_into_a_folder_of_others_is_refused),
        TEST(a_hook_opened_to_others_later_is_not_run),
        TEST(json_comes_on_standard_input),
        TEST(a_large_json_does_not_hang),
        TEST(the_environment_is_clean),
        TEST(signals_are_as_a_program_expects_them),
        TEST(descriptor_3_is_the_document_from_its_start),
        TEST(the_document_cannot_be_written_through_it),
        TEST(a_writable_descriptor_is_never_passed),
        TEST(the_caller_may_close_the_document_at_once),
        TEST(no_other_descriptor_comes_along),
        TEST(before_filing_may_veto_with_a_reason),
        TEST(a_veto_ends_the_round),
        TEST(the_second_hook_may_veto_too),
        TEST(a_script_that_broke_is_no_veto),
        TEST(another_status_cannot_tell),
        TEST(other_events_have_no_veto),
        TEST(a_notice_that_fails_does_not_stop_the_next),
        TEST(a_veto_is_one_line_without_tricks),
        TEST(a_long_reason_is_cut_between_characters),
        TEST(output_and_status_are_in_the_log),
        TEST(output_is_capped),
        TEST(all_that_was_said_before_the_end_is_heard),
        TEST(what_cannot_be_executed_is_told),
        TEST(a_hook_killed_by_a_signal_cannot_tell),
        TEST(a_hook_that_takes_too_long_is_stopped_with_all_its_children),
        TEST(sigterm_ignored_does_not_help),
        TEST(a_child_in_the_background_ends_with_its_hook),
        TEST(a_daemon_that_keeps_the_pipes_is_not_waited_for),
        TEST(standard_input_ignored_or_closed_is_fine),
        TEST(output_closed_early_does_not_end_it),
        TEST(a_slow_hook_has_a_place_and_a_time_of_its_own),
        TEST(slow_hooks_are_stopped_at_once),
        TEST(at_most_so_many_run_at_once),
        TEST(notices_leave_a_place_for_before_filing),
        TEST(freeing_kills_what_runs_and_answers_all),
        TEST(reload_while_running_changes_nothing_for_those),
        TEST(no_descriptor_is_left_behind),
        TEST(counts_are_in_the_status),
    };

    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
