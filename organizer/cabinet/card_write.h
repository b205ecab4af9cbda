/*
 * card_write: changes a card on disk, which people edit at the same time.
 *
 * The new card is written beside the old one and exchanged with it (RENAME_EXCHANGE) while a lease
 * keeps others from opening the old one. What then lies under the temporary name is looked at once
 * more: when it is not what was read (somebody saved meanwhile), or somebody waits to open it, it
 * is exchanged back, and the change is made in what they saved. So nothing that a person saved is
 * lost: at worst it lies beside the card as "Case (yours).txt". A crash leaves the old card or the
 * new one, and at most a temporary file (base/io.h).
 */
#ifndef ORGANIZER_CABINET_CARD_WRITE_H
#define ORGANIZER_CABINET_CARD_WRITE_H

#include <stddef.h>

#include "cabinet/card_edit.h"

struct error;

enum card_written {
    CARD_WRITTEN,
    CARD_SAME,     /* it says so already */
    CARD_OPEN,     /* somebody has it open: later */
    CARD_REFUSED,  /* check() said no */
    CARD_FAILED,   /* missing, unreadable, full disk, …: err says why */
};

/* What is asked before the n bytes become the card. Returns 0, or -1 with err. */
typedef int card_check(void *ctx, const void *bytes, size_t n, struct error *err);

/* Changes Case.txt in the folder dir. Owner, mode, ACL and extended attributes of the old card are
 * kept as far as permitted. For CARD_OPEN, REFUSED and FAILED err says why. */
enum card_written card_write(int dir, const struct card_change *changes, size_t len,
                             card_check *check, void *ctx, struct error *err);

#endif
