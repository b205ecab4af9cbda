#include "watch/hints.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static size_t hash(enum hint hint, const char *path)
{
    uint64_t h = 14695981039346656037U + (uint64_t)hint;

    for (; *path; path++)
        h = (h ^ (unsigned char)*path) * 1099511628211U;
    return (size_t)(h ^ (h >> 32));
}

/* The slot of that hint, or the empty one where it belongs. */
static size_t find(const struct hints *h, enum hint hint, const char *path)
{
    size_t i = hash(hint, path) & (h->slots_cap - 1);

    for (; h->slots[i]; i = (i + 1) & (h->slots_cap - 1)) {
        const struct hint_item *x = &h->items[h->slots[i] - 1];

        if (x->hint == hint && strcmp(h->paths.s + x->path, path) == 0)
            break;
    }
    return i;
}

static void grow(struct hints *h)
{
    h->slots_cap = h->slots_cap ? h->slots_cap * 2 : 64;
    free(h->slots);
    h->slots = xcalloc(h->slots_cap, sizeof *h->slots);
    for (size_t i = 0; i < h->len; i++)
        h->slots[find(h, h->items[i].hint, h->paths.s + h->items[i].path)] = (uint32_t)i + 1;
}

void hints_add(struct hints *h, enum hint hint, const char *path, bool closed)
{
    size_t i;

    if (h->len + 1 > h->slots_cap / 2)
        grow(h);
    i = find(h, hint, path);
    if (h->slots[i]) {
        h->items[h->slots[i] - 1].closed |= closed;
        return;
    }
    GROW(h->items, h->len, h->cap);
    h->items[h->len++] = (struct hint_item){h->paths.len, hint, closed};
    str_addn(&h->paths, path, strlen(path) + 1);
    h->slots[i] = (uint32_t)h->len;
}

void hints_deliver(struct hints *h, const struct watcher_events *to)
{
    struct hints now = *h;

    *h = (struct hints)HINTS_INIT;
    for (size_t i = 0; i < now.len; i++)
        to->hint(to->ctx, now.items[i].hint, now.paths.s + now.items[i].path, now.items[i].closed);
    hints_clear(&now);
}

void hints_clear(struct hints *h)
{
    str_clear(&h->paths);
    free(h->items);
    free(h->slots);
    *h = (struct hints)HINTS_INIT;
}
