/* archive: the parts of a snapshot, each by itself. */
#undef _FORTIFY_SOURCE /* its read() would stand beside that of failing_calls.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/disk.h"
#include "archive/findings.h"
#include "archive/gain.h"
#include "archive/heal.h"
#include "archive/order.h"
#include "archive/payload.h"
#include "archive/pump.h"
#include "archive/ring.h"
#include "archive/shelf.h"
#include "archive/sink.h"
#include "archive/sums.h"
#include "archive/tags.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "decide/lang.h"
#include "decide/rules.h"
#include "failing_calls.h"
#include "remove_tree.h"

/* ---- a folder --------------------------------------------------------------------------------- */

struct place {
    char dir[32];
    int fd;
};

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);

    strcpy(p->dir, "/tmp/archive-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    p->fd = open(p->dir, O_RDONLY | O_DIRECTORY);
    *state = p;
    return p->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    int rc = remove_tree(p->dir);

    close(p->fd);
    free(p);
    return rc;
}

static void put(const struct place *p, const char *name, const void *bytes, size_t n)
{
    int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, bytes, n), 0);
    close(fd);
}

/* ---- ring ------------------------------------------------------------------------------------- */

static void *fill_ring(void *ctx)
{
    struct ring *r = ctx;
    struct ring_slot *slot;

    for (uint64_t i = 0; i < 1000 && (slot = ring_claim(r, 1)); i++) {
        slot->tag = i;
        slot->len = 1;
        ring_commit(r);
    }
    ring_end(r);
    return NULL;
}

static void what_goes_through_a_ring_comes_in_order_and_to_the_end(void **state)
{
    struct ring *r = ring_new(3, 3 * 4096);
    struct ring_slot *slot;
    pthread_t thread;
    uint64_t n = 0;

    (void)state;
    pthread_create(&thread, NULL, fill_ring, r);
    for (; (slot = ring_take(r)); n++) {
        assert_int_equal(slot->tag, n);
        ring_release(r);
    }
    pthread_join(thread, NULL);
    assert_int_equal(n, 1000);
    ring_free(r);
}

static void who_stops_a_ring_does_not_leave_the_other_side_waiting(void **state)
{
    struct ring *r = ring_new(3, 3 * 4096);
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, fill_ring, r);
    assert_non_null(ring_take(r));
    ring_stop(r);
    pthread_join(thread, NULL);
    assert_null(ring_claim(r, 1));
    assert_null(ring_take(r));
    ring_free(r);
}

#define RING_BYTES (16 * 4096)

/* From nothing to all there is, and of each only a part is used at times. */
static size_t size_of(uint64_t i)
{
    return i % 17 == 0 ? RING_BYTES : (i * 2654435761U >> 7) % (RING_BYTES / 3);
}

static void *fill_sizes(void *ctx)
{
    struct ring *r = ctx;
    struct ring_slot *slot;

    for (uint64_t i = 0; i < 5000 && (slot = ring_claim(r, size_of(i))); i++) {
        if (i % 5 == 0) /* read again, as a document that changed */
            slot = ring_claim(r, size_of(i));
        memset(slot->bytes, (int)(i & 0xff), size_of(i));
        slot->tag = i;
        slot->len = i % 3 ? size_of(i) : size_of(i) / 2;
        ring_commit(r);
    }
    ring_end(r);
    return NULL;
}

static void buffers_of_all_sizes_keep_their_bytes(void **state)
{
    struct ring *r = ring_new(8, RING_BYTES);
    struct ring_slot *slot;
    pthread_t thread;
    uint64_t n = 0;

    (void)state;
    pthread_create(&thread, NULL, fill_sizes, r);
    for (; (slot = ring_take(r)); n++) {
        assert_int_equal(slot->tag, n);
        for (size_t k = 0; k < slot->len; k++)
            if ((uint8_t)slot->bytes[k] != (n & 0xff))
                fail_msg("byte %zu of buffer %llu", k, (unsigned long long)n);
        ring_release(r);
    }
    pthread_join(thread, NULL);
    assert_int_equal(n, 5000);
    ring_free(r);
}

