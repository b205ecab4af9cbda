/* Case.txt as anybody may write it. */
#include "cabinet/card.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct card c;

    card_parse(&c, data, size, fuzz_rules(), fuzz_lang(), DATE_ORDER_ASK);
    for (size_t i = 0; i < c.problems_len; i++)
        fuzz_must(c.problems[i].line > 0 && c.problems[i].text, "a problem has its line");
    (void)card_other(&c, "Tasks");
    card_clear(&c);
    return 0;
}
