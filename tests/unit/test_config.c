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

#include "base/error.h"
#include "base/io.h"
#include "cabinet/config.h"
#include "remove_tree.h"

/* --- text --- */

static struct config config;
static struct error err;

static int start(void **state)
{
    (void)state;
    config_init(&config);
    err = (struct error)ERROR_INIT;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    config_clear(&config);
    return 0;
}

static int parse(const char *text)
{
    return config_parse(&config, "organizer.yaml", text, strlen(text), &err);
}

static void accepts(const char *text)
{
    if (parse(text) < 0)
        fail_msg("%s: %s", text, err.text);
}

/* The text is refused, at this place, with a message that holds these words. */
static void refuses(const char *text, const char *place, const char *words)
{
    char *where = NULL;

    assert_int_equal(parse(text), -1);
    assert_true(asprintf(&where, "organizer.yaml:%s: ", place) > 0);
    if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, words))
        fail_msg("\"%s\" should start with \"%s\" and say \"%s\"", err.text, where, words);
    free(where);
}

static void defaults_are_those_of_the_design(void **state)
{
    (void)state;
    assert_int_equal(config.mode, MODE_ENFORCE);
    assert_int_equal(config.naming, NAMING_STANDARD);
    assert_int_equal(config.settle_ms, 10000);
    assert_int_equal(config.drafts_s, 5 * 86400);
    assert_int_equal(config.date_order, DATE_ORDER_ASK);
    assert_int_equal(config.date_from_len, 3);
    assert_int_equal(config.date_from[1], DATE_FROM_DOCUMENT);
    assert_string_equal(config.time_zone, "UTC");
    assert_int_equal(config.nightly_min, 210);
    assert_int_equal(config.max_path, 200);
}

static void an_empty_file_is_the_defaults(void **state)
{
    (void)state;
    accepts("");
    accepts("# nothing here\n");
    assert_int_equal(config.settle_ms, 10000);
}

static void every_key_is_read(void **state)
{
    (void)state;
    accepts("mode: suggest\nnaming: inbox\nsettle: 2m\ndrafts: 3d\n"
            "folders: { Scans: { settle: 30s }, \"Synced\": { settle: 10m } }\n"
            "date_order: dmy\ndate_from: [name, file]\ntime_zone: UTC\nnightly: \"3:05\"\n"
            "max_path: 180\nsweep: 1h\noffice: Smith & Partners\ngroup: lawyers\n"
            "hook_limit: 2\nhook_time: 5s\nretire: 30d\nsnapshots: weekly\nkeep: 9\n"
            "upload_time: 2h\n");
    assert_int_equal(config.mode, MODE_SUGGEST);
    assert_int_equal(config.naming, NAMING_INBOX);
    assert_int_equal(config.settle_ms, 120000);
    assert_int_equal(config.drafts_s, 3 * 86400);
    assert_int_equal(config.folders_len, 2);
    assert_int_equal(config.date_order, DATE_ORDER_DMY);
    assert_int_equal(config.date_from_len, 2);
    assert_int_equal(config.date_from[1], DATE_FROM_FILE);
    assert_int_equal(config.nightly_min, 185);
    assert_int_equal(config.max_path, 180);
    assert_int_equal(config.sweep_ms, 3600000);
    assert_string_equal(config.office, "Smith & Partners");
    assert_string_equal(config.group, "lawyers");
    assert_int_equal(config.hook_limit, 2);
    assert_int_equal(config.hook_ms, 5000);
    assert_int_equal(config.retire_s, 30 * 86400);
    assert_int_equal(config.snapshots, SNAPSHOTS_WEEKLY);
    assert_int_equal(config.keep, 9);
    assert_int_equal(config.upload_ms, 7200000);
}

