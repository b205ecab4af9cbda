/* words: what counts as one, and which are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "search/stems.h"
#include "search/words.h"

/* All words of the text, folded, a '|' between them. */
static const char *folded(const char *text, size_t n)
{
    static char out[512];
    struct words w;

    *out = '\0';
    words_begin(&w, text, n);
    while (words_next(&w)) {
        if (*out)
            strcat(out, "|");
        strncat(out, w.word, w.len);
    }
    return out;
}

#define assert_words(text, wanted) assert_string_equal(folded(text, strlen(text)), wanted)

static void letters_and_digits_are_words(void **state)
{
    (void)state;
    assert_words("The MOTION, to dismiss (No. 23-CV-01234)!",
                 "the|motion|to|dismiss|no|23|cv|01234");
    assert_words("Smith_Divorce_Letter-v2.pdf", "smith|divorce|letter|v2|pdf");
    assert_words("", "");
    assert_words(" ,.;- \n", "");
}

static void accents_and_forms_are_one(void **state)
{
    (void)state;
    assert_words("M\xC3\xBCller MU\xCC\x88LLER na\xC3\xAFve", "muller|muller|naive");
    assert_words("Stra\xC3\x9F"
                 "e",
                 "strasse");
    assert_words("\xEF\xAC\x81ling \xEF\xBC\xA1\xEF\xBC\xA2",
                 "filing|ab"); /* fi ligature, full width */
    assert_words("\xCE\xA3\xCE\x91\xCE\xA3 \xCF\x83\xCE\xB1\xCF\x82",
                 "\xCF\x83\xCE\xB1\xCF\x83|\xCF\x83\xCE\xB1\xCF\x83");
    assert_words("dis\xC2\xADmiss", "dismiss"); /* soft hyphen */
}

static void apostrophes_belong_to_words(void **state)
{
    (void)state;
    assert_words("O'Brien O\xE2\x80\x99"
                 "Brien plaintiff's plaintiffs' don't 's 'quoted'",
                 "obrien|obrien|plaintiff|plaintiffs|dont|s|quoted");
}

static void characters_of_unspaced_scripts_are_words(void **state)
{
    (void)state;
    assert_words("\xE5\xA5\x91\xE7\xB4\x84\xE6\x9B\xB8", "\xE5\xA5\x91|\xE7\xB4\x84|\xE6\x9B\xB8");
    assert_words("abc\xE5\xA5\x91"
                 "def",
                 "abc|\xE5\xA5\x91|def");
    assert_words(
        "\xED\x95\x9C\xEA\xB5\xAD",
        "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB\xE1\x84\x80\xE1\x85\xAE\xE1\x86\xA8"); /* Korean has
                                                                                        spaces */
}

static void bytes_that_are_no_text_separate(void **state)
{
    (void)state;
    assert_words("a\xFF"
                 "b\xC3 c\xE5\xA5",
                 "a|b|c");
    assert_string_equal(folded("a\0b", 3), "a|b");
    assert_words("\xCC\x88 x", "x"); /* a mark alone */
}

static void long_runs_count_by_their_beginning(void **state)
{
    char text[1000];
    struct words w;

    (void)state;
    memset(text, 'a', sizeof text);
    words_begin(&w, text, sizeof text);
    assert_true(words_next(&w));
    assert_int_equal(w.len, WORD_MAX);
    assert_int_equal(w.stop, sizeof text);
    assert_false(words_next(&w));
}

static void a_word_knows_its_place(void **state)
{
    static const char text[] = "\xE2\x80\x9CMotion\xE2\x80\x9D granted";
    struct words w;

    (void)state;
    words_begin(&w, text, sizeof text - 1);
    assert_true(words_next(&w));
    assert_int_equal(w.start, 3);
    assert_int_equal(w.stop, 9);
}

static void assert_stem(struct stems *s, const char *word, const char *wanted)
{
    size_t n;
    const char *stem = stems_of(s, word, strlen(word), &n);

    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(stem, wanted, n);
}

static void forms_of_a_word_have_one_stem(void **state)
{
    struct stems *s = stems_new();

    (void)state;
    for (int i = 0; i < 2; i++) { /* the second time they are remembered */
        assert_stem(s, "motions", "motion");
        assert_stem(s, "dismissed", "dismiss");
        assert_stem(s, "dismissing", "dismiss");
        assert_stem(s, "2026", "2026");
        assert_stem(s, "as", "as");
        assert_stem(s, "m\xC3\xBCller", "m\xC3\xBCller");
    }
    stems_free(s);
    stems_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_and_digits_are_words),
        cmocka_unit_test(accents_and_forms_are_one),
        cmocka_unit_test(apostrophes_belong_to_words),
        cmocka_unit_test(characters_of_unspaced_scripts_are_words),
        cmocka_unit_test(bytes_that_are_no_text_separate),
        cmocka_unit_test(long_runs_count_by_their_beginning),
        cmocka_unit_test(a_word_knows_its_place),
        cmocka_unit_test(forms_of_a_word_have_one_stem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
