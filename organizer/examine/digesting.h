/*
 * digesting: what a digester does with the documents that come to it in one message.
 *
 * Several are digested two at a time where the processor gains by that (sha.h): each of two places
 * takes the next document when its own is at its end, so that hardly any is digested alone. The answers
 * come in the order of the documents all the same. One alone, which may be of any size, is libcrypto's.
 */
#ifndef ORGANIZER_EXAMINE_DIGESTING_H
#define ORGANIZER_EXAMINE_DIGESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examine/wire.h"

/* Bytes read at once: they stay in the processor's cache between the copy and the digest, which takes a
 * third less than with a megabyte. */
#define DIGESTING_PIECE ((size_t)64 << 10)

struct digesting;

/* Each returns 0, or -1 to end it all. */
struct digesting_events {
    /* The next document's answer; its descriptor is closed. last: of these documents. */
    int (*answered)(void *ctx, const struct wire_answer *a, bool last);
    /* Another piece of the next document to be answered was read: so many of its bytes so far. */
    int (*going)(void *ctx, uint32_t ticket, uint64_t bytes);
    void *ctx;
};

/* To be called outside of the sandbox: libcrypto fetches its algorithm and looks at the processor. */
struct digesting *digesting_new(void);
void digesting_free(struct digesting *d);
/* Digests n documents, from 1 to WIRE_MANY, and closes them. 0, or -1 when an event said so: then some
 * descriptors are left open. */
int digesting_do(struct digesting *d, const struct wire_order *orders, const int *fds, size_t n,
                 const struct digesting_events *to);

#endif