static void archives_are_of_closed_cases_unless_asked_for(void **state)
{
    (void)state;
    accepts("");
    assert_int_equal(config.snapshots, SNAPSHOTS_NEVER);
    assert_int_equal(config.retire_s, -1);
    assert_int_equal(config.keep, 4);
    accepts("retire: 1d\nsnapshots: nightly\n");
    accepts("retire: never\nsnapshots: never\n");
    assert_int_equal(config.retire_s, -1);
    refuses("retire: soon\n", "1:9", "5d");
    refuses("snapshots: monthly\n", "1:12", "weekly");
    refuses("keep: 0\n", "1:7", "from 1 to 1000");
}

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"settle: 0", 0},        {"settle: 7", 7000},       {"settle: 500ms", 500},
                {"settle: 10s", 10000},  {"settle: 2m", 120000},    {"settle: 2 min", 120000},
                {"settle: 1h", 3600000}, {"settle: 5d", 432000000}, {"settle: 1w", 604800000}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        accepts(rows[i].text);
        assert_int_equal(config.settle_ms, rows[i].ms);
    }
}

static void bad_durations_are_refused(void **state)
{
    (void)state;
    refuses("settle: soon\n", "1:9", "10s");
    refuses("settle: -5s\n", "1:9", "10s");
    refuses("settle: 10x\n", "1:9", "10s");
    refuses("settle: 99999999999999999999d\n", "1:9", "10s");
    refuses("settle: 900000d\n", "1:9", "10s");
    refuses("settle: [10s]\n", "1:9", "10s");
    refuses("sweep: 0\n", "1:8", "sweep");
}

static void an_unknown_key_is_told_with_its_place(void **state)
{
    (void)state;
    refuses("mode: enforce\nsetle: 10s\n", "2:1", "known are mode, naming, settle");
    refuses("? [a]\n: b\n", "1:3", "unknown key");
}

static void a_key_may_stand_once_only(void **state)
{
    (void)state;
    refuses("mode: enforce\nmode: suggest\n", "2:1", "once");
}

static void wrong_choices_say_what_was_expected(void **state)
{
    (void)state;
    refuses("mode: fast\n", "1:7", "enforce or suggest");
    refuses("naming: all\n", "1:9", "standard, inbox, everywhere or off");
    refuses("date_order: myd\n", "1:13", "ask, mdy, dmy or ymd");
    refuses("date_from: [name, moon]\n", "1:19", "name, document, file");
    refuses("date_from: name\n", "1:12", "list");
    refuses("time_zone: Mars/Olympus\n", "1:12", "Europe/London");
    refuses("time_zone: ../../etc/passwd\n", "1:12", "time zone");
    refuses("nightly: 25:00\n", "1:10", "03:30");
    refuses("nightly: noon\n", "1:10", "never");
    refuses("max_path: 20\n", "1:11", "from 80 to 4000");
    refuses("max_path: many\n", "1:11", "whole number");
    refuses("hook_limit: 0\n", "1:13", "from 1 to 64");
    refuses("folders: [Scans]\n", "1:10", "Scans");
    refuses("folders: { Scans: 30s }\n", "1:12", "settle");
    refuses("folders: { Scans: { drafts: 30s } }\n", "1:21", "settle");
    refuses("folders: { /Scans: { settle: 30s } }\n", "1:12", "without a leading /");
    refuses("office: \"a\\nb\"\n", "1:9", "one line");
}

static void what_is_not_yaml_is_told_with_its_place(void **state)
{
    (void)state;
    refuses("mode: [enforce\n", "2:1", "not YAML");
    refuses("- mode\n", "1:1", "key: value");
    refuses("a: \xff\n", "1:1", "not YAML");
}

static void a_value_with_a_nul_is_refused(void **state)
{
    (void)state;
    refuses("office: \"a\\0b\"\n", "1:9", "one line");
}

static void naming_off_is_no_boolean(void **state)
{
    (void)state;
    accepts("naming: off");
    assert_int_equal(config.naming, NAMING_OFF);
    accepts("naming: no");
    assert_int_equal(config.naming, NAMING_OFF);
}

static void nightly_may_be_never(void **state)
{
    (void)state;
    accepts("nightly: never");
    assert_int_equal(config.nightly_min, -1);
}

static void after_an_error_nothing_has_changed(void **state)
{
    (void)state;
    accepts("settle: 3s\noffice: Ours\nfolders: { A: { settle: 1s } }\n");
    refuses("settle: 9s\noffice: Theirs\nfolders: { B: { settle: 2s } }\nmode: x\n", "4:7", "");
    assert_int_equal(config.settle_ms, 3000);
    assert_string_equal(config.office, "Ours");
    assert_string_equal(config.folders[0].folder, "A");
}

