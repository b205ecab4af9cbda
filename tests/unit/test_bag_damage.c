/* bag: an archive with any one byte changed, or cut off anywhere, is noticed, and nobody crashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/bag.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"

#define NAME   "a.bag"
#define LETTER "Dear Smith, the hearing is on March 2nd, 2026. Sincerely, the office."

static char folder[] = "/tmp/organizer-bag-damage-XXXXXX";
static int dir = -1;
static size_t coarser = 1; /* ORGANIZER_EVERY: only each so many of the bytes are damaged */

/* ---- a bag
 * ----------------------------------------------------------------------------------- */

struct part {
    const char *name;
    char text[600];
};

static void add_line(char *text, const char *path, const char *data)
{
    struct digest d = digest_of(data, strlen(data));
    char hex[DIGEST_HEX];
    size_t n = strlen(text);

    snprintf(text + n, 600 - n, "%s  %s\n", digest_hex(&d, hex), path);
}

static void make_parts(struct part parts[static 6])
{
    static const struct part made[6] = {
        {"B/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"},
        {"B/bag-info.txt", "Payload-Oxum: 75.2\n"},
        {"B/data/letter.txt", LETTER},
        {"B/data/b", "short"},
        {"B/manifest-sha256.txt", ""},
        {"B/tagmanifest-sha256.txt", ""},
    };

    memcpy(parts, made, sizeof made);
    snprintf(parts[1].text, sizeof parts[1].text, "Payload-Oxum: %zu.2\n", strlen(LETTER) + 5);
    add_line(parts[4].text, "data/letter.txt", parts[2].text);
    add_line(parts[4].text, "data/b", parts[3].text);
    for (int i = 0; i < 5; i++)
        if (i < 2 || i == 4)
            add_line(parts[5].text, parts[i].name + 2, parts[i].text);
}

static void write_part(struct archive *a, const struct part *p)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, p->name);
    archive_entry_set_size(e, (la_int64_t)strlen(p->text));
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_mtime(e, 1772452800, 0);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, p->text, strlen(p->text)), (la_ssize_t)strlen(p->text));
    archive_entry_free(e);
}

/* The bytes of the bag in that form; freed by the caller. */
static char *make(const char *form, size_t *n)
{
    struct archive *a = archive_write_new();
    struct part parts[6];
    char *bytes = xmalloc(65536);

    make_parts(parts);
    if (strncmp(form, "zip", 3) == 0) {
        archive_write_set_format_zip(a);
        assert_int_equal(archive_write_set_format_option(a, "zip", "compression",
                                                         strcmp(form, "zip") ? "store" : "deflate"),
                         ARCHIVE_OK);
    } else {
        archive_write_set_format_pax_restricted(a);
    }
    if (strcmp(form, "tar.gz") == 0)
        archive_write_add_filter_gzip(a);
    if (strcmp(form, "tar.zst") == 0)
        archive_write_add_filter_zstd(a);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open_memory(a, bytes, 65536, n), ARCHIVE_OK);
    for (int i = 0; i < 6; i++)
        write_part(a, &parts[i]);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return bytes;
}

/* ---- checking
 * -------------------------------------------------------------------------------- */

static void put(const char *name, const void *p, size_t n)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, p, n), 0);
    close(fd);
}

/* Puts NAME.sha256 beside, of these bytes. */
static void put_sum(const void *p, size_t n)
{
    struct digest d = digest_of(p, n);
    char hex[DIGEST_HEX], line[DIGEST_HEX + 32];

    snprintf(line, sizeof line, "%s  " NAME "\n", digest_hex(&d, hex));
    put(NAME ".sha256", line, strlen(line));
}

/* Whether something is said against it. What it says is never that its reader crashed. */
static bool noticed(const void *p, size_t n)
{
    struct bag_options o = {.stall_ms = 10000};
    struct bag_counts c;
    struct error err = ERROR_INIT;
    int rc;

    put(NAME, p, n);
    rc = bag_check(dir, NAME, &o, &c, &err);
    if (rc < 0)
        assert_null(strstr(err.text, "signal"));
    return rc < 0 || c.errors > 0;
}

