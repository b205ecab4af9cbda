/*
 * known: what the private state may have, so that "none" needs no question to it.
 *
 * A new document is asked after half a dozen times (by path, file, digest, former and like names)
 * and is found by none of them. A Bloom filter in memory says so at once: what was added is always
 * had; what was not is taken for had in a few of a hundred cases, and is then asked after. Two bytes
 * or less a key; it grows by itself, and nothing is ever taken out.
 *
 * One thread adds, any thread may ask meanwhile.
 */
#ifndef ORGANIZER_RECORD_KNOWN_H
#define ORGANIZER_RECORD_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known;

/* What a key is. Keys of different sorts are different. */
enum known_sort {
    KNOWN_PATH,   /* of the case `of`: a document lies or lay there */
    KNOWN_FORMER, /* of the case `of`: a document was there before it was renamed */
    KNOWN_FOLD,   /* of the case `of`: state_fold_key() of a path, eight bytes */
    KNOWN_DIGEST, /* of the case `of` */
    KNOWN_FILE,   /* the inode number is `of`, no bytes */
    KNOWN_FOLDER, /* of the case `of`: documents lie or lay directly in it */
};

/* An empty one; known_free(). */
struct known *known_new(void);
/* NULL does nothing. */
void known_free(struct known *k);
void known_add(struct known *k, enum known_sort sort, int64_t of, const void *p, size_t n);
/* False: it was never added. */
bool known_may_have(const struct known *k, enum known_sort sort, int64_t of, const void *p,
                    size_t n);

#endif