static void an_alias_bomb_does_no_harm(void **state)
{
    (void)state;
    refuses("office: &a [x, x]\ngroup: &b [*a, *a]\n", "1:9", "one line");
    refuses("mode: &a {mode: *a}\n", "1:7", "enforce");
}

static void the_written_text_reads_back_the_same(void **state)
{
    struct config back;
    char *text, *again;

    (void)state;
    accepts("mode: suggest\nnaming: everywhere\nsettle: 1500ms\ndrafts: 36h\n"
            "folders: { \"A b\": { settle: 30s }, \"C/\\\"D\": { settle: 10m } }\n"
            "date_order: mdy\ndate_from: [file]\nnightly: never\nmax_path: 240\nsweep: 90s\n"
            "office: \"a: \\\"b\\\" #c\"\ngroup: g\nhook_limit: 9\nhook_time: 2m\n");
    text = config_text(&config);
    config_init(&back);
    assert_int_equal(config_parse(&back, "t", text, strlen(text), &err), 0);
    again = config_text(&back);
    assert_string_equal(text, again);
    assert_int_equal(back.settle_ms, 1500);
    assert_int_equal(back.folders_len, 2);
    assert_string_equal(back.office, "a: \"b\" #c");
    free(text);
    free(again);
    config_clear(&back);
}

static void the_written_text_names_every_key(void **state)
{
    static const char *const keys[] = {"mode",    "naming",     "settle",    "drafts",
                                       "folders", "date_order", "date_from", "time_zone",
                                       "nightly", "max_path",   "sweep",     "office",
                                       "group",   "hook_limit", "hook_time"};
    char *text = config_text(&config);

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char line[32];

        snprintf(line, sizeof line, "\n%s: ", keys[i]);
        if (!strstr(text, line))
            fail_msg("%s is missing", keys[i]);
    }
    free(text);
}

static void folders_have_their_own_settle_time(void **state)
{
    (void)state;
    accepts("folders: { Scans: { settle: 30s }, A/Sync: { settle: 10m }, Fast: { settle: 0 } }\n");
    assert_int_equal(config_settle_ms(&config, "Smith_Divorce/Inbox"), 10000);
    assert_int_equal(config_settle_ms(&config, "Scans"), 30000);
    assert_int_equal(config_settle_ms(&config, "Smith_Divorce/Scans/deep"), 30000);
    assert_int_equal(config_settle_ms(&config, "Smith_Divorce/Scans2"), 10000);
    assert_int_equal(config_settle_ms(&config, "A/Sync/x"), 600000);
    assert_int_equal(config_settle_ms(&config, "B/A/Sync"), 10000);
    assert_int_equal(config_settle_ms(&config, "A/Sync2"), 10000);
    assert_int_equal(config_settle_ms(&config, "Fast"), 0);
    assert_int_equal(config_settle_ms(&config, "Fast/Scans"), 30000);
    assert_int_equal(config_settle_ms(&config, ""), 10000);
}

/* --- files --- */

static char root_path[64];
static int root;

static int make_root(void **state)
{
    start(state);
    snprintf(root_path, sizeof root_path, "/tmp/organizer-config-XXXXXX");
    assert_non_null(mkdtemp(root_path));
    root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(root, ".organizer", 0755), 0);
    return root < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
    stop(state);
    close(root);
    return remove_tree(root_path);
}