static size_t find(const char *bytes, size_t n, const char *what)
{
    const char *p = memmem(bytes, n, what, strlen(what));

    assert_non_null(p);
    return (size_t)(p - bytes);
}

/* ---- the tests
 * ------------------------------------------------------------------------------- */

static const char *const forms[] = {"zip", "zip, stored", "tar", "tar.gz", "tar.zst"};
#define FORMS (sizeof forms / sizeof forms[0])

static void test_undamaged_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        size_t n;
        AUTO_FREE char *bytes = make(forms[i], &n);

        unlinkat(dir, NAME ".sha256", 0);
        assert_false(noticed(bytes, n));
        put_sum(bytes, n);
        assert_false(noticed(bytes, n));
    }
}

/* With the .sha256 beside it any byte: each of a ZIP's and a tar.zst's, some of the others'. A
 * tar's padding is left out, of which there is much alike. */
static void test_any_byte_changed_is_noticed(void **state)
{
    static const size_t every[FORMS] = {1, 5, 5, 3, 1};

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        size_t n, missed = 0;
        AUTO_FREE char *bytes = make(forms[i], &n);

        put_sum(bytes, n);
        for (size_t at = 0; at < n; at += every[i] * coarser) {
            if (strcmp(forms[i], "tar") == 0 && at > 8 && !bytes[at] && !bytes[at - 8] && at % 64)
                continue;
            bytes[at] = (char)(bytes[at] ^ (at % 2 ? 0xff : 1 << at % 8));
            missed += !noticed(bytes, n);
            bytes[at] = (char)(bytes[at] ^ (at % 2 ? 0xff : 1 << at % 8));
        }
        assert_int_equal(missed, 0);
    }
}

/* Without: what is a document's, and in a compressed stream everything that could become one. */
static void test_a_changed_document_is_noticed_without_sha256(void **state)
{
    (void)state;
    unlinkat(dir, NAME ".sha256", 0);
    for (size_t i = 1; i < 3; i++) {
        size_t n;
        AUTO_FREE char *bytes = make(forms[i], &n);
        size_t start = find(bytes, n, LETTER);

        for (size_t at = start; at < start + strlen(LETTER); at += coarser) {
            bytes[at] ^= 4;
            assert_true(noticed(bytes, n));
            bytes[at] ^= 4;
        }
    }
}

static void test_cut_off_anywhere_is_noticed_without_sha256(void **state)
{
    (void)state;
    unlinkat(dir, NAME ".sha256", 0);
    for (size_t i = 0; i < FORMS; i++) {
        size_t n, step = strcmp(forms[i], "tar") == 0 ? 37 : 1;
        AUTO_FREE char *bytes = make(forms[i], &n);

        for (size_t len = 0; len < n; len += (len + 1100 > n ? 1 : step) * coarser)
            if (!noticed(bytes, len))
                fail_msg("%s of %zu bytes cut off at %zu", forms[i], n, len);
    }
}

static void test_something_behind_the_end_is_noticed(void **state)
{
    (void)state;
    unlinkat(dir, NAME ".sha256", 0);
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        AUTO_FREE char *bytes = make(forms[i], &n);

        memset(bytes + n, 'x', 600);
        assert_true(noticed(bytes, n + 600));
    }
}

static int open_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlinkat(dir, NAME, 0);
    unlinkat(dir, NAME ".sha256", 0);
    close(dir);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undamaged_is_valid),
        cmocka_unit_test(test_any_byte_changed_is_noticed),
        cmocka_unit_test(test_a_changed_document_is_noticed_without_sha256),
        cmocka_unit_test(test_cut_off_anywhere_is_noticed_without_sha256),
        cmocka_unit_test(test_something_behind_the_end_is_noticed),
    };

    const char *preload = getenv("LD_PRELOAD"), *every = getenv("ORGANIZER_EVERY");

    if (preload && strstr(preload, "vgpreload")) {
        print_message("skipped: valgrind makes system calls that the sandbox does not allow\n");
        return 0;
    }
    if (every && (coarser = strtoul(every, NULL, 10)) > 1)
        print_message("skipped: of the bytes only each %zuth is damaged\n", coarser);
    coarser += coarser == 0;
    return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
