/*
 * hints: what the watcher is about to say, each thing once.
 *
 * One save is several events, and a storm is thousands; for whoever looks at the disk afterwards
 * one hint for a path is as good as ten.
 */
#ifndef ORGANIZER_WATCH_HINTS_H
#define ORGANIZER_WATCH_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "watch/watcher.h"

struct hint_item {
    size_t path; /* where it starts in paths */
    enum hint hint;
    bool closed;
};

struct hints {
    struct str paths; /* each with its NUL */
    struct hint_item *items;
    size_t len, cap;
    uint32_t *slots; /* by path and kind: number of the item plus 1, 0 for none */
    size_t slots_cap;
};

#define HINTS_INIT                                                                                 \
    {                                                                                              \
        .paths = STR_INIT                                                                          \
    }

/* Adds one unless it is there; closed counts when any of the same had it. */
void hints_add(struct hints *h, enum hint hint, const char *path, bool closed);
/* Hands all out in the order they were added first, and is empty when that begins: what is added
 * meanwhile stays for the next time. */
void hints_deliver(struct hints *h, const struct watcher_events *to);
void hints_clear(struct hints *h);

#endif
