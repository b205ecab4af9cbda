#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/table.h"
#include "base/utf8.h"
#include "decide/name.h"

/* A set of paths as people on Windows and macOS see them. */
struct taken {
    char *key;
    UT_hash_handle hh;
};

static void set_add(struct taken **set, const char *path)
{
    struct taken *t = xcalloc(1, sizeof *t);

    t->key = utf8_fold(path);
    HASH_ADD_KEYPTR(hh, *set, t->key, strlen(t->key), t);
}

static bool set_has(const struct taken *set, const char *path)
{
    AUTO_FREE char *key = utf8_fold(path);
    const struct taken *t;

    HASH_FIND_STR(set, key, t);
    return t != NULL;
}

static void set_free(struct taken **set)
{
    struct taken *t, *tmp;

    HASH_ITER(hh, *set, t, tmp)
    {
        HASH_DEL(*set, t);
        free(t->key);
        free(t);
    }
}

void plan_init(struct plan *p, const char *cabinet_id, int64_t now_ns)
{
    uint64_t r = 0;

    memset(p, 0, sizeof *p);
    /* The id only has to differ from that of other plans. */
    if (getrandom(&r, sizeof r, 0) != sizeof r)
        r = (uint64_t)now_ns ^ (uint64_t)getpid();
    snprintf(p->id, sizeof p->id, "%016llx", (unsigned long long)r);
    p->cabinet_id = xstrdup(cabinet_id);
    p->made_ns = now_ns;
}

static void row_clear(struct plan_row *r)
{
    free(r->from);
    free(r->to);
    free(r->why);
    free(r->type);
    free(r->date);
}

void plan_clear(struct plan *p)
{
    for (size_t i = 0; i < p->len; i++)
        row_clear(&p->rows[i]);
    free(p->rows);
    free(p->cabinet_id);
    memset(p, 0, sizeof *p);
}

struct plan_row *plan_add(struct plan *p, const char *from, const char *to)
{
    struct plan_row *r;

    GROW(p->rows, p->len, p->cap);
    r = &p->rows[p->len++];
    *r = (struct plan_row){.from = xstrdup(from), .to = xstrdup(to)};
    return r;
}

static int by_from(const void *a, const void *b)
{
    return strcmp(((const struct plan_row *)a)->from, ((const struct plan_row *)b)->from);
}

static char *with_serial(const char *path, unsigned serial)
{
    const char *slash = strrchr(path, '/');
    size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
    AUTO_FREE char *name = name_serial(path + dir, serial);

    return xasprintf("%.*s%s", (int)dir, path, name);
}

/* The wanted path, or the first serial of it that nobody keeps or has been given. */
static char *first_free(const struct plan_row *r, const struct taken *given,
                        const struct taken *leaving, bool (*exists)(void *ctx, const char *path),
                        void *ctx)
{
    for (unsigned serial = 1;; serial++) {
        char *path = with_serial(r->to, serial);
        bool kept = exists(ctx, path) && !set_has(leaving, path);

        if (!kept && !set_has(given, path))
            return path;
        free(path);
    }
}

void plan_arrange(struct plan *p, bool (*exists)(void *ctx, const char *path), void *ctx)
{
    struct taken *given = NULL, *leaving = NULL;
    size_t keep = 0;

    if (p->len)
        qsort(p->rows, p->len, sizeof *p->rows, by_from);
    for (size_t i = 0; i < p->len; i++)
        set_add(&leaving, p->rows[i].from);
    for (size_t i = 0; i < p->len; i++) {
        struct plan_row *r = &p->rows[i];
        char *to = first_free(r, given, leaving, exists, ctx);

        free(r->to);
        r->to = to;
        set_add(&given, to);
    }
    for (size_t i = 0; i < p->len; i++) {
        if (strcmp(p->rows[i].from, p->rows[i].to) == 0) {
            row_clear(&p->rows[i]);
            continue;
        }
        p->rows[keep] = p->rows[i];
        p->rows[keep].number = (unsigned)keep + 1;
        keep++;
    }
    p->len = keep;
    set_free(&given);
    set_free(&leaving);
}
