/* What a parser under an attacker's control may answer; what is accepted is written and read the same. */
#include "fuzz.h"
#include "text/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content c, d;

    if (answer_read(&c, data, size) == 0) {
        AUTO_STR struct str one = STR_INIT, two = STR_INIT;

        answer_write(&one, &c);
        fuzz_must(answer_read(&d, one.s, one.len) == 0, "what was accepted is accepted again");
        answer_write(&two, &d);
        fuzz_must(one.len == two.len && memcmp(one.s, two.s, one.len) == 0, "and says the same");
        content_clear(&d);
    }
    content_clear(&c);
    return 0;
}
