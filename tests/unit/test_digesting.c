/* sha, digesting: two streams side by side give what libcrypto gives for each; documents that come together
 * are answered in their order, whatever their sizes and whatever happens to them meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/sha.h"
#include "examine/digesting.h"
#include "documents.h"

#define MOST (3 * DIGESTING_PIECE)

static uint8_t *bytes; /* of which documents are made */

static int make(void **state)
{
    *state = NULL;
    bytes = xmalloc(2 * MOST);
    for (size_t i = 0; i < 2 * MOST; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static void needs_instructions(void)
{
    if (sha_can())
        return;
    print_message("this processor has no instructions for SHA-256\n");
    skip();
}

static void assert_digest(const struct digest *d, const uint8_t *p, size_t n)
{
    const struct digest want = digest_of(p, n);
    char is[DIGEST_HEX], should[DIGEST_HEX];

    assert_string_equal(digest_hex(d, is), digest_hex(&want, should));
}

static void the_standards_example(void **state)
{
    struct digest d;
    struct sha s;
    char hex[DIGEST_HEX];

    (void)state;
    needs_instructions();
    sha_begin(&s);
    d = sha_end(&s, (const uint8_t *)"abc", 3);
    assert_string_equal(digest_hex(&d, hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void one_stream_of_any_length(void **state)
{
    (void)state;
    needs_instructions();
    for (size_t n = 0; n < 5 * SHA_BLOCK; n++) {
        size_t whole = n / SHA_BLOCK;
        struct digest d;
        struct sha s;

        sha_begin(&s);
        sha_add(&s, bytes, whole / 2);
        sha_add(&s, bytes + whole / 2 * SHA_BLOCK, whole - whole / 2);
        d = sha_end(&s, bytes + whole * SHA_BLOCK, n % SHA_BLOCK);
        assert_digest(&d, bytes, n);
    }
}

/* Neither knows of the other, nor of where the other's bytes lie. */
static void two_streams_side_by_side(void **state)
{
    (void)state;
    needs_instructions();
    for (size_t n = 0; n < 40; n++) {
        const uint8_t *other = bytes + MOST + n;
        struct digest d, e;
        struct sha s, t;

        sha_begin(&s);
        sha_begin(&t);
        sha_add(&t, other, n % 3);
        sha_add_two(&s, bytes, &t, other + n % 3 * SHA_BLOCK, n);
        d = sha_end(&s, bytes + n * SHA_BLOCK, 5);
        e = sha_end(&t, NULL, 0);
        assert_digest(&d, bytes, n * SHA_BLOCK + 5);
        assert_digest(&e, other, (n + n % 3) * SHA_BLOCK);
    }
}

/* What a digester told. */
struct told {
    struct wire_answer answers[WIRE_MANY];
    size_t len;
    bool last;
    unsigned went_on;
    int grows; /* a document that gets 70 more bytes when it was begun, or -1 */
    bool gone; /* nobody listens any more */
};

static int answered(void *ctx, const struct wire_answer *a, bool last)
{
    struct told *t = ctx;

    assert_false(t->last);
    assert_true(t->len < WIRE_MANY);
    t->answers[t->len++] = *a;
    t->last = last;
    return t->gone ? -1 : 0;
}

static int going(void *ctx, uint32_t ticket, uint64_t n)
{
    struct told *t = ctx;

    assert_int_equal(ticket, 100 + t->len);
    assert_true(n > 0);
    t->went_on++;
    if (t->grows >= 0)
        assert_int_equal(pwrite(t->grows, bytes + 100, 70, 100), 70);
    t->grows = -1;
    return 0;
}

static int digest_all(const int *fds, size_t n, uint64_t limit, struct told *t)
{
    const struct digesting_events to = {answered, going, t};
    struct digesting *d = digesting_new();
    struct wire_order orders[WIRE_MANY];
    int rc;

    for (size_t i = 0; i < n; i++)
        orders[i] = (struct wire_order){.ticket = (uint32_t)(100 + i), .limit = limit};
    rc = digesting_do(d, orders, fds, n, &to);
    digesting_free(d);
    return rc;
}

static void assert_answer(const struct told *t, size_t i, size_t n)
{
    assert_int_equal(t->answers[i].ticket, 100 + i);
    assert_int_equal(t->answers[i].what, WIRE_DIGEST);
    assert_int_equal(t->answers[i].bytes, n);
    assert_digest(&t->answers[i].digest, bytes + i, n);
}

static void come_together(const size_t *sizes, size_t n)
{
    struct told t = {.grows = -1};
    int fds[WIRE_MANY] = {-1};

    for (size_t i = 0; i < n; i++)
        fds[i] = document_open(bytes + i, sizes[i]);
    assert_int_equal(digest_all(fds, n, 0, &t), 0);
    assert_int_equal(t.len, n);
    assert_true(t.last);
    for (size_t i = 0; i < n; i++) {
        assert_answer(&t, i, sizes[i]);
        assert_int_equal(fcntl(fds[i], F_GETFD), -1);
    }
}

static void documents_of_all_sizes_in_their_order(void **state)
{
    static const size_t piece = DIGESTING_PIECE;
    const size_t first_long[] = {MOST, 1, 0, 63, 64, 65, piece, piece + 1};
    const size_t last_long[] = {0, 0, 128, piece - 1, 2 * piece, 55, 56, MOST};
    const size_t same[] = {1000, 1000, 1000};

    (void)state;
    come_together(first_long, 8);
    come_together(last_long, 8);
    come_together(same, 3);
    come_together(same, 2);
    come_together(first_long, 1);
}

/* A read that ends within a block goes on there. */
static void one_that_grows_is_read_to_its_end(void **state)
{
    const int fds[] = {document_open(bytes, 100), document_open(bytes + 1, MOST)};
    struct told t = {.grows = fds[0]};

    (void)state;
    assert_int_equal(digest_all(fds, 2, 0, &t), 0);
    assert_answer(&t, 0, 170);
    assert_answer(&t, 1, MOST);
    assert_true(t.went_on >= 2);
}

static void one_over_its_limit_and_one_that_cannot_be_read(void **state)
{
    char folder[] = "/tmp/digesting-XXXXXX";
    const int fds[] = {document_open(bytes, 5000), document_open(bytes, 1001),
                       open(mkdtemp(folder), O_RDONLY | O_DIRECTORY), document_open(bytes + 3, 999)};
    struct told t = {.grows = -1};

    (void)state;
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(digest_all(fds, 4, 1000, &t), 0);
    assert_int_equal(t.answers[0].what, WIRE_LARGE);
    assert_int_equal(t.answers[1].what, WIRE_LARGE);
    assert_int_equal(t.answers[2].what, WIRE_ERROR);
    assert_int_equal(t.answers[2].number, EISDIR);
    assert_answer(&t, 3, 999);
    assert_true(t.last);
}

/* Grown over it only after it was begun. */
static void one_that_grows_over_its_limit(void **state)
{
    const int fds[] = {document_open(bytes, 100), document_open(bytes + 1, 10)};
    struct told t = {.grows = fds[0]};

    (void)state;
    assert_int_equal(digest_all(fds, 2, 120, &t), 0);
    assert_int_equal(t.answers[0].what, WIRE_LARGE);
    assert_answer(&t, 1, 10);
}

static void it_ends_when_nobody_listens(void **state)
{
    const int fds[] = {document_open(bytes, 10), document_open(bytes, 10)};
    struct told t = {.grows = -1, .gone = true};

    (void)state;
    assert_int_equal(digest_all(fds, 2, 0, &t), -1);
    assert_int_equal(t.len, 1);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_example),
        cmocka_unit_test(one_stream_of_any_length),
        cmocka_unit_test(two_streams_side_by_side),
        cmocka_unit_test(documents_of_all_sizes_in_their_order),
        cmocka_unit_test(one_that_grows_is_read_to_its_end),
        cmocka_unit_test(one_over_its_limit_and_one_that_cannot_be_read),
        cmocka_unit_test(one_that_grows_over_its_limit),
        cmocka_unit_test(it_ends_when_nobody_listens),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
