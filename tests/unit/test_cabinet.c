#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "cabinet/cabinet.h"
#include "cabinet/zone.h"
#include "flow/notices.h"
#include "record/doc.h"
#include "remove_tree.h"

static char top[64];  /* a temporary folder */
static char *matters; /* top/Matters */
static struct env env;
static struct init_result result;
static struct cabinet cabinet;
static struct error err;

static int start(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/organizer-cabinet-XXXXXX");
    if (!mkdtemp(top))
        return -1;
    matters = xasprintf("%s/Matters", top);
    memset(&env, 0, sizeof env);
    env.state_home = xasprintf("%s/home/state/organizer", top);
    memset(&cabinet, 0, sizeof cabinet);
    cabinet.root = cabinet.lock = -1;
    err = (struct error)ERROR_INIT;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cabinet_close(&cabinet);
    free(matters);
    env_clear(&env);
    return remove_tree(top);
}

static char *in_matters(const char *name)
{
    return xasprintf("%s/%s", matters, name);
}

static bool is_there(const char *name)
{
    AUTO_FREE char *path = in_matters(name);

    return access(path, F_OK) == 0;
}

static void put(const char *name, const char *text)
{
    AUTO_FREE char *path = in_matters(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void init(void)
{
    if (cabinet_init(matters, &env, &result, &err) < 0)
        fail_msg("%s", error_text(&err));
}

static void open_it(void)
{
    if (cabinet_open(&cabinet, matters, &env, &err) < 0)
        fail_msg("%s", error_text(&err));
}

static void init_in_an_empty_folder_makes_a_working_cabinet(void **state)
{
    AUTO_FREE char *folder = NULL;
    AUTO_FREE char *config = NULL;

    (void)state;
    init();
    assert_false(result.existed);
    assert_false(result.already);
    assert_true(is_there("Inbox") && is_there("Archive") && is_there(".organizer/cabinet-id"));
    folder = in_matters(".organizer");
    config = in_matters(".organizer/organizer.yaml");
    assert_int_equal(mode_of(folder), 0755);
    assert_int_equal(mode_of(config), 0644);
    open_it();
    assert_int_equal(cabinet.config.mode, MODE_ENFORCE);
    assert_string_equal(cabinet.config.time_zone, result.zone);
    assert_int_equal(cabinet.config.date_order, zone_date_order(result.zone));
}

static void init_is_the_same_whatever_the_umask(void **state)
{
    AUTO_FREE char *folder = in_matters(".organizer");
    mode_t was = umask(077);

    (void)state;
    init();
    umask(was);
    assert_int_equal(mode_of(folder), 0755);
    open_it();
}

static void init_beside_existing_files_only_suggests(void **state)
{
    (void)state;
    assert_int_equal(mkdir(matters, 0755), 0);
    put("letter.doc", "x");
    init();
    assert_true(result.existed);
    assert_false(is_there("Inbox") || is_there("Archive"));
    open_it();
    assert_int_equal(cabinet.config.mode, MODE_SUGGEST);
}

static void what_systems_leave_in_folders_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(mkdir(matters, 0755), 0);
    put("desktop.ini", "");
    put(".DS_Store", "");
    init();
    assert_false(result.existed);
}

static void init_twice_changes_nothing(void **state)
{
    char id[33];

    (void)state;
    init();
    open_it();
    memcpy(id, cabinet.id, sizeof id);
    cabinet_close(&cabinet);
    put(".organizer/organizer.yaml", "settle: 1s\n");
    init();
    assert_true(result.already);
    open_it();
    assert_string_equal(cabinet.id, id);
    assert_int_equal(cabinet.config.settle_ms, 1000);
}

static void an_init_that_was_cut_short_is_finished(void **state)
{
    AUTO_FREE char *folder = in_matters(".organizer");

    (void)state;
    assert_int_equal(mkdir(matters, 0755), 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    put(".organizer/organizer.yaml", "settle: 2s\n");
    init();
    assert_false(result.already);
    open_it();
    assert_int_equal(cabinet.config.settle_ms, 2000);
}

static void a_cabinet_inside_a_cabinet_is_refused(void **state)
{
    AUTO_FREE char *inner = NULL;

    (void)state;
    init();
    inner = in_matters("Inner");
    assert_int_equal(cabinet_init(inner, &env, &result, &err), -1);
    assert_non_null(strstr(err.text, "lies in the cabinet"));
    assert_false(is_there("Inner")); /* nothing is left of the attempt */
}

static void init_below_a_missing_folder_says_so(void **state)
{
    AUTO_FREE char *deep = xasprintf("%s/a/b", top);

    (void)state;
    assert_int_equal(cabinet_init(deep, &env, &result, &err), -1);
    assert_int_equal(err.number, ENOENT);
    assert_non_null(strstr(err.text, deep));
}

static void init_on_a_file_says_so(void **state)
{
    AUTO_FREE char *file = in_matters("file");

    (void)state;
    assert_int_equal(mkdir(matters, 0755), 0);
    put("file", "x");
    assert_int_equal(cabinet_init(file, &env, &result, &err), -1);
    assert_int_equal(err.number, ENOTDIR);
}

static void the_cabinet_is_found_from_anywhere_inside(void **state)
{
    AUTO_FREE char *folder = in_matters("Inbox/deep");
    AUTO_FREE char *file = in_matters("Inbox/deep/x.pdf");
    AUTO_FREE char *real = realpath(top, NULL);
    AUTO_FREE char *expected = xasprintf("%s/Matters", real);
    const char *const starts[] = {matters, folder, file};

    (void)state;
    init();
    assert_int_equal(mkdir(folder, 0755), 0);
    put("Inbox/deep/x.pdf", "x");
    for (size_t i = 0; i < 3; i++) {
        AUTO_FREE char *found = cabinet_find(starts[i], &err);

        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void the_cabinet_is_found_from_the_current_folder(void **state)
{
    AUTO_FREE char *folder = in_matters("Inbox");
    AUTO_FREE char *was = getcwd(NULL, 0);
    AUTO_FREE char *found = NULL;

    (void)state;
    init();
    assert_int_equal(chdir(folder), 0);
    found = cabinet_find(NULL, &err);
    assert_int_equal(chdir(was), 0);
    assert_non_null(found);
}

static void outside_of_cabinets_the_error_says_how_to_make_one(void **state)
{
    (void)state;
    assert_null(cabinet_find(top, &err));
    assert_non_null(strstr(err.text, "organizer init FOLDER"));
    assert_null(cabinet_find("/", &err));
    assert_null(cabinet_find("/nowhere/at/all", &err));
    assert_int_equal(err.number, ENOENT);
    assert_int_equal(mkdir(matters, 0755), 0);
    assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
    assert_non_null(strstr(err.text, "organizer init"));
}

static void the_private_state_is_private(void **state)
{
    AUTO_STR struct str socket = STR_INIT;
    AUTO_FREE char *home = xasprintf("%s/home", top);
    AUTO_FREE char *expected = NULL;

    (void)state;
    init();
    open_it();
    expected = xasprintf("%s/%s", env.state_home, cabinet.id);
    assert_string_equal(cabinet.state_dir, expected);
    assert_int_equal(mode_of(cabinet.state_dir), 0700);
    assert_int_equal(mode_of(home), 0700);
    cabinet_socket(&cabinet, &socket);
    assert_int_equal(strncmp(str_c(&socket), expected, strlen(expected)), 0);
}

static void a_state_folder_open_to_others_is_closed(void **state)
{
    (void)state;
    init();
    open_it();
    assert_int_equal(chmod(cabinet.state_dir, 0755), 0);
    cabinet_close(&cabinet);
    open_it();
    assert_int_equal(mode_of(cabinet.state_dir), 0700);
}

static void a_state_folder_of_others_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    init();
    open_it();
    assert_int_equal(chown(cabinet.state_dir, 65534, 65534), 0);
    cabinet_close(&cabinet);
    assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
    assert_non_null(strstr(err.text, "65534"));
}

static void without_a_home_the_error_says_what_to_set(void **state)
{
    (void)state;
    init();
    free(env.state_home);
    env.state_home = NULL;
    assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
    assert_non_null(strstr(err.text, "STATE_DIRECTORY"));
    env.state_home = xstrdup("relative");
    assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
}

static void a_damaged_id_is_refused(void **state)
{
    static const char *const ids[] = {"12\n", "../../../../../../../../etc/xxxxx\n",
                                      "0123456789abcdef0123456789abcdef0\n",
                                      "0123456789ABCDEF0123456789abcdef\n", "\n"};

    (void)state;
    init();
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        put(".organizer/cabinet-id", ids[i]);
        assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
        assert_non_null(strstr(err.text, "32 hex digits"));
    }
}

static void an_empty_id_is_refused(void **state)
{
    (void)state;
    init();
    put(".organizer/cabinet-id", "");
    assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
    assert_non_null(strstr(err.text, "cabinet-id"));
}

static void an_error_in_the_configuration_is_an_error(void **state)
{
    (void)state;
    init();
    put(".organizer/organizer.yaml", "mode: fast\n");
    assert_int_equal(cabinet_open(&cabinet, matters, &env, &err), -1);
    assert_non_null(strstr(err.text, "organizer.yaml:1:7"));
}

static void one_process_holds_the_lock(void **state)
{
    int pid = 0, status = -1;
    pid_t child;

    (void)state;
    init();
    open_it();
    assert_int_equal(cabinet_lock(&cabinet, &pid, &err), 0);
    assert_int_equal(pid, getpid());
    assert_int_equal(cabinet_lock(&cabinet, &pid, &err), 0); /* it is ours already */
    child = fork();
    if (child == 0) {
        struct cabinet other;
        int holder = 0, rc = 9;

        if (cabinet_open(&other, matters, &env, &err) == 0) {
            rc = cabinet_lock(&other, &holder, &err);
            rc = rc == 1 && holder == getppid() ? 0 : 8;
        }
        _exit(rc);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_closed_cabinet_gives_the_lock_back(void **state)
{
    int pid;

    (void)state;
    init();
    open_it();
    assert_int_equal(cabinet_lock(&cabinet, &pid, &err), 0);
    cabinet_close(&cabinet);
    open_it();
    assert_int_equal(cabinet_lock(&cabinet, &pid, &err), 0);
}

static void what_is_put_beside_the_inbox_is_loose_for_two_weeks(void **state)
{
    const int64_t day = INT64_C(86400) * 1000000000;
    struct doc_stamp file = {0};

    (void)state;
    init();
    open_it();
    file.birth_ns = file.ctime_ns = cabinet.folders_ns + day;
    assert_true(notice_is_loose_told(&cabinet, "a.pdf", &file, file.ctime_ns + 14 * day));
    assert_false(notice_is_loose_told(&cabinet, "a.pdf", &file, file.ctime_ns + 14 * day + 1));
    assert_false(notice_is_loose_told(&cabinet, "Office/a.pdf", &file, file.ctime_ns));
    file.birth_ns = cabinet.folders_ns;
    assert_false(notice_is_loose_told(&cabinet, "a.pdf", &file, file.ctime_ns));
}

static void the_order_of_dates_follows_the_time_zone(void **state)
{
    (void)state;
    assert_int_equal(zone_date_order("America/New_York"), DATE_ORDER_MDY);
    assert_int_equal(zone_date_order("America/Indiana/Knox"), DATE_ORDER_MDY);
    assert_int_equal(zone_date_order("Pacific/Honolulu"), DATE_ORDER_MDY);
    assert_int_equal(zone_date_order("Europe/Berlin"), DATE_ORDER_DMY);
    assert_int_equal(zone_date_order("Africa/Lagos"), DATE_ORDER_DMY);
    assert_int_equal(zone_date_order("Australia/Sydney"), DATE_ORDER_DMY);
    assert_int_equal(zone_date_order("Asia/Tokyo"), DATE_ORDER_YMD);
    assert_int_equal(zone_date_order("America/Toronto"), DATE_ORDER_ASK);
    assert_int_equal(zone_date_order("UTC"), DATE_ORDER_ASK);
    assert_int_equal(zone_date_order(""), DATE_ORDER_ASK);
}

static void the_time_zone_is_where_the_link_leads(void **state)
{
    AUTO_FREE char *link = xasprintf("%s/localtime", top);
    AUTO_FREE char *none = zone_of_link(link);
    AUTO_FREE char *odd = NULL;
    AUTO_FREE char *good = NULL;

    (void)state;
    assert_string_equal(none, "UTC");
    assert_int_equal(symlink("/usr/share/zoneinfo/No/Such", link), 0);
    odd = zone_of_link(link);
    assert_string_equal(odd, "UTC");
    if (!date_zone_exists("Europe/Berlin")) {
        print_message("no time zones are installed: not tested\n");
        skip();
    }
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("../usr/share/zoneinfo/Europe/Berlin", link), 0);
    good = zone_of_link(link);
    assert_string_equal(good, "Europe/Berlin");
}

#define CABINET(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CABINET(init_in_an_empty_folder_makes_a_working_cabinet),
        CABINET(init_is_the_same_whatever_the_umask),
        CABINET(init_beside_existing_files_only_suggests),
        CABINET(what_systems_leave_in_folders_is_nothing),
        CABINET(init_twice_changes_nothing),
        CABINET(an_init_that_was_cut_short_is_finished),
        CABINET(a_cabinet_inside_a_cabinet_is_refused),
        CABINET(init_below_a_missing_folder_says_so),
        CABINET(init_on_a_file_says_so),
        CABINET(the_cabinet_is_found_from_anywhere_inside),
        CABINET(the_cabinet_is_found_from_the_current_folder),
        CABINET(outside_of_cabinets_the_error_says_how_to_make_one),
        CABINET(the_private_state_is_private),
        CABINET(a_state_folder_open_to_others_is_closed),
        CABINET(a_state_folder_of_others_is_refused),
        CABINET(without_a_home_the_error_says_what_to_set),
        CABINET(a_damaged_id_is_refused),
        CABINET(an_empty_id_is_refused),
        CABINET(an_error_in_the_configuration_is_an_error),
        CABINET(one_process_holds_the_lock),
        CABINET(a_closed_cabinet_gives_the_lock_back),
        CABINET(what_is_put_beside_the_inbox_is_loose_for_two_weeks),
        CABINET(the_order_of_dates_follows_the_time_zone),
        CABINET(the_time_zone_is_where_the_link_leads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
