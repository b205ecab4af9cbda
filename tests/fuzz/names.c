/* Names of any bytes, and the dates in them. What is made of them must be a name everywhere, and a name
 * that was made must be taken apart as it was put together. */
#include "base/utf8.h"
#include "decide/date.h"
#include "decide/name.h"
#include "fuzz.h"

static void dates(const char *text)
{
    static const struct date today = {2026, 11, 25};
    const enum date_order orders[] = {DATE_ORDER_ASK, DATE_ORDER_MDY, DATE_ORDER_DMY, DATE_ORDER_YMD};

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct date_match m = date_find(text, orders[i], today, fuzz_lang());

        fuzz_must(m.start <= m.end && m.end <= strlen(text), "a date lies in its text");
        fuzz_must(m.verdict != DATE_FOUND || date_exists(m.date), "a date that is found exists");
    }
}

static void fields(const char *text)
{
    AUTO_FREE char *words = name_words(text), *field = name_field(text), *serial = name_serial(text, 2);

    fuzz_must(!words || !strchr(words, '/'), "words are no path");
    fuzz_must(!field || (!strchr(field, '/') && !strchr(field, '_')), "a field is no path and no two fields");
    fuzz_must(name_ext(text) <= strlen(text), "an extension lies in its name");
    (void)name_same(text, serial ? serial : "");
    (void)name_illegal(text);
}

static void parts(const char *text)
{
    struct name_parts p;

    if (!rules_parse_name(fuzz_rules(), text, &p))
        return;
    AUTO_FREE char *again = rules_make_name(fuzz_rules(), &p);
    struct name_parts q;

    if (again && rules_parse_name(fuzz_rules(), again, &q))
        name_parts_clear(&q);
    name_parts_clear(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xmemdup0(data, size);

    if (strlen(text) > 4096)
        return 0;
    dates(text);
    (void)rules_ignored(fuzz_rules(), text, size & 1);
    (void)rules_is_new_document(fuzz_rules(), text);
    parts(text);
    /* What makes names is asked only about text. */
    if (utf8_valid(text, strlen(text)))
        fields(text);
    return 0;
}
