/* fights: a document that somebody renames back each time it is filed is left alone. */
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/internal.h"

/* Filed again so often within this time: somebody does not want it. */
#define FIGHT_TIMES 4
#define FIGHT_NS    (10 * 60 * NS_PER_S)

struct fight {
    uint64_t key[2]; /* device and inode: its number changes when it leaves the case */
    unsigned times;
    int64_t since; /* ticks */
    UT_hash_handle hh;
};

static void forget_old(struct flow *f)
{
    int64_t now = env_ticks();
    struct fight *k, *tmp;

    HASH_ITER(hh, f->fights, k, tmp)
    {
        if (now - k->since < FIGHT_NS)
            continue;
        HASH_DEL(f->fights, k);
        free(k);
    }
}

bool flow_is_fought_over(struct flow *f, const struct doc_stamp *s)
{
    const uint64_t key[2] = {s->dev, s->ino};
    struct fight *k;

    forget_old(f);
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): both halves are set */
    HASH_FIND(hh, f->fights, key, sizeof key, k);
    if (!k) {
        k = xcalloc(1, sizeof *k);
        k->key[0] = s->dev;
        k->key[1] = s->ino;
        k->since = env_ticks();
        HASH_ADD(hh, f->fights, key, sizeof k->key, k);
    }
    return ++k->times >= FIGHT_TIMES;
}

void fights_clear(struct flow *f)
{
    struct fight *k, *tmp;

    HASH_ITER(hh, f->fights, k, tmp)
    {
        HASH_DEL(f->fights, k);
        free(k);
    }
}
