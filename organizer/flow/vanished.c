#include "flow/vanished.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "flow/internal.h"

#define SLICE_NS (3 * NS_PER_MS)

struct vanished {
    struct flow *flow;
    uv_idle_t idle;
    uint64_t *met; /* hashes of paths, open addressing; 0 is free */
    size_t met_len, met_cap;
    char *top;
    size_t left; /* cases still to be looked at */
    const struct matter *matter;
    flow_done *done;
    void *ctx;
};

struct vanished *vanished_new(struct flow *f)
{
    struct vanished *v = xcalloc(1, sizeof *v);

    v->flow = f;
    uv_idle_init(f->loop, &v->idle);
    v->idle.data = v;
    return v;
}

static void on_closed(uv_handle_t *h)
{
    struct vanished *v = h->data;

    free(v->met);
    free(v->top);
    free(v);
}

void vanished_free(struct vanished *v)
{
    uv_close((uv_handle_t *)&v->idle, on_closed);
}

/* FNV-1a, 64 bits: two of a million paths agree once in 10^7 cabinets, until the next sweep. */
static uint64_t hash(const char *path)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *path; path++)
        h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
    return h ? h : 1;
}

static bool is_met(const struct vanished *v, uint64_t h)
{
    if (!v->met_cap)
        return false;
    for (size_t i = h & (v->met_cap - 1); v->met[i]; i = (i + 1) & (v->met_cap - 1))
        if (v->met[i] == h)
            return true;
    return false;
}

static void put(struct vanished *v, uint64_t h)
{
    size_t i = h & (v->met_cap - 1);

    while (v->met[i] && v->met[i] != h)
        i = (i + 1) & (v->met_cap - 1);
    v->met_len += v->met[i] == 0;
    v->met[i] = h;
}

void vanished_met(struct vanished *v, const char *path)
{
    if (2 * (v->met_len + 1) > v->met_cap) {
        uint64_t *old = v->met;
        size_t cap = v->met_cap;

        v->met_cap = cap ? 2 * cap : 256;
        v->met = xcalloc(v->met_cap, sizeof *v->met);
        v->met_len = 0;
        for (size_t i = 0; i < cap; i++)
            if (old[i])
                put(v, old[i]);
        free(old);
    }
    put(v, hash(path));
}

static bool is_below(const char *path, const char *top)
{
    size_t n = strlen(top);

    return n == 0 || (strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

static bool is_there(struct flow *f, const char *path)
{
    AUTO_CLOSE int fd = beneath_open(f->cab.root, path, O_PATH | O_DIRECTORY, 0);

    return fd >= 0;
}

static int hint_row(void *ctx, const struct doc *d)
{
    struct vanished *v = ctx;
    AUTO_FREE char *full = xasprintf("%s/%s", v->matter->facts.path, d->path);

    flow_hint(v->flow, full, false);
    return 0;
}

static int look_at_folder(void *ctx, const char *folder)
{
    struct vanished *v = ctx;
    const struct matter *m = v->matter;
    AUTO_FREE char *full =
        *folder ? xasprintf("%s/%s", m->facts.path, folder) : xstrdup(m->facts.path);
    struct error err = ERROR_INIT;

    if (is_below(full, v->top) && !is_met(v, hash(full)) && !is_there(v->flow, full))
        state_each_in_folder(v->flow->state, m->facts.id, folder, hint_row, v, &err);
    return 0;
}

/* One case: is its folder there, and are its folders? */
static void look_at_case(struct vanished *v, const struct matter *m)
{
    struct error err = ERROR_INIT;

    v->matter = m;
    if (is_below(m->facts.path, v->top) || is_below(v->top, m->facts.path))
        state_each_folder(v->flow->state, m->facts.id, look_at_folder, v, &err);
    if (is_below(m->facts.path, v->top) && !is_met(v, hash(m->facts.path)) &&
        !is_there(v->flow, m->facts.path)) {
        AUTO_FREE char *path = xstrdup(m->facts.path);

        flow_folder(v->flow, path, false);
    }
}

static void finish(struct vanished *v)
{
    uv_idle_stop(&v->idle);
    free(v->met);
    v->met = NULL;
    v->met_len = v->met_cap = 0;
    v->done(v->ctx);
}

static void on_idle(uv_idle_t *h)
{
    struct vanished *v = h->data;
    int64_t end = env_ticks() + SLICE_NS;

    flow_read_begin(v->flow);
    /* From the end: a case that goes takes only what was looked at out of the way. */
    while (v->left > 0 && env_ticks() < end) {
        v->left--;
        if (v->left < matters_len(v->flow->matters))
            look_at_case(v, matters_at(v->flow->matters, v->left));
    }
    flow_read_end(v->flow);
    if (v->left == 0)
        finish(v);
}

void vanished_look(struct vanished *v, const char *top, flow_done *done, void *ctx)
{
    free(v->top);
    v->top = xstrdup(top);
    flights_passed_below(v->flow, top);
    v->done = done;
    v->ctx = ctx;
    v->left = matters_len(v->flow->matters);
    uv_idle_start(&v->idle, on_idle);
}