static void small_buffers_lie_close_together(void **state)
{
    struct ring *r = ring_new(100, 8 * 4096);
    char *first = ring_claim(r, 4096)->bytes;

    (void)state;
    for (int i = 0; i < 8; i++) { /* none waits */
        struct ring_slot *slot = ring_claim(r, 4096);

        slot->len = 4096;
        assert_ptr_equal(slot->bytes, first + i * 4096);
        ring_commit(r);
    }
    ring_take(r);
    ring_release(r);
    assert_ptr_equal(ring_claim(r, 100)->bytes, first);
    ring_free(r);
}

/* ---- sums, gain ------------------------------------------------------------------------------- */

static void both_digests_are_those_of_the_standard(void **state)
{
    struct summer *s = summer_new();
    char a[DIGEST_HEX], b[SHA512_HEX];
    struct sums sums;

    (void)state;
    for (int i = 0; i < 2; i++) { /* it can be used again */
        summer_begin(s);
        summer_add(s, "a", 1);
        summer_add(s, "bc", 2);
        sums = summer_end(s);
        assert_string_equal(digest_hex(&sums.sha256, a),
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_string_equal(sha512_hex(sums.sha512, b),
                            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    }
    summer_free(s);
}

#define LOTS 200000

static void fill_random(uint8_t *p, size_t n)
{
    uint64_t x = 88172645463325252;

    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (uint8_t)(x >> 24);
    }
}

static void what_looks_random_is_not_worth_compressing(void **state)
{
    uint8_t *p = xmalloc(LOTS);

    (void)state;
    fill_random(p, LOTS);
    assert_false(gain_expected(p, LOTS));
    assert_false(gain_expected(p, 5000));
    assert_false(gain_expected(p, 0));
    assert_true(gain_expected(p, 100)); /* so little is tried */
    free(p);
}

static void text_base64_and_what_holds_some_text_are(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *p = xmalloc(LOTS);

    (void)state;
    fill_random(p, LOTS);
    for (size_t i = 0; i < LOTS; i++)
        p[i] = (uint8_t)digits[p[i] & 63];
    assert_true(gain_expected(p, LOTS));
    fill_random(p, LOTS);
    memset(p, ' ', LOTS / 4);
    assert_true(gain_expected(p, LOTS));
    fill_random(p, LOTS);
    memset(p, ' ', LOTS / 100);
    assert_false(gain_expected(p, LOTS));
    free(p);
}

/* ---- sink, disk ------------------------------------------------------------------------------- */

static void what_goes_into_the_sink_comes_from_the_disk(void **state)
{
    struct place *p = *state;
    size_t n = (5 << 20) + 17;
    uint8_t *bytes = xmalloc(n);
    int fd = openat(p->fd, "x", O_RDWR | O_CREAT, 0600);
    struct sink *s = sink_start(fd);
    struct digest wrote, read, is;
    const void *at;
    struct disk *d;
    uint64_t size;

    fill_random(bytes, n);
    is = digest_of(bytes, n);
    for (size_t i = 0; i < n; i += 100003)
        assert_int_equal(sink_add(s, bytes + i, n - i < 100003 ? n - i : 100003), 0);
    assert_int_equal(sink_end(s, &size, &wrote), 0);
    assert_int_equal(size, n);
    assert_true(digest_equal(&wrote, &is));
    fsync(fd);
    close(fd);
    d = disk_open(p->fd, "x");
    assert_non_null(d);
    /* The end first, as a ZIP is read, then from the beginning. */
    assert_int_equal(disk_read(d, n - 10, &at), 10);
    assert_memory_equal(at, bytes + n - 10, 10);
    for (uint64_t pos = 0; pos < n;) {
        ssize_t got = disk_read(d, pos, &at);

        assert_true(got > 0);
        assert_memory_equal(at, bytes + pos, (size_t)got);
        pos += (uint64_t)got;
    }
    assert_int_equal(disk_read(d, n, &at), 0);
    assert_int_equal(disk_end(d, &read), 0);
    assert_true(digest_equal(&read, &is));
    free(bytes);
}

static void a_sink_that_cannot_write_says_so(void **state)
{
    struct place *p = *state;
    int fd = openat(p->fd, "x", O_RDONLY | O_CREAT, 0600);
    struct sink *s = sink_start(fd);
    uint8_t *bytes = xcalloc(1, 9 << 20);
    struct digest d;
    uint64_t size;

    (void)sink_add(s, bytes, 9 << 20);
    assert_int_equal(sink_end(s, &size, &d), -1);
    free(bytes);
    close(fd);
}

/* ---- shelf ------------------------------------------------------------------------------------ */

static char *publish(struct place *p, const char *text)
{
    struct digest digest = digest_of(text, strlen(text));
    struct shelf_rights rights = {.case_fd = p->fd};
    struct error err = ERROR_INIT;
    struct shelf s;
    char *name = NULL;

    assert_int_equal(shelf_open(&s, p->fd, "Archive", &err), 0);
    assert_int_equal(shelf_begin(&s, &err), 0);
    assert_int_equal(io_write_all(s.fd, text, strlen(text)), 0);
    assert_int_equal(shelf_publish(&s, "A", ".zip", &digest, &rights, &name, &err), 0);
    shelf_close(&s);
    return name;
}

static void a_name_that_is_taken_is_never_written_over(void **state)
{
    struct place *p = *state;
    AUTO_FREE char *first = publish(p, "one"), *second = publish(p, "two"), *third;
    AUTO_STR struct str text = STR_INIT;
    int dir = openat(p->fd, "Archive", O_RDONLY | O_DIRECTORY);

    assert_string_equal(first, "A.zip");
    assert_string_equal(second, "A_02.zip");
    /* Also one of which only the checksum is left. */
    put(p, "Archive/A_03.zip.sha256", "x", 1);
    third = publish(p, "three");
    assert_string_equal(third, "A_04.zip");
    assert_int_equal(io_read_file(dir, "A.zip", &text, 100), 0);
    assert_string_equal(str_c(&text), "one");
    close(dir);
}

static void leftovers_of_a_killed_run_are_removed(void **state)
{
    struct place *p = *state;
    struct error err = ERROR_INIT;
    struct shelf s;

    mkdirat(p->fd, "Archive", 0755);
    put(p, "Archive/.~organizer-archive-1-0", "half", 4);
    put(p, "Archive/.~other", "mine", 4);
    assert_int_equal(shelf_open(&s, p->fd, "Archive", &err), 0);
    assert_int_equal(faccessat(s.dir, ".~organizer-archive-1-0", F_OK, 0), -1);
    assert_int_equal(faccessat(s.dir, ".~other", F_OK, 0), 0);
    shelf_close(&s);
}

static void a_checksum_line_is_as_sha256sum_writes_it(void **state)
{
    struct digest d = digest_of("", 0);
    AUTO_STR struct str line = STR_INIT;

    (void)state;
    shelf_sum_line(&line, "a b.zip", &d);
    shelf_sum_line(&line, "a\\b\n.zip", &d);
    assert_string_equal(
        str_c(&line),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a b.zip\n"
        "\\e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\\\\b\\n.zip\n");
}

/* ---- names ------------------------------------------------------------------------------------ */

static void manifests_escape_what_the_standard_says(void **state)
{
    AUTO_STR struct str out = STR_INIT;

    (void)state;
    tags_add_path(&out, "a b%c\r\nd\\e");
    assert_string_equal(str_c(&out), "a b%25c%0D%0Ad\\e");
}

static void names_that_are_no_utf8_get_names_that_nobody_else_has(void **state)
{
    struct payload p = {.names = payload_names_new()};
    struct payload_entry entries[] = {
        {.path = "a=FF"}, {.path = "a=FF~2"}, {.path = "a\xFE"}, {.path = "a\xFF"}};

    (void)state;
    p.entries = entries;
    p.len = 4;
    payload_names_store(&p);
    assert_string_equal(entries[0].stored, "a=FF");
    assert_string_equal(entries[2].stored, "a=FE");
    assert_string_equal(entries[3].stored, "a=FF~3");
    payload_names_free(p.names);
}

/* ---- pump ------------------------------------------------------------------------------------- */

#define LONG_SIZE (3 << 20)

struct pumping {
    struct place *place;
    struct payload payload;
    struct findings findings;
    struct pump_options options;
    bool change; /* the long document is changed while it is read */
    uint64_t bytes;
};

static void change_while_read(void *ctx, uint64_t bytes)
{
    struct pumping *p = ctx;

    if (p->change && bytes) {
        int fd = openat(p->place->fd, "long", O_WRONLY);

        p->change = false;
        assert_int_equal(pwrite(fd, "changed", 7, LONG_SIZE - 100), 7);
        close(fd);
    }
}

static void add_entry(struct pumping *p, const char *name)
{
    struct payload_entry *e = &p->payload.entries[p->payload.len++];
    struct stat st;
    AUTO_STR struct str text = STR_INIT;

    assert_int_equal(fstatat(p->place->fd, name, &st, 0), 0);
    assert_int_equal(io_read_file(p->place->fd, name, &text, 1 << 24), 0);
    *e = (struct payload_entry){.path = name,
                                .stored = name,
                                .size = (uint64_t)st.st_size,
                                .ino = st.st_ino,
                                .mode = st.st_mode,
                                .sha256 = digest_of(text.s, text.len),
                                .flags = PAYLOAD_EXPECTED | PAYLOAD_RECORDED};
}

static void pumping_make(struct pumping *p, struct place *place)
{
    uint8_t *bytes = xmalloc(LONG_SIZE);

    *p = (struct pumping){.place = place, .findings = {.worst = SNAPSHOT_MADE}};
    fill_random(bytes, LONG_SIZE);
    put(place, "long", bytes, LONG_SIZE);
    put(place, "short", "short", 5);
    free(bytes);
    p->payload.entries = xcalloc(4, sizeof *p->payload.entries);
    add_entry(p, "long");
    add_entry(p, "short");
    p->options = (struct pump_options){
        .case_fd = place->fd,
        .payload = &p->payload,
        .metadata = openat(place->fd, ".", O_RDWR | O_TMPFILE, 0600),
        .sha512 = openat(place->fd, ".", O_RDWR | O_TMPFILE, 0600),
        .findings = &p->findings,
        .progress = change_while_read,
        .ctx = p};
}

/* Takes all that comes; what pump_end() says. last: the name whose last piece came last. */
static int pump_all(struct pumping *p, const char **last)
{
    struct pump *pump = pump_start(&p->options);
    struct pump_piece piece;

    *last = "";
    assert_non_null(pump);
    while (pump_next(pump, &piece)) {
        p->bytes += piece.len;
        if (piece.last)
            *last = piece.entry->path;
        pump_release(pump);
    }
    return pump_end(pump);
}

static void pumping_clear(struct pumping *p)
{
    close(p->options.metadata);
    close(p->options.sha512);
    findings_clear(&p->findings);
    free(p->payload.entries);
}

static void what_is_right_is_handed_over(void **state)
{
    struct pumping p;
    const char *last;

    pumping_make(&p, *state);
    assert_int_equal(pump_all(&p, &last), 0);
    assert_string_equal(last, "short");
    assert_int_equal(p.bytes, LONG_SIZE + 5);
    assert_int_equal(p.findings.len, 0);
    pumping_clear(&p);
}

static void a_document_that_changes_while_it_is_read_is_never_handed_over_whole(void **state)
{
    struct pumping p;
    const char *last;

    pumping_make(&p, *state);
    p.change = true;
    assert_int_equal(pump_all(&p, &last), 1);
    assert_string_equal(last, "");
    assert_int_equal(p.findings.worst, SNAPSHOT_DIFFERS);
    assert_int_equal(p.findings.len, 1);
    pumping_clear(&p);
}

static void all_that_differ_are_told_not_only_the_first(void **state)
{
    struct pumping p;
    const char *last;

    pumping_make(&p, *state);
    p.payload.entries[0].sha256.b[0] ^= 1;
    p.payload.entries[1].sha256.b[0] ^= 1;
    assert_int_equal(pump_all(&p, &last), 1);
    assert_int_equal(p.findings.len, 2);
    pumping_clear(&p);
}

static void who_takes_may_give_up_in_the_middle(void **state)
{
    struct pumping p;
    struct pump_piece piece;
    struct pump *pump;

    pumping_make(&p, *state);
    pump = pump_start(&p.options);
    assert_true(pump_next(pump, &piece));
    pump_stop(pump);
    assert_int_equal(pump_end(pump), 1);
    pumping_clear(&p);
}

/* ---- order ------------------------------------------------------------------------------------ */

static void a_result_comes_back_as_it_was_told(void **state)
{
    char *findings[] = {(char[]){"one"}, (char[]){"two \"quoted\""}, NULL};
    struct snapshot_result r = {.outcome = SNAPSHOT_DIFFERS,
                                .documents = 7,
                                .size = 1ULL << 40,
                                .findings = findings,
                                .why = (char[]){"because"}},
                           back;
    AUTO_STR struct str line = STR_INIT;
    json_t *json;

    (void)state;
    str_addc(&line, '{');
    order_write_as(&line, "result", &r);
    str_addc(&line, '}');
    json = json_loads(str_c(&line), 0, NULL);
    assert_true(order_read_result(json_object_get(json, "result"), &back));
    assert_int_equal(back.outcome, SNAPSHOT_DIFFERS);
    assert_int_equal(back.size, 1ULL << 40);
    assert_string_equal(back.findings[1], "two \"quoted\"");
    assert_null(back.findings[2]);
    assert_string_equal(back.why, "because");
    snapshot_result_clear(&back);
    assert_false(order_read_result(json, &back));
    json_decref(json);
}

/* ---- what cannot be listed ---------------------------------------------------------------------- */

static void what_cannot_be_listed_makes_no_archive(void **state)
{
    static const char *const calls[] = {"openat2", "fdopendir", "readdir", "fstatat"};
    struct place *p = *state;
    struct error err = ERROR_INIT;
    struct lang *lang = lang_load("rules/language/en.yaml", &err);
    AUTO_STR struct str text = STR_INIT;
    struct problems problems = {.text = &text};
    struct rules *rules = lang ? rules_load("rules", -1, lang, &problems) : NULL;

    assert_non_null(rules);
    assert_int_equal(beneath_mkdirs(p->fd, "Letters"), 0);
    put(p, "Letters/a.pdf", "a", 1);
    put(p, "b.pdf", "b", 1);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        bool hit = true;

        for (unsigned n = 1; hit; n++) {
            struct findings found = {.lang = lang};
            struct payload_options o = {.case_fd = p->fd, .rules = rules, .findings = &found};
            struct payload payload;

            sys.only = calls[i];
            fail_at(FAIL, n);
            assert_int_equal(payload_list(&payload, &o, &err), 0);
            hit = was_hit();
            if (hit ? found.worst != SNAPSHOT_FAILED : payload.len != 4)
                fail_msg("%s %u failed: %zu entries, and nothing is found", calls[i], n, payload.len);
            payload_clear(&payload);
            findings_clear(&found);
        }
    }
    rules_free(rules);
    lang_free(lang);
}

