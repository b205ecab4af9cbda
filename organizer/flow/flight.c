/* flight: files that are with the filer. Until their row is written, a look at them by any name would
 * take them for new documents. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/internal.h"

struct flying {
    uint64_t key[2]; /* device and inode */
    unsigned count;
    UT_hash_handle hh;
};

static struct flying *find(const struct flow *f, const struct doc_stamp *s)
{
    const uint64_t key[2] = {s->dev, s->ino};
    struct flying *k;

    HASH_FIND(hh, f->flying, key, sizeof key, k);
    return k;
}

void flow_fly(struct flow *f, const struct doc_stamp *s)
{
    struct flying *k = find(f, s);

    if (!k) {
        k = xcalloc(1, sizeof *k);
        k->key[0] = s->dev;
        k->key[1] = s->ino;
        HASH_ADD(hh, f->flying, key, sizeof k->key, k);
    }
    k->count++;
}

void flow_land(struct flow *f, const struct doc_stamp *s)
{
    struct flying *k = find(f, s);

    if (!k || --k->count > 0)
        return;
    HASH_DEL(f->flying, k);
    free(k);
}

bool flow_is_flying(const struct flow *f, const struct doc_stamp *s)
{
    return find(f, s) != NULL;
}
