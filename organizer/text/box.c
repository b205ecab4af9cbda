#include "text/box.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

static struct archive *open_box(const struct box *x)
{
    struct archive *a = archive_read_new();

    archive_read_support_format_zip(a);
    if (archive_read_open_memory(a, x->bytes->p, x->bytes->n) == ARCHIVE_OK)
        return a;
    archive_read_free(a);
    return NULL;
}

/* The next part; NULL at the end. */
static const char *next(struct box *x, struct archive *a)
{
    struct archive_entry *e;
    int r = archive_read_next_header(a, &e);
    const char *name;

    if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
        x->damaged |= r != ARCHIVE_EOF;
        return NULL;
    }
    x->locked |= archive_entry_is_data_encrypted(e) == 1;
    name = archive_entry_pathname(e);
    return name ? name : "";
}

bool box_each(struct box *x, box_fn *fn, void *ctx)
{
    struct archive *a = open_box(x);
    const char *name;
    unsigned n = 0;

    if (!a)
        return false;
    while ((name = next(x, a)) && fn(ctx, name))
        if (++n == BOX_PARTS) {
            x->over = true;
            break;
        }
    archive_read_free(a);
    return n > 0 || !x->damaged;
}

/* Feeds what the entry at hand holds. */
static void unpack(struct box *x, struct archive *a, box_feed *feed, void *ctx)
{
    char room[32768];
    size_t sum = 0;
    la_ssize_t n;

    while ((n = archive_read_data(a, room, sizeof room)) > 0) {
        sum += (size_t)n;
        x->taken += (size_t)n;
        if (sum > BOX_PART || x->taken > BOX_ALL || paper_is_late()) {
            x->over = true;
            return;
        }
        if (!feed(ctx, room, (size_t)n))
            return;
    }
    x->damaged |= n < 0;
}

bool box_part(struct box *x, const char *name, box_feed *feed, void *ctx)
{
    struct archive *a = open_box(x);
    const char *at;
    bool found = false;

    while (a && !found && (at = next(x, a)))
        if ((found = strcmp(at, name) == 0))
            unpack(x, a, feed, ctx);
    if (a)
        archive_read_free(a);
    return found;
}
