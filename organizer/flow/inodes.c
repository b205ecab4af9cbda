#include "flow/inodes.h"

#include <stdint.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/alloc.h"
#include "record/doc.h"

struct inodes {
    uint64_t key[3]; /* device, inode, birth time */
    unsigned count;
    UT_hash_handle hh;
};

static struct inodes *find(const struct inodes *set, const struct doc_stamp *s)
{
    const uint64_t key[3] = {s->dev, s->ino, (uint64_t)s->birth_ns};
    struct inodes *k;

    HASH_FIND(hh, set, key, sizeof key, k);
    return k;
}

void inodes_add(struct inodes **set, const struct doc_stamp *s)
{
    struct inodes *k = find(*set, s);

    if (!k) {
        k = xcalloc(1, sizeof *k);
        k->key[0] = s->dev;
        k->key[1] = s->ino;
        k->key[2] = (uint64_t)s->birth_ns;
        HASH_ADD(hh, *set, key, sizeof k->key, k);
    }
    k->count++;
}

void inodes_remove(struct inodes **set, const struct doc_stamp *s)
{
    struct inodes *k = find(*set, s);

    if (!k || --k->count > 0)
        return;
    HASH_DEL(*set, k);
    free(k);
}

bool inodes_have(const struct inodes *set, const struct doc_stamp *s)
{
    return find(set, s) != NULL;
}

void inodes_clear(struct inodes **set)
{
    struct inodes *k, *tmp;

    HASH_ITER(hh, *set, k, tmp)
    {
        HASH_DEL(*set, k);
        free(k);
    }
}
