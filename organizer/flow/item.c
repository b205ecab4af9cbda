#include "flow/item.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "base/alloc.h"

void items_init(struct items *q)
{
    memset(q, 0, sizeof *q);
}

void item_close(struct item *it)
{
    if (it->fd >= 0)
        close(it->fd);
    it->fd = -1;
}

void item_unsay(struct item *it)
{
    if (it->said)
        content_clear(&it->content);
    it->said = false;
    if (it->text >= 0)
        close(it->text);
    it->text = -1;
}

static void item_free(struct item *it)
{
    item_close(it);
    item_unsay(it);
    free(it->path);
    free(it);
}

void items_clear(struct items *q)
{
    struct item *it, *tmp;

    HASH_ITER(hh, q->by_path, it, tmp)
    {
        HASH_DEL(q->by_path, it);
        item_free(it);
    }
    free(q->heap);
    tally_clear(&q->held);
    items_init(q);
}

struct item *items_find(const struct items *q, const char *path)
{
    struct item *it;

    HASH_FIND_STR(q->by_path, path, it);
    return it;
}

static void place(struct items *q, struct item *it, size_t at)
{
    q->heap[at] = it;
    it->heap_at = at;
}

static void sift_up(struct items *q, struct item *it, size_t at)
{
    while (at > 0 && q->heap[(at - 1) / 2]->due > it->due) {
        place(q, q->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(q, it, at);
}

static void sift_down(struct items *q, struct item *it, size_t at)
{
    for (;;) {
        size_t kid = 2 * at + 1;

        if (kid >= q->heap_len)
            break;
        if (kid + 1 < q->heap_len && q->heap[kid + 1]->due < q->heap[kid]->due)
            kid++;
        if (q->heap[kid]->due >= it->due)
            break;
        place(q, q->heap[kid], at);
        at = kid;
    }
    place(q, it, at);
}

static void heap_remove(struct items *q, struct item *it)
{
    size_t at = it->heap_at;
    struct item *last = q->heap[--q->heap_len];

    if (last == it)
        return;
    sift_down(q, last, at);
    sift_up(q, last, last->heap_at);
}

static void make_ready(struct items *q, struct item *it)
{
    it->stage = ITEM_READY;
    if (it->missing)
        DL_APPEND(q->late, it);
    else
        DL_APPEND(q->ready, it);
    q->ready_len++;
}

struct item *items_hint(struct items *q, const char *path)
{
    struct item *it = items_find(q, path);

    if (!it) {
        it = xcalloc(1, sizeof *it);
        it->path = xstrdup(path);
        it->fd = it->text = -1;
        it->number = ++q->next_number;
        HASH_ADD_KEYPTR(hh, q->by_path, it->path, strlen(it->path), it);
        make_ready(q, it);
        return it;
    }
    if (it->stage == ITEM_BUSY)
        it->again = true;
    else if (it->stage == ITEM_WAITING)
        items_wake(q, it);
    return it;
}

struct item *items_take(struct items *q)
{
    struct item *it = q->ready ? q->ready : q->late;

    if (!it)
        return NULL;
    if (q->ready)
        DL_DELETE(q->ready, it);
    else
        DL_DELETE(q->late, it);
    q->ready_len--;
    it->stage = ITEM_BUSY;
    q->busy_len++;
    return it;
}

static void settle_debt(struct items *q, struct item *it)
{
    q->owed -= it->owed;
    it->owed = false;
}

void items_owe_one(struct items *q, struct item *it)
{
    if (!it || it->owed || (it->stage == ITEM_WAITING && !it->soon))
        return;
    it->owed = true;
    q->owed++;
}

void items_owe(struct items *q)
{
    struct item *it, *tmp;

    HASH_ITER(hh, q->by_path, it, tmp)
    {
        items_owe_one(q, it);
    }
}

void items_wait(struct items *q, struct item *it, int64_t due)
{
    q->busy_len--;
    item_close(it);
    if (it->again) {
        it->again = it->soon = false;
        make_ready(q, it);
        return;
    }
    it->stage = ITEM_WAITING;
    it->due = due;
    if (!it->soon)
        settle_debt(q, it);
    q->soon_len += it->soon;
    GROW(q->heap, q->heap_len, q->heap_cap);
    q->heap_len++;
    sift_up(q, it, q->heap_len - 1);
}

void items_hold(struct items *q, struct item *it, const struct doc_stamp *s)
{
    if (it->held)
        tally_remove(&q->held, &it->held_file);
    it->held = s != NULL;
    if (!s)
        return;
    it->held_file = tally_file(s);
    tally_add(&q->held, &it->held_file);
}

void items_done(struct items *q, struct item *it)
{
    q->busy_len--;
    item_close(it);
    items_hold(q, it, NULL);
    if (it->again) {
        item_unsay(it);
        it->again = false;
        it->tries = it->refused = 0;
        it->examined = false;
        make_ready(q, it);
        return;
    }
    settle_debt(q, it);
    HASH_DEL(q->by_path, it);
    item_free(it);
}

void items_wake(struct items *q, struct item *it)
{
    heap_remove(q, it);
    q->soon_len -= it->soon;
    it->soon = false;
    make_ready(q, it);
}

size_t items_due(struct items *q, int64_t ticks)
{
    size_t n = 0;

    while (q->heap_len > 0 && q->heap[0]->due <= ticks) {
        items_wake(q, q->heap[0]);
        n++;
    }
    return n;
}

int64_t items_next_due(const struct items *q)
{
    return q->heap_len ? q->heap[0]->due : INT64_MAX;
}
