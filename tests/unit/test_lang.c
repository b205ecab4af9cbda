/* lang: one file of sentences. */
#include "rules_help.h"

#include "decide/reason.h"

static struct lang *english(void)
{
    struct error err = ERROR_INIT;
    struct lang *l = lang_load(SHIPPED "/language/en.yaml", &err);

    if (!l)
        fail_msg("%s", err.text);
    return l;
}

/* A file of that text, loaded; the error goes to err. */
static struct lang *load_text(const char *text, struct error *err)
{
    char path[] = "/tmp/lang-XXXXXX";
    int fd = mkstemp(path);
    struct lang *l;

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    close(fd);
    l = lang_load(path, err);
    unlink(path);
    return l;
}

static void every_reason_has_sentence_help_and_group(void **state)
{
    static const char *const kinds[] = {"reason", "help", "group"};
    struct lang *l = english();

    (void)state;
    for (enum reason r = REASON_NONE; r < REASON_COUNT; r++)
        for (size_t i = 0; i < 3; i++) {
            char key[80];

            snprintf(key, sizeof key, "%s.%s", kinds[i], reason_code(r));
            assert_string_not_equal(lang_get(l, key), key);
            if (r != REASON_NONE)
                assert_true(strlen(lang_get(l, key)) > 2);
        }
    lang_free(l);
}

static void placeholders_are_well_formed(void **state)
{
    static const char *const kinds[] = {"reason", "help"};
    struct lang *l = english();

    (void)state;
    for (enum reason r = REASON_NONE; r < REASON_COUNT; r++)
        for (size_t i = 0; i < 2; i++) {
            char key[80];

            snprintf(key, sizeof key, "%s.%s", kinds[i], reason_code(r));
            for (const char *s = lang_get(l, key); (s = strchr(s, '{')); s++) {
                size_t n = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_");

                if (n == 0 || s[n + 1] != '}')
                    fail_msg("%s: broken placeholder at %s", key, s);
            }
        }
    lang_free(l);
}

static void months_and_folders_are_lists(void **state)
{
    struct lang *l = english();
    const char *const *months = lang_list(l, "month.long");
    size_t n = 0;

    (void)state;
    while (months[n])
        n++;
    assert_int_equal(n, 12);
    assert_string_equal(months[2], "March");
    assert_string_equal(lang_list(l, "month.short")[11], "Dec");
    assert_string_equal(lang_list(l, "folders")[0], "Case Information");
    lang_free(l);
}

static void placeholders_are_filled(void **state)
{
    struct error err = ERROR_INIT;
    struct lang *l = load_text("a: '{x} and {y}, {x}; {z} {'\n", &err);
    char *text = lang_format(l, "a", "x", "{y}", "y", NULL, NULL);

    (void)state;
    assert_string_equal(text, "{y} and , {y}; {z} {");
    free(text);
    lang_free(l);
}

static void a_missing_key_is_its_own_text(void **state)
{
    struct error err = ERROR_INIT;
    struct lang *l = load_text("a: b\nlist: [x]\n", &err);

    (void)state;
    assert_string_equal(lang_get(l, "no.such"), "no.such");
    assert_string_equal(lang_get(l, "list"), "list");
    assert_null(lang_list(l, "a")[0]);
    assert_null(lang_list(l, "no.such")[0]);
    lang_free(l);
}

static void no_language_at_all_is_harmless(void **state)
{
    (void)state;
    assert_string_equal(lang_get(NULL, "x"), "x");
    assert_null(lang_list(NULL, "x")[0]);
    lang_free(NULL);
}

static void a_bad_file_says_where(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"a: b\n  c: d\n", ":2:"},
        {"a: b\na: c\n", "given twice"},
        {"a: {b: c}\n", ":1:4: expected a text"},
        {"- a\n", ":1:1: expected \"key: sentence\" lines"},
        {"", "expected \"key: sentence\" lines"},
        {"a: [b, [c]]\n", ":1:8: expected a text"},
        {"a: \"x\\0y\"\n", "holds a NUL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = ERROR_INIT;

        assert_null(load_text(cases[i].text, &err));
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: got %s", cases[i].says, err.text);
    }
}

static void a_missing_file_is_an_error(void **state)
{
    struct error err = ERROR_INIT;

    (void)state;
    assert_null(lang_load("/no/such/file.yaml", &err));
    assert_non_null(strstr(err.text, "/no/such/file.yaml:1:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_sentence_help_and_group),
        cmocka_unit_test(placeholders_are_well_formed),
        cmocka_unit_test(months_and_folders_are_lists),
        cmocka_unit_test(placeholders_are_filled),
        cmocka_unit_test(a_missing_key_is_its_own_text),
        cmocka_unit_test(no_language_at_all_is_harmless),
        cmocka_unit_test(a_bad_file_says_where),
        cmocka_unit_test(a_missing_file_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