static void write_config(const char *text, mode_t mode)
{
    int fd = openat(root, ".organizer/organizer.yaml", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_missing_file_is_the_defaults(void **state)
{
    (void)state;
    accepts("settle: 3s");
    assert_int_equal(config_read(&config, root, &err), 0);
    assert_int_equal(config.settle_ms, 10000);
}

static void the_file_is_read(void **state)
{
    (void)state;
    write_config("settle: 4s\n", 0644);
    assert_int_equal(config_read(&config, root, &err), 0);
    assert_int_equal(config.settle_ms, 4000);
}

static void keys_taken_out_go_back_to_their_defaults(void **state)
{
    (void)state;
    write_config("settle: 4s\n", 0644);
    assert_int_equal(config_read(&config, root, &err), 0);
    write_config("mode: suggest\n", 0644);
    assert_int_equal(config_read(&config, root, &err), 0);
    assert_int_equal(config.settle_ms, 10000);
    assert_int_equal(config.mode, MODE_SUGGEST);
}

static void an_error_in_the_file_leaves_the_last_good_one(void **state)
{
    (void)state;
    write_config("settle: 4s\n", 0644);
    assert_int_equal(config_read(&config, root, &err), 0);
    write_config("settle: x\n", 0644);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_non_null(strstr(err.text, ".organizer/organizer.yaml:1:9"));
    assert_int_equal(config.settle_ms, 4000);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    (void)state;
    write_config("settle: 4s\n", 0664);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_int_equal(err.number, EPERM);
    assert_non_null(strstr(err.text, "chmod go-w"));
    write_config("settle: 4s\n", 0646);
    assert_int_equal(config_read(&config, root, &err), -1);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    (void)state;
    write_config("settle: 4s\n", 0644);
    assert_int_equal(fchmodat(root, ".organizer", 0775, 0), 0);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_int_equal(err.number, EPERM);
}

static void a_folder_of_others_is_refused_even_without_a_file(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(fchownat(root, ".organizer", 65534, 65534, 0), 0);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_int_equal(err.number, EPERM);
    assert_non_null(strstr(err.text, "65534"));
}

static void a_file_of_others_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_config("settle: 4s\n", 0644);
    assert_int_equal(fchownat(root, ".organizer/organizer.yaml", 65534, 65534, 0), 0);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_non_null(strstr(err.text, "chown"));
}

static void links_and_pipes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(symlinkat("/etc/passwd", root, ".organizer/organizer.yaml"), 0);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_int_equal(err.number, ELOOP);
    assert_int_equal(unlinkat(root, ".organizer/organizer.yaml", 0), 0);
    assert_int_equal(mkfifoat(root, ".organizer/organizer.yaml", 0600), 0);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_int_equal(err.number, EPERM);
}

static void a_huge_file_is_refused(void **state)
{
    char *big = malloc(300001);

    (void)state;
    memset(big, '#', 300000);
    big[300000] = '\0';
    write_config(big, 0644);
    free(big);
    assert_int_equal(config_read(&config, root, &err), -1);
    assert_int_equal(err.number, EFBIG);
}

static void a_trusted_folder_can_be_opened_too(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(mkdirat(root, ".organizer/rules", 0755), 0);
    fd = config_open_trusted(root, ".organizer/rules", &err);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fchmodat(root, ".organizer/rules", 0777, 0), 0);
    assert_int_equal(config_open_trusted(root, ".organizer/rules", &err), -1);
    assert_int_equal(config_open_trusted(root, ".organizer/none", &err), -1);
    assert_int_equal(err.number, ENOENT);
}

#define TEXT(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define DISK(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEXT(defaults_are_those_of_the_design),
        TEXT(an_empty_file_is_the_defaults),
        TEXT(every_key_is_read),
        TEXT(archives_are_of_closed_cases_unless_asked_for),
        TEXT(durations_have_units),
        TEXT(bad_durations_are_refused),
        TEXT(an_unknown_key_is_told_with_its_place),
        TEXT(a_key_may_stand_once_only),
        TEXT(wrong_choices_say_what_was_expected),
        TEXT(what_is_not_yaml_is_told_with_its_place),
        TEXT(a_value_with_a_nul_is_refused),
        TEXT(naming_off_is_no_boolean),
        TEXT(nightly_may_be_never),
        TEXT(after_an_error_nothing_has_changed),
        TEXT(an_alias_bomb_does_no_harm),
        TEXT(the_written_text_reads_back_the_same),
        TEXT(the_written_text_names_every_key),
        TEXT(folders_have_their_own_settle_time),
        DISK(a_missing_file_is_the_defaults),
        DISK(the_file_is_read),
        DISK(keys_taken_out_go_back_to_their_defaults),
        DISK(an_error_in_the_file_leaves_the_last_good_one),
        DISK(a_file_that_others_may_write_is_refused),
        DISK(a_folder_that_others_may_write_is_refused),
        DISK(a_folder_of_others_is_refused_even_without_a_file),
        DISK(a_file_of_others_is_refused),
        DISK(links_and_pipes_are_refused),
        DISK(a_huge_file_is_refused),
        DISK(a_trusted_folder_can_be_opened_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
