/* A plan's CSV as it comes back from people and their programs. */
#include "fuzz.h"
#include "plan/plan.h"

static void decided(void *ctx, unsigned row, bool apply, const char *to)
{
    *(unsigned *)ctx += row + apply + (to && plan_same_to(to, "A/b.pdf"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xmemdup0(data, size);
    struct error err = ERROR_INIT;
    unsigned sum = 0;
    char id[17];

    if (plan_csv_read(text, size, id, decided, &sum, &err) == 0)
        fuzz_must(strlen(id) <= 16, "the plan's number has its length");
    else
        fuzz_must(*err.text, "a refusal says why");
    return 0;
}