/* Else another one would be made beside it. */
static void an_archive_that_may_be_there_is_not_taken_for_missing(void **state)
{
    struct place *p = *state;
    struct snapshot_result wanted = {.size = 1}, r;
    struct snapshot_order order = {.root = p->fd, .case_path = "", .folder = "",
                                   .prefix = "Smith", .intended = &wanted};
    struct shelf shelf = {.dir = p->fd};
    struct heal_order heal = {&order, &shelf, p->fd};
    struct error err = ERROR_INIT;

    assert_int_equal(heal_find(&heal, &r, &err), 0);
    sys.only = "readdir";
    fail_at(FAIL, 1);
    assert_int_equal(heal_find(&heal, &r, &err), -1);
    assert_true(was_hit() && *err.text);
}

#define PLACED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_through_a_ring_comes_in_order_and_to_the_end),
        cmocka_unit_test(buffers_of_all_sizes_keep_their_bytes),
        cmocka_unit_test(small_buffers_lie_close_together),
        cmocka_unit_test(who_stops_a_ring_does_not_leave_the_other_side_waiting),
        cmocka_unit_test(both_digests_are_those_of_the_standard),
        cmocka_unit_test(what_looks_random_is_not_worth_compressing),
        cmocka_unit_test(text_base64_and_what_holds_some_text_are),
        PLACED(what_goes_into_the_sink_comes_from_the_disk),
        PLACED(a_sink_that_cannot_write_says_so),
        PLACED(a_name_that_is_taken_is_never_written_over),
        PLACED(leftovers_of_a_killed_run_are_removed),
        cmocka_unit_test(a_checksum_line_is_as_sha256sum_writes_it),
        cmocka_unit_test(manifests_escape_what_the_standard_says),
        cmocka_unit_test(names_that_are_no_utf8_get_names_that_nobody_else_has),
        PLACED(what_is_right_is_handed_over),
        PLACED(a_document_that_changes_while_it_is_read_is_never_handed_over_whole),
        PLACED(all_that_differ_are_told_not_only_the_first),
        PLACED(who_takes_may_give_up_in_the_middle),
        cmocka_unit_test(a_result_comes_back_as_it_was_told),
        PLACED(what_cannot_be_listed_makes_no_archive),
        PLACED(an_archive_that_may_be_there_is_not_taken_for_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
